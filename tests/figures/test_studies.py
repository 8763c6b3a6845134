"""Figures of a study: what is drawn is what the seeds say, on a page and in print, and never by colour alone."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core.figures import print_style, studies
from fop_core.figures.studies import (
    AxisScale,
    DrawnDifference,
    Grids,
    Lines,
    MethodRates,
    Pairwise,
    Parallel,
    PerformanceProfile,
    Profile,
    Sensitivity,
    Times,
    TimeToTarget,
)
from fop_core.figures.studies.drawing import over_seeds
from fop_core.figures.studies.grids import DIVERGING, SEQUENTIAL, _color, _ink
from fop_core.figures.training_curves import Line, LineStyle
from tests.figures.test_style import contrast

RATES, MOMENTA = AxisScale("learning rate", (0.01, 0.1, 1.0)), AxisScale("momentum", (0.0, 0.9))


def grids(with_=None, without=None, **more) -> Grids:
    values = np.random.default_rng(0).random((2, 3, 4)) * 0.01 + 0.9
    return Grids(
        MOMENTA, RATES, values + 0.02 if with_ is None else with_, values if without is None else without, **more
    )


def hostile(text: str) -> str:
    return f"<b>{text}</b> %{{y}} $q$"


FIGURES = {
    "grids": grids,
    "no cell": lambda: grids(np.full((2, 3, 2), np.nan), np.full((2, 3, 2), np.nan)),
    "all diverged": lambda: grids(np.full((2, 3, 2), np.inf), np.full((2, 3, 2), np.inf)),
    "no seed": lambda: grids(np.empty((2, 3, 0)), np.empty((2, 3, 0))),
    "large": lambda: Grids(AxisScale("a", tuple(range(20))), RATES, np.ones((20, 3, 1)), np.ones((20, 3, 1))),
    "lines": lambda: Lines(
        [Line("FOP", LineStyle("#D9541E", "solid", 3), np.arange(9.0), np.arange(9.0) / 9, band=(np.arange(9.0),) * 3)],
        "epoch",
        "held-out accuracy",
        percent=True,
    ),
    "no line": lambda: Lines([], "epoch", "loss"),
    "sensitivity": lambda: Sensitivity(
        [
            MethodRates("momentum", np.array([0.01, 0.1, 1]), np.array([[0.9, 0.91], [0.95, 0.94], [math.inf, 0.1]])),
            MethodRates("fop", np.array([0.01, 0.1, 1]), np.array([[0.92, 0.93], [0.96, math.nan], [math.inf] * 2])),
        ]
    ),
    "no rate": lambda: Sensitivity([]),
    "parallel": lambda: Parallel(
        [
            AxisScale("rate", (0.01, 0.1, 0.01, 0.1)),
            AxisScale("rank", (None, None, 1, 16)),
            AxisScale("form", ("a", "b", None, "a")),
        ],
        ["momentum", "momentum", "fop", "fop"],
        np.array([0.9, math.inf, 0.93, math.nan]),
        chosen=[2],
    ),
    "no trial": lambda: Parallel([AxisScale("rate", ())], [], np.empty(0)),
    "time to target": lambda: TimeToTarget(
        [Times("fop", np.array([100.0, 120.0, math.inf])), Times("momentum", np.array([1500.0, math.nan, math.inf]))],
        "steps to 95 %",
    ),
    "none reached": lambda: TimeToTarget(
        [Times("fop", np.array([math.inf])), Times("adam", np.array([math.nan]))], "s"
    ),
    "performance profile": lambda: PerformanceProfile(
        [
            Profile("fop", np.array([1.0, 1.5]), np.array([0.5, 1.0]), 4),
            Profile("momentum", np.array([1.2]), np.array([0.75]), 4),
            Profile("adam", np.empty(0), np.empty(0), 4),
        ]
    ),
    "pairwise": lambda: Pairwise(
        [
            DrawnDifference("FOP less Momentum", "fop", 0.01, 0.004, 0.016, 0.0004, 5, True),
            DrawnDifference("Adam less Momentum", "adam", -0.002, -0.01, 0.006, 0.6, 5, False),
            DrawnDifference(hostile("one"), "sgd", math.nan, math.nan, math.nan, math.nan, 1, False),
        ],
        "test accuracy",
        detectable=0.005,
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_each_is_drawn_for_a_page_and_for_print_whatever_is_missing(name):
    drawing = FIGURES[name]()
    assert drawing.alt
    for figure in drawing.screens().values():
        assert figure.to_json()
    assert print_style.save(drawing.paper(), "svg", drawing.alt).startswith(b"<?xml")


@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0, math.inf, math.nan]), min_size=3, max_size=3), min_size=1))
@settings(max_examples=60, deadline=None)
def test_seeds_come_to_the_mean_of_the_finite_ones_and_the_number_of_lost_ones(values):
    of = over_seeds(np.array(values))
    for row, mean, std, n, lost in zip(values, *of):
        finite = [value for value in row if math.isfinite(value)]
        assert (n, lost) == (len(finite), sum(map(math.isinf, row)))
        assert mean == pytest.approx(np.mean(finite)) if finite else math.isnan(mean)
        assert std == pytest.approx(np.std(finite, ddof=1)) if n > 1 else math.isnan(std)


def test_a_cell_is_outlined_where_the_means_differ_by_more_than_the_larger_std():
    without = np.array([[[0.90, 0.92], [0.90, 0.92], [0.90, 0.92]], [[0.90, 0.92], [0.9, 0.9], [0.9, math.nan]]])
    with_ = np.array([[[0.94, 0.96], [0.905, 0.925], [0.84, 0.85]], [[0.99, math.inf], [0.9, 0.9], [0.99, 0.99]]])
    made = grids(with_, without)
    assert made.better().tolist() == [[1, 0, -1], [0, 0, 0]], "not where a seed diverged, nor without a std of both"
    assert grids(with_, without, higher=False).better().tolist() == [[-1, 0, 1], [0, 0, 0]]
    difference = made.panels()[2]
    assert [cell.outline for cell in difference.cells[:3]] == ["better", "", "worse"]
    dashes = [shape.line.dash for shape in list(made.screens().values())[2].layout.shapes if shape.line.width == 2.5]
    assert dashes == ["solid", "4px,3px"], "both are outlined, and differ by more than colour"


def test_a_cell_with_a_diverged_seed_is_hatched_and_says_so_and_a_missing_one_is_a_gap():
    with_ = np.full((2, 3, 2), 0.9)
    with_[0, 0] = (math.inf, 0.9)
    with_[1, 1] = math.nan
    ours, _, difference = grids(with_, np.full((2, 3, 2), 0.8)).panels()
    cells = {(cell.row, cell.column): cell for cell in ours.cells}
    assert cells[0, 0].lost and cells[0, 0].texts == ("✕ 1 of 2",) and "the others: 90.00" in cells[0, 0].hover
    assert (1, 1) not in cells and len(cells) == 5
    assert [cell.lost for cell in difference.cells].count(True) == 1
    assert {cell.texts for cell in difference.cells if not cell.lost} == {("+10.00",)}


def test_with_and_without_have_one_range_of_colours_and_the_difference_is_centred_at_0():
    ours, theirs, difference = grids().panels()
    assert ours.limits == theirs.limits
    assert difference.limits[0] == -difference.limits[1]
    assert _color(0.0, (-1, 1), DIVERGING) == "#FFFFFF"


@pytest.mark.parametrize("colors", [SEQUENTIAL, DIVERGING])
def test_a_number_can_be_read_on_every_colour_of_a_cell(colors):
    for value in np.linspace(-1, 1, 101):
        color = _color(float(value), (-1, 1), colors)
        assert contrast(_ink(color), color) > 4.5, (value, color)


def test_grids_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"without has the shape \[2, 2, 1\]: give \[2, 3, seeds\]"):
        grids(without=np.ones((2, 2, 1)))


def test_a_rate_at_which_a_seed_diverged_has_a_cross_and_no_point():
    [figure] = FIGURES["sensitivity"]().screens().values()
    crosses = [trace for trace in figure.data if trace.marker.symbol == "x-thin"]
    assert [list(trace.x) for trace in crosses] == [[1.0], [1.0]]
    assert "diverged: 1 of 2" in crosses[0].text[0] and "diverged: 2 of 2" in crosses[1].text[0]
    points = [trace for trace in figure.data if trace.marker.symbol in ("circle", "triangle-up")]
    assert all(math.isnan(trace.y[2]) for trace in points)
    assert len({trace.marker.symbol for trace in points}) == 2, "methods differ by symbols as well"


def test_what_missed_the_target_counts_as_infinite_in_the_median():
    assert Times("fop", np.array([1.0, 3.0, math.inf])).median == 3
    assert Times("fop", np.array([1.0, 3.0, math.inf, math.inf])).median == math.inf
    assert Times("fop", np.array([1.0, math.nan])).median == 1
    [figure] = FIGURES["time to target"]().screens().values()
    assert [note.text for note in figure.layout.annotations] == ["missed by 1 of 3", "missed by 1 of 2"]


def test_a_profile_is_stairs_from_1_that_hold_to_the_edge():
    lines = {line.label: line for line in FIGURES["performance profile"]()._lines()}
    momentum = lines["Momentum, n = 4"]
    assert np.interp(1.1, momentum.x, momentum.y) == 0
    assert momentum.y[-1] == 0.75 and momentum.x[-1] == lines["FOP, n = 4"].x[-1] > 1.5
    assert not lines["Adam, n = 4"].y.any()


def test_a_difference_is_filled_where_it_is_one_and_hollow_where_it_cannot_be_told_from_0():
    [figure] = FIGURES["pairwise"]().screens().values()
    symbols = [trace.marker.symbol for trace in figure.data if trace.mode == "markers"]
    assert symbols == ["circle", "cross-open", "square-open"]
    assert [note.text for note in figure.layout.annotations] == [
        "p = 0.0004, n = 5",
        "p = 0.60, n = 5",
        "n = 1: no test",
    ]
    assert figure.layout.yaxis.ticktext[2] == "&lt;b>one&lt;/b> &#37;{y} $q$", "no markup of a label's"


def test_a_trial_passes_by_a_setting_it_has_not_and_ends_at_the_foot_where_it_diverged():
    made = FIGURES["parallel"]()
    method, rate, rank, form, result = made.axes()
    assert method.heights.tolist() == [0, 0, 1, 1]
    assert rate.heights.tolist() == [0, 1, 0, 1]
    assert np.isnan(rank.heights[:2]).all() and rank.heights[2:].tolist() == [0, 1]
    assert form.ticks == [(0.0, "a"), (1.0, "b")]
    assert result.heights[1] < 0 and math.isnan(result.heights[3])
    [figure] = made.screens().values()
    momentum = next(trace for trace in figure.data if trace.line.width == 1)
    assert [at for at in momentum.x if at is not None] == [0, 1, 3, 4, 0, 1, 3, 4]
    with pytest.raises(ValueError, match="rows: give as many of each"):
        Parallel([AxisScale("rate", (1,))], ["fop", "sgd"], np.ones(2))


def test_a_scale_is_logarithmic_only_where_it_spreads():
    assert AxisScale("rate", (0.01, 0.1)).log and not AxisScale("rank", (1, 2, 4)).log
    assert AxisScale("flag", (True, False)).numbers is None
    assert AxisScale("x", (0.00001, None, True, "a", [1, 2])).texts == ["1e-5", "none", "yes", "a", "1, 2"]


def test_all_names_of_the_package_are_there():
    assert all(hasattr(studies, name) for name in studies.__all__)
