"""What somebody's own script says of its run: settings, any JSON, and labels; checked before anything is written."""

import numbers
import reprlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fop_core.runs import files, records


def checked_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON has them.

    Raises:
        TypeError: naming the first value that is no JSON, and where it is.
        ValueError: where they are nested too deep.

    Example:
        >>> from fop_core.runs.recorded.settings import checked_settings
        >>> checked_settings({"lr": 0.1, "betas": (0.9, 0.99)})
        {'lr': 0.1, 'betas': [0.9, 0.99]}
    """
    if not isinstance(settings, Mapping):
        raise TypeError(f"settings are of type {type(settings).__name__}: give a mapping, as vars(arguments) or a dict")
    content = _plain(settings, "settings")
    files.check_depth(content, "settings are ")
    return dict(content)


def check_arguments(name: str, tags: Sequence[str], losses: Collection[str], steps: int | None) -> None:
    """Raise TypeError or ValueError for arguments of ``record`` that do not do."""
    for what, several in (("tags", tags), ("losses", losses)):
        if isinstance(several, str):
            raise TypeError(f"{what} are {several!r}, a text: give several, as [{several!r}]")
    for what, text in (("name", name), *(("tag", tag) for tag in tags)):
        if not records.is_text(text):
            raise TypeError(f"a {what} is {text!r}, of type {type(text).__name__}: give a text")
    if steps is not None and (type(steps) is not int or not 1 <= steps <= records.LARGEST_STEP):
        raise ValueError(f"steps is {reprlib.repr(steps)}: give a whole number of at least 1, or none")


def _plain(value: Any, where: str, depth: int = 0) -> Any:
    if depth > files.DEEPEST:
        raise ValueError(f"settings are nested more than {files.DEEPEST} deep")
    if value is None or isinstance(value, (bool, str)):
        if isinstance(value, str) and not records.is_text(value):
            raise TypeError(f"{where} is {value!r}, which is no text that can be written")
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Mapping):
        for key in value:
            if not records.is_text(key):
                raise TypeError(f"{where} has the key {key!r} of type {type(key).__name__}: JSON has texts alone")
        return {key: _plain(each, f"{where}[{key!r}]", depth + 1) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{where}[{index}]", depth + 1) for index, each in enumerate(value)]
    raise TypeError(
        f"{where} is {value!r:.80}, of type {type(value).__name__}: JSON has texts, numbers, true, false, none, lists "
        "and mappings; give str(...) of it"
    )
