"""The lowest value of a function is found around its view, or said to be unknown."""

import math

import pytest

from fop_core.optim.rules import SGD, Adam
from toy_functions import Race, expressions, race, surfaces
from toy_functions.lowest import lowest, with_floor


def lowest_value(text, view=(-5.0, 5.0, -5.0, 5.0)):
    return lowest(expressions.parse(text, view=view))[0]


@pytest.mark.parametrize(
    ("text", "floor"),
    [
        ("sin(x)*cos(y)", -1.0),
        ("x^4/4 - x^2/2 + y^2/2", -0.25),
        ("(x - 0.3)^2 + (y + 1.7)^2 - 7", -7.0),
        ("x^2 + 10*y^2 + 3", 3.0),
        ("1e6*((x - 0.123)^2 + y^2) - 1e6", -1e6),
        ("1e-6*(x - 0.123)^2 + 1e-6*y^2 + 1e-6", 1e-6),
        ("(x - 0.123)^4 + (y + 0.077)^4 - 2", -2.0),
        ("abs(x - 0.123) + abs(y + 0.077) - 2", -2.0),
        ("sqrt(x^2 + y^2) + 1", 1.0),
        ("x*log(x) + y^2", -math.exp(-1)),
        ("-exp(-(x - 0.123)^2 - y^2)", -1.0),
        ("-exp(-(x - 9)^2 - y^2)", -1.0),
        ("7", 7.0),
    ],
)
def test_the_lowest_value_is_found(text, floor):
    assert lowest_value(text) == pytest.approx(floor, rel=1e-10)


@pytest.mark.parametrize("text", ["(x*y - 1)^2 + (x - y)^2/10", "(x*y - 1)^2", "(1 - x)^2 + 100*(y - x^2)^2", "x^2"])
def test_a_lowest_value_of_zero_is_exactly_zero(text):
    assert lowest_value(text) == 0.0


@pytest.mark.parametrize("name", [name for name, surface in surfaces.SURFACES.items() if math.isfinite(surface.floor)])
def test_the_lowest_value_of_every_known_surface_is_found(name):
    surface = surfaces.SURFACES[name]
    assert lowest(surface)[0] == pytest.approx(surface.floor, abs=1e-12)


@pytest.mark.parametrize(
    "text",
    ["x + y", "x*y", "-x^2 - y^2", "exp(-x)", "1/x", "log(x)", "x^3 - 3x + y^2", "x^3 - 3x*y^2", "log(-1 - x^2)"],
)
def test_what_has_no_lowest_minimum_has_no_lowest_value(text):
    assert lowest_value(text) == -math.inf


def test_a_minimum_in_view_is_not_the_lowest_where_f_falls_below_it_far_away():
    assert lowest_value("x^3 - 3x + y^2", view=(0.0, 2.0, -1.0, 1.0)) == -math.inf


@pytest.mark.parametrize(
    ("text", "minima"),
    [
        ("(x - 0.3)^2 + (y + 1.7)^2 - 7", [(0.3, -1.7)]),
        ("1e6*((x - 0.123)^2 + y^2) - 1e6", [(0.123, 0.0)]),
        ("x^4/4 - x^2/2 + y^2/2", [(-1.0, 0.0), (1.0, 0.0)]),
        ("(x*y - 1)^2 + (x - y)^2/10", [(-1.0, -1.0), (1.0, 1.0)]),
        ("x^4/4 - x^2/2 + x/10 + y^2/2", [(-1.0467, 0.0)]),
        ("-exp(-(x - 9)^2 - y^2)", [(9.0, 0.0)]),
        ("sin(x)*cos(y) - 2*exp(-x^2)", [(-0.25839, 0.0), (0.25839, -math.pi), (0.25839, math.pi)]),
    ],
)
def test_the_lowest_minima_are_named(text, minima):
    surface = with_floor(expressions.parse(text))
    assert surface.minima == tuple(pytest.approx(point, abs=1e-4) for point in minima)
    for point in surface.minima:
        assert surface.value(*point) == pytest.approx(surface.floor, abs=1e-12 * max(1, abs(surface.floor)))


LINES = ["(x + y)^2", "(x + 2y)^2", "(x*y - 1)^2", "(x^2 + y^2 - 1)^2", "x^2", "7", "x*y", "x^4 + y^2"]


@pytest.mark.parametrize("text", LINES)
def test_where_f_is_lowest_along_a_line_or_nowhere_no_minimum_is_named(text):
    assert with_floor(expressions.parse(text)).minima == ()


def test_minima_too_many_to_name_are_not_named():
    assert len(with_floor(expressions.parse("sin(x)*cos(y)")).minima) == 6
    assert with_floor(expressions.parse("sin(3x)*cos(3y)")).minima == ()


@pytest.mark.parametrize("name", [name for name, surface in surfaces.SURFACES.items() if math.isfinite(surface.floor)])
def test_the_minima_of_every_known_surface_are_found(name):
    surface = surfaces.SURFACES[name]
    minima = with_floor(surface).minima
    assert sorted(minima) == [pytest.approx(point, abs=1e-6) for point in sorted(surface.minima)]


def test_a_race_on_a_function_with_negative_values_goes_on_to_its_minimum():
    surface = with_floor(expressions.parse("sin(x)*cos(y)"))
    ends = race(Race(surface, (-3.0, -2.0), {"SGD": SGD(0.1), "Adam": Adam(0.1)}))
    for each in ends.values():
        assert each.status == "converged" and each.steps > 10
        assert surface.value(*each.points[-1]) == pytest.approx(-1.0, abs=1e-6)


def test_a_race_on_an_unbounded_function_never_converges():
    surface = with_floor(expressions.parse("x*y"))
    assert race(Race(surface, (1.0, -2.0), {"SGD": SGD(0.1)}, max_steps=20))["SGD"].status == "step limit"


def test_a_search_finds_the_same_again():
    texts = ["sin(x)*cos(y)", "exp(sin(3x)) + (y - 0.3)^2 + cos(x*y)"]
    assert [lowest_value(text) for text in texts] == [lowest_value(text) for text in texts]
