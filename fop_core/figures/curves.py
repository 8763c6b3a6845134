"""Lines over steps, each with its label at its end: what losses and eigenvalues have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import labels, style
from fop_core.figures.trajectories import DrawnTrajectory

SIZE = (220.0, 190.0)  # px of a small picture, for which labels are placed; in a larger one they have more room


@dataclass(frozen=True)
class PlotAxis:
    """An axis and the part of it that is shown.

    Attributes:
        low: the least coordinate shown: of the exponent, where the axis is logarithmic.
        high: the greatest.
        log: whether it is logarithmic.

    Example:
        >>> from fop_core.figures.curves import PlotAxis
        >>> PlotAxis(0.0, 3.0, log=True).settings()
        {'range': [0.0, 3.0], 'type': 'log'}
    """

    low: float
    high: float
    log: bool = False

    def coordinate(self, values: Any) -> Any:
        """Return where values stand on the axis, as plotly's annotations and ranges count.

        Example:
            >>> from fop_core.figures.curves import PlotAxis
            >>> PlotAxis(0.0, 3.0, log=True).coordinate(100.0), PlotAxis(0.0, 1000.0).coordinate(100.0)
            (np.float64(2.0), 100.0)
        """
        return np.log10(values) if self.log else values

    def share(self, values: Any) -> Any:
        """Return how far along the shown part values stand, 0 to 1, and no further.

        Example:
            >>> from fop_core.figures.curves import PlotAxis
            >>> PlotAxis(0.0, 2.0, log=True).share(10.0), PlotAxis(0.0, 2.0, log=True).share(1e6)
            (np.float64(0.5), np.float64(1.0))
        """
        return np.clip((self.coordinate(values) - self.low) / (self.high - self.low), 0.0, 1.0)

    def settings(self) -> dict[str, Any]:
        """Return range and type for plotly.

        Example:
            >>> from fop_core.figures.curves import PlotAxis
            >>> PlotAxis(0.0, 500.0).settings()
            {'range': [0.0, 500.0], 'type': 'linear'}
        """
        return {"range": [self.low, self.high], "type": "log" if self.log else "linear"}


@dataclass(frozen=True)
class StepCurve:
    """A line.

    Attributes:
        run: whose it is.
        steps: [n].
        heights: [n].
        values: what hovering shows, [n].
        label: at its end; none where it is empty.
        secondary: whether it is the lesser of two of one run.
        quantity: what hovering calls its values; what it calls those of all curves, where it is empty.

    Example:
        >>> from fop_core.figures.curves import StepCurve
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["SGD"]
        >>> run = downsampled("sgd", path.points, path.losses, path.status)
        >>> StepCurve(run, run.loss_steps, run.losses, run.losses, run.label).label
        'SGD 832'
    """

    run: DrawnTrajectory
    steps: np.ndarray
    heights: np.ndarray
    values: np.ndarray
    label: str = ""
    secondary: bool = False
    quantity: str = ""


def line(run: DrawnTrajectory, secondary: bool = False) -> dict[str, Any]:
    """Return how a run's line looks.

    Example:
        >>> from fop_core.figures.curves import line
        >>> from fop_core.figures.trajectories import downsampled
        >>> line(downsampled("fop", [[0.0, -4.0]], [306.0], "step limit"))
        {'color': '#D9541E', 'dash': 'solid', 'width': 3.0}
    """
    method = run.method
    return {"color": method.color, "dash": method.dash, "width": method.width / 2 if secondary else method.width}


def common(key: str) -> dict[str, Any]:
    """Return the part of a layout that all pictures share; with another key the zoom is dropped.

    Example:
        >>> from fop_core.figures.curves import common
        >>> common("race 1")["uirevision"]
        'race 1'
    """
    return {
        "template": style.TEMPLATE,
        "showlegend": False,
        "uirevision": key,
        "hovermode": "closest",
        "dragmode": "zoom",
    }


def label(rule: str, text: str, at: tuple[float, float], anchor: labels.LabelAnchor) -> dict[str, Any]:
    """Return the annotation that labels a point of a rule's line, with a leader between them; the rule is its name.

    Example:
        >>> from fop_core.figures.curves import label
        >>> from fop_core.figures.labels import arrange
        >>> [anchor] = arrange([(100.0, 50.0)], ["SGD 832"], [], (220.0, 190.0))
        >>> label("sgd", "SGD 832", (832.0, 1e-6), anchor)["text"]
        'SGD 832'
    """
    color = style.METHODS[rule].color
    return {
        "name": rule,
        "x": at[0],
        "y": at[1],
        "ax": anchor.dx,
        "ay": anchor.dy,
        "text": f"<b>{text}</b>" if rule == "fop" else text,
        "font": {"color": color},
        "xanchor": anchor.anchor,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": color,
        "standoff": 4,
    }


def rule(height: float) -> dict[str, Any]:
    """Return a dotted line across the picture.

    Example:
        >>> from fop_core.figures.curves import rule
        >>> rule(1.0)["y0"], rule(1.0)["xref"]
        (1.0, 'paper')
    """
    line_style = {"width": 1, "dash": "2px,3px", "color": "#80868F"}
    return {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": line_style,
        "layer": "below",
    }


def fall(x: float) -> dict[str, Any]:
    """Return a dashed line up the picture, where the learning rate falls.

    Example:
        >>> from fop_core.figures.curves import fall
        >>> fall(3128.0)["x0"], fall(3128.0)["yref"]
        (3128.0, 'paper')
    """
    line_style = {"width": 1, "dash": "6px,4px", "color": "#80868F"}
    ends = {"x0": x, "x1": x, "y0": 0, "y1": 1}
    return {"type": "line", "yref": "paper", **ends, "line": line_style, "layer": "below"}


def step_axis(runs: Sequence[DrawnTrajectory], log: bool) -> PlotAxis:
    """Return the axis of steps for runs, to the last that is drawn; a logarithmic one begins at step 1.

    Example:
        >>> from fop_core.figures.curves import step_axis
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["SGD"]
        >>> step_axis([downsampled("sgd", path.points, path.losses, path.status)], log=False)
        PlotAxis(low=-16.64, high=848.64, log=False)
    """
    last = max((max([run.steps, *run.loss_steps[-1:].tolist()]) for run in runs), default=1)
    span = float(np.log10(max(last, 2))) if log else float(max(last, 1))
    return PlotAxis(-0.02 * span, 1.02 * span, log)


def draw(
    curves: Sequence[StepCurve],
    across: PlotAxis,
    up: PlotAxis,
    quantity: str,
    key: str,
    beside: float = 8.0,
    yaxis: dict[str, Any] | None = None,
    rules: Sequence[float] = (),
    areas: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """Return the figure of curves.

    A curve ends where it leaves the shown heights for the first time, which only one that diverged does. Traces and
    labels are grouped by rules, so that a browser can hide those of one.

    Args:
        curves: later ones on top.
        across: of the steps.
        up: of the heights.
        quantity: what hovering calls a curve's values.
        key: a new one resets the zoom.
        beside: px on the right of the picture where labels may stand too.
        yaxis: more of the axis, for plotly.
        rules: heights of dotted lines.
        areas: traces behind the curves.

    Example:
        >>> from fop_core.figures.curves import PlotAxis, StepCurve, draw, step_axis
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["SGD"]
        >>> run = downsampled("sgd", path.points, path.losses, path.status)
        >>> curve = StepCurve(run, run.loss_steps, run.losses, run.losses, run.label)
        >>> figure = draw([curve], step_axis([run], log=True), PlotAxis(-7.0, 3.0, log=True), "f", key="")
        >>> [note.text for note in figure.layout.annotations]
        ['SGD 832']
    """
    traces, lines, ends = [], [], []
    for curve in curves:
        shown = _shown(curve, across, up)
        x, y = curve.steps[shown].astype(np.float64), curve.heights[shown]
        what = curve.quantity or quantity
        template = f"<b>{curve.run.method.name}</b>, step %{{x:,}}<br>{what} = %{{customdata:.3~g}}<extra></extra>"
        line_style = line(curve.run, curve.secondary)
        traces.append(
            {"type": "scatter", "mode": "lines", "x": x, "y": y, "line": line_style, "legendgroup": curve.run.rule}
            | {"customdata": curve.values[shown], "hovertemplate": template}
        )
        if len(x):
            lines.append(np.stack([across.share(x) * SIZE[0], (1 - up.share(y)) * SIZE[1]], axis=1))
        if len(x) and curve.label:
            height = float(np.clip(up.coordinate(y[-1]), up.low, up.high))
            ends.append((curve, (float(across.coordinate(x[-1])), height), tuple(lines[-1][-1])))
    frame = SIZE[0] + beside, SIZE[1]
    anchors = labels.arrange([end for *_, end in ends], [curve.label for curve, *_ in ends], lines, frame)
    steps = {"title": {"text": "step"}, "tickformat": ",", "showgrid": False, "nticks": 6}
    layout = {
        **common(key),
        "margin": {"r": beside},
        "xaxis": steps | across.settings() | ({"dtick": 1} if across.log else {}),
        "yaxis": {"nticks": 7} | up.settings() | (yaxis or {}),
        "annotations": [
            label(curve.run.rule, curve.label, at, anchor) for (curve, at, _), anchor in zip(ends, anchors)
        ],
        "shapes": [rule(height) for height in rules],
    }
    return go.Figure([*areas, *traces], layout)


def _shown(curve: StepCurve, across: PlotAxis, up: PlotAxis) -> slice:
    """Return the points from where the axis of steps begins to where the curve leaves the shown heights."""
    first = int(np.searchsorted(curve.steps, 1)) if across.log else 0
    heights = up.coordinate(curve.heights[first:])
    outside = np.flatnonzero((heights < up.low) | (heights > up.high))
    return slice(first, first + int(outside[0]) + 1 if outside.size else None)
