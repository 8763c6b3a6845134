"""Minima that a surface does not name are known by where many paths ended."""

from dataclasses import replace

import numpy as np
import pytest

from fop_core.optim.rules import SGD
from toy_functions import basins, surfaces
from toy_functions.ends import find_ends, is_minimum, local_minima

HIMMELBLAU = surfaces.HIMMELBLAU
UNNAMED = replace(HIMMELBLAU, minima=HIMMELBLAU.minima[:1])


@pytest.fixture(scope="module")
def batch() -> basins.Batch:
    return basins.basins(UNNAMED, {"": SGD(0.01)}, columns=32, rows=32, max_steps=500)[""]


@pytest.mark.parametrize("surface", [HIMMELBLAU, surfaces.STYBLINSKI_TANG, surfaces.THREE_HUMP_CAMEL])
def test_named_minima_are_minima_and_what_is_beside_them_is_none(surface):
    for x, y in surface.minima + surface.local_minima:
        assert is_minimum(surface, x, y) and is_minimum(surface, x + 0.01, y - 0.01)
        assert not is_minimum(surface, x + 0.3, y)


@pytest.mark.parametrize("at", [(-0.127961, -1.953715), (0.086678, 2.884255)], ids=["saddle", "another saddle"])
def test_a_saddle_is_no_minimum(at):
    assert is_minimum(HIMMELBLAU, *at) is False


def test_neither_the_top_of_a_hill_nor_what_is_not_finite_is_a_minimum():
    assert not is_minimum(HIMMELBLAU, -0.270845, -0.923039)
    lost = replace(HIMMELBLAU, gradient=lambda x, y: (np.nan, np.nan))
    assert not is_minimum(lost, 3.0, 2.0)


def test_minima_that_are_not_named_come_from_left_to_right_and_their_paths_are_counted(batch):
    ends = find_ends(UNNAMED, [batch], 1e-6)
    np.testing.assert_allclose(ends.extra_minima, sorted(HIMMELBLAU.minima[1:]), atol=0.01)
    assert ends.minima == (*UNNAMED.minima, *ends.extra_minima)
    assert ends.surface.local_minima == ends.extra_minima and ends.surface.minima == UNNAMED.minima
    assert ends.lowest == [True] * 4
    [counted] = ends.batches
    assert set(np.unique(batch.minimum)) == {-1, 0} and set(np.unique(counted.minimum)) >= {0, 1, 2, 3}
    np.testing.assert_array_equal(counted.minimum == 0, batch.minimum == 0)
    converged = counted.status == basins.CONVERGED
    assert (counted.minimum[converged] >= 0).all()


def test_a_minimum_above_the_floor_is_not_the_lowest(batch):
    lower = replace(UNNAMED, floor=-1.0)
    assert find_ends(lower, [batch], 1e-6).lowest == [True, False, False, False]


def test_known_minima_come_first_in_their_order_and_no_more_are_sought_than_wanted(batch):
    others = (HIMMELBLAU.minima[3],)
    ends = find_ends(UNNAMED, [batch], 1e-6, others=others)
    assert ends.extra_minima[0] == others[0] and len(ends.extra_minima) == 3
    assert len(find_ends(UNNAMED, [batch], 1e-6, most=2).extra_minima) == 1
    assert local_minima(UNNAMED, [batch], (), most=1) == []


def test_where_few_paths_stop_on_their_way_there_is_no_minimum():
    batch = basins.basins(surfaces.ROSENBROCK, {"": SGD(1e-4)}, columns=16, rows=16, max_steps=50)[""]
    assert find_ends(surfaces.ROSENBROCK, [batch], 1e-6).extra_minima == ()
