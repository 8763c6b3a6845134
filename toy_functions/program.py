"""Formulas as flat lists of instructions over registers: what a graph becomes to be evaluated, quickly and often.

One loop walks the list; no node is an object and no call nests. A register is used again once its number is not needed
any more, so an evaluation on a grid holds few arrays at a time. Integer powers are products, ``x**3`` is ``x * x * x``,
equal to the last bit on floats, arrays and tensors.

Programs take what surfaces take: two floats, or floating-point arrays or tensors whose shapes broadcast. Every result
has their kind, dtype and common shape, also where it is constant or depends on one variable only, and is an object of
its own, no view of another. Nothing is raised and nothing warns: 1/0 is inf and log(-1) is NaN. They can be pickled.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from fop_core.optim.elementary import Real, divide, integer_as_float, spread
from toy_functions.graph import OPERATIONS, Graph

Instruction: TypeAlias = tuple[Callable[..., Real], int, int, int | None]  # function, target, operand, second operand
_X, _Y = 0, 1


class Program:
    """The evaluation of some nodes of a graph, with what they share computed once.

    Example:
        >>> import numpy as np
        >>> from toy_functions.expressions import parse
        >>> program = parse("x^2 + y^2").value
        >>> program(3.0, 4.0), program(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
        (25.0, array([1., 5.]))
    """

    __slots__ = ("_instructions", "_outputs", "_partial", "_registers")

    def __init__(self, graph: Graph, *outputs: int):
        builder = Builder(graph, outputs)
        self._instructions, self._registers, self._outputs = builder.allocate()
        # Outputs that lack a variable may lack the shape that this variable brings.
        self._partial = [not {graph.x, graph.y} <= set(graph.reachable(output)) for output in outputs]

    def evaluate(self, x: Real, y: Real) -> tuple[Real, ...]:
        """Return the outputs at (x, y).

        Example:
            >>> from toy_functions.expressions import parse
            >>> parse("x^2 + y^2").gradient.evaluate(3.0, 4.0)
            (6.0, 8.0)
        """
        if type(x) is float and type(y) is float:
            return self._run(x, y)
        x, y = integer_as_float(x), integer_as_float(y)
        with np.errstate(all="ignore"):
            return tuple(
                spread(output, x, y) if partial else output
                for output, partial in zip(self._run(x, y), self._partial, strict=True)
            )

    def _run(self, x: Real, y: Real) -> tuple[Real, ...]:
        registers = self._registers.copy()
        registers[_X] = x
        registers[_Y] = y
        for function, target, a, b in self._instructions:
            if b is None:
                registers[target] = function(registers[a])
            else:
                registers[target] = function(registers[a], registers[b])
        return tuple([registers[output] for output in self._outputs])


class Value(Program):
    """(x, y) -> f.

    Example:
        >>> from toy_functions.graph import Graph
        >>> from toy_functions.program import Value
        >>> graph = Graph(limit=100)
        >>> Value(graph, graph.multiply(graph.x, graph.y))(3.0, 4.0)
        12.0
    """

    __slots__ = ()

    def __call__(self, x: Real, y: Real) -> Real:
        """Return f at (x, y)."""
        return self.evaluate(x, y)[0]


class Gradient(Program):
    """(x, y) -> (f_x, f_y).

    Example:
        >>> import numpy as np
        >>> from toy_functions.expressions import parse
        >>> parse("x^2*y").gradient(np.array([1.0, 2.0]), np.array([3.0, 3.0]))
        (array([ 6., 12.]), array([1., 4.]))
    """

    __slots__ = ()

    def __call__(self, x: Real, y: Real) -> tuple[Real, Real]:
        """Return the gradient at (x, y)."""
        f_x, f_y = self.evaluate(x, y)
        return f_x, f_y


class Hessian(Program):
    """(x, y) -> ((f_xx, f_xy), (f_xy, f_yy)), from the outputs f_xx, f_xy, f_yy.

    Example:
        >>> from toy_functions.expressions import parse
        >>> parse("x^2*y").hessian(1.0, 3.0)
        ((6.0, 2.0), (2.0, 0.0))
    """

    __slots__ = ()

    def __call__(self, x: Real, y: Real) -> tuple[tuple[Real, Real], tuple[Real, Real]]:
        """Return the Hessian at (x, y)."""
        f_xx, f_xy, f_yy = self.evaluate(x, y)
        return (f_xx, f_xy), (f_xy, f_yy)


class Builder:
    """Instructions in order, each with a slot of its own for its result; ``allocate`` makes registers of slots.

    The first slots are the inputs: x and y, if not others. A slot holds a number where ``numbers`` has it, else the
    result of ``steps[slot]``.

    Example:
        >>> from toy_functions.graph import Graph
        >>> from toy_functions.program import Builder
        >>> graph = Graph(limit=100)
        >>> builder = Builder(graph, (graph.power(graph.x, graph.constant(8.0)),))
        >>> [function.__name__ for function, *_ in builder.steps.values()]  # x, squared three times
        ['mul', 'mul', 'mul']
    """

    def __init__(self, graph: Graph, outputs: tuple[int, ...], inputs: tuple[int, ...] = ()):
        inputs = inputs or (graph.x, graph.y)
        self.size = self._inputs = len(inputs)
        self.numbers: dict[int, float] = {}
        self.steps: dict[int, tuple[Callable[..., Real], int, int | None]] = {}
        self._known: dict[tuple, int] = {}
        slots = {node: slot for slot, node in enumerate(inputs)}

        def slot_of(node: int) -> int:
            value = graph.constant_value(node)
            return slots[node] if value is None else self._number(value)

        for node in graph.reachable(*outputs):
            operation, operands, _ = graph.nodes[node]
            if not operands:
                continue
            exponent = graph.constant_value(operands[1]) if operation == "**" else None
            if exponent is not None and exponent.is_integer():
                slots[node] = self._integer_power(slot_of(operands[0]), int(exponent))
            else:
                slots[node] = self._step(OPERATIONS[operation], *map(slot_of, operands))
        self.outputs: list[int] = []
        for slot in map(slot_of, outputs):
            # A result that is an input, or another result, would be changed with it by a caller who works in place.
            own = slot not in self.outputs and (slot in self.steps or slot in self.numbers)
            self.outputs.append(slot if own else self._copy(slot))

    def allocate(self) -> tuple[list[Instruction], list[Real], list[int]]:
        """Return instructions over registers, the registers' first contents, and the registers of the outputs.

        Example:
            >>> from toy_functions.graph import Graph
            >>> from toy_functions.program import Builder
            >>> graph = Graph(limit=100)
            >>> instructions, registers, outputs = Builder(graph, (graph.add(graph.x, graph.y),)).allocate()
            >>> [(function.__name__, target, a, b) for function, target, a, b in instructions], outputs
            ([('add', 2, 0, 1)], [2])
        """
        last_use = {operand: slot for slot, (_, *operands) in self.steps.items() for operand in operands}
        contents: list[Real] = [None] * self._inputs
        registers = {slot: slot for slot in range(self._inputs)}
        for slot, number in self.numbers.items():
            registers[slot] = len(contents)
            contents.append(number)
        free: list[int] = []
        instructions: list[Instruction] = []
        for slot, (function, a, b) in self.steps.items():
            sources = registers[a], None if b is None else registers[b]
            for operand in {a, b}:
                if operand in self.steps and last_use[operand] == slot and operand not in self.outputs:
                    free.append(registers[operand])
            if not free:
                free.append(len(contents))
                contents.append(None)
            registers[slot] = free.pop()
            instructions.append((function, registers[slot], *sources))
        return instructions, contents, [registers[slot] for slot in self.outputs]

    def _number(self, value: float) -> int:
        if (value,) not in self._known:
            self._known[(value,)] = self.size
            self.numbers[self.size] = value
            self.size += 1
        return self._known[(value,)]

    def _step(self, function: Callable[..., Real], a: int, b: int | None = None) -> int:
        key = (function, a, b)
        if key not in self._known:
            self._known[key] = self._append(key)
        return self._known[key]

    def _append(self, step: tuple[Callable[..., Real], int, int | None]) -> int:
        self.steps[self.size] = step
        self.size += 1
        return self.size - 1

    def _copy(self, slot: int) -> int:
        return self._append((OPERATIONS["*"], slot, self._number(1.0)))

    def _integer_power(self, base: int, exponent: int) -> int:
        if exponent < 0:
            return self._step(divide, self._number(1.0), self._integer_power(base, -exponent))
        if exponent == 1:
            return base
        half = self._integer_power(base, exponent // 2)
        square = self._step(OPERATIONS["*"], half, half)
        return self._step(OPERATIONS["*"], square, base) if exponent % 2 else square
