"""A runs folder, short runs, and a launcher that only notes what it would have started."""

import os
import time
from pathlib import Path

import pytest

from fop_core.jobs import dispatcher, queue, slots
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.training import config, threads

SETTINGS = ["max_steps=30", "threads=1", "snapshots=2", "fop.rank=2"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return folder


def new(folder: Path, *settings: str) -> Run:
    chosen = config.change(config.preset("mnist-mlp", "fop"), [*SETTINGS, *settings])
    return store.create(chosen.to_json(), name="short", folder=folder)


def wait(run: Run, *states: str, seconds: float = 90) -> Run:
    end = time.monotonic() + seconds
    while run.state.state not in states:
        if time.monotonic() > end:
            raise AssertionError(f"{run.state} and not {states}:\n{run.log()}")
        time.sleep(0.05)
    return run


class Noted(dispatcher.Starter):
    """Starts nothing, and notes what it would have started; slots stay taken."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.locks: list[int] = []

    def launch(self, waiting, slot):
        lock = slots.take(slot, waiting.run.id)
        if lock is None:
            return False
        self.locks.append(lock)
        self.started.append(waiting.run.id)
        (waiting.run.path / "requests/start").unlink()
        return True


@pytest.fixture
def noted(monkeypatch):
    monkeypatch.setattr(queue, "_start", lambda folder: None)  # the test is the dispatcher
    monkeypatch.setattr(threads, "cores", lambda: 64)  # nothing takes any
    noted = Noted()
    yield noted
    for lock in noted.locks:
        os.close(lock)
