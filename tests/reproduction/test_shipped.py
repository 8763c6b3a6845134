"""What ships of the paper's studies: packed, read back as it was, and refused where it was edited."""

import contextlib
import dataclasses
import errno
import hashlib
import io
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from fop_core.reproduction import plans, shipped
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.shipped import FOLDER, STUDY
from fop_core.runs import confirmed, learned, plugins
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.series import Series
from fop_core.studies import cells, protocol, submit
from fop_core.studies.binding import existing
from tests.studies import filled, made
from tests.studies.conftest import folder  # noqa: F401, a fixture


@pytest.fixture(scope="module")
def best():
    return shipped.load("paper-2-best")


def missing(packed):
    """Return the cells of a study of which no run is packed, those of reporting at the points that were reported."""
    reported = {run.cell.method: run.cell.point for run in packed.runs if run.cell.role == "report"}
    wanted = cells.cells(packed.study, reported if packed.study.axes else None)
    there = [run.cell.key for run in packed.runs]
    assert there == [cell.key for cell in wanted if cell.key in there], "of each in the study's order, and no other"
    tuning, reporting = cells.count(packed.study)
    return [cell for cell in wanted if cell.key not in there] + ["a winner"] * (tuning + reporting - len(wanted))


def test_what_ships_is_small_names_nobody_and_has_the_runs_of_the_plans():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 10_000_000
    assert {"paper-2-tune", "paper-2-best", "paper-2-small"} <= set(shipped.names()) <= set(plans.PLANS)
    for name in shipped.names():
        text = (FOLDER / name / STUDY).read_text()
        assert not any(word in text for word in ("/work", "/home", "/tmp", '"host"', '"user"', '"path":"'))
        packed = shipped.load(name)
        assert packed.study == plans.PLANS[name].study, "pack it anew"
        assert not missing(packed) and len(packed.runs) == plans.PLANS[name].runs
        assert plans.PLANS[name].seconds == pytest.approx(packed.seconds / len(packed.runs), rel=0.01)


def test_a_study_with_axes_is_packed_with_its_winners_reports(folder, tmp_path):  # noqa: F811
    plan = filled.study("s", fresh_seeds=[2, 3])
    won = {"momentum": {"optimizer.lr": 0.01}, "fop": {"optimizer.lr": 0.1}}
    filled.filled(plan, winners=won)
    shipped.write(shipped.collect(plan, folder), tmp_path / "out" / "s")
    back = shipped.load("s", tmp_path / "out")
    assert not missing(back) and len(back.runs) == sum(cells.count(plan)) == 12
    assert len(cells.check(plan)) == 8, "these alone are known before there are winners"
    assert [cell.seed for cell in missing(dataclasses.replace(back, runs=back.runs[1:]))] == [0]
    assert missing(dataclasses.replace(back, runs=back.runs[:8])) == ["a winner"] * 4
    assert len(shipped.unpack(back, tmp_path / "elsewhere")) == 12
    assert [run.cell.key for run in shipped.collect(plan, tmp_path / "elsewhere").runs] == [
        run.cell.key for run in back.runs
    ]


def test_a_packed_run_has_what_was_measured(best):
    run = best.of("full")[0]
    assert (run.seed, run.state, run.threads, run.cell.config.fop.rank) == (3, "finished", 1, 784)
    epochs, accuracy = run.over("epoch", "test_accuracy")
    np.testing.assert_allclose(epochs, np.arange(1, 11))
    assert run.at_epoch("test_accuracy", 10) == run.last("test_accuracy") == accuracy[-1]
    assert math.isnan(run.at_epoch("test_accuracy", 11)) and len(run.metrics["angle_deg/1.weight"].steps) > 50
    assert best.matrices["k16", 3]["1.weight"].shape == (784, 16)
    with pytest.raises(KeyError, match="has no held_out_accuracy"):
        run.over("epoch", "held_out_accuracy")


