"""A race in motion: its paths grow over the landscape, all at the same step; as frames, and as an animated GIF.

Lines are drawn at twice their size and shrunk, which smooths their edges. All frames of a GIF share one palette; Pillow
stores of each only what has changed.
"""

import io
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import Affine2D
from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont

from fop_core.figures import heads, interactive
from fop_core.figures.heads import Piece, Played, PlayerWindow, Text
from fop_core.figures.interactive import Point
from fop_core.figures.landscape import Box, Landscape
from fop_core.figures.paper import MARKERS, draw_landscape
from fop_core.figures.print_style import PX
from fop_core.figures.solid import SolidWindow
from fop_core.figures.solid_ground import FAINT, draw_solid
from fop_core.figures.style import LIGHT, Method, Theme
from fop_core.figures.trajectories import MARKED_STEPS, DrawnTrajectory

FRAME, HOLD = 50, 2000
"""Milliseconds for which a frame is shown, and the last one."""

_FINE = 2  # px of a line as it is drawn for each px of the picture
_USUAL = 640  # px of a picture for which the next are
_WEIGHT = 1.25  # of lines, to those of ``style``: the picture is larger than one on a page
_START, _RIM = 1.4, 1.4  # how much larger the start is than a circle on a path; px around symbols
_FONT, _ROW, _PAD, _SAMPLE = 15, 24, 10, 30  # of the key
_BEHIND, _DOTS = 0.6, np.array([1.5, 3.0])  # opacity and dots of a path where the surface hides it, px of ``style``
_SHADES = 6  # from a colour to the paper, for smooth edges
_GROUND = 96  # colours of the landscape
_LETTERS = Path(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans-Bold.ttf")  # Pillow's own has no Greek

Array = np.ndarray


class Movie:
    """A race from its first step to its last, or to an earlier one; who has arrived waits for the others.

    Attributes:
        empty: the picture without a race, [key and square].
        colors: that are drawn with, of the runs.

    Example:
        >>> from fop_core.figures import landscape, trajectories
        >>> from fop_core.figures.animation import Movie
        >>> from toy_functions import presets, race
        >>> booth, path = presets.PAPER_BOOTH.surface, race(presets.PAPER_BOOTH)["SGD"]
        >>> run = trajectories.downsampled("sgd", path.points, path.losses, path.status)
        >>> ground = landscape.survey(booth.value, booth.floor, booth.view)
        >>> movie = Movie(ground, [run], (0.0, -4.0), booth.minima, width=128, frames=3)
        >>> len([frame for frame in movie.frames()]), movie.empty.width
        (3, 128)
    """

    def __init__(
        self,
        landscape: Landscape,
        runs: Sequence[DrawnTrajectory],
        start: Point,
        minima: Sequence[Point],
        *,
        log_steps: bool = True,
        width: int = _USUAL,
        frames: int = 120,
        theme: Theme = LIGHT,
        box: Box | None = None,
        last: int | None = None,
        played: Sequence[Played] = (),
        followed: str = "",
        rate: Callable[[int], float] | None = None,
        arrows: bool = False,
        page_side: float | None = None,
        solid: SolidWindow | None = None,
    ) -> None:
        """Draw what stays.

        Args:
            landscape: the ground.
            runs: drawn in the order of ``style.METHODS``; between the points that were kept a head moves evenly.
            start: where all of them started.
            minima: known ones.
            log_steps: whether time is logarithmic, which gives the first steps as long as the last thousands.
            width: in px, at least 64; above the picture, a square, there is a key. The height is even.
            frames: at least 2.
            theme: of the colours.
            box: the part of the plane that is seen; None for all of the landscape.
            last: the step of the last frame; None for the last of all.
            played: those of the runs whose heads have something, and one of them what its steps are made of.
            followed: the name of that one; as of ``heads.followed``.
            rate: ε of its steps; as of ``heads.head``.
            arrows: whether the others have arrows.
            page_side: px of the square on the page; as of ``heads.head``.
            solid: the picture in three dimensions, in place of ``box``; None for one from above.

        Raises:
            ValueError: for less.
        """
        if frames < 2 or width < 64:
            raise ValueError(f"{frames} frames of {width} px: give at least 2, of at least 64")
        shown = interactive.ordered(runs)
        end = max((run.steps for run in shown), default=0)
        self._view = heads.window(box, landscape.box, width) if solid is None else solid.sized(width)
        self._times = _times(end if last is None else min(last, end), frames, log_steps)
        self._trails = [_Trail(run, landscape.box, self._view, self._times) for run in shown if len(run.path)]
        self._played = {each.run.rule: each for each in played}
        self._followed = heads.followed(played, followed)
        self._origin = self._view.pixels([start])[0]
        self._theme, self._rate, self._arrows, self._page_side = theme, rate, arrows, page_side
        high = round(float(self._view.extent[1]))
        self._key = _Key(shown, (width, high), theme)
        self.empty = Image.new("RGB", (width, self._key.height + high), theme.paper)
        self.empty.paste(_ground(landscape, minima, self._view, theme), (0, self._key.height))
        self.colors = [run.method.color for run in shown]

    def frames(self, progress: Callable[[float], None] | None = None) -> Iterator[Image.Image]:
        """Draw each frame once, RGB.

        Args:
            progress: called after each frame with the share that is done; what it raises ends the work.
        """
        for index, now in enumerate(self._times):
            frame = self.empty.copy()
            self._key.draw(frame, now)
            picture = self.empty.crop((0, self._key.height, *self.empty.size))
            self._draw_paths(picture, now)
            frame.paste(picture, (0, self._key.height))
            yield frame
            if progress is not None:
                progress((index + 1) / len(self._times))

    def _draw_paths(self, picture: Image.Image, now: float) -> None:
        theme, scale = self._theme, picture.width / _USUAL
        heads_at = [trail.grow(now) for trail in self._trails]
        for trail in self._trails:
            strokes = ((trail.color, trail.behind), (theme.paper, trail.halo), (trail.color, trail.line))
            for color, stroke in strokes:
                if box := stroke.mask.getbbox():
                    picture.paste(color, box, stroke.mask.crop(box).point(stroke.shades))
        for trail in self._trails:
            for center, opacity in trail.marked(now):
                _draw_symbol(picture, center, _symbol(trail.symbol, scale), trail.color, theme.paper, opacity)
        _draw_symbol(picture, self._origin, _symbol("circle", _START * scale), theme.paper, theme.ink)
        for trail, (spot, point) in zip(self._trails, heads_at):
            each = self._played.get(trail.rule)
            there, view, opacity = heads.Head([], []), self._view, 1.0
            if isinstance(view, SolidWindow) and view.hidden(view.cells(point))[0]:
                opacity = FAINT
            if each is not None and _is_near(picture, spot):
                there = heads.head(
                    each,
                    now,
                    view.at(point),
                    is_followed=each is self._followed,
                    rate=self._rate,
                    arrows=self._arrows,
                    size=scale,
                    page_side=self._page_side,
                )
            for piece in there.pieces:
                faint = piece._replace(opacity=opacity * piece.opacity)
                _draw_piece(picture, spot, faint, theme.ink if piece.ink else trail.color)
            symbol = _symbol(trail.symbol, heads.HEAD * scale)
            _draw_symbol(picture, spot, symbol, trail.color, theme.paper, opacity)
            for text in there.texts:
                _draw_text(picture, spot, text, theme.ink if text.ink else trail.color, theme.paper)


def gif(
    landscape: Landscape,
    runs: Sequence[DrawnTrajectory],
    start: Point,
    minima: Sequence[Point],
    *,
    theme: Theme = LIGHT,
    frames: int = 120,
    title: str = "",
    progress: Callable[[float], None] | None = None,
    **settings: Any,
) -> bytes:
    """Return a race as an animation that is played over and over.

    Args:
        landscape: as of ``Movie``, and so are the next, and ``settings``.
        runs: see there.
        start: see there.
        minima: see there.
        theme: of the colours.
        frames: at least 2.
        title: the file's comment: what it shows.
        progress: called after each frame with the share that is done; what it raises ends the work.
        settings: of ``Movie``.

    Raises:
        ValueError: for fewer frames, or too small ones.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> from fop_core.figures import landscape, trajectories
        >>> from fop_core.figures.animation import gif
        >>> from toy_functions import presets, race
        >>> booth, path = presets.PAPER_BOOTH.surface, race(presets.PAPER_BOOTH)["SGD"]
        >>> run = trajectories.downsampled("sgd", path.points, path.losses, path.status)
        >>> ground = landscape.survey(booth.value, booth.floor, booth.view)
        >>> content = gif(ground, [run], (0.0, -4.0), booth.minima, width=128, frames=4)
        >>> Image.open(io.BytesIO(content)).n_frames
        4
    """
    movie = Movie(landscape, runs, start, minima, theme=theme, frames=frames, **settings)
    colors = _Colors(movie.empty, movie.colors, theme)
    drawn, file = map(colors.indices, movie.frames(progress)), io.BytesIO()
    next(drawn).save(
        file,
        "GIF",
        save_all=True,
        append_images=drawn,
        duration=[FRAME] * (frames - 1) + [HOLD],
        loop=0,
        palette=colors.palette,
        transparency=len(colors.palette) // 3 - 1,
        optimize=True,  # of each frame only what has changed
        disposal=1,
        comment=title,
    )
    return file.getvalue()


def _times(last: int, frames: int, log_steps: bool) -> Array:
    """Return the step of each frame, from 0 to the last."""
    share = np.linspace(0.0, 1.0, frames)
    times = (last + 1.0) ** share - 1.0 if log_steps else last * share
    times[-1] = last
    return times


def _ground(
    landscape: Landscape, minima: Sequence[Point], view: PlayerWindow | SolidWindow, theme: Theme
) -> Image.Image:
    """Return the landscape and its minima."""
    size = width, height = tuple(round(along) for along in view.extent.tolist())
    dots = 72 / PX if isinstance(view, SolidWindow) else 100  # per inch
    figure = Figure((width / dots, height / dots), dpi=dots, facecolor=theme.paper)
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    if isinstance(view, SolidWindow):
        draw_solid(axes, view, minima, theme)
    else:
        draw_landscape(axes, landscape, theme, 0.6)
        axes.set(xlim=view.box[:2], ylim=view.box[2:])
        axes.plot(*np.reshape(minima, (-1, 2)).T, "+", color=theme.ink, markersize=9, markeredgewidth=1.3)
        axes.set_axis_off()
    canvas.draw()
    return Image.frombytes("RGBA", size, bytes(canvas.buffer_rgba())).convert("RGB")


@lru_cache
def _shades(opacity: float) -> list[int]:
    """Return what each value of a mask, 0 to 255, is of what is so opaque."""
    return [round(opacity * value) for value in range(256)]


class _Stroke:
    """A line that grows.

    Attributes:
        mask: how much of each px it covers, 0 to 255, as large as the picture.
        shades: what each of these is as it is drawn: less where the line is not opaque.
    """

    def __init__(self, size: tuple[int, int], width: float, opacity: float = 1.0) -> None:
        self.mask = Image.new("L", size)
        self.shades = _shades(opacity)
        self._fine = Image.new("L", (size[0] * _FINE, size[1] * _FINE))
        self._width = max(1, round(width * _FINE))

    def draw(self, pieces: Sequence[Array]) -> None:
        """Add lines between points, each [n, 2] in px of the fine picture."""
        canvas = ImageDraw.Draw(self._fine)
        for piece in pieces:
            canvas.line([(x, y) for x, y in piece.tolist()], 255, self._width, joint="curve")
            low, high = piece.min(axis=0) - self._width, piece.max(axis=0) + self._width
            left, top = (max(0, math.floor(along / _FINE)) for along in low)
            right, bottom = (min(self.mask.width, math.ceil(along / _FINE)) for along in high)
            if left < right and top < bottom:
                box = left * _FINE, top * _FINE, right * _FINE, bottom * _FINE
                self.mask.paste(self._fine.reduce(_FINE, box), (left, top))


class _Trail:
    """A run's path as it grows: a dashed line on a strip of paper; dotted where the surface hides it.

    Attributes:
        rule: its run's.
        color: of the line.
        symbol: of the run.
        line: where it is seen.
        halo: the strip of paper.
        behind: where it is hidden.
    """

    def __init__(self, run: DrawnTrajectory, whole: Box, view: PlayerWindow | SolidWindow, times: Array) -> None:
        size = width, _ = tuple(round(along) for along in view.extent.tolist())
        path = interactive.drawn(run, whole)
        steps = run.path_steps[: len(path)].astype(np.float64)
        scale = _WEIGHT * width / _USUAL
        marked = np.isin(steps, MARKED_STEPS)
        marks, opacities = view.pixels(path[marked]), np.ones(int(marked.sum()))
        if isinstance(view, SolidWindow):
            opacities[view.hidden(view.cells(path[marked]))] = _BEHIND
            cells, at = view.along(path)
            points, hidden = view.of_cells(cells), view.hidden(cells)
            steps = np.interp(at, np.arange(len(steps)), steps)
            path = np.stack([np.interp(at, np.arange(len(path)), along) for along in path.T], axis=1)
        else:
            points, hidden = view.pixels(path), np.zeros(len(path), dtype=bool)
        points = points * _FINE
        way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        patterns = [_dashes(run.method) * scale * _FINE, *([_DOTS * scale * _FINE] if hidden.any() else [])]
        cuts = np.concatenate([_cuts(points, way, dashes, max(size) * _FINE) for dashes in patterns])
        self._steps = np.unique(np.concatenate([steps, np.interp(cuts, way, steps), times[times <= steps[-1]]]))
        self._points = np.stack([np.interp(self._steps, steps, along) for along in points.T], axis=1)
        self._path = np.stack([np.interp(self._steps, steps, along) for along in path.T], axis=1)
        middles = (self._steps[:-1] + self._steps[1:]) / 2
        along = np.interp(middles, steps, way)
        inked = [_is_inked(along, dashes) for dashes in patterns]
        covered = hidden[np.minimum(np.searchsorted(steps, middles), len(hidden) - 1)]
        self._visible, self._inked, self._dotted = ~covered, inked[0] & ~covered, inked[-1] & covered
        self._at = 0
        self.rule, self.color, self.symbol = run.rule, run.method.color, run.method.symbol
        self._marks = marks, opacities, run.path_steps[: len(marked)][marked]
        self.line = _Stroke(size, run.method.width * scale)
        self.halo = _Stroke(size, run.method.width * scale + 2.4)
        self.behind = _Stroke(size, 1.2 * scale, _BEHIND)

    def grow(self, now: float) -> tuple[Array, Array]:
        """Draw the path up to a step; return where it is then, in px of the picture and in the plane, [2]."""
        end = int(np.searchsorted(self._steps, now, side="right")) - 1
        if end > self._at:
            begin = max(self._at - 1, 0)  # one segment again, for the corner after it
            points = self._points[begin : end + 1]
            for stroke, drawn in ((self.line, self._inked), (self.halo, self._visible), (self.behind, self._dotted)):
                stroke.draw([points[first : last + 1] for first, last in _stretches(drawn[begin:end])])
            self._at = end
        return self._points[self._at] / _FINE, self._path[self._at]

    def marked(self, now: float) -> list[tuple[Array, float]]:
        """Return where the path has a symbol, up to a step, in px of the picture, and how opaque that is."""
        points, opacities, steps = self._marks
        return [(point, opacity) for point, opacity, step in zip(points, opacities.tolist(), steps) if step <= now]


def _stretches(drawn: Array) -> list[tuple[int, int]]:
    """Return where what is drawn of segments begins and ends, as points."""
    turns = np.flatnonzero(np.diff(drawn)) + 1
    return [(int(first), int(last)) for first, last in zip([0, *turns], [*turns, len(drawn)]) if drawn[first]]


def _is_inked(way: Array, dashes: Array) -> Array:
    """Return whether a dash is so far along a path, [n]."""
    inked: Array = np.searchsorted(np.cumsum(dashes), way % dashes.sum(), side="right") % 2 == 0
    return inked


def _dashes(method: Method) -> Array:
    """Return lengths of dash, gap, dash, gap, ... in px of ``style``; for a solid line a dash without end."""
    if method.dash == "solid":
        return np.array([1e9, 0.0])
    return np.array([float(part.removesuffix("px")) for part in method.dash.split(",")])


def _cuts(points: Array, way: Array, dashes: Array, side: int) -> Array:
    """Return how far along a path dashes begin and end where it is in the picture: outside it may be endless.

    Args:
        points: of the path, [n, 2].
        way: along the path to each, [n].
        dashes: lengths of dash, gap, ...
        side: of the picture.
    """
    begin, steps = points[:-1], np.diff(points, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = -begin / steps, (side - begin) / steps
    enter = np.clip(np.fmax.reduce(np.fmin(low, high), axis=1), 0.0, 1.0)
    leave = np.clip(np.fmin.reduce(np.fmax(low, high), axis=1), 0.0, 1.0)
    first, last = (np.floor((way[:-1] + share * np.diff(way)) / dashes.sum()) for share in (enter, leave))
    periods = [np.arange(a, b + 1) for a, b, visible in zip(first, last, enter < leave) if visible]
    begun = np.unique(np.concatenate([np.zeros(0), *periods])) * dashes.sum()
    return np.add.outer(begun, np.cumsum(dashes)).ravel()


def _is_near(picture: Image.Image, center: Array) -> bool:
    """Return whether something around a point may be in a picture."""
    middle = np.array(picture.size) / 2
    return bool((np.abs(center - middle) <= 2 * middle).all())


def _draw_piece(picture: Image.Image, spot: Array, piece: Piece, color: str) -> None:
    """Draw a line or an area at a head, with smooth edges."""
    finer = 4
    points = spot + piece.points
    low = np.floor(points.min(axis=0) - piece.width).astype(int) - 1
    wide, high = (np.ceil(points.max(axis=0) + piece.width).astype(int) + 2 - low).tolist()
    fine = Image.new("L", (wide * finer, high * finer))
    corners = [(x, y) for x, y in ((points - low) * finer).tolist()]
    if piece.width:
        ImageDraw.Draw(fine).line(corners, 255, max(1, round(piece.width * finer)), joint="curve")
    else:
        ImageDraw.Draw(fine).polygon(corners, 255)
    mask = fine.reduce(finer).point(_shades(piece.opacity))
    picture.paste(color, (int(low[0]), int(low[1])), mask)


def _draw_text(picture: Image.Image, spot: Array, text: Text, color: str, rim: str) -> None:
    """Write at a head, with a rim around the letters."""
    font = ImageFont.truetype(_LETTERS, text.size)
    at = float(spot[0] + text.at[0]), float(spot[1] + text.at[1])
    rims = max(1, round(text.size / 8))
    anchor = {"left": "lm", "right": "rm", "center": "mm"}[text.align]
    ImageDraw.Draw(picture).text(at, text.text, color, font, anchor, stroke_width=rims, stroke_fill=rim)


@lru_cache
def _symbol(name: str, times: float) -> list[Array]:
    """Return the outlines of a symbol of ``style``, so many times as large as on a page's path, each [n, 2] in px."""
    marker, size = MARKERS[name]
    shape, finer = MarkerStyle(marker), 64.0
    path = shape.get_path().transformed(shape.get_transform() + Affine2D().scale(finer, -finer))
    return [np.asarray(outline) * (times * size / PX / finer) for outline in path.to_polygons()]


def _draw_symbol(
    picture: Image.Image, center: Array, outlines: Sequence[Array], color: str, rim: str, opacity: float = 1.0
) -> None:
    """Draw a symbol with a rim around it, both with smooth edges; nothing where it is far from the picture."""
    if not _is_near(picture, center):
        return
    finer, wide = 4, _RIM * picture.width / _USUAL
    reach = math.ceil(max(float(np.abs(outline).max()) for outline in outlines) + wide) + 1
    corner = np.floor(center).astype(int) - reach
    shape = Image.new("L", (finer * 2 * (reach + 1),) * 2)
    around = shape.copy()
    for outline in outlines:
        points = [(x, y) for x, y in ((center - corner + outline) * finer).tolist()]
        ImageDraw.Draw(shape).polygon(points, 255)
        ImageDraw.Draw(around).polygon(points, 255)
        ImageDraw.Draw(around).line([*points, *points[:2]], 255, round(2 * wide * finer), joint="curve")
    for mask, ink in ((around, rim), (shape, color)):
        picture.paste(ink, (int(corner[0]), int(corner[1])), mask.reduce(finer).point(_shades(opacity)))


class _Key:
    """Names beside samples of their lines and symbols, and the step on the right.

    Attributes:
        height: in px.
    """

    def __init__(self, runs: Sequence[DrawnTrajectory], picture: tuple[int, int], theme: Theme) -> None:
        width, high = picture
        self._runs, self._width, self._theme, self._scale = runs, width, theme, width / _USUAL
        self._font = ImageFont.load_default(_FONT * self._scale)
        row, pad, sample = (size * self._scale for size in (_ROW, _PAD, _SAMPLE))
        last = max((run.steps for run in runs), default=0)
        right = width - 2 * pad - self._font.getlength(f"step {last:,}")
        x, y = pad, pad / 2 + row / 2
        self._positions: list[Point] = []
        for run in runs:
            wide = sample + self._font.getlength(run.label)
            if x > pad and x + wide > right:
                x, y = pad, y + row
            self._positions.append((x, y))
            x += wide + 1.6 * pad
        self.height = math.ceil(y + row / 2 + pad / 2)
        self.height += (self.height + high) % 2  # of the whole, as videos need it

    def draw(self, picture: Image.Image, now: float) -> None:
        """Draw the key at a step, with the ends of those runs that have ended."""
        canvas = ImageDraw.Draw(picture)
        row, pad, sample = (size * self._scale for size in (_ROW, _PAD, _SAMPLE))
        for run, (x, y) in zip(self._runs, self._positions):
            end = x + sample - 0.7 * pad
            self._draw_sample(canvas, run.method, x, end, y)
            symbol = _symbol(run.method.symbol, self._scale)
            _draw_symbol(picture, np.array([(x + end) / 2, y]), symbol, run.method.color, self._theme.paper)
            text = run.label if now >= run.steps else run.method.name
            canvas.text((x + sample, y), text, self._theme.ink, self._font, anchor="lm")
        position = self._width - pad, pad / 2 + row / 2
        canvas.text(position, f"step {math.floor(now):,}", self._theme.muted, self._font, anchor="rm")

    def _draw_sample(self, canvas: ImageDraw.ImageDraw, method: Method, x: float, end: float, y: float) -> None:
        scale = self._scale * _WEIGHT
        lengths = itertools.cycle((_dashes(method) * scale).tolist())
        while x < end:
            dash, gap = next(lengths), next(lengths)
            canvas.line([(x, y), (min(x + dash, end), y)], method.color, max(1, round(method.width * scale)))
            x += dash + gap


class _Colors:
    """The colours of all frames: of what is drawn, with shades towards the paper, and the ground's most frequent ones.

    Attributes:
        palette: red, green and blue of each; the last stands for what stays as it is.
    """

    def __init__(self, empty: Image.Image, colors: Sequence[str], theme: Theme) -> None:
        paper = np.array(ImageColor.getrgb(theme.paper))
        inks = [np.array(ImageColor.getrgb(color)) for color in (*dict.fromkeys(colors), theme.ink, theme.muted)]
        shares = np.linspace(1.0, 0.0, _SHADES, endpoint=False)
        drawn = [paper, *(np.rint(paper + share * (ink - paper)) for ink in inks for share in shares)]
        numbers: Array = np.asarray(empty).astype(np.int64) @ [1 << 16, 1 << 8, 1]
        unique, which, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        unique = np.stack([unique >> 16, unique >> 8 & 255, unique & 255], axis=1)
        frequent = unique[np.argsort(-counts, kind="stable")[:_GROUND]]
        known = np.concatenate([drawn, frequent]).astype(np.int64)
        nearest = ((unique[:, None] - known) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
        self.palette = bytes(np.concatenate([known, [paper]]).astype(np.uint8))
        self._pens = Image.new("P", (1, 1))
        self._pens.putpalette(known[: len(drawn)].ravel().tolist())
        self._empty, self._indices = empty, Image.fromarray(nearest[which].reshape(numbers.shape))

    def indices(self, frame: Image.Image) -> Image.Image:
        """Return a frame as indices into the palette; what is not drawn over keeps its own."""
        indices, drawn = self._indices.copy(), ImageChops.difference(frame, self._empty)
        if box := drawn.getbbox():
            part = frame.crop(box).quantize(palette=self._pens, dither=Image.Dither.NONE)
            over = drawn.crop(box).convert("L").point([0, *[255] * 255])
            indices.paste(Image.frombytes("L", part.size, part.tobytes()), box, over)
        return indices
