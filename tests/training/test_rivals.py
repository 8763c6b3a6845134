"""Others' optimizers: at their authors' defaults, resumed bit for bit, and what they learned is what they apply."""

import copy
import inspect
import json
import math

import numpy as np
import pytest
import pytorch_optimizer
import torch
from torch import nn

from fop_core import FOP
from fop_core.figures.training_curves import named
from fop_core.runs import learned
from fop_core.runs.control import Control
from fop_core.training import (
    averaged,
    batches,
    build,
    config,
    datasets,
    diagnostics,
    loop,
    preview,
    rivals,
    state,
)
from fop_core.training.config import (
    AUTHORS,
    BASES,
    PLUGIN,
    TAKES,
    WITHOUT_FOP,
    ConfigError,
    OptimizerConfig,
    change,
    preset,
)
from fop_core.training.memory import estimate
from fop_core.training.models import all_cnn, mnist_mlp, resnet18
from fop_core.training.muon import MuonAdamW
from tests.training import tiny
from tests.training.test_build import CPU, one_step
from tests.training.test_loop import assert_identical, recorded, train
from tests.training.test_state import same


def by(name, **options):
    """The setting that has a run use an optimizer, its authors' defaults aside from the options."""
    return f"optimizer={json.dumps({'name': name, **options})}"


def built_by(name, *settings, method="sgd"):
    settings = change(preset("cifar10-allcnn-small", method), [by(name), "model.width=0.05", *settings])
    return build.build(settings, 10, CPU)


def stepping(built, seed):
    """A step whose draws, of an optimizer that draws, are those of a seed."""
    torch.manual_seed(seed)
    return one_step(built, (3, 32, 32), 10)


def problem(dtype=torch.float64):
    """A matrix, a kernel and a bias, and what gives each step's gradients."""
    generator = torch.Generator().manual_seed(4)
    shapes = {"matrix": (3, 4), "kernel": (3, 2, 2, 3), "bias": (3,)}
    parameters = {
        name: torch.randn(shape, generator=generator, dtype=dtype).requires_grad_() for name, shape in shapes.items()
    }

    def backward():
        for parameter in parameters.values():
            parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=dtype)

    return parameters, backward


def made(name, parameters, **options):
    return rivals.make(OptimizerConfig(name=name, **options), list(parameters.items()))


# settings -------------------------------------------------------------------------------------------------------------


def test_every_optimizer_has_a_name_for_people_fields_and_a_line():
    *names, own = OptimizerConfig.model_fields["name"].annotation.__args__
    assert own == PLUGIN
    assert names == list(BASES) == list(TAKES) and set(AUTHORS) < set(names)
    assert [named(name) for name in names] == list(BASES.values())


def test_their_defaults_are_those_of_their_packages():
    kinds = {
        "nadam": torch.optim.NAdam,
        "soap": pytorch_optimizer.SOAP,
        "shampoo": pytorch_optimizer.Shampoo,
        "psgd_kron": pytorch_optimizer.Kron,
        "prodigy": pytorch_optimizer.Prodigy,
        "schedule_free_adamw": pytorch_optimizer.ScheduleFreeAdamW,
    }
    for name, kind in kinds.items():
        default = {key: each.default for key, each in inspect.signature(kind).parameters.items()}
        chosen = OptimizerConfig(name=name)
        assert (chosen.lr, chosen.weight_decay) == (default["lr"], default["weight_decay"]), name
        if "betas" in default:
            assert (chosen.beta1, chosen.beta2) == default["betas"], name
        if "eps" in TAKES[name]:
            assert chosen.eps == default.get("matrix_eps", default.get("eps")), name
        if "momentum" in TAKES[name]:
            assert chosen.momentum == default["momentum"], name
        every = [value for key, value in default.items() if key.endswith(("_frequency", "_compute_steps"))]
        assert every == ([chosen.precondition_every] if "precondition_every" in TAKES[name] else []), name


