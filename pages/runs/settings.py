"""What the address of the Runs page holds: what the table shows, which runs are chosen, and how they are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fop_core.runs.state import STATES
from pages.shared.fields import Choice, Field, Flag, Number, Several, Switch, Text

LONGEST = 8000  # letters of a list in an address


@dataclass(frozen=True)
class Untyped:
    """Words that only the page knows, such as the ids of runs; it shows their widget itself."""

    label: str

    def read(self, text: str) -> list[str]:
        """Read words separated by commas."""
        if len(text) > LONGEST:
            raise ValueError(f"has more than {LONGEST:,} characters")
        return [word for word in text.split(",") if word]

    def write(self, value: Any) -> str:
        """Write them in their order."""
        return ",".join(value)

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show nothing."""


@dataclass(frozen=True)
class Slider(Number):
    """A number by a slider."""

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
            format="%d %%",
        )


SHOWN = {"runs": "Runs", "archive": "Archive", "gallery": "Gallery", "trash": "Trash"}
ACROSS = {"step": "Step", "epoch": "Epoch", "seconds": "Time"}
FIELDS: dict[str, Field] = {
    "show": Choice("Show", SHOWN, help="Gallery: finished runs that ship with the project, to look at"),
    "find": Text("Find", 80, placeholder="name, tag, method, setting=value"),
    "state": Several("State", {state: state for state in STATES}),
    "tag": Untyped("Tags"),
    "sizes": Flag("Sizes on the disk"),
    "run": Untyped("Runs"),
    "y": Untyped("Curves"),
    "x": Switch("Across", ACROSS, help="Time: seconds of training, without evaluation; what a step costs counts"),
    "smooth": Slider("Smoothing", 0, 30, 1, "Mean over this share of a curve; the raw values stay behind it", True),
    "seeds": Flag("Mean over seeds", help="Runs that differ by the seed alone become one line with ± 1 std"),
    "base": Text("Difference to", 200),
    "logx": Flag("Logarithmic across"),
    "logy": Flag("Logarithmic up"),
}
PRESETS = Choice("Preset", {"all": "All"})
VALUES: dict[str, Any] = {
    "show": "runs",
    "find": "",
    "state": [],
    "tag": [],
    "sizes": False,
    "run": [],
    "y": [],
    "x": "step",
    "smooth": 0,
    "seeds": True,
    "base": "",
    "logx": False,
    "logy": False,
}
