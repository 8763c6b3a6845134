"""The Basins page in a real browser."""

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from fop_core.figures.style import THEMES
from pages.basins import maps
from pages.basins.settings import MAPS, grid, values
from tests.chromium import NARROW, row, slow_down, still, too_small
from tests.waiting import until

MAPS_OF_STARTS = ".st-key-maps .fop-basin"
CAPTIONS = f"{MAPS_OF_STARTS} .fop-basin-caption"
RATES = ".st-key-rates .fop-basin"
IDLE = """size => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && !document.querySelector('[data-testid="stSkeleton"]')
  && document.querySelectorAll(`.st-key-maps canvas[data-drawn="${size}"]`).length
  && document.querySelectorAll('.st-key-rates canvas[data-drawn]').length"""


@pytest.fixture
def basins(visit, troubles):
    """Open the page at an address and wait for maps of a size."""
    # Streamlit asks for two files beside a page's own address before it finds them at the app's.
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]

    def opened(query: str = "", size: int = 64, **options) -> Page:
        page = visit(f"basins?size={size}{query}", drawn=False, **options)
        page.wait_for_function(IDLE, arg=size, timeout=120_000)
        return page

    return opened


def position(page: Page, across: float, up: float, field: str = f"{MAPS_OF_STARTS} >> nth=0") -> tuple[float, float]:
    """Where a share of a map's width and height is on the screen."""
    cells = page.locator(f"{field} >> .fop-basin-field")
    cells.scroll_into_view_if_needed()
    left, side = cells.evaluate("node => { const it = node.closest('.fop-basins').fop; return [it.left, it.side]; }")
    box = still(cells)
    return box["x"] + left + across * side, box["y"] + 8 + (1 - up) * side


def test_one_crosshair_is_in_all_maps_and_each_says_what_is_there(basins):
    page = basins()
    assert page.get_by_role("link", name="Trajectories", exact=True).is_visible(), "the page stands in the app's frame"
    words = page.locator(CAPTIONS).all_text_contents()
    assert words[0].startswith("100 % converge, median")
    spec = grid(values(MAPS["himmelblau"]) | {"size": "64"})
    batches = maps.ends(spec).batches
    for column, up in ((20, 20), (3, 2)):
        page.mouse.move(*position(page, (column + 0.5) / 64, (up + 0.5) / 64))
        spot = "({:.2f}, {:.2f})".format(*maps.start(spec, column, up)).replace("-", "−")
        expect(page.locator(CAPTIONS).first).to_contain_text(spot)
        captions = page.locator(CAPTIONS).all_text_contents()
        assert len(captions) == 6 and all(text.startswith(f"{spot}: ") for text in captions)
        for text, batch in zip(captions, batches):
            count = re.search(r"(\d+) steps|at step (\d+)", text)
            assert batch.steps[up, column] == int(count.group(1) or count.group(2))
            assert ("diverged" in text) == (batch.status[up, column] == 2)
        assert page.locator(f"{MAPS_OF_STARTS} .fop-basin-line").evaluate_all(
            "lines => lines.every((line) => line.checkVisibility())"
        )
    page.mouse.move(5, 5)
    expect(page.locator(CAPTIONS).first).to_have_text(words[0])
    assert page.locator(f"{MAPS_OF_STARTS} .fop-basin-line").first.is_hidden()


