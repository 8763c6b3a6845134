"""A run's directory: with ``control`` and ``writer`` the only code that knows its files.

    create(...)   makes one; ``Run`` reads one and leaves requests; ``Control`` is held by whoever answers for its
    state; ``RunWriter`` writes while it is trained.

Each file has one writer. Nothing here needs torch: arrays are numpy's.
"""

import contextlib
import datetime
import errno
import fcntl
import getpass
import itertools
import os
import pwd
import re
import secrets
import shlex
import shutil
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.printable import printable
from fop_core.runs import files, locks, records
from fop_core.runs.files import DamagedFile
from fop_core.runs.files import RunError as RunError
from fop_core.runs.metrics import Metrics

Array = np.ndarray

FORMAT = 1
ALIVE = ("starting", "running", "stopping")
ENDED = ("finished", "stopped", "failed", "lost")
CAUSES = ("checkpoint", "data", "device", "disk", "diverged", "killed", "memory", "vanished")
"""Why a run failed or was lost, where that has a name: what a person can do about it follows from it."""
STATES = ("queued", *ALIVE, *ENDED)
METRICS, ATTEMPT, ARRAYS, START = "metrics.{}.jsonl", "{}.json", "{:08d}.safetensors", "start.safetensors"
REQUESTS = ("stop", "checkpoint")
FOLDERS = ("attempts", "snapshots", "checkpoints", "requests")
TRASH = ".trash"


def runs_folder() -> Path:
    """Return the folder of a user's runs: FOP_RUNS_DIR, or trained_models/runs of the project or of where we are."""
    if named := os.environ.get("FOP_RUNS_DIR"):
        try:
            return Path(named).expanduser()
        except RuntimeError as error:
            raise RunError(f"FOP_RUNS_DIR = {printable(named)}: {error}; give the path of a folder") from error
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "pyproject.toml").is_file() else Path.cwd()) / "trained_models" / "runs"


def create(
    config: Mapping[str, Any],
    *,
    name: str = "",
    tags: tuple[str, ...] = (),
    lineage: Mapping[str, Any] | None = None,
    start: tuple[Mapping[str, Array], Mapping[str, Any]] | None = None,
    folder: Path | None = None,
) -> "Run":
    """Make the directory of a new run, in state queued.

    Args:
        config: all its settings, as JSON.
        name: for people; also in the directory's name.
        tags: for people.
        lineage: what it was made from: preset, settings changed, parent run.
        start: of a fork, the checkpoint that it starts from: arrays, and what is said about them.
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
        for part in FOLDERS:
            (hidden / part).mkdir()
        Run(hidden).label(name=name, tags=list(tags))
        files.write_json(hidden / "state.json", {"state": "queued", "reason": "", "since": moment})
        if start is not None:
            files.write_arrays(hidden / START, *start)
        files.write_json(hidden / "run.json", about)
        os.rename(hidden, folder / id_)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)  # the reason that is raised is the first one
        raise
    files.sync_folder(folder)
    return Run(folder / id_)


class UnknownRun(RunError):
    """Nothing in a folder is meant by a text."""


def find(text: str, folder: Path | None = None) -> "Run":
    """Return the run that a path, an id, the beginning of an id, or a name means.

    Raises:
        UnknownRun: where that is none.
        RunError: where it is more than one, or a folder that is no run.
    """
    path = Path(os.path.abspath(text))  # of "." too the folder is above it
    if text and os.path.exists(path / "run.json"):  # unlike Path's, it takes any text
        return Run(path)
    if (run := _called(text, folder)) is not None:
        return run
    if text and os.path.isdir(path):
        raise RunError(f"{path} is no run: it has no run.json")
    raise UnknownRun(f"no run {text!r} in {folder or runs_folder()}: `runs list` shows what there is")


def find_trashed(text: str, folder: Path | None = None) -> "Run":
    """Return the run in the trash of a folder that an id, the beginning of an id, a name, or a path into it means.

    Raises:
        UnknownRun: where that is none, whatever else it means.
        RunError: where it is more than one, or the trash is no folder.
    """
    trash_path = trash_folder(runs_folder() if folder is None else folder)
    if (run := _called(text, trash_path)) is not None:
        return run
    above, name = os.path.split(os.path.abspath(text))
    if text and os.path.realpath(above) == os.path.realpath(trash_path) and os.path.isdir(trash_path / name):
        return Run(trash_path / name)
    raise UnknownRun(f"no run {text!r} in {trash_path}: `runs trash` shows what there is")


def _called(text: str, folder: Path | None) -> "Run | None":
    """Return the run of a folder that an id, the beginning of an id, or a name means; None where there is none."""
    runs = list(directories(folder)) if text else []
    for means in (lambda run: run.id == text, lambda run: run.id.startswith(text), lambda run: _named(run) == text):
        matches = [run for run in runs if means(run)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            ids = ", ".join(run.id for run in matches[:5]) + (
                f" or {len(matches) - 5} more" if len(matches) > 5 else ""
            )
            raise RunError(f"{text!r} may be {ids}: give more of the id")
    return None


def scan(folder: Path | None = None) -> Iterator[tuple["Run", str]]:
    """Yield each run of a folder, oldest first, and what is damaged about it: "" where its list entry can be read.

    That is run.json, state.json and labels.json; reading more of it may find more.
    """
    for run in directories(folder):
        try:
            _ = run.about, run.state, run.labels
        except FileNotFoundError as error:
            if os.path.lexists(run.path):  # else it has been deleted meanwhile
                yield run, f"{error.filename} is missing"
        except (DamagedFile, RunError, OSError) as error:
            yield run, str(error)
        else:
            yield run, ""


def directories(folder: Path | None = None) -> Iterator["Run"]:
    """Yield what may be a run of a folder, oldest first, unread."""
    folder = runs_folder() if folder is None else folder
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith(".") and is_folder(entry))
    except FileNotFoundError:
        return
    for name in names:
        yield Run(folder / name)


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a folder is one too, or a link to one; a link in a circle is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


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
        cause: one of ``CAUSES`` where one of them made it fail or be lost, else "".
    """

    state: str
    reason: str
    since: str
    cause: str = ""


