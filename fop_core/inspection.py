"""What learned preconditioners are like: P of M, its spectrum, the whitening structure, the distribution of values.

Pure functions on numpy arrays, batched over leading dimensions, in float64. A run logs some of these quantities as it
trains, by ``training.diagnostics``; here they follow from any M or P that was stored.
"""

import math

import numpy as np

from fop_core.optim.forms import FORMS

Array = np.ndarray

RESOLUTION = 1e-6
"""An eigenvalue this many times smaller than the largest is 0 as far as a float32 M can tell."""
DEFINITENESS = ("positive definite", "numerically singular", "indefinite", "negative", "zero", "not finite")
"""What ``definiteness`` returns."""
VIEWS = ("change", "P", "shape", "rest")
"""What ``view`` shows of a P."""
MANY, COMMON = 4096, 0.995
"""Of so many entries of a matrix, this share counts for its ``largest``."""


def preconditioner(M: Array, form: str) -> Array:
    """Return P [..., n, n] of M [..., n, k], before any scaling.

    Args:
        M: what is learned.
        form: one of ``FORMS`` whose P is a matrix.

    Raises:
        ValueError: for another form, or a "direct" M that is not square.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import preconditioner
        >>> M = np.array([[1.0], [2.0]])
        >>> preconditioner(M, "factored"), preconditioner(M, "low_rank")
        (array([[1., 2.],
               [2., 4.]]), array([[2., 2.],
               [2., 5.]]))
    """
    if form not in FORMS or (P := FORMS[form].P) is None:
        able = ", ".join(name for name, each in FORMS.items() if each.P is not None)
        raise ValueError(f"{form!r} makes no P of an M: {able} do")
    return P(np.asarray(M, dtype=np.float64))


def residual(P: Array) -> Array:
    """Return what is left of P [..., n, n] after a I + c 11^T is fitted by least squares.

    The fit meets the mean of the diagonal and the mean of the entries beside it.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import residual
        >>> P = 2.0 * np.eye(3) - 0.25  # a I + c 11^T, and what comes on top
        >>> P[0, 1] = P[1, 0] = -0.85
        >>> residual(P)[0, 1:].round(2)
        array([-0.4,  0.2])
    """
    P = np.asarray(P, dtype=np.float64)
    n = P.shape[-1]
    trace = np.trace(P, axis1=-2, axis2=-1)
    beside = (P.sum((-2, -1)) - trace) / max(n * (n - 1), 1)
    fitted = beside[..., None, None] * np.ones((n, n))
    fitted = fitted + (trace / n - beside)[..., None, None] * np.eye(n)
    return P - fitted


def view(P: Array, what: str) -> Array:
    """Return P [n, n] as one of ``VIEWS``: "change" P - I, "P", "shape" P / ||P||_F, "rest" as ``residual``.

    The shape of P = 0 is NaN.

    Raises:
        ValueError: for another one.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import view
        >>> P = np.array([[3.0, 4.0], [4.0, 3.0]])
        >>> view(P, "change"), view(P, "shape").round(2)
        (array([[2., 4.],
               [4., 2.]]), array([[0.42, 0.57],
               [0.57, 0.42]]))
    """
    match what:
        case "change":
            return P - np.eye(len(P))
        case "P":
            return P
        case "shape":
            with np.errstate(invalid="ignore", divide="ignore"):
                return P / np.linalg.norm(P)
        case "rest":
            return residual(P)
    raise ValueError(f"{what!r} is no view of P: {', '.join(VIEWS)} are")


def largest(matrix: Array) -> float:
    """Return the largest size of an entry of a matrix [n, m]; of a large one that of all but the few that outshine it.

    Of ``MANY`` entries or more it is the quantile ``COMMON`` of ``|entries|``. NaN where one of them is NaN.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import largest
        >>> P = np.full((100, 100), 0.5)
        >>> P[0, 0] = 1000.0
        >>> largest(P[:9, :9]), largest(P)
        (1000.0, 0.5)
    """
    sizes = np.abs(matrix)
    return float(sizes.max() if sizes.size < MANY else np.quantile(sizes, COMMON))


