"""What a training run is: every setting, with its meaning, unit and range.

A ``TrainConfig`` is frozen, checked as a whole before anything starts, and goes to JSON and back unchanged. The presets
are the paper's experiments, each with the methods it compares; where the paper is silent, they say what was chosen.
"""

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from fop_core.optim.conflicts import conflicts
from fop_core.optim.forms import FORMS, FormName
from fop_core.runs import lineage
from fop_core.runs.files import RunError
from fop_core.runs.run import Run

__all__ = ["ConfigError", "TrainConfig", "change", "parse", "preset"]

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


Problem: TypeAlias = tuple[str, str]
"""The path of a field, as "optimizer.lr", or "" where there is none, and what is wrong with it."""


class ConfigError(ValueError):
    """Settings that do not do; as text it lists every wrong field, what was given and what is expected.

    Attributes:
        problems: what is wrong, field by field.

    Example:
        >>> from fop_core.training import config
        >>> try:
        ...     config.parse({"epochs": -1, "fop": {"rnk": 4}})
        ... except config.ConfigError as error:
        ...     print(error)
        fop.rnk: no such setting; did you mean fop.rank?
        epochs: -1 given; input should be greater than or equal to 1
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        """Return a line for each problem."""
        return "\n".join(dict.fromkeys(f"{path}: {message}" if path else message for path, message in self.problems))


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _is_no_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false for a number, which pydantic takes for 1 and 0."""
        wanted = str(cls.model_fields[info.field_name or ""].annotation)
        if isinstance(value, bool) and re.search(r"\b(int|float)\b", wanted):
            raise ConfigError(("", "is true or false: give a number"))
        return value


PLUGIN = "plugin"
"""The name, of data, a network or an optimizer, of what a file of one's own makes."""


class Plugin(_Section):
    """A file of one's own. A run has it as source/<part>.py, see ``runs.plugins``."""

    file: str = Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$", description="what it is called")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of its content")


class _Pluggable(_Section):
    """A section that a file of one's own can make: its JSON has that file and its settings, and no other's.

    Without a file it has nothing of this, as in runs from before there were any.
    """

    kept: ClassVar[tuple[str, ...]] = ()  # fields that mean something of a file's own, too
    plugin: Plugin | None = Field(None, description="a file of one's own that makes it")
    settings: dict[str, Any] | None = Field(None, description="of that file's Settings")

    @model_serializer(mode="wrap")
    def _without_plugin(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content = handler(self)
        own = {key: content.pop(key) for key in ("plugin", "settings")}
        if self.plugin is None:
            return content
        return {key: value for key, value in content.items() if key in ("name", *self.kept)} | own

    def _wrong_plugin(self) -> list[Problem]:
        """Return what does not go with a file of one's own, or without: its settings are all that is set of it."""
        if (name := self.name) != PLUGIN:  # type: ignore[attr-defined]
            return [(key, f"is for {PLUGIN}, not {name}") for key in ("plugin", "settings") if getattr(self, key)]
        if self.plugin is None:
            return [("name", f"{PLUGIN} is made by a file of your own: give one")]
        if self.settings is None:
            object.__setattr__(self, "settings", {})
        aside = {"name", "plugin", "settings", *self.kept}
        return [
            (key, f"is not for {self.plugin.file}, which has settings of its own")
            for key, field in type(self).model_fields.items()
            if key not in aside and getattr(self, key) != field.default
        ]


class DataConfig(_Pluggable):
    """What is learned from."""

    kept = ("held_out", "workers")
    name: Literal["mnist", "cifar10", "folder", "plugin"] = Field(
        "mnist", description="data set; folder: train/<class>/, val/<class>/; plugin: a file of your own"
    )
    path: str | None = Field(None, description="its folder; found under FOP_DATA_DIR where none is given")
    image_size: int = Field(28, ge=8, le=1024, description="pixels a side; 28 for mnist, 32 for cifar10")
    augmentation: Literal["none", "flip", "crop_flip", "resized_crop"] = Field(
        "none",
        description="flip: left-right; crop_flip: after padding by an eighth of the side; resized_crop: 8 to 100 % of "
        "the area and a flip, for streamed images",
    )
    normalize: Literal["unit", "standard"] = Field(
        "unit",
        description="unit: pixels in [0, 1]; standard: mean 0 and deviation 1 for each channel of the training set",
    )
    limit: int | None = Field(
        None,
        ge=1,
        description="images of the training set to use at most: as many of each class, the same ones for every seed",
    )
    held_out: Share = Field(
        0.0, le=0.5, description="share of the training set kept for tuning; the test set is then not looked at"
    )
    storage: Literal["auto", "memory", "stream"] = Field(
        "auto", description="memory: decoded once and kept; stream: read by workers; auto: memory up to 2 GB"
    )
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="processes that read streamed images; 0: one for each core, less one; of a plugin none",
    )

    @model_validator(mode="after")
    def _fits(self) -> "DataConfig":
        sizes = {"mnist": 28, "cifar10": 32}
        wrong = self._wrong_plugin()
        if self.name == PLUGIN:
            return _refuse(self, wrong)
        if self.image_size != sizes.get(self.name, self.image_size):
            wrong.append(("image_size", f"{self.name} has {sizes[self.name]} pixels, not {self.image_size}"))
        if self.name in sizes and self.limit is not None and self.limit < 10:
            wrong.append(("limit", f"{self.name} has 10 classes: give at least 10, not {self.limit}"))
        if self.name != "folder" and self.storage == "stream":
            wrong.append(("storage", f"{self.name} is kept in memory; stream is for folder"))
        if self.augmentation == "resized_crop" and self.storage != "stream":
            wrong.append(("augmentation", "resized_crop needs storage = stream"))
        if self.augmentation == "crop_flip" and self.storage == "stream":
            wrong.append(("augmentation", "streamed images take none, flip or resized_crop"))
        return _refuse(self, wrong)


