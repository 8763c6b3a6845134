"""A new study: its settings in the sidebar, what it takes, and the button that launches it."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from fop_core import quantities
from fop_core.figures.studies import shown
from fop_core.figures.training_curves import named
from fop_core.formatting import duration, run_count, size
from fop_core.jobs import queue
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.plugins import PluginError
from fop_core.studies import cells, predict, protocol, submit
from fop_core.studies.predict import Cost, Detectable, Prediction
from fop_core.studies.protocol import Study
from fop_core.training import config, datasets
from fop_core.training.config import ConfigError
from pages.shared import run_text
from pages.shared.form import Form
from pages.shared.listing import listing
from pages.shared.own.files import OwnFiles
from pages.shared.shell import folders
from pages.shared.text import literal
from pages.shared.train.fields import setting
from pages.shared.train.settings import LABELS
from pages.studies import draft as drafts
from pages.studies.draft import Draft
from pages.studies.own import arguments
from pages.studies.settings import COMPOSED
from pages.studies.shown import table

EVEN = {
    "grid": "“As many of each” gives every method the same number, as long as its axes have as many values.",
    "quasi-random": "Points that fall on the same values of a list are one setting: more values even it out.",
}
TWICE = 2.0  # seconds in which a second click is the same click
MUCH = 20  # runs from which on the page asks before it starts them
LONG = 600.0  # seconds likewise
KEPT = 15.0  # seconds for which a prediction by runs that are there is kept
TROUBLE, LAUNCHED = "studies trouble", "studies launched"
MEASURE, MEASURED = "studies measure now", "studies measured"
FIRST = ("methods", "axes")
GROUPS = {
    "Variants of methods": ("variants",),
    "How settings are tried": ("sampling", "trials", "ending", "limit"),
    "How the winner is chosen": ("choose", "at"),
    "What is compared": ("baseline", "column", "target", "value"),
    "Settings for all": ("base",),
}


def sidebar(form: Form, wrong: Mapping[str, str], own_fields: Mapping[str, Any]) -> None:
    """Show all settings of a new study, each with what is wrong with it; those of the reader's files can be axes."""
    form.draw_presets()
    for name in FIRST:
        _marked(form, name, wrong)
    _add_axis(form, own_fields)
    for pair in (("seeds", "fresh"), ("epochs", "name")):
        for column, name in zip(st.columns(len(pair)), pair):
            with column:
                _marked(form, name, wrong)
    st.markdown("**More**")
    for title, names in GROUPS.items():
        here = [name for name in names if _applies(form, name)]
        bad = sum(name in wrong for name in here)
        with st.expander(f"{title}: {bad} wrong" if bad else title, expanded=bad > 0, key=f"studies {title} {bad > 0}"):
            for name in here:
                _marked(form, name, wrong)
    changed = [name for name in form.changed() if name in COMPOSED]
    st.button(
        "Reset to the preset", on_click=lambda: form.reset(form.preset), disabled=not changed, key="studies reset"
    )


def _applies(form: Form, name: str) -> bool:
    if name == "trials":
        return form["sampling"] == "quasi-random"
    return name != "value" or bool(form["target"])


def _marked(form: Form, name: str, wrong: Mapping[str, str]) -> None:
    with st.container(gap="xxsmall"):
        form.draw(name)
        if name in wrong:
            st.markdown(f":red[:small[:material/error: {literal(wrong[name])}]]")


def _add_axis(form: Form, own_fields: Mapping[str, Any]) -> None:
    """Offer every setting as an axis; one that is chosen is written down with the value that it has without."""
    key = "studies axis"

    def add() -> None:
        field = st.session_state[key]
        st.session_state[key] = None
        if field is None:
            return
        settings = config.preset(form.preset, "fop").to_json()
        section, _, name = field.rpartition(".")
        value = own_fields[field] if field in own_fields else (settings[section] if section else settings)[name]
        line = setting(field, value)
        text = st.session_state.get(form.key("axes"), form["axes"]).rstrip()
        form.put(axes=f"{text}\n{line}" if text else line)

    st.selectbox(
        "Add an axis",
        [*own_fields, *sorted(field for field in LABELS if field != "data.held_out")],
        index=None,
        key=key,
        on_change=add,
        format_func=lambda field: f"{LABELS[field]} ({field})" if field in LABELS else field,
        placeholder="a setting",
        help="It is written above with the preset's own value: put more beside it.",
    )


@st.cache_data(ttl=KEPT, max_entries=64, show_spinner=False)
def _predicted(study: str, folder: str) -> tuple[Prediction, Detectable | None]:
    """Return what a study, as JSON, takes and can show, by the runs that are in a folder."""
    of = protocol.parse(json.loads(study))
    return predict.predict(of, Path(folder)), predict.detectable(of, Path(folder))


