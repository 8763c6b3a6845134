"""A formula's text as tokens: the numbers, names and signs it is made of.

Everything a text can get wrong in its spelling is found here, one character or token at a time, so that the error can
point at the very place; ``postfix`` finds what is wrong in their order.

Formulas are read as they are written by hand: ``2x``, ``3sin(x)`` and ``(x + 1)(y - 2)`` are products, ``x²`` is a
power, and the typographic signs − × · ÷ and π, dashes and spaces are what they look like.
"""

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from toy_functions.graph import FUNCTIONS

MAX_LENGTH = 500
"""Characters in a text."""
MAX_NUMBER = 1e100
"""Size of a number in a text; what is computed from numbers only has to be finite."""

CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTION_NAMES = tuple(sorted(FUNCTIONS.keys() - {"sign"}))  # sign is there as the derivative of abs

VARIABLES = ("x", "y")
_MEANT = {
    "ln": "log",
    "lg": "log10",
    "fabs": "abs",
    "absolute": "abs",
    "tg": "tan",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "root": "sqrt",
    "pow": "^",
    "power": "^",
}
_INSTEAD = {
    "√": "sqrt(...)",
    "|": "abs(...)",
    "[": "(",
    "]": ")",
    "{": "(",
    "}": ")",
}
_MINUSES = "\N{MINUS SIGN}\N{EN DASH}\N{EM DASH}\N{FIGURE DASH}\N{HYPHEN}\N{NON-BREAKING HYPHEN}"
_SPACES = " \u00a0\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))  # those that have a width
_SIGNS = {
    "^": "**",
    "\N{MULTIPLICATION SIGN}": "*",
    "·": "*",
    "∙": "*",
    "⋅": "*",
    "\N{ASTERISK OPERATOR}": "*",
    "÷": "/",
    **dict.fromkeys(_MINUSES, "-"),
}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-*/^(),π").union(
    _SPACES, _SIGNS, map(chr, _RAISED)
)
_NUMBER = rf"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+{_MINUSES}-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"[{_SPACES}]*(?:(?P<number>{_NUMBER})|(?P<name>[A-Za-z][A-Za-z0-9]*|π)|(?P<power>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)|(?P<sign>\*\*|.))"
)


