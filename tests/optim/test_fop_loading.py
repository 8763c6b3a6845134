"""A saved state or a factor that does not fit is refused by name, and nothing has changed then."""

import copy
import inspect
import io
import math

import pytest
import torch

from fop_core import FOP
from fop_core.optim import checks
from tests.optim.built import KINDS, build, run, same
from tests.problems import BASES, groups, parameters

NAN, INF, HUGE = math.nan, math.inf, 10**400


def hyper_adam(tensors):
    return torch.optim.Adam(tensors, lr=1e-2)


def put(*path, value):
    def change(state):
        *inner, last = path
        for key in inner:
            state = state[key]
        state[last] = value(state[last]) if callable(value) else value

    return change


def drop(*path):
    def change(state):
        *inner, last = path
        for key in inner:
            state = state[key]
        del state[last]

    return change


def bad(value):
    """A tensor with one number replaced."""

    def change(tensor):
        tensor = tensor.clone()
        tensor.view(-1)[-1] = value
        return tensor

    return change


LAYER = ("fop", "layers", 0)  # linear.weight
WRONG = [
    # what is FOP's own
    (drop("fop"), "no FOP in it"),
    (put("fop", value=None), "fop"),
    (put("fop", value=[1]), "fop"),
    (drop("fop", "preconditioner"), "preconditioner"),
    (put("fop", "preconditioner", value="direct"), "'direct'"),
    (drop("fop", "hyper_lr"), "hyper_lr"),
    (put("fop", "hyper_lr", value=NAN), "hyper_lr"),
    (put("fop", "hyper_lr", value=-1.0), "hyper_lr"),
    (put("fop", "hyper_lr", value="fast"), "hyper_lr"),
    (put("fop", "hyper_lr", value=HUGE), "hyper_lr"),
    (put("fop", "steps", value=HUGE), "steps"),
    (put("fop", "skipped_steps", value=HUGE), "skipped_steps"),
    (put(*LAYER, "epsilon", value=HUGE), r"epsilon of 'linear\.weight'"),
    (put(*LAYER, "epsilon", value=torch.zeros((), device="meta")), r"epsilon of 'linear\.weight'"),
    (put(*LAYER, "M", value=lambda M: M.to("meta")), r"M of 'linear\.weight'.*no numbers"),
    (put(*LAYER, "trace", value=lambda trace: trace.to("meta")), r"trace of 'linear\.weight'.*no numbers"),
    (put("param_groups", 1, "lr", value=HUGE), "lr.*group 1"),
    (put("param_groups", 1, "lr", value=torch.zeros((), device="meta")), "lr.*group 1"),
    (put("param_groups", 1, "weight_decay", value=HUGE), "weight_decay.*group 1"),
    (put("fop", "options", value=None), "options of this state"),
    (put("fop", "options", "trace", value=NAN), "trace is nan in it and 'velocity' here"),
    (put("fop", "options", "trace", value=torch.zeros(2)), "trace is tensor"),
    (put("fop", "options", "normalized", value=[]), r"normalized is \[\] in it and False here"),
    (put("fop", "options", "preconditioner", value="factored"), "options of this state has 'preconditioner'"),
    (put("fop", "options", "surplus", value=1), "options of this state has 'surplus'"),
    (drop("fop", "steps"), "steps"),
    (put("fop", "steps", value=-1), "steps"),
    (put("fop", "steps", value="many"), "steps"),
    (put("fop", "steps", value=NAN), "steps"),
    (drop("fop", "skipped_steps"), "skipped_steps"),
    (put("fop", "skipped_steps", value=0.5), "skipped_steps"),
    (lambda state: state["fop"].update(surplus=1), "surplus"),
    (lambda state: state["fop"].update(hyper=[]), "hyper"),
    (drop("fop", "layers"), "layers"),
    (put("fop", "layers", value=None), "layers"),
    (drop(*LAYER), "layers|parameters"),
    (lambda state: state["fop"]["layers"].update(surplus={}), "surplus"),
    (put(*LAYER, value=7), r"linear\.weight"),
    (drop(*LAYER, "M"), r"linear\.weight.* lacks M"),
    (put(*LAYER, "M", value=bad(NAN)), r"M of 'linear\.weight'.*not finite"),
    (put(*LAYER, "M", value=bad(-INF)), r"M of 'linear\.weight'.*not finite"),
    (put(*LAYER, "M", value=lambda M: M.tolist()), r"M of 'linear\.weight'"),
    (put(*LAYER, "M", value=lambda M: M[:2]), r"M of 'linear\.weight'.*\[2, 3\]"),
    (put(*LAYER, "M", value=lambda M: M.to(torch.complex64)), r"M of 'linear\.weight'"),
    (put(*LAYER, "M", value=lambda M: M.to_sparse()), r"M of 'linear\.weight'"),
    (put(*LAYER, "mean", value=bad(NAN)), r"mean of 'linear\.weight'.*not finite"),
    (put(*LAYER, "square", value=bad(INF)), r"square of 'linear\.weight'.*not finite"),
    (put(*LAYER, "count", value=torch.tensor(NAN)), r"count of 'linear\.weight'.*not finite"),
    (put(*LAYER, "trace", value=bad(NAN)), r"trace of 'linear\.weight'.*not finite"),
    (put(*LAYER, "trace", value=torch.zeros(3)), r"trace of 'linear\.weight'"),
    (drop(*LAYER, "epsilon"), r"linear\.weight.* lacks epsilon"),
    (put(*LAYER, "epsilon", value=NAN), r"epsilon of 'linear\.weight'"),
    (put(*LAYER, "epsilon", value=torch.tensor(INF)), r"epsilon of 'linear\.weight'"),
    (put(*LAYER, "epsilon", value="small"), r"epsilon of 'linear\.weight'"),
    (lambda state: state["fop"]["layers"][0].update(surplus=torch.zeros(1)), "surplus"),
    # what is the base's
    (drop("state"), "state"),
    (put("state", value=3), "state"),
    (drop("param_groups"), "param_groups"),
    (put("param_groups", value=None), "param_groups"),
    (lambda state: state.update(surplus=1), "surplus"),
    (lambda state: state["param_groups"].pop(), "groups"),
    (lambda state: state["param_groups"][0]["params"].pop(), "group"),
    (drop("param_groups", 1, "lr"), "lr.*group 1"),
    (put("param_groups", 1, "lr", value=NAN), "lr.*group 1"),
    (put("param_groups", 1, "lr", value="fast"), "lr.*group 1"),
    (put("param_groups", 1, "lr", value=-1.0), "learning rate"),
    (put("param_groups", 1, "weight_decay", value=INF), "weight_decay.*group 1"),
    (lambda state: state["state"].update({1000: {}}), "1000"),
    (put("state", 0, value=None), "'linear.weight'"),
]


