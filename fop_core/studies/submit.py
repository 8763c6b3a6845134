"""A study on its way: submitted, stopped, gone on with, grown."""

import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fop_core.jobs import queue
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.plugins import Source
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.studies import store, watcher
from fop_core.studies.binding import Submitted, carry_on
from fop_core.studies.cells import Cell, check
from fop_core.studies.protocol import Axis, Study
from fop_core.training.probe import probe


def submit(study: Study, folder: Path | None = None, sources: Mapping[str, Source] | None = None) -> Submitted:
    """Write a study down and submit its runs.

    Args:
        study: the study.
        folder: the runs folder.
        sources: its plug-ins, by part, confirmed.

    Raises:
        ConfigError: where it does not do; nothing is written then.
        RunError: where there is one of that name.
        PluginError: where a plug-in does not do, or is not confirmed.
    """
    cells = check(study)
    if sources:
        _check_settings(cells, sources)
    stored = store.create(study, folder, sources)
    return _carried_on(stored.id, stored.folder)


def _check_settings(cells: Sequence[Cell], sources: Mapping[str, Source]) -> None:
    """Have the plug-ins' own ``Settings`` check those of all cells, in a process that probes them."""
    variants: dict[str, dict[str, dict[str, Any]]] = {part: {} for part in sources}
    for cell in cells:
        for part in cell.config.plugins:
            settings = getattr(cell.config, part).settings
            variants[part].setdefault(json.dumps(settings, sort_keys=True), settings)
    first = max(cells, key=lambda cell: len(cell.config.plugins))
    own = {part: sources[part] for part in first.config.plugins}
    probe(first.config, own, variants={part: list(variants[part].values()) for part in own})


def resume(id_: str, folder: Path | None = None) -> Submitted:
    """Go on with a study: what is missing is made, what was stopped, lost, or failed by no fault of its own goes on.

    Raises:
        RunError, DamagedFile: as ``store.load``.
    """
    with store.changing(id_, folder) as stored:
        stored.stopped = False
        stored.host = socket.gethostname()  # whose watcher goes on with it
    return _carried_on(stored.id, stored.folder, again=True)


def grow(
    id_: str,
    *,
    axis: Axis | None = None,
    seeds: tuple[int, ...] = (),
    fresh_seeds: tuple[int, ...] = (),
    limit: int | None = None,
    folder: Path | None = None,
) -> Submitted:
    """Add to a study, see ``store.grow``, and submit what that needs."""
    stored = store.grow(id_, axis=axis, seeds=seeds, fresh_seeds=fresh_seeds, limit=limit, folder=folder)
    return _carried_on(stored.id, stored.folder)


def stop(id_: str, folder: Path | None = None) -> tuple[int, dict[str, str]]:
    """Stop a study: its runs end with a checkpoint, or leave the queue; ``resume`` goes on with it.

    A run that another study waits for too is stopped as well: that study's ``resume`` goes on with it.

    Returns:
        How many runs were stopped, and of those that could not be why, by id.
    """
    with store.changing(id_, folder) as stored:
        stored.stopped = True
    stopped, troubles = 0, {}
    for run_id in stored.runs.values():
        run = Run(stored.folder / run_id)
        try:
            if run.has_request("start") or run.state.state in ALIVE:
                queue.stop(run, f"study {stored.id}")
                stopped += 1
        except FileNotFoundError:
            continue  # deleted: there is nothing to stop
        except (RunError, DamagedFile, OSError) as error:
            troubles[run_id] = str(error)
    return stopped, troubles


def _carried_on(id_: str, folder: Path, again: bool = False) -> Submitted:
    with store.changing(id_, folder) as stored:
        done = carry_on(stored, again)
    try:
        watcher.ensure(folder, again=True)
    except (RunError, DamagedFile, OSError) as error:  # who looks at the study next advances it
        done.troubles["watcher"] = f"nobody advances the study while nobody looks: {error}"
    return done


def words(done: Submitted) -> Iterable[str]:
    """Yield in sentences what became of a study's cells."""
    yield f"{len(done.made)} runs made, {len(done.adopted)} taken in, {len(done.queued)} put into the queue"
    for run_id, trouble in done.troubles.items():
        yield trouble if run_id in trouble else f"{run_id}: {trouble}"
