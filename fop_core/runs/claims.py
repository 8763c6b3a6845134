"""Who owns a run across hosts: the highest attempt that was claimed, by exclusive creation of its file.

A lock on a file system that hosts share may be of one host alone (Lustre's ``localflock``), or be freed by a host that
is cut off and goes on all the same (NFS). So nothing here asks who is alive: that is the scheduler's to say. An attempt
that a scheduler starts claims the next number by making ``attempts/<n>.claim``, and before each write its processes
look whether a higher one is there. What comes back from the dead finds one and writes nothing.

Between a look and the write after it there is a moment in which the claim can be lost; what is written then is a whole
file of the same run, and rows go to a file that is the attempt's own.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from fop_core.runs import files, records, stamps
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import ATTEMPT, ATTEMPTS, CLAIM, METRICS
from fop_core.runs.run import Run

CLAIMED: dict[str, records.Check] = {
    "scheduler": records.text,
    "job": records.text,
    "host": records.text,
    "by": records.text,
    "at": records.text,
}
"""What a claim says, for people: the scheduler's name, its id of the job, where it runs, and who made it when."""

WHERE = ("scheduler", "job", "host")
"""What an attempt's record repeats of its claim."""


class Superseded(RunError):
    """A later attempt owns the run: this one may not write to it any more."""


def highest(run: Run) -> int:
    """Return the number of the last attempt that was claimed or begun; 0 where there is none."""
    numbers = run.numbers(ATTEMPTS, CLAIM) + run.numbers(ATTEMPTS, ATTEMPT) + run.numbers("", METRICS)
    return max(numbers, default=0)


def claim(run: Run, **about: str) -> int:
    """Claim the next attempt of a run, and return its number; whoever had the one before may write no more.

    Args:
        run: the run.
        about: what the claim says, see ``CLAIMED``.

    Raises:
        OSError: where no file can be made.
    """
    content = json.dumps({"by": stamps.user(), "at": stamps.now(), **about}).encode() + b"\n"
    (run.path / ATTEMPTS).mkdir(exist_ok=True)
    number = highest(run) + 1
    while True:
        try:  # the server decides who is first, whatever this host remembers of the folder
            file = os.open(_path(run, number), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            number += 1
            continue
        try:
            os.write(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        files.sync_folder(run.path / ATTEMPTS)
        begun = run.path / ATTEMPTS / ATTEMPT.format(number), run.path / METRICS.format(number)
        if not any(map(os.path.lexists, begun)):  # else a folder as it was remembered had us begin too low
            return number
        number += 1


def last(run: Run) -> int | None:
    """Return the number of the last attempt where that was claimed so; None where one host's lock tells."""
    number = highest(run)
    return number if number and os.path.lexists(_path(run, number)) else None


def read(run: Run, number: int) -> dict[str, Any]:
    """Return what a claim says, see ``CLAIMED``; nothing where it is missing, or just being made.

    Raises:
        DamagedFile: where a value is of another kind.
    """
    path = _path(run, number)
    try:
        return records.checked(path, files.read_json(path), CLAIMED)
    except FileNotFoundError:
        return {}
    except DamagedFile:
        if not os.path.getsize(path):
            return {}
        raise


def check(run: Run, number: int, *, fresh: bool = False) -> None:
    """Raise Superseded where a later attempt than ``number`` owns the run.

    Args:
        run: the run.
        number: of our attempt.
        fresh: whether the server is asked, and not what this host remembers of the folder for some seconds.
    """
    folder = run.path / ATTEMPTS
    if fresh:  # its answer to a change carries the folder's time, and with another one what is remembered goes
        with contextlib.suppress(FileNotFoundError):
            os.utime(folder)
    for form in (CLAIM, ATTEMPT):  # numbers are claimed in turn: with any higher one there is the next
        if os.path.lexists(folder / form.format(number + 1)):
            whose = read(run, number + 1)
            where = " of " + " on ".join(filter(None, (whose.get("job"), whose.get("host")))) if whose else ""
            raise Superseded(
                f"attempt {number} of {run.id} may not write any more: attempt {number + 1}{where} owns it"
            )


def _path(run: Run, number: int) -> Path:
    return run.path / ATTEMPTS / CLAIM.format(number)
