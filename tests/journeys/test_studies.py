"""Studies: one composed, launched, watched to its end, a cell opened, and its report read without a network."""

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from fop_core.runs import store as runs
from fop_core.runs.state import ALIVE
from fop_core.studies import store, submit
from tests.chromium import running_over

LONG = 300_000  # ms for what jobs have to do first, on a machine that others use too


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A runs folder, in which nothing is trained any more afterwards."""
    folder = tmp_path_factory.mktemp("journey") / "runs"
    yield folder
    for id_ in store.ids(folder):
        submit.stop(id_, folder)
    late = time.monotonic() + 120
    while any(run.state.state in ALIVE for run, damage in runs.scan(folder) if not damage):
        assert time.monotonic() < late, "a run does not stop"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's."""
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_label(label, exact=True)
    field.fill(text)
    field.press("Control+Enter")
    page.wait_for_function(  # the address has it, so the page knows it
        "text => [...new URLSearchParams(location.search).values()].includes(text)", arg=text
    )


class HeldBack:
    """What a slow network brings late: all that the server sends after a message with some text, until it is released.

    Args:
        page: where an address is opened next.
        text: of the message.
    """

    def __init__(self, page: Page, text: bytes) -> None:
        self._text = text
        self._waiting: list[Callable[[], None]] | None = None
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def _connect(self, browser: WebSocketRoute) -> None:
        server = browser.connect_to_server()
        server.on_message(lambda message: self._bring(browser, message))

    def _bring(self, browser: WebSocketRoute, message: str | bytes) -> None:
        if self._waiting is not None:
            self._waiting.append(partial(browser.send, message))
            return
        browser.send(message)
        if self._text and isinstance(message, bytes) and self._text in message:
            self._waiting = []

    def release(self) -> None:
        """Bring it, and hold nothing back from then on."""
        waiting, self._waiting, self._text = self._waiting or [], None, b""
        for send in waiting:
            send()


def idle(page: Page) -> None:
    page.wait_for_function(
        "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    )


def test_a_study_is_composed_launched_watched_and_its_report_read_without_a_network(
    visit, troubles, folder, browser: Browser, tmp_path
):
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    page = visit()
    page.set_default_timeout(60_000)
    page.get_by_role("link", name="Studies", exact=True).click()
    expect(page.get_by_text("No studies yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Launch 24 runs…")).to_be_visible()

    fill(page, "Axes, one a line", "optimizer.lr=0.05,0.1")
    fill(page, "Tuning seeds", "0")
    fill(page, "Fresh seeds", "1, 2")
    fill(page, "Epochs", "1")
    page.get_by_text("Settings for all", exact=True).click()
    fill(page, "Settings for all, one a line", "data.limit=400\nsnapshots=2")
    expect(page.get_by_text("4 runs to choose the settings of 2 methods, then 4 runs to report")).to_be_visible()
    page.get_by_role("button", name="Launch 8 runs").click()
    page.wait_for_url(re.compile("study=mnist-mlp"))

    ended = page.get_by_text("All its runs have ended.")
    expect(ended).to_be_visible(timeout=LONG)
    assert len([run for run, _ in runs.scan(folder) if run.state.state == "finished"]) == 8
    expect(page.get_by_role("heading", name="Differences between methods")).to_be_visible()
    expect(page.locator(".fop-plot-node[data-theme]")).to_have_count(7, timeout=60_000)
    expect(page.get_by_text("What can be concluded")).to_be_visible()

    idle(page)
    cell = page.locator(".fop-runs tr[data-run]", has_text="FOP").first
    cell.get_by_role("button").click()
    runs_link = page.get_by_role("link", name="Open its 1 run")
    expect(runs_link).to_be_visible()
    expect(page.get_by_role("link", name="What it learned")).to_be_visible()
    page.wait_for_url(re.compile("cell="))
    reproduced = page.url

    page.get_by_role("button", name="Report").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Report (HTML)").click()
    report = tmp_path / "report.html"
    saved.value.save_as(report)
    context = browser.new_context()
    context.set_offline(True)
    alone = context.new_page()
    requested: list[str] = []
    alone.on("request", lambda request: requested.append(request.url))
    alone.goto(report.as_uri())
    expect(alone.get_by_role("heading", level=1)).to_have_text("mnist-mlp")
    images = alone.evaluate("() => [...document.images].map((image) => image.complete && image.naturalWidth > 0)")
    assert len(images) >= 5 and all(images)
    assert all(url.startswith(("file:", "data:")) for url in requested), requested
    context.close()

    page.goto(reproduced)
    expect(runs_link).to_be_visible()
    runs_link.click()
    page.wait_for_url(re.compile(r"/runs\?run="))
    expect(page.get_by_role("heading", name=re.compile("mnist-mlp fop"))).to_be_visible()


def test_a_study_that_was_launched_stays_open_untouched_until_all_its_runs_have_ended_and_the_form_keeps_its_settings(
    visit, troubles
):
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    axes = "optimizer.lr=0.05,0.1"
    address = f"studies?name=untouched&axes={axes}&seeds=0&fresh=1&epochs=1&base=data.limit%3D400"
    page = visit("_stcore/health", drawn=False)
    page.set_default_timeout(60_000)
    late = HeldBack(page, b"0 of 4 runs ended")
    page.goto(urljoin(page.url, f"/{address}"))
    page.get_by_role("button", name="Launch 6 runs").click()
    expect(page.get_by_text("0 of 4 runs ended")).to_be_visible()
    page.wait_for_timeout(2000)  # the page ticks, of which the browser has no more than that
    late.release()
    expect(page.get_by_text("All its runs have ended.")).to_be_visible(timeout=LONG)
    assert re.search("study=untouched", page.url)
    expect(page.get_by_text("6 finished")).to_be_visible()

    idle(page)
    page.get_by_role("button", name="All studies").click()
    expect(page.get_by_label("Axes, one a line", exact=True)).to_have_value(axes)
    expect(page.get_by_role("button", name="FOP", exact=True)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Launch 6 runs")).to_be_visible()
    page.get_by_role("button", name="untouched").click()
    page.wait_for_url(re.compile("study=untouched"))
    expect(page.get_by_text("All its runs have ended.")).to_be_visible()
