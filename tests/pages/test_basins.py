"""The Basins page as a reader meets it, without a browser, and the races that it opens."""

from itertools import combinations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fop_core.figures.style import DARK, LIGHT, METHODS, MINIMA
from pages.basins import maps
from pages.basins.settings import FIELDS, MAPS, grid, race_address, rates, values
from pages.shared.form import CURRENT
from pages.shared.race import settings as race_settings
from pages.shared.race.remembered import surface
from tests.figures.test_style import VISIONS, contrast, distance
from tests.pages.app import app_at
from tests.pages.test_trajectories import address, component, ran, words
from toy_functions import racing
from toy_functions.basins import STATUS, Summary, summary
from toy_functions.scenes import SCENES

SMALL = {"size": "64"}


def page(**query: str) -> AppTest:
    at = app_at("basins", timeout=120)
    for name, value in (SMALL | query).items():
        at.query_params[name.replace("__", ".")] = value
    return ran(at.run())


def settings(preset: str = "himmelblau", **changes) -> dict:
    return values(MAPS[preset]) | SMALL | changes


def summaries(preset: str) -> dict[str, Summary]:
    spec = grid(settings(preset))
    ends = maps.ends(spec)
    return {name: summary(batch, ends.surface) for (name, _), batch in zip(spec.rules, ends.batches)}


def raced(link: dict[str, str]) -> dict[str, racing.Trajectory]:
    """What Trajectories makes of an address."""
    assert link["v"] == CURRENT
    read = {name: race_settings.FIELDS[name].read(text) for name, text in link.items() if name != "v"}
    first = race_settings.values(next(iter(SCENES.values())))
    made = race_settings.spec(first | read)
    return dict(zip((name for name, _ in made.rules), racing.race(made.race()).values()))


@pytest.mark.parametrize("name", MAPS)
def test_every_preset_says_what_there_is_to_see_and_shows_it(name):
    at = page(preset=name)
    assert MAPS[name].sentence in words(at)
    assert not at.warning and not at.error
    titles = [METHODS[rule].name for rule in MAPS[name].chosen()]
    assert component(at, "maps")["titles"] == titles == list(at.table[0].value["Optimizer"])
    assert component(at, "rates")["titles"][0].startswith("FOP from")


@pytest.mark.parametrize("name", MAPS)
def test_every_value_of_a_preset_is_allowed_and_comes_back_from_an_address(name):
    chosen = values(MAPS[name])
    assert chosen.keys() == FIELDS.keys()
    for key, value in chosen.items():
        assert FIELDS[key].read(FIELDS[key].write(value)) == value


def test_the_maps_and_the_table_say_what_the_batches_hold():
    at = page()
    spec = grid(settings())
    ends = maps.ends(spec)
    data = component(at, "maps")
    kinds = np.frombuffer(data["kinds"], np.uint8).reshape(6, 64, 64)
    steps = np.frombuffer(data["steps"], np.uint16).reshape(6, 64, 64)
    for kind, count, batch in zip(kinds, steps, ends.batches):
        np.testing.assert_array_equal((kind & 15).astype(int) - 1, batch.minimum)
        np.testing.assert_array_equal(kind >> 4, batch.status)
        np.testing.assert_array_equal(count, batch.steps)
    names = ["A (3.00, 2.00)", "B (−2.81, 3.13)", "C (−3.78, −3.28)", "D (3.58, −1.85)"]
    assert [minimum["name"] for minimum in data["minima"]] == names
    table = at.table[0].value.set_index("Optimizer")
    assert list(table.columns) == [*names, "Not converged", "Diverged", "Median steps"]
    for rule, row in summaries("himmelblau").items():
        shown = table.loc[METHODS[rule].name]
        shares = [float(text.removesuffix("\N{NO-BREAK SPACE}%")) for text in shown[:-1]]
        assert shares == pytest.approx([100 * share for share in (*row.minima, row.step_limit, row.diverged)], abs=0.1)
        assert float(shown["Median steps"]) == row.median_steps


def test_only_none_is_no_percent_and_only_all_are_a_hundred():
    shares = [0, 0.0001, 0.2634, 0.5, 0.99999, 1]
    assert [maps.convergent(share) for share in shares] == ["0 %", "0.1 %", "26.3 %", "50 %", "99.9 %", "100 %"]


OWN_TEXT = "m = 0.5m + g; x = x - lr*m"
SCHEDULED = {"rules": ["sgd", "own-rule"], "own-rule.text": OWN_TEXT, "schedule": "linear", "warmup": 30}


@pytest.mark.parametrize(
    ("preset", "changes"),
    [("himmelblau", {}), ("styblinski-tang", {}), ("valley", {}), ("own", {}), ("himmelblau", SCHEDULED)],
)
def test_a_cell_opens_the_race_that_it_shows(preset, changes):
    chosen = settings(preset, **changes)
    spec = grid(chosen)
    for column, row in [(0, 0), (13, 50), (40, 21), (63, 63)]:
        x, y = maps.start(spec, column, row)
        results = raced(race_address(chosen, x=x, y=y))
        assert list(results) == [name for name, _ in spec.rules]
        for (name, _), batch in zip(spec.rules, maps.ends(spec).batches):
            assert results[name].steps == batch.steps[row, column], name
            assert results[name].status == STATUS[batch.status[row, column]]


