import operator
import pickle

import numpy as np
import pytest
import torch

from fop_core.optim import elementary
from toy_functions.graph import Graph
from toy_functions.program import Gradient, Hessian, Program, Value


@pytest.fixture
def graph() -> Graph:
    return Graph(limit=1000)


def run_length(program: Program) -> tuple[int, int]:
    return len(program._instructions), len(program._registers)


@pytest.mark.parametrize("exponent", [-64, -3, -2, -1, 2, 3, 4, 7, 13, 64])
def test_an_integer_power_is_a_product(graph, exponent):
    program = Value(graph, graph.power(graph.x, graph.constant(float(exponent))))
    assert {instruction[0] for instruction in program._instructions} <= {operator.mul, elementary.divide}
    assert len(program._instructions) <= 12
    assert program(-1.25, 0.0) == pytest.approx((-1.25) ** exponent, rel=1e-14)


def test_a_square_is_x_times_x_to_the_last_bit_in_every_kind(graph):
    program = Value(graph, graph.power(graph.x, graph.constant(2.0)))
    x = np.random.default_rng(0).normal(size=1000)
    zero = np.zeros(1000)
    np.testing.assert_array_equal(program(x, zero), x * x)
    np.testing.assert_array_equal(program(torch.from_numpy(x), torch.from_numpy(zero)).numpy(), x * x)
    assert [program(v, 0.0) for v in x.tolist()] == (x * x).tolist()


def test_a_power_that_is_no_integer_is_one_and_its_negative_base_gives_nan(graph):
    program = Value(graph, graph.power(graph.x, graph.constant(0.5)))
    assert program(4.0, 0.0) == 2.0
    assert np.isnan(program(-4.0, 0.0))


def test_what_outputs_share_is_computed_once(graph):
    wave = graph.function("sin", graph.multiply(graph.x, graph.y))
    program = Gradient(graph, graph.multiply(wave, graph.x), graph.multiply(wave, graph.y))
    assert [instruction[0] for instruction in program._instructions].count(elementary.sin) == 1
    # x**4 = (x**2)**2 shares its square with x**2
    x = graph.x
    powers = Gradient(graph, graph.power(x, graph.constant(2.0)), graph.power(x, graph.constant(4.0)))
    assert len(powers._instructions) == 2


def test_registers_are_used_again(graph):
    node = graph.x
    for _ in range(100):
        node = graph.function("sin", node)
    assert run_length(Value(graph, node)) == (100, 3)  # x, y, and one for all the results


def test_an_output_keeps_its_register_to_the_end(graph):
    first = graph.add(graph.x, graph.y)
    second = first
    for _ in range(5):
        second = graph.function("sin", second)
    assert Gradient(graph, first, second)(1.0, 2.0)[0] == 3.0


def test_every_result_is_an_array_of_its_own(graph):
    x, y = np.ones(3), np.ones(3)
    total = graph.add(graph.x, graph.y)
    for outputs in ((graph.x, graph.x), (total, total), (graph.constant(2.0), graph.constant(2.0))):
        first, second = Gradient(graph, *outputs)(x, y)
        before = second.copy()
        first += 1.0
        np.testing.assert_array_equal(second, before)
        np.testing.assert_array_equal(x, 1.0)


def test_a_result_that_lacks_a_variable_has_the_shape_and_dtype_of_both(graph):
    x, y = np.ones((4, 1), np.float32), np.ones(3, np.float32)
    for node in (graph.x, graph.y, graph.function("sin", graph.y), graph.constant(2.0)):
        result = Value(graph, node)(x, y)
        assert result.shape == (4, 3) and result.dtype == np.float32
        tensor = Value(graph, node)(torch.from_numpy(x), torch.from_numpy(y))
        np.testing.assert_allclose(tensor.numpy(), result, rtol=1e-6)


def test_a_float_beside_an_array_is_broadcast(graph):
    program = Hessian(graph, graph.x, graph.multiply(graph.x, graph.y), graph.constant(2.0))
    for x, y in ((1.0, np.ones(3)), (np.ones(3), 2), (1, torch.ones(3))):
        (f_xx, f_xy), (f_yx, f_yy) = program(x, y)
        assert f_xx.shape == f_xy.shape == f_yy.shape == (3,)
        assert f_xy is f_yx


def test_an_integer_beyond_all_floats_is_infinite(graph):
    assert Value(graph, graph.add(graph.x, graph.y))(10**400, 1) == float("inf")


def test_gradients_flow_through_a_program(graph):
    x = torch.tensor(0.5, requires_grad=True)
    y = torch.tensor(2.0, requires_grad=True)
    Value(graph, graph.multiply(graph.power(graph.x, graph.constant(3.0)), graph.y))(x, y).backward()
    assert (x.grad.item(), y.grad.item()) == (1.5, 0.125)


def test_a_program_survives_pickle(graph):
    program = Value(graph, graph.divide(graph.function("exp", graph.x), graph.y))
    assert pickle.loads(pickle.dumps(program))(1.0, 3.0) == program(1.0, 3.0)
