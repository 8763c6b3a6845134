"""What each scene's sentence promises is what its race shows."""

import numpy as np
import pytest

from toy_functions import race
from toy_functions.scenes import SCENES


def run(name):
    return race(SCENES[name].race)


@pytest.mark.parametrize("name", ["paper-booth", "paper-himmelblau"])
def test_fop_arrives_first_in_figure_1(name):
    found = run(name)
    assert min(found, key=lambda rule: found[rule].steps) == "FOP"


def test_on_himmelblau_fop_and_sgd_end_in_one_minimum_and_adam_in_another():
    found = run("paper-himmelblau")
    assert found["FOP"].minimum == found["SGD"].minimum != found["Adam"].minimum
    assert None not in {trajectory.minimum for trajectory in found.values()}


def test_in_the_oblique_valley_only_a_full_p_stretches_along_it():
    found = run("valley")
    assert found["FOP"].steps < 0.5 * min(found["S-HD"].steps, found["PP-HD"].steps)
    low, high = np.linalg.eigvalsh(found["FOP"].preconditioners[-1])
    assert high > 2 * low


def test_around_rosenbrocks_bend_fop_needs_more_steps_than_its_momentum_alone():
    found = run("rosenbrock")
    assert found["Momentum"].status == found["FOP"].status == "converged"
    assert found["FOP"].steps > found["Momentum"].steps


def test_under_noise_hypergradients_shrink_p_and_settle_closer_than_sgd():
    found = run("noise")
    settled = {name: np.median(trajectory.losses[-500:]) for name, trajectory in found.items()}
    assert max(settled["FOP"], settled["S-HD"]) < 0.5 * settled["SGD"]
    for name in ("FOP", "S-HD"):
        assert np.linalg.eigvalsh(found[name].preconditioners[-1]).max() < 0.5


def test_the_own_formula_has_the_minima_that_are_named():
    surface = SCENES["own"].race.surface
    for sign in (1.0, -1.0):
        assert surface.value(sign, sign) == 0.0
        assert surface.gradient(sign, sign) == (0.0, 0.0)
