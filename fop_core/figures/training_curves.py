"""Curves of training runs: one line for a run or for several seeds, with their spread and what was smoothed behind it.

Data in, a plotly figure out. Colours are those of the methods; where one method comes several times, dashes tell its
lines apart, and where there is but one method, colours do.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, labels
from fop_core.figures.curves import PlotAxis
from fop_core.figures.style import METHODS, MINIMA, Method, plain

Array = np.ndarray

SIZE = (360.0, 240.0)  # px of a small picture, for which labels are placed; elsewhere they have more room
LONGEST = 16  # letters of a label; hovering shows the rest
LABELLED = 12  # lines that get a label; of more, hovering shows it
PINNED = 3.5  # px of a line whose colour a reader has pinned
DASHES = ("solid", "8px,3px", "2px,3px", "10px,3px,2px,3px", "5px,2px,1px,2px,1px,2px")
MORE = {
    "fop-norm": Method("FOP-norm", METHODS["fop"].color, "4px,2px", "hexagon", 2.5),
    "fop-after": Method("FOP after", METHODS["fop"].color, "2px,2px", "pentagon", 2.5),
    "mean-removing": Method("Mean-removing", "#A87900", "6px,3px", "hourglass"),
    "nadam": Method("NAdam", METHODS["adam"].color, "6px,2px,2px,2px", "cross"),
    "schedule_free_adamw": Method("Schedule-Free AdamW", METHODS["adam"].color, "2px,3px", "x"),
    "muon": Method("Muon", METHODS["rmsprop"].color, "solid", "octagon"),
    "soap": Method("SOAP", METHODS["newton"].color, "solid", "hexagon2"),
    "shampoo": Method("Shampoo", METHODS["newton"].color, "7px,3px", "hexagon2"),
    "psgd_kron": Method("PSGD-Kron", METHODS["newton"].color, "2px,3px", "hexagram"),
    "control-rate": Method("Rate ε·tr(P)/n", METHODS["momentum"].color, "2px,3px", "square", 2.5),
}
"""Methods that only networks have. Those that learn a matrix have the colour of what knows the curvature."""


@dataclass(frozen=True)
class LineStyle:
    """How a line looks.

    Attributes:
        color: of line, band and label.
        dash: as plotly takes it.
        width: px.

    Example:
        >>> from fop_core.figures.training_curves import LineStyle, line_styles
        >>> line_styles(["fop"]) == [LineStyle("#D9541E", "solid", 3.0)]
        True
    """

    color: str
    dash: str
    width: float


@dataclass(frozen=True)
class Line:
    """One line and what belongs to it. What is not finite is a gap.

    Attributes:
        label: at its end, and on hovering.
        line_style: how it looks.
        x: [n].
        y: [n].
        behind: single runs, or values before smoothing, drawn faintly: pairs of x and y.
        band: x, lower and upper edge, each [m]; nothing for none.
        broken: x and the last number before, where the value is no number any more, each [k].

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.training_curves import Line, LineStyle
        >>> epochs, loss = np.array([1.0, 2.0]), np.array([0.5, 0.25])
        >>> line = Line("FOP", LineStyle("#D9541E", "solid", 3.0), epochs, loss, band=(epochs, loss - 0.1, loss + 0.1))
        >>> line.band[2]
        array([0.6 , 0.35])
    """

    label: str
    line_style: LineStyle
    x: Array
    y: Array
    behind: Sequence[tuple[Array, Array]] = ()
    band: tuple[Array, Array, Array] | None = None
    broken: tuple[Array, Array] = field(default=(np.empty(0), np.empty(0)))


def named(method: str) -> str:
    """Return what a method is called.

    Example:
        >>> from fop_core.figures.training_curves import named
        >>> named("fop"), named("psgd_kron"), named("something-new")
        ('FOP', 'PSGD-Kron', 'something-new')
    """
    return method_style(method).name


def method_style(method: str) -> Method:
    """Return how a method looks; an unknown one, as of a newer run, is grey and has its own name.

    Example:
        >>> from fop_core.figures.training_curves import method_style
        >>> method_style("soap")
        Method(name='SOAP', color='#9050A8', dash='solid', symbol='hexagon2', width=2.0)
    """
    return MORE.get(method) or METHODS.get(method) or Method(method, METHODS["sgd"].color, "1px,3px", "circle")


def line_styles(methods: Sequence[str], pinned: Sequence[str | None] = ()) -> list[LineStyle]:
    """Return how the lines of some methods look, no two alike as long as there are looks.

    Args:
        methods: of each line its method.
        pinned: of each line the colour that it has whatever else is drawn, None of one that has none.

    Example:
        >>> from fop_core.figures.training_curves import line_styles
        >>> [(style.color, style.dash) for style in line_styles(["fop", "momentum", "momentum"])]
        [('#D9541E', 'solid'), ('#3885E0', 'solid'), ('#3885E0', '8px,3px')]
        >>> [style.color for style in line_styles(["fop", "fop"], pinned=["#44A386", None])]
        ['#44A386', '#D9541E']
    """
    if any(pinned):
        free = [method for method, color in zip(methods, pinned) if color is None]
        others = iter(_line_styles(free, [color for color in MINIMA if color not in pinned] or MINIMA))
        return [next(others) if color is None else LineStyle(color, "solid", PINNED) for color in pinned]
    return _line_styles(methods, MINIMA)


def _line_styles(methods: Sequence[str], colors: Sequence[str]) -> list[LineStyle]:
    kinds = list(dict.fromkeys(methods))
    if len(kinds) == 1 and len(methods) > 1:
        size = len(colors)
        return [LineStyle(colors[i % size], DASHES[i // size % len(DASHES)], 2.0) for i in range(len(methods))]
    counts = dict.fromkeys(kinds, 0)
    unknown = [kind for kind in kinds if kind not in MORE and kind not in METHODS]
    made = []
    for kind in methods:
        method, count = method_style(kind), counts[kind]
        if len(unknown) > 1 and kind in unknown:  # grey tells one apart from the known ones, and not two
            at = unknown.index(kind)
            method = Method(kind, colors[at % len(colors)], DASHES[at // len(colors) % len(DASHES)], "circle")
        others = [method.dash, *(dash for dash in DASHES if dash != method.dash)]
        made.append(LineStyle(method.color, others[count % len(others)], method.width))
        counts[kind] += 1
    return made


def figure(
    lines: Sequence[Line],
    across: str,
    up: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    percent: bool = False,
    zero: bool = False,
    key: str = "",
    labelled: bool = True,
    span: Sequence[float] = (),
) -> go.Figure:
    """Return lines over one axis, each with its label at its end.

    Args:
        lines: the last is drawn on top.
        across: title of the axis across.
        up: title of the axis up.
        log_x: whether that axis is logarithmic.
        log_y: likewise.
        percent: whether values are fractions, to be shown as percent.
        zero: whether a line marks 0.
        key: of the zoom.
        labelled: whether lines have labels at their ends.
        span: more of what the axis across must show, as of the pictures beside this one.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.figures.training_curves import Line, figure, line_styles
        >>> names = ["cifar10-sgd", "cifar10-fop-velocity"]
        >>> curves = [runs.load(name).metrics.over("epoch", "test_accuracy") for name in names]
        >>> styles = line_styles(["momentum", "fop"])
        >>> lines = [Line(name, style, *curve) for name, style, curve in zip(names, styles, curves)]
        >>> made = figure(lines, "epoch", "test accuracy", percent=True)
        >>> [trace.name for trace in made.data], made.layout.yaxis.tickformat
        (['cifar10-sgd', 'cifar10-fop-velocity'], '.4~%')
    """
    across_values = [line.x for line in lines] + [x for line in lines for x, _ in line.behind]
    x_axis = _axis([*across_values, np.array(span, float)], log_x, 0.0)
    heights = [line.y for line in lines] + [y for line in lines for _, y in line.behind]
    heights += [edge for line in lines if line.band for edge in line.band[1:]]
    y_axis = _axis(heights, log_y, 0.05)
    y_format = "%{y:.2%}" if percent else "%{y:.4~g}"
    traces: list[dict[str, Any]] = []
    for line in lines:
        traces += _behind(line)
    for line in lines:
        where = f"<b>{_safe(line.label)}</b><br>{_safe(across)} %{{x:,.4~r}}: {y_format}<extra></extra>"
        named_trace = {"name": line.label, "hovertemplate": where}  # the name is for a readout at the cursor
        traces.append(_trace(line.x, line.y, line.line_style, **named_trace))
        traces += _broken(line, across)
    shown = list(lines) if labelled and len(lines) <= LABELLED else []
    texts = dict(zip(every := [line.label for line in shown], shortened(every)))
    beside = max([12.0, *(labels.LETTER * len(text) + labels.LEAST + 6 for text in texts.values())])
    ticks = {"tickformat": ".4~%"} if percent else {"tickformat": ".3~g"} if log_y else {"exponentformat": "e"}
    layout = {
        **curves.common(key),
        "margin": {"l": 8, "r": beside, "t": 8, "b": 8},
        "xaxis": {"title": {"text": _safe(across)}, "showgrid": False, "nticks": 6} | _numbers(across) | _shown(x_axis),
        "yaxis": {"title": {"text": _safe(up)}, "nticks": 6} | ticks | _shown(y_axis),
        "annotations": _labels(shown, texts, x_axis, y_axis, beside),
        "shapes": [curves.rule(0.0)] if zero and not log_y else [],
    }
    return go.Figure(traces, layout)


def mark_falls(made: go.Figure, falls: Sequence[tuple[float, float]]) -> None:
    """Mark on lines over steps, epochs or seconds where the learning rate falls.

    Args:
        made: of ``figure``.
        falls: where on the axis across, and what the rate is multiplied by there.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.training_curves import Line, LineStyle, figure, mark_falls
        >>> line = Line("FOP", LineStyle("#D9541E", "solid", 2.0), np.arange(15.0), 1 / np.arange(1.0, 16.0))
        >>> made = figure([line], "epoch", "loss")
        >>> mark_falls(made, [(8.0, 0.1)])
        >>> made.layout.annotations[-1].text
        'ε × 0.1'
    """
    log = made.layout.xaxis.type == "log"
    for x, factor in falls:
        if log and x <= 0:
            continue
        made.add_shape(curves.fall(x))
        made.add_annotation(
            x=float(np.log10(x)) if log else x,
            y=1,
            yref="paper",
            text=f"ε × {plain(factor)}",
            showarrow=False,
            xanchor="left",
            yanchor="top",
            font={"size": 11},
            hovertext=f"Here the learning rate is multiplied by {plain(factor)}",
        )


def _numbers(across: str) -> dict[str, str]:
    return {"tickformat": ","} if across == "step" else {}


def _shown(axis: PlotAxis) -> dict[str, Any]:
    """Return an axis that shows just its part, as what plotly finds by itself: a zoom then outlasts another part."""
    edges = [10**edge if axis.log else edge for edge in (axis.low, axis.high)]
    options = {"clipmin": edges[0], "clipmax": edges[1], "include": edges}
    return {"type": "log" if axis.log else "linear", "autorangeoptions": options}


def _axis(values: Sequence[Array], log: bool, room: float) -> PlotAxis:
    """Return an axis on which all finite values are, with some room around them."""
    every = np.concatenate([np.empty(0), *values])
    every = every[np.isfinite(every) & ((every > 0) | (not log))]
    if not len(every):
        return PlotAxis(0.0, 1.0, log)
    low, high = (float(value) for value in (every.min(), every.max()))
    if log:
        low, high = np.log10(low), np.log10(high)
    span = (high - low) or abs(high) or 1.0
    return PlotAxis(float(low - max(room, 0.01) * span), float(high + max(room, 0.01) * span), log)


def _trace(x: Array, y: Array, line_style: LineStyle, **more: Any) -> dict[str, Any]:
    line = {"color": line_style.color, "dash": line_style.dash, "width": line_style.width}
    mode = "lines+markers" if np.isfinite(y).sum() < 40 else "lines"
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": mode,
        "line": line,
        "marker": {"size": 5, "color": line_style.color},
        "connectgaps": False,
        **more,
    }


def _behind(line: Line) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    if line.band is not None and len(line.band[0]):
        x, y = _outline(*line.band)
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "none",
                "fill": "toself",
                "fillcolor": line.line_style.color,
                "opacity": 0.16,
                "hoverinfo": "skip",
            }
        )
    for x, y in line.behind:
        faint = _trace(x, y, LineStyle(line.line_style.color, "solid", 1.0), opacity=0.3, hoverinfo="skip")
        traces.append(faint | {"mode": "lines"})
    return traces


def _outline(x: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """Return a band's outline, one closed part for each stretch in which both edges are finite, NaN between them."""
    finite = np.isfinite(low) & np.isfinite(high)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], finite.astype(np.int8), [0]])))
    across, up = [], []
    for begin, end in zip(edges[::2], edges[1::2]):
        part = slice(begin, end)
        across += [x[part], x[part][::-1], [np.nan]]
        up += [low[part], high[part][::-1], [np.nan]]
    return np.concatenate([np.empty(0), *across]), np.concatenate([np.empty(0), *up])


