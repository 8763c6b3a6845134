"""What people call a run: its name, tags and notes, and whether it is archived."""

import contextlib
import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fop_core.runs import files, locks, records, writable
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import LABELS_JSON, LABELS_LOCK


def read(path: Path) -> dict[str, Any]:
    """Return the labels of a run's directory; without labels.json there are none.

    Raises:
        DamagedFile: where labels.json does not hold such.

    Example:
        >>> from fop_core.runs import labels, store
        >>> labels.read(store.create({"epochs": 2}, name="First try").path)
        {'name': 'First try', 'tags': [], 'notes': '', 'archived': False}
    """
    labels = {"name": "", "tags": [], "notes": "", "archived": False}
    with contextlib.suppress(FileNotFoundError):
        written = files.read_json(path / LABELS_JSON)
        labels |= {key: written[key] for key in labels if key in written}
    if wrong := _wrong(labels):
        raise DamagedFile(f"{path / LABELS_JSON}: {wrong}")
    return labels


def change(path: Path, changes: dict[str, Any]) -> None:
    """Change some labels of a run's directory.

    Raises:
        RunError: for another label, or a value of another kind, or where somebody else holds labels.lock.
        DamagedFile: where the labels so far cannot be read, or the run is a link.

    Example:
        >>> from fop_core.runs import labels, store
        >>> run = store.create({"epochs": 2}, name="First try")
        >>> labels.change(run.path, {"archived": True})
        >>> run.labels["archived"]
        True
    """
    if wrong := _wrong(changes):
        raise RunError(f"{path.name} cannot be labelled so: {wrong}")
    writable.check_folders(path, "")
    lock_path = path / LABELS_LOCK
    lock = files.open_append(lock_path)
    try:  # two pages may change one label each
        end = time.monotonic() + locks.PATIENCE
        while not locks.flock(lock, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise RunError(f"{path.name} cannot be labelled: {locks.in_the_way(lock_path)}")
            time.sleep(0.002)
        files.write_json(path / LABELS_JSON, read(path) | changes)
    finally:
        os.close(lock)


def _wrong(labels: Mapping[str, Any]) -> str:
    for key, value in labels.items():
        match key:
            case "name" | "notes":
                right = records.is_text(value)
            case "tags":
                right = isinstance(value, (list, tuple)) and all(records.is_text(tag) for tag in value)
            case "archived":
                right = isinstance(value, bool)
            case _:
                return f"no label {key!r}: there are name, tags, notes, archived"
        if not right:
            return f"{key} is {value!r}: name and notes are strings, tags a list of strings, archived true or false"
    return ""
