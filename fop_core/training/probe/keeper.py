"""Keeps a probe: starts it, and when it has ended kills all that it started, whatever session that has fled to.

    python -m fop_core.training.probe.keeper FOLDER PID

It ends as the probe does, with its status or by its signal. Where the process that waits for it is gone, it ends the
probe and takes the folder away.
"""

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys

import psutil

from fop_core import isolated

POLL = 0.1  # seconds between two looks
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl


def main() -> None:
    """Keep the probe of the folder that the arguments name."""
    folder, waiting = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)  # what outlives its parent becomes a child of ours
    worker = subprocess.Popen(isolated.command("fop_core.training.probe.worker", folder))
    signal.signal(signal.SIGUSR1, lambda *_: worker.send_signal(signal.SIGUSR1))
    status: int | None = None
    while status is None and os.getppid() == waiting:
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = worker.wait(POLL)
    sweep()
    if status is None:
        shutil.rmtree(folder, ignore_errors=True)
    elif status < 0:
        with contextlib.suppress(OSError):  # of SIGKILL nothing can be set
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status or 0)


def sweep() -> None:
    """Kill all children, and theirs, until there are none."""
    for _ in range(100):  # one that forks without end is stopped first, and then killed with what it forked meanwhile
        left = psutil.Process().children(recursive=True)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.send_signal(number)
        if not left:
            return
        psutil.wait_procs(left, timeout=1.0)


if __name__ == "__main__":
    main()
