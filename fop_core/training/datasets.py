"""Where images come from: MNIST, CIFAR-10, and folders of images.

``find`` says where a data set is without reading it, or which ways there are to get it; ``load`` reads it. A small set
is decoded once into uint8 [N, H, W, C] and cached beside the data; a large one stays a list of files. A file that
cannot be decoded is named and counted, and left out.
"""

import gzip
import hashlib
import math
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from fop_core import formatting
from fop_core.printable import printable
from fop_core.runs import files
from fop_core.training.config import PLUGIN, DataConfig

Array = np.ndarray
Log = Callable[[str], None]

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
IN_MEMORY = 2 << 30  # bytes up to which storage = auto keeps a set
KEPT = 100 << 20  # bytes of images that one process keeps for others
_PIECE = 1 << 20  # bytes
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SHIPPED = Path(__file__).resolve().parents[2] / "data"


class DataError(ValueError):
    """Data that are missing or unfit; the message says which ways there are to get them."""


@dataclass(frozen=True)
class DataSource:
    """Where a data set is.

    Attributes:
        title: what results on it are to be called.
        path: its folder.
        kind: "idx", "archive", "tree", or "plugin".
        note: what is to know about it.
    """

    title: str
    path: Path
    kind: str
    note: str = ""


@dataclass
class DataPart:
    """Images of one purpose, with their labels.

    Attributes:
        labels: [N] int64.
        images: uint8 [N, H, W, C], where they are kept in memory.
        paths: their files, where they are streamed.
    """

    labels: Array
    images: Array | None = None
    paths: list[Path] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, chosen: Array) -> "DataPart":
        """Return the images with these indices."""
        images = None if self.images is None else self.images[chosen]
        paths = None if self.paths is None else [self.paths[index] for index in chosen]
        return DataPart(self.labels[chosen], images, paths)


@dataclass
class Dataset:
    """A data set, ready to train on.

    Attributes:
        source: where it is from.
        classes: the names of the classes; a label is an index into them.
        train: what is learned from.
        test: what is measured on: the test set, or the held-out part; None where there is neither.
        measured_on: "test" or "held_out": the prefix of the columns.
        mean: of each channel, in pixels of 0 to 255.
        std: of each channel.
        corrupt: files that could not be decoded.
    """

    source: DataSource
    classes: list[str]
    train: DataPart
    test: DataPart | None
    measured_on: str
    mean: Array
    std: Array
    corrupt: list[str] = field(default_factory=list)


def data_folder() -> Path:
    """Return the folder of data sets: FOP_DATA_DIR, or data/ of the project."""
    named = os.environ.get("FOP_DATA_DIR")
    return _folder("FOP_DATA_DIR", named) if named else _SHIPPED


