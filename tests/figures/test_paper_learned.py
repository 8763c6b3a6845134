"""Figures for print of what was learned: what is drawn is what was given, whole, and always the same bytes."""

import io
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from fop_core.figures import paper_learned, print_style
from fop_core.figures.paper_learned import BandedCurve, Ridges
from tests.figures.test_style import contrast
from tests.sampled import sampled

LAYERS = [f"{n}.weight" for n in (0, 3, 6, 9, 12, 15, 18)]


def P_of(seed=0, n=9):
    M = np.eye(n) + 0.1 * np.random.default_rng(seed).standard_normal((n, n))
    return M @ M.T


def ridges_of(seed=0, s=30, bins=24):
    counts = np.random.default_rng(seed).integers(0, 9, (s, bins))
    return Ridges(np.arange(s) * 100, counts, np.linspace(-1, 1, bins + 1))


def series(seed=0, k=50, every=100):
    return np.arange(1, k + 1) * every, 10 + np.random.default_rng(seed).random(k)


def spectra_of(seed=0, e=40, n=9):
    return np.arange(e) * 10, np.sort(np.random.default_rng(seed).random((e, n)), axis=1)


FIGURES = {
    "matrices": lambda: paper_learned.matrices(
        {"P": [P_of(i) for i in range(6)], "rest": [P_of(i) - 1 for i in range(6)]},
        [f"step {i:,}" for i in range(0, 6000, 1000)],
        kernel=(3, 3),
        shared=False,
    ),
    "seven layers": lambda: paper_learned.matrices({"P": [P_of(i) for i in range(7)]}, LAYERS, kernel=(3, 3)),
    "one large": lambda: paper_learned.matrices({"P": [P_of(0, 300)]}, ["1.weight"]),
    "M not square": lambda: paper_learned.matrices({"M": [P_of()[:, :4]]}, ["0.weight"], kernel=(3, 3)),
    "no matrix": lambda: paper_learned.matrices({}, []),
    "not finite": lambda: paper_learned.matrices({"P": [np.full((9, 9), np.nan)]}, ["step 0"]),
    "ridges": lambda: paper_learned.ridges(
        {name: {"diagonal": ridges_of(i), "off-diagonal": ridges_of(i + 9)} for i, name in enumerate(LAYERS)}
    ),
    "one ridge": lambda: paper_learned.ridges({"0.weight": {"M": ridges_of(s=1)}}, "entries of $M$"),
    "no ridge": lambda: paper_learned.ridges({"0.weight": {"M": ridges_of(s=0)}}),
    "no count": lambda: paper_learned.ridges({"0.weight": {"M": ridges_of()._replace(counts=np.zeros((30, 24)))}}),
    "spectra": lambda: paper_learned.spectra({name: spectra_of(i)[1][-1] for i, name in enumerate(LAYERS)}),
    "spectra of several sizes": lambda: paper_learned.spectra(
        {"1.weight": spectra_of(n=784)[1][-1], "3.weight": spectra_of(n=100)[1][-1]}, log=True
    ),
    "angles": lambda: paper_learned.angles(
        {name: [series(i), series(i + 9), series(i + 19)] for i, name in enumerate(LAYERS)},
        bounds={"0.weight": series(3)},
    ),
    "angles, log": lambda: paper_learned.angles(
        {"0.weight": [(np.arange(5), np.array([0, 1, np.nan, 3, 4.0]))]}, log=True
    ),
    "no angles": lambda: paper_learned.angles({"0.weight": []}),
    "eigenvectors": lambda: paper_learned.eigenvectors({name: P_of(i) for i, name in enumerate(LAYERS)}, (3, 3)),
    "eigenvectors of 5 x 5": lambda: paper_learned.eigenvectors({"0.weight": P_of(0, 25)}, (5, 5)),
    "eigenvalue paths": lambda: paper_learned.eigenvalue_paths({name: spectra_of(i) for i, name in enumerate(LAYERS)}),
    "many eigenvalue paths": lambda: paper_learned.eigenvalue_paths({"1.weight": spectra_of(n=784)}, log=True),
    "no eigenvalue paths": lambda: paper_learned.eigenvalue_paths({}),
    "bands": lambda: paper_learned.bands(
        [paper_learned.over_seeds(name, [series(1), series(2)]) for name in LAYERS], "epoch", "accuracy", percent=True
    ),
}


def images(figure):
    """The arrays of the pictures, without the bars of colours."""
    every = [image for axes in figure.axes for image in axes.images]
    return [image for image in every if image.get_array().shape != (255, 1)]