class ExpressionError(ValueError):
    """A text is not a formula, or one that asks for too much.

    Attributes:
        message: what is wrong and what to write instead.
        text: the whole text.
        position: index in the text of the part meant.
        length: characters of that part, 0 at the end of an empty text.

    Example:
        >>> from toy_functions.expressions import ExpressionError, parse
        >>> try:
        ...     parse("x^2 + cosin(y)")
        ... except ExpressionError as error:
        ...     print(error)
        ...     print(error.position, error.length)
        unknown name “cosin”; did you mean sin?
          x^2 + cosin(y)
                ^^^^^
        6 5
    """

    def __init__(self, message: str, text: str, position: int, length: int):
        super().__init__(message, text, position, length)
        self.message = message
        self.text = text
        self.position = position
        self.length = length

    def __str__(self) -> str:
        """Return the message, the text around the place, and a line of carets under it."""
        start = max(0, self.position - 60)
        end = min(len(self.text), self.position + 60)
        before, after = "..." * (start > 0), "..." * (end < len(self.text))
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in self.text[start:end])
        indent = " " * (len(before) + self.position - start)
        carets = "^" * max(1, min(self.length, end - self.position))
        return f"{self.message}\n  {before}{shown}{after}\n  {indent}{carets}"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a text.

    Attributes:
        kind: ``number``, ``name`` (of a variable or constant), ``function``, ``power`` (a raised integer), or the sign
            itself as Python spells it.
        text: the token as the user wrote it.
        position: where in the user's text it begins.
        symbol: the value of a number or a power; else the name or the sign as Python spells it.

    Example:
        >>> from toy_functions.tokenizer import split
        >>> split("2x²")[2]
        Token(kind='power', text='²', position=2, symbol=2.0)
    """

    kind: str
    text: str
    position: int
    symbol: Any


def split(text: str, variables: Sequence[str] = VARIABLES, functions: Sequence[str] = FUNCTION_NAMES) -> list[Token]:
    """Split a text into numbers, names and signs, all of them known ones.

    Example:
        >>> from toy_functions.tokenizer import split
        >>> [(token.kind, token.symbol) for token in split("2 sin(πx)")]
        [('number', 2.0), ('function', 'sin'), ('(', '('), ('name', 'pi'), ('name', 'x'), (')', ')')]
    """
    known = (*variables, *CONSTANTS, *functions)
    if len(text) > MAX_LENGTH:
        message = f"too long: {len(text)} characters; write at most {MAX_LENGTH}"
        raise ExpressionError(message, text, MAX_LENGTH, len(text) - MAX_LENGTH)
    for position, character in enumerate(text):
        if character not in _CHARACTERS:
            raise ExpressionError(_refused_character(character), text, position, 1)
    tokens = []
    for match in _TOKEN.finditer(text.rstrip()):
        kind = str(match.lastgroup)
        token, position = match[kind], match.start(kind)
        match kind:
            case "number" | "power":
                value = float(re.sub(f"[{_MINUSES}]", "-", token.translate(_RAISED)))
                if abs(value) > MAX_NUMBER:
                    raise ExpressionError(
                        f"too large a number; the limit is {MAX_NUMBER:g}", text, position, len(token)
                    )
                tokens.append(Token(kind, token, position, value))
            case "name" if set(token) <= {"x", "y"} <= set(variables):  # xy is a product
                tokens += [Token("name", letter, position + at, letter) for at, letter in enumerate(token)]
            case "name":
                name = "pi" if token == "π" else token
                if name not in known:
                    raise ExpressionError(_unknown_name(token, variables, functions), text, position, len(token))
                tokens.append(Token("function" if name in FUNCTIONS else "name", token, position, name))
            case _ if token == ".":
                raise ExpressionError("a point without digits; write a number such as 0.5", text, position, 1)
            case _ if ord(token[0]) in _RAISED:
                raise ExpressionError("a raised sign without digits; write ^ and an exponent", text, position, 1)
            case _:
                sign = _SIGNS.get(token, token)
                tokens.append(Token(sign, token, position, sign))
    if not tokens:
        raise ExpressionError("no formula yet; write one in x and y, such as x^2 + y^2", text, 0, len(text))
    return tokens


def _refused_character(character: str) -> str:
    if character in _INSTEAD:
        return f"“{character}” is not understood; write {_INSTEAD[character]}"
    if character in "\n\r\t":
        return "line breaks and tabs are not understood; write the formula on one line, with spaces"
    if character in "=<>":
        return f"“{character}” is not understood; write only the expression, what stands on the right of f(x, y) ="
    if character == "_":
        return "“_” is not understood: names have letters and digits only"
    shown = f"“{character}”" if character.isprintable() else f"the character U+{ord(character):04X}"
    return f"{shown} is not understood; use numbers, x, y, + - * / ^ ( ) and functions such as sin"


def _unknown_name(name: str, variables: Sequence[str], functions: Sequence[str]) -> str:
    lower = name.lower()
    known = (*variables, *CONSTANTS, *functions)
    meant = lower if lower in known else _MEANT.get(lower)
    if meant is None and set(lower) <= {"x", "y"} <= set(variables):
        meant = lower
    if meant is None and re.fullmatch("[xy][0-9]+", lower) and lower[0] in variables:
        meant = f"{lower[0]}*{lower[1:]} or {lower[0]}^{lower[1:]}"
    if meant is None and len(name) > 1:
        meant = next(iter(difflib.get_close_matches(lower, functions, n=1)), None)
    if meant is not None:
        return f"unknown name “{name}”; did you mean {meant}?"
    *others, last = variables
    listed = f"{', '.join(others)} and {last}"
    return f"unknown name “{name}”; the variables are {listed}, the functions {', '.join(functions)}"
