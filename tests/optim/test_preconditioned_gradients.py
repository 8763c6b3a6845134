"""What P does to a gradient can be seen before the step, and looking changes nothing."""

import copy

import pytest
import torch

from fop_core import FOP
from tests.problems import backward, parameters

KINDS = ("factored", "low_rank", "direct", "scalar", "diagonal", "mean_removing")
OPTIONS = ({}, {"normalized": True}, {"rescale": 0.5})
CASES = [(k, o) for k in KINDS for o in OPTIONS if (k, o) != ("scalar", {"normalized": True})]


@pytest.mark.parametrize(("kind", "options"), CASES)
def test_it_is_what_the_step_moves_the_parameters_by(kind, options):
    params = parameters()
    optimizer = FOP(torch.optim.SGD(list(params.items()), lr=0.1), kind, hyper_lr=1e-2, rank=2, **options)
    for step in range(4):
        backward(params, step, missing=("tall.weight",) if step == 2 else ())
        before = {name: p.detach().clone() for name, p in params.items()}
        state = copy.deepcopy(optimizer.state_dict())
        shown = optimizer.preconditioned_gradients()
        assert set(shown) == set(optimizer.preconditioners()) - ({"tall.weight"} if step == 2 else set())
        assert _same(state, optimizer.state_dict())
        optimizer.step()
        for name, Pg in shown.items():
            torch.testing.assert_close(before[name] - 0.1 * Pg, params[name].detach(), rtol=1e-12, atol=1e-14)


def _same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return all(_same(a, b) for a, b in zip(one, other, strict=True))
    return one == other
