"""A run that any script writes: it is on Runs while the script trains, and on Preconditioners what it learned.

    with runs.record({"lr": 0.1, "model": "mine"}, name="mine", steps=1000) as run:
        for step in range(1, 1001):
            ...
            run.log(step, train_loss=loss, lr=rate)
            if step % 100 == 0:
                run.snapshot(optimizer)

Whether the script is still there the kernel knows, by the run's lock, as of every run: one that was killed is shown as
lost. What cannot be written is said once, and the script trains on.
"""

import atexit
import contextlib
import errno
import math
import numbers
import os
import platform
import reprlib
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

from fop_core import __version__
from fop_core.printable import printable
from fop_core.runs import files, notices, recorded_matrices, records, stamps, store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter

LOSSES = ("loss", "train_loss")
"""The columns that must stay finite, unless others are named: else the run has diverged."""
POLL_EVERY = 1.0  # seconds between two looks for a request to stop
LONGEST_REASON = 2000  # characters
_PROGRESS = ("epoch", *records.MEASURED)


def record(
    settings: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    tags: Sequence[str] = (),
    steps: int | None = None,
    losses: Collection[str] = LOSSES,
    device: str = "",
    folder: Path | str | None = None,
) -> "Recording":
    """Begin a run that this script writes; leave it by ``with``, or end it by ``Recording.end``.

    Args:
        settings: what the script was started with, any JSON: Runs lists it, queries find it. Its "method", or
            "optimizer", is what the run is drawn as.
        name: for people; the script's own name unless given.
        tags: for people.
        steps: how many it will take, where that is known: Runs says then how long it still takes.
        losses: the columns that must stay finite; else the run has diverged.
        device: what it trains on, in words; the processor unless given.
        folder: of the run; ``store.runs_folder()`` unless given.

    Returns:
        What to log to. Where nothing can be written it says so and does nothing.

    Raises:
        TypeError: for settings, a name or tags of another kind.
        ValueError: for settings that could not be read back, or a number of steps that is none.

    Example:
        >>> from fop_core import runs
        >>> with runs.record({"method": "mine", "lr": 0.1}, steps=2) as run:
        ...     for step in (1, 2):
        ...         run.log(step, train_loss=1 / step)
        >>> run.run.state.state, runs.load(run.id).metrics["train_loss"].values.tolist()
        ('finished', [1.0, 0.5])
    """
    content = checked_settings({} if settings is None else settings)
    for what, several in (("tags", tags), ("losses", losses)):
        if isinstance(several, str):
            raise TypeError(f"{what} are {several!r}, a text: give several, as [{several!r}]")
    for what, text in (("name", name), *(("tag", tag) for tag in tags)):
        if not records.is_text(text):
            raise TypeError(f"a {what} is {text!r}, a {type(text).__name__}: give a text")
    if steps is not None and (type(steps) is not int or not 1 <= steps <= records.LARGEST_STEP):
        raise ValueError(f"steps is {reprlib.repr(steps)}: give a whole number of at least 1, or none")
    script = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    script = printable(script) or "a script"
    return Recording(content, name or script, tuple(tags), steps, tuple(losses), device, folder, script)


