"""Does a plug-in do what it should? Asked of a process of its own, which imports it and takes one step.

    probed = probe(config, sources)
    config = completed(config, probed)          with every setting of the files written out

The process has 60 s, 2 GB and 100 MB of output. Beyond these it is ended, with all that it started, and the error says
which it was, and in which line. It is not sandboxed: a plug-in runs with its user's rights here as in a trainer. But
what it leaves in the probe's folder by accident or on purpose, such as a pipe in a report's place, holds nobody up.
"""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from fop_core import isolated
from fop_core.formatting import size
from fop_core.printable import printable
from fop_core.runs import files, plugins, records, store
from fop_core.runs.files import DamagedFile
from fop_core.runs.plugins import PluginError, Source
from fop_core.training.config import PLUGIN, ConfigError, Problem, TrainConfig, changed, parse
from fop_core.training.preview import Parameter

POLL = 0.1  # seconds between two looks
KEEPER = 10.0  # seconds that its keeper has to end what it started
GRACE = 1.0  # seconds in which a process says where it is, or why it ends, before it is killed
LOG_SHOWN = 4000  # bytes of its output that are kept
WORK = "work"  # the folder in which it works, as a job works in one of its own
LARGEST = 1 << 16  # bytes that are read of what it says of itself meanwhile
_LINE = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)


@dataclass(frozen=True)
class Limits:
    """What a probe may use.

    Attributes:
        seconds: from when torch is loaded; FOP_PROBE_SECONDS, or 60.
        memory: bytes, of all its processes, beside what torch takes.
        output: bytes that it may print.
        loading: seconds that torch may take to load.
    """

    seconds: float = field(default_factory=lambda: float(os.environ.get("FOP_PROBE_SECONDS", 60)))
    memory: int = 2_000_000_000
    output: int = 100_000_000
    loading: float = 120.0


@dataclass(frozen=True)
class Probed:
    """What a probe says of plug-ins that do what they should.

    Attributes:
        settings: every setting of each, by part.
        schemas: the JSON schemas of their ``Settings``, by part.
        variants: of the settings that were to be checked too, see ``probe``, each with all that is set by default.
        parameters: numbers that the network learns.
        shapes: each parameter that is trained, and what FOP does with it; none of a network of very many.
        memory: bytes by what they are for, see ``memory.estimate``; of built-in optimizers an estimate.
        notes: what is to be said of how FOP reads the optimizer, a sentence each.
        metrics: what is measured beside the loss, by name: of built-in data their accuracy.
        tested: whether there is a test set.
        samples: to learn from; None of built-in data, which are not read.
        steps: of the whole run; None likewise.
        loss: of the one step.
        log: the end of what they printed.
    """

    settings: Mapping[str, dict[str, Any]]
    schemas: Mapping[str, dict[str, Any]]
    variants: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    parameters: int = 0
    shapes: tuple[Parameter, ...] = ()
    memory: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ("accuracy",)
    tested: bool = True
    samples: int | None = None
    steps: int | None = None
    loss: float = 0.0
    log: str = ""


class ProbeError(ConfigError):
    """What is wrong with plug-ins or their settings.

    Args:
        problems: as ``ConfigError``'s: of settings their paths, of a file the part that it makes, "optimizer".
        log: the end of what they printed.
        schemas: of their ``Settings``, by part, where it came so far.
    """

    def __init__(self, *problems: Problem, log: str = "", schemas: Mapping[str, dict[str, Any]] | None = None) -> None:
        super().__init__(*problems)
        self.log, self.schemas = log, dict(schemas or {})


def plugged(config: TrainConfig, sources: Mapping[str, Source], settings: Sequence[str] = ()) -> TrainConfig:
    """Return a config in which some files make some parts; of these they replace all that was set.

    Args:
        config: the config.
        sources: the files, by part.
        settings: more to change, as ``config.change`` takes it: "optimizer.settings.beta1=0.95". What is not among
            them is as the file's ``Settings`` has it.

    Raises:
        ConfigError: where that does not go together.
    """
    content = config.to_json()
    for part, source in sources.items():
        kept = {key: content[part][key] for key in type(getattr(config, part)).kept}
        plugin = {"file": source.file, "sha256": source.digest}
        content[part] = {"name": PLUGIN, **kept, "plugin": plugin, "settings": {}}
    return changed(content, settings)


