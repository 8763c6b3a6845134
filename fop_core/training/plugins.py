"""Plug-ins, imported: what a file of one's own makes, checked where it comes back.

    plugins = load(sources, settings)
    plugins.data(seed), plugins.model(task), plugins.optimizer(named, total_steps)

Importing a file runs it, with the rights of this process and for as long as it likes. So this is for a trainer and for
the process of ``probe.worker`` alone. Whoever else wants to know what a file is, asks ``probe.client``.
"""

import contextlib
import difflib
import inspect
import linecache
import os
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from fop_core.runs import plugins
from fop_core.runs.plugins import MAKES, PluginError, Source
from fop_core.runs.run import Run
from fop_core.training import tasks
from fop_core.training.config import ConfigError, Problem, TrainConfig, explained
from fop_core.training.tasks import Task

__all__ = ["path"]  # for a file of one's own; the rest is for who trains it

Part = tuple[Tensor, Tensor] | Dataset
"""Samples with their targets: two tensors of one length, or a Dataset that has (sample, target) by index."""

MOST_SETTINGS = 100  # fields of a file's Settings
_METRIC = re.compile("[a-z][a-z0-9_]{0,39}")
_MODULE = "fop_plugin_"  # what a file's module is called, before its digest


@dataclass(frozen=True)
class Data:
    """What ``make_data`` returned, checked.

    Attributes:
        train: what is learned from.
        test: what is measured on; None for nothing.
        task: shapes, loss and metrics.
        made: the object itself, which ``make_model`` gets.
    """

    train: Part
    test: Part | None
    task: Task
    made: Any


