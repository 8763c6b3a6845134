"""A table in another program's file: exact, and "not measured" is not "not a number"."""

import csv
import io
import math
import os
import sys
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from fop_core.runs import export, files, store
from fop_core.runs.run_writer import RunWriter

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

NAN, INF = math.nan, math.inf
ROWS = [
    {"step": 1, "train_loss": 0.1 + 0.2, "lr": 1},
    {"step": 2},
    {"step": 3, "train_loss": NAN, "angle_deg/a,b": 5e-324, 'odd "name"\n': 1e22},
    {"step": 10**15 + 1, "train_loss": INF, "lr": -0.0},
    {"step": 2**53 + 1, "train_loss": -INF},
]
WRITERS = [export.to_csv, export.to_parquet]


@pytest.fixture
def run(tmp_path):
    return recorded(tmp_path / "runs", ROWS)


def recorded(folder, rows):
    run = store.create({}, folder=folder)
    writer = RunWriter(run, {})
    for row in rows:
        writer.row(row)
    writer.close()
    return run


def test_csv_is_exact_text(run, tmp_path):
    export.to_csv(run, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes().decode() == (
        'step,lr,"odd ""name""\n",train_loss,"angle_deg/a,b",run\n'
        f"1,1.0,,0.30000000000000004,,{run.id}\n"
        f"2,,,,,{run.id}\n"
        f"3,,1e+22,nan,5e-324,{run.id}\n"
        f"1000000000000001,-0.0,,inf,,{run.id}\n"
        f"9007199254740993,,,-inf,,{run.id}\n"
    )


def test_parquet_tells_null_from_nan(run, tmp_path):
    export.to_parquet(run, str(tmp_path / "a.parquet"))
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.schema.metadata[b"run"] == run.id.encode()
    assert table.column_names == ["step", *run.metrics.columns]
    assert [str(kind) for kind in table.schema.types] == ["int64"] + ["double"] * 4
    assert table["step"].to_pylist() == [row["step"] for row in ROWS]
    for name in run.metrics.columns:
        for value, row in zip(table[name].to_pylist(), ROWS):
            assert (value is None) == (name not in row)
            assert value is None or value == row[name] or (math.isnan(value) and math.isnan(row[name]))
    assert table["train_loss"].null_count == 1


values = st.floats() | st.integers(-(2**60), 2**60)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c/d"]), values, max_size=3), max_size=8))
def test_both_read_back_to_the_last_bit(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("export")
    run = recorded(folder / "runs", [{"step": 3 * i, **row} for i, row in enumerate(rows)])
    export.to_csv(run, folder / "a.csv")
    export.to_parquet(run, folder / "a.parquet")
    with (folder / "a.csv").open(newline="") as file:
        from_csv = list(csv.DictReader(file))
    table = parquet.read_table(folder / "a.parquet")
    assert [int(row["step"]) for row in from_csv] == table["step"].to_pylist() == [3 * i for i in range(len(rows))]
    for name in run.metrics.columns:
        for cell, value, row in zip((row[name] for row in from_csv), table[name].to_pylist(), rows):
            assert (cell == "") == (value is None) == (name not in row)
            if name in row:
                wanted = np.float64(row[name])
                assert np.array_equal([float(cell), value], [wanted, wanted], equal_nan=True)
                assert math.isnan(wanted) or math.copysign(1, float(cell)) == math.copysign(1, wanted)


@pytest.mark.parametrize("write", WRITERS)
def test_what_was_logged_since_is_written_too(run, tmp_path, write):
    run.metrics.update()
    writer = RunWriter(run, {}, from_step=2)
    writer.row({"step": 4, "train_loss": 9.0})
    writer.close()
    write(run, tmp_path / "a")
    if write is export.to_csv:
        lines = [
            "step,lr,train_loss,run",
            *(f"{row},{run.id}" for row in ("1,1.0,0.30000000000000004", "2,,", "4,,9.0")),
        ]
        assert (tmp_path / "a").read_text().splitlines() == lines
    else:
        assert parquet.read_table(tmp_path / "a")["step"].to_pylist() == [1, 2, 4]


@pytest.mark.parametrize("write", WRITERS)
def test_a_run_that_logged_nothing_is_a_table_without_rows(tmp_path, write):
    write(store.create({}, folder=tmp_path / "runs"), tmp_path / "a")
    if write is export.to_csv:
        assert (tmp_path / "a").read_text() == "step,run\n"
    else:
        table = parquet.read_table(tmp_path / "a")
        assert table.column_names == ["step"] and table.num_rows == 0


@pytest.mark.parametrize("write", WRITERS)
def test_a_file_is_replaced_whole_or_not_at_all(run, tmp_path, monkeypatch, write):
    path = tmp_path / "a"
    path.write_text("old")
    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        write(run, path)
    assert path.read_text() == "old" and sorted(os.listdir(tmp_path)) == ["a", "runs"]
    write(run, path)
    assert path.read_bytes() != b"old" and sorted(os.listdir(tmp_path)) == ["a", "runs"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_missing_folder_is_named(run, tmp_path, write):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none"):
        write(run, tmp_path / "none" / "a")


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kind", ["folder", "pipe", "link to a device"])
def test_what_is_no_file_is_not_replaced(run, tmp_path, write, kind):
    path = tmp_path / "there"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}.get(kind, lambda: path.symlink_to("/dev/null"))()
    before = path.stat()
    with pytest.raises(FileExistsError, match=r"there is a .* give the path of a file"):
        write(run, path)
    assert path.stat().st_ino == before.st_ino and path.stat().st_mode == before.st_mode
    assert sorted(os.listdir(tmp_path)) == ["runs", "there"]


@pytest.mark.parametrize("write", WRITERS)
def test_a_link_goes_on_to_its_target_which_is_replaced(run, tmp_path, write):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "a", tmp_path / "a"
    link.symlink_to(target)
    for _ in range(2):  # dangling, and not
        write(run, link)
        assert link.is_symlink() and target.stat().st_size > 0
    assert os.listdir(tmp_path / "elsewhere") == ["a"]


@pytest.mark.parametrize("write", WRITERS)
def test_damage_is_not_exported_in_silence(run, tmp_path, write):
    (run.path / "attempts" / "1.json").write_bytes(b"{}")
    with pytest.raises(files.DamagedFile, match="attempt 1"):
        write(run, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_without_pyarrow_parquet_says_what_to_install_and_csv_works(run, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pyarrow"):
        export.to_parquet(run, tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()
    export.to_csv(run, tmp_path / "a.csv")


def test_a_zip_holds_runs_as_they_are_and_neither_locks_nor_requests_nor_what_a_link_leads_to(tmp_path):
    runs = [recorded(tmp_path / "runs", [{"step": 1, "lr": 0.5}]) for _ in range(2)]
    (tmp_path / "secret").write_text("x")
    (runs[0].path / "link.txt").symlink_to(tmp_path / "secret")
    (runs[0].path / ".hidden").write_text("x")
    (runs[0].path / "control.lock").write_text("")
    (runs[0].path / "requests" / "stop").write_text("{}")
    with zipfile.ZipFile(io.BytesIO(export.to_zip(runs))) as held:
        names = set(held.namelist())
        assert held.read(f"{runs[1].id}/run.json") == (runs[1].path / "run.json").read_bytes()
    whole = {"run.json", "state.json", "labels.json", "metrics.1.jsonl", "attempts/1.json"}
    assert names == {f"{run.id}/{name}" for run in runs for name in whole}
    (runs[0].path).rename(tmp_path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        export.to_zip(runs)
