"""What is deleted goes to the trash and comes back; through a link nothing is moved or removed."""

import os

import pytest

from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.store import Run, RunError
from tests.permissions import permissions_hold  # noqa: F401, a fixture


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def run(folder):
    return store.create({}, name="one", folder=folder)


@pytest.mark.parametrize("remove", [store.discard, Run.delete], ids=["discard", "delete"])
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
    store.discard(Run(tmp_path / "linked" / run.id))
    assert [each.id for each in store.trash(folder)] == [run.id]
    store.restore(Run(tmp_path / "linked" / store.TRASH / run.id))
    Run(tmp_path / "linked" / run.id).delete()
    assert sorted(os.listdir(folder)) == [store.TRASH]


def test_a_link_is_listed_by_its_own_name_and_found_by_it(run, folder, tmp_path):
    link = folder / "20260101-000000-linked-00000000"
    link.symlink_to(run.path)
    assert [each.id for each, _ in store.scan(folder)] == [link.name, run.id]
    assert store.find(link.name, folder).path == link
    assert store.find(run.id, folder).path == run.path


def test_a_trash_that_is_a_link_or_a_file_takes_nothing(run, folder, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / store.TRASH).symlink_to(elsewhere)
    with pytest.raises(RunError, match=r"\.trash is no folder"):
        store.discard(run)
    assert run.path.exists() and os.listdir(elsewhere) == []
    (folder / store.TRASH).unlink()
    (folder / store.TRASH).write_text("mine")
    with pytest.raises(RunError, match=r"\.trash is no folder"):
        store.discard(run)
    with pytest.raises(RunError, match=r"\.trash is no folder"):
        store.trash(folder)
    assert run.path.exists() and (folder / store.TRASH).read_text() == "mine"


def test_of_two_runs_of_one_id_neither_is_lost(run, folder):
    store.discard(run)
    again = folder / run.id
    again.mkdir()
    (again / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="in the trash already"):
        store.discard(Run(again))
    [trashed] = store.trash(folder)
    with pytest.raises(RunError, match="is there already"):
        store.restore(trashed)
    assert (again / "notes.txt").read_text() == "mine" and trashed.config == {}


def test_a_run_that_waits_leaves_the_queue_and_comes_back_outside_it(run, folder):
    (run.path / "requests" / "start").write_text("{}")
    store.discard(run)
    assert not (store.restore(*store.trash(folder)).path / "requests" / "start").exists()


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
    store.discard(run)
    [trashed] = store.trash(folder)
    assert store.restore(trashed).id == run.id


def test_what_is_not_in_the_trash_is_not_brought_back(run, folder):
    with pytest.raises(RunError, match="is not in a trash"):
        store.restore(run)
    assert run.path.exists()


def test_a_run_that_is_worked_on_goes_nowhere(run, folder):
    with Control(run), pytest.raises(RunError, match="already being worked on"):
        store.discard(run)
    assert run.path.exists() and store.trash(folder) == []


def test_a_link_for_its_requests_keeps_the_other_runs_request(run, folder):
    other = store.create({}, name="two", folder=folder)
    (other.path / "requests" / "start").write_text("{}")
    (run.path / "requests").rmdir()
    (run.path / "requests").symlink_to(other.path / "requests")
    store.discard(run)
    assert (other.path / "requests" / "start").exists()
    assert [each.id for each in store.trash(folder)] == [run.id]


def test_what_is_in_the_trash_already_is_not_thrown_away_again(run, folder):
    trashed = store.discard(run)
    with pytest.raises(RunError, match=r"in the trash already.*runs restore.*runs empty-trash"):
        store.discard(trashed)
    assert os.listdir(folder / store.TRASH) == [run.id]


def test_a_linked_trash_is_neither_listed_nor_restored_from_nor_emptied(run, folder, tmp_path):
    elsewhere = store.discard(store.create({}, name="two", folder=tmp_path / "others")).path.parent
    (folder / store.TRASH).symlink_to(elsewhere)
    before = os.listdir(elsewhere)
    linked = Run(folder / store.TRASH / before[0])
    for do in (lambda: store.trash(folder), lambda: store.restore(linked), linked.delete):
        with pytest.raises(RunError, match=r"\.trash is no folder of this runs folder"):
            do()
    assert os.listdir(elsewhere) == before and sorted(os.listdir(folder)) == sorted([store.TRASH, run.id])


def test_a_run_of_which_something_cannot_be_removed_stays_in_sight(run, folder, permissions_hold):  # noqa: F811
    trashed = store.discard(run)
    kept = trashed.path / "snapshots"
    (kept / "1.safetensors").touch()
    kept.chmod(0o555)
    with pytest.raises(OSError, match="Permission denied"):
        trashed.delete()
    assert [each.id for each in store.trash(folder)] == [run.id]
    kept.chmod(0o755)
    trashed.delete()
    assert os.listdir(folder / store.TRASH) == []
