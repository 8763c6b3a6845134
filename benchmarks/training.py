"""Training: samples a second against a plain loop over torchvision's data sets, and what logging and snapshots cost.

    python -m benchmarks.training [--rounds 5] [--device cpu]

The plain loop is what a first script looks like: ``DataLoader(dataset, batch_size=128, shuffle=True)`` over
torchvision's own class and transforms, the same network and optimizer. With worker processes it is measured as well.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader
from torchvision import datasets as torchvision_datasets
from torchvision.transforms import v2

from benchmarks import measure
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.training import build, config, loop
from fop_core.training import datasets as our_datasets

MNIST_STEPS, CIFAR10_STEPS = 469, 60


class Ours:
    """A contestant: the program's own loop over a preset, with all that it records."""

    def __init__(self, settings: config.TrainConfig, steps: int, folder: Path) -> None:
        self.settings, self.steps, self.folder = settings, steps, folder
        self.seconds: list[float] = []

    def __call__(self) -> None:
        """Train; only the loop itself is timed, see ``seconds``."""
        run = store.create(self.settings.to_json(), folder=self.folder)
        with Control(run) as control:
            trainer = loop.Trainer(run, control, lambda text: None, lambda progress: None, [], torch.get_num_threads())
            trainer.feed.test = lambda: iter(())  # type: ignore[method-assign]  # the plain loop measures nothing either
            trainer._checkpoint = lambda: None  # type: ignore[method-assign]
            self.watch(trainer)
            begin = time.perf_counter()
            trainer.train(until=self.steps)
            if trainer.device.type == "cuda":
                torch.cuda.synchronize()
            closing = time.perf_counter()
            trainer.writer.close()  # what was recorded is on the disk once this, or a checkpoint, is done
            end = time.perf_counter()
            self.seconds.append(end - begin)
            self.done(end - begin, end - closing)

    def watch(self, trainer: loop.Trainer) -> None:
        """Prepare to look more closely."""

    def done(self, seconds: float, closing: float) -> None:
        """Make something of what was seen."""


class Recorded(Ours):
    """A contestant: as above, with an eye on what recording takes of it.

    Both parts are seconds of one run, some milliseconds apart: on a machine whose speed changes from second to second
    two runs, one of them silent, would differ by more than what is looked for.
    """

    def __init__(self, settings: config.TrainConfig, steps: int, folder: Path) -> None:
        super().__init__(settings, steps, folder)
        self.recording: list[float] = []  # its seconds over those of the rest

    def watch(self, trainer: loop.Trainer) -> None:
        """Take the time of rows, snapshots and progress, and of steps that are measured and that are not."""
        self.log: list[float] = []
        self.measured: list[float] = []
        self.plain: list[float] = []
        log, learn = trainer._log, trainer._learn

        def timed_log(columns: dict[str, Any]) -> None:
            begin = time.perf_counter()
            log(columns)
            self.log.append(time.perf_counter() - begin)

        def timed_learn(images: Any, labels: Any, logged: bool) -> dict[str, Any]:
            begin = time.perf_counter()
            columns = learn(images, labels, logged)
            (self.measured if logged else self.plain).append(time.perf_counter() - begin)
            return columns

        trainer._log, trainer._learn = timed_log, timed_learn  # type: ignore[method-assign, assignment]

    def done(self, seconds: float, closing: float) -> None:
        """Reckon: a measured step costs what it takes more than the others in the mean, for the machine slows both."""
        extra = sum(self.measured) - len(self.measured) * statistics.fmean(self.plain)
        recording = sum(self.log) + extra + closing
        self.recording.append(recording / (seconds - recording))


class Plain:
    """A contestant: the loop of a first script."""

    def __init__(self, dataset: Any, settings: config.TrainConfig, steps: int, workers: int, device: str) -> None:
        self.dataset, self.settings, self.steps, self.workers = dataset, settings, steps, workers
        self.device = torch.device(device)
        self.seconds: list[float] = []

    def __call__(self) -> None:
        """Train; only the loop itself is timed."""
        built = build.build(self.settings, 10, torch.device("cpu"))
        model = built.model.to(memory_format=torch.contiguous_format).to(self.device)
        optimizer = build._base(self.settings.optimizer, model, self.device)
        loader = DataLoader(self.dataset, batch_size=128, shuffle=True, num_workers=self.workers)
        begin = time.perf_counter()
        for images, labels in itertools.islice(loader, self.steps):
            images, labels = images.to(self.device), labels.to(self.device)
            optimizer.zero_grad()
            functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - begin)


