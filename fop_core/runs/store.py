"""A runs folder: where it is, a new run in it, and those that are there, by what people call them."""

import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.printable import printable
from fop_core.runs import files, plugins, stamps, trash
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import FOLDERS, REQUESTS, RUN_JSON, SOURCE, START, START_REQUEST, STATE_JSON, STUDIES
from fop_core.runs.plugins import Source
from fop_core.runs.run import FORMAT, Run

Array = np.ndarray


def runs_folder() -> Path:
    """Return the folder of a user's runs: FOP_RUNS_DIR, or trained_models/runs of the project or of where we are.

    Example:
        >>> from fop_core.runs import store
        >>> store.runs_folder().name
        'runs'
    """
    if named := os.environ.get("FOP_RUNS_DIR"):
        try:
            return Path(named).expanduser()
        except RuntimeError as error:
            raise RunError(f"FOP_RUNS_DIR = {printable(named)}: {error}; give the path of a folder") from error
    project = Path(__file__).resolve().parents[2]
    return (project if (project / "pyproject.toml").is_file() else Path.cwd()) / "trained_models" / "runs"


def create(
    config: Mapping[str, Any],
    *,
    name: str = "",
    tags: tuple[str, ...] = (),
    lineage: Mapping[str, Any] | None = None,
    start: tuple[Mapping[str, Array], Mapping[str, Any]] | None = None,
    sources: Mapping[str, Source] | None = None,
    folder: Path | None = None,
) -> Run:
    """Make the directory of a new run, in state queued.

    Args:
        config: all its settings, as JSON.
        name: for people; also in the directory's name.
        tags: for people.
        lineage: what it was made from: preset, settings changed, parent run.
        start: of a fork the checkpoint that it starts from, of a control what its P is made of: arrays, and what is
            said about them.
        sources: the plug-ins that the config names, by part, see ``plugins.of_run``.
        folder: where; ``runs_folder()`` unless given.

    Raises:
        PluginError: where a plug-in is missing, or another one.

    Example:
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2, "seed": 0}, name="First try", lineage={"preset": "mnist-mlp"})
        >>> run.name, run.state.state, run.config
        ('First try', 'queued', {'epochs': 2, 'seed': 0})
        >>> sorted(path.name for path in run.path.iterdir())
        ['attempts', 'checkpoints', 'labels.json', 'labels.lock', 'requests', 'run.json', 'snapshots', 'state.json']
    """
    plugins.check(config, sources or {})
    folder = runs_folder() if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "run"
    moment = stamps.now()
    id_ = f"{moment[:19].replace('-', '').replace(':', '').replace('T', '-')}-{slug}-{secrets.token_hex(4)}"
    about = {
        "format": FORMAT,
        "config": dict(config),
        "lineage": dict(lineage or {}),
        "created": moment,
        "user": stamps.user(),
        "host": socket.gethostname(),
    }
    hidden = folder / f".{id_}"  # nobody sees half a run
    hidden.mkdir()
    try:
        for part in FOLDERS:
            (hidden / part).mkdir()
        Run(hidden).label(name=name, tags=list(tags))
        files.write_json(hidden / STATE_JSON, {"state": "queued", "reason": "", "since": moment})
        if start is not None:
            files.write_arrays(hidden / START, *start)
        write_sources(hidden, sources or {})
        files.write_json(hidden / RUN_JSON, about)
        os.rename(hidden, folder / id_)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)  # the reason that is raised is the first one
        raise
    files.sync_folder(folder)
    return Run(folder / id_)


def write_sources(path: Path, sources: Mapping[str, Source]) -> None:
    """Write plug-ins into a new directory, of a run or a study, where ``plugins.beside`` finds them.

    Example:
        >>> from pathlib import Path
        >>> from fop_core.runs import plugins, store
        >>> store.write_sources(Path(), {"optimizer": plugins.Source("lion.py", b"")})
        >>> [str(path) for path in Path("source").iterdir()]
        ['source/optimizer.py']
    """
    if sources:
        (path / SOURCE).mkdir()
        for part, source in sources.items():
            files.write(path / SOURCE / f"{part}.py", source.content)


class UnknownRun(RunError):
    """Nothing in a folder is meant by a text.

    Example:
        >>> from fop_core.runs import store
        >>> try:
        ...     store.find("mine")
        ... except store.UnknownRun as error:
        ...     print(str(error).partition(" in ")[0])
        no run 'mine'
    """


def find(text: str, folder: Path | None = None) -> Run:
    """Return the run that a path, an id, the beginning of an id, or a name means.

    Raises:
        UnknownRun: where that is none.
        RunError: where it is more than one, or a folder that is no run.

    Example:
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2}, name="First try")
        >>> store.find("First try").id == store.find(str(run.path)).id == run.id
        True
    """
    path = Path(os.path.abspath(text))  # of "." too the folder is above it
    if text and os.path.exists(path / RUN_JSON):  # unlike Path's, it takes any text
        return Run(path)
    if (run := _called(text, folder)) is not None:
        return run
    if text and os.path.isdir(path):
        raise RunError(f"{path} is no run: it has no run.json")
    raise UnknownRun(f"no run {text!r} in {folder or runs_folder()}: `runs list` shows what there is")


