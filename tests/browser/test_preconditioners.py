"""The Preconditioners page in a real browser."""

import json
import pickle
import re
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, WebSocketRoute, expect
from safetensors.numpy import load_file, save
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from fop_core import inspection, similarity
from fop_core.figures.style import number
from fop_core.jobs import queue
from fop_core.runs import GALLERY, learned, store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config, diagnostics, loop
from pages.preconditioners.numbers import PAIRS
from tests.chromium import NARROW, running, still

VELOCITY = "cifar10-fop-velocity"
READY = """() => document.querySelector('[data-testid="stApp"]')?.dataset.testScriptState === "notRunning"
  && document.querySelector('.fop-chip')"""
LAYER = "document.querySelector('.fop-inspector').fop"
STEP = "() => Number(document.querySelector('.fop-cursor-track').getAttribute('aria-valuenow'))"


@pytest.fixture
def inspect(visit, troubles):
    """Open the page at an address, and wait until its matrices are drawn."""
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]

    def opened(query: str = "", **options) -> Page:
        page = visit(f"preconditioners{query}", drawn=False, **options)
        page.wait_for_function(READY, timeout=40_000)
        expect(matrix(page).first).to_be_visible()
        return page

    return opened


def matrix(page: Page) -> Locator:
    return page.locator(".fop-matrix-field")


def caption(page: Page) -> Locator:
    return page.locator(".fop-matrix-caption").first


def cursor(page: Page) -> Locator:
    return page.get_by_role("slider", name="Step")


def gallery(name: str) -> learned.Learned:
    return learned.of_run(Run(GALLERY / name))


def hovered(page: Page, row: int, column: int, rows: int, columns: int) -> Locator:
    """Where is said what an entry of the matrix is, which the mouse points at."""
    box = still(page.locator(".fop-matrix canvas").first)
    at = (column + 0.5) / columns * box["width"], (row + 0.5) / rows * box["height"]
    page.mouse.move(box["x"] + at[0], box["y"] + at[1])
    return caption(page)


def test_it_opens_on_the_gallery_and_its_numbers_are_those_of_the_stored_M(inspect):
    page = inspect("?layer=9.weight&see=P&at=1760")
    layer = gallery(VELOCITY).layers["9.weight"]
    M = Run(GALLERY / VELOCITY).snapshot(1760)["9.weight/M"].astype(np.float64)
    P = M @ M.T
    assert page.evaluate(STEP) == 1760
    shown = page.evaluate(f"[...{LAYER}.layer.matrix('P', 1760).values]")
    np.testing.assert_allclose(np.reshape(shown, (9, 9)), P, rtol=0, atol=1e-12)
    left = page.evaluate(f"[...{LAYER}.layer.matrix('rest', 1760).values]")
    np.testing.assert_allclose(np.reshape(left, (9, 9)), inspection.residual(P), rtol=0, atol=1e-12)
    expect(hovered(page, 3, 4, 9, 9)).to_have_text(f"centre → left: {number(P[3, 4])}")
    expect(hovered(page, 8, 0, 9, 9)).to_have_text(f"top left → bottom right: {number(P[8, 0])}")
    gains = page.evaluate(f"[...{LAYER}.filters.gains]")
    np.testing.assert_allclose(gains, [wave @ P @ wave for wave in cosines(3)], atol=1e-12)
    captions = page.locator(".fop-filters-vectors figcaption").all_inner_texts()
    assert captions == [number(value) for value in np.linalg.eigvalsh(P)[::-1]]
    values = layer.spectra[np.searchsorted(layer.spectrum_steps, 1760)].astype(np.float64)
    summary = {name: float(value) for name, value in inspection.spectrum_summary(values).items()}
    words = page.locator(".fop-inspector-spectrum").inner_text()
    assert f"eigenvalues {number(values.min())} to {number(values.max())}" in words
    assert f"effective rank {number(summary['effective_rank'])} of 9" in words
    assert f"log-determinant {number(summary['log_determinant'])}" in words
    assert words.startswith(f"P of 9.weight is {inspection.definiteness(values.min(), values.max())}")


