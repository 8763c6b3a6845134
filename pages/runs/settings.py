"""What the address of the Runs page holds: what the table shows, which runs are chosen, and how they are drawn."""

from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any

from fop_core.figures.style import PINS
from fop_core.runs import query
from fop_core.runs.state import STATES
from pages.runs import columns
from pages.runs.find import HELP
from pages.shared.fields import Choice, Field, Flag, Several, Slider, Switch, Text

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
class Columns(Untyped):
    """Columns of the table."""

    def read(self, text: str) -> list[str]:
        """Read names separated by commas, each of a column."""
        names = super().read(text)
        if unknown := [name for name in names if not columns.is_column(name)]:
            fixed = ", ".join(columns.FIXED)
            raise ValueError(f"has {', '.join(unknown)}, no column: those are {fixed}, set.…, last.… and best.…")
        return list(dict.fromkeys(names))


@dataclass(frozen=True)
class Pins(Untyped):
    """Runs with a colour of their own, each as its id and which colour it is: "20261124-fop-1a2b:0"."""

    def read(self, text: str) -> list[str]:
        """Read pins separated by commas: of two of one run the first, and one run a colour."""
        pins: dict[str, str] = {}
        for word in super().read(text):
            id_, _, color = word.rpartition(":")
            if not id_ or color not in map(str, range(len(PINS))):
                raise ValueError(f"has {word}, which is no run's id with a colour from :0 to :{len(PINS) - 1}")
            if color not in pins.values():
                pins.setdefault(id_, color)
        return [f"{id_}:{color}" for id_, color in pins.items()]


def pins(words: Iterable[str]) -> dict[str, int]:
    """Return which of ``style.PINS`` each pinned run has, by its id."""
    return {id_: int(color) for id_, _, color in (word.rpartition(":") for word in words)}


def from_before(address: MutableMapping[str, str]) -> None:
    """Turn what older addresses have into what stands for it now: words to find, and whether sizes are shown."""
    if "find" in address:
        words = address.pop("find").split()
        address.setdefault("where", " ".join(word if word.isalnum() else query.quoted(word) for word in words))
    if "sizes" in address:
        if address.pop("sizes") == "1":
            address.setdefault("cols", ",".join([*columns.FIRST[:-1], "size", columns.FIRST[-1]]))


SHOWN = {"runs": "Runs", "archive": "Archive", "gallery": "Gallery", "trash": "Trash"}
ROWS = {"auto": "Auto", "1": "1", "2": "2", "3": "3"}
ACROSS = {"step": "Step", "epoch": "Epoch", "seconds": "Time"}
FIELDS: dict[str, Field] = {
    "show": Choice("Show", SHOWN, help="Gallery: finished runs that ship with the project, to look at"),
    "where": Text("Find", 400, help=HELP, placeholder="lr>0.01 method=fop tag:x"),
    "state": Several("State", {state: state for state in STATES}),
    "tag": Untyped("Tags"),
    "cols": Columns("Columns"),
    "run": Untyped("Runs"),
    "pin": Pins("Pinned"),
    "y": Untyped("Curves"),
    "x": Switch("Across", ACROSS, help="Time: seconds of training, without evaluation; what a step costs counts"),
    "smooth": Slider(
        "Smoothing", 0, 30, 1, "Mean over this share of a curve; the raw values stay behind it", True, format="%d %%"
    ),
    "seeds": Flag("Mean over seeds", help="Runs that differ by the seed alone become one line with ± 1 std"),
    "base": Text("Difference to", 200),
    "logx": Flag("Logarithmic across"),
    "logy": Flag("Logarithmic up"),
    "grid": Switch("Charts in a row", ROWS, help="A zoom and the cursor are the same in all of them"),
}
PRESETS = Choice("Preset", {"all": "All"})
VALUES: dict[str, Any] = {
    "show": "runs",
    "where": "",
    "state": [],
    "tag": [],
    "cols": list(columns.FIRST),
    "run": [],
    "pin": [],
    "y": [],
    "x": "step",
    "smooth": 0,
    "seeds": True,
    "base": "",
    "logx": False,
    "logy": False,
    "grid": "auto",
}
