"""Kills parts of the queue at random moments, and says what came of it.

    python -m tests.faults.kills [--kills 200] [--seed 0]

A queue of short MNIST runs goes on two slots. Again and again a run is waited for in some phase, and its trainer, its
supervisor, the dispatcher, the fork server, the web server, or all of them get SIGKILL. Then the queue is looked at
once, as a person would. Nothing may be lost, stuck, left behind or damaged, and each run must end as one that nobody
disturbed.
"""

import argparse
import collections
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import psutil

from fop_core import warm
from fop_core.jobs import queue, slots
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE, ENDED
from fop_core.training import config

ROOT = Path(__file__).resolve().parents[2]
STEPS = 1500
SETTINGS = [f"max_steps={STEPS}", "threads=1", "snapshots=6", "log_every=10", "checkpoint_steps=100", "fop.rank=2"]
TAKES = 15.0  # seconds in which every run must be in its true state
PHASES = {
    "queued": 1,
    "starting": 3,
    "before the first row": 2,
    "after the first row": 9,
    "checkpointing": 3,
    "stopping": 2,
}
TARGETS = {
    "trainer": 4,
    "supervisor": 4,
    "dispatcher": 2,
    "fork server": 2,
    "web server": 1,
    "trainer and supervisor": 2,
    "all": 2,
}
UNTOLD = ("seconds", "samples_per_second")  # columns that no two runs share


def processes(folder: Path) -> dict[str, list[psutil.Process]]:
    """Return the living processes that work on a runs folder, by what they are."""
    by_role = collections.defaultdict(list)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if process.status() == psutil.STATUS_ZOMBIE or not any(str(folder) in word for word in words):
                continue
            for name, sign in (
                ("trainer", "train"),
                ("supervisor", "fop_core.jobs.supervisor"),
                ("dispatcher", "fop_core.jobs.dispatcher"),
                ("watcher", "fop_core.studies.watcher"),
            ):
                if sign in words:
                    by_role[name].append(process)
    return by_role


def fork_servers() -> list[psutil.Process]:
    """Return the process that has torch loaded, from which jobs are forked here, where it is there."""
    words = ["fop_core.jobs.fork_server", str(warm.home())]
    servers = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[3:5] == words:
                servers.append(process)
    return servers


@contextlib.contextmanager
def own_fork_server() -> Iterator[None]:
    """For the while, have a process that has torch loaded for us alone: others' is not ours to kill."""
    with tempfile.TemporaryDirectory(prefix="fop-") as folder, patch.dict(os.environ, XDG_RUNTIME_DIR=folder):
        yield


def of(run: Run, processes: list[psutil.Process]) -> list[psutil.Process]:
    """Return those that work on one run."""
    matches = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            if str(run.path) in process.cmdline():
                matches.append(process)
    return matches


def phase(run: Run) -> str:
    """Return where a run stands."""
    state = run.state.state
    if state != "running":
        return state
    if any(name.startswith(".") for name in os.listdir(run.path / "checkpoints")):
        return "checkpointing"
    attempts = sorted(run.path.glob("metrics.*.jsonl"))
    return "after the first row" if attempts and attempts[-1].stat().st_size else "before the first row"


def wait_for(run: Run, wanted: str, seconds: float) -> bool:
    """Bring a run into a phase, and return whether it came there."""
    end = time.monotonic() + seconds
    requested = False
    while time.monotonic() < end:
        here = phase(run)
        if here == wanted:
            return True
        if here in ENDED:
            return False
        if here == "after the first row" and not requested and wanted in ("checkpointing", "stopping"):
            requested = True
            run.request("checkpoint" if wanted == "checkpointing" else "stop", "the test")
        time.sleep(0.001 if requested else 0.01)
    return False


