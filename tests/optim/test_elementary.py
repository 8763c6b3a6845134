import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fop_core.optim import elementary

UNARY = [
    elementary.sqrt,
    elementary.exp,
    elementary.expm1,
    elementary.log,
    elementary.log2,
    elementary.log10,
    elementary.sin,
    elementary.cos,
    elementary.tan,
    elementary.asin,
    elementary.acos,
    elementary.atan,
    elementary.sinh,
    elementary.cosh,
    elementary.tanh,
    elementary.absolute,
    elementary.sign,
]
BINARY = [elementary.power, elementary.divide]
INF, NAN = math.inf, math.nan
TELLING = [-INF, -1e308, -710.5, -3.0, -2.5, -1.0, -0.0, 0.0, 1e-300, 0.5, 1.0, 2.5, 3.0, 710.5, 1e308, INF, NAN]
FLOATS = st.floats() | st.sampled_from(TELLING)


def same(a: float, b: float) -> bool:
    """Equal up to the last digits, NaN equal to NaN; the sign of a zero counts."""
    if a == 0.0 or b == 0.0:
        return a == b and math.copysign(1.0, a) == math.copysign(1.0, b)
    return bool(np.isclose(a, b, rtol=1e-13, atol=0.0, equal_nan=True))


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (elementary.sqrt, (-1.0,), NAN),
        (elementary.sqrt, (-0.0,), -0.0),
        (elementary.exp, (1000.0,), INF),
        (elementary.exp, (-1000.0,), 0.0),
        (elementary.expm1, (1e-20,), 1e-20),
        (elementary.log, (0.0,), -INF),
        (elementary.log, (-0.0,), -INF),
        (elementary.log, (-1.0,), NAN),
        (elementary.log2, (8.0,), 3.0),
        (elementary.log10, (1000.0,), 3.0),
        (elementary.log10, (0.0,), -INF),
        (elementary.sin, (INF,), NAN),
        (elementary.cos, (-INF,), NAN),
        (elementary.tan, (INF,), NAN),
        (elementary.asin, (1.0000001,), NAN),
        (elementary.acos, (-2.0,), NAN),
        (elementary.sinh, (-1000.0,), -INF),
        (elementary.cosh, (-1000.0,), INF),
        (elementary.tanh, (-INF,), -1.0),
        (elementary.absolute, (-0.0,), 0.0),
        (elementary.sign, (-7.0,), -1.0),
        (elementary.sign, (-0.0,), 0.0),
        (elementary.sign, (NAN,), NAN),
        (elementary.power, (-1.0, 0.5), NAN),
        (elementary.power, (0.0, -1.0), INF),
        (elementary.power, (-0.0, -1.0), -INF),
        (elementary.power, (-0.0, -2.0), INF),
        (elementary.power, (-10.0, 309.0), -INF),
        (elementary.power, (-10.0, 310.0), INF),
        (elementary.power, (NAN, 0.0), 1.0),
        (elementary.divide, (1.0, 0.0), INF),
        (elementary.divide, (1.0, -0.0), -INF),
        (elementary.divide, (-INF, 0.0), -INF),
        (elementary.divide, (0.0, 0.0), NAN),
        (elementary.divide, (NAN, 0.0), NAN),
    ],
)
def test_a_float_gets_the_ieee_result_instead_of_an_exception(function, arguments, expected):
    result = function(*arguments)
    assert type(result) is float
    assert same(result, expected), result


@pytest.mark.parametrize("function", UNARY)
@settings(deadline=None)
@given(x=FLOATS)
def test_a_function_of_any_float_is_a_float_and_what_numpy_says(function, x):
    result = function(x)
    assert type(result) is float
    with np.errstate(all="ignore"):
        assert same(result, function(np.float64(x)))


@pytest.mark.parametrize("function", BINARY)
@settings(deadline=None)
@given(a=FLOATS, b=FLOATS)
def test_a_function_of_any_two_floats_is_a_float_and_what_numpy_says(function, a, b):
    # There numpy takes the square root instead, which is NaN at -inf and keeps the sign of -0.0.
    assume(not (function is elementary.power and b == 0.5 and a in (-INF, 0.0)))
    result = function(a, b)
    assert type(result) is float
    with np.errstate(all="ignore"):
        assert same(result, function(np.float64(a), np.float64(b)))


@pytest.mark.parametrize("function", UNARY)
def test_floats_arrays_and_tensors_agree(function):
    numbers = TELLING[:-1] if function is elementary.sign else TELLING  # torch's sign of NaN is 0
    by_floats = [function(x) for x in numbers]
    with np.errstate(all="ignore"):
        by_array = function(np.array(numbers))
    by_tensor = function(torch.tensor(numbers, dtype=torch.float64))
    np.testing.assert_allclose(by_array, by_floats, rtol=1e-13)
    np.testing.assert_allclose(by_tensor.numpy(), by_floats, rtol=1e-13)


