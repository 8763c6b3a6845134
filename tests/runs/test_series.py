"""What was logged is read once, in whole lines, attempts merged; no divergence is downsampled or averaged away."""

import json
import math
import os
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fop_core.runs import files, series, store
from fop_core.runs.files import DamagedFile
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.series import Follower, Series, aggregate
from fop_core.runs.store import Run

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

NAN, INF = math.nan, math.inf


@pytest.fixture
def run(tmp_path):
    return store.create({}, folder=tmp_path)


def line(step, **columns):
    return json.dumps(files.plain({"step": step, **columns})).encode() + b"\n"


def attempt(run, steps, from_step=0, **columns):
    """Record an attempt; columns are functions of the step."""
    writer = RunWriter(run, {}, from_step)
    for step in steps:
        writer.row({"step": step} | {name: function(step) for name, function in columns.items()})
    writer.close()


def column(follower, name):
    steps, values = follower.columns[name]
    return dict(zip(steps, values))


def same(a, b):
    return np.array_equal(np.asarray(a, np.float64), np.asarray(b, np.float64), equal_nan=True)


# one file -------------------------------------------------------------------------------------------------------------


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
    real = series._parsed
    monkeypatch.setattr(series, "_parsed", lambda lines: parsed.extend(lines) or real(lines))
    with path.open("ab") as file:
        file.write(line(10_000, a=1))
    assert follower.update() == 1 and len(parsed) == 1
    assert follower.update() == 0 and len(parsed) == 1


@pytest.mark.parametrize("block", [1, 7, 64])
def test_lines_are_whole_wherever_blocks_end(tmp_path, monkeypatch, block):
    monkeypatch.setattr(series, "BLOCK", block)
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"".join(line(step, a=step / 3) for step in range(50)) + b"rubbish\n" + line(50, a=0) + b'{"st')
    follower = Follower(path)
    assert follower.update() == 51 and follower.damaged == [51]
    assert column(follower, "a") == {step: step / 3 for step in range(50)} | {50: 0.0}


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


lines_of_any_kind = st.lists(
    st.sampled_from([*DAMAGED.values(), b'{"step": 1, "null": 2}', b'{"step": 1, "a": [1', b"2]}"])
    | st.builds(lambda step, a: line(step, a=a).strip(), st.integers(0, 9), st.floats(-9, 9))
    | st.binary(max_size=20).map(lambda content: content.replace(b"\n", b"")),
    max_size=12,
)


@given(lines_of_any_kind)
@example([b'{"step": 1, "a": [1', b"2]}", b'{"step": 2},null,{"step": 3}'])
@example([b"[1", b"2]", b'{"step": 1},{"step": 2},{"step": 3}'])
def test_lines_read_at_once_say_what_each_says_alone(lines):
    assert series._parsed(lines) == [series._parsed_line(one) for one in lines]


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
    monkeypatch.setattr(series, "BLOCK", 1000)
    monkeypatch.setattr(series, "LONGEST_LINE", 5000)
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


def test_fifty_thousand_rows_of_twenty_values_are_parsed_in_blocks_to_the_last_bit(tmp_path, monkeypatch):
    path = tmp_path / "m.jsonl"
    values = np.random.default_rng(0).standard_normal((50_000, 20)).tolist()
    names = [f"angle_deg/layers.{i}.weight" for i in range(20)]
    path.write_bytes(b"".join(line(step, **dict(zip(names, row))) for step, row in enumerate(values)))
    monkeypatch.setattr(series, "_parsed_line", None)  # line by line takes twice as long
    follower = Follower(path)
    assert follower.update() == 50_000
    for i, name in enumerate(names):
        assert same(follower.columns[name][1], [row[i] for row in values])


# a run ----------------------------------------------------------------------------------------------------------------


def test_a_run_that_has_logged_nothing(run):
    metrics = run.metrics
    assert metrics.update() == 0
    assert (metrics.columns, metrics.last(), metrics.damaged, list(metrics.steps)) == ([], {}, [], [])
    assert metrics.table().keys() == {"step"} and len(metrics.table()["step"]) == 0
    assert "train_loss" not in metrics
    with pytest.raises(KeyError, match="nothing is; update"):
        metrics["train_loss"]


