"""Formulas of x and y as a graph of nodes, and their exact derivatives as more nodes of the same graph.

A node is named by its index and refers only to smaller ones, so the order of indices is an order of evaluation and
nothing here recurses through the graph. Equal nodes are one node (hash-consing): what value and derivatives share is
there once. Nodes are simplified as they are made: operations on constants are carried out, and 0, 1 and signs are
absorbed. ``0 * f`` is 0, also where f is not finite.
"""

import math
import operator
from collections.abc import Callable
from typing import NamedTuple

from fop_core.optim import elementary
from fop_core.optim.elementary import Real

FUNCTIONS: dict[str, Callable[[Real], Real]] = {
    "sqrt": elementary.sqrt,
    "exp": elementary.exp,
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
    "abs": elementary.absolute,
    "sign": elementary.sign,
}
OPERATIONS: dict[str, Callable[..., Real]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": elementary.divide,
    "**": elementary.power,
    "negate": operator.neg,
    **FUNCTIONS,
}


class Node(NamedTuple):
    """``x``, ``y`` or another variable, a ``constant`` with its value, or an operation on nodes.

    Example:
        >>> from toy_functions.graph import Graph
        >>> graph = Graph(limit=100)
        >>> graph.nodes[graph.add(graph.x, graph.y)]
        Node(operation='+', operands=(0, 1), value=0.0)
    """

    operation: str
    operands: tuple[int, ...] = ()
    value: float = 0.0


class GraphTooLarge(Exception):
    """A graph would exceed its limit of nodes.

    Example:
        >>> from toy_functions.graph import Graph
        >>> graph = Graph(limit=2)  # x and y
        >>> graph.add(graph.x, graph.y)
        Traceback (most recent call last):
            ...
        toy_functions.graph.GraphTooLarge: more than 2 nodes
    """


