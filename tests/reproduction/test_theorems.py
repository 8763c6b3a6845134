import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fop_core.reproduction.theorems import Quadratic, descend, proven_2, repaired_2, stated_2

quadratics = st.builds(
    lambda mu, condition, largest, share, angle: Quadratic(mu, mu * condition, share * largest, largest, angle),
    st.floats(0.01, 10),
    st.floats(1, 1000),
    st.floats(0.01, 10),
    st.floats(0, 1),
    st.floats(-180, 180),
)


def factor(quadratic: Quadratic, step: float, theta: np.ndarray) -> float:
    after = theta - step * quadratic.P @ quadratic.H @ theta
    return float((after @ quadratic.H @ after) / (theta @ quadratic.H @ theta))


@given(quadratics, st.floats(0, 2 * math.pi))
def test_the_worst_factor_is_reached_and_never_exceeded(quadratic, at):
    result = repaired_2(quadratic)
    assert factor(quadratic, result.step, result.direction) == pytest.approx(result.worst, rel=1e-6, abs=1e-9)
    assert factor(quadratic, result.step, np.array([math.cos(at), math.sin(at)])) <= result.worst * (1 + 1e-6) + 1e-9


@given(quadratics)
def test_the_repaired_statement_holds_for_every_p(quadratic):
    assert repaired_2(quadratic).holds


@given(quadratics)
def test_what_the_proof_shows_holds(quadratic):
    shown = proven_2(quadratic)
    assert shown is None or shown.holds


def test_the_stated_theorem_fails_for_half_the_identity():
    stated = stated_2(Quadratic(0.1, 1.0, 0.5, 0.5))
    assert stated is not None and stated.stated == pytest.approx(0.925)
    assert stated.worst == pytest.approx(0.92640625) and not stated.holds


def test_for_the_identity_it_is_gradient_descent():
    stated = stated_2(Quadratic(0.1, 1.0))
    assert stated is not None and (stated.step, stated.stated, stated.holds) == (1.0, 0.9, True)
    assert stated.worst == pytest.approx(0.81)


def test_of_a_p_that_is_too_unequal_it_says_nothing():
    assert stated_2(Quadratic(0.1, 1.0, 0.4, 1.0)) is None and proven_2(Quadratic(0.1, 1.0, 0.4, 1.0)) is None


def test_a_direct_p_stays_under_the_proofs_bound_and_converges():
    result = descend(Quadratic(0.1, 1.0), limit=0.9, hyper_lr=0.05, steps=400)
    assert result.bound_holds and result.losses[-1] < 1e-12 * result.losses[0]
    assert result.gammas[0] == pytest.approx(result.norms[0]) and result.gammas[-1] == pytest.approx(0.9, rel=1e-4)


def test_m_mt_outgrows_the_proofs_bound():
    result = descend(Quadratic(0.1, 1.0), form="mmt", limit=0.1, hyper_lr=0.3, steps=100, start=(5.0, 5.0))
    assert not result.bound_holds


def test_with_a_rate_the_limit_has_to_be_below_its_share_of_1_over_l():
    rate_1 = descend(Quadratic(0.5, 1.0), limit=0.9, hyper_lr=0.0)
    rate_4 = descend(Quadratic(0.5, 1.0), limit=0.9, hyper_lr=0.0, lr=4.0)
    assert rate_1.losses[-1] < 1e-12 and rate_4.losses[-1] > 1e6


def test_a_p_that_is_not_definite_stands_still():
    result = descend(Quadratic(0.5, 1.0, 0.0, 1.0), limit=0.9, hyper_lr=0.0)
    assert result.losses[-1] > 0.1 and result.smallest.max() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Quadratic(0.0, 1.0), "mu"),
        (lambda: Quadratic(2.0, 1.0), "mu"),
        (lambda: Quadratic(0.1, math.nan), "mu"),
        (lambda: Quadratic(0.1, 1.0, 2.0, 1.0), "eigenvalues"),
        (lambda: Quadratic(0.1, 1.0, angle_deg=math.inf), "angle"),
        (lambda: descend(Quadratic(0.1, 1.0), limit=0.0, hyper_lr=0.1), "limit"),
        (lambda: descend(Quadratic(0.1, 1.0), limit=0.5, hyper_lr=math.nan), "hyper_lr"),
        (lambda: descend(Quadratic(0.1, 1.0), limit=0.5, hyper_lr=0.1, steps=0), "steps"),
    ],
)
def test_what_is_out_of_range_is_named(wrong, says):
    with pytest.raises(ValueError, match=says):
        wrong()
