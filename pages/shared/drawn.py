"""Which widgets of a page the reader's browser has, so that it is believed about no others and no other stays empty.

While a page runs, the browser still has the widgets of the run before, and sends what they hold when a fragment ticks.
Once the run has ended without them, Streamlit takes that for the reader's choice: it calls their callbacks, and keeps
values that a widget is not given when it is drawn the next time.

A run that draws a widget first, with its value, may be cut short, or be followed by another, before the browser has
it. Then the browser has the widget of the next run, which is empty unless that run gives the value too. So a widget is
given its value until the browser has sent it.
"""

from collections.abc import Callable, Collection
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import user_key_from_element_id


class Drawn:
    """The widgets of a page, by their keys.

    Args:
        page: its name, which the session has under "page" while the reader is there.
    """

    def __init__(self, page: str) -> None:
        self._page = page
        record = st.session_state.setdefault(
            f"{page} widgets", {"there": set(), "now": set(), "pending": {}, "current": set()}
        )
        self._there: set[str] = record["there"]  # a run that is cut short takes none away
        self._now: set[str] = record["now"]
        self._pending: dict[str, Collection[str]] = record["pending"]  # which the browser has not sent yet
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
        self.renew()

    def renew(self) -> None:
        """Have all widgets given their values when they are drawn next; the reader has them until then."""
        self._pending.clear()
        self._current.clear()

    def has(self, key: str) -> bool:
        """Return whether what the session holds under a key is what a widget of the reader's holds."""
        if key in self._pending:
            self._confirm()
        return key in self._there & self._current and key in st.session_state

    def _confirm(self) -> None:
        """Take note of what the browser has sent: a widget that was given its value is in the states by that alone."""
        context = get_script_run_ctx()
        if context is None:
            return
        sent = {user_key_from_element_id(state.id) for state in context.session_state.get_widget_states()}
        confirmed = [key for key, parts in self._pending.items() if sent.issuperset(parts)]
        self._current.update(confirmed)
        for key in confirmed:
            del self._pending[key]

    def give(self, key: str, value: Any, parts: Collection[str] = ()) -> bool:
        """Give a value to a widget that is about to be drawn, unless the browser has it; return whether it had none.

        Args:
            key: the widget's.
            value: what it holds at first.
            parts: keys of the widgets that it is made of, where it is none itself.
        """
        new = not self.has(key)
        if new:
            st.session_state[key] = value
            self._pending[key] = parts or (key,)
            self._current.discard(key)
        for keys in (self._there, self._now):
            keys.add(key)
        return new

    def heeded(self, key: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Return a widget's callback that does nothing once the reader has the widget no longer."""

        def called() -> None:
            if st.session_state.get("page", self._page) == self._page and key in self._there:
                callback()

        return called
