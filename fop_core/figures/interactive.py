"""The ground, losses and eigenvalues of races as plotly figures.

A figure stands by itself, in light colours. What depends on light or dark comes from its template and, for a trace
whose ``meta`` names a role, from ``style.roles``, so that a browser can switch by itself. ``uirevision`` is the
caller's key: with it the reader's zoom is kept or dropped.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, labels, style
from fop_core.figures.bands import Band, area
from fop_core.figures.curves import PlotAxis, StepCurve
from fop_core.figures.landscape import Box, Landscape, contour
from fop_core.figures.learned import PreconditionerPath
from fop_core.figures.trajectories import DrawnTrajectory

SIZE = (300.0, 300.0)  # px of the picture on a telephone, for which labels are placed; elsewhere they have more room
MARGIN = {"l": 56, "r": 10, "t": 8, "b": 48}
"""Around the paths, fixed: plotly lets ranges of equal scale drift where margins follow the tick labels."""
FARTHEST = 1000.0  # pictures from the middle of one; a point farther out is drawn there, in its direction
BESIDE = 92.0  # px on the right of the losses for labels of runs that end there

Point = tuple[float, float]


def ground(landscape: Landscape, minima: Sequence[Point], key: str = "") -> go.Figure:
    """Return a surface to race on: contours and known minima. Paths are drawn over it by the player.

    Args:
        landscape: the ground.
        minima: known ones.
        key: of the zoom.

    Example:
        >>> from fop_core.figures.interactive import ground
        >>> from fop_core.figures.landscape import survey
        >>> from toy_functions.surfaces import BOOTH
        >>> figure = ground(survey(BOOTH.value, BOOTH.floor, BOOTH.view), BOOTH.minima)
        >>> [trace.type for trace in figure.data], figure.layout.xaxis.range
        (['contour', 'scatter'], (-10.0, 10.0))
    """
    box = landscape.box
    traces: list[Any] = [contour(landscape)]
    if minima:
        traces.append(_mark("minimum", minima, {"symbol": "cross-thin", "size": 11}))
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
        **curves.common(key),
        "margin": MARGIN,
        "xaxis": {"title": {"text": "x"}, "range": box[:2], **axis},
        "yaxis": {"title": {"text": "y"}, "range": box[2:], **axis, **shape},
    }
    return go.Figure(traces, layout)


@dataclass(frozen=True)
class End:
    """The label of a path.

    Attributes:
        text: what it says.
        at: the end of the path, or where it leaves the picture.
        anchor: where it stands, from there.

    Example:
        >>> from fop_core.figures.interactive import ends
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["SGD"]
        >>> run = downsampled("sgd", path.points, path.losses, path.status)
        >>> [end] = ends((-10.0, 10.0, -10.0, 10.0), [run], (0.0, -4.0), [(1.0, 3.0)])
        >>> end.text, [round(value, 2) for value in end.at]
        ('SGD 832', [1.0, 3.0])
    """

    text: str
    at: Point
    anchor: labels.LabelAnchor


def ends(
    box: Box, runs: Sequence[DrawnTrajectory], start: Point, minima: Sequence[Point], shapes: Sequence[np.ndarray] = ()
) -> list[End]:
    """Return the labels of paths, which cover neither each other nor more of the paths than they must.

    Args:
        box: the part of the plane that is shown.
        runs: in the order in which they are drawn.
        start: where all of them started.
        minima: known ones.
        shapes: lines that labels keep off still more than the paths, each [n, 2] px of ``SIZE``, downwards.

    Example:
        >>> from fop_core.figures.interactive import ends
        >>> from fop_core.figures.trajectories import downsampled
        >>> runs = [downsampled(rule, [[0.0, 0.0], [4.0, 0.0]], [1.0, 0.0], "converged") for rule in ("sgd", "fop")]
        >>> one, other = ends((-5.0, 5.0, -5.0, 5.0), runs, (0.0, 0.0), [])
        >>> float(other.anchor.dy - one.anchor.dy)  # px: one above the other
        18.0
    """

    def pixels(points: Any) -> np.ndarray:
        scale = np.array([SIZE[0] / (box[1] - box[0]), -SIZE[1] / (box[3] - box[2])])
        return (np.asarray(points, dtype=float).reshape(-1, 2) - [box[0], box[3]]) * scale

    at = [_end(run, box) for run in runs]
    lines = [pixels(drawn(run, box)) for run in runs]
    free = [tuple(mark) for mark in pixels([start, *minima])]
    names = [run.label for run in runs]
    anchors = labels.arrange([tuple(end) for end in pixels(at)], names, lines, SIZE, free, shapes)
    return [End(run.label, end, anchor) for run, end, anchor in zip(runs, at, anchors)]


def losses(
    runs: Sequence[DrawnTrajectory],
    floor: float,
    tolerance: float,
    log_steps: bool = True,
    key: str = "",
    log_loss: bool = True,
    bands: Sequence[Band] = (),
) -> go.Figure:
    """Return f - floor against the step; on a signed logarithmic axis where f gets below the floor.

    Args:
        runs: drawn in the order of ``style.METHODS``.
        floor: f at the minimum, or -inf.
        tolerance: a run has converged where f - floor is below it.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.
        log_loss: whether the axis of losses is.
        bands: of several seeds, around runs that are their medians.

    Example:
        >>> from fop_core.figures.interactive import losses
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> paths = race(presets.PAPER_BOOTH)
        >>> runs = [downsampled(name.lower(), path.points, path.losses, path.status) for name, path in paths.items()]
        >>> figure = losses(runs, floor=0.0, tolerance=1e-6)
        >>> [note.text for note in figure.layout.annotations]
        ['SGD 832', 'Adam 6,221', '<b>FOP 543</b>']
    """
    shown = [run for run in ordered(runs) if len(run.losses)]
    of_rules = {each.rule: each for each in bands}
    around = [of_rules[run.rule] for run in shown if run.rule in of_rules]
    base = floor if math.isfinite(floor) else 0.0
    signed = log_loss and (base != floor or any((run.losses[:-1] < base).any() for run in shown))
    heights = [_signed_log(run.losses - base) if signed else run.losses - base for run in shown]
    borders = [_signed_log(each.losses - base) if signed else each.losses - base for each in around]
    whole = [each.diverged == 0 for each in around]  # where a seed diverged the upper quartile may be anything
    all_runs = shown + [run for run, kept in zip((run for run in shown if run.rule in of_rules), whole) if kept]
    all_heights = heights + [height[[0, 2]].ravel() for height, kept in zip(borders, whole) if kept]
    up = _loss_axis(all_runs, all_heights, tolerance, signed) if log_loss else _linear_axis(all_runs, all_heights)
    if signed:
        yaxis = _signed_ticks(up)
    elif log_loss:  # an exact zero, which has no logarithm, is at the lower edge; hovering shows it
        heights = [np.maximum(height, 10**up.low) for height in heights]
        borders = [np.maximum(height, 10**up.low) for height in borders]
        decades = up.high - up.low
        yaxis = {"exponentformat": "e", "dtick": math.ceil(decades / 6) if decades > 2 else "D2"}
    else:
        yaxis = {}
    return curves.draw(
        [StepCurve(run, run.loss_steps, height, run.losses, run.label) for run, height in zip(shown, heights)],
        curves.step_axis(shown, log_steps),
        up,
        "f",
        f"{key} {log_steps} {log_loss}",
        beside=BESIDE,
        yaxis={"title": {"text": loss_name(floor, bands)}, **yaxis},
        rules=[tolerance] if tolerance > 0 and not signed else [],
        areas=[_area(each, height, up, log_steps) for each, height in zip(around, borders)],
    )


def _area(band: Band, heights: np.ndarray, up: PlotAxis, log_steps: bool) -> dict[str, Any]:
    """Return the area between quartiles [3, m], from where the axis of steps begins to where the lower one is lost."""
    low, _, high = heights
    lost = np.flatnonzero(~np.isfinite(low))
    shown = slice(int(np.searchsorted(band.steps, 1)) if log_steps else 0, int(lost[0]) if lost.size else None)
    above = 2 * up.high - up.low  # out of the picture
    top = 10 ** min(above, 300.0) if up.log else above
    steps = band.steps[shown]
    return area(band.rule, (steps, np.minimum(low[shown], top)), (steps, np.minimum(high[shown], top)))


def steps_to_tolerance(
    runs: Sequence[DrawnTrajectory], floor: float, log_steps: bool = True, key: str = "", bands: Sequence[Band] = ()
) -> go.Figure:
    """Return how many steps a run takes to come within a tolerance of the floor, against the tolerance.

    Both axes as in ``losses`` with log_loss, exchanged; the tolerance falls from left to right. A line ends at the
    lowest loss that its run has seen.

    Args:
        runs: drawn in the order of ``style.METHODS``.
        floor: f at the minimum, or -inf.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.
        bands: of several seeds, around runs that are the medians of their lowest losses.

    Example:
        >>> from fop_core.figures.interactive import steps_to_tolerance
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["SGD"]
        >>> figure = steps_to_tolerance([downsampled("sgd", path.points, path.losses, path.status)], floor=0.0)
        >>> figure.layout.xaxis.title.text, figure.data[0].y[-1]
        ('tolerance on f − f*', np.float64(832.0))
    """
    base = (
        floor
        if math.isfinite(floor)
        else min((float(run.losses.min()) for run in runs if len(run.losses)), default=0.0)
    )
    traces, ends, lines = [], [], []
    shown = [run for run in ordered(runs) if len(run.losses)]
    above = [np.minimum.accumulate(np.maximum(run.losses - base, 1e-300)) for run in shown]
    reached = [values[values > 1e-300] for values in above]
    high = max((math.log10(values[0]) for values in reached if len(values)), default=0.0)
    low = min((math.log10(values[-1]) for values in reached if len(values)), default=-1.0)
    across = PlotAxis(-high - 0.02 * (high - low), -low + 0.16 * max(high - low, 1.0))
    up = curves.step_axis(shown, log_steps)
    for each in bands:
        quartile = [_first_steps(each.lowest[which] - base, each.steps, log_steps)[:2] for which in (0, 2)]
        traces.append(area(each.rule, *quartile))
    for run in shown:
        x, steps, values = _first_steps(run.losses - base, run.loss_steps, log_steps)
        template = f"<b>{run.method.name}</b><br>f − f* < %{{customdata:.3~g}} after %{{y:,}} steps<extra></extra>"
        traces.append(
            {"type": "scatter", "mode": "lines", "x": x, "y": steps, "line": curves.line(run) | {"shape": "hv"}}
            | {"customdata": values, "hovertemplate": template, "legendgroup": run.rule}
        )
        if len(x):
            end = float(x[-1]), float(up.coordinate(steps[-1]))
            ends.append((run, end))
            heights = 1 - up.share(steps)
            lines.append(np.stack([across.share(x) * curves.SIZE[0], heights * curves.SIZE[1]], axis=1))
    anchors = labels.arrange([tuple(line[-1]) for line in lines], [run.label for run, _ in ends], lines, curves.SIZE)
    ticks = np.arange(math.ceil(low), math.floor(high) + 1)[:: max(1, math.ceil((high - low) / 7))]
    layout = {
        **curves.common(f"{key} {log_steps} tolerance"),
        "xaxis": {"title": {"text": "tolerance on f − f*"}, "showgrid": False}
        | across.settings()
        | {"tickvals": -ticks, "ticktext": [style.plain(10.0**tick) for tick in ticks]},
        "yaxis": {"title": {"text": f"steps{_of_seeds(bands)}"}, "tickformat": ",", "nticks": 6} | up.settings(),
        "annotations": [curves.label(run.rule, run.label, at, anchor) for (run, at), anchor in zip(ends, anchors)],
    }
    return go.Figure(traces, layout)


def _first_steps(above: np.ndarray, steps: np.ndarray, log_steps: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return -log10 of each loss that is lower than all before, its step, and itself; only what the axes can show."""
    lowest = np.minimum.accumulate(np.maximum(above, 1e-300))
    new = np.flatnonzero(np.diff(lowest, prepend=math.inf) < 0)
    new = new[(lowest[new] > 1e-300) & (steps[new] >= (1 if log_steps else 0))]
    return -np.log10(lowest[new]), steps[new].astype(np.float64), lowest[new]


