import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fop_core.studies import statistics
from fop_core.studies.analysis import comparisons
from tests.studies.made import table

VALUES = st.lists(st.integers(0, 100).map(lambda value: value / 100), min_size=2, max_size=12)


def test_a_paired_difference_is_the_one_computed_by_hand():
    # Differences 1, 2, 3: mean 2, deviation 1, t = 2 √3 = 3.4641 with 2 degrees of freedom, for which
    # p = 1 - t / √(t² + 2) = 0.0742 and the 97.5 % point is 4.3027; the interval is 2 ± 4.3027 / √3.
    got = statistics.paired([3.0, 5.0, 7.0], [2.0, 3.0, 4.0])
    assert (got.mean, got.std, got.n, got.test) == (2.0, 1.0, 3, "paired t")
    assert got.p == pytest.approx(1 - math.sqrt(12 / 14), abs=1e-12)
    assert (got.low, got.high) == pytest.approx((2 - 4.302653 / math.sqrt(3), 2 + 4.302653 / math.sqrt(3)), abs=1e-6)


@given(VALUES, st.integers(0, 999))
def test_paired_and_welch_are_scipys(ours, seed):
    rng = np.random.default_rng(seed)
    theirs = [value + rng.normal(0, 0.1) for value in ours]
    result = stats.ttest_rel(ours, theirs)
    got = statistics.paired(ours, theirs, 0.1)
    assert got.p == pytest.approx(result.pvalue, rel=1e-6)
    assert (got.low, got.high) == pytest.approx(tuple(result.confidence_interval(0.9)), rel=1e-6)
    ours[0] += 0.001  # of equal numbers scipy warns
    more = [*theirs, rng.normal(0, 0.1)]
    result = stats.ttest_ind(ours, more, equal_var=False)
    got = statistics.unpaired(ours, more, 0.1)
    assert (got.p, got.low, got.high) == pytest.approx((result.pvalue, *result.confidence_interval(0.9)), rel=1e-6)


def test_pairs_are_used_where_all_seeds_are_shared_and_welch_where_some_are_missing():
    ours, theirs = {0: 0.5, 1: 0.7, 2: 0.6}, {2: 0.5, 0: 0.45, 1: 0.6}
    assert statistics.difference(ours, theirs) == statistics.paired([0.5, 0.7, 0.6], [0.45, 0.6, 0.5])
    del theirs[1]
    assert statistics.difference(ours, theirs) == statistics.unpaired([0.5, 0.7, 0.6], [0.5, 0.45])
    assert statistics.difference({0: 0.5}, {0: 0.4}).test == "none"
    assert math.isnan(statistics.difference({0: 0.5}, {0: 0.4}).p)


def test_the_same_numbers_are_no_difference():
    got = statistics.paired([0.5, 0.6], [0.5, 0.6])
    assert (got.mean, got.low, got.high, got.p) == (0, 0, 0, 1)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_equal_differences_have_no_spread_that_a_t_test_could_take(n):
    got = statistics.paired([0.98, 0.99, 0.97, 0.96][:n], [0.97, 0.98, 0.96, 0.95][:n])
    assert (got.test, got.p) == ("sign test", pytest.approx(2 / 2**n)) and math.isnan(got.low) and got.lead > 0
    assert got.mean == pytest.approx(0.01)
    ranks = statistics.unpaired([3.0] * n, [2.0] * n)
    assert (ranks.test, ranks.p) == ("rank sum", pytest.approx(2 / math.comb(2 * n, n)))
    rng = np.random.default_rng(0)  # steps to a target are whole epochs, here the second or the third
    epochs = [(list(np.log(rng.integers(2, 4, n))), list(np.log(rng.integers(2, 4, n)))) for _ in range(200)]
    assert sum(statistics.paired(ours, theirs).p <= 0.05 for ours, theirs in epochs) <= 18


def test_infinite_values_count_as_worst_and_by_their_rank_alone():
    got = statistics.paired([0.9, 0.8, 0.9, 0.8, 0.9, 0.9], [-math.inf, 0.7, -math.inf, 0.7, 0.8, 0.8])
    assert (got.mean, got.test) == (math.inf, "sign test") and got.p == pytest.approx(2 / 2**6)
    assert math.isnan(got.low)
    both = statistics.paired([math.inf, math.inf], [math.inf, 1.0])
    assert both.p == 1.0 and both.mean == math.inf
    assert math.isnan(statistics.paired([math.inf, 1.0], [1.0, math.inf]).mean), "no mean of both infinities"
    ranks = statistics.unpaired([1.0, 2.0, 3.0], [4.0, 5.0, math.inf])
    # Of the 20 ways to choose three of six, one is as extreme on either side.
    assert (ranks.test, ranks.p) == ("rank sum", pytest.approx(2 / 20))


def test_who_leads_is_said_by_the_test_and_not_by_an_infinite_mean():
    pairs = statistics.paired([0.98] * 9 + [-math.inf], [0.97] * 10)
    assert pairs.mean == -math.inf and pairs.lead > 0, "ahead on nine seeds of ten"
    ranks = statistics.unpaired([0.98] * 9 + [-math.inf], [0.97] * 9)
    assert ranks.mean == -math.inf and ranks.lead > 0 and ranks.p < 0.05
    assert statistics.unpaired([1.0, 2.0], [3.0, 4.0, 4.5]).lead < 0 < statistics.paired([2.0, 4.0], [1.0, 2.5]).lead
    assert statistics.paired([0.5, 0.6], [0.5, 0.6]).lead == 0


