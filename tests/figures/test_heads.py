"""What stands at a head is what the matrices and the gradient are there, in the picture's own scale."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fop_core.figures import heads, labels
from fop_core.figures.heads import PlayerWindow
from fop_core.figures.learned import axes
from fop_core.optim.rules import FOP, SGD, Momentum
from tests.figures.raced import Raced, raced
from toy_functions import Race, surfaces
from toy_functions.scenes import SCENES

LETTERS = 14.0  # px of a label's height
SQUARE = PlayerWindow((-1.0, 1.0, -1.0, 1.0), 200.0)
FLAT = PlayerWindow((-4.0, 4.0, -1.0, 1.0), 200.0)  # a step to the right is a quarter as long as one up


@pytest.fixture(scope="module")
def turning() -> list[Raced]:
    return raced(SCENES["turning"].race)[1]


def drawn_as(matrix: list[list[float]], view: PlayerWindow) -> np.ndarray:
    """The points of P's outline, written straight from P: what it makes of a circle, to one size."""
    around = np.linspace(0, 2 * np.pi, 2001)
    circle = np.array(matrix) @ np.stack([np.cos(around), np.sin(around)])
    left, right, bottom, top = view.box
    points = circle.T * [view.side / (right - left), -view.side / (top - bottom)]
    return points * heads.RADIUS * view.side / np.hypot(*points.T).max()


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
    learned, broad, newton, line = heads.ellipses(P, axes(H[None])[0], SQUARE)
    assert broad.width > 2 * line.width > 0, "on P's, so that both are seen"
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
    drawn = heads.head(fop, step, view, is_followed=False, arrows=True)
    assert not drawn.texts
    tips = [piece for piece in drawn.pieces if piece.width == 0]
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
    for more in ({"arrows": True}, {"rate": lambda step: 0.1}):
        at_end = heads.head(fop, last, view, is_followed=True, **more)
        assert len(at_end.pieces) == len(heads.head(fop, last, view, is_followed=True).pieces) > 0
        assert len(heads.head(fop, last - 1, view, is_followed=True, **more).pieces) > len(at_end.pieces)
        assert not at_end.texts


def test_one_runs_steps_are_shown_the_chosen_ones_the_topmost_that_learns_or_the_topmost(turning):
    assert heads.followed(turning).run.rule == "fop-osgm"
    assert heads.followed(turning, "SGD").run.rule == "sgd"
    plain = [each for each in turning if each.motion.P is None]
    assert heads.followed(plain) is heads.in_order(plain)[-1]
    assert heads.followed([], "SGD") is None
    _, two = raced(Race(surfaces.BOOTH, (0.0, -4.0), {"FOP": FOP(0.005, 0.01), "SGD": SGD(0.005)}, max_steps=5))
    assert heads.followed(two).run.rule == "fop"


BOOTH = Race(surfaces.BOOTH, (0.0, -4.0), {"Momentum": Momentum(0.01), "FOP": FOP(0.01, 0.001)}, max_steps=40)


@pytest.mark.parametrize("size", [1.0, 0.5])
def test_arrows_of_the_run_whose_steps_are_shown_are_as_long_as_they_move_it(size):
    """−ε g and −ε P g, in px, or by a round number of times that is written beside them."""
    _, [momentum, fop] = raced(BOOTH)
    view = heads.window(None, BOOTH.surface.view, 720.0 * size)
    px = view.side / (view.box[1] - view.box[0])
    for each, names in ((fop, ["−ε g", "−ε P g"]), (momentum, ["−ε g", "step"])):
        for step in (0, 1, 5, 20):
            x, y = each.motion.points[step].astype(float)
            g = np.array(BOOTH.surface.gradient(x, y))
            after = each.motion.points[step + 1] - each.motion.points[step]  # FOP is around SGD: it takes just −ε P g
            there = heads.head(each, step, view, is_followed=True, rate=lambda at: 0.01, arrows=True, size=size)
            alike = each is momentum and step == 0  # where the step is −ε g
            assert [text.text.split(" ×")[0].split(" ÷")[0] for text in there.texts] == names[: 1 if alike else 2]
            tips = [piece for piece in there.pieces if piece.width == 0 and len(piece.points) == 3]
            assert len({text.text.partition(" ×")[2] for text in there.texts}) == 1  # to one scale
            longest = max(math.hypot(*tip.points[0]) for tip in tips)
            assert 18 * size - 1e-6 <= longest <= 90 * size + 1e-6
            for tip, text, vector in zip(tips, there.texts, (-0.01 * g, after), strict=False):
                drawn = tip.points[0] * [1, -1]
                times = 1.0
                if "×" in text.text or "÷" in text.text:
                    count = float(text.text.split(" ")[-1].replace(",", ""))
                    times = count if "×" in text.text else 1 / count
                np.testing.assert_allclose(drawn, times * px * vector, rtol=2e-4, atol=1e-3)
                assert text.ink == tip.ink == (text.text.startswith("−ε g"))