def cosines(side: int) -> list[np.ndarray]:
    """The orthonormal cosine patterns of side x side positions, row after row of frequencies."""
    at = (2 * np.arange(side) + 1) * np.pi / (2 * side)
    waves = [np.cos(u * at) / np.linalg.norm(np.cos(u * at)) for u in range(side)]
    return [np.outer(down, across).ravel() for down in waves for across in waves]


def test_the_browsers_eigenvectors_are_numpys(inspect):
    page = inspect("?layer=18.weight")
    P = gallery(VELOCITY).layers["18.weight"].P(-1)
    drawn = page.evaluate(
        """() => {
          const vectors = [...document.querySelectorAll('.fop-filters-vectors canvas')];
          return vectors.map((picture) => {
            const context = picture.getContext("2d");
            const [wide, high] = [picture.width, picture.height];
            return [0, 1, 2, 3, 4, 5, 6, 7, 8].map((at) => {
              const [x, y] = [((at % 3) + 0.5) * wide / 3, (Math.floor(at / 3) + 0.5) * high / 3];
              const [red, green, blue] = context.getImageData(x, y, 1, 1).data;
              return red > blue ? (255 - blue) / (255 - 0x1e) : -(255 - red) / (255 - 0x2a);
            });
          });
        }"""
    )
    values, vectors = np.linalg.eigh(P)
    for shown, vector in zip(drawn, vectors.T[::-1]):
        largest = np.abs(vector).argmax()
        expected = vector / vector[largest]
        np.testing.assert_allclose(np.array(shown), expected, atol=0.02)
    assert len(drawn) == len(values) == 9


def test_the_cursor_is_dragged_and_played_and_every_panel_answers(inspect):
    page = inspect()
    expect(page.locator(".fop-plot-node .js-line")).not_to_have_count(0)
    page.wait_for_function("() => [...document.querySelectorAll('.fop-plot-node')].every((node) => node.dataset.theme)")
    line = "() => document.querySelector('.fop-plot-node .js-line').getAttribute('d')"
    chip = page.evaluate("() => [document.querySelector('.fop-chip canvas').toDataURL()]")
    before = page.evaluate(line)
    box = still(cursor(page))
    page.mouse.move(box["x"] + box["width"] * 0.98, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + 20, steps=8)
    dragged = page.evaluate(STEP)
    assert 0 < dragged < 2000
    assert int(matrix(page).first.get_attribute("data-step")) == dragged
    assert page.evaluate(line) != before
    assert page.evaluate("() => [document.querySelector('.fop-chip canvas').toDataURL()]") != chip
    page.mouse.up()
    expect(page).to_have_url(re.compile(f"at={dragged}"))  # the address follows where it rests
    spectra = {name: layer.spectra for name, layer in gallery(VELOCITY).layers.items()}
    index = gallery(VELOCITY).steps.tolist().index(dragged)
    page.wait_for_function(
        "first => Math.abs(document.querySelector('.fop-plot-node').data[0].y[0] - first) < 1e-3 * first",
        arg=float(spectra["0.weight"][index].max()),
    )
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"step => ({STEP})() > step", arg=dragged)
    page.get_by_role("button", name="Pause").click()
    stopped = page.evaluate(STEP)
    assert stopped > dragged
    cursor(page).press("ArrowLeft")
    assert page.evaluate(STEP) < stopped
    cursor(page).press("End")
    assert page.evaluate(STEP) == 5865


