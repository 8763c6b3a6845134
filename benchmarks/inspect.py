"""The Preconditioners page: how soon a run opens, how many frames the cursor makes, how much is sent.

    python -m benchmarks.inspect [--snapshots 300] [--layers 9] [--rounds 5]

The app runs on a free port over a runs folder made for this, and Chromium at 1280 x 900 looks on. A run of many
snapshots of spatial layers, whose M walk at random from the identity, is opened and played from end to end; a frame
counts where the pixels of the matrix have changed since the one before. Of the gallery's MNIST run with a 784 x 784 M
the seconds count until its matrix is drawn. CPU time is the server's, of all its threads.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from playwright.sync_api import Browser

from benchmarks import frames, measure
from benchmarks.jobs import Tab, clock, tab
from benchmarks.metrics import ABOUT
from fop_core.runs import learned, store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config
from scripts.screenshots import ROOT, running_app, running_browser

EVERY = 20  # steps from one snapshot to the next
FULL = "mnist-fop-full-seed0"
DRAWN = "step => document.querySelector('.fop-matrix-field')?.dataset.step === String(step)"


def made(folder: Path, snapshots: int, layers: int) -> Run:
    """Make a finished run of so many snapshots, M of each layer [9, 9], and the rows that go with them."""
    run = store.create(config.preset("cifar10-allcnn-small", "fop").to_json(), name="walk", folder=folder)
    random = np.random.default_rng(0)
    M = {f"{3 * index}.weight": np.eye(9) for index in range(layers)}
    with Control(run) as control:
        writer = RunWriter(run, ABOUT)
        for step in range(0, snapshots * EVERY, EVERY):
            arrays, row = {}, {"step": step, "epoch": step / 391, "train_loss": 2 / (1 + step / 1000)}
            for name in M:
                M[name] = M[name] + 0.01 * random.standard_normal((9, 9))
                arrays[f"{name}/M"] = M[name].astype(np.float32)
                arrays[f"{name}/spectrum"] = np.linalg.eigvalsh(M[name] @ M[name].T).astype(np.float32)
                row |= {f"angle_deg/{name}": 40.0 + random.standard_normal(), f"constant_share/{name}": 0.5}
            writer.snapshot(step, arrays)
            writer.row(row)
        writer.close()
        control.set("finished")
    return run


def opening(looking: Tab, address: str, last: int) -> tuple[float, float, float]:
    """Open a run; return s until its matrix is drawn, ms of the server's CPU, and MB that were sent."""
    sizes: list[int] = []
    looking.page.on("websocket", lambda socket: socket.on("framereceived", lambda payload: sizes.append(len(payload))))
    seconds, cpu = looking.opens(address, DRAWN, last)
    looking.page.wait_for_timeout(2_000)
    return seconds, 1_000 * cpu, sum(sizes) / 1e6


def played(looking: Tab) -> list[float]:
    """Play from the first snapshot to the last; return the ms from each changed frame to the next."""
    page = looking.page
    page.get_by_role("slider", name="Step").press("Home")
    page.wait_for_timeout(1_000)
    frames.watch(page, ".fop-matrix canvas")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for()
    return frames.gaps(page)


def pages(browser: Browser, run: Run, rounds: int) -> dict[str, list[float]]:
    """Open both runs in turn, each time in a new app and again in the same; play the long one."""
    samples: dict[str, list[float]] = {}
    [last, full] = [Run(path).snapshot_steps()[-1] for path in (run.path, ROOT / "trained_models/gallery" / FULL)]
    for number in range(rounds):
        with running_app() as address:
            for kind, id_, step in (("many", run.id, last), ("full", FULL, full)):
                looking = tab(browser, clock())
                looking.page.goto(address)  # what a visitor comes from: the app has loaded what all pages need
                looking.page.wait_for_timeout(3_000)
                layer = "&layer=1.weight" if kind == "full" else ""
                opened = opening(looking, f"{address}/preconditioners?run={id_}{layer}", step)
                for name, value in zip(("open", "cpu", "sent"), opened):
                    samples.setdefault(f"{name}_{kind}", []).append(value)
                if kind == "many" and number == 0:
                    samples["frame"] = played(looking)
                looking.page.context.close()
    return samples


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--snapshots", type=int, default=300)
    parser.add_argument("--layers", type=int, default=9)
    parser.add_argument("--rounds", type=int, default=5, help="openings of each run")
    chosen = parser.parse_args()
    load_before = measure.load()
    with tempfile.TemporaryDirectory() as name, patch.dict(os.environ, FOP_RUNS_DIR=name), running_browser() as browser:
        run = made(Path(name), chosen.snapshots, chosen.layers)
        samples: dict[str, Any] = pages(browser, run, chosen.rounds)
        samples["read"] = [reading(run) for _ in range(chosen.rounds)]
    units = {"open": "s until the matrix is drawn", "cpu": "ms of server CPU until then", "sent": "MB sent"}
    values = {name: measure.value(numbers, units.get(name.partition("_")[0], "s")) for name, numbers in samples.items()}
    values["frame"] = measure.value(samples["frame"], "ms from one changed frame to the next")
    values["frames_per_second"] = measure.value([1000 / statistics.fmean(samples["frame"])], "changed frames a second")
    ratios = {"cpu_many_vs_full": statistics.median(samples["cpu_many"]) / statistics.median(samples["cpu_full"])}
    settings = vars(chosen) | {"full": FULL, "viewport": "1280 x 900"}
    measure.report(load_before, settings, ratios, values, samples)


def reading(run: Run) -> float:
    """Return the seconds that the snapshots of a run take to read, in this process."""
    begin = time.perf_counter()
    learned.of_run(Run(run.path))
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
