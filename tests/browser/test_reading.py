"""Reading a race in a real browser: its legend, f under the cursor, the colour bar, several seeds."""

import re

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.chromium import NARROW, number, row, still

PLAYER = ".fop-player"
PATHS = ".st-key-race .fop-plot-node"
LABELS = ".fop-label.fop-arrived"
FIGURE_1 = "?preset=paper-booth&v=2"
PHONE = {"viewport": NARROW, "has_touch": True, "is_mobile": True}

DRAWN = """(key) => { const node = document.querySelector(`.st-key-${key} .fop-plot-node`);
  const shown = (node?._fullData ?? []).filter((trace) => trace.visible === true);
  return [...new Set(shown.map((trace) => trace.legendgroup))]; }"""
"""Which runs a chart has lines of."""
WRITTEN = """(key) => [...document.querySelectorAll(`.st-key-${key} .annotation`)].map((label) => label.textContent)"""
FAINT = """(key) => { const node = document.querySelector(`.st-key-${key} .fop-plot-node`);
  return node._fullData.filter((trace) => trace.visible === true && Number(getComputedStyle(
    node.querySelector(`.trace${trace.uid}`)).opacity) < 0.5).map((trace) => trace.legendgroup); }"""

PALE = """() => [...document.querySelectorAll(".fop-label.fop-arrived")].filter(
  ({ style }) => Number(style.opacity) < 0.5).length"""
"""How many labels are faded."""


def entry(page: Page, name: str) -> Locator:
    """The legend's button of an optimizer."""
    return page.locator(".fop-entries").get_by_role("button", name=name, exact=True)


def pressed(page: Page, **shown: bool) -> None:
    for name, is_shown in shown.items():
        expect(entry(page, name)).to_have_attribute("aria-pressed", str(is_shown).lower())


def lines(page: Page, key: str, *rules: str) -> None:
    """A chart has lines of these runs, and of no other."""
    page.wait_for_function(
        f"([key, rules]) => ({DRAWN})(key).sort().join() === rules", arg=[key, ",".join(sorted(rules))]
    )


def labels(page: Page, *texts: str) -> None:
    expect(page.locator(LABELS)).to_have_count(len(texts))
    assert sorted(page.locator(LABELS).all_text_contents()) == sorted(texts)


def colored(page: Page, color: str) -> int:
    """How many px of the paths have a colour."""
    return page.evaluate(
        """color => { const canvas = document.querySelector(".fop-paths");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const parts = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
          let count = 0;
          for (let at = 0; at < data.length; at += 4)
            if (data[at + 3] > 250 && parts.every((part, i) => Math.abs(data[at + i] - part) < 3)) count++;
          return count; }""",
        color,
    )


ADAM, FOP = "#CB62AF", "#D9541E"


def test_a_click_hides_a_run_in_the_player_and_in_every_chart_and_the_address_has_it(visit):
    page = visit(FIGURE_1)
    labels(page, "SGD 832", "Adam 6,221", "FOP 543")
    assert colored(page, ADAM) > 50
    entry(page, "Adam").click()
    pressed(page, SGD=True, Adam=False, FOP=True)
    labels(page, "SGD 832", "FOP 543")
    assert colored(page, ADAM) == 0 and colored(page, FOP) > 50
    lines(page, "losses", "sgd", "fop")
    assert page.evaluate(WRITTEN, "losses") == ["SGD 832", "FOP 543"]
    lines(page, "errors", "sgd", "fop")
    lines(page, "eigenvalues", "fop")
    expect(page).to_have_url(re.compile(r"hidden=adam"))
    number(page, "Start x").fill("1")
    number(page, "Start x").press("Enter")
    expect(page).to_have_url(re.compile("x=1"))
    expect(row(page, "SGD").locator(".fop-steps")).not_to_have_text("832")
    pressed(page, Adam=False)
    lines(page, "losses", "sgd", "fop")
    page.reload()
    pressed(page, SGD=True, Adam=False, FOP=True)
    entry(page, "Adam").click()
    lines(page, "losses", "sgd", "adam", "fop")
    expect(page).not_to_have_url(re.compile("hidden"))


