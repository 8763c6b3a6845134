"""Numbers that are large but finite pass; those that are not, wrong groups, names and options are refused."""

import copy
import math

import pytest
import torch
from torch import nn

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from tests.optim.built import build, run, same
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


# what is refused, and what is said -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"preconditioner": "kfac"},
        {"layout": "output"},
        {"trace": "momentum"},
        {"trace": -0.1},
        {"hyper_optimizer": "lion"},
        {"on_nonfinite": "ignore"},
        {"hyper_lr": -1.0},
        {"hyper_lr": float("nan")},
        {"rank": 0},
        {"rank": 2.5},
        {"update_every": 0},
        {"rescale": 0},
        {"preconditioner": "scalar", "normalized": True},
        {"apply": "beside"},
        {"apply": "after", "trace": "one_step"},
        {"apply": "after", "feedback": "osgm"},
        {"feedback": "gradient"},
        {"derivative": "cheap"},
        {"preconditioner": "direct", "derivative": "root"},
        {"init_scale": 0},
        {"preconditioner": "exponential", "init_scale": 0.5},
        {"preconditioner": "low_rank", "init_scale": 0.5},
        {"hyper_lr_step": -0.1},
        {"hyper_optimizer": torch.optim.SGD, "hyper_lr_step": 0.02},
        {"hyper_lr_bounds": (2.0, 3.0)},
        {"guard": "yes"},
        {"normalized": True, "guard": True},
        {"rescale": 1.0, "guard": True},
        {"preconditioner": "mean_removing", "guard": True},
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_by_name(options):
    name = next(reversed(options))
    with pytest.raises(ValueError, match=name):
        FOP(torch.optim.SGD([("w", weight())], lr=0.1), **options)


def test_bases_and_parameters_that_cannot_be_wrapped_are_refused():
    with pytest.raises(TypeError, match="LBFGS"):
        FOP(torch.optim.LBFGS([torch.ones(2, 2, requires_grad=True)]))
    with pytest.raises(TypeError, match="FOP"):
        FOP(FOP(torch.optim.SGD([("w", weight())], lr=0.1)))
    with pytest.raises(TypeError, match="Linear"):
        FOP(nn.Linear(2, 2))
    with pytest.raises(TypeError, match="'w' is complex"):
        FOP(torch.optim.SGD([("w", torch.ones(2, 2, dtype=torch.complex64, requires_grad=True))], lr=0.1))


def test_a_sparse_gradient_is_refused_by_name_before_anything_moves():
    embedding = nn.Embedding(5, 3, sparse=True)
    optimizer = FOP(torch.optim.SGD(embedding.named_parameters(), lr=0.1))
    before = embedding.weight.detach().clone()
    embedding(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(TypeError, match="'weight' is sparse"):
        optimizer.step()
    assert torch.equal(before, embedding.weight)


def test_sharded_parameters_are_refused():
    class DTensor(torch.Tensor):
        pass

    shard = torch.ones(2, 2).as_subclass(DTensor).requires_grad_()
    with pytest.raises(TypeError, match="sharded"):
        FOP(torch.optim.SGD([("w", shard)], lr=0.1))


def test_repr_lists_layers_and_what_is_left():
    text = repr(build("low_rank", rank=2)[1])
    assert "around SGD" in text
    row = next(line for line in text.splitlines() if line.split()[:1] == ["square.weight"])
    assert row.split() == ["square.weight", "spatial", "9", "6", "2", "18"]
    assert "left to SGD (bias or norm): linear.bias" in text
    assert "left to SGD (1x1 kernel): pointwise.weight" in text
    text = repr(build(max_dim=3)[1])
    assert "n = 9 > max_dim = 3" in text


def test_a_rank_above_n_is_cut_to_n_and_said_so():
    _, optimizer = build("low_rank", rank=8)
    ranks = {layer.name: layer.M.shape[1] for layer in optimizer.layers()}
    assert (ranks["square.weight"], ranks["wide.weight"], ranks["tall.weight"]) == (8, 5, 2)
    said = optimizer.cut_ranks()
    assert len(said) == 5 and "rank 8 cut to n = 5: wide.weight" in said
    assert repr(optimizer).endswith("\n  ".join(["", *said]))
    assert build("low_rank", rank=2)[1].cut_ranks() == build("factored", rank=8)[1].cut_ranks() == []


def test_nothing_to_precondition_is_said():
    with pytest.warns(UserWarning, match="none of the parameters"):
        FOP(torch.optim.SGD([torch.ones(3, requires_grad=True)], lr=0.1))


def test_memory_usage_counts_m_u_and_moments():
    theta = torch.ones(5, 3, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1))
    learning = 4 * (3 * 9 + 1)  # M and two moments [3, 3], a step count
    assert optimizer.memory_usage() == learning
    theta.grad = torch.ones(5, 3)
    optimizer.step()
    assert optimizer.memory_usage() == learning + 4 * 15


def test_channels_last_kernels_are_preconditioned_the_same():
    def learned(memory_format):
        torch.manual_seed(0)
        model = nn.Conv2d(3, 4, 3).to(memory_format=memory_format)
        optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1), hyper_lr=1e-2)
        for step in range(4):
            optimizer.zero_grad()
            x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
            model(x.to(memory_format=memory_format)).square().sum().backward()
            optimizer.step()
        return model.weight.detach(), optimizer.factors()["weight"]

    for a, b in zip(learned(torch.contiguous_format), learned(torch.channels_last)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
