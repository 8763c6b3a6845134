"""Surfaces to race optimizers on: value, closed-form gradient and Hessian, minima, and where to look.

``value``, ``gradient`` and ``hessian`` take two Python floats (quick: a race calls them at every step), or two numpy
arrays or torch tensors of one shape, and return that kind, dtype and shape. The value also takes shapes that differ but
broadcast; a derivative that depends on one variable only then keeps that variable's shape.

Squares are written ``x * x``: ``x**2`` differs in the last bit between floats and arrays. No formula raises: far out it
is inf or NaN, with numpy under numpy's own error state. Rastrigin and Ackley are written with sin² and expm1 where
1 - cos and 1 - exp would cancel: they are exactly 0 at their minimum and accurate beside it, in float32 too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import e, pi, tau
from typing import TypeAlias

from fop_core.optim.elementary import Real, cos, divide, exp, expm1, sin, spread, sqrt
from toy_functions.latex import number

Pair: TypeAlias = tuple[Real, Real]


@dataclass(frozen=True)
class Surface:
    """A function of x and y, with what a race and a picture need to know of it.

    Attributes:
        name: what people call it.
        latex: its formula.
        value: (x, y) -> f.
        gradient: (x, y) -> (f_x, f_y).
        hessian: (x, y) -> ((f_xx, f_xy), (f_xy, f_yy)); the two f_xy may be one object.
        minima: the points of its global minimum, all of them; empty where there is none or it is not known.
        view: x_min, x_max, y_min, y_max of a box worth looking at.
        floor: f at the global minimum, -inf where f is unbounded below. A race has converged at f < floor + tolerance.
        start: a telling start inside the view.
        local_minima: the other minima, where few enough to name; empty for Rastrigin and Ackley, which have many.

    Example:
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> HIMMELBLAU.value(3.0, 2.0), HIMMELBLAU.gradient(0.0, -1.0)
        (0.0, (-12.0, 0.0))
        >>> HIMMELBLAU.hessian(3.0, 2.0)
        ((74.0, 20.0), (20.0, 34.0))
        >>> len(HIMMELBLAU.minima), HIMMELBLAU.view
        (4, (-6.0, 6.0, -6.0, 6.0))
    """

    name: str
    latex: str
    value: Callable[[Real, Real], Real]
    gradient: Callable[[Real, Real], Pair]
    hessian: Callable[[Real, Real], tuple[Pair, Pair]]
    minima: tuple[tuple[float, float], ...]
    view: tuple[float, float, float, float]
    floor: float
    start: tuple[float, float]
    local_minima: tuple[tuple[float, float], ...] = ()


# Booth --------------------------------------------------------------------------------------------------------------


def _booth(x: Real, y: Real) -> Real:
    u = x + 2.0 * y - 7.0
    v = 2.0 * x + y - 5.0
    return u * u + v * v


def _booth_gradient(x: Real, y: Real) -> Pair:
    u = x + 2.0 * y - 7.0
    v = 2.0 * x + y - 5.0
    return 2.0 * u + 4.0 * v, 4.0 * u + 2.0 * v


def _booth_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    ten = spread(10.0, x, y)
    eight = spread(8.0, x, y)
    return (ten, eight), (eight, ten)


BOOTH = Surface(
    name="Booth",
    latex=r"f(x, y) = (x + 2y - 7)^2 + (2x + y - 5)^2",
    value=_booth,
    gradient=_booth_gradient,
    hessian=_booth_hessian,
    minima=((1.0, 3.0),),
    view=(-10.0, 10.0, -10.0, 10.0),
    floor=0.0,
    start=(0.0, -4.0),
)


# Himmelblau ---------------------------------------------------------------------------------------------------------


def _himmelblau(x: Real, y: Real) -> Real:
    u = x * x + y - 11.0
    v = x + y * y - 7.0
    return u * u + v * v


def _himmelblau_gradient(x: Real, y: Real) -> Pair:
    u = x * x + y - 11.0
    v = x + y * y - 7.0
    return 4.0 * x * u + 2.0 * v, 2.0 * u + 4.0 * y * v


def _himmelblau_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    xx = x * x
    yy = y * y
    xy = 4.0 * (x + y)
    return (12.0 * xx + 4.0 * y - 42.0, xy), (xy, 4.0 * x + 12.0 * yy - 26.0)


HIMMELBLAU = Surface(
    name="Himmelblau",
    latex=r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    value=_himmelblau,
    gradient=_himmelblau_gradient,
    hessian=_himmelblau_hessian,
    minima=(
        (3.0, 2.0),
        (-2.805118086952745, 3.131312518250573),
        (-3.779310253377747, -3.2831859912861696),
        (3.5844283403304917, -1.8481265269644036),
    ),
    view=(-6.0, 6.0, -6.0, 6.0),
    floor=0.0,
    start=(0.0, -1.0),
)


# Rosenbrock ---------------------------------------------------------------------------------------------------------


def _rosenbrock(x: Real, y: Real) -> Real:
    u = 1.0 - x
    v = y - x * x
    return u * u + 100.0 * v * v


def _rosenbrock_gradient(x: Real, y: Real) -> Pair:
    v = 200.0 * (y - x * x)
    return 2.0 * (x - 1.0) - 2.0 * x * v, v


def _rosenbrock_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    xy = -400.0 * x
    return (1200.0 * x * x - 400.0 * y + 2.0, xy), (xy, spread(200.0, x, y))


ROSENBROCK = Surface(
    name="Rosenbrock",
    latex=r"f(x, y) = (1 - x)^2 + 100 (y - x^2)^2",
    value=_rosenbrock,
    gradient=_rosenbrock_gradient,
    hessian=_rosenbrock_hessian,
    minima=((1.0, 1.0),),
    view=(-2.0, 2.0, -1.0, 3.0),
    floor=0.0,
    start=(-1.2, 1.0),  # beyond the bend of the valley
)


# Beale: f = p² + q² + r² with p = 1.5 - x(1 - y), q = 2.25 - x(1 - y²), r = 2.625 - x(1 - y³) -----------------------


def _beale(x: Real, y: Real) -> Real:
    yy = y * y
    p = 1.5 + x * (y - 1.0)
    q = 2.25 + x * (yy - 1.0)
    r = 2.625 + x * (yy * y - 1.0)
    return p * p + q * q + r * r


def _beale_gradient(x: Real, y: Real) -> Pair:
    yy = y * y
    p_x = y - 1.0
    q_x = yy - 1.0
    r_x = yy * y - 1.0
    p = 1.5 + x * p_x
    q = 2.25 + x * q_x
    r = 2.625 + x * r_x
    return 2.0 * (p * p_x + q * q_x + r * r_x), 2.0 * x * (p + 2.0 * y * q + 3.0 * yy * r)


def _beale_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    yy = y * y
    p_x = y - 1.0
    q_x = yy - 1.0
    r_x = yy * y - 1.0
    p = 1.5 + x * p_x
    q = 2.25 + x * q_x
    r = 2.625 + x * r_x
    xx = 2.0 * (p_x * p_x + q_x * q_x + r_x * r_x)
    xy = 2.0 * (p + 2.0 * y * q + 3.0 * yy * r + x * (p_x + 2.0 * y * q_x + 3.0 * yy * r_x))
    return (xx, xy), (xy, 2.0 * x * (x * (1.0 + yy * (4.0 + 9.0 * yy)) + 2.0 * q + 6.0 * y * r))


BEALE = Surface(
    name="Beale",
    latex=r"f(x, y) = (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
    value=_beale,
    gradient=_beale_gradient,
    hessian=_beale_hessian,
    minima=((3.0, 0.5),),
    view=(-4.5, 4.5, -4.5, 4.5),
    floor=0.0,
    start=(1.0, 1.0),
)


# Three-hump camel ---------------------------------------------------------------------------------------------------


def _camel(x: Real, y: Real) -> Real:
    xx = x * x
    return xx * (2.0 + xx * (xx / 6.0 - 1.05)) + y * (x + y)


def _camel_gradient(x: Real, y: Real) -> Pair:
    xx = x * x
    return x * (4.0 + xx * (xx - 4.2)) + y, x + 2.0 * y


def _camel_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    xx = x * x
    one = spread(1.0, x, y)
    return (4.0 + xx * (5.0 * xx - 12.6), one), (one, spread(2.0, x, y))


# f_y = 0 at y = -x/2, which leaves f_x = x (x⁴ - 4.2 x² + 3.5).
_CAMEL_SIDE = math.sqrt(2.1 + math.sqrt(0.91))

THREE_HUMP_CAMEL = Surface(
    name="Three-hump camel",
    latex=r"f(x, y) = 2x^2 - 1.05 x^4 + \frac{x^6}{6} + x y + y^2",
    value=_camel,
    gradient=_camel_gradient,
    hessian=_camel_hessian,
    minima=((0.0, 0.0),),
    view=(-2.5, 2.5, -2.5, 2.5),
    floor=0.0,
    start=(2.0, 2.0),  # descent ends in the side minimum, momentum in the global one
    local_minima=((_CAMEL_SIDE, -_CAMEL_SIDE / 2.0), (-_CAMEL_SIDE, _CAMEL_SIDE / 2.0)),
)


# Styblinski-Tang ----------------------------------------------------------------------------------------------------


def _styblinski_tang(x: Real, y: Real) -> Real:
    xx = x * x
    yy = y * y
    return 0.5 * (xx * (xx - 16.0) + yy * (yy - 16.0) + 5.0 * (x + y))


def _styblinski_tang_gradient(x: Real, y: Real) -> Pair:
    return x * (2.0 * x * x - 16.0) + 2.5, y * (2.0 * y * y - 16.0) + 2.5


def _styblinski_tang_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    zero = spread(0.0, x, y)
    return (6.0 * x * x - 16.0, zero), (zero, 6.0 * y * y - 16.0)


# The outer roots of 4 t³ - 32 t + 5.
_STYBLINSKI_TANG_DEEP = -2.903534027771177
_STYBLINSKI_TANG_SHALLOW = 2.746802770990837

STYBLINSKI_TANG = Surface(
    name="Styblinski-Tang",
    latex=r"f(x, y) = \frac{1}{2} (x^4 - 16 x^2 + 5x + y^4 - 16 y^2 + 5y)",
    value=_styblinski_tang,
    gradient=_styblinski_tang_gradient,
    hessian=_styblinski_tang_hessian,
    minima=((_STYBLINSKI_TANG_DEEP, _STYBLINSKI_TANG_DEEP),),
    view=(-5.0, 5.0, -5.0, 5.0),
    floor=-78.33233140754282,
    start=(4.0, 4.0),  # descent ends in the shallowest minimum
    local_minima=(
        (_STYBLINSKI_TANG_DEEP, _STYBLINSKI_TANG_SHALLOW),
        (_STYBLINSKI_TANG_SHALLOW, _STYBLINSKI_TANG_DEEP),
        (_STYBLINSKI_TANG_SHALLOW, _STYBLINSKI_TANG_SHALLOW),
    ),
)


# Rastrigin, with 10 - 10 cos 2πx = 20 sin² πx -----------------------------------------------------------------------


def _rastrigin(x: Real, y: Real) -> Real:
    s = sin(pi * x)
    t = sin(pi * y)
    return x * x + y * y + 20.0 * (s * s + t * t)


def _rastrigin_gradient(x: Real, y: Real) -> Pair:
    return 2.0 * x + 20.0 * pi * sin(tau * x), 2.0 * y + 20.0 * pi * sin(tau * y)


def _rastrigin_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    zero = spread(0.0, x, y)
    bend = 40.0 * pi * pi
    return (2.0 + bend * cos(tau * x), zero), (zero, 2.0 + bend * cos(tau * y))


RASTRIGIN = Surface(
    name="Rastrigin",
    latex=r"f(x, y) = 20 + x^2 + y^2 - 10 \cos(2 \pi x) - 10 \cos(2 \pi y)",
    value=_rastrigin,
    gradient=_rastrigin_gradient,
    hessian=_rastrigin_hessian,
    minima=((0.0, 0.0),),
    view=(-5.12, 5.12, -5.12, 5.12),
    floor=0.0,
    start=(-3.3, 2.6),  # descent ends in a local minimum nearby
)


# Ackley: a cone -20 exp(-r/5) with r² = (x² + y²)/2, and waves -exp(c) with c = (cos 2πx + cos 2πy)/2 ---------------
#
# The cone has no derivative at the origin, where every derivative of r is a quotient by r. Dividing by 1 there instead
# makes the cone's gradient 0, which is in its subgradient, and leaves out its Hessian, which grows without bound.


def _ackley(x: Real, y: Real) -> Real:
    s = sin(pi * x)
    t = sin(pi * y)
    r = sqrt(0.5 * (x * x + y * y))
    return -20.0 * expm1(-0.2 * r) - e * expm1(-(s * s + t * t))


def _ackley_gradient(x: Real, y: Real) -> Pair:
    """Return the gradient; (0, 0) at the origin, where there is none."""
    r = sqrt(0.5 * (x * x + y * y))
    cone = divide(2.0 * exp(-0.2 * r), r + (r == 0.0))
    waves = pi * exp(0.5 * (cos(tau * x) + cos(tau * y)))
    return cone * x + waves * sin(tau * x), cone * y + waves * sin(tau * y)


def _ackley_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    """Return the Hessian; that of the waves alone at the origin, where there is none."""
    r = sqrt(0.5 * (x * x + y * y))
    cone = exp(-0.2 * r)
    r = r + (r == 0.0)
    u = divide(x, r)
    v = divide(y, r)
    sin_x, cos_x = sin(tau * x), cos(tau * x)
    sin_y, cos_y = sin(tau * y), cos(tau * y)
    waves = pi * pi * exp(0.5 * (cos_x + cos_y))
    xx = cone * (v * v / r - 0.2 * u * u) + waves * (2.0 * cos_x - sin_x * sin_x)
    xy = -cone * u * v * (1.0 / r + 0.2) - waves * sin_x * sin_y
    yy = cone * (u * u / r - 0.2 * v * v) + waves * (2.0 * cos_y - sin_y * sin_y)
    return (xx, xy), (xy, yy)


ACKLEY = Surface(
    name="Ackley",
    latex=r"f(x, y) = 20 + e - 20 \exp\left(-\tfrac{1}{5} \sqrt{\tfrac{1}{2} (x^2 + y^2)}\right)"
    r" - \exp\left(\tfrac{1}{2} (\cos 2 \pi x + \cos 2 \pi y)\right)",
    value=_ackley,
    gradient=_ackley_gradient,
    hessian=_ackley_hessian,
    minima=((0.0, 0.0),),
    view=(-5.0, 5.0, -5.0, 5.0),
    floor=0.0,
    start=(-3.1, 2.4),  # likewise
)


# Monkey saddle ------------------------------------------------------------------------------------------------------


def _monkey_saddle(x: Real, y: Real) -> Real:
    return x * (x * x - 3.0 * y * y)


def _monkey_saddle_gradient(x: Real, y: Real) -> Pair:
    return 3.0 * (x * x - y * y), -6.0 * x * y


def _monkey_saddle_hessian(x: Real, y: Real) -> tuple[Pair, Pair]:
    xx = 6.0 * x
    xy = -6.0 * y
    return (xx, xy), (xy, -xx)


MONKEY_SADDLE = Surface(
    name="Monkey saddle",
    latex=r"f(x, y) = x^3 - 3 x y^2",
    value=_monkey_saddle,
    gradient=_monkey_saddle_gradient,
    hessian=_monkey_saddle_hessian,
    minima=(),
    view=(-2.0, 2.0, -2.0, 2.0),
    floor=-math.inf,
    start=(1.0, 0.01),  # descends to the saddle and lingers there
)


# Quadratics ---------------------------------------------------------------------------------------------------------


def _quadratic(c: float, s: float, condition: float, x: Real, y: Real) -> Real:
    u = c * x + s * y
    v = c * y - s * x
    return 0.5 * (u * u + condition * v * v)


def _quadratic_gradient(c: float, s: float, condition: float, x: Real, y: Real) -> Pair:
    u = c * x + s * y
    v = condition * (c * y - s * x)
    return c * u - s * v, s * u + c * v


def _quadratic_hessian(c: float, s: float, condition: float, x: Real, y: Real) -> tuple[Pair, Pair]:
    xy = spread((1.0 - condition) * s * c, x, y)
    return (spread(c * c + condition * s * s, x, y), xy), (xy, spread(s * s + condition * c * c, x, y))


def quadratic(condition: float, angle: float) -> Surface:
    """Return f = (u² + condition v²) / 2, where u and v are x and y turned by an angle.

    The Hessian is constant: eigenvalue 1 along (cos angle, sin angle), the long axis of its ellipses, and eigenvalue
    ``condition`` across it. The start is off both axes, where steepest descent zigzags.

    Args:
        condition: the condition number, at least 1.
        angle: degrees from the x axis to the long axis, counterclockwise.

    Raises:
        ValueError: ``condition`` is not a finite number of at least 1, or ``angle`` not a finite number.

    Example:
        >>> from toy_functions.surfaces import quadratic
        >>> valley = quadratic(condition=100, angle=90)
        >>> valley.value(0.0, 2.0), valley.value(2.0, 0.0)  # along the valley, and across it
        (2.0, 200.0)
        >>> quadratic(condition=0.5, angle=0)
        Traceback (most recent call last):
            ...
        ValueError: condition must be at least 1, got 0.5; 90 degrees more exchange the two axes
    """
    condition = _finite("condition", condition)
    angle = _finite("angle", angle)
    if condition < 1.0:
        raise ValueError(f"condition must be at least 1, got {condition:g}; 90 degrees more exchange the two axes")
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = rf"{number(angle)}^\circ"
    return Surface(
        name=f"Quadratic (condition {condition:.12g}, {angle:.12g}°)",
        latex=rf"f(x, y) = \tfrac{{1}}{{2}} (u^2 + {number(condition)} \, v^2), \quad"
        rf" u = x \cos {turn} + y \sin {turn}, \quad v = y \cos {turn} - x \sin {turn}",
        value=partial(_quadratic, c, s, condition),
        gradient=partial(_quadratic_gradient, c, s, condition),
        hessian=partial(_quadratic_hessian, c, s, condition),
        minima=((0.0, 0.0),),
        view=(-5.0, 5.0, -5.0, 5.0),
        floor=0.0,
        start=(4.0 * c - s, 4.0 * s + c),  # u = 4, v = 1
    )


def _finite(name: str, argument: float) -> float:
    try:
        value = float(argument)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {argument!r}")
    return value


SURFACES: dict[str, Surface] = {
    "booth": BOOTH,
    "himmelblau": HIMMELBLAU,
    "rosenbrock": ROSENBROCK,
    "beale": BEALE,
    "three-hump-camel": THREE_HUMP_CAMEL,
    "styblinski-tang": STYBLINSKI_TANG,
    "rastrigin": RASTRIGIN,
    "ackley": ACKLEY,
    "monkey-saddle": MONKEY_SADDLE,
    "quadratic": quadratic(condition=100.0, angle=30.0),
}
"""The surfaces by the name they have in an address or a command line."""
