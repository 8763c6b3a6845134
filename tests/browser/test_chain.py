"""One run from its launch to its comparison, through everything that may happen to whoever watches it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from tests.chromium import Troubles, running, single
from tests.waiting import until

# A step with a whole M of 784 x 784 takes ten times a step without: the run outlasts the web server, its baseline
# does not keep it waiting.
STEPS = 1500
SLOW = f"fop.preconditioner=factored&epochs=4&max_steps={STEPS}&log_every=20&snapshots=0&threads=1&device=cpu"
LONG = 120_000  # ms for what a job has to do first
POINTS = """() => Math.max(0, ...[...document.querySelectorAll(".fop-plot-node")]
  .flatMap((node) => (node._fullData ?? []).map((trace) => trace._length)))"""
CURVES = """() => document.querySelector(".fop-plot-node")?._fullData
  ?.filter(({ mode, _length }) => mode === "lines" && _length > 20).length ?? 0"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A runs folder, in which nothing is trained any more afterwards."""
    yield tmp_path / "runs"
    for run, _ in store.scan(tmp_path / "runs"):
        if run.state.state in ALIVE or (run.path / "requests" / "start").exists():
            queue.stop(run)
            until(lambda run=run: run.state.state not in ALIVE)


@pytest.fixture
def tab(wide: BrowserContext, troubles: Troubles) -> Iterator[Callable[[str], Page]]:
    """Open an address in a tab of its own."""
    troubles.expected = ["/_stcore/", "404 (Not Found)"]  # files that are asked for beside a page's own address first
    tabs: list[Page] = []

    def opened(address: str) -> Page:
        tabs.append(wide.new_page())
        tabs[-1].set_default_timeout(LONG)
        troubles.watch(tabs[-1])
        tabs[-1].goto(address, wait_until="commit")
        return tabs[-1]

    yield opened
    for page in tabs:
        close(page, troubles)


def close(page: Page, troubles: Troubles) -> None:
    """Close a tab; requests that this cuts off are no trouble."""
    noted = list(troubles)
    page.close()
    troubles[:] = noted


def kill(address: str) -> None:
    """End a web server as a crash would."""
    port = address.rpartition(":")[2]
    children = [each for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]
    [server] = [each for each in children if port in each.cmdline()]
    server.kill()
    until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


def row(page: Page, run: Run) -> Locator:
    return page.locator(f'.fop-runs tr[data-run="{run.id}"]')


def step(run: Run) -> int:
    return int(run.progress["step"])


def launched(page: Page, folder: Path) -> tuple[Run, Run]:
    """Launch a run with its baseline; return both, now that the page shows them."""
    page.get_by_text("Compare with the same run without FOP").click()
    page.get_by_role("button", name="Launch 2 runs").click()
    page.wait_for_url(re.compile(r"/runs\?"))
    theirs, ours = sorted((run for run, _ in store.scan(folder)), key=lambda run: run.config["fop"] is not None)
    assert theirs.about["lineage"]["compare"] == ours.id and all(run.id in page.url for run in (ours, theirs))
    return ours, theirs


def test_a_run_outlives_tab_and_server_is_stopped_resumed_and_compared(tab, troubles, folder, tmp_path):
    logs = [tmp_path / "first.txt", tmp_path / "second.txt"]
    with running(logs[0], FOP_RUNS_DIR=str(folder), FOP_DATA_DIR="") as address:
        page = tab(f"{address}/train?{SLOW}")
        ours, theirs = launched(page, folder)
        page.wait_for_function(f"() => ({POINTS})() >= 12")
        points = page.evaluate(POINTS)
        page.wait_for_function(f"() => ({POINTS})() > {points}")
        expect(row(page, ours)).to_contain_text("running")
        expect(row(page, theirs)).to_contain_text("in the queue")
        link = page.url.removeprefix(address)
        close(page, troubles)
        kill(address)
        before = step(ours)

    with running(logs[1], FOP_RUNS_DIR=str(folder), FOP_DATA_DIR="") as address:
        page = tab(f"{address}{link}")
        page.wait_for_function(f"() => ({POINTS})() > {points}")
        expect(row(page, ours)).to_contain_text("running")
        assert step(ours) > before and len(ours.attempts) == 1, "it went on"

        row(page, ours).get_by_role("button").click()
        single(page.get_by_role("button", name="Stop…")).click()
        assert ours.state.state == "running", "it asks first"
        page.get_by_role("button", name="Stop this run").click()
        expect(row(page, ours)).to_contain_text("stopped", timeout=LONG)
        stopped = int(re.search(r"at step ([\d,]+); resume goes on from there", ours.state.reason)[1].replace(",", ""))
        assert before < stopped < STEPS

        single(page.get_by_role("button", name="Resume")).click()
        expect(row(page, theirs)).to_contain_text("finished", timeout=LONG)
        expect(row(page, ours)).to_contain_text("finished", timeout=LONG)
        assert step(ours) == step(theirs) == STEPS
        assert [attempt["from_step"] for attempt in ours.attempts] == [0, stopped]

        row(page, theirs).get_by_role("checkbox").check()
        expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
        page.wait_for_function(f"() => ({CURVES})() === 2")
        picture = page.locator(".fop-plot-node").first
        expect(picture).to_contain_text("FOP")
        expect(picture).to_contain_text("Momentum")
        expect(page.get_by_role("row", name=re.compile(r"^Momentum 0 1 \d\d\.\d\d %"))).to_have_count(1)
    for log in logs:
        assert not re.search(r'File ".*/(pages|fop_core)/|app\.py"', log.read_text()), log.read_text()
