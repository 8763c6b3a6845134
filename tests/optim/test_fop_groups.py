"""A parameter group may have options of FOP of its own, and is then learned as by a FOP of its own."""

import copy
import math

import pytest
import torch

from fop_core import FOP
from tests.optim.built import build, run, same
from tests.problems import BASES, backward, parameters

NAMES = ("linear.weight", "linear.bias", "square.weight", "again.weight", "tall.weight", "wide.weight")
OWN = {"hyper_lr": 3e-2, "trace": 0.2, "update_every": 2}


def some(seed=0, names=NAMES):
    return parameters(seed, names=names)


def split(params):
    """Two groups' named parameters: kernels of one shape of M are in both."""
    named = list(params.items())
    return named[::2], named[1::2]


def grouped(params, first=None, second=None, base="momentum", **options):
    """FOP over two groups with these options of their own."""
    options.setdefault("hyper_lr", 1e-2)
    one, two = split(params)
    return FOP(BASES[base]([{"params": one, **(first or {})}, {"params": two, **(second or {})}]), **options)


def sgd_adam(tensors):
    return torch.optim.Adam(tensors, lr=1e-2)


# as by a FOP of its own ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", ["momentum", "adam"])
@pytest.mark.parametrize("hyper_optimizer", ["adam", "sgd", "adagrad"])
@pytest.mark.parametrize("kind", ["factored", "low_rank", "exponential", "diagonal"])
def test_a_group_is_learned_as_by_a_fop_with_its_options(kind, hyper_optimizer, base):
    own = dict(OWN, rank=2) if kind == "low_rank" else OWN
    shared = {"preconditioner": kind, "hyper_optimizer": hyper_optimizer, "init_std": 0.1}
    params = some()
    both = grouped(params, second=own, base=base, **shared)
    twins = some()
    first, second = (
        FOP(BASES[base](named), **{**shared, "hyper_lr": 1e-2, **options})
        for named, options in zip(split(twins), ({}, own))
    )
    for each in (first, second):  # the one draws all of M in order, the two from the beginning each
        each.load_factors({name: M for name, M in both.factors().items() if name in each.factors()})
    for step in range(7):
        run(params, both, [step])
        backward(twins, step)
        first.step()
        second.step()
    learned = first.factors() | second.factors()
    near = {"rtol": 1e-13, "atol": 1e-13} if kind == "exponential" else {"rtol": 0, "atol": 0}  # products of a stack
    for name, parameter in params.items():
        torch.testing.assert_close(parameter, twins[name], **near)
    for name, M in both.factors().items():
        torch.testing.assert_close(M, learned[name], **near)


@pytest.mark.parametrize("hyper_lr_step", [0.0, 0.1])
def test_a_rate_of_0_freezes_a_group_and_no_other(hyper_lr_step):
    params = some()
    optimizer = grouped(params, second={"hyper_lr": 0.0}, hyper_lr_step=hyper_lr_step)
    before = optimizer.factors()
    run(params, optimizer, range(4))
    changed = {name for name, M in optimizer.factors().items() if not torch.equal(M, before[name])}
    assert changed == {"linear.weight", "wide.weight", "square.weight"} & before.keys() - dict(split(params)[1]).keys()
    optimizer.hyper_lr = 0  # FOP's own counts for groups without one
    before = optimizer.factors()
    run(params, optimizer, range(4, 6))
    assert same(before, optimizer.factors())


def test_a_callable_hyper_optimizer_leaves_a_frozen_group_alone():
    params = some()
    optimizer = grouped(params, second={"hyper_lr": 0}, hyper_optimizer=sgd_adam)
    before = optimizer.factors()
    run(params, optimizer, range(4))
    frozen = [name for name, _ in split(params)[1] if name in before]
    assert frozen and all(torch.equal(optimizer.factors()[name], before[name]) for name in frozen)
    assert not torch.equal(optimizer.factors()["linear.weight"], before["linear.weight"])


def test_the_rate_of_a_layer_is_its_groups():
    optimizer = grouped(some(), second={"hyper_lr": 0.5})
    assert [optimizer.hyper_lr_of(layer) for layer in optimizer.layers()] == [
        (1e-2, 0.5)[layer.group] for layer in optimizer.layers()
    ]


