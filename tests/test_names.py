"""The code speaks the field's words: those of CONTRIBUTING's glossary, and none of the left column."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pygments.lexers import JavascriptLexer, TypeScriptLexer
from pygments.token import Token

from toy_functions.export import snippet
from toy_functions.presets import PAPER_BOOTH

ROOT = Path(__file__).parents[1]
FOLDERS = ("pages", "fop_core", "toy_functions", "benchmarks", "scripts", "tests")
FILES = [
    ROOT / "app.py",
    *sorted(
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.*")
        if path.suffix in (".py", ".js", ".mjs", ".ts", ".css", ".html") and path.name != "bundle.js"
    ),
]
OURS = set(
    "Alarm Move Word _adopt _judge adopt ahead alarm ascent asked found given guarded heard held_up kick kicks "
    "land look moved pen place places press recorder rest seen stand taken tape told thin well".split()
)
"""Names, and parts of names, that have to be learned before the code can be read."""
CONTRACTS = {"rest"}
"""Keys of addresses and of JSON, which stay as they are."""


def defined(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that some code gives to something itself; those of libraries are theirs, a test's is a sentence."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if not name.startswith("test_"):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno
            case ast.AnnAssign(target=ast.Name(id="FIELDS"), value=ast.Dict(keys=keys)):  # what addresses call settings
                yield from ((key.value, key.lineno) for key in keys if isinstance(key, ast.Constant))


EXAMPLE = re.compile(r"^ *>>> .*(?:\n *\.\.\. .*)*", re.MULTILINE)


def examples(text: str) -> Iterator[tuple[str, int]]:
    """Every name that the examples of docstrings give, which a reader copies."""
    for example in EXAMPLE.finditer(text):
        line = text.count("\n", 0, example.start())
        code = re.sub(r"(?m)^ *(?:>>>|\.\.\.) ", "", example[0])
        yield from ((name, line + number) for name, number in defined(ast.parse(code)))


def written(code: str, typescript: bool = False) -> Iterator[tuple[str, int]]:
    """Every name in some JavaScript, and those that JSDoc gives to types."""
    lexer = (TypeScriptLexer if typescript else JavascriptLexer)(stripnl=False)
    line = 1
    for kind, text in lexer.get_tokens(code):
        if kind in Token.Name:
            yield text, line
        if kind in Token.Comment:
            yield from ((name, line) for name in re.findall(r"@(?:typedef|property) \{.*\} \[?(\w+)", text))
        line += text.count("\n")


def classes(text: str) -> Iterator[tuple[str, int]]:
    """Every CSS class and property of ours, in any language."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((name, number) for name in re.findall(r"(?:fop-|--)[\w-]+", line))


def names(path: Path) -> Iterator[tuple[str, int]]:
    text = path.read_text()
    if path.suffix == ".py":
        yield from defined(ast.parse(text))
        yield from examples(text)
        return
    yield from classes(text)
    if path.suffix in (".js", ".mjs", ".ts"):
        yield from ((name, line) for name, line in written(text, path.suffix == ".ts") if name not in CONTRACTS)


def ours(name: str) -> bool:
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    return name in OURS or not OURS.isdisjoint(map(str.lower, parts))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_has_a_name_that_has_to_be_learned(path):
    assert not ours(path.stem) and path.stem != "words"
    bad = [f"line {line}: {name}" for name, line in names(path) if ours(name)]
    assert not bad


@pytest.mark.parametrize("seeds", [1, 2])
def test_a_script_that_a_reader_saves_has_no_such_name_either(seeds):
    script = snippet(PAPER_BOOTH, seeds=seeds)
    assert not [name for name, _ in defined(ast.parse(script)) if ours(name)]


def test_every_kind_of_name_is_looked_at():
    code = (
        "import numpy as told\nfor place in []: pass\ndef found(given, *, seen: int): self.heard = 1\nclass Word: pass"
    )
    assert {name for name, _ in defined(ast.parse(code))} == {
        "told",
        "place",
        "found",
        "given",
        "seen",
        "heard",
        "Word",
    }
    assert {name for name, _ in defined(ast.parse("FIELDS: dict = {'given': 1, **others}"))} == {"FIELDS", "given"}
    docstring = (
        "    Example:\n        >>> found = 1\n        >>> for told in ():\n        ...     seen = told\n        1\n"
    )
    assert list(examples(docstring)) == [("found", 2), ("told", 3), ("seen", 4)]
    script = "/** @typedef {number} Pen */ const f = ({ told }, x = `${place}`) => (this.found = /seen/); // given"
    assert {name for name, _ in written(script)} == {"Pen", "f", "told", "x", "place", "found"}
    assert [name for name, _ in classes('<p class="fop-told">\n.fop-told { --fop-pen: 1 }')] == [
        "fop-told",
        "fop-told",
        "--fop-pen",
    ]
    assert ours("IN_PLACE") and ours("penOf") and ours("fop-basin-told") and ours("held_up") and not ours("opening")


TWICE = {
    "Adam": "rules and hyper-optimizers are called as their method is",
    "SGD": "likewise",
    "FOP": "likewise: scripts that were exported import the rule from optim.rules, beside SGD and Adam",
    "RunCallback": "one for each trainer that calls it, and never two of them in one script",
    "Settings": "what a plug-in has to call its settings",
    "Control": "the right to set a run's state; and a control of the paper's, see CONTRIBUTING",
    "Layer": "a layer of FOP, and what a run has of it: one thing on two floors",
    "Follower": "of a file, and of a training",
    "Group": "of runs alike but for the seed, and of a study's cells",
    "Method": "an optimizer of the paper, and how it looks in figures",
    "Batch": "of races, and Slurm's own word for a job of many tasks",
    "Task": "what a trainer trains for, and Slurm's own word for a part of a job",
    "Trainer": "trains a run, and the process that it is in",
    "Trashed": "a study in the trash, and what a command needs of anything there",
    "Value": "of a query, and of a program",
}
"""Public classes whose names are defined more than once, and why that may be."""


def doubled() -> set[str]:
    where: dict[str, int] = {}
    for path in (path for folder in ("fop_core", "toy_functions") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name] = where.get(node.name, 0) + 1
    return {name for name, count in where.items() if count > 1}


def test_one_name_is_one_class():
    assert doubled() <= TWICE.keys(), "name it by what it is, or say in TWICE why two may have one name"
    assert doubled() == TWICE.keys(), "take what is single by now out of TWICE"
