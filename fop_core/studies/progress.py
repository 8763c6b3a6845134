"""Where a study's cells stand and what they measured, as columns: each run is read when it has changed, and no sooner.

table(id)            of a folder's study; looked at again it takes milliseconds
"""

import contextlib
import math
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fop_core.runs.compare import Curve
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.studies import kept, store
from fop_core.studies.cells import Cell, Point, cells
from fop_core.studies.measured import COLUMNS, UNSUBMITTED, CellRun, worst
from fop_core.studies.protocol import Study, Target, of_role
from fop_core.studies.stored import STUDY_JSON, Stored
from fop_core.training.config import ConfigError

Array = np.ndarray

__all__ = ["COLUMNS", "ENDED_EARLY", "STATES", "Progress", "StudyTable", "progress", "table"]

ENDED_EARLY = "ended early"
STATES = (UNSUBMITTED, "queued", *ALIVE, "finished", "stopped", "failed", "lost", ENDED_EARLY, "damaged", "deleted")
"""What a cell can be: a run's states; "missing": without a run yet; "deleted": in the trash or gone."""
WORTH = 25  # runs that have ended since, for which what is kept is written anew
BETWEEN = 10.0  # seconds between two such writings


@dataclass
class StudyTable:
    """A study's cells, one at each index of every column; those of tuning come first.

    Attributes:
        stored: the study as it is on the disk.
        key, method, point, seed, role: of the cells.
        run_id: "" where there is none yet.
        state: one of ``STATES``.
        reason: why it is so, in words; may be "".
        adopted: whether its run was there before the study.
        share: of the run that is done, 0 to 1.
        last, best: by column of ``COLUMNS`` the last and the best measured value, NaN where nothing is measured yet;
            the last one is infinitely bad where it was no number.
        seconds: of training, NaN where not known.
        evaluation_seconds: spent on measuring, likewise; not part of ``seconds``.
        peak_memory: bytes, likewise.
        diverged: whether its loss ceased to be a number.
        steps_to_target, seconds_to_target, gradients_to_target: when the target was first seen to be met; infinite of a
            run that has ended without; NaN while that is open, or where the study has none. Gradients are those of
            single images: steps times batch size.
        curves: by column of ``COLUMNS`` what was measured at the ends of epochs, over epochs.
        version: counts the changes since the table was made first.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> table = progress.table("ranks")
        >>> table.counts, table.outcome("test_accuracy")
        ({'finished': 6}, array([0.9759, 0.9781, 0.9791, 0.9788, 0.9795, 0.9756]))
        >>> [(table.method[row], table.seed[row]) for row in table.rows(method="fop")], table.ended.all()
        ([('fop', 0), ('fop', 1), ('fop', 2)], np.True_)
        >>> table.study.methods
        ('momentum', 'fop')
    """

    stored: Stored
    key: list[str]
    method: list[str]
    point: list[Point]
    seed: list[int]
    role: list[str]
    run_id: list[str]
    state: list[str]
    reason: list[str]
    adopted: list[bool]
    share: Array
    last: dict[str, Array]
    best: dict[str, Array]
    seconds: Array
    evaluation_seconds: Array
    peak_memory: Array
    diverged: Array
    steps_to_target: Array
    seconds_to_target: Array
    gradients_to_target: Array
    curves: list[dict[str, Curve]]
    version: int = 0

    def __len__(self) -> int:
        return len(self.key)

    @property
    def study(self) -> Study:
        """What was requested for."""
        return self.stored.study

    def rows(self, role: str = "", method: str = "") -> list[int]:
        """Return the indices of the cells of a role and a method; of all of them unless given."""
        return [
            index
            for index, (one, other) in enumerate(zip(self.role, self.method))
            if role in ("", one) and method in ("", other)
        ]

    @property
    def ended(self) -> Array:
        """Where nothing more will come: finished, diverged or ended early, bool [n]."""
        over = np.array([state in ("finished", ENDED_EARLY) for state in self.state], bool)
        return over | self.diverged

    @property
    def counts(self) -> dict[str, int]:
        """How many cells are in each state, without those that none is in."""
        return {state: self.state.count(state) for state in STATES if state in self.state}

    def outcome(self, column: str, at: str = "last") -> Array:
        """Return what counts of each cell, [n]: infinitely bad where it diverged or was ended early, NaN while open.

        Args:
            column: one of ``COLUMNS``; in tuning and in reporting that on the images which the role measures on.
            at: "last" or "best".
        """
        values = np.full(len(self), np.nan)
        by_column = self.best if at == "best" else self.last
        finished = np.array([state == "finished" for state in self.state], bool)
        for role in ("tune", "report"):
            at_role = np.array([each == role for each in self.role], bool)
            measured = by_column[of_role(column, role)]
            values[at_role & finished] = measured[at_role & finished]
        values[self.ended & ~finished] = worst(column)
        return values