def test_runs_of_a_folder_are_packed_read_back_and_unpacked_as_they_were(folder, tmp_path):  # noqa: F811
    plan = protocol.parse({"name": "s", "methods": ["momentum", "fop"], "seeds": [0, 1], "base": {"epochs": 2}})
    done = submit.submit(plan, folder)
    made.write(done.stored, lambda cell: math.nan if (cell.method, cell.seed) == ("fop", 1) else 0.9 + cell.seed / 100)
    packed = shipped.collect(plan, folder)
    assert len(packed.runs) == 4 and packed.of("fop")[1].last("test_accuracy") == -math.inf
    assert shipped.write(packed, tmp_path / "out" / "s") < 20_000
    back = shipped.load("s", tmp_path / "out")
    assert back.study == plan
    for before, after in zip(packed.runs, back.runs):
        assert (before.id, before.cell, before.costs) == (after.id, after.cell, after.costs)
        assert before.metrics.keys() == after.metrics.keys()
        for name in before.metrics:
            np.testing.assert_array_equal(before.metrics[name].steps, after.metrics[name].steps)
            np.testing.assert_array_equal(before.metrics[name].values, after.metrics[name].values)
    assert shipped.unpack(back, folder) == [], "they are there"
    elsewhere = tmp_path / "elsewhere"
    assert len(shipped.unpack(back, elsewhere)) == 4
    again = shipped.collect(plan, elsewhere)
    assert [run.metrics.keys() for run in again.runs] == [run.metrics.keys() for run in packed.runs]
    assert [run.state for run in again.runs] == [run.state for run in packed.runs]
    with pytest.raises(RunError, match="is there already"):
        shipped.write(packed, tmp_path / "out" / "s")
    with pytest.raises(RunError, match="nothing can be packed"):
        shipped.write(shipped.collect(plan, tmp_path / "out"), tmp_path / "other")


def test_what_ships_is_taken_in_by_its_study_and_shows_what_was_learned(best, folder):  # noqa: F811
    few = shipped.Packed(best.study, tuple(best.of("k16")[:1]), best.matrices)
    run = shipped.unpack(few, folder)[0]
    assert learned.of_run(Run(run.path)).layers["1.weight"].P(-1).shape == (784, 784)
    assert run.state.state == "finished" and run.progress["test_accuracy"] == few.runs[0].last("test_accuracy")
    assert submit.submit(best.study, folder).adopted == [run.id]


def test_a_run_of_an_optimizer_of_its_own_is_unpacked_with_its_file(folder):  # noqa: F811
    control = shipped.load("paper-2-control")
    [run] = shipped.unpack(shipped.Packed(control.study, control.runs[-1:], {}, control.sources), folder)
    [source] = plugins.of_run(run).values()
    assert source.content == plans.STEP_LENGTH.read_bytes() and source.file == "step_length.py"
    confirmed.confirm(source.digest)
    assert submit.submit(control.study, folder, control.sources).adopted == [run.id]


@pytest.mark.parametrize("damage", ["metrics", "matrices", "settings", "format", "missing", "no-runs"])
def test_what_was_edited_is_refused(tmp_path, damage):
    shutil.copytree(FOLDER / "paper-2-best", tmp_path / "paper-2-best")
    path = tmp_path / "paper-2-best"
    about = json.loads((path / STUDY).read_text())
    if damage in ("metrics", "matrices"):
        file = path / {"metrics": shipped.METRICS, "matrices": shipped.MATRICES}[damage]
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "settings":
        about["runs"][0]["config"]["optimizer"]["lr"] = 0.2
    elif damage == "format":
        about["format"] = 99
    elif damage == "missing":
        (path / shipped.METRICS).unlink()
    else:
        del about["runs"]
    (path / STUDY).write_text(json.dumps(about))
    with pytest.raises(DamagedFile, match=r"SHA-256|none of the study's|format 99|pack it anew"):
        shipped.load("paper-2-best", tmp_path)


def test_files_of_a_study_that_are_too_large_are_neither_read_nor_packed(best, tmp_path, monkeypatch):
    shutil.copytree(FOLDER / "paper-2-tune", tmp_path / "paper-2-tune")
    with open(tmp_path / "paper-2-tune" / shipped.METRICS, "r+b") as file:
        file.truncate(shipped.LARGEST + 1)  # of which the disk holds nothing
    with pytest.raises(DamagedFile, match=r"metrics.parquet: with it 67,108,865 bytes, of which 67,108,864 can"):
        shipped.load("paper-2-tune", tmp_path)
    monkeypatch.setattr(shipped, "LARGEST", 20_000)
    with pytest.raises(ValueError, match="bytes, of which 20,000 can be read back"):
        shipped.write(dataclasses.replace(best, runs=best.runs[:1]), tmp_path / "s")
    assert os.listdir(tmp_path) == ["paper-2-tune"]


def test_a_study_that_does_not_ship_is_named():
    with pytest.raises(RunError, match="no study 'paper-9' ships: there are paper-2-best"):
        shipped.load("paper-9")


def cut(run, steps):
    """Return a packed run as if it had diverged after so many steps."""
    metrics = {
        name: Series(series.steps[series.steps <= steps], series.values[series.steps <= steps])
        for name, series in run.metrics.items()
        if (series.steps <= steps).any()
    }
    return dataclasses.replace(run, state="failed", cause="diverged", metrics=metrics)


