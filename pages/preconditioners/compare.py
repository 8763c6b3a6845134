"""Whether the same structure is learned from every start, or in two layers (section 5): correlations and angles."""

import numpy as np
import streamlit as st

from fop_core import through_training
from fop_core.figures.style import number
from fop_core.runs.learned import Layer
from pages.preconditioners import pairs
from pages.preconditioners.pairs import DIRECTIONS, Side
from pages.preconditioners.sources import Source, seeds
from pages.shared.form import Form
from pages.shared.text import literal


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
    if layer_pairs := pairs.pairs(source, layer, beside):
        _table(layer_pairs, form["at"] if beside is not None else -1)
    else:
        st.markdown("They have no matrices to compare.")


def _table(layer_pairs: dict[str, list[tuple[Side, Side]]], at: int) -> None:
    rows = []
    for name, those in layer_pairs.items():
        measured = [each for one, two in those if (each := pairs.alike(one, two, at)) is not None]
        if not measured:
            rows.append({"Layer": literal(name), "P − I": "shapes differ, or no matrix"})
            continue
        change, left, angles = (np.array(values) for values in zip(*measured))
        n = those[0][0][1].n
        chance = pairs.by_chance(n, min(DIRECTIONS, n))
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
    if (measured := through_training.mean_and_range(values)) is None:
        return "–"
    mean, low, high = map(number, measured)
    return f"{mean}{unit}" if len(values) == 1 else f"{mean}{unit} ({low} to {high})"
