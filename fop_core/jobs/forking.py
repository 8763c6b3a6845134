"""Processes that are forked where others are started: what they have of their parent, and what not.

    fork(work)      a child that does some work and ends with its status
    Child           what is needed of ``subprocess.Popen`` to watch one

A fork keeps what an ``exec`` would drop, so each child here begins by making itself as one that was started: signals as
Python sets them, standard files of its own, no file open but those that it is to have. Only a process of one thread is
forked: locks that another thread holds would stay taken in the child.
"""

import atexit
import contextlib
import io
import os
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def fork(work: Callable[[], int]) -> int:
    """Fork; in the child do some work, and end with the status that it returns.

    Returns:
        The child's process number, in the parent.

    Raises:
        OSError: where the system has no room for another process.
    """
    _flush()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # a signal to the child is not for our handlers
    try:
        pid = os.fork()
        if not pid:
            _work(work, before)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(work: Callable[[], int], mask: "set[int | signal.Signals]") -> None:
    """Do a child's work and end; nothing of the parent's frames above goes on."""
    status = 1
    try:
        for number in (*SIGNALS, signal.SIGCHLD):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        status = work()
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else bool(ending.code)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            atexit._run_exitfuncs()  # as multiprocessing's own children do, some of which a DataLoader has
        _flush()
        os._exit(status)


def redirect(log: int) -> None:
    """Make a file our standard output and errors, and nothing our input, as of a process that was started so."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(log, 1)
    os.dup2(log, 2)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def name(command: list[str]) -> None:
    """Show a command line to ``ps``, psutil and ``sys.orig_argv`` as that of this process."""
    from setproctitle import setproctitle

    setproctitle(" ".join(command))
    sys.orig_argv[:] = command
    sys.argv[:] = command[2:]


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


class Child:
    """A forked child, to be watched as a ``subprocess.Popen``.

    Args:
        pid: its process number; a child of this process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._file = os.pidfd_open(pid)
        self._status: int | None = None

    def wait(self, timeout: float) -> int:
        """Return its exit status, or minus the number of the signal that killed it.

        Raises:
            subprocess.TimeoutExpired: where it has not ended within so many seconds.
        """
        if self._status is None:
            poll = select.poll()
            poll.register(self._file, select.POLLIN)
            if not poll.poll(1000 * timeout):
                raise subprocess.TimeoutExpired([str(self.pid)], timeout)
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self._file)
        return self._status
