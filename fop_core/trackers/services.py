"""A run as one of W&B or of trackio, on this machine alone: what is sent elsewhere, their own commands send."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fop_core.runs.files import RunError
from fop_core.runs.run import Run

PROJECT = "fop-lab"


def to_wandb(run: Run, folder: Path, project: str = PROJECT) -> str:
    """Write a run's settings and rows as an offline run of W&B; return what to do with it, in words.

    Raises:
        ModuleNotFoundError: without wandb.
        FileExistsError: where the folder holds something.
    """
    try:
        import wandb
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("it needs the package wandb: pip install wandb") from error
    _check(folder)
    rows = _rows(run)
    settings = wandb.Settings(console="off", disable_code=True, disable_git=True, silent=True, x_disable_stats=True)
    folder.mkdir(parents=True, exist_ok=True)
    made = wandb.init(
        project=project,
        dir=str(folder),
        mode="offline",
        id=run.id,
        name=run.name,
        tags=run.labels["tags"] or None,
        config=dict(run.config),
        settings=settings,
        reinit="create_new",
    )
    for step, row in rows.items():
        made.log(row, step=step)
    made.finish(exit_code=0 if run.state.state == "finished" else 1)
    [there] = folder.glob(f"wandb/offline-run-*-{run.id}")
    return f"`wandb sync {there}` sends it"


def to_trackio(run: Run, folder: Path, project: str = PROJECT) -> str:
    """Write a run's settings and rows into trackio's database in a folder; return how to look at it, in words.

    Raises:
        ModuleNotFoundError: without trackio.
        FileExistsError: where the folder holds something.
        RunError: where trackio is loaded already, and so writes elsewhere.
    """
    if "trackio" in sys.modules:
        raise RunError("trackio is loaded in this process, and writes where it did: export from a new one")
    _check(folder)
    before = os.environ.get("TRACKIO_DIR")
    os.environ["TRACKIO_DIR"] = str(folder.resolve())  # which it reads once, when it is loaded
    try:
        import trackio
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("it needs the package trackio: pip install trackio") from error
    finally:
        if before is None:
            del os.environ["TRACKIO_DIR"]
        else:
            os.environ["TRACKIO_DIR"] = before
    rows = _rows(run)
    trackio.init(
        project=project,
        name=run.id,
        config=dict(run.config),
        resume="never",
        auto_log_gpu=False,
        auto_log_cpu=False,
    )
    for step, row in rows.items():
        trackio.log(row, step=step)
    trackio.finish()
    return f"`TRACKIO_DIR={folder.resolve()} trackio show --project {project}` shows it"


def _check(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already: give a new folder, or an empty one")


def _rows(run: Run) -> Mapping[int, dict[str, Any]]:
    """Return what was measured, by ascending step."""
    run.metrics.update()
    rows: dict[int, dict[str, Any]] = {}
    for name in run.metrics.columns:
        for step, value in zip(*(each.tolist() for each in run.metrics[name])):
            rows.setdefault(step, {})[name] = value
    return dict(sorted(rows.items()))