def _broken(line: Line, across: str) -> list[dict[str, Any]]:
    x, y = line.broken
    if not len(x):
        return []
    return [
        {
            "type": "scatter",
            "x": x,
            "y": y,
            "mode": "markers",
            "cliponaxis": False,
            "marker": {"symbol": "x-thin", "size": 11, "line": {"width": 2.5, "color": line.line_style.color}},
            "hovertemplate": f"<b>{_safe(line.label)}</b><br>not a number from {_safe(across)} %{{x:,}} on"
            "<extra></extra>",
        }
    ]


def _labels(
    lines: Sequence[Line], shown: Mapping[str, str], across: PlotAxis, up: PlotAxis, beside: float
) -> list[dict[str, Any]]:
    ends, drawn, kept = [], [], []
    for line in lines:
        with np.errstate(invalid="ignore", divide="ignore"):
            x, y = across.coordinate(line.x), up.coordinate(line.y)
        finite = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        if not len(finite):
            continue
        px = (x[finite] - across.low) / (across.high - across.low) * SIZE[0]
        py = (up.high - y[finite]) / (up.high - up.low) * SIZE[1]
        drawn.append(np.stack([px, py], axis=1))
        ends.append((float(x[finite[-1]]), float(y[finite[-1]])))
        kept.append(line)
    frame = SIZE[0] + beside, SIZE[1]
    texts = [shown[line.label] for line in kept]
    anchors = labels.arrange([tuple(each[-1]) for each in drawn], texts, drawn, frame)
    return [
        {
            "x": x,
            "y": y,
            "ax": anchor.dx,
            "ay": anchor.dy,
            "text": _safe(text),
            "hovertext": _safe(line.label),
            "font": {"color": line.line_style.color},
            "xanchor": anchor.anchor,
            "showarrow": True,
            "arrowhead": 0,
            "arrowwidth": 1,
            "arrowcolor": line.line_style.color,
            "standoff": 4,
        }
        for (x, y), anchor, text, line in zip(ends, anchors, texts, kept)
    ]


def shortened(names: Sequence[str]) -> list[str]:
    """Return labels that fit: names cut at their end, or, where they would then be equal, what they differ in.

    Example:
        >>> from fop_core.figures.training_curves import shortened
        >>> shortened(["FOP", "a very long name of a run", "momentum, learning rate 1", "momentum, learning rate 2"])
        ['FOP', 'a very long nam…', '…1', '…2']
    """
    cut = list(map(_short, names))
    for text in {text for text in cut if cut.count(text) > 1}:
        indices = [index for index, each in enumerate(cut) if each == text]
        alike = takewhile(lambda signs: len(set(signs)) == 1, zip(*(names[index] for index in indices)))
        common = "".join(signs[0] for signs in alike)
        begin = len(re.split(r"(?:\d+\.)?\d*$|[^\W_]*$", common)[0])  # of the word or number in which they part
        for index in indices:
            if begin and len(names[index]) > LONGEST:
                cut[index] = _short(f"…{names[index][begin:]}")
    return cut


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def _safe(text: str) -> str:
    """Return a text that plotly shows as it is: it reads some HTML, and %{...} when hovering."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("%", "&#37;")
