"""Each quantity against a twin written in loops or plain numpy, in float64."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from fop_core.runs import files
from fop_core.training import diagnostics
from fop_core.training.diagnostics import (
    LARGE,
    alignment,
    angle_deg,
    descent,
    gradient_columns,
    histogram,
    identity_distance,
    inspect,
    length_ratio,
    spectrum_summary,
    thumbnail,
    whitening,
)

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

shapes = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
seeds = st.integers(0, 2**31 - 1)
SUMMARY = ["eigenvalue_min", "eigenvalue_max", "condition", "effective_rank", "log_determinant"]
PAIRS = ["row_neighbours", "row_others", "column_neighbours", "column_others", "elsewhere"]
WHITENING = ["constant_share", "constant_sign", *PAIRS]


def normal(seed, *shape):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a.double().flatten().tolist(), b.double().flatten().tolist()))


def length(a):
    return math.sqrt(dot(a, a))


# gradients ------------------------------------------------------------------------------------------------------------


@given(shape=shapes, seed=seeds, scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_gradient_quantities_are_what_loops_give(shape, seed, scale):
    g, other = normal(seed, *shape), scale * normal(seed + 1, *shape)
    cosine = dot(g, other) / (length(g) * length(other))
    assert float(length_ratio(g, other)) == pytest.approx(length(other) / length(g), rel=1e-12)
    assert float(alignment(g, other)) == pytest.approx(cosine, abs=1e-12)
    assert float(descent(g, other)) == pytest.approx(dot(g, other), abs=1e-12 * length(g) * length(other))
    naive = math.degrees(math.acos(max(-1.0, min(1.0, cosine))))
    assert float(angle_deg(g, other)) == pytest.approx(naive, abs=1e-5)


@pytest.mark.parametrize("radians", [0.0, 1e-6, 1e-4, 1e-2, 1.0, math.pi / 2, math.pi - 1e-3, math.pi])
def test_an_angle_is_exact_in_float32_where_the_arc_cosine_is_not(radians):
    u, v = torch.linalg.qr(normal(0, 10_000, 2)).Q.T
    g, pg = u.float(), (7 * (math.cos(radians) * u + math.sin(radians) * v)).float()
    assert float(angle_deg(g, pg)) == pytest.approx(math.degrees(radians), abs=1e-5)
    if radians == 1e-4:
        cosine = (g @ pg) / (g.norm() * pg.norm())
        assert abs(math.degrees(math.acos(min(1.0, float(cosine)))) - math.degrees(radians)) > 1e-3


def test_where_there_is_no_direction_there_is_no_angle():
    g, zero, huge = torch.ones(3), torch.zeros(3), torch.full((3,), 1e30)
    for a, b in ((g, zero), (zero, g), (zero, zero), (g, huge), (huge, g), (g, math.nan * g), (g, math.inf * g)):
        assert math.isnan(angle_deg(a, b)), (a, b)
    for a, b in ((g, zero), (zero, g), (zero, zero)):
        assert math.isnan(alignment(a, b))
    assert math.isnan(length_ratio(zero, zero))
    assert float(length_ratio(g, zero)) == 0
    assert float(alignment(1e18 * g, 1e18 * g)) == pytest.approx(1)


def test_a_cosine_is_one_at_most():
    gradients = [normal(seed, 100).float() for seed in range(50)]
    assert any(g @ (3 * g) > g.norm() * (3 * g).norm() for g in gradients), "its rounding"
    assert max(float(alignment(g, 3 * g)) for g in gradients) == 1


def test_memory_order_does_not_matter():
    g, other = normal(0, 4, 3, 5, 2), normal(1, 4, 3, 5, 2)
    strided = g.to(memory_format=torch.channels_last), other
    for quantity in (angle_deg, length_ratio, alignment, descent):
        assert float(quantity(*strided)) == pytest.approx(float(quantity(g, other)), rel=1e-12)


def test_descent_is_the_first_order_change_of_the_loss():
    theta = normal(0, 6).requires_grad_()
    loss = (theta.tanh() ** 2).sum()
    loss.backward()
    move = -1e-6 * theta.grad
    with torch.no_grad():
        change = ((theta + move).tanh() ** 2).sum() - loss
    assert float(descent(theta.grad, move)) == pytest.approx(float(change), rel=1e-5)
    assert change < 0


def named(seed, shapes):
    return {name: normal(seed + i, *shape) for i, (name, shape) in enumerate(shapes.items())}


def test_columns_are_the_functions_by_name():
    shapes = {"a.weight": (4, 3), "a.bias": (4,), "b.weight": (2, 4, 3, 3)}
    gradients, previous, moves = (named(seed, shapes) for seed in (0, 10, 20))
    preconditioned = named(30, {name: shape for name, shape in shapes.items() if name != "a.bias"})
    del previous["a.weight"]
    columns = gradient_columns(gradients, preconditioned, previous, moves)
    twins = {"grad_norm": torch.tensor(math.sqrt(sum(dot(g, g) for g in gradients.values())), dtype=torch.float64)}
    for quantity, function, others in (
        ("angle_deg", angle_deg, preconditioned),
        ("length_ratio", length_ratio, preconditioned),
        ("alignment", alignment, previous),
        ("descent", descent, moves),
    ):
        twins |= {f"{quantity}/{name}": function(gradients[name], others[name]) for name in others}
    assert columns.keys() == twins.keys()
    for name, column in columns.items():
        assert column.shape == ()
        torch.testing.assert_close(column, twins[name], rtol=1e-12, atol=1e-12, msg=name)


def test_columns_without_fop_at_the_first_step_and_of_frozen_parameters():
    gradients = {"w": normal(0, 3), "v": normal(1, 2)}
    assert set(gradient_columns(gradients, {}, {}, {})) == {"grad_norm"}
    more = gradients | {"frozen": normal(2, 2)}
    columns = gradient_columns(gradients, more, more, more)
    quantities = ("angle_deg", "length_ratio", "alignment", "descent")
    assert set(columns) == {"grad_norm"} | {f"{quantity}/{name}" for quantity in quantities for name in "wv"}
    assert math.isnan(gradient_columns({"w": torch.zeros(3)}, {"w": torch.zeros(3)}, {}, {})["angle_deg/w"])


def test_columns_keep_no_graph():
    g = normal(0, 3).requires_grad_()
    columns = gradient_columns({"w": g}, {"w": 2 * g}, {"w": g}, {"w": -g})
    assert not any(column.requires_grad for column in columns.values())


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_columns_never_read_a_value(device):
    """A fake tensor has none: whoever asks for it, as a wait for a device would, fails."""
    with FakeTensorMode():
        g, other = torch.randn(4, 3, device=device), torch.randn(4, 3, device=device)
        with pytest.raises(Exception, match=r"item|data-dependent|_local_scalar_dense"):
            float(g.sum())
        for column in gradient_columns({"w": g}, {"w": other}, {"w": other}, {"w": other}).values():
            assert (column.shape, column.device.type) == ((), device)


# preconditioners ------------------------------------------------------------------------------------------------------


@given(values=st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=20), sign=st.sampled_from([1, -1]))
def test_a_spectrum_is_summarized_as_in_loops(values, sign):
    values = [sign * values[0], *values[1:]]
    summary = spectrum_summary(torch.tensor(values, dtype=torch.float64))
    total = math.fsum(abs(value) for value in values)
    entropy = -math.fsum(abs(value) / total * math.log(abs(value) / total) for value in values)
    assert list(summary) == SUMMARY
    assert summary["eigenvalue_min"] == min(values)
    assert summary["eigenvalue_max"] == max(values)
    assert summary["effective_rank"] == pytest.approx(math.exp(entropy), rel=1e-9)
    assert 1 - 1e-9 <= summary["effective_rank"] <= len(values) * (1 + 1e-9)
    if sign > 0:
        assert summary["condition"] == max(values) / min(values)
        assert summary["log_determinant"] == pytest.approx(math.fsum(map(math.log, values)), rel=1e-9, abs=1e-9)
    else:
        assert summary["condition"] == math.inf
        assert math.isnan(summary["log_determinant"])


def test_summaries_of_special_spectra():
    flat = spectrum_summary(torch.full((9,), 0.3))
    assert flat["condition"] == 1
    assert flat["effective_rank"] == pytest.approx(9)
    single = spectrum_summary(torch.tensor([0.0, 0.0, 5.0]))
    assert single["effective_rank"] == pytest.approx(1)
    assert single["condition"] == math.inf
    assert single["log_determinant"] == -math.inf
    assert math.isnan(spectrum_summary(torch.zeros(3))["effective_rank"])
    assert all(map(math.isnan, spectrum_summary(torch.tensor([1.0, math.nan])).values()))


@given(n=st.integers(1, 6), seed=seeds)
def test_identity_distance_is_a_sum_over_entries(n, seed):
    P = normal(seed, n, n)
    naive = math.sqrt(sum((float(P[i, j]) - (i == j)) ** 2 for i in range(n) for j in range(n)))
    assert identity_distance(P) == pytest.approx(naive, rel=1e-12)
    assert identity_distance(torch.eye(n)) == 0


def whitening_in_loops(P, kernel):
    """The fit by numpy's least squares, the pairs one by one."""
    KH, KW = kernel
    P = P.numpy()
    n = len(P)
    change = P - np.eye(n)
    constant = np.ones((n, n)) / n
    terms = np.stack([np.eye(n).ravel(), np.ones(n * n)], 1)
    left = (change.ravel() - terms @ np.linalg.lstsq(terms, change.ravel(), rcond=None)[0]).reshape(n, n)
    pairs = {name: [] for name in PAIRS}
    for (kh, kw), (oh, ow) in itertools.permutations(itertools.product(range(KH), range(KW)), 2):
        entry = left[kh * KW + kw, oh * KW + ow]
        if kh == oh:
            pairs["row_neighbours" if abs(kw - ow) == 1 else "row_others"].append(entry)
        elif kw == ow:
            pairs["column_neighbours" if abs(kh - oh) == 1 else "column_others"].append(entry)
        else:
            pairs["elsewhere"].append(entry)
    inner = np.trace(change.T @ constant)
    measures = {"constant_share": inner**2 / np.trace(change.T @ change), "constant_sign": inner}
    return measures | {name: sum(entries) / len(entries) if entries else math.nan for name, entries in pairs.items()}


