"""The process that tries plug-ins: ``python -m fop_core.training.probe.worker FOLDER``, started by ``keeper``.

FOLDER has request.json and the files. What comes of it: "stage", which part it is at and what it does; "where", where
it was when it was ended; and report.json, at the end.
"""

import errno
import faulthandler
import json
import os
import re
import resource
import signal
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psutil
import torch
from torch import Tensor

from fop_core.formatting import size
from fop_core.optim import groups
from fop_core.runs import files, plugins
from fop_core.runs.plugins import MAKES, PluginError
from fop_core.training import batches, build, datasets, memory, own_data, preview, state
from fop_core.training.config import ConfigError, Problem, TrainConfig, parse
from fop_core.training.plugins import LoadedPlugin, Plugins, kind

CPU = torch.device("cpu")
SAMPLES = 16  # of the one step, at most
MOST_SETTINGS = 100_000  # bytes of them as JSON: each run.json has them, and each page that shows a run
MOST_SHAPES = 5000  # parameters that are listed
LONGEST = 2000  # characters of a message


class Probe:
    """Tries the plug-ins of one request.

    Args:
        folder: with request.json.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.request = files.read_json(folder / "request.json")
        self.config: TrainConfig = parse(self.request["config"])
        self.sources = plugins.beside(folder, self.request["config"])
        self.first = next(iter(self.sources))
        self.part = self.first
        self.schemas: dict[str, Any] = {}

    def report(self) -> dict[str, Any]:
        """Return what is to be reported: what was found, or what is wrong."""
        try:
            return self._tried()
        except ConfigError as error:
            wrong = [[path, message[:LONGEST]] for path, message in error.problems]
        except BaseException as error:
            wrong = [[self.part, self._words(error)[:LONGEST]]]
        return {"problems": wrong, "schemas": self.schemas}

    def _words(self, error: BaseException) -> str:
        """Return what is wrong, with the file and the line; a limit that was reached is called so."""
        file, line, message = self.sources[self.part].file, self._line(error), f"{type(error).__name__}: {error}"
        if isinstance(error, PluginError):
            file, line, message = error.file, error.line, error.message
        inner: BaseException | None = error
        while inner is not None:
            if isinstance(inner, MemoryError) or "can't allocate memory" in str(inner):
                message = f"{self.doing} takes more than {size(self.request['memory'])} of memory"
            if isinstance(inner, OSError) and inner.errno == errno.EFBIG:
                limit = self.request["output"]
                printed = os.fstat(sys.stdout.fileno()).st_size >= limit
                message = f"{self.doing} {'prints' if printed else 'writes a file of'} more than {size(limit)}"
            inner = inner.__cause__
        return str(PluginError(file, message, line))

    def _line(self, error: BaseException) -> int | None:
        name = self.sources[self.part].file
        frames = traceback.extract_tb(error.__traceback__)
        return next((frame.lineno for frame in reversed(frames) if frame.filename == name), None)

    def _at(self, part: str, doing: str) -> None:
        self.part, self.doing = part, doing
        (self.folder / "stage").write_text(f"{part} {doing}")

    @contextmanager
    def _doing(self, part: str, doing: str, otherwise: str = "") -> Iterator[LoadedPlugin]:
        """Do something with a part, or where it is built in with another one, and have its file answer for it."""
        part = self._answering(part, otherwise)
        self._at(part, doing)
        plugin = self.plugins.of[part]
        with plugin.blaming(doing, plugin.function(part)):
            yield plugin

    def _answering(self, part: str, otherwise: str) -> str:
        return next(each for each in (part, otherwise, self.first) if each in self.sources)

    def _tried(self) -> dict[str, Any]:
        for part, source in self.sources.items():
            self._at(part, f"importing {source.file}")
        self.plugins = Plugins(self.sources)
        for part in self.sources:
            with self._doing(part, "Settings") as plugin:
                self.schemas[part] = plugin.Settings.model_json_schema()
        self.plugins.set({part: getattr(self.config, part).settings or {} for part in self.sources})
        settings = {}
        for part in self.sources:
            with self._doing(part, "Settings"):
                settings[part] = self.plugins.settings[part].model_dump(mode="json")
                if (length := len(json.dumps(settings[part]))) > MOST_SETTINGS:
                    raise self._error(part, f"its Settings are {size(length)} as JSON: give a file's path instead")
        results: dict[str, Any] = {"settings": settings, "schemas": self.schemas, "variants": self._variants()}
        return results | self._stepped()

    def _variants(self) -> dict[str, list[dict[str, Any]]]:
        accepted: dict[str, list[dict[str, Any]]] = {}
        wrong: list[Problem] = []
        for part, variants in self.request["variants"].items():
            accepted[part] = []
            for values in variants:
                try:
                    accepted[part].append(self.plugins.of[part].settings(part, values).model_dump(mode="json"))
                except ConfigError as error:
                    wrong += error.problems
        if wrong:
            raise ConfigError(*dict.fromkeys(wrong))
        return accepted

    def _stepped(self) -> dict[str, Any]:
        settings = self.config.model_copy(update={"batch_size": min(self.config.batch_size, SAMPLES), "device": "cpu"})
        results: dict[str, Any] = {}
        total, data, test = 1000, None, None
        if "data" in self.plugins:
            with self._doing("data", "make_data"):
                data = self.plugins.data(settings.seed)
                split = own_data.split(data, settings.data.held_out)
                feed = own_data.OwnFeed(split, settings, CPU)
                samples, targets = next(feed.epoch(0))
                test = next(feed.test(), None)
            count = own_data.count(split.train)
            total = self.config.total_steps(batches.steps_in_epoch(count, self.config.batch_size))
            results |= {"samples": count, "steps": total}
            task = data.task
            results |= {"metrics": list(task.metrics), "tested": data.test is not None}
            self._check_finite("data", "make_data", {"samples": samples, "targets": targets})
            for name, part in (("train", split.train), ("test", split.test)):
                if isinstance(part, tuple):
                    tensors = {f"{name}'s samples": part[0], f"{name}'s targets": part[1]}
                    self._check_finite("data", "make_data", tensors)
            if tuple(samples.shape[1:]) != task.input:
                shape = f"{list(samples.shape[1:])}, and input says {list(task.input)}"
                raise self._error("data", f"make_data's samples have the shape {shape}")
        else:
            classes = _classes(settings)
            task = build.images(settings, classes)
            drawn = torch.Generator().manual_seed(settings.seed)
            samples = torch.rand(settings.batch_size, *task.input, generator=drawn)
            targets = torch.randint(classes, (len(samples),), generator=drawn)
        makers = " and ".join(MAKES[part] for part in ("model", "optimizer") if part in self.sources)
        with self._doing("model", makers or "the network for it", "optimizer"):
            made = build.build(settings, task.output[-1], CPU, self.plugins, None if data is None else data.made, total)
        model, optimizer = made.model, made.optimizer
        results["parameters"] = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)

        with self._doing("model", f"the network, on samples {list(samples.shape)},", "data"):
            outputs = model(samples)
        if not isinstance(outputs, Tensor):
            raise self._error("model", f"the network returns {kind(outputs)}: one tensor is expected", "data")
        if tuple(outputs.shape) != (len(samples), *task.output):
            shapes = (
                f"{list(outputs.shape)} of samples {list(samples.shape)}: {[len(samples), *task.output]} is expected"
            )
            raise self._error("model", f"the network makes {shapes}", "data")
        self._check_finite("model", "the network", {"outputs": outputs}, "data")
        with self._doing("data", "loss", "model"):
            loss = task.loss(outputs, targets)
        self._check_measure("loss", loss)
        for name, metric in task.metrics.items():
            with self._doing("data", f"the metric {name}", "model"):
                self._check_measure(name, metric(outputs.detach(), targets), finite=False)
        with self._doing("model", "the gradient of the loss", "data"):
            optimizer.zero_grad()
            loss.backward()
        gradients = {f"gradient of {n}": p.grad for n, p in model.named_parameters() if p.grad is not None}
        if not gradients:
            raise self._error("model", "the loss has no gradient by any parameter of the network", "data")
        self._check_finite("model", "the network", gradients, "data")
        with self._doing("optimizer", "the optimizer's step", "model"):
            optimizer.step()
        base = optimizer if made.fop is None else made.fop.base
        parameters = dict(model.named_parameters())
        self._check_finite("optimizer", "the optimizer's step", parameters, "model", type(base).step)
        with self._doing("optimizer", "a checkpoint", "model"):
            arrays, tree = state.pack({"model": dict(model.state_dict()), "optimizer": optimizer.state_dict()})
            kept = state.unpack(arrays, tree)
            model.load_state_dict(kept["model"])
            optimizer.load_state_dict(kept["optimizer"])
        results |= self._shapes(made)
        if test is not None:
            with self._doing("data", "measuring on the test set", "model"), torch.no_grad():
                model.eval()
                for measure in (task.summed, *task.metrics.values()):
                    self._check_measure("a measure of the test set", measure(model(test[0]), test[1]), finite=False)
        return results | {"loss": loss.item()}

    def _shapes(self, made: build.Built) -> dict[str, Any]:
        """Return what is trained, what is to be said of it, and the memory; nothing of more than a page can show."""
        rows = preview.rows(made)
        notes = [] if made.fop is None else groups.without_momentum(made.fop.param_groups, made.fop)
        return {
            "notes": notes,
            "shapes": rows if len(rows) <= MOST_SHAPES else [],
            "memory": memory.estimate(made, self.config),
        }

    def _error(self, part: str, message: str, otherwise: str = "", at: Any = None) -> PluginError:
        """Return what is wrong with a part, at a function of its file, or else where that makes the part."""
        self.part = self._answering(part, otherwise)
        plugin = self.plugins.of[self.part]
        return plugin.error(message, at if plugin.line_of(at) else plugin.function(self.part))

    def _check_finite(
        self, part: str, what: str, tensors: Mapping[str, Tensor], otherwise: str = "", at: Any = None
    ) -> None:
        for name, tensor in tensors.items():
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                message = f"{what} makes numbers that are not finite: {name} has NaN or infinity"
                raise self._error(part, message, otherwise, at)

    def _check_measure(self, name: str, value: Any, finite: bool = True) -> None:
        number = isinstance(value, (int, float)) and name != "loss"
        if not number and not (isinstance(value, Tensor) and value.ndim == 0):
            came = f"a tensor {list(value.shape)}" if isinstance(value, Tensor) else kind(value)
            raise self._error("data", f"{name} is {came}: one number, the mean over the batch, is expected", "model")
        if finite and not torch.isfinite(value).all():
            came = f"{name} is {value.item()} on the first batch"
            raise self._error("data", f"{came}: a finite number is expected", "model")


def _classes(settings: TrainConfig) -> int:
    try:
        return datasets.count(settings.data)[0]
    except datasets.DataError:
        return preview.CLASSES[settings.data.name]


def _limit(request: Mapping[str, Any]) -> None:
    """Have the kernel refuse what is too much, where it happens: so it has a line."""
    output = int(request["output"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (output, output))  # Python is told by an OSError
    if sys.platform == "linux":
        match = re.search(r"^VmData:\s*(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
        limit = int(request["memory"]) + (int(match[1]) << 10 if match else 0)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _say_where(folder: Path) -> IO[str]:
    """Have a signal, a crash and os._exit leave behind in which line this process was."""
    where = (folder / "where").open("w")
    faulthandler.enable(where, all_threads=False)
    faulthandler.register(signal.SIGUSR1, where, all_threads=False)
    end = os._exit

    def ended(status: int) -> None:
        faulthandler.dump_traceback(where, all_threads=False)
        end(status)

    os._exit = ended  # type: ignore[assignment]
    return where


def main() -> None:
    """Probe what the folder that the arguments name has."""
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    end = os._exit
    probe = Probe(folder)
    where = _say_where(folder)
    _limit(probe.request)
    files.write(folder / "loaded", str(psutil.Process().memory_info().rss).encode(), sync=False)
    report = probe.report()
    try:
        files.write_json(folder / "report.json", report, sync=False)
    except (ValueError, TypeError) as error:  # a schema that is no JSON, or too large
        problem = [probe.part, f"what it says of its Settings cannot be kept: {error}"]
        files.write_json(folder / "report.json", {"problems": [problem]}, sync=False)
    where.flush()
    end(0)  # whatever threads it left, and handlers of the end


if __name__ == "__main__":
    main()
