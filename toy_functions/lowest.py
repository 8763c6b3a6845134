"""The lowest value of a function of which nothing is known, and where it is: a race has converged where f is near it.

f is sampled on a grid in the view and on a wider one around it. The lowest points of these grids go down by Newton's
method to minima. The lowest of the minima counts only where no sample, near or far, lies below it.
"""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from toy_functions.surfaces import Surface

SIDE = 97  # samples each way
NEAR, FAR = (1.0, 3.0), (30.0, 1000.0)  # sides of the squares that are sampled, in views; minima are sought in the near
SEEDS = 48  # descents from each grid
STEPS = 60
DIRECTIONS = 16  # in which a minimum may not be left downwards
REACH = (1e-3, 1e-5)  # how far these go, in views
ROUNDING = 1e-14  # of the typical size of f in view: differences below it are none
BELOW = 1e-9  # likewise: what lies so far below a minimum is lower
BENT = 1e-6  # of the larger curvature: where the smaller is less, a minimum may be one of a whole line
APART = 1e-3  # of the view: minima closer than this are one
MOST = 8  # minima that are named


def with_floor(surface: Surface) -> Surface:
    """Return the surface with its lowest value as ``floor``, and the ``minima`` where it is: see ``lowest``.

    Example:
        >>> from toy_functions.expressions import parse
        >>> from toy_functions.lowest import with_floor
        >>> surface = with_floor(parse("(x^2 - 1)^2 + y^2 - 3"))
        >>> surface.floor, surface.minima
        (-3.0, ((-1.0, 0.0), (1.0, 0.0)))
    """
    floor, minima = lowest(surface)
    return replace(surface, floor=floor, minima=minima)


@lru_cache(maxsize=256)
def lowest(surface: Surface) -> tuple[float, tuple[tuple[float, float], ...]]:
    """Return f at the lowest minimum in and around a surface's view, and the points of view where it is that low.

    The value is -inf where no minimum is found, and where f is seen to fall below it. Nothing is drawn at random: the
    result is always the same. It is 0 where it differs from 0 by rounding only. Where no such point is in view, those
    around it are named; none are where there are more than MOST, or where f may be as low along a whole line.

    Example:
        >>> from toy_functions.expressions import parse
        >>> from toy_functions.lowest import lowest
        >>> lowest(parse("x^4/4 - x^2/2 + y^2/2"))
        (-0.25, ((-1.0, 0.0), (1.0, 0.0)))
        >>> lowest(parse("x^2 - y^2"))
        (-inf, ())
    """
    left, right, bottom, top = surface.view
    size = np.array([right - left, top - bottom])
    center = np.array([(left + right) / 2, (bottom + top) / 2])
    with np.errstate(all="ignore"):
        grids = [_grid(center, size * scale) for scale in NEAR + FAR]
        values = [_values(surface, points.reshape(-1, 2)) for points in grids]
        inside = values[0][np.isfinite(values[0])]
        typical = float(np.median(np.abs(inside))) if inside.size else 0.0
        near = list(zip(grids[: len(NEAR)], values))
        seeds = [points.reshape(-1, 2)[_seeds(f.reshape(SIDE, SIDE))] for points, f in near]
        points = _descend(surface, np.concatenate(seeds), float(size.min()) / SIDE)
        f = _values(surface, points)
        slack = ROUNDING * np.maximum(typical, np.abs(f))
        minima = np.isfinite(f) & (np.abs(points - center) <= size * NEAR[-1] / 2).all(axis=1)
        for reach in REACH:
            for angle in np.arange(DIRECTIONS) * math.tau / DIRECTIONS:
                beside = _values(surface, points + reach * size * (math.cos(angle), math.sin(angle)))
                minima &= beside >= f - slack
        if not minima.any():
            return -math.inf, ()
        floor = float(f[minima].min())
        below = BELOW * max(typical, abs(floor))
        if min(float(each.min()) for each in values) < floor - below:
            return -math.inf, ()
        down = np.argsort(f, kind="stable")
        named = _named(surface, points[down][(minima & (f <= floor + below))[down]], center, size)
    return 0.0 if abs(floor) <= ROUNDING * typical else floor, named


