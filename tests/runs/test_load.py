"""``runs.load``: a run by path, id, beginning of an id or name, of the user's folder or of the gallery that ships."""

import json
from pathlib import Path

import pytest

from fop_core import runs
from fop_core.runs import store
from fop_core.runs.files import DamagedFile, RunError
from fop_core.training import config
from tests.runs.whole import full

GALLERY = Path(__file__).resolve().parents[2] / "trained_models" / "gallery"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def made(name):
    return store.create(config.preset("mnist-mlp").to_json(), name=name)


def test_the_gallery_is_loaded_by_id_beginning_path_and_name(tmp_path, monkeypatch):
    for text in ("cifar10-fop-velocity", "cifar10-fop-v", GALLERY / "cifar10-fop-velocity"):
        run = runs.load(text)
        assert run.path.resolve() == GALLERY / "cifar10-fop-velocity"
        assert run.metrics["test_accuracy"].values[-1] > 0.7
    name = json.loads((GALLERY / "mnist-sgd-seed0" / "labels.json").read_text())["name"]
    assert runs.load(name).id == "mnist-sgd-seed0"


def test_a_run_of_ones_own_comes_first():
    mine = made("cifar10-fop-velocity")
    assert runs.load("cifar10-fop-velocity").path == mine.path
    assert runs.load(mine.id[:20]).id == mine.id


def test_several_of_ones_own_are_an_error_and_not_one_of_the_gallery():
    made("cifar10-fop-velocity")
    made("cifar10-fop-velocity")
    with pytest.raises(runs.RunError, match="may be"):
        runs.load("cifar10-fop-velocity")


@pytest.mark.parametrize("text", ["cifar10-fop", "nothing", "", "..", "."])
def test_what_means_none_or_several_is_refused(text):
    with pytest.raises(runs.RunError, match=r"may be|no run|is no run"):
        runs.load(text)


def test_what_is_looked_for_nowhere_is_said_of_both_folders(folder):
    with pytest.raises(runs.RunError, match=rf"no run 'nothing' in {folder}.*gallery"):
        runs.load("nothing")


def test_load_finds_a_run_and_reads_it(run, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(run.path.parent))
    full(run)
    for text in (run.path, str(run.path), run.id, run.id[:-1], "First run"):
        loaded = runs.load(text)
        assert loaded.id == run.id
        assert loaded.metrics["train_loss"].values.tolist() == [1 / 2, 1 / 3]


def test_load_says_what_is_wrong(run, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(run.path.parent))
    full(run)
    with pytest.raises(RunError, match=r"no run 'other' in .*runs"):
        runs.load("other")
    (run.path / "metrics.1.jsonl").write_bytes(b'{"step": 1, "train_loss": 2}\nrubbish\n')
    assert runs.load(run.id).metrics.damaged == [f"{run.path / 'metrics.1.jsonl'}: 1 damaged line left out: 2"]
    (run.path / "attempts" / "1.json").unlink()
    with pytest.raises(RunError, match=r"is not whole: .*attempts/1\.json is missing"):
        runs.load(run.id)
    (run.path / "run.json").write_bytes(b"{")
    with pytest.raises(DamagedFile, match=r"run\.json: no JSON"):
        runs.load(run.id)
    (run.path / "run.json").unlink()
    with pytest.raises(RunError, match=r"run\.json is missing"):
        runs.load(run.id)
