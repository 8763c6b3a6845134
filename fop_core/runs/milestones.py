"""Where a run's learning rate falls, on the axis that its curves are drawn over."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fop_core.runs.loaded import Loaded


class Fall(NamedTuple):
    """A milestone of a schedule of steps.

    Attributes:
        x: where it is.
        factor: what the rate is multiplied by from there on.

    Example:
        >>> from fop_core.runs.milestones import Fall
        >>> Fall(x=8.0, factor=0.1)
        Fall(x=8.0, factor=0.1)
    """

    x: float
    factor: float


def falls(settings: Mapping[str, Any], metrics: Loaded, x: str) -> list[Fall]:
    """Return where a run's rate has fallen so far, ascending; nothing of one whose schedule has no steps.

    Args:
        settings: the run's, as ``compare.flat`` gives them.
        metrics: the run's, from which epochs are turned into ``x``, linear between two rows.
        x: "step", "epoch" or "seconds".

    Example:
        >>> from fop_core.runs import GALLERY, compare
        >>> from fop_core.runs.loaded import Loaded
        >>> from fop_core.runs.milestones import falls
        >>> loaded = Loaded(str(GALLERY / "cifar10-fop-velocity")).refresh()
        >>> falls(compare.settings(loaded.run.config), loaded, "step")  # at epoch 8
        [Fall(x=3128.0, factor=0.1)]
    """
    milestones = settings.get("schedule.milestones")
    if settings.get("schedule.kind") != "step" or not isinstance(milestones, list | tuple):
        return []
    over = metrics.curve(x, "epoch")
    if over is None or len(over.x) < 2:
        return []
    factor = float(settings.get("schedule.factor", 0.1))
    return [
        Fall(float(np.interp(epoch, over.y, over.x)), factor)
        for epoch in map(float, milestones)
        if over.y[0] < epoch < over.y[-1]
    ]
