"""The grid of the paper's Figure 4a: a result over two settings with a method, without it, and the difference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from fop_core.figures import curves, print_style
from fop_core.figures.studies.drawing import INK, LOST, MUTED, Array, AxisScale, over_seeds, safe, shown
from fop_core.figures.training_curves import named

SEQUENTIAL = ("#E4ECF8", "#7FA3DC", "#1B4A9C")
DIVERGING = ("#2A62C4", "#FFFFFF", "#D9541E")
"""Blue, white, orange: 0 in the middle, as matrices have it; orange is better with the method."""
HATCHED = "#DADDE2"
LARGEST = 12  # cells along a side that have their number written in them
INSIDE = 0.46  # half a side of an outline, which a cell's own colour surrounds


class DrawnCell(NamedTuple):
    """A cell of a grid as it is drawn.

    Attributes:
        row: from below.
        column: from the left.
        color: of it; None for nothing, a gap.
        texts: what stands in it, line by line.
        hover: what it says when pointed at, line by line.
        lost: whether it is hatched.
        outline: "better" | "worse" by one standard deviation | "".

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Grids, AxisScale
        >>> rates, momenta = AxisScale("learning rate", (0.01, 0.1)), AxisScale("momentum", (0.9,))
        >>> fop, momentum = np.array([[[0.96, 0.97], [np.inf, 0.95]]]), np.array([[[0.94, 0.95], [0.94, 0.95]]])
        >>> grids = Grids(momenta, rates, fop, momentum)
        >>> [(cell.texts, cell.outline, cell.lost) for cell in grids.panels()[2].cells]
        [(('+2.00',), 'better', False), (('✕ with',), '', True)]
    """

    row: int
    column: int
    color: str | None
    texts: tuple[str, ...]
    hover: tuple[str, ...]
    lost: bool = False
    outline: str = ""


@dataclass(frozen=True)
class GridPanel:
    """One of the three grids.

    Attributes:
        title: above it.
        cells: those that are not gaps.
        values: means or differences, [r, c]; NaN where there is none to be coloured.
        limits: values that the ends of the colours stand for.
        colors: of the lowest, the middle and the highest.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Grids, AxisScale
        >>> rates, momenta = AxisScale("learning rate", (0.01, 0.1)), AxisScale("momentum", (0.9,))
        >>> grids = Grids(momenta, rates, np.array([[[0.96], [0.95]]]), np.array([[[0.94], [0.95]]]))
        >>> [(panel.title, panel.values.round(2).tolist()) for panel in grids.panels()]
        [('FOP, %', [[0.96, 0.95]]), ('Momentum, %', [[0.94, 0.95]]), ('Difference, points', [[0.02, 0.0]])]
    """

    title: str
    cells: tuple[DrawnCell, ...]
    values: Array
    limits: tuple[float, float]
    colors: tuple[str, str, str]


@dataclass(frozen=True)
class Grids:
    """Three grids. The rows' and columns' first values are at the lower left.

    A cell of which a seed diverged is hatched and has no colour: a mean of the seeds that are left would flatter it.

    Attributes:
        rows: the setting upwards.
        columns: the setting across.
        with_: results with the method, [r, c, seeds]; NaN is not there yet, infinity diverged.
        without: those of the baseline, likewise; seeds of one index are one seed.
        methods: which these are.
        up: what the result is.
        percent: whether results are fractions.
        higher: whether a larger one is better.
        lost: what an infinite result is.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.studies import Grids, AxisScale
        >>> rates, momenta = AxisScale("learning rate", (0.01, 0.1)), AxisScale("momentum", (0.9,))
        >>> fop, momentum = np.array([[[0.96, 0.97], [0.95, 0.95]]]), np.array([[[0.94, 0.95], [0.95, 0.96]]])
        >>> grids = Grids(momenta, rates, fop, momentum)  # [rows, columns, seeds]
        >>> grids.alt
        'held-out accuracy by momentum and learning rate: FOP, Momentum, and the difference'
        >>> list(grids.screens()), grids.paper().axes[0].get_title()
        (['FOP, %', 'Momentum, %', 'Difference, points'], 'FOP, %')
    """

    rows: AxisScale
    columns: AxisScale
    with_: Array
    without: Array
    methods: tuple[str, str] = ("fop", "momentum")
    up: str = "held-out accuracy"
    percent: bool = True
    higher: bool = True
    lost: str = "diverged"

    def __post_init__(self) -> None:
        sides = len(self.rows.values), len(self.columns.values)
        for name, values in (("with_", self.with_), ("without", self.without)):
            if values.ndim != 3 or values.shape[:2] != sides:
                raise ValueError(f"{name} has the shape {list(values.shape)}: give [{sides[0]}, {sides[1]}, seeds]")

    @property
    def alt(self) -> str:
        """What they show, in words."""
        one, other = map(named, self.methods)
        return f"{self.up} by {self.rows.label} and {self.columns.label}: {one}, {other}, and the difference"

    def better(self) -> Array:
        """Return how cells differ, [r, c]: 1 where the method is better by more than one std, −1 where worse, else 0.

        The std is the larger of both methods' over seeds; without two seeds of each there is none. Nor is one compared
        of which a seed diverged.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Grids, AxisScale
            >>> rates, momenta = AxisScale("learning rate", (0.01, 0.1)), AxisScale("momentum", (0.9,))
            >>> fop, momentum = np.array([[[0.96, 0.97], [0.95, 0.95]]]), np.array([[[0.94, 0.95], [0.95, 0.96]]])
            >>> Grids(momenta, rates, fop, momentum).better()  # better at 0.01; at 0.1 within one deviation
            array([[1, 0]])
        """
        ours, theirs = over_seeds(self.with_), over_seeds(self.without)
        gain = (ours.mean - theirs.mean) * (1 if self.higher else -1)
        std = np.fmax(ours.std, theirs.std)
        whole = (ours.n > 1) & (theirs.n > 1) & (ours.lost == 0) & (theirs.lost == 0)
        with np.errstate(invalid="ignore"):
            return np.where(whole & (np.abs(gain) > std), np.sign(gain), 0).astype(int)

    def panels(self) -> tuple[GridPanel, GridPanel, GridPanel]:
        """Return the three grids: with, without, difference.

        Example:
            >>> import numpy as np
            >>> from fop_core.figures.studies import Grids, AxisScale
            >>> rates, momenta = AxisScale("learning rate", (0.01,)), AxisScale("momentum", (0.9,))
            >>> panels = Grids(momenta, rates, np.array([[[0.96, 0.98]]]), np.array([[[0.94, 0.95]]])).panels()
            >>> [panel.cells[0].texts for panel in panels]
            [('97.00', '±1.41'), ('94.50', '±0.71'), ('+2.50',)]
        """
        both = [np.where(each.lost == 0, each.mean, np.nan) for each in map(over_seeds, (self.with_, self.without))]
        finite = np.concatenate([each[np.isfinite(each)] for each in both])
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        limits = (low, high) if high > low else (low - 0.5, high + 0.5)
        difference = both[0] - both[1]
        far = float(np.nanmax(np.abs(difference), initial=0.0)) or 1.0
        names = [named(method) + (", %" if self.percent else "") for method in self.methods]
        title = "Difference, points" if self.percent else "Difference"
        return (
            GridPanel(names[0], tuple(self._of(self.with_, both[0], limits)), both[0], limits, SEQUENTIAL),
            GridPanel(names[1], tuple(self._of(self.without, both[1], limits)), both[1], limits, SEQUENTIAL),
            GridPanel(title, tuple(self._differences(difference, far)), difference, (-far, far), DIVERGING),
        )

    def _of(self, values: Array, means: Array, limits: tuple[float, float]) -> Iterator[DrawnCell]:
        of = over_seeds(values)
        for i, j in np.ndindex(means.shape):
            n, lost = int(of.n[i, j]), int(of.lost[i, j])
            if not n + lost:
                continue
            hover = [f"n = {n + lost}"]
            if lost:
                hover += [f"{self.lost}: {lost} of {n + lost}"]
                hover += [f"the others: {shown(float(of.mean[i, j]), self.percent)}"] if n else []
                yield DrawnCell(i, j, HATCHED, (f"{LOST} {lost} of {n + lost}",), tuple(hover), True)
                continue
            texts = [shown(float(of.mean[i, j]), self.percent)]
            if n > 1:
                texts.append(f"±{shown(float(of.std[i, j]), self.percent)}")
            hover.insert(0, f"{self.up}: {' '.join(texts)}")
            yield DrawnCell(i, j, _color(float(means[i, j]), limits, SEQUENTIAL), tuple(texts), tuple(hover))

    def _differences(self, difference: Array, far: float) -> Iterator[DrawnCell]:
        ours, theirs = over_seeds(self.with_), over_seeds(self.without)
        better = self.better()
        one, other = map(named, self.methods)
        for i, j in np.ndindex(difference.shape):
            n = ours.n[i, j] + ours.lost[i, j], theirs.n[i, j] + theirs.lost[i, j]
            if not all(n):
                continue
            hover = [f"n = {n[0]} and {n[1]}"]
            lost = int(ours.lost[i, j]), int(theirs.lost[i, j])
            if any(lost):
                hover += [f"{self.lost}: {one} {lost[0]} of {n[0]}, {other} {lost[1]} of {n[1]}"]
                which = "both" if all(lost) else "with" if lost[0] else "without"
                yield DrawnCell(i, j, HATCHED, (f"{LOST} {which}",), tuple(hover), True)
                continue
            text = shown(float(difference[i, j]), self.percent, signed=True)
            outline = {1: "better", -1: "worse"}.get(int(better[i, j]), "")
            hover.insert(0, f"{one} less {other}: {text}")
            if outline:
                hover.append(f"{outline} by more than one standard deviation")
            color = _color(float(difference[i, j]) * (1 if self.higher else -1), (-far, far), DIVERGING)
            yield DrawnCell(i, j, color, (text,), tuple(hover), outline=outline)

    def screens(self) -> dict[str, go.Figure]:
        """Return plotly figures of the three, by their titles."""
        return {panel.title: self._screen(panel) for panel in self.panels()}

    def _screen(self, panel: GridPanel) -> go.Figure:
        r, c = panel.values.shape
        small = max(r, c) <= LARGEST
        rows, columns = self.rows.texts, self.columns.texts
        where = [
            f"{self.rows.label} {rows[cell.row]}, {self.columns.label} {columns[cell.column]}" for cell in panel.cells
        ]
        points = {
            "type": "scatter",
            "mode": "markers",
            "x": [cell.column for cell in panel.cells],
            "y": [cell.row for cell in panel.cells],
            "marker": {"size": 24, "opacity": 0, "symbol": "square"},
            "text": ["<br>".join(map(safe, (at, *cell.hover))) for at, cell in zip(where, panel.cells)],
            "customdata": [[cell.row, cell.column] for cell in panel.cells],
            "hovertemplate": "%{text}<extra></extra>",
        }
        shapes = [shape for cell in panel.cells for shape in _shapes(cell)]
        notes = [_note(cell) for cell in panel.cells] if small else []
        layout = {
            **curves.common(f"{self.alt} {panel.title}"),
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": _axis(self.columns, c),
            "yaxis": _axis(self.rows, r),
            "shapes": shapes,
            "annotations": notes,
        }
        return go.Figure([points], layout)

    def paper(self) -> Figure:
        """Return all three beside each other, for print."""
        r, c = len(self.rows.values), len(self.columns.values)
        left, gap, above, below = 0.62, 0.16, 0.24, 0.5
        wide = (print_style.WIDTH - left - 2 * gap - 0.06) / 3
        high = min(max(wide * r / max(c, 1), 0.5), 3.2)
        with print_style.applied():
            figure = print_style.blank(print_style.WIDTH, high + above + below)
            for index, panel in enumerate(self.panels()):
                box = left + index * (wide + gap), below, wide, high
                width, height = figure.get_size_inches()
                axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
                self._print(axes, panel)
                axes.set_title(print_style.literal(panel.title), fontsize=9)
                axes.set_xlabel(print_style.literal(self.columns.label))
                if index:
                    axes.set_yticklabels([])
                else:
                    axes.set_ylabel(print_style.literal(self.rows.label))
        return figure

    def _print(self, axes: Axes, panel: GridPanel) -> None:
        r, c = panel.values.shape
        axes.set(xlim=(-0.5, c - 0.5), ylim=(-0.5, r - 0.5))
        axes.set_xticks(range(c), [print_style.literal(text) for text in self.columns.texts])
        axes.set_yticks(range(r), [print_style.literal(text) for text in self.rows.texts])
        axes.tick_params(length=0)
        axes.spines[:].set_color(MUTED)
        for cell in panel.cells:
            if cell.color is None:
                continue
            corner = cell.column - 0.5, cell.row - 0.5
            axes.add_patch(
                Rectangle(corner, 1, 1, facecolor=cell.color, edgecolor=MUTED, linewidth=0, hatch="///" * cell.lost)
            )
            if cell.outline:
                corner = cell.column - INSIDE, cell.row - INSIDE
                line = "solid" if cell.outline == "better" else (0, (2, 1.5))
                axes.add_patch(
                    Rectangle(corner, 2 * INSIDE, 2 * INSIDE, fill=False, edgecolor=INK, linewidth=1.3, linestyle=line)
                )
            if max(r, c) <= LARGEST:
                size = min(7.5, 60 / max(c, 1) / max(map(len, cell.texts)) * 2.0)
                back = {"facecolor": HATCHED, "edgecolor": "none", "pad": 0.6} if cell.lost else None
                axes.text(
                    cell.column,
                    cell.row,
                    "\n".join(cell.texts),
                    fontsize=size,
                    fontfamily="DejaVu Sans" if cell.lost else "STIXGeneral",
                    color=_ink(cell.color),
                    ha="center",
                    va="center",
                    bbox=back,
                )


def _axis(scale: AxisScale, count: int) -> dict[str, Any]:
    return {
        "title": {"text": safe(scale.label)},
        "range": [-0.5, count - 0.5],
        "tickvals": list(range(count)),
        "ticktext": [safe(text) for text in scale.texts],
        "showgrid": False,
        "tickangle": 0,
    }


def _shapes(cell: DrawnCell) -> list[dict[str, Any]]:
    """Return a cell's area, and over it its hatching or outline."""
    x, y = cell.column, cell.row
    area = {"type": "rect", "x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5, "layer": "below"}
    shapes: list[dict[str, Any]] = [area | {"fillcolor": cell.color, "line": {"width": 0}}]
    if cell.lost:
        corners = [((-0.5, at), (-at, 0.5)) for at in (0.0, 0.25, -0.25)] + [
            ((at, -0.5), (0.5, -at)) for at in (0.0, 0.25)
        ]
        path = " ".join(f"M{x + a},{y + b}L{x + e},{y + f}" for (a, b), (e, f) in corners)
        line = {"width": 1, "color": MUTED}
        shapes.append({"type": "path", "path": path, "line": line, "layer": "below"})
    if cell.outline:
        inner = {"x0": x - INSIDE, "x1": x + INSIDE, "y0": y - INSIDE, "y1": y + INSIDE}
        dash = "solid" if cell.outline == "better" else "4px,3px"
        shapes.append({"type": "rect", **inner, "line": {"width": 2.5, "color": INK, "dash": dash}, "layer": "below"})
    return shapes


def _note(cell: DrawnCell) -> dict[str, Any]:
    assert cell.color is not None
    first, *others = map(safe, cell.texts)
    return {
        "x": cell.column,
        "y": cell.row,
        "text": "<br>".join([first, *(f"<span style='font-size:11px'>{text}</span>" for text in others)]),
        "font": {"color": _ink(cell.color), "size": 12},
        "bgcolor": HATCHED if cell.lost else "rgba(0,0,0,0)",
        "showarrow": False,
    }


def _color(value: float, limits: tuple[float, float], colors: tuple[str, str, str]) -> str:
    """Return the colour of a value between limits."""
    at = 2 * float(np.clip((value - limits[0]) / (limits[1] - limits[0]), 0, 1))
    below = min(int(at), 1)
    one, other = (_parts(colors[index]) for index in (below, below + 1))
    share = at - below
    return "#" + "".join(f"{round((1 - share) * a + share * b):02X}" for a, b in zip(one, other))


def _parts(color: str) -> tuple[int, int, int]:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _ink(color: str) -> str:
    """Return what a text on a colour is written in, black or white: one of them always has a contrast of 4.5."""
    parts = [part / 255 for part in _parts(color)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return "#FFFFFF" if float(np.dot(linear, (0.2126, 0.7152, 0.0722))) < 0.179 else "#000000"
