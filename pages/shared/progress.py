"""How far a long computation is, for the one who waits for it; and its end where nobody does any more.

A page that computes when its reader comes to it has all its widgets drawn first:

    with unhurried(form.arrives):
        ...  # calls what ``progress`` returns
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fop_core.formatting import duration, percent
from pages.components.settled import settled

BEAT = 0.5  # seconds until the bar is shown, and between its moves
PATIENCE = 1.0  # seconds that widgets wait for a computation
_ARRIVES = "progress leaves a run on arrival"


class _Unsettled(Exception):
    """A computation takes long, and the page's widgets may not be there."""


@contextmanager
def unhurried(arrives: bool, leave: Callable[[], object] = lambda: None) -> Iterator[None]:
    """Leave the block where it computes for long on arrival; the page runs again once the browser has its widgets.

    What it has drawn stays, and what it has computed is to be remembered. Without a browser nothing is left.

    Args:
        arrives: whether the reader has just come to the page.
        leave: called where the block is left.
    """
    st.session_state[_ARRIVES] = arrives and st.context.url is not None
    try:
        yield
    except _Unsettled:
        settled("settled")
        leave()
    finally:
        st.session_state[_ARRIVES] = False


def leave_if_unwanted(share: float = 0.0) -> None:
    """Leave a run of the page that a change or a click has ended, or whose reader has gone; a computation calls it."""
    st.session_state.get("page")  # where Streamlit leaves it


def progress(bar: DeltaGenerator, what: str) -> Callable[[float], None]:
    """Return what a computation calls with the share that is done: it moves a bar, and leaves a run as above.

    Args:
        bar: a place of its own, ``st.empty()`` or ``st.progress()``.
        what: is computed, in words.
    """
    begun = last = time.monotonic()
    due = begun + BEAT

    def report(share: float) -> None:
        nonlocal last, due
        leave_if_unwanted()
        if (now := time.monotonic()) >= begun + BEAT:  # Python runs one thread at a time: others have a fifth of it
            time.sleep(min(0.02, (now - last) / 4))
        last = time.monotonic()
        if now >= begun + PATIENCE and st.session_state.get(_ARRIVES):
            raise _Unsettled
        if now >= due:
            due = now + BEAT
            bar.progress(min(1.0, share), text=f"{what}: {percent(share, digits=0)}, {duration(now - begun)}")

    return report
