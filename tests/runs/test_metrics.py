"""What a run logged: columns where they were measured, attempts merged."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core.runs import files, store
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

NAN, INF = math.nan, math.inf


@pytest.fixture
def run(tmp_path):
    return store.create({}, folder=tmp_path)


def line(step, **columns):
    return json.dumps(files.plain({"step": step, **columns})).encode() + b"\n"


def attempt(run, steps, from_step=0, **columns):
    """Record an attempt; columns are functions of the step."""
    writer = RunWriter(run, {}, from_step)
    for step in steps:
        writer.row({"step": step} | {name: function(step) for name, function in columns.items()})
    writer.close()


def same(a, b):
    return np.array_equal(np.asarray(a, np.float64), np.asarray(b, np.float64), equal_nan=True)


def test_a_run_that_has_logged_nothing(run):
    metrics = run.metrics
    assert metrics.update() == 0
    assert (metrics.columns, metrics.last(), metrics.damaged, list(metrics.steps)) == ([], {}, [], [])
    assert metrics.table().keys() == {"step"} and len(metrics.table()["step"]) == 0
    assert "train_loss" not in metrics
    with pytest.raises(KeyError, match="nothing is; update"):
        metrics["train_loss"]


def test_a_column_is_where_it_was_measured(run):
    writer = RunWriter(run, {})
    writer.row({"step": 1, "train_loss": 4, "epoch": 0.5})
    writer.row({"step": 2})
    writer.row({"step": 4, "train_loss": NAN, "epoch": 2.0, "test_loss": 3.5, "angle_deg/b": 1.0, "angle_deg/a": 2.0})
    writer.row({"step": 5, "train_loss": INF})
    assert run.metrics.update() == 4
    assert run.metrics.columns == ["epoch", "test_loss", "train_loss", "angle_deg/a", "angle_deg/b"]
    steps, values = run.metrics["train_loss"]
    assert (steps.dtype, values.dtype) == (np.int64, np.float64)
    assert steps.tolist() == [1, 4, 5] and same(values, [4, NAN, INF])
    assert run.metrics["test_loss"].steps.tolist() == [4]
    assert "test_loss" in run.metrics and "test_los" not in run.metrics and 5 not in run.metrics
    assert run.metrics.steps.tolist() == [1, 2, 4, 5]
    table = run.metrics.table()
    assert [*table] == ["step", *run.metrics.columns]
    assert table["step"].dtype == np.int64 and table["step"].tolist() == [1, 2, 4, 5]
    assert same(table["train_loss"], [4, NAN, NAN, INF]) and same(table["epoch"], [0.5, NAN, 2, NAN])
    last = {"step": 5, "epoch": 2.0, "test_loss": 3.5, "train_loss": INF, "angle_deg/a": 2.0, "angle_deg/b": 1.0}
    assert run.metrics.last() == last and type(run.metrics.last()["step"]) is int
    writer.row({"step": 6, "train_loss": 1.0, "new": 1})
    writer.close()
    assert run.metrics.update() == 1
    assert run.metrics["train_loss"].steps.tolist() == [1, 4, 5, 6] and run.metrics.last()["new"] == 1
    assert values.size == 3, "what was handed out stays as it was"
    with pytest.raises(ValueError, match="read-only"):
        run.metrics["train_loss"].values[0] = 0


def test_a_wrong_name_is_answered_with_near_ones(run):
    attempt(run, [1], train_loss=float, test_loss=float, lr=float)
    run.metrics.update()
    with pytest.raises(KeyError, match=r"no column 'trainloss' is logged by .*; near it: train_loss"):
        run.metrics["trainloss"]
    with pytest.raises(KeyError, match="near it: lr, test_loss, train_loss"):
        run.metrics["ζζζζ"]
    with pytest.raises(KeyError):
        run.metrics.over("epoch", "lr")


def test_a_column_over_another(run):
    writer = RunWriter(run, {})
    for step in range(1, 7):
        measured = {"epoch": step / 4} | ({"test_loss": 10.0 - step} if step % 2 == 0 else {})
        writer.row({"step": step} | (measured if step != 4 else {"test_loss": 0.0}))
    writer.close()
    run.metrics.update()
    x, y = run.metrics.over("epoch", "test_loss")
    assert x.tolist() == [0.5, 1.5] and y.tolist() == [8.0, 4.0]
    x, y = run.metrics.over("step", "test_loss")
    assert x.tolist() == [2, 4, 6] and y.tolist() == [8.0, 0.0, 4.0]


def test_what_an_attempt_logged_after_a_later_ones_beginning_no_longer_counts(run):
    attempt(run, range(1, 101), a=lambda step: 1, only_first=lambda step: step)
    assert run.metrics.update() == 100 and len(run.metrics["a"].steps) == 100
    attempt(run, range(81, 121), from_step=80, a=lambda step: 2)
    assert run.metrics.update() == 40
    assert run.metrics["a"].steps.tolist() == list(range(1, 121))
    assert run.metrics["a"].values.tolist() == [1] * 80 + [2] * 40
    assert run.metrics["only_first"].steps[-1] == 80 and run.metrics.last()["only_first"] == 80
    attempt(run, range(51, 61), from_step=50, a=lambda step: 3)
    assert run.metrics.update() == 10
    assert run.metrics["a"].values.tolist() == [1] * 50 + [3] * 10
    assert run.metrics.steps.tolist() == list(range(1, 61)) == run.metrics.table()["step"].tolist()
    attempt(run, [], from_step=0)
    run.metrics.update()
    assert run.metrics.columns == [] and "a" not in run.metrics and run.metrics.last() == {}
    fresh = Run(run.path).metrics
    fresh.update()
    assert fresh.columns == []


def test_of_two_values_at_one_step_the_later_counts(run):
    attempt(run, [1, 2, 3], a=lambda step: 10 * step)
    attempt(run, [3, 4], from_step=3, a=lambda step: -step)
    attempt(run, [], from_step=4)
    (run.path / "metrics.3.jsonl").write_bytes(line(9, a=9) + line(8, a=8) + line(9, a=99))
    run.metrics.update()
    assert run.metrics["a"].steps.tolist() == [1, 2, 3, 4, 8, 9]
    assert run.metrics["a"].values.tolist() == [10, 20, -3, -4, 8, 99]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(1, 6), max_size=6)), min_size=1, max_size=5))
def test_merging_is_what_a_dict_does(tmp_path_factory, attempts):
    run = store.create({}, folder=tmp_path_factory.mktemp("runs"))
    twin: dict[int, float] = {}
    for number, (from_step, gaps) in enumerate(attempts):
        steps = [from_step + step for step in np.cumsum(gaps).tolist()]
        attempt(run, steps, from_step, a=lambda step, number=number: 100 * number + step)
        twin = {step: value for step, value in twin.items() if step <= from_step}
        twin |= {step: 100 * number + step for step in steps}
        run.metrics.update()
        for metrics in (run.metrics, Run(run.path).metrics):
            metrics.update()
            merged = dict(zip(*metrics["a"])) if "a" in metrics else {}
            assert merged == twin and list(merged) == sorted(merged)
            assert metrics.steps.tolist() == list(merged)


def test_damage_is_named_by_file_and_line(run):
    attempt(run, [1], a=float)
    attempt(run, [2], from_step=1, a=float)
    with (run.path / "metrics.2.jsonl").open("ab") as file:
        file.write(b"rubbish\n" * 12 + line(3, a=3) + b'{"torn')
    run.metrics.update()
    path = run.path / "metrics.2.jsonl"
    assert run.metrics.damaged == [f"{path}: 12 damaged lines left out: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ..."]
    assert run.metrics["a"].steps.tolist() == [1, 2, 3]
