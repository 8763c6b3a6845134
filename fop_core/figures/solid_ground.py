"""A relief drawn: the box around it with its axes, the surface with its level lines, its edge, and its minima.

As the player's ``cube.js``, ``raster.js`` and ``scene.js`` draw it.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import contourpy
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb

from fop_core.figures.interactive import Point
from fop_core.figures.print_style import PX
from fop_core.figures.relief import BoxAxis
from fop_core.figures.solid import SolidWindow
from fop_core.figures.style import Theme, rgba

FAINT = 0.35  # how much is left of what the surface hides
FONT = 12.0  # px of a text, and the next are px, too
_TICK, _GAP, _HIGH, _APART = 5.0, 6.0, 11.0, 3.0
_LETTER = 0.58  # of a letter's size, its width on average
_STRIDES = (1, 2, 3, 4, 6, 8)
_CROSS = 5.5  # px from a minimum to the ends of its cross
_LEVEL, _RIM = 1.0, 1.2  # px of lines
_SLOPE = 4.0  # tones of a difference of heights

Array = np.ndarray
Corner = tuple[float, float, float]


class _Label(NamedTuple):
    """A text of an axis: its middle, and its width, px."""

    text: str
    x: float
    y: float
    width: float

    def keeps_off(self, others: Sequence["_Label"]) -> bool:
        return all(
            abs(self.x - each.x) >= (self.width + each.width) / 2 + _APART or abs(self.y - each.y) >= _HIGH + 1
            for each in others
        )


def draw_solid(axes: Axes, window: SolidWindow, minima: Sequence[Point], theme: Theme) -> None:
    """Draw a relief as it is seen.

    Args:
        axes: get the picture's px as coordinates, y downwards.
        window: the picture.
        minima: known ones; those outside are left out.
        theme: of the colours.

    Example:
        >>> from fop_core.figures import print_style, style
        >>> from fop_core.figures.landscape import survey
        >>> from fop_core.figures.relief import relief
        >>> from fop_core.figures.solid import Orbit, SolidWindow
        >>> from fop_core.figures.solid_ground import draw_solid
        >>> from toy_functions.surfaces import BOOTH
        >>> ground = survey(BOOTH.value, BOOTH.floor, BOOTH.view)
        >>> axes = print_style.blank(4.0, 4.0).add_axes((0, 0, 1, 1))
        >>> window = SolidWindow(relief(ground, BOOTH.value), ground.box, Orbit(), 400.0, 400.0)
        >>> draw_solid(axes, window, BOOTH.minima, style.LIGHT)
        >>> [float(end) for end in axes.get_ylim()], [text.get_text() for text in axes.texts][:3]
        ([400.0, 0.0], ['f, log scale', 'x', 'y'])
    """
    width, height = window.extent.tolist()
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    point = PX * window.size  # pt of a px
    walls, edges, labels = _box(window.sized(window.width))
    for order, (lines, alpha) in enumerate(((walls, 0.22), (edges, 0.6))):
        drawn = LineCollection(
            [window.size * line for line in lines], colors=theme.muted, linewidths=point, alpha=alpha
        )
        drawn.set_zorder(order / 10)
        axes.add_collection(drawn)
    _draw_surface(axes, window, theme)
    _draw_levels(axes, window, theme, point)
    rim = LineCollection(_rim(window), colors=[rgba(theme.level)], linewidths=_RIM * point, zorder=0.4)
    axes.add_collection(rim)
    for minimum in minima:
        cells = window.cells([minimum])
        if ((cells >= 0) & (cells <= window.last)).all():
            alpha = FAINT if window.hidden(cells)[0] else 1.0
            _draw_cross(axes, window.of_cells(cells)[0], window.size, alpha, theme)
    for text, x, y, _ in labels:
        settings: dict[str, Any] = {"ha": "center", "va": "center", "zorder": 0.6}
        axes.text(x * window.size, y * window.size, text, color=theme.muted, fontsize=FONT * point, **settings)


def _draw_cross(axes: Axes, spot: Array, size: float, alpha: float, theme: Theme) -> None:
    arm = _CROSS * size
    for color, wide in ((theme.paper, 3.5), (theme.ink, 1.5)):
        for along in ((arm, 0.0), (0.0, arm)):
            (x0, y0), (x1, y1) = spot - along, spot + along
            axes.plot((x0, x1), (y0, y1), color=color, linewidth=wide * PX * size, alpha=alpha, zorder=0.5)


def _draw_surface(axes: Axes, window: SolidWindow, theme: Theme) -> None:
    """Draw the cells of the grid, the farthest first; as an image, in PDF and SVG too."""
    heights, last = window.relief.heights.astype(np.float64), window.last
    numbers = np.arange(last + 1)
    corners = window.of_cells(np.stack(np.meshgrid(numbers, numbers), axis=-1).reshape(-1, 2)).reshape(-1, last + 1, 2)
    tones = _tones(heights)
    around = [(0, 0), (0, 1), (1, 1), (1, 0)]  # rows and columns of a cell's corners
    cells = np.stack([corners[row : row + last, column : column + last] for row, column in around], axis=2)
    tone = np.mean([tones[row : row + last, column : column + last] for row, column in around], axis=0)
    sine, cosine = window.turn
    rows, columns = (slice(None, None, 1 if turn < 0 else -1) for turn in (cosine, sine))
    cells, tone = cells[rows, columns].reshape(-1, 4, 2), tone[rows, columns].ravel()
    known = np.isfinite(cells).all(axis=(1, 2))
    cells, tone = cells[known], tone[known, None]
    colors = tone * np.array(to_rgb(theme.high)) + (1 - tone) * np.array(to_rgb(theme.low))
    (x0, y0), (x1, y1) = np.moveaxis(cells[:, 2] - cells[:, 0], -1, 0), np.moveaxis(cells[:, 3] - cells[:, 1], -1, 0)
    under = x0 * y1 - x1 * y0 > 0  # px go down: the upper side turns the other way
    colors[under] = 0.2 * np.array(to_rgb(theme.muted)) + 0.8 * colors[under]
    axes.add_collection(
        PolyCollection(
            cells, facecolors=colors, edgecolors=colors, linewidths=0.3, antialiased=False, rasterized=True, zorder=0.2
        )
    )


def _tones(heights: Array) -> Array:
    """Return the tone of each point, 0 to 1: lighter where it is higher, and where it falls towards the light."""
    along, across = np.gradient(heights)
    tones: Array = np.clip(np.nan_to_num(heights) + 0.5 + _SLOPE * np.nan_to_num(across - along), 0, 1)
    return tones


def _draw_levels(axes: Axes, window: SolidWindow, theme: Theme, point: float) -> None:
    """Draw level lines where they are seen; the denser they are, the fainter, and none closer than two pixels."""
    relief = window.relief
    heights = np.ma.masked_invalid(relief.heights.astype(np.float64))
    if not heights.count() or heights.min() == heights.max():
        return
    levels = np.arange(relief.bottom, float(heights.max()), relief.step)
    lines = itertools.chain.from_iterable(contourpy.contour_generator(z=heights).multi_lines(levels))
    pieces: list[Array] = []
    middles: list[Array] = []
    for cells in map(np.asarray, lines):
        drawn, hidden = window.of_cells(cells), window.hidden(cells)
        kept = ~(hidden[:-1] | hidden[1:])
        pieces.append(np.stack([drawn[:-1], drawn[1:]], axis=1)[kept])
        middles.append((cells[:-1] + cells[1:])[kept] / 2)
    if not pieces:
        return
    between = 1 / np.maximum(_density(window, np.concatenate(middles)), 1e-12)  # px from line to line
    wide = _LEVEL * window.size
    strength = np.clip((between - 2 * wide) / (3 * wide), 0, 1)
    shown = strength > 0
    colors = np.tile(rgba(theme.level), (len(strength), 1))
    colors[:, 3] *= strength
    visible = list(np.concatenate(pieces)[shown])
    axes.add_collection(LineCollection(visible, colors=colors[shown].tolist(), linewidths=_LEVEL * point, zorder=0.3))


def _density(window: SolidWindow, cells: Array) -> Array:
    """Return how many level lines a px of the picture crosses at points of the surface, [n]."""
    half = 0.25
    right, left, up, down = (
        np.clip(cells + along, 0, window.last) for along in ((half, 0), (-half, 0), (0, half), (0, -half))
    )
    levels = [(window.heights(a) - window.heights(b)) / window.relief.step for a, b in ((right, left), (up, down))]
    across, along = window.of_cells(right) - window.of_cells(left), window.of_cells(up) - window.of_cells(down)
    area = across[:, 0] * along[:, 1] - across[:, 1] * along[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (levels[0] * along[:, 1] - levels[1] * across[:, 1]) / area
        y = (levels[1] * across[:, 0] - levels[0] * along[:, 0]) / area
    density: Array = np.nan_to_num(np.hypot(x, y), nan=np.inf)
    return density


def _rim(window: SolidWindow) -> list[Array]:
    """Return the surface's edge where it is seen: lines [2, 2], px."""
    last, numbers = window.last, np.arange(window.last + 1, dtype=np.float64)
    edge, far = np.zeros_like(numbers), np.full_like(numbers, last)
    lines: list[Array] = []
    for side in ((numbers, edge), (far, numbers), (numbers, far), (edge, numbers)):
        cells = np.stack(side, axis=1)
        drawn = window.of_cells(cells)
        shown = ~window.hidden((cells[:-1] + cells[1:]) / 2)
        pieces = np.stack([drawn[:-1], drawn[1:]], axis=1)
        lines += list(pieces[shown & np.isfinite(pieces).all(axis=(1, 2))])
    return lines


