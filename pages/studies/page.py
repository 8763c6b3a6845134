"""Studies: compose one, launch it, watch its cells come, and read what can be concluded."""

import time

import streamlit as st

from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import progress as cells
from fop_core.studies import store
from fop_core.studies.measures import Measures
from fop_core.studies.progress import StudyTable
from fop_core.training.config import TrainConfig
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.shared import notices
from pages.shared.form import Form
from pages.shared.reruns import run_again
from pages.shared.text import literal
from pages.studies import compose, overview, own, pictures, progress, trials
from pages.studies.downloads import downloads
from pages.studies.draft import Draft, draft
from pages.studies.settings import FIELDS, PRESETS, VIEWS, values

TICK = 1.5  # seconds
PATIENCE, MOST = 20.0, 10.0  # times as long as drawing took, and seconds at most, until what changes is drawn again
DRAWN, USUAL = "studies drawn at", "studies usual"

form = Form("studies", PRESETS, FIELDS, {name: values(name) for name in PRESETS.options}, tuple(VIEWS))


def open_(id_: str) -> None:
    """Open a study, or none, shown as it opens; for a widget's callback."""
    form.put(**{name: value for name, value in values(form.preset).items() if name in VIEWS} | {"study": id_})


def table(id_: str) -> StudyTable | None:
    """Return where a study's cells stand, or say why that cannot be known."""
    try:
        return cells.table(id_)
    except (RunError, DamagedFile, OSError) as error:
        st.error(literal(str(error)))
        return None


@st.fragment(run_every=TICK)
def ticking_head(id_: str) -> None:
    """Show where a study stands, up to date; the whole page is run anew where its cells have changed."""
    now = table(id_)
    if now is None:
        return
    progress.head(now)
    progress.advance(now)
    version, at, took = st.session_state.get(DRAWN, (now.version, 0.0, 0.0))
    pause = 0.0 if bool(now.ended.all()) else min(PATIENCE * took, MOST)
    if now.version != version and time.monotonic() - at > pause:
        run_again()


def study(of: StudyTable) -> None:
    """Show an open study."""
    ticking_head(of.stored.id)
    with st.container(horizontal=True, vertical_alignment="center"):
        progress.buttons(of)
        downloads(of)
        progress.delete(of, lambda: open_(""))
        st.button("All studies", on_click=open_, args=("",), type="tertiary", key="studies all")
    pictures.conclusions(of, form)
    st.subheader("Settings", anchor=False)
    if of.study.axes:
        form.draw("role")
    trials.table(of, form)
    trials.opened(of, form)
    pictures.pictures(of, form)


def follow(measures: Measures) -> None:
    """Go by the loss once the reader's data have no accuracy, and by accuracy again once data have one.

    What the reader has chosen otherwise stays.
    """
    before, now = st.session_state.get(USUAL, "accuracy"), measures.usual
    if before != now:
        st.session_state[USUAL] = now
        columns = {"choose": "held_out", "column": "test"}
        form.put(**{name: f"{of}_{now}" for name, of in columns.items() if form[name] == f"{of}_{before}"})


def new() -> None:
    """Show the studies that there are, and a new one."""
    progress.undo()
    there, damaged = store.list_studies()
    overview.overview(there, damaged, open_)
    progress.trashed()
    files = own.files(form)
    made, waits, plugins, measures = None, "", {}, Measures()
    if files.sources:
        made = own.tried(form.preset, files)
        waits = made if isinstance(made, str) else files.obstacle(made)
        if not isinstance(made, str) and (tried := files.probed(made)) is not None:
            plugins, measures = own.plugins(made, files), Measures.of(tried)
    if not waits:
        follow(measures)
    drafted = Draft() if waits else draft(form.preset, form.now, plugins, measures)
    compose.composed(form, drafted, files, waits)
    probed = st.container()
    with st.sidebar:
        compose.sidebar(form, drafted.wrong, own.fields(plugins))
    if isinstance(made, TrainConfig):
        form.publish()  # first, since it waits
        with probed:
            files.show(made)


begun = time.thread_time()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Studies", anchor=False, width="content")
    copy_link("copy")
form.draw_warnings()
notices.show("studies")
shown = table(form["study"]) if form["study"] else None
if shown is not None:
    *_, took = st.session_state.get(DRAWN, (0.0,))
    st.session_state[DRAWN] = shown.version, time.monotonic(), took  # before the head, which compares with it
    study(shown)
    with st.sidebar:
        pictures.sidebar(shown, form)
    st.session_state[DRAWN] = shown.version, time.monotonic(), time.thread_time() - begun
elif form["study"]:
    st.button("All studies", on_click=open_, args=("",), key="studies all")
else:
    new()
deliver()
form.publish()
