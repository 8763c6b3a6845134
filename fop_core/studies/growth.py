"""How a study grows: by values of an axis, a new axis, or seeds. What is there stays, and that it grew is kept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from fop_core.runs import stamps
from fop_core.runs.compare import flat
from fop_core.studies import protocol, store
from fop_core.studies.cells import Cell, cells, check
from fop_core.studies.protocol import Axis, Study
from fop_core.studies.stored import Stored
from fop_core.training.config import ConfigError


def grow(
    id_: str,
    *,
    axis: Axis | None = None,
    seeds: tuple[int, ...] = (),
    fresh_seeds: tuple[int, ...] = (),
    limit: int | None = None,
    folder: Path | None = None,
) -> Stored:
    """Add to a study: values of an axis, or a new one; seeds of tuning, or of reporting. What is there stays.

    Where points or tuning seeds are added the winners are chosen anew. That it grew is kept, and when.

    Args:
        id_: of the study.
        axis: a new one, or one that is there with more values, which are added to its own.
        seeds: of tuning.
        fresh_seeds: of reporting.
        limit: the most cells from now on.
        folder: the runs folder.

    Raises:
        ConfigError: where the larger study does not do; nothing is changed then.
        RunError, DamagedFile: as ``store.changing``.

    Example:
        >>> from fop_core.studies import growth, protocol, store
        >>> rates = protocol.parse_axis("optimizer.lr=0.01,0.1")
        >>> _ = store.create(protocol.Study(name="Rates", axes=(rates,)))
        >>> grown = growth.grow("rates", axis=protocol.parse_axis("optimizer.lr=0.5"), seeds=(7,))
        >>> grown.study.axes[0].values, grown.study.seeds
        ((0.01, 0.1, 0.5), (0, 1, 2, 7))
    """
    with store.changing(id_, folder) as stored:
        study = larger(stored.study, axis, seeds, fresh_seeds, limit)
        what = [] if axis is None else [f"{axis.field}={','.join(map(str, axis.values))}"]
        for name in ("seeds", "fresh_seeds"):
            new = [str(seed) for seed in getattr(study, name) or () if seed not in (getattr(stored.study, name) or ())]
            what += [f"{name} {','.join(new)}"] if new else []
        reported = len(stored.winners) if stored.study.axes else len(stored.study.methods)
        stored.study = study
        stored.changes.append({"at": stamps.now(), "what": "; ".join(what), "reported": reported})
        if axis is not None or seeds:
            stored.winners, stored.lost = {}, []
    return stored


def larger(
    study: Study,
    axis: Axis | None = None,
    seeds: tuple[int, ...] = (),
    fresh_seeds: tuple[int, ...] = (),
    limit: int | None = None,
) -> Study:
    """Return a study with more, as ``grow`` makes it; nothing is written.

    Raises:
        ConfigError: where the larger study does not do, or is no larger.

    Example:
        >>> from fop_core.studies import cells, growth, protocol
        >>> study = protocol.Study(name="Rates", axes=(protocol.parse_axis("optimizer.lr=0.01,0.1"),))
        >>> cells.count(study), cells.count(growth.larger(study, seeds=(7,)))
        ((12, 6), (16, 6))
    """
    content = study.to_json()
    if axis is not None:
        content["axes"] = _with_axis(study, axis)
    for name, more in (("seeds", seeds), ("fresh_seeds", fresh_seeds)):
        content[name] = [*content[name], *(seed for seed in more if seed not in content[name])]
    content["limit"] = content["limit"] if limit is None else limit
    made = protocol.parse(content)
    if made.model_copy(update={"limit": study.limit}) == study:
        raise ConfigError(("", f"the study {store.slug(study.name)} has all of that already"))
    there = {cell.key for cell in check(made)}
    if axis is not None and study.axes and (left_out := [cell for cell in cells(study) if cell.key not in there]):
        _refuse(study, axis, left_out)
    return made


def _refuse(study: Study, axis: Axis, left_out: Sequence[Cell]) -> NoReturn:
    """Say why an axis cannot be added: some cells would no longer be the study's."""
    if study.sampling == "quasi-random":
        raise ConfigError((axis.field, "would draw other points than those that are there: submit a new study"))
    settings = (flat(cell.config.to_json()) for cell in left_out)
    values = dict.fromkeys(json.dumps(each.get(axis.field)) for each in settings)
    raise ConfigError((axis.field, f"what is there has {', '.join(values)}: give that too, so that it stays"))


def _with_axis(study: Study, axis: Axis) -> list[dict[str, Any]]:
    """Return a study's axes with one added, or with its values added to those of one that is there."""
    made = []
    added = False
    for each in study.axes:
        if each.field == axis.field and set(each.methods) == set(axis.methods):
            if study.sampling == "quasi-random":
                raise ConfigError(
                    (axis.field, "is sampled already, and its points would be others: submit a new study")
                )
            values = [*each.values, *(value for value in axis.values if value not in each.values)]
            made.append(each.model_dump(mode="json") | {"values": values, "scale": "list"})
            added = True
        else:
            made.append(each.model_dump(mode="json"))
    return made if added else [*made, axis.model_dump(mode="json")]
