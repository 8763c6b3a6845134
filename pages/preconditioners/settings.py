"""What the address of the Preconditioners page holds."""

from typing import Any

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
FIELDS: dict[str, Field] = {
    "source": Switch("Look into", {"run": "A run", "file": "Your own matrices"}),
    "given": Choice(
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
    "see": Choice("Matrix", {"change": "P − I", "P": "P", "shape": "P/‖P‖", "rest": "P − aI − c11ᵀ", "M": "M"}),
    "view": Choice("View", {"one": "One layer", "all": "All layers"}),
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
    "given": "factored",  # what factors() returns of a FOP with its own defaults
    "kernel": False,
    "run": "",
    "beside": "",
    "other": "",
    "layer": "",
    "see": "change",
    "view": "one",
    "at": -1,
    "panel": "spectrum",
    "curve": "paths",
    "turned": "length_ratio",
    "values": "P",
    "log": False,
    "seeds": True,
}
PRESETS = Choice("Preset", {"all": "All"})
