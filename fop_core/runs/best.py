"""The best accuracy that a run has measured, which few rows name."""

import numpy as np

from fop_core.runs.metrics import Metrics
from fop_core.runs.run import Run

MEASURED = ("test_accuracy", "held_out_accuracy")


class Best:
    """Follows the few rows of a run that hold an accuracy: no other one is taken apart.

    Args:
        run: the run.

    Example:
        >>> from fop_core.runs import GALLERY, Run
        >>> from fop_core.runs.best import Best
        >>> best = Best(Run(GALLERY / "mnist-sgd-seed0"))
        >>> best.update()
        0.9771
    """

    def __init__(self, run: Run) -> None:
        only = [f'"{name}"'.encode() for name in MEASURED]
        self._metrics = Metrics(run.id, run.metrics_files, lambda: None, only)

    def update(self) -> float | None:
        """Return the best accuracy so far, of what counts; None before the first.

        Raises:
            FileNotFoundError, DamagedFile: where it cannot be said which attempts there were, see ``Run.attempts``.

        Example:
            >>> from fop_core.runs import store
            >>> from fop_core.runs.best import Best
            >>> print(Best(store.create({"epochs": 2})).update())  # nothing is measured yet
            None
        """
        self._metrics.update()
        measured = [self._metrics[name].values for name in MEASURED if name in self._metrics]
        best = [float(np.nanmax(values)) for values in measured if not np.isnan(values).all()]
        return max(best, default=None)
