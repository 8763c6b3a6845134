"""From settings to what is trained: the same for the same seed, today and when a run is replayed."""

import functools
import hashlib
import inspect
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from fop_core import FOP
from fop_core.training import batches, build, datasets, preview
from fop_core.training.config import METHODS, PRESETS, FOPConfig, change, parse, preset
from fop_core.training.memory import estimate

CPU = torch.device("cpu")


def one_step(built, shape, classes):
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0))
    loss = functional.cross_entropy(built.model(images), torch.arange(2) % classes)
    built.optimizer.zero_grad()
    loss.backward()
    built.optimizer.step()
    return loss.item()


SHAPES = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32), "folder": (3, 64, 64)}


# What a method makes of ResNet-18 it makes of imagefolder's too: two of them tell whether that has one.
BUILT = [(name, method) for name in PRESETS for method in METHODS if name != "imagefolder" or method in ("sgd", "fop")]


@pytest.mark.parametrize(("name", "method"), BUILT)
def test_every_preset_builds_and_takes_a_step_the_same_for_the_same_seed(name, method):
    settings = preset(name, method)
    first, second = (build.build(settings, 10, CPU) for _ in range(2))
    before = [p.detach().clone() for p in first.model.parameters()]
    losses = [one_step(built, SHAPES[settings.data.name], 10) for built in (first, second)]
    assert losses[0] == losses[1] and np.isfinite(losses[0])
    assert all(torch.equal(p, q) for p, q in zip(first.model.parameters(), second.model.parameters()))
    assert any(not torch.equal(p, q) for p, q in zip(first.model.parameters(), before))
    assert (first.fop is not None) == (settings.fop is not None)


def test_fop_gets_the_settings(tmp_path):
    settings = change(preset("cifar10-allcnn-small"), ["fop.trace=0.3", "fop.rescale=2", "fop.hyper_lr=0.01"])
    fop = build.build(settings, 10, CPU).fop
    assert (fop.trace, fop.rescale, fop.hyper_lr, fop.preconditioner) == (0.3, 2.0, 0.01, "factored")
    assert next(iter(fop.factors())) == "0.weight"


def test_every_option_of_fop_is_a_setting_with_fops_own_default():
    options = inspect.signature(FOP).parameters
    settings = FOPConfig().model_dump()
    assert {name: options[name].default for name in settings} == settings
    # The guard is for problems without mini-batches; the seed is the run's.
    assert options.keys() - settings.keys() <= {"base", "seed", "guard"}


def test_fop_gets_what_it_learns_by_and_where_it_is_applied():
    changes = ["fop.preconditioner=exponential", "fop.derivative=root", "fop.feedback=osgm", "fop.hyper_lr_step=0.02"]
    fop = build.build(change(preset("mnist-mlp"), [*changes, "fop.hyper_lr_bounds=[0.1, 10]"]), 10, CPU).fop
    assert (fop.derivative, fop.feedback, fop.hyper_lr_step, fop.hyper_lr_bounds) == ("root", "osgm", 0.02, (0.1, 10.0))
    changes = ["fop.preconditioner=factored", "fop.apply=after", "fop.init_scale=0.5", "fop.hyper_optimizer=adagrad"]
    fop = build.build(change(preset("mnist-mlp"), changes), 10, CPU).fop
    assert (fop.apply, fop.init_scale) == ("after", 0.5)
    assert {name for layer in fop.layers() for name in layer.state} == {"square"}, "AdaGrad's"


@pytest.mark.parametrize(("form", "largest"), [("factored", 1024), ("exponential", 128)])
def test_the_largest_n_is_the_forms_own_unless_a_run_says_another(form, largest):
    for stored, limit in ((None, largest), (1024, largest), (500, 500)):
        content = preset("mnist-mlp").to_json()
        content["fop"] |= {"preconditioner": form, "max_dim": stored}
        assert build.build(parse(content), 10, CPU).fop.max_dim == limit
        layers = {each["name"] for each in preview.describe(parse(content))["parameters"] if each["layout"]}
        assert ("1.weight" in layers) == (limit >= 784), "the preview says the same"


