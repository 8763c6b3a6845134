"""Metrics of long runs: how long reading them takes, and ten rows that come later, and what they take in memory.

    python -m benchmarks.metrics [--rows 1000 50000] [--rounds 5]

A reading ends when three curves of it are ready to draw. The twin parses each line by itself, and keeps nothing.
"""

import argparse
import json
import math
import multiprocessing
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import measure
from fop_core.runs import lines, store
from fop_core.runs.control import Control
from fop_core.runs.loaded import Loaded
from fop_core.runs.names import METRICS
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config

ABOUT = {"device": "cpu", "device_name": "", "threads": 1, "data": {}, "versions": {}, "commit": ""}
CURVES = ("train_loss", "train_accuracy", "grad_norm")
NEW = 10  # rows that come later


@dataclass(frozen=True)
class Rows:
    """The rows of a run, each with the sixteen columns that MNIST by plain SGD logs.

    Attributes:
        first: step; another one for each kind of run, so that a picture's end shows whose it is.
        count: of rows.
    """

    first: int
    count: int

    @property
    def end(self) -> int:
        """The step of the last one."""
        return self.first + self.count - 1

    def row(self, step: int) -> str:
        """Return the row of a step, as the trainer writes it."""
        columns = {"step": step, "epoch": step / 469, "seconds": step / 1e4, "train_loss": 2 + math.sin(step / 1e4)}
        columns |= {"train_accuracy": math.cos(step) ** 2, "samples_per_second": 1e5 * math.exp(-step / 1e7)}
        columns |= {"lr": 0.05, "grad_norm": 2 + math.cos(step)}
        columns |= {f"alignment/{layer}.weight": math.sin(layer * step) for layer in (1, 3, 5, 7)}
        columns |= {f"descent/{layer}.weight": math.cos(layer * step) for layer in (1, 3, 5, 7)}
        return json.dumps(columns) + "\n"

    def runs(self, kind: str, number: int, folder: Path) -> list[Run]:
        """Make several finished runs of them."""
        content = folder / f".{kind}"
        with open(content, "w") as file:
            file.writelines(map(self.row, range(self.first, self.end + 1)))
        made = []
        for index in range(number):
            run = store.create(config.preset("mnist-mlp", "sgd").to_json(), name=f"{kind} {index}", folder=folder)
            RunWriter(run, ABOUT).close()
            shutil.copyfile(content, run.path / METRICS.format(1))
            with Control(run) as control:
                control.set("finished")
            made.append(run)
        content.unlink()
        return made


def draw(metrics: Loaded) -> None:
    """Read what is new, and choose the points of a page's curves."""
    metrics.refresh()
    for name in CURVES:
        lines.points([[metrics]], "step", name)


def memory(path: Path) -> float:
    """Return the MB that a process takes more once it has read and drawn a run's metrics."""
    before = psutil.Process().memory_info().rss
    metrics = Loaded(str(path))
    draw(metrics)
    return (psutil.Process().memory_info().rss - before) / 1e6


def parse(path: Path) -> None:
    """Parse each line."""
    with path.open("rb") as file:
        for line in file:
            json.loads(line)


def follow(path: Path, rows: Rows, rounds: int) -> list[float]:
    """Return the seconds to read and draw new rows, each time."""
    metrics, file = Loaded(str(path)), path / METRICS.format(1)
    draw(metrics)
    seconds = []
    size = file.stat().st_size
    for number in range(rounds):
        first = rows.end + 1 + number * NEW
        with file.open("a") as grown:
            grown.writelines(map(rows.row, range(first, first + NEW)))
        begin = time.perf_counter()
        draw(metrics)
        seconds.append(time.perf_counter() - begin)
    os.truncate(file, size)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 50_000])
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    load_before = measure.load()
    ratios, values, samples = {}, {}, {}
    with tempfile.TemporaryDirectory() as name:
        for count in chosen.rows:
            rows = Rows(1, count)
            [run] = rows.runs(f"{count}", 1, Path(name))
            path, file = run.path, run.path / METRICS.format(1)
            contestants = {
                f"open_{count}": lambda path=path: draw(Loaded(str(path))),
                f"parse_{count}": lambda file=file: parse(file),
            }
            samples |= measure.by_turns(contestants, chosen.rounds)
            samples[f"follow_{count}"] = follow(path, rows, chosen.rounds)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                grown = pool.apply(memory, (path,))
            ratios[f"open_{count}_vs_parse"] = measure.ratio(samples, f"open_{count}", f"parse_{count}")
            for kind in ("open", "parse", "follow"):
                values[f"{kind}_{count}"] = measure.value([1e3 * s for s in samples[f"{kind}_{count}"]], "ms")
            values[f"file_{count}"] = measure.value([file.stat().st_size / 1e6], "MB")
            values[f"memory_{count}"] = measure.value([grown], "MB")
    measure.report(load_before, vars(chosen) | {"columns": 16, "new_rows": NEW}, ratios, values, samples)


if __name__ == "__main__":
    main()
