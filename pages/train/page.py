"""Compose training runs, see what they will train, hold and take, and launch them."""

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fop_core.formatting import count, run_count
from fop_core.runs import store
from fop_core.training import config, datasets
from fop_core.training.preview import Preview, PreviewError
from pages.components.copy_link import copy_link
from pages.components.follow import follow
from pages.shared.listing import MOST_CHOSEN, listing
from pages.shared.own.files import OwnFiles
from pages.shared.run_text import message
from pages.shared.shell import folders
from pages.shared.text import literal
from pages.train import preview, sidebar, slots
from pages.train.draft import Draft, Planned, draft
from pages.train.form import TrainForm, differences, label
from pages.train.launch import launch
from pages.train.own import applied, completed, experiment, replaced, settings

TWICE = 2.0  # seconds in which a second click is the same click

if st.session_state.get("page") != "train":
    st.session_state.pop("train opens", None)  # they have been opened
form = TrainForm()
files = OwnFiles("train")
form.replaced = replaced(files)
drafted = applied(draft(form.preset, settings(form, files)), files)


def obstacles(drafted: Draft) -> list[str]:
    """Return why these runs cannot be launched: one sentence each, as Markdown."""
    if drafted.config is None:
        names = ", ".join(label(form, name) for name in drafted.wrong if name)
        others = [literal(drafted.wrong[""])] if "" in drafted.wrong else []
        return [f"Wrong: {literal(names)}. What is expected stands beneath each, in the sidebar."] * bool(
            names
        ) + others
    reasons = []
    if form.unchecked(drafted.config.data.path):
        reasons.append("The folder of the data came with the address: check it first, below.")
    else:
        try:
            datasets.find(drafted.config.data)
        except (datasets.DataError, OSError):
            reasons.append("The data are missing: see below.")
    if own_reason := files.obstacle(drafted.config):
        reasons.append(own_reason)
    if slot_reason := slots.no_slot(drafted.config):
        reasons.append(literal(slot_reason))
    return reasons


def go(promised: int) -> None:
    """Launch what the widgets hold now, if that is as many runs as the button said."""
    form.read_widgets()
    now = applied(draft(form.preset, settings(form, files)), files)
    again = time.monotonic() - st.session_state.get("train launched", -TWICE) < TWICE
    if again or len(now.runs) != promised or obstacles(now):
        return
    launched = launch(completed(now, files), form["from"])
    listing(store.runs_folder()).renew()  # they are there since this click
    st.session_state["train launched"] = time.monotonic()
    if launched.trouble:
        st.session_state["train trouble"] = launched.trouble
    else:
        few = len(launched.runs) <= MOST_CHOSEN
        st.session_state["train opens"] = {"run": ",".join(launched.runs)} if few else {"tag": launched.tag}


def launching(drafted: Draft) -> None:
    """Show the button, and what it will do or why it cannot."""
    number = len(drafted.runs)
    why = obstacles(drafted)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            f"Launch {run_count(number)}" if number else "Launch",
            type="primary",
            disabled=bool(why),
            on_click=lambda: go(number),
            key="train launch",
        )
        st.markdown(" ".join(why) or what(drafted), width="stretch")
    if opens := st.session_state.get("train opens"):
        form.publish()
        follow("pages/runs/page.py", "Follow them in Runs", opens)
    if trouble := st.session_state.pop("train trouble", ""):
        st.error(literal(trouble))


def what(drafted: Draft) -> str:
    """Return in words what will be launched."""
    ours, theirs = drafted.pairs[0]
    seeds = f" with {count(len(drafted.pairs))} seeds" if len(drafted.pairs) > 1 else ""
    of = literal(ours.config.data.plugin.file) if ours.config.data.plugin is not None else ours.preset
    if theirs is None:
        return f"{of} by {by(ours)}{seeds}."
    return f"{of} by {by(ours)} and, without FOP, by {by(theirs)}{seeds}{' each' if seeds else ''}."


