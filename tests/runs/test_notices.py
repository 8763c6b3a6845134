"""Notices go where their user said, say no more than they should, and never stand in a run's way."""

import io
import json
import os
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fop_core import runs
from fop_core.cli import main
from fop_core.jobs import slots
from fop_core.runs import notices
from fop_core.runs.files import DamagedFile, RunError
from tests.waiting import until
from tests.webhook import SECRET, Webhook, serving


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with serving() as server:
        yield server


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def wanted(folder: Path, **chosen) -> None:
    slots.make_locks_folder(folder)
    notices.write(folder, notices.changed(folder, **chosen))


def test_a_recorded_run_sends_one_notice_where_it_diverges_and_one_where_it_ends(folder, webhook):
    wanted(folder, webhook=webhook.address)
    with runs.record({"password": SECRET}, name="mine") as run:
        run.log(3, loss=float("nan"))
        run.log(4, loss=float("nan"))
        until(lambda: webhook.bodies)
    first, last = webhook.bodies
    assert first["text"] == first["content"] == "mine: diverged, at step 3: loss is not finite"
    assert last["text"] == "mine: failed, diverged at step 3: loss not finite"
    assert (last["run"], last["state"], last["cause"], last["step"]) == (run.id, "failed", "diverged", 4)
    assert SECRET not in json.dumps(webhook.bodies) and SECRET not in run.run.log()


def test_without_settings_nothing_is_sent_or_logged(folder):
    with runs.record() as run:
        run.log(1, loss=float("nan"))
    assert "notice was" not in run.run.log() and "webhook" not in run.run.log()


@pytest.mark.parametrize(
    ("answer", "words"), [(404, "it answered 404"), (302, "it answered 302")], ids=["missing", "elsewhere"]
)
def test_a_webhook_that_fails_is_a_line_without_its_secrets_and_no_redirect_is_followed(
    folder, webhook, answer, words, capsys
):
    with serving() as other:
        webhook.status, webhook.location = answer, f"http://127.0.0.1:{other.server_port}/"
        wanted(folder, webhook=webhook.address)
        with runs.record() as run:
            run.log(1, loss=1.0)
        assert not other.bodies
    assert f"the webhook at 127.0.0.1 took no notice: {words}" in run.run.log()
    assert SECRET not in run.run.log() and run.run.state.state == "finished"
    assert capsys.readouterr().err == ""


def test_a_webhook_that_is_not_there_or_never_answers_is_a_line_too(folder, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wanted(folder, webhook=f"http://127.0.0.1:{port}/{SECRET}")
    with runs.record() as run:
        pass
    assert "took no notice: ConnectionRefusedError (Connection refused)" in run.run.log()
    monkeypatch.setattr(notices, "TIMEOUT", 60.0)
    monkeypatch.setattr(notices, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        wanted(folder, webhook=f"http://127.0.0.1:{silent.getsockname()[1]}/{SECRET}")
        with runs.record() as run:
            pass
    assert "a notice was not sent within 0.1 s" in run.run.log() and SECRET not in run.run.log()


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://host/x",
        "hooks.example/x",
        "http://",
        "http://[x",
        "http://h:port/",
        "http://h/a b",
        "http://h/\n",
        "http://h/ä",
        "https://me:T0K3N@h/",
    ],
)
def test_what_is_no_address_of_the_web_is_refused_without_being_repeated(folder, address, capsys):
    assert main(["queue", "--folder", str(folder), "set", "--webhook", address]) == 2
    err = capsys.readouterr().err
    assert "http:// or https://" in err and address not in err.replace("http:// or", "")
    assert not notices.path(folder).exists()


def test_the_command_keeps_them_for_their_user_alone_and_takes_them_back(folder, webhook, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(webhook.address + "\n"))
    assert main(["queue", "--folder", str(folder), "set", "--webhook", "-", "--cpu-slots", "2"]) == 0
    out = capsys.readouterr().out
    assert "webhook = to 127.0.0.1, desktop notices = no" in out and SECRET not in out
    assert stat.S_IMODE(notices.path(folder).stat().st_mode) == 0o600
    assert main(["queue", "--folder", str(folder), "notify"]) == 0
    assert webhook.bodies == [dict.fromkeys(("text", "content"), "FOP Lab: notices arrive here.")]
    assert main(["queue", "--folder", str(folder), "set", "--webhook", "none"]) == 0
    assert notices.read(folder) == notices.NoticeSettings()
    assert main(["queue", "--folder", str(folder), "notify"]) == 2
    with pytest.raises(RunError, match="no notices are wanted"):
        notices.attempt(folder)


def test_the_file_is_never_there_for_others_to_read(folder, monkeypatch):
    monkeypatch.setattr(os, "chmod", lambda *_: None)
    monkeypatch.setattr(os, "fchmod", lambda *_: None)
    wanted(folder, webhook="https://hooks.example/" + SECRET)
    assert stat.S_IMODE(notices.path(folder).stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["link", "others", "words", "folder"])
def test_settings_that_others_could_have_written_send_nothing(folder, damage, webhook):
    wanted(folder, webhook=webhook.address)
    file = notices.path(folder)
    if damage == "link":
        file.rename(file.with_name("elsewhere"))
        file.symlink_to(file.with_name("elsewhere"))
    elif damage == "others":
        file.chmod(0o622)
    elif damage == "words":
        file.write_text(json.dumps({"webhook": 3, "desktop": SECRET, "more": 1}))
    else:
        file.unlink()
        file.mkdir()
    with pytest.raises(DamagedFile, match="queue set --webhook"):
        notices.read(folder)
    with runs.record() as run:
        pass
    assert "no notice was sent" in run.run.log() and not webhook.bodies and run.run.state.state == "finished"
    assert SECRET not in run.run.log()


def test_the_desktop_is_given_text_and_no_marks_or_options(folder, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/shown\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    wanted(folder, desktop=True)
    with runs.record(name="--help <b>mine</b>") as run:
        run.log(2, loss=1.0)
    shown = (tmp_path / "shown").read_text().splitlines()
    assert shown == ["--app-name=FOP Lab", "--", "FOP Lab", "--help &lt;b&gt;mine&lt;/b&gt;: finished at step 2"]
    with runs.record(name="mine\0\n\x1b[31m" + "x" * 200_000) as run:
        pass
    [line] = (tmp_path / "shown").read_text().splitlines()[3:]
    assert line == "mine\\x00\\n\\x1b[31m" + "x" * 189 + ": finished at step 0"
    program.write_text("#!/bin/sh\necho no display >&2\nexit 1\n")
    with runs.record() as run:
        pass
    assert "no desktop notice was shown: no display" in run.run.log()


def test_a_mac_is_given_the_text_as_an_argument_and_not_in_the_script(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(notices.shutil, "which", lambda name: f"/usr/bin/{name}")
    text = '" & do shell script "x'
    command = notices.desktop_command(text)
    assert command is not None and command[-1] == text and not any(text in word for word in command[:-1])


def test_a_machine_without_a_desktop_says_so(folder, monkeypatch):
    monkeypatch.setenv("PATH", "")
    wanted(folder, desktop=True)
    assert notices.attempt(folder) == ["no desktop notice was shown: there is no notify-send or osascript"]
