"""Studies on one machine: what many short runs take beside their training, and how a large study opens.

    python -m benchmarks.study [--runs 100] [--programs 5] [--launches 5] [--cells 2000] [--openings 3] [--ticks 20]

So many runs of one epoch of MNIST wait in a queue of their own, with a slot for each core. The wall-clock seconds from
the first request to the last end, times the slots, are compared with what the runs take in all:

    process     a trainer's own seconds, from when its supervisor takes the request off the list to start it until it
                says that it is finished: data, training, snapshots, the test set
    seconds     the column of the metrics: of training alone
    program     such a run in a program of its own, one after another, which loads torch

A launch is one run by itself, from the request to its first row, where torch is loaded already.

A study of so many cells, whose runs have ended, is opened in a browser, as in ``benchmarks.jobs``: at first by a new
server, which has read nothing of it yet but what is kept beside it, and then again.
"""

import argparse
import contextlib
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.jobs import DRAWN, SETTLE, clock, note, runs_folder, stop_all, tab, unit, wait_until
from fop_core import isolated
from fop_core.jobs import queue, slots
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.names import METRICS
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.studies import protocol
from fop_core.studies import store as studies
from fop_core.studies.cells import cells as all_cells
from fop_core.training import config, preview, threads
from scripts.screenshots import running_app, running_browser

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
        starts = [run.requests_path().stat().st_mtime for run in runs]
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
    durations = []
    with runs_folder() as folder:
        for seed in range(count):
            run = made(folder, seed)
            command = isolated.command("fop_core", "train", "--quiet", "--run", str(run.path))
            begin = time.perf_counter()
            subprocess.run(command, env=isolated.environment(), stdout=subprocess.DEVNULL, check=True)
            durations.append(time.perf_counter() - begin)
    return durations


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
    durations = []
    with runs_folder() as folder:
        for seed in range(count):
            run = made(folder, seed)
            metrics = run.path / METRICS.format(1)
            begin = time.perf_counter()
            queue.submit(run)
            wait_until(lambda path=metrics: path.exists() and path.stat().st_size > 0, "no row was written")  # type: ignore[misc]
            durations.append(time.perf_counter() - begin)
            stop_all(folder)
    return durations


# A large study --------------------------------------------------------------------------------------------------------

HEADED = "() => document.body.innerText.includes('runs ended')"
POINTS = 20  # of the rate
METHODS = 2


def large(cells: int, openings: int, ticks: int) -> dict[str, list[float]]:
    """Open a study of so many cells; return s until its head and its first picture are drawn, and ms of CPU to tick."""
    samples: dict[str, list[float]] = {}
    with runs_folder() as folder, running_browser() as browser:
        address = f"studies?study={fill(folder, cells)}"
        for _ in range(openings):
            with running_app() as app:
                looking = tab(browser, clock())
                for which in ("open_study_first", "open_study"):
                    note(samples, which, looking.opens(f"{app}/{address}", HEADED))
                    note(samples, f"{which}_drawn", looking.timed(lambda: None, DRAWN))
                    looking.page.wait_for_timeout(SETTLE)
                samples.setdefault("tick_study", []).extend(looking.ticks(math.ceil(ticks / openings)))
                looking.page.context.close()
    return samples


def fill(folder: Path, cells: int) -> str:
    """Write down a study and what its runs measured; return its id."""
    seeds = list(range((cells - METHODS) // (METHODS * POINTS)))  # beside a fresh one for each method
    rates = [round(0.001 * 1.3**index, 6) for index in range(POINTS)]
    about = {"name": "large", "methods": ["momentum", "fop"], "axes": [{"field": "optimizer.lr", "values": rates}]}
    stored = studies.create(protocol.parse(about | {"seeds": seeds, "fresh_seeds": [len(seeds)]}), folder)
    with studies.changing(stored.id, folder) as changed:
        for index, cell in enumerate(all_cells(changed.study, {})):
            run = store.create(cell.config.to_json(), name=cell.key, folder=folder)
            writer = RunWriter(run, {"device": "cpu", "device_name": "", "threads": 1, "versions": {}, "data": {}})
            for epoch in range(1, 11):
                measured = {"held_out_accuracy": 0.9 + 0.001 * math.sin(index + epoch), "held_out_loss": 1 / epoch}
                writer.row({"step": 50 * epoch, "epoch": epoch, "seconds": epoch, "train_loss": 1 / epoch} | measured)
            writer.progress({"step": 500, "steps": 500, "epoch": 10.0, "epochs": 10, "share": 1.0, "seconds": 10.0})
            writer.close()
            with Control(run) as control:
                control.set("finished")
            changed.runs[cell.key] = run.id
    print(f"{len(changed.runs):,} runs written down", file=sys.stderr)
    return stored.id


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100, help="in the queue")
    parser.add_argument("--programs", type=int, default=5, help="runs that load torch each")
    parser.add_argument("--launches", type=int, default=5, help="runs by themselves")
    parser.add_argument("--cells", type=int, default=2_000, help="of the study that is opened; 0: none is")
    parser.add_argument("--openings", type=int, default=3, help="of that study")
    parser.add_argument("--ticks", type=int, default=20, help="of its page")
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
    ratios: dict[str, float] = {}
    if chosen.runs:
        print("many ...", file=sys.stderr, flush=True)
        samples |= many(chosen.runs)
        whole = samples["slot_seconds"][0]
        ratios |= {f"slot_seconds_vs_{name}": whole / sum(samples[name]) for name in ("process", "seconds")}
        if chosen.programs:
            ratios["slot_seconds_vs_programs"] = whole / chosen.runs / statistics.median(samples["program"])
    values: dict[str, Any] = {name: measure.value(numbers, "s") for name, numbers in samples.items()}
    if chosen.cells:
        print("large study ...", file=sys.stderr, flush=True)
        opened = large(chosen.cells, chosen.openings, chosen.ticks)
        values |= {name: measure.value(numbers, unit(name)) for name, numbers in opened.items()}
        samples |= opened
    measure.report(load_before, vars(chosen) | {"slots": threads.cores()}, ratios, values, samples)


if __name__ == "__main__":
    main()
