"""A surface on a grid, at heights that show its valleys: the ground that trajectories are drawn on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

Box = tuple[float, float, float, float]

GRID = 121  # points each way
MOST_LEVELS = 16
DECADES = 8.0  # a valley deeper than this below its rim is drawn flat


@dataclass(frozen=True)
class Landscape:
    """A surface as it is drawn.

    Attributes:
        x: of the grid's columns, [n].
        y: of its rows, [n].
        heights: what the levels are levels of, [n, n]; NaN where f is no number.
        bottom: the lowest level.
        step: from a level to the next.
        description: what the levels mean, as a clause.
        quantity: what of f the levels are at values of.
        base: what that is counted from.
        log: whether heights are its logarithms to base 10; f is base + 10^height then, and base + height if not.

    Example:
        >>> from fop_core.figures.landscape import survey
        >>> from toy_functions.surfaces import BOOTH
        >>> ground = survey(BOOTH.value, BOOTH.floor, BOOTH.view)
        >>> ground.heights.shape, ground.description
        ((121, 121), 'f grows tenfold every 5 lines')
    """

    x: np.ndarray
    y: np.ndarray
    heights: np.ndarray
    bottom: float
    step: float
    description: str
    quantity: str = "f"
    base: float = 0.0
    log: bool = False

    @property
    def box(self) -> Box:
        """What it covers: x_min, x_max, y_min, y_max.

        Example:
            >>> from fop_core.figures.landscape import survey
            >>> from toy_functions.surfaces import BOOTH
            >>> survey(BOOTH.value, BOOTH.floor, (-1.0, 3.0, 1.0, 5.0)).box
            (-1.0, 3.0, 1.0, 5.0)
        """
        return float(self.x[0]), float(self.x[-1]), float(self.y[0]), float(self.y[-1])


def survey(value: Callable[[Any, Any], Any], floor: float, box: Box) -> Landscape:
    """Return the landscape of a surface over a box.

    Levels are even in log(f - floor), where f has a floor; in log(f - its lowest value here), where it goes below the
    floor that is known of it; in f itself, where it is unbounded below.

    Example:
        >>> from fop_core.figures.landscape import survey
        >>> from toy_functions.surfaces import STYBLINSKI_TANG
        >>> ground = survey(STYBLINSKI_TANG.value, STYBLINSKI_TANG.floor, STYBLINSKI_TANG.view)
        >>> ground.quantity, ground.log
        ('f − f*', True)
    """
    x, y = np.linspace(box[0], box[1], GRID), np.linspace(box[2], box[3], GRID)
    with np.errstate(all="ignore"):
        f = np.asarray(value(*np.meshgrid(x, y)), dtype=np.float64)
    f = np.broadcast_to(f, (GRID, GRID))
    heights = np.where(np.isfinite(f), f, np.nan)
    if np.isnan(heights).all():
        return Landscape(x, y, heights, 0.0, 1.0, "f is not finite anywhere here")
    lowest = float(np.nanmin(heights))
    if not math.isfinite(floor):
        step = round_step(float(np.nanmax(heights)) - lowest)
        bottom = math.ceil(lowest / step) * step
        return Landscape(x, y, heights, bottom, step, f"f changes by {step:g} from line to line")
    base = min(floor, lowest)
    above = heights - base
    positive = above[above > 0]
    if positive.size == 0:
        return Landscape(x, y, 0 * heights, 0.0, 1.0, "f is the same everywhere here", base=base)
    logs = np.log10(np.maximum(above, positive.min(), where=~np.isnan(above), out=np.full_like(above, np.nan)))
    top = float(np.nanmax(logs))
    low = max(float(np.nanpercentile(logs, 0.5)), top - DECADES)
    step = round_step(max(top - low, 0.1))
    bottom = math.ceil(low / step) * step
    what = "f" if base == 0 else "f − f*" if base == floor else "f above its lowest value here"
    lines = round(1 / step)
    grows = f"tenfold every {lines} lines" if lines > 1 else f"{10**step:g}-fold from line to line"
    return Landscape(x, y, logs, bottom, step, f"{what} grows {grows}", what, base, log=True)


def frame(view: Box, start: tuple[float, float], paths: Sequence[np.ndarray]) -> Box:
    """Return the box to draw: the view, grown by whole eighths of its size until start and paths are inside.

    A path may make it grow to three times its size at most. By eighths, so that the picture does not stir with every
    change of a setting.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.landscape import frame
        >>> frame((-2.0, 2.0, -2.0, 2.0), start=(0.0, 0.0), paths=[np.array([[0.0, 0.0], [2.4, 0.0]])])
        (-2.0, 2.5, -2.25, 2.25)
    """
    x_min, x_max, y_min, y_max = view
    width, height = x_max - x_min, y_max - y_min
    corner, far = np.array([x_min, y_min]), np.array([x_max, y_max])
    size = np.array([width, height])
    inside = [path[((path > corner - size) & (path < far + size)).all(axis=1)] for path in paths]
    points = np.concatenate([np.array([start], dtype=float), *inside])
    grow_low = np.ceil(np.maximum(0.0, corner - points.min(axis=0)) / size * 8) / 8 * size
    grow_high = np.ceil(np.maximum(0.0, points.max(axis=0) - far) / size * 8) / 8 * size
    low, high = corner - grow_low, far + grow_high
    side = (high - low) / size  # grown alike, so that the picture keeps its shape
    extra = (side.max() - side) * size / 2
    low, high = low - extra, high + extra
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])


def contour(landscape: Landscape) -> go.Contour:
    """Return the landscape as quiet filled contours; colours come from the theme.

    Example:
        >>> from fop_core.figures.landscape import contour, survey
        >>> from toy_functions.surfaces import BOOTH
        >>> contour(survey(BOOTH.value, BOOTH.floor, BOOTH.view)).contours.coloring
        'fill'
    """
    top = np.nanmax(landscape.heights) if not np.isnan(landscape.heights).all() else landscape.bottom
    levels = max(0, math.floor((top - landscape.bottom) / landscape.step))
    return go.Contour(
        x=landscape.x.astype(np.float32),
        y=landscape.y.astype(np.float32),
        z=landscape.heights.astype(np.float32),
        contours={
            "start": landscape.bottom,
            "end": landscape.bottom + levels * landscape.step,
            "size": landscape.step,
            "coloring": "fill",
        },
        autocontour=False,
        zmin=landscape.bottom - landscape.step,
        zmax=float(top),
        line_smoothing=0.6,
        showscale=False,
        hoverinfo="skip",
    )


def round_step(span: float, most: int = MOST_LEVELS) -> float:
    """Return a round step, 1, 2 or 5 times a power of ten, that cuts a span into at most so many.

    Example:
        >>> from fop_core.figures.landscape import round_step
        >>> round_step(100.0, most=12), round_step(0.3, most=12)
        (10.0, 0.05)
    """
    rough = max(span / most, 1e-300)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))
