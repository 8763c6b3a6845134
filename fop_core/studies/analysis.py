"""What a study says: which setting of each method won, how the methods differ, and how sure that is.

The analysis was fixed when the study was submitted. Another one can be looked at, and is marked as explored.
"""

import itertools
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fop_core.studies import statistics
from fop_core.studies.cells import Point, points
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import Analysis, direction, of_role
from fop_core.studies.statistics import Difference

Array = np.ndarray

OF_TARGET = ("steps", "seconds")
"""What is compared of a study with a target, on a logarithmic scale; gradients go with the steps."""


@dataclass(frozen=True)
class Winner:
    """The setting of a method that won, or leads so far.

    Attributes:
        method: whose.
        point: the values of its axes.
        score: its mean over the tuning seeds; infinite where no point came to its end.
        std: their sample standard deviation; NaN of a single seed.
        n: seeds.
        trials: points of the method that were tried.
        failed: those of them of which a run diverged or was ended early.
        expected: the mean of the best of ``fewest`` of its trials.
        fewest: the trials of the method that has the fewest.
        final: whether all of its tuning runs have ended.
        edges: fields of its axes at an end of which it is, where that is a number: a better one may lie beyond.

    Example:
        >>> from fop_core.studies.analysis import Winner
        >>> winner = Winner("fop", {"optimizer.lr": 0.05}, 0.975, 0.002, 3, 6, 1, 0.974, 3, True, edges=())
        >>> winner.point, winner.score, winner.failed
        ({'optimizer.lr': 0.05}, 0.975, 1)
    """

    method: str
    point: Point
    score: float
    std: float
    n: int
    trials: int
    failed: int
    expected: float
    fewest: int
    final: bool
    edges: tuple[str, ...]


def winners(table: StudyTable) -> dict[str, Winner]:
    """Return by method the point with the best mean score over the tuning seeds; of two the one that is listed first.

    A method of which nothing has been measured yet is left out. A point counts once all of its seeds have ended; one
    with a run that diverged or was ended early is infinitely bad.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> analysis.winners(progress.table("ranks"))  # nothing was tuned
        {}
    """
    study = table.study
    if not study.axes:
        return {}
    way = study.choose.direction
    scores = table.outcome(study.choose.column, study.choose.at)
    by_method = {method: _by_point(table, method) for method in study.methods}
    fewest = min(len(tried) for tried in by_method.values())
    made = {}
    for method, tried in by_method.items():
        means = [float(np.mean(scores[rows])) for _, rows in tried]  # NaN where a seed is open
        known = [index for index, mean in enumerate(means) if not math.isnan(mean)]
        if not known:
            continue
        best = (max if way == "max" else min)(known, key=lambda index: means[index])
        point, rows = tried[best]
        of_seeds = scores[rows]
        spread = len(of_seeds) > 1 and bool(np.isfinite(of_seeds).all())
        made[method] = Winner(
            method,
            point,
            means[best],
            float(of_seeds.std(ddof=1)) if spread else math.nan,
            len(of_seeds),
            len(tried),
            sum(math.isinf(means[index]) for index in known),
            statistics.expected_best([means[index] for index in known], min(fewest, len(known)), way),
            fewest,
            len(known) == len(tried),
            _edges(tried, point),
        )
    return made


def _by_point(table: StudyTable, method: str) -> list[tuple[Point, list[int]]]:
    """Return a method's points in order, each with its rows of tuning."""
    made: dict[str, tuple[Point, list[int]]] = {}
    for index in table.rows("tune", method):
        made.setdefault(repr(table.point[index]), (table.point[index], []))[1].append(index)
    return list(made.values())


def _edges(tried: list[tuple[Point, list[int]]], point: Point) -> tuple[str, ...]:
    """Return the fields of a point whose value is the least or the most that was tried, of at least three numbers."""
    edges = []
    for name, value in point.items():
        values = [each[name] for each, _ in tried if name in each]
        if any(isinstance(each, bool) or not isinstance(each, int | float) for each in values):
            continue
        if len(set(values)) > 2 and value in (min(values), max(values)):
            edges.append(name)
    return tuple(edges)


