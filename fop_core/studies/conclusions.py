"""What can be concluded from a study, and what cannot: in sentences, each with its n."""

import json
import math
from dataclasses import replace

import numpy as np

from fop_core.formatting import NONE, mean_std, p_value, plain, points
from fop_core.studies.analysis import (
    OF_TARGET,
    Comparison,
    Comparisons,
    Group,
    comparisons,
    records,
    unequal_trials,
    winners,
)
from fop_core.studies.cells import Point
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import Analysis, Study, of_role

_WHERE = {"sign test": "on more seeds", "rank sum": "by their ranks"}
"""Where a method is ahead, by tests that know no size."""


def conclusions(table: StudyTable, analysis: Analysis | None = None) -> list[str]:
    """Return what a study says by an analysis; by the one that was fixed unless given.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import conclusions, progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> for sentence in list(conclusions.conclusions(progress.table("ranks")))[:2]:
        ...     print(sentence)
        momentum: 97.77 ± 0.16 % on the test set, n = 3.
        fop: 97.80 ± 0.21 % on the test set, n = 3.
    """
    made = by_name(comparisons(table, analysis), table.study)
    sentences = [f"Explored: {why}. Take these p values as hints." for why in made.explored]
    sentences += _unmeasured(table, made)
    sentences += _open(table, made)
    sentences += [_of_group(made, group) for group in made.groups.values() if group.n]
    sentences += [_of_comparison(made, row) for row in made.rows if row.difference.n and row.difference.other_n]
    sentences += _of_target(table)
    return [*sentences, *_of_tuning(table), *_known_before(table)]


def by_name(made: Comparisons, study: Study) -> Comparisons:
    """Return what an analysis says with the methods called as people call them, see ``Study.called``.

    Example:
        >>> from fop_core.studies import analysis, conclusions, protocol
        >>> lion = protocol.StudyPlugin(file="lion.py", sha256="0" * 64)
        >>> study = protocol.Study(name="s", methods=("plugin",), plugins={"optimizer": lion})
        >>> group = analysis.Group("plugin", {}, {}, {}, {}, 3, 0, 0.9, 0.01, 1.0, 1.0, 1e8)
        >>> made = analysis.Comparisons(study.analysis, "report", {"plugin": group})
        >>> [each.method for each in conclusions.by_name(made, study).groups.values()]
        ['lion.py']
    """
    groups = {study.called(name): replace(group, method=study.called(name)) for name, group in made.groups.items()}
    rows = [replace(row, method=study.called(row.method), other=study.called(row.other)) for row in made.rows]
    return replace(made, groups=groups, rows=rows)


def point_words(point: Point) -> str:
    """Return a point in words: "lr 0.05, rank 16".

    Example:
        >>> from fop_core.studies.conclusions import point_words
        >>> point_words({"optimizer.lr": 0.05, "fop.rank": 16})
        'lr 0.05, rank 16'
    """
    return ", ".join(
        f"{field.rpartition('.')[2]} {value if isinstance(value, str) else json.dumps(value)}"
        for field, value in point.items()
    )


def amount(value: float, column: str) -> str:
    """Return a value of a column as people read it: an accuracy in percent, a loss with three digits.

    Example:
        >>> from fop_core.studies.conclusions import amount
        >>> amount(0.9777, "test_accuracy"), amount(0.0873, "test_loss")
        ('97.77 %', '0.0873')
    """
    return NONE if math.isnan(value) else mean_std(value, None, column.endswith("accuracy"))


def gap(value: float, measure: str) -> str:
    """Return a difference as people read it: of accuracies in points, of times to a target as a factor.

    Example:
        >>> from fop_core.studies.conclusions import gap
        >>> gap(-0.0086, "test_accuracy")
        '−0.86 points'
    """
    if math.isnan(value):
        return NONE
    if measure in OF_TARGET:
        return f"{math.exp(value):.3g} times" if abs(value) < 700 else "∞ times"
    if math.isinf(value):
        return "∞"
    return points(value) if measure.endswith("accuracy") else plain(value)


def _unmeasured(table: StudyTable, made: Comparisons) -> list[str]:
    """Say by which columns nothing can be chosen or compared, since none of the finished runs has measured them."""
    goes_by: list[tuple[str, str, str]] = [("compared", made.analysis.column, made.role)]
    if table.study.axes:
        goes_by.insert(0, ("chosen", table.study.choose.column, "tune"))
    sentences: dict[str, str] = {}
    for what, named, role in goes_by:
        column = of_role(named, role)
        rows = [index for index in table.rows(role) if table.state[index] == "finished"]
        if rows and np.isnan(table.last[column][rows]).all():
            measured = [name for name, values in table.last.items() if not np.isnan(values[rows]).all()]
            sentences.setdefault(
                column,
                f"The column {column} was measured by no run: nothing can be {what} by it. Measured are "
                f"{', '.join(measured) or 'none'}; a new study that goes by one of these takes the runs in.",
            )
    return list(sentences.values())


def _open(table: StudyTable, made: Comparisons) -> list[str]:
    if made.final:
        return []
    done, wanted = int(table.ended.sum()), len(table)
    if done == wanted:
        return [f"All {done:,} runs have ended, but not every method is reported: nothing is declared."]
    counts = {state: n for state, n in table.counts.items() if state in ("failed", "lost", "stopped", "damaged")}
    counts |= {state: n for state, n in table.counts.items() if state == "deleted"}
    if "failed" in counts:
        counts["failed"] -= int(table.diverged.sum())
    waits = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
    sentence = f"Not all runs have ended ({done:,} of {wanted:,}): nothing is declared yet."
    return [sentence, f"Some wait for you: {waits}; `study resume` goes on."] if waits else [sentence]


