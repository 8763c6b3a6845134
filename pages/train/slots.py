"""Where a run will wait and be trained, and how long an epoch takes there."""

from collections.abc import Sequence

import streamlit as st

from fop_core.formatting import count, duration, run_count
from fop_core.jobs import queue
from fop_core.jobs.launcher_settings import Slurm
from fop_core.jobs.placements import RUNNING
from fop_core.runs import store
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.training import preview
from fop_core.training.config import TrainConfig
from fop_core.training.preview import Preview
from pages.shared import run_text
from pages.shared.reruns import run_again
from pages.shared.text import literal
from pages.train.launch import launch_probe, measured, same_speed

EVERY = 3.0  # seconds between two readings of the slots
OFTEN = 1.0  # at a probe
PROBES = "train probes"


def no_slot(made: TrainConfig) -> str:
    """Return in words why no slot of this machine, or of Slurm, will ever take the run, or ""."""
    try:
        chosen = queue.launcher()
        if chosen.launcher == "slurm":
            lacks = made.device.startswith("cuda") and not chosen.slurm.gpus
            return (
                f"Device {made.device} needs a GPU, and Slurm is asked for none: queue set --gpus 1." if lacks else ""
            )
        slots = queue.slots()
    except (DamagedFile, OSError) as error:
        return f"The queue cannot be read: {error}."
    if any(queue.fits(slot, made.device) for slot in slots):
        return ""
    there = ", ".join(slot.title for slot in slots) or "no slot at all"
    return f"No slot of this machine is for device {made.device}; there is {there}."


def line(free: int, waiting: int, number: int) -> str:
    """Return in words how runs will come to a slot.

    Args:
        free: slots that are free for them.
        waiting: runs that wait already.
        number: how many are launched.
    """
    at_once = max(0, free - waiting)
    if at_once >= number:
        return "It starts at once." if number == 1 else "They start at once."
    before = f"behind {run_count(waiting)}" if waiting else "as a slot gets free"
    if at_once:
        return f"{at_once} of {number} start{'s' * (at_once == 1)} at once, the others wait."
    return f"{'It waits' if number == 1 else 'They wait'} in the queue, {before}."


@st.fragment(run_every=EVERY)
def show_slots(device: str, number: int) -> None:
    """Show the slots, who is in them, and the position in the queue; keeps itself up to date."""
    try:
        chosen = queue.launcher()
        if chosen.launcher == "slurm":
            _show_slurm(chosen.slurm, device)
            return
        slots = queue.slots()
        fitting = [slot for slot in slots if queue.fits(slot, device)]
        waiting = sum(any(queue.fits(slot, _device(run)) for slot in fitting) for run in queue.waiting())
        folder = store.runs_folder()
        trouble = queue.blocking_reason(folder) if folder.exists() else ""
    except (DamagedFile, OSError) as error:
        st.warning(literal(str(error)))
        return
    free = sum(slot.free for slot in fitting)
    with st.container(gap="xxsmall"):
        st.markdown(f"**Slots** {literal(line(free, waiting, number) if fitting else f'none for device {device}')}")
        for slot in slots:
            state = f"taken by {slot.used_by}" if slot.used_by else slot.unusable or "free"
            fit = "" if slot in fitting else f", not for device {device}"
            st.caption(literal(f"{slot.title}: {state}{fit}" + f"; {slot.others}" * bool(slot.others)))
        if trouble:
            st.warning(literal(f"No run starts now. The queue waits {trouble}."))


def _show_slurm(chosen: Slurm, device: str) -> None:
    """Show what Slurm is asked for, how many of our runs it has, and what is wrong with it."""
    there = queue.placed().values()
    running = sum(each.state == RUNNING for each in there)
    gpus = f", GPUs {chosen.gpus}" if chosen.gpus and device != "cpu" else ""
    with st.container(gap="xxsmall"):
        st.markdown(literal(f"Slurm starts it: {running} of our runs are on its nodes, {len(there) - running} wait."))
        limit = f", {chosen.time_limit} at most" if chosen.time_limit else ""
        packed = f", {chosen.pack} runs in one allocation" if chosen.pack > 1 else ""
        where = f"Partition {chosen.partition or 'as set there'}"
        st.caption(literal(f"{where}, CPUs {chosen.cpus}{gpus}{limit}{packed}."))
        if trouble := queue.slurm_trouble():
            st.warning(run_text.message(f"Slurm takes nothing now: {trouble}"))


