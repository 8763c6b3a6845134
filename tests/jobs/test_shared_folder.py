"""What runs rely on is tried with two processes, and a folder that does not do it is seen."""

import os

import pytest

from fop_core.jobs import shared_folder
from fop_core.jobs.shared_folder import NoPeer


def test_this_machines_own_folder_does_what_runs_rely_on(tmp_path):
    findings = shared_folder.examine(tmp_path)
    assert [each.good for each in findings] == [True] * 5
    assert not list(tmp_path.rglob("probe-*"))  # nothing is left


def test_files_that_two_make_at_once_are_seen(tmp_path, monkeypatch):
    real = os.open

    def shared(path, flags, *more, **others):
        return real(path, flags & ~os.O_EXCL if "race-" in str(path) else flags, *more, **others)

    monkeypatch.setattr(os, "open", shared)
    (finding,) = [each for each in shared_folder.examine(tmp_path) if each.what.startswith("exclusive")]
    assert finding.good is False and "two owners" in finding.words


def test_a_file_that_is_not_replaced_whole_is_seen(tmp_path, monkeypatch):
    real = shared_folder.files.write

    def torn(path, content, **more):
        if path.name == "swapped":
            path.write_bytes(b"")
        real(path, content, **more)

    monkeypatch.setattr(shared_folder.files, "write", torn)
    (finding,) = [each for each in shared_folder.examine(tmp_path) if each.what.startswith("replacing")]
    assert finding.good is False


def test_where_the_other_process_cannot_be_had_that_is_said(tmp_path):
    with pytest.raises(NoPeer, match="no node is free"):
        shared_folder.examine(tmp_path, ["sh", "-c", "echo no node is free >&2; exit 1"])
    assert not list(tmp_path.rglob("probe-*"))
