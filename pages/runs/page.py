"""What was trained and what is being trained: a table that ticks, one run, or several side by side."""

from collections.abc import Mapping, Sequence

import streamlit as st

from fop_core import quantities
from fop_core.runs import GALLERY, learned, stamps, store
from fop_core.runs.listing import Entry, Listing
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.runs import actions, controls, one, several, table, why
from pages.runs.downloads import downloads
from pages.runs.settings import FIELDS, PRESETS, VALUES
from pages.shared import curves
from pages.shared.curves import Chosen, View
from pages.shared.first_run import first_run
from pages.shared.form import Form
from pages.shared.listing import MOST_CHOSEN, listing
from pages.shared.text import literal

TICK = 1.5  # seconds
PATIENT = 30.0  # seconds after which one that waits for its slot is refreshed less often
SOON = 0.4  # seconds, while a reader waits for the first point

if len(ids := st.query_params.get_all("run")) > 1:  # other pages give one parameter for each
    st.query_params["run"] = ",".join(ids)
form = Form("runs", PRESETS, FIELDS, {"all": VALUES}, tuple(VALUES))


def known() -> Mapping[str, Entry]:
    """Return every run that can be chosen, the gallery's and those in the trash among them."""
    return {id_: entry for each in listings() for id_, entry in each.entries().items()}


def listings() -> Sequence[Listing]:
    """Return the listings that hold runs: the trash, the gallery, and the folder."""
    folder = store.runs_folder()
    return listing(folder, True), listing(GALLERY), listing(folder)


def shown() -> list[Entry]:
    """Return the runs that the table shows."""
    folder, show = store.runs_folder(), form["show"]
    current = listing(GALLERY) if show == "gallery" else listing(folder, show == "trash")
    archived = None if show in ("gallery", "trash") else show == "archive"
    return table.matching(list(current.entries().values()), archived, form["find"], form["state"], form["tag"])


def choose() -> None:
    """Take over what the reader chose in the table."""
    ids = st.session_state["table"].chosen
    if ids is not None:
        form.put(run=list(ids))
        st.session_state[actions.ANEW] = True


def sidebar(of: Chosen | None) -> None:
    """Show what the table shows, and how curves are drawn."""
    form.draw("show")
    form.draw("find")
    form.draw("state")
    tags()
    form.draw("sizes")
    if of is None:
        return
    with st.expander("Curves", expanded=True, key="runs curves"):
        columns = of.columns()
        key = form.key("y")
        st.session_state.setdefault(key, form["y"])
        options = list(dict.fromkeys([*columns, *st.session_state[key]]))
        st.multiselect("Quantities", options, key=key, placeholder="Loss and accuracy", format_func=quantities.title)
        form.draw("x")
        form.draw("smooth")
        form.draw("logx")
        form.draw("logy")
        if len(of.entries) > 1:
            form.draw("seeds")
            baseline(of)


def tags() -> None:
    """Show the choice among the tags that there are."""
    key = form.key("tag")
    st.session_state.setdefault(key, form["tag"])
    there = {tag for entry in known().values() for tag in entry.tags} | set(st.session_state[key])
    if there:
        st.pills("Tags", sorted(there), selection_mode="multi", key=key, format_func=literal)


def baseline(of: Chosen) -> None:
    """Show the choice of a group from which the others' difference is drawn."""
    key = form.key("base")
    groups = {of.entries[group.members[0]].id: label for group, label in zip(of.groups, of.labels)}
    index = of.base(view())
    st.session_state[key] = "" if index is None else of.entries[of.groups[index].members[0]].id
    st.selectbox(
        "Difference to", ["", *groups], key=key, format_func=lambda id_: groups.get(id_, "nothing"), filter_mode=None
    )


def view() -> View:
    """Return how curves are drawn."""
    return View(form["x"], form["smooth"], form["seeds"], form["base"], form["logx"], form["logy"])


@st.fragment(run_every=TICK)
def ticking_table() -> None:
    """Show the table, up to date."""
    if actions.anew():
        st.rerun()
    entries = shown()
    for each in listings():
        if each.trouble:
            st.error(literal(each.trouble))
    if entries:
        table.table(entries, form["run"], form["sizes"], "table", choose)
        damaged = [entry for entry in entries if entry.damaged]
        if damaged:
            st.caption(literal(f"{len(damaged)} cannot be read: {damaged[0].damaged}"))
    elif form["find"] or form["state"] or form["tag"]:
        st.markdown("No run has all of that.")
    else:
        st.markdown({"archive": "The archive is empty.", "trash": "The trash is empty."}.get(form["show"], "No runs."))


