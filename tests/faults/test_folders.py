"""Folders that nobody may write to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.training import config

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import os, sys
from fop_core.cli import main
from fop_core.jobs import queue
from fop_core.training import config
from fop_core.training.probe import client
os.setuid(65534)  # who may not even read where Python's own files are
sys.exit(main(["queue", "--folder", sys.argv[1], *sys.argv[2:]]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root can")
def test_a_folder_that_cannot_be_written_is_listed_and_refuses_in_words(tmp_path):
    run = store.create(config.preset("mnist-mlp", "fop").to_json(), name="there", folder=tmp_path)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:  # pytest's own, which nobody else may enter
            folder.chmod(0o755)

    def other_user(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", PROGRAM, str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)

    listed = other_user("list")
    assert listed.returncode == 0, listed.stderr
    assert "nothing waits" in listed.stdout
    submit, resume = ("submit", "--preset", "mnist-mlp"), ("resume", run.id)
    for words, why in ((submit, "Permission denied"), (resume, "belongs to root: clone the run to train it yourself")):
        refused = other_user(*words)
        assert refused.returncode == 2
        assert why in refused.stderr and "Traceback" not in refused.stderr
    assert queue.waiting(tmp_path) == []
    assert run.state.state == "queued"
