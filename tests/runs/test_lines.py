"""What is drawn of runs: one line for each group, its mean and spread, smoothed, less a baseline."""

import numpy as np

from fop_core.runs import lines
from fop_core.runs.compare import Curve
from fop_core.runs.lines import extremes, points
from fop_core.runs.loaded import Loaded
from tests.runs.tiny import made


def measured(tmp_path, name: str, *values: float) -> Loaded:
    rows = [{"step": step, "lr": value} for step, value in enumerate(values, start=1)]
    return Loaded(str(made(name, rows, folder=tmp_path).path)).refresh()


def curve(steps, y) -> Curve:
    return Curve(np.array(steps), np.array(steps, float), np.array(y, float))


def test_one_run_is_drawn_as_it_was_measured(tmp_path):
    [line] = points([[measured(tmp_path, "a", 3.0, 2.0, 1.0)]], "step", "lr")
    assert (line.x.tolist(), line.y.tolist()) == ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])
    assert not line.behind and line.band is None and not len(line.broken[0])


def test_seeds_are_their_mean_with_one_sample_deviation_around_it(tmp_path):
    [line] = points([[measured(tmp_path, "a", 1.0, 2.0), measured(tmp_path, "b", 3.0, 2.0)]], "step", "lr")
    assert line.y.tolist() == [2.0, 2.0]
    x, low, high = line.band
    assert x.tolist() == [1.0, 2.0]
    np.testing.assert_allclose([low, high], [[2 - 2**0.5, 2.0], [2 + 2**0.5, 2.0]])
    assert [y.tolist() for _, y in line.behind] == [[1.0, 2.0], [3.0, 2.0]]


def test_the_baselines_mean_is_subtracted_from_every_group_and_from_its_own(tmp_path):
    base, other = measured(tmp_path, "a", 1.0, 2.0), measured(tmp_path, "b", 4.0, 4.0)
    of_base, of_other = points([[base], [other]], "step", "lr", baseline=0)
    assert (of_base.y.tolist(), of_other.y.tolist()) == ([0.0, 0.0], [3.0, 2.0])


def test_nothing_is_drawn_without_the_baseline_and_of_a_group_that_did_not_measure_it(tmp_path):
    one, none = measured(tmp_path, "a", 1.0), measured(tmp_path, "b")
    alone, missing = points([[one], [none]], "step", "lr")
    assert alone is not None and missing is None
    assert points([[one], [none]], "step", "lr", baseline=1) == [None, None]


def test_what_was_smoothed_stands_behind(tmp_path):
    values = [0.0, 1.0] * 20
    [line] = points([[measured(tmp_path, "a", *values)]], "step", "lr", smooth=0.25)
    assert np.ptp(line.y[10:30]) < 0.5
    [(_, behind)] = line.behind
    assert behind.tolist() == values


def test_where_a_value_ceases_to_be_a_number_is_marked_at_the_last_height(tmp_path):
    [line] = points([[measured(tmp_path, "a", 2.0, float("nan"))]], "step", "lr")
    assert (line.broken[0].tolist(), line.broken[1].tolist()) == ([2.0], [2.0])


def test_a_long_line_has_few_points(tmp_path):
    [line] = points([[measured(tmp_path, "a", *np.sin(np.arange(5000.0)).tolist())]], "step", "lr")
    assert 700 < len(line.x) <= 4 * lines.BUCKETS + 2


def test_extremes_are_those_of_the_steps_that_all_measured():
    line = extremes([curve([1, 2, 3], [1, 2, 3]), curve([2, 3, 4], [4, 9, 0]), curve([], [])])
    assert (line.x.tolist(), line.y.tolist()) == ([2.0, 3.0], [3.0, 6.0])
    assert [edge.tolist() for edge in line.band] == [[2.0, 3.0], [2.0, 3.0], [4.0, 9.0]]
    alone = extremes([curve([1, 2], [5, 6])])
    assert alone.y.tolist() == [5.0, 6.0] and alone.band is None
    assert extremes([]) is None and extremes([curve([], [])]) is None
