"""The paper's equations as pure functions: no state, no ``self``, no import of a framework.

One layout everywhere. A gradient is a matrix ``G [..., n, m]``: ``n`` rows are preconditioned, ``m`` columns share the
preconditioner. ``U [..., n, m]`` is the trace of earlier gradients that the last step was made of (the previous
gradient alone in the paper's Eq. 4). ``M [..., n, k]`` is what is learned and ``P [..., n, n]`` what is applied. Every
function is batched over leading dimensions and works on anything that has ``@``, ``+``, ``-``, ``*``, ``.mT`` and
``.shape``: a torch tensor, a numpy array, or the 2 x 2 matrix of components in ``rules``.

What M descends is ``phi(M) = -eps <G, P(M) U>`` with G, U and eps held constant (Eq. 3 and 4). The ``*_alignment``
functions return the gradient of ``<G, P(M) U>``; the factor ``-eps`` is the caller's.

Parameters keep their output dimension first, so ``G.mT`` is contiguous where G is not: products are written as
``(G.mT @ X).mT`` and cost no copy.
"""

from collections.abc import Callable
from typing import Any

Matrix = Any  # torch.Tensor, numpy.ndarray or rules.Components


def forms_square(M: Matrix, G: Matrix) -> bool:
    """Whether to form P and G U^T as n x n matrices, from the shapes of M [..., n, k] and G [..., n, m].

    With five products of n m k operations the hypergradient of M M^T never needs them; forming them costs
    2 n n (m + k). They are never formed for a low rank (k < n), whatever the count says.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import forms_square
        >>> forms_square(np.eye(9), np.zeros((9, 4096))), forms_square(np.zeros((784, 16)), np.zeros((784, 100)))
        (True, False)
    """
    shape = M.shape
    n, k = shape[-2], shape[-1]
    if k < n:
        return False
    m = G.shape[-1]
    return 2 * n * (m + k) < 5 * m * k


# P = M M^T (Eq. 2) --------------------------------------------------------------------------------------------------


def factored_apply(M: Matrix, G: Matrix) -> tuple[Matrix, Matrix | None]:
    """Return ``M M^T G [..., n, m]`` and, where it was formed on the way, ``G^T M [..., m, k]`` (Eq. 2).

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import factored_apply
        >>> M, G = np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[1.0], [0.0]])
        >>> PG, GtM = factored_apply(M, G)
        >>> PG, M @ M.T
        (array([[4.],
               [2.]]), array([[4., 2.],
               [2., 2.]]))
    """
    if forms_square(M, G):
        return (G.mT @ (M @ M.mT)).mT, None
    GtM = G.mT @ M
    return (GtM @ M.mT).mT, GtM


def factored_alignment(M: Matrix, G: Matrix, U: Matrix, GtM: Matrix | None = None) -> Matrix:
    """Return ``(G U^T + U G^T) M [..., n, k]``, the gradient of ``<G, M M^T U>`` (Eq. 4).

    Args:
        M: the factor, [..., n, k].
        G: the gradient, [..., n, m].
        U: the trace of earlier gradients, [..., n, m].
        GtM: ``G^T M [..., m, k]`` where ``factored_apply`` has formed it.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import factored_alignment
        >>> G, U = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])  # this gradient, and the one before
        >>> factored_alignment(np.eye(2), G, U)
        array([[ 6., 10.],
               [10., 16.]])
    """
    if GtM is None and forms_square(M, G):
        GUt = G @ U.mT
        return (GUt + GUt.mT) @ M
    if GtM is None:
        GtM = G.mT @ M
    alignment = G @ (U.mT @ M)
    if hasattr(alignment, "addmm_") and alignment.ndim == 2:  # torch: in place on what was made here
        return alignment.addmm_(U, GtM)
    return alignment + U @ GtM


def factored_matrix(M: Matrix) -> Matrix:
    """Return ``P = M M^T [..., n, n]``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import factored_matrix
        >>> factored_matrix(np.array([[2.0, 0.0], [1.0, 1.0]]))
        array([[4., 2.],
               [2., 2.]])
    """
    return M @ M.mT


def factored_norm(M: Matrix) -> tuple[Matrix, Matrix]:
    """Return ``||M M^T||_F^2 [..., 1, 1]`` and its gradient ``4 M M^T M [..., n, k]``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import factored_norm
        >>> square, gradient = factored_norm(2.0 * np.eye(3))  # P = 4 I, its norm squared 3 x 16
        >>> square, gradient[0, 0]
        (array([[48.]]), np.float64(32.0))
    """
    MtM = M.mT @ M
    return _inner(MtM, MtM), 4 * (M @ MtM)


