"""The trials of an open study as a table, and what one of them opens: its runs, its curves, its M."""

import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fop_core import quantities
from fop_core.figures.training_curves import named
from fop_core.formatting import duration, percent, run_count, size
from fop_core.runs import store as runs
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import of_role
from fop_core.studies.trials import outcome
from pages.components.plot import SOURCE
from pages.components.runs_table import runs_table
from pages.shared import curves
from pages.shared.curves import View
from pages.shared.form import Form
from pages.shared.listing import MOST_CHOSEN, listing
from pages.shared.text import literal
from pages.studies.shown import BADGES, settings, spread, together

KEY = "studies trials"
MOST = 6  # trials that are opened at once
SHOWN = ("train_loss", "held_out_accuracy", "test_accuracy")
OTHERWISE = ("train_loss", "held_out_loss", "test_loss")  # where the data have no accuracy


@dataclass(frozen=True)
class Trial:
    """The cells of a method, its settings and a role: one for each seed.

    Attributes:
        id: the key of its first cell.
        method: its method.
        settings: in words.
        cells: their indices in the table.
    """

    id: str
    method: str
    settings: str
    cells: tuple[int, ...]


def trials(of: StudyTable, role: str) -> list[Trial]:
    """Return the trials of a study in a role."""
    together_: dict[tuple[str, str], list[int]] = {}
    for index in of.rows(role):
        together_.setdefault((of.method[index], settings(of.point[index])), []).append(index)
    return [Trial(of.key[cells[0]], method, words, tuple(cells)) for (method, words), cells in together_.items()]


def role_of(of: StudyTable, form: Form) -> str:
    """Return the role that is looked at; a study that tunes nothing has only runs that it reports."""
    role: str = form["role"]
    return role if of.study.axes else "report"


def table(of: StudyTable, form: Form) -> None:
    """Show the trials of the role that is looked at, from which some are opened."""
    role = role_of(of, form)
    rows = trials(of, role)
    if not rows:
        st.markdown("Nothing is reported yet: the winners are not known.")
        return
    column = of_role(of.study.choose.column if role == "tune" else of.study.analysis.column, role)
    columns: list[dict[str, Any]] = [
        {"name": "state", "label": "State"},
        {"name": "method", "label": "Method"},
        {"name": "name", "label": "Settings"},
        {"name": "progress", "label": "Progress"},
        {"name": "n", "label": "n", "number": True, "help": "seeds that have a result, of all"},
        {"name": "result", "label": quantities.of(column).heading, "number": True, "help": "mean ± std over seeds"},
        {"name": "lost", "label": "Diverged", "number": True},
        {"name": "seconds", "label": "Training", "number": True, "help": "a run, without evaluation"},
        {"name": "memory", "label": "Peak memory", "number": True},
    ]
    chosen = [id_ for id_ in form["cell"].split(",") if any(row.id == id_ for row in rows)]

    def choose() -> None:
        ids = st.session_state[KEY].chosen
        if ids is not None:
            form.put(cell=",".join(ids))

    runs_table(
        "Trials",
        columns,
        [json.dumps(_row(of, row, column)).encode() for row in rows],
        key=KEY,
        on_chosen=choose,
        chosen=chosen,
        most=MOST,
        plotly=SOURCE if chosen else "",
    )


def _row(of: StudyTable, trial: Trial, column: str) -> dict[str, object]:
    cells = list(trial.cells)
    state = together([of.state[index] for index in cells])
    badge = BADGES[state]
    came_to = outcome(of, cells, column)
    of_percent, share, lost = quantities.of(column).percent, came_to.share, came_to.diverged
    count, seconds, memory = len(came_to.results), came_to.seconds, came_to.peak_memory
    won = of.stored.winners.get(trial.method) == of.point[cells[0]] and of.role[cells[0]] == "tune"
    reason = next((of.reason[index] for index in cells if of.reason[index]), "")
    words = [
        [state, state, reason],
        [named(of.study.called(trial.method)), trial.method],
        [f"★ {trial.settings}" if won else trial.settings, trial.settings, "the winner" if won else ""],
        [percent(share, digits=0), share],
        [f"{count} of {len(cells)}", count],
        [spread(came_to.results, of_percent), came_to.mean],
        [f"{lost} of {len(cells)}" if lost else "–", lost],
        [duration(seconds), seconds],
        ["–" if memory is None else size(memory), memory],
    ]
    return {"id": trial.id, "symbol": badge.symbol, "color": badge.color, "share": share, "cells": words}


def opened(of: StudyTable, form: Form) -> None:
    """Show what the chosen trials open."""
    chosen = form["cell"].split(",")
    rows = [row for row in trials(of, role_of(of, form)) if row.id in chosen][:MOST]
    for row in rows:
        _open(of, row)
    ids = [of.run_id[index] for row in rows for index in row.cells if of.run_id[index]]
    entries = listing(runs.runs_folder()).entries()
    readable = [entries[id_] for id_ in ids[:MOST_CHOSEN] if id_ in entries and not entries[id_].damaged]
    if not readable:
        return
    shown = curves.chosen(readable, True)
    view = View(form["x"], 0, True, "", False, False)
    columns = shown.columns()
    pictures = [name for name in (SHOWN if set(SHOWN[1:]) & set(columns) else OTHERWISE) if name in columns]
    for column, name in zip(st.columns(max(len(pictures), 1)), pictures):
        with column:
            st.markdown(f"**{quantities.of(name).heading}**")
            curves.show(shown, name, view)


def _open(of: StudyTable, trial: Trial) -> None:
    """Show the ways from a trial to its runs and to what they learned."""
    ids = [of.run_id[index] for index in trial.cells if of.run_id[index]]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(literal_title(of, trial), width="content")
        if not ids:
            st.caption("It has no run yet.")
            return
        st.page_link(
            "pages/runs/page.py",
            label=f"Open its {run_count(len(ids))}",
            query_params={"run": ",".join(ids[:MOST_CHOSEN])},
        )
        entry = listing(runs.runs_folder()).entries().get(ids[0])
        if entry is not None and entry.learns:
            st.page_link("pages/preconditioners/page.py", label="What it learned", query_params={"run": ids[0]})
    for index in trial.cells:
        if of.reason[index] and of.state[index] in ("failed", "lost", "damaged", "deleted", "ended early"):
            st.caption(literal(f"Seed {of.seed[index]} {of.state[index]}: {of.reason[index]}"))


def literal_title(of: StudyTable, trial: Trial) -> str:
    """Return a trial's heading as Markdown."""
    return f"**{literal(named(of.study.called(trial.method)))}**, {literal(trial.settings)}"
