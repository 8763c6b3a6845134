"""FOP as a torch optimizer: what a training script relies on."""

import copy
import typing
import warnings
from typing import Literal

import pytest
import torch

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from tests.optim.built import build, run, same
from tests.problems import backward, groups, parameters

# the interface of a torch optimizer ----------------------------------------------------------------------------------


def test_fop_is_an_optimizer_whose_groups_and_state_are_the_bases():
    params, optimizer = build()
    assert isinstance(optimizer, torch.optim.Optimizer)
    run(params, optimizer, range(2))
    assert optimizer.param_groups is optimizer.base.param_groups
    assert optimizer.state is optimizer.base.state
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(3):
            backward(params, step)
            optimizer.step()
            scheduler.step()
    assert optimizer.base.param_groups[0]["lr"] < 0.02


def test_one_cycle_changes_rate_and_momentum_and_both_count():
    """The trace takes each step's own momentum: with M frozen at I the moves are the base's, so M alone tells."""
    theta = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1, momentum=0.9), hyper_lr=1.0, hyper_optimizer="sgd")
    settings = [(0.1, 0.9), (0.2, 0.5), (0.05, 0.7)]
    gradients = [torch.randn(2, 2, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(3)]
    u, M = None, torch.eye(2, dtype=torch.float64)
    for index, ((rate, momentum), g) in enumerate(zip(settings, gradients)):
        optimizer.param_groups[0].update(lr=rate, momentum=momentum)
        theta.grad = g.clone()
        optimizer.step()
        if index:
            M = M + settings[index - 1][0] * (g.T @ u + u.T @ g) @ M
        u = g if u is None else momentum * u + g
        torch.testing.assert_close(optimizer.factors()["w"], M, rtol=1e-13, atol=1e-13)


def test_a_learning_rate_in_a_tensor_counts_as_of_its_step():
    results = []
    for make in (float, torch.tensor):
        params = parameters()
        optimizer = FOP(
            torch.optim.Adam(params.items(), lr=make(0.01), foreach=False), hyper_lr=1.0, hyper_optimizer="sgd"
        )
        for step in range(5):
            if make is float:
                optimizer.param_groups[0]["lr"] = 0.01 * (step + 1)
            else:
                optimizer.param_groups[0]["lr"].fill_(0.01 * (step + 1))  # in place, as schedulers do
            run(params, optimizer, [step])
        results.append(optimizer.factors())
    for name, M in results[0].items():
        torch.testing.assert_close(M, results[1][name], rtol=1e-5, atol=1e-6)


def test_a_closure_is_evaluated_once_and_its_loss_returned():
    params, optimizer = build()
    calls = []

    def closure():
        calls.append(torch.is_grad_enabled())
        return backward(params, len(calls))

    assert optimizer.step(closure) == backward(parameters(), 1)
    assert calls == [True]


def test_the_gradient_is_the_raw_one_again_even_when_the_base_fails():
    params, optimizer = build()
    backward(params, 0)
    before = {name: (p.grad, p.grad.clone()) for name, p in params.items()}
    optimizer.step()
    for name, p in params.items():
        assert p.grad is before[name][0]
        assert torch.equal(p.grad, before[name][1])

    def fail():
        raise RuntimeError("base failed")

    optimizer.base.step = fail
    with pytest.raises(RuntimeError, match="base failed"):
        optimizer.step()
    assert all(p.grad is before[name][0] for name, p in params.items())


def test_a_layer_without_a_gradient_keeps_everything():
    params, optimizer = build("factored", "adam")
    run(params, optimizer, range(4))
    number = [name for name, _, _ in optimizer._members].index("square.weight")
    before = copy.deepcopy(optimizer.state_dict()["fop"]["layers"][number])
    run(params, optimizer, range(4, 8), missing=("square.weight",))
    assert same(before, optimizer.state_dict()["fop"]["layers"][number])
    run(params, optimizer, range(8, 9))
    assert not same(before, optimizer.state_dict()["fop"]["layers"][number])


@pytest.mark.parametrize("through", ["fop", "base"])
def test_an_added_group_gets_preconditioners_of_its_own(through):
    params, optimizer = build("low_rank", rank=2)
    run(params, optimizer, range(3))
    before = optimizer.factors()
    extra = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    (optimizer if through == "fop" else optimizer.base).add_param_group({"params": [("extra", extra)], "lr": 0.5})
    extra.grad = torch.ones_like(extra)
    run(params, optimizer, range(3, 6))
    after = optimizer.factors()
    assert set(after) == set(before) | {"extra"}
    assert after["extra"].shape == (6, 2)
    assert not same(before, {name: after[name] for name in before})
    assert "extra" in repr(optimizer)


def test_names_are_numbers_without_named_parameters():
    params = parameters()
    optimizer = FOP(torch.optim.SGD(list(params.values()), lr=0.1))
    assert list(optimizer.factors())[:3] == ["0", "2", "3"]


# what can be read ----------------------------------------------------------------------------------------------------


def test_every_parameter_is_a_layer_or_left_to_the_base_and_says_why():
    params, optimizer = build()
    layers, left = optimizer.layers(), optimizer.left_to_base()
    assert [layer.name for layer in layers] == list(optimizer.factors())
    assert {layer.name for layer in layers} | left.keys() == params.keys()
    assert not {layer.name for layer in layers} & left.keys()
    assert all(layer.parameter is params[layer.name] for layer in layers)
    assert left["linear.bias"] == "bias or norm" and optimizer.learns
    assert not build("mean_removing")[1].learns


@pytest.mark.filterwarnings("ignore:FOP preconditions none")
def test_the_types_of_options_name_what_there_is():
    hints = typing.get_type_hints(FOP.__init__)
    assert set(typing.get_args(hints["preconditioner"])) == PRECONDITIONERS.keys()
    for name in ("layout", "on_nonfinite", "trace", "hyper_optimizer"):
        literal = next((h for h in typing.get_args(hints[name]) if typing.get_origin(h) is Literal), hints[name])
        for value in typing.get_args(literal):
            FOP(torch.optim.SGD([torch.ones(3, 2, requires_grad=True)], lr=0.1), **{name: value})


# what is learned -----------------------------------------------------------------------------------------------------


def test_factors_are_copies_and_can_be_put_back():
    params, optimizer = build()
    run(params, optimizer, range(3))
    kept = optimizer.factors()
    run(params, optimizer, range(3, 6))
    assert not same(kept, optimizer.factors())
    optimizer.load_factors(kept)
    assert same(kept, optimizer.factors())
    optimizer.load_factors({"linear.weight": 2 * kept["linear.weight"].numpy()})
    assert torch.equal(
        optimizer.preconditioners()["linear.weight"], 4 * kept["linear.weight"] @ kept["linear.weight"].T
    )


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        ("factored", "nobody", torch.eye(3), "nobody"),
        ("factored", "linear.bias", torch.eye(4), "linear.bias"),
        ("factored", "linear.weight", torch.eye(4), r"\(4, 4\), expected \(3, 3\)"),
        ("factored", "linear.weight", torch.full((3, 3), float("nan")), "not finite"),
        ("direct", "linear.weight", torch.ones(3, 3).triu(), "not symmetric"),
        ("mean_removing", "linear.weight", torch.eye(3), "no factor"),
    ],
)
def test_load_factors_takes_all_or_nothing(kind, name, value, message):
    _, optimizer = build(kind)
    before = optimizer.factors()
    good = {"square.weight": 2 * torch.eye(9)} if kind != "mean_removing" else {}
    with pytest.raises(ValueError, match=message):
        optimizer.load_factors(good | {name: value})
    assert same(before, optimizer.factors())