def test_a_click_opens_the_race_from_there_in_trajectories(basins):
    page = basins("&fop.hyper_lr=0.001")
    x, y = position(page, 20.5 / 64, 20.5 / 64, f"{MAPS_OF_STARTS} >> nth=5")
    page.mouse.move(x, y)
    expect(page.locator(CAPTIONS).last).to_have_text(re.compile(r"^\(−2\.\d+, −2\.\d+\): .* steps$"))
    captions = dict(
        zip(("SGD", "Momentum", "RMSProp", "Adam", "S-HD", "FOP"), page.locator(CAPTIONS).all_text_contents())
    )
    page.mouse.click(x, y)
    expect(page.get_by_role("heading", name="Trajectories")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?surface=himmelblau&x=-2\.\d+&y=-2\.\d+&rules=.*&v=2$"))
    start = re.match(r"\(.+?\)", captions["FOP"]).group()
    expect(page.get_by_text(f"A race on Himmelblau from {start}, opened from a map in Basins.")).to_be_visible()
    for name, text in captions.items():
        steps = re.search(r"after (\d+) steps", text).group(1)
        expect(row(page, name).locator(".fop-steps")).to_have_text(steps)
        expect(row(page, name)).to_contain_text("at the minimum (−3.78, −3.28)")
    page.get_by_role("link", name="Basins").click()
    page.wait_for_function(IDLE, arg=64, timeout=60_000)
    expect(page).to_have_url(re.compile(r"fop\.hyper_lr=0\.001"))


def test_a_click_on_the_map_of_rates_opens_fop_at_these(basins):
    page = basins()
    x, y = position(page, 40.5 / 96, 20.5 / 96, RATES)
    page.mouse.move(x, y)
    caption = page.locator(f"{RATES} .fop-basin-caption")
    says = re.compile(r"ε ([\d.]+), ρ ([\d.e−]+): minimum . .* after (\d+) steps")
    expect(caption).to_have_text(says)
    lr, hyper_lr, steps = says.match(caption.text_content()).groups()
    page.mouse.click(x, y)
    expect(page.get_by_role("heading", name="Trajectories")).to_be_visible()
    expect(row(page, "FOP").locator(".fop-steps")).to_have_text(steps)
    expect(page.locator(".fop-readout").get_by_role("rowheader")).to_have_text(["FOP"])
    query = dict(part.split("=") for part in page.url.partition("?")[2].split("&"))
    assert float(query["fop.lr"]) == float(lr) and float(query["fop.hyper_lr"]) == float(hyper_lr.replace("−", "-"))


def test_the_crosshair_answers_to_keys(basins):
    page = basins("&rules=sgd,fop")
    field = page.get_by_role("application", name=re.compile("^SGD: map of 64 by 64"))
    field.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(CAPTIONS).first).to_contain_text("(0.28, 0.09): ")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(CAPTIONS).last).to_contain_text("(0.09, 0.28): ")
    page.keyboard.press("Escape")
    expect(page.locator(CAPTIONS).last).to_contain_text("converge")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Trajectories")).to_be_visible()
    expect(page).to_have_url(re.compile(r"x=0\.09375&y=0\.28125&"))


def test_finer_maps_follow_and_the_widgets_keep_their_values(basins):
    page = basins("&preset=own&rules=momentum", size=128)
    expect(page.get_by_role("textbox", name="f(x, y) =")).to_have_value("x^4/4 - x^2/2 + y^2/2")
    expect(page.get_by_role("combobox", name=re.compile("Surface"))).to_have_value("Your own f(x, y)")
    assert page.get_by_role("application").first.get_attribute("aria-label").startswith("Momentum: map of 128 by 128")
    page.mouse.move(*position(page, 0.5 / 128, 0.5 / 128))
    expect(page.locator(CAPTIONS).first).to_contain_text("(−1.98, −1.98): ")


# 5 billion steps: no machine is through with them before the click.
ENDLESS = "basins?rules=adam&size=512&steps=20000&adam.lr=0.0000001"
CANCELLED = "Computing was cancelled."
FINE = re.compile(r"512 × 512 starts: \d+ %, [\d.]+ (s|min)")
# Notes where Cancel stands at each frame, until the page is asked for it.
FRAMES = """window.positions = new Set();
(function note() {
  for (const button of document.querySelectorAll("button"))
    if (button.textContent === "Cancel") {
      const { left, top } = button.getBoundingClientRect();
      positions.add(`${left} ${top}`);
    }
  requestAnimationFrame(note);
})();"""


def test_computing_can_be_cancelled_and_taken_up_again(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ENDLESS, drawn=False)
    for button in ("Cancel", "Compute", "Cancel"):
        expect(page.get_by_text(FINE if button == "Cancel" else CANCELLED)).to_be_visible()
        page.get_by_role("button", name=button).click()
    expect(page.get_by_text(CANCELLED)).to_be_visible()
    expect(page.get_by_role("application", name=re.compile("^Adam: map of 64 by 64"))).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_after_cancel_coarse_maps_say_that_they_are_coarse(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ENDLESS, drawn=False)
    expect(page.get_by_text(FINE)).to_be_visible()
    expect(page.get_by_text("64 × 64 starts. Click on a map to race from there.")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(f"{CANCELLED} These maps are of 64 × 64 starts, not of 512 × 512.")).to_be_visible()
    expect(page.get_by_text("Shares of the 64 × 64 starts.")).to_be_visible()


