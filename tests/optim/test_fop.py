"""FOP as a torch optimizer: what a training script relies on."""

import copy
import io
import typing
import warnings
from typing import Literal

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from fop_core import FOP
from fop_core.optim.preconditioners import PRECONDITIONERS
from tests.problems import BASES, backward, groups, parameters

KINDS = tuple(PRECONDITIONERS)


def build(kind="factored", base="momentum", seed=0, dtype=torch.float64, **options):
    params = parameters(seed, dtype)
    options.setdefault("hyper_lr", 1e-2)
    options.setdefault("init_std", 0.1)
    return params, FOP(BASES[base](groups(params)), kind, **options)


def run(params, optimizer, steps, missing=()):
    for step in steps:
        backward(params, step, missing)
        optimizer.step()


def same(a, b):
    """Whether two nests of dicts, lists, tensors and numbers are equal bit for bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


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


# the interface of a torch optimizer ----------------------------------------------------------------------------------


def test_fop_is_an_optimizer_whose_groups_and_state_are_the_bases():
    params, optimizer = build()
    assert isinstance(optimizer, torch.optim.Optimizer)
    run(params, optimizer, range(2))
    assert optimizer.param_groups is optimizer.base.param_groups
    assert optimizer.state is optimizer.base.state
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(3):
            backward(params, step)
            optimizer.step()
            scheduler.step()
    assert optimizer.base.param_groups[0]["lr"] < 0.02


def test_one_cycle_changes_rate_and_momentum_and_both_count():
    """The trace takes each step's own momentum: with M frozen at I the moves are the base's, so M alone tells."""
    theta = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1, momentum=0.9), hyper_lr=1.0, hyper_optimizer="sgd")
    settings = [(0.1, 0.9), (0.2, 0.5), (0.05, 0.7)]
    gradients = [torch.randn(2, 2, generator=torch.Generator().manual_seed(i), dtype=torch.float64) for i in range(3)]
    u, M = None, torch.eye(2, dtype=torch.float64)
    for index, ((rate, momentum), g) in enumerate(zip(settings, gradients)):
        optimizer.param_groups[0].update(lr=rate, momentum=momentum)
        theta.grad = g.clone()
        optimizer.step()
        if index:
            M = M + settings[index - 1][0] * (g.T @ u + u.T @ g) @ M
        u = g if u is None else momentum * u + g
        torch.testing.assert_close(optimizer.factors()["w"], M, rtol=1e-13, atol=1e-13)


def test_a_learning_rate_in_a_tensor_counts_as_of_its_step():
    results = []
    for make in (float, torch.tensor):
        params = parameters()
        optimizer = FOP(
            torch.optim.Adam(params.items(), lr=make(0.01), foreach=False), hyper_lr=1.0, hyper_optimizer="sgd"
        )
        for step in range(5):
            if make is float:
                optimizer.param_groups[0]["lr"] = 0.01 * (step + 1)
            else:
                optimizer.param_groups[0]["lr"].fill_(0.01 * (step + 1))  # in place, as schedulers do
            run(params, optimizer, [step])
        results.append(optimizer.factors())
    for name, M in results[0].items():
        torch.testing.assert_close(M, results[1][name], rtol=1e-5, atol=1e-6)


def test_a_closure_is_evaluated_once_and_its_loss_returned():
    params, optimizer = build()
    calls = []

    def closure():
        calls.append(torch.is_grad_enabled())
        return backward(params, len(calls))

    assert optimizer.step(closure) == backward(parameters(), 1)
    assert calls == [True]


def test_the_gradient_is_the_raw_one_again_even_when_the_base_fails():
    params, optimizer = build()
    backward(params, 0)
    before = {name: (p.grad, p.grad.clone()) for name, p in params.items()}
    optimizer.step()
    for name, p in params.items():
        assert p.grad is before[name][0]
        assert torch.equal(p.grad, before[name][1])

    def fail():
        raise RuntimeError("base failed")

    optimizer.base.step = fail
    with pytest.raises(RuntimeError, match="base failed"):
        optimizer.step()
    assert all(p.grad is before[name][0] for name, p in params.items())


def test_a_layer_without_a_gradient_keeps_everything():
    params, optimizer = build("factored", "adam")
    run(params, optimizer, range(4))
    number = [name for name, _, _ in optimizer._members].index("square.weight")
    before = copy.deepcopy(optimizer.state_dict()["fop"]["layers"][number])
    run(params, optimizer, range(4, 8), missing=("square.weight",))
    assert same(before, optimizer.state_dict()["fop"]["layers"][number])
    run(params, optimizer, range(8, 9))
    assert not same(before, optimizer.state_dict()["fop"]["layers"][number])


@pytest.mark.parametrize("through", ["fop", "base"])
def test_an_added_group_gets_preconditioners_of_its_own(through):
    params, optimizer = build("low_rank", rank=2)
    run(params, optimizer, range(3))
    before = optimizer.factors()
    extra = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    (optimizer if through == "fop" else optimizer.base).add_param_group({"params": [("extra", extra)], "lr": 0.5})
    extra.grad = torch.ones_like(extra)
    run(params, optimizer, range(3, 6))
    after = optimizer.factors()
    assert set(after) == set(before) | {"extra"}
    assert after["extra"].shape == (6, 2)
    assert not same(before, {name: after[name] for name in before})
    assert "extra" in repr(optimizer)


def test_names_are_numbers_without_named_parameters():
    params = parameters()
    optimizer = FOP(torch.optim.SGD(list(params.values()), lr=0.1))
    assert list(optimizer.factors())[:3] == ["0", "2", "3"]


# precision -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_parameters_learn_in_float32(kind):
    params, optimizer = build(kind, dtype=torch.bfloat16)
    run(params, optimizer, range(5))
    assert all(p.dtype == torch.bfloat16 for p in params.values())
    assert all(M.dtype == torch.float32 for M in optimizer.preconditioners().values())
    traces = [layer.trace for stack in optimizer._stacks for layer in stack.layers]
    assert all(trace is None or trace.dtype == torch.float32 for trace in traces)


def test_layers_of_different_precision_learn_side_by_side():
    def learned(dtypes):
        params = {name: torch.ones(3, 3, dtype=dtype, requires_grad=True) for name, dtype in dtypes.items()}
        optimizer = FOP(torch.optim.SGD(params.items(), lr=0.1, momentum=0.9, foreach=False), hyper_lr=1e-2)
        for step in range(5):
            for seed, p in enumerate(params.values()):
                g = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(10 * step + seed))
                p.grad = g.to(p)
            optimizer.step()
        return optimizer.factors()

    mixed = learned({"a": torch.float32, "b": torch.float64, "c": torch.float32})
    double = learned(dict.fromkeys("abc", torch.float64))
    assert [M.dtype for M in mixed.values()] == [torch.float32, torch.float64, torch.float32]
    torch.testing.assert_close(mixed["b"], double["b"], rtol=1e-12, atol=1e-12)
    for name in "ac":
        torch.testing.assert_close(mixed[name].double(), double[name], rtol=1e-4, atol=1e-4)


def test_autocast_and_lowered_matmul_precision_do_not_reach_m():
    def learned(context):
        params, optimizer = build(dtype=torch.float32)
        for step in range(5):
            backward(params, step)
            with context():
                optimizer.step()
        return optimizer.factors()

    plain = learned(lambda: torch.autocast("cpu", enabled=False))
    assert same(plain, learned(lambda: torch.autocast("cpu", torch.bfloat16)))
    before = torch.backends.mkldnn.matmul.fp32_precision
    try:
        torch.backends.mkldnn.matmul.fp32_precision = "bf16"
        assert same(plain, learned(lambda: torch.autocast("cpu", enabled=False)))
        assert torch.backends.mkldnn.matmul.fp32_precision == "bf16", "put back as it was"
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before


def test_grad_scaler_is_undone_before_m_sees_the_gradient_and_skips_overflows():
    model, twin = (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double() for _ in range(2))
    twin.load_state_dict(model.state_dict())
    x = torch.randn(8, 3, dtype=torch.float64)
    optimizers = [
        FOP(torch.optim.SGD(m.named_parameters(), lr=0.1, momentum=0.9), hyper_lr=1e-2) for m in (model, twin)
    ]
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for step in range(6):
        for m, optimizer in zip((model, twin), optimizers):
            optimizer.zero_grad()
            loss = m(x).square().sum()
            if m is twin:
                if step != 3:
                    loss.backward()
                    optimizer.step()
                continue
            scaler.scale(loss).backward()
            if step == 3:
                m[0].weight.grad[0, 0] = float("inf")
            scaler.step(optimizer)
            scaler.update()
    for name, M in optimizers[0].factors().items():
        torch.testing.assert_close(M, optimizers[1].factors()[name], rtol=0, atol=1e-13)
        assert not torch.equal(M, torch.eye(len(M), dtype=M.dtype))


# numbers that are not finite -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "mean_removing"])
def test_raise_guards_m_and_u_and_names_the_layer_at_a_later_step(kind, bad):
    params, optimizer = build(kind)
    run(params, optimizer, range(3))
    number = [name for name, _, _ in optimizer._members].index("linear.weight")
    before = copy.deepcopy(optimizer.state_dict()["fop"]["layers"][number])
    backward(params, 3)
    params["linear.weight"].grad[1, 2] = bad
    optimizer.step()
    assert same(before, optimizer.state_dict()["fop"]["layers"][number])
    for factor in optimizer.factors().values():
        assert factor.isfinite().all()
    backward(params, 4, missing=("linear.weight",))
    with pytest.raises(FloatingPointError, match=r"'linear\.weight'.*step 4"):
        optimizer.step()


def test_check_reports_at_once():
    params, optimizer = build()
    optimizer.check()
    backward(params, 0)
    params["square.weight"].grad.fill_(float("nan"))
    optimizer.step()
    with pytest.raises(FloatingPointError, match=r"square\.weight"):
        optimizer.check()
    optimizer.check()  # reported once


def test_an_overflowing_hypergradient_leaves_m_alone():
    theta = torch.ones(2, 2, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=1e-30), hyper_lr=1e-2)
    for _ in range(2):
        theta.grad = torch.full((2, 2), 1e25)
        optimizer.step()
    assert torch.equal(optimizer.factors()["w"], torch.eye(2))
    with pytest.raises(FloatingPointError):
        optimizer.check()


@pytest.mark.parametrize("where", ["linear.weight", "linear.bias"])
def test_skip_leaves_the_whole_step_out_and_counts_it(where):
    params, optimizer = build(on_nonfinite="skip")
    twins, twin = build(on_nonfinite="skip")
    run(params, optimizer, range(3))
    run(twins, twin, range(3))
    backward(params, 3)
    params[where].grad.view(-1)[0] = float("nan")
    optimizer.step()
    assert optimizer.skipped_steps == 1
    assert params[where].grad.isnan().any(), "the raw gradient stays"
    run(params, optimizer, range(4, 8))
    run(twins, twin, range(4, 8))
    assert same(dict(params), dict(twins))
    assert same(optimizer.factors(), twin.factors())


def test_direct_says_when_it_turns_indefinite():
    theta = torch.ones(2, 2, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1), "direct", hyper_lr=1.0, hyper_optimizer="sgd")
    with pytest.warns(UserWarning, match="'w' is not positive definite") as caught:
        for step in range(6):
            theta.grad = torch.full((2, 2), 2.0 * (-1) ** step)
            optimizer.step()
    assert len(caught) == 1, "once"
    assert caught[0].filename == __file__
    assert torch.linalg.eigvalsh(optimizer.preconditioners()["w"]).min() < 0


# what a step does on the device --------------------------------------------------------------------------------------


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize(
    "options", [{}, {"normalized": True, "rescale": 1.0}, {"hyper_optimizer": "sgd", "update_every": 2}]
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_for_the_device(kind, options, device):
    """Under FakeTensorMode a tensor has no value: ``.item()`` or a branch on data raises."""
    if kind == "scalar":
        options = {**options, "normalized": False}
    shapes = {"a": (3, 2, 3, 3), "b": (2, 3, 3, 3), "c": (4, 8), "d": (4,)}
    with FakeTensorMode():
        for make in (
            lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
            lambda p: torch.optim.Adam(p, lr=0.1),
        ):
            params = {name: torch.randn(shape, device=device, requires_grad=True) for name, shape in shapes.items()}
            optimizer = FOP(make(params.items()), kind, **options)
            for step in range(4):
                for name, p in params.items():
                    p.grad = None if (step, name) == (2, "a") else torch.randn_like(p)
                optimizer.step()
            with pytest.raises(Exception, match=r"item|data-dependent|_local_scalar_dense"):
                optimizer._stacks[0].M.mean().item()  # the mode does what this test believes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_for_a_real_gpu(kind):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 16, 4)).cuda()
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.01, momentum=0.9), kind)
    for step in range(6):
        optimizer.zero_grad()  # one that diverges may wait: it reads which layer is not finite
        model(torch.randn(5, 2, 8, 8, device="cuda")).square().mean().backward()
        torch.cuda.set_sync_debug_mode("error" if step > 1 else "default")
        try:
            optimizer.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    optimizer.check()


class Shapes(TorchDispatchMode):
    """Records the shape of everything that is computed."""

    def __init__(self):
        super().__init__()
        self.computed = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(tensor, torch.Tensor):
                self.computed.append((str(func), tuple(tensor.shape)))
        return out


def test_a_low_rank_never_forms_a_square_matrix():
    weight = torch.randn(11, 37, requires_grad=True)
    optimizer = FOP(
        torch.optim.SGD([("w", weight)], lr=0.1, momentum=0.9), "low_rank", rank=3, normalized=True, rescale=1.0
    )
    for _ in range(3):
        weight.grad = torch.randn(11, 37)
        with Shapes() as shapes:
            optimizer.step()
        assert shapes.computed
        assert not [entry for entry in shapes.computed if entry[1][-2:] == (37, 37)]


class Products(TorchDispatchMode):
    """Counts the multiplications in matrix products, those in place included."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        if name in ("mm", "bmm", "addmm", "addmm_", "baddbmm"):
            left, right = args[-2:]
            self.count += left.numel() * right.shape[-1]
        return func(*args, **(kwargs or {}))