class ModelConfig(_Pluggable):
    """What learns."""

    name: Literal["mlp", "all-cnn", "resnet18", "plugin"] = Field(
        "mlp",
        description="mlp: 4 layers of 100 units; all-cnn: 9 convolutions; resnet18: torchvision's; plugin: a file of "
        "your own",
    )
    width: float = Field(1.0, gt=0, le=16, description="a factor on the units or channels (resnet18: 1)")
    batch_norm: bool = Field(True, description="in all-cnn, after each convolution but the last")

    @model_validator(mode="after")
    def _fits(self) -> "ModelConfig":
        wrong = self._wrong_plugin()
        if self.name == "resnet18" and self.width != 1:
            wrong.append(("width", f"resnet18 has its own, give 1, not {self.width}"))
        return _refuse(self, wrong)


ADAPTIVE_LR = 1e-3
"""The learning rate of those that divide by a root mean square, where none is given."""

AUTHORS: dict[str, dict[str, Any]] = {
    "nadam": {"lr": 2e-3},
    "muon": {"lr": 0.02, "momentum": 0.95, "nesterov": True, "weight_decay": 0.01},
    "soap": {"lr": 3e-3, "beta1": 0.95, "beta2": 0.95, "weight_decay": 0.01, "precondition_every": 10},
    "shampoo": {"lr": 1e-3, "eps": 1e-6, "precondition_every": 1},
    "psgd_kron": {"lr": 1e-3, "momentum": 0.9, "weight_decay": 0.0},
    "prodigy": {"lr": 1.0, "weight_decay": 0.0},
    "schedule_free_adamw": {"lr": 2.5e-3, "weight_decay": 0.0},
}
"""What an optimizer's authors take by default: it holds where settings name the optimizer and not the field.

Their sources are in docs/training.md. An L2 penalty is the experiment's, decoupled decay the optimizer's.
"""

TAKES: dict[str, tuple[str, ...]] = {
    "sgd": ("momentum", "nesterov", "dampening"),
    "adam": ("beta1", "beta2", "eps"),
    "adamw": ("beta1", "beta2", "eps"),
    "rmsprop": ("momentum", "alpha", "eps"),
    "nadam": ("beta1", "beta2", "eps"),
    "muon": ("momentum", "nesterov"),
    "soap": ("beta1", "beta2", "eps", "precondition_every"),
    "shampoo": ("eps", "precondition_every"),
    "psgd_kron": ("momentum",),
    "prodigy": ("beta1", "beta2", "eps"),
    "schedule_free_adamw": ("beta1", "beta2", "eps"),
}
"""The fields that a base optimizer takes beside rate and weight decay."""


