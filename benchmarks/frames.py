"""Which frames of a page in the browser truly show something new."""

import itertools

from playwright.sync_api import Page

# Notes the time of each frame in which the pixels of some canvases are others than in the one before.
_WATCH = """(chosen) => {
  const canvases = [...document.querySelectorAll(chosen)];
  const look = () => {
    let sum = 0;
    for (const canvas of canvases) {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const words = new Uint32Array(data.buffer);
      for (let i = 0; i < words.length; i += 3) sum = (Math.imul(sum, 31) + words[i]) | 0;
    }
    return sum;
  };
  window.frames_ = [];
  let before = look();
  const tick = () => {
    const now = performance.now();
    const sum = look();
    if (sum !== before) window.frames_.push(now);
    before = sum;
    window.watch_ = requestAnimationFrame(tick);
  };
  window.watch_ = requestAnimationFrame(tick);
}"""


def watch(page: Page, canvases: str) -> None:
    """Note from now on when the canvases of a CSS selector change."""
    page.evaluate(_WATCH, canvases)


def gaps(page: Page) -> list[float]:
    """Watch no longer; return the ms from each changed frame to the next."""
    frames = page.evaluate("() => { cancelAnimationFrame(window.watch_); return window.frames_; }")
    return [later - sooner for sooner, later in itertools.pairwise(frames)]
