"""Files that are whole or not there, and readers that believe nothing they are given.

Only JSON and safetensors: neither can carry code. A reader checks size, header and shapes before it allocates, and says
in one ``DamagedFile`` what is wrong with which file.
"""

import codecs
import contextlib
import errno
import io
import itertools
import json
import math
import os
import re
import reprlib
import secrets
import stat
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fop_core.runs import checksum, stamps

Array = np.ndarray

LARGEST_JSON = 16 << 20  # bytes
DEEPEST = 64  # lists and objects within each other: who walks them, as repr or a page does, goes some 300 deep at most
LARGEST_HEADER = 16 << 20  # bytes of a safetensors header: 100,000 tensors
LARGEST_ARRAYS = 8 << 30  # bytes of all arrays of one file
UNREADABLE = (errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR, errno.ENXIO, errno.ENAMETOOLONG)
"""Errors that come of what is in a file's place, and not of the machine."""
MOST_DIMENSIONS = 64  # numpy's own limit
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


_NESTING = dict, list, tuple
_TOO_DEEP = f"nested more than {DEEPEST} deep"
_ESCAPED_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # of a character; two of them make a whole one


class DamagedFile(ValueError):
    """A file that is not what it should be; the message names it and says why.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2})
        >>> _ = (run.path / "state.json").write_text('{"state": "asleep"}')
        >>> try:
        ...     run.state
        ... except runs.DamagedFile as error:
        ...     print(str(error).replace(str(run.path), "RUN"))
        RUN/state.json: 'asleep' for the reason None since None
    """


class RunError(ValueError):
    """A run that cannot be found, read or used; the message says which and why.

    Example:
        >>> from fop_core import runs
        >>> try:
        ...     runs.load("mnist-sgd")
        ... except runs.RunError as error:
        ...     print(error)
        'mnist-sgd' may be mnist-sgd-seed0, mnist-sgd-seed1, mnist-sgd-seed2: give more of the id
    """


def write(path: Path, content: bytes, *, sync: bool = True, mode: int = 0o666) -> None:
    """Replace a file by ``content``: a reader sees the old or the new one whole, and so does one after a power cut.

    Args:
        path: in a folder that exists.
        content: all of it.
        sync: False where losing the newest version to a power cut does not matter.
        mode: of the new file, less what the process masks.
    """
    beside = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with open(beside, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):  # the reason that is raised is the first one
            beside.unlink()
        raise
    if sync:
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder last through a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_json(path: Path, content: Any, *, sync: bool = True, mode: int = 0o666) -> None:
    """Replace a file by JSON; a number that is not finite becomes its name, see ``plain``; the rest as ``write``.

    Raises:
        ValueError: for more than ``read_json`` would take.
    """
    check_depth(content, f"{path}: ")
    text = (json.dumps(plain(content), indent=1, allow_nan=False) + "\n").encode()
    if len(text) > LARGEST_JSON:
        raise ValueError(f"{path}: {len(text):,} bytes of JSON, of which {LARGEST_JSON:,} can be read back")
    write(path, text, sync=sync, mode=mode)


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
        try:
            return float(value)
        except OverflowError:
            raise ValueError("a whole number too large for a float") from None
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    raise ValueError(f"{reprlib.repr(value)} is no number")


