"""Files of the reader's own in the runs that are to be launched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fop_core.training.config import ConfigError, TrainConfig
from fop_core.training.probe import client
from pages.shared.own.files import PARTS, OwnFiles
from pages.shared.text import literal
from pages.shared.train.settings import CONFIG, values
from pages.train.draft import Draft, Planned
from pages.train.form import TrainForm


def replaced(own: OwnFiles) -> dict[str, str]:
    """Return the settings that some file's own stand in for, each with the file's name."""
    files = {path: own.sources.get(path.partition(".")[0]) for path in CONFIG if "." in path}
    kept = {f"{part}.{name}" for part in own.sources for name in type(getattr(TrainConfig(), part)).kept}
    return {path: source.file for path, source in files.items() if source is not None and path not in kept}


def settings(form: TrainForm, own: OwnFiles) -> Mapping[str, Any]:
    """Return the page's settings; what a file's own stand in for is as the preset has it, whatever was typed."""
    then = values(form.preset, form["method"])
    return {**form.now, **{path: then[path] for path in replaced(own)}}


def experiment(own: OwnFiles) -> str:
    """Return, as Markdown, what the files make of a preset's experiment; "" where that is the preset's."""
    return " ".join(
        f"{literal(own.sources[part].file)} makes the {words}."
        for part, words in PARTS.items()
        if part in own.sources and ("data" in own.sources or "model" in own.sources)
    )


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
        return replace(run, config=client.completed(run.config, probed))

    pairs = tuple((whole(ours), theirs and whole(theirs)) for ours, theirs in drafted.pairs)
    return replace(drafted, config=pairs[0][0].config, pairs=pairs)
