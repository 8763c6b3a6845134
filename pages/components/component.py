"""What runs in the browser: a component of this folder, its HTML, CSS and JavaScript in files of their own.

The browser can import nothing, so a component's index.js is bundled with all that it imports: ``scripts/web.sh build``
writes bundle.js, which is committed, and a user needs no Node.js. It exports ``inOrder(show)``, of lib/lifetime.js.
"""

from pathlib import Path
from typing import Any

import streamlit as st

from fop_core.figures.payload import packed as packed

_HERE = Path(__file__).parent


def component(name: str) -> Any:
    """Return the mount of the component in the folder ``name``: its markup.html, style.css and bundle.js.

    Args:
        name: its path from here, "download/button".
    """
    html, css, js = ((_HERE / name / file).read_text() for file in ("markup.html", "style.css", "bundle.js"))
    return st.components.v2.component(f"fop_{Path(name).name}", html=html, css=css, js=js, isolate_styles=False)