class OptimizerConfig(_Pluggable):
    """The base optimizer: plain, or what FOP wraps."""

    name: Literal[
        "sgd",
        "adam",
        "adamw",
        "rmsprop",
        "nadam",
        "muon",
        "soap",
        "shampoo",
        "psgd_kron",
        "prodigy",
        "schedule_free_adamw",
        "plugin",
    ] = Field("sgd", description="torch.optim's, or pytorch-optimizer's from soap on; plugin: a file of your own")
    lr: float = Field(0.05, gt=0, le=1e3, description="learning rate epsilon at the start")
    momentum: Share = Field(0.0, description="alpha of sgd and rmsprop, mu of muon and psgd_kron")
    nesterov: bool = Field(False, description="Nesterov's momentum, sgd and muon only")
    dampening: Share = Field(0.0, description="of momentum, sgd only")
    weight_decay: float = Field(
        0.0, ge=0, le=10, description="L2 penalty of sgd, adam, rmsprop, nadam and shampoo; decoupled in the others"
    )
    beta1: Share = Field(0.9, description="decay of the mean; of schedule_free_adamw the share of its average")
    beta2: Share = Field(0.999, description="decay of the mean square")
    alpha: Share = Field(0.99, description="decay of the mean square, rmsprop")
    eps: Positive = Field(1e-8, description="added to the root mean square, or of shampoo to its matrices; not sgd's")
    precondition_every: int = Field(
        10, ge=1, le=100_000, description="steps between two eigenbases of soap, or roots of shampoo"
    )

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, content: Any) -> Any:
        """Fill in what the named optimizer's authors take."""
        name = content.get("name") if isinstance(content, Mapping) else None
        return {**AUTHORS.get(name, {}), **content} if isinstance(name, str) else content

    @model_validator(mode="after")
    def _fits(self) -> "OptimizerConfig":
        if self.name == PLUGIN:
            return _refuse(self, self._wrong_plugin())
        foreign = {field for fields in TAKES.values() for field in fields} - set(TAKES[self.name])
        wrong = self._wrong_plugin()
        wrong += [
            (key, f"{self.name} has none")
            for key in sorted(foreign)
            if getattr(self, key) != type(self).model_fields[key].default
        ]
        if "nesterov" in TAKES[self.name] and self.nesterov and (self.momentum == 0 or self.dampening):
            wrong.append(("nesterov", "needs momentum, and no dampening"))
        if self.name == "schedule_free_adamw" and self.beta1 == 0:
            wrong.append(("beta1", "schedule_free_adamw needs one above 0"))
        return _refuse(self, wrong)


class ScheduleConfig(_Section):
    """How the learning rate goes."""

    kind: Literal["constant", "step", "cosine"] = Field("constant", description="cosine: to 0 at the last epoch")
    milestones: tuple[Positive, ...] = Field((), description="epochs after which step multiplies the rate by factor")
    factor: float = Field(0.1, gt=0, le=1, description="what step multiplies by")

    @model_validator(mode="after")
    def _fits(self) -> "ScheduleConfig":
        wrong: list[Problem] = []
        if (self.kind == "step") != bool(self.milestones):
            wrong.append(("milestones", "step needs some, the others have none"))
        if list(self.milestones) != sorted(set(self.milestones)):
            wrong.append(("milestones", f"{list(self.milestones)} do not ascend"))
        return _refuse(self, wrong)

    def at(self, epoch: float, epochs: float) -> float:
        """Return what the learning rate is multiplied by at an epoch (from 0, with fractions) of so many."""
        if self.kind == "step":
            return self.factor ** sum(epoch >= milestone for milestone in self.milestones)
        if self.kind == "cosine":
            return 0.5 * (1 + math.cos(math.pi * min(1.0, epoch / epochs)))
        return 1.0


