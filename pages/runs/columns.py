"""The columns of the Runs table: which there are, what a reader calls them, and what a cell says."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from fop_core import quantities
from fop_core.formatting import number, percent
from fop_core.runs import compare, fields
from fop_core.runs.fields import ANYWHERE, BEST, LAST, SETTING, Known
from fop_core.runs.listing import Entry
from pages.shared.train.settings import LABELS

Cell = tuple[Any, ...]  # words, what they are sorted by, what hovering shows

VARIED = 4  # settings with a column of their own
FIXED: Mapping[str, str] = {
    "progress": "Progress",
    "method": "Method",
    "preset": "Preset",
    "varied": "Settings that differ",
    "best": "Best",
    "last": "Last",
    "uses": "Uses",
    "where": "In Slurm",
    "device": "Device",
    "size": "Size",
    "age": "Age",
}
"""Columns that are always there to be chosen, with their headings; state and name are in every table."""
HELP = {
    "best": "best accuracy on what is not learned from",
    "last": "last accuracy on what is not learned from",
    "uses": "of the machine, while it is trained",
    "where": "its node, or its place in the queue",
}
_ANY = "{0} of the script's own settings, else optimizer.{0}, else optimizer.settings.{0}, as a run has it"
NUMBERS = ("best", "last", "size", "age")
FIRST = ("progress", "method", "preset", "varied", "best", "last", "uses", "where", "device", "age")
"""What the table shows unless a reader chooses."""

CALLED = {**LABELS, "seed": "Seed"}
"""What stands above the column of a setting; hovering it, and the list of all columns, say its path."""


def is_column(name: str) -> bool:
    """Return whether a name can be a column's; whether any run has that setting or measured that is another matter."""
    return name in FIXED or any(name.startswith(each) and name != each for each in (SETTING, LAST, BEST))


def title(name: str) -> str:
    """Return what a reader calls a column where all are listed."""
    if name in ("best", "last"):
        return f"{FIXED[name]} accuracy"
    if name.startswith(SETTING):
        return _path(name)
    return FIXED.get(name) or heading(name)


def heading(name: str) -> str:
    """Return what stands above a column."""
    if name.startswith(SETTING):
        path = _path(name)
        known = None if name.startswith(ANYWHERE) else CALLED.get(path)
        return known or path.removeprefix("optimizer.")
    if fields.is_measured(name):
        prefix, _, column = name.partition(".")
        return f"{prefix.capitalize()} {quantities.title(column)}"
    return FIXED[name]


def _path(name: str) -> str:
    return name.removeprefix(ANYWHERE).removeprefix(SETTING)


def choices(known: Known) -> list[str]:
    """Return all columns that a reader may choose, what a run measures before its settings."""
    of_runs = [column for column in known.columns if "/" not in column]
    of_layers = [column for column in known.columns if "/" in column]
    best = [column for column in of_runs if quantities.of(column).goal]
    return [
        *FIXED,
        *(LAST + column for column in of_runs),
        *(BEST + column for column in best),
        *dict.fromkeys(each for path in known.settings for each in (known.short(path), SETTING + path)),
        *(LAST + column for column in of_layers),
    ]


def expanded(names: Sequence[str], entries: Sequence[Entry], *, placed: bool = False) -> list[str]:
    """Return the columns to show: the settings in which runs differ in their place, each column once.

    Args:
        names: the columns that are chosen.
        entries: the runs.
        placed: whether Slurm has some of the folder's runs.
    """
    made: list[str] = []
    for name in names:
        if name == "varied":
            paths, known = _varied(hash(tuple(entry.path for entry in entries)), entries)
            made += [known.short(path) for path in paths]
        elif {"uses": any(entry.usage for entry in entries), "where": placed}.get(name, True):
            made.append(name)
    return list(dict.fromkeys(made))


@st.cache_data(show_spinner=False, max_entries=64)
def _varied(paths_hash: int, _entries: Sequence[Entry]) -> tuple[list[str], Known]:
    """Return the settings that get a column, and all names; a run's never change, so its path tells them."""
    entries = [entry for entry in _entries if entry.settings]
    within = [(entry.preset, entry.method) for entry in entries]
    differing = compare.differing([entry.settings for entry in entries], within)
    return [name for name in differing if name not in compare.ASIDE][:VARIED], fields.known(entries)


def described(name: str, beside: Sequence[str] = ()) -> dict[str, Any]:
    """Return a column as the table in the browser takes it; written whole where one beside it has its heading."""
    alike = sum(heading(each) == heading(name) for each in beside) > 1
    made: dict[str, Any] = {"name": name, "label": title(name) if alike else heading(name)}
    if fields.is_measured(name):
        about = quantities.of(name.partition(".")[2])
        return made | {"number": True, "help": f"{name.partition('.')[0]}: {about.about}"}
    if name.startswith(SETTING):
        return made | {"help": _ANY.format(_path(name)) if name.startswith(ANYWHERE) else _path(name)}
    made |= {"number": True} if name in NUMBERS else {}
    return made | ({"help": HELP[name]} if name in HELP else {})


def cell(entry: Entry, name: str) -> Cell:
    """Return what a table says of a run in the column of a setting, or of what it measured."""
    if fields.is_measured(name):
        return _measured(entry, name)
    path = fields.setting(entry.settings, name)
    if path is None:
        return "–", None
    value = fields.shown(entry.settings, path)
    ordered = value if isinstance(value, (int, float)) and not isinstance(value, bool) else fields.text(value)
    return fields.text(value), ordered


def _measured(entry: Entry, name: str) -> Cell:
    if not fields.ready(entry, name):
        return "…", None
    if (value := fields.value(entry, name)) is None:
        return "–", None
    if not math.isfinite(value):
        return number(value), None if math.isnan(value) else math.copysign(1e308, value)
    of_percent = quantities.of(name.partition(".")[2]).percent
    return percent(value) if of_percent else number(value), value
