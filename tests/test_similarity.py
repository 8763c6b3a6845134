"""How alike two preconditioners are: against numpy, known angles, and chance."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core import inspection, similarity

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

seeds = st.integers(0, 2**31 - 1)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def symmetric(seed, *shape):
    M = normal(seed, *shape)
    return M + M.swapaxes(-1, -2)


def turned(angle_deg, n=5):
    """Two unit vectors in n dimensions that are an angle apart."""
    u, v = np.eye(n)[:2]
    angle = math.radians(angle_deg)
    return u, math.cos(angle) * u + math.sin(angle) * v


@given(seed=seeds, n=st.integers(2, 6), scale=st.sampled_from([1e-20, 1.0, 1e20]))
def test_correlation_is_numpys_and_knows_no_scale(seed, n, scale):
    P, Q = symmetric(seed, n, n), symmetric(seed + 1, n, n)
    expected = np.corrcoef(P.ravel(), Q.ravel())[0, 1]
    assert similarity.correlation(scale * P, Q) == pytest.approx(expected, abs=1e-9)
    assert similarity.correlation(P, 2 * P + 1) == pytest.approx(1)
    assert similarity.correlation(P, -P) == pytest.approx(-1)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-12, 1e9])
@pytest.mark.filterwarnings("error")
def test_what_is_constant_correlates_with_nothing(value):
    assert math.isnan(similarity.correlation(np.full((3, 3), value), np.eye(3)))
    assert math.isnan(similarity.correlation(np.eye(3), np.full((3, 3), value)))


def test_what_P_changes_most_comes_first():
    Q = np.linalg.qr(normal(3, 4, 4))[0]
    P = Q * np.array([1.1, 0.0, 1.5, -2.0]) @ Q.T  # from 1 by 0.1, 1, 0.5, 3
    np.testing.assert_allclose(np.abs(similarity.leading(P, 3).T @ Q[:, [3, 1, 2]]), np.eye(3), atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 1e-10, 1e-6, 0.1, 30.0, 44.9, 45.0, 45.1, 60.0, 89.999999, 90.0])
def test_angles_between_lines_are_exact_to_their_last_digits(angle):
    u, v = turned(angle)
    angles = similarity.principal_angles_deg(u[:, None], v[:, None])
    assert angles == pytest.approx([angle], rel=1e-9, abs=1e-13)


def test_principal_angles_are_those_of_planes_whatever_their_bases():
    e = np.eye(6)
    first = np.stack([e[0], e[1], e[2]], axis=1)
    angles = np.radians([1e-7, 20.0, 70.0])
    second = np.stack([math.cos(a) * e[i] + math.sin(a) * e[3 + i] for i, a in enumerate(angles)], axis=1)
    Q, R = (np.linalg.qr(normal(seed, 3, 3))[0] for seed in (0, 1))
    computed = similarity.principal_angles_deg(first @ Q, second @ R)
    np.testing.assert_allclose(computed, [1e-7, 20, 70], rtol=1e-6)
    np.testing.assert_allclose(similarity.principal_angles_deg(first, first @ Q), 0, atol=1e-12)


def test_a_preconditioner_is_all_like_itself_whatever_of_I_and_the_constant_is_added():
    P = symmetric(1, 9, 9)
    same = similarity.similarity(P, P, 3)
    assert (same.change, same.residuals) == pytest.approx((1, 1)) and same.angles_deg == pytest.approx(
        [0, 0, 0], abs=1e-6
    )
    shifted = similarity.similarity(P, P + 3 * np.eye(9) - 0.5, 2)
    assert shifted.residuals == pytest.approx(1) and shifted.change < 1
    other = symmetric(2, 9, 9)
    expected = np.corrcoef((P - np.eye(9)).ravel(), (other - np.eye(9)).ravel())[0, 1]
    left = np.corrcoef(inspection.residual(P).ravel(), inspection.residual(other).ravel())[0, 1]
    assert similarity.similarity(P, other, 1)[:2] == pytest.approx((expected, left))


def test_what_is_not_finite_is_like_nothing():
    P = np.full((4, 4), np.nan)
    for alike in (similarity.similarity(P, np.eye(4), 2), similarity.similarity(np.eye(4), P, 2)):
        assert math.isnan(alike.change) and math.isnan(alike.residuals) and np.isnan(alike.angles_deg).all()
        assert len(alike.angles_deg) == 2


def test_random_lines_in_the_plane_are_45_degrees_apart_and_in_many_dimensions_nearly_a_right_angle():
    assert similarity.random_angles_deg(2, 1, 4000) == pytest.approx([45], abs=3)
    angles = similarity.random_angles_deg(400, 3, 40)
    assert (np.diff(angles) > 0).all() and 80 < angles[0] < angles[-1] < 90
    np.testing.assert_array_equal(angles, similarity.random_angles_deg(400, 3, 40))
    np.testing.assert_allclose(similarity.random_angles_deg(3, 3, 10), 0, atol=1e-5)


def test_leading_modes_are_eigenvectors_with_their_largest_entry_positive():
    P = symmetric(5, 6, 6)
    vectors, values = similarity.leading_modes(P, 4)
    np.testing.assert_allclose(P @ vectors, vectors * values, atol=1e-12)
    assert (np.diff(np.abs(values - 1)) <= 0).all()
    assert all(column[np.abs(column).argmax()] > 0 for column in vectors.T)
