"""The player: a race over its surface, in two or three dimensions, played in the browser."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fop_core.figures import heads, interactive, player_data, style
from fop_core.figures.landscape import Landscape
from fop_core.figures.relief import Relief
from pages.components.component import component, packed
from pages.components.plot import SOURCE
from pages.shared.race.remembered import Result, Spec
from pages.trajectories import exports
from pages.trajectories.formulas import updates
from pages.trajectories.live import live
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
    hidden: Sequence[str],
    log_steps: bool,
    arrows: bool,
    solid: Relief | None,
    opening: bool,
    on_start: Callable[[], None],
    on_hidden: Callable[[], None],
    movable: Mapping[tuple[str, str], str],
    on_rates: Callable[[], None],
) -> None:
    """Show a race.

    Args:
        race: what decides it.
        results: of its rules.
        ground: what it is drawn on.
        surface: of the race.
        key: of the widget; under it the session has the last click as ``.start``, {"x": .., "y": ..}, as ``.hidden``
            the rules that the reader has hidden last, and as ``.rates`` what the reader has moved a setting to, {its
            name: its value}.
        clicks: how often the reader has set a start; with one more the race is played from there.
        hidden: rules whose runs are not shown, as the address has them.
        log_steps: whether time is logarithmic.
        arrows: whether heads have arrows.
        solid: the ground in three dimensions; None to show it from above.
        opening: whether this is the scene that the page opens with, which plays by itself once in a visit.
        on_start: called when the reader sets a start.
        on_hidden: called when the reader has hidden runs, or shown them again.
        movable: as of ``live``.
        on_rates: called when the reader has moved a rate.
    """
    order = {run.rule: index for index, run in enumerate(interactive.ordered([result.run for result in results]))}
    shown = sorted((result for result in results if len(result.motion.steps)), key=lambda each: order[each.run.rule])
    ends = heads.ends(ground.box, shown, race.start, surface.minima)
    figure = interactive.ground(ground, surface.minima, str(race.surface))
    of_rules = updates(race)
    stepping = [of_rules[result.run.rule] for result in shown]
    data: dict[str, Any] = {
        "figure": figure.to_json(),
        "themes": style.themes(),
        "margin": interactive.MARGIN,
        "source": SOURCE,
        "alt": f"Paths over {surface.name}: {', '.join(result.run.label for result in shown)}",
        "race": f"{race!r} {arrows}",
        "file": exports.path_stem(race),
        "title": exports.path_title(race),
        "start": race.start,
        "clicks": clicks,
        "hidden": list(hidden),
        "scale": {"quantity": ground.quantity, "base": ground.base, "log": ground.log},
        "log": log_steps,
        "opening": opening,
        "runs": [
            player_data.head(each.run, each.motion, end, how, arrows) for each, end, how in zip(shown, ends, stepping)
        ],
    }
    arrays = player_data.arrays([result.motion for result in shown], stepping, arrows)
    data["live"], programs = live(race, [result.run.rule for result in shown], movable)
    if solid is not None:
        data["scene"] = _scene(solid, ground, surface, str(race.surface))
        arrays["grid"] = solid.heights.tobytes()
    _mount(
        key=key,
        data=packed(data, arrays | programs),
        on_start_change=on_start,
        on_hidden_change=on_hidden,
        on_rates_change=on_rates,
    )


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
