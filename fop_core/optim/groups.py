"""What FOP reads in the parameter groups of its base: rates of a step, options of a group, parameters that are new."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer

from fop_core.optim import checks
from fop_core.optim.forms import FORMS

Group = Mapping[str, Any]

OPTIONS = ("hyper_lr", "rank", "trace", "update_every", "preconditioner")
"""Options of FOP that a group may have of its own, as a key of it; one without the key has FOP's.

``preconditioner`` is None there, which leaves the group to the base, or FOP's own: one FOP has one form of P. That and
``rank`` are read when the group is new, the others at each step. A key that is an option of the base, by its
``defaults``, is the base's.
"""


class Defaults(Protocol):
    """What is read of FOP."""

    base: Optimizer
    preconditioner: Any
    hyper_lr: float
    rank: int
    trace: Any
    update_every: int
    apply: Any


class Rates(NamedTuple):
    """What one step of a group is taken with.

    Attributes:
        lr: eps, the learning rate, a number or a copy of a tensor.
        decay: lambda, by which u decays.
        dampening: tau.
        nesterov: whether the momentum is Nesterov's.
        hyper_lr: rho; 0 freezes the M of the group.
        update_every: M learns at every so many steps.
    """

    lr: Any
    decay: Any
    dampening: Any
    nesterov: bool
    hyper_lr: float
    update_every: int


def own_options(group: Group, base: Optimizer) -> dict[str, Any]:
    """Return which of ``OPTIONS`` a group has of its own."""
    return {name: group[name] for name in OPTIONS if name in group and name not in base.defaults}


def option(name: str, group: Group, fop: Defaults) -> Any:
    """Return what an option of ``OPTIONS`` is in a group: the group's own, or FOP's."""
    return group[name] if name in group and name not in fop.base.defaults else getattr(fop, name)


def check_options(number: int, group: Group, fop: Defaults) -> None:
    """Raise ValueError for an option of FOP in a group that is out of range there, or that no group can have.

    Args:
        number: of the group.
        group: the group.
        fop: the optimizer.
    """
    where = f"of parameter group {number}"
    whole = (checks.OPTIONS.keys() | {"hyper_optimizer"}) - set(OPTIONS)
    if wrong := sorted((group.keys() & whole) - fop.base.defaults.keys()):
        raise ValueError(
            f"{wrong[0]} is an option of FOP as a whole, and parameter group {number} has it: give it to FOP. A group "
            f"may have {', '.join(OPTIONS)}"
        )
    own = own_options(group, fop.base)
    for name, value in own.items():
        if name != "preconditioner":
            checks.OPTIONS[name](f"{name} {where}", value)
        elif value is not None and value != fop.preconditioner:
            raise ValueError(
                f"preconditioner {where} is {value!r}: give None, which leaves the group to the base, or "
                f"{fop.preconditioner!r}, which FOP is made with. Another form needs a FOP of its own"
            )
    if "rank" in own and not FORMS[fop.preconditioner].has_rank:
        raise ValueError(f"rank {where} is {own['rank']!r}: {fop.preconditioner!r} has none, leave it out")
    if own.get("trace", "velocity") != "velocity" and fop.apply == "after":
        raise ValueError(f'trace {where} is {own["trace"]!r}: apply="after" has none, leave it out')


def starts(group: Group, base: Optimizer) -> dict[str, Any]:
    """Return which options a group has that are read when it is new, and no more."""
    return {name: value for name, value in own_options(group, base).items() if name in ("rank", "preconditioner")}


def check_starts(number: int, group: Group, made: Mapping[str, Any], base: Optimizer) -> None:
    """Raise ValueError where an option was changed in a group that has its M already.

    Args:
        number: of the group.
        group: the group.
        made: its ``starts`` when its M were made.
        base: the base.
    """
    if (now := starts(group, base)) != made:
        name = next(name for name in {**made, **now} if made.get(name, made) != now.get(name, now))
        then, value = (repr(each[name]) if name in each else "not there" for each in (made, now))
        raise ValueError(
            f"{name} of parameter group {number} is {value} and was {then} when its M was made, where it counts: put "
            "it back. hyper_lr=0 freezes M; a new FOP around the base takes load_factors(old.factors())"
        )


def rates(number: int, group: Group, fop: Defaults) -> Rates:
    """Return the rates of a group as they are now.

    Args:
        number: of the group.
        group: the group.
        fop: the optimizer.

    Raises:
        ValueError: for one that is no number, or an option of FOP that is out of range.
    """
    check_options(number, group, fop)
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
    trace = option("trace", group, fop)
    decay = {"velocity": momentum, "one_step": 0.0}.get(trace, trace)
    if dampening and not momentum:  # a base without momentum has no use for it
        dampening = 0.0
    rate = rate.clone() if isinstance(rate, Tensor) else rate
    hyper_lr, update_every = option("hyper_lr", group, fop), option("update_every", group, fop)
    return Rates(rate, decay, dampening, bool(group.get("nesterov", False)), hyper_lr, update_every)


def without_momentum(groups: Sequence[Group], fop: Defaults) -> list[str]:
    """Return a sentence for the groups whose trace follows a momentum that they do not name: lambda is 0 there.

    A base of somebody's own may call its momentum otherwise, and nothing else would say that it is not seen.
    """
    unnamed = [
        str(number)
        for number, group in enumerate(groups)
        if fop.apply == "before"
        and option("trace", group, fop) == "velocity"
        and "momentum" not in group
        and "betas" not in group
    ]
    if not unnamed:
        return []
    return [
        f"trace of parameter group {', '.join(unnamed)}: lambda = 0, the last gradient alone, since there is neither "
        "momentum nor betas in it; name one, or give a number, as trace=0.9"
    ]


_READ = ("lr", "momentum", "betas", "dampening", "nesterov", *OPTIONS)


class RatesReader:
    """The rates of all groups at each step. A group is looked at again only where something in it is another object."""

    def __init__(self) -> None:
        self._last: list[tuple[list[Any] | None, Rates]] = []

    def read(self, groups: Sequence[Group], made: Sequence[Mapping[str, Any]], fop: Defaults) -> list[Rates]:
        """Return the rates of the groups as they are now.

        Args:
            groups: of the base.
            made: their ``starts`` when their M were made.
            fop: the optimizer.

        Raises:
            ValueError: for a rate that is no number, or an option that is out of range or was changed too late.
        """
        last, self._last = self._last, []
        read = []
        for number, group in enumerate(groups):
            present = [len(group), *map(group.get, _READ), fop.hyper_lr, fop.trace, fop.update_every]
            before, now = last[number] if number < len(last) else (None, None)
            if now is None or before is None or not all(map(operator.is_, present, before)):
                check_starts(number, group, made[number], fop.base)
                now = rates(number, group, fop)
                before = present if all(map(_is_fixed, present)) else None
            read.append((before, now))
        self._last = read
        return [now for _, now in read]


def _is_fixed(value: Any) -> bool:
    """Whether an object has one value for good: a tensor or a list may be changed in place."""
    return all(map(_is_fixed, value)) if type(value) is tuple else isinstance(value, (int, float, str, type(None)))


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
    groups: Sequence[Group], known: Sequence[Tensor], names: Iterable[str], sizes: Sequence[int], fop: Defaults
) -> list[tuple[int, str, Tensor]]:
    """Return number of the group, name and parameter of all in groups that are new.

    Args:
        groups: of the base.
        known: the parameters of the first groups, in order.
        names: theirs.
        sizes: of those groups.
        fop: the optimizer.

    Raises:
        ValueError: where groups were taken away or replaced, for a name that is there already, a wrong rate or option.
        TypeError: for a parameter that cannot be preconditioned.
    """
    old = len(sizes)
    there = [parameter for group in groups[:old] for parameter in group["params"]]
    same = all(map(operator.is_, known, there))
    if not same or [len(group["params"]) for group in groups[:old]] != sizes:
        raise ValueError(
            "the base's param_groups are no longer those that FOP was made with: they may be added to, not taken "
            "away, replaced or reordered. Put them back, or make a new FOP around the base and give it "
            "load_factors(old.factors())"
        )
    if len(groups) == old:
        return []
    new: list[tuple[int, str, Tensor]] = []
    used = set(names)
    for number, group in enumerate(groups[old:], old):
        rates(number, group, fop)
        numbers = range(len(known) + len(new), len(known) + len(new) + len(group["params"]))
        for name, parameter in zip(map(str, group.get("param_names", numbers)), group["params"], strict=True):
            if name in used:
                raise ValueError(
                    f"two parameters are named {name!r}: give each a name of its own, as keys of factors()"
                )
            checks.parameter(name, parameter)
            used.add(name)
            new.append((number, name, parameter))
    return new
