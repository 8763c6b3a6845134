"""What is on the maps, in numbers and words: the page shows it, and its exports draw it."""

from typing import Any

import numpy as np

from fop_core.figures import map_axes
from fop_core.figures.interactive import Point
from fop_core.figures.map_axes import MapAxis
from fop_core.figures.maps import Maps, Minimum
from fop_core.figures.style import METHODS, MINIMA, plain, point
from pages.basins import maps
from pages.basins.maps import HYPER_RATES, RATES, Grid, Rates
from pages.shared.race.remembered import surface
from toy_functions import basins
from toy_functions.basins import Batch
from toy_functions.ends import Ends
from toy_functions.surfaces import Surface


def of_starts(spec: Grid) -> Maps:
    """Return what is on maps of starts."""
    left, right, bottom, top = surface(spec.surface).view
    ends = maps.ends(spec)
    return _maps(
        spec,
        ends,
        [name for name, _ in spec.rules],
        [METHODS[name].name for name, _ in spec.rules],
        map_axes.linear(left, right, spec.size),
        map_axes.linear(bottom, top, spec.size),
        crosses=[((x - left) / (right - left), (y - bottom) / (top - bottom)) for x, y in ends.minima],
    )


def of_rates(spec: Rates, now: tuple[float, float], others: tuple[Point, ...]) -> Maps:
    """Return what is on the map of a rule's two rates.

    Args:
        spec: of the map.
        now: the rates to mark with a ring.
        others: as of ``maps.ends``.
    """
    rates, hyper_rates = maps.axes()
    x, y = (map_axes.share(value, bounds) for value, bounds in zip(now, (RATES, HYPER_RATES)))
    return _maps(
        spec,
        maps.ends(spec, others),
        [spec.rule[0]],
        [f"{METHODS[spec.rule[0]].name} from {point(*spec.start)}"],
        map_axes.logarithmic("learning rate ε", rates, RATES),
        map_axes.logarithmic("hypergradient rate ρ", hyper_rates, HYPER_RATES),
        ring=(x, y) if 0 <= x <= 1 and 0 <= y <= 1 else None,
    )


def _maps(
    spec: Grid | Rates, ends: Ends, rules: list[str], titles: list[str], x: MapAxis, y: MapAxis, **marks: Any
) -> Maps:
    apart = len(set(ends.lowest)) > 1
    kinds = np.stack([(batch.minimum + 1) | (batch.status.astype(np.int16) << 4) for batch in ends.batches])
    low, high = basins.usual_steps(ends.batches) or (0, spec.max_steps)
    return Maps(
        rules=rules,
        titles=titles,
        words=[_words(batch, ends.surface) for batch in ends.batches],
        kinds=kinds.astype(np.uint8),
        steps=np.stack([batch.steps for batch in ends.batches]),
        minima=[
            Minimum(name, color, ", the lowest" if apart and lowest else "")
            for name, color, lowest in zip(maps.names(ends), MINIMA, ends.lowest)
        ],
        span=(low, high),
        limit=spec.max_steps,
        x=x,
        y=y,
        **marks,
    )


def _words(batch: Batch, objective: Surface) -> str:
    row = basins.summary(batch, objective)
    median = "" if row.median_steps is None else f", median {plain(row.median_steps)} steps"
    return f"{maps.convergent(row.converged)} converge{median}"
