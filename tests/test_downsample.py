"""What is left out of a long series is what nobody would see."""

from itertools import pairwise

import numpy as np
import pytest

from fop_core import downsample


def spiral(count: int) -> np.ndarray:
    """A path that takes most of its points for the last hundredth of its way."""
    t = np.linspace(0, 1, count)
    radius = 5 * np.exp(-12 * t)
    return np.stack([radius * np.cos(40 * t), radius * np.sin(40 * t)], axis=1)


@pytest.mark.parametrize("count", [1, 2, 50])
def test_a_short_path_is_kept_whole(count):
    assert downsample.path(spiral(count), 50).tolist() == list(range(count))


@pytest.mark.parametrize("count", [51, 1000, 100_000])
@pytest.mark.parametrize("limit", [2, 50, 1500])
def test_a_long_path_keeps_its_ends_its_order_and_the_limit(count, limit):
    kept = downsample.path(spiral(count), limit)
    assert kept[0] == 0 and kept[-1] == count - 1
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= limit


def test_a_thinned_path_stays_beside_the_whole_one_also_when_zoomed_in_on_its_end():
    whole = spiral(100_000)
    kept = downsample.path(whole, 1500)
    drawn = np.stack([np.interp(np.arange(len(whole)), kept, whole[kept, axis]) for axis in (0, 1)], axis=1)
    apart = np.hypot(*(drawn - whole).T)
    to_end = np.hypot(*(whole - whole[-1]).T)
    assert (apart <= 0.01 * to_end + 1e-5).all()


def test_a_zigzag_keeps_every_corner():
    crawl = np.stack([np.linspace(0, 1e-3, 20_000), np.zeros(20_000)], axis=1)
    zigzag = np.stack([np.linspace(1, 3, 300), np.tile([1.0, -1.0], 150)], axis=1)
    path = np.concatenate([crawl, zigzag])
    kept = set(downsample.path(path, 1500).tolist())
    assert kept >= set(range(20_000, 20_300))


def test_a_path_that_does_not_move_is_its_ends():
    assert downsample.path(np.ones((5000, 2)), 100).tolist() == [0, 4999]


@pytest.mark.parametrize("count", [1, 10, 402])
def test_a_short_series_is_kept_whole(count):
    assert downsample.series(np.random.default_rng(0).random(count), 100).tolist() == list(range(count))


def test_no_spike_is_hidden_wherever_it_is():
    smooth = np.exp(-np.linspace(0, 5, 100_000))
    for step in (3, 77, 5_000, 54_321, 99_990):
        for spike in (50.0, -50.0):
            values = smooth.copy()
            values[step] = spike
            assert step in downsample.series(values, 300)


def test_a_thinned_series_has_the_extremes_of_every_bucket_of_both_axes():
    values = np.random.default_rng(1).standard_normal(50_000)
    kept = downsample.series(values, 200)
    assert len(kept) <= 802
    assert kept[0] == 0 and kept[-1] == 49_999 and (np.diff(kept) > 0).all()
    for edges in (np.linspace(0, 50_000, 201).astype(int), np.unique(np.geomspace(1, 50_000, 201).astype(int))):
        for low, high in pairwise(edges):
            inside = kept[(kept >= low) & (kept < high)]
            assert values[inside].min() == values[low:high].min()
            assert values[inside].max() == values[low:high].max()


def test_a_constant_series_is_thinned_too():
    assert len(downsample.series(np.zeros(100_000), 100)) <= 402


@pytest.mark.parametrize("count", [0, 1, 2, 5, 6, 7, 1000])
def test_points_at_even_distances_have_the_first_and_the_last_or_are_all(count):
    kept = downsample.evenly(count, 6)
    assert len(kept) == min(count, 6)
    if count:
        assert kept[0] == 0 and kept[-1] == count - 1
    if count > 2:
        assert np.ptp(np.diff(kept)) <= 1
