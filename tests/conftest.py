"""What all tests share."""

import os
from pathlib import Path

import pytest

from tests.chromium import app, browser, chromium, playwright, profile, program, troubles, visit, wide

# One definition for both folders: a second one would start a second Playwright, which one process cannot have.
__all__ = ["app", "browser", "chromium", "playwright", "profile", "program", "troubles", "visit", "wide"]

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tensors here are tiny: a second thread only waits for the first

IN_CHROMIUM = [Path(__file__).parent / folder for folder in ("browser", "journeys")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that drives a browser."""
    for item in items:
        if any(folder in item.path.parents for folder in IN_CHROMIUM):
            item.add_marker(pytest.mark.browser)
