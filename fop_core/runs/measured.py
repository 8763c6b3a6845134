"""What a run's columns came to: one summary each, kept where the values themselves are not."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from fop_core.runs.metrics import Metrics
from fop_core.runs.run import Run


class ColumnSummary(NamedTuple):
    """What one column came to.

    Attributes:
        last: the last value that was measured; NaN where it was measured so.
        least: of those that are numbers; NaN where none is.
        most: likewise.

    Example:
        >>> from fop_core.runs import GALLERY, Run
        >>> from fop_core.runs.measured import ColumnSummaries
        >>> ColumnSummaries(Run(GALLERY / "mnist-sgd-seed0")).update(goes_on=False)["test_accuracy"]
        ColumnSummary(last=0.9759, least=0.9486, most=0.9771)
    """

    last: float
    least: float
    most: float


class ColumnSummaries:
    """Follows a run's metrics while it is trained, and keeps only summaries of one that has ended.

    Args:
        run: the run.

    Example:
        >>> from fop_core.runs import GALLERY, Run
        >>> from fop_core.runs.measured import ColumnSummaries
        >>> columns = ColumnSummaries(Run(GALLERY / "mnist-sgd-seed0")).update(goes_on=False)
        >>> round(columns["test_loss"].least, 4), columns["lr"].last
        (0.0811, 0.05)
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._metrics: Metrics | None = None

    def update(self, goes_on: bool) -> Mapping[str, ColumnSummary]:
        """Return a summary of each column so far, by its name.

        Args:
            goes_on: whether it will grow, so that what was read is worth to be kept.

        Raises:
            FileNotFoundError, DamagedFile: where it cannot be said which attempts there were, see ``Run.attempts``.

        Example:
            >>> from fop_core.runs import GALLERY, Run
            >>> from fop_core.runs.measured import ColumnSummaries
            >>> measured = ColumnSummaries(Run(GALLERY / "mnist-sgd-seed0"))
            >>> measured.update(goes_on=True)["epoch"].last
            10.0
        """
        metrics = self._metrics or Metrics(self._run.id, self._run.metrics_files, lambda: None)
        metrics.update()
        self._metrics = metrics if goes_on else None
        return {name: _summary(metrics[name].values) for name in metrics.columns}


def _summary(values: np.ndarray) -> ColumnSummary:
    numbers = values[~np.isnan(values)]
    ends = (float(numbers.min()), float(numbers.max())) if len(numbers) else (math.nan, math.nan)
    return ColumnSummary(float(values[-1]), *ends)
