"""A study on the disk: studies/<id>/study.json of a runs folder. It names runs, and no run names it.

    stored = create(study)
    with changing(stored.id) as stored:
        stored.runs[key] = run.id

It is replaced atomically at each change, and changed under a lock. Losing it loses no run. Who may carry a study out is
the one to whom its file belongs, on the machine where it was submitted or resumed last: one that was unpacked, or put
there by somebody else, can be looked at, and does nothing.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import socket
import stat
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fop_core.jobs import requests
from fop_core.runs import files, locks, plugins, records, stamps
from fop_core.runs import store as _runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import STUDIES
from fop_core.runs.plugins import Source
from fop_core.studies import protocol
from fop_core.studies.cells import check
from fop_core.studies.protocol import Axis, Study
from fop_core.training.config import ConfigError

FORMAT = 1  # of study.json
PATIENCE = 60.0  # seconds that a study is waited for which somebody else changes


@dataclass
class Stored:
    """A study and what has become of it.

    Attributes:
        id: the name of its folder.
        folder: the runs folder that it is in.
        study: what was asked for, as it has grown.
        created, user, host: when, by whom and where it was submitted.
        machine: what the machine is known by that carries it out.
        runs: the ids of its runs, by the keys of their cells.
        adopted: keys of the cells whose runs were there before.
        ended: keys of the cells that the median rule ended early, and why.
        winners: the points that won, by method; none of a method that is still being tuned, or whose points all failed.
        lost: methods of which no point came to its end.
        stopped: whether it was stopped: nothing more is submitted for it.
        changes: how it has grown: "at", "what", and how many runs were "reported" by then.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> stored = store.create(protocol.Study(name="Learning rates"))
        >>> stored.id, stored.path.name, stored.grown_late, stored.runs
        ('learning-rates', 'learning-rates', False, {})
        >>> stored.to_json()["study"]["methods"]
        ['momentum', 'fop']
    """

    id: str
    folder: Path
    study: Study
    created: str = ""
    user: str = ""
    host: str = ""
    machine: str = ""
    runs: dict[str, str] = field(default_factory=dict)
    adopted: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    winners: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    stopped: bool = False
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def path(self) -> Path:
        """Its folder."""
        return studies_folder(self.folder) / self.id

    @property
    def grown_late(self) -> bool:
        """Whether it has grown when runs had been reported already: what they said may have been the reason."""
        return any(change.get("reported", 0) > 0 for change in self.changes)

    def to_json(self) -> dict[str, Any]:
        """Return study.json."""
        names = (
            "created",
            "user",
            "host",
            "machine",
            "runs",
            "adopted",
            "ended",
            "winners",
            "lost",
            "stopped",
            "changes",
        )
        return {"format": FORMAT, "study": self.study.to_json()} | {name: getattr(self, name) for name in names}


def studies_folder(folder: Path | None = None) -> Path:
    """Return where the studies of a runs folder are.

    Example:
        >>> from fop_core.studies import store
        >>> store.studies_folder().parts[-2:]
        ('runs', 'studies')
    """
    return (_runs.runs_folder() if folder is None else folder) / STUDIES


def create(study: Study, folder: Path | None = None, sources: Mapping[str, Source] | None = None) -> Stored:
    """Write down a new study, once all of it has been checked.

    Args:
        study: the study.
        folder: the runs folder.
        sources: its plug-ins, by part.

    Raises:
        ConfigError: where it does not do, see ``cells.check``.
        RunError: where there is a study of that name.
        PluginError: where a plug-in is missing, or another one.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> store.create(protocol.Study(name="Learning rates")).id, store.ids()
        ('learning-rates', ['learning-rates'])
    """
    check(study)
    plugins.check(_named(study), sources or {})
    folder = _runs.runs_folder() if folder is None else folder
    id_ = slug(study.name)
    stored = Stored(id_, folder, study, stamps.now(), stamps.user(), socket.gethostname(), requests.machine())
    studies_folder(folder).mkdir(parents=True, exist_ok=True)
    try:
        stored.path.mkdir()
    except FileExistsError:
        raise RunError(
            f"there is a study {id_!r} in {studies_folder(folder)} already: give another name, or go on with that one: "
            f"`study resume {id_}`"
        ) from None
    try:
        _runs.write_sources(stored.path, sources or {})
        _write(stored)
    except BaseException:
        shutil.rmtree(stored.path, ignore_errors=True)  # else its name is taken for good by nothing
        raise
    return stored


def sources(stored: Stored) -> dict[str, Source]:
    """Return the plug-ins of a study, by part.

    Raises:
        PluginError: where one is missing, another one, somebody else's, or no regular file.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> store.sources(store.create(protocol.Study(name="Learning rates")))  # without any
        {}
    """
    return plugins.beside(stored.path, _named(stored.study))


def _named(study: Study) -> dict[str, Any]:
    parts = study.plugins.items()
    return {part: {"plugin": {"file": plugin.file, "sha256": plugin.sha256}} for part, plugin in parts}


def slug(name: str) -> str:
    """Return the id of a study of a name: small letters, digits and hyphens.

    Example:
        >>> from fop_core.studies.store import slug
        >>> slug("Learning rates, 2nd try")
        'learning-rates-2nd-try'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60]