def test_a_column_is_where_it_was_measured(run):
    writer = RunWriter(run, {})
    writer.row({"step": 1, "train_loss": 4, "epoch": 0.5})
    writer.row({"step": 2})
    writer.row({"step": 4, "train_loss": NAN, "epoch": 2.0, "test_loss": 3.5, "angle_deg/b": 1.0, "angle_deg/a": 2.0})
    writer.row({"step": 5, "train_loss": INF})
    assert run.metrics.update() == 4
    assert run.metrics.columns == ["epoch", "test_loss", "train_loss", "angle_deg/a", "angle_deg/b"]
    steps, values = run.metrics["train_loss"]
    assert (steps.dtype, values.dtype) == (np.int64, np.float64)
    assert steps.tolist() == [1, 4, 5] and same(values, [4, NAN, INF])
    assert run.metrics["test_loss"].steps.tolist() == [4]
    assert "test_loss" in run.metrics and "test_los" not in run.metrics and 5 not in run.metrics
    assert run.metrics.steps.tolist() == [1, 2, 4, 5]
    table = run.metrics.table()
    assert [*table] == ["step", *run.metrics.columns]
    assert table["step"].dtype == np.int64 and table["step"].tolist() == [1, 2, 4, 5]
    assert same(table["train_loss"], [4, NAN, NAN, INF]) and same(table["epoch"], [0.5, NAN, 2, NAN])
    last = {"step": 5, "epoch": 2.0, "test_loss": 3.5, "train_loss": INF, "angle_deg/a": 2.0, "angle_deg/b": 1.0}
    assert run.metrics.last() == last and type(run.metrics.last()["step"]) is int
    writer.row({"step": 6, "train_loss": 1.0, "new": 1})
    writer.close()
    assert run.metrics.update() == 1
    assert run.metrics["train_loss"].steps.tolist() == [1, 4, 5, 6] and run.metrics.last()["new"] == 1
    assert values.size == 3, "what was handed out stays as it was"
    with pytest.raises(ValueError, match="read-only"):
        run.metrics["train_loss"].values[0] = 0


def test_a_wrong_name_is_answered_with_near_ones(run):
    attempt(run, [1], train_loss=float, test_loss=float, lr=float)
    run.metrics.update()
    with pytest.raises(KeyError, match=r"no column 'trainloss' is logged by .*; near it: train_loss"):
        run.metrics["trainloss"]
    with pytest.raises(KeyError, match="near it: lr, test_loss, train_loss"):
        run.metrics["ζζζζ"]
    for use in (lambda: run.metrics.downsampled("x", 10), lambda: run.metrics.over("epoch", "lr")):
        with pytest.raises(KeyError):
            use()


def test_a_column_over_another(run):
    writer = RunWriter(run, {})
    for step in range(1, 7):
        measured = {"epoch": step / 4} | ({"test_loss": 10.0 - step} if step % 2 == 0 else {})
        writer.row({"step": step} | (measured if step != 4 else {"test_loss": 0.0}))
    writer.close()
    run.metrics.update()
    x, y = run.metrics.over("epoch", "test_loss")
    assert x.tolist() == [0.5, 1.5] and y.tolist() == [8.0, 4.0]
    x, y = run.metrics.over("step", "test_loss")
    assert x.tolist() == [2, 4, 6] and y.tolist() == [8.0, 0.0, 4.0]


def test_what_an_attempt_logged_after_a_later_ones_beginning_no_longer_counts(run):
    attempt(run, range(1, 101), a=lambda step: 1, only_first=lambda step: step)
    assert run.metrics.update() == 100 and len(run.metrics["a"].steps) == 100
    attempt(run, range(81, 121), from_step=80, a=lambda step: 2)
    assert run.metrics.update() == 40
    assert run.metrics["a"].steps.tolist() == list(range(1, 121))
    assert run.metrics["a"].values.tolist() == [1] * 80 + [2] * 40
    assert run.metrics["only_first"].steps[-1] == 80 and run.metrics.last()["only_first"] == 80
    attempt(run, range(51, 61), from_step=50, a=lambda step: 3)
    assert run.metrics.update() == 10
    assert run.metrics["a"].values.tolist() == [1] * 50 + [3] * 10
    assert run.metrics.steps.tolist() == list(range(1, 61)) == run.metrics.table()["step"].tolist()
    attempt(run, [], from_step=0)
    run.metrics.update()
    assert run.metrics.columns == [] and "a" not in run.metrics and run.metrics.last() == {}
    fresh = Run(run.path).metrics
    fresh.update()
    assert fresh.columns == []


