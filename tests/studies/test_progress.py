import json
import math

import numpy as np
import pytest

from fop_core.runs.control import Control
from fop_core.runs.metrics import Metrics
from fop_core.runs.run import Run
from fop_core.studies import growth, kept, measured, progress, submit
from tests.studies import made
from tests.studies.made import study


@pytest.fixture
def runs(folder):
    done = submit.submit(study("optimizer.lr=0.01,0.05,0.1", seeds=[0, 1], target={"value": 0.6}), folder)
    return [Run(folder / run_id) for run_id in done.stored.runs.values()]


def test_a_table_says_of_every_cell_where_its_run_stands(folder, runs):
    finished, diverged, failed, stopped, deleted, damaged, removed, alive, *waiting = runs
    for run in runs[:8]:
        run.withdraw("start")
    made.ended(finished, [0.4, 0.7, 0.65], "held_out_accuracy")
    made.ended(diverged, [0.2], "held_out_accuracy", "failed", "diverged")
    made.ended(failed, [0.3], "held_out_accuracy", "failed", "memory")
    made.ended(stopped, [0.3], "held_out_accuracy", "stopped")
    deleted.delete()
    (damaged.path / "state.json").write_text("{")
    removed.remove()
    with Control(alive) as control:
        control.set("running")
        table = progress.table("s", folder)
        assert table.state == [
            *("finished", "failed", "failed", "stopped", "deleted", "damaged", "deleted", "running"),
            *(["queued"] * len(waiting)),
        ]
    assert progress.table("s", folder).state[7] == "lost", "its process is gone"
    assert table.counts == {
        "queued": 4,
        "running": 1,
        "finished": 1,
        "stopped": 1,
        "failed": 2,
        "damaged": 1,
        "deleted": 2,
    }
    assert "runs restore" in table.reason[4] and "state.json" in table.reason[5] and "gone" in table.reason[6]
    np.testing.assert_array_equal(table.ended[:4], [True, True, False, False])
    assert (table.last["held_out_accuracy"][0], table.best["held_out_accuracy"][0]) == (0.65, 0.7)
    assert table.best["held_out_loss"][0] == pytest.approx(0.3)
    assert (table.seconds[0], table.evaluation_seconds[0], table.peak_memory[0]) == (6.0, 1.5, 10_000_000)
    assert table.curves[0]["held_out_accuracy"].x.tolist() == [1.0, 2.0, 3.0]


def test_what_diverged_counts_as_infinitely_bad_and_what_is_open_as_unknown(folder, runs):
    for run, values, state, cause in zip(
        runs,
        ([0.7], [0.9], [0.9], [math.nan]),
        ("finished", "failed", "failed", "finished"),
        ("", "diverged", "disk", ""),
    ):
        run.withdraw("start")
        made.ended(run, values, "held_out_accuracy", state, cause)
    table = progress.table("s", folder)
    np.testing.assert_array_equal(table.outcome("test_accuracy")[:4], [0.7, -math.inf, math.nan, -math.inf])
    np.testing.assert_array_equal(table.outcome("held_out_loss")[:4], [1 - 0.7, math.inf, math.nan, math.inf])


def test_the_target_is_reached_at_the_first_measurement_that_meets_it_or_never(folder, runs):
    for run, values, state, cause in zip(
        runs,
        ([0.4, 0.6, 0.5], [0.4, 0.5], [0.7], [0.3]),
        ("finished", "finished", "failed", "failed"),
        ("", "", "diverged", "disk"),
    ):
        run.withdraw("start")
        made.ended(run, values, "held_out_accuracy", state, cause)
    table = progress.table("s", folder)
    np.testing.assert_array_equal(table.steps_to_target[:5], [200, math.inf, 100, math.nan, math.nan])
    np.testing.assert_array_equal(table.seconds_to_target[:2], [4.0, math.inf])
    np.testing.assert_array_equal(table.gradients_to_target[:2], [200 * 128, math.inf])


