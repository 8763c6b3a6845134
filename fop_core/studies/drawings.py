"""The figures of a study, made of its table, each with sentences on what can be concluded from it and what cannot.

The page and the report draw the same. Tuning is shown as it was measured, on held-out images; what is compared is what
was reported: on the test set, with fresh seeds.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fop_core import quantities
from fop_core.figures import studies as figures
from fop_core.figures.studies import Difference, Drawing, Profile, Rates, Scale, Times
from fop_core.figures.training_curves import Line, line_styles, named
from fop_core.runs.lines import points
from fop_core.runs.loaded import Loaded
from fop_core.studies import statistics
from fop_core.studies.analysis import Comparison, Comparisons
from fop_core.studies.cells import Point
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import direction, of_role

Array = np.ndarray

NAMES = {"optimizer.lr": "learning rate ε", "fop.hyper_lr": "hypergradient rate ρ"}
COUNTED = {"steps": "steps", "seconds": "seconds of training", "gradients": "gradients of single images"}


@dataclass(frozen=True)
class Drawn:
    """A figure of a study.

    Attributes:
        name: of the figure, for addresses and files.
        title: over it.
        drawing: the figure.
        sentences: under it: what it shows, of how many, what can be concluded and what cannot.
    """

    name: str
    title: str
    drawing: Drawing
    sentences: tuple[str, ...]


def label(field: str) -> str:
    """Return what a setting is called in a figure."""
    return NAMES.get(field, field.rpartition(".")[2].replace("_", " "))


def methods(table: StudyTable) -> tuple[str, str] | None:
    """Return which methods a grid compares unless one says, FOP where it is there, and the baseline; None of one."""
    of = table.study.methods
    if len(of) < 2:
        return None
    baseline = table.study.analysis.baseline or ("momentum" if "momentum" in of else of[0])
    others = [method for method in of if method != baseline]
    return ("fop" if "fop" in others else others[0]), baseline


def fields(table: StudyTable) -> dict[str, tuple[Any, ...]]:
    """Return the axes of a study with all values that its tuning cells have, in order; numbers ascend."""
    by_field: dict[str, list[Any]] = {axis.field: [] for axis in table.study.axes}
    for index in table.rows("tune"):
        for field, value in table.point[index].items():
            if field in by_field and value not in by_field[field]:
                by_field[field].append(value)
    return {field: tuple(sorted(values, key=_order)) for field, values in by_field.items() if values}


def _order(value: Any) -> tuple[int, float, str]:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return (0, float(value), "") if number else (1, 0.0, str(value))


def of_points(table: StudyTable, method: str) -> list[tuple[Point, Array]]:
    """Return the tuning points of a method with what counts of each seed, [seeds], in the study's order."""
    study = table.study
    outcome = table.outcome(study.choose.column, study.choose.at)
    at = {seed: index for index, seed in enumerate(study.seeds)}
    tried: dict[str, tuple[Point, Array]] = {}
    for index in table.rows("tune", method):
        _, values = tried.setdefault(str(table.point[index]), (table.point[index], np.full(len(at), np.nan)))
        if table.seed[index] in at:
            values[at[table.seed[index]]] = outcome[index]
    return list(tried.values())


def _best(candidates: Sequence[Array], highest: bool, seeds: int) -> Array:
    """Return the values of the best of some points, by their mean over what is there; a lost seed is the worst."""
    best, kept = -math.inf, np.full(seeds, np.nan)
    for values in candidates:
        there = values[~np.isnan(values)]
        if not len(there):
            continue
        score = (1 if highest else -1) * float(there.mean())
        if score > best or np.isnan(kept).all():
            best, kept = score, values
    return kept


def _lost(table: StudyTable) -> str:
    return "diverged or ended early" if table.study.ending else "diverged"


def _measured(table: StudyTable) -> tuple[str, bool, bool]:
    """Return what chooses winners: its title, whether it is a fraction, and whether the highest is the best."""
    column = table.study.choose.column
    return quantities.title(column), quantities.of(column).percent, table.study.choose.direction == "max"


