"""The table beside a race: for each optimizer how many steps it took, where it ended, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from fop_core.figures.bands import Band
from fop_core.figures.style import GLYPHS, plain, point
from pages.components.component import component
from pages.shared.race.remembered import Result
from pages.trajectories import seeds
from toy_functions.surfaces import Surface

_mount = component("readout")


def readout(
    results: Sequence[Result],
    published: Mapping[str, int],
    tolerance: float,
    surface: Surface,
    key: str,
    bands: Sequence[Band] = (),
    seed: int = 0,
) -> None:
    """Show the table.

    Args:
        results: of the rules.
        published: step counts to compare with, by the rules' names; empty for none.
        tolerance: of the race.
        surface: what was raced on.
        key: of the widget.
        bands: of several seeds, in the order of the results; none of one.
        seed: the first of them.
    """
    rows = [row(result, published, tolerance, surface) for result in results]
    if bands:
        rows = [each | seeds.row(band, seed, each["end"]) for each, band in zip(rows, bands)]
    _mount(key=key, data={"rows": rows})


def row(result: Result, published: Mapping[str, int], tolerance: float, surface: Surface) -> dict[str, Any]:
    """Return what the table says of a rule."""
    run, method = result.run, result.run.method
    count = published.get(method.name)
    return {
        "rule": run.rule,
        "name": method.name,
        "color": method.color,
        "dash": "" if method.dash == "solid" else method.dash.replace("px", ""),
        "width": method.width,
        "glyph": GLYPHS[method.symbol],
        "status": run.status,
        "steps": f"{run.steps:,}",
        "reason": reason(result, tolerance, surface.floor),
        "end": f"{'Last' if run.status == 'diverged' else 'Ends'} at {point(*result.end)}{_at(result, surface)}.",
        "published": None if count is None else f"{count:,}",
        "matches": matches(result, published),
    }


def matches(result: Result, published: Mapping[str, int]) -> bool:
    """Return whether a run took as many steps as published."""
    return result.run.status == "converged" and published.get(result.run.method.name) == result.run.steps


def reason(result: Result, tolerance: float, floor: float) -> str:
    """Return why a run ended, in words."""
    if result.run.status != "converged":
        return f"{result.reason[0].upper()}{result.reason[1:]}."
    what = "f" if floor == 0 else "f − f*"
    return f"Converged: {what} < {plain(tolerance)} at step {result.run.steps:,}."


def _at(result: Result, surface: Surface) -> str:
    if result.minimum is not None:
        return f", at the minimum ({', '.join(plain(value) for value in result.minimum)})"
    if not surface.minima or result.run.status != "step limit":  # f may be as low elsewhere, where one has converged
        return ""
    return ", not at the minimum" if len(surface.minima) == 1 else ", at none of the lowest minima"


def summary(results: Sequence[Result], published: Mapping[str, int]) -> str:
    """Return whether the counts are the published ones, in a sentence."""
    compared = [result for result in results if result.run.method.name in published]
    differ = [result.run.method.name for result in compared if not matches(result, published)]
    if not compared:
        return "None of the published runs is in this race."
    if differ:
        return f"Not the published count: {', '.join(differ)}."
    if len(compared) == len(results):
        return "All step counts are the published ones."
    return f"As published: the step counts of {', '.join(result.run.method.name for result in compared)}."
