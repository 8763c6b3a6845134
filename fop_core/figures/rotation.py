"""How far P turns the gradient, by how M was drawn. Data in, a figure out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, training_curves
from fop_core.figures.style import METHODS
from fop_core.figures.training_curves import Line

Array = np.ndarray

BESIDE = 1.06  # by which points at one sigma stand apart, learned ones to the right


@dataclass(frozen=True)
class AngleSpread:
    """Angles at one standard deviation.

    Attributes:
        label: of what.
        std: of the entries of M at first.
        values: degrees, [n].
        learned: whether M was learned.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.rotation import AngleSpread
        >>> AngleSpread("full, learned", 0.3, np.array([40.0, 44.0]), True).values.mean()
        np.float64(42.0)
    """

    label: str
    std: float
    values: Array
    learned: bool


def over_std(chance: Sequence[Line], marks: Sequence[AngleSpread], key: str = "") -> go.Figure:
    """Return angles over sigma: what chance gives as lines, what was measured as points within their range.

    Args:
        chance: lines over sigma.
        marks: what was measured.
        key: of the zoom.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.rotation import AngleSpread, over_std
        >>> from fop_core.figures.training_curves import Line, LineStyle
        >>> stds = np.array([0.01, 0.1, 1.0])
        >>> line = Line("full", LineStyle("#707E85", "solid", 1.5), stds, np.array([0.1, 30.0, 45.0]))
        >>> figure = over_std([line], [AngleSpread("full, learned", 0.3, np.array([40.0, 44.0]), True)])
        >>> figure.data[-1].name, figure.data[-1].y
        ('full, learned', (42.0,))
    """
    figure = training_curves.figure(chance, "σ", "degrees between g and P g", log_x=True, key=key)
    figure.update_traces(mode="lines")
    figure.add_shape(curves.rule(45.0))
    color = METHODS["fop"].color
    for mark in marks:
        mean, low, high = (float(of(mark.values)) for of in (np.mean, np.min, np.max))
        figure.add_scatter(
            x=[mark.std * (BESIDE if mark.learned else 1 / BESIDE)],
            y=[mean],
            error_y={"array": [high - mean], "arrayminus": [mean - low], "thickness": 1, "width": 0, "color": color},
            mode="markers",
            marker={
                "symbol": "circle" if mark.learned else "circle-open",
                "size": 8,
                "color": color,
                "line": {"width": 2, "color": color},
            },
            name=mark.label,
            hovertemplate=f"<b>{mark.label}</b><br>σ = {mark.std:g}<br>{mean:.1f}°, {low:.1f}° to {high:.1f}°"
            "<extra></extra>",
        )
    return figure
