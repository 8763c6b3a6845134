"""An open study: where it stands, up to date, and what can be done with it."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from fop_core.figures.training_curves import named
from fop_core.formatting import duration, run_count, size
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import cells, growth, protocol, store, submit, trash, watcher
from fop_core.studies.binding import Submitted
from fop_core.studies.progress import StudyTable
from fop_core.studies.totals import totals
from fop_core.training.config import ConfigError
from fop_core.training.seeds import seeds
from pages.shared import notices
from pages.shared.listing import listing
from pages.shared.text import literal
from pages.studies.shown import BADGES, later

GONE = "studies gone"


def head(of: StudyTable) -> None:
    """Show a study's name, how far it is, and what it has cost so far."""
    counts = of.counts
    ended, total = int(of.ended.sum()), len(of)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(of.study.name), anchor=False, width="content")
        for state, count in counts.items():
            st.badge(f"{BADGES[state].symbol} {count:,} {state}", color=_color(state))  # type: ignore[arg-type]
    costs = totals(of)
    memory = costs.peak_memory
    more = later(of.stored)
    words = [f"{ended:,} of {run_count(total)} ended" + (f", then {more:,} more with fresh seeds" if more else "")]
    if of.stored.stopped:
        words.append("stopped")
    if costs.seconds:
        words.append(f"{duration(costs.seconds)} of training")
        words.append(f"{duration(costs.evaluation_seconds)} of evaluation beside it")
    if not math.isnan(memory):
        words.append(f"at most {size(memory)} of memory")
    st.progress(ended / (total + more) if total else 0.0, literal(", ".join(words)))
    st.caption(literal(_next(of)))


def advance(of: StudyTable) -> None:
    """See to it that winners are chosen and reported while nobody looks, as after a restart of the machine."""
    if of.stored.stopped or bool(of.ended.all()):
        return
    if why := store.obstacle(of.stored):
        st.info(literal(f"Nothing is chosen and nothing started for it here: {why}."))
        return
    try:
        watcher.ensure(of.stored.folder)
    except (RunError, DamagedFile, OSError) as error:
        st.warning(literal(f"Winners are not chosen by themselves now: {error}"))


def _color(state: str) -> str:
    return {"finished": "green", "failed": "red", "lost": "red", "damaged": "red", "stopped": "orange"}.get(
        state, "gray" if state in ("missing", "deleted", "queued") else "blue"
    )


def _next(of: StudyTable) -> str:
    """Return in words what the study does next, or that it is done."""
    stored = of.stored
    open_ = [method for method in of.study.methods if method not in (*stored.winners, *stored.lost)]
    if stored.stopped:
        return "It is stopped: resume goes on from the checkpoints."
    if of.study.axes and open_:
        names = ", ".join(named(of.study.called(method)) for method in open_)
        return f"Settings of {names} are being chosen; then the winners are trained with fresh seeds."
    if bool(of.ended.all()) and len(of):
        return "All its runs have ended."
    trained = any(state in ("running", "starting", "stopping") for state in of.state)
    does = "are being trained" if trained else "wait in the queue"
    return f"The winners {does}, with fresh seeds." if of.study.axes else f"Its runs {does}: nothing is to be chosen."


def _tried(what: Callable[[], Any], done: Callable[[Any], str]) -> bool:
    """Do something with a study; the page says what came of it. Return whether it was done."""
    if not notices.tried("studies", what, done):
        return False
    listing(runs.runs_folder()).renew()
    return True


def _do(what: Callable[[], Any], done: Callable[[Any], str]) -> None:
    _tried(what, done)


def _submitted(done: Submitted) -> str:
    said = f"{run_count(len(done.queued))} put into the queue."
    return " ".join([said, *dict.fromkeys(done.troubles.values())])


def _stopped(result: tuple[int, dict[str, str]]) -> str:
    count, troubles = result
    return " ".join([f"{run_count(count)} asked to stop.", *dict.fromkeys(troubles.values())])


def buttons(of: StudyTable) -> None:
    """Show what can be done with a study now."""
    id_ = of.stored.id
    unfinished = {state for state, diverged in zip(of.state, of.diverged) if not diverged}
    if not of.stored.stopped and not bool(of.ended.all()):
        with st.popover("Stop…", width="content", key="studies stop"):
            st.markdown("Its runs write a checkpoint and end, or leave the queue. Resume goes on from there.")
            st.button(
                "Stop this study",
                type="primary",
                on_click=_do,
                args=(lambda: submit.stop(id_), _stopped),
                key="studies stops",
            )
    waits = unfinished & {"stopped", "failed", "lost", "deleted", "missing"}
    if of.stored.stopped or waits or (unfinished and store.obstacle(of.stored)):
        st.button(
            "Resume",
            on_click=_do,
            args=(lambda: submit.resume(id_), _submitted),
            key="studies resume",
            help="Makes what is missing, and goes on with what was stopped, lost or failed for no fault of its own",
        )
    with st.popover("Grow…", width="content", key="studies grow"):
        _grow(of)


