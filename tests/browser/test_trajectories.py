"""The Trajectories page in a real browser."""

import io
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from fop_core.figures import movie, style
from tests.chromium import NARROW, WIDE, number, row, slow_down, still, too_small
from tests.pages.test_trajectories import SLOW
from tests.waiting import until
from toy_functions import presets, race
from toy_functions.scenes import SCENES

FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
PATHS = ".st-key-race .fop-plot-node"
PLAYER = ".fop-player"
LABELS = ".fop-label.fop-arrived"
LOSSES = ".st-key-losses .fop-plot-node"
FITTED = """() => [...document.querySelectorAll(".fop-plot-node")].every((node) => {
  const width = node.parentElement.clientWidth;
  return width < innerWidth && width === node.clientWidth && Math.abs(node._fullLayout.width - node.clientWidth) < 1;
})"""


def ranges(page: Page, node: str = PATHS) -> list[float]:
    return page.evaluate(
        "node => { const {xaxis, yaxis} = document.querySelector(node)._fullLayout;"
        " return [...xaxis.range, ...yaxis.range]; }",
        node,
    )


def counts(page: Page, **published: str) -> None:
    for name, count in published.items():
        expect(row(page, name).locator(".fop-steps")).to_have_text(count)


def choose(page: Page, label: str, option: str) -> None:
    box = page.get_by_role("combobox", name=re.compile(f"(^|\\b){re.escape(label)}\\b"))
    box.scroll_into_view_if_needed()
    page.evaluate(FRAMES)  # a list that is open closes when what it stands in is scrolled
    box.click()
    page.get_by_role("option", name=option, exact=True).click()


def set_number(page: Page, label: str, value: str) -> None:
    number(page, label).fill(value)
    number(page, label).press("Enter")


FIGURE_1 = "?preset=paper-booth"


def test_a_newcomer_sees_p_turn_onto_the_inverse_hessian(visit):
    page = visit()
    names = page.locator(".fop-readout").get_by_role("rowheader")
    expect(names).to_have_text(["SGD", "Momentum", "Newton", "FOP OSGM"])
    page.keyboard.press("End")
    expect(page.get_by_role("combobox", name="Whose update is shown")).to_have_value("FOP OSGM")
    expect(page.locator(".fop-update")).to_contain_text("H⁻¹: 100 times as long as wide")
    expect(page.get_by_text(SCENES["turning"].sentence)).to_be_visible()
    assert page.url.endswith("/")


def test_figure_1_has_the_papers_counts(visit):
    page = visit(FIGURE_1)
    expect(page).to_have_title("Trajectories · FOP Lab")
    counts(page, SGD="832", Adam="6,221", FOP="543")
    expect(page.get_by_text("All step counts are the published ones.")).to_be_visible()
    expect(row(page, "FOP")).to_contain_text("Converged: f < 1e-6 at step 543.")
    assert page.get_by_text("Deploy").count() == 0
    expect(page.locator(LABELS)).to_have_count(3)
    assert sorted(page.locator(LABELS).all_text_contents()) == ["Adam 6,221", "FOP 543", "SGD 832"]


def test_a_long_race_says_how_far_it_is_and_ends_when_another_is_chosen(visit):
    page = visit(f"?{urlencode(SLOW)}", drawn=False)
    slow_down(page, 6)  # widgets then take longer to draw than the running icon stands still
    page.set_default_timeout(60_000)
    expect(page.get_by_text(re.compile(r"Racing: \d+ %, ([2-9]|\d\d+)(\.\d+)? s"))).to_be_visible(timeout=60_000)
    expect(page.get_by_role("combobox", name="Preset")).to_be_visible(timeout=60_000)
    choose(page, "Preset", "Figure 1: Himmelblau")
    counts(page, FOP="289")
    expect(page.get_by_role("progressbar")).to_have_count(0)
    page.wait_for_url("**?preset=paper-himmelblau&v=2")


