"""Elementary functions of a Python float, a numpy scalar or array, or a torch tensor: the kind that goes in comes out.

The formulas of toy problems and update rules are written once and run on one point or on a grid of starts. Three paths:

- Python floats go through ``math`` and give what IEEE 754 says, never an exception and never a complex number:
  ``exp(1000.0)`` is inf, ``log(0.0)`` is -inf, ``sqrt(-1.0)`` is NaN, ``divide(1.0, 0.0)`` is inf. Python integers
  become floats.
- numpy scalars and arrays go through the ufunc of the same name; float32 stays float32. Whether an overflow or an
  invalid operation warns is numpy's own state: who expects them sets ``np.errstate`` once around the computation.
- Anything else answers with its own method of that name. So tensors are served without importing torch here, and the
  numbers of ``toy_functions.tracing`` that record what is done with them.

Races call the float path in their inner loop: hence one plain function each, in which the test for a float comes first.
It is ``type(x) is float`` because np.float64 is a subclass of float and has to stay np.float64.
"""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Real: TypeAlias = Any
"""A Python float or int, a numpy scalar or array, or a torch tensor, real-valued."""


def sqrt(x: Real) -> Real:
    """Square root; NaN below zero.

    Example:
        >>> from fop_core.optim.elementary import sqrt
        >>> sqrt(9.0), sqrt(-1.0)
        (3.0, nan)
    """
    if type(x) is float:
        return math.sqrt(x) if x >= 0.0 else math.nan
    return _other_kinds(sqrt, x)


def exp(x: Real) -> Real:
    """Exponential; inf on overflow.

    Example:
        >>> from fop_core.optim.elementary import exp
        >>> exp(0.0), exp(1000.0)
        (1.0, inf)
    """
    if type(x) is float:
        try:
            return math.exp(x)
        except OverflowError:
            return math.inf
    return _other_kinds(exp, x)


def expm1(x: Real) -> Real:
    """exp(x) - 1 without cancellation near zero; inf on overflow.

    Example:
        >>> from fop_core.optim.elementary import expm1
        >>> expm1(1e-20), expm1(1000.0)
        (1e-20, inf)
    """
    if type(x) is float:
        try:
            return math.expm1(x)
        except OverflowError:
            return math.inf
    return _other_kinds(expm1, x)


def log(x: Real) -> Real:
    """Natural logarithm; -inf at zero, NaN below.

    Example:
        >>> from fop_core.optim.elementary import log
        >>> log(1.0), log(0.0), log(-1.0)
        (0.0, -inf, nan)
    """
    if type(x) is float:
        return math.log(x) if x > 0.0 else _log_outside(x)
    return _other_kinds(log, x)


def log2(x: Real) -> Real:
    """Logarithm to base 2; -inf at zero, NaN below.

    Example:
        >>> from fop_core.optim.elementary import log2
        >>> log2(8.0), log2(0.0)
        (3.0, -inf)
    """
    if type(x) is float:
        return math.log2(x) if x > 0.0 else _log_outside(x)
    return _other_kinds(log2, x)


def log10(x: Real) -> Real:
    """Logarithm to base 10; -inf at zero, NaN below.

    Example:
        >>> from fop_core.optim.elementary import log10
        >>> log10(1000.0), log10(0.0)
        (3.0, -inf)
    """
    if type(x) is float:
        return math.log10(x) if x > 0.0 else _log_outside(x)
    return _other_kinds(log10, x)


def sin(x: Real) -> Real:
    """Sine of an angle in radians; NaN at ±inf.

    Example:
        >>> import math
        >>> from fop_core.optim.elementary import sin
        >>> sin(0.0), sin(math.inf)
        (0.0, nan)
    """
    if type(x) is float:
        return math.sin(x) if -math.inf < x < math.inf else math.nan
    return _other_kinds(sin, x)


def cos(x: Real) -> Real:
    """Cosine of an angle in radians; NaN at ±inf.

    Example:
        >>> import math
        >>> from fop_core.optim.elementary import cos
        >>> cos(0.0), cos(math.inf)
        (1.0, nan)
    """
    if type(x) is float:
        return math.cos(x) if -math.inf < x < math.inf else math.nan
    return _other_kinds(cos, x)


