"""What a list can say of a run, by names: its own fields, its settings, and what its columns came to.

    method   state   set.optimizer.lr   last.test_loss   best.test_accuracy

The table of the Runs page has a column by each such name, and a query (``query``) compares what it stands for.
"""

import contextlib
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from fop_core import quantities
from fop_core.runs.listing import Entry

SETTING, LAST, BEST = "set.", "last.", "best."
"""What the names of settings and of summaries begin with."""
ANYWHERE = f"{SETTING}*."
"""What the name of a setting begins with that runs have in several places: optimizer.lr, lr, optimizer.settings.lr."""
SECTIONS = ("", "optimizer.", "optimizer.settings.")
"""Where a run's setting of a short name is looked for first; elsewhere it counts where the run has only one such."""


@dataclass(frozen=True)
class Own:
    """A field that every run has.

    Attributes:
        about: what it is.
        read: returns it; None where there is none.

    Example:
        >>> from fop_core.runs import fields
        >>> fields.OWN["state"].about
        'queued, running, finished, ...'
    """

    about: str
    read: Callable[[Entry], Any]


def _accuracy(entry: Entry) -> float | None:
    value = entry.progress.get("test_accuracy", entry.progress.get("held_out_accuracy"))
    return float(value) if isinstance(value, (int, float)) else None


OWN: Mapping[str, Own] = MappingProxyType(
    {
        "id": Own("its directory's name", lambda entry: entry.id),
        "name": Own("what people call it", lambda entry: entry.name),
        "tag": Own("its tags", lambda entry: entry.tags),
        "notes": Own("its notes", lambda entry: entry.notes or None),
        "archived": Own("whether it is in the archive", lambda entry: entry.archived),
        "state": Own("queued, running, finished, ...", lambda entry: "damaged" if entry.damaged else entry.state),
        "reason": Own("why it is in that state", lambda entry: entry.reason or None),
        "cause": Own("of a failure: diverged, memory, ...", lambda entry: entry.cause or None),
        "method": Own("momentum, fop, ...", lambda entry: entry.method or None),
        "preset": Own("what its settings began from", lambda entry: entry.preset or None),
        "parent": Own("of a fork or a control", lambda entry: entry.forked_from or entry.control_of or None),
        "device": Own("what it ran on last", lambda entry: entry.device or None),
        "created": Own("when, such as 2026-11-24", lambda entry: entry.created or None),
        "step": Own("how far it is", lambda entry: entry.progress.get("step")),
        "accuracy": Own("the last on what is not learned from", _accuracy),
        "best": Own("the best of these", lambda entry: entry.best),
    }
)
LATE = ("best", "device")
"""Those that a list finds out later than the rest, see ``Entry.complete``."""


class UnknownField(ValueError):
    """No field has this name, or several have; the message says which are near.

    Example:
        >>> from fop_core.runs import fields
        >>> fields.known([], ["fop.rank"]).resolve("rang")
        Traceback (most recent call last):
            ...
        fop_core.runs.fields.UnknownField: no field 'rang'; did you mean fop.rank?
    """