def test_muons_defaults_are_those_of_its_authors():
    optimizer = build.build(change(preset("mnist-mlp", "sgd"), [by("muon")]), 10, CPU).optimizer
    muon, adamw = optimizer.param_groups
    assert (muon["lr"], muon["momentum"], muon["nesterov"], muon["ns_steps"]) == (0.02, 0.95, True, 5)
    assert adamw["lr"] == pytest.approx(3e-4) and (adamw["betas"], adamw["eps"]) == ((0.9, 0.95), 1e-10)
    assert muon["weight_decay"] == adamw["weight_decay"] == 0.01


@pytest.mark.parametrize("name", BASES)
def test_what_settings_say_holds_before_what_authors_take(name):
    lone = {} if name not in AUTHORS else AUTHORS[name]
    chosen = change(preset("mnist-mlp", "sgd"), [by(name, lr=0.125)]).optimizer
    assert chosen.lr == 0.125
    assert {key: getattr(chosen, key) for key in lone if key != "lr"} == {k: v for k, v in lone.items() if k != "lr"}
    assert OptimizerConfig.model_validate(chosen.model_dump(mode="json")) == chosen


def test_a_base_chosen_by_name_has_its_authors_rate_and_an_l2_penalty_is_the_presets():
    for name, lr, decay in (("soap", 3e-3, 0.01), ("muon", 0.02, 0.01), ("shampoo", 1e-3, 5e-4), ("nadam", 2e-3, 5e-4)):
        chosen = config.base("cifar10-allcnn", "sgd", name)
        assert (chosen.name, chosen.lr, chosen.weight_decay) == (name, lr, decay)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (by("soap", momentum=0.5), "optimizer.momentum: soap has none"),
        (by("muon", beta1=0.5), "optimizer.beta1: muon has none"),
        (by("adam", precondition_every=3), "optimizer.precondition_every: adam has none"),
        (by("muon", momentum=0), "optimizer.nesterov: needs momentum"),
        (by("schedule_free_adamw", beta1=0), "optimizer.beta1: schedule_free_adamw needs one above 0"),
        (by("shampoo", precondition_every=0), "optimizer.precondition_every"),
        ('optimizer={"name": ["soap"]}', "optimizer.name"),
    ],
)
def test_what_an_optimizer_has_none_of_is_refused_with_its_field(setting, says):
    with pytest.raises(ConfigError) as caught:
        change(preset("mnist-mlp", "sgd"), [setting])
    assert says in str(caught.value)


@pytest.mark.parametrize("name", BASES)
def test_fop_goes_around_all_but_two_and_says_of_these_why(name):
    if name not in WITHOUT_FOP:
        assert change(preset("mnist-mlp"), [by(name)]).fop is not None
        return
    with pytest.raises(ConfigError, match=f"optimizer.name: {name} goes without FOP: its "):
        change(preset("mnist-mlp"), [by(name)])


# a run ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.cifar10(tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize(("name", "method"), [*((name, "sgd") for name in AUTHORS), ("muon", "fop"), ("soap", "fop")])
def test_a_run_resumed_in_its_middle_is_the_uninterrupted_one_bit_for_bit(name, method, data, tmp_path):
    settings = (by(name, weight_decay=0.01), "max_steps=6", "checkpoint_steps=3", "log_every=1")
    whole, broken = (tiny.run(data, tmp_path / part, *settings, method=method) for part in ("whole", "broken"))
    assert train(whole)[0] == "finished"
    with Control(broken) as control, build.threads(1) as threads:
        trainer = loop.Trainer(broken, control, print, lambda progress: None, [], threads)
        try:
            trainer.train(until=3)
        finally:
            trainer.writer.close()
    torch.manual_seed(99)  # what else the process drew
    assert train(broken)[0] == "finished"
    assert [attempt["from_step"] for attempt in broken.attempts] == [0, 3]
    assert_identical(recorded(whole), recorded(broken))