def test_keys_move_the_cursor_unless_a_control_has_the_focus(inspect):
    page = inspect("?at=1760")
    page.get_by_role("heading", name="Preconditioners").click()  # what is clicked takes no keys
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(STEP) < 1760
    page.keyboard.press("Home")
    assert page.evaluate(STEP) == 0
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    page.keyboard.press("End")
    assert page.evaluate(STEP) == 5865
    page.get_by_role("button", name="Play").focus()
    page.keyboard.press("ArrowLeft")
    before_last = page.evaluate(STEP)
    assert before_last < 5865
    page.keyboard.press("Control+Home")  # the browser's own
    page.get_by_role("radio", name="Spectrum").focus()
    page.keyboard.press("Home")
    page.get_by_role("combobox").first.focus()
    for key in ("Home", "ArrowLeft", "Space"):
        page.keyboard.press(key)
    matrix(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    assert page.evaluate(STEP) == before_last
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_the_cursor_is_dragged_beyond_both_ends_and_plays_to_the_last_snapshot(inspect):
    page = inspect("?run=mnist-fop-full-seed0")
    last = int(gallery("mnist-fop-full-seed0").steps[-1])
    box = still(cursor(page))
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, y)
    assert page.evaluate(STEP) == 0
    page.mouse.move(box["x"] + box["width"] + 40, y)
    assert page.evaluate(STEP) == last
    page.mouse.up()
    page.evaluate("document.querySelector('.fop-cursor').fop.go(4)")
    page.evaluate(
        """() => {
      const { fop } = document.querySelector('.fop-cursor');
      const positions = (window.positions = []);
      clock.follow(() => positions.push(fop.at));
    }""".replace("clock", "fopLab.clock")
    )
    page.get_by_role("button", name="Play").click()
    expect(cursor(page)).to_have_attribute("aria-valuenow", str(last))
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    positions = page.evaluate("() => window.positions")
    assert positions == sorted(positions) and positions[0] == 4


def test_layers_and_quantities_are_switched_and_the_link_brings_them_back(inspect):
    page = inspect()
    page.get_by_role("radio", name="6", exact=True).click()
    page.get_by_role("radio", name="P − aI − c11ᵀ").click()
    expect(page.get_by_role("heading", name="P − aI − c11ᵀ of 6.weight")).to_be_visible()
    page.get_by_role("radio", name="Whitening").click()
    expect(page.get_by_text("What is left of P of 6.weight")).to_be_visible()
    page.get_by_role("radio", name="All layers").click()
    expect(matrix(page)).to_have_count(7)
    expect(page).to_have_url(re.compile("view=all"))
    address = page.url
    again = inspect("?" + address.partition("?")[2])
    expect(matrix(again)).to_have_count(7)
    expect(again.get_by_role("radio", name="P − aI − c11ᵀ")).to_have_attribute("aria-checked", "true")
    expect(again.get_by_text("What is left of P of 6.weight")).to_be_visible()
    matrix(again).nth(1).click()
    expect(again.get_by_role("heading", name="P − aI − c11ᵀ of 3.weight")).to_be_visible()


def test_a_large_matrix_is_zoomed_to_its_true_values_and_stays_so(inspect):
    page = inspect("?run=mnist-fop-full-seed0&layer=1.weight&see=P")
    expect(matrix(page).first).to_have_attribute("data-step", "4690")
    P = gallery("mnist-fop-full-seed0").layers["1.weight"].P(-1)
    box = still(page.locator(".fop-matrix canvas").first)
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.55 * box["height"], steps=4)
    page.mouse.up()
    part = page.evaluate(f"{LAYER}.maps[0].part")
    assert part[2] == part[3] == 39
    left, top, size, _ = part
    expect(hovered(page, 7, 3, size, size)).to_have_text(
        f"row {top + 8}, column {left + 4}: {number(P[top + 7, left + 3])}"
    )
    page.get_by_role("radio", name="Rotation").click()
    expect(page.get_by_text(re.compile("mean, least and most over 3 seeds"))).to_be_visible()
    assert page.evaluate(f"{LAYER}.maps[0].part") == part
    page.get_by_role("button", name="Show all").click()
    assert page.evaluate(f"{LAYER}.maps[0].part") is None
    cursor(page).press("Home")
    expect(caption(page)).to_contain_text("means over areas")


def test_two_runs_stand_side_by_side_with_their_difference(inspect):
    page = inspect(f"?run={VELOCITY}&beside=cifar10-fop-norm&layer=15.weight&other=15.weight&panel=compare")
    expect(matrix(page)).to_have_count(3)
    one, two = (gallery(name).layers["15.weight"].P(-1) for name in (VELOCITY, "cifar10-fop-norm"))
    shown = page.evaluate(f"[...{LAYER}.maps[2].matrix.values]")
    np.testing.assert_allclose(np.reshape(shown, (9, 9)), one - two, atol=2e-6)
    row = page.get_by_role("row").filter(has_text="15.weight")
    expected = similarity.correlation(one - np.eye(9), two - np.eye(9))
    expect(row).to_contain_text(number(expected))
    angles = similarity.principal_angles_deg(similarity.leading(one, 3), similarity.leading(two, 3))
    for angle in angles:
        expect(row).to_contain_text(f"{number(angle)}°")


