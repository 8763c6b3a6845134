"""From settings to what is trained: device, model, optimizer."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from fop_core.optim.fop import FOP
from fop_core.training import models
from fop_core.training.config import PLUGIN, OptimizerConfig, TrainConfig
from fop_core.training.muon import MuonAdamW
from fop_core.training.plugins import Plugins
from fop_core.training.tasks import Task, classification


class DeviceError(ValueError):
    """A device that is not there; the message says which are."""


@dataclass
class Built:
    """What is trained.

    Attributes:
        model: on its device.
        optimizer: what steps: ``fop``, or the base alone.
        fop: the same where it is FOP, else None.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    fop: FOP | None


def device(name: str) -> torch.device:
    """Return the device of a config's name; "auto" is the first GPU, or else the CPU.

    Raises:
        DeviceError: where it is not there.
    """
    there = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if name == "auto":
        return torch.device(there[0] if there else "cpu")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted.startswith("cuda") and wanted not in there:  # torch takes no number above 127
        listed = ", ".join(there) or "no GPU that torch can use, only cpu"
        raise DeviceError(f"device: {name} is not there; there is {listed}")
    return torch.device(wanted)


def build(
    config: TrainConfig,
    classes: int,
    where: torch.device,
    plugins: Plugins | None = None,
    data: Any = None,
    total_steps: int = 1,
) -> Built:
    """Return model and optimizer, the same for the same seed.

    Args:
        config: all settings.
        classes: how many the data have.
        where: the device.
        plugins: the files that the config names, imported.
        data: what ``make_model`` of a file gets; the task of the built-in data unless given.
        total_steps: of the run, for an optimizer of a file.

    Raises:
        PluginError: where a file makes something else than it should.
    """
    torch.manual_seed(config.seed)
    if config.model.name == PLUGIN:
        model = _named(plugins, "model").model(images(config, classes) if data is None else data)
    else:
        model = _model(config, classes)
    if config.model.name not in ("mlp", PLUGIN):
        model = model.to(memory_format=torch.channels_last)
    model = model.to(where)
    if config.optimizer.name == PLUGIN:
        base = _named(plugins, "optimizer").optimizer(list(model.named_parameters()), total_steps)
    else:
        base = _base(config.optimizer, model, where)
    if config.fop is None:
        return Built(model, base, None)
    fop = FOP(base, seed=config.seed, **config.fop.model_dump())
    return Built(model, fop, fop)


def images(config: TrainConfig, classes: int) -> Task:
    """Return the task that built-in data set."""
    size = config.data.image_size
    return classification((1 if config.data.name == "mnist" else 3, size, size), classes)


def _named(plugins: Plugins | None, part: str) -> Plugins:
    if plugins is None or part not in plugins:
        raise ValueError(f"the {part} is made by a file of its own, which is imported by a trainer alone")
    return plugins


def _model(config: TrainConfig, classes: int) -> nn.Module:
    chosen = config.model
    if chosen.name == "mlp":
        return models.mnist_mlp(max(1, round(100 * chosen.width)))
    if chosen.name == "all-cnn":
        return models.all_cnn(classes, chosen.width, chosen.batch_norm)
    return models.resnet18(classes)


def _base(chosen: OptimizerConfig, model: nn.Module, where: torch.device) -> torch.optim.Optimizer:
    named = list(model.named_parameters())
    common: dict[str, Any] = {"lr": chosen.lr, "weight_decay": chosen.weight_decay}
    if chosen.name == "sgd":
        own: dict[str, Any] = {"momentum": chosen.momentum, "nesterov": chosen.nesterov, "dampening": chosen.dampening}
        return torch.optim.SGD(named, **common, **own)
    if chosen.name == "rmsprop":
        return torch.optim.RMSprop(named, **common, momentum=chosen.momentum, alpha=chosen.alpha, eps=chosen.eps)
    if chosen.name == "muon":
        return MuonAdamW(named, **common, momentum=chosen.momentum, nesterov=chosen.nesterov)
    adams: dict[str, Any] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "nadam": torch.optim.NAdam}
    if chosen.name in adams:
        return adams[chosen.name](named, **common, betas=(chosen.beta1, chosen.beta2), eps=chosen.eps)
    from fop_core.training import rivals  # which takes a moment to import

    return rivals.make(chosen, named)


def total_steps(config: TrainConfig, steps_in_epoch: int) -> int:
    """Return the steps of the whole run."""
    return config.total_steps(steps_in_epoch)


def snapshot_steps(count: int, total: int) -> list[int]:
    """Return the steps after which M is kept: 0 and the last, a third of ``count`` log-spaced early, the rest regular.

    The early ones cover the first tenth of the run, where M moves fastest; where several fall on one step it counts
    once. With ``count`` 0 it is the last alone.
    """
    if count == 0:
        return [total]
    early, regular = count // 3, count - count // 3
    tenth = max(1, total // 10)
    logarithmic = {round(tenth ** (index / max(1, early - 1))) for index in range(early)}
    linear = {round(total * index / regular) for index in range(regular + 1)}
    return sorted(step for step in logarithmic | linear | {0, total} if step <= total)


def deep_steps(steps: list[int], count: int = 12) -> set[int]:
    """Return about ``count`` of the snapshot steps, evenly, first and last among them: for what takes long."""
    spread = {round(index * (len(steps) - 1) / max(1, count - 1)) for index in range(count)}
    return {steps[index] for index in spread}


@contextlib.contextmanager
def threads(count: int) -> Iterator[int]:
    """Set torch's CPU threads for a while, and numpy's, 0 for their own choice; give how many torch has."""
    before = torch.get_num_threads()
    if count:
        torch.set_num_threads(count)
    try:
        with threadpool_limits(count or None, "blas"):  # else spectra of M take all cores
            yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
