"""The way to the pages, at the top of the sidebar."""

import uuid
from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.components.component import component

_mount = component("menu")


def menu(pages: Mapping[StreamlitPage, Mapping[str, str]], chosen: StreamlitPage) -> None:
    """Show a link to each page.

    Streamlit's own menu leads to bare addresses: a page that then adds its settings is two steps of the browser's
    history, of which Back leads to the bare one. These links have the settings as they were left.

    Args:
        pages: each with its address.
        chosen: the one that is shown.
    """
    with st.sidebar, st.container(key="menu", gap=None):
        for page, address in pages.items():
            st.page_link(page, query_params=dict(address))
        shown = {"page": chosen.title, "path": chosen.url_path, "paths": [page.url_path for page in pages]}
        _mount(key="menu folds", data=shown | {"run": uuid.uuid4().hex})  # so that the browser learns of each
