"""Text that others wrote, as a terminal or a page may show it."""

from typing import Any, TextIO


def printable(text: str, keep: str = "") -> str:
    r"""Return a text in which what cannot be seen is spelt out: an ESC, which would steer a terminal, becomes ``\x1b``.

    So does what reorders text, and half a character of another encoding, which nothing can print.

    Args:
        text: any.
        keep: characters that stay as they are, as line ends.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


class Visible:
    """A stream that writes text as ``printable``, in lines: whatever a command prints, it steers no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        return self._stream.write(printable(text, "\n\t\r"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
