"""Each rule follows its namesake in torch.optim, or FOP, step for step; batches follow single races bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fop_core import FOP
from fop_core.optim import rules
from toy_functions.basins import CONVERGED, descend
from toy_functions.racing import RaceOracle
from toy_functions.scenes import has_natural_rate
from toy_functions.surfaces import BOOTH, HIMMELBLAU, MONKEY_SADDLE, ROSENBROCK, quadratic

STEPS = 300
TORCH = {
    "sgd": (rules.SGD(0.001), lambda p: torch.optim.SGD(p, lr=0.001)),
    "momentum": (rules.Momentum(0.001), lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.9)),
    "dampening": (rules.Momentum(0.001, 0.8, 0.3), lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.8, dampening=0.3)),
    "nesterov": (rules.Nesterov(0.001), lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.9, nesterov=True)),
    "rmsprop": (rules.RMSProp(0.01), lambda p: torch.optim.RMSprop(p, lr=0.01)),
    "adam": (rules.Adam(0.05, 0.8, 0.99), lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.99))),
    "adamw": (rules.AdamW(0.05, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.1)),
}
BASES = {
    "plain": {},
    "momentum": {"momentum": 0.8},
    "dampening": {"momentum": 0.8, "dampening": 0.3},
    "nesterov": {"momentum": 0.8, "nesterov": True},
}


def follow(rule, make, surface, start=(-1.0, 0.5), near=1e-12, steps=STEPS):
    """Compare the rule in floats with a torch optimizer on one parameter of two components."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = make([theta])
    x, y = start
    state = rule.start(x, y)
    for _ in range(steps):
        theta.grad = torch.tensor(surface.gradient(*theta.tolist()), dtype=torch.float64)
        optimizer.step()
        x, y, state = rule.step(x, y, *surface.gradient(x, y), state)
        np.testing.assert_allclose((x, y), theta.tolist(), rtol=near, atol=near)
    assert abs(x - start[0]) + abs(y - start[1]) > 0.1, "it must have moved"
    return optimizer, state


@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda s: s.name)
@pytest.mark.parametrize("name", TORCH)
def test_a_rule_follows_torch_optim(name, surface):
    follow(*TORCH[name], surface)


@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda s: s.name)
@pytest.mark.parametrize("trace", ["velocity", "one_step"])
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("kind", ["direct", "factored", "low_rank", "scalar", "diagonal"])
def test_the_fop_rules_follow_fop(kind, base, trace, surface):
    lr, hyper_lr = 0.001, 0.01
    options = {"hyper_lr": hyper_lr, "trace": trace, **BASES[base]}
    if kind == "low_rank":
        options["factor"] = ((0.3,), (-0.2,))
    rule = {"scalar": rules.SHD, "diagonal": rules.PPHD}.get(kind)
    rule = rule(lr, **options) if rule else rules.FOP(lr, preconditioner=kind, **options)

    def make(params):
        base_optimizer = torch.optim.SGD(params, lr=lr, **BASES[base])
        optimizer = FOP(base_optimizer, kind, "full", hyper_lr, "sgd", rank=1, trace=trace)
        if kind == "low_rank":
            optimizer.load_factors({"0": np.array(options["factor"])})
        return optimizer

    optimizer, state = follow(rule, make, surface)
    M = np.array(state[0].rows).reshape(optimizer.factors()["0"].shape)
    np.testing.assert_allclose(M, optimizer.factors()["0"], rtol=1e-12, atol=1e-12)
    assert np.abs(M - np.array(rule.start(0.0, 0.0)[0].rows).reshape(M.shape)).max() > 1e-3, "M must have learned"
    P = optimizer.preconditioners()["0"].numpy()
    P = {"scalar": lambda: P * np.eye(2), "diagonal": lambda: np.diag(P)}.get(kind, lambda: P)()
    np.testing.assert_allclose(rule.matrix(state), P, rtol=1e-12, atol=1e-12)


