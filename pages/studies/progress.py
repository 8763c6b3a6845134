"""An open study: where it stands, up to date, and what can be done with it."""

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from fop_core.figures.training_curves import named
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import drawings, protocol, store, submit, watcher
from fop_core.studies.binding import Submitted
from fop_core.studies.progress import StudyTable
from fop_core.training.seeds import seeds
from pages.shared import notices, run_text
from pages.shared.listing import listing
from pages.shared.text import literal
from pages.studies.shown import BADGES, run_count


def head(of: StudyTable) -> None:
    """Show a study's name, how far it is, and what it has cost so far."""
    counts = of.counts
    ended, total = int(of.ended.sum()), len(of)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(of.study.name), anchor=False, width="content")
        for state, count in counts.items():
            st.badge(f"{BADGES[state].symbol} {count:,} {state}", color=_color(state))  # type: ignore[arg-type]
    totals = drawings.totals(of)
    memory = totals.peak_memory
    words = [f"{ended:,} of {run_count(total)} ended"]
    if of.stored.stopped:
        words.append("stopped")
    if totals.seconds:
        words.append(f"{run_text.duration(totals.seconds)} of training")
        words.append(f"{run_text.duration(totals.evaluation_seconds)} of evaluation beside it")
    if not math.isnan(memory):
        words.append(f"at most {run_text.size(memory)} of memory")
    st.progress(ended / total if total else 0.0, literal(", ".join(words)))
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
    open_ = [named(method) for method in of.study.methods if method not in (*stored.winners, *stored.lost)]
    if stored.stopped:
        return "It is stopped: resume goes on from the checkpoints."
    if of.study.axes and open_:
        return f"Settings of {', '.join(open_)} are being chosen; then the winners are trained with fresh seeds."
    if bool(of.ended.all()) and len(of):
        return "All its runs have ended."
    return "The winners are being trained with fresh seeds."


def _tried(what: Callable[[], Any], done: Callable[[Any], str]) -> bool:
    """Do something with a study; the page says what came of it. Return whether it was done."""
    if not notices.tried("studies", what, done):
        return False
    listing(runs.runs_folder()).entries(now=True)
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


def _grow(of: StudyTable) -> None:
    """Offer to add values of an axis, or seeds."""
    id_ = of.stored.id
    st.markdown("What is there stays, and is not trained again.")
    axis = st.text_input(
        "Axis", key="studies grow axis", placeholder="optimizer.lr=0.2", help="A new one, or more values of one."
    )
    tuning = st.text_input("Tuning seeds", key="studies grow seeds", placeholder="3-5")
    fresh = st.text_input("Fresh seeds", key="studies grow fresh", placeholder="6-9")
    if any(of.run_id[index] for index in of.rows("report")):
        st.caption("Runs were reported already: what they said may be why it grows, and its conclusions will say so.")

    def grow() -> None:
        def grown() -> Submitted:
            return submit.grow(
                id_,
                axis=protocol.parse_axis(axis) if axis.strip() else None,
                seeds=tuple(seeds(tuning)) if tuning.strip() else (),
                fresh_seeds=tuple(seeds(fresh)) if fresh.strip() else (),
            )

        if _tried(grown, _submitted):
            for name in ("axis", "seeds", "fresh"):
                st.session_state[f"studies grow {name}"] = ""

    nothing = not any(text.strip() for text in (axis, tuning, fresh))
    st.button("Grow this study", type="primary", on_click=grow, disabled=nothing, key="studies grows")
