"""Jobs and the pages that show them: launch to first point, a thousand runs.

    python -m benchmarks.jobs [--launches 5] [--runs 1000] [--rounds 3] [--ticks 20]

The app runs on a free port over a runs folder made for this, and Chromium at 1280 x 900 looks on. Seconds are a
reader's: from the click, or from the address, until what was asked for is drawn. CPU time is the server's, of all its
threads; that of a tick is what it spends from one tick to the next. Needs Linux, which keeps such a clock.
"""

import argparse
import contextlib
import ctypes
import itertools
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
from playwright.sync_api import Browser, Page
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks import measure
from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.files import RunError
from fop_core.runs.names import LABELS_JSON, METRICS
from fop_core.runs.state import ALIVE
from scripts.screenshots import ROOT, running_app, running_browser

FEW = 10  # runs of the folder that a large one is compared with
PATIENCE = 60.0  # seconds that anything may take
SETTLE = 2_000  # ms after which what an opening leaves to do is done
COMPARED = (
    ("launch", "bare_trainer"),
    ("open_many", "open_few"),
    ("tick_many", "open_many_cpu"),
    ("tick_many", "tick_few"),
)

# Conditions, which take what they wait for as an argument.
COMPOSED = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector('[data-testid="stTable"]')"""
LISTED = "least => document.querySelectorAll('.fop-runs tbody tr').length >= least"
# What plotly.js made of a picture's data is in _fullData.
LINES = "[...document.querySelectorAll('.fop-plot-node')].flatMap((node) => node._fullData ?? [])"
DRAWN = f"() => {LINES}.some(({{ _length }}) => _length > 0)"


class Tab:
    """A tab on the app: how long what it shows takes, and what that costs the server.

    Args:
        page: the tab, before it has opened anything.
        spent: reads the CPU seconds of the server.
    """

    def __init__(self, page: Page, spent: Callable[[], float]) -> None:
        self.page, self.spent = page, spent
        self._ticking = ""  # the part of the page that beats time
        self._beats: list[float] = []
        page.set_default_timeout(1_000 * PATIENCE)
        page.on("websocket", lambda socket: socket.on("framesent", self._sent))

    def timed(self, act: Callable[[], Any], drawn: str, arg: int | None = None) -> tuple[float, float]:
        """Do something; return the seconds, and the server's CPU seconds, until something is drawn."""
        begin, before = time.perf_counter(), self.spent()
        act()
        self.page.wait_for_function(drawn, arg=arg)
        return time.perf_counter() - begin, self.spent() - before

    def opens(self, address: str, drawn: str, arg: int | None = None) -> tuple[float, float]:
        """Open an address; return as ``timed``."""
        return self.timed(lambda: self.page.goto(address, wait_until="commit"), drawn, arg)

    def ticks(self, count: int) -> list[float]:
        """Let the page tick; return the ms of the server's CPU from each tick to the next.

        Where several parts of the page tick, each does once in that time.
        """
        self._ticking, self._beats = "", []
        late = time.monotonic() + PATIENCE + 3 * count
        while len(self._beats) <= count:
            if time.monotonic() > late:
                raise SystemExit(f"The page has ticked {len(self._beats)} times in {PATIENCE + 3 * count:.0f} s.")
            self.page.wait_for_timeout(400)
        return [1_000 * (later - sooner) for sooner, later in itertools.pairwise(self._beats)]

    def _sent(self, message: str | bytes) -> None:
        request = BackMsg.FromString(message).rerun_script if isinstance(message, bytes) else None
        if request is not None and request.is_auto_rerun:
            self._ticking = self._ticking or request.fragment_id
            if request.fragment_id == self._ticking:
                self._beats.append(self.spent())


def clock() -> Callable[[], float]:
    """Return what reads the CPU seconds of the app that this process has started, threads that have ended included."""
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    [server] = [child for child in alive if "streamlit" in child.cmdline()]
    number = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(server.pid, ctypes.byref(number)):
        raise SystemExit(f"There is no clock of the CPU time of process {server.pid}.")
    return lambda: time.clock_gettime(number.value)


@contextlib.contextmanager
def runs_folder() -> Iterator[Path]:
    """Give an empty folder, which the app takes for its runs; what runs there is stopped at the end."""
    with tempfile.TemporaryDirectory() as name, patch.dict(os.environ, FOP_RUNS_DIR=name):
        folder = Path(name)
        try:
            yield folder
        finally:
            stop_all(folder)
            wait_until(lambda: dispatcher_gone(folder), "the dispatcher stays")


def stop_all(folder: Path) -> None:
    """Stop what runs and what waits, and wait until it has ended."""
    runs = list(store.directories(folder))
    for run in runs:
        with contextlib.suppress(RunError):  # it has ended
            queue.stop(run)
    wait_until(lambda: not queue.waiting(folder) and not any(run.state.state in ALIVE for run in runs), "a run goes on")


def dispatcher_gone(folder: Path) -> bool:
    """Return whether no dispatcher is there, as ``queue.ensure_dispatcher`` finds out."""
    with queue.electing(folder) as elected:
        return elected


def wait_until(holds: Callable[[], bool], else_: str) -> None:
    """Wait until something holds, but not for ever."""
    late = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > late:
            raise SystemExit(f"After {PATIENCE:.0f} s {else_}.")
        time.sleep(0.05)


