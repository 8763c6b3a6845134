"""Whether neighbours in a kernel are decorrelated (section 5), and how far P is from I along the constant direction."""

import numpy as np
import streamlit as st

from fop_core import inspection
from fop_core.figures import learned_curves
from fop_core.figures.style import number
from fop_core.formatting import percent
from fop_core.runs.learned import Layer
from pages.preconditioners import numbers
from pages.preconditioners.panels import chart
from pages.preconditioners.sources import Source, snapshot_index
from pages.shared.form import Form
from pages.shared.text import literal


def whitening(form: Form, source: Source, layer: Layer) -> None:
    """Show how far P is from the identity along the constant direction, and what neighbours are in what is left."""
    spatial = [each for each in source.matrices if each.kernel]
    if not spatial:
        st.markdown("No layer of it has a kernel, whose positions could be whitened (section 5).")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        lines = numbers.whitening_scores(source)
        figure = learned_curves.over_steps(lines, "whitening score", source.id, rules=[0.0])
        chart(source, figure, key="inspect score", alt="Whitening score of every layer", follows=True)
        st.caption(
            "Mean entry of P between neighbours in the kernel, less that between all other pairs: whitening, in the "
            "sense of section 5, is below 0.",
            help="The difference does not change when aI + c11ᵀ is added to P. So the constant direction, which makes "
            "every entry beside the diagonal negative, counts for nothing.",
        )
    with right:
        of = layer if layer.kernel else spatial[-1]
        lines = numbers.left_over(of)
        at = snapshot_index(of.steps, form["at"])
        measures = inspection.whitening(of.P(at), of.kernel)  # type: ignore[arg-type]
        figure = learned_curves.over_steps(lines, "mean entry of what is left", f"{source.id} {of.name}", rules=[0.0])
        chart(source, figure, key="inspect pairs", alt=f"What is left of P of {of.name}", follows=True)
        sign, share = float(measures["constant_sign"]), float(measures["constant_share"])
        st.caption(
            f"What is left of P of {literal(of.name)} after aI + c11ᵀ is fitted, by how positions lie to each other. "
            f"At step {int(of.steps[at]):,} ⟨P − I, 11ᵀ/n⟩ is {number(sign)}, {_share(share)} of ‖P − I‖².",
            help="The constant direction is the mean over the kernel's positions: −1 takes it out of the gradient "
            "whole. The baseline that learns nothing has −0.95 there and nothing else.",
        )


def _share(value: float) -> str:
    return percent(value, digits=0) if np.isfinite(value) else "no share"
