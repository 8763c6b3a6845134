"""Each cell of a study gets a run: one that is there, or a new one, which goes into the queue.

A cell's run is one of exactly its settings. Where the runs folder has one, of whatever origin but a fork or a control,
it is the cell's; else it is made. All is in the queue's own hands then: a study owns no process.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fop_core.jobs import queue
from fop_core.runs import lineage
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile
from fop_core.runs.plugins import Source
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.studies import store
from fop_core.studies.cells import Cell, cells, key
from fop_core.studies.identity import mismatch
from fop_core.studies.stored import Stored
from fop_core.training import config
from fop_core.training.config import ConfigError

TAG = "study"


@dataclass
class Submitted:
    """What became of a study's cells.

    Attributes:
        stored: the study.
        made: ids of new runs.
        adopted: ids of runs that were there.
        queued: ids of runs that were put into the queue, or back.
        troubles: why a run could not be, by its id.
    """

    stored: Stored
    made: list[str] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)


def carry_on(stored: Stored, again: bool = False) -> Submitted:
    """Give each cell a run and put what has not begun into the queue; for who is ``changing`` the study.

    Should that be cut short, the runs that were made are by_key by their settings the next time.

    Args:
        stored: the study.
        again: whether what was deleted is made anew, and what was stopped, failed or lost goes on.
    """
    done = Submitted(stored)
    _bind(done, again)
    _enqueue(done, again)
    return done


def _bind(done: Submitted, again: bool) -> None:
    stored = done.stored
    wanted = [cell for cell in cells(stored.study, stored.winners) if cell.key not in stored.runs]
    if again:
        there = {run.id for run in runs.directories(stored.folder)}
        gone = [known for known, run_id in stored.runs.items() if run_id not in there]
        for known in gone:
            del stored.runs[known]
        wanted = [cell for cell in cells(stored.study, stored.winners) if cell.key not in stored.runs]
    if not wanted:
        return
    known_runs = existing(stored.folder)
    sources = store.sources(stored)
    for cell in wanted:
        stored.adopted = [known for known in stored.adopted if known != cell.key]
        run_id = known_runs.get(cell.key)
        if run_id is None:
            run_id = _make(stored, cell, sources).id
            done.made.append(run_id)
        elif stored.id in Run(stored.folder / run_id).labels["tags"]:
            done.made.append(run_id)  # by us, before it could be written down
        else:
            done.adopted.append(run_id)
            stored.adopted.append(cell.key)
        stored.runs[cell.key] = run_id


def _make(stored: Stored, cell: Cell, sources: Mapping[str, Source]) -> Run:
    words = " ".join(f"{field.rpartition('.')[2]}={value}" for field, value in cell.point.items())
    method, tuning = stored.study.called(cell.method), "tuning" if cell.role == "tune" else ""
    variant = stored.study.variants.get(cell.method)
    changed = {**(variant.settings if variant else {}), **cell.point}
    return runs.create(
        cell.config.to_json(),
        name=" ".join(filter(None, (stored.study.name, method, words, f"seed {cell.seed}", tuning)))[:120],
        tags=(TAG, stored.id, cell.role),
        lineage={
            "preset": stored.study.preset,
            "method": stored.study.kind(cell.method),
            "set": [f"{field}={value}" for field, value in changed.items()],
        },
        sources={part: sources[part] for part in cell.config.plugins},
        folder=stored.folder,
    )


def _enqueue(done: Submitted, again: bool) -> None:
    """Put what has not ended into the queue; what was stopped, failed or lost only where it is to go on."""
    stored = done.stored
    new = {*done.made, *done.adopted}
    waiting = []
    for cell in cells(stored.study, stored.winners):
        run_id = stored.runs.get(cell.key, "")
        if not run_id or cell.key in stored.ended:  # by the median rule
            continue
        run = Run(stored.folder / run_id)
        try:
            if why := mismatch(run, cell):
                done.troubles[run_id] = why
                continue
            state = run.state
            if run.has_request("start") or state.state in (*ALIVE, "finished") or state.cause == "diverged":
                continue
        except FileNotFoundError:
            continue  # deleted: ``resume`` makes it anew
        except (DamagedFile, OSError) as error:
            done.troubles[run_id] = str(error)
            continue
        if again or run_id in new or state.state == "queued":
            waiting.append(run)
    done.troubles |= queue.submit_all(waiting, f"study {stored.id}")
    done.queued += [run.id for run in waiting if run.id not in done.troubles]


def existing(folder: Path) -> dict[str, str]:
    """Return the ids of a folder's runs by the keys of their settings: of two the one that has come further.

    Forks and controls, which begin elsewhere, and what cannot be read are left out.
    """
    by_key: dict[str, tuple[int, str]] = {}
    for run, damage in runs.scan(folder):
        if damage:
            continue
        try:
            if lineage.origin(run) is not None or lineage.control(run) is not None:
                continue
            settings = config.of_run(run)
            rank = _further(run)
        except (ConfigError, DamagedFile, OSError):
            continue
        known = key(settings)
        if known not in by_key or rank > by_key[known][0]:
            by_key[known] = rank, run.id
    return {known: id_ for known, (_, id_) in by_key.items()}


def _further(run: Run) -> int:
    state = run.state
    if state.state == "finished" or state.cause == "diverged":
        return 3
    return 2 if state.state in ALIVE else 1 if state.state == "queued" or run.checkpoint_steps() else 0
