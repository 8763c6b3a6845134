"""A run's directory: what is damaged is said and harms no other run, who died is lost, a full disk ends it in words."""

import contextlib
import errno
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fop_core import runs
from fop_core.runs import files, store
from fop_core.runs.control import RESERVE, Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.store import Run, RunError

HOLDER = """
import multiprocessing, os, subprocess, sys, time
from fop_core.runs import store
from fop_core.runs.control import Control


def child():
    print(os.getpid(), flush=True)
    time.sleep(60)


control = Control(store.Run(sys.argv[1]))
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
from fop_core.runs import store

run = store.Run(sys.argv[1])
print("polling", flush=True)
while True:
    assert run.state.state in ("running", "lost")
"""
ARRAYS = {"layers.0/M": np.eye(3, dtype=np.float32)}


@pytest.fixture
def run(tmp_path):
    return store.create({"model": "mlp", "epochs": 2}, name="First run", tags=("a", "b"), folder=tmp_path / "runs")


def row(step, **columns):
    return {"step": step, "train_loss": 1.0 / (step + 1), **columns}


def full(run):
    """A run of every file there is."""
    with Control(run) as control:
        control.set("starting")
        writer = RunWriter(run, {"device": "cpu"})
        control.set("running")
        for step in (1, 2):
            writer.row(row(step))
            writer.snapshot(step, ARRAYS)
            writer.checkpoint(step, ARRAYS, {"step": step})
        writer.progress({"step": 2})
        writer.close()
        control.set("finished")
    run.label(notes="whole")
    (run.path / "log.txt").write_text("done\n")
    return run


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


# made and found -------------------------------------------------------------------------------------------------------


def test_a_new_run_is_queued_and_says_what_it_is(run):
    assert re.fullmatch(r"\d{8}-\d{6}-first-run-[0-9a-f]{8}", run.id)
    assert run.config == {"model": "mlp", "epochs": 2}
    assert run.state.state == "queued" and store.age(run.state.since) < 60
    assert run.labels == {"name": "First run", "tags": ["a", "b"], "notes": "", "archived": False}
    assert (run.name, run.progress, run.attempts, run.metrics_files(), run.log()) == ("First run", {}, [], [], "")
    assert (run.snapshot_steps(), run.checkpoint_steps(), run.held()) == ([], [], False)
    assert os.listdir(run.path.parent) == [run.id]


@pytest.mark.parametrize("name", ["", "ünï / ../ \n\0", "x" * 500, "..", "🙂"], ids=repr)
def test_any_name_will_do(tmp_path, name):
    run = store.create({}, name=name, folder=tmp_path)
    assert run.path.parent == tmp_path and re.fullmatch("[0-9a-z-]{1,80}", run.id)
    assert run.name == (name or run.id)


def test_nobody_sees_half_a_new_run(tmp_path):
    done = threading.Event()

    def make():
        for _ in range(40):
            store.create({"filling": "x" * 10_000}, folder=tmp_path)
        done.set()

    maker = threading.Thread(target=make)
    maker.start()
    while not done.is_set():
        assert [damage for _, damage in store.scan(tmp_path) if damage] == []
    maker.join()
    assert len(list(store.scan(tmp_path))) == 40