def products(n, m, kind="factored"):
    """The multiplications of one step's matrix products."""
    weight = torch.randn(m, n, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", weight)], lr=0.1), kind)
    for _ in range(2):
        weight.grad = torch.randn(m, n)
        with Products() as counter:
            optimizer.step()
    return counter.count


def test_products_are_in_the_cheap_order():
    assert products(n=50, m=7) == 5 * 50 * 50 * 7, "five products of n n m, G^T M shared by P g and the hypergradient"
    assert products(n=9, m=500) == 2 * 9 * 9 * (500 + 9), "P and G U^T formed once each"
    assert products(n=50, m=7, kind="low_rank") == 5 * 50 * 16 * 7


def test_layers_with_an_m_of_one_shape_keep_it_in_one_tensor():
    model = nn.Sequential(*(nn.Conv2d(i + 1, i + 2, 3) for i in range(7)))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1))
    storages = {layer.M.untyped_storage().data_ptr() for layer in optimizer.layers()}
    assert len(optimizer.layers()) == 7 and len(storages) == 1


# what can be read ----------------------------------------------------------------------------------------------------


def test_every_parameter_is_a_layer_or_left_to_the_base_and_says_why():
    params, optimizer = build()
    layers, left = optimizer.layers(), optimizer.left_to_base()
    assert [layer.name for layer in layers] == list(optimizer.factors())
    assert {layer.name for layer in layers} | left.keys() == params.keys()
    assert not {layer.name for layer in layers} & left.keys()
    assert all(layer.parameter is params[layer.name] for layer in layers)
    assert left["linear.bias"] == "bias or norm" and optimizer.learns
    assert not build("mean_removing")[1].learns


