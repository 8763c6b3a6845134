"""With ``guard`` a step that raises the loss is undone, whatever the base, and M learns of it."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.modules import module as torch_module

from fop_core import FOP
from fop_core.optim import guard, rules
from fop_core.optim.guard import BATCH_NORMS, DROPOUTS, MOST_IN_A_ROW
from tests.optim.built import KINDS, build, same
from tests.optim.oracle import OracleFOP
from tests.problems import BASES, backward, groups, parameters
from toy_functions.racing import RaceOracle
from toy_functions.surfaces import BOOTH, HIMMELBLAU

LEARNING = [kind for kind in KINDS if kind != "mean_removing"]


class Problem:
    """A loss over all parameters, the same at every step; with a wall it is higher wherever they are not now."""

    def __init__(self, params):
        self.params, self.height, self.values, self.calls = params, 0.0, [], 0

    def wall(self, height):
        self.height, self.values = height, [p.detach().clone() for p in self.params.values()]

    def __call__(self):
        self.calls += 1
        loss = backward(self.params, 0)
        return loss + self.height if self.height and not self.is_there() else loss

    def is_there(self):
        return same([p.detach() for p in self.params.values()], self.values)


def tried(kind="factored", base="momentum", seed=0, **options):
    params, optimizer = build(kind, base, seed, guard=True, **options)
    return params, optimizer, Problem(params)


def what_is_undone(params, optimizer):
    """All but M and what learns it: parameters, the base's state and options, u, eps."""
    state = copy.deepcopy(optimizer.base.state_dict())
    traces = [(layer.trace, layer.nesterov_trace, layer.epsilon) for layer in optimizer.layers()]
    return {name: p.detach().clone() for name, p in params.items()}, state, copy.deepcopy(traces)


# against a naive twin, and against the rule for surfaces --------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch):
    """However many steps in a row are undone is no error."""
    monkeypatch.setattr(guard, "MOST_IN_A_ROW", 10**9)


def compare(kind, base, layout="auto", *, apply="before", times=1.0, rho=0.02, steps=40, near=1e-10):
    """Steps beside the naive twin's, some of which hit a wall; the rate may be ``times`` the base's own."""
    ours, theirs = parameters(), parameters()
    optimizers = [BASES[base](groups(params)) for params in (ours, theirs)]
    for each in optimizers:
        for group in each.param_groups:
            group["lr"] *= times
    optimizer = FOP(optimizers[0], kind, layout, rho, apply=apply, rank=2, init_std=0.1, guard=True)
    names = [name for group in optimizers[1].param_groups for name in group["param_names"]]
    factors = optimizer.factors() if kind == "low_rank" else None
    twin = OracleFOP(optimizers[1], names, kind, layout, rho=rho, factors=factors, after=apply == "after")
    problem, other = Problem(ours), Problem(theirs)
    undone = []
    for step in range(steps):
        for each in (problem, other):
            each.wall(1e6 if step in (0, 7, 8, 20) else 0.0)
        optimizer.step(problem)
        undone.append(twin.step_guard(other))
    assert optimizer.undone_steps == sum(undone)
    assert 4 <= sum(undone) < steps and (times == 1 or sum(undone) > 4), undone
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0, atol=near, msg=lambda m, n=name: f"{n}: {m}")
    learned = {name: layer for name, layer in twin.layers.items() if layer.used}
    for name, M in optimizer.factors().items():
        torch.testing.assert_close(M, learned[name].M.reshape(M.shape), rtol=0, atol=near)


@pytest.mark.parametrize("layout", ["auto", "input", "spatial", "full"])
@pytest.mark.parametrize("kind", ["factored", "low_rank", "direct", "exponential"])
def test_every_form_and_layout_follows_the_definition(kind, layout, patient):
    compare(kind, "momentum", layout, near=1e-9 if kind == "exponential" else 1e-10)


@pytest.mark.parametrize("kind", ["factored", "direct", "exponential", "diagonal"])
@pytest.mark.filterwarnings("ignore:the preconditioner of")
def test_steps_that_go_too_far_by_themselves_do_too(kind, patient):
    compare(kind, "sgd", times=20.0, rho=0.05, near=1e-9)


