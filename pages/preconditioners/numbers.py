"""The numbers of the panels: lines, spectra and histograms, which a panel shows and its exports take away."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fop_core import inspection, through_training
from fop_core.figures.learned_curves import Spectra
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.runs.learned import Layer
from fop_core.runs.lines import extremes
from fop_core.runs.loaded import Loaded
from pages.preconditioners.sources import Source, seeds
from pages.shared import curves

Array = np.ndarray

BUSY = 10  # layers of which all are drawn at once
PAIRS = {
    "row_neighbours": ("beside, row", "#D9541E", "solid"),
    "column_neighbours": ("beside, column", "#CB62AF", "solid"),
    "row_others": ("farther, row", "#3885E0", "5px,3px"),
    "column_others": ("farther, column", "#704DEE", "5px,3px"),
    "elsewhere": ("elsewhere", "#2A8C4D", "5px,3px"),
}
"""Of pairs of positions, what they are called, and how their line looks."""


def short(layer: Layer) -> str:
    """Return what a layer is called on a line."""
    return layer.name.removesuffix(".weight")


def spectra(source: Source) -> list[Spectra]:
    """Return the eigenvalues of every layer that has some."""
    layers = source.learned.layers.values()
    return [spectra_of(source, layer) for layer in layers if len(layer.spectra) and layer.n]


def spectra_of(source: Source, layer: Layer) -> Spectra:
    """Return the eigenvalues of a layer."""
    return Spectra(source.labels[layer.name], source.colors[layer.name], layer.spectrum_steps, layer.spectra)


def followed(every: Sequence[Spectra], name: str) -> list[Line]:
    """Return a quantity of ``inspection.spectrum_summary`` of every layer over steps; infinite is a gap."""
    lines = []
    for each in every:
        values = through_training.finite_quantity(each.values, name)
        lines.append(Line(each.label, LineStyle(each.color, "solid", 1.8), each.steps.astype(np.float64), values))
    return lines


def scalars(source: Source) -> list[Line]:
    """Return what S-HD or PP-HD learned over steps: of each tensor its number, or its largest and its smallest."""
    lines: list[Line] = []
    if (metrics := source.metrics) is None:
        return lines
    for name, color in source.colors.items():
        for column, dash in (("eigenvalue_max", "solid"), ("eigenvalue_min", "2px,3px")):
            curve = metrics.curve("step", f"{column}/{name}")
            if curve is None or (column == "eigenvalue_min" and source.learned.layers[name].one_per == "tensor"):
                continue
            lines.append(Line(f"{name}, {column.rpartition('_')[2]}", LineStyle(color, dash, 1.6), curve.x, curve.y))
    return lines


def values_of(layer: Layer, preferred: str) -> str:
    """Return of which matrix of a layer values are shown where ``preferred``, "P" or "M", is chosen."""
    return "M" if layer.one_per else "P" if layer.only_P else preferred


def distribution(source: Source, layer: Layer, what: str, part: str) -> tuple[Array, Array, Array] | None:
    """Return steps, counts and edges of the values of a layer's P or M, or None where they were not kept.

    Args:
        source: what is looked into.
        layer: whose.
        what: "P" or "M".
        part: "diagonal" or "off_diagonal".
    """
    if (kept := layer.histograms.get(f"{what}_{part}")) is not None:
        return kept.steps, kept.counts, kept.edges
    if not layer.is_matrix or (what == "M" and not layer.has_M):
        return None
    return _counted(f"{source.key} {layer.name}", what, part, layer)


@st.cache_resource(show_spinner=False, max_entries=64)
def _counted(key: str, what: str, part: str, _layer: Layer) -> tuple[Array, Array, Array] | None:
    values = _layer.all_P() if what == "P" else _layer.M.astype(np.float64)
    counted = inspection.part_histograms(values, part)
    return (_layer.steps, *counted) if counted is not None else None


def turned(source: Source, layer: Layer, quantity: str, over_seeds: bool) -> list[Line]:
    """Return a quantity of the gradients of every layer over steps, of many layers that of one.

    Args:
        source: a run.
        layer: the chosen one.
        quantity: of the gradient: "angle_deg" or one of ``settings.TURNED``.
        over_seeds: whether it is the mean over the seeds of the run, with the least and the most of them.
    """
    if source.entry is None:
        return []
    loaded = curves.loaded(seeds(source.entry) if over_seeds else [source.entry])
    layers = list(source.learned.layers.values())
    shown = layers if len(layers) <= BUSY else [layer]
    lines = [
        _band(loaded, f"{quantity}/{each.name}", source.labels[each.name], source.colors[each.name]) for each in shown
    ]
    return [line for line in lines if line is not None]


def _band(loaded: Sequence[Loaded], column: str, label: str, color: str) -> Line | None:
    """Return the mean of a column over runs, with the band between the least and the most."""
    over_runs = [curve for each in loaded if (curve := each.curve("step", column)) is not None]
    if (drawn := extremes(over_runs)) is None:
        return None
    return Line(label, LineStyle(color, "solid", 1.8), drawn.x, drawn.y, band=drawn.band)


def bound_of(layer: Layer) -> Line | None:
    """Return by how many degrees at most a P with a layer's eigenvalues turns a gradient, over steps.

    There is a gap where one of them is negative: then P may turn it by any angle.
    """
    if not len(layer.spectra) or not layer.n:
        return None
    bound = inspection.rotation_bounds_deg(layer.spectra.astype(np.float64))
    return Line(
        f"bound {short(layer)}", LineStyle("#80868F", "5px,3px", 1.4), layer.spectrum_steps.astype(float), bound
    )


def turns_back(line: Line) -> int | None:
    """Return the first step at which an angle, of any seed, is 90 degrees or more; None for never."""
    x, y = (line.x, line.y) if line.band is None else (line.band[0], line.band[2])
    return through_training.first_from(x, y, 90)


def highest(line: Line) -> float:
    """Return the largest value of a line, of its band where it has one."""
    return through_training.highest(line.y if line.band is None else line.band[2])


def whitening_scores(source: Source) -> list[Line]:
    """Return the whitening score of every spatial layer over steps."""
    return [
        Line(
            source.labels[layer.name],
            LineStyle(source.colors[layer.name], "solid", 1.8),
            layer.steps.astype(np.float64),
            inspection.whitening_score(layer.all_P(), layer.kernel),
        )
        for layer in source.matrices
        if layer.kernel
    ]


def left_over(layer: Layer) -> list[Line]:
    """Return means of what is left of a spatial P after aI + c11^T is fitted, by how positions lie to each other."""
    measures = inspection.whitening(layer.all_P(), layer.kernel)  # type: ignore[arg-type]
    return [
        Line(alt, LineStyle(color, dash, 1.8), layer.steps.astype(np.float64), measures[name])
        for name, (alt, color, dash) in PAIRS.items()
        if np.isfinite(measures[name]).any()
    ]
