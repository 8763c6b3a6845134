"""What every rule has, and what one may ask that needs more than the gradient where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from fop_core.optim.rules.components import Component, Components, Matrix, State, Step


class Oracle(Protocol):
    """A surface as a rule may look at it, anywhere and more than once in a step.

    Attributes:
        floor: f at the global minimum, -inf where f is unbounded below.
    """

    floor: float

    def value(self, x: Component, y: Component) -> Component:
        """Return f."""

    def gradient(self, x: Component, y: Component) -> tuple[Component, Component]:
        """Return the gradient, the noise of this step included."""

    def hessian(self, x: Component, y: Component) -> Any:
        """Return the Hessian's rows."""


@dataclass(frozen=True)
class Rule:
    """An update rule: settings alone, frozen. See the package for ``start`` and ``step``.

    Attributes:
        main_rate: the field that a sweep varies: "lr", or "hyper_lr" where the whole step is learned.
        needs_floor: whether it needs f at the global minimum.
        step: the next point and state, from the gradient at the point or from an oracle.
    """

    main_rate: ClassVar[str] = "lr"
    needs_floor: ClassVar[bool] = False
    step: ClassVar[Callable[..., Step]]

    @property
    def uses_oracle(self) -> bool:
        """Whether ``step`` takes (x, y, oracle, state) in place of (x, y, gx, gy, state)."""
        return False

    def start(self, x: Component, y: Component) -> State:
        """Return the state before the first step."""
        raise NotImplementedError

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]] | None:
        """Return the symmetric P, 2 x 2, that the next step applies; None for a rule that learns none."""
        return None


@dataclass(frozen=True)
class GradientRule(Rule):
    """A rule whose components act on each other, written on the point as a column theta [n, 1].

    ``begin(theta)`` returns the first state; ``advance(theta, G, state)`` the next theta and state, from the gradient.
    """

    def start(self, x: Component, y: Component) -> State:
        """Return the state before the first step."""
        return self.begin(Components([[x], [y]]))

    def step(self, x: Component, y: Component, *inputs: Any) -> Step:
        """Return the next point and state."""
        gx, gy, state = inputs
        theta, state = self.advance(Components([[x], [y]]), Components([[gx], [gy]]), state)
        (x,), (y,) = theta.rows
        return x, y, state

    def begin(self, theta: Matrix) -> State:
        """Return the state before the first step."""
        raise NotImplementedError

    def advance(self, theta: Matrix, source: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state."""
        raise NotImplementedError


@dataclass(frozen=True)
class OracleRule(GradientRule):
    """A rule that asks an oracle: ``advance(theta, oracle, state)``, whose methods take and give columns."""

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
    """An oracle of points as columns, from one of components."""

    __slots__ = ("floor", "oracle")

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.floor = oracle.floor

    def value(self, theta: Components) -> Component:
        """Return f."""
        (x,), (y,) = theta.rows
        return self.oracle.value(x, y)

    def gradient(self, theta: Components) -> Components:
        """Return the gradient [2, 1]."""
        (x,), (y,) = theta.rows
        gx, gy = self.oracle.gradient(x, y)
        return Components([[gx], [gy]])

    def hessian(self, theta: Components) -> Components:
        """Return the Hessian [2, 2]."""
        (x,), (y,) = theta.rows
        return Components(self.oracle.hessian(x, y))
