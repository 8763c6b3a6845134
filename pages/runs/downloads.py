"""A run as a file to take away: its whole directory, or its metrics as a table. Made when it is asked for."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from fop_core.runs import export
from fop_core.runs.listing import Entry
from fop_core.runs.run import Run
from pages.components.download import File, button


def downloads(entries: Sequence[Entry]) -> None:
    """Show the buttons."""
    of = " ".join(entry.id for entry in entries)
    with st.popover("Download", width="content", key="runs download"):
        if len(entries) > 1:
            st.caption("One zip with all of them.")
        for label, make in (
            ("Everything (zip)", lambda _: archive(entries)),
            ("Metrics (CSV)", lambda _: table(entries, ".csv", export.to_csv)),
            ("Metrics (Parquet)", lambda _: table(entries, ".parquet", export.to_parquet)),
        ):
            button(label, make, key=f"runs download {label}", of=of)


def _name(runs: Sequence[Run], ending: str) -> str:
    """Return the name of a file of runs, with the step that one has come to."""
    if len(runs) > 1:
        return f"{runs[0].id}-and-{len(runs) - 1}-more{ending}"
    runs[0].metrics.update()
    steps = runs[0].metrics.steps
    return f"{runs[0].id}{f'-to-step-{steps[-1]}' if len(steps) else ''}{ending}"


def archive(entries: Sequence[Entry]) -> File:
    """Return the directories of runs as a zip."""
    runs = _anew(entries)
    content = export.to_zip(runs)
    return File(_name(runs, ".zip"), content)


def table(entries: Sequence[Entry], ending: str, write: Callable[[Run, Path], None]) -> File:
    """Return metrics as a file; of several runs as a zip with a file for each."""
    runs = _anew(entries)
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for run in runs:
            paths.append(Path(folder) / "table")
            write(run, paths[-1])
            paths[-1] = paths[-1].rename(Path(folder) / _name([run], ending))
        if len(paths) == 1:
            return File(paths[0].name, paths[0].read_bytes())
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for path in paths:
                made.write(path, path.name)
        return File(_name(runs, ".zip"), out.getvalue())


def _anew(entries: Sequence[Entry]) -> list[Run]:
    """Return runs with readers of their own: the page's may be in use."""
    return [Run(entry.run.path) for entry in entries]
