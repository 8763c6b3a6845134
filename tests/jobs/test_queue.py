"""The queue with real processes, and what it does on bad days."""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fop_core.cli import main
from fop_core.jobs import dispatcher, queue, slots
from fop_core.runs import stamps, store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from tests.faults.kills import of, processes
from tests.jobs.conftest import new, wait


def test_jobs_run_in_order_are_stopped_and_resumed_and_the_dispatcher_goes(folder, monkeypatch):
    long = new(folder, "max_steps=200000", "epochs=1000")
    short = new(folder)
    for run in (long, short):
        queue.submit(run)
    with pytest.raises(RunError, match="already"):
        queue.submit(long)
    wait(long, "running")
    assert short.state.state == "queued"
    assert long.id in queue.waits_for(short)
    assert [slot.used_by for slot in queue.slots(folder)] == [long.id]
    end = time.monotonic() + 20
    while not long.usage and time.monotonic() < end:
        time.sleep(0.1)
    assert long.usage["memory"] > 50e6

    queue.stop(long, "me")
    wait(long, "stopped")
    assert long.state.reason.startswith("by me at step ") and long.state.by == "me"
    wait(short, "finished")
    assert short.attempts[0]["device"] == "cpu"

    queue.submit(long)
    wait(long, "running")
    assert [attempt["from_step"] for attempt in long.attempts][1] > 0
    queue.stop(long, "me")
    wait(long, "stopped")
    end = time.monotonic() + 30
    while not elected(folder) and time.monotonic() < end:
        time.sleep(0.2)
    while queue.slots(folder)[0].used_by and time.monotonic() < end:
        time.sleep(0.1)  # the supervisor has a few last lines
    assert elected(folder)
    assert not queue.slots(folder)[0].used_by


def elected(folder: Path) -> bool:
    with queue.electing(folder) as ours:
        return ours


def test_a_run_that_diverges_and_one_whose_data_are_missing_say_why(folder):
    slots.choose(folder, cpu_slots=2)
    wild = new(folder, "optimizer.lr=900", "fop.hyper_lr=900", "max_steps=400")
    bare = new(folder, "data.path=/nowhere")
    for run in (wild, bare):
        queue.submit(run)
    assert wait(wild, "failed").state.reason.startswith("diverged at step ")
    assert "/nowhere" in wait(bare, "failed").state.reason


def test_a_trainer_that_does_not_end_is_killed_and_nothing_is_left(folder, monkeypatch):
    import psutil

    for name in ("FOP_STOP_SECONDS", "FOP_TERM_SECONDS"):
        monkeypatch.setenv(name, "1")
    run = new(folder, "max_steps=200000", "epochs=1000")
    queue.submit(run)
    wait(run, "running")
    (trainer,) = of(run, processes(folder)["trainer"])
    trainer.suspend()  # it hears nothing any more, not even SIGTERM
    queue.stop(run, "me")
    wait(run, "stopped", seconds=30)
    assert "SIGKILL" in run.state.reason
    assert not trainer.is_running() or trainer.status() == psutil.STATUS_ZOMBIE


def test_fifty_submissions_at_once_on_one_slot_are_one_job_at_a_time(folder, noted):
    runs = [new(folder) for _ in range(10)]
    program = "import sys; from fop_core.jobs import queue; from fop_core.runs.run import Run\n"
    program += "queue._start = lambda folder: None\n"
    program += "for path in sys.argv[1:]:\n    try: queue.submit(Run(path))\n    except ValueError: pass"
    paths = [str(run.path) for run in runs]
    started = [subprocess.Popen([sys.executable, "-c", program, *paths]) for _ in range(5)]
    assert [each.wait() for each in started] == [0] * 5
    line = [run.id for run in queue.waiting(folder)]
    assert sorted(line) == sorted(run.id for run in runs)
    works = dispatcher.Dispatcher(folder, noted)
    for count in range(1, 11):
        works.step()
        works.step()
        assert noted.started == line[:count]
        os.close(noted.locks.pop())
    assert not works.step()


def test_two_dispatchers_are_one(folder, noted):
    with queue.electing(folder) as first, queue.electing(folder) as second:
        assert (first, second) == (True, False)
        dispatcher.serve(folder, noted)  # returns at once


