"""The process that has torch loaded, from the side of whoever asks: it describes configs, and starts jobs by forking.

    Warm().ask({"describe": {...}}, timeout=120)      starts it where there is none

There is one for each user, machine and copy of the program, whoever asks: the web app, a dispatcher, a benchmark. Its
own side is ``fop_core.jobs.fork_server``. Requests and answers are JSON, one a line, over a socket in a folder that is
ours alone. It is gone when nobody is connected any more, or asks for a while.
"""

import contextlib
import hashlib
import json
import os
import selectors
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fop_core import isolated

FORKS = sys.platform == "linux"
"""Whether it forks. Elsewhere, where what macOS's frameworks hold does not outlive a fork, it only describes."""
IDLE = 600.0  # seconds without a request after which it ends
LINGER = 10.0  # seconds without a connection after which it ends
TRIES = 4  # processes that may end before they answer
RETRY = 0.02  # seconds between two tries to connect
LONGEST_PATH = 100  # bytes that a socket's path may have on all systems
SHORT = "/tmp"  # where the temporary folder's own path may be too long
LOADING = tuple("OMP_ KMP_ GOMP_ MKL_ OPENBLAS_ ATEN_ TORCH_ PYTORCH_ CUBLAS_ CUDA_ NCCL_ LD_".split())
"""How variables begin that libraries read when they are loaded: where they differ, it is another process."""


class WarmError(RuntimeError):
    """No answer; the message says why, as a person reads it."""


class Warm:
    """A connection to it. Threads take turns.

    Args:
        home: the folder of its socket; ``home()`` unless given.
        idle: seconds without a request after which it ends, where this starts it.
    """

    def __init__(self, home: Path | None = None, idle: float = IDLE) -> None:
        self._home, self._idle = home, idle
        self._turn = threading.Lock()
        self._connection: socket.socket | None = None
        self._received = b""
        self._started: list[subprocess.Popen[bytes]] = []
        self.pid: int | None = None
        """Of the process that answered last; None before the first answer."""

    def ask(self, request: dict[str, Any], timeout: float, files: Sequence[int] = ()) -> Any:
        """Return the answer to a request.

        Args:
            request: see ``fop_core.jobs.fork_server``.
            timeout: seconds; beyond these the answer is not waited for, and what is done for it is ended.
            files: open ones that it gets too.

        Raises:
            WarmError: where there is none, or the answer is an error.
        """
        line = json.dumps(request).encode() + b"\n"
        until = time.monotonic() + timeout
        with self._turn:
            for _ in range(TRIES):  # one that ends just now, or is of older code, is followed by another
                try:
                    self._connect(until, timeout)
                    answer = self._exchange(line, until, timeout, files)
                except BaseException:  # its answer, when it comes, must not be taken for that to the next request
                    self._disconnect()
                    raise
                if answer is not None:
                    break
                self._disconnect()
            else:
                raise WarmError("the process that has torch loaded ended before it answered")
        self.pid = answer["pid"]
        if "error" in answer:
            raise WarmError(answer["error"])
        return answer["answer"]

    def wait(self, seconds: float) -> None:
        """Wait until a job has ended that this connection started, or for so many seconds."""
        with self._turn:
            if self._connection is None or self._received:
                if not self._received:
                    time.sleep(seconds)
                self._received = b""
                return
            with selectors.DefaultSelector() as selector:
                selector.register(self._connection, selectors.EVENT_READ)
                if selector.select(seconds) and not self._read():
                    self._disconnect()
            self._received = b""  # that one has ended is all that there is to know

    def close(self) -> None:
        """End the connection; the next request makes another."""
        with self._turn:
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection, self._received = None, b""

    def _connect(self, until: float, timeout: float) -> None:
        """Connect, and start the process where it is not there.

        Raises:
            WarmError: where neither can be done, or takes too long.
        """
        if self._connection is not None:
            return
        self._started = [each for each in self._started if each.poll() is None]  # takes their zombies away
        where = self._home or home()
        started: subprocess.Popen[bytes] | None = None
        while True:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(where / "socket"))
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
            except OSError as error:
                connection.close()
                raise WarmError(f"{where / 'socket'}: {error}") from error
            else:
                connection.setblocking(False)
                self._connection = connection
                return
            status = None if started is None else started.poll()
            if status:
                raise WarmError(_why(where, status))
            if started is None or status == 0:  # 0: there was another one, which may be ending
                started = self._start(where)
            if time.monotonic() > until:
                raise WarmError(_too_long(timeout))
            time.sleep(RETRY)

    def _start(self, where: Path) -> "subprocess.Popen[bytes]":
        environment = isolated.environment() | {"OPENBLAS_NUM_THREADS": "1"}  # a fork has no threads: it has none
        try:
            log = os.open(where / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                command = isolated.command("fop_core.jobs.fork_server", str(where), str(self._idle))
                started = isolated.start(command, log, environment)
            finally:
                os.close(log)
        except OSError as error:
            raise WarmError(f"the process that has torch loaded cannot be started: {error}") from error
        self._started.append(started)
        return started

    def _exchange(self, line: bytes, until: float, timeout: float, files: Sequence[int]) -> dict[str, Any] | None:
        """Return the answer to a request, or None where the process has ended before it gave one."""
        connection = self._connection
        assert connection is not None
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_WRITE)
            remaining, handed = line, list(files)
            while remaining:
                _select(selector, until, timeout)
                try:
                    sent = socket.send_fds(connection, [remaining], handed) if handed else connection.send(remaining)
                except BlockingIOError:
                    continue
                except (BrokenPipeError, ConnectionResetError):
                    return None
                remaining, handed = remaining[sent:], []
            selector.modify(connection, selectors.EVENT_READ)
            while True:
                while b"\n" not in self._received:
                    _select(selector, until, timeout)
                    if not self._read():
                        return None
                first, _, self._received = self._received.partition(b"\n")
                answer: dict[str, Any] = json.loads(first)
                if "ended" not in answer:
                    return answer

    def _read(self) -> bool:
        """Read what is there; return whether the connection still is."""
        assert self._connection is not None
        try:
            part = self._connection.recv(1 << 16)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            return False
        self._received += part
        return bool(part)


