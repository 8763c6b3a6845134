"""What is recorded of a computation has its bits, and what cannot be recorded is refused with its line."""

import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fop_core.optim import elementary
from fop_core.optim.rules.components import Components, quotient
from toy_functions.tracing import EXACT, OPERATIONS, Trace, Tracer, Untraceable

FLOATS = st.floats() | st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, math.inf, -math.inf, math.nan, 1e300, 1e-320])
HERE = Path(__file__).name


def bits(number):
    """A number's kind and bits; one NaN is as another."""
    return type(number).__name__, "nan" if number != number else struct.pack("d", number)


def recorded(function, count, **kind):
    trace = Trace()
    inputs = [trace.input(**kind) for _ in range(count)]
    result = function(*inputs)
    return trace.program(result if isinstance(result, tuple) else (result,))


UNARY = [name for name in OPERATIONS if hasattr(elementary, name) and name not in ("divide", "power")]


@pytest.mark.parametrize("name", UNARY)
@given(number=FLOATS)
def test_each_function_has_the_bits_of_elementary(name, number):
    function = getattr(elementary, name)
    program = recorded(function, 1)
    assert [step[0] for step in program.steps] == [name]
    assert bits(program.evaluate(number)[0]) == bits(function(number))


def of_two(a, b):
    below = a < b
    both = (a <= b) & (a != 0.0) | (b == 1.0)
    return (
        a + b - a * b,
        elementary.divide(a, b) - 2 * a,
        1 - b,
        -a + abs(b),
        elementary.where(below, a, b),
        elementary.where(both, 0.25, 0 * a) * b,
        elementary.where(a > b, 1.0, 2.0) * b,
        a + (b >= a),
        quotient(Components([[a]]), b).rows[0][0],
    )


@pytest.mark.parametrize("single", [False, True])
@given(a=FLOATS, b=FLOATS)
def test_arithmetic_comparisons_and_choices_have_the_bits_of_python_and_of_numpy(single, a, b):
    program = recorded(of_two, 2, single=single)
    with np.errstate(all="ignore"):
        if single:
            a, b = np.float32(a), np.float32(b)
        assert list(map(bits, program.evaluate(a, b))) == list(map(bits, of_two(a, b)))


def test_beside_a_float32_a_python_float_is_rounded_to_one_and_not_before():
    def function(x, rate):
        return rate * 0.3 * x, rate + 0.1

    trace = Trace()
    program = trace.program(function(trace.input(single=True), trace.input()))
    x, rates = np.float32(0.7), (0.1, 0.37, 0.0123, 0.777, 0.9)
    for rate in rates:
        assert list(map(bits, program.evaluate(x, rate))) == list(map(bits, function(x, rate)))
    early = [np.float32(rate) * np.float32(0.3) * x for rate in rates]
    assert early != [function(x, rate)[0] for rate in rates], "the test can fail"


def test_nothing_is_put_in_another_order_and_equal_operations_are_one():
    program = recorded(lambda x, y: ((x + y) + 1.0, x + (y + 1.0), (x + y) + 1.0, y + x), 2)
    assert [name for name, *_ in program.steps] == ["add"] * 5, "x + y, its + 1, y + 1, x + that, and y + x"
    assert program.outputs[0] == program.outputs[2] and program.numbers == (1.0,)


def test_what_no_result_needs_is_left_out_and_the_two_zeros_are_two():
    def function(x, y):
        elementary.exp(x)
        return y * 0.0 + y * -0.0

    program = recorded(function, 2)
    assert [name for name, *_ in program.steps] == ["multiply", "multiply", "add"]
    assert [math.copysign(1.0, zero) for zero in program.numbers] == [1.0, -1.0]
    assert program.inputs == 2


def test_a_program_says_whether_every_machine_gives_its_bits():
    assert recorded(of_two, 2).exact
    assert not recorded(elementary.sin, 1).exact and not recorded(lambda x: x**0.5, 1).exact
    assert {"divide", "sqrt"} <= EXACT


def test_a_program_is_integers_and_numbers():
    program = recorded(lambda x, y: elementary.where(x < y, 0.5, y), 2)
    less, select = list(OPERATIONS).index("less"), list(OPERATIONS).index("select")
    assert program.packed() == [2, 1, 2, 1, 2 * less, 0, 1, 0, 2 * select, 3, 2, 1, 4]
    single = recorded(lambda x: x + x, 1, single=True)
    assert single.packed()[4] == 2 * list(OPERATIONS).index("add") + 1
    with pytest.raises(ValueError, match="3 numbers for a program of 2"):
        program.evaluate(1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("asks", "reason"),
    [
        (lambda x: x if x > 0.0 else -x, "branch"),
        (lambda x: max(x, 0.0), "branch"),
        (lambda x: math.sqrt(x), "Python float"),
        (lambda x: [1, 2][x], "integer"),
        (lambda x: divmod(x, 2), "remainder"),
        (lambda x: x + True, "bool"),
        (lambda x: (x < 1.0) + (x < 2.0), "conditions alone"),
        (lambda x: (x < 1.0) & 1.0, "conditions"),
        (lambda x: x * np.float64(2.0), "float64"),
    ],
)
def test_what_cannot_be_recorded_is_refused_with_its_line(asks, reason):
    with pytest.raises(Untraceable, match=reason) as error:
        recorded(asks, 1)
    assert error.value.file == __file__ and error.value.line == asks.__code__.co_firstlineno
    assert str(error.value).startswith(f"{HERE}:{error.value.line}: ")


def test_a_condition_that_is_known_decides_or_does_not_matter():
    x = Trace().input()
    below = x < 1.0
    assert all(each is below for each in (below & True, True & below, below | False, False | below))
    assert (below & False) is False and (True | below) is True


def test_a_number_that_is_known_not_to_be_0_may_be_asked_for_that():
    trace = Trace()
    assert trace.input(nonzero=True)
    with pytest.raises(Untraceable):
        bool(trace.input())


def test_a_result_whose_kind_hangs_on_a_condition_is_refused():
    def mixed(x):
        return elementary.where(x < 0.0, 1.0, x)

    assert recorded(lambda x: mixed(x) * x, 1, single=True)
    for function in (mixed, lambda x: mixed(x) * 0.5, lambda x: 0.5 + (x < 1.0)):
        with pytest.raises(Untraceable):
            recorded(function, 1, single=True)
    assert isinstance(mixed(Trace().input(single=True)), Tracer)