def tab(browser: Browser, spent: Callable[[], float]) -> Tab:
    """Return a new tab, which has nothing in its cache."""
    return Tab(browser.new_context(viewport={"width": 1280, "height": 900}).new_page(), spent)


def note(samples: dict[str, list[float]], name: str, timing: tuple[float, float]) -> None:
    """Keep the seconds and, in ms, the server's CPU time that something took."""
    samples.setdefault(name, []).append(timing[0])
    samples.setdefault(f"{name}_cpu", []).append(1_000 * timing[1])


# Launch ---------------------------------------------------------------------------------------------------------------


def launches(browser: Browser, count: int) -> dict[str, list[float]]:
    """Launch MNIST from Train; return the s to its first point, and those of a bare trainer to its first row."""
    samples: dict[str, list[float]] = {"launch": [], "bare_trainer": []}
    with runs_folder() as folder, running_app() as address:
        looking = tab(browser, clock())
        for _ in range(count):
            looking.opens(f"{address}/train?preset=mnist-mlp", COMPOSED)
            button = looking.page.get_by_role("button", name="Launch 1 run")
            samples["launch"].append(looking.timed(button.click, DRAWN)[0])
            stop_all(folder)
            [*_, launched] = store.directories(folder)
            samples["bare_trainer"].append(bare_trainer(launched.config, folder))
        looking.page.context.close()
    return samples


def bare_trainer(settings: dict[str, Any], folder: Path) -> float:
    """Return the seconds from a trainer's start by the shell to its first row of metrics."""
    run = store.create(settings, name="bare", folder=folder)
    metrics = run.path / METRICS.format(1)
    begin = time.perf_counter()
    command = [sys.executable, "-m", "fop_core", "train", "--quiet", "--run", str(run.path)]
    trainer = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr)
    try:
        wait_until(lambda: metrics.exists() and metrics.stat().st_size > 0, "the trainer has written nothing")
        return time.perf_counter() - begin
    finally:
        trainer.terminate()
        trainer.wait(PATIENCE)


# Many runs ------------------------------------------------------------------------------------------------------------


def many(browser: Browser, count: int, rounds: int, ticks: int) -> dict[str, list[float]]:
    """Open Runs over few and over many; return s to open it, first and again, and ms of CPU to do so and to tick."""
    sizes = {"few": min(FEW, count), "many": count}
    samples: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for kind, size in sizes.items():
            fill(Path(name, kind), size)
        for _, (kind, size) in itertools.product(range(rounds), sizes.items()):
            with patch.dict(os.environ, FOP_RUNS_DIR=str(Path(name, kind))), running_app() as address:
                looking = tab(browser, clock())
                least = min(size, 100)  # the rest of the rows come as one scrolls
                for which in ("open_first", "open"):
                    note(samples, f"{which}_{kind}", looking.opens(f"{address}/runs", LISTED, least))
                    looking.page.wait_for_timeout(SETTLE)
                samples.setdefault(f"tick_{kind}", []).extend(looking.ticks(math.ceil(ticks / rounds)))
                looking.page.context.close()
    return samples


def fill(folder: Path, count: int) -> None:
    """Fill a folder with finished runs: the gallery's again and again, without their arrays."""
    gallery = [run.path for run, damage in store.scan(ROOT / "trained_models/gallery") if not damage]
    for index in range(count):
        made = folder / f"20260101-{index:06}-run-{index:08x}"
        shutil.copytree(gallery[index % len(gallery)], made, ignore=shutil.ignore_patterns("*.safetensors"))
        (made / LABELS_JSON).write_text(json.dumps({"name": f"run {index}"}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--launches", type=int, default=5)
    parser.add_argument("--runs", type=int, default=1_000, help="of the folder with many")
    parser.add_argument("--rounds", type=int, default=3, help="openings of each kind")
    parser.add_argument("--ticks", type=int, default=20, help="of each kind")
    chosen = parser.parse_args()
    load_before = measure.load()
    samples: dict[str, list[float]] = {}
    with running_browser() as browser:
        for name, part in (
            ("launch", lambda: launches(browser, chosen.launches)),
            ("many", lambda: many(browser, chosen.runs, chosen.rounds, chosen.ticks)),
        ):
            print(f"{name} ...", file=sys.stderr, flush=True)
            samples |= part()
    ratios = {f"{one}_vs_{other}": quotient(samples, one, other) for one, other in COMPARED}
    values = {name: measure.value(numbers, unit(name)) for name, numbers in samples.items()}
    settings = vars(chosen) | {"viewport": "1280 x 900", "few": FEW}
    measure.report(load_before, settings, ratios, values, samples)


def quotient(samples: dict[str, list[float]], one: str, other: str) -> float:
    """Return the median of one by that of another."""
    return statistics.median(samples[one]) / statistics.median(samples[other])


def unit(name: str) -> str:
    """Return what a value is measured in."""
    if name.startswith("tick"):
        return "ms of server CPU from one tick to the next"
    until = "its first row" if name.startswith("bare") else "drawn"
    return f"{'ms of server CPU' if name.endswith('cpu') else 's'} until {until}"


if __name__ == "__main__":
    main()
