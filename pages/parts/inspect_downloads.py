"""What a reader takes away from the Preconditioners page: matrices, the numbers of a panel, its figure for print."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from matplotlib.figure import Figure
from safetensors.numpy import save

from fop_core import inspection
from fop_core.figures import paper_learned, press
from fop_core.figures.paper_learned import Band, Ridges
from fop_core.figures.training_curves import Line
from fop_core.runs.learned import Layer
from pages.parts import inspect_compare, inspect_panels, inspect_rotation, inspect_whitening
from pages.parts.form import Form
from pages.parts.inspect_compare import Side
from pages.parts.inspect_settings import CURVES, PANELS, TURNED
from pages.parts.inspect_sources import Source, place

STEPS = 6  # of a figure of matrices through training
FILES = {"pdf": "application/pdf", "svg": "image/svg+xml", "png": "image/png"}
PRINTED = {"change": "$P - I$", "P": "$P$", "shape": r"$P/\|P\|$", "rest": r"$P - aI - c\,11^T$", "M": "$M$"}
PARTS = {"diagonal": "diagonal", "off_diagonal": "off-diagonal"}
Table = tuple[Sequence[str], Iterable[Sequence[Any]]]


def draw(form: Form, source: Source, layer: Layer, beside: Side | None) -> None:
    """Show the ways to take it away. Each file is made when it is asked for."""
    with st.popover("Export", width="content"):
        if source.matrices:
            st.caption("Matrices of every layer")
            _button(
                "M and P at the cursor (safetensors)", "matrices.safetensors", lambda: at_cursor(source, form["at"])
            )
            _button("M at every snapshot (safetensors)", "snapshots.safetensors", lambda: everything(source))
        if made := figures(form, source, layer, beside):
            kind = st.segmented_control("Figures as", list(FILES), default="pdf", format_func=str.upper, required=True)
            for name, figure in made.items():
                _button(name, f"{name.lower().replace(' ', '-')}.{kind}", partial(_saved, figure, str(kind)))
        table = tables(form, source, layer, beside)
        if table is not None:
            _button(f"Numbers of {PANELS[form['panel']]} (CSV)", f"{form['panel']}.csv", lambda: written(*table()))


def _saved(figure: Callable[[], Figure], kind: str) -> bytes:
    return press.save(figure(), kind)


def _button(label: str, name: str, make: Callable[[], bytes | str]) -> None:
    mime = FILES.get(name.rpartition(".")[2], "text/csv" if name.endswith(".csv") else "application/octet-stream")
    st.download_button(label, make, name, mime, on_click="ignore", key=f"inspect export {label}", width="stretch")


def at_cursor(source: Source, step: int) -> bytes:
    """Return M, where there is one, and P of every layer at a step, -1 for the last, as safetensors."""
    arrays = {}
    for layer in source.matrices:
        at = place(layer.steps, step)
        arrays[f"{layer.name}/P"] = layer.P(at).astype(np.float32)
        if layer.M.ndim == 3:
            arrays[f"{layer.name}/M"] = layer.M[at]
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"run": source.name})


def everything(source: Source) -> bytes:
    """Return M [s, n, k] of every layer with its steps [s] as safetensors; P where nothing is learned."""
    arrays = {}
    for layer in source.matrices:
        arrays[f"{layer.name}/steps"] = layer.steps
        arrays[f"{layer.name}/M"] = layer.M if layer.M.ndim == 3 else layer.P(-1)[None].astype(np.float32)
    return save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, {"run": source.name})


def figures(form: Form, source: Source, layer: Layer, beside: Side | None) -> dict[str, Callable[[], Figure]]:
    """Return the figures for print of what is shown, each to be made when it is asked for."""
    made: dict[str, Callable[[], Figure]] = {}
    if layer.is_matrix:
        made["Matrix through training"] = lambda: through_training(layer, form["see"])
    if layer.is_matrix and layer.kernel and layer.n <= 49:
        at = place(layer.steps, form["at"])
        made["Eigenvectors"] = lambda: paper_learned.eigenvectors({layer.name: layer.P(at)}, layer.kernel)  # type: ignore[arg-type]
    every = inspect_panels.spectra(source)
    match form["panel"]:
        case "spectrum" if every:
            made["Sorted eigenvalues"] = lambda: paper_learned.spectra(
                {each.label: each.values[place(each.steps, form["at"])] for each in every}, log=form["log"]
            )
            if form["curve"] == "paths":
                paths = {each.label: (each.steps, each.values) for each in every}
                made["Eigenvalues over steps"] = lambda: paper_learned.eigenvalue_paths(paths, log=form["log"])
            else:
                name = form["curve"]
                made[f"{CURVES[name]} over steps"] = lambda: paper_learned.bands(
                    _bands(inspect_panels.followed(every, name)), "step", CURVES[name].lower(), log=name == "condition"
                )
        case "spectrum" if source.metrics is not None:
            lines = inspect_panels.numbers(source)
            made["Numbers over steps"] = lambda: paper_learned.bands(_bands(lines), "step", "number in $P$'s place")
        case "histograms":
            what = form["values"] if layer.form != "diagonal" else "M"
            parts = {
                words: Ridges(*found)
                for part, words in PARTS.items()
                if (found := inspect_panels.distribution(source, layer, what, part)) is not None
            }
            if parts:
                made["Histograms"] = lambda: paper_learned.ridges({layer.name: parts}, f"value of {what}")
        case "rotation" if source.entry is not None:
            lines = inspect_rotation.turned(source, layer, "angle_deg", form["seeds"])
            made["Angles"] = lambda: paper_learned.bands(_bands(lines), "step", "degrees between $g$ and $Pg$")
            name = form["turned"]
            others = inspect_rotation.turned(source, layer, name, form["seeds"])
            made[TURNED[name].strip("⟨⟩")] = lambda: paper_learned.bands(_bands(others), "step", _printed(name))
        case "compare" if beside is not None and layer.is_matrix:
            made["Side by side"] = lambda: side_by_side((source, layer), beside, form["see"], form["at"])
        case "whitening" if any(each.kernel for each in source.matrices):
            made["Whitening score"] = lambda: paper_learned.bands(
                _bands(inspect_whitening.scores(source)), "step", "whitening score", zero=True
            )
            if layer.kernel:
                made["What is left"] = lambda: paper_learned.bands(
                    _bands(inspect_whitening.pairs(layer)), "step", "mean entry of what is left", zero=True
                )
    return made


def _printed(name: str) -> str:
    return r"$\langle g, \Delta\theta\rangle$" if name == "descent" else TURNED[name].lower()


def through_training(layer: Layer, quantity: str) -> Figure:
    """Return a layer's matrix at some steps (Figure 5a)."""
    places = np.unique(np.linspace(0, len(layer.steps) - 1, STEPS).astype(np.int64)).tolist()
    shown = [seen(layer, quantity, at) for at in places]
    across = [f"step {int(layer.steps[at]):,}" for at in places]
    return paper_learned.matrices({f"{layer.name}, {PRINTED[quantity]}": shown}, across, kernel=layer.kernel)


