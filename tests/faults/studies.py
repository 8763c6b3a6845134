"""Kills what works on a study at random moments, and holds it and each of its runs to an undisturbed one.

    python -m tests.faults.studies [--kills 60] [--seed 0]

A study of short MNIST runs tunes the rates of two methods and reports the winners with a fresh seed. Again and again a
trainer, a supervisor, the dispatcher, the fork server, the study's watcher, or all of them get SIGKILL. Then somebody
looks once, by `study status`, and goes on with what was lost by `study resume`. Nothing may be lost or made twice, and
all comes out as if nobody had disturbed it.
"""

import argparse
import collections
import contextlib
import io
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
import psutil

from fop_core.cli import main as fop
from fop_core.jobs import slots
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.studies import progress, submit
from fop_core.studies.progress import StudyTable
from tests.faults.kills import fork_servers, outcome, own_fork_server, processes, same, settle
from tests.studies.made import study

BASE = {"threads": 1, "device": "cpu", "snapshots": 2, "log_every": 10, "checkpoint_steps": 100}
TARGETS = {"trainer": 4, "supervisor": 4, "watcher": 3, "dispatcher": 2, "fork server": 1, "all": 2}
PAUSE = 6.0  # seconds between two kills, at most: so that there is something to lose
TAKES = 600.0  # seconds in which a study that is disturbed no more must end


class Way(Protocol):
    """How a study is worked on, and disturbed."""

    def prepare(self, folder: Path) -> None:
        """Set a new runs folder up."""

    def disturb(self, folder: Path, drawn: random.Random) -> str:
        """End something; return what it was, "" where there was no such thing."""

    def settle(self, folder: Path) -> list[str]:
        """Mend what nobody's program can, before each look; return what has not come right by itself."""


class Here:
    """On this machine, on two slots."""

    def prepare(self, folder: Path) -> None:
        """Give the folder two slots."""
        slots.choose(folder, cpu_slots=2)

    def disturb(self, folder: Path, drawn: random.Random) -> str:
        """Kill one of what works on the folder, or all."""
        there = processes(folder)
        there["fork server"] = fork_servers()
        target = drawn.choices(list(TARGETS), list(TARGETS.values()))[0]
        victims = [each for kind in there.values() for each in kind] if target == "all" else there[target][:1]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        return target if victims else ""

    def settle(self, folder: Path) -> list[str]:
        """Look at the queue once, and wait until each run is in its true state."""
        return settle(folder)


def followed(folder: Path) -> StudyTable:
    """Look at the study as a person does, and go on with what was lost; return its table."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        fop(["study", "--folder", str(folder), "status", "s"])
        table = progress.table("s", folder)
        if any(state in ("lost", "failed", "stopped", "missing") for state in table.state):
            fop(["study", "--folder", str(folder), "resume", "s"])
            table = progress.table("s", folder)
    return table


def complete(table: StudyTable) -> bool:
    """Return whether all runs of a study are finished, those of the winners too."""
    expected = len(table.study.methods) * len(table.study.fresh_seeds or ())
    return set(table.state) == {"finished"} and len(table.rows("report")) == expected


def begin(folder: Path, steps: int) -> None:
    """Submit the study."""
    base = BASE | {"max_steps": steps}
    made = study("optimizer.lr=0.02,0.1", methods=["momentum", "fop"], seeds=[0], fresh_seeds=[1], base=base)
    submit.submit(made, folder)


def until_complete(folder: Path, between: Callable[[Path], None]) -> StudyTable:
    """Look at a study again and again until it is complete; do something between two looks."""
    late = time.monotonic() + TAKES
    while not complete(table := followed(folder)):
        if time.monotonic() > late:
            raise AssertionError(f"the study is not complete: {list(zip(table.key, table.state, table.reason))}")
        between(folder)
    return table


def differences(table: StudyTable, reference: StudyTable) -> list[str]:
    """Return in what a study has come out otherwise than another one of the same plan."""
    wrong = []
    if table.stored.winners != reference.stored.winners:
        wrong.append(f"other winners: {table.stored.winners}, undisturbed {reference.stored.winners}")
    made, known = {run.id for run in store.directories(table.stored.folder)}, set(table.run_id)
    if made != known or len(known) != len(table.key):
        wrong.append(f"runs that are no cell's, or cells without: {made ^ known}")
    if sorted(table.key) != sorted(reference.key):
        return [*wrong, f"other cells: {set(table.key) ^ set(reference.key)}"]
    for index, key in enumerate(table.key):
        other = reference.key.index(key)
        run, undisturbed = Run(table.stored.folder / table.run_id[index]), reference.run_id[other]
        if not all(map(same, outcome(run), outcome(Run(reference.stored.folder / undisturbed)))):
            wrong.append(f"{run.id} has ended otherwise than an undisturbed run")
        for name, values in table.last.items():
            if not np.array_equal(values[index], reference.last[name][other], equal_nan=True):
                wrong.append(f"{run.id}: the study has another {name}")
    return wrong


def campaign(
    folder: Path,
    alone: Path,
    kills: int,
    seed: int,
    way: Way,
    steps: int = 1500,
    report: Callable[[str], None] = lambda text: None,
) -> dict:
    """Disturb studies so often; return how many there were, what was ended, and what is wrong.

    Args:
        folder: an empty one, in which each study gets a runs folder.
        alone: the empty runs folder of the undisturbed study, worked on here.
        kills: how many.
        seed: of what is ended and when.
        way: how the studies are worked on and disturbed.
        steps: of each run.
        report: called each time that something was ended.
    """
    drawn, ended, wrong, number = random.Random(seed), collections.Counter[str](), list[str](), 0

    def disturb(runs: Path) -> None:
        time.sleep(drawn.uniform(0.1, PAUSE))
        if ended.total() < kills and (target := way.disturb(runs, drawn)):
            ended[target] += 1
            report(f"{ended.total()}: {target}")
        wrong.extend(f"after kill {ended.total()}: {each}" for each in way.settle(runs))

    Here().prepare(alone)
    begin(alone, steps)
    reference = until_complete(alone, lambda _: time.sleep(0.5))
    while ended.total() < kills:
        number += 1
        runs = folder / str(number)
        runs.mkdir()
        way.prepare(runs)
        begin(runs, steps)
        table = until_complete(runs, disturb)
        wrong.extend(f"study {number}: {each}" for each in differences(table, reference))
        wrong.extend(f"study {number}: {run.id}: {damage}" for run, damage in store.scan(runs) if damage)
    return {"studies": number, "runs": number * len(reference.key), "ended": dict(ended), "wrong": wrong}


def main() -> int:
    """Run a campaign; print what came of it; return 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as slot, own_fork_server():
        folder, alone = Path(slot) / "disturbed", Path(slot) / "alone"
        folder.mkdir()
        alone.mkdir()
        summary = campaign(
            folder, alone, chosen.kills, chosen.seed, Here(), report=lambda text: print(text, flush=True)
        )
    print(f"\n{chosen.kills} kills over {summary['studies']} studies of {summary['runs']} runs in all", end="")
    print(f" in {time.monotonic() - began:.0f} s\n\n| what | kills |\n| --- | --- |")
    for name, count in sorted(summary["ended"].items(), key=lambda pair: -pair[1]):
        print(f"| {name} | {count} |")
    print(
        "\n" + ("\n".join(summary["wrong"]) or "nothing lost or made twice; all came out as in the undisturbed study")
    )
    return bool(summary["wrong"])


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