@given(KH=st.integers(1, 4), KW=st.integers(1, 4), seed=seeds)
def test_whitening_is_what_loops_and_least_squares_give(KH, KW, seed):
    P = normal(seed, KH * KW, KH * KW)
    P = P @ P.mT
    measures, naive = whitening(P, (KH, KW)), whitening_in_loops(P, (KH, KW))
    assert list(measures) == WHITENING
    assert measures == pytest.approx(naive, rel=1e-9, abs=1e-9 * float(P.abs().max()), nan_ok=True)


@pytest.mark.parametrize("a", [0.5, 1.0, 1.7])
@pytest.mark.parametrize("c", [-0.3, 0.0, 0.95])
def test_removing_the_mean_is_no_whitening(a, c):
    n = 9
    measures = whitening(a * torch.eye(n, dtype=torch.float64) - c / n, (3, 3))
    along, across = (a - 1 - c) ** 2, (a - 1) ** 2 * (n - 1)
    if a == 1 and c == 0:
        assert math.isnan(measures["constant_share"])
    else:
        assert measures["constant_share"] == pytest.approx(along / (along + across))
    if a == 1 and c != 0:
        assert measures["constant_share"] == pytest.approx(1)
    if c == 0 and a != 1:
        assert measures["constant_share"] == pytest.approx(1 / n)
    assert measures["constant_sign"] == pytest.approx(a - 1 - c)
    for name in PAIRS:
        assert measures[name] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("c", [0.0, 0.95])