def predicted(study: Study, own: OwnFiles) -> tuple[Prediction | None, Detectable | None]:
    """Return what a study takes, measured now where the reader has asked for it, and which difference it can show."""
    text = json.dumps(study.to_json())
    measured: dict[str, Prediction] = st.session_state.setdefault(MEASURED, {})
    try:
        known, detectable = _predicted(text, str(runs.runs_folder()))
        if st.session_state.pop(MEASURE, "") == text:
            with st.spinner("Training a few steps of each method …"):
                measured[text] = predict.predict(study, probe=True, sources=own.sources)
    except (PluginError, ConfigError, DamagedFile, RunError, OSError) as error:
        st.warning(literal(str(error)))
        return measured.get(text), None
    return measured.get(text, known), detectable


def composed(form: Form, drafted: Draft, own: OwnFiles, waits: str) -> None:
    """Show what a study takes, and the button that launches it or why it cannot be.

    Args:
        form: the page's settings.
        drafted: what they ask for.
        own: files of the reader's own.
        waits: why these keep it from being launched; "" where they do not.
    """
    st.subheader("A new study", anchor=False)
    if drafted.study is None or waits:
        names = ", ".join(COMPOSED[name].label for name in drafted.wrong if name)
        st.button("Launch", disabled=True, key="studies launch")
        st.markdown(f"Wrong: {literal(names)}. What is expected stands beneath each, in the sidebar." if names else "")
        if waits:
            st.markdown(literal(waits))
        if "" in drafted.wrong:
            st.error(literal(drafted.wrong[""]))
        own.draw()
        return
    study = drafted.study
    known, detectable = predicted(study, own)
    missing = _missing(study)
    with st.container(horizontal=True, vertical_alignment="center"):
        if missing:
            st.button("Launch", disabled=True, key="studies launch")
            st.markdown(f"The data are missing: {missing}", width="stretch")
        else:
            _launch_button(form, drafted, known, own)
            st.markdown(literal(plan(drafted)), width="stretch")
    if trouble := st.session_state.pop(TROUBLE, ""):
        st.error(literal(trouble))
    own.draw()
    left, right = st.columns([2, 1], gap="medium")
    with left:
        _trials(drafted)
        st.caption(
            "Each method's winner is chosen on held-out images of the training set, and reported on the test set with "
            "fresh seeds."
        )
    with right:
        _takes(drafted, known)
        _slots()
        _detectable(study, detectable)
    st.subheader("The same from a shell", anchor=False)
    st.code("\n".join([*folders(), drafts.command(study, arguments(own))]), language="bash", wrap_lines=True)


def _missing(study: Study) -> str:
    """Return as Markdown why the data cannot be read, or ""; a folder that the address may name is not looked into."""
    data = cells.configured(study, study.methods[0], cells.points(study)[study.methods[0]][0], "report").data
    if data.path:
        return ""
    try:
        datasets.find(data)
    except (datasets.DataError, OSError) as error:
        return run_text.message(str(error))
    return ""


def plan(drafted: Draft) -> str:
    """Return in words what will be launched."""
    study = drafted.study
    assert study is not None
    fresh = len(study.fresh_seeds or ())
    of = "1 seed" if fresh == 1 else f"{fresh} seeds"
    methods = "1 method" if len(study.methods) == 1 else f"{len(study.methods)} methods"
    if not drafted.tuning:
        return f"{run_count(drafted.reporting)} to report: {methods} with {of} each."
    return (
        f"{run_count(drafted.tuning)} to choose the settings of {methods}, "
        f"then {run_count(drafted.reporting)} to report their winners with {of}."
    )


def _launch_button(form: Form, drafted: Draft, known: Prediction | None, own: OwnFiles) -> None:
    """Show the button; where much is started it asks first."""
    words = f"Launch {run_count(drafted.runs)}"
    long = known is not None and known.wall_seconds > LONG  # not a number where it is not known
    if drafted.runs < MUCH and not long:
        st.button(words, type="primary", on_click=_go, args=(form, drafted, own), key="studies launch")
        return
    with st.popover(f"{words}…", type="primary", width="content", key="studies ask"):
        st.markdown(literal(_question(drafted, known)))
        st.button(words, type="primary", on_click=_go, args=(form, drafted, own), key="studies launch")


def _question(drafted: Draft, known: Prediction | None) -> str:
    about = "a time that is not known yet"
    if known is not None and math.isfinite(known.seconds):
        about = f"about {duration(known.wall_seconds)} and {size(known.size)} on the disk"
    return (
        f"{run_count(drafted.runs)} wait in this machine's queue and take {about}. "
        "The study can be stopped at any time, and goes on from there."
    )