@pytest.mark.filterwarnings("ignore:FOP preconditions none")
def test_the_types_of_options_name_what_there_is():
    hints = typing.get_type_hints(FOP.__init__)
    assert set(typing.get_args(hints["preconditioner"])) == PRECONDITIONERS.keys()
    for name in ("layout", "on_nonfinite", "trace", "hyper_optimizer"):
        literal = next((h for h in typing.get_args(hints[name]) if typing.get_origin(h) is Literal), hints[name])
        for value in typing.get_args(literal):
            FOP(torch.optim.SGD([torch.ones(3, 2, requires_grad=True)], lr=0.1), **{name: value})


# what is learned -----------------------------------------------------------------------------------------------------


def test_factors_are_copies_and_can_be_put_back():
    params, optimizer = build()
    run(params, optimizer, range(3))
    kept = optimizer.factors()
    run(params, optimizer, range(3, 6))
    assert not same(kept, optimizer.factors())
    optimizer.load_factors(kept)
    assert same(kept, optimizer.factors())
    optimizer.load_factors({"linear.weight": 2 * kept["linear.weight"].numpy()})
    assert torch.equal(
        optimizer.preconditioners()["linear.weight"], 4 * kept["linear.weight"] @ kept["linear.weight"].T
    )


@pytest.mark.parametrize(
    ("kind", "name", "value", "message"),
    [
        ("factored", "nobody", torch.eye(3), "nobody"),
        ("factored", "linear.bias", torch.eye(4), "linear.bias"),
        ("factored", "linear.weight", torch.eye(4), r"\(4, 4\), expected \(3, 3\)"),
        ("factored", "linear.weight", torch.full((3, 3), float("nan")), "not finite"),
        ("direct", "linear.weight", torch.ones(3, 3).triu(), "not symmetric"),
        ("mean_removing", "linear.weight", torch.eye(3), "no factor"),
    ],
)
def test_load_factors_takes_all_or_nothing(kind, name, value, message):
    _, optimizer = build(kind)
    before = optimizer.factors()
    good = {"square.weight": 2 * torch.eye(9)} if kind != "mean_removing" else {}
    with pytest.raises(ValueError, match=message):
        optimizer.load_factors(good | {name: value})
    assert same(before, optimizer.factors())


