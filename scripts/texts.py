"""Lists the texts of the pages, each with where it stands, and the sentences that are too long.

python scripts/texts.py            all of them
python scripts/texts.py --long     sentences of more than 25 words; exit status 1 where there are any
"""

import ast
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

from pygments.lexers import JavascriptLexer
from pygments.token import Token

ROOT = Path(__file__).parents[1]
MOST = 25  # words of a sentence
SHOWN = {"alt", "aria-label", "placeholder", "title"}  # attributes of HTML that a reader sees or hears


class Text(NamedTuple):
    """A text that a reader may see.

    Attributes:
        where: file and line.
        text: with "…" for what is filled in.
    """

    where: str
    text: str


def texts(root: Path = ROOT) -> Iterator[Text]:
    """All texts of pages and of what they show: of code the literals of at least two words, but formulas."""
    shown = (
        "pages/**/*.py",
        "pages/**/*.js",
        "pages/**/*.html",
        "fop_core/figures/**/*.py",
        "toy_functions/*.py",
        "fop_core/studies/drawings/*.py",
        "fop_core/training/config.py",
        "fop_core/optim/forms.py",
        "fop_core/quantities.py",
    )
    for path in sorted(path for each in shown for path in root.glob(each)):
        if path.name == "bundle.js" or path.name.endswith(".test.js"):
            continue
        for line, text in {".py": python, ".js": javascript, ".html": html}[path.suffix](path.read_text()):
            words = len(re.findall(r"[A-Za-z]{2,}", text)) > 1 and " " in text.strip() and "\\" not in text
            if words or path.suffix == ".html":
                yield Text(f"{path.relative_to(root)}:{line}", text.strip())


def python(code: str) -> Iterator[tuple[int, str]]:
    """Strings and f-strings but docstrings."""
    tree = ast.parse(code)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in docstrings or id(node) in parts:
            continue
        match node:
            case ast.Constant(value=str(value)):
                yield node.lineno, value
            case ast.JoinedStr(values=pieces):
                yield (
                    node.lineno,
                    "".join(str(each.value) if isinstance(each, ast.Constant) else "…" for each in pieces),
                )


def javascript(code: str) -> Iterator[tuple[int, str]]:
    """Strings and templates; those that "+" joins are one."""
    line, texts, last = 1, [(0, "")], ("", "")
    open_: list[Any] = []  # templates that have begun: line, text, joined; None while one is filled in
    for kind, token in JavascriptLexer(stripnl=False).get_tokens(code):
        joined = last[1] == "+" and last[0][-1:] in ('"', "`")
        ended = None
        if kind in Token.String.Double or kind in Token.String.Single:
            ended = line, token[1:-1], joined
        elif kind in Token.String.Backtick and token == "`":
            if open_ and open_[-1]:
                ended = open_.pop()
            else:
                open_.append((line, "", joined))
        elif kind in Token.String.Backtick or token == "${":
            begun, text, joined = open_.pop()
            open_.append((begun, text + ("…" if token == "${" else token), joined))
            if token == "${":
                open_.append(None)
        elif kind in Token.String.Interpol:
            open_.pop()
        if ended:
            begun, text, joined = ended
            if joined:
                begun, first = texts.pop()
                text = first + text
            texts.append((begun, text.replace("\\n", "\n")))
        if token.strip() and kind not in Token.Comment:
            last = last[1], token
        line += token.count("\n")
    yield from texts[1:]


def html(markup: str) -> Iterator[tuple[int, str]]:
    """Texts, and the attributes that a reader sees or hears."""
    parser = _Html()
    parser.feed(re.sub("</?code>", "", markup))  # a part of its sentence
    yield from ((line, text) for line, text in parser.texts if text)


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[int, str]] = []

    def handle_data(self, data: str) -> None:
        self.texts.append((self.getpos()[0], " ".join(data.split())))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.texts.extend((self.getpos()[0], value) for name, value in attrs if name in SHOWN and value)


def sentences(text: str) -> list[str]:
    """Split a text at the ends of its sentences and of its lines; a colon or a semicolon ends none."""
    return [part for part in re.split(r"(?<=[.!?])\s+|\n+", text) if part.strip()]


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
