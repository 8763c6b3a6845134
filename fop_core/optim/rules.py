"""Optimizers as pure update rules on the components x, y of a point.

A component is a float for one race (numpy on 2-vectors is ten times too slow to be live), or a numpy or torch array of
any shape for a batch of races. A rule is frozen and holds settings; what it remembers is the state it hands back:

    state = rule.start(x, y)
    x, y, state = rule.step(x, y, df_dx, df_dy, state)

Each follows its namesake in ``torch.optim``, or ``fop_core.FOP`` around ``torch.optim.SGD``, step for step. Nothing
is clipped: what overflows becomes inf or nan.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fop_core.optim import maths
from fop_core.optim.elementary import sqrt

Component = Any  # float, numpy.ndarray or torch.Tensor
State = Any
Step = tuple[Component, Component, State]


@dataclass(frozen=True)
class SGD:
    """x <- x - lr g."""

    lr: float

    def start(self, x: Component, y: Component) -> State:
        """Return no state."""
        return None

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and state."""
        return x - self.lr * gx, y - self.lr * gy, None


@dataclass(frozen=True)
class Momentum:
    """v <- momentum v + (1 - dampening) g, x <- x - lr v; the first v is g (Polyak 1964, in torch's form)."""

    lr: float
    momentum: float = 0.9
    dampening: float = 0.0
    nesterov = False

    def start(self, x: Component, y: Component) -> State:
        """Return no velocity yet."""
        return None

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and the velocity."""
        if state is None:
            vx, vy = gx, gy
        else:
            fresh = 1 - self.dampening
            vx, vy = self.momentum * state[0] + fresh * gx, self.momentum * state[1] + fresh * gy
        if self.nesterov:
            return x - self.lr * (gx + self.momentum * vx), y - self.lr * (gy + self.momentum * vy), (vx, vy)
        return x - self.lr * vx, y - self.lr * vy, (vx, vy)


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum with the step g + momentum v."""

    dampening: float = field(default=0.0, init=False)
    nesterov = True


@dataclass(frozen=True)
class RMSProp:
    """s <- alpha s + (1 - alpha) g^2, x <- x - lr g / (sqrt(s) + eps) (Tieleman & Hinton 2012)."""

    lr: float
    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _positive("eps", self.eps)  # else a zero gradient is divided by zero

    def start(self, x: Component, y: Component) -> State:
        """Return second moments of zero."""
        return 0 * x, 0 * y

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and the second moments."""
        sx = self.alpha * state[0] + (1 - self.alpha) * (gx * gx)
        sy = self.alpha * state[1] + (1 - self.alpha) * (gy * gy)
        return x - self.lr * (gx / (sqrt(sx) + self.eps)), y - self.lr * (gy / (sqrt(sy) + self.eps)), (sx, sy)


@dataclass(frozen=True)
class Adam:
    """Adam with bias correction (Kingma & Ba 2014)."""

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _positive("eps", self.eps)  # else a zero gradient is divided by zero

    def start(self, x: Component, y: Component) -> State:
        """Return moments of zero, and beta^0."""
        return 0 * x, 0 * y, 0 * x, 0 * y, 1.0, 1.0

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point, the moments, and beta^t."""
        mx, my, sx, sy, power1, power2 = state
        beta1, beta2 = self.beta1, self.beta2
        mx, my = beta1 * mx + (1 - beta1) * gx, beta1 * my + (1 - beta1) * gy
        sx, sy = beta2 * sx + (1 - beta2) * (gx * gx), beta2 * sy + (1 - beta2) * (gy * gy)
        power1, power2 = power1 * beta1, power2 * beta2
        rate, correction = self.lr / (1 - power1), (1 - power2) ** 0.5
        x = x - rate * (mx / (sqrt(sx) / correction + self.eps))
        y = y - rate * (my / (sqrt(sy) / correction + self.eps))
        return x, y, (mx, my, sx, sy, power1, power2)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay: x <- (1 - lr weight_decay) x first (Loshchilov & Hutter 2019)."""

    weight_decay: float = 0.01

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point, the moments, and beta^t."""
        kept = 1 - self.lr * self.weight_decay
        return super().step(kept * x, kept * y, gx, gy, state)


def _positive(name: str, value: float) -> None:
    if not value > 0:
        raise ValueError(f"{name} is {value!r}: give a positive number")


class Components:
    """A small matrix whose entries are components: enough of one for ``maths``."""

    __slots__ = ("rows",)
    __array_ufunc__ = None  # an array of numbers times a matrix is __rmul__'s

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; the entries' own shape does not count."""
        return len(self.rows), len(self.rows[0])

    @property
    def mT(self) -> "Components":
        """The transpose."""
        return Components(tuple(zip(*self.rows)))

    def __matmul__(self, other: "Components") -> "Components":
        columns = tuple(zip(*other.rows))
        return Components([[_dot(row, column) for column in columns] for row in self.rows])

    def __add__(self, other: "Components") -> "Components":
        return Components([[a + b for a, b in zip(*pair)] for pair in zip(self.rows, other.rows)])

    def __mul__(self, other: "Components") -> "Components":
        return Components([[a * b for a, b in zip(*pair)] for pair in zip(self.rows, other.rows)])

    def __rmul__(self, number: float) -> "Components":
        return Components([[number * entry for entry in row] for row in self.rows])


