"""A file of arrays carries a checksum: a byte that changed later is damage, and never other numbers."""

import json
import struct

import numpy as np
import pytest
from safetensors.numpy import save

from fop_core.runs import files
from fop_core.runs.files import DamagedFile

ARRAYS = {
    "model/0.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "optimizer/step": np.array(7.0, dtype=np.float32),
    "rng/cpu": np.arange(16, dtype=np.uint8),
    "window/empty": np.empty((0, 3), np.float16),
    "window/good": np.array([True, False]),
}
ABOUT = {"step": 40, "tree": {"dict": [["a", 1.5]]}}


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "00000040.safetensors"
    files.write_arrays(path, ARRAYS, ABOUT)
    return path


def test_whichever_byte_of_the_arrays_changes_the_file_is_damaged_and_named(checkpoint):
    whole = checkpoint.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    for at in range(8 + length, len(whole)):
        for bit in (1, 128):
            checkpoint.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            with pytest.raises(DamagedFile, match=r"00000040\.safetensors"):
                files.read_arrays(checkpoint)
            with pytest.raises(DamagedFile, match="upload"):
                files.parse_arrays(checkpoint.read_bytes(), "upload", 1 << 20)


@pytest.mark.parametrize(
    ("old", "new"), [(b'"F32"', b'"I32"'), (b"[2,3]", b"[3,2]"), (b"0.weight", b"1.weight"), (b"40", b"41")]
)
def test_a_header_that_says_something_else_is_damaged(checkpoint, old, new):
    whole = checkpoint.read_bytes()
    assert old in whole
    checkpoint.write_bytes(whole.replace(old, new, 1))
    with pytest.raises(DamagedFile, match="checksum"):
        files.read_arrays(checkpoint)


def test_a_file_without_a_checksum_is_read_as_before(tmp_path):
    path = tmp_path / "old.safetensors"
    path.write_bytes(save(ARRAYS, {"about": json.dumps(ABOUT)}))
    arrays, about = files.read_arrays(path)
    assert about == ABOUT
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
    assert files.parse_arrays(path.read_bytes(), "old", 1 << 20).keys() == ARRAYS.keys()


def test_arrays_without_a_word_about_them_have_a_checksum_too(tmp_path):
    path = tmp_path / "snapshot.safetensors"
    files.write_arrays(path, ARRAYS)
    assert files.read_arrays(path)[1] == {}
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DamagedFile, match="checksum"):
        files.read_arrays(path)


def test_a_checksum_that_is_none_is_damage(tmp_path):
    path = tmp_path / "odd.safetensors"
    path.write_bytes(save(ARRAYS, {"sha256": "0"}))
    with pytest.raises(DamagedFile, match="checksum"):
        files.read_arrays(path)


def test_the_order_in_memory_changes_no_checksum(tmp_path):
    array = np.arange(12, dtype=">f4").reshape(3, 4)
    for name, variant in (("big-endian", array), ("transposed", np.asfortranarray(array)), ("strided", array[::2])):
        path = tmp_path / name
        files.write_arrays(path, {"a": variant})
        np.testing.assert_array_equal(files.read_arrays(path)[0]["a"], variant)
