"""The runs of the comparison: those that are there are taken in, the others trained."""

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.small_net.plan import (
    CONFIRMED_ON,
    HELD_OUT,
    METHODS,
    PRESET,
    TUNED_ON,
    Cell,
    Tuned,
    best,
    defaults,
    sweep,
)
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.training import config
from fop_core.training.config import ConfigError, TrainConfig


class Unfinished(Exception):
    """A run that has not ended, where none is to be trained; says which."""


class Runs:
    """The runs of a folder by their settings.

    Args:
        folder: where they are.
        train: whether one that is missing is trained.
        device: where.
        side_by_side: how many at a time.
    """

    def __init__(self, folder: Path, train: bool = True, device: str = "cpu", side_by_side: int = 1) -> None:
        self.folder, self.train, self.device = folder, train, device
        self._slots = threading.Semaphore(side_by_side)
        self._by_settings: dict[str, Run] = {}
        for run, damage in store.scan(folder):
            if not damage:
                self._add(run)

    def _add(self, run: Run) -> None:
        try:
            settings = _text(config.parse(run.config))
        except ConfigError:
            return  # none of ours
        if settings not in self._by_settings or ended(run):
            self._by_settings[settings] = run

    def run(self, cell: Cell) -> Run:
        """Return the run of a cell once it has ended, its metrics read.

        Raises:
            Unfinished: where it has not, and none is to be trained.
            RuntimeError: where it ends in another way than by its last step or by divergence.
        """
        cell = replace(cell, device=self.device)
        settings = _text(cell.config)
        run = self._by_settings.get(settings)
        if run is None or not ended(run):
            if not self.train:
                raise Unfinished(cell.name)
            if run is None:
                lineage = {"preset": PRESET, "method": METHODS[cell.method][0], "set": cell.changes}
                tags = ("small-net", "tune" if cell.held_out else "confirm")
                run = store.create(json.loads(settings), name=cell.name, tags=tags, lineage=lineage, folder=self.folder)
                self._by_settings[settings] = run
            with self._slots:
                begin = time.perf_counter()
                trained(run)
                print(f"{cell.name}: {_ending(run)}, {time.perf_counter() - begin:.0f} s", flush=True)
        run.metrics.update()
        return run

    def all(self, cells: Sequence[Cell]) -> list[Run]:
        """Return the runs of several cells, as ``run`` does, trained side by side where there are slots for them."""
        with ThreadPoolExecutor(len(cells)) as pool:
            return list(pool.map(self.run, cells))

    def scores(self, cells: Sequence[Cell]) -> list[float]:
        """Return the scores of several cells, likewise."""
        self.all(cells)
        return [self.score(cell) for cell in cells]

    def score(self, cell: Cell) -> float:
        """Return the accuracy on the held-out images at the end of a cell's run, minus infinity where it diverged."""
        run = self.run(cell)
        finished = run.state.state == "finished"
        return float(run.metrics["held_out_accuracy"].values[-1]) if finished else -math.inf


def _text(settings: TrainConfig) -> str:
    return json.dumps(settings.to_json(), sort_keys=True)


def ended(run: Run) -> bool:
    """Return whether there is nothing left to train: it is finished, or diverged."""
    return run.state.state == "finished" or run.state.cause == "diverged"


def _ending(run: Run) -> str:
    accuracy = run.progress.get("held_out_accuracy", run.progress.get("test_accuracy", math.nan))
    return f"{accuracy:.2%}" if run.state.state == "finished" else run.state.reason


def trained(run: Run) -> None:
    """Train a run to its end, in a process of its own, and write what that used, CPU and memory, into its notes.

    Raises:
        RuntimeError: where it does not get there.
    """
    command = [sys.executable, "-m", "fop_core", "train", "--run", str(run.path), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # of this child alone, unlike getrusage's
    process.returncode = os.waitstatus_to_exitcode(status)
    if not ended(run):
        raise RuntimeError(f"{run.id} is {run.state.state}: {run.state.reason or f'exit status {process.returncode}'}")
    megabytes = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    cpu = usage.ru_utime + usage.ru_stime
    run.label(notes=f"peak memory {megabytes:.0f} MB, CPU {cpu:.0f} s")


def tune(method: str, runs: Runs) -> Tuned:
    """Return how a method does on the held-out images by epsilon, and at the best one by rho."""
    rate, rho = defaults(method)
    rates = sweep(rate, lambda some: runs.scores([Cell(method, each, rho, TUNED_ON, HELD_OUT) for each in some]))
    if rho is None:
        return Tuned(rates, {})
    chosen = best(rates)
    rhos = sweep(rho, lambda some: runs.scores([Cell(method, chosen, each, TUNED_ON, HELD_OUT) for each in some]))
    return Tuned(rates, rhos)


def confirm(method: str, tuned: Tuned, runs: Runs) -> list[Run]:
    """Return the runs of a method as tuned, one for each fresh seed."""
    return runs.all([Cell(method, tuned.rate, tuned.rho, seed, 0.0) for seed in CONFIRMED_ON])
