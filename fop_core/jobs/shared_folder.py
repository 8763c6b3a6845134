"""Whether a folder does what runs rely on, tried by two processes: both here, or one of them on a node of Slurm's.

    examine(folder)              with another process of this host
    examine(folder, ["srun"])    with one that a command starts elsewhere

Relied on: of many who make a file exclusively one succeeds; a replaced file is the old or the new one, whole; what one
host writes the other sees soon; on one host, lines that several append stay whole, and a lock keeps others out. Times
are measured by one process's own clock.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fop_core import isolated
from fop_core.formatting import duration
from fop_core.jobs import slots
from fop_core.runs import files, locks

ROUNDS = 200  # files that both try to make, replacements of one, lines that each appends
VISITS = 5  # times that something goes there and back
PATIENCE = 90.0  # seconds for the other process to come and to answer
SOON = 60.0  # seconds within which a change has to be seen, see ``outcome.GRACE``
LINE = 120  # bytes
PAUSE = 0.005


@dataclass(frozen=True)
class Finding:
    """What was tried.

    Attributes:
        what: in words.
        good: whether it is as it should be; None where it is only to be known.
        words: what came out, and where it is not good what to do.
    """

    what: str
    good: bool | None
    words: str


class NoPeer(RuntimeError):
    """The other process did not come, or went; the message says what it said."""


def mount(folder: Path) -> tuple[str, str]:
    """Return type and options of the file system that a folder is on; ("", "") where the system does not say."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return "", ""
    path = str(folder.resolve())
    best = ("", "", "")
    for line in lines:
        _, point, kind, options, *_ = line.split(" ")
        point = point.replace("\\040", " ")
        if (path == point or path.startswith(point.rstrip("/") + "/")) and len(point) >= len(best[0]):
            best = point, kind, options
    return best[1], best[2]


def examine(folder: Path, launch: Sequence[str] = ()) -> list[Finding]:
    """Try what runs rely on.

    Args:
        folder: the runs folder; what is made in it is removed again.
        launch: what comes before the command line of the other process, to start it on another host.

    Raises:
        NoPeer: where the other process cannot be had.
        OSError, DamagedFile: where we cannot write there.
    """
    probe = slots.make_locks_folder(folder.resolve()) / f"probe-{secrets.token_hex(6)}"
    probe.mkdir()
    command = [*launch, *isolated.command("fop_core.jobs.shared_folder", str(probe))]
    peer = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=isolated.environment()
    )
    try:
        return _examine(probe, _answers(peer), elsewhere=bool(launch))
    finally:
        if peer.poll() is None:
            peer.terminate()  # srun hands it on
        peer.communicate()
        shutil.rmtree(probe, ignore_errors=True)


def _answers(peer: "subprocess.Popen[bytes]") -> Callable[[], None]:
    """Return what raises ``NoPeer`` where the peer has gone."""

    def check() -> None:
        if peer.poll() is not None:
            said = (peer.stdout.read() if peer.stdout else b"").decode(errors="replace").split("\n")
            words = " / ".join(line.strip() for line in said if line.strip())
            raise NoPeer(words[-300:] or f"it ended with status {peer.returncode}")

    return check


