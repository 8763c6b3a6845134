"""What a step sees follows from seed, epoch and step alone."""

import hashlib
import itertools
import multiprocessing
import os

import numpy as np
import pytest
import torch

from fop_core.training import batches, datasets
from fop_core.training.config import change, preset
from tests.training import tiny

CPU = torch.device("cpu")
VARIANTS = {
    "none": ["data.augmentation=none"],
    "flip": ["data.augmentation=flip"],
    "crop_flip": [],
    "stream": ["data.name=folder", "data.storage=stream", "data.augmentation=resized_crop"],
    "stream, two workers": [
        "data.name=folder",
        "data.storage=stream",
        "data.augmentation=resized_crop",
        "data.workers=2",
    ],
    "stream, flip": ["data.name=folder", "data.storage=stream", "data.augmentation=flip", "data.workers=1"],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.cifar10(tmp_path_factory.mktemp("batches"), train=5, test=3)


def feed(data, *settings, report=lambda name: None):
    chosen = change(preset("cifar10-allcnn-small"), ["batch_size=16", f"data.path={data}", *settings])
    return batches.feed(datasets.load(chosen.data), chosen, CPU, report)


def whole(feed, epoch, start=0):
    return [(images.clone(), labels.clone()) for images, labels in feed.epoch(epoch, start)]


@pytest.mark.parametrize("kind", VARIANTS)
def test_an_epoch_entered_in_the_middle_is_the_rest_of_the_whole_one(data, kind):
    fed = feed(data, *VARIANTS[kind])
    for epoch in (0, 3):
        expected = whole(fed, epoch)
        assert len(expected) == fed.steps_in_epoch == 4  # 50 images: 16, 16, 16, 2
        for start in (1, 3):
            for (images, labels), (again, those) in zip(expected[start:], whole(fed, epoch, start), strict=True):
                assert torch.equal(images, again) and torch.equal(labels, those)


def test_how_many_workers_read_changes_nothing(data):
    one, two = (whole(feed(data, *VARIANTS[kind]), 1) for kind in ("stream", "stream, two workers"))
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(one, two, strict=True))


def test_every_image_comes_once_an_epoch_in_another_order_each_time(data):
    orders = [batches.order(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(50))
    assert len({tuple(order.tolist()) for order in orders}) == 4


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("count", "seed", "epoch", "expected"),
    [(60_000, 0, 0, "a362f3b70070a601"), (50_000, 0, 0, "76aaadcc936860b7"), (50_000, 3, 149, "3d597c8e2afc0f94")],
)
def test_the_orders_are_those_of_the_runs_that_were_kept(count, seed, epoch, expected):
    assert batches.order(10, 0, 0).tolist() == [7, 0, 9, 2, 1, 3, 8, 4, 6, 5]
    assert digest(batches.order(count, seed, epoch).numpy()) == expected


def test_the_first_batches_of_mnist_are_those_of_the_runs_that_were_kept():
    settings = preset("mnist-mlp")
    fed = batches.feed(datasets.load(settings.data), settings, CPU, print)
    for epoch, labels, images in (
        (0, "453255c6e62439bf", "5553e274513f0598"),
        (1, "8051230a7d8d6196", "f75fded998299360"),
    ):
        pairs = list(itertools.islice(fed.epoch(epoch), 10))
        assert digest(torch.cat([t for _, t in pairs]).numpy()) == labels
        assert digest(torch.cat([i for i, _ in pairs]).numpy()) == images


AS_KEPT = {
    "flip": ("7cce1d255de39db6", [107.5048828125, 42.66796875, 129.4485626220703]),
    "crop_flip": ("e22dadee875f656e", [97.74739837646484, 34.0537109375, 113.6025390625]),
    "stream, flip": ("e10eb25ae9f010b5", [107.5048828125, 42.66796875, 129.4485626220703]),
    "stream": (None, [108.10904693603516, 42.5263671875, 129.9723358154297]),  # its resizing may round otherwise
}


