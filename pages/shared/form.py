"""A page's settings: one truth in the session, mirrored in the widgets and in the address.

The address carries the preset's name and only what differs from that preset. It is read when it changes from outside:
on arrival, and when the reader goes back or forward in the browser. Whatever a widget changes is written to it. A link
to the page with nothing in the address, as in the menu, finds the settings as they were left.

An address names no preset where that is the first. Where a page has got another first preset, what it writes from then
on carries a version, and an address without one means what it meant before; it is left as it came until a change.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.drawn import Drawn
from pages.shared.fields import Choice, Field, Grouped
from pages.shared.text import literal

PRESET = "preset"
VERSION, CURRENT = "v", "2"
"""Of the addresses of a page whose first preset was another one before."""


def versioned(address: Mapping[str, str]) -> dict[str, str]:
    """Return an address with its version; one without settings needs none: it is the page as it opens."""
    return {**address, VERSION: CURRENT} if address else {}


def address(page: str) -> dict[str, str]:
    """Return the address of a page's settings as they were left; empty where it was not opened yet."""
    return dict(st.session_state.get(f"{page} settings", {}).get("address", {}))


class Form:
    """The settings of one page.

    Args:
        page: its name; keys in the session begin with it.
        presets: a choice among ``values``' keys; the first is the one to begin with.
        fields: the settings by the name they have in an address.
        values: for each preset the value of every setting.
        views: names of settings that only change how things are shown.
        before: the preset that was the first one, from which addresses without a version begin; none if it still is.
        renamed: names that settings had in addresses before, each with its present one.

    Attributes:
        arrives: whether this is the page's first run since the reader came to it.
    """

    def __init__(
        self,
        page: str,
        presets: Choice,
        fields: Mapping[str, Field],
        values: Mapping[str, Mapping[str, Any]],
        views: Collection[str] = (),
        before: str = "",
        renamed: Mapping[str, str] | None = None,
    ):
        self.page, self.presets, self.fields, self.values, self.views = page, presets, fields, values, views
        self.before, self.renamed = before, renamed or {}
        self._record = st.session_state.setdefault(f"{page} settings", {})
        self._drawn = Drawn(page)
        self._drawn.begin()
        self._arrive()
        self.read_widgets()
        if self.arrives:
            self._drawn.forget()

    def __getitem__(self, name: str) -> Any:
        """Return the present value of a setting."""
        return self._record["now"][name]

    @property
    def now(self) -> Mapping[str, Any]:
        """The present values of all settings."""
        return self._record["now"]

    @property
    def preset(self) -> str:
        """The name of the preset that the settings began from."""
        return self._record[PRESET]

    def changed(self) -> list[str]:
        """Return the names of settings that differ from the preset, views aside."""
        return [name for name in self._differing() if name not in self.views]

    def _differing(self) -> list[str]:
        now, then = self._record["now"], self.values[self.preset]
        return [name for name in self.fields if now[name] != then[name]]

    def draw(self, name: str, on_change: Callable[[], None] | None = None) -> Any:
        """Show a setting's widget; return its value."""
        key = self.give(name)
        self.fields[name].draw(key, on_change and self._drawn.heeded(key, on_change))
        return self.take_over(name)

    def give(self, name: str) -> str:
        """Give a setting's value to its widget, which is about to be drawn; return the key that the widget has."""
        key, field = self.key(name), self.fields[name]
        if isinstance(field, Grouped):
            if self._drawn.give(key, self[name], field.parts(key)):
                field.forget(key)
        else:
            self._drawn.give(key, self[name])
        return key

    def take_over(self, name: str) -> Any:
        """Take over what the widget under a setting's key holds, which the page may have drawn itself; return it."""
        field = self.fields[name]
        self._record["now"][name] = value = field.read(field.write(st.session_state[self.key(name)]))
        return value

    def read_widgets(self) -> None:
        """Take over what the widgets hold, so that a page may show what follows from it before it shows them."""
        for name in self.fields:
            if self._drawn.has(self.key(name)):
                self.take_over(name)

    def draw_presets(self) -> None:
        """Show the choice of a preset."""
        key = self.key(PRESET)
        self._drawn.give(key, self.preset)
        self.presets.draw(key, self._drawn.heeded(key, lambda: self.to_preset(st.session_state[key])))

    def draw_warnings(self) -> None:
        """Say what was wrong with the address, if anything was, until the next change."""
        if self.now != self._record["arrived"]:
            self._record["warnings"] = []
        if warnings := self._record["warnings"]:
            st.warning(
                "Not all of the address could be used; the preset's own settings stand in for it.\n"
                + "\n".join(f"- {literal(warning)}" for warning in warnings)
            )

    def to_preset(self, preset: str) -> None:
        """Go on with a preset that was just chosen; for a widget's callback."""
        self.reset(preset)

    def reset(self, preset: str) -> None:
        """Set everything as a preset has it; for a widget's callback."""
        self._set(preset, self.values[preset])

    def put(self, **values: Any) -> None:
        """Set some settings; for a widget's callback, or before their widgets are shown."""
        self._record.setdefault("now", {}).update(values)
        for name, value in values.items():
            st.session_state[self.key(name)] = value

    def address(self) -> dict[str, str]:
        """Return the address of the settings."""
        unversioned = self._record["unversioned"]
        if unversioned and self.now == self._record["arrived"]:
            return dict(unversioned)
        preset = {PRESET: self.preset} if self.preset != next(iter(self.values)) else {}
        address = preset | {name: self.fields[name].write(self[name]) for name in self._differing()}
        return versioned(address) if self.before else address

    def publish(self) -> None:
        """Write the settings to the address; at the end of a run."""
        self._drawn.end()
        address, before = self.address(), self._record["address"]
        self._record["address"] = address
        # The address that came along may be older than the one that was written last.
        changed = address != before or address != st.query_params.to_dict()
        # What the page before wrote last may have come to the browser after the reader had gone back from it.
        late = self.arrives and _by_history() and st.session_state.get("address unheard", False)
        st.session_state["address unheard"] = changed
        if changed or late:
            st.query_params.from_dict(address)

    def _arrive(self) -> None:
        came, left = st.query_params.to_dict(), st.session_state.get("page", "")
        st.session_state["page"] = self.page
        self.arrives = left != self.page
        if not self._record:
            self._read(came)
        elif came != self._record["address"]:
            if _by_history():  # what the page before wrote last may stand in for the address
                counts = not (self.arrives and came and came == address(left))
            else:  # a choice soon after another one, or after the way from another page, comes with an older address
                counts = self.arrives and bool(came)
            if counts:
                self._read(came)

    def _read(self, address: Mapping[str, str]) -> None:
        warnings = []
        unversioned = bool(self.before and address and VERSION not in address)
        first = self.before if unversioned else next(iter(self.values))
        preset = address.get(PRESET, first)
        if preset not in self.values:
            warnings.append(f"{PRESET}={preset} is none of {', '.join(self.values)}")
            preset = first
        values = dict(self.values[preset])
        for came, text in address.items():
            name = self.renamed.get(came, came)
            if name in self.fields:
                try:
                    values[name] = self.fields[name].read(text)
                except ValueError as error:
                    warnings.append(f"{name}={text} {error}")
            elif name == VERSION and self.before:
                if text != CURRENT:
                    warnings.append(f"{VERSION}={text} is no version of this page's addresses; {CURRENT} is")
            elif name != PRESET:
                warnings.append(f"{name} is no setting of this page")
        self._record |= {"warnings": warnings, "arrived": values, "address": dict(address)}
        self._record["unversioned"] = dict(address) if unversioned and not warnings else {}
        self._set(preset, values)

    def _set(self, preset: str, values: Mapping[str, Any]) -> None:
        self._record[PRESET] = preset
        self._drawn.renew()  # a browser in a hurry sends what the widgets held before
        self.put(**values)
        st.session_state[self.key(PRESET)] = preset

    def key(self, name: str) -> str:
        """Return the session's key of a setting's widget."""
        return f"{self.page}.{name}"


def _by_history() -> bool:
    """Return whether the reader came to this address by the browser's back or forward, and not by a link."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
