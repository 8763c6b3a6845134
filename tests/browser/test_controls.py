"""What made the difference, and why a run diverged: asked in a real browser of real runs on a few images."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fop_core.runs import lineage, store
from fop_core.runs.best import Best
from fop_core.training import divergence
from tests.browser.test_runs import row
from tests.chromium import running_over, single
from tests.training import tiny
from tests.training.test_divergence import diverged
from tests.training.test_loop import train

LONG = 120_000  # ms for what another process has to do first
LATE = """() => {
  window.inTime = window.setTimeout;
  window.setTimeout = (act, after, ...rest) => window.inTime(act, after || 2000, ...rest);
}"""
"""Has Streamlit send a click two seconds late: a tick comes before it then, and brings it along."""


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return tiny.cifar10(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's."""
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


@pytest.fixture
def opened(visit, troubles) -> Callable[[str], Page]:
    """Open a run by its id."""
    troubles.expected = ["/runs/_stcore/", "404 (Not Found)"]  # asked for beside a page's own address first
    return lambda run: visit(f"runs?run={run}", drawn=False)


def test_a_control_is_launched_by_one_click_followed_to_its_end_and_compared(opened, data, folder):
    parent = tiny.run(data, folder, "fop.hyper_lr=0.05")
    assert train(parent)[0] == "finished"
    page = opened(parent.id)
    button = single(page.get_by_role("button", name="SGD at ε·tr(P)/n"))
    expect(button).to_be_enabled()
    page.evaluate(LATE)
    button.click()
    page.evaluate("window.setTimeout = window.inTime")
    expect(page.get_by_text("is in the queue.")).to_be_visible()
    controls = [run for run, _ in store.scan(folder) if lineage.control(run)]
    expect(row(page, controls[0])).to_contain_text("finished", timeout=LONG)
    [control] = [run for run, _ in store.scan(folder) if lineage.control(run)]
    assert lineage.control(control) == (parent.id, "rate")
    assert control.progress["step"] == parent.progress["step"] == 10

    single(page.get_by_role("button", name="Compare with its control")).click()
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={parent.id}%2C{control.id}"))
    picture = page.locator(".fop-plot-node").first
    for run, name in ((parent, "FOP"), (control, "Rate ε·tr(P)/n")):
        begins = re.escape(name).replace("/", ".")  # the driver takes a slash for the end of the expression
        words = re.compile(rf"^{begins}.* 0 1 {100 * Best(run).update():.2f} %")
        expect(page.get_by_role("row", name=words)).to_have_count(1)
        expect(picture).to_contain_text(name)


def test_why_a_run_diverged_is_said_on_a_click(opened, data, folder):
    run = diverged(data, folder, "checkpoint_steps=1")
    page = opened(run.id)
    single(page.get_by_role("button", name="Why?")).click()
    answer = page.get_by_test_id("stAlert").filter(has_text="ε·λmax(PH) was")
    expect(answer).to_contain_text("above 2(1 + α) = 3.8 a step overshoots.", timeout=LONG)
    expect(answer).to_have_text(" ".join(divergence.kept(run).sentences()))
    expect(page.get_by_role("button", name="Why?")).to_have_count(0)
