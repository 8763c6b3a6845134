"""The short form of ``python -m tests.faults.damages``."""

from tests.faults.damages import campaign


def test_what_is_damaged_around_a_job_ends_no_job(tmp_path):
    counts, wrong = campaign(tmp_path, jobs=1, seed=1, compare=False)
    assert wrong == []
    assert sum(counts.values()) >= 3