def side_by_side(one: Side, two: Side, quantity: str, step: int) -> Figure:
    """Return two layers' matrices at a step, and their difference where their shapes are one."""
    shown = [seen(layer, quantity, place(layer.steps, step)) for _, layer in (one, two)]
    across = [source.name if one[0].id != two[0].id else layer.name for source, layer in (one, two)]
    if shown[0].shape == shown[1].shape:
        shown.append(shown[0] - shown[1])
        across.append("difference")
    return paper_learned.matrices({f"{one[1].name}, {PRINTED[quantity]}": shown}, across, kernel=one[1].kernel)


def seen(layer: Layer, quantity: str, at: int) -> np.ndarray:
    """Return what is asked of a layer at a snapshot: "change" P - I, "P", "shape" P/||P||, "rest" or "M"."""
    if quantity == "M" and layer.M.ndim == 3:
        return layer.M[at].astype(np.float64)
    P = layer.P(at)
    match quantity:
        case "P":
            return P
        case "shape":
            return P / np.linalg.norm(P)
        case "rest":
            return inspection.rest(P)
    return P - np.eye(layer.n)


def _bands(lines: Sequence[Line]) -> list[Band]:
    return [
        Band(
            line.label,
            line.x,
            line.y,
            line.band[1] if line.band is not None else None,
            line.band[2] if line.band is not None else None,
            line.look.color,
            line.look.dash,
            line.look.width,
        )
        for line in lines
    ]


def tables(form: Form, source: Source, layer: Layer, beside: Side | None) -> Callable[[], Table] | None:
    """Return what makes the numbers of a panel, or None where it has none."""
    match form["panel"]:
        case "spectrum":
            if not inspect_panels.spectra(source):
                return lambda: _lines({"number in P's place": inspect_panels.numbers(source)})
            return lambda: _spectra(source)
        case "histograms":
            return lambda: _histograms(source, layer, form["values"] if layer.form != "diagonal" else "M")
        case "rotation" if source.entry is not None:
            return lambda: _lines(
                {
                    name: inspect_rotation.turned(source, layer, name, form["seeds"])
                    for name in ("angle_deg", "length_ratio", "alignment", "descent")
                }
            )
        case "compare" if inspect_compare.pairs(source, layer, beside):
            return lambda: inspect_compare.numbers(source, layer, beside, form["at"])
        case "whitening" if any(each.kernel for each in source.matrices):
            return lambda: _lines(
                {"whitening score": inspect_whitening.scores(source)}
                | {f"left of {each.name}": inspect_whitening.pairs(each) for each in source.matrices if each.kernel}
            )
    return None


def _spectra(source: Source) -> Table:
    rows = (
        (each.label, int(step), place + 1, float(value))
        for each in inspect_panels.spectra(source)
        for step, values in zip(each.steps, each.values)
        for place, value in enumerate(values[::-1])
    )
    return ("layer", "step", "number from the largest", "eigenvalue of P"), rows


def _histograms(source: Source, layer: Layer, what: str) -> Table:
    rows = []
    for part in PARTS:
        if (found := inspect_panels.distribution(source, layer, what, part)) is None:
            continue
        steps, counts, edges = found
        edges = np.broadcast_to(edges, (len(steps), counts.shape[1] + 1))
        rows += [
            (layer.name, what, PARTS[part], int(step), float(low), float(high), int(count))
            for step, row, limits in zip(steps, counts, edges)
            for low, high, count in zip(limits, limits[1:], row)
        ]
    return ("layer", "matrix", "part", "step", "from", "to", "values"), rows


def _lines(named: dict[str, list[Line]]) -> Table:
    rows = []
    for quantity, lines in named.items():
        for line in lines:
            low, high = line.band[1:] if line.band is not None else (line.y, line.y)
            rows += [(quantity, line.label, int(x), *map(float, ys)) for x, *ys in zip(line.x, line.y, low, high)]
    return ("quantity", "of", "step", "mean", "least", "most"), rows


def written(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
