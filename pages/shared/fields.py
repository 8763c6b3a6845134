"""Settings: what each is called, what it may be, how it is asked for, and how it is written in an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import streamlit as st


class Field(Protocol):
    """A kind of setting."""

    @property
    def label(self) -> str:
        """What it is called."""

    def read(self, text: str) -> Any:
        """Return the value that an address gives; ValueError with what is wrong, to follow the setting's name."""

    def write(self, value: Any) -> str:
        """Return a value as an address gives it; ``read`` gets the very same back."""

    def draw(self, key: str, on_change: Callable[[], None] | None) -> None:
        """Show the widget. The session has its value under this key."""


@dataclass(frozen=True)
class Number:
    """A real number, or a whole one, between two bounds.

    Attributes:
        label: what it is called.
        low: the least it may be.
        high: the greatest.
        step: of the buttons beside it.
        help: what it means.
        whole: whether it is an integer.
        tiny: whether to show it as 1.00e-6 rather than 0.000001.
        empty: what stands in an empty field, whose value is None; without it the field cannot be empty.
    """

    label: str
    low: float
    high: float
    step: float
    help: str = ""
    whole: bool = False
    tiny: bool = False
    empty: str = ""

    def read(self, text: str) -> float | int | None:
        """Read a number within the bounds, or None from an empty text where that is allowed."""
        if self.empty and not text:
            return None
        kind = "a whole number" if self.whole else "a number"
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            raise ValueError(f"is not {kind}") from None
        if not self.low <= value <= self.high:  # nor is a NaN
            raise ValueError(f"is not between {self.low:g} and {self.high:g}")
        return value

    def write(self, value: Any) -> str:
        """Write the shortest text that gives the same number."""
        if self.empty and value is None:
            return ""
        return repr(int(value)) if self.whole else repr(float(value)).removesuffix(".0")

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show a number input."""
        kind: type = int if self.whole else float
        value: Any = None if self.empty else "min"
        st.number_input(
            self.label,
            value=value,
            placeholder=self.empty or None,
            min_value=kind(self.low),
            max_value=kind(self.high),
            step=kind(self.step),
            format="%d" if self.whole else "%.2e" if self.tiny else "%.6g",
            key=key,
            help=self.help or None,
            on_change=on_change,
        )


@dataclass(frozen=True)
class Slider(Number):
    """A number by a slider.

    Attributes:
        format: of the number that is shown, as printf has it; none for Streamlit's own.
    """

    format: str = ""

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show the slider."""
        kind: type = int if self.whole else float
        st.slider(
            self.label,
            kind(self.low),
            kind(self.high),
            step=kind(self.step),
            key=key,
            help=self.help or None,
            on_change=on_change,
            format=self.format or None,
        )


@dataclass(frozen=True)
class Choice:
    """One of a few.

    Attributes:
        label: what it is called.
        options: what a reader sees of each value.
        help: what it means.
    """

    label: str
    options: Mapping[str, str]
    help: str = ""

    def read(self, text: str) -> str:
        """Read one of the options."""
        if text not in self.options:
            raise ValueError(f"is none of {', '.join(self.options)}")
        return text

    def write(self, value: Any) -> str:
        """Write it as it is."""
        return value

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show a list to choose from."""
        st.selectbox(
            self.label,
            list(self.options),
            format_func=self.options.__getitem__,
            key=key,
            help=self.help or None,
            on_change=on_change,
            filter_mode=None,
        )


@dataclass(frozen=True)
class Switch(Choice):
    """One of a few, all in sight.

    Attributes:
        quiet: whether its label is for screen readers alone.
    """

    quiet: bool = False

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show them side by side."""
        st.segmented_control(
            self.label,
            list(self.options),
            format_func=self.options.__getitem__,
            key=key,
            help=self.help or None,
            on_change=on_change,
            required=True,
            label_visibility="collapsed" if self.quiet else "visible",
        )


@dataclass(frozen=True)
class Several:
    """Some of a few, in their order; none is allowed."""

    label: str
    options: Mapping[str, str]
    help: str = ""

    def read(self, text: str) -> list[str]:
        """Read options separated by commas."""
        chosen = [word for word in text.split(",") if word]
        unknown = [word for word in chosen if word not in self.options]
        if unknown:
            raise ValueError(f"has {', '.join(unknown)}, which is none of {', '.join(self.options)}")
        return [option for option in self.options if option in chosen]

    def write(self, value: Any) -> str:
        """Write them in their order."""
        return ",".join(option for option in self.options if option in value)

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show all, to switch on and off."""
        st.pills(
            self.label,
            list(self.options),
            selection_mode="multi",
            format_func=self.options.__getitem__,
            key=key,
            help=self.help or None,
            on_change=on_change,
        )


@dataclass(frozen=True)
class Group:
    """Options that belong together.

    Attributes:
        label: what they have in common.
        options: names of them.
        help: what each is.
    """

    label: str
    options: tuple[str, ...]
    help: str = ""


@dataclass(frozen=True)
class Grouped(Several):
    """Some of many, which are shown by groups.

    Attributes:
        groups: each option is in one.
    """

    groups: tuple[Group, ...] = ()

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show one group under another. The session has the whole value under the key, and what of it is in a group."""
        st.markdown(f"**{self.label}**")
        for group, part in zip(self.groups, self.parts(key)):
            chosen = [option for option in group.options if option in st.session_state[key]]
            again = st.session_state.pop(f"{part} again", False)
            if again or st.session_state.get(part) != chosen:  # a value that is set has the browser draw the group anew
                st.session_state[part] = chosen
            st.pills(
                group.label,
                group.options,
                selection_mode="multi",
                format_func=self.options.__getitem__,
                key=part,
                help=group.help or None,
                on_change=partial(self._take_over, key, part, group, on_change),
            )

    def forget(self, key: str) -> None:
        """Have the groups given their values anew when they are drawn next."""
        for part in self.parts(key):  # what the browser sends of them until then is known by their keys
            st.session_state[f"{part} again"] = True

    def parts(self, key: str) -> list[str]:
        """Return the keys of the groups' widgets."""
        return [f"{key} {group.label}" for group in self.groups]

    def _take_over(self, key: str, part: str, group: Group, on_change: Callable[[], None] | None) -> None:
        others = [option for option in st.session_state[key] if option not in group.options]
        st.session_state[key] = self.read(",".join([*others, *st.session_state[part]]))
        if on_change is not None:
            on_change()


@dataclass(frozen=True)
class Flag:
    """Yes or no."""

    label: str
    help: str = ""

    def read(self, text: str) -> bool:
        """Read 1 or 0."""
        if text not in ("0", "1"):
            raise ValueError("is neither 0 nor 1")
        return text == "1"

    def write(self, value: Any) -> str:
        """Write 1 or 0."""
        return "1" if value else "0"

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show a box to tick."""
        st.checkbox(self.label, key=key, help=self.help or None, on_change=on_change)


@dataclass(frozen=True)
class Text:
    """A line of text; what is wrong with it is for its reader to say."""

    label: str
    longest: int
    help: str = ""
    placeholder: str = ""

    def read(self, text: str) -> str:
        """Read any text that is not too long."""
        if len(text) > self.longest:
            raise ValueError(f"has more than {self.longest} characters")
        return text

    def write(self, value: Any) -> str:
        """Write as much of it as may be read: a list to choose from takes words of any length."""
        return value[: self.longest]

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show a line to type in."""
        st.text_input(
            self.label,
            key=key,
            max_chars=self.longest,
            help=self.help or None,
            placeholder=self.placeholder,
            on_change=on_change,
        )
