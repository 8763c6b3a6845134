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

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import basins
        >>> from toy_functions.ends import find_ends
        >>> from toy_functions.expressions import parse
        >>> surface = parse("(x^2 - 1)^2 + y^2", view=(-2, 2, -2, 2))
        >>> batches = basins(surface, {"SGD": SGD(0.05)}, columns=8, rows=8, max_steps=300)
        >>> ends = find_ends(surface, list(batches.values()), tolerance=1e-6)
        >>> [round(x, 3) for x, y in ends.extra_minima], ends.lowest
        ([-1.0, 1.0], [True, True])
        >>> ends.batches[0].minimum[0]
        array([0, 0, 0, 0, 1, 1, 1, 1], dtype=int16)
    """

    surface: Surface
    batches: list[Batch]
    lowest: list[bool]
    extra_minima: tuple[Point, ...]

    @property
    def minima(self) -> tuple[Point, ...]:
        """All minima: what ``Batch.minimum`` counts.

        Example:
            >>> from fop_core.optim.rules import SGD
            >>> from toy_functions.basins import descend
            >>> from toy_functions.ends import find_ends
            >>> from toy_functions.surfaces import BOOTH
            >>> find_ends(BOOTH, [descend(BOOTH, SGD(0.05), 0.0, -4.0)], tolerance=1e-6, others=[(5.0, 5.0)]).minima
            ((1.0, 3.0), (5.0, 5.0))
        """
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

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import descend
        >>> from toy_functions.ends import find_ends
        >>> from toy_functions.expressions import parse
        >>> surface = parse("(x^2 - 1)^2 + (x - 1)^2/10 + y^2", view=(-2, 2, -2, 2))
        >>> batch = descend(surface, SGD(0.1), np.array([-1.5, -0.5, 0.5, 1.5]), 1.0, max_steps=500)
        >>> ends = find_ends(surface, [batch], tolerance=1e-6)
        >>> [round(x, 2) for x, y in ends.minima], ends.lowest, ends.batches[0].minimum
        ([-0.95, 1.0], [False, True], array([0, 0, 1, 1], dtype=int16))
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

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import descend
        >>> from toy_functions.ends import local_minima
        >>> from toy_functions.expressions import parse
        >>> surface = parse("(x^2 - 1)^2 + y^2", view=(-2, 2, -2, 2))
        >>> batch = descend(surface, SGD(0.05), np.array([-1.5, 1.5]), 0.5, max_steps=300)
        >>> [round(x, 3) for x, y in local_minima(surface, [batch], [], most=8)]
        [-1.0, 1.0]
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

    Example:
        >>> from toy_functions.ends import is_minimum
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> is_minimum(HIMMELBLAU, 3.0, 2.0), is_minimum(HIMMELBLAU, -0.2708, -0.9230)  # the second is a maximum
        (True, False)
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
