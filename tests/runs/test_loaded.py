"""A run's metrics in memory: large ones stand as a sample at first, long curves are downsampled once."""

import json
import threading

import numpy as np

from fop_core.runs import compare, loaded
from fop_core.runs.loaded import Loaded
from tests.runs.tiny import made, rows


def test_a_sample_stands_for_large_metrics_until_all_has_been_read(tmp_path, monkeypatch):
    run = made("long", rows(3000), folder=tmp_path)
    monkeypatch.setattr(loaded, "LARGE", 1000)
    monkeypatch.setattr(loaded, "SAMPLE", 100)
    go_on = threading.Event()
    read = Loaded._read_all
    monkeypatch.setattr(Loaded, "_read_all", lambda self: go_on.wait(30) and read(self))
    metrics = Loaded(str(run.path)).refresh()
    size = (run.path / "metrics.1.jsonl").stat().st_size
    assert metrics.reading == size and "train_loss" in metrics.columns
    curve = metrics.curve("step", "train_loss")
    assert len(curve.y) < 300 and (curve.steps[0], curve.steps[-1]) == (1, 3000)
    np.testing.assert_array_equal(curve.y, 1 / curve.steps)
    version = metrics.version
    go_on.set()
    metrics.refresh(whole=True)
    assert not metrics.reading and metrics.version > version
    assert len(metrics.curve("step", "train_loss").y) == 3000


def test_a_long_curve_is_downsampled_once_and_new_rows_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(loaded, "PART", 256)
    run = made("long", rows(2000, grad_norm=1.0), folder=tmp_path)
    metrics = Loaded(str(run.path)).refresh()
    calls = []
    downsampled = compare.downsampled
    monkeypatch.setattr(compare, "downsampled", lambda *curve: calls.append(1) or downsampled(*curve))
    short, gaps = metrics.light("step", "grad_norm")
    assert len(gaps) == 0 and short.steps[0] == 1 and short.steps[-1] == 2000
    with open(run.path / "metrics.1.jsonl", "a") as file:
        file.write(json.dumps({"step": 2001, "grad_norm": 7.0}) + "\n")
    short, _ = metrics.refresh().light("step", "grad_norm")
    assert (short.steps[-1], short.y[-1]) == (2001, 7.0) and len(calls) == 1


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
