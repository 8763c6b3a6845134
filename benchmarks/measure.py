"""Measuring by turns, and the one JSON object that every benchmark prints."""

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from fop_core.training.environment import processor

BUSY = 0.5  # load average above which the machine was not ours alone


def by_turns(contestants: Mapping[str, Callable[[], Any]], rounds: int, warm_up: int = 1) -> dict[str, list[float]]:
    """Return seconds of each call, contestant by contestant in every round, so that a slow minute hits all alike.

    Each round begins with another of them, so that none always follows the same one's cold caches.
    """
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    names = list(contestants)
    for number in range(warm_up + rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            begin = time.perf_counter()
            contestants[name]()
            if number >= warm_up:
                samples[name].append(time.perf_counter() - begin)
        print(f"\rround {max(0, number + 1 - warm_up)} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return samples


def ratio(samples: dict[str, list[float]], one: str, other: str) -> float:
    """Return the median over rounds of one's seconds by the other's in the same round."""
    return statistics.median(a / b for a, b in zip(samples[one], samples[other], strict=True))


def value(numbers: list[float], unit: str) -> dict[str, Any]:
    """Return median and 95th percentile of numbers in a unit."""
    ordered = sorted(numbers)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"median": statistics.median(numbers), "p95": p95, "unit": unit}


def machine(load_before: float) -> dict[str, Any]:
    """Return what this was measured on, and whether something else was running."""
    about: dict[str, Any] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(load_before, 2),
        "loaded": load_before > BUSY,
    }
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        about |= {"torch": torch.__version__, "threads": torch.get_num_threads(), "gpu": gpu}
    if about["loaded"]:
        about["warning"] = (
            f"the load average was {load_before:.2f} before the start: other work disturbed these numbers"
        )
    return about


def report(
    load_before: float, settings: dict[str, Any], ratios: dict[str, float], values: dict[str, Any], samples: Any
) -> None:
    """Print the benchmark's one JSON object."""
    parts = {"settings": settings, "ratios": ratios, "values": values, "samples": samples}
    print(json.dumps({"machine": machine(load_before)} | parts, indent=1))


def load() -> float:
    """Return the load average of the last minute: call it before the work starts."""
    return os.getloadavg()[0]
