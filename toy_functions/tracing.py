"""Straight-line programs of update rules and surfaces: recorded by running them once on numbers that note what is done.

    trace = Trace()
    x, y = trace.input(), trace.input()
    program = trace.program([surfaces.BOOTH.value(x, y)])
    program.evaluate(0.0, -4.0)                                # (306.0,), as BOOTH.value gives it, to the last bit

Operations are recorded as they are carried out: nothing is simplified, folded or put in another order, so a program has
the bits of what it was recorded of, on Python floats, and on numpy's float32 with Python floats among them. Equal
operations on equal operands are recorded once, and what no output needs is left out. A choice by ``elementary.where``
is an operation as well. A branch of Python is not: where it would be needed the trace is refused, with the line.

``pages/components/lib/program.js`` makes the same program a function of JavaScript, by the same table of operations.
"""

import operator
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import numpy as np

from fop_core.optim import elementary
from fop_core.optim.rules import components

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": elementary.divide,
    "power": elementary.power,
    "negate": operator.neg,
    "absolute": elementary.absolute,
    "sqrt": elementary.sqrt,
    "exp": elementary.exp,
    "expm1": elementary.expm1,
    "log": elementary.log,
    "log2": elementary.log2,
    "log10": elementary.log10,
    "sin": elementary.sin,
    "cos": elementary.cos,
    "tan": elementary.tan,
    "asin": elementary.asin,
    "acos": elementary.acos,
    "atan": elementary.atan,
    "sinh": elementary.sinh,
    "cosh": elementary.cosh,
    "tanh": elementary.tanh,
    "sign": elementary.sign,
    "less": operator.lt,
    "less_equal": operator.le,
    "equal": operator.eq,
    "not_equal": operator.ne,
    "and": operator.and_,
    "or": operator.or_,
    "not": operator.not_,
    "select": lambda condition, a, b: a if condition else b,
    "single": np.float32,
}
"""By name, in the order of their numbers in ``StraightLine.packed``: that of program.js."""
CONDITIONS = frozenset({"less", "less_equal", "equal", "not_equal", "and", "or", "not"})
"""Of the operations, those that give true or false."""
EXACT = frozenset({"add", "subtract", "multiply", "divide", "negate", "absolute", "sqrt", "sign", "select", "single"})
"""Of the operations that give numbers, those whose last bit IEEE 754 decides: each machine has the same."""
_NUMBERS = {name: number for number, name in enumerate(OPERATIONS)}
_MACHINERY = {__file__, elementary.__file__, components.__file__}


Operation: TypeAlias = tuple[str, tuple[int, ...], bool]
"""The name of an operation, its operands, and whether its result is to be rounded to a float32."""


class Untraceable(Exception):
    """What is traced takes a branch, or a way, that depends on the numbers.

    Attributes:
        reason: what cannot be recorded.
        file: the source file where it is asked for.
        line: of that file.

    Example:
        >>> from toy_functions.tracing import Trace, Untraceable
        >>> x = Trace().input()
        >>> try:
        ...     y = x if x > 0.0 else -x
        ... except Untraceable as error:
        ...     print(error.reason)
        a branch depends on a number
    """

    def __init__(self, reason: str) -> None:
        # The innermost line that is neither of this module nor of those that rules do their arithmetic with.
        frames = [frame for frame in traceback.extract_stack() if frame.filename not in _MACHINERY]
        self.reason, self.file, self.line = reason, frames[-1].filename, frames[-1].lineno
        super().__init__(f"{Path(self.file).name}:{self.line}: {reason}")


