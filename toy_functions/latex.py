r"""A formula's syntax tree as LaTeX, as one would write it by hand.

Products are juxtaposed, with a ``\cdot`` only where a number would run into what stands left of it; quotients are
fractions; brackets appear where the reading depends on them. Only trees that ``expressions.parse`` has accepted are
rendered: numbers, names, + - * / ** and calls of one argument.
"""

import ast
import math

# How tightly a piece of LaTeX holds together. An operand gets brackets where it is looser than its place demands.
_SUM, _NEGATION, _PRODUCT, _POWER, _ATOM = range(5)

_NAMES = {"pi": r"\pi"}
_CALLS = {
    "sqrt": r"\sqrt{%s}",
    "abs": r"\left|%s\right|",
    "log": r"\ln\left(%s\right)",
    "log2": r"\log_{2}\left(%s\right)",
    "log10": r"\log_{10}\left(%s\right)",
    "asin": r"\arcsin\left(%s\right)",
    "acos": r"\arccos\left(%s\right)",
    "atan": r"\arctan\left(%s\right)",
}  # any other function is \name\left(...\right)

_Piece = tuple[str, int]


def render(tree: ast.expr) -> str:
    """Return the LaTeX of an expression."""
    pieces: dict[ast.expr, _Piece] = {}
    for node in postorder(tree):
        pieces[node] = _piece(node, [pieces[child] for child in operands(node)])
    return pieces[tree][0]


def number(value: float) -> str:
    r"""Return the LaTeX of a finite float with all its digits: ``7``, ``0.5``, ``1.5 \cdot 10^{-7}``."""
    return _number(value)[0]


def operands(node: ast.expr) -> list[ast.expr]:
    """Return the subexpressions of a node, left to right."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Call(args=args):
            return args
    return []


def postorder(tree: ast.expr) -> list[ast.expr]:
    """Return all subexpressions, operands before what is made of them. A loop: a long sum is a deep tree."""
    order, pending = [], [tree]
    while pending:
        node = pending.pop()
        order.append(node)
        pending.extend(operands(node))
    return order[::-1]


def _piece(node: ast.expr, pieces: list[_Piece]) -> _Piece:
    match node:
        case ast.Constant(value=float(value)):
            return _number(value)
        case ast.Name(id=name):
            return _NAMES.get(name, name), _ATOM
        case ast.UnaryOp(op=ast.USub()):
            return "-" + _enclosed(pieces[0], _PRODUCT), _NEGATION
        case ast.UnaryOp(op=ast.UAdd()):
            return pieces[0]
        case ast.Call(func=ast.Name(id="exp")):
            return f"e^{{{pieces[0][0]}}}", _POWER
        case ast.Call(func=ast.Name(id=name)):
            return _CALLS.get(name, rf"\{name}\left(%s\right)") % pieces[0][0], _ATOM
        case ast.BinOp(op=operator):
            left, right = pieces
            match operator:
                case ast.Add():
                    return f"{left[0]} + {_enclosed(right, _PRODUCT)}", _SUM
                case ast.Sub():
                    return f"{left[0]} - {_enclosed(right, _PRODUCT)}", _SUM
                case ast.Mult():
                    return _product(left, right)
                case ast.Div():
                    return rf"\frac{{{left[0]}}}{{{right[0]}}}", _PRODUCT
                case ast.Pow():
                    return f"{_enclosed(left, _ATOM)}^{{{right[0]}}}", _POWER
    raise TypeError(f"no LaTeX for {ast.dump(node)}")


def _product(left: _Piece, right: _Piece) -> _Piece:
    # (-a) b reads -a b, and stays something that begins with a sign.
    a, b = _enclosed(left, _NEGATION), _enclosed(right, _PRODUCT)
    runs_together = b[0].isdigit() or (a[-1].isdigit() and b.startswith(r"\frac"))  # x 2, and 2 ½ for 2 times ½
    times = r" \cdot " if runs_together else " "
    return a + times + b, _NEGATION if left[1] == _NEGATION else _PRODUCT


def _enclosed(piece: _Piece, least: int) -> str:
    text, tightness = piece
    return text if tightness >= least else rf"\left({text}\right)"


def _number(value: float) -> _Piece:
    sign = "-" if math.copysign(1.0, value) < 0.0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")
    mantissa = mantissa.removesuffix(".0")
    if not exponent:
        return sign + mantissa, _NEGATION if sign else _ATOM
    power = f"10^{{{int(exponent)}}}"
    if mantissa == "1":
        return sign + power, _NEGATION if sign else _POWER
    return rf"{sign}{mantissa} \cdot {power}", _NEGATION if sign else _PRODUCT
