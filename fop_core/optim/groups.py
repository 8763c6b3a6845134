"""What FOP reads in the parameter groups of its base: the rates of a step, and parameters that are new."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from fop_core.optim import checks

Group = Mapping[str, Any]


class Rates(NamedTuple):
    """What one step of a group is taken with.

    Attributes:
        lr: eps, the learning rate, a number or a copy of a tensor.
        decay: lambda, by which u decays.
        dampening: tau.
        nesterov: whether the momentum is Nesterov's.
    """

    lr: Any
    decay: Any
    dampening: Any
    nesterov: bool


def rates(number: int, group: Group, trace: str | float) -> Rates:
    """Return the rates of a group as they are now.

    Args:
        number: of the group.
        group: the group.
        trace: FOP's option of that name.

    Raises:
        ValueError: for one that is no number.
    """
    where = f"parameter group {number}"
    name = "momentum" if "momentum" in group or "betas" not in group else "betas"
    momentum = group.get(name, 0.0)
    if name == "betas":
        if not isinstance(momentum, (tuple, list)) or not momentum:
            raise ValueError(f"betas is {momentum!r} in {where}: give a pair of numbers")
        momentum = momentum[0]
    rate, dampening = group.get("lr"), group.get("dampening", 0.0)
    checks.rate(where, "lr", rate)
    checks.rate(where, name, momentum, least=0, most=1)
    checks.rate(where, "dampening", dampening)
    decay = {"velocity": momentum, "one_step": 0.0}.get(trace, trace)  # type: ignore[arg-type]
    if dampening and not momentum:  # a base without momentum has no use for it
        dampening = 0.0
    rate = rate.clone() if isinstance(rate, Tensor) else rate
    return Rates(rate, decay, dampening, bool(group.get("nesterov", False)))


def decoupled_decay(base: Optimizer, group: Group) -> Any:
    """Return the share of each parameter that a step of the base takes away beside its own step; 0.0 for none.

    An L2 penalty is none: it is part of the gradient.

    Args:
        base: of ``torch.optim``, or one that says ``weight_decouple`` as those of pytorch-optimizer do.
        group: one of its groups.
    """
    decay = group.get("weight_decay", 0.0)
    if group.get("weight_decouple", False):
        return decay if group.get("fixed_decay", False) else group["lr"] * decay
    kinds = torch.optim.AdamW, torch.optim.Muon, torch.optim.Adafactor
    if decay and (group.get("decoupled_weight_decay", False) or isinstance(base, kinds)):
        return group["lr"] * decay
    return 0.0


def new_parameters(
    groups: Sequence[Group], known: Mapping[str, Tensor], sizes: Sequence[int], trace: str | float
) -> list[tuple[int, str, Tensor]]:
    """Return number of the group, name and parameter of all in groups that are new.

    Args:
        groups: of the base.
        known: the parameters of the first groups by their names, in order.
        sizes: of those groups.
        trace: FOP's option of that name.

    Raises:
        ValueError: where groups were taken away or replaced, for a name that is there already, or a wrong rate.
        TypeError: for a parameter that cannot be preconditioned.
    """
    old = len(sizes)
    there = [parameter for group in groups[:old] for parameter in group["params"]]
    same = all(map(operator.is_, known.values(), there))
    if [len(group["params"]) for group in groups[:old]] != list(sizes) or not same:
        raise ValueError(
            "the base's param_groups are no longer those that FOP was made with: they may be added to, not taken "
            "away, replaced or reordered. Put them back, or make a new FOP around the base and give it "
            "load_factors(old.factors())"
        )
    if len(groups) == old:
        return []
    new: list[tuple[int, str, Tensor]] = []
    names = set(known)
    for number, group in enumerate(groups[old:], old):
        rates(number, group, trace)
        numbers = range(len(known) + len(new), len(known) + len(new) + len(group["params"]))
        for name, parameter in zip(map(str, group.get("param_names", numbers)), group["params"], strict=True):
            if name in names:
                raise ValueError(
                    f"two parameters are named {name!r}: give each a name of its own, as keys of factors()"
                )
            checks.parameter(name, parameter)
            names.add(name)
            new.append((number, name, parameter))
    return new
