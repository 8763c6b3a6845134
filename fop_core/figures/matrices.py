"""Several matrices of one size beside each other, in plotly: blue below 0, orange above, one range for a row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fop_core.figures import curves
from fop_core.figures.style import number

Array = np.ndarray

COLORS = ((0.0, "#2A62C4"), (0.5, "#FFFFFF"), (1.0, "#D9541E"))
GAP = 0.012  # of the picture's width, between two matrices
HEAD = 0.13  # of a row's height, for what stands above it


def grid(rows: Mapping[str, Sequence[Array]], titles: Sequence[str], key: str = "") -> go.Figure:
    """Return rows of matrices, each row in one fixed range of colours around 0, which is printed.

    Args:
        rows: what a row shows, and its matrices, each [n, m].
        titles: of the columns.
        key: of the zoom.

    Raises:
        ValueError: where a row has not a matrix for each title.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.matrices import grid
        >>> figure = grid({"P": [np.eye(9), 0.5 * np.eye(9)]}, ["step 0", "step 100"])
        >>> len(figure.data), [each.text for each in figure.layout.annotations]
        (2, ['step 0', 'step 100', 'P, colours from −1.00 to 1.00'])
    """
    for what, matrices in rows.items():
        if len(matrices) != len(titles):
            raise ValueError(f"{what} has {len(matrices)} matrices for {len(titles)} titles")
    traces: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    notes: list[dict[str, Any]] = []
    wide, high = (1 + GAP) / len(titles), 1 / len(rows)
    for row, (what, matrices) in enumerate(rows.items()):
        limit = (
            max((float(np.abs(matrix[np.isfinite(matrix)]).max(initial=0)) for matrix in matrices), default=0) or 1.0
        )
        top = 1 - row * high
        for column, (matrix, title) in enumerate(zip(matrices, titles)):
            name = "" if not traces else str(len(traces) + 1)
            left = column * wide
            hidden = {"visible": False, "constrain": "domain"}
            axes[f"xaxis{name}"] = hidden | {"domain": [left, min(left + wide - GAP, 1.0)], "anchor": f"y{name}"}
            axes[f"yaxis{name}"] = hidden | {
                "domain": [top - high * (1 - HEAD) + 0.01, top - high * HEAD],
                "anchor": f"x{name}",
                "scaleanchor": f"x{name}",
                "autorange": "reversed",
            }
            traces.append(
                {
                    "type": "heatmap",
                    "z": matrix,
                    "zmin": -limit,
                    "zmax": limit,
                    "colorscale": COLORS,
                    "showscale": False,
                    "xaxis": f"x{name}",
                    "yaxis": f"y{name}",
                    "hovertemplate": f"{title}<br>row %{{y}}, column %{{x}}: %{{z:.3f}}<extra></extra>",
                }
            )
            if row == 0:
                notes.append(_note(title, left + (wide - GAP) / 2, 1.0, "center", "top"))
        bottom = top - high
        notes.append(_note(f"{what}, colours from {number(-limit)} to {number(limit)}", 0.0, bottom, "left", "bottom"))
    return go.Figure(
        traces, {**curves.common(key), "margin": {"l": 4, "r": 4, "t": 4, "b": 4}, "annotations": notes} | axes
    )


def _note(text: str, x: float, y: float, across: str, up: str) -> dict[str, Any]:
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": "paper",
        "yref": "paper",
        "xanchor": across,
        "yanchor": up,
        "showarrow": False,
        "font": {"size": 12},
    }
