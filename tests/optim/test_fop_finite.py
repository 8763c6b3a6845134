"""Low precision does not reach M, and neither does what is not finite."""

import copy

import pytest
import torch
from torch import nn

from fop_core import FOP
from tests.optim.built import KINDS, build, run, same
from tests.problems import backward

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
