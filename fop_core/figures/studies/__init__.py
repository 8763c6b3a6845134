"""What a study shows, each as data that can be drawn twice: by plotly for a page, by matplotlib for the printed report.

    Grids               with, without, and the difference over two settings, as the paper's Figure 4a
    Lines               curves with bands, as its Figure 4b
    Sensitivity         the result over a rate, all methods on one axis
    Parallel            every trial as a line through its settings to its result
    TimeToTarget        steps or seconds to a target, seed by seed; infinite where it was missed
    PerformanceProfile  the share of problems solved within a factor of the fastest
    Pairwise            differences of methods with their intervals

``screens()`` gives plotly figures by their titles, ``paper()`` one matplotlib figure, ``alt`` what both show in words.
In arrays over seeds NaN is what is not there yet: a gap. Infinity is a run that diverged or missed the target: it has a
mark of its own and is never left out of a mean unsaid.
"""

from fop_core.figures.studies.curves import Lines, MethodRates, PerformanceProfile, Profile, Sensitivity
from fop_core.figures.studies.drawing import AxisScale, Drawing, shown
from fop_core.figures.studies.grids import Grids
from fop_core.figures.studies.intervals import DrawnDifference, Pairwise, Times, TimeToTarget
from fop_core.figures.studies.parallel import Parallel

__all__ = [
    "AxisScale",
    "Drawing",
    "DrawnDifference",
    "Grids",
    "Lines",
    "MethodRates",
    "Pairwise",
    "Parallel",
    "PerformanceProfile",
    "Profile",
    "Sensitivity",
    "TimeToTarget",
    "Times",
    "shown",
]
