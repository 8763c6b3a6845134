"""A tour of the app: a bar with one stop at a time, which a reader may skip, and finds again in the menu.

How far the reader has come stays in the browser's storage: a stop is opened by a link, as any page of the app is.
"""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.components.component import component

_mount = component("tour")


def tour(stops: Sequence[Mapping[str, str]]) -> None:
    """Offer a tour to who opens the app for the first time, and go on with it until it is ended.

    Args:
        stops: in their order, each with its "title", its "address" from the app's own one on, a "sentence", and an
            "attempt": one thing to try. The first is the app as it opens, whose address is "".
    """
    with st.container(key="tour"):
        _mount(key="tour bar", data={"stops": [dict(stop) for stop in stops]})
