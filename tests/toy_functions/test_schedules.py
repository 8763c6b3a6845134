"""The learning rate of a race rises in its warm-up and falls as its schedule says, in batches too."""

from dataclasses import replace

import numpy as np
import pytest

from fop_core.optim.rules import FOP, OSGMFOP, OSGMH, SGD, Adam, Momentum
from toy_functions import Race, race, tuning
from toy_functions.basins import descend
from toy_functions.own_rule import OwnRule
from toy_functions.schedules import SCHEDULES, is_scheduled, rate_factor
from toy_functions.surfaces import BOOTH, HIMMELBLAU


def rate_factors(schedule, warmup, max_steps):
    return [rate_factor(schedule, warmup, max_steps, step) for step in range(max_steps)]


def test_factors_are_those_of_the_schedules_after_a_warm_up():
    assert not is_scheduled("constant", 0, 8) and is_scheduled("constant", 1, 8) and is_scheduled("step", 0, 8)
    assert rate_factors("constant", 4, 6) == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert rate_factors("step", 0, 8) == [1.0] * 4 + [0.1] * 2 + [0.01] * 2
    assert rate_factors("linear", 0, 4) == [1.0, 0.75, 0.5, 0.25]
    assert rate_factors("linear", 2, 4) == [0.5, 1.0, 1.0, 0.5]
    np.testing.assert_allclose(rate_factors("cosine", 0, 4), [1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2])
    for schedule in SCHEDULES:
        assert rate_factors(schedule, 3, 3) == [1 / 3, 2 / 3, 1.0]
        assert race(Race(BOOTH, (0.0, -4.0), {"": SGD(0.1)}, max_steps=0, schedule=schedule))[""].steps == 0


@pytest.mark.parametrize("wrong", [{"schedule": "wave"}, {"warmup": -1}, {"warmup": 11}], ids=str)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Race(BOOTH, (0.0, -4.0), {}, max_steps=10, **wrong)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        descend(BOOTH, SGD(0.1), 0.0, -4.0, max_steps=10, **wrong)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_race_multiplies_the_rate_of_each_step(schedule):
    results = race(Race(BOOTH, (0.0, -4.0), {"": Momentum(0.05)}, 0.0, 40, schedule=schedule, warmup=5))
    x, v = np.array([0.0, -4.0]), 0
    for factor, point in zip(rate_factors(schedule, 5, 40), results[""].points[1:]):
        v = 0.9 * v + np.array(BOOTH.gradient(*x))
        x = x - 0.05 * factor * v
        np.testing.assert_allclose(point, x, rtol=1e-10)


@pytest.mark.parametrize(
    "rule", [SGD(0.02), Adam(0.3), FOP(0.02, 0.01, momentum=0.5), OSGMFOP(), OwnRule(0.03)], ids=str
)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_batch_at_rates_of_its_own_is_its_single_races(rule, schedule):
    x, y = np.random.default_rng(0).uniform(-4, 4, (2, 40))
    rates = rule.lr * np.linspace(0.1, 2.0, 40)
    options = {"max_steps": 60, "tolerance": 0.3, "schedule": schedule, "warmup": 7}
    batch = descend(HIMMELBLAU, replace(rule, lr=rates), x, y, **options)
    for at in range(40):
        single = race(Race(HIMMELBLAU, (x[at], y[at]), {"": replace(rule, lr=float(rates[at]))}, **options))[""]
        assert (batch.steps[at], batch.x[at], batch.y[at]) == (single.steps, *single.points[-1])
    assert len(set(batch.steps.tolist())) > 3


def test_rules_that_learn_the_whole_step_are_left_alone():
    plain = Race(BOOTH, (0.0, -4.0), {"": OSGMH()}, max_steps=200)
    scheduled = replace(plain, schedule="linear", warmup=50)
    assert np.array_equal(race(plain)[""].points, race(scheduled)[""].points)


def test_a_sweep_has_the_schedule_of_its_race():
    base = Race(BOOTH, (0.0, -4.0), {"": SGD(0.05)}, max_steps=100, schedule="cosine", warmup=20)
    assert tuning.sweep(base, [0.05])[""].steps.tolist() == [race(base)[""].steps]
    assert tuning.sweep(replace(base, schedule="constant", warmup=0), [0.05])[""].steps.tolist() != [
        race(base)[""].steps
    ]
