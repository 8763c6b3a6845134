"""FOP agrees with the paper written naively: M, P and parameters to 1e-10 after 50 steps in float64."""

from itertools import product

import pytest
import torch

from fop_core import FOP
from tests.optim.oracle import OracleFOP
from tests.problems import BASES, SHAPES, backward, groups, parameters
from tests.sampled import sampled

STEPS = 50
MISSING = {
    7: ("square.weight", "linear.bias"),
    8: ("square.weight",),
    20: ("linear.weight", "again.weight"),
    21: tuple(SHAPES)[1:],
}
MATRIX_KINDS = ("factored", "low_rank", "direct", "exponential", "mean_removing")
CASES = [(kind, layout) for kind in MATRIX_KINDS for layout in ("auto", "input", "spatial", "full")]
CASES += [("scalar", "auto"), ("diagonal", "auto")]


def compare(
    kind,
    layout,
    make_base,
    *,
    normalized=False,
    hyper="adam",
    rho=1e-3,
    trace="velocity",
    names=None,
    options=None,
    oracles=None,
):
    """Run FOP and the oracle side by side over groups of different rates, a schedule, and missing gradients."""
    ours, theirs = parameters(names=names), parameters(names=names)
    base = make_base(groups(ours))
    options = {"rank": 2, "init_std": 0.1, "trace": trace, "normalized": normalized, **(options or {})}
    optimizer = FOP(base, kind, layout, rho, hyper, **options)
    order = [name for group in base.param_groups for name in group["param_names"]]
    oracle = OracleFOP(
        make_base(groups(theirs)),
        order,
        kind,
        layout,
        rho=rho,
        hyper=hyper,
        factors=optimizer.factors() if kind == "low_rank" else None,
        trace=trace,
        normalized=normalized,
        **(oracles or {}),
    )
    schedules = [torch.optim.lr_scheduler.StepLR(opt, 9, 0.7) for opt in (optimizer, oracle.base)]
    for step in range(STEPS):
        for params in (ours, theirs):
            backward(params, step, MISSING.get(step, ()))
        optimizer.step()
        oracle.step()
        for schedule in schedules:
            schedule.step()
    near = 1e-9 if kind == "exponential" else 1e-10  # Adam enlarges what autograd's exp leaves in the last digits
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0, atol=near, msg=lambda m, n=name: f"{n}: {m}")
    factors, applied = optimizer.factors(), optimizer.preconditioners()
    expected = {name: layer for name, layer in oracle.layers.items() if layer.used}
    assert set(applied) == set(expected)
    assert set(factors) == (set() if kind == "mean_removing" else set(expected))
    for name, layer in expected.items():
        M, P = layer.M, layer.P()
        if kind == "scalar":
            P = M
        if kind == "diagonal":
            M, P = M.reshape(SHAPES[name]), P.diagonal().reshape(SHAPES[name])
        if name in factors:
            torch.testing.assert_close(factors[name], M, rtol=0, atol=near)
        torch.testing.assert_close(applied[name], P, rtol=0, atol=near)
    learned = [
        name
        for name, layer in expected.items()
        if kind != "mean_removing" and not torch.equal(layer.first, 0 * layer.first)
    ]
    if hyper == "adam" and kind != "mean_removing":
        assert learned == list(expected), "every M must have learned, or the comparison says nothing"


@pytest.mark.parametrize(("kind", "layout", "base"), sampled([(*case, base) for case in CASES for base in BASES], 5))
def test_every_preconditioner_layout_and_base_follows_the_paper(kind, layout, base):
    compare(kind, layout, BASES[base])


@pytest.mark.parametrize("kind", ["factored", "low_rank", "direct", "exponential", "diagonal", "mean_removing"])
@pytest.mark.parametrize("base", ["sgd", "nesterov", "adam"])
def test_normalized_differentiates_its_own_scale(kind, base):
    compare(kind, "auto", BASES[base], normalized=True)


@pytest.mark.parametrize("kind", ["factored", "low_rank", "direct", "exponential", "scalar", "diagonal"])
@pytest.mark.parametrize("trace", ["one_step", 0.3])
@pytest.mark.parametrize("base", ["momentum", "nesterov"])
def test_sgd_on_m_and_other_traces_follow_the_paper(kind, trace, base):
    compare(kind, "auto", BASES[base], hyper="sgd", rho=1e-2, trace=trace)


def test_muon_follows_the_paper():
    matrices = ("linear.weight", "wide.weight", "tall.weight")
    compare("factored", "auto", lambda p: torch.optim.Muon(p, lr=0.01, weight_decay=0.0), names=matrices)


LEARNING = ("factored", "low_rank", "direct", "exponential", "scalar", "diagonal")


@pytest.mark.parametrize(("kind", "base"), sampled(product(LEARNING, BASES), 5))
def test_p_after_any_bases_step_follows_its_definition(kind, base):
    compare(kind, "auto", BASES[base], options={"apply": "after"}, oracles={"after": True}, rho=1e-2)


def test_p_after_muons_step_leaves_its_weight_decay_outside():
    matrices = ("linear.weight", "wide.weight", "tall.weight")
    for decay in (0.0, 0.3):
        compare(
            "factored",
            "auto",
            lambda p, decay=decay: torch.optim.Muon(p, lr=0.01, weight_decay=decay),
            names=matrices,
            options={"apply": "after"},
            oracles={"after": True},
        )


@pytest.mark.parametrize(
    ("trace", "base", "kind"), sampled(product(["one_step", "velocity"], ["sgd", "nesterov", "adam"], LEARNING), 5)
)
def test_osgms_feedback_is_divided_by_the_norm_of_what_the_step_was_made_of(kind, base, trace):
    options, oracles = {"feedback": "osgm"}, {"osgm": True}
    compare(kind, "auto", BASES[base], hyper="adagrad", rho=1e-2, trace=trace, options=options, oracles=oracles)


@pytest.mark.parametrize("kind", ["factored", "direct", "scalar", "diagonal"])
def test_m_starts_from_a_multiple_of_the_identity(kind):
    compare(kind, "auto", BASES["momentum"], options={"init_scale": 0.3}, oracles={"start": 0.3})


@pytest.mark.parametrize("kind", LEARNING)
@pytest.mark.parametrize("hyper", ["adam", "sgd", "adagrad"])
def test_a_learned_rho_follows_the_cosine_of_successive_hypergradients(kind, hyper):
    options, oracles = {"hyper_lr_step": 0.1}, {"kappa": 0.1}
    compare(kind, "auto", BASES["momentum"], hyper=hyper, options=options, oracles=oracles)
