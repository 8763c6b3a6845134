"""The runs that ship with the project: whole, nameless, small, and what docs/gallery.md says of them."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from fop_core import runs
from fop_core.runs import compare, store
from fop_core.training import config
from fop_core.training.replay import replay

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "trained_models" / "gallery"
NAMES = sorted(path.name for path in GALLERY.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def gallery():
    spec = importlib.util.spec_from_file_location("gallery", ROOT / "scripts" / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_in_the_docs_are_those_of_the_runs(gallery):
    text = (ROOT / "docs" / "gallery.md").read_text()
    for name, lines in gallery.tables().items():
        shown = text.split(f"<!-- {name} -->\n")[1].split(f"<!-- end of {name} -->")[0]
        assert shown.splitlines() == lines, name


@pytest.mark.parametrize("name", NAMES)
def test_a_run_is_finished_whole_and_says_nothing_of_its_machine(name):
    run = runs.load(str(GALLERY / name))
    assert run.name == name and run.state.state == "finished"
    settings = config.parse(run.config)
    assert compare.flat(settings.to_json()) == compare.settings(run.config)
    metrics = run.metrics
    assert metrics.steps[-1] == run.progress["steps"] and not metrics.damaged
    assert 0.5 < metrics["test_accuracy"].values[-1] < 1
    if settings.fop is not None:
        steps = run.snapshot_steps()
        assert steps[0] == 0 and steps[-1] == run.progress["steps"]
        last = run.snapshot(steps[-1])
        assert last and all(np.isfinite(array).all() for array in last.values())
    for step in run.checkpoint_steps():
        arrays, about = run.checkpoint(step)
        assert arrays and about["step"] == step
    text = "".join(file.read_text() for file in (GALLERY / name).rglob("*.json"))
    assert not re.search(r"/(work|home|root|tmp|Users)/|\"pid\"", text)
    assert run.about["host"] == run.about["user"] == ""


def test_a_run_comes_out_again():
    run = runs.load(str(GALLERY / "mnist-fop-rank16-seed1"))
    comparisons = replay(run, 50, lambda text: None)
    assert {"train_loss", "grad_norm", "angle_deg/1.weight"} <= {each.name for each in comparisons}
    assert sum(each.count for each in comparisons) > 500
    assert max(each.worst for each in comparisons) < 1e-3, "another machine's rounding, and no more"


def test_the_whole_is_small_and_every_run_is_listed():
    assert sum(file.stat().st_size for file in GALLERY.rglob("*") if file.is_file()) < 25_000_000
    assert {run.name for run, damage in store.scan(GALLERY) if not damage} == set(NAMES)
    listed = (ROOT / "docs" / "gallery.md").read_text()
    assert all(f"| {name} | `python -m fop_core train" in listed for name in NAMES)
