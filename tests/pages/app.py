"""A page of the app without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

FIRST = "trajectories"  # which stands at the app's own address
APP = str(Path(__file__).parents[2] / "app.py")


def app_at(page: str = FIRST, timeout: float = 60) -> AppTest:
    """Return the app before its first run, at the address of a page."""
    at = AppTest.from_file(APP, default_timeout=timeout)
    # As a browser names a page; ``switch_page`` knows only those of an earlier run.
    at._page_hash = calc_hash("" if page == FIRST else page)
    return at
