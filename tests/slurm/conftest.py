"""A cluster for all tests of the folder, and a runs folder whose jobs go to it."""

import pytest

from fop_core.jobs import launcher_settings
from tests.slurm.cluster import Cluster, missing


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    if why := missing():
        pytest.skip(why)
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def folder(tmp_path, monkeypatch, cluster):
    folder = tmp_path / "runs"
    folder.mkdir()
    settings = {
        "FOP_RUNS_DIR": str(folder),
        "SLURM_CONF": str(cluster.config),
        "FOP_SLURM_SECONDS": "0.3",
        "FOP_SLURM_GRACE": "1",
        "OMP_NUM_THREADS": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    launcher_settings.choose(folder, "slurm", partition="main")
    cluster.heal()  # whatever the test before has left
    return folder