def _over_seeds(n: int) -> str:
    return "1 seed" if n == 1 else f"{n} seeds"


def grids(table: StudyTable, rows: str = "", columns: str = "", with_: str = "", without: str = "") -> Drawn | None:
    """Return the grid of Figure 4a.

    Args:
        table: of the study.
        rows: the field upwards; one is chosen unless given.
        columns: the field across.
        with_: a method.
        without: another.

    Returns:
        None where there are no two methods, or no axis whose values all points share.
    """
    both, there = methods(table), fields(table)
    if both is None or table.study.sampling != "grid" or not there:
        return None
    ours, theirs = with_ or both[0], without or both[1]
    rows, columns = fields_of_grid(table, rows, columns, ours, theirs)
    across = there[columns]
    up = there[rows] if rows else ("",)
    title, percent, highest = _measured(table)
    values = [
        _grid(of_points(table, method), (rows, up), (columns, across), highest, len(table.study.seeds))
        for method in (ours, theirs)
    ]
    made = figures.Grids(
        Scale(label(rows), up),
        Scale(label(columns), across),
        values[0],
        values[1],
        (ours, theirs),
        title,
        percent,
        highest,
        _lost(table),
    )
    better = made.better()
    n = len(table.study.seeds)
    said = [
        f"Outlined: {named(ours)} differs by more than one standard deviation over {_over_seeds(n)}; dashed: worse.",
        f"{int((better > 0).sum())} of {better.size} cells are better and {int((better < 0).sum())} worse.",
    ]
    if n < 2:
        said = ["One seed has no standard deviation: no cell can be outlined, and no difference is more than a hint."]
    others = [label(field) for field in there if field not in (rows, columns)]
    if others:
        said.append(f"Of {' and '.join(others)} each cell shows the best value.")
    for method in (ours, theirs):
        lacks = [label(field) for field in (rows, columns) if field in there and not _has(table, method, field)]
        if lacks:
            said.append(f"{named(method)} has no {' and '.join(lacks)}: it is the same along that side.")
    said.append("Of so many cells some are outlined by chance: what holds is what the fresh seeds say, below.")
    return Drawn("grid", f"{title[0].upper()}{title[1:]} with and without", made, tuple(said))


def fields_of_grid(
    table: StudyTable, rows: str = "", columns: str = "", with_: str = "", without: str = ""
) -> tuple[str, str]:
    """Return the fields up and across that a grid has with the arguments of ``grids``, "" for none."""
    both = methods(table) or ("", "")
    usual = axes_of_grid(table, with_ or both[0], without or both[1])
    columns = columns or (usual[0] if usual[0] != rows else usual[1])
    rows = rows or (usual[1] if usual[1] != columns else usual[0])
    return ("", columns) if rows == columns else (rows, columns)


def axes_of_grid(table: StudyTable, ours: str, theirs: str) -> tuple[str, str]:
    """Return the fields across and up of a grid unless one says, "" for none: first those that both methods have."""
    there = fields(table)
    has = {field: sum(_has(table, method, field) for method in (ours, theirs)) for field in there}
    order = [*sorted(there, key=lambda field: -has[field]), "", ""]
    return order[0], order[1]


def _has(table: StudyTable, method: str, field: str) -> bool:
    return any(field in table.point[index] for index in table.rows("tune", method))


def _grid(
    tried: Sequence[tuple[Point, Array]],
    rows: tuple[str, tuple[Any, ...]],
    columns: tuple[str, tuple[Any, ...]],
    highest: bool,
    seeds: int,
) -> Array:
    """Return the results of a method over two settings, [r, c, seeds]: of the others the best value of each cell."""
    values = np.full((len(rows[1]), len(columns[1]), seeds), np.nan)
    of_cells: dict[tuple[str | None, str | None], list[Array]] = {}
    for point, each in tried:
        of_cells.setdefault((_text(point, rows[0]), _text(point, columns[0])), []).append(each)
    for i, j in np.ndindex(values.shape[:2]):
        of_cell = [
            each
            for row in {str(rows[1][i]), None}
            for column in {str(columns[1][j]), None}
            for each in of_cells.get((row, column), ())
        ]
        values[i, j] = _best(of_cell, highest, seeds)
    return values


