"""The minima at which many paths ended: those that a surface names, and others where they came to rest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from toy_functions.basins import DIVERGED, Batch
from toy_functions.racing import NEAR
from toy_functions.surfaces import Surface

Point = tuple[float, float]

MANY = 0.002  # of a batch's paths: so many rest at a point that is taken for a minimum
FLAT = 1e-3  # of the larger curvature: a smaller one counts as so much


@dataclass(frozen=True)
class Ends:
    """Where paths ended.

    Attributes:
        surface: with the extra minima among its local ones.
        batches: with ``minimum`` counting all of these minima.
        lowest: for each minimum whether f is lowest there, as far as that is known.
        extra_minima: the minima that the surface itself does not name.
    """

    surface: Surface
    batches: list[Batch]
    lowest: list[bool]
    extra_minima: tuple[Point, ...]

    @property
    def minima(self) -> tuple[Point, ...]:
        """All minima: what ``Batch.minimum`` counts."""
        return self.surface.minima + self.surface.local_minima


def find_ends(
    surface: Surface, batches: Sequence[Batch], tolerance: float, *, others: Sequence[Point] = (), most: int = 8
) -> Ends:
    """Return where paths ended.

    Args:
        surface: of all batches.
        batches: as ``basins`` returns them.
        tolerance: above the surface's floor, within which a minimum is a lowest one.
        others: minima that the surface does not name, in their order; more are looked for where many paths came to
            rest.
        most: of all minima; no more are looked for where there are as many.
    """
    extra_minima = [*others, *local_minima(surface, batches, others, most)]
    named = len(surface.minima + surface.local_minima)
    lowest = [True] * len(surface.minima) + [False] * len(surface.local_minima)
    lowest += [bool(surface.value(x, y) < surface.floor + tolerance) for x, y in extra_minima]
    return Ends(
        replace(surface, local_minima=surface.local_minima + tuple(extra_minima)),
        [replace(batch, minimum=_nearest(batch, extra_minima, named)) for batch in batches],
        lowest,
        tuple(extra_minima),
    )


def local_minima(surface: Surface, batches: Sequence[Batch], others: Sequence[Point], most: int) -> list[Point]:
    """Return minima at which many of the paths ended that ended at no known one, from left to right.

    Paths are counted by cells of ``racing.NEAR``. Of each cell with more than ``MANY`` of a batch's paths, the largest
    first, the end where f is lowest is taken, where it is a minimum and farther than two cells from every other.

    Args:
        surface: of all batches, which counts its own minima in ``Batch.minimum``.
        batches: of any shapes.
        others: minima that are known beside the surface's own.
        most: of all minima, known ones and new ones.
    """
    known = [*surface.minima, *surface.local_minima, *others]
    masks = [(batch.minimum < 0) & (batch.status != DIVERGED) for batch in batches]
    x, y = (np.concatenate([getattr(batch, axis)[mask] for batch, mask in zip(batches, masks)]) for axis in "xy")
    _, where, counts = np.unique(np.round(np.stack([x, y]) / NEAR), axis=1, return_inverse=True, return_counts=True)
    many = MANY * max(batch.status.size for batch in batches)
    minima: list[Point] = []
    with np.errstate(all="ignore"):
        for group in np.argsort(-counts, kind="stable"):
            if counts[group] < many or len(known) + len(minima) >= most:
                break
            here = np.flatnonzero(where == group)
            best = here[np.argmin(np.broadcast_to(surface.value(x[here], y[here]), here.shape))]
            at = float(x[best]), float(y[best])
            if is_minimum(surface, *at) and all(math.dist(at, other) > 2 * NEAR for other in (*known, *minima)):
                minima.append(at)
    return sorted(minima)


def is_minimum(surface: Surface, x: float, y: float) -> bool:
    """Return whether Newton's step from a point, held back where f is flat, says that a minimum is there.

    With eigenvalues b_i and eigenvectors v_i of the Hessian it does where no b_i is below -t, t = ``FLAT`` max b, and
    the step ``sum_i <v_i, grad f> / max(b_i, t) v_i`` is shorter than half of ``racing.NEAR``.
    """
    gradient, hessian = (np.array(part(x, y), np.float64) for part in (surface.gradient, surface.hessian))
    if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        return False
    bends, ways = np.linalg.eigh(hessian)
    least = FLAT * bends.max()
    return bool(bends.min() >= -least and np.hypot(*(ways.T @ gradient / np.maximum(bends, least))) < NEAR / 2)


def _nearest(batch: Batch, minima: Sequence[Point], first: int) -> np.ndarray:
    """Return ``Batch.minimum`` with those paths that ended near one of more minima, counted from ``first`` on."""
    minimum = batch.minimum.copy()
    with np.errstate(all="ignore"):
        for index, (x, y) in enumerate(minima, start=first):
            minimum[(batch.minimum < 0) & (np.hypot(batch.x - x, batch.y - y) < NEAR)] = index
    return minimum
