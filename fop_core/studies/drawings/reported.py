"""The figures of what was reported: on the test set, with fresh seeds; of curves before these those of the winners."""

import math
from collections.abc import Callable

import numpy as np

from fop_core import quantities
from fop_core.figures import studies as figures
from fop_core.figures.studies import DrawnDifference, Profile, Times
from fop_core.figures.training_curves import Line, line_styles, named
from fop_core.runs.lines import points
from fop_core.runs.loaded import Loaded
from fop_core.studies import statistics
from fop_core.studies.analysis import Comparison, Comparisons
from fop_core.studies.drawings.drawn import Drawn, over_seeds
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import Study, direction, of_role

Array = np.ndarray

COUNTED = {"steps": "steps", "seconds": "seconds of training", "gradients": "gradients of single images"}


def lines(
    table: StudyTable, column: str = "", x: str = "epoch", loaded: Callable[[str], Loaded] | None = None
) -> Drawn | None:
    """Return the curves of each method's winner, mean ± std over seeds.

    Args:
        table: of the study.
        column: what is drawn, by default what is compared.
        x: "step", "epoch" or "seconds".
        loaded: gives the metrics of the run at a path, up to date; they are read unless given.

    Returns:
        None where no run of a winner has measured it.
    """
    role = "report" if any(table.run_id[index] for index in table.rows("report")) else "tune"
    column = of_role(column or table.study.analysis.column, role)
    read = loaded or (lambda path: Loaded(path).refresh())
    kinds, groups = [], []
    for method in table.study.methods:
        won = table.stored.winners.get(method)
        of = [
            table.run_id[index]
            for index in table.rows(role, method)
            if table.run_id[index]
            and table.state[index] not in ("deleted", "damaged")
            and (role == "report" or table.point[index] == won)
        ]
        if of:
            kinds.append(table.study.called(method))
            groups.append([read(str(table.stored.folder / id_)) for id_ in of])
    drawn = points(groups, x, column)
    made = [
        Line(f"{named(kind)}, n = {len(group)}", style, each.x, each.y, each.behind, each.band, each.broken)
        for kind, group, style, each in zip(kinds, groups, line_styles(kinds), drawn)
        if each is not None
    ]
    if not made:
        return None
    title, of_column = quantities.title(column), quantities.of(column)
    drawing = figures.Lines(
        sorted(made, key=lambda line: line.line_style.width),
        quantities.title(x),
        title,
        of_column.percent,
        log_y=column.endswith("loss"),
    )
    where = "the test set, with fresh seeds" if role == "report" else "held-out images, with the seeds that chose it"
    at, whose = f"at the settings that won, on {where}", "winners"
    if not table.study.axes:
        at, whose = "at the settings that the study gives it, on the test set", "methods"
    said = [
        f"Each method {at}; bands are ± one standard deviation.",
        "Bands that part are no test, and bands that overlap are no tie: pairs of one seed say more, see above.",
    ]
    return Drawn("lines", f"{title[0].upper()}{title[1:]} of the {whose}", drawing, tuple(said))


def time_to_target(table: StudyTable, what: str = "steps") -> Drawn | None:
    """Return what the reported runs need to the target; None without one, or without a reported run.

    Args:
        table: of the study.
        what: "steps", "seconds" or "gradients".
    """
    times = _times(table, what)
    if times is None:
        return None
    made = figures.TimeToTarget([Times(method, values) for method, values in times.items()], _to_target(table, what))
    n = min(int((~np.isnan(values)).sum()) for values in times.values())
    missed = sum(int(np.isinf(values).sum()) for values in times.values())
    said = [f"The line is the median over {over_seeds(n)}; a run that missed the target counts as infinite."]
    if missed:
        said.append("A mean would be infinite: medians and shares are what can be compared.")
    if what == "seconds":
        said.append("Seconds without evaluation; they compare only where runs had the machine to themselves.")
    return Drawn("target", f"From the start to the target, in {COUNTED[what]}", made, tuple(said))


def _to_target(table: StudyTable, what: str) -> str:
    target = table.study.target
    assert target is not None
    of = quantities.of(target.column)
    value = f"{100 * target.value:g} %" if of.percent else f"{target.value:g}"
    return f"{COUNTED[what]} to {quantities.title(target.column)} {value}"


