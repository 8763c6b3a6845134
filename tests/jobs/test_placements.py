"""Where Slurm has runs, as its dispatcher wrote it."""

import pytest

from fop_core.jobs import launcher_settings, placements, queue
from fop_core.jobs.placements import Placement, Report
from fop_core.runs import claims
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from tests.jobs.conftest import new


@pytest.fixture
def alone(monkeypatch):
    monkeypatch.setattr(queue, "_start", lambda folder: None)


def test_a_run_that_waits_says_its_place_and_slurms_own_reason(folder, alone):
    launcher_settings.choose(folder, "slurm")
    run, other = new(folder), new(folder)
    for each in (run, other):
        queue.submit(each)
    assert queue.waits_for(run) == "to be handed over to Slurm"
    placed = Placement("7_0", "waiting", "PENDING", "", "Resources", 4, 17, "2026-11-27T10:00:00")
    placements.write(folder, Report({run.id: placed}, {other.id: "for a GPU"}, "", "2026-11-27T09:00:00.000+00:00"))
    words = "for Slurm to start its job 7_0: place 4 of 17, Resources, expected to start at 2026-11-27T10:00:00"
    assert queue.waits_for(run) == words
    assert queue.waits_for(other) == "for a GPU"
    assert queue.placement(run) == placed and placed.brief() == "4 of 17, Resources"


def test_what_is_wrong_with_slurm_is_said_of_what_waits_for_it(folder, alone):
    launcher_settings.choose(folder, "slurm")
    run = new(folder)
    queue.submit(run)
    placements.write(folder, Report(trouble="sbatch is not here"))
    assert queue.waits_for(run) == "for Slurm: sbatch is not here"


def test_a_report_that_is_damaged_says_so_and_one_of_others_is_not_read(folder):
    placements.write(folder, Report())
    path = placements.home(folder) / placements.STATUS
    for wrong in ("{", '{"placements": {"a": 1}, "refused": {}, "trouble": "", "at": ""}', "[]"):
        path.write_text(wrong)
        assert "cannot be read" in placements.read(folder).trouble
    path.parent.chmod(0o777)
    with pytest.raises(DamagedFile, match="others than us"):
        placements.read(folder)


def test_a_dispatcher_is_started_while_slurm_has_jobs_though_nothing_waits(folder, monkeypatch):
    started = []
    monkeypatch.setattr(queue, "_start", started.append)
    queue.ensure_dispatcher(folder)
    assert not started
    (placements.make_home(folder) / "batch-1.json").write_text("{}")
    queue.ensure_dispatcher(folder)
    assert started == [folder]


def test_a_run_in_slurm_is_asked_to_stop_by_a_request(folder):
    run = new(folder)
    with Control(run, claim=claims.claim(run, scheduler="Slurm", job="job 7_0")) as control:
        control.set("running")
    assert queue.stop(run, "me") is False and run.requested_by("stop") == "me"
