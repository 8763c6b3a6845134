"""What stands out in what was learned, in words: sentences that open the page, and marks under the matrices."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from fop_core import observations
from fop_core.figures.style import number
from fop_core.observations import LayerMeasures, Observation
from fop_core.runs.learned import Layer
from pages.preconditioners.sources import Source
from pages.shared.form import Form
from pages.shared.text import literal

MOST = 3  # sentences that open the page


@st.cache_resource(show_spinner=False, max_entries=12)
def _measured(key: str, _source: Source) -> Mapping[str, LayerMeasures]:
    return {
        layer.name: observations.measure(
            layer.n, layer.steps, layer.P, _source.grid(layer), layer.spectrum_steps, layer.spectra
        )
        for layer in _source.matrices
        if not layer.name.endswith(" basis")  # whose columns are directions: it multiplies no gradient
    }


def measured(source: Source) -> Mapping[str, LayerMeasures]:
    """Return what was measured of every layer that has a P, by its name."""
    return _measured(source.key, source)


def marks(source: Source, layer: Layer, steps: Sequence[int]) -> list[list[str]]:
    """Return what is said under a layer's matrix at each of some steps: nothing where nothing stands out."""
    of = measured(source).get(layer.name)
    if of is None:
        return [[] for _ in steps]
    grid = "kernel" if layer.kernel else "image"
    return [[mark(each, grid) for each in observations.at_step(of, step)] for step in steps]


def mark(observation: Observation, grid: str) -> str:
    """Return an observation of one snapshot in few words.

    Args:
        observation: of ``observations.at_step``.
        grid: what P's rows are positions in, "kernel" or "image".
    """
    each = observation
    match each.kind:
        case "constant":
            return _constant(each, grid)
        case "neighbours":
            return f"neighbours {number(each.value)}, others {number(each.against)}: whitening"
        case _:
            return f"{_identity(each)} here: condition {number(each.value)}"


def sentence(observation: Observation, grid: str) -> str:
    """Return an observation over all snapshots as a sentence, with what it was measured on.

    Args:
        observation: of ``observations.over_steps``.
        grid: as of ``mark``.
    """
    each = observation
    if each.kind == "neighbours":
        return (
            f"neighbours in the {grid} {number(each.value)} of the diagonal, others {number(each.against)}: whitening "
            f"(n = {each.n}, step {each.last:,})"
        )
    over = f"(n = {each.n}, steps {each.first:,} to {each.last:,})"
    if each.kind == "constant":
        return f"{_constant(each, grid)} {over}"
    return f"{_identity(each)} at every snapshot: condition at most {number(each.value)} {over}"


def _constant(each: Observation, grid: str) -> str:
    if each.step == each.first:
        return f"constant over the {grid}: gain {number(each.value)}"
    return f"constant over the {grid}: gain {number(each.against)} → {number(each.value)} by step {each.step:,}"


def _identity(each: Observation) -> str:
    near = 1 / observations.NEAR <= each.against <= observations.NEAR
    return "P ≈ I" if near else f"P ≈ {number(each.against)}·I"


def telling(source: Source) -> list[tuple[Layer, Observation]]:
    """Return what is said of a source: of each kind the layer where it stands out most, and last that P is near I."""
    best: dict[str, tuple[Layer, Observation]] = {}
    layers = source.learned.layers
    for name, of in measured(source).items():
        for each in observations.over_steps(of):
            if each.kind not in best or each.strength > best[each.kind][1].strength:
                best[each.kind] = layers[name], each
    return sorted(best.values(), key=lambda pair: (pair[1].kind == "identity", -pair[1].strength))[:MOST]


def strip(form: Form, source: Source) -> None:
    """Show what stands out, each sentence a way to the layer and the step that it speaks of."""
    shown = telling(source)
    if not shown:
        return
    with st.container(key="observed", gap=None):
        for layer, each in shown:
            said = sentence(each, "kernel" if layer.kernel else "image")
            st.button(
                f"**Layer {literal(source.labels[layer.name])}**: {said}",
                type="tertiary",
                key=f"observed {each.kind}",
                help="Shows this layer at that step. Measured on the stored snapshots of P.",
                on_click=partial(_lead, form, layer.name, each.step),
            )


def _lead(form: Form, layer: str, step: int) -> None:
    form.put(layer=layer, at=step, view="one")
