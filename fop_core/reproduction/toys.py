"""Cards that need no training: Figure 1's races, and Theorems 1 and 2 on quadratics."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from fop_core.optim.rules import FOP
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.theorems import Quadratic, descend, proven_2, repaired_2, stated_2
from fop_core.reproduction.verdicts import Card, Control, Part
from toy_functions import presets, race
from toy_functions.racing import Race
from toy_functions.tuning import sweep

SWEPT = 1000
"""Steps of the sweep for the best rates, which need a tenth of them at most."""
FACTORED_RATE = 0.01  # ρ of M M^T in Figure 1's races; with five times as much Booth's diverges
MU, L = 0.1, 1.0
LARGEST = (0.25, 0.5, 0.75, 1.0, 1.5)
SHARES = (0.25, 0.5, 0.75, 1.0)
ANGLES = (0.0, 30.0, 60.0, 90.0)
"""Theorem 2's quadratics: P's largest eigenvalue, the smallest as a share of it, and the angle to H, in degrees."""


def figure_1(evidence: Evidence) -> Card:
    """Return the card of Figure 1."""
    return Card(
        "1",
        "Figure 1: toy functions",
        "FOP needs fewer steps than SGD and Adam on Booth's and Himmelblau's function.",
        tuple(_fewest(settings) for settings in presets.PRESETS.values()),
        controls=tuple(_fair(settings) for settings in presets.PRESETS.values()),
        differences=(
            "The paper gives no settings: start, rates and stopping rule were searched for until all six counts came "
            "out.",
            _by_algorithm_1(),
        ),
        pictures=("paper-1-booth", "paper-1-himmelblau"),
    )


def _by_algorithm_1() -> str:
    """Say what P is in these races, and which counts the P of Algorithm 1 would give."""
    counts = []
    for settings in presets.PRESETS.values():
        fop = settings.rules["FOP"]
        assert isinstance(fop, FOP)
        factored = {"FOP": replace(fop, preconditioner="factored", hyper_lr=FACTORED_RATE)}
        steps = race(replace(settings, rules=factored, published={}))["FOP"].steps
        counts.append(f"{settings.surface.name} {steps:,}")
    return (
        "P is M itself (Eq. 1) with ρ = 0.05, in float32. Algorithm 1 has P = M Mᵀ, whose counts are others: with ρ = "
        f"{FACTORED_RATE:g}, {', '.join(counts)} steps."
    )


def _fewest(settings: Race) -> Part:
    steps = {name: each.steps for name, each in race(settings).items()}
    return Part(
        f"{settings.surface.name}: FOP needs fewer steps than SGD and Adam.",
        _counts(settings.published),
        _counts(steps),
        steps["FOP"] < min(steps["SGD"], steps["Adam"]),
    )


def _fair(settings: Race) -> Control:
    of = sweep(replace(settings, max_steps=SWEPT))
    best = {name: each.fewest for name, each in of.items() if each.fewest is not None}
    rates = ", ".join(f"{name} {each.best:.3g}" for name, each in of.items() if each.best is not None)
    return Control(
        f"{settings.surface.name}: each method at the rate that suits it best, from the same start.",
        f"{_counts(best)} steps; {min(best, key=lambda name: best[name])} needs the fewest (rates: {rates}).",
    )


def _counts(steps: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in steps.items())


def theorem_1(evidence: Evidence) -> Card:
    """Return the card of Theorem 1."""
    quadratic = Quadratic(MU, L)
    direct = descend(quadratic, limit=0.9, hyper_lr=0.05, steps=400)
    mmt = descend(quadratic, form="mmt", limit=0.1, hyper_lr=0.3, steps=100, start=(5.0, 5.0))
    fast = descend(quadratic, limit=0.9, hyper_lr=0.0, lr=4.0)
    singular = descend(Quadratic(MU, L, 0.0, 1.0), limit=0.9, hyper_lr=0.0)
    return Card(
        "theorem-1",
        "Theorem 1: a rescaled P converges",
        "Gradient descent by a learned P converges where P's norm is rescaled to below 1/L in the end.",
        (
            Part(
                f"P learned directly, μ = {MU:g}, L = {L:g}, p∞ = 0.9: ‖P‖ stays under the proof's bound, f goes to 0.",
                "‖P₀‖ + tρK²",
                f"f falls by a factor of {direct.losses[0] / max(direct.losses[-1], 1e-300):.0e} in 400 steps; "
                f"the bound {'holds' if direct.bound_holds else 'is exceeded'}",
                direct.bound_holds and bool(direct.losses[-1] < 1e-6 * direct.losses[0]),
            ),
            Part(
                "P = M Mᵀ, which FOP learns: ‖P‖ stays under the proof's bound.",
                "‖P₀‖ + tρK²",
                f"largest ‖P‖ over its bound: {float((mmt.norms / mmt.bounds).max()):.3g}",
                mmt.bound_holds,
            ),
            Part(
                "p∞ < 1/L is enough, whatever the learning rate; at the rate 4:",
                "no rate is named",
                f"f {'falls' if fast.losses[-1] < fast.losses[0] else 'grows'}: {_ratio(fast.losses)} in 200 steps",
                bool(fast.losses[-1] < fast.losses[0]),
            ),
        ),
        controls=(
            Control(
                "A P that is only semi-definite, which Theorem 2 allows.",
                f"f stands still: {_ratio(singular.losses)} of it is left after 200 steps.",
            ),
        ),
        differences=("Two dimensions, a quadratic, exact gradients; δ(t) = 1/t².",),
    )


def _ratio(losses: Sequence[float] | np.ndarray) -> str:
    return f"{losses[-1] / losses[0]:.2g}"


def theorem_2(evidence: Evidence) -> Card:
    """Return the card of Theorem 2."""
    tried = [
        Quadratic(MU, L, share * largest, largest, angle)
        for largest, share, angle in itertools.product(LARGEST, SHARES, ANGLES)
    ]
    stated = [each for each in map(stated_2, tried) if each is not None]
    proven = [each for each in map(proven_2, tried) if each is not None]
    repaired = [repaired_2(each) for each in tried]
    half = stated_2(Quadratic(MU, L, 0.5, 0.5))
    assert half is not None
    return Card(
        "theorem-2",
        "Theorem 2: a fixed P converges linearly",
        "The step ρ = (2 λmin − λmax²)/L leaves at most 1 − μρ of f − f*, for any symmetric P ≥ 0.",
        (
            Part(
                "As it is stated.",
                "at most 1 − μρ",
                f"holds for {sum(each.holds for each in stated)} of {len(stated)} P with ρ > 0; P = I/2 leaves "
                f"{half.worst:.4f}, stated {half.stated:.4f}",
                all(each.holds for each in stated),
            ),
            Part(
                "As its proof has it: the same factor, of the step 1/L.",
                "at most 1 − μρ",
                f"holds for {sum(each.holds for each in proven)} of {len(proven)} P with ρ > 0",
                all(each.holds for each in proven),
            ),
            Part(
                "It says something of any symmetric P ≥ 0.",
                "any",
                f"of {len(stated)} of {len(tried)} P: the others have 2 λmin ≤ λmax²",
                len(stated) == len(tried),
            ),
        ),
        controls=(
            Control(
                "A statement that needs no more than P > 0: the step 1/(L λmax) leaves at most 1 − μ λmin/(L λmax).",
                f"It holds for {sum(each.holds for each in repaired)} of {len(repaired)} P: the rate of gradient "
                "descent, over P's condition number.",
            ),
        ),
        differences=(f"Two dimensions, a quadratic with μ = {MU:g} and L = {L:g}, {len(tried)} P.",),
    )
