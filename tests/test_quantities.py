"""The table of quantities knows all that runs log, and says of it what is true."""

import numpy as np
import pytest

from fop_core import quantities
from fop_core.quantities import QUANTITIES
from fop_core.runs import GALLERY, load

NAMES = sorted(path.name for path in GALLERY.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", NAMES)
def test_what_was_logged_is_in_the_table_and_in_its_range(name):
    metrics = load(str(GALLERY / name)).metrics
    for column in metrics.columns:
        quantity = QUANTITIES[column.partition("/")[0]]
        assert quantity.layered == ("/" in column)
        values = metrics[column].values
        values = values[~np.isnan(values)]
        low, high = quantity.span
        assert (values >= low - 1e-6).all() and (values <= high + 1e-6).all(), column


def test_a_column_of_a_newer_run_is_called_by_its_name():
    assert quantities.title("angle_deg/3.weight") == "degrees between g and P g, 3.weight"
    assert quantities.title("its_depth/a/b") == "its depth, a/b"
    assert not quantities.of("its_accuracy").percent


def test_ranges_are_told():
    ranges = {name: QUANTITIES[name].range for name in ("alignment", "lr", "descent")}
    assert ranges == {"alignment": "−1 to 1", "lr": "from 0", "descent": ""}
