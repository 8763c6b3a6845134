"""The Runs page in a real browser, over a folder in which runs are made, change, and go on."""

import csv
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fop_core.jobs import queue
from fop_core.runs import GALLERY, store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config
from pages.shared.listing import MOST_CHOSEN as MOST
from tests.browser.test_layout_shift import MOST as STILL
from tests.browser.test_layout_shift import shifts
from tests.chromium import NARROW, WIDE, running_over, single, still, too_small

ABOUT = {"device": "cpu", "device_name": "A CPU", "threads": 1, "versions": {"torch": "2"}, "commit": "abc", "data": {}}
ZOOM = "() => document.querySelector('.fop-plot-node')._fullLayout.xaxis.range"
POINTS = "() => Math.max(...document.querySelector('.fop-plot-node')._fullData.map((trace) => trace._length))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def app(folder: Path, tmp_path_factory) -> Iterator[str]:
    """The address of an app whose runs are this module's."""
    with running_over(folder, tmp_path_factory.mktemp("app") / "log.txt") as address:
        yield address


@pytest.fixture(autouse=True)
def emptied(folder: Path) -> Iterator[None]:
    yield
    for each in folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()


@pytest.fixture
def runs(visit, troubles) -> Callable[..., Page]:
    """Open the page at an address and wait until its table stands, and its pictures where runs are chosen."""
    # Streamlit asks for two files beside a page's own address before it finds them at the app's.
    troubles.expected = ["/runs/_stcore/", "404 (Not Found)"]

    def opened(query: str = "", table: bool = True, **options) -> Page:
        page = visit(f"runs?{query}", drawn=False, **options)
        page.get_by_role("heading", name="Runs", exact=True).wait_for(timeout=60_000)
        if table:
            page.locator(".fop-runs tbody tr").first.wait_for(timeout=60_000)
        if "run=" in query:
            page.locator(".fop-plot-node[data-theme]").first.wait_for(timeout=60_000)
        return page

    return opened


def made(folder: Path, name: str, count: int = 30, *changes: str, method: str = "fop") -> Run:
    settings = config.change(config.preset("mnist-mlp", method), changes).to_json()
    run = store.create(settings, name=name, lineage={"preset": "mnist-mlp", "method": method}, folder=folder)
    writer = RunWriter(run, ABOUT)
    for n in range(1, count + 1):
        writer.row({"step": n, "epoch": n / 10, "seconds": n / 5, "train_loss": 1 / n})
    writer.progress({"step": count, "steps": 100, "share": count / 100})
    writer.close()
    with Control(run) as control:
        control.set("finished")
    return run


def row(page: Page, run: Run) -> Locator:
    return page.locator(f'.fop-runs tr[data-run="{run.id}"]')


def zoom(page: Page) -> list[float]:
    """Draw a box in the first picture; return what it shows then."""
    before = page.evaluate(ZOOM)
    box = still(page.locator(".fop-plot-node .nsewdrag").first)
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=4)
    page.mouse.up()
    page.wait_for_function(f"before => ({ZOOM})()[1] < before", arg=before[1] - 1)
    return page.evaluate(ZOOM)


def settled(page: Page) -> None:
    """Wait for two more ticks."""
    page.wait_for_timeout(3500)


def test_an_empty_folder_offers_the_gallery_whose_runs_can_be_looked_at(runs):
    page = runs(table=False)
    expect(page.get_by_text("No runs yet.")).to_be_visible()
    page.get_by_role("button", name="Look at the gallery").click()
    expect(page.locator(".fop-runs tbody tr")).to_have_count(len(list(GALLERY.iterdir())))
    page.get_by_role("button", name="mnist-sgd-seed0").click()
    expect(page.get_by_role("heading", name="mnist-sgd-seed0")).to_be_visible()
    expect(page.locator(".fop-plot-node[data-theme]").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"show=gallery&run=mnist-sgd-seed0"))
    expect(page.get_by_role("button", name="Delete…")).to_have_count(0)
    expect(page.get_by_role("link", name="What it learned")).to_have_count(0)
    page.get_by_role("button", name="mnist-sgd-seed0").click()  # no longer chosen
    page.get_by_role("button", name="cifar10-fop-norm").click()
    single(page.get_by_role("link", name="What it learned")).click()
    expect(page.get_by_role("combobox", name="Run")).to_have_value("cifar10-fop-norm")


