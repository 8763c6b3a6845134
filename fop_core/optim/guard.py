"""Steps that are tried first: undone where they raise a loss that is a function of the parameters alone.

``Guard`` knows loss and gradients where the parameters are, so that a step costs one evaluation, at the trial. ``Undo``
holds what a step changes beside M and what learns M.
"""

import contextlib
import copy
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook
from torch.optim import Optimizer

from fop_core.optim import checks
from fop_core.optim.finite import Member, are_finite
from fop_core.optim.stack import Layer

MOST_IN_A_ROW = 10
"""So many undone steps in a row are an error."""
BATCH_NORMS = (
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm),
    *(nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d),
)
DROPOUTS = nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout


@dataclass
class Point:
    """What a closure gave where the parameters were.

    Attributes:
        loss: what it returned, without its graph.
        value: the same as a number.
        gradients: copies of the parameters' gradients, None where there was none.
        is_finite: whether the loss and all gradients are.
    """

    loss: Any
    value: float
    gradients: list[Tensor | None]
    is_finite: bool

    def put(self, members: Sequence[Member]) -> None:
        """Make copies of the gradients the parameters' own."""
        for (_, parameter, _), gradient in zip(members, self.gradients):
            parameter.grad = None if gradient is None else gradient.clone()


class Guard:
    """Evaluates closures, and counts the steps that are undone in a row.

    Args:
        in_a_row: how many the last steps were.
    """

    def __init__(self, in_a_row: int = 0) -> None:
        self.in_a_row = in_a_row
        self._known: Point | None = None  # where the parameters are, as long as these are what ``_contents`` says
        self._contents: list[tuple[int, int]] = []
        self._is_checked = False

    def start(self, closure: Callable[[], Any], members: Sequence[Member]) -> Point:
        """Return what the closure gives where the parameters are. Evaluates it where that is not known, or once more.

        Once, at the first point that is known from a step before, it is evaluated again: a closure that has drawn new
        images since, or a dropout in a function, gives another loss there.

        Raises:
            TypeError: for one that returns no loss.
            ValueError: for a loss that is no function of the parameters alone.
            FloatingPointError: where loss or gradients are not finite.
        """
        known = self._known
        if known is None or self._contents != _contents(members):
            known = self.evaluate(closure, members)
            if not known.is_finite:
                raise FloatingPointError(
                    f"the loss is {known.value!r}, or a gradient is not finite, where the step starts: guard undoes a "
                    "step, it does not mend a start. Give the parameters other values"
                )
        elif not self._is_checked:
            again = self.evaluate(closure, members).value
            near = torch.finfo(known.loss.dtype if isinstance(known.loss, Tensor) else torch.float64).eps ** 0.5
            if not abs(again - known.value) <= near * max(abs(again), abs(known.value)):
                raise ValueError(
                    f"the loss was {known.value!r} and is {again!r} now, at the same parameters: guard compares losses "
                    "that are a function of the parameters alone, over all data at every step, without dropout"
                )
            self._is_checked = True
        return known

    def evaluate(self, closure: Callable[[], Any], members: Sequence[Member]) -> Point:
        """Return what a closure gives where the parameters are now; waits for the device.

        Raises:
            TypeError: for one that returns no loss, or leaves a sparse or complex gradient.
            ValueError: for a network with dropout or batch statistics in training mode.
        """
        for _, parameter, _ in members:
            parameter.grad = None
        with torch.enable_grad(), _without_chance():
            loss = closure()
        if isinstance(loss, Tensor):
            loss = loss.detach().clone()
        single = isinstance(loss, Tensor) and loss.numel() == 1 and loss.is_floating_point()
        if not single and (isinstance(loss, bool) or not isinstance(loss, (int, float))):
            raise TypeError(f"the closure returned {loss!r}: guard compares losses, return one number")
        gradients: list[Tensor | None] = []
        for name, parameter, _ in members:
            checks.gradient(name, parameter.grad)
            gradients.append(None if parameter.grad is None else parameter.grad.clone())
        value = float(loss)
        is_finite = math.isfinite(value) and are_finite(gradient for gradient in gradients if gradient is not None)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            value, is_finite = _of_all_processes(value, is_finite, members[0][1].device)
            loss = loss.new_tensor(value).reshape(loss.shape) if isinstance(loss, Tensor) else value
        return Point(loss, value, gradients, is_finite)

    def settle(self, point: Point, undone: bool, members: Sequence[Member]) -> Any:
        """Note where a step ended, and return its loss.

        Raises:
            RuntimeError: for the last of ``MOST_IN_A_ROW`` steps that were undone.
        """
        self._known, self._contents = point, _contents(members)
        self.in_a_row = self.in_a_row + 1 if undone else 0
        if self.in_a_row < MOST_IN_A_ROW:
            return point.loss
        self.in_a_row = 0
        raise RuntimeError(
            f"{MOST_IN_A_ROW} steps in a row would have raised the loss from {point.value:.9g}, and were undone: the "
            "parameters are where it was lowest. It may be a minimum but for rounding. If not, lower the base's "
            "learning rate, at which parameters without a P move too, or its momentum, which goes on whatever P is; or "
            "raise hyper_lr, by which P gets shorter"
        )

    def tensors(self) -> list[Tensor]:
        """Return what is kept from step to step."""
        return [g for g in self._known.gradients if g is not None] if self._known is not None else []

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_known": None, "_contents": []}  # evaluated again, over the copied parameters