def test_under_a_schedule_m_learns_at_the_rate_of_the_step_before_as_in_fop():
    rates = [0.001 * 0.99**t for t in range(STEPS)]
    theta = torch.tensor([-1.0, 0.5], dtype=torch.float64, requires_grad=True)
    base = torch.optim.SGD([theta], lr=rates[0], momentum=0.5)
    optimizer = FOP(base, "factored", "full", 0.05, "sgd")
    (x, y), state = theta.tolist(), rules.FOP(1.0).start(0.0, 0.0)
    for rate in rates:
        base.param_groups[0]["lr"] = rate
        theta.grad = torch.tensor(BOOTH.gradient(*theta.tolist()), dtype=torch.float64)
        optimizer.step()
        x, y, state = rules.FOP(rate, 0.05, momentum=0.5).step(x, y, *BOOTH.gradient(x, y), state)
        np.testing.assert_allclose((x, y), theta.tolist(), rtol=1e-11, atol=1e-11)


def expm(A):
    values, vectors = np.linalg.eigh(A)
    return vectors @ np.diag(np.exp(values)) @ vectors.T


def feedback_of(form, derivative, M, G, U):
    """The gradient of <G, P(M) U>, from the formulas of the papers: by hand, for one column each."""
    S = np.outer(G, U) + np.outer(U, G)
    match form:
        case "direct":
            return S / 2
        case "factored" | "low_rank":
            return S @ M
        case "diagonal":
            return np.diag(G * U)
        case "scalar":
            return (G @ U) * np.eye(2)
    values, Q = np.linalg.eigh(M)
    with np.errstate(all="ignore"):  # 0 / 0 where two are the same
        slopes = (np.exp(values)[:, None] - np.exp(values)) / (values[:, None] - values)
    roots = np.exp((values[:, None] + values) / 2)
    near = np.isclose(values[:, None], values, rtol=0, atol=1e-9)
    slopes = np.where(near, np.exp(values), slopes) if derivative == "exact" else roots
    return Q @ (slopes * (Q.T @ S @ Q)) @ Q.T / 2


def naive_fop(rule, surface, start, steps):
    """Every option of FOP as a loop over numpy vectors: points, and P at the end."""
    point = {
        "factored": lambda M: M @ M.T,
        "low_rank": lambda M: np.eye(2) + M @ M.T,
        "exponential": expm,
    }.get(rule.preconditioner, lambda M: M)
    begin = 0.0 if rule.preconditioner == "exponential" else rule.init_scale
    M = np.array(rule.factor) if rule.factor is not None else begin * np.eye(2)
    S, x, u, v, U, points = np.zeros_like(M), np.array(start), None, None, None, [start]
    lam = rule.momentum if rule.trace == "velocity" else 0.0
    tau = rule.dampening if rule.momentum else 0.0

    def learn(G, U):
        nonlocal M, S
        d = rule.lr * feedback_of(rule.preconditioner, rule.derivative, M, G, U)
        if rule.feedback == "osgm":
            d = d / (U @ U) if U.any() else 0 * d
        if rule.hyper_optimizer == "adagrad":
            S = S + d * d
            d = d / (np.sqrt(S) + 1e-12)
        M = M + rule.hyper_lr * d

    for _ in range(steps):
        g = np.array(surface.gradient(*x.tolist()))
        Pg = point(M) @ g
        if not rule.guard and U is not None:
            learn(g, U)
        u_next = g if u is None else lam * u + (1 - tau) * g
        v_next = Pg if v is None or not rule.momentum else rule.momentum * v + (1 - tau) * Pg
        U = g + lam * u_next if rule.nesterov else u_next
        trial = x - rule.lr * (Pg + rule.momentum * v_next if rule.nesterov else v_next)
        if not rule.guard:
            x, u, v = trial, u_next, v_next
        else:
            f, f_trial = surface.value(*x.tolist()), surface.value(*trial.tolist())
            g_trial = np.array(surface.gradient(*trial.tolist()))
            if not (np.isfinite(f_trial) and np.isfinite(g_trial).all()):
                if rule.preconditioner == "exponential":
                    M = M - np.log(4) * np.eye(2)
                else:
                    M = M * (0.5 if rule.preconditioner in ("factored", "low_rank") else 0.25)
            else:
                longer = rule.clip and f_trial >= f and np.linalg.norm(g_trial) > np.linalg.norm(U)
                learn(g_trial / np.linalg.norm(g_trial) * np.linalg.norm(U) if longer else g_trial, U)
                if f_trial < f:
                    x, u, v = trial, u_next, v_next
        points.append(tuple(x))
    return np.array(points), point(M)


