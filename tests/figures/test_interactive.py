"""The figures say what the races did: all of it, in the right place, and nothing else."""

import dataclasses
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from fop_core.figures import fair, interactive, landscape, style
from fop_core.figures.learned import axes, learned
from fop_core.figures.motion import MOST, motion
from fop_core.figures.trajectories import PATH_POINTS, downsampled
from fop_core.optim.rules import FOP, RULES, SGD
from toy_functions import Race, presets, race, surfaces

VIEW = surfaces.BOOTH.view


def runs_of(the_race: Race, names: dict[str, str] | None = None):
    kinds = {kind: name for name, kind in RULES.items()}
    return [
        downsampled(kinds[type(the_race.rules[name])], t.points, t.losses, t.status, t.preconditioners)
        for name, t in race(the_race).items()
    ]


@pytest.fixture(scope="module")
def booth():
    return runs_of(presets.PAPER_BOOTH)


@pytest.fixture(scope="module")
def lost():
    return runs_of(Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.3), "FOP": FOP(0.05, 1.0)}))


def survey(surface=surfaces.BOOTH, box=None):
    return landscape.survey(surface.value, surface.floor, box or surface.view)


def lines(figure, role=None):
    return [t for t in figure.data if t.type == "scatter" and t.mode == "lines" and t.meta == role]


def texts(figure):
    return [annotation.text for annotation in figure.layout.annotations]


# Runs


def test_a_run_keeps_start_end_and_every_decade(booth):
    sgd, adam, fop = booth
    assert [run.steps for run in booth] == [832, 6221, 543]
    for run in booth:
        assert run.path_steps[0] == run.loss_steps[0] == 0
        assert run.path_steps[-1] == run.loss_steps[-1] == run.steps
        assert {1, 10, 100} <= set(run.path_steps.tolist())
        assert len(run.path) <= PATH_POINTS + 6
    assert 1000 in adam.path_steps and len(adam.path) < 6221
    assert sgd.eigenvalues is None and fop.eigenvalues.shape == (len(fop.eigen_steps), 2)
    assert (fop.eigenvalues[:, 0] >= fop.eigenvalues[:, 1]).all()


def test_what_is_not_finite_is_left_out_and_not_replaced(lost):
    for run in lost:
        assert run.status == "diverged"
        for drawn in (run.path, run.losses, run.path_losses):
            assert len(drawn) and np.isfinite(drawn).all()
        assert run.loss_steps[-1] < run.steps


def test_a_run_that_is_never_finite_is_empty():
    run = downsampled("sgd", np.full((1, 2), np.nan), np.full(1, np.nan), "diverged")
    assert len(run.path) == len(run.losses) == 0
    assert interactive.losses([run], 0.0, 1e-6).data == ()


# Landscape


def test_levels_are_even_in_the_logarithm_of_f_above_its_floor():
    ground = survey()
    x, y = np.meshgrid(ground.x, ground.y)
    known = ground.heights > ground.bottom
    np.testing.assert_allclose(10 ** ground.heights[known], surfaces.BOOTH.value(x, y)[known], rtol=1e-12)
    assert ground.description == "f grows tenfold every 5 lines"
    shifted = survey(surfaces.STYBLINSKI_TANG)
    assert shifted.description.startswith("f − f* grows tenfold")


def test_levels_are_even_in_f_where_it_is_unbounded_below():
    ground = survey(surfaces.MONKEY_SADDLE)
    x, y = np.meshgrid(ground.x, ground.y)
    np.testing.assert_array_equal(ground.heights, surfaces.MONKEY_SADDLE.value(x, y))
    assert ground.description == "f changes by 2 from line to line"


@pytest.mark.parametrize("surface", surfaces.SURFACES.values(), ids=lambda s: s.name)
def test_every_surface_has_a_moderate_number_of_levels(surface):
    ground = survey(surface)
    contour = landscape.contour(ground)
    count = (contour.contours.end - contour.contours.start) / contour.contours.size
    assert 6 <= count <= landscape.MOST_LEVELS


@pytest.mark.parametrize("surface", surfaces.SURFACES.values(), ids=lambda s: s.name)
def test_a_landscape_says_how_its_heights_are_made_of_f(surface):
    ground = survey(surface)
    x, y = np.meshgrid(ground.x, ground.y)
    f = surface.value(x, y)
    known = ground.base + (10.0**ground.heights if ground.log else ground.heights)
    above = f - ground.base > 1e-9 * np.abs(f).max()
    np.testing.assert_allclose(known[above], f[above], rtol=1e-9, atol=1e-9)
    assert ground.log == math.isfinite(surface.floor)
    assert ground.quantity == ("f − f*" if ground.log and surface.floor else "f")


