"""The player in a real browser: frames a second, and how soon a click, a move of the hand, or the page itself shows.

    python -m benchmarks.player [--clicks 20]

The app runs on a free port, and Chromium at 1280 x 900 plays six optimizers of 6,000 steps each, and turns them all in
three dimensions. A frame counts where the pixels of the picture have changed since the one before. A click's time is
from the button's release to the first frame that shows another race. Under the hand are six optimizers of 2,000 steps:
the start is dragged, and a slider is moved at times of its own, from whose event to the end of the frame that shows it
is counted. The page as it opens is visited anew, from the navigation to the first frame with its surface: by a browser
that has been there before, and by one that has not.
"""

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from typing import Any

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from benchmarks import frames, measure
from scripts.screenshots import program, running_app, running_browser
from toy_functions import race
from toy_functions.presets import PAPER_BOOTH
from toy_functions.racing import Race
from toy_functions.scenes import SCENES

RULES = ("sgd", "momentum", "rmsprop", "adam", "s-hd", "fop")
STEPS = 6_000
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}
LONG = f"?rules={','.join(RULES)}&steps={STEPS}&tolerance=0&axis=linear"
SHORT = f"?rules={','.join(RULES)}&steps=2000&tolerance=0&v=2"
MOVES, SLIDES = 240, 60
KNOWN_AFTER = 3  # visits: V8 keeps what it has compiled of a script from the second on
START = """() => {
  const player = document.querySelector(".fop-player").fop;
  const [view, box] = [player.view(), player.parts.stage.getBoundingClientRect()];
  const [x, y] = player.data.start;
  return [box.left + view.left + view.x(x, y), box.top + view.top + view.y(x, y)];
}"""
# Moves the slider now and then, and resolves with the ms until the frame in which the race is run and drawn has ended.
SLIDE = """async (count) => {
  const player = document.querySelector(".fop-player").fop;
  const slider = document.querySelector(".fop-hand-lr input");
  const delays = [];
  for (let i = 0; i < count; i++) {
    await new Promise((done) => setTimeout(done, 20 + 7 * (i % 5)));
    slider.value = String(-300 + (i % 50));
    const from = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((done) => {
      const tick = () => {
        if (player.hand.due || player.changed) requestAnimationFrame(tick);
        else setTimeout(done);
      };
      requestAnimationFrame(tick);
    });
    delays.push(performance.now() - from);
  }
  return delays.slice(10);
}"""
# Moves the pressed mouse through points at 125 Hz and waits for no answer, as a hand does. Where it is goes to the page
# once a frame, as a browser does it: what moved in between is one event.
MOVE = """(points) => new Promise((done) => {
  const began = performance.now();
  const move = (now) => {
    const index = Math.floor((now - began) / 8);
    if (index >= points.length) return done();
    const [clientX, clientY] = points[Math.max(0, index)];
    const under = document.elementFromPoint(clientX, clientY) ?? document.body;
    const at = { clientX, clientY, bubbles: true, buttons: 1, pointerId: 1, pointerType: "mouse", isPrimary: true };
    under.dispatchEvent(new PointerEvent("pointermove", at));
    requestAnimationFrame(move);
  };
  requestAnimationFrame(move);
})"""
DRAWN = "() => document.querySelector('.fop-ground')?.dataset.theme"
# Resolves with the ms from the navigation to the first frame with the surface.
ARRIVED = """() => new Promise((done) => {
  const look = () => {
    const drawn = document.querySelector(".fop-ground")?.dataset.theme;
    requestAnimationFrame(drawn ? () => done(performance.now()) : look);
  };
  look();
})"""

# Resolves with the ms from the release of the button to the first frame of another race.
CLICK = """() => new Promise((done) => {
  const player = document.querySelector(".fop-player").fop;
  const before = player.data.race;
  let released;
  window.addEventListener("pointerup", () => (released = performance.now()), { once: true, capture: true });
  const tick = () => {
    const fresh = player.data.race !== before && !player.changed;
    if (released && fresh) requestAnimationFrame(() => done(performance.now() - released));
    else requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})"""