def completed(config: TrainConfig, probed: Probed) -> TrainConfig:
    """Return a config with every setting of its plug-ins, so that it says all that a run depends on."""
    content = config.to_json()
    for part, settings in probed.settings.items():
        content[part]["settings"] = settings
    return parse(content)


def probe(
    config: TrainConfig,
    sources: Mapping[str, Source],
    *,
    variants: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    limits: Limits | None = None,
) -> Probed:
    """Try the plug-ins of a config in a process of its own: import them, make what they make, take one step.

    Built-in data are not read: one step is taken on noise of their shape. It uses the CPU, and at most 16 samples.

    Args:
        config: all settings.
        sources: the plug-ins that it names, by part; each is confirmed, see ``runs.confirmed``.
        variants: other settings of theirs, by part, of which only whether ``Settings`` takes them is found out.
        limits: what it may use.

    Raises:
        ProbeError: where one of them does not do, or its settings do not.
        PluginError: where one is missing, forbidden, or not confirmed.
        OSError: where no process can be started.
    """
    plugins.check(config.to_json(), sources)
    if why := plugins.refused(sources):
        raise PluginError(", ".join(sorted({source.file for source in sources.values()})), why)
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="fop-probe-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        store.write_sources(folder, sources)
        request = {
            "config": config.to_json(),
            "variants": {part: [dict(each) for each in some] for part, some in (variants or {}).items()},
            "memory": limits.memory,
            "output": limits.output,
        }
        files.write_json(folder / "request.json", request, sync=False)
        (folder / WORK).mkdir()
        return _Process(folder, sources, limits).result()


