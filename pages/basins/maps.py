"""Maps of where races end: computed in batches, remembered, and shown side by side with one crosshair in all."""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from fop_core.figures import style
from fop_core.figures.maps import Axis, Maps, Minimum
from fop_core.figures.style import GLYPHS, METHODS, MINIMA, number, plain, point
from fop_core.formatting import percent
from pages.components.component import component, packed
from pages.shared.race import SurfaceSpec, surface
from pages.shared.race_rules import KINDS
from toy_functions import basins
from toy_functions.basins import Batch, Options
from toy_functions.ends import Ends, find_ends
from toy_functions.surfaces import Surface

_mount = component("basin_maps")

RuleSpec = tuple[str, tuple[tuple[str, Any], ...]]
"""(name in KINDS, its settings as pairs)."""
Progress = Callable[[float], object] | None

CELLS = 96  # rates each way
RATES, HYPER_RATES = (1e-4, 1.0), (1e-5, 10.0)
KEPT = 24  # batches that are remembered: 6 MB each at 512 x 512


@dataclass(frozen=True)
class Grid:
    """Maps of starts, as plain values: one for each rule."""

    surface: SurfaceSpec
    rules: tuple[RuleSpec, ...]
    tolerance: float
    max_steps: int
    size: int
    schedule: str = "constant"
    warmup: int = 0


@dataclass(frozen=True)
class Rates:
    """A map of the two rates of a rule, from one start."""

    surface: SurfaceSpec
    rule: RuleSpec
    start: tuple[float, float]
    tolerance: float
    max_steps: int
    schedule: str = "constant"
    warmup: int = 0


_kept: OrderedDict[Grid | Rates, Batch] = OrderedDict()


def known(spec: Grid | Rates) -> bool:
    """Return whether a map is remembered."""
    return all(each in _kept for each in _apart(spec))


def compute(spec: Grid | Rates, progress: Progress = None) -> list[Batch]:
    """Return the batch of each map, and remember it; what ``progress`` raises stops all and goes on to the caller."""
    each = _apart(spec)
    batches = {one: batch for one in each if (batch := _kept.get(one)) is not None}
    missing = [one for one in each if one not in batches]
    if missing:
        batches |= zip(missing, _run(spec, missing, progress))
    for one in each:  # the latest stand last
        _kept.pop(one, None)
        _kept[one] = batches[one]
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return [batches[one] for one in each]


def _apart(spec: Grid | Rates) -> list[Grid | Rates]:
    return [replace(spec, rules=(rule,)) for rule in spec.rules] if isinstance(spec, Grid) else [spec]


def _run(spec: Grid | Rates, missing: Sequence[Any], progress: Progress) -> list[Batch]:
    objective = surface(spec.surface)
    options = Options(
        tolerance=spec.tolerance,
        max_steps=spec.max_steps,
        progress=progress,
        schedule=spec.schedule,
        warmup=spec.warmup,
    )
    if isinstance(spec, Rates):
        return [basins.stability(objective, _made(spec.rule), spec.start, *axes(), **options)]
    rules = {one.rules[0][0]: _made(one.rules[0]) for one in missing}
    return list(basins.basins(objective, rules, columns=spec.size, rows=spec.size, **options).values())


def _made(rule: RuleSpec) -> Any:
    name, settings = rule
    return KINDS[name](**dict(settings))


def axes() -> tuple[list[float], list[float]]:
    """Return the learning rates and the values of rho of a map of them: logarithmic, to three digits."""
    return basins.logarithmic(*RATES, CELLS), basins.logarithmic(*HYPER_RATES, CELLS)


def start(spec: Grid, column: int, row: int) -> tuple[float, float]:
    """Return the start of a cell, to the last bit."""
    x, y = basins.grid(surface(spec.surface).view, spec.size, spec.size)
    return float(x[row, column]), float(y[row, column])


@lru_cache(maxsize=6)
def ends(spec: Grid | Rates, others: tuple[tuple[float, float], ...] = ()) -> Ends:
    """Return what is on maps.

    Args:
        spec: of the maps.
        others: minima that the surface does not name, in the order of their letters; more are looked for where many
            paths came to rest.
    """
    return find_ends(surface(spec.surface), compute(spec), spec.tolerance, others=others, most=len(MINIMA))


def names(shown: Ends) -> list[str]:
    """Return what each minimum is called: a letter and its point."""
    return [f"{chr(ord('A') + index)} {point(*at)}" for index, at in enumerate(shown.minima)]


def show_starts(spec: Grid, *, key: str, on_open: Callable[[], None]) -> Maps:
    """Show the maps of starts; return what is on them.

    Args:
        spec: of the maps.
        key: of the widget; under it the session has the cell that is opened as ``.open``, {"column": ..,
            "row": ..}.
        on_open: called when the reader opens a cell.
    """
    left, right, bottom, top = surface(spec.surface).view
    shown = ends(spec)
    data = {
        "x": _linear(left, right, spec.size),
        "y": _linear(bottom, top, spec.size),
        "spot": "({x}, {y})",
        "crosses": [((x - left) / (right - left), (y - bottom) / (top - bottom)) for x, y in shown.minima],
        "ring": None,
        "titles": [METHODS[name].name for name, _ in spec.rules],
        "opens": "Arrow keys move the crosshair, Enter opens the race from there.",
    }
    return _show(spec, shown, [name for name, _ in spec.rules], data, key, on_open)