def test_of_two_values_at_one_step_the_later_counts(run):
    attempt(run, [1, 2, 3], a=lambda step: 10 * step)
    attempt(run, [3, 4], from_step=3, a=lambda step: -step)
    attempt(run, [], from_step=4)
    (run.path / "metrics.3.jsonl").write_bytes(line(9, a=9) + line(8, a=8) + line(9, a=99))
    run.metrics.update()
    assert run.metrics["a"].steps.tolist() == [1, 2, 3, 4, 8, 9]
    assert run.metrics["a"].values.tolist() == [10, 20, -3, -4, 8, 99]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(1, 6), max_size=6)), min_size=1, max_size=5))
def test_merging_is_what_a_dict_does(tmp_path_factory, attempts):
    run = store.create({}, folder=tmp_path_factory.mktemp("runs"))
    twin: dict[int, float] = {}
    for number, (from_step, gaps) in enumerate(attempts):
        steps = [from_step + step for step in np.cumsum(gaps).tolist()]
        attempt(run, steps, from_step, a=lambda step, number=number: 100 * number + step)
        twin = {step: value for step, value in twin.items() if step <= from_step}
        twin |= {step: 100 * number + step for step in steps}
        run.metrics.update()
        for metrics in (run.metrics, Run(run.path).metrics):
            metrics.update()
            merged = dict(zip(*metrics["a"])) if "a" in metrics else {}
            assert merged == twin and list(merged) == sorted(merged)
            assert metrics.steps.tolist() == list(merged)


def test_damage_is_named_by_file_and_line(run):
    attempt(run, [1], a=float)
    attempt(run, [2], from_step=1, a=float)
    with (run.path / "metrics.2.jsonl").open("ab") as file:
        file.write(b"rubbish\n" * 12 + line(3, a=3) + b'{"torn')
    run.metrics.update()
    path = run.path / "metrics.2.jsonl"
    assert run.metrics.damaged == [f"{path}: 12 damaged lines left out: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ..."]
    assert run.metrics["a"].steps.tolist() == [1, 2, 3]


# downsampled ----------------------------------------------------------------------------------------------------------


def measured(run, values):
    attempt(run, [])
    (run.path / "metrics.1.jsonl").write_bytes(b"".join(line(2 * i, a=value) for i, value in enumerate(values)))
    assert run.metrics.update() == len(values)
    return run.metrics


