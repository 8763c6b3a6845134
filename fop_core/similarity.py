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
    """

    change: float
    residuals: float
    angles_deg: list[float]


def similarity(P: Array, Q: Array, k: int) -> Similarity:
    """Return how alike P [n, n] and Q [n, n] are, with k <= n angles."""
    if not (np.isfinite(P).all() and np.isfinite(Q).all()):
        return Similarity(np.nan, np.nan, [np.nan] * k)
    eye = np.eye(len(P))
    return Similarity(
        correlation(P - eye, Q - eye),
        correlation(inspection.residual(P), inspection.residual(Q)),
        principal_angles_deg(leading(P, k), leading(Q, k)).tolist(),
    )


def correlation(P: Array, Q: Array) -> float:
    """Return the correlation of the entries of two matrices of one shape; NaN where one of them is constant."""
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
    """Return an orthonormal basis [n, k] of what P [n, n] changes most: eigenvectors of the largest |lambda - 1|."""
    values, vectors = np.linalg.eigh((np.asarray(P, dtype=np.float64) + np.asarray(P, dtype=np.float64).T) / 2)
    order = np.argsort(-np.abs(values - 1), kind="stable")
    return vectors[:, order[:k]]


def principal_angles_deg(A: Array, B: Array) -> Array:
    """Return the principal angles between two subspaces in degrees, ascending, [k].

    Björck & Golub 1973: cosines are singular values of A^T B; below 45 degrees from the sines, which tell small angles.

    Args:
        A: orthonormal columns, [n, k].
        B: orthonormal columns, [n, k].
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
    """
    vectors = leading(P, k)
    sign = np.sign(vectors[np.abs(vectors).argmax(0), np.arange(vectors.shape[1])])
    return vectors * sign, np.einsum("nk,nm,mk->k", vectors, P, vectors)
