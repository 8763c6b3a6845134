"""The examples in docstrings run as they stand there, each by itself, and every public name has one.

Public is what a user of the library is offered: see CONTRIBUTING.md.
"""

import ast
import doctest
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fop_core.jobs import queue
from fop_core.studies import watcher
from tests.training import tiny

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
PUBLIC = """
    fop_core.downsample fop_core.inspection fop_core.observations fop_core.quantities fop_core.similarity
    fop_core.through_training
    fop_core.jobs.queue
    fop_core.optim.elementary fop_core.optim.forms fop_core.optim.layouts fop_core.optim.maths
    fop_core.optim.rules.adaptive fop_core.optim.rules.base fop_core.optim.rules.components fop_core.optim.rules.fop
    fop_core.optim.rules.osgm fop_core.optim.rules.plain fop_core.optim.rules.second_order
    fop_core.runs fop_core.runs.best fop_core.runs.compare fop_core.runs.difference fop_core.runs.export
    fop_core.runs.fields fop_core.runs.labels fop_core.runs.learned fop_core.runs.lineage fop_core.runs.lines
    fop_core.runs.listing fop_core.runs.loaded fop_core.runs.measured fop_core.runs.metrics fop_core.runs.milestones
    fop_core.runs.query fop_core.runs.run fop_core.runs.series fop_core.runs.state fop_core.runs.store
    fop_core.studies.analysis fop_core.studies.cells fop_core.studies.conclusions fop_core.studies.growth
    fop_core.studies.predict fop_core.studies.progress fop_core.studies.protocol fop_core.studies.statistics
    fop_core.studies.store fop_core.studies.stored fop_core.studies.submit fop_core.studies.trash
    fop_core.studies.variants fop_core.training.attribution fop_core.training.fork
    fop_core.figures.animation fop_core.figures.bands fop_core.figures.curves fop_core.figures.errors
    fop_core.figures.fair fop_core.figures.interactive fop_core.figures.landscape fop_core.figures.learned
    fop_core.figures.learned_curves fop_core.figures.map_axes fop_core.figures.maps fop_core.figures.motion
    fop_core.figures.movie fop_core.figures.paper fop_core.figures.paper_learned fop_core.figures.print_style
    fop_core.figures.relief fop_core.figures.trajectories fop_core.figures.still fop_core.figures.style
    fop_core.figures.training_curves
    fop_core.figures.studies.curves fop_core.figures.studies.drawing fop_core.figures.studies.grids
    fop_core.figures.studies.intervals fop_core.figures.studies.parallel fop_core.figures.web
    fop_core.trackers.imported fop_core.trackers.tables fop_core.trackers.tensorboard
    toy_functions toy_functions.basins toy_functions.ends toy_functions.export toy_functions.expressions
    toy_functions.framing toy_functions.graph toy_functions.latex toy_functions.live toy_functions.lowest
    toy_functions.own_rule toy_functions.postfix toy_functions.presets toy_functions.program
    toy_functions.quadratic_model toy_functions.racing toy_functions.scenes toy_functions.schedules
    toy_functions.stepping toy_functions.surfaces toy_functions.tokenizer toy_functions.tracing toy_functions.tuning
""".split()
"""Modules whose names a user is offered, beside what is in an ``__all__``."""
EXTRAS = {
    "fop_core.trackers.huggingface": "transformers",
    "fop_core.trackers.lightning": "lightning",
    "fop_core.trackers.tensorboard": "tensorboard",
}
"""Modules that need a package of an extra."""