def test_guard_leaves_a_frozen_group_alone_at_steps_it_undoes():
    params = some(names=("linear.weight", "wide.weight"))
    optimizer = grouped(params, second={"hyper_lr": 0.0}, base="sgd", guard=True, hyper_optimizer="sgd")
    optimizer.param_groups[0]["lr"] = 5.0  # too far
    before = optimizer.factors()

    def closure():
        return backward(params, 0)

    optimizer.step(closure)
    assert optimizer.undone_steps == 1
    assert torch.equal(optimizer.factors()["wide.weight"], before["wide.weight"])
    assert not torch.equal(optimizer.factors()["linear.weight"], before["linear.weight"])


# a group left alone --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["factored", "diagonal"])
@pytest.mark.parametrize("base", ["nesterov", "adamw"])
def test_a_group_left_alone_is_the_bases_bit_for_bit(kind, base):
    params = some()
    optimizer = grouped(params, second={"preconditioner": None}, base=base, preconditioner=kind)
    others = some()
    one, two = split(others)
    alone = BASES[base]([{"params": one}, {"params": two}])
    for step in range(5):
        run(params, optimizer, [step])
        backward(others, step)
        alone.step()
    assert all(torch.equal(params[name], parameter) for name, parameter in two)
    assert not torch.equal(params["linear.weight"], others["linear.weight"])
    left = optimizer.left_to_base()
    assert {name: left[name] for name, _ in two} == {
        name: "preconditioner=None in parameter group 1" for name, _ in two
    }
    assert not optimizer.factors().keys() & dict(two).keys()


def test_a_group_left_alone_draws_nothing():
    params = some()
    with_it = grouped(params, first={"preconditioner": None}, preconditioner="low_rank")
    without = FOP(BASES["momentum"](split(params)[1]), "low_rank")
    assert same(with_it.factors(), without.factors())


def test_groups_are_shown():
    text = repr(
        grouped(some(), {"rank": 2, "hyper_lr": 0.5}, {"preconditioner": None}, preconditioner="low_rank", rank=8)
    )
    assert "parameter group 0: hyper_lr=0.5, rank=2" in text
    assert "parameter group 1: preconditioner=None" in text
    assert "left to SGD (preconditioner=None in parameter group 1): linear.bias, tall.weight, again.weight" in text
    assert "parameter group" not in repr(build()[1])
    cut = grouped(some(), {"rank": 4}, preconditioner="low_rank", rank=20).cut_ranks()
    assert cut == [
        "rank 4 cut to n = 3: linear.weight",
        "rank 20 cut to n = 2: tall.weight",
        "rank 20 cut to n = 9: again.weight",
    ]


# schedulers ----------------------------------------------------------------------------------------------------------


def test_a_scheduler_moves_rho_through_the_groups():
    """The rate that a group has at a step is the one of that step, as FOP's own is."""
    params, others = some(), some()
    scheduled = grouped(params, {"hyper_lr": 1e-2}, {"hyper_lr": 1e-2}, hyper_optimizer="sgd")
    twin = grouped(others, hyper_optimizer="sgd")
    for step in range(6):
        rho = 1e-2 * math.cos(step) ** 2
        for group in scheduled.param_groups:
            group["hyper_lr"] = rho
        twin.hyper_lr = rho
        run(params, scheduled, [step])
        run(others, twin, [step])
    assert same(dict(params), dict(others)) and same(scheduled.factors(), twin.factors())


class HyperLambda(torch.optim.lr_scheduler.LambdaLR):
    """LambdaLR for rho, as a user would write it: torch's own writes "lr" alone."""

    def __init__(self, optimizer, rates):
        self.starts = [group["hyper_lr"] for group in optimizer.param_groups]
        super().__init__(optimizer, rates)

    def step(self, epoch=None):
        lrs = [group["lr"] for group in self.optimizer.param_groups]
        super().step(epoch)
        for group, lr, start, rate in zip(self.optimizer.param_groups, lrs, self.starts, self.lr_lambdas):
            group["lr"], group["hyper_lr"] = lr, start * rate(self.last_epoch)


