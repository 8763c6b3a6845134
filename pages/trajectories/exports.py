"""What a reader takes away from a race: data, figures, pictures and movies of what is seen, a player, a script."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from fop_core.figures import animation, heads, movie, paper, print_style, still, web
from fop_core.figures.bands import Band
from fop_core.figures.landscape import Landscape
from fop_core.figures.relief import Relief
from fop_core.figures.solid import Orbit, SolidWindow
from fop_core.figures.style import METHODS, THEMES, plain
from fop_core.figures.trajectories import DrawnTrajectory
from pages.components.download import File, Make, Screen, button, slug
from pages.shared.progress import leave_if_unwanted
from pages.shared.race.remembered import OWN, Result, Spec, surface
from pages.trajectories.formulas import updates
from toy_functions import Race, export, race

PICTURES = ("png", "svg", "pdf")
MOVIES: Mapping[str, Callable[..., bytes]] = {"gif": animation.gif, "mp4": movie.mp4}


@dataclass(frozen=True)
class Shown:
    """What is on the page.

    Attributes:
        spec: of the race.
        results: of its rules.
        surface_image: what they are drawn on.
        log_steps: whether steps are on a logarithmic axis.
        arrows: whether heads have arrows.
        solid: the surface in three dimensions; None where it is seen from above.
        bands: of several seeds; none of one.
    """

    spec: Spec
    results: Sequence[Result]
    surface_image: Landscape
    log_steps: bool
    arrows: bool = False
    solid: Relief | None = None
    bands: Sequence[Band] = ()

    @property
    def runs(self) -> list[DrawnTrajectory]:
        """The runs of the rules."""
        return [result.run for result in self.results]


def draw(shown: Shown) -> None:
    """Show the ways to take the race away. Each file is made when it is clicked for."""

    def offer(label: str, make: Make | None) -> None:
        button(label, make, key=f"export {label}", of=f"{shown.spec!r} {shown.arrows} {shown.log_steps}")

    with st.popover("Export", width="content"):
        st.caption("As it is seen: step, zoom, arrows, light or dark")
        for kind in PICTURES:
            by_browser = shown.solid is not None and kind == "png"
            offer(f"Picture ({kind.upper()})", None if by_browser else partial(picture, shown, kind))
        for kind in MOVIES:
            offer(f"Animation ({kind.upper()})", partial(animated, shown, kind))
        offer("Player (HTML)", partial(player, shown))
        if shown.solid is not None:
            st.caption("The player shows the race from above.")
        st.caption("The race as data, and for print")
        offer("Every step (CSV)", lambda _: csv(shown.spec))
        offer("Figure (PDF)", lambda _: figure(shown, "pdf"))
        offer("Figure (PNG)", lambda _: figure(shown, "png"))
        offer("Python script", lambda _: script(shown.spec))


def csv(spec: Spec) -> File:
    """Return every step of a race, of each of its seeds, by the names that people call the rules by."""
    named, name = _named(spec), f"{stem(spec)}-every-step.csv"
    if spec.seeds == 1:
        return File(name, export.csv(named, race(named, leave_if_unwanted)))
    return File(name, export.csv_of_seeds(named, spec.seeds, leave_if_unwanted))


def figure(shown: Shown, kind: str) -> File:
    """Return the race as a figure for print, "pdf" or "png"."""
    objective = surface(shown.spec.surface)
    drawn = paper.race_figure(
        shown.surface_image,
        shown.runs,
        shown.spec.start,
        objective.minima,
        objective.floor,
        shown.spec.tolerance,
        log_steps=shown.log_steps,
        bands=shown.bands,
        path_of=f"seed {shown.spec.seed}" if shown.bands else "",
    )
    return File(f"{stem(shown.spec)}-steps-0-to-{_last(shown)}.{kind}", paper.save(drawn, kind, _title(shown)))


def script(spec: Spec) -> File:
    """Return a script that runs the race again."""
    options: dict[str, Any] = {}
    match spec.surface:
        case (str(name), str(formula), *_) if name == OWN:
            options["formula"] = formula
        case ("quadratic", condition, angle):
            options["quadratic"] = (condition, angle)
    if spec.seeds > 1:
        options["seeds"] = spec.seeds
    return File(f"{stem(spec)}.py", export.snippet(_named(spec), **options))


def stem(spec: Spec) -> str:
    """Return how the names of a race's files begin: "race-Booth-from-0-and--4", and "-10-seeds" for several."""
    x, y = (f"{value:.6g}" for value in spec.start)
    several = f"-{spec.seeds}-seeds" if spec.seeds > 1 else ""
    return f"race-{slug(surface(spec.surface).name)}-from-{x}-and-{y}{several}"


def path_stem(spec: Spec) -> str:
    """Return ``stem`` for what is of one seed, of several the first: "race-Booth-from-0-and--4-seed-7"."""
    return f"{stem(replace(spec, seeds=1))}-seed-{spec.seed}" if spec.seeds > 1 else stem(spec)