def tan(x: Real) -> Real:
    """Tangent of an angle in radians; NaN at ±inf.

    Example:
        >>> import math
        >>> from fop_core.optim.elementary import tan
        >>> tan(0.0), tan(math.inf)
        (0.0, nan)
    """
    if type(x) is float:
        return math.tan(x) if -math.inf < x < math.inf else math.nan
    return _other_kinds(tan, x)


def asin(x: Real) -> Real:
    """Arc sine in radians; NaN outside [-1, 1].

    Example:
        >>> from fop_core.optim.elementary import asin
        >>> asin(0.0), asin(2.0)
        (0.0, nan)
    """
    if type(x) is float:
        return math.asin(x) if -1.0 <= x <= 1.0 else math.nan
    return _other_kinds(asin, x)


def acos(x: Real) -> Real:
    """Arc cosine in radians; NaN outside [-1, 1].

    Example:
        >>> from fop_core.optim.elementary import acos
        >>> acos(1.0), acos(2.0)
        (0.0, nan)
    """
    if type(x) is float:
        return math.acos(x) if -1.0 <= x <= 1.0 else math.nan
    return _other_kinds(acos, x)


def atan(x: Real) -> Real:
    """Arc tangent in radians.

    Example:
        >>> import math
        >>> from fop_core.optim.elementary import atan
        >>> atan(math.inf) == math.pi / 2
        True
    """
    if type(x) is float:
        return math.atan(x)
    return _other_kinds(atan, x)


def sinh(x: Real) -> Real:
    """Hyperbolic sine; ±inf on overflow.

    Example:
        >>> from fop_core.optim.elementary import sinh
        >>> sinh(0.0), sinh(-1000.0)
        (0.0, -inf)
    """
    if type(x) is float:
        try:
            return math.sinh(x)
        except OverflowError:
            return math.copysign(math.inf, x)
    return _other_kinds(sinh, x)


def cosh(x: Real) -> Real:
    """Hyperbolic cosine; inf on overflow.

    Example:
        >>> from fop_core.optim.elementary import cosh
        >>> cosh(0.0), cosh(-1000.0)
        (1.0, inf)
    """
    if type(x) is float:
        try:
            return math.cosh(x)
        except OverflowError:
            return math.inf
    return _other_kinds(cosh, x)


def tanh(x: Real) -> Real:
    """Hyperbolic tangent.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.elementary import tanh
        >>> tanh(1000.0), tanh(np.array([0.0, -1000.0]))
        (1.0, array([ 0., -1.]))
    """
    if type(x) is float:
        return math.tanh(x)
    return _other_kinds(tanh, x)


def absolute(x: Real) -> Real:
    """Absolute value.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.elementary import absolute
        >>> absolute(-2.0), absolute(np.array([-1.0, 1.0], np.float32))
        (2.0, array([1., 1.], dtype=float32))
    """
    if type(x) is float:
        return abs(x)
    return _other_kinds(absolute, x)


def sign(x: Real) -> Real:
    """Sign: -1, 0 or 1; 0 at both zeros, NaN at NaN (but torch's own sign gives 0 there).

    Example:
        >>> from fop_core.optim.elementary import sign
        >>> sign(-0.5), sign(0.0), sign(3.0)
        (-1.0, 0.0, 1.0)
    """
    if type(x) is float:
        return 1.0 if x > 0.0 else -1.0 if x < 0.0 else 0.0 if x == 0.0 else math.nan
    return _other_kinds(sign, x)


def power(base: Real, exponent: Real) -> Real:
    """Power; NaN where it is not real: a negative base to a fractional exponent.

    0 to a negative exponent is inf (-inf from -0.0 to an odd integer); anything to the 0, NaN included, is 1.
    For the exponent 0.5 numpy and torch take the square root, which is NaN at -inf; the power of floats is inf there.

    Example:
        >>> from fop_core.optim.elementary import power
        >>> power(2.0, 10.0), power(-1.0, 0.5), power(0.0, -1.0), power(10.0, 400.0)
        (1024.0, nan, inf, inf)
    """
    if type(base) is float and type(exponent) is float:
        try:
            return math.pow(base, exponent)
        except OverflowError:
            return -math.inf if base < 0.0 and exponent % 2.0 == 1.0 else math.inf
        except ValueError:  # a negative base to a fractional exponent, or a zero to a negative one
            if base != 0.0:
                return math.nan
            return math.copysign(math.inf, base) if exponent % 2.0 == 1.0 else math.inf
    base, exponent = integer_as_float(base), integer_as_float(exponent)  # an array of integers refuses the exponent -1
    if isinstance(base, _NUMPY) or isinstance(exponent, _NUMPY):
        return np.power(base, exponent)
    if type(base) is float and type(exponent) is float:
        return power(base, exponent)
    return base**exponent


