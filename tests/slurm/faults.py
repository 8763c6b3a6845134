"""Ends whatever works on jobs in a real Slurm at random moments, and holds each run to the undisturbed result.

python -m tests.slurm.faults --kills 40
python -m tests.slurm.faults --kills 40 --study
"""

import argparse
import collections
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from fop_core.cli import main as fop
from fop_core.jobs import launcher_settings, queue
from fop_core.runs import store
from fop_core.runs.files import RunError
from fop_core.runs.run import Run
from fop_core.training import config
from tests.faults import studies
from tests.faults.kills import outcome, same
from tests.slurm.cluster import NODES, Cluster, missing

SETTINGS = ["threads=1", "snapshots=4", "fop.rank=2", "checkpoint_steps=60", "max_steps=1500"]
SIGNS = {
    "trainer": "train",
    "supervisor": "slurm.supervisor",
    "task": "slurm.task",
    "dispatcher": "jobs.dispatcher",
    "watcher": "studies.watcher",
}
TARGETS = [*SIGNS, "node", "node cut off", "controller", "requeue", "TERM", "preempted"]
AT_ONCE = 3  # runs in Slurm
TAKES = 300.0  # seconds that what is left may take at the end


def new(folder: Path, seed: int) -> Run:
    """Make a run of one of two seeds."""
    settings = config.change(config.preset("mnist-mlp", "fop"), [*SETTINGS, f"seed={seed % 2}"])
    return store.create(settings.to_json(), name=f"run {seed}", folder=folder)


def processes(folder: Path, what: str) -> list[psutil.Process]:
    """Return the living processes of one kind that work on a runs folder."""
    there = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = " ".join(process.cmdline()).split()  # of a fork it is one word
            if any(str(folder) in word for word in words) and any(word.endswith(SIGNS[what]) for word in words):
                there.append(process)
    return there


def disturb(cluster: Cluster, folder: Path, target: str, drawn: random.Random) -> bool:
    """End something; return whether there was such a thing."""
    if target in SIGNS:
        there = processes(folder, target)
        if there:
            with contextlib.suppress(psutil.NoSuchProcess):
                drawn.choice(there).kill()
        return bool(there)
    jobs = cluster.do("squeue", "-h", "-r", "-t", "R", "-p", "main", "-o", "%i", check=False).split()
    if target == "controller":
        cluster.kill_controller()
    elif target in ("requeue", "TERM"):
        if jobs:
            words = ["scontrol", "requeue"] if target == "requeue" else ["scancel", "--signal=TERM", "--batch"]
            cluster.do(*words, drawn.choice(jobs), check=False)
        return bool(jobs)
    elif target == "preempted":
        script = "#!/bin/sh\nsleep 1\n"
        cluster.do("sbatch", "-p", "urgent", "-N1", "--exclusive", "-o", "/dev/null", content=script, check=False)
    else:
        node = drawn.choice(NODES)
        if target == "node":
            cluster.kill_node(node)
        else:
            cluster.cut_off(node)
        cluster.do("scontrol", "update", f"nodename={node}", "state=down", "reason=test", check=False)
    return True


def campaign(cluster: Cluster, folder: Path, kills: int, seed: int) -> dict[str, Any]:
    """End something so often; return what was ended, and what is wrong."""
    drawn = random.Random(seed)
    alone = folder.with_name("alone")
    undisturbed = []
    for number in range(2):
        run = new(alone, number)
        if fop(["train", "--run", str(run.path), "--quiet"]):
            raise AssertionError(run.log())
        undisturbed.append(outcome(run))
    launcher_settings.choose(folder, "slurm", partition="main")
    runs: list[Run] = []
    resumed: collections.Counter[str] = collections.Counter()
    ended: collections.Counter[str] = collections.Counter()

    def see_to() -> int:
        """Resume what was ended; return how many are left."""
        queue.ensure_dispatcher(folder)
        for run in runs:
            state = run.state
            if state.state in ("failed", "lost", "stopped") and not run.has_request("start"):
                with contextlib.suppress(RunError):  # somebody else has put it right meanwhile
                    queue.submit(run)
                    resumed[f"{state.state}, {state.cause or state.by or 'no cause'}"] += 1
        return sum(run.state.state != "finished" for run in runs)

    while sum(ended.values()) < kills:
        while see_to() < AT_ONCE:
            runs.append(new(folder, len(runs)))
            queue.submit(runs[-1])
        time.sleep(drawn.uniform(0.2, 4))
        target = drawn.choice(TARGETS)
        if disturb(cluster, folder, target, drawn):
            ended[target] += 1
            print(f"{time.strftime('%H:%M:%S')} {target}", flush=True)
            time.sleep(drawn.uniform(0, 2))
            cluster.heal(wait=False)
    late = time.monotonic() + TAKES
    while see_to() and time.monotonic() < late:
        time.sleep(0.3)
        cluster.heal(wait=False)
    wrong = [f"{run.id} is {run.state}: {run.log(2000)}" for run in runs if run.state.state != "finished"]
    for number, run in enumerate(runs):
        if run.state.state == "finished" and not all(map(same, outcome(run), undisturbed[number % 2])):
            wrong.append(f"{run.id} has another result than the undisturbed one")
    attempts = sum(len(run.attempts) for run in runs)
    return {"runs": len(runs), "attempts": attempts, "ended": dict(ended), "resumed": dict(resumed), "wrong": wrong}


class InSlurm:
    """How a study is worked on by a cluster, and disturbed."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def prepare(self, folder: Path) -> None:
        """Have Slurm start what the folder's queue has."""
        os.environ["FOP_RUNS_DIR"] = str(folder)
        launcher_settings.choose(folder, "slurm", partition="main")

    def disturb(self, folder: Path, drawn: random.Random) -> str:
        """End something; return what it was, "" where there was no such thing."""
        target = drawn.choice(TARGETS)
        return target if disturb(self.cluster, folder, target, drawn) else ""

    def settle(self, folder: Path) -> list[str]:
        """Bring nodes and controller back, which nobody's program can."""
        self.cluster.heal(wait=False)
        return []


def of_a_study(cluster: Cluster, folder: Path, kills: int, seed: int, steps: int = 1500) -> dict[str, Any]:
    """End something of a study so often, see ``tests.faults.studies.campaign``."""
    alone = folder.with_name("alone")
    alone.mkdir()
    return studies.campaign(
        folder,
        alone,
        kills,
        seed,
        InSlurm(cluster),
        steps,
        lambda text: print(time.strftime("%H:%M:%S"), text, flush=True),
    )


def main() -> int:
    """Print what came of it; the exit status is 1 where something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--study", action="store_true", help="of a study, not of single runs")
    chosen = parser.parse_args()
    if why := missing():
        print(f"left out: {why}")
        return 0
    with tempfile.TemporaryDirectory() as slot:
        cluster = Cluster(Path(slot) / "slurm")
        folder = Path(slot) / "runs"
        folder.mkdir()
        os.environ |= {
            "FOP_RUNS_DIR": str(folder),
            "SLURM_CONF": str(cluster.config),
            "FOP_SLURM_SECONDS": "0.5",
            "FOP_SLURM_GRACE": "2",
            "OMP_NUM_THREADS": "1",
        }
        begun = time.monotonic()
        try:
            cluster.start()
            summary = (of_a_study if chosen.study else campaign)(cluster, folder, chosen.kills, chosen.seed)
        finally:
            cluster.stop()
    print(json.dumps(summary | {"seconds": round(time.monotonic() - begun)}, indent=1))
    return bool(summary["wrong"])


if __name__ == "__main__":
    sys.exit(main())