@dataclass(frozen=True)
class Group:
    """A method as it is reported.

    Attributes:
        method: which.
        values: what is compared, by seed; infinitely bad where the run diverged.
        steps, seconds, gradients: to the target, by seed; infinite where it was missed; empty without a target.
        of: how many runs are to be reported.
        diverged: how many diverged.
        mean, std: of the values; infinite or NaN where one is infinite.
        training_seconds, evaluation_seconds: the mean of a run; NaN where not known.
        peak_memory: bytes, of the run that used most; NaN where not known.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> group = analysis.comparisons(progress.table("ranks")).groups["fop"]
        >>> group.n, group.values, round(group.mean, 4), round(group.std, 4)
        (3, {0: 0.9788, 1: 0.9795, 2: 0.9756}, 0.978, 0.0021)
    """

    method: str
    values: dict[int, float]
    steps: dict[int, float]
    seconds: dict[int, float]
    gradients: dict[int, float]
    of: int
    diverged: int
    mean: float
    std: float
    training_seconds: float
    evaluation_seconds: float
    peak_memory: float

    @property
    def n(self) -> int:
        """How many runs have ended."""
        return len(self.values)


@dataclass(frozen=True)
class Comparison:
    """How two methods differ.

    Attributes:
        method, other: which; the difference is the first one's less the second one's.
        measure: a column, or one of ``OF_TARGET``, which are compared by their logarithms.
        difference: see there.
        adjusted: p after the correction.
        declared: whether there is a difference, by the analysis; never before all runs have ended.
        level: of p, at which the correction declares the first of the comparisons.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> [row] = analysis.comparisons(progress.table("ranks")).rows
        >>> row.method, row.other, round(row.adjusted, 2), row.better
        ('momentum', 'fop', 0.9, '')
        >>> round(row.detectable, 3)  # of accuracy: what these seeds could have shown
        0.011
    """

    method: str
    other: str
    measure: str
    difference: Difference
    adjusted: float
    declared: bool
    level: float

    @property
    def detectable(self) -> float:
        """The smallest difference that these seeds could have shown with probability 0.8; NaN where unknown."""
        if math.isnan(self.difference.std):
            return math.nan
        n = min(self.difference.n, self.difference.other_n)
        return statistics.detectable(self.difference.std, n, self.level, pairs=self.difference.test == "paired t")

    @property
    def better(self) -> str:
        """The method that is declared to be better, or ""."""
        if not self.declared or self.difference.lead == 0:
            return ""
        smaller, larger = self.other, self.method
        if self.difference.lead < 0:
            smaller, larger = larger, smaller
        return larger if self.measure not in OF_TARGET and direction(self.measure) == "max" else smaller


@dataclass(frozen=True)
class Comparisons:
    """All of an analysis.

    Attributes:
        analysis: which.
        role: "report", or "tune" of a study without fresh seeds.
        groups: the methods, in order.
        rows: the comparisons, corrected together.
        explored: why these p values cannot be taken at their word; empty where the analysis is the one that was fixed.
        final: whether all runs have ended of the methods that have a winner.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> made = analysis.comparisons(progress.table("ranks"))
        >>> made.final, list(made.groups), [row.declared for row in made.rows]
        (True, ['momentum', 'fop'], [False])
    """

    analysis: Analysis
    role: str
    groups: dict[str, Group]
    rows: list[Comparison] = field(default_factory=list)
    explored: tuple[str, ...] = ()
    final: bool = False

    @property
    def turned(self) -> bool:
        """Whether a difference is shown as the method named later less the earlier one: where there is no baseline.

        Example:
            >>> from fop_core.studies import analysis, protocol
            >>> [analysis.Comparisons(protocol.Analysis(baseline=name), "report", {}).turned for name in ("", "sgd")]
            [True, False]
        """
        return not self.analysis.baseline


