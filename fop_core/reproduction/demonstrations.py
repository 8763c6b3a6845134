"""What the Paper page demonstrates of Theorems 1 and 2: what each says of one quadratic, beside what is true of it."""

from dataclasses import dataclass

import numpy as np

from fop_core.reproduction.theorems import (
    Contraction,
    Descent,
    Quadratic,
    descend,
    proven_2,
    repaired_2,
    stated_2,
)

Array = np.ndarray

POINTS = 201  # of the curve over steps
STEPS = 200  # of a descent
APART = 2.0**-46  # by which a second descent begins elsewhere: some dozens of roundings
SAME = 1e-3  # relative difference of the two from which on rounding decides, and not the descent


def symmetric(mu: float, L: float, along: float, across: float, angle_deg: float) -> Quadratic:
    """Return the quadratic whose P has one eigenvalue along a direction and one across it, whichever is larger.

    Args:
        mu: the smaller eigenvalue of H, along the first axis.
        L: the larger one.
        along: P's eigenvalue along the direction.
        across: P's other eigenvalue.
        angle_deg: from the first axis to the direction.

    Raises:
        ValueError: where the numbers are none of a ``Quadratic``.
    """
    turned = angle_deg if along >= across else angle_deg + 90.0
    return Quadratic(mu, L, min(along, across), max(along, across), turned)


def factors(quadratic: Quadratic, steps: Array) -> Array:
    """Return ``max f(theta - s P g) / f(theta)`` over all theta for each step s: ``||I - s H^1/2 P H^1/2||^2``.

    Args:
        quadratic: f and P.
        steps: [n].

    Returns:
        [n].
    """
    root = np.sqrt(quadratic.H)
    gains = np.linalg.eigvalsh(root @ quadratic.P @ root)
    return np.asarray(((1 - steps[:, None] * gains) ** 2).max(1))


@dataclass(frozen=True)
class Claim:
    """One statement of Theorem 2.

    Attributes:
        name: "stated", "proven" or "repaired".
        contraction: what it says here and what is true, or None where it says nothing.
    """

    name: str
    contraction: Contraction | None


@dataclass(frozen=True)
class Second:
    """Theorem 2 on a quadratic.

    Attributes:
        claims: as it is stated, as its proof shows it, and a statement that needs no more than P > 0.
        steps: of the curve, from 0 to where every step diverges, [n].
        worst: the true factor at each of them, [n].
    """

    claims: tuple[Claim, ...]
    steps: Array
    worst: Array


def second(quadratic: Quadratic) -> Second:
    """Return what Theorem 2 says of a quadratic, and what is true of it."""
    claims = (
        Claim("stated", stated_2(quadratic)),
        Claim("proven", proven_2(quadratic)),
        Claim("repaired", repaired_2(quadratic)),
    )
    root = np.sqrt(quadratic.H)
    largest = float(np.linalg.eigvalsh(root @ quadratic.P @ root)[-1])
    named = [claim.contraction.step for claim in claims if claim.contraction is not None]
    steps = np.linspace(0.0, max(2.1 / largest, *(1.1 * step for step in named)), POINTS)
    return Second(claims, steps, factors(quadratic, steps))


@dataclass(frozen=True)
class First:
    """Theorem 1 on a quadratic.

    Attributes:
        descent: of which it speaks.
        promised: whether it says that the descent converges: p_inf < 1 / L, and P > 0.
        exceeded: the first step at which ``||P||`` is above the proof's bound by more than rounding, or None.
        ends: the last step at which numbers tell something: ``||P||``, the bound and f are finite, and a descent from
            a start that differs by rounding alone has the same ``||P||``; ``STEPS`` where that is so to the end.
        left: f at the end over f at the beginning; infinite where f left what numbers hold.
    """

    descent: Descent
    promised: bool
    exceeded: int | None
    ends: int
    left: float


def first(quadratic: Quadratic, form: str, limit: float, hyper_lr: float) -> First:
    """Carry out Theorem 1's descent for ``STEPS`` steps from (1, 1).

    Args:
        quadratic: f, and P to begin with.
        form: what is learned, "direct" or "mmt".
        limit: p_inf, above 0.
        hyper_lr: rho, at least 0.

    Raises:
        ValueError: where a number is out of its range.
    """
    if form not in ("direct", "mmt"):
        raise ValueError(f"form: direct or mmt is expected, not {form}")
    made, beside = (
        descend(
            quadratic,
            form="mmt" if form == "mmt" else "direct",
            limit=limit,
            hyper_lr=hyper_lr,
            steps=STEPS,
            start=start,
        )
        for start in ((1.0, 1.0), (1.0 + APART, 1.0 - APART))
    )
    with np.errstate(invalid="ignore"):
        apart = np.abs(made.norms - beside.norms)
        numbers = np.isfinite(made.norms) & np.isfinite(made.bounds) & np.isfinite(made.losses)
        numbers &= apart <= SAME * made.norms
        ends = int(np.argmin(numbers)) - 1 if not numbers.all() else STEPS
        above = np.flatnonzero((made.norms - apart > made.bounds * (1 + 1e-9))[: ends + 1])
    left = float(made.losses[-1] / made.losses[0])
    promised = limit < 1 / quadratic.L and quadratic.smallest > 0
    return First(made, promised, int(above[0]) if len(above) else None, ends, left)