def test_negative_neighbours_show_through_a_removed_mean(c):
    KH, KW = 3, 4
    n = KH * KW
    P = torch.eye(n, dtype=torch.float64) - c / n
    for i, j in itertools.permutations(range(n), 2):
        if abs(i // KW - j // KW) + abs(i % KW - j % KW) == 1:
            P[i, j] -= 0.1
    measures = whitening(P, (KH, KW))
    others = [measures[name] for name in ("row_others", "column_others", "elsewhere")]
    assert measures["row_neighbours"] == pytest.approx(measures["column_neighbours"])
    assert others == pytest.approx([others[0]] * 3)
    assert others[0] - measures["row_neighbours"] == pytest.approx(0.1)
    assert measures["row_neighbours"] < 0 < others[0]


def test_a_row_is_kh_KW_plus_kw():
    P = torch.eye(6, dtype=torch.float64)
    for i, j in ((0, 1), (1, 2), (3, 4), (4, 5)):  # beside each other in a kernel of 2 rows and 3 columns
        P[i, j] = P[j, i] = -0.1
    measures = whitening(P, (2, 3))
    assert measures["row_neighbours"] < 0
    assert min(measures["row_others"], measures["column_neighbours"], measures["elsewhere"]) > 0
    assert math.isnan(measures["column_others"])
    assert whitening(P, (3, 2))["row_neighbours"] != pytest.approx(measures["row_neighbours"])


def test_whitening_of_a_single_position_and_of_the_wrong_kernel():
    measures = whitening(torch.tensor([[3.0]]), (1, 1))
    assert (measures["constant_share"], measures["constant_sign"]) == (1, 2)
    assert all(math.isnan(measures[name]) for name in PAIRS)
    with pytest.raises(ValueError, match=r"P is \[9, 9\], a kernel \(2, 3\) needs \[6, 6\]"):
        whitening(torch.eye(9), (2, 3))


@given(
    values=arrays_of.arrays(np.float32, st.integers(1, 50), elements=st.floats(width=32)),
    bins=st.integers(1, 70),
)
def test_a_histogram_counts_every_value_once(values, bins):
    counts, edges, not_finite = histogram(torch.from_numpy(values), bins)
    finite = values[np.isfinite(values)].astype(np.float64)
    assert (counts.dtype, counts.shape, edges.dtype, edges.shape) == (np.int64, (bins,), np.float64, (bins + 1,))
    assert counts.sum() + not_finite == len(values)
    assert not_finite == len(values) - len(finite)
    if not len(finite):
        assert np.isnan(edges).all()
        return
    assert (np.diff(edges) > 0).all()
    np.testing.assert_allclose(np.diff(edges), (edges[-1] - edges[0]) / bins, rtol=1e-3)
    naive = [0] * bins
    for value in finite:
        inside = [i for i in range(bins) if edges[i] <= value < edges[i + 1]] or [bins - 1]
        assert inside != [bins - 1] or edges[-2] <= value <= edges[-1]
        naive[inside[0]] += 1
    assert counts.tolist() == naive
    if len(set(finite)) > 1 and np.ptp(finite) > 1e-30:
        assert (edges[0], edges[-1]) == (finite.min(), finite.max())


@pytest.mark.parametrize("value", [0.0, 1.0, -1e30, 1e-300])
def test_equal_values_fall_into_one_bin(value):
    for apart in (0.0, abs(value) * 2e-16, 5e-324):
        counts, edges, not_finite = histogram(torch.tensor([value, value + apart] * 5, dtype=torch.float64))
        assert sorted(counts)[-2:] == [0, 10]
        assert not_finite == 0
        assert edges[0] < value < edges[-1]


@given(n=st.integers(1, 12), m=st.integers(1, 12), size=st.integers(1, 8), seed=seeds)
def test_a_thumbnail_holds_means_over_areas(n, m, size, seed):
    matrix = normal(seed, n, m)
    means = thumbnail(matrix, size)
    rows, columns = min(n, size), min(m, size)
    assert (means.dtype, means.shape) == (np.float16, (rows, columns))
    for i, j in itertools.product(range(rows), range(columns)):
        top, bottom = i * n // rows, -(-(i + 1) * n // rows)
        left, right = j * m // columns, -(-(j + 1) * m // columns)
        assert float(means[i, j]) == pytest.approx(float(matrix[top:bottom, left:right].mean()), rel=1e-3, abs=1e-3)
    if n <= size and m <= size:
        assert np.array_equal(means, matrix.half().numpy())


# a snapshot -----------------------------------------------------------------------------------------------------------

KINDS = tuple(PRECONDITIONERS)
SCALED = [(kind, normalized) for kind in KINDS for normalized in (False, True) if not (kind == "scalar" and normalized)]
N = LARGE + 44


def conv_net():
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Conv2d(3, 2, (1, 2)), nn.Flatten(), nn.Linear(18, 3))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(N, 4), nn.Tanh(), nn.Linear(4, 3))


