"""Where images come from, and what is said where they do not."""

import gzip
import hashlib
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from fop_core.training import datasets
from fop_core.training.config import DataConfig, change, preset
from fop_core.training.datasets import DataError
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
        found = datasets.load(DataConfig())
        assert found.train.images.shape == (60_000, 28, 28, 1)
        assert found.test.images.shape == (10_000, 28, 28, 1)
        assert found.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
        assert hashlib.md5(found.test.labels.astype(np.uint8)).hexdigest() == hashlib.md5(_labels()).hexdigest()
        assert datasets.count(DataConfig()) == (10, 60_000)


def _labels():
    return gzip.decompress((datasets._SHIPPED / "MNIST/raw/t10k-labels-idx1-ubyte.gz").read_bytes())[8:]


def test_a_damaged_mnist_file_is_named(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    shutil.copytree(datasets._SHIPPED / "MNIST" / "raw", raw)
    file = raw / "train-images-idx3-ubyte.gz"
    for plain in raw.glob("*-ubyte"):
        plain.unlink()
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged"):
        datasets.load(DataConfig(path=str(tmp_path)))


def test_what_is_missing_is_said_with_the_ways_to_get_it(tmp_path):
    for settings in (cifar(tmp_path), DataConfig(name="folder", path=str(tmp_path), image_size=64)):
        with pytest.raises(DataError, match="Three ways"):
            datasets.find(settings)


def test_an_archive_that_is_none_is_refused(tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(DataError, match="archive is damaged"):
        datasets.load(cifar(tmp_path))


def test_a_tree_is_read_in_the_order_of_its_names(data):
    found = datasets.load(cifar(data))
    assert found.classes == list(datasets.CIFAR10_CLASSES)
    assert found.train.labels.tolist() == [label for label in range(10) for _ in range(3)]
    with Image.open(data / "train" / "bird" / "0001.png") as image:
        np.testing.assert_array_equal(found.train.images[7], np.asarray(image))
    assert (found.source.title, found.measured_on) == ("CIFAR-10", "test")
    assert datasets.count(cifar(data)) == (10, 30)


def test_results_on_jpeg_files_carry_that_in_their_name(data):
    for file in data.rglob("*.png"):
        Image.open(file).save(file.with_suffix(".jpg"))
        file.unlink()
    assert datasets.find(cifar(data)).title == "CIFAR-10 (JPEG copy)"


def test_a_second_reading_takes_the_cache_and_a_change_makes_it_anew(data, monkeypatch):
    first = datasets.load(cifar(data))
    (cache,) = (data / ".fop-cache").iterdir()
    decoded = []
    decode = datasets.decode
    monkeypatch.setattr(datasets, "decode", lambda path, size: decoded.append(path) or decode(path, size))
    again = datasets.load(cifar(data))
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert not decoded
    said = []
    cache.write_bytes(cache.read_bytes()[:-7])
    datasets.load(cifar(data), said.append)
    assert len(decoded) == 50 and "unusable" in said[0]
    os.utime(data / "train" / "cat" / "0000.png", (1, 1))
    datasets.load(cifar(data))
    assert len(decoded) == 100


def test_files_that_are_no_images_are_named_counted_and_left_out(data):
    bad = {"train/bird/0000.png": b"", "train/cat/0001.png": b"no image", "test/ship/0001.png": None}
    for name, content in bad.items():
        whole = (data / name).read_bytes()
        (data / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    for _ in range(2):  # from the cache too
        found = datasets.load(cifar(data))
        assert sorted(found.corrupt) == sorted(bad)
        assert (len(found.train), len(found.test)) == (28, 19)
    for file in (data / "train").rglob("*.png"):
        file.write_bytes(b"")
    with pytest.raises(DataError, match="not one image"):
        datasets.load(cifar(data))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1", "I;16"])
def test_images_of_every_mode_become_rgb(tmp_path, mode):
    pixels = Image.fromarray(np.full((20, 30), 200, np.uint8))
    picture = Image.fromarray(np.full((20, 30), 200, np.uint16)) if mode == "I;16" else pixels.convert(mode)
    file = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    picture.save(file)
    assert datasets.decode(file, None).shape == (20, 30, 3)
    assert datasets.decode(file, 16).shape == (16, 16, 3)


def test_a_large_image_is_the_middle_square_scaled(tmp_path):
    pixels = np.zeros((40, 100, 3), np.uint8)
    pixels[:, 30:70] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    middle = datasets.decode(tmp_path / "wide.png", 20)
    assert (middle[:, 1:-1] == 255).all()  # the filter looks a little beyond the edge
    assert (middle > 200).all()


def test_a_held_out_part_is_one_for_all_and_takes_the_tests_place(data):
    found = datasets.load(cifar(data, held_out=0.2))
    assert (len(found.train), len(found.test), found.measured_on) == (24, 6, "held_out")
    whole = datasets.load(cifar(data)).train.images
    kept = np.concatenate([found.train.images, found.test.images])
    assert sorted(image.tobytes() for image in kept) == sorted(image.tobytes() for image in whole)
    again = datasets.load(cifar(data, held_out=0.2))
    np.testing.assert_array_equal(found.test.images, again.test.images)
    assert datasets.count(cifar(data, held_out=0.2)) == (10, 24)


def test_standard_scales_by_the_training_sets_own_mean_and_deviation(data):
    found = datasets.load(cifar(data, normalize="standard"))
    np.testing.assert_allclose(found.mean, found.train.images.mean((0, 1, 2)))
    np.testing.assert_allclose(found.std, found.train.images.std((0, 1, 2)))


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
