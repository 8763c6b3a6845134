"""What is said to stand out in a P: certainly there in matrices made so by hand, and certainly not in others."""

import math

import numpy as np
import pytest

from fop_core import inspection, observations
from fop_core.observations import LayerMeasures, Observation

STEPS = np.array([0, 100, 200, 300])
GRID = (3, 3)
ONES = np.ones((9, 9)) / 9


def measured(*matrices: np.ndarray, grid: tuple[int, int] | None = GRID, steps: np.ndarray = STEPS) -> LayerMeasures:
    P = np.stack(matrices)
    n, steps = P.shape[-1], steps[: len(P)]
    return observations.measure(n, steps, P.__getitem__, grid, steps, inspection.eigenvalues(P))


def kinds(of: list[Observation]) -> list[str]:
    return [each.kind for each in of]


def without_constant(gain: float) -> np.ndarray:
    """I but for the constant direction, whose gain is given."""
    return np.eye(9) + (gain - 1) * ONES


def whitening(beside: float) -> np.ndarray:
    """I with an entry between all neighbours of a 3 x 3 kernel."""
    masks = inspection.pairs(GRID)
    return np.eye(9) + beside * (masks["row_neighbours"] | masks["column_neighbours"])


# a direction's gain ---------------------------------------------------------------------------------------------------


def test_the_gain_of_an_eigenvector_is_its_eigenvalue_however_long_it_is():
    vectors, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))
    values = np.array([0.1, 0.5, 1.0, 2.0, -3.0])
    P = vectors * values @ vectors.T
    for vector, value in zip(vectors.T, values):
        assert observations.gain(P, 7 * vector) == pytest.approx(value, abs=1e-12)
        others = (values.sum() - value) / 4
        assert observations.other_gain(P, 7 * vector) == pytest.approx(others, abs=1e-12)


def test_a_direction_of_one_has_no_other():
    assert math.isnan(observations.other_gain(np.array([[2.0]]), np.ones(1)))


# the constant direction -----------------------------------------------------------------------------------------------


def test_a_constant_direction_that_closes_is_said_with_both_gains_and_the_step():
    of = measured(*map(without_constant, (1.0, 0.4, 0.012, 0.011)))
    [constant] = [each for each in observations.over_steps(of) if each.kind == "constant"]
    assert (constant.first, constant.step, constant.last, constant.n) == (0, 200, 300, 9)
    assert constant.against == pytest.approx(1.0) and constant.value == pytest.approx(0.012)


def test_a_constant_direction_that_grows_is_said_too():
    of = measured(*map(without_constant, (1.0, 10.0, 40.0)))
    [constant] = observations.over_steps(of)
    assert constant.kind == "constant" and constant.value == pytest.approx(40.0) and constant.step == 200


def test_a_P_that_shrinks_everything_alike_has_no_constant_direction_that_stands_out():
    assert "constant" not in kinds(observations.over_steps(measured(np.eye(9), 0.01 * np.eye(9))))


def test_a_constant_direction_that_came_back_is_not_said_to_be_closed():
    assert "constant" not in kinds(observations.over_steps(measured(*map(without_constant, (1.0, 0.01, 0.9)))))


def test_by_a_step_means_from_that_step_on():
    of = measured(*map(without_constant, (1.0, 0.01, 0.5, 0.01)))
    assert observations.over_steps(of)[0].step == 300


def test_a_gain_that_never_changed_is_of_the_first_step():
    [constant] = observations.over_steps(measured(*[without_constant(0.05)] * 3))
    assert (constant.step, constant.value, constant.against) == (0, pytest.approx(0.05), pytest.approx(0.05))


def test_the_bound_of_the_constant_direction_is_a_factor_of_two():
    for gain, says in ((0.49, True), (0.51, False), (1.99, False), (2.01, True)):
        assert ("constant" in kinds(observations.at_step(measured(np.eye(9), without_constant(gain)), 100))) == says


def test_another_direction_than_the_constant_one_is_not_taken_for_it():
    wave = np.tile([1.0, 0.0, -1.0], 3) / math.sqrt(6)
    assert "constant" not in kinds(
        observations.over_steps(measured(np.eye(9), np.eye(9) - 0.99 * np.outer(wave, wave)))
    )


# neighbours -----------------------------------------------------------------------------------------------------------


