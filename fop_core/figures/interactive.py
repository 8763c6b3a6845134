"""Trajectories, losses and eigenvalues of races as plotly figures.

A figure stands by itself, in light colours. What depends on light or dark comes from its template and, for a trace
whose ``meta`` names a role, from ``style.roles``, so that a browser can switch by itself. ``uirevision`` is the
caller's key: with it the reader's zoom is kept or dropped.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, labels, style
from fop_core.figures.curves import Axis, Curve
from fop_core.figures.landscape import Box, Landscape, contour
from fop_core.figures.runs import MARKED_STEPS, Run

SIZE = (300.0, 300.0)  # px of the picture on a telephone, for which labels are placed; elsewhere they have more room
MARGIN = {"l": 56, "r": 10, "t": 8, "b": 48}
"""Around the paths, fixed: plotly lets ranges of equal scale drift where margins follow the tick labels."""
FARTHEST = 1000.0  # pictures from the middle of one; a point farther out is drawn there, in its direction
BESIDE = 92.0  # px on the right of the losses for labels of runs that end there

Point = tuple[float, float]


def trajectories(
    landscape: Landscape, runs: Sequence[Run], start: Point, minima: Sequence[Point], key: str = ""
) -> go.Figure:
    """Return paths over a landscape, a symbol at steps 1, 10, 100, ... of each.

    Args:
        landscape: the ground.
        runs: drawn in the order of ``style.METHODS``.
        start: where all of them started.
        minima: known ones.
        key: of the zoom.
    """
    box = landscape.box
    shown = [run for run in _ordered(runs) if len(run.path)]
    traces: list[Any] = [contour(landscape)]
    if minima:
        traces.append(_mark("minimum", minima, {"symbol": "cross-thin", "size": 11}))
    for run in shown:
        traces += _path(run, _drawn(run, box))
    traces.append(_mark("start", [start], {"symbol": "circle", "size": 10}))

    def pixels(points: Any) -> np.ndarray:
        scale = np.array([SIZE[0] / (box[1] - box[0]), -SIZE[1] / (box[3] - box[2])])
        return (np.asarray(points, dtype=float).reshape(-1, 2) - [box[0], box[3]]) * scale

    ends = [_end(run, box) for run in shown]
    lines = [pixels(_drawn(run, box)) for run in shown]
    free = [tuple(mark) for mark in pixels([start, *minima])]
    places = labels.place([tuple(end) for end in pixels(ends)], [run.label for run in shown], lines, SIZE, free)
    axis = {
        "showgrid": False,
        "constrain": "domain",
        "ticks": "outside",
        "ticklen": 4,
        "nticks": 7,
        "automargin": False,
    }
    shape = {"scaleanchor": "x", "scaleratio": (box[1] - box[0]) / (box[3] - box[2])}
    layout = {
        "template": style.TEMPLATE,
        "showlegend": False,
        "uirevision": key,
        "hovermode": "closest",
        "dragmode": "zoom",
        "margin": MARGIN,
        "xaxis": {"title": {"text": "x"}, "range": box[:2], **axis},
        "yaxis": {"title": {"text": "y"}, "range": box[2:], **axis, **shape},
        "annotations": [curves.label(run, run.label, end, place) for run, end, place in zip(shown, ends, places)],
    }
    return go.Figure(traces, layout)


def losses(runs: Sequence[Run], floor: float, tolerance: float, log_steps: bool = True, key: str = "") -> go.Figure:
    """Return f - floor against the step, both logarithmic; on a signed logarithmic axis where f gets below the floor.

    Args:
        runs: drawn in the order of ``style.METHODS``.
        floor: f at the minimum, or -inf.
        tolerance: a run has converged where f - floor is below it.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.
    """
    shown = [run for run in _ordered(runs) if len(run.losses)]
    base = floor if math.isfinite(floor) else 0.0
    signed = base != floor or any((run.losses[:-1] < base).any() for run in shown)
    heights = [_signed_log(run.losses - base) if signed else run.losses - base for run in shown]
    up = _loss_axis(shown, heights, tolerance, signed)
    if signed:
        yaxis = _signed_ticks(up)
    else:  # an exact zero, which has no logarithm, stands at the lower edge; hovering tells
        heights = [np.maximum(height, 10**up.low) for height in heights]
        decades = up.high - up.low
        yaxis = {"exponentformat": "e", "dtick": math.ceil(decades / 6) if decades > 2 else "D2"}
    return curves.draw(
        [Curve(run, run.loss_steps, height, run.losses, run.label) for run, height in zip(shown, heights)],
        curves.step_axis(shown, log_steps),
        up,
        "f",
        f"{key} {log_steps}",
        beside=BESIDE,
        yaxis={"title": {"text": loss_name(floor)}, **yaxis},
        rules=[tolerance] if tolerance > 0 and not signed else [],
    )


def loss_name(floor: float) -> str:
    """Return what the axis of losses shows."""
    return "loss f" if floor == 0 or not math.isfinite(floor) else f"loss f − f*,  f* = {style.number(floor)}"


def eigenvalues(runs: Sequence[Run], log_steps: bool = True, key: str = "") -> go.Figure | None:
    """Return both eigenvalues of P against the step, the smaller one thin; None where no run learns a P.

    Args:
        runs: drawn in the order of ``style.METHODS``.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.
    """
    shown = [(run, run.eigen_steps, run.eigenvalues) for run in _ordered(runs) if run.eigenvalues is not None]
    if not shown:
        return None
    settled = [values for run, _, values in shown if run.status != "diverged"]
    known = np.concatenate([[0.0, 1.0], *(values.ravel() for values in settled)])
    room = 1.0 if settled else 9.0
    low, high = float(known.min()), float(known.max())
    up = Axis(low - 0.06 * (high - low), high + (0.08 + room * (len(settled) < len(shown))) * (high - low))
    lines = []
    for run, steps, values in shown:
        assert steps is not None and values is not None
        last = [style.number(value) for value in values[-1]] if len(values) and run.status != "diverged" else []
        text = " ".join([run.method.name, ", ".join(dict.fromkeys(last)) or "diverged"])
        lines.append(Curve(run, steps, values[:, 1], values[:, 1], thin=True))
        lines.append(Curve(run, steps, values[:, 0], values[:, 0], text))
    return curves.draw(
        lines,
        curves.step_axis([run for run, *_ in shown], log_steps),
        up,
        "eigenvalue",
        f"{key} {log_steps}",
        yaxis={"title": {"text": "eigenvalues of P"}},
        rules=[1.0],
    )


def _ordered(runs: Sequence[Run]) -> list[Run]:
    order = list(style.METHODS)
    return sorted(runs, key=lambda run: order.index(run.rule))


def _drawn(run: Run, box: Box) -> np.ndarray:
    """Return the points of a path to draw: of one that diverged, until it is far outside, and nothing without end."""
    away = np.abs(_share(run.path, box) - 0.5).max(axis=1)
    far = np.flatnonzero(away > 3)
    count = int(far[0]) + 1 if run.status == "diverged" and far.size else len(run.path)
    center = np.array([(box[0] + box[1]) / 2, (box[2] + box[3]) / 2])
    shrink = np.minimum(1.0, FARTHEST / np.maximum(away[:count], 1.0))
    return center + (run.path[:count] - center) * shrink[:, None]


def _end(run: Run, box: Box) -> Point:
    """Return where a path ends, or leaves the picture for the last time."""
    share = _share(run.path, box)
    inside = np.flatnonzero(((share >= 0) & (share <= 1)).all(axis=1))
    last = int(inside[-1]) if inside.size else 0
    x, y = run.path[last]
    if last + 1 < len(share):
        begin, way = share[last], share[last + 1] - share[last]
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(way > 0, (1 - begin) / way, np.where(way < 0, -begin / way, np.inf))
        x, y = run.path[last] + np.clip(room.min(), 0, 1) * (run.path[last + 1] - run.path[last])
    return float(np.clip(x, *box[:2])), float(np.clip(y, *box[2:]))


def _share(points: np.ndarray, box: Box) -> np.ndarray:
    return (points - [box[0], box[2]]) / [box[1] - box[0], box[3] - box[2]]


def _path(run: Run, path: np.ndarray) -> list[dict[str, Any]]:
    """Return halo, line, and the symbols at some steps."""
    x, y = path.astype(np.float32).T
    steps, f = run.path_steps[: len(path)], run.path_losses[: len(path)]
    marked = np.flatnonzero(np.isin(steps, MARKED_STEPS))
    paper = style.LIGHT.paper
    line = {"type": "scatter", "mode": "lines", "x": x, "y": y}
    told = {
        "customdata": np.stack([steps, f], axis=1),
        "hovertemplate": f"<b>{run.method.name}</b>, step %{{customdata[0]:,}}<br>(%{{x:.3~g}}, %{{y:.3~g}})"
        "<br>f = %{customdata[1]:.3~g}<extra></extra>",
    }
    symbol = {"symbol": run.method.symbol, "size": 9, "color": run.method.color, "line": {"width": 1, "color": paper}}
    return [
        line | {"line": {"width": run.method.width + 2, "color": paper}, "meta": "halo", "hoverinfo": "skip"},
        line | {"line": curves.line(run)} | told,
        line
        | {"mode": "markers", "x": x[marked], "y": y[marked], "marker": symbol, "meta": "step", "hoverinfo": "skip"},
    ]


def _mark(role: str, points: Sequence[Point], marker: dict[str, Any]) -> dict[str, Any]:
    x, y = zip(*points)
    look = style.roles(style.LIGHT)[role]["marker"]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": marker | look | {"line": look["line"] | {"width": 2 if role == "start" else 1.5}},
        "meta": role,
        "hovertemplate": f"{role} (%{{x:.3~g}}, %{{y:.3~g}})<extra></extra>",
    }


def _loss_axis(runs: Sequence[Run], heights: Sequence[np.ndarray], tolerance: float, signed: bool) -> Axis:
    """Return the axis of losses: what is lost in divergence does not stretch it, and labels have room below."""
    settled = [height for run, height in zip(runs, heights) if run.status != "diverged"]
    begun = [height[:1] for height in heights]
    known = np.concatenate([*settled, *begun]) if begun else np.ones(1)
    if signed:
        low, high = float(known.min()), float(known.max())
        some_diverged = len(settled) < len(runs)
        return Axis(low - 0.5 - 3 * some_diverged, high + 0.5 + 3 * some_diverged)
    positive = known[known > 0]
    top = math.log10(positive.max()) if positive.size else 0.0
    bottom = math.log10(max(positive.min(), 1e-300)) if positive.size else top - 1
    if tolerance > 0:
        bottom = min(bottom, math.log10(tolerance)) if settled and bottom < math.log10(tolerance) + 2 else bottom
        bottom = max(bottom, min(math.log10(tolerance) - 6, top - 1))
    span = max(top - bottom, 1.0)
    return Axis(bottom - 0.16 * span, top + (0.06 if len(settled) == len(runs) else 0.3) * span, log=True)


def _signed_log(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log10(1 + np.abs(values))


def _signed_ticks(axis: Axis) -> dict[str, Any]:
    count = math.ceil(max(abs(axis.low), abs(axis.high), 1.0))
    every = max(1, math.ceil(count / 4))
    powers = np.arange(every if every > 1 else 0, count + 1, every)
    values = np.concatenate([-(10.0 ** powers[::-1]), [0.0], 10.0**powers])
    signs = ["−"] * len(powers) + [""] + [""] * len(powers)
    words = [f"{sign}{style.plain(abs(value))}" for sign, value in zip(signs, values)]
    return {"tickvals": _signed_log(values), "ticktext": words}
