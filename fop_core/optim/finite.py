"""Whether gradients and hypergradients are finite: computed on each device at every step, and polled later."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import torch
from torch import Tensor

from fop_core.optim import scalars
from fop_core.optim.async_flag import AsyncFlag, are_finite_here, finite
from fop_core.optim.stack import Layer, LayerUpdate

Member: TypeAlias = tuple[str, Tensor, Layer | str]
"""A parameter with its name, and its layer or why it has none."""


class FiniteFlags:
    """A flag for each parameter that has entries, on the parameter's device.

    Those of parameters without a layer count too: where one is not finite, the base is about to spoil the model.
    """

    def __init__(self) -> None:
        self._flags: dict[torch.device, tuple[AsyncFlag, list[int]]] = {}  # with the numbers of their parameters

    @property
    def devices(self) -> list[torch.device]:
        """Where there are parameters."""
        return list(self._flags)

    def add(self, members: Sequence[Member], first: int) -> None:
        """Make flags for the members from number ``first`` on; what others hold unpolled is kept."""
        for device in {parameter.device: None for _, parameter, _ in members[first:] if parameter.numel()}:
            here = [i for i, (_, p, _) in enumerate(members) if p.device == device and p.numel()]
            flag = AsyncFlag(len(here), device)
            if device in self._flags:
                before = self._flags[device][0]
                flag.ok[: len(before.ok)] = before.ok
            self._flags[device] = flag, here

    def check(
        self, updates: Sequence[LayerUpdate], members: Sequence[Member], gradients: Sequence[Tensor | None]
    ) -> dict[torch.device, Tensor]:
        """Return for each device, in a 0-d tensor there, 1 if all gradients and hypergradients on it are finite.

        Args:
            updates: of the layers that have a gradient.
            members: all parameters.
            gradients: theirs.
        """
        finite_on = {}
        updated: dict[Any, LayerUpdate] = {update.layer: update for update in updates}
        for device, (flag, numbers) in self._flags.items():
            checked, zero = [], None
            for index in numbers:
                gradient = gradients[index]
                if (update := updated.get(members[index][2])) is not None:
                    # a gradient that is not finite makes its hypergradient so
                    gradient = update.gradient if update.descent is None else update.descent
                if gradient is None:
                    gradient = zero = torch.zeros((), device=device) if zero is None else zero
                checked.append(gradient)
            dtypes = {tensor.dtype for tensor in checked}
            dtype = functools.reduce(torch.promote_types, dtypes, torch.float32)
            if device.type == "cpu" and are_finite_here(checked):
                finite_on[device] = scalars.number(1.0, dtype)
                continue
            ok = finite(checked)
            flag.keep(ok)
            flag.send()
            finite_on[device] = ok.all().to(dtype)
        return finite_on

    def raised(self, waiting: bool) -> list[int]:
        """Return the numbers of parameters with something that was not finite, and start afresh; see ``AsyncFlag``."""
        return [numbers[index] for flag, numbers in self._flags.values() for index in flag.raised(waiting)]


def all_finite(updates: Sequence[LayerUpdate], members: Sequence[Member]) -> bool:
    """Return whether all that the base would see, and all hypergradients, are finite. Waits for the device."""
    checked = [update.preconditioned for update in updates]
    checked += [update.descent for update in updates if update.descent is not None]
    checked += [p.grad for _, p, layer in members if isinstance(layer, str) and p.grad is not None]
    return are_finite(checked)


def are_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether all numbers of tensors, on any devices, are finite. Waits for the devices."""
    there: dict[torch.device, list[Tensor]] = {}
    for tensor in tensors:
        if tensor.numel():
            there.setdefault(tensor.device, []).append(tensor)
    return all(bool(finite(alike).all()) for alike in there.values())
