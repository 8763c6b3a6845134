"""Weights that are for evaluation alone: those of an optimizer that trains at one point and answers with another.

    with averaged(model, optimizer, passes):
        ...                                     the model as it is to be evaluated, in evaluation mode

Schedule-Free trains at y and answers with x, an average. Afterwards all is as it was, bit for bit: to go from y to x
and back by arithmetic would round.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

BATCHES = 50  # from which BatchNorm's statistics are taken at x, as many as its authors take


@contextlib.contextmanager
def averaged(model: nn.Module, optimizer: Optimizer, passes: Callable[[], Iterable[Any]]) -> Iterator[None]:
    """Have a model as it is to be evaluated, for a while.

    BatchNorm's running statistics are those of the weights that it was trained at: where others are put in, they are
    taken again from batches of the training set.

    Args:
        model: the model, in training mode.
        optimizer: what trains it. One with a method ``eval`` has other weights to put in, as ``schedulefree`` does it.
        passes: gives an iterator, of which each item is a forward pass over a batch of the training set.
    """
    put_in = getattr(optimizer, "eval", None)
    if put_in is None:
        model.eval()
        yield
        model.train()
        return
    kept = [tensor.detach().clone() for tensor in (*model.parameters(), *model.buffers())]
    modes = [group["train_mode"] for group in optimizer.param_groups]
    put_in()
    try:
        _take_statistics(model, passes)
        model.eval()
        yield
    finally:
        model.train()
        with torch.no_grad():
            for tensor, before in zip((*model.parameters(), *model.buffers()), kept):
                tensor.copy_(before)
        for group, mode in zip(optimizer.param_groups, modes):
            group["train_mode"] = mode


@torch.no_grad()
def _take_statistics(model: nn.Module, passes: Callable[[], Iterable[Any]]) -> None:
    """Set BatchNorm's running statistics to their mean over forward passes, at the weights as they are."""
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean
    for _ in itertools.islice(passes(), BATCHES):
        pass
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