_OWN_LIMIT = 1024
"""As ``max_dim`` it has always stood for the form's own limit: it was the default before there could be none."""
_KNOWN = ", ".join(f"{form.name} is {form.known_as}" for form in FORMS.values() if form.known_as)


class FOPConfig(_Section):
    """FOP's own settings, see ``fop_core.FOP``."""

    preconditioner: FormName = Field("factored", description=f"the form of P; {_KNOWN}")
    layout: Literal["auto", "input", "spatial", "full"] = Field("auto", description="which dimension is preconditioned")
    hyper_lr: float = Field(1e-4, ge=0, le=1e3, description="rho, the learning rate of M; 0 freezes it")
    hyper_optimizer: Literal["adam", "sgd", "adagrad"] = Field("adam", description="what applies it")
    hyper_lr_step: float = Field(
        0.0,
        ge=0,
        description="kappa: each layer learns its rho, by kappa times the cosine of its last two hypergradients; 0: "
        "none does; 0.02 is usual",
    )
    hyper_lr_bounds: tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(ge=1)]] = Field(
        (1e-3, 1e3), description="the least and the most of a learned rho, times hyper_lr"
    )
    rank: int = Field(16, ge=1, description="k of low_rank; layers with fewer inputs take as many")
    init_std: float = Field(0.01, ge=0, description="standard deviation of M at the start, low_rank only")
    init_scale: Positive = Field(
        1.0, description="s: M is s I at the start; low_rank and exponential have starts of their own"
    )
    apply: Literal["before", "after"] = Field(
        "before", description="before: the base is given P g; after: it is given g, and P turns the step that it makes"
    )
    feedback: Literal["hypergradient", "osgm"] = Field(
        "hypergradient",
        description="osgm: divided by the squared norm of what the last step was made of, so that it does not shrink "
        "with the gradients",
    )
    derivative: Literal["exact", "root"] = Field(
        "exact", description="of exp(M); root: cheaper, and too small between eigenvectors of unlike eigenvalues"
    )
    trace: Literal["velocity", "one_step"] | Annotated[float, Field(ge=0, le=1)] = Field(
        "velocity", description="lambda: the base's momentum, 0 (the paper's Eq. 4), or a number"
    )
    normalized: bool = Field(False, description="FOP-norm (Eq. 9): P scaled to the Frobenius norm of the identity")
    rescale: Positive | None = Field(None, description="Theorem 1's p_inf, or none")
    update_every: int = Field(1, ge=1, description="steps between two updates of M")
    on_nonfinite: Literal["raise", "skip"] = Field("raise", description="skip: leave such a step out, and count it")
    max_dim: int | None = Field(
        None,
        ge=1,
        description="layers with a larger n are left to the base; none, or 1024: the form's own limit, "
        f"{FORMS['factored'].max_dim}, for exp(M) {FORMS['exponential'].max_dim}",
    )
    hyper_eps: float = Field(1e-8, ge=0, description="eps of the hyper-optimizer's adam")

    @field_validator("max_dim")
    @classmethod
    def _own_limit(cls, largest: int | None) -> int | None:
        return None if largest == _OWN_LIMIT else largest

    @model_validator(mode="after")
    def _fits(self) -> "FOPConfig":
        return _refuse(self, conflicts(dict(self)))


