"""The real app on a free port, driven in the system's Chromium; any trouble in the browser fails the test."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    FloatRect,
    Locator,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)
from streamlit.proto.BackMsg_pb2 import BackMsg

ROOT = Path(__file__).parents[1]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no network but this machine
]
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 390, "height": 844}
DRAWN = """() => {
  const idle = document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning";
  const awaited = document.querySelector('[data-testid="stSkeleton"]');
  const nodes = [...document.querySelectorAll(".fop-plot-node")];
  return idle && !awaited && nodes.length >= 2 && nodes.every((node) => node.dataset.theme);
}"""

FORGET = """if (!sessionStorage.known) {
  localStorage.clear();
  localStorage.setItem("fop-tour", "ended");
  sessionStorage.known = true;
}"""
"""Has a new tab find nothing that another one left, such as how wide the sidebar was; and offers no tour."""

LATELY = """window.lately = [];
for (const kind of ["mousedown", "mouseup", "click"])
  window.addEventListener(kind, ({ target, clientX, clientY }) => {
    lately.push(`${kind} at ${clientX}, ${clientY} on ${target.outerHTML?.slice(0, 100)}`);
    lately.splice(0, lately.length - 6);
  }, true);"""
"""Keeps what the mouse did last."""

SIDEBAR_SETTLED = """open => {
  const bar = document.querySelector('[data-testid="stSidebar"]');
  return bar.getBoundingClientRect().right > 0 === open && !bar.getAnimations().length;
}"""

TOO_SMALL = """selector => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility())
  .map((e) => `${e.getBoundingClientRect().height} ${e.outerHTML.slice(0, 120)}`)
  .filter((line) => parseFloat(line) < 43.9)"""

STANDS = """() => ({
  address: location.href,
  run: document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState,
  placeholders: [...document.querySelectorAll('[data-testid="stSkeleton"]')].map((e) => e.parentElement.className),
  focused: document.activeElement?.outerHTML.slice(0, 200),
  mouse: window.lately,
  stale: document.querySelectorAll('[data-stale="true"]').length,
  canvases: [...document.querySelectorAll("canvas")].map((e) => `${e.className} ${JSON.stringify(e.dataset)}`),
  text: document.body.innerText.slice(0, 4000),
})"""

SAID: WeakKeyDictionary[Page, deque[str]] = WeakKeyDictionary()
"""What a page's browser has sent to the server last: which widgets were clicked, in which part of the page."""

expect.set_options(timeout=60_000)  # what is there at once where nothing else runs


@pytest.fixture(scope="session")
def chromium() -> str:
    """The program, from FOP_CHROMIUM or PATH."""
    named = os.environ.get("FOP_CHROMIUM")
    program = shutil.which(named) if named else next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.fail(
            f"no Chromium: FOP_CHROMIUM is {named!r}, and none of {', '.join(PROGRAMS)} is on PATH", pytrace=False
        )
    return program


@contextmanager
def running(log: Path, **settings: str) -> Iterator[str]:
    """Run the app on a free port; give its address.

    Args:
        log: the file that takes what it prints.
        settings: of its environment; an empty one is taken out of it.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = {name: value for name, value in {**os.environ, **settings}.items() if value or name not in settings}
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_health(server, f"{address}/_stcore/health", log)
        yield address
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app."""
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with running(log) as address:
        yield address
    assert "Traceback" not in log.read_text(), log.read_text()


@contextmanager
def running_over(folder: Path, log: Path) -> Iterator[str]:
    """Run the app over a runs folder of a module's own; give its address.

    Args:
        folder: the runs.
        log: the file that takes what the app prints. An error from our own code in it fails the tests; Streamlit's own
            server prints one where a tab is closed while it is being sent a tick.
    """
    with running(log, FOP_RUNS_DIR=str(folder), FOP_DATA_DIR="") as address:
        yield address
    assert not re.search(r'File ".*/(pages|fop_core|toy_functions)/|app\.py"', log.read_text()), log.read_text()


