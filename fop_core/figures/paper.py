"""A race as a figure for print: its paths beside its losses, 7 inches wide, as PNG, PDF or SVG.

It shows what ``interactive`` shows of the race, and looks as ``print_style`` says.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from matplotlib.transforms import Affine2D

from fop_core.figures import interactive, print_style, style
from fop_core.figures.bands import OPACITY, Band, median_run
from fop_core.figures.interactive import Point
from fop_core.figures.landscape import Landscape
from fop_core.figures.print_style import save as save
from fop_core.figures.style import LIGHT, Theme, rgba
from fop_core.figures.trajectories import MARKED_STEPS, DrawnTrajectory


def _star(points: int, inner: float, turn: float = 0.0) -> Path:
    return Path.unit_regular_star(points, inner).transformed(Affine2D().rotate_deg(turn))


MARKERS: Mapping[str, tuple[str | Path, float]] = MappingProxyType(
    {
        "square": ("s", 4.2),
        "triangle-up": ("^", 5.2),
        "triangle-down": ("v", 5.2),
        "diamond": ("D", 4.0),
        "cross": ("P", 5.6),
        "x": ("X", 5.6),
        "pentagon": ("p", 5.4),
        "star": ("*", 7.2),
        "bowtie": (Path([(-1, -0.75), (1, 0.75), (1, -0.75), (-1, 0.75), (-1, -0.75)], closed=True), 7.5),
        "triangle-left": ("<", 5.2),
        "triangle-right": (">", 5.2),
        "diamond-tall": ("d", 5.6),
        "diamond-wide": (Path([(-1, 0), (0, -0.6), (1, 0), (0, 0.6), (-1, 0)], closed=True), 6.4),
        "hexagram": (_star(6, 0.58), 6.2),
        "star-square": (_star(4, 0.45, 45), 6.8),
        "star-diamond": (_star(4, 0.45), 6.8),
        "star-triangle-up": (_star(3, 0.32), 6.8),
        "star-triangle-down": (_star(3, 0.32, 180), 6.8),
        "hourglass": (Path([(-0.75, -1), (0.75, 1), (-0.75, 1), (0.75, -1), (-0.75, -1)], closed=True), 7.5),
        "octagon": ("8", 5.0),
        "circle": ("o", 4.8),
    }
)
"""matplotlib's marker for each symbol in ``style.METHODS``, and its size in pt, so that all look equally large."""

_LEFT, _GAP, _RIGHT, _BELOW, _ABOVE = 0.52, 0.66, 0.14, 0.43, 0.06  # inches
_SIDE = 2.72  # of the paths; the losses are as high, and have the rest of the width


def race_figure(
    landscape: Landscape,
    runs: Sequence[DrawnTrajectory],
    start: Point,
    minima: Sequence[Point],
    floor: float,
    tolerance: float,
    *,
    log_steps: bool = True,
    bands: Sequence[Band] = (),
    path_of: str = "",
) -> Figure:
    """Return paths over a landscape, and beside them the loss against the step.

    Args:
        landscape: the ground.
        runs: drawn in the order of ``style.METHODS``.
        start: where all of them started.
        minima: known ones.
        floor: f at the minimum, or -inf.
        tolerance: a run has converged where f - floor is below it.
        log_steps: whether the axis of steps is logarithmic.
        bands: of several seeds; the key's counts and the losses are their medians then.
        path_of: which seed's the paths are, "seed 0"; empty for the only one.

    Example:
        >>> from fop_core.figures import landscape, paper, trajectories
        >>> from toy_functions import presets, race
        >>> booth = presets.PAPER_BOOTH.surface
        >>> paths = race(presets.PAPER_BOOTH)
        >>> names = {"SGD": "sgd", "Adam": "adam", "FOP": "fop"}
        >>> of = {name: (path.points, path.losses, path.status) for name, path in paths.items()}
        >>> shown = [trajectories.downsampled(names[name], *each) for name, each in of.items()]
        >>> ground = landscape.survey(booth.value, booth.floor, booth.view)
        >>> figure = paper.race_figure(ground, shown, (0.0, -4.0), booth.minima, booth.floor, tolerance=1e-6)
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['SGD 832', 'Adam 6,221', 'FOP 543']
        >>> paper.save(figure, "pdf")[:5]
        b'%PDF-'
    """
    shown = interactive.ordered(runs)
    of_rules = {each.rule: each for each in bands}
    medians = [median_run(run, of_rules[run.rule]) if run.rule in of_rules else run for run in shown]
    with print_style.applied():
        figure = print_style.blank(print_style.WIDTH, _SIDE)
        high = _BELOW + _SIDE + _ABOVE + draw_key(figure, medians)
        figure.set_size_inches(print_style.WIDTH, high)
        second = _LEFT + _SIDE + _GAP
        width = print_style.WIDTH
        paths = figure.add_axes((_LEFT / width, _BELOW / high, _SIDE / width, _SIDE / high))
        losses = figure.add_axes(
            (
                second / print_style.WIDTH,
                _BELOW / high,
                (print_style.WIDTH - second - _RIGHT) / print_style.WIDTH,
                _SIDE / high,
            )
        )
        _draw_paths(paths, landscape, shown, start, minima)
        if path_of:
            paths.set_xlabel(f"$x$  (path of {path_of})")
        _draw_losses(losses, medians, floor, tolerance, log_steps, bands)
        return figure


