"""A page that runs again of itself, as when what it shows has changed."""

from typing import NoReturn

import streamlit as st


def run_again() -> NoReturn:
    """Run the page again; leave for where its reader is going, if a link or Back has been used.

    ``st.rerun`` alone asks for its own page in place of what the browser has asked for since Streamlit last looked.
    """
    st.session_state.get("page")  # where it looks, and leaves
    st.rerun()