@pytest.mark.parametrize("memory", ["channels_last", "contiguous_format"])
@pytest.mark.parametrize("name", AUTHORS)
def test_a_checkpoint_holds_their_state_bit_for_bit(name, memory):
    built, fresh = built_by(name), built_by(name, "seed=1")
    for each in (built, fresh):
        each.model.to(memory_format=getattr(torch, memory))
    for step in range(3):
        stepping(built, step)
    tree = {"model": dict(built.model.state_dict()), "optimizer": built.optimizer.state_dict()}
    arrays, skeleton = state.pack(tree)
    again = state.unpack(arrays, json.loads(json.dumps(skeleton)))
    assert same(tree, again)
    fresh.model.load_state_dict(again["model"])
    fresh.optimizer.load_state_dict(again["optimizer"])
    for step in range(3, 6):
        assert stepping(built, step) == stepping(fresh, step)
    assert same(dict(built.model.state_dict()), dict(fresh.model.state_dict()))


@pytest.mark.parametrize("name", [name for name in AUTHORS if name not in WITHOUT_FOP])
def test_so_does_one_of_fop_around_them(name):
    built, fresh = (built_by(name, f"seed={seed}", method="fop") for seed in (0, 1))
    for step in range(3):
        stepping(built, step)
    arrays, skeleton = state.pack(built.optimizer.state_dict())
    fresh.model.load_state_dict(built.model.state_dict())
    fresh.optimizer.load_state_dict(state.unpack(arrays, json.loads(json.dumps(skeleton))))
    for step in range(3, 6):
        assert stepping(built, step) == stepping(fresh, step)
    assert all(not torch.equal(M, torch.eye(len(M))) for M in built.fop.factors().values()), "M is learned"


@pytest.mark.parametrize("name", [name for name in AUTHORS if name not in WITHOUT_FOP])
def test_the_identity_frozen_after_their_step_is_the_optimizer_alone_bit_for_bit(name):
    alone, wrapped = (built_by(name, "optimizer.weight_decay=0.1") for _ in range(2))
    wrapped.optimizer = FOP(wrapped.optimizer, hyper_lr=0, apply="after")
    for step in range(4):
        assert stepping(alone, step) == stepping(wrapped, step)
    assert same(dict(alone.model.state_dict()), dict(wrapped.model.state_dict()))