@pytest.mark.parametrize(
    ("settings", "kind", "expected"),
    [
        (["optimizer.momentum=0.5", "optimizer.dampening=0.1"], torch.optim.SGD, {"momentum": 0.5, "dampening": 0.1}),
        (["optimizer.nesterov=true"], torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        (["optimizer.name=adam", "optimizer.beta1=0.8"], torch.optim.Adam, {"betas": (0.8, 0.999), "eps": 1e-8}),
        (["optimizer.name=adamw", "optimizer.eps=1e-3"], torch.optim.AdamW, {"betas": (0.9, 0.999), "eps": 1e-3}),
        (["optimizer.name=rmsprop", "optimizer.alpha=0.5"], torch.optim.RMSprop, {"momentum": 0.0, "alpha": 0.5}),
    ],
)
def test_the_base_gets_the_settings(settings, kind, expected):
    plain = change(preset("mnist-mlp", "momentum"), ["optimizer.lr=0.02", "optimizer.weight_decay=0.003"])
    if settings[0].startswith("optimizer.name"):
        settings = ["optimizer.momentum=0", *settings]
    optimizer = build.build(change(plain, settings), 10, CPU).optimizer
    assert type(optimizer) is kind
    expected = {"lr": 0.02, "weight_decay": 0.003, **expected}
    assert {name: optimizer.param_groups[0][name] for name in expected} == expected


def test_convolutions_keep_their_channels_last_in_memory():
    weight = build.build(preset("cifar10-allcnn-small"), 10, CPU).model[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_a_width_however_small_leaves_one_unit():
    built = build.build(change(preset("mnist-mlp"), ["model.width=1e-6"]), 10, CPU)
    assert built.model[1].out_features == 1


# the runs that are kept are replayed: what follows must not change ----------------------------------------------------


@pytest.mark.parametrize(
    ("name", "first", "absolute", "factors"),
    [
        ("mnist-mlp", (-0.00026738643646240234, 0.019158700481057167), 2457.044536756618, 100.35628195204913),
        ("cifar10-allcnn", (-0.0014408392598852515, 0.10323861986398697), 20518.102609659836, 9.0),
        ("cifar10-allcnn-small", (-0.0014408392598852515, 0.10323861986398697), 2772.674730073799, 9.0),
        ("imagefolder", (0.0021970532834529877, 0.035336077213287354), 224726.52591131133, 49.0),
    ],
)
def test_weights_and_m_begin_as_in_the_runs_that_were_kept(name, first, absolute, factors):
    built = build.build(preset(name), 10, CPU)
    parameters = list(built.model.parameters())
    assert parameters[0].flatten()[:2].tolist() == pytest.approx(first, rel=1e-5)
    assert sum(p.double().abs().sum().item() for p in parameters) == pytest.approx(absolute, rel=1e-8)
    assert next(iter(built.fop.factors().values())).double().abs().sum().item() == pytest.approx(factors, rel=1e-6)


@pytest.mark.parametrize(
    ("method", "losses"),
    [
        ("fop", (2.31518292427063, 2.299849510192871, 2.2663631439208984)),
        ("fop-norm", (2.31518292427063, 2.2998623847961426, 2.266472101211548)),
        ("pp-hd", (2.31518292427063, 2.2998642921447754, 2.266500473022461)),
        ("adam", (2.31518292427063, 2.182863235473633, 1.7457085847854614)),
        ("momentum", (2.31518292427063, 2.2998664379119873, 2.266535758972168)),
    ],
)
def test_the_losses_on_mnist_are_those_of_the_runs_that_were_kept(method, losses):
    settings = preset("mnist-mlp", method)
    built, fed = build.build(settings, 10, CPU), batches.feed(mnist(), settings, CPU, print)
    measured = []
    for images, labels in itertools.islice(fed.epoch(0), 20):
        loss = functional.cross_entropy(built.model(images), labels)
        built.optimizer.zero_grad()
        loss.backward()
        built.optimizer.step()
        measured.append(loss.item())
    # What another processor's sums may differ by. At step 20 the methods are further from one another.
    assert [measured[0], measured[9], measured[19]] == pytest.approx(losses, rel=1e-4 if method == "adam" else 1e-5)


@functools.cache
def mnist():
    return datasets.load(preset("mnist-mlp").data)


@pytest.mark.parametrize(
    ("count", "total", "digest"),
    [(60, 4690, "6fd4857e05bac43e"), (200, 58650, "3e06429a9a3927e1"), (120, 5865, "9cc93593a5cf2bf8")],
)
def test_the_steps_of_snapshots_are_those_of_the_runs_that_were_kept(count, total, digest):
    steps = np.array(build.snapshot_steps(count, total), np.int64)
    assert hashlib.sha256(steps.tobytes()).hexdigest()[:16] == digest


# devices, steps, threads ----------------------------------------------------------------------------------------------


NO_SUCH_GPU = ["cuda:7", "cuda:01", "cuda:128", "cuda:200", "cuda:99999999999", "cuda:\N{ARABIC-INDIC DIGIT ONE}"]


@pytest.mark.parametrize("name", ["cuda", "cuda:0", *NO_SUCH_GPU])
def test_a_missing_gpu_is_named_with_what_is_there(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(build.DeviceError, match=f"device: {name} is not there; there is no GPU that torch can use"):
        build.device(name)
    assert build.device("auto") == build.device("cpu") == CPU


def test_of_several_gpus_auto_takes_the_first_and_an_error_lists_them_all(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert build.device("auto") == build.device("cuda") == torch.device("cuda:0")
    assert build.device("cuda:1") == torch.device("cuda:1")
    for name in NO_SUCH_GPU:
        with pytest.raises(build.DeviceError, match=f"device: {name} is not there; there is cuda:0, cuda:1"):
            build.device(name)


def test_a_run_ends_with_its_epochs_or_with_max_steps_if_that_is_sooner():
    settings = preset("mnist-mlp")
    assert build.total_steps(settings, 469) == 4690
    assert build.total_steps(change(settings, ["max_steps=100"]), 469) == 100
    assert build.total_steps(change(settings, ["max_steps=100000"]), 469) == 4690


@given(st.integers(0, 400), st.integers(1, 100_000))
def test_snapshots_begin_at_0_end_at_the_last_step_and_are_about_as_many_as_asked(count, total):
    steps = build.snapshot_steps(count, total)
    assert steps == sorted(set(steps)) and steps[-1] == total
    assert steps[0] == 0 if count else steps == [total]
    regular = count - count // 3
    assert min(total, regular) + 1 <= len(steps) <= min(total + 1, count + 3) or count == 0


def test_a_third_of_the_snapshots_is_in_the_first_tenth_of_a_run_ever_further_apart():
    early = [step for step in build.snapshot_steps(60, 10_000) if step <= 1000]
    assert early[:2] == [0, 1] and 18 <= len(early) <= 24
    regular = [step for step in build.snapshot_steps(60, 10_000) if step > 1000]
    assert set(np.diff(regular)) == {250}


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=300, unique=True), st.integers(2, 40))
def test_deep_steps_are_some_of_the_snapshots_evenly_with_the_first_and_the_last(steps, count):
    steps = sorted(steps)
    deep = build.deep_steps(steps, count)
    assert {steps[0], steps[-1]} <= deep <= set(steps)
    assert len(deep) == min(count, len(steps))
    gaps = np.diff(sorted(steps.index(step) for step in deep))
    assert gaps.size == 0 or gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize("count", [0, 2])
def test_threads_are_set_for_a_while_also_where_that_ends_in_an_error(count):
    before = torch.get_num_threads()
    with pytest.raises(KeyError), build.threads(count) as there:
        assert torch.get_num_threads() == there == (count or before)
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("method", ["momentum", "adam", "fop", "pp-hd", "mean-removing"])
def test_memory_is_what_the_tensors_then_take(method):
    settings = preset("mnist-mlp", method)
    built = build.build(settings, 10, CPU)
    expected = estimate(built, settings)
    one_step(built, (1, 28, 28), 10)
    base = built.optimizer.base if isinstance(built.optimizer, FOP) else built.optimizer
    kept = sum(t.nbytes for s in base.state.values() for t in s.values() if isinstance(t, torch.Tensor) and t.ndim)
    assert expected[f"{settings.optimizer.name}'s state"] == kept
    if built.fop is not None:
        assert expected["FOP's M, u, and what learns M"] == built.fop.memory_usage()
