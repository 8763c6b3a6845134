"""The process that has torch loaded: ``python -m fop_core.jobs.fork_server HOME IDLE``, which ``fop_core.warm`` starts.

A request is one of

    {"describe": config, "environment": {...}}                  answered by ``preview.describe``
    {"supervise": [run, slot], "environment": {...}}            with the open lock of the slot, and the run's open log

A child does what is asked, forked for it: a supervisor of the job, which forks the trainer, or one that describes a
config. So this process stays as it was when torch had been loaded: one thread, no CUDA, no file of a job. A trainer
starts OpenMP's threads, and CUDA, by itself. Nothing depends on this process once a job has been started.
"""

import contextlib
import fcntl
import gc
import json
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fop_core import isolated, warm
from fop_core.jobs import forking, supervisor
from fop_core.runs import locks

LONGEST = 1 << 20  # bytes of a request
LONGEST_SECONDS = 600  # that describing a config may take, where nobody is there any more to end it
DATA = ("FOP_DATA_DIR", "FOP_DATA_RELATIVE_TO")
"""Where data are looked for: as whoever asks has it now, not as it was when the process began."""


@dataclass(eq=False)
class Client:
    """A connection.

    Attributes:
        socket: its socket.
        received: of a request that is not whole yet.
        files: that came with it.
        describing: the child that describes a config for it; 0 for none.
        jobs: the supervisors that were started for it.
    """

    socket: socket.socket
    received: bytes = b""
    files: list[int] = field(default_factory=list)
    describing: int = 0
    jobs: set[int] = field(default_factory=set)


class Server:
    """Answers requests until nobody is there.

    Args:
        listener: the socket, bound.
        lock: an open file that is held while this process is there, and by no child of it.
        idle: seconds without a request after which it ends.
    """

    def __init__(self, listener: socket.socket, lock: int, idle: float) -> None:
        self._listener, self._lock, self._idle = listener, lock, idle
        self._clients: list[Client] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()  # signals write to it
        for each in (self._wake, self._woken):
            each.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._code = code()

    def serve(self) -> None:
        """Answer."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        last_request = there = time.monotonic()
        while time.monotonic() - last_request < self._idle and time.monotonic() - there < warm.LINGER:
            ready = {key.fileobj for key, _ in self._selector.select(min(self._idle, 1.0))}
            if self._woken in ready:
                with contextlib.suppress(BlockingIOError):
                    self._woken.recv(1 << 12)
            self._reap()
            for client in list(self._clients):
                if client.socket in ready and not self._read(client):
                    self._drop(client)
                while client in self._clients and not client.describing and b"\n" in client.received:
                    last_request = time.monotonic()
                    if code() != self._code:  # what it has loaded is not what is there any more
                        return
                    self._answer(client)
            if self._listener in ready:
                with contextlib.suppress(OSError):  # who has gone meanwhile
                    connection, _ = self._listener.accept()
                    connection.setblocking(False)
                    self._clients.append(Client(connection))
                    self._selector.register(connection, selectors.EVENT_READ)
            if self._clients:
                there = time.monotonic()

    def _read(self, client: Client) -> bool:
        """Read what is there; return whether the connection still is."""
        try:
            part, files, _, _ = socket.recv_fds(client.socket, 1 << 16, 4)
        except BlockingIOError:
            return True
        except OSError:
            return False
        for file in files:
            os.set_inheritable(file, False)
        client.files += files
        client.received += part
        return bool(part) and len(client.received) <= LONGEST and len(client.files) <= 4

    def _drop(self, client: Client) -> None:
        self._selector.unregister(client.socket)
        client.socket.close()
        for file in client.files:
            os.close(file)
        if client.describing:  # nobody waits for it any more
            with contextlib.suppress(ProcessLookupError):
                os.kill(client.describing, signal.SIGKILL)
        self._clients.remove(client)

    def _send(self, client: Client, answer: dict[str, Any]) -> None:
        try:
            client.socket.sendall(json.dumps({**answer, "pid": os.getpid()}).encode() + b"\n")
        except OSError:  # it is gone, or reads nothing
            self._drop(client)

    def _reap(self) -> None:
        """Take away the children that have ended, and tell whoever waits for that."""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                for client in list(self._clients):
                    if client.describing == pid:
                        client.describing = 0
                        if status:
                            ended = os.waitstatus_to_exitcode(status)
                            self._send(client, {"error": f"the process that builds it ended with {ended}"})
                    elif pid in client.jobs:
                        client.jobs.discard(pid)
                        if not client.describing:
                            self._send(client, {"ended": pid})

    def _answer(self, client: Client) -> None:
        """Answer the first request of a client."""
        line, _, client.received = client.received.partition(b"\n")
        files, client.files = client.files, []
        try:
            request = json.loads(line)
            if "supervise" in request:
                if not warm.FORKS:
                    raise ValueError(f"no job is forked on {sys.platform}")
                (path, slot), (lock, log) = request["supervise"], files
                environment = {str(name): str(value) for name, value in request["environment"].items()}
                _set_data_folders(environment)
                _keep_data(Path(path))
                pid = forking.fork(lambda: self._supervise(Path(path), str(slot), lock, log, environment))
                client.jobs.add(pid)
                self._send(client, {"answer": pid})
            elif warm.FORKS:
                client.describing = forking.fork(lambda: self._describe(client, request))
            else:
                self._describe(client, request)
        except Exception as error:  # whatever it is, it is the answer, and the next request is another
            self._send(client, {"error": f"{type(error).__name__}: {error}"})
        finally:
            for file in files:
                os.close(file)

    # in a child -------------------------------------------------------------------------------------------------------

    def _supervise(self, path: Path, slot: str, lock: int, log: int, environment: Mapping[str, str]) -> int:
        os.setsid()
        forking.redirect(log)
        os.close(log)
        self._close()
        os.environ.clear()
        os.environ.update(environment)
        forking.name(isolated.command("fop_core.jobs.supervisor", str(path), slot, str(lock)))
        supervisor.supervise(path, slot, lock, forks=True)
        return 0

    def _describe(self, client: Client, request: Any) -> int:
        """Answer what a config is; in the parent where nothing is forked."""
        from fop_core.training import preview
        from fop_core.training.config import parse

        if warm.FORKS:
            self._close(client)
            signal.alarm(LONGEST_SECONDS)
        try:
            _set_data_folders(request["environment"])
            answer: dict[str, Any] = {"answer": preview.describe(parse(request["describe"]))}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answer["pid"] = os.getppid() if warm.FORKS else os.getpid()
        client.socket.settimeout(LONGEST_SECONDS)  # not blocking: that would be so for the parent, too
        client.socket.sendall(json.dumps(answer).encode() + b"\n")
        return 0

    def _close(self, kept: Client | None = None) -> None:
        """Close what is the server's alone: a lock is held as long as any process has it open."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        sockets = [client.socket for client in self._clients if client is not kept]
        for each in (self._listener, self._wake, self._woken, *sockets):
            each.close()
        for client in self._clients:
            for file in client.files:
                os.close(file)
        os.close(self._lock)


