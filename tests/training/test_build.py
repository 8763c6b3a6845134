"""From settings to what is trained, and its state to a checkpoint and back."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from fop_core import FOP
from fop_core.training import build, models, state
from fop_core.training.config import METHODS, PRESETS, change, preset
from fop_core.training.memory import estimate

CPU = torch.device("cpu")


def one_step(built, shape, classes):
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    loss = functional.cross_entropy(built.model(images), torch.arange(2) % classes)
    built.optimizer.zero_grad()
    loss.backward()
    built.optimizer.step()
    return loss.item()


SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32), "folder": (3, 64, 64)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_builds_and_takes_a_step_the_same_for_the_same_seed(name, method):
    settings = preset(name, method)
    first, second = (build.build(settings, 10, CPU) for _ in range(2))
    before = [p.detach().clone() for p in first.model.parameters()]
    losses = [one_step(built, SHAPES[settings.data.name], 10) for built in (first, second)]
    assert losses[0] == losses[1] and np.isfinite(losses[0])
    assert all(torch.equal(p, q) for p, q in zip(first.model.parameters(), second.model.parameters()))
    assert any(not torch.equal(p, q) for p, q in zip(first.model.parameters(), before))
    assert (first.fop is not None) == (settings.fop is not None)


def test_the_mlp_has_the_four_matrices_of_the_paper():
    shapes = [tuple(p.shape) for p in models.mnist_mlp().parameters() if p.ndim == 2]
    assert shapes == [(100, 784), (100, 100), (100, 100), (10, 100)]


def test_the_all_cnn_has_nine_convolutions_the_last_two_1x1_and_stride_2_twice():
    convolutions = [m for m in models.all_cnn().modules() if isinstance(m, torch.nn.Conv2d)]
    assert [m.kernel_size[0] for m in convolutions] == [3] * 7 + [1] * 2
    assert [m.out_channels for m in convolutions] == [96] * 3 + [192] * 5 + [10]
    assert [m.stride[0] for m in convolutions] == [1, 1, 2, 1, 1, 2, 1, 1, 1]
    plain = models.all_cnn(batch_norm=False)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in plain.modules())
    assert plain(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_resnet18_is_the_one_of_eleven_million():
    assert sum(p.numel() for p in models.resnet18().parameters()) == 11_689_512


def test_fop_gets_the_settings(tmp_path):
    settings = change(preset("cifar10-allcnn-small"), ["fop.trace=0.3", "fop.rescale=2", "fop.hyper_lr=0.01"])
    fop = build.build(settings, 10, CPU).fop
    assert (fop.trace, fop.rescale, fop.hyper_lr, fop.preconditioner) == (0.3, 2.0, 0.01, "factored")
    assert next(iter(fop.factors())) == "0.weight"


def test_a_missing_device_is_named_with_what_is_there():
    with pytest.raises(build.DeviceError, match="cuda:97 is not there"):
        build.device("cuda:97")


@given(st.integers(0, 400), st.integers(1, 100_000))
def test_snapshots_begin_at_0_end_at_the_last_step_and_are_as_many_as_asked(count, total):
    steps = build.snapshot_steps(count, total)
    assert steps == sorted(set(steps)) and steps[-1] == total
    assert count == 0 or steps[0] == 0
    assert len(steps) <= count + 3
    assert {steps[0], steps[-1]} <= build.deep_steps(steps) <= set(steps)
    assert len(build.deep_steps(steps)) <= 12


@pytest.mark.parametrize("memory", ["channels_last", "contiguous_format"])
@pytest.mark.parametrize("method", METHODS)
def test_a_checkpoint_holds_model_and_optimizer_bit_for_bit_with_their_strides(method, memory):
    settings = change(preset("cifar10-allcnn-small", method), ["model.width=0.05"])
    built = build.build(settings, 10, CPU)
    built.model.to(memory_format=getattr(torch, memory))
    for _ in range(3):
        one_step(built, (3, 32, 32), 10)
    tree = {"model": dict(built.model.state_dict()), "optimizer": built.optimizer.state_dict(), "pair": (1, None, 0.1)}
    again = state.unpack(*state.pack(tree))
    assert same(tree, again)


def same(one, other):
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other) and one.dtype == other.dtype and one.stride() == other.stride()
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return type(one) is type(other) and one == other


def test_what_no_checkpoint_can_hold_is_refused_with_its_place():
    with pytest.raises(TypeError, match="a/0: a set"):
        state.pack({"a": [{1}]})
    arrays, tree = state.pack({"a": torch.ones(2)})
    with pytest.raises(ValueError, match="lacks a"):
        state.unpack({}, tree)
    assert list(arrays) == ["a"]


@pytest.mark.parametrize("method", ["momentum", "adam", "fop", "pp-hd", "mean-removing"])
def test_memory_is_what_the_tensors_then_take(method):
    settings = preset("mnist-mlp", method)
    built = build.build(settings, 10, CPU)
    expected = estimate(built, settings)
    one_step(built, (1, 28, 28), 10)
    base = built.optimizer.base if isinstance(built.optimizer, FOP) else built.optimizer
    kept = sum(t.nbytes for s in base.state.values() for t in s.values() if isinstance(t, torch.Tensor) and t.ndim)
    assert expected[f"{settings.optimizer.name}'s state"] == kept
    if built.fop is not None:
        assert expected["FOP's M, u, and what learns M"] == built.fop.memory_usage()