def show_rates(
    spec: Rates,
    now: tuple[float, float],
    others: tuple[tuple[float, float], ...],
    *,
    key: str,
    on_open: Callable[[], None],
) -> Maps:
    """Show the map of a rule's two rates; return what is on it.

    Args:
        spec: of the map.
        now: the rates to mark with a ring.
        others: as of ``ends``.
        key: of the widget, as of ``show_starts``.
        on_open: called when the reader opens a cell.
    """
    rates, hyper_rates = axes()
    ring = [_share(value, bounds) for value, bounds in zip(now, (RATES, HYPER_RATES))]
    data = {
        "x": _logarithmic("learning rate ε", rates, RATES),
        "y": _logarithmic("hypergradient rate ρ", hyper_rates, HYPER_RATES),
        "spot": "ε {x}, ρ {y}",
        "crosses": [],
        "ring": ring if all(0 <= share <= 1 for share in ring) else None,
        "titles": [f"{METHODS[spec.rule[0]].name} from {point(*spec.start)}"],
        "opens": "Arrow keys move the crosshair, Enter opens the race at these rates.",
    }
    return _show(spec, ends(spec, others), [spec.rule[0]], data, key, on_open)


def _show(
    spec: Grid | Rates,
    shown: Ends,
    rules: list[str],
    data: dict[str, Any],
    key: str,
    on_open: Callable[[], None],
) -> Maps:
    apart = len(set(shown.lowest)) > 1
    data |= {
        "themes": {name: theme["colors"] for name, theme in style.themes().items()},
        "minima": [
            {"name": name, "color": color, "note": ", the lowest" if apart and lowest else ""}
            for name, color, lowest in zip(names(shown), MINIMA, shown.lowest)
        ],
        "range": basins.usual_steps(shown.batches) or [0, spec.max_steps],
        "limit": spec.max_steps,
        "maps": [_map(rule, batch, shown.surface) for rule, batch in zip(rules, shown.batches)],
    }
    kinds = np.stack([(batch.minimum + 1) | (batch.status.astype(np.int16) << 4) for batch in shown.batches])
    steps = np.stack([batch.steps for batch in shown.batches])
    arrays = {"kinds": kinds.astype(np.uint8).tobytes(), "steps": steps.astype("<u2").tobytes()}
    _mount(key=key, data=packed(data, arrays), on_open_change=on_open)
    low, high = data["range"]
    return Maps(
        rules=rules,
        titles=data["titles"],
        words=[each["words"] for each in data["maps"]],
        kinds=kinds.astype(np.uint8),
        steps=steps,
        minima=[Minimum(**minimum) for minimum in data["minima"]],
        span=(low, high),
        limit=spec.max_steps,
        x=Axis(data["x"]["title"], data["x"]["ticks"]),
        y=Axis(data["y"]["title"], data["y"]["ticks"]),
        crosses=data["crosses"],
        ring=data["ring"],
    )


def _map(rule: str, batch: Batch, objective: Surface) -> dict[str, Any]:
    method, row = METHODS[rule], basins.summary(batch, objective)
    median = "" if row.median_steps is None else f", median {plain(row.median_steps)} steps"
    return {
        "color": method.color,
        "dash": "" if method.dash == "solid" else method.dash.replace("px", ""),
        "width": method.width,
        "glyph": GLYPHS[method.symbol],
        "words": f"{convergent(row.converged)} converge{median}",
    }


def convergent(share: float) -> str:
    """Return a share to a tenth of a percent; only none is 0 % and only all are 100 %."""
    tenths = min(999, max(1, round(1000 * share))) if 0 < share < 1 else round(1000 * share)
    return percent(tenths / 1000, digits=int(tenths % 10 > 0))


def _linear(low: float, high: float, count: int) -> dict[str, Any]:
    """Return an axis: its title, what each cell's position is called, and at which shares of it which numbers stand."""
    size = high - low
    digits = max(2, math.ceil(-math.log10(size / count)))
    cells = low + (np.arange(count) + 0.5) / count * size
    step = 10 ** math.floor(math.log10(size / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if size / (step * factor) <= 5)
    ticks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return {
        "title": "",
        "cells": [f"{cell:.{digits}f}".replace("-", "−") for cell in cells],
        "ticks": [((tick - low) / size, plain(tick)) for tick in ticks.tolist()],
    }


def _logarithmic(title: str, values: list[float], bounds: tuple[float, float]) -> dict[str, Any]:
    low, high = (round(math.log10(end)) for end in bounds)
    ticks = [10.0**power for power in range(low, high + 1)]
    return {
        "title": title,
        "cells": [number(value) for value in values],
        "ticks": [
            (_share(tick, bounds), plain(tick) if tick >= 1e-3 else f"{tick:.0e}".replace("e-0", "e-"))
            for tick in ticks
        ],
    }


def _share(value: float, bounds: tuple[float, float]) -> float:
    """Return how far along a logarithmic axis a value is."""
    if value <= 0:
        return -math.inf
    return math.log(value / bounds[0]) / math.log(bounds[1] / bounds[0])
