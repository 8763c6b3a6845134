"""The quadratic around a minimum has the minimum and the Hessian there, and says whether it is the surface itself."""

import numpy as np
import pytest

from toy_functions import expressions
from toy_functions.lowest import with_floor
from toy_functions.quadratic_model import constant_hessian, model_at
from toy_functions.surfaces import BOOTH, HIMMELBLAU, MONKEY_SADDLE, SURFACES, THREE_HUMP_CAMEL, quadratic

QUADRATICS = {"booth", "quadratic"}


@pytest.mark.parametrize("name", SURFACES)
def test_the_hessian_of_quadratics_alone_is_the_same_everywhere(name):
    constant = constant_hessian(SURFACES[name])
    assert (constant is not None) == (name in QUADRATICS)
    if constant is not None:
        np.testing.assert_allclose(constant, np.array(SURFACES[name].hessian(0.3, -7.0), dtype=float), rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "minimum"),
    [("(x - 2)^2 + 10*(y + x)^2 + 3", (2.0, -2.0)), ("x^2/7 + x*y/9 + y^2 - 5*y", (-0.99369, 2.55521))],
)
def test_on_a_quadratic_of_a_readers_own_the_minimum_is_known_wherever_a_path_ends(formula, minimum):
    made = expressions.parse(formula, view=(-3.0, 4.0, -5.0, 5.0))
    for surface in (made, with_floor(made)):
        model = model_at(surface, (1e3, float("nan")))
        assert model is not None and model.exact
        assert model.minimum == pytest.approx(minimum, abs=1e-4)
        gx, gy = surface.gradient(*model.minimum)
        assert abs(gx) + abs(gy) < 1e-12
        np.testing.assert_allclose(model.hessian, np.array(surface.hessian(0.0, 0.0), dtype=float))


@pytest.mark.parametrize("formula", ["x^2 - y^2", "(x - y)^2", "-x^2 - y^2", "3*x + y", "0*x + 1"])
def test_a_quadratic_without_one_minimum_has_no_model(formula):
    assert model_at(expressions.parse(formula), (0.0, 0.0)) is None


def test_elsewhere_the_model_is_that_of_the_minimum_at_which_the_path_ends():
    near, far = (3.58, -1.85), (0.0, 0.0)
    model = model_at(HIMMELBLAU, near)
    assert model is not None and not model.exact
    assert model.minimum == pytest.approx(HIMMELBLAU.minima[3], abs=1e-12)
    np.testing.assert_allclose(model.hessian, np.array(HIMMELBLAU.hessian(*model.minimum)), rtol=1e-12)
    assert model_at(HIMMELBLAU, far) is None
    assert model_at(HIMMELBLAU, (float("nan"), 2.0)) is None and model_at(HIMMELBLAU, (float("inf"), 2.0)) is None
    assert model_at(MONKEY_SADDLE, far) is None
    side = THREE_HUMP_CAMEL.local_minima[0]
    model = model_at(THREE_HUMP_CAMEL, (side[0] + 0.01, side[1]))
    assert model is not None and model.minimum == pytest.approx(side, abs=1e-9)


def test_a_minimum_that_is_known_to_a_billionth_is_known_better_here():
    own = with_floor(expressions.parse("(x*y - 1)^2 + (x - y)^2/10 + (x - 1/3)^4"))
    assert own.minima
    model = model_at(own, own.minima[0])
    assert model is not None
    gx, gy = own.gradient(*model.minimum)
    assert abs(gx) + abs(gy) < 1e-13


def test_booths_model_is_booth():
    model = model_at(BOOTH, (9.0, 9.0))
    assert model is not None and model.exact and model.minimum == pytest.approx((1.0, 3.0), abs=1e-12)
    x = np.array([0.3, -0.7]) - model.minimum
    assert x @ model.hessian @ x / 2 == pytest.approx(BOOTH.value(0.3, -0.7))
    turned = model_at(quadratic(7.0, 20.0), (1.0, 1.0))
    assert turned is not None and np.linalg.eigvalsh(turned.hessian) == pytest.approx([1.0, 7.0])
