"""A figure of the paper as the page shows it, and lines over several seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from fop_core.figures.training_curves import Line, LineStyle
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.shipped import Packed
from fop_core.runs import series
from fop_core.runs.files import RunError

Array = np.ndarray


@dataclass(frozen=True)
class Panel:
    """A chart of a picture.

    Attributes:
        figure: to draw.
        alt: what a screen reader says of it.
        aspect: width over height.
    """

    figure: go.Figure
    alt: str
    aspect: float = 2.0


@dataclass(frozen=True)
class Picture:
    """A figure of the paper, as the page shows it.

    Attributes:
        panels: its charts.
        caption: what they show, of how many runs, and what their spread is.
    """

    panels: tuple[Panel, ...]
    caption: str


def over_seeds(label: str, style: LineStyle, seeds: Sequence[tuple[Array, Array]]) -> Line:
    """Return the mean over seeds, within the least and the largest of them."""
    together = series.aggregate(seeds)
    x, values = together.x, together.mean
    if len(seeds) < 2:
        return Line(label, style, x, values)
    stacked = np.stack([np.interp(x, *each, left=np.nan, right=np.nan) for each in seeds])
    return Line(label, style, x, values, band=(x, stacked.min(0), stacked.max(0)))


def needed(evidence: Evidence, name: str) -> Packed:
    """Return a study with its runs.

    Raises:
        RunError: where none are there.
    """
    packed = evidence.study(name)
    if packed is None:
        raise RunError(f"no runs of {name} are there: python -m fop_core paper --rerun makes them")
    return packed


def seeds_words(count: int) -> str:
    """Return of how many seeds a line is, in words."""
    return "one seed" if count == 1 else f"mean, and minimum to maximum, of {count} seeds"
