"""Trajectories: a function typed as by hand, raced on to its lowest value, and run again elsewhere by its script."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_trajectories import choose
from tests.chromium import NARROW, row, sidebar

LONG = 60_000  # ms, on a machine that others use too


SCREENS = pytest.mark.parametrize(
    "options", [{}, {"viewport": NARROW, "has_touch": True, "is_mobile": True}], ids=["wide", "narrow"]
)


def type_formula(page: Page, text: str) -> None:
    field = page.get_by_label("f(x, y) =", exact=True)
    field.fill(text)
    field.press("Enter")


@SCREENS
def test_a_newcomer_races_on_a_function_of_their_own_and_takes_its_script_home(visit, tmp_path: Path, options):
    page = visit("", **options)
    page.set_default_timeout(LONG)
    with sidebar(page):
        choose(page, "Preset", "Your own f(x, y)")
        type_formula(page, "sin(x)cos(y) \N{MINUS SIGN} 2e^\N{MINUS SIGN}x²")
        expect(page.get_by_text("Lowest value found: f* = −2.13.")).to_be_visible(timeout=LONG)
    expect(row(page, "SGD")).to_contain_text("Converged: f − f* < 1e-6 at step", timeout=LONG)
    steps = row(page, "SGD").locator(".fop-steps").inner_text().replace(",", "")
    assert int(steps) > 10

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Python script").click()
    download.value.save_as(tmp_path / "race.py")
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run([sys.executable, "race.py"], cwd=tmp_path, env=elsewhere, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert f"SGD: converged, {steps} steps" in ran.stdout


@SCREENS
def test_a_function_without_a_lowest_value_says_how_its_race_ends(visit, options):
    page = visit("", **options)
    page.set_default_timeout(LONG)
    with sidebar(page):
        choose(page, "Preset", "Your own f(x, y)")
        type_formula(page, "xy")
        expect(page.get_by_text("A race ends at the step limit or by divergence.")).to_be_visible(timeout=LONG)
    expect(row(page, "SGD")).not_to_contain_text("Converged", timeout=LONG)
    with sidebar(page):
        type_formula(page, "x 2")
        expect(page.get_by_text("write x*2 or x^2")).to_be_visible(timeout=LONG)
