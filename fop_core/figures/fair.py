"""Steps against the learning rate, for a race in which each optimizer may have its best."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves, labels, style
from fop_core.figures.curves import Axis

Array = np.ndarray


@dataclass(frozen=True)
class Rates:
    """A rule over learning rates.

    Attributes:
        rule: key of ``style.METHODS``.
        rates: ascending [n].
        steps: to tolerance, [n]; NaN where it did not converge.
        given: the rate that it has in the race.
    """

    rule: str
    rates: Array
    steps: Array
    given: float

    @property
    def best(self) -> int | None:
        """The index of the fewest steps; None where it never converges."""
        return int(np.nanargmin(self.steps)) if np.isfinite(self.steps).any() else None


def rates(found: Sequence[Rates], key: str = "") -> go.Figure:
    """Return steps to tolerance against the learning rate, both logarithmic; symbols at the best, rings at the given.

    Args:
        found: drawn in the order of ``style.METHODS``.
        key: of the zoom.
    """
    order = list(style.METHODS)
    shown = sorted(found, key=lambda each: order.index(each.rule))
    known = [each for each in shown if each.best is not None]
    spans = [each.rates[np.isfinite(each.steps)] for each in known]
    counts = [each.steps[np.isfinite(each.steps)] for each in known]
    low, high = (math.log10(f(map(f, spans))) for f in (min, max)) if spans else (-3.0, 0.0)
    few, many = (math.log10(max(1.0, f(map(f, counts)))) for f in (min, max)) if counts else (0.0, 1.0)
    across = Axis(low - 0.05 * (high - low) - 0.05, high + 0.05 * (high - low) + 0.05, log=True)
    up = Axis(few - 0.2 * max(many - few, 0.5), many + 0.1 * max(many - few, 0.5), log=True)
    traces: list[dict[str, Any]] = []
    lines, texts, tops = [], [], []
    for each in known:
        method = style.METHODS[each.rule]
        best = each.best
        assert best is not None
        told = f"<b>{method.name}</b> at ε = %{{x:.3~g}}<br>%{{y:,}} steps<extra></extra>"
        look = {"color": method.color, "dash": method.dash, "width": method.width}
        traces.append(
            {"type": "scatter", "mode": "lines", "x": each.rates, "y": each.steps, "line": look, "hovertemplate": told}
        )
        mark = {"symbol": method.symbol, "size": 11, "color": method.color, "line": {"width": 1}}
        traces.append(
            {"type": "scatter", "mode": "markers", "x": [each.rates[best]], "y": [each.steps[best]], "marker": mark}
            | {"hovertemplate": told, "meta": "step"}
        )
        at = int(np.argmin(np.abs(np.log(each.rates) - math.log(max(each.given, 1e-300)))))
        if np.isfinite(each.steps[at]):
            ring = {"symbol": "circle-open", "size": 10, "color": method.color, "line": {"width": 2}}
            traces.append(
                {"type": "scatter", "mode": "markers", "x": [each.rates[at]], "y": [each.steps[at]], "marker": ring}
                | {"hovertemplate": told}
            )
        good = np.isfinite(each.steps)
        place = np.stack([across.share(each.rates[good]), 1 - up.share(each.steps[good])], axis=1)
        lines.append(place * curves.SIZE)
        tops.append((each, (math.log10(each.rates[best]), math.log10(max(each.steps[best], 1.0)))))
        texts.append(f"{method.name} {int(each.steps[best]):,} at {style.plain(each.rates[best])}")
    ends = [
        (across_share * curves.SIZE[0], up_share * curves.SIZE[1]) for across_share, up_share in _ends(tops, across, up)
    ]
    places = labels.place(ends, texts, lines, curves.SIZE)
    layout = {
        "template": style.TEMPLATE,
        "showlegend": False,
        "uirevision": key,
        "hovermode": "closest",
        "dragmode": "zoom",
        "xaxis": {"title": {"text": "learning rate ε"}, "showgrid": False, "exponentformat": "e", "dtick": 1}
        | across.settings(),
        "yaxis": {"title": {"text": "steps to tolerance"}, "tickformat": ",", "dtick": 1} | up.settings(),
        "annotations": [
            _label(style.METHODS[each.rule], text, at, place) for (each, at), text, place in zip(tops, texts, places)
        ],
    }
    return go.Figure(traces, layout)


def _ends(tops: Sequence[tuple[Rates, tuple[float, float]]], across: Axis, up: Axis) -> list[tuple[float, float]]:
    return [
        ((x - across.low) / (across.high - across.low), 1 - (y - up.low) / (up.high - up.low)) for _, (x, y) in tops
    ]


def _label(method: style.Method, text: str, at: tuple[float, float], place: labels.Place) -> dict[str, Any]:
    return {
        "x": at[0],
        "y": at[1],
        "ax": place.dx,
        "ay": place.dy,
        "text": text,
        "font": {"color": method.color},
        "xanchor": place.anchor,
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": method.color,
        "standoff": 4,
    }
