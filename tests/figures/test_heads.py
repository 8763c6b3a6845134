"""What stands at a head is what the matrices and the gradient are there, in the picture's own scale."""

import math

import numpy as np
import pytest

from fop_core.figures import heads
from fop_core.figures.heads import Window
from fop_core.figures.learned import axes
from fop_core.optim.rules import FOP, SGD
from tests.figures.raced import Raced, raced
from toy_functions import Race, surfaces
from toy_functions.scenes import SCENES

SQUARE = Window((-1.0, 1.0, -1.0, 1.0), 200.0)
FLAT = Window((-4.0, 4.0, -1.0, 1.0), 200.0)  # a step to the right is a quarter as long as one up


@pytest.fixture(scope="module")
def turning() -> list[Raced]:
    return raced(SCENES["turning"].race)[1]


def drawn_as(matrix: list[list[float]], view: Window) -> np.ndarray:
    """The points of P's outline, written straight from P: what it makes of a circle, to one size."""
    around = np.linspace(0, 2 * np.pi, 2001)
    circle = np.array(matrix) @ np.stack([np.cos(around), np.sin(around)])
    left, right, bottom, top = view.box
    points = circle.T * [view.side / (right - left), -view.side / (top - bottom)]
    return points * heads.RADIUS / np.hypot(*points.T).max()


@pytest.mark.parametrize("view", [SQUARE, FLAT])
@pytest.mark.parametrize("matrix", [[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[-1.0, 0.3], [0.3, 2.0]]])
def test_an_ellipse_is_what_the_matrix_makes_of_a_circle(matrix, view):
    P, H = axes(np.array([matrix]))[0], np.full(3, np.nan)
    area, *outline = heads.ellipses(P, H, view)
    assert not area.ink and area.width == 0 and 0 < area.opacity < 1
    exact = drawn_as(matrix, view)
    for points in (area.points, *(piece.points for piece in outline)):
        away = np.hypot(*(points[:, None] - exact).transpose(2, 0, 1)).min(axis=1)
        assert away.max() < 0.2
    assert (len(outline) == 1) == (np.linalg.det(matrix) > 0), "dashed where an eigenvalue is negative"


def test_the_black_ellipse_is_that_of_the_inverse_hessian():
    H = np.array([[8.0, 3.0], [3.0, 2.0]])
    P = axes(np.linalg.inv(H)[None])[0]
    newton, _, learned, _ = heads.ellipses(P, axes(H[None])[0], SQUARE)
    assert newton.ink and not learned.ink
    np.testing.assert_allclose(np.abs(newton.points), np.abs(learned.points), atol=1e-6)  # from the other end, perhaps


@pytest.mark.parametrize("H", [[0.0, 3.0, 0.0], [0.0, 4.0, 1e-13], [0.0, np.nan, np.nan]])
def test_what_has_no_inverse_has_no_ellipse(H):
    assert [piece.ink for piece in heads.ellipses(np.array([0.0, 2.0, 1.0]), np.array(H), SQUARE)] == [False, False]


def test_an_unknown_P_is_not_drawn():
    assert heads.ellipses(np.full(3, np.nan), np.array([0.0, 2.0, 1.0]), SQUARE) == []


def test_arrows_point_against_g_and_P_g_and_along_the_step(turning):
    fop = turning[-1]
    view = heads.window(None, surfaces.SURFACES["quadratic"].view, 640.0)
    step = 7
    at = heads.index_at(fop.motion, step)
    drawn = heads.pieces(fop, step, view, shapes_of_P=False, arrows=True)
    tips = [piece for piece in drawn if piece.width == 0]
    x, y = fop.motion.points[at].tolist()
    g = np.array(surfaces.SURFACES["quadratic"].gradient(x, y))
    way = fop.motion.points[at + 1] - fop.motion.points[at]
    P_g = np.array([math.cos(fop.motion.preconditioned[at]), math.sin(fop.motion.preconditioned[at])])
    for tip, vector, ink in zip(tips, (-g, -P_g, way), (True, False, False)):
        along = tip.points.mean(axis=0) * [1, -1]  # as the plane has it, whose axes are alike here
        cosine = along @ vector / np.linalg.norm(along) / np.linalg.norm(vector)
        assert cosine > 0.9999 and tip.ink == ink


def test_an_arrow_of_a_picture_with_unequal_axes_leans_with_them():
    [along] = FLAT.stretched(np.array([[1.0, 1.0]]))
    np.testing.assert_allclose(along[0] / -along[1], 0.25)


def test_who_has_arrived_has_no_arrows_but_keeps_its_ellipses(turning):
    fop = turning[-1]
    view = heads.window(None, surfaces.SURFACES["quadratic"].view, 640.0)
    last = int(fop.motion.steps[-1])
    at_end = heads.pieces(fop, last, view, shapes_of_P=True, arrows=True)
    assert len(at_end) == len(heads.pieces(fop, last, view, shapes_of_P=True, arrows=False)) > 0
    assert len(heads.pieces(fop, last - 1, view, shapes_of_P=True, arrows=True)) > len(at_end)


def test_one_run_has_its_P_shown_the_topmost_that_learns(turning):
    assert heads.followed(turning).run.rule == "fop-osgm"
    assert heads.followed([each for each in turning if each.learned is None]) is None
    _, two = raced(Race(surfaces.BOOTH, (0.0, -4.0), {"FOP": FOP(0.005, 0.01), "SGD": SGD(0.005)}, max_steps=5))
    assert heads.followed(two).run.rule == "fop"


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (None, (-10.0, 10.0, -5.0, 5.0)),
        ((-10.0, 10.0, -5.0, 5.0), (-10.0, 10.0, -5.0, 5.0)),
        ((0.0, 4.0, 0.0, 2.0), (0.0, 4.0, 0.0, 2.0)),
        ((0.0, 4.0, 0.0, 0.5), (0.0, 4.0, -0.75, 1.25)),
        ((0.0, 4.0, 4.5, 5.0), (0.0, 4.0, 3.0, 5.0)),  # grown, and kept inside
        ((-12.0, -8.0, 0.0, 1.0), (-12.0, -8.0, -0.5, 1.5)),  # what is seen outside stays
    ],
)
def test_a_picture_shows_what_is_seen_and_is_a_square(box, expected):
    view = heads.window(box, (-10.0, 10.0, -5.0, 5.0), 100.0)
    np.testing.assert_allclose(view.box, expected)
    assert [tuple(point) for point in view.pixels([(view.box[0], view.box[3]), (view.box[1], view.box[2])])] == [
        (0.0, 0.0),
        (100.0, 100.0),
    ]
