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
import os
import re
import secrets
import shutil
import socket
import time
import weakref
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


class RunError(ValueError):
    """A run that cannot be found, read or used; the message says which and why."""


def runs_folder() -> Path:
    """Return the folder of a user's runs: FOP_RUNS_DIR, or trained_models/runs of the project or of where we are."""
    if named := os.environ.get("FOP_RUNS_DIR"):
        return Path(named).expanduser()
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "trained_models").is_dir() else Path.cwd()) / "trained_models" / "runs"


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
    while True:
        path = folder / f"{moment[:19].replace('-', '').replace(':', '').replace('T', '-')}-{slug}-{secrets.token_hex(2)}"
        try:
            path.mkdir()
            break
        except FileExistsError:
            continue
    for part in ("attempts", "snapshots", "checkpoints", "requests"):
        (path / part).mkdir()
    run = Run(path)
    run.label(name=name, tags=list(tags))
    files.write_json(path / "state.json", {"state": "queued", "reason": "", "since": moment})
    about = {
        "format": FORMAT,
        "config": dict(config),
        "lineage": dict(lineage or {}),
        "created": moment,
        "user": _user(),
        "host": socket.gethostname(),
    }
    files.write_json(path / "run.json", about)  # last: with it the directory is a run
    files.sync_folder(folder)
    return run


def find(text: str, folder: Path | None = None) -> "Run":
    """Return the run that a path, an id, the beginning of an id, or a name means.

    Raises:
        RunError: where that is none or more than one.
    """
    path = Path(text)
    if (path / "run.json").exists():
        return Run(path)
    runs = [run for run, _ in scan(folder)]
    for means in (lambda run: run.id == text, lambda run: run.id.startswith(text), lambda run: run.name == text):
        found = [run for run in runs if means(run)]
        if len(found) == 1:
            return found[0]
        if found:
            raise RunError(f"{text!r} may be {', '.join(run.id for run in found)}: give more of the id")
    raise RunError(f"no run {text!r} in {folder or runs_folder()}: `runs list` shows what there is")


