"""What helps to read a race: hidden runs, the surface's scale, errors along eigenvectors."""

import base64
import math

import numpy as np
import pytest

from fop_core.figures.landscape import GRID
from tests.pages.test_trajectories import address, component, figure, number, page, ran, rows, words
from toy_functions import surfaces

# The legend


def test_what_is_hidden_is_in_the_address_and_no_change_of_the_race():
    at = page(preset="paper-booth", hidden="fop,sgd", v="2")
    assert component(at, "race")["hidden"] == ["sgd", "fop"]
    assert address(at) == {"preset": "paper-booth", "hidden": "sgd,fop", "v": "2"}
    assert "As the preset has it." in words(at) and len(rows(at)) == 3, "the table keeps all of them"
    ran(number(at, "x").set_value(1.0).run())
    assert component(at, "race")["hidden"] == ["sgd", "fop"], "it outlives a change of the race"
    ran(at.selectbox(key="trajectories.preset").set_value("saddle").run())
    assert component(at, "race")["hidden"] == [] and address(at) == {"preset": "saddle", "v": "2"}


def test_a_hidden_run_that_is_none_is_said():
    at = page(preset="paper-booth", hidden="sgd,fip", v="2")
    assert "hidden" in at.warning[0].value and component(at, "race")["hidden"] == []


def test_runs_lines_and_labels_have_the_names_of_their_rules():
    at = page(preset="paper-booth")
    assert [run["rule"] for run in component(at, "race")["runs"]] == ["sgd", "adam", "fop"]
    for key, expected in (("losses", {"sgd", "adam", "fop"}), ("eigenvalues", {"fop"}), ("angles", {"fop"})):
        drawn = figure(at, key)
        assert {trace["legendgroup"] for trace in drawn["data"]} == expected
        assert {label["name"] for label in drawn["layout"]["annotations"]} == expected


# The surface


@pytest.mark.parametrize("name", ["booth", "styblinski-tang", "monkey-saddle"])
def test_the_browser_gets_what_it_needs_to_tell_f_under_the_cursor(name):
    surface = surfaces.SURFACES[name]
    x, y = surface.start
    at = page(surface=name, rules="sgd", steps="20", x=str(x), y=str(y), v="2")
    scale, drawn = component(at, "race")["scale"], figure(at, "race")
    z = drawn["data"][0]["z"]
    assert z["dtype"] == "f4" and z["shape"] == f"{GRID}, {GRID}"
    heights = np.frombuffer(base64.b64decode(z["bdata"]), "<f4").reshape(GRID, GRID)
    left, right = drawn["layout"]["xaxis"]["range"]
    bottom, top = drawn["layout"]["yaxis"]["range"]
    i, j = 17, 90  # column, row from below
    f = scale["base"] + (10.0 ** heights[j, i] if scale["log"] else heights[j, i])
    at_it = left + (right - left) * i / (GRID - 1), bottom + (top - bottom) * j / (GRID - 1)
    assert f == pytest.approx(surface.value(*at_it), rel=1e-5, abs=1e-5)
    assert scale["log"] == math.isfinite(surface.floor)
    contours = drawn["data"][0]["contours"]
    assert contours["end"] > contours["start"] and contours["size"] > 0


# Errors along eigenvectors


def test_on_a_quadratic_the_errors_are_exact_and_each_run_has_them():
    at = page()
    drawn = figure(at, "errors")
    assert [trace["legendgroup"] for trace in drawn["data"]] == [
        rule for rule in ("sgd", "momentum", "newton", "fop-osgm") for _ in range(2)
    ]
    assert drawn["layout"]["yaxis"]["type"] == "log"
    assert "H is the same everywhere on this surface, so this is exact." in words(at)


def test_elsewhere_the_hessian_is_that_at_the_minimum_and_a_run_that_ends_at_none_has_no_line():
    at = page(preset="paper-himmelblau", steps="300", v="2")
    assert {trace["legendgroup"] for trace in figure(at, "errors")["data"]} == {"sgd", "fop"}
    assert "H is that at the minimum where each run ends" in words(at)
    assert "Without a line: Adam, at no known minimum." in words(at)


def test_without_a_known_minimum_there_is_no_such_picture():
    at = page(surface="monkey-saddle", rules="sgd", steps="20", v="2")
    assert not [each for each in at.get("bidi_component") if "-errors" in each.proto.id or each.key == "errors"]
    assert "eigenvectors" not in words(at)


def test_runs_that_learn_no_p_have_errors_too():
    at = page(preset="paper-booth", rules="sgd,adam", v="2")
    assert {trace["legendgroup"] for trace in figure(at, "errors")["data"]} == {"sgd", "adam"}
