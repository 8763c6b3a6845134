"""A race's rules as straight-line programs, so that a browser can run it while the reader's hand moves.

    booth = traced(FOP(0.005, 0.05), surfaces.BOOTH)
    booth.start.evaluate(0.0, -4.0, 0.0, 0.0, 0.005, 0.05)     # the state's numbers before the first step

Python stays the truth: what is shown once the hand rests, counted, linked and exported is ``racing.race``'s. A rule
that cannot be traced, as it searches along a line, is left to it as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from fop_core.optim.rules import Components, Rule
from toy_functions.racing import NO_FLOOR, RaceOracle
from toy_functions.surfaces import Surface
from toy_functions.tracing import StraightLine, Trace, Tracer, Untraceable

INPUTS = ("x", "y", "noise x", "noise y", "lr", "hyper_lr")
"""What each program takes before the numbers of a state."""
SETTINGS = ("lr", "hyper_lr")
"""Settings that one program serves all values of but 0, at which FOP learns nothing; others are a part of it.

They are put into a rule as ``basins.descend_each`` puts arrays there, by ``dataclasses.replace``: no rule's
``__post_init__`` asks for their values.
"""
RESULTS = ("x", "y", "f", "f_x", "f_y")
"""What the program of a step gives first: the next point, and f and its gradient where the step began, without noise.

