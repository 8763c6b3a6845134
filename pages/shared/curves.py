"""The curves of chosen runs: metrics stay in memory for all sessions, pictures are made anew where something is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import streamlit as st

from fop_core import quantities
from fop_core.figures import training_curves
from fop_core.figures.style import PINS
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.runs import compare, fields
from fop_core.runs.compare import Group
from fop_core.runs.lines import points
from fop_core.runs.listing import Entry
from fop_core.runs.loaded import Loaded
from fop_core.runs.milestones import Fall, falls
from pages.components.plot import plot

KEPT = 64  # runs whose metrics stay in memory
TOGETHER = 0.02  # of its x: how far from another a fall of the rate is marked as the same one


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _loaded(path: str) -> Loaded:
    return Loaded(path)


def loaded(entries: Sequence[Entry]) -> list[Loaded]:
    """Return the metrics of runs, up to date."""
    return [_loaded(str(entry.run.path)).refresh() for entry in entries]


@dataclass(frozen=True)
class View:
    """How curves are drawn.

    Attributes:
        x: "step", "epoch" or "seconds".
        smooth: percent of a curve over which it is averaged.
        seeds: whether runs that differ by the seed alone are one line.
        base: id of a run of the group from which the others' difference is drawn, or "".
        log_x, log_y: whether axes are logarithmic.
    """

    x: str
    smooth: int
    seeds: bool
    base: str
    log_x: bool
    log_y: bool


@dataclass(frozen=True)
class Chosen:
    """Runs to compare.

    Attributes:
        entries: the runs.
        metrics: theirs.
        groups: of them.
        labels: of the groups.
        line_styles: of the groups.
    """

    entries: Sequence[Entry]
    metrics: Sequence[Loaded]
    groups: Sequence[Group]
    labels: Sequence[str]
    line_styles: Sequence[LineStyle]

    def columns(self) -> list[str]:
        """Return what any of them measured."""
        names = dict.fromkeys(name for each in self.metrics for name in each.columns)
        return sorted(names, key=lambda name: ("/" in name, name))

    def base(self, view: View) -> int | None:
        """Return which group the others are compared with."""
        for index, group in enumerate(self.groups):
            if view.base and view.base in [self.entries[member].id for member in group.members]:
                return index
        return None


def chosen(entries: Sequence[Entry], seeds: bool, pins: Mapping[str, int] = MappingProxyType({})) -> Chosen:
    """Return runs with their metrics and groups.

    Args:
        entries: the runs.
        seeds: whether those that differ by the seed alone are one group.
        pins: which colour of ``PINS`` a run has, by its id; a group has that of its first run with one.
    """
    settings = [entry.settings for entry in entries]
    groups = compare.groups(settings, [entry.preset for entry in entries], apart=not seeds)
    labels = [_label(group, groups, entries, seeds) for group in groups]
    pinned = [_pinned([entries[member].id for member in group.members], pins) for group in groups]
    line_styles = training_curves.line_styles([group.method for group in groups], pinned)
    return Chosen(entries, loaded(entries), groups, labels, line_styles)


def _pinned(ids: Sequence[str], pins: Mapping[str, int]) -> str | None:
    return next((PINS[pins[id_]] for id_ in ids if id_ in pins), None)


def _label(group: Group, groups: Sequence[Group], entries: Sequence[Entry], seeds: bool) -> str:
    name = training_curves.named(group.method)
    differs = [f"{name.rpartition('.')[2]} {fields.text(value)}" for name, value in group.differs if value is not None]
    kind = [group.kind or "own settings"] if len({other.kind for other in groups}) > 1 else []
    label = ", ".join([name, *kind, *differs[:3]])
    if not seeds and not any(name == "seed" for name, _ in group.differs) and len(entries) > 1:
        return f"{label}, {entries[group.members[0]].name}"
    return label


def automatic(columns: Sequence[str]) -> list[str]:
    """Return which curves are shown where the reader has not said."""
    wanted = ("train_loss", "test_loss", "held_out_loss", "test_accuracy", "held_out_accuracy")
    return [name for name in wanted if name in columns]


def lines(of: Chosen, name: str, view: View) -> list[Line]:
    """Return the lines of one picture, FOP's last and so on top."""
    groups = [[of.metrics[member] for member in group.members] for group in of.groups]
    drawn = points(groups, view.x, name, smooth=view.smooth / 100, baseline=of.base(view))
    made = [
        Line(label, line_style, each.x, each.y, each.behind, each.band, each.broken)
        for each, label, line_style in zip(drawn, of.labels, of.line_styles)
        if each is not None
    ]
    return sorted(made, key=lambda line: line.line_style.width)


