"""Several seeds as one: means and spreads at each step; a divergence is not averaged away."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core.runs import store
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.series import Series, aggregate

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

NAN, INF = math.nan, math.inf


def attempt(run, steps, **columns):
    """Record an attempt; columns are functions of the step."""
    writer = RunWriter(run, {})
    for step in steps:
        writer.row({"step": step} | {name: function(step) for name, function in columns.items()})
    writer.close()


def same(a, b):
    return np.array_equal(np.asarray(a, np.float64), np.asarray(b, np.float64), equal_nan=True)


def naive(pairs):
    by_x = {}
    for x, values in pairs:
        for at, value in zip(x.tolist(), values.tolist()):
            by_x.setdefault(at, []).append(value)
    rows = []
    for at in sorted(by_x):
        values = by_x[at]
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else NAN
        rows.append((at, mean, spread, len(values)))
    return [np.array(part) for part in zip(*rows)] if rows else [np.empty(0)] * 4


seeds_of = st.lists(
    st.dictionaries(st.integers(0, 12), st.floats(-1e6, 1e6) | st.sampled_from([NAN, INF, -INF]), max_size=10).map(
        lambda values: Series(
            np.array(sorted(values), np.int64), np.array([values[x] for x in sorted(values)], np.float64)
        )
    ),
    max_size=5,
)


@settings(max_examples=300)
@given(seeds_of, st.booleans())
def test_aggregate_is_what_loops_give(pairs, epochs):
    if epochs:
        pairs = [(x / 3, values) for x, values in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aggregated = aggregate(pairs)
    x, mean, std, count = naive(pairs)
    assert aggregated.x.tolist() == x.tolist()
    assert aggregated.count.tolist() == count.tolist()
    np.testing.assert_allclose(aggregated.mean, mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(aggregated.std, std, rtol=1e-9, atol=1e-6)


def test_one_seed_says_nothing_of_the_spread():
    aggregated = aggregate([(np.array([1, 2]), np.array([3.0, 4.0])), (np.array([2, 3]), np.array([6.0, 5.0]))])
    assert aggregated.x.tolist() == [1, 2, 3] and aggregated.x.dtype == np.int64
    assert aggregated.mean.tolist() == [3, 5, 5] and aggregated.count.tolist() == [1, 2, 1]
    assert same(aggregated.std, [NAN, math.sqrt(2), NAN])


def test_a_seed_that_diverged_is_not_averaged_away():
    steps = np.array([1, 2, 3])
    aggregated = aggregate([(steps, np.array([1.0, NAN, INF])), (steps, np.array([3.0, 1.0, 1.0]))])
    assert same(aggregated.mean, [2, NAN, INF]) and same(aggregated.std, [math.sqrt(2), NAN, NAN])
    assert aggregated.count.tolist() == [2, 2, 2]


def test_of_no_seed_there_is_nothing():
    for aggregated in (aggregate([]), aggregate([(np.empty(0, np.int64), np.empty(0))])):
        assert [len(part) for part in (aggregated.x, aggregated.mean, aggregated.std, aggregated.count)] == [0] * 4


@pytest.mark.parametrize(
    ("x", "values"),
    [([1, 1], [1, 2]), ([1, 2], [1]), ([NAN], [1]), ([[1]], [[1]]), (1, 2)],
    ids=["twice", "lengths", "NaN", "two dimensions", "numbers"],
)
def test_x_that_does_not_fit_is_refused(x, values):
    whole = np.array([1.0]), np.array([1.0])
    with pytest.raises(ValueError, match="series 1 has"):
        aggregate([whole, (np.array(x, np.float64), np.array(values, np.float64))])


def test_seeds_of_runs_by_step_and_by_epoch(tmp_path):
    runs = [store.create({"seed": seed}, folder=tmp_path) for seed in range(3)]
    for seed, run in enumerate(runs):
        attempt(run, range(1, 5 + seed), epoch=lambda step: step / 3, loss=lambda step, seed=seed: step + seed)
        run.metrics.update()
    by_step = aggregate([run.metrics["loss"] for run in runs])
    by_epoch = aggregate([run.metrics.over("epoch", "loss") for run in runs])
    assert by_step.x.tolist() == [1, 2, 3, 4, 5, 6] and by_step.count.tolist() == [3, 3, 3, 3, 2, 1]
    assert by_epoch.x.tolist() == [step / 3 for step in range(1, 7)]
    assert same(by_step.mean, [2, 3, 4, 5, 6.5, 8]) and same(by_step.mean, by_epoch.mean)
    assert same(by_step.std, [1, 1, 1, 1, math.sqrt(0.5), NAN])
