"""How this program starts Python for itself: nothing that lies in a working directory can be imported by it.

    subprocess.Popen(isolated.command("fop_core", "train"), env=isolated.environment(), cwd="/")

A runs folder may be shared, or hold a run that was unpacked from somewhere: a ``numpy.py`` in it must stay a file.
"""

import os
import sys
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