def checked_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON has them.

    Raises:
        TypeError: naming the first value that is no JSON, and where it is.
        ValueError: where they are nested too deep.

    Example:
        >>> from fop_core.runs.recording import checked_settings
        >>> checked_settings({"lr": 0.1, "betas": (0.9, 0.99)})
        {'lr': 0.1, 'betas': [0.9, 0.99]}
    """
    if not isinstance(settings, Mapping):
        raise TypeError(f"settings are a {type(settings).__name__}: give a mapping, as vars(arguments) or a dict")
    content = _plain(settings, "settings")
    files.check_depth(content, "settings are ")
    return dict(content)


def _plain(value: Any, where: str, depth: int = 0) -> Any:
    if depth > files.DEEPEST:
        raise ValueError(f"settings are nested more than {files.DEEPEST} deep")
    if value is None or isinstance(value, (bool, str)):
        if isinstance(value, str) and not records.is_text(value):
            raise TypeError(f"{where} is {value!r}, which is no text that can be written")
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not records.is_text(key):
                raise TypeError(f"{where} has the key {key!r}, a {type(key).__name__}: JSON has texts alone")
        return {key: _plain(each, f"{where}[{key!r}]", depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{where}[{index}]", depth + 1) for index, each in enumerate(value)]
    raise TypeError(
        f"{where} is {value!r:.80}, a {type(value).__name__}: JSON has texts, numbers, true, false, none, lists and "
        "mappings; give str(...) of it"
    )


class Recording:
    """A run that this script writes, see ``record``.

    Its methods raise nothing: what cannot be written is said once, on stderr, and the script goes on. For the process
    that began it: in one that was forked from it they do nothing.

    Attributes:
        run: the run, to read it; None where none could be made.

    Example:
        >>> from fop_core import runs
        >>> recording = runs.record({"lr": 0.1}, name="mine")
        >>> recording.log(1, train_loss=1.0)
        >>> recording.note("begun")
        >>> recording.stop_requested, recording.id == recording.run.id
        (False, True)
        >>> recording.end()
        >>> recording.run.state.state
        'finished'
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        name: str,
        tags: tuple[str, ...],
        steps: int | None,
        losses: tuple[str, ...],
        device: str,
        folder: Path | str | None,
        script: str,
    ) -> None:
        self.run: Run | None = None
        self._steps, self._losses = steps, losses
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._begun = time.monotonic()
        self._step = 0
        self._first: tuple[int, float] | None = None  # logged row: its step, and the seconds up to it
        self._said: set[str] = set()
        self._missed, self._why_missed = 0, ""
        self._diverged: tuple[int, str] | None = None  # since when the loss is not finite, and which
        self._stop_by, self._polled_at = "", -math.inf
        self._progress: dict[str, Any] = {}
        self._control: Control | None = None
        self._writer: RunWriter | None = None
        with self._tried("the run"):
            where = store.runs_folder() if folder is None else Path(folder)
            self._open(
                store.create(settings, name=name, tags=tags, lineage={"recorded": f"by {script}"}, folder=where), device
            )
        if self.run is not None:
            atexit.register(self._at_exit)

    def _open(self, run: Run, device: str) -> None:
        control = None
        try:
            control = Control(run, resumes=False)
            control.set("starting")
            writer = RunWriter(run, _about(device))
            control.set("running")
        except BaseException:
            if control is not None:
                control.release()
            shutil.rmtree(run.path, ignore_errors=True)  # it was made just now, and nobody could go on with it
            raise
        self.run, self._control, self._writer = run, control, writer
        self._note(f"recorded by {' '.join(sys.orig_argv[:1] + sys.argv)}")

    @property
    def id(self) -> str:
        """The run's id; "" where none could be made."""
        return self.run.id if self.run is not None else ""

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked on Runs, or by ``queue stop``, that it ends; looked for once a second."""
        if self._is_forked:
            return bool(self._stop_by)
        with self._lock:
            if not self._stop_by and self._live and time.monotonic() - self._polled_at > POLL_EVERY:
                self._polled_at = time.monotonic()
                with self._tried("the request to stop"):
                    assert self._writer is not None and self._control is not None
                    if (by := self._writer.requests().get("stop")) is not None:
                        self._stop_by = by
                        self._control.set("stopping", f"by {by}", by=by)
            return bool(self._stop_by)

    def log(self, /, step: int, **metrics: Any) -> None:
        """Write what was measured at a step.

        Names as ``train_loss``, ``test_loss``, ``test_accuracy`` (a fraction) and ``lr`` are known to Runs, see
        ``quantities``; any other is shown as it is. "<quantity>/<layer>" is a layer's.

        Args:
            step: a whole number, as many updates as were made.
            metrics: numbers, NaN and infinities too; of torch or numpy a tensor with one entry.
        """
        if self._is_forked:
            return
        with self._lock:
            if not self._live:
                return
            if not _is_step(step):
                self._say("step", f"a row of step {reprlib.repr(step)} is left out: give a whole number, 0 or more")
                return
            row: dict[str, float] = {}
            for name, value in metrics.items():
                try:
                    if not records.is_text(name):
                        raise ValueError("its name is no text that can be written")
                    number = _number(value)
                    files.number(number)
                    row[name] = number
                except Exception as error:  # of whatever somebody's number does
                    self._say(f"column {name}", f"{name!r:.80} at step {step:,} is left out: {error}")
            self._step = int(step)
            self._row({"step": self._step, "seconds": time.monotonic() - self._begun} | row)
            self._watch(row)

    def snapshot(self, optimizer: Any, step: int | None = None, *, whole: bool = False) -> None:
        """Keep what an optimizer's ``preconditioners()`` gives, and what is measured of it. Waits for the device.

        Args:
            optimizer: whose ``preconditioners()`` returns {name: P}, or {name: {"input": P, "output": P}}.
            step: the last logged one unless given.
            whole: keep matrices of more than 256 rows too, and their spectra, as in a run's last snapshot.

        Example:
            >>> import numpy as np
            >>> from fop_core import runs
            >>> class Mine:
            ...     def preconditioners(self):
            ...         return {"0.weight": np.diag([1.0, 0.5])}
            >>> with runs.record(name="mine") as recording:
            ...     recording.log(10, train_loss=1.0)
            ...     recording.snapshot(Mine())
            >>> recording.run.snapshot_steps()
            [10]
        """
        if self._is_forked:
            return
        with self._lock:
            if not self._live:
                return
            at = self._step if step is None else step
            with self._tried("a snapshot"):
                if not _is_step(at):
                    raise TypeError(f"a snapshot of step {reprlib.repr(at)}: give a whole number, 0 or more")
                kept = recorded_matrices.of_optimizer(optimizer, whole)
                assert self._writer is not None
                self._writer.snapshot(int(at), kept.arrays, kept.about)
                self._writer.row({"step": int(at)} | kept.columns)

    def note(self, text: str) -> None:
        """Write a line to the run's log."""
        if self._is_forked:
            return
        with self._lock:
            if self._live:
                self._note(text)

    def end(self, error: BaseException | None = None) -> None:
        """End the run, once.

        Args:
            error: what ended it. KeyboardInterrupt makes it stopped, another exception failed; without one it is
                finished, or stopped where that was asked for, or failed where its loss is no longer finite.
        """
        if self._is_forked:
            return
        with self._lock:
            if not self._live:
                return
            run, control, writer = self.run, self._control, self._writer
            assert run is not None and control is not None and writer is not None
            ending = self._ending(error)
            with self._tried("the last rows"):
                writer.close()
            if error is not None and ending[0] == "failed":
                self._note("".join(traceback.format_exception(error)).rstrip())
            state, reason, cause, by = ending
            if self._missed and state == "finished":
                reason = f"lost {self._missed:,} of its rows: {self._why_missed}"
            with self._tried("how it ended"):
                control.set(state, _one_line(reason), cause, by)
            self._note(f"{state}{': ' if reason else ''}{reason}")
            control.release()
            self._control = self._writer = None
            atexit.unregister(self._at_exit)
        notices.ended(run, self._note)

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    @property
    def _is_forked(self) -> bool:
        """Whether this is another process than began it: there a thread that is gone may have the lock for ever."""
        return os.getpid() != self._pid

    @property
    def _live(self) -> bool:
        return self._control is not None

    def _row(self, row: Mapping[str, Any]) -> None:
        assert self._writer is not None
        written = False
        with self._tried("a row"):
            self._writer.row(row)
            written = True
            self._progress |= self._how_far(row)
            self._writer.progress(self._progress)
        self._missed += not written

    def _how_far(self, row: Mapping[str, Any]) -> dict[str, Any]:
        step, seconds = row["step"], time.monotonic() - self._begun
        content: dict[str, Any] = {"step": step, "seconds": seconds}
        if self._first is None:
            self._first = step, seconds
        if self._steps is not None:
            # Measured from the first row on, as a script that resumes begins late; of one row alone as from step 0.
            first, begun = self._first if step > self._first[0] else (0, 0.0)
            left = (seconds - begun) / (step - first) * max(0, self._steps - step) if step else None
            content |= {"steps": self._steps, "share": min(1.0, step / self._steps), "eta_seconds": left}
        content |= {name: row[name] for name in _PROGRESS if name in row}
        return {name: value for name, value in content.items() if _is_readable(name, value)}

    def _watch(self, row: Mapping[str, float]) -> None:
        """Find out whether the loss is still a number, and say so the first time that it is not."""
        assert self._control is not None and self.run is not None
        for name in self._losses:
            if name not in row:
                continue
            if math.isfinite(row[name]):
                if self._diverged is not None and self._diverged[1] == name:
                    self._diverged = None
                    self._state("running", f"had a loss that was not finite, up to step {self._step:,}")
            elif self._diverged is None:
                self._diverged = self._step, name
                first = "diverged" not in self._said
                self._said.add("diverged")
                self._state("running", f"diverged at step {self._step:,}: {name} is not finite")
                if first:
                    notices.diverged(self.run, self._diverged[0], name, self._note)

    def _state(self, state: str, reason: str) -> None:
        if not self._stop_by:  # "stopping" stays
            with self._tried("the run's state"):
                assert self._control is not None
                self._control.set(state, reason)

    def _ending(self, error: BaseException | None) -> tuple[str, str, str, str]:
        """Return state, reason, cause, and who had it stopped, as ``Control.set`` takes them."""
        at = f" at step {self._step:,}"
        if isinstance(error, KeyboardInterrupt):
            return "stopped", f"by Ctrl-C{at}", "", "Ctrl-C"
        if self._diverged is not None:
            step, name = self._diverged
            also = f"; then {type(error).__name__}: {error}" if error is not None else ""
            return "failed", f"diverged at step {step:,}: {name} not finite{also}", "diverged", ""
        if isinstance(error, SystemExit):
            if error.code in (None, 0):
                error = None
            else:
                return "failed", f"its script ended with {error.code!r}{at}", "", ""
        if error is not None:
            return "failed", f"{type(error).__name__}: {error}", _cause(error), ""
        if self._stop_by:
            return "stopped", f"by {self._stop_by}{at}", "", self._stop_by
        return "finished", "", "", ""

    def _note(self, text: str) -> None:
        if self.run is not None:
            with contextlib.suppress(OSError, ValueError), os.fdopen(self.run.open_log(), "a") as file:
                file.write(f"{stamps.now()} {printable(text, chr(10))}\n")

    @contextlib.contextmanager
    def _tried(self, what: str) -> Iterator[None]:
        """Do something with the run's files; of what goes wrong it is said once why, and the script goes on."""
        try:
            yield
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._why_missed = "the disk was full" if full else str(error)
            self._say("writing", f"{what} cannot be written: {error}")
        except Exception as error:
            self._why_missed = str(error)
            self._say(what, f"{what} cannot be written: {type(error).__name__}: {error}")

    def _say(self, about: str, text: str) -> None:
        if about in self._said:
            return
        self._said.add(about)
        which = f"{self.run.id}: " if self.run is not None else ""
        line = f"fop: {which}{printable(text)}; training goes on, and this is said once"
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed, or none
            print(line, file=sys.stderr, flush=True)
        self._note(text)

    def _at_exit(self) -> None:
        """End a run that the script has left open: with the exception that the interpreter ended with, if any."""
        self.end(getattr(sys, "last_exc", None) or getattr(sys, "last_value", None))