Then come the four entries of P there, for a rule that learns one, and the next state.
"""
FORMS = 3
"""A state that has taken another form so often takes another one at each step."""


@dataclass(frozen=True)
class TracedRule:
    """A rule on a surface.

    Attributes:
        start: gives the numbers of the state before the first step.
        steps: the first step's program, the second's, ..., the last for all that follow: a state may lack at first what
            it has later.
        learns: whether there is a P.

    Example:
        >>> from fop_core.optim.rules import FOP
        >>> from toy_functions.live import traced
        >>> from toy_functions.surfaces import BOOTH
        >>> booth = traced(FOP(0.005, 0.05), BOOTH)
        >>> booth.start.evaluate(0.0, -4.0, 0.0, 0.0, 0.005, 0.05)  # of x, y, their noise, lr, hyper_lr: M
        (1.0, 0.0, 0.0, 1.0)
        >>> x, y, f, *_ = booth.steps[0].evaluate(0.0, -4.0, 0.0, 0.0, 0.005, 0.05, 1.0, 0.0, 0.0, 1.0)
        >>> x, y, f
        (0.33, -3.61, 306.0)
    """

    start: StraightLine
    steps: tuple[StraightLine, ...]
    learns: bool

    @cached_property
    def packed(self) -> tuple[bytes, bytes]:
        """All its programs, as ``packed`` has them.

        Example:
            >>> from fop_core.optim.rules import SGD
            >>> from toy_functions.live import traced
            >>> from toy_functions.surfaces import BOOTH
            >>> code, numbers = traced(SGD(0.01), BOOTH).packed
            >>> len(code), len(numbers)
            (356, 32)
        """
        return packed((self.start, *self.steps))


def traced(rule: Rule, surface: Surface, dtype: str = "float64", noisy: bool = False) -> TracedRule:
    """Return the programs of a rule; those of another rate are the same, unless one of the two is 0.

    Args:
        rule: any.
        surface: it asks for f, the gradient and the Hessian.
        dtype: "float64" | "float32", as of ``racing.Race``.
        noisy: whether gradients have noise.

    Raises:
        Untraceable: a step takes a branch, or a way, that depends on numbers; it says on which line.

    Example:
        >>> from fop_core.optim.rules import BFGS, SGD
        >>> from toy_functions.live import traced
        >>> from toy_functions.surfaces import BOOTH
        >>> step = traced(SGD(0.05), BOOTH).steps[-1]
        >>> step.evaluate(0.0, -4.0, 0.0, 0.0, 0.0625, 0.0)[:3]
        (4.125, 0.875, 306.0)
        >>> traced(BFGS(), BOOTH)
        Traceback (most recent call last):
            ...
        toy_functions.tracing.Untraceable: second_order.py:...: a branch depends on a number
    """
    rates = {name: 1.0 if getattr(rule, name) else 0.0 for name in SETTINGS if hasattr(rule, name)}
    return _traced(replace(rule, **rates), surface, dtype, noisy)


@lru_cache(maxsize=64)
def traced_hessian(surface: Surface, dtype: str = "float64") -> StraightLine:
    """Return the program of a surface's Hessian: of (x, y) the entries xx, xy and yy.

    Example:
        >>> from toy_functions.live import traced_hessian
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> traced_hessian(HIMMELBLAU).evaluate(3.0, 2.0)
        (74.0, 20.0, 34.0)
    """
    trace = Trace()
    (xx, xy), (_, yy) = surface.hessian(*(trace.input(single=dtype == "float32") for _ in "xy"))
    return trace.program([xx, xy, yy])


def packed(programs: Sequence[StraightLine]) -> tuple[bytes, bytes]:
    """Return programs in their order: ``StraightLine.packed`` as int32, and their numbers as float64.

    Example:
        >>> import numpy as np
        >>> from toy_functions.live import packed, traced_hessian
        >>> from toy_functions.surfaces import ROSENBROCK
        >>> code, numbers = packed([traced_hessian(ROSENBROCK)])
        >>> np.frombuffer(numbers)
        array([-400., 1200.,  400.,    2.,  200.])
    """
    code = np.array([entry for program in programs for entry in program.packed()], "<i4")
    return code.tobytes(), np.array([number for program in programs for number in program.numbers], "<f8").tobytes()


@lru_cache(maxsize=128)
def _traced(rule: Rule, surface: Surface, dtype: str, noisy: bool) -> TracedRule:
    if rule.needs_floor and surface.floor == -math.inf:
        raise Untraceable(NO_FLOOR)
    trace, (x, y, *_), now = _begin(rule, dtype)
    numbers, form = _flat(now.start(x, y))
    start = trace.program(numbers)
    steps: list[StraightLine] = []
    while len(steps) < FORMS:
        trace, (x, y, *noise), now = _begin(rule, dtype)
        state = _made(trace, form)
        P = rule.matrix(state)
        f, (f_x, f_y) = surface.value(x, y), surface.gradient(x, y)
        if rule.uses_oracle:
            oracle = RaceOracle(surface)
            oracle.noise = noise if noisy else None
            x, y, state = now.step(x, y, oracle, state)
        else:
            gx, gy = (f_x + noise[0], f_y + noise[1]) if noisy else (f_x, f_y)
            x, y, state = now.step(x, y, gx, gy, state)
        numbers, following = _flat(state)
        entries = () if P is None else (*P[0], *P[1])
        steps.append(trace.program([x, y, f, f_x, f_y, *entries, *numbers]))
        if following == form:
            return TracedRule(start, tuple(steps), P is not None)
        form = following
    raise Untraceable(f"the state of {type(rule).__name__} has another form after each step")


def _begin(rule: Rule, dtype: str) -> tuple[Trace, list[Tracer], Rule]:
    """Return a trace, x, y and their noise in it, and the rule with inputs for settings."""
    trace, single = Trace(), dtype == "float32"
    point = [trace.input(single=single) for _ in range(4)]
    inputs = {name: trace.input(nonzero=True) for name in SETTINGS}
    settings = {name: tracer for name, tracer in inputs.items() if getattr(rule, name, 0.0)}
    return trace, point, replace(rule, **settings)


def _flat(state: Any) -> tuple[list[Any], Any]:
    """Return the numbers of a state, and its form: what is where, and of which kind."""
    match state:
        case None:
            return [], None
        case tuple():
            parts = [_flat(part) for part in state]
            return [number for numbers, _ in parts for number in numbers], tuple(form for _, form in parts)
        case Components():
            numbers, form = _flat(tuple(map(tuple, state.rows)))
            return numbers, [form]
        case Tracer():
            return [state], ("condition" if state.condition else "number", state.single)
        case float() | int():
            return [state], ("number", False)
    raise Untraceable(f"a state has a {type(state).__name__}, which is no number, tuple or matrix of components")


def _made(trace: Trace, form: Any) -> Any:
    """Return the state of a form, of inputs."""
    match form:
        case None:
            return None
        case [matrix] if isinstance(form, list):
            return Components(_made(trace, matrix))
        case (("number" | "condition") as kind, single):
            return trace.input(single=bool(single), condition=kind == "condition")
    return tuple(_made(trace, part) for part in form)