KEPT = [("momentum", "momentum_buffer"), ("adam", "exp_avg"), ("adam", "exp_avg_sq"), ("adam", "step")]
STEPS = (0.5, "a number")  # which torch reads as a count of steps


@pytest.mark.parametrize(
    ("base", "key", "value"),
    [
        (*kept, value)
        for kept in KEPT
        for value in ("x", -1, HUGE, 0.5, True, [1.0], {}, "meta", "a number", "one row")
        if kept[1] != "step" or value not in STEPS
    ],
    ids=lambda each: str(each)[:20],
)
def test_what_the_base_keeps_is_of_the_kind_that_it_would_keep(base, key, value):
    params, source = build(base=base)
    run(params, source, range(3))
    wrong = copy.deepcopy(source.state_dict())
    if value == "meta":
        value = wrong["state"][0][key].to("meta")
    elif value in ("a number", "one row"):
        value = torch.zeros(()) if value == "a number" else torch.zeros(1, 3)
    wrong["state"][0][key] = value
    refused_unchanged(build(base=base, seed=1), wrong, f"{key} of 'linear.weight'")


@pytest.mark.parametrize(("change", "names"), WRONG, ids=[f"{i}-{names}" for i, (_, names) in enumerate(WRONG)])
@pytest.mark.parametrize("base", ["momentum", "adam"])
def test_a_wrong_state_is_refused_by_name_and_changes_nothing(change, names, base):
    params, source = build(base=base)
    run(params, source, range(3))
    wrong = copy.deepcopy(source.state_dict())
    change(wrong)
    refused_unchanged(build(base=base, seed=1), wrong, names)


