"""Runs side by side: groups, spreads, what is drawn."""

import numpy as np
import pytest

from fop_core.runs import GALLERY, compare, store
from fop_core.runs.compare import Curve
from fop_core.training import config

STYLES = {
    "sgd": "sgd",
    "momentum": "momentum",
    "adam": "adam",
    "s-hd": "s-hd",
    "pp-hd": "pp-hd",
    "fop": "fop",
    "fop-norm": "fop-norm",
    "fop-exponential": "fop-exponential",
    "fop-osgm": "fop-osgm",
    "fop-after": "fop-after",
    "mean-removing": "mean-removing",
}


def settings(method: str = "fop", preset: str = "mnist-mlp", *changes: str) -> dict:
    return compare.flat(config.change(config.preset(preset, method), changes).to_json())


def curve(y, steps=None, x=None) -> Curve:
    steps = np.arange(len(y)) if steps is None else np.asarray(steps)
    return Curve(steps, steps.astype(float) if x is None else np.asarray(x, float), np.asarray(y, float))


@pytest.mark.parametrize("method", config.METHODS)
def test_a_method_is_known_by_its_settings(method):
    assert compare.method(settings(method)) == STYLES[method]


def test_the_one_step_trace_is_a_method_of_its_own_only_where_there_is_momentum():
    assert compare.method(settings("fop", "mnist-mlp", "fop.trace=one_step")) == "fop-one-step"
    assert compare.method(settings("fop", "mnist-mlp", "fop.trace=0")) == "fop-one-step"
    assert compare.method(settings("fop", "mnist-mlp", "fop.trace=one_step", "optimizer.momentum=0")) == "fop"


def old(**changes) -> dict:
    """The config of a run from before some settings were there, as its run.json has it."""
    content = config.preset("mnist-mlp").to_json() | changes
    for section, added in compare.ADDED.items():
        content[section] = {name: value for name, value in content[section].items() if name not in added}
    content["fop"]["max_dim"] = 1024
    return content


def test_a_run_that_is_too_old_for_a_setting_has_it_as_it_was_and_is_one_group_with_new_ones():
    new = [settings(), settings("fop", "mnist-mlp", "seed=1"), settings("fop", "mnist-mlp", "fop.apply=after")]
    assert compare.settings(old()) == new[0] and compare.settings(config.preset("mnist-mlp").to_json()) == new[0]
    runs = [compare.settings(old(seed=2)), *new]
    assert [group.members for group in compare.groups(runs, [""] * 4)] == [(0, 1, 2), (3,)]
    assert compare.differing(runs) == ["fop.apply", "seed"]
    assert compare.settings({"fop": None, "seed": 1}) == {"fop": None, "seed": 1} and compare.settings({}) == {}


@pytest.mark.parametrize("run", list(store.directories(GALLERY)), ids=lambda run: run.id)
def test_the_settings_of_a_run_that_was_kept_are_what_its_config_means_today(run):
    assert compare.settings(run.config) == compare.flat(config.parse(run.config).to_json())


def test_what_differs_only_between_kinds_is_left_out():
    runs = [settings("fop"), settings("fop", "mnist-mlp", "seed=1"), settings("momentum")]
    assert compare.differing(runs, ["fop", "fop", "momentum"]) == ["seed"]
    assert compare.differing(runs) == ["seed"], "settings of FOP are not there, which is no other value"
    adam = settings("adam")
    assert "optimizer.lr" in compare.differing([*runs, adam])
    assert compare.differing([*runs, adam], ["fop", "fop", "momentum", "adam"]) == ["seed"]


def test_settings_that_change_nothing_come_last():
    runs = [settings("fop", "mnist-mlp", "snapshots=3", "threads=2"), settings("fop", "mnist-mlp", "seed=1")]
    assert compare.differing(runs) == ["seed", "threads", "snapshots"]


def test_seeds_are_one_group_and_ranks_are_two():
    runs = [
        settings("momentum"),
        settings("fop"),
        settings("fop", "mnist-mlp", "seed=1", "snapshots=4", "threads=1"),
        settings("fop", "mnist-mlp", "fop.rank=784"),
    ]
    groups = compare.groups(runs, ["mnist"] * 4)
    assert [(group.method, group.members) for group in groups] == [("momentum", (0,)), ("fop", (1, 2)), ("fop", (3,))]
    assert [group.differs for group in groups] == [(), (("fop.rank", 16),), (("fop.rank", 784),)]
    apart = compare.groups(runs, ["mnist"] * 4, apart=True)
    assert [group.members for group in apart] == [(0,), (1,), (2,), (3,)]
    assert dict(apart[2].differs)["seed"] == 1


def test_groups_of_two_kinds_are_not_told_apart_by_what_the_kinds_differ_in():
    groups = compare.groups([settings("fop"), settings("fop", "cifar10-allcnn")], ["mnist-mlp", "cifar10-allcnn"])
    assert [(group.kind, group.differs) for group in groups] == [("mnist-mlp", ()), ("cifar10-allcnn", ())]


