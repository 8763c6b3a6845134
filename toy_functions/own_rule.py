"""An update rule of the reader's own, from text to a rule that races. Nothing of the text is ever executed.

    rule = OwnRule(lr=0.01, text="m = 0.9*m + g; x = x - lr*m")

A text is statements ``name = expression``, one a line or divided by ``;``. They are carried out in their order, for
each of the two coordinates by itself. The language of expressions is that of ``expressions``, with ``sign`` as well and
these names:

- ``x`` the coordinate, which the rule must set, and ``g`` its derivative of f;
- ``t`` the step, from 1, ``lr`` the learning rate, ``norm`` the length of the whole gradient, ``f``;
- every other name that the rule sets: a state of the coordinate, 0 before the first step.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from fop_core.optim.elementary import spread, sqrt
from fop_core.optim.rules import Component, Rule, State, Step
from toy_functions import expressions
from toy_functions.graph import FUNCTIONS, Graph
from toy_functions.postfix import postfix
from toy_functions.program import Builder, Instruction
from toy_functions.tokenizer import CONSTANTS, MAX_LENGTH, ExpressionError, split

INPUTS = ("x", "g", "t", "lr", "norm", "f")
"""Names that have a value before the rule sets any; it may set x alone."""

_FUNCTIONS = tuple(sorted(FUNCTIONS))
_STATEMENT = re.compile("[^;]+")
_NAME = re.compile("[A-Za-z][A-Za-z0-9]*")


@dataclass(frozen=True)
class OwnRule(Rule):
    """A rule that a text spells.

    Attributes:
        lr: the rate that the text calls lr.
        text: at most ``tokenizer.MAX_LENGTH`` characters.

    Raises:
        ExpressionError: the text is no rule; it points at the place.

    Example:
        >>> from toy_functions import Race, race
        >>> from toy_functions.own_rule import OwnRule
        >>> from toy_functions.surfaces import BOOTH
        >>> rules = {"heavy ball": OwnRule(0.01, "m = 0.9*m + g; x = x - lr*m")}
        >>> race(Race(BOOTH, BOOTH.start, rules))["heavy ball"].reason
        'f < 1e-06 at step 155'
        >>> OwnRule(0.01, "m = 0.9*m + g")
        Traceback (most recent call last):
            ...
        toy_functions.tokenizer.ExpressionError: a rule sets x; write a statement such as x = x - lr*g
          m = 0.9*m + g
          ^^^^^^^^^^^^^
    """

    lr: float = 0.01
    text: str = "x = x - lr*g"

    def __post_init__(self) -> None:
        compiled(self.text)

    @property
    def uses_oracle(self) -> bool:
        """Whether the text names f.

        Example:
            >>> from toy_functions.own_rule import OwnRule
            >>> OwnRule(0.01, "x = x - lr*g").uses_oracle, OwnRule(1.0, "x = x - lr*f*g/norm^2").uses_oracle
            (False, True)
        """
        return "f" in compiled(self.text).names

    def start(self, x: Component, y: Component) -> State:
        """Return (t, the states of x, those of y), all 0.

        Example:
            >>> from toy_functions.own_rule import OwnRule
            >>> OwnRule(0.01, "m = 0.9*m + g; v = v + g^2; x = x - lr*m/sqrt(v)").start(3.0, 2.0)
            (0.0, (0.0, 0.0), (0.0, 0.0))
        """
        count = len(compiled(self.text).states)
        return 0.0, (0 * x,) * count, (0 * y,) * count

    def step(self, x: Component, y: Component, *inputs: Any) -> Step:
        """Return the next point and state.

        Example:
            >>> from toy_functions.own_rule import OwnRule
            >>> rule = OwnRule(0.5, "m = m + g; x = x - lr*m")
            >>> rule.step(3.0, -2.0, 4.0, 2.0, rule.start(3.0, -2.0))
            (1.0, -3.0, (1.0, (4.0,), (2.0,)))
        """
        *first, (t, x_states, y_states) = inputs
        program = compiled(self.text)
        f: Component = None
        if len(first) == 1:
            [oracle] = first
            f = oracle.value(x, y)
            gx, gy = oracle.gradient(x, y)
        else:
            gx, gy = first
        norm = sqrt(gx * gx + gy * gy) if "norm" in program.names else None
        t += 1.0
        x, *x_next = program.run(x, (x, gx, t, self.lr, norm, f, *x_states))
        y, *y_next = program.run(y, (y, gy, t, self.lr, norm, f, *y_states))
        return x, y, (t, tuple(x_next), tuple(y_next))


class Compiled(NamedTuple):
    """A text, ready to run.

    Attributes:
        names: of ``INPUTS`` that it reads.
        states: the other names that it sets.
        instructions: see ``program.Builder``.
        registers: the first ones are those of INPUTS and states.
        outputs: registers of the next x and states.

    Example:
        >>> from toy_functions.own_rule import compiled
        >>> program = compiled("m = 0.9*m + g; x = x - lr*m")
        >>> sorted(program.names), program.states, len(program.instructions)
        (['g', 'lr', 'x'], ('m',), 4)
    """

    names: frozenset[str]
    states: tuple[str, ...]
    instructions: list[Instruction]
    registers: list[Any]
    outputs: list[int]

    def run(self, like: Component, inputs: tuple[Component, ...]) -> list[Component]:
        """Return the next x and states, of one's kind and shape.

        Example:
            >>> from toy_functions.own_rule import compiled
            >>> x, g, t, lr, norm, f, m = 3.0, 4.0, 1.0, 0.5, None, None, 0.0
            >>> compiled("m = 0.9*m + g; x = x - lr*m").run(x, (x, g, t, lr, norm, f, m))
            [1.0, 4.0]
        """
        registers = self.registers.copy()
        registers[: len(inputs)] = inputs
        for function, target, a, b in self.instructions:
            registers[target] = function(registers[a]) if b is None else function(registers[a], registers[b])
        return [spread(registers[output], like, like) for output in self.outputs]


@lru_cache(maxsize=256)
def compiled(text: str) -> Compiled:
    """Return the program of a rule's text.

    Raises:
        ExpressionError: it is no rule.

    Example:
        >>> from toy_functions.own_rule import compiled
        >>> compiled("m = m/2 + g; x = x - lr*m/t").states
        ('m',)
        >>> compiled("lr = 1")
        Traceback (most recent call last):
            ...
        toy_functions.tokenizer.ExpressionError: “lr” is given and cannot be set; write another name
          lr = 1
          ^^
    """
    text = re.sub("[\r\n]", ";", text)
    if len(text) > MAX_LENGTH:
        message = f"too long: {len(text)} characters; write at most {MAX_LENGTH}"
        raise ExpressionError(message, text, MAX_LENGTH, len(text) - MAX_LENGTH)
    parts = [match.span() for match in _STATEMENT.finditer(text) if match[0].strip()]
    statements = [_statement(text, begin, end) for begin, end in parts]

    if "x" not in (name for name, *_ in statements):
        raise ExpressionError("a rule sets x; write a statement such as x = x - lr*g", text, 0, len(text))
    states = tuple(dict.fromkeys(name for name, *_ in statements if name not in INPUTS))
    graph = Graph(expressions.MAX_NODES)  # more than a text of that length can ask for
    inputs = {name: graph.variable(name) for name in (*INPUTS, *states)}
    nodes = dict(inputs)
    for name, begin, end in statements:
        nodes[name] = _node(graph, text, begin, end, nodes)
    outputs = tuple(nodes[name] for name in ("x", *states))
    read = {graph.nodes[node] for node in graph.reachable(*outputs)}
    program = Builder(graph, outputs, tuple(inputs.values()))
    names = frozenset(name for name in INPUTS if graph.nodes[inputs[name]] in read)
    return Compiled(names, states, *program.allocate())


def _statement(text: str, begin: int, end: int) -> tuple[str, int, int]:
    """Return the name that a statement sets, and where its expression begins and ends."""
    statement = text[begin:end]
    left, equals, right = statement.partition("=")
    name, at = left.strip(), begin + len(left) - len(left.lstrip())
    if not equals:
        message = "no statement; write name = expression, such as x = x - lr*g"
        raise ExpressionError(message, text, at, len(statement.strip()))
    if not _NAME.fullmatch(name):
        message = "on the left of = stands one name, of letters and digits; write name = expression"
        raise ExpressionError(message, text, at if name else begin + len(left), max(1, len(name)))
    if name in INPUTS[1:] or name in CONSTANTS or name in FUNCTIONS:
        raise ExpressionError(f"“{name}” is given and cannot be set; write another name", text, at, len(name))
    second = right.find("=")
    start = begin + len(left) + 1
    if second >= 0:
        message = "a second = in one statement; begin a new line, or divide them by ;"
        raise ExpressionError(message, text, start + second, 1)
    if not right.strip():
        raise ExpressionError("nothing on the right of =; write an expression there", text, start - 1, 1)
    return name, start, end


def _node(graph: Graph, text: str, begin: int, end: int, variables: dict[str, int]) -> int:
    """Return the node of an expression that is a part of a text."""
    alone = " " * begin + text[begin:end]  # every token is where it is in the text
    try:
        parts = postfix(alone, split(alone, tuple(variables), _FUNCTIONS))
        return expressions.build(graph, alone, parts, variables)
    except ExpressionError as error:
        raise ExpressionError(error.message, text, error.position, error.length) from None
