"""What ships of a study's runs: their settings and what they measured, in two files beside what a few of them learned.

    packed = collect(study, folder)         the runs of a runs folder that are the study's
    write(packed, path)                     study.json, metrics.parquet, *.safetensors, files of one's own
    packed = load("paper-2-best")           what ships
    unpack(packed, folder)                  as runs again, which Runs shows and a study takes in

A run is known by its settings, as in a study (``studies.cells``), so what was trained by hand before there was the
study is its run too. Host, user and paths are left out. ``study.json`` has the SHA-256 of the other files, so that a
number that was edited is refused.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.jobs import requests, slots
from fop_core.reproduction import CONTROLS_OF, packed_metrics, packed_snapshots
from fop_core.reproduction.packed_snapshots import Snapshots
from fop_core.runs import files, locks, plugins, store
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.learned import Layer
from fop_core.runs.names import ATTEMPT, ATTEMPTS
from fop_core.runs.plugins import PluginError, Source
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.runs.series import Series
from fop_core.studies import protocol
from fop_core.studies.binding import existing
from fop_core.studies.cells import Cell, Point, cells, key, points
from fop_core.studies.protocol import Study
from fop_core.training import config

Array = np.ndarray

FOLDER = Path(__file__).resolve().parents[2] / "trained_models" / "paper"
"""Where what ships is, a folder a study."""
FORMAT = 1  # of study.json
PATIENCE = 600.0  # seconds that another unpacker is waited for
STUDY, METRICS, MATRICES, SNAPSHOTS = "study.json", "metrics.parquet", "M.safetensors", "snapshots.safetensors"
LARGEST = 64 << 20  # bytes of all files of a study: those that ship have less than 1 MB
LAYERS = ("angle_deg", "length_ratio", "eigenvalue_min", "eigenvalue_mean", "eigenvalue_max", "constant_share")
"""Columns of layers that ship, beside ``packed_metrics.EXACT`` of a run."""
SMALL = 100_000  # bytes of all M of a run, above which they do not ship
THROUGH_TRAINING: Mapping[str, Sequence[str]] = {"paper-3-cifar10": ("fop",)}
"""Methods whose M ship of every seed and every snapshot, by study: Figure 5 is of them."""
OVER = ("finished", "failed")
COSTS = ("seconds", "evaluation_seconds", "peak_memory")


@dataclass(frozen=True)
class PackedRun:
    """A run as it ships.

    Attributes:
        id: of the run directory that it was packed from.
        cell: of its study: method, point, seed, role, and all settings.
        state: "finished" or "failed"; a run that is not over is not packed.
        cause: why it failed, "diverged" if that was it.
        costs: "seconds" of training, "evaluation_seconds", and "peak_memory" in bytes, as far as they were measured.
        versions: of torch, numpy and the rest.
        threads: that it was trained with; 0 where that is not known.
        metrics: columns where they were measured.
    """

    id: str
    cell: Cell
    state: str
    cause: str
    costs: Mapping[str, float]
    versions: Mapping[str, str]
    threads: int
    metrics: Mapping[str, Series]

    @property
    def seed(self) -> int:
        """Of the run."""
        return self.cell.seed

    def over(self, axis: str, name: str) -> tuple[Array, Array]:
        """Return a column over another one, "epoch" or "seconds", where both were measured.

        Raises:
            KeyError: where one of them was not.
        """
        if name not in self.metrics or axis not in self.metrics:
            raise KeyError(f"{self.id} has no {name if name not in self.metrics else axis}")
        _, at, which = np.intersect1d(self.metrics[axis].steps, self.metrics[name].steps, return_indices=True)
        return self.metrics[axis].values[at], self.metrics[name].values[which]

    def at_epoch(self, name: str, epoch: int) -> float:
        """Return a column at the end of an epoch; NaN where the run did not measure it there.

        Infinitely bad at every epoch where the run diverged, whenever that was: these settings do not train.
        """
        if self.state != "finished":
            return _worst(name)
        if name not in self.metrics or "epoch" not in self.metrics:
            return math.nan
        epochs, values = self.over("epoch", name)
        there = np.flatnonzero(np.isclose(epochs, epoch))
        return float(values[there[-1]]) if len(there) else math.nan

    def last(self, name: str) -> float:
        """Return the last value of a column; infinitely bad where the run diverged, NaN where it measured none."""
        if self.state != "finished":
            return _worst(name)
        return float(self.metrics[name].values[-1]) if name in self.metrics else math.nan


def _worst(name: str) -> float:
    return -math.inf if protocol.direction(name) == "max" else math.inf


@dataclass(frozen=True)
class Packed:
    """A study with its runs.

    Attributes:
        study: as it was planned.
        runs: those that are over, in the order of the study's cells.
        matrices: the final M of some runs: by method and seed, by layer, [n, k].
        sources: the study's files of one's own, by part.
        left_out: why a run of its cells does not count, by id: it cannot be read.
        snapshots: what some runs learned through training, by method and seed.
    """

    study: Study
    runs: tuple[PackedRun, ...]
    matrices: Mapping[tuple[str, int], Mapping[str, Array]] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    snapshots: Mapping[tuple[str, int], Snapshots] = field(default_factory=dict)

    def of(self, method: str, point: Point | None = None) -> list[PackedRun]:
        """Return the runs of a method, by their seeds.

        Args:
            method: of the study.
            point: the values of its axes; all unless given.
        """
        made = [run for run in self.runs if run.cell.method == method and point in (None, run.cell.point)]
        return sorted(made, key=lambda run: run.seed)

    def layers(self, method: str) -> dict[int, dict[str, Layer]]:
        """Return what a method's runs learned through training, by seed and layer, where that is kept."""
        made = {}
        for run in self.of(method):
            fop = run.cell.config.fop
            if fop is not None and (method, run.seed) in self.snapshots:
                made[run.seed] = self.snapshots[method, run.seed].layers(fop.preconditioner)
        return made

    @property
    def seconds(self) -> float:
        """How long all of it was trained and evaluated."""
        return sum(run.costs.get(name, 0.0) for run in self.runs for name in ("seconds", "evaluation_seconds"))


