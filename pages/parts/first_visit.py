"""A deep link as the first visit since the server began: Streamlit runs that page before app.py has named the pages."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def first_visit() -> None:
    """Have the page run again, through app.py, where it has not run yet; first thing on every page but the first."""
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
