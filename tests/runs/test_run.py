"""A run's directory: what is damaged is said to who reads it, and harms no other run."""

import ast
import os
import re
import shutil
import threading
from pathlib import Path

import pytest

from fop_core.runs import files, store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from tests.runs.whole import ARRAYS, full

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


def test_a_run_is_deleted_whole(run):
    full(run)
    other = store.create({}, folder=run.path.parent)
    run.remove()
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


def test_a_request_says_who_made_it_and_can_be_withdrawn(run):
    assert not run.has_request("start")
    run.request("start", "ada", order=5)
    assert run.has_request("start") and run.requested_by("start") == "ada"
    assert files.read_json(run.request_path("start"))["order"] == 5
    run.withdraw("start")
    run.withdraw("start")
    assert not run.has_request("start")


FILES_OF_A_RUN = {
    *("run.json", "state.json", "progress.json", "labels.json", "usage.json", "curvature.json", "log.txt"),
    *("control.lock", "labels.lock", ".reserve", "start.safetensors", "metrics.{}.jsonl", "{:08d}.safetensors"),
    *("{}.claim", ".trash", ".queue"),
}
FOLDERS_OF_A_RUN = {"attempts", "snapshots", "checkpoints", "requests"}


def spelled(tree: ast.AST) -> set[str]:
    """The files of a run that some code names: whole, as a part of a path, or as what is joined to one by "/"."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    parts = {part for text in texts if id(text) not in prose for part in text.value.split("/")}
    joined = {str(node.right.value) for node in ast.walk(tree) if isinstance(node, ast.BinOp) and is_join(node)}
    paths = {part for text in texts if id(text) not in prose and "/" in text.value for part in text.value.split("/")}
    return FILES_OF_A_RUN & parts | FOLDERS_OF_A_RUN & (joined | paths)


def is_join(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant)


def test_every_way_to_spell_a_runs_file_is_seen():
    assert spelled(ast.parse('path / "requests" / "start"')) == {"requests"}
    assert spelled(ast.parse('stamp(f"{folder}/{name}/requests/start")')) == {"requests"}
    assert spelled(ast.parse('open(f"{path}/usage.json"), (path / "log.txt")')) == {"usage.json", "log.txt"}
    assert not spelled(ast.parse('"""Of run.json."""\nconfig["snapshots"], f"{lock} is not the control.lock"'))


def test_a_runs_files_are_spelled_in_one_module():
    root = Path(store.__file__).resolve().parents[2]
    every = [
        path for folder in ("fop_core", "pages", "benchmarks", "scripts") for path in (root / folder).rglob("*.py")
    ]
    names = {path: spelled(ast.parse(path.read_text())) for path in every}
    where = {str(path.relative_to(root)): those for path, those in names.items() if those}
    assert where == {"fop_core/runs/names.py": FILES_OF_A_RUN}
