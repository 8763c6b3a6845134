"""Several runs: a table of their groups, with mean and spread over seeds."""

import math
from collections.abc import Sequence
from typing import Any

import streamlit as st

from fop_core.formatting import NONE, duration, mean_std, points
from fop_core.quantities import QUANTITIES
from fop_core.runs import compare, fields
from fop_core.runs.best import MEASURED
from fop_core.runs.difference import ABSENT, difference
from fop_core.runs.listing import Entry
from pages.runs.one import table
from pages.shared.curves import Chosen, View
from pages.shared.text import literal

FEW = 8  # settings that are in sight at once
FINAL = ("train_loss", "test_loss", "held_out_loss")


def summary(of: Chosen, view: View) -> None:
    """Show for each group its last and best numbers, means ± std over those of its runs that measured them."""
    base = of.base(view)
    best = [_values(of, index, None) for index in range(len(of.groups))]
    finals = [name for name in FINAL if any(name in each.columns for each in of.metrics)]
    rows = []
    for index, group in enumerate(of.groups):
        last = {name: _values(of, index, name) for name in finals}
        seconds = _values(of, index, "seconds")
        n = max(map(len, (best[index], seconds, *last.values())))
        row = {"Runs": of.labels[index]}
        if view.seeds:
            row["Seeds"] = seeds([of.entries[member].settings.get("seed") for member in group.members])
        row["n"] = str(n) if n == len(group.members) else f"{n} of {len(group.members)}"
        row["Best accuracy"] = spread(best[index], True, n)
        if base is not None and index != base and best[index] and best[base]:
            means = [compare.mean_and_std(best[each])[0] for each in (index, base)]
            row["Less baseline"] = points(means[0] - means[1], signed=True)
        elif base is not None:
            row["Less baseline"] = "baseline" if index == base else "–"
        for name, values in last.items():
            row[f"Last {QUANTITIES[name].title}"] = spread(values, n=n)
        row["Training"] = _time(seconds)
        rows.append(row)
    table(rows)
    st.caption(
        "n: runs of the group that have got as far as the furthest of them. Numbers are mean ± standard deviation over "
        "these runs, of one run its value alone. Bands in the pictures show the same mean ± standard deviation. With "
        "a baseline, its mean is subtracted from each group's; each band still shows its own group's deviation. Runs "
        "are not paired by seed."
    )


def differences(entries: Sequence[Entry]) -> None:
    """Show in which settings two runs differ; nothing of more or fewer."""
    if len(entries) != 2:
        return
    rows = difference(entries[0].settings, entries[1].settings)
    if not rows:
        st.caption("These two runs have the same settings.")
        return
    names = [entry.name for entry in entries]
    heads = names if names[0] != names[1] else [entry.id for entry in entries]
    with st.expander(f"Settings that differ: {len(rows)}", expanded=len(rows) <= FEW, key="runs differences"):
        table(
            [
                {
                    "Setting": f"{each.name} (changes no result)" if each.aside else each.name,
                    **{literal(head): _setting(value) for head, value in zip(heads, (each.one, each.other))},
                }
                for each in rows
            ]
        )


def _setting(value: Any) -> str:
    return "–" if value is ABSENT else fields.text(value)


def seeds(values: Sequence[Any]) -> str:
    """Return all seeds in words: "0-2, 5", as the Train page takes them; what is no whole number as it is."""
    whole = sorted({seed for seed in values if type(seed) is int})
    parts: list[list[int]] = []
    for seed in whole:
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    ranges = [f"{part[0]}-{part[-1]}" if len(part) > 2 else ", ".join(map(str, part)) for part in parts]
    return ", ".join([*ranges, *(fields.text(seed) for seed in values if type(seed) is not int)])


def _values(of: Chosen, group: int, name: str | None) -> list[float]:
    """Return the last value of a column, or the best accuracy, of those runs of a group that have got to its end."""
    members, curves = [], []
    for member in of.groups[group].members:
        for column in MEASURED if name is None else (name,):
            if (curve := of.metrics[member].curve("step", column)) is not None:
                members.append(member)
                curves.append(curve)
    ended = [(of.entries[members[index]].best, float(curves[index].y[-1])) for index in compare.at_end(curves)]
    return [last for _, last in ended] if name else [best for best, _ in ended if best is not None]


def _time(seconds: Sequence[float]) -> str:
    return duration(compare.mean_and_std(seconds)[0]) if len(seconds) else NONE


def spread(values: Sequence[float], percent: bool = False, n: int = 0) -> str:
    """Return mean ± std in words; the mean alone of one value, a dash of none.

    Args:
        values: of the runs that measured it.
        percent: whether they are fractions, to be written as percent.
        n: of the row; where fewer runs measured this, their number is added.
    """
    if not len(values):
        return NONE
    mean, std = compare.mean_and_std(values)
    if not math.isfinite(mean):
        return "not a number"
    fewer = f" (n = {len(values)})" if len(values) < n else ""
    return mean_std(mean, std, percent) + fewer
