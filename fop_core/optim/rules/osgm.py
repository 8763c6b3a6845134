"""Online scaled gradient methods (OSGM): P learned by AdaGrad from the normalised feedback of each trial step.

Gao, Chu, Ye & Udell, arXiv 2505.23081 and 2509.11007; Chu, Gao, Ye & Udell, arXiv 2502.11229; the authors' code is
github.com/udellgroup/osgm-best-hypergrad. In FOP's words: P = M with a hypergradient that is not symmetrised, divided
by ||g||^2, from P = 0.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from fop_core.optim.elementary import divide, sqrt
from fop_core.optim.elementary import where as either
from fop_core.optim.rules.base import OracleRule
from fop_core.optim.rules.components import Component, Matrix, State, each, inner, quotient, where

_EPS = 1e-12
_FORMS = ("full", "diagonal", "scalar")


@dataclass(frozen=True)
class OSGMH(OracleRule):
    """OSGM with the hypergradient surrogate and the monotone look-ahead, in its published form.

    x~ = x - P g, g~ = grad f(x~), R = -g~ g^T / ||g||^2, S <- S + R R, P <- P - hyper_lr R / (sqrt(S) + 1e-12) entry by
    entry from P = 0; x <- x~ where f(x~) < f(x). The first step stays where it is. Where f(x~) is not finite, P is not
    from then on, and the path rests.

    Attributes:
        hyper_lr: eta, the rate of P; the authors take 0.1, or 2 / L where L is known.
        form: of P: "full", which is not symmetric | "diagonal" | "scalar".

    Example:
        >>> from fop_core.optim.rules import OSGMH
        >>> from toy_functions import Race, race, surfaces
        >>> rules = {form: OSGMH(form=form) for form in ("full", "diagonal", "scalar")}
        >>> for name, path in race(Race(surfaces.BOOTH, (0.0, -4.0), rules)).items():
        ...     print(name, path.reason)
        full f < 1e-06 at step 17
        diagonal f < 1e-06 at step 38
        scalar f < 1e-06 at step 38
    """

    main_rate: ClassVar[str] = "hyper_lr"

    hyper_lr: float = 0.1
    form: str = "full"

    def __post_init__(self) -> None:
        if self.form not in _FORMS:
            raise ValueError(f"form is {self.form!r}: give one of {', '.join(_FORMS)}")

    def begin(self, theta: Matrix) -> State:
        """Return (P, S) of zeros, and nothing known of f and g."""
        return self._zero(theta), self._zero(theta), None, None

    def advance(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and (P, S, f, g)."""
        P, S, f, g = state
        if g is None:
            f, g = oracle.value(theta), oracle.gradient(theta)
        trial = theta - self._applied(P, g)
        f_trial, g_trial = oracle.value(trial), oracle.gradient(trial)
        P, S = self._learned(P, S, self.hyper_lr, g_trial, g, inner(g, g))
        below = f_trial < f
        return where(below, trial, theta), (P, S, where(below, f_trial, f), where(below, g_trial, g))

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]] | None:
        """Return P; None for the full one, which is not symmetric."""
        rows = state[0].rows
        match self.form:
            case "diagonal":
                return (rows[0][0], 0.0), (0.0, rows[1][0])
            case "scalar":
                return (rows[0][0], 0.0), (0.0, rows[0][0])
        return None

    def _zero(self, theta: Matrix) -> Matrix:
        match self.form:
            case "diagonal":
                return 0 * theta
            case "scalar":
                return theta.mT @ (0 * theta)
        return theta @ (0 * theta.mT)

    def _applied(self, P: Matrix, g: Matrix) -> Matrix:
        match self.form:
            case "diagonal":
                return P * g
            case "scalar":
                return (P @ g.mT).mT
        return P @ g

    def _learned(
        self, P: Matrix, S: Matrix, rate: Any, g_trial: Matrix, g: Matrix, square: Component
    ) -> tuple[Matrix, Matrix]:
        """Return P and S after the feedback of a trial, divided by a square."""
        match self.form:
            case "diagonal":
                descent = g_trial * g
            case "scalar":
                descent = g_trial.mT @ g
            case _:
                descent = g_trial @ g.mT
        descent = quotient(descent, square)
        S = S + descent * descent
        return P + each(lambda d, s: rate * d / (sqrt(s) + _EPS), descent, S), S


@dataclass(frozen=True)
class OSGMBest(OSGMH):
    """OSGM with a heavy-ball term that is learned the same way ("HDM-Best" in the authors' code).

    x~ = x - P g + beta (x - x'), x' the point before. In place of ||g||^2 stands D = ||g||^2 + L^2 ||x - x'||^2 / 4,
    once L is known; r = <g~, x - x'> / D, s <- s + r^2, beta <- beta - r / (sqrt(s) + 1e-12) within 0 and 0.9995, from
    0.95. L is the mean of ||g~ - g|| / ||x~ - x|| over accepted steps longer than 1e-3; it is taken when 200 more steps
    than twice the refused ones were accepted, and then hyper_lr = 1 / L and S = 0. Until then the authors' code lets
    hyper_lr fall every 50 steps as well; that is left out: with a full or diagonal P fewer rates would converge.

    Example:
        >>> from fop_core.optim.rules import OSGMH, OSGMBest
        >>> from toy_functions import Race, race, surfaces
        >>> rules = {"OSGM-H": OSGMH(), "OSGM-Best": OSGMBest()}
        >>> for name, path in race(Race(surfaces.SURFACES["quadratic"], (3.0, -2.0), rules)).items():
        ...     print(name, path.reason)
        OSGM-H f < 1e-06 at step 35
        OSGM-Best f < 1e-06 at step 22
    """

    def begin(self, theta: Matrix) -> State:
        """Return P, S, f, g, x', (beta, s) and (rate, L or 0, its sum, its count, accepted less twice refused)."""
        zero = inner(theta, 0 * theta)
        rate = zero + self.hyper_lr
        return (*super().begin(theta), theta, (zero + 0.95, zero), (rate, zero, zero, zero, zero))

    def advance(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state."""
        P, S, f, g, before, (beta, s), (rate, L, total, count, score) = state
        if g is None:
            f, g = oracle.value(theta), oracle.gradient(theta)
        lag = theta - before
        trial = theta - self._applied(P, g) + beta * lag
        f_trial, g_trial = oracle.value(trial), oracle.gradient(trial)

        known = L > 0.0
        square = inner(g, g) + either(known, 0.25 * (L * L) * inner(lag, lag), _EPS + 0 * L)
        P, S = self._learned(P, S, rate, g_trial, g, square)
        r = quotient(inner(g_trial, lag), square)
        s = s + r * r
        beta = beta - r / (sqrt(s) + _EPS)
        beta = either(beta > 0.0, either(beta < 0.9995, beta, 0.9995 + 0 * beta), 0 * beta)

        below = f_trial < f
        length = sqrt(inner(trial - theta, trial - theta))
        counts = below & (length > 1e-3)
        bend = divide(sqrt(inner(g_trial - g, g_trial - g)), length)
        total, count = either(counts, total + bend, total), either(counts, count + 1.0, count)
        score = either(below, score + 1.0, either(score > 2.0, score - 2.0, 0 * score))
        enough = (score > 200.0) & (count > 0.0) & (L == 0.0)
        L = either(enough, divide(total, count), L)
        rate = either(enough, divide(1.0, L), rate)
        S = where(enough, 0 * S, S)
        learned = (beta, s), (rate, L, total, count, score)
        before, theta = theta, where(below, trial, theta)
        return theta, (P, S, where(below, f_trial, f), where(below, g_trial, g), before, *learned)