def test_streamlits_own_stop_which_would_freeze_the_page_is_not_there(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ENDLESS, drawn=False)
    expect(page.get_by_text(FINE)).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget").get_by_test_id("stStatusWidgetRunningIcon")).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget").locator("button")).to_be_hidden()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Cancel").click()  # nor is anything left computing
    expect(page.get_by_text(CANCELLED)).to_be_visible()


def test_a_slow_browser_has_its_widgets_while_maps_are_computed(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ENDLESS, drawn=False)
    slow_down(page, 6)
    expect(page.get_by_role("combobox", name="Preset")).to_be_visible()
    expect(page.get_by_text(FINE)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(CANCELLED)).to_be_visible()


def test_cancel_stays_where_it_is_while_maps_are_computed(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ENDLESS, drawn=False)
    expect(page.get_by_text(FINE)).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text(CANCELLED)).to_be_visible()
    page.evaluate(FRAMES)
    page.get_by_role("button", name="Compute").click()
    expect(page.get_by_text(re.compile(r"512 × 512 starts: \d+ %, ([2-9](\.\d)? s|\d\d+ s|\d+ min)"))).to_be_visible()
    positions = page.evaluate("[...positions]")
    assert len(positions) == 1, positions
    cancel = page.get_by_role("button", name="Cancel").bounding_box()
    assert cancel["x"] + cancel["width"] < page.get_by_role("progressbar").bounding_box()["x"], "nothing moves it"


def test_cancel_works_when_one_map_gives_way_to_the_next_under_the_finger(visit, troubles):
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit(ENDLESS.replace("20000", "19999"), drawn=False)  # no other test has left these maps
    cancel = page.get_by_role("button", name="Cancel")  # there long before the fine map
    expect(page.get_by_text("Maps of Himmelblau, changed from")).to_be_visible()  # above it: from now on it stays put
    expect(page.get_by_role("heading", name="Where each start ends")).to_be_visible()

    def pressed():
        page.mouse.up()  # beside it, where the page moved it from under the cursor
        cancel.hover()
        page.mouse.down()
        return cancel.evaluate("button => button.matches(':active')")

    until(pressed, pause=lambda: page.wait_for_timeout(50))
    expect(page.get_by_text(FINE)).to_be_visible(timeout=60_000)
    page.mouse.up()
    expect(page.get_by_text(CANCELLED)).to_be_visible()


def test_finer_maps_come_without_a_word_from_the_browser(basins, visit, troubles):
    """A message ends the run that is at work: the maps would be begun anew."""
    sent = []
    troubles.expected = ["/basins/_stcore/", "404 (Not Found)"]
    page = visit("basins?rules=sgd&size=64", drawn=False)
    page.wait_for_function(IDLE, arg=64, timeout=120_000)
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.goto(page.url.replace("size=64", "size=128"), wait_until="commit")
    page.wait_for_function(IDLE, arg=128, timeout=120_000)
    assert len(sent) == 1


def test_a_phone_has_no_sideways_scroll_and_room_for_a_finger(basins):
    page = basins(viewport=NARROW, has_touch=True, is_mobile=True)
    wide = "[document.documentElement, document.querySelector('[data-testid=stMain]')].map((e) => e.scrollWidth)"
    assert max(page.evaluate(wide)) <= 390
    tops = page.locator(MAPS_OF_STARTS).evaluate_all("maps => maps.map((map) => map.getBoundingClientRect().top)")
    assert len(tops) == 6 and len(set(tops)) == 3, "two a row"
    assert not too_small(page, "[data-testid=stMain] :is(button:not([data-testid^=stTooltip]), [role=application])")


