"""Batches of data that a plug-in makes: tensors, kept on the device, or a torch Dataset, asked sample by sample."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset

from fop_core.training.batches import EVALUATED, Batch, Feed
from fop_core.training.config import TrainConfig
from fop_core.training.datasets import DataError
from fop_core.training.plugins import Data, Part, kind


@dataclass(frozen=True)
class Split:
    """What is learned from, and what is measured on.

    Attributes:
        train: what is learned from.
        test: what is measured on; None for nothing.
        measured_on: "test" or "held_out": the prefix of the columns.
    """

    train: Part
    test: Part | None
    measured_on: str


def split(data: Data, held_out: float) -> Split:
    """Return the data as they are, or with a share of the training set held out in the test set's place.

    The same places of the training set are held out for all seeds. These are the same samples where ``make_data`` makes
    the same training set of every seed, in the same order.

    Raises:
        DataError: where nothing would be left to learn from.
    """
    if not held_out:
        return Split(data.train, data.test, "test")
    number = count(data.train)
    order = np.random.default_rng(0).permutation(number)
    kept = max(1, round(held_out * number))
    if kept == number:
        raise DataError(f"of one sample nothing can be held out (data.held_out = {held_out})")
    return Split(_take(data.train, np.sort(order[kept:])), _take(data.train, np.sort(order[:kept])), "held_out")


def count(part: Part) -> int:
    """Return how many samples there are."""
    return len(part[0]) if isinstance(part, tuple) else len(part)  # type: ignore[arg-type]


def _take(part: Part, chosen: np.ndarray) -> Part:
    if isinstance(part, tuple):
        index = torch.from_numpy(chosen)
        return part[0][index], part[1][index]
    return Subset(part, chosen.tolist())


class OwnFeed(Feed):
    """Batches of one's own data.

    Args:
        data: the data.
        config: batch size, seed, and the processes that read a Dataset: none unless given.
        device: where the batches go.
    """

    def __init__(self, data: Split, config: TrainConfig, device: torch.device) -> None:
        super().__init__(count(data.train), config, device)
        self._train, self._test = self._on_device(data.train), None if data.test is None else self._on_device(data.test)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, counted from 0, from its step ``start`` on."""
        if isinstance(self._train, tuple):
            samples, targets = self._train
            for chosen in self._batches(number, start, self.device):
                yield samples[chosen], targets[chosen]
        else:
            batches = [chosen.tolist() for chosen in self._batches(number, start, torch.device("cpu"))]
            yield from self._loaded(self._train, batches)

    def test(self) -> Iterator[Batch]:
        """Yield what is measured on, in order and as it is."""
        if self._test is None:
            return
        chosen = list(torch.arange(count(self._test)).split(min(self.config.batch_size, EVALUATED)))
        if isinstance(self._test, tuple):
            samples, targets = self._test
            for some in chosen:
                yield samples[some[0] : some[-1] + 1], targets[some[0] : some[-1] + 1]
        else:
            yield from self._loaded(self._test, [each.tolist() for each in chosen])

    def _on_device(self, part: Part) -> Part:
        return tuple(each.to(self.device) for each in part) if isinstance(part, tuple) else part  # type: ignore[return-value]

    def _loaded(self, part: "Dataset", batches: list[list[int]]) -> Iterator[Batch]:
        loader: DataLoader = DataLoader(
            part,
            batch_sampler=batches,
            num_workers=min(self.config.data.workers, len(batches)),
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # else it draws from torch's own, whose state a checkpoint keeps
        )
        for batch in loader:
            if not (isinstance(batch, list) and len(batch) == 2 and all(isinstance(each, Tensor) for each in batch)):
                raise DataError(
                    f"the Dataset's items make a batch that is {kind(batch)}: pairs (sample, target) of "
                    "tensors or numbers are expected"
                )
            samples, targets = batch
            yield samples.to(self.device, non_blocking=True), targets.to(self.device, non_blocking=True)
