"""The way from page to page in a real browser: what was set is kept, and Back leads to the page before."""

import re

import pytest
from playwright.sync_api import expect

from tests.chromium import NARROW


def test_the_menu_is_one_step_of_the_history_and_finds_settings_as_they_were_left(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit("?x=5")
    for name in ("Basins", "Trajectories"):
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_label("Start x")).to_have_value("5")
    expect(page).to_have_url(re.compile(r"/\?x=5$"))
    page.go_back()
    expect(page.get_by_role("heading", name="Basins", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Start x")).to_have_value("5")
    expect(page).to_have_url(re.compile(r"/\?x=5$"))


def test_what_a_page_that_is_left_writes_late_takes_no_way_forward(visit, troubles):
    troubles.expected = ["/studies/_stcore/", "404 (Not Found)"]
    page = visit("studies", drawn=False)
    page.wait_for_function("window.fopLab?.passage")  # what keeps the history: its code comes a little later
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    late = "() => history.pushState({}, '', '/runs?late=1')"  # as Streamlit does where a run has begun meanwhile
    page.evaluate(f"() => addEventListener('popstate', {late}, {{ once: true }})")
    page.go_back()
    expect(page.get_by_role("heading", name="Studies", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("/studies$"))
    page.go_forward()
    expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile("/runs$"))


SAID_LATE = """name => {
  [...document.querySelectorAll(".st-key-menu a")].find((link) => link.textContent === name).click();
  document.querySelector(".fop-cursor").fop.send("at", 0);
}"""  # as of a cursor that came to rest just now


def test_what_a_page_that_is_left_says_late_does_not_bring_it_back(visit, troubles):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    page = visit("preconditioners", drawn=False)
    for _ in range(3):
        page.locator(".fop-cursor-track").wait_for()
        page.get_by_role("link", name="Runs", exact=True).wait_for()
        page.evaluate(SAID_LATE, "Runs")
        expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible()
        expect(page).to_have_url(re.compile("/runs$"))
        page.get_by_role("link", name="Preconditioners", exact=True).click()


@pytest.mark.parametrize("touch", [True, False])
def test_on_a_phone_the_menu_folds_away_once_it_has_led_to_a_page(visit, troubles, touch):
    troubles.expected = ["/train/_stcore/", "404 (Not Found)"]
    page = visit(viewport=NARROW, has_touch=touch, is_mobile=touch)
    page.get_by_test_id("stExpandSidebarButton").click()
    link = page.get_by_role("link", name="Train", exact=True)
    expect(link).to_be_in_viewport()
    link.tap() if touch else link.click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    expect(link).not_to_be_in_viewport()
