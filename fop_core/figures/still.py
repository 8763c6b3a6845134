"""A race at a step, as the player shows it: as far as it is, in the part of the plane and the colours that are seen.

For PNG, SVG and PDF. Sizes are the page's, made smaller by ``print_style.PX``.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Transform

from fop_core.figures import heads, paper, print_style
from fop_core.figures.heads import Head, Played, PlayerWindow
from fop_core.figures.interactive import FARTHEST, Point
from fop_core.figures.landscape import Box, Landscape
from fop_core.figures.print_style import PX, SCREEN
from fop_core.figures.solid import SolidWindow
from fop_core.figures.solid_ground import FAINT, draw_solid
from fop_core.figures.style import LIGHT, Theme
from fop_core.figures.trajectories import MARKED_STEPS, DrawnTrajectory

SIDE = 720.0  # px of the square on the page, where there is room
_LEFT, _RIGHT, _BELOW, _ABOVE = 0.56, 0.14, 0.46, 0.24  # inches
_SQUARE = SIDE * PX / 72  # inches
# Of a path, where the surface hides it.
_BEHIND: dict[str, Any] = {"linewidth": 1.2 * PX, "linestyle": (0, [1.5 * PX, 3 * PX]), "alpha": 0.6}

Array = np.ndarray


def still(
    landscape: Landscape,
    played: Sequence[Played],
    start: Point,
    minima: Sequence[Point],
    step: int,
    *,
    box: Box | None = None,
    followed: str = "",
    rate: Callable[[int], float] | None = None,
    arrows: bool = False,
    theme: Theme = LIGHT,
    page_side: float | None = None,
    solid: SolidWindow | None = None,
) -> Figure:
    """Return a race at a step: paths so far, heads with P and H⁻¹, and the labels of who has arrived.

    Args:
        landscape: the ground.
        played: runs with what the player moves; one without a finite point is left out.
        start: where all of them started.
        minima: known ones.
        step: of the race; one after its end is the last.
        box: the part of the plane that is seen; None for all of the landscape.
        followed: the name of the run whose steps are shown; as of ``heads.followed``.
        rate: ε of its steps; as of ``heads.head``.
        arrows: whether the others' heads have arrows.
        theme: of the colours.
        page_side: px of the square on the page; as of ``heads.head``.
        solid: the picture in three dimensions, in place of ``box``; None for one from above.

    Example:
        >>> from typing import NamedTuple
        >>> from fop_core.figures import landscape, motion, print_style, still, trajectories
        >>> from toy_functions import presets, race
        >>> class Played(NamedTuple):
        ...     run: trajectories.DrawnTrajectory
        ...     motion: motion.Motion
        >>> booth, path = presets.PAPER_BOOTH.surface, race(presets.PAPER_BOOTH)["FOP"]
        >>> P = path.preconditioners
        >>> run = trajectories.downsampled("fop", path.points, path.losses, path.status, P)
        >>> fop = Played(run, motion.motion(path.points, path.losses, P, booth.gradient, booth.hessian))
        >>> ground = landscape.survey(booth.value, booth.floor, booth.view)
        >>> figure = still.still(ground, [fop], (0.0, -4.0), booth.minima, step=100)
        >>> figure.axes[0].get_title(loc="right"), print_style.save(figure, "pdf")[:5]
        ('step 100 of 543', b'%PDF-')
    """
    shown = heads.in_order(played)
    last = heads.last_step(shown)
    step = min(step, last)
    view = heads.window(box, landscape.box, SIDE) if solid is None else solid.sized(SIDE)
    wide, tall = (_SQUARE, _SQUARE) if solid is None else (_SQUARE, _SQUARE * solid.height / solid.width)
    left, below = (_LEFT, _BELOW) if solid is None else (_RIGHT, _RIGHT)  # its axes are in the picture
    with print_style.applied(SCREEN):
        width = left + wide + _RIGHT
        figure = print_style.blank(width, tall)
        figure.set_facecolor(theme.paper)
        names = [name_at(each.run, step) for each in shown]
        high = below + tall + _ABOVE + paper.draw_key(figure, [each.run for each in shown], names, theme)
        figure.set_size_inches(width, high)
        axes = figure.add_axes((left / width, below / high, wide / width, tall / high))
        axes.set_title(f"step {step:,} of {last:,}", loc="right", fontsize=8, color=theme.muted, pad=4)
        if isinstance(view, SolidWindow):
            draw_solid(axes, view, minima, theme)
        else:
            paper.draw_landscape(axes, landscape, theme, 0.4)
            _draw_frame(axes, view, theme)
            if minima:
                axes.plot(*zip(*minima), "+", color=theme.ink, markersize=8, markeredgewidth=1.1, zorder=1)
        for order, each in enumerate(shown, 2):
            _draw_path(axes, each, view, step, theme, order)
        ring: dict[str, Any] = {"color": theme.paper, "markeredgecolor": theme.ink, "markeredgewidth": 1.1}
        axes.plot(*_drawn(view, np.array([start])).T, "o", markersize=5.5, zorder=100, **ring)
        chosen = heads.followed(shown, followed)
        for order, each in enumerate(shown, 101):
            at = heads.index_at(each.motion, step)
            [point] = _near(each.motion.points[at : at + 1], view.box)
            there = heads.head(
                each, step, view.at(point), is_followed=each is chosen, rate=rate, arrows=arrows, page_side=page_side
            )
            _draw_head(axes, each, there, view, point, theme, order)
        _draw_labels(axes, landscape.box, shown, view, start, minima, step, theme)
        return figure


def name_at(run: DrawnTrajectory, step: float) -> str:
    """Return what a run is called at a step: once it has ended, with when.

    Example:
        >>> from fop_core.figures.trajectories import downsampled
        >>> from fop_core.figures.still import name_at
        >>> run = downsampled("fop", [[0.0, 0.0], [1.0, 3.0]], [306.0, 0.0], "converged")
        >>> name_at(run, 0), name_at(run, 1)
        ('FOP', 'FOP 1')
    """
    return run.label if step >= run.steps else run.method.name


def _draw_frame(axes: Axes, view: PlayerWindow, theme: Theme) -> None:
    axes.set(xlim=view.box[:2], ylim=view.box[2:], xlabel="x", ylabel="y")
    axes.tick_params(colors=theme.muted, labelcolor=theme.ink)
    axes.spines[:].set_edgecolor(theme.muted)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        axis.label.set_color(theme.ink)


def _drawn(view: PlayerWindow | SolidWindow, points: Array) -> Array:
    """Return points of the plane [n, 2] as coordinates of the picture's axes: px in three dimensions."""
    return view.pixels(points) if isinstance(view, SolidWindow) else points


