"""What a reader takes away from the Preconditioners page: matrices, the numbers of a panel, its figure for print."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from matplotlib.figure import Figure
from safetensors.numpy import save

from fop_core import downsample
from fop_core.figures import paper_learned, print_style
from fop_core.figures.paper_learned import BandedCurve, Ridges
from fop_core.figures.training_curves import Line
from fop_core.quantities import QUANTITIES
from fop_core.runs.learned import Layer
from pages.components.download import File, Screen, button, slug
from pages.preconditioners import numbers, pairs
from pages.preconditioners.pairs import Side
from pages.preconditioners.settings import MATRICES, PANELS, TURNED
from pages.preconditioners.sources import Source, snapshot_index
from pages.shared.form import Form

STEPS = 6  # of a figure of matrices through training
KINDS = ("pdf", "svg", "png")
PARTS = {"diagonal": "diagonal", "off_diagonal": "off-diagonal"}
View = Mapping[str, Any]
"""The page's settings, with what the browser shows now instead of what it sent last."""


class Picture(NamedTuple):
    """A figure for print of what is shown.

    Attributes:
        draw: makes it.
        layer: of which it is; empty for all of them.
        at_cursor: whether it is of the cursor's step, and not of all steps.
    """

    draw: Callable[[], Figure]
    layer: str = ""
    at_cursor: bool = False


class Table(NamedTuple):
    """The numbers of a panel.

    Attributes:
        columns: their names.
        rows: of the table.
        at_cursor: whether they are of the cursor's step, and not of all steps.
    """

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    at_cursor: bool = False


def draw(form: Form, source: Source, layer: Layer, beside: Side | None) -> None:
    """Show the ways to take it away. Each file is made when it is clicked for, of what the screen shows then."""

    def offer(label: str, make: Callable[[View, Layer], File]) -> None:
        button(
            label,
            lambda screen: make(*_on_screen(form, source, layer, screen)),
            key=f"inspect export {label}",
            of=source.id,
        )

    with st.popover("Export", width="content"):
        if source.matrices:
            st.caption("Matrices of every layer")
            only_P = all(layer.only_P for layer in source.matrices)
            both, stored = ("P", "P") if only_P else ("M and P", "M")
            offer(f"{both} at the cursor (safetensors)", lambda view, _: at_cursor(source, view["at"]))
            offer(f"{stored} at every snapshot (safetensors)", lambda view, _: everything(source))
        if pictures := figures(form.now, source, layer, beside):
            kind = str(st.segmented_control("Figures as", KINDS, default="pdf", format_func=str.upper, required=True))
            for name in pictures:
                offer(name, lambda view, of, name=name: printed(name, kind, view, source, of, beside))  # type: ignore[misc]
        if tables(form.now, source, layer, beside) is not None:
            panel = PANELS[form["panel"]]
            offer(f"Numbers of {panel} (CSV)", lambda view, of: csv_table(view, source, of, beside))


def _on_screen(form: Form, source: Source, layer: Layer, screen: Screen) -> tuple[View, Layer]:
    """Return the settings and the layer that the browser showed at a click."""
    now = dict(form.now)
    if screen.step is not None:
        now["at"] = int(screen.step)
    if screen.see in MATRICES:
        now["see"] = screen.see
    return now, source.learned.layers.get(screen.layer or "", layer)


def _steps(source: Source, at: int | None) -> tuple[str, str]:
    """Return of which step or steps a file is, for its name and for its content; None for all steps."""
    steps = source.learned.steps
    if at is None:
        first, last = (int(steps[end]) for end in (0, -1))
        return f"steps-{first}-to-{last}", f"steps {first} to {last}"
    step = int(steps[snapshot_index(steps, at)])
    return f"step-{step}", f"step {step}"


def at_cursor(source: Source, step: int) -> File:
    """Return M, where there is one, and P of every layer at a step, -1 for the last, as safetensors.

    A layer whose matrix was first kept at a later step is left out. The metadata name the run, the step and such
    layers; and of a layer whose last snapshot is an earlier one, "step of <layer>".

    Raises:
        ValueError: where no layer has a matrix there.
    """
    steps = source.learned.steps
    step = int(steps[snapshot_index(steps, step)])
    arrays, about = {}, {"run": source.run, "name": source.name, "step": str(step)}
    if later := [layer.name for layer in source.matrices if layer.steps[0] > step]:
        about["not kept by then"] = ", ".join(later)
    for layer in source.matrices:
        if layer.name in later:
            continue
        at = snapshot_index(layer.steps, step)
        if layer.steps[at] != step:
            about[f"step of {layer.name}"] = str(layer.steps[at])
        arrays[f"{layer.name}/P"] = layer.P(at).astype(np.float32)
        if layer.has_M:
            arrays[f"{layer.name}/M"] = layer.M[at]
    if not arrays:
        first = min(int(layer.steps[0]) for layer in source.matrices)
        raise ValueError(
            f"no matrix was kept at step {step:,}, the first one at step {first:,}: move the cursor there."
        )
    return File(f"{source.run}-step-{step}-matrices.safetensors", _packed(arrays, about))


