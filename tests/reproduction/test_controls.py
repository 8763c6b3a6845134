"""The controls as what they claim to be, on runs of the gallery."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from fop_core import FOP, runs
from fop_core.cli import main
from fop_core.reproduction.controls import frozen, step_length
from fop_core.runs import GALLERY, learned
from fop_core.training.models import mnist_mlp

RUN = GALLERY / "mnist-fop-rank16-seed0"
LR = {"lr": 0.01, "momentum": 0.5}


def network():
    torch.manual_seed(3)
    return mnist_mlp(100)


def backward(model, step):
    draw = torch.Generator().manual_seed(step)
    images = torch.rand(16, 1, 28, 28, generator=draw)
    labels = torch.randint(0, 10, (16,), generator=draw)
    for parameter in model.parameters():
        parameter.grad = None
    functional.cross_entropy(model(images), labels).backward()


def trained(make, steps=4):
    model = network()
    optimizer = make(list(model.named_parameters()))
    for step in range(steps):
        backward(model, step)
        optimizer.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


def last_M():
    return {name: torch.tensor(layer.M[-1]) for name, layer in learned.of_run(runs.load(str(RUN))).layers.items()}


def test_frozen_is_fop_that_has_this_M_and_does_not_learn():
    def fop(named):
        made = FOP(torch.optim.SGD(named, **LR), "low_rank", rank=16, hyper_lr=0.0)
        made.load_factors(last_M())
        return made

    kept = trained(lambda named: frozen.make_optimizer(named, frozen.Settings(run=str(RUN), **LR), 4))
    assert all(map(torch.equal, kept, trained(fop)))
    plain = trained(lambda named: torch.optim.SGD(named, **LR))
    assert not torch.equal(kept[0], plain[0])


@pytest.mark.parametrize("rule", ["start", "trace"])
def test_the_rate_of_a_layer_is_multiplied_by_the_mean_eigenvalue(rule):
    def groups(named):
        layers = learned.of_run(runs.load(str(RUN))).layers
        rates = {name: LR["lr"] * float(layer.spectra[0].mean()) for name, layer in layers.items()}
        return torch.optim.SGD(
            [{"params": [p], "lr": rates.get(name, LR["lr"])} for name, p in named], momentum=LR["momentum"]
        )

    settings = step_length.Settings(run=str(RUN), rule=rule, **LR)
    scaled = trained(lambda named: step_length.make_optimizer(named, settings, 4))
    for ours, theirs in zip(scaled, trained(groups)):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7 if rule == "start" else 1e-6)


def test_the_rate_follows_the_trace_between_snapshots():
    run = GALLERY / "cifar10-fop-velocity"
    layer = learned.of_run(runs.load(str(run))).layers["18.weight"]
    named = [(name, torch.zeros(2, 3, 3, 3)) for name in learned.of_run(runs.load(str(run))).layers]
    control = step_length.make_optimizer(named, step_length.Settings(run=str(run), rule="trace"), 4)
    first, second = layer.spectrum_steps[50:52]
    control.param_groups[0]["steps"] = (first + second) / 2
    traces = [np.trace(layer.P(layer.nearest(step))) / layer.n for step in (first, second)]
    assert control.factors()["18.weight"] == pytest.approx(np.mean(traces), rel=1e-5)
    control.load_state_dict(control.state_dict())
    assert control.param_groups[0]["steps"] == (first + second) / 2


def test_the_length_is_that_of_P_g_and_the_direction_that_of_g():
    model = network()
    settings = step_length.Settings(run=str(RUN), rule="length", lr=1.0, momentum=0.0)
    control = step_length.make_optimizer(list(model.named_parameters()), settings, 4)
    backward(model, 0)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    control.step()
    for name, P in ((name, torch.eye(len(M)) + M @ M.T) for name, M in last_M().items()):
        parameter = model.get_parameter(name)
        step, g = before[name] - parameter.detach(), parameter.grad
        torch.testing.assert_close(step.norm(), (g @ P).norm(), rtol=1e-4, atol=0)
        assert functional.cosine_similarity(step.flatten(), g.flatten(), 0) > 1 - 1e-5


def test_without_a_run_P_is_as_FOP_draws_it_with_the_seed_of_the_run():
    torch.manual_seed(0)  # as a trainer does, before it makes the network
    control = step_length.make_optimizer(list(mnist_mlp(100).named_parameters()), drawn(rank=16, init_std=0.01), 4)
    layers = learned.of_run(runs.load(str(RUN))).layers
    for name, layer in layers.items():
        assert control.factors()[name] == pytest.approx(layer.spectra[0].mean(), rel=1e-5)
    M = control.twin.factors()["5.weight"]
    assert np.array_equal(M, layers["5.weight"].M[0]) and layers["5.weight"].steps[0] == 0
    with pytest.raises(ValueError, match="rule=trace follows a run"):
        step_length.make_optimizer(list(mnist_mlp(100).named_parameters()), drawn(rule="trace"), 4)


def drawn(**settings):
    return step_length.Settings(**LR, **settings)


@pytest.mark.parametrize("control", [frozen, step_length])
def test_a_run_without_a_P_is_refused_by_its_name(control):
    named = list(network().named_parameters())
    with pytest.raises(ValueError, match="mnist-sgd-seed0 was trained without FOP"):
        control.make_optimizer(named, control.Settings(run=str(GALLERY / "mnist-sgd-seed0")), 4)
    with pytest.raises(ValueError, match=r"no factor for \['0.weight'"):
        control.make_optimizer(named, control.Settings(run=str(GALLERY / "cifar10-fop-velocity")), 4)


@pytest.mark.parametrize("name", ["frozen", "step_length"])
def test_it_trains_as_a_plug_in(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path))
    words = ["--optimizer", f"fop_core/reproduction/controls/{name}.py", "--optimizer-set", f"run={RUN}"]
    limits = ["--set", "data.limit=256", "--set", "epochs=1", "--quiet"]
    assert main(["train", *words, *limits]) == 0, capsys.readouterr().err
    (run,) = [each for each in tmp_path.iterdir() if each.name[0].isdigit()]
    assert runs.load(str(run)).state.state == "finished"
