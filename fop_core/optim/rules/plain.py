"""SGD, momentum, and what divides by a mean of squared gradients: each component by itself."""

from dataclasses import dataclass, field

from fop_core.optim.elementary import sign, sqrt
from fop_core.optim.rules.base import Rule
from fop_core.optim.rules.components import Component, State, Step


def positive(name: str, value: float) -> None:
    """Refuse a setting that is not above 0.

    Example:
        >>> from fop_core.optim.rules.plain import positive
        >>> positive("eps", 0.0)
        Traceback (most recent call last):
            ...
        ValueError: eps is 0.0: give a positive number
    """
    if not value > 0:
        raise ValueError(f"{name} is {value!r}: give a positive number")


@dataclass(frozen=True)
class SGD(Rule):
    """x <- x - lr g.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> SGD(lr=0.5).step(3.0, -2.0, 4.0, 2.0, None)
        (1.0, -3.0, None)
    """

    lr: float

    def start(self, x: Component, y: Component) -> State:
        """Return no state."""
        return None

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and state.

        Example:
            >>> import numpy as np
            >>> from fop_core.optim.rules import SGD
            >>> x, y, _ = SGD(lr=0.5).step(np.array([3.0, 1.0]), 0.0, np.array([4.0, 2.0]), 0.0, None)
            >>> x  # of two races at once
            array([1., 0.])
        """
        return x - self.lr * gx, y - self.lr * gy, None


@dataclass(frozen=True)
class Momentum(Rule):
    """v <- momentum v + (1 - dampening) g, x <- x - lr v; the first v is g (Polyak 1964, in torch's form).

    Example:
        >>> from fop_core.optim.rules import Momentum
        >>> rule = Momentum(lr=0.5)
        >>> x, y, velocity = rule.step(3.0, -2.0, 4.0, 2.0, rule.start(3.0, -2.0))
        >>> rule.step(x, y, 0.0, 0.0, velocity)  # goes on where the gradient is 0
        (-0.8, -3.9, (3.6, 1.8))
    """

    lr: float
    momentum: float = 0.9
    dampening: float = 0.0
    nesterov = False

    def start(self, x: Component, y: Component) -> State:
        """Return no velocity yet."""
        return None

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and the velocity.

        Example:
            >>> from fop_core.optim.rules import Momentum
            >>> Momentum(lr=0.5, momentum=0.5).step(3.0, -2.0, 4.0, 2.0, (2.0, 0.0))
            (0.5, -3.0, (5.0, 2.0))
        """
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
    """Momentum with the step g + momentum v.

    Example:
        >>> from fop_core.optim.rules import Momentum, Nesterov
        >>> Nesterov(lr=0.5, momentum=0.5).step(3.0, -2.0, 4.0, 2.0, None)
        (0.0, -3.5, (4.0, 2.0))
        >>> Momentum(lr=0.5, momentum=0.5).step(3.0, -2.0, 4.0, 2.0, None)
        (1.0, -3.0, (4.0, 2.0))
    """

    dampening: float = field(default=0.0, init=False)
    nesterov = True


@dataclass(frozen=True)
class RMSProp(Rule):
    """s <- alpha s + (1 - alpha) g^2, x <- x - lr g / (sqrt(s) + eps) (Tieleman & Hinton 2012).

    Example:
        >>> from fop_core.optim.rules import RMSProp
        >>> rule = RMSProp(lr=0.1, alpha=0.75)
        >>> x, y, state = rule.step(3.0, -2.0, 400.0, 0.02, rule.start(3.0, -2.0))
        >>> round(x, 4), round(y, 4)  # the same length along both: the size of a gradient does not matter
        (2.8, -2.2)
    """

    lr: float
    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        positive("eps", self.eps)  # else a zero gradient is divided by zero

    def start(self, x: Component, y: Component) -> State:
        """Return second moments of zero."""
        return 0 * x, 0 * y

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and the second moments.

        Example:
            >>> from fop_core.optim.rules import RMSProp
            >>> rule = RMSProp(lr=0.1, alpha=0.75)
            >>> rule.step(3.0, -2.0, 4.0, 2.0, rule.start(3.0, -2.0))[2]
            (4.0, 1.0)
        """
        sx = self.alpha * state[0] + (1 - self.alpha) * (gx * gx)
        sy = self.alpha * state[1] + (1 - self.alpha) * (gy * gy)
        return x - self.lr * (gx / (sqrt(sx) + self.eps)), y - self.lr * (gy / (sqrt(sy) + self.eps)), (sx, sy)


@dataclass(frozen=True)
class Adam(Rule):
    """Adam with bias correction (Kingma & Ba 2014).

    Example:
        >>> from fop_core.optim.rules import Adam
        >>> rule = Adam(lr=0.1)
        >>> x, y, state = rule.step(3.0, -2.0, 400.0, 0.02, rule.start(3.0, -2.0))
        >>> round(x, 4), round(y, 4)  # the first step is lr long along each
        (2.9, -2.1)
    """

    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        positive("eps", self.eps)  # else a zero gradient is divided by zero

    def start(self, x: Component, y: Component) -> State:
        """Return moments of zero, and beta^0."""
        return 0 * x, 0 * y, 0 * x, 0 * y, 1.0, 1.0

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point, the moments, and beta^t.

        Example:
            >>> from fop_core.optim.rules import Adam
            >>> rule = Adam(lr=0.1, beta1=0.5, beta2=0.75)
            >>> rule.step(3.0, -2.0, 4.0, 2.0, rule.start(3.0, -2.0))[2]
            (2.0, 1.0, 4.0, 1.0, 0.5, 0.75)
        """
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
    """Adam with decoupled weight decay: x <- (1 - lr weight_decay) x first (Loshchilov & Hutter 2019).

    Example:
        >>> from fop_core.optim.rules import AdamW
        >>> rule = AdamW(lr=0.1, weight_decay=0.5)
        >>> x, y, state = rule.step(3.0, -2.0, 0.0, 0.0, rule.start(3.0, -2.0))
        >>> round(x, 4), round(y, 4)  # without a gradient the weights decay by lr weight_decay = 5 %
        (2.85, -1.9)
    """

    weight_decay: float = 0.01

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point, the moments, and beta^t."""
        kept = 1 - self.lr * self.weight_decay
        return super().step(kept * x, kept * y, gx, gy, state)


@dataclass(frozen=True)
class Lion(Rule):
    """x <- (1 - lr weight_decay) x - lr sign(beta1 m + (1 - beta1) g), m <- beta2 m + (1 - beta2) g (Chen et al. 2023).

    arXiv 2302.06675, Algorithm 2.

    Example:
        >>> from fop_core.optim.rules import Lion
        >>> rule = Lion(lr=0.5)
        >>> x, y, moments = rule.step(3.0, -2.0, 400.0, -0.02, rule.start(3.0, -2.0))
        >>> x, y  # lr long along each, by the sign alone
        (2.5, -1.5)
    """

    lr: float
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def start(self, x: Component, y: Component) -> State:
        """Return moments of zero."""
        return 0 * x, 0 * y

    def step(self, x: Component, y: Component, gx: Component, gy: Component, state: State) -> Step:
        """Return the next point and the moments.

        Example:
            >>> from fop_core.optim.rules import Lion
            >>> Lion(lr=0.5, beta2=0.5).step(3.0, -2.0, 4.0, -2.0, (0.0, 0.0))
            (2.5, -1.5, (2.0, -1.0))
        """
        mx, my = state
        kept, beta1, beta2 = 1 - self.lr * self.weight_decay, self.beta1, self.beta2
        x = kept * x - self.lr * sign(beta1 * mx + (1 - beta1) * gx)
        y = kept * y - self.lr * sign(beta1 * my + (1 - beta1) * gy)
        return x, y, (beta2 * mx + (1 - beta2) * gx, beta2 * my + (1 - beta2) * gy)
