"""What a reader takes away from a race: data, figures, an animation, a script."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from fop_core.figures import animation, paper
from fop_core.figures.landscape import Landscape
from fop_core.figures.runs import Run
from fop_core.figures.style import METHODS
from pages.parts.spec import OWN, Spec, surface
from toy_functions import Race, export, race


@dataclass(frozen=True)
class Shown:
    """What is on the page.

    Attributes:
        spec: of the race.
        runs: of its rules.
        land: what they are drawn on.
        log_steps: whether steps are on a logarithmic axis.
    """

    spec: Spec
    runs: Sequence[Run]
    land: Landscape
    log_steps: bool


def draw(shown: Shown) -> None:
    """Show the ways to take the race away. Each file is made when it is asked for."""
    with st.popover("Export", width="content"):
        for label, name, kind, make in (
            ("Every step (CSV)", "race.csv", "text/csv", lambda: csv(shown.spec)),
            ("Figure (PDF)", "race.pdf", "application/pdf", lambda: figure(shown, "pdf")),
            ("Figure (PNG)", "race.png", "image/png", lambda: figure(shown, "png")),
            ("Python script", "race.py", "text/x-python", lambda: script(shown.spec)),
        ):
            st.download_button(label, make, name, kind, on_click="ignore", key=f"export {name}", width="stretch")
        _animation(shown)


def csv(spec: Spec) -> str:
    """Return every step of a race, by the names that people call the rules by."""
    named = _named(spec)
    return export.csv(named, race(named))


def figure(shown: Shown, kind: str) -> bytes:
    """Return the race as a figure for print, "pdf" or "png"."""
    place = surface(shown.spec.surface)
    drawn = paper.race_figure(
        shown.land,
        shown.runs,
        shown.spec.start,
        place.minima,
        place.floor,
        shown.spec.tolerance,
        log_steps=shown.log_steps,
    )
    return paper.save(drawn, kind)


def script(spec: Spec) -> str:
    """Return a script that runs the race again."""
    match spec.surface:
        case (str(name), str(formula), *_) if name == OWN:
            return export.snippet(_named(spec), formula=formula)
        case ("quadratic", condition, angle):
            return export.snippet(_named(spec), quadratic=(condition, angle))
    return export.snippet(_named(spec))


def _named(spec: Spec) -> Race:
    given = spec.race()
    return replace(given, rules={METHODS[name].name: rule for name, rule in given.rules.items()})


def _animation(shown: Shown) -> None:
    """Show the button that makes a GIF and, once it is made, the one that saves it."""
    wanted = f"{shown.spec!r} {shown.log_steps}"
    if st.button("Make an animation (GIF)", key="export gif", width="stretch"):
        bar = st.progress(0.0, "Drawing the animation")

        def progress(share: float) -> None:
            bar.progress(min(1.0, share), "Drawing the animation")

        place = surface(shown.spec.surface)
        made = animation.gif(
            shown.land,
            shown.runs,
            shown.spec.start,
            place.minima,
            log_steps=shown.log_steps,
            progress=progress,
        )
        bar.empty()
        st.session_state["animation"] = (wanted, made)
    made_for, content = st.session_state.get("animation", ("", b""))
    if made_for == wanted:
        st.download_button(
            f"Save the animation ({len(content) / 1e6:.1f} MB)",
            content,
            "race.gif",
            "image/gif",
            on_click="ignore",
            key="export race.gif",
            type="primary",
            width="stretch",
        )