def test_a_run_that_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(TypeError):
        store.create({"model": object()}, folder=tmp_path)
    with pytest.raises(RunError, match="tags"):
        store.create({}, tags=(1,), folder=tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_run_is_found_by_path_id_beginning_or_name(run, monkeypatch):
    folder = run.path.parent
    other = store.create({}, name="Second", folder=folder)
    twins = sorted(store.create({}, name="Twin", folder=folder).id for _ in range(7))
    assert store.find(str(run.path)).id == run.id
    assert store.find(run.id, folder).id == run.id
    assert store.find(run.id[:-2], folder).id == run.id
    assert store.find("Second", folder).id == other.id
    with pytest.raises(RunError, match=f"'Twin' may be {twins[0]}.* or 2 more: give more of the id"):
        store.find("Twin", folder)
    for text in ("", "Third", "x" * 5000, "a\0b", "/", "~", "/dev/null"):
        with pytest.raises(RunError, match="no run"):
            store.find(text, folder)
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    assert store.find("Second").id == other.id
    monkeypatch.chdir(folder)
    assert store.find(run.id).name == "First run"


def test_a_damaged_neighbour_hides_no_run(run):
    other = store.create({}, name="Second", folder=run.path.parent)
    for name in ("labels.json", "state.json", "run.json"):
        (run.path / name).write_bytes(b"{")
        assert store.find("Second", run.path.parent).id == other.id
        assert store.find(run.id, run.path.parent).id == run.id


def test_a_folder_that_is_no_run_is_called_so(tmp_path):
    with pytest.raises(RunError, match=re.escape(f"{tmp_path} is no run")):
        store.find(str(tmp_path), tmp_path / "runs")


def test_scan_of_no_folder_is_empty_and_of_a_strange_one_goes_on(run):
    assert list(store.scan(run.path / "none")) == []
    folder = run.path.parent
    (folder / "aaa").mkdir()
    (folder / ".hidden").mkdir()
    (folder / "file").write_text("")
    entries = [(entry.id, damage) for entry, damage in store.scan(folder)]
    assert entries == [(run.id, ""), ("aaa", f"{folder / 'aaa' / 'run.json'} is missing")]


def test_a_list_of_many_runs_opens_three_small_files_of_each(run, monkeypatch):
    full(run)
    for i in range(100):
        shutil.copytree(run.path, run.path.parent / f"copy-{i:04d}")
    opened, real = [], files.opened
    monkeypatch.setattr(files, "opened", lambda path: opened.append(path.name) or real(path))
    assert [damage for _, damage in store.scan(run.path.parent)] == [""] * 101
    assert sorted(opened) == sorted(["run.json", "state.json", "labels.json"] * 101)


# damage ---------------------------------------------------------------------------------------------------------------

JSON_DAMAGE = {
    "empty": b"",
    "cut short": b'{"state": "fini',
    "a list": b"[]",
    "an empty object": b"{}",
    "zeros": bytes(500),
    "wrong kinds": b'{"state": 1, "reason": [], "since": {}, "format": "1", "config": [], "name": 5, "attempt": "1"}',
    "a folder": None,
}


def damage(path, content):
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize("content", JSON_DAMAGE.values(), ids=JSON_DAMAGE)
@pytest.mark.parametrize("name", ["run.json", "state.json", "labels.json"])
def test_scan_says_what_is_damaged_and_goes_on(run, name, content):
    whole = store.create({}, name="Whole", folder=run.path.parent)
    full(run)
    damage(run.path / name, content)
    damages = {entry.id: why for entry, why in store.scan(run.path.parent)}
    assert damages.keys() == {run.id, whole.id} and damages[whole.id] == ""
    if (name, content) == ("labels.json", b"{}"):
        assert damages[run.id] == "", "no labels are labels"
    else:
        assert str(run.path / name) in damages[run.id]


@pytest.mark.parametrize("content", JSON_DAMAGE.values(), ids=JSON_DAMAGE)
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("run.json", lambda run: run.config),
        ("state.json", lambda run: run.state),
        ("labels.json", lambda run: run.labels),
        ("labels.json", lambda run: run.name),
        ("attempts/1.json", lambda run: run.attempts),
        ("attempts/1.json", lambda run: run.metrics_files()),
        ("attempts/1.json", lambda run: run.metrics.update()),
        ("progress.json", lambda run: run.progress),
    ],
)
def test_who_reads_what_is_damaged_hears_of_it(run, name, content, read):
    damage(full(run).path / name, content)
    if content == b"{}" and name in ("labels.json", "progress.json"):
        read(Run(run.path))
        return
    if content == JSON_DAMAGE["wrong kinds"] and name == "progress.json":
        return  # the trainer's own, of any content
    with pytest.raises(DamagedFile, match=name):
        read(Run(run.path))
    assert len(list(store.scan(run.path.parent))) == 1


