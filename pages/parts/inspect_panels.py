"""Spectrum, histograms, rotation and whitening of what was learned: charts that answer to the step cursor."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fop_core import inspection
from fop_core.figures import learned_curves
from fop_core.figures.learned_curves import Frames, Spectra
from fop_core.figures.style import number
from fop_core.figures.training_curves import Line, Look
from fop_core.runs import compare
from fop_core.runs.learned import Layer
from pages.parts import runs_curves
from pages.parts.form import Form
from pages.parts.inspect_settings import CURVES, TURNED
from pages.parts.inspect_sources import Source, seeds
from pages.parts.plot import plot
from pages.parts.runs_curves import Loaded
from pages.parts.text import literal

BUCKETS = 200
BUSY = 10  # layers of which all are drawn at once
PAIRS = {
    "row_neighbours": ("beside in a row", "#D9541E", "solid"),
    "column_neighbours": ("beside in a column", "#CB62AF", "solid"),
    "row_others": ("farther in a row", "#3885E0", "5px,3px"),
    "column_others": ("farther in a column", "#704DEE", "5px,3px"),
    "elsewhere": ("elsewhere", "#2A8C4D", "5px,3px"),
}
"""Of pairs of positions, what they are called, and how their line looks."""


def spectra(source: Source) -> list[Spectra]:
    """Return the eigenvalues of every layer that has some."""
    return [
        Spectra(_short(layer), source.colors[layer.name], layer.spectrum_steps, layer.spectra)
        for layer in source.learned.layers.values()
        if len(layer.spectra) and layer.n
    ]


def _chart(figure: go.Figure, key: str, words: str, follows: bool = False, frames: Frames | None = None) -> None:
    plot(figure, key=key, words=words, aspect=1.6, heights=(270, 330), follows=follows, frames=frames)


def _short(layer: Layer) -> str:
    return layer.name.removesuffix(".weight")


def spectrum(form: Form, source: Source, layer: Layer) -> None:
    """Show the sorted eigenvalues at the cursor, and how they and what follows from them changed."""
    every = spectra(source)
    if not every:
        _scalars(source)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        figure, frames = learned_curves.sorted_eigenvalues(every, form["log"], f"{source.id} {form['log']}")
        _chart(figure, key="inspect sorted", words="Sorted eigenvalues of P of every layer", frames=frames)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption("Eigenvalues of every layer's P at the cursor, sorted (Figure 5c).", width="content", help=DEPTH)
            form.draw("log")
    with right:
        name = form["curve"]
        key = f"{source.id} {layer.name} {name} {form['log']}"
        if name == "paths":
            one = next((each for each in every if each.label == _short(layer)), every[0])
            figure = learned_curves.eigenvalue_paths(one, form["log"], key)
            words = f"The eigenvalues of P of {literal(one.label)} over training: {_definite(source, layer)}"
        else:
            lines = []
            for each in every:
                told = inspection.spectrum_summary(each.values)[name]
                lines.append(
                    Line(each.label, Look(each.color, "solid", 1.8), each.steps, np.where(np.isinf(told), np.nan, told))
                )
            figure = learned_curves.over_steps(lines, CURVES[name].lower(), key, log=name == "condition")
            words = {
                "condition": "Largest over smallest eigenvalue of P; a gap where the smallest is not above 0.",
                "effective_rank": "The exponential of the entropy of the eigenvalues' shares: how many count.",
                "log_determinant": "The sum of the eigenvalues' logarithms; a gap where one is not above 0.",
            }[name]
        _chart(figure, key="inspect paths", words=CURVES[name], follows=True)
        st.caption(words)
        form.draw("curve")


def followed(every: Sequence[Spectra], name: str) -> list[Line]:
    """Return a quantity of ``inspection.spectrum_summary`` of every layer over steps; infinite is a gap."""
    lines = []
    for each in every:
        told = inspection.spectrum_summary(each.values)[name]
        told = np.where(np.isinf(told), np.nan, told)
        lines.append(Line(each.label, Look(each.color, "solid", 1.8), each.steps.astype(np.float64), told))
    return lines


DEPTH = "From blue, next to the input, to orange, next to the output; the colours are under the layers' pictures above."


def _definite(source: Source, layer: Layer) -> str:
    """Say whether P was ever not positive definite."""
    if not len(layer.spectra):
        return ""
    least, most = layer.spectra[:, 0].astype(float), layer.spectra[:, -1].astype(float)
    kinds = [inspection.definiteness(low, high) for low, high in zip(least, most)]
    lowest = int(np.nanargmin(least)) if np.isfinite(least).any() else 0
    words = f"smallest {number(least[lowest])}, at step {int(layer.spectrum_steps[lowest]):,}"
    wrong = next((place for place, kind in enumerate(kinds) if kind not in (kinds[0], "positive definite")), None)
    if wrong is not None:
        words += f"; {kinds[wrong]} from step {int(layer.spectrum_steps[wrong]):,} on"
    return f"{words}."


def _scalars(source: Source) -> None:
    """Show what S-HD or PP-HD learned: one number a tensor, or the range over its parameters."""
    if source.metrics is None:
        return
    lines = list(map(_thinned, numbers(source)))
    figure = learned_curves.over_steps(lines, "number in P's place", source.id, rules=[1.0])
    plot(
        figure, key="inspect scalars", words="What was learned over steps", aspect=2.6, heights=(280, 380), follows=True
    )
    st.caption(
        "By how much each tensor's gradient is multiplied: S-HD learns one number for it, PP-HD one for each "
        "parameter, of which the largest (solid) and the smallest (dotted) are drawn.",
        help=DEPTH,
    )


def numbers(source: Source) -> list[Line]:
    """Return what S-HD or PP-HD learned over steps: of each tensor its number, or its largest and its smallest."""
    lines = []
    for name, color in source.colors.items():
        for column, dash in (("eigenvalue_max", "solid"), ("eigenvalue_min", "2px,3px")):
            curve = source.metrics.curve("step", f"{column}/{name}") if source.metrics is not None else None
            if curve is None or (column == "eigenvalue_min" and source.learned.layers[name].form == "scalar"):
                continue
            lines.append(Line(f"{name}, {column.rpartition('_')[2]}", Look(color, dash, 1.6), curve.x, curve.y))
    return lines


def histograms(form: Form, source: Source, layer: Layer) -> None:
    """Show how the values of P or M were distributed through training, diagonal and off-diagonal apart."""
    what = form["values"] if layer.form != "diagonal" else "M"
    color = source.colors[layer.name]
    columns = st.columns(2, gap="medium")
    shown = 0
    for column, part in zip(columns, ("diagonal", "off_diagonal")):
        found = distribution(layer, what, part)
        if found is None:
            continue
        steps, counts, edges = found
        with column:
            name = part.replace("_", "-")
            key = f"{source.id} {layer.name} {what} {part}"
            figure, frames = learned_curves.ridges(steps, counts, edges, color, f"{name} value of {what}", key)
            _chart(figure, key=f"inspect {part}", words=f"Distribution of {name} values", frames=frames)
        shown += 1
    if not shown:
        st.markdown(f"No values of {what} were kept for {literal(layer.name)}.")
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        st.caption(
            f"Values of {what} of {literal(layer.name)} through training, later ones in front (Figure 5b); the lowest "
            "ridge is the cursor's.",
            help="Each ridge is drawn to one height. Of a large matrix a dozen snapshots were counted, each over its "
            "own "
            "range.",
        )
    with right:
        if layer.form != "diagonal":
            form.draw("values")


def distribution(layer: Layer, what: str, part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Return steps, counts and edges of the values of a layer's P or M, or None where they were not kept.

    Args:
        layer: whose.
        what: "P" or "M".
        part: "diagonal" or "off_diagonal".
    """
    if (kept := layer.histograms.get(f"{what}_{part}")) is not None:
        return kept.steps, kept.counts, kept.edges
    if not layer.is_matrix or len(layer.steps) < 2 or (what == "M" and layer.M.ndim != 3):
        return None
    values = layer.all_P() if what == "P" else layer.M.astype(np.float64)
    n, k = values.shape[-2:]
    on = np.eye(n, k, dtype=bool)
    chosen = values[:, on if part == "diagonal" else ~on]
    if not chosen.shape[1]:
        return None
    counts, edges = inspection.histograms(chosen, bins=int(np.clip(3 * np.sqrt(chosen.shape[1]), 16, 64)))
    return layer.steps, counts, edges


