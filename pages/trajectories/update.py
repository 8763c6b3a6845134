"""The update of a run, with the numbers that it has at the player's step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from fop_core.figures import interactive
from fop_core.figures.style import plain
from fop_core.optim.rules import FOP, SGD, Momentum, Rule
from pages.components.component import component
from pages.shared.race import Result, Spec
from toy_functions.schedules import is_scheduled, rate_factor

_mount = component("update")

OTHERS: Mapping[str, str] = MappingProxyType(
    {
        "rmsprop": "θ ← θ − ε g / √s",
        "adam": "θ ← θ − ε m̂ / √ŝ",
        "adamw": "θ ← (1 − ε w) θ − ε m̂ / √ŝ",
        "lion": "θ ← θ − ε sign(m)",
        "polyak": "θ ← θ − ε (f − f*) g / ‖g‖²",
        "prodigy": "θ ← θ − ε d m / √s",
        "newton": "θ ← θ − ε H⁻¹ g",
        "bfgs": "θ ← θ − t P g",
        "psgd-newton": "θ ← θ − ε P g",
        "osgm-h": "θ ← θ − P g, where f falls",
        "osgm-best": "θ ← θ − P g + β Δθ, where f falls",
    }
)
"""How rules step that are neither SGD nor around it; one of the reader's own adds some Δθ."""


@dataclass(frozen=True)
class Update:
    """How a rule steps.

    Attributes:
        formula: in symbols, with the numbers that stay.
        rate: ε without a schedule; 1 for a rule that has none.
        rates: ε at steps [k] of the race, float32 [k], where a schedule changes it.
        momentum: whether past gradients move the point as well.
    """

    formula: str
    rate: float
    rates: Callable[[np.ndarray], np.ndarray] | None
    momentum: bool


def updates(race: Spec) -> dict[str, Update]:
    """Return how each rule of a race steps, by its name."""
    return {name: _update(name, rule, race) for name, rule in race.race().rules.items()}


def update(results: Sequence[Result], race: Spec, key: str) -> None:
    """Show the update of the run that the reader has chosen, or of the one that the player shows by itself."""
    of_rules = updates(race)
    _mount(
        key=key,
        data={
            "runs": [
                {"name": run.method.name, "color": run.method.color, "formula": of_rules[run.rule].formula}
                for run in interactive.ordered([result.run for result in results if len(result.motion.steps)])
            ]
        },
    )


def _update(name: str, rule: Rule, race: Spec) -> Update:
    rate: float | None = getattr(rule, "lr", None)
    schedule = race.schedule, race.warmup, race.max_steps
    around_sgd = isinstance(rule, FOP | SGD | Momentum)
    return Update(
        formula=_around_sgd(rule) if around_sgd else OTHERS.get(name, "θ ← θ + Δθ"),
        rate=1.0 if rate is None else rate,
        rates=partial(_rates, rate, schedule) if rate is not None and is_scheduled(*schedule) else None,
        momentum=around_sgd and bool(getattr(rule, "momentum", 0.0)),
    )


def _rates(rate: float, schedule: tuple[str, int, int], steps: np.ndarray) -> np.ndarray:
    last = schedule[2] - 1  # of the steps that are taken
    return np.array([rate * rate_factor(*schedule, min(step, last)) for step in steps.tolist()], np.float32)


def _around_sgd(rule: Any) -> str:
    fresh = "P g" if isinstance(rule, FOP) else "g"
    guard = ", where f falls" if getattr(rule, "guard", False) else ""
    kept = getattr(rule, "momentum", 0.0)
    if not kept:
        return f"θ ← θ − ε {fresh}{guard}"
    part = f"{plain(1 - rule.dampening)} " if rule.dampening else ""
    move = f"({fresh} + {plain(kept)} v)" if rule.nesterov else "v"
    return f"v ← {plain(kept)} v + {part}{fresh}, θ ← θ − ε {move}{guard}"
