"""``python -m fop_core runs why RUN``, from the side of whoever waits for it, and has no torch loaded."""

import os
import re
import subprocess
import tempfile
import weakref
from typing import IO

from fop_core import isolated
from fop_core.runs.run import Run

TAIL = 1 << 14  # bytes of what a process wrote that are read
PROGRESS = re.compile(r"^(.+): (\d+) of (\d+)$", re.MULTILINE)  # as `runs why` writes it


class Measuring:
    """A process that measures how long the steps of a run were where it diverged. It ends by itself.

    Args:
        run: whose steps are measured.
    """

    def __init__(self, run: Run) -> None:
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        weakref.finalize(self, _close, self._out, self._err)  # a session that ends says nothing to what it holds
        self._process = subprocess.Popen(
            isolated.command("fop_core", "runs", "why", os.path.abspath(run.path)),
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=self._err,
            env=isolated.environment(),
        )

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def progress(self) -> tuple[str, float]:
        """Return what is done now, and the share of it that is."""
        lines = PROGRESS.findall(_written(self._err))
        if not lines:
            return "loading torch", 0.0
        what, done, most = lines[-1]
        return what, min(1.0, int(done) / max(1, int(most)))

    def result(self) -> str:
        """Return what it printed, once it has ended.

        Raises:
            ValueError: where it failed; says why.
        """
        if self._process.wait() == 0:
            return _written(self._out).strip()
        lines = [line for line in _written(self._err).splitlines() if line and not PROGRESS.match(line)]
        raise ValueError(" ".join(lines) or f"the process that measures ended with {self._process.returncode}")


def _close(*files: IO[bytes]) -> None:
    for file in files:
        file.close()


def _written(file: IO[bytes]) -> str:
    """Return the end of what a process wrote to a file, whose position it shares with us and which stays so."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), TAIL, max(0, size - TAIL)).decode(errors="replace")
