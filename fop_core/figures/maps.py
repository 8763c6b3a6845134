"""Maps of basins, and of rates, as the Basins page shows them: for PNG, SVG and PDF.

Colours are those of ``pages/components/basin_maps/cells.js``: hue is the minimum where a path ended, strength how soon.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from fop_core.figures import print_style
from fop_core.figures.interactive import Point
from fop_core.figures.map_axes import MapAxis
from fop_core.figures.print_style import SCREEN
from fop_core.figures.style import LIGHT, METHODS, Theme

CONVERGED, LIMIT, DIVERGED = 0, 1, 2
SHADES = 64
PALEST = 0.26  # of a colour, in the slowest
COLUMNS = (0, 1, 2, 3, 4, 3, 3, 4, 4, 3)  # for so many maps; else 4
STRIPES = {LIMIT: (8.0, 0.3, 0.8), DIVERGED: (6.0, 0.62, 1.2)}  # px apart, share of ink, px wide
_PX = 300.0  # of a map's side on the page
_SIDE, _GAP, _TITLE, _BELOW, _RIGHT = 2.1, 0.16, 0.4, 0.26, 0.12  # inches
_LEFT, _AXIS = 0.44, 0.17  # inches; and for the title of an axis

Array = np.ndarray


@dataclass(frozen=True)
class Minimum:
    """A minimum that paths end at.

    Attributes:
        name: a letter and its point.
        color: of its area.
        note: of it, in the key.

    Example:
        >>> from fop_core.figures.maps import Minimum
        >>> Minimum("A (3, 2)", "#3B66DB").name
        'A (3, 2)'
    """

    name: str
    color: str
    note: str = ""


@dataclass(frozen=True)
class Maps:
    """What is on maps side by side.

    Attributes:
        rules: keys of ``style.METHODS``, of each map.
        titles: likewise.
        words: likewise: what is said of it.
        kinds: uint8 [maps, rows, columns], the first row the lowest: the minimum + 1 (0 for none) in the lower four
            bits, and how the path ended above them.
        steps: it took, [maps, rows, columns].
        minima: all of them.
        span: steps of the fastest and the slowest colour.
        limit: the most steps.
        x: the axis across.
        y: the axis up.
        crosses: where the minima are, shares of both axes.
        ring: another point to mark, or None.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.map_axes import MapAxis
        >>> from fop_core.figures.maps import Maps, Minimum
        >>> from fop_core.figures.style import MINIMA
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import basins
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> batch = basins(HIMMELBLAU, {"SGD": SGD(0.01)}, columns=16, rows=16, max_steps=500)["SGD"]
        >>> kinds = ((batch.minimum + 1) | (batch.status << 4)).astype(np.uint8)[None]
        >>> minima = [Minimum(name, color) for name, color in zip("ABCD", MINIMA)]
        >>> axis = MapAxis("", [(0.0, "−6"), (1.0, "6")])
        >>> maps = Maps(["sgd"], ["SGD"], [""], kinds, batch.steps[None], minima, (10, 100), 500, axis, axis)
        >>> maps.kinds.shape, np.unique(maps.kinds)  # none ended elsewhere, all converged
        ((1, 16, 16), array([1, 2, 3, 4], dtype=uint8))
    """

    rules: Sequence[str]
    titles: Sequence[str]
    words: Sequence[str]
    kinds: Array
    steps: Array
    minima: Sequence[Minimum]
    span: tuple[int, int]
    limit: int
    x: MapAxis
    y: MapAxis
    crosses: Sequence[Point] = ()
    ring: Point | None = None


def maps_figure(maps: Maps, theme: Theme = LIGHT) -> Figure:
    """Return maps side by side, under a key of their colours.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.map_axes import MapAxis
        >>> from fop_core.figures.maps import Maps, Minimum, maps_figure
        >>> kinds, steps = np.array([[[1, 1], [2, 2 << 4]]], np.uint8), np.array([[[10, 20], [100, 7]]])
        >>> minima = [Minimum("A (3, 2)", "#3B66DB"), Minimum("B (−2.8, 3.1)", "#DDAA1F")]
        >>> axis = MapAxis("", [(0.0, "−6"), (1.0, "6")])
        >>> maps = Maps(["sgd"], ["SGD"], ["one diverged"], kinds, steps, minima, (10, 100), 500, axis, axis)
        >>> [text.get_text() for text in maps_figure(maps).legends[0].get_texts()]
        ['A (3, 2)', 'B (−2.8, 3.1)', '10 to 100 steps, logarithmic', 'diverged']
    """
    count = len(maps.rules)
    columns = max(1, COLUMNS[count] if count < len(COLUMNS) else 4)
    rows = max(1, math.ceil(count / columns))
    left, below = _LEFT + _AXIS * bool(maps.y.title), _BELOW + _AXIS * bool(maps.x.title)
    wide, high = left + _SIDE + _RIGHT, _TITLE + _SIDE + below
    with print_style.applied(SCREEN):
        figure = print_style.blank(max(columns * wide, 4.5), rows * (high + _GAP))
        figure.set_facecolor(theme.paper)
        above = _draw_key(figure, maps, theme) + 0.08
        width, height = figure.get_figwidth(), rows * (high + _GAP) + above
        figure.set_size_inches(width, height)
        for at in range(count):
            row, column = divmod(at, columns)
            bottom = height - above - row * (high + _GAP) - _TITLE - _SIDE
            corner = (column * wide + left) / width, bottom / height
            _draw_map(figure.add_axes((*corner, _SIDE / width, _SIDE / height)), maps, at, theme)
        return figure


def colors(maps: Maps, theme: Theme) -> Array:
    """Return the colour of each cell without the stripes over it, uint8 [maps, rows, columns, 3].

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.map_axes import MapAxis
        >>> from fop_core.figures.maps import Maps, Minimum, colors
        >>> from fop_core.figures.style import LIGHT
        >>> kinds, steps = np.array([[[1, 1]]], np.uint8), np.array([[[10, 100]]])
        >>> minima, axis = [Minimum("A", "#3B66DB")], MapAxis("", [])
        >>> maps = Maps(["sgd"], ["SGD"], [""], kinds, steps, minima, (10, 100), 500, axis, axis)
        >>> colors(maps, LIGHT)[0, 0]  # the fastest in full colour, the slowest pale
        array([[ 59, 102, 219],
               [204, 215, 246]], dtype=uint8)
    """
    ramps, idle, ground = _palette(maps, theme)
    low, high = np.log1p(np.array(maps.span, dtype=np.float64))
    share = (np.log1p(maps.steps.astype(np.float64)) - low) / max(high - low, 1e-9)
    shade = np.floor(np.clip(share, 0.0, 1.0) * (SHADES - 1) + 0.5).astype(int)
    minimum, status = maps.kinds & 15, maps.kinds >> 4
    shade = np.where(status == LIMIT, SHADES - 1, shade)
    drawn = ramps[minimum, shade]
    drawn[(status == LIMIT) & (minimum == 0)] = idle
    drawn[status == DIVERGED] = ground
    return drawn


def _palette(maps: Maps, theme: Theme) -> tuple[Array, Array, Array]:
    """Return the ramps of all minima from fast to slow, the first of what has none, [k, SHADES, 3], and two greys."""
    strengths = 1 - (1 - PALEST) * (np.arange(SHADES) / (SHADES - 1))
    hues = [theme.muted, *(minimum.color for minimum in maps.minima)]
    ramps = np.stack([np.stack([_blend(hue, theme.paper, share) for share in strengths]) for hue in hues])
    return ramps, _blend(theme.ink, theme.paper, 0.24), _blend(theme.ink, theme.paper, 0.06)


def _blend(over: str, under: str, share: float) -> Array:
    one, other = (np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)], dtype=float) for color in (over, under))
    return np.floor(one * share + other * (1 - share) + 0.5).astype(np.uint8)


def _css(color: Array) -> str:
    return "#{:02X}{:02X}{:02X}".format(*color.tolist())


def striped(kinds: Array, status: int) -> Array:
    """Return which cells have the stripes of a status: all that diverged, and what rests at a minimum.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.maps import DIVERGED, striped
        >>> striped(np.array([[1, DIVERGED << 4]], np.uint8), DIVERGED)
        array([[False,  True]])
    """
    return (kinds >> 4 == status) & ((status == DIVERGED) | (kinds & 15 > 0))


def stripes(mask: Array, apart: float) -> list[list[tuple[float, float]]]:
    """Return the pieces of diagonal lines that lie in cells, as shares of both axes.

    Args:
        mask: which cells, [rows, columns], the first row the lowest.
        apart: from one line to the next along an axis, as a share of it.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.maps import stripes
        >>> stripes(np.array([[True, False]]), apart=1.0)[-1]  # as far as the cell reaches
        [(0.0, 0.0), (0.5, 0.5)]
    """
    rows, columns = mask.shape
    pieces: list[list[tuple[float, float]]] = []
    for offset in np.arange(-1.0, 1.0, apart).tolist():  # y = x - offset
        x = np.linspace(max(0.0, offset), min(1.0, 1.0 + offset), 4 * columns + 1)
        middle = (x[:-1] + x[1:]) / 2
        row = np.clip(((middle - offset) * rows).astype(int), 0, rows - 1)
        column = np.clip((middle * columns).astype(int), 0, columns - 1)
        turns = np.flatnonzero(np.diff(mask[row, column], prepend=False, append=False))
        for first, last in zip(x[turns[::2]].tolist(), x[turns[1::2]].tolist()):
            pieces.append([(first, first - offset), (last, last - offset)])
    return pieces


def _draw_map(axes: Axes, maps: Maps, at: int, theme: Theme) -> None:
    axes.imshow(colors(maps, theme)[at], origin="lower", extent=(0, 1, 0, 1), interpolation="none", zorder=0)
    for status, (apart, ink, width) in STRIPES.items():
        pieces = stripes(striped(maps.kinds[at], status), apart / _PX)
        color = _css(_blend(theme.ink, theme.paper, ink))
        axes.add_collection(LineCollection(pieces, colors=color, linewidths=width * print_style.PX, zorder=1))
    method = METHODS[maps.rules[at]]
    axes.text(0, 1.115, maps.titles[at], fontsize=9, fontweight="bold", color=method.color, va="bottom")
    axes.text(0, 1.02, maps.words[at], fontsize=7, color=theme.ink, va="bottom")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xticks(*_unzipped(maps.x.ticks))
    axes.set_yticks(*_unzipped(maps.y.ticks))
    axes.tick_params(labelsize=7, length=2.5, colors=theme.muted, labelcolor=theme.ink)
    axes.spines[:].set_visible(False)
    for label, title in ((axes.set_xlabel, maps.x.title), (axes.set_ylabel, maps.y.title)):
        label(title, fontsize=8, color=theme.ink)
    halo = [withStroke(linewidth=2.2, foreground=theme.paper)]
    for (x, y), minimum in zip(maps.crosses, maps.minima):
        if 0 <= x <= 1 and 0 <= y <= 1:
            axes.plot(x, y, "x", color=theme.ink, markersize=5, markeredgewidth=1.0, path_effects=halo, clip_on=False)
            beside, side = (-4, "right") if x > 0.9 else (4, "left")
            axes.annotate(
                minimum.name[0],
                (x, y),
                (beside, 0),
                textcoords="offset points",
                ha=side,
                va="center",
                fontsize=7,
                fontweight="bold",
                color=theme.ink,
                bbox={"facecolor": theme.paper, "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
            )
    if maps.ring is not None:
        axes.plot(*maps.ring, "o", color="none", markeredgecolor=theme.ink, markersize=7, path_effects=halo)


def _unzipped(ticks: Sequence[tuple[float, str]]) -> tuple[list[float], list[str]]:
    return [share for share, _ in ticks], [print_style.literal(text) for _, text in ticks]


def _draw_key(figure: Figure, maps: Maps, theme: Theme) -> float:
    """Draw what the colours mean, of what there is only, in as few rows as fit; return their height in inches."""
    entries = _entries(maps, theme)
    if not entries:
        return 0.0
    for rows in range(1, len(entries) + 1):
        key = figure.legend(
            [sample for sample, _ in entries],
            [text for _, text in entries],
            loc="upper left",
            ncols=math.ceil(len(entries) / rows),
            labelcolor=theme.ink,
            frameon=False,
            fontsize=7.5,
            handlelength=2.6,
            columnspacing=1.2,
            borderpad=0.4,
            borderaxespad=0.0,
            handler_map={tuple: HandlerTuple(ndivide=None, pad=0.0)},
        )
        extent = key.get_window_extent()
        if extent.width <= figure.bbox.width or rows == len(entries):
            return float(extent.height / figure.dpi)
        key.remove()
    raise AssertionError("the last try returns")


def _entries(maps: Maps, theme: Theme) -> list[tuple[Any, str]]:
    """Return what stands for each entry, a patch or several beside each other, and what it says."""
    ramps, idle, ground = _palette(maps, theme)
    there = set(np.unique(maps.kinds).tolist())
    used = [at for at in range(1, len(ramps)) if any(kind & 15 == at for kind in there)]
    ends = {kind >> 4 for kind in there}

    def patch(color: Array, status: int | None = None) -> Patch:
        edge = None if status is None else _css(_blend(theme.ink, theme.paper, STRIPES[status][1]))
        return Patch(
            facecolor=_css(color), edgecolor=edge or "none", linewidth=0, hatch=None if edge is None else "////"
        )

    entries: list[tuple[Any, str]] = [
        (patch(ramps[at, 0]), maps.minima[at - 1].name + maps.minima[at - 1].note) for at in used
    ]
    if CONVERGED in ends:
        ramp = ramps[used[0] if used else 0]
        low, high = maps.span
        words = f"{low:,} steps" if low == high else f"{low:,} to {high:,} steps, logarithmic"
        entries.append((tuple(patch(ramp[shade]) for shade in range(0, SHADES, 7)), words))
    if any(kind >> 4 == LIMIT and kind & 15 for kind in there):
        entries.append((patch(ramps[used[0], SHADES - 1], LIMIT), "at a minimum, not converged"))
    if LIMIT << 4 in there:
        entries.append((patch(idle), f"not converged in {maps.limit:,} steps"))
    if DIVERGED in ends:
        entries.append((patch(ground, DIVERGED), "diverged"))
    return entries
