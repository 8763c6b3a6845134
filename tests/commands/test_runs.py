"""What the command line does with runs: to the trash and back, one meaning with the page."""

import importlib.metadata
import json
import os

import pytest

from fop_core.cli import main
from fop_core.reproduction import GALLERY
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.names import TRASH
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config, environment
from tests.runs import tiny
from tests.runs.test_damage import ATTEMPT


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def made(name):
    return store.create(config.preset("mnist-mlp", "fop").to_json(), name=name)


def call(capsys, *arguments):
    status = main(list(map(str, arguments)))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_delete_moves_to_the_trash_and_restore_brings_back(capsys, folder):
    one, two = made("one"), made("two")
    for run, more in ((one, ()), (two, ("--yes",))):
        status, out, _ = call(capsys, "runs", "delete", run.name, *more)
        assert status == 0 and f"runs restore {run.id}" in out
    assert [each.id for each in store.trashed(folder)] == [one.id, two.id]
    status, out, _ = call(capsys, "runs", "trash")
    assert status == 0 and all(run.id in out for run in (one, two)) and "kB" in out
    listed = json.loads(call(capsys, "runs", "trash", "--json")[1])
    assert [(row["id"], row["name"]) for row in listed] == [(one.id, "one"), (two.id, "two")]
    assert all(row["bytes"] == run.size() for row, run in zip(listed, store.trashed(folder)))
    assert json.loads(call(capsys, "runs", "list", "--json")[1])["runs"] == []
    assert call(capsys, "runs", "restore", "one", two.id)[0] == 0
    assert sorted(run.id for run in store.directories(folder)) == [one.id, two.id]
    assert store.trashed(folder) == []
    status, _, err = call(capsys, "runs", "restore", "one")
    assert status == 2 and "no run 'one' in" in err and TRASH in err


def test_several_are_deleted_only_where_all_are_there(capsys, folder):
    one, two = made("one"), made("two")
    assert call(capsys, "runs", "delete", "one", "three")[0] == 2
    assert one.path.exists()
    assert call(capsys, "runs", "delete", "one", "two")[0] == 0
    assert [each.id for each in store.trashed(folder)] == [one.id, two.id]


def test_emptying_the_trash_says_how_much_goes_and_must_be_confirmed(capsys, folder, monkeypatch):
    two = [made("one"), made("two")][1]
    call(capsys, "runs", "delete", "one", "two")
    status, _, err = call(capsys, "runs", "empty-trash")
    assert status == 2 and "2 runs" in err and "bytes" in err and "--yes" in err
    assert len(store.trashed(folder)) == 2
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    status, out, _ = call(capsys, "runs", "empty-trash")
    assert status == 0 and "kept" in out and len(store.trashed(folder)) == 2
    assert call(capsys, "runs", "empty-trash", "one", "--yes")[0] == 0
    assert [each.id for each in store.trashed(folder)] == [two.id]
    monkeypatch.setattr("builtins.input", lambda question: "y")
    status, out, _ = call(capsys, "runs", "empty-trash")
    assert status == 0 and "bytes" in out and store.trashed(folder) == []
    status, out, _ = call(capsys, "runs", "empty-trash", "--yes")
    assert status == 0 and "empty already" in out


def test_a_link_is_refused_in_words(capsys, folder, tmp_path):
    run = made("one")
    elsewhere = run.path.rename(tmp_path / run.id)
    link = folder / run.id
    link.symlink_to(elsewhere)
    status, _, err = call(capsys, "runs", "delete", "one")
    assert status == 2 and f"{link} is a link to {elsewhere}" in err
    assert os.listdir(folder) == [run.id] and (elsewhere / "run.json").exists()


def test_runs_of_the_gallery_stay(capsys):
    path = GALLERY / "mnist-sgd-seed0"
    status, _, err = call(capsys, "runs", "delete", path)
    assert status == 2 and "gallery" in err and path.exists()


def test_one_run_that_cannot_be_moved_keeps_no_other_from_it(capsys, folder):
    busy, one, two = made("busy"), made("one"), made("two")
    with Control(busy):
        status, out, err = call(capsys, "runs", "delete", "busy", "one", "two")
    assert status == 1 and busy.id in err and all(run.id in out for run in (one, two))
    assert [run.id for run in store.trashed(folder)] == [one.id, two.id]
    (folder / one.id / "mine").mkdir(parents=True)  # where it would come back to
    status, out, err = call(capsys, "runs", "restore", one.id, "two")
    assert status == 1 and one.id in err and f"{two.id} is back" in out


@pytest.mark.parametrize("verb", [("empty-trash", "--yes"), ("restore",)], ids=lambda verb: verb[0])
def test_only_what_is_in_the_trash_is_removed_or_brought_back(capsys, folder, tmp_path, monkeypatch, verb):
    live, gone = made("live"), made("gone")
    call(capsys, "runs", "delete", "gone")
    elsewhere = store.create({}, name="theirs", folder=tmp_path / "others").delete().path
    monkeypatch.chdir(folder)  # where an id is a path too
    for text in (live.path, live.id, GALLERY / "mnist-sgd-seed0", elsewhere):
        status, out, err = call(capsys, "runs", *verb, text)
        assert (status, out) == (2, "") and str(text) in err and f"{folder / TRASH}" in err
    assert live.path.exists() and elsewhere.exists() and (GALLERY / "mnist-sgd-seed0" / "run.json").exists()
    (folder / gone.id).mkdir()  # and where a path hides what is in the trash
    (folder / gone.id / "run.json").write_text("mine")
    call(capsys, "runs", *verb, gone.id)
    assert (folder / gone.id / "run.json").read_text() == "mine"
    (folder / gone.id / "run.json").unlink()
    (folder / gone.id).rmdir()
    if verb[0] == "restore":
        assert call(capsys, "runs", *verb, f"{TRASH}/{gone.id}")[0] == 0
        assert store.find("gone", folder).path == folder / gone.id
    assert store.trashed(folder) == []