def test_shapes_of_what_is_shown():
    params, scalar = build("scalar")
    _, diagonal = build("diagonal")
    assert {M.shape for M in scalar.factors().values()} == {P.shape for P in scalar.preconditioners().values()} == {()}
    assert set(scalar.factors()) == set(params), "biases included"
    assert {n: M.shape for n, M in diagonal.factors().items()} == {n: p.shape for n, p in params.items()}
    _, mean = build("mean_removing")
    assert mean.factors() == {}
    expected = torch.eye(9, dtype=torch.float64) - 0.95 / 9
    torch.testing.assert_close(mean.preconditioners()["square.weight"], expected)


def test_low_rank_draws_privately_by_seed_and_in_parameter_order():
    torch.manual_seed(1)
    first = torch.rand(3)
    torch.manual_seed(1)
    _, a = build("low_rank", seed=5)
    assert torch.equal(first, torch.rand(3)), "the global generator is left alone"
    torch.manual_seed(2)
    params = parameters(5)
    b = FOP(torch.optim.SGD(groups(params), lr=0.1), "low_rank", init_std=0.1, seed=0)
    c = FOP(torch.optim.SGD(groups(params), lr=0.1), "low_rank", init_std=0.1, seed=1)
    again = FOP(torch.optim.SGD(groups(params), lr=0.1), "low_rank", init_std=0.1, seed=0)
    assert same(b.factors(), again.factors())
    assert not same(b.factors(), c.factors())
    drawn = torch.cat([M.flatten() for M in b.factors().values()])
    assert 0.08 < drawn.std() < 0.12
    assert b.factors()["square.weight"].shape == (9, 9), "a rank above n is n"
    assert a.factors().keys() == b.factors().keys()


