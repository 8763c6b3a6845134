"""A run whose directory, or a folder in it, is replaced or removed while it is written: nothing lands elsewhere."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from fop_core import runs
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import loop
from tests.runs.whole import ARRAYS, full, row
from tests.training import tiny


@pytest.fixture
def other(tmp_path) -> Run:
    """Another run, which nobody works on; what it was asked is still to be done."""
    run = full(store.create({}, folder=tmp_path / "others"))
    run.request("stop", "Ada")
    (run.path / ".reserve").write_bytes(b"theirs")
    return run


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file and folder under a folder: its bytes, and when it was written last."""
    return {
        str(each.relative_to(folder)): (each.read_bytes() if each.is_file() else b"", each.stat().st_mtime_ns)
        for each in [folder, *folder.rglob("*")]
    }


def by_link(path: Path, target: Path) -> None:
    """Put a link in the place of a folder, which is moved away."""
    path.rename(path.parent.parent / f"{path.name} before")
    path.symlink_to(target)


def by_folder(path: Path, target: Path) -> None:
    """Put a folder itself in the place of another one."""
    path.rename(path.parent.parent / f"{path.name} before")
    target.rename(path)


WRITES = {
    "row": lambda writer, control: writer.row(row(3)),
    "snapshot": lambda writer, control: writer.snapshot(2, ARRAYS),
    "checkpoint": lambda writer, control: writer.checkpoint(2, ARRAYS, {}),
    "progress": lambda writer, control: writer.progress({"step": 9}),
    "requests": lambda writer, control: writer.requests(),
    "state": lambda writer, control: control.set("finished"),
    "usage": lambda writer, control: control.usage({"memory": 1}),
    "no usage": lambda writer, control: control.usage(None),
}
BY_FOLDER = {"snapshots": "snapshot", "checkpoints": "checkpoint", "requests": "requests"}


@pytest.mark.parametrize("part", BY_FOLDER)
def test_a_folder_that_becomes_a_link_is_not_written_through(run, other, part):
    with Control(run) as control:
        writer = RunWriter(run, {})
        by_link(run.path / part, other.path / part)
        before = contents(other.path)
        with pytest.raises(DamagedFile, match=f"{part} is a link, not a folder"):
            WRITES[BY_FOLDER[part]](writer, control)
        writer.row(row(1))
        writer.close()
        control.set("failed", "as it had to")  # which clears requests away, where they are its own
        assert run.written().reason == "as it had to"
    assert contents(other.path) == before


def test_attempts_that_become_a_link_have_not_even_their_time_changed(run, other):
    with Control(run):
        writer = RunWriter(run, {})
        by_link(run.path / "attempts", other.path / "attempts")
        before = contents(other.path)
        for write in (lambda: writer.snapshot(1, ARRAYS), lambda: writer.checkpoint(1, ARRAYS, {})):
            with pytest.raises(DamagedFile, match="attempts is a link"):
                write()
    assert contents(other.path) == before


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("replaced", [by_link, by_folder])
def test_what_stands_in_the_place_of_a_run_is_not_written_to(run, other, replaced, what):
    with Control(run) as control:
        writer = RunWriter(run, {})
        before = contents(other.path)
        replaced(run.path, other.path)
        with pytest.raises(DamagedFile, match=r"is a link to|is another folder than"):
            WRITES[what](writer, control)
        writer.close()
    assert contents(run.path.resolve()) == before
    left = run.path.parent.parent / f"{run.path.name} before"
    assert not (left / ".reserve").exists()


@pytest.mark.parametrize("what", WRITES)
def test_what_is_written_to_a_run_that_was_removed_is_refused(run, what):
    with Control(run) as control:
        writer = RunWriter(run, {})
        writer.row(row(1))
        shutil.rmtree(run.path)
        with pytest.raises(DamagedFile, match=r"is gone: it was moved or removed"):
            WRITES[what](writer, control)
    assert not run.path.exists()


def test_rows_for_a_file_that_was_removed_are_refused(run):
    writer = RunWriter(run, {})
    writer.row(row(1))
    (run.path / "metrics.1.jsonl").unlink()
    with pytest.raises(DamagedFile, match=r"metrics\.1\.jsonl was removed while it was written"):
        writer.row(row(2))


