"""The fair race: each rule at the learning rate that suits it best, found by a sweep from the race's own start.

The rate is the rule's ``main_rate``: its learning rate, or that of P where the whole step is learned.

    found = sweep(presets.PAPER_BOOTH)
    found["SGD"].best, found["SGD"].fewest                     # 0.089, 43
    race(tuned(presets.PAPER_BOOTH, found))

A sweep runs in float64. In a race in float32 the same rate can need a few steps more or less, as single races of the
two kinds do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from toy_functions.basins import CONVERGED, descend_each
from toy_functions.racing import Race, gradient_noise

LOWEST, HIGHEST, PER_DECADE = 1e-5, 10.0, 20
"""Of the learning rates that a sweep tries by default."""


@dataclass(frozen=True)
class Sweep:
    """What one rule needs at each learning rate.

    Attributes:
        rates: learning rates, ascending, [n].
        steps: updates applied before the race ended, int32 [n].
        status: CONVERGED | STEP_LIMIT | DIVERGED of ``basins``, uint8 [n].

    Example:
        >>> import numpy as np
        >>> from toy_functions import presets
        >>> from toy_functions.tuning import sweep
        >>> tried = sweep(presets.PAPER_BOOTH, np.array([0.01, 0.1, 1.0]))["SGD"]
        >>> tried.rates, tried.steps
        (array([0.01, 0.1 , 1.  ]), array([414,  44, 125], dtype=int32))
        >>> tried.status  # converged, converged, diverged
        array([0, 0, 2], dtype=uint8)
    """

    rates: np.ndarray
    steps: np.ndarray
    status: np.ndarray

    @property
    def best(self) -> float | None:
        """The rate with the fewest steps among those that converge; None where none does.

        Of several with equally few it is the middle one, or the lower of the two in the middle: the farthest from rates
        that need more.

        Example:
            >>> import numpy as np
            >>> from toy_functions.tuning import Sweep
            >>> rates, steps = np.array([0.001, 0.01, 0.1, 1.0]), np.array([900, 90, 90, 3])
            >>> Sweep(rates, steps, status=np.array([0, 0, 0, 2], np.uint8)).best  # at 1.0 it diverged
            0.01
        """
        fewest = self.fewest
        if fewest is None:
            return None
        equal = self.rates[(self.status == CONVERGED) & (self.steps == fewest)]
        return float(equal[(len(equal) - 1) // 2])

    @property
    def beside(self) -> np.ndarray:
        """How the rates next to ``best`` ended, uint8: [2], [1] where it is the first or the last; [0] without one.

        Where they do not converge, ``best`` is the fastest rate by luck, and none to recommend.

        Example:
            >>> import numpy as np
            >>> from toy_functions.basins import STATUS
            >>> from toy_functions.tuning import Sweep
            >>> tried = Sweep(np.array([0.01, 0.1, 1.0]), np.array([90, 9, 3]), np.array([0, 0, 2], np.uint8))
            >>> tried.best, [STATUS[code] for code in tried.beside]
            (0.1, ['converged', 'diverged'])
        """
        if self.best is None:
            return self.status[:0]
        at = int(np.searchsorted(self.rates, self.best))
        return np.concatenate([self.status[:at][-1:], self.status[at + 1 :][:1]])

    @property
    def converged_steps(self) -> np.ndarray:
        """The steps at each rate, float64 [n]; NaN where it did not converge.

        Example:
            >>> import numpy as np
            >>> from toy_functions.tuning import Sweep
            >>> Sweep(np.array([0.01, 0.1, 1.0]), np.array([90, 9, 3]), np.array([0, 0, 2], np.uint8)).converged_steps
            array([90.,  9., nan])
        """
        return np.where(self.status == CONVERGED, self.steps, np.nan).astype(np.float64)

    @property
    def fewest(self) -> int | None:
        """The steps at ``best``; None where no rate converges.

        Example:
            >>> import numpy as np
            >>> from toy_functions.tuning import Sweep
            >>> Sweep(np.array([0.01, 0.1, 1.0]), np.array([90, 9, 3]), np.array([0, 0, 2], np.uint8)).fewest
            9
        """
        return min(self.steps[self.status == CONVERGED].tolist(), default=None)


def sweep(
    race: Race, rates: np.ndarray | None = None, progress: Callable[[float], object] | None = None
) -> dict[str, Sweep]:
    """Run every rule of a race from its start at many learning rates; return what each rule needs by name.

    All else is as in the race: tolerance, step limit and noise, whose draws are the same at all rates. Where the limit
    is too low for a rate, as it soon is for Adam at low ones, the rate has not converged and cannot be the best.

    Args:
        race: whose rules' own learning rates do not matter.
        rates: learning rates, in any order; 20 per decade from 1e-5 to 10 by default.
        progress: see ``basins.descend_each``.

    Raises:
        ValueError: a rate is not a finite number above 0, or there is none.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD, Adam
        >>> from toy_functions import Race
        >>> from toy_functions.surfaces import BOOTH
        >>> from toy_functions.tuning import sweep
        >>> race = Race(BOOTH, BOOTH.start, {"SGD": SGD(1.0), "Adam": Adam(1.0)}, max_steps=2000)
        >>> for name, tried in sweep(race, np.geomspace(0.01, 1.0, 9)).items():
        ...     print(f"{name}: {tried.fewest} steps at {tried.best:.3g}")
        SGD: 44 steps at 0.1
        Adam: 137 steps at 0.562
    """
    if rates is None:
        decades = np.log10(HIGHEST / LOWEST)
        rates = np.geomspace(LOWEST, HIGHEST, round(decades * PER_DECADE) + 1)
    rates = np.unique(rates).astype(np.float64)
    if not (rates.size and np.isfinite(rates).all() and rates[0] > 0):
        raise ValueError("learning rates are finite numbers above 0: give at least one")
    batches = descend_each(
        race.surface,
        {name: replace(rule, **{rule.main_rate: rates}) for name, rule in race.rules.items()},
        *race.start,
        gradient_noise=gradient_noise(race),
        tolerance=race.tolerance,
        max_steps=race.max_steps,
        schedule=race.schedule,
        warmup=race.warmup,
        progress=progress,
    )
    return {name: Sweep(rates, batch.steps, batch.status) for name, batch in batches.items()}


def tuned(race: Race, sweeps: Mapping[str, Sweep]) -> Race:
    """Return a race with each rule at its best learning rate; a rule that has none, or no sweep, keeps its own.

    Published counts and their note are left out: they belong to the race's own rates.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions import Race
        >>> from toy_functions.surfaces import BOOTH
        >>> from toy_functions.tuning import sweep, tuned
        >>> race = Race(BOOTH, BOOTH.start, {"SGD": SGD(1.0)})
        >>> tuned(race, sweep(race, np.array([0.01, 0.1, 1.0]))).rules
        {'SGD': SGD(lr=0.1)}
    """
    best = {name: result.best for name, result in sweeps.items()}
    rules = {
        name: replace(rule, **{rule.main_rate: best.get(name) or getattr(rule, rule.main_rate)})
        for name, rule in race.rules.items()
    }
    return replace(race, rules=rules, published={}, note="")