def loss_name(floor: float, bands: Sequence[Band] = ()) -> str:
    """Return what the axis of losses shows.

    Example:
        >>> from fop_core.figures.interactive import loss_name
        >>> loss_name(0.0), loss_name(-78.33)
        ('loss f', 'loss f − f*,  f* = −78.3')
    """
    plain = "loss f" if floor == 0 or not math.isfinite(floor) else f"loss f − f*,  f* = {style.number(floor)}"
    return plain + _of_seeds(bands)


def _of_seeds(bands: Sequence[Band]) -> str:
    return f", median of {bands[0].seeds} seeds" if bands else ""


def eigenvalues(runs: Sequence[DrawnTrajectory], log_steps: bool = True, key: str = "") -> go.Figure | None:
    """Return both eigenvalues of P against the step, the smaller one thin; None where no run learns a P.

    Args:
        runs: drawn in the order of ``style.METHODS``.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.

    Example:
        >>> from fop_core.figures.interactive import eigenvalues
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> run = downsampled("fop", path.points, path.losses, path.status, path.preconditioners)
        >>> [note.text for note in eigenvalues([run]).layout.annotations]
        ['<b>FOP 7.18, 1.54</b>']
    """
    shown = [(run, run.eigen_steps, run.eigenvalues) for run in ordered(runs) if run.eigenvalues is not None]
    if not shown:
        return None
    settled = [values for run, _, values in shown if run.status != "diverged"]
    known = np.concatenate([[0.0, 1.0], *(values.ravel() for values in settled)])
    room = 1.0 if settled else 9.0
    low, high = float(known.min()), float(known.max())
    up = PlotAxis(low - 0.06 * (high - low), high + (0.08 + room * (len(settled) < len(shown))) * (high - low))
    lines = []
    for run, steps, values in shown:
        assert steps is not None and values is not None
        last = [style.number(value) for value in values[-1]] if len(values) and run.status != "diverged" else []
        text = " ".join([run.method.name, ", ".join(dict.fromkeys(last)) or "diverged"])
        lines.append(StepCurve(run, steps, values[:, 1], values[:, 1], secondary=True))
        lines.append(StepCurve(run, steps, values[:, 0], values[:, 0], text))
    return curves.draw(
        lines,
        curves.step_axis([run for run, *_ in shown], log_steps),
        up,
        "eigenvalue",
        f"{key} {log_steps}",
        yaxis={"title": {"text": "eigenvalues of P"}},
        rules=[1.0],
    )


