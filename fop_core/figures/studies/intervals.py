"""Figures of a study with a row for each method: what each needs to a target, and how two of them differ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from fop_core.figures import curves, print_style, style
from fop_core.figures.studies.drawing import INK, LOST, MUTED, Array, marker, safe, shown
from fop_core.figures.training_curves import method_style, named
from fop_core.formatting import p_value

LEFT = 1.5  # inches, of a row's name
ROW = 0.34  # inches


@dataclass(frozen=True)
class Times:
    """What a method needs to a target.

    Attributes:
        method: key of ``training.config.METHODS``.
        values: of each seed, above 0, [seeds]; infinite where the target was missed, NaN where it is not known yet.
        label: of the row; the method's name unless given.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Times
        >>> row = Times("fop", np.array([400.0, 500.0, np.inf]))
        >>> row.name, row.median
        ('FOP', 500.0)
    """

    method: str
    values: Array
    label: str = ""

    @property
    def name(self) -> str:
        """What the row is called.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Times
            >>> Times("fop-osgm", np.array([400.0])).name, Times("fop", np.array([400.0]), label="FOP, rank 16").name
            ('FOP OSGM', 'FOP, rank 16')
        """
        return self.label or named(self.method)

    @property
    def median(self) -> float:
        """Of the seeds that are known, those that missed the target among them; infinite where that is one of them.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Times
            >>> Times("fop", np.array([400.0, 500.0, np.nan])).median, Times("fop", np.array([400.0, np.inf])).median
            (450.0, inf)
        """
        known = np.sort(self.values[~np.isnan(self.values)])
        if not len(known):
            return math.nan
        middle = known[(len(known) - 1) // 2], known[len(known) // 2]
        return float((middle[0] + middle[1]) / 2)


@dataclass(frozen=True)
class TimeToTarget:
    """What each seed of each method needs to a target, and the median. What missed it stands at the right edge.

    Attributes:
        rows: of the methods, the first on top.
        across: what is counted, to which target.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Times, TimeToTarget
        >>> rows = [Times("momentum", np.array([900.0, 950.0, np.inf])), Times("fop", np.array([400.0, 500.0, 450.0]))]
        >>> picture = TimeToTarget(rows, "steps to 97 %")
        >>> picture.alt
        'steps to 97 %, medians: Momentum 950, FOP 450'
        >>> len(picture.screens()[""].data), picture.paper().axes[0].get_xlabel()
        (5, 'steps to 97 %')
    """

    rows: Sequence[Times]
    across: str

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        medians = [f"{row.name} {style.number(row.median)}" for row in self.rows if not math.isnan(row.median)]
        return f"{self.across}, medians: {', '.join(medians) or 'none yet'}"

    def _finite(self) -> Array:
        every = np.concatenate([np.empty(0), *(row.values for row in self.rows)])
        return every[np.isfinite(every)]

    @property
    def log(self) -> bool:
        """Whether times differ by more than a factor of ten.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Times, TimeToTarget
            >>> [TimeToTarget([Times("fop", np.array([40.0, most]))], "steps").log for most in (80.0, 8000.0)]
            [False, True]
        """
        finite = self._finite()
        return bool(len(finite) and finite.min() > 0 and finite.max() > 10 * finite.min())

    def _edge(self) -> tuple[float, float, float]:
        """Return where the axis begins and ends, and where what missed the target stands, as the axis counts."""
        finite = self._finite()
        if not len(finite):
            return 0.0, 1.0, 0.95
        low, high = float(finite.min()), float(finite.max())
        if self.log:
            low, high = math.log10(low), math.log10(high)
        else:
            low = 0.0
        span = high - low or 1.0
        return low - 0.04 * span * self.log, high + 0.2 * span, high + 0.15 * span

    def _ticks(self) -> list[float]:
        """Return what a logarithmic axis is marked with: 1, 2 and 5 of each power of ten; nothing without a time."""
        finite = self._finite()
        if not len(finite):
            return []
        powers = range(math.floor(math.log10(finite.min())), math.ceil(math.log10(finite.max())) + 1)
        few = (1, 2, 5) if len(powers) < 4 else (1,)
        return [digit * 10.0**power for power in powers for digit in few]

    def _missed(self, row: Times) -> str:
        missed, known = int(np.isinf(row.values).sum()), int((~np.isnan(row.values)).sum())
        return f"{LOST} missed by {missed} of {known}" if missed else ""

    def screens(self) -> dict[str, go.Figure]:
        """Return it as one plotly figure."""
        low, high, edge = self._edge()
        at_edge = 10**edge if self.log else edge
        traces: list[dict[str, Any]] = []
        for height, row in zip(_heights(len(self.rows)), self.rows):
            method = method_style(row.method)
            values = row.values[np.isfinite(row.values)]
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": values,
                    "y": np.full(len(values), height),
                    "marker": {"symbol": method.symbol, "size": 9, "color": method.color, "opacity": 0.75},
                    "hovertemplate": f"<b>{safe(row.name)}</b><br>{safe(self.across)}: %{{x:,.4~g}}<extra></extra>",
                }
            )
            median = row.median
            if math.isfinite(median):
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "lines",
                        "x": [median, median],
                        "y": [height - 0.3, height + 0.3],
                        "line": {"color": method.color, "width": 3},
                        "hovertemplate": f"<b>{safe(row.name)}</b><br>median {style.number(median)}, "
                        f"n = {np.count_nonzero(~np.isnan(row.values))}<extra></extra>",
                    }
                )
            if missed := self._missed(row):
                traces.append(
                    {
                        "type": "scatter",
                        "mode": "markers",
                        "x": [at_edge],
                        "y": [height],
                        "marker": {"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": method.color}},
                        "hovertemplate": f"<b>{safe(row.name)}</b><br>{missed}<extra></extra>",
                    }
                )
        layout = _layout(self.alt, [row.name for row in self.rows], self.across)
        layout["xaxis"] |= {"type": "log" if self.log else "linear", "range": [low, high], "tickformat": ",~g"}
        if self.log or not len(self._finite()):
            layout["xaxis"]["tickvals"] = self._ticks()
        layout["annotations"] = [
            {
                "x": edge,
                "y": height - 0.36,
                "text": missed.removeprefix(f"{LOST} "),
                "showarrow": False,
                "xanchor": "right",
                "xshift": 8,
                "font": {"size": 11},
            }
            for height, row in zip(_heights(len(self.rows)), self.rows)
            if (missed := self._missed(row))
        ]
        return {"": go.Figure(traces, layout)}

    def paper(self) -> Figure:
        """Return it for print."""
        low, high, edge = self._edge()
        with print_style.applied():
            figure, axes = _chart(len(self.rows))
            if self.log:
                axes.set_xscale("log")
            if self.log or not len(self._finite()):
                axes.set_xticks(self._ticks())
                axes.xaxis.set_minor_locator(NullLocator())
            axes.set_xlim(*(10.0 ** np.array([low, high]) if self.log else (low, high)))
            for height, row in zip(_heights(len(self.rows)), self.rows):
                method = method_style(row.method)
                values = row.values[np.isfinite(row.values)]
                axes.plot(values, np.full(len(values), height), linestyle="none", color=method.color, **marker(method))
                if math.isfinite(row.median):
                    axes.plot([row.median] * 2, [height - 0.3, height + 0.3], color=method.color, linewidth=1.6)
                if missed := self._missed(row):
                    at = 10**edge if self.log else edge
                    axes.plot([at], [height], "x", color=method.color, markersize=5, markeredgewidth=1.2)
                    text = missed.removeprefix(f"{LOST} ")
                    axes.text(at, height - 0.42, text, fontsize=6.5, ha="center", va="center")
            _rows(axes, [row.name for row in self.rows])
            axes.set_xlabel(print_style.literal(self.across))
            axes.xaxis.set_major_formatter(lambda value, _: style.plain(value))
        return figure


@dataclass(frozen=True)
class DrawnDifference:
    """How one method differs from another.

    Attributes:
        label: which these are: "FOP less Momentum".
        method: whose colour it has; key of ``training.config.METHODS``.
        mean: difference of the means; NaN where it is not known.
        low, high: of its interval.
        p: corrected for the number of comparisons; NaN for none.
        n: pairs, or runs of the smaller group.
        significant: whether p is below the level that was fixed.

    Example:
        >>> from fop_core.figures.studies import DrawnDifference
        >>> DrawnDifference("FOP less Momentum", "fop", 0.004, 0.001, 0.007, p=0.012, n=5, significant=True).verdict
        'p = 0.012, n = 5'
    """

    label: str
    method: str
    mean: float
    low: float
    high: float
    p: float
    n: int
    significant: bool

    @property
    def verdict(self) -> str:
        """What the test says.

        Example:
            >>> from fop_core.figures.studies import DrawnDifference
            >>> DrawnDifference("FOP less Momentum", "fop", 0.004, 0.001, 0.007, 0.00002, n=5, significant=True).verdict
            'p < 1e-4, n = 5'
            >>> DrawnDifference("FOP less Momentum", "fop", 0.004, *[float("nan")] * 3, n=1, significant=False).verdict
            'n = 1: no test'
        """
        if math.isnan(self.p):
            return f"n = {self.n}: no test"
        return f"{p_value(self.p)}, n = {self.n}"


@dataclass(frozen=True)
class Pairwise:
    """Differences of methods with their intervals. A filled mark is a difference, a hollow one cannot be told from 0.

    Attributes:
        rows: the first on top.
        across: of what.
        percent: whether differences are of fractions, to be shown in points.
        detectable: the least difference that these seeds can detect, drawn as an area around 0; None for none.

    Example:
        >>> from fop_core.figures.studies import DrawnDifference, Pairwise
        >>> row = DrawnDifference("FOP less Momentum", "fop", 0.004, 0.001, 0.007, p=0.012, n=5, significant=True)
        >>> picture = Pairwise([row], "test accuracy", detectable=0.003)
        >>> picture.alt
        'difference in test accuracy, points: FOP less Momentum +0.40 (p = 0.012, n = 5)'
        >>> len(picture.screens()[""].data), picture.paper().axes[0].get_xlabel()
        (2, 'difference in test accuracy, points')
    """

    rows: Sequence[DrawnDifference]
    across: str
    percent: bool = True
    detectable: float | None = None

    @property
    def alt(self) -> str:
        """What it shows, in words."""
        said = [f"{row.label} {shown(row.mean, self.percent, signed=True)} ({row.verdict})" for row in self.rows]
        return f"{self._title}: {'; '.join(said)}"

    @property
    def _title(self) -> str:
        return f"difference in {self.across}{', points' if self.percent else ''}"

    @property
    def _factor(self) -> float:
        return 100.0 if self.percent else 1.0

    def screens(self) -> dict[str, go.Figure]:
        """Return it as one plotly figure."""
        factor = self._factor
        traces: list[dict[str, Any]] = []
        notes: list[dict[str, Any]] = []
        for height, row in zip(_heights(len(self.rows)), self.rows):
            method = method_style(row.method)
            said = (
                f"<b>{safe(row.label)}</b><br>{shown(row.mean, self.percent, signed=True)}, "
                f"from {shown(row.low, self.percent, signed=True)} to {shown(row.high, self.percent, signed=True)}"
                f"<br>{safe(row.verdict)}<extra></extra>"
            )
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "x": [factor * row.low, factor * row.high],
                    "y": [height, height],
                    "line": {"color": method.color, "width": 2.5},
                    "hoverinfo": "skip",
                }
            )
            symbol = method.symbol if row.significant else f"{method.symbol}-open"
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [factor * row.mean],
                    "y": [height],
                    "marker": {
                        "symbol": symbol,
                        "size": 12,
                        "color": method.color,
                        "line": {"width": 2, "color": method.color},
                    },
                    "hovertemplate": said,
                }
            )
            ends = [factor * end for end in (row.low, row.high, row.mean) if math.isfinite(end)]
            note = {"text": safe(row.verdict), "showarrow": False, "yshift": 16, "font": {"size": 12}}
            notes.append(note | {"x": sum(ends) / len(ends) if ends else 0, "y": height})
        layout = _layout(self.alt, [row.label for row in self.rows], self._title)
        layout["xaxis"] |= {"autorangeoptions": {"include": [0]}}
        zero = {"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
        layout["shapes"] = [zero | {"line": {"color": MUTED, "width": 1, "dash": "2px,3px"}}]
        if self.detectable is not None and math.isfinite(self.detectable):
            half = factor * self.detectable
            area = {"type": "rect", "x0": -half, "x1": half, "yref": "paper", "y0": 0, "y1": 1, "layer": "below"}
            layout["shapes"].append(
                area | {"fillcolor": "rgba(128,134,143,0.16)", "line": {"color": MUTED, "width": 1, "dash": "6px,4px"}}
            )
        layout["annotations"] = notes
        return {"": go.Figure(traces, layout)}

    def paper(self) -> Figure:
        """Return it for print."""
        factor = self._factor
        with print_style.applied():
            figure, axes = _chart(len(self.rows))
            axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=(0, (1.2, 1.8)), zorder=1)
            if self.detectable is not None and math.isfinite(self.detectable):
                half = factor * self.detectable
                axes.axvspan(-half, half, facecolor=MUTED, alpha=0.16, linewidth=0, zorder=0)
            for height, row in zip(_heights(len(self.rows)), self.rows):
                method = method_style(row.method)
                axes.plot([factor * row.low, factor * row.high], [height] * 2, color=method.color, linewidth=1.5)
                mark = marker(method) | {"markeredgecolor": method.color, "markeredgewidth": 1.2}
                face = method.color if row.significant else "white"
                axes.plot([factor * row.mean], [height], linestyle="none", markerfacecolor=face, **mark)
                axes.annotate(
                    print_style.literal(row.verdict),
                    (factor * row.mean if math.isfinite(row.mean) else 0.0, height),
                    (0, 6),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7,
                    color=INK,
                )
            _rows(axes, [row.label for row in self.rows])
            axes.margins(x=0.12)
            axes.set_xlabel(print_style.literal(self._title))
            axes.xaxis.set_major_formatter(lambda value, _: style.plain(round(value, 12)))
        return figure


def _heights(count: int) -> range:
    """Return where rows stand, the first on top."""
    return range(count - 1, -1, -1)


def _layout(key: str, names: Sequence[str], across: str) -> dict[str, Any]:
    count = len(names)
    return {
        **curves.common(key),
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {"title": {"text": safe(across)}, "nticks": 6},
        "yaxis": {
            "range": [-0.6, max(count, 1) - 0.3],
            "tickvals": list(_heights(count)),
            "ticktext": [safe(name) for name in names],
            "showgrid": False,
            "fixedrange": True,
        },
    }


def _chart(rows: int) -> tuple[Figure, Axes]:
    high = max(rows, 1) * ROW + 0.55
    figure = print_style.blank(print_style.WIDTH, high)
    wide = print_style.WIDTH - LEFT - 0.2
    axes = figure.add_axes((LEFT / print_style.WIDTH, 0.45 / high, wide / print_style.WIDTH, (high - 0.5) / high))
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=style.LIGHT.grid, linewidth=0.5)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure, axes


def _rows(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(list(_heights(len(names))), [print_style.literal(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(-0.6, max(len(names), 1) - 0.3)