def drawn(axes):
    """The lines that have points of their own, without rules across."""
    return [line for line in axes.lines if len(line.get_xdata()) > 2]


# all of them ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.filterwarnings("error")
def test_nothing_is_cut_off_and_every_text_can_be_read(name):
    figure = FIGURES[name]()
    figure.canvas.draw()
    assert figure.get_figwidth() == 7.0
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert figure.bbox.x0 - 0.5 <= box.x0 and box.x1 <= figure.bbox.x1 + 0.5, axes.get_title()
        assert figure.bbox.y0 - 0.5 <= box.y0 and box.y1 <= figure.bbox.y1 + 0.5, axes.get_title()
        texts = [
            *axes.texts,
            axes.title,
            axes.xaxis.label,
            axes.yaxis.label,
            *axes.get_xticklabels(),
            *axes.get_yticklabels(),
        ]
        for text in texts:
            assert text.get_fontsize() >= 7
            assert not text.get_text() or contrast(to_hex(text.get_color()), "#FFFFFF") > 3.5


@pytest.mark.parametrize(
    ("name", "kind"),
    sampled(
        product(["matrices", "ridges", "spectra", "angles", "eigenvectors", "eigenvalue paths"], ["png", "pdf", "svg"]),
        5,
    ),
)
def test_the_same_data_give_the_same_bytes(name, kind):
    once = print_style.save(FIGURES[name](), kind)
    assert once == print_style.save(FIGURES[name](), kind) and b"CreationDate" not in once
    if kind == "png":
        image = Image.open(io.BytesIO(once))
        assert image.size[0] == 2100 and round(image.info["dpi"][0]) == 300


def test_threads_do_not_disturb_each_other_nor_matplotlibs_settings():
    before = dict(matplotlib.rcParams)
    with ThreadPoolExecutor(4) as pool:
        files = set(pool.map(lambda _: print_style.save(FIGURES["ridges"](), "pdf"), range(4)))
    assert len(files) == 1 and b"/Type3" not in files.pop()
    assert dict(matplotlib.rcParams) == before


def test_it_needs_neither_pyplot_nor_torch_nor_streamlit():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['streamlit'] = sys.modules['matplotlib.pyplot'] = None\n"
        "import numpy\n"
        "from fop_core.figures import paper_learned, print_style\n"
        "print_style.save(paper_learned.matrices({'P': [numpy.eye(9)]}, ['step 0'], kernel=(3, 3)), 'pdf')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# matrices -------------------------------------------------------------------------------------------------------------


def test_matrices_are_drawn_as_given_in_one_range_around_0_that_is_printed():
    rows = {"P": [P_of(0), 3 * P_of(1)], "Q": [-P_of(2), np.zeros((9, 9))]}
    figure = paper_learned.matrices(rows, ["a", "b"])
    pictures = images(figure)
    largest = np.abs(np.concatenate([np.stack(row) for row in rows.values()])).max()
    for image, matrix in zip(pictures, [matrix for row in rows.values() for matrix in row]):
        np.testing.assert_array_equal(image.get_array(), matrix)
        assert image.get_clim() == (-largest, largest)
        assert to_hex(image.cmap(image.norm(0.0))) == "#ffffff"
    texts = [text.get_text() for text in figure.axes[2].get_yticklabels()]
    assert texts == [f"−{largest:.2f}", "0", f"{largest:.2f}"]
    assert [axes.get_title() for axes in figure.axes[:2]] == ["a", "b"]


def test_each_row_may_have_its_own_range():
    figure = paper_learned.matrices({"P": [P_of()], "rest": [0.01 * P_of()]}, ["a"], shared=False)
    first, second = (image.get_clim()[1] for image in images(figure))
    assert second == pytest.approx(first / 100)


def test_positive_is_orange_negative_blue_and_what_is_no_number_grey():
    values = np.array([[1.0, -1.0], [np.nan, 0.0]])
    [image] = images(paper_learned.matrices({"P": [values]}, ["a"]))
    shown = [[to_hex(color) for color in row] for row in image.to_rgba(image.get_array())]
    assert shown == [["#d9541e", "#2a62c4"], ["#969696", "#ffffff"]]


