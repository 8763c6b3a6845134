"""What one can do with runs: stop, go on, keep a checkpoint, clone, label, archive, throw away and bring back."""

import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from fop_core.formatting import run_count
from fop_core.jobs import queue
from fop_core.runs import GALLERY, store, trash
from fop_core.runs.control import start_over
from fop_core.runs.files import DamagedFile
from fop_core.runs.listing import Entry
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from pages.shared import notices
from pages.shared.clone import CloneError, clone
from pages.shared.listing import listing
from pages.shared.text import literal

UNDO, ANEW = "runs undo", "runs anew"


def tried(what: Callable[[], Any], done: str | Callable[[Any], str] = "") -> bool:
    """Do something with a run; the whole page is run anew then, and says what came of it, each thing once.

    Args:
        what: is done.
        done: what to say then, or what makes that of the result.
    """
    st.session_state[ANEW] = True
    try:
        return notices.tried("runs", what, done)
    finally:
        for bin in (False, True):
            listing(store.runs_folder(), bin).renew()


def show_notice() -> None:
    """Say what came of the last action, and offer to take back what was thrown away."""
    notices.show("runs")
    if gone := st.session_state.get(UNDO):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"{run_count(len(gone))} moved to the trash.", width="content")
            st.button("Undo", on_click=_undo, key="runs undo button")
            st.button("Dismiss", on_click=lambda: st.session_state.pop(UNDO, None), type="tertiary")


def anew() -> bool:
    """Return whether something was done, so that not only a part of the page must run; asked once."""
    return bool(st.session_state.pop(ANEW, False))


def _undo() -> None:
    for path in st.session_state.pop(UNDO, []):
        tried(partial(Run.restore, Run(path)), "Brought back from the trash.")


def discard(entries: Sequence[Entry]) -> None:
    """Move runs to the trash, and remember them so that it can be undone."""
    gone: list[Path] = []

    def discard(run: Run) -> None:
        gone.append(run.delete().path)

    for entry in entries:
        tried(partial(discard, entry.run))
    if gone:
        st.session_state[UNDO] = gone


def ours(entry: Entry) -> bool:
    """Return whether a run may be changed: not one of the gallery."""
    return entry.run.path.parent != GALLERY


def trashed(entry: Entry) -> bool:
    """Return whether a run is in the trash."""
    return trash.holds(entry.run.path)


def buttons(entries: Sequence[Entry]) -> None:
    """Show, side by side, what can be done with runs now: of one everything, of several what makes sense for all.

    Args:
        entries: at least one.
    """
    if all(trashed(entry) for entry in entries):
        _of_trash(entries)
        return
    mine = [entry for entry in entries if ours(entry) and not trashed(entry)]
    _stop([entry for entry in mine if entry.alive or entry.waits])
    ended = [entry for entry in mine if entry.state not in (*ALIVE, "finished") and not entry.waits]
    _go_on([entry for entry in ended if not entry.recorded])
    if len(entries) == 1:
        [entry] = entries
        if mine and entry.state in ("failed", "lost", "stopped") and not entry.waits and _has_checkpoints(entry):
            _start_over(entry)
        if entry.alive and entry.state != "stopping" and not entry.recorded:
            st.button(
                "Checkpoint now",
                on_click=_each,
                args=([entry], lambda run: run.request("checkpoint"), "Asked for a checkpoint."),
                key="runs checkpoint",
            )
        _clone(entry)
    if mine:
        _put_away(mine)


def _clone(entry: Entry) -> None:
    """Show a link to Train with the settings of a run: the whole address, so that Back returns from there to here."""
    try:
        settings = clone(entry.id)
    except CloneError as error:
        st.page_link("pages/train/page.py", label="Clone…", disabled=True, help=literal(str(error)))
        return
    with st.container(key="runs clone", width="content"):
        st.page_link("pages/train/page.py", label="Clone…", query_params=settings, help="Its settings in Train")


def _stop(entries: Sequence[Entry]) -> None:
    if not entries:
        return
    label = "Stop…" if len(entries) == 1 else f"Stop {len(entries)}…"
    with st.popover(label, key="runs stop", width="content"):
        st.markdown(
            "A script of your own ends where it looks for that."
            if all(entry.recorded for entry in entries)
            else "They write a checkpoint and end; resume goes on from there. What still waits leaves the queue."
            if len(entries) > 1
            else "It leaves the queue."
            if entries[0].waits
            else "It writes a checkpoint and ends; resume goes on from there."
        )
        words = f"Stop {run_count(len(entries))}" if len(entries) > 1 else "Stop this run"
        st.button(words, on_click=_stops, args=(entries,), type="primary", key="runs stops")