def _go(form: Form, promised: Draft, own: OwnFiles) -> None:
    """Launch what the widgets hold now, if that is as many runs as the button said."""
    form.read_widgets()
    assert promised.study is not None
    now = drafts.draft(form.preset, form.now, promised.study.to_json()["plugins"])
    again = time.monotonic() - st.session_state.get(LAUNCHED, -TWICE) < TWICE
    if again or now.study is None or now.runs != promised.runs:
        return
    try:
        if own.sources:  # a process of their own tries all settings first
            with st.spinner("Trying all settings of your own file …"):
                done = submit.submit(now.study, sources=own.sources)
        else:
            done = submit.submit(now.study)
    except (PluginError, ConfigError, RunError, DamagedFile, OSError) as error:
        st.session_state[TROUBLE] = str(error)
        return
    st.session_state[LAUNCHED] = time.monotonic()
    if done.troubles:
        st.session_state[TROUBLE] = "; ".join(dict.fromkeys(done.troubles.values()))
    listing(runs.runs_folder()).renew()  # they are there since this click
    form.put(study=done.stored.id, cell="", role="tune")


def _trials(drafted: Draft) -> None:
    """Show what is tried of each method."""
    study = drafted.study
    assert study is not None
    seeds, fresh = len(study.seeds), len(study.fresh_seeds or ())
    rows = []
    for method in study.methods:
        trials = drafted.trials[method]
        rows.append(
            {
                "Method": named(study.called(method)),
                "Settings tried": f"{trials:,}" if study.axes else "–",
                "Runs to choose": f"{trials * seeds:,}" if study.axes else "–",
                "Runs to report": f"{fresh:,}",
            }
        )
    table(rows)
    counts = {drafted.trials[method] for method in study.methods}
    if study.axes and len(counts) > 1:
        st.caption(f"Methods with more settings to try have more chances to be lucky. {EVEN[study.sampling]}")


def _takes(drafted: Draft, known: Prediction | None) -> None:
    """Show predicted time and disk, and what they are predicted from."""
    study = drafted.study
    assert study is not None
    with st.container(gap="xxsmall"):
        there = known.there if known is not None else 0
        already = f", {there:,} of them there already" if there else ""
        st.markdown(f"**Runs** {drafted.runs:,}{already}")
        if known is None or not math.isfinite(known.seconds):
            st.markdown("**Time** not known: no run here is like these.")
            st.button(
                "Measure time",
                on_click=_measure,
                args=(drafted,),
                key="studies measure",
                help="Trains the first steps of each method now, in a process of its own",
            )
            return
        slots = "" if known.slots == 1 else f" on {known.slots} slots"
        st.markdown(_pair("Time", f"about {duration(known.wall_seconds)}{slots}"))
        st.markdown(_pair("Disk", f"about {size(known.size)}"))
        st.caption(literal("; ".join(_source(study, cost) for cost in known.costs.values())))


def _source(study: Study, cost: Cost) -> str:
    by = "measured now"
    if cost.sources:
        several = f"{len(cost.sources)} runs" if len(cost.sources) > 1 else f"run {cost.sources[0]}"
        by = f"as {several}"
    return f"{named(study.called(cost.method))} {duration(cost.seconds)} a run, {by}"


def _measure(drafted: Draft) -> None:
    assert drafted.study is not None
    st.session_state[MEASURE] = json.dumps(drafted.study.to_json())


def _slots() -> None:
    """Show how many slots there are, and what waits before these runs."""
    try:
        slots, waiting = queue.slots(), len(queue.waiting())
    except (DamagedFile, OSError) as error:
        st.warning(literal(str(error)))
        return
    free = sum(slot.free for slot in slots)
    behind = f", behind {run_count(waiting)}" if waiting else ""
    st.markdown(f"**Slots** {free} of {len(slots)} free{behind}")


def _pair(what: str, text: str) -> str:
    """Return Markdown of a quantity and its value."""
    return f"**{what}** {literal(text)}"


def _detectable(study: Study, known: Detectable | None) -> None:
    """Show which difference these seeds can detect."""
    with st.container(gap="xxsmall"):
        if known is None:
            st.markdown("**Detectable difference** not known")
            st.caption("It follows from the spread of runs like these with several seeds; none here tell it yet.")
            return
        title = quantities.title(known.column)
        if not math.isfinite(known.difference):
            st.markdown(_pair("Detectable difference", "none: of one seed all may be chance"))
            return
        percent = quantities.of(known.column).percent
        amount = f"{shown(known.difference, percent)}{' points' if percent else ''} of {title}"
        st.markdown(_pair("Detectable difference", amount))
        level = f"{known.level:.2g}"
        st.caption(
            literal(f"{known.n} seeds: smaller differences cannot be seen."),
            help=literal(
                f"With probability 0.8, at level {level}. Assumed is a standard deviation of "
                f"{shown(known.std, percent)}, of {known.source}."
            ),
        )
