"""A batch: the runs of one job array, and the script that each of its tasks runs."""

import dataclasses
import os
import secrets
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fop_core import isolated
from fop_core.jobs import placements
from fop_core.jobs.launcher_settings import Slurm
from fop_core.jobs.requests import Waiting
from fop_core.runs import files, stamps
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run


@dataclass
class Batch:
    """The runs of one job array.

    Attributes:
        path: of its file, in the folder of the dispatcher that made it.
        folder: the runs folder.
        job: Slurm's id of the array; "" where it is not known whether Slurm has it.
        groups: the ids of the runs of each task of the array.
        requests: what each run's requests/start said.
        gpu: whether they are for GPUs.
        side_by_side: whether the runs of a task are trained at a time, else one after another.
    """

    path: Path
    folder: Path
    job: str
    groups: list[list[str]]
    requests: dict[str, dict[str, Any]]
    gpu: bool
    side_by_side: bool

    @property
    def name(self) -> str:
        """What Slurm calls its job."""
        return f"fop-{self.path.stem}"

    def run(self, run_id: str) -> Run:
        """Return one of its runs."""
        return Run(self.folder / run_id)

    def order(self, run_id: str) -> int:
        """Return what its runs' requests are known by: one that is made anew has another."""
        return int(self.requests[run_id]["order"])

    def is_requested(self, run_id: str) -> bool:
        """Return whether the request to start a run is still the one that was handed over."""
        try:
            return files.read_json(self.run(run_id).request_path("start")).get("order") == self.order(run_id)
        except FileNotFoundError:
            return False

    def output(self, task: int) -> Path:
        """Return the file of what a task of the array prints, beside what its runs log."""
        return self.path.with_suffix(f".{task}.out")

    def save(self) -> None:
        """Write its file."""
        content = dataclasses.asdict(self) | {"folder": str(self.folder)}
        del content["path"]
        files.write_json(self.path, content)

    def remove(self) -> None:
        """Remove its files."""
        for task in range(len(self.groups)):
            self.output(task).unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def make(folder: Path, waiting: list[Waiting], chosen: Slurm, gpu: bool) -> Batch:
    """Return a batch of runs that wait; its file is written."""
    home = placements.make_home(folder.resolve())
    ids = [each.run.id for each in waiting]
    batch = Batch(
        home / f"batch-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(4)}.json",
        folder.resolve(),
        "",
        [ids[start : start + chosen.pack] for start in range(0, len(ids), chosen.pack)],
        {each.run.id: each.request for each in waiting},
        gpu,
        chosen.side_by_side,
    )
    batch.save()
    return batch


def read(path: Path) -> Batch:
    """Return the batch of a file.

    Raises:
        FileNotFoundError: where there is none.
        DamagedFile: where it is none, or others could have written it.
    """
    with placements.opened_home(path.parent) as within, files.opened(path, links=False, within=within) as file:
        content = files.parse_json(file, path)
    try:
        batch = Batch(path=path, **content | {"folder": Path(content["folder"])})
        names = [id_ for group in batch.groups for id_ in group]
        whole = isinstance(batch.job, str) and set(names) == batch.requests.keys()
        if not whole or any(os.path.basename(id_) != id_ or id_ in ("", ".", "..") for id_ in names):
            raise ValueError("its runs are no list of ids")
        for id_ in names:
            batch.order(id_)
    except (KeyError, TypeError, ValueError) as error:
        raise DamagedFile(f"{path}: no batch ({error!r})") from error
    return batch


def all_of(folder: Path) -> Iterator[Batch]:
    """Yield the batches of this machine's dispatcher, oldest first; one that cannot be read is left out, and said."""
    home = placements.home(folder.resolve())
    for path in sorted(home.glob("batch-*.json")) if home.is_dir() else []:
        try:
            yield read(path)
        except (DamagedFile, FileNotFoundError) as error:
            print(f"{stamps.now()} a batch of Slurm's is left alone, remove it: {error}", flush=True)


def options(batch: Batch, chosen: Slurm) -> list[str]:
    """Return what sbatch is told of a batch; it goes before what the script's lines say."""
    pattern = str(batch.output(0)).replace("%", "%%").removesuffix(".0.out") + ".%a.out"
    throttle = f"%{chosen.at_once}" if chosen.at_once else ""
    at_a_time = max(map(len, batch.groups)) if chosen.side_by_side else 1
    arguments = [
        f"--job-name={batch.name}",
        f"--array=0-{len(batch.groups) - 1}{throttle}",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={chosen.cpus * at_a_time}",
        "--requeue",
        "--open-mode=append",
        f"--signal=B:TERM@{chosen.warning}",
        f"--output={pattern}",
        "--chdir=/",
    ]
    for name, value in (("partition", chosen.partition), ("account", chosen.account), ("time", chosen.time_limit)):
        arguments += [f"--{name}={value}"] if value else []
    if chosen.memory:
        arguments.append(f"--mem={_times(chosen.memory, at_a_time)}")
    if batch.gpu:
        arguments.append(f"--gres=gpu:{chosen.gpus}")
    return arguments


def script(batch: Batch, chosen: Slurm) -> str:
    """Return the script of a batch. Its last line becomes the task, so that Slurm's signals come to that."""
    heads = [line for line in chosen.lines if line.startswith("#SBATCH")]
    others = [line for line in chosen.lines if not line.startswith("#SBATCH")]
    command = isolated.command("fop_core.jobs.launchers.slurm.task", str(batch.path))
    paths = isolated.environment()["PYTHONPATH"]
    return "\n".join(
        [
            "#!/bin/sh",
            *heads,
            *others,
            f"export PYTHONPATH={shlex.quote(paths)}",
            f"exec {shlex.join(command)}",
            "",
        ]
    )


def _times(memory: str, number: int) -> str:
    digits = memory.rstrip("KMGT")
    return f"{int(digits) * number}{memory[len(digits) :]}"