def _draw_path(
    axes: Axes, played: Played, view: PlayerWindow | SolidWindow, step: int, theme: Theme, order: int
) -> None:
    """Draw a path up to a step, on a strip of paper, with its symbols; thin and dotted where the surface hides it."""
    run, motion = played.run, played.motion
    end = heads.index_at(motion, step) + 1
    path, line = _near(motion.points[:end], view.box), paper.line_style(run)
    marks = path[np.isin(motion.steps[:end], MARKED_STEPS)]
    shown, alpha = path, np.ones(len(marks))
    if isinstance(view, SolidWindow):
        cells, _ = view.along(path)
        hidden, shown = view.hidden(cells), view.of_cells(cells)
        axes.plot(*_pieces(shown, hidden).T, color=run.method.color, zorder=order, **_BEHIND)
        shown = _pieces(shown, ~hidden)
        alpha = np.where(view.hidden(view.cells(marks)), _BEHIND["alpha"], 1.0)
    axes.plot(*shown.T, color=theme.paper, linewidth=line["linewidth"] + 1.2, zorder=order)
    axes.plot(*shown.T, **line, zorder=order)
    symbols = paper.symbol_style(run, theme) | {"linestyle": "none", "zorder": 50 + order}
    for opacity in np.unique(alpha):
        axes.plot(*_drawn(view, marks[alpha == opacity]).T, color=run.method.color, alpha=float(opacity), **symbols)


