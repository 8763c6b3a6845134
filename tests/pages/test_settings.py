"""Every setting has a field, every value an address, and every preset fits."""

import dataclasses

import numpy as np
import pytest

from fop_core.figures.style import METHODS
from pages.shared.fields import Choice, Flag, Number, Several, Text
from pages.shared.race.remembered import OWN, SWEPT, results, surface, sweeps
from pages.shared.race.rules import ABOUT, EXAMPLE, FAMILIES, KINDS, OWN_RULE, OWN_TEXT, mistake, of_rule
from pages.shared.race.settings import FIELDS, PRESETS, spec, values
from pages.shared.text import literal
from tests.pages.app import app_at
from tests.pages.test_trajectories import ran, words
from toy_functions import race
from toy_functions.scenes import ANGLE, CONDITION, SCENES
from toy_functions.schedules import SCHEDULES
from toy_functions.surfaces import SURFACES
from toy_functions.tuning import sweep


def test_every_setting_of_every_rule_is_asked_for():
    for name, rule in KINDS.items():
        expected = {
            f"{name}.{field.name}" for field in dataclasses.fields(rule) if field.init and field.name != "factor"
        }
        assert expected <= FIELDS.keys()
        rule(**{setting: values(SCENES["valley"])[f"{name}.{setting}"] for setting in of_rule(name)})


def test_every_rule_is_in_one_family_and_said_what_it_is_in_the_order_of_races():
    assert [name for names in FAMILIES.values() for name in names] == list(KINDS) == list(ABOUT)
    assert list(FIELDS["rules"].options) == list(KINDS)
    groups = FIELDS["rules"].groups
    assert [group.options for group in groups] == list(FAMILIES.values())
    lines = [line for group in groups for line in group.help.splitlines()]
    assert lines == [f"- **{METHODS[name].name}**: {about}" for name, about in ABOUT.items()]


def test_every_surface_can_be_chosen():
    assert FIELDS["surface"].options.keys() == {*SURFACES, OWN}
    for name in SURFACES:
        chosen = values(SCENES["paper-booth"]) | {"surface": name}
        selected = surface(spec(chosen).surface)
        x, y = np.meshgrid(np.linspace(-3, 3, 7), np.linspace(-3, 3, 7))
        np.testing.assert_array_equal(selected.value(x, y), SURFACES[name].value(x, y))
    assert (CONDITION, ANGLE) == (values(SCENES["valley"])["condition"], values(SCENES["valley"])["angle"])


@pytest.mark.parametrize("name", SCENES)
def test_the_settings_of_a_preset_make_its_own_race(name):
    scene = SCENES[name]
    made = spec(values(scene)).race()
    assert {METHODS[key].name: rule for key, rule in made.rules.items()} == scene.race.rules
    for part in ("start", "tolerance", "max_steps", "dtype", "noise", "seed"):
        assert getattr(made, part) == getattr(scene.race, part)
    assert made.surface.value(0.3, -0.7) == scene.race.surface.value(0.3, -0.7)
    assert made.surface.floor == scene.race.surface.floor


@pytest.mark.parametrize("name", SCENES)
def test_every_value_of_a_preset_is_allowed_and_comes_back_from_an_address(name):
    chosen = values(SCENES[name])
    assert chosen.keys() == FIELDS.keys()
    for key, value in chosen.items():
        assert FIELDS[key].read(FIELDS[key].write(value)) == value
    assert PRESETS.read(name) == name


@pytest.mark.parametrize("value", [0.1 + 0.2, 1e-8, 5e-324, 0.0, 3.0, 1 / 3])
def test_a_number_comes_back_to_the_last_bit(value):
    field = Number("", 0, 10, 1)
    assert field.read(field.write(value)) == value


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        (Number("", 0, 1, 0.1), "fast", "is not a number"),
        (Number("", 0, 1, 0.1), "nan", "is not between 0 and 1"),
        (Number("", 0, 1, 0.1), "inf", "is not between 0 and 1"),
        (Number("", 0, 1, 0.1), "-0.1", "is not between 0 and 1"),
        (Number("", 1, 9, 1, whole=True), "2.5", "is not a whole number"),
        (Number("", 1, 9, 1, whole=True), "1" * 5000, "is not"),
        (Number("", 1, 9, 1, whole=True), "1" * 400, "is not between 1 and 9"),
        (Number("", 1, 9, 1, whole=True), "-" + "1" * 400, "is not between 1 and 9"),
        (Choice("", {"a": "A", "b": "B"}), "c", "is none of a, b"),
        (Several("", {"a": "A", "b": "B"}), "a,c,d", "has c, d, which is none of a, b"),
        (Flag(""), "yes", "is neither 0 nor 1"),
        (Text("", 3), "xxxx", "has more than 3 characters"),
    ],
)
def test_what_an_address_gets_wrong_is_said(field, text, words):
    with pytest.raises(ValueError, match=words):
        field.read(text)


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("trajectories", "seed"),
        ("trajectories", "steps"),
        ("basins", "steps"),
        ("runs", "smooth"),
        ("preconditioners", "at"),
    ],
)
def test_a_number_of_400_digits_in_an_address_is_reported_and_the_page_is_shown(page, name):
    at = app_at(page, timeout=120)
    at.query_params[name] = "9" * 400
    text = words(ran(at.run())).replace("\\", "")
    assert f"{name}=999" in text and "is not between" in text


def test_a_text_that_no_address_may_have_is_cut_where_a_widget_holds_it():
    field = Text("", 3)
    assert field.read(field.write("abcd")) == "abc"


def test_options_are_kept_in_their_order():
    field = Several("", {"a": "A", "b": "B", "c": "C"})
    assert field.read("c,a") == ["a", "c"] and field.read("") == []
    assert field.write(["c", "a"]) == "a,c"