def rotation(form: Form, source: Source, layer: Layer) -> None:
    """Show by how much P turns and lengthens the gradient, and why M moves."""
    if source.metrics is None or source.entry is None:
        st.markdown("Matrices alone do not tell how gradients were turned: that is measured while a run trains.")
        return
    entries = seeds(source.entry) if form["seeds"] else [source.entry]
    key = f"{source.id} {len(entries)} {layer.name if len(source.learned.layers) > BUSY else ''}"
    left, right = st.columns(2, gap="medium")
    with left:
        angles = turned(source, layer, "angle_deg", form["seeds"])
        bound = bound_of(layer)
        lines = list(map(_thinned, angles)) + ([bound] if bound is not None else [])
        figure = learned_curves.over_steps(
            lines, "degrees between g and P g", key, rules=[90.0] if _far(angles) else []
        )
        _chart(figure, key="inspect angles", words="Angle between g and P g", follows=True)
        over = f"mean, least and most over {len(entries)} seeds" if len(entries) > 1 else "one seed"
        st.caption(
            f"How far P turns the gradient, {over} (Figure A.1). Dashed: no P with "
            f"{literal(_short(layer))}'s eigenvalues turns farther.",
            help="The bound is arcsin((κ − 1)/(κ + 1)), κ the condition of P, of the seed that is looked into. It is "
            "met "
            "where the gradient lies halfway between the eigenvectors of the largest and the smallest eigenvalue.",
        )
        for line in angles:
            beyond = line.x[line.y >= 90]
            if len(beyond):
                st.warning(
                    f"{literal(line.label)}: from step {int(beyond[0]):,} on P g is 90° or more from g at times, so "
                    f"that "
                    "a small step along −P g does not go down."
                )
    with right:
        name = form["turned"]
        lines = list(map(_thinned, turned(source, layer, name, form["seeds"])))
        rules = {"length_ratio": [1.0], "alignment": [0.0], "descent": [0.0]}[name]
        figure = learned_curves.over_steps(lines, TURNED[name], f"{key} {name}", rules=rules)
        _chart(figure, key="inspect turned", words=TURNED[name], follows=True)
        st.caption(
            {
                "length_ratio": "‖P g‖ / ‖g‖: by how much P lengthens the gradient.",
                "alignment": "Cosine of successive gradients: where they agree P grows along them, else it shrinks.",
                "descent": "⟨g, Δθ⟩, the first-order change of the loss by the step: negative while it goes down.",
            }[name],
            help="M moves along −ε (g uᵀ + u gᵀ) M, u the gradients before (Eq. 4): their agreement is what is "
            "learned from.",
        )
        form.draw("turned")
    if len(seeds(source.entry)) > 1:
        form.draw("seeds")