@pytest.mark.parametrize("verb", [("trash",), ("restore", "two"), ("empty-trash", "--yes"), ("empty-trash", "two")])
def test_a_trash_that_is_a_link_is_refused_in_words(capsys, folder, tmp_path, verb):
    made("one")
    trash = store.create({}, name="two", folder=tmp_path / "others").delete().path.parent
    (folder / TRASH).symlink_to(trash)
    there = os.listdir(trash)
    status, out, err = call(capsys, "runs", *verb)
    assert (status, out) == (2, "") and f"{folder / TRASH} is no folder of this runs folder" in err
    assert os.listdir(trash) == there


def test_what_is_in_the_trash_cannot_be_deleted_again(capsys, folder):
    run = made("one")
    call(capsys, "runs", "delete", "one")
    status, out, err = call(capsys, "runs", "delete", folder / TRASH / run.id)
    assert (status, out) == (2, "") and "in the trash already" in err
    assert os.listdir(folder / TRASH) == [run.id]


def test_a_link_in_the_trash_is_named_and_all_else_goes(capsys, folder, tmp_path):
    made("one"), made("two")
    call(capsys, "runs", "delete", "one", "two")
    target = made("target").path.rename(tmp_path / "target")
    (target / "large").write_bytes(bytes(10_000_000))
    link = folder / TRASH / "20200101-000000-linked-00000000"
    link.symlink_to(target)
    status, _, err = call(capsys, "runs", "empty-trash", "--yes")
    assert status == 1 and f"{link} is a link to {target}" in err and f"rm {link}" in err
    assert os.listdir(folder / TRASH) == [link.name] and (target / "run.json").exists()
    status, _, err = call(capsys, "runs", "empty-trash")
    assert status == 2 and "10,0" not in err  # what it leads to would not go


def test_what_others_wrote_makes_no_line_of_its_own_where_a_run_is_shown(capsys, folder):
    def changed(path, **values):
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    evil = "one\nfinished since never"
    run = made("one")
    with Control(run) as control:
        control.set("running")
        writer = RunWriter(run, ATTEMPT | {"data": {"title": evil}, "versions": {evil: evil}, "warning": evil})
        writer.row({"step": 1, evil: 1.0})
        writer.close()
        control.set("failed", "because")
    changed(run.path / "state.json", reason=evil)
    changed(run.path / "attempts" / "1.json", device_name=evil, commit=evil)
    changed(run.path / "run.json", config={"seed": 0, evil: evil})
    changed(run.path / "labels.json", name=evil, tags=[evil])
    status, out, _ = call(capsys, "runs", "show", run.id)
    assert status == 0 and out.count(r"one\nfinished since never") >= 10
    assert not [line for line in out.splitlines() if line.strip().startswith("finished since never")]


def test_versions_are_shown_as_each_attempt_has_them(capsys):
    run = made("one")
    RunWriter(run, ATTEMPT | {"versions": environment.versions()}).close()
    status, out, _ = call(capsys, "runs", "show", run.id)
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "pytorch-optimizer")]
    assert status == 0 and all(package in out for package in packages)
    status, out, _ = call(capsys, "runs", "show", GALLERY / "cifar10-fop-velocity")
    assert status == 0 and "torch 2.14.1" in out and "pytorch-optimizer" not in out, "one from before that was recorded"


def test_a_query_lists_the_runs_that_it_means_and_a_mistake_is_shown_in_its_place(capsys, folder):
    measured = [*tiny.rows(), {"step": 40, "test_accuracy": 0.75, "angle_deg/0.weight": 9.0}]
    tiny.made("quick", measured, "finished", "", "fop", "optimizer.lr=0.1").label(tags=["x"])
    tiny.made("slow", tiny.rows(), "finished", "", "momentum", "optimizer.lr=0.01")
    for text in ("lr>0.05 method=fop tag:x", "test_accuracy>=75%", "angle_deg/0.weight=9", "quick state=finished"):
        status, out, _ = call(capsys, "runs", "list", "--json", "--where", text)
        assert status == 0 and [run["name"] for run in json.loads(out)["runs"]] == ["quick"], text
    status, out, _ = call(capsys, "runs", "list", "--where", "lr>1")
    assert (status, out) == (0, "no run has all of that: lr>1\n")
    status, out, err = call(capsys, "runs", "list", "--where", "seed=0 lrr>1")
    assert (status, out) == (2, "")
    assert "--where: no field 'lrr'; did you mean" in err and err.endswith("\nseed=0 lrr>1\n       ^^^\n")


def test_two_runs_are_compared_by_their_settings(capsys, folder):
    tiny.made("one", tiny.rows(), "finished", "", "fop", "fop.rank=8")
    tiny.made("other", tiny.rows(), "finished", "", "momentum", "seed=3", "threads=2")
    status, out, _ = call(capsys, "runs", "diff", "one", "other")
    lines = [line.split() for line in out.splitlines()]
    assert status == 0 and ["seed", "0", "3"] in lines and ["fop.rank", "8", "-"] in lines
    assert lines[-1] == ["threads", "0", "2"] and "changes no result" in out
    made_json = json.loads(call(capsys, "runs", "diff", "--json", "one", "other")[1])
    ranks = [each for each in made_json["differences"] if each["setting"] == "fop.rank"]
    assert ranks == [{"setting": "fop.rank", "changes_results": True, "one": 8}]
    assert call(capsys, "runs", "diff", "one", "one")[:2] == (0, "no setting differs\n")
    assert call(capsys, "runs", "diff", "one", "nowhere")[0] == 2
