"""Races with what the player moves and what was learned, for the tests of what is taken away."""

from typing import NamedTuple

from fop_core.figures import landscape
from fop_core.figures.landscape import Landscape
from fop_core.figures.motion import Motion, motion
from fop_core.figures.trajectories import DrawnTrajectory, downsampled
from fop_core.optim.rules import RULES
from toy_functions import Race, race


class Raced(NamedTuple):
    run: DrawnTrajectory
    motion: Motion


def raced(settings: Race) -> tuple[Landscape, list[Raced]]:
    """Run a race; return its ground and what it did."""
    kinds = {kind: name for name, kind in RULES.items()}
    surface, results = settings.surface, []
    for name, path in race(settings).items():
        P = path.preconditioners
        results.append(
            Raced(
                downsampled(kinds[type(settings.rules[name])], path.points, path.losses, path.status, P),
                motion(path.points, path.losses, P, surface.gradient, surface.hessian),
            )
        )
    paths = [each.run.path for each in results if each.run.status != "diverged"]
    box = landscape.frame(surface.view, settings.start, paths)
    return landscape.survey(surface.value, surface.floor, box), results
