"""What a study will cost, and what it can tell, before it is launched: from runs that are there, or from a probe.

A probe is a run of the first steps of one cell, in a process and a folder of its own.
"""

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fop_core import isolated, warm
from fop_core.jobs import queue
from fop_core.runs import compare
from fop_core.runs import store as runs
from fop_core.runs.compare import Settings
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.plugins import Source
from fop_core.runs.run import Run
from fop_core.studies import statistics
from fop_core.studies.analysis import OF_TARGET
from fop_core.studies.binding import existing
from fop_core.studies.cells import Cell, Role, check, configured, count, points
from fop_core.studies.protocol import Study, direction
from fop_core.training.config import TrainConfig

Array = np.ndarray

PROBE_STEPS = 200
PROBE_SECONDS = 300.0  # after which a probe is given up
LOADING = 3.0  # seconds that a program takes until torch is loaded
STARTUP = 0.4 if warm.FORKS else LOADING + 0.4  # that a job takes until it trains; docs/benchmarks.md measures both
UNLIKE = frozenset(
    "seed epochs max_steps checkpoint_minutes checkpoint_steps data.held_out data.path optimizer.lr "
    "optimizer.weight_decay fop.hyper_lr fop.init_std schedule.factor".split()
)
"""Settings on which the cost of a step does not depend."""


@dataclass(frozen=True)
class Cost:
    """What a method's runs cost: the mean over the settings that are tried of it.

    Attributes:
        method: which.
        seconds: of a run, from its start to its end.
        size: bytes on the disk of a run.
        sources: the runs that it was measured on; none of a probe.

    Example:
        >>> from fop_core.studies.predict import Cost
        >>> Cost("fop", seconds=30.0, size=1.2e6, sources=("mnist-fop-rank16-seed0",)).seconds
        30.0
    """

    method: str
    seconds: float
    size: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Prediction:
    """What a study will cost.

    Attributes:
        tuning, reporting: runs.
        there: how many of those of tuning are there already.
        costs: by method; none of one with settings for which there was nothing to measure on.
        seconds: of all that is left, one run at a time, and of loading torch once where jobs are forked; NaN where a
            method's cost is not known.
        slots: runs at a time.
        size: bytes on the disk of all that is left, likewise.

    Example:
        >>> from fop_core.studies.predict import Prediction
        >>> Prediction(tuning=27, reporting=6, there=0, costs={}, seconds=660.0, slots=2, size=4e7).wall_seconds
        330.0
    """

    tuning: int
    reporting: int
    there: int
    costs: dict[str, Cost]
    seconds: float
    slots: int
    size: float

    @property
    def wall_seconds(self) -> float:
        """How long it takes with all slots."""
        return self.seconds / self.slots


def predict(
    study: Study, folder: Path | None = None, probe: bool = False, sources: Mapping[str, Source] | None = None
) -> Prediction:
    """Return what a study will cost.

    Args:
        study: the study.
        folder: the runs folder, whose runs are looked through.
        probe: whether a method is measured now of which no run is there; that takes seconds each.
        sources: the study's plug-ins, by part.

    Raises:
        ConfigError: where the study does not do.
        RunError: where a probe fails.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import predict, protocol
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)
        >>> study = protocol.Study(name="ranks", base={"threads": 1}, seeds=(0, 1, 2, 3))
        >>> cost = predict.predict(study)
        >>> cost.reporting, list(cost.costs), round(cost.costs["fop"].seconds / cost.costs["momentum"].seconds)
        (8, ['momentum', 'fop'], 2)
    """
    folder = runs.runs_folder() if folder is None else folder
    cells = check(study)
    tuning, reporting = count(study)
    there = existing(folder)
    ended = list(_ended(folder))
    kinds: dict[str, Cost | None] = {}
    costs: dict[str, Cost] = {}
    for method in study.methods:
        role: Role = "tune" if study.axes else "report"
        tried = [configured(study, method, point, role) for point in points(study)[method]]
        for settings in tried:
            if (kind := _kind(settings)) not in kinds:
                kinds[kind] = _of_runs(method, settings, ended) or (
                    _probed(study.called(method), settings, sources or {}) if probe else None
                )
        if (cost := _mean(method, [kinds[_kind(settings)] for settings in tried])) is not None:
            costs[method] = cost
    left: list[Cost | None] = [kinds[_kind(cell.config)] for cell in cells if cell.key not in there]
    if study.axes:  # nobody knows yet which settings win
        left += [costs.get(method) for method in study.methods for _ in study.fresh_seeds or ()]
    slots = max(1, len([slot for slot in queue.slots(folder) if queue.fits(slot, _device(cells))]))
    once = LOADING if warm.FORKS and left else 0.0
    return Prediction(
        tuning,
        reporting,
        sum(cell.key in there for cell in cells),
        costs,
        once + sum(math.nan if cost is None else cost.seconds for cost in left),
        slots,
        sum(math.nan if cost is None else cost.size for cost in left),
    )


def _mean(method: str, costs: list[Cost | None]) -> Cost | None:
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return None
    sources = dict.fromkeys(source for cost in known for source in cost.sources)
    seconds, sizes = [cost.seconds for cost in known], [cost.size for cost in known]
    return Cost(method, sum(seconds) / len(known), sum(sizes) / len(known), tuple(sources))


