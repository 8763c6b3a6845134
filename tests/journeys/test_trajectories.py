"""Trajectories as a newcomer walks it: the first race to its last step, and a surface of one's own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import NARROW, row, sidebar, slow_down
from toy_functions import race
from toy_functions.scenes import SCENES

FIRST = next(iter(SCENES.values())).race
LAST = max(trajectory.steps for trajectory in race(FIRST).values())
PHONE = {"viewport": NARROW, "has_touch": True, "is_mobile": True}

ENDED = re.compile(r"(Converged: f( − f\*)? < 1e-6 at step [\d,]+|[Nn]ot converged|[Dd]iverged)")


def at_the_end(page: Page) -> None:
    """The player stands at the last step, and says so."""
    expect(page.get_by_text(re.compile(r"^step ([\d,]+) of \1$"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("options", "slower", "speed"), [({}, 1, "1"), (PHONE, 1, "2"), ({}, 4, "2")], ids=["wide", "narrow", "slow"]
)
def test_the_first_race_plays_to_its_last_step_and_every_row_says_how_it_ended(visit, options, slower, speed):
    page = visit(**options)
    if slower > 1:
        slow_down(page, slower)
    at_the_end(page)  # by itself
    expect(page.get_by_text("Drag the start")).to_be_visible()
    page.get_by_role("combobox", name="Speed").select_option(speed)
    page.get_by_role("button", name="Back to the start").click()
    expect(page.get_by_text(f"step 0 of {LAST:,}")).to_be_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    at_the_end(page)
    for name in FIRST.rules:
        expect(row(page, name)).to_contain_text(ENDED)
    page.get_by_role("button", name="Play", exact=True).click()  # from the start again
    expect(page.get_by_text(re.compile(rf"^step \d{{1,2}} of {LAST:,}$"))).to_be_visible()
    page.keyboard.press("End")
    at_the_end(page)


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "narrow"])
def test_a_surface_of_ones_own_typed_wrong_then_right_is_raced_to_its_end(visit, options):
    page = visit(**options)
    with sidebar(page):
        page.get_by_role("combobox", name=re.compile("^Surface")).click()
        page.get_by_role("option", name="Your own f(x, y)").click()
        formula = page.get_by_role("textbox", name="f(x, y) =")
        formula.fill("(x - 1)^2 + (y + ")
        formula.press("Enter")
    expect(page.get_by_text("The formula or its view in the sidebar has a mistake.")).to_be_visible()
    expect(page.locator(".fop-player")).to_be_visible()  # the last race that was understood
    expect(page.locator(".fop-readout tbody").first).to_be_visible()
    with sidebar(page):
        formula.fill("(x - 1)^2 + 3*(y + 1)^2")
        formula.press("Enter")
    expect(page.get_by_text("The formula or its view in the sidebar has a mistake.")).to_have_count(0)
    expect(page.get_by_text(re.compile(r"^step [\d,]+ of [\d,]+$"))).to_be_visible()
    page.get_by_role("combobox", name="Speed").select_option("10")  # at 1 it takes 7 s, as in the test above
    page.get_by_role("button", name="Back to the start").click()
    page.get_by_role("button", name="Play", exact=True).click()
    at_the_end(page)
    for name in FIRST.rules:
        expect(row(page, name)).to_contain_text(ENDED)
