"""Slurm's own programs, and what they say."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fop_core.printable import printable

NAME = "Slurm"  # as claims have it
SIGNAL = "SIGTERM"  # who stops a run when Slurm does: it comes to the supervisor, to the trainer, or to both
TIMEOUT = 60.0  # seconds that a program of Slurm's has; it waits for a controller that does not answer
ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED LAUNCH_FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED "
    "TIMEOUT".split()
)
WAITING = frozenset("PENDING CONFIGURING REQUEUED REQUEUE_HOLD REQUEUE_FED SPECIAL_EXIT RESV_DEL_HOLD".split())
HELD = "launch failed requeued held"  # a job whose node or controller went while it began
ARRAY_SIZE = 1001  # Slurm's own limit, where it does not say


class SchedulerError(RuntimeError):
    """Slurm is not there, or refuses; the message is for people."""


@dataclass(frozen=True)
class Job:
    """A task of an array, as squeue lists it.

    Attributes:
        array: the job's id.
        task: its number in the array.
        name: of the job.
        state: Slurm's word, as PENDING.
        node: where it runs, or "".
        partition: in which it is.
        reason: Slurm's, why it waits, or "".
        starts: when it is expected to start, or "".
    """

    array: str
    task: int
    name: str
    state: str
    node: str = ""
    partition: str = ""
    reason: str = ""
    starts: str = ""

    @property
    def id(self) -> str:
        """What Slurm calls it."""
        return f"{self.array}_{self.task}"

    @property
    def ended(self) -> bool:
        """Whether nothing of it runs, or will."""
        return self.state in ENDED

    @property
    def waiting(self) -> bool:
        """Whether it has not begun, or is to begin again."""
        return self.state in WAITING


def submit(script: str, options: Sequence[str]) -> str:
    """Give a script to sbatch, and return the job's id.

    Raises:
        SchedulerError: where it is not taken, or nobody knows whether it was.
    """
    answer = _call("sbatch", "--parsable", *options, content=script).strip()
    if not re.fullmatch(r"[0-9]+(;\S+)?", answer):
        raise SchedulerError(f"sbatch answered {printable(answer)!r:.200}, where the id of a job is expected")
    return answer.partition(";")[0]


def jobs() -> list[Job]:
    """Return our tasks of arrays, those that have just ended among them.

    Raises:
        SchedulerError: where Slurm does not say.
    """
    form = "%F|%K|%T|%N|%P|%S|%r|%j"
    results = []
    for line in _call("squeue", "-h", "-r", "-t", "all", "-u", str(os.getuid()), "-o", form).splitlines():
        array, task, state, node, partition, starts, reason, name = line.split("|", 7)
        if task.isdecimal():
            results.append(
                Job(
                    array,
                    int(task),
                    name,
                    state,
                    node,
                    partition,
                    "" if reason == "None" else printable(reason),
                    starts if state == "PENDING" and starts != "N/A" else "",
                )
            )
    return results


def line(partitions: Iterable[str]) -> dict[str, list[str]]:
    """Return for each partition the ids of all that wait in it, the next one first.

    Raises:
        SchedulerError: where Slurm does not say.
    """
    rows = _call("squeue", "-h", "-r", "-t", "PD", "-S", "-p,i", "-p", ",".join(partitions), "-o", "%P|%F_%K")
    waiting: dict[str, list[str]] = {}
    for row in rows.splitlines():
        partition, _, id_ = row.partition("|")
        waiting.setdefault(partition, []).append(id_)
    return waiting


def cancel(ids: Sequence[str]) -> None:
    """Have jobs ended; one that has ended already is none.

    Raises:
        SchedulerError: where Slurm refuses.
    """
    _call("scancel", "-Q", *ids)


def requeue(id_: str) -> None:
    """Have a job that runs put back into the queue.

    Raises:
        SchedulerError: where Slurm refuses.
    """
    _call("scontrol", "requeue", id_)


def release(id_: str) -> None:
    """Have a job that is held go on.

    Raises:
        SchedulerError: where Slurm refuses.
    """
    _call("scontrol", "release", id_)


def state(id_: str) -> str:
    """Return Slurm's word for the state of a job, as it is now.

    Raises:
        SchedulerError: where Slurm does not say.
    """
    results = re.search(r"\bJobState=(\w+)", _call("scontrol", "-o", "show", "job", id_, timeout=15))
    if not results:
        raise SchedulerError(f"scontrol says nothing of the state of job {id_}")
    return results[1]


def ending(id_: str) -> str:
    """Return in words how a job ended, as far as Slurm still knows; "" where it does not.

    Accounting is asked where it is set up, else the controller, which forgets after some minutes.
    """
    try:
        if _config()["AccountingStorageType"] not in ("accounting_storage/none", "(null)"):
            rows = _call("sacct", "-n", "-P", "-X", "-j", id_, "-o", "State,ExitCode").split("\n")
            state_, _, code = rows[0].partition("|")
        else:
            shown = _call("scontrol", "-o", "show", "job", id_)
            state_, code = (re.findall(rf"\b{name}=(\S+)", shown)[0] for name in ("JobState", "ExitCode"))
    except (SchedulerError, KeyError, IndexError):
        return ""
    status, _, number = code.partition(":")
    parts = [state_.split(" ")[0]]
    parts += [f"exit status {status}"] if status not in ("", "0") else []
    parts += [f"signal {number}"] if number not in ("", "0") else []
    return ", ".join(filter(None, parts))


def array_size() -> int:
    """Return how many tasks an array may have.

    Raises:
        SchedulerError: where Slurm is not there.
    """
    size = _config().get("MaxArraySize", "")
    return int(size) if size.isdecimal() and int(size) else ARRAY_SIZE


@functools.lru_cache(maxsize=1)
def _config() -> dict[str, str]:
    rows = (row.partition("=") for row in _call("scontrol", "show", "config").splitlines())
    return {name.strip(): value.strip() for name, _, value in rows}


def _call(program: str, *arguments: str, content: str | None = None, timeout: float = TIMEOUT) -> str:
    path = shutil.which(program)
    if path is None:
        raise SchedulerError(
            f"{program} is not here: go where Slurm's programs are (`module load slurm` on some clusters) and start "
            "the app or the command anew, or have jobs started here by `queue set --launcher local`"
        )
    command = [path, *arguments]
    environment = {**os.environ, "LC_ALL": "C", "SLURM_TIME_FORMAT": "standard"}
    try:
        done = subprocess.run(
            command,
            input=content or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise SchedulerError(f"{program} did not answer within {timeout:.0f} s") from None
    except OSError as error:
        raise SchedulerError(f"{program} cannot be started: {error}") from error
    if done.returncode:
        words = " / ".join(line.strip() for line in done.stderr.splitlines() if line.strip()) or "without a word"
        raise SchedulerError(printable(f"{program} refuses (status {done.returncode}): {words}"))
    return done.stdout
