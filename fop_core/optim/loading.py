"""Whether a saved state fits, looked at as a whole before any of it is taken; and taking all of it or none."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from fop_core.optim import checks
from fop_core.optim.groups import Group, own_options
from fop_core.optim.stack import Layer

TRACES = {"trace", "ahead"}
"""What a layer has from its first gradient on, in its parameter's shape."""


def check_fop(
    own: Any,
    layers: Mapping[int, Layer],
    options: Mapping[str, Any],
    hyper_optimizers: int | None,
    counts: Sequence[str] = (),
) -> None:
    """Raise ValueError where FOP's part of a state does not fit.

    Args:
        own: that part.
        layers: the layers by the numbers of their parameters.
        options: what FOP is made with, of those that a state names (``checks.NAMED``).
        hyper_optimizers: how many optimizers a callable has made; None without one.
        counts: what is counted beside all steps and those that were skipped.
    """
    _mapping("'fop' of this state", own)
    _check_alike(own, options)
    counts = ("steps", "skipped_steps", *counts)
    keys = {"preconditioner", "hyper_lr", "layers", *counts}
    keys |= {"hyper"} if hyper_optimizers is not None else set()
    _exactly("'fop' of this state", own, keys, optional={"options"})
    checks.OPTIONS["hyper_lr"]("hyper_lr of this state", own["hyper_lr"])
    for name in counts:
        checks.at_least(f"{name} of this state", own[name], 0, whole=True)
    _mapping("layers of this state", own["layers"])
    if set(own["layers"]) != set(layers):
        raise ValueError(f"this state preconditions parameters {list(own['layers'])}, not {list(layers)}")
    for number, layer in layers.items():
        _check_layer(layer, own["layers"][number])
    if hyper_optimizers is not None and (not isinstance(own["hyper"], list) or len(own["hyper"]) != hyper_optimizers):
        raise ValueError("hyper of this state does not fit: it was made with another hyper_optimizer, or other groups")


