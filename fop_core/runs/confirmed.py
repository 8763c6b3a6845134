"""Which plug-ins a user has confirmed: by their content, since a plug-in is code and runs with that user's rights.

    if allowed() and digest in confirmed(): ...

One empty file a content, named by its SHA-256, in a folder that is the user's alone: what lies in a runs folder, which
may be shared or hold what was unpacked from somewhere, confirms nothing.
"""

import os
import re
import stat
from pathlib import Path

from fop_core.runs import stamps

SWITCH = "FOP_PLUGINS"
"""The variable by which a server forbids plug-ins: "off"."""


def allowed() -> bool:
    """Return whether plug-ins may run here.

    Raises:
        ValueError: where FOP_PLUGINS is neither on nor off: a misspelt prohibition permits nothing.
    """
    switch = os.environ.get(SWITCH, "on").strip().lower()
    if switch not in ("", "on", "off"):
        raise ValueError(f"{SWITCH} is {switch!r:.40}: give on or off")
    return switch != "off"


def forbidden() -> str:
    """Return why no plug-in runs here, or ""."""
    try:
        return "" if allowed() else f"plug-ins are switched off on this machine ({SWITCH}=off)"
    except ValueError as error:
        return str(error)


def folder() -> Path:
    """Return where confirmations are: of XDG_STATE_HOME, or ~/.local/state.

    Raises:
        FileNotFoundError: where we have no home, as a container's user without a name.
    """
    base = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base) and not os.path.isabs(base := os.path.expanduser("~/.local/state")):
        raise FileNotFoundError(
            "there is no home folder to keep confirmed plug-ins in: set HOME, or XDG_STATE_HOME, to a folder of yours"
        )
    return Path(base, "fop-lab", "plugins")


def is_confirmed(digest: str) -> bool:
    """Return whether the user has confirmed a content, by its SHA-256.

    Raises:
        PermissionError: where the folder of the confirmations is one that somebody else can write to.
    """
    _check(folder())
    try:
        return stat.S_ISREG(os.lstat(folder() / digest).st_mode)
    except FileNotFoundError:
        return False


def confirm(digest: str) -> None:
    """Keep that the user has confirmed a content, by its SHA-256.

    Raises:
        ValueError: where that is no SHA-256.
        OSError: where it cannot be written down.
    """
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"{digest!r:.80} is no SHA-256: 64 digits from 0 to f are expected")
    where = folder()
    where.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check(where)
    os.close(os.open(where / digest, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _check(where: Path) -> None:
    for path in (where, where.parent):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o022:
            owner = stamps.user_name(status.st_uid)
            raise PermissionError(f"{path}, of {owner}, is not a folder that you alone can write to: remove it")
