"""What docs/architecture.md and CONTRIBUTING.md name is there."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("docs/architecture.md", "CONTRIBUTING.md")
NAMED = re.compile(r"(?<![\w./<>-])[\w*.-]*(?:/[\w*.-]+)*(?:\.(?:py|js|mjs|ts|css|html|md|sh|toml|yml)\b|/)(?![\w</])")
FOLDERS = ("app.py", "benchmarks", "docs", "fop_core", "pages", "scripts", "static", "tests", "toy_functions")
QUOTED = re.compile(  # a folder, or a module with what is meant of it
    r"`([\w-]+(?:/[\w-]+)+)(?:\.(?!(?:py|js|mjs|ts|css|html|md|sh|toml|yml)`)\w+)?`"
)
ELSEWHERE = {"my.py", "plotly.js", "Node.js", "requests/", "requests/start"}  # a user's, a run's, and a library
FILES = [
    f"/{path.relative_to(ROOT)}"
    for folder in (*FOLDERS, ".github", ".ci")
    for path in ((ROOT / folder).rglob("*") if (ROOT / folder).is_dir() else [ROOT / folder])
    if "__pycache__" not in path.parts
] + [f"/{path.name}" for path in ROOT.iterdir() if path.is_file()]


def named(text: str) -> Iterator[str]:
    """The files and folders that a document names, from any folder on; those with a <placeholder> are a pattern."""
    every = [*NAMED.findall(text), *QUOTED.findall(text)]
    yield from (name.rstrip("/") for name in every if name not in ELSEWHERE and name != "/")


def there(name: str) -> bool:
    return any(fnmatch(path, f"*/{name}") or path.endswith(f"/{name}.py") for path in FILES)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_is_there(document):
    assert [name for name in named((ROOT / document).read_text()) if not there(name)] == []


def test_names_of_files_are_seen():
    text = (
        "`optim/rules.py`, pages/<page>/ and (docs/paper.md), `recorded_*.py` in trash/; `pages/shared`. "
        "`*.test.js` of fop_core/optim/, .github/workflows/ci.yml. And/or 3/4, P/M, my.py, `a/b.do`."
    )
    assert list(named(text)) == [
        "optim/rules.py",
        "docs/paper.md",
        "recorded_*.py",
        "trash",
        "*.test.js",
        "fop_core/optim",
        ".github/workflows/ci.yml",
        "pages/shared",
        "a/b",
    ]
    assert there("optim/rules/fop.py") and there("rules/fop.py") and there("test_fop_*.py") and there("jobs/queue")
    assert not there("optim/rules.py") and not there("ules/fop.py")