class Run:
    """A run's directory, to read. What can change is read anew at each call.

    Args:
        path: the directory.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.id = os.path.basename(os.path.abspath(path))  # of a link its own name, by which it is listed

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
        records.checked(self.path / "run.json", about["lineage"], records.LINEAGE, "lineage's ")
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
            RunError: for another label, or a value of another kind, or where somebody else holds labels.lock.
            DamagedFile: where the labels so far cannot be read; without labels.json there are none.
        """
        if wrong := _wrong_labels(changes):
            raise RunError(f"{self.id} cannot be labelled so: {wrong}")
        path = self.path / "labels.lock"
        lock = files.open_append(path)
        try:  # two pages may change one label each
            end = time.monotonic() + locks.PATIENCE
            while not locks.flock(lock, fcntl.LOCK_EX):
                if time.monotonic() > end:
                    raise RunError(f"{self.id} cannot be labelled: {locks.in_the_way(path)}")
                time.sleep(0.002)
            files.write_json(self.path / "labels.json", self.labels | changes)
        finally:
            os.close(lock)

    @property
    def name(self) -> str:
        """What people call it; the id where it has no name."""
        return self.labels["name"] or self.id

    @property
    def state(self) -> State:
        """The state it is truly in: lost, where state.json says it is alive and nobody holds its control.lock.

        Of somebody else's run, whose lock is not ours to open, it is what state.json says, and the reason says so.

        Raises:
            DamagedFile: where state.json is not one.
        """
        written = self.written()
        try:
            alive = written.state not in ALIVE or self.held()
        except DamagedFile as error:
            owner = os.lstat(self.path / "control.lock").st_uid
            if not isinstance(error.__cause__, PermissionError) or owner == os.getuid():
                raise
            reason = f"so it was written; whether its process is still there cannot be seen: it is {user_name(owner)}'s"
            return State(written.state, reason, written.since, written.cause)
        if not alive:
            written = self.written()  # its holder may have ended it between the two looks
            if written.state in ALIVE:
                reason = f"its process vanished while it was {written.state}; resume goes on from its last checkpoint"
                return State("lost", reason, written.since, "vanished")
        return written

    def written(self) -> State:
        """What state.json says, whoever wrote it and whether or not that is still there."""
        content = files.read_json(self.path / "state.json")
        state, reason, since = [content.get(key) for key in ("state", "reason", "since")]
        if not (records.is_text(state) and state in STATES and records.is_text(reason) and records.is_text(since)):
            raise DamagedFile(f"{self.path / 'state.json'}: {state!r} for the reason {reason!r} since {since!r}")
        try:
            age(since)
        except (ValueError, OverflowError) as error:
            raise DamagedFile(f"{self.path / 'state.json'}: since {since!r}, no time ({error})") from error
        cause = content.get("cause")
        return State(state, reason, since, cause if cause in CAUSES else "")

    def held(self) -> bool:
        """Whether some process answers for it: the kernel knows, and frees the lock of one that died.

        Raises:
            DamagedFile: where its control.lock is something else.
        """
        try:
            with files.opened(self.path / "control.lock") as lock:
                return not locks.flock(lock.fileno(), fcntl.LOCK_SH)
        except FileNotFoundError:
            return False

    @property
    def progress(self) -> dict[str, Any]:
        """Step, epoch, ETA and so on, as last written, see ``records.PROGRESS``; empty before the first.

        Raises:
            DamagedFile: where a value is of another kind.
        """
        path = self.path / "progress.json"
        try:
            return records.checked(path, files.read_json(path), records.PROGRESS)
        except FileNotFoundError:
            return {}

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """What each attempt ran on and with, see ``records.ATTEMPT``, in order.

        Raises:
            FileNotFoundError: where that of an attempt is missing which left metrics, or a later attempt.
            DamagedFile: where one is not that.
        """
        numbers = self.numbers("", METRICS)  # looked for first, as they come second
        numbers += self.numbers("attempts", ATTEMPT)
        attempts = []
        for n in range(1, max(numbers, default=0) + 1):
            path = self.path / "attempts" / ATTEMPT.format(n)
            attempt = records.checked(path, files.read_json(path), records.ATTEMPT)
            if attempt.get("attempt") != n or "from_step" not in attempt:
                raise DamagedFile(
                    f"{path}: not attempt {n} from a step, but {attempt.get('attempt')!r} from "
                    f"{attempt.get('from_step')!r}"
                )
            attempts.append(attempt)
        return attempts

    def metrics_files(self) -> list[tuple[int, Path, int]]:
        """Return for each attempt its number, its metrics and the step it went on from, in order.

        Raises:
            FileNotFoundError, DamagedFile: as ``attempts``.
        """
        attempts = [(attempt["attempt"], attempt["from_step"]) for attempt in self.attempts]
        return [(n, self.path / METRICS.format(n), from_step) for n, from_step in attempts]

    @cached_property
    def metrics(self) -> Metrics:
        """What was logged, as series over steps; its ``update`` reads what is new."""
        return Metrics(self.id, self.metrics_files, lambda: self.config.get("log_every"))

    def snapshot_steps(self) -> list[int]:
        """Return the steps with a snapshot, ascending."""
        return self.numbers("snapshots", ARRAYS)

    def snapshot(self, step: int) -> dict[str, Array]:
        """Return a snapshot's arrays, "<layer>/<what>".

        Raises:
            FileNotFoundError: where there is none of that step.
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.path / "snapshots" / ARRAYS.format(step))[0]

    def snapshot_header(self, step: int) -> files.Header:
        """Return dtype and shape of a snapshot's arrays, which are not read. Raises as ``snapshot``."""
        return files.read_header(self.path / "snapshots" / ARRAYS.format(step))[0]

    def checkpoint_steps(self) -> list[int]:
        """Return the steps with a checkpoint, ascending."""
        return self.numbers("checkpoints", ARRAYS)

    def checkpoint(self, step: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return a checkpoint's arrays and what is said about them.

        Raises:
            FileNotFoundError: where there is none of that step.
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.checkpoint_path(step))

    def checkpoint_path(self, step: int) -> Path:
        """Return the file of a step's checkpoint."""
        return self.path / "checkpoints" / ARRAYS.format(step)

    def checkpoint_header(self, step: int) -> tuple[files.Header, dict[str, Any]]:
        """Return dtype and shape of a checkpoint's arrays, which are not read. Raises as ``checkpoint``."""
        return files.read_header(self.checkpoint_path(step))

    def start(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return the checkpoint that a fork starts from, as ``checkpoint`` does. Nothing ever replaces or drops it.

        Raises:
            FileNotFoundError: where there is none.
            DamagedFile: where it is not whole.
        """
        return files.read_arrays(self.path / START)

    def check_folders(self, *folders: str) -> None:
        """Make sure that what is written to some of its ``FOLDERS`` goes nowhere else; missing ones do.

        A run that was unpacked or is shared may have links in their place.

        Raises:
            DamagedFile: where the run is a link, or one of them is anything but a folder.
        """
        if self.path.is_symlink():
            raise DamagedFile(f"{self.path} is a link to {os.path.realpath(self.path)}: put the run itself there")
        for name in folders:
            with contextlib.suppress(FileNotFoundError):
                if not stat.S_ISDIR(mode := os.lstat(path := self.path / name).st_mode):
                    raise DamagedFile(f"{path} is a {files.kind(mode)}, not a folder: move it away")

    def request(self, what: str, by: str = "") -> None:
        """Ask the trainer to "stop" or to make a "checkpoint"; it looks about once a second.

        Raises:
            DamagedFile: where that would be written elsewhere, see ``check_folders``.
        """
        if what not in REQUESTS:
            raise RunError(f"no request {what!r}: there are {' and '.join(REQUESTS)}")
        self.check_folders("requests")
        (self.path / "requests").mkdir(exist_ok=True)
        files.write_json(self.path / "requests" / what, {"by": by or user(), "at": now()})

    def requested_by(self, what: str) -> str:
        """Return who left a request."""
        try:
            by = files.read_json(self.path / "requests" / what).get("by")
        except (FileNotFoundError, DamagedFile):
            return "somebody"
        return by if by and records.is_text(by) else "somebody"

    def step(self) -> int:
        """Return the last step that it reported; 0 before the first, and where that is damaged, see ``progress``."""
        try:
            return self.progress.get("step", 0)
        except DamagedFile:
            return 0

    @property
    def usage(self) -> dict[str, Any]:
        """What its processes use, of a run under a supervisor; empty of another one.

        cpu_percent (100 is one core), memory (bytes), at, and on a GPU gpu_percent and gpu_memory.

        Raises:
            DamagedFile: where a value is of another kind.
        """
        path = self.path / "usage.json"
        try:
            return records.checked(path, files.read_json(path), records.USAGE)
        except FileNotFoundError:
            return {}

    def log(self, last_bytes: int = 20_000) -> str:
        """Return the end of its log; of one that cannot be read, why."""
        try:
            with files.opened(self.path / "log.txt") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - last_bytes))
                return file.read(last_bytes).decode(errors="replace")
        except FileNotFoundError:
            return ""
        except DamagedFile as error:
            return f"damaged: {error}\n"

    def size(self) -> int:
        """Return the bytes that its files hold."""
        return size(self.path)

    def delete(self) -> None:
        """Remove it from the disk for good; ``discard`` moves it to the trash.

        Raises:
            RunError: while some process works on it, or where it is a link, or in a trash that is one.
        """
        path = _checked_path(self)
        if path.parent.name == TRASH:
            trash_folder(path.parent.parent)
        lock = locks.take(self.path)
        try:
            hidden = path.parent / f".{path.name}.{secrets.token_hex(4)}.deleted"
            os.rename(path, hidden)  # nobody sees half a run
            try:
                shutil.rmtree(hidden)
            except OSError:
                os.rename(hidden, path)  # what is left can be seen, and removed again
                raise
        finally:
            os.close(lock)

    def numbers(self, folder: str, form: str) -> list[int]:
        """Return the numbers n, ascending, for which a folder has a file named form.format(n).

        Raises:
            DamagedFile: where there is something else than a folder, or one that cannot be read.
        """
        try:
            names = os.listdir(self.path / folder)
        except FileNotFoundError as error:
            if os.path.islink(self.path / folder):
                raise DamagedFile(f"{self.path / folder}: a link to nothing") from error
            return []
        except OSError as error:
            if error.errno in files.UNREADABLE:
                raise DamagedFile(f"{self.path / folder}: no folder that can be read ({error.strerror})") from error
            raise
        before, after = form.index("{"), len(form) - form.index("}") - 1
        digits = [name[before : len(name) - after] for name in names]
        numbers = sorted({int(text) for text in digits if re.fullmatch("[0-9]{1,18}", text)})
        there = set(names)
        return [number for number in numbers if form.format(number) in there]


def _wrong_labels(labels: Mapping[str, Any]) -> str:
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


def size(folder: Path) -> int:
    """Return the bytes that the files under a folder hold."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError, PermissionError):  # taken just now, or not ours to look at
                total += os.lstat(os.path.join(path, name)).st_size
    return total


def discard(run: Run) -> Run:
    """Move a run to the trash of its folder, out of the queue too, and return it there.

    Raises:
        RunError: while some process works on it, where it is a link or in the trash already, or where the trash has one
            of its id.
    """
    path = _checked_path(run)
    if path.parent.name == TRASH:
        raise RunError(
            f"{path} is in the trash already: `runs restore {run.id}` brings it back, "
            f"`runs empty-trash {run.id}` removes it for good"
        )
    lock = locks.take(run.path)
    try:
        if not (path / "requests").is_symlink():  # else it is another run that waits
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):  # what does not wait
                (path / "requests" / "start").unlink()
        return _move(path, _make_trash(path.parent), "in the trash already: restore or empty that one first")
    finally:
        os.close(lock)