def _dot(row: Any, column: Any) -> Component:
    total = row[0] * column[0]
    for a, b in zip(row[1:], column[1:]):
        total = total + a * b
    return total


@dataclass(frozen=True)
class FOP:
    """First-order preconditioning around SGD: ``fop_core.FOP`` with ``hyper_optimizer="sgd"`` (Algorithm 1).

    The point is one parameter in the layout [2, 1] ("scalar": [1, 2]).

    Attributes:
        lr: epsilon.
        hyper_lr: rho; 0 freezes M.
        preconditioner: the form of P, a name in ``OF_A_POINT``; ``forms.FORMS`` says what each is.
        momentum: of the base.
        dampening: of the base.
        nesterov: of the base.
        trace: "velocity": lambda = momentum | "one_step": lambda = 0, Eq. 4 to the letter.
        factor: M at the start, 2 rows; None for the identity, or for "low_rank" a draw [2, 1] ~ N(0, 0.01^2).
    """

    lr: float
    hyper_lr: float = 0.01
    preconditioner: str = "factored"
    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    trace: str = "velocity"
    factor: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.preconditioner not in OF_A_POINT:
            raise ValueError(f"preconditioner is {self.preconditioner!r}: give one of {', '.join(OF_A_POINT)}")
        if self.trace not in ("velocity", "one_step"):
            raise ValueError(f'trace is {self.trace!r}: give "velocity" or "one_step"')

    def start(self, x: Component, y: Component) -> State:
        """Return (M, u, U, velocity): M as it starts, and nothing else yet."""
        factor = self.factor if self.factor is not None else OF_A_POINT[self.preconditioner][2]
        one = 0 * x + 1
        return Components([[entry * one for entry in row] for row in factor]), None, None, None

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and (M, u, U, velocity)."""
        M, trace, nesterov_trace, velocity = state
        apply, alignment, _ = OF_A_POINT[self.preconditioner]
        scalar = self.preconditioner == "scalar"
        G = Components([[gx, gy]] if scalar else [[gx], [gy]])
        PG, GtM = apply(M, G)
        move = PG.rows[0] if scalar else [PG.rows[0][0], PG.rows[1][0]]

        if (getattr(self.hyper_lr, "shape", ()) or self.hyper_lr) and trace is not None:  # an array learns throughout
            M = M + (self.hyper_lr * self.lr) * alignment(M, G, nesterov_trace, GtM)

        fresh = 1 - self.dampening if self.momentum else 1.0
        decay = self.momentum if self.trace == "velocity" else 0.0
        trace = G if trace is None else decay * trace + fresh * G if decay else fresh * G
        nesterov_trace = G + decay * trace if self.nesterov else trace

        if self.momentum:
            if velocity is not None:
                velocity = [self.momentum * v + fresh * g for v, g in zip(velocity, move)]
            else:
                velocity = move
            move = [g + self.momentum * v for v, g in zip(velocity, move)] if self.nesterov else velocity
        return x - self.lr * move[0], y - self.lr * move[1], (M, trace, nesterov_trace, velocity)

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]]:
        """Return P, 2 x 2, as the next step applies it."""
        M = state[0].rows
        if self.preconditioner == "scalar":
            return (M[0][0], 0.0), (0.0, M[0][0])
        if self.preconditioner == "diagonal":
            return (M[0][0], 0.0), (0.0, M[1][0])
        if self.preconditioner == "direct":
            return tuple(M[0]), tuple(M[1])
        (a, b), (c, d) = maths.factored_matrix(state[0]).rows
        identity = 1 if self.preconditioner == "low_rank" else 0
        return (a + identity, b), (c, d + identity)


@dataclass(frozen=True)
class SHD(FOP):
    """Hypergradient descent on one learning-rate factor for the point (S-HD, Baydin et al. 2017)."""

    preconditioner: str = field(default="scalar", init=False)


@dataclass(frozen=True)
class PPHD(FOP):
    """Hypergradient descent on one factor for each component (PP-HD, Almeida et al. 1998)."""

    preconditioner: str = field(default="diagonal", init=False)


@dataclass(frozen=True)
class OneStepFOP(FOP):
    """FOP with the one-step trace, Eq. 4 to the letter, to race beside the one with the velocity's."""

    trace: str = field(default="one_step", init=False)


_EYE = ((1.0, 0.0), (0.0, 1.0))
_DRAW = tuple((0.01 * float(number),) for number in np.random.default_rng(0).standard_normal(2))
OF_A_POINT: dict[str, tuple[Any, Any, tuple[tuple[float, ...], ...]]] = {
    "direct": (maths.direct_apply, maths.direct_alignment, _EYE),
    "factored": (maths.factored_apply, maths.factored_alignment, _EYE),
    "low_rank": (maths.low_rank_apply, maths.low_rank_alignment, _DRAW),
    "scalar": (maths.direct_apply, maths.direct_alignment, ((1.0,),)),
    "diagonal": (maths.diagonal_apply, maths.diagonal_alignment, ((1.0,), (1.0,))),
}
"""The forms of P that a point has, by name: P G, the gradient of <G, P(M) U>, and M at the start."""

RULES = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
    "s-hd": SHD,
    "pp-hd": PPHD,
    "fop-one-step": OneStepFOP,
    "fop": FOP,
}
"""By the name that the command line and the pages use."""

Rule = SGD | Momentum | RMSProp | Adam | FOP
