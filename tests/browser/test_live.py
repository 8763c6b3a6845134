"""The race under the reader's hand, in a real browser: paths follow before the button is let go, and Python agrees."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.chromium import NARROW, still

VALLEY = "?preset=valley&v=2"
LEADS = "() => { const { leads, due } = document.querySelector('.fop-player').fop.hand; return leads && !due; }"
RESTS = "() => !document.querySelector('.fop-player').fop.hand.leads"
RUNS = """() => document.querySelector('.fop-player').fop.runs.map((run) => ({
  name: run.name, late: Boolean(run.late), label: run.label.text, x: Array.from(run.x), y: Array.from(run.y),
}))"""
START = """() => {
  const player = document.querySelector('.fop-player').fop;
  const [view, box] = [player.view(), player.parts.stage.getBoundingClientRect()];
  const [x, y] = player.start;
  return [box.left + view.left + view.x(x, y), box.top + view.top + view.y(x, y)];
}"""


def runs(page: Page) -> dict[str, dict]:
    return {run["name"]: run for run in page.evaluate(RUNS)}


def grab(page: Page) -> tuple[float, float]:
    """Press the button over the start."""
    x, y = page.evaluate(START)
    page.mouse.move(x, y)
    page.mouse.down()
    return x, y


def follows(page: Page, x: float, y: float) -> None:
    """Wait until the start, and all runs, are where the pointer is."""
    page.wait_for_function(
        f"""([x, y]) => {{
          const {{ runs, start }} = document.querySelector(".fop-player").fop;
          const [left, top] = ({START})();
          const from = start.map(Math.fround);
          const there = runs.every((run) => Math.fround(run.x[0]) === from[0] && Math.fround(run.y[0]) === from[1]);
          return there && Math.hypot(left - x, top - y) < 2;
        }}""",
        arg=[x, y],
    )


def hold(page: Page, selector: str, share: float) -> None:
    """Press the button over a slider, so far along it."""
    slider = page.locator(selector)
    slider.scroll_into_view_if_needed()
    box = still(slider)
    page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()


def test_paths_follow_the_start_before_it_is_let_go_and_python_runs_the_same_race(visit):
    page = visit(VALLEY)
    before = runs(page)
    x, y = grab(page)
    page.mouse.move(x + 30, y + 45, steps=5)
    page.wait_for_function(LEADS)
    page.wait_for_function(
        "x => document.querySelector('.fop-player').fop.runs.every((run) => run.x[0] !== x)", arg=before["FOP"]["x"][0]
    )
    live = runs(page)
    assert not any(run["late"] for run in live.values()) and live.keys() == before.keys()
    page.mouse.up()
    page.wait_for_function(RESTS)
    after = runs(page)
    for name, run in after.items():
        np.testing.assert_array_equal([run["x"], run["y"]], [live[name]["x"], live[name]["y"]], err_msg=name)
        assert run["label"] == live[name]["label"]
    expect(page).to_have_url(re.compile(r"[?&]x=.*&y="))


def test_in_3d_the_start_is_dragged_over_the_surface_and_elsewhere_a_drag_turns(visit):
    page = visit(f"{VALLEY}&view=3d")
    orbit = "() => ({ ...document.querySelector('.fop-player').fop.solid.orbit })"
    begun, before = page.evaluate(orbit), runs(page)
    x, y = grab(page)
    page.mouse.move(x + 30, y - 25, steps=5)
    follows(page, x + 30, y - 25)
    live = runs(page)
    assert live["FOP"]["x"][0] != before["FOP"]["x"][0]
    stage = still(page.locator(".fop-stage"))
    page.mouse.move(stage["x"] + 3, stage["y"] + stage["height"] - 3)  # where there is no surface it stays
    page.mouse.up()
    page.wait_for_function(RESTS)
    after = runs(page)
    for name, run in after.items():
        np.testing.assert_array_equal([run["x"], run["y"]], [live[name]["x"], live[name]["y"]], err_msg=name)
    expect(page).to_have_url(re.compile(r"[?&]x=.*&y="))
    assert page.evaluate(orbit) == begun
    url, (x, y) = page.url, page.evaluate(START)
    page.mouse.move(x + 60, y + 10)
    page.mouse.down()
    page.mouse.move(x + 135, y + 10, steps=4)
    page.mouse.up()
    assert page.evaluate(orbit)["yaw"] == pytest.approx(begun["yaw"] + 0.5)
    assert runs(page) == after and page.url == url


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_a_finger_drags_the_start_and_the_page_stays_where_it_is(visit, view):
    page = visit(f"{VALLEY}&view={view}", viewport=NARROW, has_touch=True, is_mobile=True)
    page.locator(".fop-stage").scroll_into_view_if_needed()
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        there = [{"x": x, "y": y} for x, y in points]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": there})

    scrolled = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    before, (x, y) = page.evaluate(scrolled), page.evaluate(START)
    touch("touchStart", (x + 18, y))  # beside the ring, as a fingertip is
    for share in range(1, 9):
        touch("touchMove", (x + 18 - 3 * share, y - 6 * share))
    follows(page, x - 6, y - 48)
    touch("touchStart", (x - 6, y - 48), (x + 60, y + 40))  # a second one moves nothing
    touch("touchMove", (x - 6, y - 48), (x + 60, y + 80))
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    follows(page, x - 6, y - 48)
    touch("touchEnd")
    expect(page).to_have_url(re.compile(r"[?&]x=.*&y="))
    assert page.evaluate(scrolled) == before


@pytest.mark.parametrize(("slider", "setting"), [("lr", "fop.lr"), ("hyper", "fop.hyper_lr")])
def test_a_slider_moves_the_paths_at_once_and_the_setting_when_it_is_let_go(visit, slider, setting):
    page = visit(VALLEY)
    url, before = page.url, runs(page)
    eigenvalues = page.locator(".fop-update .fop-note-P")
    expect(eigenvalues).to_contain_text("P: eigenvalues")
    known = eigenvalues.inner_text()
    hold(page, f".fop-hand-{slider} input", 0.55)
    page.wait_for_function(LEADS)
    expect(eigenvalues).not_to_have_text(known)
    live = runs(page)
    assert live["FOP"]["x"][1:] != before["FOP"]["x"][1:] and live["SGD"]["x"] == before["SGD"]["x"]
    assert page.url == url
    words = page.locator(f".fop-hand-{slider} output").inner_text()
    page.mouse.up()
    page.wait_for_function(RESTS)
    expect(page).to_have_url(re.compile(rf"[?&]{re.escape(setting)}="))
    after = runs(page)
    np.testing.assert_array_equal(after["FOP"]["x"], live["FOP"]["x"])
    expect(page.locator(f".fop-hand-{slider} output")).to_have_text(words)
    page.reload()
    page.wait_for_function("() => document.querySelector('.fop-player')?.fop?.runs.length")
    expect(page.locator(f".fop-hand-{slider} output")).to_have_text(words)


def test_arrow_keys_on_a_slider_move_it_and_not_the_race(visit):
    page = visit(f"{VALLEY}&fop.hyper_lr=0.05")
    slider = page.get_by_role("slider", name="Hypergradient rate ρ")
    expect(slider).to_have_value("-130")
    slider.press("ArrowRight")
    expect(slider).to_have_value("-129")
    expect(page).to_have_url(re.compile(r"fop\.hyper_lr=0\.0513"))
    page.wait_for_function(RESTS)
    assert page.evaluate(
        "() => { const { step, end } = document.querySelector('.fop-player').fop; return step >= end; }"
    )


def test_where_all_have_one_rate_the_slider_moves_it_for_all(visit):
    page = visit(f"{VALLEY}&rates=same")
    before = runs(page)
    hold(page, ".fop-hand-lr input", 0.4)
    page.wait_for_function(LEADS)
    live = runs(page)
    assert all(live[name]["x"][1] != run["x"][1] for name, run in before.items())
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"[?&]rate="))
    page.wait_for_function(RESTS)


def test_a_rule_that_cannot_be_traced_stays_faint_until_the_hand_rests(visit):
    page = visit("?preset=valley&v=2&rules=bfgs,fop")
    before = runs(page)
    x, y = grab(page)
    page.mouse.move(x + 30, y + 45, steps=5)
    page.wait_for_function(LEADS)
    page.wait_for_function("() => document.querySelector('.fop-player').fop.runs.some((run) => run.late)")
    live = runs(page)
    assert live["BFGS"] == before["BFGS"] | {"late": True} and live["FOP"]["x"] != before["FOP"]["x"]
    page.mouse.up()
    page.wait_for_function(RESTS)
    after = runs(page)
    assert not after["BFGS"]["late"] and after["BFGS"]["x"][0] == after["FOP"]["x"][0] != before["BFGS"]["x"][0]


def test_a_press_on_the_start_without_a_drag_changes_nothing(visit):
    page = visit(VALLEY)
    page.evaluate("() => document.querySelector('.fop-player').fop.go(5)")
    url, before = page.url, runs(page)
    x, y = grab(page)
    page.mouse.move(x + 2, y + 1)
    page.wait_for_function(LEADS)
    page.mouse.up()
    page.wait_for_function(RESTS)
    assert runs(page) == before and page.url == url
    assert page.evaluate("() => document.querySelector('.fop-player').fop.step") == 5


def test_a_slider_that_is_where_python_has_it_leads_nothing(visit):
    page = visit(VALLEY)
    before = runs(page)
    leads = page.evaluate(
        """() => {
          const { hand } = document.querySelector('.fop-player').fop;
          const known = hand.rates();
          hand.put(hand.names(), known.map((rate) => 2 * rate));
          const { leads } = hand;
          hand.put(hand.names(), known);
          return [leads, hand.leads];
        }"""
    )
    assert leads == [True, False]
    page.wait_for_function("() => !document.querySelector('.fop-player').fop.hand.due")
    assert runs(page) == before
    assert page.evaluate("() => document.querySelector('.fop-player').fop.share") == 1, "at the end, as it was"


def test_a_slider_that_is_moved_back_before_python_answers_stays_back(visit):
    page = visit(f"{VALLEY}&fop.hyper_lr=0.05")
    sent = page.evaluate(
        """() => {
          const player = document.querySelector('.fop-player').fop;
          const { input } = player.hand.parts.sliders.hyper_lr;
          const sent = [];
          player.trigger = (name, rates) => sent.push(rates); // as if Python were slow
          for (const value of [-129, -130]) {
            input.value = value;
            input.oninput();
            input.onchange();
          }
          return sent;
        }"""
    )
    assert sent == [{"fop.hyper_lr": 0.0513}, {"fop.hyper_lr": 0.05}]
    expect(page.get_by_role("slider", name="Hypergradient rate ρ")).to_have_value("-130")


def test_a_start_from_which_python_has_not_raced_yet_is_dragged_on_and_a_click_has_its_own(visit):
    page = visit(VALLEY)
    page.evaluate(
        """() => {
          const player = document.querySelector('.fop-player').fop;
          window.starts = [];
          player.trigger = (name, start) => window.starts.push([start.x, start.y]); // as if Python were slow
        }"""
    )
    x, y = grab(page)
    page.mouse.move(x + 40, y + 30, steps=4)
    page.mouse.up()
    page.mouse.down()
    page.mouse.move(x + 80, y + 30, steps=4)
    page.wait_for_function(LEADS)
    page.mouse.up()
    page.mouse.click(x + 40, y - 40)
    first, second, third = page.evaluate("window.starts")
    assert first[0] < second[0] and first[1] == pytest.approx(second[1])
    assert third[0] == pytest.approx(first[0], abs=0.05) and third[1] > first[1]


def test_a_map_of_both_rates_is_computed_and_its_dot_sets_them(visit):
    page = visit(VALLEY)
    page.locator(".fop-map summary").click()
    page.wait_for_function("() => document.querySelector('.fop-player').fop.hand.map.grid?.done", timeout=60_000)
    canvas = page.locator(".fop-map canvas")
    words = page.locator(".fop-map > output")
    expect(words).to_have_text(re.compile(r"^ε 0\.0100, ρ 0\.100: [\d,]+ steps$"))
    canvas.scroll_into_view_if_needed()
    box = still(canvas)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"], steps=4)
    page.wait_for_function(LEADS)
    expect(words).not_to_have_text(re.compile(r"^ε 0\.0100"))
    live = runs(page)
    page.mouse.up()
    page.wait_for_function(RESTS)
    expect(page).to_have_url(re.compile(r"fop\.lr=.*fop\.hyper_lr="))
    assert runs(page)["FOP"]["x"] == live["FOP"]["x"]


def test_the_dot_on_the_map_is_moved_by_arrow_keys(visit):
    page = visit(VALLEY)
    page.locator(".fop-map summary").click()
    page.wait_for_function("() => document.querySelector('.fop-player').fop.hand.map.grid?.done", timeout=60_000)
    canvas = page.get_by_role("application", name="Map of ε and ρ")
    words = page.locator(".fop-map > output")
    before = words.inner_text()
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(words).not_to_have_text(before)
    expect(page).to_have_url(re.compile(r"fop\.lr="))
    after_one = words.inner_text()
    page.keyboard.press("ArrowUp")
    expect(words).not_to_have_text(after_one)
    expect(page).to_have_url(re.compile(r"fop\.hyper_lr="))
    ends = [float(text) for text in re.findall(r"[ερ] ([0-9.e-]+)", words.inner_text())]
    begins = [float(text) for text in re.findall(r"[ερ] ([0-9.e-]+)", before)]
    assert all(end > begin for begin, end in zip(begins, ends, strict=True)), (before, words.inner_text())


def test_the_table_is_marked_as_of_the_race_before_while_another_one_is_under_the_hand(visit):
    page = visit("?preset=paper-booth&v=2")
    badge, head = page.locator(".st-key-published"), page.locator(".fop-readout tbody").first
    expect(badge).to_contain_text("All step counts are the published ones.")
    for part in (badge, head):
        expect(part).to_have_css("opacity", "1")
    area = still(page.locator(".fop-readout"))
    x, y = grab(page)
    page.mouse.move(x + 30, y - 45, steps=5)
    page.wait_for_function(LEADS)
    expect(page.locator(".fop-readout")).to_have_class(re.compile("fop-before"))
    for part in (badge, head):
        expect(part).to_have_css("opacity", re.compile(r"0\.[1-4]\d*"))
    assert page.locator(".fop-readout").bounding_box() == area
    page.mouse.up()
    page.wait_for_function(RESTS)
    expect(page.locator(".fop-readout")).not_to_have_class(re.compile("fop-before"))
    expect(head).to_have_css("opacity", "1")


def test_what_is_said_of_a_point_goes_with_it(visit):
    """Under a mouse that rests: while the start is dragged, once it is let go, and after a step back."""
    page = visit(VALLEY)
    tip = page.locator(".fop-tip")
    x, y = page.evaluate(START)
    page.mouse.move(x, y)
    expect(tip).to_contain_text("step 0")
    page.mouse.down()
    expect(tip).to_be_hidden()
    page.mouse.move(x + 30, y + 45, steps=5)
    page.wait_for_function(LEADS)
    expect(tip).to_be_hidden()
    page.mouse.up()
    page.wait_for_function(RESTS)
    expect(tip).to_be_hidden()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('.fop-player').fop.runs[0].drawn === 1")
    page.mouse.move(
        *page.evaluate(
            """() => {
              const player = document.querySelector('.fop-player').fop;
              const [view, box, { x, y }] = [player.view(), player.parts.stage.getBoundingClientRect(), player.runs[0]];
              return [box.left + view.left + view.x(x[1], y[1]), box.top + view.top + view.y(x[1], y[1])];
            }"""
        )
    )
    expect(tip).to_contain_text("step 1")
    page.keyboard.press("ArrowLeft")
    expect(tip).to_be_hidden()
