"""CSV as a run, and what is wrong with one that is none."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core import runs
from fop_core.cli import main
from fop_core.runs import export
from fop_core.runs.files import DamagedFile
from fop_core.trackers import imported, tables
from tests import damage
from tests.damage import watchdog  # noqa: F401, a fixture


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def read(tmp_path, text, **options):
    (tmp_path / "a.csv").write_text(text)
    return tables.read(tmp_path / "a.csv", **options)


def test_cells_are_numbers_nothing_or_nan(tmp_path):
    rows = read(tmp_path, '\ufeffstep,loss,"a ""b""",note\r\n1,0.5,,x\r\n\r\n2.0,nan,-inf,\r\n1,,7,y\r\n')
    assert rows.left_out == ["note"]
    assert rows.rows[1] == {"loss": 0.5, 'a "b"': 7.0}
    assert math.isnan(rows.rows[2]["loss"]) and rows.rows[2]['a "b"'] == -math.inf


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column 'step': it has none"),
        ("epoch,loss\n1,2\n", "no column 'step': it has epoch, loss"),
        ("step,loss\n", "nothing under it"),
        ("step,loss,loss\n1,2,3\n", "two columns 'loss'"),
        ("step,,\n1,2,3\n", "two columns ''"),
        ("step,loss\n1,2\n1,2,3\n", "line 3: 3 cells"),
        ("step,loss\n1,2\n1.5,2\n", "line 3: its step is '1.5'"),
        ("step,loss\n-1,2\n", "line 2: its step is '-1'"),
        ("step,loss\nnan,2\n", "line 2: its step is 'nan'"),
        ("step,loss\n9223372036854775808,2\n", "its step is '9223372036854775808'"),
        ("step,loss\n1,2\n2,two\n", "line 3: loss is 'two', no number"),
        ("step,loss\n1,2\n2,1_0\n", "loss is '1_0', no number"),
        ('step,loss\n1,"2\n', "no CSV"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, text, words):
    with pytest.raises(DamagedFile) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("a pipe", "device or pipe"),
        ("a link to /dev/zero", "device or pipe"),
        ("a folder", "but a folder"),
        ("a file of a terabyte", "can be read"),
    ],
)
@pytest.mark.usefixtures("watchdog")
def test_what_is_no_table_is_not_waited_for_nor_read_without_end(tmp_path, kind, words):
    dict(damage.KINDS)[kind](tmp_path / "a.csv")
    with pytest.raises(DamagedFile, match=words):
        tables.read(tmp_path / "a.csv")


def test_a_table_of_very_many_columns_is_read(tmp_path):
    names = [f"c{n}" for n in range(100_000)]
    rows = read(tmp_path, f"step,{','.join(names)}\n1,{','.join('2' for _ in names)}\n")
    back = imported.renamed(rows, {"c0": "loss"})
    assert back.rows[1]["loss"] == 2 and len(back.rows[1]) == len(names)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"step,loss\n1,\xff\n")
    with pytest.raises(DamagedFile, match="no CSV in UTF-8"):
        tables.read(tmp_path / "a.csv")


def test_a_step_larger_than_a_float_can_tell_keeps_its_digits(tmp_path):
    assert list(read(tmp_path, f"n,loss\n{2**53 + 1},1\n", step="n").rows) == [2**53 + 1]


numbers = st.floats(allow_nan=True, allow_infinity=True)
measured = st.dictionaries(st.sampled_from(["loss", "a/b", "ü"]), numbers)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.integers(0, 2**63 - 1), measured, min_size=1))
def test_a_run_that_was_exported_is_imported_to_the_last_bit(tmp_path_factory, rows):
    tmp_path = tmp_path_factory.mktemp("round")
    run = imported.save(imported.Rows(rows, ()), "a.csv", folder=tmp_path)
    export.to_csv(run, tmp_path / "out.csv")
    again = imported.save(tables.read(tmp_path / "out.csv"), "out.csv", folder=tmp_path)
    run.metrics.update()
    again.metrics.update()
    assert again.metrics.columns == run.metrics.columns
    for name in run.metrics.columns:
        np.testing.assert_array_equal(again.metrics[name].steps, run.metrics[name].steps)
        np.testing.assert_array_equal(again.metrics[name].values, run.metrics[name].values)


def test_the_command_imports_a_table_under_other_names(folder, tmp_path, capsys):
    (tmp_path / "theirs.csv").write_text("n,Loss,run\n1,0.5,me\n2,nan,me\n")
    arguments = ["import", str(tmp_path / "theirs.csv"), "--step", "n", "--column", "Loss=train_loss"]
    assert main(["runs", *arguments]) == 0
    out, err = capsys.readouterr()
    assert "2 steps" in out and "left out: run" in err
    back = runs.load("theirs.csv")
    assert (back.state.state, back.state.reason) == ("failed", "diverged at step 2: train_loss not finite")
    assert not back.held() and back.metrics["train_loss"].values[0] == 0.5


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--column", "x=y"], "no column 'x'"),
        (["--column", "a=b"], "'b' would be the name of two columns"),
        (["--column", "a=step"], "'step' would be the name of two columns"),
        (["--column", "a"], "write THEIRS=OURS"),
        (["--settings", "gone.json"], "gone.json"),
        (["--name", "\x1b"], "visible characters"),
    ],
)
def test_nothing_is_written_before_all_is_checked(folder, tmp_path, capsys, more, words):
    (tmp_path / "a.csv").write_text("step,a,b\n1,2,3\n")
    assert main(["runs", "import", str(tmp_path / "a.csv"), *more]) == 2
    assert words in capsys.readouterr().err and not folder.exists()


def test_a_run_that_cannot_be_written_whole_is_not_there(folder):
    with pytest.raises(ValueError, match="could not be read back"):
        imported.save(imported.Rows({1: {"loss": 1.0}, 2: {"\ud800": 1.0}}, ()), "a")
    assert list(folder.iterdir()) == []