def _examine(probe: Path, check: Callable[[], None], *, elsewhere: bool) -> list[Finding]:
    name = str(_await(probe / "here", check)["host"])
    whose = f"with a process on {name}" if elsewhere else "on this host"
    held = os.open(probe / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        locks.flock(held, fcntl.LOCK_EX)
        files.write(probe / "swapped", _filled(0))
        files.write_json(probe / "go", {})
        time.sleep(2 * PAUSE)  # the other one sees it by then, on one host
        won = _race(probe)
        answer = _await(probe / "raced", check)
        for number in range(ROUNDS):
            files.write(probe / "swapped", _filled(number), sync=False)
        files.write_json(probe / "replaced", {})
        torn = int(_await(probe / "read", check)["torn"])
        _append(probe, "a")
        _await(probe / "appended", check)
        excluded = bool(_await(probe / "locked", check)["excluded"])
        times = []
        for number in range(VISITS):
            begun = time.monotonic()
            files.write_json(probe / "ping", {"number": number}, sync=False)
            _await(probe / "pong", check, number)
            times.append(time.monotonic() - begun)
    finally:
        os.close(held)
    both, neither = won & set(answer["won"]), set(range(ROUNDS)) - won - set(answer["won"])
    whole = sum(len(line) == LINE for line in (probe / "lines").read_bytes().splitlines(keepends=True))
    slowest = max(times)
    kind, options = mount(probe)
    return [
        Finding(
            f"exclusive creation, {whose}",
            not both and not neither,
            f"{ROUNDS} files, each made by one: {len(won)} by us"
            if not both and not neither
            else f"{len(both)} of {ROUNDS} files were made by both, {len(neither)} by none: runs would have two "
            "owners; use a file system with O_EXCL (NFS from version 3 on)",
        ),
        Finding(
            f"replacing a file, {whose}",
            not torn,
            f"whole at each of {ROUNDS} replacements"
            if not torn
            else f"torn or missing {torn} times: states could not be read; use another file system",
        ),
        Finding(
            f"seeing what the other wrote, {whose}",
            slowest < SOON,
            f"there and back within {duration(slowest)}"
            if slowest < SOON
            else f"there and back takes {duration(slowest)}: set FOP_SLURM_GRACE to three times that, or mount it "
            "with a shorter actimeo",
        ),
        Finding(
            f"appending lines, {whose}",
            None if elsewhere else whole == 2 * ROUNDS,
            f"{whole} of {2 * ROUNDS} lines whole" + (", which is not relied on across hosts" if elsewhere else ""),
        ),
        Finding(
            f"locks, {whose}",
            None if elsewhere else excluded,
            ("they keep others out" if excluded else "they keep nobody out")
            + (", which is not relied on across hosts" if elsewhere else "")
            + (f" ({kind}, {_about_locks(options)})" if _about_locks(options) else f" ({kind})" if kind else ""),
        ),
    ]


def _about_locks(options: str) -> str:
    """Return what a file system's options say of locks."""
    return ",".join(
        option for option in options.split(",") if "flock" in option or "lock" in option.partition("=")[0].split("_")
    )


def peer(probe: Path) -> None:
    """Be the other process."""
    files.write_json(probe / "here", {"host": os.environ.get("SLURMD_NODENAME") or os.uname().nodename})
    _await(probe / "go")
    files.write_json(probe / "raced", {"won": sorted(_race(probe))})
    torn = 0
    while not os.path.lexists(probe / "replaced"):
        try:
            content = (probe / "swapped").read_bytes()
            torn += len(content) != LINE * 100 or len(set(content)) != 1
        except OSError:  # it was missing, or a stale handle
            torn += 1
    files.write_json(probe / "read", {"torn": torn})
    _append(probe, "b")
    files.write_json(probe / "appended", {})
    with (probe / "lock").open() as file:
        files.write_json(probe / "locked", {"excluded": not locks.flock(file.fileno(), fcntl.LOCK_SH)})
    for number in range(VISITS):
        _await(probe / "ping", number=number)
        files.write_json(probe / "pong", {"number": number}, sync=False)


def _race(probe: Path) -> set[int]:
    won = set()
    for number in range(ROUNDS):
        try:
            os.close(os.open(probe / f"race-{number}", os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            won.add(number)
        except FileExistsError:
            pass
        time.sleep(0.001)  # so that it is a race also where one begins a little later
    return won


def _filled(number: int) -> bytes:
    return bytes([97 + number % 26]) * (LINE * 100)


def _append(probe: Path, letter: str) -> None:
    file = files.open_append(probe / "lines")
    try:
        for _ in range(ROUNDS):
            os.write(file, (letter * (LINE - 1) + "\n").encode())
    finally:
        os.close(file)


def _await(path: Path, check: Callable[[], None] = lambda: None, number: int | None = None) -> dict[str, Any]:
    """Return what a file says once it is there, and has a number where one is waited for."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            content = files.read_json(path)
            if number is None or content["number"] == number:
                return content
        except FileNotFoundError:
            check()
        if time.monotonic() > end:
            raise NoPeer(f"nothing came within {PATIENCE:.0f} s")
        time.sleep(PAUSE)


if __name__ == "__main__":
    peer(Path(sys.argv[1]))
