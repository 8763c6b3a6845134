"""The trash of a runs folder: runs go into it, come back from it, and are removed from the disk.

Through a link nothing is moved or removed: what it leads to may be somebody else's, or another folder's.
"""

import contextlib
import errno
import os
import secrets
import shlex
import shutil
from pathlib import Path

from fop_core.runs import locks, state
from fop_core.runs.files import RunError
from fop_core.runs.names import REQUESTS, START_REQUEST, TRASH


def of(folder: Path) -> Path:
    """Return where the trash of a runs folder, or of its studies, is or will be.

    Raises:
        RunError: where something else is there; what a link leads to is not ours to list, bring back or remove.
    """
    path = folder / TRASH
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir()):
        raise RunError(f"{path} is no folder of this runs folder: move it away, and a trash is made")
    return path


def holds(run: Path) -> bool:
    """Return whether a run's directory is in a trash."""
    return Path(os.path.abspath(run)).parent.name == TRASH


def discard(run: Path) -> Path:
    """Move a run's directory to the trash of its folder, and return where it is then. Raises as ``Run.delete``."""
    path = _checked_path(run)
    if path.parent.name == TRASH:
        raise RunError(
            f"{path} is in the trash already: `runs restore {path.name}` brings it back, "
            f"`runs empty-trash {path.name}` removes it for good"
        )
    lock = locks.take(run)
    try:
        state.refuse_scheduled(run)
        if not (path / REQUESTS).is_symlink():  # else it is another run that waits
            with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):  # what does not wait
                (path / REQUESTS / START_REQUEST).unlink()
        with contextlib.suppress(FileExistsError):
            (path.parent / TRASH).mkdir()
        return _move(path, of(path.parent), "in the trash already: restore or empty that one first")
    finally:
        os.close(lock)


def restore(run: Path) -> Path:
    """Bring a run's directory back from the trash, and return where it is then. Raises as ``Run.restore``."""
    path = Path(os.path.abspath(run))
    if path.parent.name != TRASH:
        raise RunError(f"{path} is not in a trash: there is nothing to bring back")
    of(path.parent.parent)
    return _move(path, path.parent.parent, "there already: delete or move that one first")


def remove(run: Path) -> None:
    """Remove a run's directory from the disk. Raises as ``Run.remove``."""
    path = _checked_path(run)
    if path.parent.name == TRASH:
        of(path.parent.parent)
    lock = locks.take(run)
    try:
        state.refuse_scheduled(run)
        erase(path)
    finally:
        os.close(lock)


def erase(path: Path) -> None:
    """Remove a folder, of a run or a study, from the disk; where not all of it can be removed the rest stays in sight.

    Raises:
        OSError: where something in it cannot be removed.
    """
    hidden = path.parent / f".{path.name}.{secrets.token_hex(4)}.deleted"
    os.rename(path, hidden)  # nobody sees half of it
    try:
        shutil.rmtree(hidden)
    except OSError:
        os.rename(hidden, path)  # what is left can be seen, and removed again
        raise


def refuse_link(path: Path) -> None:
    """Raise RunError where what is to be deleted is a link."""
    if path.is_symlink():
        raise RunError(
            f"{path} is a link to {os.path.realpath(path)}, and nothing is deleted through one: take the link away "
            f"(rm {shlex.quote(str(path))}), or delete what it leads to where that is"
        )


def _checked_path(run: Path) -> Path:
    path = Path(os.path.abspath(run))
    refuse_link(path)
    return path


def _move(path: Path, folder: Path, conflict: str) -> Path:
    try:
        os.rename(path, folder / path.name)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise RunError(f"{path.name} is {conflict}") from error
        raise
    return folder / path.name
