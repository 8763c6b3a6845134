"""The player: a race over its surface, in two or three dimensions, played in the browser."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fop_core.figures import interactive, style
from fop_core.figures.landscape import Landscape
from fop_core.figures.relief import Relief
from fop_core.figures.style import GLYPHS
from pages.components.component import component, packed
from pages.components.plot import SOURCE
from pages.shared.race import Result, Spec
from pages.trajectories import exports
from toy_functions.surfaces import Surface

_mount = component("player")


def player(
    race: Spec,
    results: Sequence[Result],
    ground: Landscape,
    surface: Surface,
    *,
    key: str,
    clicks: int,
    log_steps: bool,
    arrows: bool,
    solid: Relief | None,
    on_start: Callable[[], None],
) -> None:
    """Show a race.

    Args:
        race: what decides it.
        results: of its rules.
        ground: what it is drawn on.
        surface: of the race.
        key: of the widget; under it the session has the last click as ``.start``, {"x": .., "y": ..}.
        clicks: how often the reader has set a start; with one more the race is played from there.
        log_steps: whether time is logarithmic.
        arrows: whether heads have arrows.
        solid: the ground in three dimensions; None to show it from above.
        on_start: called when the reader sets a start.
    """
    order = {run.rule: index for index, run in enumerate(interactive.ordered([result.run for result in results]))}
    shown = sorted((result for result in results if len(result.motion.steps)), key=lambda each: order[each.run.rule])
    ends = interactive.ends(ground.box, [result.run for result in shown], race.start, surface.minima)
    figure = interactive.ground(ground, surface.minima, str(race.surface))
    data: dict[str, Any] = {
        "figure": figure.to_json(),
        "themes": style.themes(),
        "margin": interactive.MARGIN,
        "source": SOURCE,
        "alt": f"Paths over {surface.name}: {', '.join(result.run.label for result in shown)}",
        "race": f"{race!r} {arrows}",
        "file": exports.stem(race),
        "title": exports.title(race),
        "start": race.start,
        "clicks": clicks,
        "log": log_steps,
        "runs": [_run(result, end, arrows) for result, end in zip(shown, ends)],
    }
    arrays = {
        "points": _bytes([result.motion.points.T for result in shown]),
        "losses": _bytes([result.motion.losses for result in shown]),
    }
    if any(result.motion.downsampled for result in shown):
        arrays["kept"] = _bytes([result.motion.steps for result in shown if result.motion.downsampled])
    if arrows:
        turns = [(result.motion.gradient, result.motion.preconditioned) for result in shown]
        arrays["angles"] = _bytes([turn for pair in turns for turn in pair if turn is not None])
    if solid is not None:
        data["scene"] = _scene(solid, ground, surface, str(race.surface))
        arrays["grid"] = solid.heights.tobytes()
    _mount(key=key, data=packed(data, arrays), on_start_change=on_start)


def _scene(relief: Relief, ground: Landscape, surface: Surface, name: str) -> dict[str, Any]:
    left, right, bottom, top = ground.box
    return {
        "size": len(relief.heights),
        "box": ground.box,
        "key": f"{name} {ground.box} {relief.height.name}",
        "axes": [dataclasses.asdict(axis) for axis in (relief.x, relief.y, relief.height)],
        "levels": [relief.bottom, relief.step],
        "minima": [(x, y) for x, y in surface.minima if left <= x <= right and bottom <= y <= top],
    }


def _run(result: Result, end: interactive.End, arrows: bool) -> dict[str, Any]:
    method = result.run.method
    return {
        "name": method.name,
        "color": method.color,
        "dash": [] if method.dash == "solid" else [float(part) for part in method.dash.replace("px", "").split(",")],
        "width": method.width,
        "glyph": GLYPHS[method.symbol],
        "bold": result.run.rule == "fop",
        "count": len(result.motion.steps),
        "downsampled": result.motion.downsampled,
        "learns": result.motion.preconditioned is not None,
        "arrows": arrows,
        "label": {"text": end.text, "at": end.at, **dataclasses.asdict(end.anchor)},
    }


def _bytes(arrays: Sequence[np.ndarray]) -> bytes:
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)
