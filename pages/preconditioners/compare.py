"""Whether the same structure is learned from every start, or in two layers (section 5): correlations and angles."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from fop_core import similarity
from fop_core.figures.style import number
from fop_core.runs.learned import Layer
from fop_core.similarity import Similarity
from pages.preconditioners.sources import Source, of_entry, seeds, snapshot_index
from pages.shared.form import Form
from pages.shared.text import literal

DIRECTIONS = 3  # leading eigenvectors that are compared
DRAWS = 400  # pairs of random subspaces
Side = tuple[Source, Layer]


def compared(form: Form, source: Source, layer: Layer, beside: Side | None) -> None:
    """Show how alike two runs, two layers or several seeds are."""
    if beside is not None:
        other, its = beside
        st.markdown(
            f"**{literal(source.name)}**, {literal(layer.name)}, against **{literal(other.name)}**, "
            f"{literal(its.name)}, at the cursor."
        )
    elif source.entry is None or len(group := seeds(source.entry)) < 2:
        st.markdown(
            "Choose a run **beside** this one in the sidebar, or this one again for another of its layers. Matrices, "
            "their difference and their numbers then stand side by side. Runs that differ by the seed alone are "
            "compared here by themselves; of this one there is no other seed."
        )
        return
    else:
        st.markdown(f"**{len(group)} seeds** of {literal(source.name)}, every pair of them, at the last snapshot.")
    if layer_pairs := pairs(source, layer, beside):
        _table(layer_pairs, form["at"] if beside is not None else -1)
    else:
        st.markdown("They have no matrices to compare.")


def pairs(source: Source, layer: Layer, beside: Side | None) -> dict[str, list[tuple[Side, Side]]]:
    """Return what is compared, by layer: with the same layers of the run beside, one layer with another, or seeds."""
    if beside is not None:
        other, its = beside
        if source.id == other.id or layer.name != its.name:
            return {layer.name: [((source, layer), beside)]}
        return _together([source, other], source)
    if source.entry is None:
        return {}
    return _together([each for each in map(of_entry, seeds(source.entry)) if isinstance(each, Source)], source)


def _together(sources: Sequence[Source], of: Source) -> dict[str, list[tuple[Side, Side]]]:
    """Return every pair of sources by the names of one's layers."""
    return {
        layer.name: [
            ((one, one.learned.layers[layer.name]), (two, two.learned.layers[layer.name]))
            for at, one in enumerate(sources)
            for two in sources[at + 1 :]
            if layer.name in one.learned.layers and layer.name in two.learned.layers
        ]
        for layer in of.matrices
    }


def _table(layer_pairs: dict[str, list[tuple[Side, Side]]], at: int) -> None:
    rows = []
    for name, those in layer_pairs.items():
        measured = [each for one, two in those if (each := alike(one, two, at)) is not None]
        if not measured:
            rows.append({"Layer": literal(name), "P − I": "shapes differ, or no matrix"})
            continue
        change, left, angles = (np.array(values) for values in zip(*measured))
        n = those[0][0][1].n
        chance = by_chance(n, min(DIRECTIONS, n))
        rows.append(
            {
                "Layer": literal(name),
                "P − I": _spread(change),
                "left after aI + c11ᵀ": _spread(left),
                "angles": " · ".join(_spread(each, "°") for each in angles.T),
                "by chance": " · ".join(f"{angle:.0f}°" for angle in chance),
            }
        )
    st.table(rows, hide_index=True, border="horizontal")
    st.caption(
        "Correlation of the entries of P − I, and of what is left of P after aI + c11ᵀ is fitted. Principal angles "
        f"between the {DIRECTIONS} directions that each P changes most, and between random subspaces (median). "
        "The same structure from every start (section 5) means correlations near 1 and angles well below chance.",
        help="The directions are eigenvectors of P with the largest |λ − 1|. Where two such eigenvalues are nearly "
        "equal their directions are not determined, and the angles say little. A constant matrix has no correlation.",
    )


def _spread(values: np.ndarray, unit: str = "") -> str:
    if not np.isfinite(values).any():
        return "–"
    mean, low, high = (number(float(of(values))) for of in (np.nanmean, np.nanmin, np.nanmax))
    return f"{mean}{unit}" if len(values) == 1 else f"{mean}{unit} ({low} to {high})"


def alike(one: Side, two: Side, at: int) -> Similarity | None:
    """Return how alike two layers are at a step, -1 for the last of each; None where they cannot be compared.

    Args:
        one: a source and a layer of it.
        two: the same or another source, and a layer of it.
        at: the step.
    """
    if not (one[1].is_matrix and two[1].is_matrix) or one[1].n != two[1].n:
        return None
    keys = tuple((source.key, layer.name, snapshot_index(layer.steps, at)) for source, layer in (one, two))
    return _alike(keys, one[1], two[1])


@st.cache_data(show_spinner=False, max_entries=1000)
def _alike(keys: Sequence[tuple[str, str, int]], _one: Layer, _two: Layer) -> Similarity:
    """Compare two layers; ``keys`` are source, layer and snapshot index of both."""
    P, Q = (layer.P(at) for layer, (*_, at) in zip((_one, _two), keys))
    return similarity.similarity(P, Q, min(DIRECTIONS, _one.n))


def numbers(source: Source, layer: Layer, beside: Side | None, at: int) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """Return the table of what is compared, a row for each pair: at a step, or seeds at the last of each."""
    at = at if beside is not None else -1
    rows: list[Sequence[Any]] = [
        (
            *(name, one[0].name, one[1].name, two[0].name, two[1].name, measured.change, measured.residuals),
            *([*measured.angles_deg] + [""] * DIRECTIONS)[:DIRECTIONS],
            *(int(side.steps[snapshot_index(side.steps, at)]) for _, side in (one, two)),
        )
        for name, those in pairs(source, layer, beside).items()
        for one, two in those
        if (measured := alike(one, two, at)) is not None
    ]
    angles = [f"principal angle {index + 1}, degrees" for index in range(DIRECTIONS)]
    names = ("layer", "of", "its layer", "and of", "that one's layer", "correlation of P - I", "of what is left")
    return (*names, *angles, "at step", "that one's step"), rows


@st.cache_data(show_spinner=False)
def by_chance(n: int, k: int) -> list[float]:
    """Return the median principal angles between two random subspaces of k dimensions in n, ascending."""
    return similarity.random_angles_deg(n, k, DRAWS if n <= 128 else DRAWS // 10).tolist()
