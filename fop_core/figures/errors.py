"""How far a run is from a minimum along each eigenvector of the Hessian, as in "Why Momentum Really Works" (Goh 2017).

Around a minimum x* gradient descent multiplies the error along an eigenvector q by 1 - ε λ at each step, and momentum
makes it a damped oscillation: each rule has one line for each eigenvalue λ.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from fop_core import downsample
from fop_core.figures import curves, style
from fop_core.figures.curves import PlotAxis, StepCurve
from fop_core.figures.interactive import ordered
from fop_core.figures.trajectories import BUCKETS, DrawnTrajectory

Array = np.ndarray

DECADES = 8.0  # of errors that are shown at most


@dataclass(frozen=True)
class Errors:
    """The error of a run at some steps.

    Attributes:
        steps: [m].
        along: |q · (x - x*)| for both eigenvectors q, that of the larger eigenvalue first, [m, 2].
        eigenvalues: λ of these.
        exact: whether H is the same everywhere; else it is that at x*.

    Example:
        >>> from fop_core.figures.errors import errors
        >>> from toy_functions import presets, race
        >>> from toy_functions.surfaces import BOOTH
        >>> points = race(presets.PAPER_BOOTH)["SGD"].points
        >>> along = errors(points, (1.0, 3.0), [[10.0, 8.0], [8.0, 10.0]], exact=True)
        >>> along.eigenvalues, along.along[0].round(2)  # how far the start is along each eigenvector
        ((18.0, 2.0), array([5.66, 4.24]))
    """

    steps: Array
    along: Array
    eigenvalues: tuple[float, float]
    exact: bool


def errors(points: Array, minimum: tuple[float, float], hessian: Array, exact: bool) -> Errors:
    """Return the error of a run, at enough steps to draw, every zero crossing among them.

    Args:
        points: the start and the point after each update, [steps + 1, 2].
        minimum: x*.
        hessian: H there, symmetric [2, 2].
        exact: whether H is the same everywhere.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.errors import errors
        >>> errors(np.array([[3.0, 4.0], [0.0, 2.0]]), (0.0, 0.0), np.diag([1.0, 100.0]), exact=True).along
        array([[4., 3.],
               [2., 0.]])
    """
    points = np.asarray(points, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(points).all(axis=1))
    values, vectors = np.linalg.eigh(hessian)
    along = np.abs((points[known] - minimum) @ vectors[:, ::-1])
    kept = np.union1d(downsample.series(along[:, 0], BUCKETS // 2), downsample.series(along[:, 1], BUCKETS // 2))
    kept = kept.astype(np.int64)  # of no points there are none
    return Errors(known[kept], along[kept], (float(values[1]), float(values[0])), exact)


def along_eigenvectors(
    runs: Sequence[tuple[DrawnTrajectory, Errors]], log_steps: bool = True, key: str = ""
) -> go.Figure | None:
    """Return the errors against the step, that of the smaller eigenvalue thin; None for no runs.

    What is smaller than is shown, an exact zero too, is at the lower edge; hovering shows it.

    Args:
        runs: drawn in the order of ``style.METHODS``.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.

    Example:
        >>> from fop_core.figures.errors import along_eigenvectors, errors
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["SGD"]
        >>> error = errors(path.points, (1.0, 3.0), [[10.0, 8.0], [8.0, 10.0]], exact=True)
        >>> figure = along_eigenvectors([(downsampled("sgd", path.points, path.losses, path.status), error)])
        >>> len(figure.data), figure.layout.yaxis.title.text
        (2, '|q · (x − x*)|')
    """
    of_rules = {run.rule: error for run, error in runs if len(error.steps)}
    shown = [(run, of_rules[run.rule]) for run in ordered([run for run, _ in runs]) if run.rule in of_rules]
    if not shown:
        return None
    up = _axis(shown)
    lines = []
    for run, error in shown:
        larger_at_end = int(np.argmax(error.along[-1]))
        for which in (1, 0):
            heights = np.maximum(error.along[:, which], 10 ** (up.low + 1e-6))  # below the edge a curve would end
            label = run.method.name if which == larger_at_end else ""
            quantity = f"error along λ = {style.number(error.eigenvalues[which])}"
            lines.append(StepCurve(run, error.steps, heights, error.along[:, which], label, bool(which), quantity))
    return curves.draw(
        lines,
        curves.step_axis([run for run, _ in shown], log_steps),
        up,
        "error",
        f"{key} {log_steps}",
        yaxis={"title": {"text": "|q · (x − x*)|"}, "exponentformat": "e", "dtick": _every(up)},
    )


def _axis(runs: Sequence[tuple[DrawnTrajectory, Errors]]) -> PlotAxis:
    """Return the axis from the smallest error at an end to the largest of all, but for what is lost in divergence."""
    settled = [error.along for run, error in runs if run.status != "diverged"]
    begun = [error.along[:1] for _, error in runs]
    largest = max(float(along.max()) for along in (*settled, *begun))
    ends = np.concatenate([along[-1] for along in settled]) if settled else np.zeros(0)
    smallest = float(ends[ends > 0].min()) if (ends > 0).any() else 0.0
    top = math.log10(largest) if largest > 0 else 0.0
    bottom = math.log10(smallest) if 0 < smallest < largest else top - 1
    bottom = max(bottom, top - DECADES)
    span = max(top - bottom, 1.0)
    return PlotAxis(bottom - 0.16 * span, top + (0.08 if len(settled) == len(runs) else 0.3) * span, log=True)


def _every(axis: PlotAxis) -> int | str:
    decades = axis.high - axis.low
    return math.ceil(decades / 6) if decades > 2 else "D2"
