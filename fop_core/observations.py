"""What stands out in a layer's P over its snapshots: measured, and held against fixed bounds.

Pure functions on numpy arrays, in float64. The words for it are the pages'.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fop_core import inspection

Array = np.ndarray

APART = 2.0
"""The constant direction stands out where P lengthens it so many times more, or less, than the mean other direction."""
WHITENS = 0.02
"""Neighbours stand out where they are below 0, and below all other pairs, by this share of the mean diagonal."""
NEAR = 1.05
"""P is a multiple of I to a condition number of this, and I itself where the multiple is within it of 1."""
SETTLED = 0.99
"""Of the change of a gain from the first snapshot to the last: what has happened once it has come to rest."""
SMALLEST = 1e-6
"""A gain below this share of the others' counts as this share: float32 cannot tell it from 0."""


@dataclass(frozen=True)
class LayerMeasures:
    """What was measured of a layer's P.

    Attributes:
        n: rows of P.
        steps: of the snapshots of P, ascending, [s]; none where P's rows are no positions of a grid.
        gain: of the constant direction, [s].
        others: mean gain of all directions orthogonal to it, [s].
        neighbours: mean entry between neighbours in the grid, over the mean of the diagonal, [s].
        apart: the same between all other pairs, [s].
        spectrum_steps: of the snapshots whose eigenvalues are known, ascending, [e].
        condition: of P there, [e].
        scale: mean eigenvalue there, [e].

    Example:
        >>> from fop_core import observations, runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> spectra = layer.spectrum_steps, layer.spectra
        >>> measured = observations.measure(layer.n, layer.steps, layer.P, layer.kernel, *spectra)
        >>> measured.gain[[0, -1]].round(3), measured.others[[0, -1]].round(3)
        (array([1.   , 0.007]), array([1.   , 0.819]))
    """

    n: int
    steps: Array
    gain: Array
    others: Array
    neighbours: Array
    apart: Array
    spectrum_steps: Array
    condition: Array
    scale: Array


@dataclass(frozen=True)
class Observation:
    """Something that stands out.

    Attributes:
        kind: "constant", "neighbours" or "identity".
        n: rows of P.
        first: the step from which on it was looked at.
        last: the step until which.
        step: the one that it speaks of, at which ``value`` was measured.
        value: of "constant" the gain of the constant direction, of "neighbours" their mean entry over the mean
            diagonal, of "identity" the largest condition number.
        against: of "constant" the gain at ``first``, of "neighbours" that of other pairs, of "identity" the mean
            eigenvalue at ``step``.
        strength: how far it is beyond its bound, on a logarithmic scale from 0; of one kind they can be compared.

    Example:
        >>> from fop_core import observations, runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("mnist-fop-rank16-seed0")).layers["7.weight"]
        >>> spectra = layer.spectrum_steps, layer.spectra
        >>> [each] = observations.over_steps(observations.measure(layer.n, layer.steps, layer.P, None, *spectra))
        >>> each.kind, round(each.value, 3), round(each.against, 3)  # close to I: its condition, its mean eigenvalue
        ('identity', 1.042, 1.002)
    """

    kind: str
    n: int
    first: int
    last: int
    step: int
    value: float
    against: float
    strength: float


def gain(P: Array, v: Array) -> Array:
    """Return by how much P [..., n, n] lengthens a gradient along v [n]: ``P v . v / |v|^2``, [...].

    Example:
        >>> import numpy as np
        >>> from fop_core.observations import gain
        >>> gain(np.eye(3) - 0.9 / 3, np.ones(3)).round(9)  # P = I - 0.9 11^T/n, along the constant direction
        np.float64(0.1)
    """
    P, v = np.asarray(P, dtype=np.float64), np.asarray(v, dtype=np.float64)
    return np.einsum("...ij,i,j", P, v, v) / (v @ v)


