"""A matrix is found, played through training to its last snapshot, taken away, and opened in numpy."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors import safe_open
from safetensors.numpy import load_file

from fop_core import inspection
from fop_core.runs import GALLERY
from fop_core.runs.run import Run
from tests.chromium import NARROW, sidebar, slow_down

RUN = "mnist-fop-rank16-seed1"
LAYER = "7.weight"
READY = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector('.fop-chip')"""


@pytest.fixture
def page_at(visit, troubles):
    """Open the page as a newcomer: by its bare address."""
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]

    def opened(times_slower: float = 1, **options) -> Page:
        page = visit("preconditioners", drawn=False, **options)
        if times_slower > 1:
            slow_down(page, times_slower)
        page.wait_for_function(READY, timeout=40_000)
        return page

    return opened


def choose(page: Page) -> None:
    """Find the run and the layer by what is visible."""
    with sidebar(page):
        page.get_by_role("combobox", name=re.compile("Run")).click()
        page.get_by_role("option", name=Run(GALLERY / RUN).name, exact=True).click()
        expect(page).to_have_url(re.compile(f"run={RUN}"))
    page.get_by_role("radio", name=LAYER.removesuffix(".weight"), exact=True).click()
    page.get_by_role("radio", name="M", exact=True).click()
    expect(page.get_by_role("heading", name=f"M of {LAYER}")).to_be_visible()


def play_through(page: Page) -> int:
    """Play from the first snapshot to the last; return the step that is then on screen."""
    run = Run(GALLERY / RUN)
    cursor = page.get_by_role("slider", name="Step")
    page.get_by_role("button", name="Play").click()  # it stands at the end: it begins anew
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible(timeout=60_000)
    last = run.snapshot_steps()[-1]
    expect(cursor).to_have_attribute("aria-valuenow", str(last))
    expect(page.locator(".fop-cursor-caption")).to_contain_text(f"step {last:,}")
    expect(page.locator(".fop-matrix-field").first).to_have_attribute("data-step", str(last))
    return last


def take_away(page: Page, folder: Path) -> Path:
    """Save what is at the cursor."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="M and P at the cursor (safetensors)").click()
    path = folder / saved.value.suggested_filename
    saved.value.save_as(path)
    return path


def check(path: Path, step: int) -> None:
    """Compare a saved file with what the run has stored of a step."""
    with safe_open(path, "numpy") as file:
        assert {"run": RUN, "step": str(step)}.items() <= file.metadata().items()
    arrays = load_file(path)
    stored = Run(GALLERY / RUN).snapshot(step)[f"{LAYER}/M"]
    np.testing.assert_array_equal(arrays[f"{LAYER}/M"], stored)
    P = inspection.preconditioner(stored, "low_rank")
    np.testing.assert_allclose(arrays[f"{LAYER}/P"], P, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("times_slower", "options"),
    [(1, {}), (1, {"viewport": NARROW, "has_touch": True, "is_mobile": True}), (3, {})],
    ids=["wide", "narrow", "slow"],
)
def test_a_matrix_is_found_played_through_and_opened_in_numpy(page_at, tmp_path, times_slower, options):
    page = page_at(times_slower, **options)
    choose(page)
    step = play_through(page)
    check(take_away(page, tmp_path), step)
