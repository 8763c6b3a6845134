"""The player's page by itself: from a file, without a network, by mouse and keys, light and dark, and in a notebook."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from fop_core.figures import style, web
from tests.chromium import NARROW, still
from toy_functions import Race, presets, surfaces
from toy_functions.scenes import SCENES

STEP = ".fop-step"
LABELS = ".fop-label.fop-arrived"
COLORS = """() => {
  const canvas = document.querySelector(".fop-ground canvas");
  const bytes = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const colors = new Set();
  for (let i = 0; i < bytes.length; i += 4) if (bytes[i + 3] === 255) colors.add(bytes.slice(i, i + 3).join());
  return [...colors];
}"""


@pytest.fixture
def alone(browser: Browser, troubles, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open a page from a file in a browser that is offline."""
    pages: list[Page] = []

    def opened(content: str | Path, **options) -> Page:
        file = content
        if isinstance(content, str):
            file = tmp_path / f"page-{len(pages)}.html"
            file.write_text(content, encoding="utf-8")
        context = browser.new_context(**options)
        context.set_offline(True)
        page = context.new_page()
        pages.append(page)
        troubles.expected = [file.as_uri(), "left this machine: about:srcdoc"]
        troubles.watch(page)
        page.goto(file.as_uri())
        return page

    yield opened
    for page in pages:
        page.context.close()


def rgb(color: str) -> str:
    return ",".join(str(int(color[at : at + 2], 16)) for at in (1, 3, 5))


def test_a_page_plays_its_race_to_the_end_without_a_network(alone):
    content = web.race_html(presets.PAPER_BOOTH)
    assert len(content.encode()) < 1_500_000
    page = alone(content)
    expect(page.locator(STEP)).to_have_text("step 6,221 of 6,221")
    expect(page.locator(LABELS)).to_have_text(["SGD 832", "Adam 6,221", "FOP 543"])
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(LABELS)).to_have_count(0)
    page.get_by_role("combobox", name="Speed").select_option("10")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator(STEP)).to_have_text("step 6,221 of 6,221")
    expect(page.locator(LABELS)).to_have_count(3)
    key = page.locator(".fop-key li")
    expect(key).to_have_text([re.compile(f"{name}converged at step") for name in ("SGD", "Adam", "FOP")])


def test_keys_step_and_jump_and_the_key_says_the_losses(alone):
    page = alone(web.race_html(presets.PAPER_BOOTH))
    page.keyboard.press("Home")
    expect(page.locator(STEP)).to_have_text("step 0 of 6,221")
    expect(page.locator(".fop-key li").first).to_have_text("SGDf = 306")
    page.keyboard.press("ArrowRight")
    expect(page.locator(STEP)).to_have_text("step 1 of 6,221")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(STEP)).to_have_text("step 11 of 6,221")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(STEP)).to_have_text("step 10 of 6,221")
    page.keyboard.press("End")
    expect(page.locator(LABELS)).to_have_count(3)


def test_a_click_on_the_picture_plays_and_pauses_and_the_mouse_asks_what_is_there(alone):
    page = alone(web.race_html(presets.PAPER_BOOTH))
    stage = page.locator(".fop-stage")
    stage.click(position={"x": 120, "y": 60})
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    stage.click(position={"x": 120, "y": 60})
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator(LABELS)).to_have_count(3)
    spot = page.evaluate(
        """() => { const box = document.querySelector(".fop-paths").getBoundingClientRect();
          return [box.x + box.width * 0.55, box.y + box.height * 0.35]; }"""  # (1, 3) of -10 to 10
    )
    page.mouse.move(*spot)
    expect(page.locator(".fop-tip")).to_contain_text("f = ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_system_is_until_the_reader_chooses(alone, scheme):
    page = alone(web.race_html(SCENES["turning"].race), color_scheme=scheme)
    other = "dark" if scheme == "light" else "light"
    for now in (scheme, other):
        expect(page.locator(f'.fop-ground[data-theme="{now}"]')).to_be_visible()
        theme = style.THEMES[now]
        paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert paper.replace(" ", "") == f"rgb({rgb(theme.paper)})"
        drawn = page.evaluate(COLORS)
        bands = [color for color in drawn if color != rgb(theme.ink)]
        assert len(bands) > 8, "contours"
        low, high = (np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) for color in (theme.low, theme.high))
        reds = [int(color.split(",")[0]) for color in drawn]
        assert any(min(low[0], high[0]) <= red <= max(low[0], high[0]) for red in reds)
        if now == scheme:
            page.get_by_role("button", name="Light or dark").click()


