import json
import math

import pytest

from fop_core.jobs import queue
from fop_core.runs import store as runs
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.studies import advance, binding, cells, progress, store, submit
from fop_core.studies.protocol import parse_axis
from fop_core.training import config
from fop_core.training.config import ConfigError
from tests.studies import made
from tests.studies.made import study


def ids(folder):
    return [run.id for run in runs.directories(folder)]


def test_a_study_makes_a_run_for_each_cell_and_queues_it_in_order(folder):
    done = submit.submit(study(), folder)
    assert len(done.made) == len(done.queued) == len(ids(folder)) == 27 and not done.troubles
    assert [run.id for run in queue.waiting(folder)] == [done.stored.runs[cell.key] for cell in cells.cells(study())]
    run = Run(folder / done.made[0])
    assert run.config["data"]["held_out"] == 0.1 and run.labels["tags"] == ["study", "s", "tune"]
    assert store.load("s", folder).runs == done.stored.runs


def test_what_does_not_do_leaves_no_run(folder):
    with pytest.raises(ConfigError):
        submit.submit(study("optimizer.lr=0.1,-1"), folder)
    assert ids(folder) == [] and store.ids(folder) == []


def test_a_run_with_the_same_settings_is_taken_in_and_not_trained_again(folder):
    plan = study(seeds=[0])
    first, second, third, fourth, *_ = cells.cells(plan)
    finished = runs.create(first.config.to_json(), folder=folder)
    made.ended(finished, [0.5, 0.9], "held_out_accuracy")
    diverged = made.ended(
        runs.create(second.config.to_json(), folder=folder), [0.1], "held_out_accuracy", "failed", "diverged"
    )
    stopped = runs.create(third.config.to_json(), folder=folder)
    with Control(stopped) as control:
        control.set("stopped", "by somebody")
    fork = {"parent": "x", "step": 3, "matrices": "frozen"}
    runs.create(fourth.config.to_json(), folder=folder, lineage=fork)
    runs.create(config.change(first.config, ["snapshots=3"]).to_json(), folder=folder)
    done = submit.submit(plan, folder)
    assert set(done.adopted) == {finished.id, diverged.id, stopped.id}
    assert len(done.made) == 6 and stopped.id in done.queued and finished.id not in done.queued
    table = progress.table("s", folder)
    assert table.adopted == [True] * 3 + [False] * 6
    assert table.last["held_out_accuracy"][0] == 0.9 and table.diverged[1]


def test_a_second_study_takes_in_the_runs_of_the_first(folder):
    first = submit.submit(study(), folder)
    second = submit.submit(study(name="two", seeds=[0, 1]), folder)
    assert second.made == [] and set(second.stored.runs.values()) < set(first.stored.runs.values())
    assert second.queued == [], "they wait already"


def test_of_two_runs_the_one_that_came_further_is_taken_in(folder):
    cell = cells.cells(study())[0]
    runs.create(cell.config.to_json(), folder=folder)
    finished = made.ended(runs.create(cell.config.to_json(), folder=folder), [0.9], "held_out_accuracy")
    runs.create(cell.config.to_json(), folder=folder)
    assert binding.existing(folder) == {cell.key: finished.id}


def test_a_study_that_was_cut_short_while_it_was_submitted_finds_its_runs_again(folder, monkeypatch):
    made_runs, create = [], runs.create

    def cut(*args, **more):
        if len(made_runs) == 5:
            raise KeyboardInterrupt
        made_runs.append(create(*args, **more))
        return made_runs[-1]

    monkeypatch.setattr(runs, "create", cut)
    with pytest.raises(KeyboardInterrupt):
        submit.submit(study(), folder)
    monkeypatch.undo()
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    monkeypatch.setattr("fop_core.studies.watcher._start", lambda folder: None)
    assert progress.table("s", folder).counts == {"missing": 27}
    advance.advance("s", folder)
    assert len(ids(folder)) == 27 and not store.load("s", folder).adopted
    assert len(queue.waiting(folder)) == 27


