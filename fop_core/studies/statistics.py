"""What runs with several seeds can tell: tests, intervals, and which difference can be seen at all.

Infinite values are of runs that diverged, or missed their target: they are worse than all others, not missing. With one
of them a mean and its t test say nothing, and ranks take their place; so they do where nothing spreads, as of times
that are whole epochs. Nothing here knows a file.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special, stats

Array = np.ndarray

POWER = 0.8
"""The probability with which a detectable difference is seen."""
ROUNDING = 1e-9  # of values, to which numbers that were meant to be the same agree
RESAMPLES = 9999  # of a rank test by permutation, where there are more arrangements than that


@dataclass(frozen=True)
class Difference:
    """How much one group of values is above another one.

    Attributes:
        mean: of the differences; infinite or NaN where a value is.
        low, high: the ends of its confidence interval; NaN where there is none.
        p: the probability of a difference as large where there is none; NaN where no test can be made.
        n: pairs, or values of the first group.
        other_n: values of the second group; as ``n`` of pairs.
        std: of the paired differences; of two groups the root of the mean of their variances. NaN of a single one.
        test: "paired t", "Welch's t", "sign test", "rank sum", or "none".
        lead: above 0 where the test has ours above theirs, below 0 where below. With infinite values the mean may say
            otherwise: one run of ten that diverged makes it infinite.

    Example:
        >>> from fop_core.studies.statistics import difference
        >>> made = difference({0: 0.97, 1: 0.98, 2: 0.96}, {0: 0.95, 1: 0.97, 2: 0.95})
        >>> made.test, round(made.mean, 4), round(made.low, 4), round(made.high, 4), round(made.p, 3)
        ('paired t', 0.0133, -0.001, 0.0277, 0.057)
    """

    mean: float
    low: float
    high: float
    p: float
    n: int
    other_n: int
    std: float
    test: str
    lead: float = 0.0


def difference(ours: Mapping[int, float], theirs: Mapping[int, float], alpha: float = 0.05) -> Difference:
    """Return how much ours are above theirs: in pairs where both have the same seeds, else by Welch's test.

    Runs of one seed share their first weights and batches, so that a pair differs by the method alone.

    Args:
        ours: values by seed; none is NaN.
        theirs: likewise.
        alpha: one less the confidence of the interval.

    Example:
        >>> from fop_core.studies.statistics import difference
        >>> difference({0: 0.97, 1: 0.98}, {0: 0.95, 1: 0.97}).test  # of the same seeds
        'paired t'
        >>> difference({0: 0.97, 1: 0.98}, {5: 0.95, 6: 0.97}).test
        "Welch's t"
    """
    seeds = sorted(ours.keys() & theirs.keys())
    if seeds and len(seeds) == len(ours) == len(theirs):
        return paired([ours[seed] for seed in seeds], [theirs[seed] for seed in seeds], alpha)
    return unpaired(list(ours.values()), list(theirs.values()), alpha)


def paired(ours: Sequence[float], theirs: Sequence[float], alpha: float = 0.05) -> Difference:
    """Return the mean of paired differences with Student's t; by signs where a value is infinite or nothing spreads.

    Args:
        ours: [n].
        theirs: of the same seeds, [n].
        alpha: one less the confidence of the interval.

    Example:
        >>> import math
        >>> from fop_core.studies.statistics import paired
        >>> round(paired([3.0, 5.0, 4.0], [1.0, 2.0, 3.0]).p, 4)
        0.0742
        >>> paired([3.0, math.inf, 4.0], [1.0, 2.0, 3.0]).test  # one diverged
        'sign test'
    """
    first, second = np.asarray(ours, float), np.asarray(theirs, float)
    if first.shape != second.shape or first.ndim != 1 or np.isnan(first).any() or np.isnan(second).any():
        raise ValueError(f"pairs of shapes {first.shape} and {second.shape}, or NaN: give two [n] of numbers")
    n = len(first)
    with np.errstate(invalid="ignore"):
        pairs = np.where(first == second, 0.0, first - second)  # of two infinities too
    mean = float(np.mean(pairs)) if n and not _both_ways(pairs) else math.nan
    std = float(pairs.std(ddof=1)) if n > 1 and np.isfinite(pairs).all() else math.nan
    finite = bool(np.isfinite(first).all() and np.isfinite(second).all())
    if not finite or (pairs.any() and _without_spread(std, first, second)):
        above, unequal = int((pairs > 0).sum()), int((pairs != 0).sum())
        p = float(stats.binomtest(above, unequal).pvalue) if unequal else 1.0
        return Difference(mean, math.nan, math.nan, p, n, n, math.nan, "sign test", 2 * above - unequal)
    if n < 2:
        return Difference(mean, math.nan, math.nan, math.nan, n, n, math.nan, "none")
    if not pairs.any():  # the same numbers: there is nothing to divide by
        return Difference(0.0, 0.0, 0.0, 1.0, n, n, 0.0, "paired t")
    half = float(stats.t.ppf(1 - alpha / 2, n - 1)) * std / math.sqrt(n)
    p = float(2 * stats.t.sf(abs(mean) * math.sqrt(n) / std, n - 1))
    return Difference(mean, mean - half, mean + half, p, n, n, std, "paired t", mean)


def unpaired(ours: Sequence[float], theirs: Sequence[float], alpha: float = 0.05) -> Difference:
    """Return the difference of two means with Welch's t; by ranks alone where a value is infinite, or none spreads.

    Args:
        ours: [n].
        theirs: [m].
        alpha: one less the confidence of the interval.

    Example:
        >>> from fop_core.studies.statistics import unpaired
        >>> made = unpaired([3.0, 5.0, 4.0], [1.0, 2.0, 3.0])
        >>> made.test, made.mean, round(made.p, 4)
        ("Welch's t", 2.0, 0.0705)
    """
    first, second = np.asarray(ours, float), np.asarray(theirs, float)
    if first.ndim != 1 or second.ndim != 1 or np.isnan(first).any() or np.isnan(second).any():
        raise ValueError(f"groups of shapes {first.shape} and {second.shape}, or NaN: give [n] and [m] of numbers")
    n, m = len(first), len(second)
    with np.errstate(invalid="ignore"):
        mean = float(np.mean(first) - np.mean(second)) if n and m else math.nan
        variances = (first.var(ddof=1), second.var(ddof=1)) if min(n, m) > 1 else (math.nan, math.nan)
    if not n or not m:
        return Difference(mean, math.nan, math.nan, math.nan, n, m, math.nan, "none")
    std = math.sqrt((variances[0] + variances[1]) / 2)
    if not (np.isfinite(first).all() and np.isfinite(second).all()) or (mean and _without_spread(std, first, second)):
        p = rank_sum(first, second)
        lead = sum((one > other) - (one < other) for one in ours for other in theirs)
        return Difference(mean, math.nan, math.nan, p, n, m, math.nan, "none" if math.isnan(p) else "rank sum", lead)
    if n < 2 or m < 2:
        return Difference(mean, math.nan, math.nan, math.nan, n, m, math.nan, "none")
    if std == 0:
        return Difference(0.0, 0.0, 0.0, 1.0, n, m, 0.0, "Welch's t")
    result: Any = stats.ttest_ind(first, second, equal_var=False)
    low, high = result.confidence_interval(1 - alpha)
    return Difference(mean, float(low), float(high), float(result.pvalue), n, m, std, "Welch's t", mean)


def rank_sum(first: Sequence[float] | Array, second: Sequence[float] | Array) -> float:
    """Return the two-sided p of Mann and Whitney's test that two groups have the same distribution, by permutation.

    Args:
        first: [n], at least 1; infinite values are ranked with the rest, none is NaN.
        second: [m], likewise.

    Returns:
        p; NaN of fewer than two values on a side, which tell nothing.

    Example:
        >>> from fop_core.studies.statistics import rank_sum
        >>> round(rank_sum([3.0, 4.0, float("inf")], [0.0, 1.0, 2.0]), 3)
        0.1
    """
    if min(len(first), len(second)) < 2:
        return math.nan
    exact = stats.PermutationMethod(n_resamples=RESAMPLES, rng=np.random.default_rng(0))
    return min(float(stats.mannwhitneyu(first, second, method=exact).pvalue), 1.0)


def _without_spread(std: float, *groups: Array) -> bool:
    """Return whether a deviation is no more than rounding: a t test by it would be certain of anything."""
    return std <= ROUNDING * max(float(np.abs(group).max()) for group in groups)


def _both_ways(pairs: Array) -> bool:
    """Return whether there is an infinite difference of either sign, of which there is no mean."""
    return bool(np.isposinf(pairs).any() and np.isneginf(pairs).any())


def holm(p: Sequence[float]) -> list[float]:
    """Return p values adjusted by Holm's step-down method: compared with alpha, few are declared among many.

    Args:
        p: of all comparisons; NaN of one that could not be made, which counts all the same and stays NaN.

    Example:
        >>> from fop_core.studies.statistics import holm
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, float)
    order = np.argsort(np.where(np.isnan(values), np.inf, values), kind="stable")
    adjusted = np.full(len(values), np.nan)
    largest = 0.0
    for rank, index in enumerate(order):
        if not np.isnan(values[index]):
            largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
            adjusted[index] = largest
    return adjusted.tolist()