def test_shapes_of_what_is_shown():
    params, scalar = build("scalar")
    _, diagonal = build("diagonal")
    assert {M.shape for M in scalar.factors().values()} == {P.shape for P in scalar.preconditioners().values()} == {()}
    assert set(scalar.factors()) == set(params), "biases included"
    assert {n: M.shape for n, M in diagonal.factors().items()} == {n: p.shape for n, p in params.items()}
    _, mean = build("mean_removing")
    assert mean.factors() == {}
    expected = torch.eye(9, dtype=torch.float64) - 0.95 / 9
    torch.testing.assert_close(mean.preconditioners()["square.weight"], expected)


def test_low_rank_draws_privately_by_seed_and_in_parameter_order():
    torch.manual_seed(1)
    first = torch.rand(3)
    torch.manual_seed(1)
    _, a = build("low_rank", seed=5)
    assert torch.equal(first, torch.rand(3)), "the global generator is left alone"
    torch.manual_seed(2)
    params = parameters(5)
    b = FOP(torch.optim.SGD(groups(params), lr=0.1), "low_rank", init_std=0.1, seed=0)
    c = FOP(torch.optim.SGD(groups(params), lr=0.1), "low_rank", init_std=0.1, seed=1)
    again = FOP(torch.optim.SGD(groups(params), lr=0.1), "low_rank", init_std=0.1, seed=0)
    assert same(b.factors(), again.factors())
    assert not same(b.factors(), c.factors())
    drawn = torch.cat([M.flatten() for M in b.factors().values()])
    assert 0.08 < drawn.std() < 0.12
    assert b.factors()["square.weight"].shape == (9, 9), "a rank above n is n"
    assert a.factors().keys() == b.factors().keys()


