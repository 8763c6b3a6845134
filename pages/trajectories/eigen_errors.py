"""How far each run is from its minimum, along each eigenvector of the Hessian."""

from collections.abc import Sequence

import streamlit as st

from fop_core.figures.errors import along_eigenvectors
from pages.components.plot import plot
from pages.shared.race.remembered import Result, Spec
from pages.trajectories import exports, seeds


def draw(race: Spec, results: Sequence[Result], key: str, log_steps: bool) -> bool:
    """Show the errors against the step; return False where no run ends at a minimum that is known.

    Args:
        race: what decides it.
        results: of its rules.
        key: of the zoom.
        log_steps: whether the axis of steps is logarithmic.
    """
    known = [(result.run, result.errors) for result in results if result.errors is not None]
    figure = along_eigenvectors(known, log_steps, key)
    if figure is None:
        return False
    alt = "Error along the eigenvectors of the Hessian"
    plot(figure, of=exports.path_stem(race), key="errors", alt=alt, aspect=1.7, heights=(240, 300), follows=True)
    st.caption(words(results) + seeds.of_one(race), help=HELP)
    return True


HELP = (
    "On a quadratic, gradient descent multiplies the error along q by 1 − ε λ at each step. A rate that suits one λ "
    "may be slow, or diverge, along the other. P changes both."
)


def words(results: Sequence[Result]) -> str:
    """Return what the lines are, which H they are of, and which runs have none, in sentences."""
    exact = all(result.errors.exact for result in results if result.errors is not None)
    of = (
        "H is the same everywhere on this surface, so this is exact."
        if exact
        else "H is that at the minimum where each run ends; elsewhere it is another."
    )
    without = [result.run.method.name for result in results if result.errors is None]
    left_out = f" Without a line: {', '.join(without)}, at no known minimum." if without else ""
    return (
        "How far each run is from its minimum along the two eigenvectors q of H, thin along that of the smaller λ. "
        f"{of}{left_out}"
    )
