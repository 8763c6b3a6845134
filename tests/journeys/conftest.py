"""Each page's main journey, from opening to its visible end, as somebody new to it would walk it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import app, browser, chromium, troubles, visit, wide

__all__ = ["app", "browser", "chromium", "troubles", "visit", "wide"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def slow_down(page: Page, times: float) -> None:
    """Let a page's JavaScript run so many times slower, as on an old laptop."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": times})
