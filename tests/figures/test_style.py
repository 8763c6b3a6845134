"""Colours that everybody can tell apart, on light and on dark; numbers as they are written everywhere."""

import json
import tomllib
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fop_core.figures import style
from fop_core.figures.style import DARK, GLYPHS, LIGHT, METHODS, number, plain, point
from fop_core.optim.rules import RULES

# Machado, Oliveira and Fernandes 2009, severity 1, for linear RGB.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
# Ottosson 2020: linear RGB to cone responses, their cube roots to OKLab.
TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

COLORS = sorted({method.color for method in METHODS.values()})
FAMILIES = [
    ("sgd", "polyak"),
    ("momentum", "nesterov"),
    ("rmsprop", "own-rule"),
    ("adam", "adamw", "lion", "prodigy"),
    ("newton", "bfgs", "psgd-newton"),
    ("s-hd", "pp-hd", "osgm-h", "osgm-best"),
    ("fop", "fop-osgm", "fop-exponential", "fop-one-step"),
]
"""By their first rule's colour, which a rule of the family has unless it has a shade of its own."""
MAIN = [METHODS[family[0]].color for family in FAMILIES]


def linear(color: str) -> np.ndarray:
    share = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def contrast(color: str, background: str) -> float:
    """WCAG's ratio."""
    bright = [float(linear(each) @ [0.2126, 0.7152, 0.0722]) + 0.05 for each in (color, background)]
    return max(bright) / min(bright)


def distance(one: str, other: str, vision: str) -> float:
    """Delta E in OKLab, times 100: 2 is just noticeable side by side."""
    one_lab, other_lab = (
        TO_LAB @ np.cbrt(TO_CONES @ np.clip(VISIONS[vision] @ linear(color), 0, 1)) for color in (one, other)
    )
    return 100 * float(np.linalg.norm(one_lab - other_lab))


def test_the_ruler_is_right():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert distance("#FFFFFF", "#000000", "normal") == pytest.approx(100, abs=0.01)
    assert distance("#FF0000", "#00FF00", "normal") == pytest.approx(52, abs=1)
    assert distance("#D9541E", "#A87900", "deuteranopia") < 2, "orange and ochre are one colour to some"


@pytest.mark.parametrize("background", [LIGHT.paper, DARK.paper])
@pytest.mark.parametrize("color", COLORS)
def test_every_colour_has_contrast_on_light_and_on_dark(color, background):
    assert contrast(color, background) >= 3.5


def nearest(colors: list[str], vision: str) -> list[tuple[float, tuple[str, str]]]:
    """The pairs of colours that are nearest to each other."""
    return sorted((round(distance(*pair, vision), 1), pair) for pair in combinations(colors, 2))[:3]


@pytest.mark.parametrize(("vision", "least"), [(v, 10 if v == "normal" else 6.5) for v in VISIONS])
def test_the_colours_of_families_stay_apart_for_every_kind_of_vision(vision, least):
    near = nearest(MAIN, vision)
    assert len(set(MAIN)) == 7 and near[0][0] >= least, near


@pytest.mark.parametrize(("vision", "least"), [(v, 7 if v == "normal" else 4.2) for v in VISIONS])
def test_any_two_colours_differ_by_more_than_twice_what_is_just_noticeable(vision, least):
    near = nearest(COLORS, vision)
    assert near[0][0] >= least, near


def test_rules_that_are_raced_against_their_own_family_have_a_colour_of_their_own():
    assert sorted(rule for family in FAMILIES for rule in family) == sorted(METHODS)
    shades = [METHODS[rule].color for rule in FAMILIES[-1]]
    shades += [METHODS[rule].color for rule in ("momentum", "nesterov", "s-hd", "pp-hd")]
    assert len(set(shades)) == len(shades)
    assert {*shades, *MAIN} == set(COLORS), "no other rule has one"


def ink(dash: str, at: np.ndarray) -> np.ndarray:
    """Whether a line has ink, so many px along it."""
    if dash == "solid":
        return np.ones(len(at), bool)
    ends = np.cumsum([float(part.removesuffix("px")) for part in dash.split(",")])
    return np.searchsorted(ends, at % ends[-1], side="right") % 2 == 0


def difference(one: str, other: str) -> float:
    """The share of a line on which two dashes differ, laid on each other as alike as they can be."""
    at = np.arange(0, 240, 0.5)
    return min(float((ink(one, at) != ink(other, at + shift)).mean()) for shift in np.arange(0, 40, 0.5))


def test_the_measure_of_dashes_is_right():
    assert difference("4px,4px", "4px,4px") == difference("solid", "solid") == 0
    assert difference("solid", "6px,2px") == pytest.approx(0.25)
    assert difference("2px,2px", "1px,3px") == pytest.approx(0.25)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family[0])
def test_dashes_tell_the_rules_of_a_family_apart_without_colour(family):
    near = {pair: difference(*(METHODS[rule].dash for rule in pair)) for pair in combinations(family, 2)}
    assert min(near.values()) >= 0.19, near


def test_every_rule_has_a_look_of_its_own_even_without_colour():
    assert METHODS.keys() == {*RULES, "own-rule"}
    assert len({(method.dash, method.width) for method in METHODS.values()}) == len(METHODS)
    assert len({method.symbol for method in METHODS.values()}) == len(METHODS)
    assert len({method.name for method in METHODS.values()}) == len(METHODS)
    assert {method.symbol for method in METHODS.values()} == GLYPHS.keys()


def test_fop_is_drawn_last_and_widest():
    *others, (last, fop) = METHODS.items()
    assert last == "fop" and fop.color == "#D9541E"
    assert all(method.width < fop.width for _, method in others)


@pytest.mark.parametrize(("name", "theme"), style.THEMES.items())
def test_text_and_the_ground_of_a_picture_leave_contrast(name, theme):
    assert contrast(theme.ink, theme.paper) >= 7
    assert contrast(theme.muted, theme.paper) >= 4.5
    assert contrast(theme.high, theme.paper) <= 1.6, "the surface stays quiet"


def test_the_pages_around_the_pictures_have_the_same_colours():
    config = tomllib.loads((Path(__file__).parents[2] / ".streamlit/config.toml").read_text())["theme"]
    for name, theme in style.THEMES.items():
        assert config[name]["backgroundColor"] == theme.paper
        assert config[name]["textColor"] == theme.ink
        assert config[name]["primaryColor"] == METHODS["fop"].color


@pytest.mark.parametrize(("value", "text"), json.loads((Path(__file__).parent / "numbers.json").read_text()))
def test_numbers_are_written_as_in_the_browser_with_three_significant_digits(value, text):
    assert number(float(value)) == text


def test_settings_are_written_without_idle_zeros():
    assert [plain(value) for value in (0.005, 3.0, 1e-6, 100, 2.5)] == ["0.005", "3", "1e-6", "100", "2.5"]


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ((3.58443, -1.84813), "(3.58, −1.85)"),
        ((1.00004, 2.9999), "(1.00, 3.00)"),
        ((0.00122, 0.000705), "(0.00122, 0.000705)"),
        ((0, 0), "(0.00, 0.00)"),
        ((0.0, -4.0), "(0.00, −4.00)"),
        ((-1e-9, 5), "(0.00, 5.00)"),
        ((1e21, 2), "(1e21, 2.00)"),
        ((float("inf"), 2), "(∞, 2.00)"),
    ],
)
def test_points_are_short_and_true(at, text):
    assert point(*at) == text