def test_seeds_are_compared_by_themselves(inspect):
    page = inspect("?run=mnist-fop-rank16-seed1&panel=compare")
    expect(page.get_by_text("3 seeds")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="7.weight")).to_contain_text("°")


@pytest.mark.parametrize(("panel", "count"), [("spectrum", 2), ("histograms", 2), ("rotation", 2), ("whitening", 2)])
def test_every_panel_draws_its_pictures(inspect, panel, count):
    page = inspect(f"?panel={panel}")
    expect(page.locator(".fop-plot-node[data-theme] .js-line").first).to_be_attached()
    expect(page.locator(".fop-plot-node[data-theme]")).to_have_count(count)


@pytest.mark.parametrize("name", ["cifar10-s-hd", "cifar10-pp-hd", "cifar10-frozen"])
def test_baselines_that_learn_numbers_or_nothing_are_shown_as_what_they_are(visit, troubles, name):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    page = visit(f"preconditioners?run={name}", drawn=False)
    page.wait_for_function(READY, timeout=40_000)
    expect(page.locator(".fop-plot-node[data-theme]").first).to_be_attached()
    if name == "cifar10-frozen":
        shown = page.evaluate(f"[...{LAYER}.layer.matrix('P', 5865).values]")
        np.testing.assert_allclose(np.reshape(shown, (9, 9)), np.eye(9) - 0.95 / 9, atol=1e-12)
    else:
        expect(matrix(page)).to_have_count(0)


def test_what_is_taken_away_opens(inspect, tmp_path):
    page = inspect("?panel=spectrum&at=1760")
    page.get_by_role("button", name="Export").click()

    def downloaded(label: str) -> Path:
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    arrays = load_file(downloaded("M and P at the cursor (safetensors)"))
    layer = gallery(VELOCITY).layers["12.weight"]
    np.testing.assert_allclose(arrays["12.weight/P"], layer.P(layer.nearest(1760)), rtol=1e-6, atol=1e-7)
    every = load_file(downloaded("M at every snapshot (safetensors)"))
    np.testing.assert_array_equal(every["12.weight/M"], layer.M)
    rows = downloaded("Numbers of Spectrum (CSV)").read_text().splitlines()
    assert rows[0] == "layer,step,number from the largest,eigenvalue of P,run"
    assert rows[1].endswith(f",{VELOCITY}")
    assert len(rows) == 1 + 7 * 113 * 9
    assert downloaded("Matrix through training").read_bytes().startswith(b"%PDF")
    page.get_by_role("radio", name="SVG").click()
    for _ in range(20):  # the click has been answered once the file's name has changed
        if (path := downloaded("Sorted eigenvalues")).suffix == ".svg":
            break
    assert b"<svg" in path.read_bytes()


def test_radio_groups_are_walked_by_arrow_keys_and_an_entry_of_the_matrix_is_described_by_them(inspect):
    page = inspect("?see=P&at=1760&layer=9.weight")
    expect(page.locator(".fop-plot-node[data-theme]")).to_have_count(2)
    focused = "() => document.activeElement.textContent"
    page.get_by_role("radio", name="9", exact=True).press("ArrowRight")
    expect(page.get_by_role("heading", name="P of 12.weight")).to_be_visible()
    assert page.evaluate(focused) == "12"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "P"  # one stop for each group
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("heading", name="P − I of 12.weight")).to_be_visible()
    expect(page).to_have_url(re.compile(r"layer=12\.weight(?!.*see=)"))
    assert page.evaluate(focused) == "P − I"
    matrix(page).first.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    layer = gallery(VELOCITY).layers["12.weight"]
    change = layer.P(layer.nearest(1760)) - np.eye(9)
    expect(caption(page)).to_have_text(f"top → top: {number(change[1, 1])}")  # the first key comes to the first entry


def test_a_phone_has_no_sideways_scroll(inspect):
    page = inspect(viewport=NARROW, has_touch=True, is_mobile=True)
    assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollWidth - innerWidth") <= 0
    for button in page.locator(".fop-switch button").all():
        assert button.bounding_box()["height"] > 43.9
    chosen = page.get_by_role("radio", name="18", exact=True).bounding_box()
    assert 0 <= chosen["x"] <= NARROW["width"] - chosen["width"]  # of many layers the chosen one is in sight