def test_no_log_is_opened_in_a_run_that_is_a_link(run, other):
    by_link(run.path, other.path)
    with pytest.raises(DamagedFile, match="is a link to"):
        run.open_log()


class Shown:
    """An optimizer that shows what it is given."""

    def __init__(self, shown):
        self.shown = shown

    def preconditioners(self):
        return self.shown


I2 = np.eye(2)


def test_a_recording_loses_snapshots_rather_than_write_them_elsewhere_and_says_how_many(tmp_path, other, capsys):
    with runs.record(folder=tmp_path / "mine") as run:
        run.log(1, loss=1.0)
        by_link(run.run.path / "snapshots", other.path / "snapshots")
        before = contents(other.path)
        run.snapshot(Shown({"w": -I2}))
        run.snapshot(Shown({"w": -I2}), 2)
        run.log(3, loss=0.5)
    assert contents(other.path) == before
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "snapshots is a link, not a folder: move it away; training goes on" in err
    run.run.metrics.update()
    assert run.run.state.state == "finished" and run.run.metrics.steps.tolist() == [1, 3]
    assert run.run.state.reason.startswith("lost 2 of its snapshots: ") and "is a link" in run.run.state.reason


@pytest.mark.parametrize("replaced", [by_link, by_folder])
def test_a_recording_writes_nothing_to_what_stands_in_its_runs_place(tmp_path, other, capsys, replaced):
    before = contents(other.path)
    with runs.record(folder=tmp_path / "mine") as run:
        run.log(1, loss=1.0)
        replaced(run.run.path, other.path)
        for step in range(2, 5):
            run._writer._progress_at = -np.inf  # a progress is due
            run.log(step, loss=np.nan)
            run.snapshot(Shown({"w": I2}), step)
            run.note("mine")
            assert not run.stop_requested
        assert run._troubles.lost == {"rows": 3, "snapshots": 3}
    assert contents(run.run.path.resolve()) == before
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("what", ["", "metrics.1.jsonl"])
def test_a_recording_whose_files_are_removed_says_so_once_and_counts_the_rows(tmp_path, capsys, what):
    with runs.record(folder=tmp_path / "mine") as run:
        run.log(1, loss=1.0)
        path = run.run.path / what
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        for step in range(2, 50):
            run.log(step, loss=1.0)
        assert run._troubles.lost["rows"] == 48
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "removed while it was written" in err
    assert os.path.exists(run.run.path) == bool(what)
    assert not what or "lost 48 of its rows: " in run.run.state.reason


def test_what_was_lost_is_said_of_a_run_that_ends_otherwise_too(tmp_path):
    with pytest.raises(KeyError), runs.record(folder=tmp_path / "mine") as run:
        (run.run.path / "metrics.1.jsonl").unlink()
        run.log(1, loss=1.0)
        raise KeyError("mine")
    assert "KeyError: 'mine'; lost 1 of its rows: " in run.run.state.reason


@pytest.mark.parametrize("replaced", [by_link, by_folder])
def test_our_own_trainer_writes_nothing_to_what_stands_in_its_runs_place(tmp_path, other, replaced):
    run = tiny.run(tiny.cifar10(tmp_path / "data"), tmp_path / "runs", "max_steps=4")
    before = contents(other.path)
    done: list[int] = []

    def report(progress):
        done.append(progress["step"])
        if len(done) == 2:
            replaced(run.path, other.path)

    with pytest.raises(DamagedFile, match=r"is a link to|is another folder than"), Control(run) as control:
        loop.train(run, control, lambda text: None, report)
    assert len(done) == 2 and contents(run.path.resolve()) == before


def test_our_own_trainer_fails_by_name_where_its_snapshots_become_a_link(tmp_path, other):
    run = tiny.run(tiny.cifar10(tmp_path / "data"), tmp_path / "runs", "max_steps=4")
    before = contents(other.path)

    def report(progress):
        if progress["step"] == 0:
            by_link(run.path / "snapshots", other.path / "snapshots")

    with Control(run) as control:
        assert loop.train(run, control, lambda text: None, report) == "failed"
    assert "snapshots is a link, not a folder: move it away" in run.state.reason
    assert contents(other.path) == before