def test_a_scheduler_of_torchs_kind_moves_rho_beside_one_that_moves_the_rate():
    params = some()
    optimizer = grouped(params, {"hyper_lr": 1e-2}, {"hyper_lr": 4e-2})
    rates = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    rhos = HyperLambda(optimizer, lambda epoch: 0.5**epoch)
    history = []
    for step in range(4):
        history.append([(group["lr"], group["hyper_lr"]) for group in optimizer.param_groups])
        run(params, optimizer, [step])
        rates.step()
        rhos.step()
    assert [[rho for _, rho in each] for each in history] == [[1e-2 * 0.5**t, 4e-2 * 0.5**t] for t in range(4)]
    assert [each[0][0] for each in history] == [0.02, 0.02, 0.01, 0.01]


# what is refused -----------------------------------------------------------------------------------------------------

WRONG = [
    ({"hyper_lr": math.nan}, "factored", {}, "hyper_lr of parameter group 1 is nan"),
    ({"hyper_lr": -1.0}, "factored", {}, r"hyper_lr of parameter group 1 is -1\.0"),
    ({"hyper_lr": torch.tensor(0.1)}, "factored", {}, "hyper_lr of parameter group 1 is tensor"),
    ({"rank": 0}, "low_rank", {}, "rank of parameter group 1 is 0: give a whole number"),
    ({"rank": 3}, "factored", {}, "rank of parameter group 1 is 3: 'factored' has none"),
    ({"update_every": 1.5}, "factored", {}, r"update_every of parameter group 1 is 1\.5"),
    ({"trace": "momentum"}, "factored", {}, "trace of parameter group 1 is 'momentum'"),
    ({"trace": 0.5}, "factored", {"apply": "after"}, r"trace of parameter group 1 is 0\.5: apply"),
    ({"preconditioner": "direct"}, "factored", {}, "preconditioner of parameter group 1 is 'direct'.*'factored'"),
    ({"preconditioner": "kfac"}, "factored", {}, "preconditioner of parameter group 1 is 'kfac'"),
    ({"layout": "input"}, "factored", {}, "layout is an option of FOP as a whole, and parameter group 1"),
    ({"hyper_optimizer": "sgd"}, "factored", {}, "hyper_optimizer is an option of FOP as a whole"),
]


@pytest.mark.parametrize(("own", "kind", "options", "message"), WRONG, ids=[message for *_, message in WRONG])
def test_a_wrong_option_of_a_group_is_refused_by_name(own, kind, options, message):
    with pytest.raises(ValueError, match=message):
        grouped(some(), second=own, preconditioner=kind, **options)
    params = some()
    optimizer = grouped(params, preconditioner=kind, **options)
    run(params, optimizer, range(2))
    before = copy.deepcopy((dict(params), optimizer.state_dict()))
    optimizer.param_groups[1].update(own)
    backward(params, 2)
    with pytest.raises(ValueError, match=r"parameter group 1"):
        optimizer.step()
    for name in own:
        del optimizer.param_groups[1][name]
    assert same(before, (dict(params), optimizer.state_dict()))
    extra = torch.ones(3, 3, dtype=torch.float64, requires_grad=True)
    with pytest.raises(ValueError, match=r"parameter group 2"):
        optimizer.add_param_group({"params": [("extra", extra)], **own})
    assert same(before, (dict(params), optimizer.state_dict()))


@pytest.mark.parametrize(("name", "value"), [("rank", 5), ("preconditioner", None)])
def test_what_counts_when_m_is_made_cannot_be_changed_later(name, value):
    params = some()
    optimizer = grouped(params, second={"rank": 2}, preconditioner="low_rank")
    run(params, optimizer, range(2))
    before = copy.deepcopy(dict(params))
    optimizer.param_groups[1][name] = value
    backward(params, 2)
    with pytest.raises(ValueError, match=rf"{name} of parameter group 1 is {value} and was (2|not there)"):
        optimizer.step()
    assert same(before, dict(params))
    optimizer.param_groups[1].update(rank=2)
    optimizer.param_groups[1].pop("preconditioner", None)
    optimizer.step()


