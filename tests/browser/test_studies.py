"""Studies: what only a browser does: a cell of a grid that is clicked, and time that is measured on a click."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fop_core.studies import cells
from tests.chromium import running_over, still
from tests.studies import filled

MISSED = ["/_stcore/", "404 (Not Found)"]  # where Streamlit looks first below an address
AXES = ("optimizer.lr=0.01,0.05,0.1", "optimizer.momentum=0.5,0.9")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A runs folder with a study of two axes, whose runs are written down, not trained."""
    folder = tmp_path_factory.mktemp("studies") / "runs"
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("FOP_RUNS_DIR", str(folder))
        plan = filled.study("grid", *AXES)
        winners = {method: tried[0] for method, tried in cells.points(plan).items()}
        filled.filled(plan, winners=winners)
    return folder


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's."""
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


def test_a_cell_of_a_grid_opens_the_trials_that_it_is_of(visit, troubles):
    troubles.expected = MISSED
    page = visit("studies?study=grid", drawn=False)
    page.set_default_timeout(60_000)
    grid = page.get_by_role("group", name=re.compile("^FOP"))
    texts = grid.locator(".annotation-text")
    expect(texts).to_have_count(6)
    texts.last.scroll_into_view_if_needed()
    box = still(texts.last)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url(re.compile("cell="))
    expect(page.get_by_role("link", name="Open its 2 runs")).to_have_count(1)


def test_time_that_no_run_tells_is_measured_on_a_click(visit, troubles):
    troubles.expected = MISSED
    page = visit("studies?methods=adam&base=data.limit%3D400", drawn=False)
    page.set_default_timeout(60_000)
    expect(page.get_by_text("not known: no run here is like these")).to_be_visible()
    page.get_by_role("button", name="Measure time").click()
    expect(page.get_by_text("measured now")).to_be_visible(timeout=180_000)
    expect(page.get_by_text(re.compile(r"^Time about "))).to_be_visible()
