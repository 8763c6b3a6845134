import socket

import pytest

from fop_core.jobs import queue
from fop_core.studies import advance, progress, store, submit, watcher
from tests.studies import made
from tests.studies.made import study


@pytest.fixture
def started(folder, monkeypatch):
    calls = []
    monkeypatch.setattr(watcher, "_start", calls.append)
    return calls


def test_it_is_started_where_a_study_has_something_to_decide(folder, started):
    submit.submit(study(seeds=[0]), folder)
    assert started == [folder]
    watcher.ensure(folder)
    assert len(started) == 1, "who looks often does not start it each time"
    submit.resume("s", folder)
    assert len(started) == 2
    with watcher.electing(folder) as elected:
        assert elected
        submit.resume("s", folder)
    assert len(started) == 2, "one is there"


def test_it_is_not_started_where_nothing_is_to_be_decided(folder, started):
    submit.submit(study("optimizer.lr=0.1,0.2", name="stopped"), folder)
    started.clear()
    submit.stop("stopped", folder)
    with store.changing("stopped", folder) as stored:
        stored.stopped = False
        stored.machine = "another machine"
    watcher.ensure(folder, again=True)
    assert started == []


def test_it_decides_and_reports_and_is_gone_when_nothing_is_left(folder, monkeypatch):
    submit.submit(study(), folder)
    monkeypatch.setattr(watcher, "PAUSE", 0.0)
    rounds = []

    def train(seconds):
        rounds.append(seconds)
        made.write(store.load("s", folder), lambda cell: 0.9)

    monkeypatch.setattr(watcher.time, "sleep", train)
    watcher.watch(folder)
    stored = store.load("s", folder)
    assert set(stored.winners) == {"momentum", "fop"} and len(rounds) == 1
    assert len(queue.waiting(folder)) == 6, "with fresh seeds"
    assert not advance.undecided(stored) and stored.host == socket.gethostname()


def test_one_damaged_study_keeps_no_other_from_going_on(folder, capsys):
    submit.submit(study(name="damaged"), folder)
    submit.submit(study(), folder)
    made.write(store.load("s", folder), lambda cell: 0.9)
    (folder / "studies/damaged/study.lock").unlink()
    (folder / "studies/damaged/study.lock").mkdir()
    progress.table("damaged", folder)
    watcher.watch(folder)
    assert set(store.load("s", folder).winners) == {"momentum", "fop"}
    assert "damaged: " in capsys.readouterr().out
