"""What all tests share."""

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.chromium import app, browser, chromium, playwright, profile, program, troubles, visit, where_it_stood, wide

# One definition for both folders: a second one would start a second Playwright, which one process cannot have.
__all__ = ["app", "browser", "chromium", "playwright", "profile", "program", "troubles", "visit", "wide"]

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tensors here are tiny: a second thread only waits for the first
_STATE = tempfile.TemporaryDirectory(prefix="fop-tests-")
os.environ["XDG_STATE_HOME"] = _STATE.name  # which plug-ins are confirmed is not what the reader has confirmed
if "PYTEST_XDIST_WORKER" in os.environ:
    # Side by side each has a temporary folder of its own: slots, and the process that has torch loaded, are there.
    _OWN = tempfile.TemporaryDirectory(prefix="fop-", ignore_cleanup_errors=True)
    os.chmod(_OWN.name, 0o1777)  # as the system's, since some tests are another user's, too
    os.environ["TMPDIR"] = tempfile.tempdir = _OWN.name
    os.environ.pop("XDG_RUNTIME_DIR", None)

IN_CHROMIUM = [Path(__file__).parent / folder for folder in ("browser", "journeys")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that drives a browser."""
    for item in items:
        if any(folder in item.path.parents for folder in IN_CHROMIUM):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say in the report of a failed test where its pages stood."""
    report = yield
    watched = getattr(item, "funcargs", {}).get("troubles")
    if report.when == "call" and report.failed and watched is not None:
        report.sections += [(f"page {number}", where_it_stood(page)) for number, page in enumerate(watched.pages, 1)]
        report.sections += [("what went wrong", "\n".join(watched))]
    return report
