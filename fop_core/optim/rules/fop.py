"""First-order preconditioning as a rule: ``fop_core.FOP`` around ``torch.optim.SGD``, and forms of it with names."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from fop_core.optim import elementary, maths
from fop_core.optim.elementary import sqrt
from fop_core.optim.rules.base import Columns, GradientRule
from fop_core.optim.rules.components import (
    Component,
    Components,
    Matrix,
    State,
    Step,
    blend,
    each,
    finite,
    identity,
    inner,
    quotient,
    where,
)

ADAGRAD_EPS = 1e-12


@dataclass(frozen=True)
class FOP(GradientRule):
    """First-order preconditioning around SGD: ``fop_core.FOP`` with ``hyper_optimizer="sgd"`` (Algorithm 1).

    The point is one parameter in the layout [2, 1] ("scalar": [1, 2]).

    Attributes:
        lr: epsilon.
        hyper_lr: rho; 0 freezes M.
        preconditioner: "direct" P = M | "factored" P = M M^T | "low_rank" P = I + M M^T | "exponential" P = exp(M), M
            symmetric from 0 | "scalar" | "diagonal".
        momentum: of the base.
        dampening: of the base.
        nesterov: of the base.
        trace: "velocity": lambda = momentum | "one_step": lambda = 0, Eq. 4 to the letter.
        factor: M at the start, 2 rows; None for init_scale I, for "low_rank" a draw [2, 1] ~ N(0, 0.01^2), and for
            "exponential" 0.
        derivative: of "exponential": "exact" | "root", P^1/2 S P^1/2 in its place.
        feedback: what M descends: "hypergradient" | "osgm", which is the hypergradient divided by ||U||^2, where U is
            what the last step was made of: ||G||^2 of the last gradient, without a trace. 0 / 0 is 0. It is not the
            scaling of P by Eq. 9.
        hyper_optimizer: how: "sgd" M += rho d, d the descent | "adagrad" S += d d, M += rho d / (sqrt(S) + 1e-12).
        init_scale: M at the start is init_scale I; 1 for "low_rank" and "exponential", which begin otherwise.
        guard: whether each step is tried first, by an oracle. M learns at once from the gradient at the trial, and U
            has this step's gradient in it. A trial that is not below f is undone: point, velocity and trace. Where it
            is not finite, nothing can be learned from it, and P is divided by 4 ("low_rank": P - I).
        clip: whether the gradient at a trial that is undone counts as no longer than U. One trial that went much too
            far would else fill AdaGrad's S for good.

    Example:
        >>> from fop_core.optim.rules import FOP, SGD
        >>> from toy_functions import Race, race, surfaces
        >>> rules = {"SGD": SGD(0.005), "FOP": FOP(0.005, hyper_lr=0.001)}
        >>> for name, path in race(Race(surfaces.BOOTH, (0.0, -4.0), rules)).items():
        ...     print(name, path.reason)
        SGD f < 1e-06 at step 832
        FOP f < 1e-06 at step 782
    """

    lr: float
    hyper_lr: float = 0.01
    preconditioner: str = "factored"
    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    trace: str = "velocity"
    factor: tuple[tuple[float, ...], ...] | None = None
    derivative: str = "exact"
    feedback: str = "hypergradient"
    hyper_optimizer: str = "sgd"
    init_scale: float = 1.0
    guard: bool = False
    clip: bool = False

    def __post_init__(self) -> None:
        if self.preconditioner not in OF_A_POINT:
            raise ValueError(f"preconditioner is {self.preconditioner!r}: give one of {', '.join(OF_A_POINT)}")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                one, other = allowed
                raise ValueError(f'{name} is {getattr(self, name)!r}: give "{one}" or "{other}"')
        if not 0 < self.init_scale < math.inf:
            raise ValueError(f"init_scale is {self.init_scale!r}: give a positive number")
        if self.init_scale != 1 and self.preconditioner in ("exponential", "low_rank"):
            start = {"exponential": "0", "low_rank": "a small draw"}[self.preconditioner]
            raise ValueError(
                f'init_scale is {self.init_scale!r}: leave it out, M of "{self.preconditioner}" is {start}'
            )

    @property
    def uses_oracle(self) -> bool:
        """Whether steps are guarded."""
        return self.guard

    def begin(self, theta: Matrix) -> State:
        """Return (M, u, U, velocity, lr, S, f, g, begun): M as it starts, and nothing else yet."""
        n, factor = theta.shape[-2], self.factor
        if factor is None:
            match self.preconditioner:
                case "low_rank":
                    factor = _DRAW
                case "scalar":
                    factor = ((self.init_scale,),)
                case "diagonal":
                    factor = ((self.init_scale,),) * n
                case "exponential":
                    factor = np.zeros((n, n)).tolist()
                case _:
                    factor = (self.init_scale * np.eye(n)).tolist()
        if isinstance(theta, Components):
            one = 0 * theta.rows[0][0] + 1
            M: Matrix = Components([[entry * one for entry in row] for row in factor])
        else:
            M = np.asarray(factor) + 0 * theta[..., :1, :]
        return M, None, None, None, None, None, None, None, None

    def step(self, x: Component, y: Component, *inputs: Any) -> Step:
        """Return the next point and state.

        Example:
            >>> from fop_core.optim.rules import FOP
            >>> rule, x, y = FOP(lr=0.25, hyper_lr=0.0625), 3.0, -2.0
            >>> x, y, state = rule.step(x, y, 2 * x, 2 * y, rule.start(x, y))
            >>> x, y, rule.matrix(state)  # nothing is learned of the first gradient alone
            (1.5, -1.0, ((1.0, 0.0), (0.0, 1.0)))
            >>> x, y, state = rule.step(x, y, 2 * x, 2 * y, state)
            >>> rule.matrix(state)
            ((2.58203125, -1.0546875), (-1.0546875, 1.703125))
        """
        if self.guard:
            oracle, state = inputs
            theta, state = self._try_step(Components([[x], [y]]), Columns(oracle), state)
            (x,), (y,) = theta.rows
            return x, y, state
        gx, gy, state = inputs
        if self.preconditioner == "scalar":
            move, state = self._descend(Components([[gx, gy]]), state)
            dx, dy = move.rows[0]
        else:
            move, state = self._descend(Components([[gx], [gy]]), state)
            (dx,), (dy,) = move.rows
        return x - self.lr * dx, y - self.lr * dy, state

    def advance(self, theta: Matrix, source: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state, from the gradient or, where steps are guarded, an oracle of columns."""
        if self.guard:
            return self._try_step(theta, source, state)
        scalar = self.preconditioner == "scalar"
        move, state = self._descend(source.mT if scalar else source, state)
        return theta - self.lr * (move.mT if scalar else move), state

    def _descend(self, G: Matrix, state: State) -> tuple[Matrix, State]:
        """Return what lr times is subtracted from the point, and the next state; "scalar" has rows for columns."""
        M, trace, U, velocity, rate, S, *_ = state
        apply, alignment = _FORMS[self.preconditioner, self.derivative]
        PG, known = apply(M, G)

        hyper_lr = self.hyper_lr
        if (getattr(hyper_lr, "shape", ()) or hyper_lr) and trace is not None:  # an array learns throughout
            if self.feedback == "hypergradient" and self.hyper_optimizer == "sgd":
                M = M + (hyper_lr * rate) * alignment(M, G, U, known)
            else:
                M, S = self._learned(M, S, alignment(M, G, U, known), rate, U)

        fresh = 1 - self.dampening if self.momentum else 1.0
        decay = self.momentum if self.trace == "velocity" else 0.0
        if trace is None or (not decay and fresh == 1.0):
            trace = G
        else:
            trace = blend(decay, trace, fresh, G) if decay else fresh * G
        U = blend(1.0, G, decay, trace) if self.nesterov else trace

        move = PG
        if self.momentum:
            velocity = PG if velocity is None else blend(self.momentum, velocity, fresh, PG)
            move = blend(1.0, PG, self.momentum, velocity) if self.nesterov else velocity
        return move, (M, trace, U, velocity, self.lr, S, None, None, None)

    def _try_step(self, theta: Matrix, oracle: Any, state: State) -> tuple[Matrix, State]:
        """Return the next theta and state, by a trial."""
        M, trace, U, velocity, _, S, f, g, begun = state
        apply, alignment = _FORMS[self.preconditioner, self.derivative]
        scalar = self.preconditioner == "scalar"
        if g is None:
            f, g = oracle.value(theta), oracle.gradient(theta)
            begun = f < f  # which paths have taken a step: none
        G = g.mT if scalar else g
        PG, known = apply(M, G)

        fresh = 1 - self.dampening if self.momentum else 1.0
        decay = self.momentum if self.trace == "velocity" else 0.0
        next_trace, next_velocity = fresh * G, PG
        if trace is None:
            next_trace, trace, velocity = G, 0 * G, 0 * PG
        elif self.momentum:
            next_trace = where(begun, blend(decay, trace, fresh, G), G)
            next_velocity = where(begun, blend(self.momentum, velocity, fresh, PG), PG)
        U = blend(1.0, G, decay, next_trace) if self.nesterov else next_trace
        move = blend(1.0, PG, self.momentum, next_velocity) if self.nesterov else next_velocity

        trial = theta - self.lr * (move.mT if scalar else move)
        f_trial, g_trial = oracle.value(trial), oracle.gradient(trial)
        usable = finite(f_trial, g_trial)
        below = usable & (f_trial < f)
        if getattr(self.hyper_lr, "shape", ()) or self.hyper_lr:
            G_trial = g_trial.mT if scalar else g_trial
            if self.clip:
                length, most = sqrt(inner(G_trial, G_trial)), sqrt(inner(U, U))
                G_trial = elementary.where(below | (length <= most), 1.0, elementary.divide(most, length)) * G_trial
            known = known if self.preconditioner == "exponential" else None  # exp(M / 2), no matter of G
            learned, S_learned = self._learned(M, S, alignment(M, G_trial, U, known), self.lr, U)
            taught = finite(f_trial, learned)
            if S_learned is not None:
                S = where(taught, S_learned, 0 * M if S is None else S)
            M = where(taught, learned, self._shrunk(M))
        else:
            M = where(usable, M, self._shrunk(M))
        if self.momentum:
            trace, velocity = where(below, next_trace, trace), where(below, next_velocity, velocity)
        theta, g, f = where(below, trial, theta), where(below, g_trial, g), where(below, f_trial, f)
        return theta, (M, trace, U, velocity, self.lr, S, f, g, begun | below)

    def _learned(self, M: Matrix, S: Matrix | None, alignment: Matrix, rate: Any, U: Matrix) -> tuple[Matrix, Any]:
        """Return M and AdaGrad's S after what was learned of a step, made of U at a rate."""
        if self.feedback == "osgm":
            alignment = quotient(alignment, inner(U, U))
        if self.hyper_optimizer == "sgd":
            return M + (self.hyper_lr * rate) * alignment, S
        d = rate * alignment
        S = d * d if S is None else S + d * d
        return M + each(lambda p, s: self.hyper_lr * p / (sqrt(s) + ADAGRAD_EPS), d, S), S

    def _shrunk(self, M: Matrix) -> Matrix:
        """Return the M of P / 4."""
        if self.preconditioner == "exponential":
            return M - math.log(4.0) * identity(M.shape[-1], M)
        return (0.5 if self.preconditioner in ("factored", "low_rank") else 0.25) * M

    def matrix(self, state: State) -> tuple[tuple[Component, Component], tuple[Component, Component]]:
        """Return P, 2 x 2, as the next step applies it."""
        M = state[0]
        match self.preconditioner:
            case "scalar":
                return (M.rows[0][0], 0.0), (0.0, M.rows[0][0])
            case "diagonal":
                return (M.rows[0][0], 0.0), (0.0, M.rows[1][0])
            case "direct":
                return tuple(M.rows[0]), tuple(M.rows[1])
            case "exponential":
                M = maths.exponential_root(M, identity(2, M))
        (a, b), (c, d) = maths.factored_matrix(M).rows
        one = 1 if self.preconditioner == "low_rank" else 0
        return (a + one, b), (c, d + one)


