"""Theorems 1 and 2 of the paper on a quadratic, where both sides of what they state can be computed.

``f(theta) = theta^T H theta / 2`` in two dimensions has its minimum 0 at 0, is L-smooth and meets the
Polyak-Lojasiewicz inequality (Eq. 10) with mu: the largest and the smallest eigenvalue of H.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Quadratic:
    """A quadratic in two dimensions, with a symmetric P.

    Attributes:
        mu: the smaller eigenvalue of H, above 0, along the first axis.
        L: the larger one.
        smallest: the smaller eigenvalue of P, at least 0.
        largest: the larger one, above 0.
        angle_deg: from the first axis to the eigenvector of P's larger eigenvalue.

    Raises:
        ValueError: where the eigenvalues are not finite, or not in this order.
    """

    mu: float
    L: float
    smallest: float = 1.0
    largest: float = 1.0
    angle_deg: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.mu <= self.L < math.inf):
            raise ValueError(f"0 < mu <= L is expected, both finite, not mu = {self.mu:g} and L = {self.L:g}")
        if not (0 <= self.smallest <= self.largest < math.inf and self.largest > 0):
            raise ValueError(
                f"0 <= smallest <= largest is expected of P's eigenvalues, both finite and the largest above 0, not "
                f"{self.smallest:g} and {self.largest:g}"
            )
        if not math.isfinite(self.angle_deg):
            raise ValueError(f"a finite angle is expected, not {self.angle_deg:g}")

    @property
    def H(self) -> Array:
        """The Hessian, [2, 2]."""
        return np.diag([self.mu, self.L]).astype(np.float64)

    @property
    def P(self) -> Array:
        """The preconditioner, [2, 2]."""
        angle = math.radians(self.angle_deg)
        along = np.array([math.cos(angle), math.sin(angle)])
        return self.smallest * np.eye(2) + (self.largest - self.smallest) * np.outer(along, along)


@dataclass(frozen=True)
class Contraction:
    """What a step ``theta - s P g`` leaves of f: stated, and in truth.

    Attributes:
        step: s.
        stated: the factor that is claimed to bound ``f(theta - s P g) / f(theta)``.
        worst: the largest such factor over all theta.
        direction: the theta of unit length for which it is reached, [2].
    """

    step: float
    stated: float
    worst: float
    direction: Array

    @property
    def holds(self) -> bool:
        """Whether the claim is true here, up to rounding."""
        return self.worst <= self.stated * (1 + 1e-12) + 1e-15


def _contraction(quadratic: Quadratic, step: float, stated: float) -> Contraction:
    """Compare a claim with the norm of ``I - s H^1/2 P H^1/2``, whose square is the largest factor of a quadratic."""
    root = np.sqrt(quadratic.H)
    values, vectors = np.linalg.eigh(np.eye(2) - step * root @ quadratic.P @ root)
    worst = int(np.argmax(np.abs(values)))
    theta = vectors[:, worst] / np.diag(root)
    return Contraction(step, stated, float(values[worst] ** 2), theta / np.linalg.norm(theta))


def stated_2(quadratic: Quadratic) -> Contraction | None:
    """Return Theorem 2 as it is stated: the step ``rho = (2 lambda_min - lambda_max^2) / L``, the factor 1 - mu rho.

    Returns:
        None where that step is not above 0: the theorem says nothing then.
    """
    rho = (2 * quadratic.smallest - quadratic.largest**2) / quadratic.L
    return None if rho <= 0 else _contraction(quadratic, rho, 1 - quadratic.mu * rho)


def proven_2(quadratic: Quadratic) -> Contraction | None:
    """Return what Theorem 2's proof shows (Eqs. 13 to 18): the same factor, of the step 1 / L.

    Returns:
        None where the factor is not below 1: the proof shows nothing then.
    """
    gain = (2 * quadratic.smallest - quadratic.largest**2) / quadratic.L
    return None if gain <= 0 else _contraction(quadratic, 1 / quadratic.L, 1 - quadratic.mu * gain)


def repaired_2(quadratic: Quadratic) -> Contraction:
    """Return a statement that needs no more than P > 0: the step ``1 / (L lambda_max)``, whatever P's scale.

    From L-smoothness ``f(theta - s P g) <= f - s (1 - s L lambda_max / 2) g^T P g``, since ``P^2 <= lambda_max P``.
    With this s and ``g^T P g >= lambda_min ||g||^2 >= 2 mu lambda_min f`` (Eq. 10) the factor is
    ``1 - mu lambda_min / (L lambda_max)``: the rate of gradient descent, over the condition number of P.
    """
    share = quadratic.smallest / quadratic.largest
    step = 1 / (quadratic.L * quadratic.largest)
    return _contraction(quadratic, step, 1 - quadratic.mu / quadratic.L * share)


@dataclass(frozen=True)
class Descent:
    """Gradient descent by a learned P that is rescaled as Theorem 1 has it; each array with a value a step.

    Attributes:
        losses: f, [steps + 1]; infinite from where it left what numbers hold.
        norms: ``||P||_2`` as learned, before it is rescaled, [steps + 1].
        bounds: ``||P_0||_2 + t rho K^2``, which the proof has for it, with K the largest gradient met, [steps + 1].
        gammas: the norm to which P is rescaled, [steps + 1].
        smallest: the smallest eigenvalue of P as rescaled, [steps + 1].
    """

    losses: Array
    norms: Array
    bounds: Array
    gammas: Array
    smallest: Array

    @property
    def bound_holds(self) -> bool:
        """Whether the norm stayed under the proof's bound, up to rounding."""
        return bool(np.all(self.norms <= self.bounds * (1 + 1e-9)))


