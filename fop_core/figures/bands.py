"""Several seeds of a noisy race as one line in a band: the median over the seeds, and their quartiles.

A run that has ended before others counts on with its last f, one that diverged with infinity. So nothing of the later
steps is of fewer seeds than the earlier ones.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fop_core.figures.style import METHODS
from fop_core.figures.trajectories import DrawnTrajectory

Array = np.ndarray

QUARTILES = (0.25, 0.5, 0.75)
POINTS = 300  # of each kind of step axis
OPACITY = 0.2


@dataclass(frozen=True)
class Band:
    """A rule's runs with several seeds.

    Attributes:
        rule: key of ``style.METHODS``.
        seeds: how many.
        converged: how many of them converged.
        diverged: how many diverged.
        ends: quartiles of the steps to convergence, (lower, median, upper); inf where too few converge.
        steps: to draw at, [m].
        losses: quartiles of f there, [3, m]; inf where too many have diverged.
        lowest: quartiles of the lowest f up to there, [3, m].
        last: quartiles of the last f, (lower, median, upper).

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.bands import band
        >>> losses = [np.array([9.0, 3.0, 1.0]), np.array([9.0, 5.0, 4.0]), np.array([9.0, np.inf])]
        >>> of = band("fop", losses, ["converged", "step limit", "diverged"])
        >>> of.seeds, of.converged, of.diverged, of.losses[1]  # the medians
        (3, 1, 1, array([9., 5., 4.]))
    """

    rule: str
    seeds: int
    converged: int
    diverged: int
    ends: tuple[float, float, float]
    steps: Array
    losses: Array
    lowest: Array
    last: tuple[float, float, float]


def band(rule: str, losses: Sequence[Array], statuses: Sequence[str]) -> Band:
    """Return the band of a rule.

    Args:
        rule: key of ``style.METHODS``.
        losses: of each seed f at the start and after each update, [steps + 1].
        statuses: how each ended.

    Example:
        >>> from dataclasses import replace
        >>> from fop_core.figures.bands import band
        >>> from toy_functions import race
        >>> from toy_functions.scenes import SCENES
        >>> noisy = SCENES["noise"].race
        >>> paths = [race(replace(noisy, seed=seed, max_steps=200))["SGD"] for seed in range(5)]
        >>> of = band("sgd", [path.losses for path in paths], [path.status for path in paths])
        >>> of.losses.shape, [round(loss, 2) for loss in of.last]
        ((3, 201), [0.28, 0.63, 1.75])
    """
    longest = max(map(len, losses))
    kept = _kept(longest)
    f = np.empty((len(losses), longest))
    for row, values, status in zip(f, losses, statuses):
        row[: len(values)] = values
        row[len(values) :] = math.inf if status == "diverged" else values[-1]
        row[~np.isfinite(row)] = math.inf
    steps = [len(values) - 1 if status == "converged" else math.inf for values, status in zip(losses, statuses)]
    lowest = np.minimum.accumulate(f, axis=1)[:, kept]
    return Band(
        rule,
        len(losses),
        sum(status == "converged" for status in statuses),
        sum(status == "diverged" for status in statuses),
        _three(quartiles(np.array(steps))),
        kept,
        quartiles(f[:, kept]),
        quartiles(lowest),
        _three(quartiles(f[:, -1])),
    )


def quartiles(values: Array) -> Array:
    """Return the quartiles of values [n, ...] over their first axis, [3, ...]; inf is larger than any number.

    Between two values of the sample they are linear, as numpy's, which knows no inf.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.bands import quartiles
        >>> quartiles(np.array([1.0, 2.0, 3.0, 4.0, np.inf]))
        array([2., 3., 4.])
    """
    ordered = np.sort(values, axis=0)
    levels = []
    for share in QUARTILES:
        at = share * (len(values) - 1)
        low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
        with np.errstate(invalid="ignore"):
            between = low + (at - math.floor(at)) * (high - low)
        levels.append(np.where(low == high, low, between))
    return np.stack(levels)


def median_run(run: DrawnTrajectory, band: Band, *, lowest: bool = False) -> DrawnTrajectory:
    """Return a rule's run with the median of the seeds for its losses, its count of steps and how it ended.

    It has diverged from where the median is no number any more.

    Args:
        run: of one seed; its path, and what it learned, stay.
        band: of all.
        lowest: whether to take the lowest loss up to each step.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.bands import band, median_run
        >>> from fop_core.figures.trajectories import downsampled
        >>> losses = [np.array([9.0, 3.0, 1.0]), np.array([9.0, 5.0, 4.0]), np.array([9.0, 4.0, 2.0])]
        >>> run = downsampled("fop", np.zeros((3, 2)), losses[0], "step limit")
        >>> median_run(run, band("fop", losses, ["step limit"] * 3)).losses
        array([9., 4., 2.])
    """
    finite = np.isfinite(band.losses[1])
    count = len(finite) if finite.all() else int(np.argmin(finite))
    steps, status = int(band.steps[min(count, len(finite) - 1)]), "step limit" if finite.all() else "diverged"
    if math.isfinite(band.ends[1]):
        steps, status = round(band.ends[1]), "converged"
    losses = (band.lowest if lowest else band.losses)[1, :count]
    return replace(run, steps=steps, status=status, loss_steps=band.steps[:count], losses=losses)


def area(rule: str, one: tuple[Array, Array], other: tuple[Array, Array]) -> dict[str, Any]:
    """Return the trace that fills the area between two lines, bordered as the rule's line is dashed.

    Args:
        rule: key of ``style.METHODS``.
        one: x and y of the first line, each [m].
        other: of the second.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.bands import area
        >>> x = np.array([0, 1, 2])
        >>> area("fop", (x, np.array([1, 2, 3])), (x, np.array([2, 4, 6])))["y"]  # there and back
        array([1., 2., 3., 6., 4., 2.])
    """
    method = METHODS[rule]
    parts = ",".join(str(int(method.color[i : i + 2], 16)) for i in (1, 3, 5))
    return {
        "type": "scatter",
        "mode": "lines",
        "x": np.concatenate([one[0], other[0][::-1]]).astype(np.float64),
        "y": np.concatenate([one[1], other[1][::-1]]).astype(np.float64),
        "fill": "toself",
        "fillcolor": f"rgba({parts},{OPACITY})",
        "line": {"color": f"rgba({parts},{2 * OPACITY})", "dash": method.dash, "width": 0.75},
        "hoverinfo": "skip",
        "legendgroup": rule,
    }


def _kept(count: int) -> Array:
    """Return which of so many steps to draw: evenly on both kinds of axis."""
    if count <= 2 * POINTS:
        return np.arange(count)
    grid = np.concatenate([[0.0], np.linspace(0, count - 1, POINTS), np.geomspace(1, count - 1, POINTS)])
    return np.unique(grid.astype(np.int64))


def _three(values: Array) -> tuple[float, float, float]:
    low, middle, high = map(float, values)
    return low, middle, high
