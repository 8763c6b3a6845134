"""A run as the player moves it: every point where that is not too many, in the browser's own numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fop_core import downsample
from fop_core.figures.runs import MARKED_STEPS

Array = np.ndarray

MOST = 8192  # points of a run


@dataclass(frozen=True)
class Motion:
    """The points of a run, all finite.

    Attributes:
        steps: of the points, uint32 [k]; 0, 1, 2, ... unless ``downsampled``.
        downsampled: whether some were left out.
        points: float32 [k, 2].
        losses: float32 [k].
        gradient: the direction of the surface's gradient there, radians, float32 [k]; NaN where it is 0.
        preconditioned: that of P g, for a rule that learns a P.
    """

    steps: Array
    downsampled: bool
    points: Array
    losses: Array
    gradient: Array
    preconditioned: Array | None


def motion(points: Array, losses: Array, preconditioners: Array | None, gradient: Callable[[Any, Any], Any]) -> Motion:
    """Return a run to move along.

    Args:
        points: the start and the point after each update, [steps + 1, 2].
        losses: f at each, [steps + 1].
        preconditioners: P before each update and at the end, [steps + 1, 2, 2], or None.
        gradient: of the surface, (x, y) -> (f_x, f_y).
    """
    points = np.asarray(points, dtype=np.float64)
    drawn = np.flatnonzero(np.isfinite(points).all(axis=1) & np.isfinite(losses))
    kept = drawn
    if len(drawn) > MOST:
        grid = np.geomspace(1, len(drawn) - 1, MOST // 4).astype(np.int64)
        kept = drawn[np.union1d(downsample.path(points[drawn], MOST // 2), grid)]
        kept = np.union1d(kept, np.intersect1d(drawn, MARKED_STEPS))
    x, y = points[kept].T
    with np.errstate(all="ignore"):
        g = np.stack([np.broadcast_to(part, x.shape) for part in gradient(x, y)], axis=1)
        pg = None
        if preconditioners is not None:
            pg = np.einsum("nij,nj->ni", np.asarray(preconditioners, dtype=np.float64)[kept], g)
        single = points[kept].astype(np.float32), np.asarray(losses)[kept].astype(np.float32)
    return Motion(
        steps=kept.astype(np.uint32),
        downsampled=len(kept) < len(drawn),
        points=single[0],
        losses=single[1],
        gradient=_direction(g),
        preconditioned=None if pg is None else _direction(pg),
    )


def _direction(vectors: Array) -> Array:
    angles = np.arctan2(vectors[:, 1], vectors[:, 0])
    return np.where((vectors != 0).any(axis=1), angles, np.nan).astype(np.float32)
