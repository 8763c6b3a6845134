"""What ships of the paper's studies is what its settings train to, as its reader can see by one command."""

import os
import subprocess
import sys

import pytest

from fop_core.reproduction import shipped
from tests.sampled import sampled


@pytest.mark.parametrize("method", sampled(["momentum", "k16"], 2))
def test_a_run_that_ships_is_replayed_with_one_and_with_two_threads(tmp_path, method):
    best = shipped.load("paper-2-best")
    few = shipped.Packed(best.study, tuple(best.of(method)[:1]), best.matrices)
    run = shipped.unpack(few, tmp_path / "runs")[0]
    command = [sys.executable, "-m", "fop_core", "runs", "replay", str(run.path), "--steps", "20"]
    for threads in ("1", "2"):  # of the shell: the run has those of its first attempt
        environment = os.environ | {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        replayed = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert replayed.returncode == 0, replayed.stderr
        assert replayed.stdout.startswith((f"{run.id}: identical", f"{run.id}: the same but for rounding"))