def factored_apply_rows(M: Matrix, Gt: Matrix) -> tuple[Matrix, Matrix]:
    """Return ``(M M^T G)^T [m, n]`` and ``G^T M [m, k]``: ``factored_apply`` of torch tensors without its transposes.

    Args:
        M: the factor, [n, k].
        Gt: the gradient's transpose, [m, n], as a weight [out, in] has it.

    Example:
        >>> import torch
        >>> from fop_core.optim.maths import factored_apply_rows
        >>> M, G = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [1.0]])
        >>> factored_apply_rows(M, G.mT)[0].tolist(), (M @ M.mT @ G).mT.tolist()
        ([[5.0, 10.0]], [[5.0, 10.0]])
    """
    GtM = Gt @ M
    return GtM @ M.mT, GtM


def factored_alignment_rows(M: Matrix, Gt: Matrix, Ut: Matrix, GtM: Matrix | None = None) -> Matrix:
    """Return what ``factored_alignment`` does where no square is formed, [n, k], of torch tensors [m, n].

    Args:
        M: the factor, [n, k].
        Gt: the gradient's transpose, [m, n].
        Ut: that of the trace of earlier gradients, [m, n].
        GtM: ``G^T M [m, k]`` where it has been formed.

    Example:
        >>> import torch
        >>> from fop_core.optim.maths import factored_alignment_rows
        >>> M, G, U = (torch.tensor([[a], [b]]) for a, b in ((1.0, 2.0), (3.0, 1.0), (1.0, 1.0)))
        >>> factored_alignment_rows(M, G.mT, U.mT).tolist(), ((G @ U.mT + U @ G.mT) @ M).tolist()
        ([[14.0], [8.0]], [[14.0], [8.0]])
    """
    return (Gt.mT @ (Ut @ M)).addmm_(Ut.mT, Gt @ M if GtM is None else GtM)


# P = I + M M^T (Eq. 5) ----------------------------------------------------------------------------------------------


def low_rank_apply(M: Matrix, G: Matrix) -> tuple[Matrix, Matrix | None]:
    """Return ``(I + M M^T) G [..., n, m]`` and ``G^T M`` where it was formed (Eq. 5).

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import low_rank_apply
        >>> M, G = np.array([[1.0], [1.0]]), np.array([[1.0], [0.0]])
        >>> low_rank_apply(M, G)[0]  # (I + M M^T) G
        array([[2.],
               [1.]])
    """
    Gt = G.mT
    if forms_square(M, G):
        return G + (Gt @ (M @ M.mT)).mT, None
    GtM = Gt @ M
    if hasattr(Gt, "addmm") and Gt.ndim == 2:  # torch: in one pass
        return Gt.addmm(GtM, M.mT).mT, GtM
    return G + (GtM @ M.mT).mT, GtM


def low_rank_apply_rows(M: Matrix, Gt: Matrix) -> tuple[Matrix, Matrix]:
    """Return ``((I + M M^T) G)^T [m, n]`` and ``G^T M [m, k]``, see ``factored_apply_rows``.

    Example:
        >>> import torch
        >>> from fop_core.optim.maths import low_rank_apply_rows
        >>> M, G = torch.tensor([[1.0], [2.0]]), torch.tensor([[3.0], [1.0]])
        >>> low_rank_apply_rows(M, G.mT)[0].tolist()
        [[8.0, 11.0]]
    """
    GtM = Gt @ M
    return Gt.addmm(GtM, M.mT), GtM


low_rank_alignment = factored_alignment  # the identity does not depend on M


def low_rank_norm(M: Matrix) -> tuple[Matrix, Matrix]:
    """Return ``||I + M M^T||_F^2 [..., 1, 1]`` and its gradient ``4 (M + M M^T M) [..., n, k]``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import low_rank_norm
        >>> square, gradient = low_rank_norm(np.array([[1.0], [1.0]]))  # P = [[2, 1], [1, 2]]
        >>> square.item(), gradient
        (10.0, array([[12.],
               [12.]]))
    """
    square, gradient = factored_norm(M)
    return M.shape[-2] + 2 * _inner(M, M) + square, 4 * M + gradient


# P = M, symmetric (Eq. 1) -------------------------------------------------------------------------------------------


def direct_apply(M: Matrix, G: Matrix) -> tuple[Matrix, None]:
    """Return ``M G [..., n, m]`` for a symmetric M (Eq. 1).

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import direct_apply
        >>> direct_apply(np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[1.0], [0.0]]))[0]
        array([[2.],
               [1.]])
    """
    return (G.mT @ M).mT, None


def direct_alignment(M: Matrix, G: Matrix, U: Matrix, GtM: None = None) -> Matrix:
    """Return ``(G U^T + U G^T) / 2 [..., n, n]``: the gradient of ``<G, M U>`` among symmetric M.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import direct_alignment
        >>> G, U = np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])
        >>> direct_alignment(np.eye(2), G, U)
        array([[3., 5.],
               [5., 8.]])
    """
    GUt = G @ U.mT
    return 0.5 * (GUt + GUt.mT)


