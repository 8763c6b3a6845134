"""How large a step a loss bears: the largest eigenvalue of P H, by a few Hessian-vector products.

Gradient descent theta <- theta - eps P g multiplies what lies along an eigenvector of P H by 1 - eps lambda: with
eps lambda above ``bound``, 2 for SGD without momentum, it overshoots further at each step. Vectors are lists of
tensors, one a parameter, each in the parameter's shape. P is block-diagonal: one for each layer, and I elsewhere.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fop_core.optim.fop import FOP
from fop_core.optim.forms import FORMS
from fop_core.optim.preconditioners import PRECONDITIONERS

Vector = list[Tensor]
Product = Callable[[Vector], Vector]

MOST = 40  # products with H
TOLERANCE = 0.01  # of the eigenvalue
RESOLUTION = 1e-6  # an eigenvalue of P this many times smaller than its largest is 0 as far as float32 can tell


class Eigenvalue(NamedTuple):
    """An eigenvalue, from below.

    Attributes:
        value: the estimate.
        error: an eigenvalue is no farther than this from it, in exact arithmetic.
        products: how many products with H it took.
    """

    value: float
    error: float
    products: int


def bound(momentum: float = 0.0, dampening: float = 0.0, nesterov: bool = False) -> float:
    """Return the eps lambda above which SGD overshoots on a quadratic of curvature lambda, as torch takes its steps.

    With b <- alpha b + (1 - tau) g and theta <- theta - eps b it is 2 (1 + alpha) / (1 - tau); with Nesterov's
    theta <- theta - eps (g + alpha b), tau = 0, it is 2 (1 + alpha) / (1 + 2 alpha): where a root of the iteration's
    characteristic polynomial leaves the unit circle, at -1.

    Args:
        momentum: alpha, in [0, 1).
        dampening: tau, in [0, 1); without momentum it has no meaning.
        nesterov: whether the momentum is Nesterov's.
    """
    if nesterov:
        return 2 * (1 + momentum) / (1 + 2 * momentum)
    return 2 * (1 + momentum) / (1 - dampening if momentum else 1)


def hessian(losses: Sequence[Callable[[], Tensor]], parameters: Sequence[Tensor]) -> Product:
    """Return v -> H v, H the Hessian of the mean of some losses in some parameters (Pearlmutter 1994).

    Args:
        losses: each computes one, 0-d, anew; one graph at a time is held.
        parameters: in which the losses are differentiated twice.
    """

    def product(vector: Vector) -> Vector:
        total = [torch.zeros_like(parameter) for parameter in parameters]
        for loss in losses:
            gradients = torch.autograd.grad(loss(), parameters, create_graph=True, materialize_grads=True)
            curved = [(g, v) for g, v in zip(gradients, vector) if g.requires_grad]  # not where the loss is linear
            if curved:
                outputs, weights = zip(*curved)
                for whole, part in zip(
                    total, torch.autograd.grad(outputs, parameters, weights, materialize_grads=True)
                ):
                    whole.add_(part, alpha=1 / len(losses))
        return total

    return product


def preconditioner(optimizer: FOP, names: Sequence[str]) -> Product:
    """Return v -> P v, with P as the optimizer's next step applies it.

    Args:
        optimizer: whose.
        names: of the parameters, in the order of the vectors' parts.
    """
    layers = {layer.name: layer for layer in optimizer.layers()}
    matrices = optimizer.preconditioners()
    one_per = FORMS[optimizer.preconditioner].one_per

    def product(vector: Vector) -> Vector:
        parts = []
        for name, part in zip(names, vector):
            if name in layers and one_per:
                part = part * matrices[name]
            elif name in layers:
                layout = layers[name].layout
                part = layout.to_tensor(matrices[name] @ layout.to_matrix(part), part.shape)
            parts.append(part)
        return parts

    return product


def negative(optimizer: FOP) -> dict[str, float]:
    """Return the least eigenvalue of each P that has one below 0, by layer: along it a step goes uphill."""
    if PRECONDITIONERS[optimizer.preconditioner].definite is None:  # it is positive semidefinite whatever M is
        return {}
    least = {}
    for name, P in optimizer.preconditioners().items():
        values = P.flatten() if FORMS[optimizer.preconditioner].one_per else torch.linalg.eigvalsh(P.double())
        if float(values.min()) < -RESOLUTION * float(values.abs().max()):
            least[name] = float(values.min())
    return least


def largest_eigenvalue(
    H: Product,
    P: Product,
    start: Vector,
    *,
    most: int = MOST,
    tolerance: float = TOLERANCE,
    report: Callable[[int], None] = lambda products: None,
) -> Eigenvalue:
    """Return the largest eigenvalue of P H, which is that of P^1/2 H P^1/2.

    By Lanczos' three-term recurrence for H P, which is self-adjoint in the inner product <v, w> = v^T P w (Parlett,
    The Symmetric Eigenvalue Problem): it needs no root of P and no inverse. Vectors are not orthogonalized again,
    which repeats eigenvalues that have converged and moves none, so only a few are held at a time.

    Args:
        H: v -> H v, H symmetric.
        P: v -> P v, P symmetric and positive semidefinite.
        start: to begin with, a random one.
        most: products with H.
        tolerance: on the error, as a share of the eigenvalue.
        report: called with the products that are done.

    Returns:
        The eigenvalue; 0 where P start is 0, NaN where a product is not finite.
    """
    Pw = P(start)
    length = _dot(start, Pw)
    if not length > 0:
        return Eigenvalue(0.0 if length == 0 else math.nan, 0.0, 0)
    w, Pw = _scaled(start, length**-0.5), _scaled(Pw, length**-0.5)
    before, beta = [torch.zeros_like(part) for part in start], 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        Hw = H(Pw)
        diagonal.append(_dot(Pw, Hw))
        residual = [h - diagonal[-1] * v - beta * u for h, v, u in zip(Hw, w, before)]
        after = P(residual)
        square = _dot(residual, after)
        if not (math.isfinite(diagonal[-1]) and math.isfinite(square)):
            return Eigenvalue(math.nan, math.nan, len(diagonal))
        beta = math.sqrt(max(square, 0.0))
        values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        top, error = float(values[-1]), beta * abs(float(vectors[-1, -1]))
        report(len(diagonal))
        if error <= tolerance * abs(top) or len(diagonal) == most:
            return Eigenvalue(top, error, len(diagonal))
        beside.append(beta)
        before, w, Pw = w, _scaled(residual, 1 / beta), _scaled(after, 1 / beta)


def _dot(v: Vector, w: Vector) -> float:
    return float(sum((a * b).sum(dtype=torch.float64) for a, b in zip(v, w)))


def _scaled(vector: Vector, factor: float) -> Vector:
    return [factor * part for part in vector]
