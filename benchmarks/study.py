"""Many short runs on one machine: what they take beside their training, and what starts them.

    python -m benchmarks.study [--runs 100] [--programs 5] [--launches 5]

So many runs of one epoch of MNIST wait in a queue of their own, with a slot for each core. The wall-clock seconds from
the first request to the last end, times the slots, are compared with what the runs take in all:

    process     a trainer's own seconds, from when its supervisor takes the request off the list to start it until it
                says that it is finished: data, training, snapshots, the test set
    seconds     the column of the metrics: of training alone
    program     such a run in a program of its own, one after another, which loads torch

A launch is one run by itself, from the request to its first row, where torch is loaded already.
"""

import argparse
import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.jobs import runs_folder, stop_all, wait_until
from fop_core import isolated
from fop_core.jobs import queue, slots
from fop_core.runs import store
from fop_core.runs.names import METRICS
from fop_core.runs.run import Run
from fop_core.training import config, preview, threads

SETTINGS = ("epochs=1", "threads=1")
LONGEST = 30.0  # seconds that a run may take


def made(folder: Path, seed: int) -> Run:
    """Return a new run."""
    settings = config.change(config.preset("mnist-mlp", "fop"), [*SETTINGS, f"seed={seed}"])
    return store.create(settings.to_json(), name=f"seed {seed}", folder=folder)


def many(count: int) -> dict[str, list[float]]:
    """Train so many runs in the queue; return the wall-clock seconds times slots, and what the runs took of these."""
    with runs_folder() as folder:
        there = threads.cores()
        slots.choose(folder, cpu_slots=there)
        runs = [made(folder, seed) for seed in range(count)]
        begin = time.time()
        queue.submit_all(runs)
        late = time.monotonic() + LONGEST * count
        for done, run in enumerate(runs, start=1):
            while (state := run.state).state != "finished":
                if state.state in ("failed", "lost", "stopped") or time.monotonic() > late:
                    raise SystemExit(f"{run.id} is {state.state}: {state.reason}")
                time.sleep(0.05)
            print(f"\rrun {done} of {count}", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        ends = [datetime.fromisoformat(run.state.since).timestamp() for run in runs]
        starts = [(run.path / "requests").stat().st_mtime for run in runs]
        return {
            "slot_seconds": [there * (max(ends) - begin)],
            "slot_seconds_from_first_start": [there * (max(ends) - min(starts))],
            "process": [end - start for start, end in zip(starts, ends)],
            "seconds": [seconds(run) for run in runs],
        }


def seconds(run: Run) -> float:
    """Return the seconds of training that a run has recorded."""
    run.metrics.update()
    return float(run.metrics["seconds"].values[-1])


def programs(count: int) -> list[float]:
    """Train so many runs, each in a program of its own, one after another; return the seconds of each."""
    taken = []
    with runs_folder() as folder:
        for seed in range(count):
            run = made(folder, seed)
            command = isolated.command("fop_core", "train", "--quiet", "--run", str(run.path))
            begin = time.perf_counter()
            subprocess.run(command, env=isolated.environment(), stdout=subprocess.DEVNULL, check=True)
            taken.append(time.perf_counter() - begin)
    return taken


@contextlib.contextmanager
def loaded() -> Iterator[None]:
    """Have the process that has torch loaded stay for the while, as an open page of Train does."""
    preview.preview(config.TrainConfig())
    try:
        yield
    finally:
        preview.worker.close()


def launches(count: int) -> list[float]:
    """Start so many runs, one at a time; return the seconds from the request to the first row."""
    taken = []
    with runs_folder() as folder:
        for seed in range(count):
            run = made(folder, seed)
            metrics = run.path / METRICS.format(1)
            begin = time.perf_counter()
            queue.submit(run)
            wait_until(lambda path=metrics: path.exists() and path.stat().st_size > 0, "no row was written")  # type: ignore[misc]
            taken.append(time.perf_counter() - begin)
            stop_all(folder)
    return taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100, help="in the queue")
    parser.add_argument("--programs", type=int, default=5, help="runs that load torch each")
    parser.add_argument("--launches", type=int, default=5, help="runs by themselves")
    chosen = parser.parse_args()
    load_before = measure.load()
    samples: dict[str, list[float]] = {}
    if chosen.launches:
        print("launches ...", file=sys.stderr, flush=True)
        with loaded():
            samples["launch_loaded"] = launches(chosen.launches)
    if chosen.programs:
        print("programs ...", file=sys.stderr, flush=True)
        samples["program"] = programs(chosen.programs)
    print("many ...", file=sys.stderr, flush=True)
    samples |= many(chosen.runs)
    values: dict[str, Any] = {name: measure.value(numbers, "s") for name, numbers in samples.items()}
    whole = samples["slot_seconds"][0]
    ratios = {f"slot_seconds_vs_{name}": whole / sum(samples[name]) for name in ("process", "seconds")}
    if chosen.programs:
        ratios["slot_seconds_vs_programs"] = whole / chosen.runs / statistics.median(samples["program"])
    measure.report(load_before, vars(chosen) | {"slots": threads.cores()}, ratios, values, samples)


if __name__ == "__main__":
    main()