# uploads --------------------------------------------------------------------------------------------------------------


def give(page: Page, *files: tuple[str, bytes]) -> None:
    payload = [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    box = page.locator('[data-testid="stFileUploaderDropzone"] input')
    expect(box).to_have_count(1)  # each file takes the box with it, and another one comes
    box.set_input_files(payload)


def header(content: dict, arrays: bytes = b"") -> bytes:
    text = json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + arrays


class Harm:
    """What a pickle could do."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return (self.path.touch, ())


def test_ones_own_matrices_are_looked_into_and_hostile_files_are_refused(visit, troubles, tmp_path):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    page = visit("preconditioners?source=file&given=direct", drawn=False)
    expect(page.get_by_text("save_file(optimizer.factors()")).to_be_visible(timeout=40_000)
    random = np.random.default_rng(0)
    nan = np.eye(4, dtype=np.float32)
    nan[1, 2] = np.nan
    hostile = {
        "pickle.safetensors": (pickle.dumps(Harm(tmp_path / "harm")), "header"),
        "huge.safetensors": (
            struct.pack("<Q", 10_000_000_000) + b"{}",
            "a header of 10,000,000,000 bytes does not fit",
        ),
        "nan.safetensors": (save({"fc.weight": nan}), "1 values that are not finite, of 16"),
        "wide.safetensors": (save({"fc.weight": np.ones((3, 5), np.float32)}), "[3, 5], and a P is square"),
        "short.safetensors": (header({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}), "bytes"),
        "none.safetensors": (save({"bias": np.ones(3, np.float32)}), "holds no matrix"),
    }
    for name, (content, says) in hostile.items():
        give(page, (name, content))
        alert = page.get_by_role("alert").filter(has_text=name)
        expect(alert).to_contain_text(says)
        expect(page.locator(".fop-matrix-field")).to_have_count(0)
        page.get_by_role("button", name=re.compile("^Remove")).first.click()
        expect(alert).to_have_count(0)
    assert not (tmp_path / "harm").exists()
    pickle.loads(hostile["pickle.safetensors"][0])
    assert (tmp_path / "harm").exists()  # which it would have left
    M = {step: {"conv.weight": random.standard_normal((9, 9)).astype(np.float32)} for step in (0, 50)}
    page.get_by_role("combobox", name=re.compile("They are")).click()
    page.get_by_role("option", name="the M of M Mᵀ", exact=True).click()
    give(page, *((f"M-{step}.safetensors", save(arrays)) for step, arrays in M.items()))
    page.wait_for_function(READY)
    P = M[50]["conv.weight"].astype(np.float64)
    P = P @ P.T
    shown = page.evaluate(f"[...{LAYER}.layer.matrix('P', 50).values]")
    np.testing.assert_allclose(np.reshape(shown, (9, 9)), P, rtol=1e-9, atol=1e-9)
    cursor(page).press("Home")
    assert page.evaluate(STEP) == 0


def test_ones_own_matrices_are_still_there_after_a_look_at_another_page(visit, troubles):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    page = visit("preconditioners?source=file", drawn=False)
    remove = page.get_by_role("button", name=re.compile("^Remove"))
    M = np.random.default_rng(0).standard_normal((9, 4)).astype(np.float32)
    box = page.locator('[data-testid="stFileUploaderDropzone"] input')
    box.wait_for(state="attached", timeout=40_000)
    expect(page.get_by_text(f"Up to {learned.UPLOAD >> 20} MB each")).to_have_count(0)  # it is said on hovering
    expect(page.get_by_text(re.compile(f"{learned.UPLOAD >> 20}MB per file"))).to_be_visible()
    give(page, ("M-0.safetensors", save({"conv.weight": M})))
    expect(remove).to_have_text(["Remove M-0.safetensors"])
    give(page, ("M-50.safetensors", save({"conv.weight": 2 * M})))
    expect(remove).to_have_text(["Remove M-0.safetensors", "Remove M-50.safetensors"])
    page.get_by_role("combobox", name=re.compile("They are")).click()
    page.get_by_role("option", name="the M of I + M Mᵀ", exact=True).click()
    page.get_by_text("is a kernel").click()
    expect(page).to_have_url(re.compile("source=file&file_form=low_rank&kernel=1"))
    P = np.eye(9) + 4 * M.astype(np.float64) @ M.T

    def still_there() -> None:
        expect(remove).to_have_text(["Remove M-0.safetensors", "Remove M-50.safetensors"])
        page.wait_for_function(READY)
        expect(page.get_by_text("P = I + M Mᵀ (Eq. 5)")).to_be_visible()
        expect(page.locator(".fop-filters")).to_be_visible()  # it is a kernel
        shown = page.evaluate(f"[...{LAYER}.layer.matrix('P', 50).values]")
        np.testing.assert_allclose(np.reshape(shown, (9, 9)), P, rtol=1e-9, atol=1e-9)

    still_there()
    page.get_by_role("link", name="Train").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    page.get_by_role("link", name="Preconditioners").click()
    still_there()
    page.get_by_role("link", name="Train").click()
    expect(page.get_by_role("heading", name="Train", exact=True)).to_be_visible()
    page.go_back()
    still_there()
    page.get_by_text("A run", exact=True).click()
    expect(remove).to_have_count(0)
    page.get_by_text("Your own matrices", exact=True).click()
    still_there()
    give(page, ("M-50.safetensors", save({"conv.weight": M})))  # in the place of the one of this name
    page.wait_for_function(f"() => Math.abs({LAYER}.layer.M[36] - {float(M[0, 0])}) < 1e-6")
    expect(remove).to_have_count(2)
    page.get_by_role("button", name="Remove M-0.safetensors").click()
    expect(remove).to_have_text(["Remove M-50.safetensors"])
    remove.click()
    expect(page.get_by_text("save_file(optimizer.factors()")).to_be_visible()


def test_of_an_indefinite_P_no_condition_and_no_M_is_shown(visit, troubles):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    page = visit("preconditioners?source=file&see=M", drawn=False)
    page.locator('[data-testid="stFileUploaderDropzone"] input').wait_for(state="attached", timeout=40_000)
    give(page, ("B.safetensors", save({"B/P": np.diag([2, -1]).astype(np.float32)})))
    page.wait_for_function(READY)
    expect(page.locator(".fop-inspector-spectrum")).to_have_text(
        "P of B is indefinite: eigenvalues −1.00 to 2.00, condition not defined, effective rank 1.89 of 2, "
        "log-determinant not defined."
    )
    expect(page.get_by_role("heading", name="P − I of B")).to_be_visible()
    expect(page.locator('.fop-switch[data-name="see"] button')).to_have_text(["P − I", "P", "P/‖P‖", "P − aI − c11ᵀ"])
    expect(page.locator(".fop-inspector-means")).not_to_contain_text("M")


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, NARROW], ids=["wide", "narrow"])
def test_no_label_of_the_whitening_lines_is_cut(inspect, viewport):
    page = inspect("?panel=whitening", viewport=viewport)
    of_time = page.locator(".fop-plot-node").nth(1).locator(".annotation-text")
    labels = of_time.filter(has_not_text="ε × ")  # where the rate falls
    expect(labels).to_have_count(5)
    expect(of_time).to_have_count(6)
    assert set(labels.all_text_contents()) == {words for words, *_ in PAIRS.values()}
    frame = page.locator(".fop-plot-node").nth(1).bounding_box()
    for box in (label.bounding_box() for label in labels.all()):
        assert frame["x"] <= box["x"] and box["x"] + box["width"] <= frame["x"] + frame["width"]


def test_an_address_that_another_page_wrote_too_late_is_not_read(browser, troubles, tmp_path):
    troubles.expected = ["_stcore/", "404 (Not Found)"]
    run = store.create(config.preset("mnist-mlp", "sgd").to_json(), name="late", folder=tmp_path)
    with Control(run) as control:
        control.set("finished")
    held: list[str | bytes] | None = None

    def between(page_side: WebSocketRoute) -> None:
        """Let all pass, but hold what the server says as long as there is a list for it."""
        server = page_side.connect_to_server()
        page_side.on_message(server.send)
        server.on_message(lambda message: page_side.send(message) if held is None else held.append(message))
        routes.append(page_side)

    routes: list[WebSocketRoute] = []
    with running(tmp_path / "app.txt", FOP_RUNS_DIR=str(tmp_path)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        troubles.watch(page)
        page.route_web_socket(re.compile("_stcore/stream"), between)
        page.goto(f"{address}/preconditioners?source=file")
        snippet = page.get_by_text("save_file(optimizer.factors()")
        expect(snippet).to_be_visible(timeout=40_000)
        page.get_by_role("link", name="Runs").click()
        chosen = page.locator(f'.fop-runs tr[data-run="{run.id}"]').get_by_role("button", name="late")
        chosen.wait_for()
        held = []
        chosen.click()
        end = time.monotonic() + 40
        while not any(f"run={run.id}" in address_of(message) for message in held):
            assert time.monotonic() < end, "Runs writes no address"
            page.wait_for_timeout(50)
        page.go_back()  # before the browser hears of it
        expect(page).to_have_url(re.compile(r"preconditioners\?source=file$"))
        late, held = held, None
        for message in late:
            routes[-1].send(message)
        expect(snippet).to_be_visible()
        expect(page).to_have_url(re.compile(r"preconditioners\?source=file$"))
        page.get_by_text("is a kernel").click()
        expect(page).to_have_url(re.compile(r"preconditioners\?source=file&kernel=1$"))
        expect(snippet).to_be_visible()
        expect(page.get_by_text("is not here")).to_have_count(0)
        noted = list(troubles)
        page.close()
        troubles[:] = noted


def address_of(message: str | bytes) -> str:
    """What the server's message makes of the address."""
    return ForwardMsg.FromString(message).page_info_changed.query_string if isinstance(message, bytes) else ""


LONG = "features.stage1.block0.residual_function.convolution_number_{}_with_a_long_tail.weight"


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 900}, NARROW], ids=["wide", "narrow"])
def test_long_names_of_layers_are_cut_in_the_middle_to_labels_that_differ(visit, troubles, viewport):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    page = visit("preconditioners?source=file", drawn=False, viewport=viewport)
    page.locator('[data-testid="stFileUploaderDropzone"] input').wait_for(state="attached", timeout=40_000)
    names = [LONG.format(n) for n in range(3)]
    give(page, ("P.safetensors", save({name: np.eye(9, dtype=np.float32) for name in names})))
    page.wait_for_function(READY)
    chips = page.locator(".fop-chip")
    expect(chips.last).to_be_visible()
    labels = chips.all_inner_texts()
    assert len(set(labels)) == 3 and all("…" in label for label in labels)
    for chip, name in zip(chips.all(), names):
        assert chip.bounding_box()["width"] <= 200
        assert chip.get_attribute("title").startswith(name)
    heading = page.get_by_role("heading", name=f"P − I of {names[-1]}")
    assert heading.evaluate("node => node.scrollWidth - node.clientWidth") <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_shines_through_the_cursor_when_the_page_is_scrolled(inspect, scheme):
    page = inspect(color_scheme=scheme)
    back = "node => getComputedStyle(node).backgroundColor"
    assert page.locator(".fop-cursor").evaluate(back) == page.get_by_test_id("stApp").evaluate(back)


