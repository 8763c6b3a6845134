"""The Basins page's map, six optimizers from 256 x 256 starts, against single races from some of the same starts."""

import argparse

import numpy as np

from benchmarks import measure
from fop_core.optim.rules import FOP, SGD, SHD, Adam, Momentum, RMSProp
from toy_functions import Race, Trajectory, race
from toy_functions.basins import STATUS, basins, grid
from toy_functions.surfaces import HIMMELBLAU

RULES = {
    "SGD": SGD(0.001),
    "Momentum": Momentum(0.001),
    "RMSProp": RMSProp(0.01),
    "Adam": Adam(0.05),
    "S-HD": SHD(0.001, 0.001),
    "FOP": FOP(0.001, 0.01, "factored"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=256, help="columns and rows")
    parser.add_argument("--steps", type=int, default=500, help="step limit")
    parser.add_argument("--starts", type=int, default=30, help="single races of each optimizer, from cells drawn anew")
    parser.add_argument("--device", help="a torch device; numpy without")
    chosen = parser.parse_args()
    load_before = measure.load()
    x, y = grid(HIMMELBLAU.view, chosen.cells, chosen.cells)
    cells = np.random.default_rng(0).choice(x.size, chosen.starts, replace=False)

    def batched() -> dict:
        size = {"columns": chosen.cells, "rows": chosen.cells}
        return basins(HIMMELBLAU, RULES, **size, max_steps=chosen.steps, device=chosen.device)

    def single() -> list[dict[str, Trajectory]]:
        starts = zip(x.flat[cells].tolist(), y.flat[cells].tolist())
        return [race(Race(HIMMELBLAU, start, RULES, max_steps=chosen.steps)) for start in starts]

    batches, singles = batched(), single()
    if chosen.device is None:
        for name, batch in batches.items():
            ends = [(trajectories[name].steps, trajectories[name].status) for trajectories in singles]
            same = [(batch.steps.flat[cell], STATUS[batch.status.flat[cell]]) for cell in cells]
            assert ends == same, "both must run the same races"
    samples = measure.by_turns({"map": batched, "single_races": single}, chosen.rounds)
    steps = sum(int(batch.steps.sum()) for batch in batches.values())
    ns = [1e9 * seconds / steps for seconds in samples["map"]]
    each = sum(trajectories[name].steps for trajectories in singles for name in RULES)
    measure.report(
        load_before,
        {
            "surface": HIMMELBLAU.name,
            "optimizers": list(RULES),
            "cells": f"{chosen.cells} x {chosen.cells}",
            "step_limit": chosen.steps,
            "single_races": chosen.starts * len(RULES),
            "device": chosen.device or "numpy",
            "rounds": chosen.rounds,
        },
        {
            "single_race_vs_path": measure.ratio(samples, "single_races", "map") * x.size / chosen.starts,
            "single_step_vs_step": measure.ratio(samples, "single_races", "map") * steps / each,
        },
        {
            "map": measure.value(samples["map"], "s"),
            "single_races": measure.value(samples["single_races"], "s"),
            "step_of_a_path": measure.value(ns, "ns"),
        },
        samples,
    )


if __name__ == "__main__":
    main()
