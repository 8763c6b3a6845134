"""By how much P turns and lengthens the gradients of a run, and why M moves (Figure A.1)."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from fop_core import inspection
from fop_core.figures import learned_curves
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.quantities import QUANTITIES
from fop_core.runs.learned import Layer
from fop_core.runs.lines import extremes
from fop_core.runs.loaded import Loaded
from pages.preconditioners.panels import chart, downsampled, short
from pages.preconditioners.sources import Source, seeds
from pages.shared import curves
from pages.shared.form import Form
from pages.shared.text import literal

BUSY = 10  # layers of which all are drawn at once
NEAR = 80  # degrees from which on the right angle is drawn
WHY = (
    "M moves against its hypergradient −ε (g uᵀ + u gᵀ) M (Eq. 4), where u is the gradient before, or with momentum "
    "what has gathered of those before. So the agreement of gradients is what is learned from."
)
BOUND = (
    "The bound is arcsin((κ − 1)/(κ + 1)) by Kantorovich's inequality, κ the condition of P, of the seed that is shown "
    "above. It is met where the gradient lies halfway between the eigenvectors of the largest and the smallest "
    "eigenvalue. A gap where P is indefinite: then there is none."
)


def rotation(form: Form, source: Source, layer: Layer) -> None:
    """Show by how much P turns and lengthens the gradient, and why M moves."""
    if source.entry is None:
        st.markdown("Matrices alone do not show how gradients were turned: that is measured while a run trains.")
        return
    group = seeds(source.entry)
    angles = turned(source, layer, "angle_deg", form["seeds"])
    if not angles:
        st.markdown("No gradients of it were measured.")
        return
    count = len(group) if form["seeds"] else 1
    over = f"mean, least and most over {count} seeds" if count > 1 else "one seed"
    of = f"the gradient of {literal(short(layer))}" if len(angles) == 1 else "each layer's gradient"
    key = f"{source.id} {count} {layer.name if len(source.learned.layers) > BUSY else ''}"
    left, right = st.columns(2, gap="medium")
    with left:
        bound = bound_of(layer)
        lines = [*map(downsampled, angles), *([bound] if bound is not None else [])]
        rules = [90.0] if max(_highest(line) for line in angles) > NEAR else []
        figure = learned_curves.over_steps(lines, QUANTITIES["angle_deg"].title, key, rules=rules)
        chart(source, figure, key="inspect angles", alt="Angle between g and P g", follows=True)
        dashed = f" Dashed: no P with {literal(short(layer))}'s eigenvalues turns farther." if bound is not None else ""
        st.caption(f"How far P turns {of}, {over} (Figure A.1).{dashed}", help=BOUND if bound is not None else None)
        for line in angles:
            if (first := turns_back(line)) is not None:
                st.warning(
                    f"{literal(line.label)}: from step {first:,} on P g is 90° or more from g at times. A small step "
                    "along −P g then does not go down."
                )
    with right:
        of_g = QUANTITIES[form["turned"]]
        lines = list(map(downsampled, turned(source, layer, of_g.name, form["seeds"])))
        rules = [] if of_g.rule is None else [of_g.rule]
        figure = learned_curves.over_steps(lines, of_g.title, f"{key} {of_g.name}", rules=rules)
        chart(source, figure, key="inspect turned", alt=of_g.heading, follows=True)
        st.caption(of_g.caption, help=WHY)
        form.draw("turned")
    if len(group) > 1:
        form.draw("seeds")


def turns_back(line: Line) -> int | None:
    """Return the first step at which an angle, of any seed, is 90 degrees or more; None for never."""
    x, y = (line.x, line.y) if line.band is None else (line.band[0], line.band[2])
    beyond = x[y >= 90]
    return int(beyond[0]) if len(beyond) else None


def _highest(line: Line) -> float:
    y = line.y if line.band is None else line.band[2]
    return float(np.max(y, initial=0.0, where=np.isfinite(y)))


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
