"""Threads of a run suit its network and the cores, stay those of its first attempt, and never outnumber the cores."""

import json
import os

import pytest
import torch
from threadpoolctl import threadpool_info

from fop_core.jobs import cores, dispatcher, queue, slots
from fop_core.runs import claims, store
from fop_core.runs.control import Control
from fop_core.training import build, config, fork, loop, threads
from tests.jobs.conftest import Noted
from tests.training.tiny import SETTINGS

SMALL = config.preset("mnist-mlp", "fop")
OPEN = [
    *(word for word in SETTINGS if not word.startswith("threads")),
    "threads=0",
    "max_steps=6",
    "checkpoint_steps=3",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return tmp_path


def new(folder, *settings, made=SMALL):
    return store.create(config.change(made, settings).to_json(), folder=folder)


def trained(run, **options):
    with Control(run) as control:
        assert loop.train(run, control, print, **options) == "finished", run.state
    return run


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ([], 1),
        (["fop.rank=784"], 3),
        (["fop.preconditioner=factored"], 3),
        (["fop.preconditioner=diagonal"], 1),
        (["model.width=4"], 2),
        (["model.width=16"], 29),
        (["batch_size=1024"], 3),
    ],
)
def test_a_small_network_has_one_thread_and_a_large_one_more(settings, count):
    assert threads.suitable(config.change(SMALL, settings)) == count


def test_what_suits_is_bounded_by_the_cores_and_by_what_openmp_is_told(monkeypatch):
    wide, convolutions = config.change(SMALL, ["model.width=16"]), config.preset("cifar10-allcnn-small", "fop")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [threads.choose(made, 8) for made in (SMALL, wide, convolutions)] == [1, 8, 8]
    assert threads.choose(wide, 0) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert [threads.choose(made, 8) for made in (SMALL, wide, convolutions)] == [1, 3, 3]
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert threads.choose(wide, 8) == 8


def test_a_containers_share_of_the_cpu_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "cpu.max")
    there = threads.cores()
    for text, count in (("max 100000", there), ("150000 100000", 1), ("50000 100000", 1), ("99900000 100000", there)):
        (tmp_path / "cpu.max").write_text(text)
        assert threads.cores() == count


def test_a_run_keeps_the_threads_of_its_first_attempt(folder):
    run = trained(new(folder, *OPEN, "model.width=1", "batch_size=1024"), cores=2)
    assert run.attempt(1)["threads"] == 2
    assert threads.of(run, 7) == 2
    (run.path / "attempts/1.json").write_text("{")
    assert threads.of(run, 7) == 3  # as of a new one


def test_a_first_attempt_that_was_claimed_and_never_begun_is_none(folder):
    run = new(folder, *OPEN, "model.width=1", "batch_size=1024")
    claims.claim(run)
    with Control(run, claim=claims.claim(run)) as control:
        assert loop.train(run, control, cores=2) == "finished"
    assert run.attempt_numbers() == [2] and threads.of(run, 7) == 2


def test_settings_come_before_everything(folder):
    run = new(folder, *OPEN, "threads=3")
    assert threads.of(run, 7) == 3


def test_a_fork_has_its_parents_threads_where_settings_leave_them_open(folder):
    run = trained(new(folder, *OPEN, "model.width=1", "batch_size=1024"), cores=2)
    child = fork.create(fork.plan(run, matrices="frozen", at=3))
    assert child.config["threads"] == 0 and threads.of(child, 1) == threads.of(child, 7) == 2
    grandchild_lineage = threads.inherited(child)
    assert grandchild_lineage == {"threads": 2}
    fixed = trained(new(folder, *OPEN, "threads=1"))
    assert "threads" not in fork.plan(fixed, matrices="frozen", at=3).lineage


def test_numpy_has_as_many_threads_as_torch_for_the_while():
    before = torch.get_num_threads(), [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]
    assert before[1]
    with build.threads(1):
        assert torch.get_num_threads() == 1
        assert {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"} == {1}
    assert before == (
        torch.get_num_threads(),
        [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"],
    )


def test_each_slot_has_its_share_of_the_cores(folder, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    for count, share in ((1, 8), (2, 4), (3, 2), (8, 1), (20, 1), (0, 8)):
        slots.choose(folder, cpu_slots=count)
        assert cores.share(folder) == share


def test_jobs_never_have_more_threads_than_there_are_cores_but_for_one_alone(folder, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    slots.choose(folder, cpu_slots=4)
    wants = [2, 1, 3, 1, 6, 1]
    runs = [new(folder, f"threads={count}") for count in wants]
    queue.submit_all(runs)
    noted = Noted()
    works = dispatcher.Dispatcher(folder, noted)

    def step(done: int) -> list[int]:
        for _ in range(done):
            os.close(noted.locks.pop(0))
            noted.started.pop(0)
        works.step()
        return [runs.index(next(run for run in runs if run.id == id_)) for id_ in noted.started]

    try:
        assert step(0) == [0, 1]  # 2 + 1, and 3 do not fit any more; those behind wait for their turn
        assert queue.waits_for(runs[2]) == "for cores: it has 3 threads, and jobs use 3 of 4 cores"
        assert step(1) == [1, 2]
        assert step(1) == [2, 3]
        assert step(1) == [3]
        assert step(1) == [4]  # 6, by itself
        assert "jobs use 6 of 4 cores" in queue.waits_for(runs[5])
        assert step(1) == [5]
    finally:
        for lock in noted.locks:
            os.close(lock)


def test_a_lineage_of_no_number_of_threads_is_refused(folder):
    run = new(folder)
    about = json.loads((run.path / "run.json").read_text())
    about["lineage"] = {"threads": "two"}
    (run.path / "run.json").write_text(json.dumps(about))
    with pytest.raises(ValueError, match="threads"):
        threads.of(store.find(str(run.path)), 2)