class TrainConfig(_Section):
    """All settings of a run.

    Example:
        >>> from fop_core.training.config import TrainConfig
        >>> chosen = TrainConfig(epochs=2, batch_size=64)  # frozen, and checked as a whole
        >>> chosen.optimizer.name, chosen.fop, chosen.epochs
        ('sgd', None, 2)
    """

    data: DataConfig = Field(default_factory=lambda: DataConfig())
    model: ModelConfig = Field(default_factory=lambda: ModelConfig())
    optimizer: OptimizerConfig = Field(default_factory=lambda: OptimizerConfig())
    schedule: ScheduleConfig = Field(default_factory=lambda: ScheduleConfig())
    fop: FOPConfig | None = Field(None, description="none: the base optimizer alone")
    epochs: int = Field(10, ge=1, le=100_000, description="passes over the training set")
    max_steps: int | None = Field(None, ge=1, description="end after so many steps, if that is sooner")
    batch_size: int = Field(128, ge=1, le=65_536, description="images a step; the last one of an epoch may have fewer")
    seed: int = Field(0, ge=0, lt=2**31, description="of weights, M, order of images and augmentation")
    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N")
    precision: Literal["fp32", "bf16"] = Field("fp32", description="bf16: autocast forward and backward")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads; 0: as suit the network and the free cores")
    log_every: int = Field(50, ge=1, description="steps between two rows of metrics; the first ten all have one")
    snapshots: int = Field(
        60,
        ge=0,
        le=400,
        description="about how many of M: a third log-spaced at first, then regular; 0: the last alone",
    )
    checkpoint_minutes: Positive = Field(5.0, description="minutes between two checkpoints")
    checkpoint_steps: int | None = Field(None, ge=1, description="steps between two checkpoints, beside the minutes")

    @model_validator(mode="after")
    def _fits(self) -> "TrainConfig":
        wrong: list[Problem] = []
        if self.model.name == "mlp" and self.data.name == "cifar10":
            wrong.append(("model.name", "the mlp is for mnist; cifar10 takes all-cnn or resnet18"))
        if self.model.name == "mlp" and self.data.name == "folder":
            wrong.append(("model.name", "the mlp is for mnist; folder takes all-cnn or resnet18"))
        if self.model.name == "mlp" and self.data.name == PLUGIN:
            wrong.append(("model.name", "the mlp is for mnist; your own data take your own network, or one for images"))
        if self.model.name not in ("mlp", PLUGIN) and self.data.name == "mnist":
            wrong.append(("model.name", f"{self.model.name} takes colour images; mnist takes mlp"))
        if self.data.name == "mnist" and self.data.augmentation in ("flip", "crop_flip"):
            wrong.append(("data.augmentation", "a digit's mirror image is no digit"))
        if self.fop is not None and (why := WITHOUT_FOP.get(self.optimizer.name)):
            wrong.append(("optimizer.name", f"{self.optimizer.name} goes without FOP: {why}"))
        return _refuse(self, wrong)

    @property
    def plugins(self) -> dict[str, Plugin]:
        """The files of one's own, by the section that each makes.

        Example:
            >>> from fop_core.training import config
            >>> config.preset("mnist-mlp").plugins
            {}
        """
        sections = {"data": self.data, "model": self.model, "optimizer": self.optimizer}
        return {part: section.plugin for part, section in sections.items() if section.plugin is not None}

    def total_steps(self, steps_in_epoch: int) -> int:
        """Return the steps of the whole run.

        Example:
            >>> from fop_core.training import config
            >>> config.preset("mnist-mlp").total_steps(469)  # 60,000 images in batches of 128
            4690
        """
        return min(self.epochs * steps_in_epoch, self.max_steps or self.epochs * steps_in_epoch)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it; ``parse`` reads it.

        Example:
            >>> from fop_core.training import config
            >>> chosen = config.preset("mnist-mlp", "momentum")
            >>> chosen.to_json()["schedule"]["kind"], config.parse(chosen.to_json()) == chosen
            ('constant', True)
        """
        return self.model_dump(mode="json")


SECTIONS: dict[str, type[BaseModel]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
    "schedule": ScheduleConfig,
    "fop": FOPConfig,
}
"""The sections of a config, by their fields."""


def parse(content: Mapping[str, Any]) -> TrainConfig:
    """Return the config that JSON says.

    Raises:
        ConfigError: listing every wrong field. Whether fields go together is checked where each by itself is right.

    Example:
        >>> from fop_core.training import config
        >>> config.parse({"optimizer": {"name": "adam", "lr": 1e-3}, "epochs": 2}).optimizer.lr
        0.001
    """
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        raise refusal(error) from None


def of_run(run: Run) -> TrainConfig:
    """Return the config of a run that is ours to train.

    Raises:
        ConfigError: where it is none, or a script recorded it, whose settings mean what that says.
        DamagedFile: where its run.json is not one.
    """
    try:
        lineage.refuse_recorded(run)
    except RunError as error:
        raise ConfigError(("", str(error))) from None
    return parse(run.config)


def refusal(error: ValidationError) -> ConfigError:
    """Return what pydantic found wrong with settings, field by field."""
    return ConfigError(*_explain(error))


def explained(error: ValidationError) -> list[Problem]:
    """Return what pydantic found wrong with settings that are none of a config's, each by its own path."""
    return [
        (".".join(map(str, issue["loc"])), f"{issue['input']!r:.80} given; {issue['msg'][0].lower()}{issue['msg'][1:]}")
        for issue in error.errors()
    ]