def test_the_surface_is_where_the_paths_are(alone):
    """At the start and at the end of a run the heads' px are those of the axes that the ground is drawn with."""
    page = alone(web.race_html(presets.PAPER_BOOTH, box=(-2.0, 4.0, -5.0, 1.0)))
    left, top, side = page.evaluate(
        """() => { const box = document.querySelector(".fop-paths").getBoundingClientRect();
          return [box.x, box.y, box.width]; }"""
    )
    page.keyboard.press("Home")
    expect(page.locator(STEP)).to_have_text("step 0 of 6,221")
    x, y = left + side * 2 / 6, top + side * 5 / 6  # (0, -4)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    color = "#{:02X}{:02X}{:02X}".format(*picture.getpixel((round(x), round(y))))
    assert color in {method.color for method in style.METHODS.values()}


def test_a_phone_has_all_of_it_without_scrolling_sideways(alone):
    page = alone(web.race_html(presets.PAPER_BOOTH), viewport=NARROW, has_touch=True, is_mobile=True)
    expect(page.locator(LABELS)).to_have_count(3)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for button in page.get_by_role("button").all():
        assert not button.is_visible() or button.bounding_box()["height"] > 43.9
    box = still(page.locator(".fop-stage"))
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".fop-under")).to_contain_text("f ≈")
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function("() => document.querySelector('.fop-paths').getBoundingClientRect().width > 560")


def test_picture_and_controls_fit_into_a_low_window_and_follow_its_height(alone):
    page = alone(web.race_html(presets.PAPER_BOOTH), viewport={"width": 1280, "height": 600})
    expect(page.locator(LABELS)).to_have_count(3)
    fits = "() => document.querySelector('.fop-bar').getBoundingClientRect().bottom <= innerHeight"
    assert page.evaluate(fits)
    page.set_viewport_size({"width": 1280, "height": 500})
    page.wait_for_function(fits)
    page.wait_for_function(
        """() => { const [ground, paths] = [".fop-ground canvas", ".fop-paths"].map((name) =>
          document.querySelector(name).getBoundingClientRect().width);
          return paths < 360 && ground - paths === 66; }"""  # the margins
    )


def test_a_surface_that_is_all_but_even_has_a_player(alone):
    even, view = (lambda x, y: 1.01 + 1e-3 * x * x + 0 * y), (-1.0, 1.0, -1.0, 1.0)
    flat = replace(surfaces.BOOTH, value=even, view=view, minima=())
    page = alone(web.race_html(Race(flat, (0.5, 0.0), {}, max_steps=1)))
    expect(page.locator(STEP)).to_have_text("step 1 of 1")


def test_a_notebook_shows_the_player_in_its_frame(alone):
    shown = web.RacePlayer(presets.PAPER_HIMMELBLAU)._repr_html_()
    page = alone(f"<!doctype html><title>Notebook</title><p>Cell</p>{shown}")
    frame = page.frame_locator("iframe")
    expect(frame.locator(STEP)).to_have_text("step 5,398 of 5,398")
    frame.locator(".fop-play").click()
    expect(frame.get_by_role("button", name="Pause")).to_be_visible()
    frame.locator("body").press("End")
    expect(frame.locator(LABELS)).to_have_count(3)


def test_a_frame_that_has_no_width_at_first_shows_the_player_once_it_has_one(alone):
    shown = web.RacePlayer(presets.PAPER_HIMMELBLAU)._repr_html_()
    page = alone(f"<!doctype html><title>Notebook</title><div style='width:0'>{shown}</div>")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".fop-player")).to_have_count(1)
    frame.locator("body").evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    expect(frame.locator(STEP)).to_have_text("")
    page.locator("div").evaluate("(node) => { node.style.width = '820px'; }")
    expect(frame.locator(STEP)).to_have_text("step 5,398 of 5,398")
    expect(frame.locator(LABELS)).to_have_count(3)