def _text(point: Point, field: str) -> str | None:
    """Return a setting's value as a key; None where a point's method has none."""
    return str(point[field]) if field in point else None


def numbers(table: StudyTable) -> dict[str, tuple[Any, ...]]:
    """Return those of ``fields`` whose values are all numbers, and more than one."""
    return {
        name: values
        for name, values in fields(table).items()
        if len(values) > 1 and Scale(name, values).numbers is not None
    }


def sensitivity(table: StudyTable, field: str = "") -> Drawn | None:
    """Return how the result depends on a number, by default the first axis of numbers; None where there is none."""
    there = numbers(table)
    field = field or next(iter(there), "")
    if field not in there:
        return None
    title, percent, highest = _measured(table)
    grid, seeds = table.study.sampling == "grid", len(table.study.seeds)
    curves = []
    for method in table.study.methods:
        tried = [(point[field], values) for point, values in of_points(table, method) if field in point]
        if not tried:
            continue
        if grid:
            x = sorted({value for value, _ in tried})
            values = [_best([each for value, each in tried if value == at], highest, seeds) for at in x]
        else:
            ordered = sorted(tried, key=lambda one: float(one[0]))
            x, values = [value for value, _ in ordered], [each for _, each in ordered]
        curves.append(Rates(method, np.array(x, np.float64), np.array(values).reshape(len(x), seeds), joined=grid))
    made = figures.Sensitivity(curves, label(field), title, percent, Scale("", there[field]).log, _lost(table))
    said = [f"Mean ± standard deviation over {_over_seeds(seeds)}, on held-out images."]
    others = [label(name) for name in fields(table) if name != field]
    if others and grid:
        said.append(
            f"Of {' and '.join(others)} each point is the best value: with more of them to try, a method gains."
        )
    elif others:
        said.append(f"Points differ in {' and '.join(others)} too.")
    edges = _edges(curves, highest)
    if edges:
        said.append(f"{edges} best at the edge of what was tried: a better value may lie beyond it.")
    return Drawn("sensitivity", f"Sensitivity to the {label(field)}", made, tuple(said))


def _edges(curves: Sequence[Rates], highest: bool) -> str:
    """Return which methods are best at an end of their values, as the subject of a sentence."""
    names = []
    for curve in curves:
        score = curve.values.mean(1) * (1 if highest else -1)  # NaN while a seed is open, -inf where one was lost
        finite = np.isfinite(score)
        if finite.sum() > 1 and int(np.argmax(np.where(finite, score, -math.inf))) in (0, len(score) - 1):
            names.append(named(curve.method))
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else ""


def parallel(table: StudyTable) -> Drawn | None:
    """Return every trial as a line; None without axes."""
    there = fields(table)
    if not there:
        return None
    title, percent, _ = _measured(table)
    tried = [(method, point, values) for method in table.study.methods for point, values in of_points(table, method)]
    with np.errstate(invalid="ignore"):
        results = np.array([_mean(values) for _, _, values in tried], np.float64)
    won = table.stored.winners
    chosen = [index for index, (method, point, _) in enumerate(tried) if won.get(method) == point]
    scales = [Scale(label(field), tuple(point.get(field) for _, point, _ in tried)) for field in there]
    kinds = [method for method, _, _ in tried]
    made = figures.Parallel(scales, kinds, results, title, percent, chosen, _lost(table))
    of = ", ".join(f"{named(method)} {kinds.count(method)}" for method in table.study.methods)
    n = int((~np.isnan(results)).sum())
    said = [f"{n} of {len(tried)} trials have a result, each the mean over its seeds; tried of {of}."]
    counts = {kinds.count(method) for method in table.study.methods}
    if len(counts) > 1:
        said.append("Methods with more trials had more chances to be lucky: choose quasi-random for as many of each.")
    said.append("Thick: the winners. That a setting wins does not say which of its values mattered.")
    return Drawn("parallel", "All trials", made, tuple(said))


