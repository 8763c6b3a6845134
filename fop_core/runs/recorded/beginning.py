"""How a run of somebody's own script begins: its directory, and who may write to it."""

import contextlib
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fop_core import __version__
from fop_core.printable import printable
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter


def begun(
    settings: Mapping[str, Any], name: str, tags: tuple[str, ...], device: str, folder: Path | str | None, script: str
) -> tuple[Run, Control, RunWriter]:
    """Begin a run that is running from now on; arguments as ``record``'s, and what the script is called.

    Raises:
        OSError, ValueError: where it cannot be made; nothing is left of it then.
    """
    where = (store.runs_folder() if folder is None else Path(folder)).absolute()  # a script may change its folder
    run = store.create(settings, name=name, tags=tags, lineage={"recorded": f"by {script}"}, folder=where)
    control = None
    try:
        control = Control(run, resumes=False)
        control.set("starting")
        writer = RunWriter(run, _about(device))
        control.set("running")
    except BaseException:
        if control is not None:
            control.release()
        shutil.rmtree(run.path, ignore_errors=True)  # it was made just now, and nobody could go on with it
        raise
    return run, control, writer


def _about(device: str) -> dict[str, Any]:
    """Return what a script runs on and with, as ``records.ATTEMPT`` has it."""
    versions = {"fop_core": __version__, "python": platform.python_version(), "system": platform.platform()}
    for package in ("torch", "numpy", "transformers", "lightning"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {
        "device": printable(device) or "not said",
        "device_name": printable(device) or platform.processor() or platform.machine(),
        "versions": versions,
        "command": ["python", *map(printable, sys.orig_argv[1:])],
        "pid": os.getpid(),
    }