def test_update_every_learns_at_its_steps_alone():
    params, optimizer = build(update_every=3)
    changed = []
    for step in range(9):
        before = optimizer.factors()
        run(params, optimizer, [step])
        changed.append(not same(before, optimizer.factors()))
    assert changed == [False, False, True] * 3


def test_hyper_lr_can_be_switched_on_later_with_the_trace_already_there():
    params, optimizer = build(hyper_lr=0)
    run(params, optimizer, range(3))
    assert same(optimizer.factors()["linear.weight"], torch.eye(3, dtype=torch.float64))
    optimizer.hyper_lr = 1e-2
    run(params, optimizer, range(3, 4))
    assert not same(optimizer.factors()["linear.weight"], torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["factored", "direct", "low_rank", "scalar", "diagonal"])
def test_rescale_brings_the_spectral_norm_to_gamma(kind):
    limit = 0.5
    params, optimizer = build(kind, rescale=limit, hyper_optimizer="sgd", hyper_lr=0.1, base="sgd")

    def compare(t, tolerance):
        factors = optimizer.factors()
        for name, P in optimizer.preconditioners().items():
            norm = P.abs().max() if kind in ("scalar", "diagonal") else torch.linalg.matrix_norm(P, 2)
            torch.testing.assert_close(norm, gamma(kind, factors[name], t, limit), rtol=tolerance, atol=0)
            yield norm

    for t in range(1, 13):
        norms = list(compare(t, 0.05))  # power iteration estimates from below, while M moves fast
        run(params, optimizer, [t])
    assert all(abs(norm - limit) < 0.2 * limit for norm in norms)
    optimizer.hyper_lr = 0
    run(params, optimizer, range(13, 40))
    assert list(compare(40, 1e-3)), "and converges once M rests"


def gamma(kind, M, t, limit):
    """gamma(t) = delta ||P||_2 + (1 - delta) p_inf, delta = 1 / t^2 (section 6)."""
    if kind in ("scalar", "diagonal"):
        norm = M.abs().max()
    else:
        P = {"factored": M @ M.mT, "direct": M, "low_rank": torch.eye(len(M), dtype=M.dtype) + M @ M.mT}[kind]
        norm = torch.linalg.matrix_norm(P, 2)
    return norm / t**2 + (1 - 1 / t**2) * limit


def test_rescale_counts_as_a_constant_to_the_derivative():
    theta = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    options = {"hyper_lr": 0.1, "hyper_optimizer": "sgd"}
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1), rescale=0.25, **options)
    gradients = [torch.randn(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    for g in gradients:
        theta.grad = g
        optimizer.step()
    # M_1 = I: ||P||_2 = 1 whatever the vector, so the factor at t = 2 is 1/4 + 3/4 * 1/4
    scale = 0.25 + 0.75 * 0.25
    expected = torch.eye(3, dtype=torch.float64)
    expected += 0.1 * 0.1 * scale * (gradients[1].T @ gradients[0] + gradients[0].T @ gradients[1])
    torch.testing.assert_close(optimizer.factors()["w"], expected)


def test_a_callable_hyper_optimizer_sees_one_tensor_a_layer_and_matches_the_built_in_one():
    shapes = []

    def make(tensors):
        shapes.append([tuple(t.shape) for t in tensors])
        return torch.optim.Adam(tensors, lr=1e-2)

    params, optimizer = build(hyper_optimizer=make, hyper_lr=1e-2)
    others, other = build(hyper_lr=1e-2)
    assert shapes == [[tuple(M.shape) for M in other.factors().values()]]
    for p, o in ((params, optimizer), (others, other)):
        run(p, o, range(4))
        run(p, o, range(4, 8), missing=("square.weight",))
        run(p, o, range(8, 10))
    for name, M in optimizer.factors().items():
        torch.testing.assert_close(M, other.factors()[name], rtol=0, atol=1e-12)
    state = copy.deepcopy(optimizer.state_dict())
    _, third = build(hyper_optimizer=make, seed=4)
    third.load_state_dict(state)
    assert same(third.factors(), optimizer.factors())