def direct_norm(M: Matrix) -> tuple[Matrix, Matrix]:
    """Return ``||M||_F^2 [..., 1, 1]`` and its gradient ``2 M``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import direct_norm
        >>> square, gradient = direct_norm(np.array([[2.0, 1.0], [1.0, 2.0]]))
        >>> square.item(), gradient
        (10.0, array([[4., 2.],
               [2., 4.]]))
    """
    return _inner(M, M), 2 * M


# P = exp(A), A symmetric --------------------------------------------------------------------------------------------

TAYLOR_DEGREE = 8
SQUARINGS = 6


def exponential_root(A: Matrix, identity: Matrix) -> Matrix:
    """Return ``R = exp(A / 2) [..., n, n]`` for a symmetric A: P = R R is ``factored`` with R in M's place.

    Taylor's polynomial of A / 2^7, squared six times: right to 1e-10 of max(1, ||exp(A)||) up to ||A|| = 20 in
    float64, to 1e-8 up to 40. No eigenvalue is computed and no norm looked at, so no device is waited for. What is
    carried along is X = exp(.) - I, by (I + X)^2 = I + (2 X + X^2): else a small A drowns in the identity's rounding.

    Args:
        A: symmetric, [..., n, n].
        identity: I [n, n].

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import exponential_root
        >>> R = exponential_root(np.diag([np.log(4.0), 0.0]), np.eye(2))
        >>> (R @ R).round(12)  # exp of it
        array([[4., 0.],
               [0., 1.]])
    """
    B = 0.5 ** (SQUARINGS + 1) * A
    X = (1 / TAYLOR_DEGREE) * B
    for k in range(TAYLOR_DEGREE - 1, 0, -1):  # Horner's scheme
        X = (1 / k) * (B + B @ X)
    for _ in range(SQUARINGS):
        X = 2 * X + X @ X
    return identity + X


def exponential_alignment(A: Matrix, S: Matrix) -> Matrix:
    """Return the gradient of ``<S, exp(A)> / 2`` among symmetric A, [..., n, n].

    With ``S = G U^T + U G^T`` it is that of ``<G, exp(A) U>``: half the Frechet derivative of exp at A in the direction
    S, which is its own adjoint. ``exponential_root``'s polynomial and squarings are differentiated one by one (Al-Mohy
    & Higham 2009).

    Args:
        A: symmetric, [..., n, n].
        S: symmetric, [..., n, n].

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import exponential_alignment
        >>> S = np.array([[2.0, 1.0], [1.0, 4.0]])
        >>> exponential_alignment(np.zeros((2, 2)), S)  # at A = 0 it is S / 2
        array([[1. , 0.5],
               [0.5, 2. ]])
        >>> exponential_alignment(np.diag([np.log(4.0), 0.0]), S).round(4)
        array([[4.   , 1.082],
               [1.082, 2.   ]])
    """
    B, dB = 0.5 ** (SQUARINGS + 1) * A, 0.5 ** (SQUARINGS + 2) * S
    X, dX = (1 / TAYLOR_DEGREE) * B, (1 / TAYLOR_DEGREE) * dB
    for k in range(TAYLOR_DEGREE - 1, 0, -1):
        X, dX = (1 / k) * (B + B @ X), (1 / k) * (dB + dB @ X + B @ dX)
    for _ in range(SQUARINGS + 1):
        XdX = X @ dX
        X, dX = 2 * X + X @ X, 2 * dX + (XdX + XdX.mT)
    return dX


def exponential_root_alignment(R: Matrix, S: Matrix) -> Matrix:
    """Return ``R S R / 2 [..., n, n]``, R = exp(A / 2): the cheap stand-in for ``exponential_alignment``.

    Between two eigenvectors of A whose eigenvalues are 2 d apart it is too small, by the factor d / sinh(d); where A
    and S commute, and so at A = 0, the two are one.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import exponential_root, exponential_root_alignment
        >>> R = exponential_root(np.diag([np.log(4.0), 0.0]), np.eye(2))
        >>> exponential_root_alignment(R, np.array([[2.0, 1.0], [1.0, 4.0]])).round(4)  # exact: 1.082 off the diagonal
        array([[4., 1.],
               [1., 2.]])
    """
    RSR = R @ S @ R
    return 0.25 * (RSR + RSR.mT)


def exponential_norm(R: Matrix) -> tuple[Matrix, Matrix]:
    """Return ``||exp(A)||_F^2 [..., 1, 1]`` and its gradient ``2 exp(2 A) [..., n, n]``, from R = exp(A / 2).

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import exponential_norm, exponential_root
        >>> square, gradient = exponential_norm(exponential_root(np.diag([np.log(4.0), 0.0]), np.eye(2)))
        >>> round(square.item(), 9), gradient.round(9)
        (17.0, array([[32.,  0.],
               [ 0.,  2.]]))
    """
    P = R @ R
    return _inner(P, P), 2 * (P @ P)


