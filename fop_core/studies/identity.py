"""Whether a run is that of a cell: a study.json names runs, and may have been written by anybody."""

from fop_core.runs import lineage
from fop_core.runs.run import Run
from fop_core.studies.cells import Cell, key
from fop_core.training import config
from fop_core.training.config import ConfigError


def mismatch(run: Run, cell: Cell) -> str:
    """Return why a run is not the one of a cell, in words; "" where it is.

    Raises:
        FileNotFoundError, DamagedFile: where it cannot be read.
    """
    if lineage.origin(run) is not None or lineage.control(run) is not None:
        return "it began from another run's checkpoint, and is no run of this cell"
    content = run.config
    if content != cell.config.to_json():  # one from before a setting was there may be the same all the same
        try:
            if key(config.parse(content)) != cell.key:
                return "its settings are not those of this cell"
        except ConfigError:
            return "its settings are not those of this cell"
    return ""
