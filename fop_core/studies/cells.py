"""The cells of a study: each is a run that it needs, with all its settings.

An axis of a part that a method has not is not multiplied for it: fop.rank is none of momentum's, nor beta1 of SGD's.
"""

import hashlib
import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fop_core.optim.forms import FORMS
from fop_core.studies.protocol import Axis, Study
from fop_core.training import config
from fop_core.training.config import ConfigError, TrainConfig

Point = Mapping[str, Any]
"""A setting of a method: the values of its axes, by field."""
Role = Literal["tune", "report"]

_ALWAYS = ("name", "lr", "weight_decay")
"""What every base optimizer has, see ``config.TAKES``."""
MOST_DECIDING = 1000  # combinations of such fields' values
_FIRST = ("optimizer.name", "fop.preconditioner", "schedule.kind", "model.name", "data.name")
"""Fields on which it depends which others there are."""


@dataclass(frozen=True)
class Cell:
    """A run that a study needs.

    Attributes:
        key: by which the study knows it: of its settings alone, so that it stays when the study grows.
        method: one of the study's.
        point: the values of the axes that the method has.
        seed: of the run.
        role: "tune": measured on held-out images; "report": measured on the test set.
        config: all settings.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> axes = parse_axis("optimizer.lr=0.01,0.1"), parse_axis("fop.rank=1,16")
        >>> study = Study(name="Ranks", axes=axes, seeds=(0, 1))
        >>> cell = cells.cells(study)[0]
        >>> cell.method, cell.point, cell.seed, cell.role, cell.config.optimizer.lr
        ('momentum', {'optimizer.lr': 0.01}, 0, 'tune', 0.01)
    """

    key: str
    method: str
    point: Point
    seed: int
    role: Role
    config: TrainConfig