def _check_alike(own: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raise ValueError where a state was made under other options.

    One that an earlier version made names the preconditioner alone, and what it does not name is not compared.
    """
    saved = own.get("options", {})
    _exactly("options of this state", saved, (), optional=options.keys() - {"preconditioner"})
    saved = {name: own[name] for name in ("preconditioner",) if name in own} | dict(saved)
    differ = [
        f"{name} is {value!r} in it and {options[name]!r} here"
        for name, value in saved.items()
        if not (value is None or isinstance(value, (str, int, float))) or value != options[name]
    ]
    if differ:
        raise ValueError(
            f"this state was made under other options: {', '.join(differ)}. Make FOP with those of the state, or take "
            "M alone along, by load_factors(factors)"
        )


def with_own_options(saved: Sequence[Group], present: Sequence[Group], base: Optimizer) -> list[dict[str, Any]]:
    """Return a state's groups with FOP's options of the present ones where they have none, as an older state's have.

    Args:
        saved: the groups of the state.
        present: the groups that it is loaded into.
        base: the base.
    """
    return [own_options(now, base) | dict(group) for group, now in zip(saved, present)]


def check_trace(number: int, saved: Any, here: Any) -> None:
    """Raise ValueError where u of a group was made with another trace.

    Args:
        number: of the group.
        saved: its trace in the state; None in one of an earlier version, which is not compared.
        here: its trace now.
    """
    if saved is not None and saved != here:
        raise ValueError(
            f"trace of parameter group {number} is {saved!r} in this state and {here!r} here: u was made with that. "
            "Give the group the trace of the state, or take M alone along, by load_factors(factors)"
        )


def _check_layer(layer: Layer, saved: Any) -> None:
    shapes = {name: kept.shape for name, kept in ({"M": layer.M} | layer.state).items()}
    _exactly(f"the layer {layer.name!r} of this state", saved, {"epsilon", *shapes}, optional=TRACES)
    for name, value in saved.items():
        what = f"{name} of {layer.name!r} in this state"
        if name == "epsilon":
            _check_number(what, value)
        else:
            _check_tensor(what, value, shapes.get(name, layer.parameter.shape))


def check_optimizer(optimizer: Optimizer, saved: Any, names: Sequence[str], whose: str = "") -> None:
    """Raise ValueError where a state does not fit an optimizer: groups, their options, and what is kept by parameter.

    Args:
        optimizer: any optimizer; of those of ``torch.optim`` shapes and keys are known too.
        saved: what its ``state_dict`` returned.
        names: of its parameters, in order.
        whose: appended to what is named, as " of the hyper_optimizer".
    """
    _exactly(f"this state{whose}", saved, set(optimizer.state_dict()))
    groups = saved["param_groups"]
    sizes = [len(group["params"]) for group in optimizer.param_groups]
    if not isinstance(groups, list) or not all(isinstance(group, Mapping) and "params" in group for group in groups):
        raise ValueError(f"param_groups of this state{whose} is no list of groups with params")
    if [len(group["params"]) for group in groups] != sizes:
        saved_sizes = [len(group["params"]) for group in groups]
        raise ValueError(f"this state{whose} has parameter groups of {saved_sizes} parameters, expected {sizes}")
    for number, (group, present) in enumerate(zip(groups, optimizer.param_groups)):
        for name, value in group.items():
            if name not in ("params", "param_names"):
                _check_option(f"{name} in parameter group {number}{whose} of this state", value, present.get(name))
    _mapping(f"state of this state{whose}", saved["state"])
    numbers = [number for group in groups for number in group["params"]]
    if unknown := [key for key in saved["state"] if key not in numbers]:
        raise ValueError(f"state of this state{whose} has {unknown}: there is no such parameter")

    known = type(optimizer).__module__.startswith("torch.optim.")
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, name, parameter in zip(numbers, names, parameters, strict=True):
        entry = saved["state"].get(number, {})
        _mapping(f"state of {name!r}{whose} in this state", entry)
        for key, value in entry.items():
            if isinstance(value, (float, Tensor)):
                what = f"{key} of {name!r}{whose} in this state"
                _check_tensor(what, torch.as_tensor(value), parameter.shape if known else None, reduced=True)
    if known:
        _try(optimizer, saved, dict(zip(numbers, names)), whose)


def _try(optimizer: Optimizer, saved: Any, names: Mapping[Any, str], whose: str) -> None:
    """Raise ValueError where a torch.optim optimizer would not take the options, or lacks what it would keep by now.

    It is made anew over one entry for each number of dimensions, with zero gradients, and takes a step. What it keeps
    then is of the kind that is expected, with 2 for each dimension of the parameter that is whole in it.
    """
    accepted = inspect.signature(type(optimizer)).parameters
    for number, (group, present) in enumerate(zip(saved["param_groups"], optimizer.param_groups)):
        options = {name: value for name, value in group.items() if name in accepted and name != "params"}
        entries: dict[int, Tensor] = {}
        for parameter in present["params"]:
            entries.setdefault(parameter.ndim, parameter.new_zeros((2,) * parameter.ndim))
        for entry in entries.values():
            entry.grad = torch.zeros_like(entry)
        try:
            trial: Any = type(optimizer)(list(entries.values()), **options)
        except ValueError as error:
            raise ValueError(f"parameter group {number}{whose} of this state: {error}") from error
        trial.step()
        for index, parameter in zip(group["params"], present["params"]):
            kept, expected = saved["state"].get(index), trial.state[entries[parameter.ndim]]
            if not kept:
                continue
            if missing := [key for key in expected if key not in kept]:
                raise ValueError(f"state of {names[index]!r}{whose} in this state lacks {', '.join(missing)}")
            for key, like in expected.items():
                if isinstance(like, Tensor) and not (kept[key] is None and isinstance(optimizer, torch.optim.SGD)):
                    what = f"{key} of {names[index]!r}{whose} in this state"
                    _check_kept(what, kept[key], like, parameter.shape)
                    if key == "step" and kept[key] < 0:
                        raise ValueError(f"{what} is {kept[key]!r}: a number of at least 0 is expected")


def _check_kept(what: str, value: Any, like: Tensor, whole: torch.Size) -> None:
    """Raise ValueError where what is kept of a parameter is of another kind than what a trial keeps of its entry."""
    if like.ndim == 0 and (whole or not isinstance(value, Tensor)):  # one number, as a count of steps
        _check_number(what, value)
    else:
        shape = [n if kept == 2 else kept for n, kept in zip(whole, like.shape)]
        _check_tensor(what, value, torch.Size(shape) if like.ndim == len(whole) else None)


def load_all(states: Iterable[tuple[Optimizer, Mapping[str, Any]]]) -> None:
    """Load each state into its optimizer, or with an error none of them.

    Raises:
        ValueError: for an option that a group had, and has not after loading.
    """
    before = []
    try:
        for optimizer, state in states:
            groups = optimizer.param_groups
            before.append((optimizer, {"state": optimizer.state, "param_groups": groups}))
            optimizer.load_state_dict(dict(state))
            for number, (old, new) in enumerate(zip(groups, optimizer.param_groups)):
                if missing := [name for name in old if name not in new and name != "initial_lr"]:
                    raise ValueError(f"this state lacks {', '.join(missing)} in parameter group {number}")
    except BaseException:
        for optimizer, kept in before:
            optimizer.__setstate__(kept)
        raise


def as_matrix(what: str, array: Any, like: Tensor) -> Tensor:
    """Return an array as a tensor like another; raise ValueError where it is none, of another shape or not finite."""
    try:
        value = torch.as_tensor(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{what} is {type(array).__name__}, which is no array of numbers: {error}") from error
    if value.is_complex() or value.layout != torch.strided:
        raise ValueError(f"{what} is a {value.layout} tensor of {value.dtype}: a dense real one is expected")
    if value.is_meta:
        raise ValueError(f"{what} is on the meta device, where tensors hold no numbers")
    if value.shape != like.shape:
        raise ValueError(f"{what} has shape {tuple(value.shape)}, expected {tuple(like.shape)}")
    value = value.to(like)
    if not bool(value.isfinite().all()):
        raise ValueError(f"{what} holds numbers that are not finite in {value.dtype}")
    return value


def _check_option(what: str, value: Any, like: Any) -> None:
    """Raise ValueError for a number that is not finite, or a value of another kind than the present one."""
    if isinstance(value, (tuple, list)):
        likes = like if isinstance(like, (tuple, list)) else [None] * len(value)
        if like is not None and (not isinstance(like, (tuple, list)) or len(like) != len(value)):
            raise ValueError(f"{what} is {value!r}, where {like!r} is now")
        for part, part_like in zip(value, likes):
            _check_option(what, part, part_like)
        return
    if isinstance(value, (int, float, Tensor)) and not isinstance(value, bool):
        _check_number(what, value)
    if isinstance(like, bool):
        fits = value is None or isinstance(value, bool)
    elif isinstance(like, (int, float, Tensor)):
        fits = isinstance(value, (int, float, Tensor)) and not isinstance(value, bool)
    elif isinstance(like, (str, tuple, list)):
        fits = isinstance(value, str) and isinstance(like, str)
    else:
        fits = True
    if not fits:
        raise ValueError(f"{what} is {value!r}, where {like!r} is now")


def _check_number(what: str, value: Any) -> None:
    readable = isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex() and not value.is_meta
    single = value.item() if readable else value
    if not checks.is_number(single):
        raise ValueError(f"{what} is {value!r}: a finite number is expected")


def _check_tensor(what: str, value: Any, shape: torch.Size | None, *, reduced: bool = False) -> None:
    """Raise ValueError for what is no dense tensor of finite numbers of a shape; ``reduced`` dimensions may be 1."""
    if not isinstance(value, Tensor) or value.is_complex() or value.layout != torch.strided:
        kind = f"a {value.layout} tensor of {value.dtype}" if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{what} is {kind}: a dense real tensor is expected")
    if shape is not None and value.shape != shape and not (reduced and _is_reduced(value.shape, shape)):
        raise ValueError(f"{what} has shape {list(value.shape)}, expected {list(shape)}")
    if value.is_meta:
        raise ValueError(f"{what} is on the meta device, where tensors hold no numbers")
    if not bool(value.isfinite().all()):
        raise ValueError(f"{what} holds numbers that are not finite")


def _is_reduced(shape: torch.Size, whole: torch.Size) -> bool:
    """Whether a shape is one number, or a whole one with some dimensions summed up, as Adafactor keeps it."""
    return shape.numel() == 1 or (len(shape) == len(whole) and all(n in (1, m) for n, m in zip(shape, whole)))


def _mapping(what: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} is {type(value).__name__}: a dict is expected")


def _exactly(what: str, value: Any, expected: Iterable[str], optional: Iterable[str] = ()) -> None:
    """Raise ValueError for what is no mapping, lacks a key or has one more."""
    _mapping(what, value)
    if missing := sorted(set(expected) - set(value)):
        raise ValueError(f"{what} lacks {', '.join(missing)}: other options or another version made it")
    if unknown := [key for key in value if key not in {*expected, *optional}]:
        raise ValueError(f"{what} has {', '.join(map(repr, unknown))}, which nothing here takes")
