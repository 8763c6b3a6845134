"""How a parameter becomes the matrix that a preconditioner multiplies from the left, and back.

A layout maps a tensor in the parameter's shape to ``[n, m]``: n rows are preconditioned, m columns share the
preconditioner. For a contiguous tensor every layout is a view and copies nothing, but "input" of a kernel of more than
two dimensions. The order of the columns carries no meaning: P acts on rows, and a hypergradient sums over columns.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tensor = Any  # torch.Tensor or numpy.ndarray
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """A pair of inverse maps between a parameter's shape and ``[n, m]``.

    Attributes:
        name: "input", "spatial", "full" or "row".
        rows: the number of rows n, from the parameter's shape.
        to_matrix: tensor in the parameter's shape -> [n, m].
        to_tensor: [n, m] and the parameter's shape -> tensor of that shape.
        least_dimensions: the fewest dimensions a parameter may have.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.layouts import SPATIAL
        >>> kernel = np.arange(2 * 3 * 9.0).reshape(2, 3, 3, 3)  # [out, in, 3, 3]
        >>> matrix = SPATIAL.to_matrix(kernel)
        >>> SPATIAL.rows(kernel.shape), matrix.shape, np.array_equal(SPATIAL.to_tensor(matrix, kernel.shape), kernel)
        (9, (9, 6), True)
        >>> matrix[:, 0]  # one kernel
        array([0., 1., 2., 3., 4., 5., 6., 7., 8.])
    """

    name: str
    rows: Callable[[Shape], int]
    to_matrix: Callable[[Tensor], Tensor]
    to_tensor: Callable[[Tensor, Shape], Tensor]
    least_dimensions: int = 0

    def __reduce__(self) -> str:
        """Be pickled and copied as the one of this module that has its name: its maps are functions without one."""
        return self.name.upper()


def _spatial_rows(shape: Shape) -> int:
    return math.prod(shape[2:])


def _input_to_matrix(tensor: Tensor) -> Tensor:
    if tensor.ndim == 2:
        return tensor.mT
    out, n = tensor.shape[:2]
    return tensor.reshape(out, n, -1).swapaxes(0, 1).reshape(n, -1)


def _input_to_tensor(matrix: Tensor, shape: Shape) -> Tensor:
    if len(shape) == 2:
        return matrix.mT
    return matrix.reshape(shape[1], shape[0], _spatial_rows(shape)).swapaxes(0, 1).reshape(shape)


INPUT = Layout("input", lambda shape: shape[1], _input_to_matrix, _input_to_tensor, least_dimensions=2)
"""Rows are input dimensions (2.2): [out, in] -> [in, out]; a kernel [out, in, *k] -> [in, out * prod(k)]."""

SPATIAL = Layout(
    "spatial",
    _spatial_rows,
    # The extents are spelt out because reshape(-1, k) cannot infer a dimension of an empty tensor.
    lambda tensor: tensor.reshape(tensor.shape[0] * tensor.shape[1], _spatial_rows(tensor.shape)).mT,
    lambda matrix, shape: matrix.mT.reshape(shape),
    least_dimensions=3,
)
"""Rows are kernel positions (2.3), row ``kh * KW + kw``: [out, in, KH, KW] -> [KH * KW, in * out]."""

FULL = Layout(
    "full",
    math.prod,
    lambda tensor: tensor.reshape(math.prod(tensor.shape), 1),
    lambda matrix, shape: matrix.reshape(shape),
)
"""Rows are all entries, in one column: [numel, 1]."""

ROW = Layout(
    "row",
    lambda shape: 1,
    lambda tensor: tensor.reshape(1, math.prod(tensor.shape)),
    lambda matrix, shape: matrix.reshape(shape),
)
"""One row, all entries in columns, [1, numel]: what a scalar preconditioner multiplies."""

LAYOUTS = {layout.name: layout for layout in (INPUT, SPATIAL, FULL)}
NAMES = ("auto", *LAYOUTS)


def choose(name: str, shape: Shape, max_dim: int) -> Layout | str:
    """Return the layout for a parameter of this shape, or the reason why it is left to the base optimizer.

    Args:
        name: "auto", "input", "spatial" or "full". "auto" takes "input" for a matrix and "spatial" for a kernel of
            more than one position; everything else is left to the base.
        shape: the parameter's shape, in torch's order: [out, in, *kernel].
        max_dim: the largest n that gets a preconditioner of its own.

    Example:
        >>> from fop_core.optim.layouts import choose
        >>> [choose("auto", shape, max_dim=1024).name for shape in ((100, 784), (64, 3, 3, 3))]
        ['input', 'spatial']
        >>> [choose("auto", shape, max_dim=1024) for shape in ((100,), (64, 32, 1, 1), (10, 4096))]
        ['bias or norm', '1x1 kernel', 'n = 4096 > max_dim = 1024']
    """
    if name == "auto":
        if len(shape) < 2:
            return "bias or norm"
        if len(shape) > 2 and _spatial_rows(shape) == 1:
            return "1x1 kernel"
        layout = INPUT if len(shape) == 2 else SPATIAL
    else:
        layout = LAYOUTS[name]
        if len(shape) < layout.least_dimensions:
            return f"{len(shape)} dimensions, {layout.name} needs {layout.least_dimensions}"
    if 0 in shape:
        return "empty"
    if (n := layout.rows(shape)) > max_dim:
        return f"n = {n} > max_dim = {max_dim}"
    return layout
