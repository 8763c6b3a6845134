"""Texts of a run are shown as they were typed, whoever wrote them: no page makes pictures, links or formulas of it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors.numpy import load_file, save_file

from pages.preconditioners.settings import PANELS
from pages.shared.text import literal
from tests.chromium import ROOT, running

LIKE = ROOT / "trained_models" / "gallery" / "cifar10-fop-velocity"
SIGNS = (
    "![p](http://192.0.2.7/p.png) <img src=http://192.0.2.7/q.png> [l](http://192.0.2.7/l) www.example.org "
    "https://192.0.2.7/u <a href=http://192.0.2.7/a>a</a> me@example.org :red[r] :material/home: :material_home: "
    ":smile: :streamlit: $q^7$ $$q$$ **b** _i_ `c` <b>t</b> -> a -- b <= 10:smile:00 # %{y} &amp; ~~s~~"
)
LAYER = "<b>L</b> <img src=x> www.example.org :smile: me@example.org".replace("/", "|")
MADE_OF_THEM = """() => [...document.querySelectorAll("a[href], img, image, .katex, [data-testid='stIconMaterial']")]
  .filter((node) => (node.matches("a") ? node.origin !== location.origin : /192.0.2.7|example.org/.test(node.outerHTML))
    || node.matches("img[alt='Streamlit logo']") || (node.matches(".katex") && node.textContent.includes("q"))
    || node.textContent === "home")
  .map((node) => node.outerHTML.slice(0, 200))"""
"""Links to elsewhere, by mail too, and all else that could come of the texts. Clone's link has them in its address."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two runs of one hostile author, and one of them in the trash."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed in (("first", 0), ("second", 1), ("thrown", 2)):
        written(folder / name if name != "thrown" else folder / ".trash" / name, seed)
    return folder


def written(run: Path, seed: int) -> None:
    shutil.copytree(LIKE, run, ignore=shutil.ignore_patterns("checkpoints", "metrics.*", "attempts", "snapshots"))
    about = json.loads((run / "run.json").read_text())
    about["config"]["data"]["path"] = SIGNS
    about["config"]["seed"] = seed
    about["lineage"] |= {"preset": SIGNS, "set": [SIGNS], SIGNS: SIGNS}
    about |= {"user": SIGNS, "host": SIGNS}
    (run / "run.json").write_text(json.dumps(about))
    (run / "state.json").write_text(json.dumps({"state": "failed", "reason": SIGNS, "since": about["created"]}))
    labels = {"name": f"{run.name} {SIGNS}", "tags": [SIGNS], "notes": f"notes {SIGNS}", "archived": False}
    (run / "labels.json").write_text(json.dumps(labels))
    rows = [{"step": n, "epoch": n / 9, "seconds": n, SIGNS: 1 / n, f"angle_deg/{LAYER}": n} for n in range(1, 9)]
    (run / "metrics.1.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    attempt = json.loads((LIKE / "attempts/1.json").read_text())
    attempt |= {"device_name": SIGNS, "commit": SIGNS, "versions": {SIGNS: SIGNS}, "data": {"title": SIGNS}}
    attempt |= {"command": ["python", SIGNS]}
    (run / "attempts").mkdir()
    (run / "attempts/1.json").write_text(json.dumps(attempt))
    (run / "snapshots").mkdir()
    for path in sorted((LIKE / "snapshots").iterdir())[-3:]:
        arrays = {name.replace("18.weight", LAYER): np.array(each) for name, each in load_file(path).items()}
        save_file(arrays, run / "snapshots" / path.name)


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with running(log, FOP_RUNS_DIR=str(folder), FOP_DATA_DIR="") as address:
        yield address
    assert "Traceback" not in log.read_text(), log.read_text()


def idle(page: Page) -> None:
    page.wait_for_function(
        """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
        && document.querySelector("h1")""",
        timeout=90_000,
    )


def harmless(page: Page) -> None:
    """Nothing is made of the texts: no link, no picture, no formula, no icon."""
    idle(page)
    assert page.evaluate(MADE_OF_THEM) == []


def wait_for_text(page: Page, text: str, times: int = 1) -> None:
    """A text stands in the page as it was typed; signs without width are none."""
    page.wait_for_function(
        "([text, times]) => (document.querySelector('[data-testid=stApp]')?.textContent ?? '')"
        ".replaceAll('\\u2060', '').replaceAll(/\\s+/g, ' ').split(text).length > times",
        arg=[" ".join(text.split()), times],
    )


@pytest.fixture
def open_(visit, troubles):
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    return lambda address, **options: visit(address, drawn=False, **options)


def test_the_table_one_run_and_all_its_tabs(open_):
    page = open_("runs?run=first")
    wait_for_text(page, f"first {SIGNS}", 2)  # table and heading
    wait_for_text(page, SIGNS, 5)  # badge, pill, reason
    harmless(page)
    for tab, text in (("Settings", SIGNS), ("What made it", f"set {SIGNS}"), ("Name, tags, notes", "Save")):
        page.get_by_role("tab", name=tab, exact=True).click()
        wait_for_text(page, text)
        harmless(page)


def test_pictures_of_runs(open_):
    columns = quote(f"{SIGNS},angle_deg/{LAYER}")
    page = open_(f"runs?run=first,second&seeds=0&y={columns}")
    page.wait_for_function("() => document.querySelectorAll('.fop-plot-node[data-theme]').length === 2", timeout=60_000)
    titles = page.evaluate("() => [...document.querySelectorAll('.fop-plot-node .ytitle')].map((t) => t.textContent)")
    assert titles == [
        SIGNS.replace("_", " ").partition("/")[0] + ", " + SIGNS.partition("/")[2],
        f"degrees between g and P g, {LAYER}",
    ]
    harmless(page)
    page.evaluate(
        """() => { const node = document.querySelector(".fop-plot-node");
        const [curveNumber] = node._fullData.filter(({ hovertemplate }) => hovertemplate).map(({ index }) => index);
        Plotly.Fx.hover(node, [{ curveNumber, pointNumber: 3 }]); }"""
    )
    expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()
    harmless(page)


def test_the_trash(open_):
    page = open_("runs?show=trash&run=thrown")
    page.get_by_role("tab", name="Name, tags, notes", exact=True).click()
    wait_for_text(page, f"notes {SIGNS}")
    harmless(page)


def test_what_it_learned(open_):
    page = open_(f"preconditioners?run=first&layer={quote(LAYER)}")
    wait_for_text(page, LAYER)
    for panel in PANELS.values():
        page.get_by_role("radio", name=panel, exact=True).click()
        harmless(page)


@pytest.mark.parametrize("page_name", ["", "paper", "basins", "train", "runs", "studies", "preconditioners"])
def test_what_an_address_says(open_, page_name):
    names = ("preset", "from", "run", "tag", "f", "name", "data.path", "layer", "beside", "find", SIGNS)
    page = open_(page_name + "?" + "&".join(f"{quote(name)}={quote(SIGNS)}" for name in names))
    idle(page)
    expect(page.get_by_test_id("stAlert").first).to_be_visible()
    wait_for_text(page, "https://192.0.2.7/u")
    harmless(page)


def test_signs_without_width_stand_only_where_something_would_be_made_of_the_text():
    assert literal("a: b, 10:00 at C:\\x, x@ y, /srv/www/x - 3").count("\u2060") == 0
    assert re.sub(r"\\([^\sa-z])", r"\1", literal(SIGNS)).replace("\u2060", "").split() == SIGNS.split()
