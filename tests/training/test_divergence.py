"""What is said of runs that diverge: real runs on small data, measured at their checkpoints and without any."""

import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from fop_core.runs import files, lineage
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.training import attribution, batches, build, config, curvature, datasets, divergence, state
from fop_core.training.divergence import Curvature
from tests.training import tiny
from tests.training.test_loop import flip, train

WILD = ("model.batch_norm=false", "optimizer.lr=1000", "epochs=40")
KNOWN = Curvature(1, 240, 240, True, 0.05, "SGD", 2.0, "", 3.1, 0.9, 0.001, 0.001, {}, 4, 64, 23)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.cifar10(tmp_path_factory.mktemp("data"))


def diverged(data, folder, *settings, method="fop"):
    run = tiny.run(data, folder, *WILD, *settings, method=method)
    assert train(run)[0] == "failed" and run.state.cause == "diverged"
    return run


@pytest.fixture(scope="module")
def gone(data, tmp_path_factory):
    """A run that has diverged, with a checkpoint of each of its last two steps."""
    return diverged(data, tmp_path_factory.mktemp("gone"), "checkpoint_steps=1")


@pytest.fixture
def wild(gone, tmp_path):
    shutil.copytree(gone.path, tmp_path / "wild")
    return Run(tmp_path / "wild")


def by_hand(run, step, count=divergence.BATCHES):
    """ε·λmax of P H and of H, of what a checkpoint holds and the batches that come next."""
    settings = config.parse(run.config)
    feed = batches.feed(datasets.load(settings.data), settings, torch.device("cpu"), lambda name: None)
    with build.threads(1):
        built = build.build(settings, 10, torch.device("cpu"))
        arrays, about = run.checkpoint(step)
        tree = state.unpack(arrays, about["tree"])
        built.model.load_state_dict(tree["model"])
        built.optimizer.load_state_dict(tree["optimizer"])
        every = [batch for epoch in range(20) for batch in feed.epoch(epoch)]
        assert built.model.training
        losses = [
            lambda x=x, y=y: torch.nn.functional.cross_entropy(built.model(x), y) for x, y in every[step : step + count]
        ]
        names, parameters = zip(*built.model.named_parameters())
        generator = torch.Generator().manual_seed(0)
        start = [torch.randn(p.shape, generator=generator) for p in parameters]
        H = curvature.hessian(losses, parameters)
        P = curvature.preconditioner(built.fop, names)
        rate = settings.optimizer.lr * settings.schedule.at(step / feed.steps_in_epoch, settings.epochs)
        return [rate * curvature.largest_eigenvalue(H, each, start).value for each in (P, lambda v: v)]


def test_at_the_last_checkpoint_it_is_measured_on_the_batches_that_came_next_and_kept(wild):
    step, last = wild.checkpoint_steps()
    said, lines = [], []
    result = divergence.measure(wild, log=lines.append, report=lambda *how_far: said.append(how_far))
    assert f"at step {last} it had diverged already" in lines
    assert (result.step, result.begun, result.checkpoint, result.attempt) == (step, step, True, 1)
    assert [result.with_P, result.without_P] == by_hand(wild, step)
    assert result.with_P > 3.8
    assert result.bound == pytest.approx(3.8) and result.formula == "2(1 + α)" and result.base == "SGD"
    assert (result.batches, result.images) == (4, 64)
    assert said and all(what == "products with H" and done <= most for what, done, most in said)
    assert divergence.kept(wild) == result
    assert files.read_json(wild.path / "curvature.json")["step"] == step
    assert wild.state.cause == "diverged" and wild.checkpoint_steps(), "the run itself is as it was"


def test_of_another_attempt_it_is_no_longer_known(wild):
    wild.keep_curvature(asdict(KNOWN))
    assert divergence.kept(wild) == KNOWN
    attempt = files.read_json(wild.path / "attempts" / "1.json")
    files.write_json(wild.path / "attempts" / "2.json", attempt | {"attempt": 2, "from_step": 1})
    assert divergence.kept(wild) is None


def test_what_is_kept_comes_back_whatever_its_numbers_are(wild):
    for odd in (
        replace(KNOWN, with_P=None, without_P=float("inf"), bound=None),
        replace(KNOWN, negative={"0.weight": -0.25}, formula="2(1 + α)"),
    ):
        wild.keep_curvature(asdict(odd))
        assert divergence.kept(wild) == odd


@pytest.mark.parametrize("wrong", [{"step": "x"}, {"bound": "x"}, {"negative": [1]}, {"more": 1}, {"checkpoint": 1}])
def test_what_is_kept_and_damaged_is_named(wild, wrong):
    files.write_json(wild.path / "curvature.json", asdict(KNOWN) | wrong)
    with pytest.raises(DamagedFile, match=r"curvature\.json"):
        divergence.kept(wild)
    files.write_json(wild.path / "curvature.json", {"step": 3})
    with pytest.raises(DamagedFile, match="not what was measured"):
        divergence.kept(wild)


