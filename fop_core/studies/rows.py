"""A study's cells as rows of a plain table, for CSV, JSON and terminals."""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from fop_core.studies.progress import COLUMNS, StudyTable


def rows(table: StudyTable) -> tuple[list[str], list[list[Any]]]:
    """Return the names of the columns, and a row for each cell; NaN is what is not known."""
    fields = list(dict.fromkeys(field for point in table.point for field in point))
    numbers = {name: table.last[name] for name in COLUMNS}
    numbers |= {f"best_{name}": table.best[name] for name in COLUMNS if not name.startswith("train_")}
    numbers |= {
        "seconds": table.seconds,
        "evaluation_seconds": table.evaluation_seconds,
        "peak_memory": table.peak_memory,
        "steps_to_target": table.steps_to_target,
        "seconds_to_target": table.seconds_to_target,
        "gradients_to_target": table.gradients_to_target,
    }
    names = ["method", *fields, "seed", "role", "state", "diverged", *numbers, "share", "adopted", "run", "reason"]
    made = []
    for index in range(len(table)):
        point = table.point[index]
        made.append(
            [
                table.method[index],
                *(_value(point[field]) if field in point else "" for field in fields),
                table.seed[index],
                table.role[index],
                table.state[index],
                bool(table.diverged[index]),
                *(float(column[index]) for column in numbers.values()),
                float(table.share[index]),
                table.adopted[index],
                table.run_id[index],
                table.reason[index],
            ]
        )
    return names, made


def _value(value: Any) -> Any:
    return value if isinstance(value, int | float | str) else json.dumps(value)


def csv_text(names: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """Return rows as CSV: numbers with all their digits, nothing for what is not known, inf for infinity.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
