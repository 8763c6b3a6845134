"""A formula's tokens in the order of their evaluation: operands first, then what is made of them (postfix notation).

No formula is a tree here, and nothing recurses: whoever reads the parts keeps a stack. Edsger Dijkstra's algorithm puts
them in order, and on the way refuses tokens that make no formula. So what comes out has an operator between any two
operands, operands for every operator, one argument for every function, and balanced brackets.
"""

from dataclasses import dataclass
from typing import Any, NoReturn

from toy_functions.tokenizer import ExpressionError, Token

MAX_DEPTH = 50
"""Brackets within brackets."""

_BINDING = {"(": 0, "+": 1, "-": 1, "*": 2, "/": 2, "negate": 3, "**": 4}


@dataclass(frozen=True, slots=True)
class PostfixPart:
    """A number, a name, or an operation on what the parts before it are.

    Attributes:
        symbol: the value of a number; a name, of a function too; an operator as Python spells it; ``negate``.
        operands: how many it takes.
        position: where in the text it begins, operands included.
        length: characters of the text that it is.

    Example:
        >>> from toy_functions.postfix import postfix
        >>> from toy_functions.tokenizer import split
        >>> postfix("2x", split("2x"))[-1]
        PostfixPart(symbol='*', operands=2, position=0, length=2)
    """

    symbol: Any
    operands: int
    position: int
    length: int


def postfix(text: str, tokens: list[Token]) -> list[PostfixPart]:
    """Return the parts of a formula, the products that it implies among them.

    A name, a function or a bracket right after an operand multiplies it, as tightly as ``*`` does: ``1/2x`` is (1/2) x.

    Raises:
        ExpressionError: tokens are out of order, or brackets do not match.

    Example:
        >>> from toy_functions.postfix import postfix
        >>> from toy_functions.tokenizer import split
        >>> text = "-x^2 + 3y"
        >>> [part.symbol for part in postfix(text, split(text))]
        ['x', 2.0, '**', 'negate', 3.0, 'y', '*', '+']
    """
    parts: list[PostfixPart] = []
    extents: list[tuple[int, int]] = []  # where operands begin and end that are not taken yet, brackets included
    pending: list[tuple[str, int]] = []  # operators whose operands are not complete, and brackets, with their positions
    opened: list[tuple[Token, Token | None]] = []  # brackets not yet closed, each with the function it belongs to
    before: Token | None = None
    complete = False  # whether an operand has just ended, so that an operator may follow

    def refuse(message: str, token: Token) -> NoReturn:
        raise ExpressionError(message, text, token.position, len(token.text))

    def settle(least: int) -> None:
        """Give those of the last pending operators their operands that bind at least so tightly."""
        while pending and _BINDING[pending[-1][0]] >= least:
            symbol, start = pending.pop()
            _, end = extents.pop()
            if symbol != "negate":
                start, _ = extents.pop()
            extents.append((start, end))
            parts.append(PostfixPart(symbol, 1 if symbol == "negate" else 2, start, end - start))

    def operator(symbol: str, token: Token) -> None:
        settle(_BINDING[symbol] + (symbol == "**"))  # x^y^2 is x^(y^2)
        pending.append((symbol, token.position))

    def operand(token: Token) -> None:
        extents.append((token.position, token.position + len(token.text)))
        parts.append(PostfixPart(token.symbol, 0, token.position, len(token.text)))

    for token in tokens:
        function = before if before is not None and before.kind == "function" else None
        if function and token.kind != "(":
            refuse(f"{function.text} needs brackets; write {function.text}(...)", function)
        if complete and token.kind in ("name", "function", "("):
            operator("*", token)
            complete = False
        match token.kind:
            case "number" if before is not None and complete:
                refuse(f"an operator is missing here; write {_joined(before, token)}", token)
            case "power" | "**" if before is not None and before.kind == "power":
                refuse("two powers follow each other; put the first in brackets, as in (x^2)^3", token)
            case "number" | "name":
                operand(token)
                complete = True
            case "power" if complete:
                operator("**", token)
                operand(token)
            case "function":
                pass
            case "(":
                pending.append(("(", token.position))
                opened.append((token, function))
                if len(opened) > MAX_DEPTH:
                    refuse(f"more than {MAX_DEPTH} brackets within brackets; write a simpler formula", token)
            case ")":
                if not opened:
                    refuse("this bracket closes none; remove it, or open one with (", token)
                bracket, function = opened.pop()
                if before is bracket:
                    whose = f"{function.text} takes one argument" if function else "the brackets are empty"
                    refuse(f"{whose}; write an expression between the brackets", function or bracket)
                if before is not None and not complete:
                    refuse(f"nothing on the right of “{before.text}”; write an operand there", before)
                settle(1)
                pending.pop()
                start, end = (function or bracket).position, token.position + 1
                extents[-1] = start, end
                if function:
                    parts.append(PostfixPart(function.symbol, 1, start, end - start))
                complete = True
            case ",":
                function = opened[-1][1] if opened else None
                if function:
                    refuse(f"{function.text} takes one argument; remove the comma and what follows it", token)
                refuse("a comma is not understood; write one formula, and decimals with a point, as in 0.5", token)
            case "-" if not complete:
                pending.append(("negate", token.position))
            case "+" if not complete:
                pass
            case symbol:
                if not complete:
                    refuse(f"nothing on the left of “{token.text}”; write an operand there", token)
                operator(symbol, token)
                complete = False
        before = token
    if before is not None and before.kind == "function":
        refuse(f"{before.text} needs brackets; write {before.text}(...)", before)
    if before is not None and opened and before is opened[-1][0]:
        refuse("this bracket is never closed; write an expression and a )", before)
    if before is not None and not complete:
        refuse(f"nothing on the right of “{before.text}”; write an operand there", before)
    if opened:
        refuse("this bracket is never closed; add a )", opened[-1][0])
    settle(1)
    return parts


def _joined(left: Token, number: Token) -> str:
    base = "(...)" if left.kind in (")", "power") else left.text
    return f"{base}*{number.text}" if left.kind == "number" else f"{base}*{number.text} or {base}^{number.text}"
