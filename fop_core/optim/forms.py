"""What P can be, by the forms of ``FOP``: settings, pages, documents and what the browser gets all have it from here.

To add one: its name in ``FormName``, its row in ``FORMS``, and a class of that name in ``preconditioners``, which holds
the mathematics of a step. Nothing here needs torch.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

Array = np.ndarray
FormName: TypeAlias = Literal["factored", "low_rank", "direct", "exponential", "scalar", "diagonal", "mean_removing"]
MEAN_REMOVED = 0.95
"""The share of the mean over rows that "mean_removing" takes out."""


@dataclass(frozen=True)
class FormOfP:
    """One form of P.

    Attributes:
        name: what settings and files call it.
        formula: P, by what is learned.
        about: what it can do, or cannot.
        start: what is learned, before the first step; empty where nothing is.
        equation: of the paper.
        known_as: what the field calls it.
        method: of a run with it, a key of ``config.METHODS``; "fop" where other settings tell more.
        one_per: "tensor" or "parameter" where P is a number for each of them, and takes every tensor; else P is [n, n].
        has_rank: whether M is a draw [n, rank].
        symmetric: whether M is [n, n] and symmetric.
        max_dim: the largest n that is preconditioned unless another is given.
        P: M [..., n, k] -> P [..., n, n] before any scaling, in numpy; None where P is no matrix.
        spectrum: M -> eigenvalues [..., n], ascending; None for those of P as it comes out.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.forms import FORMS
        >>> M = np.array([[1.0], [2.0]])
        >>> FORMS["low_rank"].P(M), FORMS["low_rank"].spectrum(M).round(9)
        (array([[2., 2.],
               [2., 5.]]), array([1., 6.]))
    """

    name: FormName
    formula: str
    about: str
    start: str
    equation: str = ""
    known_as: str = ""
    method: str = "fop"
    one_per: Literal["", "tensor", "parameter"] = ""
    has_rank: bool = False
    symmetric: bool = False
    max_dim: int = 1024
    P: Callable[[Array], Array] | None = None
    spectrum: Callable[[Array], Array] | None = None

    @property
    def learns(self) -> bool:
        """Whether there is an M to learn.

        Example:
            >>> from fop_core.optim.forms import FORMS
            >>> [name for name, form in FORMS.items() if not form.learns]
            ['mean_removing']
        """
        return bool(self.start)

    @property
    def label(self) -> str:
        """What a reader chooses it by: "P = M Mᵀ (Eq. 2)".

        Example:
            >>> from fop_core.optim.forms import FORMS
            >>> FORMS["factored"].label, FORMS["scalar"].label
            ('P = M Mᵀ (Eq. 2)', 'P = s I (S-HD)')
        """
        origin = self.equation or self.known_as
        return f"P = {self.formula}" + (f" ({origin})" if origin else "") + ("" if self.learns else ", fixed")


def _product(M: Array) -> Array:
    return M @ M.mT


def _squares(M: Array) -> Array:
    """Return the eigenvalues of M M^T from M's singular values: none is negative, and a thin M takes little time."""
    n, k = M.shape[-2:]
    squares = np.square(np.linalg.svd(M, compute_uv=False))[..., ::-1]
    return np.pad(squares, [(0, 0)] * (M.ndim - 2) + [(max(n - k, 0), 0)])


def _itself(M: Array) -> Array:
    n, k = M.shape[-2:]
    if n != k:
        raise ValueError(f"this form needs a square M, not [{n}, {k}]")
    return M


def _exponential(A: Array) -> Array:
    finite = np.isfinite(_itself(A)).all((-2, -1), keepdims=True)  # of another, eigh raises
    values, vectors = np.linalg.eigh(np.where(finite, A, 0.0))
    return np.where(finite, (vectors * np.exp(values)[..., None, :]) @ vectors.mT, np.nan)


def _without_mean(M: Array) -> Array:
    n = M.shape[-2]
    return np.broadcast_to(np.eye(n) - MEAN_REMOVED / n, (*M.shape[:-1], n))


_ROWS = (
    FormOfP(
        "factored",
        "M Mᵀ",
        "can shorten and lengthen steps; positive semidefinite",
        start="I",
        equation="Eq. 2",
        P=_product,
        spectrum=_squares,
    ),
    FormOfP(
        "low_rank",
        "I + M Mᵀ",
        "can only lengthen steps",
        start="N(0, `init_std`²), [n, `rank`], `rank` at most n",
        equation="Eq. 5",
        has_rank=True,
        P=lambda M: np.eye(M.shape[-2]) + _product(M),
        spectrum=lambda M: 1 + _squares(M),
    ),
    FormOfP(
        "direct",
        "M",
        "symmetric; may turn indefinite, and warns when it does",
        start="I",
        equation="Eq. 1",
        symmetric=True,
        P=_itself,
    ),
    FormOfP(
        "exponential",
        "exp(M)",
        "M symmetric; positive definite, and comes back from any direction that it has closed",
        start="0",
        method="fop-exponential",
        symmetric=True,
        max_dim=128,
        P=_exponential,
        spectrum=lambda M: np.exp(np.linalg.eigvalsh(_itself(M))),
    ),
    FormOfP(
        "scalar",
        "s I",
        "one number for each tensor, by which its gradient is multiplied",
        start="1",
        known_as="S-HD",
        method="s-hd",
        one_per="tensor",
    ),
    FormOfP(
        "diagonal",
        "diag(d)",
        "one number for each parameter, by which its gradient is multiplied",
        start="1",
        known_as="PP-HD",
        method="pp-hd",
        one_per="parameter",
    ),
    FormOfP(
        "mean_removing",
        f"I − {MEAN_REMOVED}·11ᵀ/n",
        "nothing is learned: a baseline",
        "",
        method="mean-removing",
        P=_without_mean,
    ),
)
FORMS: Mapping[str, FormOfP] = MappingProxyType({form.name: form for form in _ROWS})
"""By their names."""
