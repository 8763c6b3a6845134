"""Basins as a newcomer walks it: a map, a cell of it, its race, and back."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import NARROW, row, still

MAPS = ".st-key-maps .fop-basin"
DRAWN = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && !document.querySelector('[data-testid="stSkeleton"]')
  && document.querySelectorAll('.st-key-maps canvas[data-drawn="64"]').length === 2
  && document.querySelectorAll('.st-key-rates canvas[data-drawn]').length"""
ADDRESS = "basins?size=64&rules=sgd%2Cfop&fop.hyper_lr=0.001"


def first_map(page: Page) -> tuple[float, float]:
    """The middle of a cell of the first map."""
    field = page.locator(f"{MAPS} >> nth=0 >> .fop-basin-field")
    field.scroll_into_view_if_needed()
    box = still(field)
    return box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.6


@pytest.mark.parametrize("options", [{}, {"viewport": NARROW}], ids=["wide", "narrow"])
def test_a_cell_of_a_map_opens_its_race_and_back_leads_to_the_map_as_it_was(visit, troubles, options):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ADDRESS, drawn=False, **options)
    page.wait_for_function(DRAWN, timeout=120_000)
    opened = page.url
    labels = page.locator(f"{MAPS} [role=application]").evaluate_all("all => all.map((each) => each.ariaLabel)")
    assert len(labels) == 2 and all("converge" in label for label in labels)
    page.mouse.click(*first_map(page))
    expect(page.get_by_role("heading", name="Trajectories")).to_be_visible()
    expect(page).to_have_url(re.compile(r"x=-?\d.*&rules=sgd%2Cfop.*&fop\.hyper_lr=0\.001"))
    raced = page.url
    for name in ("SGD", "FOP"):
        expect(row(page, name)).to_contain_text(re.compile(r"Converged: f < 1e-6 at step|Not converged|Diverged"))
    page.go_back()
    expect(page.get_by_role("heading", name="Basins")).to_be_visible()
    page.wait_for_function(DRAWN, timeout=120_000)
    assert page.url == opened
    assert labels == page.locator(f"{MAPS} [role=application]").evaluate_all("all => all.map((each) => each.ariaLabel)")
    page.go_forward()
    expect(page.get_by_role("heading", name="Trajectories")).to_be_visible()
    expect(page.locator(".fop-readout tbody")).to_have_count(2)
    assert page.url == raced
