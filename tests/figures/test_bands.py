"""The median and quartiles of several seeds are those of all of them at every step, whatever became of each."""

import math

import numpy as np
import pytest

from fop_core.figures import bands, interactive, landscape, paper
from fop_core.figures.bands import band, median_run, quartiles
from fop_core.figures.style import METHODS
from fop_core.figures.trajectories import downsampled
from fop_core.optim.rules import SGD, Momentum
from toy_functions import Race, race, surfaces

SEEDS = 5
NAMES = {"SGD": "sgd", "Momentum": "momentum"}


def noisy(tolerance: float, steps: int = 120, rate: float = 0.03) -> Race:
    rules = {"SGD": SGD(rate), "Momentum": Momentum(rate / 3)}
    return Race(surfaces.BOOTH, (0.0, -4.0), rules, tolerance=tolerance, max_steps=steps, noise=5.0)


def all_of(settings: Race, name: str):
    return [
        race(Race(**(vars(settings) | {"seed": seed, "rules": {name: settings.rules[name]}})))[name]
        for seed in range(SEEDS)
    ]


def bands_of(settings: Race):
    trajectories = {name: all_of(settings, name) for name in settings.rules}
    return [
        band(NAMES[name], [each.losses for each in of_name], [each.status for each in of_name])
        for name, of_name in trajectories.items()
    ], trajectories


def runs_of(settings: Race):
    return [
        downsampled(NAMES[name], each.points, each.losses, each.status, None) for name, each in race(settings).items()
    ]


def test_quartiles_are_numpys_and_infinity_is_above_all():
    values = np.random.default_rng(0).standard_normal((7, 40))
    np.testing.assert_allclose(quartiles(values), np.quantile(values, [0.25, 0.5, 0.75], axis=0), rtol=1e-12)
    lost = np.array([1.0, 2.0, 3.0, math.inf, math.inf])
    assert quartiles(lost).tolist() == [2.0, 3.0, math.inf]
    assert quartiles(np.array([1.0, math.inf])).tolist() == [math.inf] * 3, "between 1 and infinity is infinity"
    assert quartiles(np.full(4, math.inf)).tolist() == [math.inf] * 3
    assert quartiles(np.array([2.0])).tolist() == [2.0] * 3


def test_a_band_is_that_of_all_seeds_each_counting_on_with_its_last_f():
    made, trajectories = bands_of(noisy(0.5))
    for each, of_name in zip(made, trajectories.values()):
        assert each.seeds == SEEDS and each.converged > 0
        for at, step in enumerate(each.steps):
            now = [one.losses[min(step, one.steps)] for one in of_name]
            np.testing.assert_allclose(each.losses[:, at], np.quantile(now, [0.25, 0.5, 0.75]), rtol=1e-12)
            lowest = [one.losses[: step + 1].min() for one in of_name]
            np.testing.assert_allclose(each.lowest[:, at], np.quantile(lowest, [0.25, 0.5, 0.75]), rtol=1e-12)
        steps = sorted(one.steps if one.status == "converged" else math.inf for one in of_name)
        assert each.ends == (steps[1], steps[2], steps[3])
        assert each.steps[-1] == max(one.steps for one in of_name)


def test_a_long_band_is_drawn_at_few_steps_of_both_kinds_of_axis():
    losses = [np.arange(50_000.0, 0, -1)] * 2
    each = band("sgd", losses, ["step limit"] * 2)
    assert len(each.steps) <= 2 * bands.POINTS + 1 and {0, 1, 2, 10, 49_999} <= set(each.steps.tolist())
    np.testing.assert_array_equal(each.losses[1], losses[0][each.steps])


def test_where_most_diverge_the_median_does():
    growing = [np.array([1.0, 10.0, 1e3, math.inf]), np.array([1.0, 20.0, math.nan]), np.array([1.0, 0.5, 0.25, 0.2])]
    each = band("sgd", growing, ["diverged", "diverged", "step limit"])
    assert each.diverged == 2 and each.converged == 0 and each.ends == (math.inf,) * 3
    np.testing.assert_array_equal(each.losses[1], [1.0, 10.0, 1e3, math.inf])
    run = downsampled("sgd", np.zeros((4, 2)), np.array([1.0, 0.5, 0.25, 0.2]), "step limit")
    median = median_run(run, each)
    assert (median.status, median.steps, median.losses.tolist()) == ("diverged", 3, [1.0, 10.0, 1e3])
    figure = interactive.losses([median], 0.0, 1e-6, bands=[each])
    area, _ = figure.data
    assert np.isfinite(area.y).all()