def loads(text: str) -> Any:
    """Return what strict JSON says: a bare NaN or Infinity is none.

    Raises:
        ValueError: where it is no JSON.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def check_depth(content: Any, what: str = "") -> None:
    """Raise ValueError, which begins with ``what``, where lists and objects are nested more than ``DEEPEST`` deep."""
    within = [content]
    for _ in range(DEEPEST + 1):
        inner = [part.values() if isinstance(part, dict) else part for part in within if isinstance(part, _NESTING)]
        within = list(itertools.chain.from_iterable(inner))
        if not inner:
            return
    raise ValueError(f"{what}{_TOO_DEEP}")


def _refuse(name: str) -> None:
    raise ValueError(f"a bare {name}")


_DECODER = json.JSONDecoder(parse_constant=_refuse)  # json.loads would make one for each text


def opened(path: Path, *, links: bool = True, within: int | None = None) -> BinaryIO:
    """Open a file to read its bytes.

    Args:
        path: the file.
        links: False where a link is no file: who makes it says which of our files is read.
        within: an open folder, in which that of the path's name is meant, wherever the path leads meanwhile.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: where there is something else, such as a folder, a pipe or a link to nothing, or a file that we may
            not read.
    """
    # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | (0 if links else os.O_NOFOLLOW)
    try:
        file = os.open(path if within is None else path.name, flags, dir_fd=within)
    except FileNotFoundError as error:
        if os.path.islink(path):
            raise DamagedFile(f"{path}: a link to nothing") from error
        raise
    except OSError as error:
        if not links and error.errno == errno.ELOOP:
            raise DamagedFile(f"{path}: a link, where a file is expected: remove it") from error
        if error.errno in UNREADABLE:
            raise DamagedFile(f"{path}: it cannot be read ({error.strerror})") from error
        raise
    mode = os.fstat(file).st_mode
    if not stat.S_ISREG(mode):
        os.close(file)
        raise DamagedFile(f"{path}: no file, but a {'folder' if stat.S_ISDIR(mode) else 'device or pipe'}")
    return os.fdopen(file, "rb")


def opened_as_ours(path: Path, within: int | None = None) -> BinaryIO:
    """Open a file that nobody but us, or root, can have written: what is looked at is the file that is read.

    Args:
        path: the file.
        within: as ``opened``'s.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: where it is a link, a pipe or a folder, has other names, is another user's, or others may write it.
    """
    file = opened(path, links=False, within=within)
    status = os.fstat(file.fileno())
    if status.st_nlink > 1:  # none, where it was replaced just now
        trouble = "has other names, where a regular file of one name is expected"
    elif status.st_uid != os.getuid():
        trouble = f"belongs to {stamps.user_name(status.st_uid)}, and not to us"
    elif status.st_mode & 0o022:
        trouble = "can be written by others, and we would do what is in it"
    else:
        return file
    file.close()
    raise DamagedFile(f"{path} {trouble}")


def open_append(path: Path, mode: int = 0o666) -> int:
    """Open a regular file to append to it, made where it is missing; return its descriptor.

    In a shared folder somebody else may have put a link there, to have us write to a file of ours, or a pipe, to have
    us wait.

    Args:
        path: the file.
        mode: who may open it, where it is made; less what the umask takes away.

    Raises:
        DamagedFile: where it is a link, a pipe, a folder, anything but a regular file.
        OSError: where it cannot be opened.
    """
    # Without O_NONBLOCK a pipe that nobody reads would be waited for.
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(path, flags, mode)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise DamagedFile(f"{path}: no regular file, but a link, a pipe or a folder: remove it") from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise DamagedFile(f"{path}: no regular file, but a device or a pipe: remove it")
    return file


def kind(mode: int) -> str:
    """Return what is of a mode, as os.lstat gives it, in a word."""
    for is_kind, name in ((stat.S_ISLNK, "link"), (stat.S_ISDIR, "folder"), (stat.S_ISREG, "file")):
        if is_kind(mode):
            return name
    return "pipe or device"


def set_aside(path: Path) -> Path:
    """Give what lies in the place of a file another name beside it; return that.

    Raises:
        OSError: where it cannot be renamed.
    """
    names = (path.with_name(f"{path.name}.damaged.{n}") for n in itertools.count(1))
    aside = next(name for name in names if not os.path.lexists(name))
    os.rename(path, aside)
    return aside


def size(folder: Path) -> int:
    """Return the bytes that the files under a folder hold; of a link its own."""
    if folder.is_symlink():
        return os.lstat(folder).st_size
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # taken just now, not ours to look at, or of a path that is too long
                total += os.lstat(os.path.join(path, name)).st_size
    return total


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: where it holds no JSON object, or is absurdly large.
    """
    with opened(path) as file:
        return parse_json(file, path)


