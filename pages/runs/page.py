"""What was trained and what is being trained: a table that ticks, one run, or several side by side."""

from collections.abc import Mapping, Sequence

import streamlit as st

from fop_core import quantities
from fop_core.runs import GALLERY, fields, stamps, store
from fop_core.runs.listing import Entry, Listing
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.runs import actions, columns, controls, find, one, several, table, why
from pages.runs.downloads import downloads
from pages.runs.find import Matching
from pages.runs.settings import FIELDS, PRESETS, VALUES, from_before, pins
from pages.shared import curves
from pages.shared.curves import Chosen, View
from pages.shared.first_run import first_run
from pages.shared.form import Form
from pages.shared.listing import MOST_CHOSEN, listing
from pages.shared.reruns import run_again
from pages.shared.text import literal

TICK = 1.5  # seconds
PATIENT = 30.0  # seconds after which one that waits for its slot is refreshed less often
SOON = 0.4  # seconds, while a reader waits for the first point

if len(ids := st.query_params.get_all("run")) > 1:  # other pages give one parameter for each
    st.query_params["run"] = ",".join(ids)
from_before(st.query_params)
form = Form("runs", PRESETS, FIELDS, {"all": VALUES}, tuple(VALUES))


def known() -> Mapping[str, Entry]:
    """Return every run that can be chosen, the gallery's and those in the trash among them."""
    return {id_: entry for each in listings() for id_, entry in each.entries().items()}


def listings() -> Sequence[Listing]:
    """Return the listings that hold runs: the trash, the gallery, and the folder."""
    folder = store.runs_folder()
    return listing(folder, True), listing(GALLERY), listing(folder)


def shown() -> Matching:
    """Return the runs that the table shows."""
    show = form["show"]
    archived = None if show in ("gallery", "trash") else show == "archive"
    return find.matching(current(), archived, form["where"], form["state"], form["tag"])


def current() -> Listing:
    """Return the listing that the table shows runs of."""
    folder, show = store.runs_folder(), form["show"]
    return listing(GALLERY) if show == "gallery" else listing(folder, show == "trash")


def choose() -> None:
    """Take over what the reader chose in the table."""
    ids = st.session_state["table"].chosen
    if ids is not None:
        form.put(run=list(ids))
        st.session_state[actions.ANEW] = True


def pin() -> None:
    """Take over which runs the reader pinned in the table, and their colours."""
    words = st.session_state["table"].pinned
    if words is not None:
        form.put(pin=FIELDS["pin"].read(",".join(words)))
        st.session_state[actions.ANEW] = True


def sidebar(of: Chosen) -> None:
    """Show what the table shows, and how curves are drawn."""
    form.draw("show")
    form.draw("where")
    form.draw("state")
    tags()
    table_columns()
    if form["pin"]:
        st.button("Unpin all", on_click=lambda: form.put(pin=[]), help="Pinned runs are drawn whatever is selected")
    if not of.entries:
        return
    with st.expander("Curves", expanded=True, key="runs curves"):
        key = form.give("y")
        options = list(dict.fromkeys([*of.columns(), *st.session_state[key]]))
        st.multiselect("Quantities", options, key=key, placeholder="Loss and accuracy", format_func=quantities.title)
        form.draw("grid")
        form.draw("x")
        form.draw("smooth")
        form.draw("logx")
        form.draw("logy")
        if len(of.entries) > 1:
            form.draw("seeds")
            baseline(of)


def table_columns() -> None:
    """Show the choice of the table's columns."""
    key = form.give("cols")
    options = columns.choices(find.known(list(current().entries().values())))
    with st.expander("Table", key="runs table columns"):
        st.multiselect(
            "Columns",
            list(dict.fromkeys([*options, *st.session_state[key]])),
            key=key,
            format_func=columns.title,
            placeholder="State and name alone",
            help="Last and best of all that was measured, and every setting",
        )


def tags() -> None:
    """Show the choice among the tags of the runs that the table may show."""
    there = {tag for entry in current().entries().values() for tag in entry.tags} | set(form["tag"])
    if there:
        st.pills("Tags", sorted(there), selection_mode="multi", key=form.give("tag"), format_func=literal)


def baseline(of: Chosen) -> None:
    """Show the choice of a group from which the others' difference is drawn."""
    key = form.give("base")
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
        run_again()
    matching = shown()
    entries = matching.entries
    for each in listings():
        if each.trouble:
            st.error(literal(each.trouble))
    find.show_trouble(matching)
    if any(map(fields.is_measured, form["cols"])):
        current().measure()
    if entries:
        table.table(entries, form["run"], pins(form["pin"]), form["cols"], "table", choose, pin)
        damaged = [entry for entry in entries if entry.damaged]
        if damaged:
            st.caption(literal(f"{len(damaged)} cannot be read: {damaged[0].damaged}"))
    elif form["where"] or form["state"] or form["tag"]:
        st.markdown("No run has all of that.")
    else:
        st.markdown({"archive": "The archive is empty.", "trash": "The trash is empty."}.get(form["show"], "No runs."))


def detail(ids: tuple[str, ...]) -> None:
    """Show the chosen runs, up to date."""
    if actions.anew():
        run_again()
    there = known()
    entries = [there[id_] for id_ in ids if id_ in there]
    of = compared(entries)
    if len(entries) == 1:
        one_run(entries[0], of)
    elif of.entries:
        several_runs(entries, of)
    measured = of.columns()
    if st.session_state.get("runs columns") != measured:  # the sidebar's choice of curves has them
        st.session_state["runs columns"] = measured
        run_again()


def compared(entries: Sequence[Entry]) -> Chosen:
    """Return what is drawn: runs that can be read, and beside them those that are pinned."""
    colors = pins(form["pin"])
    there = known()
    also = [there[id_] for id_ in colors if id_ in there]
    every = list(dict.fromkeys([*entries, *also]))
    return curves.chosen([entry for entry in every if not entry.damaged], form["seeds"], colors)


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
        if entry.learns:
            st.page_link("pages/preconditioners/page.py", label="What it learned", query_params={"run": entry.id})
    left, right = st.columns([2, 1], gap="medium")
    with left:
        draw(of, 1)
    with right:
        one.numbers(entry, of.metrics[0])
    if len(of.entries) > 1:
        several.summary(of, view())
        several.differences(of.entries)
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
    st.subheader(f"{len(entries)} runs" if entries else "Pinned runs", anchor=False)
    if entries:
        with st.container(horizontal=True, vertical_alignment="center"):
            actions.buttons(entries)
            downloads(entries)
    draw(of, 2)
    several.summary(of, view())
    several.differences(of.entries)


def draw(of: Chosen, across: int) -> None:
    """Show the pictures that are wanted, and say which of them nobody measured.

    Args:
        of: the runs.
        across: pictures in a row, unless the reader has chosen.
    """
    names = form["y"] or curves.automatic(of.columns())
    missing = curves.grid(of, names, view(), across if form["grid"] == "auto" else int(form["grid"]))
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
lost = [id_ for id_ in dict.fromkeys([*form["run"], *pins(form["pin"])]) if id_ not in everything]

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
of_now = compared(chosen_now)
with st.sidebar:
    sidebar(of_now)
st.session_state["runs columns"] = of_now.columns()
if chosen_now or of_now.entries:
    pace = SOON if waits(of_now) else TICK
    st.fragment(detail, run_every=pace)(tuple(entry.id for entry in chosen_now))
deliver()
form.publish()