@pytest.mark.parametrize("steps", [-1, 0])
def test_a_run_that_diverged_at_once_is_packed_and_unpacked(best, folder, tmp_path, steps):  # noqa: F811
    one = dataclasses.replace(best, runs=(cut(best.runs[0], steps), best.runs[1]), matrices={})
    shipped.write(one, tmp_path / "paper" / "paper-2-best")
    back = shipped.load("paper-2-best", tmp_path / "paper")
    assert back.runs[0].at_epoch("test_accuracy", 1) == -math.inf
    run = shipped.unpack(back, folder)[0]
    assert run.state.cause == "diverged" and "steps" not in run.progress


def test_a_run_that_cannot_be_written_whole_is_not_there(best, folder, monkeypatch):  # noqa: F811
    row, rows = RunWriter.row, []

    def full(self, content):
        rows.append(content)
        if len(rows) > len(best.runs[0].metrics["epoch"].steps) + 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        row(self, content)

    few = dataclasses.replace(best, runs=best.runs[:3])
    monkeypatch.setattr(RunWriter, "row", full)
    with pytest.raises(OSError, match="No space left"):
        shipped.unpack(few, folder)
    there = [run for run, _ in runs.scan(folder)]
    assert 0 < len(there) < 3 and all(run.state.state == "finished" for run in there)
    monkeypatch.undo()
    assert len(there) + len(shipped.unpack(few, folder)) == 3


def test_others_see_whole_runs_alone_while_some_are_unpacked(best, folder, monkeypatch):  # noqa: F811
    row, states = RunWriter.row, []

    def observed(self, content):
        states.extend(run.state.state for run in runs.directories(folder))
        row(self, content)

    monkeypatch.setattr(RunWriter, "row", observed)
    few = shipped.Packed(best.study, tuple(cut(run, 100) for run in best.runs[:3]))
    assert len(shipped.unpack(few, folder)) == 3
    assert states and {*states} == {"failed"} and not list(folder.glob(".unpack*"))


