"""The hypergradient is the derivative it is said to be, and FOP reduces to what it must reduce to."""

import math

import pytest
import pytorch_optimizer
import torch

from fop_core import FOP
from tests.problems import BASES, backward, parameters

SHAPE = (3, 4)
KINDS = ("factored", "low_rank", "direct", "exponential", "scalar", "diagonal")


def loss_of(theta: torch.Tensor, step: int) -> torch.Tensor:
    target = torch.randn(SHAPE, generator=torch.Generator().manual_seed(step), dtype=torch.float64)
    return (torch.tanh(theta + 0.3 * theta.roll(1, -1)) - target).square().sum() + 0.1 * theta.pow(4).sum()


def preconditioned(kind: str, M: torch.Tensor, g: torch.Tensor, normalized: bool) -> torch.Tensor:
    """P(M) g for a linear weight [out, in], n = in, straight from Eq. 1, 2, 5 and 9."""
    if kind == "scalar":
        return M * g
    if kind == "diagonal":
        return (math.sqrt(M.numel()) / M.norm() if normalized else 1) * M * g
    if kind == "direct":
        P = (M + M.T) / 2
    elif kind == "exponential":
        P = torch.linalg.matrix_exp((M + M.T) / 2)
    else:
        P = M @ M.T + (torch.eye(len(M), dtype=M.dtype) if kind == "low_rank" else 0)
    if normalized:
        P = math.sqrt(SHAPE[1]) * P / torch.linalg.matrix_norm(P)
    return g @ P