def load(id_: str, folder: Path | None = None) -> Stored:
    """Return a study, by its id or its name.

    Raises:
        RunError: where there is none.
        DamagedFile: where its study.json is not one.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> _ = store.create(protocol.Study(name="Learning rates", seeds=(0, 1)))
        >>> store.load("Learning rates").study.fresh_seeds
        (0, 1)
    """
    folder = _runs.runs_folder() if folder is None else folder
    known = slug(id_)
    try:
        if not known:
            raise FileNotFoundError
        return _read(known, folder)
    except FileNotFoundError:
        there = ", ".join(ids(folder)) or "none"
        raise RunError(f"no study {id_!r} in {studies_folder(folder)}: there is {there}") from None


def ids(folder: Path | None = None) -> list[str]:
    """Return the ids of a runs folder's studies, in order; none where they cannot be listed.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> _ = store.create(protocol.Study(name="Learning rates"))
        >>> store.ids()
        ['learning-rates']
    """
    try:
        return names(studies_folder(folder))
    except OSError:  # what cannot be listed cannot be opened either; ``list_studies`` says why
        return []


def names(folder: Path) -> list[str]:
    """Return what the folders of a folder are called that may be studies, in order.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> _ = store.create(protocol.Study(name="Learning rates"))
        >>> (store.studies_folder() / ".trash").mkdir()
        >>> store.names(store.studies_folder())
        ['learning-rates']
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(each.name for each in entries if not each.name.startswith(".") and _runs.is_folder(each))
    except FileNotFoundError:
        return []


def obstacle(stored: Stored) -> str:
    """Return why a study is not ours to carry out, in words; or "".

    Example:
        >>> from dataclasses import replace
        >>> from fop_core.studies import protocol, store
        >>> stored = store.create(protocol.Study(name="Learning rates"))
        >>> store.obstacle(stored), store.obstacle(replace(stored, host="elsewhere", machine="another"))
        ('', 'it was submitted on elsewhere: resume it to go on with it here')
    """
    path = stored.path
    if why := foreign(path):
        return why
    file = os.lstat(path / "study.json")
    if stored.machine != requests.machine():
        return f"it was submitted on {stored.host or 'another machine'}: resume it to go on with it here"
    if file.st_mode & 0o022:
        return "others may write its study.json: resume it to go on with it"
    return ""


def foreign(path: Path) -> str:
    """Return why a study is not ours, whatever is in it, in words; or "". To resume it changes nothing of that.

    Args:
        path: its folder.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> store.foreign(store.create(protocol.Study(name="Learning rates")).path)
        ''
    """
    try:
        folder, file = os.lstat(path), os.lstat(path / "study.json")
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    if stat.S_ISLNK(folder.st_mode) or not stat.S_ISREG(file.st_mode):
        return f"{path} is a link, or its study.json no regular file: put the study itself there"
    for owner in (folder.st_uid, file.st_uid):
        if owner != os.getuid():
            return f"it belongs to {stamps.user_name(owner)}: submit one of your own"
    return ""


def list_studies(folder: Path | None = None) -> tuple[list[Stored], dict[str, str]]:
    """Return the studies of a runs folder, newest first, and of those that cannot be read why, by id.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> _ = store.create(protocol.Study(name="Learning rates"))
        >>> (store.studies_folder() / "broken").mkdir()
        >>> studies, damaged = store.list_studies()
        >>> [stored.study.name for stored in studies], list(damaged)
        (['Learning rates'], ['broken'])
    """
    folder = _runs.runs_folder() if folder is None else folder
    read, damaged = [], {}
    try:
        there = names(studies_folder(folder))
    except OSError as error:
        return [], {STUDIES: f"{error.filename}: {error.strerror}"}
    for id_ in there:
        try:
            read.append(_read(id_, folder))
        except FileNotFoundError as error:
            damaged[id_] = f"{error.filename} is missing"
        except (DamagedFile, OSError) as error:
            damaged[id_] = str(error)
    return sorted(read, key=lambda stored: stored.created, reverse=True), damaged


@contextlib.contextmanager
def changing(id_: str, folder: Path | None = None) -> Iterator[Stored]:
    """Give a study to change, and write it once that is done; nobody else can change it meanwhile.

    Nothing is written where an error is raised.

    Raises:
        RunError: as ``load``; and where it is somebody else's, or somebody holds it all the time.
        DamagedFile: as ``load``.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> _ = store.create(protocol.Study(name="Learning rates"))
        >>> with store.changing("learning-rates") as stored:
        ...     stored.stopped = True
        >>> store.load("learning-rates").stopped
        True
    """
    stored = load(id_, folder)
    if (owner := os.lstat(stored.path).st_uid) != os.getuid():
        raise RunError(f"the study {stored.id} belongs to {stamps.user_name(owner)}: submit one of your own")
    path = stored.path / "study.lock"
    lock = files.open_append(path, 0o600)
    try:
        if os.fstat(lock).st_uid != os.getuid():
            raise RunError(f"{path} is somebody else's: remove it")
        os.fchmod(lock, 0o600)  # whoever may open it can keep us from taking it
        end = time.monotonic() + PATIENCE
        while not locks.flock(lock, fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise RunError(locks.in_the_way(path))
            time.sleep(0.01)
        stored = load(id_, folder)
        before = json.dumps(stored.to_json())
        yield stored
        if json.dumps(stored.to_json()) != before:
            _write(stored)
    finally:
        os.close(lock)


def grow(
    id_: str,
    *,
    axis: Axis | None = None,
    seeds: tuple[int, ...] = (),
    fresh_seeds: tuple[int, ...] = (),
    limit: int | None = None,
    folder: Path | None = None,
) -> Stored:
    """Add to a study: values of an axis, or a new one; seeds of tuning, or of reporting. What is there stays.

    Where points or tuning seeds are added the winners are chosen anew. That it grew is kept, and when.

    Args:
        id_: of the study.
        axis: a new one, or one that is there with more values, which are added to its own.
        seeds: of tuning.
        fresh_seeds: of reporting.
        limit: the most cells from now on.
        folder: the runs folder.

    Raises:
        ConfigError: where the larger study does not do; nothing is changed then.
        RunError, DamagedFile: as ``load``.

    Example:
        >>> from fop_core.studies import protocol, store
        >>> rates = protocol.parse_axis("optimizer.lr=0.01,0.1")
        >>> _ = store.create(protocol.Study(name="Rates", axes=(rates,)))
        >>> grown = store.grow("rates", axis=protocol.parse_axis("optimizer.lr=0.5"), seeds=(7,))
        >>> grown.study.axes[0].values, grown.study.seeds
        ((0.01, 0.1, 0.5), (0, 1, 2, 7))
    """
    with changing(id_, folder) as stored:
        study = larger(stored.study, axis, seeds, fresh_seeds, limit)
        what = [] if axis is None else [f"{axis.field}={','.join(map(str, axis.values))}"]
        for name in ("seeds", "fresh_seeds"):
            new = [str(seed) for seed in getattr(study, name) or () if seed not in (getattr(stored.study, name) or ())]
            what += [f"{name} {','.join(new)}"] if new else []
        reported = len(stored.winners) if stored.study.axes else len(stored.study.methods)
        stored.study = study
        stored.changes.append({"at": stamps.now(), "what": "; ".join(what), "reported": reported})
        if axis is not None or seeds:
            stored.winners, stored.lost = {}, []
    return stored


def larger(
    study: Study,
    axis: Axis | None = None,
    seeds: tuple[int, ...] = (),
    fresh_seeds: tuple[int, ...] = (),
    limit: int | None = None,
) -> Study:
    """Return a study with more, as ``grow`` makes it; nothing is written.

    Raises:
        ConfigError: where the larger study does not do, or is no larger.

    Example:
        >>> from fop_core.studies import cells, protocol, store
        >>> study = protocol.Study(name="Rates", axes=(protocol.parse_axis("optimizer.lr=0.01,0.1"),))
        >>> cells.count(study), cells.count(store.larger(study, seeds=(7,)))
        ((12, 6), (16, 6))
    """
    content = study.to_json()
    if axis is not None:
        content["axes"] = _with_axis(study, axis)
    for name, more in (("seeds", seeds), ("fresh_seeds", fresh_seeds)):
        content[name] = [*content[name], *(seed for seed in more if seed not in content[name])]
    content["limit"] = content["limit"] if limit is None else limit
    made = protocol.parse(content)
    if made.model_copy(update={"limit": study.limit}) == study:
        raise ConfigError(("", f"the study {slug(study.name)} has all of that already"))
    check(made)
    return made


def _with_axis(study: Study, axis: Axis) -> list[dict[str, Any]]:
    """Return a study's axes with one added, or with its values added to those of one that is there."""
    made = []
    added = False
    for each in study.axes:
        if each.field == axis.field and set(each.methods) == set(axis.methods):
            if study.sampling == "quasi-random":
                raise ConfigError(
                    (axis.field, "is sampled already, and its points would be others: submit a new study")
                )
            values = [*each.values, *(value for value in axis.values if value not in each.values)]
            made.append(each.model_dump(mode="json") | {"values": values, "scale": "list"})
            added = True
        else:
            made.append(each.model_dump(mode="json"))
    return made if added else [*made, axis.model_dump(mode="json")]


