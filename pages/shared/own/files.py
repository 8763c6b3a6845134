"""Files of the reader's own on a page: which they are, whether they may run, what their probe says, their settings.

The page reads a file as text. What runs it is the probe's process, and a trainer, once the reader has confirmed it: the
content that was shown, whatever the file has by then.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from fop_core.printable import printable
from fop_core.runs import confirmed, plugins
from fop_core.runs.plugins import MAKES, PluginError, Source
from fop_core.training.config import TrainConfig
from fop_core.training.probe import client
from fop_core.training.probe.client import Probed, ProbeError
from pages.shared.drawn import Drawn
from pages.shared.own import probe as own_probe
from pages.shared.own import settings as own_settings
from pages.shared.reruns import run_again
from pages.shared.text import literal
from pages.shared.train.fields import setting

BEAT = 0.1  # seconds between two looks at a probe
PARTS = {"data": "data", "model": "network", "optimizer": "optimizer"}
PASTED = "pasted.py"


class OwnFiles:
    """The files that a page's reader has chosen.

    Args:
        page: whose; keys in the session begin with it.
        on_change: called, in a widget's callback, once a file was taken or dropped.

    Attributes:
        sources: the files by the part that each makes.
        paths: where these are, as the command line takes them.
    """

    def __init__(self, page: str, on_change: Callable[[], None] = lambda: None) -> None:
        self.page, self._on_change = page, on_change
        record = st.session_state.setdefault(f"{page} own", {})
        self.sources: dict[str, Source] = record.setdefault("sources", {})
        self.paths: dict[str, str] = record.setdefault("paths", {})
        self._values: dict[str, dict[str, Any]] = record.setdefault("values", {})
        self._schemas: dict[str, Any] = record.setdefault("schemas", {})
        self._record = record

    def take(self) -> None:
        """Take the file that the widgets name, or its text; for a widget's callback. Nothing of it is run."""
        path, pasted = (st.session_state.get(f"{self.page} own {what}", "").strip() for what in ("path", "text"))
        try:
            if bool(path) == bool(pasted):
                raise ValueError("Give either a path or a text.")
            self._take(plugins.read(path) if path else plugins.text(PASTED, pasted.encode() + b"\n"), path or PASTED)
        except ValueError as error:
            self._record["trouble"] = str(error)
            return
        st.session_state[f"{self.page} own text"] = ""

    def _take(self, source: Source, path: str) -> None:
        if source.fault:
            raise ValueError(source.fault)
        if not source.offers:
            raise ValueError(f"{source.file} has none of {', '.join(MAKES.values())}.")
        self._record["trouble"] = ""
        for part in MAKES:
            if part in source.offers:
                self.sources[part], self.paths[part] = source, path
                self._forget(part)
        self._on_change()

    def drop(self, source: Source) -> None:
        """Go on without a file; for a widget's callback."""
        for part in [part for part, each in self.sources.items() if each == source]:
            del self.sources[part], self.paths[part]
            self._forget(part)
        self._on_change()

    def _forget(self, part: str) -> None:
        self._values.pop(part, None)
        self._schemas.pop(part, None)
        self._record["taken"] = self._record.get("taken", 0) + 1

    def settings(self) -> tuple[str, ...]:
        """Return what the reader has set of the files' settings, as ``--set`` takes it."""
        changed = []
        for part, values in self._values.items():
            for name, (field, begins) in own_settings.of(self._schemas.get(part)).items():
                if name in values and values[name] != begins:
                    changed.append(setting(f"{part}.settings.{name}", own_settings.value(field, values[name])))
        return tuple(changed)

    def plugged(self, made: TrainConfig) -> TrainConfig:
        """Return a config in which the files make what they make.

        Raises:
            ConfigError: where that does not go together.
        """
        return client.plugged(made, self.sources, self.settings())

    def probed(self, made: TrainConfig) -> Probed | None:
        """Return what the probe of a config said, or None: it has not come to its end, or to a good one."""
        if plugins.refused(self.sources):
            return None
        future = own_probe.future(made, self.sources)
        return future.result() if future.done() and future.exception() is None else None

    def obstacle(self, made: TrainConfig) -> str:
        """Return why the files keep runs of a config from being launched, as Markdown; or ""."""
        if not made.plugins:
            return ""
        if plugins.refused(self.sources):
            return "A file of your own has to be confirmed first, below."
        future = own_probe.future(made, self.sources)
        if not future.done():
            return "A file of your own is being tried, below."
        return "A file of your own does not do, see below." if future.exception() is not None else ""

    def draw(self) -> None:
        """Show the files, their settings, and how another one is chosen."""
        with st.expander("Files of your own", expanded=bool(self.sources), key=f"{self.page} own files"):
            if why := confirmed.forbidden():
                st.caption(literal(f"{why[0].upper()}{why[1:]}."))
                return
            for source in dict.fromkeys(self.sources.values()):
                self._draw_source(source)
            st.caption(
                "A Python file with make_optimizer, make_model or make_data. It is read now, and run once you say so."
            )
            # One form: a path that is left by the click on the button comes with the click, not before it.
            with st.form(f"{self.page} own choose", border=False):
                st.text_input(
                    "Path of a Python file", key=f"{self.page} own path", placeholder="examples/plugins/lion.py"
                )
                st.text_area("Or its text", key=f"{self.page} own text", height=120)
                st.form_submit_button("Take it", on_click=self.take, key=f"{self.page} own take")
            if trouble := self._record.get("trouble"):
                st.error(literal(trouble))

    def _draw_source(self, source: Source) -> None:
        makes = [part for part, each in self.sources.items() if each == source]
        with st.container(horizontal=True, vertical_alignment="center"):
            words = " and ".join(PARTS[part] for part in makes)
            st.markdown(f"**{literal(source.file)}** makes the {words}", width="stretch")
            st.button(
                "Remove",
                on_click=lambda: self.drop(source),
                key=f"{self.page} own remove {source.digest}",
            )
        self._draw_changed(source, self.paths[makes[0]])
        try:
            is_confirmed = confirmed.is_confirmed(source.digest)
        except OSError as error:
            st.error(literal(str(error)))
            return
        if not is_confirmed:
            text = source.content.decode(errors="replace")
            st.code(printable(text, "\n\r\t"), language="python", height=300)  # nothing in it hides what it says
            st.warning(f"{plugins.RIGHTS} Read it first.")
            st.button("Let it run", on_click=lambda: self._confirm(source), key=f"{self.page} own run {source.digest}")
            return
        for part in makes:
            self._draw_settings(part)

    def _confirm(self, source: Source) -> None:
        try:
            confirmed.confirm(source.digest)
        except OSError as error:
            self._record["trouble"] = str(error)

    def _draw_changed(self, source: Source, path: str) -> None:
        """Say where a file is not what was taken any more: what was taken is what runs."""
        if path == PASTED:
            return
        try:
            now = plugins.read(path)
        except PluginError:
            return  # gone, which changes nothing
        if now.digest != source.digest:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(f"{literal(source.file)} has changed since you took it.", width="stretch")
                st.button(
                    "Take it anew",
                    on_click=lambda: self._take_anew(path),
                    key=f"{self.page} own anew {source.digest}",
                )

    def _take_anew(self, path: str) -> None:
        try:
            self._take(plugins.read(path), path)
        except ValueError as error:
            self._record["trouble"] = str(error)

    def _draw_settings(self, part: str) -> None:
        fields = own_settings.of(self._schemas.get(part))
        if not fields:
            return
        st.markdown(f"Settings of the {PARTS[part]}")
        values = self._values.setdefault(part, {})
        for name, (field, begins) in fields.items():
            # The widgets of another file are others: what the browser still says of those before means nothing.
            key = f"{self.page} own {part}.{name} {self._record['taken']}"
            drawn = Drawn(self.page)
            drawn.give(key, values.get(name, begins))
            field.draw(key, drawn.heeded(key, partial(self._keep, part, name, key)))

    def _keep(self, part: str, name: str, key: str) -> None:
        """Keep what a widget holds; for its callback. So it is known before the widget is drawn again."""
        self._values.setdefault(part, {})[name] = st.session_state[key]

    def show(self, made: TrainConfig) -> None:
        """Show what the probe says; wait for it. Any change or click of the reader ends the waiting, not the work."""
        if plugins.refused(self.sources):
            st.caption("Shown once your file may run.")
            return
        future, begun = own_probe.future(made, self.sources), time.monotonic()
        names = literal(", ".join(dict.fromkeys(source.file for source in self.sources.values())))
        line, limit = st.empty(), client.Limits().seconds
        waited = not future.done()
        while not future.done():
            seconds = time.monotonic() - begun
            line.progress(min(1.0, seconds / limit), f"Trying {names} in a process of its own, {seconds:.0f} s")
            time.sleep(BEAT)
        error = future.exception()
        known: Mapping[str, Any] = future.result().schemas if error is None else getattr(error, "schemas", {})
        news = {part: schema for part, schema in known.items() if self._schemas.get(part) != schema}
        self._schemas.update(news)
        if waited or news:  # the button and the settings are above
            run_again()
        with line.container():
            if error is None:
                _summary(names, future.result())
                return
            st.error(literal(str(error)))
            if isinstance(error, ProbeError) and error.log.strip():
                st.code(error.log.strip(), language=None)
            st.button(
                "Try it again", on_click=lambda: own_probe.again(made, self.sources), key=f"{self.page} own again"
            )


def _summary(names: str, probed: Probed) -> None:
    words = [f"{names} took one step: {probed.parameters:,} numbers are trained, its loss was {probed.loss:.3g}."]
    if probed.samples is not None and probed.steps is not None:
        words.append(f"{probed.samples:,} samples, {probed.steps:,} steps.")
    st.caption(" ".join(words))
    for note in probed.notes:
        st.info(literal(f"FOP: {note}."))