def _all_cells(study: Study) -> list[Cell]:
    """Return the cells of a study; of one with axes those of tuning, then every point as if it had won."""
    made = {cell.key: cell for cell in cells(study)}
    for method, all_of in points(study).items() if study.axes and study.fresh_seeds else ():
        for point in all_of:
            made |= {cell.key: cell for cell in cells(study, {method: point}) if cell.key not in made}
    return list(made.values())


def collect(study: Study, folder: Path, there: Mapping[str, str] | None = None) -> Packed:
    """Return the runs of a folder that are those of a study, and over; one that is damaged is named in ``left_out``.

    Args:
        study: any, whether it was submitted there or not.
        folder: of runs.
        there: ids of its runs by the keys of their settings; all that are no forks or controls unless given.
    """
    there = existing(folder) if there is None else there
    made, matrices, snapshots, left_out = [], {}, {}, {}
    through = THROUGH_TRAINING.get(study.name.removesuffix("-quick"), ())
    sources: dict[str, Source] = {}
    for cell in _all_cells(study):
        if cell.key not in there:
            continue
        run = Run(folder / there[cell.key])
        try:
            state = run.state
            if state.state != "finished" and state.cause != "diverged":
                continue
            packed, M = _packed(run, cell), _matrices(run)
            kept = packed_snapshots.of_run(run) if cell.method in through and state.state == "finished" else None
            if state.state == "finished" and not packed.metrics:
                raise DamagedFile(f"{run.path}: it finished, and has measured nothing")
            if cell.config.plugins.keys() - sources:
                sources |= plugins.of_run(run)
        except (DamagedFile, PluginError, OSError) as error:
            left_out[run.id] = str(error)
            continue
        made.append(packed)
        if M and cell.role == "report" and (cell.method in through or cell.seed == (study.fresh_seeds or (-1,))[0]):
            matrices[cell.method, cell.seed] = M
        if kept is not None:
            snapshots[cell.method, cell.seed] = kept
    return Packed(study, tuple(made), matrices, sources, left_out, snapshots)