def everything(source: Source) -> File:
    """Return M [s, n, k] of every layer with its steps [s] as safetensors; P where there is no M.

    P that was given as such is named so; that of a layer that learns nothing has M's name.
    """
    arrays = {}
    for layer in source.matrices:
        arrays[f"{layer.name}/steps"] = layer.steps
        key = f"{layer.name}/{'P' if layer.only_P else 'M'}"
        arrays[key] = layer.M if layer.has_M or layer.only_P else layer.P(-1)[None].astype(np.float32)
    name, words = _steps(source, None)
    about = {"run": source.run, "name": source.name, "step": words.removeprefix("steps ")}
    return File(f"{source.run}-{name}-matrices.safetensors", _packed(arrays, about))


def _packed(arrays: Mapping[str, np.ndarray], about: Mapping[str, str]) -> bytes:
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, dict(about))


def printed(name: str, kind: str, view: View, source: Source, layer: Layer, beside: Side | None) -> File:
    """Return a figure of ``figures`` as a file, "pdf", "svg" or "png".

    Raises:
        ValueError: where there is no such figure of the layer.
    """
    if (picture := figures(view, source, layer, beside).get(name)) is None:
        raise ValueError(f"{layer.name} has no figure {name}.")
    when, words = _steps(source, view["at"] if picture.at_cursor else None)
    parts = [source.run, when, *([slug(picture.layer)] if picture.layer else []), slug(name.lower())]
    title = ", ".join([source.run, words, *([picture.layer] if picture.layer else []), name])
    return File(f"{'-'.join(parts)}.{kind}", print_style.save(picture.draw(), kind, title))


def csv_table(view: View, source: Source, layer: Layer, beside: Side | None) -> File:
    """Return the numbers of the panel as CSV, with the run in the last column.

    Raises:
        ValueError: where the panel has none of the layer.
    """
    if (make := tables(view, source, layer, beside)) is None:
        raise ValueError(f"{PANELS[view['panel']]} has no numbers of {layer.name}.")
    columns, rows, at_cursor = make()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, "run"])
    writer.writerows([*row, source.run] for row in rows)
    when, _ = _steps(source, view["at"] if at_cursor else None)
    return File(f"{source.run}-{when}-{view['panel']}.csv", text.getvalue())


def figures(view: View, source: Source, layer: Layer, beside: Side | None) -> dict[str, Picture]:
    """Return the figures for print of what is shown, each to be made when it is clicked for."""
    made: dict[str, Picture] = {}
    name = layer.name
    if layer.is_matrix:
        made["Matrix through training"] = Picture(lambda: through_training(layer, view["see"]), name)
    if layer.is_matrix and (kernel := layer.kernel) and layer.n <= 49:
        P = layer.P(snapshot_index(layer.steps, view["at"]))
        made["Eigenvectors"] = Picture(lambda: paper_learned.eigenvectors({name: P}, kernel), name, True)
    every = numbers.spectra(source)
    match view["panel"]:
        case "spectrum" if every:
            now = {each.label: each.values[snapshot_index(each.steps, view["at"])] for each in every}
            made["Sorted eigenvalues"] = Picture(lambda: paper_learned.spectra(now, log=view["log"]), at_cursor=True)
            if view["curve"] == "paths":
                paths = {each.label: (each.steps, each.values) for each in every}
                made["Eigenvalues over steps"] = Picture(lambda: paper_learned.eigenvalue_paths(paths, log=view["log"]))
            else:
                curve = view["curve"]
                of = QUANTITIES[curve]
                made[f"{of.heading} over steps"] = _curves(lambda: numbers.followed(every, curve), of.title, log=of.log)
        case "spectrum" if source.metrics is not None:
            made["Numbers over steps"] = _curves(lambda: numbers.scalars(source), "number in $P$'s place")
        case "histograms":
            what = numbers.values_of(layer, view["values"])
            parts = {
                words: Ridges(*histogram)
                for part, words in PARTS.items()
                if (histogram := numbers.distribution(source, layer, what, part)) is not None
            }
            if parts:
                made["Histograms"] = Picture(lambda: paper_learned.ridges({name: parts}, f"value of {what}"), name)
        case "rotation" if source.entry is not None:
            for title, quantity in (("Angles", "angle_deg"), (TURNED[view["turned"]], view["turned"])):
                lines = partial(numbers.turned, source, layer, quantity, view["seeds"])
                made[title] = _curves(lines, QUANTITIES[quantity].title)
        case "compare" if beside is not None and layer.is_matrix:
            made["Side by side"] = Picture(
                lambda: side_by_side((source, layer), beside, view["see"], view["at"]), name, True
            )
        case "whitening" if any(each.kernel for each in source.matrices):
            made["Whitening score"] = _curves(lambda: numbers.whitening_scores(source), "whitening score", zero=True)
            if layer.kernel:
                made["What is left"] = _curves(
                    lambda: numbers.left_over(layer), "mean entry of what is left", name, zero=True
                )
    return made


