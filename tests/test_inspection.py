"""The maths of what was learned: against loops, known answers, and what the training loop logs."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core import inspection
from fop_core.optim.forms import FORMS
from fop_core.optim.preconditioners import MeanRemoving
from fop_core.training import diagnostics

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

seeds = st.integers(0, 2**31 - 1)
sizes = st.integers(1, 7)


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def symmetric(seed, *shape):
    M = normal(seed, *shape)
    return M + M.swapaxes(-1, -2)


def constant(n):
    return np.ones((n, n)) / n


# P of M ---------------------------------------------------------------------------------------------------------------


@given(seed=seeds, n=sizes, k=sizes, s=st.integers(1, 3))
def test_P_is_what_sums_over_the_columns_of_M_give(seed, n, k, s):
    M = normal(seed, s, n, k).astype(np.float32)
    factored, low_rank = (inspection.preconditioner(M, form) for form in ("factored", "low_rank"))
    assert factored.dtype == low_rank.dtype == np.float64
    for at in range(s):
        product = sum(np.outer(column, column) for column in M[at].T.astype(float))
        np.testing.assert_allclose(factored[at], product, atol=1e-12)
        np.testing.assert_allclose(low_rank[at], np.eye(n) + product, atol=1e-12)


def test_a_direct_M_is_its_own_P_and_is_square():
    M = symmetric(0, 2, 3, 3)
    np.testing.assert_array_equal(inspection.preconditioner(M, "direct"), M)
    with pytest.raises(ValueError, match=r"square M, not \[3, 2\]"):
        inspection.preconditioner(M[..., :2], "direct")


def test_other_forms_have_no_P_of_an_M():
    able = "factored, low_rank, direct, exponential, mean_removing"
    with pytest.raises(ValueError, match=f"'diagonal' makes no P of an M: {able} do"):
        inspection.preconditioner(np.eye(2), "diagonal")


@pytest.mark.parametrize("n", [1, 2, 9])
def test_mean_removing_is_the_baseline_that_trains(n):
    trained = MeanRemoving.matrix(torch.empty(n, 0, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(inspection.preconditioner(np.empty((n, 0)), "mean_removing"), trained, atol=1e-15)


# what is left ---------------------------------------------------------------------------------------------------------


@given(seed=seeds, n=sizes, a=st.floats(-3, 3), c=st.floats(-3, 3))
def test_nothing_is_left_of_a_multiple_of_I_and_of_the_constant_direction(seed, n, a, c):
    np.testing.assert_allclose(inspection.residual(a * np.eye(n) + c * np.ones((n, n))), 0, atol=1e-12)
    P = symmetric(seed, n, n)
    shifted = P + a * np.eye(n) + c * np.ones((n, n))
    np.testing.assert_allclose(inspection.residual(shifted), inspection.residual(P), atol=1e-12)


@given(seed=seeds, n=st.integers(2, 7))
def test_what_is_left_is_what_least_squares_leaves(seed, n):
    P = symmetric(seed, 2, n, n)
    design = np.stack([np.eye(n).ravel(), np.ones(n * n)], axis=1)
    for matrix, left in zip(P, inspection.residual(P)):
        coefficients = np.linalg.lstsq(design, matrix.ravel(), rcond=None)[0]
        np.testing.assert_allclose(left.ravel(), matrix.ravel() - design @ coefficients, atol=1e-12)


# views of P -----------------------------------------------------------------------------------------------------------


def test_a_view_of_P_is_what_it_is_called():
    P = symmetric(0, 4, 4)
    views = {what: inspection.view(P, what) for what in inspection.VIEWS}
    np.testing.assert_array_equal(views["P"], P)
    np.testing.assert_array_equal(views["change"], P - np.eye(4))
    np.testing.assert_allclose(views["shape"] * math.sqrt(np.square(P).sum()), P)
    np.testing.assert_array_equal(views["rest"], inspection.residual(P))
    with pytest.raises(ValueError, match="'M' is no view of P"):
        inspection.view(P, "M")


@pytest.mark.filterwarnings("error")
def test_P_of_zeros_has_no_shape():
    assert np.isnan(inspection.view(np.zeros((3, 3)), "shape")).all()


def test_a_few_entries_of_a_large_matrix_outshine_no_others():
    assert inspection.largest(np.array([[1.0, -9.0]])) == 9
    matrix = np.ones((64, 64))
    matrix[0, :3] = -1e6
    assert inspection.largest(matrix) == 1
    assert math.isnan(inspection.largest(np.array([[1.0, np.nan]])))


@pytest.mark.parametrize(("n", "side"), [(8, 4), (9, 4), (300, 64), (5, 5)])
def test_the_pooled_identity_is_the_identitys_thumbnail(n, side):
    expected = diagnostics.thumbnail(torch.eye(n, dtype=torch.float64), side)
    np.testing.assert_allclose(inspection.pooled_identity(n, side), expected, atol=1e-3)


# spectra --------------------------------------------------------------------------------------------------------------


@given(seed=seeds, n=sizes, s=st.integers(0, 3))
def test_eigenvalues_make_P_singular_and_ascend(seed, n, s):
    P = symmetric(seed, s, n, n)
    values = inspection.eigenvalues(P)
    assert values.shape == (s, n) and (np.diff(values) >= 0).all()
    for matrix, eigenvalues in zip(P, values):
        np.testing.assert_allclose(sorted(np.linalg.eigvals(matrix).real), eigenvalues, atol=1e-10)
        np.testing.assert_allclose(inspection.eigenvalues(matrix), eigenvalues, atol=1e-12)


@pytest.mark.parametrize("form", [name for name, form in FORMS.items() if form.P is not None and form.learns])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_P_of_an_M_that_is_not_finite_is_not_finite_and_only_that_one(form, bad):
    M = np.stack([np.eye(3), np.full((3, 3), bad)])
    P = inspection.preconditioner(M, form)
    assert np.isfinite(P[0]).all() and not np.isfinite(P[1]).any()


def test_eigenvalues_of_a_P_that_is_not_finite_are_NaN_and_only_they():
    P = np.stack([np.eye(2), np.full((2, 2), np.nan), [[1, np.inf], [np.inf, 1]], 2 * np.eye(2)])
    np.testing.assert_array_equal(inspection.eigenvalues(P), [[1, 1], [np.nan] * 2, [np.nan] * 2, [2, 2]])
    assert np.isnan(inspection.eigenvalues(P[1])).all()


@given(seed=seeds, n=st.integers(2, 9), share=st.floats(0, 1))
def test_the_mean_taken_out_is_one_eigenvalue(seed, n, share):
    values = inspection.eigenvalues(np.eye(n) - share * constant(n))
    np.testing.assert_allclose(values, [1 - share] + [1] * (n - 1), atol=1e-12)


@given(seed=seeds, n=sizes, k=sizes, s=st.integers(0, 3), form=st.sampled_from(["factored", "low_rank"]))
def test_a_spectrum_is_that_of_P_and_not_below_what_it_can_be(seed, n, k, s, form):
    M = normal(seed, s, n, k)
    spectrum = inspection.spectrum(M, form)
    np.testing.assert_allclose(spectrum, inspection.eigenvalues(inspection.preconditioner(M, form)), atol=1e-10)
    least = 1 if form == "low_rank" else 0
    assert (spectrum >= least).all() and (spectrum[:, : max(n - k, 0)] == least).all()
    if s:
        np.testing.assert_array_equal(inspection.spectrum(M[0], form), spectrum[0])
        M[0, 0, 0] = np.nan
        assert np.isnan(inspection.spectrum(M, form)[0]).all()


def test_a_direct_spectrum_is_its_eigenvalues():
    M = symmetric(1, 2, 4, 4)
    np.testing.assert_array_equal(inspection.spectrum(M, "direct"), inspection.eigenvalues(M))


spectra = st.lists(
    st.sampled_from([-2.0, -1e-3, 0.0, 1e-9, 0.5, 1.0, 3.0, 1e6, math.nan]) | st.floats(-5, 5), min_size=1, max_size=6
)


@given(spectra)
def test_a_summary_is_what_training_logs(values):
    logged = diagnostics.spectrum_summary(torch.tensor(values, dtype=torch.float64))
    summary = inspection.spectrum_summary(np.array([values, values]))
    assert summary.keys() == logged.keys()
    for name, number in logged.items():
        expected = math.nan if any(map(math.isnan, values)) else number
        np.testing.assert_allclose(summary[name], [expected] * 2, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.filterwarnings("error")
def test_a_spectrum_that_is_not_finite_says_nothing(bad):
    for name, number in inspection.spectrum_summary(np.array([1.0, bad, 2.0])).items():
        assert math.isnan(number), name


@pytest.mark.parametrize(
    ("values", "is_"),
    [
        ((0.1, 2.0), "positive definite"),
        ((1e-5, 1.0), "positive definite"),
        ((1e-7, 1.0), "numerically singular"),
        ((0.0, 1.0), "numerically singular"),
        ((-1e-7, 1.0), "numerically singular"),
        ((-1e-5, 1.0), "indefinite"),
        ((-3.0, 1e-9), "negative"),
        ((-3.0, -1.0), "negative"),
        ((0.0, 0.0), "zero"),
        ((math.nan, 1.0), "not finite"),
        ((0.0, math.inf), "not finite"),
    ],
)
def test_a_matrix_is_called_what_it_is(values, is_):
    assert inspection.definiteness(*values) == is_


# whitening ------------------------------------------------------------------------------------------------------------


@given(seed=seeds, kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)))
def test_whitening_is_what_training_logs(seed, kernel):
    n = math.prod(kernel)
    P = symmetric(seed, 2, n, n)
    whitening = inspection.whitening(P, kernel)
    for at in range(2):
        logged = diagnostics.whitening(torch.from_numpy(P[at]), kernel)
        assert whitening.keys() == logged.keys()
        for name, number in logged.items():
            np.testing.assert_allclose(whitening[name][at], number, rtol=1e-7, atol=1e-12, err_msg=name)


@given(seed=seeds, kernel=st.tuples(st.integers(2, 4), st.integers(2, 4)), a=st.floats(-2, 2), c=st.floats(-2, 2))
def test_the_score_is_neighbours_less_others_and_knows_no_constant(seed, kernel, a, c):
    n = math.prod(kernel)
    P = symmetric(seed, n, n)
    beside, others = [], []
    for i, j in np.ndindex(n, n):
        apart = abs(i // kernel[1] - j // kernel[1]) + abs(i % kernel[1] - j % kernel[1])
        if apart:
            (beside if apart == 1 else others).append(P[i, j])
    expected = np.mean(beside) - np.mean(others)
    for matrix in (P, P + a * np.eye(n) + c):
        np.testing.assert_allclose(inspection.whitening_score(np.stack([matrix] * 2), kernel), expected, atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_the_identity_has_no_direction():
    whitening = inspection.whitening(np.eye(9), (3, 3))
    assert math.isnan(whitening.pop("constant_share")) and set(map(float, whitening.values())) == {0.0}


def test_a_P_of_another_kernel_is_refused():
    with pytest.raises(ValueError, match=r"P is \[9, 9\], a kernel \(2, 3\) needs \[6, 6\]"):
        inspection.whitening(np.eye(9), (2, 3))


# rotation -------------------------------------------------------------------------------------------------------------


@given(least=st.floats(1e-6, 1), most=st.floats(1, 1e4), seed=seeds)
def test_the_bound_of_rotation_is_met_between_the_outer_eigenvectors_and_nowhere_passed(least, most, seed):
    bound = float(inspection.rotation_bound_deg(np.array(most / least)))
    Q = np.linalg.qr(normal(seed, 4, 4))[0]
    values = np.array([least, *np.random.default_rng(seed).uniform(least, most, 2), most])
    P = Q * values @ Q.T

    def angle(g):
        u, v = g / np.linalg.norm(g), P @ g / np.linalg.norm(P @ g)
        return math.degrees(2 * math.atan2(np.linalg.norm(u - v), np.linalg.norm(u + v)))

    for g in normal(seed + 1, 20, 4):
        assert angle(g) <= bound + 1e-6
    # Kantorovich's inequality is met where both outer eigenvectors have as much of g's product with P g
    worst = math.sqrt(most) * Q[:, 0] + math.sqrt(least) * Q[:, 3]
    assert angle(worst) == pytest.approx(bound, abs=1e-5)


def test_the_bound_of_rotation_at_its_ends():
    bounds = inspection.rotation_bound_deg(np.array([1.0, 3.0, math.inf, math.nan]))
    np.testing.assert_allclose(bounds, [0, 30, 90, math.nan])


def test_a_P_that_is_indefinite_has_no_bound():
    spectra = np.array([[1.0, 3.0], [-0.5, 1.0], [0.0, 1.0], [-1e-9, 1.0], [np.nan, np.nan]])
    np.testing.assert_allclose(inspection.rotation_bounds_deg(spectra), [30, math.nan, 90, 90, math.nan])


# histograms -----------------------------------------------------------------------------------------------------------


@given(seed=seeds, bins=st.integers(1, 9))
def test_every_value_is_in_the_bin_whose_edges_hold_it(seed, bins):
    values = normal(seed, 3, 4, 2)
    counts, edges = inspection.histograms(values, bins)
    assert counts.shape == (3, bins) and (edges[0], edges[-1]) == (values.min(), values.max())
    for row, row_counts in zip(values, counts):
        indices = [min(sum(edge <= value for edge in edges) - 1, bins - 1) for value in row.ravel()]
        assert [indices.count(index) for index in range(bins)] == row_counts.tolist()


@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_is_in_no_bin():
    counts, edges = inspection.histograms(np.array([[0.0, 1.0, np.nan], [np.inf, -np.inf, np.nan]]), 2)
    assert counts.tolist() == [[1, 1], [0, 0]] and edges.tolist() == [0, 0.5, 1]
    counts, edges = inspection.histograms(np.full((2, 3), np.nan), 4)
    assert counts.sum() == 0 and (np.diff(edges) > 0).all()
    counts, edges = inspection.histograms(np.empty((0, 3)), 4)
    assert counts.shape == (0, 4) and len(edges) == 5


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e17, 1e300])
def test_equal_values_fall_in_a_bin_that_has_a_width(value):
    counts, edges = inspection.histograms(np.full((2, 5), value), 8)
    assert counts.sum(axis=1).tolist() == [5, 5] and (np.diff(edges) > 0).all()
    assert edges[0] < value < edges[-1]


def test_entries_on_the_diagonal_and_beside_it_are_counted_apart():
    matrices = np.stack([np.diag([1.0, 2.0, 3.0]) + 10 * (1 - np.eye(3)) for _ in range(2)])
    on, off = (inspection.part_histograms(matrices, part) for part in ("diagonal", "off_diagonal"))
    assert on[0].sum(1).tolist() == [3, 3] and (on[1][0], on[1][-1]) == (1, 3)
    assert off[0].sum(1).tolist() == [6, 6] and off[1][0] < 10 < off[1][-1]
    assert on[0].shape == (2, 16) and inspection.part_histograms(np.ones((1, 50, 40)), "off_diagonal")[0].shape == (
        1,
        64,
    )
    assert inspection.part_histograms(np.ones((2, 1, 1)), "off_diagonal") is None
