"""Files of the reader's own: which they are, whether they may run, what their probe says, and their settings.

The page reads a file as text. What runs it is the probe's process, and a trainer, once the reader has confirmed it.
"""

import json
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import streamlit as st

from fop_core.runs import confirmed, plugins
from fop_core.runs.plugins import MAKES, PluginError, Source
from fop_core.training import probe
from fop_core.training.config import ConfigError, TrainConfig, parse
from fop_core.training.probe import Probed, ProbeError
from pages.shared.fields import Choice, Field, Flag
from pages.shared.text import literal
from pages.shared.train_fields import Line, plain, setting
from pages.shared.train_settings import help_text
from pages.train.draft import Draft, Planned
from pages.train.format import count

BEAT = 0.1  # seconds between two looks at a probe
PARTS = {"data": "data", "model": "network", "optimizer": "optimizer"}
PASTED = "pasted.py"
SHOWN = ("data", "model", "optimizer", "schedule", "fop", "batch_size")
"""The settings that a probe depends on."""

Schemas = Mapping[str, Mapping[str, Any]]


def sources() -> dict[str, Source]:
    """Return the files that are chosen, by the part that each makes."""
    return st.session_state.setdefault("train own", {})


def take() -> None:
    """Take the file that the widgets name, or its text; for a widget's callback. Nothing of it is run."""
    path, pasted = (st.session_state.get(f"train own {what}", "").strip() for what in ("path", "text"))
    try:
        if bool(path) == bool(pasted):
            raise ValueError("Give either a path or a text.")
        source = plugins.read(path) if path else plugins.text(PASTED, pasted.encode() + b"\n")
        if source.fault:
            raise ValueError(source.fault)
        if not source.offers:
            raise ValueError(f"{source.file} has none of {', '.join(MAKES.values())}.")
    except ValueError as error:
        st.session_state["train own trouble"] = str(error)
        return
    st.session_state["train own trouble"] = ""
    for part in MAKES:
        if part in source.offers:
            sources()[part] = source
            _paths()[part] = path or PASTED
            _values().pop(part, None)
    st.session_state["train own text"] = ""


def drop(source: Source) -> None:
    """Go on without a file; for a widget's callback."""
    for part in [part for part, each in sources().items() if each == source]:
        del sources()[part]
        _values().pop(part, None)


def applied(drafted: Draft) -> Draft:
    """Return a draft whose runs are made by the chosen files, where they make them."""
    if not sources() or drafted.config is None:
        return drafted
    try:
        pairs = tuple((_plugged(ours), theirs and _plugged(theirs)) for ours, theirs in drafted.pairs)
        return replace(drafted, config=pairs[0][0].config, pairs=pairs)
    except ConfigError as error:
        return Draft(wrong={"": str(error)})


def _plugged(run: Planned) -> Planned:
    here = sources()
    made = probe.plugged(run.config, here, _settings())
    kept = tuple(each for each in run.settings if each.partition(".")[0] not in here)
    return replace(run, config=made, settings=(*kept, *_settings()), sources=dict(here), paths=dict(_paths()))


def completed(drafted: Draft) -> Draft:
    """Return a draft whose configs have every setting of its files, as their probe said; it has come to its end."""
    if drafted.config is None or not drafted.config.plugins:
        return drafted
    probed = _future(*_key(drafted.config)).result()

    def whole(run: Planned) -> Planned:
        return replace(run, config=probe.completed(run.config, probed))

    pairs = tuple((whole(ours), theirs and whole(theirs)) for ours, theirs in drafted.pairs)
    return replace(drafted, config=pairs[0][0].config, pairs=pairs)


def obstacle(made: TrainConfig) -> str:
    """Return why the chosen files keep runs from being launched, as Markdown; or ""."""
    if not made.plugins:
        return ""
    if plugins.refused(sources()):
        return "A file of your own has to be confirmed first, below."
    future = _future(*_key(made))
    if not future.done():
        return "A file of your own is being tried, below."
    return "A file of your own does not do, see below." if future.exception() is not None else ""


def draw(made: TrainConfig | None) -> None:
    """Show the files, their settings, and how another one is chosen."""
    with st.expander("Files of your own", expanded=bool(sources()), key="train own files"):
        if why := confirmed.forbidden():
            st.caption(literal(f"{why[0].upper()}{why[1:]}."))
            return
        for source in dict.fromkeys(sources().values()):
            _draw_source(source, made)
        st.caption(
            "A Python file with make_optimizer, make_model or make_data. It is read now, and run once you say so."
        )
        st.text_input("Path of a Python file", key="train own path", placeholder="examples/plugins/lion.py")
        st.text_area("Or its text", key="train own text", height=120)
        st.button("Take it", on_click=take, key="train own take")
        if trouble := st.session_state.get("train own trouble"):
            st.error(literal(trouble))


def _draw_source(source: Source, made: TrainConfig | None) -> None:
    makes = [part for part, each in sources().items() if each == source]
    with st.container(horizontal=True, vertical_alignment="center"):
        words = " and ".join(PARTS[part] for part in makes)
        st.markdown(f"**{literal(source.file)}** makes the {words}", width="stretch")
        st.button("Remove", on_click=lambda: drop(source), key=f"train own remove {source.digest}")
    if why := plugins.refused({"": source}):
        st.code(source.content.decode(errors="replace"), language="python", height=300)
        st.warning(f"{plugins.RIGHTS} Read it first.")
        if not confirmed.is_confirmed(source.digest):
            st.button(
                "Let it run", on_click=lambda: confirmed.confirm(source.digest), key=f"train own run {source.digest}"
            )
        else:
            st.error(literal(why))
        return
    known = _schemas(made)
    for part in makes:
        _draw_settings(part, known.get(part, {}))


