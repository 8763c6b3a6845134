"""The Paper page in a real browser: its cards, its theorems under the hand, and the ways to the runs."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from fop_core.reproduction.cards import cards
from tests.chromium import NARROW, running_over, too_small

EXCEEDED = "is exceeded here: stated 0.925, reached 0.926."
IDLE = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector("h1")
  && [...document.querySelectorAll(".fop-plot-node")].every((node) => node.dataset.theme)"""
WIDTHS = """() => [document.documentElement, document.querySelector("[data-testid=stMain]")]
  .map((e) => e.scrollWidth)"""


@pytest.fixture(scope="module")
def app(tmp_path_factory) -> Iterator[str]:
    """The address of an app without runs but the gallery's."""
    folder = tmp_path_factory.mktemp("paper") / "runs"
    folder.mkdir()
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


@pytest.fixture
def paper(visit, troubles):
    """Open the page, and wait until all of it is drawn."""
    troubles.expected = ["/_stcore/", "404 (Not Found)"]

    def opened(query: str = "", **options) -> Page:
        page = visit(f"paper{query}", drawn=False, **options)
        page.set_default_timeout(60_000)
        page.wait_for_function(IDLE, timeout=120_000)
        return page

    return opened


def sentence(page: Page, text: str) -> Locator:
    """A sentence of Theorem 2's."""
    return page.locator(".st-key-card-theorem-2 p", has_text=text)


def across(page: Page) -> Locator:
    """The slider of P's eigenvalue across, of Theorem 2."""
    return page.locator(".st-key-paper-t2-across").get_by_role("slider")


def test_every_card_is_drawn_with_its_verdict_and_its_link_in_the_sidebar(paper):
    page = paper()
    assert page.get_by_role("heading", level=1).all_inner_texts() == ["Paper"]
    for card in cards():
        expect(page.get_by_role("heading", name=card.title, exact=True)).to_have_count(1)
    drawn = page.locator("[class*='st-key-picture-'] .fop-plot-node[data-theme]")
    assert drawn.count() >= sum(bool(card.pictures) for card in cards())
    page.get_by_test_id("stSidebar").get_by_role("link", name="Theorem 2", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Theorem 2"))).to_be_in_viewport()


def test_a_slider_of_a_theorem_changes_its_sentence_alone_and_a_link_reproduces_it(paper):
    page = paper()
    expect(sentence(page, EXCEEDED)).to_be_visible()
    page.evaluate("() => { document.querySelector('.st-key-card-2').dataset.kept = 'yes'; }")
    thumb = across(page)
    thumb.focus()
    for _ in range(3):
        thumb.press("ArrowLeft")
    page.wait_for_url(re.compile(r"t2\.across=0\.47"))
    expect(sentence(page, EXCEEDED)).to_have_count(0)
    assert page.locator(".st-key-card-2").get_attribute("data-kept") == "yes"
    said = sentence(page, "Theorem 2 as stated").inner_text()
    page.reload()
    page.wait_for_function(IDLE, timeout=120_000)
    expect(sentence(page, "Theorem 2 as stated")).to_have_text(said)
    page.get_by_role("button", name="Counterexample").click()
    expect(sentence(page, EXCEEDED)).to_be_visible()
    page.wait_for_url(re.compile(r"/paper$"))


@pytest.mark.parametrize(
    ("card", "link", "url", "heading"),
    [
        ("1", "Race on Booth", r"/\?preset=paper-booth", "Trajectories"),
        ("3-cifar10", re.compile("^Open the .* runs$"), r"/runs\?show=gallery&run=", "Runs"),
        ("5a", "Step through P", r"/preconditioners\?run=cifar10-fop-velocity", "Preconditioners"),
    ],
)
def test_a_card_s_links_open_what_it_stands_on(paper, card, link, url, heading):
    page = paper()
    name = link if isinstance(link, str) else None
    way = page.locator(f".st-key-ways-{card}").get_by_role("link", name=name or link)
    way.click()
    page.wait_for_url(re.compile(url))
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_text("Not all of the address could be used")).to_have_count(0)
    page.go_back()
    expect(page.get_by_role("heading", name="Paper", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_page_and_a_finger_can_touch_it(paper, scheme):
    page = paper(viewport=NARROW, has_touch=True, is_mobile=True, color_scheme=scheme)
    assert page.evaluate(WIDTHS) == [NARROW["width"]] * 2
    assert not too_small(page, "[data-testid=stMainBlockContainer] :is(button:not([aria-label^=Help]), input, summary)")
