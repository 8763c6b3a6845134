"""What ``runs`` and ``study`` do with a trash alike: show what is in it, and empty it once that is confirmed."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from fop_core.commands.report_errors import for_each
from fop_core.commands.table import print_table
from fop_core.formatting import size


class Trashed(Protocol):
    """A run or a study in its trash."""

    @property
    def id(self) -> str:
        """What it is called there."""
        ...

    @property
    def path(self) -> Path:
        """Its folder."""
        ...

    def size(self) -> int:
        """Return the bytes that it holds."""
        ...

    def remove(self) -> None:
        """Remove it from the disk."""
        ...


def show(rows: Iterable[tuple[str, str, int]], as_json: bool) -> int:
    """Print id, name and bytes of each; return the exit status."""
    rows = list(rows)
    if as_json:
        print(json.dumps([dict(zip(("id", "name", "bytes"), row)) for row in rows], indent=1))
    elif rows:
        print_table([["id", "name", "size"], *([id_, name, size(bytes_)] for id_, name, bytes_ in rows)])
    else:
        print("the trash is empty")
    return 0


def empty(gone: Sequence[Trashed], one: str, several: str, yes: bool) -> int:
    """Remove what is in a trash once somebody has said yes; return the exit status.

    Args:
        gone: what is to be removed.
        one: what one of them is: "run".
        several: what more are: "runs".
        yes: whether that was said already.

    Raises:
        ValueError: where nobody is there to be asked.
    """
    if not gone:
        print("the trash is empty already")
        return 0
    size = sum(each.size() for each in gone if not each.path.is_symlink())
    what = f"{len(gone)} {one if len(gone) == 1 else several}, {size:,} bytes"
    if not yes:
        if not sys.stdin.isatty():
            raise ValueError(f"{what} would be gone for good, and nobody is here to ask: add --yes")
        if input(f"Remove {what}, for good? [y/N] ").lower() not in ("y", "yes"):
            print("kept")
            return 0

    def remove(each: Trashed) -> str:
        each.remove()
        return f"{each.id} is removed"

    status = for_each(gone, remove)
    if not status:
        print(f"removed {what}")
    return status
