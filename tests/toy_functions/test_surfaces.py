import copy
import math
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch

from toy_functions import surfaces
from toy_functions.surfaces import SURFACES, Surface, quadratic

ALL = [pytest.param(surface, id=slug) for slug, surface in SURFACES.items()]
WITH_MINIMA = [pytest.param(surface, id=slug) for slug, surface in SURFACES.items() if surface.minima]

# Each surface as the literature writes it, for torch. The quadratic has tests of its own.
WRITTEN_OUT = {
    "booth": lambda x, y: (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "beale": lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
    "three-hump-camel": lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2,
    "styblinski-tang": lambda x, y: (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y) / 2,
    "rastrigin": lambda x, y: 20 + x**2 - 10 * torch.cos(2 * math.pi * x) + y**2 - 10 * torch.cos(2 * math.pi * y),
    "ackley": lambda x, y: (
        -20 * torch.exp(-0.2 * torch.sqrt((x**2 + y**2) / 2))
        - torch.exp((torch.cos(2 * math.pi * x) + torch.cos(2 * math.pi * y)) / 2)
        + math.e
        + 20
    ),
    "monkey-saddle": lambda x, y: x**3 - 3 * x * y**2,
}


def points(surface: Surface, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Random points in the view and half of its size around it."""
    x_min, x_max, y_min, y_max = surface.view
    random = np.random.default_rng(0)
    x = random.uniform(1.5 * x_min - 0.5 * x_max, 1.5 * x_max - 0.5 * x_min, count)
    y = random.uniform(1.5 * y_min - 0.5 * y_max, 1.5 * y_max - 0.5 * y_min, count)
    return x, y


def flat(surface: Surface, x, y) -> list:
    """The value, the gradient and the Hessian in one list of six."""
    (f_xx, f_xy), (f_yx, f_yy) = surface.hessian(x, y)
    return [surface.value(x, y), *surface.gradient(x, y), f_xx, f_xy, f_yx, f_yy]


def matrix(surface: Surface, point: tuple[float, float]) -> np.ndarray:
    return np.array(surface.hessian(*point))


def by_autograd(function, x, y) -> list[torch.Tensor]:
    """What ``flat`` returns, of a function of tensors, by torch."""
    x, y = (torch.from_numpy(v).requires_grad_() for v in (x, y))
    f = function(x, y)
    f_x, f_y = torch.autograd.grad(f.sum(), (x, y), create_graph=True)
    rows = [torch.autograd.grad(slope.sum(), (x, y), retain_graph=True, materialize_grads=True) for slope in (f_x, f_y)]
    return [tensor.detach() for tensor in (f, f_x, f_y, *rows[0], *rows[1])]


@pytest.mark.parametrize("slug", WRITTEN_OUT)
def test_value_gradient_and_hessian_are_those_of_the_formula_in_the_literature(slug):
    surface = SURFACES[slug]
    x, y = points(surface)
    for closed_form, expected in zip(flat(surface, x, y), by_autograd(WRITTEN_OUT[slug], x, y), strict=True):
        scale = expected.abs().max().item()
        np.testing.assert_allclose(closed_form, expected.numpy(), rtol=1e-11, atol=1e-13 * scale + 1e-13)


@pytest.mark.parametrize("surface", ALL)
def test_gradient_and_hessian_are_the_derivatives_of_the_value(surface):
    x, y = points(surface)
    for closed_form, expected in zip(flat(surface, x, y), by_autograd(surface.value, x, y), strict=True):
        scale = expected.abs().max().item()
        np.testing.assert_allclose(closed_form, expected.numpy(), rtol=1e-11, atol=1e-13 * scale + 1e-13)


@pytest.mark.parametrize("surface", ALL)
def test_floats_arrays_and_tensors_agree(surface):
    x, y = points(surface)
    by_array = flat(surface, x, y)
    by_tensor = flat(surface, torch.from_numpy(x), torch.from_numpy(y))
    by_floats = np.array([flat(surface, *point) for point in zip(x.tolist(), y.tolist(), strict=True)]).T
    for array, tensor, floats in zip(by_array, by_tensor, by_floats, strict=True):
        scale = np.abs(array).max()
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-13, atol=1e-14 * scale)
        np.testing.assert_allclose(floats, array, rtol=1e-13, atol=1e-14 * scale)


@pytest.mark.parametrize("slug", sorted(SURFACES.keys() - {"rastrigin", "ackley"}))
def test_polynomials_are_equal_on_floats_and_arrays_to_the_last_bit(slug):
    surface = SURFACES[slug]
    x, y = points(surface)
    by_floats = np.array([flat(surface, *point) for point in zip(x.tolist(), y.tolist(), strict=True)]).T
    np.testing.assert_array_equal(np.array(flat(surface, x, y)), by_floats)


@pytest.mark.parametrize("surface", ALL)
def test_floats_give_python_floats(surface):
    assert {type(result) for result in flat(surface, 0.5, -1.5)} == {float}


@pytest.mark.parametrize("surface", ALL)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0,)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_and_tensors_keep_their_shape_and_dtype(surface, shape, dtype):
    x, y = np.full(shape, 0.5, dtype), np.full(shape, -1.5, dtype)
    for result in flat(surface, x, y):
        assert result.dtype == dtype and result.shape == shape
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    for result in flat(surface, x, y):
        assert result.dtype == x.dtype and result.shape == shape


@pytest.mark.parametrize("surface", ALL)
def test_a_float32_scalar_stays_one(surface):
    assert {type(result) for result in flat(surface, np.float32(0.5), np.float32(-1.5))} == {np.float32}


@pytest.mark.parametrize("surface", ALL)
def test_the_value_broadcasts_and_the_hessian_stays_broadcastable(surface):
    x, y = np.linspace(-1, 1, 4)[:, None], np.linspace(-1, 1, 3)
    full = np.broadcast_arrays(x, y)
    assert surface.value(x, y).shape == (4, 3)
    for result, expected in zip(flat(surface, x, y), flat(surface, *full), strict=True):
        np.testing.assert_array_equal(np.broadcast_to(result, (4, 3)), expected)


@pytest.mark.parametrize("surface", ALL)
def test_nothing_is_raised_far_out_and_constant_second_derivatives_stay_finite_there(surface):
    for x in (1e300, -math.inf, math.nan):
        assert {type(result) for result in flat(surface, x, 0.5)} == {float}
    constant = {"Booth": 10.0, "Styblinski-Tang": 0.0, "Rastrigin": 0.0, "Three-hump camel": 1.0}
    if surface.name in constant:
        with np.errstate(all="ignore"):
            assert constant[surface.name] in [h[0] for h in flat(surface, np.array([math.inf]), np.array([math.nan]))]


@pytest.mark.parametrize("surface", WITH_MINIMA)
def test_the_gradient_vanishes_at_every_minimum_and_the_hessian_is_positive_semidefinite(surface):
    for point in surface.minima + surface.local_minima:
        assert np.abs(surface.gradient(*point)).max() < 1e-12
        assert np.linalg.eigvalsh(matrix(surface, point)).min() >= 0.0


@pytest.mark.parametrize("surface", WITH_MINIMA)
def test_the_value_at_a_global_minimum_is_the_floor_and_lower_than_anywhere_around(surface):
    x, y = points(surface, count=20_000)
    assert surface.value(x, y).min() >= surface.floor
    for point in surface.minima:
        assert surface.value(*point) == pytest.approx(surface.floor, rel=1e-14, abs=1e-25)
    for point in surface.local_minima:
        assert surface.value(*point) > surface.floor + 0.1


@pytest.mark.parametrize("slug", sorted(SURFACES.keys() - {"rastrigin", "ackley", "monkey-saddle"}))
def test_newton_from_anywhere_in_the_view_finds_no_minimum_that_is_not_named(slug):
    surface = SURFACES[slug]
    x_min, x_max, y_min, y_max = surface.view
    random = np.random.default_rng(0)
    x, y = random.uniform(x_min, x_max, 2000), random.uniform(y_min, y_max, 2000)
    with np.errstate(all="ignore"):
        for _ in range(100):
            (f_x, f_y), ((f_xx, f_xy), (_, f_yy)) = surface.gradient(x, y), surface.hessian(x, y)
            determinant = f_xx * f_yy - f_xy * f_xy
            x, y = x - (f_yy * f_x - f_xy * f_y) / determinant, y - (f_xx * f_y - f_xy * f_x) / determinant
        slope = np.hypot(*surface.gradient(x, y))
        (f_xx, f_xy), (_, f_yy) = surface.hessian(x, y)
        minimum = (slope < 1e-9) & (f_xx > 0) & (f_xx * f_yy > f_xy * f_xy)
    minimum &= (x > x_min) & (x < x_max) & (y > y_min) & (y < y_max)
    minima = {(round(p, 6), round(q, 6)) for p, q in zip(x[minimum].tolist(), y[minimum].tolist(), strict=True)}
    named = {(round(p, 6), round(q, 6)) for p, q in surface.minima + surface.local_minima}
    assert {(p + 0.0, q + 0.0) for p, q in minima} == named


@pytest.mark.parametrize("surface", ALL)
def test_minima_and_start_lie_in_the_view_and_the_start_is_not_stationary(surface):
    x_min, x_max, y_min, y_max = surface.view
    for x, y in (*surface.minima, *surface.local_minima, surface.start):
        assert x_min < x < x_max and y_min < y < y_max
    assert np.hypot(*surface.gradient(*surface.start)) > 1.0
    assert surface.value(*surface.start) > surface.floor


def test_the_monkey_saddle_has_no_floor():
    assert surfaces.MONKEY_SADDLE.floor == -math.inf
    assert surfaces.MONKEY_SADDLE.minima == ()
    assert surfaces.MONKEY_SADDLE.value(-1e100, 0.0) < -1e299


@pytest.mark.parametrize("slug", ["rastrigin", "ackley"])
def test_values_beside_the_minimum_at_the_origin_are_accurate_in_float32(slug):
    surface = SURFACES[slug]
    x, y = np.float32(3e-5), np.float32(-4e-5)
    assert surface.value(np.float32(0), np.float32(0)) == 0.0
    assert float(surface.value(x, y)) == pytest.approx(surface.value(float(x), float(y)), rel=1e-6)


def test_ackley_has_gradient_zero_and_a_finite_hessian_at_the_origin_in_every_kind():
    origin = [0.0, np.float32(0), np.array([0.0, 1.0]), torch.tensor([0.0, 1.0])]
    for zero in origin:
        for result in flat(surfaces.ACKLEY, zero, zero):
            assert np.all(np.isfinite(np.asarray(result)))
        assert all(np.ravel(slope)[0] == 0.0 for slope in surfaces.ACKLEY.gradient(zero, zero))
    waves = 2 * math.pi**2 * math.e
    np.testing.assert_allclose(matrix(surfaces.ACKLEY, (0.0, 0.0)), [[waves, 0], [0, waves]])


def test_ackley_is_finite_where_squares_underflow():
    for tiny in (5e-324, 1e-200, 1e-160, 1e-150):
        assert all(math.isfinite(result) for result in flat(surfaces.ACKLEY, tiny, -tiny))


@pytest.mark.parametrize("condition", [1.0, 2.0, 1e6])
@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, -45.0, 200.0])
def test_a_quadratic_has_eigenvalue_1_along_its_angle_and_its_condition_across(condition, angle):
    surface = quadratic(condition, angle)
    radians = math.radians(angle)
    along = np.array([math.cos(radians), math.sin(radians)])
    across = np.array([-math.sin(radians), math.cos(radians)])
    hessian = matrix(surface, (1.0, 2.0))
    np.testing.assert_allclose(hessian @ along, along, atol=1e-14 * condition)
    np.testing.assert_allclose(hessian @ across, condition * across, atol=1e-14 * condition)
    assert surface.value(*along) == pytest.approx(0.5)
    assert surface.value(*across) == pytest.approx(0.5 * condition)
    point = np.array([0.3, -0.7])
    assert surface.value(*point) == pytest.approx(0.5 * point @ hessian @ point)
    np.testing.assert_allclose(surface.gradient(*point), hessian @ point, rtol=1e-12, atol=1e-14 * condition)


@pytest.mark.parametrize("condition", [0.5, 0.0, -3.0, math.inf, math.nan, "steep", None, 10**400])
def test_a_quadratic_refuses_a_condition_that_is_not_a_finite_number_of_at_least_1(condition):
    with pytest.raises(ValueError, match=r"^condition must be .*, got"):
        quadratic(condition, 30.0)


@pytest.mark.parametrize("angle", [math.inf, math.nan, "north", None])
def test_a_quadratic_refuses_an_angle_that_is_not_a_finite_number(angle):
    with pytest.raises(ValueError, match=r"^angle must be a finite number, got"):
        quadratic(100.0, angle)


def test_a_quadratic_says_what_it_is():
    surface = quadratic(1e6, -30)
    assert surface.name == "Quadratic (condition 1000000, -30°)"
    assert r"(u^2 + 1000000 \, v^2)" in surface.latex


def test_starts_of_the_reconstructed_figure_are_kept():
    assert surfaces.BOOTH.start == (0.0, -4.0)
    assert surfaces.HIMMELBLAU.start == (0.0, -1.0)


@pytest.mark.parametrize("surface", ALL)
def test_a_surface_is_frozen_and_survives_pickle_and_copy(surface):
    with pytest.raises(FrozenInstanceError):
        surface.name = "other"
    for twin in (pickle.loads(pickle.dumps(surface)), copy.deepcopy(surface)):
        assert flat(twin, 0.5, -1.5) == flat(surface, 0.5, -1.5)


def test_slugs_are_fit_for_an_address_and_names_and_formulas_differ():
    assert all(slug.replace("-", "").isalpha() and slug.islower() for slug in SURFACES)
    assert len({surface.name for surface in SURFACES.values()}) == len(SURFACES)
    assert all(surface.latex.startswith("f(x, y) = ") for surface in SURFACES.values())


def test_loading_does_not_import_torch():
    code = "import sys, toy_functions.surfaces; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