@dataclass(frozen=True)
class Known:
    """The names that there are.

    Attributes:
        settings: by their paths, "optimizer.lr".
        columns: of metrics, "train_loss", "angle_deg/0.weight".
        clashes: short names of which one run has several settings, none of them in ``SECTIONS``: these settings.

    Example:
        >>> from fop_core.runs import GALLERY, fields
        >>> from fop_core.runs.listing import Listing
        >>> known = fields.known(Listing(GALLERY).entries().values())
        >>> "fop.rank" in known.settings, "test_loss" in known.columns
        (True, True)
    """

    settings: dict[str, None]
    columns: dict[str, None]
    clashes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def resolve(self, name: str) -> str:
        """Return the full name of a field: "set.optimizer.lr" for "lr", "last.test_loss" for "test_loss".

        A field that every run has comes before a setting, a setting before a column. The last part of settings' paths
        stands for the one that each run has: "set.*.lr", see ``setting``.

        Raises:
            UnknownField: where none is meant, or several settings of one run.

        Example:
            >>> from fop_core.runs import fields
            >>> known = fields.known([], ["optimizer.lr", "fop.rank"])
            >>> known.resolve("lr"), known.resolve("test_loss"), known.resolve("best.test_loss"), known.resolve("state")
            ('set.optimizer.lr', 'last.test_loss', 'best.test_loss', 'state')
            >>> fields.known([], ["optimizer.lr", "lr"]).resolve("lr")
            'set.*.lr'
        """
        if name in OWN or (name.startswith(ANYWHERE) and name.removeprefix(ANYWHERE) in self._short):
            return name
        for prefix, names in ((SETTING, self.settings), (LAST, self.columns), (BEST, self.columns)):
            if name.startswith(prefix) and (inner := name.removeprefix(prefix)) in names:
                if prefix == BEST and not quantities.of(inner).goal:
                    raise UnknownField(f"{inner} has no best value: neither more nor less of it is better")
                return name
        if name in self.clashes:
            raise UnknownField(f"{name} can be {' or '.join(self.clashes[name][:4])}: write it whole")
        if meant := self._short.get(name):
            return ANYWHERE + name if len(meant) > 1 else SETTING + meant[0]
        if name in self.settings:
            return SETTING + name
        if name in self.columns:
            return LAST + name
        if name != (lower := name.casefold()):
            with contextlib.suppress(UnknownField):
                return self.resolve(lower)
        raise UnknownField(f"no field {name!r}{self._near(name)}")

    def short(self, path: str) -> str:
        """Return the full name of a column of a setting: "set.*.lr" where runs have it in several of ``SECTIONS``.

        Example:
            >>> from fop_core.runs import fields
            >>> fields.known([], ["optimizer.lr", "optimizer.settings.lr"]).short("optimizer.settings.lr")
            'set.*.lr'
        """
        last = path.rpartition(".")[2]
        usual = {section + last for section in SECTIONS}
        return ANYWHERE + last if path in usual and len(usual & self.settings.keys()) > 1 else SETTING + path

    @cached_property
    def _short(self) -> dict[str, list[str]]:
        """The settings by the last part of their paths."""
        made: dict[str, list[str]] = {}
        for path in self.settings:
            made.setdefault(path.rpartition(".")[2], []).append(path)
        return made

    def _near(self, name: str) -> str:
        """Return which fields may be meant by a name that is none, as words to append, or ""."""
        prefix = next((each for each in (SETTING, LAST, BEST) if name.startswith(each)), "")
        if prefix:
            names = {each: prefix + each for each in (self.settings if prefix == SETTING else self.columns)}
        else:
            names = {path.rpartition(".")[2]: path for path in reversed(self.settings)}
            names |= {each: each for each in (*OWN, *self.settings, *self.columns)}
        close = difflib.get_close_matches(name.removeprefix(prefix), names, 3, 0.7)
        meant = dict.fromkeys(names[each] for each in close)
        return f"; did you mean {' or '.join(meant)}?" if meant else ""


def setting(settings: Mapping[str, Any], name: str) -> str | None:
    """Return which of a run's settings a full name stands for, by its path; None where the run has none such.

    Of "set.*.lr" it is ``lr`` at the top level, else ``optimizer.lr``, else that of an optimizer of somebody's own,
    else the one setting whose path ends so; of several others it is none.

    Example:
        >>> from fop_core.runs import fields
        >>> fields.setting({"optimizer.settings.lr": 0.01}, "set.*.lr"), fields.setting({"fop.rank": 16}, "set.*.lr")
        ('optimizer.settings.lr', None)
    """
    if not name.startswith(ANYWHERE):
        path = name.removeprefix(SETTING)
        return path if path in settings else None
    last = name.removeprefix(ANYWHERE)
    for section in SECTIONS:
        if section + last in settings:
            return section + last
    others = [path for path in settings if path.endswith(f".{last}")]
    return others[0] if len(others) == 1 else None


