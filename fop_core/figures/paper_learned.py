"""What FOP learned, as figures for print: the paper's Figures 5a, 5b, 5c and A.1, and what else can be seen in a P.

    matrices          M or P through training, blue - white - orange                            Figure 5a
    ridges            histograms of its values through training, diagonal and off-diagonal      Figure 5b
    spectra           sorted eigenvalues of every layer                                         Figure 5c
    angles            between g and P g over steps, mean and range over seeds                   Figure A.1
    eigenvectors      of spatial P as pictures of k x k, with their eigenvalues
    eigenvalue_paths  each eigenvalue over training
    bands             any curves with a range around each                                       Figures 2 and 3

Arrays in, a figure out, 7 inches wide; ``print_style.save`` makes PNG, PDF or SVG of it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter

from fop_core.figures import print_style, style
from fop_core.figures.style import LIGHT

Array = np.ndarray
Series = tuple[Array, Array]
"""Steps, ascending, and values there, both [k]."""

NEGATIVE, POSITIVE, MISSING = "#2A62C4", "#D9541E", "#969696"
DIVERGING = LinearSegmentedColormap.from_list("diverging", [NEGATIVE, "#FFFFFF", POSITIVE], N=511).with_extremes(
    bad=MISSING
)
"""Of matrices, 0 in the middle; what is not finite is grey."""
DEPTH = LinearSegmentedColormap.from_list("depth", [NEGATIVE, "#8D4B8E", POSITIVE])
"""Of layers, from the first to the last."""
POSITIONS = "↖↑↗←•→↙↓↘"  # of a kernel of 3 x 3
MARKERS = "osD^vPX*p"
RIDGES = 20  # steps of which there is one
ACROSS = 9  # eigenvectors in a row
CHART = 2.6  # inches, the height of a figure of one chart
PANELS = 4  # small charts in a row


class Ridges(NamedTuple):
    """How values were distributed at some steps.

    Attributes:
        steps: ascending, [s].
        counts: [s, bins].
        edges: [bins + 1] for all steps, or [s, bins + 1].

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import Ridges
        >>> values = Ridges(np.array([0, 100]), counts=np.array([[9, 0], [5, 4]]), edges=np.array([0.0, 0.5, 1.0]))
        >>> values.counts.sum(1)
        array([9, 9])
    """

    steps: Array
    counts: Array
    edges: Array


@dataclass(frozen=True)
class BandedCurve:
    """A curve and what is around it. What is not finite is a gap.

    Attributes:
        label: at its end.
        x: [k].
        y: [k].
        low: [k], lower edge of what is around it; None for nothing.
        high: [k].
        color: of all of it.
        dash: as ``style`` has it.
        width: px.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import BandedCurve
        >>> steps, angles = np.array([0, 100]), np.array([10.0, 30.0])
        >>> BandedCurve("18.weight", steps, angles, low=angles - 2, high=angles + 2, color="#D9541E").high
        array([12., 32.])
    """

    label: str
    x: Array
    y: Array
    low: Array | None = None
    high: Array | None = None
    color: str = LIGHT.ink
    dash: str = "solid"
    width: float = 2.0


def matrices(
    rows: Mapping[str, Sequence[Array]],
    across: Sequence[str],
    *,
    kernel: tuple[int, int] | None = None,
    shared: bool = True,
) -> Figure:
    """Return matrices as pictures, such as one layer's P at some steps (Figure 5a), or all layers' at one.

    Args:
        rows: what a row is -> its matrices [n, m], as many in each.
        across: what each column is: "step 0", or a layer.
        kernel: (KH, KW) of spatial ones: rows KH apart are distinguished, and positions of 3 x 3 named.
        shared: whether one range of colours is for all rows, or each has its own. It is printed.

    Raises:
        ValueError: where a row has not as many as there are columns.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.figures import paper_learned, print_style
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> rows = {"18.weight": [layer.view("change", 0), layer.view("change", -1)]}
        >>> figure = paper_learned.matrices(rows, ["step 0", "step 5,865"], kernel=(3, 3))
        >>> print_style.save(figure, "pdf")[:5]
        b'%PDF-'
    """
    for name, row in rows.items():
        if len(row) != len(across):
            raise ValueError(f"{name!r} has {len(row)} matrices for {len(across)} columns")
    left, gap, bar, above, below = 0.52, 0.07, 0.62, 0.24, 0.2
    side = min(2.4, (print_style.WIDTH - left - bar) / max(len(across), 1) - gap)
    limits = {name: _largest(row) for name, row in rows.items()}
    if shared:
        limits = dict.fromkeys(limits, max(limits.values(), default=1.0))
    with print_style.applied():
        high = above + len(rows) * (side + gap) + below
        figure = print_style.blank(print_style.WIDTH, high)
        for i, (name, row) in enumerate(rows.items()):
            bottom = high - above - (i + 1) * side - i * gap
            for j, matrix in enumerate(row):
                axes = _axes(figure, left + j * (side + gap), bottom, side, side)
                _picture(axes, matrix, limits[name], kernel)
                if i == 0:
                    axes.set_title(print_style.literal(across[j]), fontsize=8, color=LIGHT.ink, pad=4)
                if j == 0:
                    _label_rows(axes, np.shape(matrix), kernel, side)
                    axes.set_ylabel(name, labelpad=3)
            if not shared or i == 0:
                tall = len(rows) * (side + gap) - gap if shared else side
                box = left + len(across) * (side + gap) + 0.04, bottom + side - min(tall, 2.4), 0.09, min(tall, 2.4)
                _bar(_axes(figure, *box), limits[name])
        return figure


def ridges(layers: Mapping[str, Mapping[str, Ridges]], across: str = "value") -> Figure:
    """Return histograms through training, from back to front, of each layer and kind of value (Figure 5b).

    A column is a layer; a row is a kind, such as the diagonal, with one axis for all layers. Each ridge is as high as
    its own largest bin: what is compared is where values are and how far apart, not how many they are. Of more than 20
    steps, 20 are shown.

    Args:
        layers: name -> kind -> histograms.
        across: what the values are of.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import Ridges, ridges
        >>> values = Ridges(np.array([0, 100]), np.array([[9, 0], [5, 4]]), np.array([0.0, 0.5, 1.0]))
        >>> figure = ridges({"18.weight": {"diagonal": values}}, across="value of P")
        >>> [axes.get_ylabel() for axes in figure.axes]
        ['diagonal']
    """
    kinds = list(dict.fromkeys(kind for by_kind in layers.values() for kind in by_kind))
    left, gap, above, below, tall, between = 0.62, 0.07, 0.24, 0.4, 1.75, 0.42
    wide = min(2.4, (print_style.WIDTH - left - 0.1) / max(len(layers), 1) - gap)
    colors = [POSITIVE, NEGATIVE, "#2A8C4D"]
    with print_style.applied():
        high = above + len(kinds) * (tall + between) - between + below
        figure = print_style.blank(print_style.WIDTH, high)
        for i, kind in enumerate(kinds):
            span = _span([_reach(by_kind[kind]) for by_kind in layers.values() if kind in by_kind])
            for j, (name, by_kind) in enumerate(layers.items()):
                box = left + j * (wide + gap), high - above - (i + 1) * tall - i * between, wide, tall
                axes = _axes(figure, *box)
                axes.spines[["left", "top", "right"]].set_visible(False)
                axes.set(xlim=span, yticks=[])
                axes.xaxis.set_major_locator(MaxNLocator(3 if wide < 1.5 else 5, steps=[1, 2, 5, 10]))
                axes.xaxis.set_major_formatter(lambda value, _: style.plain(round(value, 12)))
                if i == 0:
                    axes.set_title(print_style.literal(name), fontsize=8, color=LIGHT.ink, pad=4)
                if kind in by_kind:
                    _draw_ridges(axes, by_kind[kind], colors[i % len(colors)], named=j == 0)
                if j == 0:
                    axes.set_ylabel(kind, labelpad=4)
            figure.text(
                (left + len(layers) * (wide + gap) / 2) / print_style.WIDTH,
                (box[1] - 0.34) / high,
                across,
                ha="center",
                fontsize=9,
                color=LIGHT.ink,
            )
        return figure


def spectra(layers: Mapping[str, Array], *, log: bool = False, up: str = "eigenvalue of $P$") -> Figure:
    """Return the sorted eigenvalues of every layer, the largest first (Figure 5c).

    Args:
        layers: name -> eigenvalues [n]; where n differs, they are over their share of it.
        log: whether the axis is logarithmic; what is not above 0 is then not shown.
        up: what they are.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import spectra
        >>> figure = spectra({"0.weight": np.array([0.5, 1.5, 1.0]), "3.weight": np.array([0.1, 1.0, 2.0])})
        >>> figure.axes[0].lines[0].get_ydata()
        array([1.5, 1. , 0.5])
    """
    sizes = {len(values) for values in layers.values()}
    same = len(sizes) == 1
    with print_style.applied():
        figure, axes = _chart(1.2)
        for i, (name, values) in enumerate(layers.items()):
            y = np.sort(np.asarray(values, dtype=np.float64))[::-1]
            x = np.arange(1, len(y) + 1) if same else (np.arange(len(y)) + 0.5) / len(y)
            [line] = axes.plot(x, y, color=depth(i, len(layers)), linewidth=1.2, label=print_style.literal(name))
            if len(y) < 40:
                line.set(marker=MARKERS[i % len(MARKERS)], markersize=4.5, markeredgewidth=0.5)
                line.set_markeredgecolor(LIGHT.paper)
        _one(axes, 1.0)
        axes.set(xlabel="place, largest first" if same else "share of all, largest first", ylabel=up)
        if same and sizes and max(sizes) < 40:
            axes.set_xticks(range(1, max(sizes) + 1))
        _up(axes, log)
        if layers:
            axes.legend(
                loc="upper left", bbox_to_anchor=(1.02, 1.02), frameon=False, labelcolor=LIGHT.ink, handlelength=1.8
            )
        return figure


def angles(
    layers: Mapping[str, Sequence[Series]],
    *,
    bounds: Mapping[str, Series] | None = None,
    mark: float = 45.0,
    log: bool = False,
) -> Figure:
    """Return the angles between g and P g over steps in degrees: mean, and least to largest, over seeds (Figure A.1).

    Args:
        layers: name -> of each seed the angles; they count at the steps that all seeds have.
        bounds: name -> the largest angle by which its P can turn a vector, dashed.
        mark: an angle to compare with.
        log: whether the axis is logarithmic.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import angles
        >>> steps = np.array([0, 100])
        >>> seeds = [(steps, np.array([0.0, 30.0])), (steps, np.array([0.0, 40.0]))]
        >>> figure = angles({"18.weight": seeds})
        >>> figure.axes[0].lines[0].get_ydata()  # the mean over seeds
        array([ 0., 35.])
    """
    lines: list[BandedCurve] = []
    for i, (name, seeds) in enumerate(layers.items()):
        color = depth(i, len(layers))
        lines.append(over_seeds(name, seeds, color=color))
        if bounds and name in bounds:
            lines.append(BandedCurve(f"{name}, at most", *bounds[name], color=color, dash="2px,3px", width=1.5))
    return bands(
        lines, "step", "angle between $g$ and $Pg$, degrees", log=log, marks={mark: f"{mark:g}°"}, zero=not log
    )


def over_seeds(label: str, seeds: Sequence[Series], **style: Any) -> BandedCurve:
    """Return mean, least and largest over seeds, at the steps that all of them have.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import over_seeds
        >>> seeds = [(np.array([0, 50, 100]), np.array([0.0, 20.0, 30.0])), (np.array([0, 100]), np.array([0.0, 40.0]))]
        >>> band = over_seeds("18.weight", seeds)
        >>> band.x, band.y, band.low, band.high
        (array([  0, 100]), array([ 0., 35.]), array([ 0., 30.]), array([ 0., 40.]))
    """
    if not seeds:
        return BandedCurve(label, np.empty(0), np.empty(0), **style)
    steps = seeds[0][0]
    for other, _ in seeds[1:]:
        steps = np.intersect1d(steps, other)
    stacked = np.stack([values[np.isin(at, steps)] for at, values in seeds])
    several = len(seeds) > 1
    low, high = (stacked.min(0), stacked.max(0)) if several else (None, None)
    return BandedCurve(label, steps, stacked.mean(0), low, high, **style)


def bands(
    lines: Sequence[BandedCurve],
    across: str,
    up: str,
    *,
    log: bool = False,
    log_x: bool = False,
    percent: bool = False,
    zero: bool = False,
    marks: Mapping[float, str] | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """Return curves over one axis, each with its label at its end.

    Args:
        lines: the last is on top.
        across: title of the axis across.
        up: title of the axis up.
        log: whether that is logarithmic.
        log_x: whether the axis across is.
        percent: whether values are fractions, to be shown as percent.
        zero: whether the axis begins at 0.
        marks: heights to mark, and what they are.
        limits: of the axis up; those of the curves unless given.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import BandedCurve, bands
        >>> line = BandedCurve("FOP", np.array([1.0, 2.0, 3.0]), np.array([0.94, 0.96, 0.97]))
        >>> figure = bands([line], "epoch", "test accuracy", percent=True)
        >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
        ('epoch', 'test accuracy')
    """
    with print_style.applied():
        figure, axes = _chart(1.35)
        for line in lines:
            if line.low is not None and line.high is not None:
                axes.fill_between(line.x, line.low, line.high, color=line.color, alpha=0.16, linewidth=0)
        for line in lines:
            drawn = {
                "linestyle": print_style.dashes(line.dash),
                "linewidth": line.width * print_style.PX,
                "dash_capstyle": "butt",
            }
            axes.plot(line.x, line.y, color=line.color, **drawn)
        for height, text in (marks or {}).items():
            _one(axes, height)
            axes.annotate(text, (0, height), (3, 2), xycoords=axes.get_yaxis_transform(), textcoords="offset points")
            axes.texts[-1].set(color=LIGHT.muted, fontsize=7)
        axes.set(xlabel=across, ylabel=up)
        if log_x:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda value, _: style.plain(value))
            axes.xaxis.set_minor_locator(NullLocator())
        else:
            axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter(
                lambda at, _: f"{at:,.0f}" if at == round(at) else style.plain(round(at, 12))
            )
        axes.margins(x=0.01)
        across_all = np.concatenate([np.empty(0), *(line.x for line in lines)])
        if len(across_all) and not any(np.isfinite(line.y).any() for line in lines):
            axes.set_xlim(across_all.min() * 0.99, across_all.max() * 1.01)  # which what is not drawn cannot set
        _up(axes, log)
        if percent:
            axes.yaxis.set_major_formatter(lambda value, _: f"{style.plain(round(100 * value, 9))}%")
        if zero:
            axes.set_ylim(bottom=0)
        if limits:
            axes.set_ylim(*limits)
        _label_ends(axes, CHART - 0.53, lines)
        return figure


def eigenvectors(layers: Mapping[str, Array], kernel: tuple[int, int]) -> Figure:
    """Return the eigenvectors of spatial P as pictures of KH x KW, the largest eigenvalue first.

    A vector's sign is free: here its entries sum to 0 or more.

    Args:
        layers: name -> P [n, n], n = KH * KW.
        kernel: (KH, KW).

    Raises:
        ValueError: for a P that is not finite, or of another kernel.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.figures.paper_learned import eigenvectors
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> figure = eigenvectors({"18.weight": layer.P(-1)}, kernel=(3, 3))
        >>> [axes.get_xlabel() for axes in figure.axes[:9]]  # eigenvalues
        ['1.052', '1.040', '1.025', '0.990', '0.896', '0.727', '0.621', '0.212', '0.000']
    """
    n = math.prod(kernel)
    decompositions = {}
    for name, P in layers.items():
        P = np.asarray(P, dtype=np.float64)
        if P.shape != (n, n) or not np.isfinite(P).all():
            raise ValueError(f"P of {name} is {list(P.shape)}: a finite [{n}, {n}] is a kernel's of {kernel}")
        values, vectors = np.linalg.eigh((P + P.T) / 2)
        vectors = vectors * np.where(vectors.sum(0) < 0, -1, 1)
        decompositions[name] = values[::-1], vectors.T[::-1].reshape(n, *kernel)
    limit = _largest([pictures for _, pictures in decompositions.values()])
    left, gap, under, bar = 0.62, 0.1, 0.2, 0.62
    columns = min(n, ACROSS)
    side = min(1.2, (print_style.WIDTH - left - bar) / columns - gap)
    rows = math.ceil(n / columns)
    with print_style.applied():
        high = 0.08 + len(decompositions) * rows * (side + under)
        figure = print_style.blank(print_style.WIDTH, max(high, 0.5))
        for i, (name, (values, pictures)) in enumerate(decompositions.items()):
            for j, (value, picture) in enumerate(zip(values, pictures)):
                row, column = divmod(j, columns)
                bottom = high - 0.04 - (i * rows + row) * (side + under) - side
                axes = _axes(figure, left + column * (side + gap), bottom, side, side)
                _picture(axes, picture, limit, None)
                axes.set_xlabel(f"{value:.3f}".replace("-", "−"), fontsize=7, labelpad=2)
                if j == 0:
                    axes.set_ylabel(name, labelpad=3, fontsize=8)
        if decompositions:
            tall = min(2.4, side if high < 1.5 else high - under - 0.2)
            box = left + columns * (side + gap) + 0.04, high - 0.04 - tall, 0.09, tall
            _bar(_axes(figure, *box), limit)
        return figure


def eigenvalue_paths(
    layers: Mapping[str, tuple[Array, Array]], *, log: bool = False, up: str = "eigenvalue of $P$"
) -> Figure:
    """Return every eigenvalue over training, a small chart for each layer, all of one axis; 1 is plain descent.

    Args:
        layers: name -> steps [e] and eigenvalues [e, n], ascending.
        log: whether the axis is logarithmic; what is not above 0 is then not shown.
        up: what they are.

    Example:
        >>> import numpy as np
        >>> from fop_core.figures.paper_learned import eigenvalue_paths
        >>> paths = np.array([0, 100]), np.array([[1.0, 1.0], [0.5, 1.5]])
        >>> [axes.get_title() for axes in eigenvalue_paths({"18.weight": paths}).axes]
        ['18.weight']
    """
    left, gap, above, below, tall, between = 0.55, 0.12, 0.24, 0.42, 1.35, 0.36
    columns = min(max(len(layers), 1), PANELS)
    rows = math.ceil(len(layers) / columns)
    wide = (print_style.WIDTH - left - 0.12) / columns - gap
    every = [np.asarray(values, dtype=np.float64) for _, values in layers.values()]
    shown = [values[np.isfinite(values) & ((values > 0) | (not log))] for values in every]
    span = _span([(float(values.min()), float(values.max())) for values in [*shown, np.ones(1)] if values.size], log)
    with print_style.applied():
        high = max(above + rows * (tall + between) - between + below, 0.5)
        figure = print_style.blank(print_style.WIDTH, high)
        for at, (name, (steps, values)) in enumerate(layers.items()):
            row, column = divmod(at, columns)
            bottom = high - above - (row + 1) * tall - row * between
            axes = _axes(figure, left + column * (wide + gap), bottom, wide, tall)
            many = np.shape(values)[-1] > 40
            axes.plot(steps, values, color=POSITIVE, linewidth=0.3 if many else 0.9, alpha=0.4 if many else 1.0)
            _one(axes, 1.0)
            axes.set_title(print_style.literal(name), fontsize=8, color=LIGHT.ink, pad=4)
            axes.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.margins(x=0.01)
            _up(axes, log)
            axes.set_ylim(*span)
            if column:
                axes.set_yticklabels([])
            elif row == 0:
                axes.set_ylabel(up)
            if at + columns >= len(layers):
                axes.set_xlabel("step", labelpad=1)
            else:
                axes.set_xticklabels([])
        return figure


def depth(index: int, count: int) -> str:
    """Return the colour of a layer: blue of the first, orange of the last.

    Example:
        >>> from fop_core.figures.paper_learned import depth
        >>> [depth(index, 3) for index in range(3)]
        ['#2a62c4', '#8d4b8e', '#d9541e']
    """
    return to_hex(DEPTH(index / max(count - 1, 1)))


def blended(color: str, share: float) -> str:
    """Return a colour of which only a share is left on paper.

    Example:
        >>> from fop_core.figures.paper_learned import blended
        >>> blended("#000000", 0.5)
        '#808080'
    """
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(to_rgb(color), to_rgb(LIGHT.paper)))
    return to_hex((red, green, blue))


def _axes(figure: Figure, left: float, bottom: float, wide: float, high: float) -> Axes:
    """Return axes at a position in inches."""
    width, height = figure.get_size_inches()
    return figure.add_axes((left / width, bottom / height, wide / width, high / height))


def _chart(beside: float) -> tuple[Figure, Axes]:
    """Return a figure of one chart, with room beside it for what its lines are."""
    figure = print_style.blank(print_style.WIDTH, CHART)
    axes = _axes(figure, 0.68, 0.43, print_style.WIDTH - 0.68 - beside, CHART - 0.53)
    return figure, axes


def _up(axes: Axes, log: bool) -> None:
    """Give an axis up its scale, and a chart its quiet frame."""
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: style.plain(value))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.yaxis.set_major_formatter(lambda value, _: style.plain(round(value, 12)))
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color=LIGHT.grid, linewidth=0.5)


def _one(axes: Axes, height: float) -> None:
    axes.axhline(height, color=LIGHT.muted, linewidth=0.8, linestyle=(0, (1.2, 1.8)), zorder=1)


def _label_ends(axes: Axes, high: float, lines: Sequence[BandedCurve]) -> None:
    """Write what each line is to the right of it, no two over each other, beside axes of so many inches."""
    (left, right), (low, top) = axes.get_xlim(), axes.get_ylim()  # which also settles them
    log, log_x = axes.get_yscale() == "log", axes.get_xscale() == "log"
    if log:
        low, top = math.log10(low), math.log10(top)
    if log_x:
        left, right = math.log10(left), math.log10(right)
    ends = []
    for line in lines:
        finite = np.flatnonzero(np.isfinite(line.y) & ((line.y > 0) | (not log)))
        if len(finite):
            x, y = float(line.x[finite[-1]]), float(line.y[finite[-1]])
            across = math.log10(x) if log_x else x
            point = (across - left) / (right - left), ((math.log10(y) if log else y) - low) / (top - low)
            ends.append((point, line))
    heights = _spread([height for (_, height), _ in ends], 0.135 / high)
    for height, (end, line) in zip(heights, ends):
        beside: dict[str, Any] = {"transform": axes.transAxes, "color": line.color, "clip_on": False}
        axes.plot([end[0] + 0.004, 1.026], [end[1], height], linewidth=0.5, **beside)
        axes.text(1.03, height, print_style.literal(line.label), va="center_baseline", **beside)


def _spread(heights: Sequence[float], apart: float) -> list[float]:
    """Return heights in [0, 1] moved as little as makes them lie apart, in their order."""
    groups: list[list[int]] = []
    middles: list[float] = []

    def add(members: list[int]) -> None:
        half = min((len(members) - 1) / 2 * apart, 0.5)
        groups.append(members)
        middles.append(min(max(sum(heights[j] for j in members) / len(members), half), 1 - half))

    for i in np.argsort(heights, kind="stable"):
        add([int(i)])
        while len(groups) > 1 and middles[-1] - middles[-2] < apart * (len(groups[-1]) + len(groups[-2])) / 2:
            last, before = groups.pop(), groups.pop()
            del middles[-2:]
            add(before + last)
    spaced = [0.0] * len(heights)
    for middle, members in zip(middles, groups):
        for index, member in enumerate(members):
            spaced[member] = middle + (index - (len(members) - 1) / 2) * apart
    return spaced


def _largest(arrays: Sequence[Array]) -> float:
    """Return the largest size of a finite number; 1 where there is none but 0."""
    sizes = [np.abs(array[np.isfinite(array)]).max(initial=0.0) for array in map(np.asarray, arrays)]
    return float(max(sizes, default=0.0)) or 1.0


def _picture(axes: Axes, matrix: Array, limit: float, kernel: tuple[int, int] | None) -> None:
    """Draw a matrix, with lines between the rows of a kernel."""
    values = np.ma.masked_invalid(np.asarray(matrix, dtype=np.float64))
    axes.imshow(values, cmap=DIVERGING, vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(linewidth=0.5, color=LIGHT.muted)
    n, m = values.shape
    if kernel and n == math.prod(kernel):
        for at in range(kernel[1], n, kernel[1]):
            axes.axhline(at - 0.5, color=LIGHT.muted, linewidth=0.35)
            if m == n:
                axes.axvline(at - 0.5, color=LIGHT.muted, linewidth=0.35)


def _label_rows(axes: Axes, shape: tuple[int, ...], kernel: tuple[int, int] | None, side: float) -> None:
    """Name the positions of a kernel of 3 x 3 beside its rows, where there is room."""
    if kernel == (3, 3) and shape[0] == 9 and side > 0.75:
        axes.set_yticks(range(9), POSITIONS, fontsize=7)
        axes.tick_params(length=0, pad=2)


def _bar(axes: Axes, limit: float) -> None:
    """Draw the range of colours and print it."""
    axes.imshow(np.linspace(1, -1, 255)[:, None], cmap=DIVERGING, aspect="auto", extent=(0, 1, -1, 1))
    axes.yaxis.tick_right()
    axes.set(xticks=[])
    axes.set_yticks([-1, 0, 1], [style.number(-limit), "0", style.number(limit)], fontsize=7)
    bottom, _, top = axes.get_yticklabels()  # the bars of two rows may meet
    bottom.set_verticalalignment("bottom")
    top.set_verticalalignment("top")
    axes.tick_params(length=2, pad=1.5)
    axes.spines[:].set(linewidth=0.5, color=LIGHT.muted)


def _reach(histograms: Ridges) -> tuple[float, float]:
    """Return from where to where there is anything."""
    edges = np.broadcast_to(histograms.edges, (len(histograms.steps), np.shape(histograms.edges)[-1]))
    there = np.asarray(histograms.counts) > 0
    low, high = edges[:, :-1][there], edges[:, 1:][there]
    return (float(low.min()), float(high.max())) if low.size else (0.0, 1.0)


def _span(reaches: Sequence[tuple[float, float]], log: bool = False) -> tuple[float, float]:
    """Return limits that hold all, and some room."""
    low, high = (min(low for low, _ in reaches), max(high for _, high in reaches)) if reaches else (0.0, 1.0)
    if log:
        room = (high / low) ** 0.05 if high > low else 2.0
        return low / room, high * room
    room = 0.04 * (high - low) or 0.5
    return low - room, high + room


def _draw_ridges(axes: Axes, histograms: Ridges, color: str, named: bool) -> None:
    """Draw the first step at the back, which is the top."""
    count = len(histograms.steps)
    shown = np.unique(np.linspace(0, count - 1, min(count, RIDGES)).round().astype(int)) if count else np.empty(0, int)
    edges = np.broadcast_to(histograms.edges, (count, np.shape(histograms.edges)[-1]))
    for index, at in enumerate(shown):
        base = len(shown) - 1 - index
        bins = np.asarray(histograms.counts[at], dtype=np.float64)
        heights = 2.2 * bins / max(bins.max(initial=0.0), 1.0)
        x, y = np.repeat(edges[at], 2), np.concatenate([[0], np.repeat(heights, 2), [0]])
        there = (y > 0) | (np.roll(y, 1) > 0) | (np.roll(y, -1) > 0)
        axes.axhline(base, color=LIGHT.grid, linewidth=0.5, zorder=3 * index)
        axes.fill_between(x, base, base + y, color=blended(color, 0.45), linewidth=0, zorder=3 * index + 1)
        axes.plot(x, np.where(there, base + y, np.nan), color=color, linewidth=0.6, zorder=3 * index + 2)
    axes.set_ylim(-0.3, len(shown) + 1.6)
    if named and len(shown):
        labelled = np.unique(np.linspace(0, len(shown) - 1, min(len(shown), 5)).round().astype(int))
        axes.set_yticks(
            [len(shown) - 1 - index for index in labelled],
            [f"{histograms.steps[shown[index]]:,}" for index in labelled],
        )
        axes.tick_params(axis="y", length=0, pad=2, labelsize=7)