def turned(source: Source, layer: Layer, quantity: str, over_seeds: bool) -> list[Line]:
    """Return a quantity of the gradients of every layer over steps, of many layers that of one.

    Args:
        source: a run.
        layer: the chosen one.
        quantity: "angle_deg", "length_ratio", "alignment" or "descent".
        over_seeds: whether it is the mean over the seeds of the run, with the least and the most of them.
    """
    if source.entry is None:
        return []
    loaded = runs_curves.loaded(seeds(source.entry) if over_seeds else [source.entry], whole=True)
    layers = list(source.learned.layers.values())
    shown = layers if len(layers) <= BUSY else [layer]
    found = [_band(loaded, quantity, each, source.colors[each.name]) for each in shown]
    return [line for line in found if line is not None]


def _band(loaded: Sequence[Loaded], quantity: str, layer: Layer, color: str) -> Line | None:
    """Return the mean of a quantity over runs, with the band between the least and the most."""
    curves = [curve for each in loaded if (curve := each.curve("step", f"{quantity}/{layer.name}")) is not None]
    curves = [curve for curve in curves if len(curve.x)]
    if not curves:
        return None
    look = Look(color, "solid", 1.8)
    if len(curves) == 1:
        return Line(_short(layer), look, curves[0].x, curves[0].y)
    steps = curves[0].steps
    for curve in curves[1:]:
        steps = np.intersect1d(steps, curve.steps)
    values = np.stack([curve.y[np.searchsorted(curve.steps, steps)] for curve in curves])
    x = steps.astype(np.float64)
    return Line(_short(layer), look, x, values.mean(0), band=(x, values.min(0), values.max(0)))


