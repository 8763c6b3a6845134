"""Files of one's own in a real browser: each kind is launched and trains; broken ones are named, and harm nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fop_core.jobs import queue, slots
from fop_core.runs import confirmed, plugins, store
from fop_core.runs.run import Run
from fop_core.training import config
from fop_core.training.probe import client
from tests.browser.test_train import FEW, IDLE, ended, launch
from tests.chromium import running
from tests.training.test_plugins import EXAMPLES, SETTINGS, SGD
from tests.waiting import until

SECONDS = 120_000  # ms that a probe and a rerun may take on a busy machine
LIMIT = "40"  # seconds of a probe, in which all but the endless one end beside whatever else runs
SLOW = SETTINGS + SGD.replace(
    "...", "\n    def step(self, closure=None):\n        import time; time.sleep(0.2); super().step()"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Iterator[Path]:
    """A runs folder, and what is confirmed, for this module's runs, app and dispatcher."""
    folder = tmp_path_factory.mktemp("runs")
    slots.choose(folder, cpu_slots=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("FOP_PROBE_SECONDS", LIMIT)
        yield folder


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with running(log, FOP_RUNS_DIR=str(folder), FOP_DATA_DIR="") as address:
        yield address
    assert "Traceback" not in log.read_text(), log.read_text()
    for run, _ in store.scan(folder):
        ended(run)


@pytest.fixture(scope="module")
def other(app: str, folder: Path) -> Iterator[Run]:
    """Another run that trains meanwhile, by an optimizer that mostly sleeps."""
    slow = plugins.text("slow.py", f"{SLOW}    return Own(named, lr=0.1)\n".encode())
    confirmed.confirm(slow.digest)
    made = client.plugged(config.preset("mnist-mlp", "momentum"), {"optimizer": slow}, ["threads=1", "epochs=100"])
    run = store.create(made.to_json(), sources={"optimizer": slow}, folder=folder)
    queue.submit(run)
    until(lambda: trained(run), seconds=120)
    yield run
    queue.stop(run)
    assert ended(run) == "stopped"


def trained(run: Run) -> int:
    """How far a run has come; it is running."""
    state = run.state
    assert state.state in ("queued", "starting", "running"), state.reason
    run.metrics.update()
    return len(run.metrics["train_loss"].steps) if "train_loss" in run.metrics else 0


@pytest.fixture
def train(visit, troubles):
    """Open the page."""
    troubles.expected = ["/train/_stcore/", "/runs/_stcore/", "/basins/_stcore/", "404 (Not Found)"]

    def opened() -> Page:
        page = visit(f"train?{FEW}&method=momentum", drawn=False)
        page.wait_for_function(IDLE, timeout=SECONDS)  # all stands: nothing that comes late moves the form
        page.get_by_text("Files of your own", exact=True).click()
        return page

    return opened


def take(page: Page, label: str, value: str) -> None:
    page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Take it").click()  # the field is left by the click itself


def confirm(page: Page) -> None:
    expect(page.get_by_text(plugins.RIGHTS).first).to_be_visible(timeout=SECONDS)
    expect(launch(page)).to_be_disabled()
    page.get_by_role("button", name="Let it run").click()


def said(page: Page, words: str) -> Locator:
    return page.get_by_test_id("stAlert").get_by_text(words)


@pytest.mark.parametrize("name", ["lion", "wide_mlp", "characters"])
def test_each_kind_is_confirmed_tried_launched_and_trained(train, folder, name):
    page = train()
    take(page, "Path of a Python file", str(EXAMPLES / f"{name}.py"))
    confirm(page)
    expect(launch(page)).to_be_enabled(timeout=SECONDS)
    if name == "wide_mlp":
        page.get_by_label("width", exact=True).fill("40")
        page.keyboard.press("Tab")
        expect(page.get_by_text("model.settings.width=40").first).to_be_visible(timeout=SECONDS)
        expect(launch(page)).to_be_enabled(timeout=SECONDS)
    before = {run.id for run, _ in store.scan(folder)}
    launch(page).click()
    page.wait_for_url("**/runs?run=*", timeout=SECONDS)
    [run] = [run for run, _ in store.scan(folder) if run.id not in before]
    assert ended(run) == "finished" and run.step() == 3, run.state.reason
    assert {source.content for source in plugins.of_run(run).values()} == {(EXAMPLES / f"{name}.py").read_bytes()}
    assert name != "wide_mlp" or run.config["model"]["settings"]["width"] == 40


HEIGHT = """() => {
  const [path, button] = ["path", "take"].map((part) => document.querySelector(`.st-key-train-own-${part}`));
  return button.getBoundingClientRect().top - path.getBoundingClientRect().top;
}"""


def test_the_button_below_a_text_has_its_place_before_the_texts_widget_has_come(train):
    """Else a mouse that is pressed on it just then is released beside it: nothing is clicked."""
    page, late = train(), []
    page.route("**/TextArea.*.js", lambda route: late.append(route))
    page.reload()
    page.locator(".st-key-train-own-text > [data-testid=stSkeleton]").wait_for(state="attached")
    page.locator(".st-key-train-own-path input").wait_for(state="attached")
    before = page.evaluate(HEIGHT)
    until(lambda: late, pause=lambda: page.wait_for_timeout(50))
    late[0].continue_()
    page.locator(".st-key-train-own-text textarea").wait_for(state="attached")
    assert page.evaluate(HEIGHT) == before


DEFINED = {
    "optimizer": "def make_optimizer(named, settings, total_steps):\n",
    "model": "def make_model(settings, data):\n",
    "data": "def make_model(settings, data): return torch.nn.Linear(3, 3)\ndef make_data(settings, seed):\n",
}
NAN = {
    "optimizer": SGD.replace("...", "step = lambda self: self.param_groups[0]['params'][0].data.fill_(torch.nan)")
    + "    return Own(named, lr=0.1)\n",
    "model": "class Net(torch.nn.Linear):\n    def forward(self, x): return super().forward(x.flatten(1)) * torch.nan\n"
    + DEFINED["model"]
    + "    return Net(784, 10)\n",
    "data": DEFINED["data"]
    + "    from types import SimpleNamespace\n    x = torch.ones(9, 3) * torch.nan\n    return SimpleNamespace("
    "train=(x, x), test=None, input=(3,), output=(3,), loss=torch.nn.functional.mse_loss, metrics={})\n",
}


@pytest.mark.parametrize("kind", DEFINED)
def test_a_broken_one_is_named_by_its_line_or_its_limit_and_nothing_else_notices(train, other, kind):
    begun, head = trained(other), SETTINGS + DEFINED[kind]
    line = head.count("\n")
    named, within = f"pasted.py, line {line}: make_{kind}", f"pasted.py, line {line + 1}: make_{kind}"
    looping, page = train(), train()
    take(looping, "Or its text", f"{head}    while True: pass")
    confirm(looping)  # goes on while others are tried
    take(page, "Or its text", f"{head}    x = = 2")
    expect(said(page, f"pasted.py, line {line + 1}: no Python")).to_be_visible(timeout=SECONDS)
    expect(launch(page)).to_be_enabled()
    for text, words in {
        f"{head}    return 3": f"{named} returned an int",
        f"{head}    import sys; sys.exit('no')": f"{within} calls sys.exit('no')",
        f"{head}    while True: print('x' * 1_000_000)": f"{within} prints more than 100 MB",
        SETTINGS + NAN[kind]: "makes numbers that are not finite",
    }.items():
        take(page, "Or its text", text)
        confirm(page)
        expect(said(page, words)).to_be_visible(timeout=SECONDS)
        expect(launch(page)).to_be_disabled()
    expect(said(looping, f"{within} takes more than {LIMIT} s")).to_be_visible(timeout=SECONDS)
    page.get_by_role("button", name="Remove").click()
    expect(launch(page)).to_be_enabled()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    assert trained(other) > begun