def trained(model, inputs, kind="factored", steps=4, **options):
    """Return an FOP that has learned for a few steps: P is some way from where it began."""
    options = {"rank": 5, "init_std": 0.1, "hyper_lr": 2e-3} | options
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.05, momentum=0.5), kind, **options)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        model.zero_grad()
        output = model(torch.randn(8, *inputs, generator=generator))
        (output - torch.randn(output.shape, generator=generator)).square().mean().backward()
        optimizer.step()
    return optimizer


def conv_net_trained(kind, **options):
    torch.manual_seed(0)
    return trained(conv_net(), (2, 5, 6), kind, **options)


def mlp_trained(kind, **options):
    torch.manual_seed(0)
    return trained(mlp(), (N,), kind, max_dim=N, **options)


def histogram_keys(layer, *matrices):
    return {f"{layer}/histogram/{matrix}/{what}" for matrix in matrices for what in ("counts", "edges", "not_finite")}


def keys(quantities, *layers):
    return {f"{quantity}/{layer}" for quantity in quantities for layer in layers}


MEAN = "eigenvalue_mean"
MATRIX = [*SUMMARY, MEAN, "identity_distance"]
LAYERS = {"0.weight": 9, "2.weight": 2, "4.weight": 18}  # of the conv net, with n
TENSORS = [f"{index}.{which}" for index in (0, 2, 4) for which in ("weight", "bias")]


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind, normalized", SCALED)
def test_a_snapshot_of_small_layers_is_whole(kind, normalized, deep):
    optimizer = conv_net_trained(kind, normalized=normalized)
    arrays, columns = inspect(optimizer, deep)
    factors, preconditioners = optimizer.factors(), optimizer.preconditioners()
    if kind == "scalar":
        assert set(arrays) == {f"{name}/M" for name in TENSORS}
        assert set(columns) == keys(["eigenvalue_min", "eigenvalue_max", MEAN], *TENSORS)
        for name in TENSORS:
            assert arrays[f"{name}/M"].shape == ()
            s = float(preconditioners[name])
            assert columns[f"eigenvalue_min/{name}"] == columns[f"eigenvalue_max/{name}"] == s != 1
            assert columns[f"{MEAN}/{name}"] == s
    elif kind == "diagonal":
        assert set(arrays) == set().union(*(histogram_keys(name, "M_diagonal") for name in TENSORS))
        assert set(columns) == keys([*SUMMARY, MEAN], *TENSORS)
        for name in TENSORS:
            d = preconditioners[name].double().numpy()
            assert columns[f"eigenvalue_max/{name}"] == d.max()
            assert columns[f"{MEAN}/{name}"] == pytest.approx(math.fsum(d.flatten().tolist()) / d.size, rel=1e-12)
            assert columns[f"log_determinant/{name}"] == pytest.approx(np.log(d).sum(), abs=1e-9)
            counts, edges, _ = histogram(factors[name])
            assert np.array_equal(arrays[f"{name}/histogram/M_diagonal/counts"], counts)
            assert np.array_equal(arrays[f"{name}/histogram/M_diagonal/edges"], edges)
    else:
        whats = ["spectrum"] if kind == "mean_removing" else ["M", "spectrum"]
        assert set(arrays) == {f"{layer}/{what}" for layer in LAYERS for what in whats}
        assert set(columns) == keys(MATRIX, *LAYERS) | keys(WHITENING, "0.weight", "2.weight")
        for name, n in LAYERS.items():
            P = preconditioners[name].double()
            exact = torch.linalg.eigvalsh(P).numpy()
            assert (arrays[f"{name}/spectrum"].dtype, arrays[f"{name}/spectrum"].shape) == (np.float32, (n,))
            np.testing.assert_allclose(arrays[f"{name}/spectrum"], exact, atol=1e-5)
            assert columns[f"eigenvalue_min/{name}"] == pytest.approx(exact[0], abs=1e-5)
            assert columns[f"eigenvalue_max/{name}"] == pytest.approx(exact[-1], rel=1e-5)
            assert columns[f"{MEAN}/{name}"] == pytest.approx(math.fsum(exact.tolist()) / n, rel=1e-9)
            assert columns[f"identity_distance/{name}"] == pytest.approx(
                np.linalg.norm(P.numpy() - np.eye(n)), abs=2e-6
            )  # P is in float32
            if normalized:
                assert np.sum(arrays[f"{name}/spectrum"].astype(float) ** 2) == pytest.approx(n, rel=1e-5)
        for name, kernel in (("0.weight", (3, 3)), ("2.weight", (1, 2))):
            naive = whitening_in_loops(preconditioners[name].double(), kernel)
            for quantity, number in naive.items():
                assert columns[f"{quantity}/{name}"] == pytest.approx(number, abs=1e-9, nan_ok=True)
    for key, array in arrays.items():
        if key.endswith("/M"):
            assert array.dtype == np.float32
            assert np.array_equal(array, factors[key[:-2]].numpy())
    assert all(type(number) is float for number in columns.values())


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("kind, normalized", [pair for pair in SCALED if pair[0] not in ("scalar", "diagonal")])
def test_a_snapshot_of_a_large_layer_is_an_overview(kind, normalized, deep):
    optimizer = mlp_trained(kind, normalized=normalized)
    arrays, columns = inspect(optimizer, deep)
    P = optimizer.preconditioners()["1.weight"].double()
    matrices = {"P": P}
    if kind in ("factored", "direct", "exponential"):
        matrices["M"] = optimizer.factors()["1.weight"].double()
    spectrum = deep or kind in ("low_rank", "mean_removing")

    own = {key for key in arrays if key.startswith("1.weight/")}
    parts = [f"{matrix}_{part}" for matrix in matrices for part in ("diagonal", "off_diagonal")]
    expected = histogram_keys("1.weight", *parts) if deep else set()
    expected |= {f"1.weight/{matrix}_thumbnail" for matrix in matrices}
    assert own == expected | ({"1.weight/spectrum"} if spectrum else set())
    measured = keys(MATRIX if spectrum else [MEAN, "identity_distance"], "1.weight")
    assert set(columns) == measured | keys(MATRIX, "3.weight")

    for name, matrix in matrices.items():
        shown = arrays[f"1.weight/{name}_thumbnail"]
        assert (shown.dtype, shown.shape) == (np.float16, (64, 64))
        assert np.array_equal(shown, thumbnail(matrix.float()))
        diagonal = torch.eye(N, dtype=torch.bool)
        if not deep:
            continue
        for part, where in (("diagonal", diagonal), ("off_diagonal", ~diagonal)):
            counts, edges, not_finite = histogram(matrix[where])
            prefix = f"1.weight/histogram/{name}_{part}"
            assert np.array_equal(arrays[f"{prefix}/counts"], counts)
            assert np.array_equal(arrays[f"{prefix}/edges"], edges)
            assert arrays[f"{prefix}/not_finite"].dtype == np.int64
            assert arrays[f"{prefix}/not_finite"] == not_finite == 0
            assert counts.sum() == where.sum()
    assert columns["identity_distance/1.weight"] == pytest.approx(float(torch.dist(P, torch.eye(N))), rel=1e-6)
    assert columns[f"{MEAN}/1.weight"] == pytest.approx(math.fsum(P.diagonal().tolist()) / N, rel=1e-12)
    if spectrum:
        exact = torch.linalg.eigvalsh(P).numpy()
        assert (arrays["1.weight/spectrum"].dtype, arrays["1.weight/spectrum"].shape) == (np.float32, (N,))
        np.testing.assert_allclose(arrays["1.weight/spectrum"], exact, atol=1e-5 * exact[-1])


