"""In which settings two runs differ."""

from hypothesis import given
from hypothesis import strategies as st

from fop_core.runs import compare, difference
from fop_core.runs.difference import ABSENT
from fop_core.training import config


def settings(method: str = "fop", *changes: str) -> dict:
    return compare.settings(config.change(config.preset("mnist-mlp", method), changes).to_json())


def pairs(one: dict, other: dict) -> dict:
    return {each.name: (each.one, each.other) for each in difference.difference(one, other)}


def test_settings_that_differ_have_both_values_and_what_changes_no_result_comes_last():
    made = difference.difference(settings("fop", "threads=2", "fop.rank=8"), settings("fop", "seed=3"))
    assert [(each.name, each.one, each.other, each.aside) for each in made] == [
        ("fop.rank", 8, 16, False),
        ("seed", 0, 3, False),
        ("threads", 2, 0, True),
    ]
    assert difference.difference(settings(), settings()) == []


def test_a_part_that_one_has_not_is_absent_setting_by_setting():
    made = pairs(settings("momentum"), settings("fop"))
    assert made["fop.rank"] == (ABSENT, 16) and "fop" not in made
    assert {one for one, _ in made.values()} == {ABSENT}


def test_none_and_absent_and_yes_and_one_are_not_the_same():
    one, other = {"a": None, "b": True, "c": 1, "same": 1.0}, {"b": 1, "c": 1, "same": 1}
    assert pairs(one, other) == {"a": (None, ABSENT), "b": (True, 1)}


VALUES = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["x", "y"]) | st.lists(st.integers(0, 1))
SETTINGS = st.dictionaries(st.sampled_from("abcde"), VALUES)


@given(SETTINGS, SETTINGS)
def test_a_difference_turns_one_runs_settings_into_the_others(one, other):
    made = dict(one)
    for each in difference.difference(one, other):
        assert each.one is ABSENT or (each.one == one[each.name])
        if each.other is ABSENT:
            del made[each.name]
        else:
            made[each.name] = each.other
    assert {name: (value, type(value)) for name, value in made.items()} == {
        name: (value, type(value)) for name, value in other.items()
    }
    back = pairs(other, one)
    assert {name: pair[::-1] for name, pair in back.items()} == pairs(one, other)