class Graph:
    """A growing set of nodes.

    The methods named after operations return the index of a node for the result.

    Args:
        limit: the number of nodes beyond which GraphTooLarge is raised: derivatives of derivatives grow quickly.

    Example:
        >>> from toy_functions.graph import Graph
        >>> graph = Graph(limit=100)
        >>> f = graph.multiply(graph.x, graph.y)
        >>> graph.derivative(f, graph.x) == graph.y, graph.add(f, graph.constant(0.0)) == f
        (True, True)
    """

    def __init__(self, limit: int):
        self.nodes: list[Node] = []
        self._limit = limit
        self._indices: dict[Node, int] = {}
        self.x = self._index(Node("x"))
        self.y = self._index(Node("y"))

    def constant(self, value: float) -> int:
        """Return the node of a finite number.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.nodes[graph.constant(2.5)]
            Node(operation='constant', operands=(), value=2.5)
        """
        if not math.isfinite(value):
            raise ValueError(f"a constant must be finite, got {value}")
        return self._index(Node("constant", value=value + 0.0))  # -0.0 + 0.0 is 0.0: one zero, not two

    def variable(self, name: str) -> int:
        """Return the node of another variable than x and y.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.nodes[graph.variable("lr")].operation
            'variable lr'
        """
        return self._index(Node(f"variable {name}"))

    def constant_value(self, node: int) -> float | None:
        """Return the number a node stands for, or None if it is not a constant.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.constant_value(graph.add(graph.constant(2.0), graph.constant(3.0))), graph.constant_value(graph.x)
            (5.0, None)
        """
        operation, _, value = self.nodes[node]
        return value if operation == "constant" else None

    def add(self, a: int, b: int) -> int:
        """Return a + b.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.add(graph.x, graph.y) == graph.add(graph.y, graph.x)
            True
            >>> graph.add(graph.x, graph.constant(0.0)) == graph.x
            True
        """
        if self._is(a, 0.0):
            return b
        if self._is(b, 0.0):
            return a
        if self.nodes[b].operation == "negate":
            return self.subtract(a, self.nodes[b].operands[0])
        if self.nodes[a].operation == "negate":
            return self.subtract(b, self.nodes[a].operands[0])
        return self._operation("+", *sorted((a, b)))

    def subtract(self, a: int, b: int) -> int:
        """Return a - b.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.nodes[graph.subtract(graph.x, graph.y)]
            Node(operation='-', operands=(0, 1), value=0.0)
            >>> graph.subtract(graph.x, graph.constant(0.0)) == graph.x
            True
        """
        if self._is(a, 0.0):
            return self.negate(b)
        if self._is(b, 0.0):
            return a
        if self.nodes[b].operation == "negate":
            return self.add(a, self.nodes[b].operands[0])
        return self._operation("-", a, b)

    def negate(self, a: int) -> int:
        """Return -a.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.negate(graph.negate(graph.x)) == graph.x
            True
        """
        operation, operands, _ = self.nodes[a]
        if operation == "negate":
            return operands[0]
        if operation == "-":
            return self.subtract(operands[1], operands[0])
        return self._operation("negate", a)

    def multiply(self, a: int, b: int) -> int:
        """Return a b.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> zero, one = graph.constant(0.0), graph.constant(1.0)
            >>> graph.multiply(graph.x, one) == graph.x, graph.multiply(graph.x, zero) == zero
            (True, True)
        """
        if self.constant_value(b) is not None:
            a, b = b, a
        factor = self.constant_value(a)
        if factor == 0.0:
            return a
        if factor == 1.0:
            return b
        if factor == -1.0:
            return self.negate(b)
        if factor is not None and self.nodes[b].operation == "*":
            first, other = self.nodes[b].operands
            merged = factor * (self.constant_value(first) or 0.0)
            if 1e-100 < abs(merged) < 1e100:  # away from overflow, and from the loss of digits in underflow
                return self.multiply(self.constant(merged), other)
        if self.nodes[b].operation == "negate":
            return self.negate(self.multiply(a, self.nodes[b].operands[0]))
        if self.nodes[a].operation == "negate":
            return self.negate(self.multiply(self.nodes[a].operands[0], b))
        if factor is not None:
            return self._operation("*", a, b)
        return self._operation("*", *sorted((a, b)))

    def divide(self, a: int, b: int) -> int:
        """Return a / b.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.nodes[graph.divide(graph.x, graph.y)]
            Node(operation='/', operands=(0, 1), value=0.0)
        """
        if self._is(a, 0.0) and not self._is(b, 0.0):
            return a
        if self._is(b, 1.0):
            return a
        if self.nodes[a].operation == "negate":
            return self.negate(self.divide(self.nodes[a].operands[0], b))
        return self._operation("/", a, b)

    def power(self, base: int, exponent: int) -> int:
        """Return base ** exponent.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.power(graph.x, graph.constant(1.0)) == graph.x
            True
            >>> graph.constant_value(graph.power(graph.constant(2.0), graph.constant(10.0)))
            1024.0
        """
        if self._is(exponent, 0.0):
            return self.constant(1.0)
        if self._is(exponent, 1.0) or self._is(base, 1.0):
            return base
        return self._operation("**", base, exponent)

    def function(self, name: str, a: int) -> int:
        """Return the node of a function in FUNCTIONS at a.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> graph.nodes[graph.function("sin", graph.x)]
            Node(operation='sin', operands=(0,), value=0.0)
            >>> graph.constant_value(graph.function("sqrt", graph.constant(9.0)))
            3.0
        """
        return self._operation(name, a)

    def reachable(self, *roots: int) -> list[int]:
        """Return the nodes that the roots are made of, in an order of evaluation.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> unused, square = graph.add(graph.x, graph.y), graph.multiply(graph.x, graph.x)
            >>> [graph.nodes[node].operation for node in graph.reachable(square)]
            ['x', '*']
        """
        reached, pending = set(roots), list(roots)
        while pending:
            new = set(self.nodes[pending.pop()].operands) - reached
            reached |= new
            pending.extend(new)
        return sorted(reached)

    def derivative(self, root: int, variable: int) -> int:
        """Return the node of the derivative of root by a variable, ``x`` or ``y``.

        The derivative of abs at 0 is taken as 0, that of sign as 0 everywhere.

        Example:
            >>> from toy_functions.graph import Graph
            >>> graph = Graph(limit=100)
            >>> slope = graph.derivative(graph.function("sin", graph.x), graph.x)
            >>> graph.nodes[slope].operation
            'cos'
        """
        slopes: dict[int, int] = {}
        for node in self.reachable(root):
            slopes[node] = self._derivative(node, slopes, variable)
        return slopes[root]

    def _derivative(self, node: int, slopes: dict[int, int], variable: int) -> int:
        """Return the node of the derivative of a node, given those of its operands."""
        operation, operands, _ = self.nodes[node]
        if not operands:
            return self.constant(1.0 if node == variable else 0.0)
        a, da = operands[0], slopes[operands[0]]
        if len(operands) == 1:
            # With a' = 0 the product below would fold to 0 as well, but its other factor would have been made in vain.
            return da if self._is(da, 0.0) else self._chain(operation, node, a, da)
        b, db = operands[1], slopes[operands[1]]
        match operation:
            case "+":
                return self.add(da, db)
            case "-":
                return self.subtract(da, db)
            case "*" if a == b:
                return self.multiply(self.constant(2.0), self.multiply(a, da))
            case "*":
                return self.add(self.multiply(da, b), self.multiply(a, db))
            case "/":  # (a' - (a/b) b') / b reuses the quotient
                return self.divide(self.subtract(da, self.multiply(node, db)), b)
            case "**":
                return self._power_derivative(node, a, b, da, db)
        raise NotImplementedError(operation)

    def _power_derivative(self, node: int, a: int, b: int, da: int, db: int) -> int:
        """Return b a^(b-1) a' + a^b log(a) b', each term only where its last factor is not 0."""
        result = self.constant(0.0)
        if not self._is(da, 0.0):
            lower = self.power(a, self.subtract(b, self.constant(1.0)))
            result = self.multiply(self.multiply(b, lower), da)
        if not self._is(db, 0.0):
            result = self.add(result, self.multiply(self.multiply(node, self.function("log", a)), db))
        return result

    def _chain(self, operation: str, f: int, a: int, da: int) -> int:
        """Return the node of f'(a) a' for the node f = f(a)."""
        one = self.constant(1.0)
        match operation:
            case "negate":
                return self.negate(da)
            case "sqrt":
                return self.divide(da, self.multiply(self.constant(2.0), f))
            case "exp":
                return self.multiply(f, da)
            case "log":
                return self.divide(da, a)
            case "log2":
                return self.divide(da, self.multiply(self.constant(math.log(2.0)), a))
            case "log10":
                return self.divide(da, self.multiply(self.constant(math.log(10.0)), a))
            case "sin":
                return self.multiply(self.function("cos", a), da)
            case "cos":
                return self.negate(self.multiply(self.function("sin", a), da))
            case "tan":
                return self.multiply(self.add(one, self.multiply(f, f)), da)
            case "asin" | "acos":
                factors = self.multiply(self.subtract(one, a), self.add(one, a))  # 1 - a² without cancellation
                slope = self.divide(da, self.function("sqrt", factors))
                return slope if operation == "asin" else self.negate(slope)
            case "atan":
                return self.divide(da, self.add(one, self.multiply(a, a)))
            case "sinh":
                return self.multiply(self.function("cosh", a), da)
            case "cosh":
                return self.multiply(self.function("sinh", a), da)
            case "tanh":
                return self.multiply(self.subtract(one, self.multiply(f, f)), da)
            case "abs":
                return self.multiply(self.function("sign", a), da)
            case "sign":
                return self.constant(0.0)
        raise NotImplementedError(operation)

    def _operation(self, operation: str, *operands: int) -> int:
        """Return the node of an operation, or of its result where that is a finite number."""
        values = [self.constant_value(operand) for operand in operands]
        if None not in values:
            result = OPERATIONS[operation](*values)
            if math.isfinite(result):
                return self.constant(result)
        return self._index(Node(operation, operands))

    def _is(self, node: int, value: float) -> bool:
        return self.constant_value(node) == value

    def _index(self, node: Node) -> int:
        index = self._indices.get(node)
        if index is None:
            if len(self.nodes) == self._limit:
                raise GraphTooLarge(f"more than {self._limit} nodes")
            index = self._indices[node] = len(self.nodes)
            self.nodes.append(node)
        return index