@pytest.mark.parametrize("apply", ["before", "after"])
@pytest.mark.parametrize("kind", ["scalar", "diagonal"])
def test_one_number_a_tensor_or_a_parameter_does_too(kind, apply):
    compare(kind, "nesterov", apply=apply)


@pytest.mark.parametrize("base", BASES)
def test_every_base_is_undone_as_a_whole(base, patient):
    compare("factored", base)


@pytest.mark.parametrize("base", sorted(BASES.keys() - {"adamw"}))  # the twin leaves no decay outside P
def test_p_after_the_bases_step_is_undone_as_well(base, patient):
    compare("factored", base, apply="after")


@pytest.mark.parametrize("apply", ["before", "after"])
def test_muon_is_undone_as_well(apply, patient):
    """It takes matrices alone."""
    params = parameters(names=("linear.weight", "wide.weight", "tall.weight"))
    optimizer = FOP(torch.optim.Muon(params.items(), lr=0.05), hyper_lr=0.02, apply=apply, guard=True)
    problem, losses = Problem(params), []
    for step in range(30):
        problem.wall(1e6 if step in (0, 7, 8) else 0.0)
        before = what_is_undone(params, optimizer)
        losses.append(optimizer.step(problem))
        if step in (0, 7, 8):
            assert same(before, what_is_undone(params, optimizer))
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.5 * losses[0]


def around_sgd(rule, theta):
    """FOP with a rule's options."""
    base = torch.optim.SGD(
        [theta], lr=rule.lr, momentum=rule.momentum, dampening=rule.dampening, nesterov=rule.nesterov
    )
    return FOP(
        base,
        rule.preconditioner,
        "full",
        rule.hyper_lr,
        rule.hyper_optimizer,
        trace=rule.trace,
        feedback=rule.feedback,
        derivative=rule.derivative,
        init_scale=rule.init_scale,
        guard=True,
    )


def closure_of(surface, theta):
    def closure():
        theta.grad = torch.tensor(surface.gradient(*theta.tolist()), dtype=torch.float64)
        return surface.value(*theta.tolist())

    return closure


TRIED = {"guard": True, "clip": True, "feedback": "osgm", "hyper_optimizer": "adagrad"}
CASES = {
    "fop-osgm": rules.OSGMFOP(),
    "fop-osgm, fast": rules.OSGMFOP(hyper_lr=1.0),
    "direct, momentum": rules.FOP(0.12, 0.1, "direct", momentum=0.6, **TRIED),
    "factored, dampening": rules.FOP(0.12, 0.1, momentum=0.6, dampening=0.2, **TRIED),
    "factored, nesterov": rules.FOP(0.12, 0.1, momentum=0.6, nesterov=True, **TRIED),
    "factored, one-step": rules.FOP(0.12, 0.1, momentum=0.6, trace="one_step", **TRIED),
    "exponential": rules.FOP(0.12, 0.1, "exponential", **TRIED),
    "exponential, root": rules.FOP(0.12, 0.1, "exponential", derivative="root", **TRIED),
    "scalar": rules.FOP(0.12, 0.1, "scalar", **TRIED),
    "diagonal": rules.FOP(0.12, 0.1, "diagonal", **TRIED),
    "plain feedback": rules.FOP(0.12, 5e-4, guard=True, clip=True),
}


