import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fop_core.reproduction import demonstrations
from fop_core.reproduction.demonstrations import factors, first, second, symmetric

quadratics = st.builds(
    symmetric, st.floats(0.01, 1), st.floats(1, 10), st.floats(0.05, 2), st.floats(0, 2), st.floats(0, 180)
)


@given(st.floats(0.05, 2), st.floats(0, 2), st.floats(0, 180))
def test_p_has_its_eigenvalues_along_and_across_the_direction(along, across, angle):
    P = symmetric(0.1, 1.0, along, across, angle).P
    u = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))])
    v = np.array([-u[1], u[0]])
    np.testing.assert_allclose(P, along * np.outer(u, u) + across * np.outer(v, v), atol=1e-12)


@given(quadratics, st.floats(0, 4), st.floats(0, 2 * math.pi))
def test_no_theta_leaves_more_than_the_factor(quadratic, step, at):
    theta = np.array([math.cos(at), math.sin(at)])
    after = theta - step * quadratic.P @ quadratic.H @ theta
    left = (after @ quadratic.H @ after) / (theta @ quadratic.H @ theta)
    assert left <= factors(quadratic, np.array([step]))[0] * (1 + 1e-9) + 1e-9


@given(quadratics)
def test_the_line_goes_through_what_is_true_of_each_claim(quadratic):
    shown = second(quadratic)
    for claim in shown.claims:
        if claim.contraction is not None:
            step = claim.contraction.step
            assert factors(quadratic, np.array([step]))[0] == pytest.approx(claim.contraction.worst, abs=1e-9)
            assert shown.steps[0] == 0 <= step < shown.steps[-1], "and is on the picture"
    assert shown.worst[0] == 1 and shown.worst[-1] > 1, "up to where a step leaves more of f than there was"


def test_theorem_2_begins_with_the_counterexample():
    stated, proven, repaired = second(symmetric(0.1, 1.0, 0.5, 0.5, 0.0)).claims
    assert stated.contraction is not None and not stated.contraction.holds
    assert proven.contraction is not None and proven.contraction.holds
    assert repaired.contraction is not None and repaired.contraction.holds


@given(quadratics, st.sampled_from(["direct", "mmt"]), st.floats(0.05, 4), st.floats(0, 10))
def test_the_step_at_which_the_bound_is_exceeded_is_the_first_one(quadratic, form, limit, hyper_lr):
    shown = first(quadratic, form, limit, hyper_lr)
    descent = shown.descent
    assert shown.exceeded is None or not descent.bound_holds  # by rounding alone it may fail to hold
    if shown.exceeded is not None:
        assert descent.norms[shown.exceeded] > descent.bounds[shown.exceeded]
        before = slice(0, shown.exceeded)
        assert np.all(descent.norms[before] <= descent.bounds[before] * (1 + 1e-9))
    assert shown.promised == (limit < 1 / quadratic.L and quadratic.smallest > 0)
    assert len(descent.losses) == demonstrations.STEPS + 1


def test_a_form_that_theorem_1_does_not_know_is_named():
    with pytest.raises(ValueError, match="direct or mmt is expected, not low_rank"):
        first(symmetric(0.1, 1.0, 0.5, 0.5, 0.0), "low_rank", 0.9, 0.05)
