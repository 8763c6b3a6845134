import math

import pytest

from toy_functions.graph import FUNCTIONS, Graph, GraphTooLarge


@pytest.fixture
def graph() -> Graph:
    return Graph(limit=1000)


def test_equal_nodes_are_one_node_and_sums_and_products_commute(graph):
    x, y = graph.x, graph.y
    assert graph.add(x, y) == graph.add(y, x)
    assert graph.multiply(x, y) == graph.multiply(y, x)
    assert graph.subtract(x, y) != graph.subtract(y, x)
    assert graph.function("sin", graph.add(x, y)) == graph.function("sin", graph.add(y, x))
    minus_zero = graph.constant(-0.0)
    assert minus_zero == graph.constant(0.0)
    assert math.copysign(1.0, graph.nodes[minus_zero].value) == 1.0


def test_constants_are_folded_where_the_result_is_finite(graph):
    two, three, zero = (graph.constant(value) for value in (2.0, 3.0, 0.0))
    assert graph.constant_value(graph.add(two, three)) == 5.0
    assert graph.constant_value(graph.subtract(two, three)) == -1.0
    assert graph.constant_value(graph.multiply(two, three)) == 6.0
    assert graph.constant_value(graph.divide(three, two)) == 1.5
    assert graph.constant_value(graph.power(two, three)) == 8.0
    assert graph.constant_value(graph.negate(two)) == -2.0
    assert graph.constant_value(graph.function("exp", two)) == math.exp(2.0)
    assert graph.constant_value(graph.divide(two, zero)) is None
    assert graph.constant_value(graph.function("log", zero)) is None


def test_zeros_ones_and_signs_are_absorbed(graph):
    x, y = graph.x, graph.y
    zero, one, two, minus = (graph.constant(value) for value in (0.0, 1.0, 2.0, -1.0))
    for same in (
        graph.add(x, zero),
        graph.add(zero, x),
        graph.subtract(x, zero),
        graph.multiply(x, one),
        graph.multiply(one, x),
        graph.divide(x, one),
        graph.power(x, one),
        graph.negate(graph.negate(x)),
    ):
        assert same == x
    assert graph.multiply(x, zero) == graph.divide(zero, x) == zero
    assert graph.power(x, zero) == graph.power(one, x) == one
    assert graph.multiply(minus, x) == graph.subtract(zero, x) == graph.negate(x)
    assert graph.add(x, graph.negate(y)) == graph.add(graph.negate(y), x) == graph.subtract(x, y)
    assert graph.subtract(x, graph.negate(y)) == graph.add(x, y)
    assert graph.negate(graph.subtract(x, y)) == graph.subtract(y, x)
    assert graph.multiply(graph.negate(x), graph.negate(y)) == graph.multiply(x, y)
    assert graph.divide(graph.negate(x), y) == graph.negate(graph.divide(x, y))
    assert graph.multiply(two, graph.multiply(two, x)) == graph.multiply(graph.constant(4.0), x)


def test_factors_that_would_overflow_or_underflow_together_are_kept_apart(graph):
    for value in (1e60, 1e-60):
        factor = graph.constant(value)
        product = graph.multiply(factor, graph.multiply(factor, graph.x))
        assert graph.nodes[product].operands[0] == factor


def test_derivatives_are_simplified(graph):
    x, y = graph.x, graph.y
    zero, one, two = (graph.constant(value) for value in (0.0, 1.0, 2.0))
    assert graph.derivative(x, x) == one
    assert graph.derivative(x, y) == zero
    assert graph.derivative(graph.multiply(x, y), x) == y
    assert graph.derivative(graph.multiply(x, x), x) == graph.multiply(two, x)
    assert graph.derivative(graph.power(x, two), x) == graph.multiply(two, x)
    assert graph.derivative(graph.divide(x, two), x) == graph.constant(0.5)
    assert graph.derivative(graph.function("exp", y), x) == zero
    assert graph.derivative(graph.function("abs", x), x) == graph.function("sign", x)
    assert graph.derivative(graph.function("sign", x), x) == zero


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_derivative(graph, name):
    assert graph.derivative(graph.function(name, graph.x), graph.x) < len(graph.nodes)


def test_a_constant_has_to_be_finite(graph):
    with pytest.raises(ValueError, match="a constant must be finite, got nan"):
        graph.constant(math.nan)


def test_a_graph_does_not_grow_beyond_its_limit():
    graph = Graph(limit=5)
    node = graph.x
    with pytest.raises(GraphTooLarge):
        for _ in range(10):
            node = graph.function("sin", node)
    assert len(graph.nodes) == 5


def test_reachable_nodes_come_in_an_order_of_evaluation(graph):
    unused = graph.function("cos", graph.x)
    root = graph.multiply(graph.function("sin", graph.x), graph.add(graph.x, graph.y))
    order = graph.reachable(root)
    assert unused not in order and order[-1] == root
    assert all(operand in order[:index] for index, node in enumerate(order) for operand in graph.nodes[node].operands)
