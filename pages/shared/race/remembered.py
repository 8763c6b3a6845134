"""A race in plain values, which can be hashed, and its runs, remembered by them."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, TypeVar

import numpy as np

from fop_core.figures import landscape
from fop_core.figures.bands import Band, band
from fop_core.figures.errors import Errors, errors
from fop_core.figures.landscape import Box, Landscape
from fop_core.figures.learned import PreconditionerPath, learned
from fop_core.figures.motion import Motion, motion
from fop_core.figures.trajectories import DrawnTrajectory, downsampled
from pages.shared.race.rules import KINDS
from toy_functions import Race, expressions, race
from toy_functions.lowest import with_floor
from toy_functions.quadratic_model import model_at
from toy_functions.racing import noise_of_steps
from toy_functions.surfaces import SURFACES, Surface, quadratic
from toy_functions.tuning import Sweep, sweep

OWN = "own"
KEPT = 128  # results, and sweeps, that are remembered

Progress = Callable[[float], object] | None
Kept = TypeVar("Kept")

SurfaceSpec = tuple[Any, ...]
"""(name,) of one in SURFACES | ("quadratic", condition, angle) | ("own", formula, floor, view).

A floor of None is looked for."""


@lru_cache(maxsize=64)
def surface(spec: SurfaceSpec) -> Surface:
    """Return the surface.

    Raises:
        ExpressionError: the formula is none.
        ValueError: the view is no box.
    """
    match spec:
        case (str(name), str(formula), floor, tuple(view)) if name == OWN:
            made = expressions.parse(formula, view=view)
            return with_floor(made) if floor is None else replace(made, floor=floor)
        case ("quadratic", condition, angle):
            return quadratic(condition, angle)
        case (name,):
            return SURFACES[name]
    raise AssertionError(spec)


@dataclass(frozen=True)
class Spec:
    """What decides a race; see ``toy_functions.Race``.

    Attributes:
        rules: (name in KINDS, its settings as pairs) of each.
        seeds: with how many seeds of the noise, ``seed`` and those after it; the race is that of the first.
    """

    surface: SurfaceSpec
    start: tuple[float, float]
    rules: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
    tolerance: float
    max_steps: int
    dtype: str
    noise: float
    seed: int
    schedule: str = "constant"
    warmup: int = 0
    seeds: int = 1

    def race(self) -> Race:
        """Return the race."""
        return Race(
            surface(self.surface),
            self.start,
            {name: KINDS[name](**dict(settings)) for name, settings in self.rules},
            self.tolerance,
            self.max_steps,
            self.dtype,
            self.noise,
            self.seed,
            schedule=self.schedule,
            warmup=self.warmup,
        )


@dataclass(frozen=True)
class Result:
    """A rule's run, and how it ended.

    Attributes:
        run: to draw.
        motion: to play.
        learned: of a rule that learns a P.
        reason: why it ended.
        end: the last point.
        minimum: the known minimum there, or None.
        errors: along the eigenvectors of the Hessian at the minimum that it ends at; None where it ends at none.
    """

    run: DrawnTrajectory
    motion: Motion
    learned: PreconditionerPath | None
    reason: str
    end: tuple[float, float]
    minimum: tuple[float, float] | None
    errors: Errors | None


_results: OrderedDict[Spec, Result] = OrderedDict()
_sweeps: OrderedDict[Spec, Sweep] = OrderedDict()
_bands: OrderedDict[Spec, Band] = OrderedDict()


def results(spec: Spec, progress: Progress = None) -> list[Result]:
    """Return the result of every rule; one whose settings have not changed is not run again.

    Args:
        spec: of the race.
        progress: called now and then with the share that is done; what it raises ends the race.
    """
    quiet = _quiet(spec)
    done: list[Result] = []
    part_progress = _part_of(progress, done, len(spec.rules))
    for rule in spec.rules:
        one = replace(quiet, rules=(rule,))
        done.append(_remembered(_results, one, partial(_result, one, part_progress)))
    return done


def _quiet(spec: Spec) -> Spec:
    """Return the race with one seed, which is 0 where there is no noise."""
    return replace(spec, seeds=1, seed=spec.seed if spec.noise else 0)


def bands(spec: Spec, progress: Progress = None) -> list[Band]:
    """Return the band of every rule's runs with all seeds of a race; none where it has one seed.

    Args:
        spec: of the race.
        progress: as of ``results``.
    """
    if spec.seeds == 1:
        return []
    done: list[Band] = []
    part_progress = _part_of(progress, done, len(spec.rules))
    for rule in spec.rules:
        one = replace(spec, rules=(rule,))
        done.append(_remembered(_bands, one, partial(_band, one, part_progress)))
    return done


def _band(spec: Spec, progress: Progress) -> Band:
    losses: list[np.ndarray] = []
    statuses: list[str] = []
    part_progress = _part_of(progress, losses, spec.seeds)
    for seed in range(spec.seed, spec.seed + spec.seeds):
        [(rule, trajectory)] = race(replace(spec, seed=seed).race(), part_progress).items()
        losses.append(trajectory.losses)
        statuses.append(trajectory.status)
    return band(rule, losses, statuses)


def _part_of(progress: Progress, done: Collection[Any], count: int) -> Progress:
    """Return the progress of the next of so many parts, some of which are done."""
    return None if progress is None else lambda share: progress((len(done) + share) / count)


def _remembered(kept: OrderedDict[Any, Kept], key: Any, make: Callable[[], Kept]) -> Kept:
    """Return what is kept under a key, or make it and keep it."""
    value = kept.pop(key, None) or make()
    kept[key] = value  # the latest stand last
    while len(kept) > KEPT:
        kept.popitem(last=False)
    return value


def _result(spec: Spec, progress: Progress) -> Result:
    of_spec = spec.race()
    [(name, trajectory)] = race(of_spec, progress).items()
    objective, points, matrices = surface(spec.surface), trajectory.points, trajectory.preconditioners
    end = float(points[-1][0]), float(points[-1][1])
    model = model_at(objective, end)
    noise = noise_of_steps(of_spec, of_spec.rules[name], points)
    return Result(
        downsampled(name, points, trajectory.losses, trajectory.status, matrices),
        motion(points, trajectory.losses, matrices, objective.gradient, objective.hessian, noise),
        None if matrices is None else learned(points, matrices, objective.gradient, objective.hessian),
        trajectory.reason,
        end,
        trajectory.minimum,
        None if model is None else errors(points, model.minimum, model.hessian, model.exact),
    )


@lru_cache(maxsize=64)
def ground(spec: SurfaceSpec, box: Box) -> Landscape:
    """Return the landscape of a surface over a box."""
    objective = surface(spec)
    return landscape.survey(objective.value, objective.floor, box)


def picture(spec: Spec, runs: list[DrawnTrajectory]) -> Landscape:
    """Return the ground of a race: its surface's view, grown to hold the start and what did not diverge."""
    paths: list[np.ndarray] = [run.path for run in runs if run.status != "diverged"]
    return ground(spec.surface, landscape.frame(surface(spec.surface).view, spec.start, paths))


