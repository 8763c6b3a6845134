"""The paper's figures again, from runs of this program, and what was measured for them: docs/paper.md."""

from collections.abc import Sequence
from pathlib import Path

from fop_core.runs import GALLERY as GALLERY
from fop_core.runs import learned
from fop_core.runs.files import RunError as RunError
from fop_core.runs.learned import Learned
from fop_core.runs.run import Run

SEEDS = (0, 1, 2)
CIFAR = "cifar10-fop-velocity"
ONE_STEP = "cifar10-fop-one-step"
FROZEN = "cifar10-frozen"
FULL, LOW_RANK, BASELINE = "mnist-fop-full", "mnist-fop-rank16", "mnist-sgd"
CONTROLS_OF = {"paper-3-control": "paper-3-cifar10"}
"""Studies of controls, see ``forks``, and the study of the runs that they are of."""
SETTLED = 200
"""The first step of the angles: Figure A.1 has a point every 200 steps."""


class Gallery:
    """Finished runs in a folder, by name, each read once.

    Args:
        folder: with a folder for each run.

    Raises:
        RunError: where it is no folder.
    """

    def __init__(self, folder: Path = GALLERY) -> None:
        if not folder.is_dir():
            raise RunError(f"no gallery in {folder}: give the folder of its runs with --gallery")
        self.folder = folder
        self._runs: dict[str, Run] = {}
        self._learned: dict[str, Learned] = {}

    def run(self, name: str) -> Run:
        """Return a run with its metrics.

        Raises:
            RunError: where it is not there.
        """
        if name not in self._runs:
            run = Run(self.folder / name)
            try:
                _ = run.about
            except FileNotFoundError as error:
                raise RunError(f"there is no run {name} in {self.folder}") from error
            run.metrics.update()
            self._runs[name] = run
        return self._runs[name]

    def seeds(self, name: str) -> list[Run]:
        """Return the runs of all seeds."""
        return [self.run(f"{name}-seed{seed}") for seed in SEEDS]

    def learned(self, name: str) -> Learned:
        """Return what a run learned.

        Raises:
            RunError: where something of it cannot be read.
        """
        if name not in self._learned:
            matrices = learned.of_run(self.run(name))
            if matrices.missing:
                raise RunError(f"{name} is not whole: {matrices.missing}")
            self._learned[name] = matrices
        return self._learned[name]


def angle_layers(runs: Sequence[Run]) -> list[str]:
    """Return the layers whose angles were logged, in the network's order."""
    names = {column.partition("/")[2] for column in runs[0].metrics.columns if column.startswith("angle_deg/")}
    return sorted(names, key=learned.natural)
