"""What was read of a study's runs that have ended, kept beside it, so that a large study opens at once.

The runs are the truth. What is kept of one counts while its directory has not changed, and may be thrown away.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from fop_core.runs import files, records
from fop_core.runs.compare import Curve
from fop_core.runs.files import DamagedFile
from fop_core.studies.measured import COLUMNS, CellRun

FORMAT = 2
LARGEST = 256 << 20  # bytes that are read of it: of 10,000 runs of 100 epochs 60 MB
NAME = "measured.safetensors"
_CURVES = ("seconds", *COLUMNS)
_NUMBERS = ("share", "seconds", "evaluation_seconds", "peak_memory")


def write(path: Path, rows: Mapping[str, CellRun]) -> None:
    """Keep what is known of runs in the folder of a study.

    Args:
        path: of the study.
        rows: by the ids of the runs.

    Raises:
        OSError, ValueError: where it cannot be.
    """
    curves = [[row.clock, *(row.curves.get(name) for name in COLUMNS)] for row in rows.values()]
    whole = [curve for of_run in curves for curve in of_run if curve is not None]
    files.write_arrays(
        path / NAME,
        {
            "stamps": np.array([row.stamp for row in rows.values()], np.int64).reshape(-1, 2),
            "numbers": np.array([[getattr(row, name) for name in _NUMBERS] for row in rows.values()], np.float64),
            "lengths": np.array([[0 if c is None else len(c.steps) for c in of_run] for of_run in curves], np.int64),
            "steps": np.concatenate([np.empty(0, np.int64), *(curve.steps for curve in whole)]),
            "x": np.concatenate([np.empty(0), *(curve.x for curve in whole)]),
            "y": np.concatenate([np.empty(0), *(curve.y for curve in whole)]),
        },
        {"format": FORMAT, "runs": [[id_, row.key, row.state, row.reason, row.cause] for id_, row in rows.items()]},
        sync=False,
    )


def read(path: Path) -> dict[str, CellRun]:
    """Return what is kept of a study's runs, by their ids; nothing of a file that cannot be used."""
    try:
        if os.stat(path / NAME).st_size > LARGEST:
            return {}
        arrays, about = files.read_arrays(path / NAME)
        return _rows(arrays, about.get("format"), about.get("runs"))
    except (FileNotFoundError, DamagedFile, OSError, KeyError, ValueError, TypeError, IndexError):
        return {}  # the runs say it all


def _rows(arrays: Mapping[str, np.ndarray], form: object, runs: object) -> dict[str, CellRun]:
    if form != FORMAT or not isinstance(runs, list):
        raise ValueError(f"of format {form!r}, not {FORMAT}")
    stamps, numbers, lengths = arrays["stamps"].tolist(), arrays["numbers"].tolist(), arrays["lengths"]
    if not len(stamps) == len(numbers) == len(lengths) == len(runs) or (lengths < 0).any():
        raise ValueError("of arrays that do not fit together")
    ends = np.cumsum(lengths.ravel())
    if len(runs) and not int(ends[-1]) == len(arrays["steps"]) == len(arrays["x"]) == len(arrays["y"]):
        raise ValueError("of arrays that do not fit together")
    bounds = np.concatenate([[0], ends]).tolist()
    made = {}
    for index, ((id_, *texts), stamp, values) in enumerate(zip(runs, stamps, numbers)):
        key, state, reason, cause = map(records.text, texts)
        row = CellRun(None, None, key, state, reason, cause, **dict(zip(_NUMBERS, values)))
        for number, name in enumerate(_CURVES):
            begin, end = bounds[len(_CURVES) * index + number : len(_CURVES) * index + number + 2]
            if end > begin:
                curve = Curve(*(arrays[part][begin:end] for part in ("steps", "x", "y")))
                if number:
                    row.curves[name] = curve
                else:
                    row.clock = curve
        row.summarize()
        row.stamp, row.sure = (int(stamp[0]), int(stamp[1])), True
        made[str(id_)] = row
    return made