SWEPT = 5_000
"""The most steps of a run in a sweep: what needs more is nobody's best."""


def swept_steps(spec: Spec) -> int:
    """Return the step limit of a sweep: ``SWEPT``, unless the race's is lower, or what a schedule runs along."""
    along = spec.schedule != "constant" or spec.warmup > SWEPT
    return spec.max_steps if along else min(spec.max_steps, SWEPT)


def sweeps(spec: Spec, progress: Progress = None) -> dict[str, Sweep]:
    """Return what each rule needs at each learning rate, by its name; a rule is swept once, whatever its own rate.

    Args:
        spec: of the race.
        progress: as of ``results``.
    """
    quiet = _quiet(spec)
    swept: dict[str, Sweep] = {}
    part_progress = _part_of(progress, swept, len(spec.rules))
    for name, settings in spec.rules:
        others = tuple((key, 1.0 if key == KINDS[name].main_rate else value) for key, value in settings)
        one = replace(quiet, rules=((name, others),), max_steps=swept_steps(spec))
        swept[name] = _remembered(_sweeps, one, partial(_sweep, one, part_progress))
    return swept


def _sweep(spec: Spec, progress: Progress) -> Sweep:
    [result] = sweep(spec.race(), progress=progress).values()
    return result


def at_best(spec: Spec, progress: Progress = None) -> Spec:
    """Return the race with each rule at its best learning rate; one that never converges keeps its own."""
    best = {name: swept.best for name, swept in sweeps(spec, progress).items()}
    rules = tuple(
        (
            name,
            tuple((key, (best[name] or value) if key == KINDS[name].main_rate else value) for key, value in settings),
        )
        for name, settings in spec.rules
    )
    return replace(spec, rules=rules)


def rate(spec: Spec, rule: str) -> float:
    """Return the rate of a rule that a sweep varies."""
    return float(dict(dict(spec.rules)[rule])[KINDS[rule].main_rate])
