"""A user's own f(x, y), from text to a Surface with exact derivatives. Nothing of the text is ever executed.

    surface = parse("(x^2 + y - 11)^2 + (x + y^2 - 7)^2")

The language: numbers, the variables x and y, the constants pi and e, ``+ - * /``, ``^`` or ``**`` for powers, brackets,
and the functions of one argument in ``FUNCTION_NAMES``. Precedence is that of mathematics: ``-x^2`` is -(x²), and
``x^y^2`` is x^(y²). ``2x``, ``(x + 1)(y - 2)``, ``x²`` and the signs − × · ÷ π are read as they are meant.

A text passes four gates, and each refuses with an ExpressionError that points at the place: its characters and tokens
(``tokenizer``), their order (``postfix``), its arithmetic, and the size of its derivatives.
"""

import math
from collections.abc import Callable, Mapping
from typing import NoReturn

from toy_functions.graph import Graph, GraphTooLarge
from toy_functions.latex import render
from toy_functions.postfix import MAX_DEPTH, PostfixPart, postfix
from toy_functions.program import Gradient, Hessian, Value
from toy_functions.surfaces import Surface
from toy_functions.tokenizer import CONSTANTS, FUNCTION_NAMES, MAX_LENGTH, MAX_NUMBER, ExpressionError, split

__all__ = [
    "FUNCTION_NAMES",
    "MAX_DEPTH",
    "MAX_EXPONENT",
    "MAX_LENGTH",
    "MAX_NODES",
    "MAX_NUMBER",
    "ExpressionError",
    "parse",
]

MAX_EXPONENT = 64.0
"""Size of a constant exponent."""
MAX_NODES = 4000
"""Distinct operations in a formula and its first and second derivatives together."""
LEAST_EXTENT = 1e-9
"""Of a view, as a share of its largest bound, or of 1 where that is more: no grid of floats can be drawn on less."""


def parse(
    text: str,
    *,
    name: str = "f",
    view: tuple[float, float, float, float] = (-5.0, 5.0, -5.0, 5.0),
    start: tuple[float, float] | None = None,
) -> Surface:
    r"""Return the surface of a formula in x and y.

    Nothing is known of its minima: ``minima`` is empty and ``floor`` is 0, so a race on it stops at f < tolerance.
    ``lowest.with_floor`` looks for its lowest value.

    Args:
        text: the formula, at most MAX_LENGTH characters.
        name: the surface's name.
        view: x_min, x_max, y_min, y_max.
        start: a start in the view; by default 1/5 of the width and 3/10 of the height from its lower left corner.

    Raises:
        ExpressionError: the text is not such a formula, or exceeds a limit of this module.
        ValueError: the view is not a box of finite size, or one too small to draw, or the start is not finite.
        TypeError: the text is not a string.

    Example:
        >>> from toy_functions.expressions import parse
        >>> surface = parse("(x^2 + y - 11)^2 + (x + y^2 - 7)^2")
        >>> surface.value(3.0, 2.0), surface.gradient(0.0, -1.0)
        (0.0, (-12.0, 0.0))
        >>> surface.latex
        'f(x, y) = \\left(x^{2} + y - 11\\right)^{2} + \\left(x + y^{2} - 7\\right)^{2}'
        >>> parse("x^2 + sin y")
        Traceback (most recent call last):
            ...
        toy_functions.tokenizer.ExpressionError: sin needs brackets; write sin(...)
          x^2 + sin y
                ^^^
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is a str, not {type(text).__name__}")
    view, start = _checked_view(view, start)
    parts = postfix(text, split(text))
    graph = Graph(MAX_NODES)
    try:
        f = build(graph, text, parts, {"x": graph.x, "y": graph.y})
        f_x, f_y = graph.derivative(f, graph.x), graph.derivative(f, graph.y)
        second = graph.derivative(f_x, graph.x), graph.derivative(f_x, graph.y), graph.derivative(f_y, graph.y)
    except GraphTooLarge:
        message = (
            f"too complicated: with its derivatives it takes more than {MAX_NODES} operations; write a shorter formula"
        )
        raise ExpressionError(message, text, 0, len(text)) from None
    return Surface(
        name=name,
        latex=f"f(x, y) = {render(parts)}",
        value=Value(graph, f),
        gradient=Gradient(graph, f_x, f_y),
        hessian=Hessian(graph, *second),
        minima=(),
        view=view,
        floor=0.0,
        start=start,
    )


def build(graph: Graph, text: str, parts: list[PostfixPart], variables: Mapping[str, int]) -> int:
    """Return the graph's node for a formula; variables are nodes by their names.

    Example:
        >>> from toy_functions.expressions import build
        >>> from toy_functions.graph import Graph
        >>> from toy_functions.postfix import postfix
        >>> from toy_functions.tokenizer import split
        >>> graph, text = Graph(limit=100), "x*y"
        >>> graph.nodes[build(graph, text, postfix(text, split(text)), {"x": graph.x, "y": graph.y})]
        Node(operation='*', operands=(0, 1), value=0.0)
    """
    operations: dict[str, Callable[..., int]] = {
        "+": graph.add,
        "-": graph.subtract,
        "*": graph.multiply,
        "/": graph.divide,
        "**": graph.power,
        "negate": graph.negate,
    }

    def refuse(message: str, part: PostfixPart) -> NoReturn:
        raise ExpressionError(message, text, part.position, part.length)

    built: list[tuple[int, PostfixPart]] = []
    for part in parts:
        first = len(built) - part.operands
        operands = built[first:]
        nodes = [node for node, _ in operands]
        numbers = [graph.constant_value(node) for node in nodes]
        match part.symbol, numbers:
            case "/", [_, 0.0]:
                refuse("division by zero; write another divisor", operands[1][1])
            case "**", [None, float(value)] if abs(value) > MAX_EXPONENT:
                refuse(f"too large an exponent; the limit is {MAX_EXPONENT:g}", operands[1][1])
            case "**", [float(value), None] if value <= 0.0:
                refuse("a varying exponent needs a base above 0", operands[0][1])
        match CONSTANTS.get(part.symbol, part.symbol):
            case float(value):
                node = graph.constant(value)
            case str(name) if name in variables:
                node = variables[name]
            case symbol if symbol in operations:
                node = operations[symbol](*nodes)
            case function:
                node = graph.function(function, *nodes)
        if operands and None not in numbers and graph.constant_value(node) is None:
            refuse("this is not a finite real number; write one that is", part)
        built[first:] = [(node, part)]
    return built[0][0]


def _checked_view(
    view: tuple[float, float, float, float], start: tuple[float, float] | None
) -> tuple[tuple[float, float, float, float], tuple[float, float]]:
    x_min, x_max, y_min, y_max = (float(bound) for bound in view)
    width, height = x_max - x_min, y_max - y_min
    for axis, low, high in (("x", x_min, x_max), ("y", y_min, y_max)):
        least = LEAST_EXTENT * max(1.0, abs(low), abs(high))
        if not least <= high - low < math.inf:
            raise ValueError(
                f"the view has {axis} from {low!r} to {high!r}: give two finite numbers, the second larger by at least "
                f"{least:g}"
            )
    x, y = (x_min + 0.2 * width, y_min + 0.3 * height) if start is None else (float(number) for number in start)
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError(f"the start is two finite numbers, got {start}")
    return (x_min, x_max, y_min, y_max), (x, y)