def test_a_seed_that_diverged_does_not_stretch_the_axis():
    steps = np.arange(200)
    settled = [10.0 * 0.97**steps, 12.0 * 0.97**steps]
    each = band("sgd", [*settled, 10.0 ** (1.5 * steps)], ["step limit"] * 2 + ["diverged"])
    run = downsampled("sgd", np.zeros((200, 2)), settled[0], "step limit")
    figure = interactive.losses([median_run(run, each)], 0.0, 1e-6, bands=[each])
    low, high = figure.layout.yaxis.range
    area, _ = figure.data
    assert -4 < low and high < 2 and np.log10(area.y).max() > high and np.isfinite(area.y).all()


@pytest.mark.parametrize("log_steps", [True, False])
@pytest.mark.parametrize("log_loss", [True, False])
def test_losses_are_medians_in_the_area_between_quartiles_and_the_axis_says_of_how_many(log_steps, log_loss):
    settings = noisy(1e-6)
    made, _ = bands_of(settings)
    medians = [median_run(run, each) for run, each in zip(runs_of(settings), made)]
    figure = interactive.losses(medians, 0.0, 1e-6, log_steps, "key", log_loss, made)
    areas, lines = figure.data[:2], figure.data[2:]
    assert figure.layout.yaxis.title.text == f"loss f, median of {SEEDS} seeds"
    first = 1 if log_steps else 0
    for area, line, each in zip(areas, lines, made):
        assert area.fill == "toself" and area.legendgroup == line.legendgroup == each.rule
        assert area.line.dash == METHODS[each.rule].dash, "colour is not alone"
        np.testing.assert_array_equal(line.y, each.losses[1, first:])
        count = len(line.y)
        np.testing.assert_array_equal(area.y[:count], each.losses[0, first:])
        np.testing.assert_array_equal(area.y[count:][::-1], each.losses[2, first:])
        low, high = figure.layout.yaxis.range
        shown = np.log10(area.y) if log_loss else np.asarray(area.y)
        assert low <= shown.min() and shown.max() <= high, "the axis has room for all of it"
    assert [each.text for each in figure.layout.annotations] == ["SGD > 120", "Momentum > 120"]


def test_steps_to_a_tolerance_are_the_median_of_those_of_the_seeds():
    settings = noisy(0.0)
    made, trajectories = bands_of(settings)
    medians = [median_run(run, each, lowest=True) for run, each in zip(runs_of(settings), made)]
    figure = interactive.steps_to_tolerance(medians, 0.0, True, "key", made)
    assert figure.layout.yaxis.title.text == f"steps, median of {SEEDS} seeds"
    areas, lines = figure.data[:2], figure.data[2:]
    for area, line, of_name in zip(areas, lines, trajectories.values()):
        assert area.fill == "toself"
        for x, steps in list(zip(line.x, line.y))[:: max(1, len(line.x) // 9)]:
            tolerance = 10**-x * (1 + 1e-9)
            hits = [np.flatnonzero(one.losses < tolerance)[:1] for one in of_name]
            assert np.median([hit[0] if hit.size else math.inf for hit in hits]) == steps


def test_a_figure_for_print_has_the_areas_and_says_of_how_many_seeds():
    settings = noisy(1e-6)
    made, _ = bands_of(settings)
    runs = runs_of(settings)
    ground = landscape.survey(surfaces.BOOTH.value, 0.0, surfaces.BOOTH.view)
    options = {"bands": made, "path_of": "seed 0"}
    figure = paper.race_figure(ground, runs, (0.0, -4.0), surfaces.BOOTH.minima, 0.0, 1e-6, **options)
    paths, losses = figure.axes
    assert losses.get_ylabel() == f"loss $f$, median of {SEEDS} seeds" and "seed 0" in paths.get_xlabel()
    assert len(losses.patches) == 2
    plain = paper.race_figure(ground, runs, (0.0, -4.0), surfaces.BOOTH.minima, 0.0, 1e-6)
    assert plain.axes[1].get_ylabel() == "loss $f$" and not plain.axes[1].patches
    assert paper.save(figure, "pdf").startswith(b"%PDF-")
