"""The learned P beside the inverse Hessian, at the player's step."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pages.components.component import component
from pages.shared.race import Result

_mount = component("learned")


def learned(results: Sequence[Result], key: str) -> None:
    """Show both as ellipses for every result that learned a P."""
    _mount(key=key, data={"runs": [_run(result) for result in results if result.learned is not None]})


def _run(result: Result) -> dict[str, Any]:
    ellipses, method = result.learned, result.run.method
    assert ellipses is not None
    return {
        "name": method.name,
        "color": method.color,
        "steps": ellipses.steps.tolist(),
        "P": _rounded(ellipses.P),
        "H": _rounded(ellipses.H),
    }


def _rounded(axes: np.ndarray) -> list[list[float | None]]:
    """Return angle and eigenvalues to five digits; None for what is not finite, which JSON has no number for."""
    return [[float(f"{value:.5g}") if np.isfinite(value) else None for value in row] for row in axes.tolist()]
