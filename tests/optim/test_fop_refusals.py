"""Numbers that are large but finite pass; those that are not, wrong groups, names and options are refused."""

import copy
import math

import pytest
import torch

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from tests.optim.test_fop import build, run, same
from tests.problems import backward

NAN, INF = math.nan, math.inf


def steps_once(gradients, **options):
    """An optimizer after one step on these gradients, in parameters a, b, ... of their shapes and dtypes."""
    params = {"ab"[i]: torch.ones_like(g).requires_grad_() for i, g in enumerate(gradients)}
    optimizer = FOP(torch.optim.SGD(params.items(), lr=0.0), hyper_lr=1e-2, **options)
    for p, g in zip(params.values(), gradients):
        p.grad = g.clone()
    optimizer.step()
    return optimizer


# large, and finite ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_nonfinite", ["raise", "skip"])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kind", PRECONDITIONERS)
def test_numbers_whose_sum_overflows_are_finite(kind, dtype, sign, on_nonfinite):
    """3e37 in float32, ten times; in weights and in a bias, and at the largest number there is."""
    for size in (0.09, 0.5, 1.0):
        if (kind == "mean_removing" and size > 0.09) or (kind == "low_rank" and size == 1):
            continue  # the mean that one takes out is a sum; the other makes it longer
        large = sign * size * torch.finfo(dtype).max
        gradients = [torch.full((6, 6), large, dtype=dtype), torch.full((40,), large, dtype=dtype)]
        optimizer = steps_once(gradients, preconditioner=kind, on_nonfinite=on_nonfinite)
        optimizer.check()
        assert optimizer.skipped_steps == 0
        for layer in optimizer.layers():
            if layer.trace is not None:
                assert torch.equal(layer.trace, layer.parameter.grad.to(layer.M)), "u has taken it in"


def test_a_hypergradient_whose_sum_overflows_is_finite():
    theta = torch.ones(8, 8, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=1.0), hyper_lr=1e-39, hyper_optimizer="sgd")
    for _ in range(2):  # each entry of the hypergradient: 8 * 2 * 3e18 ** 2 = 1.4e38; 64 of them are more than 3.4e38
        theta.grad = torch.full((8, 8), 3e18)
        optimizer.step()
    optimizer.check()
    assert not torch.equal(optimizer.factors()["w"], torch.eye(8))


# not finite ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [NAN, INF, -INF], ids=str)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("name", ["linear.bias", "pointwise.weight", "linear.weight"])
def test_a_number_that_is_not_finite_is_noticed_wherever_it_is(name, dtype, value):
    params, optimizer = build(dtype=dtype)
    run(params, optimizer, range(3))
    before = copy.deepcopy(optimizer.state_dict()["fop"]["layers"])
    backward(params, 3)
    params[name].grad.view(-1)[1] = value
    optimizer.step()
    after = optimizer.state_dict()["fop"]["layers"]
    assert same(before, after), "no M and no u has changed"
    with pytest.raises(FloatingPointError, match=name):
        optimizer.check()
    optimizer.check()  # reported once


@pytest.mark.parametrize("value", [NAN, INF, -INF], ids=str)
@pytest.mark.parametrize("name", ["linear.bias", "linear.weight"])
def test_skip_leaves_such_a_step_out(name, value):
    params, optimizer = build(on_nonfinite="skip")
    run(params, optimizer, range(3))
    before = copy.deepcopy((dict(params), optimizer.state_dict()["fop"]["layers"]))
    backward(params, 3)
    params[name].grad.view(-1)[1] = value
    optimizer.step()
    assert optimizer.skipped_steps == 1
    assert same(before, (dict(params), optimizer.state_dict()["fop"]["layers"]))


def test_skip_leaves_out_a_step_whose_hypergradient_overflows():
    theta = torch.ones(2, 2, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=1e-30), hyper_lr=1e-2, on_nonfinite="skip")
    after = []
    for _ in range(2):
        theta.grad = torch.full((2, 2), 1e35)
        optimizer.step()
        after.append(theta.detach().clone())
    assert optimizer.skipped_steps == 1
    assert torch.equal(*after), "the first step counts, the second does not"


def test_what_was_not_finite_is_reported_though_a_group_was_added_meanwhile():
    params, optimizer = build()
    run(params, optimizer, range(2))
    backward(params, 2)
    params["linear.weight"].grad.fill_(NAN)
    optimizer.step()
    optimizer.add_param_group({"params": [("extra", torch.ones(2, 2, dtype=torch.float64, requires_grad=True))]})
    with pytest.raises(FloatingPointError, match=r"linear\.weight"):
        optimizer.check()


def test_parameters_without_entries_are_no_trouble():
    empty = torch.ones(0, 3, requires_grad=True)
    theta = torch.ones(2, 2, requires_grad=True)
    for mode in ("raise", "skip"):
        optimizer = FOP(torch.optim.SGD([("e", empty), ("w", theta)], lr=0.1), on_nonfinite=mode)
        empty.grad, theta.grad = torch.ones(0, 3), torch.ones(2, 2)
        optimizer.step()
        optimizer.check()


# groups and names ----------------------------------------------------------------------------------------------------


def weight(n=2):
    return torch.ones(n, n, requires_grad=True)


