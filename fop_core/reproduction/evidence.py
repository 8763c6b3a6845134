"""What a card is computed from: the gallery's runs and the packed studies that ship, or runs of one's own."""

from pathlib import Path

from fop_core.reproduction import GALLERY, Gallery, forks, shipped
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.shipped import Packed


class Evidence:
    """Where a card's numbers come from, each read once.

    Args:
        gallery: the folder of the gallery's runs.
        packed: the folder of the studies that ship.
        runs: a runs folder, whose runs stand for the studies that ship; None takes what ships.
        quick: with ``runs``, whether the quick studies' runs are taken.

    Raises:
        RunError: where there is no gallery.

    Example:
        >>> from fop_core.reproduction.evidence import Evidence
        >>> packed = Evidence().study("paper-2-best")
        >>> len(packed.runs), [run.seed for run in packed.of("full")]
        (35, [3, 4, 5, 6, 7])
    """

    def __init__(
        self,
        gallery: Path = GALLERY,
        packed: Path = shipped.FOLDER,
        runs: Path | None = None,
        quick: bool = False,
    ) -> None:
        self.gallery = Gallery(gallery)
        self._folder, self._runs, self._quick = packed, runs, quick
        self._studies: dict[str, Packed | None] = {}
        self._left_out: dict[str, str] = {}

    @property
    def left_out(self) -> dict[str, str]:
        """Why a run of the studies read so far does not count, by its id."""
        return dict(self._left_out)

    def study(self, name: str) -> Packed | None:
        """Return a study of ``plans.PLANS`` with its runs; None where it has none.

        Raises:
            DamagedFile: where what ships is not what was packed.
        """
        if name not in self._studies:
            if self._runs is not None:
                plan = PLANS[name]
                study = plan.quick if self._quick else plan.study
                there = forks.existing(study, self._runs) if forks.is_of_controls(name) else None
                packed = shipped.collect(study, self._runs, there)
                self._left_out |= packed.left_out
                self._studies[name] = packed if packed.runs else None
            else:
                self._studies[name] = shipped.load(name, self._folder) if name in shipped.names(self._folder) else None
        return self._studies[name]
