"""A query over runs: what each of them must be to be listed.

    lr>0.01 method=fop tag:baseline state=failed,lost test_accuracy>=60% name~booth "two words"

Terms stand side by side, and all of them must hold. A term compares a field (see ``fields``) with a value, or with one
of several values between commas; a word by itself must be somewhere in what is known of a run. Quotes keep blanks,
commas and operators as they are: name="a, b".
"""

import difflib
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fop_core.printable import printable
from fop_core.runs import fields
from fop_core.runs.fields import Known, UnknownField
from fop_core.runs.listing import Entry
from fop_core.runs.state import STATES

LONGEST = 1000  # letters
TRUE, FALSE, NONE = ("yes", "true", "1"), ("no", "false", "0"), "none"
_BLANK = re.compile(r"\s*")
_QUOTED = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.)*)\1""", re.DOTALL)
_FIELD = re.compile(r"""[^\s"'=!<>~:,]+""")
_OPERATOR = re.compile(r"\s*(!=|!~|>=|<=|==|=|>|<|~|:)\s*")
_PLAIN = re.compile(r"""[^\s,"'][^\s,]*""")
_WORD = re.compile(r"\S+")
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_ALIAS = {":": "=", "==": "="}


class QueryError(ValueError):
    """A text is no query.

    Args:
        why: what is wrong, and what to write.
        query: the whole text.
        start: index of the first wrong letter.
        end: index after the last.

    Attributes:
        pointed: the query with a line of carets under what is wrong.

    Example:
        >>> from fop_core.runs import fields, query
        >>> try:
        ...     query.parse("lr>fast", fields.known([], ["optimizer.lr"]))
        ... except query.QueryError as error:
        ...     print(error)
        ...     print(error.pointed)
        > compares numbers, and 'fast' is none (at character 4)
        lr>fast
           ^^^^
    """

    def __init__(self, why: str, query: str, start: int, end: int) -> None:
        super().__init__(f"{why} (at character {start + 1})")
        before, wrong = printable(query[:start]), printable(query[start:end])
        self.pointed = f"{printable(query)}\n{' ' * len(before)}{'^' * max(1, len(wrong))}"


@dataclass(frozen=True)
class Value:
    """What a field is compared with.

    Attributes:
        text: as it was written, without its quotes.
        number: the same as a number, "60%" as 0.6; None where it is none.

    Example:
        >>> from fop_core.runs import fields, query
        >>> query.parse("test_accuracy>=60%", fields.known([])).terms[0].values
        (Value(text='60%', number=0.6),)
    """

    text: str
    number: float | None


@dataclass(frozen=True)
class Term:
    """One comparison.

    Attributes:
        field: its full name, see ``fields.Known.resolve``; "" for a word that may be anywhere.
        operator: "=", "!=", "~", "!~", "<", "<=", ">" or ">=".
        values: of which one is enough; of a word, of "<", "<=", ">" and ">=" there is just one.

    Example:
        >>> from fop_core.runs import fields, query
        >>> query.parse("method=fop,momentum", fields.known([])).terms[0].field
        'method'
        >>> query.parse('"two words"', fields.known([])).terms
        (Term(field='', operator='~', values=(Value(text='two words', number=None),)),)
    """

    field: str
    operator: str
    values: tuple[Value, ...]

    def matches(self, entry: Entry) -> bool:
        """Return whether it holds of a run; not while what it compares has not been looked for.

        Example:
            >>> from fop_core.runs import GALLERY, fields, query
            >>> from fop_core.runs.listing import Listing
            >>> entries = Listing(GALLERY).entries()
            >>> [term] = query.parse("method=s-hd,pp-hd", fields.known(entries.values())).terms
            >>> [id for id, entry in entries.items() if term.matches(entry)]
            ['cifar10-s-hd', 'cifar10-pp-hd']
        """
        if not self.field:
            return entry.holds([self.values[0].text.casefold()])
        if not fields.ready(entry, self.field):
            return False
        actual = fields.value(entry, self.field)
        if (order := _ORDERS.get(self.operator)) is not None:
            return _ordered(actual, self.values[0], order)
        same = _contains if self.operator.endswith("~") else _equal
        return any(same(actual, value) for value in self.values) != self.operator.startswith("!")


