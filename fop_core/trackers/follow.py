"""What the callbacks of other trainers share: a recording while they train, on one of their processes."""

from collections.abc import Mapping
from typing import Any

from fop_core.runs import recording
from fop_core.runs.recorded import matrices
from fop_core.runs.recorded.settings import checked_settings
from fop_core.runs.recording import Recording

SNAPSHOTS = 60
"""About how many a run has, unless a callback asks for another number: as many as our own."""


class Follower:
    """A recording that a callback writes while its trainer trains.

    Args:
        settings: what the run was started with, any JSON; None for what the trainer knows.
        name: of the run, for people.
        tags: likewise.
        snapshots: about how many of P; 0 for none.
        names: by which columns what the trainer calls otherwise is recorded; None as a name leaves it out.
        options: of ``record``: losses, device, folder.

    Attributes:
        recording: of the present training, or the last one; None before the first.
    """

    def __init__(
        self,
        settings: Mapping[str, Any] | None,
        name: str,
        tags: tuple[str, ...],
        snapshots: int,
        names: Mapping[str, str | None],
        options: Mapping[str, Any],
    ) -> None:
        if type(snapshots) is not int or snapshots < 0:
            raise ValueError(f"snapshots is {snapshots!r}: give a whole number, 0 for none")
        self.settings = None if settings is None else checked_settings(settings)
        self.name, self.tags, self.snapshots, self.names, self.options = name, tags, snapshots, names, options
        self.recording: Recording | None = None
        self._every = 1
        self._snapped = -1

    def begin(self, known: Mapping[str, Any], steps: int | None, optimizer: Any) -> None:
        """Begin a run; one that an exception has left open ends as failed.

        Args:
            known: what the trainer knows of its settings: what is no JSON is kept as a text.
            steps: it will take, where that is known.
            optimizer: which.
        """
        if self.recording is not None:
            self.recording.end(RuntimeError("its training was left before its end"))
        settings = dict(self.settings) if self.settings is not None else as_json(known)
        if optimizer is not None:
            settings.setdefault("optimizer", type(matrices.unwrapped(optimizer)).__name__)
        self._every = max(1, (steps or 0) // max(1, self.snapshots)) if steps else 100
        self._snapped = -1
        self.recording = recording.record(settings, name=self.name, tags=self.tags, steps=steps, **self.options)

    def log(self, step: int, metrics: Mapping[str, Any]) -> None:
        """Record what was measured at a step, under the names that Runs knows; without another "step"."""
        if self.recording is not None:
            renamed = {self.names.get(name, name): value for name, value in metrics.items()}
            self.recording.log(step, **{name: each for name, each in renamed.items() if name not in (None, "step")})

    def stepped(self, step: int, optimizer: Any, processes: int) -> bool:
        """Take a snapshot where one is due; return whether somebody wants the training to stop.

        Of several processes none is stopped: the others would wait for the one that was.
        """
        if self.recording is None:
            return False
        if step % self._every == 0:
            self._snapshot(step, optimizer, False)
        return processes == 1 and self.recording.stop_requested

    def end(self, step: int, optimizer: Any, error: BaseException | None = None) -> None:
        """Take the last snapshot, with every matrix, and end the run."""
        if self.recording is not None:
            if error is None:
                self._snapshot(step, optimizer, True)
            self.recording.end(error)

    def _snapshot(self, step: int, optimizer: Any, whole: bool) -> None:
        if self.recording is not None and self.snapshots and matrices.shows(optimizer):
            if whole or step != self._snapped:
                self.recording.snapshot(optimizer, step, whole=whole)
            self._snapped = step


def as_json(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of which each value that is no JSON is a text."""
    made: dict[str, Any] = {}
    for name, value in settings.items():
        try:
            made |= checked_settings({str(name): value})
        except (TypeError, ValueError):
            made[str(name)] = f"{value!r:.200}".encode(errors="replace").decode()
    return made
