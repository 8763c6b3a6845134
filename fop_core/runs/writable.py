"""Whether what is written to a run goes where it should: one that was unpacked, or is shared, may have links in it."""

import contextlib
import os
import stat
from pathlib import Path

from fop_core.printable import printable
from fop_core.runs import files, records, stamps
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import FOLDERS, REQUESTS

FILES = ("log.txt", "control.lock", *(f"requests/{what}" for what in ("start", *REQUESTS)))
"""What a run has of these must be regular files: a link would lead us to write elsewhere, a pipe would have us wait."""


def check_folders(path: Path, *folders: str) -> None:
    """Make sure that what is written to folders of a run's directory, all unless given, goes nowhere else.

    Missing ones do: they will be made.

    Raises:
        DamagedFile: where the run is a link, or one of them is anything but a folder.
    """
    if path.is_symlink():
        raise DamagedFile(f"{path} is a link to {os.path.realpath(path)}: put the run itself there")
    for name in folders or FOLDERS:
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISDIR(mode := os.lstat(part := path / name).st_mode):
                raise DamagedFile(f"{part} is a {files.kind(mode)}, not a folder: move it away")


def obstacle(path: Path) -> str:
    """Return why a run's directory is not ours to write to: it is somebody else's, or a link is in it; or "".

    Nor is one whose name is no text: no file could say what it is called.
    """
    if not records.is_text(str(path)):
        return f"{printable(str(path))} is called what is no text in UTF-8: rename the folder"
    try:
        check_folders(path, "", *FOLDERS)
    except DamagedFile as error:
        return str(error)
    for name in ("", "requests", *FILES):
        try:
            status = os.lstat(part := path / name)
        except FileNotFoundError:
            continue
        if name in FILES and not stat.S_ISREG(status.st_mode):
            return f"{part} is a {files.kind(status.st_mode)}, not a regular file: move it away"
        if name in ("", "requests") and status.st_uid != os.getuid():
            return f"{part} belongs to {stamps.user_name(status.st_uid)}: clone the run to train it yourself"
    return ""
