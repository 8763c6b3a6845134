"""A reader's words inside Markdown."""

import re
import string

_SIGNS = re.compile(f"([{re.escape(string.punctuation)}])")

# What Streamlit makes of a text after Markdown has been read, where a backslash no longer helps: addresses become
# links, a word between colons a picture, arrows and the like one sign. A sign without width in their midst hinders it.
_MADE_INTO = re.compile(
    r"(?<=:)(?=//|[\w+-]+:)|(?<=\bwww)(?=\.)|(?<=@)(?=\w)|(?<=(?<!\S)[<>~-])(?=->?(?!\S)|>(?!\S)|=(?!\S))",
    re.IGNORECASE,
)
_NO_WIDTH = "\N{WORD JOINER}"


def sendable(text: str) -> str:
    r"""Return a text that a browser can be sent: what is no character, as of a file's name, as ``\udcff``."""
    return text.encode(errors="backslashreplace").decode()


def escaped(text: str) -> str:
    """Return Markdown that shows a part of a text as it is, blanks at its ends included."""
    return _SIGNS.sub(r"\\\1", _MADE_INTO.sub(_NO_WIDTH, sendable(text)))


def literal(text: str) -> str:
    """Return Markdown that shows a text as it is, whoever wrote it: no pictures, links, formulas or emphasis."""
    return escaped(" ".join(text.split()))
