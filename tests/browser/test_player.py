"""The race player in a real browser: that it reaches the end, and which keys are its own."""

import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import FloatRect, Page, expect

from tests.chromium import number, still

PLAYER = ".fop-player"
PATHS = ".st-key-race .fop-plot-node"
FIGURE_1 = "?preset=paper-booth"
AT = "step => fopLab.clock.step === step"


def surface(page: Page) -> FloatRect:
    return still(page.locator(f"{PATHS} .nsewdrag"))


def clicks(page: Page, points: list[tuple[float, float]]) -> None:
    """Click the surface at points, in one go: two clicks of a driver can be further apart than a double click."""
    page.evaluate(
        """([node, points]) => {
          const target = document.querySelector(node);
          for (const [clientX, clientY] of points) {
            const where = { clientX, clientY, bubbles: true, cancelable: true, view: window };
            for (const kind of ["down", "up"]) {
              target.dispatchEvent(new PointerEvent(`pointer${kind}`, { ...where, pointerType: "mouse" }));
              target.dispatchEvent(new MouseEvent(`mouse${kind}`, { ...where, buttons: kind === "down" ? 1 : 0 }));
            }
          }
        }""",
        [f"{PATHS} .nsewdrag", points],
    )


def test_a_share_of_one_is_the_last_step_of_a_race_of_any_length(visit):
    page = visit()
    missed = page.evaluate(
        """player => {
          const it = document.querySelector(player).fop;
          const kept = it.runs;
          const missed = [];
          for (let end = 1; end <= 20_000; end++) {
            it.runs = [{ count: end + 1, steps: null }];
            it.share = 1;
            if (it.step !== end) missed.push(end);
          }
          it.runs = kept;
          return missed;
        }""",
        PLAYER,
    )
    assert missed == []


def test_playing_a_race_in_logarithmic_time_ends_at_its_last_step(visit):
    page = visit(FIGURE_1)
    page.get_by_role("combobox", name="Speed").select_option("10")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(AT, arg=6221)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.get_by_text("step 6,221 of 6,221")).to_be_visible()


def test_the_slider_dragged_to_its_end_shows_the_last_step(visit):
    page = visit(FIGURE_1)
    box = still(page.get_by_role("slider", name="Step of the race"))
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    page.wait_for_function("() => fopLab.clock.step < 1000")
    page.mouse.move(box["x"] + box["width"] + 20, middle, steps=5)
    page.mouse.up()
    page.wait_for_function(AT, arg=6221)
    assert not page.evaluate("fopLab.clock.moving")


def test_keys_play_the_race_after_a_click_anywhere_that_is_no_field(visit):
    page = visit(FIGURE_1)
    spots = [
        page.get_by_role("heading", name="Trajectories"),
        page.get_by_role("button", name="Copy link"),
        page.get_by_text("SGD settings"),
        page.get_by_role("button", name="Back to the start"),
    ]
    for spot in spots:
        spot.click()
        page.keyboard.press("Home")
        page.wait_for_function(AT, arg=0)
        page.keyboard.press("ArrowRight")
        page.wait_for_function(AT, arg=1)
        page.keyboard.press("End")
        page.wait_for_function(AT, arg=6221)
    box = surface(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(AT, arg=1)


def test_keys_belong_to_the_field_that_has_the_focus(visit):
    page = visit("?preset=own")
    before = page.evaluate("fopLab.clock.step")
    formula = page.get_by_role("textbox", name="f(x, y) =")
    fields = [formula, number(page, "Start x"), page.get_by_role("combobox", name="Speed")]
    for field in fields:
        field.focus()
        for key in ("Home", "ArrowRight", "End", "ArrowLeft"):
            page.keyboard.press(key)
    formula.focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    expect(formula).to_have_value(re.compile(" $"))
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert page.evaluate("fopLab.clock.step") == before


def test_a_double_click_shows_the_whole_surface_again_and_starts_no_race(visit):
    page = visit(FIGURE_1)
    page.evaluate(
        "player => { const it = document.querySelector(player).fop; const pass = it.trigger; window.starts = [];"
        " it.trigger = (...event) => { window.starts.push(event); pass(...event); }; }",
        PLAYER,
    )
    shown = "node => document.querySelector(node)._fullLayout.xaxis.range"
    whole = page.evaluate(shown, PATHS)
    box = surface(page)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 4
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y + 100, steps=4)
    page.mouse.up()
    page.wait_for_function(
        "([node, right]) => document.querySelector(node)._fullLayout.xaxis.range[1] < right", arg=[PATHS, whole[1]]
    )
    clicks(page, [(x, y), (x, y)])
    page.wait_for_function(
        "([node, right]) => document.querySelector(node)._fullLayout.xaxis.range[1] === right", arg=[PATHS, whole[1]]
    )
    # Nothing comes of it later: what was to start after DOUBLE ms is run before what is set after it, for longer.
    page.evaluate("() => new Promise((done) => setTimeout(done, 500))")
    assert page.evaluate("window.starts") == []
    expect(number(page, "Start x")).to_have_value("0")
    expect(number(page, "Start y")).to_have_value("-4")
    page.mouse.click(x, y)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(number(page, "Start y")).not_to_have_value("-4")


