"""What is taken away is the race: the table has its numbers to the last bit, and the script runs it again."""

import csv
import dataclasses
import io
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from fop_core.optim.rules import FOP, OSGMFOP, SGD, Adam, AdamW, Nesterov
from toy_functions import Race, export, expressions, presets, race, surfaces
from toy_functions.lowest import with_floor
from toy_functions.own_rule import OwnRule
from toy_functions.scenes import SCENES

ROOT = Path(__file__).parents[2]
BOOTH = Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.005)}, max_steps=50)
NOISY = dataclasses.replace(BOOTH, rules={"SGD": SGD(0.02), "FOP": FOP(0.02, 0.001)}, noise=2.0, seed=11)


def rows_of(the_race, results):
    text = export.csv(the_race, results)
    assert text.isascii() and "\r" not in text and text.endswith("\n")
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["optimizer", "step", "x", "y", "f", "p_xx", "p_xy", "p_yy", "surface"]
    assert {row[-1] for row in rows} == {the_race.surface.name}
    return [row[:-1] for row in rows]


def run(script: str, folder: Path) -> subprocess.CompletedProcess:
    """Run a script as a user does: as a file in a folder of theirs, with nothing said about where the library is."""
    (folder / "race.py").write_text(script, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-W", "error", "race.py"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")


