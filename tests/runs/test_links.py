"""A run whose own folders are links, as an unpacked one may have: nothing is written, removed or taken through them."""

import os

import pytest

from fop_core.cli import main
from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.control import Control, start_over
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import ATTEMPT_REQUESTS
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config

FOLDERS = ("attempts", "snapshots", "checkpoints", "requests")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    settings = config.change(config.preset("mnist-mlp", "fop"), ["max_steps=3", "threads=1", "fop.rank=2"])
    return store.create(settings.to_json(), name="linked")


@pytest.fixture
def elsewhere(tmp_path):
    """Somebody's files, of names that a trainer removes or takes where they are a run's own."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in (".bashrc", "00000009.safetensors", "7.json", "start", "stop", "checkpoint"):
        (folder / name).write_text("{}")
    return folder


def link(run: Run, part: str, target) -> None:
    if (run.path / part).is_dir():
        (run.path / part).rmdir()
    (run.path / part).symlink_to(target)


def contents(folder) -> dict[str, tuple[bytes, int]]:
    return {each.name: (each.read_bytes(), each.stat().st_mtime_ns) for each in folder.iterdir()}


@pytest.mark.parametrize("words", [("--resume",), ("--run",), ("--from-start", "--resume")], ids=" ".join)
@pytest.mark.parametrize("part", FOLDERS)
def test_train_refuses_such_a_run_by_name_before_anything_is_written(run, elsewhere, capsys, part, words):
    link(run, part, elsewhere)
    there, ours = contents(elsewhere), sorted(os.listdir(run.path))
    state = (run.path / "state.json").read_bytes()
    assert main(["train", *words, str(run.path), "--quiet"]) == 2
    message = capsys.readouterr().err
    assert f"{run.path / part} is a link, not a folder" in message and "move it away" in message
    assert contents(elsewhere) == there
    assert sorted(os.listdir(run.path)) == ours and (run.path / "state.json").read_bytes() == state


@pytest.mark.parametrize("part", FOLDERS)
def test_no_writer_is_opened_for_such_a_run(run, elsewhere, part):
    link(run, part, elsewhere)
    there, state = contents(elsewhere), (run.path / "state.json").read_bytes()
    with pytest.raises(DamagedFile, match=f"{part} is a link"), Control(run):
        RunWriter(run, {})
    assert contents(elsewhere) == there and (run.path / "state.json").read_bytes() == state


def test_neither_a_state_nor_a_request_goes_through_a_link(run, elsewhere, capsys):
    with Control(run) as control:
        control.set("running")
        link(run, "requests", elsewhere)
        there = contents(elsewhere)
        for what in ATTEMPT_REQUESTS:
            with pytest.raises(DamagedFile, match="requests is a link"):
                run.request(what)
        assert main(["queue", "stop", run.id]) == 2
        assert "requests is a link" in capsys.readouterr().err
    with pytest.raises(DamagedFile, match="requests is a link"):
        Control(run)
    assert contents(elsewhere) == there


def test_a_run_that_is_a_link_is_not_trained(run, tmp_path, capsys):
    whole = run.path.rename(tmp_path / "whole")
    run.path.symlink_to(whole)
    before = sorted(os.listdir(whole))
    assert main(["train", "--resume", run.id, "--quiet"]) == 2
    assert f"{run.path} is a link to {whole}" in capsys.readouterr().err
    assert sorted(os.listdir(whole)) == before


@pytest.mark.parametrize("write", [start_over, lambda run: run.label(archived=True)], ids=["start over", "label"])
def test_a_run_that_is_a_link_is_neither_started_over_nor_labelled(run, tmp_path, write):
    (run.path / "checkpoints").mkdir(exist_ok=True)
    whole = run.path.rename(tmp_path / "whole")
    run.path.symlink_to(whole)
    before = {each.name: each.stat().st_mtime_ns for each in whole.iterdir()}
    with pytest.raises(DamagedFile, match="is a link to"):
        write(run)
    assert before == {each.name: each.stat().st_mtime_ns for each in whole.iterdir()}


def test_a_log_that_is_a_link_shows_nothing_of_what_it_leads_to(run, tmp_path, capsys):
    secret = tmp_path / "id_rsa"
    secret.write_text("a private key\n")
    link(run, "log.txt", secret)
    assert main(["runs", "show", run.id]) == 0
    assert "private" not in run.log() + capsys.readouterr().out
    assert f"{run.path / 'log.txt'}: a link, where a file is expected" in run.log()
