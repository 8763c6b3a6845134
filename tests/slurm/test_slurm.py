"""Jobs in a real Slurm of two nodes: what it starts, ends, takes away and starts again."""

import time

import pytest

from fop_core.cli import main
from fop_core.jobs import launcher_settings, placements, queue
from fop_core.runs import claims, store
from fop_core.runs.files import RunError
from fop_core.runs.run import Run
from fop_core.training import config
from tests.faults.kills import outcome, same
from tests.slurm.faults import processes
from tests.waiting import until

STEPS = 600


def new(folder, *settings):
    chosen = ["threads=1", "snapshots=4", "fop.rank=2", "checkpoint_steps=40", f"max_steps={STEPS}", *settings]
    made = config.change(config.preset("mnist-mlp", "fop"), chosen)
    return store.create(made.to_json(), name="short", folder=folder)


def wait(run, *states, seconds=120):
    try:
        until(lambda: run.state.state in states, seconds)
    except AssertionError:
        log = (run.path.parent / ".queue").glob("*/dispatcher-*.log")
        raise AssertionError(
            f"{run.state} and not {states}:\n{run.log()}\n{[each.read_text() for each in log]}"
        ) from None
    return run


def in_hand(run):
    """Wait until a run has a checkpoint, and much left to do."""
    until(lambda: run.checkpoint_steps(), 90)
    assert run.state.state == "running" and run.step() < STEPS
    return run


@pytest.fixture(scope="module")
def undisturbed(cluster, tmp_path_factory):
    """What comes out where nobody disturbs a run: trained here, without Slurm."""
    run = new(tmp_path_factory.mktemp("alone"))
    assert main(["train", "--run", str(run.path), "--quiet"]) == 0
    return outcome(run)


def equal(run, undisturbed):
    return all(map(same, outcome(run), undisturbed))


def test_an_array_is_trained_on_two_nodes_as_it_would_be_here(folder, cluster, undisturbed, capsys):
    launcher_settings.choose(folder, at_once=2, cpus=2)  # all of a node
    runs = [new(folder, f"seed={seed}") for seed in (0, 1, 2)]
    for run in runs:
        queue.submit(run)
    until(lambda: any(run.state.state == "running" for run in runs), 60)
    assert main(["queue", "list"]) == 0
    listed = capsys.readouterr().out
    assert "in Slurm's job " in listed and " on n" in listed
    assert "JobArrayTaskLimit" in listed and "place 1 of 1" in listed
    with pytest.raises(RunError, match="worked on: by Slurm, job"):
        next(run for run in runs if run.state.state == "running").delete()
    for run in runs:
        wait(run, "finished")
    ran = [run.attempts[0] for run in runs]
    assert {each["host"] for each in ran} == {"n1", "n2"}
    assert len({each["job"].partition("_")[0] for each in ran}) == 1  # one array
    assert equal(runs[0], undisturbed)
    until(lambda: not placements.outstanding(folder), 30)
    assert main(["runs", "show", runs[0].id]) == 0
    assert "on n" in capsys.readouterr().out


def test_what_slurm_interrupts_goes_on_in_the_next_allocation(folder, cluster, undisturbed):
    run = new(folder)
    queue.submit(run)
    in_hand(run)
    cluster.do("scancel", "--signal=TERM", "--batch", cluster.do("squeue", "-h", "-r", "-o", "%i").split()[0])
    until(lambda: run.state.state == "queued", 60)
    assert run.state.reason.startswith("interrupted by Slurm at step ")
    assert run.has_request("start")
    wait(run, "finished")
    assert [each["from_step"] > 0 for each in run.attempts] == [False, True]
    assert len({each["job"] for each in run.attempts}) == 1  # Slurm's own, started again
    assert equal(run, undisturbed)


def test_a_job_that_makes_room_for_an_urgent_one_goes_on_after_it(folder, cluster, undisturbed):
    run = new(folder)
    queue.submit(run)
    in_hand(run)
    script = "#!/bin/sh\nsleep 2\n"
    cluster.do("sbatch", "-p", "urgent", "-N2", "--exclusive", "--output=/dev/null", content=script)
    until(lambda: run.state.state == "queued", 60)
    wait(run, "finished")
    assert len(run.attempts) == 2 and equal(run, undisturbed)


def test_what_runs_ends_with_a_checkpoint_and_what_waits_leaves_slurm_too(folder, cluster):
    launcher_settings.choose(folder, at_once=1)
    first, second = new(folder, "max_steps=200000", "epochs=1000"), new(folder)
    for run in (first, second):
        queue.submit(run)
    wait(first, "running")
    assert queue.stop(second, "me") is True
    assert second.state.state == "stopped"
    until(lambda: "PENDING" not in cluster.do("squeue", "-h", "-r", "-o", "%T"), 30)
    assert queue.stop(first, "me") is False
    wait(first, "stopped")
    assert first.state.reason.startswith("by me at step ") and first.checkpoint_steps()
    until(lambda: not placements.outstanding(folder), 30)
    queue.submit(second)
    wait(second, "finished")


