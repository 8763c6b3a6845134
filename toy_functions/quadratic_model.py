"""A surface as the quadratic that it is around a minimum: f ≈ f* + (x - x*)ᵀ H (x - x*) / 2."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from toy_functions.racing import NEAR
from toy_functions.surfaces import Surface

SAMPLES = 5  # each way, of the Hessian over the view
SAME = 1e-12  # of the largest entry: Hessians that differ by less are one
NONE = 1e-10  # of the larger eigenvalue: one below it is 0 but for rounding


@dataclass(frozen=True)
class QuadraticModel:
    """The quadratic.

    Attributes:
        minimum: x*.
        hessian: H there, symmetric [2, 2].
        exact: whether H is the same everywhere, so that the model is the surface itself.

    Example:
        >>> from toy_functions.quadratic_model import model_at
        >>> from toy_functions.surfaces import BOOTH
        >>> model = model_at(BOOTH, (0.9, 3.1))
        >>> [round(x, 9) for x in model.minimum], model.hessian.tolist(), model.exact
        ([1.0, 3.0], [[10.0, 8.0], [8.0, 10.0]], True)
    """

    minimum: tuple[float, float]
    hessian: np.ndarray
    exact: bool


def model_at(surface: Surface, end: tuple[float, float]) -> QuadraticModel | None:
    """Return the quadratic around the minimum that a path ends at; None where it ends at none that is known.

    Where H is the same everywhere, and positive definite, there is one minimum, and it counts wherever the path ends.

    Args:
        surface: what the path is on.
        end: of the path.

    Example:
        >>> from toy_functions.quadratic_model import model_at
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> model_at(HIMMELBLAU, (3.01, 1.99)).hessian
        array([[74., 20.],
               [20., 34.]])
        >>> print(model_at(HIMMELBLAU, (0.0, 0.0)))
        None
    """
    if (constant := constant_hessian(surface)) is not None:
        low, high = np.linalg.eigvalsh(constant)
        if low <= NONE * high:
            return None
        left, right, bottom, top = surface.view
        return QuadraticModel(_newton(surface, ((left + right) / 2, (bottom + top) / 2)), constant, True)
    distances = [(math.dist(end, point), point) for point in (*surface.minima, *surface.local_minima)]
    distance, point = min(distances, default=(math.inf, (math.nan, math.nan)))
    if not distance < NEAR:
        return None
    minimum = _newton(surface, point)
    return QuadraticModel(minimum, _hessian(surface, minimum), False)


@lru_cache(maxsize=64)
def constant_hessian(surface: Surface) -> np.ndarray | None:
    """Return the Hessian of a surface on which it is the same everywhere, [2, 2]; None on another.

    It is compared at points of the view, at distances that no period of a surface is likely to have.

    Example:
        >>> from toy_functions.quadratic_model import constant_hessian
        >>> from toy_functions.surfaces import BOOTH, ROSENBROCK
        >>> constant_hessian(BOOTH)
        array([[10.,  8.],
               [ 8., 10.]])
        >>> print(constant_hessian(ROSENBROCK))
        None
    """
    left, right, bottom, top = surface.view
    share = np.linspace(0.0, 1.0, SAMPLES) ** math.sqrt(2.0)
    x, y = np.meshgrid(left + (right - left) * share, bottom + (top - bottom) * share[::-1])
    with np.errstate(all="ignore"):
        entries = [
            np.broadcast_to(np.asarray(part, dtype=float), x.shape) for row in surface.hessian(x, y) for part in row
        ]
    H = np.stack(entries, axis=-1).reshape(-1, 2, 2)
    if not np.isfinite(H).all() or np.ptp(H, axis=0).max() > SAME * np.abs(H).max():
        return None
    return H[0]


def _hessian(surface: Surface, point: tuple[float, float]) -> np.ndarray:
    (a, b), (_, c) = surface.hessian(*point)
    return np.array([[float(a), float(b)], [float(b), float(c)]])


def _newton(surface: Surface, point: tuple[float, float]) -> tuple[float, float]:
    """Return a point after two of Newton's steps, which take rounding out of it; itself where H is singular there."""
    x, y = map(float, point)
    for _ in range(2):
        H, g = _hessian(surface, (x, y)), np.array([float(part) for part in surface.gradient(x, y)])
        low, high = np.linalg.eigvalsh(H) if np.isfinite(H).all() else (0.0, 0.0)
        if not low > NONE * high:
            break
        dx, dy = np.linalg.solve(H, g).tolist()
        x, y = x - dx, y - dy
    return x, y