def test_neighbours_that_P_subtracts_are_whitening():
    [each] = observations.over_steps(measured(np.eye(9), 2 * whitening(-0.15)))
    assert each.kind == "neighbours" and (each.first, each.last) == (100, 100)
    assert each.value == pytest.approx(-0.15) and each.against == 0


def test_what_the_constant_direction_alone_makes_negative_is_no_whitening():
    P = without_constant(0.0)
    beside, apart = observations.neighbours(P, GRID)
    assert beside < -0.1 and beside == pytest.approx(float(apart))
    assert kinds(observations.over_steps(measured(P))) == ["constant"]


def test_neighbours_that_P_adds_are_no_whitening():
    assert not observations.over_steps(measured(whitening(0.15)))


@pytest.mark.parametrize("grid", [(3, 3), (2, 4), (5, 5), (28, 28)])
def test_neighbours_are_those_that_share_an_edge(grid):
    rows, columns = grid
    n = rows * columns
    P = np.random.default_rng(0).standard_normal((n, n)) + 3 * np.eye(n)
    beside, apart = [], []
    for i in range(min(n, 60)):
        for j in range(n):
            down, across = abs(i // columns - j // columns), abs(i % columns - j % columns)
            (beside if down + across == 1 else apart if i != j else []).append((i, j))
    if n <= 60:
        scale = np.trace(P) / n
        expected = [np.mean([P[pair] for pair in pairs]) / scale for pairs in (beside, apart)]
        np.testing.assert_allclose(observations.neighbours(P, grid), expected)
    ones = np.ones((n, n))
    assert observations.neighbours(ones, grid) == (1.0, 1.0)


def test_a_grid_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"P is \[4, 4\], a grid \(3, 3\) needs \[9, 9\]"):
        observations.neighbours(np.eye(4), GRID)


# the identity ---------------------------------------------------------------------------------------------------------


def test_P_near_I_is_said_with_its_condition_and_not_beyond_the_bound():
    for most, says in ((1.03, True), (1.06, False)):
        P = np.diag([1.0, *[1.01] * 7, most])
        of = measured(np.eye(9), P, grid=None)
        assert kinds(observations.at_step(of, 100)) == ["identity"] * says
        assert kinds(observations.over_steps(of)) == ["identity"] * says
    [each] = observations.over_steps(measured(np.eye(9), np.diag([1.0] * 8 + [1.03]), grid=None))
    assert each.value == pytest.approx(1.03) and (each.first, each.last) == (0, 100)


def test_a_multiple_of_I_is_told_from_I_by_its_scale():
    [each] = observations.over_steps(measured(0.5 * np.eye(4), grid=None))
    assert each.value == pytest.approx(1.0) and each.against == pytest.approx(0.5)


def test_a_P_of_one_row_is_no_news():
    assert not observations.over_steps(measured(np.ones((1, 1)), grid=(1, 1)))


# what is not there ----------------------------------------------------------------------------------------------------


def test_nothing_is_said_where_nothing_stands_out():
    corners = np.zeros(9)
    corners[[0, 8]] = 1, -1  # orthogonal to the constant direction, and no neighbours
    P = np.eye(9) + 0.1 * np.outer(corners, corners)
    assert np.linalg.cond(P) > observations.NEAR
    assert not observations.over_steps(measured(P)) and not observations.at_step(measured(P), 0)


def test_nothing_is_said_of_a_P_that_is_not_finite():
    P = without_constant(0.01)
    P[0, 0] = np.nan
    of = measured(np.eye(9), P)
    assert not observations.over_steps(of) and not observations.at_step(of, 100)


def test_nothing_is_said_of_a_step_without_a_snapshot():
    assert not observations.at_step(measured(without_constant(0.01)), 50)


def test_without_a_grid_P_is_never_asked_for():
    def none(at: int) -> np.ndarray:
        raise AssertionError("asked")

    of = observations.measure(9, STEPS, none, None, np.empty(0), np.empty((0, 9)))
    assert not len(of.steps) and not observations.over_steps(of)


def test_a_direction_that_a_lossy_float_cannot_tell_from_0_is_no_infinity():
    [constant, *_] = observations.over_steps(measured(np.eye(9), without_constant(0.0)))
    assert math.isfinite(constant.strength) and constant.strength > 0
