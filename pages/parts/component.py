"""What runs in the browser: a component of this folder, its HTML, CSS and JavaScript in files of their own."""

from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


def component(name: str) -> Any:
    """Return the mount of the component whose files are ``name``.html, ``name``.css and ``name``.js."""
    html, css, js = ((_HERE / f"{name}.{kind}").read_text() for kind in ("html", "css", "js"))
    return st.components.v2.component(f"fop_{name}", html=html, css=css, js=js, isolate_styles=False)
