"""Folders that we may not write to: what waits is still listed, and every other command ends in one line."""

import shutil

import pytest

from fop_core.cli import main
from fop_core.jobs import queue, slots
from fop_core.runs.run import Run
from tests.jobs.conftest import new
from tests.permissions import permissions_hold  # noqa: F401, a fixture


@pytest.fixture
def waiting(folder, noted, permissions_hold):  # noqa: F811
    """A run that waits, in a folder where nothing can be written any more."""
    run = new(folder)
    queue.submit(run)
    shutil.rmtree(folder / ".queue")
    paths = (folder, run.path, *(path for path in run.path.iterdir() if path.is_dir()))
    for path in paths:
        path.chmod(0o555)
    yield run
    for path in paths:
        path.chmod(0o755)


def test_what_waits_is_listed(waiting: Run, capsys):
    assert main(["queue", "list"]) == 0
    listed = capsys.readouterr().out
    assert waiting.id in listed and "CPU, slot 1: free" in listed
    assert "no dispatcher can be started" in listed and "Permission denied" in listed


@pytest.mark.parametrize("words", [["stop", "RUN"], ["clear"], ["set", "--cpu-slots", "2"], ["submit"], ["resume"]])
def test_what_cannot_be_done_is_said_in_one_line(waiting: Run, folder, capsys, words):
    words = [waiting.id if word == "RUN" else word for word in words]
    words += {"submit": ["--preset", "mnist-mlp"], "resume": [waiting.id]}.get(words[0], [])
    assert main(["queue", *words]) in (1, 2)
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "Permission denied" in line or "waits in the queue already" in line
    assert queue.waiting(folder)[0].id == waiting.id
    assert slots.settings(folder) == slots.SlotSettings()
