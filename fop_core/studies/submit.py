"""A study on its way: submitted, stopped, gone on with, grown."""

import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fop_core.jobs import queue, requests
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.plugins import Source
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.studies import growth, store, trash, watcher
from fop_core.studies.binding import Submitted, carry_on
from fop_core.studies.cells import Cell, cells, check
from fop_core.studies.identity import mismatch
from fop_core.studies.measures import Measures
from fop_core.studies.protocol import Axis, Study
from fop_core.training.probe.client import probe


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

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> done = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> len(done.adopted), list(submit.words(done))
        (6, ['0 runs made, 6 taken in, 0 put into the queue'])
    """
    wanted = check(study)
    if sources:
        _try(study, wanted, sources)
    stored = store.create(study, folder, sources)
    return _carried_on(stored.id, stored.folder)


def _try(study: Study, cells: Sequence[Cell], sources: Mapping[str, Source]) -> None:
    """Have the plug-ins' own ``Settings`` check those of all cells, and their data what the study goes by."""
    variants: dict[str, dict[str, dict[str, Any]]] = {part: {} for part in sources}
    for cell in cells:
        for part in cell.config.plugins:
            settings = getattr(cell.config, part).settings
            variants[part].setdefault(json.dumps(settings, sort_keys=True), settings)
    # Where FOP is around an optimizer it reads that one's groups, which may lack what it needs.
    first = max(cells, key=lambda cell: (len(cell.config.plugins), cell.config.fop is not None))
    own = {part: sources[part] for part in first.config.plugins}
    probed = probe(first.config, own, variants={part: list(variants[part].values()) for part in own})
    Measures.of(probed).check(study)


def resume(id_: str, folder: Path | None = None) -> Submitted:
    """Go on with a study: what is missing is made, what was stopped, lost, or failed by no fault of its own goes on.

    Raises:
        RunError, DamagedFile: as ``store.load``.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> list(submit.words(submit.resume("ranks")))  # all have ended
        ['0 runs made, 0 taken in, 0 put into the queue']
    """
    with store.changing(id_, folder) as stored:
        stored.stopped = False
        stored.host, stored.machine = socket.gethostname(), requests.machine()  # whose watcher goes on with it
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
    """Add to a study, see ``growth.grow``, and submit what that needs.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import protocol, submit
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)  # runs that a study finds
        >>> _ = submit.submit(protocol.Study(name="ranks", base={"threads": 1}))
        >>> list(submit.words(submit.grow("ranks", fresh_seeds=(3,))))  # one run for each method
        ['2 runs made, 0 taken in, 2 put into the queue']
    """
    stored = growth.grow(id_, axis=axis, seeds=seeds, fresh_seeds=fresh_seeds, limit=limit, folder=folder)
    return _carried_on(stored.id, stored.folder)


def stop(id_: str, folder: Path | None = None) -> tuple[int, dict[str, str]]:
    """Stop a study: its runs end with a checkpoint, or leave the queue; ``resume`` goes on with it.

    A run that another study waits for too is stopped as well: that study's ``resume`` goes on with it.

    Returns:
        How many runs were stopped, and of those that could not be why, by id.

    Example:
        >>> from fop_core.studies import protocol, submit
        >>> _ = submit.submit(protocol.Study(name="ranks", seeds=(0,)))
        >>> submit.stop("ranks")  # two runs leave the queue
        (2, {})
    """
    with store.changing(id_, folder) as stored:
        stored.stopped = True
    stopped, troubles = 0, {}
    for cell in cells(stored.study, stored.winners):
        if not (run_id := stored.runs.get(cell.key, "")):
            continue
        run = Run(stored.folder / run_id)
        try:
            if mismatch(run, cell):
                continue  # nothing of ours
            if run.has_request("start") or run.state.state in ALIVE:
                queue.stop(run, f"study {stored.id}")
                stopped += 1
        except FileNotFoundError:
            continue  # deleted: there is nothing to stop
        except (RunError, DamagedFile, OSError) as error:
            troubles[run_id] = str(error)
    return stopped, troubles


def delete(id_: str, folder: Path | None = None) -> str:
    """Move a study to the trash of its folder; its runs stay. Return what it is called there, see ``trash.restore``.

    Raises:
        RunError: where its runs still wait or train, and it was not stopped; and as ``trash.discard``.
        DamagedFile: likewise.

    Example:
        >>> from fop_core.studies import protocol, store, submit
        >>> _ = submit.submit(protocol.Study(name="ranks", seeds=(0,)))
        >>> _ = submit.stop("ranks")
        >>> submit.delete("ranks"), store.ids()
        ('ranks', [])
    """
    stored = store.load(id_, folder)
    for run_id in () if stored.stopped else stored.runs.values():
        run = Run(stored.folder / run_id)
        try:
            if run.has_request("start") or run.state.state in ALIVE:
                raise RunError(f"runs of the study {stored.id} wait or train: stop it first, `study stop {stored.id}`")
        except (FileNotFoundError, DamagedFile):
            continue  # nothing that goes on
    return trash.discard(stored.id, stored.folder)


def _carried_on(id_: str, folder: Path, again: bool = False) -> Submitted:
    with store.changing(id_, folder) as stored:
        done = carry_on(stored, again)
    try:
        watcher.ensure(folder, again=True)
    except (RunError, DamagedFile, OSError) as error:  # who looks at the study next advances it
        done.troubles["watcher"] = f"nobody advances the study while nobody looks: {error}"
    return done


def words(done: Submitted) -> Iterable[str]:
    """Yield in sentences what became of a study's cells.

    Example:
        >>> from fop_core.studies import protocol, submit
        >>> list(submit.words(submit.submit(protocol.Study(name="ranks", seeds=(0, 1)))))
        ['4 runs made, 0 taken in, 4 put into the queue']
    """
    yield f"{len(done.made)} runs made, {len(done.adopted)} taken in, {len(done.queued)} put into the queue"
    for run_id, trouble in done.troubles.items():
        yield trouble if run_id in trouble else f"{run_id}: {trouble}"
