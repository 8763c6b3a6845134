"""The largest eigenvalue of P H against matrices that are written out, and the bound against steps that are taken."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from fop_core import FOP
from fop_core.training import curvature

BASES = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.5, "dampening": 0.3},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.3, "nesterov": True},
]


def normal(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def definite(seed, n):
    factor = normal(seed, n, n)
    return factor @ factor.T / n + 0.1 * torch.eye(n, dtype=torch.float64)


def of(matrix):
    """v -> matrix v, on vectors of one part."""
    return lambda vector: [matrix @ vector[0]]


def exact(H, P, start, **options):
    return curvature.largest_eigenvalue(H, P, start, **{"tolerance": 1e-10, "most": 200, **options})


def test_it_is_the_largest_of_P_H():
    A, P = definite(0, 7), definite(1, 7)
    result = exact(of(A), of(P), [normal(2, 7)])
    assert result.value == pytest.approx(np.linalg.eigvals((P @ A).numpy()).real.max(), rel=1e-10)
    assert result.error <= 1e-9 and result.products <= 8


def test_of_a_diagonal_quadratic_it_is_in_closed_form():
    curvatures, gains = torch.tensor([4.0, 1.0, 9.0]).double(), torch.tensor([0.5, 8.0, 0.25]).double()
    assert exact(of(curvatures.diag()), of(gains.diag()), [normal(0, 3)]).value == pytest.approx(8.0, rel=1e-12)


def test_a_larger_negative_curvature_is_not_taken_for_it():
    H = torch.diag(torch.tensor([-50.0, 3.0, 1.0])).double()
    assert exact(of(H), of(torch.eye(3).double()), [normal(0, 3)]).value == pytest.approx(3.0, rel=1e-10)


def test_what_P_has_closed_does_not_count():
    H, P = torch.diag(torch.tensor([100.0, 3.0, 1.0])).double(), torch.diag(torch.tensor([0.0, 2.0, 1.0])).double()
    assert exact(of(H), of(P), [normal(0, 3)]).value == pytest.approx(6.0, rel=1e-10)
    assert exact(of(H), of(0 * P), [normal(0, 3)]) == (0.0, 0.0, 0)


def test_few_products_give_it_from_below_with_what_may_be_missing():
    A, P = definite(3, 60), definite(4, 60)
    right = np.linalg.eigvals((P @ A).numpy()).real
    products = []
    result = curvature.largest_eigenvalue(of(A), of(P), [normal(5, 60)], most=4, tolerance=0.0, report=products.append)
    assert products == [1, 2, 3, 4] and result.products == 4
    assert result.value < right.max() and np.abs(right - result.value).min() <= result.error
    loose = curvature.largest_eigenvalue(of(A), of(P), [normal(5, 60)])
    assert loose.products < 40 and loose.value == pytest.approx(right.max(), rel=0.02)


def test_what_is_not_finite_is_no_number():
    bad = torch.full((3, 3), math.nan).double()
    assert math.isnan(exact(of(bad), of(torch.eye(3).double()), [normal(0, 3)]).value)
    assert math.isnan(exact(of(torch.eye(3).double()), of(bad), [normal(0, 3)]).value)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, (2, 3)), nn.Tanh(), nn.Flatten(), nn.Linear(18, 4)).double()


def losses(net):
    pairs = [(normal(seed, 5, 2, 3, 5), torch.arange(5) % 4) for seed in (1, 2)]
    return [lambda x=x, y=y: nn.functional.cross_entropy(net(x), y) for x, y in pairs]


def dense(product, like):
    """The matrix of a product, column by column."""
    columns = []
    for index in range(sum(part.numel() for part in like)):
        unit = torch.zeros(sum(part.numel() for part in like), dtype=torch.float64)
        unit[index] = 1
        parts = [part.view(each.shape) for part, each in zip(unit.split([each.numel() for each in like]), like)]
        columns.append(torch.cat([part.flatten() for part in product(parts)]))
    return torch.stack(columns, 1).detach()


def test_the_hessian_is_autograds_of_the_mean_loss():
    net = model()
    parameters = list(net.parameters())
    sizes = [p.numel() for p in parameters]

    def mean(flat):
        named = {n: part.view(p.shape) for (n, p), part in zip(net.named_parameters(), flat.split(sizes))}
        pairs = [(normal(seed, 5, 2, 3, 5), torch.arange(5) % 4) for seed in (1, 2)]
        called = [torch.func.functional_call(net, named, x) for x, _ in pairs]
        return sum(nn.functional.cross_entropy(z, y) for z, (_, y) in zip(called, pairs)) / 2

    flat = torch.cat([p.detach().flatten() for p in parameters])
    right = torch.autograd.functional.hessian(mean, flat)
    np.testing.assert_allclose(dense(curvature.hessian(losses(net), parameters), parameters), right, atol=1e-12)


def test_a_loss_that_is_linear_has_no_curvature():
    w = torch.ones(3, dtype=torch.float64, requires_grad=True)
    product = curvature.hessian([lambda: (2 * w).sum()], [w])
    assert torch.equal(product([torch.ones(3).double()])[0], torch.zeros(3).double())


FORMS = [
    {"preconditioner": "factored"},
    {"preconditioner": "factored", "normalized": True},
    {"preconditioner": "factored", "layout": "full"},
    {"preconditioner": "low_rank", "rank": 2},
    {"preconditioner": "direct"},
    {"preconditioner": "exponential"},
    {"preconditioner": "scalar"},
    {"preconditioner": "diagonal"},
    {"preconditioner": "mean_removing"},
]


def learned(net, **options):
    """FOP around SGD whose P has been shifted away from where it starts."""
    optimizer = FOP(torch.optim.SGD(net.named_parameters(), lr=0.05), **options)
    shifted = {}
    for number, (name, M) in enumerate(optimizer.factors().items()):
        change = 0.3 * normal(number, *M.shape)
        match options["preconditioner"]:
            case "scalar" | "diagonal":
                shifted[name] = M + change.abs()
            case "direct" | "exponential":
                shifted[name] = M + change + change.mT
            case _:
                shifted[name] = M + change
        if options["preconditioner"] == "direct":
            shifted[name] = shifted[name] @ shifted[name]
    optimizer.load_factors(shifted)
    return optimizer


@pytest.mark.parametrize("options", FORMS, ids=lambda options: " ".join(map(str, options.values())))
def test_a_networks_is_that_of_the_written_out_matrices(options):
    net = model()
    optimizer = learned(net, **options)
    names, parameters = zip(*net.named_parameters())
    H, P = curvature.hessian(losses(net), parameters), curvature.preconditioner(optimizer, names)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    for p, part in zip(parameters, start := [normal(7 + i, *p.shape) for i, p in enumerate(parameters)]):
        p.grad = part.clone()
    applied = optimizer.preconditioned_gradients()
    for name, part, own in zip(names, P(start), start):
        np.testing.assert_allclose(part, applied.get(name, own), rtol=1e-12, atol=1e-12)
    right = np.linalg.eigvals((dense(P, parameters) @ dense(H, parameters)).numpy()).real.max()
    assert exact(H, P, start).value == pytest.approx(right, rel=1e-8)
    assert curvature.negative(optimizer) == {}
    assert all(torch.equal(p, before[name]) for name, p in net.named_parameters())


@pytest.mark.parametrize("form", ["direct", "scalar", "diagonal"])
def test_a_P_that_turns_the_gradient_round_is_named(form):
    net = model()
    optimizer = FOP(torch.optim.SGD(net.named_parameters(), lr=0.05), form)
    M = optimizer.factors()["3.weight"]
    turned = torch.diag(torch.linspace(-0.2, 1, len(M))).double() if form == "direct" else torch.full_like(M, -0.2)
    optimizer.load_factors({"3.weight": turned})
    assert curvature.negative(optimizer) == {"3.weight": pytest.approx(-0.2)}


@pytest.mark.parametrize("options", BASES, ids=str)
def test_the_bound_is_where_the_iteration_leaves_the_unit_circle(options):
    alpha, tau, nesterov = (options.get(name, 0) for name in ("momentum", "dampening", "nesterov"))

    def radius(product):
        """Of (theta, eps b), with b <- alpha b + (1 - tau) lambda theta."""
        b = np.array([(1 - tau) * product, alpha])
        theta = np.array([1.0, 0.0]) - (np.array([product, 0.0]) + alpha * b if nesterov else b)
        return np.abs(np.linalg.eigvals(np.array([theta, b]))).max()

    bound = curvature.bound(**options)
    assert radius(0.999 * bound) < 1 < radius(1.001 * bound)
    assert curvature.bound() == 2 and curvature.bound(0.9) == pytest.approx(3.8)


@pytest.mark.parametrize("options", BASES, ids=str)
def test_beyond_the_bound_FOPs_own_steps_grow_and_below_it_they_shrink(options):
    inputs, factor = normal(0, 40, 5), torch.eye(5).double() + 0.2 * normal(1, 5, 5)
    covariance = inputs.T @ inputs / 40

    def after(share):
        """Return the loss after steps at a share of the largest rate, from the weights normal(3, 3, 5)."""
        layer = nn.Linear(5, 3, bias=False).double()

        def loss():
            return layer(inputs).square().sum() / 80

        optimizer = FOP(torch.optim.SGD(layer.named_parameters(), lr=0.1, **options), hyper_lr=0)
        optimizer.load_factors({"weight": factor})
        H, P = curvature.hessian([loss], [layer.weight]), curvature.preconditioner(optimizer, ["weight"])
        top = exact(H, P, [normal(2, 3, 5)]).value
        right = np.linalg.eigvals((factor @ factor.T @ covariance).numpy()).real.max()
        assert top == pytest.approx(right, rel=1e-9)  # H is I ⊗ XᵀX/N, P is I ⊗ M Mᵀ
        optimizer.param_groups[0]["lr"] = share * curvature.bound(**options) / top
        with torch.no_grad():
            layer.weight.copy_(normal(3, 3, 5))
        for _ in range(400):
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
        return float(loss().detach())

    start = float((inputs @ normal(3, 3, 5).T).square().sum() / 80)
    assert after(0.97) < 1e-2 * start
    assert after(1.03) > 1e2 * start