def span(of: Chosen, names: Sequence[str], view: View) -> tuple[float, ...]:
    """Return the least and the greatest x that any of some pictures shows, so that all of them have one axis."""
    curves = [each.curve(view.x, name) for each in of.metrics for name in names]
    ends: list[float] = []
    for curve in curves:
        if curve is not None:
            x = curve.x[np.isfinite(curve.x) & ((curve.x > 0) | (not view.log_x))]
            ends += [float(x.min()), float(x.max())] if len(x) else []
    return (min(ends), max(ends)) if ends else ()


def grid(of: Chosen, names: Sequence[str], view: View, across: int) -> list[str]:
    """Show pictures beside and below each other, all over one axis; return the names of those that nobody measured.

    Args:
        of: the runs.
        names: of the columns.
        view: how.
        across: pictures in a row.
    """
    measured = [name for name in names if any(name in each.columns for each in of.metrics)]
    missing = [name for name in names if name not in measured]
    shared = span(of, measured, view)
    for begin in range(0, len(measured), across):  # row by row, so that a phone has them in their order
        row = measured[begin : begin + across]
        cells = st.columns(across) if across > 1 else [st.container()]
        for name, cell in zip(row, cells):
            with cell:
                if not show(of, name, view, shared):
                    missing.append(name)
    return missing


def show(of: Chosen, name: str, view: View, shared: Sequence[float] = ()) -> bool:
    """Show one picture; return whether anything of it was measured.

    Args:
        of: the runs.
        name: of the column.
        view: how.
        shared: see ``span``.
    """
    remembered = st.session_state.setdefault("runs pictures", {})
    versions = [(entry.id, each.version) for entry, each in zip(of.entries, of.metrics)]
    made_of = view, versions, list(of.line_styles), shared
    across = f"{view} {[entry.id for entry in of.entries]}"
    if remembered.get(name, (None, None))[0] != made_of:
        drawn = lines(of, name, view)
        base = of.base(view)
        title = quantities.title(name) + ("" if base is None else " less baseline")
        figure = training_curves.figure(
            drawn,
            quantities.title(view.x),
            title,
            log_x=view.log_x,
            log_y=view.log_y and base is None,
            percent=quantities.of(name).percent,
            zero=base is not None,
            key=f"{name} {across}",
            span=shared,
        )
        training_curves.mark_falls(figure, _falls(of, view))
        remembered[name] = made_of, (figure, ", ".join(line.label for line in drawn), len(drawn))
        for old in [each for each in remembered if each != name][:-24]:
            del remembered[old]
    figure, labels, count = remembered[name][1]
    if count:
        alt = f"{quantities.title(name)}: {labels}"
        plot(figure, of=_stem(of), key=f"curve {name}", alt=alt, aspect=2.0, heights=(250, 330), across=across)
    return bool(count)


def _falls(of: Chosen, view: View) -> list[Fall]:
    """Return where the rates of the runs fell, those of several seeds at nearly the same second once."""
    every = sorted(
        {fall for entry, each in zip(of.entries, of.metrics) for fall in falls(entry.settings, each, view.x)}
    )
    kept: list[Fall] = []
    for fall in every:
        if not kept or fall.x > kept[-1].x * (1 + TOGETHER) or fall.factor != kept[-1].factor:
            kept.append(fall)
    return kept


def _stem(of: Chosen) -> str:
    """Return the runs and the step that they have come to, for the names of pictures."""
    ids = of.entries[0].id + (f" and {len(of.entries) - 1} more" if len(of.entries) > 1 else "")
    return f"{ids} to step {max(int(each.progress.get('step', 0)) for each in of.entries)}"
