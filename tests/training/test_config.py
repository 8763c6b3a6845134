"""Settings: whole or refused, to JSON and back, and the paper's own numbers."""

import json
import subprocess
import sys

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fop_core.optim.forms import FORMS
from fop_core.runs import compare
from fop_core.training.config import METHODS, PRESETS, ConfigError, TrainConfig, change, parse, preset


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_and_method_goes_to_json_and_back(name, method):
    settings = preset(name, method)
    assert parse(settings.to_json()) == settings


@given(
    lr=st.floats(1e-8, 1e3),
    rank=st.integers(1, 10_000),
    trace=st.one_of(st.sampled_from(["velocity", "one_step"]), st.floats(0, 1)),
    seed=st.integers(0, 2**31 - 1),
)
def test_changed_settings_go_to_json_and_back(lr, rank, trace, seed):
    word = f'"{trace}"' if isinstance(trace, str) else repr(trace)
    settings = [f"optimizer.lr={lr!r}", f"fop.rank={rank}", f"fop.trace={word}", f"seed={seed}"]
    changed = change(preset("mnist-mlp"), settings)
    assert (changed.optimizer.lr, changed.fop.rank, changed.fop.trace, changed.seed) == (lr, rank, trace, seed)
    assert parse(changed.to_json()) == changed


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PRESETS)
def test_every_setting_written_out_by_its_path_is_itself_again(name, method):
    settings = preset(name, method)
    written = [f"{path}={json.dumps(value)}" for path, value in compare.flat(settings.to_json()).items()]
    assert change(settings, written) == settings
    assert parse(json.loads(json.dumps(settings.to_json()))) == settings


def test_settings_are_frozen():
    for section, field in ((preset("mnist-mlp"), "epochs"), (preset("mnist-mlp").fop, "rank")):
        with pytest.raises(pydantic.ValidationError, match="frozen"):
            setattr(section, field, 3)


def test_one_error_lists_every_wrong_field():
    wrong = ["batch_size=many", "fop.rnk=3", "epochs=-1", "optimizer.beta1=0.5", "data.image_size=30", "speed=1"]
    with pytest.raises(ConfigError) as caught:
        change(preset("mnist-mlp"), [*wrong, "epochs"])
    for message in (
        "batch_size: 'many' given",
        "fop.rnk: no such setting",
        "epochs: -1 given",
        "optimizer.beta1: sgd has none",
        "data.image_size: mnist has 28 pixels, not 30",
        "speed: no such setting",
        "'epochs': write field=value",
    ):
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["optimizer.nesterov=true", "optimizer.momentum=0"], "optimizer.nesterov: needs momentum"),
        (["schedule.kind=step"], "schedule.milestones: step needs some"),
        (['schedule={"kind": "step", "milestones": [5, 3]}'], "do not ascend"),
        (["fop.preconditioner=scalar", "fop.normalized=true"], "fop.normalized: leaves a scalar nothing to learn"),
        (["fop.apply=after", "fop.trace=one_step"], "fop.trace: is 'one_step': apply=\"after\" has none"),
        (["fop.apply=after", "fop.trace=0.5"], "fop.trace: is 0.5"),
        (["fop.apply=after", "fop.feedback=osgm"], "fop.feedback: is 'osgm', of gradients"),
        (["fop.init_scale=0.5"], "fop.init_scale: is 0.5: 'low_rank' does not start from the identity"),
        (["fop.preconditioner=exponential", "fop.init_scale=2"], "fop.init_scale: is 2.0: 'exponential' does not"),
        (["fop.derivative=root"], "fop.derivative: is 'root': 'low_rank' has its exact one alone"),
        (["fop.hyper_lr_bounds=[2, 3]"], "fop.hyper_lr_bounds.0: 2 given"),
        (["fop.hyper_lr_bounds=[0.5, 0.9]"], "fop.hyper_lr_bounds.1: 0.9 given"),
        (["fop.hyper_lr_step=-1"], "fop.hyper_lr_step: -1 given"),
        (["fop.hyper_optimizer=lion"], "fop.hyper_optimizer: 'lion' given"),
        (["model.name=resnet18"], "model.name: resnet18 takes colour images"),
        (["data.augmentation=flip"], "no digit"),
        (["data.storage=stream"], "data.storage"),
        (["data.limit=9"], "data.limit: mnist has 10 classes: give at least 10, not 9"),
        (["data.limit=0"], "data.limit: 0 given"),
        (["optimizer.lr=NaN"], "optimizer.lr"),
        (["optimizer.lr=true"], "optimizer.lr: is true or false: give a number"),
        (["fop.rank=false"], "fop.rank: is true or false: give a number"),
        (["data.limit=true"], "data.limit: is true or false: give a number"),
        (["optimizer.lr=Infinity"], "optimizer.lr"),
        (["device=gpu"], "device"),
        (["fop.trace=2"], "fop.trace"),
        (["seed.x=2"], "seed.x: no such field"),
        (["fop.rank=16", "fop.rank.x=3"], "fop.rank.x: no such field"),
        (["nothing.x=2"], "nothing: no such setting"),
        (["=5"], "'=5': write field=value"),
        (["fop.=5"], "'fop.=5': write field=value"),
        (["fop=false"], "fop: False given; an object of fields is expected"),
        (["optimizer.lr=1e400"], "optimizer.lr: inf given; input should be a finite number"),
        (["schedule.kind=step", "schedule.milestones=[NaN]"], "schedule.milestones"),
        (["seed=" + "[" * 100_000], "seed: '"),
        (["optimizer.name=adam"], "optimizer.momentum: adam has none"),
        (["optimizer.alpha=0.9"], "optimizer.alpha: sgd has none"),
        (
            ["optimizer.nesterov=true", "optimizer.dampening=0.5"],
            "optimizer.nesterov: needs momentum, and no dampening",
        ),
        (["schedule.milestones=[3]"], "schedule.milestones: step needs some, the others have none"),
        (["data.augmentation=resized_crop"], "data.augmentation: resized_crop needs storage = stream"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_field(settings, says):
    with pytest.raises(ConfigError) as caught:
        change(preset("mnist-mlp"), settings)
    assert says in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["model.width=0.5"], "model.width: resnet18 has its own"),
        (["model.name=mlp"], "model.name: the mlp is for mnist; folder"),
        (["data.augmentation=crop_flip"], "data.augmentation: streamed images take"),
        (["data.storage=memory"], "data.augmentation: resized_crop needs storage = stream"),
        (["data.name=cifar10"], "data.image_size: cifar10 has 32 pixels, not 224"),
    ],
)
def test_so_is_what_does_not_go_with_folders_of_images(settings, says):
    with pytest.raises(ConfigError) as caught:
        change(preset("imagefolder"), settings)
    assert says in str(caught.value)