@dataclass(frozen=True)
class Query:
    """What runs must be. One without terms holds of all.

    Example:
        >>> from fop_core.runs import GALLERY, fields, query
        >>> from fop_core.runs.listing import Listing
        >>> entries = Listing(GALLERY).entries().values()
        >>> wanted = query.parse("lr=0.05 method=fop rank=16 preset~mnist", fields.known(entries))
        >>> sorted(entry.id for entry in entries if wanted.matches(entry))
        ['mnist-fop-rank16-seed0', 'mnist-fop-rank16-seed1', 'mnist-fop-rank16-seed2']
    """

    terms: tuple[Term, ...]

    @property
    def measured(self) -> bool:
        """Whether it compares what ``Listing.measure`` has to read first.

        Example:
            >>> from fop_core.runs import fields, query
            >>> names = fields.known([], ["optimizer.lr"])
            >>> query.parse("lr>0.01", names).measured, query.parse("test_loss<0.1", names).measured
            (False, True)
        """
        return any(fields.is_measured(term.field) for term in self.terms)

    def matches(self, entry: Entry) -> bool:
        """Return whether all terms hold of a run.

        Example:
            >>> from fop_core.runs import GALLERY, fields, query
            >>> from fop_core.runs.listing import Listing
            >>> listing = Listing(GALLERY)
            >>> entries = listing.entries()
            >>> listing.measure(patience=60)  # reads what columns came to
            True
            >>> good = query.parse("best.test_accuracy>=98%", fields.known(entries.values()))
            >>> [id for id, entry in entries.items() if good.matches(entry)]
            ['mnist-fop-full-seed1']
        """
        return all(term.matches(entry) for term in self.terms)


def parse(text: str, known: Known) -> Query:
    """Return the query that a text is.

    Args:
        text: at most ``LONGEST`` letters.
        known: the fields that there are.

    Raises:
        QueryError: where it is none, with the place of the mistake.

    Example:
        >>> from fop_core.runs import fields, query
        >>> names = fields.known([], ["optimizer.lr", "fop.rank"])
        >>> [(term.field, term.operator) for term in query.parse("lr>0.01 state=failed,lost name~booth", names).terms]
        [('set.optimizer.lr', '>'), ('state', '='), ('name', '~')]
        >>> query.parse("lrr>0.01", names)
        Traceback (most recent call last):
            ...
        fop_core.runs.query.QueryError: no field 'lrr'; did you mean lr? (at character 1)
    """
    if len(text) > LONGEST:
        raise QueryError(f"a query has at most {LONGEST:,} characters, not {len(text):,}", text[:LONGEST], 0, 1)
    terms = []
    at = _after_blank(text, 0)
    while at < len(text):
        term, end = _term(text, at, known)
        terms.append(term)
        at = _after_blank(text, end)
    return Query(tuple(terms))


