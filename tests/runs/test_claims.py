"""Who owns a run across hosts: the last claim. An attempt that lost it writes nothing any more."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fop_core.jobs import queue
from fop_core.runs import claims, files, stamps, store
from fop_core.runs.claims import Superseded
from fop_core.runs.control import Control, start_over
from fop_core.runs.files import RunError
from fop_core.runs.run_writer import RunWriter


@pytest.fixture
def run(tmp_path):
    return store.create({"log_every": 1}, name="one", folder=tmp_path)


def contents(path):
    """Return all files of a directory, as they are; the time of the folder of claims is not one."""
    return {each: each.read_bytes() for each in path.rglob("*") if each.is_file() and each.name != ".reserve"}


def test_of_many_processes_each_gets_a_number_of_its_own(run):
    program = "import sys; from fop_core.runs import claims; from fop_core.runs.run import Run\n"
    program += "print(*[claims.claim(Run(sys.argv[1]), host=str(n)) for n in range(25)])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(run.path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    numbers = [int(word) for each in started for word in each.communicate()[0].split()]
    assert sorted(numbers) == list(range(1, 101))
    assert claims.last(run) == 100


def test_an_attempt_that_lost_its_claim_writes_nothing(run):
    first = claims.claim(run, scheduler="Slurm", job="job 7_0", host="n1")
    control = Control(run, claim=first)
    control.set("running")
    writer = RunWriter(run, {"device": "cpu"}, claim=first)
    writer.row({"step": 1, "train_loss": 2.0})
    writer.checkpoint(1, {"a": np.zeros(2)}, {"step": 1})
    run.request("stop", "me")
    claims.claim(run, scheduler="Slurm", job="job 7_0", host="n2")
    before = contents(run.path)
    for write in (
        lambda: writer.row({"step": 2, "train_loss": 1.0}),
        lambda: writer.snapshot(2, {"a": np.ones(2)}),
        lambda: writer.checkpoint(2, {"a": np.ones(2)}, {"step": 2}),
        lambda: writer.progress({"step": 2, "steps": 9}),
        writer.requests,
        lambda: control.set("finished"),
        lambda: control.usage({"memory": 1}),
        lambda: RunWriter(run, {"device": "cpu"}, claim=first),
    ):
        with pytest.raises(Superseded, match="attempt 2 of job 7_0 on n2 owns it"):
            write()
    writer.close()
    control.release()
    assert contents(run.path) == before
    assert run.requested_by("stop") == "me"  # the next attempt hears of it


def test_what_a_schedulers_job_works_on_nobody_else_takes_removes_or_starts_over(run):
    with Control(run, claim=claims.claim(run, scheduler="Slurm", job="job 7_0", host="n1")) as control:
        control.set("running")
    assert not run.held() and run.state.state == "running"  # no lock, and yet not lost
    assert run.state.scheduler == "Slurm, job 7_0"
    for use in (lambda: Control(run), run.delete, run.remove, lambda: start_over(run)):
        with pytest.raises(RunError, match="already being worked on: by Slurm, job 7_0"):
            use()


def test_whoever_takes_a_run_after_a_schedulers_job_keeps_that_out(run):
    with Control(run, claim=claims.claim(run, scheduler="Slurm", job="job 7_0")) as theirs:
        theirs.set("running")
        again = claims.claim(run, scheduler="Slurm", job="job 7_0")
        with Control(run, claim=again) as watched:
            watched.set("lost", "its node failed")
        with Control(run) as ours:
            ours.set("queued")
            assert ours.claim == again + 1
            RunWriter(run, {"device": "cpu"}, claim=ours.claim).close()
            ours.set("running")  # by its own attempt nobody is kept out
        with pytest.raises(Superseded):
            theirs.set("running")
    assert run.state.state == "lost"  # the lock tells again


def test_an_attempt_that_was_claimed_and_never_begun_is_no_attempt(run):
    claims.claim(run, scheduler="Slurm", job="job 7_0", host="n1")
    second = claims.claim(run, scheduler="Slurm", job="job 7_0", host="n2")
    RunWriter(run, {"device": "cpu"}, from_step=0, claim=second).close()
    (attempt,) = run.attempts
    assert (attempt["attempt"], attempt["host"], attempt["job"]) == (2, "n2", "job 7_0")
    assert run.attempt_numbers() == [2]  # whose threads later ones take
    (run.path / "attempts/2.json").unlink()
    with pytest.raises(FileNotFoundError):  # it left metrics
        _ = run.attempts


def test_without_a_scheduler_nothing_is_claimed(run):
    with Control(run) as control:
        control.set("running")
        assert control.claim is None
        RunWriter(run, {"device": "cpu"}).close()
        RunWriter(run, {"device": "cpu"}).close()
    assert sorted(os.listdir(run.path / "attempts")) == ["1.json", "2.json"]


def test_a_state_that_names_a_scheduler_is_believed_where_a_claim_names_the_same_job(run, monkeypatch):
    """A run that was unpacked may say anything; no lock contradicts that a scheduler has it."""
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    alive = {"state": "running", "reason": "", "since": stamps.now(), "scheduler": "Slurm, job 7_0"}
    files.write_json(run.path / "state.json", alive)
    claims.claim(run, host="n1")
    claims.claim(run, scheduler="Slurm", job="job 7_1", host="n1")
    assert run.state.state == "lost"
    with pytest.raises(RunError, match="is lost: there is nothing to stop"):
        queue.stop(run)
    queue.submit(run)
    run.withdraw("start")
    number = claims.claim(run, scheduler="Slurm", job="job 7_0", host="n1")
    claims.claim(run, scheduler="Slurm", job="job 7_2", host="n1")  # which has not said so yet
    assert run.state.state == "running"
    with pytest.raises(RunError, match=f"by Slurm, job 7_0; .*unpacked, remove .*attempts/{number}.claim"):
        run.delete()
    (run.path / "attempts" / f"{number}.claim").unlink()
    files.write_json(run.path / "state.json", alive)
    run.delete().remove()
