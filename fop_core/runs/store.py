"""A run's directory: the only code that knows its files (ARCHITECTURE: "A run directory").

    create(...)   makes one; ``Run`` reads one and leaves requests; ``Control`` is held by whoever answers for its
    state; ``Recorder`` is the trainer's pen.

Each file has one writer. Nothing here needs torch: arrays are numpy's.
"""

import contextlib
import datetime
import fcntl
import getpass
import json
import math
import os
import random
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fop_core.runs import files
from fop_core.runs.files import DamagedFile

if TYPE_CHECKING:
    from fop_core.runs.series import Metrics

Array = np.ndarray

FORMAT = 1
ALIVE = ("starting", "running", "stopping")
ENDED = ("finished", "stopped", "failed", "lost")
STATES = ("queued", *ALIVE, *ENDED)
KEPT_CHECKPOINTS = 2  # the older one for the day on which the newer cannot be read
RESERVE = 1 << 18  # bytes given back when the disk is full, so that the reason can still be written
PATIENCE = 10.0  # seconds that a lock is waited for which readers alone are in the way of
METRICS, ATTEMPT, ARRAYS = "metrics.{}.jsonl", "{}.json", "{:08d}.safetensors"
REQUESTS = ("stop", "checkpoint")
TRASH = ".trash"
LARGEST_STEP = 2**63 - 1  # of a row: steps are int64 where they are read


class RunError(ValueError):
    """A run that cannot be found, read or used; the message says which and why."""


def runs_folder() -> Path:
    """Return the folder of a user's runs: FOP_RUNS_DIR, or trained_models/runs of the project or of where we are."""
    if named := os.environ.get("FOP_RUNS_DIR"):
        return Path(named).expanduser()
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "pyproject.toml").is_file() else Path.cwd()) / "trained_models" / "runs"


def create(
    config: Mapping[str, Any],
    *,
    name: str = "",
    tags: tuple[str, ...] = (),
    lineage: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> "Run":
    """Make the directory of a new run, in state queued.

    Args:
        config: all its settings, as JSON.
        name: for people; also in the directory's name.
        tags: for people.
        lineage: what it was made from: preset, settings changed, parent run.
        folder: where; ``runs_folder()`` unless given.
    """
    folder = runs_folder() if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "run"
    moment = now()
    id_ = f"{moment[:19].replace('-', '').replace(':', '').replace('T', '-')}-{slug}-{secrets.token_hex(4)}"
    about = {
        "format": FORMAT,
        "config": dict(config),
        "lineage": dict(lineage or {}),
        "created": moment,
        "user": user(),
        "host": socket.gethostname(),
    }
    hidden = folder / f".{id_}"  # nobody sees half a run
    hidden.mkdir()
    try:
        for part in ("attempts", "snapshots", "checkpoints", "requests"):
            (hidden / part).mkdir()
        Run(hidden).label(name=name, tags=list(tags))
        files.write_json(hidden / "state.json", {"state": "queued", "reason": "", "since": moment})
        files.write_json(hidden / "run.json", about)
        os.rename(hidden, folder / id_)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)  # the reason that is raised is the first one
        raise
    files.sync_folder(folder)
    return Run(folder / id_)


def find(text: str, folder: Path | None = None) -> "Run":
    """Return the run that a path, an id, the beginning of an id, or a name means.

    Raises:
        RunError: where that is none or more than one.
    """
    path = Path(text)
    if text and os.path.exists(path / "run.json"):  # unlike Path's, it takes any text
        return Run(path)
    runs = list(directories(folder)) if text else []
    for means in (lambda run: run.id == text, lambda run: run.id.startswith(text), lambda run: _named(run) == text):
        found = [run for run in runs if means(run)]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(run.id for run in found[:5]) + (f" or {len(found) - 5} more" if len(found) > 5 else "")
            raise RunError(f"{text!r} may be {ids}: give more of the id")
    if text and os.path.isdir(path):
        raise RunError(f"{path} is no run: it has no run.json")
    raise RunError(f"no run {text!r} in {folder or runs_folder()}: `runs list` shows what there is")


