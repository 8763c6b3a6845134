"""Where a fork comes from, as its run.json says."""

import pytest

from fop_core.runs import store
from fop_core.runs.files import DamagedFile
from fop_core.runs.lineage import Origin, origin

FORK = {"parent": "its parent", "step": 6, "matrices": "frozen"}
TRANSPLANT = FORK | {"matrices": "transplanted", "donor": "its donor", "donor_step": 4}


def test_a_fork_says_where_it_comes_from_and_a_clone_is_none(tmp_path):
    assert origin(store.create({}, lineage=FORK, folder=tmp_path)) == Origin("its parent", 6, "frozen")
    transplant = store.create({}, lineage=TRANSPLANT, folder=tmp_path)
    assert origin(transplant) == Origin("its parent", 6, "transplanted", "its donor", 4)
    for lineage in ({"parent": "its parent"}, {}):
        assert origin(store.create({}, lineage=lineage, folder=tmp_path)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        FORK | {"step": "6"},
        FORK | {"step": 0},
        FORK | {"parent": None},
        FORK | {"matrices": "odd"},
        FORK | {"donor": "x"},
        FORK | {"donor": "x", "donor_step": 4},
        FORK | {"matrices": "transplanted"},
    ],
)
def test_a_lineage_that_is_none_is_refused(wrong, tmp_path):
    run = store.create({}, lineage=wrong, folder=tmp_path)
    with pytest.raises(DamagedFile, match="a lineage of no fork"):
        origin(run)
