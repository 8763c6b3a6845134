"""A batch's paths are single races, however they are divided; they end together when told to."""

import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from fop_core.optim.rules import BFGS, FOP, OSGMFOP, OSGMH, PPHD, RULES, SGD, SHD, Adam, Momentum, Polyak, RMSProp
from toy_functions import Race, basins, expressions, race, surfaces
from toy_functions.basins import CONVERGED, DIVERGED, STATUS, STEP_LIMIT
from toy_functions.scenes import has_natural_rate

POLYNOMIALS = [surfaces.BOOTH, surfaces.HIMMELBLAU, surfaces.ROSENBROCK, surfaces.BEALE]
SETTINGS = {"s-hd": {"hyper_lr": 1e-3}, "pp-hd": {"hyper_lr": 1e-3}, "fop": {"hyper_lr": 1e-3, "momentum": 0.5}}
FIELDS = ("steps", "status", "x", "y")


def starts(surface, count, seed=0):
    x_min, x_max, y_min, y_max = surface.view
    random = np.random.default_rng(seed)
    return random.uniform(x_min, x_max, count), random.uniform(y_min, y_max, count)


def one_by_one(surface, rules, x, y, **options):
    """What single races give: arrays as in a batch, flat."""
    results = [
        race(Race(surface, start, {"": rule}, **options))[""]
        for start, rule in zip(zip(np.ravel(x).tolist(), np.ravel(y).tolist()), rules)
    ]
    ends = np.array([one.points[-1] for one in results])
    status = [STATUS.index(one.status) for one in results]
    minima = surface.minima + surface.local_minima
    minimum = [-1 if one.minimum is None else minima.index(one.minimum) for one in results]
    return {
        "steps": [one.steps for one in results],
        "status": status,
        "x": ends[:, 0],
        "y": ends[:, 1],
        "minimum": minimum,
    }


def assert_same(batch, expected, fields=FIELDS):
    for name in fields:
        np.testing.assert_array_equal(getattr(batch, name).ravel(), expected[name], err_msg=name)


def flat(batch):
    return {name: getattr(batch, name).ravel() for name in (*FIELDS, "minimum")}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("surface", POLYNOMIALS, ids=lambda s: s.name)
def test_paths_at_rates_of_their_own_are_single_races_to_the_last_bit(surface, name):
    x, y = starts(surface, 60)
    kind = RULES[name]
    exponents = (-2.0, 1.0) if issubclass(kind, RMSProp | Adam) or has_natural_rate(kind) else (-4.5, -0.5)
    rates = 10.0 ** np.random.default_rng(1).uniform(*exponents, 60)
    rule = kind(0.1, **SETTINGS.get(name, {}))
    batch = basins.descend(surface, replace(rule, **{kind.main_rate: rates}), x, y, max_steps=150, tolerance=0.1)
    rules = [replace(rule, **{kind.main_rate: rate}) for rate in rates.tolist()]
    expected = one_by_one(surface, rules, x, y, max_steps=150, tolerance=0.1)
    assert_same(batch, expected, (*FIELDS, "minimum"))
    assert len(set(expected["steps"])) > 3 and batch.status.dtype == np.uint8 and batch.steps.dtype == np.int32


def test_a_map_has_every_kind_of_end_and_is_its_cells_single_races():
    rules = {"SGD": SGD(0.015), "Momentum": Momentum(0.01), "RMSProp": RMSProp(0.05), "FOP": FOP(0.01, 0.01)}
    progress = []
    batches = basins.basins(
        surfaces.HIMMELBLAU, rules, columns=12, rows=9, max_steps=150, tolerance=1e-4, progress=progress.append
    )
    x, y = basins.grid(surfaces.HIMMELBLAU.view, 12, 9)
    assert list(batches) == list(rules)
    for name, rule in rules.items():
        assert batches[name].steps.shape == (9, 12)
        expected = one_by_one(surfaces.HIMMELBLAU, [rule] * x.size, x, y, max_steps=150, tolerance=1e-4)
        assert_same(batches[name], expected, (*FIELDS, "minimum"))
    assert {int(code) for batch in batches.values() for code in np.unique(batch.status)} == {0, 1, 2}
    assert {int(index) for batch in batches.values() for index in np.unique(batch.minimum)} == {-1, 0, 1, 2, 3}
    assert progress == sorted(progress) and progress[-1] == 1.0