def step(page: Page) -> int:
    return page.evaluate("() => Math.floor(Math.min(fopLab.clock.step, 1e9))")


def heads(page: Page) -> dict[str, list[float]]:
    """Where the player's view puts the heads, from its own numbers at the present step."""
    return page.evaluate(
        """player => { const it = document.querySelector(player).fop; const view = it.view();
          return Object.fromEntries(it.runs.map((run) => {
            const last = Math.min(run.count - 1, Math.floor(it.step));
            return [run.name, [view.x(run.x[last], run.y[last]), view.y(run.x[last], run.y[last])]];
          })); }""",
        PLAYER,
    )


def color_at(page: Page, x: float, y: float) -> list[int]:
    """The colour of the layer of heads at a place of the picture, px."""
    return page.evaluate(
        "([x, y]) => { const c = document.querySelector('.fop-heads'); const r = devicePixelRatio;"
        " return [...c.getContext('2d').getImageData(Math.round(x * r), Math.round(y * r), 1, 1).data]; }",
        [x, y],
    )


def test_playing_goes_from_the_start_to_the_end_where_the_data_say(visit):
    page = visit("?preset=paper-himmelblau&axis=linear")
    speed = page.get_by_role("combobox", name="Speed")
    speed.select_option("0.1")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(LABELS)).to_have_count(0)
    expect(row(page, "Adam")).to_contain_text("Now f =")
    speed.select_option("10")
    expect(page.locator(LABELS, has_text="FOP 289")).to_be_visible()
    speed.select_option("50")
    page.wait_for_function("() => !fopLab.clock.moving")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert step(page) == 5398
    expect(page.get_by_text("step 5,398 of 5,398")).to_be_visible()
    last = "player => document.querySelector(player).fop.runs.map((run) => [run.name, run.x.at(-1), run.y.at(-1)])"
    ends = page.evaluate(last, PLAYER)
    assert {name: (round(x, 2), round(y, 2)) for name, x, y in ends} == {
        "SGD": (3.58, -1.85),
        "Adam": (3.0, 2.0),
        "FOP": (3.58, -1.85),
    }
    x, y = heads(page)["Adam"]
    assert color_at(page, x, y)[:3] == [0xCB, 0x62, 0xAF]


def test_the_player_answers_to_keys_and_to_its_slider(visit):
    page = visit(FIGURE_1)
    page.keyboard.press("Home")
    page.wait_for_function("() => fopLab.clock.step === 0")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => fopLab.clock.step === 3")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => fopLab.clock.step === 2")
    assert page.locator(".st-key-losses .fop-plot-cursor").is_visible()
    page.keyboard.press("End")
    page.wait_for_function("() => fopLab.clock.step === 6221")
    assert page.locator(".st-key-losses .fop-plot-cursor").is_hidden()
    slider = page.get_by_role("slider", name="Step of the race")
    box = still(slider)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("() => Math.abs(Math.log1p(fopLab.clock.step) / Math.log1p(6221) - 0.5) < 0.03")
    page.keyboard.press("Space")
    page.wait_for_function("() => fopLab.clock.step > 100")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_a_click_on_the_surface_starts_all_from_there(visit):
    page = visit(FIGURE_1)
    page.evaluate("node => { document.querySelector(node).mine = true; }", PATHS)
    box = still(page.locator(f"{PATHS} .nsewdrag"))
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"])
    expect(number(page, "Start x")).to_have_value("-5")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert abs(float(number(page, "Start y").input_value())) < 0.05
    expect(page).to_have_url(re.compile(r"\?preset=paper-booth&x=-5(\.0\d)?&y="))
    assert page.evaluate("node => document.querySelector(node).mine", PATHS)
    page.keyboard.press("End")
    expect(page.locator(LABELS)).to_have_count(3)
    x, y = box["x"] + 0.25 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.25 * box["width"], y, steps=5)
    page.mouse.up()
    expect(number(page, "Start x")).to_have_value(re.compile(r"^-?0(\.0\d?)?$"))