class Progress:
    """Follows one study; any thread may ask.

    Args:
        id_: of the study.
        folder: the runs folder.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> following = progress.progress("ranks")
        >>> len(following.table().run_id), following.cells[0].method
        (6, 'momentum')
    """

    def __init__(self, id_: str, folder: Path) -> None:
        self.id, self.folder = id_, folder
        self._lock = threading.Lock()
        self._stamp: tuple[int, ...] = ()
        self._stored: Stored | None = None
        self._cells: list[Cell] = []
        self._rows: dict[str, CellRun] = {}
        self._reached: dict[str, tuple[float, float, float]] = {}
        self._kept: dict[str, CellRun] = {}
        self._kept_at = -math.inf
        self._table: StudyTable | None = None
        self._version = 0

    def table(self) -> StudyTable:
        """Return the table as it is now; the same object as before where nothing has changed.

        Raises:
            RunError, DamagedFile: as ``store.load``.
        """
        with self._lock:
            changed = self._load()
            for cell in self._cells:
                if self._rows[cell.key].refresh():
                    changed = True
                    self._reached.pop(cell.key, None)
            self._keep()
            if changed or self._table is None:
                self._version += 1
                self._table = self._made()
            return self._table

    @property
    def cells(self) -> list[Cell]:
        """The cells, as the table has them, with their settings."""
        return self._cells

    def _load(self) -> bool:
        """Read study.json where it has changed; return whether it has."""
        try:
            status = os.stat(store.studies_folder(self.folder) / self.id / STUDY_JSON)
            stamp: tuple[int, ...] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:  # loading says why
            stamp = ()
        if stamp and stamp == self._stamp:
            return False
        before, stored = self._stored, store.load(self.id, self.folder)
        if before is None or before.study != stored.study or before.winners != stored.winners:
            try:
                self._cells = cells(stored.study, stored.winners)
            except ConfigError as error:
                raise DamagedFile(f"{stored.path / STUDY_JSON}: its study does not do: {error}") from error
        if before is None:
            self._kept = kept.read(stored.path)
        rows = {}
        for cell in self._cells:
            id_ = stored.runs.get(cell.key, "")
            row = self._rows.get(cell.key)
            if row is None or row.id != id_:
                row = CellRun(Run(self.folder / id_) if id_ else None, cell, cell.key)
                if (known := self._kept.get(id_)) is not None and known.key == cell.key:
                    row.take(known)
            rows[cell.key] = row
        self._rows, self._stored, self._stamp = rows, stored, stamp
        self._reached = {}
        return True

    def _keep(self) -> None:
        """Keep what was read of runs that have ended, where that is more than a little."""
        ended = {row.id: row for row in self._rows.values() if row.sure and row.state in ("finished", "failed")}
        new = sum(id_ not in self._kept or self._kept[id_].stamp != row.stamp for id_, row in ended.items())
        if new >= WORTH and time.monotonic() - self._kept_at > BETWEEN:
            assert self._stored is not None
            self._kept, self._kept_at = dict(ended), time.monotonic()
            with contextlib.suppress(OSError, ValueError):  # it is read from the runs again then
                kept.write(self._stored.path, ended)

    def _made(self) -> StudyTable:
        stored = self._stored
        assert stored is not None
        all_of, rows = self._cells, [self._rows[cell.key] for cell in self._cells]
        states = [
            ENDED_EARLY
            if c.key in stored.ended and r.state in ("stopped", "failed", "lost") and r.cause != "diverged"
            else r.state
            for c, r in zip(all_of, rows)
        ]
        adopted = set(stored.adopted)

        def column(values: Sequence[float]) -> Array:
            return np.array(values, np.float64)

        table = StudyTable(
            stored=stored,
            key=[cell.key for cell in all_of],
            method=[cell.method for cell in all_of],
            point=[cell.point for cell in all_of],
            seed=[cell.seed for cell in all_of],
            role=[cell.role for cell in all_of],
            run_id=[row.id for row in rows],
            state=states,
            reason=[stored.ended[c.key] if s == ENDED_EARLY else r.reason for c, r, s in zip(all_of, rows, states)],
            adopted=[cell.key in adopted for cell in all_of],
            share=column([row.share for row in rows]),
            last={name: column([row.last.get(name, math.nan) for row in rows]) for name in COLUMNS},
            best={name: column([row.best.get(name, math.nan) for row in rows]) for name in COLUMNS},
            seconds=column([row.seconds for row in rows]),
            evaluation_seconds=column([row.evaluation_seconds for row in rows]),
            peak_memory=column([row.peak_memory for row in rows]),
            diverged=np.array([row.state == "failed" and row.cause == "diverged" for row in rows], bool),
            steps_to_target=np.empty(0),
            seconds_to_target=np.empty(0),
            gradients_to_target=np.empty(0),
            curves=[row.curves for row in rows],
            version=self._version,
        )
        for cell, row in zip(all_of, rows):
            if cell.key not in self._reached:
                self._reached[cell.key] = _to_target(row, stored.study.target, cell)
        reached = np.array([self._reached[cell.key] for cell in all_of], np.float64).reshape(len(rows), 3)
        if stored.study.target is not None:
            reached[table.ended & np.isnan(reached[:, 0])] = math.inf
        table.steps_to_target, table.seconds_to_target, table.gradients_to_target = reached.T
        return table