def _is_step(value: Any) -> bool:
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return is_whole and 0 <= int(value) <= records.LARGEST_STEP


def _is_readable(name: str, value: Any) -> bool:
    """Return whether a value of a run's progress can be read back, as an epoch of NaN cannot."""
    try:
        records.PROGRESS[name](value)
    except ValueError:
        return False
    return True


def _number(value: Any) -> float:
    """Return a number of Python's, of numpy's or of a tensor with one entry; an int stays one.

    Raises:
        TypeError: for anything else.
        ValueError: for a tensor with more entries.
    """
    if isinstance(value, bool):
        raise TypeError("a truth value: give 0 or 1")
    if not isinstance(value, numbers.Real) and hasattr(value, "item"):
        try:
            value = value.item()
        except (TypeError, ValueError, RuntimeError) as error:
            shape = list(getattr(value, "shape", ()))
            why = error if math.prod(shape) == 1 else "one number is expected"
            raise ValueError(f"a {type(value).__name__} of shape {shape}: {why}") from None
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{reprlib.repr(value)}, a {type(value).__name__}: a number is expected")


def _one_line(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}..."


def _cause(error: BaseException) -> str:
    """Return the one of ``state.CAUSES`` that an exception stands for, or ""."""
    if isinstance(error, FloatingPointError):
        return "diverged"
    if (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    ):  # torch's, which is not loaded here
        return "memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    return ""


def _about(device: str) -> dict[str, Any]:
    """Return what a script runs on and with, as ``records.ATTEMPT`` has it."""
    versions = {"fop_core": __version__, "python": platform.python_version(), "system": platform.platform()}
    for package in ("torch", "numpy", "transformers", "lightning"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "device": printable(device) or "not said",
        "device_name": printable(device) or platform.processor() or platform.machine(),
        "versions": versions,
        "command": ["python", *map(printable, sys.orig_argv[1:])],
        "pid": os.getpid(),
    }