def _device(cells: list[Cell]) -> str:
    return cells[0].config.device if cells else "auto"


def _ended(folder: Path) -> Iterable[tuple[Settings, Run]]:
    """Yield the settings of the runs that have come to their end, newest first."""
    for run, damage in reversed(list(runs.scan(folder))):
        try:
            if not damage and run.state.state == "finished":
                yield compare.settings(run.config), run
        except (DamagedFile, OSError):
            continue


def _alike(one: Settings, other: Settings) -> bool:
    """Return whether a step of two runs costs the same."""
    return all(one.get(name) == other.get(name) for name in (one.keys() | other.keys()) - UNLIKE)


def _kind(settings: TrainConfig) -> str:
    """Return what is the same of all settings whose runs cost the same."""
    content = settings.to_json()
    counted = {name: value for name, value in compare.settings(content).items() if name not in UNLIKE}
    length = (content["epochs"], content["max_steps"], content["data"]["held_out"])
    return repr((sorted(counted.items()), length))


def _of_runs(method: str, settings: TrainConfig, ended: list[tuple[Settings, Run]]) -> Cost | None:
    """Return the cost of a method by the newest run of like settings, scaled by its epochs."""
    wanted = compare.settings(settings.to_json())
    for have, run in ended:
        if not _alike(wanted, have):
            continue
        try:
            cost = _measured(method, settings, run, (str(run.id),))
        except (DamagedFile, OSError, KeyError, ValueError):
            continue
        if cost is not None:
            return cost
    return None


def _measured(method: str, settings: TrainConfig, run: Run, sources: tuple[str, ...]) -> Cost | None:
    """Return what a run with these settings costs, by another one that has ended."""
    progress = run.progress
    steps, epochs = progress.get("steps", 0), progress.get("epoch", 0.0)
    seconds = progress.get("seconds")
    if seconds is None:
        run.metrics.update()
        seconds = float(run.metrics["seconds"].values[-1])
    if not steps or not epochs or not seconds:
        return None
    an_epoch = steps / epochs
    wanted = min(settings.epochs * an_epoch, settings.max_steps or math.inf)
    more = wanted / steps
    measuring = progress.get("evaluation_seconds", 0.0) / max(1.0, epochs) * max(1.0, wanted / an_epoch)
    return Cost(method, STARTUP + seconds * more + measuring, float(run.size()), sources)


