"""Files of the reader's own in the runs that are to be launched."""

from dataclasses import replace

from fop_core.training import probe
from fop_core.training.config import ConfigError
from pages.shared.own_files import OwnFiles
from pages.train.draft import Draft, Planned


def applied(drafted: Draft, own: OwnFiles) -> Draft:
    """Return a draft whose runs are made by the chosen files, where they make them."""
    if not own.sources or drafted.config is None:
        return drafted
    try:
        pairs = tuple((_plugged(ours, own), theirs and _plugged(theirs, own)) for ours, theirs in drafted.pairs)
        return replace(drafted, config=pairs[0][0].config, pairs=pairs)
    except ConfigError as error:
        return Draft(wrong={"": str(error)})


def _plugged(run: Planned, own: OwnFiles) -> Planned:
    kept = tuple(each for each in run.settings if each.partition(".")[0] not in own.sources)
    made, settings = own.plugged(run.config), (*kept, *own.settings())
    return replace(run, config=made, settings=settings, sources=dict(own.sources), paths=dict(own.paths))


def completed(drafted: Draft, own: OwnFiles) -> Draft:
    """Return a draft whose configs have every setting of its files, as their probe said; it has come to a good end."""
    if drafted.config is None or not drafted.config.plugins:
        return drafted
    probed = own.probed(drafted.config)
    assert probed is not None

    def whole(run: Planned) -> Planned:
        return replace(run, config=probe.completed(run.config, probed))

    pairs = tuple((whole(ours), theirs and whole(theirs)) for ours, theirs in drafted.pairs)
    return replace(drafted, config=pairs[0][0].config, pairs=pairs)
