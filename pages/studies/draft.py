"""What the settings of the Studies page ask for: a study, or what is wrong where."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fop_core.studies import cells, protocol
from fop_core.studies.measures import Measures
from fop_core.studies.protocol import Axis, Study
from fop_core.studies.variants import Variant, parse_variant, variant_text
from fop_core.training.config import ConfigError, Problem
from fop_core.training.seeds import seeds
from pages.shared.train.fields import setting
from pages.studies.settings import Rows


@dataclass(frozen=True)
class Draft:
    """What settings ask for.

    Attributes:
        study: it, or None where a setting is wrong.
        tuning, reporting: how many runs it needs for each.
        trials: settings tried, by method.
        wrong: what is wrong, by the setting's name; "" for what belongs to none.
    """

    study: Study | None = None
    tuning: int = 0
    reporting: int = 0
    trials: Mapping[str, int] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        """All runs."""
        return self.tuning + self.reporting


def draft(
    preset: str, now: Mapping[str, Any], plugins: Mapping[str, Any] | None = None, measures: Measures | None = None
) -> Draft:
    """Return what the settings ask for, from a preset.

    Args:
        preset: its name.
        now: the settings.
        plugins: files of the reader's own, as a study names them.
        measures: what is measured of the data; of built-in data, unless given.
    """
    wrong: dict[str, list[str]] = {}

    def note(name: str, error: ConfigError) -> None:
        wrong.setdefault(name, []).extend(message for _, message in error.problems)

    axes: list[Axis] = []
    for line in Rows.lines(now["axes"]):
        try:
            axes.append(protocol.parse_axis(line))
        except ConfigError as error:
            note("axes", error)
    variants: dict[str, Variant] = {}
    for line in Rows.lines(now["variants"]):
        try:
            name, variant = parse_variant(line)
        except ConfigError as error:
            note("variants", error)
        else:
            if name in variants:
                wrong.setdefault("variants", []).append(f"{name} is there twice")
            variants[name] = variant
    base = _base(now, wrong)
    numbers: dict[str, list[int] | None] = {"fresh": None}
    for name in ("seeds", "fresh"):
        if now[name].strip() or name == "seeds":
            try:
                numbers[name] = seeds(now[name])
            except ConfigError as error:
                note(name, error)
    if wrong:
        return Draft(wrong=_joined(wrong))
    content = {
        "name": now["name"].strip() or preset,
        "preset": preset,
        "base": base,
        "methods": [*now["methods"], *variants],
        "variants": {name: variant.model_dump(mode="json") for name, variant in variants.items()},
        "axes": [axis.model_dump(mode="json") for axis in axes],
        "sampling": now["sampling"],
        "trials": int(now["trials"]) if now["sampling"] == "quasi-random" else None,
        "seeds": numbers["seeds"],
        "fresh_seeds": numbers["fresh"],
        "choose": {"column": now["choose"], "at": now["at"]},
        "target": {"column": now["target"], "value": now["value"]} if now["target"] else None,
        "ending": {} if now["ending"] else None,
        "limit": int(now["limit"]),
        "analysis": {"baseline": now["baseline"], "column": now["column"]},
        "plugins": dict(plugins or {}),
    }
    try:
        study = protocol.parse(content)
        cells.check(study)
        (measures or Measures()).check(study)
        tuning, reporting = cells.count(study)
        trials = {method: len(tried) for method, tried in cells.points(study).items()}
    except ConfigError as error:
        return Draft(wrong=by_setting(error))
    return Draft(study, tuning, reporting, trials)


def _base(now: Mapping[str, Any], wrong: dict[str, list[str]]) -> dict[str, Any]:
    """Return the settings that all runs share, and note what is wrong with them."""
    base: dict[str, Any] = {}
    for line in Rows.lines(now["base"]):
        path, equals, text = line.partition("=")
        if not equals or not path.strip():
            wrong.setdefault("base", []).append(f"{line!r}: write setting=value, as batch_size=256")
        elif path.strip() in base:
            wrong.setdefault("base", []).append(f"{path.strip()} is there twice")
        else:
            base[path.strip()] = _value(text.strip())
    if epochs := now["epochs"].strip():
        if "epochs" in base:
            wrong.setdefault("epochs", []).append("is among the settings for all as well: leave one of them out")
        base["epochs"] = _value(epochs)
    return base


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def by_setting(error: ConfigError) -> dict[str, str]:
    """Return what is wrong with a study by the page's settings; under "" what is about none of them."""
    messages: dict[str, list[str]] = {}
    for path, message in error.problems:
        name, words = _setting((path, message))
        messages.setdefault(name, []).append(words)
    return _joined(messages)


_NAMES = {
    "analysis.baseline": "baseline",
    "analysis.column": "column",
    "choose.column": "choose",
    "fresh_seeds": "fresh",
    "limit": "limit",
    "methods": "methods",
    "name": "name",
    "preset": "",
    "seeds": "seeds",
    "target.column": "target",
    "target.value": "value",
    "trials": "trials",
    "variants": "variants",
}


def _setting(problem: Problem) -> tuple[str, str]:
    """Return the page's setting that a problem belongs to, and its words."""
    path, message = problem
    if path in _NAMES:
        return _NAMES[path], message
    if path.startswith("variants."):
        return "variants", f"{path.removeprefix('variants.')}: {message}"
    if path in ("", "axis", "values"):
        return "axes", message
    if path.startswith("axes"):
        return "axes", message
    return "axes", f"{path} {message}"


def _joined(messages: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: "; ".join(dict.fromkeys(each)) for name, each in messages.items()}


def command(study: Study, own: Sequence[str] = ()) -> str:
    """Return what submits the same study from a shell, in the project's folder.

    Args:
        study: the study.
        own: the arguments that name files of the reader's own.
    """
    words = ["python", "-m", "fop_core", "study", "submit", "--preset", study.preset]
    words += [*own, "--methods", ",".join(study.methods)]
    for name, variant in study.variants.items():
        words += ["--variant", variant_text(name, variant)]
    for axis in study.axes:
        words += ["--axis", written(axis)]
    for field_, value in study.base.items():
        words += ["--set", setting(field_, value)]
    if study.trials is not None:
        words += ["--trials", str(study.trials)]
    words += ["--seeds", ",".join(map(str, study.seeds))]
    words += ["--fresh-seeds", ",".join(map(str, study.fresh_seeds or ())) or "none"]
    usual = Study(name=study.name)
    for option, value, before in (
        ("--choose", study.choose.column, usual.choose.column),
        ("--choose-at", study.choose.at, usual.choose.at),
        ("--baseline", study.analysis.baseline, usual.analysis.baseline),
        ("--compare", study.analysis.column, usual.analysis.column),
        ("--limit", str(study.limit), str(usual.limit)),
    ):
        words += [option, value] if value != before else []
    if study.target is not None:
        words += ["--target", f"{study.target.column}={study.target.value!r}"]
    words += ["--early-ending"] if study.ending is not None else []
    return shlex.join([*words, "--name", study.name])


def written(axis: Axis) -> str:
    """Return an axis as ``protocol.parse_axis`` reads it."""
    of = f"{'+'.join(axis.methods)}:" if axis.methods else ""
    values = list(axis.values)
    if axis.scale != "list" and len(values) > 1:
        return f"{of}{axis.field}={axis.scale}:{values[0]:g}:{values[-1]:g}:{len(values)}"
    return f"{of}{axis.field}={json.dumps(values, separators=(',', ':'))[1:-1]}"
