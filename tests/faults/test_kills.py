"""The short form of ``make faults``."""

from tests.faults.kills import campaign


def test_random_kills_lose_nothing(tmp_path):
    summary = campaign(tmp_path, kills=4, seed=1, server=False)
    assert summary["wrong"] == []
    assert sum(summary["kills by phase"].values()) == 4
