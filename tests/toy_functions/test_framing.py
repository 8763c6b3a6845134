"""A view is found around the minima of a function, and its lowest value with it."""

import math

import numpy as np
import pytest

from toy_functions import expressions, surfaces
from toy_functions.framing import frame


def inside(box, points):
    return all(box[0] < x < box[1] and box[2] < y < box[3] for x, y in points)


@pytest.mark.parametrize("name", ["booth", "himmelblau", "beale", "three-hump-camel", "styblinski-tang", "quadratic"])
def test_all_known_minima_are_in_sight_and_the_lowest_value_is_found(name):
    surface = surfaces.SURFACES[name]
    view, floor = frame(surface, surface.start)
    assert inside(view, [*surface.minima, surface.start])
    assert floor == pytest.approx(surface.floor, abs=1e-9)
    width, height = view[1] - view[0], view[3] - view[2]
    assert width == pytest.approx(height)
    span = np.ptp(np.array([*surface.minima, *surface.local_minima, surface.start]), axis=0).max()
    assert width < 4 * max(span, 1)


@pytest.mark.parametrize("scale", [0.01, 30.0])
def test_a_view_has_the_functions_own_size(scale):
    surface = expressions.parse(f"((x/{scale})^2 - 1)^2 + (y/{scale})^2", view=(-1, 1, -1, 1))
    view, floor = frame(surface, (0.5 * scale, scale))
    assert inside(view, [(scale, 0), (-scale, 0)]) or scale < 0.1, "minima far closer than a step are one"
    assert floor == pytest.approx(0, abs=1e-9)
    assert all(math.isfinite(side) for side in view)


@pytest.mark.parametrize("f", ["x + y", "log(x)", "1/x", "x*y", "-x^2", "exp(-x)", "x*0", "sqrt(x)"])
def test_a_function_without_a_minimum_has_a_view_around_the_start(f):
    view, floor = frame(expressions.parse(f, view=(-1, 1, -1, 1)), (3.0, -4.0))
    assert inside(view, [(3.0, -4.0)])
    assert all(math.isfinite(side) for side in view) and view[0] < view[1]
    assert floor == -math.inf or f == "x*0"


def test_what_progress_raises_ends_the_search():
    def leave(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        frame(surfaces.SURFACES["booth"], (0.0, 0.0), leave)