def find_trashed(text: str, folder: Path | None = None) -> Run:
    """Return the run in the trash of a folder that an id, the beginning of an id, a name, or a path into it means.

    Raises:
        UnknownRun: where that is none, whatever else it means.
        RunError: where it is more than one, or the trash is no folder.

    Example:
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2}, name="First try").delete()
        >>> store.find_trashed("First try").restore().name
        'First try'
    """
    trash_path = trash.of(runs_folder() if folder is None else folder)
    if (run := _called(text, trash_path)) is not None:
        return run
    above, name = os.path.split(os.path.abspath(text))
    if text and os.path.realpath(above) == os.path.realpath(trash_path) and os.path.isdir(trash_path / name):
        return Run(trash_path / name)
    raise UnknownRun(f"no run {text!r} in {trash_path}: `runs trash` shows what there is")


def _called(text: str, folder: Path | None) -> Run | None:
    """Return the run of a folder that an id, the beginning of an id, or a name means; None where there is none."""
    runs = list(directories(folder)) if text else []
    for means in (lambda run: run.id == text, lambda run: run.id.startswith(text), lambda run: _named(run) == text):
        matches = [run for run in runs if means(run)]
        if len(matches) == 1:
            return matches[0]
        if matches:
            ids = ", ".join(run.id for run in matches[:5]) + (
                f" or {len(matches) - 5} more" if len(matches) > 5 else ""
            )
            raise RunError(f"{text!r} may be {ids}: give more of the id")
    return None


def scan(folder: Path | None = None) -> Iterator[tuple[Run, str]]:
    """Yield each run of a folder, oldest first, and what is damaged about it: "" where its list entry can be read.

    That is run.json, state.json and labels.json; reading more of it may find more.

    Example:
        >>> from fop_core.runs import store
        >>> run = store.create({"epochs": 2}, name="First try")
        >>> (run.path / "run.json").unlink()
        >>> [damage.replace(str(run.path), "RUN") for run, damage in store.scan()]
        ['RUN/run.json is missing']
    """
    for run in directories(folder):
        try:
            _ = run.about, run.state, run.labels
        except FileNotFoundError as error:
            if os.path.lexists(run.path):  # else it has been deleted meanwhile
                yield run, f"{error.filename} is missing"
        except (DamagedFile, RunError, OSError) as error:
            yield run, str(error)
        else:
            yield run, ""


def directories(folder: Path | None = None) -> Iterator[Run]:
    """Yield what may be a run of a folder, oldest first, unread.

    Example:
        >>> from fop_core.runs import GALLERY, store
        >>> [run.id for run in store.directories(GALLERY)][-3:]
        ['mnist-sgd-seed0', 'mnist-sgd-seed1', 'mnist-sgd-seed2']
    """
    folder = runs_folder() if folder is None else folder
    for name in names(folder):
        yield Run(folder / name)


def names(folder: Path) -> list[str]:
    """Return what the directories of a folder are called that may be runs, oldest first.

    Example:
        >>> from fop_core.runs import GALLERY, store
        >>> store.names(GALLERY)[:2]
        ['cifar10-fop-norm', 'cifar10-fop-one-step']
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if may_be_run(entry))
    except FileNotFoundError:
        return []


def start_request(folder: Path, name: str) -> str:
    """Return the file by which a directory of a folder waits to be started, as text: for who looks at thousands.

    Example:
        >>> from fop_core.runs import GALLERY, store
        >>> store.start_request(GALLERY, "mnist-sgd-seed0").removeprefix(str(GALLERY))
        '/mnist-sgd-seed0/requests/start'
    """
    return f"{folder}/{name}/{REQUESTS}/{START_REQUEST}"


def trashed(folder: Path | None = None) -> list[Run]:
    """Return the runs in the trash of a folder, oldest first.

    Raises:
        RunError: where the trash is a link, or no folder.

    Example:
        >>> from fop_core.runs import store
        >>> _ = store.create({"epochs": 2}, name="First try").delete()
        >>> [run.name for run in store.trashed()]
        ['First try']
    """
    return list(directories(trash.of(runs_folder() if folder is None else folder)))


def may_be_run(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a runs folder may be a run: a folder, not hidden, and not that of the studies.

    Example:
        >>> import os
        >>> from fop_core.runs import store
        >>> os.mkdir("a-run"), os.mkdir(".hidden"), os.mkdir("studies")
        (None, None, None)
        >>> {entry.name for entry in os.scandir() if store.may_be_run(entry)}
        {'a-run'}
    """
    return not entry.name.startswith(".") and entry.name != STUDIES and is_folder(entry)


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry of a folder is one too, or a link to one; a link in a circle is none.

    Example:
        >>> import os
        >>> from fop_core.runs import store
        >>> os.mkdir("folder")
        >>> os.symlink("folder", "link"), os.symlink("circle", "circle")
        (None, None)
        >>> {entry.name: store.is_folder(entry) for entry in os.scandir()}["circle"]
        False
    """
    try:
        return entry.is_dir()
    except OSError:
        return False


def _named(run: Run) -> str | None:
    try:
        return run.labels["name"]
    except (DamagedFile, OSError):  # nobody's name; ``scan`` says why
        return None