@pytest.mark.parametrize("function", BINARY)
def test_floats_arrays_and_tensors_agree_on_pairs(function):
    a, b = (grid.ravel() for grid in np.meshgrid(TELLING, TELLING))
    by_floats = [function(float(p), float(q)) for p, q in zip(a, b, strict=True)]
    with np.errstate(all="ignore"):
        by_array = function(a, b)
    by_tensor = function(torch.from_numpy(a), torch.from_numpy(b))
    np.testing.assert_allclose(by_array, by_floats, rtol=1e-13)
    np.testing.assert_allclose(by_tensor.numpy(), by_floats, rtol=1e-13)


@pytest.mark.parametrize("function", [*UNARY, *BINARY])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kind_that_goes_in_comes_out(function, dtype):
    count = 2 if function in BINARY else 1
    assert type(function(*[0.5] * count)) is float
    assert type(function(*[1] * count)) is float
    assert type(function(*[dtype(0.5)] * count)) is dtype
    array = function(*[np.full((2, 3), 0.5, dtype)] * count)
    assert array.dtype == dtype and array.shape == (2, 3)
    tensor = torch.full((2, 3), 0.5, dtype=torch.float32 if dtype is np.float32 else torch.float64)
    result = function(*[tensor] * count)
    assert result.dtype == tensor.dtype and result.shape == (2, 3)


@pytest.mark.parametrize("function", BINARY)
@pytest.mark.parametrize("number", [2.0, 2, -1])
def test_a_python_number_beside_an_array_leaves_its_dtype(function, number):
    for other in (np.float32(0.5), np.full(3, 0.5, np.float32), torch.full((3,), 0.5)):
        with np.errstate(invalid="ignore"):  # -1 to the power 0.5
            results = function(number, other), function(other, number)
        for result in results:
            assert type(result) is type(other)
            assert result.dtype == other.dtype


def test_an_array_of_integers_has_negative_powers():
    np.testing.assert_array_equal(elementary.power(np.array([1, 2, 4]), -1), [1.0, 0.5, 0.25])


def test_an_integer_beyond_all_floats_is_infinite():
    huge = 10**400
    assert elementary.integer_as_float(-huge) == -INF
    assert elementary.exp(huge) == INF
    assert elementary.power(huge, 2) == INF
    assert elementary.divide(huge, 3) == INF
    assert elementary.divide(1.0, huge) == 0.0
    assert elementary.divide(1, 0) == INF


def test_functions_of_tensors_carry_gradients():
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(elementary.power(elementary.sin(x), 2.0), x)
    assert gradient.item() == pytest.approx(2 * math.sin(0.5) * math.cos(0.5))


def test_another_kind_is_refused_by_name():
    with pytest.raises(TypeError, match=r"sqrt\(\) takes a number, a numpy array or a torch tensor, not list"):
        elementary.sqrt([1.0])


def test_spread_leaves_a_value_among_floats_alone():
    assert elementary.spread(2.5, 1.0, 2.0) == 2.5
    assert elementary.spread(2.5, 1, 2) == 2.5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_spread_fills_the_common_shape_in_the_common_dtype_also_where_the_inputs_are_not_finite(dtype):
    x, y = np.full((4, 1), INF, dtype), np.full(3, NAN, dtype)
    result = elementary.spread(2.5, x, y)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result, np.full((4, 3), 2.5))
    tensor = elementary.spread(2.5, torch.from_numpy(x), torch.from_numpy(y))
    assert tensor.dtype == torch.from_numpy(x).dtype
    np.testing.assert_array_equal(tensor.numpy(), result)
    assert type(elementary.spread(2.5, dtype(1.0), 1.0)) is dtype
    assert elementary.spread(2.5, np.arange(3), 1).dtype == np.float64


def test_spread_broadcasts_an_array_and_returns_it_as_it_is_where_it_fits():
    x, y = np.arange(3.0), np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(elementary.spread(x, x, y), [[0, 1, 2], [0, 1, 2]])
    assert elementary.spread(y, x, y) is y
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    np.testing.assert_array_equal(elementary.spread(x, x, y).numpy(), [[0, 1, 2], [0, 1, 2]])
    assert elementary.spread(y, x, y) is y


def test_loading_does_not_import_torch():
    code = "import sys, fop_core.optim.elementary; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_where_chooses_for_every_kind_and_keeps_float32():
    assert elementary.where(True, 1.0, 2.0) == 1.0 and elementary.where(np.bool_(False), 1.0, 2.0) == 2.0
    mask, numbers = np.array([True, False]), np.array([3.0, 4.0], np.float32)
    chosen = elementary.where(mask, numbers, 0.5)
    assert chosen.tolist() == [3.0, 0.5] and chosen.dtype == np.float32
    tensor = torch.from_numpy(numbers)
    for a, b, expected in ((tensor, 0.5, [3.0, 0.5]), (0.5, tensor, [0.5, 4.0]), (tensor, -tensor, [3.0, -4.0])):
        chosen = elementary.where(torch.from_numpy(mask), a, b)
        assert chosen.tolist() == expected and chosen.dtype == torch.float32