def test_a_choice_is_kept_in_the_address_and_comes_back_with_it(runs, folder):
    first, second = made(folder, "first"), made(folder, "second", 30, "seed=1")
    page = runs()
    row(page, first).get_by_role("button").click()
    expect(page.get_by_role("heading", name="first")).to_be_visible()
    row(page, second).get_by_role("checkbox").check()
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={first.id}%2C{second.id}"))
    page.reload()
    expect(page.get_by_role("heading", name="2 runs")).to_be_visible()
    expect(row(page, first)).to_have_attribute("aria-selected", "true")
    row(page, second).get_by_role("button").click()
    expect(page.get_by_role("heading", name="second")).to_be_visible()
    expect(page).to_have_url(re.compile(f"run={second.id}$"))


def test_ticks_keep_choice_order_scroll_and_zoom_while_points_and_runs_arrive(runs, folder):
    for n in range(30):
        made(folder, f"old {n}", 3)
    run = made(folder, "live", 20)
    writer = RunWriter(run, ABOUT, from_step=20)
    with Control(run) as control:
        control.set("running")
        page = runs(f"run={run.id}")
        expect(row(page, run)).to_contain_text("running")
        page.get_by_role("button", name="Name", exact=True).click()
        scroll = page.locator(".fop-runs-scroll")
        scroll.evaluate("node => (node.scrollTop = 200)")
        zoomed = zoom(page)
        node = page.locator(".fop-plot-node").first.element_handle()
        before = page.evaluate(POINTS)
        for n in range(21, 41):
            writer.row({"step": n, "epoch": n / 10, "seconds": n / 5, "train_loss": 1 / n})
        writer.progress({"step": 40, "steps": 100, "share": 0.4, "eta_seconds": 90.0})
        new = made(folder, "aaa", 3)
        page.wait_for_function(f"() => ({POINTS})() >= {before + 20}")
        row(page, new).wait_for(state="attached")
        expect(row(page, run)).to_contain_text("40 %")
        assert page.evaluate(ZOOM) == zoomed
        assert node.evaluate("node => node.isConnected"), "the same picture"
        assert scroll.evaluate("node => node.scrollTop") == 200
        assert page.locator(".fop-runs tbody tr").first.get_attribute("data-run") == new.id, "still sorted by name"
        chosen = page.locator('.fop-runs tr[aria-selected="true"]')
        assert chosen.count() == 1 and chosen.get_attribute("data-run") == run.id
    writer.close()
    expect(row(page, run)).to_contain_text("lost")


def test_stop_asks_first(runs, folder):
    run = made(folder, "live")
    with Control(run) as control:
        control.set("running")
        page = runs(f"run={run.id}")
        single(page.get_by_role("button", name="Stop…")).click()
        really = page.get_by_role("button", name="Stop this run")
        expect(really).to_be_visible()
        settled(page)
        expect(really).to_be_visible()
        assert not (run.path / "requests" / "stop").exists()
        really.click()
        expect(page.get_by_text("Asked to stop.")).to_be_visible()
        assert (run.path / "requests" / "stop").exists()
        control.set("stopped", "by somebody at step 30; resume goes on from there")
    expect(row(page, run)).to_contain_text("stopped")
    expect(single(page.get_by_role("button", name="Resume"))).to_be_visible()