def test_without_a_checkpoint_the_steps_up_to_the_last_finite_loss_are_taken_again(data, tmp_path):
    run = diverged(data, tmp_path)
    assert not run.checkpoint_steps()
    steps, losses = run.metrics["train_loss"]
    result = divergence.measure(run)
    assert result.step == steps[np.isfinite(losses)][-1] - 1 > 0 and result.begun == 0 and not result.checkpoint
    assert result.with_P > result.bound
    assert "It has no checkpoint that can be used." in result.sentences()
    assert "For this its steps were taken again from its start on." in result.sentences()


def test_a_checkpoint_that_cannot_be_read_or_is_not_finite_is_passed_over(wild):
    for step in wild.checkpoint_steps():
        flip(wild.checkpoint_path(step))
    lines = []
    result = divergence.measure(wild, log=lines.append)
    assert not result.checkpoint and any("its checksum is wrong" in line for line in lines)


def test_of_a_run_that_went_well_any_step_can_be_measured_and_nothing_is_kept(data, tmp_path):
    run = tiny.run(data, tmp_path, "checkpoint_steps=6")
    assert train(run)[0] == "finished"
    assert divergence.measure(run, at=8).begun == 6
    early = divergence.measure(run, at=3, batches=1)
    assert (early.step, early.begun, early.checkpoint, early.images) == (3, 0, False, 16)
    assert divergence.measure(run).step == 10
    assert divergence.kept(run) is None and not (run.path / "curvature.json").exists()
    for wrong in ({"batches": 0}, {"at": -1}):
        with pytest.raises(ValueError, match="give at least 1"):
            divergence.measure(run, **wrong)


def test_a_control_and_a_run_without_fop_are_measured_too(data, tmp_path):
    run = tiny.run(data, tmp_path, "checkpoint_steps=6", "fop.hyper_lr=0.05")
    assert train(run)[0] == "finished"
    control = attribution.create(attribution.plan(run, "rate"), folder=tmp_path)
    assert train(control)[0] == "finished" and lineage.has_start(control)
    result = divergence.measure(control)
    assert result.with_P != result.without_P
    plain = tiny.run(data, tmp_path, "checkpoint_steps=6", 'optimizer={"name": "adam", "lr": 0.001}', method="momentum")
    assert train(plain)[0] == "finished"
    result = divergence.measure(plain)
    assert result.with_P is None and result.bound is None
    assert result.sentences()[0].startswith("ε·λmax(H) was ")
    assert result.sentences()[1] == "Above 2 a step of SGD overshoots; Adam has no such bound."


def test_it_is_said_in_a_sentence_what_was_known():
    first, without, verdict, source = KNOWN.sentences()
    assert first == "ε·λmax(PH) was 3.1 at step 240; above 2 a step overshoots."
    assert without == "Without P it was 0.9." and verdict == "P made the steps too long for this rate."
    assert source == "H is the Hessian of the loss on the 64 images that came next, known by 23 products with vectors."
    heavy = replace(KNOWN, bound=3.8, formula="2(1 + α)")
    assert heavy.sentences()[0].endswith("; above 2(1 + α) = 3.8 a step overshoots.")
    assert "At that step none was too long." in heavy.sentences()
    assert "The rate was too large, with P or without." in replace(KNOWN, without_P=2.5).sentences()
    assert "At that step none was too long." in replace(KNOWN, with_P=1.5, without_P=2.5).sentences()
    assert "The rate was too large." in replace(KNOWN, with_P=None, without_P=2.5).sentences()
    assert replace(KNOWN, error_with_P=0.5).sentences()[:2] == [first.replace("was", "was at least"), without]
    assert replace(KNOWN, error_without_P=0.5).sentences()[:2] == [first, "Without P it was at least 0.9."]
    unknown = replace(KNOWN, with_P=float("nan"))
    assert unknown.sentences()[0].startswith("ε·λmax(PH) was not a number") and len(unknown.sentences()) == 3
    uphill = replace(KNOWN, with_P=None, negative={"3.weight": -0.2})
    assert "P of 3.weight has the eigenvalue -0.2: along it each step goes uphill." in uphill.sentences()
    again = replace(KNOWN, begun=200)
    assert "For this its steps were taken again from step 200 on." in again.sentences()


def test_where_it_cannot_be_kept_it_is_said_all_the_same(wild, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (wild.path / "requests").rename(elsewhere)
    (wild.path / "requests").symlink_to(elsewhere)
    lines = []
    result = divergence.measure(wild, log=lines.append)
    assert result.sentences() and any(line.startswith("not kept beside the run") for line in lines)
