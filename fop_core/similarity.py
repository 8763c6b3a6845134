"""How alike two learned preconditioners are (section 5): correlations of their entries, angles between subspaces.

Pure functions on numpy arrays, in float64.
"""

from typing import NamedTuple

import numpy as np

from fop_core import inspection

Array = np.ndarray


class Similarity(NamedTuple):
    """How alike two preconditioners of one size are; NaN where one of them is not finite.

    Attributes:
        change: correlation of the entries of P - I.
        residuals: correlation of what ``inspection.residual`` leaves of P.
        angles_deg: principal angles between the subspaces that each changes most, ascending.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import learned
        >>> from fop_core.similarity import similarity
        >>> layers = learned.of_run(runs.load("cifar10-fop-velocity")).layers
        >>> alike = similarity(layers["15.weight"].P(-1), layers["18.weight"].P(-1), k=2)
        >>> round(alike.change, 2), round(alike.residuals, 2), [round(angle) for angle in alike.angles_deg]
        (0.91, 0.87, [4, 9])
    """

    change: float
    residuals: float
    angles_deg: list[float]


def similarity(P: Array, Q: Array, k: int) -> Similarity:
    """Return how alike P [n, n] and Q [n, n] are, with k <= n angles.

    Example:
        >>> import numpy as np
        >>> from fop_core.similarity import similarity
        >>> P = np.diag([1.0, 2.0, 4.0])
        >>> round(similarity(P, P, k=1).change, 9), round(similarity(P, -P, k=1).change, 9)
        (1.0, -0.911667111)
    """
    if not (np.isfinite(P).all() and np.isfinite(Q).all()):
        return Similarity(np.nan, np.nan, [np.nan] * k)
    eye = np.eye(len(P))
    return Similarity(
        correlation(P - eye, Q - eye),
        correlation(inspection.residual(P), inspection.residual(Q)),
        principal_angles_deg(leading(P, k), leading(Q, k)).tolist(),
    )


def correlation(P: Array, Q: Array) -> float:
    """Return the correlation of the entries of two matrices of one shape; NaN where one of them is constant.

    Example:
        >>> import numpy as np
        >>> from fop_core.similarity import correlation
        >>> P = np.array([[2.0, 1.0], [1.0, 3.0]])
        >>> round(correlation(P, 5.0 * P + 1.0), 9), correlation(P, np.ones((2, 2)))
        (1.0, nan)
    """
    p, q = (_about_the_mean(np.asarray(matrix, dtype=np.float64).ravel()) for matrix in (P, Q))
    return float(p @ q)


def _about_the_mean(values: Array) -> Array:
    """Return values [n] less their mean, of length 1; NaN where they are all equal but for rounding."""
    size = np.abs(values).max()
    scaled = values / size if size > 0 else values
    centred = scaled - scaled.mean()
    length = np.linalg.norm(centred)
    return centred / length if length > 1e-12 else np.full(len(values), np.nan)


def leading(P: Array, k: int) -> Array:
    """Return an orthonormal basis [n, k] of what P [n, n] changes most: eigenvectors of the largest |lambda - 1|.

    Example:
        >>> import numpy as np
        >>> from fop_core.similarity import leading
        >>> abs(leading(np.diag([1.0, 0.1, 1.5]), k=2))  # 0.1 is farther from 1 than 1.5
        array([[0., 0.],
               [1., 0.],
               [0., 1.]])
    """
    values, vectors = np.linalg.eigh((np.asarray(P, dtype=np.float64) + np.asarray(P, dtype=np.float64).T) / 2)
    order = np.argsort(-np.abs(values - 1), kind="stable")
    return vectors[:, order[:k]]


def principal_angles_deg(A: Array, B: Array) -> Array:
    """Return the principal angles between two subspaces in degrees, ascending, [k].

    Björck & Golub 1973: cosines are singular values of A^T B; below 45 degrees from the sines, which tell small angles.

    Args:
        A: orthonormal columns, [n, k].
        B: orthonormal columns, [n, k].

    Example:
        >>> import numpy as np
        >>> from fop_core.similarity import principal_angles_deg
        >>> A, B = np.eye(3)[:, :2], np.eye(3)[:, 1:]  # two planes with a line in common
        >>> principal_angles_deg(A, B)
        array([ 0., 90.])
    """
    cosines = np.clip(np.linalg.svd(A.T @ B, compute_uv=False), 0, 1)
    sines = np.clip(np.linalg.svd(B - A @ (A.T @ B), compute_uv=False)[::-1], 0, 1)
    return np.degrees(np.where(cosines**2 > 0.5, np.arcsin(sines), np.arccos(cosines)))


def random_angles_deg(n: int, k: int, draws: int) -> Array:
    """Return the median principal angles between two random subspaces of k dimensions in n, in degrees, ascending, [k].

    Bases are Q of the QR decomposition of [n, k] normal numbers, so that subspaces are uniform; the draws are seeded.

    Args:
        n: dimensions of the space.
        k: dimensions of each subspace, at most n.
        draws: pairs of subspaces.

    Example:
        >>> from fop_core.similarity import random_angles_deg
        >>> random_angles_deg(9, 2, draws=200).round()  # what two unrelated subspaces have
        array([52., 81.])
    """
    random = np.random.default_rng(0)
    angles = []
    for _ in range(draws):
        one, two = (np.linalg.qr(random.standard_normal((n, k)))[0] for _ in range(2))
        angles.append(principal_angles_deg(one, two))
    return np.median(angles, axis=0)


def leading_modes(P: Array, k: int) -> tuple[Array, Array]:
    """Return the basis of ``leading``, each vector with its largest entry positive, [n, k], and v^T P v of each, [k].

    Of a symmetric P these are its eigenvalues.

    Example:
        >>> import numpy as np
        >>> from fop_core.similarity import leading_modes
        >>> leading_modes(np.diag([1.0, 0.25, 1.5]), k=2)
        (array([[0., 0.],
               [1., 0.],
               [0., 1.]]), array([0.25, 1.5 ]))
    """
    vectors = leading(P, k)
    sign = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])])
    return vectors * sign, np.einsum("nk,nm,mk->k", vectors, P, vectors)