def comparisons(table: StudyTable, analysis: Analysis | None = None) -> Comparisons:
    """Return how the methods differ.

    Args:
        table: the study.
        analysis: another one than the study's own, which is explored then.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> other = protocol.Analysis(column="test_loss")
        >>> made = analysis.comparisons(progress.table("ranks"), other)
        >>> round(made.groups["fop"].mean, 3), made.explored
        (0.087, ('another analysis was fixed when the study was submitted',))
    """
    study, fixed = table.study, table.study.analysis
    chosen = fixed if analysis is None else analysis
    role = "report" if study.fresh_seeds else "tune"
    explored = []
    if chosen != fixed:
        explored.append("another analysis was fixed when the study was submitted")
    if table.stored.grown_late:
        explored.append("the study grew when results were there")
    if role == "tune":
        explored.append("no fresh seeds: the winners are judged by what chose them")
    groups = {method: _group(table, chosen, role, method) for method in study.methods}
    lost = table.stored.lost  # of these nothing will be reported, which keeps the others from nothing
    final = all(method in lost or (group.of and group.n == group.of) for method, group in groups.items())
    pairs = list(itertools.combinations(study.methods, 2))
    if chosen.baseline:
        pairs = [(method, chosen.baseline) for method in study.methods if method != chosen.baseline]
    measures = [chosen.column, *(OF_TARGET if study.target is not None else ())]
    made: list[tuple[str, str, str, Difference]] = []
    for method, other in pairs:
        for measure in measures:
            ours, theirs = (_values(groups[each], measure) for each in (method, other))
            made.append((method, other, measure, statistics.difference(ours, theirs, chosen.alpha)))
    tested = [difference.p for *_, difference in made]
    adjusted = statistics.holm(tested) if chosen.correction == "holm" else tested
    strictest = chosen.alpha / max(1, len(made)) if chosen.correction == "holm" else chosen.alpha
    rows = [
        Comparison(
            method,
            other,
            measure,
            difference,
            p,
            final and p <= chosen.alpha,
            strictest,
        )
        for (method, other, measure, difference), p in zip(made, adjusted)
    ]
    return Comparisons(chosen, role, groups, rows, tuple(explored), final)


def _values(group: Group, measure: str) -> dict[int, float]:
    if measure not in OF_TARGET:
        return group.values
    times: dict[int, float] = getattr(group, measure)
    return {seed: math.log(max(value, 1e-9)) for seed, value in times.items()}


def _group(table: StudyTable, analysis: Analysis, role: str, method: str) -> Group:
    rows = table.rows(role, method)
    expected = len(table.study.fresh_seeds or ())
    if role == "tune":
        won = winners(table).get(method)
        rows = [index for index in rows if won is not None and table.point[index] == won.point]
        expected = len(table.study.seeds)
    outcome = table.outcome(analysis.column, analysis.at)
    ended = [index for index in rows if not math.isnan(outcome[index])]
    values = {table.seed[index]: float(outcome[index]) for index in ended}
    numbers = np.array(list(values.values()))
    finite = bool(np.isfinite(numbers).all())

    def to_target(column: Array) -> dict[int, float]:
        if table.study.target is None:
            return {}
        return {table.seed[index]: float(column[index]) for index in ended if not math.isnan(column[index])}

    def over(column: Array, of: Any) -> float:
        known = column[ended][~np.isnan(column[ended])] if ended else np.empty(0)
        return float(of(known)) if len(known) else math.nan

    return Group(
        method,
        values,
        to_target(table.steps_to_target),
        to_target(table.seconds_to_target),
        to_target(table.gradients_to_target),
        expected,
        int(table.diverged[ended].sum()) if ended else 0,
        float(numbers.mean()) if len(numbers) else math.nan,
        float(numbers.std(ddof=1)) if len(numbers) > 1 and finite else math.nan,
        over(table.seconds, np.mean),
        over(table.evaluation_seconds, np.mean),
        over(table.peak_memory, np.max),
    )


