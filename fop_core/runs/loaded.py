"""A run's metrics in memory, which grow with the run."""

import threading

import numpy as np

from fop_core.runs.compare import Curve
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run


class Loaded:
    """A run's metrics in memory; any thread may read them.

    Args:
        path: of the run.

    Attributes:
        run: whose they are.
        trouble: why they cannot be read, or what was left out; or "".
        version: counts how often something new was read; 0 before the first time.
        columns: names of all that was measured, the run's before the layers'.

    Example:
        >>> from fop_core.runs import GALLERY
        >>> from fop_core.runs.loaded import Loaded
        >>> loaded = Loaded(str(GALLERY / "mnist-sgd-seed0"))
        >>> loaded.version, loaded.refresh().version, loaded.columns[:2]
        (0, 1, ['epoch', 'grad_norm'])
    """

    def __init__(self, path: str) -> None:
        self.run = Run(path)
        self.trouble = ""
        self.version = 0
        self.columns: list[str] = []
        self._lock = threading.Lock()
        self._until: list[int] = []
        self._curves: dict[tuple[str, str], Curve | None] = {}

    def refresh(self) -> "Loaded":
        """Read what is new.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.loaded import Loaded
            >>> loaded = Loaded(str(GALLERY / "mnist-sgd-seed0")).refresh()
            >>> loaded.refresh().version  # nothing is new
            1
        """
        with self._lock:
            try:
                new = self.run.metrics.update()
                until = [from_step for *_, from_step in self.run.metrics_files()]
            except (DamagedFile, OSError) as error:
                self.trouble = str(error)
                return self
            self.trouble = " ".join(self.run.metrics.damaged)
            if new or until != self._until or not self.version:
                self._until = until
                self._curves.clear()
                self.version += 1
                self.columns = self.run.metrics.columns
        return self

    def curve(self, x: str, y: str) -> Curve | None:
        """Return a column over an axis, or None where it was not measured.

        Example:
            >>> from fop_core.runs import GALLERY
            >>> from fop_core.runs.loaded import Loaded
            >>> curve = Loaded(str(GALLERY / "mnist-sgd-seed0")).refresh().curve("epoch", "test_loss")
            >>> curve.x[:3], curve.y[:3].round(3)
            (array([1., 2., 3.]), array([0.158, 0.111, 0.109]))
        """
        with self._lock:
            if (x, y) not in self._curves:
                self._curves[x, y] = self._made(x, y)
            return self._curves[x, y]

    def _made(self, x: str, y: str) -> Curve | None:
        metrics = self.run.metrics
        if y not in self.columns or (x != "step" and x not in self.columns):
            return None
        steps, values = metrics.evened(y)
        if x == "step":
            return Curve(steps, steps.astype(np.float64), values)
        at = metrics[x]
        index = np.minimum(np.searchsorted(at.steps, steps), len(at.steps) - 1)
        both = at.steps[index] == steps
        return Curve(steps[both], at.values[index[both]], values[both])
