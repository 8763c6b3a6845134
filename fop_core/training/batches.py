"""Batches: what a step sees, and in which order.

Nothing here has a state that a checkpoint would have to keep: the order of an epoch follows from (seed, epoch), what is
cropped and flipped at a step from (seed, step), so a run goes on from the middle of an epoch as if never stopped.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fop_core.training import datasets
from fop_core.training.config import TrainConfig

Batch = tuple[Tensor, Tensor]
"""Samples and targets [N, ...] on the device; images [N, C, H, W] float32 and labels [N] int64."""

EVALUATED = 1000  # images at once where nothing is learned
CORRUPT_IN_A_ROW = 64  # files that cannot be decoded before that is an error


def order(count: int, seed: int, epoch: int) -> Tensor:
    """Return the order of the images in an epoch, int64 [count] on the CPU."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(_mix(seed, 0, epoch)))


def steps_in_epoch(count: int, batch_size: int) -> int:
    """Return the steps of an epoch. The last batch may be small; a lone image, too few for BatchNorm, is left."""
    full, remainder = divmod(count, batch_size)
    return max(1, full + (remainder > 1))


def feed(
    data: datasets.Dataset, config: TrainConfig, device: torch.device, on_bad_file: Callable[[str], None]
) -> "Images":
    """Return what feeds a run. ``on_bad_file`` gets the name of each file that turns out not to be an image."""
    return (Stream if data.train.paths is not None else Memory)(data, config, device, on_bad_file)


class Feed:
    """Batches, in an order that follows from the seed.

    Args:
        count: samples to learn from.
        config: batch size, seed.
        device: where the batches go.
    """

    def __init__(self, count: int, config: TrainConfig, device: torch.device) -> None:
        self.count, self.config, self.device = count, config, device
        self.steps_in_epoch = steps_in_epoch(count, config.batch_size)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 0, from its step ``start`` on."""
        raise NotImplementedError

    def test(self) -> Iterator[Batch]:
        """Yield what is measured on, in order and as it is."""
        raise NotImplementedError

    def _batches(self, number: int, start: int, where: torch.device) -> list[Tensor]:
        shuffled = order(self.count, self.config.seed, number).to(where)  # once an epoch, not at each step
        return list(shuffled.split(self.config.batch_size))[start : self.steps_in_epoch]


class Images(Feed):
    """Batches of a data set of images.

    Args:
        data: the data set.
        config: batch size, seed, augmentation.
        device: where the batches go.
        on_bad_file: called with the name of each file that turns out not to be an image.
    """

    def __init__(
        self, data: datasets.Dataset, config: TrainConfig, device: torch.device, on_bad_file: Callable[[str], None]
    ) -> None:
        super().__init__(len(data.train), config, device)
        self.data = data
        self.on_bad_file = on_bad_file
        self._named: set[str] = set()  # the files reported to on_bad_file
        channels = (1, -1, 1, 1)
        self._mean = torch.tensor(data.mean, dtype=torch.float32, device=device).view(channels)
        self._factor = torch.tensor(1 / data.std, dtype=torch.float32, device=device).view(channels)

    def _scaled(self, images: Tensor) -> Tensor:
        """Return uint8 [N, H, W, C] as float32 [N, C, H, W], channels last in memory: convolutions are faster so."""
        return images.permute(0, 3, 1, 2).float().sub_(self._mean).mul_(self._factor)


class Memory(Images):
    """A data set whose images are kept on the device, and shuffled, cropped and flipped there."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._parts: list[tuple[Tensor, Tensor] | None] = []
        for part in (self.data.train, self.data.test):
            if part is None:
                self._parts.append(None)
                continue
            assert part.images is not None
            self._parts.append(
                (torch.from_numpy(part.images).to(self.device), torch.tensor(part.labels).to(self.device))
            )
        self._generator = torch.Generator(self.device)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 0, from its step ``start`` on."""
        part = self._parts[0]
        assert part is not None
        images, labels = part
        first = number * self.steps_in_epoch + start
        for step, chosen in enumerate(self._batches(number, start, self.device), start=first):
            yield self._scaled(self._augmented(images[chosen], step)), labels[chosen]

    def test(self) -> Iterator[Batch]:
        """Yield what is measured on, in order and as it is."""
        if self._parts[1] is not None:
            images, labels = self._parts[1]
            for some, those in zip(images.split(EVALUATED), labels.split(EVALUATED)):
                yield self._scaled(some), those

    def _augmented(self, images: Tensor, step: int) -> Tensor:
        """Return a batch [N, H, W, C], shifted by up to an eighth (zeros outside) and flipped, each image by itself."""
        kind = self.config.data.augmentation
        if kind == "none":
            return images
        count, height, width, _ = images.shape
        self._generator.manual_seed(_mix(self.config.seed, 1, step))
        drawn = torch.rand(3, count, 1, generator=self._generator, device=self.device)
        columns = torch.arange(width, device=self.device)
        columns = torch.where(drawn[0] < 0.5, columns, width - 1 - columns)  # [N, W]
        rows = torch.arange(height, device=self.device).expand(count, height)
        if kind == "crop_flip":
            pad = max(1, height // 8)
            images = torch.nn.functional.pad(images, (0, 0, pad, pad, pad, pad))
            shifts = (drawn[1:] * (2 * pad + 1)).long()
            rows, columns = rows + shifts[0], columns + shifts[1]
        each = torch.arange(count, device=self.device)
        return images[each[:, None, None], rows[:, :, None], columns[:, None, :]]


class Stream(Images):
    """A data set whose images are read and decoded by worker processes as they are needed.

    The next file stands in for one that cannot be decoded. With ``data.workers`` 0 there is one process for each core,
    less one; they end with the iterator, also where it is closed early.
    """

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 0, from its step ``start`` on."""
        batches = [chosen.tolist() for chosen in self._batches(number, start, torch.device("cpu"))]
        files = _Files(self.data.train, self.config, number)
        yield from self._stream(files, batches)

    def test(self) -> Iterator[Batch]:
        """Yield what is measured on, in order and as it is."""
        if self.data.test is not None:
            size = min(self.config.batch_size, EVALUATED)
            batches = [chosen.tolist() for chosen in torch.arange(len(self.data.test)).split(size)]
            yield from self._stream(_Files(self.data.test, self.config, None), batches)

    def _stream(self, files: "_Files", batches: list[list[int]]) -> Iterator[Batch]:
        workers = min(self.config.data.workers or max(1, (os.cpu_count() or 1) - 1), len(batches))
        loader: DataLoader = DataLoader(
            files,
            batch_sampler=batches,
            num_workers=workers,
            pin_memory=self.device.type == "cuda",
            collate_fn=_collate,
            generator=torch.Generator(),  # else it draws from torch's own, whose state a checkpoint keeps
        )
        for images, labels, bad in loader:
            for name in sorted(set(bad) - self._named):  # each once, though every epoch comes upon it
                self._named.add(name)
                self.on_bad_file(name)
            images = images.to(self.device, non_blocking=True)
            yield self._scaled(images), labels.to(self.device, non_blocking=True)