def _write(stored: Stored) -> None:
    files.write_json(stored.path / "study.json", stored.to_json(), mode=0o644)  # whose owner answers for it


def _read(id_: str, folder: Path) -> Stored:
    path = studies_folder(folder) / id_ / "study.json"
    if path.parent.is_symlink():
        raise DamagedFile(f"{path.parent} is a link to {os.path.realpath(path.parent)}: put the study itself there")
    content = records.checked(path, files.read_json(path), _KINDS)
    if content.get("format") != FORMAT or not isinstance(content.get("study"), dict):
        raise DamagedFile(f"{path}: of format {content.get('format')!r}, not {FORMAT}, or without its study")
    try:
        study = protocol.parse(content["study"])
    except ConfigError as error:
        raise DamagedFile(f"{path}: its study does not do: {error}") from error
    kept = {name: content[name] for name in _KINDS if name in content}
    return Stored(id_, folder, study, **kept)


def _texts_by_text(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(map(records.is_text, (*value, *value.values()))):
        raise ValueError("an object of texts")
    return value


def _run_ids(value: Any) -> dict[str, str]:
    for id_ in _texts_by_text(value).values():
        if not id_ or id_.startswith(".") or "/" in id_ or "\0" in id_:
            raise ValueError("an object of runs' ids")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(map(records.is_text, value)):
        raise ValueError("a list of texts")
    return value


def _objects_by_text(value: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise ValueError("an object of objects")
    return value


def _changes(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ValueError("a list of objects")
    for each in value:
        if not isinstance(each, dict) or not records.is_text(each.get("what", "")):
            raise ValueError("a list of objects that say what has changed")
        records.count(each.get("reported", 0))
        _moment(each.get("at", ""))
    return value


def _moment(value: Any) -> str:
    if records.text(value):
        try:
            stamps.age(value)
        except (ValueError, OverflowError):
            raise ValueError("a moment, as 2026-11-27T12:00:00+00:00") from None
    return str(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


_KINDS: dict[str, records.Check] = {
    "created": _moment,
    "user": records.text,
    "host": records.text,
    "machine": records.text,
    "runs": _run_ids,
    "adopted": _texts,
    "ended": _texts_by_text,
    "winners": _objects_by_text,
    "lost": _texts,
    "stopped": _truth,
    "changes": _changes,
}
