"""The figures of what was tried: the grid, the sensitivity to a number, all trials; measured on held-out images."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fop_core import quantities
from fop_core.figures import studies as figures
from fop_core.figures.studies import AxisScale, MethodRates
from fop_core.figures.training_curves import named
from fop_core.studies.cells import Point
from fop_core.studies.drawings.drawn import Drawn, label, over_seeds
from fop_core.studies.progress import StudyTable

Array = np.ndarray


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
    kinds = table.study.called(ours), table.study.called(theirs)
    made = figures.Grids(
        AxisScale(label(rows), up),
        AxisScale(label(columns), across),
        values[0],
        values[1],
        kinds,
        title,
        percent,
        highest,
        _lost(table),
    )
    better = made.better()
    n = len(table.study.seeds)
    said = [
        f"Outlined: {named(kinds[0])} differs by more than one standard deviation over {over_seeds(n)}; dashed: worse.",
        f"{int((better > 0).sum())} of {better.size} cells are better and {int((better < 0).sum())} worse.",
    ]
    if n < 2:
        said = ["One seed has no standard deviation: no cell can be outlined, and no difference is more than a hint."]
    others = [label(field) for field in there if field not in (rows, columns)]
    if others:
        said.append(f"Of {' and '.join(others)} each cell shows the best value.")
    for method, kind in zip((ours, theirs), kinds):
        lacks = [label(field) for field in (rows, columns) if field in there and not _has(table, method, field)]
        if lacks:
            said.append(f"{named(kind)} has no {' and '.join(lacks)}: it is the same along that side.")
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
        if len(values) > 1 and AxisScale(name, values).numbers is not None
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
        kind, of_seeds = table.study.called(method), np.array(values).reshape(len(x), seeds)
        curves.append(MethodRates(kind, np.array(x, np.float64), of_seeds, joined=grid))
    made = figures.Sensitivity(curves, label(field), title, percent, AxisScale("", there[field]).log, _lost(table))
    said = [f"Mean ± standard deviation over {over_seeds(seeds)}, on held-out images."]
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


def _edges(curves: Sequence[MethodRates], highest: bool) -> str:
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
    scales = [AxisScale(label(field), tuple(point.get(field) for _, point, _ in tried)) for field in there]
    kinds = [table.study.called(method) for method, _, _ in tried]
    made = figures.Parallel(scales, kinds, results, title, percent, chosen, _lost(table))
    of = ", ".join(f"{named(kind)} {kinds.count(kind)}" for kind in map(table.study.called, table.study.methods))
    n = int((~np.isnan(results)).sum())
    said = [f"{n} of {len(tried)} trials have a result, each the mean over its seeds; tried of {of}."]
    counts = {kinds.count(table.study.called(method)) for method in table.study.methods}
    if len(counts) > 1:
        grid = table.study.sampling == "grid"
        even = "choose quasi-random trials of ranges" if grid else "put ranges in place of lists"
        said.append(f"Methods with more trials had more chances to be lucky: {even} for as many of each.")
    said.append("Thick: the winners. That a setting wins does not say which of its values mattered.")
    return Drawn("parallel", "All trials", made, tuple(said))


def _mean(values: Array) -> float:
    """Return the mean of what is there: infinite where a seed was lost, NaN where none is there."""
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else math.nan