def _thinned(line: Line) -> Line:
    """Return a line with as many points as can be seen."""
    x, y = compare.drawn(line.x, line.y, np.empty(0, np.int64), BUCKETS)
    if line.band is None:
        return replace(line, x=x, y=y)
    count = len(line.band[0])
    kept = np.unique(np.linspace(0, count - 1, min(count, 2 * BUCKETS)).astype(np.int64))
    along, low, high = (edge[kept] for edge in line.band)
    return replace(line, x=x, y=y, band=(along, low, high))


def _far(lines: Sequence[Line]) -> bool:
    return any(len(line.y) and float(np.nanmax(line.y)) > 80 for line in lines)


def bound_of(layer: Layer) -> Line | None:
    """Return by how many degrees at most a P with a layer's eigenvalues turns a gradient, over steps."""
    if not len(layer.spectra):
        return None
    condition = inspection.spectrum_summary(layer.spectra)["condition"]
    bound = inspection.rotation_bound_deg(condition)
    return Line(f"bound {_short(layer)}", Look("#80868F", "5px,3px", 1.4), layer.spectrum_steps.astype(float), bound)


def whitening(form: Form, source: Source, layer: Layer) -> None:
    """Show how far P is from the identity along the constant direction, and what neighbours are in what is left."""
    spatial = [each for each in source.matrices if each.kernel]
    if not spatial:
        st.markdown("No layer of it has a kernel, whose positions could be whitened (section 5).")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        lines = scores(source)
        figure = learned_curves.over_steps(lines, "whitening score", source.id, rules=[0.0])
        _chart(figure, key="inspect score", words="Whitening score of every layer", follows=True)
        st.caption(
            "Mean entry of P between neighbours in the kernel, less that between all other pairs: whitening, in the "
            "sense "
            "of section 5, is below 0.",
            help="The difference does not change when aI + c11ᵀ is added to P: so the constant direction, which makes "
            "every "
            "entry beside the diagonal negative, counts for nothing.",
        )
    with right:
        of = layer if layer.kernel else spatial[-1]
        lines = pairs(of)
        told = inspection.whitening(of.P(-1), of.kernel)  # type: ignore[arg-type]
        figure = learned_curves.over_steps(lines, "mean entry of what is left", f"{source.id} {of.name}", rules=[0.0])
        _chart(figure, key="inspect pairs", words=f"What is left of P of {of.name}", follows=True)
        sign, share = float(told["constant_sign"]), float(told["constant_share"])
        st.caption(
            f"What is left of P of {literal(of.name)} after aI + c11ᵀ is fitted, by how positions lie to each other. "
            f"At "
            f"the last snapshot ⟨P − I, 11ᵀ/n⟩ is {number(sign)}, {_share(share)} of ‖P − I‖².",
            help="The constant direction is the mean over the kernel's positions: −1 takes it out of the gradient "
            "whole. "
            "The baseline that learns nothing has −0.95 there and nothing else.",
        )


def scores(source: Source) -> list[Line]:
    """Return the whitening score of every spatial layer over steps."""
    return [
        Line(
            _short(layer),
            Look(source.colors[layer.name], "solid", 1.8),
            layer.steps.astype(np.float64),
            inspection.whitening_score(layer.all_P(), layer.kernel),
        )
        for layer in source.matrices
        if layer.kernel
    ]


def pairs(layer: Layer) -> list[Line]:
    """Return means of what is left of a spatial P after aI + c11^T is fitted, by how positions lie to each other."""
    told = inspection.whitening(layer.all_P(), layer.kernel)  # type: ignore[arg-type]
    return [
        Line(words, Look(color, dash, 1.8), layer.steps.astype(np.float64), told[name])
        for name, (words, color, dash) in PAIRS.items()
        if np.isfinite(told[name]).any()
    ]


def _share(value: float) -> str:
    return f"{value:.0%}" if np.isfinite(value) else "no share"
