"""Files that are whole or not there, and readers that believe nothing they are given.

Only JSON and safetensors: neither can carry code. A reader checks size, header and shapes before it allocates, and says
in one ``DamagedFile`` what is wrong with which file.
"""

import contextlib
import json
import math
import os
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray

LARGEST_JSON = 16 << 20  # bytes
LARGEST_HEADER = 16 << 20  # bytes of a safetensors header: 100,000 tensors
LARGEST_ARRAYS = 8 << 30  # bytes of all arrays of one file
DTYPES = {
    "BOOL": np.bool_,
    "U8": np.uint8,
    "I8": np.int8,
    "I16": np.int16,
    "I32": np.int32,
    "I64": np.int64,
    "U16": np.uint16,
    "U32": np.uint32,
    "U64": np.uint64,
    "F16": np.float16,
    "F32": np.float32,
    "F64": np.float64,
}


class DamagedFile(ValueError):
    """A file that is not what it should be; the message names it and says why."""


def write(path: Path, content: bytes, *, sync: bool = True) -> None:
    """Replace a file by ``content``: a reader sees the old or the new one whole, and so does one after a power cut.

    Args:
        path: in a folder that exists.
        content: all of it.
        sync: False where losing the newest version to a power cut does not matter.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    if sync:
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last through a power cut."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, content: Any, *, sync: bool = True) -> None:
    """Replace a file by JSON; a number that is not finite becomes its name, see ``plain``."""
    write(path, (json.dumps(plain(content), indent=1, allow_nan=False) + "\n").encode(), sync=sync)


def plain(content: Any) -> Any:
    """Return ``content`` for strict JSON: NaN and the infinities as the strings that ``number`` reads."""
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return "NaN" if content != content else "Infinity" if content > 0 else "-Infinity"
    return content


def number(value: Any) -> float:
    """Return a number as JSON has it here, "NaN", "Infinity" and "-Infinity" included.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise ValueError(f"{value!r} is no number")


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: where it holds no JSON object, or is absurdly large.
    """
    if (size := path.stat().st_size) > LARGEST_JSON:
        raise DamagedFile(f"{path}: {size:,} bytes are too many for such a file")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path}: no JSON ({error})") from error
    if not isinstance(content, dict):
        raise DamagedFile(f"{path}: a JSON {type(content).__name__} where an object is expected")
    return content


def write_arrays(path: Path, arrays: Mapping[str, Array], about: Mapping[str, Any] | None = None) -> None:
    """Replace a file by arrays in safetensors format, with ``about``, any JSON, in its header."""
    from safetensors.numpy import save

    whole = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    metadata = {"about": json.dumps(plain(dict(about)), allow_nan=False)} if about else None
    write(path, save(whole, metadata))


def read_header(path: Path) -> tuple[dict[str, tuple[type, tuple[int, ...]]], dict[str, Any]]:
    """Return dtype and shape of each array in a safetensors file, and what is said about them. Reads no array.

    Raises:
        FileNotFoundError: where there is no file.
        DamagedFile: where header, sizes and file do not fit together.
    """
    size = path.stat().st_size
    if not 8 <= size <= LARGEST_ARRAYS:
        raise DamagedFile(f"{path}: {size:,} bytes are no safetensors file")
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(LARGEST_HEADER, size - 8):
            raise DamagedFile(f"{path}: a header of {length:,} bytes does not fit a file of {size:,}")
        try:
            header = json.loads(file.read(length))
        except (ValueError, RecursionError) as error:
            raise DamagedFile(f"{path}: no safetensors header ({error})") from error
    if not isinstance(header, dict):
        raise DamagedFile(f"{path}: no safetensors header")
    metadata = header.pop("__metadata__", {})
    found: dict[str, tuple[type, tuple[int, ...]]] = {}
    covered = 0
    try:
        about = json.loads(metadata.get("about", "{}"))
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, shape, (begin, end) = DTYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
            if not all(isinstance(extent, int) and extent >= 0 for extent in shape):
                raise ValueError(f"shape {shape}")
            if begin != covered or end - begin != math.prod(shape) * np.dtype(dtype).itemsize:
                raise ValueError(f"{name}: shape {shape} in bytes {begin} to {end}")
            covered = end
            found[name] = dtype, shape
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile(f"{path}: a wrong safetensors header ({error})") from error
    if covered != size - 8 - length or not isinstance(about, dict):
        raise DamagedFile(f"{path}: {size - 8 - length:,} bytes of arrays where its header says {covered:,}")
    return found, about


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays in a safetensors file, and what is said about them.

    Raises:
        FileNotFoundError: where there is no file.
        DamagedFile: where it is not whole.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    _, about = read_header(path)
    try:
        return load_file(path), about
    except (SafetensorError, KeyError, TypeError) as error:
        raise DamagedFile(f"{path}: {error}") from error
