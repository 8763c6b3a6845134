"""In a folder of five runs any file of a waiting one is replaced by anything: the queue serves all others."""

import json
import os
import shutil
from pathlib import Path

import pytest

from fop_core.cli import main
from fop_core.jobs import dispatcher, queue, slots
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from tests import damage
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.jobs.conftest import Noted, new
from tests.permissions import NO_PERMISSION, permissions_hold  # noqa: F401, a fixture

pytestmark = pytest.mark.usefixtures("watchdog")

KINDS = [*damage.KINDS, NO_PERMISSION]
PARTS = (
    "",
    "checkpoints",
    "control.lock",
    "labels.json",
    "log.txt",
    "requests",
    "requests/start",
    "requests/stop",
    "run.json",
    "state.json",
)


def made(folder: Path) -> list[str]:
    """Four runs that wait, the third to be damaged, and one that was stopped; return their ids."""
    slots.choose(folder, cpu_slots=9)
    runs = [new(folder) for _ in range(5)]
    for run in runs[:4]:
        queue.submit(run)
        with Control(run):
            pass
    with Control(runs[4]) as control:
        control.set("stopped", "by a test")
    (runs[2].path / "log.txt").touch()
    return [run.id for run in runs]


def release(folder: Path) -> None:
    """Let everything be removed again."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("part", PARTS)
def test_one_damaged_run_keeps_no_other_from_being_listed_started_and_cleared(
    folder,
    noted,
    tmp_path,
    capsys,
    permissions_hold,  # noqa: F811
    part,
):
    ids = made(folder)
    hurt, others = ids[2], [ids[0], ids[1], ids[3]]
    if part == "requests/stop":
        (folder / hurt / part).write_text("{}")
    whole = tmp_path / "whole"
    shutil.copytree(folder, whole)
    for kind, replace in KINDS:
        case = f"{part or 'the run'} replaced by {kind}"

        def again(replace=replace) -> None:
            release(folder)
            shutil.copytree(whole, folder)
            replace(folder / hurt / part)
            capsys.readouterr()

        again()
        assert main(["queue", "list"]) == 0, case
        listed = capsys.readouterr().out.splitlines()
        waits = [line for line in listed if "queued, waits to be started" in line or "before it" in line]
        assert {line.split()[0] for line in waits} >= set(others), case
        step(folder, hurt, others, case)
        log = capsys.readouterr().out
        lines = [line for line in listed if line.startswith(hurt)]
        still_waits = os.path.lexists(folder / hurt / "requests" / "start")
        if still_waits:  # it was not started: that is said where one looks
            words = "".join(lines) + log
            assert str(folder / hurt) in words or "for a device" in words or "for the dispatcher" in words, case

        again()
        status = main(["queue", "clear"])
        errors = capsys.readouterr().err
        there = [run.id for run in queue.waiting(folder)]
        assert not set(there) & set(others), case
        assert [Run(folder / id_).state.state for id_ in others] == ["stopped"] * 3, case
        assert (status == 1) == (hurt in errors), case
        if hurt in there:
            assert status == 1, case


def step(folder: Path, hurt: str, others: list[str], case: str) -> None:
    """Let a dispatcher look once, on as many slots as there are runs; the others must have been started, in order."""
    launcher = Noted()
    try:
        dispatcher.Dispatcher(folder, launcher).step()
        assert [id_ for id_ in launcher.started if id_ != hurt] == others, case
    finally:
        for lock in launcher.locks:
            os.close(lock)


@pytest.mark.parametrize("device", ["cuda:x", "cuda:", "cuda:-1", "cuda:99999999999", "tpu", 5, {}, [1], None, True])
def test_a_device_that_cannot_be_keeps_only_its_own_run_waiting(folder, noted, capsys, device):
    slots.choose(folder, cpu_slots=3)
    odd, whole = new(folder), new(folder)
    for run in (odd, whole):
        queue.submit(run)
    about = json.loads((odd.path / "run.json").read_text())
    about["config"]["device"] = device
    (odd.path / "run.json").write_text(json.dumps(about))
    assert dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [whole.id]
    assert main(["queue", "list"]) == 0
    assert "a device that this machine does not have" in capsys.readouterr().out
    assert main(["queue", "clear"]) == 0
    assert queue.waiting(folder) == []
