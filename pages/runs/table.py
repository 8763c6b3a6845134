"""The table of runs, which ticks: what it says of each, and which are chosen."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import streamlit as st

from fop_core.figures.training_curves import named
from fop_core.jobs import queue
from fop_core.jobs.placements import Placement
from fop_core.runs import compare, files, stamps
from fop_core.runs.listing import Entry
from pages.components.component import component
from pages.components.plot import SOURCE
from pages.shared import run_text
from pages.shared.listing import MOST_CHOSEN

_mount = component("runs_table")

VARIED = 4  # settings with a column of their own
ROW, MOST = 32, 384  # px of a row, and of the table, which scrolls from there on: as runs_table/style.css has them
DAMAGE_LETTERS = 60  # letters of what is damaged; hovering and choosing the run show the rest

Cell = tuple[Any, ...]  # words, what they are sorted by, what hovering shows

_rows: WeakKeyDictionary[Entry, tuple[Any, bytes]] = WeakKeyDictionary()
"""Of each run what its row was last made of, and the row as JSON."""


def matching(
    entries: Sequence[Entry], archived: bool | None, find: str, states: Sequence[str], tags: Sequence[str]
) -> list[Entry]:
    """Return the runs that the table is to show.

    Args:
        entries: all of them.
        archived: whether those in the archive are wanted, or the others; None for both.
        find: words, all of which a run must have somewhere.
        states: which are wanted; none for all.
        tags: of which a run must have one; none for all.
    """
    wanted = find.casefold().split()
    return [
        entry
        for entry in entries
        if archived in (None, entry.archived)
        and (not states or entry.state in states)
        and (not tags or not set(tags).isdisjoint(entry.tags))
        and entry.holds(wanted)
    ]


def table(
    entries: Sequence[Entry], chosen: Sequence[str], sizes: bool, key: str, on_chosen: Callable[[], None]
) -> None:
    """Show the table.

    Args:
        entries: the runs, in the order to begin with.
        chosen: ids of the chosen ones.
        sizes: whether to say what each takes on the disk.
        key: of the widget; the session has there, as ``chosen``, what the reader chose.
        on_chosen: is called then.
    """
    varied = _varied(hash(tuple(entry.path for entry in entries)), entries)
    uses = any(entry.usage for entry in entries)
    placed = queue.placed(entries[0].run.path.parent) if entries else {}
    columns: list[dict[str, Any]] = [
        {"name": "state", "label": "State"},
        {"name": "name", "label": "Name"},
        {"name": "progress", "label": "Progress"},
        {"name": "method", "label": "Method"},
        {"name": "preset", "label": "Preset"},
        *({"name": f"={name}", "label": name.removeprefix("optimizer."), "help": name} for name in varied),
        {"name": "best", "label": "Best", "number": True, "help": "best accuracy on what is not learned from"},
        {"name": "last", "label": "Last", "number": True, "help": "last accuracy on what is not learned from"},
        *([{"name": "uses", "label": "Uses"}] if uses else []),
        *([{"name": "where", "label": "In Slurm"}] if placed else []),
        {"name": "device", "label": "Device"},
        *([{"name": "size", "label": "Size", "number": True}] if sizes else []),
        {"name": "age", "label": "Age", "number": True},
    ]
    names = tuple(str(column["name"]) for column in columns)
    rows = [_shown(entry, names, varied, placed.get(entry.id)) for entry in entries]
    about = {
        "columns": columns,
        "chosen": list(chosen)[:MOST_CHOSEN],
        "wanted": len(chosen),
        "most": MOST_CHOSEN,
        "plotly": SOURCE if chosen else "",
    }
    room = min(MOST, ROW * (len(rows) + 1))  # until it is drawn
    _mount(key=key, data=_packed(about, rows), on_chosen_change=on_chosen, height=room)


@st.cache_data(show_spinner=False, max_entries=64)
def _varied(paths_hash: int, _entries: Sequence[Entry]) -> list[str]:
    """Return the settings that get a column; a run's settings never change, so its path is enough to know it by."""
    entries = [entry for entry in _entries if entry.settings]
    within = [(entry.preset, entry.method) for entry in entries]
    differing = compare.differing([entry.settings for entry in entries], within)
    return [name for name in differing if name not in compare.ASIDE][:VARIED]


def _packed(about: dict[str, Any], rows: Sequence[bytes]) -> bytes:
    """Return what ``component.packed`` would make of both; rows are JSON already, as most have not changed."""
    head = json.dumps(about | {"arrays": {}}).encode()
    data = b'%b, "rows": [%b]}' % (head[:-1], b", ".join(rows))
    return len(data).to_bytes(4, "little") + data


def _shown(entry: Entry, names: tuple[str, ...], varied: Sequence[str], placed: Placement | None) -> bytes:
    """Return a run's row as JSON, made anew where something of it has changed, its age among it."""
    age = entry.created and int(stamps.age(entry.created) // 60)
    now = entry.version, entry.complete, entry.best, entry.device, entry.damage, names, age, placed
    row = _rows.get(entry)
    if "size" in names or row is None or row[0] != now:
        row = _rows[entry] = now, json.dumps(files.plain(_row(entry, names, varied, placed))).encode()
    return row[1]


def _row(entry: Entry, names: Sequence[str], varied: Sequence[str], placed: Placement | None = None) -> dict[str, Any]:
    state = "damaged" if entry.damaged else entry.state
    badge = run_text.STATES[state]
    share = None if entry.damage else entry.progress.get("share")
    last = run_text.accuracy(entry.progress)
    age = stamps.age(entry.created) if entry.created else None
    cells: dict[str, Cell] = {
        "state": (state, state, entry.damaged or entry.reason),
        "name": (entry.name, entry.name, entry.id + (f" · {', '.join(entry.tags)}" if entry.tags else "")),
        "progress": (_progress(entry, share), share, entry.damage),
        "method": (named(entry.method) if entry.method else "–", entry.method),
        "preset": (entry.preset or "–", entry.preset or None),
        "best": (run_text.best(entry), entry.best),
        "last": (run_text.percent(last), last),
        "uses": (run_text.uses(entry.usage), entry.usage.get("cpu_percent")),
        "where": ("–", None) if placed is None else (placed.brief(), placed.brief(), placed.words()),
        "device": (entry.device or "–", entry.device or None),
        "age": (
            run_text.duration(age),
            None if age is None else round(age / 60),
            entry.created[:16].replace("T", " "),
        ),
    }
    if "size" in names:
        size = _size(str(entry.run.path))
        cells["size"] = run_text.size(size), size
    for name in varied:
        value = entry.settings.get(name)
        there = name in entry.settings
        ordered = value if isinstance(value, (int, float)) and not isinstance(value, bool) else run_text.setting(value)
        cells[f"={name}"] = (run_text.setting(value), ordered) if there else ("–", None)
    return {
        "id": entry.id,
        "symbol": badge.symbol,
        "color": badge.color,
        "share": share,
        "cells": [_brief(cells[name]) for name in names],
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
        return f"{share:.0%}, {run_text.duration(eta)} left"
    return f"{share:.0%}"


@st.cache_data(ttl=120, max_entries=4000, show_spinner=False)
def _size(path: str) -> int:
    return files.size(Path(path))
