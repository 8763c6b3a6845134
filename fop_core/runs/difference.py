"""In which settings two runs differ."""

from typing import Any, NamedTuple

from fop_core.runs.compare import ASIDE, Settings


class Absent:
    """Stands where a run has not such a setting at all, which is not the same as none.

    Example:
        >>> from fop_core.runs.difference import ABSENT
        >>> ABSENT
        absent
    """

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


class RunDifference(NamedTuple):
    """One setting in which two runs differ.

    Attributes:
        name: its path, "optimizer.lr".
        one: the first run's value, or ``ABSENT``.
        other: the second one's.
        aside: whether it only says how a run is watched and where it runs, see ``compare.ASIDE``.

    Example:
        >>> from fop_core.runs.difference import difference
        >>> difference({"seed": 0}, {"seed": 1})
        [RunDifference(name='seed', one=0, other=1, aside=False)]
    """

    name: str
    one: Any
    other: Any
    aside: bool


def difference(one: Settings, other: Settings) -> list[RunDifference]:
    """Return in what two runs differ, in the order of their settings; what changes no result comes last.

    Where one has a whole part of the settings, such as FOP's, and the other has none in its place, the settings of that
    part are listed, and that the part is none is not.

    Args:
        one: flat settings, see ``compare.settings``.
        other: likewise.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import compare
        >>> from fop_core.runs.difference import difference
        >>> names = "mnist-sgd-seed0", "mnist-fop-rank16-seed1"
        >>> sgd, fop = (compare.settings(runs.load(name).config) for name in names)
        >>> [(each.name, each.one, each.other) for each in difference(sgd, fop)][:3]
        [('seed', 0, 1), ('fop.preconditioner', absent, 'low_rank'), ('fop.layout', absent, 'auto')]
    """
    parts = {path[:at] for settings in (one, other) for path in settings for at in _dots(path)}
    made = []
    for name in dict.fromkeys([*one, *other]):
        pair = one.get(name, ABSENT), other.get(name, ABSENT)
        if _same(*pair) or (name in parts and set(map(type, pair)) == {type(None), Absent}):
            continue
        made.append(RunDifference(name, *pair, name in ASIDE))
    return sorted(made, key=lambda each: each.aside)


def _dots(path: str) -> list[int]:
    return [at for at, letter in enumerate(path) if letter == "."]


def _same(one: Any, other: Any) -> bool:
    """Return whether two values are one: yes is not 1, though Python has it so."""
    return one is other or (isinstance(one, bool) == isinstance(other, bool) and one == other)
