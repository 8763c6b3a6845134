"""The trash of a runs folder's studies, ``studies/.trash``: they go into it, come back from it, and are removed.

    name = discard("rates")          as `study delete` and the page do
    restore(name)
    find(name).remove()              for good, as `study empty-trash`

It is as that of runs (``fop_core.runs.trash``): nothing is emptied by itself, and no run goes with a study.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from fop_core.runs import files, records, stamps
from fop_core.runs import trash as of_runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import store
from fop_core.studies.stored import STUDY_JSON


@dataclass(frozen=True)
class Trashed:
    """A study in the trash.

    Attributes:
        path: its folder there.

    Example:
        >>> from fop_core.studies import protocol, store, trash
        >>> _ = trash.discard(store.create(protocol.Study(name="Learning rates")).id)
        >>> [(gone.id, gone.name) for gone in trash.trashed()]
        [('learning-rates', 'Learning rates')]
    """

    path: Path

    @property
    def id(self) -> str:
        """What it is called there: its id, and a number where one of that id was deleted before.

        Example:
            >>> from fop_core.studies import protocol, store, trash
            >>> trash.find(trash.discard(store.create(protocol.Study(name="Rates")).id)).id
            'rates'
        """
        return self.path.name

    @property
    def name(self) -> str:
        """What people call it; its id where its study.json does not say.

        Example:
            >>> from fop_core.studies import protocol, store, trash
            >>> gone = trash.find(trash.discard(store.create(protocol.Study(name="Rates")).id))
            >>> (gone.path / "study.json").unlink()
            >>> gone.name
            'rates'
        """
        try:
            said = files.read_json(self.path / STUDY_JSON).get("study")
        except (DamagedFile, OSError):
            return self.id
        name = said.get("name") if isinstance(said, dict) else None
        return str(name) if records.is_text(name) else self.id

    def size(self) -> int:
        """Return the bytes that it holds; those of its runs are not among them.

        Example:
            >>> from fop_core.studies import protocol, store, trash
            >>> trash.find(trash.discard(store.create(protocol.Study(name="Rates")).id)).size() > 100
            True
        """
        return files.size(self.path)

    def remove(self) -> None:
        """Remove it from the disk, for good; its runs stay.

        Raises:
            RunError: where it is a link, or somebody else's, or the trash is one.
            OSError: where something in it cannot be removed; what is left stays in the trash.

        Example:
            >>> from fop_core.studies import protocol, store, trash
            >>> trash.find(trash.discard(store.create(protocol.Study(name="Rates")).id)).remove()
            >>> trash.trashed()
            []
        """
        of_runs.of(self.path.parent.parent)
        of_runs.refuse_link(self.path)
        if (owner := os.lstat(self.path).st_uid) != os.getuid():
            raise RunError(f"the study {self.id} belongs to {stamps.user_name(owner)}, who alone may remove it")
        of_runs.erase(self.path)


def discard(id_: str, folder: Path | None = None) -> str:
    """Move a study to the trash of its folder; its runs stay. Return what it is called there.

    Raises:
        RunError, DamagedFile: as ``store.changing``; and where something else is in the trash's place.

    Example:
        >>> from fop_core.studies import protocol, store, trash
        >>> _ = store.create(protocol.Study(name="Rates"))
        >>> trash.discard("rates"), store.ids(), trash.restore("rates"), store.ids()
        ('rates', [], 'rates', ['rates'])
    """
    with store.changing(id_, folder) as stored:
        trash = of_runs.of(store.studies_folder(stored.folder))
        trash.mkdir(exist_ok=True)
        name, number = stored.id, 1
        while os.path.lexists(trash / name):  # one of that name was deleted before
            number += 1
            name = f"{stored.id}-{number}"
        os.rename(stored.path, trash / name)
    return name


def trashed(folder: Path | None = None) -> list[Trashed]:
    """Return the studies in the trash of a runs folder, in order of their names there.

    Raises:
        RunError: where the trash is a link, or no folder.

    Example:
        >>> from fop_core.studies import protocol, store, trash
        >>> for _ in range(2):
        ...     _ = trash.discard(store.create(protocol.Study(name="Rates")).id)
        >>> [gone.id for gone in trash.trashed()]
        ['rates', 'rates-2']
    """
    trash = of_runs.of(store.studies_folder(folder))
    return [Trashed(trash / name) for name in store.names(trash)]


def find(text: str, folder: Path | None = None) -> Trashed:
    """Return the study in the trash that an id or a name means.

    Raises:
        RunError: where that is none, or the trash is a link, or no folder.

    Example:
        >>> from fop_core.studies import protocol, store, trash
        >>> _ = trash.discard(store.create(protocol.Study(name="Learning rates")).id)
        >>> trash.find("Learning rates").id
        'learning-rates'
    """
    there = {gone.id: gone for gone in trashed(folder)}
    known = text if text in there else store.slug(text)
    if known not in there:
        trash = of_runs.of(store.studies_folder(folder))
        raise RunError(f"no study {text!r} in {trash}: there is {', '.join(there) or 'none'}")
    return there[known]


def restore(text: str, folder: Path | None = None) -> str:
    """Bring a study back from the trash of its folder; return its id.

    Raises:
        RunError: where it is not in the trash, or one of its name is there again.

    Example:
        >>> from fop_core.studies import protocol, store, trash
        >>> _ = store.create(protocol.Study(name="Rates"))
        >>> trash.restore(trash.discard("rates"))
        'rates'
    """
    gone = find(text, folder)
    back = store.studies_folder(folder) / gone.id
    if os.path.lexists(back):
        raise RunError(f"there is a study {gone.id!r} in {back.parent} again: delete or move that one first")
    os.rename(gone.path, back)
    return gone.id
