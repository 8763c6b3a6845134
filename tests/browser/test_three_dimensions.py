"""The surface in three dimensions, in a real browser: turned, zoomed and reset, with axes, and what it hides."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from fop_core.figures import still as still_figure
from fop_core.figures.print_style import PX
from tests.chromium import NARROW, number, still, too_small

ADDRESS = "?preset=paper-himmelblau&rules=fop&view=3d"
PICTURE = ".fop-paths"
SOLID = "document.querySelector('.fop-player').fop.solid"
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
AXES = "() => document.querySelector('.fop-player')?.fop?.solid?.texts.length > 6"
FOP = [0xD9, 0x54, 0x1E]


@pytest.fixture
def opened(visit):
    """Open a race in three dimensions, once its axes are drawn."""

    def at(address: str = ADDRESS, **options) -> Page:
        page = visit(address, **options)
        page.wait_for_function(AXES)
        return page

    return at


def orbit(page: Page) -> dict[str, float]:
    """Where the viewer is, once what was asked for last is drawn."""
    page.evaluate(FRAMES)
    return page.evaluate(f"({{...{SOLID}.orbit}})")


def texts(page: Page) -> list[str]:
    """What the axes say."""
    return page.evaluate(f"{SOLID}.texts.map(({{ text }}) => text)")


def middle(page: Page) -> tuple[float, float]:
    box = still(page.locator(PICTURE))
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, dx: float, dy: float) -> None:
    x, y = middle(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up()


def type_key(page: Page, key: str, times: int) -> None:
    """Press a key of the picture, which has to have the focus."""
    page.locator(PICTURE).focus()
    for _ in range(times):
        page.keyboard.press(key)


def pixels(page: Page, points: list[list[float]]) -> np.ndarray:
    """Colours, [n, 4], of the canvas of surface and paths at points of it, px."""
    return np.array(
        page.evaluate(
            """([picture, points]) => {
              const canvas = document.querySelector(picture);
              const ratio = canvas.width / canvas.clientWidth;
              return points.map(([x, y]) =>
                [...canvas.getContext("2d").getImageData(Math.floor(x * ratio), Math.floor(y * ratio), 1, 1).data]);
            }""",
            [PICTURE, points],
        )
    )


def test_a_drag_the_wheel_keys_and_buttons_turn_zoom_and_reset_the_surface(opened):
    page = opened()
    begun = orbit(page)
    drag(page, 75, 40)
    turned = orbit(page)
    assert turned["yaw"] == pytest.approx(begun["yaw"] + 0.5) and turned["pitch"] == pytest.approx(begun["pitch"] + 0.2)
    page.keyboard.press("+")
    assert orbit(page)["zoom"] == pytest.approx(1.25)
    page.keyboard.press("-")
    page.mouse.move(*middle(page))
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    assert orbit(page)["zoom"] > 1.15
    assert page.evaluate("visualViewport.scale") == 1, "the page is not zoomed"
    page.keyboard.press("0")
    assert orbit(page) == begun
    for name, zoom in (("Zoom in", 1.25), ("Zoom in", 1.5625), ("Zoom out", 1.25)):
        page.get_by_role("button", name=name).click()
        assert orbit(page)["zoom"] == pytest.approx(zoom)
    page.get_by_role("button", name="Reset the view").click()
    assert orbit(page) == begun
    expect(number(page, "Start x")).to_have_value("0")  # nothing of it was a click on the surface


def test_the_wheel_alone_scrolls_the_page(opened):
    page = opened()
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => document.querySelector('[data-testid=stMain]').scrollTop > 50")
    assert orbit(page)["zoom"] == 1


def test_arrow_keys_turn_the_surface_while_it_has_the_focus_and_else_step_through_the_race(opened):
    page = opened()
    page.keyboard.press("Home")
    begun = orbit(page)
    hint = page.get_by_text("Arrow keys turn, with Shift they move.")
    expect(hint).to_be_hidden()
    type_key(page, "ArrowRight", 3)
    expect(hint).to_be_visible()
    type_key(page, "ArrowUp", 2)
    turned = orbit(page)
    assert turned["yaw"] == pytest.approx(begun["yaw"] + 0.3) and turned["pitch"] == pytest.approx(begun["pitch"] + 0.2)
    type_key(page, "+", 3)
    type_key(page, "Shift+ArrowLeft", 2)
    assert orbit(page)["right"] < 0
    assert page.evaluate("fopLab.clock.step") == 0
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    page.keyboard.press("0")
    drag(page, 30, 0)
    page.keyboard.press("Home")
    turned = orbit(page)
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => fopLab.clock.step === 1")
    assert orbit(page) == turned
    expect(hint).to_be_hidden()


def test_axes_have_names_and_ticks_in_the_picture_and_say_what_the_height_is(opened):
    page = opened()
    log = texts(page)
    assert {"x", "y", "f, log scale", "−4", "0", "4"} <= set(log) and "100" in log
    expect(page.locator(".fop-scale")).to_be_hidden()  # the colour bar, of the view from above
    for text in page.evaluate(f"{SOLID}.texts"):
        assert 0 <= text["x"] - text["width"] / 2 and 0 <= text["y"] - 6
        across = np.arange(text["x"] - text["width"] / 2, text["x"] + text["width"] / 2, 0.5)
        around = pixels(page, [[x, y] for x in across for y in np.arange(text["y"] - 6, text["y"] + 6)])
        assert (around[:, 3] > 150).sum() > 3, f"{text['text']} is written"
    drag(page, 60, 0)
    turned = orbit(page)
    group = page.locator("[class*='st-key-trajectories-height']")
    group.get_by_role("radio", name="f", exact=True).click()
    page.wait_for_function(f"() => {SOLID}.texts.some(({{ text }}) => text === 'f')")
    linear = texts(page)
    assert "f, log scale" not in linear and set(linear) != set(log)
    assert orbit(page) == turned
    expect(page).to_have_url(re.compile("height=linear"))
    expect(page.locator(PICTURE)).to_have_attribute("aria-label", re.compile(r"Axes: x, y, f\."))
    expect(page.get_by_text(re.compile(r"f changes by \d+ from line to line"))).to_be_visible()


def test_minima_are_marked_on_the_surface(opened):
    page = opened()
    type_key(page, "ArrowUp", 20)
    orbit(page)
    marks = page.evaluate(
        f"(() => {{ const it = document.querySelector('.fop-player').fop; const view = it.view();"
        f" return {SOLID}.data.minima.map(([x, y]) => [view.x(x, y), view.y(x, y)]); }})()"
    )
    assert len(marks) == 4
    # Where FOP ends is its head's symbol; the others have a cross, whose arms are as dark as text.
    dark = [pixels(page, [[x + dx, y] for dx in (-4, -3, 3, 4)])[:, :3].max(axis=1).min() for x, y in marks]
    assert sum(value < 130 for value in dark) >= 3


def test_what_the_surface_hides_of_a_path_is_dotted_and_faint(opened):
    page = opened()
    type_key(page, "ArrowUp", 20)
    orbit(page)
    above = page.evaluate("document.querySelector('.fop-player').fop.runs[0].hidden")
    type_key(page, "ArrowDown", 8)
    assert orbit(page)["pitch"] == pytest.approx(0.7)
    run = page.evaluate(
        """() => {
          const it = document.querySelector(".fop-player").fop;
          const [run] = it.runs;
          const view = it.view();
          const points = Array.from({ length: run.count }, (_, n) => [run.x[n], run.y[n]]);
          const hidden = points.map(([x, y]) => view.hidden(x, y));
          const at = points.map(([x, y]) => [view.x(x, y), view.y(x, y)]);
          return { hidden, at, far: run.hidden, length: run.length };
        }"""
    )
    assert 0.8 * run["length"] > run["far"] > 20 and above == 0
    steady = [n for n in range(2, len(run["at"]) - 2) if len(set(run["hidden"][n - 2 : n + 3])) == 1]
    exact = {}
    for hidden in (True, False):
        points = [run["at"][n] for n in steady if run["hidden"][n] is hidden]
        colors = pixels(page, points)[:, :3]
        exact[hidden] = (np.abs(colors - FOP).max(axis=1) < 12).mean()
        assert len(points) > 3
    assert exact[False] > 0.7 and exact[True] < 0.3, exact


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_camera_saves_surface_axes_and_paths_as_they_are_seen(opened, dark):
    page = opened(color_scheme="dark" if dark else "light")
    drag(page, 40, -20)
    orbit(page)
    stage = page.locator(PICTURE).bounding_box()
    with page.expect_download() as download:
        page.locator(".fop-camera").click()
    assert download.value.suggested_filename == "race-Himmelblau-from-0-and--1-step-289.png"
    with Image.open(download.value.path()) as image:
        assert image.text["Title"] == "A race on Himmelblau from (0.0, -1.0), step 289"
        saved = np.asarray(image.convert("RGB"), int)
    assert saved.shape[:2] == pytest.approx((3 * stage["height"], 3 * stage["width"]), abs=3)
    paper = saved[3, 3]
    assert (paper < 60).all() if dark else (paper > 240).all()
    for text in page.evaluate(f"{SOLID}.texts"):
        x, y, half = 3 * text["x"], 3 * text["y"], 1.5 * text["width"]
        around = saved[int(y - 18) : int(y + 18), int(x - half) : int(x + half)]
        assert (np.abs(around - paper).max(axis=2) > 70).sum() > 20, text["text"]
    assert (np.abs(saved - FOP).max(axis=2) < 8).sum() > 500
    assert orbit(page)["zoom"] == 1
    box = page.locator(PICTURE).bounding_box()
    assert box == stage, "the picture is as it was"


def test_an_svg_has_the_surface_as_it_is_turned_on_the_screen(opened):
    page = opened()
    drag(page, 60, -30)
    turned = orbit(page)
    assert turned["yaw"] != pytest.approx(-0.6)
    stage, shown = page.locator(PICTURE).bounding_box(), page.evaluate(f"{SOLID}.texts")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture (SVG)").click()
    assert download.value.suggested_filename == "race-Himmelblau-from-0-and--1-step-289.svg"
    root = ElementTree.parse(download.value.path()).getroot()
    saved = {
        "".join(each.itertext()): np.array([float(each.get("x")), float(each.get("y"))])
        for each in root.iter("{http://www.w3.org/2000/svg}text")
    }
    scale = still_figure.SIDE * PX / stage["width"]  # pt for a px of the screen
    there = {each["text"]: scale * np.array([each["x"], each["y"]]) for each in shown if each["text"] in saved}
    assert {"x", "y", "f, log scale"} <= set(there) and len(there) > 8
    for text in there:
        np.testing.assert_allclose(saved[text] - saved["x"], there[text] - there["x"], atol=6, err_msg=text)


def test_a_phone_turns_by_one_finger_zooms_by_two_and_has_room_for_them(opened):
    page = opened(viewport=NARROW, has_touch=True, is_mobile=True)
    assert max(page.evaluate("[document.documentElement, document.querySelector('[data-testid=stMain]')]"
                             ".map((e) => e.scrollWidth)")) <= 390  # fmt: skip
    assert not too_small(page, ".fop-views button, .fop-bar button")
    page.locator(PICTURE).scroll_into_view_if_needed()
    width = page.locator(PICTURE).bounding_box()["width"]
    for text in page.evaluate(f"{SOLID}.texts"):
        assert text["width"] / 2 <= text["x"] <= width - text["width"] / 2
    expect(page.get_by_text("One finger turns, two zoom.")).to_be_visible()
    x, y = middle(page)
    y += 60  # a finger on the start, in the middle here, drags that
    begun = orbit(page)
    fingers = """([picture, moves]) => {
      const canvas = document.querySelector(picture);
      for (const [kind, pointerId, clientX, clientY] of moves)
        canvas.dispatchEvent(
          new PointerEvent(kind, { pointerId, clientX, clientY, bubbles: true, pointerType: "touch" }));
    }"""
    down, move, up = "pointerdown", "pointermove", "pointerup"
    one = [(down, 1, x, y), (move, 1, x + 30, y), (move, 1, x + 60, y), (up, 1, x + 60, y)]
    page.evaluate(fingers, [PICTURE, one])
    turned = orbit(page)
    assert turned["yaw"] == pytest.approx(begun["yaw"] + 0.4) and turned["zoom"] == 1
    apart = [(move, 1, x - 40 - d, y) for d in (10, 20)] + [(move, 2, x + 40 + d, y) for d in (10, 20)]
    two = [(down, 1, x - 40, y), (down, 2, x + 40, y), *apart, (up, 1, x - 60, y), (up, 2, x + 60, y)]
    page.evaluate(fingers, [PICTURE, two])
    zoomed = orbit(page)
    assert zoomed["zoom"] == pytest.approx(1.5) and zoomed["yaw"] == turned["yaw"]
    expect(page).to_have_url(re.compile(r"view=3d[^&]*$"))  # no start was set


def test_a_click_starts_where_the_surface_is_seen(opened):
    page = opened()
    type_key(page, "ArrowUp", 20)
    orbit(page)
    view = "document.querySelector('.fop-player').fop.view()"
    x, y = page.evaluate(f"(() => {{ const view = {view}; return [view.x(2, 1), view.y(2, 1)]; }})()")
    box = still(page.locator(PICTURE))
    page.mouse.click(box["x"] + x, box["y"] + y)
    expect(page).to_have_url(re.compile("x="))
    page.wait_for_function("() => Math.abs(document.querySelector('.fop-player').fop.data.start[0] - 2) < 0.05")
    start = page.evaluate("document.querySelector('.fop-player').fop.data.start")
    assert start == pytest.approx([2, 1], abs=0.05)