def parse_json(file: BinaryIO, path: Path) -> dict[str, Any]:
    """Return the object in an open JSON file; ``path`` is what errors call it.

    Raises:
        DamagedFile: where it holds no JSON object, or is absurdly large.
    """
    if (size := os.fstat(file.fileno()).st_size) > LARGEST_JSON:
        raise DamagedFile(f"{path}: {size:,} bytes are too many for such a file")
    text = file.read()
    try:
        content = loads(text.removeprefix(codecs.BOM_UTF8).decode())
        check_depth(content)
        if _ESCAPED_HALF.search(text):  # nothing can print, search or send it
            json.dumps(content, ensure_ascii=False).encode()
    except ValueError as error:
        raise DamagedFile(f"{path}: no JSON ({error})") from error
    if not isinstance(content, dict):
        raise DamagedFile(f"{path}: a JSON {type(content).__name__} where an object is expected")
    return content


def write_arrays(
    path: Path, arrays: Mapping[str, Array], about: Mapping[str, Any] | None = None, *, sync: bool = True
) -> None:
    """Replace a file by arrays in safetensors format, with ``about``, any JSON, in its header; ``sync`` as ``write``'s.

    The header carries a checksum of both, which is verified where the arrays are read.

    Raises:
        TypeError: for an array of a dtype that is not in ``DTYPES``.
        ValueError: for more than ``read_arrays`` would take.
    """
    from safetensors.numpy import save

    whole = {}
    for name, array in arrays.items():
        if array.dtype.newbyteorder("=") not in DTYPES.values():
            kinds = ", ".join(np.dtype(dtype).name for dtype in DTYPES.values())
            raise TypeError(f"{path}: {name} is of dtype {array.dtype}; arrays of {kinds} can be kept")
        if name == "__metadata__":
            raise ValueError(f"{path}: no array can be called {name}")
        whole[name] = np.ascontiguousarray(array).reshape(array.shape)
    check_depth(about, f"{path}: about is ")
    metadata = {"about": json.dumps(plain(dict(about)), allow_nan=False)} if about else {}
    content = save(whole, metadata | {checksum.NAME: checksum.of(whole, metadata.get("about", ""))})
    (length,) = struct.unpack("<Q", content[:8])
    for size, largest, what in ((length, LARGEST_HEADER, "header"), (len(content), LARGEST_ARRAYS, "arrays")):
        if size > largest:
            raise ValueError(f"{path}: {size:,} bytes of {what}, of which {largest:,} can be read back")
    write(path, content, sync=sync)


Header = dict[str, tuple[type, tuple[int, ...]]]


class _Head(NamedTuple):
    """A safetensors header: the arrays in the order of their bytes, and what is said about them."""

    arrays: Header
    about: dict[str, Any]
    about_text: str
    checksum: str | None  # None in a file by somebody else, or from before there was one

    def verify(self, arrays: Mapping[str, Array], name: str) -> None:
        """Raise DamagedFile where arrays are not those that were written."""
        if self.checksum is not None and self.checksum != checksum.of(arrays, self.about_text):
            raise DamagedFile(f"{name}: its checksum is wrong: bytes changed after it was written")


