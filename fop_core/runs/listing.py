"""All runs of a folder, as a list shows them: each is read when its directory has changed, and no sooner."""

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fop_core.runs import compare, learned, lineage, store, trash
from fop_core.runs.best import Best
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.measured import ColumnSummaries, ColumnSummary
from fop_core.runs.names import REQUESTS, START_REQUEST, TRASH
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE

Part = TypeVar("Part")

FRESH = 0.4  # seconds for which one look serves all readers
UNSURE = 2_000_000_000  # ns in which a directory may change again without showing it in its time
# A look finds best accuracies and devices of ended runs for so many seconds; the rest is left to the next look.
SPARE = 0.03  # of the processor
PATIENCE = 0.1  # of the clock, where files come slowly


@dataclass(eq=False)
class Entry:
    """What a list knows of a run; this module alone writes it.

    Attributes:
        run: the run.
        damaged: why it cannot be read, or "".
        troubles: what else of it is damaged, by what was to be read: it is listed with all the rest.
        name, tags, notes, archived: its labels.
        state, reason, since, cause: of the run; "queued" also where an ended run waits to go on.
        waits: whether it waits in the queue.
        scheduled: whether a scheduler's job works on it, which the dispatcher looks after.
        created: when, ISO 8601.
        preset: what it was made from, or "".
        forked_from: id of the run that it was forked from, or "".
        control_of: id of the run that it is a control of, or "".
        recorded: what made it where it is not ours to train, as "by train.py", or "".
        learns: whether there is a preconditioner to look at, or will be.
        method: see ``compare.method``.
        settings: flat; of a fork also "fork", what became of M and at which step; of a control "control".
        progress, usage: as the run has them.
        device: what its last attempt ran on, or "".
        best: accuracy, or None; not looked for yet where not ``complete``.
        measured: what each column came to; None where nobody has wanted it yet, see ``Listing.measure``.
        version: counts how often it was read.

    Example:
        >>> from fop_core.runs import GALLERY
        >>> from fop_core.runs.listing import Listing
        >>> entry = Listing(GALLERY).entries()["mnist-fop-rank16-seed0"]
        >>> entry.state, entry.method, entry.preset, entry.settings["fop.rank"]
        ('finished', 'fop', 'mnist-mlp', 16)
    """

    run: Run
    damaged: str = ""
    troubles: dict[str, str] = field(default_factory=dict)
    name: str = ""
    tags: list[str] = field(default_factory=list)
    notes: str = ""
    archived: bool = False
    state: str = "lost"
    reason: str = ""
    since: str = ""
    cause: str = ""
    waits: bool = False
    scheduled: bool = False
    created: str = ""
    preset: str = ""
    forked_from: str = ""
    control_of: str = ""
    recorded: str = ""
    learns: bool = False
    method: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    progress: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    device: str = ""
    best: float | None = None
    measured: Mapping[str, ColumnSummary] | None = None
    version: int = 0
    _stamp: tuple[int, int] = (-1, -1)
    _sure: bool = False
    _scan: Best | None = None
    _complete: int = -1
    _follower: ColumnSummaries | None = None
    _measured: int = -1
    _text: tuple[int, str] = (-1, "")

    def __post_init__(self) -> None:
        self.path = str(self.run.path)

    @property
    def id(self) -> str:
        """Its id.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> Listing(GALLERY).entries()["mnist-sgd-seed0"].id
            'mnist-sgd-seed0'
        """
        return self.run.id

    @property
    def complete(self) -> bool:
        """Whether its best accuracy and its device have been looked for.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> listing = Listing(GALLERY)
            >>> _ = listing.entries()
            >>> listing.complete()
            >>> {entry.complete for entry in listing.entries().values()}
            {True}
        """
        return self._complete >= 0

    @property
    def damage(self) -> str:
        """All that is damaged, each with its file as it is called in the run's folder; "" where nothing is.

        Example:
            >>> from fop_core.runs import store
            >>> from fop_core.runs.listing import Listing
            >>> run = store.create({"epochs": 2})
            >>> _ = (run.path / "state.json").write_text("{}")
            >>> Listing(store.runs_folder()).entries()[run.id].damage
            'state.json: None for the reason None since None'
        """
        messages = dict.fromkeys(filter(None, (self.damaged, *self.troubles.values())))
        return "; ".join(messages).replace(f"{self.run.path}/", "")

    def part(self, what: str, read: Callable[[], Part], otherwise: Part) -> Part:
        """Return what ``read`` does, or where it is damaged ``otherwise``, and keep in ``troubles`` why.

        Example:
            >>> from fop_core.runs import GALLERY, Run
            >>> from fop_core.runs.listing import Entry
            >>> entry = Entry(Run(GALLERY / "mnist-sgd-seed0"))
            >>> entry.part("snapshot", lambda: entry.run.snapshot(7), otherwise={}), list(entry.troubles)
            ({}, ['snapshot'])
        """
        self.troubles.pop(what, None)
        try:
            return read()
        except FileNotFoundError as error:
            self.troubles[what] = f"{error.filename} is missing"
        except (DamagedFile, OSError) as error:
            self.troubles[what] = str(error)
        return otherwise

    def holds(self, words: Sequence[str]) -> bool:
        """Return whether all of some words, in small letters, are somewhere in what is known of it.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> entry = Listing(GALLERY).entries()["mnist-fop-rank16-seed0"]
            >>> entry.holds(["finished", "rank=16"]), entry.holds(["cifar10"])
            (True, False)
        """
        if words and self._text[0] != self.version:
            texts = [self.name, self.id, *self.tags, self.preset, self.method, self.notes, self.state]
            texts += [f"{name}={value}" for name, value in self.settings.items()]
            self._text = self.version, "\n".join(texts).casefold()
        return all(word in self._text[1] for word in words)

    @property
    def alive(self) -> bool:
        """Whether some process works on it.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> any(entry.alive for entry in Listing(GALLERY).entries().values())
            False
        """
        return self.state in ALIVE