def draw_landscape(axes: Axes, landscape: Landscape, theme: Theme, width: float) -> None:
    """Draw a landscape as quiet filled contours; nothing where it is the same everywhere or finite nowhere.

    Args:
        axes: gets the landscape's limits.
        landscape: what to draw.
        theme: of the colours.
        width: of the level lines, in pt.

    Example:
        >>> from fop_core.figures import landscape, paper, print_style
        >>> from fop_core.figures.style import LIGHT
        >>> from toy_functions.surfaces import BOOTH
        >>> axes = print_style.blank(3.0, 3.0).add_subplot()
        >>> paper.draw_landscape(axes, landscape.survey(BOOTH.value, BOOTH.floor, BOOTH.view), LIGHT, width=0.4)
        >>> axes.get_xlim()
        (np.float64(-10.0), np.float64(10.0))
    """
    axes.set(xlim=landscape.box[:2], ylim=landscape.box[2:])
    heights = np.ma.masked_invalid((landscape.heights - landscape.bottom) / landscape.step)  # levels at 0, 1, 2, ...
    if not heights.count() or heights.min() == heights.max():
        return
    ground = landscape.x, landscape.y, heights
    levels = np.arange(max(1, math.ceil(heights.max())) + 1)
    hue = LinearSegmentedColormap.from_list("ground", [theme.low, theme.high])
    fill = axes.contourf(*ground, levels, cmap=hue, norm=Normalize(-1, heights.max()), extend="both", zorder=0)
    fill.set(edgecolor="face", linewidth=0.3)  # else a hairline of paper shows between two heights
    axes.contour(*ground, levels, colors=[rgba(theme.level)], linewidths=width, zorder=0.5)


def draw_key(
    figure: Figure, runs: Sequence[DrawnTrajectory], names: Sequence[str] | None = None, theme: Theme = LIGHT
) -> float:
    """Draw what the lines are, in as few rows as fit at the top of a figure; return their height in inches.

    Args:
        figure: its width counts.
        runs: in the order of the key.
        names: of the runs; their labels where there are none.
        theme: of the colours.

    Example:
        >>> from fop_core.figures import paper, print_style
        >>> from fop_core.figures.trajectories import downsampled
        >>> figure = print_style.blank(7.0, 3.0)
        >>> run = downsampled("fop", [[0.0, -4.0]], [306.0], "step limit")
        >>> 0 < paper.draw_key(figure, [run]) < figure.get_figheight(), figure.legends[0].get_texts()[0].get_text()
        (np.True_, 'FOP > 0')
    """
    samples = [Line2D([], [], **line_style(run), **symbol_style(run, theme)) for run in runs]
    height = 0.0
    for rows in range(1, len(runs) + 1):
        key = figure.legend(
            samples,
            names or [run.label for run in runs],
            loc="upper center",
            ncols=math.ceil(len(runs) / rows),
            labelcolor=theme.ink,
            frameon=False,
            handlelength=2.6,
            handletextpad=0.5,
            columnspacing=1.4,
            labelspacing=0.3,
            borderpad=0.3,
            borderaxespad=0.0,
        )
        for run, text in zip(runs, key.get_texts()):
            text.set_fontweight("bold" if run.rule == "fop" else "normal")
        extent = key.get_window_extent()
        height = extent.height / figure.dpi
        if extent.width <= figure.bbox.width:
            break
        if rows < len(runs):
            key.remove()
    return height


def _draw_paths(
    axes: Axes, landscape: Landscape, runs: Sequence[DrawnTrajectory], start: Point, minima: Sequence[Point]
) -> None:
    paper, ink = LIGHT.paper, LIGHT.ink
    draw_landscape(axes, landscape, LIGHT, 0.4)
    axes.set(xlabel="$x$", ylabel="$y$")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    if minima:
        axes.plot(*zip(*minima), "+", color=ink, markersize=6.5, markeredgewidth=1.0, zorder=1)
    for order, run in enumerate(runs, 2):
        path = interactive.drawn(run, landscape.box)
        marked = np.flatnonzero(np.isin(run.path_steps[: len(path)], MARKED_STEPS))
        line = line_style(run)
        axes.plot(*path.T, color=paper, linewidth=line["linewidth"] + 1.2, zorder=order)
        axes.plot(*path.T, **line, zorder=order)
        axes.plot(*path[marked].T, color=run.method.color, linestyle="none", **symbol_style(run), zorder=50 + order)
    axes.plot(*start, "o", color=paper, markeredgecolor=ink, markersize=5.5, markeredgewidth=1.1, zorder=100)