def test_a_key_that_is_an_option_of_the_base_is_the_bases():
    class Galore(torch.optim.SGD):
        def __init__(self, params, **options):
            super().__init__(params, lr=0.1)
            self.defaults |= {"rank": 4, "layout": "rows"}
            for group in self.param_groups:
                group |= {"rank": -1, "layout": "rows", "hyper_lr": 0.5}

    params = some()
    optimizer = FOP(Galore(params.items()), hyper_lr=1e-2)
    run(params, optimizer, range(3))
    assert "parameter group 0: hyper_lr=0.5\n" in repr(optimizer)


# keeping and restoring -----------------------------------------------------------------------------------------------

GROUPS = {"first": {"hyper_lr": 2e-2, "rank": 3}, "second": {"trace": 0.4, "update_every": 2, "rank": 2}}


def test_options_of_groups_are_in_the_state_and_come_back():
    params = some()
    optimizer = grouped(params, preconditioner="low_rank", **GROUPS)
    run(params, optimizer, range(3))
    optimizer.param_groups[0]["hyper_lr"] = 7e-2
    state = copy.deepcopy(optimizer.state_dict())
    assert state["param_groups"][0]["hyper_lr"] == 7e-2 and state["param_groups"][1]["update_every"] == 2
    others = copy.deepcopy(dict(params))
    other = grouped(others, preconditioner="low_rank", **GROUPS)
    other.load_state_dict(state)
    for p, o in ((params, optimizer), (others, other)):
        run(p, o, range(3, 8))
    assert same(dict(params), others) and same(optimizer.state_dict(), other.state_dict())


def test_a_copy_keeps_the_options_of_groups():
    params = some()
    optimizer = grouped(params, preconditioner="low_rank", **GROUPS)
    others, other = copy.deepcopy((dict(params), optimizer))
    assert repr(other) == repr(optimizer)
    for p, o in ((params, optimizer), (others, other)):
        run(p, o, range(5))
    assert same(dict(params), others)


def test_a_state_of_before_groups_had_options_leaves_those_of_now():
    params = some()
    older = grouped(params)
    run(params, older, range(3))
    state = copy.deepcopy(older.state_dict())
    assert not {"hyper_lr", "update_every"} & state["param_groups"][1].keys()
    optimizer = grouped(some(1), second={"hyper_lr": 0.5, "update_every": 3, "trace": "velocity"})
    optimizer.load_state_dict(state)
    assert same(optimizer.factors(), older.factors())
    second = optimizer.param_groups[1]
    assert (second["hyper_lr"], second["update_every"], second["trace"]) == (0.5, 3, "velocity")
    run(some(), optimizer, range(1))


OTHERS = [
    ({"trace": 0.3}, {}, r"trace of parameter group 1 is 0\.3 in this state and 'velocity' here"),
    ({}, {"trace": 0.3}, r"trace of parameter group 1 is 'velocity' in this state and 0\.3 here"),
    ({"preconditioner": None}, {}, "this state preconditions parameters"),
    ({}, {"preconditioner": None}, "this state preconditions parameters"),
    ({"rank": 2}, {"rank": 3}, "M of 'again.weight'"),
]


@pytest.mark.parametrize(("saved", "here", "message"), OTHERS, ids=[f"{a} {b}" for a, b, _ in OTHERS])
def test_a_state_of_other_groups_is_refused_and_changes_nothing(saved, here, message):
    params = some()
    source = grouped(params, second=saved, preconditioner="low_rank")
    run(params, source, range(2))
    others = some(1)
    optimizer = grouped(others, second=here, preconditioner="low_rank")
    run(others, optimizer, range(3))
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=message):
        optimizer.load_state_dict(copy.deepcopy(source.state_dict()))
    assert same(before, optimizer.state_dict())


def test_a_wrong_option_of_a_group_in_a_state_is_refused():
    params = some()
    optimizer = grouped(params, second=OWN)
    run(params, optimizer, range(2))
    state = copy.deepcopy(optimizer.state_dict())
    state["param_groups"][1]["update_every"] = 0
    with pytest.raises(ValueError, match="update_every of parameter group 1 is 0"):
        optimizer.load_state_dict(state)
    state["param_groups"][1]["update_every"] = 4
    optimizer.load_state_dict(state)
    assert optimizer.param_groups[1]["update_every"] == 4, "the state's, as every option of a group"
