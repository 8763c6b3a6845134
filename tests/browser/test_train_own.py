"""Files of one's own in a real browser: each kind launched and trained, and the broken ones named, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fop_core.jobs import slots
from fop_core.runs import plugins, store
from fop_core.runs.run import Run
from tests.browser.test_train import FEW, ended, launch
from tests.chromium import running
from tests.training.test_plugins import DATA, EXAMPLES, SETTINGS, SGD

OPENED = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector('.st-key-train-launch button')"""
SECONDS = 120_000  # ms that a probe and a rerun may take on a busy machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    slots.choose(folder, cpu_slots=2)
    return folder


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("app") / "log.txt"
    state = tmp_path_factory.mktemp("state")
    with running(log, FOP_RUNS_DIR=str(folder), XDG_STATE_HOME=str(state), FOP_DATA_DIR="") as address:
        yield address
    assert "Traceback" not in log.read_text(), log.read_text()
    for run, _ in store.scan(folder):
        ended(run)


@pytest.fixture
def train(visit, troubles):
    """Open the page with a file taken."""
    troubles.expected = ["/train/_stcore/", "/runs/_stcore/", "/basins/_stcore/", "404 (Not Found)"]

    def opened(path: Path, query: str = f"{FEW}&method=momentum") -> Page:
        page = visit(f"train?{query}", drawn=False)
        page.wait_for_function(OPENED, timeout=90_000)
        page.get_by_text("Files of your own", exact=True).click()
        page.get_by_label("Path of a Python file").fill(str(path))
        page.get_by_role("button", name="Take it").click()
        return page

    return opened


def confirmed(page: Page) -> Page:
    expect(page.get_by_text(plugins.RIGHTS).first).to_be_visible(timeout=SECONDS)
    page.get_by_role("button", name="Let it run").click()
    return page


def launched(page: Page, folder: Path) -> Run:
    before = {run.id for run, _ in store.scan(folder)}
    expect(launch(page)).to_be_enabled(timeout=SECONDS)
    launch(page).click()
    page.wait_for_url("**/runs?run=*", timeout=SECONDS)
    [run] = [run for run, _ in store.scan(folder) if run.id not in before]
    assert ended(run) == "finished", run.state.reason
    return run


@pytest.mark.parametrize("name", ["lion", "wide_mlp", "characters"])
def test_each_kind_is_confirmed_tried_launched_and_trained(train, folder, name):
    run = launched(confirmed(train(EXAMPLES / f"{name}.py")), folder)
    assert plugins.of_run(run) and run.step() == 3


def test_a_setting_is_typed_and_is_in_the_run(train, folder, tmp_path):
    file = tmp_path / "own.py"
    file.write_text(SETTINGS + DATA)
    page = confirmed(train(file))
    expect(page.get_by_text("Settings of the network")).to_be_visible(timeout=SECONDS)
    page.get_by_label("n", exact=True).last.fill("7")
    page.keyboard.press("Tab")
    expect(page.get_by_text("model.settings.n=7").first).to_be_visible(timeout=SECONDS)
    assert launched(page, folder).config["model"]["settings"]["n"] == 7


BROKEN = {
    "x = = 2": "line 1: no Python",
    SETTINGS + SGD + "    return 3": "line 7: make_optimizer returned a int",
    SETTINGS + SGD + "    import sys; sys.exit()": "calls sys.exit",
    SETTINGS + SGD + "    while True: print('x' * 1000000)": "prints more than 100 MB",
    SETTINGS
    + SGD.replace("...", "step = lambda self: self.param_groups[0]['params'][0].data.fill_(float('nan'))")
    + "    return Own(named, lr=0.1)": "not finite",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_named_and_another_run_goes_on(train, folder, tmp_path, text):
    file = tmp_path / "broken.py"
    file.write_text(text)
    page = train(file)
    if "x = =" not in text:
        confirmed(page)
    expect(page.get_by_text(BROKEN[text]).first).to_be_visible(timeout=SECONDS)
    expect(page.get_by_role("heading", name="Train")).to_be_visible()
    if "x = =" not in text:
        expect(launch(page)).to_be_disabled()
        page.get_by_role("button", name="Remove").click()
    launched(page, folder)