def test_lines_part_the_rows_of_a_kernel_and_its_positions_are_named():
    axes = paper_learned.matrices({"P": [P_of()]}, ["a"], kernel=(3, 3)).axes[0]
    assert [line.get_ydata()[0] for line in axes.lines[::2]] == [2.5, 5.5]
    assert [line.get_xdata()[0] for line in axes.lines[1::2]] == [2.5, 5.5]
    assert "".join(text.get_text() for text in axes.get_yticklabels()) == "↖↑↗←•→↙↓↘"
    assert not paper_learned.matrices({"P": [P_of()]}, ["a"]).axes[0].lines


def test_rows_of_another_length_are_refused():
    with pytest.raises(ValueError, match="'P' has 1 matrices for 2 columns"):
        paper_learned.matrices({"P": [P_of()]}, ["a", "b"])


# ridges ---------------------------------------------------------------------------------------------------------------


def test_a_ridge_stands_on_its_step_and_is_as_high_as_its_largest_bin():
    ridges = Ridges(np.array([0, 50]), np.array([[0, 4, 2], [0, 0, 7]]), np.array([0.0, 1.0, 2.0, 3.0]))
    axes = paper_learned.ridges({"a": {"M": ridges}}).axes[0]
    first, second = (line.get_xydata() for line in drawn(axes))
    tops = [(1, 3.2), (2, 3.2), (2, 2.1), (3, 2.1)]  # on 1, which is behind 0, and up to 2.2 higher
    np.testing.assert_allclose(first[~np.isnan(first[:, 1])], [(1, 1), *tops, (3, 1)])
    assert np.nanmax(second[:, 1]) == pytest.approx(2.2) and np.nanmin(second[:, 1]) == 0
    labels = dict(zip((text.get_text() for text in axes.get_yticklabels()), axes.get_yticks()))
    assert labels == {"0": 1, "50": 0}


def test_edges_may_differ_from_step_to_step_and_all_layers_share_an_axis():
    edges = np.array([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]])
    moving = Ridges(np.array([0, 1]), np.ones((2, 2)), edges)
    figure = paper_learned.ridges({"a": {"M": moving}, "b": {"M": ridges_of()}})
    limits = {axes.get_xlim() for axes in figure.axes}
    [(low, high)] = limits
    assert low < -1 and high > 12
    assert [np.nanmin(line.get_xdata()) for line in drawn(figure.axes[0])] == [0, 10]


def test_of_many_steps_twenty_are_shown_the_first_and_the_last_among_them():
    axes = paper_learned.ridges({"a": {"M": ridges_of(s=113)}}).axes[0]
    assert len(drawn(axes)) == paper_learned.RIDGES
    assert [axes.get_yticklabels()[i].get_text() for i in (0, -1)] == ["0", "11,200"]


# spectra and paths ----------------------------------------------------------------------------------------------------


def test_eigenvalues_are_sorted_and_each_layer_is_named_and_told_apart():
    spectra = {name: np.random.default_rng(i).random(9) for i, name in enumerate(LAYERS)}
    axes = paper_learned.spectra(spectra).axes[0]
    styles = set()
    for line, (name, values) in zip(drawn(axes), spectra.items()):
        np.testing.assert_array_equal(line.get_ydata(), np.sort(values)[::-1])
        np.testing.assert_array_equal(line.get_xdata(), np.arange(1, 10))
        assert line.get_label() == name
        styles.add((line.get_marker(), to_hex(line.get_color())))
    assert len({marker for marker, _ in styles}) == len({color for _, color in styles}) == 7
    assert [text.get_text() for text in axes.get_legend().get_texts()] == LAYERS


def test_spectra_of_several_sizes_share_an_axis():
    axes = paper_learned.spectra({"a": np.ones(4), "b": np.ones(2)}).axes[0]
    assert [line.get_xdata().tolist() for line in axes.lines[:2]] == [[0.125, 0.375, 0.625, 0.875], [0.25, 0.75]]


def test_paths_of_all_layers_share_an_axis_up():
    paths = {"a": spectra_of(0), "b": (np.arange(3), np.array([[1.0, 8.0]] * 3))}
    figure = paper_learned.eigenvalue_paths(paths)
    assert len({axes.get_ylim() for axes in figure.axes}) == 1 and figure.axes[0].get_ylim()[1] > 8
    np.testing.assert_array_equal([line.get_ydata() for line in drawn(figure.axes[0])], spectra_of(0)[1].T)


# angles ---------------------------------------------------------------------------------------------------------------


