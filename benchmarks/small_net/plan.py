"""What is run: the small net by each method, at which rates, on which seeds."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fop_core.training import config
from fop_core.training.config import TrainConfig

PRESET = "cifar10-allcnn-small"
METHODS = {
    "sgd": ("momentum", "sgd"),
    "adamw": ("momentum", "adamw"),
    "muon": ("momentum", "muon"),
    "soap": ("momentum", "soap"),
    "shampoo": ("momentum", "shampoo"),
    "fop": ("fop", "sgd"),
    "exponential": ("fop-exponential", "sgd"),
    "osgm": ("fop-osgm", "sgd"),
    "after": ("fop-after", "sgd"),
}
"""Of each contestant the method that it has from the preset, and its base optimizer."""
FOP_RULES = [name for name, (method, _) in METHODS.items() if config.METHODS[method].fop is not None]
COMMON = (
    *("model.width=0.125", "data.limit=20000", "data.augmentation=flip", "epochs=10", "schedule.milestones=[6]"),
    *("batch_size=128", "snapshots=10", "threads=1"),
)
TUNED_ON, CONFIRMED_ON = 0, (1, 2, 3)  # seeds
HELD_OUT = 0.2
EPOCHS = (1, 2, 4, 10)
MOST = 9  # values of one setting


@dataclass(frozen=True)
class Cell:
    """One run of the comparison.

    Attributes:
        method: a key of ``METHODS``.
        rate: epsilon.
        rho: the rate of M; None without FOP.
        seed: of weights, order and flips.
        held_out: share of the images that is held out and measured on; 0 for the test set.
        device: where it is trained.
    """

    method: str
    rate: float
    rho: float | None
    seed: int
    held_out: float
    device: str = "cpu"

    @property
    def name(self) -> str:
        """What the run is called."""
        rho = "" if self.rho is None else f" ρ {self.rho:g}"
        return f"small-net {self.method} ε {self.rate:g}{rho} seed {self.seed}"

    @property
    def changes(self) -> list[str]:
        """What the run changes of the preset with its method, as ``--set`` takes it."""
        method, base = METHODS[self.method]
        optimizer = config.base(PRESET, method, base).model_dump() | {"lr": self.rate}
        own = [] if self.rho is None else [f"fop.hyper_lr={self.rho!r}"]
        seed = [f"seed={self.seed}", f"data.held_out={self.held_out}", f"device={self.device}"]
        return [*COMMON, f"optimizer={json.dumps(optimizer)}", *own, *seed]

    @property
    def config(self) -> TrainConfig:
        """All settings of the run."""
        return config.change(config.preset(PRESET, METHODS[self.method][0]), self.changes)


def defaults(method: str) -> tuple[float, float | None]:
    """Return a method's own epsilon, and rho or None."""
    preset_method, base = METHODS[method]
    fop = config.preset(PRESET, preset_method).fop
    return config.base(PRESET, preset_method, base).lr, None if fop is None else fop.hyper_lr


def sweep(centre: float, scores_of: Callable[[Sequence[float]], Sequence[float]]) -> dict[float, float]:
    """Return scores by value: of five a factor of the root of 10 apart, and of more while the best is an end.

    Args:
        centre: the middle one of the five.
        scores_of: several values, which may be tried side by side: of each its score, the larger the better; minus
            infinity where there is none.
    """

    def value(power: int) -> float:
        return float(f"{centre * 10 ** (power / 2):.3g}")

    first = range(-2, 3)
    scores = dict(zip(first, scores_of([value(power) for power in first])))
    while len(scores) < MOST and (top := best(scores)) in (ends := (min(scores), max(scores))):
        beyond = top - 1 if top == ends[0] else top + 1
        (scores[beyond],) = scores_of([value(beyond)])
    return {value(power): scores[power] for power in sorted(scores)}


def best(scores: Mapping[Any, float]) -> Any:
    """Return the value with the largest score, of several the smallest."""
    return max(sorted(scores), key=scores.__getitem__)


@dataclass(frozen=True)
class Tuned:
    """What a method was found to be best at.

    Attributes:
        rates: accuracy on the held-out images by epsilon, at the method's own rho; minus infinity where it diverged.
        rhos: the same by rho, at the best epsilon; empty without FOP.
    """

    rates: dict[float, float]
    rhos: dict[float, float]

    @property
    def rate(self) -> float:
        """The best epsilon."""
        return best(self.rates)

    @property
    def rho(self) -> float | None:
        """The best rho."""
        return best(self.rhos) if self.rhos else None

    @property
    def accuracy(self) -> float:
        """On the held-out images, with both."""
        return max([*self.rates.values(), *self.rhos.values()])