def _stops(entries: Sequence[Entry]) -> None:
    for entry in entries:
        tried(partial(queue.stop, entry.run), lambda left: "Taken out of the queue." if left else "Asked to stop.")


def _go_on(entries: Sequence[Entry]) -> None:
    if not entries:
        return
    states = {entry.state for entry in entries}
    word = "Launch" if states == {"queued"} else "Retry" if states == {"failed"} else "Resume"
    label = word if len(entries) == 1 else f"{word} {len(entries)}"
    st.button(label, on_click=lambda: _each(entries, queue.submit, "Put into the queue."), key="runs resume")


def _has_checkpoints(entry: Entry) -> bool:
    try:
        return bool(entry.run.checkpoint_steps())
    except DamagedFile:  # whatever is in their place is set aside
        return True


def _start_over(entry: Entry) -> None:
    with st.popover("Start over…", key="runs anew", width="content"):
        st.markdown(
            "It is trained from its start again, in the queue. Its checkpoints are set aside in its folder; what was "
            "measured so far no longer counts."
        )
        st.button("Start this run over", on_click=_from_start, args=(entry,), type="primary", key="runs anews")


def _from_start(entry: Entry) -> None:
    if tried(partial(start_over, entry.run)):
        tried(partial(queue.submit, entry.run), "Put into the queue, to start over.")


def _each(entries: Sequence[Entry], do: Callable[[Run], Any], done: str) -> None:
    for entry in entries:
        tried(partial(do, entry.run), done)


def _put_away(entries: Sequence[Entry]) -> None:
    archived = all(entry.archived for entry in entries)
    st.button(
        "Unarchive" if archived else "Archive",
        on_click=lambda: _each(entries, lambda run: run.label(archived=not archived), ""),
        key="runs archive",
        help="Back to the table" if archived else "Out of the table; Show: Archive has it",
    )
    delete([entry for entry in entries if not entry.alive])


def delete(idle: Sequence[Entry]) -> None:
    """Offer to move runs to the trash."""
    if not idle:
        return
    label = "Delete…" if len(idle) == 1 else f"Delete {len(idle)}…"
    with st.popover(label, key="runs delete", width="content"):
        st.markdown("To the trash, from where it can be brought back.")
        words = "Delete this run" if len(idle) == 1 else f"Delete {run_count(len(idle))}"
        st.button(words, on_click=lambda: discard(idle), type="primary", key="runs deletes")


def _of_trash(entries: Sequence[Entry]) -> None:
    st.button("Restore", on_click=lambda: _each(entries, Run.restore, "Brought back."), key="runs restore")
    with st.popover("Delete for good…", key="runs purge", width="content"):
        st.markdown("This cannot be undone.")
        words = f"Delete {run_count(len(entries))} for good"
        st.button(words, on_click=lambda: _each(entries, Run.remove, "Deleted."), type="primary", key="runs purges")


def labels(entry: Entry) -> None:
    """Show name, tags and notes, to change."""
    if not ours(entry) or trashed(entry):
        if entry.notes:
            st.text(entry.notes)  # with its lines
        return
    name = "" if entry.name == entry.id else entry.name
    of = f"{entry.id} {zlib.crc32(repr((name, entry.tags, entry.notes)).encode())}"  # others, once these are others
    with st.form(f"runs labels {entry.id}", border=False):
        st.text_input("Name", name, max_chars=120, key=f"runs name {of}")
        st.text_input("Tags", ", ".join(entry.tags), max_chars=300, help="separated by commas", key=f"runs tags {of}")
        st.text_area("Notes", entry.notes, max_chars=20_000, height=90, key=f"runs notes {of}")
        st.form_submit_button("Save", on_click=_save, args=(entry.run, of))


def _save(run: Run, of: str) -> None:
    name, tags, notes = (st.session_state[f"runs {what} {of}"] for what in ("name", "tags", "notes"))
    words = list(dict.fromkeys(tag.strip() for tag in tags.split(",") if tag.strip()))
    tried(lambda: run.label(name=name.strip(), tags=words, notes=notes), "Saved.")
