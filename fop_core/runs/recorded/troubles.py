"""What of a recorded run cannot be written: it is said once and counted, and the script trains on."""

import collections
import contextlib
import errno
import sys
from collections.abc import Callable, Iterator

from fop_core.printable import printable
from fop_core.runs.files import DamagedFile


class Troubles:
    """What went wrong with a run's files, each said once on stderr.

    Args:
        note: called with each as a line for the run's log.

    Attributes:
        of: the id of the run; "" before there is one.
        lost: how many were lost, by what they are.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.of = ""
        self.lost: collections.Counter[str] = collections.Counter()
        self._note = note
        self._why = ""
        self._said: set[str] = set()

    @contextlib.contextmanager
    def tried(self, what: str, lost: str = "") -> Iterator[None]:
        """Do something with the run's files; of what goes wrong it is said once why, and the script goes on.

        Args:
            what: cannot be written then.
            lost: as what it is counted then; "" for what is not.
        """
        try:
            yield
        except (OSError, DamagedFile) as error:  # the files are in the way, whatever is written
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._lose(lost, "the disk was full" if full else str(error))
            self.say("files" if isinstance(error, DamagedFile) else "writing", f"{what} cannot be written: {error}")
        except Exception as error:
            self._lose(lost, str(error))
            self.say(what, f"{what} cannot be written: {type(error).__name__}: {error}")

    def say(self, about: str, text: str) -> None:
        """Say something on stderr and in the log, where nothing was said about the same."""
        if about in self._said:
            return
        self._said.add(about)
        which = f"{self.of}: " if self.of else ""
        line = f"fop: {which}{printable(text)}; training goes on, and this is said once"
        with contextlib.suppress(OSError, ValueError, AttributeError):  # stderr may be closed, or none
            print(line, file=sys.stderr, flush=True)
        self._note(text)

    def words(self) -> str:
        """Return what was lost and why, for the run's reason; "" for nothing."""
        parts = " and ".join(f"{count:,} of its {what}" for what, count in sorted(self.lost.items()))
        return f"lost {parts}: {self._why}" if parts else ""

    def _lose(self, what: str, why: str) -> None:
        if what:
            self.lost[what] += 1
            self._why = why