def test_what_waits_is_taken_out_of_the_queue_at_once_and_that_is_said(runs, folder):
    run = made(folder, "waiting", 30, "device=cuda:99")  # which no dispatcher starts
    with Control(run) as control:
        control.set("stopped", "by a test")
    queue.submit(run)
    page = runs(f"run={run.id}")
    single(page.get_by_role("button", name="Stop…")).click()
    expect(page.get_by_text("It leaves the queue.")).to_be_visible()
    page.get_by_role("button", name="Stop this run").click()
    expect(page.get_by_text("Taken out of the queue.")).to_be_visible()
    expect(row(page, run)).to_contain_text("stopped")


def test_what_is_deleted_can_be_brought_back(runs, folder):
    run = made(folder, "gone")
    page = runs(f"run={run.id}")
    single(page.get_by_role("button", name="Delete…")).click()
    page.get_by_role("button", name="Delete this run").click()
    expect(page.get_by_text("1 run moved to the trash.")).to_be_visible()
    assert not run.path.exists()
    expect(row(page, run)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, run)).to_be_visible()
    assert run.path.exists()


def test_name_tags_and_notes_are_written_down_and_typing_outlasts_ticks(runs, folder):
    run = made(folder, "before")
    page = runs(f"run={run.id}")
    page.get_by_role("tab", name="Name, tags, notes").click()
    notes = page.get_by_role("textbox", name="Notes")
    notes.fill("half a sent")
    settled(page)
    expect(notes).to_have_value("half a sent")
    notes.fill("a sentence")
    page.get_by_label("Name", exact=True).fill("after <b>")
    page.get_by_label("Tags", exact=True).fill("one, two, one")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="after <b>")).to_be_visible()
    assert run.labels == {"name": "after <b>", "tags": ["one", "two"], "notes": "a sentence", "archived": False}


def test_a_diverged_run_says_so_and_marks_where(runs, folder):
    run = made(folder, "bad", 20)
    writer = RunWriter(run, ABOUT, from_step=20)
    writer.row({"step": 21, "epoch": 2.1, "seconds": 4.2, "train_loss": float("nan")})
    writer.close()
    with Control(run) as control:
        control.set("failed", "diverged at step 21: loss not finite", "diverged")
    page = runs(f"run={run.id}")
    expect(page.get_by_text("diverged at step 21: loss not finite")).to_be_visible()
    expect(page.get_by_text("The steps became too large.")).to_be_visible()
    marks = page.evaluate(
        "() => document.querySelector('.fop-plot-node')._fullData.filter(({ mode }) => mode === 'markers')"
        ".map(({ x, y }) => [x[0], y[0]])"
    )
    [[step, height]] = marks
    mean = sum(1 / n for n in range(1, 21)) / 20  # the losses so far, all of them within the last log_every steps
    assert step == 21 and abs(height - mean) < 1e-9


def test_metrics_can_be_taken_away(runs, folder):
    run = made(folder, "one")
    page = runs(f"run={run.id}")
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Metrics (CSV)").click()
    assert download.value.suggested_filename == f"{run.id}-to-step-30.csv"
    with open(download.value.path()) as file:
        lines = list(csv.DictReader(file))
    assert [(line["step"], line["run"]) for line in lines] == [(str(n), run.id) for n in range(1, 31)]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_seeds_and_a_baseline_are_drawn_by_light_and_by_dark(runs, folder, scheme):
    ids = [made(folder, f"seed {n}", 30, f"seed={n}").id for n in range(3)]
    ids += [made(folder, "plain", 30, method="momentum").id]
    query = f"run={ids[0]}&run={ids[1]}&run={ids[2]}&run={ids[3]}&base={ids[3]}&smooth=10&x=seconds&logx=1"
    page = runs(query, color_scheme=scheme)
    node = page.locator(".fop-plot-node").first
    expect(node).to_have_attribute("data-theme", scheme)
    expect(node).to_contain_text("train loss less baseline")
    expect(node).to_contain_text("seconds of training")
    expect(page.get_by_role("row", name=re.compile("^Momentum 0 1 .*baseline"))).to_have_count(1)


