"""The page as a reader meets it, without a browser."""

import dataclasses
import json
import math
import re
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy
from streamlit.testing.v1 import AppTest

from fop_core.figures.learned import axes
from fop_core.optim.rules import FOP, RULES, SGD, Momentum
from pages.shared import form
from pages.shared.race.rules import EXAMPLE, FAMILIES, OWN_RULE
from pages.shared.race.settings import spec, values
from pages.trajectories import exports, fair_race
from pages.trajectories.formulas import updates
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.figures.test_web import unpacked
from tests.pages.app import app_at
from toy_functions import presets, race
from toy_functions.basins import CONVERGED, DIVERGED, STEP_LIMIT
from toy_functions.scenes import SCENES
from toy_functions.tuning import Sweep, sweep, tuned

FIRST = next(iter(SCENES))
V = {"v": "2"}
FIGURE_1 = {"preset": "paper-booth"}


def page(**address: str) -> AppTest:
    at = app_at()
    for name, value in address.items():
        at.query_params[name.replace("__", ".")] = value
    return ran(at.run())


def ran(at: AppTest) -> AppTest:
    assert not at.exception, at.exception
    return at


def component(at: AppTest, key: str) -> dict:
    [element] = [each for each in at.get("bidi_component") if f"-{key}" in each.proto.id or each.key == key]
    return unpacked(element.proto.bytes) if element.proto.bytes else json.loads(element.proto.json)


def rows(at: AppTest) -> dict[str, dict]:
    return {row["name"]: row for row in component(at, "readout")["rows"]}


def figure(at: AppTest, key: str) -> dict:
    return json.loads(component(at, key)["figure"])


def ground(at: AppTest) -> dict:
    return figure(at, "race")


def number(at: AppTest, name: str):
    return at.number_input(key=f"trajectories.{name}")


def address(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[0] for name, value in at.query_params.items()}


def choose(at: AppTest, *rules: str) -> None:
    """Switch these rules on, each in its family, and all others off."""
    for family, names in FAMILIES.items():
        pills = at.button_group(key=f"trajectories.rules {family}")
        pills.set_value([name for name in rules if name in names])
    ran(at.run())


def words(at: AppTest) -> str:
    return "\n".join(each.value for each in [*at.markdown, *at.caption, *at.warning, *at.error, *at.info])


@pytest.mark.parametrize("name", SCENES)
def test_every_preset_runs_and_says_what_there_is_to_see(name):
    at = page(preset=name)
    assert SCENES[name].sentence in words(at)
    assert not at.warning and not at.error
    assert len(rows(at)) == len(SCENES[name].race.rules)
    shown = component(at, "race")
    assert json.loads(shown["figure"])["data"] and len(shown["runs"]) == len(rows(at))
    assert figure(at, "losses")["data"] and figure(at, "eigenvalues")["data"] and figure(at, "angles")["data"]
    learners = sum(1 for rule in SCENES[name].race.rules.values() if isinstance(rule, FOP))
    assert sum(run["learns"] for run in shown["runs"]) == learners
    assert [run["name"] for run in component(at, "update")["runs"]] == [run["name"] for run in shown["runs"]]


def test_the_player_gets_every_point_of_the_race():
    data = component(page(preset="paper-booth"), "race")
    points, losses = (np.frombuffer(data[name], np.float32) for name in ("points", "losses"))
    at = 0
    for run in data["runs"]:
        [result] = [t for name, t in race(presets.PAPER_BOOTH).items() if name == run["name"]]
        assert run["count"] == result.steps + 1 and not run["downsampled"]
        path = points[2 * at : 2 * (at + run["count"])].reshape(2, -1).T
        np.testing.assert_array_equal(path, result.points)
        np.testing.assert_array_equal(losses[at : at + run["count"]], result.losses)
        at += run["count"]
    assert [run["name"] for run in data["runs"]] == ["SGD", "Adam", "FOP"] and at * 2 == len(points)
    assert "angles" not in data and "grid" not in data and data["log"]