def test_update_every_learns_at_its_steps_alone():
    params, optimizer = build(update_every=3)
    changed = []
    for step in range(9):
        before = optimizer.factors()
        run(params, optimizer, [step])
        changed.append(not same(before, optimizer.factors()))
    assert changed == [False, False, True] * 3


def test_hyper_lr_can_be_switched_on_later_with_the_trace_already_there():
    params, optimizer = build(hyper_lr=0)
    run(params, optimizer, range(3))
    assert same(optimizer.factors()["linear.weight"], torch.eye(3, dtype=torch.float64))
    optimizer.hyper_lr = 1e-2
    run(params, optimizer, range(3, 4))
    assert not same(optimizer.factors()["linear.weight"], torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["factored", "direct", "low_rank", "scalar", "diagonal"])
def test_rescale_brings_the_spectral_norm_to_gamma(kind):
    limit = 0.5
    params, optimizer = build(kind, rescale=limit, hyper_optimizer="sgd", hyper_lr=0.1, base="sgd")

    def compare(t, tolerance):
        factors = optimizer.factors()
        for name, P in optimizer.preconditioners().items():
            norm = P.abs().max() if kind in ("scalar", "diagonal") else torch.linalg.matrix_norm(P, 2)
            torch.testing.assert_close(norm, gamma(kind, factors[name], t, limit), rtol=tolerance, atol=0)
            yield norm

    for t in range(1, 13):
        norms = list(compare(t, 0.05))  # power iteration estimates from below, while M moves fast
        run(params, optimizer, [t])
    assert all(abs(norm - limit) < 0.2 * limit for norm in norms)
    optimizer.hyper_lr = 0
    run(params, optimizer, range(13, 40))
    assert list(compare(40, 1e-3)), "and converges once M rests"


