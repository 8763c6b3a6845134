"""A growing file of JSON lines is read once, in whole lines; what is damaged is left out and counted."""

import json
import math
import os
import pickle

import numpy as np
import pytest

from fop_core.runs import files
from fop_core.runs.files import DamagedFile
from fop_core.runs.follower import Follower

NAN, INF = math.nan, math.inf


def line(step, **columns):
    return json.dumps(files.plain({"step": step, **columns})).encode() + b"\n"


def column(follower, name):
    steps, values = follower.columns[name]
    return dict(zip(steps, values))


def same(a, b):
    return np.array_equal(np.asarray(a, np.float64), np.asarray(b, np.float64), equal_nan=True)


def test_a_file_that_is_not_there_yet_has_no_rows(tmp_path):
    follower = Follower(tmp_path / "m.jsonl")
    assert follower.update() == 0
    (tmp_path / "m.jsonl").write_bytes(b"")
    assert follower.update() == 0
    (tmp_path / "m.jsonl").write_bytes(line(1, a=2))
    assert follower.update() == 1 and column(follower, "a") == {1: 2.0}


def test_a_torn_tail_is_no_error_at_any_byte_and_is_read_once_whole(tmp_path):
    path = tmp_path / "m.jsonl"
    whole = line(1, a=1.5) + line(2, **{"a": "NaN", "ü/M": -2e-300}) + line(300, a="-Infinity", b=3)
    for torn in range(len(whole) + 1):
        path.write_bytes(whole[:torn])
        follower = Follower(path)
        first = follower.update()
        assert first == whole[:torn].count(b"\n") == follower.rows
        assert follower.update() == 0
        with path.open("ab") as file:
            file.write(whole[torn:])
        assert follower.update() == 3 - first
        assert follower.damaged == [] and follower.damaged_count == 0
        assert list(follower.steps) == [1, 2, 300]
        assert same([*column(follower, "a").values()], [1.5, NAN, -INF])
        assert column(follower, "ü/M") == {2: -2e-300} and column(follower, "b") == {300: 3.0}


def test_growth_byte_by_byte_is_followed(tmp_path):
    path = tmp_path / "m.jsonl"
    follower, rows = Follower(path), 0
    with path.open("ab", buffering=0) as file:
        for byte in b"".join(line(step, a=step / 7) for step in range(40)):
            file.write(bytes([byte]))
            rows += follower.update()
    assert rows == 40 and column(follower, "a") == {step: step / 7 for step in range(40)}


def test_only_what_is_new_is_read(tmp_path, monkeypatch):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"".join(line(step, a=step) for step in range(10_000)))
    follower = Follower(path)
    assert follower.update() == 10_000
    parsed = []
    real = files.loads
    monkeypatch.setattr(files, "loads", lambda line: parsed.append(line) or real(line))
    with path.open("ab") as file:
        file.write(line(10_000, a=1))
    assert follower.update() == 1 and len(parsed) == 1
    assert follower.update() == 0 and len(parsed) == 1


DAMAGED = {
    "blank": b"",
    "spaces": b"  ",
    "words": b"Traceback (most recent call last):",
    "cut short": b'{"step": 3, "a": 0.12',
    "two in one": b'{"step": 3}{"step": 4}',
    "two with a comma": b'{"step": 3, "a": 1},{"step": 4, "a": 1}',
    "two with a null": b'{"step": 3, "a": 1},null,{"step": 4, "a": 1}',
    "a list": b'["step", 3]',
    "a number": b"3",
    "null": b"null",
    "no step": b'{"a": 1}',
    "half a step": b'{"step": 3.5, "a": 1}',
    "a float step": b'{"step": 3.0, "a": 1}',
    "a step in words": b'{"step": "3", "a": 1}',
    "a true step": b'{"step": true, "a": 1}',
    "a negative step": b'{"step": -1, "a": 1}',
    "a huge step": b'{"step": 9223372036854775808, "a": 1}',
    "a null value": b'{"step": 3, "a": null}',
    "a true value": b'{"step": 3, "a": true}',
    "a value in words": b'{"step": 3, "a": "1.5"}',
    "a list for a value": b'{"step": 3, "a": [1]}',
    "an object for a value": b'{"step": 3, "a": {"b": 1}}',
    "a huge whole number": b'{"step": 3, "a": 1' + b"0" * 400 + b"}",
    "5,000 digits": b'{"step": 3, "a": ' + b"9" * 5000 + b"}",
    "bare NaN": b'{"step": 3, "a": NaN}',
    "bare infinity": b'{"step": 3, "a": Infinity}',
    "deep": b'{"step": 3, "a": ' + b"[" * 200_000,
    "no UTF-8": b'{"step": 3, "\xff": 1}',
    "zeros": bytes(300),
    "a pickle": pickle.dumps([1, 2]).replace(b"\n", b""),
    "half a character": b'{"step": 3, "\\ud800": 1}',
    "an open list": b"[",
    "an open object": b'{"step": 3, "a":',
    "an open string": b'{"step": 3, "a',
    "the end of an object": b'"a": 1}',
    "the end of a list": b"]",
}