def _wait_for_health(server: subprocess.Popen, address: str, log: Path) -> None:
    late = time.monotonic() + 60
    while True:
        try:
            if urllib.request.urlopen(address, timeout=5).status == 200:
                return
        except (urllib.error.URLError, TimeoutError):
            pass
        if server.poll() is not None or time.monotonic() > late:
            pytest.fail(f"the app does not start:\n{log.read_text()}", pytrace=False)
        time.sleep(0.05)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives all browsers."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def program(chromium: str) -> dict[str, Any]:
    """How a browser is started."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium, "args": [*ARGUMENTS, *sandbox]}


@pytest.fixture(scope="session")
def browser(playwright: Playwright, program: dict[str, Any]) -> Iterator[Browser]:
    """One that keeps nothing from one page to the next."""
    started = playwright.chromium.launch(**program)
    yield started
    started.close()


@pytest.fixture(scope="session")
def profile(
    playwright: Playwright, program: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., BrowserContext]]:
    """A browser for each set of options of a context.

    It keeps its files on disk, as a person's browser does, compiled JavaScript among them: pages open in 1.4 s and not
    in 2.4.
    """
    started: dict[str, BrowserContext] = {}

    def kept(**options) -> BrowserContext:
        name = str(sorted(options.items()))
        if name not in started:
            folder = tmp_path_factory.mktemp("profile")
            started[name] = playwright.chromium.launch_persistent_context(folder, **program, **options)
        return started[name]

    yield kept
    for context in started.values():
        context.close()


@pytest.fixture(scope="session")
def wide(profile: Callable[..., BrowserContext]) -> BrowserContext:
    """What most tests look through."""
    return profile()


class Troubles(list[str]):
    """What went wrong in a page, less what a test has said it will provoke."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []
        self.pages: list[Page] = []

    def watch(self, page: Page) -> None:
        """Note errors on the console and of the page, failed requests, bad answers, and requests to elsewhere."""
        self.pages.append(page)
        said = SAID[page] = deque(maxlen=8)
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: said.extend(_said(frame))))
        page.on("console", lambda message: message.type == "error" and self.note(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.note(f"page error: {error}"))
        page.on("requestfailed", lambda request: self.note(f"failed: {request.url} ({request.failure})"))
        page.on("response", lambda answer: answer.status >= 400 and self.note(f"{answer.status}: {answer.url}"))
        page.on("request", lambda request: _is_here(request.url) or self.note(f"left this machine: {request.url}"))

    def note(self, what: str) -> None:
        """Keep a trouble, unless it was expected."""
        if not any(part in what for part in self.expected):
            self.append(what)


def where_it_stood(page: Page) -> str:
    """What a page shows, and whether its run has ended: for the report of a test that waited in vain."""
    if page.is_closed():
        return "closed"
    try:
        page.set_default_timeout(5000)
        said = "\n".join(SAID.get(page, ()))
        return "\n".join(f"{name}: {value}" for name, value in page.evaluate(STANDS).items()) + f"\nsaid last:\n{said}"
    except Error as error:
        return f"does not answer: {error}"


def _said(frame: bytes | str) -> list[str]:
    """A message in words; none of what a part of the page says every other second, which would be all that is kept."""
    message = BackMsg()
    message.ParseFromString(frame if isinstance(frame, bytes) else frame.encode())
    rerun = message.rerun_script
    if rerun.is_auto_rerun:
        return []
    states = rerun.widget_states.widgets
    clicked = [state.id for state in states if str(state.WhichOneof("value")).endswith("trigger_value")]
    type_ = message.WhichOneof("type")
    return [f"{time.strftime('%X')} {type_} {rerun.fragment_id} of {rerun.page_script_hash}: {clicked}"]


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.hostname == "127.0.0.1"


@pytest.fixture
def troubles() -> Iterator[Troubles]:
    """What went wrong in the browser; the test fails if anything did."""
    errors = Troubles()
    yield errors
    assert not errors, "\n".join(errors)


@pytest.fixture
def visit(profile: Callable[..., BrowserContext], app: str, troubles: Troubles) -> Iterator[Callable[..., Page]]:
    """Open an address of the app and wait until pictures and widgets are drawn; options are a browser context's."""
    opened: list[Page] = []

    def visited(
        address: str = "",
        drawn: bool = True,
        hidden: str = "",
        viewport: ViewportSize = WIDE,
        color_scheme: Literal["light", "dark"] = "light",
        **options,
    ) -> Page:
        page = profile(**options).new_page()
        opened.append(page)
        page.add_init_script(FORGET)
        page.add_init_script(LATELY)
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.set_default_timeout(20_000)
        troubles.watch(page)
        if hidden:
            page.route(hidden, lambda route: route.abort())
        page.goto(f"{app}/{address}", wait_until="commit")
        if drawn:
            page.wait_for_function(DRAWN, timeout=40_000)
        return page

    yield visited
    noted = list(troubles)
    for page in opened:
        page.close()
    troubles[:] = noted  # requests cut off by closing are none


def slow_down(page: Page, times: float) -> None:
    """Let a page's JavaScript run so many times slower, as on an old laptop."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": times})


@contextmanager
def sidebar(page: Page) -> Iterator[None]:
    """Have the sidebar open; on a phone a button opens it, and it covers the page until it is closed again."""
    button = page.get_by_test_id("stExpandSidebarButton")
    phone = page.viewport_size == NARROW
    if phone:
        button.click()
        page.wait_for_function(SIDEBAR_SETTLED, arg=True)  # while it slides, a list that is opened in it closes at once
    yield
    if phone:
        page.get_by_test_id("stSidebarCollapseButton").get_by_role("button").click()
        page.wait_for_function(SIDEBAR_SETTLED, arg=False)


def too_small(page: Page, selector: str) -> list[str]:
    """What is lower than a finger needs, 44 px, once the page has come to rest."""
    late = time.monotonic() + 20
    while (elements := page.evaluate(TOO_SMALL, selector)) and time.monotonic() < late:
        page.wait_for_timeout(100)
    return elements


def still(locator: Locator) -> FloatRect:
    """Return where an element is on the screen, px, once it stays there: for the mouse, which goes there next."""
    late = time.monotonic() + 20
    box = locator.bounding_box()
    while True:
        locator.page.wait_for_timeout(50)
        before, box = box, locator.bounding_box()
        if box is not None and box == before:
            return box
        assert time.monotonic() < late, f"{locator} does not come to rest: {before}, {box}"


def single(locator: Locator) -> Locator:
    """What is there once: while a page is drawn anew, an element that moves stands twice for a moment."""
    expect(locator).to_have_count(1)
    return locator


def row(page: Page, name: str) -> Locator:
    """The part of the table that speaks of an optimizer."""
    return page.locator(".fop-readout tbody").filter(has=page.get_by_role("rowheader", name=name, exact=True))


def number(page: Page, label: str) -> Locator:
    """A number input of the sidebar."""
    return page.get_by_role("spinbutton", name=label, exact=True)
