"""What starts the jobs of a runs folder: this machine's slots, or Slurm, and what Slurm is asked for.

Each user has a file of his or her own: its lines become part of a script that runs under that name.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from fop_core.jobs import slots
from fop_core.runs import files
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import QUEUE

LAUNCHERS = ("local", "slurm")


def _word(value: str) -> str:
    if value and not re.fullmatch(r"[A-Za-z0-9_.][A-Za-z0-9_.,+@:-]*", value):
        raise ValueError("letters, digits and _ . , + @ : - are expected")
    return value


def _gpus(value: str) -> str:
    if value and not re.fullmatch(r"([A-Za-z0-9_.-]+:)?[1-9][0-9]{0,3}", value):
        raise ValueError("a number is expected, or a kind and a number, as 1 or a100:1")
    return value


def _memory(value: str) -> str:
    if value and not re.fullmatch(r"[1-9][0-9]{0,8}[KMGT]?", value):
        raise ValueError("a number and a unit are expected, as 8G or 500M")
    return value


def _time(value: str) -> str:
    if value:
        seconds(value)
    return value


def _line(value: str) -> str:
    if not value.isprintable() or not value.strip():
        raise ValueError("one line of visible characters is expected")
    return value


def seconds(limit: str) -> int:
    """Return the seconds of a time limit as Slurm has it: 90, 90:00, 1:30:00, 1-12, 1-12:00 or 1-12:00:00.

    Raises:
        ValueError: for anything else.
    """
    match = re.fullmatch(r"(?:(\d{1,3})-)?(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?", limit, re.ASCII)
    if not match:
        raise ValueError("minutes, hours:minutes:seconds or days-hours are expected, as 90, 1:30:00 or 1-12")
    days, first, second, third = match.groups()
    if days is not None:  # days-hours[:minutes[:seconds]]
        result = 86400 * int(days) + 3600 * int(first) + 60 * int(second or 0) + int(third or 0)
    elif third is not None:
        result = 3600 * int(first) + 60 * int(second) + int(third)
    else:  # minutes[:seconds]
        result = 60 * int(first) + int(second or 0)
    if not result:
        raise ValueError("a time above 0 is expected")
    return result


Identifier = Annotated[str, AfterValidator(_word)]


class Slurm(BaseModel):
    """What Slurm is asked for.

    Attributes:
        partition, account: "" for the user's own.
        gpus: of a run whose device is a GPU, "1" or "a100:1"; with "" a run of device auto takes the CPU.
        cpus: of a run.
        memory: of a run, as 8G; "" for the partition's own.
        time_limit: of an allocation, see ``seconds``; "" for the partition's own.
        warning: seconds before that limit in which the run makes its checkpoint.
        at_once: tasks of an array that run at a time; 0 for as many as there is room for.
        pack: runs in one allocation.
        side_by_side: whether those run at a time, else one after another.
        lines: of the script; those that begin with #SBATCH are options.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    partition: Identifier = ""
    account: Identifier = ""
    gpus: Annotated[str, AfterValidator(_gpus)] = ""
    cpus: int = Field(1, ge=1, le=1024)
    memory: Annotated[str, AfterValidator(_memory)] = ""
    time_limit: Annotated[str, AfterValidator(_time)] = ""
    warning: int = Field(120, ge=5, le=3600)
    at_once: int = Field(0, ge=0, le=100_000)
    pack: int = Field(1, ge=1, le=1000)
    side_by_side: bool = False
    lines: tuple[Annotated[str, AfterValidator(_line)], ...] = Field((), strict=False)

    @model_validator(mode="after")
    def _room(self) -> "Slurm":
        if self.time_limit and seconds(self.time_limit) <= self.warning:
            raise ValueError(
                f"time_limit {self.time_limit} is no longer than the {self.warning} s before it in which a run makes "
                "its checkpoint: give more, or a shorter warning"
            )
        return self


class LauncherSettings(BaseModel):
    """What starts jobs.

    Attributes:
        launcher: "local" or "slurm".
        slurm: what Slurm is asked for, where it is that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    launcher: Literal["local", "slurm"] = "local"
    slurm: Slurm = Slurm()


def srun(chosen: Slurm, patience: int = 60) -> list[str]:
    """Return what has a command run on one node, as jobs would be, where one is free within so many seconds."""
    options = [
        f"--{name}={value}" for name, value in (("partition", chosen.partition), ("account", chosen.account)) if value
    ]
    return ["srun", "-Q", "-N1", "-n1", f"--immediate={patience}", "--chdir=/", *options]


def path(folder: Path) -> Path:
    """Return our file for a runs folder."""
    return folder / QUEUE / f"launcher-{os.getuid()}.json"


def read(folder: Path) -> LauncherSettings:
    """Return what starts our jobs of a runs folder.

    Raises:
        DamagedFile: where that cannot be read, or others could have written it.
    """
    file = path(folder)
    again = "; `queue set --launcher ...` sets it aside and writes a new one"
    try:
        with files.opened_as_ours(file) as content:
            return LauncherSettings.model_validate(files.parse_json(content, file))
    except FileNotFoundError:
        return LauncherSettings()
    except ValidationError as error:
        raise DamagedFile(f"{file}: {_words(error)}{again}") from error
    except DamagedFile as error:
        raise DamagedFile(f"{error}{again}") from error


def choose(folder: Path, launcher: str | None = None, **changes: Any) -> LauncherSettings:
    """Change what starts our jobs of a runs folder, and return all of it; see ``changed`` and ``write``."""
    chosen = changed(folder, launcher, **changes)
    write(folder, chosen)
    return chosen


def changed(folder: Path, launcher: str | None = None, **changes: Any) -> LauncherSettings:
    """Return what starts our jobs of a runs folder with some of it changed, of nothing where that cannot be read.

    Args:
        folder: the runs folder.
        launcher: "local" or "slurm"; None leaves it.
        changes: fields of ``Slurm``.

    Raises:
        ValueError: for a value that does not do.
    """
    try:
        before = read(folder)
    except DamagedFile:
        before = LauncherSettings()
    content = before.model_dump()
    content["slurm"] |= changes
    if launcher is not None:
        content["launcher"] = launcher
    try:
        return LauncherSettings.model_validate(content)
    except ValidationError as error:
        raise ValueError(_words(error)) from error


def write(folder: Path, chosen: LauncherSettings) -> Path | None:
    """Replace what starts our jobs of a runs folder.

    Returns:
        Where that could not be read, what the file is called now.

    Raises:
        DamagedFile: where the folder for it cannot be used.
    """
    slots.make_locks_folder(folder)
    aside = None
    try:
        read(folder)
    except DamagedFile:
        aside = files.set_aside(path(folder))
    files.write_json(path(folder), chosen.model_dump(mode="json"))
    os.chmod(path(folder), 0o600)  # whatever the umask lets others do
    return aside


def _words(error: ValidationError) -> str:
    parts = []
    for each in error.errors():
        where = ".".join(str(part) for part in each["loc"] if part != "slurm")
        message = each["msg"].removeprefix("Value error, ")
        parts.append(f"{where} is {each['input']!r:.60}: {message}" if where else message)
    return "; ".join(parts)