def test_a_job_that_is_cancelled_in_slurm_is_stopped_and_stays_so(folder, cluster):
    launcher_settings.choose(folder, at_once=1)
    first, second = new(folder), new(folder)
    for run in (first, second):
        queue.submit(run)
    in_hand(first)
    cluster.do("scancel", "-u", "root")
    wait(first, "stopped")
    wait(second, "stopped")
    assert first.state.by == second.state.by == "scancel"
    assert first.checkpoint_steps() and not second.has_request("start")


def test_a_run_goes_on_where_its_node_is_killed(folder, cluster, undisturbed):
    run = new(folder)
    queue.submit(run)
    in_hand(run)
    node = queue.placement(run).node
    cluster.kill_node(node)
    until(lambda: run.state.state == "queued", 60)
    assert "its node failed" in run.state.reason
    wait(run, "finished")
    assert run.attempts[0]["host"] == node != run.attempts[-1]["host"]
    assert equal(run, undisturbed)


def test_a_zombie_on_a_node_that_is_cut_off_writes_no_more(folder, cluster, undisturbed):
    run = new(folder, "max_steps=1500")
    queue.submit(run)
    in_hand(run)
    node, first = queue.placement(run).node, claims.last(run)
    cluster.cut_off(node)
    cluster.do("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
    until(lambda: claims.last(run) > first, 60)
    rows = run.path / f"metrics.{first}.jsonl"
    until(lambda: "may not write any more" in run.log(100_000), 60)
    size = rows.stat().st_size
    wait(run, "finished")
    assert rows.stat().st_size == size  # the first one was alive, and wrote nothing
    assert run.attempts[-1]["host"] != node
    alone = new(folder.parent, "max_steps=1500")
    assert main(["train", "--run", str(alone.path), "--quiet"]) == 0
    assert equal(run, outcome(alone))


def test_nobody_takes_a_run_for_lost_while_the_controller_is_away(folder, cluster, undisturbed):
    run = new(folder)
    queue.submit(run)
    in_hand(run)
    cluster.kill_controller()
    until(lambda: placements.read(folder).trouble, 60)
    assert run.state.state in ("running", "finished")
    cluster.start_controller()
    wait(run, "finished")
    assert len(run.attempts) == 1 and equal(run, undisturbed)
    until(lambda: not placements.outstanding(folder), 60)


def test_what_slurm_refuses_stays_queued_and_is_handed_over_once_it_can_be(folder, cluster):
    launcher_settings.choose(folder, partition="nowhere")
    run = new(folder, "max_steps=20")
    queue.submit(run)
    until(lambda: "Invalid partition" in queue.waits_for(run), 30)
    assert "sbatch refuses" in queue.waits_for(run) and run.state.state == "queued"
    launcher_settings.choose(folder, partition="main")
    wait(run, "finished")


def test_what_a_node_cannot_begin_fails_with_why_and_is_not_tried_for_ever(folder, cluster, monkeypatch):
    launcher_settings.choose(folder, lines=("export PYTHONHOME=/nowhere",))
    run = new(folder)
    queue.submit(run)
    wait(run, "failed")
    assert "ended before it was begun" in run.state.reason and "FAILED, exit status 1" in run.state.reason
    assert not run.has_request("start")


def test_doctor_tries_the_runs_folder_on_a_node(folder, cluster, capsys):
    main(["doctor"])
    said = capsys.readouterr().out
    for what in ("exclusive creation, on this host: 200 files", "exclusive creation, with a process on n"):
        assert what in said
    assert f"{folder}, " not in said  # nothing is to be done about it


@pytest.mark.parametrize("side_by_side", [False, True], ids=["in turn", "side by side"])
def test_many_short_runs_share_an_allocation_and_load_torch_once(folder, cluster, undisturbed, side_by_side):
    launcher_settings.choose(folder, pack=2, side_by_side=side_by_side)
    runs = [new(folder, f"seed={seed}") for seed in range(2)]
    for run in runs:
        queue.submit(run)
    in_hand(runs[0])
    (task,) = processes(folder, "task")
    supervisors = processes(folder, "supervisor")
    assert len(supervisors) == (2 if side_by_side else 1)
    for process in (task, *supervisors):  # what is started by itself has no torch
        assert any("libtorch" in each.path for each in process.memory_maps())
    cluster.do("scancel", "--signal=TERM", "--batch", cluster.do("squeue", "-h", "-r", "-o", "%i").split()[0])
    for run in runs:
        wait(run, "finished")
    assert len({attempt["job"] for run in runs for attempt in run.attempts}) == 1
    assert len(runs[0].attempts) == 2 and equal(runs[0], undisturbed)


def test_where_slurm_is_not_there_runs_stay_queued(folder, cluster, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    run = new(folder, "max_steps=20")
    queue.submit(run)
    until(lambda: "sbatch is not here" in queue.waits_for(run) or "scontrol is not here" in queue.waits_for(run), 30)
    assert run.state.state == "queued"
    time.sleep(0.5)
    assert isinstance(run, Run) and queue.stop(run) is True