@pytest.mark.parametrize("name", ["muon", "soap", "psgd_kron"])
def test_where_p_is_zero_after_their_step_the_decoupled_decay_alone_is_left(name):
    parameters, backward = problem()
    if name == "muon":
        first, last = (torch.zeros(1, 1, requires_grad=True) for _ in range(2))
        everything = [("first", first), *parameters.items(), ("last", last)]
        base = MuonAdamW(everything, lr=0.03, weight_decay=0.2)
    else:
        base = made(name, parameters, lr=0.03, weight_decay=0.2)
    optimizer = FOP(base, "diagonal", hyper_lr=0, apply="after")
    optimizer.load_factors({key: torch.zeros(shape.shape) for key, shape in parameters.items()})
    for _ in range(3):
        before = {key: parameter.detach().clone() for key, parameter in parameters.items()}
        backward()
        optimizer.step()
        for key, parameter in parameters.items():
            of_the_bias = {"psgd_kron": 0.0, "muon": 0.015}.get(name, 1.0)
            share = 0.03 * 0.2 * (of_the_bias if key == "bias" else 1.0)
            torch.testing.assert_close(parameter.detach(), (1 - share) * before[key], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", AUTHORS)
def test_a_step_leaves_the_gradients_as_they_are(name):
    built = built_by(name, "optimizer.weight_decay=0.1")
    for step in range(2):
        stepping(built, step)
    before = [parameter.grad.clone() for parameter in built.model.parameters()]
    built.optimizer.step()
    assert all(torch.equal(old, new.grad) for old, new in zip(before, built.model.parameters(), strict=True))


@pytest.mark.parametrize("name", AUTHORS)
def test_memory_is_what_their_tensors_then_take(name):
    settings = change(preset("cifar10-allcnn-small", "sgd"), [by(name), "model.width=0.05"])
    built = build.build(settings, 10, CPU)
    expected = estimate(built, settings)
    one_step(built, (3, 32, 32), 10)

    def size(kept):
        if isinstance(kept, torch.Tensor):
            return kept.nbytes if kept.ndim else 0
        inner = kept.values() if isinstance(kept, dict) else kept if isinstance(kept, (list, tuple)) else ()
        return sum(map(size, inner))

    assert expected[f"{name}'s state"] == size(dict(built.optimizer.state))
    shown = preview.describe(preview.question(settings))
    assert shown["memory"][f"{name}'s state"] == expected[f"{name}'s state"]


def test_a_schedule_turns_both_rates_of_muon(data, tmp_path):
    run = tiny.run(data, tmp_path, by("muon"), method="sgd")
    with Control(run) as control, build.threads(1) as threads:
        trainer = loop.Trainer(run, control, print, lambda progress: None, [], threads)
        trainer.train(until=6)
        trainer.writer.close()
    rates = [group["lr"] for group in trainer.built.optimizer.param_groups]
    assert rates == pytest.approx([0.002, 3e-5]), "a tenth after the first of two epochs"


def test_prodigys_estimate_is_logged_as_it_is_after_each_step(data, tmp_path):
    run = tiny.run(data, tmp_path, by("prodigy", lr=0.5), "epochs=1", method="sgd")
    assert train(run)[0] == "finished"
    settings = config.parse(run.config)
    feed = batches.feed(datasets.load(settings.data), settings, CPU, lambda name: None)
    estimates = []
    with build.threads(1):
        model = build.build(settings, 10, CPU).model
        optimizer = pytorch_optimizer.Prodigy(model.parameters(), lr=0.5)
        for images, labels in feed.epoch(0):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
            estimates.append(optimizer.param_groups[0]["d"])
    assert run.metrics["d"].steps.tolist() == [1, 2, 3, 4, 5] and estimates[0] == 1e-6 < estimates[-1]
    assert run.metrics["d"].values.tolist() == estimates
    assert run.metrics["lr"].values.tolist() == [0.5] * 5, "what d multiplies stays as it was set"


# muon -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["channels_last", "contiguous_format"])
def test_muon_is_torchs_on_flattened_kernels_and_adamw_on_the_rest_bit_for_bit(memory):
    torch.manual_seed(0)
    model = all_cnn(width=0.05).to(memory_format=getattr(torch, memory))
    optimizer = MuonAdamW(model.named_parameters(), lr=0.03, momentum=0.8, weight_decay=0.1)
    order = (0, 2, 3, 1) if memory == "channels_last" else (0, 1, 2, 3)
    twins = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    kernels = [name for name, twin in twins.items() if twin.ndim == 4]
    hidden = kernels[1:-1]
    flat = {name: twins[name].permute(order).flatten(1).clone() for name in hidden}
    muon = torch.optim.Muon(flat.values(), lr=0.03, momentum=0.8, weight_decay=0.1)
    others = [twin for name, twin in twins.items() if name not in hidden]
    adamw = torch.optim.AdamW(others, lr=0.03 * 0.015, betas=(0.9, 0.95), eps=1e-10, weight_decay=0.1)
    for step in range(3):
        generator = torch.Generator().manual_seed(step)
        for name, parameter in model.named_parameters():
            gradient = torch.randn(parameter.shape, generator=generator)
            parameter.grad = gradient  # contiguous, whatever the parameter is
            if name in flat:
                flat[name].grad = gradient.permute(order).flatten(1)
            else:
                twins[name].grad = gradient.clone()
        for each in (optimizer, muon, adamw):
            each.step()
    for name, parameter in model.named_parameters():
        if name in flat:
            torch.testing.assert_close(parameter.detach().permute(order).flatten(1), flat[name], rtol=0, atol=0)
        else:
            torch.testing.assert_close(parameter.detach(), twins[name], rtol=0, atol=1e-7)


def test_muon_leaves_the_first_and_the_last_layer_biases_and_norms_to_adamw():
    mlp = MuonAdamW(mnist_mlp().named_parameters())
    assert mlp.param_groups[0]["param_names"] == ["3.weight", "5.weight"]
    with torch.device("meta"):
        resnet = MuonAdamW(resnet18().named_parameters())
    hidden, others = (group["param_names"] for group in resnet.param_groups)
    assert len(hidden) == 19 and {"conv1.weight", "fc.weight", "fc.bias", "bn1.weight"} <= set(others)
    with pytest.raises(ValueError, match="hidden matrices, and this network has none"):
        MuonAdamW(nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1)).named_parameters())