class _Process:
    """One process that probes. Arguments as ``probe``'s, and a folder of its own."""

    def __init__(self, folder: Path, sources: Mapping[str, Source], limits: Limits) -> None:
        self.folder, self.sources, self.limits = folder, sources, limits
        self._log = folder / "output.txt"
        data = {"FOP_DATA_RELATIVE_TO": os.environ.get("FOP_DATA_RELATIVE_TO", os.getcwd())}
        own = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
        self._output = os.fdopen(os.open(self._log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_EXCL, 0o600), "rb")
        try:
            command = isolated.command("fop_core.training.probe.keeper", str(folder), str(os.getpid()))
            settings = isolated.environment() | data | own
            self._process = isolated.start(command, self._output.fileno(), settings, folder=folder / WORK)
        except BaseException:
            self._output.close()
            raise

    def result(self) -> Probed:
        """Wait for its end, and return what it says. Raises as ``probe``."""
        with self._output:
            try:
                excess = self._watch()
            finally:
                self._kill()
            status = self._process.wait()
            log = self._printed()
        try:
            report = files.read_json(self.folder / "report.json")
        except FileNotFoundError:
            raise ProbeError((self._part(), self._why(excess, status)), log=log) from None
        except DamagedFile as error:
            raise ProbeError((self._part(), f"its report cannot be read: {error}"), log=log) from None
        try:
            if wrong := report.pop("problems", None):
                known = _objects(report.get("schemas", {}))
                raise ProbeError(*((str(path), str(message)) for path, message in wrong), log=log, schemas=known)
            if excess or status:  # and it came to its end all the same
                raise ProbeError((self._part(), self._why(excess, status)), log=log)
            return Probed(**{name: _KINDS[name](value) for name, value in report.items()}, log=log)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            if isinstance(error, ProbeError):
                raise
            words = f"its report is not what is expected ({error!r:.200})"
            raise ProbeError((self._part(), words), log=log) from None

    def _watch(self) -> str:
        """Wait until it has ended, or takes too much; return what was too much, or ""."""
        begun, before, loaded = time.monotonic(), 0, False
        over = 0  # looks in succession at which it had too much: what it forks has as much for a moment
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(POLL)
                return ""
            if not loaded and (said := self._said("loaded")):
                begun, before, loaded = time.monotonic(), int(said) if said.isdecimal() else 0, True
            limit = self.limits.seconds if loaded else self.limits.loading
            excess = ""
            over = over + 1 if loaded and self._memory() > before + self.limits.memory else 0
            if time.monotonic() - begun > limit:
                excess = f"takes more than {limit:g} s" if loaded else f"torch took more than {limit:g} s to load"
            elif over > 1:
                excess = f"takes more than {size(self.limits.memory)} of memory"
            elif os.fstat(self._output.fileno()).st_size >= self.limits.output:
                excess = f"prints more than {size(self.limits.output)}"
            if excess:
                self._ask_where()
                return excess

    def _memory(self) -> int:
        total = 0
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    total += each.memory_info().rss
        return total

    def _ask_where(self) -> None:
        """Have it write down where it is, if it still can."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGUSR1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)

    def _kill(self) -> None:
        """End it, and what it started."""
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    each.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KEEPER)  # which kills what these have started meanwhile
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _printed(self) -> str:
        self._output.seek(max(0, self._output.seek(0, os.SEEK_END) - LOG_SHOWN))
        return printable(self._output.read(LOG_SHOWN).decode(errors="replace"), "\n\t")

    def _said(self, name: str) -> str:
        """Return what it has said of itself in a file; "" where nothing, or no file, is there."""
        try:
            with files.opened(self.folder / name, links=False) as file:
                return file.read(LARGEST).decode(errors="replace")
        except (OSError, DamagedFile):
            return ""

    def _stage(self) -> tuple[str, str]:
        """Return the part that it was at, and what it did."""
        part, _, doing = self._said("stage").partition(" ")
        return (part, doing) if part in self.sources else (next(iter(self.sources)), doing or "loading torch")

    def _part(self) -> str:
        return self._stage()[0]

    def _why(self, excess: str, status: int) -> str:
        """Return why it ended without a report, with the file and the line where it was."""
        part, doing = self._stage()
        ending = excess
        if not excess and status < 0:
            ending = f"is ended by {_signal(status)}"
        elif not excess:
            ending = f"ends the process with status {status}, as os._exit does"
        error = PluginError(self.sources[part].file, f"{doing} {ending}")
        names = {source.file for source in self.sources.values()}
        for file, line, function in _LINE.findall(self._said("where")):
            if file in names:
                inside = "" if function == "<module>" or function in doing else f", in {function}"
                error = PluginError(file, f"{doing} {ending}{inside}", int(line))
                break
        return str(error)


def _objects(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise ValueError("an object of objects is expected")
    return value


def _lists(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(each, list) for each in value.values()):
        raise ValueError("an object of lists is expected")
    return value


def _shapes(value: Any) -> tuple[Parameter, ...]:
    def numbers(value: Any) -> tuple[int, ...]:
        return tuple(map(records.count, value))

    def words(value: Any) -> str:
        return printable(str(value)[:200])

    kinds: dict[str, Callable[[Any], Any]] = {"shape": numbers, "M": numbers}
    kinds |= dict.fromkeys(("name", "layout", "left"), words) | dict.fromkeys(("n", "m", "learned"), records.count)
    return tuple(Parameter(**{name: kinds[name](each) for name, each in row.items()}) for row in value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false is expected")
    return value


def _sizes(value: Any) -> dict[str, int]:
    return {printable(str(what)[:200]): records.count(size) for what, size in value.items()}


_KINDS: Mapping[str, Callable[[Any], Any]] = {
    "settings": _objects,
    "schemas": _objects,
    "variants": _lists,
    "parameters": records.count,
    "shapes": _shapes,
    "memory": _sizes,
    "notes": lambda value: tuple(printable(str(each)[:500]) for each in list(value)[:20]),
    "metrics": lambda value: tuple(printable(str(each)[:200]) for each in list(value)),
    "tested": _flag,
    "samples": records.count,
    "steps": records.count,
    "loss": files.number,
}


def _signal(status: int) -> str:
    return signal.Signals(-status).name if -status in list(signal.Signals) else f"signal {-status}"