# P = diag(d), d kept as a column [..., n, 1] ------------------------------------------------------------------------


def diagonal_apply(d: Matrix, G: Matrix) -> tuple[Matrix, None]:
    """Return ``diag(d) G [..., n, 1]`` for a single column G.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import diagonal_apply
        >>> diagonal_apply(np.array([[2.0], [0.5]]), np.array([[1.0], [4.0]]))[0]
        array([[2.],
               [2.]])
    """
    return d * G, None


def diagonal_alignment(d: Matrix, G: Matrix, U: Matrix, GtM: None = None) -> Matrix:
    """Return ``G * U [..., n, 1]``, the gradient of ``<G, diag(d) U>`` for a single column.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import diagonal_alignment
        >>> G, U = np.array([[1.0], [2.0]]), np.array([[3.0], [-4.0]])
        >>> diagonal_alignment(np.ones((2, 1)), G, U)  # grows along x, where gradients agree, and shrinks along y
        array([[ 3.],
               [-8.]])
    """
    return G * U


# scaling ------------------------------------------------------------------------------------------------------------


def normalization(n: int, square: Matrix) -> Matrix:
    """Return the factor ``sqrt(n) / ||P||_F`` of Eq. 9 from ``||P||_F^2``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import factored_norm, normalization
        >>> square, _ = factored_norm(2.0 * np.eye(3))
        >>> normalization(3, square).item()  # brings P = 4 I back to I
        0.25
    """
    return (n / square) ** 0.5


def normalized_alignment(
    alignment: Matrix, value: Matrix, square: Matrix, square_gradient: Matrix, scale: Matrix
) -> Matrix:
    """Return the exact gradient of ``<G, s(M) P(M) U>``, s the factor of Eq. 9.

    ``d(s a) = s (da - a / (2 ||P||^2) d||P||^2)``, with a = <G, P U>.

    Args:
        alignment: the gradient of a, [..., n, k].
        value: a itself, [..., 1, 1].
        square: ``||P||_F^2 [..., 1, 1]``.
        square_gradient: its gradient, [..., n, k].
        scale: s, [..., 1, 1].

    Example:
        >>> import numpy as np
        >>> from fop_core.optim import maths
        >>> M, G, U = np.eye(2), np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]])
        >>> square, square_gradient = maths.factored_norm(M)
        >>> value, scale = np.array([[(G * U).sum()]]), maths.normalization(2, square)
        >>> alignment = maths.factored_alignment(M, G, U)
        >>> maths.normalized_alignment(alignment, value, square, square_gradient, scale)  # holds trace and norm
        array([[-5., 10.],
               [10.,  5.]])
    """
    return scale * (alignment - (0.5 * value / square) * square_gradient)


def theorem_1_scale(t: Matrix, norm: Matrix, limit: float) -> Matrix:
    """Return the factor that brings P from its norm to ``gamma(t) = d ||P||_2 + (1 - d) p_inf``, ``d = 1 / t^2``.

    Args:
        t: the step, counted from 1, [..., 1, 1].
        norm: ``||P||_2 [..., 1, 1]``.
        limit: Theorem 1's p_inf.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import theorem_1_scale
        >>> [theorem_1_scale(step, norm=5.0, limit=1.0) * 5.0 for step in (1, 2, 10, 100)]  # ||P|| goes from 5 to 1
        [5.0, 2.0, 1.04, 1.0004]
    """
    decay = 1 / (t * t)
    return decay + (1 - decay) * (limit / norm)


def power_iteration(apply: Callable[[Matrix], Matrix], v: Matrix, iterations: int) -> tuple[Matrix, Matrix]:
    """Return an estimate of ``||P||_2 [..., 1, 1]``, from below, and the unit vector [..., n, 1] to go on with.

    Args:
        apply: v -> P v for a symmetric P.
        v: where to start, [..., n, 1], not zero.
        iterations: how many products.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.maths import power_iteration
        >>> P = np.array([[2.0, 1.0], [1.0, 2.0]])  # eigenvalues 1 and 3
        >>> norm, v = power_iteration(lambda v: P @ v, np.array([[1.0], [0.0]]), iterations=8)
        >>> round(norm.item(), 4), v.round(2)
        (3.0, array([[0.71],
               [0.71]]))
    """
    norm = _inner(v, v) ** 0.5
    for _ in range(iterations):
        v = apply(v * (1 / norm))
        norm = _inner(v, v) ** 0.5
    return norm, v * (1 / norm)


def _inner(A: Matrix, B: Matrix) -> Matrix:
    """Return ``<A, B> [..., 1, 1]``."""
    return (A * B).sum((-2, -1))[..., None, None]
