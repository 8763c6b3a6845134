r"""A formula as LaTeX, as one would write it by hand.

Products are juxtaposed, with a ``\cdot`` only where a number would run into what stands left of it; quotients are
fractions; brackets appear where the reading depends on them.
"""

import math
from typing import Any

from toy_functions.postfix import PostfixPart

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


def render(parts: list[PostfixPart]) -> str:
    r"""Return the LaTeX of a formula.

    Example:
        >>> from toy_functions.latex import render
        >>> from toy_functions.postfix import postfix
        >>> from toy_functions.tokenizer import split
        >>> text = "2x^2/(y + 1)"
        >>> print(render(postfix(text, split(text))))
        \frac{2 x^{2}}{y + 1}
    """
    pieces: list[_Piece] = []
    for part in parts:
        first = len(pieces) - part.operands
        pieces[first:] = [_piece(part.symbol, pieces[first:])]
    return pieces[0][0]


def number(value: float) -> str:
    r"""Return the LaTeX of a finite float with all its digits: ``7``, ``0.5``, ``1.5 \cdot 10^{-7}``.

    Example:
        >>> from toy_functions.latex import number
        >>> print(number(0.5), number(1e-7), number(20000.0))
        0.5 10^{-7} 20000
    """
    return _number(value)[0]


def _piece(symbol: Any, operands: list[_Piece]) -> _Piece:
    match symbol, operands:
        case float(value), []:
            return _number(value)
        case name, []:
            return _NAMES.get(name, name), _ATOM
        case "negate", [piece]:
            return "-" + _enclosed(piece, _PRODUCT), _NEGATION
        case "exp", [(text, _)]:
            return f"e^{{{text}}}", _POWER
        case name, [(text, _)]:
            return _CALLS.get(name, rf"\{name}\left(%s\right)") % text, _ATOM
        case "*", [left, right]:
            return _product(left, right)
        case "/", [(above, _), (below, _)]:
            return rf"\frac{{{above}}}{{{below}}}", _PRODUCT
        case "**", [base, (exponent, _)]:
            return f"{_enclosed(base, _ATOM)}^{{{exponent}}}", _POWER
    (first, _), second = operands
    return f"{first} {symbol} {_enclosed(second, _PRODUCT)}", _SUM


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
