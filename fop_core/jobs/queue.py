"""The queue: runs that wait to be started, in the order in which that was asked.

    submit(run)                 to start a new run, or to go on with one that has ended; submit_all(runs) for many
    stop(run)                   to take it out of the queue, or to end it with a checkpoint
    ensure_dispatcher(folder)   starts the dispatcher where something waits and none is there

A run waits while it has a file requests/start, and no process has to be there for that. Whoever looks at the queue
makes sure of the dispatcher; a
state is written only under the run's ``Control``.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from fop_core.formatting import size
from fop_core.jobs import launcher_settings, placements, requests
from fop_core.jobs import slots as _slots
from fop_core.jobs.cores import Room
from fop_core.jobs.elected import Elected
from fop_core.jobs.launcher_settings import LauncherSettings
from fop_core.jobs.placements import Placement
from fop_core.jobs.requests import Waiting
from fop_core.jobs.slots import Slot
from fop_core.runs import files, lineage, plugins, stamps, store, trash, writable
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE

_DISPATCHER = Elected("dispatcher", "fop_core.jobs.dispatcher")
electing, _open_log, _start = _DISPATCHER.electing, _DISPATCHER.open_log, _DISPATCHER.start
FURTHEST = 10**9 * 86400 * 365 * 100  # ns after now that an order of ours can be, of a clock that was wrong
LEAST_FREE = 200e6  # bytes of the disk that must be free for a job to start


def submit(run: Run, by: str = "") -> None:
    """Ask for a new run to be started, or for one that has ended to go on.

    One that waits for another machine's dispatcher, or under another name that this machine had, waits for ours then.

    Raises:
        RunError: where it waits already, is being worked on, is finished, is in the trash, or is not ours.
        DamagedFile: where no dispatcher can be started; then it is not asked for.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.submit(run)
        >>> [each.name for each in queue.waiting()]
        ['First try']
    """
    _check(run)
    _ask([run], by)


def submit_all(runs: Sequence[Run], by: str = "") -> dict[str, str]:
    """Ask for many runs as ``submit`` does for one, in their order: it looks through the queue once, not once a run.

    Returns:
        Why a run could not be asked for, by its id.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> seeds = [store.create({"epochs": 2, "seed": seed}, name=f"seed {seed}") for seed in range(3)]
        >>> queue.submit_all(seeds)  # no trouble
        {}
        >>> [run.name for run in queue.waiting()]
        ['seed 0', 'seed 1', 'seed 2']
    """
    fit, troubles = [], {}
    for run in runs:
        try:
            _check(run)
            fit.append(run)
        except (RunError, DamagedFile, OSError) as error:
            troubles[run.id] = str(error)
    if fit:
        try:
            _ask(fit, by)
        except (RunError, DamagedFile, OSError) as error:
            troubles |= {run.id: str(error) for run in fit if not run.has_request("start")}
    return troubles


def _check(run: Run) -> None:
    """Raise what ``submit`` does of a run that cannot be asked for."""
    if trash.holds(run.path):
        raise RunError(f"{run.path} is in the trash: `runs restore {run.id}` brings it back")
    with contextlib.suppress(DamagedFile, FileNotFoundError):  # of what cannot be read its attempt says why
        lineage.refuse_recorded(run)
    state = run.state.state
    if state in ALIVE:
        raise RunError(f"{run.id} is {state} already")
    if state == "finished":
        raise RunError(f"{run.id} is finished: clone it to train it anew")
    if obstacle := writable.obstacle(run.path):
        raise RunError(f"{run.id} cannot be started: {obstacle}")
    if refusal := plugins.refusal(run):
        raise RunError(f"{run.id} cannot be started: {refusal}")
    with contextlib.suppress(FileNotFoundError):
        if requests.read(run).mine:
            raise RunError(f"{run.id} waits in the queue already")


def _ask(runs: Sequence[Run], by: str) -> None:
    folder = runs[0].path.parent
    with electing(folder):
        os.close(_open_log(folder))  # what a dispatcher needs is there: else nothing is asked
    order = _next_order(requests.waiting(folder))
    for index, run in enumerate(runs):
        run.withdraw("stop")
        run.request("start", by, **requests.content(order + index))
    ensure_dispatcher(folder)


def _next_order(line: Sequence[Waiting]) -> int:
    """Return the order of the next request: after all of ours, as clocks can be set back.

    What others say is not counted, nor what no clock of ours said: after the highest that there can be comes none.
    """
    now = time.time_ns()
    return max([now, *(each.order + 1 for each in line if each.mine and each.order < now + FURTHEST)])


def stop(run: Run, by: str = "") -> bool:
    """Take a run out of the queue, or ask for it to end, with a checkpoint.

    Returns:
        Whether it was taken out of the queue; else it goes on until it has made its checkpoint.

    Raises:
        RunError: where it neither waits nor is being worked on, or is not ours to take out.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.submit(run)
        >>> queue.stop(run, by="Ada"), run.state.reason
        (True, 'by Ada before it was started')
    """
    if run.has_request("start"):
        if _leave(run, by or stamps.user()):
            return True
        run.request("stop", by)  # it is being started: whoever has it in hand looks for that
        ensure_dispatcher(run.path.parent)
        return False
    try:
        state = run.state.state
    except DamagedFile:
        if not run.held():
            raise
    else:
        if state not in ALIVE:
            raise RunError(f"{run.id} is {state}: there is nothing to stop")
    run.request("stop", by)
    return False


def _leave(run: Run, by: str) -> bool:
    """Take a run out of the queue; return whether it could be had in hand for that."""
    try:
        with Control(run) as control:
            run.withdraw("start")
            if run.written().state != "finished":
                control.set("stopped", f"by {by} before it was started", by=by)
    except DamagedFile as error:
        still = "is still in" if run.has_request("start") else "is out of"
        raise RunError(f"{run.id} {still} the queue; its state is not changed: {error}") from error
    except RunError:  # a process works on it
        return False
    except OSError as error:
        owner = stamps.user_name(os.lstat(run.path).st_uid)
        still = f"cannot be taken out of the queue of {owner}" if run.has_request("start") else "is out of the queue"
        raise RunError(f"{run.id} {still}: {error}") from error
    return True


def waiting(folder: Path | None = None) -> list[Run]:
    """Return the runs that wait, in order.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.submit(run)
        >>> [each.id == run.id for each in queue.waiting()]
        [True]
    """
    return [each.run for each in requests.waiting(_folder(folder))]


def slots(folder: Path | None = None) -> list[Slot]:
    """Return the slots of this machine, and who is in them.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> _ = store.create({"epochs": 2})
        >>> {slot.kind for slot in queue.slots()} <= {"cpu", "gpu"}
        True
    """
    return _slots.slots(_folder(folder))


def device(run: Run) -> str:
    """Return the device that a run asks for.

    Raises:
        FileNotFoundError, DamagedFile: where its files cannot be read.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.device(run)
        'cpu'
    """
    return str(run.config.get("device", "auto"))


def waits_for(run: Run) -> str:
    """Return in words what a run of the queue waits for, or "" where it does not wait.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.waits_for(run)  # nobody has put it into the queue
        ''
    """
    return next((reason for each, reason in reasons(run.path.parent) if each.id == run.id), "")


def reasons(folder: Path | None = None) -> list[tuple[Run, str]]:
    """Return the runs that wait, in order, each with what it waits for, in words.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.submit(run)
        >>> [(each.name, bool(reason)) for each, reason in queue.reasons()]
        [('First try', True)]
    """
    folder = _folder(folder)
    line = requests.waiting(folder)
    if not line:
        return []
    blocking = blocking_reason(folder)
    there = slots(folder)
    room = Room(folder, there)
    by_slurm = _by_slurm(folder)
    results = []
    before: list[list[Slot]] = []  # the slots that those before it are for
    for each in line:
        fitting: list[Slot] = []
        if each.damage:
            reason = f"for files that can be used: {each.damage}"
        elif each.dispatcher:
            reason = f"for {each.dispatcher}; `queue resume` takes a run of yours over to this machine"
        else:
            try:
                wanted, _ = device(each.run), each.run.state
            except (DamagedFile, OSError) as error:
                reason = f"for files that can be read: {error}"
            else:
                if each.run.id in by_slurm:
                    reason = by_slurm[each.run.id]
                elif "" in by_slurm:
                    reason = blocking or by_slurm[""]
                else:
                    fitting = [slot for slot in there if fits(slot, wanted)]
                    earlier = sum(any(slot in fitting for slot in those) for those in before)
                    short = "" if earlier else room.waits_for(each.run, fitting)
                    reason = blocking or _turn(fitting, wanted, earlier, short)
        before.append(fitting)
        results.append((each.run, reason))
    return results


def _by_slurm(folder: Path) -> dict[str, str]:
    """Return what runs wait for that Slurm has, by their ids; by "" what others do, where it gets all that waits."""
    try:
        report = placements.read(folder)
        words = {id_: report.waits(id_) for id_ in (*report.placements, *report.refused)}
        if launcher_settings.read(folder).launcher == "slurm":
            words[""] = report.waits("") or "to be handed over to Slurm"
    except DamagedFile as error:
        return {"": f"for files that can be used: {error}"}
    return words


def placed(folder: Path | None = None) -> Mapping[str, Placement]:
    """Return where Slurm has runs, as it said last, by their ids; nothing where nobody can say.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> dict(queue.placed())  # Slurm has none
        {}
    """
    try:
        return placements.read(_folder(folder)).placements
    except DamagedFile:  # what waits says so
        return {}


def placement(run: Run) -> Placement | None:
    """Return where Slurm has a run, as it said last; None where it has not, or nobody can say.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> print(queue.placement(run))  # Slurm has it not
        None
    """
    return placed(run.path.parent).get(run.id)


def launcher(folder: Path | None = None) -> LauncherSettings:
    """Return what starts our jobs. Raises as ``launcher_settings.read``.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.launcher().launcher
        'local'
    """
    return launcher_settings.read(_folder(folder))


def slurm_trouble(folder: Path | None = None) -> str:
    """Return in words why Slurm takes nothing, as it was at the last try; or "".

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.slurm_trouble()
        ''
    """
    return placements.read(_folder(folder)).trouble


def _turn(fitting: list[Slot], wanted: str, before: int, cores: str) -> str:
    """Return in words what a run waits for that could start in some slots, after others or for cores, in words."""
    if not fitting:
        return f"for a device that this machine does not have: {wanted}" if wanted != "cpu" else "for a CPU slot: none"
    if not before and any(slot.free for slot in fitting):
        return cores or "to be started"
    others = f"{before} before it" if before else "next"
    users = ", ".join(slot.used_by or f"none, {slot.unusable}," for slot in fitting if not slot.free) or "no run"
    return f"for a slot on {wanted}: {others}; {users} in {'it' if len(fitting) == 1 else 'them'}"


def blocking_reason(folder: Path) -> str:
    """Return in words what keeps every job of a runs folder from starting, or "".

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> from fop_core.jobs import slots
        >>> _ = slots.choose(store.runs_folder(), limit_gb=1e-7)
        >>> queue.blocking_reason(store.runs_folder()).partition(":")[0]
        'for room in the runs folder'
    """
    try:
        _slots.check_folders(_slots.locks_folder(folder))
    except DamagedFile as error:
        return f"for the queue's folder: {error}"
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE:
        return f"for room on the disk: {size(free)} are free, {size(LEAST_FREE)} are needed"
    try:
        limit = _slots.settings(folder).limit_gb
    except DamagedFile as error:
        return f"for settings that can be read: {error}; `queue set` sets that file aside and writes a new one"
    try:
        launcher_settings.read(folder)
    except DamagedFile as error:
        return f"for settings that can be read: {error}"
    if limit is not None and (used := bytes_used(folder)) > 1e9 * limit:
        return f"for room in the runs folder: it holds {size(used)}, its limit is {limit:g} GB"
    return ""


fits = _slots.fits

_sizes: dict[Path, tuple[float, int]] = {}


def bytes_used(folder: Path, good_for: float = 10.0) -> int:
    """Return the bytes that a runs folder holds, its trash too; as of at most ``good_for`` seconds ago.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.bytes_used(store.runs_folder()) == run.size()
        True
    """
    at, size = _sizes.get(folder, (-1e9, 0))
    if time.monotonic() - at > good_for:
        size = files.size(folder)
        _sizes[folder] = time.monotonic(), size
    return size


def ensure_dispatcher(folder: Path | None = None) -> None:
    """Start the dispatcher of a runs folder, where something waits for it, or Slurm has jobs, and it is not there.

    Example:
        >>> from fop_core.jobs import queue
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "device": "cpu"}, name="First try")
        >>> queue.ensure_dispatcher()  # nothing waits, so none is started
        >>> queue.waiting()
        []
    """
    folder = _folder(folder)
    if placements.outstanding(folder) or requests.any_mine(folder):
        with electing(folder) as elected:
            pass
        if elected:
            _start(folder)


def _folder(folder: Path | None) -> Path:
    return store.runs_folder() if folder is None else folder