@pytest.mark.parametrize(
    ("base", "change", "names"),
    [
        ("momentum", put("state", 0, "momentum_buffer", value=bad(NAN)), r"momentum_buffer of 'linear\.weight'"),
        ("momentum", put("state", 0, "momentum_buffer", value=torch.zeros(5)), r"momentum_buffer of 'linear\.weight'"),
        ("momentum", put("param_groups", 0, "momentum", value=7.0), "momentum.*group 0"),
        ("momentum", put("param_groups", 0, "momentum", value="much"), "momentum.*group 0"),
        ("momentum", put("param_groups", 0, "nesterov", value="maybe"), "nesterov.*group 0"),
        ("adam", put("state", 0, "exp_avg_sq", value=bad(INF)), r"exp_avg_sq of 'linear\.weight'"),
        ("adam", put("state", 0, "exp_avg", value=lambda t: t.T), r"exp_avg of 'linear\.weight'"),
        ("adam", drop("state", 0, "exp_avg_sq"), r"linear\.weight.* lacks .*exp_avg_sq"),
        ("adam", drop("state", 0, "step"), r"linear\.weight.* lacks .*step"),
        ("adam", put("state", 0, "step", value=torch.tensor(NAN)), r"step of 'linear\.weight'"),
        ("adam", put("param_groups", 0, "betas", value=(0.9, 1.5)), "beta"),
        ("adam", put("param_groups", 0, "betas", value=(0.9, NAN)), "betas.*group 0"),
        ("adam", put("param_groups", 0, "betas", value=0.9), "betas.*group 0"),
        ("adam", put("param_groups", 0, "eps", value=None), "eps.*group 0"),
        ("adam", put("state", 0, "exp_avg", value=None), r"exp_avg of 'linear\.weight'"),
    ],
)
def test_a_wrong_state_of_the_base_is_refused_by_name(base, change, names):
    params, source = build(base=base)
    run(params, source, range(3))
    wrong = copy.deepcopy(source.state_dict())
    change(wrong)
    refused_unchanged(build(base=base, seed=1), wrong, names)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (drop("fop", "hyper"), "hyper"),
        (put("fop", "hyper", value=[]), "hyper"),
        (put("fop", "hyper", 0, "state", 0, "exp_avg", value=bad(NAN)), r"exp_avg.*hyper_optimizer"),
        (put("fop", "hyper", 0, "param_groups", 0, "lr", value=NAN), r"lr.*hyper_optimizer"),
        (put("fop", "hyper", 0, value=None), "hyper"),
    ],
)
def test_a_wrong_state_of_the_hyper_optimizer_is_refused_by_name(change, names):
    params, source = build(hyper_optimizer=hyper_adam)
    run(params, source, range(3))
    wrong = copy.deepcopy(source.state_dict())
    change(wrong)
    refused_unchanged(build(hyper_optimizer=hyper_adam, seed=1), wrong, names)


def refused_unchanged(target, wrong, names):
    params, optimizer = target
    run(params, optimizer, range(5))
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=names):
        optimizer.load_state_dict(wrong)
    assert same(before, optimizer.state_dict())
    others, other = build(
        base="adam" if "betas" in optimizer.defaults else "momentum",
        seed=1,
        hyper_optimizer=hyper_adam if "hyper" in before["fop"] else "adam",
    )
    run(others, other, range(7))
    run(params, optimizer, range(5, 7))
    assert same(dict(params), dict(others)), "and it goes on as if nothing had been tried"


def test_a_base_that_fails_while_it_loads_leaves_fop_as_it_was():
    params, optimizer = build()
    run(params, optimizer, range(3))
    state = copy.deepcopy(optimizer.state_dict())
    run(params, optimizer, range(3, 5))
    before = copy.deepcopy(optimizer.state_dict())
    load = optimizer.base.load_state_dict

    def fail(content):
        load(content)
        raise RuntimeError("base failed")

    optimizer.base.load_state_dict = fail
    with pytest.raises(RuntimeError, match="base failed"):
        optimizer.load_state_dict(state)
    assert same(before, optimizer.state_dict())


@pytest.mark.parametrize("base", BASES)
def test_the_state_of_every_base_is_taken_fresh_and_under_way(base):
    for steps in (0, 1, 3):
        params = parameters()
        optimizer = FOP(BASES[base](groups(params)), hyper_lr=1e-2)
        run(params, optimizer, range(steps), missing=("wide.weight",))
        others = parameters(1)
        other = FOP(BASES[base](groups(others)), hyper_lr=1e-2)
        run(others, other, range(2))
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        assert same(optimizer.state_dict(), other.state_dict())