@dataclass(frozen=True)
class StraightLine:
    """Operations one after another, each on the results of earlier ones.

    Registers are numbered: first the inputs, then ``numbers``, then the results of ``steps``.

    Attributes:
        inputs: how many there are.
        numbers: Python floats.
        steps: operations on registers.
        outputs: registers.

    Example:
        >>> from toy_functions.tracing import Trace
        >>> trace = Trace()
        >>> x, y = trace.input(), trace.input()
        >>> program = trace.program([2.0 * x + y])
        >>> program.numbers, program.steps, program.outputs
        ((2.0,), (('multiply', (2, 0), False), ('add', (3, 1), False)), (4,))
    """

    inputs: int
    numbers: tuple[float, ...]
    steps: tuple[Operation, ...]
    outputs: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Whether the last bit of every result is decided by IEEE 754.

        Example:
            >>> from fop_core.optim.elementary import sin, sqrt
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([sqrt(x)]).exact, trace.program([sin(x)]).exact
            (True, False)
        """
        return all(name in EXACT or name in CONDITIONS for name, _, _ in self.steps)

    def evaluate(self, *inputs: Any) -> tuple[Any, ...]:
        """Return the outputs, floats, float32 or bool as they were when recorded; the browser computes as this does.

        Example:
            >>> from toy_functions.surfaces import BOOTH
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x, y = trace.input(), trace.input()
            >>> trace.program([BOOTH.value(x, y), *BOOTH.gradient(x, y)]).evaluate(0.0, -4.0)
            (306.0, -66.0, -78.0)
        """
        if len(inputs) != self.inputs:
            raise ValueError(f"{len(inputs)} numbers for a program of {self.inputs} inputs")
        registers = [*inputs, *self.numbers]
        for name, operands, _ in self.steps:
            registers.append(OPERATIONS[name](*[registers[operand] for operand in operands]))
        return tuple([registers[output] for output in self.outputs])

    def packed(self) -> list[int]:
        """Return the program as integers, but for ``numbers``.

        How many inputs, numbers, operations and outputs; of each operation twice its number in ``OPERATIONS``, and one
        more for a float32, with three operands, 0 where it has fewer; the outputs.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x, y = trace.input(), trace.input()
            >>> trace.program([x + y]).packed()
            [2, 0, 1, 1, 0, 0, 1, 0, 2]
        """
        code = [self.inputs, len(self.numbers), len(self.steps), len(self.outputs)]
        for name, operands, single in self.steps:
            code += [2 * _NUMBERS[name] + single, *operands, *[0] * (3 - len(operands))]
        return [*code, *self.outputs]


class Trace:
    """A growing list of operations.

    Example:
        >>> from fop_core.optim.elementary import where
        >>> from toy_functions.tracing import Trace
        >>> trace = Trace()
        >>> x = trace.input()
        >>> program = trace.program([where(x > 0.0, x, -x)])
        >>> program.evaluate(-3.0), program.evaluate(2.0)
        ((3.0,), (2.0,))
    """

    def __init__(self) -> None:
        self._count = 0  # of inputs, numbers and operations
        self._inputs: list[int] = []
        self._numbers: dict[int, float] = {}
        self._operations: dict[int, Operation] = {}
        self._known: dict[Any, int] = {}

    def input(self, *, single: bool = False, condition: bool = False, nonzero: bool = False) -> "Tracer":
        """Return the next input.

        Args:
            single: whether it is a float32; else it is a Python float.
            condition: whether it is true or false.
            nonzero: whether the program is for numbers other than 0 alone, so that Python may ask for that.

        Example:
            >>> import numpy as np
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input(single=True)
            >>> trace.program([0.1 * x]).evaluate(np.float32(3.0))
            (np.float32(0.3),)
        """
        self._inputs.append(self._next())
        return Tracer(self, self._inputs[-1], single, condition, nonzero)

    def number(self, value: float) -> "Tracer":
        """Return a constant, a Python float; true and false are no numbers here.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([trace.number(2) * x, trace.number(5)]).evaluate(3.0)
            (6.0, 5.0)
        """
        value = float(value)
        key = value.hex()  # tells the two zeros apart
        if key not in self._known:
            self._known[key] = self._next()
            self._numbers[self._known[key]] = value
        return Tracer(self, self._known[key], single=False)

    def arithmetic(self, name: str, *operands: Any) -> "Tracer":
        """Record an operation that makes a number of numbers; of a condition too, which counts as 1 or 0.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([trace.arithmetic("divide", 1.0, x)]).evaluate(4.0)
            (0.25,)
        """
        tracers = [self._tracer(operand) for operand in operands]
        numbers = [each for each in tracers if not each.condition]
        if not numbers:
            raise Untraceable("arithmetic on conditions alone")
        numbers = self._of_one_kind(numbers)
        single = bool(numbers[0].single)
        if not single and any(each.condition and each.single for each in tracers):
            raise Untraceable("a float64 of numpy: a Python float meets a condition on float32")
        rounded = iter(numbers)
        return self._record(name, [each if each.condition else next(rounded) for each in tracers], single)

    def compare(self, name: str, a: Any, b: Any) -> "Tracer":
        """Record a comparison of two numbers.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([trace.compare("less", x, 1.0)]).evaluate(0.5)
            (True,)
        """
        tracers = [self._tracer(a), self._tracer(b)]
        if any(each.condition for each in tracers):
            raise Untraceable("a comparison of conditions")
        tracers = self._of_one_kind(tracers)
        return self._record(name, tracers, bool(tracers[0].single), condition=True)

    def logic(self, name: str, *operands: Any) -> Any:
        """Record an operation on conditions; one that is known already decides, or does not matter.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> inside = trace.logic("and", x > 0.0, x < 1.0)
            >>> trace.program([inside]).evaluate(0.5), trace.logic("and", x > 0.0, False)
            ((True,), False)
        """
        known = [each for each in operands if isinstance(each, bool)]
        if known and name != "not":
            [other] = [each for each in operands if not isinstance(each, bool)]
            return other if known[0] is (name == "and") else known[0]
        if not all(isinstance(each, Tracer) and each.condition for each in operands):
            raise Untraceable("& and | take conditions")
        return self._record(name, list(operands), any(each.single for each in operands), condition=True)

    def select(self, condition: Any, a: Any, b: Any) -> "Tracer":
        """Record a choice between two numbers.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([trace.select(x < 1.0, x, 1.0)]).evaluate(7.0)
            (1.0,)
        """
        tracers = [self._tracer(a), self._tracer(b)]
        if not (isinstance(condition, Tracer) and condition.condition) or any(each.condition for each in tracers):
            raise Untraceable("where takes a condition that was recorded, and two numbers")
        one, other = (each.single for each in tracers)
        return self._record("select", [condition, *tracers], one if one == other else None)

    def single(self, value: Any) -> "Tracer":
        """Return a number as a float32.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([trace.single(x)]).evaluate(0.1)
            (np.float32(0.1),)
        """
        tracer = self._tracer(value)
        return tracer if tracer.single else self._record("single", [tracer], True)

    def program(self, outputs: Sequence[Any]) -> StraightLine:
        """Return what gives some numbers, from all inputs.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> unused, square = x + 1.0, x * x
            >>> len(trace.program([square, -square]).steps)
            2
        """
        results = [self._tracer(output) for output in outputs]
        if any(each.single is None for each in results):
            raise Untraceable("a result is a float32 or a Python float, by a condition")
        reached = {each.index for each in results}
        for index, (_, operands, _) in reversed(self._operations.items()):
            if index in reached:
                reached.update(operands)
        numbers = {index: number for index, number in self._numbers.items() if index in reached}
        operations = {index: operation for index, operation in self._operations.items() if index in reached}
        registers = {index: register for register, index in enumerate([*self._inputs, *numbers, *operations])}
        return StraightLine(
            len(self._inputs),
            tuple(numbers.values()),
            tuple(
                (name, tuple(map(registers.__getitem__, each)), single) for name, each, single in operations.values()
            ),
            tuple(registers[each.index] for each in results),
        )

    def _of_one_kind(self, tracers: list["Tracer"]) -> list["Tracer"]:
        """Return operands as numpy promotes them: beside a float32 a Python float is rounded to one (NEP 50)."""
        if any(each.single for each in tracers):
            return [self.single(each) for each in tracers]
        if any(each.single is None for each in tracers):
            raise Untraceable("a number that is a float32 or a Python float, by a condition, meets no float32")
        return tracers

    def _record(self, name: str, operands: list["Tracer"], single: bool | None, condition: bool = False) -> "Tracer":
        key = name, tuple(each.index for each in operands)
        if key not in self._known:
            index = self._known[key] = self._next()
            self._operations[index] = (*key, bool(single) and not condition and name not in ("select", "single"))
        return Tracer(self, self._known[key], single, condition)

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

    def _tracer(self, value: Any) -> "Tracer":
        if isinstance(value, Tracer):
            return value
        if type(value) in (int, float):
            return self.number(value)
        raise Untraceable(f"{type(value).__name__} is no number that can be recorded")


def _arithmetic(name: str, *, swapped: bool = False) -> Callable[["Tracer", Any], Any]:
    def method(self: "Tracer", other: Any) -> Any:
        if not isinstance(other, Tracer | float | int):
            return NotImplemented  # a matrix of components knows what to do
        return self.trace.arithmetic(name, *((other, self) if swapped else (self, other)))

    return method


def _comparison(name: str, *, swapped: bool = False) -> Callable[["Tracer", Any], "Tracer"]:
    return lambda self, other: self.trace.compare(name, *((other, self) if swapped else (self, other)))


def _logic(name: str) -> Callable[..., Any]:
    return lambda *operands: operands[0].trace.logic(name, *operands)


def _function(name: str) -> Callable[["Tracer"], "Tracer"]:
    return lambda self: self.trace.arithmetic(name, self)


def _refused(reason: str) -> Callable[..., NoReturn]:
    def method(*operands: Any) -> NoReturn:
        raise Untraceable(reason)

    return method


class Tracer:
    """A number, or a condition, that is not known yet: what is done with it is recorded.

    Attributes:
        trace: where.
        index: of its value there.
        single: whether it is a float32, or a condition on such; None where it is a float32 or a Python float by a
            condition.
        condition: whether it is true or false.
        nonzero: whether it is known not to be 0.

    Example:
        >>> from toy_functions.tracing import Trace
        >>> trace = Trace()
        >>> x = trace.input()
        >>> y = 2.0 * x + 1.0
        >>> y.index, y.condition, (y > x).condition
        (4, False, True)
    """

    __slots__ = ("condition", "index", "nonzero", "single", "trace")
    __array_ufunc__ = None  # numpy's numbers leave arithmetic with it to it
    __hash__ = None  # type: ignore[assignment]

    def __init__(
        self, trace: Trace, index: int, single: bool | None, condition: bool = False, nonzero: bool = False
    ) -> None:
        self.trace, self.index, self.single, self.condition, self.nonzero = trace, index, single, condition, nonzero

    def __bool__(self) -> bool:
        if self.nonzero:
            return True
        raise Untraceable("a branch depends on a number")

    def choose(self, a: Any, b: Any) -> "Tracer":
        """Return a where this condition holds, and b elsewhere.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input()
            >>> trace.program([(x < 0.0).choose(0.0, x)]).evaluate(-3.0)
            (0.0,)
        """
        return self.trace.select(self, a, b)

    def spread(self, value: Any) -> Any:
        """Return a number as one of this kind.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> x = trace.input(single=True)
            >>> x.spread(0.1).single
            True
        """
        return self.trace.single(value) if self.single else value

    def all(self) -> "Tracer":
        """Return whether a condition holds for all paths, of which there is one.

        Example:
            >>> from toy_functions.tracing import Trace
            >>> trace = Trace()
            >>> below = trace.input() < 1.0
            >>> below.all() is below
            True
        """
        return self

    __add__, __radd__ = _arithmetic("add"), _arithmetic("add", swapped=True)
    __sub__, __rsub__ = _arithmetic("subtract"), _arithmetic("subtract", swapped=True)
    __mul__, __rmul__ = _arithmetic("multiply"), _arithmetic("multiply", swapped=True)
    __truediv__, __rtruediv__ = _arithmetic("divide"), _arithmetic("divide", swapped=True)
    __pow__, __rpow__ = _arithmetic("power"), _arithmetic("power", swapped=True)
    __neg__, __abs__ = _function("negate"), _function("absolute")

    __lt__, __gt__ = _comparison("less"), _comparison("less", swapped=True)
    __le__, __ge__ = _comparison("less_equal"), _comparison("less_equal", swapped=True)
    __eq__, __ne__ = _comparison("equal"), _comparison("not_equal")  # type: ignore[assignment]
    __and__ = __rand__ = _logic("and")
    __or__ = __ror__ = _logic("or")
    __invert__ = _logic("not")

    # What ``elementary`` asks of a number that it does not know.
    absolute, sign, sqrt, exp, expm1 = map(_function, ("absolute", "sign", "sqrt", "exp", "expm1"))
    log, log2, log10 = map(_function, ("log", "log2", "log10"))
    sin, cos, tan, asin, acos, atan = map(_function, ("sin", "cos", "tan", "asin", "acos", "atan"))
    sinh, cosh, tanh = map(_function, ("sinh", "cosh", "tanh"))

    __float__ = _refused("a number is needed as a Python float")
    __int__ = __index__ = _refused("a number is needed as an integer")
    __divmod__ = __floordiv__ = __mod__ = _refused("a number is divided with a remainder")