def power(effect: float, std: float, n: int, alpha: float = 0.05, pairs: bool = True) -> float:
    """Return the probability that a two-sided t test sees a difference: noncentral t, as a mean over the variance.

    Args:
        effect: the true difference of the means.
        std: of the paired differences, or of each of two groups.
        n: pairs, or values of each group.
        alpha: the probability of seeing one where there is none.
        pairs: whether they are pairs.

    Example:
        >>> from fop_core.studies.statistics import power
        >>> [round(power(effect=1.0, std=1.0, n=n), 2) for n in (3, 10, 30)]
        [0.18, 0.8, 1.0]
    """
    if n < 2:
        return 0.0
    freedom = n - 1 if pairs else 2 * (n - 1)
    if std == 0:
        return 1.0 if effect else alpha
    shift = abs(effect) / std * math.sqrt(n if pairs else n / 2)
    critical = float(special.stdtrit(freedom, 1 - alpha / 2)) * _deviations(freedom)
    return float(_WEIGHTS @ (special.ndtr(shift - critical) + special.ndtr(-shift - critical)))


@functools.lru_cache(maxsize=256)
def _deviations(freedom: int) -> Array:
    """Return estimated standard deviations over the true one, at equal shares of their distribution."""
    return np.sqrt(stats.chi2.ppf(_SHARES, freedom) / freedom)


