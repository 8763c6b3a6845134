"""The maps in the browser: side by side, with one crosshair in all."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fop_core.figures import style
from fop_core.figures.maps import Maps
from fop_core.figures.style import GLYPHS, METHODS
from pages.components.component import component, packed

_mount = component("basin_maps")


def starts(shown: Maps, *, key: str, on_open: Callable[[], None]) -> None:
    """Show the maps of starts.

    Args:
        shown: what is on them.
        key: of the widget; under it the session has the cell that is opened as ``.open``, {"column": ..,
            "row": ..}.
        on_open: called when the reader opens a cell.
    """
    opens = "Arrow keys move the crosshair, Enter opens the race from there."
    _show(shown, {"spot": "({x}, {y})", "opens": opens}, key, on_open)


def rates(shown: Maps, *, key: str, on_open: Callable[[], None]) -> None:
    """Show the map of a rule's two rates; the arguments are as of ``starts``."""
    opens = "Arrow keys move the crosshair, Enter opens the race at these rates."
    _show(shown, {"spot": "ε {x}, ρ {y}", "opens": opens}, key, on_open)


def _show(shown: Maps, texts: dict[str, str], key: str, on_open: Callable[[], None]) -> None:
    data = {
        **texts,
        "x": asdict(shown.x),
        "y": asdict(shown.y),
        "crosses": shown.crosses,
        "ring": shown.ring,
        "titles": shown.titles,
        "themes": {name: theme["colors"] for name, theme in style.themes().items()},
        "minima": list(map(asdict, shown.minima)),
        "range": shown.span,
        "limit": shown.limit,
        "maps": [_map(rule, words) for rule, words in zip(shown.rules, shown.words)],
    }
    arrays = {"kinds": shown.kinds.tobytes(), "steps": shown.steps.astype("<u2").tobytes()}
    _mount(key=key, data=packed(data, arrays), on_open_change=on_open)


def _map(rule: str, words: str) -> dict[str, Any]:
    method = METHODS[rule]
    return {
        "color": method.color,
        "dash": "" if method.dash == "solid" else method.dash.replace("px", ""),
        "width": method.width,
        "glyph": GLYPHS[method.symbol],
        "words": words,
    }