def by(run: Planned) -> str:
    """Return the method of a run, with its base optimizer where that is not the method's own."""
    base = run.config.optimizer.name
    if run.config.optimizer.plugin is not None:
        file = literal(run.config.optimizer.plugin.file)
        return f"{run.method} around {file}" if run.config.fop else file
    if base == config.preset(run.preset, run.method).optimizer.name:
        return run.method
    return f"{run.method} around {config.BASES[base]}" if run.config.fop else config.BASES[base]


def data(area: DeltaGenerator, made: config.TrainConfig) -> None:
    """Show where the data are, or how to get them."""
    with area.container(gap="xxsmall"):
        if (path := made.data.path) and form.unchecked(path):
            st.markdown("**Data** not checked")
            st.caption(literal(f"{path} came with the address. The page does not look there before you ask."))
            st.button("Check the path", on_click=lambda: form.check(path), key="train check")
            return
        try:
            source = datasets.find(made.data)
        except (datasets.DataError, OSError) as error:
            st.markdown("**Data** missing")
            st.error(message(str(error)))
            if made.data.name == "cifar10":
                st.code("python -m fop_core data cifar10", language="bash")
            return
        summary = None if made.plugins else preview.known(made)
        number = (
            f", {count(summary.images)} images of {summary.classes} classes"
            if summary and summary.images is not None
            else ""
        )
        st.markdown(f"**Data** {literal(source.title)}{number}")
        st.caption(literal(str(source.path) + (f"; {source.note}" if source.note else "")))


def show(made: config.TrainConfig, table: DeltaGenerator, data_area: DeltaGenerator, right: DeltaGenerator) -> None:
    """Show what takes a moment to find out: parameters, memory, time."""
    if form.unchecked(made.data.path):
        table.caption("Shown once the path of the data has been checked.")
        return
    if made.plugins:
        with table.container():
            files.show(made)
            probed = files.probed(made)
            if probed is None:
                return
            summary = Preview(probed.shapes, dict(probed.memory), 0, probed.samples)
            if probed.shapes:
                preview.table(summary, made)
            else:
                st.caption("It has too many parameters to list each.")
        with right:
            preview.memory(summary)
        return
    if preview.known(made) is None and not st.session_state.get("train seen"):
        table.caption("Building the network, to see what it holds …")
    try:
        summary = preview.wait(made)
    except PreviewError as error:
        table.error(literal(f"What the run will hold cannot be said: {error}"))
        return
    st.session_state["train seen"] = True
    data(data_area, made)
    with table.container():
        if summary.images is None and made.data.name == "folder":
            st.caption(f"For {count(summary.classes)} classes, since the data are not there to count them.")
        preview.table(summary, made)
    with right:
        preview.memory(summary)
        slots.time_per_epoch(made, summary)


with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Train", anchor=False, width="content")
    copy_link("copy")
about = config.PRESETS[form.preset].about
st.markdown(experiment(files) or literal(f"The paper's section {about}" if about[0].isdigit() else about))
form.draw_warnings()
if form["from"]:
    changes = "; ".join(f"{name} {now} (the preset has {then})" for name, now, then in differences(form)) or "nothing"
    st.info(literal(f"As run {form['from']}. Differs from {form.preset} by {form['method']} in: {changes}."))
if drafted.config is not None:
    st.session_state["train last"] = drafted.config
launching(drafted)
files.draw()
made: config.TrainConfig | None = st.session_state.get("train last")
if made is not None:  # what is beneath stays while a value is being typed
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.subheader("What is trained", anchor=False)
        if drafted.config is None:
            st.caption("As it was before a setting was wrong.")
        with st.container(key="train-table"):
            table = st.empty()
    with right:
        st.subheader("Before launch", anchor=False)
        data_area = st.empty()
        data(data_area, made)
        slots.show_slots(made.device, len(drafted.runs) or 1)
        slow = st.container()
    if drafted.runs:
        slots.commands([*folders(), *(run.command for run in drafted.runs)])
with st.sidebar:
    sidebar.draw(form, drafted.wrong)
form.publish()
if made is not None:
    show(made, table, data_area, slow)