@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_line_is_left_out_and_counted_and_no_other(tmp_path, damaged):
    path = tmp_path / "m.jsonl"
    path.write_bytes(
        line(1, a=1) + damaged + b"\n" + line(2, a="NaN") + damaged + b"\n" + damaged + b"\n" + line(5, b=5)
    )
    follower = Follower(path)
    assert follower.update() == 3
    assert follower.damaged == [2, 4, 5] and follower.damaged_count == 3
    assert list(follower.steps) == [1, 2, 5]
    assert same([*column(follower, "a").values()], [1, NAN])
    assert follower.columns.keys() == {"a", "b"}


def test_line_numbers_are_bounded_and_their_count_is_not(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"rubbish\n" * 5000 + line(1, a=1))
    follower = Follower(path)
    assert follower.update() == 1
    assert follower.damaged == list(range(1, 101)) and follower.damaged_count == 5000


def test_binary_rubbish_is_no_rows(tmp_path):
    path = tmp_path / "m.jsonl"
    content = np.random.default_rng(0).integers(0, 256, 1_000_000, dtype=np.uint8).tobytes()
    path.write_bytes(content)
    follower = Follower(path)
    assert follower.update() == 0 and follower.damaged_count == content.count(b"\n")


def test_an_enormous_line_is_left_out_without_being_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("fop_core.runs.follower.LONGEST_LINE", 5000)
    path = tmp_path / "m.jsonl"
    follower = Follower(path)
    for end in (6_000, 20_000):
        path.write_bytes(line(1, a=1) + b"x" * end)
        assert follower.update() in (0, 1)
        assert follower._offset > end - 5000, "it is not read again and again"
    with path.open("ab") as file:
        file.write(b"x" * 100 + b"\n" + line(3, a=3) + b"rubbish\n" + line(5, a=5))
    assert follower.update() == 2
    assert follower.damaged == [2, 4] and column(follower, "a") == {1: 1.0, 3: 3.0, 5: 5.0}
    again = Follower(path)
    assert again.update() == 3 and again.damaged == [2, 4]


@pytest.mark.parametrize("only", [(), (b'"a"',)])
@pytest.mark.parametrize("every", [1 << 20, 30 << 20, 1 << 30])
def test_a_file_of_holes_is_given_up_soon_and_not_read_again(tmp_path, every, only):
    """Whatever it says that it holds, there is next to nothing on the disk."""
    path = tmp_path / "m.jsonl"
    with path.open("wb") as file:
        for at in range(every, 1 << 30, every):
            os.pwrite(file.fileno(), b"\n", at)
        file.truncate(1 << 30)
    follower = Follower(path, only)
    for _ in range(3):
        with pytest.raises(DamagedFile, match="of it are no rows of metrics: move it away"):
            follower.update()
        assert 64 << 20 < follower._offset < 128 << 20
    replaced_by_rename(path, line(1, a=1))
    assert follower.update() == 1 and follower.damaged_count == 0


def replaced_by_rename(path, content):
    path.with_suffix(".new").write_bytes(content)
    os.replace(path.with_suffix(".new"), path)


