"""Layers in pairs, and how alike those are: a panel shows it, and an export takes it away."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from fop_core import similarity
from fop_core.runs.learned import Layer
from fop_core.similarity import Similarity
from pages.preconditioners.sources import Source, of_entry, seeds, snapshot_index

DIRECTIONS = 3  # leading eigenvectors that are compared
DRAWS = 400  # pairs of random subspaces
Side = tuple[Source, Layer]


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


def table(source: Source, layer: Layer, beside: Side | None, at: int) -> tuple[Sequence[str], list[Sequence[Any]]]:
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
