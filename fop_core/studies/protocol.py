"""What a study is: methods, axes, seeds, how a winner is chosen, and the analysis, which is fixed before a run is made.

The winner of each method is chosen on images of the training set that are held out, with the seeds ``seeds``; it is
reported on the test set with other seeds, ``fresh_seeds``, trained on the whole training set.
"""

import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fop_core.printable import printable
from fop_core.studies.variants import NAME, Variant
from fop_core.training import config
from fop_core.training.config import ConfigError, Problem

LIMIT = 2000  # cells that a study has at most, unless it says otherwise
MOST_VALUES = 1000  # of an axis
MOST = {"methods": 100, "variants": 100, "axes": 100, "base": 200, "seeds": 10_000, "fresh_seeds": 100_000}
"""Of each that a study can have, so that whatever a file or an address says is read in no time."""
MEASURED = ("accuracy", "loss")
"""What is measured of the test set and of the held-out images: the ends of their columns' names."""

Direction = Literal["max", "min"]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


def direction(column: str) -> Direction:
    """Return whether the largest or the smallest value of a column is the best.

    Example:
        >>> from fop_core.studies.protocol import direction
        >>> direction("test_accuracy"), direction("test_loss")
        ('max', 'min')
    """
    return "max" if column.endswith("accuracy") else "min"


def of_role(column: str, role: str) -> str:
    """Return the column that stands for another one in a role: of "test_loss" in tuning it is "held_out_loss".

    Example:
        >>> from fop_core.studies.protocol import of_role
        >>> of_role("test_loss", "tune"), of_role("test_loss", "report"), of_role("train_loss", "tune")
        ('held_out_loss', 'test_loss', 'train_loss')
    """
    for part, other in (("test_", "held_out_"), ("held_out_", "test_")):
        if column.startswith(part):
            wanted = "held_out_" if role == "tune" else "test_"
            return column if part == wanted else other + column.removeprefix(part)
    return column