_NODES, _LEGENDRE = np.polynomial.legendre.leggauss(400)
_SHARES, _WEIGHTS = (_NODES + 1) / 2, _LEGENDRE / 2
"""By which a mean over the variance's distribution is taken: scipy's own noncentral t gives NaN for few seeds."""


def detectable(std: float, n: int, alpha: float = 0.05, pairs: bool = True, probability: float = POWER) -> float:
    """Return the smallest true difference that a test sees with a probability; infinite for a single seed.

    Arguments as ``power``'s.

    Example:
        >>> from fop_core.studies.statistics import detectable
        >>> [round(detectable(std=0.003, n=n), 4) for n in (3, 10, 30)], detectable(std=0.003, n=1)
        ([0.0098, 0.003, 0.0016], inf)
    """
    if n < 2:
        return math.inf
    if std == 0:
        return 0.0
    low, high = 0.0, std
    while power(high, std, n, alpha, pairs) < probability:
        low, high = high, 2 * high
    return float(optimize.brentq(lambda effect: power(effect, std, n, alpha, pairs) - probability, low, high))


def reaches(values: Sequence[float] | Array, target: float, way: str) -> float:
    """Return the p value of the claim that the mean over seeds meets a target: a one-sided, one-sample t test.

    Steps-to-target records are accepted by such a test of the loss at their last step; where those of NanoGPT take the
    seeds' standard deviation as known, here it is estimated from these seeds.

    Args:
        values: of each seed, [n].
        target: to be reached.
        way: "max" where it is reached from below, "min" from above.

    Returns:
        p; NaN of fewer than two seeds, 1 where a value is infinite on the wrong side.

    Example:
        >>> from fop_core.studies.statistics import reaches
        >>> round(reaches([0.941, 0.942, 0.940], target=0.94, way="max"), 3)
        0.113
    """
    group = np.asarray(values, float)
    if len(group) < 2 or np.isnan(group).any():
        return math.nan
    if not np.isfinite(group).all():
        return 1.0
    lead = float(group.mean() - target) * (1 if way == "max" else -1)
    std = float(group.std(ddof=1))
    if std == 0:
        return 0.0 if lead > 0 else 1.0
    return float(stats.t.sf(lead * math.sqrt(len(group)) / std, len(group) - 1))


