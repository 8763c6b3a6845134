"""Damages what lies around a running job, and says what came of it.

    python -m tests.faults.damages [--jobs 20] [--seed 0]

While a short MNIST run goes on, and another waits: a file of a neighbour becomes anything, its own state.json cannot be
read for a while, the lock of a free slot is replaced, and the machine gets another name. The job must go on, with the
same trainer, to the end that an undisturbed one comes to; the queue must be listed, and say what is wrong.
"""

import argparse
import collections
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fop_core import isolated
from fop_core.jobs import queue, requests, slots
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.runs.state import ALIVE
from fop_core.training import config
from tests import damage
from tests.faults.kills import SETTINGS, finished, of, processes, same

STEPS = 20_000  # at most: the job is stopped when all has been done to it
ENDS = 60.0  # seconds in which any command ends: a pipe would be waited for until then


class Job:
    """A run that is being trained, one that waits behind it, and what is done to them.

    Args:
        folder: the runs folder.
        drawn: of what is replaced by what.
    """

    def __init__(self, folder: Path, drawn: random.Random) -> None:
        self.folder, self.drawn = folder, drawn
        self.wrong: list[str] = []
        slots.choose(folder, cpu_slots=1)
        self.run = self._new(STEPS)
        while self.run.step() < 10:
            queue.ensure_dispatcher(folder)
            time.sleep(0.05)
        (self.trainer,) = of(self.run, processes(folder)["trainer"])

    def _new(self, steps: int) -> Run:
        settings = config.change(config.preset("mnist-mlp", "fop"), [*SETTINGS, f"max_steps={steps}", "epochs=1000"])
        run = store.create(settings.to_json(), name="job", folder=self.folder)
        queue.submit(run)
        return run

    def check(self, what: str) -> None:
        """Note where the job is not going on."""
        if not self.trainer.is_running() or self.run.state.state != "running":
            self.wrong.append(f"{what}: the job is {self.run.state}: {self.run.log()[-500:]}")

    def command(self, *words: str, name: str = "") -> str:
        """Run ``queue``, on the machine of another name where one is given; return what it prints, with its status."""
        command = isolated.command("fop_core", "queue", "--folder", str(self.folder), *words)
        if name:
            command = ["unshare", "--uts", "sh", "-c", f'hostname {name} && exec "$@"', "sh", *command]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=ENDS,
            env=isolated.environment(),
            cwd="/",
            stdin=subprocess.DEVNULL,
        )
        if "Traceback" in done.stderr:
            self.wrong.append(f"queue {' '.join(words)}: {done.stderr}")
        return f"{done.stdout}{done.stderr}status {done.returncode}"

    def damage_neighbour(self) -> str:
        """Replace something of a run that waits by anything."""
        neighbour, other = self._new(5), self._new(5)
        part = self.drawn.choice(damage.parts(neighbour.path))
        kind, replace = self.drawn.choice(damage.KINDS)
        replace(neighbour.path / part)
        listed = self.command("list")
        cleared = self.command("clear")
        for run, text in ((self.run, listed), (other, listed), (other, cleared)):
            if run.id not in text:
                self.wrong.append(f"{part or 'a run'} replaced by {kind}: {run.id} is not in {text}")
        if other.id in {run.id for run in queue.waiting(self.folder)} or other.state.state != "stopped":
            self.wrong.append(f"{part or 'a run'} replaced by {kind}: {other.id} did not leave the queue: {cleared}")
        damage.remove(neighbour.path)
        return f"a neighbour's {part or 'directory'}"

    def hide_state(self) -> str:
        """Replace the job's own state.json for some looks of its supervisor."""
        path = self.run.path / "state.json"
        aside = self.run.path / "state.aside"
        os.rename(path, aside)
        _, replace = self.drawn.choice(damage.KINDS)
        replace(path)
        self.command("list")
        time.sleep(0.5)
        damage.remove(path)
        os.replace(aside, path)
        return "its state.json"

    def replace_lock(self) -> str:
        """Replace the lock of a free slot by a link or something else."""
        slots.choose(self.folder, cpu_slots=2)
        lock = slots.locks_folder(self.folder) / "cpu-1.lock"
        victim = self.folder / ".victim"
        victim.write_text("precious")
        make: Callable[[Path], None] = self.drawn.choice(
            [os.mkfifo, os.mkdir, lambda path: os.symlink(victim, path), lambda path: os.link(victim, path)]
        )
        damage.remove(lock)
        make(lock)
        waits = self._new(5)
        time.sleep(1)  # some looks of the dispatcher
        listed = self.command("list")
        if str(lock) not in listed or waits.state.state != "queued":
            self.wrong.append(f"a lock that is no file: {waits.state}; {listed}")
        if victim.read_text() != "precious":
            self.wrong.append("a file was written to through a lock")
        self.command("clear")
        damage.remove(lock)
        slots.choose(self.folder, cpu_slots=1)
        return "the lock of a slot"

    def rename_machine(self) -> str:
        """Submit under another name of this machine, and take it out under this one."""
        submitted = self.command("submit", "--preset", "mnist-mlp", "--set", "max_steps=5", name="renamed")
        if len(processes(self.folder)["dispatcher"]) != 1:
            self.wrong.append(f"the machine renamed: {len(processes(self.folder)['dispatcher'])} dispatchers")
        ids = [run.id for run in queue.waiting(self.folder)]
        if len(ids) != 1 or ids[0] not in submitted or "the dispatcher of" in self.command("list"):
            self.wrong.append(f"the machine renamed: {ids} wait after {submitted}")
        if "1 taken out" not in (cleared := self.command("clear", name="renamed-again")):
            self.wrong.append(f"the machine renamed: {cleared}")
        return "the machine's name"

    def end(self) -> Run:
        """Stop the job, and note where it has not come to a good end."""
        queue.stop(self.run, "the test")
        end = time.monotonic() + ENDS
        while self.run.state.state in ALIVE and time.monotonic() < end:
            time.sleep(0.1)
        if self.run.state.state != "stopped" or len(self.run.attempts) != 1:
            self.wrong.append(
                f"the job is {self.run.state} in attempt {len(self.run.attempts)}: {self.run.log()[-500:]}"
            )
        return self.run