def test_values_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        statistics.paired([0.5, math.nan], [0.5, 0.4])
    with pytest.raises(ValueError, match="shapes"):
        statistics.paired([0.5], [0.5, 0.4])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holms_correction_declares_what_its_definition_says(p):
    adjusted = statistics.holm(p)
    for alpha in (0.01, 0.05, 0.3):
        order, rejected = sorted(range(len(p)), key=lambda index: p[index]), set()
        for rank, index in enumerate(order):
            if p[index] * (len(p) - rank) > alpha:
                break
            rejected.add(index)
        assert {index for index, value in enumerate(adjusted) if value <= alpha} == rejected


def test_a_comparison_that_could_not_be_made_counts_among_the_others():
    assert statistics.holm([0.01, math.nan])[0] == 0.02 and math.isnan(statistics.holm([0.01, math.nan])[1])


@pytest.mark.parametrize(("n", "effect"), [(2, 1.0), (3, 1.0), (5, 0.5), (10, 1.0), (40, 0.5)])
def test_power_is_that_of_the_noncentral_t_distribution(n, effect):
    for freedom, shift, pairs in ((n - 1, effect * math.sqrt(n), True), (2 * n - 2, effect * math.sqrt(n / 2), False)):
        critical = stats.t.ppf(0.975, freedom)
        exact = stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift)
        assert statistics.power(effect, 1.0, n, pairs=pairs) == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_a_detectable_difference_is_seen_with_its_probability(n):
    assert statistics.power(statistics.detectable(0.3, n, 0.01), 0.3, n, 0.01) == pytest.approx(0.8)
    assert statistics.detectable(0.6, n) == pytest.approx(2 * statistics.detectable(0.3, n))
    assert statistics.detectable(0.3, 1) == math.inf and statistics.detectable(0.0, 5) == 0


def declared(effect: float, rng: np.random.Generator, n: int = 5) -> bool:
    """Whether a study declares a difference between a method and itself, shifted by so much; seeds share a part."""
    shared = rng.normal(0.9, 0.02, n)
    ours, theirs = (shared + rng.normal(0, 0.005, n) for _ in range(2))
    (row,) = comparisons(table({"momentum": list(ours + effect), "fop": list(theirs)})).rows
    return row.declared


def test_of_200_studies_of_a_method_against_itself_few_declare_a_difference_and_most_see_a_real_one():
    rng = np.random.default_rng(0)
    assert sum(declared(0.0, rng) for _ in range(200)) <= 18
    visible = 2 * statistics.detectable(0.005 * math.sqrt(2), 5)
    assert sum(declared(visible, rng) for _ in range(200)) >= 180


def test_of_studies_of_many_equal_methods_few_declare_any_difference():
    rng, names = np.random.default_rng(1), ("sgd", "momentum", "adam", "fop", "fop-norm")
    wrong = 0
    for _ in range(200):
        shared = rng.normal(0.9, 0.02, 5)
        made = comparisons(table({name: list(shared + rng.normal(0, 0.005, 5)) for name in names}))
        assert len(made.rows) == 10
        wrong += any(row.declared for row in made.rows)
    assert wrong <= 18


def test_a_target_is_reached_by_a_one_sided_t_test():
    losses = [3.27, 3.275, 3.272, 3.274]
    assert statistics.reaches(losses, 3.28, "min") == pytest.approx(
        stats.ttest_1samp(losses, 3.28, alternative="less").pvalue
    )
    assert statistics.reaches([0.97, 0.98], 0.96, "max") == pytest.approx(
        stats.ttest_1samp([0.97, 0.98], 0.96, alternative="greater").pvalue
    )
    assert math.isnan(statistics.reaches([3.2], 3.28, "min"))
    assert statistics.reaches([3.2, math.inf], 3.28, "min") == 1.0
    values = np.array([[4.0, 3.2, 3.0], [4.1, 3.4, 3.01], [4.0, 3.1, 3.02]])
    assert statistics.record(values, 3.28, "min", 0.05) == 2, "at the second the mean is there, but not for certain"
    assert statistics.record(values, 2.0, "min", 0.05) is None


def test_a_performance_profile_is_the_share_of_problems_within_a_ratio():
    times = np.array([[1.0, 2.0], [4.0, 1.0], [math.inf, 3.0], [math.inf, math.inf]])
    got = statistics.performance_profile(times, np.array([1.0, 2.0, 4.0]))
    np.testing.assert_array_equal(got, [[0.25, 0.25, 0.5], [0.5, 0.75, 0.75]])
    ratios = np.linspace(1, 4, 30_001)
    area = np.trapezoid(statistics.performance_profile(times, ratios), ratios) / 3
    np.testing.assert_allclose(statistics.profile_score(times), area, atol=1e-4)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.sampled_from(["max", "min"]), st.data())
def test_the_expected_best_is_the_mean_over_all_choices(scores, way, data):
    trials = data.draw(st.integers(1, len(scores)))
    best = max if way == "max" else min
    every = [best(chosen) for chosen in itertools.combinations(scores, trials)]
    assert statistics.expected_best(scores, trials, way) == pytest.approx(np.mean(every))


def test_a_lost_trial_is_no_best_one_where_others_are_always_drawn():
    assert statistics.expected_best([-math.inf, 0.5, 0.7], 2) == pytest.approx((0.5 + 0.7 + 0.7) / 3)
    assert statistics.expected_best([-math.inf, 0.5], 1) == -math.inf
