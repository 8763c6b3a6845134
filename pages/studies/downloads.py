"""A study to take away: its report as one HTML file or a PDF, its table as CSV. Made when it is asked for."""

import streamlit as st

from fop_core.studies import report
from fop_core.studies.progress import StudyTable
from pages.components.download import File, button


def downloads(of: StudyTable) -> None:
    """Show the buttons."""
    id_ = of.stored.id
    with st.popover("Report", width="content", key="studies report"):
        st.caption("The report as it is now. The HTML file holds its figures, and needs no network.")
        button("Report (HTML)", lambda _: File(f"{id_}.html", report.html(id_)), key="studies html", of=id_)
        button("Report (PDF)", lambda _: File(f"{id_}.pdf", report.pdf(id_)), key="studies pdf", of=id_)
        button("Table (CSV)", lambda _: File(f"{id_}.csv", report.csv(id_)), key="studies csv", of=id_)
