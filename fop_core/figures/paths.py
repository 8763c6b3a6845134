"""The paths of a race over its surface, as one plotly figure that stands still. Data in, a figure out."""

from collections.abc import Sequence

import plotly.graph_objects as go

from fop_core.figures import curves, interactive
from fop_core.figures.interactive import Point
from fop_core.figures.landscape import Landscape
from fop_core.figures.trajectories import DrawnTrajectory


def paths(
    ground: Landscape, runs: Sequence[DrawnTrajectory], start: Point, minima: Sequence[Point], key: str = ""
) -> go.Figure:
    """Return paths over a surface, each with its label at its end.

    Args:
        ground: the surface.
        runs: of the race.
        start: where all of them started.
        minima: known ones.
        key: of the zoom.

    Example:
        >>> from fop_core.figures.landscape import survey
        >>> from fop_core.figures.paths import paths
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> booth, path = presets.PAPER_BOOTH.surface, race(presets.PAPER_BOOTH)["SGD"]
        >>> sgd = downsampled("sgd", path.points, path.losses, path.status)
        >>> figure = paths(survey(booth.value, booth.floor, booth.view), [sgd], (0.0, -4.0), booth.minima)
        >>> [trace.name for trace in figure.data][-2:], figure.layout.annotations[0].text
        (['SGD', 'start'], 'SGD 832')
    """
    figure = interactive.ground(ground, minima, key)
    shown = interactive.ordered(runs)
    for run in shown:
        path = interactive.drawn(run, ground.box)
        figure.add_scatter(
            x=path[:, 0], y=path[:, 1], mode="lines", line=curves.line(run), name=run.method.name, hoverinfo="skip"
        )
    figure.add_scatter(
        x=[start[0]],
        y=[start[1]],
        mode="markers",
        marker={"color": "#D0515A", "size": 9, "line": {"color": "#FFFFFF", "width": 1}},
        name="start",
        hovertemplate="start<extra></extra>",
    )
    for run, end in zip(shown, interactive.ends(ground.box, shown, start, minima)):
        figure.add_annotation(curves.label(run.rule, end.text, end.at, end.anchor))
    return figure
