"""The points of lines to draw: of one run, or of several as their mean with a band, smoothed, less a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fop_core import downsample
from fop_core.runs import compare
from fop_core.runs.compare import Curve
from fop_core.runs.loaded import Loaded

Array = np.ndarray

BUCKETS = 400  # of a line: at most 1,602 points
FAINT = 120  # of a line behind others


@dataclass(frozen=True)
class Points:
    """One line. What is not finite is a gap.

    Attributes:
        x: [n].
        y: [n].
        behind: single runs, or values before smoothing: pairs of x and y, each [k].
        band: x, lower and upper edge, each [m]; None for none.
        broken: x and the last number before, where the value ceases to be a number, each [k].

    Example:
        >>> from fop_core.runs import GALLERY, lines
        >>> from fop_core.runs.loaded import Loaded
        >>> seeds = [Loaded(str(GALLERY / f"mnist-sgd-seed{seed}")).refresh() for seed in range(3)]
        >>> [line] = lines.points([seeds], "epoch", "test_accuracy")
        >>> x, low, high = line.band
        >>> line.x[-1], line.y[-1].round(4), low[-1].round(4), high[-1].round(4)
        (np.float64(10.0), np.float64(0.9777), np.float64(0.9761), np.float64(0.9793))
    """

    x: Array
    y: Array
    behind: Sequence[tuple[Array, Array]] = ()
    band: tuple[Array, Array, Array] | None = None
    broken: tuple[Array, Array] = field(default=(np.empty(0), np.empty(0)))


def points(
    groups: Sequence[Sequence[Loaded]], x: str, y: str, *, smooth: float = 0.0, baseline: int | None = None
) -> list[Points | None]:
    """Return a line for each group of runs: y over x of one run, of several the mean with ± one sample deviation.

    Args:
        groups: of runs, each drawn as one line.
        x: "step", or a column.
        y: a column.
        smooth: share of a curve over which it is averaged, 0 for not at all.
        baseline: which group's mean, smoothed likewise, is subtracted from all.

    Returns:
        A line for each group, None of one that did not measure both; None of all where the baseline did not.

    Example:
        >>> from fop_core.runs import GALLERY, lines
        >>> from fop_core.runs.loaded import Loaded
        >>> sgd, fop = (Loaded(str(GALLERY / name)).refresh() for name in ("cifar10-sgd", "cifar10-fop-velocity"))
        >>> _, less = lines.points([[sgd], [fop]], "epoch", "test_accuracy", baseline=0)
        >>> less.x[-1], less.y[-1].round(4)  # of FOP, less that of SGD
        (np.float64(15.0), np.float64(-0.0236))
    """
    measured = [[curve for run in runs if (curve := run.curve(x, y)) is not None] for runs in groups]
    subtracted: Curve | None = None
    if baseline is not None:
        if not measured[baseline]:
            return [None] * len(groups)
        subtracted = compare.spread(measured[baseline]).curve if len(measured[baseline]) > 1 else measured[baseline][0]
        subtracted = Curve(subtracted.steps, subtracted.x, compare.smoothed(subtracted.y, smooth))
    return [
        _points(curves, subtracted, smooth) if any(len(curve.x) for curve in curves) else None for curves in measured
    ]


def _points(measured: Sequence[Curve], subtracted: Curve | None, smooth: float) -> Points:
    """Return the line of one group.

    Args:
        measured: of each run, some of it with points.
        subtracted: what is subtracted, already smooth.
        smooth: as of ``points``.
    """
    curves = measured if subtracted is None else [compare.less(each, subtracted) for each in measured]
    soft = [Curve(each.steps, each.x, compare.smoothed(each.y, smooth)) for each in curves]
    spread = compare.spread(soft) if len(soft) > 1 else None
    shown = spread.curve if spread else soft[0]
    x, y = compare.drawn(shown.x, shown.y, compare.holes(shown.steps), BUCKETS)
    behind = []
    if spread or smooth:
        behind = [compare.drawn(each.x, each.y, compare.holes(each.steps), FAINT) for each in curves]
    band = None
    if spread:
        kept = downsample.evenly(len(shown.x), 2 * BUCKETS)
        mean, std = shown.y[kept], spread.std[kept]
        band = shown.x[kept], mean - std, mean + std
    marks = [compare.broken(each.x, each.y, of.y) for each, of in zip(curves, measured)]
    broken = np.concatenate([x for x, _ in marks]), np.concatenate([y for _, y in marks])
    return Points(x, y, behind, band, broken)


def extremes(curves: Sequence[Curve]) -> Points | None:
    """Return the mean of curves over their steps, with a band from the least to the most, where all of them measured.

    Of a single curve it has no band. None of none that has points; nothing is left out of a long one.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import Curve
        >>> from fop_core.runs.lines import extremes
        >>> steps = np.array([10, 20])
        >>> line = extremes([Curve(steps, steps, np.array(angles)) for angles in ([1.0, 5.0], [3.0, 6.0])])
        >>> line.y, line.band[1], line.band[2]
        (array([2. , 5.5]), array([1., 5.]), array([3., 6.]))
    """
    curves = [curve for curve in curves if len(curve.x)]
    if not curves:
        return None
    if len(curves) == 1:
        return Points(curves[0].x, curves[0].y)
    steps = curves[0].steps
    for curve in curves[1:]:
        steps = np.intersect1d(steps, curve.steps)
    values = np.stack([curve.y[np.searchsorted(curve.steps, steps)] for curve in curves])
    x = steps.astype(np.float64)
    return Points(x, values.mean(0), band=(x, values.min(0), values.max(0)))