def test_a_table_that_has_not_changed_is_the_same_and_one_that_has_reads_what_changed_alone(folder, runs, monkeypatch):
    table = progress.table("s", folder)
    assert progress.table("s", folder) is table
    monkeypatch.setattr(measured, "_UNSURE", 0)
    progress.table("s", folder)
    read, update = [], Metrics.update
    monkeypatch.setattr(Metrics, "update", lambda self: read.append(self._id) or update(self))
    runs[3].withdraw("start")
    made.ended(runs[3], [0.9], "held_out_accuracy")
    after = progress.table("s", folder)
    assert after is not table and after.version > table.version and after.state[3] == "finished"
    assert set(read) == {runs[3].id}
    read.clear()
    assert progress.table("s", folder) is after and read == []


def test_a_run_that_is_restored_is_read_again(folder, runs):
    runs[0].withdraw("start")
    made.ended(runs[0], [0.9], "held_out_accuracy")
    trashed = runs[0].delete()
    assert progress.table("s", folder).state[0] == "deleted"
    trashed.restore()
    table = progress.table("s", folder)
    assert table.state[0] == "finished" and table.last["held_out_accuracy"][0] == 0.9


def test_a_run_that_goes_on_is_followed(folder, runs):
    run = runs[0]
    run.withdraw("start")
    made.ended(run, [0.5], "held_out_accuracy", "stopped")
    assert progress.table("s", folder).state[0] == "stopped"
    with Control(run) as control:
        control.set("running")
        assert progress.table("s", folder).state[0] == "running"
        writer = made.RunWriter(run, made.ABOUT, from_step=100)
        writer.row({"step": 200, "epoch": 2.0, "seconds": 4.0, "held_out_loss": 0.2, "held_out_accuracy": 0.8})
        writer.close()
        assert progress.table("s", folder).last["held_out_accuracy"][0] == 0.8
        control.set("finished")
    assert progress.table("s", folder).outcome("held_out_accuracy")[0] == 0.8


def test_a_study_that_was_changed_elsewhere_is_read_again(folder, runs):
    assert len(progress.table("s", folder)) == 12
    growth.grow("s", seeds=(9,), folder=folder)
    table = progress.table("s", folder)
    assert len(table) == 18 and table.counts["missing"] == 6 and table.counts["queued"] == 12


def test_a_run_from_before_progress_had_them_has_the_seconds_of_its_rows(folder, runs):
    runs[0].withdraw("start")
    made.ended(runs[0], [0.9], "held_out_accuracy")
    path = runs[0].path / "progress.json"
    content = json.loads(path.read_text())
    for name in ("seconds", "evaluation_seconds", "peak_memory"):
        del content[name]
    path.write_text(json.dumps(content))
    table = progress.table("s", folder)
    assert table.seconds[0] == 2.0 and math.isnan(table.evaluation_seconds[0]) and math.isnan(table.peak_memory[0])


def everything(table):
    columns = [table.state, table.reason, *(values.tolist() for values in (*table.last.values(), *table.best.values()))]
    columns += [table.seconds.tolist(), table.peak_memory.tolist(), table.steps_to_target.tolist()]
    columns += [[{n: (c.x.tolist(), c.y.tolist()) for n, c in curves.items()} for curves in table.curves]]
    return repr(columns)


def test_what_is_kept_of_ended_runs_is_what_they_say(folder, runs, monkeypatch):
    monkeypatch.setattr(progress, "WORTH", 3)
    monkeypatch.setattr(measured, "_UNSURE", 0)
    for run, last in zip(runs[:5], (0.5, 0.6, math.nan, 0.8, 0.9)):
        run.withdraw("start")
        lost = math.isnan(last)
        made.ended(run, [0.4, last], "held_out_accuracy", *(("failed", "diverged") if lost else ()))
    kept_file = folder / "studies/s" / kept.NAME
    first = everything(progress.Progress("s", folder).table())
    assert kept_file.exists()
    read, update = [], Metrics.update
    monkeypatch.setattr(Metrics, "update", lambda self: read.append(self._id) or update(self))
    assert everything(progress.Progress("s", folder).table()) == first and read == []
    # What has changed since is read from the run.
    made.ended(runs[0], [0.4, 0.7, 0.75], "held_out_accuracy")
    after = progress.Progress("s", folder).table()
    assert read == [runs[0].id] and after.last["held_out_accuracy"][0] == 0.75
    kept_file.write_bytes(kept_file.read_bytes()[:-9] + b"nonsense!")
    assert everything(progress.Progress("s", folder).table()) == everything(after), "a damaged one is none"
