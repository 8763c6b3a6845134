"""The suite of toy problems: what it prints is what races say, and its points of ten components are walked rightly."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.toy_suite import SUITE, SURFACES, evaluations, rotated, steps_by_rate
from fop_core.optim.rules import SGD, Adam, Momentum, Newton
from toy_functions import Race, race


def test_it_prints_steps_evaluations_and_rates_of_each_rule_on_each_surface():
    command = [sys.executable, "-m", "benchmarks.toy_suite", "--rates", "3", "--steps", "50"]
    command += ["--rules", "sgd", "fop_osgm", "newton", "--surfaces", "booth", "rotated100"]
    printed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert printed.keys() == {"machine", "settings", "ratios", "values", "samples"}
    rates = printed["settings"]["rates"]
    np.testing.assert_allclose(rates, [1e-4, 10**-1.5, 10.0])
    for name in ("sgd", "fop_osgm", "newton"):
        rule = SUITE[name]
        runs = [
            Race(SURFACES["booth"], (0.0, -4.0), {"": replace(rule, **{rule.main_rate: r})}, 1e-6, 50) for r in rates
        ]
        alone = [(result.steps, result.status == "converged") for result in (race(each)[""] for each in runs)]
        steps = [count if converged else None for count, converged in alone]
        assert printed["samples"][f"booth_{name}_steps"] == steps
        value = {key: printed["values"][f"booth_{name}_{key}"]["median"] for key in ("steps", "evaluations", "rates")}
        fewest = min((n for n in steps if n is not None), default=None)
        assert (value["steps"], value["rates"]) == (fewest, sum(n is not None for n in steps))
        assert printed["values"][f"rotated100_{name}_rates"]["unit"] == "of 3 rates"
    assert printed["values"]["booth_newton_steps"]["median"] is None, "it takes 1 at rate 1, which is not among them"
    steps, cost = (printed["values"][f"booth_fop_osgm_{key}"]["median"] for key in ("steps", "evaluations"))
    assert cost == 2 * steps + 2, "f and g at each trial, and at the start"


def test_the_axes_of_ten_dimensions_are_turned_and_have_the_condition_number():
    problem = rotated(100.0)
    values, vectors = np.linalg.eigh(problem.H)
    np.testing.assert_allclose(values, np.geomspace(1.0, 100.0, 10), rtol=1e-10)
    assert np.abs(vectors).max() < 0.9 and len(problem.start) == 10
    assert steps_by_rate(Newton(), problem, np.array([1.0]), 5) == [1]
    assert evaluations(Newton(), problem, 1.0, 1) == 1 + 10


@pytest.mark.parametrize("rule", [SGD(1.0), Momentum(1.0), Adam(1.0), *SUITE.values()], ids=lambda r: type(r).__name__)
def test_ten_components_are_one_point_for_every_rule(rule):
    """A quadratic that bends in two of them alone is the one of two dimensions."""
    flat = rotated(100.0)
    turned = np.zeros((10, 10))
    turned[np.ix_((0, 5), (0, 5))] = SURFACES["oblique100"].hessian(0.0, 0.0)
    start = (3.0, *([0.0] * 4), -2.0, *([0.0] * 4))
    rates = np.array([0.003, 0.01, 0.03])
    if type(rule).__name__ in ("Newton", "PSGDNewton"):
        return  # one divides by the bend of the flat ones, the other draws vectors of ten
    steps = steps_by_rate(rule, replace(flat, H=turned, start=start), rates, 400)
    expected = steps_by_rate(rule, SURFACES["oblique100"], rates, 400)
    assert [n is None for n in steps] == [n is None for n in expected]
    for n, other in zip(steps, expected):
        assert n is None or abs(n - other) <= 0.1 * other