def record(values: Array, target: float, way: str, alpha: float) -> int | None:
    """Return the first measurement at which the mean over seeds has met a target, by ``reaches``; None where none has.

    Args:
        values: of each seed at each measurement, [seeds, k]; worst where a seed has none.
        target: to be reached.
        way: "max" or "min".
        alpha: the p value below which it counts.

    Example:
        >>> import numpy as np
        >>> from fop_core.studies.statistics import record
        >>> accuracy = np.array([[0.92, 0.94, 0.951], [0.93, 0.93, 0.952], [0.92, 0.95, 0.950]])  # three seeds
        >>> record(accuracy, target=0.94, way="max", alpha=0.05)
        2
    """
    for index in range(values.shape[1]):
        if reaches(values[:, index], target, way) < alpha:
            return index
    return None


def performance_profile(times: Array, ratios: Array) -> Array:
    """Return by method the share of problems on which it takes at most so many times what the fastest takes.

    Dolan and Moré, 2002, as AlgoPerf scores training algorithms. A method that does not get there takes infinitely
    long; a problem that none solves counts for none.

    Args:
        times: [problems, methods], positive or infinite.
        ratios: from 1, ascending, [k].

    Returns:
        [methods, k], from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from fop_core.studies.statistics import performance_profile
        >>> times = np.array([[10.0, 20.0], [30.0, 10.0], [10.0, np.inf]])  # three problems, two methods
        >>> performance_profile(times, np.array([1.0, 2.0, 4.0])).round(2)
        array([[0.67, 0.67, 1.  ],
               [0.33, 0.67, 0.67]])
    """
    fastest = times.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        relative = np.where(np.isfinite(times), times / fastest, np.inf)
    return (relative[:, :, None] <= ratios[None, None, :]).mean(axis=0)


def profile_score(times: Array, most: float = 4.0) -> Array:
    """Return the area under each method's performance profile from 1 to ``most``, over that length: AlgoPerf's score.

    Args:
        times: [problems, methods], positive or infinite.
        most: the largest ratio.

    Returns:
        [methods], from 0 to 1.

    Example:
        >>> import numpy as np
        >>> from fop_core.studies.statistics import profile_score
        >>> profile_score(np.array([[10.0, 20.0], [30.0, 10.0], [10.0, np.inf]])).round(3)
        array([0.778, 0.556])
    """
    fastest = times.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        relative = np.where(np.isfinite(times), times / fastest, np.inf)
    return (np.clip(most - relative, 0.0, None) / (most - 1)).mean(axis=0)


def expected_best(scores: Sequence[float], trials: int, way: str = "max") -> float:
    """Return the mean, over all choices of so many of a method's trials, of the best among them.

    It puts methods that were tuned over different numbers of points side by side (Dodge et al., 2019, with the trials
    drawn without replacement).

    Args:
        scores: of all trials, [N].
        trials: how many are drawn, 1 to N.
        way: whether the largest or the smallest is the best.

    Example:
        >>> from fop_core.studies.statistics import expected_best
        >>> scores = [0.90, 0.95, 0.97]
        >>> [round(expected_best(scores, trials), 4) for trials in (1, 2, 3)]
        [0.94, 0.9633, 0.97]
    """
    if not 1 <= trials <= len(scores):
        raise ValueError(f"{trials} of {len(scores)} trials: give 1 to {len(scores)}")
    from_worst = sorted(scores, reverse=way == "min")
    total = math.comb(len(scores), trials)
    # Trial i is the best of those drawn where the others are among the i that are worse.
    chances = [math.comb(worse, trials - 1) / total for worse in range(len(scores))]
    return sum(chance * score for chance, score in zip(chances, from_worst) if chance)
