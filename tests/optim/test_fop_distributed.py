"""In several processes with the same gradients, as DistributedDataParallel has them, FOP learns the same M.

Two processes take half a batch each; one takes all of it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.optim.built import same

ROOT = Path(__file__).resolve().parents[2]
PER_NODE = (1, 2)


def started(command):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each process of two, and the only one of one, has come to."""
    folder = tmp_path_factory.mktemp("processes")
    ranks = [(rank, count) for count in PER_NODE for rank in range(count)]
    worker = [sys.executable, "-m", "tests.optim.distributed_worker"]
    processes = [started([*worker, str(rank), str(count), str(folder)]) for rank, count in ranks]
    said = [process.communicate(timeout=300)[0].decode() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(ranks), "\n".join(said)
    return {(rank, count): torch.load(folder / f"{rank}of{count}.pt", weights_only=False) for rank, count in ranks}


@pytest.mark.parametrize("kind", ["factored", "low_rank"])
def test_all_processes_have_the_same_m_to_the_last_bit(results, kind):
    first, second = (results[rank, 2][kind] for rank in range(2))
    assert same(first["start"], second["start"]), "the draw, too"
    assert same(first["M"], second["M"]) and same(dict(first["weights"]), dict(second["weights"]))
    assert same(first["state"], second["state"]), "moments and u"
    assert not same(first["start"], first["M"])


@pytest.mark.parametrize("kind", ["factored", "low_rank"])
def test_two_processes_are_as_one_on_the_same_samples(results, kind):
    """In float64: the mean of two halves' gradients is the whole's but for rounding."""
    two, one = results[0, 2][kind], results[0, 1][kind]
    assert same(two["start"], one["start"])
    for what in ("M", "weights"):
        for name, tensor in one[what].items():
            torch.testing.assert_close(two[what][name], tensor, rtol=1e-9, atol=1e-9)


def test_a_guard_decides_the_same_everywhere_and_as_one_process_does(results):
    first, second, one = results[0, 2]["guarded"], results[1, 2]["guarded"], results[0, 1]["guarded"]
    assert first["undone"] == second["undone"] == one["undone"]
    assert 0 < sum(one["undone"]) < len(one["undone"]), "some are undone, and some are not"
    assert first["losses"] == second["losses"] == sorted(first["losses"], reverse=True)
    assert same(first["M"], second["M"]) and same(dict(first["weights"]), dict(second["weights"]))
    torch.testing.assert_close(first["losses"], one["losses"], rtol=1e-9, atol=1e-9)
    for name, M in one["M"].items():
        torch.testing.assert_close(first["M"][name], M, rtol=1e-7, atol=1e-7)


def test_a_loss_that_is_not_finite_in_one_process_is_refused_in_all(results):
    said = [results[rank, 2]["diverged"]["said"] for rank in range(2)]
    assert said[0] == said[1] and "where the step starts" in said[0]


def test_the_example_trains_in_two_processes_as_in_one(tmp_path):
    runs = {}
    for count in PER_NODE:
        file = tmp_path / f"{count}.pt"
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
        runs[count] = file, started([*launcher, "examples/ddp.py", "--steps", "20", "--save", str(file)])
    said = {count: process.communicate(timeout=300)[0].decode() for count, (_, process) in runs.items()}
    for count, (_, process) in runs.items():
        assert process.returncode == 0, said[count]
        assert f"{count} processes, M the same on all of them" in said[count]
    losses = [float(loss) for loss in re.findall(r"step \d+: loss ([\d.]+)", said[2])]
    assert losses[-1] < losses[0] < 2.4
    one, two = (torch.load(runs[count][0]) for count in PER_NODE)
    for what in ("M", "weights"):
        for name, tensor in one[what].items():
            torch.testing.assert_close(two[what][name], tensor, rtol=1e-3, atol=1e-4)