OTHERS = [
    surfaces.RASTRIGIN,
    surfaces.ACKLEY,
    expressions.parse("exp(sin(x)) + cos(x*y)/2 + (x^2 + y^2)/10 - 0.9", name="expression"),
]


@pytest.mark.parametrize("surface", OTHERS, ids=lambda s: s.name)
def test_sines_and_exponentials_leave_999_paths_of_1000_as_single_races(surface):
    x, y = starts(surface, 400)
    other, steps = [], set()
    for rule in (SGD(0.003), Adam(0.1), FOP(0.003, 0.001)):
        batch = flat(basins.descend(surface, rule, x, y, max_steps=40, tolerance=0.5))
        expected = one_by_one(surface, [rule] * 400, x, y, max_steps=40, tolerance=0.5)
        near = [np.isclose(batch[name], expected[name], rtol=1e-6, atol=1e-6, equal_nan=True) for name in FIELDS]
        for i in np.flatnonzero(~np.all(near, axis=0)):
            batched, alone = ([ends[name][i] for name in FIELDS] for ends in (batch, expected))
            other.append(f"{rule} from ({x[i]!r}, {y[i]!r}): {batched}, alone {alone}")
        steps |= set(expected["steps"])
    assert len(other) <= 1, "\n".join(other)
    assert len(steps) > 3


@pytest.mark.parametrize("rule", [SGD(0.015), Adam(0.2), FOP(0.01, 0.01, momentum=0.3, nesterov=True)], ids=str)
@pytest.mark.parametrize("block", [1, 7, 1000])
@pytest.mark.parametrize("share", [0.0, 0.8, 2.0], ids=["never packed", "packed", "packed at each end"])
def test_neither_blocks_nor_packing_nor_threads_change_anything(rule, block, share, monkeypatch):
    x, y = starts(surfaces.HIMMELBLAU, 60)
    rule = replace(rule, lr=rule.lr * np.linspace(0.1, 3.0, 60))
    expected = flat(basins.descend(surfaces.HIMMELBLAU, rule, x, y, max_steps=80, threads=1, block=60))
    monkeypatch.setattr(basins, "_REPACK_BELOW", share)
    for small in (0, 1_000_000):  # all blocks side by side, or one at a time
        monkeypatch.setattr(basins, "_SMALL", small)
        batch = basins.descend(surfaces.HIMMELBLAU, rule, x, y, max_steps=80, threads=3, block=block)
        assert_same(batch, expected)


def test_a_batch_has_the_shape_to_which_starts_and_rates_broadcast():
    rule = SHD(np.array([0.001, 0.01, 0.02]), hyper_lr=np.array([[1e-4], [1e-3]]))
    batch = basins.descend(surfaces.BOOTH, rule, np.full((4, 1, 1), 2.0), -4.0, max_steps=50)
    assert batch.x.shape == (4, 2, 3)
    assert (batch.x == batch.x[0]).all() and len(np.unique(batch.x)) == 6
    one = basins.descend(surfaces.BOOTH, SGD(0.1), 0.0, -4.0)
    assert one.steps.shape == () and one.minimum == 0


