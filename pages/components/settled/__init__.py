"""Runs a page again once the browser has drawn all of its widgets.

Streamlit's running icon changes five times a second, and the browser puts off widgets whose code has just arrived while
anything else changes: on a busy machine they would come only when a long computation ends. See ``shared.progress``.
"""

from pages.components.component import component

_mount = component("settled")


def settled(key: str) -> None:
    """Run the page again when the last placeholder of a widget is gone."""
    _mount(key=key, on_settled_change=lambda: None)
