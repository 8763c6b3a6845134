"""The tour's stops: each address opens what its sentence says, and docs/tour.md says the same."""

import dataclasses
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from streamlit.testing.v1 import AppTest

from fop_core import observations
from fop_core.optim.rules import SGD
from fop_core.runs import GALLERY, learned
from fop_core.runs.run import Run
from pages.basins.settings import MAPS
from pages.shared.tour import RUN, STOPS, Stop
from scripts.screenshots import PICTURES, TOUR
from tests.pages.app import FIRST, app_at
from tests.pages.test_trajectories import component, ran, words
from toy_functions import presets
from toy_functions.tuning import sweep

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs/tour.md").read_text()


def opened(stop: Stop) -> AppTest:
    parts = urlsplit(stop.address)
    at = app_at(parts.path or FIRST)
    for name, value in parse_qsl(parts.query):
        at.query_params[name] = value
    return ran(at.run())


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.title)
def test_a_stop_is_an_address_that_the_app_understands_one_sentence_and_one_thing_to_try(stop, tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path))
    at = opened(stop)
    assert "Not all of the address could be used" not in words(at) and not at.error
    assert [len(each) for each in (component(at, "tour bar")["stops"], at.title)] == [len(STOPS), 1]
    for text in (stop.sentence, stop.attempt):
        assert len(text.split()) <= 25 and text.endswith(".")
    assert stop.sentence.count(". ") == 0


def test_the_first_stop_is_the_app_as_it_opens():
    assert STOPS[0].address == "" and len(STOPS) == 5


def test_the_counts_of_figure_1_are_the_papers():
    counts = [f"{presets.PAPER_BOOTH.published[name]:,}" for name in ("SGD", "Adam", "FOP")]
    assert re.findall(r"\d[\d,]*\d", STOPS[1].sentence) == counts
    [swept] = sweep(dataclasses.replace(presets.PAPER_BOOTH, rules={"SGD": SGD(0.005)})).values()
    assert STOPS[1].attempt.endswith(f"SGD needs {swept.fewest}.")


def test_the_maps_of_every_start_are_on_the_surface_that_the_stop_names():
    assert f"{next(iter(MAPS.values())).race.surface.name}'s function" in STOPS[2].sentence


def test_the_stop_of_a_real_network_says_what_its_matrices_show():
    layer = learned.of_run(Run(GALLERY / RUN)).layers["18.weight"]
    assert layer.kernel == (3, 3) and f"{len(layer.steps)} snapshots" in STOPS[3].sentence
    measured = observations.measure(9, layer.steps, layer.P, layer.kernel, layer.spectrum_steps, layer.spectra)
    assert measured.gain[0] == pytest.approx(1, abs=1e-6) and 0 < measured.gain[-1] < 0.02


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.title)
def test_the_document_says_of_a_stop_what_the_tour_says(stop):
    flowing = " ".join(DOCUMENT.split())
    for text in (stop.title, stop.sentence, stop.attempt, f"`/{stop.address}`"):
        assert text in flowing


def test_every_picture_of_the_tour_is_taken_is_there_and_is_shown():
    assert sorted(TOUR) == sorted(name for name in PICTURES if name.startswith("tour-")) and len(TOUR) == 20
    shown = re.findall(r"images/(tour-[\w-]+\.png)", DOCUMENT)
    assert sorted(shown) == sorted(TOUR) and all((ROOT / "docs/images" / name).exists() for name in TOUR)
