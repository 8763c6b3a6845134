"""What study.json says: a study, and what has become of it. Whoever has written it, each value is checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fop_core.runs import records, stamps
from fop_core.runs.files import DamagedFile
from fop_core.runs.names import STUDIES
from fop_core.studies import protocol
from fop_core.studies.protocol import Study
from fop_core.training.config import ConfigError

STUDY_JSON = "study.json"
FORMAT = 1  # of study.json


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
        return self.folder / STUDIES / self.id

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


def parse(content: Mapping[str, Any], id_: str, folder: Path) -> Stored:
    """Return the study that a study.json says.

    Args:
        content: of the file.
        id_: the name of its folder.
        folder: the runs folder that it is in.

    Raises:
        DamagedFile: where it says none.

    Example:
        >>> from fop_core.studies import protocol, store, stored
        >>> one = store.create(protocol.Study(name="Learning rates"))
        >>> stored.parse(one.to_json(), one.id, one.folder) == one
        True
    """
    path = folder / STUDIES / id_ / STUDY_JSON
    content = records.checked(path, content, _KINDS)
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
