"""Where images come from, and what is said where they do not."""

import gzip
import hashlib
import os
import pickle
import shutil
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fop_core.runs import files
from fop_core.training import datasets
from fop_core.training.config import DataConfig, change, preset
from fop_core.training.datasets import DataError
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.training import tiny


def cifar(path, **changes):
    return DataConfig(name="cifar10", image_size=32, path=str(path), **changes)


@pytest.fixture
def data(tmp_path):
    return tiny.cifar10(tmp_path / "sets", train=3, test=2)


def test_mnist_is_there_from_the_files_that_ship(monkeypatch, tmp_path):
    for folder in (None, tmp_path):  # also where FOP_DATA_DIR has other sets only
        monkeypatch.delenv("FOP_DATA_DIR", raising=False)
        if folder:
            monkeypatch.setenv("FOP_DATA_DIR", str(folder))
        dataset = datasets.load(DataConfig())
        assert dataset.train.images.shape == (60_000, 28, 28, 1)
        assert dataset.test.images.shape == (10_000, 28, 28, 1)
        assert dataset.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert hashlib.md5(dataset.test.labels.astype(np.uint8)).hexdigest() == hashlib.md5(_labels()).hexdigest()
        assert datasets.count(DataConfig()) == (10, 60_000)
        assert datasets.count(DataConfig(held_out=0.1)) == (10, 54_000)
        assert dataset.train.labels[-1] == 8 and dataset.test.labels[:5].tolist() == [7, 2, 1, 0, 4]
        digest = hashlib.sha256(dataset.train.images[0].tobytes()).hexdigest()
        assert digest[:16] == "23ceaef5eb61f0e7"


def test_the_held_out_images_are_those_of_the_runs_that_were_kept():
    dataset = datasets.load(DataConfig(held_out=0.1))
    assert (len(dataset.train), len(dataset.test)) == (54_000, 6000)
    assert hashlib.sha256(dataset.test.labels.tobytes()).hexdigest()[:16] == "91870a44e42df4bd"


def _labels():
    return gzip.decompress((datasets._SHIPPED / "MNIST/raw/t10k-labels-idx1-ubyte.gz").read_bytes())[8:]


