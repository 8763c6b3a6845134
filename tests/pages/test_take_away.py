"""Files of what the screen shows: each is of the step, the part of the plane and the colours that the browser says."""

import io
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from PIL import Image

from fop_core.figures import style
from fop_core.figures.relief import relief
from pages.components import download
from pages.components.download import Screen
from pages.shared.race.remembered import Spec, picture, results, surface
from pages.shared.race.settings import spec, values
from pages.trajectories import exports
from tests.figures.test_web import held
from tests.pages.test_basins import page as basins_page
from toy_functions.scenes import SCENES

SVG = "{http://www.w3.org/2000/svg}"


def shown(race: Spec | None = None, **more: Any) -> exports.Shown:
    race = race or spec(values(SCENES["paper-himmelblau"]))
    outcomes = results(race)
    return exports.Shown(race, outcomes, picture(race, [each.run for each in outcomes]), True, True, **more)


def texts(svg: str | bytes) -> list[str]:
    return ["".join(each.itertext()).strip() for each in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def screen(**sent: Any) -> Screen:
    request = download._request({"id": "1", "key": "k", "of": "", "screen": sent, "part": 0})
    assert request is not None
    return request[3]


def test_what_the_browser_says_is_understood():
    said = screen(step=12.7, theme="dark", box=[0, 2, -1.5, 1], playing=True)
    assert said == Screen(step=12.7, theme="dark", box=(0.0, 2.0, -1.5, 1.0), playing=True)
    assert screen(side=498).side == 498.0 and all(screen(side=side).side is None for side in (None, 0, "1", -3))
    assert screen(step=None, layer="0.weight", see="P") == Screen(layer="0.weight", see="P")


@pytest.mark.parametrize("box", [None, [], [0, 1, 2], [0, 1, 2, "3"], [1, 0, 0, 1], [0, float("nan"), 0, 1], {"x": 1}])
def test_a_box_that_is_none_is_the_whole(box):
    assert screen(box=box, theme="blue", playing="yes") == Screen()


ORBIT = {"yaw": 0.5, "pitch": 0.7, "zoom": 1.0, "right": 0.0, "up": 0.0, "width": 600.0, "height": 400.0}


@pytest.mark.parametrize(
    "orbit",
    [
        None,
        [],
        "yaw",
        ORBIT | {"yaw": "1"},
        ORBIT | {"zoom": None},
        ORBIT | {"up": float("nan")},
        ORBIT | {"width": 0},
        ORBIT | {"height": 1e9},
        {name: value for name, value in ORBIT.items() if name != "pitch"},
    ],
)
def test_a_view_in_three_dimensions_that_is_none_is_the_first(orbit):
    assert screen(orbit=orbit) == Screen() and screen(orbit=ORBIT).orbit == ORBIT


def in_three_dimensions() -> exports.Shown:
    race = spec(values(SCENES["paper-himmelblau"]) | {"rules": ["fop"]})
    flat = shown(race)
    return shown(race, solid=relief(flat.surface_image, surface(race.surface).value))


def test_in_three_dimensions_pictures_are_as_the_player_was_turned():
    said, solid = Screen(step=12.0, orbit=ORBIT), in_three_dimensions()
    name, content = exports.picture(solid, "svg", said)
    assert name == "race-Himmelblau-from-0-and--1-step-12.svg"
    assert {"step 12 of 289", "f, log scale", "x", "y", "FOP"} <= set(texts(content))
    turned = exports.picture(solid, "svg", Screen(step=12.0, orbit=ORBIT | {"yaw": 2.0})).content
    assert turned != content
    assert exports.picture(solid, "svg", Screen(step=12.0)).content  # before the browser has drawn it
    wild = ORBIT | {"pitch": 1e300, "zoom": -5.0, "right": 1e300}
    assert exports.picture(solid, "svg", Screen(step=12.0, orbit=wild)).content


def test_in_three_dimensions_an_animation_is_as_the_player_was_turned():
    name, content = exports.animated(in_three_dimensions(), "gif", Screen(step=12.0, orbit=ORBIT))
    assert name == "race-Himmelblau-from-0-and--1-steps-0-to-12.gif"
    with Image.open(io.BytesIO(content)) as image:
        assert image.width == 640 and 640 * 2 / 3 < image.height < 640 * 2 / 3 + 50, "the key, and the picture"


@pytest.mark.parametrize("kind", exports.PICTURES)
def test_a_picture_is_of_the_step_that_was_seen_and_says_so(kind):
    name, content = exports.picture(shown(), kind, Screen(step=12.7, box=(0.0, 2.0, 0.0, 1.0)))
    assert name == f"race-Himmelblau-from-0-and--1-step-12.{kind}"
    title = "A race on Himmelblau from (0.0, -1.0), step 12"
    if kind == "png":
        with Image.open(io.BytesIO(content)) as image:
            assert image.text["Title"] == title and "FOP 289" in image.text["Description"]
    elif kind == "svg":
        assert f"<dc:title>{title}</dc:title>" in content.decode()
        assert {"step 12 of 5,398", "0.0", "2.0"} <= set(texts(content))
        assert [text.replace("÷", "×").split(" ×")[0] for text in texts(content) if "ε" in text] == ["−ε g", "−ε P g"]
    else:
        assert b"/Title (A race on Himmelblau from \\(0.0, -1.0\\), step 12)" in content


def test_arrows_of_a_picture_are_multiplied_as_on_the_screen():
    at_sizes = {}
    for side in (498.0, 720.0, None):
        written = texts(exports.picture(shown(), "svg", Screen(step=118.0, side=side)).content)
        at_sizes[side] = [text for text in written if "ε" in text]
    assert at_sizes[498.0] == ["−ε g × 100", "−ε P g × 100"]
    assert at_sizes[720.0] == at_sizes[None] == ["−ε g × 100", "−ε P g × 100"]


def test_what_is_of_all_steps_says_so():
    assert exports.csv(shown().spec).name == "race-Himmelblau-from-0-and--1-every-step.csv"
    assert exports.figure(shown(), "pdf").name == "race-Himmelblau-from-0-and--1-steps-0-to-5398.pdf"


def test_a_picture_without_a_step_is_of_the_end():
    name, content = exports.picture(shown(), "svg", Screen())
    assert name == "race-Himmelblau-from-0-and--1-step-5398.svg"
    assert {"SGD 386", "Adam 5,398", "FOP 289"} <= set(texts(content))


@pytest.mark.parametrize(
    ("said", "steps"),
    [
        (Screen(), 289),
        (Screen(step=12.0), 12),
        (Screen(step=0.0), 289),
        (Screen(step=12.0, playing=True), 289),
        (Screen(step=1e9), 289),
    ],
)
def test_an_animation_ends_where_the_player_rests_and_else_with_the_race(said, steps):
    race = spec(values(SCENES["paper-himmelblau"]) | {"rules": ["fop"]})
    name, content = exports.animated(shown(race), "gif", said)
    assert name == f"race-Himmelblau-from-0-and--1-steps-0-to-{steps}.gif"
    with Image.open(io.BytesIO(content)) as image:
        assert image.n_frames > 20
        assert image.info["comment"].decode() == f"A race on Himmelblau from (0.0, -1.0), steps 0 to {steps}"


def test_the_player_takes_its_step_along():
    name, page = exports.player(shown(), Screen(step=12.0))
    assert name == "race-Himmelblau-from-0-and--1-steps-0-to-5398.html"
    assert isinstance(page, str) and "<title>A race on Himmelblau from (0.0, -1.0)</title>" in page
    assert len(page.encode()) < 1_500_000


def test_what_is_hidden_is_in_no_picture_and_is_hidden_at_first_in_the_player():
    said = Screen(step=12.0, hidden=("adam",))
    written = set(texts(exports.picture(shown(), "svg", said).content))
    assert {"step 12 of 386", "SGD", "FOP"} <= written and "Adam" not in written
    data = held(exports.player(shown(), said).content)
    assert [run["name"] for run in data["runs"]] == ["SGD", "Adam", "FOP"] and data["hidden"] == ["Adam"]


def test_the_run_whose_steps_are_shown_has_its_P_in_a_picture_and_in_the_player():
    race = spec(values(SCENES["valley"]) | {"rules": ["sgd", "s-hd", "fop"]})
    chosen, fop, by_itself = (
        exports.picture(shown(race), "svg", Screen(step=12.0, run=name)).content for name in ("S-HD", "FOP", "")
    )
    assert chosen != fop == by_itself
    assert held(exports.player(shown(race), Screen(run="S-HD")).content)["followed"] == "S-HD"


def test_a_race_without_a_lowest_value_is_described_without_a_tolerance():
    assert "Converged" not in exports.description(shown(spec(values(SCENES["own"]) | {"f": "x*y", "floor": None})))
    assert "Converged is f < 1e-6." in exports.description(shown())


@pytest.fixture(scope="module")
def offered() -> dict[str, download.Make]:
    """What the buttons of Basins make, by their keys."""
    at = basins_page(size="64", rules="sgd,fop")
    return {key: make for key, (_, make) in at.session_state["download buttons"].items()}


@pytest.mark.parametrize("kind", exports.PICTURES)
@pytest.mark.parametrize("theme", style.THEMES)
def test_maps_are_named_by_what_they_are_of(offered, kind, theme):
    name, content = offered[f"export Maps ({kind.upper()})"](Screen(theme=theme))
    assert name == f"basins-Himmelblau-64-x-64-starts-steps-0-to-500.{kind}"
    if kind == "png":
        with Image.open(io.BytesIO(content)) as image:
            assert image.text["Title"] == "Where races end: Himmelblau, 64 x 64 starts, steps 0 to 500"
            assert image.text["Description"].startswith("SGD: 100 % converge, median")
            paper = "#{:02X}{:02X}{:02X}".format(*image.convert("RGB").getpixel((1, image.height - 2)))
            assert paper == style.THEMES[theme].paper
    elif kind == "svg":
        assert {"SGD", "FOP", "A", "D", "−5", "5"} <= set(texts(content))
    else:
        assert b"/Title (Where races end: Himmelblau, 64 x 64 starts, steps 0 to 500)" in content


def test_the_map_of_rates_can_be_taken_away_too(offered):
    name, content = offered["export Map of rates (SVG)"](Screen())
    assert name == "rates-Himmelblau-from-0-and--1-96-x-96-rates-steps-0-to-500.svg"
    assert {"learning rate ε", "hypergradient rate ρ", "FOP from (0.00, −1.00)"} <= set(texts(content))
