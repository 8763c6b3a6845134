"""What stands at the head of a run, as the player shows it: the ellipses of P and of H⁻¹, and arrows.

Lines and areas around the head, in px with y downwards, for whatever draws them. Shapes are as in the components'
``ellipses.js``, arrows as in the player's ``arrows.js``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from fop_core.figures import interactive
from fop_core.figures.landscape import Box
from fop_core.figures.learned import Learned
from fop_core.figures.motion import Motion
from fop_core.figures.runs import Run

RADIUS = 44.0  # px of the longer half of an ellipse
NARROWEST = 0.012  # of an ellipse, for its line to be seen
SINGULAR = 1e-10  # ratio of the eigenvalues of an H without an inverse: rounding leaves no 0
GAP = 8.0  # px from a head to an arrow
ARROWS = {"gradient": 34.0, "preconditioned": 46.0, "way": 58.0}  # px

Array = np.ndarray


class Played(Protocol):
    """A run with what the player moves and what it learned."""

    @property
    def run(self) -> Run:
        """How it is called and looks."""
        ...

    @property
    def motion(self) -> Motion:
        """Its points."""
        ...

    @property
    def learned(self) -> Learned | None:
        """Its P beside H; None for a rule that learns none."""
        ...


def in_order(played: Sequence[Played]) -> list[Played]:
    """Return what can be drawn, in the order of ``style.METHODS``."""
    order = {run.rule: at for at, run in enumerate(interactive.ordered([each.run for each in played]))}
    return sorted((each for each in played if len(each.motion.steps)), key=lambda each: order[each.run.rule])


def last_step(played: Sequence[Played]) -> int:
    """Return the last step of a race, as the player counts: that of the last finite point."""
    return max([1, *(int(each.motion.steps[-1]) for each in played)])


@dataclass(frozen=True)
class Window:
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

    def stretched(self, vectors: Array) -> Array:
        """Return vectors of the plane [n, 2] in px, all by one factor such that the longest has length 1."""
        left, right, bottom, top = self.box
        drawn = np.asarray(vectors, dtype=np.float64) * [1 / (right - left), -1 / (top - bottom)]
        return drawn / max(float(np.hypot(*drawn.T).max()), 1e-300)


def window(shown_box: Box | None, whole: Box, side: float) -> Window:
    """Return the square that shows a part of the plane, grown where it is no square, and moved inside where it fits.

    Args:
        shown_box: the part; None for all of it.
        whole: the box that is a square where nothing is zoomed.
        side: of the square, px.
    """
    if shown_box is None:
        return Window(whole, side)
    low, high = np.array(shown_box[::2]), np.array(shown_box[1::2])
    first, last = np.array(whole[::2]), np.array(whole[1::2])
    if np.allclose(low, first, rtol=0, atol=1e-9 * (last - first).max()) and np.allclose(high - low, last - first):
        return Window(whole, side)
    size = ((high - low) / (last - first)).max() * (last - first)
    begin = (low + high) / 2 - size / 2
    if ((low >= first) & (high <= last) & (size <= last - first)).all():
        begin = np.clip(begin, first, last - size)
    end = begin + size
    return Window((float(begin[0]), float(end[0]), float(begin[1]), float(end[1])), side)


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


def followed(played: Sequence[Played], name: str = "") -> Played | None:
    """Return the run whose steps are shown: that of a name, else the last that learns a P; None where none does."""
    shown = in_order(played)
    chosen = next((each for each in shown if each.run.method.name == name), None)
    return chosen or next((each for each in reversed(shown) if each.learned is not None), None)


def index_at(motion: Motion, step: float) -> int:
    """Return the last point at or before a step."""
    return max(0, int(np.searchsorted(motion.steps, step, side="right")) - 1)


def pieces(
    played: Played, step: float, view: Window, *, shapes_of_P: bool, arrows: bool, size: float = 1.0
) -> list[Piece]:
    """Return what stands at a head, the lowest first.

    Args:
        played: the run.
        step: of the race.
        view: the picture; a circle of the plane is an ellipse where its axes differ in scale.
        shapes_of_P: whether the ellipses of P and of H⁻¹ are shown.
        arrows: whether −g, −P g and the way on are shown, until the run has ended.
        size: px of the picture for a px of the page.
    """
    shapes: list[Piece] = []
    learned = played.learned
    if shapes_of_P and learned is not None and len(learned.steps):
        at = max(0, int(np.searchsorted(learned.steps, step, side="right")) - 1)
        shapes += ellipses(learned.P[at], learned.H[at], view)
    if arrows:
        shapes += _arrows(played.motion, index_at(played.motion, step), view)
    return [Piece(points * size, ink, width * size, opacity) for points, ink, width, opacity in shapes]


def ellipses(P: Array, H: Array, view: Window) -> list[Piece]:
    """Return what P and H⁻¹ make of a circle of steps, both to one size; dashed where an eigenvalue is negative.

    Args:
        P: angle and eigenvalues, the larger in size first, [3]; nothing is drawn where it is not finite.
        H: the same of the Hessian; no ellipse where it has no inverse.
        view: the picture.
    """
    if not np.isfinite(P).all():
        return []
    shapes: list[Piece] = []
    sizes = np.abs(H[1:])
    if np.isfinite(H).all() and sizes.min() > SINGULAR * sizes.max():  # 1/|flat| and 1/|curved|, to one size
        line = _ellipse(H[0] + np.pi / 2, sizes[0], sizes[1], view)
        shapes += [Piece(line, True, 0.0, 0.08), *_outline(line, True, 1.5, bool((H[1:] < 0).any()))]
    line = _ellipse(P[0], abs(P[1]), abs(P[2]), view)
    return [*shapes, Piece(line, False, 0.0, 0.14), *_outline(line, False, 3.0, bool((P[1:] < 0).any()))]


def _ellipse(angle: float, a: float, b: float, view: Window) -> Array:
    around = np.linspace(0.0, 2 * np.pi, 97)
    wide = max(a, b, 1e-300)
    along, across = max(a / wide, NARROWEST) * np.cos(around), max(b / wide, NARROWEST) * np.sin(around)
    cosine, sine = np.cos(angle), np.sin(angle)
    return RADIUS * view.stretched(np.stack([cosine * along - sine * across, sine * along + cosine * across], axis=1))


def _outline(line: Array, ink: bool, width: float, dashed: bool) -> list[Piece]:
    if not dashed:
        return [Piece(line, ink, width)]
    return [Piece(line[begin : begin + 5], ink, width) for begin in range(0, len(line) - 1, 8)]


def _arrows(motion: Motion, index: int, view: Window) -> list[Piece]:
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


def _arrow(angle: float, length: float, dash: tuple[float, float] | None, ink: bool, view: Window) -> list[Piece]:
    """Return an arrow in a direction of the plane; nothing where that is none, as where g is 0."""
    if not np.isfinite(angle):
        return []
    along = view.stretched(np.array([[np.cos(angle), np.sin(angle)]]))[0]
    across = np.array([-along[1], along[0]])
    on, off = dash or (length, 0.0)
    begins = np.arange(GAP, length, on + off)
    lines = [np.outer([begin, min(begin + on, length)], along) for begin in begins.tolist()]
    tip = length * along
    point = np.stack([tip + 6 * along, tip + 3.5 * across, tip - 3.5 * across])
    return [*(Piece(line, ink, 1.6) for line in lines), Piece(point, ink, 0.0)]
