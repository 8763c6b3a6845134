"""What a plan's study takes, before it is launched."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fop_core.reproduction.plans import Plan
from fop_core.reproduction.rerun import study_of
from fop_core.runs import store as runs
from fop_core.studies import predict
from fop_core.studies.cells import cells, count
from fop_core.studies.predict import Prediction
from pages.shared import run_text

HOUR = 3600.0


@dataclass(frozen=True)
class Cost:
    """What a study takes.

    Attributes:
        runs: how many it has.
        time: in words, with what that comes from.
        disk: in words.
        known: whether time and disk follow from runs like these, or from a probe.
    """

    runs: int
    time: str
    disk: str
    known: bool


def runs_of(plan: Plan, quick: bool) -> int:
    """Return how many runs a plan's study has."""
    return sum(count(study_of(plan, quick)))


def runs_of_all(plans: Sequence[Plan], quick: bool) -> int:
    """Return how many runs several plans' studies have: one that two of them need is made once."""
    keys = [cell.key for plan in plans for cell in cells(study_of(plan, quick))]
    return sum(runs_of(plan, quick) for plan in plans) - (len(keys) - len(set(keys)))


def run_count(number: int) -> str:
    """Return so many runs: "1 run", "6 runs"."""
    return f"{number:,} run{'s' * (number != 1)}"


def planned(plan: Plan) -> str:
    """Return what all of a plan takes, in words: "15 runs, 41 GPU hours (assumed, …)"."""
    unit = "GPU hours" if plan.gpu else "hours of one core"
    hours = f"{plan.hours:,.0f}" if plan.hours >= 10 else f"{plan.hours:.1f}"
    return f"{run_count(plan.runs)}, {hours} {unit} ({plan.measured_on})"


def cost(plan: Plan, quick: bool, probed: Prediction | None = None) -> Cost:
    """Return what a plan's study takes: as runs that are there tell, else as the plan has it.

    Args:
        plan: the plan.
        quick: whether the few minutes of it are meant.
        probed: what was measured of it now.

    Raises:
        RunError, DamagedFile, OSError: where the runs cannot be looked through.
    """
    of = study_of(plan, quick)
    number = runs_of(plan, quick)
    known = probed or predict.predict(of, runs.runs_folder())
    if math.isfinite(known.seconds):
        source = "measured now" if probed else "as runs like these took here"
        there = f", {known.there} of them there already" if known.there else ""
        time = f"about {run_text.duration(known.wall_seconds)}, {source}{there}"
        return Cost(number, time, f"about {run_text.size(known.size)}", True)
    if quick:
        return Cost(number, "minutes, not measured here", "not known", False)
    unit = "on a GPU" if plan.gpu else "on one core"
    time = f"about {run_text.duration(plan.hours * HOUR)} {unit} ({plan.measured_on})"
    return Cost(number, time, "not known", False)
