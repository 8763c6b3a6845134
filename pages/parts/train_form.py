"""The form of the Train page: a preset and a method together say what every setting is to begin with."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fop_core.training import config
from fop_core.training.config import METHODS
from pages.parts.fields import Choice
from pages.parts.form import PRESET, Form
from pages.parts.text import literal
from pages.parts.train_clone import CloneError, clone
from pages.parts.train_settings import FIELDS, KEPT, PRESETS, values

PATH = "data.path"


class TrainForm(Form):
    """All settings of a training run. ``?from=RUN`` in the address begins with those of another run."""

    def __init__(self) -> None:
        super().__init__("train", PRESETS, FIELDS, {name: values(name, "fop") for name in config.PRESETS})
        if not self.unchecked(self[PATH]):
            self._record.setdefault("checked", set()).add(self[PATH].strip())

    def unchecked(self, path: str | None) -> bool:
        """Return whether a folder came with an address, which may be anybody's, and the reader has not asked for it."""
        return bool(path) and str(path).strip() in self._record.get("unchecked", set())

    def check(self, path: str) -> None:
        """Look into a folder that came with the address from now on; for a widget's callback."""
        self._record["unchecked"].discard(path.strip())

    def reset(self, preset: str) -> None:
        """Set everything as a preset has it with the present method; for a widget's callback."""
        method = self["method"]
        self._set(preset, {**values(preset, method), "method": method})

    def to_preset(self, preset: str) -> None:
        """Go on with another preset, and what does not depend on it; for a widget's callback."""
        kept = {name: self[name] for name in KEPT}
        self._set(preset, {**values(preset, self["method"]), **kept})

    def to_method(self) -> None:
        """Set what the method that was just chosen sets otherwise than the one before; for a widget's callback."""
        chosen = st.session_state[self.key("method")]
        then, now = values(self.preset, self["method"]), values(self.preset, chosen)
        self.put(**{name: now[name] for name in FIELDS if now[name] != then[name]}, method=chosen)

    def draw_presets(self) -> None:
        """Show the choice of a preset."""
        key = self.key(PRESET)
        if key not in st.session_state:
            st.session_state[key] = self.preset
        self.presets.draw(key, lambda: self.to_preset(st.session_state[key]))

    def hear(self) -> None:
        """Take over what the widgets hold now: a click may come with the last change, before the page has seen it."""
        self._hear()

    def draw_marked(self, name: str, wrong: Mapping[str, str]) -> None:
        """Show a setting's widget, and under it what is wrong with it."""
        with st.container(gap="xxsmall"):
            self.draw(name, self.to_method if name == "method" else None)
            if name in wrong:
                st.markdown(f":red[:small[:material/error: {literal(wrong[name])}]]")

    def changed(self) -> list[str]:
        """Return the names of settings that differ from the preset with this method."""
        aside = ("method", "seeds", "name", "compare", "from")
        fop = METHODS[self["method"]].fop is not None
        return [name for name in self._differing() if name not in aside and (fop or not name.startswith("fop."))]

    def _differing(self) -> list[str]:
        then = values(self.preset, self["method"])
        return [name for name in self.fields if self[name] != then[name]]

    def _read(self, address: Mapping[str, str]) -> None:
        warnings, given = [], dict(address)
        if set(address) == {"from"}:
            try:
                given = clone(address["from"])
            except CloneError as error:
                warnings, given = [str(error)], {}
        preset = given.get(PRESET, next(iter(self.values)))
        method = given.get("method", "fop")
        if preset in self.values and method in METHODS:
            self.values = {**self.values, preset: values(preset, method)}
        super()._read(given)
        self._record["warnings"] = [*warnings, *self._record["warnings"]]
        self._record["address"] = dict(address)
        if (path := self[PATH].strip()) and path not in self._record.get("checked", set()):
            self._record.setdefault("unchecked", set()).add(path)


def forget() -> None:
    """Let the page begin as for the first time, when it is opened next with nothing in its address."""
    st.session_state.pop("train settings", None)


def label(form: Form, name: str) -> str:
    """Return what a setting is called inside a sentence."""
    called = form.fields[name].label
    return called if called[:2].isupper() else called[0].lower() + called[1:]


def _word(form: Form, name: str) -> str:
    """Return a setting's value as its reader knows it."""
    field, value = form.fields[name], form[name]
    if isinstance(field, Choice):
        return field.options[value]
    return _said(value)


def differences(form: Form) -> list[tuple[str, str, str]]:
    """Return label, present value and the preset's for each setting that differs from it."""
    then = values(form.preset, form["method"])
    found = []
    for name in form.changed():
        field = form.fields[name]
        before = field.options[then[name]] if isinstance(field, Choice) else _said(then[name])
        found.append((label(form, name), _word(form, name), before))
    return found


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or "none"