def printed(script: str) -> dict[str, tuple]:
    """Run a script in a folder of its own; return status, steps and end of each rule, as it prints them."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(script, Path(folder))
    assert result.returncode == 0, result.stderr
    lines = [re.fullmatch(r"(.+): (.+), (\d+) steps, end \((.+), (.+)\)", line) for line in result.stdout.splitlines()]
    return {line[1]: (line[2], int(line[3]), float(line[4]), float(line[5])) for line in lines}


def ends(the_race: Race) -> dict[str, tuple]:
    results = race(the_race)
    return {name: (each.status, each.steps, *each.points[-1].tolist()) for name, each in results.items()}


# The table


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_number_reads_back_to_the_last_bit(dtype):
    the_race = dataclasses.replace(presets.PAPER_HIMMELBLAU, dtype=dtype, max_steps=700)
    results = race(the_race)
    rows = rows_of(the_race, results)
    assert len(rows) == sum(each.steps + 1 for each in results.values())
    for name, each in results.items():
        own = [row for row in rows if row[0] == name]
        assert [int(row[1]) for row in own] == list(range(each.steps + 1))
        read = np.array([row[2:5] for row in own]).astype(dtype)
        np.testing.assert_array_equal(read, np.column_stack([each.points, each.losses]))
        if each.preconditioners is None:
            assert {tuple(row[5:]) for row in own} == {("", "", "")}
        else:
            read = np.array([row[5:] for row in own]).astype(dtype)
            np.testing.assert_array_equal(read, each.preconditioners.reshape(-1, 4)[:, [0, 1, 3]])


def test_float32_has_no_more_digits_than_it_takes():
    the_race = dataclasses.replace(BOOTH, start=(0.1, 0.2), dtype="float32", max_steps=0)
    assert rows_of(the_race, race(the_race))[0][2:4] == ["0.1", "0.2"]


def test_a_divergence_is_written_as_it_is():
    the_race = dataclasses.replace(BOOTH, rules={"SGD": SGD(0.3), "FOP": FOP(0.3, 1.0)}, max_steps=20_000)
    results = race(the_race)
    rows = rows_of(the_race, results)
    for name, each in results.items():
        last = [row for row in rows if row[0] == name][-1]
        np.testing.assert_array_equal([float(cell) for cell in last[2:5]], [*each.points[-1], each.losses[-1]])
        assert last[4] in ("inf", "nan")


def test_the_rules_keep_their_order_and_any_name():
    the_race = dataclasses.replace(BOOTH, rules={'b, "quoted"': SGD(0.1), "a": Adam(0.1)}, max_steps=1)
    assert [row[0] for row in rows_of(the_race, race(the_race))] == ['b, "quoted"'] * 2 + ["a"] * 2


# The script


@pytest.mark.parametrize("name", SCENES)
def test_the_script_of_every_scene_runs_its_race(name):
    scene = SCENES[name]
    the_race = dataclasses.replace(scene.race, max_steps=min(scene.race.max_steps, 2_000))
    assert printed(export.snippet(the_race, scene.formula or None)) == ends(the_race)


def test_a_script_that_finds_no_library_says_how_to_install_it(tmp_path):
    script = export.snippet(BOOTH)
    result = run(script.replace(str(ROOT), str(tmp_path / "gone")), tmp_path)
    assert result.returncode == 1 and not result.stdout
    assert "No module named 'fop_core'" in result.stderr and "pip install" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_installed_library_leaves_no_folder_in_the_script(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_PROJECT", tmp_path)
    script = export.snippet(BOOTH)
    assert str(tmp_path) not in script and "sys.path" not in script
    result = run(script, tmp_path)
    assert result.returncode == 1 and "pip install" in result.stderr


def test_a_formula_with_negative_values_runs_to_its_lowest_value():
    text = "sin(x)cos(y) \N{MINUS SIGN} 2e^\N{MINUS SIGN}x²"
    the_race = Race(with_floor(expressions.parse(text)), (-2.0, 0.5), {"SGD": SGD(0.1)}, max_steps=500)
    assert printed(export.snippet(the_race, text)) == ends(the_race)
    assert ends(the_race)["SGD"][0] == "converged"


def test_a_quadratic_runs_by_its_numbers():
    oblique = surfaces.quadratic(37.5, -12.3)
    the_race = Race(oblique, oblique.start, {"FOP": FOP(0.01, 0.05, "low_rank", factor=((0.5,), (-0.25,)))}, 1e-4, 600)
    script = export.snippet(the_race, quadratic=(37.5, -12.3))
    assert "quadratic(condition=37.5, angle=-12.3)" in script
    assert printed(script) == ends(the_race)


def test_a_divergence_runs_again():
    the_race = dataclasses.replace(BOOTH, rules={"SGD": SGD(0.3)}, max_steps=20_000)
    [(name, (status, steps, x, y))] = printed(export.snippet(the_race)).items()
    assert (name, status, steps) == ("SGD", "diverged", race(the_race)["SGD"].steps)
    assert not math.isfinite(x + y) or abs(x) > 1e100


def test_settings_that_differ_are_named_and_no_others():
    rules = {
        "plain": Adam(0.1),
        "other": AdamW(0.1, beta1=0.5, eps=1e-3, weight_decay=0.2),
        "Nesterov": Nesterov(0.1, momentum=0.8),
        "FOP": FOP(0.1, momentum=0.9, nesterov=True),
    }
    script = export.snippet(dataclasses.replace(BOOTH, rules=rules, tolerance=0.0, noise=0.5, seed=7))
    for line in (
        "Adam(lr=0.1),",
        "AdamW(lr=0.1, beta1=0.5, eps=0.001, weight_decay=0.2),",
        "Nesterov(lr=0.1, momentum=0.8),",
        "FOP(lr=0.1, momentum=0.9, nesterov=True),",
        "tolerance=0.0,",
        "max_steps=50,",
        'dtype="float64",',
        "noise=0.5,",
        "seed=7,",
    ):
        assert f" {line}\n" in script
    assert "seed" not in export.snippet(BOOTH), "without noise it changes nothing"


def test_a_rule_of_ones_own_and_a_schedule_run_again():
    rules = {"own": OwnRule(0.02, "m = 0.9*m + g\nx = x - lr*m"), "OSGM": OSGMFOP(init_scale=0.1), "SGD": SGD(0.01)}
    the_race = dataclasses.replace(BOOTH, rules=rules, schedule="cosine", warmup=5)
    script = export.snippet(the_race)
    for line in (
        '"own": OwnRule(lr=0.02, text="m = 0.9*m + g\\nx = x - lr*m"),',
        '"OSGM": OSGMFOP(init_scale=0.1),',
        'schedule="cosine",',
        "warmup=5,",
    ):
        assert f" {line}\n" in script
    assert "from toy_functions.own_rule import OwnRule\n" in script
    assert printed(script) == ends(the_race)
    assert "schedule" not in export.snippet(BOOTH) and "own_rule" not in export.snippet(BOOTH)
    assert "optim.rules" not in export.snippet(dataclasses.replace(BOOTH, rules={"own": rules["own"]}))


@pytest.mark.parametrize("surface", surfaces.SURFACES.values(), ids=lambda s: s.name)
def test_every_known_surface_has_a_name(surface):
    space: dict = {}
    exec(export.snippet(Race(surface, surface.start, {}, max_steps=0)), space)
    assert space["settings"].surface is surface


def test_a_formula_is_text_whatever_it_says_and_keeps_its_view_and_floor():
    text = "x^2 +  y^2 - 3" + " " * 150
    surface = dataclasses.replace(expressions.parse(text, view=(-1.5, 2.0, 0.0, 1e-3)), floor=-math.inf)
    the_race = Race(surface, (1.0, 0.5), {"SGD": SGD(0.1)}, max_steps=3)
    space: dict = {}
    script = export.snippet(the_race, text)
    exec(script, space)
    again = space["settings"].surface
    assert (again.view, again.floor, again.latex) == (surface.view, surface.floor, surface.latex)
    assert printed(script) == ends(the_race)
    with pytest.raises(expressions.ExpressionError):
        export.snippet(the_race, '") or __import__("os").abort() #')


@pytest.mark.parametrize(
    ("surface", "options"),
    [
        (expressions.parse("x^2 + y^2"), {}),
        (expressions.parse("x^2 + y^2"), {"formula": "x^2 + 2*y^2"}),
        (surfaces.quadratic(10.0, 20.0), {}),
        (surfaces.quadratic(10.0, 20.0), {"quadratic": (10.0, 21.0)}),
        (surfaces.BOOTH, {"quadratic": (10.0, 20.0)}),
    ],
)
def test_a_script_of_another_surface_is_refused(surface, options):
    with pytest.raises(ValueError, match="give its formula, or the quadratic's numbers"):
        export.snippet(Race(surface, (1.0, 1.0), {"SGD": SGD(0.1)}), **options)


def test_a_setting_that_cannot_be_written_is_refused():
    with pytest.raises(TypeError, match="a setting is"):
        export.snippet(dataclasses.replace(BOOTH, rules={"SGD": SGD(np.float32(0.1))}))


def scripts():
    rules = {'a "name" longer than most': FOP(0.123456789, 0.123456789, "direct", 0.987654321, trace="one_step")}
    long = " + ".join(f"(x - {count})^2*(y + {count})^2" for count in range(8))
    surface = dataclasses.replace(expressions.parse(long), floor=0.1234567890123)
    return {
        **{name: export.snippet(scene.race, scene.formula or None) for name, scene in SCENES.items()},
        "long": export.snippet(Race(surface, (0.1, 0.2), rules), long),
        "seeds": export.snippet(NOISY, seeds=3),
    }


@pytest.mark.parametrize("name", [*SCENES, "long", "seeds"])
def test_scripts_are_in_the_usual_format(name):
    script = scripts()[name]
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--line-length", "100", "-"]
    result = subprocess.run(
        [*ruff, "format", *options], input=script, capture_output=True, encoding="utf-8", check=True
    )
    assert result.stdout == script
    chosen = ["--select", "E4,E7,E9,F,I,UP,W", "--config", "lint.isort.known-first-party=['fop_core', 'toy_functions']"]
    result = subprocess.run([*ruff, "check", *chosen, *options], input=script, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, result.stdout


# Several seeds


def test_a_table_of_several_seeds_is_that_of_each_with_its_seed():
    header, *rows = csv.reader(io.StringIO(export.csv_of_seeds(NOISY, 3)))
    assert header == [*export.COLUMNS, "seed"]
    for seed in (11, 12, 13):
        of_seed = dataclasses.replace(NOISY, seed=seed)
        expected = list(csv.reader(io.StringIO(export.csv(of_seed, race(of_seed)))))[1:]
        assert [row[:-1] for row in rows if row[-1] == str(seed)] == expected
    assert len({tuple(row[2:4]) for row in rows if row[:2] == ["SGD", "50"]}) == 3, "the seeds differ"


def test_a_script_of_several_seeds_runs_each(tmp_path):
    result = run(export.snippet(NOISY, seeds=3), tmp_path)
    assert result.returncode == 0, result.stderr
    expected = []
    for seed in (11, 12, 13):
        for name, (status, steps, x, y) in ends(dataclasses.replace(NOISY, seed=seed)).items():
            expected.append(f"seed {seed}, {name}: {status}, {steps} steps, end ({x!r}, {y!r})")
    assert result.stdout.splitlines() == expected