def test_a_run_leaves_the_queue_and_what_is_running_does_not(folder, noted):
    runs = [new(folder) for _ in range(3)]
    for run in runs:
        queue.submit(run)
    works = dispatcher.Dispatcher(folder, noted)
    works.step()
    queue.stop(runs[1], "me")
    works.step()
    assert runs[1].state.state == "stopped"
    assert (runs[1].state.reason, runs[1].state.by) == ("by me before it was started", "me")
    assert [run.id for run in queue.waiting(folder)] == [runs[2].id]


def test_a_reused_process_number_is_no_life(folder):
    run = new(folder)
    content = {"state": "running", "reason": "", "since": stamps.now(), "pid": os.getpid(), "host": os.uname().nodename}
    (run.path / "state.json").write_text(json.dumps(content))
    (run.path / "control.lock").touch()
    assert run.state.state == "lost"


def test_a_clock_set_back_keeps_order_and_states(folder, noted, monkeypatch):
    first, second = new(folder), new(folder)
    queue.submit(first)
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)  # years ago
    queue.submit(second)
    works = dispatcher.Dispatcher(folder, noted)
    works.step()
    works.step()
    assert noted.started == [first.id]
    assert [run.id for run in queue.waiting(folder)] == [second.id]
    assert first.state.state == second.state.state == "queued"


def test_a_full_disk_is_waited_for_and_said(folder, noted, monkeypatch):
    run = new(folder)
    queue.submit(run)
    monkeypatch.setattr(queue, "LEAST_FREE", 1e18)
    works = dispatcher.Dispatcher(folder, noted)
    assert works.step()
    assert noted.started == []
    assert "room on the disk" in queue.waits_for(run)


def test_a_folder_at_its_limit_is_waited_for_and_said(folder, noted):
    run = new(folder)
    queue.submit(run)
    (folder / "large").mkdir()
    (folder / "large" / "file").write_bytes(bytes(3_000_000))
    slots.choose(folder, limit_gb=0.001)
    queue._sizes.clear()
    assert dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == []
    assert "limit is 0.001 GB" in queue.waits_for(run)


def test_a_path_that_is_too_long_keeps_no_job_of_a_limited_folder_from_starting(folder, noted, monkeypatch):
    run = new(folder)
    queue.submit(run)
    (run.path / "log.txt").write_bytes(b"x" * 5000)
    deep = run.path
    monkeypatch.chdir(deep)
    while len(str(deep)) + 250 < 4096:  # PATH_MAX, which a path below a folder may exceed
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
        deep /= "d" * 200
    Path("n" * 250).touch()
    assert 5000 < run.size() < 100_000
    slots.choose(folder, limit_gb=10)
    assert dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


def test_a_trainer_under_a_file_size_limit_fails_and_says_so(folder):
    """A disk that is full for one process: the kernel refuses larger files."""
    run = new(folder, "checkpoint_steps=5")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    command = [sys.executable, "-m", "fop_core", "train", "--run", str(run.path), "--quiet"]
    done = subprocess.run(
        command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limit[1])), capture_output=True
    )
    assert done.returncode == 1
    assert run.state.state == "failed"
    assert "File too large" in run.state.reason


def test_a_damaged_request_and_damaged_settings_stop_nobody_else(folder, noted):
    broken, whole = new(folder), new(folder)
    for run in (broken, whole):
        queue.submit(run)
    (broken.path / "run.json").write_text("{")
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [whole.id]
    (folder / ".queue" / "settings.json").write_text('{"cpu_slots": "many"}')
    with pytest.raises(DamagedFile, match="cpu_slots"):
        slots.settings(folder)


