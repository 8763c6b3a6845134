"""What is shown of several seeds of a noisy race."""

from collections.abc import Sequence
from typing import Any

from fop_core.figures.bands import Band, median_run
from fop_core.figures.style import number
from fop_core.figures.trajectories import DrawnTrajectory
from pages.shared.race.remembered import Spec


def medians(runs: Sequence[DrawnTrajectory], bands: Sequence[Band], *, lowest: bool = False) -> list[DrawnTrajectory]:
    """Return runs with the medians of their bands for losses and steps; the runs themselves where there are no bands.

    Args:
        runs: of the first seed.
        bands: of the same rules in the same order, or none.
        lowest: whether to take the lowest loss up to each step.
    """
    return [median_run(run, band, lowest=lowest) for run, band in zip(runs, bands)] if bands else list(runs)


def called(spec: Spec) -> str:
    """Return which seeds a race has, in words: "seeds 0 to 9"."""
    return f"seeds {spec.seed} to {spec.seed + spec.seeds - 1}"


def of_losses(spec: Spec) -> str:
    """Return what lines and areas of losses are, in sentences; nothing for one seed."""
    if spec.seeds == 1:
        return ""
    return (
        f" Lines are medians over {called(spec)}, areas lie between the quartiles. "
        "A run that has ended counts on with its last f."
    )


def of_one(spec: Spec) -> str:
    """Return which seed the rest of the page is of, in a sentence; nothing where there is one."""
    return "" if spec.seeds == 1 else f" Of seed {spec.seed} alone."


def row(band: Band, seed: int, end: str) -> dict[str, Any]:
    """Return what the table says of a rule's runs with several seeds, in place of what it says of one.

    Args:
        band: of the rule.
        seed: the first.
        end: where that one's run ends, in a sentence.
    """
    limit = f"> {band.steps[-1]:,}"
    low, median, high = (f"{step:,.0f}" if step <= band.steps[-1] else limit for step in band.ends)
    lost = f", {band.diverged} diverged" if band.diverged else ""
    if band.converged:
        reason = f"{band.converged} of {band.seeds} seeds converged{lost}. Quartiles: {low} and {high} steps."
    else:
        last = [number(value) for value in band.last]
        reason = (
            f"None of {band.seeds} seeds converged{lost}. Last f: median {last[1]}, quartiles {last[0]}, {last[2]}."
        )
    settled = "diverged" if 2 * band.diverged > band.seeds else "step limit"
    return {
        "status": settled if median == limit else "converged",
        "steps": median,
        "reason": reason,
        "end": f"Seed {seed}: {end[0].lower()}{end[1:]}",
    }