def test_two_clicks_or_one_with_shift_show_a_run_alone_and_all_again(visit):
    page = visit(FIGURE_1)
    entry(page, "FOP").dblclick()
    pressed(page, SGD=False, Adam=False, FOP=True)
    lines(page, "losses", "fop")
    labels(page, "FOP 543")
    entry(page, "SGD").click(modifiers=["Shift"])
    pressed(page, SGD=True, Adam=False, FOP=False)
    lines(page, "losses", "sgd")
    lines(page, "angles")
    entry(page, "SGD").click(modifiers=["Shift"])
    pressed(page, SGD=True, Adam=True, FOP=True)
    lines(page, "angles", "fop")
    expect(page).not_to_have_url(re.compile("hidden"))


def test_the_legend_is_worked_by_keys_which_stay_the_players_too(visit):
    page = visit(FIGURE_1)
    entry(page, "SGD").focus()
    page.keyboard.press("Space")
    pressed(page, SGD=False, Adam=True, FOP=True)
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(entry(page, "Adam")).to_be_focused()
    page.keyboard.press("Shift+Enter")
    pressed(page, SGD=False, Adam=True, FOP=False)
    lines(page, "losses", "adam")
    page.wait_for_timeout(500)  # two presses in less are a double one
    page.keyboard.press("Shift+Enter")
    pressed(page, SGD=True, Adam=True, FOP=True)
    page.keyboard.press("Home")
    page.wait_for_function("() => fopLab.clock.step === 0")


def test_pointing_at_a_run_fades_the_others_in_the_player_and_in_the_charts(visit):
    page = visit(FIGURE_1)
    opaque = colored(page, ADAM)
    entry(page, "FOP").hover()
    page.wait_for_function(f"() => ({FAINT})('losses').join() === 'sgd,adam'")
    assert page.evaluate(FAINT, "errors") == ["sgd", "sgd", "adam", "adam"]
    assert page.evaluate(FAINT, "eigenvalues") == []
    page.wait_for_function(f"() => ({PALE})() === 2")
    assert colored(page, ADAM) == 0 < opaque and colored(page, FOP) > 50
    page.mouse.move(5, 5)
    page.wait_for_function(f"() => ({FAINT})('losses').length === 0")
    page.wait_for_function(f"() => ({PALE})() === 0")
    assert colored(page, ADAM) == opaque
    lines(page, "losses", "sgd", "adam", "fop")


def test_the_table_follows_the_legend_and_nothing_is_asked_of_python(visit):
    page = visit("?preset=paper-booth&hidden=sgd&v=2")

    def shown(*expected: bool) -> None:
        page.wait_for_function(
            """expected => [...document.querySelectorAll(".fop-readout tbody")].map(
                 (row) => Number(getComputedStyle(row).opacity) > 0.5).join() === expected""",
            arg=",".join(str(each).lower() for each in expected),
        )

    shown(False, True, True)
    expect(row(page, "SGD")).to_have_attribute("title", re.compile("^Hidden"))
    page.evaluate("() => { document.querySelector('.fop-player').fop.trigger = () => {}; }")  # as if Python were slow
    entry(page, "Adam").click()
    shown(False, False, True)
    page.mouse.move(5, 5)
    entry(page, "SGD").click()
    page.mouse.move(5, 5)
    shown(True, False, True)
    expect(row(page, "SGD")).to_have_attribute("title", "")
    entry(page, "FOP").hover()
    shown(False, False, True)
    page.mouse.move(5, 5)
    shown(True, False, True)
    assert page.url.endswith("hidden=sgd&v=2")


def test_a_finger_hides_a_run_and_shows_one_alone(visit):
    page = visit(FIGURE_1, **PHONE)
    entry(page, "Adam").tap()
    pressed(page, SGD=True, Adam=False, FOP=True)
    expect(page).to_have_url(re.compile("hidden=adam"))
    # In one go: two taps of a driver can be further apart than a double one is long.
    entry(page, "SGD").evaluate("(button) => { button.click(); button.click(); }")
    pressed(page, SGD=True, Adam=False, FOP=False)
    lines(page, "losses", "sgd")


def test_a_link_with_hidden_runs_opens_without_them(visit):
    page = visit("?preset=paper-booth&hidden=sgd,adam&v=2")
    pressed(page, SGD=False, Adam=False, FOP=True)
    labels(page, "FOP 543")
    lines(page, "losses", "fop")
    assert colored(page, ADAM) == 0


VALUE = re.compile(r"\((−?[\d.,]+), (−?[\d.,]+)\): f ([≈=]) (−?[\d.,]+), ∇f [≈=] \((−?[\d.,]+), (−?[\d.,]+)\)")