def test_a_copy_of_muon_goes_on_as_muon():
    built = built_by("muon")
    for step in range(2):
        stepping(built, step)
    twin = copy.deepcopy(built)
    for step in range(2, 4):
        assert stepping(built, step) == stepping(twin, step)
    assert same(dict(built.model.state_dict()), dict(twin.model.state_dict()))


def test_muon_evaluates_a_closure_once_and_returns_its_loss():
    model = mnist_mlp()
    calls = []

    def closure():
        calls.append(loss := model(torch.ones(2, 1, 28, 28)).square().sum())
        loss.backward()
        return loss

    before = [parameter.detach().clone() for parameter in model.parameters()]
    assert MuonAdamW(model.named_parameters()).step(closure) is calls[0] and len(calls) == 1
    assert all(not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


# what they learned ----------------------------------------------------------------------------------------------------


def applied(factors, gradient):
    """A gradient multiplied along each of its dimensions by the factor of that dimension."""
    for dimension, name in enumerate(rivals.DIMENSIONS[: gradient.ndim]):
        if name in factors:
            gradient = torch.tensordot(factors[name], gradient.movedim(dimension, 0), 1).movedim(0, dimension)
    return gradient


def test_shampoos_factors_are_the_inverse_roots_that_it_applies():
    parameters, backward = problem()
    optimizer = made("shampoo", parameters, lr=0.1, eps=1e-3)
    sums = {}
    for _ in range(3):
        backward()
        before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        optimizer.step()
        for name, factors in optimizer.preconditioners().items():
            G = parameters[name].grad
            torch.testing.assert_close(parameters[name].detach(), before[name] - 0.1 * applied(factors, G))
            assert list(factors) == list(rivals.DIMENSIONS[: G.ndim])
            for dimension, factor in enumerate(factors.values()):
                unfolded = G.movedim(dimension, 0).flatten(1)
                start = 1e-3 * torch.eye(len(unfolded), dtype=torch.float64)
                sums[name, dimension] = sums.get((name, dimension), start) + unfolded @ unfolded.T
                values, vectors = torch.linalg.eigh(sums[name, dimension])
                root = (vectors * values ** (-1 / (2 * G.ndim))) @ vectors.T
                torch.testing.assert_close(factor, root, rtol=1e-9, atol=1e-9)
    assert optimizer.preconditioners().keys() == {"matrix", "kernel"}, "a bias has no matrix to look at"


def test_psgds_factors_are_what_it_applies():
    torch.manual_seed(0)
    parameters, backward = problem()
    optimizer = made("psgd_kron", parameters, lr=0.1, momentum=0.0)
    for _ in range(3):
        backward()
        before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        optimizer.step()
        for name, factors in optimizer.preconditioners().items():
            step = applied(factors, parameters[name].grad)
            step = step * min(1.0, 1.1 / (float(step.square().mean().sqrt()) + 1e-6))  # as far as it trusts a step
            torch.testing.assert_close(parameters[name].detach(), before[name] - 0.1 * step)
            for factor in factors.values():
                torch.testing.assert_close(factor, factor.T)
                assert torch.linalg.eigvalsh(factor)[0] > 0


def test_soaps_bases_and_scales_are_what_it_applies():
    parameters, backward = problem()
    optimizer = made("soap", parameters, lr=0.1, weight_decay=0.0)
    assert optimizer.bases() == {} and optimizer.scales() == {}, "before the first gradient there are none"
    backward()
    optimizer.step()  # which makes the bases, and moves nothing
    for step in (1, 2):
        backward()
        before = {name: parameter.detach().clone() for name, parameter in parameters.items()}
        optimizer.step()
        rate = 0.1 * math.sqrt(1 - 0.95**step) / (1 - 0.95**step)
        for name, bases in optimizer.bases().items():
            mean = optimizer.state[parameters[name]]["exp_avg"]
            transposed = {dimension: Q.T for dimension, Q in bases.items()}
            scaled = applied(transposed, mean) * optimizer.scales()[name]
            torch.testing.assert_close(parameters[name].detach(), before[name] - rate * applied(bases, scaled))
            for Q in bases.values():
                torch.testing.assert_close(Q.T @ Q, torch.eye(len(Q), dtype=Q.dtype))


def test_whether_psgd_balances_follows_from_torchs_generator_not_from_numpys(monkeypatch):
    monkeypatch.setattr(rivals, "BALANCE", 0.5)
    weights = []
    for seed in (0, 1):
        np.random.seed(seed)
        built = built_by("psgd_kron")
        for step in range(5):
            stepping(built, step)
        weights.append(dict(built.model.state_dict()))
    assert same(*weights)


@pytest.mark.parametrize("name", ["shampoo", "soap"])
def test_a_gradient_that_is_not_finite_is_reported_in_words(name):
    parameters, backward = problem(torch.float32)
    optimizer = made(name, parameters)
    backward()
    parameters["matrix"].grad.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="what it preconditions with is not finite"):
        optimizer.step()


