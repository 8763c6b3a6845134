"""The Train page in a real browser, with real jobs: each is a run of a few steps in a folder of its own."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fop_core.jobs import slots
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from tests.chromium import NARROW, WIDE, running, single

IDLE = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector('[data-testid="stTable"]')"""
FEW = "epochs=1&max_steps=3&snapshots=0&threads=1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A runs folder with a slot for each of two runs: none waits here for those of the test before."""
    folder = tmp_path_factory.mktemp("runs")
    slots.choose(folder, cpu_slots=2)
    return folder


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's; all have ended when it has."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with running(log, FOP_RUNS_DIR=str(folder), FOP_DATA_DIR="") as address:
        yield address
    assert "Traceback" not in log.read_text(), log.read_text()
    for run, _ in store.scan(folder):
        ended(run)


@pytest.fixture
def train(visit, troubles):
    """Open the page at an address and wait until all stands."""
    # Streamlit asks for two files beside a page's own address before it finds them at the app's.
    troubles.expected = ["/train/_stcore/", "/runs/_stcore/", "/basins/_stcore/", "404 (Not Found)"]

    def opened(query: str = "", **options) -> Page:
        page = visit(f"train?{query}", drawn=False, **options)
        page.wait_for_function(IDLE, timeout=90_000)
        return page

    return opened


def ended(run: Run) -> str:
    late = time.monotonic() + 120
    while run.state.state in ("queued", *ALIVE):
        assert time.monotonic() < late, f"{run.id} is {run.state}"
        time.sleep(0.2)
    return run.state.state


def launch(page: Page) -> Locator:
    return page.locator(".st-key-train-launch button")


def test_a_click_launches_the_runs_and_leads_to_them(train, folder):
    page = train(f"{FEW}&compare=1")
    page.get_by_label("Seeds", exact=True).fill("5")
    page.get_by_role("button", name="Launch 2 runs").click()  # the field is left by the click itself
    page.wait_for_url(re.compile(r"/runs\?run="))
    launched = [run for run, _ in store.scan(folder) if run.id in page.url]
    assert len(launched) == 2 and {run.config["seed"] for run in launched} == {5}
    ours, theirs = sorted(launched, key=lambda run: run.config["fop"] is None)
    assert theirs.about["lineage"]["compare"] == ours.id
    assert [ended(run) for run in launched] == ["finished", "finished"]


SLOW = """
const waiting = { come: [], go: [] };
let follows = false, followed = false;
const listen = WebSocket.prototype.addEventListener, send = WebSocket.prototype.send;
WebSocket.prototype.addEventListener = function (type, hear, ...rest) {
  listen.call(this, type, type !== "message" ? hear : (event) => {
    if (follows && !followed) return waiting.come.push(() => hear(event));
    hear(event);
    follows ||= new TextDecoder().decode(event.data).includes("follow it");
  }, ...rest);
};
WebSocket.prototype.send = function (data) {
  if (follows && !followed) waiting.go.push(() => send.call(this, data));
  else send.call(this, data);
};
window.letGo = () => {
  followed = true;
  [...waiting.go, ...waiting.come].forEach((each) => each());
};
window.pendingRequests = () => waiting.go.length;
"""
"""Lets nothing come or go between the link that is followed and ``letGo()``."""


def test_the_address_that_a_launch_leads_to_is_the_runs_own(train):
    """What Train wrote to its address once the link was followed would stand behind the path of Runs."""
    page = train(FEW)
    page.add_init_script(SLOW)
    page.reload()
    page.wait_for_function(IDLE)
    page.get_by_label("Seeds", exact=True).fill("6")
    page.get_by_role("button", name="Launch").click()
    page.wait_for_function("pendingRequests()")
    page.wait_for_timeout(1000)  # in which the server sends all that Train has to say
    page.evaluate("letGo()")
    page.wait_for_url(re.compile(r"/runs\?run="))
    expect(page.get_by_role("heading", name="mnist-mlp fop")).to_be_visible()
    page.go_back()
    page.wait_for_url(re.compile(r"/train\?.*seeds=6"))


def test_a_run_made_to_diverge_says_so_and_why_and_is_cloned_to_do_better(train, folder):
    page = train("optimizer.lr=1000&epochs=1&snapshots=0&threads=1")
    launch(page).click()
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text(re.compile(r"diverged at step \d+: loss not finite"), timeout=120_000)
    expect(alert).to_contain_text("The steps became too large.")
    [run] = [run for run, _ in store.scan(folder) if run.id in page.url]
    single(page.get_by_role("link", name="Clone…")).click()
    expect(page.get_by_text(f"As run {run.id}.")).to_be_visible()
    expect(page.get_by_label("Learning rate ε", exact=True)).to_have_value("1000")


