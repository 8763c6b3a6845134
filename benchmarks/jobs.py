"""Jobs and the pages that show them: launch to first point, many runs, a long run.

    python -m benchmarks.jobs [--launches 3] [--runs 1000] [--rows 1000000]

The app runs on a free port, and Chromium at 1280 x 900 looks on. A launch's time is from the click to the first point
of its curve on the page. Server time of a page or of a tick is from the browser's message to the last one that answers
it, so it holds the way there and back too.
"""

import argparse
import contextlib
import itertools
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from benchmarks import measure
from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.recorder import Recorder
from fop_core.training import config
from scripts.screenshots import ROOT, running_app, running_browser

POINT = """() => [...document.querySelectorAll(".fop-plot-node")].some(
  (node) => (node.data ?? []).some((trace) => trace.x?.length > 0))"""
ROWS = """() => document.querySelectorAll(".fop-runs tbody tr").length"""

# Notes when each message goes to the server, and when each comes.
MESSAGES = """
window.messages_ = [];
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...arguments_) {
    super(...arguments_);
    this.addEventListener("message", () => window.messages_.push(["in", performance.now()]));
  }
  send(content) {
    window.messages_.push(["out", performance.now()]);
    return super.send(content);
  }
};
"""


@contextlib.contextmanager
def folder_of_runs() -> Iterator[Path]:
    """Give an empty folder, which the app takes for its runs; what still runs there is stopped."""
    before = os.environ.get("FOP_RUNS_DIR")
    with tempfile.TemporaryDirectory() as name:
        os.environ["FOP_RUNS_DIR"] = name
        try:
            yield Path(name)
        finally:
            _stop_all(Path(name))
            os.environ.pop("FOP_RUNS_DIR")
            if before is not None:
                os.environ["FOP_RUNS_DIR"] = before


def _stop_all(folder: Path) -> None:
    runs = list(store.directories(folder))
    for run in runs:
        with contextlib.suppress(store.RunError):
            queue.stop(run)
    while any(run.state.state in store.ALIVE for run in runs) or queue.waiting(folder):
        time.sleep(0.1)


def launches(count: int) -> list[float]:
    """Launch MNIST so often from Train; return the seconds until its first point is on the page."""
    found = []
    with folder_of_runs() as folder, running_app() as address, running_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        for _ in range(count):
            page.goto(f"{address}/train?preset=mnist-mlp")
            button = page.get_by_role("button", name="Launch 1 run")
            button.wait_for()
            page.wait_for_timeout(4_000)
            begin = time.perf_counter()
            button.click()
            page.wait_for_function(POINT, timeout=60_000, polling=20)
            found.append(time.perf_counter() - begin)
            _stop_all(folder)
    return found


def answers(page: Page) -> list[float]:
    """Return for each message to the server the ms until the last one that came before the next."""
    messages = page.evaluate("() => window.messages_")
    sent = [index for index, (way, _) in enumerate(messages) if way == "out"]
    found = []
    for start, end in itertools.pairwise([*sent, len(messages)]):
        if end - start > 1:
            found.append(messages[end - 1][1] - messages[start][1])
    return found


def look(address: str, path: str, ready: str, seconds: float) -> tuple[float, list[float]]:
    """Open a page and let it tick; return the ms of server time to open it, and of each tick."""
    with running_browser() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(MESSAGES)
        page.goto(f"{address}/{path}")
        page.wait_for_function(ready, timeout=60_000)
        page.wait_for_timeout(1_000 * seconds)
        opened, *ticks = answers(page)
    return opened, ticks[2:]


def many(folder: Path, count: int) -> None:
    """Fill a folder with finished runs: copies of the gallery's, without its arrays."""
    gallery = [run.path for run, damage in store.scan(ROOT / "trained_models/gallery") if not damage]
    for index in range(count):
        source, made = gallery[index % len(gallery)], folder / f"20260101-{index:06}-run-{index:08x}"
        shutil.copytree(source, made, ignore=shutil.ignore_patterns("*.safetensors"))
        (made / "labels.json").write_text(json.dumps({"name": f"run {index}"}))


def long(folder: Path, rows: int) -> store.Run:
    """Make a run that goes on, with so many rows."""
    run = store.create(config.preset("mnist-mlp", "fop").to_json(), name="long", folder=folder)
    about = {"device": "cpu", "device_name": "", "threads": 1, "data": {"title": ""}, "versions": {}, "commit": ""}
    recorder = Recorder(run, about)
    with open(run.path / "metrics.1.jsonl", "w") as file:
        for step in range(rows):
            file.write(_row(step))
    recorder.close()
    return run


def _row(step: int) -> str:
    loss = 2 * math.exp(-step / 2e5) + 0.1 * math.sin(step)
    return f'{{"step": {step}, "epoch": {step / 469:.6f}, "seconds": {step / 1000:.3f}, "train_loss": {loss:.6f}}}\n'


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--launches", type=int, default=3)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    chosen = parser.parse_args()
    load_before = measure.load()
    samples: dict[str, Any] = {"launch": launches(chosen.launches)}
    with folder_of_runs() as folder, running_app() as address:
        many(folder, chosen.runs)
        opened, samples["tick_of_many"] = look(address, "runs", f"() => ({ROWS})() > 5", 20)
        samples["open_many"] = [opened]
        samples["open_many_again"] = [look(address, "runs", f"() => ({ROWS})() > 5", 1)[0]]
    with folder_of_runs() as folder, running_app() as address:
        run = long(folder, chosen.rows)
        with Control(run) as control, open(run.path / "metrics.1.jsonl", "a") as file:
            control.set("running")
            for step in range(chosen.rows, chosen.rows + 10):
                file.write(_row(step))
            file.flush()
            opened, samples["tick_of_long"] = look(address, f"runs?run={run.id}", POINT, 20)
            samples["open_long"] = [opened]
            control.set("finished")
    units = {"launch": "s from click to first point"}
    values = {name: measure.value(found, units.get(name, "ms of server time")) for name, found in samples.items()}
    settings = {"runs": chosen.runs, "rows": chosen.rows, "viewport": "1280 x 900"}
    measure.report(load_before, settings, {}, values, samples)


if __name__ == "__main__":
    main()
