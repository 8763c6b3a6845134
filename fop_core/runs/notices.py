"""Notices: a line to a webhook, or on the desktop, when a run ends or diverges.

    notices.choose(folder, webhook="https://hooks.example/...", desktop=True)
    notices.ended(run, log)

Whoever answers for a run's state sends them: its supervisor, or the script that records it. Each user has settings of
his or her own beside those of the queue: a webhook's address is a secret, and no log has more of it than its host.
Nothing here raises or waits for long: a notice that cannot be sent is a line in a log.
"""

import contextlib
import dataclasses
import html
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fop_core.printable import printable
from fop_core.runs import files
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import QUEUE
from fop_core.runs.run import Run
from fop_core.runs.state import ENDED, State

TIMEOUT = 5.0  # seconds for each step of a request
PATIENCE = 12.0  # seconds in all that are waited for: what takes longer is left to itself
LONGEST = 2000  # characters of a notice: as many as Discord takes
LONGEST_NAME = 200  # characters of a run's name in it
Log = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class NoticeSettings:
    """Where notices go.

    Attributes:
        webhook: an address, http or https, that takes JSON by POST; "" for none.
        desktop: whether this machine's desktop shows them.
    """

    webhook: str = ""
    desktop: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.desktop, bool):
            raise ValueError(f"desktop is {self.desktop!r:.60}: give true or false")
        if not isinstance(self.webhook, str):
            raise ValueError("webhook is no text: give an address, http:// or https://, or none")
        if self.webhook:
            host(self.webhook)

    def words(self) -> str:
        """Return them for people, without what is secret."""
        to = f"to {host(self.webhook)}" if self.webhook else "none"
        return f"webhook = {to}, desktop notices = {'yes' if self.desktop else 'no'}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows none: a notice goes where its user said, and nowhere else."""

    def redirect_request(self, *arguments: Any, **more: Any) -> None:
        return None


def host(webhook: str) -> str:
    """Return the host of a webhook's address, which is all of it that may be shown.

    Raises:
        ValueError: where it is no http or https address; the message does not repeat it.
    """
    expected = "an address is expected that begins with http:// or https:// and names a host"
    try:
        parts = urllib.parse.urlsplit(webhook)
        name, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"the webhook's port or host cannot be read: {expected}") from None
    if parts.scheme not in ("http", "https") or not name or not webhook.isascii() or not webhook.isprintable():
        raise ValueError(f"the webhook is none ({len(webhook)} characters): {expected}")
    if " " in webhook or parts.username is not None:
        raise ValueError(f"the webhook has a blank, or a user's name, in it: {expected}")
    return name


def path(folder: Path) -> Path:
    """Return our file for a runs folder."""
    return folder / QUEUE / f"notices-{os.getuid()}.json"


def read(folder: Path) -> NoticeSettings:
    """Return where our notices of a runs folder go.

    Raises:
        DamagedFile: where that cannot be read, or others could have written it.
    """
    file = path(folder)
    again = "; `queue set --webhook ...` sets it aside and writes a new one"
    try:
        with files.opened_as_ours(file) as content:
            said = files.parse_json(content, file)
    except (FileNotFoundError, NotADirectoryError):
        return NoticeSettings()
    except DamagedFile as error:
        raise DamagedFile(f"{error}{again}") from None
    try:
        return NoticeSettings(**said)
    except (TypeError, ValueError) as error:
        what = "not what was written" if isinstance(error, TypeError | DamagedFile) else str(error)
        raise DamagedFile(f"{file}: {what}{again}") from None


def changed(folder: Path, **changes: Any) -> NoticeSettings:
    """Return where our notices of a runs folder go, with some of it changed, of nothing where that cannot be read.

    Raises:
        ValueError: for a value that does not do.
    """
    try:
        before = read(folder)
    except DamagedFile:
        before = NoticeSettings()
    return dataclasses.replace(before, **changes)


def write(folder: Path, chosen: NoticeSettings) -> Path | None:
    """Replace where our notices of a runs folder go; ``folder``/.queue is there already.

    Returns:
        Where that could not be read, what the file is called now.

    Raises:
        OSError: where it cannot be written.
    """
    aside = None
    try:
        read(folder)
    except DamagedFile:
        aside = files.set_aside(path(folder))
    files.write_json(path(folder), dataclasses.asdict(chosen), mode=0o600)  # a new file, which nobody had open before
    return aside


def ended(run: Run, log: Log) -> None:
    """Send a notice of how a run ended, where its user wants any; nothing of one that has not ended."""
    with _quiet(log):
        chosen = read(run.path.parent)
        if chosen == NoticeSettings() or (state := run.written()).state not in ENDED:
            return
        _deliver(chosen, _about(run, state), log)


