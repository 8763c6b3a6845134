"""Studies that somebody has put into the runs folder: each is shown as what it is, does nothing, and hides no other."""

import contextlib
import fcntl
import json
import os
import time
from pathlib import Path

import numpy as np
import pytest

from fop_core.jobs import queue
from fop_core.runs import files
from fop_core.runs import store as runs
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import advance, cells, conclusions, kept, progress, protocol, store, submit, watcher
from fop_core.training import config
from fop_core.training.config import ConfigError
from pages.studies import overview
from tests.studies import made
from tests.studies.made import study


@pytest.fixture(autouse=True)
def fresh():
    """Nobody follows a study of a test before."""
    progress._followed.clear()
    advance._last.clear()


def put(folder: Path, id_: str = "s", **changes) -> Path:
    """Write down a study of this machine with some of its file changed, as somebody who knows how may."""
    stored = store.create(study(name=id_), folder)
    path = stored.path / "study.json"
    content = json.loads(path.read_text())
    plan = content["study"] | changes.pop("study", {})
    path.write_text(json.dumps(content | changes | {"study": plan}))
    return path


def test_one_from_another_machine_does_nothing_until_it_is_resumed(folder):
    put(folder, machine="another one")
    assert watcher._ours(folder) == [] and not advance.advance("s", folder)
    assert list(runs.directories(folder)) == []
    assert "resume it to go on with it here" in store.obstacle(store.load("s", folder))
    submit.resume("s", folder)
    assert [each.id for each in watcher._ours(folder)] == ["s"] and len(list(runs.directories(folder))) == 27


