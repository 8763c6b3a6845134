"""The figure for print shows the race, all of it in the right place, and its files are whole and always the same."""

import io
import math
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from PIL import Image

from fop_core.figures import landscape, paper, style
from fop_core.figures.trajectories import downsampled
from fop_core.optim.rules import FOP, RULES, SGD, Adam
from toy_functions import Race, presets, race, surfaces


def runs_of(the_race: Race):
    kinds = {kind: name for name, kind in RULES.items()}
    return [
        downsampled(
            kinds[type(the_race.rules[name])], result.points, result.losses, result.status, result.preconditioners
        )
        for name, result in race(the_race).items()
    ]


def ground_of(the_race: Race, runs):
    paths = [run.path for run in runs if run.status != "diverged"]
    surface = the_race.surface
    return landscape.survey(surface.value, surface.floor, landscape.frame(surface.view, the_race.start, paths))


def figure_of(the_race: Race, runs=None, **options):
    runs = runs_of(the_race) if runs is None else runs
    surface = the_race.surface
    ground = ground_of(the_race, runs)
    return paper.race_figure(ground, runs, the_race.start, surface.minima, surface.floor, the_race.tolerance, **options)


def all_rules(surface, rate, steps=300):
    return Race(surface, surface.start, {name: kind(rate) for name, kind in RULES.items()}, max_steps=steps)


LOST = Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.3), "Adam": Adam(0.3), "FOP": FOP(0.05, 1.0)})
RACES = {
    "Booth": presets.PAPER_BOOTH,
    "Himmelblau": presets.PAPER_HIMMELBLAU,
    "two lost": LOST,
    "all rules": all_rules(surfaces.STYBLINSKI_TANG, 0.005),
    "all lost, no floor": all_rules(surfaces.MONKEY_SADDLE, 0.5),
    "a start at the minimum": Race(surfaces.BOOTH, (1.0, 3.0), {"SGD": SGD(0.1)}),
    "one step": Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.01)}, max_steps=1),
    "nobody": Race(surfaces.BOOTH, (0.0, -4.0), {}),
}


@pytest.fixture(scope="module")
def booth():
    return runs_of(presets.PAPER_BOOTH)


@pytest.fixture(scope="module")
def figure(booth):
    return figure_of(presets.PAPER_BOOTH, booth)


def lines(axes, color):
    return [line for line in axes.lines if to_hex(line.get_color()) == color.lower()]


def test_every_method_has_a_marker_of_its_own():
    assert paper.MARKERS.keys() == {method.symbol for method in style.METHODS.values()}
    shapes = [marker if isinstance(marker, str) else marker.vertices.tobytes() for marker, _ in paper.MARKERS.values()]
    assert len(set(shapes)) == len(shapes)


def test_paths_are_drawn_from_start_to_end_with_symbols_at_steps_1_10_100_and_1000(figure, booth):
    paths = figure.axes[0]
    tops = []
    for run in booth:
        line, symbols = lines(paths, run.method.color)
        np.testing.assert_array_equal(line.get_xydata(), run.path)
        expected = race(presets.PAPER_BOOTH)[run.method.name].points[[s for s in (1, 10, 100, 1000) if s <= run.steps]]
        np.testing.assert_array_equal(symbols.get_xydata(), expected)
        assert symbols.get_marker() == paper.MARKERS[run.method.symbol][0] and line.get_linestyle() == (
            "-" if run.method.dash == "solid" else "--"
        )
        tops.append(line.get_zorder())
    assert tops == sorted(tops), "FOP on top"
    assert (paths.get_xlim(), paths.get_ylim()) == ((-10, 10), (-10, 10))
    assert [line.get_xydata().tolist() for line in paths.lines if line.get_marker() == "+"] == [[[1.0, 3.0]]]
    assert paths.lines[-1].get_xydata().tolist() == [[0.0, -4.0]]


def test_contours_are_the_landscapes_levels(figure, booth):
    ground = ground_of(presets.PAPER_BOOTH, booth)
    fill, level = (part for part in figure.axes[0].collections if isinstance(part, ContourSet))
    assert fill.filled and not level.filled
    drawn = [path.vertices for path in level.get_paths() if len(path.vertices)]
    assert len(drawn) == math.floor((ground.heights.max() - ground.bottom) / ground.step) + 1
    for count, points in enumerate(drawn):
        heights = np.log10(surfaces.BOOTH.value(*points.T))
        np.testing.assert_allclose(heights, ground.bottom + count * ground.step, atol=0.02)


@pytest.mark.parametrize("log_steps", [True, False])
def test_losses_end_at_their_last_step_and_the_tolerance_is_marked(booth, log_steps):
    losses = figure_of(presets.PAPER_BOOTH, booth, log_steps=log_steps).axes[1]
    for run in booth:
        [line] = lines(losses, run.method.color)
        x, y = line.get_xydata()[-1]
        assert (10**x if log_steps else x) == pytest.approx(run.steps)
        assert 10**y == pytest.approx(run.losses[-1])
        assert len(line.get_xydata()) == len(run.losses) - log_steps, "a logarithm has no step 0"
    assert [line.get_ydata()[0] for line in lines(losses, style.LIGHT.muted)] == [pytest.approx(-6)]
    ticks = [text.get_text() for text in losses.get_yticklabels()]
    assert "$10^{-6}$" in ticks and "$10^{2}$" in ticks
    assert losses.get_ylabel() == "loss $f$"