@pytest.mark.parametrize("side", [300.0, 500.0])
@pytest.mark.parametrize("name", ["turning", "valley", "paper-booth", "paper-himmelblau"])
def test_labels_keep_off_the_ellipses_and_each_other(name, side):
    settings = SCENES[name].race
    ground, played = raced(settings)
    ends = heads.ends(ground.box, played, settings.start, settings.surface.minima)
    view = heads.window(None, ground.box, side)
    fop = heads.followed(played)
    last = int(fop.motion.steps[-1])
    center = view.pixels([fop.motion.points[-1]])
    shapes = np.concatenate([center + piece.points for piece in heads.head(fop, last, view, is_followed=True).pieces])
    boxes = []
    for end in ends:
        [at], wide = view.pixels([end.at]), labels.LETTER * len(end.text)
        left = at[0] + end.anchor.dx - (0 if end.anchor.anchor == "left" else wide)
        top = at[1] + end.anchor.dy - LETTERS / 2
        boxes.append((left, left + wide, top, top + LETTERS))
    for left, right, top, bottom in boxes:
        x, y = shapes.T
        assert not ((left < x) & (x < right) & (top < y) & (y < bottom)).any()
    for at, (left, right, top, bottom) in enumerate(boxes):
        assert not any(
            a < right - 1e-6 and left < b - 1e-6 and c < bottom - 1e-6 and top < d - 1e-6 for a, b, c, d in boxes[:at]
        )


@pytest.mark.parametrize("side", [300.0, 500.0, 720.0])
@pytest.mark.parametrize("size", [1.0, 0.5])
def test_arrows_are_brought_between_what_can_be_seen_as_on_the_page(side, size):
    """A picture of another size than the page's has them as long, for its size, and multiplied by the same numbers."""
    _, [_, fop] = raced(BOOTH)

    def drawn(of, **more):
        view = heads.window(None, BOOTH.surface.view, of)
        at = heads.head(fop, 20, view, is_followed=True, rate=lambda step: 0.01, **more)
        tips = [piece.points[0] / of for piece in at.pieces if piece.width == 0 and len(piece.points) == 3]
        return [text.text for text in at.texts], tips

    page, picture = drawn(side), drawn(720.0 * size, size=size, page_side=side)
    assert picture[0] == page[0]
    np.testing.assert_allclose(picture[1], page[1])


def test_what_is_written_at_arrows_that_point_one_way_is_not_on_one_another():
    def text(words, x, y, align="left", size=12.0):
        return heads.Text(words, np.array([x, y]), align, True, size)

    words = [text("−ε g × 100", 0.0, 0.0), text("−ε P g × 100", 10.0, 5.0), text("step", 12.0, -3.0)]
    heights = [each.at[1] for each in heads.apart(words)]
    assert heights[0] == 0 and heights[1] == pytest.approx(14.4)
    assert all(abs(a - b) > 14 for at, a in enumerate(heights) for b in heights[:at])
    far = [text("−ε g", 0.0, 0.0, "right"), text("−ε P g", 1.0, 0.0)]
    assert [each.at.tolist() for each in heads.apart(far)] == [[0.0, 0.0], [1.0, 0.0]]
    view = heads.window(None, BOOTH.surface.view, 720.0)
    one, other = heads.head(raced(BOOTH)[1][1], 0, view, is_followed=True, rate=lambda step: 0.01).texts  # P is I
    assert one.at[0] == other.at[0] and abs(one.at[1] - other.at[1]) > 14


@pytest.mark.parametrize(
    ("length", "text"),
    [
        *((40.0, ""), (18.0, ""), (90.0, ""), (91.0, " ÷ 2"), (200.0, " ÷ 5"), (16_000.0, " ÷ 200")),
        *((17.0, " × 2"), (2.0, " × 10"), (1e-3, " × 20,000"), (4e-9, " × 5e9"), (0.0, ""), (math.nan, "")),
    ],
)
def test_what_could_not_be_seen_is_drawn_longer_or_shorter_by_a_round_number(length, text):
    assert heads.factor_text(heads.factor(length)) == text


def test_a_rate_of_a_schedule_is_that_of_the_step(turning):
    fop = turning[-1]
    view = heads.window(None, surfaces.SURFACES["quadratic"].view, 720.0)
    steps = []
    heads.head(fop, 7.6, view, is_followed=True, rate=lambda step: steps.append(step) or 0.1)
    assert steps == [7]


def test_between_two_steps_P_is_between_and_where_points_were_left_out_it_is_not(turning):
    fop = turning[-1]
    view = heads.window(None, surfaces.SURFACES["quadratic"].view, 720.0)

    def outline(step, played=fop):
        return heads.head(played, step, view, is_followed=True).pieces[1].points

    assert not np.allclose(outline(2), outline(3))
    assert not np.allclose(outline(2.5), outline(2)) and not np.allclose(outline(2.5), outline(3))
    thinned = fop._replace(motion=replace(fop.motion, downsampled=True))
    np.testing.assert_array_equal(outline(2.5, thinned), outline(2))


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
