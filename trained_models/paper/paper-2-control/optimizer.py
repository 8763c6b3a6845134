"""SGD whose gradients are as long as P would make them, and turned nowhere: what of FOP is the length of its steps.

In each layer that has a P, g is multiplied by one number c, before momentum, as P is:

    start     c = tr(P) / n of the first P, by which it lengthens the part of P g along g, on average
    trace     the same of a run's snapshots, on straight lines between them: a rate that follows tr(P)
    length    c = ||P g|| / ||g|| of this very gradient, by the last P: each g as long as that P would make it

P is that of a FOP run; where none is named, I + M M^T as FOP draws it with the seed of this run.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch import Tensor

from fop_core import FOP
from fop_core.reproduction.controls.frozen import frozen
from fop_core.runs import learned
from fop_core.runs.run import Run
from fop_core.training.plugins import path


class Settings(BaseModel):
    """What the file is told: where P is from, and SGD's own."""

    run: str = Field("", description="the directory of a FOP run; a relative path is from where it was submitted")
    rank: int = Field(16, ge=1, description="k of a P that is drawn")
    init_std: float = Field(0.3, ge=0, description="standard deviation of its M")
    rule: Literal["start", "trace", "length"] = Field("start", description="what is multiplied: see the file's head")
    lr: float = Field(0.05, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)


class StepLength(torch.optim.SGD):
    """SGD that takes c g for g in the layers that a run preconditioned.

    Args:
        named_parameters: name and parameter of all.
        settings: the plug-in's.

    Raises:
        ValueError: where the run has no P, or other layers.
    """

    def __init__(self, named_parameters: Iterable[tuple[str, Tensor]], settings: Settings) -> None:
        self.named = dict(named_parameters)
        of_sgd: dict[str, Any] = {"momentum": settings.momentum, "weight_decay": settings.weight_decay}
        super().__init__(self.named.items(), lr=settings.lr, **of_sgd)
        self.param_groups[0]["steps"] = 0
        self.rule = settings.rule
        base = torch.optim.SGD(self.named.items(), lr=1.0)
        if settings.run:
            run = Run(path(settings.run))
            self.twin = frozen(base, run)  # it never steps
            layers = learned.of_run(run).layers
            self.curves = {name: (layer.spectrum_steps, layer.spectra.mean(-1)) for name, layer in layers.items()}
            return
        if settings.rule == "trace":
            raise ValueError("rule=trace follows a run: name its directory, run=...")
        drawn = {"rank": settings.rank, "init_std": settings.init_std}
        self.twin = FOP(base, "low_rank", hyper_lr=0.0, seed=torch.initial_seed(), **drawn)
        traces = {name: float(P.diagonal().mean()) for name, P in self.twin.preconditioners().items()}
        self.curves = {name: (np.zeros(1), np.array([trace])) for name, trace in traces.items()}

    def factors(self) -> dict[str, float | Tensor]:
        """Return c by the names of the layers, for the gradients that are there."""
        if self.rule == "length":
            turned = self.twin.preconditioned_gradients()
            return {name: Pg.norm() / self.named[name].grad.norm().clamp_min(1e-30) for name, Pg in turned.items()}  # type: ignore[union-attr]
        step = 0 if self.rule == "start" else self.param_groups[0]["steps"]
        return {name: float(np.interp(step, steps, traces)) for name, (steps, traces) in self.curves.items()}

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step. A closure evaluates the loss and its gradients; what it returned is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        unscaled: list[tuple[Tensor, Tensor]] = []
        for name, c in self.factors().items():
            parameter = self.named[name]
            if parameter.grad is not None:
                unscaled.append((parameter, parameter.grad))
                parameter.grad = parameter.grad * c
        super().step()
        for parameter, g in unscaled:
            parameter.grad = g
        self.param_groups[0]["steps"] += 1
        return loss


def make_optimizer(named_parameters: Iterable[tuple[str, Tensor]], settings: Settings, total_steps: int) -> StepLength:
    """Return the optimizer, as ``training.plugins`` asks for it."""
    return StepLength(named_parameters, settings)