def test_of_a_function_that_is_the_same_everywhere_that_value_is_known():
    ground = landscape.survey(lambda x, y: 3.0 + 0 * x, 3.0, VIEW)
    assert (ground.base + ground.heights == 3.0).all() and not ground.log


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (lambda x, y: x * math.nan, "f is not finite anywhere here"),
        (lambda x, y: 0 * x, "f is the same everywhere here"),
        (lambda x, y: np.log(x), "f above its lowest value here grows"),
        (lambda x, y: x * x - 5, "f above its lowest value here grows"),
        (lambda x, y: 3.0, "f grows"),
    ],
)
def test_any_function_has_a_landscape(value, words):
    ground = landscape.survey(value, 0.0, (-1.0, 1.0, -1.0, 1.0))
    assert ground.description.startswith(words)
    assert ground.heights.shape == (landscape.GRID, landscape.GRID)
    interactive.ground(ground, [])


def test_a_gap_in_f_is_a_gap_in_the_picture():
    with np.errstate(invalid="ignore"):
        ground = landscape.survey(lambda x, y: np.log(x), 0.0, (-1.0, 1.0, -1.0, 1.0))
    assert np.isnan(ground.heights[:, ground.x < 0]).all()
    assert not np.isnan(ground.heights[:, ground.x > 0]).any()


def test_the_frame_is_the_view_until_something_leaves_it():
    inside = np.array([[0.0, 0.0], [9.0, -9.0]])
    assert landscape.frame(VIEW, (0.0, -4.0), [inside]) == VIEW
    x_min, x_max, y_min, y_max = landscape.frame(VIEW, (0.0, -4.0), [inside, np.array([[11.0, 0.0]])])
    assert x_max == 12.5 and x_min == -10.0
    assert x_max - x_min == y_max - y_min, "it keeps its shape"
    assert landscape.frame(VIEW, (0.0, -4.0), [np.array([[1e9, 0.0]])]) == VIEW, "what is lost does not count"
    assert landscape.frame(VIEW, (100.0, 0.0), [])[1] >= 100, "the start always does"


# The ground, and labels on it


def test_the_ground_is_the_whole_view_with_its_minima():
    figure = interactive.ground(survey(surfaces.HIMMELBLAU), surfaces.HIMMELBLAU.minima, "key")
    by_role = {trace.meta: trace for trace in figure.data if trace.meta}
    assert len(by_role["minimum"].x) == 4
    assert figure.layout.uirevision == "key"
    assert tuple(figure.layout.xaxis.range) == (-6, 6) and tuple(figure.layout.yaxis.range) == (-6, 6)


def test_a_label_stands_at_the_end_of_its_path(booth):
    ends = interactive.ends(VIEW, booth, (0.0, -4.0), surfaces.BOOTH.minima)
    assert [end.text for end in ends] == ["SGD 832", "Adam 6,221", "FOP 543"]
    for end, run in zip(ends, booth):
        np.testing.assert_allclose(end.at, run.path[-1], rtol=1e-6)
    assert len({(end.anchor.dx, end.anchor.dy) for end in ends}) == 3


def test_the_label_of_a_diverged_path_stands_where_it_leaves_the_picture(lost):
    for end in interactive.ends(VIEW, lost, (0.0, -4.0), surfaces.BOOTH.minima):
        assert "diverged at" in end.text
        assert max(map(abs, end.at)) == pytest.approx(10)


# Losses


@pytest.mark.parametrize("log_steps", [True, False])
def test_losses_are_f_above_its_floor_against_the_step(booth, log_steps):
    figure = interactive.losses(booth, 0.0, 1e-6, log_steps, "key")
    assert figure.layout.yaxis.type == "log" and figure.layout.yaxis.title.text == "loss f"
    assert figure.layout.xaxis.type == ("log" if log_steps else "linear")
    for line, run in zip(lines(figure), booth):
        assert line.x[0] == (1 if log_steps else 0) and line.x[-1] == run.steps
        np.testing.assert_array_equal(line.y, line.customdata)
        assert line.y[-1] < 1e-6
    assert texts(figure) == ["SGD 832", "Adam 6,221", "<b>FOP 543</b>"]
    assert figure.layout.shapes[0].y0 == figure.layout.shapes[0].y1 == 1e-6


