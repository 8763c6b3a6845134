"""What the address of the Preconditioners page holds."""

from typing import Any, NamedTuple

from fop_core.quantities import QUANTITIES
from fop_core.runs import learned
from pages.shared.fields import Choice, Field, Flag, Number, Switch, Text

PANELS = {
    "spectrum": "Spectrum",
    "histograms": "Histograms",
    "rotation": "Rotation",
    "whitening": "Whitening",
    "compare": "Compare",
    "fork": "What if",
}
CURVES = {"paths": "Eigenvalues"} | {
    name: QUANTITIES[name].heading for name in ("condition", "effective_rank", "log_determinant")
}
TURNED = {name: QUANTITIES[name].heading for name in ("length_ratio", "alignment", "descent")}


class Matrix(NamedTuple):
    """What may be seen of a layer.

    Attributes:
        formula: what it is called.
        printed: the same for print.
        about: what it is.
    """

    formula: str
    printed: str
    about: str


MATRICES = {
    "change": Matrix("P − I", "$P - I$", "what sets the step apart from plain gradient descent's (Figure 5a)"),
    "P": Matrix("P", "$P$", "what the gradient is multiplied by (Figure 5a)"),
    "shape": Matrix("P/‖P‖", r"$P/\|P\|$", "P over its Frobenius norm, its shape whatever its size"),
    "rest": Matrix(
        "P − aI − c11ᵀ",
        r"$P - aI - c\,11^T$",
        "what is left after an even diagonal and the constant direction are fitted and taken out",
    ),
    "M": Matrix("M", "$M$", "the factor that is learned"),
}
FIELDS: dict[str, Field] = {
    "source": Switch("Look into", {"run": "A run", "file": "Your own matrices"}),
    "file_form": Choice(
        "They are",
        {name: f"the M of {form.formula}" for name, form in learned.FILE_FORMS.items()} | {"direct": "P itself"},
        help="A name that ends in /P is a P and one that ends in /M an M, whatever is chosen here.",
    ),
    "kernel": Flag(
        "n = 9, 25 or 49 is a kernel",
        help="So many rows are the positions of a kernel of 3 x 3, 5 x 5 or 7 x 7",
    ),
    "run": Text("Run", 200),
    "beside": Text("Beside", 200),
    "other": Text("Its layer", 200),
    "layer": Text("Layer", 200),
    "see": Choice("Matrix", {name: matrix.formula for name, matrix in MATRICES.items()}),
    "view": Choice("View", {"one": "One layer", "all": "All layers"}),
    "range": Choice("Colours", {"one": "One range", "own": "Each its own"}),
    "at": Number("Step", -1, 1e12, 1, whole=True),
    "panel": Switch("Panel", PANELS, quiet=True),
    "curve": Switch("Over steps", CURVES, quiet=True),
    "turned": Switch("Beside it", TURNED, quiet=True),
    "values": Switch("Values of", {"P": "P", "M": "M"}),
    "log": Flag("Logarithmic", help="Eigenvalues on a logarithmic axis; those not above 0 have no place there"),
    "seeds": Flag("Mean over seeds", help="Mean, and minimum to maximum, over runs that differ by the seed alone"),
}
VALUES: dict[str, Any] = {
    "source": "run",
    "file_form": "factored",  # what factors() returns of a FOP with its own defaults
    "kernel": False,
    "run": "",
    "beside": "",
    "other": "",
    "layer": "",
    "see": "change",
    "view": "one",
    "range": "one",
    "at": -1,
    "panel": "spectrum",
    "curve": "paths",
    "turned": "length_ratio",
    "values": "P",
    "log": False,
    "seeds": True,
}
PRESETS = Choice("Preset", {"all": "All"})
RENAMED = {"given": "file_form"}
"""What addresses called a setting before."""