def scan(folder: Path | None = None) -> Iterator[tuple["Run", str]]:
    """Yield each run of a folder, oldest first, and what is damaged about it: "" where it can be read."""
    folder = runs_folder() if folder is None else folder
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    except FileNotFoundError:
        return
    for name in names:
        run = Run(folder / name)
        try:
            _ = run.about, run.state, run.labels
        except FileNotFoundError as error:
            yield run, f"{error.filename} is missing"
        except (DamagedFile, RunError, OSError) as error:
            yield run, str(error)
        else:
            yield run, ""


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
        if about.get("format") != FORMAT or not isinstance(about.get("config"), dict):
            raise DamagedFile(f"{self.path / 'run.json'}: not of format {FORMAT} with a config")
        return about

    @property
    def config(self) -> dict[str, Any]:
        """The settings, as JSON."""
        return self.about["config"]

    @property
    def labels(self) -> dict[str, Any]:
        """Name, tags, notes, archived."""
        labels = {"name": "", "tags": [], "notes": "", "archived": False}
        with contextlib.suppress(FileNotFoundError):
            labels |= files.read_json(self.path / "labels.json")
        return labels

    def label(self, **changes: Any) -> None:
        """Change name, tags, notes or archived."""
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
        written = self._written()
        if written.state in ALIVE and not self.held():
            written = self._written()  # its holder may have ended it between the two looks
            if written.state in ALIVE:
                reason = f"its process vanished while it was {written.state}; resume goes on from its last checkpoint"
                return State("lost", reason, written.since)
        return written

    def _written(self) -> State:
        found = files.read_json(self.path / "state.json")
        state, reason, since = (found.get(key, "") for key in ("state", "reason", "since"))
        if state not in STATES or not isinstance(reason, str) or not isinstance(since, str):
            raise DamagedFile(f"{self.path / 'state.json'}: {state!r} is no state")
        return State(state, reason, since)

    def held(self) -> bool:
        """Whether some process answers for it: the kernel knows, and frees the lock of one that died."""
        try:
            with open(self.path / "control.lock") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
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
        """What each attempt ran on and with, in order."""
        return [files.read_json(self.path / "attempts" / f"{n}.json") for n in self._numbers("attempts", ".json")]

    def metrics_files(self) -> list[tuple[int, Path, int]]:
        """Return for each attempt its number, its metrics and the step it went on from, in order."""
        found = []
        for attempt in self.attempts:
            n = attempt["attempt"]
            found.append((n, self.path / f"metrics.{n}.jsonl", attempt["from_step"]))
        return found

    @cached_property
    def metrics(self) -> "Metrics":
        """What was logged, as series over steps; its ``update`` reads what is new."""
        from fop_core.runs.series import Metrics

        return Metrics(self)

    def snapshot_steps(self) -> list[int]:
        """Return the steps with a snapshot, ascending."""
        return self._numbers("snapshots", ".safetensors")

    def snapshot(self, step: int) -> dict[str, Array]:
        """Return a snapshot's arrays, "<layer>/<what>".

        Raises:
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.path / "snapshots" / f"{step:08d}.safetensors")[0]

    def checkpoint_steps(self) -> list[int]:
        """Return the steps with a checkpoint, ascending."""
        return self._numbers("checkpoints", ".safetensors")

    def checkpoint(self, step: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return a checkpoint's arrays and what is said about them.

        Raises:
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.path / "checkpoints" / f"{step:08d}.safetensors")

    def request(self, what: str, by: str = "") -> None:
        """Ask the trainer to "stop" or to make a "checkpoint"; it looks about once a second."""
        if what not in ("stop", "checkpoint"):
            raise RunError(f"no request {what!r}: there are stop and checkpoint")
        files.write_json(self.path / "requests" / what, {"by": by or _user(), "at": now()})

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
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def delete(self) -> None:
        """Remove it from the disk.

        Raises:
            RunError: while some process works on it.
        """
        if self.held():
            raise RunError(f"{self.id} is being worked on: stop it first")
        shutil.rmtree(self.path)

    def _numbers(self, folder: str, ending: str) -> list[int]:
        try:
            names = os.listdir(self.path / folder)
        except FileNotFoundError:
            return []
        return sorted(int(name.removesuffix(ending)) for name in names if re.fullmatch(r"\d+" + re.escape(ending), name))


_held: "weakref.WeakSet[Control]" = weakref.WeakSet()


class Control:
    """The right to say what state a run is in; one process has it at a time, and the kernel frees it if that dies.

    Args:
        run: the run.

    Raises:
        RunError: where another process has it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._reserve = run.path / ".reserve"
        self._lock: int | None = os.open(run.path / "control.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        for attempt in range(50):
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:  # for an instant a reader has it too, see ``held``
                time.sleep(0.01 if attempt < 49 else 0)
        else:
            self._close()
            raise RunError(f"{run.id} is already being worked on by another process")
        _held.add(self)
        if not self._reserve.exists():
            self._reserve.write_bytes(os.urandom(RESERVE))  # a file system may store zeros as nothing

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def set(self, state: str, reason: str = "") -> None:
        """Write the state; on a full disk too, for which some room was put by."""
        if state not in STATES:
            raise RunError(f"no state {state!r}")
        content = {"state": state, "reason": reason, "since": now(), "pid": os.getpid(), "host": socket.gethostname()}
        if state in ENDED:
            self._reserve.unlink(missing_ok=True)
        try:
            files.write_json(self.run.path / "state.json", content)
        except OSError:
            self._reserve.unlink(missing_ok=True)
            files.write_json(self.run.path / "state.json", content)

    def release(self) -> None:
        """Give the right back."""
        self._reserve.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


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
        self.attempt = max(run._numbers("attempts", ".json"), default=0) + 1
        content = {"attempt": self.attempt, "from_step": from_step, "started": now(), **about}
        files.write_json(run.path / "attempts" / f"{self.attempt}.json", content)
        for step in run.snapshot_steps():
            if step > from_step:  # of an attempt that got further; they would be written again, or not be true
                (run.path / "snapshots" / f"{step:08d}.safetensors").unlink()
        self._metrics = os.open(run.path / f"metrics.{self.attempt}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def row(self, columns: Mapping[str, float]) -> None:
        """Append a row of metrics."""
        line = json.dumps(files.plain(dict(columns)), allow_nan=False).encode() + b"\n"
        written = os.write(self._metrics, line)
        while written < len(line):  # a nearly full disk takes a part; the next write says why
            written += os.write(self._metrics, line[written:])

    def snapshot(self, step: int, arrays: Mapping[str, Array]) -> None:
        """Keep what was learned by a step."""
        files.write_arrays(self.run.path / "snapshots" / f"{step:08d}.safetensors", arrays)

    def checkpoint(self, step: int, arrays: Mapping[str, Array], about: Mapping[str, Any]) -> None:
        """Keep what a run needs to go on, and drop the oldest but ``KEPT_CHECKPOINTS``."""
        os.fsync(self._metrics)  # rows up to here must not be lost when what comes after them is kept
        files.write_arrays(self.run.path / "checkpoints" / f"{step:08d}.safetensors", arrays, about)
        for old in self.run.checkpoint_steps()[:-KEPT_CHECKPOINTS]:
            (self.run.path / "checkpoints" / f"{old:08d}.safetensors").unlink()

    def progress(self, content: Mapping[str, Any]) -> None:
        """Say how far it has come."""
        files.write_json(self.run.path / "progress.json", {**content, "at": now()}, sync=False)

    def requests(self) -> dict[str, str]:
        """Return what was asked since the last look, and by whom, and take it off the list."""
        found = {}
        for name in os.listdir(self.run.path / "requests"):
            if name not in ("stop", "checkpoint"):  # also one that is just being written
                continue
            path = self.run.path / "requests" / name
            try:
                found[name] = str(files.read_json(path).get("by", ""))
            except DamagedFile:
                found[name] = "somebody"
            path.unlink()
        return found

    def close(self) -> None:
        """Make what was written last."""
        if self._metrics >= 0:
            os.fsync(self._metrics)
            os.close(self._metrics)
            self._metrics = -1


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def age(moment: str) -> float:
    """Return the seconds since a time that ``now`` wrote."""
    return time.time() - datetime.datetime.fromisoformat(moment).timestamp()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