def test_a_finger_reads_a_map_without_opening_a_race_and_opens_it_by_a_second_tap_there(basins):
    page = basins(viewport=NARROW, has_touch=True, is_mobile=True)
    captions = page.locator(CAPTIONS)
    page.touchscreen.tap(*position(page, 20.5 / 64, 20.5 / 64))
    expect(captions.first).to_have_text(re.compile(r"^\(−2\.\d+, −2\.\d+\): .* steps\. Tap again to open it\.$"))
    expect(captions.last).to_have_text(re.compile(r"^\(−2\.\d+, −2\.\d+\): .* steps$"))
    page.touchscreen.tap(*position(page, 50.5 / 64, 50.5 / 64))  # elsewhere: another point is described
    expect(captions.last).to_have_text(re.compile(r"^\(3\.\d+, 3\.\d+\): "))
    expect(page.get_by_role("heading", name="Basins", exact=True)).to_be_visible()
    page.touchscreen.tap(*position(page, 20.5 / 64, 20.5 / 64))
    page.touchscreen.tap(*position(page, 20.5 / 64, 20.5 / 64))
    expect(page.get_by_role("heading", name="Trajectories")).to_be_visible()
    expect(page).to_have_url(re.compile(r"x=-2\.\d+&y=-2\.\d+"))


def test_on_a_phone_the_table_scrolls_in_its_frame_and_shows_that_it_goes_on(basins):
    page = basins(viewport=NARROW, has_touch=True, is_mobile=True)
    frame = page.get_by_role("table").locator("xpath=..")
    assert frame.evaluate("it => it.scrollWidth > it.clientWidth && it.getBoundingClientRect().right <= innerWidth")
    fade = frame.evaluate("it => [getComputedStyle(it).maskImage, parseFloat(getComputedStyle(it).paddingRight)]")
    assert "gradient" in fade[0] and fade[1] > 0, "what goes on fades at the edge"
    lines = "cells => cells.map((cell) => cell.getClientRects().length && cell.getBoundingClientRect().height)"
    assert max(frame.locator("td").evaluate_all(lines)) < 44, "no number is broken"
    frame.evaluate("it => it.scrollTo(it.scrollWidth, 0)")
    last = frame.get_by_role("columnheader", name="Median steps").bounding_box()
    assert last["x"] + last["width"] <= 390 - 16 - fade[1] + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_maps_can_be_taken_away_in_the_colours_that_are_seen(basins, scheme):
    page = basins("&rules=sgd,fop", color_scheme=scheme)
    page.get_by_role("button", name="Export maps").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Maps (PNG)").click()
    assert download.value.suggested_filename == "basins-Himmelblau-64-x-64-starts-steps-0-to-500.png"
    with Image.open(download.value.path()) as image:
        assert image.text["Title"].startswith("Where races end: Himmelblau")
        paper = "#{:02X}{:02X}{:02X}".format(*image.convert("RGB").getpixel((1, image.height - 2)))
    assert paper == THEMES[scheme].paper
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Export map of rates").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Map of rates (SVG)").click()
    assert download.value.suggested_filename == "rates-Himmelblau-from-0-and--1-96-x-96-rates-steps-0-to-500.svg"
    assert b"hypergradient rate" in Path(download.value.path()).read_bytes()


def test_maps_follow_light_and_dark_and_the_width(basins):
    page = basins("&rules=adam", color_scheme="light")
    pixel = """([across, up]) => { const it = document.querySelector('.st-key-maps .fop-basins').fop;
      const r = devicePixelRatio; const context = it.fields[0].querySelector('canvas').getContext('2d');
      const at = [it.left + across * it.side, 8 + (1 - up) * it.side];
      return [...context.getImageData(Math.round(at[0] * r), Math.round(at[1] * r), 1, 1).data].slice(0, 3); }"""
    light = page.evaluate(pixel, [0.05, 0.05])
    assert page.locator(".st-key-maps .fop-basins").get_attribute("data-theme") == "light"
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".st-key-maps .fop-basins")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(pixel, [0.05, 0.05])
    assert min(light) > 110 and max(dark) < 140 and light[0] > light[2] and dark[0] > dark[2], (light, dark)
    page.set_viewport_size({"width": 700, "height": 800})
    page.wait_for_function(
        "() => { const canvas = document.querySelector('.st-key-maps canvas[data-drawn]');"
        " return Math.abs(canvas.clientWidth - canvas.width / devicePixelRatio) < 1 && canvas.clientWidth < 700; }"
    )
    assert page.evaluate(pixel, [0.05, 0.05]) == dark