def trash(folder: Path | None = None) -> list[Run]:
    """Return the runs in the trash of a folder, oldest first.

    Raises:
        RunError: where the trash is a link, or no folder.
    """
    return list(directories(trash_folder(runs_folder() if folder is None else folder)))


def restore(trashed: Run) -> Run:
    """Bring a run back from the trash, and return it.

    Raises:
        RunError: where it is not in one, that is a link, or a run of its id is where it came from.
    """
    path = Path(os.path.abspath(trashed.path))
    if path.parent.name != TRASH:
        raise RunError(f"{path} is not in a trash: there is nothing to bring back")
    trash_folder(path.parent.parent)
    return _move(path, path.parent.parent, "there already: delete or move that one first")


def _checked_path(run: Run) -> Path:
    """Return where a run is, to move or remove it.

    Raises:
        RunError: where that is a link: what it leads to may be somebody else's, or another folder's.
    """
    path = Path(os.path.abspath(run.path))
    if path.is_symlink():
        raise RunError(
            f"{path} is a link to {os.path.realpath(path)}, and nothing is deleted through one: take the link away "
            f"(rm {shlex.quote(str(path))}), or delete the run where it is"
        )
    return path


def _make_trash(folder: Path) -> Path:
    with contextlib.suppress(FileExistsError):
        (folder / TRASH).mkdir()
    return trash_folder(folder)


