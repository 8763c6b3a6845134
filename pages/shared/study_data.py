"""Whether what a study trains on is here."""

from fop_core.studies import cells
from fop_core.studies.protocol import Study
from fop_core.training import datasets
from pages.shared import run_text


def missing(study: Study) -> str:
    """Return as Markdown why the data cannot be read, or ""; a folder that the address may name is not looked into."""
    data = cells.configured(study, study.methods[0], cells.points(study)[study.methods[0]][0], "report").data
    if data.path:
        return ""
    try:
        datasets.find(data)
    except (datasets.DataError, OSError) as error:
        return run_text.message(str(error))
    return ""