def _set_data_folders(environment: Mapping[str, Any]) -> None:
    for name in DATA:
        if (value := environment.get(name)) is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = str(value)


def _keep_data(path: Path) -> None:
    """Keep the images of a run that the next ones will want as well, so that only one of them unpacks them."""
    from fop_core.runs.run import Run
    from fop_core.training import config, datasets

    with contextlib.suppress(Exception):  # the trainer finds that out, too, and says so
        datasets.keep(config.of_run(Run(path)).data)


def load() -> None:
    """Load what describing configs and training runs needs; nothing of it is tried out, which would start threads."""
    import safetensors.numpy  # noqa: F401
    import setproctitle
    import threadpoolctl  # noqa: F401

    setproctitle.getproctitle()
    from fop_core.training import config, environment, loop, preview  # noqa: F401

    environment.versions()  # which packages there are is looked up once
    preview.describe(config.TrainConfig())  # torch loads more when the first optimizer is made
    if warm.FORKS and (count := len(os.listdir("/proc/self/task"))) != 1:
        raise RuntimeError(f"{count} threads: a process of more than one is not forked")
    gc.collect()
    gc.freeze()  # a child's garbage collector has nothing to do here, and shares it longer


def code() -> tuple[tuple[str, int, int], ...]:
    """Return what there is of this program's own files that are loaded: when each was changed, and its size."""
    root = str(isolated.PROJECT)
    results = []
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(root) and ".venv" not in file:
            with contextlib.suppress(OSError):
                status = os.stat(file)
                results.append((file, status.st_mtime_ns, status.st_size))
    return tuple(results)


def main() -> None:
    """Serve in the folder that the arguments name, where no other one does."""
    home, idle = Path(sys.argv[1]), float(sys.argv[2])
    lock = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if not locks.flock(lock, fcntl.LOCK_EX):
        return
    os.ftruncate(1, 0)  # the log, of those before
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path = str(home / "socket")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener.bind(path)
    listener.listen(64)
    listener.setblocking(False)
    try:
        load()
        Server(listener, lock, idle).serve()
    except Exception:
        traceback.print_exc()
        raise SystemExit(1) from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


if __name__ == "__main__":
    main()