def test_three_dimensions_can_be_turned_and_clicked(visit):
    page = visit("?view=3d")
    expect(page.locator(LABELS)).to_have_count(3)
    before = heads(page)
    stage = still(page.locator(".fop-stage"))
    x, y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y, steps=4)
    page.mouse.up()
    assert heads(page) != before
    expect(number(page, "Start x")).to_have_value("0")
    page.mouse.click(x + 70, y + 20)
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page).to_have_url(re.compile("x=.*y="))


def test_the_ellipses_tell_how_p_lies_beside_the_inverse_hessian(visit):
    page = visit("?preset=saddle&rules=fop")
    page.keyboard.press("Home")
    words = page.locator(".fop-update")
    expect(words).to_contain_text("P: eigenvalues 1.00, 1.00")
    expect(words).to_contain_text("|H|⁻¹, dashed: here H has a negative eigenvalue, −1.00")
    x, y = heads(page)["FOP"]
    radius = 0.12 * page.evaluate("(player) => document.querySelector(player).fop.view().width", PLAYER)
    rim = x - radius - 1  # the line of |H|⁻¹, which is the same circle here, lies on the middle of P's
    assert color_at(page, rim, y)[:3] == [0xD9, 0x54, 0x1E], "P = I is a circle, in FOP's colour"
    page.keyboard.press("End")
    expect(words).to_contain_text("P: eigenvalues 3.44, 1.50")
    expect(words).to_contain_text("H⁻¹: 1.99 times as long as wide")


@pytest.mark.parametrize("formula", ["(x-y)%5E2", "5", "-(x-y)%5E2"])
def test_a_singular_hessian_is_said_to_be_singular_and_no_inverse_is_drawn(visit, formula):
    page = visit(f"?surface=own&f={formula}&rules=fop&steps=50")
    page.keyboard.press("Home")
    words = page.locator(".fop-update")
    expect(words).to_contain_text("H is singular here: it has an eigenvalue 0 and no inverse")
    expect(words).not_to_contain_text("negative")


def test_the_fair_race_finds_each_best_rate_and_goes_back(visit):
    page = visit("?rules=sgd,fop&steps=2000")
    page.get_by_role("button", name="Find each optimizer's best rate").click()
    counts(page, SGD="43")
    expect(page).to_have_url(re.compile("rates=best"))
    table = page.get_by_role("table").filter(has_text="best ε")
    expect(table.get_by_role("row", name="SGD")).to_have_text(re.compile(r"SGD\s*0\.005\s*832\s*0\.0891\s*43"))
    labels = page.locator(".st-key-rates .annotation-text")
    expect(labels.filter(has_text="SGD 43 at 0.0891")).to_be_visible()
    page.get_by_role("button", name="Back to the given rates").click()
    counts(page, SGD="832", FOP="543")


@pytest.mark.parametrize(
    ("label", "ends", "begins"),
    [
        ("Every step (CSV)", "-every-step.csv", b"optimizer,step,x,y,f,p_xx,p_xy,p_yy,surface\nSGD,0,0.0,-4.0,"),
        ("Figure (PDF)", "-steps-0-to-600.pdf", b"%PDF-"),
        ("Figure (PNG)", "-steps-0-to-600.png", b"\x89PNG\r\n"),
        ("Python script", ".py", b"# A race of optimizers on Booth"),
    ],
)
def test_a_race_can_be_taken_away(visit, label, ends, begins):
    page = visit("?steps=600")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=label).click()
    assert download.value.suggested_filename == f"race-Booth-from-0-and--4{ends}"
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(begins) and len(content) > 500
    if label.startswith("Every"):
        assert len(content.splitlines()) == 1 + 601 + 601 + 544
    if label == "Python script":
        ran = subprocess.run(
            [sys.executable, "-"], input=content, capture_output=True, cwd=Path(__file__).parents[2], check=True
        )
        assert b"FOP: converged, 543 steps" in ran.stdout and b"Adam: step limit, 600 steps" in ran.stdout


