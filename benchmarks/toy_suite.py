"""Every rule on eight problems at 51 rates: fewest steps to f - f* < 1e-6, what they cost, how many rates converge.

Booth, Himmelblau, Rosenbrock and Beale from their own starts, and four quadratics: of two dimensions, turned by 30
degrees, from (3, -2), and of ten, whose eigenvalues are evenly spread on a logarithmic axis and whose axes are a random
rotation (Q of the QR decomposition of ``default_rng(0).standard_normal((10, 10))``, with R's diagonal positive), from
(3, -2, 3, -2, ...). In two dimensions rules run as in ``basins.descend``; in ten they are the same rules on columns
[rates, 10, 1], and those that treat each component by itself get the ten in two halves.

What is swept is a rule's ``main_rate``, all else is its default. An evaluation is one of f, or of its gradient, that
the rule itself asks for; the look at f that tells whether a race has ended is not one. A Hessian counts as many as it
has rows, its product with a vector, which is all that PSGD uses, as one.
"""

import argparse
import sys
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks import measure
from fop_core.optim.rules import (
    BFGS,
    FOP,
    OSGMFOP,
    OSGMH,
    PPHD,
    SGD,
    SHD,
    Adam,
    AdamW,
    ExponentialFOP,
    GradientRule,
    Lion,
    Momentum,
    Nesterov,
    Newton,
    OneStepFOP,
    OSGMBest,
    Polyak,
    Prodigy,
    PSGDNewton,
    RMSProp,
    Rule,
)
from toy_functions.basins import CONVERGED, descend, kept
from toy_functions.racing import RaceOracle
from toy_functions.surfaces import BEALE, BOOTH, HIMMELBLAU, ROSENBROCK, Surface, quadratic

TOLERANCE = 1e-6
FORMS = ("full", "diagonal", "scalar")
SUITE: dict[str, Rule] = {
    "sgd": SGD(1.0),
    "momentum": Momentum(1.0),
    "nesterov": Nesterov(1.0),
    "rmsprop": RMSProp(1.0),
    "adam": Adam(1.0),
    "adamw": AdamW(1.0),
    "lion": Lion(1.0),
    "prodigy": Prodigy(),
    "polyak": Polyak(),
    "newton": Newton(),
    "bfgs": BFGS(),
    "psgd_newton": PSGDNewton(),
    "s_hd": SHD(1.0),
    "pp_hd": PPHD(1.0),
    **{f"osgm_h_{form}": OSGMH(form=form) for form in FORMS},
    **{f"osgm_best_{form}": OSGMBest(form=form) for form in FORMS},
    "fop_one_step": OneStepFOP(1.0),
    "fop": FOP(1.0),
    "fop_exponential": ExponentialFOP(1.0),
    "fop_osgm_unclipped": OSGMFOP(clip=False),
    "fop_osgm": OSGMFOP(),
}


@dataclass(frozen=True)
class Columns:
    """A quadratic theta^T H theta / 2 of columns [..., n, 1], as a problem and as an oracle."""

    H: np.ndarray
    start: tuple[float, ...]
    floor: float = 0.0

    def value(self, theta: np.ndarray) -> np.ndarray:
        """Return f [..., 1, 1]."""
        return 0.5 * (theta * (self.H @ theta)).sum((-2, -1))[..., None, None]

    def gradient(self, theta: np.ndarray) -> np.ndarray:
        """Return the gradient [..., n, 1]."""
        return self.H @ theta

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        """Return the Hessian [..., n, n]."""
        return np.broadcast_to(self.H, (*theta.shape[:-2], *self.H.shape))


