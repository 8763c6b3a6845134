"""What a theorem claims, beside what is true: data in, figures out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, training_curves
from fop_core.figures.style import METHODS, number
from fop_core.figures.training_curves import Line, LineStyle

Array = np.ndarray

MEASURED = LineStyle(METHODS["fop"].color, "solid", 3.0)
BOUND = LineStyle(METHODS["sgd"].color, "7px,3px", 2.0)
TRUE, FALSE = "#2A8C4D", "#C0434C"
TOP = 1.4  # the highest factor that is drawn


@dataclass(frozen=True)
class Mark:
    """A claim about one step.

    Attributes:
        label: what is claimed, in a word or two.
        step: of which.
        stated: the factor that is claimed.
        worst: the true one.
        symbol: plotly's name of its marker.
        holds: whether the claim is true.

    Example:
        >>> from fop_core.figures.theorems import Mark
        >>> Mark("as stated", 0.75, 0.925, 0.9264, "circle", False).holds
        False
    """

    label: str
    step: float
    stated: float
    worst: float
    symbol: str
    holds: bool


def contraction(steps: Array, worst: Array, marks: Sequence[Mark], key: str = "") -> go.Figure:
    """Return the largest factor that a step leaves of f, over the step's length, and claims about it.

    A claim below the line is too strong.

    Args:
        steps: of the line, [n].
        worst: the factor at each, [n].
        marks: the claims.
        key: of the zoom.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.theorems import Mark, contraction
        >>> steps = np.linspace(0.0, 2.1, 50)
        >>> claim = Mark("as stated", 1.0, 0.9, 0.81, "circle", True)
        >>> figure = contraction(steps, np.maximum((1 - steps) ** 2, (1 - 0.1 * steps) ** 2), [claim])
        >>> [trace.name for trace in figure.data], figure.layout.annotations[-1].text
        (['reached', 'as stated'], 'as stated')
    """
    inside = worst <= TOP
    line = Line("reached", MEASURED, steps[inside], worst[inside])
    figure = training_curves.figure([line], "step s", "factor of f in a step", key=key, labelled=False)
    figure.update_traces(mode="lines")
    figure.add_shape(curves.rule(1.0))
    shown = [mark.stated for mark in marks]
    low, high = min([float(worst[inside].min()), *shown]), min(TOP, max([1.05, *shown]))
    room = 0.08 * (high - low)
    figure.update_layout(
        margin={"r": 16, "t": 14},
        yaxis={"range": [low - room, high + room], "autorangeoptions": None},
        xaxis={"range": [0.0, float(steps[-1])], "autorangeoptions": None},
    )
    for index, mark in enumerate(marks):
        color = TRUE if mark.holds else FALSE
        figure.add_scatter(
            x=[mark.step],
            y=[mark.stated],
            name=mark.label,
            mode="markers",
            marker={"symbol": mark.symbol, "size": 12, "color": color},
            hovertemplate=f"<b>{mark.label}</b><br>stated {number(mark.stated)}<br>reached {number(mark.worst)}"
            "<extra></extra>",
        )
        right = mark.step > float(steps[-1]) / 2
        figure.add_annotation(
            x=mark.step,
            y=mark.stated,
            text=mark.label,
            ax=-26 if right else 26,
            ay=26 if index == 0 else -26,  # the first below, as the second may stand beside it
            xanchor="right" if right else "left",
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=color,
            standoff=6,
            font={"color": color},
        )
    return figure


def norms(learned: Array, bounds: Array, key: str = "") -> go.Figure:
    """Return the norm of a P that is learned, and what is proven to bound it, over steps.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.theorems import norms
        >>> [trace.name for trace in norms(np.array([1.0, 1.1]), np.array([1.0, 1.2])).data]
        ['bound', '‖P‖ learned']
    """
    steps = np.arange(len(learned), dtype=np.float64)
    lines = [
        Line("bound", BOUND, steps, _finite(bounds)),
        Line("‖P‖ learned", MEASURED, steps, _finite(learned)),
    ]
    return training_curves.figure(lines, "step", "‖P‖", key=key)


def losses(values: Array, key: str = "") -> go.Figure:
    """Return f over steps, on a logarithmic axis.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.theorems import losses
        >>> losses(np.array([1.0, 0.1])).layout.yaxis.type
        'log'
    """
    line = Line("f", MEASURED, np.arange(len(values), dtype=np.float64), _finite(values))
    return training_curves.figure([line], "step", "f", log_y=True, key=key)


def _finite(values: Array) -> Array:
    return np.where(np.isfinite(values), values, np.nan)
