"""A page's settings: one truth in the session, mirrored in the widgets and in the address.

The address carries the preset's name and only what differs from that preset. It is read when it changes from outside:
on arrival, and when the reader goes back or forward in the browser. Whatever a widget changes is written to it. A link
to the page with nothing in the address, as in the menu, finds the settings as they were left.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared.fields import Choice, Field
from pages.shared.text import literal

PRESET = "preset"
PAST = 8  # addresses that were published before the present one


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
    ):
        self.page, self.presets, self.fields, self.values, self.views = page, presets, fields, values, views
        self._record = st.session_state.setdefault(f"{page} settings", {})
        self.arrives = st.session_state.get("page") != page
        self._arrive()
        self._read_widgets()

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

    @property
    def warnings(self) -> list[str]:
        """What was wrong with the address on arrival; forgotten with the next change."""
        if self._record["now"] != self._record["arrived"]:
            self._record["warnings"] = []
        return self._record["warnings"]

    def changed(self) -> list[str]:
        """Return the names of settings that differ from the preset, views aside."""
        return [name for name in self._differing() if name not in self.views]

    def _differing(self) -> list[str]:
        now, then = self._record["now"], self.values[self.preset]
        return [name for name in self.fields if now[name] != then[name]]

    def draw(self, name: str, on_change: Callable[[], None] | None = None) -> Any:
        """Show a setting's widget; return its value."""
        key = self.key(name)
        if key not in st.session_state:
            st.session_state[key] = self._record["now"][name]
        self._record["now"][name] = value = self.fields[name].draw(key, on_change)
        return value

    def take_over(self, name: str) -> Any:
        """Take over what a widget holds that the page has drawn itself under the setting's key; return it."""
        self._record["now"][name] = value = st.session_state[self.key(name)]
        return value

    def put_again(self) -> None:
        """Give all widgets their values again where the run before was the page's first.

        It may have been left for this one before the browser had drawn its widgets.
        """
        if self.arrives:
            self._record["drawn"] = False
        elif not self._record.get("drawn", True):
            self._record["drawn"] = True
            self.put(**self.now)

    def draw_presets(self) -> None:
        """Show the choice of a preset; choosing one sets everything."""
        key = self.key(PRESET)
        if key not in st.session_state:
            st.session_state[key] = self.preset
        self.presets.draw(key, lambda: self.reset(st.session_state[key]))

    def draw_warnings(self) -> None:
        """Say what was wrong with the address, if anything was."""
        if self.warnings:
            st.warning(
                "Not all of the address could be used; the preset's own settings stand in for it.\n"
                + "\n".join(f"- {literal(warning)}" for warning in self.warnings)
            )

    def reset(self, preset: str) -> None:
        """Set everything as a preset has it; for a widget's callback."""
        self._set(preset, dict(self.values[preset]))

    def put(self, **values: Any) -> None:
        """Set some settings; for a widget's callback, or before their widgets are shown."""
        self._record["now"].update(values)
        for name, value in values.items():
            st.session_state[self.key(name)] = value

    def address(self) -> dict[str, str]:
        """Return the address of the settings."""
        preset = {PRESET: self.preset} if self.preset != next(iter(self.values)) else {}
        return preset | {name: self.fields[name].write(self[name]) for name in self._differing()}

    def publish(self) -> None:
        """Write the settings to the address; at the end of a run."""
        address = self.address()
        if address != self._record["address"]:
            self._record["past"] = [*self._record.get("past", []), self._record["address"]][-PAST:]
        self._record["address"] = address
        st.session_state.setdefault("addresses", {})[self.page] = address
        changed = address != st.query_params.to_dict()
        # What the page before wrote last may have come to the browser after the reader had gone back from it.
        late = not self._stayed and _by_history() and st.session_state.get("address unheard", False)
        st.session_state["address unheard"] = changed
        if changed or late:
            st.query_params.from_dict(address)

    def _arrive(self) -> None:
        address = st.query_params.to_dict()
        left = st.session_state.get("page")
        self._stayed = left == self.page
        st.session_state["page"] = self.page
        if not self._record:
            self._read(address)
        elif address != self._record["address"]:
            written = st.session_state.get("addresses", {})
            if _by_history():  # what the page before wrote last may stand in for the address
                stale = bool(address) and not self._stayed and address == written.get(left)
            else:
                # A second choice soon after the first comes along with the address as it was before that one; a choice
                # soon after the way from another page, with that page's.
                past = [*self._record.get("past", []), *written.values()]
                stale = not address or (self._stayed and address in past)
            if not stale:
                self._read(address)

    def _read_widgets(self) -> None:
        """Take over what the widgets hold, so that a page may show what follows from it before it shows them."""
        for name, field in self.fields.items():
            if (key := self.key(name)) in st.session_state:
                self._record["now"][name] = field.read(field.write(st.session_state[key]))

    def _read(self, address: Mapping[str, str]) -> None:
        warnings = []
        preset = address.get(PRESET, next(iter(self.values)))
        if preset not in self.values:
            warnings.append(f"{PRESET}={preset} is none of {', '.join(self.values)}")
            preset = next(iter(self.values))
        values = dict(self.values[preset])
        for name, text in address.items():
            if name in self.fields:
                try:
                    values[name] = self.fields[name].read(text)
                except ValueError as error:
                    warnings.append(f"{name}={text} {error}")
            elif name != PRESET:
                warnings.append(f"{name} is no setting of this page")
        self._set(preset, values)
        self._record |= {"warnings": warnings, "arrived": dict(values), "address": dict(address)}

    def _set(self, preset: str, values: dict[str, Any]) -> None:
        self._record |= {PRESET: preset, "now": values}
        st.session_state[self.key(PRESET)] = preset
        for name, value in values.items():
            st.session_state[self.key(name)] = value

    def key(self, name: str) -> str:
        """Return the session's key of a setting's widget."""
        return f"{self.page}.{name}"


def _by_history() -> bool:
    """Return whether the reader came to this address by the browser's back or forward, and not by a link."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