def _draw_settings(part: str, schema: Mapping[str, Any]) -> None:
    fields = _fields(schema)
    if not fields:
        return
    st.markdown(f"Settings of the {PARTS[part]}")
    values = _values().setdefault(part, {})
    for name, field in fields.items():
        key = f"train own {part}.{name}"
        st.session_state.setdefault(key, values.get(name, _default(field, schema["properties"][name])))
        field.draw(key, lambda part=part, name=name, key=key: _keep(part, name, key))  # type: ignore[misc]


def _keep(part: str, name: str, key: str) -> None:
    """Keep what a widget holds; for its callback. So it is known before the widget is drawn again."""
    _values().setdefault(part, {})[name] = st.session_state[key]


def _values() -> dict[str, dict[str, Any]]:
    return st.session_state.setdefault("train own values", {})


def _paths() -> dict[str, str]:
    return st.session_state.setdefault("train own paths", {})


def _settings() -> tuple[str, ...]:
    """Return what the reader has set of the files' settings, as ``--set`` takes it."""
    known = st.session_state.get("train own schemas", {})
    changed = []
    for part, values in _values().items():
        schema = known.get(part, {})
        for name, field in _fields(schema).items():
            if name in values and values[name] != _default(field, schema["properties"][name]):
                value = field.config_value(values[name]) if isinstance(field, Line) else values[name]
                changed.append(setting(f"{part}.settings.{name}", value))
    return tuple(changed)


def _fields(schema: Mapping[str, Any]) -> dict[str, Field]:
    """Return a field for each property of a JSON schema; one that is neither words nor a number is typed as JSON."""
    return {name: _field(name, about) for name, about in schema.get("properties", {}).items()}


def _field(name: str, about: Mapping[str, Any]) -> Field:
    every = about.get("anyOf", [about])
    kinds = [kind for kind in every if kind.get("type") != "null"]
    optional, kind = len(kinds) < len(every), kinds[0] if len(kinds) == 1 else {}
    words = help_text(str(about.get("description") or name.replace("_", " ")), kinds, optional)
    options = kind.get("enum", ())
    if kind.get("type") == "boolean" and "default" in about:
        return Flag(name, words)
    if options and all(isinstance(word, str) for word in options) and "default" in about:
        return Choice(name, {word: word for word in options}, words)
    form = {"string": "words", "array": "list"}.get(kind.get("type", ""), "number")
    return Line(name, 500, words, "none" if optional else "", form, optional)


def _default(field: Field, about: Mapping[str, Any]) -> Any:
    default = about.get("default")
    return plain(default) if isinstance(field, Line) else default


def show(made: TrainConfig) -> None:
    """Show what the probe says; wait for it. Any change or click of the reader ends the waiting, not the work."""
    if plugins.refused(sources()):
        st.caption("Shown once your file may run.")
        return
    future, begun = _future(*_key(made)), time.monotonic()
    names = literal(", ".join(dict.fromkeys(source.file for source in sources().values())))
    line = st.empty()
    waited = not future.done()
    while not future.done():
        seconds = time.monotonic() - begun
        line.progress(
            min(1.0, seconds / probe.Limits.seconds), f"Trying {names} in a process of its own, {seconds:.0f} s"
        )
        time.sleep(BEAT)
    error = future.exception()
    known = error.schemas if isinstance(error, ProbeError) else {} if error is not None else future.result().schemas
    news = {**st.session_state.get("train own schemas", {}), **known}
    changed = news != st.session_state.get("train own schemas", {})
    st.session_state["train own schemas"] = news
    if waited or changed:  # the button and the settings are above
        st.rerun()
    with line.container():
        if error is None:
            _summary(names, future.result())
        else:
            st.error(literal(str(error)))
            if isinstance(error, ProbeError) and error.log.strip():
                st.code(error.log.strip(), language=None)
            st.button("Try it again", on_click=lambda: _future.clear(*_key(made)), key="train own again")


def _summary(names: str, probed: Probed) -> None:
    words = [f"{names} took one step: {count(probed.parameters)} numbers are trained, its loss was {probed.loss:.3g}."]
    if probed.samples is not None and probed.steps is not None:
        words.append(f"{count(probed.samples)} samples, {count(probed.steps)} steps.")
    st.caption(" ".join(words))


def _schemas(made: TrainConfig | None) -> Schemas:
    return st.session_state.get("train own schemas", {}) if made is not None else {}


def _key(made: TrainConfig) -> tuple[str, str]:
    content = made.to_json()
    whole = TrainConfig().to_json() | {name: content[name] for name in SHOWN}
    return json.dumps(whole, sort_keys=True), ",".join(source.digest for source in sources().values())


@st.cache_resource(max_entries=64, show_spinner=False)
def _future(settings: str, digests: str) -> "Future[Probed]":
    return _pool().submit(_try, parse(json.loads(settings)), dict(sources()))


def _try(made: TrainConfig, files: Mapping[str, Source]) -> Probed:
    """Return what a probe says. Files that are no more chosen, or were changed, are not tried."""
    try:
        return probe.probe(made, files)
    except PluginError as error:
        raise ProbeError(("", str(error))) from None


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)
