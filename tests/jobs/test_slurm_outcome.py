"""What becomes of a run by what Slurm says of its job; Slurm itself is in tests/slurm."""

import json
import os

import pytest

from fop_core.jobs import requests
from fop_core.jobs.launcher_settings import Slurm
from fop_core.jobs.launchers.slurm import batch as batches
from fop_core.jobs.launchers.slurm import outcome
from fop_core.jobs.launchers.slurm.outcome import Watched
from fop_core.jobs.launchers.slurm.scheduler import Job
from fop_core.runs import claims
from fop_core.runs.control import Control
from tests.jobs.conftest import new


@pytest.fixture
def batch(folder, monkeypatch):
    monkeypatch.setattr(outcome, "GRACE", 0.0)
    monkeypatch.setattr(outcome.scheduler, "ending", lambda id_: "")
    run = new(folder)
    run.request("start", "me", **requests.content(1))
    made = batches.make(folder, requests.waiting(folder), Slurm(), gpu=False)
    made.job = "7"
    return made


def begin(run, state="running"):
    """Be the job on its node."""
    control = Control(run, claim=claims.claim(run, scheduler="Slurm", job="job 7_0", host="n1"))
    control.set("starting")
    run.withdraw("start")
    control.set(state)
    return control


def see(batch, state, times=2, watched=None):
    watched = watched or Watched()
    (id_,) = batch.groups[0]
    fates = [watched.settle(batch, id_, Job("7", 0, batch.name, state)) for _ in range(times)]
    return batch.run(id_), fates


@pytest.mark.parametrize(
    ("job", "state", "words", "by"),
    [
        ("COMPLETED", "lost", "is over at step 0", ""),
        ("NODE_FAIL", "lost", "NODE_FAIL", ""),
        ("", "lost", "it does not know any more how", ""),
        ("OUT_OF_MEMORY", "failed", "ran out of memory", ""),
        ("CANCELLED", "stopped", "by scancel", "scancel"),
    ],
)
def test_a_run_whose_job_is_over_is_ended_and_its_process_writes_no_more(batch, job, state, words, by):
    run = batch.run(batch.groups[0][0])
    control = begin(run)
    run, fates = see(batch, job)
    assert fates == ["held", "released"]  # once is not enough: two looks are two moments
    assert (run.state.state, run.state.by) == (state, by) and words in run.state.reason
    with pytest.raises(claims.Superseded):
        control.set("finished")


def test_a_stop_that_was_asked_for_is_what_ended_it(batch):
    run = batch.run(batch.groups[0][0])
    begin(run)
    run.request("stop", "me")
    run, _ = see(batch, "CANCELLED")
    assert (run.state.state, run.state.by) == ("stopped", "me")


def test_a_run_whose_job_begins_again_is_queued_and_asked_for_as_before(batch):
    run = batch.run(batch.groups[0][0])
    order = requests.read(run).order
    begin(run)
    run, fates = see(batch, "PENDING")
    assert fates == ["held", "held"] and run.state.state == "queued"
    assert requests.read(run).order == order and requests.read(run).mine
    control = begin(run)  # and it does
    run, _ = see(batch, "RUNNING")
    assert run.state.state == "running"
    control.set("finished")
    assert see(batch, "COMPLETED")[1] == ["released", "released"]


def test_a_job_that_begins_between_two_looks_is_not_taken_for_one_that_waits(batch):
    run, watched = batch.run(batch.groups[0][0]), Watched()
    begin(run)
    see(batch, "PENDING", 1, watched)  # Slurm was asked before it began
    see(batch, "RUNNING", 1, watched)
    see(batch, "PENDING", 1, watched)
    assert run.state.state == "running"


def test_a_job_that_ends_before_its_run_begins_fails_it_with_what_it_said(batch):
    batch.output(0).write_text("/nowhere/python: not found\n")
    run, fates = see(batch, "FAILED")
    assert fates[-1] == "released" and run.state.state == "failed" and not run.has_request("start")
    assert "(FAILED): /nowhere/python: not found" in run.state.reason


