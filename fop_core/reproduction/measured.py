"""Numbers of packed runs by seed, how two methods differ in them, and how that is written.

A run that diverged is worse than every other: it has no accuracy, and is compared by its rank alone.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from scipy import stats

from fop_core.formatting import p_value
from fop_core.reproduction.shipped import PackedRun
from fop_core.reproduction.verdicts import ALPHA
from fop_core.studies.statistics import Difference, holm, unpaired

MINUS = "−"


def percent(runs: Sequence[PackedRun], epoch: int | None = None, column: str = "test_accuracy") -> dict[int, float]:
    """Return an accuracy in percent by seed, at the end of an epoch, or of the run where none is given.

    A run that diverged has an infinitely bad one; one that did not measure it there has none.
    """
    of = {run.seed: run.last(column) if epoch is None else run.at_epoch(column, epoch) for run in runs}
    return {seed: 100 * value for seed, value in of.items() if not math.isnan(value)}


def above(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Difference:
    """Return how much ours are above theirs by Welch's test, as the paper has it, though seeds are shared.

    Where a run diverged the ranks decide: the mean is then infinite with their sign, or NaN where they are as good.
    """
    first, second = list(ours.values()), list(theirs.values())
    made = unpaired(first, second, ALPHA)
    if not (first and second) or all(map(math.isfinite, (*first, *second))):
        return made
    lead = sum((one > other) - (one < other) for one in first for other in second)
    return replace(made, mean=math.copysign(math.inf, lead) if lead else math.nan)


def comes_out(difference: Difference, p: float | None = None) -> bool:
    """Return whether ours are above theirs, by the rule of ``verdicts``.

    Args:
        difference: ours less theirs.
        p: its p value, where that was corrected for others beside it.
    """
    p = difference.p if p is None else p
    return difference.mean > 0 and (math.isnan(p) or p < ALPHA)


def rising(by: Mapping[float, Sequence[float]]) -> tuple[float, float]:
    """Return Spearman's rank correlation of values with what they belong to, over all runs, and its p value.

    Args:
        by: the values of each.
    """
    pairs = [(key, value) for key, values in by.items() for value in values]
    result = stats.spearmanr(*zip(*pairs))
    return float(result.statistic), float(result.pvalue)


@dataclass(frozen=True)
class Corrected:
    """One of several comparisons.

    Attributes:
        difference: ours less theirs.
        p: corrected for the others.
        how: it was, in words.
    """

    difference: Difference
    p: float
    how: str

    @property
    def comes_out(self) -> bool:
        """Whether ours are above theirs."""
        return comes_out(self.difference, self.p)


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign; "+∞" and "−∞" where runs diverged, "±0" where as many did of both."""
    if not math.isfinite(value):
        return "±0" if math.isnan(value) else "+∞" if value > 0 else f"{MINUS}∞"
    return f"{value:+.{digits}f}".replace("-", MINUS)


p_words = p_value


def spread(values: Mapping[int, float] | Sequence[float], digits: int = 2) -> str:
    """Return mean ± standard deviation, the mean alone of one value; "1 of 5 diverged" where that is so."""
    numbers = list(values.values()) if isinstance(values, Mapping) else list(values)
    if not numbers:
        return "–"
    if failed := sum(not math.isfinite(number) for number in numbers):
        return f"{failed} of {len(numbers)} diverged"
    mean = f"{statistics.mean(numbers):.{digits}f}".replace("-", MINUS)
    return f"{mean} ± {statistics.stdev(numbers):.{digits}f}" if len(numbers) > 1 else mean


def corrected(differences: Sequence[Difference], of: str) -> list[Corrected]:
    """Return comparisons of one family with their p values by Holm's method.

    Args:
        differences: all of the family.
        of: what they are, in words: "ranks".
    """
    how = f"by Holm's method over {len(differences)} {of}"
    return [Corrected(each, p, how) for each, p in zip(differences, holm([each.p for each in differences]))]


def compared(ours: Mapping[int, float], theirs: Mapping[int, float], made: Corrected | None = None) -> str:
    """Return how much ours are above theirs in words: points, both means with spread, n, the test and p.

    Args:
        ours: by seed.
        theirs: likewise.
        made: their comparison, where it is one of several.
    """
    difference = above(ours, theirs)
    p = p_words(difference.p) if made is None else f"{p_words(made.p)} {made.how}"
    test = f"{difference.test}, {p}" if difference.test != "none" else "one seed: no test"
    n = f"n = {difference.n}" if difference.n == difference.other_n else f"n = {difference.n} and {difference.other_n}"
    percents = [f"{spread(each)}{' %' if all(map(math.isfinite, each.values())) else ''}" for each in (ours, theirs)]
    if math.isfinite(difference.mean):
        return f"{signed(difference.mean)} points ({spread(ours)} against {spread(theirs)} %, {n}; {test})"
    words = "as good" if math.isnan(difference.mean) else "better" if difference.mean > 0 else "worse"
    return f"{words} ({' against '.join(percents)}, {n}; {test})"


def mean_words(values: Mapping[int, float]) -> str:
    """Return the mean; "1 of 5 diverged" where that is so."""
    if not all(map(math.isfinite, values.values())):
        return spread(values)
    return f"{statistics.mean(values.values()):.2f}".replace("-", MINUS)


def tests_words(differences: Iterable[Difference], correction: str = "Holm's correction") -> str:
    """Return which tests were made: "Welch's t, Holm's correction"; "one seed: no test" where none was."""
    made = list(dict.fromkeys(each.test for each in differences if each.test != "none"))
    return ", ".join([" and ".join(made), correction]) if made else "one seed: no test"


def share(part: float, whole: float) -> str:
    """Return a gain in percent of another one; "no share" where runs diverged, or there is no gain."""
    if not (math.isfinite(part) and math.isfinite(whole) and whole):
        return "no share"
    return f"{100 * part / whole:.0f} %"
