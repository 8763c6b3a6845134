"""The tour in a real browser: five stops by link and by keyboard, skipped for good, found again in the menu."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from pages.shared.tour import STOPS
from tests.chromium import DRAWN, NARROW, SIDEBAR_SETTLED, WIDE, too_small

ROOM = """() => {
  const bar = document.querySelector(".fop-tour").getBoundingClientRect();
  const main = document.querySelector('[data-testid="stMain"]');
  return [bar.top - main.getBoundingClientRect().bottom, bar.bottom - innerHeight, main.scrollWidth - innerWidth];
}"""


@pytest.fixture
def expected(troubles):
    troubles.expected = ["/_stcore/", "404 (Not Found)", "net::ERR_ABORTED"]  # a link is followed while a page loads


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("^Tour"))


def newcomer(visit, **options) -> Page:
    """The app as somebody sees it for the first time."""
    page = visit(**options)
    page.evaluate("() => localStorage.removeItem('fop-tour')")
    page.reload(wait_until="commit")
    return page


def begun(page: Page) -> None:
    """Begin the tour in the menu, which on a phone folds away by itself."""
    phone = page.viewport_size == NARROW
    if phone:
        page.get_by_test_id("stExpandSidebarButton").click()
        page.wait_for_function(SIDEBAR_SETTLED, arg=True)
    page.get_by_role("button", name="Tour: five stops").click()
    if phone:
        page.wait_for_function(SIDEBAR_SETTLED, arg=False)


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_five_stops_are_walked_by_keyboard_and_nothing_is_hidden(visit, expected, viewport):
    page = visit(viewport=viewport)
    begun(page)
    for number, stop in enumerate(STOPS, 1):
        expect(page.get_by_role("region", name=f"Tour. Stop {number} of {len(STOPS)}", exact=True)).to_be_visible()
        assert page.url.endswith(f"/{stop.address}")
        for text in (stop.sentence, stop.attempt):
            expect(bar(page)).to_contain_text(text)
        page.wait_for_function(
            """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
              && document.querySelector("h1")""",
            timeout=120_000,
        )
        under, foot, across = page.evaluate(ROOM)
        assert under >= -0.5 and abs(foot) <= 0.5 and across <= 0
        if stop.part:
            expect(page.locator(stop.part)).to_be_in_viewport(ratio=1)
        expect(page.get_by_text("Not all of the address could be used")).to_have_count(0)
        if number < len(STOPS):
            expect(bar(page)).to_be_focused()
            for _ in range(3 if number > 1 else 2):  # the title's link, Back, Next
                page.keyboard.press("Tab")
            expect(bar(page).get_by_role("link", name="Next")).to_be_focused()
            page.keyboard.press("Enter")
    expect(bar(page).get_by_role("link", name="Next")).to_have_count(0)
    bar(page).get_by_role("link", name="Back").click()
    expect(bar(page)).to_contain_text(STOPS[-2].sentence)
    page.go_back()
    expect(bar(page)).to_contain_text(STOPS[-1].sentence)
    assert page.url.endswith(STOPS[-1].address)


def test_a_newcomer_is_invited_and_who_declines_is_never_asked_again(visit, expected):
    page = newcomer(visit)
    expect(bar(page)).to_contain_text("New here? A tour of 5 stops, each with one thing to try.")
    bar(page).get_by_role("button", name="No, thanks").click()
    expect(bar(page)).to_be_hidden()
    home = page.url
    for address in ("", "basins?size=64", ""):
        page.goto(f"{home}{address}", wait_until="commit")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_function("() => document.querySelector('.fop-tour')?.fop")
        assert bar(page).count() == 0
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').clientHeight === innerHeight")


def test_who_comes_by_a_link_sees_what_the_link_shows_and_no_invitation(visit, expected):
    page = visit("?preset=paper-himmelblau&v=2")
    page.evaluate("() => localStorage.removeItem('fop-tour')")
    page.reload(wait_until="commit")
    page.wait_for_function("() => document.querySelector('.fop-tour')?.fop")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert bar(page).count() == 0


def test_the_tour_begins_at_once_where_its_first_stop_is_the_page_and_is_skipped_for_good(visit, expected):
    page = newcomer(visit)
    bar(page).get_by_role("link", name="Start the tour").click()
    expect(bar(page)).to_contain_text(STOPS[0].sentence)
    bar(page).get_by_role("link", name="Next").click()
    expect(bar(page)).to_contain_text(STOPS[1].sentence)
    bar(page).get_by_role("button", name="Skip the tour").click()
    expect(bar(page)).to_be_hidden()
    page.reload(wait_until="commit")
    page.wait_for_function("() => document.querySelector('.fop-tour')?.fop")
    assert bar(page).count() == 0
    begun(page)
    expect(bar(page)).to_contain_text(STOPS[0].sentence)


def test_the_player_ends_above_the_bar_and_is_larger_without_it(visit, expected):
    page = visit(viewport={"width": 1280, "height": 800})
    play = page.get_by_role("button", name="Play", exact=True)
    begun(page)
    expect(bar(page)).to_contain_text(STOPS[0].sentence)
    expect(play).to_be_in_viewport(ratio=1)
    page.wait_for_function(
        """() => document.querySelector(".fop-bar").getBoundingClientRect().bottom
          < document.querySelector(".fop-tour").getBoundingClientRect().top + 1"""
    )
    small = play.bounding_box()["y"]
    bar(page).get_by_role("button", name="Skip the tour").click()
    page.wait_for_function(
        "small => document.querySelector('.fop-play').getBoundingClientRect().y > small + 20", arg=small
    )


def test_a_first_visitor_sees_all_runs_of_the_opening_above_the_invitation(visit, expected):
    page = newcomer(visit, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    expect(bar(page)).to_contain_text("New here?")
    page.wait_for_function(DRAWN, timeout=40_000)
    edge = bar(page).bounding_box()["y"]
    for selector in (".fop-bar", ".fop-update", ".fop-readout"):
        area = page.locator(selector).bounding_box()
        assert area["y"] > 0 and area["y"] + area["height"] <= edge + 0.5, (selector, area, edge)


def test_on_a_phone_the_bar_has_room_for_a_finger(visit, expected):
    page = visit(viewport=NARROW, has_touch=True, is_mobile=True)
    begun(page)
    expect(bar(page)).to_be_visible()
    assert not too_small(page, ".fop-tour :is(a[href]:not(.fop-tour-title), button)")
