"""A process that has torch loaded and describes one config after another, so that only the first waits for torch.

    Worker().ask({...}, timeout=120)     starts it where there is none, and gives it a request

Requests and answers are JSON, one a line. It ends by itself where nobody asks for a while, where whoever started it is
gone, since its input ends then, and after many answers, so that its memory does not grow for ever. Its own side is
``preview_server``.
"""

import json
import os
import selectors
import subprocess
import tempfile
import threading
import time
from typing import IO, Any

from fop_core import isolated

IDLE = 600.0  # seconds without a request after which it ends
ANSWERS = 500  # after which it ends
ENVIRONMENT = ("FOP_DATA_DIR",)
"""Where data are looked for: as whoever asks has it now, not as it was when the process began."""


class WorkerError(RuntimeError):
    """No answer; the message says why, as a person reads it."""


class Worker:
    """The process, from the side of whoever asks. Threads take turns.

    Args:
        idle: seconds without a request after which it ends.
        answers: after which it ends.
    """

    def __init__(self, idle: float = IDLE, answers: int = ANSWERS) -> None:
        self._options = [str(idle), str(answers)]
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process that was asked last, or None before the first."""
        return None if self._process is None else self._process.pid

    def ask(self, config: dict[str, Any], timeout: float) -> dict[str, Any]:
        """Return the description of a config.

        Args:
            config: as ``TrainConfig.to_json``.
            timeout: seconds; the process is ended where it takes longer.

        Raises:
            WorkerError: where there is none: the config cannot be described, or the process ended or took too long.
        """
        environment = {name: os.environ.get(name) for name in ENVIRONMENT}
        line = json.dumps({"config": config, "environment": environment}).encode() + b"\n"
        with self._turn:
            until = time.monotonic() + timeout
            warm = self._process is not None
            answer = self._exchange(line, until, timeout) if warm else None
            if answer is None:  # not begun yet, or ended since the last answer: one that has just begun is asked
                self._start()
                answer = self._exchange(line, until, timeout)
            if answer is None:
                raise WorkerError(self._why())
        content = json.loads(answer)
        if "error" in content:
            raise WorkerError(content["error"])
        return content["description"]

    def close(self) -> None:
        """End the process; the next request starts another."""
        with self._turn:
            self._end()

    def _start(self) -> None:
        self._end()
        self._complaints = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            isolated.command("fop_core.training.preview_server", *self._options),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=isolated.environment(),
        )

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        if self._complaints is not None:
            self._complaints.close()
        self._process = self._complaints = None

    def _exchange(self, line: bytes, until: float, timeout: float) -> bytes | None:
        """Return the answer to a request, or None where the process has ended before it gave one."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BrokenPipeError:
            return None
        answer = b""
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                while not answer.endswith(b"\n"):
                    left = until - time.monotonic()
                    if left <= 0 or not selector.select(left):
                        raise WorkerError(f"building it took more than {timeout:g} s")
                    part = os.read(process.stdout.fileno(), 1 << 16)
                    if not part:
                        return None
                    answer += part
        except BaseException:  # its answer, when it comes, must not be taken for that to the next request
            self._end()
            raise
        return answer

    def _why(self) -> str:
        """Return what the process that ended said last."""
        assert self._process is not None and self._complaints is not None
        code = self._process.wait()
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"the process that builds it ended with {code}"
