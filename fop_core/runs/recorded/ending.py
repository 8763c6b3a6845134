"""How a run of somebody's own script ends: by its exception, by a request, or by a loss that is not finite any more."""

import errno
import math
from collections.abc import Collection, Mapping

from fop_core.printable import printable

LONGEST_REASON = 2000  # characters


class Divergence:
    """Whether the loss is still a number.

    Args:
        losses: the columns that must stay finite.

    Attributes:
        since: the step at which one was not, and its name; None while all are, or are again.
    """

    def __init__(self, losses: Collection[str]) -> None:
        self.since: tuple[int, str] | None = None
        self._losses = losses

    def watch(self, step: int, row: Mapping[str, float]) -> str:
        """Look at a row; return in words what is new: that a loss is not finite, or is again; else ""."""
        news = ""
        for name in self._losses:
            if name not in row:
                continue
            if not math.isfinite(row[name]):
                if self.since is None:
                    self.since = step, name
                    news = f"diverged at step {step:,}: {name} is not finite"
            elif self.since is not None and self.since[1] == name:
                self.since = None
                news = f"had a loss that was not finite, up to step {step:,}"
        return news


def ending(
    step: int, error: BaseException | None, diverged: tuple[int, str] | None, stop_by: str
) -> tuple[str, str, str, str]:
    """Return state, reason, cause, and who had it stopped, as ``Control.set`` takes them.

    Args:
        step: the last one that was logged.
        error: what ended it, if anything did.
        diverged: see ``Divergence.since``.
        stop_by: who asked that it ends; "" for nobody.
    """
    at = f" at step {step:,}"
    if isinstance(error, KeyboardInterrupt):
        return "stopped", f"by Ctrl-C{at}", "", "Ctrl-C"
    if diverged is not None:
        since, name = diverged
        also = f"; then {_words(error)}" if error is not None else ""
        return "failed", f"diverged at step {since:,}: {name} not finite{also}", "diverged", ""
    if isinstance(error, SystemExit):
        if error.code in (None, 0):
            error = None
        else:
            return "failed", f"its script ended with {error.code!r}{at}", "", ""
    if error is not None:
        return "failed", _words(error), _cause(error), ""
    if stop_by:
        return "stopped", f"by {stop_by}{at}", "", stop_by
    return "finished", "", "", ""


def one_line(text: str) -> str:
    """Return a text on one line, and of one too long its beginning."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}..."


def _words(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # of somebody's own, which cannot say what it is
        return type(error).__name__


def _cause(error: BaseException) -> str:
    """Return the one of ``state.CAUSES`` that an exception stands for, or ""."""
    if isinstance(error, FloatingPointError):
        return "diverged"
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, which is not loaded
        return "memory"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    return ""
