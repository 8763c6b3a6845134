"""SGD preconditioned by the final P of a FOP run from step 0 on: what of FOP is P, and what is learning it."""

from collections.abc import Iterable
from typing import Any

import torch
from pydantic import BaseModel, Field
from torch import Tensor

from fop_core import FOP
from fop_core.runs import learned
from fop_core.runs.run import Run
from fop_core.training import config
from fop_core.training.plugins import path


class Settings(BaseModel):
    """The run whose P is taken, and SGD's own settings."""

    run: str = Field(description="the directory of a FOP run; a relative path is from where the run was submitted")
    lr: float = Field(0.05, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)


def frozen(base: torch.optim.Optimizer, run: Run) -> FOP:
    """Return a FOP that has the last M of a run, scaled as there, and learns nothing.

    Args:
        base: what it is around.
        run: what learned M.

    Raises:
        ValueError: where the run has no FOP, or the base's parameters are others.
    """
    fop = config.parse(run.config).fop
    if fop is None:
        raise ValueError(f"{run.path.name} was trained without FOP: name the directory of a run that has a P")
    matrices = learned.of_run(run)
    if not matrices.layers:
        raise ValueError(f"{run.path.name} has no snapshot of what was learned: {matrices.missing}")
    twin = FOP(base, **fop.model_dump() | {"hyper_lr": 0.0})
    twin.load_factors({name: torch.tensor(layer.M[-1]) for name, layer in matrices.layers.items()})
    return twin


def make_optimizer(named_parameters: Iterable[tuple[str, Tensor]], settings: Settings, total_steps: int) -> FOP:
    """Return the optimizer, as ``training.plugins`` asks for it."""
    of_sgd: dict[str, Any] = {"lr": settings.lr, "momentum": settings.momentum, "weight_decay": settings.weight_decay}
    return frozen(torch.optim.SGD(named_parameters, **of_sgd), Run(path(settings.run)))
