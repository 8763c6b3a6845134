"""A pickled or deeply copied FOP is a whole one: it goes on bit for bit, and by itself."""

import copy
import pickle

import pytest
import torch

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from tests.optim.built import build, run, same
from tests.problems import BASES, groups, parameters

COPIES = {"pickle": lambda both: pickle.loads(pickle.dumps(both)), "deepcopy": copy.deepcopy}


def hyper_adam(tensors):
    return torch.optim.Adam(tensors, lr=1e-2)


def with_names(params):
    """By names: a dict of leaf tensors, which pickle keeps as the very parameters of the optimizer."""
    return dict(params)


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("layout", ["auto", "input", "spatial", "full"])
@pytest.mark.parametrize("kind", PRECONDITIONERS)
@pytest.mark.parametrize("steps", [0, 4])
def test_a_copy_goes_on_bit_for_bit(way, layout, kind, steps):
    params, optimizer = build(kind, "nesterov", layout=layout)
    run(params, optimizer, range(steps), missing=("again.weight",))
    others, other = COPIES[way]((with_names(params), optimizer))
    assert repr(other) == repr(optimizer)
    assert same(optimizer.state_dict(), other.state_dict())
    before = copy.deepcopy(optimizer.state_dict())
    run(others, other, range(steps, steps + 5))
    assert same(before, optimizer.state_dict()), "the copy must not move the original"
    run(params, optimizer, range(steps, steps + 5))
    assert same(dict(params), others)
    assert same(optimizer.state_dict(), other.state_dict())


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize(
    "options",
    [
        {"hyper_optimizer": "sgd"},
        {"hyper_optimizer": hyper_adam},
        {"normalized": True, "rescale": 0.9},
        {"hyper_optimizer": hyper_adam, "normalized": True},
        {"update_every": 3, "on_nonfinite": "skip"},
        {"kind": "direct", "normalized": True},
        {"kind": "low_rank", "rank": 2, "rescale": 0.9},
    ],
    ids=lambda options: ",".join(f"{k}={getattr(v, '__name__', v)}" for k, v in options.items()),
)
@pytest.mark.parametrize("base", ["momentum", "adam"])
def test_a_copy_keeps_every_option(way, options, base):
    """With a scaled P the stack's own M counts too: a layer's M must be the same memory."""
    params, optimizer = build(base=base, **options)
    run(params, optimizer, range(4))
    others, other = COPIES[way]((with_names(params), optimizer))
    for p, o in ((params, optimizer), (others, other)):
        run(p, o, range(4, 10))
    assert same(dict(params), others)
    assert same(optimizer.state_dict(), other.state_dict())
    assert same(optimizer.preconditioners(), other.preconditioners())


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("hyper_optimizer", ["adam", hyper_adam])
def test_a_copy_takes_later_groups_as_the_original_does(way, hyper_optimizer):
    params, optimizer = build("low_rank", rank=2, hyper_optimizer=hyper_optimizer)
    extra, last = parameters(5), parameters(6)
    optimizer.add_param_group({"params": [("extra", extra["square.weight"])]})
    run(params, optimizer, range(3))
    (others, more, end), other = COPIES[way](((with_names(params), extra, last), optimizer))
    for p, e, o in ((last, extra, optimizer), (end, more, other)):
        o.add_param_group({"params": [("last", p["tall.weight"])]})
        e["square.weight"].grad = p["tall.weight"].grad = None
    run(params | {"last": last["tall.weight"]}, optimizer, range(3, 7))
    run(others | {"last": end["tall.weight"]}, other, range(3, 7))
    assert same(optimizer.state_dict(), other.state_dict())
    assert same(optimizer.factors(), other.factors())


def test_factors_put_into_a_copy_are_what_it_applies():
    _, optimizer = build("factored", normalized=True)
    other = pickle.loads(pickle.dumps(optimizer))
    for each in (optimizer, other):
        each.load_factors({"linear.weight": torch.diag(torch.tensor([1.0, 2.0, 3.0]))})
    assert same(optimizer.preconditioners(), other.preconditioners())


def test_a_copy_of_a_scheduled_optimizer_steps_itself():
    params, optimizer = build()
    torch.optim.lr_scheduler.StepLR(optimizer, 2)
    others, other = pickle.loads(pickle.dumps((with_names(params), optimizer)))
    before = {name: p.detach().clone() for name, p in params.items()}
    run(others, other, range(2))
    assert same(before, {name: p.detach() for name, p in params.items()})


def test_what_was_not_finite_is_reported_by_the_copy_too():
    params, optimizer = build()
    run(params, optimizer, range(2))
    params["linear.weight"].grad.fill_(float("nan"))
    optimizer.step()
    with pytest.raises(FloatingPointError, match=r"linear\.weight"):
        pickle.loads(pickle.dumps(optimizer)).check()


def test_a_pickle_holds_each_matrix_once():
    weights = [("w" + str(i), torch.ones(64, 64, requires_grad=True)) for i in range(8)]
    optimizer = FOP(torch.optim.SGD(weights, lr=0.1), hyper_optimizer=hyper_adam)
    matrices = 8 * 64 * 64 * 4
    assert len(pickle.dumps(optimizer)) < 2 * matrices + 100_000, "the parameters, and M"


@pytest.mark.parametrize("base", BASES)
def test_every_base_is_copied_with_it(base):
    params = parameters()
    optimizer = FOP(BASES[base](groups(params)), hyper_lr=1e-2)
    run(params, optimizer, range(3))
    others, other = pickle.loads(pickle.dumps((with_names(params), optimizer)))
    assert other.param_groups is other.base.param_groups
    for p, o in ((params, optimizer), (others, other)):
        run(p, o, range(3, 6))
    assert same(optimizer.state_dict(), other.state_dict())