def descend(
    quadratic: Quadratic,
    *,
    form: Literal["direct", "mmt"] = "direct",
    limit: float,
    hyper_lr: float,
    lr: float = 1.0,
    steps: int = 200,
    start: tuple[float, float] = (1.0, 1.0),
) -> Descent:
    """Carry out Theorem 1's descent: ``theta <- theta - lr (gamma(t) / ||P||_2) P g``, where P is learned by Eq. 4.

    ``gamma(t) = d ||P||_2 + (1 - d) limit`` with ``d = 1 / t^2``. "direct" adds ``hyper_lr (g' g^T + g g'^T) / 2`` to
    P, g' the gradient after g, as the proof has it; "mmt" learns M of ``P = M M^T``, to which it adds
    ``hyper_lr (g' g^T + g g'^T) M``.

    Args:
        quadratic: f, and P to begin with.
        form: what is learned.
        limit: Theorem 1's p_inf, above 0.
        hyper_lr: rho, at least 0.
        lr: the rate of the descent, above 0; the theorem has none.
        steps: how many, at least 1.
        start: theta to begin with.

    Raises:
        ValueError: where a number is out of its range.
    """
    for name, value in {"limit": limit, "lr": lr}.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name}: a finite number above 0 is expected, not {value:g}")
    if not 0 <= hyper_lr < math.inf:
        raise ValueError(f"hyper_lr: a finite number of at least 0 is expected, not {hyper_lr:g}")
    if steps < 1:
        raise ValueError(f"steps: at least 1 is expected, not {steps}")
    H, P = quadratic.H, quadratic.P
    values, vectors = np.linalg.eigh(P)
    M = vectors * np.sqrt(np.maximum(values, 0))
    theta = np.array(start, np.float64)
    rows = np.full((4, steps + 1), np.inf)
    lengths = np.zeros(steps + 1)
    before: Array | None = None
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(steps + 1):
            g = H @ theta
            if before is not None:
                outer = np.outer(g, before)
                both = hyper_lr * (outer + outer.T)
                P, M = P + both / 2, M + both @ M
            learned = P if form == "direct" else M @ M.T
            if not (np.all(np.isfinite(learned)) and np.all(np.isfinite(g))):
                lengths[t:] = np.inf
                break
            values = np.linalg.eigvalsh(learned)
            norm = float(np.abs(values).max())
            decay = 1 / (t + 1) ** 2
            gamma = decay * norm + (1 - decay) * limit
            rows[:, t] = 0.5 * theta @ g, norm, gamma, values[0] * gamma / norm if norm else 0.0
            lengths[t] = np.linalg.norm(g)
            theta = theta - lr * (gamma / norm if norm else 0.0) * (learned @ g)
            before = g
    K = np.maximum.accumulate(lengths)
    with np.errstate(over="ignore", invalid="ignore"):
        bounds = rows[1, 0] + np.arange(steps + 1) * hyper_lr * K**2
    return Descent(rows[0], rows[1], np.where(np.isnan(bounds), np.inf, bounds), rows[2], rows[3])
