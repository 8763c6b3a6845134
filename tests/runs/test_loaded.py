"""A run's metrics in memory, as curves."""

from fop_core.runs.loaded import Loaded
from tests.runs.tiny import made, rows


def test_a_loss_is_drawn_over_windows_of_one_length(tmp_path):
    measured = [{"step": step, "train_loss": loss} for step, loss in ((100, 1.0), (200, 1.0), (204, 9.0))]
    run = made("one", measured, folder=tmp_path)
    run.metrics.update()
    assert run.config["log_every"] == 100
    curve = Loaded(str(run.path)).refresh().curve("step", "train_loss")
    assert curve.y.tolist() == run.metrics.evened("train_loss").values.tolist() == [1.0, 1.0, (100 + 4 * 9) / 104]
    assert run.metrics["train_loss"].values.tolist()[-1] == 9.0


def test_a_curve_has_the_points_at_which_both_axes_were_measured(tmp_path):
    measured = [{"step": 1, "lr": 0.1}, {"step": 2, "lr": 0.2, "epoch": 0.5}, {"step": 3, "epoch": 0.75}]
    metrics = Loaded(str(made("one", measured, folder=tmp_path).path)).refresh()
    curve = metrics.curve("epoch", "lr")
    assert (curve.steps.tolist(), curve.x.tolist(), curve.y.tolist()) == ([2], [0.5], [0.2])
    assert metrics.curve("step", "test_loss") is None and metrics.curve("seconds", "lr") is None


def test_metrics_that_cannot_be_read_are_listed(tmp_path):
    run = made("one", rows(), folder=tmp_path)
    (run.path / "attempts" / "1.json").write_text("{")
    metrics = Loaded(str(run.path)).refresh()
    assert "1.json" in metrics.trouble and metrics.curve("step", "train_loss") is None
