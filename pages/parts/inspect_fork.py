"""What if: go on from a checkpoint with M frozen, reset, normalized or transplanted."""

import streamlit as st

from fop_core.runs.learned import Layer
from pages.parts.form import Form
from pages.parts.inspect_sources import Source


def fork(form: Form, source: Source, layer: Layer) -> None:
    """Show the choice, and launch it."""
    st.markdown("soon")
