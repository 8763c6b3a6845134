"""The table of runs, which ticks: what it says of each, and which are chosen."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st

from fop_core.figures.style import PINS
from fop_core.formatting import duration, percent, size
from fop_core.jobs import queue
from fop_core.jobs.placements import Placement
from fop_core.runs import files, stamps
from fop_core.runs.listing import Entry
from pages.components.plot import SOURCE
from pages.components.runs_table import runs_table
from pages.runs import columns
from pages.runs.columns import Cell
from pages.shared import run_text
from pages.shared.listing import MOST_CHOSEN

DAMAGE_LETTERS = 60  # letters of what is damaged; hovering and choosing the run show the rest

_rows: WeakKeyDictionary[Entry, tuple[Any, bytes]] = WeakKeyDictionary()
"""Of each run what its row was last made of, and the row as JSON."""


def table(
    entries: Sequence[Entry],
    chosen: Sequence[str],
    pins: Mapping[str, int],
    names: Sequence[str],
    key: str,
    on_chosen: Callable[[], None],
    on_pinned: Callable[[], None],
) -> None:
    """Show the table.

    Args:
        entries: the runs, in the order to begin with.
        chosen: ids of the chosen ones.
        pins: which of ``style.PINS`` is the colour of a pinned one, by its id.
        names: columns, see ``columns``, behind state and name.
        key: of the widget; the session has there, as ``chosen`` and as ``pinned``, what the reader chose.
        on_chosen: is called then.
        on_pinned: likewise.
    """
    placed = queue.placed(entries[0].run.path.parent) if entries else {}
    shown = ("state", "name", *columns.expanded(names, entries, placed=bool(placed)))
    head = [{"name": "state", "label": "State"}, {"name": "name", "label": "Name"}]
    rows = [_shown(entry, shown, placed.get(entry.id)) for entry in entries]
    runs_table(
        "Runs",
        [*head, *(columns.described(name, shown[2:]) for name in shown[2:])],
        rows,
        key=key,
        on_chosen=on_chosen,
        chosen=chosen,
        most=MOST_CHOSEN,
        pins=pins,
        colors=PINS,
        on_pinned=on_pinned,
        plotly=SOURCE if chosen or pins else "",
    )


def _shown(entry: Entry, names: tuple[str, ...], placed: Placement | None = None) -> bytes:
    """Return a run's row as JSON, made anew where something of it has changed, its age among it."""
    age = entry.created and int(stamps.age(entry.created) // 60)
    now = entry.version, entry.complete, entry.best, entry.device, entry.damage, names, age, id(entry.measured), placed
    row = _rows.get(entry)
    if "size" in names or row is None or row[0] != now:
        row = _rows[entry] = now, json.dumps(files.plain(_row(entry, names, placed))).encode()
    return row[1]


def _row(entry: Entry, names: Sequence[str], placed: Placement | None = None) -> dict[str, Any]:
    state = "damaged" if entry.damaged else entry.state
    badge = run_text.STATES[state]
    share = None if entry.damage else entry.progress.get("share")
    last = run_text.accuracy(entry.progress)
    age = stamps.age(entry.created) if entry.created else None
    cells: dict[str, Cell] = {
        "state": (state, state, entry.damaged or entry.reason),
        "name": (entry.name, entry.name, entry.id + (f" · {', '.join(entry.tags)}" if entry.tags else "")),
        "progress": (_progress(entry, share), share, entry.damage),
        "method": (run_text.method(entry), entry.method),
        "preset": (entry.preset or "–", entry.preset or None),
        "best": (run_text.best(entry), entry.best),
        "last": (percent(last), last),
        "uses": (run_text.uses(entry.usage), entry.usage.get("cpu_percent")),
        "where": ("–", None) if placed is None else (placed.brief(), placed.brief(), placed.words()),
        "device": (entry.device or "–", entry.device or None),
        "age": (
            duration(age),
            None if age is None else round(age / 60),
            entry.created[:16].replace("T", " "),
        ),
    }
    if "size" in names:
        bytes_ = _size(str(entry.run.path))
        cells["size"] = size(bytes_), bytes_
    return {
        "id": entry.id,
        "symbol": badge.symbol,
        "color": badge.color,
        "share": share,
        "cells": [_brief(cells[name] if name in cells else columns.cell(entry, name)) for name in names],
    }


def _brief(cell: Cell) -> Cell | str:
    """Return a cell as the table takes it: a text alone stands for one that is sorted by itself."""
    brief = cell if len(cell) < 3 or cell[2] else cell[:2]
    return brief[0] if brief == (brief[0], brief[0]) else brief


def _progress(entry: Entry, share: float | None) -> str:
    if entry.damage:
        message = f"damaged: {entry.damage}"
        return message if len(message) <= DAMAGE_LETTERS else f"{message[: DAMAGE_LETTERS - 1]}…"
    if share is None:
        return "in the queue" if entry.waits else "–"
    if entry.state in ("running", "starting") and (eta := entry.progress.get("eta_seconds")) is not None:
        return f"{percent(share, digits=0)}, {duration(eta)} left"
    return percent(share, digits=0)


@st.cache_data(ttl=120, max_entries=4000, show_spinner=False)
def _size(path: str) -> int:
    return files.size(Path(path))
