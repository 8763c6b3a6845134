"""What every rule has, and what one may ask that needs more than the gradient where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from fop_core.optim.rules.components import Component, Components, Matrix, State, Step


class Oracle(Protocol):
    """A surface as a rule may look at it, anywhere and more than once in a step.

    Attributes:
        floor: f at the global minimum, -inf where f is unbounded below.

    Example:
        >>> from fop_core.optim.rules import Oracle, Polyak
        >>> class Bowl:
        ...     floor = 0.0
        ...     def value(self, x, y):
        ...         return x * x + y * y
        ...     def gradient(self, x, y):
        ...         return 2.0 * x, 2.0 * y
        ...     def hessian(self, x, y):
        ...         return (2.0, 0.0), (0.0, 2.0)
        >>> bowl: Oracle = Bowl()
        >>> Polyak().step(4.0, 2.0, bowl, None)
        (2.0, 1.0, None)
    """

    floor: float

    def value(self, x: Component, y: Component) -> Component:
        """Return f.

        Example:
            >>> from fop_core.optim.rules import Oracle
            >>> from toy_functions import racing, surfaces
            >>> oracle: Oracle = racing.RaceOracle(surfaces.BOOTH)
            >>> oracle.value(0.0, -4.0)
            306.0
        """

    def gradient(self, x: Component, y: Component) -> tuple[Component, Component]:
        """Return the gradient, the noise of this step included.

        Example:
            >>> from fop_core.optim.rules import Oracle
            >>> from toy_functions import racing, surfaces
            >>> oracle: Oracle = racing.RaceOracle(surfaces.BOOTH)
            >>> oracle.gradient(0.0, -4.0)
            (-66.0, -78.0)
        """

    def hessian(self, x: Component, y: Component) -> Any:
        """Return the Hessian's rows.

        Example:
            >>> from fop_core.optim.rules import Oracle
            >>> from toy_functions import racing, surfaces
            >>> oracle: Oracle = racing.RaceOracle(surfaces.BOOTH)
            >>> oracle.hessian(0.0, -4.0)
            ((10.0, 8.0), (8.0, 10.0))
        """


@dataclass(frozen=True)
class Rule:
    """An update rule: settings alone, frozen. See the package for ``start`` and ``step``.

    Attributes:
        main_rate: the field that a sweep varies: "lr", or "hyper_lr" where the whole step is learned.
        needs_floor: whether it needs f at the global minimum.
        step: the next point and state, from the gradient at the point or from an oracle.

    Example:
        >>> from fop_core.optim.rules import FOP
        >>> rule, x, y = FOP(lr=0.25, hyper_lr=0.0625), 3.0, -2.0
        >>> state = rule.start(x, y)
        >>> for _ in range(2):
        ...     x, y, state = rule.step(x, y, 2.0 * x, 2.0 * y, state)  # on f = x^2 + y^2
        >>> x, y, rule.matrix(state)
        (0.75, -0.5, ((2.58203125, -1.0546875), (-1.0546875, 1.703125)))
    """

    main_rate: ClassVar[str] = "lr"
    needs_floor: ClassVar[bool] = False
    step: ClassVar[Callable[..., Step]]

    @property
    def uses_oracle(self) -> bool:
        """Whether ``step`` takes (x, y, oracle, state) in place of (x, y, gx, gy, state).

        Example:
            >>> from fop_core.optim.rules import Momentum, Newton
            >>> Momentum(lr=0.1).uses_oracle, Newton().uses_oracle
            (False, True)
        """
        return False

    def start(self, x: Component, y: Component) -> State:
        """Return the state before the first step.

        Example:
            >>> from fop_core.optim.rules import SGD, Adam
            >>> Adam(lr=0.1).start(3.0, 2.0), SGD(lr=0.1).start(3.0, 2.0)
            ((0.0, 0.0, 0.0, 0.0, 1.0, 1.0), None)
        """
        raise NotImplementedError

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]] | None:
        """Return the symmetric P, 2 x 2, that the next step applies; None for a rule that learns none.

        Example:
            >>> from fop_core.optim.rules import FOP, SGD
            >>> rule = FOP(lr=0.1, preconditioner="diagonal")
            >>> rule.matrix(rule.start(3.0, -2.0)), SGD(lr=0.1).matrix(None)
            (((1.0, 0.0), (0.0, 1.0)), None)
        """
        return None


@dataclass(frozen=True)
class GradientRule(Rule):
    """A rule whose components act on each other, written on the point as a column theta [n, 1].

    ``begin(theta)`` returns the first state; ``advance(theta, G, state)`` the next theta and state, from the gradient.

    Example:
        >>> from dataclasses import dataclass
        >>> from fop_core.optim.rules import GradientRule
        >>> @dataclass(frozen=True)
        ... class Normalized(GradientRule):
        ...     lr: float
        ...     def begin(self, theta):
        ...         return None
        ...     def advance(self, theta, G, state):
        ...         return theta - (self.lr / (G.mT @ G).rows[0][0] ** 0.5) * G, None
        >>> rule = Normalized(lr=0.5)
        >>> rule.step(1.0, 2.0, 3.0, 4.0, rule.start(1.0, 2.0))
        (0.7, 1.6, None)
    """

    def start(self, x: Component, y: Component) -> State:
        """Return the state before the first step.

        Example:
            >>> from fop_core.optim.rules import Prodigy
            >>> Prodigy().start(3.0, 2.0)[-1]  # d, its guess of the distance to the minimum
            1e-06
        """
        return self.begin(Components([[x], [y]]))

    def step(self, x: Component, y: Component, *inputs: Any) -> Step:
        """Return the next point and state.

        Example:
            >>> from fop_core.optim.rules import FOP
            >>> rule = FOP(lr=0.1)
            >>> x, y, state = rule.step(3.0, -2.0, 6.0, -4.0, rule.start(3.0, -2.0))
            >>> round(x, 6), round(y, 6)
            (2.4, -1.6)
        """
        gx, gy, state = inputs
        theta, state = self.advance(Components([[x], [y]]), Components([[gx], [gy]]), state)
        (x,), (y,) = theta.rows
        return x, y, state

    def begin(self, theta: Matrix) -> State:
        """Return the state before the first step.

        Example:
            >>> from fop_core.optim.rules import FOP, Components
            >>> M, *_ = FOP(lr=0.1, init_scale=0.5).begin(Components([[3.0], [-2.0]]))
            >>> M.rows
            [[0.5, 0.0], [0.0, 0.5]]
        """
        raise NotImplementedError

    def advance(self, theta: Matrix, source: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state.

        Example:
            >>> import numpy as np
            >>> from fop_core.optim.rules import FOP
            >>> rule, theta = FOP(lr=0.1), np.array([[3.0], [-2.0], [1.0]])  # of three components
            >>> theta, state = rule.advance(theta, 2.0 * theta, rule.begin(theta))
            >>> theta[:, 0]
            array([ 2.4, -1.6,  0.8])
        """
        raise NotImplementedError


