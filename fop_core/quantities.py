"""What a run measures, by the columns of its metrics: pages, figures and documents all have it from here.

To add one: a row here, and its computation under that name in ``training.diagnostics`` or ``training.loop``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

FRACTION = "fraction"  # the unit of what is shown in percent
_FROM_0, _SHARE = (0.0, math.inf), (0.0, 1.0)


@dataclass(frozen=True)
class Quantity:
    """A column "<name>", or a column "<name>/<layer>" for each layer.

    Attributes:
        name: what files call it.
        about: what it is.
        formula: the same in signs; g is the gradient, of the layer where each has its own.
        unit: of its values; empty where they have none.
        span: the least and the largest value that there may be.
        title: what people call it, unless that is its name without underscores.
        log: whether its axis is logarithmic where one is not chosen.
        rule: the value at which its meaning turns, for a line across the picture.
        averaged: whether it is a mean over the steps since the row before.
        timed: whether two runs of the same numbers differ in it.
        goal: "more" or "less", whichever is better; empty where neither is.
        layered: whether each layer has its own.

    Example:
        >>> from fop_core import quantities
        >>> angle = quantities.QUANTITIES["angle_deg"]
        >>> angle.about, angle.unit, angle.span
        ('how far P turns the gradient (Figure A.1)', 'degrees', (0, 180))
    """

    name: str
    about: str
    formula: str = ""
    unit: str = ""
    span: tuple[float, float] = (-math.inf, math.inf)
    title: str = ""
    log: bool = False
    rule: float | None = None
    averaged: bool = False
    timed: bool = False
    goal: str = ""
    layered: bool = False

    def __post_init__(self) -> None:
        if not self.title:
            object.__setattr__(self, "title", self.name.replace("_", " "))

    @property
    def percent(self) -> bool:
        """Whether it is shown in percent.

        Example:
            >>> from fop_core import quantities
            >>> quantities.of("test_accuracy").percent, quantities.of("test_loss").percent
            (True, False)
        """
        return self.unit == FRACTION

    @property
    def heading(self) -> str:
        """The title where it stands by itself.

        Example:
            >>> from fop_core import quantities
            >>> quantities.of("train_loss").heading
            'Train loss'
        """
        return self.title[0].upper() + self.title[1:]

    @property
    def caption(self) -> str:
        """What it is, in a sentence.

        Example:
            >>> from fop_core import quantities
            >>> quantities.of("identity_distance").caption
            '‖P − I‖: how far P is from plain gradient descent.'
        """
        return f"{self.formula}: {self.about}." if self.formula else f"{self.about[0].upper()}{self.about[1:]}."

    @property
    def range(self) -> str:
        """The values that there may be; empty for any.

        Example:
            >>> from fop_core import quantities
            >>> quantities.of("test_accuracy").range, quantities.of("test_loss").range
            ('0 to 1', 'from 0')
        """
        low, high = (f"{end:g}".replace("-", "−") for end in self.span)
        if math.isfinite(self.span[1]):
            return f"{low} to {high}"
        return f"from {low}" if math.isfinite(self.span[0]) else ""


_OF_A_RUN = (
    Quantity("step", "updates applied", span=_FROM_0),
    Quantity("epoch", "passes over the training set, with fractions", span=_FROM_0),
    Quantity(
        "seconds",
        "of all attempts, without evaluation and writing",
        unit="seconds",
        span=_FROM_0,
        title="seconds of training",
        timed=True,
    ),
    Quantity(
        "train_loss",
        "mean cross-entropy over the steps since the row before, as the network was at each",
        unit="nats",
        span=_FROM_0,
        averaged=True,
        goal="less",
    ),
    Quantity(
        "train_accuracy",
        "share of those images that were classified correctly",
        unit=FRACTION,
        span=_SHARE,
        averaged=True,
        goal="more",
    ),
    Quantity(
        "test_loss", "mean cross-entropy on the test set, after each epoch", unit="nats", span=_FROM_0, goal="less"
    ),
    Quantity(
        "test_accuracy",
        "share of the test set that is classified correctly",
        unit=FRACTION,
        span=_SHARE,
        goal="more",
    ),
    Quantity(
        "held_out_loss",
        "in place of the test set's, on what `data.held_out` keeps for tuning",
        unit="nats",
        span=_FROM_0,
        goal="less",
    ),
    Quantity("held_out_accuracy", "likewise", unit=FRACTION, span=_SHARE, goal="more"),
    Quantity("lr", "of the step", "ε", span=_FROM_0, title="learning rate"),
    Quantity(
        "d",
        "of Prodigy after the step: its estimate, from below, of the distance from the start to the minimum; it "
        "multiplies ε",
        "d",
        span=_FROM_0,
        title="Prodigy's d",
    ),
    Quantity("samples_per_second", "images learned from, since the row before", unit="1/s", span=_FROM_0, timed=True),
    Quantity("grad_norm", "2-norm of the whole gradient", "‖g‖", span=_FROM_0, title="gradient norm"),
)
_OF_A_LAYER = (
    Quantity(
        "angle_deg",
        "how far P turns the gradient (Figure A.1)",
        "∠(g, P g)",
        unit="degrees",
        span=(0, 180),
        title="degrees between g and P g",
    ),
    Quantity(
        "length_ratio",
        "by how much P lengthens the gradient; below 1 it shortens it",
        "‖P g‖ / ‖g‖",
        span=_FROM_0,
        rule=1,
    ),
    Quantity(
        "alignment",
        "cosine of successive gradients; where they agree P grows along them, else it shrinks (Eq. 4)",
        "⟨g, g′⟩ / ‖g‖ ‖g′‖",
        span=(-1, 1),
        rule=0,
    ),
    Quantity(
        "descent",
        "the first-order change of the loss by the layer's step Δθ; negative while it goes down",
        "⟨g, Δθ⟩",
        rule=0,
    ),
    Quantity(
        "rho",
        "the rate at which the layer's M is learned, where each learns its own (`fop.hyper_lr_step`)",
        "ρ",
        span=_FROM_0,
        title="hypergradient rate",
        log=True,
    ),
    Quantity("eigenvalue_min", "of P as applied", "λmin", title="smallest eigenvalue"),
    Quantity("eigenvalue_max", "of P as applied", "λmax", title="largest eigenvalue"),
    Quantity(
        "eigenvalue_mean",
        "the mean gain of P as applied, which the control of the rate follows",
        "tr(P) / n",
        title="mean eigenvalue",
    ),
    Quantity(
        "condition",
        "largest over smallest eigenvalue of P; infinite where the smallest is not above 0",
        "λmax / λmin",
        span=(1, math.inf),
        log=True,
    ),
    Quantity(
        "effective_rank",
        "the exponential of the entropy of the eigenvalues' shares p, by size: how many count (Roy & Vetterli 2007)",
        "exp(−Σ p log p)",
        span=(1, math.inf),
    ),
    Quantity(
        "log_determinant",
        "the logarithm of P's determinant, which section 5 found near 0; not finite where an eigenvalue is not above 0",
        "Σ log λ",
        title="log-determinant",
    ),
    Quantity("identity_distance", "how far P is from plain gradient descent", "‖P − I‖", span=_FROM_0),
    Quantity(
        "constant_share",
        "of a spatial P, the share of ‖P − I‖² along the constant direction",
        "⟨P − I, 11ᵀ/n⟩² / ‖P − I‖²",
        unit=FRACTION,
        span=_SHARE,
    ),
    Quantity(
        "constant_sign",
        "the same with its sign; −1 takes the mean over the kernel out of the gradient whole",
        "⟨P − I, 11ᵀ/n⟩",
    ),
    Quantity(
        "row_neighbours",
        "what a fitted a I + c 11ᵀ leaves of a spatial P, mean over positions beside each other in a kernel row",
    ),
    Quantity("row_others", "likewise, over positions farther apart in one row"),
    Quantity("column_neighbours", "likewise, beside each other in one column"),
    Quantity("column_others", "likewise, farther apart in one column"),
    Quantity("elsewhere", "likewise, over positions that share neither"),
)
QUANTITIES: Mapping[str, Quantity] = MappingProxyType(
    {each.name: each for each in (*_OF_A_RUN, *(replace(each, layered=True) for each in _OF_A_LAYER))}
)
"""By their names."""


def of(column: str) -> Quantity:
    """Return what a column holds; of one that is not known, as of a newer run, its name is its title.

    Example:
        >>> from fop_core import quantities
        >>> quantities.of("angle_deg/18.weight").name, quantities.of("something_new").title
        ('angle_deg', 'something new')
    """
    name = column.partition("/")[0]
    return QUANTITIES.get(name) or Quantity(name, "")


def title(column: str) -> str:
    """Return what people call a column: its quantity, and the layer.

    Example:
        >>> from fop_core import quantities
        >>> quantities.title("eigenvalue_max/18.weight")
        'largest eigenvalue, 18.weight'
    """
    _, slash, layer = column.partition("/")
    return of(column).title + (f", {layer}" if slash else "")
