"""The update of a run, with the numbers that it has at the player's step."""

from collections.abc import Sequence

from fop_core.figures import interactive
from pages.components.component import component
from pages.shared.race.remembered import Result, Spec
from pages.trajectories.formulas import updates

_mount = component("update")


def update(results: Sequence[Result], race: Spec, key: str) -> None:
    """Show the update of the run that the reader has chosen, or of the one that the player shows by itself."""
    of_rules = updates(race)
    _mount(
        key=key,
        data={
            "runs": [
                {"name": run.method.name, "color": run.method.color, "formula": of_rules[run.rule].formula}
                for run in interactive.ordered([result.run for result in results if len(result.motion.steps)])
            ]
        },
    )
