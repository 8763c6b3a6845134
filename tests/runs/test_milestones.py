"""Where a run's learning rate falls."""

import numpy as np
import pytest

from fop_core.runs import GALLERY, compare
from fop_core.runs.loaded import Loaded
from fop_core.runs.milestones import falls
from fop_core.runs.run import Run
from tests.runs.tiny import made, rows

STEP = ('schedule={"kind": "step", "milestones": [1.05, 2.5, 9], "factor": 0.2}',)


def of(run: Run, x: str) -> list[tuple[float, float]]:
    return [tuple(fall) for fall in falls(compare.settings(run.config), Loaded(str(run.path)).refresh(), x)]


def test_a_milestone_is_where_its_epoch_is_on_each_axis_and_one_to_come_is_not_marked(tmp_path):
    run = made("one", rows(), "finished", "", "fop", *STEP, folder=tmp_path)  # an epoch is 10 steps, and 2 seconds
    for x, expected in (("step", (10.5, 25)), ("epoch", (1.05, 2.5)), ("seconds", (2.1, 5))):
        np.testing.assert_allclose(of(run, x), [(each, 0.2) for each in expected])


@pytest.mark.parametrize("schedule", ['{"kind": "cosine"}', '{"kind": "constant"}'])
def test_a_rate_that_falls_at_every_step_or_never_has_no_mark(tmp_path, schedule):
    assert of(made("one", rows(), "finished", "", "fop", f"schedule={schedule}", folder=tmp_path), "step") == []


def test_a_run_that_has_measured_nothing_has_no_mark(tmp_path):
    assert of(made("one", (), "finished", "", "fop", *STEP, folder=tmp_path), "step") == []


def test_the_gallerys_rate_falls_where_its_logged_rate_does():
    run = Run(GALLERY / "cifar10-fop-velocity")
    [(step, factor)] = of(run, "step")
    lr = Loaded(str(run.path)).refresh().curve("step", "lr")
    before, after = lr.y[lr.steps < step], lr.y[lr.steps > step]
    assert step == 8 * 391 and factor == 0.1
    np.testing.assert_allclose([before[1:].min(), after.max()], [0.05, 0.005])
