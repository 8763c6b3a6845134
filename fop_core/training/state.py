"""A tree of tensors and plain values as arrays and JSON, and back, bit for bit: what a checkpoint is made of."""

from typing import Any

import numpy as np
import torch

Array = np.ndarray


def pack(tree: Any) -> tuple[dict[str, Array], Any]:
    """Return the tensors of a tree as numpy arrays, and the tree as JSON with their names in their places.

    Args:
        tree: dicts (of any plain keys), lists, tuples, tensors, numbers, strings, booleans, None.

    Raises:
        TypeError: for anything else.
    """
    arrays: dict[str, Array] = {}

    def walk(value: Any, path: str) -> Any:
        if isinstance(value, torch.Tensor):
            arrays[path] = value.detach().cpu().contiguous().numpy()
            return {"tensor": path, "strides": list(value.stride())}
        if isinstance(value, dict):  # JSON's keys are strings, an optimizer's are numbers too
            return {"dict": [[key, walk(inner, f"{path}/{key}" if path else str(key))] for key, inner in value.items()]}
        if isinstance(value, (list, tuple)):
            items = [walk(inner, f"{path}/{index}") for index, inner in enumerate(value)]
            return {"tuple": items} if isinstance(value, tuple) else items
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise TypeError(f"{path}: a {type(value).__name__} cannot be kept in a checkpoint")

    return arrays, walk(tree, "")


def unpack(arrays: dict[str, Array], tree: Any) -> Any:
    """Return the tree that ``pack`` took apart, on the CPU.

    Raises:
        ValueError: where arrays and tree do not belong together.
    """
    if isinstance(tree, dict):
        if "tensor" in tree:
            try:
                # torch.tensor copies: memory of its own, aligned as torch's is, so that sums round as they did.
                tensor = torch.tensor(arrays[tree["tensor"]])
                return torch.empty_strided(tensor.shape, tree["strides"], dtype=tensor.dtype).copy_(tensor)
            except KeyError:
                raise ValueError(f"the checkpoint lacks {tree['tensor']}") from None
        if "dict" in tree:
            return {key: unpack(arrays, value) for key, value in tree["dict"]}
        if "tuple" in tree:
            return tuple(unpack(arrays, value) for value in tree["tuple"])
        raise ValueError(f"the checkpoint has an unknown part {sorted(tree)}")
    if isinstance(tree, list):
        return [unpack(arrays, value) for value in tree]
    return tree