def scan(folder: Path | None = None) -> Iterator[tuple["Run", str]]:
    """Yield each run of a folder, oldest first, and what is damaged about it: "" where its list entry can be read.

    That is run.json, state.json and labels.json; whoever reads more of it hears of more.
    """
    for run in directories(folder):
        try:
            _ = run.about, run.state, run.labels
        except FileNotFoundError as error:
            if run.path.exists():  # else it has been deleted meanwhile
                yield run, f"{error.filename} is missing"
        except (DamagedFile, RunError, OSError) as error:
            yield run, str(error)
        else:
            yield run, ""


def directories(folder: Path | None = None) -> Iterator["Run"]:
    """Yield what may be a run of a folder, oldest first, unread."""
    folder = runs_folder() if folder is None else folder
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except FileNotFoundError:
        return
    for name in names:
        yield Run(folder / name)


def _named(run: "Run") -> str | None:
    try:
        return run.labels["name"]
    except (DamagedFile, OSError):  # nobody's name; ``scan`` says why
        return None


@dataclass(frozen=True)
class State:
    """Where a run stands.

    Attributes:
        state: one of ``STATES``.
        reason: why, in words; may be "".
        since: when it came to be so, ISO 8601 in UTC.
    """

    state: str
    reason: str
    since: str


class Run:
    """A run's directory, to read. What can change is read anew at each call.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.id = self.path.resolve().name

    def __repr__(self) -> str:
        return f"Run({self.id})"

    @cached_property
    def about(self) -> dict[str, Any]:
        """run.json: config, lineage, who and when.

        Raises:
            DamagedFile: where it is not that.
        """
        about = files.read_json(self.path / "run.json")
        if about.get("format") != FORMAT:
            raise DamagedFile(f"{self.path / 'run.json'}: of format {about.get('format')!r}, not {FORMAT}")
        for key, kind in (("config", dict), ("lineage", dict), ("created", str), ("user", str), ("host", str)):
            if not isinstance(about.get(key), kind):
                raise DamagedFile(f"{self.path / 'run.json'}: its {key} is {about.get(key)!r}, no {kind.__name__}")
        try:
            age(about["created"])
        except (ValueError, OverflowError) as error:
            raise DamagedFile(f"{self.path / 'run.json'}: created {about['created']!r}, no time ({error})") from error
        return about

    @property
    def config(self) -> dict[str, Any]:
        """The settings, as JSON."""
        return self.about["config"]

    @property
    def labels(self) -> dict[str, Any]:
        """Name, tags, notes, archived.

        Raises:
            DamagedFile: where labels.json does not hold such.
        """
        labels = {"name": "", "tags": [], "notes": "", "archived": False}
        with contextlib.suppress(FileNotFoundError):
            written = files.read_json(self.path / "labels.json")
            labels |= {key: written[key] for key in labels if key in written}
        if wrong := _wrong_labels(labels):
            raise DamagedFile(f"{self.path / 'labels.json'}: {wrong}")
        return labels

    def label(self, **changes: Any) -> None:
        """Change name, tags, notes or archived.

        Raises:
            RunError: for another label, or a value of another kind.
            DamagedFile: where the labels so far cannot be read; without labels.json there are none.
        """
        if wrong := _wrong_labels(changes):
            raise RunError(f"{self.id} cannot be labelled so: {wrong}")
        with open(self.path / "labels.lock", "a") as lock:  # two pages may change one label each
            fcntl.flock(lock, fcntl.LOCK_EX)
            files.write_json(self.path / "labels.json", self.labels | changes)

    @property
    def name(self) -> str:
        """What people call it; the id where it has no name."""
        return self.labels["name"] or self.id

    @property
    def state(self) -> State:
        """The state it is truly in: lost, where state.json says it is alive and nobody holds its control.lock.

        Raises:
            DamagedFile: where state.json is not one.
        """
        written = self.written()
        if written.state in ALIVE and not self.held():
            written = self.written()  # its holder may have ended it between the two looks
            if written.state in ALIVE:
                reason = f"its process vanished while it was {written.state}; resume goes on from its last checkpoint"
                return State("lost", reason, written.since)
        return written

    def written(self) -> State:
        """What state.json says, whoever wrote it and whether or not that is still there."""
        found = files.read_json(self.path / "state.json")
        state, reason, since = (found.get(key) for key in ("state", "reason", "since"))
        if state not in STATES or not isinstance(reason, str) or not isinstance(since, str):
            raise DamagedFile(f"{self.path / 'state.json'}: {state!r} for the reason {reason!r} since {since!r}")
        try:
            age(since)
        except (ValueError, OverflowError) as error:
            raise DamagedFile(f"{self.path / 'state.json'}: since {since!r}, no time ({error})") from error
        return State(state, reason, since)

    def held(self) -> bool:
        """Whether some process answers for it: the kernel knows, and frees the lock of one that died."""
        try:
            with open(self.path / "control.lock") as lock:
                return not _flock(lock.fileno(), fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    @property
    def progress(self) -> dict[str, Any]:
        """Step, epoch, ETA and so on, as last written; empty before the first."""
        try:
            return files.read_json(self.path / "progress.json")
        except FileNotFoundError:
            return {}

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """What each attempt ran on and with, in order.

        Raises:
            FileNotFoundError: where that of an attempt is missing which left metrics, or a later attempt.
            DamagedFile: where one is not that.
        """
        numbers = self._numbers("", METRICS)  # looked for first, as they come second
        numbers += self._numbers("attempts", ATTEMPT)
        found = []
        for n in range(1, max(numbers, default=0) + 1):
            path = self.path / "attempts" / ATTEMPT.format(n)
            attempt = files.read_json(path)
            step = attempt.get("from_step")
            if attempt.get("attempt") != n or type(step) is not int or step < 0:
                raise DamagedFile(f"{path}: not attempt {n} from a step, but {attempt.get('attempt')!r} from {step!r}")
            found.append(attempt)
        return found

    def metrics_files(self) -> list[tuple[int, Path, int]]:
        """Return for each attempt its number, its metrics and the step it went on from, in order.

        Raises:
            FileNotFoundError, DamagedFile: as ``attempts``.
        """
        attempts = [(attempt["attempt"], attempt["from_step"]) for attempt in self.attempts]
        return [(n, self.path / METRICS.format(n), from_step) for n, from_step in attempts]

    @cached_property
    def metrics(self) -> "Metrics":
        """What was logged, as series over steps; its ``update`` reads what is new."""
        from fop_core.runs.series import Metrics

        return Metrics(self)

    def snapshot_steps(self) -> list[int]:
        """Return the steps with a snapshot, ascending."""
        return self._numbers("snapshots", ARRAYS)

    def snapshot(self, step: int) -> dict[str, Array]:
        """Return a snapshot's arrays, "<layer>/<what>".

        Raises:
            FileNotFoundError: where there is none of that step.
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.path / "snapshots" / ARRAYS.format(step))[0]

    def checkpoint_steps(self) -> list[int]:
        """Return the steps with a checkpoint, ascending."""
        return self._numbers("checkpoints", ARRAYS)

    def checkpoint(self, step: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return a checkpoint's arrays and what is said about them.

        Raises:
            FileNotFoundError: where there is none of that step.
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.path / "checkpoints" / ARRAYS.format(step))

    def request(self, what: str, by: str = "") -> None:
        """Ask the trainer to "stop" or to make a "checkpoint"; it looks about once a second."""
        if what not in REQUESTS:
            raise RunError(f"no request {what!r}: there are {' and '.join(REQUESTS)}")
        (self.path / "requests").mkdir(exist_ok=True)
        files.write_json(self.path / "requests" / what, {"by": by or user(), "at": now()})

    def asked_by(self, what: str) -> str:
        """Return who left a request."""
        try:
            return str(files.read_json(self.path / "requests" / what).get("by", "")) or "somebody"
        except (FileNotFoundError, DamagedFile):
            return "somebody"

    def step(self) -> int:
        """Return the last step that it told of; 0 before the first."""
        try:
            step = self.progress.get("step", 0)
        except DamagedFile:
            return 0
        return step if type(step) is int else 0

    @property
    def usage(self) -> dict[str, Any]:
        """What its processes use, of a run under a supervisor; empty of another one.

        cpu_percent (100 is one core), memory (bytes), at, and on a GPU gpu_percent and gpu_memory.
        """
        try:
            return files.read_json(self.path / "usage.json")
        except (FileNotFoundError, DamagedFile):
            return {}

    def log(self, last_bytes: int = 20_000) -> str:
        """Return the end of its log."""
        try:
            with (self.path / "log.txt").open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - last_bytes))
                return file.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def size(self) -> int:
        """Return the bytes that its files hold."""
        return size(self.path)

    def delete(self) -> None:
        """Remove it from the disk.

        Raises:
            RunError: while some process works on it.
        """
        path = self.path.resolve()
        lock = _take(self)
        try:
            hidden = path.parent / f".{path.name}.deleted"
            os.rename(path, hidden)  # nobody sees half a run
            shutil.rmtree(hidden)
        finally:
            os.close(lock)

    def _numbers(self, folder: str, form: str) -> list[int]:
        """Return the numbers n, ascending, for which a folder has a file named form.format(n)."""
        try:
            names = os.listdir(self.path / folder)
        except FileNotFoundError:
            return []
        before, after = form.index("{"), len(form) - form.index("}") - 1
        digits = [name[before : len(name) - after] for name in names]
        numbers = sorted({int(found) for found in digits if re.fullmatch("[0-9]{1,18}", found)})
        there = set(names)
        return [number for number in numbers if form.format(number) in there]


