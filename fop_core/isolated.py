"""How this program starts Python for itself: nothing that lies in a working directory can be imported by it.

    subprocess.Popen(isolated.command("fop_core", "train"), env=isolated.environment(), cwd="/")
    isolated.start(isolated.command("fop_core.jobs.dispatcher", FOLDER), log)

A runs folder may be shared, or hold a run that was unpacked from somewhere: a ``numpy.py`` in it must stay a file.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line of a module: with ``-P``, else ``-m`` looks for it in the working directory first."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return our environment, in which this copy of the program is found from any folder.

    An empty or relative entry of PYTHONPATH would mean the working directory, or a folder of it: none is handed on.
    """
    inherited = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [str(PROJECT), *(path for path in inherited if os.path.isabs(path))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def start(
    command: Sequence[str],
    log: int,
    settings: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    folder: Path = Path("/"),
) -> "subprocess.Popen[bytes]":
    """Start a process that stays when we go: in a session and a working directory of its own, with nothing to read.

    Args:
        command: its command line.
        log: the open file that takes what it prints.
        settings: its whole environment; without it as ``environment`` has it.
        pass_fds: open files that it gets.
        folder: in which it works.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        pass_fds=pass_fds,
        env=environment() if settings is None else settings,
        cwd=folder,
    )