def _probed(method: str, settings: TrainConfig, sources: Mapping[str, Source]) -> Cost:
    """Train the first steps of a cell in a process of its own, and scale what that took."""
    with tempfile.TemporaryDirectory() as scratch:
        short = settings.model_copy(update={"max_steps": min(PROBE_STEPS, settings.max_steps or PROBE_STEPS)})
        own = {part: sources[part] for part in settings.plugins}
        run = runs.create(short.to_json(), name="probe", sources=own, folder=Path(scratch))
        begin, at = time.perf_counter(), time.time()
        try:
            ended = subprocess.run(
                isolated.command("fop_core", "train", "--run", str(run.path), "--quiet"),
                env=isolated.environment() | _data_folder(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PROBE_SECONDS,
                cwd="/",
            )
        except subprocess.TimeoutExpired:
            raise RunError(
                f"{method}: {PROBE_STEPS} steps take more than {PROBE_SECONDS:g} s: no time can be predicted"
            ) from None
        whole = time.perf_counter() - begin
        state = run.state
        if state.state != "finished" and state.cause != "diverged":
            why = state.reason or (ended.stderr.strip().splitlines() or ["it was not started"])[-1]
            raise RunError(f"{method}: a probe of its first steps {state.state}: {why}")
        cost = _measured(method, settings, run, ())
        if cost is None:
            raise RunError(f"{method}: a probe of its first steps measured nothing: {state.reason}")
        progress = run.progress
        loading = _loaded(run) - at if warm.FORKS else 0.0  # which a job that is forked does not
        startup = whole - loading - progress.get("seconds", 0.0) - progress.get("evaluation_seconds", 0.0)
        return Cost(method, cost.seconds - STARTUP + max(0.0, startup), cost.size, ())


def _loaded(run: Run) -> float:
    """Return when a probe had loaded all that it needs, in seconds since 1970: it says so in its log's first line."""
    try:
        return datetime.fromisoformat(run.log().partition(" ")[0]).timestamp()
    except ValueError:
        raise RunError(f"the log of a probe does not begin with a time, but with {run.log()!r:.80}") from None


def _data_folder() -> dict[str, str]:
    """Return the environment by which a process elsewhere finds the data that this one finds."""
    environment = {"FOP_DATA_RELATIVE_TO": os.getcwd()}
    if (named := os.environ.get("FOP_DATA_DIR")) and not named.startswith("~"):
        environment["FOP_DATA_DIR"] = os.path.abspath(named)
    return environment


@dataclass(frozen=True)
class Detectable:
    """Which difference a study's seeds will be able to show.

    Attributes:
        column: of what.
        difference: the smallest that is seen with probability 0.8; infinite of a single seed.
        n: seeds that it reports.
        std: of the paired differences that was assumed.
        pairs: how many pairs of runs the deviation comes from.
        source: in words, what these were.
        level: at which the correction declares the first of the study's comparisons.

    Example:
        >>> from fop_core.studies.predict import Detectable
        >>> Detectable("test_accuracy", difference=0.01, n=3, std=0.0033, pairs=3, source="", level=0.05).difference
        0.01
    """

    column: str
    difference: float
    n: int
    std: float
    pairs: int
    source: str
    level: float


def detectable(study: Study, folder: Path | None = None) -> Detectable | None:
    """Return which difference a study can show, from the spread between seeds of the runs that are there.

    Taken are runs of the study's preset and methods with several seeds each, of the same data, network and length.
    Where two of its methods share seeds it is the deviation of their paired differences; else that of the values times
    the root of 2, as if nothing were shared.

    Args:
        study: the study.
        folder: the runs folder.

    Returns:
        None where nothing is there to tell by.

    Example:
        >>> import shutil
        >>> from fop_core.runs import GALLERY, store
        >>> from fop_core.studies import predict, protocol
        >>> ours = shutil.ignore_patterns("cifar10-*", "*-full-*")
        >>> _ = shutil.copytree(GALLERY, store.runs_folder(), ignore=ours)
        >>> few, more = (predict.detectable(protocol.Study(name="ranks", seeds=tuple(range(n)))) for n in (3, 20))
        >>> round(few.difference, 3), round(more.difference, 3)  # of accuracy
        (0.011, 0.002)
    """
    folder = runs.runs_folder() if folder is None else folder
    column = study.analysis.column
    groups: dict[str, dict[int, float]] = {}
    methods: dict[str, str] = {}
    tried = points(study)
    alike = {
        (study.kind(method), _learned(compare.settings(configured(study, method, point, "report").to_json())))
        for method in study.methods
        for point in tried[method]
    }
    for settings, run in _ended(folder):
        lineage = run.about["lineage"]
        method = lineage.get("method") or compare.method(settings)
        if lineage.get("preset") != study.preset or (method, _learned(settings)) not in alike:
            continue
        value = run.progress.get(column, run.progress.get(column.replace("test_", "held_out_")))
        if value is None or not math.isfinite(value):
            continue
        same = {name: each for name, each in settings.items() if name != "seed" and name not in compare.ASIDE}
        known = repr(sorted(same.items(), key=lambda pair: pair[0]))
        groups.setdefault(known, {}).setdefault(int(settings["seed"]), float(value))
        methods[known] = method
    several = {known: values for known, values in groups.items() if len(values) > 1}
    if not several:
        return None
    n = len(study.fresh_seeds or study.seeds)
    compared = max(1, len(study.methods) - 1 if study.analysis.baseline else math.comb(len(study.methods), 2))
    compared *= 1 if study.target is None else 1 + len(OF_TARGET)
    alpha = study.analysis.alpha / (compared if study.analysis.correction == "holm" else 1)
    pairs = _paired(several, methods, column)
    if pairs is not None:
        std, count_of, source = pairs
    else:
        largest = max(several.values(), key=len)
        std, count_of = math.sqrt(2) * float(np.std(list(largest.values()), ddof=1)), len(largest)
        source = f"{count_of} seeds of one method, as if its runs shared nothing with another one's"
    if std <= statistics.ROUNDING:  # of the same results: there is no spread to tell by
        return None
    return Detectable(column, statistics.detectable(std, n, alpha), n, std, count_of, source, alpha)


def _learned(settings: Settings) -> str:
    """Return what is learned, from which data, by whose optimizer and for how long: of that the spread is one."""
    sections = ("data.", "model.", "optimizer.plugin.sha256")
    kept = {
        name: value
        for name, value in settings.items()
        if name.startswith(sections) and name != "data.held_out" and name not in compare.ASIDE
    }
    return repr((sorted(kept.items()), settings.get("epochs"), settings.get("max_steps")))


def _paired(
    several: Mapping[str, Mapping[int, float]], methods: Mapping[str, str], column: str
) -> tuple[float, int, str] | None:
    """Return the deviation of paired differences between the best groups of two methods that share most seeds."""
    best: dict[str, str] = {}
    way = 1 if direction(column) == "max" else -1
    for known, values in several.items():
        method = methods[known]
        if method not in best or _rank(values, way) > _rank(several[best[method]], way):
            best[method] = known
    chosen: tuple[int, float, str] | None = None
    names = list(best)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            first, second = several[best[one]], several[best[other]]
            shared = sorted(first.keys() & second.keys())
            if len(shared) > 1 and (chosen is None or len(shared) > chosen[0]):
                std = float(np.std([first[seed] - second[seed] for seed in shared], ddof=1))
                chosen = len(shared), std, f"{len(shared)} seeds that {one} and {other} share"
    return None if chosen is None else (chosen[1], chosen[0], chosen[2])


def _rank(values: Mapping[int, Any], way: int) -> tuple[int, float]:
    return len(values), way * float(np.mean(list(values.values())))
