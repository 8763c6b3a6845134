"""Leads to another page by a link that follows itself.

``st.switch_page`` writes the other page's settings behind the present one's path first: a step in the browser's history
that belongs to neither page, and to which Back returns.
"""

from collections.abc import Mapping

import streamlit as st

from pages.components.component import component

_mount = component("follow")


def follow(page: str, label: str, settings: Mapping[str, str]) -> None:
    """Show a link and follow it.

    The page's own address is to be published before: if it comes to the browser after the link was followed, it is
    written behind the other page's path.

    Args:
        page: file of the other page.
        label: of the link, for whom it does not follow itself.
        settings: of the other page's address, in full, so that it has nothing to add.
    """
    with st.container(key="follow"):
        st.page_link(page, label=label, query_params=dict(settings))
        _mount(key="follow it", data={"to": f"{page} {dict(settings)}"})