def _packed(run: Run, cell: Cell) -> PackedRun:
    run.metrics.update()
    kept = [name for name in run.metrics.columns if name in packed_metrics.EXACT or name.partition("/")[0] in LAYERS]
    progress, state = run.progress, run.state
    first = run.path / ATTEMPTS / ATTEMPT.format(1)
    about = files.read_json(first) if first.exists() else {}
    try:
        costs = {name: float(progress[name]) for name in COSTS if name in progress}
        versions = {str(name): str(version) for name, version in dict(about.get("versions", {})).items()}
        threads = int(about.get("threads", 0))
    except (TypeError, ValueError, OverflowError) as error:
        raise DamagedFile(f"{first}, or progress.json beside it: {error}") from error
    return PackedRun(
        run.id,
        cell,
        state.state,
        state.cause,
        costs,
        versions,
        threads,
        {name: run.metrics[name] for name in kept},
    )


def _matrices(run: Run) -> dict[str, Array]:
    """Return the final M of a run by layer, where they are small enough to ship."""
    if run.config.get("fop") is None or not (steps := run.snapshot_steps()):
        return {}
    arrays = run.snapshot(steps[-1])
    M = {name.removesuffix("/M"): array for name, array in arrays.items() if name.endswith("/M")}
    return M if sum(array.nbytes for array in M.values()) <= SMALL else {}


