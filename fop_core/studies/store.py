"""The studies of a runs folder: studies/<id>/study.json, see ``stored``. It names runs, and no run names it.

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
from pathlib import Path
from typing import Any

from fop_core.jobs import requests
from fop_core.runs import files, locks, plugins, stamps
from fop_core.runs import store as _runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import STUDIES
from fop_core.runs.plugins import Source
from fop_core.studies.cells import check
from fop_core.studies.protocol import Study
from fop_core.studies.stored import STUDY_JSON, Stored, parse

PATIENCE = 60.0  # seconds that a study is waited for which somebody else changes


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
    file = os.lstat(path / STUDY_JSON)
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
        folder, file = os.lstat(path), os.lstat(path / STUDY_JSON)
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


def _write(stored: Stored) -> None:
    files.write_json(stored.path / STUDY_JSON, stored.to_json(), mode=0o644)  # whose owner answers for it


def _read(id_: str, folder: Path) -> Stored:
    path = studies_folder(folder) / id_ / STUDY_JSON
    if path.parent.is_symlink():
        raise DamagedFile(f"{path.parent} is a link to {os.path.realpath(path.parent)}: put the study itself there")
    return parse(files.read_json(path), id_, folder)
