"""What is deleted goes to the trash and comes back; through a link nothing is moved or removed."""

import os

import pytest

from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.files import RunError
from fop_core.runs.names import TRASH
from fop_core.runs.run import Run
from tests.permissions import permissions_hold  # noqa: F401, a fixture


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def run(folder):
    return store.create({}, name="one", folder=folder)


@pytest.mark.parametrize("remove", [Run.delete, Run.remove], ids=["delete", "remove"])
@pytest.mark.parametrize("relative", [False, True])
def test_a_link_to_a_run_is_refused_and_its_target_stays(run, folder, tmp_path, monkeypatch, remove, relative):
    shared = tmp_path / "shared"
    shared.mkdir()
    run.path.rename(shared / run.id)
    link = folder / "20260101-000000-linked-00000000"
    link.symlink_to(shared / run.id)
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in (shared / run.id).iterdir())
    with pytest.raises(RunError, match=f"is a link to {shared / run.id}.*rm .*{link.name}"):
        remove(Run(link.name if relative else link))
    assert link.is_symlink() and sorted(path.name for path in (shared / run.id).iterdir()) == before
    assert os.listdir(folder) == [link.name]


def test_a_runs_folder_that_is_a_link_is_as_any(run, folder, tmp_path):
    (tmp_path / "linked").symlink_to(folder)
    Run(tmp_path / "linked" / run.id).delete()
    assert [each.id for each in store.trashed(folder)] == [run.id]
    Run(tmp_path / "linked" / TRASH / run.id).restore()
    Run(tmp_path / "linked" / run.id).remove()
    assert sorted(os.listdir(folder)) == [TRASH]


def test_a_link_is_listed_by_its_own_name_and_found_by_it(run, folder, tmp_path):
    link = folder / "20260101-000000-linked-00000000"
    link.symlink_to(run.path)
    assert [each.id for each, _ in store.scan(folder)] == [link.name, run.id]
    assert store.find(link.name, folder).path == link
    assert store.find(run.id, folder).path == run.path


def test_a_trash_that_is_a_link_or_a_file_takes_nothing(run, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / TRASH).symlink_to(elsewhere)
    with pytest.raises(RunError, match=r"\.trash is no folder"):
        run.delete()
    assert run.path.exists() and os.listdir(elsewhere) == []
    (folder / TRASH).unlink()
    (folder / TRASH).write_text("mine")
    with pytest.raises(RunError, match=r"\.trash is no folder"):
        run.delete()
    with pytest.raises(RunError, match=r"\.trash is no folder"):
        store.trashed(folder)
    assert run.path.exists() and (folder / TRASH).read_text() == "mine"


def test_of_two_runs_of_one_id_neither_is_lost(run, folder):
    run.delete()
    again = folder / run.id
    again.mkdir()
    (again / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="in the trash already"):
        Run(again).delete()
    [trashed] = store.trashed(folder)
    with pytest.raises(RunError, match="is there already"):
        trashed.restore()
    assert (again / "notes.txt").read_text() == "mine" and trashed.config == {}


def test_a_run_that_waits_leaves_the_queue_and_comes_back_outside_it(run, folder):
    (run.path / "requests" / "start").write_text("{}")
    run.delete()
    [trashed] = store.trashed(folder)
    assert not trashed.restore().has_request("start")


@pytest.mark.parametrize("damage", ["a file for its requests", "a folder for what asks to start it", "no run.json"])
def test_a_damaged_run_goes_to_the_trash_and_comes_back_too(run, folder, damage):
    if damage == "no run.json":
        (run.path / "run.json").unlink()
    else:
        (run.path / "requests").rmdir()
        if damage == "a file for its requests":
            (run.path / "requests").write_text("")
        else:
            (run.path / "requests" / "start").mkdir(parents=True)
    run.delete()
    [trashed] = store.trashed(folder)
    assert trashed.restore().id == run.id


def test_what_is_not_in_the_trash_is_not_brought_back(run, folder):
    with pytest.raises(RunError, match="is not in a trash"):
        run.restore()
    assert run.path.exists()


def test_a_run_that_is_worked_on_goes_nowhere(run, folder):
    with Control(run), pytest.raises(RunError, match="already being worked on"):
        run.delete()
    assert run.path.exists() and store.trashed(folder) == []


def test_a_link_for_its_requests_keeps_the_other_runs_request(run, folder):
    other = store.create({}, name="two", folder=folder)
    (other.path / "requests" / "start").write_text("{}")
    (run.path / "requests").rmdir()
    (run.path / "requests").symlink_to(other.path / "requests")
    run.delete()
    assert (other.path / "requests" / "start").exists()
    assert [each.id for each in store.trashed(folder)] == [run.id]


def test_what_is_in_the_trash_already_is_not_thrown_away_again(run, folder):
    trashed = run.delete()
    with pytest.raises(RunError, match=r"in the trash already.*runs restore.*runs empty-trash"):
        trashed.delete()
    assert os.listdir(folder / TRASH) == [run.id]


def test_a_linked_trash_is_neither_listed_nor_restored_from_nor_emptied(run, folder, tmp_path):
    elsewhere = store.create({}, name="two", folder=tmp_path / "others").delete().path.parent
    (folder / TRASH).symlink_to(elsewhere)
    before = os.listdir(elsewhere)
    linked = Run(folder / TRASH / before[0])
    for do in (lambda: store.trashed(folder), linked.restore, linked.remove):
        with pytest.raises(RunError, match=r"\.trash is no folder of this runs folder"):
            do()
    assert os.listdir(elsewhere) == before and sorted(os.listdir(folder)) == sorted([TRASH, run.id])


def test_a_run_of_which_something_cannot_be_removed_stays_in_sight(run, folder, permissions_hold):  # noqa: F811
    trashed = run.delete()
    kept = trashed.path / "snapshots"
    (kept / "1.safetensors").touch()
    kept.chmod(0o555)
    with pytest.raises(OSError, match="Permission denied"):
        trashed.remove()
    assert [each.id for each in store.trashed(folder)] == [run.id]
    kept.chmod(0o755)
    trashed.remove()
    assert os.listdir(folder / TRASH) == []
