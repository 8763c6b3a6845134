"""A row's train_loss is the mean since the row before; as a curve each point is over windows of one length."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.series import Series, evened


def rows_of(losses, steps):
    """What a trainer records of each step's loss at some steps: means since the row before."""
    edges = [0, *steps]
    return Series(np.array(steps), np.array([losses[a:b].mean() for a, b in pairwise(edges)]))


def logged(total, every, snapshots):
    """The steps that a trainer logs."""
    return sorted({*range(1, 11), *range(every, total + 1, every), *snapshots, total})


def test_a_snapshot_between_two_rows_makes_no_zigzag():
    rng = np.random.default_rng(0)
    losses = 1 + rng.normal(0, 0.3, 2000)
    steps = logged(2000, 50, [203, 411, 698, 1003, 1402])
    raw = rows_of(losses, steps)
    even = evened(raw, 50)
    late = raw.steps > 50
    assert np.abs(raw.values[late] - 1).max() > 0.2, "a mean of three steps is no mean of fifty"
    assert np.abs(even.values[late] - 1).max() < 0.15
    np.testing.assert_array_equal(even.steps, raw.steps)


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=40, unique=True).map(sorted),
    st.integers(1, 100),
    st.integers(0, 2**32 - 1),
)
def test_each_point_is_the_mean_over_at_least_one_window_and_less_than_a_window_and_a_row(steps, window, seed):
    losses = np.random.default_rng(seed).normal(0, 3, steps[-1])
    even = evened(rows_of(losses, steps), window)
    edges = np.array([0, *steps])
    for step, value in zip(*even):
        starts = edges[edges <= max(0, step - window)]
        assert value == pytest.approx(losses[starts[-1] : step].mean(), abs=1e-9), (step, window)


def test_a_row_that_is_a_window_by_itself_keeps_its_very_number():
    steps = [50, 100, 150, 200]
    raw = Series(np.array(steps), np.array([0.1, 0.2, 0.3, 0.7]))
    np.testing.assert_array_equal(evened(raw, 50).values, raw.values)


def test_what_is_not_finite_stays_so_and_spoils_no_window_after_it():
    steps = np.arange(10, 110, 10)
    values = np.ones(10)
    values[3] = np.nan
    values[6] = np.inf
    even = evened(Series(steps, values), 20).values
    assert np.isnan(even[[3, 4]]).all() and np.isposinf(even[[6, 7]]).all()
    assert (even[[0, 1, 2, 5, 8, 9]] == 1).all()
    huge = evened(Series(steps, np.where(steps == 40, 1e30, 1.0)), 20).values
    assert (huge[5:] == 1).all(), "no rounding of what is long past"


@pytest.mark.parametrize("values", [[], [0.5]])
def test_of_nothing_and_of_one_row_it_is_that(values):
    series = Series(np.arange(1, len(values) + 1), np.array(values))
    np.testing.assert_array_equal(evened(series, 10).values, values)


def test_a_runs_own_window_is_how_often_it_logs_and_other_columns_stay(tmp_path):
    run = store.create({"log_every": 4}, folder=tmp_path)
    writer = RunWriter(run, {})
    for step, loss in ((1, 8.0), (2, 4.0), (4, 2.0), (8, 2.0), (9, 6.0), (12, 2.0)):
        writer.row({"step": step, "train_loss": loss, "train_accuracy": loss / 8, "grad_norm": loss})
    writer.close()
    run.metrics.update()
    assert run.metrics["train_loss"].values.tolist() == [8, 4, 2, 2, 6, 2], "as recorded, for whoever replays it"
    assert run.metrics.evened("train_loss").values.tolist() == [8, 6, 4, 2, 2.8, 3]
    assert run.metrics.evened("train_accuracy").values.tolist() == [1, 0.75, 0.5, 0.25, 0.35, 0.375]
    assert run.metrics.evened("grad_norm").values.tolist() == run.metrics["grad_norm"].values.tolist()


@pytest.mark.parametrize("every", [None, "often", 0, True])
def test_without_a_window_in_its_settings_it_is_as_recorded(tmp_path, every):
    run = store.create({"log_every": every}, folder=tmp_path)
    writer = RunWriter(run, {})
    for step in (1, 2, 4):
        writer.row({"step": step, "train_loss": 1 / step})
    writer.close()
    again = Run(run.path).metrics
    again.update()
    assert again.evened("train_loss").values.tolist() == [1, 1 / 2, 1 / 4]
