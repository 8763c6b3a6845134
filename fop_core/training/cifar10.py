"""CIFAR-10's own archive, whose images are pickled: what is checked are the bytes that are used.

Whoever may write in a folder of data could put another file there between a look and a reading, so each file is read
once. What is made of its bytes is arrays, lists and texts, and nothing else: a pickle can name any function.
"""

import hashlib
import io
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.runs import files

Array = np.ndarray

FOLDER = "cifar-10-batches-py"
LARGEST = 512 << 20  # bytes of a file that is read
_ARRAYS = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),  # of the archive
    ("numpy._core.multiarray", "_reconstruct"),  # of what numpy pickles since 2.0
    ("numpy._core.numeric", "_frombuffer"),
}


class ArchiveError(ValueError):
    """An archive that is not the original one; the message says which file, and what to do."""


def read(path: Path, test: bool) -> dict[str, tuple[Array, Array]]:
    """Return the images, uint8 [N, 32, 32, 3], and labels, int64 [N], of "train", and of "test" where it is wanted.

    An archive that is packed is unpacked beside itself, for the next time.

    Args:
        path: the folder that holds ``FOLDER`` or the packed archive.
        test: whether the test set is read.

    Raises:
        ArchiveError: where a file is missing, or not the original one.
        OSError: where one cannot be read, or the archive not be unpacked there.
    """
    from torchvision.datasets import CIFAR10

    inside = path / FOLDER
    unpacked = {} if inside.is_dir() else unpack(path)
    parts = {}
    for part, listed in (("train", CIFAR10.train_list), ("test", CIFAR10.test_list))[: 1 + test]:
        images, labels = [], []
        for name, md5 in listed:
            content = unpacked[name] if name in unpacked else _bytes(inside / name)
            batch = _batch(_checked(content, md5, inside / name), inside / name)
            images.append(batch["data"])
            labels += batch["labels"]
        stacked = np.vstack(images).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        parts[part] = np.ascontiguousarray(stacked), np.array(labels, np.int64)
    return parts


def unpack(path: Path) -> dict[str, bytes]:
    """Unpack the archive of a folder there, and return what its files hold.

    Raises:
        ArchiveError, OSError: as ``read``.
    """
    from torchvision.datasets import CIFAR10

    file = path / CIFAR10.filename
    content = _checked(_bytes(file), CIFAR10.tgz_md5, file)
    names = [name for name, _ in (*CIFAR10.train_list, *CIFAR10.test_list)] + [CIFAR10.meta["filename"]]
    unpacked = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for name in names:
            member = archive.extractfile(f"{FOLDER}/{name}")
            assert member is not None  # of the original
            unpacked[name] = member.read()
    (path / FOLDER).mkdir(exist_ok=True)
    for name, held in unpacked.items():
        files.write(path / FOLDER / name, held, sync=False)
    return unpacked


def download(path: Path) -> None:
    """Fetch the archive into a folder, unless it is there already, check it and unpack it.

    Raises:
        ArchiveError, OSError, RuntimeError: where that fails.
    """
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import download_url

    try:
        read(path, test=True)
    except (ArchiveError, OSError):  # what is missing or damaged is fetched
        download_url(CIFAR10.url, str(path), CIFAR10.filename, CIFAR10.tgz_md5)
        unpack(path)


def _bytes(path: Path) -> bytes:
    try:
        with files.opened(path) as file:
            return file.read(LARGEST)
    except FileNotFoundError as error:
        raise _damaged(path, "it is missing") from error
    except files.DamagedFile as error:
        if isinstance(error.__cause__, PermissionError):
            raise error.__cause__ from None
        raise ArchiveError(str(error)) from error


def _checked(content: bytes, md5: str, path: Path) -> bytes:
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise _damaged(path, "its md5 is another")
    return content


def _damaged(path: Path, why: str) -> ArchiveError:
    return ArchiveError(f"{path}: the CIFAR-10 archive is damaged ({why}): remove it and get it again")


class _Arrays(pickle.Unpickler):
    """Makes arrays, and what JSON has, of a pickle; nothing of it is called but what makes an array."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ARRAYS:
            raise pickle.UnpicklingError(f"it names {module}.{name}, where arrays alone are expected")
        return super().find_class(module, name)


def _batch(content: bytes, path: Path) -> dict[str, Any]:
    """Return what a file of the archive holds: data, uint8 [N, 3072], and labels."""
    try:
        batch: dict[str, Any] = _Arrays(io.BytesIO(content), encoding="latin1").load()
        return {"data": batch["data"], "labels": batch["labels"]}
    except (pickle.UnpicklingError, KeyError, TypeError, EOFError) as error:
        raise _damaged(path, str(error)) from error
