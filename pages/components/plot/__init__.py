"""A plotly figure that lives through reruns: one node in the page, to which new data come; zoom and hover stay.

Streamlit's own ``st.plotly_chart`` makes a new node for each new figure. plotly.js comes from the app's ``static/``
folder, where scripts/web.sh puts it, so no network is needed. Light and dark are switched in the browser, by
``style.themes``.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from fop_core.figures import style
from fop_core.figures.learned_curves import Frames
from pages.components.component import component
from pages.components.download import slug

VERSION = "4.1.1"
SOURCE = f"app/static/plotly-cartesian.min.js?v={VERSION}"  # with the version, so that no old one is remembered
_mount = component("plot")


def plot(
    figure: go.Figure,
    *,
    of: str,
    key: str,
    alt: str,
    aspect: float,
    heights: tuple[int, int],
    follows: bool = False,
    frames: Frames | None = None,
    across: str = "",
    on_click: Callable[[Any], None] | None = None,
) -> None:
    """Show a figure.

    Args:
        figure: its ``uirevision`` says when a zoom is kept.
        of: of which run, and of which step where the page has no cursor; for the name of a picture that is saved.
        key: of the widget; the same key keeps the node.
        alt: what a screen reader says of it.
        aspect: width / height of the space inside the figure's own margins, as far as it sets them.
        heights: the least and the most px of the whole.
        follows: whether a line shows where the player is, on an axis of steps.
        frames: what of it changes with the player's step.
        across: figures with the same one have one axis across: they are zoomed together, and a line shows in all of
            them where one is pointed at. None where it is empty.
        on_click: is called with the data of a point that is clicked, its ``customdata``.
    """

    def clicked() -> None:
        if on_click is not None and (data := st.session_state[key].clicked) is not None:
            on_click(data)

    _mount(
        key=key,
        on_clicked_change=clicked,
        data={
            "figure": figure.to_json(),
            "themes": style.themes(),
            "alt": alt,
            "aspect": aspect,
            "heights": heights,
            "follows": follows,
            "clicks": on_click is not None,
            "frames": None if frames is None else dataclasses.asdict(frames),
            "across": across,
            "margin": figure.layout.margin.to_plotly_json(),
            "source": SOURCE,
            "file": slug(f"{of} {key}"),
            "title": f"{alt}, {of}",
        },
    )
