"""Files that leave the program: each is whole, and of what the screen showed when its button was clicked."""

import csv
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, Page, expect
from safetensors import safe_open
from safetensors.numpy import load

from fop_core.runs import GALLERY, learned, store
from fop_core.runs.run import Run
from fop_core.training import config
from pages.components import download
from tests.chromium import NARROW, running
from tests.waiting import until

RUN = "cifar10-fop-velocity"
MATRICES = "M and P at the cursor (safetensors)"
READY = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector('.fop-chip')"""
# What the cursor says at a click, before anything else reacts to it; while it plays, it goes on between down and up.
NOTE = """() => window.addEventListener("click", () => {
  window.shown = [Number(document.querySelector('.fop-cursor-track').getAttribute('aria-valuenow')),
                  document.querySelector('.fop-cursor-caption').textContent];
}, true)"""


@pytest.fixture
def opened(visit, troubles) -> Callable[..., Page]:
    """Open Preconditioners, with its Export menu open and a note of what each click sees."""
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]

    def open_(address: str = f"preconditioners?run={RUN}", **options) -> Page:
        page = visit(address, drawn=False, **options)
        page.wait_for_function(READY, timeout=40_000)
        expect(page.locator(".fop-matrix-field").first).to_be_visible()
        page.evaluate(NOTE)
        page.get_by_role("button", name="Export").click()
        return page

    return open_


def downloaded(page: Page, label: str) -> Download:
    with page.expect_download() as saved:
        page.get_by_role("button", name=label).click()
    return saved.value


def test_twenty_clicks_while_the_page_plays_and_reruns_give_twenty_files_of_what_was_seen(opened):
    page = opened()
    run = learned.of_run(Run(GALLERY / RUN))
    steps = []
    for click in range(20):
        page.evaluate("""([click, steps]) => {
          const { fop } = document.querySelector('.fop-cursor');
          if (click % 3 === 0 && !fop.playing) fop.toggle(); // it plays on
          if (click % 3 === 2) fop.go((click * 37) % steps); // it rests, and Python will hear of it
          const matrices = document.querySelector('.fop-inspector').fop;
          matrices.choose({ layer: matrices.layers[click % matrices.layers.length].name }); // the page runs anew
        }""", [click, len(run.steps)])  # fmt: skip
        saved = downloaded(page, MATRICES)
        step, words = page.evaluate("() => window.shown")
        assert words.startswith(f"step {step:,}")
        assert saved.suggested_filename == f"{RUN}-step-{step}-matrices.safetensors"
        path = Path(saved.path())
        with safe_open(path, "numpy") as file:
            assert {"run": RUN, "step": str(step)}.items() <= file.metadata().items()
        arrays = load(path.read_bytes())
        for name, layer in run.layers.items():
            stored = Run(GALLERY / RUN).snapshot(step)[f"{name}/M"]
            np.testing.assert_array_equal(arrays[f"{name}/M"], stored)
            np.testing.assert_allclose(arrays[f"{name}/P"], layer.P(layer.nearest(step)), rtol=1e-6, atol=1e-7)
        steps.append(step)
    assert len(set(steps)) > 10


def test_every_file_of_the_page_names_its_run_and_step_and_is_of_the_step_that_was_seen(opened):
    page = opened(f"preconditioners?run={RUN}&layer=9.weight&at=1760")
    run = learned.of_run(Run(GALLERY / RUN))
    title = f"{RUN}, step 1760, Sorted eigenvalues"
    pdf = downloaded(page, "Sorted eigenvalues")
    assert pdf.suggested_filename == f"{RUN}-step-1760-sorted-eigenvalues.pdf"
    assert f"/Title ({title})".encode() in Path(pdf.path()).read_bytes()
    page.get_by_role("radio", name="SVG").click()
    svg = downloaded(page, "Sorted eigenvalues")
    assert svg.suggested_filename == f"{RUN}-step-1760-sorted-eigenvalues.svg"
    assert f"<dc:title>{title}</dc:title>" in Path(svg.path()).read_text()
    page.get_by_role("radio", name="PNG").click()
    png = downloaded(page, "Eigenvectors")
    assert png.suggested_filename == f"{RUN}-step-1760-9.weight-eigenvectors.png"
    with Image.open(png.path()) as image:
        assert image.text["Title"] == f"{RUN}, step 1760, 9.weight, Eigenvectors"
    table = downloaded(page, "Numbers of Spectrum (CSV)")
    assert table.suggested_filename == f"{RUN}-steps-0-to-5865-spectrum.csv"
    rows = list(csv.DictReader(io.StringIO(Path(table.path()).read_text())))
    assert {row["run"] for row in rows} == {RUN} and len(rows) == 7 * len(run.steps) * 9
    every = downloaded(page, "M at every snapshot (safetensors)")
    assert every.suggested_filename == f"{RUN}-steps-0-to-5865-matrices.safetensors"
    with safe_open(every.path(), "numpy") as file:
        assert {"run": RUN, "step": "0 to 5865"}.items() <= file.metadata().items()
    # What was chosen a moment ago is what is saved, whether Python has been sent it or not.
    page.evaluate("""() => {
      document.querySelector('.fop-inspector').fop.choose({ layer: '3.weight' });
      document.querySelector('.fop-cursor').fop.go(7);
    }""")
    png = downloaded(page, "Eigenvectors")
    assert png.suggested_filename == f"{RUN}-step-{run.steps[7]}-3.weight-eigenvectors.png"


def test_why_there_is_no_file_is_said_under_its_button_and_the_next_click_works(opened):
    page = opened()
    # As a click in the moment in which another run comes to be shown.
    page.evaluate("key => fopLab.orders.add(key, 'another run')", f"inspect export {MATRICES}")
    note = page.get_by_role("status").filter(has_text="Not saved: the page showed something else meanwhile.")
    expect(note).to_be_visible()
    saved = downloaded(page, MATRICES)
    assert load(Path(saved.path()).read_bytes())
    expect(page.get_by_role("status").filter(has_text=f"Saved {saved.suggested_filename}")).to_be_visible()
    expect(note).to_have_count(0)


def test_a_layer_without_a_matrix_at_the_cursor_is_named_in_the_file(opened):
    page = opened("preconditioners?run=mnist-fop-full-seed0&at=0")  # of its first layer only the last M was kept
    with safe_open(downloaded(page, MATRICES).path(), "numpy") as file:
        assert file.metadata()["step"] == "0" and file.metadata()["not kept by then"] == "1.weight"
        assert sorted(file.keys()) == sorted(f"{n}.weight/{what}" for n in (3, 5, 7) for what in "MP")


def test_a_menu_that_closes_and_clicks_in_a_row_lose_no_file(opened):
    page = opened()
    files = []
    page.on("download", lambda file: files.append(file))
    page.get_by_role("button", name="Matrix through training").click()
    page.get_by_role("button", name=MATRICES).dblclick()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=MATRICES)).to_have_count(0)
    page.wait_for_function("() => !fopLab.orders.waiting.length")
    page.get_by_role("button", name="Export").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_have_count(2)
    until(lambda: len(files) == 3, pause=lambda: page.wait_for_timeout(50))
    assert [file.suggested_filename.rpartition(".")[2] for file in files] == ["pdf", "safetensors", "safetensors"]


def test_a_click_that_is_quicker_than_the_courier_is_not_lost(opened):
    page = opened()
    page.evaluate("fopLab.orders.page = ''")  # as the window is before the courier, the page's last part, has run
    assert downloaded(page, MATRICES).suggested_filename.endswith(".safetensors")


def test_a_phone_and_the_keyboard_reach_every_button(opened):
    page = opened(viewport=NARROW, has_touch=True, is_mobile=True)
    buttons = page.locator(".fop-download button")
    expect(buttons).to_have_count(7)
    for button in buttons.all():
        box = button.bounding_box()
        assert box["height"] > 43.9 and box["x"] >= 0 and box["x"] + box["width"] <= NARROW["width"]
    buttons.first.focus()
    page.keyboard.press("Tab")
    expect(buttons.nth(1)).to_be_focused()
    with page.expect_download() as saved:
        page.keyboard.press("Enter")
    assert saved.value.suggested_filename.endswith(".safetensors")


def test_a_file_larger_than_a_message_arrives_whole(browser, troubles, tmp_path):
    run = store.create(config.preset("mnist-mlp", "fop").to_json(), name="large", folder=tmp_path)
    content = np.random.default_rng(0).bytes(2 * download.PART + 12345)
    (run.path / "large.bin").write_bytes(content)
    with running(tmp_path / "app.txt", FOP_RUNS_DIR=str(tmp_path)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        troubles.expected = ["/runs/_stcore/", "404 (Not Found)"]
        troubles.watch(page)
        page.goto(f"{address}/runs?run={run.id}")
        page.get_by_role("button", name="Download", exact=True).click(timeout=40_000)
        with page.expect_download(timeout=60_000) as saved:
            page.get_by_role("button", name="Everything (zip)").click()
        with zipfile.ZipFile(saved.value.path()) as file:
            assert file.read(f"{run.id}/large.bin") == content
        noted = list(troubles)
        page.close()
        troubles[:] = noted


def test_the_camera_of_a_chart_takes_what_is_seen_and_names_run_and_step(opened):
    page = opened(f"preconditioners?run={RUN}&panel=spectrum&at=0")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Play", exact=True).click()
    chart = page.locator(".fop-plot-node[data-theme]").first
    page.wait_for_function("() => fopLab.clock.step > 500")
    chart.hover()
    with page.expect_download() as saved:
        chart.locator(".modebar-btn[data-title*='PNG']").click()
    name = saved.value.suggested_filename
    [step] = re.findall(rf"^{RUN}-inspect-sorted-step-(\d+)\.png$", name)
    title = Image.open(saved.value.path()).text["Title"]
    assert title == f"Sorted eigenvalues of P of every layer, {RUN}, step {step}" and int(step) > 500


def test_the_camera_of_a_curve_of_runs_names_them_and_their_step(visit, troubles):
    troubles.expected = ["/runs/_stcore/", "404 (Not Found)"]
    page = visit("runs?show=gallery&run=mnist-sgd-seed0", drawn=False)
    chart = page.locator(".fop-plot-node[data-theme]").first
    chart.hover()
    with page.expect_download() as saved:
        chart.locator(".modebar-btn[data-title*='PNG']").click()
    assert re.fullmatch(r"mnist-sgd-seed0-to-step-\d+-curve-.*\.png", saved.value.suggested_filename)