@pytest.mark.parametrize("name", ["soap", "shampoo", "psgd_kron"])
def test_a_run_keeps_what_they_learned_and_it_is_read_under_its_own_name(name, data, tmp_path):
    run = tiny.run(data, tmp_path, by(name), "max_steps=6", method="sgd")
    with Control(run) as control, build.threads(1) as threads:
        trainer = loop.Trainer(run, control, print, lambda progress: None, [], threads)
        try:
            trainer.train()
        finally:
            trainer.writer.close()
    run.metrics.update()
    layers = learned.of_run(run).layers
    optimizer = trainer.built.optimizer
    called = {"soap": "SOAP", "shampoo": "Shampoo", "psgd_kron": "PSGD-Kron"}[name]
    if name == "soap":
        assert not [column for column in run.metrics.columns if column.endswith("basis")]
        for parameter, bases in optimizer.bases().items():
            for dimension, Q in bases.items():
                layer = layers[f"{parameter} {dimension} basis"]
                np.testing.assert_array_equal(layer.P(-1), Q.double().numpy())
                assert layer.about.startswith(f"SOAP, {dimension} basis") and not len(layer.spectra)
            scales = layers[f"{parameter} scales"]
            assert scales.about.startswith("SOAP, ") and not scales.is_matrix
            assert scales.histograms["M_diagonal"].counts[-1].sum() == optimizer.scales()[parameter].numel()
            column = run.metrics[f"eigenvalue_max/{parameter} scales"]
            assert column.values[-1] == pytest.approx(optimizer.scales()[parameter].max().item(), rel=1e-5)
        return
    factors = {
        f"{parameter} {dimension}": P
        for parameter, each in optimizer.preconditioners().items()
        for dimension, P in each.items()
    }
    assert layers.keys() == factors.keys() and "0.weight input" in layers and "0.weight height" in layers
    for layer_name, P in factors.items():
        layer = layers[layer_name]
        assert layer.about == f"{called}, {layer_name.split()[1]} factor" and not layer.has_M
        np.testing.assert_array_equal(layer.P(-1), P.double().numpy())
        assert layer.steps.tolist() == layer.spectrum_steps.tolist() and layer.steps[-1] == 6
        np.testing.assert_allclose(layer.spectra[-1], np.linalg.eigvalsh(P.double().numpy()), rtol=1e-4)
        condition = run.metrics[f"condition/{layer_name}"].values[-1]
        assert condition == pytest.approx(layer.spectra[-1, -1] / layer.spectra[-1, 0], rel=1e-3)


def symmetric(n, seed=0):
    drawn = torch.randn(n, n, generator=torch.Generator().manual_seed(seed))
    return drawn @ drawn.T / n + torch.eye(n)