def test_an_animation_is_made_and_saved(visit):
    page = visit("?rules=sgd,fop&steps=300")
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Animation (GIF)").click()
    assert download.value.suggested_filename == "race-Booth-from-0-and--4-steps-0-to-300.gif"
    with Image.open(download.value.path()) as made:
        assert made.format == "GIF" and made.n_frames > 20
        assert made.info["comment"] == b"A race on Booth from (0.0, -4.0), steps 0 to 300"


def show_a_part(page: Page) -> None:
    """Show step 12 of a part of the plane."""
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => fopLab.clock.step === 12")
    page.evaluate(
        "node => Plotly.relayout(node, {'xaxis.range': [-1, 4], 'yaxis.range': [-2, 3]})",
        page.locator(PATHS).element_handle(),
    )
    page.get_by_role("button", name="Export").click()


def saved(page: Page, label: str, within: float = 20_000) -> tuple[str, bytes]:
    with page.expect_download(timeout=within) as download:
        page.get_by_role("button", name=label).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_show_the_step_the_zoom_and_the_colours_that_are_seen(visit, scheme):
    page = visit("?preset=paper-himmelblau&v=2", color_scheme=scheme)
    show_a_part(page)
    begins = "race-Himmelblau-from-0-and--1-step-12"
    name, png = saved(page, "Picture (PNG)")
    assert name == f"{begins}.png"
    with Image.open(io.BytesIO(png)) as image:
        assert image.text["Title"] == "A race on Himmelblau from (0.0, -1.0), step 12"
        paper = "#{:02X}{:02X}{:02X}".format(*image.convert("RGB").getpixel((2, image.height - 2)))
    assert paper == style.THEMES[scheme].paper
    name, svg = saved(page, "Picture (SVG)")
    assert name == f"{begins}.svg"
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())
    assert {"step 12 of 5,398", "FOP"} <= set(texts) and "−4" not in texts and "4" in texts
    name, pdf = saved(page, "Picture (PDF)")
    assert name == f"{begins}.pdf" and pdf.startswith(b"%PDF-")


def test_a_video_of_the_race_is_made(visit, tmp_path):
    page = visit("?rules=sgd,fop&steps=300")
    page.get_by_role("button", name="Export").click()
    name, content = saved(page, "Animation (MP4)", 90_000)
    assert name == "race-Booth-from-0-and--4-steps-0-to-300.mp4"
    (tmp_path / name).write_bytes(content)
    frames = imageio_ffmpeg.read_frames(tmp_path / name)
    assert next(frames)["codec"] == "h264"
    assert sum(1 for _ in frames) == movie.RATE * (movie.SECONDS + movie.HOLD)


def test_the_player_is_taken_along_as_it_is_seen_and_plays_without_the_app(visit, browser, tmp_path):
    page = visit("?preset=paper-himmelblau&v=2")
    page.get_by_role("combobox", name="Whose update is shown").select_option("SGD")
    page.get_by_role("heading", name="Trajectories", exact=True).click()  # a list has keys of its own
    show_a_part(page)
    name, content = saved(page, "Player (HTML)")
    assert name == "race-Himmelblau-from-0-and--1-steps-0-to-5398.html" and len(content) < 1_500_000
    (tmp_path / name).write_bytes(content)
    context = browser.new_context(offline=True)
    alone = context.new_page()
    alone.goto((tmp_path / name).as_uri())
    expect(alone.locator(".fop-step")).to_have_text("step 12 of 5,398")
    assert alone.evaluate("fopLab.clock.run") == "SGD"
    alone.keyboard.press("End")
    # Adam's end is in that part of the plane; the others' are at (3.58, -1.85), in it too.
    expect(alone.locator(LABELS)).to_have_count(3)
    context.close()