@pytest.mark.parametrize("changes", [{}, {"schedule": "linear", "warmup": 40}], ids=["plain", "scheduled"])
def test_a_pair_of_rates_opens_the_race_that_it_shows(changes):
    chosen = settings(**changes)
    [batch] = maps.compute(rates(chosen))
    lr, hyper_lr = maps.axes()
    statuses = set()
    for column, row in [(5, 5), (40, 20), (45, 30), (70, 40), (90, 90)]:
        link = race_address(chosen, rules=["fop"], **{"fop.lr": lr[column], "fop.hyper_lr": hyper_lr[row]})
        result = raced(link)["fop"]
        assert result.steps == batch.steps[row, column] and result.status == STATUS[batch.status[row, column]]
        statuses.add(result.status)
    assert statuses == set(STATUS), "all three are tried"


def test_an_address_to_a_race_holds_only_what_differs():
    assert race_address(settings(rules=["sgd"]), x=0.5, y=-4.0) == {
        "surface": "himmelblau",
        "x": "0.5",
        "y": "-4",
        "rules": "sgd",
        "steps": "500",
        "v": "2",
    }


def test_trajectories_has_nothing_to_add_to_the_address_of_a_race():
    link = race_address(settings(schedule="cosine"), x=0.5, y=-4.0)
    at = app_at()
    for name, value in link.items():
        at.query_params[name] = value
    ran(at.run())
    assert not at.warning and address(at) == link
    assert at.selectbox(key="trajectories.preset").value == next(iter(SCENES))


def test_the_sentences_are_true():
    far = summaries("too-far")
    assert far["sgd"].minima[2] < 0.01 and far["sgd"].step_limit > 0.2
    for name in ("s-hd", "pp-hd", "fop"):
        assert far[name].minima[2] > 0.15 and far[name].diverged > far["sgd"].diverged
    middle = {name: row.minima[0] for name, row in summaries("camel").items()}
    assert sorted(middle, key=middle.__getitem__)[-2:] == ["fop", "momentum"]
    assert all(0.2 < row.minima[0] < 0.31 for row in summaries("styblinski-tang").values())
    medians = {name: row.median_steps for name, row in summaries("valley").items()}
    assert medians["momentum"] < medians["fop"] < min(medians["s-hd"], medians["pp-hd"], medians["sgd"])
    momentum, sgd = summaries("himmelblau")["momentum"], summaries("himmelblau")["sgd"]
    assert momentum.diverged > 0.05 and sgd.diverged == 0


def test_an_address_restores_the_whole_state():
    query = {
        "preset": "camel",
        "surface": "beale",
        "x": "0.25",
        "rules": "momentum,fop",
        "size": "64",
        "tolerance": "0.001",
        "steps": "50",
        "momentum.lr": "0.001",
        "fop.preconditioner": "direct",
    }
    at = page(**{name.replace(".", "__"): value for name, value in query.items()})
    assert not at.warning
    assert address(at) == query
    assert component(at, "maps")["titles"] == ["Momentum", "FOP"] and component(at, "maps")["limit"] == 50
    assert "Maps of Beale.\n" in words(at) and "changed from" not in words(at), "no other surface is named"
    assert "differ from the preset “Three-hump camel”" in words(at)
    assert "camel, changed from “Three-hump camel”." in words(page(preset="camel", steps="50"))


def test_a_rule_of_the_readers_own_has_a_map_unless_its_text_has_a_mistake():
    at = page(rules="sgd,own-rule", **{"own-rule.text": OWN_TEXT, "schedule": "cosine", "warmup": "9"})
    assert component(at, "maps")["titles"] == ["SGD", "Own rule"] and not at.error
    assert address(at) == SMALL | {
        "rules": "sgd,own-rule",
        "own-rule.text": OWN_TEXT,
        "schedule": "cosine",
        "warmup": "9",
    }
    ran(at.text_input(key="basins.own-rule.text").set_value("x = x - lr*q").run())
    assert "unknown name" in at.sidebar.error[0].value and "left out" in words(at)
    assert component(at, "maps")["titles"] == ["SGD"]


def test_the_number_of_starts_is_no_change_of_the_preset():
    assert "As the preset has it." in words(page())


def test_what_an_address_gets_wrong_is_said_and_the_default_taken():
    at = page(preset="nope", sgd__lr="fast", size="100", steps="100000", noise="1")
    [warning] = at.warning
    for name in ("preset", "sgd", "size", "steps", "noise is no setting"):
        assert name in warning.value.replace("\\", "")
    assert at.number_input(key="basins.sgd.lr").value == 0.01