OPTIONS = {
    "exact": {"preconditioner": "exponential", "hyper_lr": 0.001},
    "root": {"preconditioner": "exponential", "derivative": "root", "hyper_lr": 0.001, "momentum": 0.7},
    "osgm": {"feedback": "osgm", "hyper_lr": 0.3},
    "osgm, trace": {"feedback": "osgm", "hyper_lr": 0.1, "momentum": 0.6, "dampening": 0.2, "nesterov": True},
    "adagrad": {"hyper_optimizer": "adagrad", "hyper_lr": 0.02},
    "adagrad, direct, smaller": {"hyper_optimizer": "adagrad", "preconditioner": "direct", "init_scale": 0.3},
    "osgm, adagrad, diagonal": {"feedback": "osgm", "hyper_optimizer": "adagrad", "preconditioner": "diagonal"},
    "osgm, adagrad, scalar": {"feedback": "osgm", "hyper_optimizer": "adagrad", "preconditioner": "scalar"},
}


@pytest.mark.parametrize("guard", [False, True, "clip"])
@pytest.mark.parametrize("surface", [BOOTH, HIMMELBLAU], ids=lambda s: s.name)
@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_of_fop_follows_its_formula(name, surface, guard):
    rule = rules.FOP(0.004, **OPTIONS[name], guard=bool(guard), clip=guard == "clip")
    if guard:
        rule = replace(
            rule, lr=(0.12 if surface is BOOTH else 0.06) / rule.init_scale
        )  # steps that have to be undone among them
    points, P = naive_fop(rule, surface, (-1.0, 0.5), 60)
    path, state = steps_of(rule, surface, (-1.0, 0.5), 60)
    np.testing.assert_allclose(path, points, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(rule.matrix(state), P, rtol=1e-6, atol=1e-6)
    assert np.abs(P - np.eye(2)).max() > 1e-3, "P must have learned"
    if guard:
        undone = (np.diff(points, axis=0) == 0).all(axis=1)
        assert undone.any() and not undone.all(), undone.sum()


def steps_of(rule, surface, start, steps):
    """The points of a rule in floats, [steps + 1, 2], and its last state."""
    (x, y), state, oracle, points = start, rule.start(*start), RaceOracle(surface), [start]
    for _ in range(steps):
        if rule.uses_oracle:
            x, y, state = rule.step(x, y, oracle, state)
        else:
            x, y, state = rule.step(x, y, *surface.gradient(x, y), state)
        points.append((x, y))
    return np.array(points), state


def test_a_trial_that_is_not_finite_divides_p_by_four_and_undoes_the_velocity():
    for form in ("factored", "direct", "diagonal", "scalar", "exponential"):
        rule = rules.FOP(1e200, 0.1, form, momentum=0.9, guard=True)
        state = rule.start(0.0, -4.0)
        before = np.array(rule.matrix(state))
        x, y, state = rule.step(0.0, -4.0, RaceOracle(BOOTH), state)
        assert (x, y) == (0.0, -4.0)
        np.testing.assert_allclose(rule.matrix(state), before / 4, rtol=1e-12)
        assert all(entry == 0 for row in state[3].rows for entry in row), "no velocity"


def test_where_a_step_was_made_of_nothing_nothing_is_learned():
    rule = rules.FOP(0.1, 0.1, feedback="osgm")
    x, y, state = 1.0, 3.0, rule.start(1.0, 3.0)
    for _ in range(3):
        x, y, state = rule.step(x, y, *BOOTH.gradient(x, y), state)  # the minimum: g is 0
    assert (x, y) == (1.0, 3.0) and np.array_equal(rule.matrix(state), np.eye(2))


@pytest.mark.parametrize("kind", sorted(rules.RULES.keys() - {"adamw"}))  # weight decay pulls on
def test_at_rest_every_rule_stays_at_rest(kind):
    """At a point where g is 0 no rule divides by it."""
    rule = rules.RULES[kind]() if has_natural_rate(rules.RULES[kind]) else rules.RULES[kind](0.1)
    points, _ = steps_of(rule, BOOTH, (1.0, 3.0), 5)
    np.testing.assert_array_equal(points, [(1.0, 3.0)] * 6)


PROTOTYPE = {  # best steps of 51 rates in [1e-4, 10]: what the rule has to be as good as
    "booth": (BOOTH, BOOTH.start, 13),
    "himmelblau": (HIMMELBLAU, HIMMELBLAU.start, 26),
    "rosenbrock": (ROSENBROCK, ROSENBROCK.start, 127),
    "oblique100": (quadratic(100.0, 30.0), (3.0, -2.0), 29),
    "oblique10000": (quadratic(10_000.0, 30.0), (3.0, -2.0), 165),
}


@pytest.mark.parametrize("name", PROTOTYPE)
def test_fop_with_osgms_feedback_converges_at_almost_any_rate_in_few_steps(name):
    surface, start, most = PROTOTYPE[name]
    batch = descend(surface, rules.OSGMFOP(hyper_lr=np.logspace(-4, 1, 51)), *start)
    converged = batch.status == CONVERGED
    assert converged.sum() >= 40
    assert batch.steps[converged].min() <= most


ALL = [
    rules.SGD(1e-4),
    rules.Momentum(1e-4),
    rules.Nesterov(1e-4),
    rules.RMSProp(0.01),
    rules.Adam(0.01),
    rules.AdamW(0.01),
    rules.Lion(0.01, weight_decay=0.1),
    rules.Prodigy(d0=1e-3),
    rules.Polyak(),
    rules.Newton(),
    rules.BFGS(),
    rules.PSGDNewton(0.1),
    rules.OSGMH(),
    rules.OSGMH(form="diagonal"),
    rules.OSGMH(form="scalar"),
    rules.OSGMBest(0.01),
    rules.OSGMBest(0.01, form="diagonal"),
    rules.OSGMBest(0.01, form="scalar"),
    rules.SHD(1e-4, 1e-3),
    rules.PPHD(1e-4, 1e-3),
    rules.FOP(1e-4, 1e-3, "direct"),
    rules.FOP(1e-4, 1e-4, "factored", momentum=0.5, nesterov=True),
    rules.FOP(1e-4, 1e-3, "low_rank"),
    rules.ExponentialFOP(1e-4, 1e-4),
    rules.ExponentialFOP(1e-4, 1e-4, derivative="root", momentum=0.5),
    rules.OSGMFOP(),
    rules.FOP(1e-2, 1e-2, "direct", momentum=0.5, dampening=0.1, guard=True, feedback="osgm"),
    rules.FOP(1e-2, 1e-3, "exponential", momentum=0.5, nesterov=True, guard=True, clip=True),
    rules.FOP(1e-2, 1e-3, "scalar", guard=True, hyper_optimizer="adagrad"),
    rules.FOP(1e-2, 1e-3, "diagonal", guard=True),
]
NEAR_ONLY = rules.RMSProp | rules.Adam | rules.Prodigy | rules.OSGMH | rules.BFGS
"""Rules with a square root, or with one in FOP's AdaGrad."""


def named(rule):
    parts = (getattr(rule, name, "") for name in ("preconditioner", "form", "derivative"))
    return f"{type(rule).__name__}-{'-'.join(filter(None, parts))}{'-guard' * rule.uses_oracle}"


def advanced(rule, x, y, state):
    if rule.uses_oracle:
        return rule.step(x, y, RaceOracle(ROSENBROCK), state)
    return rule.step(x, y, *ROSENBROCK.gradient(x, y), state)


@pytest.mark.parametrize("asarray", [np.asarray, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("rule", ALL, ids=named)
def test_a_batch_of_any_shape_is_its_single_races(rule, asarray):
    """Bit for bit, but for torch's square root, which is not always the nearest number."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1.5, 1.5, (2, 3, 4))
    x, y = map(asarray, starts)
    state = rule.start(x, y)
    singles = [(a, b, rule.start(a, b)) for a, b in zip(*starts.reshape(2, -1).tolist())]
    with np.errstate(all="ignore"):
        for _ in range(50):
            x, y, state = advanced(rule, x, y, state)
            singles = [advanced(rule, a, b, s) for a, b, s in singles]
    batched = np.stack([np.asarray(x), np.asarray(y)]).reshape(2, -1).T
    assert x.shape == (3, 4)
    expected = np.array([(a, b) for a, b, _ in singles])
    has_root = isinstance(rule, NEAR_ONLY) or getattr(rule, "hyper_optimizer", "") == "adagrad"
    if asarray is torch.tensor and (has_root or getattr(rule, "clip", False)):
        np.testing.assert_allclose(batched, expected, rtol=1e-8, atol=1e-8)
    else:
        assert np.array_equal(batched, expected)
    assert np.isfinite(expected).all() and (expected != starts.reshape(2, -1).T).any()


@pytest.mark.parametrize("rule", ALL, ids=named)
def test_float32_stays_float32_and_the_state_is_not_changed_in_place(rule):
    x, y = np.float32(0.5), np.float32(-0.5)
    state = rule.start(x, y)
    with np.errstate(all="ignore"):
        for _ in range(3):
            before = repr(state)
            x, y, after = advanced(rule, x, y, state)
            assert repr(state) == before
            state = after
    assert type(x) is type(y) is np.float32


@pytest.mark.parametrize("rule", [rule for rule in ALL if isinstance(rule, rules.GradientRule)], ids=named)
def test_points_of_n_components_take_the_same_steps(rule):
    """Numpy columns [paths, n, 1] in place of two components: what has two dimensions gives the same path."""

    class ColumnOracle:
        floor = 0.0

        def value(self, theta):
            return HIMMELBLAU.value(theta[:, :1], theta[:, 1:])

        def gradient(self, theta):
            return np.concatenate(HIMMELBLAU.gradient(theta[:, :1], theta[:, 1:]), axis=1)

        def hessian(self, theta):
            rows = HIMMELBLAU.hessian(theta[:, :1], theta[:, 1:])
            return np.concatenate([np.concatenate(row, axis=2) for row in rows], axis=1)

    oracle, theta = ColumnOracle(), np.array([[[-1.0], [0.5]]])
    state = rule.begin(theta)
    path, _ = steps_of(rule, HIMMELBLAU, (-1.0, 0.5), 15)
    for point in path[1:]:
        with np.errstate(all="ignore"):
            theta, state = rule.advance(theta, oracle if rule.uses_oracle else oracle.gradient(theta), state)
        np.testing.assert_allclose(theta[0, :, 0], point, rtol=1e-6, atol=1e-9)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="preconditioner"):
        rules.FOP(0.1, preconditioner="kfac")
    for rule in (rules.RMSProp, rules.Adam, rules.AdamW):
        with pytest.raises(ValueError, match="eps is 0"):
            rule(0.1, eps=0)
    for name in ("trace", "derivative", "feedback", "hyper_optimizer"):
        with pytest.raises(ValueError, match=f'{name} is .long.: give "'):
            rules.FOP(0.1, **{name: "long"})
    for form in ("exponential", "low_rank"):
        with pytest.raises(ValueError, match="init_scale is 2: leave it out"):
            rules.FOP(0.1, preconditioner=form, init_scale=2)
    for scale in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="init_scale is"):
            rules.FOP(0.1, init_scale=scale)
    for kind in (rules.OSGMH, rules.OSGMBest):
        with pytest.raises(ValueError, match="form is 'round'"):
            kind(form="round")
    for name in ("eps", "d0"):
        with pytest.raises(ValueError, match=f"{name} is 0"):
            rules.Prodigy(**{name: 0})


def test_polyaks_step_says_what_it_lacks_where_f_has_no_lowest_value():
    with pytest.raises(ValueError, match="needs f"):
        rules.Polyak().step(1.0, 0.5, RaceOracle(MONKEY_SADDLE), None)
