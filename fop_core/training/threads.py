"""CPU threads of a run: as many as its settings say, as its first attempt had, or as suit the network and the cores.

A second thread pays where a step is long enough to be shared. OpenMP's threads wait for each other while one of them
has no core, so a small network on a busy machine is slowed down by it, see docs/training.md.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.training.config import TrainConfig, of_run

GRAIN = 2e8
"""Floating-point operations of a step for which a thread pays: some 3 ms of one core."""
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """Return how many cores this process may use: by its affinity, and by its container's share of the CPU."""
    there = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # not in a container, or "max"
        quota, period = map(int, _QUOTA.read_text().split())
        there = min(there, quota // period)
    return max(1, there)


def suitable(settings: TrainConfig) -> int | None:
    """Return how many threads a step of these settings can use; None for as many as there are."""
    if settings.model.name != "mlp":
        return None
    units = max(1, round(100 * settings.model.width))
    layers = [(784, units), (units, units), (units, units), (units, 10)]
    operations = 6 * settings.batch_size * sum(n * m for n, m in layers)
    fop = settings.fop
    if fop is not None and fop.preconditioner not in ("scalar", "diagonal", "mean_removing"):
        rank = fop.rank if fop.preconditioner == "low_rank" else 784
        operations += 10 * sum(n * min(rank, n) * m for n, m in layers)  # five products
    return max(1, int(operations // GRAIN))


def choose(settings: TrainConfig, most: int) -> int:
    """Return the threads of a new run whose settings leave that open.

    Args:
        settings: of the run.
        most: cores that it may use; OMP_NUM_THREADS, where it is set, is a bound as well.
    """
    wish = os.environ.get("OMP_NUM_THREADS", "")
    bounds = [most, suitable(settings), int(wish) if wish.isdecimal() else None]
    return max(1, min(bound for bound in bounds if bound is not None))


def of(run: Run, most: int) -> int:
    """Return the threads of a run's next attempt, the same as of its first one.

    Sums are rounded in another order by another number of threads: a run that is resumed must not differ by that, nor a
    fork or a control from its parent.

    Args:
        run: the run.
        most: cores that a new one may use.

    Raises:
        ConfigError, DamagedFile, FileNotFoundError: where its run.json does not do.
    """
    settings = of_run(run)
    return settings.threads or recorded(run) or _parents(run) or choose(settings, most)


def recorded(run: Run) -> int:
    """Return the threads of a run's first attempt; 0 where there was none, or its record cannot be read."""
    try:
        return next((int(run.attempt(n).get("threads", 0)) for n in run.attempt_numbers()), 0)
    except (DamagedFile, OSError):
        return 0


def inherited(run: Run) -> dict[str, int]:
    """Return what the lineage of a fork or a control of a run says of threads, where the settings leave them open."""
    count = 0 if of_run(run).threads else recorded(run) or _parents(run)
    return {"threads": count} if count else {}


def _parents(run: Run) -> int:
    count = int(run.about["lineage"].get("threads", 0))
    return count if count <= 1024 else 0