def _curves(
    lines: Callable[[], Sequence[Line]], words: str, layer: str = "", *, log: bool = False, zero: bool = False
) -> Picture:
    """Return a figure of lines over steps."""
    return Picture(lambda: paper_learned.bands(_bands(lines()), "step", words, log=log, zero=zero), layer)


def through_training(layer: Layer, quantity: str) -> Figure:
    """Return a layer's matrix at some steps (Figure 5a)."""
    indices = downsample.evenly(len(layer.steps), STEPS).tolist()
    shown = [layer.view(quantity, at) for at in indices]
    across = [f"step {int(layer.steps[at]):,}" for at in indices]
    return paper_learned.matrices(
        {f"{print_style.literal(layer.name)}, {MATRICES[quantity].printed}": shown}, across, kernel=layer.kernel
    )


def side_by_side(one: Side, two: Side, quantity: str, step: int) -> Figure:
    """Return two layers' matrices at a step, and their difference where their shapes are one."""
    shown = [layer.view(quantity, snapshot_index(layer.steps, step)) for _, layer in (one, two)]
    across = [source.name if one[0].id != two[0].id else layer.name for source, layer in (one, two)]
    if shown[0].shape == shown[1].shape:
        shown.append(shown[0] - shown[1])
        across.append("difference")
    return paper_learned.matrices(
        {f"{print_style.literal(one[1].name)}, {MATRICES[quantity].printed}": shown}, across, kernel=one[1].kernel
    )


def _bands(lines: Sequence[Line]) -> list[BandedCurve]:
    return [
        BandedCurve(
            line.label,
            line.x,
            line.y,
            line.band[1] if line.band is not None else None,
            line.band[2] if line.band is not None else None,
            line.line_style.color,
            line.line_style.dash,
            line.line_style.width,
        )
        for line in lines
    ]


def tables(view: View, source: Source, layer: Layer, beside: Side | None) -> Callable[[], Table] | None:
    """Return what makes the numbers of a panel, or None where it has none."""
    match view["panel"]:
        case "spectrum":
            if not numbers.spectra(source):
                return lambda: _lines({"number in P's place": numbers.scalars(source)})
            return lambda: _spectra(source)
        case "histograms":
            return lambda: _histograms(source, layer, numbers.values_of(layer, view["values"]))
        case "rotation" if source.entry is not None:
            return lambda: _lines(
                {name: numbers.turned(source, layer, name, view["seeds"]) for name in ("angle_deg", *TURNED)}
            )
        case "compare" if pairs.pairs(source, layer, beside):
            return lambda: Table(*pairs.table(source, layer, beside, view["at"]), beside is not None)
        case "whitening" if any(each.kernel for each in source.matrices):
            return lambda: _lines(
                {"whitening score": numbers.whitening_scores(source)}
                | {f"left of {each.name}": numbers.left_over(each) for each in source.matrices if each.kernel}
            )
    return None


def _spectra(source: Source) -> Table:
    rows = (
        (each.label, int(step), index + 1, float(value))
        for each in numbers.spectra(source)
        for step, values in zip(each.steps, each.values)
        for index, value in enumerate(values[::-1])
    )
    return Table(("layer", "step", "number from the largest", "eigenvalue of P"), rows)


def _histograms(source: Source, layer: Layer, what: str) -> Table:
    rows = []
    for part in PARTS:
        if (histogram := numbers.distribution(source, layer, what, part)) is None:
            continue
        steps, counts, edges = histogram
        edges = np.broadcast_to(edges, (len(steps), counts.shape[1] + 1))
        rows += [
            (layer.name, what, PARTS[part], int(step), float(low), float(high), int(count))
            for step, row, limits in zip(steps, counts, edges)
            for low, high, count in zip(limits, limits[1:], row)
        ]
    return Table(("layer", "matrix", "part", "step", "from", "to", "values"), rows)


def _lines(named: dict[str, list[Line]]) -> Table:
    rows = []
    for quantity, lines in named.items():
        for line in lines:
            low, high = line.band[1:] if line.band is not None else (line.y, line.y)
            rows += [(quantity, line.label, int(x), *map(float, ys)) for x, *ys in zip(line.x, line.y, low, high)]
    return Table(("quantity", "of", "step", "mean", "least", "most"), rows)