def read(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_f_and_its_gradient_are_told_under_the_cursor_and_nothing_is_asked_of_python(visit, view):
    page = visit(f"{FIGURE_1}&view={view}")
    line = page.locator(".fop-under")
    expect(line).to_have_text("Point at the surface: f and ∇f")
    page.evaluate(
        "player => { window.asked = 0; const it = document.querySelector(player).fop; const pass = it.trigger;"
        " it.trigger = (...event) => { window.asked++; pass(...event); }; }",
        PLAYER,
    )
    box = still(page.locator(".fop-stage"))
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    expect(line).to_have_text(VALUE)
    x, y, sign, f, gx, gy = VALUE.fullmatch(line.inner_text()).groups()
    x, y, f, gx, gy = map(read, (x, y, f, gx, gy))
    assert sign == "=", "the browser has the surface's program"
    # The point is written with three digits, and so is f.
    slack = 0.006 * (abs(gx) + abs(gy)) + 0.01 * f + 0.01
    assert abs(f - ((x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2)) < slack
    assert abs(gx - (10 * x + 8 * y - 34)) < 0.2 and abs(gy - (8 * x + 10 * y - 38)) < 0.2
    page.mouse.move(5, 5)
    expect(line).to_have_text("Point at the surface: f and ∇f")
    assert page.evaluate("window.asked") == 0


def test_where_the_browser_has_no_program_of_the_surface_f_is_near(visit):
    page = visit(FIGURE_1)
    page.evaluate("player => { document.querySelector(player).fop.under.exact = null; }", PLAYER)
    box = still(page.locator(".fop-stage"))
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".fop-under")).to_have_text(VALUE)
    assert VALUE.fullmatch(page.locator(".fop-under").inner_text())[3] == "≈"


def test_a_finger_is_told_f_where_it_has_touched(visit):
    page = visit(FIGURE_1, **PHONE)
    box = still(page.locator(f"{PATHS} .nsewdrag"))
    page.touchscreen.tap(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"])
    expect(page.locator(".fop-under")).to_have_text(VALUE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_colour_bar_has_the_surfaces_own_colours_and_says_what_they_stand_for(visit, scheme):
    page = visit(FIGURE_1, color_scheme=scheme)
    name = re.compile(r"^Colours of the surface: f from [\d.]+ to 1,?0+, logarithmic$")
    bar = page.get_by_role("img", name=name)
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("f, log")
    bands = bar.locator(".fop-bands span").evaluate_all(
        "spans => spans.map((span) => getComputedStyle(span).backgroundColor)"
    )
    ends = {"light": ("rgb(255, 255, 255)", "rgb(211, 221, 233)"), "dark": ("rgb(14, 17, 23)", "rgb(38, 51, 73)")}
    assert (bands[0], bands[-1]) == ends[scheme]
    levels = page.evaluate(
        "node => { const { contours } = document.querySelector(node)._fullData[0];"
        " return Math.round((contours.end - contours.start) / contours.size) + 1; }",
        PATHS,
    )
    assert len(bands) == levels + 1


def test_several_seeds_are_a_band_and_its_files_say_so(visit):
    page = visit("?preset=noise&seeds=4&steps=300&v=2")
    title = page.locator(".st-key-losses .ytitle")
    expect(title).to_have_text("loss f, median of 4 seeds")
    fills = page.locator(".st-key-losses .js-fill")
    expect(fills).to_have_count(3)
    assert fills.evaluate_all("all => all.every((fill) => fill.getBoundingClientRect().width > 100)")
    expect(row(page, "SGD")).to_contain_text("None of 4 seeds converged. Last f: median")
    expect(row(page, "SGD").locator(".fop-steps")).to_have_text("> 300")
    entry(page, "SGD").click()
    expect(fills).to_have_count(2)
    lines(page, "losses", "s-hd", "fop")
    page.locator(".st-key-losses .nsewdrag").hover()
    with page.expect_download() as download:
        page.locator(".st-key-losses .modebar-btn[data-title*='PNG']").click()
    assert "-4-seeds-" in download.value.suggested_filename
    with Image.open(download.value.path()) as image:
        assert "median of 4 seeds" in image.text["Title"] and "4-seeds" in image.text["Title"]
    page.get_by_text("Stop, arithmetic, noise").click()
    number(page, "Seeds").fill("1")
    number(page, "Seeds").press("Enter")
    expect(title).to_have_text("loss f")
    expect(fills).to_have_count(0)