def test_the_player_gets_what_each_step_is_made_of():
    data = component(page(preset="paper-booth", rules="sgd,fop", schedule="cosine", **{"fop.momentum": "0.5"}), "race")
    rule = dataclasses.replace(presets.PAPER_BOOTH.rules["FOP"], momentum=0.5)
    scheduled = dataclasses.replace(presets.PAPER_BOOTH, rules={"FOP": rule, "SGD": SGD(0.005)}, schedule="cosine")
    sgd, fop = (race(scheduled)[name] for name in ("SGD", "FOP"))
    assert [(run["rate"], run["scheduled"], run["momentum"], run["learns"]) for run in data["runs"]] == [
        (0.005, True, False, False),
        (0.005, True, True, True),
    ]
    n, m = sgd.steps + 1, fop.steps + 1
    gradients, moves, rates = (np.frombuffer(data[name], np.float32) for name in ("gradients", "moves", "rates"))
    g = np.stack(presets.PAPER_BOOTH.surface.gradient(*fop.points.T.astype(float)))
    np.testing.assert_array_equal(gradients[2 * n :].reshape(2, m), g.astype(np.float32))
    sgd_moves = np.diff(sgd.points.astype(float), axis=0)
    np.testing.assert_array_equal(moves[: 2 * n].reshape(2, n)[:, :-1], sgd_moves.astype(np.float32).T)
    P, H = np.frombuffer(data["matrices"]).reshape(2, 3, m)
    np.testing.assert_array_equal(P.T, fop.preconditioners.astype(float)[:, [0, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(H[:, 7], [10, 8, 10])
    assert rates[0] == np.float32(0.005) and 0 < rates[n - 1] < 0.005 and len(rates) == n + m


@pytest.mark.parametrize(
    ("rules", "settings", "formulas"),
    [
        (
            "sgd,momentum,nesterov",
            {"momentum.dampening": "0.1"},
            ["ε g", "v ← 0.9 v + 0.9 g, θ ← θ − ε v", "(g + 0.9 v)"],
        ),
        ("s-hd,fop", {"fop.momentum": "0.5"}, ["θ ← θ − ε P g", "v ← 0.5 v + P g, θ ← θ − ε v"]),
        ("newton,fop-osgm,own-rule", {}, ["θ ← θ + Δθ", "θ ← θ − ε H⁻¹ g", "θ ← θ − ε P g, where f falls"]),
    ],
)
def test_each_rule_has_its_update_in_symbols(rules, settings, formulas):
    at = page(preset="paper-booth", rules=rules, steps="20", **settings)
    for run, formula in zip(component(at, "update")["runs"], formulas, strict=True):
        assert run["formula"].endswith(formula), run


def test_every_rule_of_the_library_has_an_update_of_its_own():
    rules = SCENES["paper-booth"].rules()
    race_of_all = spec(values(SCENES["paper-booth"]) | {"rules": list(rules)})
    formulas = {name: update.formula for name, update in updates(race_of_all).items()}
    assert set(formulas) == set(RULES) and "θ ← θ + Δθ" not in formulas.values()


def test_only_the_page_as_it_opens_is_a_scene_that_plays_by_itself():
    assert component(page(), "race")["opening"]
    for query in ({"preset": "valley"}, {"x": "2"} | V, {"view": "3d"}, FIGURE_1):
        assert not component(page(**query), "race")["opening"], query


def test_arrows_and_the_third_dimension_are_sent_when_asked_for():
    data = component(page(arrows="1", view="3d", axis="linear"), "race")
    counts = {run["name"]: run["count"] for run in data["runs"]}
    turns = np.frombuffer(data["angles"], np.float32)
    assert len(turns) == sum(counts.values()) + counts["FOP"], "g of all, and P g of FOP"
    grid = np.frombuffer(data["grid"], np.float32)
    assert len(grid) == data["scene"]["size"] ** 2 and grid.min() == -0.5 and grid.max() == 0.5
    assert [axis["name"] for axis in data["scene"]["axes"]] == ["x", "y", "f, log scale"]
    assert data["scene"]["minima"] == [[1, 3]]
    assert not data["log"]


def test_a_height_is_the_logarithm_of_f_or_f_as_the_reader_chooses():
    at = page(view="3d")
    log = component(at, "race")
    assert "f grows tenfold every" in words(at)
    ran(at.button_group(key="trajectories.height").set_value("linear").run())
    linear = component(at, "race")
    assert [data["scene"]["axes"][2]["name"] for data in (log, linear)] == ["f, log scale", "f"]
    assert log["scene"]["key"] != linear["scene"]["key"] and log["grid"] != linear["grid"]
    assert "f changes by" in words(at) and "tenfold" not in words(at)
    assert address(at) == FIGURE_1 | {"view": "3d", "height": "linear"} | V
    ran(at.button_group(key="trajectories.view").set_value("2d").run())
    assert "trajectories.height" not in [group.key for group in at.button_group]
    assert "tenfold" in words(at)


def test_a_change_of_view_shows_at_once():
    at = page(preset="paper-booth")
    ran(at.button_group(key="trajectories.axis").set_value("linear").run())
    assert figure(at, "losses")["layout"]["xaxis"]["type"] == "linear" and not component(at, "race")["log"]
    ran(at.button_group(key="trajectories.view").set_value("3d").run())
    assert "grid" in component(at, "race")
    choose(at, "fop", "sgd")
    assert list(rows(at)) == ["SGD", "FOP"] and address(at)["rules"] == "sgd,fop"
    choose(at)
    assert "Choose at least one optimizer" in words(at) and address(at)["rules"] == ""


SLOW = {
    "surface": "own",
    "f": "sin(" * 44 + "x*y" + ")" * 44,
    "steps": "100000",
    "tolerance": "0",
    "noise": "1",
    "rules": "sgd,momentum,nesterov,rmsprop,adam,adamw,s-hd,pp-hd,fop-one-step,fop",
}
"""Minutes of computing."""


@pytest.mark.usefixtures("watchdog")
@pytest.mark.parametrize("rates", ["own", "best"])
def test_a_race_ends_when_its_reader_leaves(rates):
    at = app_at(timeout=4)
    for name, value in (SLOW | {"rates": rates}).items():
        at.query_params[name] = value
    with pytest.raises(RuntimeError, match="timed out"):  # AppTest has left, and has waited until the page had ended
        at.run()


@pytest.mark.parametrize("at_page", ["trajectories", "basins"])
@pytest.mark.parametrize(
    ("bounds", "wrong"),
    [
        ("left=-1e6&right=1e6&bottom=0&top=1e-320", "y from 0.0 to 1e-320:"),
        ("left=0&right=5e-324&bottom=0&top=5e-324", "x from 0.0 to 5e-324:"),
        ("left=0&right=1e-10&bottom=0&top=1", "x from 0.0 to 1e-10:"),
        ("left=999999.9999999&right=1e6&bottom=0&top=1", "x from 999999.9999999 to 1000000.0:"),
        ("left=1&right=0&bottom=0&top=1", "x from 1.0 to 0.0:"),
        ("left=-1e6&right=1e6&bottom=0&top=1e-9", ""),
        ("left=0&right=1e-9&bottom=0&top=1e-9", ""),
        ("left=999999.998&right=1e6&bottom=0&top=1e-9", ""),
    ],
)
def test_a_view_too_small_to_draw_is_refused_beside_its_fields(at_page, bounds, wrong):
    at = app_at(at_page)
    more = {"size": "64", "steps": "50"} if at_page == "basins" else {"steps": "50"}
    for name, value in ({"surface": "own", "f": "x"} | dict(parse_qsl(bounds)) | more).items():
        at.query_params[name] = value
    ran(at.run())
    errors = [each.value.replace("\\", "") for each in at.sidebar.error]
    if wrong:
        assert any(f"{wrong} give two" in each and "larger by at least " in each for each in errors), errors
        assert "view" in words(at) and "has a mistake" in words(at)
    else:
        assert not errors and "has a mistake" not in words(at)


def test_a_start_where_f_is_not_defined_is_reported_with_what_to_do():
    table = rows(page(surface="own", f="1/x + log(y)", x="0", y="-4"))
    assert {row["reason"] for row in table.values()} == {
        "No race: f is not defined at the start (0, -4); choose another start."
    }


def test_one_rate_can_serve_all():
    at = page(rates="same", rate="0.02", rules="sgd,fop")
    at_002 = {name: dataclasses.replace(rule, lr=0.02) for name, rule in presets.PAPER_BOOTH.rules.items()}
    expected = race(dataclasses.replace(presets.PAPER_BOOTH, rules=at_002))
    assert {name: row["steps"] for name, row in rows(at).items()} == {
        name: f"{expected[name].steps:,}" for name in ("SGD", "FOP")
    }


def test_a_newcomer_sees_p_turn_onto_the_inverse_hessian():
    at = page()
    assert at.selectbox(key="trajectories.preset").value == FIRST and SCENES[FIRST].sentence in words(at)
    assert list(rows(at)) == ["SGD", "Momentum", "Newton", "FOP OSGM"]
    assert {row["status"] for row in rows(at).values()} == {"converged"}
    assert address(at) == {} and "published" not in words(at)
    data = component(at, "race")
    [learner] = [run for run in data["runs"] if run["learns"]]
    last = np.frombuffer(data["matrices"]).reshape(2, 3, learner["count"])[:, :, -1]
    (P, *eigenvalues), of_H = axes(last[:, [0, 1, 1, 2]].reshape(2, 2, 2)).tolist()
    H, small, large = sorted_axes(of_H)
    assert learner["name"] == "FOP OSGM" and eigenvalues[0] > 30 * eigenvalues[1] > 0
    assert abs(math.remainder(P - H, math.pi)) < math.radians(5) and large == pytest.approx(100 * small)


def sorted_axes(axes: list[float]) -> tuple[float, float, float]:
    """The angle of the lesser eigenvalue of H, and both."""
    angle, first, second = axes
    return (angle, first, second) if first < second else (angle + math.pi / 2, second, first)


def test_figure_1_is_fop_racing_sgd_and_adam_on_booth():
    at = page(**FIGURE_1)
    table = rows(at)
    assert {name: row["steps"] for name, row in table.items()} == {"SGD": "832", "Adam": "6,221", "FOP": "543"}
    assert all(row["matches"] and row["published"] == row["steps"] for row in table.values())
    assert table["FOP"]["reason"] == "Converged: f < 1e-6 at step 543."
    assert table["FOP"]["end"] == "Ends at (1.00, 3.00), at the minimum (1, 3)."
    assert "All step counts are the published ones." in words(at)
    assert "a reconstruction" in words(at)
    assert address(at) == FIGURE_1


def test_counts_are_compared_with_the_published_ones_only_in_the_published_race():
    at = page(rules="sgd,momentum,fop", **{"fop.lr": "0.006"})
    assert {name: row["published"] for name, row in rows(at).items()} == {"SGD": "832", "Momentum": None, "FOP": None}
    for changed in ({"x": "1"}, {"tolerance": "0.001"}, {"dtype": "float64"}, {"rates": "same"}, {"noise": "0.1"}):
        at = page(**changed)
        assert all(row["published"] is None for row in rows(at).values()), changed
        assert "published" not in words(at), changed


def test_himmelblaus_counts_are_the_published_ones_and_at_different_minima():
    table = rows(page(preset="paper-himmelblau"))
    assert [row["published"] for row in table.values()] == ["386", "5,398", "289"]
    assert all(row["matches"] for row in table.values())
    assert "at the minimum (3, 2)" in table["Adam"]["end"]
    assert "at the minimum (3.58, −1.85)" in table["FOP"]["end"]


def test_a_changed_setting_is_marked_in_the_address_and_can_be_taken_back():
    at = page(**FIGURE_1)
    assert at.button(key="trajectories reset").disabled
    ran(number(at, "fop.hyper_lr").set_value(0.04).run())
    assert address(at) == FIGURE_1 | {"fop.hyper_lr": "0.04"} | V
    assert "Changed from the preset: FOP hypergradient rate ρ." in words(at)
    rule = dataclasses.replace(presets.PAPER_BOOTH.rules["FOP"], hyper_lr=0.04)
    steps = race(dataclasses.replace(presets.PAPER_BOOTH, rules={"FOP": rule}))["FOP"].steps
    assert rows(at)["FOP"]["steps"] == str(steps) != "543" and rows(at)["FOP"]["published"] is None
    assert rows(at)["SGD"]["matches"] and rows(at)["Adam"]["matches"]
    assert "As published: the step counts of SGD, Adam." in words(at)
    assert f"{SCENES['paper-booth'].sentence} **Changed:** FOP hypergradient rate ρ." in words(at)
    ran(at.button(key="trajectories reset").click().run())
    assert address(at) == FIGURE_1 and number(at, "fop.hyper_lr").value == 0.05
    assert "As the preset has it." in words(at)


def test_a_race_on_another_surface_than_the_presets_is_no_change_of_the_preset():
    at = page(surface="himmelblau", x="-2.5", y="-2.5", rules="sgd,fop")
    text = words(at).replace("\\", "")
    assert "A race on Himmelblau from (−2.50, −2.50)." in text and SCENES["paper-booth"].sentence not in text
    assert "Not a preset: surface, start x, start y, optimizers differ from the preset “Figure 1: Booth”." in words(at)
    reset = at.button(key="trajectories reset")
    assert reset.label == "Back to “Figure 1: Booth”"
    ran(reset.click().run())
    assert address(at) == FIGURE_1 | V and at.button(key="trajectories reset").label == "Reset to the preset"
    other = page(preset="valley", condition="10")
    assert SCENES["valley"].sentence not in words(other), "a valley of another condition number is another surface"
    assert SCENES["own"].sentence not in words(page(preset="own", f="x + y"))


def test_a_preset_fills_in_everything():
    at = page(fop__hyper_lr="0.04", rules="fop", steps="100")
    ran(at.selectbox(key="trajectories.preset").set_value("paper-himmelblau").run())
    assert address(at) == {"preset": "paper-himmelblau"} | V
    assert number(at, "x").value == 0 and number(at, "y").value == -1
    pills = [at.button_group(key=f"trajectories.rules {family}").value for family in FAMILIES]
    assert pills == [["sgd"], ["adam"], [], [], ["fop"], []]
    assert number(at, "fop.lr").value == 0.001 and number(at, "steps").value == 20_000
    assert len(rows(at)) == 3


def test_an_address_restores_the_whole_state():
    query = {
        "preset": "valley",
        "surface": "himmelblau",
        "x": "0.25",
        "y": "-1.5",
        "rules": "rmsprop,fop",
        "rmsprop.alpha": "0.9",
        "fop.preconditioner": "direct",
        "fop.trace": "one_step",
        "fop.momentum": "0.5",
        "fop.nesterov": "1",
        "tolerance": "0.001",
        "steps": "50",
        "dtype": "float32",
        "noise": "0.5",
        "seed": "7",
        "rates": "same",
        "rate": "0.002",
        "axis": "linear",
        "view": "3d",
        "height": "linear",
        "arrows": "1",
        "loss": "linear",
    }
    at = page(**{name.replace(".", "__"): value for name, value in query.items()})
    assert not at.warning
    assert address(at) == query
    assert number(at, "fop.momentum").value == 0.5 and at.checkbox(key="trajectories.fop.nesterov").value
    assert number(at, "seed").value == 7 and at.selectbox(key="trajectories.dtype").value == "float32"
    assert list(rows(at)) == ["RMSProp", "FOP"] and rows(at)["RMSProp"]["steps"] == "50"
    assert (
        figure(at, "losses")["layout"]["xaxis"]["type"] == figure(at, "losses")["layout"]["yaxis"]["type"] == "linear"
    )
    assert {"scene", "grid", "angles"} <= component(at, "race").keys()


def test_each_at_its_best_rate_is_the_race_at_those_rates():
    at = page(rates="best", rules="sgd,fop", steps="2000")
    sweeps = sweep(dataclasses.replace(presets.PAPER_BOOTH, max_steps=2000))
    best = race(tuned(presets.PAPER_BOOTH, sweeps))
    assert {name: row["steps"] for name, row in rows(at).items()} == {n: str(best[n].steps) for n in ("SGD", "FOP")}
    assert all(row["published"] is None for row in rows(at).values())
    assert "| SGD | 0.005 | 832 | 0.0891 | 43 |" in words(at)
    assert re.search(r"\| FOP \| 0.005 \| 543 \| [\d.]+, an island \| 42 \|", words(at))
    assert "FOP: not called the best, an island: neighbours diverge." in words(at) and "SGD: not" not in words(at)
    [best] = [each for each in figure(at, "rates")["data"] if "an island" in each["hovertemplate"]]
    assert best["y"] == [42]
    assert "ρ of FOP stays as it is set" in words(at)
    ran(at.button(key="trajectories untune").click().run())
    assert rows(at)["SGD"]["steps"] == "832"
    assert address(at) == FIGURE_1 | {"rules": "sgd,fop", "steps": "2000"} | V


@pytest.mark.parametrize(
    ("beside", "doubt"),
    [
        ([CONVERGED, CONVERGED], ""),
        ([DIVERGED, DIVERGED], "an island: neighbours diverge"),
        ([DIVERGED, STEP_LIMIT], "an island: neighbours do not converge"),
        ([CONVERGED, DIVERGED], "an edge: one neighbour diverges"),
        ([STEP_LIMIT, CONVERGED], "an edge: one neighbour does not converge"),
    ],
)
def test_a_rate_is_called_the_best_only_where_its_neighbours_converge(beside, doubt):
    status = np.array([beside[0], CONVERGED, beside[1]])
    swept = Sweep(np.array([0.1, 0.2, 0.4]), np.array([9, 5, 7]), status)
    assert swept.best == 0.2 and fair_race.doubt(swept) == doubt
    sentences = fair_race.remarks({"sgd": swept})
    assert sentences == ([f"SGD: not called the best, {doubt}."] if doubt else [])


def test_what_is_tuned_of_a_rule_that_learns_p_is_said():
    swept = Sweep(np.array([0.1]), np.array([9]), np.array([CONVERGED]))
    rules = ("sgd", "s-hd", "osgm-h", "fop-osgm", "fop")
    assert fair_race.remarks(dict.fromkeys(rules, swept)) == [
        "Only ε is tuned: ρ of S-HD and FOP stays as it is set.",
        "Of OSGM-H and FOP OSGM the rate here is ρ.",
    ]
    assert fair_race.remarks({"sgd": swept}) == []


def test_what_an_address_gets_wrong_is_said_and_the_default_taken():
    at = page(preset="nope", adam__lr="fast", steps="1e9", rules="sgd,fip", colour="red", x="3")
    [warning] = at.warning
    for name in ("preset", "adam", "steps", "fip", "colour"):
        assert name in warning.value
    assert number(at, "adam.lr").value == 0.005 and number(at, "steps").value == 20_000
    assert address(at) == FIGURE_1 | {"x": "3"} | V
    ran(number(at, "x").set_value(2.0).run())
    assert not at.warning, "said once"


@pytest.mark.parametrize(
    "query", [{"x": "3"}, {"view": "3d"}, {"rules": "sgd,fop"}, {"fop.lr": "0.006", "arrows": "1"}, {"steps": "400"}]
)
def test_an_address_without_a_version_means_figure_1_as_it_did_and_stays_until_a_change(query):
    at = page(**query)
    assert at.selectbox(key="trajectories.preset").value == "paper-booth" and not at.warning
    assert address(at) == query
    ran(number(at, "tolerance").set_value(0.5).run())
    assert address(at) == FIGURE_1 | query | {"tolerance": "0.5"} | V
    again = page(**address(at))
    assert rows(again) == rows(at) and address(again) == address(at)


def test_an_address_without_a_version_that_names_nothing_known_opens_figure_1_too():
    at = page(colour="red")
    assert at.selectbox(key="trajectories.preset").value == "paper-booth" and "colour" in at.warning[0].value
    assert address(at) == FIGURE_1 | V


def test_an_address_of_the_version_of_today_begins_from_the_preset_of_today():
    at = page(x="3.5", **V)
    assert at.selectbox(key="trajectories.preset").value == FIRST and not at.warning
    assert address(at) == {"x": "3.5"} | V and number(at, "x").value == 3.5
    assert address(page(**V)) == {}
    newer = page(x="3.5", v="3")
    assert "is no version" in newer.warning[0].value and number(newer, "x").value == 3.5


def test_on_other_pages_an_address_has_no_version():
    at = app_at("basins", timeout=120)
    at.query_params["size"], at.query_params["v"] = "64", "2"
    ran(at.run())
    assert "v is no setting of this page" in at.warning[0].value and address(at) == {"size": "64"}


def test_an_address_cannot_put_pictures_or_formulas_into_the_page():
    at = page(preset="![x](http://example.org/x.png) $x$")
    assert "![" not in at.warning[0].value and "$x$" not in at.warning[0].value.replace("\\$", "")


def test_going_back_in_the_browser_brings_the_former_settings_back(monkeypatch):
    at = page()
    ran(number(at, "x").set_value(1.0).run())
    ran(number(at, "x").set_value(4.0).run())
    monkeypatch.setattr(form, "_by_history", lambda: True)
    at.query_params["x"] = "1"
    ran(at.run())
    assert number(at, "x").value == 1.0 and address(at) == {"x": "1"} | V
    at.query_params.clear()
    ran(at.run())
    assert number(at, "x").value == SCENES[FIRST].race.start[0] and address(at) == {}


def test_an_address_that_was_published_before_undoes_nothing_but_a_link_to_it_from_another_page_is_read():
    at = page(x="3")
    ran(number(at, "x").set_value(4.0).run())
    at.query_params["x"] = "3"  # as a quick second choice brings it along
    ran(number(at, "y").set_value(1.0).run())
    assert (number(at, "x").value, number(at, "y").value) == (4.0, 1.0) and address(at)["x"] == "4"
    at.session_state["page"] = "another"
    at.query_params.clear()
    at.query_params["x"] = "3"
    ran(at.run())
    assert number(at, "x").value == 3.0


def test_a_choice_taken_back_before_the_browser_has_its_address_is_written_too(monkeypatch):
    written, write = [], QueryParamsProxy.from_dict
    monkeypatch.setattr(QueryParamsProxy, "from_dict", lambda all_, to: (written.append(to), write(all_, to)))
    at = page()
    ran(number(at, "x").set_value(1.0).run())
    at.query_params.clear()  # as a quick second choice brings it along
    ran(number(at, "x").set_value(SCENES[FIRST].race.start[0]).run())
    assert written == [{"x": "1"} | V, {}]


def test_settings_are_as_they_were_after_a_visit_to_another_page():
    at = page()
    ran(number(at, "sgd.lr").set_value(0.015).run())
    at.session_state["page"] = "another"
    at.query_params.clear()
    ran(at.run())
    assert number(at, "sgd.lr").value == 0.015 and address(at) == {"sgd.lr": "0.015"} | V


def test_settings_are_as_they_were_where_the_other_page_was_left_before_it_had_begun():
    at = page()
    ran(number(at, "sgd.lr").set_value(0.015).run())
    at.query_params.clear()
    ran(at.run())
    assert number(at, "sgd.lr").value == 0.015 and address(at) == {"sgd.lr": "0.015"} | V


def test_settings_of_an_optimizer_outlive_its_leaving_the_race():
    at = page(**FIGURE_1)
    ran(number(at, "adam.lr").set_value(0.02).run())
    choose(at, "sgd", "fop")
    assert list(rows(at)) == ["SGD", "FOP"]
    choose(at, "adam", "sgd", "fop")
    assert number(at, "adam.lr").value == 0.02
    assert address(at) == FIGURE_1 | {"adam.lr": "0.02"} | V


def test_another_surface_is_raced_from_its_own_start_without_published_counts():
    at = page()
    ran(at.selectbox(key="trajectories.surface").set_value("rosenbrock").run())
    assert (number(at, "x").value, number(at, "y").value) == (-1.2, 1.0)
    assert all(row["published"] is None for row in rows(at).values())
    assert "published" not in words(at)


def test_a_quadratic_has_its_condition_number_and_angle():
    at = page(preset="valley", rules="fop")
    before = rows(at)["FOP"]["steps"]
    ran(number(at, "condition").set_value(10.0).run())
    assert address(at)["condition"] == "10" and rows(at)["FOP"]["steps"] != before


def test_an_own_function_is_raced_on_and_its_formula_shown():
    at = page(preset="own", f="x^2 + 10*y^2", x="2", y="1")
    assert any("10 y^{2}" in each.value for each in at.latex), [each.value for each in at.latex]
    assert {row["end"] for row in rows(at).values()} and not at.error
    assert all(row["end"].endswith(", at the minimum (0, 0).") for row in rows(at).values())
    assert "crosses are minima" in words(at)


def test_an_own_function_that_is_lowest_along_a_line_has_no_crosses():
    at = page(preset="own", f="(x + y)^2", x="2", y="1")
    assert all(row["status"] == "converged" and "minimum" not in row["end"] for row in rows(at).values())
    assert "crosses" not in words(at)


def test_a_run_that_converges_beyond_where_minima_were_looked_for_is_not_said_to_be_at_none():
    at = page(preset="own", f="sin(x)*cos(y) - 2*exp(-x^2)", x="-0.2", y="31", rules="sgd", **{"sgd.lr": "0.1"})
    row = rows(at)["SGD"]
    assert row["status"] == "converged" and "minim" not in row["end"]


def test_a_view_and_the_lowest_value_are_found():
    at = page(preset="own", f="(x - 40)^2 + (y + 30)^2 - 7", x="20", y="0", left="-1", right="1")
    ran(at.button(key="trajectories find").click().run())
    assert "f* = −7" in words(at)
    low, high = ground(at)["layout"]["xaxis"]["range"]
    assert low < 20 and 40 < high < 100
    assert rows(at)["SGD"]["status"] == "converged"


def test_the_lowest_value_of_an_own_function_is_found_unasked():
    at = page(preset="own", f="sin(x)*cos(y)")
    for row in rows(at).values():
        assert row["status"] == "converged" and row["reason"].startswith("Converged: f − f* <")
        assert int(row["steps"].replace(",", "")) > 10
    assert "f* = −1" in words(at) and "floor" not in address(at)
    assert "a run converges when f − f* gets below" in words(at)


def test_a_lowest_value_that_the_reader_knows_is_taken_and_kept_in_the_address():
    at = page(preset="own", f="sin(x)*cos(y)", floor="-2", steps="50")
    assert number(at, "floor").value == -2
    assert {row["status"] for row in rows(at).values()} == {"step limit"}
    ran(number(at, "floor").set_value(None).run())
    assert "f* = −1" in words(at) and "floor" not in address(at)


@pytest.mark.parametrize("settings", [{"preset": "own", "f": "x*y"}, {"surface": "monkey-saddle"}])
def test_a_function_without_a_lowest_value_says_how_its_race_ends(settings):
    at = page(**settings, steps="20")
    assert "ends at the step limit or by divergence" in words(at) and "no run converges" in words(at)
    assert "converged" not in {row["status"] for row in rows(at).values()}


def test_a_wrong_formula_is_explained_at_its_place_and_the_picture_stays():
    at = page(preset="own")
    before = ground(at)["layout"]["xaxis"]
    ran(at.text_input(key="trajectories.f").set_value("x^2 + y2").run())
    assert "unknown name" in at.error[0].value
    [code] = at.code
    text, carets = code.value.splitlines()
    assert text.strip() == "x^2 + y2" and carets == " " * text.index("y2") + "^^"
    assert ground(at)["layout"]["xaxis"] == before
    assert "has a mistake" in words(at)


def test_a_wrong_formula_in_an_address_is_explained_too():
    at = page(preset="own", f="__import__('os')")
    assert at.error and at.code
    assert not at.get("bidi_component") or "readout" not in str([each.key for each in at.get("bidi_component")])


def test_an_impossible_view_is_explained():
    at = page(preset="own", left="5", right="-5")
    assert "the view has x from 5.0 to -5.0" in at.error[0].value.replace("\\", "")


@pytest.mark.parametrize("f", ["x*0", "log(x)", "1/x", "x^2 - 5", "-x^2 - y^2", "sqrt(x)", "exp(x*x*x*x)"])
def test_any_function_can_be_raced_on(f):
    at = page(preset="own", f=f, x="0", y="0", steps="200")
    assert len(rows(at)) == 4


def test_a_schedule_and_a_warm_up_are_those_of_the_race():
    query = {"rules": "sgd", "sgd.lr": "0.05", "schedule": "cosine", "warmup": "20", "steps": "300"}
    at = page(**query)
    assert address(at) == query and at.selectbox(key="trajectories.schedule").value == "cosine"
    plain = dataclasses.replace(presets.PAPER_BOOTH, rules={"SGD": SGD(0.05)}, max_steps=300)
    scheduled = race(dataclasses.replace(plain, schedule="cosine", warmup=20))["SGD"]
    assert scheduled.status == "converged" and rows(at)["SGD"]["steps"] == f"{scheduled.steps}"
    assert scheduled.steps != race(plain)["SGD"].steps
    assert rows(at)["SGD"]["published"] is None


def test_a_warm_up_longer_than_the_race_is_said_and_cut():
    at = page(rules="sgd", warmup="500", steps="100")
    assert ["100 steps are taken" in each.value for each in at.sidebar.warning] == [True]
    assert rows(at)["SGD"]["steps"] == "100"
    ran(number(at, "warmup").set_value(100).run())
    assert not at.sidebar.warning


def test_a_rule_of_the_readers_own_is_raced_and_kept_in_the_address():
    query = {"rules": "sgd,own-rule", "own-rule.text": "x = x - lr*g"}
    at = page(**query)
    assert list(rows(at)) == ["SGD", "Own rule"] and rows(at)["Own rule"]["steps"] == "832"
    assert address(at) == query and not at.error
    ran(at.text_input(key="trajectories.own-rule.text").set_value("m = 0.5m + g; x = x - lr*m").run())
    momentum = race(dataclasses.replace(presets.PAPER_BOOTH, rules={"": Momentum(0.005, momentum=0.5)}))[""]
    assert rows(at)["Own rule"]["steps"] == f"{momentum.steps}" != "832"
    assert address(at)["own-rule.text"] == "m = 0.5m + g; x = x - lr*m"


def test_a_mistake_in_a_rule_of_the_readers_own_is_explained_at_its_place_and_the_others_race_on():
    at = page(rules="sgd,own-rule", **{"own-rule.text": "x = x - lr*q"})
    [error] = at.sidebar.error
    assert "unknown name “q”" in error.value.replace("\\", "")
    text, carets = at.sidebar.code[0].value.splitlines()
    assert carets.index("^") == text.index("q") and "left out" in words(at)
    assert list(rows(at)) == ["SGD"]
    ran(at.text_input(key="trajectories.own-rule.text").set_value("x = x - lr*g").run())
    assert not at.error and "left out" not in words(at) and list(rows(at)) == ["SGD", "Own rule"]
    alone = page(rules="own-rule", **{"own-rule.text": "__import__('os')"})
    assert "left out" in words(alone) and "Choose at least one optimizer" in words(alone)


def test_a_script_has_the_schedule_and_the_readers_rule():
    chosen = values(SCENES["paper-booth"]) | {"rules": [OWN_RULE], "schedule": "linear", "warmup": 7}
    script = exports.script(spec(chosen)).content
    assert f'"Own rule": OwnRule(lr=0.005, text="{EXAMPLE}"),' in script
    assert 'schedule="linear",' in script and "warmup=7," in script


def test_divergence_is_said():
    at = page(sgd__lr="0.3")
    row = rows(at)["SGD"]
    assert row["status"] == "diverged" and row["reason"].startswith("Diverged at step")
    assert not row["matches"]
    assert any("diverged at" in run["label"]["text"] for run in component(at, "race")["runs"])


def test_the_step_limit_is_said():
    row = rows(page(steps="100"))["Adam"]
    assert row["reason"] == "Not converged in 100 steps." and row["steps"] == "100"
    assert row["end"].endswith(", not at the minimum.")


def test_without_optimizers_the_page_asks_for_one():
    at = page(rules="")
    assert "Choose at least one optimizer" in words(at)


def test_without_a_learned_p_the_page_says_which_learn_one():
    at = page(rules="sgd,adam")
    assert "learn a preconditioner P" in words(at)


def test_a_zoom_is_kept_until_the_surface_changes():
    def revision(at):
        return ground(at)["layout"]["uirevision"]

    at = page()
    before = revision(at)
    ran(number(at, "sgd.lr").set_value(0.015).run())
    assert revision(at) == before
    ran(at.selectbox(key="trajectories.surface").set_value("beale").run())
    assert revision(at) != before
