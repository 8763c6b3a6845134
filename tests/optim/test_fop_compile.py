"""Under torch.compile a step is the one without it; what the base is value for (foreach, fused) is the base's."""

import copy
import pickle

import pytest
import torch
from torch import nn

from fop_core import FOP
from tests.optim.built import build, run, same
from tests.problems import backward, groups, parameters


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.parametrize(
    "options", [{}, {"kind": "low_rank", "base": "adam", "apply": "after"}, {"on_nonfinite": "skip"}], ids=str
)
def test_a_compiled_step_is_the_step_bit_for_bit(options):
    (params, optimizer), (others, other) = build(**options), build(**options)
    step = torch.compile(other.step, backend="eager")
    for number in range(5):
        run(params, optimizer, [number])
        backward(others, number)
        step()
    assert same(dict(params), dict(others)) and same(optimizer.state_dict(), other.state_dict())


def test_a_compiled_step_takes_a_closure_and_guards():
    (params, optimizer), (others, other) = (build(base="sgd", guard=True) for _ in range(2))
    step = torch.compile(other.step, backend="eager")
    for _ in range(4):
        assert optimizer.step(lambda: backward(params, 0)) == step(lambda: backward(others, 0))
    assert same(dict(params), dict(others)) and same(optimizer.factors(), other.factors())


def test_a_compiled_training_step_trains():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    twin = copy.deepcopy(model)
    both = [FOP(torch.optim.SGD(each.named_parameters(), lr=0.1, momentum=0.9)) for each in (model, twin)]

    def train(network, optimizer, x):
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()

    compiled = torch.compile(train, backend="eager")
    for seed in range(4):
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
        train(model, both[0], x)
        compiled(twin, both[1], x)
    for p, q in zip(model.parameters(), twin.parameters()):
        torch.testing.assert_close(p, q)
    assert not same(both[0].factors(), {"0.weight": torch.eye(4), "2.weight": torch.eye(3)})


@pytest.mark.parametrize("copied", [False, True])
def test_a_whole_graph_is_refused_and_says_what_to_do(copied, monkeypatch):
    params, optimizer = build()
    if copied:
        saved = pickle.dumps((dict(params), optimizer))
        monkeypatch.setattr(FOP, "_eager_step", None)  # as in a process that has made none
        params, optimizer = pickle.loads(saved)
    backward(params, 0)
    with pytest.raises(Exception, match=r"leave fullgraph out, or compile base\.step"):
        torch.compile(optimizer.step, backend="eager", fullgraph=True)()


def test_the_step_of_the_base_can_be_compiled():
    (params, optimizer), (others, other) = build(dtype=torch.float32), build(dtype=torch.float32)
    other.base.step = torch.compile(other.base.step, backend="eager")
    for number in range(4):
        run(params, optimizer, [number])
        run(others, other, [number])
    for name, parameter in params.items():
        torch.testing.assert_close(parameter, others[name])


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.AdamW])
@pytest.mark.parametrize("how", ["foreach", "fused"])
def test_the_base_may_be_foreach_or_fused(make, how):
    results = []
    for value in (False, True):
        params = parameters(dtype=torch.float32)
        optimizer = FOP(make(groups(params), lr=0.01, **{how: value}), hyper_lr=1e-2)
        run(params, optimizer, range(5))
        results.append((dict(params), optimizer.factors()))
    for one, two in zip(*results):
        for name, tensor in one.items():
            torch.testing.assert_close(tensor, two[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["capturable", "foreach", "fused", "differentiable"])
def test_options_of_the_base_are_refused_by_name_where_fop_is_given_them(name):
    with pytest.raises(TypeError, match=name):
        FOP(torch.optim.SGD(parameters().items(), lr=0.1), **{name: True})