@pytest.mark.parametrize(
    ("kind", "normalized"),
    [*((kind, False) for kind in KINDS), *((kind, True) for kind in KINDS if kind != "scalar")],
)
@pytest.mark.parametrize(
    "momentum", [{}, {"momentum": 0.9}, {"momentum": 0.8, "dampening": 0.4}, {"momentum": 0.9, "nesterov": True}]
)
def test_hypergradient_is_autograd_through_the_velocity_buffer(kind, momentum, normalized):
    """M is held constant and read off the hypergradient: the step of SGD on M is -rho times it."""
    rates = [0.03, 0.02, 0.05, 0.01, 0.04, 0.02]
    theta = torch.randn(SHAPE, generator=torch.Generator().manual_seed(99), dtype=torch.float64).requires_grad_()
    start = theta.detach().clone()
    base = torch.optim.SGD([("w", theta)], lr=rates[0], **momentum)
    optimizer = FOP(base, kind, hyper_lr=1.0, hyper_optimizer="sgd", rank=2, init_std=0.3, normalized=normalized)
    # An M that is no special case; put back after each step so that it stays constant.
    noise = torch.randn(optimizer.factors()["w"].shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    M = optimizer.factors()["w"] + 0.2 * noise
    M = (M + M.T) / 2 if kind in ("direct", "exponential") else M
    optimizer.load_factors({"w": M})

    variable = M.clone().requires_grad_()
    point, velocity = start, None
    alpha, tau, nesterov = momentum.get("momentum", 0), momentum.get("dampening", 0), momentum.get("nesterov", False)
    for step, rate in enumerate(rates):
        # the unrolled objective: parameters and gradients detached at each step, the velocity kept in the graph
        leaf = point.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(loss_of(leaf, step), leaf)
        if step:
            outer = loss_of(point, step)
            (expected,) = torch.autograd.grad(outer, variable, retain_graph=True)
        move = preconditioned(kind, variable, gradient, normalized)
        if alpha:
            velocity = move if velocity is None else alpha * velocity + (1 - tau) * move
            move = preconditioned(kind, variable, gradient, normalized) + alpha * velocity if nesterov else velocity
        point = point.detach() - rate * move

        optimizer.param_groups[0]["lr"] = rate  # a scheduler
        optimizer.zero_grad()
        loss_of(theta, step).backward()
        optimizer.step()
        torch.testing.assert_close(theta.detach(), point.detach(), rtol=0, atol=1e-12)
        if step:
            hypergradient = M - optimizer.factors()["w"]
            torch.testing.assert_close(hypergradient, expected, rtol=1e-9, atol=1e-11)
            assert expected.norm() > 1e-3, "a derivative of zero would prove nothing"
        optimizer.load_factors({"w": M})


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("kind", [*KINDS, "normalized"])
@pytest.mark.parametrize("base", BASES)
def test_the_identity_frozen_is_the_base_bit_for_bit(base, kind, dtype):
    alone, wrapped = parameters(dtype=dtype), parameters(dtype=dtype)
    optimizers = [BASES[base](alone.items()), BASES[base](wrapped.items())]
    name = "factored" if kind == "normalized" else kind
    optimizers[1] = FOP(optimizers[1], name, hyper_lr=0, init_std=0, normalized=kind == "normalized")
    for step in range(10):
        for params, optimizer in zip((alone, wrapped), optimizers):
            backward(params, step)
            optimizer.step()
    for key in alone:
        assert torch.equal(alone[key], wrapped[key]), key


def one_number(optimizer: FOP, theta: torch.Tensor) -> list[torch.Tensor]:
    values = []
    for step in range(30):
        optimizer.zero_grad()
        (theta - 0.1 * step).pow(2).sum().backward()
        optimizer.step()
        values.append(optimizer.preconditioners()["w"].reshape(()))
    return values


@pytest.mark.parametrize("layout", ["full", "spatial", "input"])
def test_1x1_direct_is_s_hd_and_1x1_factored_descends_its_square_root(layout):
    results = {}
    for kind in ("direct", "scalar", "factored"):
        theta = torch.full((1, 1, 1, 1), 2.0, dtype=torch.float64, requires_grad=True)
        base = torch.optim.SGD([("w", theta)], lr=0.01, momentum=0.5)
        chosen = {} if kind == "scalar" else {"layout": layout}
        results[kind] = one_number(FOP(base, kind, hyper_lr=0.01, hyper_optimizer="sgd", **chosen), theta)
    torch.testing.assert_close(results["direct"], results["scalar"], rtol=1e-14, atol=0)
    # s = M^2 and dM = 2 M ds, so to first order in rho M^2 moves by 4 rho M^2 ds: four times as fast from M = 1
    ratios = [(f - 1) / (s - 1) for f, s in zip(results["factored"][1:4], results["scalar"][1:4])]
    assert ratios[0] == pytest.approx(4, abs=0.2)


def test_diagonal_on_one_number_is_s_hd():
    results = []
    for kind in ("diagonal", "scalar"):
        theta = torch.full((1,), 2.0, dtype=torch.float64, requires_grad=True)
        results.append(one_number(FOP(torch.optim.SGD([("w", theta)], lr=0.01), kind), theta))
    torch.testing.assert_close(*results, rtol=0, atol=0)


def test_scalar_is_hypergradient_descent_of_baydin_et_al():
    """alpha_t = alpha_{t-1} + beta <g_t, g_{t-1}> (their Eq. 5), with s = alpha / lr and rho = beta / lr^2."""
    lr, beta = 0.01, 1e-5
    theta = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=lr), "scalar", hyper_lr=beta / lr**2, hyper_optimizer="sgd")
    other, alpha, previous = theta.detach().clone(), lr, None
    scale = torch.tensor([1.0, 5.0, 0.3], dtype=torch.float64)
    for _ in range(100):
        optimizer.zero_grad()
        (scale * theta * theta).sum().backward()
        optimizer.step()
        g = 2 * scale * other
        # FOP applies s_t and then learns; the paper's Algorithm 1 has the same order
        other = other - alpha * g
        if previous is not None:
            alpha = alpha + beta * float(g @ previous)
        previous = g
        torch.testing.assert_close(theta.detach(), other, rtol=0, atol=1e-12)
    assert alpha > 1.01 * lr


AFTER = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "adam": lambda p: torch.optim.Adam(p, lr=0.03),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.03, weight_decay=0.2),
    "muon": lambda p: torch.optim.Muon(p, lr=0.03, weight_decay=0.1),
}