def test_a_floor_is_named_and_taken_off():
    surface = surfaces.STYBLINSKI_TANG
    figure = interactive.losses(runs_of(Race(surface, (-4.0, -4.0), {"SGD": SGD(0.01)})), surface.floor, 1e-6)
    [line] = lines(figure)
    assert figure.layout.yaxis.title.text == "loss f − f*,  f* = −78.3"
    np.testing.assert_allclose(line.y, line.customdata - surface.floor, rtol=1e-12)


def test_an_exact_zero_stands_at_the_lower_edge_and_hovering_tells_it():
    run = downsampled("sgd", np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 0.0]]), np.array([9.0, 1.0, 0.0]), "converged")
    figure = interactive.losses([run], 0.0, 1e-6)
    [line] = lines(figure)
    assert line.customdata[-1] == 0.0
    assert math.log10(line.y[-1]) == pytest.approx(figure.layout.yaxis.range[0])


def test_below_the_floor_or_without_one_the_axis_is_signed():
    losses = np.array([100.0, 10.0, 0.0, -10.0, -1000.0])
    run = downsampled("sgd", np.zeros((5, 2)), losses, "step limit")
    for floor in (0.0, -math.inf):
        figure = interactive.losses([run], floor, 1e-6, log_steps=False)
        [line] = lines(figure)
        assert figure.layout.yaxis.type == "linear" and not figure.layout.shapes
        assert (np.diff(line.y) < 0).all() and line.y[2] == 0
        ticks = dict(zip(figure.layout.yaxis.ticktext, figure.layout.yaxis.tickvals))
        np.testing.assert_allclose([ticks["100"], ticks["−1,000"]], [line.y[0], line.y[-1]])


def test_a_diverged_run_does_not_stretch_the_axis_and_is_drawn_until_it_leaves(booth, lost):
    figure = interactive.losses([booth[1], *lost], 0.0, 1e-6)
    low, high = figure.layout.yaxis.range
    assert -8 < low < -6 and high < 6
    gone, stayed, far = lines(figure)
    assert stayed.x[-1] == 6221
    for line in (gone, far):
        assert math.log10(line.y[-1]) > high and (np.log10(line.y[:-1]) <= high).all()
    assert all(low <= annotation.y <= high for annotation in figure.layout.annotations)


# Eigenvalues


def test_eigenvalues_of_p_begin_at_one_and_end_where_the_race_ended(booth):
    figure = interactive.eigenvalues(booth)
    lesser, greater = lines(figure)
    assert lesser.line.width < greater.line.width
    final = np.linalg.eigvalsh(race(presets.PAPER_BOOTH)["FOP"].preconditioners[-1])
    np.testing.assert_allclose([lesser.y[-1], greater.y[-1]], final, rtol=1e-6)
    assert texts(figure) == [f"<b>FOP {style.number(final[1])}, {style.number(final[0])}</b>"]
    linear = interactive.eigenvalues(booth, log_steps=False)
    assert [line.y[0] for line in lines(linear)] == [1, 1]


def test_where_no_p_is_learned_there_is_no_such_picture(booth):
    assert interactive.eigenvalues(booth[:2]) is None


def test_eigenvalues_that_ran_away_do_not_stretch_the_axis(lost):
    figure = interactive.eigenvalues(lost)
    assert figure.layout.yaxis.range[1] < 20
    assert texts(figure) == ["<b>FOP diverged</b>"]


# Other pictures of losses


def test_losses_can_be_shown_as_they_are(booth):
    figure = interactive.losses(booth, 0.0, 1e-6, log_loss=False)
    low, high = figure.layout.yaxis.range
    assert figure.layout.yaxis.type == "linear" and low < 0 < booth[0].losses[0] < high


