"""Lion (Chen et al. 2023): the sign of a mean of gradients, with a decay of its own."""

import torch
from pydantic import BaseModel, Field

RULE = "x = x - lr*sign(0.9*m + 0.1*g); m = 0.99*m + 0.01*g"  # the same over a surface


class Settings(BaseModel):
    lr: float = Field(1e-4, gt=0)
    beta1: float = Field(0.9, ge=0, lt=1, description="of the mean whose sign is taken")
    beta2: float = Field(0.99, ge=0, lt=1, description="of the mean that is kept")
    weight_decay: float = Field(0.0, ge=0)


class Lion(torch.optim.Optimizer):
    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.sub_(m.lerp(p.grad, 1 - group["beta1"]).sign(), alpha=group["lr"])
                m.lerp_(p.grad, 1 - group["beta2"])


def make_optimizer(named_parameters, settings, total_steps):
    return Lion(named_parameters, settings.model_dump())