def home() -> Path:
    """Return the folder of its socket, which is there then, and nobody else's.

    Raises:
        WarmError: where there can be none.
    """
    loaded = {name: value for name, value in os.environ.items() if name.startswith(LOADING)}
    for name in ("CUDA_VISIBLE_DEVICES", "KMP_DUPLICATE_LIB_OK"):  # a job has its own; torch sets that as it is loaded
        loaded.pop(name, None)
    paths = dict.fromkeys(isolated.environment()["PYTHONPATH"].split(os.pathsep))  # ours again in what we start
    what = json.dumps([sys.executable, *paths, sorted(loaded.items())])
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    why = ""
    for own in _folders():
        if len(os.fsencode(own / name / "socket")) > LONGEST_PATH:
            continue
        try:
            for path in (own, own / name):
                with contextlib.suppress(FileExistsError):
                    path.mkdir(mode=0o700)
                _check(path)
        except OSError as error:
            why = str(error)
            continue
        return own / name
    raise WarmError(
        f"no folder for the socket of the process that has torch loaded: {why or 'all paths are too long'}; "
        "set XDG_RUNTIME_DIR to a folder of a short path that is yours alone"
    )


def _folders() -> Iterator[Path]:
    """Yield where a folder of ours can be: in a temporary folder another user may have made one of that name."""
    for base in dict.fromkeys(filter(None, (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), SHORT))):
        yield Path(base, f"fop-lab-{os.getuid()}")
    cache = os.path.expanduser(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    if os.path.isabs(cache):
        with contextlib.suppress(OSError):  # making the folder in it says why
            os.mkdir(cache, mode=0o700)
        yield Path(cache, f"fop-lab-{os.uname().nodename}")  # machines may share a home


def _check(path: Path) -> None:
    """Raise OSError where a folder is one that somebody else could have put there, or could look into."""
    status = os.lstat(path)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        whose = "" if status.st_uid == os.getuid() else f", but of user {status.st_uid}"
        raise OSError(f"{path} is not a folder that is ours alone{whose}: remove it, or have it removed")


def _select(selector: selectors.BaseSelector, until: float, timeout: float) -> None:
    left = until - time.monotonic()
    if left <= 0 or not selector.select(left):
        raise WarmError(_too_long(timeout))


def _too_long(timeout: float) -> str:
    return f"the process that has torch loaded took more than {timeout:g} s"


def _why(where: Path, status: int) -> str:
    """Return what the process that ended said last."""
    with contextlib.suppress(OSError):
        lines = (where / "log").read_text(errors="replace").strip().splitlines()
        if lines:
            return lines[-1]
    return f"the process that has torch loaded ended with {status}"