def mnist(folder: Path) -> Any:
    """Return torchvision's MNIST, from the files that ship."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    source = our_datasets.find(config.DataConfig())
    for part, kind in itertools.product(("train", "t10k"), ("images-idx3", "labels-idx1")):
        file = our_datasets._idx_file(source.path, part, kind.split("-")[0])
        assert file is not None
        content = file.read_bytes()
        if file.suffix == ".gz":
            import gzip

            content = gzip.decompress(content)
        (raw / f"{part}-{kind}-ubyte").write_bytes(content)
    scaled = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    return torchvision_datasets.MNIST(str(folder), transform=scaled)


def cifar10() -> Any:
    """Return torchvision's CIFAR10 over random pixels: what they show does not change how long they take."""
    dataset = torchvision_datasets.CIFAR10.__new__(torchvision_datasets.CIFAR10)
    drawn = np.random.default_rng(0)
    dataset.data = drawn.integers(0, 256, (50_000, 32, 32, 3), dtype=np.uint8)
    dataset.targets = drawn.integers(0, 10, 50_000).tolist()
    dataset.target_transform = None
    dataset.transform = v2.Compose(
        [
            v2.RandomCrop(32, padding=4),
            v2.RandomHorizontalFlip(),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
        ]
    )
    return dataset


def archive(folder: Path, images: Any) -> None:
    """Let our loader find the same pixels: a stand-in for the archive's reader."""
    part = our_datasets.DataPart(np.array(images.targets), images.data)
    small = our_datasets.DataPart(part.labels[:1000], images.data[:1000])
    our_datasets._read_archive = lambda path, test: {"train": part, "test": small}
    (folder / "cifar-10-batches-py").mkdir()


def by_turns(contestants: dict[str, Any], rounds: int) -> dict[str, list[float]]:
    """Return each contestant's own seconds, without what it took to read data and build the network."""
    calls: dict[str, Callable[[], Any]] = dict(contestants)
    measure.by_turns(calls, rounds)
    return {name: contestant.seconds[-rounds:] for name, contestant in contestants.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    chosen = parser.parse_args()
    load_before = measure.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples: dict[str, list[float]] = {}
        device = [f"device={chosen.device}"]

        digits = mnist(folder / "mnist")
        settings = config.change(config.preset("mnist-mlp", "momentum"), device)
        contest: dict[str, Any] = {"mnist": Ours(settings, MNIST_STEPS, folder / "runs")}
        for workers in (0, 2):
            contest[f"mnist_dataloader_{workers}"] = Plain(digits, settings, MNIST_STEPS, workers, chosen.device)
        samples |= by_turns(contest, chosen.rounds)

        pixels = cifar10()
        archive(folder, pixels)
        settings = config.change(config.preset("cifar10-allcnn-small", "momentum"), [*device, f"data.path={folder}"])
        contest = {"cifar10": Ours(settings, CIFAR10_STEPS, folder / "runs")}
        for workers in (0, 2):
            contest[f"cifar10_dataloader_{workers}"] = Plain(pixels, settings, CIFAR10_STEPS, workers, chosen.device)
        samples |= by_turns(contest, chosen.rounds)

        ratios = {}
        for data in ("mnist", "cifar10"):
            for workers in (0, 2):
                plain = f"{data}_dataloader_{workers}"
                ratios[f"{data}_samples_per_second_vs_dataloader_{workers}"] = measure.ratio(samples, plain, data)

        for data, preset, steps in (
            ("mnist_rank16", "mnist-mlp", 10 * MNIST_STEPS),
            ("cifar10_fop", "cifar10-allcnn-small", 2 * CIFAR10_STEPS),
        ):
            changes = [*device]
            changes += [f"data.path={folder}"] if data == "cifar10_fop" else []
            recorded = Recorded(config.change(config.preset(preset), changes), steps, folder / "runs")
            samples |= by_turns({data: recorded}, chosen.rounds)
            ratios[f"{data}_recording"] = 1 + statistics.median(recorded.recording[-chosen.rounds :])

    images = {name: 128 * (CIFAR10_STEPS if "cifar10" in name else MNIST_STEPS) for name in samples}
    images |= {name: 128 * 10 * MNIST_STEPS for name in samples if name.startswith("mnist_rank16")}
    images |= {name: 128 * 2 * CIFAR10_STEPS for name in samples if name.startswith("cifar10_fop")}
    values = {
        name: measure.value([images[name] / s for s in seconds], "samples a second")
        for name, seconds in samples.items()
    }
    about = {
        "device": chosen.device,
        "batch": 128,
        "presets": "mnist-mlp, cifar10-allcnn-small",
        "rounds": chosen.rounds,
    }
    measure.report(load_before, about, ratios, values, samples)


if __name__ == "__main__":
    main()
