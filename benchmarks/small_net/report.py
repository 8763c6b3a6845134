"""What was measured: accuracies over fresh seeds, and their paired differences to SGD's."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

from benchmarks.small_net.plan import COMMON, EPOCHS, FOP_RULES, METHODS
from benchmarks.small_net.runs import Runs, Unfinished, confirm, tune
from fop_core.runs.compare import mean_and_std
from fop_core.runs.run import Run


def measured(run: Run) -> dict[str, Any]:
    """Return a run's test accuracy after ``EPOCHS``, NaN where it did not get there, its seconds and peak memory.

    Seconds are those of the CPU that its process used, with loading, evaluating and snapshots, whatever runs beside it;
    of a run that was stopped and went on, those of the process that ended it.
    """
    after: dict[float, float] = {}
    if "test_accuracy" in run.metrics:
        after = dict(zip(*(column.tolist() for column in run.metrics.over("epoch", "test_accuracy"))))
    used = re.search(r"peak memory (\d+) MB, CPU (\d+) s", run.labels["notes"])
    peak, seconds = map(float, used.groups()) if used else (math.nan, math.nan)
    return {
        "id": run.id,
        "accuracy": [after.get(epoch, math.nan) for epoch in EPOCHS],
        "cpu_seconds": seconds,
        "peak_memory_mb": peak,
    }


def difference(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Return mean, standard error and 95 % interval of paired differences, by Student's t with n - 1 degrees.

    Args:
        ours: of each seed, [n], n > 1.
        theirs: of the same seeds, [n].
    """
    pairs = np.subtract(ours, theirs)
    mean, error = pairs.mean(), pairs.std(ddof=1) / math.sqrt(len(pairs))
    half = stats.t.ppf(0.975, len(pairs) - 1) * error
    each = {"mean": mean, "standard_error": error, "low": mean - half, "high": mean + half}
    return {name: float(number) for name, number in each.items()} | {"n": len(pairs)}


def report(runs: Runs) -> dict[str, Any]:
    """Return what was measured, by method; which runs are missing of those that have not ended.

    Args:
        runs: of which none is trained.
    """
    results: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for method in METHODS:
        try:
            tuned = tune(method, runs)
            each = [measured(run) for run in confirm(method, tuned, runs)]
        except Unfinished as error:
            missing[method] = str(error)
            continue
        results[method] = {
            "rate": tuned.rate,
            "rho": tuned.rho,
            "held_out_accuracy": tuned.accuracy,
            "rates": tuned.rates,
            "rhos": tuned.rhos,
            "runs": each,
            "accuracy": [
                dict(zip(("mean", "std"), mean_and_std(column)), n=len(each))
                for column in zip(*(run["accuracy"] for run in each))
            ],
            "cpu_seconds": float(np.mean([run["cpu_seconds"] for run in each])),
            "peak_memory_mb": float(np.max([run["peak_memory_mb"] for run in each])),
        }
    made = {"epochs": EPOCHS, "settings": COMMON, "methods": results, "missing": missing}
    if "sgd" not in results:
        return made
    accuracies = {method: list(zip(*(run["accuracy"] for run in of["runs"]))) for method, of in results.items()}
    for method in results.keys() - {"sgd"}:
        pairs = zip(accuracies[method], accuracies["sgd"])
        results[method]["difference"] = [difference(ours, theirs) for ours, theirs in pairs]
    if rules := [method for method in FOP_RULES if method in results]:
        chosen = max(rules, key=lambda method: results[method]["held_out_accuracy"])
        leads = [
            epoch for epoch, each in zip(EPOCHS, results[chosen]["difference"]) if each["mean"] > each["standard_error"]
        ]
        made |= {"chosen": chosen, "ahead_after": leads}
    return made


def markdown(made: Mapping[str, Any]) -> list[str]:
    """Return a report as tables, accuracies in percent."""
    epochs = [f"after {epoch}" for epoch in made["epochs"]]
    head = ["method", "ε", "ρ", "held out", *epochs, "CPU s", "MB"]
    rows, differences = [], []
    for method, of in made["methods"].items():
        rho = "–" if of["rho"] is None else f"{of['rho']:g}"
        cells = [method, f"{of['rate']:g}", rho, percent(of["held_out_accuracy"])]
        cells += [f"{percent(each['mean'])} ± {percent(each['std'])}" for each in of["accuracy"]]
        rows.append([*cells, *(_whole(of[name]) for name in ("cpu_seconds", "peak_memory_mb"))])
        if "difference" in of:
            parts = [[percent(each[name], "+") for name in ("mean", "low", "high")] for each in of["difference"]]
            differences.append([method, *(f"{mean} [{low}, {high}]" for mean, low, high in parts)])
    lines = _table(head, rows)
    if differences:
        lines += ["", "Less SGD, seed by seed, with its 95 % interval, in points:", ""]
        lines += _table(["method", *epochs], differences)
    if "chosen" in made:
        leads = ", ".join(map(str, made["ahead_after"])) or "none"
        lines += ["", f"Of FOP's rules the held-out images choose `{made['chosen']}`. It is ahead of SGD by more than"]
        lines += [f"the standard error of the difference after epochs: {leads}, of {', '.join(map(str, EPOCHS))}."]
    return lines + [f"\nNot yet: {method}, {what}." for method, what in made["missing"].items()]


def percent(share: float | None, sign: str = "") -> str:
    """Return a share in percent, without the unit; a dash where it is not finite."""
    return "–" if share is None or not math.isfinite(share) else f"{100 * share:{sign}.2f}".replace("-", "−")


def _whole(number: float) -> str:
    return f"{number:.0f}" if math.isfinite(number) else "–"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def plain(content: Any) -> Any:
    """Return what JSON can hold: null for what is not finite."""
    if isinstance(content, Mapping):
        return {f"{key:g}" if isinstance(key, float) else key: plain(each) for key, each in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain(each) for each in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content