def _to_target(row: CellRun, target: Target | None, cell: Cell) -> tuple[float, float, float]:
    """Return steps, seconds and gradients until a target was first seen to be met; NaN where it has not been."""
    curve = row.curves.get(of_role(target.column, cell.role)) if target is not None else None
    if target is None or curve is None:
        return math.nan, math.nan, math.nan
    met = np.flatnonzero(target.reached(curve.y))
    if not len(met):
        return math.nan, math.nan, math.nan
    step, clock = int(curve.steps[met[0]]), row.clock
    seconds = float(clock.y[np.searchsorted(clock.steps, step)]) if step in clock.steps else math.nan
    return float(step), seconds, float(step * cell.config.batch_size)


_followed: dict[tuple[str, str], Progress] = {}
_following = threading.Lock()


def progress(id_: str, folder: Path | None = None) -> Progress:
    """Return who follows a study: one for all who ask in this process.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> progress.progress("ranks") is progress.progress("ranks")  # one for all who ask
        True
    """
    known = (str(store.studies_folder(folder)), store.slug(id_))
    with _following:
        if known not in _followed:
            loaded = store.load(id_, folder)
            _followed[known] = Progress(loaded.id, loaded.folder)
        return _followed[known]


def table(id_: str, folder: Path | None = None) -> StudyTable:
    """Return where a study's cells stand.

    Args:
        id_: of the study, or its name.
        folder: the runs folder.

    Raises:
        RunError: where there is none.
        DamagedFile: where its study.json is not one.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import progress, protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> progress.table("ranks").run_id[2:4]
        ['mnist-sgd-seed2', 'mnist-fop-rank16-seed0']
    """
    return progress(id_, folder).table()
