"""Small real image folders, and runs on them that take a second."""

from pathlib import Path

import numpy as np
from PIL import Image

from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.training import config
from fop_core.training.datasets import CIFAR10_CLASSES

SETTINGS = ["device=cpu", "model.width=0.05", "batch_size=16", "epochs=2", "snapshots=6", "threads=1", "log_every=4"]


def cifar10(folder: Path, train: int = 8, test: int = 2) -> Path:
    """Make CIFAR-10's classes with so many images each: noise around a grey that tells the class."""
    drawn = np.random.default_rng(0)
    for part, count in (("train", train), ("test", test)):
        for label, name in enumerate(CIFAR10_CLASSES):
            (folder / part / name).mkdir(parents=True)
            for index in range(count):
                pixels = np.clip(drawn.normal(20 + 22 * label, 30, (32, 32, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{index:04}.png")
    return folder


def run(data: Path, folder: Path, *settings: str, method: str = "fop") -> Run:
    """Make a run of the small CIFAR-10 preset on such data."""
    chosen = config.preset("cifar10-allcnn-small", method)
    chosen = config.change(chosen, [*SETTINGS, f"data.path={data}", "schedule.milestones=[1]", *settings])
    return store.create(chosen.to_json(), name="tiny", folder=folder)
