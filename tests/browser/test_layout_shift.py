"""Nothing on a page moves from under a reader while it loads: the sum of its layout shifts is below 0.1."""

import pytest
from playwright.sync_api import Page

from tests.browser.test_accessibility import PAGES, SETTLED
from tests.chromium import NARROW, WIDE

MOST = 0.1  # up to which the measure is called good (web.dev/cls)
NOTE = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) shifts.push([value, sources.map(({ node, previousRect, currentRect }) =>
      `${node?.parentElement?.className} > ${node?.className ?? node?.nodeName}: ` +
      `${previousRect.y} to ${currentRect.y}, ${previousRect.height} to ${currentRect.height} high`)]);
}).observe({ type: "layout-shift", buffered: true });"""


def shifts(visit, address: str, viewport) -> list[tuple[float, list[str]]]:
    """Open a page, and return what moved until it was at rest."""
    blank: Page = visit("app/static/logo.svg", drawn=False, viewport=viewport)
    blank.add_init_script(NOTE)
    blank.goto(f"{blank.url.partition('/app/')[0]}/{address}", wait_until="commit")
    blank.wait_for_function(SETTLED, timeout=120_000)
    blank.wait_for_timeout(500)
    return blank.evaluate("shifts")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_moves_while_a_page_loads(visit, troubles, name, viewport):
    # The blank page may be left before it has come whole.
    troubles.expected = ["/_stcore/", "404 (Not Found)", "logo.svg (net::ERR_ABORTED)"]
    noted = shifts(visit, PAGES[name], viewport)
    total = sum(value for value, _ in noted)
    assert total < MOST, "\n".join(f"{value:.3f}: {sources}" for value, sources in noted)


def test_what_moves_is_noticed(visit, troubles):
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    page = visit("train", drawn=False)
    page.wait_for_function(SETTLED, timeout=120_000)
    page.evaluate(NOTE)
    page.evaluate("() => { document.querySelector('[data-testid=stMainBlockContainer]').style.paddingTop = '30rem'; }")
    page.wait_for_function("() => shifts.reduce((sum, [value]) => sum + value, 0) > 0.1")