def key(settings: TrainConfig) -> str:
    """Return what settings are known by.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> axes = parse_axis("optimizer.lr=0.01,0.1"), parse_axis("fop.rank=1,16")
        >>> study = Study(name="Ranks", axes=axes, seeds=(0, 1))
        >>> one, other, *_ = cells.cells(study)
        >>> cells.key(one.config) == one.key, one.key == other.key  # the second differs in its seed
        (True, False)
    """
    text = json.dumps(settings.to_json(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def cells(study: Study, winners: Mapping[str, Point] | None = None) -> list[Cell]:
    """Return the cells of a study, those of tuning first; those of reporting once the winners are known.

    A study without axes has nothing to tune.

    Args:
        study: the study.
        winners: of methods the points that won.

    Raises:
        ConfigError: where no method has an axis, a point makes settings that do not do, or they are too many.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> axes = parse_axis("optimizer.lr=0.01,0.1"), parse_axis("fop.rank=1,16")
        >>> study = Study(name="Ranks", axes=axes, seeds=(0, 1))
        >>> len(cells.cells(study))
        12
        >>> won = {"momentum": {"optimizer.lr": 0.1}}
        >>> [cell.seed for cell in cells.cells(study, won) if cell.role == "report"]
        [2, 3]
    """
    made: dict[str, Cell] = {}
    wrong: list[config.Problem] = []
    of_methods = points(study)
    won = dict(winners or {}) if study.axes else {method: {} for method in study.methods}
    for method, point in won.items():
        if point not in of_methods.get(method, ()):
            raise ConfigError(("winners", f"{method} with {json.dumps(point)[:200]} is none of what was tried"))
    rows: list[tuple[str, Point, tuple[int, ...], Role]] = []
    if study.axes:
        rows += [(method, point, study.seeds, "tune") for method, all_of in of_methods.items() for point in all_of]
    rows += [(method, point, study.fresh_seeds or (), "report") for method, point in won.items()]
    if (number := sum(len(seeds) for *_, seeds, _ in rows)) > study.limit:
        raise ConfigError(("limit", f"{number:,} runs are more than {study.limit:,}"))
    for method, point, seeds, role in rows:
        try:
            settings = configured(study, method, point, role)
        except ConfigError as error:
            words = ", ".join(f"{field}={json.dumps(value)}" for field, value in point.items())
            wrong += [("", f"{method} with {words or 'its settings'}: {line}") for line in str(error).splitlines()]
            if len(wrong) > 5:
                break
            continue
        for seed in seeds:
            of_seed = settings.model_copy(update={"seed": seed})
            cell = Cell(key(of_seed), method, point, seed, role, of_seed)
            first = made.setdefault(cell.key, cell).method
            if first != method and not {first, method}.isdisjoint(study.variants):
                wrong.append(("variants", f"{first} and {method} have the same settings: leave one of them out"))
                break
    if wrong:
        raise ConfigError(*wrong)
    return list(made.values())


def count(study: Study) -> tuple[int, int]:
    """Return how many cells a study has for tuning, and how many for reporting.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> axes = parse_axis("optimizer.lr=0.01,0.1"), parse_axis("fop.rank=1,16")
        >>> study = Study(name="Ranks", axes=axes, seeds=(0, 1))
        >>> cells.count(study)  # 2 points of momentum and 4 of FOP with 2 seeds; 2 methods with 2 fresh seeds
        (12, 4)
    """
    tuning = len(study.seeds) * sum(map(len, points(study).values())) if study.axes else 0
    return tuning, len(study.methods) * len(study.fresh_seeds or ())


def check(study: Study) -> list[Cell]:
    """Return the cells that a study begins with, once all of it has been checked.

    Raises:
        ConfigError: see ``cells``.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study
        >>> len(cells.check(Study(name="Ranks", seeds=(0, 1))))
        4
        >>> cells.check(Study(name="Ranks", methods=("momentum",), base={"fop.rank": 4}))
        Traceback (most recent call last):
            ...
        fop_core.training.config.ConfigError: fop.rank: is none of the settings of momentum
    """
    contents = {method: _content(study, method) for method in study.methods}
    if unused := [field for field in study.base if not any(has(content, field) for content in contents.values())]:
        names = ", ".join(study.methods)
        raise ConfigError(*((field, f"is none of the settings of {names}") for field in unused))
    _check_variants(study, contents)
    tuning, reporting = count(study)
    if tuning + reporting > study.limit:
        raise ConfigError(
            (
                "limit",
                f"{tuning:,} runs to tune and {reporting:,} to report are more than {study.limit:,}: leave values "
                "or seeds out, sample quasi-randomly with fewer trials, or raise the limit",
            )
        )
    return cells(study)


def _check_variants(study: Study, contents: Mapping[str, Mapping[str, Any]]) -> None:
    wrong = []
    for name, variant in study.variants.items():
        for field in variant.settings:
            if not has(contents[name], field):
                wrong.append((f"variants.{name}", f"{field} is none of the settings of {variant.method}"))
    if wrong:
        raise ConfigError(*wrong)


def points(study: Study) -> dict[str, list[Point]]:
    """Return by method the points that are tried of it, in order.

    Raises:
        ConfigError: where an axis is none of any method's.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> axes = parse_axis("optimizer.lr=0.01,0.1"), parse_axis("fop.rank=1,16")
        >>> study = Study(name="Ranks", axes=axes, seeds=(0, 1))
        >>> cells.points(study)["momentum"], len(cells.points(study)["fop"])
        ([{'optimizer.lr': 0.01}, {'optimizer.lr': 0.1}], 4)
    """
    made = {method: _points(study, method) for method in study.methods}
    used = {field for tried in made.values() for point in tried for field in point}
    unused = dict.fromkeys(axis.field for axis in study.axes if axis.field not in used)
    if unused:
        names = ", ".join(study.methods)
        raise ConfigError(*((field, f"is none of the settings of {names}: nothing is multiplied") for field in unused))
    return made


def _points(study: Study, method: str) -> list[Point]:
    axes = [axis for axis in study.axes if not axis.methods or method in axis.methods]
    deciding = [axis for axis in axes if axis.field in _FIRST]
    if math.prod(len(axis.values) for axis in deciding) > MOST_DECIDING:
        names = ", ".join(axis.field for axis in deciding)
        raise ConfigError(("axes", f"{names} have more than {MOST_DECIDING:,} combinations: leave values out"))
    if study.sampling == "quasi-random":
        axes = [axis for axis in axes if _may_have(study, method, axes, axis)]
        return [{}] if not axes else _sobol(axes, study.trials or 1)
    size = 1
    for axis in axes:
        size *= len(axis.values) if _may_have(study, method, axes, axis) else 1
    if size * max(1, len(study.seeds)) > study.limit:
        raise ConfigError(
            (
                "limit",
                f"{method} has {size:,} points with {len(study.seeds)} seeds each, more than {study.limit:,} "
                "cells: leave values or seeds out, sample quasi-randomly with fewer trials, or raise the limit",
            )
        )
    axes = [axis for axis in axes if _may_have(study, method, axes, axis)]
    made: dict[str, Point] = {}
    for values in itertools.product(*(axis.values for axis in axes)):
        tried = dict(zip((axis.field for axis in axes), values))
        point = _applied(_content(study, method), tried)[1]
        made.setdefault(json.dumps(point, sort_keys=True), point)
    return list(made.values())


def _may_have(study: Study, method: str, axes: list[Axis], axis: Axis) -> bool:
    """Return whether a method has a setting with some value of the axes on which that depends."""
    deciding = [other for other in axes if other.field in _FIRST and other is not axis]
    for values in itertools.product(*(other.values for other in deciding)):
        content = _applied(_content(study, method), dict(zip((other.field for other in deciding), values)))[0]
        if has(content, axis.field):
            return True
    return False


def _sobol(axes: list[Axis], trials: int) -> list[Point]:
    """Return the first points of a scrambled Sobol sequence, always the same ones: more trials keep those before."""
    from scipy.stats import qmc

    power = max(trials - 1, 1).bit_length()  # whole powers of two are balanced
    drawn = qmc.Sobol(len(axes), scramble=True, rng=0).random_base2(power)[:trials]
    made = [{axis.field: axis.at(float(share)) for axis, share in zip(axes, row)} for row in drawn]
    return list({json.dumps(point): point for point in made}.values())


def configured(study: Study, method: str, point: Point, role: Role, seed: int = 0) -> TrainConfig:
    """Return the settings of a cell.

    Raises:
        ConfigError: where they do not do.

    Example:
        >>> from fop_core.studies import cells
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> axes = parse_axis("optimizer.lr=0.01,0.1"), parse_axis("fop.rank=1,16")
        >>> study = Study(name="Ranks", axes=axes, seeds=(0, 1))
        >>> settings = cells.configured(study, "fop", {"fop.rank": 4}, role="tune")
        >>> settings.fop.rank, settings.data.held_out
        (4, 0.1)
    """
    content = _applied(_content(study, method), point)[0]
    content["seed"] = seed
    content["data"] = {**content["data"], "held_out": study.held_out if role == "tune" else 0.0}
    return config.parse(content)


def _content(study: Study, method: str) -> dict[str, Any]:
    """Return the settings of a method before any axis, as JSON: the preset's, the study's, and those of a variant."""
    of_variant = study.variants[method].settings if method in study.variants else {}
    is_own, method = study.is_own(method), study.kind(method)
    if method == config.PLUGIN:
        content = config.preset(study.preset, "sgd").to_json()
    elif method in config.METHODS:
        content = config.preset(study.preset, method).to_json()
    else:
        content = config.preset(study.preset, "sgd").to_json()
        content["optimizer"] = config.base(study.preset, "sgd", method).model_dump(mode="json")
    if (around := of_variant.get("optimizer.name")) in config.BASES and not is_own:
        content["optimizer"] = config.base(study.preset, method, around).model_dump(
            mode="json"
        )  # with its own defaults
    if is_own:
        content["optimizer"] = _own(study, "optimizer", {})
    for part in ("data", "model"):
        if part in study.plugins:
            content[part] = _own(study, part, content[part])
    return _applied(_applied(content, study.base)[0], of_variant)[0]


def _own(study: Study, part: str, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return a section that a file of one's own makes, as JSON."""
    plugin = study.plugins[part]  # type: ignore[index]
    kept = {name: before[name] for name in config.SECTIONS[part].kept if name in before}  # type: ignore[attr-defined]
    named = {"file": plugin.file, "sha256": plugin.sha256}
    return {"name": config.PLUGIN, **kept, "plugin": named, "settings": dict(plugin.settings)}


def _applied(content: Mapping[str, Any], changes: Point) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return settings with those changed that there are, and which these were, in their order."""
    made = {name: dict(part) if isinstance(part, dict) else part for name, part in content.items()}
    applied = set()
    for field in sorted(changes, key=lambda field: field not in _FIRST):
        if not has(made, field):
            continue
        applied.add(field)
        section, _, name = field.rpartition(".")
        if section.endswith(".settings"):
            of = made[section.removesuffix(".settings")]
            of["settings"] = {**of["settings"], name: changes[field]}
        else:
            (made[section] if section else made)[name] = changes[field]
    return made, {field: value for field, value in changes.items() if field in applied}


def has(content: Mapping[str, Any], field: str) -> bool:
    """Return whether a setting is one of what some settings are: fop.rank of a low-rank P, beta1 of Adam.

    Args:
        content: settings, as JSON.
        field: a setting's path.

    Example:
        >>> from fop_core.studies.cells import has
        >>> from fop_core.training import config
        >>> fop, momentum = (config.preset("mnist-mlp", method).to_json() for method in ("fop", "momentum"))
        >>> has(fop, "fop.rank"), has(momentum, "fop.rank"), has(momentum, "optimizer.beta1")
        (True, False, False)
    """
    section, _, name = field.rpartition(".")
    if section.endswith(".settings"):
        own = content[section.removesuffix(".settings")].get("settings")
        return isinstance(own, Mapping) and name in own
    if section in ("data", "model", "optimizer") and content[section]["name"] == config.PLUGIN:
        return name in ("name", *config.SECTIONS[section].kept)  # type: ignore[attr-defined]
    if section == "fop":
        of_fop = content.get("fop")
        if of_fop is None:
            return False
        kind = of_fop["preconditioner"]
        form = FORMS.get(kind) if isinstance(kind, str) else None
        if form is None:
            return True  # which is refused as a whole
        if name == "rank" or name == "init_std":
            return form.has_rank
        learns = ("hyper_lr", "hyper_optimizer", "hyper_lr_step", "hyper_lr_bounds", "hyper_eps", "update_every")
        return form.learns or name not in learns
    if section == "optimizer":
        base = content["optimizer"]["name"]
        takes = config.TAKES.get(base) if isinstance(base, str) else None
        return takes is None or name in _ALWAYS or name in takes
    if field in ("schedule.milestones", "schedule.factor"):
        return content["schedule"]["kind"] == "step"
    return not (field == "model.batch_norm" and content["model"]["name"] != "all-cnn")
