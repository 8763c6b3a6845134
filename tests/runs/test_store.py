"""A runs folder: nobody sees half a run in it, and each is found by what people call it."""

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fop_core.runs import files, stamps, store
from fop_core.runs.files import RunError
from tests.runs.whole import full


def test_a_new_run_is_queued_and_says_what_it_is(run):
    assert re.fullmatch(r"\d{8}-\d{6}-first-run-[0-9a-f]{8}", run.id)
    assert run.config == {"model": "mlp", "epochs": 2}
    assert run.state.state == "queued" and stamps.age(run.state.since) < 60
    assert run.labels == {"name": "First run", "tags": ["a", "b"], "notes": "", "archived": False}
    assert (run.name, run.progress, run.attempts, run.metrics_files(), run.log()) == ("First run", {}, [], [], "")
    assert (run.snapshot_steps(), run.checkpoint_steps(), run.held()) == ([], [], False)
    assert os.listdir(run.path.parent) == [run.id]


@pytest.mark.parametrize("name", ["", "ünï / ../ \n\0", "x" * 500, "..", "🙂"], ids=repr)
def test_any_name_will_do(tmp_path, name):
    run = store.create({}, name=name, folder=tmp_path)
    assert run.path.parent == tmp_path and re.fullmatch("[0-9a-z-]{1,80}", run.id)
    assert run.name == (name or run.id)


def test_nobody_sees_half_a_new_run(tmp_path):
    done = threading.Event()

    def make():
        for _ in range(40):
            store.create({"filling": "x" * 10_000}, folder=tmp_path)
        done.set()

    maker = threading.Thread(target=make)
    maker.start()
    while not done.is_set():
        assert [damage for _, damage in store.scan(tmp_path) if damage] == []
    maker.join()
    assert len(list(store.scan(tmp_path))) == 40


def test_a_run_that_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        store.create({"model": object()}, folder=tmp_path)
    with pytest.raises(RunError, match="tags"):
        store.create({}, tags=(1,), folder=tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_run_is_found_by_path_id_beginning_or_name(run, monkeypatch):
    folder = run.path.parent
    other = store.create({}, name="Second", folder=folder)
    twins = sorted(store.create({}, name="Twin", folder=folder).id for _ in range(7))
    assert store.find(str(run.path)).id == run.id
    assert store.find(run.id, folder).id == run.id
    assert store.find(run.id[:-2], folder).id == run.id
    assert store.find("Second", folder).id == other.id
    with pytest.raises(RunError, match=f"'Twin' may be {twins[0]}.* or 2 more: give more of the id"):
        store.find("Twin", folder)
    for text in ("", "Third", "x" * 5000, "a\0b", "/", "~", "/dev/null"):
        with pytest.raises(RunError, match="no run"):
            store.find(text, folder)
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    assert store.find("Second").id == other.id
    monkeypatch.chdir(folder)
    assert store.find(run.id).name == "First run"


def test_a_damaged_neighbour_hides_no_run(run):
    other = store.create({}, name="Second", folder=run.path.parent)
    for name in ("labels.json", "state.json", "run.json"):
        (run.path / name).write_bytes(b"{")
        assert store.find("Second", run.path.parent).id == other.id
        assert store.find(run.id, run.path.parent).id == run.id


def test_a_folder_that_is_no_run_is_called_so(tmp_path):
    with pytest.raises(RunError, match=re.escape(f"{tmp_path} is no run")):
        store.find(str(tmp_path), tmp_path / "runs")


def test_scan_of_no_folder_is_empty_and_of_a_strange_one_goes_on(run):
    assert list(store.scan(run.path / "none")) == []
    folder = run.path.parent
    (folder / "aaa").mkdir()
    (folder / ".hidden").mkdir()
    (folder / "file").write_text("")
    entries = [(entry.id, damage) for entry, damage in store.scan(folder)]
    assert entries == [(run.id, ""), ("aaa", f"{folder / 'aaa' / 'run.json'} is missing")]


def test_a_list_of_many_runs_opens_three_small_files_of_each(run, monkeypatch):
    full(run)
    for i in range(100):
        shutil.copytree(run.path, run.path.parent / f"copy-{i:04d}")
    opened, real = [], files.opened
    monkeypatch.setattr(files, "opened", lambda path: opened.append(path.name) or real(path))
    assert [damage for _, damage in store.scan(run.path.parent)] == [""] * 101
    assert sorted(opened) == sorted(["run.json", "state.json", "labels.json"] * 101)


def test_a_checkouts_runs_are_in_it_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.delenv("FOP_RUNS_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    project = Path(store.__file__).resolve().parents[2]
    assert store.runs_folder() == project / "trained_models" / "runs"
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "mine"))
    assert store.runs_folder() == tmp_path / "mine"


def test_runs_are_loaded_without_what_is_heavy():
    heavy = "{'torch', 'pandas', 'pyarrow', 'streamlit', 'safetensors', 'matplotlib'}"
    code = (
        f"import sys, fop_core.runs, fop_core.runs.metrics, fop_core.runs.export; print({heavy} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
