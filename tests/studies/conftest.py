"""A runs folder in which nothing is started: a test trains by hand, and is the watcher."""

import pytest

from fop_core.jobs import queue
from fop_core.studies import watcher


@pytest.fixture
def folder(tmp_path, monkeypatch):
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    monkeypatch.setattr(watcher, "_start", lambda folder: None)
    return folder