class LoadedPlugin:
    """One file, imported.

    Args:
        source: its text.

    Raises:
        PluginError: where it cannot be imported, or has no ``Settings``.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        name = f"{_MODULE}{source.digest[:16]}"
        self.module = types.ModuleType(name)
        self.module.__file__ = source.file
        lines = source.content.decode(errors="replace").splitlines(keepends=True)
        linecache.cache[source.file] = len(source.content), None, lines, source.file  # tracebacks show them
        sys.modules[name] = self.module  # where pydantic and pickle look for what it defines
        with self.blaming("importing it"):
            exec(compile(source.content, source.file, "exec", dont_inherit=True), vars(self.module))
        settings = vars(self.module).get("Settings")
        if not (isinstance(settings, type) and issubclass(settings, BaseModel)):
            words = "has no Settings" if settings is None else f"has a Settings that is {kind(settings)}"
            raise self.error(f"it {words}: class Settings(pydantic.BaseModel) is expected", settings)
        if (many := len(settings.model_fields)) > MOST_SETTINGS:
            raise self.error(f"its Settings has {many:,} fields, of which {MOST_SETTINGS} can be shown", settings)
        self.Settings: type[BaseModel] = settings

    def error(self, message: str, at: Any = None) -> PluginError:
        """Return what is wrong with it; ``at`` is a function or class of it that is to blame, or something else."""
        return PluginError(self.source.file, message, self.line_of(at))

    def line_of(self, thing: Any) -> int | None:
        """Return the line on which a function, a method or a class of this file begins; None of anything else."""
        code = getattr(inspect.unwrap(thing) if callable(thing) else thing, "__code__", None)
        if code is not None:
            return code.co_firstlineno if code.co_filename == self.source.file else None
        if isinstance(thing, type) and thing.__module__ == self.module.__name__:
            return getattr(thing, "__firstlineno__", None) or self._class_line(thing.__name__)
        return None

    def _class_line(self, name: str) -> int | None:
        lines = linecache.getlines(self.source.file)
        return next((n for n, line in enumerate(lines, 1) if re.match(rf"class {re.escape(name)}\b", line)), None)

    @contextlib.contextmanager
    def blaming(self, doing: str, at: Any = None) -> Iterator[None]:
        """Raise what goes wrong in this file's code as a PluginError that names the line.

        Memory that runs out, and a device that fails, are none of the file's faults as such, and stay what they are.

        Args:
            doing: what is done, for the message.
            at: a function of the file that is to blame where none of its lines was reached.
        """
        try:
            yield
        except (PluginError, ConfigError, MemoryError, torch.OutOfMemoryError, torch.AcceleratorError):
            raise
        except SystemExit as ending:
            message = f"{doing} calls sys.exit({ending.code!r:.40}): raise an error instead"
            raise PluginError(self.source.file, message, self.last_line(ending) or self.line_of(at)) from ending
        except SyntaxError as error:
            if error.filename != self.source.file:
                raise self._failed(doing, error, at) from error
            at = f" at {error.text.strip()!r:.60}" if error.text else ""
            raise PluginError(self.source.file, f"no Python: {error.msg}{at}", error.lineno) from error
        except Exception as error:
            raise self._failed(doing, error, at) from error

    def _failed(self, doing: str, error: Exception, at: Any) -> PluginError:
        words = f"{doing} fails: {type(error).__name__}: {error}"[:2000]
        if isinstance(error, ModuleNotFoundError):
            words += ". A plug-in is one file: what it imports has to be installed"
        return PluginError(self.source.file, words, self.last_line(error) or self.line_of(at))

    def last_line(self, error: BaseException) -> int | None:
        """Return the line of this file that an error went through last."""
        return next((line for file, line in reversed(_lines(error)) if file == self.source.file), None)

    def settings(self, part: str, values: Mapping[str, Any]) -> BaseModel:
        """Return its Settings with some values.

        Raises:
            ConfigError: listing every wrong one by its path in the config.
        """
        path = f"{part}.settings"
        fields = self.Settings.model_fields
        if self.Settings.model_config.get("extra") != "allow":
            if unknown := [name for name in values if name not in fields]:
                raise ConfigError(*((f"{path}.{name}", self._unknown(name)) for name in unknown))
        try:
            with self.blaming("Settings"):
                try:
                    return self.Settings.model_validate(dict(values))
                except ValidationError as error:
                    problems: list[Problem] = [(f"{path}.{name}".rstrip("."), why) for name, why in explained(error)]
                    raise ConfigError(*problems) from None
        except PluginError as error:
            raise ConfigError((path, str(error))) from error

    def _unknown(self, name: str) -> str:
        fields = list(self.Settings.model_fields)
        near = difflib.get_close_matches(name, fields, 1)
        known = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields) or 'none'}"
        return f"Settings of {self.source.file} has none of this name; {known}"

    def function(self, part: str) -> Callable[..., Any]:
        """Return what makes a part.

        Raises:
            PluginError: where it has no such function.
        """
        made = vars(self.module).get(MAKES[part])
        if not callable(made):
            raise self.error(f"it has no function {MAKES[part]}({', '.join(_ARGUMENTS[part])})")
        return made


def blamed(error: BaseException, words: str) -> str:
    """Return words on an error, after the file and the line of a plug-in that it went through last, if there is one."""
    lines = _lines(error)
    return str(PluginError(lines[-1][0], words, lines[-1][1])) if lines else words


def _lines(error: BaseException) -> list[tuple[str, int]]:
    """Return the lines of plug-ins that an error went through, each with its file, the outermost first."""
    results, trace = [], error.__traceback__
    while trace is not None:
        frame = trace.tb_frame
        if str(frame.f_globals.get("__name__")).startswith(_MODULE):
            results.append((frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    return results


_ARGUMENTS: dict[str, Sequence[str]] = {
    "data": ("settings", "seed"),
    "model": ("settings", "data"),
    "optimizer": ("named_parameters", "settings", "total_steps"),
}


class Plugins:
    """The files of one run, imported.

    Args:
        sources: by part.

    Attributes:
        of: the files by part.
        settings: theirs, by part, once they are ``set``.

    Raises:
        PluginError: where one of them does not do.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        by_digest: dict[str, LoadedPlugin] = {}
        self.of: dict[str, LoadedPlugin] = {}
        for part, source in sources.items():
            if source.digest not in by_digest:
                by_digest[source.digest] = LoadedPlugin(source)
            self.of[part] = by_digest[source.digest]
            self.of[part].function(part)
        self.settings: dict[str, BaseModel] = {}

    def set(self, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Take settings, by part.

        Raises:
            ConfigError: listing every wrong one of all parts.
        """
        wrong: list[Problem] = []
        for part, plugin in self.of.items():
            try:
                self.settings[part] = plugin.settings(part, values.get(part, {}))
            except ConfigError as error:
                wrong += error.problems
        if wrong:
            raise ConfigError(*wrong)

    def __contains__(self, part: str) -> bool:
        """Return whether a file makes a part."""
        return part in self.of

    def data(self, seed: int) -> Data:
        """Return what ``make_data`` makes.

        Raises:
            PluginError: where that fails, or is something else than is expected.
        """
        plugin = self.of["data"]
        function = plugin.function("data")
        torch.manual_seed(seed)
        with plugin.blaming("make_data", function):
            made = function(self.settings["data"], seed)
            missing = [
                name for name in ("train", "test", "input", "output", "loss", "metrics") if not hasattr(made, name)
            ]
            if missing:
                raise plugin.error(
                    f"make_data returned {kind(made)} without {', '.join(missing)}: an object with train, test, "
                    "input, output, loss and metrics is expected",
                    function,
                )
            return self._checked_data(made)

    def _checked_data(self, made: Any) -> Data:
        plugin, function = self.of["data"], self.of["data"].function("data")
        wrong = []
        shapes = {}
        for name in ("input", "output"):
            value = getattr(made, name)
            if isinstance(value, (tuple, list, torch.Size)) and all(type(n) is int and n > 0 for n in value):
                shapes[name] = tuple(value)
            else:
                wrong.append(f"{name} is {value!r:.60}: a shape is expected, as (28, 28), of one sample")
        if not callable(made.loss):
            wrong.append(f"loss is {made.loss!r:.60}: a function of (outputs, targets) is expected")
        metrics = made.metrics
        if not isinstance(metrics, Mapping):
            wrong.append(f"metrics is {kind(metrics)}: a dict of functions of (outputs, targets) is expected")
        else:
            for name, each in metrics.items():
                if not isinstance(name, str) or not _METRIC.fullmatch(name) or name == "loss":
                    wrong.append(f"a metric is called {name!r:.60}: small letters, digits and _ are expected")
                elif not callable(each):
                    wrong.append(f"the metric {name} is {kind(each)}: a function of (outputs, targets) is expected")
        parts: dict[str, Part | None] = {}
        for name in ("train", "test"):
            value = getattr(made, name)
            if value is None and name == "test":
                parts[name] = None
                continue
            part, why = _part(value)
            parts[name] = part
            if why:
                wrong.append(f"{name} {why}")
        if wrong:
            raise plugin.error("make_data's " + "; its ".join(wrong), function)
        assert parts["train"] is not None
        task = tasks.own(shapes["input"], shapes["output"], made.loss, dict(metrics))
        return Data(parts["train"], parts["test"], task, made)

    def model(self, data: Any) -> nn.Module:
        """Return what ``make_model`` makes for what ``make_data`` returned, or for the ``Task`` of built-in data.

        Raises:
            PluginError: where that fails, or is no network.
        """
        plugin = self.of["model"]
        function = plugin.function("model")
        with plugin.blaming("make_model", function):
            made = function(self.settings["model"], data)
        if not isinstance(made, nn.Module):
            raise plugin.error(f"make_model returned {kind(made)}: a torch.nn.Module is expected", function)
        if not any(parameter.requires_grad for parameter in made.parameters()):
            raise plugin.error("make_model returned a network without parameters to learn", function)
        return made

    def optimizer(self, named: Sequence[tuple[str, Tensor]], total_steps: int) -> Optimizer:
        """Return what ``make_optimizer`` makes for the parameters of a network, by their names.

        Raises:
            PluginError: where that fails, or is no optimizer.
        """
        plugin = self.of["optimizer"]
        function = plugin.function("optimizer")
        with plugin.blaming("make_optimizer", function):
            made = function(named, self.settings["optimizer"], total_steps)
        if not isinstance(made, Optimizer):
            raise plugin.error(f"make_optimizer returned {kind(made)}: a torch.optim.Optimizer is expected", function)
        return made


def load(sources: Mapping[str, Source], config: TrainConfig) -> Plugins:
    """Import the files that a config names, with their settings.

    Raises:
        PluginError, ConfigError: where one of them does not do.
    """
    made = Plugins(sources)
    made.set({part: getattr(config, part).settings or {} for part in sources})
    return made


def of_run(run: Run, config: TrainConfig) -> Plugins:
    """Import the files of a run, in its trainer.

    Raises:
        PluginError: where they are not to be run, see ``runs.plugins.refusal``, or do not do.
        ConfigError: where their settings do not do.
    """
    if not plugins.named(run.config):
        return Plugins({})
    if why := plugins.refusal(run):
        raise PluginError(run.id, f"its plug-ins are not run: {why}")
    return load(plugins.of_run(run), config)


def path(text: str) -> Path:
    """Return the path of a file that a plug-in's settings name, a relative one from where the run was submitted.

    A job of the queue works in a folder of its own, so that a bare ``open`` would not find it.

    Example:
        >>> import os
        >>> from fop_core.training import plugins
        >>> os.environ["FOP_DATA_RELATIVE_TO"] = "/home/ada/project"  # as the queue sets it for a job
        >>> str(plugins.path("houses.csv")), str(plugins.path("/data/houses.csv"))
        ('/home/ada/project/houses.csv', '/data/houses.csv')
    """
    return Path(os.environ.get("FOP_DATA_RELATIVE_TO", ""), Path(text).expanduser())


def _part(value: Any) -> tuple[Part | None, str]:
    """Return samples with their targets, and what is wrong with them, or ""."""
    if isinstance(value, TensorDataset) and len(value.tensors) == 2:
        value = value.tensors
    if isinstance(value, IterableDataset):
        return None, "is an IterableDataset, whose order cannot be drawn anew in each epoch: give one with an index"
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(isinstance(each, Tensor) for each in value):
        samples, targets = value
        if not samples.ndim or not targets.ndim or len(samples) != len(targets):
            shapes = f"{list(samples.shape)} and {list(targets.shape)}"
            return None, f"has tensors of {shapes}: as many samples as targets are expected"
        return ((samples, targets), "") if len(samples) else (None, "is empty: at least one sample is expected")
    if isinstance(value, Dataset) and hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return (value, "") if len(value) else (None, "is empty: at least one sample is expected")
    return None, f"is {kind(value)}: two tensors (samples, targets) or a torch Dataset with a length are expected"


def kind(value: Any) -> str:
    """Return what a value is, in words: "an int", "a Tensor", "None"."""
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"
