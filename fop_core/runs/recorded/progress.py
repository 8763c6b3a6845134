"""How far somebody's own script has come, and how long it still takes."""

from collections.abc import Mapping
from typing import Any

from fop_core.runs import records

_COLUMNS = ("epoch", *records.MEASURED)


class HowFar:
    """What ``progress.json`` says of a script that logs rows.

    Args:
        steps: how many it will take, where that is known.
    """

    def __init__(self, steps: int | None) -> None:
        self._steps = steps
        self._first: tuple[int, float] | None = None  # logged row: its step, and the seconds up to it
        self._content: dict[str, Any] = {}

    def at(self, row: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Return it at a row that was logged so many seconds after the script began."""
        step = row["step"]
        content: dict[str, Any] = {"step": step, "seconds": seconds}
        if self._first is None:
            self._first = step, seconds
        if self._steps is not None:
            # Measured from the first row on, as a script that resumes begins late; of one row alone as from step 0.
            first, begun = self._first if step > self._first[0] else (0, 0.0)
            left = (seconds - begun) / (step - first) * max(0, self._steps - step) if step else None
            content |= {"steps": self._steps, "share": min(1.0, step / self._steps), "eta_seconds": left}
        content |= {name: row[name] for name in _COLUMNS if name in row}
        self._content |= {name: value for name, value in content.items() if _is_readable(name, value)}
        return self._content


def _is_readable(name: str, value: Any) -> bool:
    """Return whether a value of a run's progress can be read back, as an epoch of NaN cannot."""
    try:
        records.PROGRESS[name](value)
    except ValueError:
        return False
    return True