def detail(ids: tuple[str, ...]) -> None:
    """Show the chosen runs, up to date."""
    if actions.anew():
        st.rerun()
    there = known()
    entries = [there[id_] for id_ in ids if id_ in there]
    if not entries:
        return
    of = curves.chosen([entry for entry in entries if not entry.damaged], form["seeds"])
    if len(entries) == 1:
        one_run(entries[0], of)
    else:
        several_runs(entries, of)
    columns = of.columns()
    if st.session_state.get("runs columns") != columns:  # the sidebar's choice of curves has them
        st.session_state["runs columns"] = columns
        st.rerun()


def waits(of: Chosen) -> bool:
    """Return whether one of them is about to measure something for the first time."""
    return not of.columns() and any(
        entry.alive or (entry.waits and stamps.age(entry.since) < PATIENT) for entry in of.entries
    )


def one_run(entry: Entry, of: Chosen) -> None:
    """Show one run."""
    if entry.damaged:
        st.subheader(literal(entry.name), anchor=False)
        st.error(literal(f"Damaged: {entry.damaged}"))
        if actions.ours(entry) and not actions.trashed(entry):
            actions.delete([entry])
        return
    one.head(entry)
    why.why(entry)
    with st.container(horizontal=True, vertical_alignment="center"):
        actions.buttons([entry])
        downloads([entry])
        if learned.learns(entry.settings):
            st.page_link("pages/preconditioners/page.py", label="What it learned", query_params={"run": entry.id})
    left, right = st.columns([2, 1], gap="medium")
    with left:
        draw(of)
    with right:
        one.numbers(entry, of.metrics[0])
    controls.controls(entry, beside)
    log, settings, made, labels = st.tabs(["Log", "Settings", "What made it", "Name, tags, notes"])
    with log:
        one.log(entry)
    with settings:
        one.settings(entry)
    with made:
        one.made_by(entry)
    with labels:
        actions.labels(entry)


def beside(ids: Sequence[str]) -> None:
    """Show some runs side by side; for a widget's callback."""
    form.put(run=list(ids))
    st.session_state[actions.ANEW] = True


def several_runs(entries: list[Entry], of: Chosen) -> None:
    """Show several runs side by side."""
    st.subheader(f"{len(entries)} runs", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        actions.buttons(entries)
        downloads(entries)
    draw(of)
    several.summary(of, view())


def draw(of: Chosen) -> None:
    """Show the pictures that are wanted, and say which of them nobody measured."""
    names = form["y"] or curves.automatic(of.columns())
    missing = [name for name in names if not curves.show(of, name, view())]
    if missing:
        st.caption(literal(f"Not measured: {', '.join(map(quantities.title, missing))}."))
    elif not names:
        st.markdown("Nothing has been measured yet.")


def empty() -> None:
    """Offer something to someone who has no runs yet."""
    st.markdown("**No runs yet.** The first one takes a minute: MNIST, four layers of 100 units, with FOP.")
    with st.container(horizontal=True):
        first_run()
        st.button("Look at the gallery", on_click=lambda: form.put(show="gallery"))


actions.anew()  # it is
everything = known()
chosen_now = [everything[id_] for id_ in form["run"][:MOST_CHOSEN] if id_ in everything]
lost = [id_ for id_ in form["run"] if id_ not in everything]

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Runs", anchor=False, width="content")
    copy_link("copy")
form.draw_warnings()
actions.show_notice()
if lost:
    st.warning(literal(f"Not here: {', '.join(lost)}. It may have been deleted, or be another folder's."))
ours = listing(store.runs_folder())
if form["show"] == "runs" and not ours.entries() and not ours.trouble:
    empty()
else:
    ticking_table()
readable = [entry for entry in chosen_now if not entry.damaged]
with st.sidebar:
    of_now = curves.chosen(readable, form["seeds"]) if readable else None
    sidebar(of_now)
if of_now is not None:
    st.session_state["runs columns"] = of_now.columns()
if chosen_now:
    pace = SOON if of_now is not None and waits(of_now) else TICK
    st.fragment(detail, run_every=pace)(tuple(entry.id for entry in chosen_now))
deliver()
form.publish()
