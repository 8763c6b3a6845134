"""What a study does by itself as its runs end: winners are chosen, their runs are reported, hopeless ones are ended."""

import math
from pathlib import Path
from typing import Literal

import numpy as np

from fop_core.jobs import queue
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.studies import progress, store
from fop_core.studies.analysis import winners
from fop_core.studies.binding import carry_on
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import Study
from fop_core.studies.stored import Stored


def advance(id_: str, folder: Path | None = None) -> bool:
    """Do what is due in a study; return whether there will be more to do without anybody's help.

    It is for whoever looks: the command line, a page, ``watcher``. To do it twice does no harm.

    Raises:
        RunError, DamagedFile: as ``store.load``.
    """
    table = progress.table(id_, folder)
    stored = table.stored
    if stored.stopped or store.obstacle(stored):
        return False
    if (last := _last.get(stored.path)) is not None and last[0] is table:
        return last[1]  # nothing has changed since
    more = _advanced(table)
    _last[stored.path] = table, more
    return more


_last: dict[Path, tuple[StudyTable, bool]] = {}


def _advanced(table: StudyTable) -> bool:
    stored = table.stored
    hopeless = falling_behind(table)
    decided = _decided(table)
    unmade = any(state == "missing" for state in table.state)
    if hopeless or decided != (stored.winners, stored.lost) or unmade:
        with store.changing(stored.id, stored.folder) as stored:
            if stored.stopped or stored.study != table.study:
                return not stored.stopped  # it has changed meanwhile: the next look sees to it
            stored.winners, stored.lost = decided
            for index, reason in hopeless.items():
                _end(stored, table, index, reason)
            carry_on(stored)
        table = progress.table(stored.id, stored.folder)
    going = any(state in ("queued", *ALIVE) for state in table.state)
    return going and undecided(stored)


def undecided(stored: Stored) -> bool:
    """Return whether some method of a study is still being tuned."""
    chosen = {*stored.winners, *stored.lost}
    return not stored.stopped and bool(stored.study.axes) and any(m not in chosen for m in stored.study.methods)


def _decided(table: StudyTable) -> tuple[dict[str, dict[str, object]], list[str]]:
    """Return the points that have won, and the methods of which none came to its end; what is decided stays so."""
    stored = table.stored
    won, lost = dict(stored.winners), list(stored.lost)
    for method, winner in winners(table).items():
        if winner.final and method not in won and method not in lost:
            if math.isinf(winner.score):
                lost.append(method)
            else:
                won[method] = dict(winner.point)
    return won, lost


def _end(stored: Stored, table: StudyTable, index: int, reason: str) -> None:
    """Have a run ended; one that cannot be, as it ends by itself just now, goes on."""
    try:
        queue.stop(Run(stored.folder / table.run_id[index]), f"study {stored.id}, the median rule")
    except (RunError, DamagedFile, OSError):
        return
    stored.ended[table.key[index]] = reason


def falling_behind(table: StudyTable) -> dict[int, str]:
    """Return the rows of tuning runs that the median rule ends now, and why, in words.

    Runs that were there before the study are left alone: they may be another one's too.
    """
    study = table.study
    if study.ending is None:
        return {}
    hopeless: dict[int, str] = {}
    for method in study.methods:
        rows = [index for index in table.rows("tune", method) if table.key[index] not in table.stored.ended]
        going = [index for index in rows if table.state[index] == "running" and not table.adopted[index]]
        finished = [index for index in rows if table.state[index] == "finished"]
        if going and len(finished) >= study.ending.others:
            curves = {index: _by_epoch(table, index) for index in (*going, *finished)}
            hopeless |= _hopeless(study, {i: curves[i] for i in going}, [curves[i] for i in finished])
    return hopeless


def _by_epoch(table: StudyTable, index: int) -> dict[int, float]:
    """Return what counts of a run by the epochs at whose ends it was measured, NaN where it was no number."""
    curve = table.curves[index].get(table.study.choose.column)
    if curve is None:
        return {}
    return {int(epoch): float(value) for epoch, value in zip(np.rint(curve.x), curve.y)}


def _hopeless(study: Study, going: dict[int, dict[int, float]], finished: list[dict[int, float]]) -> dict[int, str]:
    """Ask Optuna's pruner, of trials that are made up for the question; it remembers nothing."""
    import optuna
    from optuna.trial import TrialState, create_trial

    assert study.ending is not None
    epochs = max((max(curve, default=0) for curve in finished), default=0)
    warm = math.ceil(study.ending.grace * epochs)
    pruner = optuna.pruners.MedianPruner(study.ending.others, warm, n_min_trials=study.ending.others)
    way: Literal["maximize", "minimize"] = "maximize" if study.choose.direction == "max" else "minimize"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = optuna.create_study(direction=way, pruner=pruner)
    for curve in finished:
        if curve:
            trials.add_trial(create_trial(value=_finite(curve[max(curve)], way), intermediate_values=curve))
    hopeless = {}
    for index, curve in going.items():
        if curve:
            trial = create_trial(state=TrialState.RUNNING, intermediate_values=curve)
            if pruner.prune(trials, trial):
                hopeless[index] = f"worse at epoch {max(curve)} than the median of {len(finished)} finished runs"
    return hopeless


def _finite(value: float, way: str) -> float:
    worst = -1e300 if way == "maximize" else 1e300
    return value if math.isfinite(value) else worst