# a run of one's own ---------------------------------------------------------------------------------------------------


def test_a_runs_gradients_are_as_numpy_has_them_and_its_fork_finishes_beside_it(
    browser, troubles, tmp_path, monkeypatch
):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    kept = []
    measure = diagnostics.gradient_columns

    def keep(gradients, preconditioned, previous, moves):
        sets = (gradients, preconditioned, previous, moves)
        kept.append([{name: g.double().numpy().copy() for name, g in each.items()} for each in sets])
        return measure(gradients, preconditioned, previous, moves)

    monkeypatch.setattr(diagnostics, "gradient_columns", keep)
    settings = ["epochs=1", "max_steps=30", "threads=1", "snapshots=6", "log_every=5"]
    chosen = config.change(config.preset("mnist-mlp", "fop"), settings)
    run = store.create(chosen.to_json(), name="parent", folder=tmp_path)
    with Control(run) as control:
        assert loop.train(run, control, lambda text: None) == "finished"
    with running(tmp_path / "app.txt", FOP_RUNS_DIR=str(tmp_path)) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        troubles.watch(page)
        for turned in ("length_ratio", "alignment", "descent"):
            page.goto(f"{address}/preconditioners?run={run.id}&panel=rotation&layer=3.weight&turned={turned}")
            page.wait_for_function(READY, timeout=40_000)
            expect(page.locator(".fop-plot-node[data-theme]")).to_have_count(2)
            for node, quantity in ((0, "angle_deg"), (1, turned)):
                shown = page.evaluate(LINE, [node, 1])  # 3.weight is the second layer
                expected = [of_gradients(*each, "3.weight")[quantity] for each in kept]
                values = [value for value in shown if value is not None]
                np.testing.assert_allclose(values, expected[-len(values) :], rtol=2e-3, atol=1e-4)
                assert len(values) > 10
        page.goto(f"{address}/preconditioners?run={run.id}&panel=fork&layer=3.weight")
        page.wait_for_function(READY, timeout=40_000)
        page.get_by_text("Reset M to its start").click()
        page.get_by_role("spinbutton", name="Epochs to go on for").fill("1")
        page.get_by_role("spinbutton", name="Epochs to go on for").press("Enter")
        expect(page.get_by_text("From step 30")).to_be_visible()
        page.get_by_role("button", name="Launch the fork").click()
        expect(page.get_by_text(re.compile("reset at 30: finished"))).to_be_visible(timeout=90_000)
        expect(page.get_by_text("reset at step 30")).not_to_have_count(0)  # the label of its line
        noted = list(troubles)
        page.close()
        troubles[:] = noted
    [fork] = [each for each in store.directories(tmp_path) if each.id != run.id]
    assert fork.about["lineage"]["parent"] == run.id and fork.about["lineage"]["matrices"] == "reset"
    assert not queue.waiting(tmp_path)