@pytest.mark.parametrize("options", [{}, {"normalized": True}, {"rescale": 0.7}, {"normalized": True, "rescale": 0.7}])
@pytest.mark.parametrize("kind", ["low_rank", "factored", "direct", "mean_removing"])
def test_the_spectrum_is_that_of_P_with_every_scaling(kind, options):
    optimizer = mlp_trained(kind, **options)
    arrays, columns = inspect(optimizer, True)
    for name, P in optimizer.preconditioners().items():
        exact = torch.linalg.eigvalsh(P.double())
        np.testing.assert_allclose(arrays[f"{name}/spectrum"], exact, atol=2e-6 * float(exact[-1]))
        summary = spectrum_summary(exact)
        assert columns[f"effective_rank/{name}"] == pytest.approx(summary["effective_rank"], rel=1e-5)
        if kind == "low_rank":
            assert columns[f"log_determinant/{name}"] == pytest.approx(summary["log_determinant"], abs=1e-3)
            if not options:
                assert columns[f"eigenvalue_min/{name}"] >= 1
                assert not name.startswith("1") or (arrays[f"{name}/spectrum"] == 1).sum() == N - 5


def test_a_definite_P_is_not_called_indefinite_for_its_rounding():
    optimizer = conv_net_trained("factored")
    values = torch.logspace(0, -5, 9, dtype=torch.float64)
    turn = torch.linalg.qr(normal(0, 9, 9)).Q
    optimizer.load_factors({"0.weight": turn * values})
    P = optimizer.preconditioners()["0.weight"]
    assert torch.linalg.eigvalsh(P.double())[0] < 0, "the float32 P itself"
    _, columns = inspect(optimizer, False)
    assert columns["eigenvalue_min/0.weight"] == pytest.approx(1e-10, rel=0.1)
    assert columns["condition/0.weight"] == pytest.approx(1e10, rel=0.1)
    assert columns["log_determinant/0.weight"] == pytest.approx(2 * float(values.log().sum()), rel=0.01)