class _Files(Dataset):
    """Decoded images of a part by index: of an epoch, augmented, or as they are (epoch None)."""

    def __init__(self, part: datasets.DataPart, config: TrainConfig, epoch: int | None) -> None:
        assert part.paths is not None
        self.paths = part.paths
        self.labels = part.labels
        self.size = config.data.image_size
        self.augmentation = config.data.augmentation if epoch is not None else "none"
        if self.augmentation == "resized_crop":  # else each worker imports it, for seconds, at each epoch
            import torchvision.transforms.v2  # noqa: F401
        self.seed = config.seed
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int, list[str]]:
        """Return uint8 [H, W, 3], a label, and the files that could not be decoded and it stands in for."""
        bad: list[str] = []
        for offset in range(CORRUPT_IN_A_ROW):
            chosen = (index + offset) % len(self.paths)
            try:
                image = self._image(self.paths[chosen], chosen)
            except datasets.DataError as error:
                bad.append(str(error))
                continue
            return image, int(self.labels[chosen]), bad
        raise datasets.DataError(f"{CORRUPT_IN_A_ROW} files in a row are no images, from {self.paths[index]} on")

    def _image(self, path: Path, index: int) -> Tensor:
        if self.augmentation == "resized_crop":
            pixels = torch.from_numpy(datasets.decode(path, None).copy()).permute(2, 0, 1)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(_mix(self.seed, 2, (self.epoch or 0) * len(self.paths) + index))
                return _resized_crop(pixels, self.size).permute(1, 2, 0)
        pixels = torch.from_numpy(datasets.decode(path, self.size).copy())
        if self.augmentation == "flip":
            draw = np.random.default_rng((self.seed, self.epoch or 0, index)).random()
            return pixels.flip(1) if draw < 0.5 else pixels
        return pixels


def _resized_crop(pixels: Tensor, size: int) -> Tensor:
    """Return a random 8 to 100 % of an image [3, H, W], scaled to [3, size, size], half of the time mirrored."""
    from torchvision.transforms import v2

    cut = v2.RandomResizedCrop(size, antialias=True)(pixels)
    return cut.flip(-1) if torch.rand(()) < 0.5 else cut


def _collate(samples: list[tuple[Tensor, int, list[str]]]) -> tuple[Tensor, Tensor, list[str]]:
    images, labels, bad = zip(*samples)
    return torch.stack(images), torch.tensor(labels), [name for names in bad for name in names]


def _mix(seed: int, purpose: int, number: int) -> int:
    """Return a generator's seed for one purpose at one epoch or step; numpy's SeedSequence keeps them independent."""
    return int(np.random.SeedSequence((seed, purpose, number)).generate_state(1, np.uint64)[0] >> 1)