def idx(array, ndim=None, kind=8):
    head = bytes([0, 0, kind, array.ndim if ndim is None else ndim])
    return head + b"".join(size.to_bytes(4, "big") for size in array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def mnist(tmp_path):
    """A small MNIST: 6 images to learn from, 2 to measure on, packed."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, count in (("train", 6), ("t10k", 2)):
        images = np.random.default_rng(0).integers(256, size=(count, 28, 28))
        for name, array in (("images-idx3", images), ("labels-idx1", np.arange(count))):
            (raw / f"{part}-{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    return raw


@pytest.mark.parametrize("subfolder", ["MNIST/raw", "raw", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_mnist_is_found_where_torchvision_puts_it_packed_or_not(mnist, tmp_path, subfolder, packed):
    folder = tmp_path / "elsewhere"
    (folder / subfolder).mkdir(parents=True, exist_ok=True)
    for file in mnist.iterdir():
        content = file.read_bytes() if packed else gzip.decompress(file.read_bytes())
        (folder / subfolder / (file.name if packed else file.stem)).write_bytes(content)
    settings = DataConfig(path=str(folder))
    dataset = datasets.load(settings)
    assert (dataset.train.labels.tolist(), dataset.test.labels.tolist()) == ([0, 1, 2, 3, 4, 5], [0, 1])
    assert datasets.count(settings) == (10, 6)


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (IMAGES, lambda whole: whole[: len(whole) // 2]),
        (IMAGES, lambda whole: b""),
        (IMAGES, lambda whole: b"no gz at all"),
        (IMAGES, lambda whole: whole[:500] + b"\xff" * 50 + whole[550:]),
        (IMAGES, lambda whole: whole[:10] + b"\xff" * 50 + whole[60:]),
        (IMAGES, lambda whole: gzip.compress(b"")),
        (IMAGES, lambda whole: gzip.compress(gzip.decompress(whole)[:-1])),
        (IMAGES, lambda whole: gzip.compress(idx(np.zeros((6, 20, 20))))),
        (IMAGES, lambda whole: gzip.compress(idx(np.zeros((6, 784))))),
        (IMAGES, lambda whole: gzip.compress(idx(np.zeros((6, 28, 28)), kind=13))),
        (LABELS, lambda whole: gzip.compress(idx(np.zeros(5)))),
        (LABELS, lambda whole: gzip.compress(idx(np.zeros((6, 28, 28))))),
        (LABELS, lambda whole: gzip.compress(idx(np.full(6, 10)))),
        (LABELS, lambda whole: whole[:-9]),
    ],
)
def test_a_damaged_mnist_file_is_named(mnist, tmp_path, name, content):
    file = mnist / name
    file.write_bytes(content(file.read_bytes()))
    with pytest.raises(DataError, match=rf"{name} is damaged .*put the original file there again"):
        datasets.load(DataConfig(path=str(tmp_path)))


@pytest.mark.parametrize("count", [6, 2**31])
def test_no_more_of_a_packed_file_is_unpacked_than_its_head_says_and_memory_has(mnist, tmp_path, count):
    """0.1 MB on the disk become 100 MB."""
    head = idx(np.zeros((0, 28, 28)))[:4] + count.to_bytes(4, "big") + idx(np.zeros((0, 28, 28)))[8:]
    with gzip.open(mnist / IMAGES, "wb", compresslevel=9) as file:
        file.write(head)
        for _ in range(100):
            file.write(bytes(1 << 20))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=f"{IMAGES} is damaged"):
            datasets.load(DataConfig(path=str(tmp_path)))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_images_that_are_too_many_are_not_kept_for_others(mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "KEPT", 6 * 784 - 1)
    with pytest.raises(DataError, match="4,704 bytes, of which 4,703 can be taken"):
        datasets.keep(DataConfig(path=str(tmp_path)))
    assert len(datasets.load(DataConfig(path=str(tmp_path))).train.labels) == 6


@pytest.mark.parametrize("content", [b"", b"no gz at all", gzip.compress(b"\0\0", mtime=0)])
def test_a_damaged_mnist_file_is_not_counted_either(mnist, tmp_path, content):
    (mnist / LABELS).write_bytes(content)
    with pytest.raises(DataError, match=f"{LABELS} is damaged"):
        datasets.count(DataConfig(path=str(tmp_path)))


def test_an_mnist_of_which_a_file_is_missing_is_not_there(mnist, tmp_path):
    (mnist / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="FOP_DATA_DIR"):
        datasets.find(DataConfig(path=str(tmp_path)))


def test_what_is_missing_is_said_with_the_ways_to_get_it(tmp_path):
    for settings in (cifar(tmp_path), DataConfig(name="folder", path=str(tmp_path), image_size=64)):
        with pytest.raises(DataError, match="Three ways"):
            datasets.find(settings)


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """CIFAR-10's archive with two images a batch, packed, its md5 sums as torchvision is told; its images, labels."""
    from torchvision.datasets import CIFAR10

    drawn = np.random.default_rng(0)
    inside = tmp_path / "made" / "cifar-10-batches-py"
    inside.mkdir(parents=True)
    sums, kept = {}, []
    for index, name in enumerate([*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"]):
        pixels, labels = drawn.integers(256, size=(2, 3072), dtype=np.uint8), [index, 9]
        kept.append((pixels.reshape(2, 3, 32, 32).transpose(0, 2, 3, 1), labels))
        whole = {"data": pixels, "labels": labels, "label_names": list(datasets.CIFAR10_CLASSES)}
        (inside / name).write_bytes(pickle.dumps(whole))
        sums[name] = hashlib.md5((inside / name).read_bytes()).hexdigest()
    folder = tmp_path / "archive"
    folder.mkdir()
    with tarfile.open(folder / CIFAR10.filename, "w:gz") as file:
        file.add(inside, inside.name)
    monkeypatch.setattr(CIFAR10, "train_list", [[name, sums[name]] for name in list(sums)[:5]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5((folder / CIFAR10.filename).read_bytes()).hexdigest())
    return folder, kept


def _no_network(*arguments, **options):
    raise AssertionError("nobody asked for a download")


def test_the_archive_is_unpacked_and_read(archive, monkeypatch):
    folder, kept = archive
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", _no_network)
    for _ in range(2):  # unpacked already the second time
        dataset = datasets.load(cifar(folder))
        assert (dataset.source.title, dataset.source.kind) == ("CIFAR-10", "archive")
        assert dataset.train.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
        assert dataset.test.labels.tolist() == [5, 9]
        np.testing.assert_array_equal(dataset.train.images, np.concatenate([images for images, _ in kept[:5]]))
        np.testing.assert_array_equal(dataset.test.images, kept[5][0])
    assert dataset.classes == list(datasets.CIFAR10_CLASSES)
    assert datasets.count(cifar(folder)) == (10, 50_000)  # of the real one, which it does not open
    assert datasets.count(cifar(folder, held_out=0.1)) == (10, 45_000)
    assert datasets.count(cifar(folder, limit=20_000, held_out=0.2)) == (10, 16_000)


def test_a_damaged_packed_archive_is_refused_and_not_fetched_anew(archive, monkeypatch):
    folder, _ = archive
    file = folder / "cifar-10-python.tar.gz"
    file.write_bytes(file.read_bytes()[:-10])
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", _no_network)
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz: the CIFAR-10 archive is damaged .*get it again"):
        datasets.load(cifar(folder))
    assert [entry.name for entry in folder.iterdir()] == [file.name]


@pytest.mark.parametrize("harm", ["empty", "pickle", "missing"])
def test_an_archive_that_is_not_the_original_is_refused_unopened(archive, harm):
    folder, _ = archive
    datasets.load(cifar(folder))
    inside = folder / "cifar-10-batches-py"
    if harm == "empty":
        shutil.rmtree(inside)
        inside.mkdir()
    elif harm == "pickle":  # which would make a folder, were it opened
        (inside / "data_batch_1").write_bytes(b"cos\nmkdir\n(V" + str(folder / "opened").encode() + b"\ntR.")
    else:
        (inside / "test_batch").unlink()
    with pytest.raises(DataError, match=r"the CIFAR-10 archive is damaged .*get it again"):
        datasets.load(cifar(folder))
    assert not (folder / "opened").exists()


def test_a_file_of_the_archive_that_is_replaced_after_it_was_checked_is_not_opened(archive, monkeypatch):
    folder, _ = archive
    datasets.load(cifar(folder))
    first = folder / "cifar-10-batches-py" / "data_batch_1"
    evil = first.with_name("evil")
    evil.write_bytes(b"cos\nmkdir\n(V" + str(folder / "opened").encode() + b"\ntR.")
    md5 = hashlib.md5

    class ThenReplaced:
        def __init__(self, *content, **options):
            self.sum = md5(*content, **options)
            self.update = self.sum.update

        def hexdigest(self):
            if evil.exists():
                evil.replace(first)
            return self.sum.hexdigest()

    monkeypatch.setattr(hashlib, "md5", ThenReplaced)
    assert datasets.load(cifar(folder)).train.labels.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    assert not evil.exists() and not (folder / "opened").exists()


def test_nothing_but_arrays_is_made_of_the_archive_even_where_its_sums_are_right(archive, monkeypatch):
    from torchvision.datasets import CIFAR10

    folder, _ = archive
    datasets.load(cifar(folder))
    first = folder / "cifar-10-batches-py" / "data_batch_1"
    first.write_bytes(b"cos\nmkdir\n(V" + str(folder / "opened").encode() + b"\ntR.")
    listed = [["data_batch_1", hashlib.md5(first.read_bytes()).hexdigest()], *CIFAR10.train_list[1:]]
    monkeypatch.setattr(CIFAR10, "train_list", listed)
    with pytest.raises(DataError, match=r"data_batch_1: .* is damaged \(it names os\.mkdir, where arrays alone"):
        datasets.load(cifar(folder))
    assert not (folder / "opened").exists()


@pytest.mark.parametrize("there", ["nothing", "the archive", "a damaged batch"])
def test_what_is_missing_of_the_archive_is_downloaded_and_unpacked(archive, monkeypatch, there):
    folder, _ = archive
    packed = folder / "cifar-10-python.tar.gz"
    kept, fetched = packed.read_bytes(), []
    if there == "a damaged batch":
        datasets.load(cifar(folder))
        (folder / "cifar-10-batches-py" / "test_batch").write_bytes(b"")
    if there != "the archive":
        packed.unlink()

    def fetch(url, file):
        fetched.append(Path(file).write_bytes(kept))

    monkeypatch.setattr("torchvision.datasets.utils._get_redirect_url", lambda url, **_: url)
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", fetch)
    monkeypatch.setenv("FOP_DATA_DIR", str(folder))
    assert datasets.download_cifar10() == folder
    assert len(fetched) == (there != "the archive")
    assert len(datasets.load(cifar(folder)).test.labels) == 2
    monkeypatch.setattr("torchvision.datasets.utils._urlretrieve", _no_network)
    packed.unlink()
    datasets.download_cifar10()  # all of it is there


def test_a_tree_is_read_in_the_order_of_its_names(data):
    dataset = datasets.load(cifar(data))
    assert dataset.classes == list(datasets.CIFAR10_CLASSES)
    assert dataset.train.labels.tolist() == [label for label in range(10) for _ in range(3)]
    with Image.open(data / "train" / "bird" / "0001.png") as image:
        np.testing.assert_array_equal(dataset.train.images[7], np.asarray(image))
    assert (dataset.source.title, dataset.measured_on) == ("CIFAR-10", "test")
    assert datasets.count(cifar(data)) == (10, 30)


def test_results_on_jpeg_files_carry_that_in_their_name(data):
    for file in data.rglob("*.png"):
        Image.open(file).save(file.with_suffix(".jpg"))
        file.unlink()
    (data / "test" / "airplane" / ".DS_Store").write_bytes(b"")
    dataset = datasets.load(cifar(data))
    assert (dataset.source.title, len(dataset.train), len(dataset.test)) == ("CIFAR-10 (JPEG copy)", 30, 20)
    assert "lossy" in dataset.source.note


def test_a_second_reading_takes_the_cache_and_a_change_makes_it_anew(data, monkeypatch):
    first = datasets.load(cifar(data))
    caches = [*(data / ".fop-cache").iterdir()]
    assert len(caches) == 2, "one a part"
    decoded = []
    decode = datasets.decode
    monkeypatch.setattr(datasets, "decode", lambda path, size: decoded.append(path) or decode(path, size))
    again = datasets.load(cifar(data))
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert not decoded
    messages = []
    for cache in caches:
        cache.write_bytes(cache.read_bytes()[:-7])
    datasets.load(cifar(data), messages.append)
    assert len(decoded) == 50 and "unusable" in messages[0]
    os.utime(data / "train" / "cat" / "0000.png", (1, 1))
    datasets.load(cifar(data))
    assert len(decoded) == 80, "what has not changed is not decoded again"


def test_an_image_that_moves_to_another_class_is_relabelled_though_the_list_of_names_stays_the_same(tmp_path):
    for name in ("a/1.png", "a/2.png", "a/3.png", "b/4.png"):
        file = tmp_path / "train" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((32, 32, 3), 9, np.uint8)).save(file)
        os.utime(file, (1, 1))
    settings = DataConfig(name="folder", path=str(tmp_path), image_size=32)
    assert datasets.load(settings).train.labels.tolist() == [0, 0, 0, 1]
    os.rename(tmp_path / "train" / "a" / "3.png", tmp_path / "train" / "b" / "3.png")
    assert datasets.load(settings).train.labels.tolist() == [0, 0, 1, 1]


def test_where_it_may_not_write_nothing_is_cached(data, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert len(datasets.load(cifar(data)).train) == 30
    assert not (data / ".fop-cache").exists()


def test_a_cache_that_cannot_be_written_or_read_is_reported_and_done_without(data, monkeypatch):
    messages = []
    (data / ".fop-cache").write_bytes(b"")  # no folder
    assert len(datasets.load(cifar(data), messages.append).train) == 30
    assert "the decoded images are not cached" in messages[-1]
    (data / ".fop-cache").unlink()
    monkeypatch.setattr(files, "LARGEST_ARRAYS", 1000)
    assert len(datasets.load(cifar(data), messages.append).train) == 30
    assert "not cached" in messages[-1] and "can be read back" in messages[-1]
    monkeypatch.undo()
    datasets.load(cifar(data))

    def refuse(path):
        raise PermissionError(f"{path} is another person's")

    monkeypatch.setattr(files, "read_arrays", refuse)
    assert len(datasets.load(cifar(data), messages.append).train) == 30
    assert any("unusable" in text and "another person's" in text for text in messages)


def test_hidden_folders_are_no_classes(data):
    for part in ("train", "test"):
        (data / part / ".ipynb_checkpoints").mkdir()
    settings = DataConfig(name="folder", path=str(data), image_size=32)
    assert datasets.load(settings).classes == sorted(datasets.CIFAR10_CLASSES)
    assert datasets.count(settings) == datasets.count(cifar(data)) == (10, 30)


def half(whole):
    return whole[: len(whole) // 2]


def test_files_that_are_no_images_are_named_counted_and_left_out(data):
    jpeg = data / "train" / "dog" / "0002.jpg"
    Image.open(data / "train" / "dog" / "0002.png").save(jpeg, quality=95)
    (data / "train" / "dog" / "0002.png").unlink()
    (data / "train" / "cat" / "0001.png").rename(data / "train" / "cat" / "0001.jpg")
    bad = {
        "train/bird/0000.png": lambda whole: b"",
        "train/cat/0001.jpg": lambda whole: b"no image",
        "train/dog/0002.jpg": half,
        "test/ship/0001.png": half,
    }
    for name, change_it in bad.items():
        (data / name).write_bytes(change_it((data / name).read_bytes()))
    (data / "train" / "frog" / "link.png").symlink_to(data / "nowhere.png")
    (data / "train" / "frog" / "folder.png").mkdir()
    (data / "train" / "frog" / "notes.txt").write_bytes(b"no image, and not called one")
    for _ in range(2):  # from the cache too
        dataset = datasets.load(cifar(data))
        assert sorted(dataset.corrupt) == sorted([*bad, "train/frog/link.png", "train/frog/folder.png"])
        assert (len(dataset.train), len(dataset.test)) == (27, 19)
    for file in (data / "train").rglob("*.[pj][np]g"):
        if file.is_file():
            file.write_bytes(b"")
    with pytest.raises(DataError, match="not one image to learn from"):
        datasets.load(cifar(data))


@pytest.mark.usefixtures("watchdog")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_no_image_and_not_waited_on(data, kind):
    path = data / "train" / "frog" / "x.png"
    {"pipe": lambda: os.mkfifo(path), "device": lambda: path.symlink_to("/dev/zero"), "folder": path.mkdir}[kind]()
    with pytest.raises(DataError, match=r"x\.png: no file, but a "):
        datasets.decode(path, 32)
    for storage in ("memory", "auto"):
        assert datasets.load(cifar(data, storage=storage)).corrupt == ["train/frog/x.png"]


def test_where_nothing_to_measure_on_can_be_decoded_that_is_an_error(data):
    for file in (data / "test").rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(DataError, match="not one image to measure on"):
        datasets.load(cifar(data))


@pytest.mark.parametrize("storage", ["memory", "stream"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_part_without_images_in_its_classes_is_an_error_that_shows_where_they_belong(data, part, storage):
    for file in (data / part).rglob("*.png"):
        os.replace(file, data / part / file.name)
    settings = DataConfig(name="folder", path=str(data), image_size=32, storage=storage)
    with pytest.raises(DataError, match=rf"{part}: no images in its classes' folders: .*{part}/<class>/\*\.jpg"):
        datasets.load(settings)


def test_a_reader_that_fails_in_its_own_way_is_a_file_that_cannot_be_decoded(data, monkeypatch):
    def fails(*arguments):
        raise TypeError

    monkeypatch.setattr(Image, "open", fails)
    with pytest.raises(DataError, match=r"0000\.png: TypeError"):
        datasets.decode(data / "train" / "frog" / "0000.png", 32)


def test_want_of_memory_is_not_the_files_fault(data, monkeypatch):
    def fails(*arguments):
        raise MemoryError

    monkeypatch.setattr(Image, "open", fails)
    with pytest.raises(MemoryError):
        datasets.decode(data / "train" / "frog" / "0000.png", 32)


def test_auto_streams_what_is_too_much_for_memory(data, monkeypatch):
    settings = DataConfig(name="folder", path=str(data), image_size=32)
    assert datasets.load(settings).train.paths is None
    monkeypatch.setattr(datasets, "IN_MEMORY", 50 * 32 * 32 * 3 - 1)
    dataset = datasets.load(settings)
    assert dataset.train.images is None and dataset.train.paths[0] == data / "train" / "airplane" / "0000.png"
    assert (len(dataset.train), len(dataset.test)) == (30, 20)
    with pytest.raises(DataError, match="are streamed, and crop_flip is for images in memory"):
        datasets.load(DataConfig(name="folder", path=str(data), image_size=32, augmentation="crop_flip"))
    held = datasets.load(DataConfig(name="folder", path=str(data), image_size=32, held_out=0.2))
    assert (len(held.train), len(held.test)) == (24, 6) == (len(held.train.paths), len(held.test.paths))


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1", "I;16"])
@pytest.mark.parametrize("size", [None, 16])
def test_images_of_every_mode_become_rgb(tmp_path, mode, size):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :15] = 255 if mode == "1" else 204  # which palettes have
    picture = Image.fromarray(pixels)
    if mode == "I;16":
        picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)  # white is 65535
    elif mode != "RGB":
        picture = picture.convert(mode)
    file = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    picture.save(file)
    assert Image.open(file).mode == mode
    read = datasets.decode(file, size)
    assert read.shape == ((20, 30, 3) if size is None else (16, 16, 3)) and read.dtype == np.uint8
    middle = read.shape[1] // 2
    assert (read[:, : middle - 1] == pixels[0, 0]).all() and (read[:, middle + 1 :] == 0).all()


def test_colours_stay_where_they_are(tmp_path):
    for name, mode in (("a.png", "RGB"), ("b.png", "RGBA"), ("c.png", "P"), ("d.tif", "CMYK"), ("e.bmp", "RGB")):
        Image.fromarray(np.full((8, 8, 3), (255, 102, 0), np.uint8)).convert(mode).save(tmp_path / name)
        assert (datasets.decode(tmp_path / name, 8) == (255, 102, 0)).all(), name


def test_a_large_image_is_the_middle_square_scaled(tmp_path):
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    middle = datasets.decode(tmp_path / "wide.png", 20)
    assert (middle[:, 1:-1] == 255).all()  # the filter looks a little beyond the edge
    assert (middle > 200).all()


def test_a_held_out_part_is_one_for_all_and_takes_the_tests_place(data):
    dataset = datasets.load(cifar(data, held_out=0.2))
    assert (len(dataset.train), len(dataset.test), dataset.measured_on) == (24, 6, "held_out")
    whole = datasets.load(cifar(data)).train.images
    kept = np.concatenate([dataset.train.images, dataset.test.images])
    assert sorted(image.tobytes() for image in kept) == sorted(image.tobytes() for image in whole)
    again = datasets.load(cifar(data, held_out=0.2))
    np.testing.assert_array_equal(dataset.test.images, again.test.images)
    assert datasets.count(cifar(data, held_out=0.2)) == (10, 24)


def test_of_one_image_nothing_can_be_held_out(tmp_path):
    (tmp_path / "train" / "a").mkdir(parents=True)
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "train" / "a" / "0.png")
    with pytest.raises(DataError, match="of one image nothing can be held out"):
        datasets.load(DataConfig(name="folder", path=str(tmp_path), image_size=32, held_out=0.5))


def test_held_out_images_are_the_same_whatever_the_seed_and_never_the_tests(data):
    settings = [
        change(preset("cifar10-allcnn"), [f"data.path={data}", "data.held_out=0.5", f"seed={s}"]) for s in (0, 7)
    ]
    one, two = (datasets.load(each.data) for each in settings)
    np.testing.assert_array_equal(one.test.images, two.test.images)
    tests = {image.tobytes() for image in datasets.load(cifar(data)).test.images}
    for part in (one.train, one.test):
        assert not tests & {image.tobytes() for image in part.images}


def test_where_images_are_held_out_no_test_image_is_read(data, tmp_path):
    for image in (data / "test").glob("*/*"):
        image.write_bytes(b"this can be decoded by nobody")
    held = datasets.load(cifar(data, held_out=0.2))
    assert not held.corrupt and len(held.test) == 6
    with pytest.raises(DataError, match="measure on"):
        datasets.load(cifar(data))


def test_where_images_of_mnist_are_held_out_the_test_set_is_not_read(tmp_path):
    for file in (datasets.data_folder() / "MNIST" / "raw").iterdir():
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "t10k-images-idx3-ubyte.gz").unlink()
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(b"damaged")
    assert len(datasets.load(DataConfig(path=str(tmp_path), held_out=0.1)).test) == 6000
    with pytest.raises(DataError, match="t10k-images"):
        datasets.load(DataConfig(path=str(tmp_path)))


def pixels(part):
    return {image.tobytes() for image in part.images}


@pytest.mark.parametrize("limit", [10, 20, 25, 30, 99])
def test_a_limit_takes_as_many_images_of_each_class_always_the_same_and_keeps_the_test_set(data, limit):
    whole, dataset, again = (datasets.load(cifar(data, limit=each)) for each in (None, limit, limit))
    counts = np.bincount(dataset.train.labels, minlength=10)
    assert counts.sum() == min(limit, 30) == datasets.count(cifar(data, limit=limit))[1]
    assert np.ptp(counts) == (limit == 25)
    assert pixels(dataset.train) <= pixels(whole.train) and len(pixels(dataset.train)) == len(dataset.train)
    np.testing.assert_array_equal(dataset.train.images, again.train.images)
    assert pixels(datasets.load(cifar(data, limit=10)).train) <= pixels(dataset.train)
    assert dataset.train.labels.tolist() == sorted(dataset.train.labels), "in the order of the whole set"
    np.testing.assert_array_equal(dataset.test.images, whole.test.images)


def test_where_a_class_has_too_few_images_the_others_fill_up():
    labels = np.array([0, 1, 1, 1, 1, 1, 2, 2])
    for most, counts in ((3, [1, 1, 1]), (5, [1, 2, 2]), (7, [1, 4, 2]), (8, [1, 5, 2]), (100, [1, 5, 2])):
        chosen = datasets.balanced(labels, most)
        assert np.bincount(labels[chosen]).tolist() == counts
        assert chosen.tolist() == sorted(set(chosen.tolist()))
    assert datasets.balanced(np.repeat([0, 1], 50), 4).tolist() != [0, 1, 50, 51], "not the first ones"


def test_what_is_held_out_is_a_part_of_the_limit(data):
    limited, dataset = (datasets.load(cifar(data, limit=20, held_out=share)) for share in (0, 0.2))
    assert (len(dataset.train), len(dataset.test), dataset.measured_on) == (16, 4, "held_out")
    assert pixels(dataset.train) | pixels(dataset.test) == pixels(limited.train)
    assert datasets.count(cifar(data, limit=20, held_out=0.2)) == (10, 16)


def test_a_limit_takes_the_same_images_streamed_and_in_memory(data):
    memory, stream = (
        datasets.load(DataConfig(name="folder", path=str(data), image_size=32, limit=15, storage=storage))
        for storage in ("memory", "stream")
    )
    assert stream.train.images is None and memory.train.labels.tolist() == stream.train.labels.tolist()
    for image, path in zip(memory.train.images, stream.train.paths, strict=True):
        np.testing.assert_array_equal(image, datasets.decode(path, 32))


def test_of_mnist_a_limit_takes_as_many_of_each_digit():
    settings = DataConfig(limit=1000)
    assert np.bincount(datasets.load(settings).train.labels).tolist() == [100] * 10
    assert datasets.count(settings) == (10, 1000)
    assert datasets.find(settings).note == "at most 1,000 of its training images, as many of each class"


def test_a_limit_below_the_number_of_classes_is_refused(data):
    settings = DataConfig(name="folder", path=str(data), image_size=32, limit=9)
    for read in (datasets.load, datasets.count):
        with pytest.raises(DataError, match=r"has 10 classes: give at least 10 as data\.limit, not 9"):
            read(settings)


def test_standard_scales_by_the_training_sets_own_mean_and_deviation(data):
    dataset = datasets.load(cifar(data, normalize="standard"))
    np.testing.assert_allclose(dataset.mean, dataset.train.images.mean((0, 1, 2)))
    np.testing.assert_allclose(dataset.std, dataset.train.images.std((0, 1, 2)))
    held = datasets.load(cifar(data, normalize="standard", held_out=0.2))  # not of what is measured on
    np.testing.assert_allclose(held.mean, held.train.images.mean((0, 1, 2)))
    unit = datasets.load(cifar(data))
    assert (unit.mean.tolist(), unit.std.tolist()) == ([0], [255])


def test_one_colour_throughout_is_not_divided_by_its_deviation_of_0(data):
    for file in data.rglob("*.png"):
        Image.fromarray(np.full((32, 32, 3), 7, np.uint8)).save(file)
    dataset = datasets.load(cifar(data, normalize="standard"))
    assert (dataset.mean.tolist(), dataset.std.tolist()) == ([7, 7, 7], [1, 1, 1])


def test_streamed_images_are_scaled_as_imagenets(data):
    dataset = datasets.load(change(preset("imagefolder"), [f"data.path={data}"]).data)
    np.testing.assert_allclose(dataset.mean / 255, [0.485, 0.456, 0.406])
    np.testing.assert_allclose(dataset.std / 255, [0.229, 0.224, 0.225])


def test_a_class_that_training_lacks_is_an_error(data):
    (data / "test" / "zebra").mkdir()
    settings = DataConfig(name="folder", path=str(data), image_size=32)
    with pytest.raises(DataError, match="zebra"):
        datasets.load(settings)


def test_without_val_it_says_that_nothing_is_measured(data):
    shutil.rmtree(data / "test")
    settings = change(preset("imagefolder"), [f"data.path={data}"]).data
    assert "held_out" in datasets.find(settings).note
    assert datasets.load(settings).test is None