def files() -> list[Path]:
    return sorted(path for package in ("fop_core", "toy_functions") for path in (ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def examples(path: Path) -> Iterator[doctest.DocTest]:
    """The examples of a file, those of each docstring as one test, with no names but what it imports."""
    parser = doctest.DocTestParser()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ">>>" in (ast.get_docstring(node) or ""):
            text, line = ast.get_docstring(node, clean=False), node.body[0].lineno - 1
            yield parser.get_doctest(text, {"__name__": "__main__"}, getattr(node, "name", path.stem), str(path), line)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A folder of data sets: one image of CIFAR-10, which is what a fork of the gallery's asks for."""
    folder = tmp_path_factory.mktemp("data")
    tiny.cifar10(folder / "cifar10", train=1, test=1)
    return folder


@pytest.fixture
def elsewhere(data, tmp_path, monkeypatch) -> Callable[[int], None]:
    """Goes to an empty folder, one for each number, which is all that examples write to; no job begins."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("FOP_DATA_DIR", str(data))
    monkeypatch.setenv("FOP_DATA_RELATIVE_TO", "")
    monkeypatch.setattr(queue, "_start", lambda folder: None)  # what is queued waits
    monkeypatch.setattr(watcher, "_start", lambda folder: None)  # and so does a study

    def go(number: int) -> None:
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.setenv("FOP_RUNS_DIR", str(folder / "runs"))

    return go


WITH_EXAMPLES = [path for path in files() if ">>> " in path.read_text()]


def skip_without_its_extra(module: str) -> None:
    if package := EXTRAS.get(module):
        pytest.importorskip(package, reason=f"it is an extra: pip install {package}")


@pytest.mark.filterwarnings("ignore:.*(srun|LeafSpec).*")  # lightning's own
@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=module_name)
def test_the_examples_of_docstrings_run(elsewhere, path):
    skip_without_its_extra(module_name(path))
    lines: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    for number, test in enumerate(examples(path)):
        elsewhere(number)
        runner.run(test, out=lines.append)
    assert not lines, "".join(lines)


def has_example(documented: Any) -> bool:
    return ">>> " in (getattr(documented, "__doc__", None) or "")


def shows(kind: type, method: str) -> bool:
    """Whether the examples of a class use a method."""
    code = "".join(example.source for example in doctest.DocTestParser().get_examples(kind.__doc__ or ""))
    return re.search(rf"\.{method}\b", code) is not None


def is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ("fop_core", "toy_functions")


def is_called(kind: type, method: str) -> bool:
    """Whether a method is a hook that another package calls, and nobody else."""
    theirs = [base for base in kind.__mro__[1:] if not is_ours(base)]
    return method.startswith("on_") and any(method in vars(base) for base in theirs)


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    """What a class offers that neither its own example shows nor one of its bases has explained."""
    bases = [vars(base) for base in kind.__mro__[1:] if is_ours(base)]
    for name, member in vars(kind).items():
        member = {property: lambda m: m.fget, cached_property: lambda m: m.func}.get(type(member), lambda m: m)(member)
        member = inspect.unwrap(getattr(member, "__func__", member))
        explained = any(has_example(base.get(name)) for base in bases) or shows(kind, name) or is_called(kind, name)
        if inspect.isfunction(member) and member.__doc__ and not name.startswith("_") and not explained:
            yield name, member


def offered(module: ModuleType, listed: bool) -> Iterator[Any]:
    """The classes and functions of a module's ``__all__``; where it is listed, those that it defines too."""
    names = [name for name in vars(module) if listed and not name.startswith("_")]
    for name in {*names, *getattr(module, "__all__", ())}:
        each = getattr(module, name)
        if not (inspect.isclass(each) or inspect.isfunction(inspect.unwrap(each))) or not is_ours(each):
            continue
        if name in getattr(module, "__all__", ()) or each.__module__ == module.__name__:
            yield each


def public(module: str) -> set[str]:
    """The public names of a module that have no example."""
    without = set()
    for each in offered(import_module(module), module in PUBLIC):
        name = f"{each.__module__}.{each.__qualname__}"
        without |= set() if has_example(each) else {name}
        if inspect.isclass(each):
            without |= {f"{name}.{method}" for method, member in methods(each) if not has_example(member)}
    return without


WITH_ALL = {module_name(path) for path in files() if re.search(r"^__all__\b", path.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("module", sorted({*PUBLIC, *WITH_ALL}))
def test_every_public_name_has_an_example(module):
    skip_without_its_extra(module)
    assert not sorted(public(module))


def test_what_the_documents_import_from_is_public():
    modules = {module_name(path) for path in files()}
    used = set()
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for block in re.findall(r"^```python\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and node.module in modules:
                    names = [f"{node.module}.{alias.name}" for alias in node.names]
                    used |= {name if name in modules else node.module for name in names}
    assert used <= {*PUBLIC, *WITH_ALL}
