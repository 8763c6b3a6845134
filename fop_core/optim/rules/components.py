"""Small matrices of components: what lets the equations of ``maths`` run on the two components of a point.

The functions here take ``Components``, and numpy arrays [..., n, m] as well: a rule that is written with them runs on
two components, where a batch of any shape is the entries' own, and on points of n components alike. A number of such a
matrix, as ``inner`` gives one, is a component for the first kind and [..., 1, 1] for the second.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fop_core.optim import elementary

Component = Any  # float, numpy.ndarray or torch.Tensor
Matrix = Any  # Components or numpy.ndarray
State = Any
Step = tuple[Component, Component, State]


class Components:
    """A small matrix whose entries are components: enough of one for ``maths``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import Components
        >>> P, g = Components([[2.0, 1.0], [1.0, 3.0]]), Components([[np.array([1.0, 0.0])], [np.array([0.0, 1.0])]])
        >>> (P @ g).rows  # P times two gradients at once: (1, 0) and (0, 1)
        [[array([2., 1.])], [array([1., 3.])]]
    """

    __slots__ = ("rows",)
    __array_ufunc__ = None  # an array of numbers times a matrix is __rmul__'s

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; the entries' own shape does not count.

        Example:
            >>> from fop_core.optim.rules import Components
            >>> Components([[1.0], [2.0]]).shape
            (2, 1)
        """
        return len(self.rows), len(self.rows[0])

    @property
    def mT(self) -> "Components":
        """The transpose.

        Example:
            >>> from fop_core.optim.rules import Components
            >>> Components([[1.0], [2.0]]).mT.rows
            ((1.0, 2.0),)
        """
        return Components(tuple(zip(*self.rows)))

    def __matmul__(self, other: "Components") -> "Components":
        columns = tuple(zip(*other.rows))
        return Components([[_dot(row, column) for column in columns] for row in self.rows])

    def __add__(self, other: "Components") -> "Components":
        return Components([[a + b for a, b in zip(*pair)] for pair in zip(self.rows, other.rows)])

    def __sub__(self, other: "Components") -> "Components":
        return Components([[a - b for a, b in zip(*pair)] for pair in zip(self.rows, other.rows)])

    def __mul__(self, other: "Components") -> "Components":
        return Components([[a * b for a, b in zip(*pair)] for pair in zip(self.rows, other.rows)])

    def __rmul__(self, number: Component) -> "Components":
        return Components([[number * entry for entry in row] for row in self.rows])


def _dot(row: Any, column: Any) -> Component:
    total = row[0] * column[0]
    for a, b in zip(row[1:], column[1:]):
        total = total + a * b
    return total


def each(function: Callable[..., Component], *matrices: Matrix) -> Matrix:
    """Return the matrix of a function of the entries of matrices of one shape.

    Example:
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import each
        >>> each(max, Components([[1.0], [5.0]]), Components([[2.0], [4.0]])).rows
        [[2.0], [5.0]]
    """
    if isinstance(matrices[0], Components):
        return Components([[function(*entries) for entries in zip(*rows)] for rows in zip(*(A.rows for A in matrices))])
    return function(*matrices)


def blend(a: Component, A: Matrix, b: Component, B: Matrix) -> Matrix:
    """Return ``a A + b B`` in one pass.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules.components import blend
        >>> blend(0.9, np.array([[1.0], [2.0]]), 0.1, np.array([[1.0], [0.0]]))
        array([[1. ],
               [1.8]])
    """
    if isinstance(A, Components):
        return Components([[a * p + b * q for p, q in zip(*pair)] for pair in zip(A.rows, B.rows)])
    return a * A + b * B


def where(condition: Component, A: Matrix, B: Matrix) -> Matrix:
    """Return A where a condition holds for all of the matrix, and B elsewhere.

    Example:
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import where
        >>> where(True, Components([[1.0], [2.0]]), Components([[3.0], [4.0]])).rows
        [[1.0], [2.0]]
    """
    if isinstance(A, Components):
        return Components([[elementary.where(condition, a, b) for a, b in zip(*pair)] for pair in zip(A.rows, B.rows)])
    return elementary.where(condition, A, B)


def inner(A: Matrix, B: Matrix) -> Component:
    """Return ``<A, B>``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import inner
        >>> inner(Components([[1.0], [2.0]]), Components([[3.0], [4.0]]))
        11.0
        >>> inner(np.array([[1.0], [2.0]]), np.array([[3.0], [4.0]]))
        array([[11.]])
    """
    if isinstance(A, Components):
        total = _dot(A.rows[0], B.rows[0])
        for row, other in zip(A.rows[1:], B.rows[1:]):
            total = total + _dot(row, other)
        return total
    return (A * B).sum((-2, -1))[..., None, None]


def quotient(A: Matrix, number: Component) -> Matrix:
    """Return ``A / number``, and A itself where the number is 0: for numbers without which A is 0 as well.

    Example:
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import quotient
        >>> quotient(Components([[1.0], [2.0]]), 4.0).rows, quotient(Components([[0.0], [0.0]]), 0.0).rows
        ([[0.25], [0.5]], [[0.0], [0.0]])
    """
    number = number + (number == 0.0)
    if isinstance(A, Components):
        return Components([[entry / number for entry in row] for row in A.rows])
    return A / number


def identity(n: int, like: Matrix) -> Matrix:
    """Return I [n, n] of a matrix's kind, without a batch.

    Example:
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import identity
        >>> identity(2, like=Components([[1.0], [2.0]])).rows
        [[1.0, 0.0], [0.0, 1.0]]
    """
    rows = np.eye(n)
    return Components(rows.tolist()) if isinstance(like, Components) else rows


def finite(number: Component, A: Matrix) -> Component:
    """Return whether a number and all entries of a matrix are finite.

    Example:
        >>> import math
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import finite
        >>> finite(1.0, Components([[1.0], [2.0]])), finite(1.0, Components([[1.0], [math.inf]]))
        (True, False)
    """
    if isinstance(A, Components):
        result = abs(number) < np.inf
        for row in A.rows:
            for entry in row:
                result = result & (abs(entry) < np.inf)
        return result
    return (np.abs(number) < np.inf) & np.isfinite(A).all((-2, -1))[..., None, None]


def holds_everywhere(condition: Component) -> bool:
    """Return whether a condition holds for all paths of a batch.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules.components import holds_everywhere
        >>> holds_everywhere(True), holds_everywhere(np.array([1.0, -1.0]) > 0)
        (True, False)
    """
    return condition if isinstance(condition, bool) else bool(condition.all())


def solve(A: Matrix, b: Matrix) -> Matrix:
    """Return the x of ``A x = b``; not finite where A [2, 2] is singular.

    Example:
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.components import solve
        >>> solve(Components([[10.0, 8.0], [8.0, 10.0]]), Components([[-66.0], [-78.0]])).rows
        [[-1.0], [-7.0]]
    """
    if isinstance(A, Components):
        (p, q), (r, s) = A.rows
        (u,), (v,) = b.rows
        determinant = p * s - q * r
        return Components(
            [
                [elementary.divide(s * u - q * v, determinant)],
                [elementary.divide(p * v - r * u, determinant)],
            ]
        )
    return np.linalg.solve(A, np.broadcast_to(b, (*A.shape[:-2], *b.shape[-2:])))