@pytest.mark.parametrize("kind", ["snapshot", "checkpoint"])
@pytest.mark.parametrize("content", [b"", bytes(1000), None], ids=["empty", "zeros", "a folder"])
def test_a_damaged_snapshot_or_checkpoint_leaves_the_others(run, kind, content):
    full(run)
    damage(run.path / f"{kind}s" / "00000002.safetensors", content)
    read = getattr(run, kind)
    with pytest.raises(DamagedFile, match="00000002"):
        read(2)
    assert read(1)
    assert [why for _, why in store.scan(run.path.parent)] == [""]


@pytest.mark.parametrize("name", ["run.json", "state.json"])
def test_scan_says_what_is_missing_and_goes_on(run, name):
    whole = store.create({}, name="Whole", folder=run.path.parent)
    (full(run).path / name).unlink()
    assert dict((entry.id, why) for entry, why in store.scan(run.path.parent)) == {
        run.id: f"{run.path / name} is missing",
        whole.id: "",
    }


LISTED = ("run.json", "state.json", "labels.json")  # what a list entry is made of
OTHERS = (
    "attempts/1.json",
    "progress.json",
    "metrics.1.jsonl",
    "snapshots/00000002.safetensors",
    "checkpoints/00000002.safetensors",
)


@pytest.mark.parametrize("happens", ["corrupted", "missing"])
@pytest.mark.parametrize("name", [*LISTED, *OTHERS])
def test_whichever_file_is_damaged_its_reader_hears_of_it_and_the_list_goes_on(run, name, happens):
    whole = full(store.create({}, name="Whole", folder=run.path.parent))
    path = full(run).path / name
    if happens == "corrupted":
        path.write_bytes(bytes(range(128, 228)) + b"\n")
    else:
        path.unlink()
    damages = {entry.id: why for entry, why in store.scan(run.path.parent)}
    assert damages.keys() == {run.id, whole.id} and damages[whole.id] == ""
    if name not in LISTED or (name, happens) == ("labels.json", "missing"):
        assert damages[run.id] == ""
    else:
        assert str(path) in damages[run.id]
    if name == "metrics.1.jsonl":  # its lines are left out, and listed
        assert run.metrics.update() == 0 and run.metrics.columns == []
        assert len(run.metrics.damaged) == (happens == "corrupted")
        return
    read = {
        "run.json": lambda: Run(run.path).about,
        "state.json": lambda: run.state,
        "labels.json": lambda: run.labels,
        "attempts/1.json": lambda: run.metrics.update(),
        "progress.json": lambda: run.progress,
        "snapshots/00000002.safetensors": lambda: run.snapshot(2),
        "checkpoints/00000002.safetensors": lambda: run.checkpoint(2),
    }[name]
    if happens == "missing" and name in ("labels.json", "progress.json"):
        read()
    elif happens == "missing" and name == "attempts/1.json":
        with pytest.raises(FileNotFoundError, match=re.escape(name)):  # its metrics say that it was
            read()
    else:
        with pytest.raises(DamagedFile if happens == "corrupted" else FileNotFoundError, match=re.escape(name)):
            read()


@pytest.mark.parametrize("moment", ["", "yesterday", "0001-01-01", "2026-02-30T00:00:00", "1e9"], ids=repr)
def test_a_time_that_is_none_is_damage(run, moment):
    files.write_json(run.path / "state.json", {"state": "queued", "reason": "", "since": moment})
    with pytest.raises(DamagedFile, match=r"state\.json: since .*, no time"):
        _ = run.state
    files.write_json(run.path / "run.json", {**run.about, "created": moment})
    with pytest.raises(DamagedFile, match=r"run\.json: created .*, no time"):
        _ = Run(run.path).about