def change(config: TrainConfig, settings: Iterable[str]) -> TrainConfig:
    """Return a config with settings changed, each as "fop.rank=16": the field's path, and its value as JSON or a word.

    Raises:
        ConfigError: listing every wrong one.

    Example:
        >>> from fop_core.training import config
        >>> chosen = config.change(config.preset("mnist-mlp"), ["fop.rank=8", "schedule.kind=cosine"])
        >>> chosen.fop.rank, chosen.schedule.kind
        (8, 'cosine')
    """
    return changed(config.to_json(), settings)


def changed(content: Mapping[str, Any], settings: Iterable[str]) -> TrainConfig:
    """Return the config that JSON says, with settings changed as by ``change``: only together they have to do."""
    content = {name: dict(part) if isinstance(part, dict) else part for name, part in content.items()}
    wrong: list[Problem] = []
    for setting in settings:
        path, equals, text = setting.partition("=")
        *sections, field = path.strip().split(".")
        if not equals or not field:
            wrong.append(("", f"{setting!r}: write field=value, as epochs=5 or fop.rank=16"))
            continue
        node: Any = content
        for section in sections:
            if not isinstance(node, dict):
                break
            if node.get(section) is None:
                node[section] = {}
            node = node[section]
        if not isinstance(node, dict):
            wrong.append((path, f"no such field{suggestion(path.strip())}"))
            continue
        try:
            node[field] = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            node[field] = text.strip()
    try:
        made = parse(content)
    except ConfigError as error:
        wrong += error.problems
    if wrong:
        raise ConfigError(*wrong)
    return made


def described() -> dict[str, str]:
    """Return the description of every setting by its path, as "optimizer.lr", those of FOP included."""
    listed: dict[str, str] = {}
    for name, field in TrainConfig.model_fields.items():
        inner = SECTIONS[name].model_fields if name in SECTIONS else {"": field}
        inner = {key: each for key, each in inner.items() if key not in ("plugin", "settings")}  # a file's own
        listed |= {f"{name}.{key}".rstrip("."): each.description or "" for key, each in inner.items()}
    return listed


def suggestion(path: str) -> str:
    """Return which settings are likely meant by a path that is none, as words to append, or ""."""
    if path in SECTIONS:
        first = next((each for each in described() if each.startswith(f"{path}.")), "")
        return f"; it is a part: name one of its settings, as {first}" if first else ""
    section, _, last = path.lower().rpartition(".")
    inside = section in SECTIONS
    everything = {each: words for each, words in described().items() if not inside or each.startswith(f"{section}.")}
    ends = {each: each.rpartition(".")[2] for each in everything}
    close = difflib.get_close_matches(last, list(dict.fromkeys(ends.values())), 3, 0.5 if inside else 0.7)
    meant = [each for each, end in ends.items() if end == last]
    if not meant and not inside:
        meant = difflib.get_close_matches(path.lower(), [*everything, *SECTIONS], 1, 0.7)
    meant = meant or [each for name in close for each, end in ends.items() if end == name]
    if not meant and len(last) > 4:
        meant = [each for each, words in everything.items() if last.replace("_", " ") in words]
    return f"; did you mean {' or '.join(meant[:3])}?" if meant else ""


