"""What each scene's sentence promises is what its race shows."""

from dataclasses import replace

import numpy as np
import pytest

from fop_core.optim.rules import FOP, OSGMFOP
from toy_functions import race
from toy_functions.scenes import SCENES


def run(name):
    return race(SCENES[name].race)


def turned(rule):
    """How far P's long axis is from that of H⁻¹ at the end, degrees, how many times as long as wide P is; the steps."""
    base = SCENES["turning"].race
    end = race(replace(base, rules={"": rule}))[""]
    assert end.status == "converged"
    values, vectors = np.linalg.eigh(end.preconditioners[-1])
    _, axes = np.linalg.eigh(base.surface.hessian(*end.points[-1]))
    return np.degrees(np.arccos(min(1.0, abs(vectors[:, 1] @ axes[:, 0])))), values[1] / values[0], end.steps


def test_the_first_scene_is_where_p_turns_onto_the_inverse_hessian_at_a_wide_band_of_rates():
    assert next(iter(SCENES)) == "turning"
    steps = {name: trajectory.steps for name, trajectory in run("turning").items()}
    assert steps["Newton"] == 1 and steps["FOP OSGM"] < min(steps["SGD"], steps["Momentum"]) / 4
    rates = np.geomspace(1e-4, 10, 51)
    angles, lengths, counts = map(np.array, zip(*(turned(OSGMFOP(hyper_lr=rate)) for rate in rates.tolist())))
    assert angles.max() < 9 and np.median(angles) < 2
    wide = rates > 0.006
    assert lengths[wide].min() > 13, "that of H⁻¹ is 100 times as long as wide"
    assert counts[wide].max() < steps["Momentum"]
    assert turned(FOP(0.01))[0] > 30, "which the published rule does not do"


@pytest.mark.parametrize("name", ["paper-booth", "paper-himmelblau"])
def test_fop_arrives_first_in_figure_1(name):
    results = run(name)
    assert min(results, key=lambda rule: results[rule].steps) == "FOP"


def test_on_himmelblau_fop_and_sgd_end_in_one_minimum_and_adam_in_another():
    results = run("paper-himmelblau")
    assert results["FOP"].minimum == results["SGD"].minimum != results["Adam"].minimum
    assert None not in {trajectory.minimum for trajectory in results.values()}


def test_in_the_oblique_valley_only_a_full_p_stretches_along_it():
    results = run("valley")
    assert results["FOP"].steps < 0.5 * min(results["S-HD"].steps, results["PP-HD"].steps)
    low, high = np.linalg.eigvalsh(results["FOP"].preconditioners[-1])
    assert high > 2 * low


def test_around_rosenbrocks_bend_fop_needs_more_steps_than_its_momentum_alone():
    results = run("rosenbrock")
    assert results["Momentum"].status == results["FOP"].status == "converged"
    assert results["FOP"].steps > results["Momentum"].steps


def test_under_noise_hypergradients_shrink_p_and_settle_closer_than_sgd():
    results = run("noise")
    settled = {name: np.median(trajectory.losses[-500:]) for name, trajectory in results.items()}
    assert max(settled["FOP"], settled["S-HD"]) < 0.5 * settled["SGD"]
    for name in ("FOP", "S-HD"):
        assert np.linalg.eigvalsh(results[name].preconditioners[-1]).max() < 0.5


def test_under_noise_p_may_grow_too_far_first_and_where_it_does_not_fop_settles_closer():
    noisy = replace(SCENES["noise"].race, max_steps=300)
    ends = [race(replace(noisy, seed=seed)) for seed in range(100)]
    assert not any(end[name].status == "diverged" for end in ends for name in ("SGD", "S-HD"))
    diverged = [end["FOP"] for end in ends if end["FOP"].status == "diverged"]
    assert len(diverged) == 15 and all(trajectory.steps < 30 for trajectory in diverged)
    assert "15 of 100 seeds" in SCENES["noise"].sentence
    for name in ("FOP", "S-HD"):
        below = [
            np.median(end[name].losses[-100:]) < np.median(end["SGD"].losses[-100:])
            for end in ends
            if end[name].status != "diverged"
        ]
        assert np.mean(below) > 0.9


def test_the_own_formula_has_the_minima_that_are_named():
    surface = SCENES["own"].race.surface
    for sign in (1.0, -1.0):
        assert surface.value(sign, sign) == 0.0
        assert surface.gradient(sign, sign) == (0.0, 0.0)
