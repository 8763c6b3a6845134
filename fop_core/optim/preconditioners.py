"""The forms of P that ``forms.FORMS`` lists, in torch, behind the same four verbs.

    init(n, rank, draw)                 the factor M [n, k] at the start, or None where nothing is learned
    apply(M, G)                         P G [n, m], and G^T M where it was formed on the way
    alignment(M, G, U, GtM)             the gradient of <G, P(M) U> in M [n, k]; the hypergradient is -eps times it
    matrix(M)                           P [..., n, n]

What ``apply``, ``alignment`` and ``norm`` take in M's place is what ``prepare(M)`` makes of a stack's M at each step: M
itself, or P where that takes a while. Then ``pull_back`` leads from the gradient in P to that in M.

``apply_rows`` and ``alignment_rows`` are ``apply`` and ``alignment`` of transposes [m, n], as weights [out, in] are
kept: the same products, without the transposes, which cost a small layer as much.

And two for scaling: ``norm(M)``, ``||P||_F^2`` and its gradient, and ``degree``, with
``<G, P(M) U> = <alignment, M> / degree`` (plus <G, U> for I + M M^T), by Euler's theorem on homogeneous functions. And
where M gives P's eigenvalues better than P does, ``spectrum(M)``, [n] in any order. ``quarter(M)`` divides P by four.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from fop_core.optim import maths
from fop_core.optim.forms import MEAN_REMOVED

Draw = Callable[[int, int], Tensor]  # (n, k) -> numbers ~ N(0, 1), [n, k]


class Preconditioner:
    """What the kinds share."""

    identity = False  # whether P is the identity plus what M makes
    degree: int
    apply: Any
    alignment: Any = None  # None: nothing is learned
    definite: Any = None  # None: P is positive semidefinite whatever M is
    spectrum: Any = None  # None: P itself has them
    pull_back: Any = None  # None: the gradient is in M already
    apply_rows: Any = None  # None: of matrices [n, m] alone
    alignment_rows: Any = None

    @staticmethod
    def prepare(M: Tensor) -> tuple[Tensor, Any]:
        """Return what a step applies, [L, n, k], and what ``pull_back`` needs beside it."""
        return M, None

    @classmethod
    def quarter(cls, M: Tensor) -> None:
        """Divide P by 4, or what M adds to the identity, in place; M [..., n, k]."""
        M.mul_(0.25 ** (1 / cls.degree))

    @classmethod
    def spectral_norm(cls, M: Tensor, vector: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        """Return ||P||_2 [L, 1, 1] from below and the unit vector [L, n, 1] to go on with: power iteration."""
        return maths.power_iteration(lambda v: cls.apply(M, v)[0], vector, iterations)


class Factored(Preconditioner):
    """P = M M^T, M [n, n] from the identity (Eq. 2). Positive semidefinite whatever M is."""

    name = "factored"
    degree = 2
    apply = staticmethod(maths.factored_apply)
    alignment = staticmethod(maths.factored_alignment)
    apply_rows = staticmethod(maths.factored_apply_rows)
    alignment_rows = staticmethod(maths.factored_alignment_rows)
    matrix = staticmethod(maths.factored_matrix)
    norm = staticmethod(maths.factored_norm)

    @staticmethod
    def init(n: int, rank: int, draw: Draw) -> Tensor:
        """Return I [n, n]."""
        return torch.eye(n)

    @staticmethod
    def spectrum(M: Tensor) -> Tensor:
        """Return M's singular values squared, [n]: none is negative, as one near 0 of a float32 P may come out."""
        return torch.nn.functional.pad(torch.linalg.svdvals(M).square(), (0, max(0, M.shape[0] - M.shape[1])))


class LowRank(Preconditioner):
    """P = I + M M^T, M [n, rank] (Eq. 5). Its eigenvalues are 1 or more: it can lengthen steps, never shorten them."""

    name = "low_rank"
    degree = 2
    identity = True
    apply = staticmethod(maths.low_rank_apply)
    alignment = staticmethod(maths.low_rank_alignment)
    apply_rows = staticmethod(maths.low_rank_apply_rows)
    alignment_rows = staticmethod(maths.factored_alignment_rows)
    norm = staticmethod(maths.low_rank_norm)

    @staticmethod
    def init(n: int, rank: int, draw: Draw) -> Tensor:
        """Return a draw [n, min(rank, n)]."""
        return draw(n, min(rank, n))

    @staticmethod
    def matrix(M: Tensor) -> Tensor:
        """Return I + M M^T [..., n, n]."""
        return torch.eye(M.shape[-2], dtype=M.dtype, device=M.device) + M @ M.mT

    @staticmethod
    def spectrum(M: Tensor) -> Tensor:
        """Return those of M M^T, each plus 1: [n]."""
        return 1 + Factored.spectrum(M)


class Direct(Preconditioner):
    """P = M, symmetric, from the identity (Eq. 1). Nothing keeps it positive definite."""

    name = "direct"
    degree = 1
    apply = staticmethod(maths.direct_apply)
    alignment = staticmethod(maths.direct_alignment)
    norm = staticmethod(maths.direct_norm)
    init = staticmethod(Factored.init)

    @staticmethod
    def matrix(M: Tensor) -> Tensor:
        """Return M itself."""
        return M

    @staticmethod
    def definite(M: Tensor) -> Tensor:
        """Return, for each M of a stack, whether it has a Cholesky factorization: [L] bool, no synchronisation."""
        return torch.linalg.cholesky_ex(M, check_errors=False).info == 0


