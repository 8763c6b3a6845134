"""When something was done, and by whom: what is written down with it."""

import datetime
import getpass
import os
import pwd
import time


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def age(moment: str) -> float:
    """Return the seconds since a time that ``now`` wrote."""
    return time.time() - datetime.datetime.fromisoformat(moment).timestamp()


def user_name(uid: int) -> str:
    """Return what a user is called."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def user() -> str:
    """Return who we are."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
