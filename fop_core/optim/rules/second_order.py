"""Rules that know or learn the curvature: Newton's method, BFGS, and PSGD's Newton preconditioner."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from fop_core.optim.elementary import divide, sqrt
from fop_core.optim.elementary import where as either
from fop_core.optim.rules.base import OracleRule
from fop_core.optim.rules.components import (
    Component,
    Components,
    Matrix,
    State,
    holds_everywhere,
    identity,
    inner,
    quotient,
    solve,
    where,
)


@dataclass(frozen=True)
class Newton(OracleRule):
    """x <- x - lr H^-1 g: to the minimum of a quadratic in one step, and to the nearest saddle as well.

    Example:
        >>> from fop_core.optim.rules import Newton
        >>> from toy_functions import Race, race, surfaces
        >>> race(Race(surfaces.BOOTH, (0.0, -4.0), {"Newton": Newton()}))["Newton"].points
        array([[ 0., -4.],
               [ 1.,  3.]])
    """

    lr: float = 1.0

    def begin(self, theta: Matrix) -> State:
        """Return no state."""
        return None

    def advance(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta."""
        return theta - self.lr * solve(oracle.hessian(theta), oracle.gradient(theta)), None


@dataclass(frozen=True)
class BFGS(OracleRule):
    """BFGS with Armijo's backtracking (Nocedal & Wright 2006, Algorithms 6.1 and 3.1).

    p = -P g; t = lr, halved until f(x + t p) <= f + 1e-4 t <g, p>, at most 40 times; then the step stays out. With
    s = t p and y = g~ - g, where <s, y> > 1e-12 |s| |y|: P <- (I - s y^T / <s, y>) P (I - y s^T / <s, y>) + s s^T /
    <s, y>, from P = I, which is scaled by <s, y> / <y, y> before the first update (their Eq. 6.20).

    Example:
        >>> from fop_core.optim.rules import BFGS
        >>> from toy_functions import Race, race, surfaces
        >>> path = race(Race(surfaces.BOOTH, (0.0, -4.0), {"BFGS": BFGS()}))["BFGS"]
        >>> path.reason, path.preconditioners[-1].round(3).tolist()
        ('f < 1e-06 at step 8', [[0.278, -0.222], [-0.222, 0.274]])
    """

    lr: float = 1.0

    def begin(self, theta: Matrix) -> State:
        """Return (P, whether it was updated, f, g): I, and nothing known of f and g."""
        zero = inner(theta, 0 * theta)
        I = identity(theta.shape[-2], theta)
        return (zero + 1.0) * I, zero != zero, None, None

    def advance(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state."""
        P, updated, f, g = state
        if g is None:
            f, g = oracle.value(theta), oracle.gradient(theta)
        p = -1.0 * (P @ g)
        slope = ARMIJO * inner(g, p)
        t = self.lr + 0 * f
        f_trial = oracle.value(theta + t * p)
        for halvings in range(HALVINGS + 1):
            falls = f_trial <= f + t * slope
            if halvings == HALVINGS or holds_everywhere(falls):
                break
            t = either(falls, t, 0.5 * t)
            f_trial = either(falls, f_trial, oracle.value(theta + t * p))

        s = t * p
        trial = theta + s
        g_trial = oracle.gradient(trial)
        y = g_trial - g
        sy, yy = inner(s, y), inner(y, y)
        curved = falls & (sy > CURVED * sqrt(inner(s, s)) * sqrt(yy))
        scaled = where(updated, P, divide(sy, yy) * P)
        left = identity(s.shape[-2], s) - quotient(s @ y.mT, sy)
        P = where(curved, left @ scaled @ left.mT + quotient(s @ s.mT, sy), P)
        theta, f, g = where(falls, trial, theta), either(falls, f_trial, f), where(falls, g_trial, g)
        return theta, (P, updated | curved, f, g)

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]]:
        """Return P."""
        (a, b), (c, d) = state[0].rows
        return (a, b), (c, d)


@dataclass(frozen=True)
class PSGDNewton(OracleRule):
    """x <- x - lr Q^T Q g, Q fitted to the curvature (PSGD's Newton preconditioner: Li 2015, arXiv 1512.04202).

    v ~ N(0, I), h = H v, a = Q h, b = Q^-T v, Q <- Q - mu (a a^T - b b^T) Q / (||a||^2 + ||b||^2). The draws of v are
    the same in every race.

    Attributes:
        lr: 1 is Newton's step, once Q is fitted.
        mu: the rate of Q.
        init_scale: Q at the start is init_scale I.

    Example:
        >>> from fop_core.optim.rules import PSGDNewton
        >>> from toy_functions import Race, race, surfaces
        >>> path = race(Race(surfaces.BOOTH, (0.0, -4.0), {"PSGD": PSGDNewton()}))["PSGD"]
        >>> path.reason, path.preconditioners[-1].round(2).tolist()  # H^-1 is (0.278, -0.222), (-0.222, 0.278)
        ('f < 1e-06 at step 43', [[0.14, -0.09], [-0.09, 0.15]])
    """

    lr: float = 1.0
    mu: float = 0.1
    init_scale: float = 0.1

    def begin(self, theta: Matrix) -> State:
        """Return Q and the steps taken."""
        one = inner(theta, 0 * theta) + 1.0
        return (self.init_scale * one) * identity(theta.shape[-2], theta), 0

    def advance(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta, Q and steps."""
        Q, steps = state
        draw = _draw(steps, theta.shape[-2])
        v: Matrix = Components(draw) if isinstance(theta, Components) else np.array(draw)
        a, b = Q @ (oracle.hessian(theta) @ v), solve(Q.mT, v)
        Q = Q - self.mu * quotient((a @ a.mT - b @ b.mT) @ Q, inner(a, a) + inner(b, b))
        return theta - self.lr * (Q.mT @ (Q @ oracle.gradient(theta))), (Q, steps + 1)

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]]:
        """Return Q^T Q."""
        (a, b), (c, d) = (state[0].mT @ state[0]).rows
        return (a, b), (c, d)


ARMIJO = 1e-4
HALVINGS = 40
CURVED = 1e-12
_CHUNK = 1024  # draws made at once


def _draw(step: int, n: int) -> list[list[float]]:
    """Return a column [n, 1] of normal numbers, that of a step."""
    chunk, at = divmod(step, _CHUNK)
    return _draws(chunk, n)[at]


@lru_cache(maxsize=128)
def _draws(chunk: int, n: int) -> list[list[list[float]]]:
    return np.random.default_rng([chunk, n]).standard_normal((_CHUNK, n, 1)).tolist()
