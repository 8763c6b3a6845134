"""A sweep is the race at each rate, and a tuned race runs at the best ones."""

from dataclasses import replace

import numpy as np
import pytest

from fop_core.optim.rules import FOP, OSGMFOP, OSGMH, SGD, Adam
from toy_functions import Race, presets, race, racing, surfaces, tuning
from toy_functions.basins import CONVERGED, DIVERGED, STATUS, STEP_LIMIT

BOOTH = Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.005), "Adam": Adam(0.01), "FOP": FOP(0.01)}, max_steps=300)


@pytest.mark.parametrize(
    ("preset", "rate", "steps"),
    [(presets.PAPER_BOOTH, 0.089, 43), (presets.PAPER_HIMMELBLAU, 0.0158, 24)],
    ids=["Booth", "Himmelblau"],
)
def test_the_sweep_finds_what_a_finer_search_found(preset, rate, steps):
    base = replace(preset, rules={"SGD": SGD(1.0)}, max_steps=1000)
    sweeps = tuning.sweep(base)
    assert sweeps["SGD"].fewest == steps and sweeps["SGD"].best == pytest.approx(rate, rel=0.01)
    assert len(sweeps["SGD"].rates) == 121
    assert sweeps["SGD"].rates[[0, -1]] == pytest.approx([1e-5, 10.0])
    assert sweeps["SGD"].rates[20] == pytest.approx(1e-4)
    again = race(tuning.tuned(base, sweeps))["SGD"]
    assert (again.steps, again.status) == (steps, "converged"), "in float32 too, here"


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_sweep_is_the_race_at_each_rate_with_the_same_noise(noise):
    base = replace(BOOTH, tolerance=1e-2, noise=noise, seed=7)
    rates = np.geomspace(1e-3, 1.0, 13)
    sweeps = tuning.sweep(base, rates)
    assert list(sweeps) == list(base.rules)
    for name, rule in base.rules.items():
        alone = [race(replace(base, rules={"": replace(rule, lr=rate)}))[""] for rate in rates.tolist()]
        assert sweeps[name].steps.tolist() == [one.steps for one in alone]
        assert [STATUS[code] for code in sweeps[name].status] == [one.status for one in alone]
    assert {CONVERGED, STEP_LIMIT, DIVERGED} == set(np.concatenate([one.status for one in sweeps.values()]).tolist())


def test_noise_is_that_of_the_race_in_float32_too(monkeypatch):
    base = replace(BOOTH, rules={"SGD": SGD(0.01)}, dtype="float32", noise=0.3, seed=7, tolerance=0.1)
    assert tuning.sweep(base, np.array([0.01]))["SGD"].steps.tolist() == [race(base)["SGD"].steps]
    draws = []
    monkeypatch.setattr(tuning, "descend_each", lambda *_, gradient_noise, **__: draws.append(gradient_noise) or {})
    tuning.sweep(base)
    assert draws[0].dtype == np.float32 and np.array_equal(draws[0], racing.gradient_noise(base)), "the very draws"


def test_a_rule_that_learns_the_whole_step_is_swept_and_tuned_in_the_rate_of_that():
    base = replace(BOOTH, rules={"OSGM": OSGMH(), "FOP": OSGMFOP()}, dtype="float64")
    sweeps = tuning.sweep(base, [0.01, 0.1, 1.0])
    for name, rule in base.rules.items():
        alone = [race(replace(base, rules={"": replace(rule, hyper_lr=rate)}))[""].steps for rate in (0.01, 0.1, 1.0)]
        assert sweeps[name].steps.tolist() == alone
    tuned = tuning.tuned(base, sweeps).rules
    assert {name: rule.hyper_lr for name, rule in tuned.items()} == {n: s.best for n, s in sweeps.items()}
    assert tuned["FOP"].lr == 1.0


def sweep_of(steps, status=None):
    steps = np.array(steps)
    status = np.zeros(len(steps), int) if status is None else np.array(status)
    return tuning.Sweep(np.arange(1.0, len(steps) + 1), steps, status)


def test_the_best_is_the_middle_of_equals_among_those_that_converged():
    assert sweep_of([9, 5, 7]).best == 2.0
    assert sweep_of([9, 5, 5, 5, 7]).best == 3.0
    assert sweep_of([9, 5, 5, 7]).best == 2.0
    sweep = sweep_of([2, 3, 8], [DIVERGED, STEP_LIMIT, CONVERGED])
    assert (sweep.best, sweep.fewest) == (3.0, 8)
    nothing = sweep_of([2, 3], [DIVERGED, STEP_LIMIT])
    assert (nothing.best, nothing.fewest) == (None, None)


def test_how_the_rates_beside_the_best_ended_is_known():
    assert sweep_of([9, 5, 7]).beside.tolist() == [CONVERGED, CONVERGED]
    assert sweep_of([9, 5, 7], [DIVERGED, CONVERGED, STEP_LIMIT]).beside.tolist() == [DIVERGED, STEP_LIMIT]
    assert sweep_of([5, 7, 9], [CONVERGED, DIVERGED, CONVERGED]).beside.tolist() == [DIVERGED]
    assert sweep_of([9, 7, 5], [CONVERGED, STEP_LIMIT, CONVERGED]).beside.tolist() == [STEP_LIMIT]
    assert sweep_of([2, 3], [DIVERGED, STEP_LIMIT]).beside.tolist() == []


def test_on_booth_the_published_fop_is_fastest_between_rates_that_diverge():
    sweeps = tuning.sweep(replace(presets.PAPER_BOOTH, max_steps=1000))
    assert sweeps["FOP"].fewest == 42 and sweeps["FOP"].beside.tolist() == [DIVERGED, DIVERGED]
    assert sweeps["SGD"].beside.tolist() == [CONVERGED, CONVERGED]


def test_a_tuned_race_keeps_all_but_the_rates_and_what_was_published_for_them():
    base = replace(presets.PAPER_BOOTH, seed=3)
    tuned = tuning.tuned(base, {"SGD": sweep_of([9, 5]), "Adam": sweep_of([9, 9], [STEP_LIMIT, DIVERGED])})
    assert tuned.rules == {"SGD": SGD(2.0), "Adam": base.rules["Adam"], "FOP": base.rules["FOP"]}
    assert type(tuned.rules["SGD"].lr) is float, "races are several times quicker on Python's floats"
    assert tuned == replace(base, rules=tuned.rules, published={}, note="")


def test_rates_are_sorted_and_nonsense_is_refused():
    assert tuning.sweep(BOOTH, [0.1, 0.01, 0.1])["SGD"].rates.tolist() == [0.01, 0.1]
    for wrong in ([], [0.0, 0.1], [-1.0], [np.nan], [0.1, np.inf]):
        with pytest.raises(ValueError, match="above 0"):
            tuning.sweep(BOOTH, wrong)


def test_progress_can_cancel():
    def cancel(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        tuning.sweep(replace(BOOTH, max_steps=2_000_000, tolerance=0.0), [1e-5], progress=cancel)


def test_where_a_rate_does_not_converge_its_steps_are_no_number():
    sweep = tuning.Sweep(np.array([0.1, 0.2, 0.3]), np.array([7, 9, 5]), np.array([CONVERGED, STEP_LIMIT, DIVERGED]))
    np.testing.assert_array_equal(sweep.converged_steps, [7.0, np.nan, np.nan])
