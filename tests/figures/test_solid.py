"""A relief is drawn as the player draws it: points where it has them, hidden where it hides them."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from PIL import Image

from fop_core.figures import animation, print_style, still, style
from fop_core.figures.relief import BoxAxis, Relief, relief
from fop_core.figures.solid import Orbit, SolidWindow
from fop_core.figures.solid_ground import FAINT, draw_solid
from tests.figures.raced import raced
from toy_functions.scenes import SCENES

SIZE = 31
BOX = (-1.0, 1.0, 1.0, 5.0)
NO_AXIS = BoxAxis("", ())
SETTINGS = SCENES["paper-himmelblau"].race


def window(heights, orbit=None, width=600.0, height=400.0) -> SolidWindow:
    grid = np.asarray(heights, dtype=np.float32)
    made = Relief(grid, NO_AXIS, NO_AXIS, NO_AXIS, -0.45, 0.1, "")
    return SolidWindow(made, BOX, orbit or Orbit(), width, height)


def waves() -> np.ndarray:
    numbers = np.arange(SIZE)
    return 0.5 * np.sin(0.5 * numbers) * np.cos(0.35 * numbers)[:, None]


def ridge() -> np.ndarray:
    """A wall along x in the middle."""
    rows = np.linspace(1, 5, SIZE)[:, None]
    return np.broadcast_to(np.where(np.abs(rows - 3) < 0.2, 0.5, -0.5), (SIZE, SIZE))


@pytest.mark.parametrize("case", json.loads((Path(__file__).parent / "solid.json").read_text()))
def test_points_and_what_hides_them_are_where_the_player_has_them(case):
    view = window(waves(), Orbit(**case["orbit"]), case["width"], case["height"])
    *points, hidden = (np.array(column) for column in zip(*case["points"]))
    x, y, px, py = points
    plane = np.stack([x, y], axis=1)
    np.testing.assert_allclose(view.pixels(plane), np.stack([px, py], axis=1), rtol=0, atol=1e-9)
    assert (view.hidden(view.cells(plane)) == hidden).all()
    twice = view.sized(2 * case["width"])
    np.testing.assert_allclose(twice.pixels(plane), 2 * view.pixels(plane))
    assert (twice.hidden(view.cells(plane)) == hidden).all()


def test_a_path_follows_the_surface_in_pieces_and_keeps_its_own_points():
    view, path = window(ridge()), np.array([[0.0, 1.5], [0.0, 4.5], [0.5, 4.5]])
    cells, at = view.along(path)
    assert len(cells) > 40 and np.hypot(*np.diff(cells, axis=0).T).max() <= 0.5 + 1e-9
    np.testing.assert_allclose(cells[np.isin(at, [0, 1, 2])], view.cells(path))
    assert view.heights(cells).max() == 0.5, "over the wall"
    assert len(view.along(path[:1])[0]) == 1 and len(view.along(path[:0])[0]) == 0


def test_the_picture_around_a_point_is_its_derivative():
    view, point = window(waves(), width=500.0), np.array([0.21, 2.7])
    for way in np.array([[1e-4, 0.0], [0.0, 1e-4], [1e-4, 2e-4]]):
        [there], [here] = view.pixels([point + way]), view.pixels([point])
        np.testing.assert_allclose(view.at(point).vectors(way[None])[0], there - here, atol=1e-3)
    assert view.at(point).shrunk(2.0).side == view.side / 2 == 200.0


def lines_of(axes, color: str) -> list:
    return [line for line in axes.lines if to_hex(line.get_color()) == color.lower() and line.get_marker() == "None"]


@pytest.fixture(scope="module")
def himmelblau():
    ground, results = raced(SETTINGS)
    return ground, results, relief(ground, SETTINGS.surface.value)


def view_of(himmelblau, **orbit) -> SolidWindow:
    return SolidWindow(himmelblau[2], himmelblau[0].box, Orbit(**orbit), 600.0, 400.0)


def picture(himmelblau, step=289, **orbit):
    ground, results, _ = himmelblau
    view = view_of(himmelblau, **orbit)
    return still.still(ground, results, SETTINGS.start, SETTINGS.surface.minima, step, solid=view, arrows=True)


def test_a_path_is_thin_and_dotted_where_the_surface_hides_it_and_nowhere_twice(himmelblau):
    path = next(each for each in himmelblau[1] if each.run.rule == "fop").motion.points
    for yaw in (-0.6, 1.0, 2.5):
        view = view_of(himmelblau, yaw=yaw, pitch=0.3).sized(still.SIDE)
        hidden = view.hidden(view.along(path)[0])
        behind, line = lines_of(picture(himmelblau, yaw=yaw, pitch=0.3).axes[0], style.METHODS["fop"].color)[:2]
        assert behind.get_alpha() < 1 and behind.get_linewidth() < line.get_linewidth()
        segments = [np.isfinite(np.stack(each.get_data())).all(axis=0) for each in (behind, line)]
        drawn = [int((known[:-1] & known[1:]).sum()) for known in segments]
        assert drawn == [int(hidden[1:].sum()), int((~hidden[1:]).sum())]
        end = np.stack((behind if hidden[-1] else line).get_data())[:, -1]
        np.testing.assert_allclose(end, view.pixels(path[-1:])[0], rtol=1e-6)


def test_the_picture_is_as_wide_and_as_high_as_the_players(himmelblau):
    axes = picture(himmelblau).axes[0]
    assert axes.get_xlim() == (0.0, still.SIDE) and axes.get_ylim() == (still.SIDE * 400 / 600, 0.0)
    box = axes.get_window_extent()
    assert box.width / box.height == pytest.approx(600 / 400)
    assert axes.get_title(loc="right") == "step 289 of 5,398"
    assert {"f, log scale", "x", "y"} <= {text.get_text() for text in axes.texts}


@pytest.mark.parametrize("kind", print_style.KINDS)
def test_files_are_made_and_are_the_same_each_time(himmelblau, kind):
    files = [print_style.save(picture(himmelblau, 12), kind, changes=print_style.SCREEN) for _ in range(2)]
    assert files[0] == files[1] and 20_000 < len(files[0]) < 3_000_000


def drawn_solid(view: SolidWindow, minima=(), theme=style.LIGHT):
    axes = print_style.blank(4.0, 3.0).add_axes((0, 0, 1, 1))
    draw_solid(axes, view, minima, theme)
    return axes


def test_nearer_cells_are_drawn_over_farther_ones_from_every_side():
    for yaw in np.linspace(-3, 3, 12):
        flat = window(np.zeros((SIZE, SIZE)), Orbit(yaw=float(yaw), pitch=0.8))  # what is farther is higher up there
        [cells] = [each for each in drawn_solid(flat).collections if isinstance(each, PolyCollection)]
        rows = np.array([path.vertices[:4, 1].mean() for path in cells.get_paths()]).reshape(SIZE - 1, SIZE - 1)
        assert (np.diff(rows, axis=0) > 0).all() and (np.diff(rows, axis=1) > 0).all()


def test_a_minimum_behind_the_surface_is_faint_and_one_outside_is_left_out():
    def alphas(view, minima):
        return {line.get_alpha() for line in drawn_solid(view, minima).lines}

    wall = window(ridge(), Orbit(yaw=0.0, pitch=0.4))
    assert alphas(wall, [(0.0, 1.5)]) == {1.0}
    assert alphas(wall, [(0.0, 3.6)]) == {FAINT}
    assert alphas(wall, [(9.0, 3.0)]) == set()


def test_level_lines_that_are_hidden_or_too_dense_are_left_out():
    def levels(view) -> int:
        [lines] = [each for each in drawn_solid(view).collections if isinstance(each, LineCollection)][2:3]
        return len(lines.get_segments())

    open_view = window(waves(), Orbit(pitch=1.5))
    assert levels(open_view) > levels(window(waves(), Orbit(pitch=0.25))) > 0
    dense = replace(open_view, relief=replace(open_view.relief, step=0.002))
    colors = drawn_solid(dense).collections[3].get_colors()
    assert (colors[:, 3] < style.rgba(style.LIGHT.level)[3] + 1e-9).all() and len(colors) < 20_000


@pytest.mark.parametrize("heights", [np.full((SIZE, SIZE), np.nan), np.zeros((SIZE, SIZE))], ids=["nowhere", "flat"])
def test_a_surface_that_is_nowhere_or_flat_can_be_drawn(heights):
    assert drawn_solid(window(heights), [(0.0, 3.0)]).get_xlim() == (0.0, 600.0)


def test_what_is_seen_from_below_is_greyer():
    tilted = np.broadcast_to(np.linspace(-0.5, 0.5, SIZE)[:, None], (SIZE, SIZE))
    from_above, from_below = (
        drawn_solid(window(heights, Orbit(yaw=0.0, pitch=0.25))) for heights in (tilted, tilted[::-1])
    )
    colors = [
        next(each for each in axes.collections if isinstance(each, PolyCollection)).get_facecolors()[:, :3]
        for axes in (from_above, from_below)
    ]
    grey = np.array(to_rgb(style.LIGHT.muted))
    assert np.abs(colors[1] - grey).mean() < np.abs(colors[0] - grey).mean()


def test_a_movie_shows_where_runs_are_in_three_dimensions(himmelblau):
    ground, results, _ = himmelblau
    runs, view = [each.run for each in results if each.run.rule == "fop"], view_of(himmelblau, yaw=2.5, pitch=1.5)
    made = animation.Movie(ground, runs, SETTINGS.start, SETTINGS.surface.minima, width=480, frames=6, solid=view)
    *_, last = made.frames()
    assert last.width == 480 and last.height % 2 == 0 and 320 < last.height < 380
    spot = view.sized(480).pixels(runs[0].path[-1:])[0] + [0, last.height - 320]
    assert "#{:02X}{:02X}{:02X}".format(*last.getpixel(tuple(np.rint(spot).astype(int)))) == style.METHODS["fop"].color
    content = animation.gif(ground, runs, SETTINGS.start, (), width=320, frames=4, solid=view)
    assert Image.open(io.BytesIO(content)).n_frames == 4


def test_in_a_movie_what_the_surface_hides_is_dotted(himmelblau):
    ground, results, _ = himmelblau
    runs = [each.run for each in results if each.run.rule == "fop"]
    for yaw, pitch in ((2.5, 0.25), (-0.6, 1.5)):
        view = view_of(himmelblau, yaw=yaw, pitch=pitch)
        made = animation.Movie(ground, runs, SETTINGS.start, (), width=480, frames=6, solid=view)
        list(made.frames())
        hidden = view.hidden(view.along(runs[0].path)[0])[1:].any()
        assert (made._trails[0].behind.mask.getbbox() is not None) == hidden
    assert not hidden, "from above"
