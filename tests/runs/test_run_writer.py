"""What a run's directory gets while it is trained, also on a disk that fills up."""

import contextlib
import errno
import os
import shutil
import subprocess

import numpy as np
import pytest

from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.files import RunError
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.state import ENDED
from tests.runs.whole import ARRAYS, full, row


def test_rows_are_lines_and_nan_has_a_name(run):
    writer = RunWriter(run, {"device": "cpu"})
    writer.row({"step": 1, "train_loss": 0.1, "lr": 1})
    writer.row({"step": 2, "train_loss": float("nan"), "grad_norm": float("-inf")})
    writer.close()
    writer.close()
    assert (run.path / "metrics.1.jsonl").read_text().splitlines() == [
        '{"step": 1, "train_loss": 0.1, "lr": 1}',
        '{"step": 2, "train_loss": "NaN", "grad_norm": "-Infinity"}',
    ]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"step": 1.0},
        {"step": True},
        {"step": -1},
        {"step": 1, "lr": None},
        {"step": 1, "lr": "1"},
        {"step": 1, "lr": True},
        {"step": 1, 2: 3.0},
        {"step": 2**63, "lr": 1.0},
        {"step": 1, "lr": 10**400},
        {"step": 1, "half a character \ud800": 1.0},
    ],
    ids=lambda columns: ascii(columns)[:40],
)
def test_a_row_that_could_not_be_read_is_refused(run, columns):
    writer = RunWriter(run, {})
    with pytest.raises((TypeError, ValueError), match="step"):
        writer.row(columns)
    writer.row({"step": 2**63 - 1, "lr": 10**300})
    writer.close()
    assert run.metrics.update() == 1 and run.metrics.damaged == []


def test_an_attempt_says_what_it_ran_on_and_from_where(run):
    RunWriter(run, {"device": "cpu", "attempt": 9, "from_step": 9}).close()
    RunWriter(run, {"device": "cuda"}, from_step=50).close()
    assert [(a["attempt"], a["from_step"], a["device"]) for a in run.attempts] == [(1, 0, "cpu"), (2, 50, "cuda")]
    assert run.metrics_files() == [(1, run.path / "metrics.1.jsonl", 0), (2, run.path / "metrics.2.jsonl", 50)]


def test_a_new_attempt_drops_snapshots_after_its_beginning(run):
    writer = RunWriter(run, {})
    for step in (0, 10, 20, 30):
        writer.snapshot(step, ARRAYS)
    writer.close()
    RunWriter(run, {}, from_step=20).close()
    assert run.snapshot_steps() == [0, 10, 20]
    np.testing.assert_array_equal(run.snapshot(20)["layers.0/M"], ARRAYS["layers.0/M"])


def test_the_last_checkpoints_are_kept(run):
    writer = RunWriter(run, {})
    for step in (10, 20, 30, 40):
        writer.checkpoint(step, {"a": np.array(step)}, {"step": step})
        assert run.checkpoint_steps() == [step - 10, step][step == 10 :]
    arrays, about = run.checkpoint(40)
    assert arrays["a"] == 40 and about == {"step": 40}
    writer.close()


def test_checkpoints_of_a_way_not_taken_go_when_a_new_one_is_there_and_not_before(run):
    writer = RunWriter(run, {})
    for step in (100, 200):
        writer.checkpoint(step, ARRAYS, {})
    writer.close()
    writer = RunWriter(run, {}, from_step=100)  # as 200 cannot be read
    assert run.checkpoint_steps() == [100, 200]
    writer.checkpoint(150, ARRAYS, {})
    assert run.checkpoint_steps() == [100, 150]
    writer.checkpoint(250, ARRAYS, {})
    assert run.checkpoint_steps() == [150, 250]
    writer.close()
    writer = RunWriter(run, {})  # as none can be read
    writer.checkpoint(300, ARRAYS, {})
    assert run.checkpoint_steps() == [300]
    writer.close()


def test_what_a_killed_attempt_left_half_written_is_cleared_away(run):
    full(run)
    for part in ("snapshots", "checkpoints"):
        (run.path / part / ".00000009.safetensors.0a0a").write_bytes(bytes(1000))
    RunWriter(run, {}, from_step=2).close()
    assert sorted(os.listdir(run.path / "checkpoints")) == ["00000001.safetensors", "00000002.safetensors"]
    assert sorted(os.listdir(run.path / "snapshots")) == ["00000001.safetensors", "00000002.safetensors"]