def test_what_may_be_missing_and_what_may_not(run):
    full(run)
    for name in ("labels.json", "progress.json", "log.txt", "metrics.1.jsonl"):
        (run.path / name).unlink()
    shutil.rmtree(run.path / "snapshots")
    assert [why for _, why in store.scan(run.path.parent)] == [""]
    assert (run.name, run.progress, run.log(), run.snapshot_steps()) == (run.id, {}, "", [])
    assert run.metrics.update() == 0
    with pytest.raises(FileNotFoundError):
        run.snapshot(1)


def test_a_missing_attempt_is_not_passed_over(run):
    full(run)
    RunWriter(run, {}, from_step=1).close()
    (run.path / "attempts" / "1.json").unlink()
    with pytest.raises(FileNotFoundError, match=re.escape("attempts/1.json")):
        run.metrics_files()
    (run.path / "attempts" / "2.json").unlink()
    with pytest.raises(FileNotFoundError, match=re.escape("attempts/1.json")):
        run.metrics_files()
    assert RunWriter(run, {}, from_step=1).attempt == 3, "no metrics are written after another attempt's"


def test_files_of_other_names_are_no_steps(run):
    full(run)
    for name in (
        "3.safetensors",
        "٣٣٣٣٣٣٣٣.safetensors",
        "00000004.safetensors.old",
        ".00000005.safetensors.ab12",
        "x",
    ):
        (run.path / "snapshots" / name).write_bytes(b"")
    (run.path / "attempts" / "02.json").write_bytes(b"")
    assert run.snapshot_steps() == [1, 2] and len(run.attempts) == 1
    files.write_arrays(run.path / "snapshots" / "1234567890.safetensors", ARRAYS)
    assert run.snapshot_steps() == [1, 2, 1234567890] and run.snapshot(1234567890)


# labels ---------------------------------------------------------------------------------------------------------------


def test_labels_change_one_by_one(run):
    run.label(name="New", archived=True)
    run.label(notes="seen")
    assert Run(run.path).labels == {"name": "New", "tags": ["a", "b"], "notes": "seen", "archived": True}


@pytest.mark.parametrize(
    "changes",
    [
        {"nam": "x"},
        {"name": 1},
        {"name": "half a character \udcff"},
        {"tags": "abc"},
        {"tags": ["\ud800"]},
        {"archived": 1},
        {"notes": None},
    ],
    ids=ascii,
)
def test_wrong_labels_are_refused(run, changes):
    with pytest.raises(RunError, match=next(iter(changes))):
        run.label(**changes)
    assert run.labels["name"] == "First run"


