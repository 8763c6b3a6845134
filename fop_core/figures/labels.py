"""Where the labels at the ends of lines go, so that none covers another, nor more of a line than it must.

All in pixels, x to the right and y downwards. Ends that lie together get their labels as one stack.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LINE = 18.0  # height of a label
LETTER = 6.9  # width of a letter, on average and with the label's padding
NEAR = 30.0  # ends all within this of each other share a stack
LEAST = 14.0  # between an end and its label, across
_DISTANCES = (12.0, 22.0, 36.0, 54.0, 76.0, 102.0, 132.0)
_DIRECTIONS = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 16, endpoint=False)]
_DIRECTIONS = [(cos, sin) for cos, sin in _DIRECTIONS if abs(cos) > 0.1]  # beside an end: leaders come in from the side


@dataclass(frozen=True)
class LabelAnchor:
    """Where a label stands: the middle of the edge that faces its line's end.

    Attributes:
        dx: from the end to that edge, to the right.
        dy: likewise, downwards.
        anchor: which edge it is: "left" for a label on the right of its end, or "right".
    """

    dx: float
    dy: float
    anchor: str


def arrange(
    ends: Sequence[tuple[float, float]],
    texts: Sequence[str],
    lines: Sequence[np.ndarray],
    size: tuple[float, float],
    keep_free: Sequence[tuple[float, float]] = (),
    shapes: Sequence[np.ndarray] = (),
) -> list[LabelAnchor]:
    """Return an anchor for each label.

    Args:
        ends: where the lines end.
        texts: what the labels say.
        lines: the lines themselves, each [n, 2].
        size: of the picture; labels stay inside.
        keep_free: points that no label should cover.
        shapes: lines that a label should cover still less than the others, each [n, 2].
    """
    ink, shape = (np.concatenate([np.empty((0, 2)), *(_sampled(line) for line in drawn)]) for drawn in (lines, shapes))
    marks = np.array([*ends, *keep_free], dtype=float).reshape(-1, 2)
    occupied: list[tuple[float, float, float, float]] = []
    anchors: dict[int, LabelAnchor] = {}
    for stack in _stacks(ends):
        center = np.mean([ends[i] for i in stack], axis=0)
        width, height = max(len(texts[i]) for i in stack) * LETTER, len(stack) * LINE
        box, anchor = _best(center, (width, height), size, ink, shape, marks, occupied)
        occupied.append(box)
        edge = box[0] if anchor == "left" else box[2]
        middle = (box[1] + box[3]) / 2
        angles = {i: math.atan2(ends[i][1] - middle, abs(ends[i][0] - edge)) for i in stack}
        for row, i in enumerate(sorted(stack, key=angles.__getitem__)):  # from the top: so leaders do not cross
            anchors[i] = LabelAnchor(edge - ends[i][0], box[1] + (row + 0.5) * LINE - ends[i][1], anchor)
    return [anchors[i] for i in range(len(ends))]


def _stacks(ends: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Return indices of ends that lie together, from right to left: on the right there is most room beside lines."""
    stacks: list[list[int]] = []
    for i in sorted(range(len(ends)), key=lambda i: ends[i], reverse=True):
        near = (stack for stack in stacks if all(math.dist(ends[i], ends[j]) < NEAR for j in stack))
        stack = next(near, None)
        if stack is None:
            stacks.append([i])
        else:
            stack.append(i)
    return stacks


def _best(
    end: np.ndarray,
    block: tuple[float, float],
    size: tuple[float, float],
    ink: np.ndarray,
    shape: np.ndarray,
    marks: np.ndarray,
    occupied: Sequence[tuple[float, float, float, float]],
) -> tuple[tuple[float, float, float, float], str]:
    """Return the box of least cost around an end, and which of its edges faces the end."""
    width, height = block
    best: tuple[float, tuple[float, float, float, float], str] | None = None
    for distance in _DISTANCES:
        for cos, sin in _DIRECTIONS:
            anchor = "left" if cos >= -1e-9 else "right"
            aside = max(distance * abs(cos), LEAST)
            x = end[0] + aside if anchor == "left" else end[0] - aside - width
            y = end[1] + distance * sin - height / 2 * (1 - sin)
            box = (x, y, x + width, y + height)
            outside = max(0.0, -box[0], -box[1], box[2] - size[0], box[3] - size[1])
            cost = (
                distance
                + 1000.0 * outside
                + 1000.0 * sum(_overlap(box, other) for other in occupied)
                + 40.0 * _inside(marks, box)
                + 2.5 * _inside(ink, box)
                + 10.0 * _inside(shape, box)
            )
            if best is None or cost < best[0] - 1e-9:
                best = cost, box, anchor
    assert best is not None
    return best[1], best[2]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(points: np.ndarray, box: tuple[float, float, float, float]) -> int:
    x, y = points.T
    return int(np.count_nonzero((x > box[0] - 2) & (x < box[2] + 2) & (y > box[1] - 2) & (y < box[3] + 2)))


def _sampled(line: np.ndarray, every: float = 6.0) -> np.ndarray:
    """Return points along a line at equal distances, so that a crawl does not weigh more than a stride."""
    if len(line) < 2:
        return np.asarray(line, dtype=float).reshape(-1, 2)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.linspace(0.0, way[-1], min(2000, max(2, int(way[-1] / every))))
    return np.stack([np.interp(at, way, line[:, 0]), np.interp(at, way, line[:, 1])], axis=1)
