"""Each page is for everyone: axe finds nothing serious in either theme, and a page has one title."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.chromium import NARROW

PAGES = {
    "Trajectories": "",
    "Paper": "paper",
    "Basins": "basins?size=64",
    "Train": "train",
    "Runs": "runs?show=gallery&run=mnist-fop-full-seed0",
    "Studies": "studies",
    "Preconditioners": "preconditioners",
}
SETTLED = """() => {
  const idle = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";
  const nodes = [...document.querySelectorAll(".fop-plot-node")];
  return idle && document.querySelector("h1") && document.fonts.status === "loaded"
    && !document.querySelector(`[data-testid=stSkeleton], .fop-paths:not([aria-label]), .fop-runs tbody:empty,
      .fop-basins-maps:empty, .fop-basin-field canvas:not([data-drawn]), .fop-chips:empty`)
    && nodes.every((node) => node.dataset.theme);
}"""


@pytest.fixture
def settled(visit, troubles):
    """Open a page, and wait until nothing changes any more."""
    troubles.expected = ["/_stcore/", "404 (Not Found)"]

    def opened(name: str, **options) -> Page:
        page = visit(PAGES[name], drawn=False, **options)
        page.wait_for_function(SETTLED, timeout=120_000)
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        return page

    return opened


def serious(page: Page) -> list[str]:
    """What of the page some people cannot use, as axe says; what would only be better is left out."""
    return [
        f"{violation['id']}: {node['html']}: {node['failureSummary']}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(settled, name, scheme):
    findings = serious(settled(name, color_scheme=scheme))
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_on_a_phone(settled, name):
    findings = serious(settled(name, viewport=NARROW, has_touch=True, is_mobile=True))
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title(settled, name):
    page = settled(name)
    expect(page).to_have_title(f"{name} · FOP Lab")
    assert page.get_by_role("heading", level=1).all_inner_texts() == [name]


def test_axe_would_find_something(settled):
    page = settled("Train")
    page.evaluate("() => { document.querySelector('h1').style.color = '#aaa'; }")
    page.evaluate("() => document.querySelector('h1').append(document.createElement('button'))")
    assert {each.partition(":")[0] for each in serious(page)} == {"color-contrast", "button-name"}