def _draw_losses(
    axes: Axes, runs: Sequence[DrawnTrajectory], floor: float, tolerance: float, log_steps: bool, bands: Sequence[Band]
) -> None:
    """Draw lines and areas of ``interactive.losses`` between its limits; on a logarithmic axis by their logarithms."""
    figure = interactive.losses(runs, floor, tolerance, log_steps, bands=bands)
    across, up = figure.layout.xaxis, figure.layout.yaxis
    log = up.type == "log"
    areas = [trace for trace in figure.data if trace.fill]
    for trace in areas:
        x, y = np.log10(trace.x) if log_steps else trace.x, np.log10(trace.y) if log else trace.y
        axes.fill(x, y, color=style.METHODS[trace.legendgroup].color, alpha=OPACITY, linewidth=0, zorder=1.5)
    for order, (run, line) in enumerate(zip((run for run in runs if len(run.losses)), figure.data[len(areas) :]), 2):
        x, y = np.log10(line.x) if log_steps else line.x, np.log10(line.y) if log else line.y
        axes.plot(x, y, **line_style(run), zorder=order)
    if log and tolerance > 0 and up.range[0] < (height := math.log10(tolerance)) < up.range[1]:
        axes.axhline(height, color=LIGHT.muted, linewidth=0.8, linestyle=(0, (1.2, 1.8)), zorder=1)
        axes.annotate(
            "tolerance",
            (0, height),
            (3, -2),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="top",
            fontsize=7,
            color=LIGHT.muted,
            path_effects=[withStroke(linewidth=2, foreground=LIGHT.paper)],
            zorder=100,
        )
    if log_steps:
        _decades(axes.xaxis, 0.0, across.range[1])
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    if log:
        _decades(axes.yaxis, *up.range)
    else:  # a power of ten is at the logarithm of 1 more
        powers = [f"${'-' if at < 0 else ''}10^{{{abs(at):.0f}}}$" if at else "0" for at in up.tickvals]
        axes.set_yticks(up.tickvals, powers)
    name = f"{_loss_name(floor)}, median of {bands[0].seeds} seeds" if bands else _loss_name(floor)
    axes.set(xlim=across.range, ylim=up.range, xlabel="step", ylabel=name, axisbelow=True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=LIGHT.grid, linewidth=0.5)


def line_style(run: DrawnTrajectory) -> dict[str, Any]:
    """Return how a run's line looks.

    Example:
        >>> from fop_core.figures.paper import line_style
        >>> from fop_core.figures.trajectories import downsampled
        >>> line_style(downsampled("fop", [[0.0, -4.0]], [306.0], "step limit"))["linestyle"]
        'solid'
    """
    method = run.method
    dashes = print_style.dashes(method.dash)
    return {
        "color": method.color,
        "linewidth": method.width * print_style.PX,
        "linestyle": dashes,
        "dash_capstyle": "butt",
    }


def symbol_style(run: DrawnTrajectory, theme: Theme = LIGHT) -> dict[str, Any]:
    """Return how the symbols on it look.

    Example:
        >>> from fop_core.figures.paper import symbol_style
        >>> from fop_core.figures.trajectories import downsampled
        >>> symbol_style(downsampled("fop", [[0.0, -4.0]], [306.0], "step limit"))["marker"]
        'o'
    """
    marker, size = MARKERS[run.method.symbol]
    return {"marker": marker, "markersize": size, "markeredgecolor": theme.paper, "markeredgewidth": 0.6}


def _decades(axis: Axis, low: float, high: float) -> None:
    """Put ticks at powers of ten on an axis whose coordinates are exponents, or at 1, 2 and 5 times few powers."""
    every = max(1, math.ceil((high - low) / 6))
    times = np.add.outer(np.arange(math.floor(low), high), np.log10(np.arange(1, 10)))  # 1 to 9 times each power

    def shown(exponents: np.ndarray) -> np.ndarray:
        return exponents[(low <= exponents) & (exponents <= high)]

    if high - low < 1.5:
        few = shown(times[:, [0, 1, 4]])
        axis.set_ticks(few, [style.plain(10.0**exponent) for exponent in few])
    else:
        powers = np.arange(math.ceil(low / every) * every, high, every)
        axis.set_ticks(powers, [f"$10^{{{power:.0f}}}$" for power in powers])
    axis.set_ticks(shown(times[:, 1:] if every == 1 else times[:, 0]), minor=True)


def _loss_name(floor: float) -> str:
    if floor == 0 or not math.isfinite(floor):
        return "loss $f$"
    return f"loss $f - f^*$  ($f^*$ = {style.number(floor)})"