def ordered(runs: Sequence[DrawnTrajectory]) -> list[DrawnTrajectory]:
    """Return runs in the order of ``style.METHODS``, in which they are drawn.

    Example:
        >>> from fop_core.figures.interactive import ordered
        >>> from fop_core.figures.trajectories import downsampled
        >>> runs = [downsampled(rule, [[0.0, 0.0]], [1.0], "step limit") for rule in ("fop", "adam", "sgd")]
        >>> [run.rule for run in ordered(runs)]
        ['sgd', 'adam', 'fop']
    """
    order = list(style.METHODS)
    return sorted(runs, key=lambda run: order.index(run.rule))


def drawn(run: DrawnTrajectory, box: Box) -> np.ndarray:
    """Return the points of a path to draw: of one that diverged, until it is far outside, and nothing without end.

    Example:
        >>> from fop_core.figures.interactive import drawn
        >>> from fop_core.figures.trajectories import downsampled
        >>> run = downsampled("sgd", [[0.0, 0.0], [9.0, 0.0], [-9e9, 0.0]], [1.0, 9.0, 1e18], "diverged")
        >>> drawn(run, (-1.0, 1.0, -1.0, 1.0))  # until it is far outside
        array([[0., 0.],
               [9., 0.]])
    """
    away = np.abs(_share(run.path, box) - 0.5).max(axis=1)
    far = np.flatnonzero(away > 3)
    count = int(far[0]) + 1 if run.status == "diverged" and far.size else len(run.path)
    center = np.array([(box[0] + box[1]) / 2, (box[2] + box[3]) / 2])
    shrink = np.minimum(1.0, FARTHEST / np.maximum(away[:count], 1.0))
    return center + (run.path[:count] - center) * shrink[:, None]