def test_an_indefinite_P_is_called_so():
    optimizer = conv_net_trained("direct")
    optimizer.load_factors({"0.weight": torch.diag(torch.linspace(-0.1, 1, 9))})
    arrays, columns = inspect(optimizer, False)
    assert columns["eigenvalue_min/0.weight"] == pytest.approx(-0.1)
    assert columns["condition/0.weight"] == math.inf
    assert math.isnan(columns["log_determinant/0.weight"])
    assert arrays["0.weight/spectrum"][0] == pytest.approx(-0.1)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mean_removing"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("make", [conv_net_trained, mlp_trained])
def test_a_P_that_is_not_finite_has_nan_columns_and_no_spectrum(kind, bad, make):
    optimizer = make(kind)
    whole_arrays, whole_columns = inspect(optimizer, True)
    sick = optimizer.layers()[0]
    sick.M.view(-1)[0] = bad
    arrays, columns = inspect(optimizer, True)
    assert columns.keys() == whole_columns.keys()
    expected = {key: math.nan if key.endswith(f"/{sick.name}") else whole_columns[key] for key in columns}
    assert columns == pytest.approx(expected, rel=0, abs=0, nan_ok=True)
    assert arrays.keys() == whole_arrays.keys() - {f"{sick.name}/spectrum"}
    counted = [array for key, array in arrays.items() if key.startswith(sick.name) and key.endswith("not_finite")]
    assert bool(counted) == ((make is mlp_trained and kind != "scalar") or kind == "diagonal")
    assert not counted or sum(counted) > 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_snapshot_holds_M_whatever_its_size(kind):
    optimizer = mlp_trained(kind)
    few, _ = inspect(optimizer, False)
    arrays, _ = inspect(optimizer, False, whole=True)
    factors = optimizer.factors()
    assert arrays.keys() == few.keys() | {f"{name}/M" for name in factors}
    for name, M in factors.items():
        assert arrays[f"{name}/M"].dtype == np.float32
        assert arrays[f"{name}/M"].shape == M.shape
        assert np.array_equal(arrays[f"{name}/M"], M.numpy())