@pytest.mark.parametrize("rule", [FOP(1.0), FOP(1.0, preconditioner="direct"), SHD(1.0), PPHD(1.0)], ids=str)
def test_a_stability_map_is_its_single_races_frozen_ones_included(rule):
    rates = np.geomspace(1e-3, 1.0, 7)
    hyper_rates = np.array([0.0, 1e-4, 1e-2, 1.0])
    batch = basins.stability(surfaces.ROSENBROCK, rule, (-1.2, 1.0), rates, hyper_rates, max_steps=150)
    assert batch.steps.shape == (4, 7)
    rules = [replace(rule, lr=lr, hyper_lr=rho) for rho in hyper_rates.tolist() for lr in rates.tolist()]
    expected = one_by_one(surfaces.ROSENBROCK, rules, [-1.2] * 28, [1.0] * 28, max_steps=150)
    assert_same(batch, expected)
    frozen = basins.descend(surfaces.ROSENBROCK, SGD(rates), -1.2, 1.0, max_steps=150)
    assert np.array_equal(batch.steps[0], frozen.steps) and DIVERGED in frozen.status


def test_rho_0_among_others_freezes_M_also_where_what_it_would_learn_overflows_first():
    rates = [0.14, 0.16, 0.2]
    batch = basins.stability(surfaces.BOOTH, FOP(1.0), (0.0, -4.0), rates, [0.0, 1e-9], max_steps=2000)
    frozen = one_by_one(surfaces.BOOTH, [SGD(rate) for rate in rates], [0.0] * 3, [-4.0] * 3, max_steps=2000)
    assert batch.status[0].tolist() == frozen["status"] == [DIVERGED] * 3
    assert batch.steps[0].tolist() == frozen["steps"]


def test_a_rule_without_rho_has_no_stability_map():
    with pytest.raises(ValueError, match="SGD has no rho"):
        basins.stability(surfaces.BOOTH, SGD(0.1), (0.0, 0.0), [0.1], [0.1])


def test_paths_diverge_or_use_up_their_steps_as_races_do():
    batch = basins.descend(surfaces.BOOTH, SGD(np.array([1e-5, 0.3, 0.05])), 0.0, -4.0, max_steps=1000)
    assert batch.status.tolist() == [STEP_LIMIT, DIVERGED, CONVERGED]
    assert batch.steps[0] == 1000 and batch.minimum.tolist() == [-1, -1, 0]
    assert_same(
        basins.descend(surfaces.BOOTH, SGD(0.1), [0.0, 1.0], [-4.0, 3.0], max_steps=0),
        {"steps": [0, 0], "status": [STEP_LIMIT, CONVERGED], "x": [0.0, 1.0], "y": [-4.0, 3.0]},
    )
    beyond = basins.descend(surfaces.MONKEY_SADDLE, SGD(0.1), [0.5, -0.5], 0.1, max_steps=4000)
    assert beyond.status.tolist() == [DIVERGED, DIVERGED], "nothing converges where f is unbounded below"
    assert beyond.minimum.tolist() == [-1, -1]


def test_a_path_whose_point_overflows_has_diverged_though_f_has_not():
    flat_in_x = replace(
        surfaces.BOOTH, value=lambda x, y: 1.0 + 0.0 * y, gradient=lambda x, y: (1.0 + 0.0 * y, 0.0 * y)
    )
    batch = basins.descend(flat_in_x, SGD(1e308), [0.0, 5.0], [1.0, 2.0], max_steps=9)
    assert_same(batch, one_by_one(flat_in_x, [SGD(1e308)] * 2, [0.0, 5.0], [1.0, 2.0], max_steps=9))
    assert batch.steps.tolist() == [2, 2] and batch.status.tolist() == [DIVERGED, DIVERGED]


def test_a_path_at_rest_in_a_local_minimum_is_known_by_it():
    surface = surfaces.STYBLINSKI_TANG
    batch = basins.descend(surface, SGD(0.01), [4.0, -4.0, -4.0, 0.17], [4.0, 4.0, -4.0, 0.17], max_steps=500)
    local = len(surface.minima) + surface.local_minima.index((2.746802770990837, 2.746802770990837))
    assert batch.minimum.tolist()[:3] == [local, 1, 0]
    assert batch.status.tolist()[:3] == [STEP_LIMIT, STEP_LIMIT, CONVERGED]