def test_who_is_killed_while_unpacking_leaves_whole_runs_and_the_rest_to_the_next(best, folder):  # noqa: F811
    code = (
        "import os; from fop_core.reproduction import shipped; from fop_core.runs.run_writer import RunWriter\n"
        "best, row, rows = shipped.load('paper-2-best'), RunWriter.row, []\n"
        "def killed(self, content):\n"
        "    rows.append(row(self, content))\n"
        "    if len(rows) > len(best.runs[0].metrics['epoch'].steps) + 10: os.kill(os.getpid(), 9)\n"
        "RunWriter.row = killed\n"
        "shipped.unpack(shipped.Packed(best.study, best.runs[:2]))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert [run.state.state for run in runs.directories(folder)] == ["finished"]
    assert list(folder.glob(".unpack*"))
    assert len(shipped.unpack(dataclasses.replace(best, runs=best.runs[:2]), folder)) == 1
    assert [run.state.state for run in runs.directories(folder)] == ["finished"] * 2
    assert not list(folder.glob(".unpack*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be two users")
def test_two_users_who_unpack_at_once_both_end_well(best, tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from fop_core.reproduction import shipped\n"
        "p = shipped.load('paper-2-best'); p = shipped.Packed(p.study, p.runs[:2])\n"
        "shipped.unpack(p, Path(sys.argv[1]))\n"  # what is loaded late a user of no name could not load
        "begun, begin = os.pipe()\n"
        "for user in (65534, 65533):\n"
        "    if os.fork() == 0:\n"
        "        os.setgroups([]); os.setgid(65534); os.setuid(user); os.umask(0o002); os.read(begun, 1)\n"
        "        print(len(shipped.unpack(p, Path(sys.argv[2])))); sys.exit()\n"
        "os.write(begin, b'xx'); sys.exit(any(os.wait()[1] for _ in range(2)))"
    )
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        shared = Path(top, "runs")
        shared.mkdir()
        os.chown(shared, 0, 65534)
        shared.chmod(0o2775)
        done = subprocess.run(
            [sys.executable, "-c", code, tmp_path / "runs", shared], capture_output=True, text=True, check=False
        )
        there = list(runs.directories(shared))
        assert (done.returncode, done.stderr) == (0, "")
        assert len(there) == sum(map(int, done.stdout.split())) >= 2
        assert {run.state.state for run in there} == {"finished"} and not list(shared.glob(".unpack*"))
        assert {run.cell.key for run in best.runs[:2]} == {*existing(shared)}


@contextlib.contextmanager
def full_above(size):
    """Have no file grow beyond so many bytes: writing fails as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("which", [shipped.METRICS, shipped.MATRICES, STUDY])
def test_a_study_that_cannot_be_written_whole_is_not_there(best, tmp_path, which):
    few = dataclasses.replace(best, runs=best.runs[:1], matrices=best.matrices if which == shipped.MATRICES else {})
    if which == STUDY:  # the largest file, of runs that measured nothing
        few = dataclasses.replace(best, runs=tuple(cut(run, -1) for run in best.runs * 3), matrices={})
    shipped.write(few, tmp_path / "whole" / "s")
    size = (tmp_path / "whole" / "s" / which).stat().st_size
    assert size == max(path.stat().st_size for path in (tmp_path / "whole" / "s").iterdir())
    with full_above(size - 1), pytest.raises(OSError, match="File too large"):
        shipped.write(few, tmp_path / "paper" / "s")
    assert os.listdir(tmp_path / "paper") == [] and shipped.names(tmp_path / "paper") == []
    shipped.write(few, tmp_path / "paper" / "s")
    assert {path.name: path.read_bytes() for path in (tmp_path / "paper/s").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "whole/s").iterdir()
    }


def test_what_was_not_packed_to_its_end_does_not_ship(tmp_path):
    shutil.copytree(FOLDER / "paper-2-tune", tmp_path / ".paper-2-tune.0123abcd")
    assert shipped.names(tmp_path) == []


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_when_packing_ends_stays(best, tmp_path, monkeypatch, kind):
    few, about = dataclasses.replace(best, runs=best.runs[:1]), shipped._about

    def meanwhile(*arguments):
        if kind == "folder":
            shutil.copytree(FOLDER / "paper-2-tune", tmp_path / "s")
        elif kind == "file":
            (tmp_path / "s").write_text("mine")
        else:
            (tmp_path / "s").symlink_to(tmp_path / "nowhere")
        return about(*arguments)

    monkeypatch.setattr(shipped, "_about", meanwhile)
    with pytest.raises(RunError, match="is there already: move it away"):
        shipped.write(few, tmp_path / "s")
    assert os.listdir(tmp_path) == ["s"] and (kind != "file" or (tmp_path / "s").read_text() == "mine")


def test_two_who_unpack_at_once_write_each_run_once(tmp_path):
    code = (
        "import sys; from pathlib import Path; from fop_core.reproduction import shipped;"
        "p = shipped.load('paper-2-best'); p = shipped.Packed(p.study, p.runs[:3]);"
        "print(flush=True); sys.stdin.read(1);"
        "print(len(shipped.unpack(p, Path(sys.argv[1]))))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / "runs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for each in both:
        each.stdout.readline()  # it has all that it needs
    for each in both:
        each.stdin.write("x")
        each.stdin.flush()
    made = [int(each.communicate()[0]) for each in both]
    assert sum(made) == 3 == len(list(runs.directories(tmp_path / "runs")))


def test_a_pipe_is_not_waited_for_and_what_is_no_parquet_is_damaged(tmp_path):
    shutil.copytree(FOLDER / "paper-2-best", tmp_path / "paper-2-best")
    path = tmp_path / "paper-2-best"
    about = json.loads((path / STUDY).read_text())

    def signed(content: bytes) -> None:
        (path / shipped.METRICS).write_bytes(content)
        about["files"][shipped.METRICS] = hashlib.sha256(content).hexdigest()
        (path / STUDY).write_text(json.dumps(about))

    table = parquet.read_table(path / shipped.METRICS)
    signed(b"PAR1garbagePAR1")
    with pytest.raises(DamagedFile, match="no Parquet"):
        shipped.load("paper-2-best", tmp_path)
    buffer = io.BytesIO()
    parquet.write_table(table.take(list(range(len(table)))[::-1]), buffer)
    signed(buffer.getvalue())
    back = shipped.load("paper-2-best", tmp_path)
    assert back.runs[0].last("test_accuracy") == shipped.load("paper-2-best").runs[0].last("test_accuracy")
    about["runs"][0]["state"] = "<b>"
    signed(buffer.getvalue())
    with pytest.raises(DamagedFile, match="is '<b>', and not finished or failed"):
        shipped.load("paper-2-best", tmp_path)
    (path / shipped.METRICS).unlink()
    os.mkfifo(path / shipped.METRICS)
    with pytest.raises(DamagedFile, match="device or pipe"):
        shipped.load("paper-2-best", tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("attempts/1.json", "{"),
        ("attempts/1.json", '{"versions": ["x"]}'),
        ("attempts/1.json", '{"threads": "many"}'),
        ("metrics.1.jsonl", ""),
    ],
)
def test_a_damaged_run_is_named_and_the_others_count(best, folder, file, content):  # noqa: F811
    damaged, whole = shipped.unpack(dataclasses.replace(best, runs=best.runs[:2]), folder)
    (damaged.path / file).write_text(content)
    made = shipped.collect(best.study, folder)
    assert len(made.runs) == 1 and list(made.left_out) == [damaged.id] and made.runs[0].id == whole.id
    evidence = Evidence(runs=folder)
    assert len(evidence.study("paper-2-best").runs) == 1 and list(evidence.left_out) == [damaged.id]