def test_one_that_others_may_write_or_that_is_a_link_does_nothing(folder, tmp_path):
    path = put(folder)
    assert not store.obstacle(store.load("s", folder))
    path.chmod(0o666)
    assert "others may write" in store.obstacle(store.load("s", folder)) and watcher._ours(folder) == []
    with store.changing("s", folder) as stored:
        stored.host = "here"
    assert not store.obstacle(store.load("s", folder)), "written anew it is ours alone"
    os.rename(path.parent, tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", path.parent)
    listed, damaged = store.list_studies(folder)
    assert listed == [] and "is a link to" in damaged["s"]
    with pytest.raises(DamagedFile, match="is a link to"), store.changing("s", folder):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_one_of_another_user_is_shown_and_does_nothing(folder):
    path = put(folder)
    os.chown(path, 65534, -1)
    assert "belongs to" in store.obstacle(store.load("s", folder)) and watcher._ours(folder) == []
    os.chown(path.parent, 65534, -1)
    with pytest.raises(RunError, match="belongs to"), store.changing("s", folder):
        pass


@pytest.mark.parametrize("kind", [fcntl.LOCK_SH, fcntl.LOCK_EX])
def test_a_lock_that_somebody_holds_is_waited_for_and_then_named(folder, monkeypatch, kind):
    put(folder)
    monkeypatch.setattr(store, "PATIENCE", 0.2)
    with open(folder / "studies/s/study.lock", "w") as held:
        fcntl.flock(held, kind)
        with pytest.raises(RunError, match=r"another program holds .*study\.lock"), store.changing("s", folder):
            pass
    with store.changing("s", folder):
        assert (folder / "studies/s/study.lock").stat().st_mode & 0o077 == 0, "nobody else can hold it"


@pytest.mark.parametrize(
    "changes",
    [
        {"axes": [{"field": "optimizer.lr", "values": list(range(60_000))}]},
        {"methods": [f"m{number}" for number in range(50_000)]},
        {"base": {f"optimizer.lr{number}": 1 for number in range(20_000)}},
        {"axes": [{"field": f"optimizer.lr{number}", "values": [1]} for number in range(5_000)]},
        {"axes": [{"field": "optimizer.lr", "values": [1, 10**400], "scale": "lin"}], "sampling": "quasi-random"},
    ],
)
def test_more_than_a_study_can_have_is_damage_said_at_once(folder, changes):
    put(folder, "other")
    put(folder, study=changes)
    begun = time.process_time()
    listed, damaged = store.list_studies(folder)
    assert time.process_time() - begun < 30, "hours, where each is compared with each"
    assert [each.id for each in listed] == ["other"] and "study.json" in damaged["s"] and len(damaged["s"]) < 2000


DECIDING = ("optimizer.name", "schedule.kind", "model.name", "data.name")


@pytest.mark.parametrize(
    "changes",
    [
        {"study": {"axes": [{"field": name, "values": list(range(1000))} for name in (*DECIDING, "fop.rank")]}},
        {"study": {"seeds": list(range(60)), "fresh_seeds": [60], "limit": 100}},
        {"study": {"axes": [{"field": "fop.preconditioner", "values": [[1]]}, {"field": "fop.rank", "values": [1]}]}},
        {"study": {"axes": [{"field": "optimizer.name", "values": [[1], [2]]}]}},
        {"winners": {"fop": {"nosuch.x": 1}}},
        {"winners": {"fop": {"data": 3}}},
        {"winners": {"fop": {"optimizer.lr": 0.7, "fop.rank": 1}}},
    ],
)
def test_cells_that_cannot_be_are_said_where_it_is_opened_and_end_nothing(folder, changes, capsys):
    put(folder, "bad", **changes)
    store.create(study(name="good", seeds=[0], fresh_seeds=[1]), folder)
    with pytest.raises(DamagedFile, match=r"bad/study\.json: its study does not do"):
        progress.table("bad", folder)
    watcher._round(folder, {})
    assert len(list(runs.directories(folder))) == 9, "the other one goes on"
    assert "bad" in capsys.readouterr().out


@pytest.mark.parametrize(
    "changes",
    [
        {"created": "x"},
        {"created": 5},
        {"changes": [{"at": 5, "what": "more"}]},
        {"changes": [{"at": "soon", "what": "more"}]},
        {"changes": [{"at": "", "what": 1}]},
        {"changes": [{"reported": "all"}]},
    ],
)
def test_what_no_reader_could_show_is_damage(folder, changes):
    put(folder, "good")
    put(folder, "bad", **changes)
    listed, damaged = store.list_studies(folder)
    assert [each.id for each in listed] == ["good"] and "bad" in damaged
    assert overview._row(listed[0], {})["id"] == "good"


def test_whatever_lies_in_place_of_the_folder_of_studies_is_said(folder):
    os.symlink("studies", folder / "studies")
    listed, damaged = store.list_studies(folder)
    assert listed == [] and "studies" in damaged["studies"]
    assert watcher._round(folder, {}) is False
    (folder / "studies").unlink()
    put(folder)
    os.symlink("loop", folder / "studies/loop")
    assert [each.id for each in store.list_studies(folder)[0]] == ["s"]


def finished(folder: Path, settings: dict, accuracy: float):
    run = runs.create(settings, folder=folder)
    return made.ended(run, [accuracy / 2, accuracy])


def test_a_run_of_other_settings_is_no_cells_run(folder):
    stored = store.create(study(axes=[], seeds=[], fresh_seeds=[0, 1, 2]), folder)
    for cell in cells.cells(stored.study):
        settings = cell.config.to_json()
        if cell.method == "fop":
            settings |= {"epochs": 1000, "seed": 77}
        with store.changing("s", folder) as stored:
            stored.runs[cell.key] = finished(folder, settings, 0.9 + 0.01 * cell.seed).id
    table = progress.table("s", folder)
    assert table.counts == {"finished": 3, "damaged": 3}
    assert {reason for reason in table.reason if reason} == {"its settings are not those of this cell"}
    assert np.isfinite(table.last["test_accuracy"]).sum() == 3
    assert "3 damaged" in " ".join(conclusions.conclusions(table))


def test_a_run_that_it_names_and_that_is_another_ones_is_neither_started_nor_stopped(folder, monkeypatch):
    stopped = []
    monkeypatch.setattr(queue, "stop", lambda run, by="": stopped.append(run.id))
    mine = runs.create(config.preset("mnist-mlp", "adam").to_json(), folder=folder)
    control = Control(mine)
    control.set("running")
    waiting = runs.create(config.preset("mnist-mlp", "adam").to_json(), folder=folder)
    stored = store.create(study(fresh_seeds=[7]), folder)
    keys = [cell.key for cell in cells.cells(stored.study)]
    with store.changing("s", folder) as stored:
        stored.runs = {keys[0]: mine.id, keys[1]: waiting.id}
    done = submit.resume("s", folder)
    assert done.troubles[waiting.id] == "its settings are not those of this cell"
    assert not waiting.has_request("start") and len(done.queued) == 25
    submit.stop("s", folder)
    assert mine.id not in stopped and waiting.id not in stopped and len(stopped) == 25
    control.release()


def test_what_was_kept_beside_a_study_counts_for_its_cells_and_its_runs_alone(folder, monkeypatch):
    monkeypatch.setattr(progress, "WORTH", 1)
    stored = store.create(study(axes=[], seeds=[], fresh_seeds=[0, 1, 2]), folder)
    made_of = {}
    for cell in cells.cells(stored.study):
        made_of[cell.key] = finished(folder, cell.config.to_json(), 0.9).id
    with store.changing("s", folder) as stored:
        stored.runs = made_of
    follower = progress.progress("s", folder)
    for row in (follower.table(), follower._rows)[1].values():
        row.sure = True
    follower._keep()
    assert set(kept.read(stored.path)) == set(made_of.values())
    values = list(made_of.values())
    with store.changing("s", folder) as stored:
        stored.runs = dict(zip(made_of, [values[1], values[0], *values[2:]]))
    progress._followed.clear()
    assert progress.table("s", folder).counts == {"damaged": 2, "finished": 4}


def test_a_file_beside_a_study_that_is_large_is_not_read(folder, monkeypatch):
    path = put(folder).parent
    files.write_arrays(path / kept.NAME, {"stamps": np.zeros(1000)})
    monkeypatch.setattr(kept, "LARGEST", 4000)
    monkeypatch.setattr(files, "read_arrays", lambda path: pytest.fail("it was read"))
    assert kept.read(path) == {}


def test_a_link_in_place_of_the_trash_hides_no_study(folder):
    put(folder)
    submit.resume("s", folder)
    gone = next(runs.directories(folder))
    gone.remove()
    os.symlink("/nowhere", folder / ".trash")
    progress._followed.clear()
    assert progress.table("s", folder).counts["deleted"] == 1


@pytest.mark.parametrize("words", ["[" * 100_000, "1," + "[" * 100_000])
def test_an_axis_of_brackets_is_refused(words):
    axis = protocol.parse_axis(f"optimizer.name={words}")
    with pytest.raises(ConfigError):
        cells.check(study(methods=["sgd"], axes=[axis.model_dump()]))


def test_an_interval_has_the_sign_of_what_is_said(folder):
    better = {"momentum": [0.97, 0.971, 0.972], "fop": [0.90, 0.9012, 0.902]}
    for values in (better, dict(reversed(better.items()))):
        [said] = [words for words in conclusions.conclusions(made.table(values)) if "has the better" in words]
        low, high = said.partition("interval ")[2].removesuffix(" points).").split(" to ")
        assert said.startswith("momentum has the better test accuracy, by 6.99 points")
        assert 6.5 < float(low.replace("−", "-")) < float(high.replace("−", "-")) < 7.5, said


def test_nobody_else_waits_for_a_study_whose_advance_fails(folder, monkeypatch):
    put(folder, "bad")
    put(folder, "good")
    advanced = []

    def fail(id_, folder=None):
        advanced.append(id_)
        raise KeyError("whatever it is")

    monkeypatch.setattr(advance, "advance", fail)
    with contextlib.redirect_stdout(None):
        watcher._round(folder, {})
    assert sorted(advanced) == ["bad", "good"]
