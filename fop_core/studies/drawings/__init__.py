"""The figures of a study, made of its table, each with sentences on what can be concluded from it and what cannot.

    tuned       what was tried, as it was measured on held-out images
    reported    what is compared: on the test set, with fresh seeds

The page and the report draw the same.
"""

from fop_core.studies.analysis import Comparisons
from fop_core.studies.drawings import reported, tuned
from fop_core.studies.drawings.drawn import Drawn
from fop_core.studies.progress import StudyTable


def every(table: StudyTable, comparisons: Comparisons) -> list[Drawn]:
    """Return the figures that a report has, in order."""
    drawn = [
        reported.pairwise(table, comparisons),
        reported.lines(table),
        tuned.grids(table),
        tuned.sensitivity(table),
        tuned.parallel(table),
        *(reported.time_to_target(table, what) for what in ("steps", "seconds")),
        reported.performance_profile(table),
    ]
    return [each for each in drawn if each is not None]