def diverged(run: Run, step: int, column: str, log: Log) -> None:
    """Send a notice that a run's loss is not finite any more, without waiting for it."""
    with _quiet(log):
        if (chosen := read(run.path.parent)) != NoticeSettings():
            state = State("diverged", f"at step {step:,}: {column} is not finite", "")
            about = _about(run, state)
            threading.Thread(target=_deliver, args=(chosen, about, log), daemon=True).start()


def attempt(folder: Path) -> list[str]:
    """Send a notice now; return what went wrong, each in a sentence.

    Raises:
        RunError: where none is wanted.
        DamagedFile: as ``read``.
    """
    if (chosen := read(folder)) == NoticeSettings():
        raise RunError("no notices are wanted: `queue set --webhook ADDRESS` or `queue set --desktop-notices` first")
    troubles: list[str] = []
    _deliver(chosen, dict.fromkeys(("text", "content"), "FOP Lab: notices arrive here."), troubles.append)
    return troubles


@contextlib.contextmanager
def _quiet(log: Log) -> Iterator[None]:
    try:
        yield
    except (DamagedFile, RunError, OSError) as error:
        log(f"no notice was sent: {error}")


def _about(run: Run, state: State) -> dict[str, Any]:
    """Return what a notice says; "text" and "content" are what Slack, Mattermost and Discord show."""
    try:
        name = run.name
    except (DamagedFile, OSError):
        name = run.id
    step = run.step()
    text = f"{name[:LONGEST_NAME]}: {state.state}{', ' if state.reason else ''}{state.reason}"
    text += "" if "step" in state.reason else f" at step {step:,}"
    text = printable(text)[:LONGEST]  # one line, whoever named the run
    return {
        "text": text,
        "content": text,
        "run": run.id,
        "name": name,
        "state": state.state,
        "reason": state.reason,
        "cause": state.cause,
        "step": step,
    }


def _deliver(chosen: NoticeSettings, about: dict[str, Any], log: Log) -> None:
    """Send a notice by every way that is wanted, each in its time."""
    ways: list[Callable[[], str]] = []
    if chosen.webhook:
        ways.append(lambda: _post(chosen.webhook, about))
    if chosen.desktop:
        ways.append(lambda: _show(about["text"]))
    troubles: list[str] = []

    def send(way: Callable[[], str]) -> None:
        if trouble := way():
            troubles.append(trouble)

    threads = [threading.Thread(target=send, args=(way,), daemon=True) for way in ways]
    for thread, way in zip(threads, ways):
        try:
            thread.start()
        except RuntimeError:  # none can be started while the interpreter ends
            send(way)
    end = time.monotonic() + PATIENCE
    for thread in threads:
        if thread.ident is not None:
            thread.join(max(0.0, end - time.monotonic()))  # a name server, or one byte a second, may take any time
        if thread.is_alive():
            troubles.append(f"a notice was not sent within {PATIENCE:g} s")
    for trouble in troubles:
        log(trouble)


def _post(webhook: str, about: dict[str, Any]) -> str:
    """Send a notice to a webhook; return what went wrong, without its address, or ""."""
    where = f"the webhook at {host(webhook)}"
    request = urllib.request.Request(
        webhook,
        json.dumps(files.plain(about)).encode(),
        {"Content-Type": "application/json", "User-Agent": "fop-lab"},
        method="POST",
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT):
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"{where} took no notice: it answered {error.code}"
    except Exception as error:  # of what http.client makes of an answer that is none, too
        reason = getattr(error, "reason", error)
        words = f" ({reason.strerror})" if isinstance(reason, OSError) and reason.strerror else ""
        return f"{where} took no notice: {type(reason).__name__}{words}"


def desktop_command(text: str) -> list[str] | None:
    """Return the command that shows a notice on this desktop; None where there is none."""
    if sys.platform == "darwin" and (program := shutil.which("osascript")):
        script = ("on run argv", 'display notification (item 1 of argv) with title "FOP Lab"', "end run")
        return [program, *(word for line in script for word in ("-e", line)), text]
    if program := shutil.which("notify-send"):  # which takes HTML's marks in the body
        return [program, "--app-name=FOP Lab", "--", "FOP Lab", html.escape(text, quote=False)]
    return None


def _show(text: str) -> str:
    """Show a notice on the desktop; return what went wrong, or ""."""
    if (command := desktop_command(text)) is None:
        return "no desktop notice was shown: there is no notify-send or osascript"
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"no desktop notice was shown: {error.__class__.__name__}"
    why = done.stderr.decode(errors="replace").strip()
    return f"no desktop notice was shown: {why or f'status {done.returncode}'}" if done.returncode else ""
