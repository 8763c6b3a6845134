"""What is deleted of studies goes to a trash and comes back, or is removed for good, and never through a link."""

import json
import os

import pytest

from fop_core.runs.files import RunError
from fop_core.runs.names import TRASH
from fop_core.studies import protocol, store, trash
from tests.permissions import permissions_hold  # noqa: F401, a fixture


@pytest.fixture
def gone(folder):
    store.create(protocol.Study(name="Rates"), folder)
    return trash.find(trash.discard("Rates", folder), folder)


@pytest.fixture
def bin_(folder):
    return folder / "studies" / TRASH


def test_what_is_in_the_trash_is_listed_removed_for_good_or_brought_back(folder, bin_, gone):
    store.create(protocol.Study(name="studies"), folder)
    trash.discard("studies", folder)
    (bin_ / ".rates.0.deleted").mkdir()  # of one that is being removed
    (bin_ / "notes.txt").touch()
    assert [(each.id, each.name) for each in trash.trashed(folder)] == [("rates", "Rates"), ("studies", "studies")]
    assert gone.size() == sum(path.stat().st_size for path in gone.path.iterdir()) > 0
    gone.remove()
    assert [each.id for each in trash.trashed(folder)] == ["studies"] and trash.restore("studies", folder) == "studies"
    assert trash.trashed(folder) == [] and store.ids(folder) == ["studies"]


def test_a_damaged_study_is_called_by_its_id_and_can_be_removed(folder, bin_, gone):
    for content in ("{", json.dumps({"study": {"name": "\ud800"}}), json.dumps({"study": "Rates"})):
        (gone.path / "study.json").write_text(content)
        assert gone.name == "rates"
    gone.remove()
    assert os.listdir(bin_) == []


def test_of_a_link_in_the_trash_only_its_name_is_said(folder, bin_, gone, tmp_path):
    theirs = tmp_path / "theirs"
    gone.path.rename(theirs)
    gone.path.symlink_to(theirs)
    with pytest.raises(RunError, match=f"{gone.path} is a link to {theirs}.*rm {gone.path}"):
        gone.remove()
    assert (theirs / "study.json").exists() and os.listdir(bin_) == ["rates"]


def test_a_trash_that_is_a_link_is_neither_listed_nor_emptied(folder, bin_, gone, tmp_path):
    bin_.rename(tmp_path / "theirs")
    bin_.symlink_to(tmp_path / "theirs")
    store.create(protocol.Study(name="Rates"), folder)
    wrong = (lambda: trash.trashed(folder), gone.remove, lambda: trash.discard("rates", folder))
    for do in (*wrong, lambda: trash.restore("rates", folder)):
        with pytest.raises(RunError, match=r"\.trash is no folder of this runs folder"):
            do()
    assert os.listdir(tmp_path / "theirs") == ["rates"] and store.ids(folder) == ["rates"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_another_ones_study_is_not_removed(bin_, gone):
    os.chown(gone.path, 65534, -1)
    with pytest.raises(RunError, match=r"rates belongs to .*, who alone may remove it"):
        gone.remove()
    assert os.listdir(bin_) == ["rates"]


def test_a_study_of_which_something_cannot_be_removed_stays_in_sight(folder, bin_, gone, permissions_hold):  # noqa: F811
    kept = gone.path / "source"
    kept.mkdir()
    (kept / "optimizer.py").touch()
    kept.chmod(0o555)
    with pytest.raises(OSError, match="Permission denied"):
        gone.remove()
    assert os.listdir(bin_) == ["rates"]
    kept.chmod(0o755)
    gone.remove()
    assert os.listdir(bin_) == []