def test_newer_snapshots_of_a_run_that_trains_are_offered_and_shown_when_they_are_wanted(browser, troubles, tmp_path):
    troubles.expected = ["/preconditioners/_stcore/", "404 (Not Found)"]
    run = store.create(config.preset("cifar10-allcnn-small", "fop").to_json(), name="walk", folder=tmp_path)
    with Control(run) as control, running(tmp_path / "app.txt", FOP_RUNS_DIR=str(tmp_path)) as address:
        control.set("running")
        writer = RunWriter(
            run, {"device": "cpu", "device_name": "", "threads": 1, "versions": {}, "commit": "", "data": {}}
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        troubles.watch(page)
        page.goto(f"{address}/preconditioners?run={run.id}")
        expect(page.get_by_text("It has no snapshot yet")).to_be_visible(timeout=40_000)
        for step in (0, 20):
            M = np.eye(9, dtype=np.float32) * (1 + step / 100)
            writer.row({"step": step, "constant_share/0.weight": 0.5})
            writer.snapshot(step, {"0.weight/M": M, "0.weight/spectrum": np.diag(M) ** 2})
            if step == 0:  # the first one is shown by itself
                expect(matrix(page).first).to_have_attribute("data-step", "0", timeout=15_000)
        page.get_by_role("button", name="Show the newer snapshots, up to step 20").click()
        expect(matrix(page).first).to_have_attribute("data-step", "20")
        noted = list(troubles)
        page.close()
        troubles[:] = noted
        writer.close()
        control.set("finished")


LINE = """([node, line]) => {
  const lines = document.querySelectorAll('.fop-plot-node')[node]._fullData.filter((trace) => trace.mode !== 'none');
  const { y } = lines[line];
  return Array.from(y, (value) => (Number.isFinite(value) ? value : null));
}"""


def of_gradients(gradients, preconditioned, previous, moves, layer):
    """What is said of a layer's gradients, by numpy."""
    g, Pg, before, move = (each.get(layer) for each in (gradients, preconditioned, previous, moves))
    sizes = [None if each is None else np.linalg.norm(each) for each in (g, Pg, before)]
    quantities = {"angle_deg": np.degrees(np.arccos((g * Pg).sum() / (sizes[0] * sizes[1])))}
    quantities["length_ratio"] = sizes[1] / sizes[0]
    quantities["alignment"] = np.nan if before is None else (g * before).sum() / (sizes[0] * sizes[2])
    return quantities | {"descent": (g * move).sum()}
