"""By how much P turns and lengthens the gradients of a run, and why M moves (Figure A.1)."""

import streamlit as st

from fop_core.figures import learned_curves
from fop_core.quantities import QUANTITIES
from fop_core.runs.learned import Layer
from pages.preconditioners import numbers
from pages.preconditioners.panels import chart, downsampled
from pages.preconditioners.sources import Source, seeds
from pages.shared.form import Form
from pages.shared.text import literal

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
    angles = numbers.turned(source, layer, "angle_deg", form["seeds"])
    if not angles:
        st.markdown("No gradients of it were measured.")
        return
    count = len(group) if form["seeds"] else 1
    over = f"mean, least and most over {count} seeds" if count > 1 else "one seed"
    of = f"the gradient of {literal(numbers.short(layer))}" if len(angles) == 1 else "each layer's gradient"
    key = f"{source.id} {count} {layer.name if len(source.learned.layers) > numbers.BUSY else ''}"
    left, right = st.columns(2, gap="medium")
    with left:
        bound = numbers.bound_of(layer)
        lines = [*map(downsampled, angles), *([bound] if bound is not None else [])]
        rules = [90.0] if max(numbers.highest(line) for line in angles) > NEAR else []
        figure = learned_curves.over_steps(lines, QUANTITIES["angle_deg"].title, key, rules=rules)
        chart(source, figure, key="inspect angles", alt="Angle between g and P g", follows=True)
        named = literal(numbers.short(layer))
        dashed = f" Dashed: no P with {named}'s eigenvalues turns farther." if bound is not None else ""
        st.caption(f"How far P turns {of}, {over} (Figure A.1).{dashed}", help=BOUND if bound is not None else None)
        for line in angles:
            if (first := numbers.turns_back(line)) is not None:
                st.warning(
                    f"{literal(line.label)}: from step {first:,} on P g is 90° or more from g at times. A small step "
                    "along −P g then does not go down."
                )
    with right:
        of_g = QUANTITIES[form["turned"]]
        lines = list(map(downsampled, numbers.turned(source, layer, of_g.name, form["seeds"])))
        rules = [] if of_g.rule is None else [of_g.rule]
        figure = learned_curves.over_steps(lines, of_g.title, f"{key} {of_g.name}", rules=rules)
        chart(source, figure, key="inspect turned", alt=of_g.heading, follows=True)
        st.caption(of_g.caption, help=WHY)
        form.draw("turned")
    if len(group) > 1:
        form.draw("seeds")
