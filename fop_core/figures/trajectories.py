"""A run of a rule as pictures need it: downsampled for drawing, with what it is called and how it ended."""

from dataclasses import dataclass

import numpy as np

from fop_core import downsample
from fop_core.figures.style import METHODS, Method

PATH_POINTS = 1500
BUCKETS = 300
MARKED_STEPS = (1, 10, 100, 1_000, 10_000, 100_000)
"""Always among the points to draw."""


@dataclass(frozen=True)
class DrawnTrajectory:
    """One rule's run, downsampled.

    Attributes:
        rule: key of ``style.METHODS``.
        steps: updates applied.
        status: "converged" | "step limit" | "diverged".
        path_steps: steps of the points to draw, [k].
        path: those points, [k, 2], finite.
        path_losses: f there, [k], finite.
        loss_steps: steps of the losses to draw, [m].
        losses: f there, [m], finite.
        eigen_steps: steps of the eigenvalues to draw, [l]; None for a rule that learns no P.
        eigenvalues: of P there, [l, 2], the larger first.

    Example:
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["Adam"]
        >>> run = downsampled("adam", path.points, path.losses, path.status)
        >>> run.steps, len(run.path), len(run.losses)  # of 6,222 points so many are drawn
        (6221, 1092, 944)
    """

    rule: str
    steps: int
    status: str
    path_steps: np.ndarray
    path: np.ndarray
    path_losses: np.ndarray
    loss_steps: np.ndarray
    losses: np.ndarray
    eigen_steps: np.ndarray | None = None
    eigenvalues: np.ndarray | None = None

    @property
    def method(self) -> Method:
        """How it looks.

        Example:
            >>> from fop_core.figures.trajectories import downsampled
            >>> downsampled("fop", [[0.0, -4.0]], [306.0], "step limit").method.name
            'FOP'
        """
        return METHODS[self.rule]

    @property
    def label(self) -> str:
        """What stands at the end of its line.

        Example:
            >>> from fop_core.figures.trajectories import downsampled
            >>> points, losses = [[0.0, -4.0], [1.0, 3.0]], [306.0, 0.0]
            >>> [downsampled("fop", points, losses, status).label for status in ("converged", "step limit", "diverged")]
            ['FOP 1', 'FOP > 1', 'FOP diverged at 1']
        """
        match self.status:
            case "converged":
                return f"{self.method.name} {self.steps:,}"
            case "diverged":
                return f"{self.method.name} diverged at {self.steps:,}"
        return f"{self.method.name} > {self.steps:,}"


def downsampled(
    rule: str,
    points: np.ndarray,
    losses: np.ndarray,
    status: str,
    preconditioners: np.ndarray | None = None,
) -> DrawnTrajectory:
    """Return a run to draw.

    Args:
        rule: key of ``style.METHODS``.
        points: the start and the point after each update, [steps + 1, 2].
        losses: f at each, [steps + 1].
        status: how it ended.
        preconditioners: P before each update and at the end, symmetric, [steps + 1, 2, 2].

    Example:
        >>> from fop_core.figures.trajectories import downsampled
        >>> from toy_functions import presets, race
        >>> path = race(presets.PAPER_BOOTH)["FOP"]
        >>> run = downsampled("fop", path.points, path.losses, path.status, path.preconditioners)
        >>> run.label, run.eigenvalues[-1].round(2)
        ('FOP 543', array([7.18, 1.54]))
    """
    points, losses = np.asarray(points, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    drawn = np.flatnonzero(np.isfinite(points).all(axis=1) & np.isfinite(losses))
    on_path = drawn[downsample.path(points[drawn], PATH_POINTS)] if drawn.size else drawn
    on_path = np.union1d(on_path, np.intersect1d(drawn, MARKED_STEPS))
    on_curve = drawn[downsample.series(losses[drawn], BUCKETS)] if drawn.size else drawn
    eigen_steps = eigenvalues = None
    if preconditioners is not None:
        eigen_steps, eigenvalues = _spectrum(np.asarray(preconditioners, dtype=np.float64))
    return DrawnTrajectory(
        rule=rule,
        steps=len(points) - 1,
        status=status,
        path_steps=on_path,
        path=points[on_path],
        path_losses=losses[on_path],
        loss_steps=on_curve,
        losses=losses[on_curve],
        eigen_steps=eigen_steps,
        eigenvalues=eigenvalues,
    )


def _spectrum(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    steps = np.flatnonzero(np.isfinite(matrices).all(axis=(1, 2)))
    values = np.linalg.eigvalsh(matrices[steps])[:, ::-1]
    if not steps.size:
        return steps, values
    kept = np.union1d(downsample.series(values[:, 0], BUCKETS // 2), downsample.series(values[:, 1], BUCKETS // 2))
    return steps[kept], values[kept]
