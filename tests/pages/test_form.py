"""The settings of a page, whatever its reader's pace."""

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st
    from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
    from streamlit.runtime.scriptrunner import get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    from pages.shared.fields import Choice, Number
    from pages.shared.form import Form

    presets = Choice("Preset", {"slow": "Slow", "fast": "Fast"})
    form = Form("page", presets, {"rate": Number("Rate", 0, 1, 0.1)}, {"slow": {"rate": 0.1}, "fast": {"rate": 0.5}})
    form.draw_presets()
    if form.preset == "slow":
        form.draw("rate")
    elif widget := st.session_state.pop("sent by a busy browser", ""):  # which still shows the page before
        stale = WidgetStates(widgets=[WidgetState(id=widget, double_value=0.2)])
        get_script_run_ctx().script_requests.request_rerun(RerunData(widget_states=stale))
    st.session_state["rate now"] = form["rate"]


def _renamed() -> None:
    import streamlit as st

    from pages.shared.fields import Choice, Number
    from pages.shared.form import Form

    presets = Choice("Preset", {"slow": "Slow"})
    fields = {"rate": Number("Rate", 0, 1, 0.1)}
    form = Form("page", presets, fields, {"slow": {"rate": 0.1}}, renamed={"speed": "rate"})
    form.draw_warnings()
    form.draw("rate")
    form.publish()
    st.session_state["now"] = form["rate"], st.query_params.to_dict()


def test_an_address_with_a_name_from_before_goes_on_working_and_gets_the_present_one():
    app = AppTest.from_function(_renamed, default_timeout=30)
    app.query_params["speed"] = "0.4"
    app.run()
    assert app.session_state["now"] == (0.4, {"rate": "0.4"}) and not app.warning


def test_a_preset_keeps_its_values_where_the_browser_sends_one_of_the_preset_before():
    app = AppTest.from_function(_page, default_timeout=30).run()
    rate = app.number_input(key="page.rate").set_value(0.2)
    app.run()
    assert app.session_state["rate now"] == 0.2
    app.session_state["sent by a busy browser"] = rate.id
    app.selectbox(key="page.preset").set_value("fast").run()
    assert not app.exception
    assert "sent by a busy browser" not in app.session_state
    assert app.session_state["rate now"] == 0.5
    app.selectbox(key="page.preset").set_value("slow").run()
    assert app.number_input(key="page.rate").value == app.session_state["rate now"] == 0.1