@pytest.mark.filterwarnings("ignore:the preconditioner of")
@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda surface: surface.name)
@pytest.mark.parametrize("name", CASES)
def test_it_takes_the_path_of_the_rule_for_surfaces(name, surface, patient):
    rule = CASES[name]
    if surface is HIMMELBLAU and not isinstance(rule, rules.OSGMFOP):
        rule = replace(rule, lr=rule.lr / 4)  # it is steeper
    theta = torch.tensor(surface.start, dtype=torch.float64, requires_grad=True)
    optimizer, closure = around_sgd(rule, theta), closure_of(surface, theta)
    (x, y), oracle = surface.start, RaceOracle(surface)
    state, undone, steps = rule.start(x, y), 0, 0
    while surface.value(x, y) > 1e-8 and steps < 30:
        before = x, y
        x, y, state = rule.step(x, y, oracle, state)
        loss = optimizer.step(closure)
        np.testing.assert_allclose(theta.tolist(), (x, y), rtol=1e-8, atol=1e-8)
        assert loss == surface.value(*theta.tolist())
        undone += before == (x, y)
        steps += 1
    assert optimizer.undone_steps == undone
    assert undone < steps and (undone or name == "fop-osgm"), f"{undone} of {steps}"
    P = optimizer.preconditioners()["0"].numpy()
    P = {"scalar": lambda: P * np.eye(2), "diagonal": lambda: np.diag(P)}.get(rule.preconditioner, lambda: P)()
    np.testing.assert_allclose(rule.matrix(state), P, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("value", ["inf", "nan", "gradient"])
def test_where_the_trial_is_not_finite_p_is_divided_by_four(kind, value):
    params, optimizer, problem = tried(kind)
    optimizer.step(problem)
    before, undone = optimizer.preconditioners(), what_is_undone(params, optimizer)
    problem.wall(0.0 if value == "gradient" else float(value))

    def closure():
        loss = problem()
        if value == "gradient" and not problem.is_there():
            params["linear.bias"].grad[0] = float("nan")
        return loss

    optimizer.step(closure)
    assert optimizer.undone_steps == 1
    assert same(what_is_undone(params, optimizer), undone)
    for name, P in optimizer.preconditioners().items():
        one = torch.eye(len(P), dtype=P.dtype) if kind == "low_rank" else 0
        torch.testing.assert_close(P - one, (before[name] - one) / 4, rtol=1e-12, atol=1e-12)


def test_a_hypergradient_that_overflows_divides_p_by_four_too():
    theta = torch.ones(2, 2, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=1e-30), hyper_lr=1e-2, guard=True)

    def closure():
        theta.grad = torch.full((2, 2), 1e25)
        return 1.0

    optimizer.step(closure)
    assert torch.equal(optimizer.factors()["w"], 0.5 * torch.eye(2))
    assert optimizer.undone_steps == 0


# what a step says, and what it leaves ---------------------------------------------------------------------------------


def test_a_step_costs_one_evaluation_but_the_first_two():
    _, optimizer, problem = tried()
    calls = []
    for _ in range(5):
        before = problem.calls
        optimizer.step(problem)
        calls.append(problem.calls - before)
    assert calls == [2, 2, 1, 1, 1]


@pytest.mark.parametrize("height", [0.0, 1e6])
def test_loss_and_gradient_are_those_of_where_the_parameters_are(height):
    params, optimizer, problem = tried()
    for step in range(4):
        if step == 3:
            problem.wall(height)
        before = {name: p.detach().clone() for name, p in params.items()}
        loss = optimizer.step(problem)
        after = {name: p.grad.clone() for name, p in params.items()}
        assert loss == backward(params, 0)
        assert same(after, {name: p.grad for name, p in params.items()})
        assert same(before, {name: p.detach() for name, p in params.items()}) == (step == 3 and height > 0)
    assert optimizer.undone_steps == (height > 0)


@pytest.mark.parametrize("apply", ["before", "after"])
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("base", BASES)
def test_all_but_m_is_undone_bit_for_bit(base, steps, apply):
    """At the first step too, when the base has no state yet."""
    params, optimizer, problem = tried(base=base, apply=apply)
    for _ in range(steps):
        optimizer.step(problem)
    before, factors = what_is_undone(params, optimizer), optimizer.factors()
    undone = optimizer.undone_steps
    problem.wall(1e6)
    optimizer.step(problem)
    assert same(before, what_is_undone(params, optimizer))
    assert optimizer.undone_steps == undone + 1
    assert not any(same(M, factors[name]) for name, M in optimizer.factors().items()), "M has learned"