def _wrong_labels(labels: Mapping[str, Any]) -> str:
    for key, value in labels.items():
        match key:
            case "name" | "notes":
                right = _is_text(value)
            case "tags":
                right = isinstance(value, (list, tuple)) and all(_is_text(tag) for tag in value)
            case "archived":
                right = isinstance(value, bool)
            case _:
                return f"no label {key!r}: there are name, tags, notes, archived"
        if not right:
            return f"{key} is {value!r}: name and notes are strings, tags a list of strings, archived true or false"
    return ""


def _is_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:  # half a character, as of an argument in another encoding: nothing can print it
        return False


def _flock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take(run: Run) -> int:
    """Take a run's control.lock and return its descriptor.

    Raises:
        RunError: where another process has it.
    """
    lock = os.open(run.path / "control.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        end = time.monotonic() + PATIENCE
        while not _flock(lock, fcntl.LOCK_EX):
            # A reader shares it for an instant, see ``held``: it would share with us too, who answers for a run not.
            if not _flock(lock, fcntl.LOCK_SH):
                raise RunError(f"{run.id} is already being worked on by another process")
            fcntl.flock(lock, fcntl.LOCK_UN)
            if time.monotonic() > end:
                raise RunError(f"{run.id} cannot be locked: its control.lock is being read all the time")
            time.sleep(random.uniform(0, 0.002))
    except BaseException:
        os.close(lock)
        raise
    return lock


def _adopt(run: Run, lock: int) -> int:
    try:
        if not os.path.samestat(os.fstat(lock), os.stat(run.path / "control.lock")):
            raise RunError(f"file {lock} is not the control.lock of {run.id}")
        os.set_inheritable(lock, False)
    except OSError as error:
        raise RunError(f"file {lock} is not the control.lock of {run.id}: {error}") from error
    if not _flock(lock, fcntl.LOCK_EX):
        raise RunError(f"{run.id} is already being worked on by another process")
    return lock


_held: "set[Control]" = set()


class Control:
    """The right to say what state a run is in; one process has it at a time, and the kernel frees it if that dies.

    Args:
        run: the run.
        lock: its control.lock, open and taken, where another process handed that down.

    Raises:
        RunError: where another process has it.
        OSError: ENOSPC where the disk is full already.
    """

    def __init__(self, run: Run, lock: int | None = None) -> None:
        self.run = run
        self._reserve = run.path / ".reserve"
        self._lock: int | None = _take(run) if lock is None else _adopt(run, lock)
        _held.add(self)
        try:
            self._put_by()
        except BaseException:
            self.release()
            raise

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def set(self, state: str, reason: str = "") -> None:
        """Write the state; on a full disk too, for which some room was put by."""
        if state not in STATES:
            raise RunError(f"no state {state!r}: there are {', '.join(STATES)}")
        if self._lock is None:
            raise RunError(f"{self.run.id} is no longer in this process's control: it cannot become {state}")
        attempt_is_over = state in (*ENDED, "queued") or (state == "starting" and not self._is_queued())
        content = {"state": state, "reason": reason, "since": now(), "pid": os.getpid(), "host": socket.gethostname()}
        try:
            files.write_json(self.run.path / "state.json", content)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            files.write_json(self.run.path / "state.json", content)
        if attempt_is_over:  # what was asked of it is not asked of the next
            for name in REQUESTS:
                (self.run.path / "requests" / name).unlink(missing_ok=True)

    def release(self) -> None:
        """Give the right back."""
        if self._lock is not None:  # a forked worker has none, and the reserve is its parent's
            self._reserve.unlink(missing_ok=True)
            self._close()

    def fileno(self) -> int:
        """Return the open control.lock, to hand down: the run is held while any process has it open."""
        if self._lock is None:
            raise RunError(f"{self.run.id} is no longer in this process's control")
        return self._lock

    def _put_by(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._reserve.stat().st_size == RESERVE:
                return
        self._reserve.write_bytes(os.urandom(RESERVE))  # a file system may store zeros as nothing

    def _is_queued(self) -> bool:
        try:
            return self.run.written().state == "queued"
        except (FileNotFoundError, DamagedFile):  # about to be replaced
            return False

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        _held.discard(self)


def _leave_locks_to_the_parent() -> None:
    # A forked worker shares the lock with its parent, and would hold it on when that is killed.
    for control in list(_held):
        control._close()


os.register_at_fork(after_in_child=_leave_locks_to_the_parent)


class Recorder:
    """The trainer's pen: it opens an attempt, and writes what the trainer makes.

    Args:
        run: the run; the caller holds its ``Control``.
        about: device, threads, versions, commit, command of this attempt.
        from_step: the step it goes on from; what earlier attempts recorded after it no longer counts.
    """

    def __init__(self, run: Run, about: Mapping[str, Any], from_step: int = 0) -> None:
        self.run = run
        self._from_step = from_step
        self._checkpoints: set[int] = set()
        self._unsynced: list[Path] = []
        self._progress: dict[str, Any] = {}
        self._progress_at = -math.inf
        self.attempt = max(run._numbers("attempts", ATTEMPT) + run._numbers("", METRICS), default=0) + 1
        for part in ("attempts", "snapshots", "checkpoints", "requests"):
            (run.path / part).mkdir(exist_ok=True)  # some ways to copy a run leave out what is empty
        content = {**about, "attempt": self.attempt, "from_step": from_step, "started": now()}
        files.write_json(run.path / "attempts" / ATTEMPT.format(self.attempt), content)
        for step in run.snapshot_steps():
            if step > from_step:  # of an attempt that got further; they would be written again, or not be true
                (run.path / "snapshots" / ARRAYS.format(step)).unlink()
        for part in ("snapshots", "checkpoints"):
            for left in (run.path / part).glob(".*"):  # by an attempt that was killed while it wrote
                left.unlink()
        path = run.path / METRICS.format(self.attempt)
        self._metrics = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)

    def row(self, columns: Mapping[str, float]) -> None:
        """Append a row of metrics, whole or, where that fails, not at all.

        Args:
            columns: "step", a whole number, and what was measured at it.

        Raises:
            TypeError: for a step, a name or a value of another kind.
            ValueError: for one that could not be read back.
            OSError: where it cannot be written; ENOSPC on a full disk.
        """
        step = columns.get("step")
        if type(step) is not int or step < 0:
            raise TypeError(f"a row of step {step!r}: give a whole number, 0 or more")
        if step > LARGEST_STEP:
            raise ValueError(f"a row of step {step}: {LARGEST_STEP} is the largest that can be read back")
        content = files.plain(dict(columns))
        for name, value in columns.items():
            if not isinstance(name, str):
                raise TypeError(f"a column at step {step} is called {name!r}, a {type(name).__name__}: give a string")
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise TypeError(f"{name} at step {step} is {value!r}, a {type(value).__name__}: give an int or a float")
            try:
                name.encode()
                files.number(content[name])
            except ValueError as error:
                raise ValueError(f"{name!r} at step {step} could not be read back: {error}") from error
        line = json.dumps(content, allow_nan=False).encode() + b"\n"
        before = os.fstat(self._metrics).st_size
        try:
            written = os.write(self._metrics, line)
            while written < len(line):  # a nearly full disk takes a part; the next write says why
                written += os.write(self._metrics, line[written:])
        except BaseException:
            os.ftruncate(self._metrics, before)  # the next row shall not go on in the middle of this one
            raise

    def snapshot(self, step: int, arrays: Mapping[str, Array]) -> None:
        """Keep what was learned by a step; like a row, it outlasts a power cut once a checkpoint goes on from there."""
        path = self.run.path / "snapshots" / ARRAYS.format(step)
        files.write_arrays(path, arrays, sync=False)
        self._unsynced.append(path)

    def checkpoint(self, step: int, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
        """Keep what a run needs to go on, and drop the oldest but ``KEPT_CHECKPOINTS``."""
        self._sync()  # rows and snapshots up to here must not be lost when what comes after them is kept
        files.write_arrays(self.run.path / "checkpoints" / ARRAYS.format(step), arrays, about)
        self._checkpoints.add(step)
        there = self.run.checkpoint_steps()
        # Those that this attempt could not go on from are of a way that was not taken, however far they got.
        kept = [old for old in there if old <= self._from_step or old in self._checkpoints][-KEPT_CHECKPOINTS:]
        for old in set(there) - set(kept):
            (self.run.path / "checkpoints" / ARRAYS.format(old)).unlink(missing_ok=True)

    def progress(self, content: Mapping[str, Any]) -> None:
        """Say how far it has come. It is written twice a second at most, and at the end."""
        self._progress = {**content, "at": now()}
        if time.monotonic() - self._progress_at > 0.5:
            self._write_progress()

    def requests(self) -> dict[str, str]:
        """Return what was asked since the last look, and by whom, and take it off the list."""
        found = {}
        for name in REQUESTS:
            path = self.run.path / "requests" / name
            try:
                found[name] = str(files.read_json(path).get("by", ""))
            except FileNotFoundError:
                continue
            except DamagedFile:
                found[name] = "somebody"
            path.unlink(missing_ok=True)
        return found

    def close(self) -> None:
        """Make what was written last."""
        if self._metrics >= 0:
            try:
                if self._progress:
                    with contextlib.suppress(OSError):  # a full disk has ended it, and is its reason already
                        self._write_progress()
                self._sync()
            finally:
                os.close(self._metrics)
                self._metrics = -1

    def _write_progress(self) -> None:
        files.write_json(self.run.path / "progress.json", self._progress, sync=False)
        self._progress, self._progress_at = {}, time.monotonic()

    def _sync(self) -> None:
        os.fsync(self._metrics)
        for path in self._unsynced:
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                os.fsync(file.fileno())
        files.sync_folder(self.run.path / "snapshots")
        self._unsynced = []


def size(folder: Path) -> int:
    """Return the bytes that the files under a folder hold."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # replaced or taken just now
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def discard(run: Run) -> None:
    """Move a run to the trash of its folder.

    Raises:
        RunError: while some process works on it.
    """
    path = run.path.resolve()
    lock = _take(run)
    try:
        (path / "requests" / "start").unlink(missing_ok=True)
        trashed = path.parent / TRASH
        trashed.mkdir(exist_ok=True)
        os.rename(path, trashed / path.name)
    finally:
        os.close(lock)


def trash(folder: Path | None = None) -> list[Run]:
    """Return the runs in the trash of a folder, oldest first."""
    return list(directories((runs_folder() if folder is None else folder) / TRASH))


def restore(trashed: Run) -> Run:
    """Bring a run back from the trash, and return it."""
    path = trashed.path.resolve()
    back = path.parent.parent / path.name
    os.rename(path, back)
    return Run(back)


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def age(moment: str) -> float:
    """Return the seconds since a time that ``now`` wrote."""
    return time.time() - datetime.datetime.fromisoformat(moment).timestamp()


def user() -> str:
    """Return who we are."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
