"""A page of the app without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

APP = str(Path(__file__).parents[2] / "app.py")


def app_at(page: str = "", timeout: float = 60) -> AppTest:
    """Return the app before its first run, at the address of a page; "" is the first one."""
    at = AppTest.from_file(APP, default_timeout=timeout)
    at._page_hash = calc_hash(page)  # as a browser names a page; ``switch_page`` knows those of an earlier run alone
    return at
