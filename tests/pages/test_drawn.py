"""Widgets that a page shows no longer: what a browser still sends of them is nobody's choice."""

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from pages.shared.fields import Text
    from pages.shared.form import Form

    class Kept(Text):
        """A line whose callback the session has, as Streamlit has it of a widget that is gone."""

        def draw(self, key, on_change=None):
            super().draw(key, on_change)
            st.session_state.setdefault("callbacks", {})[key] = on_change

    if st.session_state.get("late"):  # a tick that was asked for while there were widgets
        st.session_state["page.preset"], st.session_state["page.name"] = st.session_state.pop("late")
        for callback in st.session_state["callbacks"].values():
            callback()
    values = {"first": {"name": ""}, "second": {"name": "of second"}}
    form = Form("page", Kept("Preset", 20), {"name": Kept("Name", 20)}, values)
    if not form.now["name"]:
        form.put(name="mine")
    if st.session_state["shown"]:
        form.draw_presets()
        form.draw("name", lambda: st.session_state.setdefault("heard", st.session_state["page.name"]))
    form.publish()


@pytest.fixture
def at() -> AppTest:
    at = AppTest.from_function(_page, default_timeout=30)
    at.session_state["shown"] = True
    at.run()
    assert not at.exception and at.text_input(key="page.name").value == "mine"
    at.text_input(key="page.name").set_value("chosen").run()
    assert at.session_state["heard"] == "chosen" and not at.text_input(key="page.name").proto.set_value
    del at.session_state["heard"]
    return at


def test_what_comes_late_from_widgets_that_are_gone_changes_nothing_and_they_come_back_with_their_values(at):
    at.session_state["shown"] = False
    at.run()
    at.session_state["late"] = "first", ""
    at.run()
    assert not at.exception and "heard" not in at.session_state
    at.session_state["shown"] = True
    at.run()
    name = at.text_input(key="page.name")
    assert name.value == "chosen" and name.proto.set_value and not at.exception


def test_what_comes_late_while_another_page_is_shown_changes_nothing(at):
    at.session_state["page"] = "another"
    at.session_state["late"] = "first", "chosen"
    at.run()
    assert "heard" not in at.session_state and at.text_input(key="page.name").value == "chosen"


def test_a_widget_has_its_value_given_until_the_browser_has_sent_it(at, monkeypatch):
    """The browser may ask for the next run before it has drawn what the run before said.

    Then it draws the next run's widget: with what that run says, and empty where it says nothing.
    """
    at.session_state["shown"] = False
    at.run()
    at.session_state["shown"] = True
    at.run()
    monkeypatch.setattr(at._tree, "get_widget_states", WidgetStates)
    at.run()
    name = at.text_input(key="page.name")
    assert name.value == "chosen" and name.proto.set_value
    at.run()
    assert at.text_input(key="page.name").value == "chosen" and not at.text_input(key="page.name").proto.set_value