def _named(
    surface: Surface, points: np.ndarray, center: np.ndarray, size: np.ndarray
) -> tuple[tuple[float, float], ...]:
    """Return the points that ``lowest`` names, to a billionth of the view, from left to right.

    Args:
        surface: whose they are.
        points: where f is lowest, the lowest first, some of them the same, [n, 2].
        center: of the view.
        size: of the view.
    """
    (a, b), (_, c) = (np.broadcast_arrays(*row, points[:, 0])[:2] for row in surface.hessian(*points.T))
    mean, half = (a + c) / 2, np.hypot((a - c) / 2, b)
    if not (mean - half > BENT * (mean + half)).all():
        return ()
    distinct: list[np.ndarray] = []
    for point in points:
        if all((np.abs(point - other) > APART * size).any() for other in distinct):
            distinct.append(point)
    distinct = [point for point in distinct if (np.abs(point - center) <= size / 2).all()] or distinct
    if len(distinct) > MOST:
        return ()
    digits = 9 - math.floor(math.log10(size.max()))
    return tuple(sorted((round(x, digits) + 0.0, round(y, digits) + 0.0) for x, y in np.array(distinct).tolist()))


def _grid(center: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return points [SIDE, SIDE, 2] of a rectangle."""
    line = np.linspace(-0.5, 0.5, SIDE)
    return np.stack(np.meshgrid(center[0] + size[0] * line, center[1] + size[1] * line), axis=-1)


def _values(surface: Surface, points: np.ndarray) -> np.ndarray:
    """Return f at points [n, 2]; inf where it is not a number."""
    f = np.broadcast_to(surface.value(points[:, 0], points[:, 1]), len(points))
    return np.where(np.isnan(f), np.inf, f)


def _seeds(f: np.ndarray) -> np.ndarray:
    """Return flat indices of the lowest points of a grid that no neighbour lies below."""
    padded = np.pad(f, 1, constant_values=np.inf)
    shifts = [padded[1 + i : 1 + i + SIDE, 1 + j : 1 + j + SIDE] for i in (-1, 0, 1) for j in (-1, 0, 1)]
    low = np.flatnonzero((f <= np.minimum.reduce(shifts)) & np.isfinite(f))
    return low[np.argsort(f.ravel()[low], kind="stable")[:SEEDS]]


def _descend(surface: Surface, points: np.ndarray, reach: float) -> np.ndarray:
    """Return where Newton's steps with |H| lead, each no longer than a radius that shrinks where f would rise."""
    f, radius = _values(surface, points), np.full(len(points), reach)
    for _ in range(STEPS):
        if (radius < 1e-12 * reach).all():
            break
        x, y = points.T
        g = np.stack([np.broadcast_to(part, x.shape) for part in surface.gradient(x, y)], axis=-1)
        (a, b), (_, c) = ([np.broadcast_to(part, x.shape) for part in row] for row in surface.hessian(x, y))
        mean, half = (a + c) / 2, np.hypot((a - c) / 2, b)
        low, high = np.abs(mean - half), np.abs(mean + half)
        angle = np.arctan2(2 * b, a - c) / 2  # of the eigenvector of the upper eigenvalue
        u = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        v = np.stack([-u[:, 1], u[:, 0]], axis=-1)
        least = 1e-12 * np.maximum(low, high) + 1e-300
        along = [-(g * d).sum(axis=1) / np.maximum(bend, least) for d, bend in ((u, high), (v, low))]
        step = along[0][:, None] * u + along[1][:, None] * v
        length = np.hypot(*step.T)
        step *= np.minimum(1.0, radius / np.where(length > 0, length, 1.0))[:, None]
        after = points + np.where(np.isfinite(step), step, 0.0)
        f_after = _values(surface, after)
        down = f_after < f
        points, f = np.where(down[:, None], after, points), np.where(down, f_after, f)
        radius = np.where(down, 1.5 * radius, radius / 4)
    return points
