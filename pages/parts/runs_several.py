"""Several runs: a table of their groups, with mean and spread over seeds."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fop_core.figures.style import number
from pages.parts import runs_words as words
from pages.parts.runs_curves import Chosen, View
from pages.parts.runs_one import table

FINAL = ("train_loss", "test_loss", "held_out_loss")


def summary(of: Chosen, view: View) -> None:
    """Show for each group its last and best numbers, means ± std over its runs."""
    base = of.base(view)
    best = [_values(of, place, None) for place in range(len(of.groups))]
    rows = []
    for place, group in enumerate(of.groups):
        row = {"Runs": of.labels[place], "n": str(len(group.members)), "Best accuracy": spread(best[place], True)}
        if base is not None and place != base and best[place] and best[base]:
            row["Less baseline"] = f"{100 * (np.mean(best[place]) - np.mean(best[base])):+.2f} points".replace("-", "−")
        elif base is not None:
            row["Less baseline"] = "baseline" if place == base else "–"
        for name in FINAL:
            if any(name in each.columns for each in of.metrics):
                row[f"Last {name.replace('_', ' ')}"] = spread(_values(of, place, name))
        row["Training"] = _time(_values(of, place, "seconds"))
        rows.append(row)
    table(rows)
    st.caption(
        "Mean ± standard deviation over runs (n − 1). In the pictures the band is that too, of the runs alone: a "
        "difference to a baseline carries the group's own spread, and the baseline's is drawn around 0."
    )


def _values(of: Chosen, group: int, name: str | None) -> list[float]:
    """Return the last value of a column of each run of a group, or its best accuracy."""
    found = []
    for member in of.groups[group].members:
        if name is None:
            if (best := of.entries[member].best) is not None:
                found.append(best)
        elif (curve := of.metrics[member].curve("step", name)) is not None and len(curve.y):
            found.append(float(curve.y[-1]))
    return found


def _time(seconds: Sequence[float]) -> str:
    return words.duration(float(np.mean(seconds))) if len(seconds) else "–"


def spread(values: Sequence[float], percent: bool = False) -> str:
    """Return mean ± std in words; the mean alone of one value, a dash of none."""
    if not len(values):
        return "–"
    mean = float(np.mean(values))
    if not np.isfinite(mean):
        return "not a number"
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    if percent:
        return f"{100 * mean:.2f} %" if std is None else f"{100 * mean:.2f} ± {100 * std:.2f} %"
    return number(mean) if std is None else f"{number(mean)} ± {number(std)}"