def test_a_spread_is_that_of_steps_which_all_have_and_seconds_are_averaged():
    one = curve([1, 2, 3, 4], [0, 10, 20, 30], [0, 1, 2, 3])
    other = curve([3, 4, 5], [0, 10, 30], [0, 3, 7])
    spread = compare.spread([one, other])
    assert spread.curve.steps.tolist() == [0, 10, 30]
    assert spread.curve.x.tolist() == [0, 2, 5]
    assert spread.curve.y.tolist() == [2, 3, 4.5]
    np.testing.assert_allclose(spread.std, np.std([[1, 2, 4], [3, 4, 5]], axis=0, ddof=1))


def test_groups_of_seeds_do_not_differ_by_the_seed_of_their_first():
    runs = [settings("fop", "mnist-mlp", f"seed={seed}") for seed in (0, 1)]
    runs += [settings("fop", "mnist-mlp", "fop.rank=8", f"seed={seed}") for seed in (2, 3)]
    first, second = compare.groups(runs, ["mnist-mlp"] * 4)
    assert dict(first.differs) == {"fop.rank": 16} and dict(second.differs) == {"fop.rank": 8}


def test_at_the_end_is_who_got_there_or_diverged_before():
    def curve(steps, last):
        y = np.ones(len(steps))
        y[-1:] = last
        return Curve(np.array(steps, np.int64), np.array(steps, float), y)

    whole, stopped, diverged, none = curve([1, 9], 2.0), curve([1, 4], 2.0), curve([1, 4], np.nan), curve([], 0.0)
    assert compare.at_end([stopped, whole, diverged, none, whole]) == [1, 2, 4]
    assert compare.at_end([none]) == compare.at_end([]) == []


def test_one_value_has_no_deviation_and_several_that_of_a_sample():
    assert compare.mean_and_std([0.5]) == (0.5, None)
    assert compare.mean_and_std([1.0, 2.0, 3.0]) == (2.0, 1.0)
    for lost in (np.nan, np.inf):
        mean, std = compare.mean_and_std([1.0, lost])
        assert not np.isfinite(mean) and np.isnan(std)


def test_a_seed_that_diverged_is_not_averaged_away():
    spread = compare.spread([curve([1, 2, np.nan]), curve([1, 2, 3])])
    assert spread.curve.y[:2].tolist() == [1, 2] and np.isnan(spread.curve.y[2])


def test_smoothing_is_a_mean_around_each_point_and_keeps_gaps():
    values = np.array([0.0, 3, 6, 9, 12, 15, 18, 21, 24, 27])
    assert compare.smoothed(values, 0) is values
    np.testing.assert_allclose(compare.smoothed(values, 0.4), values, atol=1e-12, err_msg="a line stays a line")
    noisy = np.random.default_rng(0).normal(size=200)
    naive = [noisy[i - min(i, 199 - i, 10) : i + min(i, 199 - i, 10) + 1].mean() for i in range(200)]
    np.testing.assert_allclose(compare.smoothed(noisy, 0.1), naive, atol=1e-12)
    broken = np.array([1.0, 1, 1, np.nan, np.inf, 1, 1, 1, 1, 1])
    soft = compare.smoothed(broken, 0.3)
    assert np.isnan(soft[3:5]).all() and (np.delete(soft, [3, 4]) == 1).all()


def test_a_difference_is_read_between_the_baselines_points_and_not_beyond_them():
    difference = compare.less(curve([5, 5, 5, 5], [0, 5, 10, 15]), curve([1, 3], [0, 10]))
    assert difference.y[:3].tolist() == [4, 3, 2] and np.isnan(difference.y[3])


def test_what_is_drawn_breaks_at_gaps_and_at_what_is_no_number():
    steps = np.concatenate([np.arange(0, 400, 10), np.arange(1000, 1400, 10)])
    y = np.ones(len(steps))
    y[60] = np.nan
    x, drawn = compare.drawn(steps, y, compare.holes(steps), 400)
    assert np.isnan(drawn).sum() == 2
    hole = int(np.flatnonzero(np.isnan(drawn))[0])
    assert (x[hole - 1], x[hole + 1]) == (390, 1000)
    at, height = compare.broken(steps, y, y)
    assert at.tolist() == [steps[60]] and height.tolist() == [1]


def test_thinning_keeps_spikes_and_the_first_of_what_is_no_number():
    y = np.zeros(1_000_000)
    y[123_456], y[777_777] = 50, np.nan
    x, drawn = compare.drawn(np.arange(len(y)), y, np.empty(0, int), 400)
    assert len(x) <= 4 * 400 + 3
    assert np.nanmax(drawn) == 50 and x[np.isnan(drawn)].tolist() == [777_777]


def test_a_curve_without_any_number_is_drawn_as_nothing():
    y = np.full(5, np.nan)
    assert np.isnan(compare.drawn(np.arange(5), y, compare.holes(np.arange(5)), 10)[1]).all()
    assert [len(each) for each in compare.broken(np.arange(5), y, y)] == [0, 0]
    empty = np.empty(0)
    assert [len(each) for each in compare.drawn(empty, empty, compare.holes(empty), 10)] == [0, 0]
