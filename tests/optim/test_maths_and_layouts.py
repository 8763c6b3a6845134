"""Properties of ``maths`` and ``layouts`` for any shape, batch and framework."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core.optim import layouts, maths
from fop_core.optim.preconditioners import PRECONDITIONERS

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

extents = st.integers(1, 6)
shapes = st.lists(st.integers(1, 5), min_size=0, max_size=5).map(tuple)
batches = st.lists(st.integers(1, 3), max_size=2).map(tuple)
seeds = st.integers(0, 2**31 - 1)


def normal(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def eligible(layout, shape):
    return len(shape) >= layout.least_dimensions


@pytest.mark.parametrize("layout", [*layouts.LAYOUTS.values(), layouts.ROW], ids=lambda layout: layout.name)
@given(shape=shapes, seed=seeds)
def test_layouts_go_there_and_back(layout, shape, seed):
    if not eligible(layout, shape):
        return
    tensor = normal(seed, *shape)
    matrix = layout.to_matrix(tensor)
    n = layout.rows(shape)
    assert matrix.shape == (n, math.prod(shape) // n)
    assert torch.equal(layout.to_tensor(matrix, shape), tensor)
    assert torch.equal(layout.to_matrix(layout.to_tensor(matrix, shape)), matrix)
    assert sorted(matrix.flatten().tolist()) == sorted(tensor.flatten().tolist())
    array = layout.to_matrix(tensor.numpy())
    assert np.array_equal(array, matrix.numpy())
    assert np.array_equal(layout.to_tensor(array, shape), tensor.numpy())


@given(out=extents, n=extents, kh=extents, kw=extents, seed=seeds)
def test_rows_are_what_the_paper_preconditions(out, n, kh, kw, seed):
    linear, kernel = normal(seed, out, n), normal(seed, out, n, kh, kw)
    for i in range(n):
        assert sorted(layouts.INPUT.to_matrix(linear)[i]) == sorted(linear[:, i])
        assert sorted(layouts.INPUT.to_matrix(kernel)[i]) == sorted(kernel[:, i].flatten())
    for h in range(kh):
        for w in range(kw):
            assert sorted(layouts.SPATIAL.to_matrix(kernel)[h * kw + w]) == sorted(kernel[:, :, h, w].flatten())


def test_views_are_free():
    for layout, shape in (
        (layouts.INPUT, (4, 3)),
        (layouts.SPATIAL, (4, 3, 3, 2)),
        (layouts.FULL, (4, 3)),
        (layouts.ROW, (4, 3)),
    ):
        tensor = torch.randn(shape)
        assert layout.to_matrix(tensor).data_ptr() == tensor.data_ptr()
        assert layout.to_tensor(layout.to_matrix(tensor), shape).data_ptr() == tensor.data_ptr()


@given(shape=shapes, name=st.sampled_from(layouts.NAMES), limit=st.integers(1, 30))
def test_choose_gives_a_layout_within_max_dim_or_a_reason(shape, name, limit):
    chosen = layouts.choose(name, shape, limit)
    if isinstance(chosen, str):
        assert chosen
    else:
        assert chosen.rows(shape) <= limit
        assert eligible(chosen, shape)
        if name == "auto":
            assert (chosen.name == "input") == (len(shape) == 2)


KINDS = {name: PRECONDITIONERS[name] for name in ("factored", "low_rank", "direct", "diagonal")}


def problem(name, seed, batch, n, m, k):
    m = 1 if name == "diagonal" else m
    k = {"direct": n, "diagonal": 1}.get(name, k)
    M = normal(seed, *batch, n, k)
    return (M + M.mT) / 2 if name == "direct" else M, normal(seed + 1, *batch, n, m), normal(seed + 2, *batch, n, m)


@pytest.mark.parametrize("name", KINDS)
@given(seed=seeds, batch=batches, n=extents, m=extents, k=extents)
def test_apply_is_the_matrix_times_the_gradient(name, seed, batch, n, m, k):
    M, G, _ = problem(name, seed, batch, n, m, k)
    P = KINDS[name].matrix(M)
    assert P.shape == (*batch, n, n)
    torch.testing.assert_close(KINDS[name].apply(M, G)[0], P @ G, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", KINDS)
@given(seed=seeds, batch=batches, n=extents, m=extents, k=extents)
def test_alignment_is_the_derivative_by_autograd(name, seed, batch, n, m, k):
    M, G, U = problem(name, seed, batch, n, m, k)
    leaf = M.clone().requires_grad_()
    kind = KINDS[name]
    (expected,) = torch.autograd.grad((G * (kind.matrix(leaf) @ U)).sum(), leaf)
    if name == "direct":
        expected = (expected + expected.mT) / 2
    alignment = kind.alignment(M, G, U, kind.apply(M, G)[1])
    torch.testing.assert_close(alignment, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(kind.alignment(M, G, U), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", KINDS)
@given(seed=seeds, n=extents, m=extents, k=extents)
def test_norms_and_the_normalized_derivative_agree_with_autograd(name, seed, n, m, k):
    M, G, U = problem(name, seed, (2,), n, m, k)
    kind = KINDS[name]
    leaf = M.clone().requires_grad_()
    norms = kind.matrix(leaf).square().sum((-2, -1), keepdim=True)
    square, gradient = kind.norm(M)
    torch.testing.assert_close(square, norms.detach(), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        gradient, torch.autograd.grad(norms.sum(), leaf, retain_graph=True)[0], rtol=1e-8, atol=1e-8
    )

    P = kind.matrix(leaf) * math.sqrt(n) / norms.sqrt()
    (expected,) = torch.autograd.grad((G * (P @ U)).sum(), leaf)
    if name == "direct":
        expected = (expected + expected.mT) / 2
    value = (G * (kind.matrix(M) @ U)).sum((-2, -1), keepdim=True)
    scale = maths.normalization(n, square)
    alignment = maths.normalized_alignment(kind.alignment(M, G, U), value, square, gradient, scale)
    small = max(1.0, float(expected.abs().max()))  # a P near zero makes both sides large
    torch.testing.assert_close(alignment / small, expected / small, rtol=1e-6, atol=1e-8)
    euler = (kind.alignment(M, G, U) * M).sum((-2, -1), keepdim=True) / kind.degree
    euler = euler + (G * U).sum((-2, -1), keepdim=True) if kind.identity else euler
    torch.testing.assert_close(euler, value, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["factored", "direct", "diagonal"])
@given(seed=seeds, batch=batches, n=extents, m=extents, k=extents)
def test_numpy_gives_what_torch_gives(name, seed, batch, n, m, k):
    M, G, U = problem(name, seed, batch, n, m, k)
    apply, alignment = getattr(maths, f"{name}_apply"), getattr(maths, f"{name}_alignment")
    np.testing.assert_allclose(apply(M.numpy(), G.numpy())[0], apply(M, G)[0].numpy(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        alignment(M.numpy(), G.numpy(), U.numpy()), alignment(M, G, U).numpy(), rtol=1e-9, atol=1e-9
    )


def symmetric(seed, *shape, size):
    """Return A with ||A||_2 = size."""
    A = normal(seed, *shape, shape[-1])
    A = A + A.mT
    return A * (size / torch.linalg.matrix_norm(A, 2)[..., None, None])


def size_of(A):
    return A.abs().amax((-2, -1), keepdim=True).clamp(min=1)


@given(seed=seeds, batch=batches, n=extents, size=st.floats(0.001, 20.0))
def test_the_exponential_is_torchs_and_its_root_squared(seed, batch, n, size):
    A = symmetric(seed, *batch, n, size=size)
    R = maths.exponential_root(A, torch.eye(n, dtype=torch.float64))
    expected = torch.linalg.matrix_exp(A)
    scale = size_of(expected)
    torch.testing.assert_close(R @ R.mT / scale, expected / scale, rtol=0, atol=1e-10)
    narrow = maths.exponential_root(A.float(), torch.eye(n))
    torch.testing.assert_close((narrow @ narrow.mT).double() / scale, expected / scale, rtol=0, atol=1e-5)


@given(
    seed=seeds, batch=batches, n=extents, m=extents, size=st.floats(0.001, 8.0)
)  # autograd's own is right to 1e-8 at 17
def test_the_exponentials_derivative_is_autograds(seed, batch, n, m, size):
    A, G, U = symmetric(seed, *batch, n, size=size), normal(seed + 1, *batch, n, m), normal(seed + 2, *batch, n, m)
    leaf = A.clone().requires_grad_()
    P = torch.linalg.matrix_exp(leaf)
    (expected,) = torch.autograd.grad((G * (P @ U)).sum(), leaf, retain_graph=True)
    expected = (expected + expected.mT) / 2
    scale = size_of(expected)
    S = G @ U.mT + U @ G.mT
    torch.testing.assert_close(maths.exponential_alignment(A, S) / scale, expected / scale, rtol=0, atol=1e-10)

    norms = P.square().sum((-2, -1), keepdim=True)
    square, gradient = maths.exponential_norm(maths.exponential_root(A, torch.eye(n, dtype=torch.float64)))
    torch.testing.assert_close(square, norms.detach(), rtol=1e-9, atol=1e-9)
    (expected,) = torch.autograd.grad(norms.sum(), leaf)
    scale = size_of(expected)
    torch.testing.assert_close(gradient / scale, expected / scale, rtol=0, atol=1e-9)


def test_the_cheap_derivative_of_the_exponential_is_short_by_d_over_sinh_d():
    A = torch.diag(torch.tensor([1.0, -2.0], dtype=torch.float64))
    S = torch.tensor([[0.3, 1.0], [1.0, -0.7]], dtype=torch.float64)
    ratio = maths.exponential_root_alignment(torch.diag(A.diag().div(2).exp()), S) / maths.exponential_alignment(A, S)
    d = 1.5
    expected = torch.tensor([[1.0, d / math.sinh(d)], [d / math.sinh(d), 1.0]], dtype=torch.float64)
    torch.testing.assert_close(ratio, expected, rtol=1e-12, atol=0)


@given(seed=seeds, n=extents, batch=batches)
def test_power_iteration_finds_the_spectral_norm_from_below(seed, n, batch):
    P = normal(seed, *batch, n, n)
    P = P @ P.mT + torch.eye(n)
    norm, vector = maths.power_iteration(lambda v: P @ v, normal(seed + 1, *batch, n, 1), 400)
    exact = torch.linalg.matrix_norm(P, 2)[..., None, None]
    assert (norm <= exact * (1 + 1e-12)).all()
    torch.testing.assert_close(norm, exact, rtol=0.02, atol=0)
    torch.testing.assert_close(vector.square().sum((-2, -1)), torch.ones(batch, dtype=torch.float64))


def test_theorem_1_starts_at_the_norm_and_ends_at_the_limit():
    for t, expected in ((1, 1.0), (2, 0.25 + 0.75 * 0.1), (1000, 0.1)):
        assert maths.theorem_1_scale(t, 5.0, 0.5) == pytest.approx(expected, rel=1e-4)


def test_maths_and_rules_load_without_torch():
    code = "import sys; from fop_core.optim import maths, rules; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", ["factored", "low_rank"])
@given(seed=st.integers(0, 2**31 - 1), n=st.integers(1, 5), m=st.integers(1, 5), k=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_products_of_transposes_are_the_same_to_the_last_bit(name, seed, n, m, k):
    kind = PRECONDITIONERS[name]
    generator = torch.Generator().manual_seed(seed)
    M, Gt, Ut = (torch.randn(*shape, generator=generator) for shape in ((n, k), (m, n), (m, n)))
    if maths.forms_square(M, Gt.mT):
        return
    PG, GtM = kind.apply(M, Gt.mT)
    rows, rows_GtM = kind.apply_rows(M, Gt)
    assert torch.equal(PG.mT, rows) and torch.equal(GtM, rows_GtM)
    expected = kind.alignment(M, Gt.mT, Ut.mT, GtM)
    assert torch.equal(expected, kind.alignment_rows(M, Gt, Ut, GtM))
    assert torch.equal(expected, kind.alignment_rows(M, Gt, Ut))
