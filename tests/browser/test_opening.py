"""The scene that the page opens with: it plays once, says what it shows, and can be taken apart step by step."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from fop_core.figures.style import METHODS
from fop_core.figures.style import number as written
from tests.chromium import DRAWN, number
from toy_functions import race
from toy_functions.scenes import SCENES

SCENE = SCENES["turning"]
STILL = {"reduced_motion": "reduce"}
FOLD = {"width": 1280, "height": 800}
PLAYER = ".fop-player"
END = "() => fopLab.clock.step === 700 && !fopLab.clock.moving"


LATE = """
let plotly;
window.drawn = [];
Object.defineProperty(window, "Plotly", {
  get: () => plotly,
  set(value) {
    const { react } = value;
    value.react = async (node, ...figure) => {
      const surface = node.matches(".fop-ground");
      if (!surface) drawn.push("chart");
      else await new Promise((done) => setTimeout(done, 500));
      await react(node, ...figure);
      if (surface) requestAnimationFrame(() => drawn.push("surface"));
    };
    plotly = value;
  },
});
"""
"""Has the surface come late, and notes when it is there and when a chart begins."""


def box(page: Page, selector: str) -> dict[str, float]:
    """Where an element is: left, top, right and bottom."""
    return page.evaluate("(selector) => document.querySelector(selector).getBoundingClientRect().toJSON()", selector)


def step(page: Page) -> float:
    return page.evaluate("(player) => document.querySelector(player).fop.step", PLAYER)


def follow_link(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def test_the_opening_plays_once_by_itself_and_ends_with_what_to_try(visit):
    page = visit(drawn=False)
    page.wait_for_function("() => window.fopLab?.clock?.moving && fopLab.clock.step > 0", timeout=40_000)
    invitation = page.get_by_text("Drag the start")
    expect(invitation).to_be_hidden()
    page.wait_for_function(END, timeout=40_000)
    expect(invitation).to_be_visible()
    ring = page.evaluate(
        "(player) => { const it = document.querySelector(player).fop; const view = it.view();"
        " const [x, y] = it.data.start; return [view.left + view.x(x, y), view.top + view.y(x, y)]; }",
        PLAYER,
    )
    stage, beside = box(page, ".fop-stage"), box(page, ".fop-invitation")
    assert 0 < beside["top"] - stage["top"] - ring[1] < 30
    assert beside["left"] < stage["left"] + ring[0] < beside["right"]
    follow_link(page, "Basins")
    expect(page.get_by_role("heading", name="Basins")).to_be_visible()
    follow_link(page, "Trajectories")
    page.wait_for_function(END, timeout=40_000)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(invitation).to_be_hidden()


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_the_surface_is_drawn_before_the_charts_however_late_it_is(visit, view):
    page = visit("app/static/logo.svg", drawn=False)
    page.add_init_script(LATE)
    page.goto(page.url.replace("app/static/logo.svg", f"?preset=turning&view={view}&v=2"), wait_until="commit")
    page.wait_for_function(DRAWN, timeout=40_000)
    assert page.evaluate("drawn") == ["surface", *["chart"] * 4]


def test_once_the_reader_has_touched_the_player_it_plays_no_more_by_itself(visit):
    page = visit(drawn=False)
    page.wait_for_function("() => window.fopLab?.clock?.moving && fopLab.clock.step > 0", timeout=40_000)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert 0 < step(page) < 700
    page.keyboard.press("End")
    page.wait_for_function(END)
    expect(page.get_by_text("Drag the start")).to_be_hidden()


@pytest.mark.parametrize("address", ["?x=2.5&v=2", "?preset=turning", "?preset=valley"])
def test_a_race_of_the_readers_is_shown_at_its_end(visit, address):
    page = visit(address)
    assert not page.evaluate("fopLab.clock.moving")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.get_by_text("Drag the start")).to_be_hidden()


def test_for_who_wants_no_motion_it_stands_still_at_a_telling_step_with_pythons_numbers(visit):
    page = visit(**STILL)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.get_by_text("Drag the start")).to_be_visible()
    assert step(page) == 14
    run, surface = race(SCENE.race)["FOP OSGM"], SCENE.race.surface
    g, P = np.array(surface.gradient(*run.points[14])), run.preconditioners[14]
    terms = {"P": P.ravel(), "g": np.float32(g), "rate": [1.0], "move": np.float32(np.diff(run.points, axis=0)[14])}
    for name, values in terms.items():
        numbers = page.locator(f".fop-update .fop-number[data-term={name}]")
        assert numbers.all_inner_texts() == [written(float(value)) for value in values], name
    np.testing.assert_allclose(-P @ g, np.diff(run.points, axis=0)[14])
    update = page.locator(".fop-update")
    expect(update).to_contain_text("θ ← θ − ε P g, where f falls")
    values, vectors = np.linalg.eigh(P)
    _, axes = np.linalg.eigh(surface.hessian(*run.points[14]))
    apart = np.degrees(np.arccos(abs(vectors[:, 1] @ axes[:, 0])))
    ratio = written(values[1] / values[0])
    expect(update).to_contain_text(f"P: {ratio} times as long as wide, {apart:.0f}° away from H⁻¹")
    assert step(page) == 14


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_that_explains_is_above_the_fold(visit, scheme):
    page = visit(viewport=FOLD, color_scheme=scheme, **STILL)
    for selector in (".st-key-sentence p", ".fop-stage", ".fop-bar", ".fop-update", ".fop-readout"):
        area = box(page, selector)
        assert area["height"] > 0 and area["top"] >= 0 and area["bottom"] <= 800, (selector, area)
        assert area["left"] >= 300 and area["right"] <= 1280
    assert box(page, ".st-key-losses")["top"] - box(page, PLAYER)["bottom"] < 60
    update = page.locator(".fop-update")
    for words in ("gradient g", "learning rate ε", "θ = (x, y)", "Δθ: the step", "Ellipses: what each turns a circle"):
        expect(update).to_contain_text(words)
    head = page.evaluate(
        "(player) => { const it = document.querySelector(player).fop; const view = it.view();"
        " const [x, y] = [it.followed.x[14], it.followed.y[14]];"
        " return [view.x(x, y), view.y(x, y), view.width, view.height]; }",
        PLAYER,
    )
    radius = 0.12 * head[2]
    assert all(radius < at < size - radius for at, size in zip(head[:2], head[2:])), "the ellipse is in the picture"
    color = [int(METHODS["fop-osgm"].color[at : at + 2], 16) for at in (1, 3, 5)]
    assert (
        page.evaluate(
            """([x, y, red, green, blue]) => {
          const layer = document.querySelector(".fop-heads");
          const ratio = layer.width / parseFloat(layer.style.width);
          const square = [x - 46, y - 46, 92, 92].map((px) => Math.round(px * ratio));
          const { data } = layer.getContext("2d").getImageData(...square);
          let count = 0;
          for (let at = 0; at < data.length; at += 4)
            count += Math.hypot(data[at] - red, data[at + 1] - green, data[at + 2] - blue) < 12 && data[at + 3] > 200;
          return count;
        }""",
            [*head[:2], *color],
        )
        > 200
    ), "in P's colour"


def test_a_changed_setting_keeps_the_sentence_and_stands_beside_it(visit):
    page = visit(viewport=FOLD, **STILL)
    top = box(page, PLAYER)["top"]
    number(page, "Start x").fill("2.5")
    number(page, "Start x").press("Enter")
    said = f"{SCENE.sentence} Changed: start x. It may come out otherwise."
    expect(page.locator(".st-key-sentence")).to_have_text(said)
    assert box(page, PLAYER)["top"] == top
    page.get_by_role("combobox", name="Surface").click()
    page.get_by_role("option", name="Booth", exact=True).click()
    expect(page.locator(".st-key-sentence")).to_have_text(re.compile(r"^A race on Booth from .*\.$"))


def test_a_step_can_be_taken_apart_by_key(visit):
    page = visit(**STILL)
    page.keyboard.press("Home")
    button = page.get_by_role("button", name="Step by step")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Pause").click()
    page.keyboard.press("Home")
    layer = "() => document.querySelector('.fop-heads').toDataURL()"
    frames = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    drawn, said = [], []
    for third in range(1, 4):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "([player, at]) => document.querySelector(player).fop.step === at", arg=[PLAYER, third / 3]
        )
        page.evaluate(frames)
        drawn.append(page.evaluate(layer))
        assert page.evaluate("fopLab.clock.step") == third // 3, "the head moves last"
        said.append(page.locator(".fop-part").inner_text())
    assert len(set(drawn)) == 3
    assert [text.split(",")[0] for text in said] == ["1 of 3: the gradient g", "2 of 3: P g", "3 of 3: the step Δθ"]
    stage, words = box(page, ".fop-stage"), box(page, ".fop-part")
    assert stage["left"] < words["left"] and words["bottom"] < stage["bottom"], "in the picture"
    page.get_by_role("combobox", name="Whose update is shown").select_option("Momentum")
    expect(page.locator(".fop-update")).to_contain_text("v ← 0.9 v + g, θ ← θ − ε v")
    page.get_by_role("heading", name="Trajectories").click()  # a list has arrow keys of its own
    for third in range(1, 4):
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "([player, at]) => document.querySelector(player).fop.step === at", arg=[PLAYER, (3 + third) / 3]
        )
    expect(page.locator(".fop-part")).to_have_text("3 of 3: the step Δθ")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".fop-part")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    assert step(page) == 3


def test_a_step_that_is_undone_is_said_to_be(visit):
    page = visit(**STILL)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    update = page.locator(".fop-update")
    expect(update).to_contain_text("undone")
    assert update.locator(".fop-number[data-term=move]").all_inner_texts() == ["−10.6", "10.7"]
    page.keyboard.press("ArrowRight")
    expect(update).not_to_contain_text("undone")
    page.get_by_role("button", name="Step by step").click()
    page.get_by_role("button", name="Pause").click()
    page.keyboard.press("Home")
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".fop-part")).to_have_text("3 of 3: undone, as the loss would not have fallen")