def write(packed: Packed, path: Path) -> int:
    """Write a study with its runs into a folder, which must not be there, and is there whole or not at all.

    Returns:
        Bytes written.

    Raises:
        RunError: where the folder is there, or the study has no run.
        DamagedFile, ValueError: for more than ``load`` would take.
        OSError: where it cannot be written; ENOSPC on a full disk.
    """
    there = f"{path} is there already: move it away to pack anew"
    if os.path.lexists(path):
        raise RunError(there)
    if not packed.runs:
        raise RunError(f"no run of {packed.study.name} is there: nothing can be packed")
    content = {METRICS: packed_metrics.to_parquet([run.metrics for run in packed.runs])}
    content |= {f"{part}.py": source.content for part, source in packed.sources.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    hidden = path.parent / f".{path.name}.{secrets.token_hex(4)}"  # nobody sees half a study
    hidden.mkdir()
    try:
        for name, each in content.items():
            files.write(hidden / name, each)
        named = {of: each.named() for of, each in packed.snapshots.items()}
        for name, by_run in ((MATRICES, packed.matrices), (SNAPSHOTS, named)):
            if by_run:
                flat = {
                    f"{method}/{seed}/{layer}": array
                    for (method, seed), by in by_run.items()
                    for layer, array in by.items()
                }
                files.write_arrays(hidden / name, flat)
                content[name] = (hidden / name).read_bytes()
        if (size := sum(map(len, content.values()))) > LARGEST:
            raise ValueError(f"{path}: {size:,} bytes, of which {LARGEST:,} can be read back")
        files.write(hidden / STUDY, _about(packed, content, path / STUDY))
        size = files.size(hidden)
        os.rename(hidden, path)
    except BaseException as error:
        shutil.rmtree(hidden, ignore_errors=True)  # the reason that is raised is the first one
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise RunError(there) from error
        raise
    files.sync_folder(path.parent)
    return size


def _about(packed: Packed, content: Mapping[str, bytes], path: Path) -> bytes:
    """Return study.json of a study and its other files, with each run in a line: of a change the rest is no part."""
    versions: list[Mapping[str, str]] = []
    for run in packed.runs:
        if run.versions not in versions:
            versions.append(run.versions)
    about = {
        "format": FORMAT,
        "files": {name: hashlib.sha256(each).hexdigest() for name, each in content.items()},
        "study": packed.study.to_json(),
        "versions": versions,
    }
    runs = [
        {
            "id": run.id,
            "state": run.state,
            "cause": run.cause,
            "threads": run.threads,
            "versions": versions.index(run.versions),
            **run.costs,
            "config": run.cell.config.to_json(),
        }
        for run in packed.runs
    ]
    lines = ",\n".join(json.dumps(run, separators=(",", ":"), allow_nan=False) for run in files.plain(runs))
    head = json.dumps(files.plain(about), indent=1, allow_nan=False)
    text = (head[:-2] + ',\n "runs": [\n' + lines + "\n]\n}\n").encode()
    if len(text) > files.LARGEST_JSON:
        raise ValueError(f"{path}: {len(text):,} bytes of JSON, of which {files.LARGEST_JSON:,} can be read back")
    return text


def names(folder: Path = FOLDER) -> list[str]:
    """Return the studies that ship."""
    there = (path.parent.name for path in folder.glob(f"*/{STUDY}"))
    return sorted(name for name in there if not name.startswith("."))  # which is being packed, or was not to its end


def load(name: str, folder: Path = FOLDER) -> Packed:
    """Return a study that ships.

    Raises:
        RunError: where it does not ship.
        DamagedFile: where its files are not what was packed, or a run's settings are none of the study's.
    """
    path = folder / name
    try:
        about = files.read_json(path / STUDY)
    except FileNotFoundError:
        raise RunError(f"no study {name!r} ships: there are {', '.join(names(folder)) or 'none'}") from None
    if about.get("format") != FORMAT:
        raise DamagedFile(f"{path / STUDY}: of format {about.get('format')!r}, not {FORMAT}")
    try:
        return _loaded(path, about)
    except (DamagedFile, RunError):
        raise
    except (KeyError, TypeError, AttributeError, IndexError, ValueError, FileNotFoundError) as error:
        raise DamagedFile(f"{path / STUDY}: {error!r} of what it should have: pack it anew") from error


def _loaded(path: Path, about: Mapping[str, Any]) -> Packed:
    contents, left = {}, LARGEST
    for file, digest in about["files"].items():
        with files.opened(path / Path(file).name) as opened:
            size = os.fstat(opened.fileno()).st_size
            left -= size
            if left < 0:
                raise DamagedFile(f"{path / file}: with it {LARGEST - left:,} bytes, of which {LARGEST:,} can be taken")
            contents[file] = opened.read(size)
        if hashlib.sha256(contents[file]).hexdigest() != digest:
            raise DamagedFile(f"{path / file} is not what was packed: its SHA-256 is another one than {STUDY} says")
    study = protocol.parse(about["study"])
    by_key = {cell.key: cell for cell in _all_cells(study)}
    metrics = packed_metrics.columns(contents[METRICS], len(about["runs"]), str(path / METRICS))
    runs = []
    for run, columns in zip(about["runs"], metrics):
        known = key(config.parse(run["config"]))
        if known not in by_key:
            raise DamagedFile(f"{path / STUDY}: the settings of {run['id']} are none of the study's")
        if run["state"] not in OVER:
            raise DamagedFile(f"{path / STUDY}: {run['id']} is {run['state']!r}, and not {' or '.join(OVER)}")
        runs.append(
            PackedRun(
                str(run["id"]),
                by_key[known],
                str(run["state"]),
                str(run["cause"]),
                {name: float(run[name]) for name in COSTS if name in run},
                dict(about["versions"][run["versions"]]),
                int(run["threads"]),
                columns,
            )
        )
    matrices, through = (_by_run(path / name) if name in contents else {} for name in (MATRICES, SNAPSHOTS))
    snapshots = {of: packed_snapshots.of_named(arrays) for of, arrays in through.items()}
    sources: dict[str, Source] = {}
    for part, plugin in study.plugins.items():
        sources[part] = Source(plugin.file, contents[f"{part}.py"])
    return Packed(study, tuple(runs), matrices, sources, snapshots=snapshots)


def _by_run(path: Path) -> dict[tuple[str, int], dict[str, Array]]:
    """Return the arrays of a file by method and seed, and by what is left of their names."""
    made: dict[tuple[str, int], dict[str, Array]] = {}
    for name, array in files.read_arrays(path)[0].items():
        method, seed, array_name = name.split("/", 2)
        made.setdefault((method, int(seed)), {})[array_name] = array
    return made


def unpack(packed: Packed, folder: Path | None = None) -> list[Run]:
    """Write packed runs as run directories, which Runs shows and a study with their settings takes in.

    Those whose settings a run of the folder has already are left out. So are controls, of which the P that they were
    made of does not ship: no run of their settings alone is one.

    Args:
        packed: what to unpack.
        folder: of runs, ``store.runs_folder()`` unless given.

    Returns:
        The new runs.
    """
    folder = store.runs_folder() if folder is None else folder
    if packed.study.name.removesuffix("-quick") in CONTROLS_OF:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder), _hidden(folder) as hidden:
        return _unpacked(packed, folder, hidden)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep our other unpackers of a folder waiting: who comes second finds the runs of the first.

    Each user has a lock of their own, as of all that is elected in a runs folder: what others can open they can hold.
    Two users at once may each write a run, whole: of two a study takes the one that has come further, or the first.

    Raises:
        RunError: where somebody holds it all the time.
    """
    name = f"unpack-{os.getuid()}.lock"
    lock = slots.open_ours(folder, name)
    try:
        end = time.monotonic() + PATIENCE
        while not locks.flock(lock, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise RunError(locks.in_the_way(slots.locks_folder(folder) / name))
            time.sleep(0.05)
        yield
    finally:
        os.close(lock)


@contextlib.contextmanager
def _hidden(folder: Path) -> Iterator[Path]:
    """Give a folder within a runs folder in which runs are written: nobody sees, or takes for his, half a run."""
    hidden = folder / f".unpack-{requests.machine()}-{os.getuid()}"
    if os.path.lexists(hidden):  # ours, who are alone, of one that was killed
        shutil.rmtree(hidden)
    hidden.mkdir()
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
        files.sync_folder(folder)


def _unpacked(packed: Packed, folder: Path, hidden: Path) -> list[Run]:
    there = existing(folder)
    study = packed.study
    made = []
    for packed_run in packed.runs:
        cell = packed_run.cell
        if cell.key in there:
            continue
        words = " ".join(f"{name.rpartition('.')[2]}={value}" for name, value in cell.point.items())
        variant = study.variants.get(cell.method)
        changed = {**study.base, **(variant.settings if variant else {}), **cell.point}
        run = store.create(
            cell.config.to_json(),
            name=" ".join(filter(None, (study.name, cell.method, words, f"seed {cell.seed}")))[:120],
            tags=("paper",),
            lineage={
                "preset": study.preset,
                "method": study.kind(cell.method),
                "set": [f"{name}={value}" for name, value in changed.items()],
                "packed": packed_run.id,
            },
            sources={part: packed.sources[part] for part in cell.config.plugins},
            folder=hidden,
        )
        with Control(run) as control:
            of = cell.method, cell.seed
            _write(run, packed_run, packed.matrices.get(of, {}), packed.snapshots.get(of))
            control.set(packed_run.state, "", packed_run.cause)
        os.rename(run.path, folder / run.id)
        made.append(Run(folder / run.id))
    return made


def _write(run: Run, packed: PackedRun, matrices: Mapping[str, Array], snapshots: Snapshots | None) -> None:
    writer = RunWriter(run, {"device": "cpu", "threads": packed.threads, "versions": dict(packed.versions)})
    try:
        rows: dict[int, dict[str, Any]] = {}
        for name, (steps, values) in packed.metrics.items():
            for step, value in zip(steps.tolist(), values.tolist()):
                rows.setdefault(step, {"step": step})[name] = value
        for step in sorted(rows):
            writer.row(rows[step])
        last = max(rows, default=0)
        if snapshots is not None:
            for index, step in enumerate(snapshots.steps.tolist()):
                writer.snapshot(step, {name: array[index] for name, array in snapshots.arrays.items()})
        elif matrices:
            writer.snapshot(last, {f"{layer}/M": M for layer, M in matrices.items()})
        epochs = packed.cell.config.epochs
        ended = {name: float(series.values[-1]) for name, series in packed.metrics.items() if "/" not in name}
        share = 1.0 if packed.state == "finished" else float(ended.get("epoch", 0.0)) / epochs
        costs = {name: int(cost) if name == "peak_memory" else cost for name, cost in packed.costs.items()}  # bytes
        total = {"steps": round(last / share)} if share > 0 else {}  # it diverged before it had come anywhere
        writer.progress({**ended, **costs, "step": last, **total, "epochs": epochs, "share": share})
    finally:
        writer.close()