def test_the_next_step_is_another_one():
    """Not the same trial again: with M as it was learned, and u and the base as before."""
    _, optimizer, problem = tried(hyper_lr=0.3)
    starts = []
    for _ in range(3):
        problem.wall(1e6)
        optimizer.step(problem)
        starts.append(optimizer.preconditioned_gradients()["linear.weight"])
    assert optimizer.undone_steps == 3
    assert not torch.equal(starts[0], starts[1]) and not torch.equal(starts[1], starts[2])


def test_options_that_a_base_changes_in_its_groups_are_undone_and_a_rate_in_a_tensor_stays_the_users():
    class Counting(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            for group in self.param_groups:
                group["count"] = group.get("count", 0) + 1
                group["lr"].mul_(0.5)

    params, rate = parameters(), torch.tensor(0.02, dtype=torch.float64)
    optimizer, problem = FOP(Counting(params.items(), lr=rate), guard=True), Problem(params)
    problem.wall(1e6)
    optimizer.step(problem)
    (group,) = optimizer.param_groups
    assert "count" not in group and group["lr"] is rate and rate == 0.02
    problem.wall(0.0)
    optimizer.step(problem)
    assert group["count"] == 1 and rate == 0.01
    problem.wall(1e6)
    optimizer.step(problem)
    assert group["count"] == 1 and group["lr"] is rate and rate == 0.01


@pytest.mark.parametrize("call", [2, 4, 5])
def test_a_closure_that_fails_leaves_the_parameters_where_they_were(call):
    """At the trial of the first, the second or the third step."""
    params, optimizer, problem = tried("factored", "adam")
    others, other, twin = tried("factored", "adam")

    def failing():
        loss = problem()
        if problem.calls == call:
            raise KeyboardInterrupt
        return loss

    for _ in range({2: 0, 4: 1, 5: 2}[call]):
        optimizer.step(failing)
        other.step(twin)
    before = what_is_undone(params, optimizer)
    with pytest.raises(KeyboardInterrupt):
        optimizer.step(failing)
    assert same(before, what_is_undone(params, optimizer))
    for _ in range(3):
        optimizer.step(failing)
        other.step(twin)
    assert same(dict(params), dict(others))
    assert same(optimizer.factors(), other.factors())


def test_ten_undone_in_a_row_are_an_error_that_says_what_to_do():
    params, optimizer, problem = tried()
    for _ in range(3):
        optimizer.step(problem)
    before = what_is_undone(params, optimizer)
    problem.wall(1e6)
    for _ in range(MOST_IN_A_ROW - 1):
        optimizer.step(problem)
    with pytest.raises(RuntimeError, match=r"10 steps in a row .* lower the base's learning rate"):
        optimizer.step(problem)
    assert same(before, what_is_undone(params, optimizer))
    problem.wall(0.0)
    optimizer.step(problem)
    assert optimizer.undone_steps == 10
    problem.wall(1e6)
    for _ in range(MOST_IN_A_ROW - 1):
        optimizer.step(problem)  # counted anew


def test_at_a_minimum_a_step_that_goes_nowhere_is_none_that_raises_the_loss():
    theta = torch.zeros(2, 2, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1), guard=True)

    def closure():
        loss = theta.square().sum()
        loss.backward()
        return loss

    for _ in range(12):
        optimizer.step(closure)
    assert optimizer.undone_steps == 0


def test_with_update_every_an_undone_step_is_learned_of_at_once():
    _, optimizer, problem = tried(update_every=3)
    learned = []
    for step in range(7):
        problem.wall(1e6 if step == 3 else 0.0)
        before = optimizer.factors()
        optimizer.step(problem)
        learned.append(not same(before, optimizer.factors()))
    assert learned == [False, False, True, True, False, True, False]


