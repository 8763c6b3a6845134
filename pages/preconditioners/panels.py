"""Spectrum and histograms of what was learned, and what its charts share: they answer to the step cursor."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fop_core import downsample, inspection
from fop_core.figures import learned_curves, training_curves
from fop_core.figures.learned_curves import Frames, Spectra
from fop_core.figures.style import number
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.quantities import QUANTITIES
from fop_core.runs import compare
from fop_core.runs.learned import Layer
from pages.components.plot import plot
from pages.preconditioners.settings import CURVES
from pages.preconditioners.sources import Source
from pages.shared.form import Form
from pages.shared.text import literal

Array = np.ndarray

BUCKETS = 200  # of a line


def spectra(source: Source) -> list[Spectra]:
    """Return the eigenvalues of every layer that has some."""
    layers = source.learned.layers.values()
    return [spectra_of(source, layer) for layer in layers if len(layer.spectra) and layer.n]


def spectra_of(source: Source, layer: Layer) -> Spectra:
    """Return the eigenvalues of a layer."""
    return Spectra(source.labels[layer.name], source.colors[layer.name], layer.spectrum_steps, layer.spectra)


def chart(
    source: Source, figure: go.Figure, key: str, alt: str, follows: bool = False, frames: Frames | None = None
) -> None:
    """Show a figure as one of a panel's two; one over steps with marks where the learning rate fell."""
    if follows:
        training_curves.mark_falls(figure, source.falls)
    plot(figure, of=source.run, key=key, alt=alt, aspect=1.6, heights=(270, 330), follows=follows, frames=frames)


def short(layer: Layer) -> str:
    """Return what a layer is called on a line."""
    return layer.name.removesuffix(".weight")


def spectrum(form: Form, source: Source, layer: Layer) -> None:
    """Show the sorted eigenvalues at the cursor, and how they and what follows from them changed."""
    every = spectra(source)
    if not every:
        _scalars(source)
        return
    of = layer if len(layer.spectra) else next(each for each in source.learned.layers.values() if len(each.spectra))
    left, right = st.columns(2, gap="medium")
    with left:
        figure, frames = learned_curves.sorted_eigenvalues(every, form["log"], f"{source.id} {form['log']}")
        chart(source, figure, key="inspect sorted", alt="Sorted eigenvalues of P of every layer", frames=frames)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption("Eigenvalues of every layer's P at the cursor, sorted (Figure 5c).", width="content", help=DEPTH)
            form.draw("log")
    with right:
        name = form["curve"]
        key = f"{source.id} {layer.name} {name} {form['log']}"
        if name == "paths":
            figure = learned_curves.eigenvalue_paths(spectra_of(source, of), form["log"], key)
            alt, help_text = f"The eigenvalues of P of {literal(short(of))} over training: {definite(of)}.", ZERO
        else:
            of_P = QUANTITIES[name]
            figure = learned_curves.over_steps(followed(every, name), of_P.title, key, log=of_P.log)
            alt, help_text = f"{of_P.caption} What is not finite is a gap.", DEPTH
        chart(source, figure, key="inspect paths", alt=CURVES[name], follows=True)
        st.caption(alt, help=help_text)
        form.draw("curve")


def followed(every: Sequence[Spectra], name: str) -> list[Line]:
    """Return a quantity of ``inspection.spectrum_summary`` of every layer over steps; infinite is a gap."""
    lines = []
    for each in every:
        values = inspection.spectrum_summary(each.values)[name]
        values = np.where(np.isinf(values), np.nan, values)
        lines.append(Line(each.label, LineStyle(each.color, "solid", 1.8), each.steps.astype(np.float64), values))
    return lines


ZERO = (
    "Numerically singular: an eigenvalue is less than a millionth of the largest in size, which M in float32 cannot "
    "tell from 0. None of M Mᵀ is negative."
)
DEPTH = "From blue, next to the input, to orange, next to the output; the colours are under the layers' pictures above."


def definite(layer: Layer) -> str:
    """Say where P was smallest, and at how many snapshots it was not positive definite."""
    least, most = layer.spectra[:, 0].astype(float), layer.spectra[:, -1].astype(float)
    kinds = [inspection.definiteness(low, high) for low, high in zip(least, most)]
    phrases = []
    if np.isfinite(least).any():
        lowest = int(np.nanargmin(least))
        phrases.append(f"smallest {number(least[lowest])}, at step {int(layer.spectrum_steps[lowest]):,}")
    for kind in dict.fromkeys(kinds):
        if kind != "positive definite":
            first = int(layer.spectrum_steps[kinds.index(kind)])
            phrases.append(f"{kind} at {kinds.count(kind)} of {len(kinds)} snapshots, first at step {first:,}")
    return "; ".join(phrases)