def _end(run: DrawnTrajectory, box: Box) -> Point:
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


def angles(
    runs: Sequence[tuple[DrawnTrajectory, PreconditionerPath]], log_steps: bool = True, key: str = ""
) -> go.Figure | None:
    """Return the angle between g and P g against the step (Figure A.1); None where no run learns a P.

    Args:
        runs: each with what it learned.
        log_steps: whether the axis of steps is logarithmic.
        key: of the zoom.

    Example:
        >>> from fop_core.figures.interactive import angles
        >>> from fop_core.figures.learned import learned
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> from toy_functions.surfaces import BOOTH
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> run = downsampled("fop", path.points, path.losses, path.status, path.preconditioners)
        >>> figure = angles([(run, learned(path.points, path.preconditioners, BOOTH.gradient, BOOTH.hessian))])
        >>> figure.layout.yaxis.title.text
        'angle of g and P g (°)'
    """
    if not runs:
        return None
    highest = max((float(np.nanmax(learned.angles, initial=0.0)) for _, learned in runs), default=0.0)
    top = next(limit for limit in (15.0, 30.0, 60.0, 90.0, 180.0) if highest < limit or limit == 180.0)
    curve_list = []
    for run, learned in runs:
        known = np.isfinite(learned.angles)
        steps, values = learned.steps[known], learned.angles[known]
        text = f"{run.method.name} {style.number(values[-1])}°" if len(values) else run.method.name
        curve_list.append(StepCurve(run, steps, values, values, text))
    return curves.draw(
        curve_list,
        curves.step_axis([run for run, _ in runs], log_steps),
        PlotAxis(-0.04 * top, 1.08 * top),
        "angle",
        f"{key} {log_steps}",
        yaxis={"title": {"text": "angle of g and P g (°)"}, "dtick": top / 3},
        rules=[90.0] if top >= 90 else [],
    )