def test_a_network_learns_at_rates_far_apart_and_its_loss_never_rises():
    torch.manual_seed(0)
    x = torch.randn(64, 5)
    y = torch.stack([torch.sin(x[:, 0] + x[:, 1]), x[:, 2] * x[:, 3]], 1)
    undone = 0
    for hyper_lr in (0.01, 0.03, 0.1, 0.3):
        torch.manual_seed(1)
        model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 2))
        base = torch.optim.SGD(model.named_parameters(), lr=0.3)
        options = {"feedback": "osgm", "init_scale": 0.1, "guard": True}
        optimizer = FOP(base, "factored", "input", hyper_lr, "adagrad", **options)

        def closure(model=model, optimizer=optimizer):
            optimizer.zero_grad()
            loss = (model(x) - y).square().mean()
            loss.backward()
            return loss

        losses = [float(optimizer.step(closure)) for _ in range(60)]
        assert losses == sorted(losses, reverse=True)
        assert losses[-1] < 0.6 * losses[0]
        undone += optimizer.undone_steps
    assert undone > 0


# what is refused ------------------------------------------------------------------------------------------------------


def network(*layers):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(*layers), nn.Linear(4, 2))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.01), guard=True)
    x = torch.randn(8, 3)

    def closure():
        loss = model(x).square().mean()
        loss.backward()
        return loss

    return model, optimizer, closure


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ((nn.Tanh(), nn.Dropout(0.5)), r"'1\.1' is Dropout\(p=0\.5"),
        ((nn.AlphaDropout(0.1),), r"'1\.0' is AlphaDropout"),
        ((nn.BatchNorm1d(4),), r"'1\.0' is BatchNorm1d"),
    ],
    ids=["dropout", "alpha dropout", "batch norm"],
)
def test_dropout_and_batch_statistics_are_refused_by_name(layers, names):
    model, optimizer, closure = network(*layers)
    before = copy.deepcopy(model.state_dict())
    for _ in range(2):
        with pytest.raises(ValueError, match=names):
            optimizer.step(closure)
    assert same(before, model.state_dict()), "neither weights nor the statistics of a batch have moved"
    assert not torch_module._global_forward_pre_hooks
    model.eval()
    for _ in range(3):
        optimizer.step(closure)
    model.train()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=names):
        optimizer.step(closure)
    assert same(before, model.state_dict())
    assert not torch_module._global_forward_pre_hooks


def test_a_dropout_of_nothing_and_a_norm_within_a_sample_are_taken():
    _, optimizer, closure = network(nn.Dropout(0.0), nn.LayerNorm(4))
    for _ in range(3):
        optimizer.step(closure)


def test_a_dropout_in_a_function_and_new_data_are_noticed_at_the_second_step():
    model, optimizer, _ = network()

    def dropping():
        loss = nn.functional.dropout(model(torch.ones(8, 3)), 0.5).square().mean()
        loss.backward()
        return loss

    optimizer.step(dropping)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match=r"the loss was .* and is .* now, at the same parameters"):
        optimizer.step(dropping)
    assert same(before, model.state_dict())

    model, optimizer, _ = network()
    for step, batch in enumerate(torch.randn(2, 8, 3)):

        def closure(batch=batch, model=model):
            loss = model(batch).square().mean()
            loss.backward()
            return loss

        if step == 0:
            optimizer.step(closure)
            continue
        with pytest.raises(ValueError, match="over all data at every step"):
            optimizer.step(closure)


def test_a_step_needs_a_closure_that_returns_a_finite_loss():
    params, optimizer, problem = tried()
    before = what_is_undone(params, optimizer)
    with pytest.raises(TypeError, match="guard=True needs a closure"):
        optimizer.step()
    for wrong in (None, "low", True, torch.ones(2), torch.ones((), dtype=torch.int64)):
        with pytest.raises(TypeError, match="the closure returned"):
            optimizer.step(lambda wrong=wrong: wrong)
    for bad in (float("nan"), float("inf")):
        with pytest.raises(FloatingPointError, match="where the step starts"):
            optimizer.step(lambda bad=bad: problem() + bad)
    assert same(before, what_is_undone(params, optimizer))
    optimizer.step(problem)


