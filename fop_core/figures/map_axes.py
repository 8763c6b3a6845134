"""Axes of maps as plain values: where their ticks are, as shares of them, and what each cell's position is called."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fop_core.figures.style import number, plain


@dataclass(frozen=True)
class MapAxis:
    """An axis of a map.

    Attributes:
        title: empty for none.
        ticks: shares of it, and which numbers stand there.
        cells: what the position of each cell on it is called.

    Example:
        >>> from fop_core.figures.map_axes import MapAxis
        >>> MapAxis("x", [(0.0, "−6"), (0.5, "0"), (1.0, "6")]).ticks[1]
        (0.5, '0')
    """

    title: str
    ticks: Sequence[tuple[float, str]]
    cells: Sequence[str] = ()


def linear(low: float, high: float, count: int) -> MapAxis:
    """Return an axis without a title over so many cells, with five ticks at most, at multiples of 1, 2 or 5.

    Example:
        >>> from fop_core.figures import map_axes
        >>> axis = map_axes.linear(-6.0, 6.0, 4)
        >>> axis.cells, [text for _, text in axis.ticks]
        (['−4.50', '−1.50', '1.50', '4.50'], ['−5', '0', '5'])
    """
    size = high - low
    digits = max(2, math.ceil(-math.log10(size / count)))
    cells = low + (np.arange(count) + 0.5) / count * size
    step = 10 ** math.floor(math.log10(size / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if size / (step * factor) <= 5)
    ticks = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
    return MapAxis(
        "",
        [((tick - low) / size, plain(tick)) for tick in ticks.tolist()],
        [f"{cell:.{digits}f}".replace("-", "−") for cell in cells],
    )


def logarithmic(title: str, values: Sequence[float], bounds: tuple[float, float]) -> MapAxis:
    """Return a logarithmic axis over cells of these values, with a tick at each power of ten.

    Example:
        >>> from fop_core.figures import map_axes
        >>> axis = map_axes.logarithmic("learning rate ε", [1e-4, 1e-2, 1.0], (1e-4, 1.0))
        >>> axis.cells, axis.ticks[0], axis.ticks[-1]
        (['0.000100', '0.0100', '1.00'], (0.0, '1e-4'), (1.0, '1'))
    """
    low, high = (round(math.log10(end)) for end in bounds)
    ticks = [10.0**power for power in range(low, high + 1)]
    return MapAxis(
        title,
        [(share(tick, bounds), plain(tick) if tick >= 1e-3 else f"{tick:.0e}".replace("e-0", "e-")) for tick in ticks],
        [number(value) for value in values],
    )


def share(value: float, bounds: tuple[float, float]) -> float:
    """Return how far along a logarithmic axis a value is; minus infinity where it is none.

    Example:
        >>> from fop_core.figures import map_axes
        >>> map_axes.share(1e-2, (1e-4, 1.0)), map_axes.share(0.0, (1e-4, 1.0))
        (0.5, -inf)
    """
    if value <= 0:
        return -math.inf
    return math.log(value / bounds[0]) / math.log(bounds[1] / bounds[0])