def test_two_quick_clicks_apart_on_the_whole_surface_are_two_starts(visit):
    page = visit()
    box = surface(page)
    page.evaluate(
        "player => { const it = document.querySelector(player).fop; window.starts = [];"
        " it.trigger = (...event) => window.starts.push(event); }",
        PLAYER,
    )
    clicks(page, [(box["x"] + box["width"] * share, box["y"] + box["height"] / 4) for share in (0.3, 0.7)])
    starts = page.evaluate("window.starts.map(([, { x }]) => x)")
    assert len(starts) == 2 and starts[0] < 0 < starts[1]


def test_a_picture_that_cannot_follow_keeps_no_other_from_it(visit, troubles):
    troubles.expected = ["by a test"]
    page = visit("?preset=saddle&rules=fop")
    page.keyboard.press("Home")
    words = page.locator(".fop-update")
    expect(words).to_contain_text("P: eigenvalues 1.00, 1.00")
    page.evaluate(
        "() => { let armed = false; const bad = () => { if (armed) throw new Error('by a test'); };"
        " const all = [bad, ...fopLab.clock.followers]; fopLab.clock.followers.clear();"
        " all.forEach((each) => fopLab.clock.followers.add(each)); armed = true; }"
    )
    page.keyboard.press("End")
    expect(words).to_contain_text("P: eigenvalues 3.44, 1.50")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_camera_saves_the_paths_and_labels_at_the_step_that_is_shown(visit, dark):
    page = visit(FIGURE_1, color_scheme="dark" if dark else "light")
    images = []
    for key in ("End", "Home"):
        page.keyboard.press(key)
        page.wait_for_function(AT, arg=6221 if key == "End" else 0)
        box = surface(page)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 20)
        with page.expect_download() as download:
            page.locator(f"{PATHS} .modebar-btn[data-title*='PNG']").click()
        image = Image.open(download.value.path())
        assert image.text["Title"] == f"A race on Booth from (0.0, -4.0), step {6221 if key == 'End' else 0}"
        images.append((download.value.suggested_filename, image.convert("RGB")))
    assert [name for name, _ in images] == [f"race-Booth-from-0-and--4-step-{step}.png" for step in (6221, 0)]
    fop, adam = np.array([0xD9, 0x54, 0x1E]), np.array([0xCB, 0x62, 0xAF])
    ended, begun = (np.asarray(image, int) for _, image in images)
    assert ended.shape == begun.shape and ended.shape[0] > 3 * box["height"]
    paths, ellipses = (
        [int((np.abs(picture - color).max(axis=2) < 8).sum()) for picture in (ended, begun)] for color in (adam, fop)
    )
    assert paths[0] > 3 * max(paths[1], 300) and min(ellipses) > 3000
    paper = ended[5, 5]
    assert (paper < 128).all() if dark else (paper > 128).all()


def test_where_nothing_is_raced_no_numbers_of_another_race_stay(visit):
    page = visit("?surface=own&f=log(x)%2By%5E2&x=2&y=0.5&rules=fop")
    update = page.locator(".fop-update")
    expect(update).to_contain_text("P: eigenvalues")
    number(page, "Start x").fill("-2")
    number(page, "Start x").press("Enter")
    expect(page.locator(".fop-readout")).to_contain_text("No race")
    expect(update).to_be_hidden()
