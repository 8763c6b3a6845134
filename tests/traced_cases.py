"""Rules with random settings, on surfaces, in states of random numbers: what traced programs are compared on."""

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from fop_core.optim.rules import BFGS, FOP, OF_A_POINT, RULES, Components, PSGDNewton, Rule
from toy_functions import expressions
from toy_functions.live import TracedRule, traced
from toy_functions.own_rule import OwnRule
from toy_functions.racing import RaceOracle
from toy_functions.surfaces import SURFACES, Surface

KINDS: dict[str, type[Rule]] = {**RULES, "own-rule": OwnRule}
IN_PYTHON = {BFGS, PSGDNewton}
"""Rules that cannot be traced: a search along a line, and draws by the step."""
OWN = {
    "own powers": expressions.parse("(x*y - 1)^2 + (x - y)^2/10 + x^4/4"),
    "own functions": expressions.parse("abs(x)^1.5 + log(1 + y^2) + sinh(x/4)*atan(y) + 2^(x/3)"),
    "own, x alone": expressions.parse("x^2 - cos(x) + 3"),
}
ON: dict[str, Surface] = {**SURFACES, **OWN}
TEXTS = (
    "m = 0.9*m + g; x = x - lr*m",
    "v = w + g^2; w = 0.9*v; x = x - lr*g/(sqrt(v) + 1e-8)",
    "x = x - lr*sign(g)*abs(f)^0.5/(t + norm)",
)
BOUNDS: dict[str, tuple[float, float]] = {
    "lr": (1e-6, 10.0),
    "hyper_lr": (1e-6, 10.0),
    "momentum": (0.0, 0.9999),
    "dampening": (0.0, 1.0),
    "alpha": (0.0, 0.99999),
    "beta1": (0.0, 0.9999),
    "beta2": (0.0, 0.99999),
    "eps": (1e-20, 1.0),
    "weight_decay": (0.0, 10.0),
    "init_scale": (1e-6, 100.0),
    "mu": (0.0, 1.0),
    "d0": (1e-12, 1e3),
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "nesterov": (False, True),
    "preconditioner": OF_A_POINT,
    "trace": ("velocity", "one_step"),
    "factor": (None,),
    "derivative": ("exact", "root"),
    "feedback": ("hypergradient", "osgm"),
    "hyper_optimizer": ("sgd", "adagrad"),
    "guard": (False, True),
    "clip": (False, True),
    "form": ("full", "diagonal", "scalar"),
    "text": TEXTS,
}


@st.composite
def rules(draw: st.DrawFn, names: tuple[str, ...] = tuple(KINDS)) -> Rule:
    """A rule with any settings that the pages allow."""
    kind = KINDS[draw(st.sampled_from(names))]
    settings: dict[str, Any] = {}
    for field in fields(kind):
        if not field.init:
            continue
        low_high = BOUNDS.get(field.name)
        if low_high is None:
            settings[field.name] = draw(st.sampled_from(CHOICES[field.name]))
        else:
            low, high = low_high
            ends = st.sampled_from([number for number in (low, high, 0.0, 0.01, 0.9, 1.0) if low <= number <= high])
            settings[field.name] = draw(ends | st.floats(*low_high))
    if settings.get("preconditioner") in ("exponential", "low_rank") or kind is KINDS["fop-exponential"]:
        settings.pop("init_scale", None)
    if "hyper_lr" in settings and issubclass(kind, FOP) and draw(st.integers(0, 9)) == 0:
        settings["hyper_lr"] = 0.0
    return kind(**settings)


@dataclass(frozen=True)
class Case:
    """A step of a rule from a state.

    Attributes:
        program: of the step.
        inputs: of it.
        outputs: what the rule and the surface themselves give, in the program's order.
    """

    rule: Rule
    surface: str
    dtype: str
    program: Any
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]


def programs(rule: Rule, surface: str, dtype: str, noisy: bool) -> TracedRule:
    """The programs of a rule."""
    return traced(rule, ON[surface], dtype, noisy)


@st.composite
def cases(draw: st.DrawFn, names: tuple[str, ...] = tuple(KINDS), wild: bool = True) -> Case:
    """A step of a rule that can be traced; its first one, or from a state of random numbers.

    Args:
        draw: hypothesis' own.
        names: of the rules.
        wild: whether the state's numbers are any; else those that a race leads to.
    """
    rule = draw(rules(tuple(name for name in names if KINDS[name] not in IN_PYTHON)))
    fit = [name for name, each in ON.items() if not rule.needs_floor or each.floor > -math.inf]
    surface, dtype = draw(st.sampled_from(fit)), draw(st.sampled_from(["float64", "float32"]))
    noisy = draw(st.booleans())
    program = programs(rule, surface, dtype, noisy)
    number: Any = float if dtype == "float64" else np.float32
    near = st.floats(-5.0, 5.0)
    any_number = near | st.floats(allow_nan=False) if wild else near
    with np.errstate(all="ignore"):
        x, y, *noise = (number(draw(near)) for _ in range(4))
        state = rule.start(x, y)
        steps = draw(st.integers(0, 3))
        index = min(steps, len(program.steps) - 1)
        for _ in range(steps):  # into the state's form
            x, y, state = _step(rule, ON[surface], x, y, noise if noisy else None, state)
        if wild and draw(st.booleans()):
            state = _filled(state, lambda old: _like(old, draw(any_number), draw))
        inputs = (x, y, *noise, getattr(rule, "lr", 0.0), getattr(rule, "hyper_lr", 0.0), *numbers(state))
        P = rule.matrix(state)
        objective = ON[surface]
        f, g = objective.value(x, y), objective.gradient(x, y)
        try:
            next_x, next_y, following = _step(rule, objective, x, y, noise if noisy else None, state)
        except (ZeroDivisionError, TypeError):  # no race leads to such a state: Python refuses 1 / 0, and i < 1
            reject()
    entries = () if P is None else (*P[0], *P[1])
    outputs = (next_x, next_y, f, *g, *entries, *numbers(following))
    if any(map(np.iscomplexobj, outputs)):
        reject()  # likewise: a root of a negative number
    return Case(rule, surface, dtype, program.steps[index], inputs, outputs)


def _step(rule: Rule, surface: Surface, x: Any, y: Any, noise: Any, state: Any) -> Any:
    if rule.uses_oracle:
        oracle = RaceOracle(surface)
        oracle.noise = noise
        return rule.step(x, y, oracle, state)
    gx, gy = surface.gradient(x, y)
    if noise is not None:
        gx, gy = gx + noise[0], gy + noise[1]
    return rule.step(x, y, gx, gy, state)


def _like(old: Any, number: float, draw: st.DrawFn) -> Any:
    """A number of the kind of another; true or false where that is one of them."""
    return type(old)(draw(st.booleans()) if isinstance(old, bool | np.bool_) else number)


def _filled(state: Any, new: Any) -> Any:
    if state is None:
        return None
    if isinstance(state, Components):
        return Components([[new(entry) for entry in row] for row in state.rows])
    return tuple(_filled(part, new) for part in state) if isinstance(state, tuple) else new(state)


def numbers(state: Any) -> list[Any]:
    """The numbers of a state, in the order in which programs have them."""
    flat: list[Any] = []
    _filled(state, flat.append)
    return flat
