"""A landscape in three dimensions: its heights between -0.5 and 0.5, and axes that say what is drawn."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fop_core.figures import style
from fop_core.figures.landscape import Landscape, round_step

STRIDE = 2  # of the landscape's points: half of them each way are as many as can be told apart
MOST_TICKS = 6
LARGEST = 1e300  # what is larger is no height: differences overflow

Marks = list[tuple[float, str]]


@dataclass(frozen=True)
class BoxAxis:
    """An axis of the box around a relief.

    Attributes:
        name: what is measured along it.
        ticks: where each stands, from -0.5 to 0.5 along the axis, and its text.

    Example:
        >>> from fop_core.figures.landscape import survey
        >>> from fop_core.figures.relief import relief
        >>> from toy_functions.surfaces import BOOTH
        >>> relief(survey(BOOTH.value, BOOTH.floor, BOOTH.view), BOOTH.value).x
        BoxAxis(name='x', ticks=((-0.5, '−10'), (-0.25, '−5'), (0.0, '0'), (0.25, '5'), (0.5, '10')))
    """

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Relief:
    """A surface over the plane.

    Attributes:
        heights: [m, m], float32 from -0.5 to 0.5, rows by y; NaN where f is no number. What is lower than the lowest
            level line by more than a line is cut off.
        x: the axis of columns.
        y: of rows.
        height: of heights.
        bottom: the lowest level line, as a height.
        step: from a level line to the next.
        description: what the level lines mean, as a clause.

    Example:
        >>> from fop_core.figures.landscape import survey
        >>> from fop_core.figures.relief import relief
        >>> from toy_functions.surfaces import BOOTH
        >>> made = relief(survey(BOOTH.value, BOOTH.floor, BOOTH.view), BOOTH.value)
        >>> made.heights.min(), made.heights.max(), made.height.name
        (np.float32(-0.5), np.float32(0.5), 'f, log scale')
    """

    heights: np.ndarray
    x: BoxAxis
    y: BoxAxis
    height: BoxAxis
    bottom: float
    step: float
    description: str


def relief(ground: Landscape, value: Callable[[Any, Any], Any], log: bool = True) -> Relief:
    """Return a landscape as a relief.

    Args:
        ground: the landscape.
        value: the f that it is of.
        log: whether heights are logarithms of f where the landscape's are; else they are f.

    Example:
        >>> from fop_core.figures.landscape import survey
        >>> from fop_core.figures.relief import relief
        >>> from toy_functions.surfaces import BOOTH
        >>> ground = survey(BOOTH.value, BOOTH.floor, BOOTH.view)
        >>> [text for _, text in relief(ground, BOOTH.value).height.ticks]
        ['3', '10', '30', '100', '300', '1,000']
        >>> [text for _, text in relief(ground, BOOTH.value, log=False).height.ticks]
        ['0', '500', '1,000', '1,500', '2,000', '2,500']
    """
    x, y = ground.x[::STRIDE], ground.y[::STRIDE]
    as_ground = log or not ground.log
    if as_ground:
        heights, bottom, step = ground.heights[::STRIDE, ::STRIDE], ground.bottom, ground.step
        low, description = bottom - step, ground.description
        known = heights[np.isfinite(heights)]
    else:
        with np.errstate(all="ignore"):
            f = np.asarray(value(*np.meshgrid(x, y)), dtype=np.float64)
        heights = np.where(np.abs(f) < LARGEST, f, np.nan)
        known = heights[np.isfinite(heights)]
        low, extent = (float(known.min()), float(np.ptp(known))) if known.size else (0.0, 1.0)
        step = round_step(extent or 1.0)
        bottom, description = math.ceil(low / step) * step, f"f changes by {step:g} from line to line"
    span = max(float(known.max()) - low, 1e-12) if known.size else 1.0
    scaled = np.clip((heights - low) / span - 0.5, -0.5, 0.5).astype(np.float32)
    if ground.log and log:
        name, marks = f"{ground.quantity}, log scale", _log_ticks(low, low + span)
    elif known.size and known.min() == known.max():  # a plane, which stands at no height of its own
        row, column = np.argwhere(np.isfinite(heights))[0]
        name, marks = "f", [(float(known[0]), style.plain(value(x[column], y[row])))]
    else:
        name, marks = "f", _ticks(low, low + span) if known.size else []
    return Relief(
        scaled,
        _axis("x", float(x[0]), float(x[-1])),
        _axis("y", float(y[0]), float(y[-1])),
        BoxAxis(name, _along(marks, low, span)),
        (bottom - low) / span - 0.5,
        step / span,
        description,
    )


def _axis(name: str, low: float, high: float) -> BoxAxis:
    return BoxAxis(name, _along(_ticks(low, high), low, high - low))


def _along(marks: Marks, low: float, span: float) -> tuple[tuple[float, str], ...]:
    return tuple((min(0.5, max(-0.5, (at - low) / span - 0.5)), text) for at, text in marks)


def _ticks(low: float, high: float) -> Marks:
    """Return round numbers between two, even steps apart."""
    step = round_step(high - low, MOST_TICKS)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    largest = max(abs(low), abs(high))
    return [(k * step, _text(k * step, step, largest)) for k in range(first, last + 1)]


def _text(number: float, step: float, largest: float) -> str:
    """Return a multiple of a step with the digits that tell it from the next one."""
    size, sign = abs(number), "−" if number < 0 else ""
    digit = math.floor(math.log10(step) + 1e-9)
    if number == 0:
        return "0"
    if largest < 1e6 and digit >= -4:
        return f"{sign}{size:,.{max(0, -digit)}f}"
    mantissa, power = f"{size:.{max(0, math.floor(math.log10(largest)) - digit)}e}".split("e")
    return f"{sign}{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(power)}"


def _log_ticks(low: float, high: float) -> Marks:
    """Return where between two logarithms, to the base 10, round numbers lie, of as many kinds as there is room for."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    for multiples in ((1, 2, 5), (1, 3), (1,)):
        marks = [(math.log10(m) + k, m, k) for k in powers for m in multiples if low <= math.log10(m) + k <= high]
        if len(marks) <= MOST_TICKS + 1:
            break
    else:
        every = math.ceil((high - low) / MOST_TICKS)
        marks = [mark for mark in marks if mark[2] % every == 0]
    if len(marks) < 3:
        return [(math.log10(at), text) for at, text in _ticks(10**low, 10**high) if at > 0]
    return [(at, _power(m, k)) for at, m, k in marks]


def _power(times: int, power: int) -> str:
    return style.plain(times * 10.0**power) if -3 <= power <= 3 else f"{times}e{power}"
