"""How far a long computation is, for the one who waits for it; and its end where nobody does any more."""

import time
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

BEAT = 0.5  # seconds until the bar is shown, and between its moves


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
        if now >= due:
            due = now + BEAT
            bar.progress(min(1.0, share), text=f"{what}: {share:.0%}, {now - begun:.0f} s")

    return report
