"""What spectra and curves say over a training, against naive loops."""

import math

import numpy as np
import pytest

from fop_core import inspection, through_training


@pytest.fixture
def spectra():
    values = np.sort(np.random.default_rng(0).normal(1.0, 1.0, (40, 5)), axis=1)
    values[7] = np.nan
    return values


def test_the_smallest_eigenvalue_and_what_is_not_definite_are_those_of_a_loop(spectra):
    at = through_training.smallest(spectra)
    assert spectra[at, 0] == min(float(each[0]) for each in spectra if math.isfinite(each[0]))
    counts, first = {}, {}
    for index, each in enumerate(spectra):
        kind = inspection.definiteness(float(each[0]), float(each[-1]))
        counts[kind] = counts.get(kind, 0) + 1
        first.setdefault(kind, index)
    assert {"positive definite", "indefinite", "not finite"} <= counts.keys()
    del counts["positive definite"]
    assert through_training.not_definite(spectra) == {kind: (count, first[kind]) for kind, count in counts.items()}
    assert through_training.smallest(np.full((2, 3), np.nan)) is None


def test_an_infinite_condition_is_a_gap_and_all_else_is_the_summary(spectra):
    spectra[3, 0] = 0.0
    condition = inspection.spectrum_summary(spectra)["condition"]
    curve = through_training.finite_quantity(spectra, "condition")
    assert np.isinf(condition).any() and not np.isinf(curve).any()
    np.testing.assert_array_equal(curve[np.isfinite(condition)], condition[np.isfinite(condition)])


def test_means_and_ranges_leave_out_what_is_no_number():
    assert through_training.mean_and_range(np.array([np.nan, -1.0, 2.0])) == (0.5, -1.0, 2.0)
    assert through_training.mean_and_range(np.array([np.nan, np.inf])) is None