def rotated(condition: float, n: int = 10) -> Columns:
    """Return a quadratic whose axes are a random rotation, always the same."""
    Q, R = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))
    Q = Q * np.sign(np.diag(R))
    H = Q @ np.diag(np.geomspace(1.0, condition, n)) @ Q.T
    return Columns((H + H.T) / 2, (3.0, -2.0) * (n // 2))


SURFACES: dict[str, Surface | Columns] = {
    "booth": BOOTH,
    "himmelblau": HIMMELBLAU,
    "rosenbrock": ROSENBROCK,
    "beale": BEALE,
    "oblique100": replace(quadratic(100.0, 30.0), start=(3.0, -2.0)),
    "oblique10000": replace(quadratic(10_000.0, 30.0), start=(3.0, -2.0)),
    "rotated100": rotated(100.0),
    "rotated10000": rotated(10_000.0),
}


class Counted:
    """An oracle that counts what it is asked for."""

    def __init__(self, oracle: Any) -> None:
        self.oracle, self.floor, self.looks, self.hessians = oracle, oracle.floor, 0, 0

    def value(self, *point: Any) -> Any:
        """Return f."""
        self.looks += 1
        return self.oracle.value(*point)

    def gradient(self, *point: Any) -> Any:
        """Return the gradient."""
        self.looks += 1
        return self.oracle.gradient(*point)

    def hessian(self, *point: Any) -> Any:
        """Return the Hessian."""
        self.hessians += 1
        return self.oracle.hessian(*point)


class Walk:
    """A rule on columns, from a problem's start, at as many rates as its main rate has."""

    def __init__(self, rule: Rule, problem: Columns, rates: np.ndarray) -> None:
        shape = (-1, 1, 1) if isinstance(rule, GradientRule) else (-1, 1)
        self.rule, self.problem = replace(rule, **{rule.main_rate: rates.reshape(shape)}), problem
        self.theta = np.tile(np.array(problem.start)[:, None], (len(rates), 1, 1))
        if isinstance(self.rule, GradientRule):
            self.state = self.rule.begin(self.theta)
        else:
            self.state = self.rule.start(*self.halves(self.theta))

    @staticmethod
    def halves(column: np.ndarray) -> list[np.ndarray]:
        """Return a column [rates, n, 1] as two parts [rates, n / 2]."""
        return np.split(column[..., 0], 2, axis=1)

    def keep(self, mask: np.ndarray) -> None:
        """Leave the other rates out: what has converged goes on to numbers so small that arithmetic is slow."""
        rates = getattr(self.rule, self.rule.main_rate)
        self.theta, self.state, rates = kept((self.theta, self.state, rates), mask)
        self.rule = replace(self.rule, **{self.rule.main_rate: rates})

    def step(self, oracle: Any) -> None:
        """Take a step, by what an oracle says."""
        if isinstance(self.rule, GradientRule):
            source = oracle if self.rule.uses_oracle else oracle.gradient(self.theta)
            self.theta, self.state = self.rule.advance(self.theta, source, self.state)
        else:
            gradient = self.halves(oracle.gradient(self.theta))
            *parts, self.state = self.rule.step(*self.halves(self.theta), *gradient, self.state)
            self.theta = np.concatenate(parts, axis=1)[..., None]


@np.errstate(all="ignore")
def steps_by_rate(rule: Rule, problem: Surface | Columns, rates: np.ndarray, most: int) -> list[int | None]:
    """Return the steps that a rule needs at each rate; None where it does not converge."""
    if isinstance(problem, Surface):
        swept = replace(rule, **{rule.main_rate: rates})
        batch = descend(problem, swept, *problem.start, tolerance=TOLERANCE, max_steps=most, threads=1)
        return [int(n) if code == CONVERGED else None for n, code in zip(batch.steps, batch.status)]
    walk, running = Walk(rule, problem, rates), np.arange(len(rates))
    steps: list[int | None] = [None] * len(rates)
    for count in range(most + 1):
        f = problem.value(walk.theta)[:, 0, 0]
        for at in running[f < TOLERANCE]:
            steps[at] = count
        goes_on = (f >= TOLERANCE) & np.isfinite(f + walk.theta.sum((1, 2)))
        if not goes_on.all():
            running = running[goes_on]
            walk.keep(goes_on)
        if not len(running):
            break
        walk.step(problem)
    return steps


@np.errstate(all="ignore")
def evaluations(rule: Rule, problem: Surface | Columns, rate: float, steps: int) -> int:
    """Return how often a rule asks for f or its gradient in so many steps."""
    n = len(problem.start)
    if isinstance(problem, Surface):
        counted = Counted(RaceOracle(problem))
        rule = replace(rule, **{rule.main_rate: rate})
        (x, y), state = problem.start, rule.start(*problem.start)
        for _ in range(steps):
            source = (counted,) if rule.uses_oracle else counted.gradient(x, y)
            x, y, state = rule.step(x, y, *source, state)
    else:
        counted, walk = Counted(problem), Walk(rule, problem, np.array([rate]))
        for _ in range(steps):
            walk.step(counted)
    return counted.looks + counted.hessians * (1 if isinstance(rule, PSGDNewton) else n)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", nargs="+", choices=SUITE, default=list(SUITE), metavar="RULE")
    parser.add_argument("--surfaces", nargs="+", choices=SURFACES, default=list(SURFACES), metavar="SURFACE")
    parser.add_argument("--rates", type=int, default=51, help="from 1e-4 to 10, evenly on a logarithmic axis")
    parser.add_argument("--steps", type=int, default=20_000, help="step limit")
    chosen = parser.parse_args()
    load_before = measure.load()
    rates = np.logspace(-4, 1, chosen.rates)
    values: dict[str, Any] = {}
    samples: dict[str, list] = {}
    for name in chosen.rules:
        begin, rule = time.perf_counter(), SUITE[name]
        for surface in chosen.surfaces:
            problem, key = SURFACES[surface], f"{surface}_{name}"
            steps = steps_by_rate(rule, problem, rates, chosen.steps)
            converged = [n for n in steps if n is not None]
            fewest, rate, cost = min(converged, default=None), None, None
            if fewest is not None:
                rate = float(rates[steps.index(fewest)])
                cost = evaluations(rule, problem, rate, fewest)
            values[f"{key}_steps"] = _value(fewest, "steps")
            values[f"{key}_evaluations"] = _value(cost, "evaluations of f or its gradient")
            values[f"{key}_rates"] = _value(len(converged), f"of {len(rates)} rates")
            values[f"{key}_best_rate"] = _value(rate, rule.main_rate)
            samples[f"{key}_steps"] = steps
        print(f"{name}: {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    settings = {
        "rules": {name: repr(SUITE[name]) for name in chosen.rules},
        "surfaces": chosen.surfaces,
        "rates": rates.tolist(),
        "step_limit": chosen.steps,
        "tolerance": TOLERANCE,
        "dtype": "float64",
    }
    measure.report(load_before, settings, {}, values, samples)


def _value(number: float | None, unit: str) -> dict[str, Any]:
    return {"median": number, "p95": number, "unit": unit}


if __name__ == "__main__":
    main()
