"""How what the page says of a study is written: counts, states, tables."""

from collections.abc import Sequence

import streamlit as st

from fop_core.figures.studies.drawing import written
from fop_core.formatting import NONE, mean_std
from fop_core.runs import compare
from fop_core.studies.cells import Point
from fop_core.studies.stored import Stored
from pages.shared.run_text import AMBER, GREY, RED, STATES, Badge
from pages.shared.text import literal

BADGES = STATES | {
    "missing": Badge("·", GREY),
    "ended early": Badge("◇", AMBER),
    "deleted": Badge("✕", RED),
}
"""How the states of cells look beside their words."""
ORDER = ("running", "starting", "stopping", "queued", "missing", "failed", "damaged", "lost", "deleted", "stopped")


def later(stored: Stored) -> int:
    """Return how many runs a study makes once its winners are known."""
    open_ = [method for method in stored.study.methods if method not in (*stored.winners, *stored.lost)]
    return len(open_) * len(stored.study.fresh_seeds or ()) if stored.study.axes else 0


def together(states: Sequence[str]) -> str:
    """Return what several runs are together: what is under way or went wrong before what is well."""
    return next((state for state in (*ORDER, "ended early", "finished") if state in states), "missing")


def settings(point: Point) -> str:
    """Return a point in words: "lr 0.05, rank 16"."""
    return ", ".join(f"{field.rpartition('.')[2]} {written(value)}" for field, value in point.items()) or "as they are"


def spread(values: Sequence[float], percent: bool) -> str:
    """Return mean ± std of finite values; a dash of none, the mean alone of one."""
    if not len(values):
        return NONE
    mean, std = compare.mean_and_std(values)
    return mean_std(mean, std, percent)


def table(rows: Sequence[dict[str, str]]) -> None:
    """Show a table of texts as they are."""
    st.table(
        [{name: literal(text) for name, text in row.items()} for row in rows], hide_index=True, border="horizontal"
    )
