"""Takes the pictures in docs/images/ from the running app: light, dark, as on a phone, and an animation it makes.

    .venv/bin/python scripts/screenshots.py                    # all of them
    .venv/bin/python scripts/screenshots.py runs-light.png     # these

Needs Chromium or Chrome, named by FOP_CHROMIUM or on PATH, and what requirements-dev.txt installs.
"""

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from scipy.spatial import cKDTree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from fop_core.figures.style import METHODS
from pages.shared.tour import STOPS

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs/images"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDE: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "device_scale_factor": 2}
TALL = WIDE | {"viewport": {"width": 1280, "height": 1150}}
HIGH = WIDE | {"viewport": {"width": 1280, "height": 1440}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
FREQUENT = 96  # colours of a picture that it keeps as they are
TRAIN = "train?compare=1&seeds=0-2"
SEEDS = "runs?show=gallery&y=test_accuracy&base=mnist-sgd-seed0&run=" + ",".join(
    f"mnist-{method}-seed{seed}" for method in ("fop-full", "fop-rank16", "sgd") for seed in range(3)
)
SHIPPED = "paper-2-best"  # the study that is opened in Studies
STUDY = f"studies?study={SHIPPED}"
PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "trajectories-light.png": ("?preset=paper-himmelblau", WIDE | {"color_scheme": "light"}),
    "basins-light.png": ("basins", WIDE | {"color_scheme": "light"}),
    "train-light.png": (TRAIN, WIDE | {"color_scheme": "light"}),
    "train-dark.png": ("train?preset=cifar10-allcnn-small&method=fop-norm", WIDE | {"color_scheme": "dark"}),
    "train-narrow.png": (TRAIN, PHONE | {"color_scheme": "light"}),
    "runs-light.png": (SEEDS + "&find=mnist", TALL | {"color_scheme": "light"}),
    "runs-dark.png": ("runs?show=gallery&run=cifar10-fop-velocity", WIDE | {"color_scheme": "dark"}),
    "runs-narrow.png": (SEEDS + "&find=seed0", PHONE | {"color_scheme": "dark"}),
    "preconditioners-light.png": ("preconditioners", HIGH | {"color_scheme": "light"}),
    "paper-light.png": ("paper", TALL | {"color_scheme": "light"}),
    "studies-light.png": (STUDY, HIGH | {"color_scheme": "light"}),
}
TOUR = {
    f"tour-{number}-{size}-{scheme}.png": number
    for number in range(1, len(STOPS) + 1)
    for size in ("wide", "narrow")
    for scheme in ("light", "dark")
}
"""Of each picture of the tour, which stop's it is."""
for picture, number in TOUR.items():
    _, _, size, scheme = picture.removesuffix(".png").split("-")
    options = {"wide": WIDE, "narrow": PHONE}[size] | {"color_scheme": scheme, "device_scale_factor": 1}
    options |= {"reduced_motion": "reduce"}  # the opening race stands still
    PICTURES[picture] = STOPS[number - 1].address, options
ANIMATION = "race.gif", "?preset=paper-himmelblau"
DRAWN = """() => {
  const nodes = [...document.querySelectorAll(".fop-plot-node")];
  const idle = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";
  const pictures = nodes.length + document.querySelectorAll("canvas[data-drawn]").length;
  if (document.querySelector('canvas[data-drawn="64"]')) return false;  // finer maps are on their way
  if (document.querySelector('[data-testid="stSkeleton"], .fop-chips:empty, .fop-runs tbody:empty')) return false;
  if ([...document.querySelectorAll(".fop-runs td")].some((cell) => cell.textContent === "…")) return false;
  const shown = pictures || document.querySelector('[data-testid="stTable"], .st-key-inspect-fork-kind');
  return idle && document.fonts.status === "loaded" && shown && nodes.every((node) => node.dataset.theme);
}"""
ELSEWHERE = """(here) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(here, "~/fop-lab");
}"""  # a picture shows no folder of whoever took it