def _mark(role: str, points: Sequence[Point], marker: dict[str, Any]) -> dict[str, Any]:
    x, y = zip(*points)
    marker_style = style.roles(style.LIGHT)[role]["marker"]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": x,
        "y": y,
        "marker": marker | marker_style | {"line": marker_style["line"] | {"width": 1.5}},
        "meta": role,
        "hovertemplate": f"{role} (%{{x:.3~g}}, %{{y:.3~g}})<extra></extra>",
    }


def _loss_axis(
    runs: Sequence[DrawnTrajectory], heights: Sequence[np.ndarray], tolerance: float, signed: bool
) -> PlotAxis:
    """Return the axis of losses: what is lost in divergence does not stretch it, and labels have room below."""
    settled = [height for run, height in zip(runs, heights) if run.status != "diverged"]
    begun = [height[:1] for height in heights]
    known = np.concatenate([*settled, *begun]) if begun else np.ones(1)
    if signed:
        low, high = float(known.min()), float(known.max())
        some_diverged = len(settled) < len(runs)
        return PlotAxis(low - 0.5 - 3 * some_diverged, high + 0.5 + 3 * some_diverged)
    positive = known[known > 0]
    top = math.log10(positive.max()) if positive.size else 0.0
    bottom = math.log10(max(positive.min(), 1e-300)) if positive.size else top - 1
    if tolerance > 0:
        bottom = min(bottom, math.log10(tolerance)) if settled and bottom < math.log10(tolerance) + 2 else bottom
        bottom = max(bottom, min(math.log10(tolerance) - 6, top - 1))
    span = max(top - bottom, 1.0)
    return PlotAxis(bottom - 0.16 * span, top + (0.06 if len(settled) == len(runs) else 0.3) * span, log=True)


def _linear_axis(runs: Sequence[DrawnTrajectory], heights: Sequence[np.ndarray]) -> PlotAxis:
    settled = [height for run, height in zip(runs, heights) if run.status != "diverged"]
    begun = [height[:1] for height in heights]
    known = np.concatenate([*settled, *begun]) if begun else np.ones(1)
    low, high = min(0.0, float(known.min())), float(known.max())
    return PlotAxis(low - 0.16 * max(high - low, 1e-300), high + 0.08 * max(high - low, 1e-300))


def _signed_log(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log10(1 + np.abs(values))


def _signed_ticks(axis: PlotAxis) -> dict[str, Any]:
    count = math.ceil(max(abs(axis.low), abs(axis.high), 1.0))
    every = max(1, math.ceil(count / 4))
    powers = np.arange(every if every > 1 else 0, min(count, sys.float_info.max_10_exp) + 1, every)
    values = np.concatenate([-(10.0 ** powers[::-1]), [0.0], 10.0**powers])
    signs = ["−"] * len(powers) + [""] + [""] * len(powers)
    words = [f"{sign}{style.plain(abs(value))}" for sign, value in zip(signs, values)]
    return {"tickvals": _signed_log(values), "ticktext": words}