def test_only_kernels_of_two_dimensions_in_the_spatial_layout_are_whitened():
    torch.manual_seed(0)
    line, volume, plane = nn.Conv1d(2, 3, 3), nn.Conv3d(2, 3, 2), nn.Conv2d(2, 3, 3)
    for model, inputs, options, whitened in (
        (line, (2, 9), {}, False),
        (volume, (2, 3, 3, 3), {}, False),
        (plane, (2, 5, 5), {"layout": "input"}, False),
        (plane, (2, 5, 5), {"layout": "full"}, False),
        (plane, (2, 5, 5), {"layout": "spatial"}, True),
    ):
        _, columns = inspect(trained(model, inputs, **options), False)
        assert ("row_neighbours/weight" in columns) == whitened
        assert "eigenvalue_max/weight" in columns


def test_a_rate_of_M_is_logged_where_layers_learn_their_own_also_of_a_P_that_is_not_finite():
    assert not [column for column in inspect(conv_net_trained("factored"), True)[1] if column.startswith("rho/")]
    optimizer = conv_net_trained("factored", hyper_lr=0.01, hyper_lr_step=0.3)
    optimizer.layers()[0].M[0, 0] = math.nan
    _, columns = inspect(optimizer, False)
    rates = {name: columns[f"rho/{name}"] for name in LAYERS}
    assert rates == {layer.name: 0.01 * layer.state["rate"].item() for layer in optimizer.layers()}
    assert all(0.01 * math.exp(-0.3 * 9) < rate < 0.01 * math.exp(0.3 * 9) for rate in rates.values())
    assert len(set(rates.values())) == len(rates) and 0.01 not in rates.values()