def test_steps_to_tolerance_are_the_steps_after_which_f_was_below_it(booth):
    figure = interactive.steps_to_tolerance(booth, 0.0)
    for line, run in zip(figure.data, booth):
        for x, steps in zip(line.x[:: len(line.x) // 5], line.y[:: len(line.x) // 5]):
            tolerance = 10**-x * (1 + 1e-9)
            assert run.losses[run.loss_steps <= steps].min() <= tolerance
            assert not (run.losses[run.loss_steps < steps] < tolerance * (1 - 1e-6)).any()
    assert texts(figure) == ["SGD 832", "Adam 6,221", "<b>FOP 543</b>"]


# What was learned


def test_axes_of_a_matrix_are_its_eigenvectors_and_eigenvalues():
    turn = np.radians(30)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    ellipses = axes(
        np.stack([rotation @ np.diag(d) @ rotation.T for d in ([3, 1], [1, -5])] + [np.full((2, 2), np.nan)])
    )
    np.testing.assert_allclose(ellipses[0], [turn, 3, 1])
    np.testing.assert_allclose(ellipses[1], [turn - np.pi / 2, -5, 1])
    assert np.isnan(ellipses[2]).all()


def test_what_a_run_learned_is_that_of_its_own_points():
    surface = surfaces.HIMMELBLAU
    result = race(presets.PAPER_HIMMELBLAU)["FOP"]
    series = learned(result.points, result.preconditioners, surface.gradient, surface.hessian)
    assert series.steps[0] == 0 and series.steps[-1] == result.steps
    np.testing.assert_allclose(series.P[0, 1:], 1)
    for at, step in enumerate(series.steps[:: len(series.steps) // 7]):
        at = int(np.searchsorted(series.steps, step))
        P = result.preconditioners[step].astype(float)
        np.testing.assert_allclose(sorted(series.P[at, 1:]), np.linalg.eigvalsh(P), rtol=1e-9)
        H = np.array(surface.hessian(*map(float, result.points[step])))
        np.testing.assert_allclose(sorted(series.H[at, 1:]), np.linalg.eigvalsh(H), rtol=1e-9)
        g = np.array(surface.gradient(*map(float, result.points[step])))
        cosine = g @ P @ g / np.linalg.norm(g) / np.linalg.norm(P @ g)
        assert series.angles[at] == pytest.approx(np.degrees(np.arccos(np.clip(cosine, -1, 1))), abs=1e-4)
    figure = interactive.angles([(booth_run("fop", result), series)])
    assert figure.data[0].y.max() > 1 and "°" in figure.layout.annotations[0].text
    assert interactive.angles([]) is None


def booth_run(name, result):
    return downsampled(name, result.points, result.losses, result.status, result.preconditioners)


def test_a_long_run_is_learned_from_at_some_steps_with_the_extremes_of_P():
    P = np.broadcast_to(np.eye(2), (50_000, 2, 2)).copy()
    P[31_415] = 7 * np.eye(2)
    points = np.ones((50_000, 2))
    series = learned(points, P, surfaces.BOOTH.gradient, surfaces.BOOTH.hessian)
    assert len(series.steps) < 1500 and 31_415 in series.steps
    assert series.P[:, 1].max() == 7


# What is played


def test_motion_holds_every_point_of_a_race_and_the_directions_there():
    result = race(presets.PAPER_BOOTH)["FOP"]
    trajectory = motion(result.points, result.losses, result.preconditioners, surfaces.BOOTH.gradient)
    assert not trajectory.downsampled and trajectory.points.dtype == np.float32
    np.testing.assert_array_equal(trajectory.points, result.points)
    np.testing.assert_array_equal(trajectory.losses, result.losses)
    np.testing.assert_array_equal(trajectory.steps, np.arange(544))
    g = np.array(surfaces.BOOTH.gradient(*map(float, result.points[100])))
    pg = result.preconditioners[100].astype(float) @ g
    assert trajectory.gradient[100] == pytest.approx(np.arctan2(g[1], g[0]), abs=1e-6)
    assert trajectory.preconditioned[100] == pytest.approx(np.arctan2(pg[1], pg[0]), abs=1e-6)
    assert trajectory.H is None


def test_motion_has_what_each_step_is_made_of():
    surface, rule = surfaces.ROSENBROCK, FOP(0.001, 0.001)
    result = race(Race(surface, (-1.2, 1.0), {"": rule}, max_steps=300))[""]
    made = motion(result.points, result.losses, result.preconditioners, surface.gradient, surface.hessian)
    for step in (0, 150, 299):
        x = result.points[step]
        np.testing.assert_array_equal(made.g[step], np.float32(surface.gradient(*x)))
        np.testing.assert_array_equal(made.P[step], result.preconditioners[step][[0, 0, 1], [0, 1, 1]])
        np.testing.assert_array_equal(made.H[step], np.array(surface.hessian(*x))[[0, 0, 1], [0, 1, 1]])
        P = np.array([made.P[step][:2], made.P[step][1:]])
        np.testing.assert_allclose(made.moves[step], -rule.lr * P @ made.g[step], rtol=1e-6)
    assert np.isnan(made.moves[300]).all() and np.isfinite(made.moves[:300]).all()
    noise = np.random.default_rng(0).standard_normal((300, 2))
    noisy = motion(result.points, result.losses, None, surface.gradient, surface.hessian, noise)
    np.testing.assert_allclose(noisy.g[:300], made.g[:300] + noise, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(noisy.gradient, made.gradient)
    assert noisy.P is None and noisy.H is None


def test_motion_of_a_long_run_has_the_very_steps_of_the_points_that_are_kept():
    walk = np.cumsum(np.random.default_rng(0).standard_normal((30_001, 2)), axis=0)
    made = motion(walk, walk[:, 0], None, surfaces.BOOTH.gradient)
    assert made.downsampled
    np.testing.assert_allclose(made.moves[:-1], np.diff(walk, axis=0)[made.steps[:-1]], rtol=1e-6)


def test_motion_of_a_very_long_run_is_thinned_and_keeps_start_end_and_marked_steps():
    walk = np.cumsum(np.random.default_rng(0).standard_normal((100_001, 2)), axis=0)
    trajectory = motion(walk, walk[:, 0], None, surfaces.BOOTH.gradient)
    assert trajectory.downsampled and len(trajectory.steps) <= MOST and trajectory.preconditioned is None
    assert {0, 1, 10, 100, 1000, 10_000, 100_000} <= set(trajectory.steps.tolist())
    np.testing.assert_array_equal(trajectory.points, walk[trajectory.steps].astype(np.float32))


def test_motion_leaves_out_what_is_not_finite():
    points = np.array([[0.0, 0.0], [1.0, 2.0], [np.inf, 0.0]])
    assert len(motion(points, np.array([1.0, 2.0, np.inf]), None, surfaces.BOOTH.gradient).steps) == 2


# The fair race


def test_the_best_rate_is_marked_and_said():
    rates = np.geomspace(0.001, 1, 7)
    steps = np.array([np.nan, 900, 300, 40, 120, np.nan, np.nan])
    figure = fair.rates(
        [
            fair.RuleRates("sgd", rates, steps, 0.01, rates[3], "an island: neighbours diverge"),
            fair.RuleRates("fop", rates, np.full(7, np.nan), 0.01, None),
        ]
    )
    assert texts(figure) == ["SGD 40 at 0.0316"]
    line, best, current = figure.data
    assert np.isnan(line.y[0]) and best.y[0] == 40 and current.y[0] == 300
    assert best.hovertemplate.endswith("steps<br>an island: neighbours diverge<extra></extra>")
    assert line.hovertemplate == current.hovertemplate and line.hovertemplate.endswith("steps<extra></extra>")


# Runs that a browser can hide


@pytest.mark.parametrize("draw", [interactive.losses, interactive.steps_to_tolerance])
def test_lines_and_labels_are_grouped_by_the_rules_of_their_runs(booth, draw):
    figure = draw(booth, 0.0, 1e-6) if draw is interactive.losses else draw(booth, 0.0)
    assert [trace.legendgroup for trace in figure.data] == ["sgd", "adam", "fop"]
    assert [annotation.name for annotation in figure.layout.annotations] == ["sgd", "adam", "fop"]
    both = interactive.eigenvalues(booth)
    assert {trace.legendgroup for trace in both.data} == {"fop"} and both.layout.annotations[0].name == "fop"


# Light and dark, size


def test_every_role_of_a_trace_is_known_to_both_themes(booth):
    figures = [
        interactive.ground(survey(), surfaces.BOOTH.minima),
        fair.rates([fair.RuleRates("sgd", np.array([0.01, 0.1]), np.array([90.0, 9.0]), 0.01, 0.1)]),
    ]
    roles = {trace.meta for figure in figures for trace in figure.data if trace.meta}
    assert roles == {"minimum", "step"}
    for theme in style.themes().values():
        assert roles == theme["roles"].keys()
        json.dumps(theme)


def test_the_longest_race_of_all_rules_stays_small():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.standard_normal((100_001, 2)), axis=0) / 100
    matrices = np.eye(2) + 0.01 * np.cumsum(rng.standard_normal(100_001))[:, None, None] * np.eye(2)
    losses = np.abs(rng.standard_normal(100_001)) + 1e-3
    runs = [downsampled(name, walk, losses, "step limit", matrices if "hd" in name else None) for name in style.METHODS]
    runs = [dataclasses.replace(run, rule=name) for run, name in zip(runs, style.METHODS)]
    ground = survey(box=landscape.frame(VIEW, (0.0, 0.0), [run.path for run in runs]))
    sizes = [
        len(interactive.ground(ground, surfaces.BOOTH.minima).to_json()),
        len(interactive.losses(runs, 0.0, 1e-6).to_json()),
        len(interactive.eigenvalues(runs).to_json()),
    ]
    assert sum(sizes) < 1_500_000, sizes


def test_figures_need_neither_torch_nor_streamlit():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['streamlit'] = None\n"
        "from fop_core.figures import interactive, landscape, trajectories\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
