"""The runs of a folder, listed once for all sessions."""

from pathlib import Path

import streamlit as st

from fop_core.jobs import queue
from fop_core.runs import GALLERY
from fop_core.runs.listing import Listing

MOST_CHOSEN = 40  # runs that can be chosen at once


@st.cache_resource(show_spinner=False, max_entries=16)
def listing(folder: Path, bin: bool = False) -> Listing:
    """Return the runs of a folder, or of its trash. In a reader's own folder what waits is started too."""
    return Listing(folder, bin, None if bin or folder == GALLERY else queue.ensure_dispatcher)