def gamma(kind, M, t, limit):
    """gamma(t) = delta ||P||_2 + (1 - delta) p_inf, delta = 1 / t^2 (section 6)."""
    if kind in ("scalar", "diagonal"):
        norm = M.abs().max()
    else:
        P = {"factored": M @ M.mT, "direct": M, "low_rank": torch.eye(len(M), dtype=M.dtype) + M @ M.mT}[kind]
        norm = torch.linalg.matrix_norm(P, 2)
    return norm / t**2 + (1 - 1 / t**2) * limit


def test_rescale_counts_as_a_constant_to_the_derivative():
    theta = torch.ones(2, 3, dtype=torch.float64, requires_grad=True)
    options = {"hyper_lr": 0.1, "hyper_optimizer": "sgd"}
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1), rescale=0.25, **options)
    gradients = [torch.randn(2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    for g in gradients:
        theta.grad = g
        optimizer.step()
    # M_1 = I: ||P||_2 = 1 whatever the vector, so the factor at t = 2 is 1/4 + 3/4 * 1/4
    scale = 0.25 + 0.75 * 0.25
    expected = torch.eye(3, dtype=torch.float64)
    expected += 0.1 * 0.1 * scale * (gradients[1].T @ gradients[0] + gradients[0].T @ gradients[1])
    torch.testing.assert_close(optimizer.factors()["w"], expected)


def test_a_callable_hyper_optimizer_sees_one_tensor_a_layer_and_matches_the_built_in_one():
    shapes = []

    def make(tensors):
        shapes.append([tuple(t.shape) for t in tensors])
        return torch.optim.Adam(tensors, lr=1e-2)

    params, optimizer = build(hyper_optimizer=make, hyper_lr=1e-2)
    others, other = build(hyper_lr=1e-2)
    assert shapes == [[tuple(M.shape) for M in other.factors().values()]]
    for p, o in ((params, optimizer), (others, other)):
        run(p, o, range(4))
        run(p, o, range(4, 8), missing=("square.weight",))
        run(p, o, range(8, 10))
    for name, M in optimizer.factors().items():
        torch.testing.assert_close(M, other.factors()[name], rtol=0, atol=1e-12)
    state = copy.deepcopy(optimizer.state_dict())
    _, third = build(hyper_optimizer=make, seed=4)
    third.load_state_dict(state)
    assert same(third.factors(), optimizer.factors())


# what is refused, and what is said -----------------------------------------------------------------------------------


def weight():
    return [("w", torch.ones(2, 2, requires_grad=True))]


@pytest.mark.parametrize(
    "options",
    [
        {"preconditioner": "kfac"},
        {"layout": "output"},
        {"trace": "momentum"},
        {"trace": -0.1},
        {"hyper_optimizer": "lion"},
        {"on_nonfinite": "ignore"},
        {"hyper_lr": -1.0},
        {"hyper_lr": float("nan")},
        {"rank": 0},
        {"rank": 2.5},
        {"update_every": 0},
        {"rescale": 0},
        {"preconditioner": "scalar", "normalized": True},
    ],
    ids=str,
)
def test_a_wrong_option_is_refused_by_name(options):
    name = next(reversed(options))
    with pytest.raises(ValueError, match=name):
        FOP(torch.optim.SGD(weight(), lr=0.1), **options)


def test_bases_and_parameters_that_cannot_be_wrapped_are_refused():
    with pytest.raises(TypeError, match="LBFGS"):
        FOP(torch.optim.LBFGS([torch.ones(2, 2, requires_grad=True)]))
    with pytest.raises(TypeError, match="FOP"):
        FOP(FOP(torch.optim.SGD(weight(), lr=0.1)))
    with pytest.raises(TypeError, match="Linear"):
        FOP(nn.Linear(2, 2))
    with pytest.raises(TypeError, match="'w' is complex"):
        FOP(torch.optim.SGD([("w", torch.ones(2, 2, dtype=torch.complex64, requires_grad=True))], lr=0.1))


def test_a_sparse_gradient_is_refused_by_name_before_anything_moves():
    embedding = nn.Embedding(5, 3, sparse=True)
    optimizer = FOP(torch.optim.SGD(embedding.named_parameters(), lr=0.1))
    before = embedding.weight.detach().clone()
    embedding(torch.tensor([1, 2])).sum().backward()
    with pytest.raises(TypeError, match="'weight' is sparse"):
        optimizer.step()
    assert torch.equal(before, embedding.weight)


def test_sharded_parameters_are_refused():
    class DTensor(torch.Tensor):
        pass

    shard = torch.ones(2, 2).as_subclass(DTensor).requires_grad_()
    with pytest.raises(TypeError, match="sharded"):
        FOP(torch.optim.SGD([("w", shard)], lr=0.1))


def test_repr_lists_layers_and_what_is_left():
    text = repr(build("low_rank", rank=2)[1])
    assert "around SGD" in text
    row = next(line for line in text.splitlines() if line.split()[:1] == ["square.weight"])
    assert row.split() == ["square.weight", "spatial", "9", "6", "2", "18"]
    assert "left to SGD (bias or norm): linear.bias" in text
    assert "left to SGD (1x1 kernel): pointwise.weight" in text
    text = repr(build(max_dim=3)[1])
    assert "n = 9 > max_dim = 3" in text


def test_nothing_to_precondition_is_said():
    with pytest.warns(UserWarning, match="none of the parameters"):
        FOP(torch.optim.SGD([torch.ones(3, requires_grad=True)], lr=0.1))


def test_memory_usage_counts_m_u_and_moments():
    theta = torch.ones(5, 3, requires_grad=True)
    optimizer = FOP(torch.optim.SGD([("w", theta)], lr=0.1))
    learning = 4 * (3 * 9 + 1)  # M and two moments [3, 3], a step count
    assert optimizer.memory_usage() == learning
    theta.grad = torch.ones(5, 3)
    optimizer.step()
    assert optimizer.memory_usage() == learning + 4 * 15


def test_channels_last_kernels_are_preconditioned_the_same():
    def learned(memory_format):
        torch.manual_seed(0)
        model = nn.Conv2d(3, 4, 3).to(memory_format=memory_format)
        optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.1), hyper_lr=1e-2)
        for step in range(4):
            optimizer.zero_grad()
            x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
            model(x.to(memory_format=memory_format)).square().sum().backward()
            optimizer.step()
        return model.weight.detach(), optimizer.factors()["weight"]

    for a, b in zip(learned(torch.contiguous_format), learned(torch.channels_last)):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
