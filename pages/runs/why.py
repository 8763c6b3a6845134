"""Why a run diverged: what its steps met, measured on a click by a process of its own, and kept beside the run."""

import streamlit as st

from fop_core.runs.files import DamagedFile
from fop_core.runs.listing import Entry
from fop_core.training import divergence
from fop_core.training.divergence_worker import Measuring
from pages.shared.text import literal

MEASURING = "runs measuring"
HELP = (
    "Measures ε·λmax(PH): how long its steps were for the curvature that they met. It takes products with the Hessian "
    "H of the loss at its last checkpoint, and seconds."
)


def why(entry: Entry) -> None:
    """Say what is known of a run that diverged, or offer to find out; shown anew, it follows what is under way."""
    if entry.state != "failed" or entry.cause != "diverged" or entry.recorded:
        return
    try:
        known = divergence.kept(entry.run)
    except (DamagedFile, OSError) as error:
        st.warning(literal(str(error)))
        known = None
    if known is not None:
        st.info(literal(" ".join(known.sentences())))
        return
    measuring: Measuring | None = st.session_state.get(MEASURING, {}).get(entry.id)
    if measuring is not None and not measuring.ended:
        what, share = measuring.progress()
        st.progress(share, f"Measuring: {what} …")
        return
    if measuring is not None:
        _show(measuring)
    st.button("Why?", on_click=_measure, args=(entry,), help=HELP, key="runs why")


def _measure(entry: Entry) -> None:
    all_of_them: dict[str, Measuring] = st.session_state.setdefault(MEASURING, {})
    under_way = all_of_them.get(entry.id)
    if under_way is None or under_way.ended:  # a click comes twice where a tick is due in the same moment
        all_of_them[entry.id] = Measuring(entry.run)


def _show(measuring: Measuring) -> None:
    """Show what came of it where that is not kept beside the run: in a folder that is not ours, or where it failed."""
    try:
        st.info(literal(measuring.result()))
    except ValueError as error:
        st.error(literal(str(error)))
