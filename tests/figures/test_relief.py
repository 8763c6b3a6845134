"""A surface in three dimensions is as high as its axis says."""

import math

import numpy as np
import pytest

from fop_core.figures import landscape
from fop_core.figures.relief import Relief, relief
from toy_functions import surfaces


def of(surface, log=True) -> Relief:
    return relief(landscape.survey(surface.value, surface.floor, surface.view), surface.value, log)


def values(surface, shape) -> np.ndarray:
    left, right, bottom, top = surface.view
    return surface.value(*np.meshgrid(np.linspace(left, right, shape[1]), np.linspace(bottom, top, shape[0])))


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def along(axis) -> tuple[np.ndarray, list[str]]:
    return np.array([at for at, _ in axis.ticks]), [text for _, text in axis.ticks]


def test_it_has_every_second_point_between_the_lowest_level_and_the_top():
    surface = surfaces.BOOTH
    ground, solid = landscape.survey(surface.value, surface.floor, surface.view), of(surface)
    assert solid.heights.shape == (61, 61) and solid.heights.dtype == np.float32
    assert solid.heights.max() == 0.5 and solid.heights.min() >= -0.5
    heights = ground.heights[::2, ::2]
    low, high = ground.bottom - ground.step, heights.max()
    row, column = np.unravel_index(np.argsort(heights, axis=None)[heights.size // 2], heights.shape)
    assert solid.heights[row, column] == pytest.approx((heights[row, column] - low) / (high - low) - 0.5, abs=1e-6)
    assert solid.description == ground.description


@pytest.mark.parametrize("log", [True, False], ids=["log f", "f"])
@pytest.mark.parametrize(
    "surface", [surfaces.BOOTH, surfaces.HIMMELBLAU, surfaces.STYBLINSKI_TANG], ids=lambda s: s.name
)
def test_a_tick_stands_where_the_surface_has_its_value(surface, log):
    solid = of(surface, log)
    base = surface.floor if log else 0.0
    name = {(True, True): "f, log scale", (True, False): "f − f*, log scale"}.get((log, base == 0), "f")
    assert solid.height.name == name
    f = values(surface, solid.heights.shape) - base
    scale = np.log10(np.maximum(f, 1e-300)) if log else f
    known = solid.heights > -0.5
    slope, offset = np.polyfit(scale[known], solid.heights[known], 1)
    at, texts = along(solid.height)
    ticks = np.array([number(text) for text in texts])
    np.testing.assert_allclose(at, slope * (np.log10(ticks) if log else ticks) + offset, atol=1e-5)
    assert len(ticks) >= 3


def test_level_lines_are_a_round_step_of_f_apart_where_heights_are_f():
    solid = of(surfaces.HIMMELBLAU, log=False)
    f = values(surfaces.HIMMELBLAU, solid.heights.shape)
    span = f.max() - f.min()
    step = solid.step * span
    assert solid.description == f"f changes by {step:g} from line to line"
    lines = (solid.bottom + 0.5) * span + f.min()
    assert lines / step == pytest.approx(round(lines / step), abs=1e-6) and 0 <= lines - f.min() < step
    assert solid.heights.min() == -0.5 and solid.heights.max() == 0.5


def test_an_f_without_a_lowest_value_has_no_logarithm_and_stays_as_it_is():
    log, linear = of(surfaces.MONKEY_SADDLE), of(surfaces.MONKEY_SADDLE, log=False)
    np.testing.assert_array_equal(log.heights, linear.heights)
    assert log.height == linear.height and log.height.name == "f"
    assert "0" in along(log.height)[1]


@pytest.mark.parametrize("log", [True, False], ids=["log f", "f"])
@pytest.mark.parametrize("surface", surfaces.SURFACES.values(), ids=lambda s: s.name)
def test_every_axis_of_every_surface_has_a_few_ticks_that_differ(surface, log):
    solid = of(surface, log)
    for axis, (low, high) in [(solid.x, surface.view[:2]), (solid.y, surface.view[2:]), (solid.height, (0, 0))]:
        at, texts = along(axis)
        assert 2 <= len(texts) <= 9 and len(set(texts)) == len(texts)
        assert (np.abs(at) <= 0.5).all() and (np.diff(at) > 0).all()
        if low != high:
            np.testing.assert_allclose([number(text) for text in texts], low + (at + 0.5) * (high - low), atol=1e-9)


@pytest.mark.parametrize(
    ("box", "texts"),
    [
        ((-6.0, 6.0, 0.0, 0.3), ("−6 −4 −2 0 2 4 6", "0 0.05 0.10 0.15 0.20 0.25 0.30")),
        ((0.0, 1e7, 0.0, 1e-9), ("0 2e6 4e6 6e6 8e6 1e7", "0 2e-10 4e-10 6e-10 8e-10 1e-9")),
    ],
)
def test_texts_have_the_digits_that_tell_one_tick_from_the_next(box, texts):
    def value(x, y):
        return x * x + y * y

    solid = relief(landscape.survey(value, 0.0, box), value)
    assert [" ".join(along(axis)[1]) for axis in (solid.x, solid.y)] == list(texts)
    far = (999999.998, 1e6, 0.0, 1.0)
    beside = along(relief(landscape.survey(value, 0.0, far), value).x)[1]
    assert len(set(beside)) == len(beside) > 2


def test_what_is_no_number_is_a_gap_and_has_no_ticks():
    nowhere = relief(landscape.survey(lambda x, y: x * np.nan, 0.0, (-1.0, 1.0, -1.0, 1.0)), lambda x, y: x * np.nan)
    assert np.isnan(nowhere.heights).all() and nowhere.height.ticks == ()
    for log in (True, False):
        half = relief(
            landscape.survey(lambda x, y: np.log(x), -math.inf, (-1.0, 1.0, 0.0, 1.0)), lambda x, y: np.log(x)
        )
        assert np.isnan(half.heights[:, :30]).all() and np.isfinite(half.heights[:, 31:]).all(), log


@pytest.mark.parametrize("log", [True, False], ids=["log f", "f"])
@pytest.mark.parametrize("constant", [0.0, 3.0])
def test_a_plane_has_its_value_for_a_tick(constant, log):
    def value(x, y):
        return 0 * x + constant

    flat = relief(landscape.survey(value, 0.0, (-1.0, 1.0, -1.0, 1.0)), value, log)
    assert np.ptp(flat.heights) == 0 and np.isfinite([flat.bottom, flat.step]).all()
    if not log or not constant:
        assert along(flat.height)[1] == [f"{constant:g}"]


def test_a_height_that_is_too_large_for_differences_is_a_gap():
    def value(x, y):
        return np.where(x > 0, 1e308, -1e308) * y * y

    solid = relief(
        landscape.Landscape(*[np.linspace(-1, 1, 121)] * 2, np.zeros((121, 121)), 0, 1, "", log=True), value, False
    )
    assert np.isfinite([solid.bottom, solid.step]).all()