@pytest.mark.parametrize("content", [[1], "x", None, 3])
def test_what_is_no_object_is_no_config(content):
    with pytest.raises(ConfigError, match=r"settings: .* given; an object of fields is expected"):
        parse(content)


def test_a_value_is_json_or_else_a_word():
    settings = ["data.path=~/my flowers", "optimizer.lr=1e-2", "device= cpu ", 'precision="bf16"', "max_steps=null"]
    changed = change(preset("imagefolder"), settings)
    assert (changed.data.path, changed.optimizer.lr, changed.device) == ("~/my flowers", 0.01, "cpu")
    assert (changed.precision, changed.max_steps) == ("bf16", None)
    assert (
        change(changed, ['data.path="2020"', "schedule.kind=step", "schedule.milestones=[2, 4.5]"]).data.path == "2020"
    )
    assert change(changed, ["epochs=3", "epochs=4"]).epochs == 4  # the last one holds
    assert changed == change(changed, [])


def test_fop_can_be_taken_away_and_put_in():
    without = change(preset("mnist-mlp"), ["fop=null"])
    assert without.fop is None
    again = change(without, ["fop.rank=7"])
    assert again.fop.rank == 7
    assert again.fop.preconditioner == "factored"


def test_an_unknown_preset_and_method_are_both_named():
    with pytest.raises(ConfigError) as caught:
        preset("mnist", "lion")
    assert "mnist-mlp" in str(caught.value) and "mean-removing" in str(caught.value)


def test_the_presets_are_the_papers_experiments():
    cifar = preset("cifar10-allcnn")
    assert (cifar.batch_size, cifar.optimizer.lr, cifar.optimizer.momentum, cifar.epochs) == (128, 0.05, 0.9, 150)
    assert (cifar.schedule.kind, cifar.schedule.milestones, cifar.schedule.factor) == ("step", (80,), 0.1)
    assert (cifar.fop.hyper_optimizer, cifar.fop.hyper_lr) == ("adam", 1e-4)
    small = preset("cifar10-allcnn-small")
    assert (small.model.width, small.epochs, small.schedule.milestones) == (0.25, 15, (8,))
    imagenet = preset("imagenet-resnet18")
    assert (imagenet.batch_size, imagenet.optimizer.lr, imagenet.epochs) == (256, 0.1, 60)
    assert (imagenet.data.image_size, imagenet.schedule.milestones) == (299, (25, 50))
    assert preset("mnist-mlp").fop.preconditioner == "low_rank"


