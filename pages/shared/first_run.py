"""The way to a first run, for pages that have nothing to show without one."""

import streamlit as st

from pages.components.follow import follow

CLICKED = "first run"


def first_run() -> None:
    """Show the button that leads to Train as it opens for the first time."""
    st.button("Set up a first run", type="primary", on_click=lambda: st.session_state.update({CLICKED: True}))
    if st.session_state.pop(CLICKED, False):
        st.session_state.pop("train settings", None)
        follow("pages/train/page.py", "Set it up", {})
