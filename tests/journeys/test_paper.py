"""The Paper: a claim and its verdict read, the runs behind them opened, and its rerun asked for and launched."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fop_core.jobs import slots
from fop_core.reproduction.cards import card
from fop_core.reproduction.plans import PLANS
from fop_core.runs import store as runs
from fop_core.studies import cells, store, submit
from pages.paper import shown
from tests.chromium import running_over

IDLE = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector("h1")
  && [...document.querySelectorAll(".fop-plot-node")].every((node) => node.dataset.theme)"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A runs folder without a slot: what is submitted waits, and nothing is trained."""
    folder = tmp_path_factory.mktemp("paper") / "runs"
    folder.mkdir()
    slots.choose(folder, cpu_slots=0)
    yield folder
    for id_ in store.ids(folder):
        submit.stop(id_, folder)


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's."""
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


@pytest.fixture
def paper(visit, troubles) -> Page:
    """The page, once all of it is drawn."""
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    page = visit("paper", drawn=False)
    page.set_default_timeout(60_000)
    page.wait_for_function(IDLE, timeout=120_000)
    return page


def test_a_verdict_is_read_its_runs_are_opened_and_its_rerun_is_launched(paper, folder):
    page = paper
    read = card("3-cifar10")
    shows = page.locator(".st-key-card-3-cifar10")
    expect(page.get_by_role("heading", name=read.title, exact=True)).to_have_count(1)
    expect(shows).to_contain_text(shown.verdict(read))
    for part in read.parts:
        expect(shows).to_contain_text(shown.outcome(part)[1])
    page.locator(".st-key-ways-3-cifar10").get_by_role("link", name=re.compile("^Open the .* runs$")).click()
    page.wait_for_url(re.compile(r"/runs\?show=gallery&run="))
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    expect(page.get_by_text("Not all of the address could be used")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", name="Paper", exact=True)).to_be_visible()
    page.wait_for_function(IDLE, timeout=120_000)

    page.locator(".st-key-rerun-2").get_by_role("button").click()
    expect(page.get_by_text("paper-2-tune-quick")).to_be_visible()
    names = [name for name in PLANS if name.startswith("paper-2-")]
    count = len({cell.key for name in names for cell in cells.cells(PLANS[name].quick)})
    page.get_by_role("button", name=f"Launch {count} runs", exact=True).click()
    link = page.get_by_role("link", name="Study paper-2-tune-quick", exact=True)
    expect(link).to_be_visible()
    assert {f"{name}-quick" for name in names} <= set(store.ids(folder))
    assert len([run for run, _ in runs.scan(folder)]) == count
    link.click()
    page.wait_for_url(re.compile("/studies.*study=paper-2-tune-quick"))
    expect(page.get_by_text("paper-2-tune-quick").first).to_be_visible()
    page.get_by_role("button", name="All studies").click()
    for name in names:
        expect(page.locator(".fop-runs").get_by_text(f"{name}-quick", exact=True)).to_be_visible()
