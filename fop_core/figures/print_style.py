"""How a figure for print looks and becomes a file, whatever it shows: as wide as both columns of a page.

Its fonts are matplotlib's own, and no file says when it was made: so the same data give the same bytes wherever there
is the same matplotlib. Without pyplot, which holds one state for all threads.
"""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fop_core.figures.style import LIGHT

WIDTH = 7.0  # inches: both columns of a page
PX = 0.56  # pt for a px of ``style``
KINDS: dict[str, dict[str, Any]] = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
"""Kinds of files, and the metadata of each."""
DESCRIPTIONS = {"png": "Description", "pdf": "Subject", "svg": "Description"}
"""What each calls a description."""
SCREEN: Mapping[Any, Any] = MappingProxyType(
    {"font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"], "svg.fonttype": "none"}
)
"""What a picture of the screen changes: letters as there, and in SVG as text."""

_RC: dict[Any, Any] = {
    "font.family": "STIXGeneral",
    "font.size": 8.0,
    "mathtext.fontset": "stix",
    "axes.labelsize": 9.0,
    "axes.linewidth": 0.6,
    "axes.edgecolor": LIGHT.muted,
    "axes.labelcolor": LIGHT.ink,
    "xtick.color": LIGHT.muted,
    "ytick.color": LIGHT.muted,
    "xtick.labelcolor": LIGHT.ink,
    "ytick.labelcolor": LIGHT.ink,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.scale_dashes": False,
    "pdf.fonttype": 42,  # TrueType, as publishers ask for
    "svg.hashsalt": "fop-lab",
}
_lock = Lock()  # matplotlib's settings are the whole process's


@contextmanager
def applied(changes: Mapping[Any, Any] = MappingProxyType({})) -> Iterator[None]:
    """Give matplotlib the look of print, with changes, for a while; one thread at a time.

    Example:
        >>> import matplotlib
        >>> from fop_core.figures import print_style
        >>> with print_style.applied({"font.size": 5}):
        ...     matplotlib.rcParams["font.size"]
        5.0
    """
    with _lock, matplotlib.rc_context(_RC | dict(changes)):
        yield


def literal(name: str) -> str:
    r"""Return a name as matplotlib must have it to show just that: a dollar in it begins no mathematics.

    Example:
        >>> from fop_core.figures.print_style import literal
        >>> print(literal("costs $5"))
        costs \$5
    """
    return name.replace("$", r"\$")


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches.

    Example:
        >>> from fop_core.figures.print_style import blank
        >>> blank(7.0, 2.5).get_size_inches()
        array([7. , 2.5])
    """
    figure = Figure((width, height))
    FigureCanvasAgg(figure)
    return figure


def dashes(dash: str) -> Any:
    """Return dashes in px, as ``style`` has them, as matplotlib takes them.

    Example:
        >>> from fop_core.figures.print_style import dashes
        >>> dashes("solid"), dashes("25px,12.5px")
        ('solid', (0, [14.000000000000002, 7.000000000000001]))
    """
    if dash == "solid":
        return "solid"
    return (0, [float(part.removesuffix("px")) * PX for part in dash.split(",")])


def save(
    figure: Figure,
    kind: str,
    title: str = "",
    description: str = "",
    changes: Mapping[Any, Any] = MappingProxyType({}),
) -> bytes:
    """Return a figure as a file.

    Args:
        figure: from ``paper``, ``paper_learned``, ``still`` or ``maps``.
        kind: "png", 300 dots per inch | "pdf" | "svg", its text as outlines unless ``changes`` are ``SCREEN``.
        title: in the file's metadata: what it shows.
        description: likewise: more of that.
        changes: as of ``applied``, those that the figure was made with.

    Raises:
        ValueError: for another kind.

    Example:
        >>> from fop_core.figures import print_style
        >>> figure = print_style.blank(1.0, 1.0)
        >>> print_style.save(figure, "pdf", title="Nothing")[:5], print_style.save(figure, "png")[1:4]
        (b'%PDF-', b'PNG')
        >>> print_style.save(figure, "gif")
        Traceback (most recent call last):
            ...
        ValueError: kind is 'gif': give one of png, pdf, svg
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}: give one of {', '.join(KINDS)}")
    about = {name: text for name, text in (("Title", title), (DESCRIPTIONS[kind], description)) if text}
    file = io.BytesIO()
    with applied(changes):
        figure.savefig(file, format=kind, dpi=300, metadata=KINDS[kind] | about)
    return file.getvalue()