def title(spec: Spec) -> str:
    """Return what pictures of a race show, for their metadata."""
    x, y = spec.start
    several = f", {spec.seeds} seeds ({spec.seed} to {spec.seed + spec.seeds - 1})" if spec.seeds > 1 else ""
    return f"A race on {surface(spec.surface).name} from ({x!r}, {y!r}){several}"


def path_title(spec: Spec) -> str:
    """Return ``title`` for a picture of paths, which are of one seed."""
    return f"{title(spec)}, path of seed {spec.seed}" if spec.seeds > 1 else title(spec)


def _title(shown: Shown) -> str:
    return f"{path_title(shown.spec)}, steps 0 to {_last(shown)}"


def _last(shown: Shown) -> int:
    return max((run.steps for run in shown.runs), default=0)


def _named(spec: Spec) -> Race:
    original = spec.race()
    return replace(original, rules={METHODS[name].name: rule for name, rule in original.rules.items()})


def picture(shown: Shown, kind: str, screen: Screen) -> File:
    """Return what is seen as a picture: "png", "svg" or "pdf"."""
    shown = _not_hidden(shown, screen)
    objective, last = surface(shown.spec.surface), heads.last_step(heads.in_order(shown.results))
    step = last if screen.step is None else min(int(screen.step), last)
    drawn = still.still(
        shown.surface_image,
        shown.results,
        shown.spec.start,
        objective.minima,
        step,
        followed=screen.run,
        rate=_rate(shown, screen),
        arrows=shown.arrows,
        theme=THEMES[screen.theme],
        **_view(shown, screen),
    )
    name = f"{path_stem(shown.spec)}-step-{step}.{kind}"
    text = f"{path_title(shown.spec)}, step {step}"
    return File(name, print_style.save(drawn, kind, text, description(shown), print_style.SCREEN))


def animated(shown: Shown, kind: str, screen: Screen) -> File:
    """Return the race in motion, "gif" or "mp4", up to the step at which the player rests.

    It is whole while the player plays, and where that rests at the start.
    """
    shown = _not_hidden(shown, screen)
    objective, last = surface(shown.spec.surface), _last(shown)
    at = 0 if screen.playing or screen.step is None else int(screen.step)
    at = at if 0 < at < heads.last_step(heads.in_order(shown.results)) else last
    more = {} if kind == "gif" else {"description": description(shown)}
    content = MOVIES[kind](
        shown.surface_image,
        shown.runs,
        shown.spec.start,
        objective.minima,
        log_steps=shown.log_steps,
        last=at,
        played=shown.results,
        followed=screen.run,
        rate=_rate(shown, screen),
        arrows=shown.arrows,
        theme=THEMES[screen.theme],
        **_view(shown, screen),
        title=f"{path_title(shown.spec)}, steps 0 to {at}",
        progress=leave_if_unwanted,
        **more,
    )
    return File(f"{path_stem(shown.spec)}-steps-0-to-{at}.{kind}", content)


def player(shown: Shown, screen: Screen) -> File:
    """Return the player as a page of its own, which shows what is seen and plays on its own."""
    played, step = heads.in_order(shown.results), screen.step
    of_rules = updates(shown.spec)
    page = web.player_html(
        shown.surface_image,
        played,
        shown.spec.start,
        surface(shown.spec.surface).minima,
        title=path_title(shown.spec),
        description=description(shown),
        stepping=[of_rules[each.run.rule] for each in played],
        hidden=screen.hidden,
        followed=screen.run,
        step=None if step is None else int(step),
        log_steps=shown.log_steps,
        arrows=shown.arrows,
        box=screen.box,
    )
    return File(f"{path_stem(shown.spec)}-steps-0-to-{heads.last_step(played)}.html", page)


def _view(shown: Shown, screen: Screen) -> dict[str, Any]:
    """Return what is seen of the surface, from above or in three dimensions, as ``still`` and ``animation`` take it."""
    if shown.solid is None:
        return {"box": screen.box, "page_side": screen.side}
    orbit = dict(screen.orbit or {"width": still.SIDE, "height": still.SIDE})
    width, height = orbit.pop("width"), orbit.pop("height")
    window = SolidWindow(shown.solid, shown.surface_image.box, Orbit(**orbit).within(), width, height)
    return {"solid": window, "page_side": min(width, height)}


def _rate(shown: Shown, screen: Screen) -> Callable[[int], float] | None:
    """Return ε of the steps of the run whose steps are shown; None where there is no run."""
    followed = heads.followed(shown.results, screen.run)
    return updates(shown.spec)[followed.run.rule].at if followed else None


def _not_hidden(shown: Shown, screen: Screen) -> Shown:
    """Return what is on the page without the runs that the reader has hidden."""
    return replace(shown, results=[each for each in shown.results if each.run.rule not in screen.hidden])


def description(shown: Shown) -> str:
    """Return what a race's pictures show in more words, for their metadata."""
    spec, floor = shown.spec, surface(shown.spec.surface).floor
    what = "f" if floor == 0 else "f − f*"
    ends = f" Converged is {what} < {plain(spec.tolerance)}." * math.isfinite(floor)
    contours = f" Contours: {shown.surface_image.description}."
    return f"{', '.join(run.label for run in shown.runs)}.{ends}{contours}"
