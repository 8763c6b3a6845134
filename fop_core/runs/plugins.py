"""Plug-ins: files of a user's own that make data, a network or an optimizer. Here they are text, never imported.

    source = read("lion.py")                    the file as it is now
    of_run(run)                                 those that a run is trained with, by part
    refusal(run)                                why these are not run, or ""

A run keeps them as source/<part>.py, and run.json has the name and the SHA-256 of each: what is read is compared with
that, so that one that was changed afterwards is never run. ``fop_core.training.plugins`` imports them, in a trainer and
in the process that probes them.
"""

import ast
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from fop_core.formatting import size
from fop_core.runs import confirmed, files, stamps
from fop_core.runs.names import RUN_JSON, SOURCE
from fop_core.runs.run import Run

MAKES: Mapping[str, str] = MappingProxyType({"data": "make_data", "model": "make_model", "optimizer": "make_optimizer"})
"""The function that makes each part of a config."""
RULE = "RULE"
"""What the text of an update rule for surfaces is called in a file."""
LARGEST = 1_000_000  # bytes of a file
RIGHTS = "A plug-in is code: it runs with your rights, and nothing holds it back."
"""What is to be said before one is confirmed."""


class PluginError(ValueError):
    """What is wrong with a plug-in; the message names its file, and the line where one is to blame.

    Args:
        file: what the file is called.
        message: what is wrong.
        line: where, from 1; None where no line is to blame.
    """

    def __init__(self, file: str, message: str, line: int | None = None) -> None:
        super().__init__(file, message, line)
        self.file, self.message, self.line = file, message, line

    def __str__(self) -> str:
        """Return file, line and message."""
        return f"{self.file}{'' if self.line is None else f', line {self.line}'}: {self.message}"


@dataclass(frozen=True)
class Source:
    """A plug-in's text.

    Attributes:
        file: what its file is called.
        content: all of it.
    """

    file: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """Its SHA-256."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def fault(self) -> str:
        """Why it is no Python, or ""; it is parsed and not run."""
        try:
            ast.parse(self.content)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            why = getattr(error, "msg", "") or str(error) or "nested too deeply"  # of which str() has the line again
            return str(PluginError(self.file, f"no Python: {why}", getattr(error, "lineno", None)))
        return ""

    @cached_property
    def offers(self) -> frozenset[str]:
        """The parts that it can make, as its text says: nothing is run. None of one that is no Python."""
        return frozenset(part for part, name in MAKES.items() if name in self._defined)

    @cached_property
    def rule(self) -> str:
        """The text of its update rule for surfaces, ``RULE = "..."``, read and not run; "" where it has none."""
        value = self._defined.get(RULE)
        return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""

    @cached_property
    def _defined(self) -> dict[str, ast.AST]:
        """What the file itself defines by name: functions and classes, and the values of assignments."""
        try:
            tree = ast.parse(self.content)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return {}
        made: dict[str, ast.AST] = {}
        for node in tree.body:
            match node:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    made[name] = node
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    made[name] = value
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    made[name] = value
        return made


def read(path: Path | str) -> Source:
    """Return a file as it is now.

    Raises:
        PluginError: where it is missing, no text file of Python's, or larger than ``LARGEST``.
    """
    path = Path(path)
    if path.suffix != ".py" or not path.name.isprintable() or len(path.name) > 100:
        raise PluginError(f"{path.name!r:.120}", "a plug-in is one Python file, as lion.py")
    try:
        with files.opened(path.expanduser()) as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise PluginError(path.name, f"{path} is not there") from None
    except (RuntimeError, ValueError, OSError) as error:  # no such user, no path, no file
        raise PluginError(path.name, str(error)) from None
    return text(path.name, content)


def called(origin: str, method: str | None, config: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """Return what a new run is called: what it was made from, its method, and the files of its own.

    Args:
        origin: its preset, which says nothing of a run with data of its own.
        method: its method, which says nothing where a file's optimizer trains without FOP.
        config: its settings, as JSON.
        files: what the files are called, by part.

    Example:
        >>> from fop_core.runs.plugins import called
        >>> called("mnist-mlp", "momentum", {"fop": None}, {"optimizer": "heavy.py"})
        'mnist-mlp heavy'
        >>> called("mnist-mlp", "fop", {"fop": {}}, {"optimizer": "heavy.py", "data": "waves.py"})
        'fop heavy waves'
    """
    alone = "optimizer" in files and config.get("fop") is None
    own = dict.fromkeys(Path(file).stem for file in files.values())
    return " ".join(filter(None, ("" if "data" in files else origin, None if alone else method, *own)))


def text(file: str, content: bytes) -> Source:
    """Return a plug-in of a content that came by another way than a file, as one that was pasted.

    Raises:
        PluginError: where it is too large.
    """
    if len(content) > LARGEST:
        raise PluginError(file, f"more than {size(LARGEST)}; a plug-in is one file of Python")
    return Source(file, content)


def named(config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the name and the SHA-256 of each plug-in that a config has, as JSON, by part.

    Raises:
        ValueError: where it has something else in their places.
    """
    made = {}
    for part in MAKES:
        section = config.get(part)
        plugin = section.get("plugin") if isinstance(section, Mapping) else None
        if plugin is None:
            continue
        file, digest = (plugin.get(key) if isinstance(plugin, Mapping) else None for key in ("file", "sha256"))
        if not isinstance(file, str) or not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
            raise ValueError(f"{part}.plugin is {plugin!r:.80}: a file and its sha256 are expected")
        made[part] = file, digest
    return made