@dataclass(frozen=True)
class _AsPublished(FOP):
    """FOP with SGD on M and the plain hypergradient."""

    derivative: str = field(default="exact", init=False)
    feedback: str = field(default="hypergradient", init=False)
    hyper_optimizer: str = field(default="sgd", init=False)
    init_scale: float = field(default=1.0, init=False)
    guard: bool = field(default=False, init=False)
    clip: bool = field(default=False, init=False)


@dataclass(frozen=True)
class SHD(_AsPublished):
    """Hypergradient descent on one learning-rate factor for the point (S-HD, Baydin et al. 2017).

    Example:
        >>> from fop_core.optim.rules import SHD
        >>> from toy_functions import Race, race, surfaces
        >>> path = race(Race(surfaces.BOOTH, (0.0, -4.0), {"S-HD": SHD(0.005, 0.001)}))["S-HD"]
        >>> path.reason, path.preconditioners[-1].round(2).tolist()  # one number
        ('f < 1e-06 at step 658', [[1.26, 0.0], [0.0, 1.26]])
    """

    preconditioner: str = field(default="scalar", init=False)


@dataclass(frozen=True)
class PPHD(_AsPublished):
    """Hypergradient descent on one factor for each component (PP-HD, Almeida et al. 1998).

    Example:
        >>> from fop_core.optim.rules import PPHD
        >>> from toy_functions import Race, race, surfaces
        >>> path = race(Race(surfaces.BOOTH, (0.0, -4.0), {"PP-HD": PPHD(0.005, 0.001)}))["PP-HD"]
        >>> path.reason, path.preconditioners[-1].round(2).tolist()  # one number for x, one for y
        ('f < 1e-06 at step 730', [[1.1, 0.0], [0.0, 1.18]])
    """

    preconditioner: str = field(default="diagonal", init=False)