def test_gpus_go_by_uuid_and_honour_what_is_visible(tmp_path, monkeypatch):
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\ncase $1 in\n"
        "--query-gpu=uuid,name,*) echo 'GPU-aa, H100, 10, 81559'; echo 'GPU-bb, H100, 700, 81559';;\n"
        "--query-compute-apps*) echo 'GPU-bb, 4242, /usr/bin/python3';;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    slots._gpus.cache_clear()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [gpu[0] for gpu in slots.gpus()] == ["GPU-aa", "GPU-bb"]
    assert slots.gpus()[1][2] == "734 MB used by python3 (process 4242)"
    for visible, expected in (("1", ["GPU-bb"]), ("GPU-b,0", ["GPU-bb", "GPU-aa"]), ("", []), ("7,0", []), ("-1", [])):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert [gpu[0] for gpu in slots.gpus()] == expected
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    first, second = (slot for slot in slots.slots(tmp_path) if slot.kind == "gpu")
    assert queue.fits(first, "cuda:0") and not queue.fits(first, "cuda:1") and not queue.fits(first, "cpu")
    assert queue.fits(second, "auto") and queue.fits(second, "cuda")
    slots._gpus.cache_clear()


def test_a_run_goes_to_the_trash_and_comes_back(folder):
    run = new(folder)
    run.delete()
    assert list(store.directories(folder)) == []
    (trashed,) = store.trashed(folder)
    with pytest.raises(RunError, match=r"in the trash.*runs restore"):
        queue.submit(trashed)
    assert not (trashed.path.parent / ".queue").exists()
    assert trashed.restore().config == run.config
    with Control(run), pytest.raises(RunError, match="worked on"):
        run.delete()


def test_the_command_line_submits_lists_stops_resumes_clears_and_sets(folder, noted, capsys):
    arguments = ["queue", "submit", "--preset", "mnist-mlp", "--set", "max_steps=30", "--seeds", "3,4", "--name", "cli"]
    assert main(arguments) == 0
    runs = queue.waiting(folder)
    assert [run.config["seed"] for run in runs] == [3, 4]
    assert [run.name for run in runs] == ["cli, seed 3", "cli, seed 4"]
    assert main(["queue", "list"]) == 0
    assert "waits to be started" in capsys.readouterr().out
    assert main(["queue", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["runs"]) == 2
    assert main(["queue", "stop", runs[0].id]) == 0
    assert main(["queue", "clear"]) == 0
    dispatcher.Dispatcher(folder, noted).step()
    assert [run.state.state for run in runs] == ["stopped", "stopped"]
    assert main(["queue", "resume", runs[0].id]) == 0
    assert [run.id for run in queue.waiting(folder)] == [runs[0].id]
    assert main(["queue", "set", "--cpu-slots", "3", "--limit-gb", "20"]) == 0
    assert slots.settings(folder) == slots.SlotSettings(3, 20.0)
    assert main(["queue", "set", "--cpu-slots", "-1"]) == 2
    assert main(["queue", "stop", "nobody"]) == 2


def test_a_trainer_whose_supervisor_dies_ends_and_the_run_is_lost_at_its_last_step(folder):
    run = new(folder, "max_steps=200000", "epochs=1000")
    queue.submit(run)
    wait(run, "running")
    while run.step() < 10:
        time.sleep(0.05)
    (supervisor,) = of(run, processes(folder)["supervisor"])
    supervisor.kill()
    wait(run, "lost", seconds=30)
    assert "supervisor vanished at step" in run.state.reason and run.state.cause == "vanished"
    assert run.checkpoint_steps()[-1] > 0
    for trainer in of(run, processes(folder)["trainer"]):  # it has said so, and is about to end
        trainer.wait(30)


def test_a_trainer_that_has_not_begun_ends_with_its_supervisor(folder):
    run = new(folder, "max_steps=200000", "epochs=1000")  # it may begin in between, and must not finish
    queue.submit(run)
    end = time.monotonic() + 90
    while not (there := of(run, processes(folder)["trainer"])):
        assert time.monotonic() < end, f"{run.state}:\n{run.log()}"
    (supervisor,) = of(run, processes(folder)["supervisor"])
    supervisor.kill()
    there[0].wait(30)
    wait(run, "lost", seconds=1)
    assert bool(run.checkpoint_steps()) == bool(run.step())


@pytest.mark.parametrize("text", [".", "./", "../{id}", "../{id}/."])
def test_a_run_that_is_named_by_a_relative_path_waits_in_its_folder(folder, noted, monkeypatch, capsys, text):
    run = new(folder)
    monkeypatch.chdir(run.path)
    assert main(["queue", "resume", text.format(id=run.id)]) == 0
    assert f"{run.id} waits to be started" in capsys.readouterr().out
    assert not (run.path / ".queue").exists()
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]
