"""The code speaks the field's words: those of CONTRIBUTING's glossary, and none of the left column."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("pages", "fop_core", "toy_functions", "benchmarks", "scripts", "tests")
FILES = [ROOT / "app.py", *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
OURS = set(
    "Alarm Move Tape Word _adopt _judge adopt ahead alarm ascent asked found given guarded heard held_up kick kicks "
    "land look moved pen place places press recorder rest seen stand taken tape told thin well".split()
)
"""Names that have to be learned before the code can be read."""
OUR_FILES = {"alarm", "press", "recorder", "tape", "thin", "words"}


def defined(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that some code gives to something itself; those of libraries are theirs."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_has_a_name_that_has_to_be_learned(path):
    assert path.stem not in OUR_FILES
    names = [f"line {line}: {name}" for name, line in defined(ast.parse(path.read_text())) if name in OURS]
    assert not names


def test_every_kind_of_name_is_looked_at():
    code = (
        "import numpy as told\nfor place in []: pass\ndef found(given, *, seen: int): self.heard = 1\nclass Word: pass"
    )
    assert {name for name, _ in defined(ast.parse(code))} >= {
        "told",
        "place",
        "found",
        "given",
        "seen",
        "heard",
        "Word",
    }
