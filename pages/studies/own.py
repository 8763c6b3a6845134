"""Files of the reader's own in a new study: the optimizer of the method "plugin", data or a network for all methods."""

from collections.abc import Mapping
from typing import Any

from fop_core.training import config
from fop_core.training.config import PLUGIN, ConfigError, TrainConfig
from pages.shared.form import Form
from pages.shared.own.files import OwnFiles


def files(form: Form) -> OwnFiles:
    """Return the files that the reader has chosen; the study has the method "plugin" while one is an optimizer."""

    def follow() -> None:
        others = [method for method in form["methods"] if method != PLUGIN]
        form.put(methods=[*others, PLUGIN] if "optimizer" in own.sources else others)

    own = OwnFiles("studies", follow)
    return own


def tried(preset: str, own: OwnFiles) -> TrainConfig | str:
    """Return the config with which the files are tried, or why there is none."""
    try:
        return own.plugged(config.preset(preset, "momentum"))
    except ConfigError as error:
        return str(error)


def plugins(made: TrainConfig, own: OwnFiles) -> dict[str, Any]:
    """Return what a study says of the files, once they are tried and do."""
    probed = own.probed(made)
    if probed is None:
        return {}
    content = made.to_json()
    return {part: {**content[part]["plugin"], "settings": probed.settings[part]} for part in own.sources}


def fields(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the files by their paths, as ``plugins`` has them."""
    return {f"{part}.settings.{name}": value for part, each in of.items() for name, value in each["settings"].items()}


def arguments(own: OwnFiles) -> list[str]:
    """Return what names the files and their settings on a command line."""
    words = [word for part, path in own.paths.items() for word in (f"--{part}", path)]
    for each in own.settings():
        part, _, field = each.partition(".settings.")
        words += [f"--{part}-set", field]
    return words