def play(page: Page, address: str) -> tuple[list[float], int]:
    """Play the long race; return the ms between frames and the largest message's bytes."""
    sizes = [0]
    page.on("websocket", lambda socket: socket.on("framereceived", lambda payload: sizes.append(len(payload))))
    page.goto(f"{address}/{LONG}")
    page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_timeout(2_000)
    page.get_by_role("combobox", name="Speed").select_option("10")
    frames.watch(page, ".fop-layer")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => fopLab.clock.step > 100")
    page.wait_for_function("() => !fopLab.clock.moving", timeout=120_000)
    changed = frames.gaps(page)[1:-1]
    check_heads(page)
    return changed, max(sizes)


# Turns the surface a bit further before each of so many frames.
TURN = """(frames) => new Promise((done) => {
  const player = document.querySelector(".fop-player").fop;
  const turn = () => {
    if (frames-- === 0) return done();
    player.solid.orbit.turn(0.03, 0);
    player.again();
    requestAnimationFrame(turn);
  };
  requestAnimationFrame(turn);
})"""


def turn(page: Page, address: str, count: int) -> list[float]:
    """Turn the whole race in three dimensions for so many frames; return the ms between frames."""
    page.goto(f"{address}/{LONG}&view=3d")
    page.wait_for_function("() => document.querySelector('.fop-player')?.fop?.solid?.texts.length > 6", timeout=60_000)
    page.wait_for_timeout(2_000)
    frames.watch(page, ".fop-paths")
    page.evaluate(TURN, count)
    return frames.gaps(page)[1:-1]


def check_heads(page: Page) -> None:
    """Compare where the heads stand at the end with the race itself."""
    chosen = SCENES["paper-booth"].rules()
    long = Race(
        PAPER_BOOTH.surface, PAPER_BOOTH.start, {name: chosen[name] for name in RULES}, 0.0, STEPS, PAPER_BOOTH.dtype
    )
    ends = [trajectory.points[-1] for trajectory in race(long).values()]
    shown = page.evaluate("() => document.querySelector('.fop-player').fop.runs.map((r) => [r.x.at(-1), r.y.at(-1)])")
    np.testing.assert_array_equal(np.array(shown, np.float32), np.array(ends, np.float32))
    at, paint = page.evaluate(
        """() => {
          const player = document.querySelector(".fop-player").fop;
          const run = player.runs.at(-1);
          const view = player.view();
          const [x, y] = [view.x(run.x.at(-1), run.y.at(-1)), view.y(run.x.at(-1), run.y.at(-1))];
          const ratio = devicePixelRatio;
          const context = player.parts.heads.getContext("2d");
          const { data } = context.getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1);
          return [[x, y], [...data]];
        }"""
    )
    if paint[:3] != [0xD9, 0x54, 0x1E]:
        sys.exit(f"no head of FOP at {at}, where its data end, but the colour {paint}")


def click(page: Page, address: str, count: int) -> list[float]:
    """Click on the surface of Figure 1's Booth; return the ms until each shows."""
    page.goto(f"{address}/?preset=paper-booth")
    page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_timeout(2_000)
    box = page.locator(".fop-ground .nsewdrag").bounding_box()
    assert box is not None
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (count, 2))
    delays = []
    for index in range(count):  # in turn left and right: a click on the last start would be none
        across, down = np.array([0.3 if index % 2 else 0.7, 0.5]) + [1, 4] * noise[index]
        page.evaluate(f"() => {{ window.click_ = ({CLICK})(); }}")
        page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
        delays.append(float(page.evaluate("() => window.click_")))
        page.wait_for_timeout(400)
    return delays


def drag(page: Page, address: str, view: str) -> list[float]:
    """Drag the start around, in "2d" or "3d"; return the ms from each changed frame to the next."""
    page.goto(f"{address}/{SHORT}&view={view}")
    page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_timeout(2_000)
    stage = page.locator(".fop-stage").bounding_box()
    assert stage is not None
    start = complex(*page.evaluate(START))
    inward = complex(stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2) - start
    middle = start + 60 * inward / abs(inward)  # of the circle: the surface is under all of it
    circle = middle + (start - middle) * np.exp(1j * np.linspace(0, 4 * np.pi, MOVES))
    page.mouse.move(start.real, start.imag)
    page.mouse.down()
    frames.watch(page, ".fop-paths")
    page.evaluate(MOVE, np.stack([circle.real, circle.imag], axis=1).tolist())
    changed = frames.gaps(page)[1:-1]
    page.mouse.up()
    return changed


