"""A page that runs again of itself."""

import pytest
from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import RerunException, get_script_run_ctx
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

    from pages.shared.reruns import run_again

    if "began" in st.session_state:
        return
    st.session_state["began"] = True
    if st.session_state["leaves"]:  # by Back: the browser asks for a page while this one computes
        get_script_run_ctx().script_requests.request_rerun(RerunData(page_script_hash="where Back leads"))
    try:
        run_again()
    except RerunException as request:
        st.session_state["next"] = request.rerun_data.page_script_hash


@pytest.mark.parametrize("leaves", [True, False])
def test_a_page_runs_again_unless_its_reader_is_on_the_way_to_another(leaves):
    app = AppTest.from_function(_page, default_timeout=30)
    app.session_state["leaves"] = leaves
    app.run()
    assert not app.exception
    assert (app.session_state["next"] == "where Back leads") == leaves