def pooled_identity(n: int, side: int) -> Array:
    """Return the means of I [n, n] over the areas of a thumbnail [side, side], as ``diagnostics.thumbnail`` takes them.

    Area (i, j) covers rows floor(i n / side) to ceil((i + 1) n / side), and columns likewise.

    Example:
        >>> from fop_core.inspection import pooled_identity
        >>> pooled_identity(4, side=2)
        array([[0.5, 0. ],
               [0. , 0.5]])
    """
    begin = np.floor(np.arange(side) * n / side)
    end = np.ceil(np.arange(1, side + 1) * n / side)
    shared = np.minimum(end[:, None], end) - np.maximum(begin[:, None], begin)
    return np.maximum(shared, 0) / np.outer(end - begin, end - begin)


def symmetric(matrices: Array) -> bool:
    """Return whether matrices [..., n, n] are symmetric but for rounding.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import symmetric
        >>> symmetric(np.array([[2.0, 1.0], [1.0, 3.0]])), symmetric(np.array([[2.0, 1.0], [0.0, 3.0]]))
        (True, False)
    """
    size = float(np.abs(matrices).max(initial=0.0))
    return np.allclose(matrices, matrices.swapaxes(-1, -2), rtol=1e-3, atol=1e-5 * size)


def eigenvalues(P: Array) -> Array:
    """Return the eigenvalues [..., n] of the symmetric part of P [..., n, n], ascending; NaN where P is not finite.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import eigenvalues
        >>> eigenvalues(np.array([[2.0, 1.0], [1.0, 2.0]])).round(9)
        array([1., 3.])
    """
    P = np.asarray(P, dtype=np.float64)
    values = np.full(P.shape[:-1], np.nan)
    finite = np.isfinite(P).all((-2, -1))
    values[finite] = np.linalg.eigvalsh((P[finite] + P[finite].swapaxes(-1, -2)) / 2)
    return values


def spectrum(M: Array, form: str) -> Array:
    """Return the eigenvalues [..., n] of ``preconditioner(M, form)``, ascending; NaN where M is not finite.

    Where P is made of M M^T they come from M's singular values: so none of a definite P comes out negative, and a thin
    M of many rows takes no longer than it has columns.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import spectrum
        >>> M = np.array([[3.0], [4.0]])
        >>> spectrum(M, "factored").round(9), spectrum(M, "low_rank").round(9)
        (array([ 0., 25.]), array([ 1., 26.]))
    """
    if (of_M := FORMS[form].spectrum) is None:
        return eigenvalues(preconditioner(M, form))
    M = np.asarray(M, dtype=np.float64)
    values = np.full(M.shape[:-1], np.nan)
    finite = np.isfinite(M).all((-2, -1))
    values[finite] = of_M(M[finite])
    return values


