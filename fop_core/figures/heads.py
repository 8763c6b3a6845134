"""What stands at the head of a run, as the player shows it: the ellipses of P and of H⁻¹, and arrows.

Lines, areas and texts around the head, in px with y downwards, for whatever draws them. Shapes are as in the
components' ``ellipses.js``. Arrows of the run whose steps are shown are as in the player's ``followed.js`` and
``lengths.js``, those of the others as in its ``arrows.js``.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np

from fop_core.figures import interactive
from fop_core.figures.interactive import Point
from fop_core.figures.landscape import Box
from fop_core.figures.learned import axes
from fop_core.figures.motion import Motion
from fop_core.figures.style import number
from fop_core.figures.trajectories import DrawnTrajectory

HEAD = 1.5  # how much larger a head is than the symbols on its path
RADIUS = 0.12  # of the picture's side, the longer half of an ellipse
NARROWEST = 0.012  # of an ellipse, for its line to be seen
SINGULAR = 1e-10  # ratio of the eigenvalues of an H without an inverse: rounding leaves no 0
GAP = 8.0  # px from a head to an arrow
ARROWS = {"gradient": 34.0, "preconditioned": 46.0, "way": 58.0}  # px
LEAST, MOST = 18.0, 90.0  # px between which an arrow of the run whose steps are shown has its own length
TIP = 7.0  # px of its tip
FONT = 12.0  # px of what is written at it
_ALSO = (
    0.4,
    0.7,
    1.0,
    1.7,
)  # of an ellipse, that labels keep off: its area, and that in a picture of 500 px
_LETTER, _HIGH = 0.7, 1.2  # of a letter's size, its width on average, and the height of a text

Array = np.ndarray


class Played(Protocol):
    """A run with what the player moves."""

    @property
    def run(self) -> DrawnTrajectory:
        """How it is called and looks."""
        ...

    @property
    def motion(self) -> Motion:
        """Its points, and what its steps are made of."""
        ...


def in_order(played: Sequence[Played]) -> list[Played]:
    """Return what can be drawn, in the order of ``style.METHODS``."""
    order = {run.rule: at for at, run in enumerate(interactive.ordered([each.run for each in played]))}
    return sorted((each for each in played if len(each.motion.steps)), key=lambda each: order[each.run.rule])


def last_step(played: Sequence[Played]) -> int:
    """Return the last step of a race, as the player counts: that of the last finite point."""
    return max([1, *(int(each.motion.steps[-1]) for each in played)])


@dataclass(frozen=True)
class PlayerWindow:
    """A square picture of a part of the plane.

    Attributes:
        box: that part.
        side: of the square, px.
    """

    box: Box
    side: float

    def pixels(self, points: Array | Sequence[Sequence[float]]) -> Array:
        """Return where points [n, 2] are, [n, 2], from the upper left corner."""
        left, right, bottom, top = self.box
        scale = np.array([self.side / (right - left), self.side / (bottom - top)])
        return (np.asarray(points, dtype=np.float64).reshape(-1, 2) - [left, top]) * scale

    def vectors(self, vectors: Array) -> Array:
        """Return vectors of the plane [n, 2] in px, [n, 2]."""
        left, right, bottom, top = self.box
        return np.asarray(vectors, dtype=np.float64) * [self.side / (right - left), -self.side / (top - bottom)]

    def stretched(self, vectors: Array) -> Array:
        """Return vectors of the plane [n, 2] in px, all by one factor such that the longest has length 1."""
        drawn = self.vectors(vectors)
        return drawn / max(float(np.hypot(*drawn.T).max()), 1e-300)

    @property
    def extent(self) -> Array:
        """Width and height of the picture, px, [2]."""
        return np.array([self.side, self.side])

    def at(self, point: Array) -> "PlayerWindow":
        """Return the picture around a point, which is the same everywhere."""
        return self

    def shrunk(self, size: float) -> "PlayerWindow":
        """Return the same picture in px of which each is so many of this one."""
        return replace(self, side=self.side / size)


def window(shown_box: Box | None, whole: Box, side: float) -> PlayerWindow:
    """Return the square that shows a part of the plane, grown where it is no square, and moved inside where it fits.

    Args:
        shown_box: the part; None for all of it.
        whole: the box that is a square where nothing is zoomed.
        side: of the square, px.
    """
    if shown_box is None:
        return PlayerWindow(whole, side)
    low, high = np.array(shown_box[::2]), np.array(shown_box[1::2])
    first, last = np.array(whole[::2]), np.array(whole[1::2])
    if np.allclose(low, first, rtol=0, atol=1e-9 * (last - first).max()) and np.allclose(high - low, last - first):
        return PlayerWindow(whole, side)
    size = ((high - low) / (last - first)).max() * (last - first)
    begin = (low + high) / 2 - size / 2
    if ((low >= first) & (high <= last) & (size <= last - first)).all():
        begin = np.clip(begin, first, last - size)
    end = begin + size
    return PlayerWindow((float(begin[0]), float(end[0]), float(begin[1]), float(end[1])), side)


class Piece(NamedTuple):
    """A line or an area at a head.

    Attributes:
        points: [n, 2] px from the head.
        ink: whether it has the theme's ink, and not the run's colour.
        width: of the line, px; 0 for an area.
        opacity: 0 to 1.
    """

    points: Array
    ink: bool
    width: float
    opacity: float = 1.0


class Text(NamedTuple):
    """What is written at a head.

    Attributes:
        text: a word or two.
        at: [2] px from the head, halfway up the text.
        align: which part of it is there: "left" | "right" | "center".
        ink: as of ``Piece``.
        size: of its letters, px.
    """

    text: str
    at: Array
    align: str
    ink: bool
    size: float


@dataclass(frozen=True)
class Head:
    """What stands at a head: pieces, the lowest first, and texts over them."""

    pieces: list[Piece]
    texts: list[Text]


def followed(played: Sequence[Played], name: str = "") -> Played | None:
    """Return the run whose steps are shown: that of a name, else the last that learns a P, else the last."""
    shown = in_order(played)
    named = [each for each in shown if each.run.method.name == name]
    learning = [each for each in shown if each.motion.P is not None]
    ranked = [*shown, *learning, *named]
    return ranked[-1] if ranked else None


def ends(box: Box, played: Sequence[Played], start: Point, minima: Sequence[Point]) -> list[interactive.End]:
    """Return the labels of paths as ``interactive.ends`` does, which keep off the ellipses of P and H⁻¹ too.

    Args:
        box: the part of the plane that is shown.
        played: runs, in the order in which they are drawn.
        start: where all of them started.
        minima: known ones.
    """
    chosen = followed(played)
    lines: list[Array] = []
    if chosen is not None and np.isfinite(last := chosen.motion.points[-1]).all():
        view = PlayerWindow(box, interactive.SIZE[0])
        shapes = [piece.points for piece in _shapes(chosen.motion, len(chosen.motion.steps) - 1, 0.0, view)]
        lines = [view.pixels(last) + times * points for points in shapes for times in _ALSO]
    return interactive.ends(box, [each.run for each in played], start, minima, lines)


def index_at(motion: Motion, step: float) -> int:
    """Return the last point at or before a step."""
    return max(0, int(np.searchsorted(motion.steps, step, side="right")) - 1)


def head(
    played: Played,
    step: float,
    view: PlayerWindow,
    *,
    is_followed: bool,
    rate: Callable[[int], float] | None = None,
    arrows: bool = False,
    size: float = 1.0,
    page_side: float | None = None,
) -> Head:
    """Return what stands at a head.

    Args:
        played: the run.
        step: of the race.
        view: the picture; a circle of the plane is an ellipse where its axes differ in scale.
        is_followed: whether the run's steps are shown: by the ellipses of P and of H⁻¹.
        rate: ε of a step of that run, for −ε g and −ε P g as long as they are; None where it is unknown.
        arrows: whether the others, and that one without a rate, show −g, −P g and the way on, until they have ended.
        size: px of the picture for a px of the page.
        page_side: px of the square on the page: what is too short or too long there to be drawn is drawn longer or
            shorter; None for that of the picture.
    """
    page, motion = view.shrunk(size), played.motion
    index = index_at(motion, step)
    between = 0.0 if motion.downsampled or index + 1 >= len(motion.steps) else min(1.0, step - index)
    shapes = _shapes(motion, index, between, page) if is_followed else []
    texts: list[Text] = []
    if is_followed and rate is not None:
        lines, texts = _pulls(motion, index, between, rate(int(motion.steps[index])), page, page_side or page.side)
        shapes += lines
    elif arrows:
        shapes += _arrows(motion, index, page)
    return Head(
        [Piece(points * size, ink, width * size, opacity) for points, ink, width, opacity in shapes],
        [text._replace(at=text.at * size, size=text.size * size) for text in texts],
    )


def _shapes(motion: Motion, index: int, between: float, view: PlayerWindow) -> list[Piece]:
    if motion.P is None or motion.H is None:
        return []
    P, H = (_axes(_between(entries, index, between)) for entries in (motion.P, motion.H))
    return ellipses(P, H, view)


def _between(values: Array, index: int, share: float) -> Array:
    """Return values [k, n] at a point, or so far on the way to the next one, [n]."""
    at = values[index].astype(np.float64)
    return at + share * (values[index + 1] - at) if share else at


def _axes(entries: Array) -> Array:
    """Return angle and eigenvalues of a matrix with the entries xx, xy and yy, as ``learned.axes`` has them, [3]."""
    xx, xy, yy = entries
    result: Array = axes(np.array([[[xx, xy], [xy, yy]]]))[0]
    return result


def ellipses(P: Array, H: Array, view: PlayerWindow) -> list[Piece]:
    """Return what P and H⁻¹ make of a circle of steps, both to one size; dashed where an eigenvalue is negative.

    Where they are the same, the thin line of H⁻¹ lies on the wide one of P.

    Args:
        P: angle and eigenvalues, the larger in size first, [3]; nothing is drawn where it is not finite.
        H: the same of the Hessian; no ellipse where it has no inverse.
        view: the picture.
    """
    if not np.isfinite(P).all():
        return []
    line = _ellipse(P[0], abs(P[1]), abs(P[2]), view)
    shapes = [Piece(line, False, 0.0, 0.14), *_outline(line, False, 4.0, bool((P[1:] < 0).any()))]
    sizes = np.abs(H[1:])
    if np.isfinite(H).all() and sizes.min() > SINGULAR * sizes.max():  # 1/|flat| and 1/|curved|, to one size
        line = _ellipse(H[0] + np.pi / 2, sizes[0], sizes[1], view)
        shapes += [Piece(line, True, 0.0, 0.08), *_outline(line, True, 1.5, bool((H[1:] < 0).any()))]
    return shapes


def _ellipse(angle: float, a: float, b: float, view: PlayerWindow) -> Array:
    around = np.linspace(0.0, 2 * np.pi, 97)
    wide = max(a, b, 1e-300)
    along, across = max(a / wide, NARROWEST) * np.cos(around), max(b / wide, NARROWEST) * np.sin(around)
    cosine, sine = np.cos(angle), np.sin(angle)
    points = np.stack([cosine * along - sine * across, sine * along + cosine * across], axis=1)
    return RADIUS * view.side * view.stretched(points)


def _outline(line: Array, ink: bool, width: float, dashed: bool) -> list[Piece]:
    if not dashed:
        return [Piece(line, ink, width)]
    return [Piece(line[begin : begin + 5], ink, width) for begin in range(0, len(line) - 1, 8)]


def factor(length: float) -> float:
    """Return how many times as long an arrow of so many px is drawn: by a round number, 1 where it can be seen so."""
    if length > MOST:
        return 1 / _round(length / MOST)
    return _round(LEAST / length) if 0 < length < LEAST else 1.0


def _round(least: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, ... that is not below a number of at least 1."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least)


def factor_text(times: float) -> str:
    """Return what is written beside an arrow that is drawn so many times as long as it is."""
    if times == 1:
        return ""
    count = round(max(times, 1 / times))
    return f" {'×' if times > 1 else '÷'} {f'{count:,}' if count < 1e6 else number(count)}"


def _pulls(
    motion: Motion, index: int, between: float, rate: float, view: PlayerWindow, page_side: float
) -> tuple[list[Piece], list[Text]]:
    """Return −ε g, and −ε P g or the step, as long as they are or both to one scale; nothing at the end of a run."""
    move = motion.moves[index].astype(np.float64)
    if index + 1 >= len(motion.steps) or not np.isfinite(move).all():
        return [], []
    g = _between(motion.g, index, between)
    descent = -rate * g
    drawn = [(descent, "−ε g", True)]
    if motion.P is not None:
        xx, xy, yy = _between(motion.P, index, between)
        drawn.append((-rate * (np.array([[xx, xy], [xy, yy]]) @ g), "−ε P g", False))
    elif not math.dist(move, descent) <= 1e-4 * math.hypot(*move):  # else they are the same but for rounding
        drawn.append((move, "step", False))
    pieces: list[Piece] = []
    texts: list[Text] = []
    vectors = [(view.vectors(vector[None])[0], name, ink) for vector, name, ink in drawn]
    lengths = [length for length in (math.hypot(*px) for px, _, _ in vectors) if length < math.inf]
    times = factor(max(lengths, default=0.0) * page_side / view.side)
    for px, name, ink in vectors:
        length = math.hypot(*px)
        if not 0 < length < math.inf:
            continue
        along, long = px / length, times * length
        pieces += _pull(along, long, (2, 3) if ink else None, ink)
        align = "left" if along[0] > 0.3 else "right" if along[0] < -0.3 else "center"
        off = max(long, LEAST)  # of the head, whose symbol a shorter arrow is under
        texts.append(Text(name + factor_text(times), off * along + along * [6, 12], align, ink, FONT))
    return pieces, apart(texts)


def apart(texts: Sequence[Text]) -> list[Text]:
    """Return texts, each moved up or down as little as keeps it off those before it."""
    placed: list[tuple[float, float, float]] = []  # left, right, middle
    kept: list[Text] = []
    for text in texts:
        x, y = text.at.tolist()
        wide, high = _LETTER * text.size * len(text.text), _HIGH * text.size
        left = x - wide * {"left": 0.0, "center": 0.5, "right": 1.0}[text.align]
        beside = [middle for begin, end, middle in placed if begin < left + wide and left < end]
        free = (at for middle in beside for at in (middle + high, middle - high))
        clear = [at for at in (y, *free) if all(abs(at - middle) > high - 1e-9 for middle in beside)]
        at = min(clear, key=lambda at: abs(at - y))
        placed.append((left, left + wide, at))
        kept.append(text._replace(at=np.array([x, at])))
    return kept


def _pull(along: Array, length: float, dash: tuple[float, float] | None, ink: bool) -> list[Piece]:
    """Return an arrow from the head in a direction of the picture."""
    across, neck = np.array([-along[1], along[0]]), max(0.0, length - TIP)
    point = np.stack([length * along, neck * along + 4 * across, neck * along - 4 * across])
    return [*_dashed(along, 0.0, neck, dash, ink, 2.0), Piece(point, ink, 0.0)]


def _dashed(
    along: Array, begin: float, end: float, dash: tuple[float, float] | None, ink: bool, width: float
) -> list[Piece]:
    """Return a line in a direction, from so many px on it to so many."""
    on, off = dash or (max(end, 1.0), 0.0)
    begins = np.arange(begin, end, on + off).tolist()
    return [Piece(np.outer([at, min(at + on, end)], along), ink, width) for at in begins]


def _arrows(motion: Motion, index: int, view: PlayerWindow) -> list[Piece]:
    if index + 1 >= len(motion.steps):
        return []
    shapes = _arrow(float(motion.gradient[index]) + np.pi, ARROWS["gradient"], (2, 3), True, view)
    if motion.preconditioned is not None:
        turned = float(motion.preconditioned[index]) + np.pi
        shapes += _arrow(turned, ARROWS["preconditioned"], (5, 3), False, view)
    dx, dy = (motion.points[index + 1] - motion.points[index]).tolist()
    if dx or dy:
        shapes += _arrow(float(np.arctan2(dy, dx)), ARROWS["way"], None, False, view)
    return shapes


def _arrow(angle: float, length: float, dash: tuple[float, float] | None, ink: bool, view: PlayerWindow) -> list[Piece]:
    """Return an arrow in a direction of the plane; nothing where that is none, as where g is 0."""
    if not np.isfinite(angle):
        return []
    along = view.stretched(np.array([[np.cos(angle), np.sin(angle)]]))[0]
    across = np.array([-along[1], along[0]])
    tip = length * along
    point = np.stack([tip + 6 * along, tip + 3.5 * across, tip - 3.5 * across])
    return [*_dashed(along, GAP, length, dash, ink, 1.6), Piece(point, ink, 0.0)]
