"""What a run learned, through training, as it ships: each layer's M and spectrum of every snapshot, stacked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fop_core.runs import learned
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run

Array = np.ndarray

PARTS = ("M", "spectrum")
STEPS = "steps"


@dataclass(frozen=True)
class Snapshots:
    """What a run learned, through training.

    Attributes:
        steps: [s], ascending.
        arrays: "<layer>/M" [s, n, k], and "<layer>/spectrum" [s, n], the eigenvalues of P.
    """

    steps: Array
    arrays: Mapping[str, Array]

    def layers(self, form: str) -> dict[str, Layer]:
        """Return each layer as ``learned.of_run`` has it, of a spatial P that is not scaled.

        Args:
            form: of P, as ``FOP``'s ``preconditioner``.
        """
        made = {}
        for name in sorted({each.rpartition("/")[0] for each in self.arrays}, key=learned.natural):
            M, spectra = (self.arrays[f"{name}/{part}"] for part in PARTS)
            scale, n = np.ones(len(self.steps)), M.shape[1]
            made[name] = Layer(name, form, n, learned.KERNELS.get(n), self.steps, M, scale, self.steps, spectra)
        return made

    def named(self) -> dict[str, Array]:
        """Return all of it as arrays by name; ``of_named`` reads them."""
        return {STEPS: self.steps, **self.arrays}


def of_named(arrays: Mapping[str, Array]) -> Snapshots:
    """Return what ``Snapshots.named`` wrote.

    Raises:
        KeyError, ValueError: where it is something else.
    """
    made = Snapshots(arrays[STEPS], {name: array for name, array in arrays.items() if name != STEPS})
    for name, array in made.arrays.items():
        if array.shape[:1] != made.steps.shape or name.rpartition("/")[2] not in PARTS:
            raise ValueError(f"{name} of shape {array.shape}, at {len(made.steps)} steps")
    return made


def of_run(run: Run) -> Snapshots | None:
    """Return what a run learned through training, of the layers that are whole in every snapshot; None of none.

    Raises:
        DamagedFile, FileNotFoundError: where a snapshot cannot be read.
    """
    steps = run.snapshot_steps()
    every = [run.snapshot(step) for step in steps]
    layers = {name.removesuffix("/M") for name in (every[0] if every else ()) if name.endswith("/M")}
    whole = [name for name in layers if all(f"{name}/{part}" in each for each in every for part in PARTS)]
    names = [f"{name}/{part}" for name in sorted(whole, key=learned.natural) for part in PARTS]
    arrays = {name: np.stack([each[name] for each in every]) for name in names}
    return Snapshots(np.array(steps, np.int64), arrays) if arrays else None
