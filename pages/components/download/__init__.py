"""Files to take away: each is made when its button is clicked, of what the screen shows at that moment.

    button("Figure (PDF)", make, key="figure")     where it is to be shown
    deliver()                                      once on such a page, after its last button

A click goes to Python as a state of the courier, with the step and the layer that the browser shows; Python makes the
bytes, and the courier saves them from the memory of the page. So no rerun can take a file away between click and
download, as it can with ``st.download_button``, whose files get new addresses at every rerun.
"""

import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import streamlit as st

from pages.components.component import component, packed

PART = 16 << 20  # bytes of a message: a larger file comes in several
KINDS = {
    "csv": "text/csv",
    "gif": "image/gif",
    "html": "text/html",
    "json": "application/json",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "svg": "image/svg+xml",
    "zip": "application/zip",
}
_COURIER, _BUTTONS, _ANSWER = "download courier", "download buttons", "download answer"
_log = logging.getLogger(__name__)
_button = component("download/button")
_courier = component("download/courier")


class File(NamedTuple):
    """A file to take away.

    Attributes:
        name: with its ending; it says of which run and step it is.
        content: text is written as UTF-8.
    """

    name: str
    content: bytes | str


@dataclass(frozen=True)
class Screen:
    """What the screen showed at a click, as far as the browser knows it better than Python.

    Attributes:
        step: the cursor's or the player's; None on a page without.
        layer: the chosen layer; None where none can be chosen.
        see: which of a layer's matrices was shown; None where none can be chosen.
        theme: "light" or "dark".
        box: the part of the plane that the player showed, x_min, x_max, y_min, y_max; None where that is all of it.
        playing: whether the player played.
        run: the name of the run whose steps the player showed; empty where there is none.
        hidden: rules whose runs it did not show.
        side: px of its square; None where it shows none from above.
        orbit: from where the player showed the surface in three dimensions: yaw, pitch, zoom, right and up as of
            ``figures.solid.Orbit``, and width and height of the picture in px; None where it did not.
    """

    step: float | None = None
    layer: str | None = None
    see: str | None = None
    theme: str = "light"
    box: tuple[float, float, float, float] | None = None
    playing: bool = False
    run: str = ""
    hidden: tuple[str, ...] = ()
    side: float | None = None
    orbit: Mapping[str, float] | None = None


Make = Callable[[Screen], File]


class _Answer(NamedTuple):
    id: str
    file: File | None
    error: str


def slug(text: str) -> str:
    """Return a text as a part of a file's name: its letters and digits, dots, hyphens between."""
    return re.sub(r"[^\w.]+", "-", text).strip("-.")[:80] or "untitled"


def button(label: str, make: Make | None, *, key: str, of: str = "", primary: bool = False) -> None:
    """Show a button that saves a file.

    Args:
        label: what is written on it.
        make: called at a click; what it raises is shown under the button. None where the player itself, in the browser,
            makes a PNG of what it shows.
        key: of the widget.
        of: what the file would be of, for instance a run's id: a click on what is no longer shown is refused.
        primary: whether it is the one to click.
    """
    st.session_state.setdefault(_BUTTONS, {})[key] = (of, make)
    data = {"label": label, "key": key, "of": of, "primary": primary, "camera": make is None}
    _button(key=f"download {key}", data=data)


@st.fragment
def deliver() -> None:
    """Bring the files that are clicked for; a click runs nothing else of the page."""
    held = st.session_state.get(_COURIER)
    request = _request(held.request if held is not None else None)
    data: dict[str, Any] = {"answer": None}
    content = b""
    if request is None:
        st.session_state.pop(_ANSWER, None)
    else:
        id_, key, of, screen, part = request
        answer = st.session_state.get(_ANSWER)
        if answer is None or answer.id != id_:
            answer = st.session_state[_ANSWER] = _made(id_, key, of, screen)
        data["answer"], content = _part(answer, part)
    _courier(
        key=_COURIER, data=packed(data, {"content": content}), default={"request": None}, on_request_change=_answer
    )


def _answer() -> None:
    """Do nothing: the request is read where it is answered."""


def _request(request: Any) -> tuple[str, str, str, Screen, int] | None:
    """Return a request of the browser's, or None where it is none."""
    match request:
        case {"id": str(id_), "key": str(key), "of": str(of), "screen": Mapping() as screen, "part": int(part)} if (
            part >= 0
        ):
            step, layer, see, theme, run, side = map(screen.get, ("step", "layer", "see", "theme", "run", "side"))
            return (
                id_,
                key,
                of,
                Screen(
                    float(step) if isinstance(step, int | float) and math.isfinite(step) else None,
                    layer if isinstance(layer, str) else None,
                    see if isinstance(see, str) else None,
                    "dark" if theme == "dark" else "light",
                    _box(screen.get("box")),
                    screen.get("playing") is True,
                    run if isinstance(run, str) else "",
                    _names(screen.get("hidden")),
                    float(side) if isinstance(side, int | float) and 0 < side < math.inf else None,
                    _orbit(screen.get("orbit")),
                ),
                part,
            )
    return None


def _box(sent: Any) -> tuple[float, float, float, float] | None:
    """Return a part of the plane, or None where what was sent is none."""
    match sent:
        case [int() | float() as left, int() | float() as right, int() | float() as bottom, int() | float() as top]:
            box = float(left), float(right), float(bottom), float(top)
            if all(map(math.isfinite, box)) and left < right and bottom < top:
                return box
    return None


def _orbit(sent: Any) -> dict[str, float] | None:
    """Return from where a surface was seen, or None where what was sent does not say so."""
    if not isinstance(sent, Mapping):
        return None
    numbers = {name: sent.get(name) for name in ("yaw", "pitch", "zoom", "right", "up", "width", "height")}
    known = {name: float(each) for name, each in numbers.items() if isinstance(each, int | float)}
    if len(known) < len(numbers) or not all(map(math.isfinite, known.values())):
        return None
    return known if 64 <= known["width"] <= 8192 and 64 <= known["height"] <= 8192 else None


def _names(sent: Any) -> tuple[str, ...]:
    """Return names, or none where what was sent are none."""
    return tuple(name for name in sent if isinstance(name, str)) if isinstance(sent, list) else ()


def _made(id_: str, key: str, of: str, screen: Screen) -> _Answer:
    """Make a file, or say why that is not possible."""
    shown, make = st.session_state.get(_BUTTONS, {}).get(key, (None, None))
    if make is None or shown != of:
        return _Answer(id_, None, "Not saved: the page showed something else meanwhile. Click again.")
    try:
        file = make(screen)
    except (OSError, ValueError) as error:
        return _Answer(id_, None, f"Not saved: {error}")
    except Exception as error:  # a mistake of ours, which the one who clicked has to see as well
        _log.exception("No file for %s", key)
        return _Answer(id_, None, f"Not saved: {type(error).__name__}: {error}")
    content = file.content.encode() if isinstance(file.content, str) else file.content
    return _Answer(id_, File(file.name, content), "")


def _part(answer: _Answer, part: int) -> tuple[dict[str, Any], bytes]:
    """Return the header of an answer, for the browser, and a part of its bytes."""
    header = {"id": answer.id, "part": part, "error": answer.error}
    if answer.file is None:
        return header, b""
    name, content = answer.file
    assert isinstance(content, bytes)
    kind = KINDS.get(name.rpartition(".")[2], "application/octet-stream")
    header |= {"name": name, "kind": kind, "count": max(1, -(-len(content) // PART))}
    return header, content[part * PART : (part + 1) * PART]