def _pieces(points: Array, kept: Array) -> Array:
    """Return a line [n, 2] with gaps of NaN: of each piece between two points whether its second is kept decides."""
    if len(points) < 2:
        return points
    ends = np.append(kept[1:], False)
    shown: Array = np.where((kept | ends)[:, None], points, np.nan)
    begins = np.flatnonzero(kept[:-1] & ~ends[:-1]) + 1  # where a kept piece ends and the next begins elsewhere
    return np.insert(shown, begins, np.nan, axis=0)


def _near(points: Array, box: Box) -> Array:
    """Return points, those that are far outside a picture nearer in their direction: where they can be drawn."""
    size, center = np.array([box[1] - box[0], box[3] - box[2]]), np.array([box[0] + box[1], box[2] + box[3]]) / 2
    points = np.clip(points.astype(np.float64), -1e30, 1e30)  # a float32 may be infinite
    away = np.abs((points - center) / size).max(axis=1)
    return center + (points - center) * np.minimum(1.0, FARTHEST / np.maximum(away, 1.0))[:, None]


def _px(axes: Axes, view: PlayerWindow | SolidWindow) -> Transform:
    """Return what takes px of the picture, y downwards, to its axes."""
    if isinstance(view, SolidWindow):
        return axes.transData
    return Affine2D().scale(1 / view.side, -1 / view.side).translate(0, 1) + axes.transAxes


def _draw_head(
    axes: Axes,
    played: Played,
    there: Head,
    view: PlayerWindow | SolidWindow,
    point: Array,
    theme: Theme,
    order: int,
) -> None:
    """Draw a run's head at a point of the plane, and what stands there; fainter where the surface hides it."""
    run, px_there = played.run, _px(axes, view)
    [spot] = view.pixels(point[None])
    faint = FAINT if isinstance(view, SolidWindow) and view.hidden(view.cells(point))[0] else 1.0
    for piece in there.pieces:
        x, y = (spot + piece.points).T
        color = theme.ink if piece.ink else run.method.color
        settings: dict[str, Any] = {"transform": px_there, "alpha": faint * piece.opacity, "zorder": order}
        if piece.width:
            axes.plot(x, y, color=color, linewidth=piece.width * PX, solid_capstyle="butt", **settings)
        else:
            axes.fill(x, y, facecolor=color, edgecolor="none", linewidth=0, **settings)
    symbol = paper.symbol_style(run, theme)
    symbol["markersize"] *= heads.HEAD
    head = _drawn(view, point[None])[0]
    axes.plot(*head, color=run.method.color, linestyle="none", **symbol, alpha=faint, zorder=order)
    for text in there.texts:
        x, y = (spot + text.at).tolist()
        axes.text(
            x,
            y,
            text.text,
            transform=px_there,
            ha=text.align,
            va="center",
            fontsize=text.size * PX,
            fontweight="bold",
            color=theme.ink if text.ink else run.method.color,
            bbox={"facecolor": theme.paper, "edgecolor": "none", "alpha": 0.7, "pad": 0.6},
            zorder=150,
        )


def _draw_labels(
    axes: Axes,
    whole: Box,
    played: Sequence[Played],
    view: PlayerWindow | SolidWindow,
    start: Point,
    minima: Sequence[Point],
    step: int,
    theme: Theme,
) -> None:
    """Draw the labels of the runs that have arrived where these ends are in sight, as the player has them."""
    ends = heads.ends(whole, played, start, minima)
    for each, end in zip(played, ends):
        [spot] = view.pixels([end.at])
        if step < each.motion.steps[-1] or not ((spot >= -1) & (spot <= view.extent + 1)).all():
            continue
        offset = end.anchor.dx * PX, -end.anchor.dy * PX  # points, upwards
        leader = {"arrowstyle": "-", "color": each.run.method.color, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 4}
        axes.annotate(
            print_style.literal(end.text),
            _drawn(view, np.array([end.at]))[0],
            offset,
            textcoords="offset points",
            ha=end.anchor.anchor,
            va="center",
            fontsize=8,
            fontweight="bold" if each.run.rule == "fop" else "normal",
            color=each.run.method.color,
            bbox={"facecolor": theme.paper, "edgecolor": "none", "alpha": 0.82, "pad": 1.0},
            arrowprops=leader if math.hypot(*offset) >= 10 * PX else None,
            zorder=200,
            annotation_clip=False,
        )