def test_a_float64_P_and_one_at_its_start():
    torch.manual_seed(0)
    model = conv_net().double()
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1))
    arrays, columns = inspect(optimizer, False)
    assert arrays["0.weight/M"].dtype == arrays["0.weight/spectrum"].dtype == np.float32
    assert columns["identity_distance/0.weight"] == 0
    assert columns["condition/0.weight"] == 1
    assert math.isnan(columns["constant_share/0.weight"])


def test_looking_changes_nothing():
    for kind in KINDS:
        optimizer = conv_net_trained(kind)
        before = {name: M.clone() for name, M in optimizer.factors().items()}
        arrays, _ = inspect(optimizer, True)
        for array in arrays.values():
            array.fill(7)
        for name, M in optimizer.factors().items():
            assert torch.equal(M, before[name])


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_can_be_written_and_read(kind, tmp_path):
    arrays, columns = inspect(mlp_trained(kind), True, whole=True)
    files.write_arrays(tmp_path / "0.safetensors", arrays)
    files.write_json(tmp_path / "row.json", columns)
    loaded, _ = files.read_arrays(tmp_path / "0.safetensors")
    assert loaded.keys() == arrays.keys()
    for key, array in arrays.items():
        assert loaded[key].dtype == array.dtype
        assert loaded[key].shape == array.shape
        assert np.array_equal(loaded[key], array)


def test_sizes_are_those_of_the_format():
    assert (diagnostics.LARGE, diagnostics.THUMBNAIL, diagnostics.BINS) == (256, 64, 64)


@pytest.mark.parametrize(
    ("factors", "bases"),
    [
        ({"a b": torch.eye(2), "a": {"b": torch.eye(3)}}, {}),
        ({"a b basis": torch.eye(2)}, {"a": {"b": torch.eye(2)}}),
    ],
)
def test_matrices_of_another_optimizer_that_have_one_name_are_refused(factors, bases):
    with pytest.raises(ValueError, match="two matrices are called 'a b"):
        diagnostics.inspect_factors(factors, bases, {}, deep=True)
