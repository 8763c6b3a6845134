"""What was learned, over the steps of training and at a step: spectra, distributions, rotation. Data in, figures out.

Layers are told apart by their depth: blue next to the input, orange next to the output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, training_curves
from fop_core.figures.training_curves import Line, LineStyle

Array = np.ndarray

DEPTH = ((0x38, 0x85, 0xE0), (0x8A, 0x5B, 0xB0), (0xD9, 0x54, 0x1E))
MOST = 200  # points of a spectrum
PATHS = 24  # eigenvalues of one layer that are drawn over steps
RIDGES = 14  # of a ridge plot
ALONG = 160  # points of the ridge at the cursor where each step has its own edges
OVERLAP = 2.2  # of the distance between two ridges that the highest one takes


@dataclass(frozen=True)
class Frames:
    """What of a figure changes with the step.

    Attributes:
        steps: [f], ascending; a frame holds from its step on.
        traces: which traces change, [t].
        y: of each frame, of each trace, its heights.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.figures.learned_curves import Spectra, sorted_eigenvalues
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> spectra = Spectra(layer.name, "#D9541E", layer.spectrum_steps, layer.spectra)
        >>> _, frames = sorted_eigenvalues([spectra], log=False, key="")
        >>> len(frames.steps), frames.y[-1][0][:3]  # at the last step the largest eigenvalues
        (113, [1.052, 1.04, 1.025])
    """

    steps: Sequence[int]
    traces: Sequence[int]
    y: Sequence[Sequence[Sequence[float | None]]]


def depth_colors(count: int) -> list[str]:
    """Return a colour for each layer, from the input's side to the output's.

    Example:
        >>> from fop_core.figures.learned_curves import depth_colors
        >>> depth_colors(3)
        ['#3885E0', '#8A5BB0', '#D9541E']
    """
    colors = []
    for share in np.linspace(0, 1, count) if count > 1 else [1.0]:
        at = min(int(share * 2), 1)
        low, high, part = DEPTH[at], DEPTH[at + 1], share * 2 - at
        colors.append("#" + "".join(f"{round(a + (b - a) * part):02X}" for a, b in zip(low, high)))
    return colors


@dataclass(frozen=True)
class Spectra:
    """The eigenvalues of a layer's P over steps.

    Attributes:
        label: of the layer.
        color: of the layer.
        steps: [e].
        values: [e, n], ascending.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.learned_curves import Spectra
        >>> layer = Spectra("18.weight", "#D9541E", np.array([0, 100]), np.array([[1.0, 1.0], [0.5, 1.5]]))
        >>> layer.values[-1]
        array([0.5, 1.5])
    """

    label: str
    color: str
    steps: Array
    values: Array


def sorted_eigenvalues(layers: Sequence[Spectra], log: bool, key: str) -> tuple[go.Figure, Frames]:
    """Return the sorted eigenvalues of every layer, which change with the step (Figure 5c).

    Args:
        layers: in the order of the network.
        log: whether eigenvalues are on a logarithmic axis; those not above 0 are then left out.
        key: of the zoom.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.learned_curves import Spectra, sorted_eigenvalues
        >>> layer = Spectra("18.weight", "#D9541E", np.array([0, 100]), np.array([[1.0, 1.0], [0.5, 1.5]]))
        >>> figure, frames = sorted_eigenvalues([layer], log=False, key="")
        >>> figure.data[0].y, frames.y
        (array([1.5, 0.5]), [[[1.0, 1.0]], [[1.5, 0.5]]])
    """
    steps = np.unique(np.concatenate([layer.steps for layer in layers]))
    kept = [np.unique(np.linspace(0, layer.values.shape[1] - 1, MOST).astype(np.int64)) for layer in layers]
    heights = [layer.values[:, ::-1][:, indices].astype(np.float64) for layer, indices in zip(layers, kept)]
    if log:
        heights = [np.where(values > 0, values, np.nan) for values in heights]
    lines = [
        Line(layer.label, LineStyle(layer.color, "solid", 2.0), indices + 1.0, values[-1])
        for layer, indices, values in zip(layers, kept, heights)
    ]
    figure = training_curves.figure(
        lines, "number, from the largest", "eigenvalue of P", log_y=log, key=key, labelled=False
    )
    every = np.concatenate([values.ravel() for values in heights])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    room = 0.04 * (high - low or 1)
    edges = [low * 0.8, high * 1.25] if log else [min(low - room, 0.0), high + room]
    figure.update_traces(mode="lines")
    figure.layout.yaxis.autorangeoptions = {"clipmin": edges[0], "clipmax": edges[1], "include": edges}
    figure.add_shape(curves.rule(1.0))
    rows = [np.maximum(np.searchsorted(layer.steps, steps, "right") - 1, 0) for layer in layers]
    frames = [[_plain(values[at[f]]) for values, at in zip(heights, rows)] for f in range(len(steps))]
    return figure, Frames(steps.tolist(), list(range(len(layers))), frames)


def eigenvalue_paths(layer: Spectra, log: bool, key: str) -> go.Figure:
    """Return the eigenvalues of one layer over steps; of many those at even distances in their order.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.learned_curves import Spectra, eigenvalue_paths
        >>> layer = Spectra("18.weight", "#D9541E", np.array([0, 100]), np.array([[1.0, 1.0], [0.5, 1.5]]))
        >>> [(trace.name, trace.y.tolist()) for trace in eigenvalue_paths(layer, log=False, key="").data]
        [('eigenvalue 2 of 2', [1.0, 0.5]), ('eigenvalue 1 of 2', [1.0, 1.5])]
    """
    n = layer.values.shape[1]
    indices = np.arange(n) if n <= PATHS else np.unique(np.r_[0, np.linspace(0, n - 1, PATHS // 2), n - PATHS // 2 : n])
    shades = [_mixed(layer.color, share) for share in np.linspace(0.45, 1.0, len(indices))]
    lines = [
        Line(f"eigenvalue {n - index} of {n}", LineStyle(shade, "solid", 1.6), layer.steps, layer.values[:, index])
        for index, shade in zip(indices.astype(int).tolist(), shades)
    ]
    figure = training_curves.figure(lines, "step", "eigenvalue of P", log_y=log, key=key, labelled=False)
    figure.add_shape(curves.rule(1.0))
    return figure


def over_steps(
    lines: Sequence[Line],
    up: str,
    key: str,
    *,
    log: bool = False,
    percent: bool = False,
    rules: Sequence[float] = (),
) -> go.Figure:
    """Return lines over steps, with dotted rules at some heights; ``percent`` for fractions.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.figures.learned_curves import over_steps
        >>> from fop_core.figures.training_curves import Line, LineStyle
        >>> steps, angles = runs.load("cifar10-fop-velocity").metrics["angle_deg/18.weight"]
        >>> line = Line("18.weight", LineStyle("#D9541E", "solid", 2.0), steps, angles)
        >>> figure = over_steps([line], "angle in degrees", key="", rules=(45.0,))
        >>> figure.data[0].name, figure.layout.shapes[0].y0
        ('18.weight', 45.0)
    """
    labelled = len(lines) <= 9
    figure = training_curves.figure(lines, "step", up, log_y=log, percent=percent, key=key, labelled=labelled)
    for height in rules:
        figure.add_shape(curves.rule(height))
    return figure


def ridges(steps: Array, counts: Array, edges: Array, color: str, across: str, key: str) -> tuple[go.Figure, Frames]:
    """Return distributions through training, each a ridge, later ones in front (Figure 5b), and the one at the cursor.

    Each ridge is as high as any other.

    Args:
        steps: [s], ascending.
        counts: [s, bins].
        edges: [bins + 1], or [s, bins + 1] where each step has its own. What is drawn is as wide as there are values.
        color: of the last one.
        across: title of the axis of values.
        key: of the zoom.

    Example:
        >>> import numpy as np
        >>> from fop_core import inspection, runs
        >>> from fop_core.figures.learned_curves import ridges
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> counts, edges = inspection.part_histograms(layer.all_P(), "diagonal")
        >>> figure, frames = ridges(layer.steps, counts, edges, "#D9541E", "diagonal of P", key="")
        >>> figure.layout.xaxis.title.text, len(frames.steps)
        ('diagonal of P', 113)
    """
    edges = np.broadcast_to(edges, (len(steps), counts.shape[1] + 1))
    drawn = np.unique(np.linspace(0, len(steps) - 1, RIDGES).astype(np.int64))
    heights = counts / np.maximum(counts.max(1, keepdims=True), 1) * OVERLAP
    middles = (edges[:, 1:] + edges[:, :-1]) / 2
    top = len(drawn) - 1
    traces: list[dict[str, Any]] = []
    for index, at in enumerate(drawn.tolist()):
        shade = _mixed(color, 0.3 + 0.7 * index / max(top, 1))
        x, level = np.r_[edges[at, 0], middles[at], edges[at, -1]], float(top - index)
        traces.append({"x": x, "y": np.full(len(x), level), "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"})
        traces.append(
            {
                "x": x,
                "y": np.r_[0, heights[at], 0] + level,
                "mode": "lines",
                "line": {"color": shade, "width": 1.4},
                "fill": "tonexty",
                "fillcolor": _veiled(shade, 0.35),
                "hovertemplate": f"step {int(steps[at]):,}<br>value %{{x:.3~g}}<extra></extra>",
            }
        )
    there = counts > 0
    left = float(edges[:, :-1].min(initial=np.inf, where=there))
    right = float(edges[:, 1:].max(initial=-np.inf, where=there))
    if not left < right:
        left, right = float(edges.min()), float(edges.max())
    ticks: dict[float, str] = {top - index: f"{int(steps[at]):,}" for index, at in enumerate(drawn.tolist())}
    ticks = dict(list(ticks.items())[:: max(1, len(drawn) // 6)])
    if (edges == edges[0]).all():
        x = np.r_[edges[0, 0], middles[0], edges[0, -1]]
    else:
        x = np.linspace(left, right, ALONG)
    now = []
    for edge, middle, height in zip(edges, middles, heights):
        along, up = np.r_[edge[0], middle, edge[-1]], np.r_[0, height, 0]
        now.append(_plain(np.asarray(np.interp(x, along, up, left=0, right=0)) - OVERLAP))
    line = {"color": color, "width": 2}
    traces.append({"x": x, "y": now[-1], "mode": "lines", "line": line, "hoverinfo": "skip"})
    frames = Frames(steps.tolist(), [len(traces) - 1], [[each] for each in now])
    ticks[-OVERLAP] = "cursor"
    room = 0.03 * (right - left)
    layout = {
        **curves.common(key),
        "margin": {"l": 8, "r": 12, "t": 8, "b": 8},
        "xaxis": {
            "title": {"text": across},
            "range": [left - room, right + room],
            "showgrid": False,
            "nticks": 6,
        },
        "yaxis": {
            "title": {"text": "step"},
            "tickvals": list(ticks),
            "ticktext": list(ticks.values()),
            "range": [-OVERLAP - 0.2, top + OVERLAP + 0.3],
            "showgrid": False,
        },
    }
    return go.Figure([{"type": "scatter", **trace} for trace in traces], layout), frames


def _mixed(color: str, share: float) -> str:
    """Return a colour mixed with grey."""
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * part + (1 - share) * 0xA8):02X}" for part in parts)


def _veiled(color: str, opacity: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _plain(values: Array) -> list[float | None]:
    return [float(f"{value:.4g}") if np.isfinite(value) else None for value in values.tolist()]
