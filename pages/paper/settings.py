"""What the address of the Paper page holds: where the demonstrations of its theorems stand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import streamlit as st

from fop_core.figures.style import plain
from fop_core.reproduction.cards import CARDS
from fop_core.reproduction.lacking import QUESTIONS
from fop_core.reproduction.pictures import PICTURES
from pages.shared.fields import Choice, Field, Slider, Switch


@dataclass(frozen=True)
class Stops:
    """One of a few numbers, on a slider whose stops they are.

    Attributes:
        label: what it is called.
        stops: ascending.
        help: what it means.
    """

    label: str
    stops: tuple[float, ...]
    help: str = ""

    def read(self, text: str) -> float:
        """Read one of the stops."""
        try:
            value = float(text)
        except ValueError:
            raise ValueError("is not a number") from None
        if value not in self.stops:
            raise ValueError(f"is none of {', '.join(map(plain, self.stops))}")
        return value

    def write(self, value: Any) -> str:
        """Write the shortest text that gives the same number."""
        return repr(float(value)).removesuffix(".0")

    def draw(self, key: str, on_change: Callable[[], None] | None = None) -> None:
        """Show the slider."""
        st.select_slider(
            self.label, self.stops, format_func=plain, key=key, help=self.help or None, on_change=on_change
        )


MU = Slider("μ, the smaller eigenvalue of H", 0.01, 1, 0.01, "H is the Hessian of the quadratic f = θᵀHθ/2")
L = Slider("L, the larger eigenvalue of H", 1, 10, 0.1, "f is L-smooth")
ALONG = Slider("P's eigenvalue along its direction", 0.05, 2, 0.01)
ACROSS = Slider("P's eigenvalue across", 0, 2, 0.01)
ANGLE = Slider("The direction's angle", 0, 180, 1, "From the eigenvector of μ", whole=True, format="%d°")
QUADRATIC: Mapping[str, Field] = {"mu": MU, "L": L, "along": ALONG, "across": ACROSS, "angle": ANGLE}

FIRST: Mapping[str, Field] = MappingProxyType(
    {f"t1.{name}": field for name, field in QUADRATIC.items()}
    | {
        "t1.form": Switch("Learned is", {"direct": "P itself", "mmt": "M of P = M Mᵀ"}),
        "t1.limit": Slider("p∞, to which ‖P‖ is scaled", 0.05, 4, 0.05, "The theorem asks for p∞ < 1/L"),
        "t1.rho": Stops("ρ, the hypergradient's rate", (0.0, 0.01, 0.03, 0.05, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)),
    }
)
SECOND: Mapping[str, Field] = MappingProxyType({f"t2.{name}": field for name, field in QUADRATIC.items()})
PICTURE = Choice("Picture", {"": "The first", **{name: title for name, (title, _) in PICTURES.items()}})


def picture_field(card: str) -> str:
    """Return the setting that says which picture of a card is shown; "" is its first."""
    return f"see.{card}"


SHOWN = (*CARDS, *QUESTIONS)
FIELDS: Mapping[str, Field] = MappingProxyType({**{picture_field(card): PICTURE for card in SHOWN}, **FIRST, **SECOND})

_HALF = {"mu": 0.1, "L": 1.0, "along": 0.5, "across": 0.5, "angle": 0}
VALUES: Mapping[str, Any] = MappingProxyType(
    {picture_field(card): "" for card in SHOWN}
    | {f"t1.{name}": value for name, value in _HALF.items()}
    | {"t1.form": "direct", "t1.limit": 0.9, "t1.rho": 0.05}
    | {f"t2.{name}": value for name, value in _HALF.items()}
)
"""Of each to begin with: of Theorem 1 a case that its proof covers, of Theorem 2 the counterexample."""
PRESETS = Choice("Preset", {"all": "All"})


@dataclass(frozen=True)
class Case:
    """A quadratic to look at.

    Attributes:
        label: of its button.
        values: what differs from ``VALUES``, without the theorem.
    """

    label: str
    values: Mapping[str, Any]

    def settings(self, theorem: str) -> dict[str, Any]:
        """Return all settings of a theorem, "t1" or "t2", in this case."""
        begun = {name: value for name, value in VALUES.items() if name.startswith(f"{theorem}.")}
        return begun | {f"{theorem}.{name}": value for name, value in self.values.items()}


CASES: Mapping[str, tuple[Case, ...]] = MappingProxyType(
    {
        "t1": (
            Case("As proven", {}),
            Case("M Mᵀ outgrows the bound", {"along": 1.0, "across": 1.0, "form": "mmt", "limit": 0.1, "rho": 10.0}),
            Case("p∞ too large", {"limit": 3.0, "rho": 0.0}),
        ),
        "t2": (
            Case("Counterexample", {}),
            Case("P = I", {"along": 1.0, "across": 1.0}),
            Case("An unequal P", {"along": 1.0, "across": 0.4}),
            Case("A turned P", {"L": 2.0, "along": 0.7, "across": 0.4, "angle": 30}),
        ),
    }
)
