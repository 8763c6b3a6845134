"""A button that copies the page's address, which holds its whole state."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_mount = st.components.v2.component(
    "fop_copy_link",
    html='<button class="fop-copy" type="button" title="The address holds all settings">Copy link</button>',
    css=(_HERE / "copy_link.css").read_text(),
    js=(_HERE / "copy_link.js").read_text(),
    isolate_styles=False,
)


def copy_link(key: str) -> None:
    """Show the button."""
    _mount(key=key, width="content")