@dataclass(frozen=True)
class OneStepFOP(_AsPublished):
    """FOP with the one-step trace, Eq. 4 to the letter, to race beside the one with the velocity's.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import FOP, OneStepFOP
        >>> from toy_functions import Race, race, surfaces
        >>> rules = {"one step": OneStepFOP(0.01, 0.001, momentum=0.9), "velocity": FOP(0.01, 0.001, momentum=0.9)}
        >>> for name, path in race(Race(surfaces.BOOTH, (0.0, -4.0), rules, noise=10.0, max_steps=1000)).items():
        ...     print(name, np.linalg.eigvalsh(path.preconditioners[-1]).round(2))  # grows, or shrinks, in noise
        one step [1.2  8.94]
        velocity [0.27 0.85]
    """

    trace: str = field(default="one_step", init=False)


@dataclass(frozen=True)
class ExponentialFOP(FOP):
    """FOP with P = exp(M): an eigenvalue that was learned to be small can grow again, which that of M M^T cannot.

    Example:
        >>> from fop_core.optim.rules import ExponentialFOP
        >>> from toy_functions import Race, race, surfaces
        >>> path = race(Race(surfaces.BOOTH, (0.0, -4.0), {"FOP": ExponentialFOP(0.01, 0.001)}))["FOP"]
        >>> path.reason, path.factors[0].tolist(), path.preconditioners[0].tolist()  # exp(0) = I
        ('f < 1e-06 at step 406', [[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]])
    """

    preconditioner: str = field(default="exponential", init=False)
    init_scale: float = field(default=1.0, init=False)


