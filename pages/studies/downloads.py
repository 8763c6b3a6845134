"""A study to take away: its report as one HTML file or a PDF, its table as CSV. Made when it is asked for."""

from functools import partial

import streamlit as st

from fop_core.studies.progress import StudyTable
from pages.components.download import File, Screen, button


def downloads(of: StudyTable) -> None:
    """Show the buttons."""
    id_ = of.stored.id
    with st.popover("Report", width="content", key="studies report"):
        st.caption("As it is now. The HTML file holds its figures, and needs no network.")
        for label, kind in (("Report (HTML)", "html"), ("Report (PDF)", "pdf"), ("Table (CSV)", "csv")):
            button(label, partial(_made, id_, kind), key=f"studies {kind}", of=id_)


def _made(id_: str, kind: str, screen: Screen) -> File:
    from fop_core.studies import report  # which takes a second to load

    return File(f"{id_}.{kind}", getattr(report, kind)(id_))
