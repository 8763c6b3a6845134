"""What the cells of one trial of a study, its seeds, came to together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fop_core.studies.progress import StudyTable

Array = np.ndarray


@dataclass(frozen=True)
class Outcome:
    """What some cells came to.

    Attributes:
        results: what was measured of those that have a finite result and did not diverge.
        mean: of the results; None of none.
        diverged: how many diverged.
        share: of the cells' runs that is done, their mean, 0 to 1.
        seconds: of training, the mean of those where it is known; None of none.
        peak_memory: bytes, the most; None where it is not known.
    """

    results: list[float]
    mean: float | None
    diverged: int
    share: float
    seconds: float | None
    peak_memory: float | None


def outcome(table: StudyTable, cells: Sequence[int], column: str) -> Outcome:
    """Return what cells of one role came to.

    Args:
        table: of the study.
        cells: their indices in it, at least one.
        column: one of ``progress.COLUMNS``; its last or best value counts, as the study has it for the role.
    """
    those = list(cells)
    study = table.study
    at = study.choose.at if table.role[those[0]] == "tune" else study.analysis.at
    values = (table.best if at == "best" else table.last)[column][those]
    results = values[np.isfinite(values) & ~table.diverged[those]]
    seconds, memory = (each[those] for each in (table.seconds, table.peak_memory))
    seconds, memory = seconds[~np.isnan(seconds)], memory[~np.isnan(memory)]
    return Outcome(
        results.tolist(),
        _mean(results),
        int(table.diverged[those].sum()),
        float(table.share[those].mean()),
        _mean(seconds),
        float(memory.max()) if len(memory) else None,
    )


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None