def _of_group(made: Comparisons, group: Group) -> str:
    column = made.analysis.column
    mean = mean_std(group.mean, group.std, column.endswith("accuracy"))
    on = "the held-out images" if made.role == "tune" else "the test set"
    where = f" on {on}" if column.startswith("test_") else " in training"
    count = f"n = {group.n}" if group.n == group.of else f"n = {group.n} of {group.of}"
    sentence = f"{group.method}: {mean}{where}, {count}"
    if group.diverged:
        sentence += f"; {group.diverged} diverged, and count as infinitely bad"
    return f"{sentence}."


def _of_comparison(made: Comparisons, row: Comparison) -> str:
    difference, measure = row.difference, row.measure
    what = {"steps": "steps to the target", "seconds": "seconds to the target"}.get(measure, measure.replace("_", " "))
    count = f"n = {difference.n}" if difference.n == difference.other_n else f"n = {difference.n}, {difference.other_n}"
    if difference.test == "none":
        return f"{row.method} and {row.other}, {what}: one run of each shows no difference."
    if _nowhere(made, row):
        return f"{row.method} and {row.other}, {what}: no run of either got there ({count})."
    how = f"{difference.test}, {count}, {p_value(row.adjusted)}"
    if not math.isnan(difference.low):
        how += f", {100 * (1 - made.analysis.alpha):g} % interval {_interval(made, row)}"
    if row.declared:
        worse = row.other if row.better == row.method else row.method
        size = gap(abs(difference.mean), measure)
        if where := _WHERE.get(difference.test):
            has = f"needs fewer {what}" if measure in OF_TARGET else f"has the better {what}"
            return f"{row.better} {has} {where} than {worse} ({how})."
        if measure in OF_TARGET:
            return f"{row.better} needs fewer {what} than {worse}, by {size} ({how})."
        return f"{row.better} has the better {what}, by {size} over {worse} ({how})."
    sentence = f"{row.method} and {row.other}, {what}: no difference can be seen ({how})."
    if measure.endswith("accuracy") and 1 <= row.detectable < math.inf:
        sentence += " These seeds spread too far to show any difference there can be."
    elif math.isfinite(row.detectable) and row.detectable > 0:
        sentence += f" Differences under {gap(row.detectable, measure)} cannot be seen with these seeds."
    return sentence


def _nowhere(made: Comparisons, row: Comparison) -> bool:
    """Return whether every run of two methods missed the target."""
    if row.measure not in OF_TARGET:
        return False
    times = [made.groups[method].steps.values() for method in (row.method, row.other)]
    return all(math.isinf(value) for values in times for value in values)


def _interval(made: Comparisons, row: Comparison) -> str:
    """Return the interval of a difference; where one is declared that of what the sentence says, which is above 0."""
    turned = row.difference.mean < 0 if row.declared else made.turned
    lowest, highest = row.difference.low, row.difference.high
    low, high = (gap(end, row.measure) for end in ((-highest, -lowest) if turned else (lowest, highest)))
    unit = high.partition(" ")[2]
    ends = f"{low.removesuffix(f' {unit}')} to {high}" if unit else f"{low} to {high}"
    if row.declared:
        return ends
    ours, theirs = (row.other, row.method) if turned else (row.method, row.other)
    return f"of {ours} {'over' if row.measure in OF_TARGET else 'less'} {theirs} {ends}"


def _of_target(table: StudyTable) -> list[str]:
    target, sentences = table.study.target, []
    if target is None:
        return []
    for record in records(table):
        method = table.study.called(record.method)
        goal = f"{target.column.replace('_', ' ')} {amount(target.value, target.column)}"
        if math.isinf(record.steps):
            words = p_value(record.p)
            sentences.append(f"{method} is not shown to reach {goal} on average (n = {record.n}, {words}).")
        else:
            sentences.append(
                f"{method} reaches {goal} on average by step {record.steps:,.0f} "
                f"(one-sided t of that step alone, n = {record.n}, {p_value(record.p)})."
            )
    return sentences


def _known_before(table: StudyTable) -> list[str]:
    """Say how many of the reported runs could be seen before the analysis was fixed."""
    rows = table.rows("report")
    if not (before := sum(table.adopted[index] for index in rows)):
        return []
    return [
        f"{before} of {len(rows)} reported runs {'was' if before == 1 else 'were'} there before this study, "
        "and may be why it compares what it does."
    ]


def _of_tuning(table: StudyTable) -> list[str]:
    column, sentences, won = table.study.choose.column, [], winners(table)
    unequal = unequal_trials(table)
    for winner in won.values():
        method = table.study.called(winner.method)
        if math.isinf(winner.score):
            if winner.final:
                sentences.append(f"{method}: no setting of {winner.trials} came to its end on all seeds.")
            continue
        if winner.edges:
            names = ", ".join(f"{name} = {winner.point[name]}" for name in winner.edges)
            sentences.append(f"{method} is best at the end of an axis ({names}): better may lie beyond.")
        if unequal and winner.trials > winner.fewest and not math.isinf(winner.expected):
            sentences.append(
                f"{method} was tuned over {winner.trials} settings, another method over {winner.fewest}: that "
                f"favours it. The best of {winner.fewest} would have had {amount(winner.expected, column)}, not "
                f"{amount(winner.score, column)}."
            )
    return sentences
