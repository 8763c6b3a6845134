"""A tree of tensors and plain values as arrays and JSON, and back, bit for bit: what a checkpoint is made of."""

import math
from typing import Any

import numpy as np
import torch

Array = np.ndarray


def pack(tree: Any) -> tuple[dict[str, Array], Any]:
    """Return the tensors of a tree as numpy arrays, and the tree as JSON with their names in their places.

    Args:
        tree: dicts (with numbers, strings, booleans or None as keys), lists, tuples, tensors, numbers, strings,
            booleans, None.

    Raises:
        TypeError: for anything else.
    """
    arrays: dict[str, Array] = {}

    def walk(value: Any, path: str) -> Any:
        if isinstance(value, torch.Tensor):
            while path in arrays:  # {1: a, "1": b}, {"x/y": a, "x": {"y": b}}
                path += "'"
            if value.dtype == torch.bfloat16 or value.layout != torch.strided:
                raise TypeError(f"{path}: a {value.layout} tensor of {value.dtype} cannot be kept in a checkpoint")
            arrays[path] = value.detach().cpu().contiguous().numpy()
            # An expanded tensor has one number in many places, which cannot be written to: it comes back spread out.
            spread = all(stride or size == 1 for stride, size in zip(value.stride(), value.shape))
            return {"tensor": path, "strides": list((value if spread else value.contiguous()).stride())}
        if isinstance(value, dict):  # JSON's keys are strings, an optimizer's are numbers too
            for key in value:
                if not (key is None or isinstance(key, (bool, int, float, str))):
                    raise TypeError(f"{path}: a key of the type {type(key).__name__} cannot be kept in a checkpoint")
            return {"dict": [[key, walk(inner, f"{path}/{key}" if path else str(key))] for key, inner in value.items()]}
        if isinstance(value, (list, tuple)):
            items = [walk(inner, f"{path}/{index}") for index, inner in enumerate(value)]
            return {"tuple": items} if isinstance(value, tuple) else items
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": str(value)}  # JSON has no such numbers
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise TypeError(f"{path}: a value of the type {type(value).__name__} cannot be kept in a checkpoint")

    return arrays, walk(tree, "")


def unpack(arrays: dict[str, Array], tree: Any) -> Any:
    """Return the tree that ``pack`` took apart, on the CPU.

    Raises:
        ValueError: where arrays and tree do not belong together.
    """
    if isinstance(tree, dict):
        if "tensor" in tree:
            if tree["tensor"] not in arrays:
                raise ValueError(f"the checkpoint lacks {tree['tensor']}")
            # torch.tensor copies: memory of its own, aligned as torch's is, so that sums round as they did.
            tensor = torch.tensor(arrays[tree["tensor"]])
            try:
                return torch.empty_strided(tensor.shape, tree["strides"], dtype=tensor.dtype).copy_(tensor)
            except (KeyError, TypeError, RuntimeError) as error:
                raise ValueError(f"the checkpoint's {tree['tensor']} does not fit its strides: {error}") from error
        if "dict" in tree:
            return {key: unpack(arrays, value) for key, value in tree["dict"]}
        if "tuple" in tree:
            return tuple(unpack(arrays, value) for value in tree["tuple"])
        if "float" in tree:
            return float(tree["float"])
        raise ValueError(f"the checkpoint has an unknown part {sorted(tree)}")
    if isinstance(tree, list):
        return [unpack(arrays, value) for value in tree]
    return tree
