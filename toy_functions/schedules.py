"""What a race multiplies its rules' learning rates by, step by step."""

import math
from dataclasses import replace

from fop_core.optim.rules import Rule

SCHEDULES = ("constant", "cosine", "step", "linear")
"""After the warm-up, over the rest of a race's steps: 1; from 1 to 0 along half a cosine; 1, from half of them on 0.1
and from three quarters on 0.01; from 1 to 0 along a line."""


def is_scheduled(schedule: str, warmup: int, max_steps: int) -> bool:
    """Return whether learning rates are multiplied by anything but 1.

    Args:
        schedule: one of ``SCHEDULES``.
        warmup: so many first steps rise in a line, from 1 / warmup to 1.
        max_steps: of the race; it may end earlier.

    Raises:
        ValueError: there is no such schedule, or the warm-up is not within 0 and max_steps.

    Example:
        >>> from toy_functions.schedules import is_scheduled
        >>> is_scheduled("constant", 0, 100), is_scheduled("cosine", 0, 100), is_scheduled("constant", 10, 100)
        (False, True, True)
        >>> is_scheduled("constant", 200, 100)
        Traceback (most recent call last):
            ...
        ValueError: warmup is 200: give 0 to max_steps, which is 100
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule is {schedule!r}: give one of {', '.join(SCHEDULES)}")
    if not 0 <= warmup <= max_steps:
        raise ValueError(f"warmup is {warmup}: give 0 to max_steps, which is {max_steps}")
    return schedule != "constant" or warmup > 0


def rate_factor(schedule: str, warmup: int, max_steps: int, step: int) -> float:
    """Return what learning rates are multiplied by at a step, counted from 0; else as ``is_scheduled``.

    Example:
        >>> from toy_functions.schedules import rate_factor
        >>> [rate_factor("step", 10, 100, step) for step in (0, 9, 54, 55, 99)]
        [0.1, 1.0, 1.0, 0.1, 0.01]
        >>> [round(rate_factor("cosine", 0, 100, step), 3) for step in (0, 50, 99)]
        [1.0, 0.5, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    share = (step - warmup) / (max_steps - warmup)
    match schedule:
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * share))
        case "step":
            return 0.01 if share >= 0.75 else 0.1 if share >= 0.5 else 1.0
        case "linear":
            return 1 - share
    return 1.0


def scaled(rule: Rule, factor: float) -> Rule:
    """Return a rule with its learning rate times a factor; the same where it has none, as it learns the whole step.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.schedules import scaled
        >>> scaled(SGD(0.5), 0.1)
        SGD(lr=0.05)
    """
    lr = getattr(rule, "lr", None)
    return rule if lr is None else replace(rule, lr=lr * factor)  # type: ignore[call-arg]
