"""Where to look at a function that nobody has framed: around the minima that descents from many starts find."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fop_core.optim.rules import Adam
from toy_functions.basins import descend
from toy_functions.surfaces import Surface

SCALES = (1.0, 10.0)  # half the sides of the squares that descents start in
SIDE = 12  # starts each way in each
STEPS = 1_500
FLAT = 1e-6  # a gradient below this share of the typical one is zero
ROOM = 0.35  # of the size, on each side


class Frame(NamedTuple):
    """What was found.

    Attributes:
        view: x_min, x_max, y_min, y_max of a square.
        floor: f at the lowest minimum found; -inf where none was.

    Example:
        >>> from toy_functions.expressions import parse
        >>> from toy_functions.framing import frame
        >>> view, floor = frame(parse("(x - 20)^2 + (y - 3)^2 + 1"), (0.0, 0.0))
        >>> view, round(floor, 6)
        ((-8.0, 27.0, -16.0, 19.0), 1.0)
    """

    view: tuple[float, float, float, float]
    floor: float


def frame(surface: Surface, start: tuple[float, float], progress: Callable[[float], object] | None = None) -> Frame:
    """Return a square with the start and the minima that descents end at, and the lowest value there.

    Descents start on grids around the origin, run Adam with a falling rate, and are polished by Newton's method.
    Without a minimum the square lies around the start and the origin, and the floor is not known. ``progress`` is that
    of ``descend_each``, for either rate.

    Example:
        >>> from toy_functions.framing import frame
        >>> from toy_functions.surfaces import BOOTH
        >>> frame(BOOTH, BOOTH.start).view
        (-7.0, 8.0, -8.0, 7.0)
    """
    minima = _minima(surface, progress)
    points = np.concatenate([np.array([start]), minima if len(minima) else np.zeros((1, 2))])
    low, high = points.min(axis=0), points.max(axis=0)
    size = max(float((high - low).max()), 1.0) * (1 + 2 * ROOM)
    unit = 10.0 ** np.floor(np.log10(size)) / 2
    size = float(np.ceil(size / unit) * unit)
    corner = np.round(((low + high - size) / 2) / (unit / 5)) * (unit / 5)
    left, bottom = map(float, corner)
    floor = -np.inf
    if len(minima):
        floor = float(np.min(surface.value(minima[:, 0], minima[:, 1])))
    return Frame((left, left + size, bottom, bottom + size), floor)


def digits(view: tuple[float, float, float, float]) -> tuple[int, int]:
    """Return the decimals of a start that is set by hand: a thousandth of the view, x and y.

    Args:
        view: x_min, x_max, y_min, y_max.

    Example:
        >>> from toy_functions import framing
        >>> framing.digits((-10.0, 10.0, -1.0, 0.0))
        (2, 3)
    """
    left, right, bottom, top = view
    across, up = (max(0, 3 - math.floor(math.log10(size))) for size in (right - left, top - bottom))
    return across, up


def _minima(surface: Surface, progress: Callable[[float], object] | None) -> np.ndarray:
    """Return points [n, 2] where the gradient vanishes and the Hessian is positive semidefinite."""
    line = np.linspace(-1, 1, SIDE)
    x, y = (np.concatenate([scale * part.ravel() for scale in SCALES]) for part in np.meshgrid(line, line))
    with np.errstate(all="ignore"):
        typical = np.hypot(*(np.broadcast_to(part, x.shape) for part in surface.gradient(x, y)))
        for rate in (0.1, 0.01):
            batch = descend(replace(surface, floor=-np.inf), Adam(rate), x, y, max_steps=STEPS, progress=progress)
            going = np.isfinite(batch.x) & np.isfinite(batch.y)
            x, y = batch.x[going], batch.y[going]
        x, y = _newton(surface, x, y)
        if not x.size:
            return np.empty((0, 2))
        (a, b), (_, c) = surface.hessian(x, y)
        gradient = np.hypot(*(np.broadcast_to(part, x.shape) for part in surface.gradient(x, y)))
        small = gradient / max(1.0, float(np.median(typical[np.isfinite(typical)])))
        det = a * c - b * b
        flat = np.where(det > 0, small <= FLAT, small <= FLAT**2)  # along a valley's floor only rest itself is a proof
        good = flat & (a + c >= 0) & (det >= 0) & np.isfinite(surface.value(x, y))
    return np.stack([x[good], y[good]], axis=1)


def _newton(surface: Surface, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points after some of Newton's steps, where these go down in the gradient and not far."""
    for _ in range(20):
        gx, gy = surface.gradient(x, y)
        (a, b), (_, c) = surface.hessian(x, y)
        det = a * c - b * b
        dx, dy = (b * gy - c * gx) / det, (b * gx - a * gy) / det
        near = (det > 0) & (a > 0) & (np.hypot(dx, dy) < 0.1)
        x, y = np.where(near, x + dx, x), np.where(near, y + dy, y)
    return x, y
