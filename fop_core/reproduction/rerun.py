"""Train a figure's runs again: its studies go into the queue as any other."""

from pathlib import Path

from fop_core.reproduction.plans import Plan
from fop_core.runs import confirmed
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
        RunError: where another study has its name.
        PluginError: where a file that it takes cannot be read.
        ValueError: where it takes a file, and files of one's own are forbidden here.
    """
    study = study_of(plan, quick)
    first = cells.check(study)[0]
    datasets.find(first.config.data)
    if plan.sources and (why := confirmed.forbidden()):
        raise ValueError(why)
    id_ = store.slug(study.name)
    if id_ not in store.ids(folder):
        return False
    if store.load(id_, folder).study != study:
        raise RunError(f"there is another study {id_!r} in {store.studies_folder(folder)}: move it away, or look at it")
    return True


def rerun(plan: Plan, quick: bool = False, folder: Path | None = None) -> Submitted:
    """Submit a figure's study, or go on with it where it is there; runs that are there already count.

    Arguments and errors as ``check``'s; nothing is written where one is raised.
    """
    study = study_of(plan, quick)
    if check(plan, quick, folder):
        return submit.resume(store.slug(study.name), folder)
    sources = plan.sources
    for source in sources.values():
        confirmed.confirm(source.digest)  # a file of this program's own
    return submit.submit(study, folder, sources)