@pytest.mark.parametrize("rule", [FOP(0.01, 0.003), OSGMFOP(), BFGS(), OSGMH()], ids=lambda rule: type(rule).__name__)
def test_gradient_noise_is_that_of_a_race(rule):
    x, y = starts(surfaces.BOOTH, 20)
    gradient_noise = 2.0 * np.random.default_rng(5).standard_normal((80, 2))
    batch = basins.descend(surfaces.BOOTH, rule, x, y, gradient_noise=gradient_noise, max_steps=80, tolerance=0.1)
    expected = one_by_one(surfaces.BOOTH, [rule] * 20, x, y, noise=2.0, seed=5, max_steps=80, tolerance=0.1)
    assert_same(batch, expected)
    assert len(set(expected["steps"])) > 3 and (rule.uses_oracle or len(set(expected["status"])) == 3)


def test_where_f_has_no_lowest_value_a_rule_that_needs_it_stays_at_its_start():
    x, y = starts(surfaces.MONKEY_SADDLE, 20)
    for max_steps in (0, 50):
        batch = basins.descend(surfaces.MONKEY_SADDLE, Polyak(), x, y, max_steps=max_steps)
        assert_same(batch, one_by_one(surfaces.MONKEY_SADDLE, [Polyak()] * 20, x, y, max_steps=max_steps))
        assert set(batch.status.tolist()) == {DIVERGED if max_steps else STEP_LIMIT} and not batch.steps.any()


def test_a_grid_has_the_centres_of_the_cells_from_the_lower_left():
    x, y = basins.grid((-1.0, 3.0, 0.0, 1.0), 4, 2)
    assert x.tolist() == [[-0.5, 0.5, 1.5, 2.5]] * 2
    assert y.tolist() == [[0.25] * 4, [0.75] * 4]
    for size in [(0, 5), (5, 0), (513, 5), (5, 513)]:
        with pytest.raises(ValueError, match="1 to 512"):
            basins.grid((0.0, 1.0, 0.0, 1.0), *size)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"tolerance": -1.0}, "tolerance -1"),
        ({"max_steps": -1}, "max_steps -1"),
        ({"block": 0}, "block 0"),
        ({"x": [0.0, np.nan]}, "not finite"),
        ({"y": np.inf}, "not finite"),
        ({"gradient_noise": np.zeros((3, 2)), "max_steps": 4}, r"shape \(3, 2\)"),
    ],
)
def test_what_makes_no_sense_is_refused(wrong, match):
    with pytest.raises(ValueError, match=match):
        basins.descend(surfaces.BOOTH, SGD(0.1), **{"x": 0.0, "y": 0.0, **wrong})


class Cancelled(BaseException):
    """Like what Streamlit raises to stop a page: no Exception."""


@pytest.mark.parametrize("small", [0, 1_000_000], ids=["side by side", "one at a time"])
def test_what_progress_raises_ends_all_threads(small, monkeypatch):
    monkeypatch.setattr(basins, "_SMALL", small)
    before = threading.active_count()
    called = []

    def cancel(share):
        called.append((share, threading.current_thread()))
        raise Cancelled

    with pytest.raises(Cancelled):  # else it would go on for an hour
        basins.basins(
            surfaces.BOOTH,
            {"a": SGD(1e-9), "b": FOP(1e-9)},
            columns=20,
            rows=20,
            max_steps=10**8,
            progress=cancel,
            threads=3,
            block=50,
        )
    assert threading.active_count() == before
    [(share, thread)] = called
    assert 0 <= share < 0.01 and thread is threading.current_thread()


def test_an_error_in_one_block_ends_the_others_and_is_raised():
    def value(x, y):
        if (x == 0).any():
            raise ZeroDivisionError("from the surface")
        return surfaces.BOOTH.value(x, y)

    with pytest.raises(ZeroDivisionError, match="from the surface"):
        basins.descend(
            replace(surfaces.BOOTH, value=value), SGD(1e-9), np.arange(8.0), 0.0, max_steps=10**8, threads=2, block=2
        )