def _refuse(section: Any, wrong: list[Problem]) -> Any:
    if wrong:
        raise ConfigError(*wrong)
    return section


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _explain(error: ValidationError) -> list[Problem]:
    problems: list[Problem] = []
    for issue in error.errors():
        path = ".".join(str(part) for part in issue["loc"] if not str(part).startswith(("literal[", "constrained-")))
        if issue["type"] == "value_error":  # a section's own check
            problems += [(f"{path}.{field}".strip("."), message) for field, message in issue["ctx"]["error"].problems]
        elif issue["type"] == "extra_forbidden":
            problems.append((path, f"no such setting{suggestion(path)}"))
        elif issue["type"] == "model_type":
            problems.append((path or "settings", f"{issue['input']!r:.80} given; an object of fields is expected"))
        else:
            message = f"{issue['input']!r:.80} given; {issue['msg'][0].lower()}{issue['msg'][1:]}"
            problems.append((path, message))
    return problems


# presets -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Method:
    """One of the optimizers that the paper compares.

    Attributes:
        about: what it is.
        momentum: whether SGD with momentum is the base (SGD without, or Adam, else).
        fop: what differs from the preset's own FOP settings, or None for the base alone.
    """

    about: str
    momentum: bool = True
    fop: dict[str, Any] | None = None


BASES = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "rmsprop": "RMSProp",
    "nadam": "NAdam",
    "muon": "Muon",
    "soap": "SOAP",
    "shampoo": "Shampoo",
    "psgd_kron": "PSGD-Kron",
    "prodigy": "Prodigy",
    "schedule_free_adamw": "Schedule-Free AdamW",
}
"""What the base optimizers are called."""

WITHOUT_FOP = {
    "prodigy": "its rate is an estimate of its own, which FOP cannot follow",
    "schedule_free_adamw": "its weights are an average, which a learned P would pull apart",
}
"""The base optimizers that FOP is not put around, and why."""

METHODS = {
    "sgd": Method("SGD without momentum", momentum=False),
    "momentum": Method("SGD with momentum 0.9"),
    "adam": Method("Adam at 1e-3", momentum=False),
    "s-hd": Method("a learned rate for each tensor", fop={"preconditioner": "scalar"}),
    "pp-hd": Method("a learned rate for each parameter", fop={"preconditioner": "diagonal"}),
    "fop": Method("FOP around SGD with momentum", fop={}),
    "fop-norm": Method("FOP with P at the identity's norm (Eq. 9)", fop={"normalized": True}),
    "fop-exponential": Method("FOP with P = exp(M), which closes no direction", fop={"preconditioner": "exponential"}),
    "fop-osgm": Method(
        "FOP that learns from OSGM's feedback, by AdaGrad",
        fop={"feedback": "osgm", "hyper_optimizer": "adagrad", "hyper_lr": 0.01},
    ),
    "fop-after": Method("FOP whose P turns the base's own step", fop={"apply": "after"}),
    "mean-removing": Method(
        f"the fixed P = {FORMS['mean_removing'].formula}, nothing learned", fop={"preconditioner": "mean_removing"}
    ),
}


@dataclass(frozen=True)
class Preset:
    """An experiment.

    Attributes:
        about: what it is, and what was chosen where the paper is silent.
        config: its settings with method "fop".
    """

    about: str
    config: TrainConfig


def _preset(about: str, **settings: Any) -> Preset:
    return Preset(about, parse(settings))


_CIFAR: dict[str, Any] = {
    "data": {"name": "cifar10", "image_size": 32, "augmentation": "crop_flip", "normalize": "standard"},
    "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 5e-4},
}
_FOLDER: dict[str, Any] = {
    "name": "folder",
    "normalize": "standard",
    "storage": "stream",
    "augmentation": "resized_crop",
}