def _device(run: Run) -> str:
    try:
        return str(run.config.get("device", "auto"))
    except (DamagedFile, OSError):  # whatever it is, it waits
        return "auto"


def time_per_epoch(made: TrainConfig, summary: Preview) -> None:
    """Show how long an epoch takes, or offer to measure it."""
    going = _going(_probe(made))
    st.fragment(_time, run_every=OFTEN if going else None)(made, summary, going)


def _time(made: TrainConfig, summary: Preview, was_going: bool) -> None:
    run = _probe(made)
    going = _going(run)
    if going != was_going:
        run_again()  # it has begun or ended: the page looks at it from now on, or no longer
    area = st.container(gap="xxsmall")
    if run is None:
        area.markdown("**Time per epoch** not measured yet")
    else:
        with area:
            _show_probe(made, summary, run)
    if going:
        st.button("Cancel measuring", on_click=lambda: _cancel(made), key="train cancel")
        return
    st.button(
        "Measure time per epoch" if run is None else "Measure again",
        on_click=lambda: _measure(made),
        disabled=summary.images is None,
        help=f"Queues a run of {preview.PROBE_STEPS} steps, a job like any other. It is archived, with the tag probe.",
        key="train probe",
    )
    if trouble := st.session_state.pop("train probe trouble", ""):
        st.error(literal(trouble))


def _show_probe(made: TrainConfig, summary: Preview, run: Run) -> None:
    try:
        state, waits = run.state, queue.waits_for(run)
        step_seconds = measured(run) if state.state == "finished" else None
    except (DamagedFile, OSError) as error:
        st.markdown("**Time per epoch** unknown")
        st.error(literal(str(error)))
        return
    if step_seconds is not None and summary.images is not None:
        epoch, total = preview.steps(made, summary.images)
        words = f"**Time per epoch** about {duration(epoch * step_seconds)}"
        if total != epoch:
            words += f"; {duration(total * step_seconds)} for a run"
        st.markdown(words)
        st.caption(
            f"{duration(step_seconds)} a step, {count(epoch)} steps an epoch, {count(total)} in all.",
            help=f"From the last {preview.PROBE_STEPS - preview.WARM} of {preview.PROBE_STEPS} steps. Measuring on "
            "the test set after each epoch, snapshots and checkpoints come on top.",
        )
    elif waits:
        st.markdown(f"**Time per epoch** waits {literal(waits)}")
    elif state.state in (*ALIVE, "queued"):
        st.markdown("**Time per epoch** is being measured")
    else:
        st.markdown("**Time per epoch** unknown")
        st.error(literal(f"The probe is {state.state}: {state.reason}" if state.reason else "It took too few steps."))


def _probe(made: TrainConfig) -> Run | None:
    """Return the probe that was launched for such a run, if any."""
    id_ = st.session_state.setdefault(PROBES, {}).get(same_speed(made))
    try:
        return store.find(id_) if id_ else None
    except RunError:  # deleted meanwhile
        return None


def _going(run: Run | None) -> bool:
    try:
        return run is not None and run.state.state in (*ALIVE, "queued")
    except (DamagedFile, OSError):
        return False


def _measure(made: TrainConfig) -> None:
    if _going(_probe(made)):  # a click comes twice where a tick is due in the same moment
        return
    try:
        st.session_state[PROBES][same_speed(made)] = launch_probe(made).id
    except (OSError, ValueError) as error:
        st.session_state["train probe trouble"] = str(error)


def _cancel(made: TrainConfig) -> None:
    run = _probe(made)
    st.session_state[PROBES].pop(same_speed(made), None)
    if run is not None:
        try:
            queue.stop(run)
        except (RunError, OSError):  # ended just now
            return


def commands(lines: Sequence[str]) -> None:
    """Show what does the same from a shell."""
    st.subheader("The same from a shell", anchor=False)
    st.code("\n".join(lines), language="bash", wrap_lines=True, height=320 if len(lines) > 8 else "content")
    st.caption("In the project's folder. Each trains at once, in that terminal, and waits for no slot.")
