"""The curves of chosen runs: metrics stay in memory and grow, pictures are made anew where there is something new.

Metrics that take more than a moment to read are drawn from a sample of their rows, until a thread has read them all.
"""

import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from fop_core.figures import training_curves
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.runs import compare
from fop_core.runs.compare import Curve, Downsampled, Group
from fop_core.runs.files import DamagedFile
from fop_core.runs.series import Series
from fop_core.runs.store import Run
from pages.components.plot import plot
from pages.shared.listing import Entry
from pages.shared.run_text import setting

Array = np.ndarray

BUCKETS = 400  # of a line: at most 1,602 points
FAINT = 120  # of a line behind others
LARGE = 30_000_000  # bytes of metrics that take more than a moment to read the first time
PART = 1 << 16  # rows; of longer metrics the beginning is downsampled once for so many more
SAMPLE = 2_000  # rows of those, drawn meanwhile
KEPT = 64  # runs whose metrics stay in memory
TITLES = {"step": "step", "epoch": "epoch", "seconds": "seconds of training"}


class Loaded:
    """A run's metrics in memory, for all sessions.

    Args:
        path: of the run.

    Attributes:
        reading: bytes that a thread is reading, while a sample stands for them; 0 where all has been read.
    """

    def __init__(self, path: str) -> None:
        self.run = Run(path)
        self.trouble = ""
        self.version = 0
        self.columns: list[str] = []
        self.reading = 0
        self._reader: threading.Thread | None = None
        self._lock = threading.Lock()
        self._until: list[int] = []
        self._curves: dict[tuple[str, str], Curve | None] = {}
        self._sample: dict[str, Series] = {}
        self._downsampled: dict[tuple[str, str], Downsampled] = {}

    def refresh(self, whole: bool = False) -> "Loaded":
        """Read what is new.

        Args:
            whole: whether to wait until all has been read, however long that takes.
        """
        with self._lock:
            if not self.version and not whole and (size := _bytes(self.run.path)) > LARGE:
                self._begin(size)
            reader = self._reader
        if reader is not None:
            if not whole:
                return self
            reader.join()
        with self._lock:
            self._read()
        return self

    def _begin(self, size: int) -> None:
        """Take a sample, and have the rest read meanwhile."""
        try:
            self._sample = self.run.metrics.sample(SAMPLE)
        except (DamagedFile, OSError) as error:
            self.trouble = str(error)
            return
        self.columns = sorted(self._sample, key=lambda name: ("/" in name, name))
        self.reading, self.version = size, 1
        self._reader = threading.Thread(target=self._read_all, daemon=True)
        self._reader.start()

    def _read_all(self) -> None:
        fresh = Run(self.run.path)
        try:
            with contextlib.suppress(DamagedFile, OSError):  # the next look hears of it again, and says so
                fresh.metrics.update()
        finally:  # also where memory ran out: then the page's own look says so
            with self._lock:
                self.run, self._sample, self._reader, self.reading = fresh, {}, None, 0
                self._until = [-1]  # whatever is there is new
        with self._lock:
            self._read()

    def _read(self) -> None:
        try:
            new = self.run.metrics.update()
            until = [from_step for *_, from_step in self.run.metrics_files()]
        except (DamagedFile, OSError) as error:
            self.trouble = str(error)
            return
        self.trouble = " ".join(self.run.metrics.damaged)
        if new or until != self._until or not self.version:
            if until != self._until:
                self._downsampled.clear()
            self._until = until
            self._curves.clear()
            self.version += 1
            self.columns = self.run.metrics.columns

    def curve(self, x: str, y: str) -> Curve | None:
        """Return a column over an axis, or None where it was not measured."""
        with self._lock:
            if (x, y) not in self._curves:
                self._curves[x, y] = self._made(x, y)
            return self._curves[x, y]

    def light(self, x: str, y: str) -> tuple[Curve | None, Array | None]:
        """Return as ``curve``, of a long one only what can be seen, and the gaps in it; None for what is all there.

        Of a long curve the beginning is downsampled once, and not again until many more rows have come.
        """
        curve = self.curve(x, y)
        if curve is None or len(curve.y) < 4 * PART:
            return curve, None
        until = len(curve.y) // PART * PART
        with self._lock:
            if (kept := self._downsampled.get((x, y))) is None or kept.until != until:
                kept = self._downsampled[x, y] = compare.downsampled(curve, until, 4 * BUCKETS)
        return kept.extended(curve)

    def _made(self, x: str, y: str) -> Curve | None:
        metrics = self._sample or self.run.metrics
        if y not in self.columns or (x != "step" and x not in self.columns):
            return None
        # A sample has not the rows before its own, which windows of one length are made of.
        steps, values = self._sample[y] if self._sample else self.run.metrics.evened(y)
        if x == "step":
            return Curve(steps, steps.astype(np.float64), values)
        at = metrics[x]
        index = np.minimum(np.searchsorted(at.steps, steps), len(at.steps) - 1)
        both = at.steps[index] == steps
        return Curve(steps[both], at.values[index[both]], values[both])


@st.cache_resource(show_spinner=False, max_entries=KEPT)
def _loaded(path: str) -> Loaded:
    return Loaded(path)


