"""Train a figure's runs again: its studies go into the queue as any other."""

import os
from pathlib import Path

from fop_core.reproduction import forks
from fop_core.reproduction.plans import Plan
from fop_core.runs import confirmed, stamps
from fop_core.runs.files import RunError
from fop_core.studies import cells, store, submit
from fop_core.studies.binding import Submitted
from fop_core.studies.protocol import Study
from fop_core.training import datasets


def study_of(plan: Plan, quick: bool = False) -> Study:
    """Return the study that a rerun is."""
    return plan.quick if quick else plan.study


def check(plan: Plan, quick: bool = False, folder: Path | None = None) -> bool:
    """See whether a rerun can be submitted, before anything is written.

    Args:
        plan: of ``plans.PLANS``.
        quick: the study of a few minutes.
        folder: the runs folder.

    Returns:
        Whether the study is there already, and would be gone on with.

    Raises:
        DataError: where its data are missing, with the ways to get them.
        RunError: where another study has its name; of controls, see ``forks``, where what they are of is missing.
        PluginError: where a file that it takes cannot be read.
        ValueError: where it takes a file, and files of one's own are forbidden here.
    """
    if forks.is_of_controls(plan.name):
        return forks.check(plan, quick, folder)
    study = study_of(plan, quick)
    first = cells.check(study)[0]
    datasets.find(first.config.data)
    if plan.sources and (why := confirmed.forbidden()):
        raise ValueError(why)
    return _ours(study, folder)[1]


def _ours(study: Study, folder: Path | None) -> tuple[Study, bool]:
    """Return a study under a name that we can have, and whether it is there: in a shared folder others rerun it too."""
    why = ""
    for name in (study.name, f"{study.name}-{store.slug(stamps.user()) or os.getuid()}"):
        named = study.model_copy(update={"name": name})
        id_ = store.slug(name)
        if id_ not in store.ids(folder):
            return named, False
        if why := store.foreign(store.studies_folder(folder) / id_):
            continue
        if store.load(id_, folder).study != named:
            why = f"there is another study {id_!r}"
            break
        return named, True
    raise RunError(f"{why} in {store.studies_folder(folder)}: move it away, or look at it")


def rerun(plan: Plan, quick: bool = False, folder: Path | None = None) -> Submitted:
    """Submit a figure's study, or go on with it where it is there; runs that are there already count.

    Where another user has a study of that name, ours is called after us too. Arguments and errors as ``check``'s;
    nothing is written where one is raised.
    """
    if forks.is_of_controls(plan.name):
        raise ValueError(f"{plan.name} is of controls, which their settings alone do not make: see forks.submit")
    check(plan, quick, folder)
    study, known = _ours(study_of(plan, quick), folder)
    if known:
        return submit.resume(store.slug(study.name), folder)
    sources = plan.sources
    for source in sources.values():
        confirmed.confirm(source.digest)  # a file of this program's own
    return submit.submit(study, folder, sources)
