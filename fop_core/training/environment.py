"""What an attempt ran on and with."""

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fop_core import __version__
from fop_core.training.datasets import DataSource

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[2]


def describe(device: "torch.device", threads: int, source: DataSource, optimizer: Any) -> dict[str, Any]:
    """Return device, threads, versions, commit, command, data and the optimizer in words."""
    import torch

    return {
        "device": str(device),
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else processor(),
        "threads": threads,
        "versions": versions(),
        "commit": commit(),
        "command": ["python", *sys.orig_argv[1:]],
        "data": {"title": source.title, "path": str(source.path), "note": source.note},
        "optimizer": repr(optimizer),
        "pid": os.getpid(),
    }


def versions() -> dict[str, str]:
    """Return what the numbers may depend on."""
    installed = {"fop_core": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in ("torch", "torchvision", "numpy", "pytorch-optimizer"):
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = "not installed"
    return installed


def commit() -> str | None:
    """Return the commit of this code, with "+" where files differ from it; None outside a checkout."""
    try:
        head, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if changed else "")


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()


def processor() -> str:
    """Return the name of the CPU."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