@pytest.mark.parametrize("base", AFTER)
@pytest.mark.parametrize("kind", ["factored", "direct", "exponential", "diagonal"])
def test_p_after_the_base_has_the_exact_derivative_through_its_step(kind, base):
    """theta_{t+1} = theta' + (P - I) Delta, theta' and Delta the base's own: dL(theta_{t+1})/dM by autograd."""
    theta = torch.randn(SHAPE, generator=torch.Generator().manual_seed(99), dtype=torch.float64).requires_grad_()
    optimizer = FOP(AFTER[base]([("w", theta)]), kind, hyper_lr=1.0, hyper_optimizer="sgd", apply="after")
    noise = torch.randn(optimizer.factors()["w"].shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    M = optimizer.factors()["w"] + 0.2 * noise
    M = (M + M.T) / 2 if kind in ("direct", "exponential") else M
    optimizer.load_factors({"w": M})
    twin = theta.detach().clone().requires_grad_()
    alone = AFTER[base]([("w", twin)])
    variable, point = M.clone().requires_grad_(), twin
    for step in range(6):
        twin.grad = torch.autograd.grad(loss_of(twin, step), twin)[0]
        if step:
            (expected,) = torch.autograd.grad(loss_of(point, step), variable)
        start = twin.detach().clone()
        alone.step()
        group = alone.param_groups[0]
        decay = group["lr"] * group["weight_decay"] if base in ("adamw", "muon") else 0
        delta = twin.detach() - (1 - decay) * start
        point = twin.detach() + preconditioned(kind, variable, delta, False) - delta
        with torch.no_grad():
            twin.copy_(point)
        optimizer.zero_grad()
        loss_of(theta, step).backward()
        optimizer.step()
        torch.testing.assert_close(theta.detach(), point.detach(), rtol=0, atol=1e-12)
        if step:
            torch.testing.assert_close(M - optimizer.factors()["w"], expected, rtol=1e-10, atol=1e-10)
            assert expected.norm() > 1e-4, "a derivative of zero would prove nothing"
        optimizer.load_factors({"w": M})


@pytest.mark.parametrize("base", BASES)
def test_the_identity_frozen_after_the_step_is_the_base_bit_for_bit(base):
    for dtype in (torch.float32, torch.float64):
        alone, wrapped = parameters(dtype=dtype), parameters(dtype=dtype)
        optimizers = [BASES[base](alone.items()), FOP(BASES[base](wrapped.items()), hyper_lr=0, apply="after")]
        for step in range(10):
            for params, optimizer in zip((alone, wrapped), optimizers):
                backward(params, step)
                optimizer.step()
        for key in alone:
            assert torch.equal(alone[key], wrapped[key]), key


def test_a_frozen_p_after_undampened_momentum_is_the_one_before():
    results = []
    for apply in ("before", "after"):
        params = parameters()
        optimizer = FOP(torch.optim.SGD(params.items(), lr=0.02, momentum=0.9), hyper_lr=0, apply=apply)
        generator = torch.Generator().manual_seed(1)
        factors = {
            name: M + 0.1 * torch.randn(M.shape, generator=generator, dtype=M.dtype)
            for name, M in optimizer.factors().items()
        }
        optimizer.load_factors(factors)
        for step in range(20):
            backward(params, step)
            optimizer.step()
        results.append(params)
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name], rtol=0, atol=1e-12)


DECAY = {
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.03, weight_decay=0.2),
    "muon": lambda p: torch.optim.Muon(p, lr=0.03, weight_decay=0.2),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.03, weight_decay=0.2),
    "nadam": lambda p: torch.optim.NAdam(p, lr=0.03, weight_decay=0.2, decoupled_weight_decay=True),
    "lion": lambda p: pytorch_optimizer.Lion(p, lr=0.03, weight_decay=0.2, weight_decouple=True),
    "lion, fixed": lambda p: pytorch_optimizer.Lion(
        p, lr=0.03, weight_decay=0.2, weight_decouple=True, fixed_decay=True
    ),
    "adam, L2": lambda p: torch.optim.Adam(p, lr=0.03, weight_decay=0.2),
}


@pytest.mark.parametrize("base", DECAY)
def test_where_p_is_zero_decoupled_weight_decay_alone_is_left(base):
    share = {"adam, L2": 0.0, "lion, fixed": 0.2}.get(base, 0.03 * 0.2)
    theta = torch.randn(SHAPE, generator=torch.Generator().manual_seed(7), dtype=torch.float64).requires_grad_()
    optimizer = FOP(DECAY[base]([("w", theta)]), hyper_lr=0, apply="after")
    optimizer.load_factors({"w": torch.zeros(4, 4)})
    for step in range(3):
        before = theta.detach().clone()
        optimizer.zero_grad()
        loss_of(theta, step).backward()
        optimizer.step()
        torch.testing.assert_close(theta.detach(), (1 - share) * before, rtol=0, atol=1e-14)
