"""What the runs of a study measure, and so by what it can choose and compare: losses always, of most data an accuracy.

Metrics under other names are on Runs alone: no study knows whether their largest or their smallest value is best.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fop_core.studies.protocol import MEASURED, Study
from fop_core.training.config import ConfigError, Problem

if TYPE_CHECKING:
    from fop_core.training.probe.client import Probed


@dataclass(frozen=True)
class Measures:
    """What is measured of the data that a study learns from; of built-in data, unless given.

    Attributes:
        metrics: beside the loss, by name.
        tested: whether there is a test set.

    Example:
        >>> from fop_core.studies.measures import Measures
        >>> Measures().usual, Measures(metrics=("rmse",)).usual
        ('accuracy', 'loss')
    """

    metrics: tuple[str, ...] = ("accuracy",)
    tested: bool = True

    @classmethod
    def of(cls, probed: "Probed") -> "Measures":
        """Return what the data of plug-ins measure, as their probe says."""
        return cls(probed.metrics, probed.tested)

    @property
    def usual(self) -> str:
        """What a study goes by unless it says otherwise: "accuracy", or "loss" where there is none."""
        return "accuracy" if "accuracy" in self.metrics else "loss"

    def check(self, study: Study) -> None:
        """Have a study go by what its runs will measure.

        Raises:
            ConfigError: where they will not, with what to choose instead.

        Example:
            >>> from fop_core.studies.measures import Measures
            >>> from fop_core.studies.protocol import Analysis, Study
            >>> Measures(metrics=()).check(Study(name="s", analysis=Analysis(column="test_loss")))
            >>> Measures(metrics=()).check(Study(name="s"))
            Traceback (most recent call last):
                ...
            fop_core.training.config.ConfigError: analysis.column: no run will measure test_accuracy: ...
        """
        if wrong := list(self._wrong(study)):
            raise ConfigError(*wrong)

    def _wrong(self, study: Study) -> Iterable[Problem]:
        fields: list[tuple[str, str]] = [("choose.column", study.choose.column)] if study.axes else []
        fields.append(("analysis.column", study.analysis.column))
        if study.target is not None:
            fields.append(("target.column", study.target.column))
        for field, column in fields:
            part, name = next((column.removesuffix(f"_{each}"), each) for each in MEASURED if column.endswith(each))
            if name != "loss" and name not in self.metrics:
                have = (
                    f"the data have the metrics {', '.join(self.metrics)}"
                    if self.metrics
                    else "the data have no metric"
                )
                yield field, f"no run will measure {column}: {have}, not {name}. Take {part}_loss"
            elif part == "test" and not self.tested and study.fresh_seeds:
                instead = "leave the target out" if field == "target.column" else "compare train_loss"
                yield (
                    field,
                    f"no run will measure {column}: the data have no test set. Give them one, {instead}, or report "
                    "nothing (no fresh seeds): the methods are then compared on held-out samples",
                )