PRESETS = {
    "mnist-mlp": _preset(
        "2.2: the 4-layer, 100-unit network on MNIST, P = I + M Mᵀ of rank 16; fop.rank=784 is full rank. Chosen: "
        "rate 0.05, constant, batch 128, 10 epochs, ρ 1e-4.",
        optimizer={"name": "sgd", "lr": 0.05, "momentum": 0.9},
        fop={"preconditioner": "low_rank", "rank": 16, "hyper_lr": 1e-4},
        log_every=100,
        snapshots=30,
    ),
    "cifar10-allcnn": _preset(
        "4.1: the 9-layer All-CNN on CIFAR-10, batch 128, rate 0.05, a tenth of it after epoch 80, 150 epochs, FOP by "
        "Adam at 1e-4. Chosen: BatchNorm, weight decay 5e-4, crops and flips.",
        **_CIFAR,
        model={"name": "all-cnn"},
        schedule={"kind": "step", "milestones": [80]},
        fop={"hyper_lr": 1e-4},
        epochs=150,
        snapshots=200,
    ),
    "cifar10-allcnn-small": _preset(
        "The All-CNN of cifar10-allcnn at a quarter of the width in 15 epochs, for CPUs. A tenth of the rate after "
        "epoch 8; ρ 5e-4 as in Figure 4, since M has a tenth of the steps.",
        **_CIFAR,
        model={"name": "all-cnn", "width": 0.25},
        schedule={"kind": "step", "milestones": [8]},
        fop={"hyper_lr": 5e-4},
        epochs=15,
        snapshots=120,
    ),
    "imagenet-resnet18": _preset(
        "4.2: ResNet-18 on ImageNet at 299 pixels, batch 256, rate 0.1, a tenth of it after epochs 25 and 50, 60 "
        "epochs. Chosen: weight decay 1e-4, resized crops and flips, ρ 1e-4.",
        data={**_FOLDER, "image_size": 299},
        model={"name": "resnet18"},
        optimizer={"name": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4},
        schedule={"kind": "step", "milestones": [25, 50]},
        fop={"hyper_lr": 1e-4},
        epochs=60,
        batch_size=256,
        snapshots=200,
    ),
    "imagefolder": _preset(
        "ResNet-18 on your own images, one folder a class below train/ (and val/): data.path=FOLDER. Chosen: 224 "
        "pixels, batch 64, rate 0.05 by a cosine, 30 epochs.",
        data={**_FOLDER, "image_size": 224},
        model={"name": "resnet18"},
        optimizer={"name": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4},
        schedule={"kind": "cosine"},
        fop={"hyper_lr": 1e-4},
        epochs=30,
        batch_size=64,
        snapshots=120,
    ),
}


def preset(name: str, method: str = "fop") -> TrainConfig:
    """Return a preset's settings with one of the methods.

    Raises:
        ConfigError: where there is no such preset or method.

    Example:
        >>> from fop_core.training import config
        >>> chosen = config.preset("cifar10-allcnn", "fop-norm")
        >>> chosen.model.name, chosen.fop.normalized, config.preset("cifar10-allcnn", "momentum").fop
        ('all-cnn', True, None)
    """
    wrong: list[Problem] = []
    if name not in PRESETS:
        wrong.append(("", f"no preset {name!r}: there are {', '.join(PRESETS)}"))
    if method not in METHODS:
        wrong.append(("", f"no method {method!r}: there are {', '.join(METHODS)}"))
    if wrong:
        raise ConfigError(*wrong)
    content, chosen = PRESETS[name].config.to_json(), METHODS[method]
    decay = content["optimizer"]["weight_decay"]
    if method == "adam":
        content["optimizer"] = {"name": "adam", "lr": ADAPTIVE_LR, "weight_decay": decay}
    elif not chosen.momentum:
        content["optimizer"]["momentum"] = 0.0
    content["fop"] = None if chosen.fop is None else content["fop"] | chosen.fop
    return parse(content)


def base(preset_name: str, method: str, name: str) -> OptimizerConfig:
    """Return a base optimizer with what it has by default: SGD the preset's rate and momentum, another its own.

    Args:
        preset_name: one of ``PRESETS``.
        method: one of ``METHODS``; where this base is its own, as the method has it.
        name: one of ``BASES``.
    """
    for made in (preset(preset_name, method), PRESETS[preset_name].config):
        if made.optimizer.name == name:
            return made.optimizer
    decay = PRESETS[preset_name].config.optimizer.weight_decay
    usual = {"name": name, "lr": ADAPTIVE_LR, "weight_decay": decay}
    return OptimizerConfig.model_validate(usual | AUTHORS.get(name, {}))