@pytest.mark.parametrize("state", ["NODE_FAIL", "PREEMPTED", "TIMEOUT", ""])
def test_a_job_that_never_came_to_its_run_leaves_it_queued_for_the_next(batch, state):
    run, fates = see(batch, state)
    assert fates[-1] == "released" and run.state.state == "queued" and run.has_request("start")


def test_a_run_that_is_asked_for_anew_is_no_business_of_the_batch_before(batch):
    run = batch.run(batch.groups[0][0])
    run.request("start", "me", **requests.content(2))
    run, fates = see(batch, "CANCELLED")
    assert fates == ["released", "released"] and run.state.state == "queued" and run.has_request("start")


def test_a_run_that_is_gone_is_nobodys(batch):
    run = batch.run(batch.groups[0][0])
    run.delete()
    assert see(batch, "PENDING", 1)[1] == ["released"]


def test_a_batch_is_read_back_and_one_that_others_could_have_written_is_not(batch):
    batch.save()
    assert batches.read(batch.path) == batch
    content = json.loads(batch.path.read_text())
    for wrong in ({"groups": [["../x"]]}, {"requests": {}}, {"job": 7}, {"more": 1}):
        batch.path.write_text(json.dumps(content | wrong))
        with pytest.raises(ValueError, match="no batch"):
            batches.read(batch.path)
        assert list(batches.all_of(batch.folder)) == []  # it is left alone, and the others are looked after
    batch.path.parent.chmod(0o777)
    with pytest.raises(ValueError, match="others than us may write"):
        batches.read(batch.path)


def test_a_batch_is_read_from_the_folder_that_was_looked_at(batch, monkeypatch):
    batch.save()
    home = batch.path.parent
    other = home.with_name("other")
    other.mkdir()
    (other / batch.path.name).write_text(batch.path.read_text().replace('"job": "7"', '"job": "666"'))
    looks, looked_at = {name: getattr(os, name) for name in ("lstat", "fstat")}, {"number": home.stat().st_ino}

    def replaced(name, *arguments, **more):
        status = looks[name](*arguments, **more)
        if status.st_ino == looked_at.get("number") and looked_at.clear() is None:
            home.rename(home.with_name("before"))
            other.rename(home)
        return status

    for name in looks:
        monkeypatch.setattr(os, name, lambda *arguments, name=name, **more: replaced(name, *arguments, **more))
    assert batches.read(batch.path).job == "7"
    assert not other.exists()


def test_what_sbatch_is_told(batch):
    chosen = Slurm(
        partition="gpu", account="me", gpus="a100:1", cpus=4, memory="8G", time_limit="1:00:00", at_once=5,
        lines=("#SBATCH --qos=low", "module load cuda"),
    )  # fmt: skip
    batch.gpu = True
    batch.groups = [["a"], ["b"], ["c"]]
    options = batches.options(batch, chosen)
    for option in (
        "--array=0-2%5",
        "--requeue",
        "--open-mode=append",
        "--signal=B:TERM@120",
        "--partition=gpu",
        "--account=me",
        "--gres=gpu:a100:1",
        "--cpus-per-task=4",
        "--mem=8G",
        "--time=1:00:00",
    ):
        assert option in options
    lines = batches.script(batch, chosen).splitlines()
    assert lines[:3] == ["#!/bin/sh", "#SBATCH --qos=low", "module load cuda"]
    assert lines[-1].startswith("exec ") and lines[-1].endswith(f"task {batch.path}")
    batch.groups, batch.side_by_side = [["a", "b"], ["c"]], True
    options = batches.options(batch, chosen.model_copy(update={"side_by_side": True}))
    assert {"--cpus-per-task=8", "--mem=16G", "--array=0-1%5"} <= set(options)
