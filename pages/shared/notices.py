"""What came of what a reader did: done in a callback, and said at the page's next run, each thing once."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from fop_core.runs.files import DamagedFile, RunError
from fop_core.training.config import ConfigError
from pages.shared.text import literal


def tried(page: str, what: Callable[[], Any], done: str | Callable[[Any], str] = "") -> bool:
    """Do something; return whether it was done, or failed with an error that is the reader's to know.

    Args:
        page: which says what came of it.
        what: is done.
        done: what to say then, or what makes that of the result.
    """
    notices = st.session_state.setdefault(f"{page} notices", {})
    try:
        result = what()
    except (ConfigError, RunError, DamagedFile, OSError) as error:
        notices[str(error)] = "error"
        return False
    if text := done(result) if callable(done) else done:
        notices[text] = "info"
    return True


def show(page: str) -> None:
    """Say what came of the last actions on a page."""
    for text, kind in st.session_state.pop(f"{page} notices", {}).items():
        if kind == "error":
            st.error(literal(text))
        else:
            st.toast(literal(text), duration="long")