def test_a_band_is_mean_least_and_largest_where_all_seeds_measured():
    seeds = [(np.array([1, 2, 3]), np.array([1.0, 2.0, 3.0])), (np.array([1, 3, 4]), np.array([3.0, 7.0, 9.0]))]
    band = paper_learned.over_seeds("a", seeds, color="#123456")
    assert (band.x.tolist(), band.y.tolist()) == ([1, 3], [2, 5])
    assert band.low is not None and band.high is not None
    assert (band.low.tolist(), band.high.tolist(), band.color) == ([1, 3], [3, 7], "#123456")
    alone = paper_learned.over_seeds("a", seeds[:1])
    assert alone.y.tolist() == [1, 2, 3] and alone.low is None


@pytest.mark.parametrize("log", [False, True])
def test_labels_start_at_the_lines_ends(log):
    curves = {"low": [(np.arange(1, 6), np.full(5, 2.0))], "high": [(np.arange(1, 6), np.full(5, 40.0))]}
    figure = paper_learned.angles(curves, log=log)
    figure.canvas.draw()
    axes = figure.axes[0]
    for name, ((_, values),) in curves.items():
        [text] = [text for text in axes.texts if text.get_text() == name]
        _, height = axes.transAxes.inverted().transform(axes.transData.transform((5, values[-1])))
        assert text.get_position()[1] == pytest.approx(height, abs=1e-6)
    assert [text.get_text() for text in axes.texts if "°" in text.get_text()] == ["45°"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=10), st.floats(0.01, 0.1))
def test_labels_lie_apart_in_order_and_inside(heights, apart):
    spread = paper_learned._spread(heights, apart)
    order = np.argsort(heights, kind="stable")
    placed = np.array(spread)[order]
    assert (np.diff(placed) >= apart - 1e-9).all()
    assert all(-1e-9 <= height <= 1 + 1e-9 for height in spread)
    if all(np.diff(np.array(heights)[order]) >= apart):
        np.testing.assert_allclose(spread, heights, atol=1e-9)


def test_a_gap_in_a_band_is_a_gap():
    line = BandedCurve("a", np.arange(4), np.array([1.0, np.nan, 3.0, np.nan]))
    axes = paper_learned.bands([line], "step", "loss").axes[0]
    np.testing.assert_array_equal(drawn(axes)[0].get_ydata(), line.y)
    assert [text.get_text() for text in axes.texts] == ["a"]


def test_layers_go_from_blue_to_orange_and_all_can_be_seen():
    colors = [paper_learned.depth(i, 7) for i in range(7)]
    assert (colors[0], colors[-1]) == ("#2a62c4", "#d9541e") and paper_learned.depth(0, 1) == "#2a62c4"
    assert all(contrast(color, "#FFFFFF") > 3.5 for color in colors)
    assert [to_rgb(color)[0] for color in colors] == sorted(to_rgb(color)[0] for color in colors)


# eigenvectors ---------------------------------------------------------------------------------------------------------


def test_eigenvectors_are_pictures_with_their_eigenvalues_the_largest_first():
    P = np.eye(9) - 0.95 / 9 + np.diag(np.arange(9) / 100)
    figure = paper_learned.eigenvectors({"a": P}, (3, 3))
    values = np.linalg.eigvalsh(P)[::-1]
    for axes, image, value in zip(figure.axes, images(figure), values):
        vector = image.get_array().ravel()
        np.testing.assert_allclose(P @ vector, value * vector, atol=1e-12)
        assert vector.sum() >= 0 and math.isclose(np.linalg.norm(vector), 1)
        assert axes.get_xlabel() == f"{value:.3f}"


@pytest.mark.parametrize("P", [np.full((9, 9), np.nan), np.eye(8)])
def test_what_has_no_eigenvectors_is_refused(P):
    with pytest.raises(ValueError, match=r"P of a is \[\d, \d\]: a finite \[9, 9\] is a kernel's"):
        paper_learned.eigenvectors({"a": P}, (3, 3))


@pytest.mark.parametrize("of", ["matrices", "ridges", "spectra", "bands", "eigenvalue_paths"])
def test_dollars_in_a_name_begin_no_mathematics(of):
    name = r"$\no mathematics{ $"
    figure = {
        "matrices": lambda: paper_learned.matrices({"P": [P_of()]}, [name]),
        "ridges": lambda: paper_learned.ridges({name: {"M": ridges_of()}}),
        "spectra": lambda: paper_learned.spectra({name: spectra_of()[1][-1]}),
        "bands": lambda: paper_learned.bands([BandedCurve(name, *series())], "step", "up"),
        "eigenvalue_paths": lambda: paper_learned.eigenvalue_paths({name: spectra_of()}),
    }[of]()
    assert print_style.save(figure, "png")
