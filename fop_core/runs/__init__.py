"""Runs, for a notebook: find one, see what it was, look at its numbers.

    from fop_core import runs

    run = runs.load("cifar10-fop-velocity")         # a path, an id, the beginning of an id, or a name
    run.config, run.state.state, run.labels["tags"]
    run.metrics.columns                             # ["epoch", "lr", ..., "angle_deg/layers.0.weight", ...]
    steps, loss = run.metrics["train_loss"]         # numpy arrays, where it was measured
    epochs, accuracy = run.metrics.over("epoch", "test_accuracy")
    run.metrics.update()                            # of a run that goes on: reads what is new
    run.snapshot(run.snapshot_steps()[-1])          # M per layer

A run that your own script writes: ``with runs.record(settings) as run: run.log(step, train_loss=loss)``.
Several seeds: ``series.aggregate([run.metrics["test_loss"] for run in ...])``. A file: ``export.to_csv(run, path)``.
"""

from pathlib import Path

from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.recording import Recording, record
from fop_core.runs.run import Run
from fop_core.runs.store import UnknownRun, find

__all__ = ["GALLERY", "DamagedFile", "Recording", "Run", "RunError", "load", "record"]

GALLERY = Path(__file__).resolve().parents[2] / "trained_models" / "gallery"
"""The finished runs that ship."""


def load(path: str | Path) -> Run:
    """Return a run with all that it has logged so far.

    Lines of metrics that cannot be read are left out, and listed in ``run.metrics.damaged``.

    Args:
        path: its directory, its id, the beginning of its id, or its name: one of the user's runs, or else of the
            gallery's.

    Raises:
        RunError: where that is no run, or more than one, or where a file of it is missing.
        DamagedFile: where a file of it is not what it should be.

    Example:
        >>> from fop_core import runs
        >>> run = runs.load("cifar10-fop-velocity")
        >>> run.state.state, run.config["fop"]["preconditioner"], run.metrics.last()["test_accuracy"]
        ('finished', 'factored', 0.7754)
        >>> runs.load("cifar10-fop")
        Traceback (most recent call last):
            ...
        fop_core.runs.files.RunError: 'cifar10-fop' may be cifar10-fop-norm, ...: give more of the id
    """
    try:
        run = find(str(path))
    except UnknownRun as error:
        try:
            run = find(str(path), GALLERY)
        except UnknownRun:
            raise RunError(f"{error}; nor is it in the gallery, {GALLERY}") from None
    try:
        _ = run.about
        run.metrics.update()
    except FileNotFoundError as error:
        raise RunError(f"{run.id} is not whole: {error.filename} is missing") from error
    return run
