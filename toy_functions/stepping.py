"""How long a rule's steps are: its learning rate at each step, and whether past gradients move the point as well."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fop_core.optim.rules import FOP, SGD, Momentum, Rule
from toy_functions.racing import Race
from toy_functions.schedules import is_scheduled, rate_factor


@dataclass(frozen=True)
class Stepping:
    """How a rule steps.

    Attributes:
        rate: ε without a schedule; 1 for a rule that has none.
        rates: ε at steps [k] of the race, float32 [k], where a schedule changes it.
        momentum: whether past gradients move the point as well.

    Example:
        >>> from fop_core.optim.rules import Momentum
        >>> from toy_functions import Race
        >>> from toy_functions.stepping import stepping
        >>> from toy_functions.surfaces import BOOTH
        >>> rule = Momentum(0.01)
        >>> steps = stepping(rule, Race(BOOTH, BOOTH.start, {"Momentum": rule}, max_steps=100, schedule="linear"))
        >>> steps.rate, steps.momentum
        (0.01, True)
    """

    rate: float
    rates: Callable[[np.ndarray], np.ndarray] | None
    momentum: bool

    def at(self, step: int) -> float:
        """Return ε at a step.

        Example:
            >>> from fop_core.optim.rules import SGD
            >>> from toy_functions import Race
            >>> from toy_functions.stepping import stepping
            >>> from toy_functions.surfaces import BOOTH
            >>> rule = SGD(0.5)
            >>> steps = stepping(rule, Race(BOOTH, BOOTH.start, {"SGD": rule}, max_steps=100, schedule="linear"))
            >>> steps.at(0), steps.at(50)
            (0.5, 0.25)
        """
        return self.rate if self.rates is None else float(self.rates(np.array([step]))[0])


def stepping(rule: Rule, race: Race) -> Stepping:
    """Return how a rule of a race steps.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions import Race
        >>> from toy_functions.stepping import stepping
        >>> from toy_functions.surfaces import BOOTH
        >>> rule = SGD(0.5)
        >>> stepping(rule, Race(BOOTH, BOOTH.start, {"SGD": rule}))
        Stepping(rate=0.5, rates=None, momentum=False)
    """
    rate: float | None = getattr(rule, "lr", None)
    schedule = race.schedule, race.warmup, race.max_steps
    around_sgd = isinstance(rule, FOP | SGD | Momentum)
    return Stepping(
        rate=1.0 if rate is None else rate,
        rates=partial(_rates, rate, schedule) if rate is not None and is_scheduled(*schedule) else None,
        momentum=around_sgd and bool(getattr(rule, "momentum", 0.0)),
    )


def _rates(rate: float, schedule: tuple[str, int, int], steps: np.ndarray) -> np.ndarray:
    last = schedule[2] - 1  # of the steps that are taken
    return np.array([rate * rate_factor(*schedule, min(step, last)) for step in steps.tolist()], np.float32)