def test_results_are_those_of_the_whole_race_and_remembered_one_by_one():
    race_spec = spec(values(SCENES["noise"]))
    whole = race(race_spec.race())
    for result in results(race_spec):
        trajectory = whole[result.run.rule]
        assert result.run.steps == trajectory.steps and result.end == tuple(trajectory.points[-1])
    again = results(dataclasses.replace(race_spec, rules=race_spec.rules[1:]))
    assert [result.run.rule for result in again] == [name for name, _ in race_spec.rules[1:]]


@pytest.mark.parametrize("computed", [results, sweeps])
def test_what_progress_raises_ends_the_computing_and_what_was_done_is_remembered(computed):
    request = spec(values(SCENES["noise"]) | {"x": -1.25, "rules": ["sgd", "adam", "fop"]})
    shares = []

    def leave(share):
        shares.append(share)
        if share > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        computed(request, leave)
    assert 0.4 < shares[-1] <= 1
    again = []
    computed(request, again.append)
    assert min(again) >= 1 / 3, "the first one is not computed again"
    nothing = []
    computed(request, nothing.append)
    assert not nothing


def test_every_schedule_can_be_chosen_and_a_warm_up_ends_with_the_race_at_the_latest():
    assert FIELDS["schedule"].options.keys() == set(SCHEDULES)
    chosen = values(SCENES["paper-booth"]) | {"schedule": "cosine", "warmup": 500, "steps": 100}
    made = spec(chosen).race()
    assert (made.schedule, made.warmup, made.max_steps) == ("cosine", 100, 100)
    assert spec(chosen | {"warmup": 20}).race().warmup == 20


@pytest.mark.parametrize("changes", [{"schedule": "step"}, {"warmup": SWEPT + 500}, {"warmup": 50}], ids=str)
def test_a_sweep_has_the_schedule_of_its_race_to_the_end(changes):
    request = spec(values(SCENES["valley"]) | {"rules": ["sgd"], "steps": SWEPT + 1000} | changes)
    [swept] = sweeps(request).values()
    [whole] = sweep(request.race()).values()
    known = whole.steps < SWEPT
    np.testing.assert_array_equal(swept.steps[known], whole.steps[known])
    assert swept.best is not None and swept.best == whole.best
    assert swept.steps.max() == (SWEPT if changes == {"warmup": 50} else SWEPT + 1000)


def test_a_rule_of_the_readers_own_races_from_its_text_unless_that_has_a_mistake():
    assert mistake(EXAMPLE) is None and mistake("x = x - lr*q").position == 11
    chosen = values(SCENES["paper-booth"]) | {
        "rules": ["sgd", OWN_RULE],
        "own-rule.lr": 0.005,
        OWN_TEXT: "x = x - lr*g",
    }
    sgd, own = results(spec(chosen))
    assert own.run.rule == OWN_RULE and own.run.steps == sgd.run.steps == 832
    assert [name for name, _ in spec(chosen | {OWN_TEXT: "x = x - lr*q"}).rules] == ["sgd"]


@pytest.mark.parametrize(
    "text", ["![x](http://example.org/x.png)", "$x^2$", "**a** `b`", "<b>", ":material/error:", "a_b_c"]
)
def test_a_readers_words_are_shown_as_they_are(text):
    shown = literal(text)
    for sign in "![]($*`<:_":
        assert shown.count(sign) == shown.count("\\" + sign)


def test_the_scenes_show_what_they_say():
    steps = {name: {r: t.steps for r, t in race(scene.race).items()} for name, scene in SCENES.items()}
    status = {name: {t.status for t in race(scene.race).values()} for name, scene in SCENES.items()}
    assert steps["paper-booth"] == SCENES["paper-booth"].race.published
    assert steps["paper-himmelblau"] == SCENES["paper-himmelblau"].race.published
    valley = steps["valley"]
    assert valley["FOP"] < min(valley["S-HD"], valley["PP-HD"], valley["SGD"]) / 2
    assert steps["rosenbrock"]["Momentum"] < steps["rosenbrock"]["FOP"]
    assert all(statuses == {"converged"} for name, statuses in status.items() if not SCENES[name].race.noise)
    for seed in range(3):
        noisy = race(dataclasses.replace(SCENES["noise"].race, seed=seed))
        late = {name: float(np.mean(trajectory.losses[-500:])) for name, trajectory in noisy.items()}
        assert max(late["FOP"], late["S-HD"]) < late["SGD"] / 2
        assert np.abs(np.linalg.eigvalsh(noisy["FOP"].preconditioners[-1])).max() < 1
    for seed in range(3):
        away = race(dataclasses.replace(SCENES["runaway"].race, seed=seed))
        late = {name: float(np.mean(trajectory.losses[-500:])) for name, trajectory in away.items()}
        assert late["FOP"] < late["Momentum"] < late["FOP one-step"] / 3
        one_step, velocity = (np.linalg.eigvalsh(away[name].preconditioners[-1]) for name in ("FOP one-step", "FOP"))
        assert one_step[-1] > 5 and velocity[-1] < 1
    out = race(SCENES["saddle"].race)["FOP"]
    slow = int(np.argmin(np.abs(out.points).max(axis=1)))
    assert np.abs(out.points[slow]).max() < 0.1, "it comes by the saddle"
    P_in, P_out = out.preconditioners[slow], out.preconditioners[-1]
    assert P_in[0, 0] < 1.01 and P_in[1, 1] > 3, "it was lengthened along y"
    assert P_out[0, 0] > 1.4 and P_out[1, 1] == pytest.approx(P_in[1, 1], rel=0.01), "and then along x"