def check(config: Mapping[str, Any], sources: Mapping[str, Source]) -> None:
    """Make sure that some files are those that a config names, each by part.

    Raises:
        PluginError: where one is missing or another.
        ValueError: as ``named``.
    """
    wanted = named(config)
    for part, (file, digest) in wanted.items():
        if part not in sources:
            raise PluginError(file, f"it makes the {part} of this run, and is not there")
        if sources[part].digest != digest:
            raise PluginError(file, f"it is not what this run was made with: its SHA-256 is not {digest[:12]}…")
    if more := sources.keys() - wanted.keys():
        raise ValueError(f"no setting names the plug-in of {', '.join(sorted(more))}")


def beside(folder: Path, config: Mapping[str, Any]) -> dict[str, Source]:
    """Return the plug-ins that a config names, of a folder that has them as source/<part>.py.

    Raises:
        PluginError: where one is missing, another one, somebody else's, or no regular file.
        ValueError: as ``named``.
    """
    made: dict[str, Source] = {}
    for part, (file, _) in named(config).items():
        made[part] = text(file, _read_ours(folder / SOURCE / f"{part}.py", file))
    check(config, made)
    return made


def _read_ours(path: Path, file: str) -> bytes:
    """Return a file's content; it and its folder are ours, and no link leads there."""
    try:
        above = os.lstat(path.parent)
        if not stat.S_ISDIR(above.st_mode):
            raise PluginError(file, f"{path.parent} is a {files.kind(above.st_mode)}, not a folder")
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise PluginError(file, f"{path} is missing, from which this run takes it") from None
    except OSError as error:
        raise PluginError(file, f"{path}: {error.strerror}; a regular file is expected") from None
    with os.fdopen(opened, "rb") as content:
        status = os.fstat(content.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise PluginError(file, f"{path} is a {files.kind(status.st_mode)}, not a regular file")
        for owner in {above.st_uid, status.st_uid} - {os.getuid()}:
            raise PluginError(file, f"{path} belongs to {stamps.user_name(owner)}: {_CLONE}")
        return content.read(LARGEST + 1)


_CLONE = "look at it, then name your own copy of it with --optimizer, --model or --data"


def of_run(run: Run) -> dict[str, Source]:
    """Return the plug-ins that a run is trained with, by part; nothing of one without.

    Raises:
        PluginError: as ``beside``.
        DamagedFile, ValueError: where its run.json does not do.
    """
    return beside(run.path, run.config)


def refusal(run: Run) -> str:
    """Return why a run's plug-ins are not run, or "": of a run without any nothing is looked for.

    They run where the server allows it, the run is ours, they are what run.json says, and we have confirmed each.
    """
    try:
        wanted = named(run.config)
        return refused(of_run(run)) or _not_ours(run) if wanted else ""
    except (ValueError, OSError) as error:
        return str(error)


def _not_ours(run: Run) -> str:
    for path in (run.path, run.path / RUN_JSON):
        if (owner := os.lstat(path).st_uid) != os.getuid():
            return f"{path} belongs to {stamps.user_name(owner)}: {_CLONE}"
    return ""


def refused(sources: Mapping[str, Source]) -> str:
    """Return why some plug-ins are not run here: they are forbidden, or not all of them confirmed; or ""."""
    if not sources:
        return ""
    if why := confirmed.forbidden():
        return why
    for source in sources.values():
        try:
            if not confirmed.is_confirmed(source.digest):
                return (
                    f"{source.file}: you have not confirmed this content (SHA-256 {source.digest[:12]}…). {RIGHTS} "
                    f"Read it, then: python -m fop_core plugins confirm FILE or RUN"
                )
        except OSError as error:
            return f"{source.file}: {error}"
    return ""
