"""The way to the pages, at the top of the sidebar."""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.parts.component import component
from pages.parts.form import address

_mount = component("menu")


def menu(pages: Mapping[str, StreamlitPage], chosen: StreamlitPage) -> None:
    """Show a link to each page.

    Streamlit's own menu leads to bare addresses: a page that then adds its settings is two steps of the browser's
    history, of which Back leads to the bare one. These links have the settings as they were left.

    Args:
        pages: by the names that their forms have.
        chosen: the one that is shown.
    """
    with st.sidebar, st.container(key="menu", gap=None):
        for name, page in pages.items():
            st.page_link(page, query_params=address(name))
        _mount(key="menu folds", data={"page": chosen.title})
