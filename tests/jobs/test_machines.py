"""A machine may change its name, and a folder may be shared by several: each run is served, or can be taken away."""

import json
import os
import socket
from types import SimpleNamespace

import pytest

from fop_core.cli import main
from fop_core.jobs import dispatcher, queue, requests
from fop_core.runs.control import Control
from tests.jobs.conftest import new


@pytest.fixture
def no_machine_id(tmp_path, monkeypatch):
    monkeypatch.setattr(requests, "MACHINE_ID", tmp_path / "no machine-id")


def rename_machine(monkeypatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="renamed", sysname="Linux"))
    monkeypatch.setattr(socket, "gethostname", lambda: "renamed")


@pytest.mark.skipif(not requests.MACHINE_ID.exists(), reason="this machine has no id")
def test_a_run_is_started_though_the_machine_was_renamed(folder, noted, monkeypatch):
    run = new(folder)
    queue.submit(run)
    with queue.electing(folder):
        rename_machine(monkeypatch)
        with queue.electing(folder) as second:
            assert not second  # it is the same machine: one dispatcher
    assert dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


def test_a_request_that_names_no_machine_waits_until_it_is_resumed(folder, noted, capsys):
    """It is an older one, or came with an unpacked run: our host's name in it is no proof that it was made here."""
    run = new(folder)
    queue.submit(run)
    start = run.path / "requests" / "start"
    content = json.loads(start.read_text())
    del content["machine"]
    start.write_text(json.dumps(content | {"uid": os.getuid()}))
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == []
    assert main(["queue", "list"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if run.id in line]
    assert "names no machine" in line and "queue resume" in line
    assert main(["queue", "resume", run.id]) == 0
    assert f"{run.id} waits to be started" in capsys.readouterr().out
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


@pytest.mark.parametrize("words", [("stop",), ("clear",)])
def test_a_run_that_no_dispatcher_serves_is_taken_out_at_once(folder, noted, monkeypatch, no_machine_id, capsys, words):
    run = new(folder)
    queue.submit(run)
    rename_machine(monkeypatch)
    assert dispatcher.Dispatcher(folder, noted).step() is False
    assert "queue resume" in queue.waits_for(run)
    assert main(["queue", *words, *([run.id] if words == ("stop",) else [])]) == 0
    assert f"{run.id} is out of the queue" in capsys.readouterr().out
    assert queue.waiting(folder) == []
    assert run.state.state == "stopped"
    assert run.state.reason.endswith("before it was started")


def test_a_run_that_no_dispatcher_serves_is_taken_over_by_resume(folder, noted, monkeypatch, no_machine_id, capsys):
    run = new(folder)
    queue.submit(run)
    rename_machine(monkeypatch)
    assert main(["queue", "resume", run.id]) == 0
    assert f"{run.id} waits to be started" in capsys.readouterr().out
    dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == [run.id]


def test_what_cannot_be_taken_out_is_named_and_the_others_leave(folder, noted, capsys):
    kept, removed = new(folder), new(folder)
    for run in (kept, removed):
        queue.submit(run)
    (kept.path / "control.lock").unlink(missing_ok=True)
    (kept.path / "control.lock").mkdir()
    assert main(["queue", "clear"]) == 1
    output = capsys.readouterr()
    assert kept.id in output.err and "control.lock" in output.err
    assert "1 taken out of the queue" in output.out
    assert [run.id for run in queue.waiting(folder)] == [kept.id]


def test_a_run_that_is_just_being_started_is_asked_to_stop(folder, noted, capsys):
    run = new(folder)
    queue.submit(run)
    with Control(run) as control:
        assert main(["queue", "stop", run.id]) == 0
        assert "asked to stop" in capsys.readouterr().out
        assert (run.path / "requests" / "stop").exists()
        control.set("running")
    assert dispatcher.Dispatcher(folder, noted).step()
    assert noted.started == []
    assert run.state.state == "stopped"
