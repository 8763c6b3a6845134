"""What a file says of its own settings becomes fields; it may say anything, and none of it is markup."""

import re
from enum import StrEnum

import pytest
from pydantic import BaseModel, Field
from streamlit.testing.v1 import AppTest

from pages.shared.fields import Choice, Flag
from pages.shared.own import settings as own_settings
from pages.shared.train.fields import Line


class Kind(StrEnum):
    one, two = "one", "two"


class Settings(BaseModel):
    lr: float = Field(1e-4, gt=0, le=1, description="the rate")
    nesterov: bool = True
    kind: Kind = Kind.two
    betas: tuple[float, float] = (0.9, 0.99)
    names: list[str] = ["a", "b, c"]
    limit: int | None = None
    of: dict[str, int] = {"a": 1}
    needed: str


def test_each_kind_of_setting_has_its_field_and_begins_with_its_default():
    made = own_settings.of(Settings.model_json_schema())
    kinds = {name: (type(field), begins) for name, (field, begins) in made.items()}
    assert kinds == {
        "lr": (Line, "0.0001"),
        "nesterov": (Flag, True),
        "kind": (Choice, "two"),
        "betas": (Line, "0.9, 0.99"),
        "names": (Line, '"a", "b, c"'),
        "limit": (Line, ""),
        "of": (Line, '{"a": 1}'),
        "needed": (Line, ""),
    }
    assert made["lr"][0].help == r"The rate\. Above 0 up to 1\."
    config = {name: own_settings.value(field, begins) for name, (field, begins) in made.items()}
    assert Settings.model_validate(config | {"needed": "x"}) == Settings(needed="x")


HOSTILE = "![x](http://127.0.0.1:1/x) <img src=x onerror=alert(1)> :red[x] $x$ **x**"
DEFINED = {"properties": {"x": {"$ref": "#/$defs/Y"}}, "$defs": {"Y": {"enum": [HOSTILE], "default": HOSTILE}}}
FORGED = [
    None,
    {"properties": 3},
    {"properties": {"x": 3, "y": None, "z": []}},
    {"properties": {"x": {"anyOf": 3, "default": {}}}},
    {"properties": {"x": {"type": ["a"], "minimum": "low", "description": 3, "default": float("nan")}}},
    {"properties": {"x": {"type": "boolean", "default": "yes"}}},
    {"properties": {"x": {"enum": ["a"], "default": "b"}}},
    {"properties": {"x": {"default": "\ud800" + "a" * 2000}}},
    {"properties": {f"x{number}": {} for number in range(1000)}},
    {"properties": {HOSTILE: {"description": HOSTILE, "default": HOSTILE}}},
    DEFINED,
    DEFINED | {"$defs": []},
]


def drawn():
    import streamlit as st

    from pages.shared.own import settings as own_settings
    from tests.pages.test_own_settings import FORGED

    for name, (field, begins) in own_settings.of(FORGED[st.session_state["case"]]).items():
        st.session_state.setdefault(name, begins)
        field.draw(name, None)


@pytest.mark.parametrize("case", range(len(FORGED)))
def test_whatever_it_says_is_drawn_as_text_alone(case):
    at = AppTest.from_function(drawn)
    at.session_state["case"] = case
    at.run()
    assert not at.exception
    shown = [*at.text_input, *at.selectbox, *at.checkbox]
    assert len(shown) <= own_settings.MOST
    for each in shown:
        for text in (each.label, each.help or ""):
            assert not set("![]<>$*") & set(re.sub(r"\\.", "", text)), text
