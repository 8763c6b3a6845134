"""A figure's studies where others have theirs, or where nothing can be written."""

import errno
import os

import pytest

from fop_core.reproduction import rerun
from fop_core.reproduction.plans import PLANS
from fop_core.runs import files, stamps
from fop_core.studies import store, submit
from tests.studies.conftest import folder  # noqa: F401, a fixture

PLAN = PLANS["paper-2-best"]


@pytest.mark.skipif(os.getuid() != 0, reason="gives a study to another user")
def test_a_study_of_another_user_s_is_left_to_them_and_ours_is_called_after_us(folder):  # noqa: F811
    theirs = store.create(PLAN.quick, folder)
    for path in (theirs.path, *theirs.path.rglob("*")):
        os.chown(path, 1234, 1234)
    assert not rerun.check(PLAN, True, folder)
    done = rerun.rerun(PLAN, True, folder)
    assert done.stored.id == f"paper-2-best-quick-{store.slug(stamps.user())}" and done.made
    assert rerun.check(PLAN, True, folder) and rerun.rerun(PLAN, True, folder).stored.id == done.stored.id
    assert store.load(theirs.id, folder).runs == {}


def test_a_study_that_cannot_be_written_leaves_its_name_free(folder, monkeypatch):  # noqa: F811
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write_json", full)
    with pytest.raises(OSError, match="No space left"):
        submit.submit(PLAN.quick, folder)
    assert store.ids(folder) == []
    monkeypatch.undo()
    assert store.create(PLAN.quick, folder).id == "paper-2-best-quick"


def test_studies_that_cannot_be_listed_are_none_and_the_list_says_why(folder):  # noqa: F811
    store.studies_folder(folder).write_text("no folder")
    assert store.ids(folder) == []
    studies, damaged = store.list_studies(folder)
    assert not studies and "Not a directory" in damaged["studies"]
