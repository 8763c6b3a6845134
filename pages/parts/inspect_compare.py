"""Whether the same structure is learned from every start, or in two layers: correlations, principal angles."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fop_core import inspection
from fop_core.figures.style import number
from fop_core.runs.learned import Layer
from pages.parts.form import Form
from pages.parts.inspect_sources import Source, of_entry, seeds
from pages.parts.text import literal

DIRECTIONS = 3  # leading eigenvectors that are compared
DRAWS = 400  # pairs of random subspaces


def compared(form: Form, source: Source, layer: Layer, beside: tuple[Source, Layer] | None) -> None:
    """Show how alike two runs, two layers or several seeds are."""
    if beside is not None:
        other, its = beside
        st.markdown(
            f"**{literal(source.name)}**, {literal(layer.name)}, against **{literal(other.name)}**, "
            f"{literal(its.name)}, "
            "at the cursor."
        )
        both = [(layer, its)]
        if source.id != other.id and layer.name == its.name:
            others = other.learned.layers
            both = [(each, others[each.name]) for each in source.matrices if each.name in others]
        _table([[pair] for pair in both], [one.name for one, _ in both], form["at"])
        return
    if source.entry is None or len(group := seeds(source.entry)) < 2:
        st.markdown(
            "Choose a run **beside** this one in the sidebar: matrices, their difference and their numbers then stand "
            "side by "
            "side. Runs that differ by the seed alone are compared here by themselves; of this one there is no other "
            "seed."
        )
        return
    found = [each for each in map(of_entry, group) if isinstance(each, Source)]
    st.markdown(f"**{len(found)} seeds** of {literal(source.name)}, every pair of them, at the last snapshot.")
    names = [each.name for each in source.matrices]
    pairs = [
        [
            (one.learned.layers[name], two.learned.layers[name])
            for place, one in enumerate(found)
            for two in found[place + 1 :]
            if name in one.learned.layers and name in two.learned.layers
        ]
        for name in names
    ]
    _table(pairs, names, -1)


def _table(pairs: Sequence[Sequence[tuple[Layer, Layer]]], names: Sequence[str], at: int) -> None:
    rows = []
    for name, those in zip(names, pairs):
        measured = [alike(one, two, at) for one, two in those]
        measured = [each for each in measured if each is not None]
        if not measured:
            rows.append({"Layer": literal(name), "P − I": "shapes differ, or no matrix"})
            continue
        change, left, angles = (np.array(values) for values in zip(*measured))
        n = those[0][0].n
        chance = by_chance(n, min(DIRECTIONS, n))
        row = {"Layer": literal(name), "P − I": _spread(change), "left after aI + c11ᵀ": _spread(left)}
        for place in range(angles.shape[1]):
            row[f"angle {place + 1}"] = f"{_spread(angles[:, place])}° ({chance[place]:.0f}°)"
        rows.append(row)
    st.table(rows, hide_index=True, border="horizontal")
    st.caption(
        f"Correlation of the entries of P − I, and of what is left of P after aI + c11ᵀ is fitted; principal angles "
        f"between "
        f"the {DIRECTIONS} directions that each P changes most, and in brackets what two random subspaces have "
        f"(median). "
        "The same structure from every start (section 5) means correlations near 1 and angles well below chance.",
        help="The directions are eigenvectors of P with the largest |λ − 1|. Where two such eigenvalues are nearly "
        "equal their "
        "directions are not determined, and the angles say little. A constant matrix has no correlation.",
    )


def _spread(values: np.ndarray) -> str:
    if not np.isfinite(values).any():
        return "–"
    mean = number(float(np.nanmean(values)))
    return (
        mean
        if len(values) == 1
        else f"{mean} ({number(float(np.nanmin(values)))} to {number(float(np.nanmax(values)))})"
    )


def alike(one: Layer, two: Layer, at: int) -> tuple[float, float, list[float]] | None:
    """Return how alike two layers are at a step: correlations of P - I and of what is left, and principal angles.

    Args:
        one: a layer.
        two: another one.
        at: the step; -1 for the last of each.
    """
    if not (one.is_matrix and two.is_matrix) or one.n != two.n:
        return None
    P, Q = (each.P(each.nearest(at) if at >= 0 else -1) for each in (one, two))
    k = min(DIRECTIONS, one.n)
    angles = inspection.principal_angles_deg(inspection.leading(P, k), inspection.leading(Q, k))
    change = inspection.correlation(P - np.eye(one.n), Q - np.eye(one.n))
    return change, inspection.correlation(inspection.rest(P), inspection.rest(Q)), angles.tolist()


@st.cache_data(show_spinner=False)
def by_chance(n: int, k: int) -> list[float]:
    """Return the median principal angles between two random subspaces of k dimensions in n, ascending."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS if n <= 128 else DRAWS // 10):
        one, two = (np.linalg.qr(random.standard_normal((n, k)))[0] for _ in range(2))
        found.append(inspection.principal_angles_deg(one, two))
    return np.median(found, axis=0).tolist()