@dataclass(frozen=True)
class OSGMFOP(FOP):
    """FOP with OSGM's feedback and guard, AdaGrad on M: the whole step is learned, at almost any rate rho.

    Example:
        >>> from fop_core.optim.rules import OSGMFOP
        >>> from toy_functions import Race, race, surfaces
        >>> rules = {str(rate): OSGMFOP(hyper_lr=rate) for rate in (0.01, 0.1, 1.0)}
        >>> for name, path in race(Race(surfaces.BOOTH, (0.0, -4.0), rules)).items():
        ...     print(name, path.reason)
        0.01 f < 1e-06 at step 90
        0.1 f < 1e-06 at step 13
        1.0 f < 1e-06 at step 15
    """

    main_rate: ClassVar[str] = "hyper_lr"

    lr: float = 1.0
    hyper_lr: float = 0.1
    preconditioner: str = field(default="factored", init=False)
    feedback: str = field(default="osgm", init=False)
    hyper_optimizer: str = field(default="adagrad", init=False)
    init_scale: float = 0.03
    guard: bool = field(default=True, init=False)
    clip: bool = True


def _exponential_apply(A: Matrix, G: Matrix) -> tuple[Matrix, Matrix]:
    """Return exp(A) G, and exp(A / 2)."""
    R = maths.exponential_root(A, identity(A.shape[-1], A))
    return maths.factored_apply(R, G)[0], R


def _exponential_alignment(A: Matrix, G: Matrix, U: Matrix, R: Matrix) -> Matrix:
    GUt = G @ U.mT
    return maths.exponential_alignment(A, GUt + GUt.mT)


def _root_alignment(A: Matrix, G: Matrix, U: Matrix, R: Matrix) -> Matrix:
    GUt = G @ U.mT
    return maths.exponential_root_alignment(R, GUt + GUt.mT)


_CHOICES = {
    "trace": ("velocity", "one_step"),
    "derivative": ("exact", "root"),
    "feedback": ("hypergradient", "osgm"),
    "hyper_optimizer": ("sgd", "adagrad"),
}
_DRAW = tuple((0.01 * float(number),) for number in np.random.default_rng(0).standard_normal(2))
_FORMS: dict[tuple[str, str], tuple[Any, Any]] = {
    **{
        (name, derivative): form
        for derivative in _CHOICES["derivative"]
        for name, form in {
            "direct": (maths.direct_apply, maths.direct_alignment),
            "factored": (maths.factored_apply, maths.factored_alignment),
            "low_rank": (maths.low_rank_apply, maths.low_rank_alignment),
            "scalar": (maths.direct_apply, maths.direct_alignment),
            "diagonal": (maths.diagonal_apply, maths.diagonal_alignment),
        }.items()
    },
    ("exponential", "exact"): (_exponential_apply, _exponential_alignment),
    ("exponential", "root"): (_exponential_apply, _root_alignment),
}
"""What applies P and what gives its alignment, by preconditioner and derivative."""
OF_A_POINT = tuple(dict.fromkeys(name for name, _ in _FORMS))
"""The forms of P that a point has, by name; ``forms.FORMS`` says what each is."""
