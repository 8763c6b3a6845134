"""Labels at the ends of lines: none over another, all inside."""

import numpy as np
import pytest

from fop_core.figures import labels

SIZE = (300.0, 300.0)
NAMES = ["SGD 791", "Momentum 159", "Nesterov 97", "RMSProp 945", "Adam 3,345", "AdamW 3,270", "S-HD 503", "FOP 198"]


def boxes(ends, texts, offsets):
    rectangles = []
    for (x, y), text, offset in zip(ends, texts, offsets):
        width = len(text) * labels.LETTER
        left = x + offset.dx - (0 if offset.anchor == "left" else width)
        rectangles.append((left, y + offset.dy - labels.LINE / 2, left + width, y + offset.dy + labels.LINE / 2))
    return rectangles


def overlap(a, b):
    return a[0] < b[2] - 1e-6 and b[0] < a[2] - 1e-6 and a[1] < b[3] - 1e-6 and b[1] < a[3] - 1e-6


def ends_of(kind: str) -> list[tuple[float, float]]:
    rng = np.random.default_rng(3)
    return {
        "one point": [(150.0, 120.0)] * 8,
        "a corner": [(299.0, 1.0)] * 8,
        "a row": [(20.0 + 35 * i, 290.0) for i in range(8)],
        "a narrow row": [(150.0 + 6 * i, 290.0) for i in range(8)],
        "two minima": [(80.0, 80.0)] * 4 + [(90.0, 200.0)] * 4,
        "anywhere": [tuple(point) for point in rng.uniform(0, 300, (8, 2))],
    }[kind]


@pytest.mark.parametrize("kind", ["one point", "a corner", "a row", "a narrow row", "two minima", "anywhere"])
def test_labels_do_not_cover_each_other_and_stay_inside(kind):
    ends = ends_of(kind)
    lines = [np.array([[150.0, 150.0], end]) for end in ends]
    rectangles = boxes(ends, NAMES, labels.arrange(ends, NAMES, lines, SIZE))
    assert not [(a, b) for i, a in enumerate(rectangles) for b in rectangles[:i] if overlap(a, b)]
    for left, top, right, bottom in rectangles:
        assert left >= 0 and top >= 0 and right <= SIZE[0] and bottom <= SIZE[1]


def test_labels_keep_off_lines_and_marks():
    ends, line = [(150.0, 150.0)], np.array([[150.0, 150.0], [280.0, 150.0]])
    [offset] = labels.arrange(ends, ["FOP 543"], [line], SIZE)
    [(_, top, right, bottom)] = boxes(ends, ["FOP 543"], [offset])
    assert not (top < 150 < bottom and right > 150)
    [other] = labels.arrange(ends, ["FOP 543"], [line], SIZE, keep_free=[(offset.dx + 150, offset.dy + 150)])
    assert other != offset


def test_leaders_of_a_stack_do_not_cross():
    ends = [(100.0 + 9 * i, 150.0) for i in range(3)]
    offsets = labels.arrange(ends, NAMES[:3], [np.array([[0.0, 0.0], end]) for end in ends], SIZE)
    tails = [(x + offset.dx, y + offset.dy) for (x, y), offset in zip(ends, offsets)]
    for i in range(3):
        for j in range(i):
            assert not _cross(ends[i], tails[i], ends[j], tails[j])


def _cross(a, b, c, d):
    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0


def test_a_label_is_on_the_side_that_its_anchor_says():
    ends = [(20.0, 100.0), (280.0, 200.0)]
    near_left, near_right = labels.arrange(ends, ["SGD", "Adam"], [np.array([end]) for end in ends], SIZE)
    assert near_left.anchor == "left" and near_left.dx >= labels.LEAST
    assert near_right.anchor == "right" and near_right.dx <= -labels.LEAST


def test_nothing_to_label_is_no_error():
    assert labels.arrange([], [], [], SIZE) == []
