"""What if: go on from a checkpoint with M frozen, reset, normalized or transplanted, and see it beside its parent."""

import math
from pathlib import Path

import numpy as np
import streamlit as st

from fop_core.figures import learned_curves
from fop_core.figures.style import METHODS, MINIMA
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.jobs import queue
from fop_core.quantities import QUANTITIES
from fop_core.runs import compare, files, lineage, store
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.learned import Layer
from fop_core.runs.listing import Entry
from fop_core.runs.run import Run
from fop_core.training import fork as forks
from pages.components.plot import plot
from pages.preconditioners.sources import Source, known
from pages.shared import curves
from pages.shared.form import Form
from pages.shared.listing import listing
from pages.shared.reruns import run_again
from pages.shared.run_text import message
from pages.shared.text import literal

TICK = 1.5  # seconds
LONGEST = 100_000  # epochs of a run
FURTHER = 2  # epochs, unless the reader says otherwise
BUCKETS = 200
SHOWN = ("train_loss", "test_accuracy")
NAMES = {
    "frozen": "Freeze M",
    "reset": "Reset M to its start",
    "normalized": "Normalize P",
    "transplanted": "Transplant another run's M",
    "unchanged": "Change nothing",
}


def fork(form: Form, source: Source, layer: Layer) -> None:
    """Show the choice and what it would be, launch it, and show what came of earlier ones."""
    if source.entry is None:
        st.markdown("Matrices alone cannot go on: choose a run that has a checkpoint.")
        return
    there = forks.available(source.entry.run)
    if there.steps:
        _compose(source.entry, there.steps)
    else:
        st.markdown(literal(there.reason))
    if trouble := st.session_state.pop("inspect fork trouble", ""):
        st.error(literal(trouble))
    if (launched := st.session_state.pop("inspect forked", None)) is not None:
        st.success(f"{literal(launched)} is in the queue.")
        listing(store.runs_folder()).renew()  # it is there since this click
    if entries := _forks(source.entry):
        ticks = _go_on(entries)
        st.fragment(_followed, run_every=TICK if ticks else None)(source.entry, ticks)


def _compose(parent: Entry, steps: tuple[int, ...]) -> None:
    left, right = st.columns([1, 1], gap="medium")
    with left:
        kind = st.radio(
            "What if, from a checkpoint on …",
            list(NAMES),
            format_func=NAMES.__getitem__,
            captions=[lineage.MATRICES[name] for name in NAMES],
            key="inspect fork kind",
        )
    with right:
        at = st.selectbox("From step", steps[::-1], format_func=lambda step: f"{step:,}", key="inspect fork at")
        further = st.number_input("Epochs to go on for", 1, 10_000, FURTHER, key="inspect fork epochs")
        donor = None
        if kind == "transplanted":
            others = [entry for id_, entry in known().items() if id_ != parent.id]
            donor = st.selectbox(
                "M of", others, format_func=lambda entry: entry.name, key="inspect fork donor", index=None
            )
        try:
            plan = _plan(parent.run, kind, at, donor, int(further))
        except (forks.ForkError, DamagedFile, OSError) as error:
            st.warning(message(str(error)))
            return
        if plan is None:
            st.markdown("Choose the run whose M it gets.")
            return
        if damage := _damage(parent.run.checkpoint_path(at)):
            st.warning(literal(f"{damage}. Choose another step."))
            return
        st.markdown(literal(plan.description))
        st.button("Launch the fork", type="primary", on_click=_launch, args=(parent.run,), key="inspect fork launch")


def _plan(run: Run, kind: str, at: int, donor: Entry | None, further: int) -> forks.ForkPlan | None:
    """Return a fork of so many further epochs; None while its donor is not chosen."""
    if kind == "transplanted" and donor is None:
        return None
    donor_run = donor.run if kind == "transplanted" and donor is not None else None
    longest = forks.plan(run, matrices=kind, at=at, donor=donor_run, epochs=LONGEST)
    done = math.ceil(at / longest.steps_in_epoch)
    return forks.plan(run, matrices=kind, at=at, donor=donor_run, epochs=min(done + further, LONGEST))


def _damage(path: Path) -> str:
    """Return why a checkpoint cannot be read, or "" where it can: it is read whole, once."""
    try:
        about = path.stat()
    except OSError as error:
        return str(error)
    return _read(str(path), about.st_mtime_ns, about.st_size)


@st.cache_data(show_spinner="Reading the checkpoint …", max_entries=64)
def _read(path: str, changed: int, size: int) -> str:
    try:
        files.read_arrays(Path(path))
    except (DamagedFile, OSError) as error:
        return str(error)
    return ""


def _launch(parent: Run) -> None:
    """Make the fork that the widgets hold now and queue it, once: what came of it is shown before there is another."""
    kind, at, donor, further = (
        st.session_state.get(f"inspect fork {name}") for name in ("kind", "at", "donor", "epochs")
    )
    if "inspect forked" in st.session_state or kind is None or at is None or further is None:
        return
    try:
        plan = _plan(parent, kind, at, donor, int(further))
        if plan is None:
            return
        run = forks.create(plan)
        queue.submit(run)
    except (forks.ForkError, DamagedFile, RunError, OSError) as error:
        st.session_state["inspect fork trouble"] = str(error)
        return
    st.session_state["inspect forked"] = run.name


def _forks(parent: Entry) -> list[Entry]:
    """Return the forks of a run that are in the reader's folder, the newest first."""
    entries = listing(store.runs_folder()).entries().values()
    return [each for each in entries if not each.damaged and each.forked_from == parent.id]


def _go_on(entries: list[Entry]) -> bool:
    return any(each.alive or each.waits for each in entries)


def _followed(parent: Entry, ticks: bool) -> None:
    """Show forks beside their parent, up to date, and tick no more once all have ended."""
    entries = _forks(parent)
    if ticks and not _go_on(entries):
        run_again()
    st.markdown("**Beside its parent**")
    loaded = curves.loaded([parent, *entries])
    line_styles = [LineStyle(METHODS["fop"].color, "solid", 2.5)]
    line_styles += [LineStyle(MINIMA[index % len(MINIMA)], "5px,3px", 2.0) for index in range(len(entries))]
    labels = ["parent", *(str(each.settings.get("fork", each.name)) for each in entries)]
    begin = min(_begin(each.run) for each in entries)
    for column, name in zip(st.columns(2, gap="medium"), SHOWN):
        lines, of = [], QUANTITIES[name]
        for metrics, line_style, label in zip(loaded, line_styles, labels):
            if (curve := metrics.curve("step", name)) is None:
                continue
            late = curve.x >= 0.8 * begin
            x, y = compare.drawn(curve.x[late], curve.y[late], np.empty(0, np.int64), BUCKETS)
            lines.append(Line(label, line_style, x, y))
        with column:
            key = f"{parent.id} forks {name}"
            figure = learned_curves.over_steps(lines, of.title, key, percent=of.percent)
            alt, runs = f"{of.title} of forks and parent", f"{parent.id} and forks"
            plot(figure, of=runs, key=f"inspect fork {name}", alt=alt, aspect=1.7, heights=(240, 320))
    for each in entries:
        step = each.progress.get("step")
        status = f"{each.state}{f', {each.reason}' if each.reason else ''}{f', step {step:,}' if step else ''}"
        st.markdown(f"{literal(each.name)}: {literal(status)}")
    ids = ",".join(each.id for each in [parent, *entries])
    st.page_link("pages/runs/page.py", label="Compare in Runs", query_params={"run": ids})


def _begin(run: Run) -> int:
    origin = lineage.origin(run)
    return origin.step if origin is not None else 0
