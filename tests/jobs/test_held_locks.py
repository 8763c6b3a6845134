"""Locks that somebody else could hold: nobody else may open them; where one is held all the same, that is said."""

import contextlib
import fcntl
import os
import stat

import pytest

from fop_core.cli import main
from fop_core.jobs import elected as elections
from fop_core.jobs import queue, slots
from fop_core.runs import locks
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.jobs.conftest import new
from tests.permissions import permissions_hold  # noqa: F401, a fixture

pytestmark = pytest.mark.usefixtures("watchdog")

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user, which only root can")


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextlib.contextmanager
def read(path):
    """Hold a lock as ``flock --shared`` does, which takes no more than the right to read."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


def ours(folder, name: str):
    return slots.make_locks_folder(folder) / f"dispatcher-{os.getuid()}.{name}"


@pytest.mark.parametrize("before", [None, 0o666])
@pytest.mark.parametrize("name", ["lock", "log"])
def test_what_the_dispatcher_opens_is_for_nobody_else(folder, noted, name, before):
    path = ours(folder, name)
    if before is not None:
        path.touch()
        path.chmod(before)
    queue.submit(new(folder))
    assert mode(path) == 0o600


@pytest.mark.parametrize("before", [None, 0o666])
def test_a_control_lock_is_for_its_owner_and_group_as_the_umask_has_it(folder, before):
    run = new(folder)
    if before is not None:
        (run.path / "control.lock").touch()
        (run.path / "control.lock").chmod(before)
    umask = os.umask(0o002)
    try:
        Control(run).release()
    finally:
        os.umask(umask)
    assert mode(run.path / "control.lock") == 0o660


def test_a_dispatcher_lock_that_is_read_all_the_time_is_named(folder, noted, monkeypatch, capsys):
    first, second = new(folder), new(folder)
    queue.submit(first)
    path = ours(folder, "lock")
    monkeypatch.setattr(elections, "PATIENCE", 0.05)
    with read(path):
        assert main(["queue", "list"]) == 0
        listed = capsys.readouterr().out
        assert first.id in listed and f"another program holds {path}" in listed
        assert main(["queue", "resume", second.id]) == 2
        assert f"another program holds {path}" in capsys.readouterr().err
        assert [run.id for run in queue.waiting(folder)] == [first.id]
    with queue.electing(folder) as elected:
        assert elected
        with queue.electing(folder) as second_elected:
            assert not second_elected


def test_a_runs_locks_that_are_read_all_the_time_are_named(folder, monkeypatch):
    run = new(folder)
    Control(run).release()
    monkeypatch.setattr(locks, "PATIENCE", 0.05)
    with read(run.path / "control.lock"), pytest.raises(RunError, match=r"another program holds .*control\.lock"):
        run.delete()
    with read(run.path / "labels.lock"), pytest.raises(RunError, match=r"another program holds .*labels\.lock"):
        run.label(name="other")


@as_root
def test_whether_somebody_elses_run_is_alive_is_not_made_up(folder, permissions_hold):  # noqa: F811
    run = new(folder)
    with Control(run) as control:
        control.set("running")
        os.chown(run.path / "control.lock", NOBODY, NOBODY)
        assert run.state.state == "running"
        assert "nobody" in run.state.reason and "cannot be seen" in run.state.reason


@as_root
@pytest.mark.parametrize("shared", [0o775, 0o1777, 0o755])
@pytest.mark.parametrize("part", [".queue", "the machine's", "cpu-0.lock"])
def test_what_somebody_else_made_in_the_queue_is_trusted_where_they_may_write_in_the_folder(
    folder, noted, capsys, part, shared
):
    run = new(folder)
    os.close(slots.take(slots.slots(folder)[-1], run.id))
    locks_folder = slots.locks_folder(folder)
    path = {".queue": folder / ".queue", "the machine's": locks_folder}.get(part, locks_folder / part)
    os.chown(path, NOBODY, NOBODY)
    folder.chmod(shared)
    if shared == 0o755:
        assert main(["queue", "list"]) == 0
        assert f"{path} belongs to nobody" in capsys.readouterr().out
        if part != "cpu-0.lock":
            with pytest.raises(DamagedFile, match="belongs to nobody"):
                queue.submit(run)
            assert queue.waiting(folder) == []
        with pytest.raises(DamagedFile, match="belongs to nobody"):
            slots.take(slots.slots(folder)[-1], run.id)
    else:
        queue.submit(run)
        file = slots.take(slots.slots(folder)[-1], run.id)
        assert file is not None
        os.close(file)


@as_root
@pytest.mark.parametrize("name", ["lock", "log"])
def test_what_the_dispatcher_opens_is_its_own_even_in_a_shared_folder(folder, noted, name):
    folder.chmod(0o777)
    run = new(folder)
    ours(folder, name).touch()
    os.chown(ours(folder, name), NOBODY, NOBODY)
    with pytest.raises(DamagedFile, match=rf"dispatcher-0\.{name} belongs to nobody"):
        queue.submit(run)
    assert queue.waiting(folder) == []


def test_a_log_that_has_another_name_too_is_not_written_to(folder, noted, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    os.link(victim, ours(folder, "log"))
    with pytest.raises(DamagedFile, match="other names"):
        queue.submit(new(folder))
    assert victim.read_text() == "precious" and mode(victim) & 0o044