def read_header(path: Path) -> tuple[Header, dict[str, Any]]:
    """Return dtype and shape of each array in a safetensors file, and what is said about them. Reads no array.

    Raises:
        FileNotFoundError: where there is no file.
        DamagedFile: where header, sizes and file do not fit together.
    """
    with opened(path) as file:
        head = _header(file, path)
    return head.arrays, head.about


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return the arrays in a safetensors file, and what is said about them.

    Raises:
        FileNotFoundError: where there is no file.
        DamagedFile: where it is not whole, or not what was written.
    """
    arrays = {}
    with opened(path) as file:  # what was checked is what is read, also where the file is replaced meanwhile
        head = _header(file, path)
        for name, (dtype, shape) in head.arrays.items():
            flat: Array = np.fromfile(file, dtype, count=math.prod(shape))
            if flat.size != math.prod(shape):
                raise DamagedFile(f"{path}: it ended within {name}: somebody cuts it short")
            arrays[name] = _shaped(flat, shape, f"{path}: {name}")
    head.verify(arrays, str(path))
    return arrays, head.about


def _shaped(flat: Array, shape: tuple[int, ...], name: str) -> Array:
    if flat.dtype == np.bool_ and (flat.view(np.uint8) > 1).any():  # which compare as neither True nor False
        raise DamagedFile(f"{name} holds bytes that are no truth values")
    return flat.reshape(shape)


def parse_arrays(content: bytes, name: str, largest: int) -> dict[str, Array]:
    """Return the arrays in the bytes of a safetensors file.

    Args:
        content: the file.
        name: what it is called.
        largest: the most bytes to take.

    Raises:
        DamagedFile: where it is not one, or larger.
    """
    if len(content) > largest:
        raise DamagedFile(f"{name}: {len(content):,} bytes, of which {largest:,} can be taken")
    head = _header(io.BytesIO(content), Path(name))
    at = len(content) - sum(math.prod(shape) * np.dtype(dtype).itemsize for dtype, shape in head.arrays.values())
    arrays: dict[str, Array] = {}
    for key, (dtype, shape) in head.arrays.items():
        count = math.prod(shape)
        arrays[key] = _shaped(np.frombuffer(content, dtype, count, at), shape, f"{name}: {key}")
        at += count * np.dtype(dtype).itemsize
    head.verify(arrays, name)
    return arrays


def _header(file: BinaryIO, path: Path) -> _Head:
    """Read a safetensors header, and leave the file at the first byte of the arrays."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if not 8 <= size <= LARGEST_ARRAYS:
        raise DamagedFile(f"{path}: {size:,} bytes are no safetensors file")
    (length,) = struct.unpack("<Q", file.read(8))
    if length > min(LARGEST_HEADER, size - 8):
        raise DamagedFile(f"{path}: a header of {length:,} bytes does not fit a file of {size:,}")
    try:
        header = loads(file.read(length).decode())
        if not isinstance(header, dict):
            raise ValueError(f"a JSON {type(header).__name__} where an object is expected")
        check_depth(header)
        metadata = header.pop("__metadata__", {})
        about_text, digest = metadata.get("about", ""), metadata.get(checksum.NAME)
        about = loads(about_text or "{}")
        check_depth(about)
        if not isinstance(about, dict):
            raise ValueError(f"about is a JSON {type(about).__name__} where an object is expected")
        arrays: Header = {}
        covered = 0
        for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            dtype, shape, (begin, end) = DTYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
            whole = all(type(extent) is int and 0 <= extent <= LARGEST_ARRAYS for extent in (*shape, begin, end))
            if not whole or len(shape) > MOST_DIMENSIONS:  # else their product may take hours
                raise ValueError(f"{name}: a shape or bytes that cannot be")
            if math.prod(extent or 1 for extent in shape) > LARGEST_ARRAYS:  # numpy takes no such shape even of nothing
                raise ValueError(f"{name}: a shape {shape} that cannot be")
            if begin != covered or end - begin != math.prod(shape) * np.dtype(dtype).itemsize:
                raise ValueError(f"{name}: shape {shape} of {entry['dtype']} in bytes {begin:,} to {end:,}")
            covered = end
            arrays[name] = dtype, shape
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedFile(f"{path}: no safetensors header ({error!r})") from error
    if covered != size - 8 - length:
        raise DamagedFile(f"{path}: {size - 8 - length:,} bytes of arrays where its header says {covered:,}")
    return _Head(arrays, about, about_text, digest)