def _folder(what: str, path: str) -> Path:
    """Return the folder that a person has named.

    A job of the queue works in a folder of its own: FOP_DATA_RELATIVE_TO names that in which it was submitted.

    Raises:
        DataError: where it cannot be one, as that of a user who is not there.
    """
    try:
        folder = Path(os.environ.get("FOP_DATA_RELATIVE_TO", ""), Path(path).expanduser())
        folder.stat()
    except FileNotFoundError:  # what is looked for in it says so, and how to get it
        return folder
    except (RuntimeError, OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{what} = {printable(path[:200])}: {why}; give the path of a folder") from error
    return folder


def find(config: DataConfig) -> DataSource:
    """Return where a data set is.

    Raises:
        DataError: where it is not, with the ways to get it.
    """
    if config.plugin is not None:
        return DataSource(config.plugin.file, Path(config.plugin.file), PLUGIN, "made by a file of its own")
    source = {"mnist": _find_mnist, "cifar10": _find_cifar10, "folder": _find_folder}[config.name](config)
    if config.limit is None:
        return source
    limited = f"at most {config.limit:,} of its training images, as many of each class"
    return replace(source, note="; ".join(filter(None, (source.note, limited))))


def load(config: DataConfig, log: Log = lambda text: None) -> Dataset:
    """Read a data set. Where a part of the training set is held out, no test image is read.

    Args:
        config: which.
        log: called with a line about what takes long.

    Raises:
        DataError: where it is missing or unfit.
    """
    source = find(config)
    _refuse_own(source)
    corrupt: list[str] = []
    if source.kind == "idx":
        parts = {"train": _read_idx(source.path, "train")}
        if not config.held_out:
            parts["test"] = _read_idx(source.path, "t10k")
        classes = [str(digit) for digit in range(10)]
    elif source.kind == "archive":
        parts, classes = _read_archive(source.path, test=not config.held_out), list(CIFAR10_CLASSES)
    else:
        parts, classes, corrupt = _read_tree(source.path, config, log)
    if len(parts["train"]) == 0:
        raise DataError(f"{source.path}: not one image to learn from could be decoded")
    train, test, measured_on = parts["train"], parts.get("test"), "test"
    if config.limit is not None:
        _check_limit(source, config.limit, len(classes))
        train = train.take(balanced(train.labels, config.limit))
    if config.held_out:
        # One split for all seeds: what is tuned on it is tuned on the same images.
        order = np.random.default_rng(0).permutation(len(train))
        count = max(1, round(config.held_out * len(train)))
        if count == len(train):
            raise DataError(f"{source.path}: of one image nothing can be held out (data.held_out = {config.held_out})")
        test, train, measured_on = train.take(np.sort(order[:count])), train.take(np.sort(order[count:])), "held_out"
    if test is not None and len(test) == 0:
        raise DataError(f"{source.path}: not one image to measure on could be decoded")
    mean, std = _scale(config, train)
    return Dataset(source, classes, train, test, measured_on, mean, std, corrupt)


def balanced(labels: Array, most: int) -> Array:
    """Return which images of a set to use, where it is to be no more than so many: as many of each class as can be.

    The images of each class are shuffled, always in the same way, and the classes take turns. So the images of a
    smaller number are among those of a larger one.

    Args:
        labels: int64 [N].
        most: how many.

    Returns:
        Their indices, ascending, [min(most, N)].
    """
    order = np.random.default_rng(0).permutation(len(labels))
    turns = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        of_class = order[labels[order] == label]
        turns[of_class] = np.arange(len(of_class))
    return np.sort(order[np.argsort(turns[order], kind="stable")][:most])


def _refuse_own(source: DataSource) -> None:
    if source.kind == PLUGIN:
        raise DataError(f"{source.title} makes the data of this run: a trainer imports it, and nothing else")


def _check_limit(source: DataSource, limit: int, classes: int) -> None:
    if limit < classes:
        raise DataError(f"{source.path} has {classes} classes: give at least {classes} as data.limit, not {limit}")


def _scale(config: DataConfig, train: DataPart) -> tuple[Array, Array]:
    """Return what is subtracted from each channel's pixels, and what they are divided by."""
    if config.normalize == "unit":
        return np.zeros(1), np.full(1, 255.0)
    if train.images is None:
        return 255 * np.array(IMAGENET_MEAN), 255 * np.array(IMAGENET_STD)
    channels = train.images.shape[-1]
    counts = np.stack([np.bincount(train.images[..., c].ravel(), minlength=256) for c in range(channels)])
    values = np.arange(256)
    mean = counts @ values / counts.sum(1)
    std = np.sqrt(np.maximum((counts * (values - mean[:, None]) ** 2).sum(1) / counts.sum(1), 1.0))
    return mean, std


# MNIST ----------------------------------------------------------------------------------------------------------------


def _find_mnist(config: DataConfig) -> DataSource:
    folders = [_folder("data.path", config.path)] if config.path else [data_folder(), _SHIPPED]
    for folder in folders:
        for path in (folder / "MNIST" / "raw", folder / "raw", folder):
            if all(_idx_file(path, part, kind) for part in ("train", "t10k") for kind in ("images", "labels")):
                return DataSource("MNIST", path, "idx")
    raise DataError(
        f"MNIST is not in {' or '.join(map(str, folders))}. It ships with the project, in data/MNIST/raw. Else: set "
        "FOP_DATA_DIR to the folder that holds MNIST/raw; give data.path; or let "
        "torchvision.datasets.MNIST(folder, download=True) fetch it."
    )


def _idx_file(path: Path, part: str, kind: str) -> Path | None:
    stem = f"{part}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
    return next((file for file in (path / stem, path / f"{stem}.gz") if file.is_file()), None)


_kept: dict[tuple[Path, str], tuple[list[tuple[int, int]], DataPart]] = {}


def keep(config: DataConfig) -> None:
    """Read of MNIST what these settings use now, for all who ask this process, or one forked from it, for it later.

    Raises:
        DataError: where it is missing, unfit, or too large to be kept: who uses it reads it by itself then.
    """
    if config.name == "mnist":
        path = _find_mnist(config).path
        parts = ("train",) if config.held_out else ("train", "t10k")  # what is tuned reads no test image
        read = {(path, part): (_stamps(path, part), _read_idx(path, part, KEPT)) for part in parts}
        for other in [key for key in _kept if key[0] != path]:
            del _kept[other]
        _kept.update(read)


def _stamps(path: Path, part: str) -> list[tuple[int, int]]:
    """Return when the files of a part were changed, and their sizes."""
    there = [file.stat() for kind in ("images", "labels") if (file := _idx_file(path, part, kind)) is not None]
    return [(status.st_mtime_ns, status.st_size) for status in there]


def _read_idx(path: Path, part: str, most: int = IN_MEMORY) -> DataPart:
    if (path, part) in _kept and _kept[path, part][0] == _stamps(path, part):
        return _kept[path, part][1]
    arrays: list[Array] = []
    for kind in ("images", "labels"):
        file = _idx_file(path, part, kind)
        assert file is not None
        try:
            arrays.append(_idx_array(file, len(arrays[0]) if arrays else None, most))
            if kind == "labels" and arrays[1].max(initial=0) > 9:
                raise ValueError(f"a label of {arrays[1].max()}, where digits go to 9")
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise DataError(f"{file} is damaged ({error}): put the original file there again") from error
    return DataPart(arrays[1].astype(np.int64), np.ascontiguousarray(arrays[0][..., None]))


def _idx_array(file: Path, labels: int | None, most: int) -> Array:
    """Return the array of a file: images, uint8 [N, 28, 28], or so many labels, uint8 [N]; of at most ``most`` bytes.

    What its head says that it holds is all that is unpacked: a small packed file can hold any number of bytes.
    """
    tail = (28, 28) if labels is None else ()
    with _idx_opened(file) as opened:
        head = opened.read(8 + 4 * len(tail))
        shape = tuple(int.from_bytes(head[at : at + 4], "big") for at in range(4, len(head), 4))
        expected = (*shape[:1], *tail) if labels is None else (labels,)
        if head[:4] != bytes((0, 0, 8, len(expected))) or shape != expected:
            raise ValueError(f"uint8 {list(expected)} expected, {list(shape)} found")
        size = math.prod(shape)
        if size > most:
            raise ValueError(f"{size:,} bytes, of which {most:,} can be taken")
        raw = bytearray()  # torch wants to own it
        while len(raw) <= size and (piece := opened.read(min(_PIECE, size + 1 - len(raw)))):
            raw += piece
    if len(raw) != size:
        length = f"{len(raw):,}" if len(raw) < size else "more"
        raise ValueError(f"{size:,} bytes expected, {length} found")
    return np.frombuffer(raw, np.uint8).reshape(shape)


def _idx_opened(file: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def _idx_count(path: Path) -> int:
    """Return how many training images there are, from the head of their labels' file."""
    file = _idx_file(path, "train", "labels")
    assert file is not None
    try:
        with _idx_opened(file) as opened:
            head = opened.read(8)
            if len(head) < 8:
                raise EOFError(f"{len(head)} bytes")
            return int.from_bytes(head[4:], "big")
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{file} is damaged ({error}): put the original file there again") from error


# CIFAR-10 -------------------------------------------------------------------------------------------------------------


def _find_cifar10(config: DataConfig) -> DataSource:
    folder = _folder("data.path", config.path) if config.path else data_folder()
    if (folder / "cifar-10-batches-py").is_dir() or (folder / "cifar-10-python.tar.gz").is_file():
        return DataSource("CIFAR-10", folder, "archive")
    for path in (folder, *(folder / name for name in ("cifar10", "CIFAR10", "cifar10_jpeg", "cifar-10"))):
        if all((path / part / name).is_dir() for part in ("train", "test") for name in CIFAR10_CLASSES):
            there = os.listdir(path / "test" / CIFAR10_CLASSES[0])
            if any(name.lower().endswith((".jpg", ".jpeg")) for name in there):
                return DataSource("CIFAR-10 (JPEG copy)", path, "tree", "JPEG is lossy: not quite the original images")
            return DataSource("CIFAR-10", path, "tree")
    raise DataError(
        f"CIFAR-10 is not in {folder}. Three ways to get it: `python -m fop_core data cifar10` downloads the archive "
        "there (170 MB); or put cifar-10-python.tar.gz there yourself; or an image "
        "tree, train/<class>/ and test/<class>/ with "
        f"the classes {', '.join(CIFAR10_CLASSES)}. FOP_DATA_DIR or data.path name another folder."
    )


def download_cifar10() -> Path:
    """Fetch torchvision's archive of CIFAR-10 into the data folder, with progress, and check it; return the folder.

    Raises:
        DataError: where that fails.
    """
    from fop_core.training import cifar10

    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cifar10.download(folder)
    except (OSError, RuntimeError, cifar10.ArchiveError) as error:
        raise DataError(f"CIFAR-10 could not be downloaded to {folder}: {error}") from error
    return folder


def _read_archive(path: Path, test: bool) -> dict[str, DataPart]:
    from fop_core.training import cifar10

    try:
        read = cifar10.read(path, test)
    except cifar10.ArchiveError as error:
        raise DataError(str(error)) from error
    except OSError as error:
        raise DataError(f"{path}: the CIFAR-10 archive cannot be read or unpacked there: {error}") from error
    return {part: DataPart(labels, images) for part, (images, labels) in read.items()}


# folders of images ----------------------------------------------------------------------------------------------------


def _find_folder(config: DataConfig) -> DataSource:
    folder = _folder("data.path", config.path) if config.path else data_folder() / "imagenet"
    if (folder / "train").is_dir() and _classes(folder):
        tested = next((part for part in ("val", "test") if (folder / part).is_dir()), None)
        note = (
            ""
            if tested
            else "no val/ or test/: nothing is measured but on the training set (data.held_out keeps a part)"
        )
        return DataSource(folder.name, folder, "tree", note)
    raise DataError(
        f"no class-per-folder images in {folder}: expected {folder / 'train'}/<class>/<image>, and val/<class>/<image> "
        "beside it. Three ways: give data.path=FOLDER; set FOP_DATA_DIR to a folder with imagenet/train "
        "and imagenet/val; or unpack the ILSVRC2012 archives of image-net.org there, as "
        "torchvision.datasets.ImageNet does."
    )


def _read_tree(path: Path, config: DataConfig, log: Log) -> tuple[dict[str, DataPart], list[str], list[str]]:
    classes = _classes(path)
    tested = next((part for part in ("val", "test") if (path / part).is_dir()), None)
    listed = {"train": _list(path / "train", classes)}
    if tested:
        extra = [name for name in _folders(path / tested) if name not in classes]
        if extra:
            raise DataError(f"{path / tested} has classes that train/ lacks: {', '.join(extra[:5])}")
        listed["test"] = _list(path / tested, classes)
    for part, (paths, _) in listed.items():
        if not paths:
            folder = path / ("train" if part == "train" else str(tested))
            raise DataError(f"{folder}: no images in its classes' folders: {folder}/<class>/*{', *'.join(EXTENSIONS)}")
    size = config.image_size
    total = sum(len(paths) for paths, _ in listed.values()) * size * size * 3
    if config.storage == "stream" or (config.storage == "auto" and total > IN_MEMORY):
        if config.augmentation == "crop_flip":
            raise DataError(f"{path}: {formatting.size(total)} are streamed, and crop_flip is for images in memory")
        return {part: DataPart(labels, paths=paths) for part, (paths, labels) in listed.items()}, classes, []
    if config.held_out:
        listed.pop("test", None)  # what is tuned reads no image of it

    parts, corrupt = {}, []
    for part, (paths, labels) in listed.items():
        parts[part], bad = _decoded(path, part, paths, labels, size, log)
        corrupt += bad
    return parts, classes, corrupt


def _decoded(
    path: Path, part: str, paths: list[Path], labels: Array, size: int, log: Log
) -> tuple[DataPart, list[str]]:
    """Return the images of a part, from its cache where it has one, and the files that cannot be decoded."""
    # What the cache is known by: the files' names, sizes and times, and what is made of them.
    cache = _cache(path, part, paths, labels, size)
    if cache is not None and cache.exists():
        try:
            arrays, about = files.read_arrays(cache)
            return DataPart(arrays["labels"], arrays["images"]), about["corrupt"]
        except (files.DamagedFile, KeyError, OSError) as error:
            log(f"the cache is unusable and is made again: {error}")
    log(f"decoding {len(paths):,} images of {path / part}; this happens once")
    images, good, bad = _decode_all(paths, size, log)
    kept, corrupt = DataPart(labels[good], images[good]), [str(file.relative_to(path)) for file in bad]
    if cache is not None and kept.images is not None:
        try:
            cache.parent.mkdir(exist_ok=True)
            files.write_arrays(cache, {"images": kept.images, "labels": kept.labels}, {"corrupt": corrupt})
        except (OSError, ValueError) as error:  # no room, or more than such a file holds
            log(f"the decoded images are not cached: {error}")
    return kept, corrupt


def _list(path: Path, classes: list[str]) -> tuple[list[Path], Array]:
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        if not (path / name).is_dir():
            continue
        images = sorted(path / name / file for file in os.listdir(path / name) if file.lower().endswith(EXTENSIONS))
        paths += images
        labels += [label] * len(images)
    return paths, np.array(labels, np.int64)


def _cache(path: Path, part: str, paths: list[Path], labels: Array, size: int) -> Path | None:
    """Return where the decoded images of a part are kept, or None where the data's folder cannot be written to."""
    if not os.access(path, os.W_OK):
        return None
    digest = hashlib.sha256(f"3 {size}".encode())
    digest.update(part.encode())
    digest.update(labels.tobytes())  # a file may have moved to another class
    for file in paths:
        try:
            about = file.stat()
            digest.update(f"{file.name} {about.st_size} {about.st_mtime_ns}".encode())
        except OSError:  # a link to nothing: it is left out, and counted, where it is decoded
            digest.update(f"{file.name} is not there".encode())
    return path / ".fop-cache" / f"{digest.hexdigest()[:16]}.safetensors"


def _decode_all(paths: list[Path], size: int, log: Log) -> tuple[Array, Array, list[Path]]:
    """Return uint8 [N, size, size, 3], which of them are good, and the files of those that are not."""
    images = np.zeros((len(paths), size, size, 3), np.uint8)
    good = np.ones(len(paths), bool)

    def decode_one(index: int) -> None:
        try:
            images[index] = decode(paths[index], size)
        except DataError:
            good[index] = False

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # PIL decodes outside Python's lock
        for done, _ in enumerate(pool.map(decode_one, range(len(paths)), chunksize=64), start=1):
            if done % 10_000 == 0:
                log(f"  {done:,} of {len(paths):,}")
    return images, good, [path for path, fine in zip(paths, good) if not fine]


def decode(path: Path, size: int | None) -> Array:
    """Return an image's pixels, uint8 [H, W, 3]; with ``size`` the middle square of it, scaled to [size, size, 3].

    Raises:
        DataError: where it cannot be decoded.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with files.opened(path) as content, Image.open(content) as file:  # a pipe would be waited for
            image: Image.Image = file
            if image.mode.startswith("I;16"):  # convert would cut all above 255 off; of colours it keeps the high byte
                image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
            image = image.convert("RGB")
            if size is None or image.size == (size, size):
                return np.asarray(image)
            side = min(image.size)
            left, top = (image.width - side) // 2, (image.height - side) // 2
            box = (left, top, left + side, top + side)
            return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
    except files.DamagedFile as error:
        raise DataError(str(error)) from error
    except UnidentifiedImageError as error:  # its own words name the open file, another one each time
        raise DataError(f"{path}: cannot identify image file") from error
    except MemoryError:
        raise  # that is not the file's fault
    except Exception as error:  # PIL's readers have no one kind of error for damaged files
        raise DataError(f"{path}: {str(error) or type(error).__name__}") from error


def count(config: DataConfig) -> tuple[int, int]:
    """Return the classes and the images to train on of a data set, without decoding it.

    Raises:
        DataError: where it is missing or unfit.
    """
    source = find(config)
    _refuse_own(source)
    if source.kind == "idx":
        classes, images = 10, _idx_count(source.path)
    elif source.kind == "archive":
        classes, images = len(CIFAR10_CLASSES), 50_000
    else:
        names = _classes(source.path)
        classes, images = len(names), len(_list(source.path / "train", names)[0])
    if config.limit is not None:
        _check_limit(source, config.limit, classes)
        images = min(images, config.limit)
    return classes, images - (max(1, round(config.held_out * images)) if config.held_out else 0)


def _classes(path: Path) -> list[str]:
    return _folders(path / "train")


def _folders(path: Path) -> list[str]:
    """Return the names of the folders in one, but for hidden ones, as .ipynb_checkpoints."""
    return sorted(entry.name for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith("."))