@pytest.mark.parametrize("kind", AS_KEPT)
def test_what_is_cropped_and_flipped_is_as_in_the_runs_that_were_kept(data, kind):
    images, labels = whole(feed(data, *VARIANTS[kind], "data.normalize=unit"), 1)[2]
    pixels = (images * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
    expected, means = AS_KEPT[kind]
    assert labels.tolist() == [4, 1, 5, 2, 8, 9, 8, 3, 3, 3, 2, 7, 2, 2, 3, 7]
    assert pixels[:3].float().mean((1, 2, 3)).tolist() == pytest.approx(means, rel=1e-3)
    assert expected in (None, digest(pixels.numpy()))


@pytest.mark.parametrize("kind", VARIANTS)
def test_an_epoch_leaves_torchs_own_random_numbers_as_they_are(data, kind):
    fed = feed(data, *VARIANTS[kind])
    before = torch.get_rng_state()
    whole(fed, 0)
    list(fed.test())
    assert torch.equal(torch.get_rng_state(), before)


def test_streamed_images_are_those_of_memory_where_nothing_is_augmented(data):
    plain = ["data.name=folder", "data.augmentation=none", "data.normalize=unit"]
    feeds = [feed(data, *plain, f"data.storage={storage}") for storage in ("memory", "stream")]
    assert [type(fed) for fed in feeds] == [batches.Memory, batches.Stream]
    for one, other in ((whole(fed, 2) for fed in feeds), (list(fed.test()) for fed in feeds)):
        for index in (0, 1):
            assert torch.equal(torch.cat([b[index] for b in one]), torch.cat([b[index] for b in other]))


def ramps(count):
    """Images whose pixels tell where they came from: rows from 1 in green, columns from 1 in blue; 0 is outside."""
    images = np.zeros((count, 16, 16, 3), np.uint8)
    images[..., 1] = 1 + np.arange(16)[:, None]
    images[..., 2] = 1 + np.arange(16)
    part = datasets.DataPart(np.arange(count) % 10, images)
    source = datasets.DataSource("ramps", datasets.Path("."), "tree")
    return datasets.Dataset(source, list("abcdefghij"), part, None, "test", np.zeros(1), np.ones(1))


@pytest.mark.parametrize("augmentation", ["flip", "crop_flip"])
def test_about_half_of_the_images_are_flipped_each_by_itself(augmentation):
    settings = change(preset("cifar10-allcnn-small"), ["batch_size=500", f"data.augmentation={augmentation}"])
    flipped = []
    for images, _ in batches.feed(ramps(2000), settings, CPU, print).epoch(0):
        flipped.append((images[:, 2, 8, 7] > images[:, 2, 8, 8]).tolist())
        assert 200 < sum(flipped[-1]) < 300  # of 500; the deviation is 11
    assert len({tuple(each) for each in flipped}) == 4


def test_crops_move_by_up_to_an_eighth_either_way_as_often_each():
    settings = change(preset("cifar10-allcnn-small"), ["batch_size=2000"])
    images, _ = next(iter(batches.feed(ramps(2000), settings, CPU, print).epoch(0)))
    shifted = images[:, 1, 8, 8].int() - 9  # the row it came from, less the one where it is
    counts = torch.bincount(shifted + 2, minlength=5)
    assert len(counts) == 5
    assert all(300 < count < 500 for count in counts.tolist())  # of 2000; the deviation is 18


@pytest.mark.parametrize("kind", ["stream, flip", "stream"])
def test_about_half_of_the_streamed_images_are_flipped(kind, monkeypatch):
    settings = change(preset("imagefolder"), ["data.image_size=16", *VARIANTS[kind]])
    monkeypatch.setattr(datasets, "decode", lambda path, size: ramps(1).train.images[0])
    part = datasets.DataPart(np.zeros(300, np.int64), paths=[datasets.Path("x")] * 300)
    files = batches._Files(part, settings, 1)
    flipped = [bool(image[8, 0, 2] > image[8, -1, 2]) for image, _, _ in map(files.__getitem__, range(300))]
    assert 115 < sum(flipped) < 185  # of 300; the deviation is 9


def test_crops_and_flips_are_a_naive_loops(data):
    fed = feed(data)
    images = fed.data.train.images
    chosen = batches.order(50, 0, 2)[16:32]
    step = 2 * 4 + 1
    generator = torch.Generator().manual_seed(batches._mix(0, 1, step))
    drawn = torch.rand(3, 16, 1, generator=generator).numpy()[:, :, 0]
    expected = []
    for position, index in enumerate(chosen.tolist()):
        padded = np.zeros((40, 40, 3), np.uint8)
        padded[4:36, 4:36] = images[index]
        down, right = int(drawn[1, position] * 9), int(drawn[2, position] * 9)
        cut = padded[down : down + 32, right : right + 32]
        expected.append(cut if drawn[0, position] < 0.5 else cut[:, ::-1])
    inputs, labels = whole(fed, 2)[1]
    scaled = (np.stack(expected) - fed.data.mean) / fed.data.std
    np.testing.assert_allclose(inputs.numpy(), scaled.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
    assert labels.tolist() == fed.data.train.labels[chosen].tolist()


def test_images_come_as_float32_with_channels_last_in_memory(data):
    images, labels = next(feed(data).epoch(0))
    assert images.shape == (16, 3, 32, 32) and images.dtype == torch.float32 and labels.dtype == torch.int64
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_unit_pixels_lie_between_0_and_1(data):
    fed = feed(data, "data.normalize=unit", "data.augmentation=none")
    images, _ = whole(fed, 0)[0]
    pixels = fed.data.train.images[batches.order(50, 0, 0)[:16]]
    np.testing.assert_allclose(images.numpy().transpose(0, 2, 3, 1), pixels / 255, rtol=1e-6)
    assert images.max() == 1


def test_standard_pixels_have_mean_0_and_deviation_1(data):
    images = torch.cat([i for i, _ in whole(feed(data, "data.augmentation=none"), 0)])
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)


@pytest.mark.parametrize("kind", VARIANTS)
def test_what_is_measured_on_comes_whole_in_order_and_unchanged(data, kind):
    fed = feed(data, *VARIANTS[kind])
    twice = [[(i.clone(), t) for i, t in fed.test()] for _ in range(2)]
    files = [file for name in fed.data.classes for file in sorted((data / "test" / name).iterdir())]
    pixels = np.stack([datasets.decode(file, 32) for file in files])
    scaled = ((pixels - fed.data.mean) / fed.data.std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(torch.cat([i for i, _ in twice[0]]).numpy(), scaled, rtol=1e-4, atol=1e-5)
    labels = torch.cat([t for _, t in twice[0]])
    assert labels.tolist() == [label for label in range(10) for _ in range(3)]
    assert all(torch.equal(a[0], b[0]) for a, b in zip(*twice, strict=True))


@pytest.mark.parametrize(
    ("count", "size", "steps"), [(256, 128, 2), (257, 128, 2), (258, 128, 3), (5, 128, 1), (1, 1, 1)]
)
def test_a_lone_last_image_is_left_out(count, size, steps):
    assert batches.steps_in_epoch(count, size) == steps


@pytest.mark.parametrize("kind", ["crop_flip", "stream"])
def test_an_epoch_of_50_images_in_sevens_has_49(data, kind):
    fed = feed(data, *VARIANTS[kind], "batch_size=7")
    assert [len(labels) for _, labels in fed.epoch(0)] == [7] * 7 == [7] * fed.steps_in_epoch
    assert len(list(fed.epoch(0, start=6))) == 1
    assert list(fed.epoch(0, start=7)) == []


def test_without_images_to_measure_on_there_are_no_batches_of_them(data):
    fed = feed(data)
    fed.data.test = None
    assert list(batches.Memory(fed.data, fed.config, CPU, print).test()) == []
    streamed = feed(data, *VARIANTS["stream"])
    streamed.data.test = None
    assert list(streamed.test()) == []


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("workers", "cores", "expected"), [(0, 4, 3), (0, 1, 1), (2, 4, 2), (9, 4, 4), (0, None, 1)])
def test_there_are_as_many_workers_as_asked_and_none_outlives_an_epoch(data, workers, cores, expected, monkeypatch):
    fed = feed(data, *VARIANTS["stream"], f"data.workers={workers}")  # 4 batches: no use for more than 4 workers
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    epoch = fed.epoch(0)
    next(epoch)
    assert len(multiprocessing.active_children()) == expected
    epoch.close()
    assert multiprocessing.active_children() == []
    for _ in fed.epoch(0):
        break  # as the loop does at the last step
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("kind", ["stream", "stream, two workers", "stream, flip"])
def test_a_stream_names_each_file_that_cannot_be_decoded_once_and_goes_on(tmp_path, kind):
    folder = tiny.cifar10(tmp_path, train=4, test=2)
    for name in ("train/deer/0001.png", "train/frog/0003.png", "test/ship/0000.png"):
        (folder / name).write_bytes(b"no image")
    named = []
    fed = feed(folder, *VARIANTS[kind], report=named.append)
    for epoch in (0, 1):
        assert sum(len(labels) for _, labels in fed.epoch(epoch)) == 40
        assert sorted(name.split(":")[0][-13:] for name in named) == ["deer/0001.png", "frog/0003.png"]
    list(fed.test())
    assert "ship/0000.png" in named[2] and len(named) == 3


def test_the_label_of_a_stand_in_is_its_own(tmp_path):
    folder = tiny.cifar10(tmp_path, train=1, test=1)
    (folder / "train/deer/0000.png").write_bytes(b"no image")
    fed = feed(folder, *VARIANTS["stream"])
    assert sorted(torch.cat([labels for _, labels in fed.epoch(0)]).tolist()) == [0, 1, 2, 3, 5, 5, 6, 7, 8, 9]


def test_where_not_one_file_is_an_image_a_stream_ends_in_an_error_that_names_one(tmp_path):
    folder = tiny.cifar10(tmp_path, train=1, test=1)
    for file in (folder / "train").rglob("*.png"):
        file.write_bytes(b"no image")
    with pytest.raises(datasets.DataError, match=r"64 files in a row are no images, from .*\.png on"):
        whole(feed(folder, *VARIANTS["stream"]), 0)
