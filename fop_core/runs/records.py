"""What a run's JSON files may say: each value's kind is checked where it is read, so that no reader has to."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from fop_core.runs import files
from fop_core.runs.files import DamagedFile

LARGEST_STEP = 2**63 - 1  # of a row, and of all that is counted: steps are int64 where they are read

Check = Callable[[Any], Any]
"""Returns a value as readers get it; raises ValueError, saying what is expected."""


def checked(path: Path, content: Mapping[str, Any], kinds: Mapping[str, Check], what: str = "") -> dict[str, Any]:
    """Return the content of a file with each value that ``kinds`` names checked; those that are missing stay so.

    Args:
        path: of the file.
        content: what it says.
        kinds: of the values.
        what: of the file the content is; all of it unless given.

    Raises:
        DamagedFile: where a value is of another kind.
    """
    values = dict(content)
    for name in kinds.keys() & content.keys():
        try:
            values[name] = kinds[name](content[name])
        except ValueError as error:
            shown = repr(content[name])
            shown = shown if len(shown) <= 60 else f"{shown[:60]}..."
            raise DamagedFile(f"{path}: its {what}{name} is {shown}, not {error}") from None
    return values


def text(value: Any) -> str:
    """Return a string that can be printed."""
    if not is_text(value):
        raise ValueError("a text")
    return value


def is_text(value: Any) -> TypeGuard[str]:
    """Return whether a value is a string that can be printed."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:  # half a character, as of an argument in another encoding
        return False


def count(value: Any) -> int:
    """Return a whole number of at least 0."""
    if type(value) is not int or not 0 <= value <= LARGEST_STEP:
        raise ValueError("a whole number of at least 0")
    return value


def amount(value: Any) -> float:
    """Return a finite number of at least 0."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= LARGEST_STEP:
        raise ValueError("a number of at least 0")
    return value


def share(value: Any) -> float:
    """Return a number from 0 to 1."""
    try:
        if (fraction := amount(value)) <= 1:
            return fraction
    except ValueError:
        pass
    raise ValueError("a number from 0 to 1")


def number(value: Any) -> float:
    """Return a measured number: NaN and the infinities are such, as JSON has them here."""
    try:
        return files.number(value)
    except ValueError:
        raise ValueError("a number") from None


def _or_none(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(map(is_text, value)):
        raise ValueError("a list of texts")
    return value


def _named_texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(map(is_text, (*value, *value.values()))):
        raise ValueError("an object of texts")
    return value


def _named_numbers(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise ValueError("an object of numbers")
    return {text(name): number(each) for name, each in value.items()}


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("an object")
    return value


MEASURED = [f"{part}_{what}" for part in ("train", "test", "held_out") for what in ("loss", "accuracy")]
"""The columns of which a run's progress has the last value."""

PROGRESS: dict[str, Check] = {
    "step": count,
    "steps": count,
    "epoch": amount,
    "epochs": amount,
    "share": share,
    "eta_seconds": _or_none(amount),
    "corrupt": count,
    "at": text,
    "samples_per_second": number,
    "eigenvalue_max": number,
    "seconds": amount,
    "evaluation_seconds": amount,
    "peak_memory": count,
    **dict.fromkeys(MEASURED, number),
}
ATTEMPT: dict[str, Check] = {
    "attempt": count,
    "from_step": count,
    "started": text,
    "device": text,
    "device_name": text,
    "threads": count,
    "versions": _named_texts,
    "commit": _or_none(text),
    "command": _texts,
    "data": _object,
    "optimizer": text,
    "warning": text,
    "scheduler": text,
    "job": text,
    "host": text,
}
USAGE: dict[str, Check] = {
    "cpu_percent": amount,
    "memory": amount,
    "gpu_percent": amount,
    "gpu_memory": amount,
    "at": text,
}
LINEAGE: dict[str, Check] = {
    "preset": _or_none(text),
    "method": _or_none(text),
    "parent": _or_none(text),
    "matrices": text,
    "control": text,
    "set": _texts,
    "threads": count,
    "recorded": text,
}
CURVATURE: dict[str, Check] = {
    "attempt": count,
    "step": count,
    "begun": count,
    "checkpoint": _truth,
    "rate": number,
    "base": text,
    "bound": _or_none(number),
    "formula": text,
    "with_P": _or_none(number),
    "without_P": number,
    "error_with_P": number,
    "error_without_P": number,
    "negative": _named_numbers,
    "batches": count,
    "images": count,
    "products": count,
}
