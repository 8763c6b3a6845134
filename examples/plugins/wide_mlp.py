"""An MLP of any width and depth, for any data whose samples are vectors or images."""

import math

from pydantic import BaseModel, Field
from torch import nn


class Settings(BaseModel):
    width: int = Field(256, ge=1, description="units of a hidden layer")
    depth: int = Field(2, ge=0, description="hidden layers")


def make_model(settings, data):
    sizes = [math.prod(data.input), *[settings.width] * settings.depth]
    layers = [nn.Flatten()]
    for n, m in zip(sizes, sizes[1:]):
        layers += [nn.Linear(n, m), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], math.prod(data.output)))
