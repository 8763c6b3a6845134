"""A preview says what building the run would say, and needs no torch where it is asked for."""

import subprocess
import sys

import pytest

from fop_core.training import batches, build, datasets, preview
from fop_core.training.config import METHODS, PRESETS, TrainConfig, change
from fop_core.training.config import preset as preset_of
from fop_core.training.memory import estimate
from fop_core.warm import Warm

HERE = build.torch.device("cpu")


def described(made: TrainConfig) -> preview.Preview:
    """What the process of its own would answer, asked for in this one."""
    content = preview.describe(preview.question(made))
    content["parameters"] = tuple(preview.Parameter(**row) for row in content["parameters"])
    return preview.Preview(**content)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["mnist-mlp", "cifar10-allcnn-small"])
def test_shapes_and_memory_are_those_of_the_built_run(name, method):
    made = preset_of(name, method)
    description, built = described(made), build.build(made, 10, HERE)
    assert description.memory == estimate(built, made)
    assert {each.name: each.shape for each in description.parameters} == {
        each: tuple(parameter.shape) for each, parameter in built.model.named_parameters()
    }
    if built.fop is not None:
        factors = built.fop.factors()
        learned = {each.name: each.learned for each in description.parameters if each.learned}
        assert learned == {each: factor.numel() for each, factor in factors.items()}
        assert {each.name for each in description.parameters if each.layout} == {
            each.name for each in built.fop.layers()
        }


def test_a_rate_that_is_learned_takes_its_memory():
    plain, learned = (change(preset_of("mnist-mlp"), [f"fop.hyper_lr_step={step}"]) for step in (0, 0.3))
    assert described(learned).memory == estimate(build.build(learned, 10, HERE), learned)
    assert described(learned).memory != described(plain).memory


def test_a_network_that_fits_nowhere_is_described():
    made = change(preset_of("mnist-mlp"), ["fop.preconditioner=factored", "fop.layout=full", "fop.max_dim=100000"])
    first = described(made).parameters[0]
    assert first.M == (78_400, 78_400) and (first.n, first.m) == (78_400, 1)
    made = change(preset_of("mnist-mlp"), ["fop.layout=full", "fop.max_dim=100000", "fop.rank=100000"])
    assert described(made).parameters[0].learned == 78_400**2


def test_it_is_found_in_a_process_of_its_own():
    description = preview.preview(preview.question(preset_of("mnist-mlp")))
    assert (description.classes, description.images) == (10, 60_000)
    assert description.parameters[0] == preview.Parameter(
        "1.weight", (100, 784), "input", "", 784, 100, (784, 16), 12_544
    )


def test_what_cannot_be_built_is_said(monkeypatch):
    monkeypatch.setattr(preview, "worker", Warm())
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(preview.PreviewError, match="ended with 1"):
        preview.preview(TrainConfig())


def test_missing_data_leave_the_classes_assumed(monkeypatch, tmp_path):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path))
    made = preset_of("imagenet-resnet18")
    description = described(made)
    assert (description.classes, description.images) == (1000, None) and preview.data_stamp(made) == ""


def test_one_answer_serves_all_rates_and_seeds_and_no_other_network():
    made = preset_of("mnist-mlp")
    same = change(made, ["optimizer.lr=0.3", "fop.hyper_lr=0", "seed=4", "epochs=99", "batch_size=7"])
    assert preview.question(same) == preview.question(made)
    for setting in ("model.width=2", "fop.rank=4", "optimizer.momentum=0", "fop.layout=full", "data.path=/tmp"):
        assert preview.question(change(made, [setting])) != preview.question(made)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("images", [1, 2, 129, 257, 60_000])
@pytest.mark.parametrize("limit", [None, 5])
def test_steps_are_the_loops(name, images, limit):
    made = change(preset_of(name), [f"max_steps={limit}" if limit else "max_steps=null"])
    epoch = batches.steps_in_epoch(images, made.batch_size)
    assert preview.steps(made, images) == (epoch, build.total_steps(made, epoch))


def test_a_probe_is_the_same_run_cut_short():
    made = preset_of("cifar10-allcnn-small")
    short = preview.probe(made)
    assert (short.max_steps, short.snapshots) == (20, 0)
    assert (short.model, short.optimizer, short.fop, short.batch_size) == (
        made.model,
        made.optimizer,
        made.fop,
        made.batch_size,
    )


@pytest.mark.parametrize("share", [0, 0.3])
def test_a_probe_measures_on_one_image_not_on_a_whole_test_set(share):
    made = change(preset_of("mnist-mlp"), [f"data.held_out={share}"])
    data = datasets.load(preview.probe(made).data)
    assert (data.measured_on, len(data.test), len(data.train)) == ("held_out", 1, 59_999)


def test_the_first_steps_of_a_probe_do_not_count():
    rows = {0: 0.0, **{step: 5.0 + step for step in range(1, 11)}, 20: 20.0}
    assert preview.step_seconds(rows) == 0.5
    assert preview.step_seconds({0: 0.0, 1: 1.0, 2: 1.5, 3: 2.0}) == 0.5
    assert preview.step_seconds({0: 0.0, 1: 1.0}) is None and preview.step_seconds({}) is None


def test_asking_loads_no_torch():
    code = "import sys, fop_core.training.preview; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
