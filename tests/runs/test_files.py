"""A file is whole or not there; one that is not what it should be is refused in words: no crash, no memory, no code."""

import json
import math
import os
import pickle
import reprlib
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fop_core.runs import files
from fop_core.runs.files import DamagedFile
from tests.damage import nested, nested_json

settings.register_profile("quiet", deadline=None)
settings.load_profile("quiet")

WRITER = """
import itertools, sys
from pathlib import Path
from fop_core.runs import files
path = Path(sys.argv[1])
for i in itertools.count():
    files.write_json(path, {"i": i, "filling": [i] * (1 + i % 7 * 3000)}, sync=False)
"""
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def safetensors(header, data=b"", length=None):
    """The bytes of a safetensors file, right or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


# written whole --------------------------------------------------------------------------------------------------------


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "state.json"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
    try:
        while not path.exists():
            assert writer.poll() is None
            time.sleep(0.01)
        numbers = set()
        while len(numbers) < 100:
            content = files.read_json(path)
            assert content["filling"] == [content["i"]] * (1 + content["i"] % 7 * 3000)
            numbers.add(content["i"])
            assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, where, error):
    path = tmp_path / "state.json"
    files.write_json(path, {"old": 1})

    def fail(*_):
        raise error

    with monkeypatch.context() as patch, pytest.raises(type(error)):
        patch.setattr(os, where, fail)
        files.write_json(path, {"new": 1})
    assert files.read_json(path) == {"old": 1}
    assert os.listdir(tmp_path) == ["state.json"]


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write(tmp_path / "folder", b"content")
    with pytest.raises(TypeError):
        files.write(tmp_path / "file", "no bytes")
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "file", {"a": object()})
    with pytest.raises(FileNotFoundError):
        files.write(tmp_path / "none" / "file", b"content")
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_it_is_the_users_choice(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        files.write(tmp_path / "file", b"content")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_only_what_can_be_read_back_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_JSON", 1000)
    monkeypatch.setattr(files, "LARGEST_HEADER", 1000)
    monkeypatch.setattr(files, "LARGEST_ARRAYS", 10_000)
    files.write_json(tmp_path / "a", {"text": "x" * 900})
    files.write_arrays(tmp_path / "b", {"a": np.zeros(1100)}, {"text": "x" * 800})
    assert files.read_json(tmp_path / "a") and files.read_arrays(tmp_path / "b")
    with pytest.raises(ValueError, match="1,000 can be read back"):
        files.write_json(tmp_path / "c", {"text": "x" * 1000})
    with pytest.raises(ValueError, match="header, of which 1,000 can be read back"):
        files.write_arrays(tmp_path / "c", {"a": np.zeros(1)}, {"text": "x" * 1000})
    with pytest.raises(ValueError, match="arrays, of which 10,000 can be read back"):
        files.write_arrays(tmp_path / "c", {"a": np.zeros(1250)})
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


# JSON -----------------------------------------------------------------------------------------------------------------

NO_JSON = {
    "empty": b"",
    "a word": b"state",
    "cut short": b'{"state": "run',
    "goes on": b'{"state": "running"} {',
    "a list": b"[1, 2]",
    "a string": b'"state"',
    "a number": b"1",
    "null": b"null",
    "bare NaN": b'{"loss": NaN}',
    "bare infinity": b'{"loss": -Infinity}',
    "deep lists": b'{"a": ' + b"[" * 200_000,
    "deep objects": b'{"a":' * 200_000,
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "zeros": bytes(4096),
    "a pickle": pickle.dumps({"state": "running"}),
}


@pytest.mark.parametrize("content", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_json_object_is_damaged(tmp_path, content):
    path = tmp_path / "state.json"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"state\.json"):
        files.read_json(path)


@pytest.mark.parametrize("kind", [list, dict])
def test_json_is_as_deep_as_every_reader_can_go_and_what_is_written_is_read(tmp_path, kind):
    path = tmp_path / "run.json"
    deepest = {"a": nested(files.DEEPEST - 1, kind)}
    files.write_json(path, deepest)
    assert files.read_json(path) == deepest
    for depth in (files.DEEPEST, 450, 960):
        with pytest.raises(ValueError, match=r"run\.json: .*nested more than 64 deep"):
            files.write_json(path, {"a": nested(depth, kind)})
        assert files.read_json(path) == deepest
        (tmp_path / "deep.json").write_text(f'{{"a": {nested_json(depth, kind)}}}')
        with pytest.raises(DamagedFile, match=r"deep\.json: .*nested more than 64 deep"):
            files.read_json(tmp_path / "deep.json")


def test_brackets_in_a_text_are_not_nested(tmp_path):
    content = {"notes": "[{" * 5000, "many": [[1]] * 5000}
    files.write_json(tmp_path / "labels.json", content)
    assert files.read_json(tmp_path / "labels.json") == content


def test_a_huge_file_is_damaged_before_it_is_read(tmp_path):
    path = tmp_path / "state.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # of holes
    with pytest.raises(DamagedFile, match="too many"):
        files.read_json(path)


def test_no_file_at_all(tmp_path):
    with pytest.raises(FileNotFoundError):
        files.read_json(tmp_path / "state.json")
    with pytest.raises(FileNotFoundError):
        files.read_arrays(tmp_path / "a.safetensors")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(DamagedFile, match="a link to nothing"):
        files.read_json(tmp_path / "link")


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
@pytest.mark.parametrize("read", [files.read_json, files.read_header, files.read_arrays])
def test_what_is_no_file_is_damaged_and_not_waited_on(tmp_path, kind, read):
    path = tmp_path / "there"
    {"folder": path.mkdir, "pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/zero")}[kind]()
    with pytest.raises(DamagedFile, match="no file"):
        read(path)


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_what_is_appended_to_is_a_regular_file_of_that_folder(tmp_path, kind):
    precious, path = tmp_path / "precious", tmp_path / "run" / "log.txt"
    precious.write_text("mine")
    path.parent.mkdir()
    match kind:
        case "link":
            path.symlink_to(precious)
        case "dangling link":
            path.symlink_to(tmp_path / "made by nobody")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
    with pytest.raises(DamagedFile, match=r"log\.txt: no regular file"):
        files.open_append(path)
    assert precious.read_text() == "mine" and not (tmp_path / "made by nobody").exists()


def test_what_is_appended_comes_after_what_is_there(tmp_path):
    for text in (b"one ", b"two"):
        file = files.open_append(tmp_path / "log.txt")
        os.write(file, text)
        os.close(file)
    assert (tmp_path / "log.txt").read_bytes() == b"one two"


@given(TREES)
def test_plain_makes_strict_json_and_leaves_the_rest(tree):
    def twin(value):
        if isinstance(value, float) and not math.isfinite(value):
            return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
        if isinstance(value, dict):
            return {key: twin(inner) for key, inner in value.items()}
        return [twin(inner) for inner in value] if isinstance(value, list) else value

    assert files.loads(json.dumps(files.plain(tree), allow_nan=False)) == twin(tree)


@given(st.floats() | st.integers(-(2**53), 2**53))
def test_a_number_survives_json(value):
    back = files.number(files.loads(json.dumps(files.plain(value), allow_nan=False)))
    assert back == value or (math.isnan(back) and math.isnan(value))
    assert math.copysign(1, back) == math.copysign(1, value) or math.isnan(value)


@pytest.mark.parametrize(
    "value",
    [None, True, False, "1.5", "nan", "inf", "", [], {}, ["NaN"], 10**400, b"NaN", nested(5000)],
    ids=reprlib.repr,
)
def test_what_is_no_number(value):
    with pytest.raises(ValueError, match="number"):
        files.number(value)


# arrays ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1,), (7,), (3, 5), (2, 1, 3, 2)], ids=str)
@pytest.mark.parametrize("dtype", files.DTYPES.values(), ids=files.DTYPES)
def test_arrays_come_back_bit_for_bit(tmp_path, dtype, shape):
    count = math.prod(shape) * np.dtype(dtype).itemsize
    content = np.random.default_rng(0).integers(0, 2 if dtype is np.bool_ else 256, count, dtype=np.uint8)
    array = np.frombuffer(content.tobytes(), dtype).reshape(shape)  # NaNs of many payloads among the floats
    before = {"odd": np.zeros(3, np.uint8), "layers.0/M": array, "last": np.ones(2)}
    files.write_arrays(tmp_path / "a.safetensors", before)
    after, about = files.read_arrays(tmp_path / "a.safetensors")
    assert after.keys() == before.keys() and about == {}
    for name, loaded in after.items():
        assert (loaded.dtype, loaded.shape) == (before[name].dtype, before[name].shape)
        assert loaded.tobytes() == before[name].tobytes()
        assert loaded.flags.writeable and loaded.flags.aligned
    header, _ = files.read_header(tmp_path / "a.safetensors")
    assert header["layers.0/M"] == (dtype, shape)


def test_arrays_of_any_order_in_memory(tmp_path):
    base = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    before = {
        "transposed": base.T,
        "every other": base[:, ::2, ::-1],
        "fortran": np.asfortranarray(base),
        "big-endian": base.astype(">f4"),
        "broadcast": np.broadcast_to(np.float32(7), (2, 2)),
        "": base,
        "ü/‰\n": base,
    }
    files.write_arrays(tmp_path / "a", before)
    after, _ = files.read_arrays(tmp_path / "a")
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def test_what_is_said_about_arrays_comes_back(tmp_path):
    files.write_arrays(tmp_path / "a", {}, {"step": 3, "tree": [[1, {"x": None}], "ü"], "loss": math.nan})
    assert files.read_arrays(tmp_path / "a") == ({}, {"step": 3, "tree": [[1, {"x": None}], "ü"], "loss": "NaN"})


@pytest.mark.parametrize(
    "array", [np.zeros(2, np.complex64), np.array([{}]), np.array(["a"]), np.zeros(1, "M8[s]")], ids=str
)
def test_a_dtype_that_cannot_be_read_back_is_not_written(tmp_path, array):
    with pytest.raises(TypeError, match=r"weird is of dtype .* float32"):
        files.write_arrays(tmp_path / "a", {"weird": array})
    assert os.listdir(tmp_path) == []


def test_other_readers_of_safetensors_agree(tmp_path):
    from safetensors.numpy import load_file

    before = {"b": np.arange(5), "a": np.eye(3, dtype=np.float16), "c": np.array(2.5)}
    files.write_arrays(tmp_path / "a", before, {"step": 1})
    after = load_file(tmp_path / "a")
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


class Danger:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


TWO = bytes(8)
NO_ARRAYS = {
    "empty": b"",
    "seven bytes": bytes(7),
    "zeros": bytes(64),
    "ten gigabytes of header": safetensors(entry(), TWO, 10 << 30),
    "2**64 - 1 bytes of header": safetensors(entry(), TWO, 2**64 - 1),
    "a header one byte too long": safetensors(b"{}", length=3),
    "a header cut short": safetensors(entry(), TWO, 20),
    "no JSON": safetensors(b"{a: 1}"),
    "no UTF-8": safetensors(b'{"\xff": 1}'),
    "UTF-16": safetensors(json.dumps(entry()).encode("utf-16-le"), TWO),
    "a list": safetensors([entry()], TWO),
    "null": safetensors(None),
    "deep": safetensors(b'{"a":' * 100_000),
    "bare NaN": safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[NaN,8]}}', TWO),
    "about of 900 lists": safetensors({"__metadata__": {"about": f'{{"a": {nested_json(900)}}}'}}),
    "entries of 900 lists": safetensors({name: {"data_offsets": nested(900)} for name in "ab"}),
    "deep about": safetensors({"__metadata__": {"about": "[" * 100_000}}),
    "about no JSON": safetensors({"__metadata__": {"about": "{"}}),
    "about a list": safetensors({"__metadata__": {"about": "[]"}}),
    "about a number": safetensors({"__metadata__": {"about": 1}}),
    "metadata a list": safetensors({"__metadata__": []}),
    "metadata null": safetensors({"__metadata__": None}),
    "no entry": safetensors({"a": 1}, TWO),
    "an empty entry": safetensors({"a": {}}, TWO),
    "entries of two kinds": safetensors({**entry(), "b": []}, TWO),
    "no such dtype": safetensors(entry("F31"), TWO),
    "a dtype of no numpy": safetensors(entry("BF16", (4,)), TWO),
    "a dtype in a list": safetensors(entry(["F32"]), TWO),
    "a dtype of another size": safetensors(entry("F64"), TWO),
    "no shape": safetensors({"a": {"dtype": "F32", "data_offsets": [0, 8]}}, TWO),
    "a negative shape": safetensors(entry(shape=(-2,)), TWO),
    "two negative shapes": safetensors(entry(shape=(-2, -1)), TWO),
    "a shape of fractions": safetensors(entry(shape=(2.0,)), TWO),
    "a shape of truths": safetensors(entry(shape=(2, True)), TWO),
    "a shape in words": safetensors(entry(shape="2"), TWO),
    "a shape of null": safetensors(entry(shape=None), TWO),
    "a huge shape": safetensors(entry(shape=(2**40, 2**40)), TWO),
    "a shape that overflows to what fits": safetensors(entry(shape=(2**62, 4, 2)), TWO),
    "a huge shape of nothing": safetensors(entry(shape=(2**62, 0), offsets=(0, 0))),
    "65 dimensions": safetensors(entry(shape=(2, *[1] * 64)), TWO),
    "a shape of a million digits": safetensors(entry(shape=[10**4000] * 1000), TWO),
    "offsets beyond the end": safetensors(entry(shape=(4,), offsets=(0, 16)), TWO),
    "offsets short of the end": safetensors(entry(shape=(1,), offsets=(0, 4)), TWO),
    "offsets backwards": safetensors(entry(offsets=(8, 0)), TWO),
    "negative offsets": safetensors(entry(offsets=(-8, 0)), TWO),
    "offsets of fractions": safetensors(entry(offsets=(0.0, 8.0)), TWO),
    "three offsets": safetensors(entry(offsets=(0, 8, 16)), TWO),
    "offsets in words": safetensors(entry(offsets=("0", "8")), TWO),
    "offsets of two kinds": safetensors({**entry(), "b": entry(offsets=("0", 8))["a"]}, TWO),
    "overlapping": safetensors({**entry(), "b": entry(offsets=(4, 12))["a"]}, bytes(12)),
    "the same twice": safetensors({**entry(), "b": entry()["a"]}, TWO),
    "a gap": safetensors({**entry(), "b": entry(offsets=(12, 20))["a"]}, bytes(20)),
    "a gap at the beginning": safetensors(entry(offsets=(4, 12)), bytes(12)),
    "a pickle": pickle.dumps(Danger()),
    "a pickle after a length": struct.pack("<Q", 20) + pickle.dumps(Danger()),
    "a pickle for a header": safetensors(pickle.dumps(Danger())),
    "a zip, as torch.save makes": b"PK\x03\x04" + bytes(100),
    "npy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
}


@pytest.mark.parametrize("read", [files.read_header, files.read_arrays])
@pytest.mark.parametrize("content", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_what_is_no_safetensors_file_is_damaged(tmp_path, monkeypatch, content, read):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(DamagedFile, match=r"a\.safetensors"):
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
    assert os.listdir() == ["a.safetensors"], "nothing was executed"


def test_a_truth_value_is_true_or_false(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(safetensors(entry("BOOL", offsets=(0, 2)), b"\x01\x00"))
    assert files.read_arrays(path)[0]["a"].tolist() == [True, False]
    path.write_bytes(safetensors(entry("BOOL", offsets=(0, 2)), b"\x01\x02"))
    with pytest.raises(DamagedFile, match="a holds bytes that are no truth values"):
        files.read_arrays(path)


def test_a_file_cut_short_or_prolonged_anywhere_is_damaged(tmp_path):
    path = tmp_path / "a.safetensors"
    files.write_arrays(path, {"a": np.arange(3.0), "b": np.ones((2, 2), np.uint8)}, {"step": 1})
    whole = path.read_bytes()
    for content in [*(whole[:end] for end in range(len(whole))), whole + b"\0"]:
        path.write_bytes(content)
        with pytest.raises(DamagedFile):
            files.read_arrays(path)


def test_a_file_cut_short_while_it_is_read_is_damaged(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    files.write_arrays(path, {"a": np.zeros(100_000)})
    header = files._header

    def then_cut(file, path):
        parsed = header(file, path)
        os.truncate(path, 1000)
        return parsed

    monkeypatch.setattr(files, "_header", then_cut)
    with pytest.raises(DamagedFile, match="ended within a"):
        files.read_arrays(path)


def test_a_file_replaced_while_it_is_read_is_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    files.write_arrays(path, {"a": np.arange(1000)})
    header = files._header

    def then_replace(file, path):
        parsed = header(file, path)
        files.write_arrays(path, {"other": np.zeros(3)})
        return parsed

    monkeypatch.setattr(files, "_header", then_replace)
    assert files.read_arrays(path)[0]["a"].tolist() == list(range(1000))


@settings(max_examples=300)
@given(st.data())
def test_a_few_wrong_bytes_are_arrays_or_damage(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "wrong.safetensors"
    files.write_arrays(path, {"a": np.arange(3.0), "b": np.ones((2, 2), np.int32)}, {"step": 1})
    content = bytearray(path.read_bytes())
    for offset, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[offset] = value
    path.write_bytes(content)
    try:
        arrays, about = files.read_arrays(path)
    except DamagedFile:
        return
    assert isinstance(about, dict)
    assert sum(array.nbytes for array in arrays.values()) == 40


def test_of_a_link_in_a_folders_place_nothing_is_added_up(tmp_path):
    """It may lead to all of a disk."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "large").write_bytes(bytes(10_000))
    (tmp_path / "run").symlink_to("theirs")
    assert files.size(tmp_path / "run") == len("theirs") and files.size(tmp_path / "theirs") == 10_000