@dataclass(frozen=True)
class OracleRule(GradientRule):
    """A rule that asks an oracle: ``advance(theta, oracle, state)``, whose methods take and give columns.

    Example:
        >>> from dataclasses import dataclass
        >>> from fop_core.optim.rules import OracleRule
        >>> from toy_functions import Race, race, surfaces
        >>> @dataclass(frozen=True)
        ... class Downhill(OracleRule):
        ...     lr: float
        ...     def begin(self, theta):
        ...         return None
        ...     def advance(self, theta, oracle, state):
        ...         trial = theta - self.lr * oracle.gradient(theta)
        ...         return (trial if oracle.value(trial) < oracle.value(theta) else theta), None
        >>> race(Race(surfaces.BOOTH, (0.0, -4.0), {"own": Downhill(0.1)}))["own"].reason
        'f < 1e-06 at step 44'
    """

    @property
    def uses_oracle(self) -> bool:
        """Whether ``step`` takes (x, y, oracle, state): always."""
        return True

    def step(self, x: Component, y: Component, *inputs: Any) -> Step:
        """Return the next point and state."""
        oracle, state = inputs
        theta, state = self.advance(Components([[x], [y]]), Columns(oracle), state)
        (x,), (y,) = theta.rows
        return x, y, state


class Columns:
    """An oracle of points as columns, from one of components.

    Example:
        >>> from fop_core.optim.rules import Components
        >>> from fop_core.optim.rules.base import Columns
        >>> from toy_functions import racing, surfaces
        >>> columns = Columns(racing.RaceOracle(surfaces.BOOTH))
        >>> theta = Components([[0.0], [-4.0]])
        >>> columns.value(theta), columns.gradient(theta).rows
        (306.0, [[-66.0], [-78.0]])
    """

    __slots__ = ("floor", "oracle")

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.floor = oracle.floor

    def value(self, theta: Components) -> Component:
        """Return f.

        Example:
            >>> from fop_core.optim.rules import Components
            >>> from fop_core.optim.rules.base import Columns
            >>> from toy_functions import racing, surfaces
            >>> Columns(racing.RaceOracle(surfaces.BOOTH)).value(Components([[0.0], [-4.0]]))
            306.0
        """
        (x,), (y,) = theta.rows
        return self.oracle.value(x, y)

    def gradient(self, theta: Components) -> Components:
        """Return the gradient [2, 1].

        Example:
            >>> from fop_core.optim.rules import Components
            >>> from fop_core.optim.rules.base import Columns
            >>> from toy_functions import racing, surfaces
            >>> Columns(racing.RaceOracle(surfaces.BOOTH)).gradient(Components([[0.0], [-4.0]])).rows
            [[-66.0], [-78.0]]
        """
        (x,), (y,) = theta.rows
        gx, gy = self.oracle.gradient(x, y)
        return Components([[gx], [gy]])

    def hessian(self, theta: Components) -> Components:
        """Return the Hessian [2, 2].

        Example:
            >>> from fop_core.optim.rules import Components
            >>> from fop_core.optim.rules.base import Columns
            >>> from toy_functions import racing, surfaces
            >>> Columns(racing.RaceOracle(surfaces.BOOTH)).hessian(Components([[0.0], [-4.0]])).rows
            ((10.0, 8.0), (8.0, 10.0))
        """
        (x,), (y,) = theta.rows
        return Components(self.oracle.hessian(x, y))