def written_over(path, content):
    path.write_bytes(content)


def removed_and_made(path, content):
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize("change", [replaced_by_rename, written_over, removed_and_made])
@pytest.mark.parametrize("rows", [0, 3, 10, 30])
def test_a_file_that_is_another_now_is_read_from_its_start(tmp_path, change, rows):
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"".join(line(step, a=step) for step in range(10)) + b"rubbish\n")
    follower = Follower(path)
    assert follower.update() == 10 and follower.damaged_count == 1
    change(path, b"".join(line(step, b=-step) for step in range(rows)))
    assert follower.update() == rows
    assert follower.columns.keys() == ({"b"} if rows else set())
    assert follower.rows == rows and follower.damaged_count == 0
    path.unlink()
    assert follower.update() == 0 and follower.rows == 0 and not follower.columns


def test_a_file_in_its_place_that_only_begins_otherwise_is_another(tmp_path):
    path = tmp_path / "m.jsonl"
    tail = b"".join(line(step, a=step) for step in range(2, 100))
    path.write_bytes(line(1, a=1) + tail)
    follower = Follower(path)
    assert follower.update() == 99
    replaced_by_rename(path, line(1, a=7) + tail)
    assert follower.update() == 99 and follower.rows == 99 and column(follower, "a")[1] == 7


def test_a_torn_tail_that_is_cut_off_and_written_anew_is_read_once(tmp_path):
    path = tmp_path / "m.jsonl"
    path.write_bytes(line(1, a=1) + b'{"step": 2, "a"')
    follower = Follower(path)
    assert follower.update() == 1
    os.truncate(path, len(line(1, a=1)))
    with path.open("ab") as file:
        file.write(line(2, a=2))
    assert follower.update() == 1 and column(follower, "a") == {1: 1.0, 2: 2.0}


@pytest.mark.parametrize("rows", range(4))
def test_an_update_that_is_interrupted_loses_no_row_and_reads_none_twice(tmp_path, monkeypatch, rows):
    path = tmp_path / "m.jsonl"
    path.write_bytes(line(1, a=1))
    follower = Follower(path)
    assert follower.update() == 1
    with path.open("ab") as file:
        file.write(b"".join(line(step, a=step) for step in (2, 3, 4)))
    numbers = iter([None] * rows)

    def interrupted(value):
        try:
            next(numbers)
        except StopIteration:
            raise KeyboardInterrupt from None
        return float(value)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(files, "number", interrupted)  # asked for the whole numbers
        follower.update()
        raise KeyboardInterrupt
    follower.update()
    assert follower.rows == 4 and column(follower, "a") == {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0}
    assert list(follower.steps) == list(follower.columns["a"][0]) == [1, 2, 3, 4]


def test_what_is_no_file_is_damaged(tmp_path):
    with pytest.raises(DamagedFile, match="no file, but a folder"):
        Follower(tmp_path).update()


def test_five_thousand_rows_of_twenty_values_are_read_to_the_last_bit(tmp_path):
    path = tmp_path / "m.jsonl"
    values = np.random.default_rng(0).standard_normal((5_000, 20)).tolist()
    names = [f"angle_deg/layers.{i}.weight" for i in range(20)]
    path.write_bytes(b"".join(line(step, **dict(zip(names, row))) for step, row in enumerate(values)))
    follower = Follower(path)
    assert follower.update() == 5_000
    for i, name in enumerate(names):
        assert same(follower.columns[name][1], [row[i] for row in values])


def test_of_some_lines_alone_no_other_one_is_taken_apart(tmp_path, monkeypatch):
    path = tmp_path / "m.jsonl"
    path.write_bytes(line(1, a=1) + b"rubbish\n" + line(2, a=2, b=5) + b'{"b": }\n')
    parsed = []
    real = files.loads
    monkeypatch.setattr(files, "loads", lambda line: parsed.append(line) or real(line))
    follower = Follower(path, only=[b'"b"'])
    assert follower.update() == 1 and len(parsed) == 2
    assert column(follower, "a") == {2: 2.0} and column(follower, "b") == {2: 5.0} and follower.damaged == [4]
