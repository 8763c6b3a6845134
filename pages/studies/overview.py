"""The studies of the runs folder as a table, from which one is opened."""

import json
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from fop_core.figures.training_curves import named
from fop_core.formatting import duration, run_count
from fop_core.runs import stamps
from fop_core.runs import store as runs
from fop_core.runs.listing import Entry
from fop_core.studies.stored import Stored
from pages.components.runs_table import runs_table
from pages.shared.listing import listing
from pages.shared.text import literal
from pages.studies.shown import BADGES, later

KEY = "studies table"
COLUMNS = (
    {"name": "state", "label": "State"},
    {"name": "name", "label": "Name"},
    {"name": "progress", "label": "Runs ended"},
    {"name": "preset", "label": "Preset or files"},
    {"name": "methods", "label": "Methods"},
    {"name": "age", "label": "Age", "number": True},
)


def overview(studies: Sequence[Stored], damaged: Mapping[str, str], open_: Callable[[str], None]) -> None:
    """Show the studies that there are.

    Args:
        studies: those that can be read, the newest first.
        damaged: why others cannot be, by id.
        open_: is called with the id of the one that the reader chooses.
    """
    for id_, why in damaged.items():
        st.error(literal(f"The study {id_} cannot be read: {why}"))
    if not studies:
        st.markdown(
            "**No studies yet.** A study tries settings of several methods, and chooses the best of each on held-out "
            "images. Then it compares them on the test set, with fresh seeds."
        )
        st.markdown("To begin: choose methods and axes in the sidebar, read below what they take, and launch.")
        return
    entries = listing(runs.runs_folder()).entries()

    def chosen() -> None:
        if ids := st.session_state[KEY].chosen:
            open_(str(ids[0]))

    rows = [json.dumps(_row(stored, entries)).encode() for stored in studies]
    runs_table("Studies", COLUMNS, rows, key=KEY, on_chosen=chosen)


def _row(stored: Stored, entries: Mapping[str, Entry]) -> dict[str, object]:
    states = [entries[id_].state for id_ in stored.runs.values() if id_ in entries]
    ended = sum(state in ("finished", "failed") for state in states) + len(stored.ended)
    state = _state(stored, states)
    age = stamps.age(stored.created) if stored.created else None
    total = len(stored.runs) + later(stored)
    share = ended / total if total else 0.0
    methods = ", ".join(named(stored.study.called(method)) for method in stored.study.methods)
    cells: list[object] = [
        [state, state],
        [stored.study.name, stored.study.name, stored.id],
        [f"{min(ended, total):,} of {run_count(total)}", share],
        stored.study.origin,
        methods,
        [duration(age), age],
    ]
    badge = BADGES[state]
    return {"id": stored.id, "symbol": badge.symbol, "color": badge.color, "share": min(share, 1.0), "cells": cells}


def _state(stored: Stored, states: Sequence[str]) -> str:
    """Return what a study as a whole does."""
    if stored.stopped:
        return "stopped"
    if any(state in ("running", "starting", "stopping") for state in states):
        return "running"
    if "queued" in states:
        return "queued"
    concluded = not stored.study.axes or {*stored.winners, *stored.lost} >= set(stored.study.methods)
    return "finished" if concluded and states else "queued"