def _box(window: SolidWindow) -> tuple[list[Array], list[Array], list[_Label]]:
    """Return the lines of the walls behind the surface, the box's edges with ticks, and the axes' texts."""
    relief = window.relief
    sine, cosine = window.turn
    h = 0.5

    def at(u: float, v: float, z: float) -> Array:
        return window.of_box(np.asarray(u), np.asarray(v), np.asarray(z))

    def line(one: Corner, other: Corner) -> Array:
        return np.stack([at(*one), at(*other)])

    def outwards(u: float, v: float) -> Array:
        """Return the direction in the picture from the floor's middle to one of its sides."""
        way: Array = at(u, v, -h) - at(0, 0, -h)
        return way / math.hypot(*way)

    xs, ys, zs = ([where for where, _ in axis.ticks] for axis in (relief.x, relief.y, relief.height))
    fx, fy = (h if turn > 0 else -h for turn in (sine, cosine))  # of the walls behind
    walls = [
        *(piece for t in xs for piece in (line((t, -h, -h), (t, h, -h)), line((t, fy, -h), (t, fy, h)))),
        *(piece for t in ys for piece in (line((-h, t, -h), (h, t, -h)), line((fx, t, -h), (fx, t, h)))),
        *(piece for t in zs for piece in (line((-h, fy, t), (h, fy, t)), line((fx, -h, t), (fx, h, t)))),
    ]
    edges = [
        *(piece for s in (-h, h) for piece in (line((-h, s, -h), (h, s, -h)), line((s, -h, -h), (s, h, -h)))),
        line((-h, fy, h), (h, fy, h)),
        line((fx, -h, h), (fx, h, h)),
        *(line((x, y, -h), (x, y, h)) for x, y in ((fx, fy), (-fx, fy), (fx, -fy))),
    ]
    left = 1 if at(fx, -fy, -h)[0] < at(-fx, fy, -h)[0] else -1
    sides: list[tuple[BoxAxis, Callable[[float], Array], Array]] = [
        (relief.height, lambda t: at(left * fx, -left * fy, t), np.array([-1.0, 0.0])),
        (relief.x, lambda t: at(t, -fy, -h), outwards(0, -fy)),
        (relief.y, lambda t: at(-fx, t, -h), outwards(-fx, 0)),
    ]
    names: list[_Label] = []
    marks: list[list[_Label]] = []
    for axis, corner, out in sides:
        edges += [np.stack([corner(t), corner(t) + _TICK * out]) for t, _ in axis.ticks]
        marks.append([_beside(corner(t), text, out, _TICK + _GAP) for t, text in axis.ticks])
        if out[1]:
            away = _TICK + 2 * _GAP + np.abs(out) @ [max((label.width for label in marks[-1]), default=0.0), _HIGH]
            names.append(_beside(corner(0.0), axis.name, out, away))
        else:
            names.append(_above(corner(h), axis.name, window.width))
    kept: list[_Label] = []
    for labels in (names, *(_few(labels) for labels in marks)):
        kept += [label for at, label in enumerate(labels) if label.keeps_off([*kept, *labels[:at]])]
    return walls, edges, kept


def _beside(spot: Array, text: str, out: Array, away: float) -> _Label:
    """Return a text so many px from a point, in a direction."""
    wide = _LETTER * FONT * len(text)
    x, y = (spot + out * (away + np.array([wide, _HIGH]) / 2)).tolist()
    return _Label(text, x, y, wide)


def _above(spot: Array, text: str, width: float) -> _Label:
    """Return a text above a point, inside a picture of a width where the point is."""
    wide, (x, y) = _LETTER * FONT * len(text), spot.tolist()
    inside = min(max(x, wide / 2 + _GAP), width - wide / 2 - _GAP)
    return _Label(text, inside if 0 < x < width else x, y - _HIGH, wide)


def _few(labels: list[_Label]) -> list[_Label]:
    """Return every, every second, ... label, as many as keep off each other."""
    for every in _STRIDES:
        few = labels[::every]
        if all(label.keeps_off(few[:at]) for at, label in enumerate(few)):
            return few
    return labels[:1]
