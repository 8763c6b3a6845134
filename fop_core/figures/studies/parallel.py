"""Parallel coordinates: every trial of a study as a line through its settings to its result."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure

from fop_core.figures import curves, print_style
from fop_core.figures.studies.drawing import INK, LOST, MUTED, Array, AxisScale, marker, safe, shown, written
from fop_core.figures.training_curves import method_style, named

TICKS = 6  # values written along an axis of numbers
STEP = 0.09  # between two rows of the axes' names
FOOT, BELOW = -0.13, -0.2  # where what diverged ends, under the axis of results, and where the axes' names begin


@dataclass(frozen=True)
class ParallelAxis:
    """One of the axes as it is drawn.

    Attributes:
        label: under it.
        heights: of the rows, 0 to 1, [rows]; NaN where a row has no such setting.
        ticks: heights and their texts.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Parallel, AxisScale
        >>> trials = Parallel([AxisScale("learning rate", (0.01, 0.1))], ["fop", "momentum"], np.array([0.96, 0.95]))
        >>> axis = trials.axes()[1]
        >>> axis.label, axis.heights, axis.ticks[0]
        ('learning rate', array([0., 1.]), (np.float64(0.0), '0.01'))
    """

    label: str
    heights: Array
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Parallel:
    """Lines from left to right. What diverged ends under the last axis; a setting that a method has not is passed by.

    Attributes:
        scales: of the settings, with a value for each row; None where the row's method has no such setting.
        methods: of the rows; keys of ``training.config.METHODS``.
        results: [rows]; NaN is not there yet and not drawn, infinity diverged.
        up: what the result is.
        percent: whether results are fractions.
        chosen: indices of the rows that are drawn thick: the winners.
        lost: what an infinite result is.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Parallel, AxisScale
        >>> rates, ranks = AxisScale("learning rate", (0.01, 0.1, 0.1)), AxisScale("rank", (None, 1, 16))
        >>> trials = Parallel([rates, ranks], ["momentum", "fop", "fop"], np.array([0.95, np.inf, 0.97]), chosen=[2])
        >>> trials.alt
        '3 trials by learning rate, rank, and their held-out accuracy'
        >>> len(trials.screens()[""].data), type(trials.paper()).__name__
        (3, 'Figure')
    """

    scales: Sequence[AxisScale]
    methods: Sequence[str]
    results: Array
    up: str = "held-out accuracy"
    percent: bool = True
    chosen: Sequence[int] = field(default=())
    lost: str = "diverged"

    def __post_init__(self) -> None:
        counts = {len(self.methods), len(self.results), *(len(scale.values) for scale in self.scales)}
        if len(counts) > 1:
            raise ValueError(f"scales, methods and results have {sorted(counts)} rows: give as many of each")

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        names = ", ".join(scale.label for scale in self.scales)
        return f"{len(self.methods)} trials by {names}, and their {self.up}"

    def axes(self) -> list[ParallelAxis]:
        """Return the axes: method, settings, result.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Parallel, AxisScale
            >>> trials = Parallel([AxisScale("rank", (1, 16))], ["fop", "fop"], np.array([0.95, np.inf]))
            >>> [axis.label for axis in trials.axes()], trials.axes()[-1].heights  # the second diverged
            (['method', 'rank', 'held-out accuracy, %'], array([ 0.  , -0.13]))
        """
        kinds = list(dict.fromkeys(self.methods))
        method = _words("method", [named(kind) for kind in self.methods], [named(kind) for kind in kinds])
        return [method, *map(_axis, self.scales), self._result()]

    def _result(self) -> ParallelAxis:
        finite = self.results[np.isfinite(self.results)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        span = high - low or 1.0
        heights = np.where(np.isinf(self.results), FOOT, (self.results - low) / span)
        ends = [low + share * span for share in np.linspace(0, 1, TICKS if high > low else 2)]
        ticks = [((end - low) / span, shown(end, self.percent)) for end in ends] if len(finite) else []
        if np.isinf(self.results).any():
            ticks.append((FOOT, f"{LOST} {self.lost}"))
        return ParallelAxis(self.up + (", %" if self.percent else ""), heights, ticks)

    def _drawn(self) -> list[tuple[str, Array]]:
        """Return methods with the indices of their rows that have a result, FOP's last and so on top."""
        kinds = sorted(dict.fromkeys(self.methods), key=lambda kind: method_style(kind).width)
        there = ~np.isnan(self.results)
        of = np.asarray(self.methods)
        return [(kind, np.flatnonzero(there & (of == kind))) for kind in kinds]

    def screens(self) -> dict[str, go.Figure]:
        """Return it as one plotly figure."""
        axes = self.axes()
        heights = np.stack([axis.heights for axis in axes], axis=1)
        many = len(self.methods) > 60
        traces: list[dict[str, Any]] = []
        for kind, rows in self._drawn():
            method = method_style(kind)
            line = {"color": method.color, "dash": method.dash, "width": method.width / 2}
            x, y, texts = self._points(rows, heights)
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "x": x,
                    "y": y,
                    "text": texts,
                    "line": line,
                    "marker": {"symbol": method.symbol, "size": 5, "color": method.color},
                    "opacity": 0.35 if many else 0.7,
                    "hovertemplate": "%{text}<extra></extra>",
                    "cliponaxis": False,
                }
            )
        for row in self.chosen:
            method = method_style(self.methods[row])
            x, y, texts = self._points(np.array([row]), heights)
            line = {"color": method.color, "dash": method.dash, "width": 2 * method.width}
            more = {"line": line, "marker": {"symbol": method.symbol, "size": 10, "color": method.color}}
            trace = {"type": "scatter", "mode": "lines+markers", "x": x, "y": y, "text": texts, **more}
            traces.append(trace | {"hovertemplate": "%{text}<extra></extra>", "cliponaxis": False})
        notes = [
            {
                "x": index,
                "y": height,
                "text": safe(text),
                "showarrow": False,
                "xanchor": "right" if index else "left",
                "xshift": -7 if index else 7,
                "font": {"size": 11},
            }
            for index, axis in enumerate(axes)
            for height, text in axis.ticks
        ]
        notes += [
            {
                "x": index,
                "y": BELOW - STEP * (index % 2),  # two rows of names: narrow screens have no room for one
                "text": safe(axis.label),
                "showarrow": False,
                "xanchor": "left" if not index else "right" if index == len(axes) - 1 else "center",
                "yanchor": "top",
                "font": {"size": 13},
            }
            for index, axis in enumerate(axes)
        ]
        uprights = [
            {"type": "line", "x0": i, "x1": i, "y0": 0, "y1": 1, "line": {"color": MUTED, "width": 1}, "layer": "below"}
            for i in range(len(axes))
        ]
        layout = {
            **curves.common(self.alt),
            "margin": {"l": 8, "r": 16, "t": 8, "b": 8},
            "xaxis": {"visible": False, "range": [-0.06, len(axes) - 1 + 0.06]},
            "yaxis": {"visible": False, "range": [BELOW - STEP - 0.1, 1.06]},
            "annotations": notes,
            "shapes": uprights,
        }
        return {"": go.Figure(traces, layout)}

    def _points(self, rows: Array, heights: Array) -> tuple[list[float | None], list[float | None], list[str]]:
        """Return points of rows, a gap between two of them; a line passes by an axis on which its row is not."""
        x: list[float | None] = []
        y: list[float | None] = []
        texts: list[str] = []
        for row in rows:
            text = self._said(int(row))
            for at in np.flatnonzero(np.isfinite(heights[row])):
                x.append(float(at))
                y.append(float(heights[row, at]))
                texts.append(text)
            x.append(None)
            y.append(None)
            texts.append("")
        return x, y, texts

    def _said(self, row: int) -> str:
        words = [f"<b>{safe(named(self.methods[row]))}</b>"]
        words += [safe(f"{s.label} {written(s.values[row])}") for s in self.scales if s.values[row] is not None]
        result = self.results[row]
        words.append(f"{LOST} {self.lost}" if np.isinf(result) else safe(f"{self.up} {shown(result, self.percent)}"))
        return "<br>".join(words)

    def paper(self) -> Figure:
        """Return it for print."""
        drawn = self.axes()
        heights = np.stack([axis.heights for axis in drawn], axis=1)
        with print_style.applied():
            figure = print_style.blank(print_style.WIDTH, 3.0)
            axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
            for kind, rows in self._drawn():
                method = method_style(kind)
                for row in rows:
                    thick = row in self.chosen
                    at = np.flatnonzero(np.isfinite(heights[row]))
                    axes.plot(
                        at,
                        heights[row, at],
                        color=method.color,
                        linestyle=print_style.dashes(method.dash),
                        linewidth=method.width * print_style.PX * (1.4 if thick else 0.4),
                        alpha=1.0 if thick else 0.6,
                        clip_on=False,
                        **({} if not thick else marker(method)),
                    )
            for index, axis in enumerate(drawn):
                axes.plot([index] * 2, [0, 1], color=MUTED, linewidth=0.8, zorder=1)
                for height, text in axis.ticks:
                    axes.text(
                        index + (-0.03 if index else 0.03),
                        height,
                        print_style.literal(text.removeprefix(f"{LOST} ")),
                        ha="right" if index else "left",
                        va="center",
                        fontsize=7,
                        color=INK,
                        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
                    )
                side = "left" if not index else "right" if index == len(drawn) - 1 else "center"
                axes.text(index, BELOW, print_style.literal(axis.label), ha=side, va="top", fontsize=9)
            axes.set(xlim=(-0.06, len(drawn) - 1 + 0.06), ylim=(BELOW - 0.1, 1.05), xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        return figure


def _axis(scale: AxisScale) -> ParallelAxis:
    """Return the axis of a setting: by size where all are numbers, logarithmic where they spread; else one by one."""
    there = tuple(value for value in scale.values if value is not None)
    of = AxisScale(scale.label, there)
    if (numbers := of.numbers) is None or not len(numbers):
        options = sorted(dict.fromkeys(map(written, there)))
        return _words(scale.label, [None if value is None else written(value) for value in scale.values], options)
    log = of.log
    every = np.array([np.nan if value is None else float(value) for value in scale.values])
    at, numbers = (np.log10(every), np.log10(numbers)) if log else (every, numbers)
    low, span = float(numbers.min()), float(numbers.max() - numbers.min())
    heights = (at - low) / span if span else np.where(np.isnan(at), np.nan, 0.5)
    values = np.unique(numbers)
    if len(values) > TICKS:
        values = np.linspace(values[0], values[-1], TICKS)
    ticks = [((value - low) / span if span else 0.5, written(float(10**value if log else value))) for value in values]
    return ParallelAxis(scale.label, heights, ticks)


def _words(label: str, values: Sequence[str | None], options: Sequence[str]) -> ParallelAxis:
    heights = {option: (i / (len(options) - 1) if len(options) > 1 else 0.5) for i, option in enumerate(options)}
    every = np.array([np.nan if value is None else heights[value] for value in values], dtype=np.float64)
    return ParallelAxis(label, every, [(height, option) for option, height in heights.items()])
