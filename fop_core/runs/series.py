"""A column of what a run logged, over its steps; and several seeds' as their mean and spread.

A series holds a column where it was measured. So a measured NaN, a value, differs from none at that step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

Array = np.ndarray

MOST_ROWS = 1000  # of one window, of which there are but a few where a run logs as its settings say


class Series(NamedTuple):
    """A column where it was measured.

    Attributes:
        steps: ascending, int64 [k].
        values: float64 [k]; NaN and infinities were measured so.

    Example:
        >>> from fop_core import runs
        >>> loss = runs.load("mnist-sgd-seed0").metrics["test_loss"]
        >>> loss.steps[:3], loss.values[:3].round(3)
        (array([ 469,  938, 1407]), array([0.158, 0.111, 0.109]))
    """

    steps: Array
    values: Array


def evened(series: Series, window: int, start: int = 0) -> Series:
    """Return means since the row before as means over windows of one length, at the same steps.

    A window ends at its row and begins at the last row that is ``window`` steps or more before, or at the start: its
    mean follows exactly from those that were recorded.

    Args:
        series: means over the steps since the row before.
        window: steps.
        start: the step that the first row's mean begins at.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.series import Series, evened
        >>> rows = Series(np.array([100, 200, 210]), np.array([3.0, 2.0, 7.0]))  # the last one is a mean over 10 steps
        >>> evened(rows, window=100).values
        array([3.        , 2.        , 2.45454545])
    """
    steps, values = series
    if len(steps) < 2:
        return series
    before = np.concatenate([[min(start, steps[0] - 1)], steps[:-1]])
    rows = np.arange(len(steps))
    begins = np.searchsorted(before, steps - window, "right") - 1
    begins = np.maximum(np.clip(begins, 0, rows), rows - MOST_ROWS)
    # Each window is summed by itself: of sums from the start, one large value would leave its rounding in all the rest.
    edges = np.stack([begins, rows + 1], axis=1).ravel()
    with np.errstate(invalid="ignore"):
        sums = np.add.reduceat(np.append(values * (steps - before), 0.0), edges)[::2]
        means = sums / (steps - before[begins])
    return Series(steps, np.where(begins == rows, values, means))


@dataclass(frozen=True)
class Aggregate:
    """Several seeds' series as one.

    Attributes:
        x: all steps, or epochs, at which one of them was measured, ascending, [k].
        mean: of those measured there, [k].
        std: their sample standard deviation (n - 1), [k]; NaN for a single one, which says nothing of the spread.
        count: how many were measured there, int64 [k].

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import series
        >>> seeds = [runs.load(f"mnist-sgd-seed{seed}").metrics.over("epoch", "test_accuracy") for seed in range(3)]
        >>> every = series.aggregate(seeds)
        >>> every.x[-1], every.mean[-1].round(4), every.std[-1].round(4), every.count[-1]
        (np.float64(10.0), np.float64(0.9777), np.float64(0.0016), np.int64(3))
    """

    x: Array
    mean: Array
    std: Array
    count: Array


def aggregate(series: Sequence[tuple[Array, Array]]) -> Aggregate:
    """Return mean and spread over seeds, at each x.

    A NaN that one seed measured makes mean and std NaN, an infinity the mean infinite or NaN and the std NaN: a seed
    that diverged is not averaged away.

    Args:
        series: of each seed (x, values), each [k]; a ``Series``, or what ``Metrics.over`` returns. x must agree between
            seeds to the last bit, as steps and epochs do and seconds do not.

    Raises:
        ValueError: where x and values do not fit together, or x is NaN or holds a number twice.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.series import aggregate
        >>> one = np.array([1, 2]), np.array([0.5, 0.25])
        >>> other = np.array([1, 2, 3]), np.array([0.5, 0.75, 0.5])
        >>> both = aggregate([one, other])
        >>> both.mean, both.std.round(3), both.count
        (array([0.5, 0.5, 0.5]), array([0.   , 0.354,   nan]), array([2, 2, 1]))
    """
    for seed, (x, values) in enumerate(series):
        if np.ndim(x) != 1 or np.shape(x) != np.shape(values):
            raise ValueError(
                f"series {seed} has x of shape {np.shape(x)}, values of {np.shape(values)}: give [k] and [k]"
            )
        if np.isnan(x).any() or len(np.unique(x)) < len(x):
            raise ValueError(f"series {seed} has NaN or a number twice among its x: give one value for each x")
    every_x = np.concatenate([x for x, _ in series]) if series else np.empty(0, np.int64)
    values = np.concatenate([np.empty(0), *(values for _, values in series)])
    x, inverse = np.unique(every_x, return_inverse=True)
    count = np.bincount(inverse, minlength=len(x))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # NaN is the answer
        mean = np.bincount(inverse, values, len(x)) / count
        squares = np.bincount(inverse, (values - mean[inverse]) ** 2, len(x))
        std = np.sqrt(squares / np.where(count > 1, count - 1, np.nan))
    return Aggregate(x, mean, std, count)
