"""A reader's words inside Markdown."""

import re
import string

_SIGNS = re.compile(f"([{re.escape(string.punctuation)}])")


def literal(text: str) -> str:
    """Return Markdown that shows a text as it is, whoever wrote it: no pictures, formulas or emphasis."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