def loaded(entries: Sequence[Entry], whole: bool = False) -> list[Loaded]:
    """Return the metrics of runs, up to date: large ones as a sample at first, unless they are wanted whole."""
    return [_loaded(str(entry.run.path)).refresh(whole) for entry in entries]


def _bytes(path: Path) -> int:
    total = 0
    for each in path.glob("metrics.*.jsonl"):
        with contextlib.suppress(OSError):  # whoever reads it hears of it
            total += each.stat().st_size
    return total


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


def chosen(entries: Sequence[Entry], seeds: bool) -> Chosen:
    """Return runs with their metrics and groups."""
    settings = [entry.settings for entry in entries]
    groups = compare.groups(settings, [entry.preset for entry in entries], apart=not seeds)
    labels = [_label(group, groups, entries, seeds) for group in groups]
    return Chosen(
        entries, loaded(entries), groups, labels, training_curves.line_styles([group.method for group in groups])
    )


def _label(group: Group, groups: Sequence[Group], entries: Sequence[Entry], seeds: bool) -> str:
    name = training_curves.named(group.method)
    differs = [f"{name.rpartition('.')[2]} {setting(value)}" for name, value in group.differs if value is not None]
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
    base = of.base(view)
    members = [
        [curve for member in group.members if (curve := of.metrics[member].curve(view.x, name)) is not None]
        for group in of.groups
    ]
    mean: Curve | None = None
    if base is not None:
        if not members[base]:
            return []
        mean = compare.spread(members[base]).curve if len(members[base]) > 1 else members[base][0]
        mean = Curve(mean.steps, mean.x, compare.smoothed(mean.y, view.smooth / 100))
    made = []
    for group, curves, label, line_style in zip(of.groups, members, of.labels, of.line_styles):
        gaps = None
        if len(curves) == 1 and mean is None and not view.smooth:
            every = [of.metrics[member].light(view.x, name) for member in group.members]
            [(light, gaps)] = [(light, gaps) for light, gaps in every if light is not None]
            curves = [light]
        if curves and any(len(curve.x) for curve in curves):
            made.append(_line(curves, mean, label, line_style, view.smooth / 100, gaps))
    return sorted(made, key=lambda line: line.line_style.width)


def _line(
    measured: Sequence[Curve],
    baseline: Curve | None,
    label: str,
    line_style: LineStyle,
    smooth: float,
    gaps: Array | None = None,
) -> Line:
    curves = measured if baseline is None else [compare.less(each, baseline) for each in measured]
    soft = [Curve(each.steps, each.x, compare.smoothed(each.y, smooth)) for each in curves]
    spread = compare.spread(soft) if len(soft) > 1 else None
    shown = spread.curve if spread else soft[0]
    x, y = compare.drawn(shown.x, shown.y, compare.holes(shown.steps) if gaps is None else gaps, BUCKETS)
    behind = []
    if spread or smooth:
        behind = [compare.drawn(each.x, each.y, compare.holes(each.steps), FAINT) for each in curves]
    band = None
    if spread:
        kept = np.unique(np.linspace(0, len(shown.x) - 1, min(len(shown.x), 2 * BUCKETS)).astype(np.int64))
        mean, std = shown.y[kept], spread.std[kept]
        band = shown.x[kept], mean - std, mean + std
    marks = [compare.broken(each.x, each.y, of.y) for each, of in zip(curves, measured)]
    broken = np.concatenate([x for x, _ in marks]), np.concatenate([y for _, y in marks])
    return Line(label, line_style, x, y, behind, band, broken)


def show(of: Chosen, name: str, view: View) -> bool:
    """Show one picture; return whether anything of it was measured.

    Args:
        of: the runs.
        name: of the column.
        view: how.
    """
    remembered = st.session_state.setdefault("runs pictures", {})
    made_of = view, [(entry.id, each.version) for entry, each in zip(of.entries, of.metrics)]
    if remembered.get(name, (None, None))[0] != made_of:
        drawn = lines(of, name, view)
        base = of.base(view)
        title = title_of(name) if base is None else f"{title_of(name)} less baseline"
        key = f"{name} {view} {[entry.id for entry in of.entries]}"
        figure = training_curves.figure(
            drawn,
            TITLES[view.x],
            title,
            log_x=view.log_x,
            log_y=view.log_y and base is None,
            percent=name.endswith("accuracy"),
            zero=base is not None,
            key=key,
        )
        remembered[name] = made_of, (figure, ", ".join(line.label for line in drawn), len(drawn))
        for old in [each for each in remembered if each != name][:-24]:
            del remembered[old]
    figure, labels, count = remembered[name][1]
    if count:
        alt = f"{title_of(name)}: {labels}"
        plot(figure, of=_stem(of), key=f"curve {name}", alt=alt, aspect=2.0, heights=(250, 330))
    return bool(count)


def _stem(of: Chosen) -> str:
    """Return the runs and the step that they have come to, for the names of pictures."""
    ids = of.entries[0].id + (f" and {len(of.entries) - 1} more" if len(of.entries) > 1 else "")
    return f"{ids} to step {max(int(each.progress.get('step', 0)) for each in of.entries)}"


def title_of(name: str) -> str:
    """Return what a column is called."""
    quantity, slash, layer = name.partition("/")
    return quantity.replace("_", " ") + (f", {layer}" if slash else "")