def test_in_three_dimensions_the_png_is_the_screens_and_the_player_alone_is_from_above(visit):
    page = visit("?preset=paper-himmelblau&view=3d&v=2")
    page.keyboard.press("End")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_text("The player shows the race from above.")).to_be_visible()
    name, png = saved(page, "Picture (PNG)")
    assert name == "race-Himmelblau-from-0-and--1-step-5398.png"
    with Image.open(io.BytesIO(png)) as image:
        assert image.text["Title"] == "A race on Himmelblau from (0.0, -1.0), step 5398"
        assert len(image.convert("RGB").getcolors(1 << 24)) > 500
    expect(page.get_by_role("status").filter(has_text=f"Saved {name}")).to_be_visible()
    name, svg = saved(page, "Picture (SVG)")
    assert name == "race-Himmelblau-from-0-and--1-step-5398.svg" and b"f, log scale" in svg


def test_himmelblau_can_be_chosen(visit):
    page = visit()
    choose(page, "Preset", "Figure 1: Himmelblau")
    counts(page, SGD="386", Adam="5,398", FOP="289")
    expect(page).to_have_url(re.compile(r"\?preset=paper-himmelblau&v=2$"))
    assert ranges(page) == [-6, 6, -6, 6]


def test_zoom_and_node_outlive_a_change_of_a_rate(visit):
    page = visit(FIGURE_1)
    box = still(page.locator(f"{PATHS} .nsewdrag"))
    page.evaluate("node => { document.querySelector(node).mine = true; }", PATHS)
    x, y = box["x"], box["y"]
    page.mouse.move(x + 0.4 * box["width"], y + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(x + 0.8 * box["width"], y + 0.6 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_function("node => document.querySelector(node)._fullLayout.xaxis.range[1] < 9", arg=PATHS)
    zoomed = ranges(page)
    page.get_by_text("SGD settings").click()
    set_number(page, "Learning rate ε", "0.01")
    expect(row(page, "SGD").locator(".fop-steps")).not_to_have_text("832")
    expect(page.locator(LABELS, has_text="SGD 832")).to_have_count(0)
    assert ranges(page) == zoomed
    assert page.evaluate("node => document.querySelector(node).mine", PATHS)
    expect(page).to_have_url(re.compile(r"\?preset=paper-booth&sgd\.lr=0\.01&v=2$"))
    choose(page, "Surface", "Himmelblau")
    page.wait_for_function("node => document.querySelector(node)._fullLayout.xaxis.range[0] == -6", arg=PATHS)


@pytest.mark.parametrize("width", [1280, 1024, 800, 390])
def test_the_table_of_a_fair_race_stays_in_its_place(visit, width):
    page = visit("?rates=best&rules=sgd,nesterov,fop-one-step,fop&steps=2000", viewport=WIDE | {"width": width})
    table = page.get_by_role("table").filter(has_text="best ε")
    expect(table).to_be_visible(timeout=60_000)
    fits = "table => table.parentElement.scrollWidth <= table.parentElement.clientWidth"
    until(lambda: table.evaluate(fits), pause=lambda: page.wait_for_timeout(50))  # its fonts may be on their way


def test_an_own_function_is_accepted_and_a_wrong_one_explained(visit):
    page = visit("?preset=own")
    formula = page.get_by_role("textbox", name="f(x, y) =")
    formula.fill("x^2 + 10*y^2")
    formula.press("Enter")
    expect(page.locator(".katex-html")).to_have_text(re.compile("x2.*10.*y2"))
    expect(row(page, "SGD")).to_contain_text("Converged")
    formula.fill("x^2 + y2")
    formula.press("Enter")
    expect(page.get_by_text("unknown name “y2”; did you mean y*2 or y^2?")).to_be_visible()
    code = page.get_by_test_id("stCode").inner_text().split("\n")
    text, carets = [line for line in code if line.strip()][:2]
    assert carets.index("^^") == text.index("y2")
    expect(page.get_by_text("The last one without is still raced on.")).to_be_visible()
    expect(row(page, "SGD")).to_contain_text("Converged")


def test_a_deep_link_restores_the_page(visit):
    page = visit("?preset=valley&x=2&y=-1&rules=momentum,fop&fop.hyper_lr=0.05&fop.preconditioner=direct&axis=linear")
    expect(page.locator(".fop-readout").get_by_role("rowheader")).to_have_text(["Momentum", "FOP"])
    expect(number(page, "Start x")).to_have_value("2")
    expect(page.get_by_text("Changed from the preset:")).to_contain_text("optimizers")
    page.get_by_text("FOP settings").click()
    expect(number(page, "Hypergradient rate ρ")).to_have_value("0.05")
    assert page.evaluate("node => document.querySelector(node)._fullLayout.xaxis.type", LOSSES) == "linear"


def test_what_is_wrong_in_an_address_is_said(visit):
    page = visit("?adam.lr=fast&colour=red")
    expect(page.get_by_test_id("stAlert")).to_contain_text("adam.lr=fast is not a number")
    counts(page, SGD="832", Adam="6,221", FOP="543")


def test_back_and_forward_go_through_the_settings(visit):
    page = visit(FIGURE_1)
    choose(page, "Preset", "Figure 1: Himmelblau")
    counts(page, FOP="289")
    expect(page).to_have_url(re.compile("preset=paper-himmelblau"))
    page.go_back()
    counts(page, FOP="543")
    page.go_forward()
    counts(page, FOP="289")


def test_a_copied_link_leads_to_the_step_that_was_shown(visit):
    page = visit(FIGURE_1, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("() => document.querySelector('.fop-player').fop.go(240)")
    page.wait_for_function("() => fopLab.clock.step === 240")
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{page.url}#step=240"
    again = visit(link.partition("/")[2].partition("/")[2].partition("/")[2])
    again.wait_for_function("() => fopLab.clock.step === 240")
    expect(again.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert again.url == link


def test_the_link_that_is_copied_is_the_address(visit):
    page = visit("?sgd.lr=0.01", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert page.url.endswith("?sgd.lr=0.01")


def test_a_diverged_run_is_said(visit):
    page = visit("?sgd.lr=0.3")
    expect(row(page, "SGD")).to_contain_text(re.compile(r"Diverged at step \d+: loss not finite\."))
    expect(page.locator(LABELS).filter(has_text=re.compile(r"SGD diverged at \d+"))).to_be_visible()


def test_a_phone_has_no_sideways_scroll_and_room_for_a_finger(visit):
    page = visit(FIGURE_1, viewport=NARROW, has_touch=True, is_mobile=True)
    wide = "[document.documentElement, document.querySelector('[data-testid=stMain]')].map((e) => e.scrollWidth)"
    assert max(page.evaluate(wide)) <= 390
    assert not too_small(page, "[data-testid=stMain] :is(button:not([data-testid^=stTooltip]), .modebar-btn)")
    scrolls = "node => getComputedStyle(document.querySelector(`${node} .nsewdrag`)).touchAction"
    assert page.evaluate(scrolls, PATHS) == "auto", "a finger on the picture scrolls the page"
    box = still(page.locator(f"{PATHS} .nsewdrag"))
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + 0.75 * box["height"])
    expect(page).to_have_url(re.compile("x=5.*y=-5"))
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.get_by_test_id("stExpandSidebarButton").click()
    expect(page.get_by_text("FOP settings")).to_be_visible()
    page.get_by_text("FOP settings").click()
    expect(number(page, "Hypergradient rate ρ")).to_be_visible()
    sidebar = "[data-testid=stSidebar] :is(input[type=number], summary, [data-testid^=stBaseButton-pills])"
    assert not too_small(page, sidebar)
    assert max(page.evaluate(wide)) <= 390


def test_on_a_phone_nothing_touches_the_count_of_steps_and_a_box_stands_beside_its_label(visit):
    page = visit("?steps=100000&adam.lr=0.0001", viewport=NARROW, has_touch=True, is_mobile=True)
    boxes = """() => ['.fop-on', '.fop-scrub', '.fop-step', '.fop-speed'].map((name) => {
      const range = document.createRange();
      const node = document.querySelector(name);
      range.selectNodeContents(node);
      const box = name === '.fop-step' ? range.getBoundingClientRect() : node.getBoundingClientRect();
      return [box.left, box.top, box.right, box.bottom];
    })"""
    end = page.evaluate("player => document.querySelector(player).fop.end", PLAYER)
    for key, at in {"Home": 0, "End": end}.items():
        page.keyboard.press(key)
        page.wait_for_function("at => fopLab.clock.step === at", arg=at)
        rectangles = page.evaluate(boxes)
        assert all(0 <= box[0] and box[2] <= 390 for box in rectangles), rectangles
        for i, a in enumerate(rectangles):
            for b in rectangles[:i]:
                assert a[2] + 4 <= b[0] or b[2] + 4 <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)
    arrows = page.get_by_test_id("stCheckbox").filter(has_text="Arrows")
    middles = arrows.evaluate(
        "it => [it.querySelector('label > div'), it.querySelector('p')].map((e) => e.getBoundingClientRect())"
        ".map((box) => (box.top + box.bottom) / 2)"
    )
    assert abs(middles[0] - middles[1]) < 3


@pytest.mark.parametrize("preset", ["turning", "paper-booth", "valley"])
def test_labels_do_not_cover_each_other(visit, preset):
    page = visit(f"?preset={preset}")
    for viewport in (WIDE, NARROW):
        page.set_viewport_size(viewport)
        page.wait_for_function(FITTED)
        for node in (LABELS, f"{LOSSES} .annotation-text"):
            boxes = page.evaluate(
                "node => [...document.querySelectorAll(node)]"
                ".map((text) => text.getBoundingClientRect()).map((b) => [b.left, b.top, b.right, b.bottom])",
                node,
            )
            assert len(boxes) == page.locator(".fop-readout tbody").count()
            for i, a in enumerate(boxes):
                for b in boxes[:i]:
                    assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] - 1 and b[1] < a[3] - 1), (node, a, b)


def test_pictures_follow_light_and_dark_and_the_width_at_once(visit):
    page = visit(color_scheme="light")
    assert page.locator(PATHS).get_attribute("data-theme") == "light"
    page.emulate_media(color_scheme="dark")
    expect(page.locator(PATHS)).to_have_attribute("data-theme", "dark")
    mark = "node => document.querySelector(node).data.find((trace) => trace.meta === 'minimum').marker.color"
    assert page.evaluate(mark, PATHS) == "#FAFAFA"
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function(FITTED)
    assert page.evaluate("node => document.querySelector(node).clientWidth", PATHS) < 480


def test_without_plotly_the_page_says_what_to_do(visit, troubles):
    troubles.expected = ["plotly-cartesian.min.js", "ERR_FAILED"]
    page = visit(FIGURE_1, drawn=False, hidden="**/plotly-cartesian.min.js*", viewport=WIDE)
    expect(page.get_by_role("alert").first).to_contain_text("Reload this page")
    expect(page.locator(PATHS)).to_be_hidden()
    counts(page, FOP="543")


def test_the_mouse_over_a_path_tells_of_the_step_there(visit):
    page = visit("?rules=fop")
    x, y = heads(page)["FOP"]
    stage = still(page.locator(".fop-heads"))
    page.mouse.move(stage["x"] + x + 1, stage["y"] + y + 1)
    tip = page.locator(".fop-tip")
    expect(tip).to_be_visible()
    name, step, x, y = re.fullmatch(r"(.+), step (\d+)\n\((.+), (.+)\)\nf = .+", tip.inner_text()).groups()
    point = race(presets.PAPER_BOOTH)["FOP"].points[int(step)]
    assert (
        name == "FOP" and np.allclose([float(x), float(y)], point, atol=0.006) and np.allclose(point, (1, 3), atol=0.1)
    )
    page.mouse.move(stage["x"] + 20, stage["y"] + 20)
    expect(tip).to_be_hidden()
