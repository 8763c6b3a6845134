"""What the address of the Preconditioners page holds."""

from typing import Any

from pages.parts.fields import Choice, Field, Flag, Number, Switch, Text

PANELS = {
    "spectrum": "Spectrum",
    "histograms": "Histograms",
    "rotation": "Rotation",
    "whitening": "Whitening",
    "compare": "Compare",
    "fork": "What if",
}
CURVES = {
    "paths": "Eigenvalues",
    "condition": "Condition",
    "effective_rank": "Effective rank",
    "log_determinant": "Log det",
}
TURNED = {
    "length_ratio": "Length ratio",
    "alignment": "Alignment",
    "descent": "⟨g, Δθ⟩",
}
FIELDS: dict[str, Field] = {
    "source": Switch("Look into", {"run": "A run", "file": "Your own matrices"}),
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
