"""The short form of ``make faults``."""

from tests.faults.kills import campaign


def test_random_kills_lose_nothing(tmp_path):
    found = campaign(tmp_path, kills=4, seed=1, server=False)
    assert found["wrong"] == []
    assert sum(found["kills by phase"].values()) == 4
