"""The choice of rules on Trajectories in a real browser: by families, and one that the reader writes."""

import re
from dataclasses import replace

from playwright.sync_api import expect

from fop_core.figures.style import METHODS
from pages.shared.race.rules import ABOUT, EXAMPLE, FAMILIES
from tests.browser.test_trajectories import LABELS, counts
from tests.chromium import row
from toy_functions import presets, race
from toy_functions.own_rule import OwnRule
from toy_functions.scenes import SCENES


def test_rules_are_shown_by_families_each_with_its_line(visit):
    page = visit()
    sidebar = page.get_by_test_id("stSidebar")
    first = next(iter(SCENES.values())).chosen()
    chosen = [METHODS[name].name for names in FAMILIES.values() for name in names if name in first]
    expect(sidebar.get_by_role("button", pressed=True)).to_have_text(chosen)
    for family, names in FAMILIES.items():
        choice = page.get_by_role("toolbar", name=family, exact=True)
        expect(choice.get_by_role("button")).to_have_text([METHODS[name].name for name in names])
        group = sidebar.get_by_test_id("stButtonGroup").filter(has=choice)
        group.get_by_role("button", name=f"Help for {family}", exact=True).hover()
        lines = page.get_by_role("tooltip").get_by_role("listitem")
        expect(lines).to_have_text([f"{METHODS[name].name}: {ABOUT[name]}" for name in names])


def test_a_rule_of_ones_own_typed_wrong_then_right_is_raced_to_its_end(visit):
    page = visit("?rules=sgd,fop")
    page.get_by_role("toolbar", name="Your own", exact=True).get_by_role("button", name="Own rule").click()
    statements = page.get_by_role("textbox", name="Statements")
    expect(statements).to_have_value(EXAMPLE)
    expect(row(page, "Own rule")).to_contain_text("Converged")

    statements.fill("m = 0.5m + g; x = x - lr*q")
    statements.press("Enter")
    expect(page.get_by_text("unknown name “q”")).to_be_visible()
    code = page.get_by_test_id("stCode").inner_text().split("\n")
    text, carets = [line for line in code if line.strip()][:2]
    assert carets.index("^") == text.index("q")
    expect(page.get_by_text("Your own rule in the sidebar has a mistake, and is left out.")).to_be_visible()
    expect(row(page, "Own rule")).to_have_count(0)
    counts(page, SGD="832", FOP="543")

    statements.fill("m = 0.5m + g; x = x - lr*m")
    statements.press("Enter")
    expect(page.get_by_test_id("stCode")).to_have_count(0)
    own = OwnRule(0.005, "m = 0.5m + g; x = x - lr*m")
    steps = race(replace(presets.PAPER_BOOTH, rules={"": own}))[""].steps
    counts(page, **{"Own rule": f"{steps}"})
    expect(page).to_have_url(re.compile("own-rule.text="))
    page.get_by_role("button", name="Back to the start").click()
    page.get_by_role("combobox", name="Speed").select_option("10")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(LABELS, has_text=f"Own rule {steps}")).to_be_visible()
    expect(page.get_by_text("step 832 of 832")).to_be_visible()
    expect(row(page, "Own rule")).to_contain_text(f"Converged: f < 1e-6 at step {steps}.")
