"""Rules that find their own step length from distances and values: Prodigy, and Polyak's step."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from fop_core.optim.elementary import divide, sign, sqrt
from fop_core.optim.elementary import where as either
from fop_core.optim.rules.base import GradientRule, OracleRule
from fop_core.optim.rules.components import Matrix, State, blend, each, inner, quotient, where
from fop_core.optim.rules.plain import positive


@dataclass(frozen=True)
class Prodigy(GradientRule):
    """Adam whose rate is lr d, d an estimate of the distance to the minimum (Mishchenko & Defazio, arXiv 2306.06101).

    Algorithm 4 as its authors' code has it, without bias correction, weight decay and a limit to the growth of d:
    m <- beta1 m + (1 - beta1) d g, v <- beta2 v + (1 - beta2) d^2 g^2, and with beta3 = sqrt(beta2)
    r <- beta3 r + lr d^2 <g, x_0 - x> / d_0, s <- beta3 s + lr d^2 g / d_0, d <- max(d, r / ||s||_1), all with the
    former d on the right; then x <- x - lr d_former m / (sqrt(v) + d eps).

    Attributes:
        lr: its authors keep it at 1.
        beta1: of m.
        beta2: of v.
        eps: as above.
        d0: the first d.

    Example:
        >>> from fop_core.optim.rules import SGD, Prodigy
        >>> from toy_functions import Race, race, surfaces
        >>> rules = {"SGD": SGD(0.01), "Prodigy": Prodigy()}  # Prodigy needs no rate
        >>> for name, path in race(Race(surfaces.BOOTH, (0.0, -4.0), rules)).items():
        ...     print(name, path.reason)
        SGD f < 1e-06 at step 414
        Prodigy f < 1e-06 at step 173
    """

    lr: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    d0: float = 1e-6

    def __post_init__(self) -> None:
        positive("eps", self.eps)
        positive("d0", self.d0)

    def begin(self, theta: Matrix) -> State:
        """Return (x_0, m, v, s, r, d)."""
        zero, nothing = inner(theta, 0 * theta), 0 * theta
        return theta, nothing, nothing, nothing, zero, zero + self.d0

    def advance(self, theta: Matrix, G: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state."""
        first, m, v, s, r, d = state
        beta3, rate = math.sqrt(self.beta2), d * self.lr
        weight = d / self.d0 * rate
        r = beta3 * r + weight * inner(G, first - theta)
        m = blend(self.beta1, m, d * (1 - self.beta1), G)
        v = blend(self.beta2, v, d * d * (1 - self.beta2), G * G)
        s = blend(beta3, s, weight, G)
        length = inner(s, each(sign, s))  # ||s||_1
        guess = divide(r, length)
        d = either(guess > d, guess, d)
        move = each(lambda a, b: divide(a, sqrt(b) + d * self.eps), m, v)
        return theta - rate * where(length > 0.0, move, 0 * move), (first, m, v, s, r, d)


@dataclass(frozen=True)
class Polyak(OracleRule):
    """x <- x - lr (f - f*) / ||g||^2 g (Polyak 1987), f* the value of f at the global minimum, which must be known.

    Attributes:
        lr: 1 is Polyak's own step.

    Example:
        >>> from fop_core.optim.rules import Polyak
        >>> from toy_functions import Race, race, surfaces
        >>> race(Race(surfaces.BOOTH, (0.0, -4.0), {"Polyak": Polyak()}))["Polyak"].reason
        'f < 1e-06 at step 27'
    """

    needs_floor: ClassVar[bool] = True

    lr: float = 1.0

    def begin(self, theta: Matrix) -> State:
        """Return no state."""
        return None

    def advance(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta."""
        if oracle.floor == -math.inf:
            raise ValueError("Polyak's step needs f*, the lowest value of f, and here f has none")
        g = oracle.gradient(theta)
        return theta - (self.lr * (oracle.value(theta) - oracle.floor)) * quotient(g, inner(g, g)), None
