"""Metrics of long runs: how long reading them takes, and ten rows that come later, and what they take in memory.

    python -m benchmarks.metrics [--rows 1000 50000] [--rounds 5]

A reading ends when three curves of it are ready to draw. The twin parses each line by itself, and keeps nothing.
"""

import argparse
import json
import math
import multiprocessing
import os
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil

from benchmarks import measure
from fop_core.runs import lines, store
from fop_core.runs.loaded import Loaded
from fop_core.runs.names import METRICS
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config

ABOUT = {"device": "cpu", "device_name": "", "threads": 1, "data": {}, "versions": {}, "commit": ""}
CURVES = ("train_loss", "train_accuracy", "grad_norm")
NEW = 10  # rows that come later


def row(step: int) -> str:
    """Return the row of a step, with the sixteen columns that MNIST by plain SGD logs, as the trainer writes it."""
    columns = {"step": step, "epoch": step / 469, "seconds": step / 1e4, "train_loss": 2 + math.sin(step / 1e4)}
    columns |= {"train_accuracy": math.cos(step) ** 2, "samples_per_second": 1e5 * math.exp(-step / 1e7)}
    columns |= {"lr": 0.05, "grad_norm": 2 + math.cos(step)}
    columns |= {f"alignment/{layer}.weight": math.sin(layer * step) for layer in (1, 3, 5, 7)}
    columns |= {f"descent/{layer}.weight": math.cos(layer * step) for layer in (1, 3, 5, 7)}
    return json.dumps(columns) + "\n"


def run(count: int, folder: Path) -> Path:
    """Make a run of so many rows, and return its directory."""
    made = store.create(config.preset("mnist-mlp", "sgd").to_json(), folder=folder)
    RunWriter(made, ABOUT).close()
    with (made.path / METRICS.format(1)).open("w") as file:
        file.writelines(map(row, range(1, count + 1)))
    return made.path


def draw(metrics: Loaded) -> None:
    """Read what is new, and choose the points of a page's curves."""
    metrics.refresh()
    for name in CURVES:
        lines.points([[metrics]], "step", name)


def open_and_draw(path: Path) -> None:
    """Open the metrics of a run, and draw them."""
    draw(Loaded(str(path)))


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


def follow(path: Path, count: int, rounds: int) -> list[float]:
    """Return the seconds to read and draw new rows, each time."""
    metrics, file = Loaded(str(path)), path / METRICS.format(1)
    draw(metrics)
    seconds = []
    size = file.stat().st_size
    for number in range(rounds):
        first = count + 1 + number * NEW
        with file.open("a") as grown:
            grown.writelines(map(row, range(first, first + NEW)))
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
    ratios, values = {}, {}
    samples: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for count in chosen.rows:
            path = run(count, Path(name))
            file = path / METRICS.format(1)
            contestants = {
                f"open_{count}": partial(open_and_draw, path),
                f"parse_{count}": partial(parse, file),
            }
            samples |= measure.by_turns(contestants, chosen.rounds)
            samples[f"follow_{count}"] = follow(path, count, chosen.rounds)
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