def other_gain(P: Array, v: Array) -> Array:
    """Return the mean gain of P [..., n, n] over all directions orthogonal to v [n], [...]; NaN where n is 1.

    Example:
        >>> import numpy as np
        >>> from fop_core.observations import other_gain
        >>> other_gain(np.eye(3) - 0.9 / 3, np.ones(3)).round(9)
        np.float64(1.0)
    """
    P = np.asarray(P, dtype=np.float64)
    n = P.shape[-1]
    if n == 1:
        return np.full(P.shape[:-2], np.nan)
    return (np.trace(P, axis1=-2, axis2=-1) - gain(P, v)) / (n - 1)


def neighbours(P: Array, grid: tuple[int, int]) -> tuple[Array, Array]:
    """Return the mean entry of P between neighbours in a grid, and between all other pairs, over its mean diagonal.

    Neighbours are beside each other in a row or a column. NaN where there is no such pair, or the diagonal's mean is
    not above 0.

    Args:
        P: [..., n, n], row ``row * columns + column``.
        grid: (rows, columns), of a kernel or of an image.

    Returns:
        Each of the shape [...].

    Raises:
        ValueError: for a P that does not fit the grid.

    Example:
        >>> import numpy as np
        >>> from fop_core.observations import neighbours
        >>> P = np.array([[2.0, -0.5, 0.0], [-0.5, 2.0, -0.5], [0.0, -0.5, 2.0]])
        >>> neighbours(P, (1, 3))  # beside each other, and two apart
        (np.float64(-0.25), np.float64(0.0))
    """
    P = np.asarray(P, dtype=np.float64)
    n = math.prod(grid)
    if P.shape[-2:] != (n, n):
        raise ValueError(f"P is {list(P.shape[-2:])}, a grid {grid} needs [{n}, {n}]")
    masks = inspection.pairs(grid)
    beside = masks["row_neighbours"] | masks["column_neighbours"]
    apart = ~beside & ~np.eye(n, dtype=bool)
    diagonal = np.trace(P, axis1=-2, axis2=-1) / n
    scale = np.where(diagonal > 0, diagonal, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [P[..., pairs].sum(-1) / np.float64(pairs.sum()) / scale for pairs in (beside, apart)]
    return means[0], means[1]


def measure(
    n: int,
    steps: Sequence[int] | Array,
    P: Callable[[int], Array],
    grid: tuple[int, int] | None,
    spectrum_steps: Array,
    spectra: Array,
) -> LayerMeasures:
    """Return what is measured of a layer's P.

    Args:
        n: rows of P.
        steps: of its snapshots, ascending, [s].
        P: returns P [n, n] of the snapshot ``steps[at]``.
        grid: (rows, columns) of what P's rows are positions in, such as a kernel; None for none: then P is not called.
        spectrum_steps: [e].
        spectra: eigenvalues of P as applied, ascending, [e, n].

    Example:
        >>> import numpy as np
        >>> from fop_core.observations import measure
        >>> P = [np.eye(4), np.eye(4) - 0.9 / 4]  # of two snapshots, of a kernel of 2 x 2
        >>> spectra = np.stack([np.linalg.eigvalsh(each) for each in P])
        >>> measured = measure(4, [0, 100], lambda at: P[at], (2, 2), np.array([0, 100]), spectra)
        >>> measured.gain.round(9), measured.condition.round(6)
        (array([1. , 0.1]), array([ 1., 10.]))
    """
    rows = [] if grid is None else [_row(P(at), grid) for at in range(len(steps))]
    gains, others, beside, apart = np.array(rows, dtype=np.float64).reshape(len(rows), 4).T
    values = np.asarray(spectra, dtype=np.float64)
    there = values.size > 0
    condition = inspection.spectrum_summary(values)["condition"] if there else np.empty(0)
    return LayerMeasures(
        n,
        np.asarray(steps[: len(rows)], dtype=np.int64),
        gains,
        others,
        beside,
        apart,
        np.asarray(spectrum_steps if there else [], dtype=np.int64),
        condition,
        values.mean(-1) if there else np.empty(0),
    )


def _row(P: Array, grid: tuple[int, int]) -> tuple[Array, ...]:
    constant = np.ones(len(P))
    return gain(P, constant), other_gain(P, constant), *neighbours(P, grid)


def at_step(measured: LayerMeasures, step: int) -> list[Observation]:
    """Return what stands out in P of the very snapshot of a step, the constant direction since the first one.

    Example:
        >>> from fop_core import observations, runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> spectra = layer.spectrum_steps, layer.spectra
        >>> measured = observations.measure(layer.n, layer.steps, layer.P, layer.kernel, *spectra)
        >>> [[each.kind for each in observations.at_step(measured, step)] for step in (0, 5865)]
        [['identity'], ['constant', 'neighbours']]
    """
    shown = []
    if len(at := np.flatnonzero(measured.steps == step)):
        shown += [_constant(measured, int(at[0])), _neighbours(measured, int(at[0]))]
    if len(at := np.flatnonzero(measured.spectrum_steps == step)):
        shown.append(_identity(measured, slice(int(at[0]), int(at[0]) + 1)))
    return [each for each in shown if each is not None]


def over_steps(measured: LayerMeasures) -> list[Observation]:
    """Return what stands out over all snapshots: as it is at the last one, and of the identity at every one.

    Example:
        >>> from fop_core import observations, runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> spectra = layer.spectrum_steps, layer.spectra
        >>> measured = observations.measure(layer.n, layer.steps, layer.P, layer.kernel, *spectra)
        >>> [(each.kind, each.step, round(each.value, 3)) for each in observations.over_steps(measured)]
        [('constant', 1173, 0.016), ('neighbours', 5865, -0.262)]
    """
    shown = []
    if len(measured.steps):
        shown += [_constant(measured, settled(measured.gain), len(measured.steps) - 1)]
        shown += [_neighbours(measured, len(measured.steps) - 1)]
    if len(measured.spectrum_steps):
        shown.append(_identity(measured, slice(None)))
    return [each for each in shown if each is not None]


def settled(values: Array) -> int:
    """Return the index from which on values [s] keep ``SETTLED`` of their change from the first one to the last one.

    Example:
        >>> import numpy as np
        >>> from fop_core.observations import settled
        >>> settled(np.array([1.0, 0.5, 0.1, 0.02, 0.01, 0.01]))
        4
    """
    change = values[-1] - values[0]
    if not np.isfinite(change) or change == 0:
        return 0
    with np.errstate(invalid="ignore"):
        short = np.flatnonzero(~((values - values[0]) / change >= SETTLED))
    return int(short[-1]) + 1 if len(short) else 0


def _constant(measured: LayerMeasures, at: int, until: int | None = None) -> Observation | None:
    """Return that the constant direction stands out at a snapshot, and at a later one where that is given."""
    strengths = [_apart(measured, index) for index in (at, at if until is None else until)]
    if not all(strength >= 0 for strength in strengths):
        return None
    gains, steps = measured.gain, measured.steps
    last = steps[at if until is None else until]
    return Observation(
        "constant",
        measured.n,
        int(steps[0]),
        int(last),
        int(steps[at]),
        float(gains[at]),
        float(gains[0]),
        min(strengths),
    )


def _apart(measured: LayerMeasures, at: int) -> float:
    """Return how far the constant direction's gain is beyond its bound at a snapshot: not where below 0 or NaN."""
    gains, others = float(measured.gain[at]), float(measured.others[at])
    if not (math.isfinite(gains) and others > 0):
        return math.nan
    return abs(math.log(max(gains / others, SMALLEST))) - math.log(APART)


def _neighbours(measured: LayerMeasures, at: int) -> Observation | None:
    beside, apart = float(measured.neighbours[at]), float(measured.apart[at])
    below = min(-beside, apart - beside)
    if not below >= WHITENS:
        return None
    step = int(measured.steps[at])
    return Observation("neighbours", measured.n, step, step, step, beside, apart, math.log(below / WHITENS))


def _identity(measured: LayerMeasures, at: slice) -> Observation | None:
    conditions, scales, steps = (each[at] for each in (measured.condition, measured.scale, measured.spectrum_steps))
    if measured.n < 2 or not (conditions <= NEAR).all():
        return None
    strength = math.log(math.log(NEAR) / max(math.log(conditions.max()), SMALLEST))
    return Observation(
        "identity",
        measured.n,
        int(steps[0]),
        int(steps[-1]),
        int(steps[-1]),
        float(conditions.max()),
        float(scales[-1]),
        strength,
    )
