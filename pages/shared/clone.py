"""The settings of an earlier run, as an address of the Train page."""

import re
from functools import lru_cache
from typing import Any

from fop_core.runs import GALLERY, compare, store
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.run import Run
from fop_core.training import config
from fop_core.training.config import METHODS, PRESETS, ConfigError, TrainConfig
from pages.shared.train.settings import CONFIG, FIELDS, shown, values


class CloneError(ValueError):
    """A run that cannot be cloned; says which and why."""


def clone(text: str) -> dict[str, str]:
    """Return the address with the settings of a run, as the page itself writes it.

    Raises:
        CloneError: where there is no such run, or its settings are none of today's.
    """
    try:
        run = _run(text)
        made = config.of_run(run)
        named, lineage = run.labels["name"], run.about["lineage"]
    except (RunError, DamagedFile, ConfigError, OSError) as error:
        raise CloneError(f"from={text}: {error}") from None
    if "control" in lineage:
        raise CloneError(f"from={text}: a control, which is made on Runs, beside {lineage.get('parent')}")
    if made.plugins:
        names = ", ".join(dict.fromkeys(plugin.file for plugin in made.plugins.values()))
        raise CloneError(
            f"from={text}: trained with {names}: choose that file on the page Train, under Files of your own"
        )
    preset, method = _origin(lineage, made)
    then, now = values(preset, method), compare.flat(made.to_json())
    own = {path: shown(path, now[path]) for path in CONFIG if path in now}
    own |= {"method": method, "seeds": str(made.seed), "from": run.id}
    name = re.sub(r" seed \d+$", "", named)  # which the clone of another seed would bear wrongly
    if name != f"{preset} {method}":
        own["name"] = name[:60]
    named_preset = {} if preset == next(iter(PRESETS)) else {"preset": preset}
    return named_preset | {name: FIELDS[name].write(value) for name, value in own.items() if value != then[name]}


def _run(id_: str) -> Run:
    """Return the run of the runs folder or of the gallery that has this id; an address leads to no other place."""
    for folder in (store.runs_folder(), GALLERY):
        for run in store.directories(folder):
            if run.id == id_:
                return run
    raise CloneError(f"from={id_}: there is no run of this id in {store.runs_folder()} or in the gallery")


def _origin(lineage: dict[str, Any], made: TrainConfig) -> tuple[str, str]:
    """Return the preset and the method that describe a config: those it was made from, else the nearest."""
    preset, method = lineage.get("preset"), lineage.get("method")
    fop = made.fop is not None
    if preset in PRESETS and method in METHODS and (METHODS[method].fop is not None) == fop:
        return preset, method
    now = compare.flat(made.to_json()).items()
    candidates = [
        (preset, method) for preset in PRESETS for method in METHODS if (METHODS[method].fop is not None) == fop
    ]
    return min(candidates, key=lambda each: sum(_flat(*each).get(path) != value for path, value in now))


@lru_cache(maxsize=64)
def _flat(preset: str, method: str) -> dict[str, Any]:
    return compare.flat(config.preset(preset, method).to_json())
