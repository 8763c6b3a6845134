"""The error along each eigenvector is that of the points, and on a quadratic what theory says of it."""

import math

import numpy as np
import pytest

from fop_core.figures.errors import along_eigenvectors, errors
from fop_core.figures.trajectories import downsampled
from fop_core.optim.rules import SGD, Momentum, Newton
from toy_functions import Race, race
from toy_functions.surfaces import quadratic

VALLEY = quadratic(100.0, 30.0)
HESSIAN = np.array(VALLEY.hessian(0.0, 0.0), dtype=float)
RATE = 0.004


def raced(**rules):
    settings = Race(VALLEY, (3.0, -2.0), rules, max_steps=400)
    names = {SGD: "sgd", Momentum: "momentum", Newton: "newton"}
    return [
        (
            downsampled(names[type(rules[name])], each.points, each.losses, each.status),
            errors(each.points, (0.0, 0.0), HESSIAN, True),
        )
        for name, each in race(settings).items()
    ]


def test_gradient_descent_multiplies_each_error_by_one_minus_rate_times_eigenvalue():
    [(_, error)] = raced(SGD=SGD(RATE))
    assert error.eigenvalues == pytest.approx((100.0, 1.0)) and error.steps.tolist() == list(range(401))
    for which, eigenvalue in enumerate(error.eigenvalues):
        factors = error.along[1:16, which] / error.along[:15, which]
        np.testing.assert_allclose(factors, abs(1 - RATE * eigenvalue), rtol=1e-9)


def test_the_two_errors_make_up_the_distance():
    settings = Race(VALLEY, (3.0, -2.0), {"Momentum": Momentum(RATE)}, max_steps=100)
    points = race(settings)["Momentum"].points
    error = errors(points, (0.0, 0.0), HESSIAN, True)
    np.testing.assert_allclose(np.hypot(*error.along.T), np.hypot(*points.T), rtol=1e-9)
    x, y = points[7]
    across = abs(-math.sin(math.radians(30)) * x + math.cos(math.radians(30)) * y)
    assert error.along[7, 0] == pytest.approx(across), "the larger eigenvalue is across the valley"


def test_a_long_run_keeps_its_zero_crossings_and_what_is_not_finite_is_left_out():
    points = np.ones((40_000, 2))
    points[31_415] = (0.0, 1.0)
    points[39_999] = (math.inf, 1.0)
    error = errors(points, (0.0, 0.0), np.diag([2.0, 1.0]), False)
    assert 31_415 in error.steps and len(error.steps) < 1500 and error.steps[-1] == 39_998
    assert error.along[error.steps.tolist().index(31_415)].tolist() == [0.0, 1.0]
    assert not error.exact


@pytest.mark.parametrize("log_steps", [True, False])
def test_each_run_has_a_line_for_each_eigenvalue_on_a_logarithmic_axis_the_smaller_thin(log_steps):
    runs = raced(Momentum=Momentum(RATE / 4), SGD=SGD(RATE))
    figure = along_eigenvectors(runs, log_steps, "key")
    assert (
        figure.layout.yaxis.type == "log" and [t.legendgroup for t in figure.data] == ["sgd", "sgd"] + ["momentum"] * 2
    )
    narrow, thick = figure.data[:2]
    assert narrow.line.width < thick.line.width
    assert "along λ = 1.00" in narrow.hovertemplate and "along λ = 100" in thick.hovertemplate
    assert [each.text for each in figure.layout.annotations] == ["SGD", "Momentum"]
    _, error = runs[1]
    first = 1 if log_steps else 0
    np.testing.assert_array_equal(narrow.customdata, error.along[first:, 1])
    low, high = figure.layout.yaxis.range
    for trace in figure.data:
        assert len(trace.y) == 401 - first, "no line ends before its run"
        assert (np.log10(trace.y) >= low).all() and (np.log10(trace.y) <= high).all()


def test_what_is_too_small_to_show_is_at_the_lower_edge_and_hovering_tells_it():
    figure = along_eigenvectors(raced(SGD=SGD(0.01), Newton=Newton()), True, "key")
    low, _ = figure.layout.yaxis.range
    sgd_thick = figure.data[1]
    assert sgd_thick.customdata[-1] < 1e-12, "the rate is 1 / λ: one step takes all of that error"
    assert np.log10(sgd_thick.y[-1]) == pytest.approx(low, abs=1e-3) and len(sgd_thick.y) == len(sgd_thick.customdata)
    assert low > -12, "which does not stretch the axis"


def test_without_a_run_there_is_no_such_picture():
    assert along_eigenvectors([]) is None
    nowhere = downsampled("sgd", np.full((1, 2), np.nan), np.full(1, np.nan), "diverged")
    assert along_eigenvectors([(nowhere, errors(np.full((1, 2), np.nan), (0.0, 0.0), HESSIAN, True))]) is None
    at_it = downsampled("sgd", np.zeros((1, 2)), np.zeros(1), "converged")
    assert along_eigenvectors([(at_it, errors(np.zeros((1, 2)), (0.0, 0.0), HESSIAN, True))]) is not None