def test_a_phone_has_no_sideways_scroll_and_room_for_a_finger(runs, folder):
    run = made(folder, "a run with a rather long name, as people give them to runs", 30)
    made(folder, "other", 30, "seed=1", "fop.rank=3", "optimizer.lr=0.1")
    page = runs(f"run={run.id}", viewport=NARROW, has_touch=True, is_mobile=True)
    wide = "[document.documentElement, document.querySelector('[data-testid=stMain]')].map((e) => e.scrollWidth)"
    assert max(page.evaluate(wide)) <= 390
    assert not too_small(page, "[data-testid=stMain] button:not([data-testid^=stTooltip])")
    row(page, run).get_by_role("checkbox").tap()
    expect(page.get_by_role("heading", name=re.compile("a run with"))).to_have_count(0)


def test_nothing_moves_below_a_table_of_few_runs(visit, troubles, folder):
    troubles.expected = ["/runs/_stcore/", "404 (Not Found)"]
    few = [made(folder, f"run {n}") for n in range(6)]
    noted = shifts(visit, f"runs?run={few[0].id}", WIDE)
    assert sum(value for value, _ in noted) < STILL, "\n".join(f"{value:.3f}: {sources}" for value, sources in noted)


def test_choosing_all_of_more_than_can_be_chosen_says_so(runs, folder):
    first = made(folder, "kept")
    for n in range(MOST + 4):
        shutil.copytree(first.path, folder / f"{first.id}-{n:02}")
    page = runs()
    box = page.get_by_role("checkbox", name="Choose all runs")
    box.click()
    note = page.locator(".fop-runs-note")
    expect(note).to_have_text(
        f"{MOST} of {MOST + 5} selected: no more than {MOST} at once. Find, State and Tags narrow the table."
    )
    expect(page.get_by_role("heading", name=f"{MOST} runs")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name=f"Delete {MOST}…")).to_be_visible()
    assert box.evaluate("box => box.indeterminate && !box.checked"), "not all of them are"
    box.click()
    expect(note).to_be_hidden()
    ids = [run.id for run, _ in store.scan(folder)]
    page = runs("run=" + ",".join(ids[: MOST + 2]))
    expect(page.locator(".fop-runs-note")).to_contain_text(f"{MOST} of {MOST + 2} selected")


RANGES = (
    "() => [...document.querySelectorAll('.fop-plot-node[data-theme]')].map((node) => node._fullLayout.xaxis.range)"
)
CURSORS = """() => [...document.querySelectorAll('.fop-plot')].map((plot) => {
  const [line, values] = [plot.querySelector('.fop-plot-cursor'), plot.querySelector('.fop-plot-values')];
  return [!line.hidden, values.hidden ? "" : values.innerText.replace(/\\s+/g, " ")];
})"""
ONE_RANGE = f"""less => {{
  const ranges = ({RANGES})();
  return ranges.length === 2 && ranges.every((r) => r[1] < less && `${{r}}` === `${{ranges[0]}}`);
}}"""