def test_rates_of_a_schedule_are_taken():
    """A scheduler adds keys to the groups, and a rate may be 0 at its end."""
    params, optimizer = build()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
    for step in range(3):
        run(params, optimizer, [step])
        scheduler.step()
    _, other = build(seed=1)
    other.load_state_dict(optimizer.state_dict())
    assert same(optimizer.state_dict(), other.state_dict())


@pytest.mark.parametrize(
    "value",
    [
        "eye",
        None,
        [["a"]],
        object(),
        torch.eye(3).to_sparse(),
        torch.eye(3, dtype=torch.complex64),
        1e300,
        [[1], [1, 2]],
    ],
    ids=["text", "none", "letters", "object", "sparse", "complex", "number", "ragged"],
)
def test_a_factor_that_is_no_matrix_is_refused_by_name(value):
    _, optimizer = build(dtype=torch.float32)
    before = optimizer.factors()
    with pytest.raises(ValueError, match=r"linear\.weight"):
        optimizer.load_factors({"square.weight": 2 * torch.eye(9), "linear.weight": value})
    assert same(before, optimizer.factors())


@pytest.mark.parametrize("bad_value", [NAN, INF, -INF, 1e300], ids=str)
def test_a_factor_with_a_number_that_float32_cannot_hold_is_refused(bad_value):
    _, optimizer = build(dtype=torch.float32)
    before = optimizer.factors()
    M = torch.eye(3, dtype=torch.float64)
    M[0, 1] = bad_value
    with pytest.raises(ValueError, match=r"linear\.weight.*not finite"):
        optimizer.load_factors({"square.weight": 2 * torch.eye(9), "linear.weight": M})
    assert same(before, optimizer.factors())


@pytest.mark.parametrize("factors", [None, 3, [("linear.weight", torch.eye(3))], "linear.weight"])
def test_factors_that_are_no_mapping_are_refused(factors):
    _, optimizer = build()
    with pytest.raises(ValueError, match="name -> M"):
        optimizer.load_factors(factors)


# other options -------------------------------------------------------------------------------------------------------

OTHERS = [
    ({"layout": "input"}, "layout is 'input' in it and 'auto' here"),
    ({"normalized": True}, "normalized is True in it and False here"),
    ({"rescale": 0.9}, r"rescale is 0\.9 in it and None here"),
    ({"trace": "one_step"}, "trace is 'one_step' in it and 'velocity' here"),
    ({"trace": 0.3}, r"trace is 0\.3 in it and 'velocity' here"),
    ({"apply": "after"}, "apply is 'after' in it and 'before' here"),
    ({"feedback": "osgm"}, "feedback is 'osgm' in it and 'hypergradient' here"),
    ({"kind": "exponential", "derivative": "root"}, "derivative is 'root' in it and 'exact' here"),
    ({"hyper_optimizer": "sgd"}, "hyper_optimizer is 'sgd' in it and 'adam' here"),
    ({"hyper_optimizer": hyper_adam}, "hyper_optimizer is 'callable' in it and 'adam' here"),
    ({"hyper_eps": 1e-12}, "hyper_eps is 1e-12 in it and 1e-08 here"),
    ({"hyper_lr_step": 0.02}, r"hyper_lr_step is 0\.02 in it and 0\.0 here"),
    (
        {"kind": "direct", "feedback": "osgm"},
        "preconditioner is 'direct' in it and 'factored' here, feedback is 'osgm'",
    ),
]


@pytest.mark.parametrize(("options", "names"), OTHERS, ids=[names for _, names in OTHERS])
def test_a_state_of_other_options_is_refused_and_says_which_and_both_values(options, names):
    params, source = build(**options)
    run(params, source, range(3))
    refused_unchanged(build(seed=1), copy.deepcopy(source.state_dict()), names)


@pytest.mark.parametrize(
    "options",
    [
        {"hyper_lr": 0.5},
        {"update_every": 3},
        {"on_nonfinite": "skip"},
        {"hyper_lr_bounds": (0.5, 2.0)},
        {"init_scale": 0.3},
        {"init_std": 3.0},
        {"seed": 7},
        {"rank": 2},
        {"max_dim": 500},
    ],
    ids=str,
)
def test_rates_and_what_only_a_start_reads_may_be_others(options):
    params, source = build()
    run(params, source, range(3))
    others = parameters(1)
    other = FOP(BASES["momentum"](groups(others)), **options)
    other.load_state_dict(copy.deepcopy(source.state_dict()))
    assert same(source.factors(), other.factors())


