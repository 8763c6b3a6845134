"""A run as a file to take away: its whole directory, or its metrics as a table. Made when it is asked for."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from fop_core.runs import export
from fop_core.runs.store import Run
from pages.parts.runs_listing import Entry

LEFT_OUT = {"control.lock", "labels.lock", "requests"}


def downloads(entries: Sequence[Entry]) -> None:
    """Show the buttons."""
    with st.popover("Download", width="content", key="runs download"):
        if len(entries) > 1:
            st.caption("One zip with all of them.")
        for label, ending, kind, make in (
            ("Everything (zip)", "zip", "application/zip", lambda: archive(entries)),
            ("Metrics (CSV)", "csv", "text/csv", lambda: table(entries, ".csv", export.to_csv)),
            (
                "Metrics (Parquet)",
                "parquet",
                "application/octet-stream",
                lambda: table(entries, ".parquet", export.to_parquet),
            ),
        ):
            several = len(entries) > 1
            name = f"{'runs' if several else entries[0].id}.{'zip' if several else ending}"
            kind = "application/zip" if several else kind
            st.download_button(
                label, make, name, kind, on_click="ignore", key=f"runs download {ending}", width="stretch"
            )


def archive(entries: Sequence[Entry]) -> bytes:
    """Return the directories of runs as a zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        for entry in entries:
            root = entry.run.path.resolve()
            for path in sorted(root.rglob("*")):
                inside = path.relative_to(root)
                if (
                    path.is_file()
                    and not path.is_symlink()
                    and not set(inside.parts) & LEFT_OUT
                    and path.name[0] != "."
                ):
                    made.write(path, Path(entry.id) / inside)
    return out.getvalue()


def table(entries: Sequence[Entry], ending: str, write: Callable[[Run, Path], None]) -> bytes:
    """Return metrics as a file; of several runs as a zip with a file for each."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for entry in entries:
            paths.append(Path(folder) / f"{entry.id}{ending}")
            write(Run(entry.run.path), paths[-1])  # its own reader: the page's may be in use
        if len(paths) == 1:
            return paths[0].read_bytes()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
            for path in paths:
                made.write(path, path.name)
        return out.getvalue()
