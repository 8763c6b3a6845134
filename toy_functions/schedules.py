"""What a race multiplies its rules' learning rates by, step by step."""

import math
from dataclasses import replace

from fop_core.optim.rules import Rule

SCHEDULES = ("constant", "cosine", "step", "linear")
"""After the warm-up, over the rest of a race's steps: 1; from 1 to 0 along half a cosine; 1, from half of them on 0.1
and from three quarters on 0.01; from 1 to 0 along a line."""


def rate_factors(schedule: str, warmup: int, max_steps: int) -> list[float] | None:
    """Return the factor of each step, [max_steps]; None where all are 1.

    Args:
        schedule: one of ``SCHEDULES``.
        warmup: so many first steps rise in a line, from 1 / warmup to 1.
        max_steps: of the race; it may end earlier.

    Raises:
        ValueError: there is no such schedule, or the warm-up is not within 0 and max_steps.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule is {schedule!r}: give one of {', '.join(SCHEDULES)}")
    if not 0 <= warmup <= max_steps:
        raise ValueError(f"warmup is {warmup}: give 0 to max_steps, which is {max_steps}")
    if schedule == "constant" and not warmup:
        return None
    remaining = max_steps - warmup
    rising = [(step + 1) / warmup for step in range(warmup)]
    return rising + [_factor(schedule, step / remaining) for step in range(remaining)]


def _factor(schedule: str, share: float) -> float:
    match schedule:
        case "cosine":
            return 0.5 * (1 + math.cos(math.pi * share))
        case "step":
            return 0.01 if share >= 0.75 else 0.1 if share >= 0.5 else 1.0
        case "linear":
            return 1 - share
    return 1.0


def scaled(rule: Rule, factor: float) -> Rule:
    """Return a rule with its learning rate times a factor; the same where it has none, as it learns the whole step."""
    lr = getattr(rule, "lr", None)
    return rule if lr is None else replace(rule, lr=lr * factor)  # type: ignore[call-arg]