def test_the_methods_are_what_the_paper_compares():
    assert preset("cifar10-allcnn", "sgd").optimizer.momentum == 0
    assert preset("cifar10-allcnn", "momentum").fop is None
    assert preset("cifar10-allcnn", "adam").optimizer.name == "adam"
    assert preset("cifar10-allcnn", "s-hd").fop.preconditioner == "scalar"
    assert preset("cifar10-allcnn", "pp-hd").fop.preconditioner == "diagonal"
    assert preset("cifar10-allcnn", "fop-norm").fop.normalized
    assert preset("cifar10-allcnn", "mean-removing").fop.preconditioner == "mean_removing"


def test_what_came_after_the_paper_is_a_method_too():
    assert preset("cifar10-allcnn", "fop-exponential").fop.preconditioner == "exponential"
    osgm = preset("cifar10-allcnn", "fop-osgm").fop
    assert (osgm.feedback, osgm.hyper_optimizer, osgm.preconditioner) == ("osgm", "adagrad", "factored")
    assert preset("cifar10-allcnn", "fop-after").fop.apply == "after"
    older = ["sgd", "momentum", "adam", "s-hd", "pp-hd", "fop", "fop-norm", "mean-removing"]
    assert [name for name in METHODS if name in older] == older


def test_the_rate_falls_at_the_milestones_and_by_the_cosine():
    step = preset("cifar10-allcnn").schedule
    assert [step.at(epoch, 150) for epoch in (0, 79.99, 80, 149)] == [1, 1, 0.1, 0.1]
    twice = preset("imagenet-resnet18").schedule
    assert [twice.at(epoch, 60) for epoch in (24.999, 25, 49.999, 50, 60)] == pytest.approx([1, 0.1, 0.1, 0.01, 0.01])
    assert {preset("mnist-mlp").schedule.at(epoch, 10) for epoch in (0, 5.5, 10)} == {1.0}
    cosine = preset("imagefolder").schedule
    assert cosine.at(0, 30) == 1
    assert cosine.at(15, 30) == pytest.approx(0.5)
    assert cosine.at(7.5, 30) == pytest.approx((1 + 0.5**0.5) / 2)
    assert cosine.at(30, 30) == cosine.at(31, 30) == pytest.approx(0)


ALL_OF_FOP = [
    "fop.preconditioner=exponential",
    "fop.hyper_optimizer=adagrad",
    "fop.feedback=osgm",
    "fop.derivative=root",
    "fop.hyper_lr_step=0.02",
    "fop.hyper_lr_bounds=[0.1, 10]",
]


def test_what_fop_has_a_run_can_have_and_by_default_has_as_fop_does():
    made = change(preset("cifar10-allcnn-small"), ALL_OF_FOP)
    assert (made.fop.feedback, made.fop.hyper_lr_bounds) == ("osgm", (0.1, 10.0))
    assert parse(json.loads(json.dumps(made.to_json()))) == made
    after = change(preset("cifar10-allcnn-small"), ["fop.apply=after", "fop.init_scale=0.5"])
    assert (after.fop.apply, after.fop.init_scale, after.fop.trace) == ("after", 0.5, "velocity")


@pytest.mark.parametrize("form", FORMS)
def test_a_largest_n_of_1024_is_what_it_always_was_the_forms_own_limit(form):
    stored = preset("cifar10-allcnn-small").to_json()
    stored["fop"] |= {"preconditioner": form, "max_dim": 1024}
    assert parse(stored).fop.max_dim is None
    assert change(parse(stored), ["fop.max_dim=1024"]) == parse(stored)
    assert [change(parse(stored), [f"fop.max_dim={n}"]).fop.max_dim for n in (1, 1023, 4096)] == [1, 1023, 4096]


def fields(model, prefix=""):
    for name, field in model.model_fields.items():
        kinds = [
            kind for kind in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(kind, type)
        ]
        sections = [kind for kind in kinds if issubclass(kind, pydantic.BaseModel)]
        if sections:
            yield from fields(sections[0], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def test_every_setting_says_what_it_means():
    described = dict(fields(TrainConfig))
    assert len(described) > 45
    assert not [name for name, field in described.items() if not field.description]


def test_settings_and_runs_are_there_without_torch():
    code = (
        "import sys, fop_core.training.config, fop_core.runs; sys.exit(bool({'torch', 'torchvision'} & {*sys.modules}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
