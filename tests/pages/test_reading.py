"""What helps to read a race: hidden runs, the surface's scale, several seeds, errors along eigenvectors."""

import base64
import csv
import dataclasses
import io
import math
import re

import numpy as np
import pytest

from fop_core.figures.landscape import GRID
from pages.shared.race.remembered import bands, results
from pages.shared.race.settings import spec, values
from pages.trajectories import exports, seeds
from tests.pages.test_trajectories import address, component, figure, number, page, ran, rows, words
from toy_functions import race, surfaces
from toy_functions.scenes import SCENES

NOISE = {"preset": "noise", "rules": "sgd,fop", "steps": "200", "v": "2"}


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


# Several seeds


def test_losses_and_steps_of_several_seeds_are_medians_with_quartiles():
    at = page(**NOISE, seeds="4", tolerance="3")
    drawn = figure(at, "losses")
    assert drawn["layout"]["yaxis"]["title"]["text"] == "loss f, median of 4 seeds"
    assert [trace.get("fill") for trace in drawn["data"]] == ["toself"] * 2 + [None] * 2
    scene = dataclasses.replace(SCENES["noise"].race, max_steps=200, tolerance=3.0)
    for name in ("SGD", "FOP"):
        counts = [
            race(dataclasses.replace(scene, seed=seed, rules={name: scene.rules[name]}))[name].steps
            for seed in range(4)
        ]
        row = rows(at)[name]
        assert row["steps"] == f"{np.median(counts):,.0f}" and row["status"] == "converged"
        assert row["reason"].startswith("4 of 4 seeds converged. Quartiles: ")
        assert row["end"].startswith("Seed 0: ends at (")
    text = words(at)
    assert "medians over seeds 0 to 3" in text and "Of seed 0 alone." in text
    assert address(at) == NOISE | {"seeds": "4", "tolerance": "3"}
    files = {key: component(at, key)["file"] for key in ("losses", "race", "eigenvalues", "angles", "errors")}
    assert {key for key, name in files.items() if "-4-seeds" in name} == {"losses"}
    assert all("-seed-0" in name for key, name in files.items() if key != "losses")


def test_the_paths_and_what_is_learned_stay_those_of_the_first_seed():
    one, several = page(**NOISE, seed="5"), page(**NOISE, seed="5", seeds="3")
    assert component(one, "race")["points"] == component(several, "race")["points"]
    assert figure(one, "eigenvalues") == figure(several, "eigenvalues")
    assert figure(one, "losses") != figure(several, "losses")


def test_one_seed_is_as_it_was_and_without_noise_there_is_no_choice():
    at = page(**NOISE)
    assert number(at, "seeds").value == 1 and "median" not in words(at)
    assert figure(at, "losses")["layout"]["yaxis"]["title"]["text"] == "loss f"
    ran(number(at, "seeds").set_value(3).run())
    assert address(at) == NOISE | {"seeds": "3"} and "3 seeds" in rows(at)["SGD"]["reason"]
    ran(number(at, "noise").set_value(0.0).run())
    assert not [each for each in at.number_input if each.key == "trajectories.seeds"]
    assert "median" not in words(at)


def test_none_that_converges_has_its_last_f_in_place_of_steps():
    row = rows(page(**NOISE, seeds="3", tolerance="0"))["SGD"]
    assert row["steps"] == "> 200" and row["status"] == "step limit"
    assert re.fullmatch(r"None of 3 seeds converged\. Last f: median [\d.]+, quartiles [\d.]+, [\d.]+\.", row["reason"])


def test_steps_to_tolerance_have_a_band_too():
    drawn = figure(page(**NOISE, seeds="3", loss="tolerance"), "losses")
    assert drawn["layout"]["yaxis"]["title"]["text"] == "steps, median of 3 seeds"
    assert [trace.get("fill") for trace in drawn["data"]] == ["toself"] * 2 + [None] * 2


def noisy(**more):
    return spec(values(SCENES["noise"]) | {"steps": 60, "rules": ["sgd", "fop"], **more})


def test_every_file_says_of_which_seeds_it_is():
    several = noisy(seed=7, seeds=3)
    assert exports.stem(several).endswith("-3-seeds") and "3-seeds" not in exports.stem(noisy())
    assert exports.path_stem(several) == f"{exports.stem(noisy())}-seed-7"
    assert exports.path_stem(noisy()) == exports.stem(noisy())
    assert exports.title(several).endswith(", 3 seeds (7 to 9)")
    assert exports.path_title(several).endswith(", 3 seeds (7 to 9), path of seed 7")
    assert exports.path_title(noisy()) == exports.title(noisy())
    table = list(csv.DictReader(io.StringIO(exports.csv(several).content)))
    assert {row["seed"] for row in table} == {"7", "8", "9"}
    single = exports.csv(noisy(seed=8)).content.splitlines()
    assert single[0] == "optimizer,step,x,y,f,p_xx,p_xy,p_yy,surface"
    assert [",".join(list(row.values())[:-1]) for row in table if row["seed"] == "8"] == single[1:]
    script = exports.script(several).content
    assert "for seed in range(7, 10):" in script and "race(replace(settings, seed=seed))" in script
    compile(script, "race.py", "exec")


def test_bands_are_remembered_and_a_race_of_several_seeds_has_the_results_of_its_first():
    several = noisy(seeds=3)
    assert [a is b for a, b in zip(bands(several), bands(several))] == [True, True]
    assert [a is b for a, b in zip(results(several), results(noisy()))] == [True, True]
    assert bands(noisy()) == []


def test_a_row_of_seeds_says_what_became_of_them():
    [sgd, _] = bands(noisy(seeds=4, tolerance=0.0))
    lost = dataclasses.replace(sgd, converged=1, diverged=3, ends=(12.0, math.inf, math.inf))
    row = seeds.row(lost, 0, "Ends at (1, 3).")
    assert row["reason"] == "1 of 4 seeds converged, 3 diverged. Quartiles: 12 and > 60 steps."
    assert (row["steps"], row["status"], row["end"]) == ("> 60", "diverged", "Seed 0: ends at (1, 3).")


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