class Listing:
    """The runs of a folder.

    Args:
        folder: where they are.
        bin: whether they are those in its trash.
        dispatch: called with the folder while one of them waits in its queue, or a scheduler has one:
            ``jobs.queue.ensure_dispatcher``. None for runs that nobody starts.

    Attributes:
        trouble: why the folder cannot be read, or nothing that waits is started; or "".

    Example:
        >>> from fop_core.runs import GALLERY
        >>> from fop_core.runs.listing import Listing
        >>> listing = Listing(GALLERY)
        >>> len(listing.entries()), listing.trouble
        (16, '')
    """

    def __init__(self, folder: Path, bin: bool = False, dispatch: Callable[[Path], object] | None = None) -> None:
        self.folder = folder
        self.trouble = ""
        self._bin = bin
        self._directory = folder / TRASH if bin else folder
        self._dispatch = dispatch
        self._lock = threading.Lock()
        self._entries: dict[str, Entry] = {}
        self._at = -math.inf

    def entries(self, now: bool = False) -> dict[str, Entry]:
        """Return all runs by their ids, newest first, and see to what waits.

        Args:
            now: whether what was seen just before is not good enough.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> list(Listing(GALLERY).entries())[:2]  # the newest
            ['cifar10-s-hd', 'cifar10-fop-norm']
        """
        with self._lock:
            if now or time.monotonic() - self._at > FRESH:
                self._refresh()
                self._at = time.monotonic()
            return self._entries

    def renew(self) -> None:
        """Have the next call of ``entries`` look, since something was changed just now.

        Example:
            >>> from fop_core.runs import store
            >>> from fop_core.runs.listing import Listing
            >>> listing = Listing(store.runs_folder())
            >>> before = len(listing.entries())
            >>> _ = store.create({"epochs": 2})
            >>> listing.renew()
            >>> len(listing.entries()) - before
            1
        """
        with self._lock:
            self._at = -math.inf

    def measure(self, patience: float = PATIENCE) -> bool:
        """Find what the columns of all runs came to; return whether that is known of all of them.

        Args:
            patience: seconds after which the rest is left to the next call.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> listing = Listing(GALLERY)
            >>> entries = listing.entries()
            >>> listing.measure(patience=60), entries["mnist-sgd-seed0"].measured["test_accuracy"].most
            (True, 0.9771)
        """
        with self._lock:
            begun = time.monotonic()
            for entry in self._entries.values():
                if entry._measured == entry.version:
                    continue
                if time.monotonic() - begun > patience:
                    return False
                entry._follower = entry._follower or ColumnSummaries(entry.run)
                entry._measured = entry.version
                update = partial(entry._follower.update, entry.alive)
                entry.measured = entry.part("measured", update, entry.measured or {})
            return True

    def complete(self) -> None:
        """Find the best accuracy and the device of all runs, whatever it takes: for those who list them once.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.listing import Listing
            >>> listing = Listing(GALLERY)
            >>> entries = listing.entries()
            >>> listing.complete()
            >>> entries["mnist-sgd-seed0"].best, entries["mnist-sgd-seed0"].device
            (0.9771, 'AMD EPYC')
        """
        with self._lock:
            for entry in self._entries.values():
                if entry._complete != entry.version:
                    self._complete(entry)

    def _refresh(self) -> None:
        moment = time.time_ns()
        entries: dict[str, Entry] = {}
        for name, stamp in self._stamps():
            entry = self._entries.get(name) or Entry(Run(self._directory / name))
            if stamp != entry._stamp or not entry._sure or entry.alive:
                entry._sure = moment - max(stamp) > UNSURE
                entry._stamp = stamp
                self._read(entry)
            entries[name] = entry
        self._entries = dict(sorted(entries.items(), key=lambda pair: (pair[1].created, pair[0]), reverse=True))
        if self._dispatch is not None and any(entry.waits or entry.scheduled for entry in entries.values()):
            try:
                self._dispatch(self.folder)
            except (RunError, DamagedFile, OSError) as error:  # the list is shown all the same
                self.trouble = f"Nothing that waits is started: {error}"
        begun, spent = time.monotonic(), time.thread_time()
        for entry in self._entries.values():
            if entry._complete == entry.version:
                continue
            late = time.monotonic() - begun > PATIENCE or time.thread_time() - spent > SPARE
            if entry.alive or not late:
                self._complete(entry)

    def _stamps(self) -> list[tuple[str, tuple[int, int]]]:
        """Return what may be a run, and when its directory and its requests changed last.

        Every file of a run but its metrics and its log is replaced as a whole, so its directory shows a change.
        """
        self.trouble = ""
        try:
            if self._bin:
                trash.of(self.folder)
            with os.scandir(self._directory) as entries:
                folders = [each for each in entries if store.may_be_run(each)]
        except FileNotFoundError:
            return []
        except OSError as error:
            self.trouble = f"{self._directory} cannot be read: {error.strerror}"
            return []
        except RunError as error:
            self.trouble = str(error)
            return []
        stamps = []
        for folder in folders:
            try:
                changed = os.stat(folder.path).st_mtime_ns
            except FileNotFoundError:  # taken away just now
                continue
            except OSError:  # reading it says why
                changed = 0
            stamps.append((folder.name, (changed, self._request_time(folder, changed))))
        return stamps

    def _request_time(self, folder: os.DirEntry[str], changed: int) -> int:
        """Return when the last request to a run was made; to one that is finished there can be none."""
        entry = self._entries.get(folder.name)
        if entry and entry.state == "finished" and entry._sure and entry._stamp[0] == changed:
            return entry._stamp[1]
        try:
            return os.stat(f"{folder.path}/{REQUESTS}").st_mtime_ns
        except OSError:  # there is none, or reading the run says why
            return 0

    def _read(self, entry: Entry) -> None:
        entry.version += 1
        run = entry.run
        try:
            if not entry.settings:
                entry.settings = compare.settings(run.config) | lineage.settings(run)
                if (of := lineage.control(run)) is not None:
                    entry.control_of = of.parent
                entry.recorded = lineage.recorded(run)
                entry.method = compare.method(entry.settings)
                entry.preset = run.about["lineage"].get("preset") or ""
                if (origin := lineage.origin(run)) is not None:
                    entry.forked_from = origin.parent
                entry.created = run.about["created"]
            entry.learns = learned.learns(entry.settings) if not entry.recorded else bool(run.snapshot_steps())
            state, labels = run.state, run.labels
            entry.waits = os.path.exists(run.path / REQUESTS / START_REQUEST)
            entry.scheduled = state.state in ALIVE and bool(state.scheduler)
            entry.state = "queued" if entry.waits and state.state not in ALIVE else state.state
            entry.reason, entry.since, entry.cause = state.reason, state.since, state.cause
            entry.name = labels["name"] or run.id
            entry.tags, entry.notes, entry.archived = labels["tags"], labels["notes"], labels["archived"]
            entry.damaged = ""
        except FileNotFoundError as error:
            entry.damaged, entry.name = f"{error.filename} is missing", entry.name or run.id
        except (DamagedFile, RunError, OSError) as error:
            entry.damaged, entry.name = str(error), entry.name or run.id
        entry.progress = entry.part("progress", lambda: run.progress, {})
        entry.usage = entry.part("usage", lambda: run.usage, {}) if entry.alive else {}

    def _complete(self, entry: Entry) -> None:
        """Find what takes longer: the best accuracy, and the device."""
        entry._scan = entry._scan or Best(entry.run)
        entry._complete = entry.version
        entry.best = entry.part("metrics", entry._scan.update, None)
        entry.device = entry.part("attempts", lambda: _device(entry.run), "")


def _device(run: Run) -> str:
    attempts = run.attempts
    return attempts[-1].get("device_name", "") if attempts else ""