def spectrum_summary(values: Array) -> dict[str, Array]:
    """Summarize eigenvalues [..., n] of a symmetric P, each of the shape [...]; NaN where one is not finite.

    Returns:
        eigenvalue_min, eigenvalue_max;
        condition: max / min, inf where min <= 0;
        effective_rank: the exponential of the Shannon entropy of ``|lambda| / sum |lambda|`` (Roy & Vetterli 2007);
        log_determinant: the sum of ``log lambda``, -inf where one is 0, NaN where one is negative.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import spectrum_summary
        >>> {name: round(float(value), 3) for name, value in spectrum_summary(np.array([0.5, 1.0, 2.0])).items()}
        {'eigenvalue_min': 0.5, 'eigenvalue_max': 2.0, 'condition': 4.0, 'effective_rank': 2.6, 'log_determinant': 0.0}
    """
    values = np.asarray(values, dtype=np.float64)
    values = np.where(np.isfinite(values).all(-1, keepdims=True), values, np.nan)
    least, most = values.min(-1), values.max(-1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        shares = np.abs(values) / np.abs(values).sum(-1, keepdims=True)
        entropy = -np.where(shares > 0, shares * np.log(np.where(shares > 0, shares, 1)), shares).sum(-1)
        return {
            "eigenvalue_min": least,
            "eigenvalue_max": most,
            "condition": np.where(np.isnan(least), np.nan, np.where(least <= 0, np.inf, most / least)),
            "effective_rank": np.exp(entropy),
            "log_determinant": np.log(values).sum(-1),
        }


def definiteness(least: float, most: float) -> str:
    """Say what a symmetric matrix is, by its least and its largest eigenvalue and the ``RESOLUTION`` of its M.

    Returns:
        One of ``DEFINITENESS``; "numerically singular" where the least cannot be told from 0, and the largest is above.

    Example:
        >>> from fop_core.inspection import definiteness
        >>> definiteness(0.5, 2.0), definiteness(1e-9, 2.0), definiteness(-0.5, 2.0)
        ('positive definite', 'numerically singular', 'indefinite')
    """
    if not (math.isfinite(least) and math.isfinite(most)):
        return "not finite"
    zero = RESOLUTION * max(abs(least), abs(most))
    if least > zero:
        return "positive definite"
    if least >= -zero:
        return "numerically singular" if most > zero else "zero"
    return "indefinite" if most > zero else "negative"


def pairs(kernel: tuple[int, int]) -> dict[str, Array]:
    """Return which pairs of a kernel's positions lie how to each other, bool [n, n] each, n = KH * KW.

    row_neighbours and row_others are in one kernel row, their columns differing by 1, by more; column_neighbours and
    column_others the same in one kernel column; elsewhere share neither. A position and itself are no pair.

    Example:
        >>> from fop_core.inspection import pairs
        >>> {name: int(mask.sum()) for name, mask in pairs((3, 3)).items()}
        {'row_neighbours': 12, 'row_others': 6, 'column_neighbours': 12, 'column_others': 6, 'elsewhere': 36}
    """
    row, column = np.divmod(np.arange(math.prod(kernel)), kernel[1])
    down, across = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
    return {
        "row_neighbours": (down == 0) & (across == 1),
        "row_others": (down == 0) & (across > 1),
        "column_neighbours": (across == 0) & (down == 1),
        "column_others": (across == 0) & (down > 1),
        "elsewhere": (down > 0) & (across > 0),
    }


def whitening(P: Array, kernel: tuple[int, int]) -> dict[str, Array]:
    """Measure the whitening structure of section 5 in spatial P [..., n, n], n = KH * KW; each of the shape [...].

    Whitening is negative between neighbours and not so elsewhere. Most of P - I is the constant direction 11^T, which
    makes every entry beside the diagonal negative: so neighbours are looked at in what ``residual`` leaves.

    Args:
        P: row ``kh * KW + kw``.
        kernel: (KH, KW).

    Returns:
        constant_sign: ``<P - I, 11^T/n>``, -c for I - c 11^T/n;
        constant_share: its square over ``||P - I||^2``; NaN for P = I;
        row_neighbours, row_others, column_neighbours, column_others, elsewhere: means of what is left over pairs of
        positions beside each other in one kernel row, farther apart in one, the same in columns, and over pairs that
        share neither; NaN where there is no such pair.

    Raises:
        ValueError: for a P that does not fit the kernel.

    Example:
        >>> from fop_core import inspection, runs
        >>> from fop_core.runs import learned
        >>> P = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"].P(-1)
        >>> measures = inspection.whitening(P, (3, 3))
        >>> measures["constant_sign"].round(2), measures["row_neighbours"].round(2), measures["elsewhere"].round(2)
        (np.float64(-0.99), np.float64(-0.14), np.float64(0.07))
    """
    P = np.asarray(P, dtype=np.float64)
    n = math.prod(kernel)
    if P.shape[-2:] != (n, n):
        raise ValueError(f"P is {list(P.shape[-2:])}, a kernel {kernel} needs [{n}, {n}]")
    change = P - np.eye(n)
    constant, square = change.sum((-2, -1)) / n, np.square(change).sum((-2, -1))
    left = residual(P)
    with np.errstate(divide="ignore", invalid="ignore"):
        measures = {"constant_share": constant * constant / square, "constant_sign": constant}
        measures |= {name: left[..., those].sum(-1) / np.float64(those.sum()) for name, those in pairs(kernel).items()}
    return measures


def whitening_score(P: Array, kernel: tuple[int, int]) -> Array:
    """Return the mean entry between neighbours in a kernel less that between other pairs, [...]: whitening is below 0.

    Neighbours are beside each other in a row or a column. Adding a I + c 11^T to P changes nothing. NaN where a kernel
    has no other pairs.

    Args:
        P: spatial, [..., n, n], row ``kh * KW + kw``.
        kernel: (KH, KW).

    Example:
        >>> from fop_core import inspection, runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> inspection.whitening_score(layer.all_P(), layer.kernel)[[0, 60, -1]].round(3)  # P comes to whiten
        array([ 0.   , -0.073, -0.151])
    """
    masks = pairs(kernel)
    beside = masks["row_neighbours"] | masks["column_neighbours"]
    others = masks["row_others"] | masks["column_others"] | masks["elsewhere"]
    P = np.asarray(P, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return P[..., beside].sum(-1) / np.float64(beside.sum()) - P[..., others].sum(-1) / np.float64(others.sum())


def rotation_bound_deg(condition: Array) -> Array:
    """Return by how many degrees at most a positive definite P turns a vector: arcsin((k - 1) / (k + 1)).

    Kantorovich's inequality, k = ``condition``, the ratio of the largest eigenvalue to the smallest; 90 where it is
    infinite. It is met halfway between the eigenvectors of these two.

    Example:
        >>> from fop_core.inspection import rotation_bound_deg
        >>> rotation_bound_deg([1.0, 3.0, float("inf")]).round(6)
        array([ 0., 30., 90.])
    """
    condition = np.asarray(condition, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.isinf(condition), 1.0, (condition - 1) / (condition + 1))
    return np.degrees(np.arcsin(ratio))


def rotation_bounds_deg(values: Array) -> Array:
    """Return ``rotation_bound_deg`` of P with the eigenvalues [s, n], ascending, each [s].

    NaN where one is below 0 by more than an M can tell: such a P may turn a vector by any angle.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import rotation_bounds_deg
        >>> rotation_bounds_deg(np.array([[1.0, 3.0], [-0.5, 3.0]])).round(6)
        array([30., nan])
    """
    bounds = rotation_bound_deg(spectrum_summary(values)["condition"])
    kinds = [definiteness(float(low), float(high)) for low, high in zip(values[:, 0], values[:, -1])]
    return np.where([kind in ("positive definite", "numerically singular") for kind in kinds], bounds, np.nan)


def histograms(values: Array, bins: int = 64) -> tuple[Array, Array]:
    """Count values [s, ...] in bins that all s share: counts [s, bins] and edges [bins + 1].

    The edges are those of the finite values' range, widened about them where they are all equal, as a snapshot's are; a
    value that is not finite falls in no bin.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import histograms
        >>> counts, edges = histograms(np.array([[0.0, 0.1, 1.0], [0.9, 1.0, np.nan]]), bins=2)
        >>> counts, edges
        (array([[2, 1],
               [0, 2]]), array([0. , 0.5, 1. ]))
    """
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), math.prod(np.shape(values)[1:]))
    finite = flat[np.isfinite(flat)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-290):
        half = max(0.5, 1e-3 * abs(low))
        low, high = low - half, high + half
    edges = np.linspace(low, high, bins + 1)
    counts = [np.histogram(row[np.isfinite(row)], edges)[0] for row in flat]
    return np.array(counts, dtype=np.int64).reshape(len(flat), bins), edges


def part_histograms(values: Array, part: str) -> tuple[Array, Array] | None:
    """Count the entries of matrices [s, n, k] on the "diagonal", or beside it, "off_diagonal": see ``histograms``.

    Of c such entries in each matrix there are 3 sqrt(c) bins, 16 to 64. None where there is no such entry.

    Example:
        >>> import numpy as np
        >>> from fop_core.inspection import part_histograms
        >>> P = np.stack([np.eye(9), 0.5 * np.eye(9)])  # two snapshots
        >>> counts, edges = part_histograms(P, "diagonal")
        >>> counts.sum(1), edges[[0, -1]]
        (array([9, 9]), array([0.5, 1. ]))
    """
    n, k = values.shape[-2:]
    diagonal = np.eye(n, k, dtype=bool)
    entries = values[:, diagonal if part == "diagonal" else ~diagonal]
    if not entries.shape[1]:
        return None
    return histograms(entries, bins=int(np.clip(3 * np.sqrt(entries.shape[1]), 16, 64)))
