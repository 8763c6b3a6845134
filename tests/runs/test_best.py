"""The best accuracy of a run, followed through its metrics."""

import pytest

from fop_core.runs import GALLERY
from fop_core.runs.best import Best
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from tests.runs.tiny import ABOUT, made


def test_the_best_accuracy_leaves_out_what_a_later_attempt_took_back(tmp_path):
    run = made("one", [{"step": 10, "test_accuracy": 0.5}, {"step": 20, "test_accuracy": 0.9}], folder=tmp_path)
    best = Best(run)
    assert best.update() == 0.9
    writer = RunWriter(run, ABOUT, from_step=10)
    writer.row({"step": 20, "test_accuracy": 0.7})
    assert best.update() == 0.7
    writer.row({"step": 30, "test_accuracy": float("nan")})
    with (run.path / "metrics.2.jsonl").open("a") as file:
        file.write('{"step": 40, "test_accuracy": 0.9')
    assert best.update() == 0.7
    writer.close()


def test_before_the_first_accuracy_there_is_none(tmp_path):
    assert Best(made("one", [{"step": 1, "train_loss": 0.5}], folder=tmp_path)).update() is None


@pytest.mark.parametrize("name", ["mnist-sgd-seed0", "cifar10-fop-one-step"])
def test_the_best_accuracy_is_that_of_the_metrics(name):
    run = Run(GALLERY / name)
    run.metrics.update()
    assert Best(run).update() == max(run.metrics["test_accuracy"].values)