def _model(run: Run) -> dict[str, np.ndarray]:
    arrays, _ = run.checkpoint(run.checkpoint_steps()[-1])
    return {name: array for name, array in arrays.items() if name.startswith("model/")}


def can_rename() -> bool:
    """Return whether a process can be given another name of this machine."""
    try:
        return requests.MACHINE_ID.exists() and not subprocess.run(["unshare", "--uts", "true"]).returncode
    except FileNotFoundError:
        return False


def campaign(folder: Path, jobs: int, seed: int, *, compare: bool) -> tuple[dict[str, int], list[str]]:
    """Do everything to so many jobs; return how often what was damaged, and what was wrong.

    Args:
        folder: an empty runs folder.
        jobs: how many.
        seed: of what is replaced by what.
        compare: whether an undisturbed run of as many steps must come to the same.
    """
    drawn = random.Random(seed)
    counts: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    for number in range(jobs):
        job = Job(folder / str(number), drawn)
        faults = [job.damage_neighbour, job.hide_state, job.replace_lock, *([job.rename_machine] * can_rename())]
        drawn.shuffle(faults)
        for fault in faults:
            what = fault()
            counts[what] += 1
            job.check(what)
        run = job.end()
        wrong += [f"job {number + 1}: {each}" for each in job.wrong]
        if compare and not job.wrong:
            until = {**run.config, "max_steps": run.checkpoint_steps()[-1]}
            undisturbed = store.create(until, folder=job.folder)
            queue.submit(undisturbed)
            finished(undisturbed, 300)
            if not same(*(_model(each) for each in (undisturbed, run))):
                wrong.append(f"job {number + 1} has ended otherwise than an undisturbed one")
    return dict(counts), wrong


def main() -> int:
    """Run a campaign; print its table; return 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts, wrong = campaign(Path(folder), chosen.jobs, chosen.seed, compare=True)
    print("| damaged while a job ran | times |\n| --- | --- |")
    for what, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        print(f"| {what} | {count} |")
    print("\n" + ("\n".join(wrong) or "every job went on to the end of an undisturbed one, and all was named"))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