def _times(table: StudyTable, what: str) -> dict[str, Array] | None:
    """Return what reported runs need to the target by what the methods are called, [fresh seeds]; None without any."""
    if table.study.target is None or not table.rows("report"):
        return None
    every = {
        "steps": table.steps_to_target,
        "seconds": table.seconds_to_target,
        "gradients": table.gradients_to_target,
    }[what]
    at = {seed: index for index, seed in enumerate(table.study.fresh_seeds or ())}
    by_method: dict[str, Array] = {}
    for method in table.study.methods:
        values = np.full(len(at), np.nan)
        if method in table.stored.lost:  # of its settings none came to its end: none is at the target
            values[:] = np.inf
        for index in table.rows("report", method):
            values[at[table.seed[index]]] = every[index]
        by_method[table.study.called(method)] = values
    if all(np.isnan(values).all() for values in by_method.values()):
        return None
    return by_method


def performance_profile(table: StudyTable, what: str = "steps") -> Drawn | None:
    """Return on which share of seeds each method is within a factor of the fastest; None as ``time_to_target``."""
    times = _times(table, what)
    if times is None:
        return None
    each = np.stack(list(times.values()), axis=1)  # [seeds, methods]
    each = each[~np.isnan(each).any(1)]
    if not len(each):
        return None
    with np.errstate(invalid="ignore"):
        ratios = each / each.min(1, keepdims=True)
    tau = np.unique(np.concatenate([[1.0], ratios[np.isfinite(ratios)]]))
    n = len(each)
    made = figures.PerformanceProfile(
        [Profile(method, tau, share, n) for method, share in zip(times, statistics.performance_profile(each, tau))],
        up="share of seeds at the target",
    )
    said = (
        f"At 1: on which share of {over_seeds(n)} a method is the fastest. At the right edge: how often it arrives.",
        "All seeds are of one task: how a method fares on others this cannot say.",
    )
    return Drawn("profile", f"Performance profile, in {COUNTED[what]}", made, said)


def pairwise(table: StudyTable, comparisons: Comparisons) -> Drawn | None:
    """Return the differences of the methods with intervals; None where nothing can be compared yet.

    Args:
        table: of the study.
        comparisons: of its reported runs; those of times to a target are in ``time_to_target``.
    """
    analysis = comparisons.analysis
    those = (row for row in comparisons.rows if row.measure == analysis.column)
    compared = [row for row in those if row.difference.n and row.difference.other_n]
    if not compared:
        return None
    of = quantities.of(analysis.column)
    rows = [_difference(row, comparisons.turned, table.study) for row in compared]
    known = {drawn.label: row.detectable for drawn, row in zip(rows, compared) if 0 < row.detectable < math.inf}
    detectable = max(known.values()) if known else None
    made = figures.Pairwise(rows, quantities.title(analysis.column), of.percent, detectable)
    better = "Right" if direction(analysis.column) == "max" else "Left"
    said = [f"{better} of 0 the first of the two is better; lines are {100 * (1 - analysis.alpha):g} % intervals."]
    if detectable is not None:
        unit = " points" if of.percent else ""
        amounts = {title: f"{figures.shown(each, of.percent)}{unit}" for title, each in known.items()}
        if len(amounts) == 1:
            said.append(f"Grey: {over_seeds(rows[0].n)} cannot tell differences under {amounts.popitem()[1]} apart.")
        else:
            each = ", ".join(f"under {amount} ({title})" for title, amount in amounts.items())
            said.append(f"{over_seeds(rows[0].n)} cannot tell differences apart {each}; grey is the largest of these.")
    if not comparisons.final:
        said.append("Not all runs have ended: nothing is declared yet.")
    elif all(row.significant for row in rows):
        said.append(f"All are differences at level {analysis.alpha:g}.")
    else:
        said.append("Hollow: these seeds cannot tell it from 0, which does not show that there is no difference.")
    said += [f"Explored: {why}." for why in comparisons.explored]
    return Drawn("pairwise", "Differences between methods", made, tuple(said))


def _difference(row: Comparison, turned: bool, study: Study) -> DrawnDifference:
    """Return a comparison as it is drawn; turned: the method that the study names later, less the earlier one."""
    of = row.difference
    ours, theirs = map(study.called, (row.other, row.method) if turned else (row.method, row.other))
    mean, low, high = (-of.mean, -of.high, -of.low) if turned else (of.mean, of.low, of.high)
    title = f"{named(ours)} less {named(theirs)}"
    return DrawnDifference(title, ours, mean, low, high, row.adjusted, min(of.n, of.other_n), row.declared)
