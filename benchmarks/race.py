"""Toy races on update rules against the same races by torch.optim and fop_core.FOP, with the same gradients."""

import argparse
import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from benchmarks import measure
from fop_core import FOP
from toy_functions import Race, race
from toy_functions.presets import PRESETS


def by_torch_optim(settings: Race) -> dict[str, int]:
    """Return the steps of a Figure 1 race run by torch optimizers."""
    counts = {}
    surface, dtype = settings.surface, getattr(torch, settings.dtype)
    rules: Mapping[str, Any] = settings.rules
    for name, rule in rules.items():
        theta = torch.tensor(settings.start, dtype=dtype, requires_grad=True)
        if name == "Adam":
            optimizer: torch.optim.Optimizer = torch.optim.Adam([theta], lr=rule.lr)
        else:
            optimizer = torch.optim.SGD([theta], lr=rule.lr)
        if name == "FOP":
            optimizer = FOP(optimizer, rule.preconditioner, "full", rule.hyper_lr, "sgd", trace=rule.trace)
        steps = 0
        while surface.value(*(point := theta.tolist())) >= settings.tolerance:
            theta.grad = torch.tensor(surface.gradient(*point), dtype=dtype)
            optimizer.step()
            steps += 1
        counts[name] = steps
    return counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    load_before = measure.load()
    single = list(PRESETS.values())
    double = [dataclasses.replace(preset, dtype="float64") for preset in single]
    for preset in double:
        ours = {name: trajectory.steps for name, trajectory in race(preset).items()}
        assert by_torch_optim(preset) == ours, "both must run the same race"
    samples = measure.by_turns(
        {
            "rules_float64": lambda: [race(preset) for preset in double],
            "rules_float32": lambda: [race(preset) for preset in single],
            "torch_optim": lambda: [by_torch_optim(preset) for preset in double],
        },
        chosen.rounds,
    )
    measure.report(
        load_before,
        {"races": list(PRESETS), "dtype": "float64, and float32 where it says so", "rounds": chosen.rounds},
        {"rules_vs_torch_optim": measure.ratio(samples, "rules_float64", "torch_optim")},
        {name: measure.value([1e3 * s for s in times], "ms") for name, times in samples.items()},
        samples,
    )


if __name__ == "__main__":
    main()
