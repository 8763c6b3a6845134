"""What a study has cost so far: time and memory."""

import math
from dataclasses import dataclass

import numpy as np

from fop_core.studies.progress import StudyTable


@dataclass(frozen=True)
class Totals:
    """What a study has cost so far.

    Attributes:
        seconds: of training.
        evaluation_seconds: of measuring, which is not part of it.
        peak_memory: the most that a run took, bytes; NaN where none is known.
    """

    seconds: float
    evaluation_seconds: float
    peak_memory: float


def totals(table: StudyTable) -> Totals:
    """Return what a study has cost so far."""
    memory = table.peak_memory[~np.isnan(table.peak_memory)]
    return Totals(
        float(np.nansum(table.seconds)),
        float(np.nansum(table.evaluation_seconds)),
        float(memory.max()) if len(memory) else math.nan,
    )
