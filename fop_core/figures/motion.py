"""A run as the player moves it: every point where that is not too many, in the browser's own numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fop_core import downsample
from fop_core.figures.trajectories import MARKED_STEPS

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
        g: the gradient that the next step is made of, with its noise where the race has any, float32 [k, 2].
        moves: what the next step adds to the point, float32 [k, 2]; NaN at the end, from where no step is taken.
        P: xx, xy and yy of the P that the next step applies, float64 [k, 3]; None for a rule that learns none.
        H: the same of the surface's Hessian there; None without a P.

    Example:
        >>> from fop_core.figures.motion import motion
        >>> from toy_functions import presets, race
        >>> from toy_functions.surfaces import BOOTH
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> made = motion(path.points, path.losses, path.preconditioners, BOOTH.gradient, BOOTH.hessian)
        >>> made.points.shape, made.P[0], made.g[0], made.moves[0].round(2)
        ((544, 2), array([1., 0., 1.]), array([-66., -78.], dtype=float32), array([0.33, 0.39], dtype=float32))
    """

    steps: Array
    downsampled: bool
    points: Array
    losses: Array
    gradient: Array
    preconditioned: Array | None
    g: Array
    moves: Array
    P: Array | None
    H: Array | None


def motion(
    points: Array,
    losses: Array,
    preconditioners: Array | None,
    gradient: Callable[[Any, Any], Any],
    hessian: Callable[[Any, Any], Any] | None = None,
    noise: Array | None = None,
) -> Motion:
    """Return a run to move along.

    Args:
        points: the start and the point after each update, [steps + 1, 2].
        losses: f at each, [steps + 1].
        preconditioners: P before each update and at the end, [steps + 1, 2, 2], or None.
        gradient: of the surface, (x, y) -> (f_x, f_y).
        hessian: of the surface, (x, y) -> rows; without it there is no H.
        noise: in the gradient that each step was made of, [steps, 2]; None where there was none.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.motion import motion
        >>> from toy_functions.surfaces import BOOTH
        >>> made = motion(np.array([[0.0, -4.0], [1.0, 3.0]]), np.array([306.0, 0.0]), None, BOOTH.gradient)
        >>> made.steps, made.moves
        (array([0, 1], dtype=uint32), array([[ 1.,  7.],
               [nan, nan]], dtype=float32))
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
        pg = P = H = None
        if preconditioners is not None:
            matrices = np.asarray(preconditioners, dtype=np.float64)[kept]
            pg = np.einsum("nij,nj->ni", matrices, g)
            P = np.stack([matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 1]], axis=1)
            if hessian is not None:
                (xx, xy), (_, yy) = hessian(x, y)
                H = np.stack([np.broadcast_to(entry, x.shape) for entry in (xx, xy, yy)], axis=1)
        noisy = g.astype(np.float64)
        if noise is not None:
            steps = kept[kept < len(noise)]
            noisy[: len(steps)] += noise[steps]
        moves = np.diff(points, axis=0, append=np.nan)[kept]
        single = [each.astype(np.float32) for each in (points[kept], np.asarray(losses)[kept], noisy, moves)]
    return Motion(
        steps=kept.astype(np.uint32),
        downsampled=len(kept) < len(drawn),
        points=single[0],
        losses=single[1],
        gradient=_direction(g),
        preconditioned=None if pg is None else _direction(pg),
        g=single[2],
        moves=single[3],
        P=P,
        H=H,
    )


def _direction(vectors: Array) -> Array:
    angles = np.arctan2(vectors[:, 1], vectors[:, 0])
    return np.where((vectors != 0).any(axis=1), angles, np.nan).astype(np.float32)