def delete(of: StudyTable, closed: Callable[[], None]) -> None:
    """Offer to move a study to the trash.

    Args:
        of: the study.
        closed: called, in a widget's callback, once it is there.
    """

    def go() -> None:
        def done(name: str) -> str:
            st.session_state[GONE] = name
            return ""

        if _tried(lambda: submit.delete(of.stored.id), done):
            closed()

    with st.popover("Delete…", width="content", key="studies delete"):
        st.markdown("The study goes to the trash, from where it can be brought back. Its runs stay.")
        st.button("Delete this study", type="primary", on_click=go, key="studies deletes")


def undo() -> None:
    """Offer to bring back the study that was deleted last."""
    if not (name := st.session_state.get(GONE, "")):
        return

    def back() -> None:
        st.session_state[GONE] = ""
        _do(lambda: trash.restore(name), lambda id_: f"{id_} is back.")

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{literal(name)} moved to the trash; its runs stay.", width="content")
        st.button("Undo", on_click=back, key="studies undo")


def trashed() -> None:
    """Show the studies in the trash, each of which can be brought back."""
    try:
        gone = trash.trashed()
    except (RunError, OSError) as error:
        st.error(literal(str(error)))
        return
    if not gone:
        return
    with st.expander(f"Trash: {len(gone):,} {'study' if len(gone) == 1 else 'studies'}", key="studies trash"):
        for each in gone:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(literal(each.name), width="stretch")
                st.button(
                    "Restore",
                    on_click=_do,
                    args=(partial(trash.restore, each.id), lambda id_: f"{id_} is back."),
                    key=f"studies restore {each.id}",
                )
        st.caption("Removed for good by `python -m fop_core study empty-trash` alone.")


def _grow(of: StudyTable) -> None:
    """Offer to add values of an axis, or seeds."""
    st.markdown("What is there stays, and is not trained again.")
    axis = st.text_input(
        "Axis", key="studies grow axis", placeholder="optimizer.lr=0.2", help="A new one, or more values of one."
    )
    chosen_by = st.text_input("Tuning seeds", key="studies grow seeds", placeholder="3-5")
    fresh = st.text_input("Fresh seeds", key="studies grow fresh", placeholder="6-9")
    if any(of.run_id[index] for index in of.rows("report")):
        st.caption("Runs were reported already: what they said may be why it grows, and its conclusions will say so.")

    words, count = "Grow this study", 0
    if any(text.strip() for text in (axis, chosen_by, fresh)):
        try:
            tuning, reporting = _added(of.study, axis, chosen_by, fresh)
        except ConfigError as error:
            st.markdown(f":red[:small[:material/error: {literal('; '.join(each for _, each in error.problems))}]]")
        else:
            count = tuning + reporting
            words = f"Grow this study by {run_count(count)}"
            st.caption(f"{run_count(tuning)} more to choose settings, {reporting:,} to report.")
    st.button(words, type="primary", on_click=_grown, args=(of, count), disabled=not count, key="studies grows")


def _additions(axis: str, chosen_by: str, fresh: str) -> dict[str, Any]:
    return {
        "axis": protocol.parse_axis(axis) if axis.strip() else None,
        "seeds": tuple(seeds(chosen_by)) if chosen_by.strip() else (),
        "fresh_seeds": tuple(seeds(fresh)) if fresh.strip() else (),
    }


def _added(study: protocol.Study, *texts: str) -> tuple[int, int]:
    """Return by how many runs that choose, and that report, a study would grow."""
    before, after = cells.count(study), cells.count(growth.larger(study, **_additions(*texts)))
    return after[0] - before[0], after[1] - before[1]


def _grown(of: StudyTable, promised: int) -> None:
    """Add what the widgets hold now, if that is as many runs as the button said; for its callback."""
    keys = [f"studies grow {name}" for name in ("axis", "seeds", "fresh")]
    texts = [st.session_state[key] for key in keys]
    try:
        if sum(_added(of.study, *texts)) != promised:
            return
    except ConfigError:
        return  # said below the fields
    if _tried(lambda: submit.grow(of.stored.id, **_additions(*texts)), _submitted):
        for key in keys:
            st.session_state[key] = ""