def test_a_copy_without_its_empty_folders_can_go_on(run):
    for part in ("attempts", "snapshots", "checkpoints", "requests"):
        (run.path / part).rmdir()
    run.request("stop", "ada")
    shutil.rmtree(run.path / "requests")
    writer = RunWriter(run, {})
    writer.snapshot(1, ARRAYS)
    assert writer.requests() == {}
    writer.close()


def test_requests_are_taken_once(run):
    writer = RunWriter(run, {})
    assert writer.requests() == {}
    run.request("stop", by="ada")
    run.request("stop", by="ada")
    run.request("checkpoint")
    requests = writer.requests()
    assert requests["stop"] == "ada" and requests.keys() == {"stop", "checkpoint"} and requests["checkpoint"]
    assert writer.requests() == {}
    with pytest.raises(RunError, match="no request 'pause'"):
        run.request("pause")
    writer.close()


@pytest.mark.parametrize("content", [b"", b'{"by": "a', b"[]", bytes(100)], ids=repr)
def test_a_torn_request_is_somebodys(run, content):
    writer = RunWriter(run, {})
    (run.path / "requests" / "stop").write_bytes(content)
    (run.path / "requests" / ".checkpoint.0a0a").write_bytes(b"{}")  # being written
    assert writer.requests() == {"stop": "somebody"}
    assert writer.requests() == {}
    writer.close()


@pytest.mark.parametrize("ending", [*ENDED, "lost by kill"])
def test_what_was_asked_of_one_attempt_is_not_asked_of_the_next(run, ending):
    run.request("stop", by="somebody who cancels it in the queue")
    with Control(run) as control:
        control.set("starting")
        writer = RunWriter(run, {})
        assert writer.requests().keys() == {"stop"}
        run.request("stop")
        run.request("checkpoint")
        control.set("running")
        if ending in ENDED:
            control.set(ending)
    with Control(run) as control:
        control.set("starting")
        run.request("checkpoint")
        assert RunWriter(run, {}).requests().keys() == {"checkpoint"}


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(disk):
    with (disk / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(1000)):
            pass


def test_a_full_disk_fails_a_row_and_not_the_rows_before_nor_the_last_word(small_disk):
    run = store.create({}, folder=small_disk)
    with Control(run) as control:
        control.set("running")
        writer = RunWriter(run, {})
        with pytest.raises(OSError) as raised:
            for step in range(100_000):
                writer.row(row(step))
        assert raised.value.errno == errno.ENOSPC
        lines = (run.path / "metrics.1.jsonl").read_bytes()
        assert lines.endswith(b"\n") and lines.count(b"\n") == step
        before = sorted(run.path.rglob("*"))
        for fails in (
            lambda: writer.snapshot(step, ARRAYS),
            lambda: writer.checkpoint(step, ARRAYS, {}),
            lambda: writer.progress({"step": step}),
            lambda: run.label(name="x"),
            lambda: run.request("stop"),
            lambda: store.create({}, folder=small_disk),
        ):
            with pytest.raises(OSError) as raised:
                fails()
            assert raised.value.errno == errno.ENOSPC
        assert [path for path in sorted(run.path.rglob("*")) if path.name != "labels.lock"] == [
            path for path in before if path.name != "labels.lock"
        ]
        control.set("failed", "disk full")
        assert (run.state.state, run.state.reason) == ("failed", "disk full")
        writer.row(row(step))
        writer.close()
    assert run.metrics.update() == step + 1 and run.metrics.damaged == []
    assert [(entry.id, why) for entry, why in store.scan(small_disk)] == [(run.id, "")]
    assert [name for name in os.listdir(small_disk) if name != run.id] == []


def test_on_a_full_disk_a_run_is_not_begun_and_can_be_deleted(small_disk):
    run = store.create({}, folder=small_disk)
    fill(small_disk)
    with pytest.raises(OSError) as raised:
        Control(run)
    assert raised.value.errno == errno.ENOSPC
    assert not run.held() and not (run.path / ".reserve").exists()
    assert run.state.state == "queued"
    run.remove()
    assert os.listdir(small_disk) == ["ballast"]


def test_each_state_can_be_written_on_a_disk_that_fills_up(small_disk):
    run = store.create({}, folder=small_disk)
    with Control(run) as control:
        fill(small_disk)
        for state in ("starting", "running", "stopping", "stopped"):
            control.set(state, "x" * 5000)
            assert run.state.state == state
