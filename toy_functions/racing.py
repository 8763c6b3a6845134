"""Races: several update rules from one start, until each has converged, diverged, or used up its steps."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fop_core.optim.elementary import Real
from fop_core.optim.rules import BFGS, FOP, OSGMH, Rule
from toy_functions.schedules import is_scheduled, rate_factor, scaled
from toy_functions.surfaces import Pair, Surface

NEAR = 0.1  # a known minimum this close to where a race ended is the one it found
NO_FLOOR = "no race: this rule needs f*, the lowest value of f, and here f has none; choose another surface"
MOST_NOISY = 10_000_000  # steps of a race with noise: all of it is drawn first, 160 MB
_PROGRESS_EVERY = 256  # steps between calls of progress


@dataclass(frozen=True)
class Race:
    """Everything that decides a race.

    Attributes:
        surface: what is minimized.
        start: the point all rules start from.
        rules: by the name they are shown under.
        tolerance: a rule has converged when f - floor is below it; floor is f at the surface's global minimum.
        max_steps: the most updates a rule may apply.
        dtype: "float64" (Python floats) or "float32" (numpy scalars, a third of the speed).
        noise: standard deviation of the Gaussian noise added to each component of each gradient; the same draws for
            every rule.
        seed: of the noise.
        published: step counts to compare with, by rule name.
        note: what a reader must know of those.
        schedule: what the learning rates are multiplied by along ``max_steps``, one of ``schedules.SCHEDULES``. Rules
            without a learning rate, which learn the whole step, are left alone.
        warmup: steps in which that factor first rises from 0.

    Example:
        >>> from fop_core.optim.rules import FOP, SGD
        >>> from toy_functions import Race, race
        >>> from toy_functions.surfaces import BOOTH
        >>> rules = {"SGD": SGD(0.05), "FOP": FOP(0.05, hyper_lr=0.001)}
        >>> for name, path in race(Race(BOOTH, BOOTH.start, rules, tolerance=1e-9)).items():
        ...     print(f"{name}: {path.reason}")
        SGD: f < 1e-09 at step 113
        FOP: f < 1e-09 at step 106
    """

    surface: Surface
    start: tuple[float, float]
    rules: Mapping[str, Rule]
    tolerance: float = 1e-6
    max_steps: int = 20_000
    dtype: str = "float64"
    noise: float = 0.0
    seed: int = 0
    published: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    schedule: str = "constant"
    warmup: int = 0

    def __post_init__(self) -> None:
        if self.dtype not in ("float64", "float32"):
            raise ValueError(f"dtype is {self.dtype!r}: give float64 or float32")
        if not all(math.isfinite(value) for value in self.start):
            raise ValueError(f"start is {self.start}: give two finite numbers")
        for name, value in (("tolerance", self.tolerance), ("noise", self.noise)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} is {value}: give a finite number, 0 or more")
        if self.max_steps < 0:
            raise ValueError(f"max_steps is {self.max_steps}: give 0 or more")
        if self.noise and self.max_steps > MOST_NOISY:
            raise ValueError(f"max_steps is {self.max_steps}: with noise give {MOST_NOISY:,} at most")
        if self.seed < 0:
            raise ValueError(f"seed is {self.seed}: give 0 or more")
        is_scheduled(self.schedule, self.warmup, self.max_steps)  # raises


@dataclass(frozen=True)
class Trajectory:
    """What one rule did.

    Attributes:
        points: the start and the point after each step, [steps + 1, 2]; a step that was tried and undone stays.
        losses: f at each point, [steps + 1]; not finite at the end of a race that diverged.
        status: "converged" | "step limit" | "diverged".
        reason: the same in a sentence.
        minimum: the known minimum it ended at, or None.
        factors: M of FOP before each step and at the end, [steps + 1, n, k]; None for another rule.
        preconditioners: P likewise, [steps + 1, 2, 2]; None for a rule that learns none, or none that is symmetric.

    Example:
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> path.status, path.steps, path.minimum
        ('converged', 543, (1.0, 3.0))
        >>> path.points.shape, path.losses[0], path.preconditioners[0].tolist()
        ((544, 2), np.float32(306.0), [[1.0, 0.0], [0.0, 1.0]])
        >>> path.preconditioners[-1].round(2)
        array([[3.72, 2.75],
               [2.75, 5.  ]], dtype=float32)
    """

    points: np.ndarray
    losses: np.ndarray
    status: str
    reason: str
    minimum: tuple[float, float] | None
    factors: np.ndarray | None = None
    preconditioners: np.ndarray | None = None

    @property
    def steps(self) -> int:
        """Updates applied before the race ended: before f < tolerance was seen, where it converged.

        Example:
            >>> from fop_core.optim.rules import Newton
            >>> from toy_functions import Race, race
            >>> from toy_functions.surfaces import BOOTH
            >>> path = race(Race(BOOTH, BOOTH.start, {"Newton": Newton()}))["Newton"]
            >>> path.steps, path.points.tolist()
            (1, [[0.0, -4.0], [1.0, 3.0]])
        """
        return len(self.points) - 1


class RaceOracle:
    """A surface as rules may ask it; see ``rules.Oracle``. All gradients of a step have the same noise.

    Example:
        >>> from fop_core.optim.rules import BFGS
        >>> from toy_functions.racing import RaceOracle
        >>> from toy_functions.surfaces import BOOTH
        >>> rule, oracle = BFGS(lr=0.1), RaceOracle(BOOTH)
        >>> x, y, state = rule.step(0.0, -4.0, oracle, rule.start(0.0, -4.0))
        >>> BOOTH.value(0.0, -4.0), round(oracle.value(x, y), 3)
        (306.0, 195.84)
    """

    def __init__(self, surface: Surface) -> None:
        self.value, self.hessian, self.floor = surface.value, surface.hessian, surface.floor
        self.noise: Any = None  # of this step
        self._gradient = surface.gradient

    def gradient(self, x: Real, y: Real) -> Pair:
        """Return the gradient, the noise of this step included.

        Example:
            >>> from toy_functions.racing import RaceOracle
            >>> from toy_functions.surfaces import BOOTH
            >>> oracle = RaceOracle(BOOTH)
            >>> oracle.gradient(0.0, -4.0)
            (-66.0, -78.0)
            >>> oracle.noise = (1.0, -1.0)  # of this step
            >>> oracle.gradient(0.0, -4.0)
            (-65.0, -79.0)
        """
        gx, gy = self._gradient(x, y)
        if self.noise is None:
            return gx, gy
        dx, dy = self.noise
        return gx + dx, gy + dy


def gradient_noise(race: Race) -> np.ndarray | None:
    """Return the noise that is added to the gradients, [max_steps, 2] in the race's dtype; None where there is none.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.racing import Race, gradient_noise
        >>> from toy_functions.surfaces import BOOTH
        >>> settings = Race(BOOTH, BOOTH.start, {"SGD": SGD(0.01)}, noise=10.0, max_steps=500)
        >>> noise = gradient_noise(settings)
        >>> noise.shape, noise.std().round(1)
        ((500, 2), np.float64(9.8))
    """
    if not race.noise:
        return None
    draws = np.random.default_rng(race.seed).standard_normal((race.max_steps, 2))
    return race.noise * draws.astype(race.dtype)


def noise_of_steps(race: Race, rule: Rule, points: np.ndarray) -> np.ndarray | None:
    """Return the noise in the gradient that each of a rule's steps was made of, [steps, 2]; None where there is none.

    A rule that tries a step first takes the gradient there along, with the noise of that step, where the trial is good.

    Args:
        race: with the noise.
        rule: one of it.
        points: of its trajectory, [steps + 1, 2].

    Example:
        >>> from fop_core.optim.rules import OSGMFOP
        >>> from toy_functions.racing import Race, gradient_noise, noise_of_steps, race
        >>> from toy_functions.surfaces import BOOTH
        >>> rule = OSGMFOP()
        >>> settings = Race(BOOTH, BOOTH.start, {"FOP OSGM": rule}, noise=1.0, max_steps=4)
        >>> points = race(settings)["FOP OSGM"].points
        >>> draws = gradient_noise(settings).tolist()
        >>> [draws.index(noise) for noise in noise_of_steps(settings, rule, points).tolist()]
        [0, 0, 1, 2]
    """
    draws = gradient_noise(race)
    if draws is None:
        return None
    steps = np.arange(len(points) - 1)
    if rule.uses_oracle and isinstance(rule, FOP | OSGMH | BFGS):
        went = (points[1:] != points[:-1]).any(axis=1)
        last = np.maximum.accumulate(np.where(went, steps, 0))
        steps = np.concatenate([steps[:1], last[:-1]])
    return draws[steps]


def race(race: Race, progress: Callable[[float], object] | None = None) -> dict[str, Trajectory]:
    """Run every rule of a race; return their trajectories by name.

    Args:
        race: what decides it.
        progress: called now and then with the share of all steps that are done at most; what it raises ends the race.

    Example:
        >>> from toy_functions import presets, race
        >>> for name, path in race(presets.PAPER_HIMMELBLAU).items():
        ...     print(name, path.steps, path.minimum)
        SGD 386 (3.5844283403304917, -1.8481265269644036)
        Adam 5398 (3.0, 2.0)
        FOP 289 (3.5844283403304917, -1.8481265269644036)
    """
    noise = gradient_noise(race)
    trajectories: dict[str, Trajectory] = {}

    def report(count: int) -> None:
        if progress is not None:
            progress((len(trajectories) + count / max(1, race.max_steps)) / len(race.rules))

    with np.errstate(all="ignore"):  # what overflows is reported as divergence
        for name, rule in race.rules.items():
            trajectories[name] = _run(race, rule, noise, report)
    return trajectories


def _run(race: Race, rule: Rule, noise: np.ndarray | None, report: Callable[[int], None]) -> Trajectory:
    number: Any = float if race.dtype == "float64" else np.float32
    value, gradient, step = race.surface.value, race.surface.gradient, rule.step
    target = race.surface.floor + race.tolerance
    pairs = noise.tolist() if noise is not None and number is float else noise
    schedule = race.schedule, race.warmup, race.max_steps
    scheduled = is_scheduled(*schedule)
    oracle = RaceOracle(race.surface) if rule.uses_oracle else None

    x, y = map(number, race.start)
    state = rule.start(x, y)
    has_factor, has_matrix = isinstance(rule, FOP), rule.matrix(state) is not None
    points, losses, factors, matrices = [], [], [], []
    for count in range(race.max_steps + 1):
        if not count % _PROGRESS_EVERY:
            report(count)
        f = value(x, y)
        points.append((x, y))
        losses.append(f)
        if has_factor:
            factors.append(state[0].rows)
        if has_matrix:
            matrices.append(rule.matrix(state))
        if f < target:
            status, reason = "converged", f"f < {target:g} at step {count:,}"
            break
        if not math.isfinite(f + x + y):
            status, reason = "diverged", _not_finite(race, count, f)
            break
        if count == race.max_steps:
            status, reason = "step limit", f"not converged in {count:,} steps"
            break
        if rule.needs_floor and race.surface.floor == -math.inf:
            status, reason = "diverged", NO_FLOOR
            break
        if scheduled:
            step = scaled(rule, rate_factor(*schedule, count)).step
        if oracle is not None:
            if pairs is not None:
                oracle.noise = pairs[count]
            x, y, state = step(x, y, oracle, state)
            continue
        gx, gy = gradient(x, y)
        if pairs is not None:
            dx, dy = pairs[count]
            gx, gy = gx + dx, gy + dy
        x, y, state = step(x, y, gx, gy, state)

    ends = [(math.hypot(x - mx, y - my), (mx, my)) for mx, my in race.surface.minima] if math.isfinite(x + y) else []
    nearest = min(ends, default=(math.inf, None))
    return Trajectory(
        points=np.array(points, dtype=race.dtype),
        losses=np.array(losses, dtype=race.dtype),
        status=status,
        reason=reason,
        minimum=nearest[1] if nearest[0] < NEAR else None,
        factors=np.array(factors, dtype=race.dtype) if has_factor else None,
        preconditioners=np.array(matrices, dtype=race.dtype) if has_matrix else None,
    )


def _not_finite(race: Race, count: int, f: Any) -> str:
    """Return why a race ended where f, or the point, is not finite."""
    if count == 0 and not math.isfinite(f):
        what, (x, y) = "not defined" if math.isnan(f) else "infinite", race.start
        return f"no race: f is {what} at the start ({x:g}, {y:g}); choose another start"
    return f"diverged at step {count:,}: {'point' if math.isfinite(f) else 'loss'} not finite"
