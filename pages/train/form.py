"""The form of the Train page: a preset and a method together say what every setting is to begin with."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from fop_core.runs import compare
from fop_core.training import config
from fop_core.training.config import BASES, METHODS
from pages.shared.clone import CloneError, clone
from pages.shared.fields import Choice
from pages.shared.form import PRESET, Form
from pages.shared.text import literal
from pages.shared.train.settings import FIELDS, KEPT, PRESETS, shown, values

PATH = "data.path"


class TrainForm(Form):
    """All settings of a training run. ``?from=RUN`` in the address begins with those of another run."""

    def __init__(self) -> None:
        self.replaced: Mapping[str, str] = {}  # settings that a file's own stand in for, with its name
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
        usual = now["optimizer.name"]
        if METHODS[chosen].fop is None and self["optimizer.name"] != usual:
            self._to_base(self["optimizer.name"], usual)

    def to_base(self) -> None:
        """Set what belongs to the base optimizer that was just chosen; for a widget's callback."""
        before = self["optimizer.name"]
        self.read_widgets()
        self._to_base(before, self["optimizer.name"])

    def _to_base(self, before: str, name: str) -> None:
        """Set what a base has by default; a rate and a weight decay that the reader has set stay."""
        old, new = (
            compare.flat({"optimizer": config.base(self.preset, self["method"], each).model_dump()})
            for each in (before, name)
        )
        may_stay = ("optimizer.lr", "optimizer.weight_decay")
        stay = [path for path in may_stay if self[path] != shown(path, old[path])]
        self.put(**{path: shown(path, value) for path, value in new.items() if path not in stay})

    def draw_marked(self, name: str, wrong: Mapping[str, str]) -> None:
        """Show a setting's widget, and under it what is wrong with it."""
        with st.container(gap="xxsmall"):
            self.draw(name, {"method": self.to_method, "optimizer.name": self.to_base}.get(name))
            if name in wrong:
                st.markdown(f":red[:small[:material/error: {literal(wrong[name])}]]")

    def changed(self) -> list[str]:
        """Return the names of settings that differ from the preset with this method."""
        fop = METHODS[self["method"]].fop is not None
        return [name for name in self._differing() if self._counts(name) and (fop or not name.startswith("fop."))]

    def _counts(self, name: str) -> bool:
        return name not in ("method", "seeds", "name", "compare", "from") and name not in self.replaced

    def _differing(self) -> list[str]:
        then = values(self.preset, self["method"])
        return [name for name in self.fields if self[name] != then[name]]

    def _read(self, address: Mapping[str, str]) -> None:
        warnings, settings = [], dict(address)
        if set(address) == {"from"}:
            try:
                settings = clone(address["from"])
            except CloneError as error:
                warnings, settings = [str(error)], {}
        preset = settings.get(PRESET, next(iter(self.values)))
        method = settings.get("method", "fop")
        if preset in self.values and method in METHODS:
            self.values = {**self.values, preset: values(preset, method)}
        super()._read(settings)
        self._record["warnings"] = [*warnings, *self._record["warnings"]]
        self._record["address"] = dict(address)
        if (path := self[PATH].strip()) and path not in self._record.get("checked", set()):
            self._record.setdefault("unchecked", set()).add(path)


def about(form: TrainForm) -> str:
    """Return what the method is, with the base optimizer that it has now."""
    method, base = form["method"], form["optimizer.name"]
    text = METHODS[method].about
    if file := form.replaced.get("optimizer.name"):
        return (
            f"FOP around {file}"
            if method == "fop"
            else f"{text}, around {file}"
            if METHODS[method].fop
            else f"{file} alone"
        )
    if base == values(form.preset, method)["optimizer.name"]:
        return text
    if METHODS[method].fop is None:
        return f"{BASES[base]} instead of {text}"
    return f"FOP around {BASES[base]}" if method == "fop" else f"{text}, around {BASES[base]}"


def label(form: Form, name: str) -> str:
    """Return what a setting is called inside a sentence."""
    called = form.fields[name].label
    return called if called[:2].isupper() else called[0].lower() + called[1:]


def _format(form: Form, name: str) -> str:
    """Return a setting's value as its reader knows it."""
    field, value = form.fields[name], form[name]
    if isinstance(field, Choice):
        return field.options[value]
    return _format_value(value)


def differences(form: Form) -> list[tuple[str, str, str]]:
    """Return label, present value and the preset's for each setting that differs from it."""
    then = values(form.preset, form["method"])
    rows = []
    for name in form.changed():
        field = form.fields[name]
        before = field.options[then[name]] if isinstance(field, Choice) else _format_value(then[name])
        rows.append((label(form, name), _format(form, name), before))
    return rows


def _format_value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or "none"
