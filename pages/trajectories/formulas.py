"""How each rule of a race steps, in symbols: the page shows it, and a player that is taken away holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fop_core.figures.style import plain
from fop_core.optim.rules import FOP, SGD, Momentum, Rule
from pages.shared.race.remembered import Spec
from toy_functions import Race
from toy_functions.stepping import Stepping, stepping

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
class Update(Stepping):
    """How a rule steps, in symbols too.

    Attributes:
        formula: with the numbers that stay.
    """

    formula: str


def updates(race: Spec) -> dict[str, Update]:
    """Return how each rule of a race steps, by its name."""
    settings = race.race()
    return {name: _update(name, rule, settings) for name, rule in settings.rules.items()}


def _update(name: str, rule: Rule, race: Race) -> Update:
    around_sgd = isinstance(rule, FOP | SGD | Momentum)
    formula = _around_sgd(rule) if around_sgd else OTHERS.get(name, "θ ← θ + Δθ")
    return Update(**vars(stepping(rule, race)), formula=formula)


def _around_sgd(rule: Any) -> str:
    fresh = "P g" if isinstance(rule, FOP) else "g"
    guard = ", where f falls" if getattr(rule, "guard", False) else ""
    kept = getattr(rule, "momentum", 0.0)
    if not kept:
        return f"θ ← θ − ε {fresh}{guard}"
    part = f"{plain(1 - rule.dampening)} " if rule.dampening else ""
    move = f"({fresh} + {plain(kept)} v)" if rule.nesterov else "v"
    return f"v ← {plain(kept)} v + {part}{fresh}, θ ← θ − ε {move}{guard}"