def known(entries: Iterable[Entry], settings: Iterable[str] = ()) -> Known:
    """Return the names that some runs have, with all quantities of ``quantities`` that are no layer's.

    Args:
        entries: the runs; columns of layers are known once they are ``measured``.
        settings: more of them, such as ``training.config.described()``: a query may name what no run has.

    Example:
        >>> from fop_core.runs import fields
        >>> known = fields.known([], settings=["optimizer.lr"])
        >>> list(known.settings), "train_loss" in known.columns
        (['optimizer.lr'], True)
    """
    paths: dict[str, None] = dict.fromkeys(settings)
    columns = {name: None for name, each in quantities.QUANTITIES.items() if not each.layered and name != "step"}
    alike = {tuple(paths): None}  # most runs have the same settings
    for entry in entries:
        alike[tuple(entry.settings)] = None
        columns.update(dict.fromkeys(entry.measured or ()))
    clashes: dict[str, list[str]] = {}
    for each in alike:
        paths.update(dict.fromkeys(each))
        _add_clashes(each, clashes)
    return Known(paths, columns, clashes)


def _add_clashes(paths: Sequence[str], clashes: dict[str, list[str]]) -> None:
    """Add the short names of which a run with these settings has several, none of them in ``SECTIONS``."""
    ends: dict[str, list[str]] = {}
    for path in paths:
        ends.setdefault(path.rpartition(".")[2], []).append(path)
    for last, meant in ends.items():
        if len(meant) > 1 and not any(section + last in meant for section in SECTIONS):
            clashes[last] = list(dict.fromkeys([*clashes.get(last, ()), *meant]))


def is_measured(name: str) -> bool:
    """Return whether a full name stands for what ``Listing.measure`` reads.

    Example:
        >>> from fop_core.runs import fields
        >>> fields.is_measured("last.test_loss"), fields.is_measured("set.optimizer.lr")
        (True, False)
    """
    return name.startswith((LAST, BEST))


def ready(entry: Entry, name: str) -> bool:
    """Return whether what a full name stands for has been looked for yet.

    Example:
        >>> from fop_core.runs import GALLERY, fields
        >>> from fop_core.runs.listing import Listing
        >>> listing = Listing(GALLERY)
        >>> entry = listing.entries()["mnist-sgd-seed0"]
        >>> fields.ready(entry, "last.test_loss"), listing.measure(patience=60), fields.ready(entry, "last.test_loss")
        (False, True, True)
    """
    return entry.measured is not None if is_measured(name) else name not in LATE or entry.complete


def value(entry: Entry, name: str) -> Any:
    """Return what a full name stands for, None where a run has it not.

    Example:
        >>> from fop_core.runs import GALLERY, fields
        >>> from fop_core.runs.listing import Listing
        >>> listing = Listing(GALLERY)
        >>> entry = listing.entries()["mnist-sgd-seed0"]
        >>> _ = listing.measure(patience=60)
        >>> [fields.value(entry, name) for name in ("method", "set.optimizer.lr", "best.test_accuracy", "set.fop.rank")]
        ['momentum', 0.05, 0.9771, None]
    """
    if name in OWN:
        return OWN[name].read(entry)
    if name.startswith(SETTING):
        path = setting(entry.settings, name)
        return None if path is None else entry.settings[path]
    column = name.partition(".")[2]
    if (summary := (entry.measured or {}).get(column)) is None:
        return None
    if name.startswith(LAST):
        return summary.last
    return summary.most if quantities.of(column).goal == "more" else summary.least


def shown(settings: Mapping[str, Any], path: str) -> Any:
    """Return a setting as a reader knows it: of a part that a file of somebody's own makes, that file's name.

    Example:
        >>> from fop_core.runs import fields
        >>> fields.shown({"model.name": "plugin", "model.plugin.file": "tiny.py"}, "model.name")
        'tiny.py'
    """
    file = f"{path.removesuffix('name')}plugin.file"
    return settings.get(file, settings[path]) if path.endswith(".name") else settings[path]


def text(value: Any) -> str:
    """Return a value as people write it: none, yes, 0.05, 0.9, 0.999.

    Example:
        >>> from fop_core.runs.fields import text
        >>> text(0.05), text(None), text(True), text([0.9, 0.999])
        ('0.05', 'none', 'yes', '0.9, 0.999')
    """
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case list() | tuple():
            return ", ".join(map(text, value)) or "none"
    return str(value)
