"""A regression on a CSV file with a header: the other columns, scaled, predict one of them."""

from types import SimpleNamespace

import numpy as np
import torch
from pydantic import BaseModel, Field
from torch.nn import functional

from fop_core.training.plugins import path


class Settings(BaseModel):
    file: str = Field(description="the CSV file; a relative path is from where the run was submitted")
    target: str = Field(description="the column to predict")
    test_share: float = Field(0.2, gt=0, lt=1, description="of the rows; the same ones for every seed")


def make_data(settings, seed):
    with open(path(settings.file)) as file:
        names = file.readline().strip().split(",")
        rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
    rows = rows[np.random.default_rng(0).permutation(len(rows))]  # no seed's test rows may tune another one
    split = round(settings.test_share * len(rows))
    rows = (rows - rows[split:].mean(0)) / rows[split:].std(0)  # by what is learned from
    column = names.index(settings.target)
    x, y = torch.tensor(np.delete(rows, column, axis=1)), torch.tensor(rows[:, [column]])

    def explained(outputs, targets):
        return 1 - functional.mse_loss(outputs, targets)  # of a variance of 1

    return SimpleNamespace(
        train=(x[split:], y[split:]),
        test=(x[:split], y[:split]),
        input=(len(names) - 1,),
        output=(1,),
        loss=functional.mse_loss,
        metrics={"explained": explained},
    )
