"""Lines over steps, each with its label at its end: what losses and eigenvalues have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import labels, style
from fop_core.figures.runs import Run

SIZE = (220.0, 190.0)  # px of a small picture, for which labels are placed; in a larger one they have more room
BESIDE = 84.0  # px on its right where labels may stand too


@dataclass(frozen=True)
class Axis:
    """An axis and the part of it that is shown.

    Attributes:
        low: the least coordinate shown: of the exponent, where the axis is logarithmic.
        high: the greatest.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    log: bool = False

    def coordinate(self, values: Any) -> Any:
        """Return where values stand on the axis, as plotly's annotations and ranges count."""
        return np.log10(values) if self.log else values

    def share(self, values: Any) -> Any:
        """Return how far along the shown part values stand, 0 to 1, and no further."""
        return np.clip((self.coordinate(values) - self.low) / (self.high - self.low), 0.0, 1.0)

    def settings(self) -> dict[str, Any]:
        """Return range and type for plotly."""
        return {"range": [self.low, self.high], "type": "log" if self.log else "linear"}


@dataclass(frozen=True)
class Curve:
    """A line.

    Attributes:
        run: whose it is.
        steps: [n].
        heights: [n].
        values: what hovering tells, [n].
        label: at its end; none where it is empty.
        thin: whether it is the lesser of two of one run.
    """

    run: Run
    steps: np.ndarray
    heights: np.ndarray
    values: np.ndarray
    label: str = ""
    thin: bool = False


def line(run: Run, thin: bool = False) -> dict[str, Any]:
    """Return how a run's line looks."""
    method = run.method
    return {"color": method.color, "dash": method.dash, "width": method.width / 2 if thin else method.width}


def label(figure: go.Figure, run: Run, text: str, at: tuple[float, float], place: labels.Place) -> None:
    """Write a label at the end of a line, and draw the leader between them."""
    figure.add_annotation(
        x=at[0],
        y=at[1],
        ax=place.dx,
        ay=place.dy,
        text=f"<b>{text}</b>" if run.rule == "fop" else text,
        font={"color": run.method.color},
        xanchor=place.anchor,
        showarrow=True,
        arrowhead=0,
        arrowwidth=1,
        arrowcolor=run.method.color,
        standoff=4,
    )


def step_axis(runs: Sequence[Run], log: bool) -> Axis:
    """Return the axis of steps for runs; a logarithmic one begins at step 1."""
    last = max((run.steps for run in runs), default=1)
    span = np.log10(max(last, 2)) if log else float(max(last, 1))
    return Axis(-0.02 * span, 1.02 * span, log)


def draw(curves: Sequence[Curve], across: Axis, up: Axis, quantity: str, key: str) -> go.Figure:
    """Return the figure of curves.

    A curve ends where it leaves the shown heights for the first time, which only one that diverged does.

    Args:
        curves: later ones on top.
        across: of the steps.
        up: of the heights.
        quantity: what hovering calls a curve's values.
        key: a new one resets the zoom.
    """
    figure = go.Figure()
    drawn, labelled = [], []
    for curve in curves:
        begun = curve.steps >= (1 if across.log else 0)
        inside = up.coordinate(curve.heights[begun])
        outside = np.flatnonzero((inside < up.low) | (inside > up.high))
        end = outside[0] + 1 if outside.size else len(inside)
        x, y = curve.steps[begun][:end].astype(np.float64), curve.heights[begun][:end]
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line=line(curve.run, curve.thin),
            customdata=curve.values[begun][:end],
            hovertemplate=f"<b>{curve.run.method.name}</b>, step %{{x:,}}<br>{quantity} = %{{customdata:.3~g}}<extra></extra>",
        )
        if end:
            drawn.append(np.stack([across.share(x) * SIZE[0], (1 - up.share(y)) * SIZE[1]], axis=1))
            if curve.label:
                labelled.append((curve, (across.coordinate(x[-1]), np.clip(up.coordinate(y[-1]), up.low, up.high)), drawn[-1][-1]))
    places = labels.place([tuple(end) for *_, end in labelled], [curve.label for curve, *_ in labelled], drawn, (SIZE[0] + BESIDE, SIZE[1]))
    for (curve, at, _), place in zip(labelled, places):
        label(figure, curve.run, curve.label, at, place)
    figure.update_layout(
        template=style.template(style.LIGHT),
        showlegend=False,
        uirevision=key,
        hovermode="closest",
        dragmode="zoom",
        xaxis={"title_text": "step", "tickformat": ",", "showgrid": False, "nticks": 6, **across.settings()},
        yaxis={"nticks": 7, **up.settings()},
        margin_r=BESIDE,
    )
    if across.log:
        figure.update_xaxes(dtick=1)
    return figure
