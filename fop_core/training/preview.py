"""What a run will train and hold, found before it starts, without a byte of it being allocated.

    preview(config)     builds model and optimizer on torch's meta device, where torch is loaded: see ``fop_core.warm``

Whoever asks need not have torch loaded, and holds no device: another process does that. ``steps`` and
``probe`` need none either.
"""

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fop_core.training import datasets
from fop_core.training.config import TrainConfig, parse
from fop_core.warm import Warm, WarmError

if TYPE_CHECKING:
    from fop_core.training.build import Built

CLASSES = {"mnist": 10, "cifar10": 10, "folder": 1000}
"""What is assumed where the data are missing."""

PROBE_STEPS = 20
ONE_IMAGE = 1e-9  # as a share: of any set one image, which is the least that is held out
WARM = 10  # steps of a probe that do not count: kernels are chosen, all rows are logged


worker = Warm()
"""One connection for all that this process asks."""


class PreviewError(RuntimeError):
    """What cannot be built, or was not; the message says why."""


@dataclass(frozen=True)
class Parameter:
    """A parameter, and what FOP will do with it.

    Attributes:
        name: the model's.
        shape: torch's order.
        layout: which dimension is preconditioned, or "" where it is left to the base.
        left: why it is left, or "".
        n: rows, which P multiplies; 0 where it is left.
        m: columns, which share P.
        M: the shape of what is learned; () where that is one number, or nothing.
        learned: how many numbers are learned.
    """

    name: str
    shape: tuple[int, ...]
    layout: str = ""
    left: str = ""
    n: int = 0
    m: int = 0
    M: tuple[int, ...] = ()
    learned: int = 0

    @property
    def numbers(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Preview:
    """A run before it starts.

    Attributes:
        parameters: in the model's order.
        memory: bytes by what they are for, see ``memory.estimate``.
        classes: of the data, or assumed.
        images: to train on, or None where the data are missing.
    """

    parameters: tuple[Parameter, ...]
    memory: dict[str, int]
    classes: int
    images: int | None


def question(config: TrainConfig) -> TrainConfig:
    """Return the config with all that a preview does not depend on as it is by default: one answer serves many."""
    plain = TrainConfig()
    content = {**plain.to_json(), **{part: getattr(config, part).model_dump(mode="json") for part in ("data", "model")}}
    base = config.optimizer
    content["optimizer"] = {"name": base.name, "momentum": 0.9 if base.momentum else 0.0, "nesterov": False}
    if config.fop is not None:
        names = ("preconditioner", "layout", "hyper_optimizer", "rank", "max_dim")
        content["fop"] = {name: getattr(config.fop, name) for name in names}
        content["fop"]["hyper_lr_step"] = 0.02 if config.fop.hyper_lr_step else 0.0  # it keeps a hypergradient
    return parse(content)


def data_stamp(config: TrainConfig) -> str:
    """Return what a preview depends on beside the config: where the data are, and since when they are so; or ""."""
    try:
        path = datasets.find(config.data).path
        train = path / "train"
        return f"{path} {(train if train.is_dir() else path).stat().st_mtime_ns}"
    except (datasets.DataError, OSError):
        return ""


def preview(config: TrainConfig, timeout: float = 120) -> Preview:
    """Return what a run of this config will train and hold.

    Raises:
        PreviewError: where it cannot be built.
    """
    data = {"FOP_DATA_DIR": os.environ.get("FOP_DATA_DIR"), "FOP_DATA_RELATIVE_TO": os.getcwd()}
    try:
        content = worker.ask({"describe": config.to_json(), "environment": data}, timeout)
    except WarmError as error:
        raise PreviewError(str(error)) from None
    parameters = tuple(
        Parameter(**{**row, "shape": tuple(row["shape"]), "M": tuple(row["M"])}) for row in content.pop("parameters")
    )
    return Preview(parameters, **content)


def steps(config: TrainConfig, images: int) -> tuple[int, int]:
    """Return the steps of an epoch, as ``batches.steps_in_epoch``, and of the whole run, as ``build.total_steps``."""
    full, remainder = divmod(images, config.batch_size)
    epoch = max(1, full + (remainder > 1))
    return epoch, min(config.epochs * epoch, config.max_steps or math.inf)  # type: ignore[return-value]


def probe(config: TrainConfig) -> TrainConfig:
    """Return the config of a run that measures how long a step takes, and keeps as little as can be.

    It holds one image out, so that its end, too, is measured on that one: a whole test set can take an hour.
    """
    content = config.to_json()
    changes = {"max_steps": PROBE_STEPS, "snapshots": 0, "log_every": PROBE_STEPS, "checkpoint_steps": None}
    return parse({**content, **changes, "data": content["data"] | {"held_out": ONE_IMAGE}})


def step_seconds(rows: dict[int, float]) -> float | None:
    """Return how long a step of a probe took, from its logged seconds by step; None where there are too few."""
    if not rows or (last := max(rows)) < 2:
        return None
    first = max((step for step in rows if step <= min(WARM, last - 1)), default=0)
    return (rows[last] - rows.get(first, 0.0)) / (last - first)


def describe(config: TrainConfig) -> dict[str, Any]:
    """Return what ``preview`` does, as JSON has it; where torch is.

    Raises:
        ValueError: of a config with plug-ins, which nothing but a trainer and their probe imports.
    """
    if own := config.plugins:
        raise ValueError(f"{', '.join(each.file for each in own.values())}: see what its probe says")
    import torch

    from fop_core.optim.fop import FOP
    from fop_core.training import build, memory

    class Sketch(FOP):
        """FOP whose M has a shape alone."""

        def _draw(self, n: int, k: int) -> torch.Tensor:
            return torch.empty(n, k)

    try:
        classes, images = datasets.count(config.data)
    except datasets.DataError:
        classes, images = CLASSES[config.data.name], None
    with torch.device("meta"):  # the sizes of a network that fits nowhere can be read, too
        model = build._model(config, classes)
        base = build._base(config.optimizer, model, torch.device("meta"))
        fop = None if config.fop is None else Sketch(base, **config.fop.model_dump())
    built = build.Built(model, fop or base, fop)
    return {
        "parameters": rows(built),
        "memory": memory.estimate(built, config),
        "classes": classes,
        "images": images,
    }


def rows(built: "Built") -> list[dict[str, Any]]:
    """Return what a ``Parameter`` has, of each parameter that is trained."""
    fop = built.fop
    # By the parameters themselves: an optimizer of somebody's own may give its groups no names.
    layers = {} if fop is None else {id(layer.parameter): layer for layer in fop.layers()}
    left = {} if fop is None else fop.left_to_base()
    made = []
    for name, parameter in built.model.named_parameters():
        if not parameter.requires_grad:
            continue
        row: dict[str, Any] = {"name": name, "shape": tuple(parameter.shape)}
        layer = layers.get(id(parameter))
        if fop is not None and layer is None:
            row["left"] = left.get(name, "no layer of FOP")
        elif fop is not None and layer is not None:
            n = layer.layout.rows(tuple(parameter.shape))
            row |= {"layout": layer.layout.name, "n": n, "m": parameter.numel() // n}
            if fop.learns:
                row |= {"M": tuple(layer.M.shape), "learned": layer.M.numel()}
        made.append(vars(Parameter(**row)))
    return made
