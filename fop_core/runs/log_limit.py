"""A job's log.txt keeps its beginning and its end, whatever a trainer prints.

Its supervisor looks each time it polls. A run is not ended for what it prints: a bar of a plug-in's own that is drawn
for days is harmless, as long as it fills no disk.
"""

import contextlib
import os

from fop_core.runs.files import DamagedFile
from fop_core.runs.names import LOG
from fop_core.runs.run import Run

LIMIT = 100_000_000
"""Bytes that a log may have; half of them are its beginning."""


class LogLimit:
    """Keeps the log of one run within ``LIMIT``, as soon as somebody looks.

    Args:
        run: the run; whatever writes its log appends to it.

    Attributes:
        left_out: bytes that are not there any more.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.left_out = 0

    @property
    def words(self) -> str:
        """What is to be said of it, for people; "" where nothing is left out."""
        if not self.left_out:
            return ""
        return f"{self.left_out:,} bytes of what was printed are left out: a log keeps {LIMIT:,}"

    def enforce(self) -> None:
        """Cut what is between the log's beginning and now, where it has become too long, and say so in its place."""
        with contextlib.suppress(OSError, DamagedFile):  # what cannot be opened is not for us to put right
            if os.lstat(self.run.path / LOG).st_size <= LIMIT:
                return
            log = self.run.open_log()
            try:
                kept = LIMIT // 2
                self.left_out += os.fstat(log).st_size - kept
                os.ftruncate(log, kept)
                os.write(log, f"\n[here {self.words}]\n".encode())
            finally:
                os.close(log)