def _mean(values: Array) -> float:
    """Return the mean of what is there: infinite where a seed was lost, NaN where none is there."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan


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
            kinds.append(method)
            groups.append([read(str(table.stored.folder / id_)) for id_ in of])
    drawn = points(groups, x, column)
    made = [
        Line(f"{named(method)}, n = {len(group)}", style, each.x, each.y, each.behind, each.band, each.broken)
        for method, group, style, each in zip(kinds, groups, line_styles(kinds), drawn)
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
    said = [f"The line is the median over {_over_seeds(n)}; a run that missed the target counts as infinite."]
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
    """Return what reported runs need to the target by method, [fresh seeds]; None without any."""
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
        for index in table.rows("report", method):
            values[at[table.seed[index]]] = every[index]
        by_method[method] = values
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
        f"At 1: on which share of {_over_seeds(n)} a method is the fastest. At the right edge: how often it arrives.",
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
    compared = [row for row in comparisons.rows if row.measure == analysis.column and row.difference.n]
    if not compared:
        return None
    of = quantities.of(analysis.column)
    rows = [_difference(row, comparisons.turned) for row in compared]
    known = {drawn.label: row.detectable for drawn, row in zip(rows, compared) if math.isfinite(row.detectable)}
    detectable = max(known.values()) if known else None
    made = figures.Pairwise(rows, quantities.title(analysis.column), of.percent, detectable)
    better = "Right" if direction(analysis.column) == "max" else "Left"
    said = [f"{better} of 0 the first of the two is better; lines are {100 * (1 - analysis.alpha):g} % intervals."]
    if detectable is not None:
        unit = " points" if of.percent else ""
        amounts = {title: f"{figures.shown(each, of.percent)}{unit}" for title, each in known.items()}
        if len(amounts) == 1:
            said.append(f"Grey: {_over_seeds(rows[0].n)} cannot tell differences under {amounts.popitem()[1]} apart.")
        else:
            each = ", ".join(f"under {amount} ({title})" for title, amount in amounts.items())
            said.append(f"{_over_seeds(rows[0].n)} cannot tell differences apart {each}; grey is the largest of these.")
    if not comparisons.final:
        said.append("Not all runs have ended: nothing is declared yet.")
    elif all(row.significant for row in rows):
        said.append(f"All are differences at level {analysis.alpha:g}.")
    else:
        said.append("Hollow: these seeds cannot tell it from 0, which does not show that there is no difference.")
    said += [f"Explored: {why}." for why in comparisons.explored]
    return Drawn("pairwise", "Differences between methods", made, tuple(said))


def _difference(row: Comparison, turned: bool) -> Difference:
    """Return a comparison as it is drawn; turned: the method that the study names later, less the earlier one."""
    of = row.difference
    ours, theirs = (row.other, row.method) if turned else (row.method, row.other)
    mean, low, high = (-of.mean, -of.high, -of.low) if turned else (of.mean, of.low, of.high)
    title = f"{named(ours)} less {named(theirs)}"
    return Difference(title, ours, mean, low, high, row.adjusted, min(of.n, of.other_n), row.declared)


def every(table: StudyTable, comparisons: Comparisons) -> list[Drawn]:
    """Return the figures that a report has, in order."""
    drawn = [pairwise(table, comparisons), lines(table), grids(table), sensitivity(table), parallel(table)]
    drawn += [time_to_target(table, what) for what in ("steps", "seconds")] + [performance_profile(table)]
    return [each for each in drawn if each is not None]


@dataclass(frozen=True)
class Totals:
    """What a study has cost so far.

    Attributes:
        seconds: of training.
        evaluation_seconds: of measuring, which is not part of it.
        peak_memory: the most that a run took, bytes; NaN where none is known.
    """

    seconds: float
    evaluation_seconds: float
    peak_memory: float


def totals(table: StudyTable) -> Totals:
    """Return what a study has cost so far."""
    memory = table.peak_memory[~np.isnan(table.peak_memory)]
    return Totals(
        float(np.nansum(table.seconds)),
        float(np.nansum(table.evaluation_seconds)),
        float(memory.max()) if len(memory) else math.nan,
    )