def test_a_spike_is_kept_by_thinning(run):
    values = np.exp(-np.linspace(0, 5, 30_000))
    values[[5, 12_345]] = 50, -50
    steps, kept = measured(run, values.tolist()).downsampled("a", 100)
    assert len(steps) <= 402 and {10, 24_690, 0, 59_998} <= set(steps.tolist())
    assert kept[steps == 24_690] == -50
    assert same(values[steps // 2], kept)


def test_few_points_are_all_kept(run):
    values = [1.0, NAN, INF, -INF, 2.0]
    steps, kept = measured(run, values).downsampled("a", 10)
    assert steps.tolist() == [0, 2, 4, 6, 8] and same(kept, values)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize(
    ("first", "last"), [(0, 0), (3, 3), (7_654, 7_654), (19_999, 19_999), (12_345, 19_999), (0, 19_999)]
)
def test_a_divergence_is_kept_at_its_very_step_however_short(run, value, first, last):
    values = np.linspace(3, 1, 20_000)
    values[first : last + 1] = value
    steps, kept = measured(run, values.tolist()).downsampled("a", 100)
    assert len(steps) <= 16 * 100 + 8
    assert (np.diff(steps) > 0).all() and same(values[steps // 2], kept)
    assert steps[~np.isfinite(kept)].min() == 2 * first
    if last < 19_999:
        assert np.isfinite(kept[steps > 2 * last]).all() and (steps > 2 * last).any()
    assert {0, 39_998} <= set(steps.tolist())


def test_each_kind_of_divergence_is_kept_and_finite_spikes_too(run):
    values = np.ones(20_000)
    values[5_000:9_000:2] = NAN
    values[[6_001, 7_001]] = INF, -INF
    values[8_001] = 100
    steps, kept = measured(run, values.tolist()).downsampled("a", 50)
    points = dict(zip(steps.tolist(), kept.tolist()))
    assert points[12_002] == INF and points[14_002] == -INF and points[16_002] == 100 and math.isnan(points[10_000])
    assert len(steps) <= 16 * 50 + 8


# over seeds -----------------------------------------------------------------------------------------------------------


def naive(pairs):
    by_x = {}
    for x, values in pairs:
        for at, value in zip(x.tolist(), values.tolist()):
            by_x.setdefault(at, []).append(value)
    rows = []
    for at in sorted(by_x):
        values = by_x[at]
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1)) if len(values) > 1 else NAN
        rows.append((at, mean, spread, len(values)))
    return [np.array(part) for part in zip(*rows)] if rows else [np.empty(0)] * 4


seeds_of = st.lists(
    st.dictionaries(st.integers(0, 12), st.floats(-1e6, 1e6) | st.sampled_from([NAN, INF, -INF]), max_size=10).map(
        lambda values: Series(
            np.array(sorted(values), np.int64), np.array([values[x] for x in sorted(values)], np.float64)
        )
    ),
    max_size=5,
)


@settings(max_examples=300)
@given(seeds_of, st.booleans())
def test_aggregate_is_what_loops_give(pairs, epochs):
    if epochs:
        pairs = [(x / 3, values) for x, values in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        aggregated = aggregate(pairs)
    x, mean, std, count = naive(pairs)
    assert aggregated.x.tolist() == x.tolist()
    assert aggregated.count.tolist() == count.tolist()
    np.testing.assert_allclose(aggregated.mean, mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(aggregated.std, std, rtol=1e-9, atol=1e-6)


def test_one_seed_says_nothing_of_the_spread():
    aggregated = aggregate([(np.array([1, 2]), np.array([3.0, 4.0])), (np.array([2, 3]), np.array([6.0, 5.0]))])
    assert aggregated.x.tolist() == [1, 2, 3] and aggregated.x.dtype == np.int64
    assert aggregated.mean.tolist() == [3, 5, 5] and aggregated.count.tolist() == [1, 2, 1]
    assert same(aggregated.std, [NAN, math.sqrt(2), NAN])


def test_a_seed_that_diverged_is_not_averaged_away():
    steps = np.array([1, 2, 3])
    aggregated = aggregate([(steps, np.array([1.0, NAN, INF])), (steps, np.array([3.0, 1.0, 1.0]))])
    assert same(aggregated.mean, [2, NAN, INF]) and same(aggregated.std, [math.sqrt(2), NAN, NAN])
    assert aggregated.count.tolist() == [2, 2, 2]


def test_of_no_seed_there_is_nothing():
    for aggregated in (aggregate([]), aggregate([(np.empty(0, np.int64), np.empty(0))])):
        assert [len(part) for part in (aggregated.x, aggregated.mean, aggregated.std, aggregated.count)] == [0] * 4


@pytest.mark.parametrize(
    ("x", "values"),
    [([1, 1], [1, 2]), ([1, 2], [1]), ([NAN], [1]), ([[1]], [[1]]), (1, 2)],
    ids=["twice", "lengths", "NaN", "two dimensions", "numbers"],
)
def test_x_that_does_not_fit_is_refused(x, values):
    whole = np.array([1.0]), np.array([1.0])
    with pytest.raises(ValueError, match="series 1 has"):
        aggregate([whole, (np.array(x, np.float64), np.array(values, np.float64))])


def test_seeds_of_runs_by_step_and_by_epoch(tmp_path):
    runs = [store.create({"seed": seed}, folder=tmp_path) for seed in range(3)]
    for seed, run in enumerate(runs):
        attempt(run, range(1, 5 + seed), epoch=lambda step: step / 3, loss=lambda step, seed=seed: step + seed)
        run.metrics.update()
    by_step = aggregate([run.metrics["loss"] for run in runs])
    by_epoch = aggregate([run.metrics.over("epoch", "loss") for run in runs])
    assert by_step.x.tolist() == [1, 2, 3, 4, 5, 6] and by_step.count.tolist() == [3, 3, 3, 3, 2, 1]
    assert by_epoch.x.tolist() == [step / 3 for step in range(1, 7)]
    assert same(by_step.mean, [2, 3, 4, 5, 6.5, 8]) and same(by_step.mean, by_epoch.mean)
    assert same(by_step.std, [1, 1, 1, 1, math.sqrt(0.5), NAN])


ODD = (
    b'{"step": 1} {"step": 2}',
    b"",
    b'{"step": 1, "loss": null}',
    b'{"step": 1, "loss": "NaN"}',
    b'{"step": 1, "loss": "Infinity"}',
    b'{"step": 1, "loss": true}',
    b'{"step": 1, "loss": 01}',
    b'{"step": 1, "loss": 1e999}',
    b'{"step": 1, "loss": NaN}',
    b'{"step": 1.0, "loss": 2}',
    b'{"step": -1, "loss": 2}',
    b'{"step": 9223372036854775808, "loss": 2}',
    b'{"loss": 2}',
    b'{"step": 1, "loss": 123456789012345678901234567890}',
    b'{"step": 1, "loss": 1, "loss": 2}',
    b'{"step": 1, "loss": [1]}',
    b'{"step": 1, "loss": "2020-01-01"}',
    b'{"step": 1, "lo\xffss": 1}',
    b'{"step": 1, "lo\\u0041ss": 1}',
    b"[1]",
    b'{"step": 1, "loss": 2,}',
    b"{'step': 1}",
    b'{"step": 1, "other": 0.1}',
)


@pytest.mark.parametrize("odd", ODD)
def test_many_lines_at_once_are_read_as_a_few_are(tmp_path, odd, monkeypatch):
    lines = [b'{"step": %d, "loss": %s}' % (step, repr(0.1 * step).encode()) for step in range(300)]
    lines[150:150] = [odd, b'{"step": 7, "late": 3}']
    path = tmp_path / "metrics.1.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    monkeypatch.setattr(series, "LARGE", 0)
    fast = Follower(path)
    fast.update()
    monkeypatch.setattr(series, "LARGE", 10**9)
    slow = Follower(path)
    slow.update()
    assert (fast.rows, fast.damaged, fast.steps) == (slow.rows, slow.damaged, slow.steps)
    assert list(fast.columns) == list(slow.columns)
    assert repr(fast.columns) == repr(slow.columns)  # a NaN is one


def test_rows_of_plain_numbers_take_the_fast_way(tmp_path, monkeypatch):
    path = tmp_path / "metrics.1.jsonl"
    path.write_bytes(b"".join(b'{"step": %d, "loss": %s}\n' % (step, repr(0.1 * step).encode()) for step in range(300)))
    monkeypatch.setattr(series, "LARGE", 0)
    monkeypatch.setattr(series, "_parsed", None)  # the careful one
    follower = Follower(path)
    assert follower.update() == 300


# a sample -------------------------------------------------------------------------------------------------------------


def test_a_sample_holds_true_rows_at_even_distances_with_the_first_and_the_last(run):
    attempt(run, range(1, 1001), a=lambda step: step / 7, b=lambda step: NAN if step == 1000 else step)
    sample = run.metrics.sample(50)
    run.metrics.update()
    for name in ("a", "b"):
        steps, values = sample[name]
        assert 40 <= len(steps) <= 52 and steps[0] == 1 and steps[-1] == 1000
        assert np.diff(steps).max() < 45
        whole = run.metrics[name]
        assert same(values, whole.values[np.searchsorted(whole.steps, steps)])


def test_a_sample_leaves_out_torn_and_damaged_lines_and_what_a_later_attempt_took_back(run):
    attempt(run, range(1, 101), a=float)
    attempt(run, range(51, 121), from_step=50, a=lambda step: -float(step))
    path = run.path / "metrics.2.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:30], b"{broken}\n", b"\xff\n", *lines[30:], b'{"step": 999, "a"']))
    steps, values = run.metrics.sample(400)["a"]
    assert steps[-1] == 120 and (np.diff(steps) > 0).all()
    assert same(values, np.where(steps <= 50, steps, -steps))
    assert store.create({}, folder=run.path.parent).metrics.sample(10) == {}


@given(st.lists(st.binary(max_size=30), max_size=12), st.integers(1, 20))
def test_a_sample_of_anything_is_some_of_the_rows_of_it(tmp_path_factory, parts, rows):
    run = store.create({}, folder=tmp_path_factory.mktemp("runs"))
    RunWriter(run, {}).close()
    content = b"\n".join(part if i % 2 else line(i, a=i).rstrip() for i, part in enumerate(parts))
    (run.path / "metrics.1.jsonl").write_bytes(content)
    sample = run.metrics.sample(rows)
    run.metrics.update()
    for name, (steps, values) in sample.items():
        whole = dict(zip(*run.metrics[name]))
        assert all(step in whole for step in steps) and len(steps) == len(values)
