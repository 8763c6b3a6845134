"""A runs folder may be shared: nothing in it makes us run, write or wait for what somebody else put there."""

import json
import os
import time
from pathlib import Path

import pytest

from fop_core.cli import main
from fop_core.jobs import dispatcher, launcher_settings, placements, queue, requests, slots
from fop_core.jobs.launchers.slurm import launcher
from fop_core.runs import records
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from tests.jobs.conftest import new, wait

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user, which only root can")


def traps(folder: Path) -> Path:
    """Put modules into a folder that note where they were imported; return the note."""
    note = folder / "imported"
    for name in ("numpy.py", "json.py", "fop_core/__init__.py", "psutil.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"open({str(note)!r}, 'a').write({name!r})\nraise SystemExit(7)\n")
    return note


def test_nothing_beside_a_run_is_imported_and_relative_data_are_those_of_the_submission(folder, tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    note = traps(here)
    os.symlink(ROOT / "data", here / "sets")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(("", ".", "fop_core/..")))
    monkeypatch.setenv("FOP_DATA_DIR", "no/such/folder")
    run = new(folder, "data.path=sets")
    queue.submit(run)
    wait(run, "finished", "failed", seconds=300)
    assert not note.exists(), note.read_text()
    assert run.state.state == "finished", run.state.reason


def test_a_relative_data_folder_is_that_of_the_submission(folder, noted, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOP_DATA_DIR", "sets")
    queue.submit(new(folder))
    (waiting,) = requests.waiting(folder)
    (slot,) = queue.slots(folder)
    monkeypatch.setenv("FOP_DATA_DIR", "/of/whoever/started/the/dispatcher")
    assert dispatcher.environment(waiting, slot)["FOP_DATA_DIR"] == str(tmp_path / "sets")
    monkeypatch.delenv("FOP_DATA_DIR")
    queue.stop(waiting.run)
    queue.submit(new(folder))
    monkeypatch.setenv("FOP_DATA_DIR", "/of/whoever/started/the/dispatcher")
    assert "FOP_DATA_DIR" not in dispatcher.environment(requests.waiting(folder)[-1], slot)


@as_root
@pytest.mark.parametrize("part", [".", "requests", "requests/start"])
def test_what_somebody_else_owns_waits_for_its_owner(folder, noted, part):
    theirs, ours = new(folder), new(folder)
    for run in (theirs, ours):
        queue.submit(run)
    os.chown(theirs.path / part, NOBODY, NOBODY)
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [ours.id]
    assert "nobody" in queue.waits_for(theirs)
    assert theirs.state.state == "queued"
    assert (theirs.path / "requests/start").exists()


@as_root
def test_a_run_of_somebody_else_is_not_submitted(folder, noted):
    run = new(folder)
    os.chown(run.path, NOBODY, NOBODY)
    with pytest.raises(RunError, match=r"nobody.*clone"):
        queue.submit(run)
    assert queue.waiting(folder) == []


def test_a_request_that_says_it_is_ours_is_not_believed(folder, noted):
    """What says who asked is the owner of the file: the words in it may be anybody's."""
    run = new(folder)
    queue.submit(run)
    start = run.path / "requests" / "start"
    content = json.loads(start.read_text())
    start.write_text(json.dumps(content | {"uid": NOBODY, "by": "nobody"}))
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


@as_root
def test_whose_request_it_is_is_said_by_the_file_that_is_read(folder, noted, tmp_path, monkeypatch):
    run = new(folder)
    queue.submit(run)
    start, theirs = run.request_path("start"), tmp_path / "theirs"
    theirs.write_text(json.dumps(json.loads(start.read_text()) | {"data": "/theirs"}))
    os.chown(theirs, NOBODY, NOBODY)
    obstacle = requests.writable.obstacle

    def replaced(path):
        os.replace(theirs, start)
        return obstacle(path)

    monkeypatch.setattr(requests.writable, "obstacle", replaced)
    assert not requests.read(run).mine


@as_root
def test_a_folder_of_somebody_else_in_the_place_of_ours_for_slurm_keeps_runs_waiting_and_says_why(
    folder, noted, capsys, monkeypatch
):
    monkeypatch.setattr(launcher.scheduler, "array_size", lambda: 10)
    monkeypatch.setattr(launcher, "SETTLE", -1.0)
    launcher_settings.choose(folder, "slurm")
    run = new(folder)
    queue.submit(run)
    home = placements.home(folder)
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    assert dispatcher.Dispatcher(folder, noted).step()
    words = f"{home} is a link or a file, or others than us may write in it (nobody owns it)"
    assert f"{run.id}: {words}" in capsys.readouterr().out
    assert words in queue.waits_for(run)
    home.rmdir()
    launcher_settings.choose(folder, "local")
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


def test_a_run_whose_name_is_no_text_keeps_no_other_from_starting(folder, noted, capsys):
    odd, ours = new(folder), new(folder)
    for run in (odd, ours):
        queue.submit(run)
    os.rename(odd.path, os.fsencode(folder) + b"/0-\xff")
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [ours.id]
    words = "is called what is no text in UTF-8: rename the folder"
    assert words in capsys.readouterr().out
    assert main(["queue", "list"]) == 0
    assert words in capsys.readouterr().out
    with pytest.raises(RunError, match=words):
        queue.submit(queue.waiting(folder)[0])


@pytest.mark.parametrize("whose", [{}, {"machine": "elsewhere", "host": "elsewhere"}])
def test_a_run_that_was_unpacked_with_the_highest_order_blocks_no_other(folder, noted, whose):
    unpacked, ours, last = new(folder), new(folder), new(folder)
    unpacked.request("start", "x", **requests.content(records.LARGEST_STEP) | whose)
    before = time.time_ns()
    for run in (ours, last):
        queue.submit(run)
        assert requests.read(run).mine
    assert before <= requests.read(ours).order < requests.read(last).order < before + 10**12
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [ours.id]


@pytest.mark.parametrize("part", ["", "requests", "checkpoints", "snapshots", "attempts"])
def test_a_run_with_links_for_folders_is_left_alone(folder, noted, tmp_path, part):
    linked, ours = new(folder), new(folder)
    for run in (linked, ours):
        queue.submit(run)
    elsewhere = tmp_path / "elsewhere"
    path = linked.path / part if part else linked.path
    os.rename(path, elsewhere)
    os.symlink(elsewhere, path)
    (elsewhere / ".hidden").write_text("precious")
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [ours.id]
    if part:
        assert "link" in queue.waits_for(Run(folder / linked.id))
    assert (elsewhere / ".hidden").read_text() == "precious"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
@pytest.mark.parametrize("name", ["log.txt", "control.lock"])
def test_no_file_of_a_run_leads_us_to_write_elsewhere_or_to_wait(folder, noted, tmp_path, capsys, name, kind):
    run, other = new(folder), new(folder)
    for each in (run, other):
        queue.submit(each)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    {"link": lambda path: os.symlink(victim, path), "pipe": os.mkfifo, "folder": os.mkdir}[kind](run.path / name)
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [other.id]
    assert str(run.path / name) in capsys.readouterr().out
    assert str(run.path / name) in queue.waits_for(run)
    with pytest.raises((DamagedFile, OSError), match=name):  # and where it came there just now
        if name == "log.txt":
            waiting = requests.Waiting(run, {"folder": "/", "data": None}, "", "")
            dispatcher.Starter().launch(waiting, slots.Slot("cpu-7", "cpu", "", "", "", tmp_path / "cpu-7.lock"))
        else:
            Control(run).release()
    assert victim.read_text() == "precious"


def test_a_link_for_the_reserve_is_replaced_and_its_target_stays(folder, tmp_path):
    run = new(folder)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.symlink(victim, run.path / ".reserve")
    with Control(run):
        assert not (run.path / ".reserve").is_symlink()
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("name", ["lock", "log"])
def test_what_the_dispatcher_writes_to_is_no_link(folder, tmp_path, name):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    locks = slots.locks_folder(folder)
    locks.mkdir(parents=True)
    os.symlink(victim, locks / f"dispatcher-{os.getuid()}.{name}")
    run = new(folder)
    with pytest.raises(DamagedFile, match="link"):
        queue.submit(run)
    assert victim.read_text() == "precious"
    assert queue.waiting(folder) == [], "what was refused must not be started later"
