"""A run to begin with."""

import pytest

from fop_core.runs import store


@pytest.fixture
def run(tmp_path):
    return store.create({"model": "mlp", "epochs": 2}, name="First run", tags=("a", "b"), folder=tmp_path / "runs")