def test_a_floor_is_named_and_where_there_is_none_the_axis_has_both_signs():
    tang = figure_of(RACES["all rules"]).axes[1]
    assert tang.get_ylabel() == "loss $f - f^*$  ($f^*$ = −78.3)"
    saddle = figure_of(RACES["all lost, no floor"]).axes[1]
    ticks = {text.get_text(): at for at, text in zip(saddle.get_yticks(), saddle.get_yticklabels())}
    assert ticks["0"] == 0
    for text, at in ticks.items():
        if text != "0":
            sign, power = text.strip("$").replace("}", "").split("10^{")
            assert at == pytest.approx((-1 if sign else 1) * math.log10(1 + 10.0 ** int(power)))
    assert len(ticks) >= 3


def test_few_powers_of_ten_are_ticked_between_them():
    axis = figure_of(RACES["one step"]).axes[1].xaxis
    assert [text.get_text() for text in axis.get_majorticklabels()] == ["1", "2"]


@pytest.mark.parametrize("name", RACES)
def test_nothing_is_cut_off_and_the_key_covers_no_picture(name):
    the_race = RACES[name]
    runs = runs_of(the_race)
    figure = figure_of(the_race, runs)
    figure.canvas.draw()
    assert figure.get_figwidth() == 7.0
    for axes in figure.axes:
        inside = axes.get_tightbbox()
        assert figure.bbox.x0 <= inside.x0 and inside.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= inside.y0 and inside.y1 <= figure.bbox.y1
        assert all(text.get_fontsize() >= 7 for text in axes.texts)
    paths, losses = figure.axes
    assert paths.bbox.width == pytest.approx(paths.bbox.height), "a square"
    assert not losses.get_tightbbox().overlaps(paths.bbox)
    assert len(figure.legends) == bool(runs)
    for key in figure.legends:
        texts = [text.get_text() for text in key.get_texts()]
        assert sorted(texts) == sorted(run.label for run in runs)
        box = key.get_window_extent()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1 + 1e-6
        assert not any(box.overlaps(axes.get_tightbbox()) for axes in figure.axes)


def test_a_diverged_path_is_not_drawn_to_where_numbers_end():
    paths = figure_of(LOST).axes[0]
    for name in ("sgd", "fop"):
        line, _ = lines(paths, style.METHODS[name].color)
        assert np.abs(line.get_xydata()[:-1]).max() <= 6 * 10


def test_a_run_that_is_never_finite_is_in_the_key_and_nowhere_else():
    run = downsampled("sgd", np.full((1, 2), np.nan), np.full(1, np.nan), "diverged")
    figure = figure_of(RACES["nobody"], [run])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SGD diverged at 0"]
    assert not any(len(line.get_xydata()) for line in lines(figure.axes[0], run.method.color))
    assert not lines(figure.axes[1], run.method.color)


@pytest.mark.parametrize("floor", [0.0, -math.inf])
@pytest.mark.parametrize(
    "value",
    [
        lambda x, y: x * math.nan,
        lambda x, y: 0 * x,
        lambda x, y: np.log(x),
        lambda x, y: 1000 + 1e-9 * x,
        lambda x, y: 1e300 * (x * x + y * y),
    ],
)
@pytest.mark.filterwarnings("error")
def test_any_function_has_a_figure(value, floor):
    ground = landscape.survey(value, floor, (-1.0, 1.0, -1.0, 1.0))
    figure = paper.race_figure(ground, [], (0.0, 0.0), [], floor, 1e-6)
    assert Image.open(io.BytesIO(paper.save(figure, "png"))).size[0] == 2100


# Files


def test_a_png_has_300_dots_per_inch_and_the_methods_colours(figure, booth):
    image = Image.open(io.BytesIO(paper.save(figure, "png")))
    assert image.size[0] == 2100 and round(image.info["dpi"][0]) == 300
    colors = {color[:3] for _, color in image.getcolors(1 << 24)}
    for run in booth:
        assert tuple(bytes.fromhex(run.method.color[1:])) in colors


def test_a_pdf_embeds_truetype_fonts(figure):
    pdf = paper.save(figure, "pdf")
    assert pdf.startswith(b"%PDF") and pdf.rstrip().endswith(b"%%EOF")
    assert pdf.count(b"/FontFile2") >= 2 and b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


def test_an_svg_is_xml_without_fonts_and_dates(figure):
    text = paper.save(figure, "svg").decode()
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "<text" not in text and "date" not in text


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_the_same_race_gives_the_same_bytes(figure, booth, kind):
    assert paper.save(figure, kind) == paper.save(figure_of(presets.PAPER_BOOTH, booth), kind)


def test_other_kinds_are_refused(figure):
    with pytest.raises(ValueError, match="kind is 'jpg': give one of png, pdf, svg"):
        paper.save(figure, "jpg")


def test_threads_do_not_disturb_each_other_nor_matplotlibs_settings(booth):
    before = dict(matplotlib.rcParams)

    def made(_):
        return paper.save(figure_of(presets.PAPER_BOOTH, booth), "pdf")

    with ThreadPoolExecutor(4) as pool:
        files = set(pool.map(made, range(4)))
    assert len(files) == 1 and b"/Type3" not in files.pop()
    assert dict(matplotlib.rcParams) == before


def test_it_needs_neither_pyplot_nor_torch_nor_streamlit():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['streamlit'] = sys.modules['matplotlib.pyplot'] = None\n"
        "from fop_core.figures import animation, landscape, paper\n"
        "ground = landscape.survey(lambda x, y: x * x + y * y, 0.0, (-1.0, 1.0, -1.0, 1.0))\n"
        "for kind in ('png', 'pdf', 'svg'):\n"
        "    paper.save(paper.race_figure(ground, [], (0.0, 0.0), [], 0.0, 1e-6), kind)\n"
        "animation.gif(ground, [], (0.0, 0.0), [], width=64, frames=2)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