def test_a_summary_counts():
    converged, limit, diverged = CONVERGED, STEP_LIMIT, DIVERGED
    batch = basins.Batch(
        steps=np.array([[3, 5], [90, 7]]),
        status=np.array([[converged, converged], [limit, diverged]]),
        x=np.zeros((2, 2)),
        y=np.zeros((2, 2)),
        minimum=np.array([[0, 0], [2, -1]]),
    )
    summary = basins.summary(batch, surfaces.THREE_HUMP_CAMEL)
    assert summary == basins.Summary(0.5, 0.25, 0.25, minima=(0.5, 0.0, 0.25), median_steps=4.0)
    none = basins.summary(replace(batch, status=np.full((2, 2), limit)), surfaces.MONKEY_SADDLE)
    assert none == basins.Summary(0.0, 1.0, 0.0, minima=(), median_steps=None)


def test_cells_of_a_logarithmic_axis_are_named_by_their_centres_to_three_digits():
    assert basins.logarithmic(1e-2, 1.0, 2) == [0.0316, 0.316]
    rates = basins.logarithmic(1e-5, 10.0, 96)
    assert len(rates) == 96 and 1e-5 < rates[0] < rates[-1] < 10
    np.testing.assert_allclose(np.diff(np.log10(rates)), 6 / 96, atol=5e-3)


def test_the_usual_steps_are_those_of_all_paths_that_converged_but_a_percent_at_each_end():
    steps = np.arange(1001)
    status = np.full(1001, CONVERGED)
    one = basins.Batch(steps, status, steps * 0.0, steps * 0.0, steps * 0)
    stopped = replace(one, steps=steps + 5000, status=np.full(1001, STEP_LIMIT))
    assert basins.usual_steps([one, stopped]) == [10, 990]
    assert basins.usual_steps([stopped]) is None


@pytest.mark.parametrize("rule", [SGD(1.0), Momentum(1.0), FOP(1.0, 1e-3), PPHD(1.0, 1e-3)], ids=str)
def test_a_torch_device_gives_the_same(rule):
    x, y = starts(surfaces.HIMMELBLAU, 60)
    rule = replace(rule, lr=np.geomspace(1e-4, 0.1, 60))
    batch = basins.descend(surfaces.HIMMELBLAU, rule, x, y, max_steps=150, device="cpu")
    assert_same(batch, flat(basins.descend(surfaces.HIMMELBLAU, rule, x, y, max_steps=150)))
    assert len(np.unique(batch.status)) == 3


def test_a_torch_device_gives_adam_to_within_its_square_root():
    x, y = starts(surfaces.HIMMELBLAU, 60)
    options = {"max_steps": 50, "tolerance": 0.0}
    batch = basins.descend(surfaces.HIMMELBLAU, Adam(0.05), x, y, device="cpu", **options)
    expected = basins.descend(surfaces.HIMMELBLAU, Adam(0.05), x, y, **options)
    np.testing.assert_allclose((batch.x, batch.y), (expected.x, expected.y), rtol=1e-9)
    assert (batch.status == STEP_LIMIT).all()


def test_a_stability_map_on_a_torch_device_gives_the_same():
    rates, hyper_rates = np.geomspace(1e-3, 0.1, 6), [0.0, 1e-3, 0.1]
    on = [
        basins.stability(surfaces.BOOTH, FOP(1.0), (0.0, -4.0), rates, hyper_rates, max_steps=100, device=device)
        for device in (None, "cpu")
    ]
    assert_same(on[0], flat(on[1]))


def test_numpy_alone_is_enough():
    code = """
import sys
for name in ("torch", "torchvision", "streamlit", "plotly", "matplotlib"):
    sys.modules[name] = None
from fop_core.optim.rules import FOP
from toy_functions import basins, presets, surfaces, tuning
assert (basins.basins(surfaces.BOOTH, {"": FOP(0.01, 0.0)}, columns=3, rows=3)[""].status == basins.CONVERGED).all()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
