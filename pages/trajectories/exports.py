"""What a reader takes away from a race: data, figures, an animation, a script."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from fop_core.figures import animation, paper
from fop_core.figures.bands import Band
from fop_core.figures.landscape import Landscape
from fop_core.figures.runs import Run
from fop_core.figures.style import METHODS
from pages.components.download import File, button, slug
from pages.shared.progress import leave_if_unwanted
from pages.shared.race import OWN, Spec, surface
from toy_functions import Race, export, race


@dataclass(frozen=True)
class Shown:
    """What is on the page.

    Attributes:
        spec: of the race.
        runs: of its rules.
        surface_image: what they are drawn on.
        log_steps: whether steps are on a logarithmic axis.
        bands: of several seeds; none of one.
    """

    spec: Spec
    runs: Sequence[Run]
    surface_image: Landscape
    log_steps: bool
    bands: Sequence[Band] = ()


def draw(shown: Shown) -> None:
    """Show the ways to take the race away. Each file is made when it is clicked for."""
    with st.popover("Export", width="content"):
        for label, make in (
            ("Every step (CSV)", lambda _: csv(shown.spec)),
            ("Figure (PDF)", lambda _: figure(shown, "pdf")),
            ("Figure (PNG)", lambda _: figure(shown, "png")),
            ("Python script", lambda _: script(shown.spec)),
        ):
            button(label, make, key=f"export {label}", of=repr(shown.spec))
        _animation(shown)


def csv(spec: Spec) -> File:
    """Return every step of a race, of each of its seeds, by the names that people call the rules by."""
    named = _named(spec)
    if spec.seeds == 1:
        return File(f"{stem(spec)}.csv", export.csv(named, race(named, leave_if_unwanted)))
    return File(f"{stem(spec)}.csv", export.csv_of_seeds(named, spec.seeds, leave_if_unwanted))


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
    return File(f"{stem(shown.spec)}.{kind}", paper.save(drawn, kind, _title(shown)))


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


def title(spec: Spec) -> str:
    """Return what pictures of a race show, for their metadata."""
    x, y = spec.start
    several = f", {spec.seeds} seeds ({spec.seed} to {spec.seed + spec.seeds - 1})" if spec.seeds > 1 else ""
    return f"A race on {surface(spec.surface).name} from ({x!r}, {y!r}){several}"


def path_title(spec: Spec) -> str:
    """Return ``title`` for a picture of paths, which are of one seed."""
    return f"{title(spec)}, path of seed {spec.seed}" if spec.seeds > 1 else title(spec)


def _title(shown: Shown) -> str:
    return f"{path_title(shown.spec)}, steps 0 to {max(run.steps for run in shown.runs)}"


def _named(spec: Spec) -> Race:
    original = spec.race()
    return replace(original, rules={METHODS[name].name: rule for name, rule in original.rules.items()})


def _animation(shown: Shown) -> None:
    """Show the button that makes a GIF and, once it is made, the one that saves it."""
    wanted = f"{shown.spec!r} {shown.log_steps}"
    if st.button("Make an animation (GIF)", key="export gif", width="stretch"):
        bar = st.progress(0.0, "Drawing the animation")

        def progress(share: float) -> None:
            leave_if_unwanted()
            bar.progress(min(1.0, share), "Drawing the animation")

        objective = surface(shown.spec.surface)
        made = animation.gif(
            shown.surface_image,
            shown.runs,
            shown.spec.start,
            objective.minima,
            log_steps=shown.log_steps,
            title=_title(shown),
            progress=progress,
        )
        bar.empty()
        st.session_state["animation"] = (wanted, made)
    made_for, content = st.session_state.get("animation", ("", b""))
    if made_for == wanted:
        button(
            f"Save the animation ({len(content) / 1e6:.1f} MB)",
            lambda _: File(f"{stem(shown.spec)}.gif", content),
            key="export animation",
            of=wanted,
            primary=True,
        )
