"""Which widgets of a page the reader's browser has, so that it is believed about no others and no other stays empty.

While a page runs, the browser still has the widgets of the run before, and sends what they hold when a fragment ticks.
Once the run has ended without them, Streamlit takes that for the reader's choice: it calls their callbacks, and keeps
values that a widget is not given when it is drawn the next time.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


class Drawn:
    """The widgets of a page, by their keys.

    Args:
        page: its name, which the session has under "page" while the reader is there.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        record = st.session_state.setdefault(f"{page} widgets", {"there": set(), "now": set(), "current": set()})
        self._there: set[str] = record["there"]  # a run that is cut short takes none away
        self._now: set[str] = record["now"]
        self._current: set[str] = record["current"]  # with the value of the setting

    def begin(self) -> None:
        """Begin a run of the page."""
        self._now.clear()

    def end(self) -> None:
        """End a run that has drawn all; a fragment's own run has not."""
        context = get_script_run_ctx()
        if context is None or not context.fragment_ids_this_run:
            self._there.intersection_update(self._now)

    def forget(self) -> None:
        """Begin with no widget: the reader comes from another page."""
        self._there.clear()
        self._current.clear()

    def renew(self) -> None:
        """Have all widgets given their values when they are drawn next; the reader has them until then."""
        self._current.clear()

    def has(self, key: str) -> bool:
        """Return whether what the session holds under a key is what a widget of the reader's holds."""
        return key in self._there & self._current and key in st.session_state

    def give(self, key: str, value: Any) -> bool:
        """Give a value to a widget that is about to be drawn, unless the browser has it; return whether it had none."""
        new = not self.has(key)
        if new:
            st.session_state[key] = value
        for keys in (self._there, self._now, self._current):
            keys.add(key)
        return new

    def heeded(self, key: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Return a widget's callback that does nothing once the reader has the widget no longer."""

        def called() -> None:
            if st.session_state.get("page", self._page) == self._page and key in self._there:
                callback()

        return called