class Exponential(Direct):
    """P = exp(M), M symmetric from 0: ``Direct`` in P, and the chain rule from there to M.

    P is positive definite whatever M is, and its logarithm moves at the same pace whether it is large or small: what M
    M^T has closed, since its hypergradient is (...) M, stays closed. No eigenvalues are computed: that would wait for
    the device.
    """

    name = "exponential"
    definite: Any = None  # it always is

    @staticmethod
    def init(n: int, rank: int, draw: Draw) -> Tensor:
        """Return 0 [n, n]."""
        return torch.zeros(n, n)

    @staticmethod
    def prepare(M: Tensor) -> tuple[Tensor, Tensor]:
        """Return P = exp(M) and its square root [L, n, n]."""
        root = maths.exponential_root(M, torch.eye(M.shape[-1], dtype=M.dtype, device=M.device))
        return root @ root, root

    @classmethod
    def quarter(cls, M: Tensor) -> None:
        """Divide P by 4 in place: A - log(4) I."""
        M.diagonal(dim1=-2, dim2=-1).sub_(math.log(4.0))

    @staticmethod
    def matrix(M: Tensor) -> Tensor:
        """Return exp(M) [..., n, n]."""
        return Exponential.prepare(M)[0]

    @staticmethod
    def spectrum(M: Tensor) -> Tensor:
        """Return the exponentials of A's eigenvalues, [n]."""
        return torch.linalg.eigvalsh(M).exp()

    @staticmethod
    def pull_back(M: Tensor, root: Tensor, gradient: Tensor, exact: bool) -> Tensor:
        """Return the gradient in A from that in P, all [L, n, n]; not ``exact``: by P^1/2 (.) P^1/2."""
        if exact:
            return maths.exponential_alignment(M, 2 * gradient)
        return maths.exponential_root_alignment(root, 2 * gradient)


class Scalar(Direct):
    """P = s I, one number for a tensor: hypergradient descent on its learning rate (S-HD, Baydin et al. 2017).

    In a layout of one row it is ``Direct`` with n = 1.
    """

    name = "scalar"

    @staticmethod
    def definite(M: Tensor) -> Tensor:
        """Return whether s >= 0: [L] bool."""
        return (M >= 0).flatten(1).all(1)


class Diagonal(Preconditioner):
    """P = diag(d), one number for each entry of a tensor (PP-HD, Almeida et al. 1998)."""

    name = "diagonal"
    degree = 1
    apply = staticmethod(maths.diagonal_apply)
    alignment = staticmethod(maths.diagonal_alignment)
    norm = staticmethod(maths.direct_norm)
    definite = staticmethod(Scalar.definite)

    @staticmethod
    def init(n: int, rank: int, draw: Draw) -> Tensor:
        """Return d = 1 [n, 1]."""
        return torch.ones(n, 1)

    @staticmethod
    def spectral_norm(M: Tensor, vector: Tensor, iterations: int) -> tuple[Tensor, Tensor]:
        """Return max |d| [L, 1, 1], and the vector as it was."""
        return M.abs().amax((-2, -1), keepdim=True), vector

    @staticmethod
    def matrix(M: Tensor) -> Tensor:
        """Return diag(d) [..., n, n]."""
        return torch.diag_embed(M.squeeze(-1))


class MeanRemoving(Preconditioner):
    """P = I - c 1 1^T / n with c = 0.95: the mean over rows taken out of the gradient. Nothing is learned.

    A baseline: most of what FOP learns on convolutions is this one direction.
    """

    name = "mean_removing"

    @staticmethod
    def init(n: int, rank: int, draw: Draw) -> Tensor:
        """Return an empty factor [n, 0]: it carries n, dtype and device."""
        return torch.empty(n, 0)

    @staticmethod
    def apply(M: Tensor, G: Tensor) -> tuple[Tensor, None]:
        """Return G - c mean(G) [n, m]."""
        return G - MEAN_REMOVED * G.mean(-2, keepdim=True), None

    @staticmethod
    def matrix(M: Tensor) -> Tensor:
        """Return I - c 1 1^T / n [..., n, n]."""
        n = M.shape[-2]
        P = torch.eye(n, dtype=M.dtype, device=M.device) - MEAN_REMOVED / n
        return P.expand(*M.shape[:-2], n, n)

    @staticmethod
    def norm(M: Tensor) -> tuple[Tensor, Tensor]:
        """Return ||P||_F^2 = n - 1 + (1 - c)^2 [..., 1, 1] and an empty gradient."""
        n = M.shape[-2]
        return M.new_full((*M.shape[:-2], 1, 1), n - 1 + (1 - MEAN_REMOVED) ** 2), M

    @staticmethod
    def spectrum(M: Tensor) -> Tensor:
        """Return 1 - c, and n - 1 times 1: [n]."""
        values = M.new_ones(len(M))
        values[0] -= MEAN_REMOVED
        return values


_KINDS = (Factored, LowRank, Direct, Exponential, Scalar, Diagonal, MeanRemoving)
PRECONDITIONERS = {kind.name: kind for kind in _KINDS}
