"""What FOP refuses: options out of range, parameters it cannot precondition, rates of the base that are no numbers."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from fop_core.optim import layouts
from fop_core.optim.conflicts import conflicts
from fop_core.optim.forms import FORMS
from fop_core.optim.preconditioners import PRECONDITIONERS


def one_of(name: str, value: Any, allowed: Iterable[Any]) -> None:
    """Raise ValueError for a value that is not one of those allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {value!r}: give one of {', '.join(map(repr, allowed))}")


def at_least(name: str, value: Any, least: float, *, whole: bool = False) -> None:
    """Raise ValueError for what is not a finite number, or a smaller one."""
    if not is_number(value) or (whole and not isinstance(value, int)) or not value >= least:
        raise ValueError(f"{name} is {value!r}: give {'a whole' if whole else 'a finite'} number of at least {least}")


def is_number(value: Any) -> bool:
    """Whether a value is a number of Python's own that is finite as a float; True and False are none."""
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # of an int
        return False


def _trace(name: str, value: Any) -> None:
    if isinstance(value, str):
        one_of(name, value, ("velocity", "one_step"))
    elif not (is_number(value) and 0 <= value <= 1):
        raise ValueError(f'{name} is {value!r}: give "velocity", "one_step" or a number in [0, 1]')


def _rescale(name: str, value: Any) -> None:
    if value is not None and not (is_number(value) and value > 0):
        raise ValueError(f"{name} is {value!r}: give a positive norm, or None")


def _scale(name: str, value: Any) -> None:
    if not (is_number(value) and value > 0):
        raise ValueError(f"{name} is {value!r}: give a positive number")


def _bounds(name: str, value: Any) -> None:
    pair = isinstance(value, (tuple, list)) and len(value) == 2 and all(map(is_number, value))
    if not (pair and 0 < value[0] <= 1 <= value[1]):
        raise ValueError(f"{name} is {value!r}: give the least and the most, positive, with 1 between them")


def _dim(name: str, value: Any) -> None:
    if value is not None:
        at_least(name, value, 1, whole=True)


def _flag(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}: give True or False")


OPTIONS: dict[str, Callable[[str, Any], None]] = {
    "preconditioner": lambda name, value: one_of(name, value, PRECONDITIONERS),
    "layout": lambda name, value: one_of(name, value, layouts.NAMES),
    "on_nonfinite": lambda name, value: one_of(name, value, ("raise", "skip")),
    "hyper_lr": lambda name, value: at_least(name, value, 0),
    "rank": lambda name, value: at_least(name, value, 1, whole=True),
    "init_std": lambda name, value: at_least(name, value, 0),
    "seed": lambda name, value: at_least(name, value, 0, whole=True),
    "update_every": lambda name, value: at_least(name, value, 1, whole=True),
    "max_dim": _dim,
    "apply": lambda name, value: one_of(name, value, ("before", "after")),
    "feedback": lambda name, value: one_of(name, value, ("hypergradient", "osgm")),
    "derivative": lambda name, value: one_of(name, value, ("exact", "root")),
    "init_scale": _scale,
    "hyper_lr_step": lambda name, value: at_least(name, value, 0),
    "hyper_lr_bounds": _bounds,
    "hyper_eps": lambda name, value: at_least(name, value, 0),
    "trace": _trace,
    "rescale": _rescale,
    "normalized": _flag,
    "guard": _flag,
}
"""FOP's options by name: each a function of name and value that raises ValueError where the value is out of range."""

NAMED = (
    "preconditioner",
    "layout",
    "normalized",
    "rescale",
    "trace",
    "apply",
    "feedback",
    "derivative",
    "hyper_optimizer",
    "hyper_eps",
    "hyper_lr_step",
    "guard",
)
"""Options that a state names: what P is made of M, what u is, and by what equation M is learned, and from what.

The others may be changed between two runs: ``hyper_lr``, ``hyper_lr_bounds`` and ``update_every``, what becomes of
numbers that are not finite, and what only a start reads (``rank``, ``init_std``, ``init_scale``, ``seed``, ``max_dim``;
a state of another rank, or of other layers, is refused by its shapes).
"""


def together(options: Mapping[str, Any], hyper_optimizer: Any) -> None:
    """Raise ValueError for options that do not go together, each of which is right by itself."""
    for name, why in conflicts(options):
        raise ValueError(f"{name} {why}")
    if options["hyper_lr_step"] and callable(hyper_optimizer):
        raise ValueError("hyper_lr_step needs a hyper_optimizer by name: a callable's rates are its own")
    if options["guard"]:
        form = FORMS[options["preconditioner"]]
        if options["normalized"] or options["rescale"] is not None:
            raise ValueError("guard has P get shorter where a step went too far: not with normalized or rescale")
        if not form.learns:
            raise ValueError(f"guard learns of the steps that it undoes: {form.name!r} learns nothing")


def parameter(name: str, value: Tensor) -> None:
    """Raise TypeError for a parameter that FOP cannot precondition."""
    sharded = {"DTensor", "ShardedTensor", "FlatParameter"}
    marks = "_is_flat_param", "_fsdp_flattened"  # the latter on those of FSDP with use_orig_params
    if any(kind.__name__ in sharded for kind in type(value).__mro__) or any(hasattr(value, mark) for mark in marks):
        raise TypeError(
            f"{name!r} is sharded, as by FSDP or as a DTensor: FOP needs whole parameters, as DistributedDataParallel "
            "keeps them"
        )
    if value.is_complex() or value.layout != torch.strided:
        raise TypeError(f"{name!r} is complex or sparse: FOP takes dense real parameters")


def gradient(name: str, value: Tensor | None) -> None:
    """Raise TypeError for a gradient that FOP cannot precondition."""
    if value is not None and (value.layout is not torch.strided or value.is_complex()):
        raise TypeError(f"the gradient of {name!r} is sparse or complex: FOP takes dense real ones")


def rate(where: str, name: str, value: Any, most: float = math.inf, *, least: float = -math.inf) -> None:
    """Raise ValueError for a rate that is no number. One in a tensor is taken: reading it would wait for the device.

    Args:
        where: whose it is, as "parameter group 0".
        name: what the base calls it.
        value: the rate.
        most: the largest that it may be.
        least: the smallest.
    """
    if isinstance(value, Tensor) and value.numel() == 1:
        return
    if not is_number(value) or not least <= value <= most:
        ends = f" in [{least:g}, {most:g}]" if math.isfinite(most) else ""
        raise ValueError(f"{name} is {value!r} in {where}: give a finite number{ends}")
