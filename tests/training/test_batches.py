"""What a step sees follows from seed, epoch and step alone."""

import hashlib

import numpy as np
import pytest
import torch

from fop_core.training import batches, datasets
from fop_core.training.config import change, preset
from tests.training import tiny

CPU = torch.device("cpu")
SEEN = {
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


def feed(data, *settings, found=lambda name: None):
    chosen = change(preset("cifar10-allcnn-small"), ["batch_size=16", f"data.path={data}", *settings])
    return batches.feed(datasets.load(chosen.data), chosen, CPU, found)


def whole(feed, epoch, start=0):
    return [(images.clone(), labels.clone()) for images, labels in feed.epoch(epoch, start)]


@pytest.mark.parametrize("kind", SEEN)
def test_an_epoch_entered_in_the_middle_is_the_rest_of_the_whole_one(data, kind):
    fed = feed(data, *SEEN[kind])
    for epoch in (0, 3):
        expected = whole(fed, epoch)
        assert len(expected) == fed.steps_in_epoch == 4  # 50 images: 16, 16, 16, 2
        for start in (1, 3):
            for (images, labels), (again, those) in zip(expected[start:], whole(fed, epoch, start), strict=True):
                assert torch.equal(images, again) and torch.equal(labels, those)


def test_how_many_workers_read_changes_nothing(data):
    one, two = (whole(feed(data, *SEEN[kind]), 1) for kind in ("stream", "stream, two workers"))
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(one, two, strict=True))


def test_every_image_comes_once_an_epoch_in_another_order_each_time(data):
    orders = [batches.order(50, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    for order in orders:
        assert sorted(order.tolist()) == list(range(50))
    assert len({tuple(order.tolist()) for order in orders}) == 4


def test_the_orders_are_those_of_the_runs_that_were_kept():
    digest = hashlib.sha256(batches.order(60_000, 0, 0).numpy().tobytes()).hexdigest()
    assert batches.order(10, 0, 0).tolist() == [7, 0, 9, 2, 1, 3, 8, 4, 6, 5]
    assert digest[:16] == "a362f3b70070a601"


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
    seen, labels = whole(fed, 2)[1]
    scaled = (np.stack(expected) - fed.data.mean) / fed.data.std
    np.testing.assert_allclose(seen.numpy(), scaled.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-5)
    assert labels.tolist() == fed.data.train.labels[chosen].tolist()


def test_images_come_as_float32_with_channels_last_in_memory(data):
    images, labels = next(feed(data).epoch(0))
    assert images.shape == (16, 3, 32, 32) and images.dtype == torch.float32 and labels.dtype == torch.int64
    assert images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", SEEN)
def test_what_is_measured_on_comes_whole_in_order_and_unchanged(data, kind):
    fed = feed(data, *SEEN[kind])
    twice = [[(i.clone(), t) for i, t in fed.test()] for _ in range(2)]
    labels = torch.cat([t for _, t in twice[0]])
    assert labels.tolist() == [label for label in range(10) for _ in range(3)]
    assert all(torch.equal(a[0], b[0]) for a, b in zip(*twice, strict=True))


@pytest.mark.parametrize(
    ("count", "size", "steps"), [(256, 128, 2), (257, 128, 2), (258, 128, 3), (5, 128, 1), (1, 1, 1)]
)
def test_a_lone_last_image_is_left_out(count, size, steps):
    assert batches.steps_in_epoch(count, size) == steps


def test_a_stream_names_what_cannot_be_decoded_and_goes_on(tmp_path):
    folder = tiny.cifar10(tmp_path, train=4, test=1)
    for name in ("train/deer/0001.png", "train/frog/0003.png"):
        (folder / name).write_bytes(b"no image")
    named = []
    fed = feed(folder, *SEEN["stream"], found=named.append)
    assert sum(len(labels) for _, labels in fed.epoch(0)) == 40
    assert sorted("deer" in name for name in named) == [False, True]