def test_equal_names_are_refused():
    with pytest.raises(ValueError, match="'w'"):
        FOP(torch.optim.SGD([{"params": [("w", weight())]}, {"params": [("w", weight(3))]}], lr=0.1))
    optimizer = FOP(torch.optim.SGD([("w", weight())], lr=0.1))
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match="'w'"):
        optimizer.add_param_group({"params": [("w", weight(3))]})
    assert same(before, optimizer.state_dict()), "the group was not added to the base either"
    optimizer.add_param_group({"params": [("v", weight(3))]})
    assert list(optimizer.factors()) == ["w", "v"]


def test_a_group_that_fop_cannot_take_is_not_added():
    optimizer = FOP(torch.optim.SGD([("w", weight())], lr=0.1))
    complex_one = torch.ones(2, 2, dtype=torch.complex64, requires_grad=True)
    with pytest.raises(TypeError, match="'c' is complex"):
        optimizer.add_param_group({"params": [("v", weight()), ("c", complex_one)]})
    assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": [("v", weight())]})
    assert list(optimizer.factors()) == ["w", "v"]


def removed(groups):
    del groups[0]


def replaced(groups):
    groups[0] = {**groups[0], "params": [weight(3)], "param_names": ["other"]}


def swapped(groups):
    groups.reverse()


def emptied(groups):
    groups[1] = {**groups[1], "params": []}


@pytest.mark.parametrize("change", [removed, replaced, swapped, emptied])
@pytest.mark.parametrize("use", ["step", "state_dict", "load_state_dict"])
def test_groups_that_were_taken_away_or_replaced_are_an_error_before_anything_moves(change, use):
    v, w = weight(), weight(3)
    optimizer = FOP(torch.optim.SGD([{"params": [("v", v)]}, {"params": [("w", w)]}], lr=0.1))
    for _ in range(2):
        v.grad, w.grad = torch.ones(2, 2), torch.ones(3, 3)
        optimizer.step()
    before, state, learned = (v.detach().clone(), w.detach().clone()), optimizer.state_dict(), optimizer.factors()
    change(optimizer.base.param_groups)
    with pytest.raises(ValueError, match=r"param_groups.*FOP"):
        getattr(optimizer, use)(*([state] if use == "load_state_dict" else []))
    assert torch.equal(v, before[0]) and torch.equal(w, before[1])
    assert same(learned, optimizer.factors()), "what was learned can still be had"


def test_a_state_holds_a_group_that_was_added_to_the_base_and_not_stepped_yet():
    _, optimizer = build()
    optimizer.base.add_param_group({"params": [("extra", weight())]})
    state = copy.deepcopy(optimizer.state_dict())
    assert "extra" in optimizer.factors()
    _, other = build(seed=1)
    other.add_param_group({"params": [("extra", weight())]})
    other.load_state_dict(state)
    assert same(optimizer.factors(), other.factors())


# options -------------------------------------------------------------------------------------------------------------

WRONG_RATES = [NAN, INF, -INF, -1.0, "fast", None, True, [0.1], torch.ones(2)]


@pytest.mark.parametrize("value", WRONG_RATES, ids=repr)
def test_a_wrong_hyper_lr_is_refused_when_it_is_set(value):
    params, optimizer = build()
    with pytest.raises(ValueError, match="hyper_lr"):
        optimizer.hyper_lr = value
    assert optimizer.hyper_lr == 1e-2
    with pytest.raises(ValueError, match="hyper_lr"):
        build(hyper_lr=value)
    run(params, optimizer, range(2))
    optimizer.check()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("update_every", 0),
        ("update_every", 2.5),
        ("trace", NAN),
        ("trace", "momentum"),
        ("trace", True),
        ("trace", None),
        ("on_nonfinite", "ignore"),
        ("rescale", NAN),
        ("rescale", "one"),
        ("rescale", True),
        ("normalized", "yes"),
    ],
)
def test_other_options_are_refused_when_they_are_set_too(name, value):
    _, optimizer = build()
    before = getattr(optimizer, name)
    with pytest.raises(ValueError, match=name):
        setattr(optimizer, name, value)
    assert getattr(optimizer, name) == before
    with pytest.raises(ValueError, match=name):
        build(**{name: value})


@pytest.mark.parametrize("value", ["x", None, 0.5, True, -1], ids=repr)
def test_a_wrong_seed_is_refused_by_name(value):
    with pytest.raises(ValueError, match="seed"):
        FOP(torch.optim.SGD([("w", weight())], lr=0.1), seed=value)


@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        *(("momentum", "lr", value) for value in (NAN, INF, "fast", None)),
        *(("momentum", "momentum", value) for value in (NAN, INF, -0.1, 1.5, "much", None)),
        *(("momentum", "dampening", value) for value in (NAN, "x")),
        *(("adam", "betas", value) for value in ((NAN, 0.9), (1.5, 0.9), 0.9, None, (), "ab")),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_a_wrong_rate_of_the_base_is_refused_before_anything_moves(base, name, value, later):
    params, optimizer = build(base=base)
    run(params, optimizer, range(2))
    before = copy.deepcopy((dict(params), optimizer.state_dict()["fop"]))
    optimizer.param_groups[1][name] = value
    backward(params, 2)
    with pytest.raises(ValueError, match=rf"{name}.*parameter group 1"):
        optimizer.step() if later else FOP(optimizer.base)
    assert same(before[0], dict(params))


def test_a_hyper_optimizer_that_makes_none_is_refused():
    for make in (lambda tensors: None, lambda tensors: tensors):
        with pytest.raises(TypeError, match="hyper_optimizer"):
            build(hyper_optimizer=make)