def test_runs_are_found_pinned_and_compared_over_one_axis(runs, folder):
    measured = {n: 1 - 1 / n for n in (10, 20, 30)}
    made_runs = []
    for name, rank in (("one", 2), ("two", 4), ("three", 8)):
        run = made(folder, name, 30, f"fop.rank={rank}")
        writer = RunWriter(run, ABOUT, from_step=30)
        for n, accuracy in measured.items():
            writer.row({"step": 30 + n, "epoch": 3 + n / 10, "seconds": 6 + n / 5, "test_accuracy": accuracy})
        writer.close()
        made_runs.append(run)
    one, two, _ = made_runs
    page = runs("cols=best,last.test_accuracy,set.fop.rank&smooth=10")
    expect(page.get_by_role("columnheader", name="Last test accuracy")).to_be_visible()
    expect(row(page, one)).to_contain_text("96.67 %")

    # a query, and one that is none
    words = page.get_by_role("textbox", name="Find")
    words.fill("rank>=4")
    words.press("Enter")
    expect(row(page, one)).to_have_count(0)
    expect(row(page, two)).to_be_visible()
    words.fill("rnk>=4")
    words.press("Enter")
    expect(page.get_by_text("did you mean fop.rank?")).to_be_visible()
    expect(row(page, one)).to_be_visible()
    words.fill("")
    words.press("Enter")
    expect(page.get_by_text("did you mean fop.rank?")).to_have_count(0)

    # pins, by the keyboard
    pin = row(page, one).get_by_role("switch", name="Pin one")
    pin.focus()
    page.keyboard.press("Space")
    expect(pin).to_have_attribute("aria-checked", "true")
    expect(page).to_have_url(re.compile(f"pin={one.id}%3A0"))
    page.get_by_role("button", name="two", exact=True).click()
    expect(page.get_by_role("heading", name="two")).to_be_visible()
    page.wait_for_function(f"() => ({RANGES})().length === 2")
    assert page.locator(".fop-runs tbody tr").first.get_attribute("data-run") == one.id
    colors = (
        "() => Object.fromEntries((document.querySelector('.fop-plot-node[data-theme]')?._fullData ?? [])"
        ".filter(({ name, hovertemplate }) => hovertemplate && name).map(({ name, line }) => [name, line.color]))"
    )
    page.wait_for_function(f"() => Object.keys(({colors})()).length === 2")
    assert page.evaluate(colors)["FOP, rank 2"] == "#3B66DB"
    page.get_by_role("button", name="three", exact=True).click()
    page.wait_for_function(f"() => 'FOP, rank 8' in ({colors})()")
    assert page.evaluate(colors)["FOP, rank 2"] == "#3B66DB"
    differing = page.get_by_role("row", name=re.compile("^fop.rank 8 2"))
    expect(differing).to_be_visible()

    # one axis: a zoom moves all, outlasts ticks, and a double click shows all again
    whole = page.evaluate(RANGES)
    assert whole[0] == pytest.approx(whole[1])
    zoomed = zoom(page)
    page.wait_for_function(ONE_RANGE, arg=whole[0][1] - 1)
    settled(page)
    assert page.evaluate(RANGES) == [zoomed, zoomed]
    box = still(page.locator(".fop-plot-node .nsewdrag").first)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.dblclick(*middle)
    page.wait_for_function(f"whole => `${{({RANGES})()}}` === `${{whole}}`", arg=whole)

    # the cursor is in both, with values in the one that is not pointed at
    page.mouse.move(box["x"] + 0.8 * box["width"], middle[1], steps=3)
    page.wait_for_function(f"() => ({CURSORS})().every(([line]) => line)")
    (_, own), (_, other) = page.evaluate(CURSORS)
    # 0.8 of 1 to 60 is 48, and the nearest accuracy that of step 50; what was smoothed is no line of its own
    assert own == "" and re.fullmatch(r"[\d.]+ FOP, rank 8 95.0 % FOP, rank 2 95.0 %", other), other
    page.mouse.move(5, 5)
    page.wait_for_function(f"() => ({CURSORS})().every(([line]) => !line)")

    # and by keys
    page.locator(".fop-plot").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    page.wait_for_function(ONE_RANGE, arg=whole[0][1] - 1)
    expect(page.locator(".fop-plot-values").first).to_be_visible()
    page.keyboard.press("0")
    page.wait_for_function(f"whole => `${{({RANGES})()}}` === `${{whole}}`", arg=whole)
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => ({CURSORS})().every(([line]) => !line)")

    page.reload()
    expect(row(page, one).get_by_role("switch")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("columnheader", name="Last test accuracy")).to_be_visible()