def slide(page: Page, address: str) -> list[float]:
    """Move the slider of FOP's rate; return the ms from each move to the end of the frame that shows it."""
    page.goto(f"{address}/{SHORT}")
    page.wait_for_function(DRAWN, timeout=60_000)
    page.wait_for_timeout(2_000)
    return page.evaluate(SLIDE, SLIDES)


def arrive(browser: Browser, address: str, count: int, *, known: bool) -> list[float]:
    """Open the page so often; return the ms from each navigation to the first frame with the surface.

    Args:
        browser: of the kind that opens it.
        address: of the app, which has been asked for the page before.
        count: visits.
        known: whether the browser has been there before each of them: one with files on the disk, as a person's is,
            which keeps compiled JavaScript; else each visit is of one that has nothing.
    """
    with ExitStack() as opened:
        if known:
            folder = opened.enter_context(tempfile.TemporaryDirectory())
            kept = browser.browser_type.launch_persistent_context(folder, viewport=VIEWPORT, **program())
            opened.callback(kept.close)
            return [_arrival(kept, address) for _ in range(count + KNOWN_AFTER)][KNOWN_AFTER:]
        delays = []
        for _ in range(count):
            with browser.new_context(viewport=VIEWPORT) as fresh:
                delays.append(_arrival(fresh, address))
        return delays


def _arrival(context: BrowserContext, address: str) -> float:
    page = context.new_page()
    page.goto(address, wait_until="commit")
    delay = float(page.evaluate(ARRIVED))
    page.wait_for_timeout(1_000)  # a browser writes down what it has compiled once the page has come to rest
    page.close()
    return delay


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clicks", type=int, default=20)
    parser.add_argument("--turns", type=int, default=120, help="frames in which the surface is turned")
    parser.add_argument("--visits", type=int, default=10, help="of each kind of browser")
    chosen = parser.parse_args()
    load_before = measure.load()
    with running_app() as address, running_browser() as browser:
        page = browser.new_page(viewport=VIEWPORT)
        gaps, payload = play(page, address)
        turned = turn(page, address, chosen.turns)
        clicks = click(page, address, chosen.clicks)
        dragged, solid = (drag(page, address, view) for view in ("2d", "3d"))
        slides = slide(page, address)
        page.close()
        visits, first = (arrive(browser, address, chosen.visits, known=known) for known in (True, False))
    samples: dict[str, Any] = {"frame": gaps, "turn": turned, "click": clicks, "drag": dragged}
    samples |= {"drag_3d": solid, "slider": slides}
    samples |= {"visit": visits, "first_visit": first}
    values = {
        "frame": measure.value(gaps, "ms from one changed frame to the next"),
        "turn": measure.value(turned, "ms from one changed frame to the next while the surface is turned"),
        "click": measure.value(clicks, "ms from release to the first frame of the new race"),
        "drag": measure.value(dragged, "ms from one changed frame to the next while the start is dragged"),
        "drag_frames_per_second": measure.value([1000 / statistics.fmean(dragged)], "changed frames a second"),
        "drag_3d": measure.value(solid, "the same in three dimensions"),
        "drag_3d_frames_per_second": measure.value([1000 / statistics.fmean(solid)], "changed frames a second"),
        "slider": measure.value(slides, "ms from a slider's move to the end of the frame that shows it"),
        "frames_per_second": measure.value([1000 / statistics.fmean(gaps)], "changed frames a second"),
        "turned_frames_per_second": measure.value(
            [1000 / statistics.fmean(turned)], "changed frames a second while the surface is turned"
        ),
        "visit": measure.value(visits, "ms from a navigation to the first frame with the surface"),
        "first_visit": measure.value(first, "the same in a browser that has not been there before"),
        "payload": measure.value([payload / 1e6], "MB of the largest message"),
    }
    settings = {
        "optimizers": len(RULES),
        "steps": STEPS,
        "viewport": "1280 x 900",
        "clicks": chosen.clicks,
        "turns": chosen.turns,
        "visits": chosen.visits,
    }
    measure.report(load_before, settings, {}, values, samples)


if __name__ == "__main__":
    main()
