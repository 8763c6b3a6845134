"""A run's state to a checkpoint and back, bit for bit."""

import json
import math

import pytest
import torch

from fop_core.training import build, state
from fop_core.training.config import METHODS, change, preset
from tests.training.test_build import CPU, one_step


@pytest.mark.parametrize("memory", ["channels_last", "contiguous_format"])
@pytest.mark.parametrize("method", METHODS)
def test_a_checkpoint_holds_model_and_optimizer_bit_for_bit_with_their_strides(method, memory):
    settings = change(preset("cifar10-allcnn-small", method), ["model.width=0.05"])
    built, fresh = build.build(settings, 10, CPU), build.build(change(settings, ["seed=1"]), 10, CPU)
    for each in (built, fresh):
        each.model.to(memory_format=getattr(torch, memory))
    for _ in range(3):
        one_step(built, (3, 32, 32), 10)
    tree = {"model": dict(built.model.state_dict()), "optimizer": built.optimizer.state_dict(), "pair": (1, None, 0.1)}
    arrays, skeleton = state.pack(tree)
    again = state.unpack(arrays, json.loads(json.dumps(skeleton)))
    assert same(tree, again)

    fresh.model.load_state_dict(again["model"])
    fresh.optimizer.load_state_dict(again["optimizer"])
    for _ in range(3):
        assert one_step(built, (3, 32, 32), 10) == one_step(fresh, (3, 32, 32), 10)
    assert same(dict(built.model.state_dict()), dict(fresh.model.state_dict()))


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype and one.stride() == other.stride()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("base", ["adam", "adamw", "rmsprop"])
def test_so_does_one_of_fop_around_another_base(base):
    settings = change(preset("mnist-mlp"), ["optimizer.momentum=0", f"optimizer.name={base}"])
    built = build.build(settings, 10, CPU)
    for _ in range(2):
        one_step(built, (1, 28, 28), 10)
    tree = built.optimizer.state_dict()
    arrays, skeleton = state.pack(tree)
    assert same(tree, state.unpack(arrays, json.loads(json.dumps(skeleton))))


@pytest.mark.parametrize(
    "value",
    [
        {0: {"x": 1}, "0": 2, None: 3, 1.5: 4, "": 5},
        {"tensor": {"dict": "x"}, "strides": [1], "tuple": ()},
        [(), [], {}, ((1,), [2])],
        [None, True, False, 0, -1, 2**70, 1e-300, 0.1, -0.0, "words / of \u03b1"],
        [math.inf, -math.inf],
        torch.tensor(3.5),
        [torch.zeros(0, 3), torch.tensor([True, False]), torch.tensor([-1, 2**62])],
        [torch.tensor([0.1], dtype=kind) for kind in (torch.float16, torch.float32, torch.float64)],
        torch.tensor([float("-inf"), -0.0, 1e-45]),
        [torch.arange(12.0).view(3, 4).t(), torch.arange(12.0)[::3], torch.arange(24.0).view(2, 3, 4).permute(1, 2, 0)],
        {1: torch.ones(1), "1": torch.zeros(1)},
        {"x/y": torch.ones(1), "x": {"y": torch.zeros(1), "y'": torch.ones(2)}},
    ],
)
def test_what_is_plain_comes_back_as_it_was(value):
    arrays, skeleton = state.pack(value)
    assert same(value, state.unpack(arrays, json.loads(json.dumps(skeleton, allow_nan=False))))


def test_nan_comes_back_in_a_tensor_and_as_a_number():
    arrays, skeleton = state.pack([torch.tensor([float("nan")]), math.nan])
    tensor, number = state.unpack(arrays, json.loads(json.dumps(skeleton, allow_nan=False)))
    assert tensor.isnan().all() and math.isnan(number)


def test_an_expanded_tensor_comes_back_with_its_values():
    row = torch.arange(3.0).expand(4, 3)
    assert torch.equal(state.unpack(*state.pack(row)), row)


def test_what_comes_back_shares_no_memory_with_the_arrays():
    arrays, skeleton = state.pack({"a": torch.ones(3)})
    again = state.unpack(arrays, skeleton)
    arrays["a"][:] = 0
    assert again["a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"a": [{1}]}, "a/0: a value of the type set"),
        ({"a": {(1, 2): 3}}, "a: a key of the type tuple"),
        ({"a": 1j}, "a: a value of the type complex"),
        ({"a": torch.ones(2, dtype=torch.bfloat16)}, "a: a torch.strided tensor of torch.bfloat16"),
        ({"a": torch.ones(2, 2).to_sparse()}, "a: a torch.sparse_coo tensor"),
        ({"a": torch.nn.ReLU()}, "a: a value of the type ReLU"),
    ],
)
def test_what_no_checkpoint_can_hold_is_refused_with_its_place(value, says):
    with pytest.raises(TypeError, match=says):
        state.pack(value)


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        ({"tensor": "b", "strides": [1]}, "lacks b"),
        ({"tensor": "a", "strides": [1, 1]}, "a does not fit its strides"),
        ({"tensor": "a", "strides": [-1]}, "a does not fit its strides"),
        ({"tensor": "a", "strides": [0]}, "a does not fit its strides"),
        ({"tensor": "a", "strides": "x"}, "a does not fit its strides"),
        ({"tensor": "a"}, "a does not fit its strides"),
        ({"code": "a"}, r"unknown part \['code'\]"),
    ],
)
def test_arrays_and_a_tree_that_do_not_belong_together_are_refused(tree, says):
    arrays, _ = state.pack({"a": torch.ones(2)})
    with pytest.raises(ValueError, match=says):
        state.unpack(arrays, {"dict": [["x", tree]]})