def test_the_time_of_an_epoch_is_measured_by_a_job(train, folder):
    page = train("epochs=2&threads=1")
    page.get_by_role("button", name="Measure time per epoch").click()
    estimate = page.locator("p", has_text="Time per epoch").first
    expect(estimate).to_contain_text(re.compile("about .* for a run"), timeout=120_000)
    [run] = [run for run, _ in store.scan(folder) if run.labels["tags"] == ["probe"]]
    assert run.state.state == "finished" and run.labels["archived"]
    expect(page.get_by_role("button", name="Measure again")).to_be_visible()


def test_a_wrong_value_is_marked_right_beneath_its_field(train):
    page = train()
    epochs = page.get_by_label("Epochs", exact=True)
    epochs.fill("0")
    epochs.press("Enter")
    mark = page.get_by_text("0 given; input should be greater than or equal to 1")
    expect(mark).to_be_visible()
    expect(launch(page)).to_be_disabled()
    field, message = epochs.bounding_box(), mark.bounding_box()
    assert 0 <= message["y"] - field["y"] - field["height"] < 24
    epochs.fill("4")
    epochs.press("Enter")
    expect(mark).to_be_hidden()
    expect(launch(page)).to_be_enabled()
    expect(page.get_by_text("--set epochs=4")).to_be_visible()
    expect(page).to_have_url(re.compile("epochs=4"))


def test_reload_and_back_find_the_form_as_it_was(train):
    page = train("preset=cifar10-allcnn-small&method=fop-norm&seeds=0-3")
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("0-3")
    page.get_by_label("Epochs", exact=True).fill("9")
    page.get_by_label("Epochs", exact=True).press("Enter")
    page.wait_for_url(re.compile("epochs=9"))
    page.reload()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("9")
    page.get_by_role("link", name="Trajectories", exact=True).click()
    expect(page.get_by_role("heading", name="Trajectories", exact=True)).to_be_visible()
    page.get_by_role("link", name="Train", exact=True).click()
    expect(page.get_by_label("Epochs", exact=True)).to_have_value("9")
    page.wait_for_url(re.compile("preset=cifar10-allcnn-small"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_nothing_runs_over_the_edge(train, size, scheme):
    options = {"viewport": size, "color_scheme": scheme} | ({"has_touch": True} if size is NARROW else {})
    page = train("compare=1&seeds=0-2&name=a+name", **options)
    main = page.get_by_test_id("stMain")
    assert main.evaluate("node => node.scrollWidth <= node.clientWidth")
    expect(launch(page)).to_have_text("Launch 6 runs")
    if size is NARROW:
        assert launch(page).bounding_box()["height"] > 43.9
        page.get_by_test_id("stExpandSidebarButton").click()
        sidebar = page.get_by_test_id("stSidebarContent")
        expect(sidebar.get_by_label("Epochs", exact=True)).to_be_visible()
        page.wait_for_function("node => node.scrollWidth <= node.clientWidth + 1", arg=sidebar.element_handle())


def test_back_after_a_launch_finds_the_filled_form_and_after_a_clone_the_run(train, folder):
    page = train(FEW)
    page.get_by_label("Seeds", exact=True).fill("7")
    page.get_by_label("Seeds", exact=True).press("Enter")
    page.wait_for_url(re.compile("seeds=7"))
    filled = page.url
    launch(page).click()
    page.wait_for_url(re.compile(r"/runs\?run="))
    followed = page.url
    expect(page.get_by_role("heading", name="mnist-mlp fop")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(filled)
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("7")
    expect(launch(page)).to_be_enabled()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.go_forward()
    expect(page).to_have_url(followed)
    expect(page.get_by_role("heading", name="mnist-mlp fop")).to_be_visible()

    single(page.get_by_role("link", name="Clone…")).click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("7")
    page.wait_for_url(re.compile("from="))
    cloned = page.url
    page.go_back()
    expect(page).to_have_url(followed)
    expect(page.get_by_role("heading", name="mnist-mlp fop")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    page.go_forward()
    expect(page).to_have_url(cloned)
    expect(page.get_by_label("Seeds", exact=True)).to_have_value("7")
