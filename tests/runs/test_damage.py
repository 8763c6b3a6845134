"""What a run's files say is checked where it is read: no wrong type, pipe or link gets past the store."""

import json
import math
import shutil

import pytest

from fop_core.runs import files, stamps, store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from tests import damage
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.permissions import NO_PERMISSION, permissions_hold  # noqa: F401, a fixture

pytestmark = pytest.mark.usefixtures("watchdog")

ATTEMPT = {
    "device": "cpu",
    "device_name": "A CPU",
    "threads": 1,
    "versions": {"torch": "2"},
    "commit": None,
    "command": ["python", "-m", "fop_core"],
    "data": {"title": "MNIST", "note": ""},
    "optimizer": "SGD",
}
PROGRESS = {
    "step": 2,
    "steps": 10,
    "epoch": 0.2,
    "epochs": 1,
    "share": 0.2,
    "eta_seconds": 3.5,
    "corrupt": 0,
    "train_loss": math.nan,
    "test_accuracy": 0.5,
    "eigenvalue_max": 1.5,
    "samples_per_second": 100.0,
}
CURVATURE = {"attempt": 1, "checkpoint": True, "bound": None, "with_P": math.inf, "negative": {"0.weight": -0.5}}


@pytest.fixture
def run(tmp_path):
    run = store.create({"seed": 0}, name="one", folder=tmp_path / "runs")
    with Control(run) as control:
        control.set("running")
        writer = RunWriter(run, ATTEMPT)
        writer.row({"step": 1, "train_loss": 1.0, "test_accuracy": 0.5})
        writer.progress(PROGRESS)
        writer.close()
        control.set("finished")
    files.write_json(run.path / "usage.json", {"cpu_percent": 99.5, "memory": 10, "at": stamps.now()})
    run.keep_curvature(CURVATURE)
    (run.path / "log.txt").write_text("done\n")
    return run


def test_what_is_whole_comes_back_as_numbers(run):
    progress = run.progress
    assert progress.pop("at") and math.isnan(progress.pop("train_loss"))
    assert progress == {name: value for name, value in PROGRESS.items() if name != "train_loss"}
    assert ATTEMPT.items() <= run.attempts[0].items()
    assert run.usage["cpu_percent"] == 99.5
    assert run.curvature == CURVATURE


WRONG = ["x", [1], {"a": 1}, True, None, "NaN", -1, 10**400]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("name", PROGRESS)
def test_progress_of_a_wrong_kind_is_damage_and_never_returned(run, name, value):
    (run.path / "progress.json").write_text(json.dumps(PROGRESS | {"train_loss": 1.0, name: value}))
    right = {
        None: name == "eta_seconds",
        "NaN": name in ("train_loss", "test_accuracy", "eigenvalue_max", "samples_per_second"),
        -1: name in ("train_loss", "test_accuracy", "eigenvalue_max", "samples_per_second"),
    }
    if right.get(value if not isinstance(value, (list, dict)) and value is not True else "", False):
        assert run.progress[name] is None or isinstance(run.progress[name], float)
        return
    with pytest.raises(DamagedFile, match=rf"progress\.json: its {name} is "):
        _ = run.progress


@pytest.mark.parametrize("value", ["x", [1], {"a": 1}, True, -1, 5], ids=repr)
@pytest.mark.parametrize("name", [*ATTEMPT, "attempt", "from_step", "started"])
def test_an_attempt_of_a_wrong_kind_is_damage_and_never_returned(run, name, value):
    path = run.path / "attempts" / "1.json"
    written = json.loads(path.read_text())
    path.write_text(json.dumps(written | {name: value}))
    kinds = {"attempt": None, "threads": int, "from_step": int, "versions": None, "data": dict, "command": None}
    kind = kinds.get(name, str)
    if kind is not None and type(value) is kind and value != -1:
        assert run.attempts[0][name] == value
        return
    with pytest.raises(DamagedFile, match=r"1\.json: "):
        _ = run.attempts


@pytest.mark.parametrize("content", [{"cpu_percent": "much"}, {"memory": [1]}, {"gpu_percent": None}], ids=repr)
def test_usage_of_a_wrong_kind_is_damage(run, content):
    (run.path / "usage.json").write_text(json.dumps(content))
    with pytest.raises(DamagedFile, match=r"usage\.json: its "):
        _ = run.usage


@pytest.mark.parametrize("lineage", [{"preset": [1]}, {"method": {}}, {"matrices": []}, {"set": 1}, {"parent": 5}])
def test_a_lineage_of_a_wrong_kind_is_damage(run, lineage):
    files.write_json(run.path / "run.json", run.about | {"lineage": lineage})
    with pytest.raises(DamagedFile, match=r"run\.json: its lineage"):
        _ = Run(run.path).about


READERS = {
    "about": lambda run: run.about,
    "state": lambda run: run.state,
    "labels": lambda run: run.labels,
    "label": lambda run: run.label(name="new"),
    "progress": lambda run: run.progress,
    "usage": lambda run: run.usage,
    "curvature": lambda run: run.curvature,
    "keep": lambda run: run.keep_curvature(CURVATURE),
    "attempts": lambda run: run.attempts,
    "metrics": lambda run: Run(run.path).metrics.update(),
    "snapshots": lambda run: [run.snapshot(step) for step in run.snapshot_steps()],
    "checkpoints": lambda run: [run.checkpoint(step) for step in run.checkpoint_steps()],
    "log": lambda run: run.log(),
    "step": lambda run: run.step(),
    "held": lambda run: run.held(),
    "size": lambda run: run.size(),
    "asked by": lambda run: run.requested_by("stop"),
}


@pytest.mark.usefixtures("permissions_hold")
@pytest.mark.parametrize("kind", [*damage.KINDS, NO_PERMISSION], ids=lambda kind: kind[0])
def test_whatever_is_in_a_files_place_each_reader_ends_with_the_value_or_names_the_damage(run, kind):
    for part in damage.parts(run.path):
        name = part or "the run"
        copy = run.path.parent / "copy"
        shutil.copytree(run.path, copy)
        kind[1](copy / part)
        for reader, read in READERS.items():
            try:
                read(Run(copy))
            except (DamagedFile, OSError) as error:
                assert str(copy) in str(error), (name, reader)
        others = {other.id: why for other, why in store.scan(run.path.parent)}
        assert others.pop(run.id) == "" and others.keys() <= {"copy"}
        assert store.find(run.id, run.path.parent).path == run.path
        assert files.size(run.path.parent) > 0
        if not (copy / part).is_symlink() and (copy / part).exists():
            (copy / part).chmod(0o700)
        damage.remove(copy)
