"""The kinds of settings of a training run: typed as words and numbers, and judged by the run's own config."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.shared.fields import Text

LONGEST = 500  # characters of one setting


def plain(value: Any) -> str:
    """Return a config's value as one would type it: 0.05, 1e-8, "4, 8", or nothing for none."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(each) for each in value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0").replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return str(value)


def setting(path: str, value: Any) -> str:
    """Return ``path=value`` as ``config.change`` reads it: JSON, or a bare word where it reads that as itself."""
    text = json.dumps(value)
    if isinstance(value, str) and value == value.strip():
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            text = value
    return f"{path}={text}"


@dataclass(frozen=True)
class Line(Text):
    """A value typed in. Whatever was typed is kept; what is wrong with it the config says.

    Attributes:
        form: "number", "words", or "list" of numbers.
        optional: whether nothing at all means none.
    """

    form: str = "number"
    optional: bool = False

    def config_value(self, text: str) -> Any:
        """Return what a config is given for this text; anything that is no value goes on as the text that it is."""
        text = text.strip()
        if not text and self.optional:
            return None
        if self.form == "words":
            return text
        try:
            return json.loads(f"[{text}]" if self.form == "list" else text)
        except (ValueError, RecursionError):
            return text


@dataclass(frozen=True)
class Pick(Line):
    """One of a few, or a value typed in.

    Attributes:
        options: the few.
    """

    options: tuple[str, ...] = ()

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show a list to choose from, or to type in."""
        now = st.session_state[key]
        options = list(self.options) + ([] if now in self.options else [now])
        st.selectbox(
            self.label,
            options,
            key=key,
            help=self.help or None,
            on_change=on_change,
            accept_new_options=True,
        )
