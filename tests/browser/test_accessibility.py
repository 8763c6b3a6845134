"""Each page is for everyone: axe finds nothing serious in either theme, and a page has one title."""

import subprocess

import pytest
from playwright.sync_api import Page, expect

from tests.chromium import NARROW, ROOT

PAGES = {
    "Trajectories": "",
    "Basins": "basins?size=64",
    "Train": "train",
    "Runs": "runs?show=gallery&run=mnist-fop-full-seed0",
    "Preconditioners": "preconditioners",
}
AXE = ROOT / "node_modules/axe-core/axe.min.js"
SETTLED = """() => {
  const idle = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";
  const nodes = [...document.querySelectorAll(".fop-plot-node")];
  return idle && document.querySelector("h1") && document.fonts.status === "loaded"
    && !document.querySelector("[data-testid=stSkeleton], .fop-paths:not([aria-label])")
    && nodes.every((node) => node.dataset.theme);
}"""
SERIOUS = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The script, which npm brings."""
    if not AXE.exists():
        subprocess.run(["bash", "scripts/web.sh", "modules"], cwd=ROOT, check=True)
    return AXE.read_text()


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


def serious(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    return page.evaluate(SERIOUS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(settled, axe, name, scheme):
    findings = serious(settled(name, color_scheme=scheme), axe)
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious_on_a_phone(settled, axe, name):
    findings = serious(settled(name, viewport=NARROW, has_touch=True, is_mobile=True), axe)
    assert not findings, "\n".join(findings)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_title(settled, name):
    page = settled(name)
    expect(page).to_have_title(f"{name} · FOP Lab")
    assert page.get_by_role("heading", level=1).all_inner_texts() == [name]


def test_axe_would_find_something(settled, axe):
    page = settled("Train")
    page.evaluate("() => { document.querySelector('h1').style.color = '#aaa'; }")
    page.evaluate("() => document.querySelector('h1').append(document.createElement('button'))")
    assert {each.partition(":")[0] for each in serious(page, axe)} == {"color-contrast", "button-name"}
