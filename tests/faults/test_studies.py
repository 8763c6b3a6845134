"""The short form of ``python -m tests.faults.studies``."""

from tests.faults.kills import own_fork_server
from tests.faults.studies import Here, campaign


def test_a_study_that_is_killed_again_and_again_comes_out_as_an_undisturbed_one(tmp_path):
    folder, alone = tmp_path / "disturbed", tmp_path / "alone"
    folder.mkdir()
    alone.mkdir()
    with own_fork_server():
        summary = campaign(folder, alone, kills=4, seed=1, way=Here(), steps=600)
    assert summary["wrong"] == []
    assert sum(summary["ended"].values()) == 4
