"""One run: its state, its numbers, its log, its settings and what made it."""

import re
import shlex
from typing import Any

import streamlit as st

from fop_core.formatting import duration, number, percent
from fop_core.jobs import queue
from fop_core.quantities import QUANTITIES
from fop_core.runs import fields, stamps
from fop_core.runs.files import DamagedFile
from fop_core.runs.listing import Entry
from fop_core.runs.loaded import Loaded
from pages.shared import run_text
from pages.shared.text import literal

NO_BREAK = "\N{NO-BREAK SPACE}"
_TIED = re.compile(r"(?<=\d) (?=±|\\%|points)|(?<=±) (?=\d)")
LOG = 8000  # bytes of the end of a log that are shown
COLORS = {"finished": "green", "failed": "red", "lost": "red", "stopped": "orange", "stopping": "orange"}
FINAL_VALUES = ("train_loss", "test_loss", "held_out_loss", "grad_norm", "lr", "d", "samples_per_second")


def head(entry: Entry) -> None:
    """Show its name, its state and why, and what to try where it failed."""
    badge = run_text.STATES[entry.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(entry.name), anchor=False, width="content")
        st.badge(f"{badge.symbol} {entry.state}", color=COLORS.get(entry.state, "blue"))  # type: ignore[arg-type]
        for tag in entry.tags:
            st.badge(literal(tag), color="gray")
    if entry.state in ("failed", "lost"):
        advice = run_text.advice(entry.state, entry.cause, bool(entry.recorded))
        st.error(f"{run_text.message(entry.reason)}\n\n{advice}")
    elif entry.waits:
        st.markdown(literal(f"Waits {_waits(entry)}."))
    elif entry.state == "queued":
        st.markdown("Not in the queue: launch it, or give it to `python -m fop_core train --run`.")
    elif entry.reason and entry.state in ("running", "finished"):  # it is well, but for what this says
        st.warning(literal(f"This run {entry.reason}."))
    elif entry.reason:
        st.markdown(literal(f"{entry.state.capitalize()} {entry.reason}."))
    if entry.damage:
        st.warning(literal(f"Damaged: {entry.damage}"))
    if entry.alive:
        _progress(entry)
        if (placed := queue.placement(entry.run)) is not None:
            where = placed.words()
            st.caption(literal(f"{where[0].upper()}{where[1:]}."))


def _waits(entry: Entry) -> str:
    try:
        return queue.waits_for(entry.run) or "to be started"
    except (DamagedFile, OSError) as error:
        return f"for the queue to be readable: {error}"


def _progress(entry: Entry) -> None:
    progress = entry.progress
    share, step, steps = (progress.get(key) for key in ("share", "step", "steps"))
    if share is None or step is None or steps is None:
        st.progress(0.0, f"{entry.state}, since {duration(stamps.age(entry.since))}")
        return
    eta = progress.get("eta_seconds")
    left = "" if eta is None else f", {duration(eta)} left"
    epoch = (
        f", epoch {number(progress['epoch'])} of {progress['epochs']}" if {"epoch", "epochs"} <= progress.keys() else ""
    )
    st.progress(float(share), f"step {step:,} of {steps:,}{epoch}{left}")
    if uses := run_text.uses(entry.usage):
        st.caption(f"Uses {uses}")


def numbers(entry: Entry, metrics: Loaded) -> None:
    """Show its last numbers."""
    rows = {
        "Best accuracy": run_text.best(entry),
        "Last accuracy": percent(run_text.accuracy(entry.progress)),
    }
    for name in FINAL_VALUES:
        if (curve := metrics.curve("step", name)) is not None and len(curve.y):
            rows[QUANTITIES[name].heading] = number(float(curve.y[-1]))
    if (seconds := metrics.curve("step", "seconds")) is not None and len(seconds.y):
        rows["Training"] = duration(float(seconds.y[-1]))
        rows["Steps"] = f"{int(seconds.steps[-1]):,}"
    rows |= {"Device": entry.device or "–", "Made": f"{entry.created[:16].replace('T', ' ')} UTC"}
    table([{"Last numbers": name, " ": value} for name, value in rows.items()])
    if metrics.trouble:
        st.warning(literal(metrics.trouble))


def table(rows: list[dict[str, str]]) -> None:
    """Show a table of texts as they are; a number, its deviation and its unit stay in one line."""
    st.table(
        [{name: _TIED.sub(NO_BREAK, literal(text)) for name, text in row.items()} for row in rows],
        hide_index=True,
        border="horizontal",
    )


def log(entry: Entry) -> None:
    """Show the end of its log."""
    text = entry.run.log(LOG)
    if not text:
        st.caption("It has no log.")
        return
    whole = text.partition("\n")[2] if len(text.encode()) >= LOG else text
    st.code(whole, language=None, height=280 if whole.count("\n") > 10 else "content")


def settings(entry: Entry) -> None:
    """Show all settings."""
    table([{"Setting": name, "Value": fields.text(fields.shown(entry.settings, name))} for name in entry.settings])


def made_by(entry: Entry) -> None:
    """Show what made it: preset and changes, then what each attempt ran on and with."""
    lineage = entry.run.about["lineage"]
    origins = [f"{key} {fields.text(value)}" for key, value in lineage.items() if value not in (None, "", [])]
    st.markdown(literal(f"From {'; '.join(origins) or 'its settings alone'}."))
    st.caption(literal(f"{entry.id}, in {entry.run.path.parent}"))
    for attempt in _attempts(entry):
        with st.container(border=True):
            st.markdown(f"**Attempt {attempt['attempt']}**, from step {attempt['from_step']:,}")
            if "warning" in attempt:
                st.warning(literal(f"It {attempt['warning']}."))
            table([{"What": name, "Which": text} for name, text in _attempt(attempt).items()])
            if command := attempt.get("command"):
                st.code(shlex.join(map(str, command)), language="bash", wrap_lines=True)


def _attempts(entry: Entry) -> list[dict[str, Any]]:
    try:
        return entry.run.attempts
    except (DamagedFile, OSError) as error:
        st.warning(literal(str(error)))
        return []


def _attempt(attempt: dict[str, Any]) -> dict[str, str]:
    versions, data = attempt.get("versions") or {}, attempt.get("data") or {}
    return {
        "Device": f"{attempt.get('device_name', '?')} ({attempt.get('device', '?')}), {attempt.get('threads')} threads",
        "Data": ". ".join(str(data[key]) for key in ("title", "note") if data.get(key)) or "–",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items()) or "–",
        "Commit": str(attempt.get("commit") or "–"),
        "Started": str(attempt.get("started", "–"))[:19].replace("T", " "),
    }
