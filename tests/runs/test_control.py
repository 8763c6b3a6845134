"""One process answers for a run, and the kernel knows which: who died is lost."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from fop_core.runs import files
from fop_core.runs.control import RESERVE, Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE, STATES

HOLDER = """
import multiprocessing, os, subprocess, sys, time
from fop_core.runs.control import Control
from fop_core.runs.run import Run


def child():
    print(os.getpid(), flush=True)
    time.sleep(60)


control = Control(Run(sys.argv[1]))
control.set(sys.argv[2])
if sys.argv[3] == "fork":
    if os.fork() == 0:
        child()
elif sys.argv[3] == "multiprocessing":
    multiprocessing.get_context("fork").Process(target=child, daemon=True).start()
elif sys.argv[3] == "spawn":
    print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
else:
    print(0, flush=True)
time.sleep(60)
"""
POLLER = """
import sys
from fop_core.runs.run import Run

run = Run(sys.argv[1])
print("polling", flush=True)
while True:
    assert run.state.state in ("running", "lost")
"""


@contextlib.contextmanager
def holder(run, state="running", kind="alone"):
    """A process that holds a run's Control, and the pid of its child."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run.path), state, kind], stdout=subprocess.PIPE, text=True
    )
    child = 0
    try:
        child = int(process.stdout.readline())
        yield process, child
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_state_is_one_of_those_there_are(run):
    with Control(run) as control:
        for state in STATES:
            control.set(state, "why")
            assert (run.state.state, run.state.reason) == (state, "why")
        with pytest.raises(RunError, match="no state 'dead': there are queued"):
            control.set("dead")
    with pytest.raises(RunError, match="control"):
        control.set("finished")
    assert not (run.path / ".reserve").exists()


def test_who_had_it_stopped_is_a_field_of_the_state_that_older_files_have_not(run):
    with Control(run) as control:
        control.set("stopping", "by ada", by="ada")
        assert run.state.by == run.written().by == "ada"
        control.set("running")
        assert run.state.by == ""
    written = {"state": "stopped", "reason": "by ada at step 4", "since": run.state.since}
    for by in ({}, {"by": 5}):
        files.write_json(run.path / "state.json", written | by)
        assert (run.state.state, run.state.by) == ("stopped", "")


@pytest.mark.parametrize("state", ALIVE)
def test_a_run_is_alive_while_its_holder_is_and_lost_when_that_is_killed(run, state):
    with holder(run, state) as (process, _):
        for _ in range(50):
            assert run.state.state == state
        kill(process)
        assert run.state.state == "lost"
        assert "vanished" in run.state.reason and state in run.state.reason and run.state.cause == "vanished"
        with Control(run) as control:
            control.set("starting")
            assert run.state.state == "starting"
    assert run.state.state == "lost"


@pytest.mark.parametrize("kind", ["fork", "spawn", "multiprocessing"])
def test_a_child_that_outlives_its_killed_parent_keeps_nothing_alive(run, kind):
    with holder(run, "running", kind) as (process, child):
        assert run.state.state == "running"
        kill(process)
        os.kill(child, 0)
        assert run.state.state == "lost"
        with Control(run):
            pass


def test_a_child_that_ends_takes_nothing_from_its_parent(run):
    with Control(run) as control:
        control.set("running")
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                control.set("failed", "by the child")
            control.release()
            os._exit(0)
        os.waitpid(child, 0)
        assert run.state.state == "running"
        assert (run.path / ".reserve").stat().st_size == RESERVE
        with pytest.raises(RunError):
            Control(run)


def test_a_run_that_ended_is_not_lost(run):
    with holder(run, "finished") as (process, _):
        kill(process)
        assert run.state.state == "finished"
    with Control(run) as control:
        control.set("queued")
    assert run.state.state == "queued"


def test_one_process_controls_a_run_at_a_time(run):
    with holder(run) as (process, _):
        with pytest.raises(RunError, match="already being worked on"):
            Control(run)
        with pytest.raises(RunError, match="already being worked on"):
            run.remove()
        assert run.state.state == "running"
        kill(process)
        with Control(run), pytest.raises(RunError, match="already being worked on"):
            Control(run)
    with Control(run):
        pass


def take_once(path, together, acquired):
    together.wait()
    control = None
    with contextlib.suppress(RunError):
        control = Control(Run(path))
        with acquired.get_lock():
            acquired.value += 1
    together.wait()  # all have tried
    if control is not None:
        control.release()


def test_of_many_that_want_a_run_at_once_one_gets_it(run):
    context = multiprocessing.get_context("fork")
    together, acquired = context.Barrier(8), context.Value("i", 0)
    wanting = [context.Process(target=take_once, args=(run.path, together, acquired)) for _ in range(8)]
    for process in wanting:
        process.start()
    for process in wanting:
        process.join()
    assert acquired.value == 1


def test_readers_in_a_loop_never_keep_a_control_from_its_run(run):
    with Control(run) as control:
        control.set("running")
    pollers = [
        subprocess.Popen([sys.executable, "-c", POLLER, str(run.path)], stdout=subprocess.PIPE) for _ in range(4)
    ]
    try:
        for poller in pollers:
            poller.stdout.readline()
        for _ in range(100):
            with Control(run):
                assert run.state.state == "running"
        assert [poller.poll() for poller in pollers] == [None] * 4
    finally:
        for poller in pollers:
            poller.kill()
            poller.wait()
            poller.stdout.close()


def test_a_damaged_state_is_mended_by_who_controls_the_run(run):
    for content in (b"{", None):
        (run.path / "state.json").unlink()
        (run.path / "state.json").mkdir() if content is None else (run.path / "state.json").write_bytes(content)
        with pytest.raises(DamagedFile):
            _ = run.state
        if content is None:
            (run.path / "state.json").rmdir()
        with Control(run) as control:
            control.set("starting")
            assert run.state.state == "starting"
