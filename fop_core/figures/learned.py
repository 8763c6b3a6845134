"""What a run learned on its way: its P beside the inverse Hessian at its points, and what P did to the gradient."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fop_core import downsample

Array = np.ndarray

POINTS = 300  # of each kind of step axis


@dataclass(frozen=True)
class PreconditionerPath:
    """P, H and g at some steps of a run.

    Attributes:
        steps: [m].
        P: of the P that the next step applies: the angle of its first eigenvector (radians, from the x axis), its
            eigenvalues, the larger in size first, [m, 3].
        H: the same of the surface's Hessian at that point, [m, 3]; NaN where it is not finite.
        angles: between g and P g, degrees [m]; NaN where g is 0. g is the surface's own gradient, without noise.

    Example:
        >>> from fop_core.figures.learned import learned
        >>> from toy_functions import presets, race
        >>> from toy_functions.surfaces import BOOTH
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> result = learned(path.points, path.preconditioners, BOOTH.gradient, BOOTH.hessian)
        >>> result.P[-1].round(2), result.H[-1].round(2)  # P's first axis lies near H's, across H^-1's
        (array([0.9 , 7.18, 1.54]), array([ 0.79, 18.  ,  2.  ]))
    """

    steps: Array
    P: Array
    H: Array
    angles: Array


def learned(
    points: Array,
    preconditioners: Array,
    gradient: Callable[[Any, Any], Any],
    hessian: Callable[[Any, Any], Any],
) -> PreconditionerPath:
    """Return what a run learned.

    Args:
        points: the start and the point after each update, [steps + 1, 2].
        preconditioners: P before each update and at the end, [steps + 1, 2, 2].
        gradient: of the surface, (x, y) -> (f_x, f_y).
        hessian: of the surface, (x, y) -> rows.

    Example:
        >>> from fop_core.figures.learned import learned
        >>> from toy_functions import presets, race
        >>> from toy_functions.surfaces import BOOTH
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> angles = learned(path.points, path.preconditioners, BOOTH.gradient, BOOTH.hessian).angles
        >>> angles[0], angles.max().round(1)  # between g and P g
        (np.float64(0.0), np.float64(46.7))
    """
    points = np.asarray(points, dtype=np.float64)
    matrices = np.asarray(preconditioners, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(points).all(axis=1) & np.isfinite(matrices).all(axis=(1, 2)))
    kept = _some(known, matrices)
    x, y = points[kept].T
    with np.errstate(all="ignore"):
        g = np.stack([np.broadcast_to(part, x.shape) for part in gradient(x, y)], axis=1)
        H = np.stack([np.stack([np.broadcast_to(each, x.shape) for each in row], axis=1) for row in hessian(x, y)], 1)
    return PreconditionerPath(
        kept, axes(matrices[kept]), axes(H), angle_deg(g, np.einsum("nij,nj->ni", matrices[kept], g))
    )


def _some(known: Array, matrices: Array) -> Array:
    """Return steps that are enough to draw by: evenly on both kinds of axis, and where P is extreme."""
    if len(known) <= 2 * POINTS:
        return known
    last = len(known) - 1
    grid = np.concatenate([np.linspace(0, last, POINTS), np.geomspace(1, last, POINTS)])
    spikes = [downsample.series(matrices[known, i, j], POINTS // 4) for i, j in ((0, 0), (0, 1), (1, 1))]
    return known[np.unique(np.concatenate([grid.astype(np.int64), *spikes]))]


def axes(matrices: Array) -> Array:
    """Return angle and eigenvalues of symmetric matrices [m, 2, 2] as [m, 3], the larger in size first.

    The angle is the first eigenvector's from the x axis, in [-pi/2, pi/2]. NaN where a matrix is not finite.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.learned import axes
        >>> angle, first, second = axes(np.array([[[10.0, 8.0], [8.0, 10.0]]]))[0]
        >>> np.degrees(angle).round(6), first.round(6), second.round(6)
        (np.float64(45.0), np.float64(18.0), np.float64(2.0))
    """
    result = np.full((len(matrices), 3), np.nan)
    whole = np.isfinite(matrices).all(axis=(1, 2))
    values, vectors = np.linalg.eigh(matrices[whole])
    first = (np.abs(values[:, 1]) >= np.abs(values[:, 0])).astype(int)
    rows = np.arange(len(values))
    vx, vy = vectors[rows, 0, first], vectors[rows, 1, first]
    result[whole] = np.stack([np.arctan2(vy, vx), values[rows, first], values[rows, 1 - first]], axis=1)
    result[:, 0] -= np.pi * np.round(result[:, 0] / np.pi)
    return result


def angle_deg(g: Array, pg: Array) -> Array:
    """Return the angles between vectors [m, 2] in degrees, [m]; NaN where one is 0.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.learned import angle_deg
        >>> angle_deg(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 2.0], [0.0, 0.0]]))
        array([90., nan])
    """
    with np.errstate(all="ignore"):
        cross = g[:, 0] * pg[:, 1] - g[:, 1] * pg[:, 0]
        angles = np.degrees(np.arctan2(np.abs(cross), (g * pg).sum(axis=1)))
    return np.where((g != 0).any(axis=1) & (pg != 0).any(axis=1), angles, np.nan)
