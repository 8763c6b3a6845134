"""What ``torch.distributed.checkpoint`` keeps of an optimizer: its "state", by parameters, and its groups.

``get_optimizer_state_dict`` drops any other key of a state dict, and renames the parameters: their numbers become their
names in the model, and an optimizer that holds them in another order takes them back. So where it asks, each layer's
part of "fop" stands with its parameter's state, and the rest in the first group. Before it asks or loads, it has an
optimizer without state take a step at rate 0 on gradients of 0.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from fop_core.optim.hyper import Custom
from fop_core.optim.stack import Layer

KEY = "fop"
_HAS = {"trace": "has_trace", "ahead": "has_ahead"}


def is_asking() -> bool:
    """Return whether ``torch.distributed.checkpoint`` is about to be given a state, by the callers of this one."""
    frame = inspect.currentframe()
    for _ in range(5):  # this, state_dict itself, or a subclass's between
        if frame is None:
            return False
        if frame.f_globals.get("__name__") == "torch.distributed.checkpoint.state_dict":
            return True
        frame = frame.f_back
    return False


def is_start(base: Optimizer) -> bool:
    """Return whether a step would be the one by which a base without state is given some, and moves nothing.

    Looks at gradients, which waits for their device, only where the base keeps no state yet and all its rates are 0.

    Args:
        base: with the gradients of the step.
    """
    groups = base.param_groups
    if base.state or not all(_is_zero(group["lr"]) for group in groups if "lr" in group):
        return False
    gradients = [p.grad for group in groups for p in group["params"] if p.grad is not None]
    return bool(gradients) and not any(bool(gradient.count_nonzero()) for gradient in gradients if _is_plain(gradient))


def _is_plain(gradient: Tensor) -> bool:
    return gradient.layout is torch.strided


def _is_zero(rate: Any) -> bool:
    if isinstance(rate, Tensor):
        return type(rate) is Tensor and rate.device.type == "cpu" and rate.numel() == 1 and float(rate) == 0
    return isinstance(rate, (int, float)) and rate == 0


def spread(
    state: dict[str, Any], layers: Mapping[int, Layer], nesterov: Sequence[bool], hyper: Custom | None
) -> dict[str, Any]:
    """Return a state of FOP with all of it in "state" and "param_groups".

    Every layer has all its entries, u before its first gradient as 0: what is loaded in place loads only what is there.

    Args:
        state: what ``FOP.state_dict`` returns.
        layers: the layers by the numbers of their parameters.
        nesterov: whether each parameter group's momentum is Nesterov's.
        hyper: a callable's optimizers, or None.
    """
    own = dict(state[KEY])
    saved = own.pop("layers")
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    kept: dict[Any, dict[str, Any]] = {number: dict(state["state"].get(number, {})) for number in numbers}
    for number, entry in saved.items():
        layer = layers[number]
        # A word, of which torch makes no flat state: one could not be loaded, since it lacks this key.
        here = entry | {"preconditioner": own["preconditioner"]}
        here["epsilon"] = torch.as_tensor(entry["epsilon"], dtype=torch.float64)
        for name, has in _HAS.items():
            here[has] = name in entry
            if name not in entry and (name == "trace" or nesterov[layer.group]):
                here[name] = torch.zeros_like(layer.parameter, dtype=layer.M.dtype)
        if hyper is not None:
            which, position = hyper.positions()[layer]
            here["hyper"] = own["hyper"][which]["state"].get(position, {})
        kept[number][KEY] = here
    if hyper is not None:
        own["hyper"] = [each["param_groups"] for each in own["hyper"]]
    groups = [dict(group) for group in state["param_groups"]]
    groups[0][KEY] = own
    return {"state": kept, "param_groups": groups}


def gather(
    state: Mapping[str, Any], layers: Mapping[int, Layer], groups: Sequence[Mapping[str, Any]], hyper: Custom | None
) -> dict[str, Any]:
    """Return a state that ``spread`` has made as ``FOP.state_dict`` returns it; any other one as it is.

    Args:
        state: what is to be loaded, its parameters in the order of the groups.
        layers: the layers by the numbers of their parameters.
        groups: of the base.
        hyper: a callable's optimizers, or None.
    """
    saved = state.get("param_groups")
    if KEY in state or not isinstance(saved, list) or not all(isinstance(group, Mapping) for group in saved):
        return dict(state)
    own = next((dict(group[KEY]) for group in saved if isinstance(group.get(KEY), Mapping)), None)
    if own is None or not isinstance(state.get("state"), Mapping):
        return dict(state)
    names = [name for group in saved for name in group.get("params", ())]
    kept = {name: dict(entry) for name, entry in state["state"].items() if isinstance(entry, Mapping)}
    entries = {number: kept[name].pop(KEY) for number, name in enumerate(names) if KEY in kept.get(name, {})}
    own["layers"] = {}
    states: list[dict[int, Any]] = [{} for _ in hyper.optimizers] if hyper is not None else []
    for number, entry in entries.items():
        here = {name: value for name, value in entry.items() if name not in ("preconditioner", "hyper", *_HAS.values())}
        for name, has in _HAS.items():
            if not entry.get(has, True):
                here.pop(name, None)
        if number in layers:
            rate = groups[layers[number].group].get("lr")
            epsilon = here.get("epsilon")
            if isinstance(epsilon, Tensor):
                here["epsilon"] = epsilon.to(rate) if isinstance(rate, Tensor) else epsilon.item()
            if hyper is not None and entry.get("hyper"):
                which, position = hyper.positions()[layers[number]]
                states[which][position] = entry["hyper"]
        own["layers"][number] = here
    if hyper is not None and isinstance(own.get("hyper"), list) and len(own["hyper"]) == len(states):
        made = [optimizer.state_dict()["param_groups"] for optimizer in hyper.optimizers]
        own["hyper"] = [
            {"state": each, "param_groups": [{**old, "params": new["params"]} for old, new in zip(before, now)]}
            for each, before, now in zip(states, own["hyper"], made)
        ]
    plain = []
    for group, now in zip(saved, groups):
        names_of_now = {"param_names": now["param_names"]} if "param_names" in now else {}
        plain.append({name: value for name, value in group.items() if name != KEY} | names_of_now)
    return {"state": {name: entry for name, entry in kept.items() if entry}, "param_groups": plain, KEY: own}