def quoted(text: str) -> str:
    r"""Return how a query writes a text that is to be taken as it is.

    Example:
        >>> from fop_core.runs.query import quoted
        >>> print("name=" + quoted('my "best", so far'))
        name="my \"best\", so far"
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _after_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _term(text: str, at: int, known: Known) -> tuple[Term, int]:
    """Return the term that begins at an index, and where it ends."""
    if text[at] in "\"'":
        name, end = _unquoted(text, at)
    else:
        match = _FIELD.match(text, at)
        name, end = (match[0], match.end()) if match else ("", at)
    if (operator := _OPERATOR.match(text, end)) is None:
        if text[at] in "\"'":
            _check_end(text, end)
            return Term("", "~", (Value(name, None),)), end
        word = _WORD.match(text, at)
        assert word is not None  # a blank was skipped
        return Term("", "~", (Value(word[0], None),)), word.end()
    if end == at:
        why = f"a field is missing before {operator[1]}: write one, as in method=fop, or put the word into quotes"
        raise QueryError(why, text, operator.start(1), operator.end(1))
    try:
        field = known.resolve(name)
    except UnknownField as error:
        raise QueryError(str(error), text, at, end) from None
    sign = _ALIAS.get(operator[1], operator[1])
    values, last = _values(text, operator.end(), operator[1])
    for value, (start, stop) in values:
        if wrong := _wrong(field, sign, value, len(values)):
            raise QueryError(wrong, text, start, stop)
    return Term(field, sign, tuple(value for value, _ in values)), last


def _values(text: str, at: int, operator: str) -> tuple[list[tuple[Value, tuple[int, int]]], int]:
    """Return the values from an index on, each with its place, and where they end."""
    values: list[tuple[Value, tuple[int, int]]] = []
    while True:
        if at < len(text) and text[at] in "\"'":
            content, end = _unquoted(text, at)
        elif match := _PLAIN.match(text, at):
            content, end = match[0], match.end()
        else:
            missing = "," if values else operator
            raise QueryError(f"a value is missing after {missing}", text, at, at + 1)
        values.append((Value(content, _number(content)), (at, end)))
        if text[end : end + 1] != ",":
            _check_end(text, end)
            return values, end
        at = end + 1


def _unquoted(text: str, at: int) -> tuple[str, int]:
    match = _QUOTED.match(text, at)
    if match is None:
        raise QueryError(f"the quote {text[at]} has no end", text, at, len(text))
    return re.sub(r"\\(.)", r"\1", match[2], flags=re.DOTALL), match.end()


def _check_end(text: str, at: int) -> None:
    if at < len(text) and not text[at].isspace():
        raise QueryError("a blank is missing after the quote", text, at, at + 1)


def _number(text: str) -> float | None:
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        return None


def _wrong(field: str, operator: str, value: Value, count: int) -> str:
    """Return why a field cannot be compared with a value, or ""."""
    if operator in _ORDERS:
        if count > 1:
            return f"{operator} takes one value, not {count}"
        if value.number is None and field != "created":
            return f"{operator} compares numbers, and {value.text!r} is none"
    if field == "state" and operator in ("=", "!="):
        states = (*STATES, "damaged")
        if value.text.casefold() not in states:
            near = difflib.get_close_matches(value.text.casefold(), states, 1, 0.5)
            return f"no state {value.text!r}; " + (
                f"did you mean {near[0]}?" if near else f"one of {', '.join(states)}"
            )
    return ""


def _ordered(actual: Any, value: Value, order: Callable[[Any, Any], bool]) -> bool:
    if isinstance(actual, str):
        return order(actual, value.text)
    if actual is None or isinstance(actual, (bool, list, tuple)) or value.number is None:
        return False
    return order(actual, value.number)


def _equal(actual: Any, value: Value) -> bool:
    text = value.text.casefold()
    match actual:
        case list() | tuple():
            return any(_equal(each, value) for each in _members(actual))
        case None:
            return text == NONE
        case bool():
            return text in (TRUE if actual else FALSE)
        case int() | float():
            number = value.number
            return number is not None and (actual == number or (math.isnan(actual) and math.isnan(number)))
    return str(actual).casefold() == text


def _contains(actual: Any, value: Value) -> bool:
    if isinstance(actual, (list, tuple)):
        return any(_contains(each, value) for each in _members(actual))
    return value.text.casefold() in fields.text(actual).casefold()


def _members(actual: Sequence[Any]) -> Sequence[Any]:
    """Return what is in a list; None of an empty one, which "none" means."""
    return actual or (None,)
