"""Maps of where races end: computed in batches, and remembered."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from fop_core.figures.style import MINIMA, point
from fop_core.formatting import percent
from pages.shared.race.remembered import SurfaceSpec, surface
from pages.shared.race.rules import KINDS
from toy_functions import basins
from toy_functions.basins import BasinOptions, Batch
from toy_functions.ends import Ends, find_ends

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
    options = BasinOptions(
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


def convergent(share: float) -> str:
    """Return a share to a tenth of a percent; only none is 0 % and only all are 100 %."""
    tenths = min(999, max(1, round(1000 * share))) if 0 < share < 1 else round(1000 * share)
    return percent(tenths / 1000, digits=int(tenths % 10 > 0))