def test_a_stopped_study_goes_on_and_what_was_deleted_is_made_anew(folder):
    done = submit.submit(study(seeds=[0]), folder)
    made.ended(finished := Run(folder / done.made[0]), [0.9], "held_out_accuracy")
    finished.withdraw("start")
    assert submit.stop("s", folder) == (8, {})
    assert queue.waiting(folder) == [] and progress.table("s", folder).counts == {"finished": 1, "stopped": 8}
    assert not advance.advance("s", folder) and queue.waiting(folder) == []
    Run(folder / done.made[1]).delete()
    again = submit.resume("s", folder)
    assert len(again.made) == 1 and len(again.queued) == 8 and not store.load("s", folder).stopped
    assert progress.table("s", folder).counts == {"queued": 8, "finished": 1}


def test_a_failed_run_goes_on_only_when_it_is_resumed_and_one_that_diverged_never(folder):
    done = submit.submit(study("optimizer.lr=0.1,1", seeds=[0], methods=["sgd"]), folder)
    for run_id, cause in zip(done.made, ("memory", "diverged")):
        Run(folder / run_id).withdraw("start")
        made.ended(Run(folder / run_id), [0.1], "held_out_accuracy", "failed", cause)
    assert not advance.advance("s", folder) and queue.waiting(folder) == []
    assert submit.resume("s", folder).queued == [done.made[0]]


def test_growing_submits_what_is_new_and_keeps_what_is_there(folder):
    done = submit.submit(study(), folder)
    grown = submit.grow("s", axis=parse_axis("optimizer.lr=0.2"), folder=folder)
    assert len(grown.made) == 9 and done.stored.runs.items() < grown.stored.runs.items()
    # An axis that was not there: the preset's own value is among its values, and those runs are taken in.
    grown = submit.grow("s", axis=parse_axis("fop.hyper_lr=1e-4,1e-3"), folder=folder)
    assert len(grown.made) == 24 and len(progress.table("s", folder)) == 60


def test_many_runs_are_asked_for_in_one_look_and_those_that_cannot_be_are_named(folder, monkeypatch):
    looks, waiting = [], queue.requests.waiting
    monkeypatch.setattr(queue.requests, "waiting", lambda folder: looks.append(1) or waiting(folder))
    all_of = [runs.create(cells.cells(study())[0].config.to_json(), folder=folder) for _ in range(10)]
    made.ended(all_of[3], [0.9])
    (all_of[5].path / "state.json").write_text("{")
    troubles = queue.submit_all(all_of, "me")
    assert list(troubles) == [all_of[3].id, all_of[5].id] and len(looks) < 5
    assert [run.id for run in queue.waiting(folder)] == [run.id for run in all_of if run.id not in troubles]


def test_winners_are_reported_with_fresh_seeds_as_soon_as_their_method_is_tuned(folder):
    submit.submit(study(), folder)
    made.write(store.load("s", folder), lambda cell: 0.9 if cell.config.optimizer.lr == 0.05 else 0.8)
    assert not advance.advance("s", folder), "all is decided"
    stored = store.load("s", folder)
    assert stored.winners == {"momentum": {"optimizer.lr": 0.05}, "fop": {"optimizer.lr": 0.05, "fop.rank": 1}}
    table = progress.table("s", folder)
    report = table.rows("report")
    assert [(table.method[i], table.seed[i]) for i in report] == [
        (m, s) for m in ("momentum", "fop") for s in (3, 4, 5)
    ]
    assert {Run(folder / table.run_id[i]).config["data"]["held_out"] for i in report} == {0.0}
    assert len(queue.waiting(folder)) == 6
    made.write(stored, lambda cell: 0.95)
    assert not advance.advance("s", folder) and progress.table("s", folder).ended.all()


def test_a_method_whose_every_setting_diverged_has_no_winner(folder):
    submit.submit(study(seeds=[0]), folder)
    made.write(store.load("s", folder), lambda cell: math.nan if cell.method == "fop" else 0.9)
    advance.advance("s", folder)
    stored = store.load("s", folder)
    assert (list(stored.winners), stored.lost) == (["momentum"], ["fop"])
    assert not advance.undecided(stored)


def test_advancing_while_runs_are_open_decides_nothing_and_goes_on(folder):
    submit.submit(study(seeds=[0]), folder)
    before = json.loads((folder / "studies/s/study.json").read_text())
    assert advance.advance("s", folder) and advance.undecided(store.load("s", folder))
    assert json.loads((folder / "studies/s/study.json").read_text()) == before