def trash_folder(folder: Path) -> Path:
    """Return where the trash of a folder is, or will be.

    Raises:
        RunError: where something else is there; what a link leads to is not ours to list, bring back or remove.
    """
    path = folder / TRASH
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
        raise RunError(f"{path} is no folder of this runs folder: move it away, and a trash is made")
    return path


def _move(path: Path, folder: Path, conflict: str) -> Run:
    try:
        os.rename(path, folder / path.name)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise RunError(f"{path.name} is {conflict}") from error
        raise
    return Run(folder / path.name)


def start_over(run: Run) -> Path | None:
    """Set a run's checkpoints aside, so that it is trained from its start when it is resumed next.

    Nothing is thrown away: they are in a folder beside the new one.

    Returns:
        What they are in now; None where there were none.

    Raises:
        RunError: where the run is finished, or some process works on it.
    """
    lock = locks.take(run.path)
    try:
        if run.written().state == "finished":
            raise RunError(f"{run.id} is finished: clone it to train it anew")
        there = {name for name in os.listdir(run.path) if name.startswith("checkpoints")}
        if "checkpoints" not in there:
            return None
        aside = next(name for n in itertools.count(1) if (name := f"checkpoints.{n}") not in there)
        os.rename(run.path / "checkpoints", run.path / aside)
        return run.path / aside
    finally:
        os.close(lock)


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def age(moment: str) -> float:
    """Return the seconds since a time that ``now`` wrote."""
    return time.time() - datetime.datetime.fromisoformat(moment).timestamp()


def user_name(uid: int) -> str:
    """Return what a user is called."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def user() -> str:
    """Return who we are."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
