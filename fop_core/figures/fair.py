"""Steps against the learning rate, for a race in which each optimizer may have its best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, labels, style
from fop_core.figures.curves import PlotAxis

Array = np.ndarray


@dataclass(frozen=True)
class RuleRates:
    """A rule over learning rates.

    Attributes:
        rule: key of ``style.METHODS``.
        rates: ascending [n].
        steps: to tolerance, [n]; NaN where it did not converge.
        race_rate: the rate that it has in the race.
        best: one of ``rates``, or None where it never converges.
        note: of the best, for hovering.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.fair import RuleRates
        >>> rates, steps = np.array([0.01, 0.1, 1.0]), np.array([414.0, 44.0, np.nan])
        >>> RuleRates("sgd", rates, steps, race_rate=0.005, best=0.1).best
        0.1
    """

    rule: str
    rates: Array
    steps: Array
    race_rate: float
    best: float | None
    note: str = ""


def rates(sweeps: Sequence[RuleRates], key: str = "") -> go.Figure:
    """Return steps to tolerance against the learning rate, both logarithmic; symbols at the best, rings at the race's.

    Args:
        sweeps: drawn in the order of ``style.METHODS``.
        key: of the zoom.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.fair import RuleRates, rates
        >>> from toy_functions import presets
        >>> from toy_functions.tuning import sweep
        >>> tried = sweep(presets.PAPER_BOOTH, np.array([0.01, 0.1, 1.0]))["SGD"]
        >>> figure = rates([RuleRates("sgd", tried.rates, tried.converged_steps, 0.005, tried.best)])
        >>> [note.text for note in figure.layout.annotations]
        ['SGD 44 at 0.1']
    """
    order = list(style.METHODS)
    shown = sorted(sweeps, key=lambda each: order.index(each.rule))
    known = [each for each in shown if each.best is not None]
    spans = [each.rates[np.isfinite(each.steps)] for each in known]
    counts = [each.steps[np.isfinite(each.steps)] for each in known]
    low, high = (math.log10(f(map(f, spans))) for f in (min, max)) if spans else (-3.0, 0.0)
    few, many = (math.log10(max(1.0, f(map(f, counts)))) for f in (min, max)) if counts else (0.0, 1.0)
    across = PlotAxis(low - 0.05 * (high - low) - 0.05, high + 0.05 * (high - low) + 0.05, log=True)
    up = PlotAxis(few - 0.2 * max(many - few, 0.5), many + 0.1 * max(many - few, 0.5), log=True)
    traces: list[dict[str, Any]] = []
    lines, texts, tops, ends = [], [], [], []
    for each in known:
        method = style.METHODS[each.rule]
        assert each.best is not None
        best = each.rates.tolist().index(each.best)
        template = f"<b>{method.name}</b> at ε = %{{x:.3~g}}<br>%{{y:,}} steps<extra></extra>"
        line_style = {"color": method.color, "dash": method.dash, "width": method.width}
        whose = {"legendgroup": each.rule}
        traces.append(
            {"type": "scatter", "mode": "lines", "x": each.rates, "y": each.steps}
            | {"line": line_style, "hovertemplate": template}
            | whose
        )
        mark = {"symbol": method.symbol, "size": 11, "color": method.color, "line": {"width": 1}}
        traces.append(
            {"type": "scatter", "mode": "markers", "x": [each.rates[best]], "y": [each.steps[best]], "marker": mark}
            | {"hovertemplate": template.replace("<extra>", f"{'<br>' * bool(each.note)}{each.note}<extra>")}
            | {"meta": "step"}
            | whose
        )
        at = int(np.argmin(np.abs(np.log(each.rates) - math.log(max(each.race_rate, 1e-300)))))
        if np.isfinite(each.steps[at]):
            ring = {"symbol": "circle-open", "size": 10, "color": method.color, "line": {"width": 2}}
            traces.append(
                {"type": "scatter", "mode": "markers", "x": [each.rates[at]], "y": [each.steps[at]], "marker": ring}
                | {"hovertemplate": template}
                | whose
            )
        good = np.isfinite(each.steps)
        points = np.stack([across.share(each.rates[good]), 1 - up.share(each.steps[good])], axis=1)
        lines.append(points * curves.SIZE)
        tops.append((math.log10(each.best), math.log10(max(float(each.steps[best]), 1.0))))
        ends.append(tuple(lines[-1][int(good[:best].sum())]))
        texts.append(f"{method.name} {int(each.steps[best]):,} at {style.plain(each.rates[best])}")
    anchors = labels.arrange(ends, texts, lines, curves.SIZE)
    layout = {
        **curves.common(key),
        "xaxis": {"title": {"text": "learning rate ε"}, "showgrid": False, "exponentformat": "e", "dtick": 1}
        | across.settings(),
        "yaxis": {"title": {"text": "steps to tolerance"}, "tickformat": ",", "dtick": 1} | up.settings(),
        "annotations": [
            curves.label(each.rule, text, at, anchor) for each, text, at, anchor in zip(known, texts, tops, anchors)
        ],
    }
    return go.Figure(traces, layout)
