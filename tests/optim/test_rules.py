"""Each rule follows its namesake in torch.optim, or FOP, step for step; batches follow single races bit for bit."""

import numpy as np
import pytest
import torch

from fop_core import FOP
from fop_core.optim import rules
from toy_functions.surfaces import BOOTH, HIMMELBLAU, ROSENBROCK

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


def follow(rule, make, surface, start=(-1.0, 0.5), prepare=None):
    """Compare the rule in floats with a torch optimizer on one parameter of two components."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = make([theta])
    x, y = start
    state = rule.start(x, y)
    for _ in range(STEPS):
        theta.grad = torch.tensor(surface.gradient(*theta.tolist()), dtype=torch.float64)
        optimizer.step()
        x, y, state = rule.step(x, y, *surface.gradient(x, y), state)
        np.testing.assert_allclose((x, y), theta.tolist(), rtol=1e-12, atol=1e-12)
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


ALL = [
    rules.SGD(1e-4),
    rules.Momentum(1e-4),
    rules.Nesterov(1e-4),
    rules.RMSProp(0.01),
    rules.Adam(0.01),
    rules.AdamW(0.01),
    rules.SHD(1e-4, 1e-3),
    rules.PPHD(1e-4, 1e-3),
    rules.FOP(1e-4, 1e-3, "direct"),
    rules.FOP(1e-4, 1e-4, "factored", momentum=0.5, nesterov=True),
    rules.FOP(1e-4, 1e-3, "low_rank"),
]


@pytest.mark.parametrize("asarray", [np.asarray, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("rule", ALL, ids=lambda rule: f"{type(rule).__name__}-{getattr(rule, 'preconditioner', '')}")
def test_a_batch_of_any_shape_is_its_single_races(rule, asarray):
    """Bit for bit, but for torch's square root, which is not always the nearest number."""
    rng = np.random.default_rng(0)
    starts = rng.uniform(-1.5, 1.5, (2, 3, 4))
    x, y = map(asarray, starts)
    state = rule.start(x, y)
    singles = [(a, b, rule.start(a, b)) for a, b in zip(*starts.reshape(2, -1).tolist())]
    for _ in range(50):
        x, y, state = rule.step(x, y, *ROSENBROCK.gradient(x, y), state)
        singles = [rule.step(a, b, *ROSENBROCK.gradient(a, b), s) for a, b, s in singles]
    batched = np.stack([np.asarray(x), np.asarray(y)]).reshape(2, -1).T
    assert x.shape == (3, 4)
    expected = np.array([(a, b) for a, b, _ in singles])
    if asarray is torch.tensor and isinstance(rule, (rules.RMSProp, rules.Adam)):
        np.testing.assert_allclose(batched, expected, rtol=1e-11, atol=1e-11)
    else:
        assert np.array_equal(batched, expected)
    assert np.isfinite(expected).all()


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: f"{type(rule).__name__}-{getattr(rule, 'preconditioner', '')}")
def test_float32_stays_float32_and_the_state_is_not_changed_in_place(rule):
    x = y = np.float32(0.5)
    state = rule.start(x, y)
    for _ in range(3):
        before = repr(state)
        x, y, after = rule.step(x, y, np.float32(1.0), np.float32(-2.0), state)
        assert repr(state) == before
        state = after
    assert type(x) is type(y) is np.float32


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="preconditioner"):
        rules.FOP(0.1, preconditioner="kfac")
    for rule in (rules.RMSProp, rules.Adam, rules.AdamW):
        with pytest.raises(ValueError, match="eps is 0"):
            rule(0.1, eps=0)
    with pytest.raises(ValueError, match="trace"):
        rules.FOP(0.1, trace="long")
