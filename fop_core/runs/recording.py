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
import math
import os
import reprlib
import sys
import threading
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from fop_core.printable import printable
from fop_core.runs import files, notices, records, stamps
from fop_core.runs.control import Control
from fop_core.runs.recorded import matrices
from fop_core.runs.recorded.beginning import begun
from fop_core.runs.recorded.ending import Divergence, ending, one_line
from fop_core.runs.recorded.numbers import is_step, number
from fop_core.runs.recorded.progress import HowFar
from fop_core.runs.recorded.settings import check_arguments, checked_settings
from fop_core.runs.recorded.troubles import Troubles
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter

LOSSES = ("loss", "train_loss")
"""The columns that must stay finite, unless others are named: else the run has diverged."""
POLL_EVERY = 1.0  # seconds between two looks for a request to stop


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
    check_arguments(name, tags, losses, steps)
    script = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-c", "-m") else ""
    script = printable(script) or "a script"
    return Recording(content, name or script, tuple(tags), steps, tuple(losses), device, folder, script)


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
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._begun = time.monotonic()
        self._step = 0
        self._how_far, self._divergence = HowFar(steps), Divergence(losses)
        self._troubles = Troubles(self._note)
        self._noticed = False  # that it diverged
        self._stop_by, self._polled_at = "", -math.inf
        self._control: Control | None = None
        self._writer: RunWriter | None = None
        with self._troubles.tried("the run"):
            self.run, self._control, self._writer = begun(settings, name, tags, device, folder, script)
            self._troubles.of = self.run.id
            self._note(f"recorded by {' '.join(sys.orig_argv[:1] + sys.argv)}")
            atexit.register(self._at_exit)

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
                with self._troubles.tried("the request to stop"):
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
            if not is_step(step):
                self._troubles.say(
                    "step", f"a row of step {reprlib.repr(step)} is left out: give a whole number, 0 or more"
                )
                return
            row: dict[str, float] = {}
            for name, value in metrics.items():
                try:
                    if not records.is_text(name):
                        raise ValueError("its name is no text that can be written")
                    measured = number(value)
                    files.number(measured)
                    row[name] = measured
                except Exception as error:  # of whatever somebody's number does
                    self._troubles.say(f"column {name}", f"{name!r:.80} at step {step:,} is left out: {error}")
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
        kept = None
        with self._troubles.tried("a snapshot"):
            if not is_step(at):
                raise TypeError(f"a snapshot of step {reprlib.repr(at)}: give a whole number, 0 or more")
            # Not under the lock, which other threads log by: it is somebody's code, and may take any time.
            kept = matrices.of_optimizer(optimizer, whole)
        with self._lock:
            if kept is None or not self._live:
                return
            assert self._writer is not None
            with self._troubles.tried("a snapshot", "snapshots"):
                self._writer.snapshot(int(at), kept.arrays, kept.about)
                with self._troubles.tried("a row", "rows"):
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
            state, reason, cause, by = ending(self._step, error, self._divergence.since, self._stop_by)
            with self._troubles.tried("the last rows"):
                writer.close()
            if error is not None and state == "failed":
                self._note("".join(traceback.format_exception(error)).rstrip())
            reason = "; ".join(filter(None, (one_line(reason), one_line(self._troubles.words()))))
            is_written = False
            with self._troubles.tried("how it ended"):
                control.set(state, reason, cause, by)
                is_written = True
            self._note(f"{state}{': ' if reason else ''}{reason}")
            control.release()
            self._control = self._writer = None
            atexit.unregister(self._at_exit)
        if is_written:  # else what is there says something else, and may be of another run
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
        with self._troubles.tried("a row", "rows"):
            self._writer.row(row)
            written = True
        if written:
            with self._troubles.tried("how far it is"):
                self._writer.progress(self._how_far.at(row, time.monotonic() - self._begun))

    def _watch(self, row: Mapping[str, float]) -> None:
        """Find out whether the loss is still a number, and say so; the first time that it is not by a notice too."""
        assert self.run is not None
        if news := self._divergence.watch(self._step, row):
            self._state("running", news)
            if self._divergence.since is not None and not self._noticed:
                self._noticed = True
                notices.diverged(self.run, *self._divergence.since, self._note)

    def _state(self, state: str, reason: str) -> None:
        if not self._stop_by:  # "stopping" stays
            with self._troubles.tried("the run's state"):
                assert self._control is not None
                self._control.set(state, reason)

    def _note(self, text: str) -> None:
        run, control = self.run, self._control
        if run is not None:
            with contextlib.suppress(OSError, ValueError):
                if control is not None:
                    control.anchor.check()
                with os.fdopen(run.open_log(), "a") as file:
                    file.write(f"{stamps.now()} {printable(text, chr(10))}\n")

    def _at_exit(self) -> None:
        """End a run that the script has left open: with the exception that the interpreter ended with, if any."""
        self.end(getattr(sys, "last_exc", None) or getattr(sys, "last_value", None))