class Server:
    """The web app, on a free port."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(self.port)]
        command += ["--server.headless", "true"]
        environment = {**os.environ, "FOP_RUNS_DIR": str(folder)}
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)

    def kill(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait()


def settle(folder: Path) -> list[str]:
    """Look at the queue once; return what is wrong after the time that it has for coming right."""
    queue.ensure_dispatcher(folder)
    end = time.monotonic() + TAKES
    while True:
        wrong = []
        there = processes(folder)
        runs = list(store.directories(folder))
        for run in runs:
            state = run.state.state
            working = of(run, there["trainer"])
            over = of(run, there["supervisor"])
            if state in ALIVE and not over and not working:
                wrong.append(f"{run.id} is {state} and nobody works on it")
            if working and not over:
                wrong.append(f"{run.id} has a trainer without a supervisor")
            if working and state in ENDED and not over:
                wrong.append(f"{run.id} is {state} and has a trainer")
        if not wrong:
            return []
        if time.monotonic() > end:
            return wrong
        time.sleep(0.1)


def outcome(run: Run) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return what a finished run has come to: its metrics, and its last checkpoint."""
    run.metrics.update()
    if run.metrics.damaged:
        raise AssertionError(f"{run.id}: {run.metrics.damaged}")
    table = {name: values for name, values in run.metrics.table().items() if name not in UNTOLD}
    arrays, _ = run.checkpoint(run.checkpoint_steps()[-1])
    arrays = {name: array for name, array in arrays.items() if "seconds" not in name}
    for step in run.snapshot_steps():
        run.snapshot(step)
    return table, arrays


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Return whether arrays are identical, name by name."""
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=one[name].dtype.kind == "f") for name in one
    )


def new(folder: Path, seed: int) -> Run:
    """Make a short run and put it into the queue."""
    settings = config.change(config.preset("mnist-mlp", "fop"), [*SETTINGS, f"seed={seed % 2}"])
    run = store.create(settings.to_json(), name=f"run {seed}", folder=folder)
    queue.submit(run)
    return run


def campaign(folder: Path, kills: int, seed: int, *, server: bool, report=lambda text: None) -> dict:
    """Kill so often; return kills by phase and by target, and what was wrong.

    Args:
        folder: an empty runs folder.
        kills: how many.
        seed: of what is killed and when.
        server: whether a web server looks on, and is killed too.
        report: called for each kill.
    """
    with own_fork_server():
        return _campaign(folder, kills, seed, server, report)


def _campaign(folder: Path, kills: int, seed: int, server: bool, report) -> dict:
    drawn = random.Random(seed)
    slots.choose(folder, cpu_slots=2)
    undisturbed = [new(folder, each) for each in (0, 1)]
    reference = {run.config["seed"]: outcome(finished(run, 120)) for run in undisturbed}
    web = Server(folder) if server else None
    by_phase: collections.Counter[str] = collections.Counter()
    by_target: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    runs: list[Run] = []
    targets = {name: weight for name, weight in TARGETS.items() if server or name != "web server"}
    try:
        while by_phase.total() < kills:
            for run in runs:
                if run.state.state in ("lost", "failed", "stopped") and not (run.path / "requests/start").exists():
                    queue.submit(run)
            while sum(run.state.state != "finished" for run in runs) < 3:
                runs.append(new(folder, len(runs)))
            going = [run for run in runs if run.state.state not in ENDED]
            if not going:  # all were asked for again, and none has been brought into the queue yet
                queue.ensure_dispatcher(folder)
                time.sleep(0.1)
                continue
            wanted = drawn.choices(list(PHASES), list(PHASES.values()))[0]
            run = drawn.choice(going[:2] if wanted != "queued" else going[-1:])
            if not wait_for(run, wanted, 15):
                continue
            if wanted not in ("checkpointing", "stopping"):
                time.sleep(drawn.random() * 0.3)
            target = drawn.choices(list(targets), list(targets.values()))[0]
            moment = phase(run)
            if moment in ENDED:
                continue
            if not kill(target, run, folder, web):
                continue
            by_phase[moment] += 1
            by_target[target] += 1
            report(f"{by_phase.total()}: {target} while {moment}")
            wrong += [f"kill {by_phase.total()} ({target} while {moment}): {each}" for each in settle(folder)]
            if web is not None and web.process.poll() is not None:
                web = Server(folder)
        for run in runs:
            table, arrays = outcome(finished(run, 120))
            if not (same(table, reference[run.config["seed"]][0]) and same(arrays, reference[run.config["seed"]][1])):
                wrong.append(f"{run.id} has ended otherwise than an undisturbed run")
    finally:
        if web is not None:
            web.kill()
    end = time.monotonic() + TAKES
    while (left := [p for each in processes(folder).values() for p in each]) and time.monotonic() < end:
        time.sleep(0.1)
    wrong += [f"left behind: {process}" for process in left]
    damaged = [f"{run.id}: {damage}" for run, damage in store.scan(folder) if damage]
    return {
        "runs": len(runs),
        "kills by phase": dict(by_phase),
        "kills by target": dict(by_target),
        "wrong": wrong + damaged,
    }


def kill(target: str, run: Run, folder: Path, web: Server | None) -> bool:
    """Kill something; return whether there was such."""
    there = processes(folder)
    victims = []
    if target in ("trainer", "trainer and supervisor"):
        victims += of(run, there["trainer"])
    if target in ("supervisor", "trainer and supervisor"):
        victims += of(run, there["supervisor"])
    if target == "dispatcher":
        victims += there["dispatcher"]
    if target == "fork server":
        victims += fork_servers()
    if target == "all":
        victims = [process for each in there.values() for process in each] + fork_servers()
    killed = bool(victims)
    for process in victims:
        with contextlib.suppress(psutil.NoSuchProcess):
            os.kill(process.pid, signal.SIGKILL)
    if web is not None and target in ("web server", "all"):
        web.kill()
        killed = True
    return killed


def finished(run: Run, seconds: float) -> Run:
    """Wait until a run is finished, and go on with it as often as that needs."""
    end = time.monotonic() + seconds
    while run.state.state != "finished":
        if run.state.state in ("lost", "failed", "stopped") and not (run.path / "requests/start").exists():
            queue.submit(run)
        queue.ensure_dispatcher(run.path.parent)
        if time.monotonic() > end:
            raise AssertionError(f"{run.id} is not finished but {run.state}:\n{run.log()}")
        time.sleep(0.2)
    return run


def main() -> int:
    """Run a campaign; print its table; return 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        summary = campaign(
            Path(folder), chosen.kills, chosen.seed, server=True, report=lambda text: print(text, flush=True)
        )
    print(f"\n{chosen.kills} kills over {summary['runs']} runs in {time.monotonic() - began:.0f} s\n")
    for title in ("kills by phase", "kills by target"):
        print(f"| {title} | kills |\n| --- | --- |")
        for name, count in sorted(summary[title].items(), key=lambda pair: -pair[1]):
            print(f"| {name} | {count} |")
        print()
    print(
        "\n".join(summary["wrong"])
        or "nothing lost, stuck, left behind or damaged; every run ended as an undisturbed one"
    )
    return bool(summary["wrong"])


if __name__ == "__main__":
    sys.exit(main())