@contextmanager
def running_app(**environment: str) -> Iterator[str]:
    """Starts the app on a free port, with such changes of its environment; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, env=os.environ | environment)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5)
                break
            except OSError:
                if server.poll() is not None:
                    raise SystemExit("The app does not start; its own words are above.") from None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def program() -> dict[str, Any]:
    """Returns how Chromium is started."""
    named = os.environ.get("FOP_CHROMIUM")
    chromium = shutil.which(named) if named else next(filter(None, map(shutil.which, PROGRAMS)), None)
    if chromium is None:
        raise SystemExit("No Chromium or Chrome on PATH; name one with FOP_CHROMIUM=/path/to/it.")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium, "args": ["--disable-gpu", *sandbox]}


def unpack(runs: str) -> None:
    """Writes a study of the paper, whose runs ship, into a runs folder."""
    command = [sys.executable, "-m", "fop_core", "paper", "--study", SHIPPED]
    for what in ("--unpack", "--rerun"):  # the second takes all of them in and trains none
        subprocess.run([*command, what], cwd=ROOT, env=os.environ | {"FOP_RUNS_DIR": runs}, check=True)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Starts Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**program())
        yield browser
        browser.close()


def main(names: Sequence[str]) -> None:
    """Takes some pictures."""
    if unknown := set(names) - {*PICTURES, ANIMATION[0]}:
        raise SystemExit(f"No picture {', '.join(sorted(unknown))}: there are {', '.join(PICTURES)}, {ANIMATION[0]}.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as runs, running_app(FOP_RUNS_DIR=runs) as address, running_browser() as browser:
        if any(PICTURES[name][0] == STUDY for name in names if name in PICTURES):
            unpack(runs)
        for name in filter(PICTURES.get, names):
            query, options = PICTURES[name]
            context = browser.new_context(**options)
            context.add_init_script(f"localStorage.setItem('fop-tour', '{TOUR.get(name, 'ended')}')")
            page = context.new_page()
            page.goto(f"{address}/{query}")
            page.wait_for_function(DRAWN, timeout=60_000)
            if number := TOUR.get(name):
                page.wait_for_timeout(2_000 * bool(STOPS[number - 1].part))  # until that has been brought into view
            page.mouse.move(0, 0)
            page.evaluate(ELSEWHERE, str(ROOT))
            picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
            with_few_colors(picture).save(IMAGES / name, optimize=True)
            print(f"{IMAGES / name}: {(IMAGES / name).stat().st_size / 1000:.0f} kB")
            context.close()
        if ANIMATION[0] in names:
            animate(f"{address}/{ANIMATION[1]}", browser)


def with_few_colors(picture: Image.Image) -> Image.Image:
    """Returns it with 256 colours, a third of the bytes: optimizers', the most frequent ones, means of the others."""
    plain = picture.convert("RGB")
    coded = np.asarray(plain).astype(int) @ (1 << 16, 1 << 8, 1)
    codes, where, counts = np.unique(coded, return_inverse=True, return_counts=True)
    of_methods = {int(method.color[1:], 16) for method in METHODS.values()}
    kept = _colors([*of_methods, *codes[np.argsort(-counts)[:FREQUENT]]])
    means = np.reshape(plain.quantize(256 - len(kept)).getpalette() or [], (-1, 3))
    palette = np.concatenate([kept, means])[:256]
    nearest = cKDTree(palette).query(_colors(codes))[1]
    few = Image.fromarray(nearest[where].reshape(coded.shape).astype(np.uint8), "P")
    few.putpalette(palette.astype(np.uint8).ravel().tolist())
    return few


def _colors(codes: Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns red, green and blue of colours 0xRRGGBB, [n, 3]."""
    each = np.asarray(codes, int)
    return np.stack([each >> 16, each >> 8 & 255, each & 255], axis=1)


def animate(address: str, browser: Browser) -> None:
    """Takes the animation that the page makes of a race."""
    page = browser.new_page(viewport=WIDE["viewport"])
    page.add_init_script("localStorage.setItem('fop-tour', 'ended')")
    page.goto(address)
    page.wait_for_function(DRAWN, timeout=60_000)
    page.get_by_role("button", name="Export").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Animation (GIF)").click()
    download.value.save_as(IMAGES / ANIMATION[0])


if __name__ == "__main__":
    main(sys.argv[1:] or [*PICTURES, ANIMATION[0]])