def divide(a: Real, b: Real) -> Real:
    """Quotient a / b; ±inf where only b is zero, NaN for 0 / 0.

    Example:
        >>> from fop_core.optim.elementary import divide
        >>> divide(1.0, 4.0), divide(1.0, 0.0), divide(0.0, 0.0)
        (0.25, inf, nan)
    """
    try:
        return a / b
    except (ZeroDivisionError, OverflowError):  # Python numbers only; the overflow is that of a huge integer
        a, b = integer_as_float(a), integer_as_float(b)
        if b != 0.0:
            return a / b
        return math.nan if a == 0.0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def where(condition: Real, a: Real, b: Real) -> Real:
    """Return a where a condition holds, and b elsewhere; with a tensor as condition one of the two is a tensor.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.elementary import where
        >>> where(True, 1.0, 2.0), where(np.array([True, False]), 1.0, 2.0)
        (1.0, array([1., 2.]))
    """
    if isinstance(condition, bool | np.bool_):
        return a if condition else b
    if isinstance(condition, np.ndarray):
        return np.where(condition, a, b)
    if hasattr(condition, "choose"):
        return condition.choose(a, b)
    return a.where(condition, b) if hasattr(a, "where") else b.where(~condition, a)


def spread(value: Real, x: Real, y: Real) -> Real:
    """Broadcast a value to the kind, dtype and common shape of x and y; as it is where it already has that shape.

    For results that do not vary with both variables, such as a constant second derivative.

    Args:
        value: a float, or something of the kind of x and y with a shape that broadcasts to theirs.
        x: a float, a numpy scalar or array, or a tensor.
        y: likewise; its shape broadcasts with that of x.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.elementary import spread
        >>> spread(10.0, np.zeros(3, np.float32), np.zeros(3, np.float32)), spread(10.0, 0.0, 0.0)
        (array([10., 10., 10.], dtype=float32), 10.0)
    """
    if type(x) is float and type(y) is float:
        return value
    x, y = integer_as_float(x), integer_as_float(y)
    if isinstance(x, _NUMPY) or isinstance(y, _NUMPY):
        shape = np.broadcast_shapes(np.shape(x), np.shape(y))
        if isinstance(value, _NUMPY) and np.shape(value) == shape:
            return value
        dtype = np.result_type(x, y, 1.0)  # the float makes integers float64 and leaves float32 alone
        return np.full(shape, value, dtype) if shape else dtype.type(value)
    if type(x) is float and type(y) is float:
        return value
    pattern = x + y + 0.0  # torch's own broadcasting, promotion and device; its values are not used
    if hasattr(pattern, "spread"):
        return pattern.spread(value)
    if getattr(value, "shape", None) == pattern.shape:
        return value
    return pattern.new_zeros(pattern.shape) + value


def integer_as_float(x: Real) -> Real:
    """Return x, but a Python integer as a float: ±inf when too large for one.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.elementary import integer_as_float
        >>> integer_as_float(3), integer_as_float(np.array([1, 2])), integer_as_float(np.float32(0.5))
        (3.0, array([1, 2]), np.float32(0.5))
    """
    if not isinstance(x, int):
        return x
    try:
        return float(x)
    except OverflowError:
        return math.inf if x > 0 else -math.inf


_NUMPY = (np.ndarray, np.generic)


def _log_outside(x: float) -> float:
    return -math.inf if x == 0.0 else math.nan


def _other_kinds(function: Callable[[Real], Real], x: Real) -> Real:
    """Evaluate at an x that is not a Python float: by numpy's ufunc, or x's own method, of the function's name."""
    name = function.__name__
    if isinstance(x, _NUMPY):
        return getattr(np, name)(x)
    if isinstance(x, int | float):
        return function(float(integer_as_float(x)))
    method = getattr(x, name, None)
    if method is None:
        raise TypeError(f"{name}() takes a number, a numpy array or a torch tensor, not {type(x).__name__}")
    return method()
