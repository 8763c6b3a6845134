"""A user's own f(x, y), from text to a Surface with exact derivatives. Nothing of the text is ever executed.

    surface = parse("(x^2 + y - 11)^2 + (x + y^2 - 7)^2")

The language: numbers, the variables x and y, the constants pi and e, ``+ - * /``, ``^`` or ``**`` for powers, brackets,
and the functions of one argument in ``FUNCTION_NAMES``. Precedence is that of mathematics: ``-x^2`` is -(x²), and
``x^y^2`` is x^(y²). ``2x``, ``(x + 1)(y - 2)``, ``x²`` and the signs − × · ÷ π are read as they are meant.

A text passes four gates, and each refuses with an ExpressionError that points at the place: its characters and tokens,
their order (both in ``tokenizer``), the arithmetic of its syntax tree, and the size of its derivatives. Python's own
parser only ever sees tokens that have passed, spelled anew: floats, known names, operators and balanced brackets.
"""

import ast
import math
from typing import NoReturn, TypeAlias

from toy_functions.graph import Graph, GraphTooLarge
from toy_functions.latex import operands, postorder, render
from toy_functions.program import Gradient, Hessian, Value
from toy_functions.surfaces import Surface
from toy_functions.tokenizer import (
    CONSTANTS,
    FUNCTION_NAMES,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_NUMBER,
    ExpressionError,
    Token,
    split,
    with_products,
)

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

_Span: TypeAlias = tuple[int, int]  # position in the user's text, length


def parse(
    text: str,
    *,
    name: str = "f",
    view: tuple[float, float, float, float] = (-5.0, 5.0, -5.0, 5.0),
    start: tuple[float, float] | None = None,
) -> Surface:
    """Return the surface of a formula in x and y.

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
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is a str, not {type(text).__name__}")
    view, start = _checked_view(view, start)
    tokens = with_products(text, split(text))
    tree, spans = _tree(text, tokens)
    graph = Graph(MAX_NODES)
    try:
        f = _build(graph, text, tree, spans)
        f_x, f_y = graph.derivative(f, graph.x), graph.derivative(f, graph.y)
        second = graph.derivative(f_x, graph.x), graph.derivative(f_x, graph.y), graph.derivative(f_y, graph.y)
    except GraphTooLarge:
        message = (
            f"too complicated: with its derivatives it takes more than {MAX_NODES} operations; write a shorter formula"
        )
        raise ExpressionError(message, text, 0, len(text)) from None
    return Surface(
        name=name,
        latex=f"f(x, y) = {render(tree)}",
        value=Value(graph, f),
        gradient=Gradient(graph, f_x, f_y),
        hessian=Hessian(graph, *second),
        minima=(),
        view=view,
        floor=0.0,
        start=start,
    )


def _tree(text: str, tokens: list[Token]) -> tuple[ast.expr, dict[ast.expr, _Span]]:
    """Return the syntax tree of ordered tokens, and where in the text each of its subexpressions stands."""
    source = ""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for token in tokens:
        signs = len(token.source) - len(token.source.lstrip("*-")) if token.kind == "power" else 0
        starts |= {len(source) + offset: token.position for offset in range(signs + 1)}  # a power's exponent is inside
        source += token.source
        ends[len(source)] = token.position + len(token.text)
    try:
        tree = ast.parse(source, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The order of tokens leaves no error of syntax: what is left is depth, such as a long tower of powers.
        raise ExpressionError("too deeply nested; write a simpler formula", text, 0, len(text)) from None
    spans = {}
    for node in postorder(tree):
        start, end = starts[node.col_offset], ends[node.end_col_offset or 0]
        spans[node] = start, end - start
    return tree, spans


def _build(graph: Graph, text: str, tree: ast.expr, spans: dict[ast.expr, _Span]) -> int:
    """Return the graph's node for a syntax tree."""

    def refuse(message: str, node: ast.expr) -> NoReturn:
        raise ExpressionError(message, text, *spans[node])

    built: dict[ast.expr, int] = {}
    for node in postorder(tree):
        parts = [built[operand] for operand in operands(node)]
        numbers = [graph.constant_value(part) for part in parts]
        match node, numbers:
            case ast.BinOp(op=ast.Div(), right=divisor), [_, 0.0]:
                refuse("division by zero; write another divisor", divisor)
            case ast.BinOp(op=ast.Pow(), right=exponent), [None, float(value)] if abs(value) > MAX_EXPONENT:
                refuse(f"too large an exponent; the limit is {MAX_EXPONENT:g}", exponent)
            case ast.BinOp(op=ast.Pow(), left=base), [float(value), None] if value <= 0.0:
                refuse("a varying exponent needs a base above 0", base)
        built[node] = _operation(graph, node, parts)
        if parts and None not in numbers and graph.constant_value(built[node]) is None:
            refuse("this is not a finite real number; write one that is", node)
    return built[tree]


def _operation(graph: Graph, node: ast.expr, parts: list[int]) -> int:
    match node:
        case ast.Constant(value=float(value)):
            return graph.constant(value)
        case ast.Name(id="x"):
            return graph.x
        case ast.Name(id="y"):
            return graph.y
        case ast.Name(id=name) if name in CONSTANTS:
            return graph.constant(CONSTANTS[name])
        case ast.UnaryOp(op=ast.UAdd()):
            return parts[0]
        case ast.UnaryOp(op=ast.USub()):
            return graph.negate(*parts)
        case ast.BinOp(op=ast.Add()):
            return graph.add(*parts)
        case ast.BinOp(op=ast.Sub()):
            return graph.subtract(*parts)
        case ast.BinOp(op=ast.Mult()):
            return graph.multiply(*parts)
        case ast.BinOp(op=ast.Div()):
            return graph.divide(*parts)
        case ast.BinOp(op=ast.Pow()):
            return graph.power(*parts)
        case ast.Call(func=ast.Name(id=name), args=[_], keywords=[]) if name in FUNCTION_NAMES:
            return graph.function(name, *parts)
    raise AssertionError(f"a kind of node that no text leads to: {ast.dump(node)}")


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
