"""A list of runs: each is read when its directory has changed, and what waits is seen to."""

import os
import shutil
import time

import pytest

from fop_core.runs import listing, store
from fop_core.runs.control import Control
from fop_core.runs.files import RunError
from fop_core.runs.listing import Listing
from fop_core.runs.run import Run
from pages.shared import run_text
from tests.runs.tiny import made, rows

OLD = 1.7e9


def age(run: Run) -> None:
    """Make a run look as if nothing had touched it for long."""
    for path in (run.path / "requests", run.path):
        os.utime(path, (OLD, OLD))


def test_a_directory_is_read_again_only_where_it_has_changed(tmp_path):
    run, still = made("one", rows(), folder=tmp_path), made("two", rows(), folder=tmp_path)
    age(run), age(still)
    listing = Listing(tmp_path)
    before = listing.entries(True)
    versions = {id_: entry.version for id_, entry in before.items()}
    listing.entries(True)
    assert {id_: entry.version for id_, entry in listing.entries(True).items()} == versions
    run.label(name="renamed")
    after = listing.entries(True)
    assert after[run.id].name == "renamed" and after[still.id].version == versions[still.id]


def test_a_change_right_after_a_look_is_not_missed(tmp_path):
    run = made("one", rows(), folder=tmp_path)
    listing = Listing(tmp_path)
    for n in range(50):
        run.label(name=f"name {n}")
        assert listing.entries(True)[run.id].name == f"name {n}"


def test_one_look_serves_all_readers_for_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "FRESH", 1e9)
    run = made("one", rows(), folder=tmp_path)
    listed = Listing(tmp_path)
    listed.entries()
    run.label(name="renamed")
    assert listed.entries()[run.id].name == "one"
    assert listed.entries(now=True)[run.id].name == "renamed"


def test_a_run_whose_process_vanishes_is_lost_at_the_next_look(tmp_path):
    run = made("one", rows(), folder=tmp_path)
    control = Control(run)
    control.set("running")
    listing = Listing(tmp_path)
    assert listing.entries(True)[run.id].state == "running"
    control.release()
    age(run)
    assert listing.entries(True)[run.id].state == "lost"


def test_the_newest_run_comes_first(tmp_path):
    names = ["b", "a", "c"]
    for name in names:
        made(name, rows(), folder=tmp_path)
        time.sleep(0.002)
    assert [entry.name for entry in Listing(tmp_path).entries(True).values()] == names[::-1]


def test_a_folder_that_is_taken_away_is_empty(tmp_path):
    folder = tmp_path / "runs"
    made("one", rows(), folder=folder)
    listing = Listing(folder)
    assert listing.entries(True)
    shutil.rmtree(folder)
    assert listing.entries(True) == {}


def test_an_entry_says_what_a_run_was_made_of_and_what_came_of_it(tmp_path):
    run = made("one", [*rows(), {"step": 40, "test_accuracy": 0.5}], folder=tmp_path)
    [entry] = Listing(tmp_path).entries(True).values()
    assert (entry.id, entry.state, entry.preset, entry.method) == (run.id, "finished", "mnist-mlp", "fop")
    assert (entry.best, entry.device, entry.progress["step"]) == (0.5, "A CPU", 40)
    assert entry.settings["fop.rank"] == run.config["fop"]["rank"] and entry.forked_from == ""
    assert entry.holds(["one", "finished"]) and not entry.holds(["one", "failed"])


def test_what_takes_longer_is_left_to_a_later_look_and_said_to_be(tmp_path, monkeypatch):
    made("one", [*rows(), {"step": 40, "test_accuracy": 0.5}], folder=tmp_path)
    listing = Listing(tmp_path)
    with monkeypatch.context() as hurried:
        hurried.setattr("fop_core.runs.listing.SPARE", -1.0)
        [entry] = listing.entries(True).values()
        assert (entry.complete, entry.best, run_text.best(entry)) == (False, None, "…")
    [entry] = listing.entries(True).values()
    assert (entry.complete, entry.best, run_text.best(entry)) == (True, 0.5, "50.00 %")


def test_a_fork_says_of_which_run_and_what_became_of_M(tmp_path):
    store.create({}, lineage={"parent": "its parent", "step": 1200, "matrices": "frozen"}, folder=tmp_path)
    [entry] = Listing(tmp_path).entries(True).values()
    assert (entry.forked_from, entry.settings) == ("its parent", {"fork": "frozen at step 1,200"})


def test_the_dispatcher_is_called_while_a_run_waits_and_not_before(tmp_path):
    folders = []
    run = made("one", rows(), "stopped", folder=tmp_path)
    listing = Listing(tmp_path, dispatch=folders.append)
    listing.entries(True)
    assert not folders
    (run.path / "requests" / "start").write_text("{}")
    assert listing.entries(True)[run.id].waits and folders == [tmp_path]


def test_a_dispatcher_that_cannot_be_called_is_reported_and_the_runs_are_listed(tmp_path):
    def refuse(folder):
        raise RunError("the queue is damaged")

    run = made("one", rows(), "stopped", folder=tmp_path)
    (run.path / "requests" / "start").write_text("{}")
    listing = Listing(tmp_path, dispatch=refuse)
    assert listing.entries(True).keys() == {run.id}
    assert listing.trouble == "Nothing that waits is started: the queue is damaged"


@pytest.mark.parametrize("bin", [False, True])
def test_the_trash_is_a_list_of_its_own(tmp_path, bin):
    kept, gone = made("kept", rows(), folder=tmp_path), made("gone", rows(), folder=tmp_path).delete()
    assert Listing(tmp_path, bin).entries(True).keys() == {gone.id if bin else kept.id}