class Axis(_Part):
    """The values of one setting.

    Attributes:
        field: the setting's path, as "optimizer.lr".
        values: in order; of a range its points in a grid, of which the first and the last are its ends.
        scale: "list": these values and none between them; "lin", "log": a range.
        methods: those that it is for; all that have the setting unless given.

    Example:
        >>> from fop_core.studies.protocol import Axis
        >>> Axis(field="optimizer.lr", values=(0.01, 0.1)).at(0.5)
        0.1
        >>> Axis(field="fop.rank", values=(1, 64), scale="log").at(0.5)
        8
    """

    field: str
    values: tuple[Any, ...]
    scale: Literal["list", "lin", "log"] = "list"
    methods: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> "Axis":
        if len(self.values) > MOST_VALUES:
            raise ConfigError(
                ("values", f"{self.field[:80]} has {len(self.values):,}, of which {MOST_VALUES:,} can be taken")
            )
        wrong: list[Problem] = []
        if not self.values:
            wrong.append(("values", f"{self.field} has none: give at least one, as {self.field}=0.01,0.1"))
        counts = Counter(json.dumps(value) for value in self.values)
        if twice := sorted(text for text, times in counts.items() if times > 1):
            wrong.append(("values", f"{self.field} has {', '.join(twice)} twice: give each value once"))
        if self.scale != "list" and not _ascending(self.values, self.scale):
            wrong.append(("values", f"{self.field} is a range: its numbers must ascend, for log from above 0"))
        if wrong:
            raise ConfigError(*wrong)
        return self

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers.

        Example:
            >>> from fop_core.studies.protocol import parse_axis
            >>> parse_axis("fop.rank=1,16").whole, parse_axis("optimizer.lr=0.1,1").whole
            (True, False)
        """
        return _whole(self.field)

    def at(self, share: float) -> Any:
        """Return the value at a share of the axis, from 0 to below 1: how a quasi-random point is read.

        Example:
            >>> from fop_core.studies.protocol import parse_axis
            >>> axis = parse_axis("optimizer.lr=log:1e-4:1:5")
            >>> axis.at(0.0), axis.at(0.5), axis.at(0.75)
            (0.0001, 0.01, 0.1)
        """
        if self.scale == "list":
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        low, high = float(self.values[0]), float(self.values[-1])
        if self.scale == "log":
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        return _rounded(self.field, value, 4)


def _ascending(values: tuple[Any, ...], scale: str) -> bool:
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if not numbers or list(values) != sorted(set(values)) or (scale == "log" and values[0] <= 0):
        return False
    return -sys.float_info.max <= values[0] and values[-1] <= sys.float_info.max


def _whole(field: str) -> bool:
    section, _, name = field.rpartition(".")
    if section.endswith(".settings"):  # a file's own, of which nothing is known here
        return False
    model: Any = config.SECTIONS[section] if section in config.SECTIONS else config.TrainConfig
    return name in model.model_fields and model.model_fields[name].annotation in (int, int | None)


def _rounded(field: str, value: float, digits: int) -> int | float:
    return round(value) if _whole(field) else float(f"{value:.{digits}g}")


def parse_axis(text: str) -> Axis:
    """Return the axis that a text says.

    Args:
        text: "optimizer.lr=0.01,0.05,0.1"; "optimizer.lr=log:1e-3:1e-1:5", five numbers evenly spaced by their
            logarithms; "fop.rank=lin:1:9:3". "adam:optimizer.lr=..." is for that method alone, "adam+sgd:..." for two.

    Raises:
        ConfigError: where it says none.

    Example:
        >>> from fop_core.studies.protocol import parse_axis
        >>> parse_axis("optimizer.lr=log:1e-3:1e-1:5").values
        (0.001, 0.00316228, 0.01, 0.0316228, 0.1)
        >>> parse_axis("adam:optimizer.beta1=0.8,0.9").methods
        ('adam',)
        >>> parse_axis("optimizer.lr")
        Traceback (most recent call last):
            ...
        fop_core.training.config.ConfigError: axis: 'optimizer.lr': write field=values, as optimizer.lr=0.01,0.1 or ...
    """
    head, equals, words = text.partition("=")
    *of, field = head.strip().split(":")
    if not equals or not field or len(of) > 1:
        raise ConfigError(("axis", f"{text!r}: write field=values, as optimizer.lr=0.01,0.1 or fop.rank=log:1:64:4"))
    methods = tuple(part.strip() for part in of[0].split("+")) if of else ()
    scale, colon, ends = words.strip().partition(":")
    if not colon or scale not in ("log", "lin"):
        return _built(field=field, values=_listed(words), methods=methods)
    try:
        low_text, high_text, count_text = ends.split(":")
        low, high, count = float(low_text), float(high_text), int(count_text)
        if not (math.isfinite(low) and math.isfinite(high) and low < high and 2 <= count <= MOST_VALUES):
            raise ValueError
        if scale == "log" and low <= 0:
            raise ValueError
    except ValueError:
        raise ConfigError(
            (
                "axis",
                f"{text!r}: a range is {scale}:from:to:count, as {scale}:1e-3:1e-1:5; from below to, for log "
                f"above 0; count from 2 to {MOST_VALUES:,}",
            )
        ) from None
    spaced = np.geomspace(low, high, count) if scale == "log" else np.linspace(low, high, count)
    values = dict.fromkeys(_rounded(field, value, 6) for value in spaced.tolist())  # whole numbers may meet
    return _built(field=field, values=tuple(values), scale=scale, methods=methods)


def _listed(words: str) -> tuple[Any, ...]:
    """Return comma-separated values: each as JSON, or else a word. A comma within brackets separates nothing."""
    try:
        return tuple(json.loads(f"[{words}]"))
    except (ValueError, RecursionError):
        return tuple(_value(word) for word in words.split(",") if word.strip())


def _value(word: str) -> Any:
    try:
        return json.loads(word)
    except (ValueError, RecursionError):
        return word.strip()


def _built(**fields: Any) -> Axis:
    try:
        return Axis(**fields)
    except ValidationError as error:
        raise config.refusal(error) from None


class _OfColumn(_Part):
    """What goes by a column."""

    @field_validator("column", mode="before", check_fields=False)
    @classmethod
    def _known(cls, column: Any) -> Any:
        known = get_args(cls.model_fields["column"].annotation)
        if column not in known:
            raise ConfigError(
                ("", f"{column!r:.80} given; only losses and accuracies can be compared: {', '.join(known)}")
            )
        return column


class Choose(_OfColumn):
    """How the winner among a method's settings is chosen: by the mean over the tuning seeds.

    Attributes:
        column: what counts: measured on the held-out images, or on what is trained on.
        at: "last", at the end of a run; "best", at its best measurement.
        direction: whether the largest or the smallest wins.

    Example:
        >>> from fop_core.studies.protocol import Choose
        >>> Choose(column="held_out_loss", at="best").direction
        'min'
    """

    column: Literal["held_out_accuracy", "held_out_loss", "train_loss", "train_accuracy"] = "held_out_accuracy"
    at: Literal["last", "best"] = "last"

    @property
    def direction(self) -> Direction:
        """Whether the largest or the smallest wins.

        Example:
            >>> from fop_core.studies.protocol import Choose
            >>> Choose().direction
            'max'
        """
        return direction(self.column)


class Target(_OfColumn):
    """What a run is to reach: the steps, seconds and gradients that it takes are compared.

    Attributes:
        column: measured at the ends of epochs, on the held-out images in tuning and on the test set in reporting.
        value: an accuracy to reach, or a loss to fall to.

    Example:
        >>> import numpy as np
        >>> from fop_core.studies.protocol import Target
        >>> Target(column="test_loss", value=0.1).reached(np.array([0.3, 0.09, np.nan]))
        array([False,  True, False])
    """

    column: Literal["test_accuracy", "test_loss"] = "test_accuracy"
    value: float

    def reached(self, values: np.ndarray) -> np.ndarray:
        """Return where values meet it."""
        with np.errstate(invalid="ignore"):
            return values >= self.value if direction(self.column) == "max" else values <= self.value


class Median(_Part):
    """The median rule: a tuning run is ended early where it has fallen behind the others of its method.

    It is, where its best value so far is worse than the median of what the others had at the same epoch: Optuna's rule,
    where that of Golovin et al. ("Google Vizier", 2017, section 3.2.2) takes their averages up to it.

    Attributes:
        grace: the share of a run's epochs before which none is ended.
        others: how many others must have come as far.

    Example:
        >>> from fop_core.studies.protocol import Median
        >>> Median(grace=0.5)
        Median(grace=0.5, others=4)
    """

    grace: float = Field(0.25, ge=0, lt=1)
    others: int = Field(4, ge=1)


class Analysis(_OfColumn):
    """What is concluded from the reported runs, fixed before there is one.

    Attributes:
        column: what is compared.
        at: "last" or "best", as ``Choose``.
        baseline: the method that the others are compared with; "" compares all with all.
        alpha: the probability of declaring any difference where there is none.
        correction: of many comparisons: "holm", or "none".

    Example:
        >>> from fop_core.studies.protocol import Analysis
        >>> Analysis(column="test_loss", baseline="momentum").alpha
        0.05
    """

    column: Literal["test_accuracy", "test_loss", "train_loss", "train_accuracy"] = "test_accuracy"
    at: Literal["last", "best"] = "last"
    baseline: str = ""
    alpha: float = Field(0.05, gt=0, lt=0.5)
    correction: Literal["holm", "none"] = "holm"


class StudyPlugin(_Part):
    """A file of one's own in a study, which has it as source/<part>.py.

    Attributes:
        file: what it is called.
        sha256: of its content.
        settings: all of its Settings, as they are where no axis says otherwise.

    Example:
        >>> from fop_core.studies.protocol import StudyPlugin
        >>> StudyPlugin(file="lion.py", sha256="0" * 64, settings={"lr": 1e-4}).settings
        {'lr': 0.0001}
    """

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    settings: dict[str, Any] = {}


class Study(_Part):
    """A study, as it was submitted.

    Attributes:
        name: what people call it.
        preset: the experiment, one of ``config.PRESETS``.
        base: settings changed for all methods, by their paths; one that a method has not is left out for it.
        methods: of ``config.METHODS``, or a base optimizer of ``config.BASES``, or "plugin", or of ``variants``.
        variants: methods with settings of their own, by the names that they have in this study.
        axes: what is tried.
        sampling: "grid": all combinations; "quasi-random": as many points for each method, of a Sobol sequence.
        trials: points of each method; of a quasi-random study only.
        seeds: of tuning.
        fresh_seeds: of reporting; as many as ``seeds``, and the next ones, unless given. None are reported where it is
            empty.
        held_out: the share of the training images on which the winner is chosen.
        choose: how.
        target: what is to be reached, if anything.
        ending: the rule that ends hopeless runs early, if any.
        limit: the most cells, those of reporting included.
        analysis: what is concluded.
        plugins: files of one's own: the optimizer of the method "plugin", and data or a network for all methods.

    Example:
        >>> from fop_core.studies.protocol import Study, parse_axis
        >>> study = Study(name="Rates", axes=(parse_axis("optimizer.lr=0.01,0.1"),), seeds=(0, 1))
        >>> study.fresh_seeds  # what tuned does not report
        (2, 3)
        >>> study.to_json()["axes"][0]["field"]
        'optimizer.lr'
    """

    name: str = Field(min_length=1, max_length=80)
    preset: str = "mnist-mlp"
    base: dict[str, Any] = {}
    methods: tuple[str, ...] = ("momentum", "fop")
    variants: dict[str, Variant] = {}
    axes: tuple[Axis, ...] = ()
    sampling: Literal["grid", "quasi-random"] = "grid"
    trials: int | None = Field(None, ge=1, le=100_000)
    seeds: tuple[Seed, ...] = (0, 1, 2)
    fresh_seeds: tuple[Seed, ...] | None = None
    held_out: float = Field(0.1, gt=0, le=0.5)
    choose: Choose = Choose()
    target: Target | None = None
    ending: Median | None = None
    limit: int = Field(LIMIT, ge=1, le=100_000)
    analysis: Analysis = Analysis()
    plugins: dict[Literal["data", "model", "optimizer"], StudyPlugin] = {}

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, content: Any) -> Any:
        """Fill in the fresh seeds, so that what is written down says them."""
        if not isinstance(content, Mapping) or content.get("fresh_seeds") is not None:
            return content
        seeds = content.get("seeds", (0, 1, 2))
        if not isinstance(seeds, list | tuple) or not all(type(seed) is int for seed in seeds):
            return content  # which is refused
        if not content.get("axes"):  # where nothing is tuned no seed is used up
            return {**content, "fresh_seeds": tuple(seeds)}
        after = max(seeds, default=-1) + 1
        return {**content, "fresh_seeds": tuple(range(after, after + len(seeds)))}

    @model_validator(mode="after")
    def _fits(self) -> "Study":
        if many := [(name, most) for name, most in MOST.items() if len(getattr(self, name) or ()) > most]:
            raise ConfigError(
                *((name, f"has {len(getattr(self, name)):,}, of which {most:,} can be taken") for name, most in many)
            )
        wrong = [*self._wrong_methods(), *self._wrong_variants(), *self._wrong_axes(), *self._wrong_seeds()]
        if not self.name.isprintable() or not re.search(r"[A-Za-z0-9]", self.name):
            wrong.append(("name", f"{self.name!r}: one visible line with a letter or a digit is expected"))
        if self.sampling == "grid" and self.trials is not None:
            wrong.append(("trials", "a grid has as many as its axes make: leave them out, or sample quasi-randomly"))
        if self.sampling == "quasi-random" and self.trials is None:
            wrong.append(("trials", "a quasi-random study needs them: how many points of each method?"))
        if self.sampling == "quasi-random" and not self.axes:
            wrong.append(("axes", "a quasi-random study needs at least one"))
        if wrong:
            raise ConfigError(*wrong)
        return self

    def _wrong_methods(self) -> Iterable[Problem]:
        if self.preset not in config.PRESETS:
            yield "preset", f"no preset {self.preset!r}: there are {', '.join(config.PRESETS)}"
        if not self.methods:
            yield "methods", f"there are none: give at least one of {', '.join(known_methods())}"
        for method in dict.fromkeys(self.methods):
            kind = self.kind(method)
            where = "methods" if kind == method else f"variants.{method}"
            if self.is_own(method) and "optimizer" not in self.plugins:
                yield where, "an optimizer of your own is meant: give its file"
            elif kind not in (*known_methods(), config.PLUGIN):
                of = [*known_methods(), *(self.variants if where == "methods" else ())]
                yield where, f"no method {kind!r}: there are {', '.join(of)}"
        if "optimizer" in self.plugins and not any(map(self.is_own, self.methods)):
            file = self.plugins["optimizer"].file
            yield (
                "methods",
                f"{file} is your own method ({config.PLUGIN}), which is not among them, and no variant is around it",
            )
        for method in dict.fromkeys(self.methods):
            if self.methods.count(method) > 1:
                yield "methods", f"{method} is there twice"
        if self.analysis.baseline and self.analysis.baseline not in self.methods:
            yield "analysis.baseline", f"{self.analysis.baseline!r} is not among {', '.join(self.methods)}"

    def _wrong_variants(self) -> Iterable[Problem]:
        for name, variant in self.variants.items():
            where = f"variants.{name[:80]}"
            if not re.fullmatch(NAME, name):
                yield where, "its name has to be letters, digits, points, hyphens and underscores, at most 60"
            elif name in (*known_methods(), config.PLUGIN):
                yield where, "is a method's own name: give another one"
            elif name not in self.methods:
                yield where, f"is not among the methods, {', '.join(self.methods)}: put it there, or leave it out"
            for field in variant.settings:
                if why := self._wrong_field(field):
                    yield where, f"{field}: {why}"
            for axis in self.axes:
                if axis.field in variant.settings and name in (axis.methods or self.methods):
                    yield axis.field, f"is an axis, and {name} has its own value: name the methods that the axis is for"

    def _wrong_field(self, field: str) -> str:
        """Return why a study cannot vary a setting, or ""."""
        if field == "seed":
            return "is no axis and no base setting: seeds tune, and fresh seeds report"
        if field == "data.held_out":
            return "is the study's own: give held_out"
        if field not in config.described() and field not in self.plugin_fields:
            own = f"; there are {', '.join(self.plugin_fields)}" if ".settings" in field else ""
            return f"no such setting{own or config.suggestion(field)}"
        return ""

    def _wrong_axes(self) -> Iterable[Problem]:
        for field in (*self.base, *(axis.field for axis in self.axes)):
            if why := self._wrong_field(field):
                yield field, why
        fields: set[tuple[str, str]] = set()
        for axis in self.axes:
            for method in axis.methods:
                if method not in self.methods:
                    yield axis.field, f"is an axis of {method!r}, which is not among {', '.join(self.methods)}"
            for method in axis.methods or self.methods:
                if (axis.field, method) in fields:
                    yield axis.field, f"is an axis of {method} twice: put its values into one"
                fields.add((axis.field, method))

    def _wrong_seeds(self) -> Iterable[Problem]:
        fresh = self.fresh_seeds or ()
        if self.axes and not self.seeds:
            yield "seeds", "there are none: give at least one, as 0,1,2"
        if not self.axes and not fresh:
            yield "seeds", "there are none: give at least one, as 0,1,2"
        for what, seeds in (("seeds", self.seeds), ("fresh_seeds", fresh)):
            if len(set(seeds)) < len(seeds):
                yield what, f"{list(seeds)} has one twice"
        if self.axes and (both := sorted(set(self.seeds) & set(fresh))):
            yield "fresh_seeds", f"{both} tune already: what was chosen by them is reported on others"

    def is_own(self, method: str) -> bool:
        """Return whether an optimizer of one's own steps in a method: it is that, or a variant around it.

        Example:
            >>> from fop_core.studies.protocol import Study, StudyPlugin, Variant
            >>> lion = StudyPlugin(file="lion.py", sha256="0" * 64)
            >>> around = Variant(method="fop", settings={"optimizer.name": "plugin"})
            >>> methods = ("plugin", "around", "fop")
            >>> study = Study(name="s", methods=methods, variants={"around": around}, plugins={"optimizer": lion})
            >>> [study.is_own(method) for method in methods]
            [True, True, False]
        """
        variant = self.variants.get(method)
        around = variant is not None and variant.settings.get("optimizer.name") == config.PLUGIN
        return around or self.kind(method) == config.PLUGIN

    def kind(self, method: str) -> str:
        """Return the method that one of the study's is: of a variant the one that it varies.

        Example:
            >>> from fop_core.studies.protocol import Study, Variant
            >>> study = Study(name="s", methods=("momentum", "k4"), variants={"k4": Variant(method="fop")})
            >>> study.kind("k4"), study.kind("momentum")
            ('fop', 'momentum')
        """
        return self.variants[method].method if method in self.variants else method

    def called(self, method: str) -> str:
        """Return what people call one of the study's methods: of "plugin" it is the file, as of its runs.

        Example:
            >>> from fop_core.studies.protocol import Study, StudyPlugin
            >>> lion = StudyPlugin(file="lion.py", sha256="0" * 64)
            >>> study = Study(name="s", methods=("plugin", "fop"), plugins={"optimizer": lion})
            >>> [study.called(method) for method in study.methods]
            ['lion.py', 'fop']
        """
        if method != config.PLUGIN or "optimizer" not in self.plugins:
            return method
        file = printable(self.plugins["optimizer"].file)
        return method if file in self.methods else file

    @property
    def plugin_fields(self) -> list[str]:
        """The settings of its plug-ins by their paths, as "optimizer.settings.beta1".

        Example:
            >>> from fop_core.studies.protocol import Study, StudyPlugin
            >>> lion = StudyPlugin(file="lion.py", sha256="0" * 64, settings={"lr": 1e-4})
            >>> Study(name="s", methods=("momentum", "plugin"), plugins={"optimizer": lion}).plugin_fields
            ['optimizer.settings.lr']
        """
        return [f"{part}.settings.{name}" for part, plugin in self.plugins.items() for name in plugin.settings]

    @property
    def origin(self) -> str:
        """From what its runs are made, in words: its files, and the preset, of which data of one's own keep little.

        Example:
            >>> from fop_core.studies.protocol import Study, StudyPlugin
            >>> own = {part: StudyPlugin(file=f"my_{part}.py", sha256="0" * 64) for part in ("data", "model")}
            >>> Study(name="s").origin, Study(name="s", plugins=own).origin
            ('mnist-mlp', 'my_data.py, my_model.py')
        """
        files = dict.fromkeys(plugin.file for plugin in self.plugins.values())
        return ", ".join(files if "data" in self.plugins else (self.preset, *files))

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it; ``parse`` reads it."""
        return self.model_dump(mode="json")


def parse(content: Mapping[str, Any]) -> Study:
    """Return the study that JSON says.

    Raises:
        ConfigError: listing every wrong field.

    Example:
        >>> from fop_core.studies.protocol import parse
        >>> parse({"name": "Rates", "methods": ["momentum"], "seeds": [0, 1, 2]}).preset
        'mnist-mlp'
        >>> parse({"name": "Rates", "methods": ["momentun"]})
        Traceback (most recent call last):
            ...
        fop_core.training.config.ConfigError: methods: no method 'momentun': there are sgd, momentum, ...
    """
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise config.refusal(error) from None


def known_methods() -> tuple[str, ...]:
    """Return what can be compared: the presets' methods, and base optimizers that none of them is.

    Example:
        >>> from fop_core.studies.protocol import known_methods
        >>> {"momentum", "fop", "soap"} <= set(known_methods())
        True
    """
    return (*config.METHODS, *(name for name in config.BASES if name not in config.METHODS))
