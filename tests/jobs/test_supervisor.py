"""A supervisor that cannot read a run's state for a while knows nothing then, and ends nobody."""

import os
import subprocess
import sys

import pytest

from fop_core.jobs import queue, supervisor
from fop_core.jobs.supervisor import Supervisor
from fop_core.runs import log_limit
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from tests import damage
from tests.jobs.conftest import new


@pytest.mark.parametrize(("kind", "replace"), damage.KINDS, ids=[kind for kind, _ in damage.KINDS])
def test_a_state_that_cannot_be_read_ends_no_trainer(folder, kind, replace):
    run = new(folder)
    with Control(run) as control:
        control.set("running")
        trainer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, process_group=0)
        try:
            over = Supervisor(run, "cpu-0", -1)
            replace(run.path / "state.json")
            over._stop(trainer)
            assert trainer.poll() is None and not over.requested_by
            damage.remove(run.path / "state.json")
            control.set("stopping", "by me", by="me")
            over._stop(trainer)
            assert over.requested_by == "me"
        finally:
            trainer.kill()
            trainer.communicate()


@pytest.mark.parametrize(("status", "state"), [(0, "finished"), (1, "failed"), (-9, "failed")])
def test_a_run_whose_state_nobody_can_read_at_its_end_is_ended_as_its_trainer_was(folder, monkeypatch, status, state):
    monkeypatch.setattr(supervisor, "UNREADABLE", 0.3)
    run = new(folder)
    with Control(run) as control:
        control.set("running")
        (run.path / "state.json").write_text("{")
        Supervisor(run, "cpu-0", -1)._conclude(control, status)
    assert run.state.state == state


def test_a_job_whose_state_cannot_be_read_can_be_stopped(folder):
    run = new(folder)
    with Control(run) as control:
        control.set("running")
        (run.path / "state.json").write_text("{")
        assert queue.stop(run, "me") is False
        assert run.requested_by("stop") == "me"
    with pytest.raises(DamagedFile, match="no JSON"):
        queue.stop(run, "me")


REPLACED = """
import os, subprocess, sys
from pathlib import Path
from fop_core.jobs import queue, supervisor

run, slot, other = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]

def start(self, control):
    run.rename(run.parent / "before")
    if other:
        run.symlink_to(other[0])
    return subprocess.Popen(["sh", "-c", "sleep 0.5; exit 1"], process_group=0)

supervisor.USAGE = 0.0
supervisor.Supervisor._start = start
queue.ensure_dispatcher = lambda folder: print("a dispatcher is there")
supervisor.supervise(run, "cpu-0", os.open(slot, os.O_CREAT))
"""


@pytest.mark.parametrize("by_link", [False, True])
def test_a_job_whose_run_is_moved_away_frees_its_slot_and_leaves_others_alone(folder, tmp_path, by_link):
    run, other = new(folder), new(tmp_path / "others")
    with Control(other) as control:
        control.set("finished")
    run.request("start")
    before = {path: path.lstat().st_mtime_ns for path in [other.path, *other.path.rglob("*")]}
    command = [sys.executable, "-c", REPLACED, run.path, tmp_path / "slot", *([other.path] if by_link else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "how it ended cannot be written: " in done.stdout and "a dispatcher is there" in done.stdout
    assert ("is a link to" if by_link else "is gone") in done.stdout
    assert {path: path.lstat().st_mtime_ns for path in [other.path, *other.path.rglob("*")]} == before


def test_a_log_that_is_too_long_keeps_its_beginning_and_what_comes_after(folder, monkeypatch):
    monkeypatch.setattr(log_limit, "LIMIT", 1000)
    run, other = new(folder), new(folder)
    limit = log_limit.LogLimit(run)
    limit.enforce()  # of no log
    log = run.open_log()
    os.write(log, b"begun\n" + b"x" * 994)
    limit.enforce()
    assert run.log() == "begun\n" + "x" * 994 and limit.words == ""
    for _ in range(3):
        os.write(log, b"y" * 600)
        limit.enforce()
    os.write(log, b"the end\n")
    os.close(log)
    text = run.log()
    assert text.startswith("begun\nxxx") and text.endswith("the end\n") and len(text) <= 1000
    assert text.count("[here ") == 1 and f"\n[here {limit.words}]\n" in text and limit.left_out > 1500
    (other.path / "log.txt").symlink_to(run.path / "log.txt")
    monkeypatch.setattr(log_limit, "LIMIT", 10)
    log_limit.LogLimit(other).enforce()
    assert run.log() == text
