"""Whether what is written to a run goes where it should: one that was unpacked, or is shared, may have links in it."""

import contextlib
import os
import stat
from pathlib import Path

from fop_core.printable import printable
from fop_core.runs import files, records, stamps
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import ATTEMPT_REQUESTS, CONTROL_LOCK, FOLDERS, LOG, REQUESTS, START_REQUEST

FILES = (LOG, CONTROL_LOCK, *(f"{REQUESTS}/{what}" for what in (START_REQUEST, *ATTEMPT_REQUESTS)))
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


class Anchor:
    """A run's directory, kept open by who writes to it: each write goes by its path, which may lead elsewhere by then.

    Being open, it is known again also where a file system numbers its folders anew, as some of FUSE do.

    Args:
        path: the directory.

    Raises:
        DamagedFile: where it is a link.
        OSError: where it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        check_folders(path, "")
        self._path = path
        self._folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def check(self, *folders: str) -> None:
        """Make sure that the path still leads to the directory, and that these folders of it are none but its own.

        Raises:
            DamagedFile: where that is not so.
        """
        try:
            there = os.lstat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            raise DamagedFile(f"{self._path} is gone: it was moved or removed while it was written") from None
        if stat.S_ISLNK(there.st_mode):
            check_folders(self._path, "")  # which says where it leads
        if not os.path.samestat(there, os.fstat(self._folder)):
            raise DamagedFile(f"{self._path} is another folder than the one that was written: it was replaced")
        if folders:
            check_folders(self._path, *folders)

    def close(self) -> None:
        """Close the directory; what is checked after that is refused."""
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def remove(self, name: str) -> None:
        """Remove a file of the directory, wherever that is by now; nothing where it is not there."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._folder)


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
    for name in ("", REQUESTS, *FILES):
        try:
            status = os.lstat(part := path / name)
        except FileNotFoundError:
            continue
        if name in FILES and not stat.S_ISREG(status.st_mode):
            return f"{part} is a {files.kind(status.st_mode)}, not a regular file: move it away"
        if name in ("", REQUESTS) and status.st_uid != os.getuid():
            return f"{part} belongs to {stamps.user_name(status.st_uid)}: clone the run to train it yourself"
    return ""