def _scalars(source: Source) -> None:
    """Show what S-HD or PP-HD learned: one number a tensor, or the range over its parameters."""
    if source.metrics is None:
        return
    lines = list(map(downsampled, numbers(source)))
    figure = learned_curves.over_steps(lines, "number in P's place", source.id, rules=[1.0])
    training_curves.mark_falls(figure, source.falls)
    alt = "What was learned over steps"
    plot(figure, of=source.run, key="inspect scalars", alt=alt, aspect=2.6, heights=(280, 380), follows=True)
    about = next((layer.about for layer in source.learned.layers.values() if layer.one_per), "")
    st.caption(
        f"{about}: of each tensor the largest number (solid) and the smallest (dotted) are drawn."
        if about
        else "By how much each tensor's gradient is multiplied. S-HD learns one number for it, PP-HD one for each "
        "parameter; the largest (solid) and the smallest (dotted) are drawn.",
        help=DEPTH,
    )


def numbers(source: Source) -> list[Line]:
    """Return what S-HD or PP-HD learned over steps: of each tensor its number, or its largest and its smallest."""
    lines: list[Line] = []
    if (metrics := source.metrics) is None:
        return lines
    for name, color in source.colors.items():
        for column, dash in (("eigenvalue_max", "solid"), ("eigenvalue_min", "2px,3px")):
            curve = metrics.curve("step", f"{column}/{name}")
            if curve is None or (column == "eigenvalue_min" and source.learned.layers[name].one_per == "tensor"):
                continue
            lines.append(Line(f"{name}, {column.rpartition('_')[2]}", LineStyle(color, dash, 1.6), curve.x, curve.y))
    return lines


def histograms(form: Form, source: Source, layer: Layer) -> None:
    """Show how the values of P or M were distributed through training, diagonal and off-diagonal apart."""
    if layer.one_per == "tensor":
        st.markdown("One number for each tensor has no distribution: Spectrum shows it over training.")
        return
    what = values_of(layer, form["values"])
    color = source.colors[layer.name]
    columns = st.columns(2, gap="medium")
    shown = 0
    for column, part in zip(columns, ("diagonal", "off_diagonal")):
        histogram = distribution(source, layer, what, part)
        if histogram is None:
            continue
        steps, counts, edges = histogram
        with column:
            name = part.replace("_", "-")
            across = f"{name} value of {what}" if not layer.one_per else "number in P's place"
            key = f"{source.id} {layer.name} {what} {part}"
            figure, frames = learned_curves.ridges(steps, counts, edges, color, across, key)
            chart(source, figure, key=f"inspect {part}", alt=f"Distribution of {name} values", frames=frames)
        shown += 1
    if not shown:
        st.markdown(f"No values of {what} were kept for {literal(layer.name)}.")
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        if shown:
            st.caption(
                f"Values of {what} of {literal(layer.name)} through training, later ones in front (Figure 5b); the "
                "lowest ridge is the cursor's.",
                help="Each ridge is drawn to one height. Of a large matrix a dozen snapshots were counted.",
            )
    with right:
        if not layer.one_per and not layer.only_P:
            form.draw("values")


def values_of(layer: Layer, preferred: str) -> str:
    """Return of which matrix of a layer values are shown where ``preferred``, "P" or "M", is chosen."""
    return "M" if layer.one_per else "P" if layer.only_P else preferred


def distribution(source: Source, layer: Layer, what: str, part: str) -> tuple[Array, Array, Array] | None:
    """Return steps, counts and edges of the values of a layer's P or M, or None where they were not kept.

    Args:
        source: what is looked into.
        layer: whose.
        what: "P" or "M".
        part: "diagonal" or "off_diagonal".
    """
    if (kept := layer.histograms.get(f"{what}_{part}")) is not None:
        return kept.steps, kept.counts, kept.edges
    if not layer.is_matrix or (what == "M" and not layer.has_M):
        return None
    return _counted(f"{source.key} {layer.name}", what, part, layer)


@st.cache_resource(show_spinner=False, max_entries=64)
def _counted(key: str, what: str, part: str, _layer: Layer) -> tuple[Array, Array, Array] | None:
    values = _layer.all_P() if what == "P" else _layer.M.astype(np.float64)
    counted = inspection.part_histograms(values, part)
    return (_layer.steps, *counted) if counted is not None else None


def downsampled(line: Line) -> Line:
    """Return a line with as many points as can be seen."""
    x, y = compare.drawn(line.x, line.y, np.empty(0, np.int64), BUCKETS)
    if line.band is None:
        return replace(line, x=x, y=y)
    kept = downsample.evenly(len(line.band[0]), 2 * BUCKETS)
    along, low, high = (edge[kept] for edge in line.band)
    return replace(line, x=x, y=y, band=(along, low, high))
