"""What the settings of the Train page ask for: runs to make and their commands, or what is wrong where."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fop_core.runs import compare, plugins
from fop_core.runs.plugins import Source
from fop_core.training import config
from fop_core.training.config import METHODS, ConfigError, Problem, TrainConfig
from fop_core.training.seeds import seeds
from pages.shared.train.fields import Line, setting
from pages.shared.train.settings import CONFIG, FIELDS, values


@dataclass(frozen=True)
class Planned:
    """A run to be made.

    Attributes:
        config: its settings.
        preset: what they began from.
        method: the same.
        settings: what differs from these two, as ``--set`` takes it.
        name: for people; "" for preset and method.
        which: of several launched together, "seed 1"; else "".
        sources: the files of the reader's own that it is made by, by part.
        paths: where these are, as the command line takes them.
    """

    config: TrainConfig
    preset: str
    method: str
    settings: tuple[str, ...]
    name: str = ""
    which: str = ""
    sources: Mapping[str, Source] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What it is called, as the command line calls it."""
        files = {part: source.file for part, source in self.sources.items()}
        usual = plugins.called(self.preset, self.method, self.config.to_json(), files)
        return f"{self.name or usual} {self.which}".strip()

    @property
    def lineage(self) -> dict[str, Any]:
        """What it was made from, as the command line writes it."""
        lineage = {"preset": self.preset, "method": self.method, "set": list(self.settings)}
        own = {part: source.file for part, source in self.sources.items()}
        return lineage | ({"plugins": own} if own else {})

    @property
    def command(self) -> str:
        """What runs it from a shell, in the project's folder."""
        words = ["python", "-m", "fop_core", "train", "--preset", self.preset, "--method", self.method]
        for part, source in self.sources.items():
            words += [f"--{part}", self.paths.get(part, source.file)]
        for each in self.settings:
            words += ["--set", each]
        words += ["--name", self.title] if self.name else []
        return shlex.join(words)


@dataclass(frozen=True)
class Draft:
    """What settings ask for.

    Attributes:
        config: of the first run, or None where a setting is wrong.
        pairs: for each seed the run, and the same without FOP or None.
        wrong: what is wrong, by the setting's name; "" for what belongs to none.
    """

    config: TrainConfig | None = None
    pairs: tuple[tuple[Planned, Planned | None], ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> list[Planned]:
        """All runs, each baseline after the run that it is for."""
        return [run for pair in self.pairs for run in pair if run is not None]


def draft(preset: str, now: Mapping[str, Any]) -> Draft:
    """Return what the settings ask for, from a preset."""
    method = now["method"]
    wrong: dict[str, str] = {}
    made: TrainConfig | None = None
    try:
        made = config.change(config.preset(preset, method), _settings(preset, now))
    except ConfigError as error:
        wrong = _by_setting(error.problems)
    try:
        numbers = seeds(now["seeds"])
    except ConfigError as error:
        wrong["seeds"] = "; ".join(message for _, message in error.problems)
    if made is None or wrong:
        return Draft(wrong=wrong)
    pairs = []
    for number in numbers:
        ours = planned(preset, method, config.change(made, [f"seed={number}"]))
        theirs = without_fop(ours) if now["compare"] else None
        name, which = now["name"].strip(), f"seed {number}" if len(numbers) > 1 else ""
        theirs = theirs and replace(theirs, name=name and f"{name} without FOP", which=which)
        pairs.append((replace(ours, name=name, which=which), theirs))
    return Draft(made, tuple(pairs))


def planned(preset: str, method: str, made: TrainConfig) -> Planned:
    """Return a run of a config, described by what differs from a preset with a method."""
    return Planned(made, preset, method, tuple(differing(preset, method, made)))


def differing(preset: str, method: str, made: TrainConfig) -> list[str]:
    """Return what turns a preset with a method into a config, as ``--set`` takes it."""
    then, now = (compare.flat(each.to_json()) for each in (config.preset(preset, method), made))
    return [setting(path, value) for path, value in now.items() if path not in then or value != then[path]]


def without_fop(run: Planned) -> Planned | None:
    """Return the same run with the base optimizer alone, or None where it has no FOP."""
    if run.config.fop is None:
        return None
    plain = config.parse(run.config.to_json() | {"fop": None})
    bases = [name for name, method in METHODS.items() if method.fop is None]
    nearest = min(bases, key=lambda name: len(differing(run.preset, name, plain)))
    return planned(run.preset, nearest, plain)


def _settings(preset: str, now: Mapping[str, Any]) -> list[str]:
    """Return what the page's settings change of a preset with their method."""
    then = values(preset, now["method"])
    fop = METHODS[now["method"]].fop is not None
    return [
        setting(path, kind.config_value(now[path]) if isinstance(kind, Line) else now[path])
        for path, kind in CONFIG.items()
        if now[path] != then[path] and (fop or not path.startswith("fop."))
    ]


def _by_setting(problems: Sequence[Problem]) -> dict[str, str]:
    """Return what is wrong with a config by the page's settings; under "" what is about none of them."""
    messages: dict[str, list[str]] = {}
    for path, message in problems:
        names = [name for name in FIELDS if path == name or path.startswith(f"{name}.")]
        name = max(names, key=len, default="")
        messages.setdefault(name, []).append(message if name or not path else f"{path}: {message}")
    return {name: "; ".join(dict.fromkeys(each)) for name, each in messages.items()}
