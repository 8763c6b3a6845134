"""An optimizer to test, its steps, and equality to the last bit."""

import torch

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from tests.problems import BASES, backward, groups, parameters

KINDS = tuple(PRECONDITIONERS)


def build(kind="factored", base="momentum", seed=0, dtype=torch.float64, **options):
    params = parameters(seed, dtype)
    options.setdefault("hyper_lr", 1e-2)
    options.setdefault("init_std", 0.1)
    return params, FOP(BASES[base](groups(params)), kind, **options)


def run(params, optimizer, steps, missing=()):
    for step in steps:
        backward(params, step, missing)
        optimizer.step()


def same(a, b):
    """Whether two nests of dicts, lists, tensors and numbers are equal bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b
