"""Lists the texts of the pages, each with where it stands, and the sentences that are too long.

python scripts/texts.py            all of them
python scripts/texts.py --long     sentences of more than 25 words; exit status 1 where there are any
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
MOST = 25  # words of a sentence


class Text(NamedTuple):
    """A text that a reader may see.

    Attributes:
        where: file and line.
        text: with "…" for what is filled in.
    """

    where: str
    text: str


def texts(root: Path = ROOT) -> Iterator[Text]:
    """All texts of pages and presets: the literals of at least two words that are no docstring."""
    for path in sorted(
        [*root.glob("pages/**/*.py"), root / "toy_functions/scenes.py", root / "fop_core/training/config.py"]
    ):
        tree = ast.parse(path.read_text())
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if id(node) in docstrings or id(node) in parts:
                continue
            text = literal(node)
            if text and len(re.findall(r"[A-Za-z]{2,}", text)) > 1 and " " in text.strip():
                yield Text(f"{path.relative_to(root)}:{node.lineno}", text.strip())


def literal(node: ast.AST) -> str:
    """Return the text of a string or an f-string; "" of anything else."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in parts)
    return ""


def sentences(text: str) -> list[str]:
    """Split a text at the ends of its sentences, its list items and its lines."""
    return [part for part in re.split(r"(?<=[.!?:;])\s+|\n+", text) if part.strip()]


def main() -> int:
    """Print the list."""
    long = "--long" in sys.argv[1:]
    number = 0
    for where, text in texts():
        for sentence in sentences(text) if long else [text]:
            if not long or len(sentence.split()) > MOST:
                print(f"{where}: {sentence}")
                number += 1
    return int(long and number > 0)


if __name__ == "__main__":
    sys.exit(main())
