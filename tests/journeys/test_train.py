"""Train and Runs: a run set up with its baseline, launched, followed to its end, compared, cloned, and back."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fop_core.formatting import percent
from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from tests.chromium import NARROW, running_over, single, slow_down

LONG = 180_000  # ms for what jobs have to do first, on a machine that others use too


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A runs folder, in which nothing is trained any more afterwards."""
    folder = tmp_path_factory.mktemp("journey") / "runs"
    yield folder
    for run, _ in store.scan(folder):
        if run.state.state in ALIVE or (run.path / "requests" / "start").exists():
            queue.stop(run)
            late = time.monotonic() + 120
            while run.state.state in ALIVE:
                assert time.monotonic() < late, f"{run.id} does not stop"
                time.sleep(0.05)


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's."""
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


@pytest.fixture
def opened(visit, troubles):
    """Open the app where a newcomer does, without an address of any page."""
    troubles.expected = ["/_stcore/", "404 (Not Found)"]  # files that are asked for beside a page's own address first

    def opened(address: str = "", **options) -> Page:
        page = visit(address, **options) if not address else visit(address, drawn=False, **options)
        page.set_default_timeout(60_000)
        return page

    return opened


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Enter")
    page.wait_for_url(re.compile(f"={re.escape(text)}(&|$)"))


def launched(page: Page, folder: Path) -> tuple[Run, Run]:
    """Launch a run with its baseline; return both, now that Runs shows them."""
    before = {run.id for run, _ in store.scan(folder)}
    page.get_by_role("button", name="Launch 2 runs").click()
    page.wait_for_url(re.compile(r"/runs\?run="), timeout=60_000)
    new = [run for run, _ in store.scan(folder) if run.id not in before]
    theirs, ours = sorted(new, key=lambda run: run.config["fop"] is not None)
    return ours, theirs


def row(page: Page, run: Run) -> Locator:
    return page.locator(f'.fop-runs tr[data-run="{run.id}"]')


def test_a_newcomer_trains_a_network_and_compares_it_with_its_baseline(opened, folder):
    page = opened()
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("button", name="Set up a first run").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="1.weight")).to_be_visible(timeout=LONG)

    fill(page, "Epochs", "1")
    page.get_by_text("Run", exact=True).last.click()
    fill(page, "Step limit", "30")
    page.get_by_text("Compare with the same run without FOP").click()
    expect(page.get_by_text("mnist-mlp by fop and, without FOP, by momentum.")).to_be_visible()
    expect(page.get_by_role("button", name="Launch 2 runs")).to_be_enabled()
    page.wait_for_url(re.compile("compare=1"))
    filled = page.url
    ours, theirs = launched(page, folder)

    for run in (ours, theirs):
        expect(row(page, run)).to_contain_text("finished", timeout=LONG)
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    accuracy = {run.id: percent(run.progress["test_accuracy"]) for run in (ours, theirs)}
    for name, run in (("FOP", ours), ("Momentum", theirs)):
        words = re.compile(rf"^{name} 0 1 {re.escape(accuracy[run.id])}")
        expect(page.get_by_role("row", name=words)).to_have_count(1)
    picture = page.locator(".fop-plot-node").first
    expect(picture).to_contain_text("FOP")
    expect(picture).to_contain_text("Momentum")
    followed = page.url

    row(page, ours).get_by_role("button").click()
    expect(page.get_by_role("heading", name="mnist-mlp fop")).to_be_visible()
    single(page.get_by_role("link", name="Clone…")).click()
    expect(page.get_by_text(f"As run {ours.id}.")).to_be_visible()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("1")
    page.go_back()
    expect(page.get_by_role("heading", name="mnist-mlp fop")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(followed)
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(filled)
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("1")
    expect(page.get_by_role("button", name="Launch 2 runs")).to_be_enabled()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_on_a_slow_telephone_a_run_is_launched_and_followed_to_its_end(opened, folder):
    page = opened(
        "train?epochs=1&max_steps=3&snapshots=0&threads=1&compare=1", viewport=NARROW, has_touch=True, is_mobile=True
    )
    slow_down(page, 4)
    expect(page.get_by_role("cell", name="1.weight")).to_be_visible(timeout=LONG)
    ours, theirs = launched(page, folder)
    for run in (ours, theirs):
        expect(row(page, run)).to_contain_text("finished", timeout=LONG)
    expect(page.get_by_role("row", name=re.compile(r"^FOP 0 1 \d+\.\d\d %"))).to_have_count(1, timeout=60_000)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth"), "nothing runs over the edge"
    row(page, ours).get_by_role("button").tap()
    clone = single(page.get_by_role("link", name="Clone…"))
    expect(clone).to_be_visible()
    assert clone.bounding_box()["height"] > 43.9
    clone.tap()
    expect(page.get_by_text(f"As run {ours.id}.")).to_be_visible()
