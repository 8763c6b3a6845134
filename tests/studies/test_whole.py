"""A study whole: real runs, a real dispatcher, a real watcher, and nobody who looks."""

import gzip

import numpy as np
import pytest

from fop_core.runs.run import Run
from fop_core.studies import progress, store, submit
from fop_core.training import datasets
from tests.studies.made import study
from tests.waiting import until

BASE = {"threads": 1, "device": "cpu", "epochs": 2, "batch_size": 32, "snapshots": 1, "data.limit": 200}


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """MNIST, of which 300 images to train on and 50 to test."""
    source, folder = datasets.data_folder() / "MNIST" / "raw", tmp_path / "data"
    folder.mkdir()
    for part, count in (("train", 300), ("t10k", 50)):
        for kind, size in (("images-idx3", 784), ("labels-idx1", 1)):
            file = f"{part}-{kind}-ubyte.gz"
            content = gzip.decompress((source / file).read_bytes())
            head = 16 if size > 1 else 8
            shortened = content[:4] + np.array(count, ">i4").tobytes() + content[8 : head + count * size]
            (folder / file).write_bytes(gzip.compress(shortened))
    monkeypatch.setenv("FOP_DATA_DIR", str(folder))
    return folder


@pytest.mark.long
def test_tuning_reads_no_test_image_and_the_winner_is_reported_by_itself(tmp_path, monkeypatch, digits):
    folder = tmp_path / "runs"
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    images = digits / "t10k-images-idx3-ubyte.gz"
    whole = images.read_bytes()
    images.write_bytes(b"whoever reads this raises")
    plan = study("optimizer.lr=0.01,0.1", methods=["sgd"], seeds=[0], fresh_seeds=[1], base=BASE)
    assert len(submit.submit(plan, folder).queued) == 2
    until(lambda: "failed" in progress.table("s", folder).state, 240)
    table = progress.table("s", folder)
    assert table.state == ["finished", "finished", "failed"] and table.role == ["tune", "tune", "report"]
    assert "t10k-images" in table.reason[2] and not np.isnan(table.last["held_out_accuracy"][:2]).any()
    images.write_bytes(whole)
    assert submit.resume("s", folder).queued == [table.run_id[2]]
    until(lambda: progress.table("s", folder).ended.all(), 240)
    table = progress.table("s", folder)
    assert not np.isnan(table.last["test_accuracy"][2]) and np.isnan(table.last["held_out_accuracy"][2])
    assert (table.evaluation_seconds > 0).all() and (table.peak_memory > 0).all() and (table.seconds > 0).all()
    winner = store.load("s", folder).winners["sgd"]
    assert Run(folder / table.run_id[2]).config["optimizer"]["lr"] == winner["optimizer.lr"]