def test_two_who_label_at_once_lose_nothing(run):
    def label(key, value):
        for i in range(50):
            Run(run.path).label(**{key: value(i)})

    threads = [
        threading.Thread(target=label, args=("notes", lambda i: f"note {i}")),
        threading.Thread(target=label, args=("tags", lambda i: [f"tag {i}"])),
        threading.Thread(target=label, args=("name", lambda i: f"name {i}")),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.labels == {"name": "name 49", "tags": ["tag 49"], "notes": "note 49", "archived": False}


# who answers for it ---------------------------------------------------------------------------------------------------


def test_a_state_is_one_of_those_there_are(run):
    with Control(run) as control:
        for state in store.STATES:
            control.set(state, "why")
            assert (run.state.state, run.state.reason) == (state, "why")
        with pytest.raises(RunError, match="no state 'dead': there are queued"):
            control.set("dead")
    with pytest.raises(RunError, match="control"):
        control.set("finished")
    assert not (run.path / ".reserve").exists()


@pytest.mark.parametrize("state", store.ALIVE)
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
            run.delete()
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
        damage(run.path / "state.json", content)
        with pytest.raises(DamagedFile):
            _ = run.state
        if content is None:
            (run.path / "state.json").rmdir()
        with Control(run) as control:
            control.set("starting")
            assert run.state.state == "starting"


def test_a_run_is_deleted_whole(run):
    full(run)
    other = store.create({}, folder=run.path.parent)
    run.delete()
    assert os.listdir(other.path.parent) == [other.id]
    with pytest.raises(FileNotFoundError):
        Control(run)


def test_the_size_of_a_run_that_is_being_written(run):
    full(run)
    assert run.size() == sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    done = threading.Event()

    def write():
        for i in range(500):
            files.write_json(run.path / "progress.json", {"step": i}, sync=False)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert run.size() > 0
    writer.join()


def test_the_end_of_a_log(run):
    (run.path / "log.txt").write_bytes(b"x" * 30_000 + "\n€\n".encode() + b"\xff\n")
    assert run.log(10) == "xxx\n€\n\ufffd\n"
    assert len(run.log()) < 20_001


# the run writer -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("ending", [*store.ENDED, "lost by kill"])
def test_what_was_asked_of_one_attempt_is_not_asked_of_the_next(run, ending):
    run.request("stop", by="somebody who cancels it in the queue")
    with Control(run) as control:
        control.set("starting")
        writer = RunWriter(run, {})
        assert writer.requests().keys() == {"stop"}
        run.request("stop")
        run.request("checkpoint")
        control.set("running")
        if ending in store.ENDED:
            control.set(ending)
    with Control(run) as control:
        control.set("starting")
        run.request("checkpoint")
        assert RunWriter(run, {}).requests().keys() == {"checkpoint"}


# a full disk ----------------------------------------------------------------------------------------------------------


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
    run.delete()
    assert os.listdir(small_disk) == ["ballast"]


def test_each_state_can_be_written_on_a_disk_that_fills_up(small_disk):
    run = store.create({}, folder=small_disk)
    with Control(run) as control:
        fill(small_disk)
        for state in ("starting", "running", "stopping", "stopped"):
            control.set(state, "x" * 5000)
            assert run.state.state == state


# for a notebook -------------------------------------------------------------------------------------------------------


def test_load_finds_a_run_and_reads_it(run, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(run.path.parent))
    full(run)
    for text in (run.path, str(run.path), run.id, run.id[:-1], "First run"):
        loaded = runs.load(text)
        assert loaded.id == run.id
        assert loaded.metrics["train_loss"].values.tolist() == [1 / 2, 1 / 3]


def test_load_says_what_is_wrong(run, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(run.path.parent))
    full(run)
    with pytest.raises(RunError, match=r"no run 'other' in .*runs"):
        runs.load("other")
    (run.path / "metrics.1.jsonl").write_bytes(b'{"step": 1, "train_loss": 2}\nrubbish\n')
    assert runs.load(run.id).metrics.damaged == [f"{run.path / 'metrics.1.jsonl'}: 1 damaged line left out: 2"]
    (run.path / "attempts" / "1.json").unlink()
    with pytest.raises(RunError, match=r"is not whole: .*attempts/1\.json is missing"):
        runs.load(run.id)
    (run.path / "run.json").write_bytes(b"{")
    with pytest.raises(DamagedFile, match=r"run\.json: no JSON"):
        runs.load(run.id)
    (run.path / "run.json").unlink()
    with pytest.raises(RunError, match=r"run\.json is missing"):
        runs.load(run.id)


def test_runs_are_loaded_without_what_is_heavy():
    heavy = "{'torch', 'pandas', 'pyarrow', 'streamlit', 'safetensors', 'matplotlib'}"
    code = (
        f"import sys, fop_core.runs, fop_core.runs.metrics, fop_core.runs.export; print({heavy} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_checkouts_runs_are_in_it_wherever_one_stands(tmp_path, monkeypatch):
    monkeypatch.delenv("FOP_RUNS_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    project = Path(store.__file__).resolve().parents[2]
    assert store.runs_folder() == project / "trained_models" / "runs"
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "mine"))
    assert store.runs_folder() == tmp_path / "mine"