def test_a_state_of_before_options_were_named_is_taken_as_it_was():
    params, source = build(trace=0.3, normalized=True)
    run(params, source, range(3))
    before = copy.deepcopy(source.state_dict())
    options = before["fop"].pop("options")
    assert set(before["fop"]) == {"preconditioner", "hyper_lr", "steps", "skipped_steps", "layers"}
    assert set(options) == set(checks.NAMED) - {"preconditioner"}
    _, other = build(trace=0.3, normalized=True, seed=1)
    other.load_state_dict(before)
    assert same(source.state_dict(), other.state_dict())
    _, another = build(seed=1)
    another.load_state_dict(before)
    assert same(source.factors(), another.factors())


def test_every_option_is_named_by_a_state_or_may_be_changed():
    """A new option has to be put on one side."""
    free = {"base", "hyper_lr", "hyper_lr_bounds", "update_every", "on_nonfinite", "rank", "init_std", "init_scale"}
    arguments = inspect.signature(FOP).parameters.keys()
    assert {*checks.NAMED} | free | {"seed", "max_dim"} == arguments


# keeping, copying, resuming ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"normalized": True}, {"rescale": 0.9}, {"hyper_optimizer": "sgd"}, {"update_every": 3}]
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("base", ["nesterov", "adam"])
def test_a_saved_and_loaded_run_goes_on_bit_for_bit(kind, base, options):
    if kind == "scalar":
        options = {key: value for key, value in options.items() if key != "normalized"}
    params, optimizer = build(kind, base, **options)
    run(params, optimizer, range(7), missing=("again.weight",))
    file = io.BytesIO()
    torch.save({"state": optimizer.state_dict(), "params": params}, file)
    run(params, optimizer, range(7, 15))

    file.seek(0)
    saved = torch.load(file, weights_only=True)
    others, other = build(kind, base, seed=3, **options)
    with torch.no_grad():
        for name in others:
            others[name].copy_(saved["params"][name])
    other.load_state_dict(saved["state"])
    run(others, other, range(7, 15))
    assert same(dict(params), dict(others))
    assert same(optimizer.state_dict(), other.state_dict())


@pytest.mark.parametrize(
    "make", [lambda p: torch.optim.Adam(p, lr=0.01), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)]
)
def test_a_deep_copy_goes_its_own_way_the_same_way(make):
    for hyper_optimizer in ("adam", make):
        params, optimizer = build("factored", hyper_optimizer=hyper_optimizer)
        run(params, optimizer, range(5))
        others, other = copy.deepcopy((params, optimizer))
        assert other.param_groups is other.base.param_groups
        before = optimizer.factors()
        run(others, other, range(5, 10))
        assert same(before, optimizer.factors()), "the copy must not move the original"
        run(params, optimizer, range(5, 10))
        assert same(dict(params), dict(others))
        assert same(optimizer.factors(), other.factors())
        assert not same(before, optimizer.factors())


def test_a_copy_of_a_scheduled_optimizer_steps_itself():
    params, optimizer = build()
    torch.optim.lr_scheduler.StepLR(optimizer, 2)
    others, other = copy.deepcopy((params, optimizer))
    before = {name: p.detach().clone() for name, p in params.items()}
    run(others, other, range(2))
    assert same(before, {name: p.detach() for name, p in params.items()})


def test_a_state_that_does_not_fit_changes_nothing():
    params, optimizer = build("low_rank", rank=2)
    run(params, optimizer, range(3))
    before = copy.deepcopy(optimizer.state_dict())
    for options, kind in (({"rank": 3}, "low_rank"), ({}, "factored"), ({"rank": 2, "layout": "full"}, "low_rank")):
        others, other = build(kind, **options)
        run(others, other, range(3))
        with pytest.raises(ValueError):
            optimizer.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="no FOP in it"):
        optimizer.load_state_dict(optimizer.base.state_dict())
    assert same(before, optimizer.state_dict())


def test_loading_restores_the_rates_of_the_last_step():
    params, optimizer = build()
    run(params, optimizer, range(3))
    others, other = build(seed=1)
    run(others, other, range(2))
    other.param_groups[0]["lr"] = 7.0
    run(others, other, range(2, 3))
    other.load_state_dict(optimizer.state_dict())
    assert same(other.state_dict()["fop"], optimizer.state_dict()["fop"])
