"""Figure 3's controls: of each FOP run of a study one of each kind, which begins at step 0 with its seed and batches.

The study ``paper-3-control`` names them, so that they are counted, packed and shown as other runs are: its methods are
kinds of ``runs.lineage.CONTROLS``, its cells have the settings of such controls. They are not trained as a study, since
what their P is made of is no setting: ``training.attribution`` takes it from the run that each is a control of.
"""

from dataclasses import dataclass, field
from pathlib import Path

from fop_core.jobs import queue
from fop_core.reproduction import CONTROLS_OF
from fop_core.reproduction.plans import PLANS, Plan
from fop_core.runs import lineage, store
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.studies import binding
from fop_core.studies.cells import Cell, cells, key
from fop_core.studies.protocol import Study
from fop_core.training import attribution, config
from fop_core.training.config import ConfigError

METHOD = "fop"
"""Whose runs they are controls of."""


class WaitsError(RunError):
    """The runs that controls are of are not all there."""


@dataclass(frozen=True)
class SubmittedControls:
    """What became of a study of controls.

    Attributes:
        made: ids of new runs.
        there: ids of those that there were.
        troubles: why a run could not be put into the queue, by its id.
    """

    made: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)


def is_of_controls(name: str) -> bool:
    """Return whether a plan, or its quick study, is one of controls."""
    return name.removesuffix("-quick") in CONTROLS_OF


def of_parents(study: Study) -> dict[int, Cell]:
    """Return by seed the cells that the controls of a study are of."""
    plan = PLANS[CONTROLS_OF[study.name.removesuffix("-quick")]]
    parent = plan.quick if study.name.endswith("-quick") else plan.study
    return {cell.seed: cell for cell in cells(parent) if cell.method == METHOD}


def existing(study: Study, folder: Path) -> dict[str, str]:
    """Return the ids of a folder's controls that are cells of a study, by their keys.

    One counts whose parent is there, and is a run of the parents' study with its seed.
    """
    wanted = {(cell.method, cell.key): cell for cell in cells(study)}
    parents = {cell.key: seed for seed, cell in of_parents(study).items()}
    made: dict[str, str] = {}
    for run, damage in store.scan(folder):
        try:
            of = None if damage else lineage.control(run)
            if of is None:
                continue
            cell = wanted.get((of.kind, key(config.of_run(run))))
            if cell is not None and parents.get(key(config.of_run(Run(folder / of.parent)))) == cell.seed:
                made.setdefault(cell.key, run.id)
        except (ConfigError, DamagedFile, OSError):
            continue
    return made


def check(plan: Plan, quick: bool = False, folder: Path | None = None) -> bool:
    """See whether controls can be made, before one is.

    Returns:
        Whether all of them are there already.

    Raises:
        WaitsError: where a run that one is of has not ended, or is not there.
        ForkError: where one cannot be made of it, or its data are missing.
    """
    return not _missing(plan, quick, store.runs_folder() if folder is None else folder)[0]


def submit(plan: Plan, quick: bool = False, folder: Path | None = None) -> SubmittedControls:
    """Make the controls that are not there, and put them into the queue. Arguments and errors as ``check``'s."""
    folder = store.runs_folder() if folder is None else folder
    missing, there = _missing(plan, quick, folder)
    runs = []
    for made in missing:
        name = f"{plan.name} {made.kind} seed {made.config.seed}"
        runs.append(attribution.create(made, name=name, tags=("paper",), folder=folder))
    return SubmittedControls([run.id for run in runs], there, queue.submit_all(runs))


def _missing(plan: Plan, quick: bool, folder: Path) -> tuple[list[attribution.ControlPlan], list[str]]:
    """Return the controls that are to be made, and the ids of those that are there."""
    study = plan.quick if quick else plan.study
    there, runs, parents = existing(study, folder), binding.existing(folder), of_parents(study)
    made = []
    for cell in cells(study):
        if cell.key in there:
            continue
        parent = parents[cell.seed]
        name = CONTROLS_OF[plan.name] + ("-quick" if quick else "")
        if parent.key not in runs or Run(folder / runs[parent.key]).state.state != "finished":
            raise WaitsError(
                f"{study.name} is of the FOP runs of {name}, and that of seed {cell.seed} has not ended in {folder}: "
                f"launch {name} first, or unpack it where it ships"
            )
        made.append(attribution.plan(Run(folder / runs[parent.key]), cell.method))
    return made, list(there.values())
