"""Metrics as one Parquet file: what claims or expands to too much is refused before it is read."""

import io

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from fop_core.reproduction import packed_metrics
from fop_core.runs.files import DamagedFile
from fop_core.runs.series import Series

ROWS = 4099  # nothing else in a file's metadata is that number


@pytest.fixture
def unread(monkeypatch):
    monkeypatch.setattr(parquet.ParquetFile, "read", lambda *_, **__: pytest.fail("it was read"))


def file(**columns):
    """Return a Parquet file of columns."""
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer, compression="zstd", write_statistics=False)
    return buffer.getvalue()


def plain(**more):
    """Return a Parquet file of one run with so many steps."""
    return file(run=np.zeros(ROWS, np.int32), step=np.arange(ROWS), **more)


def varint(number):
    """Return a number as Thrift's compact protocol has it, in which the metadata of Parquet are written."""
    number, made = 2 * number if number >= 0 else -2 * number - 1, []
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def claiming(content, number, claimed, times=-1):
    """Return a Parquet file whose metadata claim another number in place of one, everywhere or so many times."""
    length = int.from_bytes(content[-8:-4], "little")
    metadata = content[-8 - length : -8]
    assert varint(number) in metadata
    metadata = metadata.replace(varint(number), varint(claimed), times)
    return content[: -8 - length] + metadata + len(metadata).to_bytes(4, "little") + b"PAR1"


def expanded(content):
    """Return how large a Parquet file says that its second column is."""
    return parquet.ParquetFile(io.BytesIO(content)).metadata.row_group(0).column(1).total_uncompressed_size


def read(content, count=1):
    return list(packed_metrics.columns(content, count, "metrics.parquet"))


def test_what_was_written_is_read_back_and_what_could_not_be_is_not_written(monkeypatch):
    steps, values = np.arange(0, 9000, 3), np.linspace(0, 1, 3000)
    runs = [{"seconds": Series(steps, values), "x": Series(steps[1:2], np.array([0.5]))}]
    [back] = read(packed_metrics.to_parquet(runs))
    assert back.keys() == runs[0].keys()
    for name, series in runs[0].items():
        np.testing.assert_array_equal(back[name].steps, series.steps)
        np.testing.assert_array_equal(back[name].values, series.values)
    monkeypatch.setattr(packed_metrics, "LARGEST", 8 * 3000 * 4 - 1)
    with pytest.raises(DamagedFile, match="measured: 3,000 rows, 96,000 bytes in memory, of which 95,999 can"):
        packed_metrics.to_parquet(runs)


def test_a_gigantic_number_of_rows_is_refused_unread(unread):
    content = claiming(plain(loss=np.zeros(ROWS)), ROWS, 10**12)
    assert len(content) < 100_000
    with pytest.raises(DamagedFile, match=r"metrics\.parquet: 1,000,000,000,000 rows, 24,000,000,000,000 bytes in mem"):
        read(content)


def test_what_expands_hugely_is_refused_unread(unread):
    indices = {name: pyarrow.repeat(pyarrow.scalar(0, pyarrow.int32()), 1_200_000) for name in ("run", "step")}
    nulls = pyarrow.nulls(1_200_000, pyarrow.float32())
    content = file(**indices, **{f"loss{index}": nulls for index in range(28)})
    assert len(content) < 100_000
    with pytest.raises(DamagedFile, match="1,200,000 rows, 288,000,000 bytes in memory, of which 268,435,456 can"):
        read(content)


def test_pages_that_are_larger_than_their_rows_are_refused_unread(unread):
    with pytest.raises(DamagedFile, match=r"4,099 rows, 1,000,000,0\d\d,\d\d\d bytes in memory"):
        read(claiming(plain(), expanded(plain()), 10**12))


def test_metadata_that_contradict_themselves_are_refused_unread(unread):
    for content in (claiming(plain(), expanded(plain()), -5), claiming(plain(), ROWS, 7, times=1)):
        with pytest.raises(DamagedFile, match="claim numbers of rows or bytes that cannot be"):
            read(content)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"loss": ["x" * 1000] * ROWS}, "column loss is of string, where a number is expected"),
        ({"loss": [[0.0]] * ROWS}, "column loss is of list.*, where a number is expected"),
        ({"step": np.zeros(ROWS)}, "column step is of double, where a whole number is expected"),
    ],
)
def test_a_column_of_anything_but_numbers_is_refused_unread(unread, more, why):
    content = file(**({"run": np.zeros(ROWS, np.int32), "step": np.arange(ROWS)} | more))
    with pytest.raises(DamagedFile, match=rf"metrics\.parquet: its {why}"):
        read(content)