def test_a_sparse_gradient_is_refused_by_name():
    embedding = nn.Embedding(5, 3, sparse=True)
    optimizer = FOP(torch.optim.SGD(embedding.named_parameters(), lr=0.1), guard=True)

    def closure():
        loss = embedding(torch.tensor([1, 2])).sum()
        loss.backward()
        return loss

    with pytest.raises(TypeError, match="'weight' is sparse"):
        optimizer.step(closure)


# going on -------------------------------------------------------------------------------------------------------------


def test_parameters_that_others_have_changed_are_evaluated_anew():
    params, optimizer, problem = tried()
    for _ in range(3):
        optimizer.step(problem)
    with torch.no_grad():
        params["linear.weight"].fill_(0.3)
    before = problem.calls
    start = backward(params, 0)
    loss = optimizer.step(problem)
    assert problem.calls == before + 2
    assert loss <= start, "not the loss of before"


@pytest.mark.parametrize("way", ["state_dict", "pickle", "deepcopy"])
@pytest.mark.parametrize("base", ["nesterov", "adam"])
def test_it_goes_on_bit_for_bit(way, base):
    params, optimizer, problem = tried(base=base)
    for _ in range(5):
        optimizer.step(problem)
    problem.wall(1e6)
    for _ in range(4):
        optimizer.step(problem)
    problem.wall(0.0)
    if way == "state_dict":
        others, other, twin = tried(base=base, seed=3)
        with torch.no_grad():
            for name, p in others.items():
                p.copy_(params[name])
        other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    else:
        both = dict(params), optimizer
        others, other = pickle.loads(pickle.dumps(both)) if way == "pickle" else copy.deepcopy(both)
        twin = Problem(others)
    assert other.undone_steps == optimizer.undone_steps >= 4
    for p, o, f in ((params, optimizer, problem), (others, other, twin)):
        f.wall(1e6)
        for _ in range(5):
            o.step(f)
        with pytest.raises(RuntimeError, match="in a row"):
            o.step(f)
        f.wall(0.0)
        for _ in range(4):
            o.step(f)
        assert all(q.grad is not None for q in p.values())
    assert same(dict(params), dict(others))
    assert same(optimizer.state_dict(), other.state_dict())


def test_a_state_says_what_was_undone_only_where_there_is_a_guard():
    _, plain = build()
    assert "undone_steps" not in plain.state_dict()["fop"]
    _, optimizer, problem = tried()
    optimizer.step(problem)
    state = copy.deepcopy(optimizer.state_dict())
    assert (state["fop"]["undone_steps"], state["fop"]["undone_in_a_row"]) == (0, 0)
    with pytest.raises(ValueError, match="guard is True in it and False here"):
        plain.load_state_dict(state)
    with pytest.raises(ValueError, match="guard is False in it and True here"):
        optimizer.load_state_dict(plain.state_dict())
    for wrong in (-1, 0.5, "many"):
        state["fop"]["undone_steps"] = wrong
        with pytest.raises(ValueError, match="undone_steps of this state"):
            optimizer.load_state_dict(state)
    del state["fop"]["undone_steps"]
    with pytest.raises(ValueError, match="lacks undone_steps"):
        optimizer.load_state_dict(state)


def test_memory_usage_counts_the_gradients_that_are_kept():
    params, optimizer, problem = tried()
    before = optimizer.memory_usage()
    optimizer.step(problem)
    traces = sum(layer.trace.numel() for layer in optimizer.layers())
    assert optimizer.memory_usage() - before == 8 * (traces + sum(p.numel() for p in params.values()))


def test_every_kind_of_dropout_and_batch_statistics_of_torch_is_known():
    """By public names, so that those of another version of torch are noticed here."""
    batch_norm, dropout = torch.nn.modules.batchnorm._BatchNorm, torch.nn.modules.dropout._DropoutNd
    kinds = [kind for kind in vars(torch.nn).values() if isinstance(kind, type)]
    assert {k for k in kinds if issubclass(k, batch_norm)} == {k for k in kinds if issubclass(k, BATCH_NORMS)}
    assert {k for k in kinds if issubclass(k, dropout)} == {k for k in kinds if issubclass(k, DROPOUTS)}