def profile(table: StudyTable, measure: str = "steps", ratios: Array | None = None) -> tuple[Array, Array, Array]:
    """Return the methods' performance profiles over the reported seeds, each of which is a problem.

    Args:
        table: the study, with a target.
        measure: "steps", "seconds" or "gradients".
        ratios: from 1, ascending, [k]; 1 to 4 unless given.

    Returns:
        The ratios [k], the profiles [methods, k], and their scores [methods]. Nothing, [0], where no seed of all
        methods has ended.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)
        >>> study = protocol.Study(name="ranks", base={"threads": 1}, target=protocol.Target(value=0.97))
        >>> _ = submit.submit(study)
        >>> ratios, shares, scores = analysis.profile(progress.table("ranks"))
        >>> shares[:, [0, -1]], scores.round(2)  # of momentum and FOP: fastest, and within 4 times that
        (array([[0.66666667, 1.        ],
               [0.66666667, 1.        ]]), array([0.93, 0.94]))
    """
    ratios = np.linspace(1.0, 4.0, 121) if ratios is None else ratios
    groups = comparisons(table).groups.values()
    times = [getattr(group, measure) for group in groups]
    seeds = sorted(set.intersection(*(set(each) for each in times))) if times else []
    if not seeds:
        return np.empty(0), np.empty((len(times), 0)), np.empty(0)
    grid = np.array([[each[seed] for each in times] for seed in seeds])
    return ratios, statistics.performance_profile(grid, ratios), statistics.profile_score(grid)


@dataclass(frozen=True)
class Record:
    """When a method met the target for certain: the first measurement at which the mean over seeds did.

    Attributes:
        method: which.
        n: seeds.
        steps: at which; infinite where it never did.
        p: of the claim at these steps, or at the last ones, see ``statistics.reaches``.

    Example:
        >>> from fop_core.studies.analysis import Record
        >>> Record("fop", n=3, steps=2345.0, p=0.01).steps
        2345.0
    """

    method: str
    n: int
    steps: float
    p: float


def records(table: StudyTable) -> list[Record]:
    """Return the methods' steps-to-target records, of those whose reported runs have all ended.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)
        >>> study = protocol.Study(name="ranks", base={"threads": 1}, target=protocol.Target(value=0.97))
        >>> _ = submit.submit(study)
        >>> [(each.method, each.steps) for each in analysis.records(progress.table("ranks"))]
        [('momentum', 3283.0), ('fop', 3283.0)]
    """
    target, made = table.study.target, []
    if target is None:
        return []
    way = direction(target.column)
    worst = -math.inf if way == "max" else math.inf
    for method in table.study.methods:
        rows = table.rows("report", method)
        if not rows or not table.ended[rows].all():
            continue
        curves = [table.curves[index].get(of_role(target.column, "report")) for index in rows]
        steps = sorted({int(step) for curve in curves if curve is not None for step in curve.steps})
        values = np.full((len(rows), len(steps)), worst)
        for row, curve in enumerate(curves):
            if curve is not None:
                values[row, np.searchsorted(steps, curve.steps)] = np.where(np.isnan(curve.y), worst, curve.y)
        alpha = table.study.analysis.alpha
        first = statistics.record(values, target.value, way, alpha)
        at = len(steps) - 1 if first is None else first
        p = statistics.reaches(values[:, at], target.value, way) if steps else math.nan
        made.append(Record(method, len(rows), math.inf if first is None else float(steps[first]), p))
    return made


def unequal_trials(table: StudyTable) -> dict[str, int]:
    """Return how many points each method was tuned over, where that is not the same for all; else nothing.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import analysis, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> analysis.unequal_trials(progress.table("ranks"))  # all as many
        {}
    """
    if not table.study.axes:
        return {}
    tried = {method: len(all_of) for method, all_of in points(table.study).items()}
    return tried if len(set(tried.values())) > 1 else {}