def _of_all_processes(value: float, is_finite: bool, device: torch.device) -> tuple[float, bool]:
    """Return the mean of a loss over all processes, and whether all numbers are finite in all of them.

    ``DistributedDataParallel`` averages gradients, not losses: without this each process would judge by its own images,
    undo other steps, and soon have other parameters.
    """
    numbers = torch.tensor([value, float(is_finite)], dtype=torch.float64, device=device)
    torch.distributed.all_reduce(numbers)
    count = torch.distributed.get_world_size()
    total, agreed = numbers.tolist()
    return total / count, agreed == count


def _contents(members: Sequence[Member]) -> list[tuple[int, int]]:
    """Return what changes with the parameters' numbers, unless these are changed in place through ``.data``."""
    return [(parameter._version, parameter.data_ptr()) for _, parameter, _ in members]


@contextlib.contextmanager
def _without_chance() -> Iterator[None]:
    """Refuse networks with dropout or batch statistics, by name, as soon as one is called; those of this thread."""
    visited: set[int] = set()
    thread = threading.get_ident()

    def visit(network: nn.Module, inputs: Any) -> None:
        if id(network) in visited or threading.get_ident() != thread:
            return
        for name, module in network.named_modules():
            visited.add(id(module))
            if module.training and (isinstance(module, BATCH_NORMS) or (isinstance(module, DROPOUTS) and module.p)):
                raise ValueError(
                    f"{name or type(network).__name__!r} is {module} in training mode: with guard the loss has to be a "
                    "function of the parameters alone. Put it in eval mode, or leave guard out"
                )

    handle = register_module_forward_pre_hook(visit)
    try:
        yield
    finally:
        handle.remove()


class Undo:
    """What a step of a base changes, as it was: parameters, the base's state and options, each layer's u and eps.

    What a base keeps elsewhere than in ``state`` and ``param_groups`` is not among them.
    """

    def __init__(self, base: Optimizer, members: Sequence[Member]) -> None:
        self._base = base
        self._parameters = [(parameter, parameter.clone()) for _, parameter, _ in members]
        memo: dict[int, Any] = {id(parameter): parameter for _, parameter, _ in members}  # keys, and not to be copied
        self._state = copy.deepcopy(dict(base.state), memo)
        self._groups = [
            {name: copy.deepcopy(value, memo) for name, value in group.items() if name != "params"}
            for group in base.param_groups
        ]
        self._layers = [
            (layer, _copied(layer.trace), _copied(layer.nesterov_trace), _copied(layer.epsilon))
            for _, _, layer in members
            if isinstance(layer, Layer)
        ]

    def restore(self) -> None:
        """Make all of it as it was."""
        for parameter, before in self._parameters:
            parameter.copy_(before)
        self._base.state.clear()
        self._base.state.update(self._state)
        for group, options in zip(self._base.param_groups, self._groups):
            for name in group.keys() - options.keys() - {"params"}:
                del group[name]
            for name, value in options.items():
                now = group.get(name)
                if isinstance(value, Tensor) and isinstance(now, Tensor):  # the user's own, as a rate in a tensor
                    now.copy_(value)
                else:
                    group[name] = value
        for layer, trace, nesterov_trace, epsilon in self._layers:
            layer.trace, layer.nesterov_trace, layer.epsilon = trace, nesterov_trace, epsilon


def _copied(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value


def shortened(gradient: Tensor, most: Tensor) -> Tensor:
    """Return a gradient, no longer than another one; its own squares may overflow."""
    largest = gradient.abs().amax()
    direction = gradient / largest
    length, limit = torch.linalg.vector_norm(direction), torch.linalg.vector_norm(most)
    return torch.where(largest * length > limit, direction * (limit / length), gradient)
