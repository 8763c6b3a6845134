"""What the address of the Studies page holds: a study to be composed, or one that is open and how it is shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import streamlit as st

from fop_core.figures.training_curves import named
from fop_core.studies import protocol
from fop_core.training import config
from pages.shared.fields import Choice, Field, Flag, Number, Several, Switch, Text
from pages.shared.train.fields import plain

LONGEST = 4000  # characters of a list of axes or settings
PRESETS = Choice(
    "Preset",
    {name: name for name in config.PRESETS},
    "The experiment: data, network, and what is not varied. Sets everything below.",
)


@dataclass(frozen=True)
class Rows(Text):
    """Several lines of text, each a thing of its own; what is wrong with one is for its reader to say."""

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show an area to type in, as high as it needs."""
        st.text_area(
            self.label,
            key=key,
            max_chars=self.longest,
            help=self.help or None,
            placeholder=self.placeholder,
            on_change=on_change,
            height="content",
        )

    @staticmethod
    def lines(text: str) -> list[str]:
        """Return the lines that say something."""
        return [line.strip() for line in text.splitlines() if line.strip()]


METHODS = {name: named(name) for name in protocol.known_methods()} | {config.PLUGIN: "Your own"}
COMPOSED: Mapping[str, Field] = MappingProxyType(
    {
        "name": Text("Name", 60, "What to call it, and its folder.", "as the preset"),
        "methods": Several(
            "Methods",
            METHODS,
            "What is compared. Each gets the same data, batches and seeds, and its own best settings.",
        ),
        "variants": Rows(
            "Variants, one a line",
            LONGEST,
            "A method under a name and with settings of its own, as k4=fop:fop.rank=4,fop.init_std=0.3. It is compared "
            "like the methods above.",
            "k4=fop:fop.rank=4",
        ),
        "axes": Rows(
            "Axes, one a line",
            LONGEST,
            "Settings to try, as optimizer.lr=0.01,0.05,0.1. A range is log:1e-3:1e-1:5 or lin:1:9:3. "
            "One of a single method begins with its name: adam:optimizer.lr=log:1e-4:1e-2:3. "
            "An axis of a part that a method has not is not multiplied for it.",
            "optimizer.lr=0.01,0.05,0.1",
        ),
        "sampling": Switch(
            "Tried are",
            {"grid": "All combinations", "quasi-random": "As many of each"},
            "As many of each: the same number of trials for every method, spread evenly (Sobol). Trials that fall on "
            "the same values of a list are one.",
        ),
        "trials": Number("Trials of each method", 1, 2000, 1, whole=True),
        "seeds": Text("Tuning seeds", 200, "These choose the settings of each method: 0, 1, 2 or 0-2."),
        "fresh": Text(
            "Fresh seeds",
            200,
            "These are reported, on the test set: other ones, since what was chosen by a seed flatters it.",
            "as many, the next ones",
        ),
        "epochs": Text("Epochs", 20, "Of each run.", "as the preset"),
        "base": Rows(
            "Settings for all, one a line",
            LONGEST,
            "Changed from the preset for every run, as batch_size=256. A setting that a method has not is left out.",
            "batch_size=256",
        ),
        "choose": Choice(
            "The winner has",
            {
                "held_out_accuracy": "the highest held-out accuracy",
                "held_out_loss": "the lowest held-out loss",
                "train_loss": "the lowest training loss",
            },
            "Measured on images of the training set that are held out; tuning never reads the test set.",
        ),
        "at": Switch("Of a run counts", {"last": "Its end", "best": "Its best"}),
        "target": Choice(
            "Target",
            {"": "None", "test_accuracy": "Accuracy", "test_loss": "Loss"},
            "Steps and seconds to it are compared. A run that misses it counts as infinite.",
        ),
        "value": Number("To reach", -1e9, 1e9, 0.01, "An accuracy as a fraction: 0.95"),
        "ending": Flag(
            "End hopeless runs early",
            "A tuning run whose best is worse than the median of the others by the same epoch (Vizier's median rule).",
        ),
        "baseline": Choice(
            "Compared with", {"": "All with all", **METHODS}, "Fixed with the analysis before the first run."
        ),
        "column": Choice(
            "Compared by",
            {"test_accuracy": "Test accuracy", "test_loss": "Test loss", "train_loss": "Training loss"},
            "With fresh seeds; on the test set, where the data have one.",
        ),
        "limit": Number("Runs at most", 1, 100_000, 100, whole=True),
    }
)
"""What a new study is made of."""

COUNTED = {"steps": "Steps", "seconds": "Seconds", "gradients": "Gradients"}
VIEWS: Mapping[str, Field] = MappingProxyType(
    {
        "study": Text("Study", 80),
        "with": Text("With", 60),
        "without": Text("Without", 60),
        "rows": Text("Up", 100),
        "columns": Text("Across", 100),
        "rate": Text("Over", 100),
        "x": Switch("Across", {"epoch": "Epoch", "step": "Step", "seconds": "Time"}),
        "count": Switch("Counted in", COUNTED),
        "role": Switch("Show", {"tune": "Tuning", "report": "Reported"}),
        "cell": Text("Settings", 400),  # keys of their first runs, separated by commas
        "by": Text("Analysis", 20),
        "against": Text("Against", 60),
    }
)
"""How an open study is shown."""

FIELDS: Mapping[str, Field] = MappingProxyType({**COMPOSED, **VIEWS})


@lru_cache(maxsize=64)
def values(preset: str) -> Mapping[str, Any]:
    """Return the value of each of ``FIELDS`` to begin with: rates around the preset's own."""
    rate = config.preset(preset, "fop").optimizer.lr
    rates = ",".join(plain(float(f"{factor * rate:.3g}")) for factor in (0.2, 1, 2))
    return MappingProxyType(
        {
            "name": "",
            "methods": ["momentum", "fop"],
            "variants": "",
            "axes": f"optimizer.lr={rates}",
            "sampling": "grid",
            "trials": 8,
            "seeds": "0-2",
            "fresh": "",
            "epochs": "",
            "base": "",
            "choose": "held_out_accuracy",
            "at": "last",
            "target": "",
            "value": 0.9,
            "ending": False,
            "baseline": "",
            "column": "test_accuracy",
            "limit": protocol.LIMIT,
            "study": "",
            "with": "",
            "without": "",
            "rows": "",
            "columns": "",
            "rate": "",
            "x": "epoch",
            "count": "steps",
            "role": "tune",
            "cell": "",
            "by": "",
            "against": "",
        }
    )