@pytest.mark.parametrize("deep", [False, True])
def test_a_large_factor_is_an_overview_but_in_the_last_snapshot(deep):
    P = symmetric(300)
    arrays, columns = diagnostics.inspect_factors({"a": {"input": P}}, {}, {}, deep)
    parts = {"P_thumbnail"} | ({"spectrum"} if deep else set())
    kept = {name.removeprefix("a input/") for name in arrays}
    assert {name for name in kept if not name.startswith("histogram/")} == parts
    assert any(name.startswith("histogram/P_off_diagonal/") for name in kept) == deep
    assert ("condition/a input" in columns) == deep
    distance = torch.linalg.matrix_norm(P.double() - torch.eye(300)).item()
    assert columns["identity_distance/a input"] == pytest.approx(distance)
    last, _ = diagnostics.inspect_factors({"a": {"input": P}}, {}, {}, True, whole=True)
    np.testing.assert_array_equal(last["a input/P"], P.numpy())


def test_one_p_for_a_parameter_is_a_layer_of_its_name_and_what_is_not_finite_has_nan():
    bad = symmetric(3)
    bad[0, 1] = math.nan
    arrays, columns = diagnostics.inspect_factors({"a": symmetric(3), "b": {"input": bad}}, {}, {}, False)
    assert arrays.keys() == {"a/P", "a/spectrum", "b input/P"}
    assert columns["eigenvalue_max/a"] == pytest.approx(arrays["a/spectrum"][-1])
    of_b = {name for name in columns if name.endswith("b input")}
    assert of_b == {name.replace("/a", "/b input") for name in columns if name.endswith("/a")}
    assert all(math.isnan(columns[name]) for name in of_b)


# weights for evaluation -----------------------------------------------------------------------------------------------


def trained_free(steps=5):
    built = built_by("schedule_free_adamw")
    for step in range(steps):
        stepping(built, step)
    return built


def test_schedule_free_is_evaluated_at_its_average_and_trains_on_bit_for_bit():
    built, twin = trained_free(), trained_free()
    before = copy.deepcopy(dict(built.model.state_dict()))
    optimizer, images = built.optimizer, torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    x = {}
    for name, parameter in built.model.named_parameters():  # y = (1 - beta) z + beta x
        z = optimizer.state[parameter]["z"]
        x[name] = (parameter.detach() - (1 - 0.9) * z) / 0.9

    with averaged.averaged(built.model, optimizer, lambda: (built.model(images) for _ in range(3))):
        assert not built.model.training
        for name, parameter in built.model.named_parameters():
            torch.testing.assert_close(parameter.detach(), x[name], rtol=1e-4, atol=1e-5)
        first = built.model[0](images)
        norm = built.model[1]
        torch.testing.assert_close(norm.running_mean, first.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(norm.running_var, first.var((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert built.model.training and norm.momentum == 0.1
    assert same(before, dict(built.model.state_dict()))
    for step in range(5, 7):
        assert stepping(built, step) == stepping(twin, step)


def test_a_run_measures_schedule_free_at_its_average(data, tmp_path):
    run = tiny.run(data, tmp_path, by("schedule_free_adamw"), "model.batch_norm=false", method="sgd")
    with Control(run) as control, build.threads(1) as threads:
        trainer = loop.Trainer(run, control, print, lambda progress: None, [], threads)
        trainer.train()
        trainer.writer.close()
        trainer.built.optimizer.eval()
        trainer.built.model.eval()
        images, labels = next(iter(trainer.feed.test()))
        loss = nn.functional.cross_entropy(trainer.built.model(images), labels).item()
    run.metrics.update()
    assert run.metrics["test_loss"].values[-1] == pytest.approx(loss, rel=1e-6)


def test_another_optimizers_weights_are_evaluated_as_they_are():
    built = built_by("muon")
    stepping(built, 0)
    before = copy.deepcopy(dict(built.model.state_dict()))
    with averaged.averaged(built.model, built.optimizer, lambda: iter([1 / 0])):  # no pass is asked for
        assert not built.model.training and same(before, dict(built.model.state_dict()))
    assert built.model.training
