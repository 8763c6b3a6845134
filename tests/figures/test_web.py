"""The player's page holds all of its race, asks for nothing from outside, and stays small."""

import base64
import html
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fop_core.figures import web
from fop_core.optim.rules import FOP, RULES, SGD
from tests.figures.raced import raced
from toy_functions import Race, presets, surfaces
from toy_functions.scenes import SCENES

ROOT = Path(__file__).parents[2]
LIMIT = 1_500_000  # bytes


def unpacked(content: bytes) -> dict:
    """What lib/payload.js makes of bytes."""
    at = 4 + int.from_bytes(content[:4], "little")
    data = json.loads(content[4:at])
    for name, size in data["arrays"].items():
        data[name], at = content[at : at + size], at + size
    assert at == len(content)
    return data


def held(page: str) -> dict:
    """What a page holds."""
    [encoded] = re.findall(r'<script id="fop-race" type="text/plain">([^<]*)</script>', page)
    return unpacked(base64.b64decode(encoded))


def addresses(page: str) -> set[str]:
    return {address for address in re.findall(r"(?:https?:)?//[a-z][\w.-]+\.[a-z]{2,}[^\s\"'`<>)]*", page)}


def test_a_page_holds_every_point_of_its_race():
    settings = presets.PAPER_HIMMELBLAU
    data = held(web.race_html(settings))
    _, results = raced(settings)
    assert [run["name"] for run in data["runs"]] == ["SGD", "Adam", "FOP"]
    assert [run["last"] for run in data["runs"]] == [386, 5398, 289]
    points = np.frombuffer(data["points"], "<f4")
    for run, each in zip(data["runs"], results):
        count = run["count"]
        np.testing.assert_array_equal(points[: 2 * count].reshape(2, count).T, each.motion.points)
        points = points[2 * count :]
    assert not len(points) and "kept" not in data and data["log"]
    assert len(data["losses"]) == 4 * sum(run["count"] for run in data["runs"])
    assert len(data["angles"]) == 4 * (387 + 5399 + 2 * 290), "of FOP's P g too"
    assert "live" not in data, "nobody runs another race there"


def test_rules_have_the_names_that_the_race_has_for_them_two_of_a_kind_among_them():
    settings = Race(surfaces.BOOTH, (0.0, -4.0), {"slow": SGD(0.005), "quick": SGD(0.05), "P": FOP(0.005)})
    runs = held(web.race_html(settings))["runs"]
    assert [run["name"] for run in runs] == ["slow", "quick", "P"]
    assert [run["label"]["text"].split()[0] for run in runs] == ["slow", "quick", "P"]
    assert runs[0]["ended"] == "converged at step 832"


def test_a_page_says_in_itself_what_it_shows_whatever_that_is_called():
    page = web.race_html(presets.PAPER_BOOTH, title="f < 1 & {{race}} </script> “so”")
    [title] = re.findall("<title>(.*?)</title>", page)
    assert html.unescape(title) == "f < 1 & {{race}} </script> “so”"
    [description] = re.findall('<meta name="description" content="(.*?)">', page)
    assert html.unescape(description).startswith("Until f < 1e-6, at most 20,000 steps.")
    assert "{{description}}" not in page and page.count("</script>") == 2
    assert re.findall("<title>(.*?)</title>", web.race_html(presets.PAPER_BOOTH)) == [
        "A race on Booth from (0.00, −4.00)"
    ]


def test_nothing_is_asked_for_from_outside():
    page = web.race_html(SCENES["turning"].race)
    assert addresses(page) <= {"http://www.w3.org/2000/svg"}, "a name, not an address"
    code = re.sub(r"\{import\(", "{", page)  # of a type, in a comment
    assert not re.search(r"<link|<img|<iframe|\bsrc=|@import|import\(|url\(", code)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("noise", [0.0, 10.0])
def test_the_longest_race_of_all_rules_stays_below_the_limit(noise):
    rules = {name: kind(0.0001) for name, kind in RULES.items()}
    page = web.race_html(Race(surfaces.ROSENBROCK, (-1.2, 1.0), rules, max_steps=3_000, noise=noise))
    assert len(page.encode()) < LIMIT
    data = held(page)
    points = sum(data["arrays"].values()) - data["arrays"]["heights"]
    assert 0.2 * web.BYTES < points < 1.02 * web.BYTES
    kept = np.frombuffer(data["kept"], "<u4")
    assert {1, 10, 100, 1000} <= set(kept[: data["runs"][0]["count"]].tolist()), "their symbols stay"


def test_a_page_shows_the_part_of_the_plane_that_was_seen():
    page = web.race_html(presets.PAPER_BOOTH, box=(0.0, 4.0, 1.0, 3.0), log_steps=False, arrows=False)
    data = held(page)
    assert data["view"] == [0.0, 4.0, 0.0, 4.0] and not data["log"] and "angles" not in data
    assert data["ground"]["ticks"]["x"] == [[float(at), str(at)] for at in range(5)]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-6.0, 6.0, ["−6", "−4", "−2", "0", "2", "4", "6"]),
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.013, 0.021, ["−0.01", "0.00", "0.01", "0.02"]),
        (1200.0, 5000.0, ["2000", "3000", "4000", "5000"]),
    ],
)
def test_ticks_are_round_numbers_and_few(low, high, texts):
    assert [text for _, text in web.ticks(low, high)] == texts


def test_a_notebook_has_the_page_in_a_frame_of_its_own():
    player = web.RacePlayer(presets.PAPER_BOOTH, title="Booth")
    shown = player._repr_html_()
    [inside] = re.findall('srcdoc="([^"]*)"', shown)
    assert html.unescape(inside) == player.html == web.race_html(presets.PAPER_BOOTH, title="Booth")
    assert shown.startswith("<iframe ") and 'sandbox="allow-scripts"' in shown and shown.endswith("</iframe>")


def test_a_race_of_nobody_and_one_that_is_lost_have_a_page():
    assert held(web.race_html(Race(surfaces.BOOTH, (0.0, -4.0), {})))["runs"] == []
    lost = held(web.race_html(Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.3)})))
    assert lost["runs"][0]["ended"].startswith("diverged at step")
    assert json.dumps(lost, default=str, allow_nan=False)


def test_what_is_installed_has_the_page_and_needs_no_more_of_the_project(tmp_path):
    source, there = tmp_path / "source", tmp_path / "installed"
    for name in ("fop_core", "toy_functions"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path], cwd=source, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(there)
    play = (
        "from fop_core.figures import web; from toy_functions import presets; "
        "print(web.__file__, len(web.RacePlayer(presets.PAPER_BOOTH)._repr_html_()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(there)}
    done = subprocess.run(
        [sys.executable, "-c", play], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    file_name, length = done.stdout.split()
    assert file_name.startswith(str(there)) and int(length) > 100_000