def test_a_setting_changes_the_maps_and_the_address():
    at = page()
    before = component(at, "maps")["steps"]
    ran(at.number_input(key="basins.fop.hyper_lr").set_value(0.001).run())
    after = component(at, "maps")["steps"]
    assert after[:-8192] == before[:-8192] and after[-8192:] != before[-8192:], "FOP's map alone"
    assert address(at) == SMALL | {"fop.hyper_lr": "0.001"}


def test_without_optimizers_the_page_asks_for_one_and_still_shows_where_fop_is_stable():
    at = page(rules="")
    assert "Choose at least one optimizer" in words(at) and not at.table
    assert component(at, "rates")["maps"]


def test_another_surface_has_its_own_start_and_minima():
    at = page(rules="sgd")
    ran(at.selectbox(key="basins.surface").set_value("booth").run())
    assert (at.number_input(key="basins.x").value, at.number_input(key="basins.y").value) == (0.0, -4.0)
    assert [minimum["name"] for minimum in component(at, "maps")["minima"]] == ["A (1.00, 3.00)"]


def test_minima_of_an_own_function_are_found_and_are_the_same_in_both_sections():
    at = page(preset="own")
    names = [minimum["name"] for minimum in component(at, "maps")["minima"]]
    assert names == ["A (−1.00, 0.00)", "B (1.00, 0.00)"]
    assert [minimum["name"] for minimum in component(at, "rates")["minima"]] == names
    row = at.table[0].value.set_index("Optimizer").loc["SGD"]
    assert list(row[names]) == 2 * ["50\N{NO-BREAK SPACE}%"]
    assert "many paths came to rest" not in words(at), "both are the lowest, and known"


def test_higher_minima_of_an_own_function_are_where_many_paths_came_to_rest():
    at = page(preset="own", f="x^4/4 - x^2/2 + x/10 + y^2/2")
    minima = component(at, "maps")["minima"]
    assert [minimum["name"] for minimum in minima] == ["A (−1.05, 0.00)", "B (0.95, 0.00)"]
    assert [minimum["note"] for minimum in minima] == [", the lowest", ""]
    assert "many paths came to rest" in words(at)


@pytest.mark.parametrize(("preset", "minimum"), [("rosenbrock", (1.0, 1.0)), ("valley", (0.0, 0.0))])
def test_a_slow_path_in_a_valley_is_at_no_minimum(preset, minimum):
    ends = maps.ends(rates(settings(preset)))
    assert ends.minima == (minimum,)
    assert ((ends.batches[0].minimum < 0) & (ends.batches[0].status == 1)).any(), "some have not arrived"


def test_local_minima_that_a_surface_does_not_name_are_found():
    spec = grid(settings(surface="rastrigin", rules=["sgd"], **{"sgd.lr": 0.002}))
    ends = maps.ends(spec)
    assert len(ends.minima) == len(MINIMA) and ends.lowest == [True] + 7 * [False]
    for x, y in ends.extra_minima:
        assert np.hypot(*surface(spec.surface).gradient(x, y)) < 1e-3


@pytest.mark.parametrize("f", ["x*0", "log(x)", "1/x", "-x^2 - y^2", "sqrt(x)", "exp(x*x*x*x)", "(x*y - 1)^2"])
def test_any_function_has_maps(f):
    at = page(preset="own", f=f, steps="50")
    assert len(at.table[0].value) == 3 and component(at, "rates")["maps"]


def test_a_wrong_formula_is_explained():
    at = page(preset="own", f="x^2 + y2")
    assert "unknown name" in at.error[0].value and "has a mistake" in words(at)
    assert not at.table


def test_what_stops_the_progress_stops_the_computing_and_nothing_is_remembered():
    class Stop(Exception):
        pass

    def stop(share: float) -> None:
        raise Stop

    spec = grid(settings(steps=20_000, rules=["adam"], **{"adam.lr": 1e-7}))
    with pytest.raises(Stop):
        maps.compute(spec, stop)
    assert not maps.known(spec)


def test_minima_have_colours_that_everybody_can_tell_apart():
    for color in MINIMA:
        assert min(contrast(color, paper) for paper in (LIGHT.paper, DARK.paper)) >= 2
    for one, other in combinations(MINIMA, 2):
        assert min(distance(one, other, vision) for vision in VISIONS) >= 9
    for one, other in combinations(MINIMA[:4], 2):
        assert min(distance(one, other, vision) for vision in VISIONS) >= 20


def with_value(at: AppTest) -> set[str]:
    """The settings whose widgets get a value from the session, so that a browser takes that and not their default."""
    return {
        element.proto.id.rpartition("basins.")[2]
        for kind in ("button_group", "number_input", "selectbox", "checkbox", "text_input")
        for element in at.get(kind)
        if element.proto.set_value
    }


def test_widgets_get_their_values_again_where_the_browser_may_have_others():
    at = page(x="5")  # the second of two runs: the first may have been left before the browser had drawn them
    all_of = with_value(at)
    assert {"x", "preset"} <= all_of and any(name.startswith("rules ") for name in all_of)
    assert not with_value(ran(at.run()))
    at.session_state["page"] = "trajectories"  # whose run was left as soon as it began
    assert with_value(ran(at.run())) == all_of
