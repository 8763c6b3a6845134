"""What a reader takes away from Basins: its maps as they are seen. Nothing moves there, so there is no animation."""

from functools import partial

import streamlit as st

from fop_core.figures import maps, print_style
from fop_core.figures.maps import Maps
from fop_core.figures.style import METHODS, THEMES
from pages.basins.maps import CELLS, Grid, Rates
from pages.components.download import File, Screen, button, slug
from pages.shared.race.remembered import surface

KINDS = ("png", "svg", "pdf")


def draw(spec: Grid | Rates, shown: Maps) -> None:
    """Show the ways to take maps away. Each file is made when it is clicked for."""
    what = "Maps" if isinstance(spec, Grid) else "Map of rates"
    with st.popover(f"Export {what.lower()}", width="content"):
        for kind in KINDS:
            label = f"{what} ({kind.upper()})"
            button(label, partial(picture, spec, shown, kind), key=f"export {label}", of=repr(spec))


def picture(spec: Grid | Rates, shown: Maps, kind: str, screen: Screen) -> File:
    """Return maps as a picture, "png", "svg" or "pdf"."""
    drawn = maps.maps_figure(shown, THEMES[screen.theme])
    content = print_style.save(drawn, kind, title(spec), description(shown), print_style.SCREEN)
    return File(f"{stem(spec)}.{kind}", content)


def stem(spec: Grid | Rates) -> str:
    """Return how a file is called: "basins-Himmelblau-256-x-256-starts-steps-0-to-500"."""
    name, steps = slug(surface(spec.surface).name), f"steps-0-to-{spec.max_steps}"
    if isinstance(spec, Grid):
        return f"basins-{name}-{spec.size}-x-{spec.size}-starts-{steps}"
    x, y = (f"{value:.6g}" for value in spec.start)
    return f"rates-{name}-from-{x}-and-{y}-{CELLS}-x-{CELLS}-rates-{steps}"


def title(spec: Grid | Rates) -> str:
    """Return what maps show, for their metadata."""
    kind = "Where races end" if isinstance(spec, Grid) else "Where FOP is stable"
    return f"{kind}: {_what(spec)}, steps 0 to {spec.max_steps}"


def description(shown: Maps) -> str:
    """Return what was computed, in words."""
    each = "; ".join(f"{METHODS[rule].name}: {words}" for rule, words in zip(shown.rules, shown.words))
    minima = ", ".join(minimum.name for minimum in shown.minima)
    return f"{each}. Minima: {minima or 'none'}."


def _what(spec: Grid | Rates) -> str:
    name = surface(spec.surface).name
    if isinstance(spec, Grid):
        return f"{name}, {spec.size} x {spec.size} starts"
    x, y = spec.start
    return f"{name} from {x:.6g} and {y:.6g}, {CELLS} x {CELLS} rates"
