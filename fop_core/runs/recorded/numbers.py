"""The numbers that somebody's own script logs: Python's, numpy's or a tensor's, of which what is none is refused."""

import math
import numbers
import reprlib
from typing import Any

from fop_core.runs import records


def is_step(value: Any) -> bool:
    """Return whether rows and snapshots can be of a step: a whole number, 0 or more, and no truth value."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return is_whole and 0 <= int(value) <= records.LARGEST_STEP


def number(value: Any) -> float:
    """Return a number of Python's, of numpy's or of a tensor with one entry; an int stays one.

    Raises:
        TypeError: for anything else, a truth value included, whosever it is.
        ValueError: for a tensor with more entries.
    """
    if not isinstance(value, numbers.Real) and hasattr(value, "item"):
        try:
            value = value.item()
        except (TypeError, ValueError, RuntimeError) as error:
            shape = list(getattr(value, "shape", ()))
            why = error if math.prod(shape) == 1 else "one number is expected"
            raise ValueError(f"a value of type {type(value).__name__} and shape {shape}: {why}") from None
    if isinstance(value, bool):
        raise TypeError("a truth value: give 0 or 1")
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{reprlib.repr(value)}, of type {type(value).__name__}: a number is expected")
