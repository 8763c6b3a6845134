"""Spectrum and histograms of what was learned, and what its charts share: they answer to the step cursor."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from fop_core import downsample, through_training
from fop_core.figures import learned_curves, training_curves
from fop_core.figures.learned_curves import Frames
from fop_core.figures.style import number
from fop_core.figures.training_curves import Line
from fop_core.quantities import QUANTITIES
from fop_core.runs import compare
from fop_core.runs.learned import Layer
from pages.components.plot import plot
from pages.preconditioners import numbers
from pages.preconditioners.settings import CURVES
from pages.preconditioners.sources import Source
from pages.shared.form import Form
from pages.shared.text import literal

Array = np.ndarray

BUCKETS = 200  # of a line


def chart(
    source: Source, figure: go.Figure, key: str, alt: str, follows: bool = False, frames: Frames | None = None
) -> None:
    """Show a figure as one of a panel's two; one over steps with marks where the learning rate fell."""
    if follows:
        training_curves.mark_falls(figure, source.falls)
    plot(figure, of=source.run, key=key, alt=alt, aspect=1.6, heights=(270, 330), follows=follows, frames=frames)


def spectrum(form: Form, source: Source, layer: Layer) -> None:
    """Show the sorted eigenvalues at the cursor, and how they and what follows from them changed."""
    every = numbers.spectra(source)
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
            figure = learned_curves.eigenvalue_paths(numbers.spectra_of(source, of), form["log"], key)
            alt = f"The eigenvalues of P of {literal(numbers.short(of))} over training: {definite(of)}."
            help_text = ZERO
        else:
            of_P = QUANTITIES[name]
            figure = learned_curves.over_steps(numbers.followed(every, name), of_P.title, key, log=of_P.log)
            alt, help_text = f"{of_P.caption} What is not finite is a gap.", DEPTH
        chart(source, figure, key="inspect paths", alt=CURVES[name], follows=True)
        st.caption(alt, help=help_text)
        form.draw("curve")


ZERO = (
    "Numerically singular: an eigenvalue is less than a millionth of the largest in size, which M in float32 cannot "
    "tell from 0. None of M Mᵀ is negative."
)
DEPTH = "From blue, next to the input, to orange, next to the output; the colours are under the layers' pictures above."


def definite(layer: Layer) -> str:
    """Say where P was smallest, and at how many snapshots it was not positive definite."""
    phrases = []
    if (lowest := through_training.smallest(layer.spectra)) is not None:
        value = number(float(layer.spectra[lowest, 0]))
        phrases.append(f"smallest {value}, at step {int(layer.spectrum_steps[lowest]):,}")
    for kind, (count, at) in through_training.not_definite(layer.spectra).items():
        first = int(layer.spectrum_steps[at])
        phrases.append(f"{kind} at {count} of {len(layer.spectra)} snapshots, first at step {first:,}")
    return "; ".join(phrases)


def _scalars(source: Source) -> None:
    """Show what S-HD or PP-HD learned: one number a tensor, or the range over its parameters."""
    if source.metrics is None:
        return
    lines = list(map(downsampled, numbers.scalars(source)))
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


def histograms(form: Form, source: Source, layer: Layer) -> None:
    """Show how the values of P or M were distributed through training, diagonal and off-diagonal apart."""
    if layer.one_per == "tensor":
        st.markdown("One number for each tensor has no distribution: Spectrum shows it over training.")
        return
    what = numbers.values_of(layer, form["values"])
    color = source.colors[layer.name]
    columns = st.columns(2, gap="medium")
    shown = 0
    for column, part in zip(columns, ("diagonal", "off_diagonal")):
        histogram = numbers.distribution(source, layer, what, part)
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


def downsampled(line: Line) -> Line:
    """Return a line with as many points as can be seen."""
    x, y = compare.drawn(line.x, line.y, np.empty(0, np.int64), BUCKETS)
    if line.band is None:
        return replace(line, x=x, y=y)
    kept = downsample.evenly(len(line.band[0]), 2 * BUCKETS)
    along, low, high = (edge[kept] for edge in line.band)
    return replace(line, x=x, y=y, band=(along, low, high))
